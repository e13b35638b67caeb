/* match_plan.c - plans.
 *
 * Why: what can be known of an event from its channel and its id is known before it comes.
 * How: a check is filed under the channels and ids that its sources name, and its condition's EventIDs; a plan holds all checks of
 * its channel and id, without those that the id settles as false, by their witnesses. An event whose channel has a plan for its
 * id uses that, else the one for other ids; and beside it the plan of checks that name no channel.
 * Promises: never leaves out a rule that could hold. An event whose EventID is not one plain decimal number is asked for the witnesses of all rules.
 * Refuses: nothing. */
#include "rules/match/match_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/match/filing.h"
#include "rules/match/witness.h"

struct entry {
	uint64_t key; /* 0: empty */
	struct plan plan;
};

struct match_plans {
	struct arena *arena;
	struct names *channels;
	struct entry *entries; /* open addressing, at most half full */
	size_t room;
	struct plan everything;
};

static uint64_t key_of(uint16_t channel, bool has_id, uint32_t id)
{
	return (uint64_t)1 << 63 | (uint64_t)has_id << 62 | (uint64_t)channel << 32 | id;
}

static struct entry *entry_of(const struct match_plans *p, uint64_t key)
{
	size_t at = key * UINT64_C(0x9E3779B97F4A7C15) >> 40 & (p->room - 1);

	while (p->entries[at].key && p->entries[at].key != key)
		at = (at + 1) & (p->room - 1);
	return &p->entries[at];
}

static int by_place(const void *a, const void *b)
{
	const struct filed *x = a, *y = b;
	uint64_t i = key_of(x->channel, x->has_id, x->id), k = key_of(y->channel, y->has_id, y->id);

	if (i != k)
		return i < k ? -1 : 1;
	return x->check < y->check ? -1 : x->check > y->check;
}

/* --- one plan --- */

struct found { /* a sign and the check that it speaks for */
	struct sign sign;
	uint32_t check;
};

struct drawing {
	const struct ruleset *rs;
	struct arena *arena;
	struct witnesses *w;
	struct found *found;
	size_t n, cap;
	uint32_t *always;
	size_t n_always;
};

static int by_needle(const struct needle *x, const struct needle *y)
{
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == NEEDLE_NUMBER)
		return x->number < y->number ? -1 : x->number > y->number;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return x->n == 0 || x->text == y->text ? 0 : memcmp(x->text, y->text, x->n);
}

static int by_sign(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = x->sign.field < y->sign.field ? -1 : x->sign.field > y->sign.field;

	if (order == 0)
		order = by_needle(&x->sign.needle, &y->sign.needle);
	return order ? order : x->check < y->check ? -1 : x->check > y->check;
}

static void draw_check(struct drawing *d, uint32_t check)
{
	uint32_t root = d->rs->program->checks[check].root;
	enum settled settled = witness_settle(d->w, root);
	const struct sign *signs;
	size_t n;

	if (settled == SETTLED_NO)
		return;
	n = settled == SETTLED_YES ? 0 : witness_find(d->w, root, &signs);
	if (n == 0)
		d->always[d->n_always++] = check;
	if (d->n + n > d->cap) {
		d->cap = 2 * d->cap + n;
		d->found = xrealloc(d->found, d->cap, sizeof *d->found);
	}
	for (size_t i = 0; i < n; i++)
		d->found[d->n++] = (struct found){signs[i], check};
}

/* found[0..n) speak of one field. */
static struct scan scan_of(struct drawing *d, const struct found *f, size_t n)
{
	struct needle *list;
	uint32_t *first, *checks;
	size_t distinct = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || by_needle(&f[i - 1].sign.needle, &f[i].sign.needle) != 0;
	list = arena_alloc(d->arena, distinct * sizeof *list);
	first = arena_alloc(d->arena, (distinct + 1) * sizeof *first);
	checks = arena_alloc(d->arena, n * sizeof *checks);
	distinct = 0;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || by_needle(&f[i - 1].sign.needle, &f[i].sign.needle) != 0) {
			first[distinct] = (uint32_t)k;
			list[distinct++] = f[i].sign.needle;
		}
		if (k == first[distinct - 1] || checks[k - 1] != f[i].check)
			checks[k++] = f[i].check;
	}
	first[distinct] = (uint32_t)k;
	return (struct scan){f[0].sign.field, needles_new(d->arena, list, distinct), first, checks};
}

static struct plan draw(struct drawing *d, const struct filed *const *lists, const size_t *counts, size_t n_lists)
{
	struct plan p = {.n_always = 0};
	struct scan *scans;
	uint32_t *always;
	size_t fields = 0;

	d->n = d->n_always = 0;
	for (size_t l = 0; l < n_lists; l++)
		for (size_t i = 0; i < counts[l]; i++)
			draw_check(d, lists[l][i].check);
	if (d->n)
		qsort(d->found, d->n, sizeof *d->found, by_sign);
	for (size_t i = 0; i < d->n; i++)
		fields += i == 0 || d->found[i].sign.field != d->found[i - 1].sign.field;
	scans = arena_alloc(d->arena, fields * sizeof *scans + 1);
	for (size_t i = 0, k; i < d->n; i = k) {
		for (k = i; k < d->n && d->found[k].sign.field == d->found[i].sign.field; k++)
			continue;
		scans[p.n_scans++] = scan_of(d, d->found + i, k - i);
	}
	if (p.n_scans && scans[p.n_scans - 1].field == FIELD_ANY) /* the highest of ids */
		p.keywords = &scans[--p.n_scans];
	always = arena_alloc(d->arena, d->n_always * sizeof *always + 1);
	if (d->n_always)
		memcpy(always, d->always, d->n_always * sizeof *always);
	p.scans = scans;
	p.always = always;
	p.n_always = d->n_always;
	return p;
}

