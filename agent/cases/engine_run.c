/* engine_run.c - deciding while events come in.
 *
 * Why: `run` must tell at once, but not once for each of ten thousand equal events.
 * Promises: the first finding of a rule about a host is told at once, later ones as updates with a count; decisions that need
 * silence wait for the watermark. What was quiet for a day is forgotten: the next one is told as new.
 * Refuses: to start anything on events older than replay_after: they are told with `replay`; to merge findings of a host that found no
 * room in the book: each is told. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cases/engine_private.h"

void run_event(struct engine *g, struct match *m, const struct event *ev, int64_t now)
{
	m->replay = g->o.replay_after > 0 && m->time < now - g->o.replay_after;
	hosts_learn(g->hosts, m->host);
	m->host = hosts_name(g->hosts, m->host);
	m->reporter = hosts_name(g->hosts, m->reporter);
	engine_take(g, m, ev);
}

static void tell_case(struct engine *g, struct book_case *c, int64_t now)
{
	c->told_at = now;
	c->told_count = c->tally.count;
	if (g->sink.case_changed)
		g->sink.case_changed(g->sink.arg, book_view(g->book, c));
}

static void tell_stream(struct engine *g, struct stream *s, bool update, int64_t now)
{
	struct finding f;

	told_finding(s->told, &f, &g->words);
	s->sent = s->told->count;
	s->sent_at = now;
	if (g->sink.finding)
		g->sink.finding(g->sink.arg, &f, update);
}

static void tell_alone(struct engine *g, struct told *t)
{
	struct finding f;

	told_finding(t, &f, &g->words);
	if (g->sink.finding)
		g->sink.finding(g->sink.arg, &f, false);
	told_free(t);
}

static void add_entry(struct told *t, struct match *m)
{
	if (t->n_entries < FINDING_EVIDENCE)
		t->entries[t->n_entries++] = match_ref(m);
}

/* A told of an event becomes one that can take more. */
static void open_told(struct told *t)
{
	struct match **room = xcalloc(FINDING_EVIDENCE, sizeof(struct match *));

	memcpy(room, t->entries ? t->entries : &t->match, (t->entries ? t->n_entries : 1) * sizeof(struct match *));
	if (!t->entries) {
		match_ref(t->match);
		t->n_entries = 1;
	}
	free(t->entries);
	t->entries = room;
}

static void merge(struct told *to, struct told *from)
{
	to->count += from->count;
	to->first = from->first < to->first ? from->first : to->first;
	to->last = from->last > to->last ? from->last : to->last;
	for (size_t i = 0; i < from->n_entries; i++)
		add_entry(to, from->entries[i]);
	if (!from->n_entries)
		add_entry(to, from->match);
	if (!from->match->replay) {
		match_unref(to->match);
		to->match = match_ref(from->match);
	}
	told_free(from);
}

static struct rule_budget budget_of(const struct engine *g, const struct rule *r)
{
	const struct rule_budget one = {.count = 1};

	if (r->budget.count)
		return r->budget;
	return r->cause || !g->o.budget.count ? one : g->o.budget;
}

/* May this finding be told by itself? */
static bool fits(struct stream *s, const struct told *t, struct rule_budget b)
{
	if (s->ends || (b.per ? t->time - s->since >= b.per : t->time - s->told->last > STREAM_QUIET)) {
		s->since = t->time;
		s->n = 0;
	}
	return s->n < b.count;
}

/* Takes t's place in s (NULL: a new one of h), and tells it. */
static struct stream *begin_stream(struct engine *g, struct book_host *h, struct stream *s, struct told *t, int64_t now)
{
	if (!s) {
		s = xcalloc(1, sizeof *s);
		s->next = h->streams;
		s->since = t->time;
		h->streams = s;
	} else {
		if (s->told->count > s->sent)
			tell_stream(g, s, true, now); /* its last word */
		told_free(s->told);
	}
	open_told(t);
	s->told = t;
	s->n++;
	s->ends = false;
	tell_stream(g, s, false, now);
	return s;
}

