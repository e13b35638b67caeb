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
#include "limits.h"

#define POOL_SHARE 16 /* of the memory cap: a pool is not renewed before it has so much */

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

/* NULL: its findings are told, and that is all. */
static struct book_host *place_for(struct engine *g, const char *host)
{
	struct book_host *h = book_host(g->book, host);

	g->counts.hosts_refused += !h;
	return h;
}

static void on_fired(void *arg, const struct fired *f)
{
	struct engine *g = arg;
	struct book_host *h;

	if (!f->by_host) {
		hosts_learn(g->hosts, f->match->host);
		f->match->host = hosts_name(g->hosts, f->match->host);
	}
	if (g->sink.fired)
		g->sink.fired(g->sink.arg, f);
	if (f->rule->shadow) {
		noise_shadow(g->noise, f->rule, f->last);
		return;
	}
	h = place_for(g, f->match->host);
	if (h && (f->rule->then & THEN_REMEMBER)) {
		struct told *t = told_of_group(f);

		book_remember(g->book, h, t);
		told_free(t);
	}
	if (h)
		book_seen(h, f->rule, f->last);
	if (!f->rule->silent && noise_silenced(g->noise, f->match, NULL))
		return;
	if (may_wait(g, f->rule))
		list_add(&g->waiting, told_of_group(f));
	else if (!f->rule->silent)
		engine_raise(g, told_of_group(f), f->entries, f->n);
}

static void on_taken(void *arg, const struct taken *t)
{
	const struct engine *g = arg;

	g->sink.taken(g->sink.arg, t);
}

void engine_build(struct engine *g)
{
	struct correlator_options co = {.rules = g->o.rules, .memory_cap = g->o.memory_cap, .one_clock = g->o.scan, .stored = g->o.stored,
					.arg = g, .fired = on_fired, .taken = g->sink.taken ? on_taken : NULL};

	g->pool = co.pool = strings_new();
	g->hosts = hosts_new(g->o.hosts, g->o.n_hosts, g->pool, !g->o.scan);
	g->matcher = matcher_new(g->o.rules);
	g->corr = correlator_new(&co);
	g->book = book_new(g->pool, g->o.scan ? 0 : g->o.memory_cap / LIMIT_HOSTS_SHARE);
	for (size_t i = 0; i < g->o.n_hosts && !g->o.scan; i++)
		book_ours(g->book, hosts_name(g->hosts, g->o.hosts[i].name));
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
	struct book_host *h = place_for(g, m->host);

	if (h)
		note_remembered(g, m, h);
	if (!r->silent && noise_silenced(g->noise, m, ev))
		return;
	if (may_wait(g, r))
		list_add(&g->waiting, told_of_match(m));
	else if (h && r->silent && r->cause)
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
	struct book_host *h = book_find(g->book, t->match->host);
	int cause = case_cause_index(t->rule->consequence);

	if (!h || !book_explains(h, cause))
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
	if (h && t->rule->cause)
		c = book_finding(g->book, h, t, events, n, &opened);
	g->counts.cases += opened;
	if (g->o.scan)
		list_add(&g->told, t);
	else
		run_told(g, h, t, c, opened);
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
	struct book_counts b;

	*c = g->counts;
	correlator_counts(g->corr, &n);
	book_counts(g->book, &b);
	c->groups = n.groups;
	c->group_bytes = n.bytes;
	c->late_groups += n.late;
	c->hosts = b.hosts;
	c->host_bytes = b.bytes + hosts_bytes(g->hosts) + strings_bytes(g->pool);
	c->hosts_evicted += b.evicted;
	c->evicted += n.cut + n.evicted;
	c->coarser += n.coarser;
	c->incomplete += n.incomplete;
	noise_counts(g->noise, c);
}

void engine_renew(struct engine *g)
{
	strings_renew(g->pool);
	hosts_renew(g->hosts);
	book_renew(g->book);
	correlator_renew(g->corr);
	for (size_t i = 0; i < g->waiting.n; i++)
		told_renew(g->waiting.p[i], g->pool);
	strings_renewed(g->pool);
	g->pool_after = strings_bytes(g->pool);
}

void engine_room(struct engine *g, int64_t now)
{
	struct engine_counts n;

	book_tidy(g->book, now);
	if (strings_bytes(g->pool) > g->o.memory_cap / POOL_SHARE && strings_bytes(g->pool) > 2 * g->pool_after)
		engine_renew(g);
	engine_counts(g, &n);
	correlator_beside(g->corr, n.host_bytes);
}

void engine_silences(struct engine *g, const struct json *list)
{
	noise_silences(g->noise, list, clock_wall(g->o.clock));
}

void engine_noise(const struct engine *g, struct json_out *o, const char *key)
{
	struct engine_counts n;

	engine_counts(g, &n);
	json_open(o, key, '{');
	noise_save(g->noise, o);
	json_open(o, "counts", '{');
	json_put_int(o, "events", (int64_t)n.events);
	json_put_int(o, "matches", (int64_t)n.matches);
	json_put_int(o, "late", (int64_t)n.late);
	json_put_int(o, "groups", (int64_t)n.groups);
	json_put_int(o, "group_bytes", (int64_t)n.group_bytes);
	json_put_int(o, "groups_late", (int64_t)n.late_groups);
	json_put_int(o, "groups_evicted", (int64_t)n.evicted);
	json_put_int(o, "coarser", (int64_t)n.coarser);
	json_put_int(o, "missing_field", (int64_t)n.incomplete);
	json_put_int(o, "hosts", (int64_t)n.hosts);
	json_put_int(o, "host_bytes", (int64_t)n.host_bytes);
	json_put_int(o, "hosts_evicted", (int64_t)n.hosts_evicted);
	json_put_int(o, "hosts_refused", (int64_t)n.hosts_refused);
	json_close(o, '}');
	json_close(o, '}');
}

const struct held_back *engine_held_back(const struct engine *g, const struct rule *r)
{
	return noise_of(g->noise, r);
}
