/* sink_webhook.c - one record a request, to a chat or to a program of somebody's own.
 *
 * Why: people read chats, and small programs take one JSON object. Promises: records go out in their order, one at a time; with a key each
 * request is signed together with its time, so that the receiver can tell ours from others' and a new one from one that is played again; the
 * address, which opens the chat to whoever has it, reaches no log, status or error. Refuses: a page of some other server as an answer of a chat.
 * Sources: Slack, "Sending messages using incoming webhooks" (errors); Microsoft, "Create incoming webhooks"; RFC 2104. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ship/formats.h"
#include "ship/http_batch.h"
#include "ship/sink_kinds.h"
#include "tls/digest.h"

#define RECORD_BYTES (1 << 20)

static int check_url(const struct sink_config *c, const char *url, struct err *e)
{
	const char *file = c->webhook.url_file;

	if ((!text_starts(url, "https://") && !text_starts(url, "http://")) || strpbrk(url, " \t"))
		return err_set(e, ERR_USAGE, "sink %s: %s must hold one address without blanks that begins with https:// or http://", c->name, file);
	if (text_url_user(url))
		return err_set(e, ERR_USAGE, "sink %s: the address in %s must not hold a user or a password", c->name, file);
	if (c->tls.on && text_starts(url, "http://")) /* who writes tls means it */
		return err_set(e, ERR_USAGE, "sink %s: it has tls, and the address in %s begins with http://; write https://", c->name, file);
	return 0;
}

static int read_url(struct http_sink *h, struct err *e)
{
	const struct sink_config *c = h->config;
	struct secret *s;
	int did;

	if (c->webhook.url) {
		buf_str(&h->url, c->webhook.url);
		return 0;
	}
	s = secret_read(h->files, c->webhook.url_file, e);
	if (!s)
		return err_prefix(e, "sink %s", c->name);
	did = check_url(c, secret_text(s), e);
	buf_room(&h->url, SECRET_MOST + 1); /* one piece of memory, which close wipes */
	buf_str(&h->url, did < 0 ? "" : secret_text(s));
	secret_free(s);
	return did;
}

static int hook_open(struct http_sink *h, struct err *e)
{
	const char *path = h->config->webhook.hmac_file;
	struct secret *key = NULL;

	if (path && !(key = secret_read(h->files, path, e)))
		return err_prefix(e, "sink %s", h->config->name);
	if (read_url(h, e) < 0) {
		secret_free(key);
		return -1;
	}
	h->own = key;
	return 0;
}

/* The uid, a newline, the body: neither holds a newline. */
static void hook_encode(struct http_sink *h, const struct record_view *v, struct buf *to)
{
	buf_str(to, v->uid);
	buf_char(to, '\n');
	h->config->format->write(h->config, v, RECORD_BYTES, to);
}

static void hook_body(struct http_sink *h, const struct http_piece *items, size_t n, struct buf *to)
{
	const char *end = memchr(items->p, '\n', items->n);

	(void)h, (void)n;
	buf_add(to, end + 1, items->n - (size_t)(end + 1 - items->p));
}

static void hook_head(struct http_sink *h, const struct http_piece *items, const void *body, size_t n, struct buf *lines)
{
	const struct secret *key = h->own;
	char now[24], hex[65];
	uint8_t digest[32];
	struct buf text;

	buf_printf(lines, "X-Evmend-Uid: %.*s", (int)((const char *)memchr(items->p, '\n', items->n) - items->p), items->p);
	buf_char(lines, '\0');
	(void)snprintf(now, sizeof now, "%" PRId64, clock_wall(h->clock) / US_SECOND);
	buf_printf(lines, "X-Evmend-Timestamp: %s", now);
	buf_char(lines, '\0');
	if (!key)
		return;
	buf_init(&text, n + sizeof now + 1);
	buf_printf(&text, "%s.", now);
	buf_add(&text, body, n);
	digest_hmac_sha256(secret_text(key), strlen(secret_text(key)), text.p, text.n, digest);
	buf_free(&text);
	text_hex(hex, digest, sizeof digest);
	buf_printf(lines, "X-Evmend-Signature: sha256=%s", hex);
	buf_char(lines, '\0');
}

static bool is_page(const struct http_answer *a)
{
	return a->body[strspn(a->body, " \t\r\n")] == '<';
}

/* Chats name an error with a word, "channel_is_archived". Anything else may repeat the address. */
static bool is_word(const struct http_answer *a)
{
	return a->n && a->n <= 40 && strspn(a->body, "abcdefghijklmnopqrstuvwxyz_") == a->n;
}

static enum http_means hook_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	bool chat = h->config->format->write != format_ndjson;
	enum http_means means = http_means_of(a->status);

	(void)snprintf(v->why, sizeof v->why, "HTTP %d%s%s%s", a->status, is_word(a) ? " " : "", is_word(a) ? a->body : "",
		means == HTTP_ALARM ? "; look at its address, or whether it was withdrawn" : "");
	if (means == HTTP_BAD && is_page(a))
		means = HTTP_ALARM;
	if (means == HTTP_ITEMS && chat && is_page(a)) {
		means = HTTP_ALARM;
		text_copy(v->why, sizeof v->why, "what answers there is a page, and no chat");
	} else if (means == HTTP_ITEMS && chat && strstr(a->body, "HTTP error 429")) { /* how connectors of Teams tell it */
		means = HTTP_AGAIN;
		text_copy(v->why, sizeof v->why, "it is asked too often (429)");
	}
	return means;
}

static void hook_close(struct http_sink *h)
{
	secret_free(h->own);
	h->own = NULL;
}

static const struct http_kind webhook = {
	.lanes = 1,
	.batch = { .records = 1, .bytes = 4 * RECORD_BYTES, .wait = 0 },
	.media = "application/json",
	.open = hook_open,
	.encode = hook_encode,
	.body = hook_body,
	.head = hook_head,
	.judge = hook_judge,
	.close = hook_close,
};

static int webhook_open(struct sink *s, struct err *e)
{
	return http_sink_open(s, &webhook, e);
}

/* A POST would be a message, and most of them answer nothing else: the connection is what can be tried. */
static int webhook_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	const char *url = s->config->webhook.url;

	if (url)
		buf_add(says, url, strcspn(url + 8, "/?#") + 8); /* what is behind the host may be secret */
	else
		buf_printf(says, "the address in %s", s->config->webhook.url_file);
	return http_sink_check(s, &webhook, until, says, e);
}

const struct sink_ops sink_webhook_ops = {
	.open = webhook_open,
	.submit = http_sink_submit,
	.poll = http_sink_poll,
	.wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush,
	.check = webhook_check,
	.close = http_sink_close,
};
