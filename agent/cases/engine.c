/* engine.c - from events to findings and cases.
 *
 * Why: one way for `scan` and `run`; they differ only in when things are decided, and how often they are told.
 * Promises: every match of a rule becomes a finding, a part of a correlation, a count in a case, or is counted as explained.
 * Refuses: nothing that an event says can make more of a rule than its `then:` allows. */
#include "cases/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cases/engine_private.h"

void list_add(struct list *l, void *p)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->p = xrealloc(l->p, l->cap, sizeof *l->p);
	}
	l->p[l->n++] = p;
}

/* A consequence waits for the case that explains it. A scan keeps all it matched anyway. */
static bool may_wait(const struct engine *g, const struct rule *r)
{
	return r->consequence && (g->o.scan || g->waiting.n < WAITING_MOST);
}

static void on_fired(void *arg, const struct fired *f)
{
	struct engine *g = arg;

	if (!f->by_host) {
		hosts_learn(g->hosts, f->match->host);
		f->match->host = hosts_name(g->hosts, f->match->host);
	}
	if (g->sink.fired)
		g->sink.fired(g->sink.arg, f->rule);
	if (f->rule->shadow) {
		noise_shadow(g->noise, f->rule, f->last);
		return;
	}
	if (f->rule->then & THEN_REMEMBER) {
		struct told *t = told_of_group(f);

		book_remember(g->book, book_host(g->book, f->match->host), t);
		told_free(t);
	}
	book_seen(book_host(g->book, f->match->host), f->rule, f->last);
	if (!f->rule->silent && noise_silenced(g->noise, f->match, NULL))
		return;
	if (may_wait(g, f->rule))
		list_add(&g->waiting, told_of_group(f));
	else if (!f->rule->silent)
		engine_raise(g, told_of_group(f), f->entries, f->n);
}

void engine_build(struct engine *g)
{
	struct correlator_options co = {.rules = g->o.rules, .memory_cap = g->o.memory_cap, .one_clock = g->o.scan, .stored = g->o.stored,
					.arg = g, .fired = on_fired};

	g->pool = co.pool = strings_new();
	g->hosts = hosts_new(g->o.hosts, g->o.n_hosts, g->pool, !g->o.scan);
	g->matcher = matcher_new(g->o.rules);
	g->corr = correlator_new(&co);
	g->book = book_new(g->pool);
	g->noise = noise_new(g->o.rules, g->hosts, &g->sink);
	g->marks = watermarks_new(g->o.idle_after);
}

static void free_matches(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		match_unref(l->p[i]);
	free(l->p);
	*l = (struct list){0};
}

static void free_told(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		told_free(l->p[i]);
	free(l->p);
	*l = (struct list){0};
}

void engine_unbuild(struct engine *g)
{
	struct engine_counts now;

	engine_counts(g, &now);
	g->counts.evicted = now.evicted;
	g->counts.incomplete = now.incomplete;
	free_told(&g->told);
	free_matches(&g->kept);
	free_told(&g->waiting);
	watermarks_free(g->marks);
	book_free(g->book);
	noise_free(g->noise);
	correlator_free(g->corr);
	matcher_free(g->matcher);
	hosts_free(g->hosts);
	strings_free(g->pool);
	for (size_t i = 0; i < g->pools.n; i++)
		strings_free(g->pools.p[i]);
	free(g->pools.p);
	g->pools = (struct list){0};
}

struct engine *engine_new(const struct engine_options *options, const struct engine_sink *sink)
{
	struct engine *g = xcalloc(1, sizeof *g);

	g->o = *options;
	g->sink = *sink;
	if (g->o.memory_cap == 0)
		g->o.memory_cap = UINT64_C(256) << 20;
	buf_init(&g->words, 64u << 10);
	engine_build(g);
	return g;
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	engine_unbuild(g);
	buf_free(&g->words);
	free(g);
}

