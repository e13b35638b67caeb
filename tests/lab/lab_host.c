/* lab_host.c - the lab answers docs/host-protocol.md on its standard input and output, as the program on a real server would.
 *
 * Probes are real handshakes with the server's ports. With a fault ("KIND:N" or "KIND:CALL:N") the n-th call (of that name) goes
 * wrong on purpose: that is how the agent is tested against hosts that fail, hang, die, lie or talk nonsense. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "lab/lab.h"

#define LINE_BYTES (4u << 20)

/* What happens to the server by somebody else, right after a call. */
struct meanwhile {
	char fault[128]; /* "": nothing */
	enum host_call call;
	int64_t nth, count;
};

enum sabotage { S_NONE, S_FAIL, S_DELAY, S_LIE, S_HALF, S_HANG, S_DIE, S_DIE_AFTER, S_NONSENSE };

static const char *const sabotages[] = {"none", "fail", "delay", "lie", "half", "hang", "die", "die-after", "nonsense", NULL};

struct answerer {
	const struct lab *lab;
	enum sabotage kind;
	bool one_call;       /* counts only calls of this name */
	enum host_call only;
	int64_t nth, count;
	int lock;            /* descriptor of host.lock, -1 */
	bool lying;          /* this call */
	bool halving;
	unsigned no_parts, no_calls; /* what is not answered: sets of enum host_part, of 1 << enum host_call */
	struct meanwhile meanwhile;
	struct buf out;
};

/* "KIND:N", "KIND:CALL:N" */
static int parse_fault(struct answerer *a, const char *text, struct err *e)
{
	char word[40];
	const char *colon = strchr(text, ':'), *last = strrchr(text, ':');
	size_t kind_n = colon ? (size_t)(colon - text) : strlen(text);

	for (int i = 0; sabotages[i]; i++)
		if (strlen(sabotages[i]) == kind_n && strncmp(sabotages[i], text, kind_n) == 0)
			a->kind = (enum sabotage)i;
	if (a->kind == S_NONE)
		return err_set(e, ERR_USAGE, "--fault must be fail, delay, lie, half, hang, die, die-after or nonsense, then :N or :CALL:N");
	if (!colon || !text_int(last + 1, strlen(last + 1), &a->nth) || a->nth < 1)
		return err_set(e, ERR_USAGE, "--fault needs the number of the call, such as fail:3 or fail:apply:1");
	if (colon == last)
		return 0;
	text_copy(word, (size_t)(last - colon) < sizeof word ? (size_t)(last - colon) : sizeof word, colon + 1);
	a->one_call = true;
	return host_call_parse(word, &a->only) ? 0 : err_set(e, ERR_USAGE, "--fault: there is no call '%s'", word);
}

/* Which calls count: those named; else all that can go wrong in that way (only acts and probes can lie, only acts do half). */
static bool counts(const struct answerer *a, enum host_call c)
{
	if (a->one_call)
		return c == a->only;
	if (a->kind == S_LIE)
		return c == CALL_APPLY || c == CALL_UNDO || c == CALL_PROBE;
	if (a->kind == S_HALF)
		return c == CALL_APPLY || c == CALL_UNDO;
	return true;
}

/* ---- the calls ---- */

static int say_identity(struct answerer *a, struct json_out *o)
{
	const struct lab *l = a->lab;
	struct lab_state *s = state_begin(l, false, NULL);
	struct host_identity i = {.exchange = s && !(s->wrong & WRONG_NO_EXCHANGE), .lab = true, .backend_port = l->backend_port,
		.frontend_port = l->frontend_port};

	text_copy(i.netbios, sizeof i.netbios, l->name);
	text_copy(i.fqdn, sizeof i.fqdn, l->fqdn);
	text_copy(i.addresses[i.n_addresses++], sizeof i.addresses[0], "127.0.0.1");
	if (l->ipv6 && !a->halving)
		text_copy(i.addresses[i.n_addresses++], sizeof i.addresses[0], "::1");
	state_end(s);
	if (a->lying) /* another server answers under this one's name */
		snprintf(i.fqdn, sizeof i.fqdn, "impostor.%.200s", l->domain);
	text_copy(i.version, sizeof i.version, "15.2.1544.4 (evmend LAB)");
	wire_put_identity(o, &i);
	return 0;
}

