/* book.c - cases by host and cause.
 *
 * Why: a person wants one case for one trouble, however many events speak of it.
 * Promises: an event counts once in a case, whatever number of rules it matched; order of arrival changes no result but numbers.
 * Refuses: to open a case for silent matches, or because something was healed. */
#include "cases/book.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cases/book_private.h"
#include "cases/hint.h"
#include "tls/digest.h"

struct book *book_new(struct strings *pool, size_t bytes)
{
	struct book *b = xcalloc(1, sizeof *b);

	b->pool = pool;
	b->most_bytes = bytes;
	b->seed = hash_seed_draw();
	book_grow(b);
	b->next_id = 1;
	buf_init(&b->scratch, 64u << 10);
	return b;
}

/* A power of two that is as many uids as n, and more. */
static size_t findings_bytes(size_t n)
{
	size_t room = n > 0;

	while (room < n)
		room *= 2;
	return room * 32;
}

void book_free_case(struct book *b, struct book_case *c)
{
	b->bytes -= sizeof *c + findings_bytes(c->c.n_findings);
	free(c->findings);
	free(c);
}

void book_free(struct book *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->room; i++)
		while (b->buckets[i]) {
			struct book_host *h = b->buckets[i];

			b->buckets[i] = h->next;
			book_free_host(b, h);
		}
	for (size_t i = 0; i < b->n; i++)
		book_free_case(b, b->cases[i]);
	free(b->buckets);
	free(b->cases);
	buf_free(&b->scratch);
	free(b);
}

#define SPARED_REMEMBERED 3

static void clear_tally(struct tally *t)
{
	*t = (struct tally){.healed_at = INT64_MIN};
}

static struct book_host **bucket_of(const struct book *b, const char *host)
{
	return &b->buckets[hash_bytes(&b->seed, host, strlen(host)) & (b->room - 1)];
}

struct book_host *book_find(const struct book *b, const char *host)
{
	struct book_host *h = *bucket_of(b, host);

	while (h && strcmp(h->name, host) != 0)
		h = h->next;
	return h;
}

static struct book_host *make_host(struct book *b, const char *host)
{
	struct book_host *h = xcalloc(1, sizeof *h), **at;

	if (b->counts.hosts >= b->room)
		book_grow(b);
	at = bucket_of(b, host);
	h->name = strings_add(b->pool, host);
	for (int i = 0; i < BOOK_CAUSES; i++)
		clear_tally(&h->tallies[i]);
	h->next = *at;
	*at = h;
	b->counts.hosts++;
	b->bytes += sizeof *h;
	return h;
}

struct book_host *book_host(struct book *b, const char *host)
{
	struct book_host *h = book_find(b, host);

	if (!h && book_has_room(b))
		h = make_host(b, host);
	if (h)
		h->spared = h->n_before ? SPARED_REMEMBERED : 1;
	return h;
}

void book_ours(struct book *b, const char *host)
{
	struct book_host *h = book_find(b, host);

	(h ? h : make_host(b, host))->ours = true;
}

void book_seen(struct book_host *h, const struct rule *r, int64_t time)
{
	for (int i = 0; i < 16; i++)
		if ((r->seen >> i & 1) && time > h->seen_at[i])
			h->seen_at[i] = time;
}

static void forget_old(struct book *b, struct book_host *h, int64_t newest)
{
	size_t n = 0;

	if (!h->before)
		book_before_room(b, h);

	while (n < h->n_before && h->before[n].time < newest - REMEMBER_FOR)
		n++;
	if (n == 0 && h->n_before == CASE_BEFORE)
		n = 1;
	for (size_t i = 0; i < n; i++)
		b->bytes -= book_before_bytes(&h->before[i]);
	memmove(h->before, h->before + n, (h->n_before - n) * sizeof h->before[0]);
	h->n_before -= n;
}

void book_remember(struct book *b, struct book_host *h, const struct told *t)
{
	struct case_before one = {.time = t->time, .title = strings_add(b->pool, t->rule->title),
				  .rule = strings_add(b->pool, t->rule->name)};
	size_t at;

	one.what = one.title;
	if (t->rule->hint) {
		buf_reset(&b->scratch);
		hint_fill(t->rule->hint, t->match, t->count, &b->scratch);
		one.what = strings_add(b->pool, buf_text(&b->scratch));
	}
	memcpy(one.uid, t->uid, sizeof one.uid);
	for (size_t i = 0; i < h->n_before; i++)
		if (memcmp(h->before[i].uid, one.uid, sizeof one.uid) == 0)
			return;
	if (h->n_before == CASE_BEFORE && t->time < h->before[0].time)
		return;
	forget_old(b, h, h->n_before && h->before[h->n_before - 1].time > t->time ? h->before[h->n_before - 1].time : t->time);
	for (at = h->n_before; at > 0 && h->before[at - 1].time > t->time; at--)
		h->before[at] = h->before[at - 1];
	h->before[at] = one;
	h->n_before++;
	b->bytes += book_before_bytes(&one);
}

static void add_span(struct tally *t, int64_t first, int64_t last)
{
	if (t->first == 0 || first < t->first)
		t->first = first;
	if (last > t->last)
		t->last = last;
}

/* Counts the event once for this cause. */
static void count_event(struct tally *t, int cause, struct match *m)
{
	if (m->counted & 1u << cause)
		return;
	m->counted = (uint8_t)(m->counted | 1u << cause);
	t->count++;
}

