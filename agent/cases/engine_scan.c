/* engine_scan.c - deciding when everything is in.
 *
 * Why: files come in any order, and one event may stand in two of them; the answer must depend on the events alone.
 * Promises: matches are taken in event time, each once; at the end every window closes; findings and cases come in order of time.
 * Refuses: nothing. */
#include <stdlib.h>
#include <string.h>

#include "cases/engine_private.h"

static int order(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_event(const void *a, const void *b)
{
	const struct match *x = *(struct match *const *)a, *y = *(struct match *const *)b;
	int o = match_by_event(x, y);

	if (o == 0)
		o = order(x->rule->index, y->rule->index);
	return o ? o : strcmp(x->origin->source, y->origin->source);
}

static void sort_once(struct list *l)
{
	size_t k = 0;

	if (l->n == 0)
		return;
	qsort(l->p, l->n, sizeof *l->p, by_event);
	for (size_t i = 1; i < l->n; i++) {
		struct match *last = l->p[k], *m = l->p[i];

		if (m->rule == last->rule && match_same_event(m, last))
			match_unref(m); /* the same event in another file */
		else
			l->p[++k] = m;
	}
	l->n = k + 1;
}

static void settle_hosts(struct engine *g)
{
	for (size_t i = 0; i < g->kept.n; i++) {
		const struct match *m = g->kept.p[i];

		hosts_learn(g->hosts, m->reporter);
		hosts_learn(g->hosts, m->host);
	}
	for (size_t i = 0; i < g->kept.n; i++) {
		struct match *m = g->kept.p[i];

		m->host = hosts_name(g->hosts, m->host);
		m->reporter = hosts_name(g->hosts, m->reporter);
	}
}

static int64_t upto_now(void *arg, const char *host, const char *reporter)
{
	const struct match *now = arg;

	(void)host;
	(void)reporter;
	return now->time;
}

static void settle_consequences(struct engine *g)
{
	for (size_t i = 0; i < g->waiting.n; i++) {
		struct told *t = g->waiting.p[i];

		if (!engine_explains(g, t))
			engine_raise(g, t, NULL, 0); /* has no cause: no case to give events to */
	}
	g->waiting.n = 0;
}

static int by_time(const void *a, const void *b)
{
	const struct told *x = *(struct told *const *)a, *y = *(struct told *const *)b;
	int o = order(x->time, y->time);

	return o ? o : memcmp(x->uid, y->uid, sizeof x->uid);
}

void scan_decide(struct engine *g)
{
	sort_once(&g->kept);
	settle_hosts(g);
	for (size_t i = 0; i < g->kept.n; i++) {
		struct match *m = g->kept.p[i];

		if (correlator_due(g->corr) < m->time)
			correlator_pass(g->corr, m->time, upto_now, m);
		engine_take(g, m, NULL);
	}
	correlator_finish(g->corr);
	settle_consequences(g);
	if (g->told.n)
		qsort(g->told.p, g->told.n, sizeof *g->told.p, by_time);
	for (size_t i = 0; i < g->told.n; i++) {
		struct finding f;

		told_finding(g->told.p[i], &f, &g->words);
		if (g->sink.finding)
			g->sink.finding(g->sink.arg, &f, false);
	}
	book_sort(g->book);
	for (size_t i = 0; i < book_count(g->book); i++)
		if (g->sink.case_changed)
			g->sink.case_changed(g->sink.arg, book_view(g->book, book_at(g->book, i)));
}
