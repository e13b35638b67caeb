/* sink_otlp.c - records to a collector of OpenTelemetry, over HTTP in JSON.
 *
 * Why: collectors pass logs on to nearly everything. Promises: a record counts as delivered when the receiver has answered 2xx with a body of
 * OTLP; one that it will not take is found, by halves, and left out alone. Refuses: an answer that is not OTLP's - a page of some other server
 * would else pass for success, and its 400 for a bad record.
 * Two things differ from the letter of the specification, for nothing is to be lost: 500 is sent again (it says that a client must not), since
 * collectors also answer so when what is behind them fails; an answer that breaks off is asked for again.
 * Source: OpenTelemetry, "OTLP Specification 1.5", OTLP/HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ship/formats.h"
#include "ship/http_batch.h"
#include "ship/sink_kinds.h"

#define LOGS_PATH "/v1/logs"
#define BATCH_BYTES (4 << 20)

static int otlp_open_http(struct http_sink *h, struct err *e)
{
	const struct sink_config *c = h->config;

	if (c->otlp.headers_file) {
		struct secret *s = secret_headers(h->files, c->otlp.headers_file, e);

		if (!s)
			return err_prefix(e, "sink %s", c->name);
		for (const char *line = NULL; (line = secret_next(s, line)) != NULL;)
			http_header(h->http, line, NULL);
		secret_free(s);
	}
	http_join(&h->url, c->otlp.url, text_ends(c->otlp.url, LOGS_PATH) ? "" : LOGS_PATH);
	return 0;
}

/* The resource, a newline, the record: neither holds a newline. */
static void otlp_encode(struct http_sink *h, const struct record_view *v, struct buf *to)
{
	const struct sink_config *c = h->config;

	otlp_resource(v, to);
	buf_char(to, '\n');
	format_otlp(c, v, c->batch.bytes ? (size_t)c->batch.bytes : BATCH_BYTES, to);
}

/* --- records of one resource stand together --- */

struct part {
	const char *resource, *record;
	size_t resource_n, record_n;
	size_t at; /* in the batch: those of one resource keep their order */
};

static bool same_resource(const struct part *a, const struct part *b)
{
	return a->resource_n == b->resource_n && !memcmp(a->resource, b->resource, a->resource_n);
}

static int by_resource(const void *x, const void *y)
{
	const struct part *a = x, *b = y;
	int order = a->resource_n < b->resource_n ? -1 : a->resource_n > b->resource_n ? 1 : memcmp(a->resource, b->resource, a->resource_n);

	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static void otlp_body(struct http_sink *h, const struct http_piece *items, size_t n, struct buf *to)
{
	struct part *parts = xcalloc(n, sizeof *parts);

	(void)h;
	for (size_t i = 0; i < n; i++) {
		const char *end = memchr(items[i].p, '\n', items[i].n);

		parts[i] = (struct part){ items[i].p, end + 1, (size_t)(end - items[i].p), items[i].n - (size_t)(end - items[i].p) - 1, i };
	}
	qsort(parts, n, sizeof *parts, by_resource);
	buf_str(to, "{\"resourceLogs\":[");
	for (size_t i = 0; i < n; i++) {
		if (i && same_resource(&parts[i - 1], &parts[i])) {
			buf_char(to, ',');
		} else {
			buf_str(to, i ? "]}]},{\"resource\":" : "{\"resource\":");
			buf_add(to, parts[i].resource, parts[i].resource_n);
			buf_str(to, ",\"scopeLogs\":[{\"scope\":{\"name\":\"evmend\"},\"logRecords\":[");
		}
		buf_add(to, parts[i].record, parts[i].record_n);
	}
	buf_str(to, "]}]}]}");
	free(parts);
}

/* --- answers --- */

/* An integer of 64 bits, which OTLP's JSON writes as a text. */
static int64_t long_of(const struct json *j)
{
	const char *s = json_str(j, NULL);
	int64_t i = 0;

	return s ? (text_int(s, strlen(s), &i) ? i : 0) : json_int(j, 0);
}

/* What a receiver says, without what could drive a terminal. */
static void say(char *to, size_t n, const char *s)
{
	size_t len = utf8_cut(s, strlen(s), n - 1);

	memcpy(to, s, len);
	to[len] = '\0';
	for (char *c = to; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 127 ? ' ' : *c;
}

/* Some of them were thrown away. All: then each is known by name. Fewer: nobody says which, and the specification forbids to send them again. */
static void take_rejected(const struct json *partial, struct http_verdict *v)
{
	int64_t rejected = long_of(json_get(partial, "rejectedLogRecords"));
	const char *why = json_str(json_get(partial, "errorMessage"), "");
	char text[sizeof v->items->why];

	if (rejected <= 0 || !v->n)
		return;
	v->final = true; /* "the client MUST NOT retry the request" (OTLP 1, Partial Success) */
	say(text, sizeof text, *why ? why : "it does not say why");
	for (size_t i = 0; i < v->n && (size_t)rejected >= v->n; i++) {
		v->items[i].outcome = SINK_DEAD;
		memcpy(v->items[i].why, text, sizeof text);
	}
	if ((size_t)rejected >= v->n)
		return;
	v->items[0].unnamed = (size_t)rejected;
	memcpy(v->items[0].why, text, sizeof text);
}

static enum http_means otlp_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	struct json *j = json_parse(a->body, a->n, NULL);
	enum http_means means = http_means_of(a->status);
	const char *message = json_str(json_get(j, "message"), NULL);

	(void)h;
	if (means == HTTP_ITEMS && !json_is_object(j) && (a->status != 204 || a->n)) {
		means = HTTP_ALARM;
		text_copy(v->why, sizeof v->why, "what answers there is no receiver of OTLP in JSON");
	} else if (means == HTTP_ITEMS) {
		take_rejected(json_get(j, "partialSuccess"), v);
	} else if (means == HTTP_BAD && !message) { /* refusals of OTLP say why */
		means = HTTP_ALARM;
		(void)snprintf(v->why, sizeof v->why, "HTTP %d, and not from a receiver of OTLP in JSON; look at its address", a->status);
	} else if (message) {
		say(v->why, 130, message);
		(void)snprintf(v->why + strlen(v->why), 20, " (HTTP %d)", a->status);
	}
	json_free(j);
	return means;
}

static const struct http_kind otlp = {
	.lanes = 3,
	.batch = { .records = 2000, .bytes = BATCH_BYTES, .wait = US_SECOND / 10 },
	.media = "application/json",
	.body = otlp_body,
	.probe = "{\"resourceLogs\":[]}",
	.open = otlp_open_http,
	.encode = otlp_encode,
	.judge = otlp_judge,
};

static int otlp_open(struct sink *s, struct err *e)
{
	return http_sink_open(s, &otlp, e);
}

static int otlp_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	buf_str(says, s->config->otlp.url);
	return http_sink_check(s, &otlp, until, says, e);
}

const struct sink_ops sink_otlp_ops = {
	.open = otlp_open,
	.submit = http_sink_submit,
	.poll = http_sink_poll,
	.wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush,
	.check = otlp_check,
	.close = http_sink_close,
};
