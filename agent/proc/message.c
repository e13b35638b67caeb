/* message.c - the channel between main and a role: framing, queues, ceilings.
 *
 * Why: roles trust each other as little as possible, so what they say has a type, a size and a ceiling. Promises: a message is taken
 * whole or not at all; a read never yields more than MESSAGE_MAX; a full queue is an answer, not a loss. Refuses: a wrong magic byte, a
 * type that does not exist, a body above the ceiling - the stream is then bad for good.
 *
 * On the wire, 8 bytes before each body: magic 0xE7, type, from, to, body length (32 bit, little endian). */
#include "proc/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/os.h"

#define HEAD 8
#define MAGIC 0xe7
#define QUEUE_MAX (4u << 20) /* bytes that wait for a slow role */
#define READ_CHUNK 65536

struct channel {
	int fd;
	struct buf in, out;
	size_t in_at, out_at; /* read and written so far */
	bool bad;
};

struct channel *channel_new(int fd)
{
	struct channel *c = xcalloc(1, sizeof *c);

	c->fd = fd;
	os_nonblocking(fd, true);
	buf_init(&c->in, MESSAGE_MAX + HEAD + READ_CHUNK);
	buf_init(&c->out, QUEUE_MAX + MESSAGE_MAX + HEAD);
	return c;
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

int channel_fd(const struct channel *c)
{
	return c->fd;
}

int channel_send(struct channel *c, uint8_t to, uint8_t from, uint8_t type, const void *body, size_t n, struct err *e)
{
	uint8_t head[HEAD] = { MAGIC, type, from, to, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) };

	if (n > MESSAGE_MAX)
		return err_set(e, ERR_INTERNAL, "a message of %zu bytes is above the ceiling of %u", n, MESSAGE_MAX);
	if (channel_queued(c) + HEAD + n > QUEUE_MAX)
		return err_set(e, ERR_IO, "the queue to a role is full");
	if (c->out_at) {
		buf_cut(&c->out, c->out_at);
		c->out_at = 0;
	}
	buf_add(&c->out, head, HEAD);
	if (n)
		buf_add(&c->out, body, n);
	return 0;
}

int channel_write(struct channel *c, struct err *e)
{
	while (c->out_at < c->out.n) {
		ssize_t did = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (did < 0)
			return err_set(e, ERR_IO, "the other end of a channel is gone");
		c->out_at += (size_t)did;
	}
	buf_reset(&c->out);
	c->out_at = 0;
	return 0;
}

int channel_read(struct channel *c, struct err *e)
{
	char chunk[READ_CHUNK];
	ssize_t got;

	if (c->bad)
		return err_set(e, ERR_INTERNAL, "the stream of a channel is bad");
	if (c->in_at) {
		buf_cut(&c->in, c->in_at);
		c->in_at = 0;
	}
	if (c->in.n > MESSAGE_MAX + HEAD)
		return 0; /* whole messages wait: the caller takes them first */
	do
		got = recv(c->fd, chunk, sizeof chunk, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (got <= 0)
		return 1; /* closed, or reset by its end */
	buf_add(&c->in, chunk, (size_t)got);
	return 0;
}

bool channel_next(struct channel *c, struct message *m, struct err *e)
{
	const uint8_t *p = (const uint8_t *)c->in.p + c->in_at;
	size_t have = c->in.n - c->in_at;
	uint32_t n;

	if (e)
		e->code = ERR_NONE;
	if (c->bad || have < HEAD)
		return false;
	n = (uint32_t)p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;
	if (p[0] != MAGIC || p[1] < MSG_STOP || p[1] >= MSG_TYPES || p[2] >= ROLES || p[3] >= ROLES || n > MESSAGE_MAX) {
		c->bad = true;
		err_set(e, ERR_INTERNAL, "bad framing: type %u, from %u, to %u, %u bytes", p[1], p[2], p[3], n);
		return false;
	}
	if (have < HEAD + n)
		return false;
	*m = (struct message){ .type = p[1], .from = p[2], .to = p[3], .n = n, .body = p + HEAD };
	c->in_at += HEAD + n;
	return true;
}

bool channel_wants_write(const struct channel *c)
{
	return c->out_at < c->out.n;
}

size_t channel_queued(const struct channel *c)
{
	return c->out.n - c->out_at;
}

/* Who may say what to whom; everything else ends the sender. */
static const struct {
	uint8_t from, to, type;
} allowed[] = {
	{ ROLE_WATCH, ROLE_SHIP, MSG_RECORD }, { ROLE_WATCH, ROLE_SHIP, MSG_COMMIT },
	{ ROLE_HEAL, ROLE_SHIP, MSG_RECORD }, { ROLE_HEAL, ROLE_SHIP, MSG_COMMIT },
	{ ROLE_SHIP, ROLE_WATCH, MSG_STORED }, { ROLE_SHIP, ROLE_HEAL, MSG_STORED },
	{ ROLE_WATCH, ROLE_HEAL, MSG_SUSPECT }, { ROLE_HEAL, ROLE_WATCH, MSG_SUSPECT_STORED },
	{ ROLE_HEAL, ROLE_WATCH, MSG_CASE_CLOSED }, { ROLE_HEAL, ROLE_WATCH, MSG_SILENCES },
	{ ROLE_WATCH, ROLE_MAIN, MSG_READY }, { ROLE_HEAL, ROLE_MAIN, MSG_READY }, { ROLE_SHIP, ROLE_MAIN, MSG_READY },
	{ ROLE_WATCH, ROLE_MAIN, MSG_FAILED }, { ROLE_HEAL, ROLE_MAIN, MSG_FAILED }, { ROLE_SHIP, ROLE_MAIN, MSG_FAILED },
};

bool message_allowed(uint8_t from, uint8_t to, uint8_t type)
{
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if (allowed[i].from == from && allowed[i].to == to && allowed[i].type == type)
			return true;
	return false;
}

const char *role_text(int role)
{
	static const char *const names[] = { "main", "watch", "heal", "ship" };

	return role >= 0 && role < ROLES ? names[role] : "?";
}

void message_u64(uint8_t to[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

uint64_t message_get_u64(const uint8_t from[8])
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | from[i];
	return v;
}

bool message_record(const struct message *m, struct spool_record *r)
{
	*r = (struct spool_record){ 0 };
	if (m->n < RECORD_HEAD + 2)
		return false;
	memcpy(r->uid, m->body, 32);
	r->kind = m->body[32];
	r->time = (int64_t)message_get_u64(m->body + 33);
	r->json = (const char *)m->body + RECORD_HEAD;
	r->n = m->n - RECORD_HEAD;
	return r->kind < RECORD_KINDS && r->json[0] == '{' && !memchr(r->json, '\n', r->n);
}

void message_record_head(uint8_t to[RECORD_HEAD], const uint8_t uid[32], int kind, int64_t when)
{
	memcpy(to, uid, 32);
	to[32] = (uint8_t)kind;
	message_u64(to + 33, (uint64_t)when);
}