/* A host that claims that all runs, and that all keys are there. */
static void lie_about_state(struct host_state *s)
{
	for (size_t i = 0; i < s->n_sites; i++)
		s->sites[i].started = true;
	for (size_t i = 0; i < s->n_services; i++)
		s->services[i].running = true;
	for (size_t i = 0; i < s->n_pools; i++)
		s->pools[i].running = true;
	for (size_t i = 0; i < s->n_certs; i++)
		s->certs[i].has_key = s->certs[i].key_opens = s->certs[i].key_matches = TRI_YES;
}

static int say_state(struct answerer *a, const struct json *args, struct json_out *o, int *kind, struct err *e)
{
	struct lab_state *s;
	struct store_cert *all = NULL;
	const char *pem[HOST_CERTS];
	unsigned parts;

	*kind = FAULT_BAD_CALL;
	if (wire_get_parts(args, &parts, e) < 0)
		return -1;
	*kind = FAULT_FAILED;
	s = state_begin(a->lab, false, e);
	if (!s)
		return -1;
	if (parts & HOST_PART_CERTS) {
		s->is.n_certs = store_list(a->lab, NULL, &all);
		for (size_t i = 0; i < s->is.n_certs; i++) {
			s->is.certs[i] = all[i].cert;
			pem[i] = all[i].pem;
		}
		s->is.known |= HOST_PART_CERTS;
	}
	s->is.known &= parts & ~a->no_parts;
	if (a->halving) /* the tables and not the rest: an answer that broke off */
		s->is.known &= HOST_PART_RECORDS | HOST_PART_CERTS;
	if (a->lying)
		lie_about_state(&s->is);
	wire_put_state(o, &s->is, pem);
	store_free(all, s->is.n_certs);
	state_end(s);
	return 0;
}

static int say_busy(struct answerer *a, struct json_out *o, struct err *e)
{
	static const enum host_busy all[] = {HOST_FREE, HOST_MAINTENANCE, HOST_INSTALLING, HOST_RECOVERING, HOST_REBOOT_PENDING};
	struct lab_state *s = state_begin(a->lab, false, e);
	enum host_busy b = HOST_FREE;

	if (!s)
		return -1;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(host_busy_text(all[i]), s->busy) == 0)
			b = all[i];
	if (a->lying)
		b = HOST_FREE;
	wire_put_busy(o, b, b == HOST_FREE ? "the lab has nothing else to do" : "the lab was told to say so");
	state_end(s);
	return 0;
}

/* The lab's own file "hosts", lines of ADDRESS NAME, as Windows has one; whom it does not name is on this machine. */
static void resolve_lab(const struct lab *l, const char *name, char *to, size_t n)
{
	char path[4096];
	struct buf b;

	text_copy(to, n, "127.0.0.1");
	lab_path(l, path, sizeof path, "hosts");
	buf_init(&b, 64u << 10);
	lab_read(path, &b);
	for (const char *at = buf_text(&b); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t line = strcspn(at, "\n"), address = strcspn(at, " \n");

		if (address < line && text_same_n(at + address + 1, line - address - 1, name, strlen(name)))
			text_copy(to, address < n ? address + 1 : n, at);
	}
	buf_free(&b);
}

