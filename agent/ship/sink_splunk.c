/* sink_splunk.c - records to Splunk's HTTP event collector.
 *
 * Why: Splunk takes what it indexes at once this way, with a token for each sender. Promises: a record counts as delivered when Splunk has
 * answered code 0 to it, or, with ack, when Splunk has said that it is indexed; one that Splunk will not take is found and left out alone.
 * Refuses: an answer that is not Splunk's - a page of some other server would else pass for success.
 * Sources: Splunk, "Format events for HTTP Event Collector", "Troubleshoot HTTP Event Collector" (the codes), "About HTTP Event Collector
 * Indexer Acknowledgment". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ship/formats.h"
#include "ship/http_batch.h"
#include "ship/sink_kinds.h"
#include "ship/template.h"

#define EVENT_PATH "/services/collector/event"

static int hec_open(struct http_sink *h, struct err *e)
{
	struct secret *token = secret_read(h->files, h->config->splunk.token_file, e);

	if (!token)
		return err_prefix(e, "sink %s", h->config->name);
	http_header(h->http, "Authorization: Splunk ", token);
	secret_free(token);
	http_join(&h->url, h->config->splunk.url, EVENT_PATH);
	return 0;
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
	if (c->splunk.index)
		put_template(&o, "index", c->splunk.index, c, v);
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
	case 7: /* no such index for this token: ours of the configuration, or one record's */
		return index && !template_fixed(index) ? HTTP_BAD : HTTP_ALARM;
	case 8: case 9:
		return HTTP_AGAIN;
	default:
		return status == 200 && code == 0 ? HTTP_ITEMS : http_means_of(status);
	}
}

static enum http_means hec_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	struct json *j = json_parse(a->body, a->n, NULL);
	enum http_means means = http_means_of(a->status);
	int64_t code = json_int(json_get(j, "code"), -1), bad = json_int(json_get(j, "invalid-event-number"), -1);

	if (code >= 0)
		means = means_of_code(h, code > 1000 ? 1000 : (int)code, a->status);
	if (means == HTTP_ITEMS && code != 0) {
		means = HTTP_ALARM;
		text_copy(v->why, sizeof v->why, "what answers there is no event collector of Splunk");
	} else if (means != HTTP_ITEMS && code >= 0) {
		(void)snprintf(v->why, sizeof v->why, "%.100s (HTTP %d, code %d)", json_str(json_get(j, "text"), ""), a->status, (int)code);
	}
	v->bad = bad >= 0 ? (size_t)bad : HTTP_UNNAMED;
	json_free(j);
	return means;
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

static int splunk_open(struct sink *s, struct err *e)
{
	return http_sink_open(s, &splunk, e);
}

static int splunk_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	buf_str(says, s->config->splunk.url);
	return http_sink_check(s, &splunk, until, says, e);
}

const struct sink_ops sink_splunk_ops = {
	.open = splunk_open,
	.submit = http_sink_submit,
	.poll = http_sink_poll,
	.wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush,
	.reopen = http_sink_reopen,
	.check = splunk_check,
	.close = http_sink_close,
};
