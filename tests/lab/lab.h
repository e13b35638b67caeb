/* lab.h - evmend-lab: a miniature Exchange server in one process and one folder, for the demo and the tests.
 *
 * It is a lab and says so everywhere. What is real: certificates and keys (OpenSSL), TLS and HTTP on loopback ports, a front
 * end that proxies to a back end, handshakes that fail. What is imitated: HTTP.SYS's table and cache, the certificate store, IIS
 * sites, and the event log, which gets what Windows would write for a fault and no more.
 *
 * All state is files in one folder, so that several processes (server, break, host) share it:
 *	lab.json           name, ports; written once
 *	state.json         records, sites, services, settings ...; replaced whole, under the lock state.lock
 *	store/MY, Root     THUMBPRINT.pem and THUMBPRINT.json (friendly name, key container, token of the repair that made it)
 *	keys/CONTAINER.pem private keys, as Windows has them: apart from the certificates
 *	events.xml, console.txt, HttpProxy_YYYYMMDDHH-1.LOG   what an agent reads */
#ifndef EVMEND_LAB_H
#define EVMEND_LAB_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "host/host.h"

#define LAB_ORGANIZATION "evmend LAB - not a real server"
#define LAB_VERSION "0.1"
#define LAB_APPID "{4dc3e181-e14b-4a21-b022-59fc669b0914}" /* IIS */
#define LAB_CSP "Microsoft RSA SChannel Cryptographic Provider"
#define LAB_KSP "Microsoft Software Key Storage Provider"
#define BACKEND_ENDPOINT "0.0.0.0:444"
#define FRONTEND_ENDPOINT "0.0.0.0:443"
#define LOCAL_ENDPOINT "127.0.0.1:443"
#define BACKEND_SITE "Exchange Back End"
#define HEALTH_PATH "/owa/exhealth.check"

struct lab {
	char folder[3072];
	char name[64], fqdn[256], domain[256];
	uint16_t frontend_port; /* plays 0.0.0.0:443 */
	uint16_t local_port;    /* plays 127.0.0.1:443 */
	uint16_t backend_port;  /* plays 0.0.0.0:444 */
	bool ipv6;              /* ::1 answers too */
	bool any_ports;         /* nobody asked for these ports: others may be taken */
	struct clock clock;
};

/* What is wrong with the server beside its tables; a set in lab_state.wrong, words in state.json. */
enum lab_wrong {
	WRONG_TLS10 = 1,        /* the back end takes TLS 1.0 only */
	WRONG_HANG = 2,         /* the back end accepts and never says a word */
	WRONG_MUTE = 4,         /* it shakes hands and never answers the request */
	WRONG_REFUSE = 8,       /* nothing listens on its port, though site and binding are fine */
	WRONG_STALE = 16,       /* HTTP.SYS cuts handshakes on 444 until the record is set anew or IIS restarts */
	WRONG_HOP = 32,         /* the front end sends into dead connections until IIS restarts */
	WRONG_SPLIT = 64,       /* the back end cuts whoever comes over IPv4 */
	WRONG_NO_EXCHANGE = 128,/* identity says: no Exchange */
	WRONG_DISK_FULL = 256,  /* nothing that needs a file can be made */
};

struct lab_state {
	int lock;             /* descriptor of state.lock */
	int64_t version;      /* counts writes */
	int64_t cache_epoch;  /* HTTP.SYS drops its cache when this changes */
	int64_t record_set[HOST_RECORDS]; /* counts settings of a record: a new one is not served from the cache */
	unsigned wrong;       /* set of enum lab_wrong */
	char connector[256];  /* Fqdn of a connector for which there is no certificate; "": none */
	char busy[32];        /* as busy answers */
	struct host_state is; /* records, sites, services, settings, itc, boot; certs come from the store */
};

/* ---- lab_init.c ---- */
/* NULL for name, fqdn, ports: the usual ones. Prints what was made. */
int lab_init(const char *folder, const char *name, const char *fqdn, const char *ports, struct err *e);
/* Before the server starts: takes other ports when somebody else has come to sit on one of those that were free. */
int lab_check_ports(struct lab *l, struct err *e);

