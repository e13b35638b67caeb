/* host_pipe.c - host.h spoken to a program over two pipes (docs/host-protocol.md).
 *
 * Exists so that whatever can carry two pipes can be a host: a lab, ssh, a script on the server. Promises that every call ends by
 * its deadline, and that a program that hangs, dies, lies about an id or talks nonsense is killed and its answer counts as
 * unknown (ERR_IO). A host that answers "no" is ERR_REFUSED: nothing was done there. Refuses another version of the protocol and
 * calls that the hello did not offer. */
#include "host/host_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "limits.h"

#define STDERR_KEPT 4096
#define READ_AT_ONCE 65536
#define HELLO_WAIT (10 * US_SECOND)

struct pipe_host {
	struct host base;
	const struct os_process_ops *process;
	char name[256];
	int pid, to, from, errors; /* -1: closed */
	struct buf in, kept;       /* kept: the last of what it said on standard error */
	struct buf out;
	int64_t id;
	unsigned can;
	bool dead;
	char why[256];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		os_file.close(*fd);
	*fd = -1;
}

/* The connection is over: what was asked for is unknown from now on. */
static void stop(struct pipe_host *p, const char *why)
{
	int status;

	if (p->dead)
		return;
	p->dead = true;
	text_copy(p->why, sizeof(p->why), why);
	close_fd(&p->to);
	close_fd(&p->from);
	close_fd(&p->errors);
	if (p->pid > 0) {
		(void)p->process->kill(p->pid, true);
		(void)p->process->wait(p->pid, true, &status);
	}
	p->pid = -1;
}

/* The last line of standard error, for the message: it often says what really happened. */
static const char *last_words(struct pipe_host *p, char to[static 200])
{
	const char *s = buf_text(&p->kept), *at;
	size_t n = p->kept.n;

	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	at = s + n;
	while (at > s && at[-1] != '\n' && s + n - at < 199)
		at--;
	memcpy(to, at, (size_t)(s + n - at));
	to[s + n - at] = '\0';
	return to;
}

static int broken(struct pipe_host *p, struct err *e, const char *why)
{
	char words[200];

	stop(p, why);
	last_words(p, words);
	return err_set(e, ERR_IO, "the host program of %s %s%s%s; what it was asked for counts as unknown", p->name, why,
		words[0] ? "; it said: " : "", words);
}

static int read_some(struct pipe_host *p, int fd, struct buf *to)
{
	char *chunk = xcalloc(1, READ_AT_ONCE);
	ssize_t got = os_file.read(fd, chunk, READ_AT_ONCE, -1);

	if (got > 0)
		buf_add(to, chunk, (size_t)got);
	free(chunk);
	if (to == &p->kept && to->n > STDERR_KEPT)
		buf_cut(to, to->n - STDERR_KEPT);
	return got == -EAGAIN || got == -EINTR ? 1 : got > 0 ? 1 : 0;
}

/* 0: what can be read was read; -1 and *e: the deadline, or the program is gone. */
static int wait_for(struct pipe_host *p, int64_t deadline, struct err *e)
{
	struct os_poll list[2] = {{.fd = p->from, .want_read = true}, {.fd = p->errors, .want_read = true}};
	int64_t left = deadline - clock_monotonic(p->base.clock);

	if (left <= 0)
		return broken(p, e, "did not answer by its deadline");
	if (p->process->wait_ready(list, 2, (int)(left / 1000 + 1)) < 0)
		return broken(p, e, "cannot be waited for");
	if (list[1].can_read && !read_some(p, p->errors, &p->kept))
		close_fd(&p->errors);
	if (list[0].can_read && !read_some(p, p->from, &p->in))
		return broken(p, e, "has ended");
	return 0;
}

/* One line as JSON; NULL and *e: it is none, or it did not come in time. */
static struct json *read_line(struct pipe_host *p, int64_t deadline, struct err *e)
{
	for (;;) {
		const char *end = p->in.n ? memchr(p->in.p, '\n', p->in.n) : NULL;
		struct json *j;
		struct err parse;

		if (p->in.refused || (end == NULL && p->in.n >= LIMIT_JSON_BYTES)) {
			(void)broken(p, e, "sent a line of more than 4 MB");
			return NULL;
		}
		if (end == NULL) {
			if (wait_for(p, deadline, e) < 0)
				return NULL;
			continue;
		}
		j = json_parse(p->in.p, (size_t)(end - p->in.p), &parse);
		buf_cut(&p->in, (size_t)(end - p->in.p) + 1);
		if (j == NULL || !json_is_object(j)) {
			json_free(j);
			(void)broken(p, e, "sent a line that is no JSON object");
			return NULL;
		}
		return j;
	}
}

