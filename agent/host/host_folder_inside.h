/* host_folder_inside.h - what the files of host_folder share; nobody else includes this. */
#ifndef EVMEND_HOST_HOST_FOLDER_INSIDE_H
#define EVMEND_HOST_HOST_FOLDER_INSIDE_H

#include "base/buf.h"
#include "base/json.h"
#include "host/host_folder.h"

struct folder_probe {
	struct host_probe_ask ask;
	struct probe_result result;
};

struct host_folder {
	struct host h;
	char path[3072];
	bool has_identity, has_busy;
	struct host_identity identity;
	enum host_busy busy;
	char busy_what[128];
	struct folder_probe *probes;
	size_t n_probes;
	int64_t newest; /* us; of the files that were read */
	struct host_folder_about about;
	struct host_state state;
};

/* ---- host_folder.c ---- */
/* A file of the folder as UTF-8. 1: read; 0: there is none; -1 and *e: it is no plain file, too large, or lies elsewhere. */
int folder_read(struct host_folder *f, const char *name, size_t max, struct buf *to, struct err *e);
/* Names in a sub-folder ("" : the folder itself) that end so (case does not count), sorted; each is malloc'd. How many; 0 when
 * there is no such sub-folder; -1 and *e: more than max. */
int folder_list(const struct host_folder *f, const char *sub, const char *ending, char **names, size_t max, struct err *e);

/* ---- host_folder_tidy.c ---- */
/* facts.json as the host protocol has it: PowerShell's habits undone, members that are not named in docs/offline.md left out.
 * NULL and *e: a member is of the wrong kind. json_free. */
struct json *folder_tidy(const struct json *facts, struct err *e);

/* ---- host_folder_facts.c ---- */
int folder_facts(struct host_folder *f, const char *text, size_t n, struct err *e);

/* ---- host_folder_netsh.c, host_folder_iis.c: add a part to *s; -1 and *e: it is not what it should be ---- */
int folder_netsh(const char *text, size_t n, struct host_state *s, struct err *e);
int folder_iis(const char *text, size_t n, struct host_state *s, struct err *e);

/* ---- host_folder_certs.c ---- */
int folder_certs(struct host_folder *f, struct err *e);
/* By hand: who the server is, from name or from the certificates. */
int folder_names(struct host_folder *f, const char *name, struct err *e);

#endif
