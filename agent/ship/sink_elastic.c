/* sink_elastic.c - records to the bulk endpoint of Elasticsearch or OpenSearch.
 *
 * Why: both take many documents in one request and answer about each. Promises: a document's id is the record's uid and it is created,
 * never overwritten, so that a repeat is told from a new one (409, which counts as delivered; in a data stream that has rolled over only
 * within its newest index); every item of the answer is read. Refuses: an answer that is not about each document.
 * Source: Elasticsearch 8, "Bulk API"; OpenSearch, "Bulk". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "ship/formats.h"
#include "ship/http_batch.h"
#include "ship/sink_kinds.h"
#include "ship/template.h"

#define INDEX "logs-evmend-default" /* a data stream, by the templates that both bring along */
#define ASK_ABOUT "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"

static const char *index_of(const struct sink_config *c)
{
	return c->elastic.index ? c->elastic.index : INDEX;
}

static int read_credentials(struct http_sink *h, struct err *e)
{
	const struct sink_config *c = h->config;
	const char *path = c->elastic.api_key_file ? c->elastic.api_key_file : c->elastic.password_file;
	struct secret *s;

	if (!path)
		return 0;
	s = secret_read(h->files, path, e);
	if (!s)
		return err_prefix(e, "sink %s", c->name);
	if (c->elastic.api_key_file)
		http_header(h->http, "Authorization: ApiKey ", s);
	else
		http_basic(h->http, c->elastic.user, s);
	secret_free(s);
	return 0;
}

static int bulk_open(struct http_sink *h, struct err *e)
{
	if (read_credentials(h, e) < 0)
		return -1;
	http_join(&h->url, h->config->elastic.url, ASK_ABOUT);
	return 0;
}

/* Each action names the index: some that speak this protocol know no other address than /_bulk. */
static void put_action(const struct sink_config *c, const struct record_view *v, struct buf *to)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 4096);
	template_fill(index_of(c), c, v, template_name, &b);
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_open(&o, "create", '{');
	json_put_strn(&o, "_index", buf_text(&b), b.n);
	json_put_str(&o, "_id", v->uid);
	json_close(&o, '}');
	json_close(&o, '}');
	buf_char(to, '\n');
	buf_free(&b);
}

static void bulk_encode(struct http_sink *h, const struct record_view *v, struct buf *to)
{
	const struct sink_config *c = h->config;

	put_action(c, v, to);
	if (strcmp(c->format->name, "ecs") != 0) { /* a data stream wants it in each document; ECS has it */
		struct json_out o;
		size_t at;

		json_begin(&o, to);
		json_open(&o, NULL, '{');
		json_put_str(&o, "@timestamp", v->time);
		buf_char(to, ',');
		at = to->n;

		c->format->write(c, v, FORMAT_ANY, to);
		if (!to->refused && to->n > at + 1) { /* without its brace */
			memmove(to->p + at, to->p + at + 1, to->n - at - 1);
			to->n--;
		}
	} else {
		c->format->write(c, v, FORMAT_ANY, to);
	}
	buf_char(to, '\n');
}

static void why_of(const struct json *error, char *to, size_t n)
{
	const char *cause = json_str(json_get(json_get(error, "caused_by"), "reason"), NULL);
	struct buf b;

	buf_init(&b, LIMIT_HTTP_ANSWER);
	buf_printf(&b, "%s: %s%s%s", json_str(json_get(error, "type"), "no reason given"), json_str(json_get(error, "reason"), ""), cause ? ": " : "",
		cause ? cause : "");
	text_copy(to, n, buf_text(&b));
	to[utf8_cut(to, strlen(to), strlen(to))] = '\0';
	buf_free(&b);
}

/* That the machine has more to do than it can: of whatever index, and soon over. Anything else that is put off may be one index's, and may stay:
 * its disk is full, its shard is away. Source: Elasticsearch 8, "Rejected requests"; OpenSearch names the first without "es_". */
static bool of_load(const struct json *error)
{
	const char *type = json_str(json_get(error, "type"), "");

	return text_ends(type, "rejected_execution_exception") || !strcmp(type, "circuit_breaking_exception");
}

