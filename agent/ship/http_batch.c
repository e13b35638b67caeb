/* http_batch.c - batches of records over HTTP, and what becomes of each record.
 *
 * Why: receivers over HTTP differ in how a record looks and in what an answer means, and in nothing else. Promises: each record that was
 * taken gets one outcome; a host's records are sent in order, and one that failed holds back those behind it; a batch is cut in halves until
 * the receiver takes it or one record is left, which alone is then given up. Refuses nothing itself: the receiver does. */
#include "ship/http_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compress.h"
#include "base/text.h"
#include "limits.h"

#define LEAST_BYTES 65536        /* a batch is not made smaller because connections break */

#define DEAD_ROW 16              /* records given up one after another; then a person should look */

enum http_means http_means_of(int status)
{
	static const int persons[] = { 401, 403, 404, 405, 407, 410 };

	if (status >= 200 && status < 300)
		return HTTP_ITEMS;
	if (status == 413)
		return HTTP_SMALLER;
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return HTTP_AGAIN;
	for (size_t i = 0; i < sizeof persons / sizeof persons[0]; i++)
		if (status == persons[i])
			return HTTP_ALARM;
	return status < 400 ? HTTP_ALARM : HTTP_BAD;
}

/* --- results --- */

struct sink_result *add_result(struct http_inside *in, int64_t seq, enum sink_outcome outcome, int64_t not_before, const char *why)
{
	if (in->given && in->given == in->n)
		in->given = in->n = 0;
	if (in->n == in->cap) {
		in->cap = in->cap ? in->cap * 2 : 1024;
		in->results = xrealloc(in->results, in->cap, sizeof *in->results);
	}
	in->results[in->n] = (struct sink_result){ .seq = seq, .outcome = outcome, .not_before = not_before };
	text_copy(in->results[in->n].why, sizeof in->results[in->n].why, why);
	return &in->results[in->n++];
}

static void drop_head(struct lane *l, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += l->items[i].n;
	buf_cut(&l->text, bytes);
	memmove(l->items, l->items + n, (l->n - n) * sizeof *l->items);
	l->n -= n;
}

/* Everything that is not on its way has to come again, so that nothing overtakes. */
static void give_back(struct http_sink *h, int64_t not_before, const char *why)
{
	struct http_inside *in = h->inside;

	for (size_t k = 0; k < h->kind->lanes; k++) {
		struct lane *l = &in->lanes[k];
		size_t keep = l->call ? l->sent : 0, bytes = 0;

		for (size_t i = 0; i < keep; i++)
			bytes += l->items[i].n;
		for (size_t i = keep; i < l->n; i++)
			add_result(in, l->items[i].seq, SINK_RETRY, not_before, why);
		in->gave_back = in->gave_back || l->n > keep;
		l->n = keep;
		l->text.n = l->text.p ? bytes : 0;
		if (!keep) {
			l->suspect = 0;
			l->named = HTTP_UNNAMED;
		}
	}
}

/* --- a batch goes out --- */

/* How many of the lane's items the next batch has. */
static size_t next_batch(const struct http_inside *in, const struct lane *l, size_t *bytes)
{
	size_t most = (size_t)in->records, n = 0;

	if (l->suspect && l->named != HTTP_UNNAMED)
		most = l->named ? l->named : 1;
	else if (l->suspect)
		most = l->suspect > 1 ? l->suspect / 2 : 1;
	*bytes = 0;
	while (n < l->n && n < most && (!n || *bytes + l->items[n].n <= l->limit))
		*bytes += l->items[n++].n;
	return n;
}

static bool due(const struct http_sink *h, const struct lane *l)
{
	const struct http_inside *in = h->inside;

	if (!l->n || l->call)
		return false;
	return in->hurry || l->suspect || l->n >= (size_t)in->records || l->text.n >= l->limit || clock_monotonic(h->clock) - l->since >= in->wait;
}

static void join(const struct http_kind *kind, const struct http_piece *items, size_t n, struct buf *to)
{
	buf_str(to, kind->before ? kind->before : "");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_str(to, kind->between ? kind->between : "");
		buf_add(to, items[i].p, items[i].n);
	}
	buf_str(to, kind->after ? kind->after : "");
}

