/* engine_state.c - the engine's state over a restart and over a change of rules.
 *
 * Why: a killed role must go on where it stood, and a changed rule must not forget what other rules have seen.
 * Promises: after load the same further events give the same findings as without the restart.
 * Refuses: state of another version; state of rules that are gone is dropped. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cases/engine_private.h"

#define STATE_VERSION 1
#define STATE_BYTES (1u << 30)
#define ROWS_BYTES (UINT64_C(4) << 30) /* a row is somewhat larger than what the memory cap counts of its group */

void engine_save(const struct engine *g, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", STATE_VERSION);
	hosts_save(g->hosts, &o, "hosts");
	watermarks_save(g->marks, &o, "watermarks");
	book_save(g->book, &o, "book");
	noise_save(g->noise, &o, "noise");
	json_open(&o, "waiting", '[');
	for (size_t i = 0; i < g->waiting.n; i++)
		told_save(g->waiting.p[i], &o, NULL);
	json_close(&o, ']');
	json_close(&o, '}');
}

int engine_load(struct engine *g, const char *from, size_t n, struct err *e)
{
	struct json *j = json_parse_max(from, n, STATE_BYTES, e);
	const struct json *waiting;
	int64_t version;

	if (!j)
		return -1;
	version = json_int(json_get(j, "v"), 0);
	if (version != STATE_VERSION) {
		json_free(j);
		return err_set(e, ERR_IO, "the saved state has version %lld, this program reads %d; it starts empty", (long long)version,
			STATE_VERSION);
	}
	hosts_load(g->hosts, json_get(j, "hosts"));
	watermarks_load(g->marks, json_get(j, "watermarks"), g->o.clock ? clock_wall(g->o.clock) : 0);
	book_load(g->book, g->o.rules, json_get(j, "book"));
	noise_load(g->noise, json_get(j, "noise"));
	waiting = json_get(j, "waiting");
	for (size_t i = 0; i < json_len(waiting) && i < WAITING_MOST; i++) {
		struct told *t = told_load(g->pool, g->o.rules, json_at(waiting, i));

		if (t)
			list_add(&g->waiting, t);
	}
	json_free(j);
	return 0;
}

int engine_changes(struct engine *g, int (*put)(void *arg, const void *name, size_t name_n, const void *value, size_t n), void *arg)
{
	return correlator_changes(g->corr, put, arg);
}

void engine_stored(struct engine *g)
{
	correlator_stored(g->corr);
}

int engine_restore(struct engine *g, const void *value, size_t n, bool stored)
{
	return correlator_load(g->corr, value, n, stored);
}

/* Rows one behind the other, each with its length. */
static int keep_row(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct buf *to = arg;

	(void)name;
	(void)name_n;
	buf_add(to, &n, sizeof n);
	buf_add(to, value, n);
	return 0;
}

static void load_rows(struct engine *g, const struct buf *rows)
{
	size_t at = 0, n;

	for (; at < rows->n; at += n) {
		memcpy(&n, rows->p + at, sizeof n);
		at += sizeof n;
		correlator_load(g->corr, rows->p + at, n, false);
	}
}

void engine_swap(struct engine *g, const struct ruleset *rules)
{
	struct buf b, rows;
	struct err e;

	buf_init(&b, STATE_BYTES);
	buf_init(&rows, ROWS_BYTES);
	engine_save(g, &b);
	correlator_all(g->corr, keep_row, &rows);
	engine_unbuild(g);
	g->o.rules = rules;
	engine_build(g);
	if (b.refused || rows.refused || engine_load(g, buf_text(&b), b.n, &e) != 0)
		die("the engine cannot read the state it has just written");
	load_rows(g, &rows);
	buf_free(&rows);
	buf_free(&b);
}

/* The rule's next finding is a new one. */
static void forget_streams(struct book_host *h, int cause)
{
	struct stream **p = &h->streams;

	while (*p) {
		struct stream *s = *p;

		if (case_cause_index(s->told->rule->cause) != cause) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		told_free(s->told);
		free(s);
	}
}

void engine_close_case(struct engine *g, uint32_t id)
{
	for (size_t i = 0; i < book_count(g->book); i++) {
		struct book_case *c = book_at(g->book, i);

		if (c->c.id == id && c->of->open[c->cause] == c)
			forget_streams(c->of, c->cause);
	}
	book_close(g->book, id);
}