/* ---- lab_files.c ---- */
int lab_path(const struct lab *l, char *to, size_t n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int lab_open(struct lab *l, const char *folder, struct err *e); /* reads lab.json */
int lab_save(const struct lab *l, struct err *e);
int lab_read(const char *path, struct buf *to); /* -1: not there */
/* Takes state.lock (exclusive for who will write) and reads state.json. Ended by state_end or state_write, which free it.
 * On the heap, always: host_state has room for 256 certificates and is some megabytes large. */
struct lab_state *state_begin(const struct lab *l, bool exclusive, struct err *e); /* NULL and *e */
int state_write(const struct lab *l, struct lab_state *s, struct err *e); /* counts version up, gives the lock back, frees s */
void state_end(struct lab_state *s); /* NULL allowed */
struct host_record *state_record(struct lab_state *s, const char *endpoint); /* NULL: none */
void state_set_record(struct lab_state *s, const char *endpoint, const uint8_t thumbprint[20], const char *store);
void state_put_record(struct lab_state *s, const struct host_record *r);
void state_drop_record(struct lab_state *s, const char *endpoint);
void state_restart_iis(struct lab_state *s); /* drops what HTTP.SYS and the front end's workers hold */
struct host_site *state_site(struct lab_state *s, const char *name);
bool service_runs(const struct lab_state *s, const char *name);
const struct host_binding *binding_444(const struct host_site *site); /* https with port 444; NULL */
bool site_serves_444(const struct lab_state *s); /* IIS runs, the site is started and has an https binding on 444 */
const char *wrong_word(int bit); /* of 1u << bit; NULL: there is no such bit */

/* ---- lab_store.c ---- */
struct store_cert {
	struct host_cert cert; /* info, store, friendly name, key */
	char *pem;
	char token[80];
};

/* Certificates of a store ("MY", "WebHosting", "Root"); NULL: all stores. At most HOST_CERTS. Freed with store_free. */
size_t store_list(const struct lab *l, const char *store, struct store_cert **to);
void store_free(struct store_cert *c, size_t n);
/* NULL: none; else to be freed with store_free(it, 1). */
struct store_cert *store_find(const struct lab *l, const char *store, const uint8_t thumbprint[20]);
int store_add(const struct lab *l, const char *store, const char *pem, const char *friendly, const char *container,
	const char *token, struct err *e);
void store_remove(const struct lab *l, const char *store, const uint8_t thumbprint[20]);
/* A new certificate in MY with its key in a new container; with_root: and a public copy in Root. */
int store_create(const struct lab *l, const struct cert_template *t, const char *friendly, const char *token, bool with_root,
	uint8_t thumbprint[20], struct err *e);
/* A certificate that was made elsewhere, with its key in a new container. */
int store_put(const struct lab *l, const char *pem, const char *key, const char *friendly, const char *token,
	uint8_t thumbprint[20], struct err *e);
/* As store_create, but signed by the lab's public authority, whose certificate comes into Root. */
int store_issue(const struct lab *l, const struct cert_template *t, const char *friendly, uint8_t thumbprint[20], struct err *e);
/* Private key of a certificate as PEM, malloc'd (cert_wipe), NULL when its container is gone or closed. */
char *store_key(const struct lab *l, const struct store_cert *c);
void store_drop_key(const struct lab *l, const char *container);
void store_close_key(const struct lab *l, const char *container, bool closed); /* closed: nobody has access to it */
bool store_key_for(const struct lab *l, const char *pem, char container[static 128]); /* any container whose key fits */
void own_template(const struct lab *l, struct cert_template *t);
bool is_usable(const struct store_cert *c); /* key there, opens and matches */

/* ---- lab_events.c ---- */
enum lab_event {
	EV_15021, EV_15300, EV_15301, EV_36869, EV_36870, EV_36874, EV_1004, EV_1006, EV_12014, EV_12015, EV_12016, EV_12018, EV_12023, EV_12024,
	EV_IIS29,
};

struct event_args {
	const char *endpoint;          /* 15021, 15300, 15301 */
	const struct cert_info *cert;  /* 1004, 1006, 12015, 12016, 12018 */
	const char *process;           /* 1004, 1006: who did it, "mmc.exe" */
	const uint8_t *thumb, *thumb2; /* 12023, 12024: configured, and used instead */
	const char *protocol;          /* 36874 */
	const char *fqdn, *connector;  /* 12014 */
};

void lab_event(const struct lab *l, enum lab_event kind, const struct event_args *a);
void lab_flood(const struct lab *l, int64_t n); /* n times 15021 for the back end */

/* ---- lab_texts.c ---- */
struct lab_request {
	char method[16], path[512], host[256];
	int status, backend_status; /* 0: the back end did not answer */
	const char *failure;        /* "SendFailure", "ConnectFailure"; NULL: none */
	char id[40];                /* request id, a GUID */
};

void lab_guid(char to[static 40]);
void lab_httpproxy(const struct lab *l, const struct lab_request *r);
void lab_console(const struct lab *l, const struct lab_request *r); /* what a shell would show */

/* ---- lab_server.c, lab_doors.c ---- */
int lab_serve(const struct lab *l, bool self_probe, int ready_fd, struct err *e); /* until SIGTERM; writes a byte to ready_fd */
int lab_pid(const struct lab *l); /* of the running server, 0: none */
int lab_wait_seen(const struct lab *l, int64_t version); /* until the server has taken in that version; at most 3 s */

/* ---- lab_faults.c ---- */
/* fault: a name, or several with '+' between, which come one after the other. */
int lab_break(const struct lab *l, const char *fault, bool deferred, bool keep_key, struct err *e);
int lab_restart(const struct lab *l, struct err *e);
void lab_list_faults(struct buf *to, const char *indent); /* for --help */

/* ---- lab_host.c, lab_steps.c ---- */
struct lab_host_options {
	const char *fault;     /* "KIND:N", "KIND:CALL:N"; NULL: none */
	const char *without;   /* parts and calls that are not answered, ',' between; NULL: none */
	const char *meanwhile; /* "CALL:N:FAULT": what happens to the server right after that call; NULL: nothing */
};

int lab_host(const struct lab *l, const struct lab_host_options *options, struct err *e);
/* lab_collect.c: writes the folder of facts of docs/offline.md; without: as for the host program, NULL: nothing is left out */
int lab_collect(const struct lab *l, const char *out, const char *without, struct err *e);
int lab_listen(const char *manner, struct err *e); /* lab_listen.c; does not return but for an error */
/* -1: *kind is an enum wire_fault */
int lab_apply(const struct lab *l, const struct host_step *s, struct host_step_result *to, int *kind, struct err *e);
int lab_undo(const struct lab *l, const struct host_step *s, const struct host_step_result *was, struct host_step_result *to,
	int *kind, struct err *e);
int lab_probe(const struct lab *l, const struct host_probe_ask *ask, int timeout_ms, struct probe_result *to, struct err *e);

#endif
