/* host_folder.c - a folder of facts answers as a host does.
 *
 * Exists so that a server whose shell is dead, or that nobody may connect to, gets the same diagnosis as a live one: the remedy asks,
 * the folder answers with what was recorded. Promises that what was not recorded is unknown and named. Refuses to be changed:
 * apply, undo and lock; files that lie outside, are no plain files or are too large. */
#include "host/host_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/utf16.h"
#include "host/host_folder_inside.h"

static struct host_folder *of(struct host *h)
{
	return (struct host_folder *)h; /* h is its first member */
}

/* ---- files ---- */

static int folder_path(const struct host_folder *f, const char *name, char *to, size_t n, struct err *e)
{
	if ((size_t)snprintf(to, n, "%s%s%s", f->path, name[0] ? "/" : "", name) < n)
		return 0;
	return err_set(e, ERR_IO, "%.200s/%.100s: the path is too long", f->path, name);
}

int folder_read(struct host_folder *f, const char *name, size_t max, struct buf *to, struct err *e)
{
	char path[4096], why[96];
	struct os_stat st;
	int r;

	if (folder_path(f, name, path, sizeof(path), e) < 0)
		return -1;
	r = os_file_inside(f->path, path);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == -EXDEV)
		return err_set(e, ERR_IO, "%s: is a link that leaves the folder; such a file is not read", path);
	if (r == -EINVAL)
		return err_set(e, ERR_IO, "%s: is no plain file", path);
	if (r < 0)
		return err_set(e, ERR_IO, "%s: cannot be read: %s", path, err_os(r, why));
	buf_init(to, max);
	if (file_read(&os_file, path, to, e) < 0) {
		buf_free(to);
		return -1;
	}
	if (!utf8_from_windows(to)) {
		buf_free(to);
		return err_set(e, ERR_IO, "%s: is larger than %zu bytes as UTF-8; such a file is refused", path, max);
	}
	if (os_file.stat(path, -1, &st) == 0 && st.mtime_us > f->newest)
		f->newest = st.mtime_us;
	return 1;
}

struct listing {
	char **names;
	size_t n, max;
	const char *ending;
	bool too_many;
};

static int take_name(void *arg, const char *name)
{
	struct listing *l = arg;
	size_t n = strlen(name), m = strlen(l->ending);

	if (name[0] == '.' || n < m || !text_same(name + n - m, l->ending))
		return 0;
	l->too_many = l->n == l->max;
	if (l->too_many)
		return 1;
	l->names[l->n++] = xstrdup(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int folder_list(const struct host_folder *f, const char *sub, const char *ending, char **names, size_t max, struct err *e)
{
	struct listing l = {.names = names, .max = max, .ending = ending};
	char path[4096], why[96];
	int r;

	if (folder_path(f, sub, path, sizeof(path), e) < 0)
		return -1;
	r = os_file.list(path, take_name, &l);
	if (r == 0 && !l.too_many) {
		qsort(names, l.n, sizeof(*names), by_name);
		return (int)l.n;
	}
	for (size_t i = 0; i < l.n; i++)
		free(names[i]);
	if (!l.too_many && (r == -ENOENT || r == -ENOTDIR))
		return 0;
	if (l.too_many)
		(void)err_set(e, ERR_IO, "%s: more than %zu files of the kind '*%s'; such a folder is refused", path, max, ending);
	else
		(void)err_set(e, ERR_IO, "%s: cannot be read: %s", path, err_os(r, why));
	return -1;
}

static int list_events(struct host_folder *f, struct err *e)
{
	char *names[LIMIT_FOLDER_EVENTS], path[4096];
	int n = folder_list(f, "events", ".xml", names, LIMIT_FOLDER_EVENTS, e), r = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/events/%s", f->path, names[i]) >= sizeof(path) ||
		    os_file_inside(f->path, path) < 0)
			r = err_set(e, ERR_IO, "%.3000s/events/%.255s: is no plain file inside the folder", f->path, names[i]);
		else
			f->about.events[f->about.n_events++] = xstrdup(path);
		free(names[i]);
	}
	return r;
}

/* ---- the operations ---- */

static int silent(const char *what, struct err *e)
{
	return err_set(e, ERR_REFUSED, "the folder does not say: %s", what);
}

static int folder_identity(struct host *h, struct host_identity *to, int64_t deadline, struct err *e)
{
	(void)deadline;
	(void)e;
	*to = of(h)->identity;
	return 0;
}

