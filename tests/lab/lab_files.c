/* lab_files.c - the lab's folder: where it is, who it is, and its state as one file that several processes share.
 *
 * Promises: a reader sees a whole state, a writer waits for its turn; a crash leaves the old file. Refuses a folder that
 * evmend-lab init did not make. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "lab/lab.h"
#include "os/os.h"

#define STATE_PARTS                                                                                                                \
	(HOST_PART_RECORDS | HOST_PART_SITES | HOST_PART_SERVICES | HOST_PART_SETTINGS | HOST_PART_ITC | HOST_PART_BOOT | HOST_PART_POOLS)

int lab_path(const struct lab *l, char *to, size_t n, const char *fmt, ...)
{
	va_list ap;
	int have = snprintf(to, n, "%s/", l->folder), more;

	va_start(ap, fmt);
	more = vsnprintf(to + have, n - (size_t)have, fmt, ap);
	va_end(ap);
	if (more < 0 || (size_t)(have + more) >= n)
		die("the path of the lab is too long: %s", l->folder);
	return 0;
}

int lab_read(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[8192];
	ssize_t n;

	if (fd < 0)
		return -1;
	buf_reset(to);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(to, piece, (size_t)n);
	close(fd);
	return n < 0 || to->refused ? -1 : 0;
}

static int replace(const struct lab *l, const char *name, const struct buf *b, struct err *e)
{
	char path[4096], words[96];
	int r;

	lab_path(l, path, sizeof path, "%s", name);
	r = os_file_replace(&os_file, path, b->p, b->n);
	return r < 0 ? err_set(e, ERR_IO, "%s cannot be written: %s", path, err_os(-r, words)) : 0;
}

static struct json *read_json(const struct lab *l, const char *name, struct err *e)
{
	char path[4096];
	struct buf b;
	struct json *j = NULL;

	lab_path(l, path, sizeof path, "%s", name);
	buf_init(&b, 4u << 20);
	if (lab_read(path, &b) < 0)
		err_set(e, ERR_IO, "there is no lab in %s (no %s); make one with: evmend-lab init %s", l->folder, name, l->folder);
	else
		j = json_parse(b.p, b.n, e);
	buf_free(&b);
	return j;
}

int lab_open(struct lab *l, const char *folder, struct err *e)
{
	struct json *j;
	const char *dot;
	char *real = realpath(folder, NULL);

	memset(l, 0, sizeof *l);
	l->clock = clock_real();
	text_copy(l->folder, sizeof l->folder, real ? real : folder);
	free(real);
	j = read_json(l, "lab.json", e);
	if (!j)
		return -1;
	text_copy(l->name, sizeof l->name, json_str(json_get(j, "name"), ""));
	text_copy(l->fqdn, sizeof l->fqdn, json_str(json_get(j, "fqdn"), ""));
	dot = strchr(l->fqdn, '.');
	text_copy(l->domain, sizeof l->domain, dot ? dot + 1 : "lab.example");
	l->frontend_port = (uint16_t)json_int(json_get(j, "frontend_port"), 0);
	l->local_port = (uint16_t)json_int(json_get(j, "local_port"), 0);
	l->backend_port = (uint16_t)json_int(json_get(j, "backend_port"), 0);
	l->ipv6 = json_bool(json_get(j, "ipv6"), false);
	l->any_ports = json_bool(json_get(j, "any_ports"), false);
	json_free(j);
	if (!text_host_ok(l->name) || !text_host_ok(l->fqdn) ||
	    (!l->any_ports && (!l->frontend_port || !l->backend_port || !l->local_port))) /* a copy may have none before it starts */
		return err_set(e, ERR_IO, "%s/lab.json is damaged; make a new lab", l->folder);
	return 0;
}

int lab_save(const struct lab *l, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 64 * 1024);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "what", "evmend LAB: not a real server");
	json_put_str(&o, "name", l->name);
	json_put_str(&o, "fqdn", l->fqdn);
	json_put_int(&o, "frontend_port", l->frontend_port);
	json_put_int(&o, "local_port", l->local_port);
	json_put_int(&o, "backend_port", l->backend_port);
	json_put_bool(&o, "ipv6", l->ipv6);
	json_put_bool(&o, "any_ports", l->any_ports);
	json_close(&o, '}');
	buf_char(&b, '\n');
	r = replace(l, "lab.json", &b, e);
	buf_free(&b);
	return r;
}

/* ---- state.json ---- */

const char *wrong_word(int bit)
{
	static const char *const words[] = {"tls10", "hang", "mute", "refuse", "stale", "hop", "split", "no-exchange", "disk-full"};

	return bit < (int)(sizeof words / sizeof words[0]) ? words[bit] : NULL;
}

static unsigned wrong_bit(const char *word)
{
	for (int i = 0; wrong_word(i); i++)
		if (strcmp(wrong_word(i), word) == 0)
			return 1u << i;
	die("state.json: '%s' is nothing that can be wrong", word);
}

static void put_wrong(struct json_out *o, unsigned wrong)
{
	json_open(o, "wrong", '[');
	for (int i = 0; wrong_word(i); i++)
		if (wrong & 1u << i)
			json_put_str(o, NULL, wrong_word(i));
	json_close(o, ']');
}

