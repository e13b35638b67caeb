/* control.c - both ends of the control socket.
 *
 * Why: a person talks to the running agent without stopping it. Promises: only the agent's own user and root are heard, whatever the mode
 * of the socket; a peer that is slow or silent holds nobody up. Refuses: lines above the ceiling, other versions, more than
 * CONTROL_PEERS at a time. */
#include "proc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define ANSWER_BYTES (1u << 20)

struct peer {
	int fd; /* -1: free */
	struct os_peer who;
	struct buf in, out;
	size_t out_at;
};

struct control {
	int fd;
	char *path;
	const struct os_control_ops *ops;
	control_answer *answer;
	void *arg;
	struct peer peers[CONTROL_PEERS];
};

struct control *control_open(const char *path, const struct os_control_ops *ops, control_answer *answer, void *arg, struct err *e)
{
	char why[96];
	int fd = ops->listen(path);
	struct control *c;

	if (fd < 0) {
		err_set(e, ERR_IO, "the control socket %s cannot be made: %s%s", path, err_os(fd, why),
			fd == -ENAMETOOLONG ? "; give state_dir a shorter path" : "");
		return NULL;
	}
	c = xcalloc(1, sizeof *c);
	c->fd = fd;
	c->path = xstrdup(path);
	c->ops = ops;
	c->answer = answer;
	c->arg = arg;
	for (size_t i = 0; i < CONTROL_PEERS; i++) {
		c->peers[i].fd = -1;
		buf_init(&c->peers[i].in, CONTROL_LINE);
		buf_init(&c->peers[i].out, ANSWER_BYTES);
	}
	return c;
}

static void end_peer(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	buf_free(&p->in);
	buf_free(&p->out);
	p->out_at = 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONTROL_PEERS; i++)
		end_peer(&c->peers[i]);
	close(c->fd);
	os_file_remove(c->path);
	free(c->path);
	free(c);
}

size_t control_wait(const struct control *c, struct os_poll *to, size_t n)
{
	size_t k = 0;

	if (!c || !n)
		return 0;
	to[k++] = (struct os_poll){ .fd = c->fd, .want_read = true };
	for (size_t i = 0; i < CONTROL_PEERS && k < n; i++)
		if (c->peers[i].fd >= 0)
			to[k++] = (struct os_poll){ .fd = c->peers[i].fd, .want_read = true, .want_write = c->peers[i].out_at < c->peers[i].out.n };
	return k;
}

static void accept_all(struct control *c)
{
	int fd;

	while ((fd = c->ops->accept(c->fd)) >= 0) {
		struct peer *p = NULL;
		struct os_peer who;

		for (size_t i = 0; i < CONTROL_PEERS && !p; i++)
			if (c->peers[i].fd < 0)
				p = &c->peers[i];
		if (!p || c->ops->peer(fd, &who) < 0 || (who.uid != 0 && who.uid != os_uid())) {
			close(fd);
			continue;
		}
		p->fd = fd;
		p->who = who;
	}
}

static void answer_line(struct control *c, struct peer *p, const char *line, size_t n)
{
	struct err e = { 0 };
	struct json *q = json_parse(line, n, &e);
	size_t before = p->out.n;
	struct json_out o;
	int did = -1;

	json_begin(&o, &p->out);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_bool(&o, "ok", true);
	if (!q)
		err_prefix(&e, "the question is no JSON object");
	else if (json_int(json_get(q, "v"), 0) != 1)
		err_set(&e, ERR_USAGE, "the control socket speaks version 1");
	else
		did = c->answer(c->arg, &p->who, q, &o, &e);
	if (did < 0) {
		p->out.n = before;
		json_begin(&o, &p->out);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_bool(&o, "ok", false);
		json_put_int(&o, "code", e.code ? (int)e.code : ERR_INTERNAL);
		json_put_str(&o, "text", e.text);
	}
	json_close(&o, '}');
	buf_char(&p->out, '\n');
	json_free(q);
}

static void serve(struct control *c, struct peer *p)
{
	char chunk[4096];
	ssize_t got;

	while ((got = read(p->fd, chunk, sizeof chunk)) > 0) {
		buf_add(&p->in, chunk, (size_t)got);
		if (p->in.refused) {
			end_peer(p);
			return;
		}
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		end_peer(p);
		return;
	}
	for (const char *nl; p->in.n && (nl = memchr(p->in.p, '\n', p->in.n));) {
		size_t n = (size_t)(nl - p->in.p);

		answer_line(c, p, p->in.p, n);
		buf_cut(&p->in, n + 1);
	}
	while (p->out_at < p->out.n) {
		got = write(p->fd, p->out.p + p->out_at, p->out.n - p->out_at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			if (errno != EAGAIN)
				end_peer(p);
			return;
		}
		p->out_at += (size_t)got;
	}
	buf_reset(&p->out);
	p->out_at = 0;
}

void control_run(struct control *c)
{
	if (!c)
		return;
	accept_all(c);
	for (size_t i = 0; i < CONTROL_PEERS; i++)
		if (c->peers[i].fd >= 0)
			serve(c, &c->peers[i]);
}

/* Reads one line; -1 at the end, at the ceiling, or behind the deadline. */
static int read_line(int fd, int64_t until, const struct clock *clock, struct buf *line)
{
	while (!line->refused) {
		int64_t left = until - clock_monotonic(clock);
		struct os_poll p = { .fd = fd, .want_read = true };
		char chunk[4096];
		ssize_t got;

		if (left <= 0)
			return -1;
		if (os_process.wait_ready(&p, 1, (int)(left / 1000) + 1) <= 0)
			continue;
		got = read(fd, chunk, sizeof chunk);
		if (got <= 0)
			return -1;
		buf_add(line, chunk, (size_t)got);
		if (line->p[line->n - 1] == '\n')
			return 0;
	}
	return -1;
}

int control_ask(const char *state_dir, const struct buf *question, int64_t timeout, const struct clock *clock, struct json **to, struct err *e)
{
	struct buf b;
	int fd, did = -1;

	buf_init(&b, ANSWER_BYTES);
	buf_printf(&b, "%s/%s", state_dir, CONTROL_NAME);
	fd = os_control.connect(buf_text(&b));
	if (fd < 0) {
		buf_free(&b);
		return fd == -ENOENT || fd == -ECONNREFUSED ? 0 : err_set(e, ERR_IO, "the agent's control socket in %s cannot be used (%d)", state_dir, -fd);
	}
	buf_reset(&b);
	buf_str(&b, "{\"v\":1,");
	buf_add(&b, question->p, question->n);
	buf_str(&b, "}\n");
	if (os_file.write(fd, b.p, b.n) < 0) {
		err_set(e, ERR_IO, "the agent on %s has closed the connection; may you talk to it? Its own user and root may", state_dir);
	} else {
		buf_reset(&b);
		if (read_line(fd, clock_monotonic(clock) + timeout, clock, &b) < 0)
			err_set(e, ERR_IO, "the agent on %s does not answer; it takes its own user and root, and may be in a step of a repair", state_dir);
		else if ((*to = json_parse(b.p, b.n, e)))
			did = 1;
	}
	if (did == 1) {
		e->code = ERR_NONE;
		if (!json_bool(json_get(*to, "ok"), false))
			err_set(e, (enum err_code)json_int(json_get(*to, "code"), ERR_INTERNAL), "%s", json_str(json_get(*to, "text"), "refused"));
	}
	os_file.close(fd);
	buf_free(&b);
	return did;
}