/* The pieces live as long as no record is added to the lane. */
static const struct http_piece *write_body(struct http_sink *h, struct lane *l)
{
	struct http_inside *in = h->inside;
	const char *at = l->text.p;

	if (l->sent > in->pieces_cap) {
		in->pieces_cap = l->sent;
		in->pieces = xrealloc(in->pieces, in->pieces_cap, sizeof *in->pieces);
	}
	for (size_t i = 0; i < l->sent; at += l->items[i++].n)
		in->pieces[i] = (struct http_piece){ at, l->items[i].n };
	buf_reset(&l->body);
	if (h->kind->body)
		h->kind->body(h, in->pieces, l->sent, &l->body);
	else
		join(h->kind, in->pieces, l->sent, &l->body);
	if (l->body.refused)
		die("a batch exceeds its memory");
	return in->pieces;
}

size_t http_lines(struct http_sink *h, const struct http_piece *items, const void *body, size_t n, struct buf *lines,
	const char *to[static HTTP_LINES])
{
	size_t count = 0;

	if (h->kind->head)
		h->kind->head(h, items, body, n, lines);
	for (const char *s = buf_text(lines), *end = s + lines->n; s < end && count < HTTP_LINES; s += strlen(s) + 1)
		to[count++] = s;
	return count;
}

static void begin(struct http_sink *h, struct lane *l)
{
	bool packed = h->config->compress != SINK_PLAIN; /* gzip: receivers take nothing else */
	char media[120];
	struct buf lines;
	const char *headers[2 + HTTP_LINES] = { media };
	const struct http_piece *items;
	struct http_request r = { .method = "POST", .url = buf_text(&h->url), .headers = headers, .n_headers = 1, .owner = l };

	place_sweep(h, l);
	if (!l->n)
		return;
	l->sent = next_batch(h->inside, l, &l->sent_bytes);
	items = write_body(h, l);
	(void)snprintf(media, sizeof media, "Content-Type: %s", h->kind->media);
	if (packed) {
		buf_reset(&l->packed);
		compress_all(COMPRESS_GZIP, l->body.p, l->body.n, &l->packed);
		headers[r.n_headers++] = "Content-Encoding: gzip";
	}
	r.body = packed ? l->packed.p : l->body.p;
	r.n = packed ? l->packed.n : l->body.n;
	buf_init(&lines, 4096);
	r.n_headers += http_lines(h, items, r.body, r.n, &lines, headers + r.n_headers);
	l->call = http_begin(h->http, &r);
	buf_free(&lines);
}

/* --- its answer --- */

/* When it may be asked again; 0: it has not said. */
static int64_t later(const struct http_sink *h, const struct http_answer *a, bool alarm)
{
	int64_t now = clock_monotonic(h->clock);
	uint64_t random = 0;

	if (a->retry_after || !alarm)
		return a->retry_after ? now + a->retry_after : 0;
	os_random(&random, sizeof random);
	return now + HTTP_ALARM_PAUSE + (int64_t)(random % (uint64_t)(HTTP_ALARM_PAUSE / 2));
}

static bool wary(const struct http_sink *h)
{
	return clock_monotonic(h->clock) < h->inside->wary_until;
}

/* One more was refused for good, and none was taken since the one before. Many in a row are rather a receiver that is not what we think, or is
 * set up wrong, than as many bad records: that is told, and slow from then on. */
static void count_dead(struct http_sink *h, int64_t wary_until, const char *why)
{
	struct http_inside *in = h->inside;

	if (++in->dead_row < DEAD_ROW)
		return;
	in->dead_row = 0;
	in->wary_until = wary_until;
	(void)snprintf(in->wary_why, sizeof in->wary_why, "it refused %d records one after another; the next ones wait: %.90s", DEAD_ROW, why);
}

/* It takes records: then those that it refuses are bad ones. */
static bool took_some(struct http_inside *in, const struct http_verdict *v)
{
	size_t i = 0;

	while (i < v->n && v->items[i].outcome != SINK_ACCEPTED)
		i++;
	if (i == v->n)
		return false;
	in->dead_row = 0;
	in->wary_until = 0;
	return true;
}