static int state_parse(const struct json *j, struct lab_state *s, struct err *e)
{
	const struct json *sets = json_get(j, "record_set"), *wrong = json_get(j, "wrong");

	s->version = json_int(json_get(j, "version"), 0);
	s->cache_epoch = json_int(json_get(j, "cache_epoch"), 0);
	for (size_t i = 0; i < json_len(wrong); i++)
		s->wrong |= wrong_bit(json_str(json_at(wrong, i), ""));
	text_copy(s->connector, sizeof s->connector, json_str(json_get(j, "connector"), ""));
	text_copy(s->busy, sizeof s->busy, json_str(json_get(j, "busy"), "free"));
	for (size_t i = 0; i < json_len(sets) && i < HOST_RECORDS; i++)
		s->record_set[i] = json_int(json_at(sets, i), 0);
	return wire_get_state(json_get(j, "state"), STATE_PARTS, &s->is, e);
}

struct lab_state *state_begin(const struct lab *l, bool exclusive, struct err *e)
{
	struct lab_state *s = xcalloc(1, sizeof *s);
	char path[4096], words[96];
	struct json *j;
	int r;

	lab_path(l, path, sizeof path, "state.lock");
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		err_set(e, ERR_IO, "%s cannot be opened: %s", path, err_os(errno, words));
		free(s);
		return NULL;
	}
	while (flock(s->lock, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			die("flock fails on %s", path);
	lab_path(l, path, sizeof path, "state.json");
	if (exclusive && access(path, F_OK) < 0)
		return s; /* init writes the first one */
	j = read_json(l, "state.json", e);
	r = j ? state_parse(j, s, e) : -1;
	json_free(j);
	if (r == 0)
		return s;
	state_end(s);
	return NULL;
}

void state_end(struct lab_state *s)
{
	if (s)
		close(s->lock);
	free(s);
}

int state_write(const struct lab *l, struct lab_state *s, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	s->version++;
	s->is.known = STATE_PARTS;
	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "version", s->version);
	json_put_int(&o, "cache_epoch", s->cache_epoch);
	put_wrong(&o, s->wrong);
	json_put_str(&o, "connector", s->connector);
	json_put_str(&o, "busy", s->busy[0] ? s->busy : "free");
	json_open(&o, "record_set", '[');
	for (size_t i = 0; i < s->is.n_records; i++)
		json_put_int(&o, NULL, s->record_set[i]);
	json_close(&o, ']');
	json_open(&o, "state", '{');
	wire_put_state(&o, &s->is, NULL);
	json_close(&o, '}');
	json_close(&o, '}');
	buf_char(&b, '\n');
	r = replace(l, "state.json", &b, e);
	buf_free(&b);
	state_end(s);
	return r;
}

/* ---- records and sites ---- */

struct host_record *state_record(struct lab_state *s, const char *endpoint)
{
	for (size_t i = 0; i < s->is.n_records; i++)
		if (strcmp(s->is.records[i].endpoint, endpoint) == 0)
			return &s->is.records[i];
	return NULL;
}

void state_put_record(struct lab_state *s, const struct host_record *r)
{
	struct host_record *at = state_record(s, r->endpoint);

	if (!at) {
		if (s->is.n_records == HOST_RECORDS)
			die("the lab has no room for more records");
		at = &s->is.records[s->is.n_records++];
		s->record_set[at - s->is.records] = 0;
	}
	*at = *r;
	s->record_set[at - s->is.records] = s->version + 1; /* never used before */
	if (r->port == 444)
		s->wrong &= ~(unsigned)WRONG_STALE;
}

void state_set_record(struct lab_state *s, const char *endpoint, const uint8_t thumbprint[20], const char *store)
{
	struct host_record r = {.flags = 0};
	const char *colon = strrchr(endpoint, ':');
	int64_t port = 0;

	if (!colon || !text_int(colon + 1, strlen(colon + 1), &port))
		die("an endpoint without a port: %s", endpoint);
	text_copy(r.endpoint, sizeof r.endpoint, endpoint);
	r.port = (uint16_t)port;
	memcpy(r.thumbprint, thumbprint, 20);
	text_copy(r.store, sizeof r.store, store);
	text_copy(r.appid, sizeof r.appid, LAB_APPID);
	state_put_record(s, &r);
}

void state_drop_record(struct lab_state *s, const char *endpoint)
{
	struct host_record *at = state_record(s, endpoint);
	size_t i, rest;

	if (!at)
		return;
	i = (size_t)(at - s->is.records);
	rest = s->is.n_records - i - 1;
	memmove(at, at + 1, rest * sizeof *at);
	memmove(&s->record_set[i], &s->record_set[i + 1], rest * sizeof s->record_set[0]);
	s->is.n_records--;
}

void state_restart_iis(struct lab_state *s)
{
	s->cache_epoch++;
	s->wrong &= ~(unsigned)(WRONG_STALE | WRONG_HOP);
}

struct host_site *state_site(struct lab_state *s, const char *name)
{
	for (size_t i = 0; i < s->is.n_sites; i++)
		if (strcmp(s->is.sites[i].name, name) == 0)
			return &s->is.sites[i];
	return NULL;
}

bool service_runs(const struct lab_state *s, const char *name)
{
	for (size_t i = 0; i < s->is.n_services; i++)
		if (strcmp(s->is.services[i].name, name) == 0)
			return s->is.services[i].running;
	return true;
}

const struct host_binding *binding_444(const struct host_site *site)
{
	for (size_t i = 0; i < site->n_bindings; i++)
		if (strcmp(site->bindings[i].protocol, "https") == 0 && strstr(site->bindings[i].information, ":444:"))
			return &site->bindings[i];
	return NULL;
}

bool site_serves_444(const struct lab_state *s)
{
	if (!service_runs(s, "W3SVC") || s->wrong & WRONG_REFUSE)
		return false;
	for (size_t i = 0; i < s->is.n_sites; i++)
		if (strcmp(s->is.sites[i].name, BACKEND_SITE) == 0 && s->is.sites[i].started && binding_444(&s->is.sites[i]))
			return true;
	return false;
}
