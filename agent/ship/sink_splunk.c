/* sink_splunk.c - records to Splunk's HTTP event collector.
 *
 * Why: Splunk takes what it indexes at once this way, with a token for each sender. Promises: a record counts as delivered when Splunk has
 * answered code 0 to it, or, with ack, when Splunk has said that it is indexed; one that Splunk will not take is found and left out alone;
 * one whose index is not there waits, and the others go on.
 * Refuses: an answer that is not Splunk's - a page of some other server would else pass for success.
 * Sources: Splunk, "Format events for HTTP Event Collector", "Troubleshoot HTTP Event Collector" (the codes), "About HTTP Event Collector
 * Indexer Acknowledgment". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "ship/formats.h"
#include "ship/http_batch.h"
#include "ship/sink_kinds.h"
#include "ship/template.h"

#define EVENT_PATH "/services/collector/event"
#define ACK_PATH "/services/collector/ack?channel="
#define PATIENCE (5 * US_MINUTE) /* as Splunk's documentation advises */
#define ASK_MOST 2048 /* numbers in one question */

/* With ack. A channel is used as long as something of it is not acknowledged; its numbers ascend, and when they do not, Splunk has begun anew. */
struct hec {
	char channel[37];
	int64_t last; /* number on it; -1: none */
	struct buf header, url, body; /* of the question */
	const char *headers[2];
};

static int hec_open(struct http_sink *h, struct err *e)
{
	const struct sink_config *c = h->config;
	struct secret *token = secret_read(h->files, c->splunk.token_file, e);
	struct hec *own;

	if (!token)
		return err_prefix(e, "sink %s", c->name);
	http_header(h->http, "Authorization: Splunk ", token);
	secret_free(token);
	http_join(&h->url, c->splunk.url, EVENT_PATH);
	h->patience = c->splunk.ack_timeout ? c->splunk.ack_timeout : PATIENCE;
	if (c->splunk.ack) {
		own = h->own = xcalloc(1, sizeof *own);
		buf_init(&own->header, 4096);
		buf_init(&own->url, 65536);
		buf_init(&own->body, LIMIT_HTTP_RECORD);
	}
	return 0;
}

static void hec_close(struct http_sink *h)
{
	struct hec *own = h->own;

	if (!own)
		return;
	buf_free(&own->header);
	buf_free(&own->url);
	buf_free(&own->body);
	free(own);
}

static void put_template(struct json_out *o, const char *key, const char *text, const struct sink_config *c, const struct record_view *v)
{
	struct buf b;

	buf_init(&b, 4096);
	template_fill(text, c, v, template_name, &b);
	json_put_strn(o, key, buf_text(&b), b.n);
	buf_free(&b);
}

/* {"time":1520974931.114,"host":...,"source":"evmend","sourcetype":"evmend:finding","fields":{"uid":...},"event":{...}} */
static void hec_encode(struct http_sink *h, const struct record_view *v, struct buf *to)
{
	const struct sink_config *c = h->config;
	struct json_out o;
	int64_t t;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	if (time_parse(v->time, strlen(v->time), &t))
		json_put_real(&o, "time", (double)t / US_SECOND, 3);
	if (*v->host)
		json_put_str(&o, "host", v->host);
	json_put_str(&o, "source", "evmend");
	put_template(&o, "sourcetype", c->splunk.sourcetype ? c->splunk.sourcetype : "evmend:{kind}", c, v);
	if (c->splunk.index) {
		template_fill(c->splunk.index, c, v, template_name, &h->place);
		json_put_strn(&o, "index", buf_text(&h->place), h->place.n);
	}
	json_open(&o, "fields", '{');
	json_put_str(&o, "uid", v->uid);
	json_close(&o, '}');
	json_close(&o, '}');
	to->n--; /* the event is its last member */
	buf_str(to, ",\"event\":");
	c->format->write(c, v, FORMAT_ANY, to);
	buf_char(to, '}');
}

static enum http_means means_of_code(const struct http_sink *h, int code, int status)
{
	const char *index = h->config->splunk.index;

	switch (code) {
	case 1: case 2: case 3: case 4: /* the token */
	case 10: case 11: case 14:      /* the channel, acknowledgement is off */
	case 16:
		return HTTP_ALARM;
	case 5: case 6: case 12: case 13: case 15:
		return HTTP_BAD;
	case 7: /* no such index for this token: that of all, or one record's */
		return index && !template_fixed(index) ? HTTP_BAD : HTTP_ALARM;
	case 8: case 9:
		return HTTP_AGAIN;
	default:
		return status == 200 && code == 0 ? HTTP_ITEMS : http_means_of(status);
	}
}

/* The number of a batch that was taken. */
static enum http_means hold(struct http_sink *h, int64_t number, struct http_verdict *v)
{
	struct hec *own = h->own;

	if (number < 0) {
		text_copy(v->why, sizeof v->why, "it took records and acknowledges none: switch acknowledgement on for this token, or leave out ack");
		return HTTP_ALARM;
	}
	if (number <= own->last) {
		text_copy(v->why, sizeof v->why, "it was started anew; what it had not acknowledged is sent again");
		http_lose(h, v->why);
		return HTTP_AGAIN;
	}
	own->last = v->held = number;
	return HTTP_ITEMS;
}