int lab_probe(const struct lab *l, const struct host_probe_ask *ask, int timeout_ms, struct probe_result *to, struct err *e)
{
	struct probe_target t = {.version = ask->version, .timeout_ms = timeout_ms};

	if (text_same(ask->address, l->fqdn) ||
	    (ask->port && text_host_ok(ask->address) && strspn(ask->address, "0123456789.") != strlen(ask->address))) {
		resolve_lab(l, ask->address, t.address, sizeof t.address); /* by name: this lab, or another one of the same organisation */
	} else {
		if (strcmp(ask->address, "127.0.0.1") != 0 && (!l->ipv6 || strcmp(ask->address, "::1") != 0))
			return err_set(e, ERR_IO, "the lab answers on loopback only, not on '%.60s'", ask->address);
		text_copy(t.address, sizeof t.address, ask->address);
	}
	text_copy(t.sni, sizeof t.sni, t.address[0] && strcmp(t.address, ask->address) != 0 ? ask->address : l->fqdn);
	text_copy(t.path, sizeof t.path, ask->path[0] || ask->kind != HOST_PROBE_HOP ? ask->path : HEALTH_PATH);
	t.port = ask->port ? ask->port : ask->kind == HOST_PROBE_BACKEND ? l->backend_port :
		strcmp(ask->address, "127.0.0.1") == 0 ? l->local_port : l->frontend_port;
	tls_probe(&t, &l->clock, to);
	return 0;
}

/* A host that claims that all is well. */
static void lie_about_probe(const struct lab *l, struct probe_result *r)
{
	r->tcp = TCP_OK;
	r->tls = TLS_OK;
	r->http_status = 200;
	text_copy(r->tls_version, sizeof r->tls_version, "TLSv1.2");
	snprintf(r->answer_header, sizeof r->answer_header, "X-BEServer: %s", l->name);
}

static int say_probe(struct answerer *a, const struct json *args, int64_t deadline_ms, struct json_out *o, int *kind, struct err *e)
{
	struct probe_result *r = xcalloc(1, sizeof *r);
	struct host_probe_ask ask;
	int timeout = (int)(deadline_ms / 3 < 5000 ? deadline_ms / 3 : 5000), ok;

	*kind = FAULT_BAD_CALL;
	ok = wire_get_ask(args, &ask, e) == 0 && lab_probe(a->lab, &ask, timeout > 100 ? timeout : 100, r, e) == 0;
	if (ok && a->lying)
		lie_about_probe(a->lab, r);
	if (ok && a->halving) { /* the connection broke off behind the handshake */
		r->http_status = 0;
		r->answer_header[0] = '\0';
	}
	if (ok)
		wire_put_probe(o, r, r->has_leaf ? r->leaf_pem : NULL);
	free(r);
	return ok ? 0 : -1;
}

/* Half of a step: the old record goes and the new one does not come; other steps are done, and reported as failed. */
static int do_half(struct answerer *a, const struct host_step *s, struct host_step_result *r, int *kind, struct err *e)
{
	struct host_step part = *s;

	if (part.kind == STEP_RECORD_SET)
		part.kind = STEP_RECORD_REMOVE;
	if (lab_apply(a->lab, &part, r, kind, e) < 0)
		return -1;
	*kind = FAULT_FAILED;
	return err_set(e, ERR_IO, "the step broke off half way (the lab was told to)");
}

static int say_step(struct answerer *a, enum host_call call, const struct json *args, struct json_out *o, int *kind, struct err *e)
{
	struct host_step *s = xcalloc(1, sizeof *s);
	struct host_step_result was, r;
	int ok;

	memset(&r, 0, sizeof r);
	*kind = FAULT_BAD_CALL;
	ok = wire_get_step(json_get(args, "step"), s, e);
	if (ok == 0 && call == CALL_UNDO)
		ok = wire_get_step_result(json_get(args, "was"), &was, e);
	if (ok == 0 && a->lying) {
		r.did = true;
		memcpy(r.thumbprint, s->thumbprint, 20);
		text_copy(r.detail, sizeof r.detail, "done");
	} else if (ok == 0 && a->halving) {
		ok = do_half(a, s, &r, kind, e);
	} else if (ok == 0) {
		ok = call == CALL_APPLY ? lab_apply(a->lab, s, &r, kind, e) : lab_undo(a->lab, s, &was, &r, kind, e);
	}
	if (ok == 0)
		wire_put_step_result(o, &r);
	free(s);
	return ok;
}