void run_told(struct engine *g, struct book_host *h, struct told *t, struct book_case *c, bool opened)
{
	int64_t now = clock_wall(g->o.clock);
	const struct case_ *before = c ? &c->c : NULL;
	bool asked = before && before->asks_diagnosis;
	enum case_state state = before ? before->state : CASE_OPEN;
	struct rule_budget budget = budget_of(g, t->rule);
	struct stream *s = h ? h->streams : NULL;

	if (!h) {
		tell_alone(g, t);
		return;
	}
	while (s && s->told->rule != t->rule)
		s = s->next;
	if (s && !fits(s, t, budget)) {
		if (budget.per)
			noise_over(g->noise, t->rule, t->time);
		merge(s->told, t);
	} else {
		s = begin_stream(g, h, s, t, now);
		opened = true; /* a rule that the case has not told of yet */
	}
	book_weigh(g->book, s);
	if (!c)
		return;
	const struct case_ *after = book_view(g->book, c);

	if (opened || after->asks_diagnosis != asked || after->state != state)
		tell_case(g, c, now);
}

struct tick {
	struct engine *g;
	int64_t now;
	bool all;
};

static bool is_over(const void *arg, const struct stream *s)
{
	const struct tick *t = arg;
	int64_t per = budget_of(t->g, s->told->rule).per;

	return s->told->count <= s->sent && (s->ends || t->now - s->sent_at > (per > STREAM_QUIET ? per : STREAM_QUIET));
}

static void tick_host(void *arg, struct book_host *h)
{
	const struct tick *t = arg;

	for (struct stream *s = h->streams; s; s = s->next)
		if (s->told->count > s->sent && (t->all || t->now - s->sent_at >= t->g->o.update_every))
			tell_stream(t->g, s, true, t->now);
	book_drop_streams(t->g->book, h, is_over, t);
}

static bool is_of_cause(const void *arg, const struct stream *s)
{
	return case_cause_index(s->told->rule->cause) == *(const int *)arg && s->told->count <= s->sent;
}

void run_close(struct engine *g, struct book_case *c)
{
	struct book_host *h = c->of;

	book_drop_streams(g->book, h, is_of_cause, &c->cause);
	for (struct stream *s = h->streams; s; s = s->next)
		s->ends = s->ends || case_cause_index(s->told->rule->cause) == c->cause;
	book_close(g->book, c);
}

static int64_t upto_watermark(void *arg, const char *host, const char *reporter)
{
	const struct tick *t = arg;
	int64_t a = watermarks_of(t->g->marks, reporter, t->now), b = host == reporter ? a : watermarks_of(t->g->marks, host, t->now);

	return a < b ? a : b;
}

static void tick_waiting(struct tick *t)
{
	struct list *l = &t->g->waiting;
	struct list before = *l;

	*l = (struct list){0};
	for (size_t i = 0; i < before.n; i++) {
		struct told *w = before.p[i];

		if (engine_explains(t->g, w))
			continue;
		if (upto_watermark(t, w->match->host, w->match->reporter) > w->time + CONSEQUENCE_WAITS)
			engine_raise(t->g, w, NULL, 0); /* has no cause: no case to give events to */
		else
			list_add(l, w);
	}
	free(before.p);
}

void run_tick(struct engine *g, bool all)
{
	struct tick t = {.g = g, .now = clock_wall(g->o.clock), .all = all};

	noise_tick(g->noise, t.now);
	correlator_pass(g->corr, t.now, upto_watermark, &t);
	tick_waiting(&t);
	book_each_host(g->book, tick_host, &t);
	for (size_t i = book_count(g->book); i > 0; i--) {
		struct book_case *c = book_at(g->book, i - 1);

		if (c->tally.count > c->told_count && (all || t.now - c->told_at >= g->o.update_every))
			tell_case(g, c, t.now);
		else if (!c->of->ours && t.now - c->told_at > STREAM_QUIET) /* nobody else looks after it */
			run_close(g, c);
	}
	engine_room(g, t.now);
}