static enum http_means hec_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	struct json *j = json_parse(a->body, a->n, NULL);
	enum http_means means = http_means_of(a->status);
	int64_t code = json_int(json_get(j, "code"), -1), bad = json_int(json_get(j, "invalid-event-number"), -1);

	if (code >= 0)
		means = means_of_code(h, code > 1000 ? 1000 : (int)code, a->status);
	if ((means == HTTP_ITEMS && code != 0) || (means == HTTP_BAD && code < 0)) {
		means = HTTP_ALARM;
		(void)snprintf(v->why, sizeof v->why, "what answers there is no event collector of Splunk (HTTP %d)", a->status);
	} else if (means != HTTP_ITEMS && code >= 0) {
		(void)snprintf(v->why, sizeof v->why, "%.100s (HTTP %d, code %d)", json_str(json_get(j, "text"), ""), a->status, (int)code);
	} else if (means == HTTP_ITEMS && h->own && v->n) {
		means = hold(h, json_int(json_get(j, "ackId"), -1), v);
	}
	v->of_place = code == 7;
	v->bad = bad >= 0 ? (size_t)bad : HTTP_UNNAMED;
	json_free(j);
	return means;
}

/* A random UUID, RFC 4122, 4.4. */
static void draw_channel(struct hec *own)
{
	uint8_t b[16];
	char hex[33];

	os_random(b, sizeof b);
	b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	text_hex(hex, b, sizeof b);
	(void)snprintf(own->channel, sizeof own->channel, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	own->last = -1;
}

static void channel_header(const struct hec *own, struct buf *to)
{
	buf_printf(to, "X-Splunk-Request-Channel: %s", own->channel);
}

static void hec_head(struct http_sink *h, const struct http_piece *items, const void *body, size_t n, struct buf *lines)
{
	(void)items, (void)body, (void)n;
	if (!http_held(h, NULL, 0))
		draw_channel(h->own);
	channel_header(h->own, lines);
	buf_char(lines, '\0');
}

static void hec_ask(struct http_sink *h, struct http_request *r)
{
	struct hec *own = h->own;
	int64_t numbers[ASK_MOST];
	size_t n = http_held(h, numbers, ASK_MOST);
	struct json_out o;

	buf_reset(&own->header);
	buf_reset(&own->url);
	buf_reset(&own->body);
	channel_header(own, &own->header);
	http_join(&own->url, h->config->splunk.url, ACK_PATH);
	buf_str(&own->url, own->channel);
	json_begin(&o, &own->body);
	json_open(&o, NULL, '{');
	json_open(&o, "acks", '[');
	for (size_t i = 0; i < n && i < ASK_MOST; i++)
		json_put_int(&o, NULL, numbers[i]);
	json_close(&o, ']');
	json_close(&o, '}');
	own->headers[0] = "Content-Type: application/json";
	own->headers[1] = buf_text(&own->header);
	r->url = buf_text(&own->url);
	r->body = own->body.p;
	r->n = own->body.n;
	r->headers = own->headers;
	r->n_headers = 2;
}

static int told_one(void *arg, const char *number, const struct json *yes)
{
	int64_t n;

	if (json_bool(yes, false) && text_int(number, strlen(number), &n))
		http_settle(arg, n);
	return 0;
}

/* {"acks":{"0":true,"1":false}} */
static void hec_told(struct http_sink *h, const struct http_answer *a)
{
	struct json *j = json_parse(a->body, a->n, NULL);

	json_each(json_get(j, "acks"), told_one, h);
	json_free(j);
}

static const struct http_kind splunk = {
	.lanes = 2,
	.batch = { .records = 1000, .bytes = 1000000, .wait = US_SECOND / 10 }, /* older ones take 1 MB */
	.media = "application/json",
	.probe = "",
	.open = hec_open,
	.encode = hec_encode,
	.judge = hec_judge,
};

static const struct http_kind splunk_ack = {
	.lanes = 1, /* so that the numbers ascend */
	.batch = { .records = 1000, .bytes = 1000000, .wait = US_SECOND / 10 },
	.media = "application/json",
	.probe = "",
	.open = hec_open,
	.encode = hec_encode,
	.head = hec_head,
	.judge = hec_judge,
	.ask = hec_ask,
	.told = hec_told,
	.close = hec_close,
};

static const struct http_kind *kind_of(const struct sink *s)
{
	return s->config->splunk.ack ? &splunk_ack : &splunk;
}

static int splunk_open(struct sink *s, struct err *e)
{
	return http_sink_open(s, kind_of(s), e);
}

static int splunk_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	buf_str(says, s->config->splunk.url);
	return http_sink_check(s, kind_of(s), until, says, e);
}

const struct sink_ops sink_splunk_ops = {
	.open = splunk_open,
	.submit = http_sink_submit,
	.poll = http_sink_poll,
	.wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush,
	.check = splunk_check,
	.close = http_sink_close,
};