void engine_event(struct engine *g, const struct event *ev)
{
	const uint32_t *hits;
	size_t n = matcher_run(g->matcher, ev, &hits);
	int64_t now = g->o.scan ? 0 : clock_wall(g->o.clock);

	g->counts.events++;
	if (!g->o.scan) {
		hosts_learn(g->hosts, ev->computer);
		g->counts.late += watermarks_see(g->marks, hosts_name(g->hosts, ev->computer), ev->source, ev->channel,
						 ev->time < now ? ev->time : now, now);
	}
	for (size_t i = 0; i < n; i++) {
		struct match *m = match_new(g->pool, g->o.rules, ruleset_rule(g->o.rules, hits[i]), ev);

		g->counts.matches++;
		if (g->o.scan) {
			list_add(&g->kept, m);
			continue;
		}
		run_event(g, m, ev, now);
		match_unref(m);
	}
}

static void note_remembered(struct engine *g, struct match *m, struct book_host *h)
{
	struct told *t;

	book_seen(h, m->rule, m->time);
	if (!(m->rule->then & THEN_REMEMBER))
		return;
	t = told_of_match(m);
	book_remember(g->book, h, t);
	told_free(t);
}

/* What a match says by itself, beside its part in correlations. */
static void take_alone(struct engine *g, struct match *m, const struct event *ev)
{
	const struct rule *r = m->rule;
	struct book_host *h = book_host(g->book, m->host);

	note_remembered(g, m, h);
	if (!r->silent && noise_silenced(g->noise, m, ev))
		return;
	if (may_wait(g, r))
		list_add(&g->waiting, told_of_match(m));
	else if (r->silent && r->cause)
		book_tally(h, case_cause_index(r->cause), m);
	else if (!r->silent)
		engine_raise(g, told_of_match(m), &m, 1);
}

void engine_take(struct engine *g, struct match *m, const struct event *ev)
{
	if (strcmp(m->host, MATCH_NO_HOST) == 0)
		g->counts.no_host++;
	if (m->rule->shadow)
		noise_shadow(g->noise, m->rule, m->time);
	else
		take_alone(g, m, ev);
	correlator_add(g->corr, m);
}

bool engine_explains(struct engine *g, struct told *t)
{
	struct book_host *h = book_host(g->book, t->match->host);
	int cause = case_cause_index(t->rule->consequence);

	if (!book_explains(h, cause))
		return false;
	g->counts.explained++;
	if (t->n_entries == 0)
		book_tally(h, cause, t->match);
	for (size_t i = 0; i < t->n_entries; i++)
		book_tally(h, cause, t->entries[i]);
	told_free(t);
	return true;
}

void engine_raise(struct engine *g, struct told *t, struct match *const *events, size_t n)
{
	if (t->rule->silent) { /* a consequence that nothing explains, of a rule that only correlations ask for */
		told_free(t);
		return;
	}
	struct book_host *h = book_host(g->book, t->match->host);
	struct book_case *c = NULL;
	bool opened = false;

	g->counts.findings++;
	if (t->rule->cause)
		c = book_finding(g->book, h, t, events, n, &opened);
	g->counts.cases += opened;
	if (g->o.scan)
		list_add(&g->told, t);
	else
		run_told(g, t, c, opened);
}

void engine_tick(struct engine *g)
{
	if (!g->o.scan)
		run_tick(g, false);
}

void engine_finish(struct engine *g)
{
	if (g->o.scan)
		scan_decide(g);
	else
		run_tick(g, true);
}

size_t engine_cases(const struct engine *g)
{
	return book_count(g->book);
}

const struct case_ *engine_case(const struct engine *g, size_t i)
{
	return book_view(g->book, book_at(g->book, i));
}

void engine_counts(const struct engine *g, struct engine_counts *c)
{
	struct correlator_counts n;

	*c = g->counts;
	correlator_counts(g->corr, &n);
	c->evicted += n.cut + n.evicted;
	c->incomplete += n.incomplete;
	noise_counts(g->noise, c);
}

void engine_silences(struct engine *g, const struct json *list)
{
	noise_silences(g->noise, list, clock_wall(g->o.clock));
}

void engine_noise(const struct engine *g, struct json_out *o, const char *key)
{
	noise_save(g->noise, o, key);
}

const struct held_back *engine_held_back(const struct engine *g, const struct rule *r)
{
	return noise_of(g->noise, r);
}