/* --- all plans --- */

/* The run of list from `from` that is filed under one place. */
static size_t run_of(const struct filing *f, size_t from)
{
	size_t k = from;

	while (k < f->n && f->list[k].channel == f->list[from].channel && f->list[k].has_id == f->list[from].has_id &&
	       f->list[k].id == f->list[from].id)
		k++;
	return k - from;
}

static size_t drop_doubles(struct filed *list, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_place(&list[k - 1], &list[i]) != 0)
			list[k++] = list[i];
	return k;
}

/* Where the checks of a channel stand that need no id. */
static size_t place_of(const struct filing *f, uint16_t channel, size_t *n)
{
	uint64_t key = key_of(channel, false, 0);
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		const struct filed *x = &f->list[at];

		if (key_of(x->channel, x->has_id, x->id) < key)
			low = at + 1;
		else
			high = at;
	}
	*n = low < f->n && f->list[low].channel == channel && !f->list[low].has_id ? run_of(f, low) : 0;
	return *n ? low : 0;
}

static void draw_all(struct match_plans *p, struct filing *f, struct drawing *d)
{
	for (size_t i = 0, n; i < f->n; i += n) {
		const struct filed *at = &f->list[i], *lists[2] = {at, NULL};
		size_t counts[2] = {0, 0}, others;
		struct entry *en = entry_of(p, key_of(at->channel, at->has_id, at->id));

		counts[0] = n = run_of(f, i);
		if (at->has_id) {
			others = place_of(f, at->channel, &counts[1]);
			lists[1] = &f->list[others];
		}
		witnesses_for_id(d->w, at->has_id ? &at->id : NULL);
		en->key = key_of(at->channel, at->has_id, at->id);
		en->plan = draw(d, lists, counts, 2);
	}
}

struct match_plans *match_plans_new(const struct ruleset *rs)
{
	struct match_plans *p = xcalloc(1, sizeof *p);
	struct filing f = {.rs = rs};
	struct drawing d = {.rs = rs, .w = witnesses_new(rs->program)};
	size_t n = rs->program->n_checks;
	struct filed *all;
	const struct filed *lists[1];

	p->arena = d.arena = arena_new(1u << 18);
	p->channels = f.channels = names_new();
	for (uint32_t i = 0; i < n; i++)
		file_check(&f, i);
	if (f.n)
		qsort(f.list, f.n, sizeof *f.list, by_place);
	f.n = drop_doubles(f.list, f.n);
	for (p->room = 64; p->room < 2 * f.n; p->room *= 2)
		continue;
	p->entries = xcalloc(p->room, sizeof *p->entries);
	d.always = xcalloc(2 * n + 1, sizeof *d.always);
	draw_all(p, &f, &d);
	all = xcalloc(n + 1, sizeof *all);
	for (uint32_t i = 0; i < n; i++)
		all[i].check = i;
	lists[0] = all;
	witnesses_for_id(d.w, NULL);
	p->everything = draw(&d, lists, &n, 1);
	free(all);
	witnesses_free(d.w);
	free(d.found);
	free(d.always);
	free(f.list);
	free(f.ids);
	return p;
}

void match_plans_free(struct match_plans *p)
{
	if (!p)
		return;
	names_free(p->channels);
	arena_free(p->arena);
	free(p->entries);
	free(p);
}

/* Is the event's one EventID the number that the plans go by, in plain decimal? */
static bool plain_id(struct view *v)
{
	uint16_t at = v->id_event_id ? view_first(v, v->id_event_id) : VIEW_NONE;
	const struct event_field *f;
	uint32_t id = v->ev->event_id;

	if (id == 0)
		return false;
	if (at == VIEW_NONE || view_next(v, at) != VIEW_NONE)
		return v->id_event_id == 0;
	f = view_field(v, at);
	for (uint32_t n = f->len; n > 0; n--, id /= 10)
		if (f->value[n - 1] != (char)('0' + id % 10) || id == 0)
			return false;
	return id == 0 && f->len > 0;
}

static size_t find(const struct match_plans *p, uint16_t channel, uint32_t id, const struct plan **to)
{
	const struct entry *en = entry_of(p, key_of(channel, true, id));

	if (!en->key)
		en = entry_of(p, key_of(channel, false, 0));
	*to = &en->plan;
	return en->key != 0;
}

size_t match_plans_find(const struct match_plans *p, struct view *v, const struct plan *to[2])
{
	uint16_t channel;
	size_t n = 0;

	if (!plain_id(v)) {
		to[0] = &p->everything;
		return 1;
	}
	channel = names_find(p->channels, v->ev->channel, strlen(v->ev->channel));
	if (channel)
		n = find(p, channel, v->ev->event_id, &to[0]);
	return n + find(p, 0, v->ev->event_id, &to[n]);
}
