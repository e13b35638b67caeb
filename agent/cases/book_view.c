/* book_view.c - cases as others see them.
 *
 * Why: state, count and what happened before follow from what was noted down; they are worked out when somebody asks.
 * Promises: a case counts as healed when the repair was seen after its last symptom; then it asks for nothing.
 * Refuses: nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cases/book_private.h"

const struct case_ *book_view(struct book *b, struct book_case *c)
{
	struct case_ *v = &c->c;

	(void)b;
	v->count = c->tally.count;
	v->first = c->tally.first;
	v->last = c->tally.last;
	v->seen = c->tally.seen;
	for (int i = 0; i < 16; i++) /* what was seen of the host within a day, whatever its rule's cause */
		if (c->of->seen_at[i] && llabs(c->of->seen_at[i] - v->last) <= US_DAY)
			v->seen |= 1u << i;
	v->has_thumbprint = c->tally.has_thumbprint;
	memcpy(v->thumbprint, c->tally.thumbprint, sizeof v->thumbprint);
	v->port = c->tally.port;
	v->state = c->healed_at > c->last_symptom ? CASE_HEALED : CASE_OPEN;
	v->asks_diagnosis = c->asked && v->state == CASE_OPEN;
	v->reported_by = c->reporters;
	v->findings = (const uint8_t (*)[32])c->findings;
	v->before = c->of->before;
	v->n_before = 0;
	while (v->n_before < c->of->n_before && v->before[v->n_before].time <= v->last)
		v->n_before++;
	return v;
}

size_t book_count(const struct book *b)
{
	return b->n;
}

struct book_case *book_at(const struct book *b, size_t i)
{
	return b->cases[i];
}

static int by_first(const void *a, const void *b)
{
	const struct book_case *x = *(struct book_case *const *)a, *y = *(struct book_case *const *)b;
	int order;

	if (x->tally.first != y->tally.first)
		return x->tally.first < y->tally.first ? -1 : 1;
	order = strcmp(x->c.host, y->c.host);
	return order ? order : x->cause - y->cause;
}

void book_sort(struct book *b)
{
	if (b->n)
		qsort(b->cases, b->n, sizeof(struct book_case *), by_first);
	for (size_t i = 0; i < b->n; i++)
		b->cases[i]->c.id = (uint32_t)i + 1;
}

void book_close(struct book *b, struct book_case *c)
{
	size_t i = 0;

	while (b->cases[i] != c)
		i++;
	memmove(b->cases + i, b->cases + i + 1, (--b->n - i) * sizeof(struct book_case *));
	c->of->open[c->cause] = NULL;
	c->of->closed_id[c->cause] = c->c.id;
	c->of->closed_at[c->cause] = c->tally.last;
	book_free_case(b, c);
}

void book_each_host(struct book *b, void (*each)(void *arg, struct book_host *h), void *arg)
{
	for (size_t i = 0; i < b->room; i++)
		for (struct book_host *h = b->buckets[i]; h; h = h->next)
			each(arg, h);
}