static void add_traits(struct tally *t, const struct match *m)
{
	t->seen |= m->rule->seen;
	if (!t->has_thumbprint)
		t->has_thumbprint = hint_thumbprint(m, t->thumbprint);
	if (!t->port)
		t->port = hint_port(m);
}

/* What no case took within a day is no part of the next one; that something was healed stays known. */
static void let_go(struct tally *t, int64_t now)
{
	if (t->last && now - t->last > US_DAY)
		*t = (struct tally){.healed_at = t->healed_at};
}

void book_tally(struct book_host *h, int cause, struct match *m)
{
	struct tally *t = h->open[cause] ? &h->open[cause]->tally : &h->tallies[cause];

	if (!h->open[cause])
		let_go(t, m->time);
	count_event(t, cause, m);
	add_span(t, m->time, m->time);
	add_traits(t, m);
	if (h->open[cause])
		book_reporter(h->open[cause], m->reporter);
}

bool book_explains(const struct book_host *h, int cause)
{
	return h->open[cause] != NULL;
}

void book_reporter(struct book_case *c, const char *reporter)
{
	for (size_t i = 0; i < c->c.n_reported_by; i++)
		if (c->reporters[i] == reporter)
			return;
	if (c->c.n_reported_by < BOOK_REPORTERS && *reporter)
		c->reporters[c->c.n_reported_by++] = reporter;
}

void book_add(struct book *b, struct book_case *c)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->cases = xrealloc(b->cases, b->cap, sizeof(struct book_case *));
	}
	b->cases[b->n++] = c;
	b->bytes += sizeof *c + findings_bytes(c->c.n_findings);
}

static struct book_case *open_case(struct book *b, struct book_host *h, int cause, const struct told *t)
{
	const struct match *last = t->n_entries ? t->entries[t->n_entries - 1] : t->match;
	const int64_t first = t->first;
	struct book_case *c = xcalloc(1, sizeof *c);
	struct digest *d = digest_new();

	book_add(b, c);
	h->open[cause] = c;
	c->of = h;
	c->cause = cause;
	let_go(&h->tallies[cause], first);
	c->tally = h->tallies[cause];
	c->healed_at = c->tally.healed_at;
	clear_tally(&h->tallies[cause]);
	c->last_symptom = INT64_MIN;
	c->c.id = b->next_id++;
	c->c.host = h->name;
	c->c.cause = case_causes[cause];
	c->c.source = strings_add(b->pool, last->origin->source);
	c->c.reopens = h->closed_id[cause];
	digest_add_str(d, h->name);
	digest_add_str(d, c->c.cause);
	digest_add_int(d, first);
	digest_finish(d, c->c.uid);
	return c;
}

/* The words of a case: those of its gravest finding, a correlation's before an event's, then the earliest. */
static bool better(const struct book_case *c, const struct told *t)
{
	if (c->c.n_findings == 0 || t->rule->level != c->c.confidence)
		return c->c.n_findings == 0 || t->rule->level > c->c.confidence;
	if (t->rule->kind != c->best_kind)
		return t->rule->kind == RULE_CORRELATION;
	return t->first < c->best_time;
}

static void list_finding(struct book *b, struct book_case *c, const struct told *t)
{
	size_t n = c->c.n_findings;

	if (n >= CASE_FINDINGS)
		return;
	if ((n & (n - 1)) == 0)
		c->findings = xrealloc(c->findings, n ? 2 * n : 1, sizeof c->findings[0]);
	memcpy(c->findings[c->c.n_findings++], t->uid, sizeof t->uid);
	b->bytes += findings_bytes(n + 1) - findings_bytes(n);
}

static void take_words(struct book *b, struct book_case *c, const struct told *t)
{
	c->c.confidence = t->rule->level;
	c->best_kind = t->rule->kind;
	c->best_time = t->first;
	buf_reset(&b->scratch);
	if (t->rule->hint)
		hint_fill(t->rule->hint, t->match, t->count, &b->scratch);
	else
		buf_str(&b->scratch, t->rule->title);
	c->c.hint = strings_add(b->pool, buf_text(&b->scratch));
}

struct book_case *book_finding(struct book *b, struct book_host *h, const struct told *t, struct match *const *events, size_t n,
	bool *opened)
{
	int cause = case_cause_index(t->rule->cause);
	bool healed = t->rule->then & THEN_HEALED;
	struct book_case *c = h->open[cause];

	*opened = !c && !healed;
	if (*opened)
		c = open_case(b, h, cause, t);
	struct tally *tally = c ? &c->tally : &h->tallies[cause];

	for (size_t i = 0; i < n; i++)
		count_event(tally, cause, events[i]);
	add_span(tally, t->first, t->last);
	add_traits(tally, t->match);
	if (healed && t->time > (c ? c->healed_at : tally->healed_at))
		*(c ? &c->healed_at : &tally->healed_at) = t->time;
	if (!c)
		return NULL;
	for (size_t i = 0; i < n; i++)
		book_reporter(c, events[i]->reporter);
	if (!healed) {
		if (better(c, t))
			take_words(b, c, t);
		if (t->time > c->last_symptom)
			c->last_symptom = t->time;
		c->asked = c->asked || ((t->rule->then & THEN_DIAGNOSE) && !t->match->replay);
	}
	list_finding(b, c, t);
	return c;
}