static int take_lock(struct answerer *a, const struct json *args, int *kind, struct err *e)
{
	char path[4096];
	struct buf b;
	const char *who = json_str(json_get(args, "who"), "somebody");

	if (a->lock >= 0 || a->lying)
		return 0;
	lab_path(a->lab, path, sizeof path, "host.lock");
	a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock >= 0 && flock(a->lock, LOCK_EX | LOCK_NB) == 0) {
		if (ftruncate(a->lock, 0) < 0 || write(a->lock, who, strlen(who)) < 0)
			die("%s cannot be written", path);
		return 0;
	}
	if (a->lock >= 0)
		close(a->lock);
	a->lock = -1;
	buf_init(&b, 4096);
	lab_read(path, &b);
	*kind = FAULT_BUSY;
	err_set(e, ERR_REFUSED, "%s holds the lock of this server", b.n ? buf_text(&b) : "somebody");
	buf_free(&b);
	return -1;
}

static int answer_call(struct answerer *a, enum host_call call, const struct json *args, int64_t deadline_ms, struct json_out *o,
	int *kind, struct err *e)
{
	*kind = FAULT_FAILED;
	switch (call) {
	case CALL_IDENTITY:
		return say_identity(a, o);
	case CALL_OBSERVE:
		return say_state(a, args, o, kind, e);
	case CALL_BUSY:
		return say_busy(a, o, e);
	case CALL_PROBE:
		return say_probe(a, args, deadline_ms, o, kind, e);
	case CALL_APPLY:
	case CALL_UNDO:
		return say_step(a, call, args, o, kind, e);
	case CALL_LOCK:
		return take_lock(a, args, kind, e);
	case HOST_CALLS:
		break;
	}
	*kind = FAULT_UNSUPPORTED;
	return err_set(e, ERR_IO, "this call is not known");
}

/* ---- going wrong on purpose, and the loop ---- */

static void send_out(struct answerer *a)
{
	if (fwrite(a->out.p, 1, a->out.n, stdout) != a->out.n || fflush(stdout) != 0)
		_exit(0); /* nobody listens any more */
	buf_reset(&a->out);
}

/* What happens before the call is carried out. false: no answer is to be given in the usual way. */
static bool before(struct answerer *a, int64_t id, int64_t deadline_ms)
{
	switch (a->kind) {
	case S_FAIL:
		wire_answer_error(&a->out, id, FAULT_FAILED, "the lab was told to fail here");
		return false;
	case S_HANG:
		while (fgetc(stdin) != EOF) /* as long as anybody is there */
			;
		_exit(0);
	case S_DIE:
		fprintf(stderr, "evmend-lab host: told to die here\n");
		_exit(1);
	case S_NONSENSE:
		buf_str(&a->out, "<html><body>503 nonsense</body></html>\n");
		return false;
	case S_DELAY:
		clock_sleep(&a->lab->clock, (deadline_ms + 500) * 1000);
		return true;
	case S_LIE:
		a->lying = true;
		return true;
	case S_HALF:
		a->halving = true;
		return true;
	case S_NONE:
	case S_DIE_AFTER:
		break;
	}
	return true;
}

/* Somebody else does something, before the answer to this call is sent. */
static void mind_meanwhile(struct answerer *a, enum host_call call)
{
	struct meanwhile *m = &a->meanwhile;
	struct err e = {.code = ERR_NONE};

	if (!m->fault[0] || m->call != call || ++m->count != m->nth)
		return;
	if (lab_break(a->lab, m->fault, false, false, &e) < 0)
		fprintf(stderr, "evmend-lab host: %s\n", e.text);
}