/* One document: taken or there already, not now, for a person, never. */
static bool judge_item(struct http_sink *h, const struct json *item, struct sink_result *r)
{
	const struct json *j = json_get(item, "create"), *error = json_get(j, "error");
	int64_t status = json_int(json_get(j, "status"), 0);
	enum http_means means = http_means_of((int)status);
	bool fixed = template_fixed(index_of(h->config));

	if (status < 200 || status > 599)
		return false;
	if (means == HTTP_ITEMS || status == 409)
		return true;
	if (means == HTTP_BAD && fixed && !strcmp(json_str(json_get(error, "type"), ""), "invalid_index_name_exception"))
		means = HTTP_ALARM; /* the configuration's, not this record's */
	r->outcome = means == HTTP_BAD || means == HTTP_SMALLER ? SINK_DEAD : SINK_RETRY;
	/* no such index, no right to write into it, no room in it; others may go elsewhere */
	r->alone = !fixed && r->outcome == SINK_RETRY && !(means == HTTP_AGAIN && of_load(error));
	if (means == HTTP_ALARM || r->alone)
		r->not_before = clock_monotonic(h->clock) + HTTP_ALARM_PAUSE;
	why_of(error, r->why, sizeof r->why);
	return true;
}

/* An error of the bulk API about what it was sent. A server that does not know the address says so in a text, a proxy in a page, and one that
 * lets no action name an index means the address as well. */
static bool about_data(const struct json *error)
{
	return json_is_object(error) && !strstr(json_str(json_get(error, "reason"), ""), "explicit index");
}

static enum http_means judge_items(struct http_sink *h, const struct json *items, struct http_verdict *v)
{
	bool about_each = json_len(items) == v->n;

	for (size_t i = 0; i < v->n && about_each; i++)
		about_each = judge_item(h, json_at(items, i), &v->items[i]);
	if (about_each)
		return HTTP_ITEMS;
	text_copy(v->why, sizeof v->why, "it does not answer about each document");
	return v->n > 1 ? HTTP_BAD : HTTP_ALARM; /* smaller pieces show which one is missing */
}

/* More parts than any answer about n documents has: as a tree it could take a hundred times its bytes. */
static bool too_many_parts(const struct http_answer *a, size_t n)
{
	size_t most = 1000 + 100 * n;

	for (const char *p = a->body; (p = memchr(p, ',', (size_t)(a->body + a->n - p))) != NULL; p++)
		if (most-- == 0)
			return true;
	return false;
}

static enum http_means bulk_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	struct json *j = too_many_parts(a, v->n) ? NULL : json_parse_max(a->body, a->n, LIMIT_HTTP_ANSWER, NULL);
	const struct json *items = json_get(j, "items"), *error = json_get(j, "error");
	enum http_means means = http_means_of(a->status);

	if (means == HTTP_ITEMS && json_is_array(items)) {
		means = judge_items(h, items, v);
	} else if (means == HTTP_ITEMS) {
		means = HTTP_ALARM;
		text_copy(v->why, sizeof v->why, "what answers there is no bulk endpoint");
	} else {
		if (json_is_object(error)) {
			char reason[120];

			why_of(error, reason, sizeof reason);
			(void)snprintf(v->why, sizeof v->why, "%s (HTTP %d)", reason, a->status);
		}
		if (means == HTTP_BAD && !about_data(error))
			means = HTTP_ALARM;
	}
	json_free(j);
	return means;
}

static const struct http_kind elastic = {
	.lanes = 3,
	.batch = { .records = 2000, .bytes = 5 << 20, .wait = US_SECOND / 10 },
	.media = "application/x-ndjson",
	.probe = "",
	.open = bulk_open,
	.encode = bulk_encode,
	.judge = bulk_judge,
};

static int elastic_open(struct sink *s, struct err *e)
{
	return http_sink_open(s, &elastic, e);
}

static int elastic_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	buf_str(says, s->config->elastic.url);
	return http_sink_check(s, &elastic, until, says, e);
}

const struct sink_ops sink_elastic_ops = {
	.open = elastic_open,
	.submit = http_sink_submit,
	.poll = http_sink_poll,
	.wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush,
	.check = elastic_check,
	.close = http_sink_close,
};