static int folder_observe(struct host *h, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	const struct host_state *s = &of(h)->state;
	unsigned known = s->known & parts;

	(void)deadline;
	(void)e;
#define TAKE(part, list, count) \
	if (known & (part)) { \
		memcpy(to->list, s->list, s->count * sizeof(s->list[0])); \
		to->count = s->count; \
	}
	TAKE(HOST_PART_RECORDS, records, n_records)
	TAKE(HOST_PART_CERTS, certs, n_certs)
	TAKE(HOST_PART_SITES, sites, n_sites)
	TAKE(HOST_PART_SERVICES, services, n_services)
	TAKE(HOST_PART_POOLS, pools, n_pools)
#undef TAKE
	if (known & HOST_PART_CERTS)
		to->certs_picked = s->certs_picked;
	if (known & HOST_PART_SETTINGS) {
		to->allow_internal_untrusted = s->allow_internal_untrusted;
		text_copy(to->tls_protocols, sizeof(to->tls_protocols), s->tls_protocols);
	}
	if (known & HOST_PART_ITC) {
		to->itc_known = s->itc_known;
		memcpy(to->itc, s->itc, sizeof(to->itc));
	}
	if (known & HOST_PART_BOOT) {
		to->boot_time = s->boot_time;
		to->update_time = s->update_time;
		text_copy(to->update, sizeof(to->update), s->update);
	}
	to->known |= known;
	return 0;
}

static int folder_busy(struct host *h, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e)
{
	(void)deadline;
	if (!of(h)->has_busy)
		return silent("what the server is busy with", e);
	*to = of(h)->busy;
	text_copy(what, 128, of(h)->busy_what);
	return 0;
}

static bool same_door(const struct host_probe_ask *a, const struct host_probe_ask *b)
{
	return a->kind == b->kind && a->version == b->version && a->port == b->port && text_same(a->address, b->address);
}

/* The very row; else, for a handshake alone, a row that also asked for a path. A row that asked for less is no answer, unless nothing
 * could be asked any more. */
static const struct folder_probe *find_probe(const struct host_folder *f, const struct host_probe_ask *ask)
{
	const struct folder_probe *found = NULL;

	for (size_t i = 0; i < f->n_probes; i++) {
		const struct folder_probe *p = &f->probes[i];

		if (!same_door(&p->ask, ask))
			continue;
		if (strcmp(p->ask.path, ask->path) == 0)
			return p;
		if (found == NULL && (ask->path[0] == '\0' || (p->ask.path[0] == '\0' && p->result.tls != TLS_OK)))
			found = p;
	}
	return found;
}

static int folder_probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	const struct folder_probe *p = find_probe(of(h), ask);

	(void)deadline;
	if (p == NULL)
		return silent("what this probe was answered", e);
	*to = p->result;
	if (ask->path[0] == '\0') {
		to->http_status = 0;
		to->answer_header[0] = '\0';
	}
	return 0;
}

static int not_a_server(struct err *e)
{
	return err_set(e, ERR_REFUSED, "a folder is not a server: nothing can be changed in it");
}

static int folder_apply(struct host *h, const struct host_step *step, struct host_step_result *to, int64_t deadline, struct err *e)
{
	(void)h;
	(void)step;
	(void)to;
	(void)deadline;
	return not_a_server(e);
}

static int folder_undo(struct host *h, const struct host_step *step, const struct host_step_result *was, int64_t deadline,
	struct err *e)
{
	(void)h;
	(void)step;
	(void)was;
	(void)deadline;
	return not_a_server(e);
}

static int folder_lock(struct host *h, const char *who, int64_t deadline, struct err *e)
{
	(void)h;
	(void)who;
	(void)deadline;
	return not_a_server(e);
}

static void folder_close(struct host *h)
{
	struct host_folder *f = of(h);

	for (size_t i = 0; i < f->about.n_events; i++)
		free(f->about.events[i]);
	free(f->probes);
	free(f);
}

static const struct host_ops ops = {
	folder_identity, folder_observe, folder_busy, folder_probe, folder_apply, folder_undo, folder_lock, folder_close,
};

/* ---- what is lacking ---- */

static bool has_probe(const struct host_folder *f, enum host_probe_kind kind, enum probe_version version)
{
	for (size_t i = 0; i < f->n_probes; i++)
		if (f->probes[i].ask.kind == kind && f->probes[i].ask.version == version)
			return true;
	return false;
}

static bool keys_told(const struct host_state *s)
{
	for (size_t i = 0; i < s->n_certs; i++)
		if (s->certs[i].has_key == TRI_YES && s->certs[i].key_opens != TRI_UNKNOWN && s->certs[i].key_matches != TRI_UNKNOWN)
			return true;
	return false;
}

static bool states_told(const struct host_state *s)
{
	for (size_t i = 0; i < s->n_sites; i++)
		if (s->sites[i].state_unknown)
			return false;
	return true;
}

static void lack(struct host_folder *f, bool told, const char *what)
{
	if (!told && f->about.n_lacks < HOST_FOLDER_LACKS)
		f->about.lacks[f->about.n_lacks++] = what;
}