static int send_line(struct pipe_host *p, struct err *e)
{
	struct os_poll can = {.fd = p->to, .want_write = true};

	/* One call at a time and calls are small, so the pipe has room; an error here is a program that has ended. */
	if (p->out.refused || p->process->wait_ready(&can, 1, 0) < 1 || can.hung_up || !can.can_write ||
	    os_file.write(p->to, p->out.p, p->out.n) < 0)
		return broken(p, e, "does not take calls any more");
	return 0;
}

/* The host said no. Only a timeout of its own leaves open what happened. */
static int said_no(struct pipe_host *p, const struct json *error, enum host_call call, struct err *e)
{
	enum wire_fault kind;
	const char *text = json_str(json_get(error, "text"), "");

	if (!wire_fault_parse(json_str(json_get(error, "kind"), ""), &kind))
		return broken(p, e, "answered with an error of no known kind");
	return err_set(e, kind == FAULT_TIMEOUT ? ERR_IO : ERR_REFUSED, "%s: %s: %s: %.300s", p->name, host_call_text(call),
		wire_fault_text(kind), text);
}

/* Sends what is in p->out and gives the answer: *ok is its member ok, in *tree, which the caller frees. */
static int talk(struct pipe_host *p, enum host_call call, int64_t deadline, struct json **tree, const struct json **ok,
	struct err *e)
{
	int r = -1;

	*tree = NULL;
	if (send_line(p, e) < 0)
		return -1;
	*tree = read_line(p, deadline, e);
	if (*tree == NULL)
		return -1;
	*ok = json_get(*tree, "ok");
	if (json_int(json_get(*tree, "id"), 0) != p->id)
		(void)broken(p, e, "answered another call than it was asked");
	else if (json_is_object(json_get(*tree, "error")))
		(void)said_no(p, json_get(*tree, "error"), call, e);
	else if (!json_is_object(*ok))
		(void)broken(p, e, "answered without 'ok' and without 'error'");
	else
		r = 0;
	if (r < 0) {
		json_free(*tree);
		*tree = NULL;
	}
	return r;
}

static struct pipe_host *begin(struct host *h, enum host_call call, int64_t deadline, struct json_out *o, struct err *e)
{
	struct pipe_host *p = (struct pipe_host *)h;
	int64_t left = (deadline - clock_monotonic(h->clock)) / 1000;

	if (p->dead) {
		(void)err_set(e, ERR_IO, "the host program of %s %s", p->name, p->why);
		return NULL;
	}
	if (!(p->can & 1u << call)) {
		(void)err_set(e, ERR_REFUSED, "the host program of %s does not offer the call '%s'", p->name, host_call_text(call));
		return NULL;
	}
	if (left <= 0) {
		(void)err_set(e, ERR_IO, "no time is left for the call '%s' to %s", host_call_text(call), p->name);
		return NULL;
	}
	buf_reset(&p->out);
	wire_call_begin(o, &p->out, ++p->id, call, left);
	return p;
}

/* An answer that does not say what it should is nonsense: nothing that this program says is believed any more. */
static int end(struct pipe_host *p, struct json *tree, int r, struct err *e)
{
	json_free(tree);
	if (r < 0)
		stop(p, "gave an answer that makes no sense");
	return r < 0 ? err_prefix(e, "the host program of %s gave an answer that makes no sense", p->name) : 0;
}

static int pipe_identity(struct host *h, struct host_identity *to, int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, CALL_IDENTITY, deadline, &o, e);

	if (p == NULL)
		return -1;
	wire_call_end(&o);
	if (talk(p, CALL_IDENTITY, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, wire_get_identity(ok, to, e), e);
}

static int pipe_observe(struct host *h, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, CALL_OBSERVE, deadline, &o, e);

	if (p == NULL)
		return -1;
	wire_put_parts(&o, parts);
	wire_call_end(&o);
	if (talk(p, CALL_OBSERVE, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, wire_get_state(ok, parts, to, e), e);
}

static int pipe_busy(struct host *h, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, CALL_BUSY, deadline, &o, e);

	if (p == NULL)
		return -1;
	wire_call_end(&o);
	if (talk(p, CALL_BUSY, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, wire_get_busy(ok, to, what, e), e);
}

static int pipe_probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, CALL_PROBE, deadline, &o, e);

	if (p == NULL)
		return -1;
	wire_put_ask(&o, ask);
	wire_call_end(&o);
	if (talk(p, CALL_PROBE, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, wire_get_probe(ok, to, e), e);
}

static int act(struct host *h, enum host_call call, const struct host_step *step, const struct host_step_result *was,
	struct host_step_result *to, int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, call, deadline, &o, e);

	if (p == NULL)
		return -1;
	wire_put_step(&o, "step", step);
	if (was != NULL) {
		json_open(&o, "was", '{');
		wire_put_step_result(&o, was);
		json_close(&o, '}');
	}
	wire_call_end(&o);
	if (talk(p, call, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, wire_get_step_result(ok, to, e), e);
}