static void take_items(struct http_sink *h, struct lane *l, const struct http_verdict *v, const struct http_answer *a)
{
	struct http_inside *in = h->inside;
	bool took = took_some(in, v);
	int64_t retry_at = later(h, a, false);

	if (v->held >= 0)
		held_add(h, v->held, v->items, v->n);
	for (size_t i = 0; i < v->n; i++) {
		const struct sink_result *r = &v->items[i];

		if (r->outcome == SINK_ACCEPTED && v->held >= 0)
			continue;
		if (r->outcome == SINK_DEAD && !took && !v->final) {
			if (wary(h)) {
				add_result(in, r->seq, SINK_RETRY, retry_at, in->wary_why);
				continue;
			}
			count_dead(h, later(h, a, true), r->why);
		}
		struct sink_result *to = add_result(in, r->seq, r->outcome, r->outcome == SINK_RETRY && !r->not_before ? retry_at : r->not_before, r->why);

		to->unnamed = r->unnamed;
		to->alone = r->alone;
	}
	drop_head(l, v->n);
	l->suspect = l->suspect > v->n ? l->suspect - v->n : 0;
	l->named = l->suspect && l->named != HTTP_UNNAMED && l->named >= v->n ? l->named - v->n : HTTP_UNNAMED;
	l->limit += l->limit / 16;
	if (l->limit > (size_t)in->bytes)
		l->limit = (size_t)in->bytes;
	if (!took && wary(h)) /* soon again: one good record shows that the others are bad */
		give_back(h, retry_at, in->wary_why);
}

/* One alone. */
static void give_up(struct http_sink *h, struct lane *l, const struct http_answer *a, const char *why)
{
	struct http_inside *in = h->inside;

	add_result(in, l->items[0].seq, SINK_DEAD, 0, why);
	drop_head(l, 1);
	l->suspect = 0;
	l->named = HTTP_UNNAMED;
	count_dead(h, later(h, a, true), why);
	if (wary(h))
		give_back(h, in->wary_until, in->wary_why);
}

/* Nothing was taken. One alone is given up, or waits; of more a part is sent. */
static void cut(struct http_sink *h, struct lane *l, const struct http_answer *a, bool too_large, const struct http_verdict *v)
{
	struct http_inside *in = h->inside;

	if (v->of_place && place_is_one(l)) {
		place_shut(h, l->items[0].place, v->why);
		place_sweep(h, l);
	} else if (wary(h)) {
		give_back(h, in->wary_until, in->wary_why);
	} else if (l->sent == 1) {
		give_up(h, l, a, v->why);
	} else if (too_large) {
		l->limit = l->sent_bytes / 2;
	} else {
		l->suspect = l->sent;
		l->named = v->bad < l->sent ? v->bad : HTTP_UNNAMED;
	}
}

/* What the receiver says, as far as it fits; without what could drive a terminal. */
static void excerpt(const struct http_answer *a, enum http_means means, char *to, size_t n)
{
	size_t k = (size_t)snprintf(to, n, "HTTP %d%s%s", a->status, means == HTTP_ALARM ? "; look at its address and our credentials" : "",
		a->n ? ": " : "");

	for (const char *s = a->body; *s && k < n - 1; s++)
		if ((unsigned char)*s >= ' ' && *s != 127)
			to[k++] = *s;
	to[k < n ? utf8_cut(to, k, k) : n - 1] = '\0';
}

/* Fills the verdict; what a receiver says goes into it as far as the kind reads it. */
static enum http_means judge(struct http_sink *h, const struct lane *l, const struct http_answer *a, struct http_verdict *v)
{
	struct http_inside *in = h->inside;
	enum http_means means = HTTP_AGAIN;