static void tell_lacks(struct host_folder *f)
{
	const struct host_state *s = &f->state;
	unsigned k = s->known;

	lack(f, !f->identity.exchange_unknown, "whether this is an Exchange server");
	lack(f, k & HOST_PART_RECORDS, "HTTP.SYS's certificate records");
	lack(f, k & HOST_PART_CERTS, "certificates");
	lack(f, !(k & HOST_PART_CERTS) || !s->certs_picked, "whether other certificates are there");
	lack(f, !(k & HOST_PART_CERTS) || keys_told(s), "private keys");
	lack(f, k & HOST_PART_SITES, "sites and bindings");
	lack(f, !(k & HOST_PART_SITES) || states_told(s), "whether the sites are started");
	lack(f, k & HOST_PART_SERVICES, "services");
	lack(f, k & HOST_PART_POOLS, "application pools");
	lack(f, has_probe(f, HOST_PROBE_BACKEND, TLS_DEFAULT), "handshakes on port 444");
	lack(f, has_probe(f, HOST_PROBE_BACKEND, TLS_ONLY_1_2), "handshakes on port 444 with TLS 1.2");
	lack(f, has_probe(f, HOST_PROBE_FRONTEND, TLS_DEFAULT), "handshakes on port 443");
	lack(f, has_probe(f, HOST_PROBE_HOP, TLS_DEFAULT), "the hop");
	lack(f, k & HOST_PART_SETTINGS, "TLS settings");
	lack(f, k & HOST_PART_ITC, "the internal transport certificate");
	lack(f, k & HOST_PART_BOOT, "when the server started");
	lack(f, f->has_busy, "whether an installer runs");
}

/* ---- opening ---- */

/* A file that is read only when facts.json does not have the part. */
static int read_part(struct host_folder *f, enum host_part part, const char *name, size_t max,
	int (*take)(const char *text, size_t n, struct host_state *s, struct err *e), struct err *e)
{
	struct buf b = {.p = NULL};
	int r;

	if (f->state.known & (unsigned)part)
		return 0;
	r = folder_read(f, name, max, &b, e);
	if (r <= 0)
		return r;
	r = take(buf_text(&b), b.n, &f->state, e);
	buf_free(&b);
	return r < 0 ? err_prefix(e, "%s", name) : 0;
}

static int read_all(struct host_folder *f, const char *name, struct err *e)
{
	struct buf b = {.p = NULL};
	int r = folder_read(f, "facts.json", LIMIT_FOLDER_FACTS, &b, e);

	if (r < 0)
		return -1;
	f->about.by_hand = r == 0;
	if (r == 1) {
		r = folder_facts(f, buf_text(&b), b.n, e);
		buf_free(&b);
		if (r < 0)
			return -1;
	}
	if (read_part(f, HOST_PART_RECORDS, "netsh-sslcert.txt", LIMIT_FOLDER_TEXT, folder_netsh, e) < 0 ||
	    read_part(f, HOST_PART_SITES, "applicationHost.config", LIMIT_FOLDER_FACTS, folder_iis, e) < 0 ||
	    (!(f->state.known & HOST_PART_CERTS) && folder_certs(f, e) < 0))
		return -1;
	if (f->state.known == 0 && f->n_probes == 0)
		return err_set(e, ERR_USAGE, "%s has no facts.json, nor netsh-sslcert.txt, applicationHost.config or certs/*.cer; "
			"`evmend collect --emit powershell` prints the script that makes such a folder", f->path);
	if (folder_names(f, name, e) < 0)
		return -1;
	if (f->about.by_hand)
		f->about.collected_at = f->newest;
	return list_events(f, e);
}

struct host *host_folder_open(const char *folder, const char *name, const struct clock *clock, struct err *e)
{
	struct host_folder *f;
	struct os_stat st;
	char why[96];
	int r = os_file.stat(folder, -1, &st);

	if (r < 0 || !st.is_folder) {
		(void)err_set(e, ERR_IO, "%s: %s", folder, r < 0 ? err_os(r, why) : "is no folder; unpack it, and name the folder");
		return NULL;
	}
	if (strlen(folder) >= sizeof(f->path)) {
		(void)err_set(e, ERR_IO, "%.100s...: the path is too long", folder);
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->h.ops = &ops;
	f->h.clock = clock;
	text_copy(f->path, sizeof(f->path), folder);
	if (read_all(f, name, e) < 0) {
		folder_close(&f->h);
		return NULL;
	}
	tell_lacks(f);
	return &f->h;
}

const struct host_folder_about *host_folder_about(const struct host *h)
{
	return &((const struct host_folder *)h)->about;
}