/* The step behind binds what was created by its thumbprint. */
static int pipe_apply(struct host *h, const struct host_step *step, struct host_step_result *to, int64_t deadline, struct err *e)
{
	static const uint8_t none[20];

	if (act(h, CALL_APPLY, step, NULL, to, deadline, e) < 0)
		return -1;
	if (step->kind == STEP_CERT_CREATE && memcmp(to->thumbprint, none, 20) == 0)
		return err_set(e, ERR_IO, "the answer to cert_create has no 'thumbprint': which certificate was created is not known");
	return 0;
}

static int pipe_undo(struct host *h, const struct host_step *step, const struct host_step_result *was, int64_t deadline,
	struct err *e)
{
	struct host_step_result ignored;

	return act(h, CALL_UNDO, step, was, &ignored, deadline, e);
}

static int pipe_lock(struct host *h, const char *who, int64_t deadline, struct err *e)
{
	const struct json *ok;
	struct json *tree;
	struct json_out o;
	struct pipe_host *p = begin(h, CALL_LOCK, deadline, &o, e);

	if (p == NULL)
		return -1;
	json_put_str(&o, "who", who);
	wire_call_end(&o);
	if (talk(p, CALL_LOCK, deadline, &tree, &ok, e) < 0)
		return -1;
	return end(p, tree, 0, e);
}

/* The end of its input ends the program; one that does not go within a second is killed. */
static void pipe_close(struct host *h)
{
	struct pipe_host *p = (struct pipe_host *)h;
	int status;

	close_fd(&p->to);
	for (int i = 0; p->pid > 0 && i < 100; i++) {
		if (p->process->wait(p->pid, false, &status) != 0)
			p->pid = -1;
		else
			clock_sleep(h->clock, 10000);
	}
	stop(p, "was closed");
	buf_free(&p->in);
	buf_free(&p->out);
	buf_free(&p->kept);
	free(p);
}

static const struct host_ops pipe_ops = {
	.identity = pipe_identity,
	.observe = pipe_observe,
	.busy = pipe_busy,
	.probe = pipe_probe,
	.apply = pipe_apply,
	.undo = pipe_undo,
	.lock = pipe_lock,
	.close = pipe_close,
};

static int start(struct pipe_host *p, char *const *command, struct err *e)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, code;
	char words[96];

	code = p->process->pipe(in);
	if (code >= 0)
		code = p->process->pipe(out);
	if (code >= 0)
		code = p->process->pipe(errors);
	if (code >= 0) {
		struct os_spawn how = {.argv = command, .in = in[0], .out = out[1], .errout = errors[1], .channel = -1};

		code = p->process->spawn(&how);
	}
	close_fd(&in[0]);
	close_fd(&out[1]);
	close_fd(&errors[1]);
	p->to = in[1];
	p->from = out[0];
	p->errors = errors[0];
	if (code < 0)
		return err_set(e, ERR_IO, "the host program '%s' cannot be started: %s", command[0], err_os(code, words));
	p->pid = code;
	return 0;
}

static int greet(struct pipe_host *p, int64_t deadline, struct err *e)
{
	int64_t latest = clock_monotonic(p->base.clock) + HELLO_WAIT;
	struct wire_hello hello;
	struct json *j = read_line(p, deadline < latest ? deadline : latest, e);
	int r;

	if (j == NULL)
		return err_prefix(e, "waiting for its hello");
	r = wire_get_hello(j, &hello, e);
	json_free(j);
	if (r == 0 && hello.version != WIRE_VERSION)
		r = err_set(e, ERR_IO, "the host program of %s speaks version %lld of the protocol; this evmend speaks %d", p->name,
			(long long)hello.version, WIRE_VERSION);
	p->can = hello.can;
	return r;
}

struct host *host_pipe_open(const struct host_config *config, const struct os_process_ops *process, const struct clock *clock,
	int64_t deadline, struct err *e)
{
	struct pipe_host *p;

	if (config->command == NULL || config->command[0] == NULL) {
		(void)err_set(e, ERR_USAGE, "the host %s has no command: 'access: pipe' needs one", config->name);
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->base.ops = &pipe_ops;
	p->base.clock = clock;
	p->base.config = config;
	p->process = process;
	p->pid = p->to = p->from = p->errors = -1;
	text_copy(p->name, sizeof(p->name), config->name);
	buf_init(&p->in, LIMIT_JSON_BYTES + READ_AT_ONCE);
	buf_init(&p->out, LIMIT_JSON_BYTES);
	buf_init(&p->kept, STDERR_KEPT + READ_AT_ONCE);
	if (start(p, config->command, e) < 0 || greet(p, deadline, e) < 0) {
		stop(p, "was not started");
		pipe_close(&p->base);
		return NULL;
	}
	return &p->base;
}