	if (l->sent > in->items_cap) {
		in->items_cap = l->sent;
		in->items = xrealloc(in->items, in->items_cap, sizeof *in->items);
	}
	for (size_t i = 0; i < l->sent; i++)
		in->items[i] = (struct sink_result){ .seq = l->items[i].seq, .outcome = SINK_ACCEPTED };
	*v = (struct http_verdict){ .items = in->items, .n = l->sent, .bad = HTTP_UNNAMED, .held = -1 };
	if (a->too_long) {
		text_copy(v->why, sizeof v->why, "its answer is too long");
		return l->sent > 1 ? HTTP_SMALLER : HTTP_ALARM; /* about one record: no receiver of ours */
	}
	if (a->status)
		means = h->kind->judge(h, a, v);
	if (means == HTTP_ITEMS || v->why[0])
		return means;
	if (a->status)
		excerpt(a, means, v->why, sizeof v->why);
	else
		text_copy(v->why, sizeof v->why, a->why);
	return means;
}

static void answered(struct http_sink *h, struct lane *l, struct http_call *c)
{
	const struct http_answer *a = http_answer(c);
	struct http_verdict v;
	enum http_means means = judge(h, l, a, &v);

	l->call = NULL;
	switch (means) {
	case HTTP_ITEMS:
		take_items(h, l, &v, a);
		break;
	case HTTP_SMALLER:
	case HTTP_BAD:
		cut(h, l, a, means == HTTP_SMALLER, &v);
		break;
	case HTTP_AGAIN:
	case HTTP_ALARM:
		/* a large body may be why the connection broke */
		if (!a->status && a->reached && l->limit > 2 * (size_t)LEAST_BYTES)
			l->limit /= 2;
		if (!a->status && a->reached)
			http_lose(h, v.why); /* the receiver may have given this batch a number that we do not know */
		give_back(h, later(h, a, means == HTTP_ALARM), v.why);
		break;
	}
	l->sent = 0;
	http_end(h->http, c);
}

static bool any_call(const struct http_sink *h)
{
	for (size_t k = 0; k < h->kind->lanes; k++)
		if (h->inside->lanes[k].call)
			return true;
	return false;
}

static bool all_quiet(const struct http_sink *h)
{
	const struct http_inside *in = h->inside;

	for (size_t k = 0; k < h->kind->lanes; k++)
		if (in->lanes[k].n)
			return false;
	return !in->n_held;
}

static void drive(struct http_sink *h)
{
	struct http_inside *in = h->inside;
	struct http_call *c;

	while ((c = http_drive(h->http)))
		if (c == in->question)
			held_told(h, c);
		else
			answered(h, http_answer(c)->owner, c);
	held_overdue(h);
	for (size_t k = 0; k < h->kind->lanes && !held_wants(h); k++)
		if (due(h, &in->lanes[k]))
			begin(h, &in->lanes[k]);
	if (held_wants(h) && !in->question && !any_call(h))
		held_ask(h);
	if (in->hurry && all_quiet(h))
		in->hurry = false;
}

/* --- the operations of a sink --- */

static void make_inside(struct http_sink *h)
{
	const struct sink_batch *mine = &h->config->batch, *usual = &h->kind->batch;
	struct http_inside *in = h->inside = xcalloc(1, sizeof *in);

	in->seed = hash_seed_draw();
	in->records = mine->records ? mine->records : usual->records;
	in->bytes = mine->bytes ? mine->bytes : usual->bytes;
	in->wait = mine->wait ? mine->wait : usual->wait;
	for (size_t k = 0; k < h->kind->lanes; k++) {
		struct lane *l = &in->lanes[k];

		buf_init(&l->text, 4 * (size_t)in->bytes + LIMIT_HTTP_RECORD);
		buf_init(&l->body, 8 * (size_t)in->bytes + 2 * LIMIT_HTTP_RECORD);
		buf_init(&l->packed, 8 * (size_t)in->bytes + 2 * LIMIT_HTTP_RECORD);
		l->limit = (size_t)in->bytes;
		l->named = HTTP_UNNAMED;
	}
}