static void take_call(struct answerer *a, const char *line, size_t n)
{
	struct json_out o;
	struct err e = {.code = ERR_NONE};
	struct json *j = json_parse(line, n, &e);
	const struct json *args;
	enum host_call call;
	int64_t id = 0, deadline_ms;
	bool now;
	int kind;

	if (!j || wire_get_call(j, &id, &call, &deadline_ms, &args, &e) < 0) {
		wire_answer_error(&a->out, id, FAULT_BAD_CALL, e.text);
		json_free(j);
		return;
	}
	now = a->kind != S_NONE && counts(a, call) && ++a->count == a->nth;
	a->lying = a->halving = false;
	if (!now || before(a, id, deadline_ms)) {
		wire_answer_begin(&o, &a->out, id);
		if (answer_call(a, call, args, deadline_ms, &o, &kind, &e) == 0) {
			wire_answer_end(&o);
		} else {
			buf_reset(&a->out);
			wire_answer_error(&a->out, id, (enum wire_fault)kind, e.text);
		}
		if (now && a->kind == S_DIE_AFTER)
			_exit(1);
	}
	json_free(j);
	mind_meanwhile(a, call);
}

static void say_hello(struct answerer *a)
{
	struct wire_hello h = {.version = WIRE_VERSION, .lab = true, .can = ((1u << HOST_CALLS) - 1) & ~a->no_calls};
	struct json_out o;

	text_copy(h.agent, sizeof h.agent, "evmend-lab " LAB_VERSION " (LAB, not a real server)");
	json_begin(&o, &a->out);
	json_open(&o, NULL, '{');
	wire_put_hello(&o, &h);
	json_close(&o, '}');
	buf_char(&a->out, '\n');
	send_out(a);
}

/* "CALL:N:FAULT" */
static int parse_meanwhile(struct meanwhile *m, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':'), *last = colon ? strchr(colon + 1, ':') : NULL;
	char word[40];

	if (!last || (size_t)(colon - text) >= sizeof word || !text_int(colon + 1, (size_t)(last - colon - 1), &m->nth) || m->nth < 1 ||
	    !last[1] || strlen(last + 1) >= sizeof m->fault)
		return err_set(e, ERR_USAGE, "--meanwhile must be CALL:N:FAULT, such as apply:2:stop-site");
	text_copy(word, (size_t)(colon - text) + 1, text);
	text_copy(m->fault, sizeof m->fault, last + 1);
	return host_call_parse(word, &m->call) ? 0 : err_set(e, ERR_USAGE, "--meanwhile: there is no call '%s'", word);
}

/* "sites,pools,probe": parts of observe and names of calls. */
static int parse_without(struct answerer *a, const char *text, struct err *e)
{
	static const char *const parts[] = {"records", "certs", "sites", "services", "settings", "itc", "boot", "pools"};

	for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t n = strcspn(at, ","), i = 0;
		char word[40];
		enum host_call c;

		text_copy(word, n < sizeof word ? n + 1 : sizeof word, at);
		while (i < sizeof parts / sizeof parts[0] && strcmp(parts[i], word) != 0)
			i++;
		if (i < sizeof parts / sizeof parts[0])
			a->no_parts |= 1u << i;
		else if (host_call_parse(word, &c))
			a->no_calls |= 1u << c;
		else
			return err_set(e, ERR_USAGE, "--without: '%s' is neither a part nor a call", word);
	}
	return 0;
}

int lab_host(const struct lab *l, const struct lab_host_options *options, struct err *e)
{
	struct answerer a = {.lab = l, .lock = -1};
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (options->fault && parse_fault(&a, options->fault, e) < 0)
		return -1;
	if (options->without && parse_without(&a, options->without, e) < 0)
		return -1;
	if (options->meanwhile && parse_meanwhile(&a.meanwhile, options->meanwhile, e) < 0)
		return -1;
	buf_init(&a.out, 2 * LINE_BYTES);
	say_hello(&a);
	while ((n = getline(&line, &size, stdin)) > 0) {
		take_call(&a, line, (size_t)n);
		send_out(&a);
	}
	free(line);
	buf_free(&a.out);
	if (a.lock >= 0)
		close(a.lock);
	return 0;
}
