/* filing.c - channels and event ids that a check needs.
 *
 * Why: of thousands of rules a handful speak of this channel and event id.
 * Promises: never leaves out a place where the check could hold; what needs neither is filed under any.
 * Refuses: to be clever; plans and conditions decide. */
#include "rules/match/filing.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define IDS 256 /* of one condition that are worth a plan each: every plan repeats what its channel's other checks need */

static void add_filed(struct filing *f, const struct filed *one)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 1024;
		f->list = xrealloc(f->list, f->cap, sizeof *f->list);
	}
	f->list[f->n++] = *one;
}

static bool item_ids(struct filing *f, const struct item *it)
{
	if (it->negated || it->exists || !it->fields || !text_same(it->field, "EventID"))
		return false;
	for (size_t i = 0; i < it->n; i++) {
		const struct number *n = &it->values[i].number;

		if (it->values[i].kind != VALUE_NUMBER || !n->whole || n->negative || n->size == 0 || n->size > UINT32_MAX)
			return false;
	}
	for (size_t i = 0; i < it->n; i++) {
		if (f->n_ids == f->ids_cap) {
			f->ids_cap = f->ids_cap ? 2 * f->ids_cap : 16;
			f->ids = xrealloc(f->ids, f->ids_cap, sizeof *f->ids);
		}
		f->ids[f->n_ids++] = (uint32_t)it->values[i].number.size;
	}
	return true;
}

/* Event ids of which one is needed for the tree to hold; false: it may hold for any. */
static bool needed_ids(struct filing *f, const struct node *n)
{
	size_t before = f->n_ids;

	if (n->kind == NODE_ITEM)
		return item_ids(f, n->item);
	if (n->kind == NODE_NOT || n->kind == NODE_SOME)
		return false;
	for (size_t i = 0; i < n->n; i++) {
		bool needed = needed_ids(f, n->kids[i]);

		if (n->kind == NODE_AND && needed)
			return true;
		if (n->kind == NODE_OR && !needed) {
			f->n_ids = before;
			return false;
		}
	}
	return n->kind == NODE_OR;
}

static void file_source(struct filing *f, const struct log_source *s, uint32_t check)
{
	const uint32_t *ids = s->n_ids ? s->ids : f->ids;
	size_t n_ids = s->n_ids ? s->n_ids : f->n_ids;

	for (size_t c = 0; c < (s->n_channels ? s->n_channels : 1); c++)
		for (size_t i = 0; i < (n_ids ? n_ids : 1); i++) {
			struct filed one = {.check = check, .has_id = n_ids > 0, .id = n_ids ? ids[i] : 0};

			if (s->n_channels)
				one.channel = names_add(f->channels, s->channels[c], strlen(s->channels[c]));
			add_filed(f, &one);
		}
}

void file_check(struct filing *f, uint32_t check)
{
	const struct check *k = &f->rs->program->checks[check];
	const struct compiled *c = f->rs->rules[k->rule];
	const struct log_set *set = c->category ? c->category : c->service ? c->service : c->product;

	f->n_ids = 0;
	if (!set || !needed_ids(f, c->condition) || f->n_ids > IDS)
		f->n_ids = 0;
	for (size_t i = 0; set && i < set->n; i++)
		if (!c->category || i == k->variant)
			file_source(f, &set->sources[i], check);
	if (!set)
		file_source(f, &(struct log_source){0}, check);
}