/* The address may be a secret. */
static void wipe_url(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* Secrets and certificates are read. */
static int open_http(struct http_sink *h, struct err *e)
{
	h->http = http_new(h->config, h->clock, h->files, e);
	if (!h->http)
		return -1;
	buf_init(&h->url, 8192);
	if (h->kind->open(h, e) == 0)
		return 0;
	http_free(h->http);
	h->http = NULL;
	wipe_url(&h->url);
	return -1;
}

int http_sink_open(struct sink *s, const struct http_kind *kind, struct err *e)
{
	struct http_sink *h = s->self;

	if (!h) {
		h = s->self = xcalloc(1, sizeof *h);
		*h = (struct http_sink){ .config = s->config, .clock = s->clock, .files = s->files, .kind = kind };
		buf_init(&h->place, 4096);
		make_inside(h);
	}
	return h->http ? 0 : open_http(h, e);
}

static bool take(struct http_sink *h, const struct spool_record *r)
{
	struct http_inside *in = h->inside;
	struct record_view v;
	struct lane *l;
	uint64_t place;
	size_t before;

	if (in->gave_back)
		return false;
	view_open(&v, r);
	l = &in->lanes[h->kind->lanes > 1 ? hash_bytes(&in->seed, v.host, strlen(v.host)) % h->kind->lanes : 0];
	before = l->text.n;
	if (l->n >= 2 * (size_t)in->records || before >= 2 * (size_t)in->bytes) {
		view_close(&v);
		return false;
	}
	buf_reset(&h->place);
	h->kind->encode(h, &v, &l->text);
	place = place_of(h);
	view_close(&v);
	if (l->text.refused || l->text.n == before || l->text.n - before > LIMIT_HTTP_RECORD) {
		l->text.n = before;
		l->text.refused = false;
		add_result(in, r->seq, SINK_DEAD, 0, "it is too large for a request");
		return true;
	}
	if (place_held(h, r->seq, place)) {
		l->text.n = before;
		return true;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->items = xrealloc(l->items, l->cap, sizeof *l->items);
	}
	if (l->n == l->sent)
		l->since = clock_monotonic(h->clock);
	l->items[l->n++] = (struct item){ .seq = r->seq, .n = l->text.n - before, .place = place };
	return true;
}

int http_sink_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct http_sink *h = s->self;
	int did = 0;

	if (!h || !h->http)
		return err_set(e, ERR_IO, "sink %s: it is not open", s->config->name);
	while ((size_t)did < n && take(h, &r[did]))
		did++;
	drive(h);
	return did;
}

int http_sink_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct http_sink *h = s->self;
	struct http_inside *in;

	(void)e;
	*got = 0;
	if (!h || !h->http)
		return 0;
	in = h->inside;
	drive(h);
	*got = in->n - in->given < n ? in->n - in->given : n;
	if (*got)
		memcpy(to, in->results + in->given, *got * sizeof *to);
	in->given += *got;
	in->gave_back = in->gave_back && in->given < in->n;
	return 0;
}

int http_sink_wait_fd(struct sink *s, bool *write)
{
	const struct http_sink *h = s->self;

	*write = false;
	return h && h->http ? http_fd(h->http) : -1;
}

int http_sink_flush(struct sink *s, struct err *e)
{
	struct http_sink *h = s->self;

	if (!h || !h->http || all_quiet(h))
		return 0;
	h->inside->hurry = true;
	drive(h);
	return all_quiet(h) ? 0 : err_set(e, ERR_IO, "sink %s: some records have no answer yet", s->config->name);
}

void http_sink_close(struct sink *s)
{
	struct http_sink *h = s->self;
	struct http_inside *in;

	if (!h)
		return;
	in = h->inside;
	for (size_t k = 0; k < h->kind->lanes; k++)
		if (in->lanes[k].call)
			http_end(h->http, in->lanes[k].call);
	if (in->question)
		http_end(h->http, in->question);
	if (h->kind->close)
		h->kind->close(h);
	http_free(h->http);
	for (size_t k = 0; k < h->kind->lanes; k++) {
		free(in->lanes[k].items);
		buf_free(&in->lanes[k].text);
		buf_free(&in->lanes[k].body);
		buf_free(&in->lanes[k].packed);
	}
	held_free(in);
	buf_free(&h->place);
	free(in->results);
	free(in->items);
	free(in->pieces);
	free(in);
	wipe_url(&h->url);
	free(h);
	s->self = NULL;
}
