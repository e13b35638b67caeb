/* view.c - one event, looked at by a rule set.
 *
 * Why: hundreds of rules ask for the same few fields; finding and folding them once is most of the work saved.
 * Promises: the fields that event_next gives, in its order; no allocation for an event once the room has grown.
 * Refuses: nothing. */
#include "rules/match/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/compiled.h"

/* An index costs as much as so many searches of a long value. */
#define INDEX_AFTER 24

void view_init(struct view *v, const struct ruleset *rs)
{
	*v = (struct view){.rs = rs, .n_slots = names_count(rs->names) + 1};
	v->slots = xcalloc(v->n_slots, sizeof *v->slots);
	v->id_event_id = names_find(rs->names, "EventID", 7);
	v->id_provider = names_find(rs->names, "Provider_Name", 13);
	v->id_computer = names_find(rs->names, "Computer", 8);
}

void view_free(struct view *v)
{
	for (size_t i = 0; i < v->indexes_made; i++) {
		value_index_free(v->indexes[i]);
		free(v->indexes[i]);
	}
	free(v->indexes);
	free(v->slots);
	free(v->room);
}

/* These mean System, whatever the payload says; for all others payload wins (event_next). */
static bool always_system(const struct view *v, uint16_t id)
{
	return id == v->id_event_id || id == v->id_provider || id == v->id_computer;
}

static void put(struct view *v, const struct event_field *f, uint16_t at)
{
	struct slot *s = &v->slots[f->id];
	bool first = s->epoch != v->epoch;

	if (always_system(v, f->id)) {
		if (!f->system)
			return;
	} else if (!first && s->of_system != f->system) {
		if (f->system)
			return;
		first = true; /* payload takes the name over */
	}
	v->next[at] = VIEW_NONE;
	if (first)
		*s = (struct slot){v->epoch, at, at, f->system};
	else
		s->last = v->next[s->last] = at;
}

void view_begin(struct view *v, const struct event *ev)
{
	size_t bytes = 2 * strlen(ev->computer);

	if (++v->epoch == VIEW_EPOCHS) {
		memset(v->slots, 0, v->n_slots * sizeof *v->slots);
		memset(v->folded_at, 0, sizeof v->folded_at);
		v->epoch = 1;
	}
	v->ev = ev;
	v->positions = fields_find(&v->rs->fields, ev->provider, ev->event_id);
	for (size_t i = 0; i < ev->n; i++) {
		bytes += ev->fields[i].len;
		if (ev->fields[i].id)
			put(v, &ev->fields[i], (uint16_t)i);
	}
	bytes += bytes / 2 + ev->n + FOLDED_MORE;
	v->room_used = 0;
	v->n_indexes = 0;
	if (bytes > v->room_n) {
		free(v->room);
		v->room = xcalloc(bytes, 1);
		v->room_n = bytes;
	}
}

/* Label and domain of the computer: never the event's own fields of that name. */
static uint16_t own_field(struct view *v, uint16_t id)
{
	uint16_t at = id == v->rs->label_id ? VIEW_LABEL : VIEW_LABEL + 1;
	const char *name = v->ev->computer;
	size_t n = strcspn(name, ".");

	if (at == VIEW_LABEL) {
		v->own[0] = (struct event_field){.name = "ComputerLabel", .value = name, .len = (uint32_t)n, .id = id};
	} else {
		name += n + (name[n] == '.');
		n = strlen(name);
		v->own[1] = (struct event_field){.name = "ComputerDomain", .value = name, .len = (uint32_t)n, .id = id};
	}
	v->next[at] = VIEW_NONE;
	return n ? at : VIEW_NONE;
}

uint16_t view_first(struct view *v, uint16_t id)
{
	const struct slot *s = &v->slots[id];

	if (id == v->rs->label_id || id == v->rs->domain_id)
		return own_field(v, id);
	if (s->epoch == v->epoch)
		return s->first;
	for (size_t i = 0; v->positions && i < v->positions->n; i++)
		if (v->positions->alias[i].name == id) {
			s = &v->slots[v->positions->alias[i].means];
			return s->epoch == v->epoch ? s->first : VIEW_NONE;
		}
	return VIEW_NONE;
}

const struct event_field *view_field(const struct view *v, uint16_t at)
{
	return at >= VIEW_LABEL ? &v->own[at - VIEW_LABEL] : &v->ev->fields[at];
}

const struct folded *view_folded(struct view *v, uint16_t at)
{
	if (v->folded_at[at] != v->epoch) {
		const struct event_field *f = view_field(v, at);

		v->folded[at] = folded_of(f->value, f->len, v->room + v->room_used);
		v->room_used += v->folded[at].n;
		v->folded_at[at] = v->epoch;
	}
	return &v->folded[at];
}

static void add_index(struct view *v, struct folded *f)
{
	if (v->n_indexes == v->indexes_made) {
		v->indexes = xrealloc(v->indexes, v->indexes_made + 1, sizeof *v->indexes);
		v->indexes[v->indexes_made++] = xcalloc(1, sizeof **v->indexes);
	}
	value_index_make(v->indexes[v->n_indexes], f->text, f->n);
	f->index = v->indexes[v->n_indexes++];
}

void view_count(struct view *v, uint16_t at, uint32_t searches)
{
	struct folded *f = &v->folded[at];

	f->searches += searches;
	if (!f->index && f->searches >= INDEX_AFTER)
		add_index(v, f);
}

struct folded view_keywords(struct view *v, size_t least)
{
	const struct event *ev = v->ev;
	struct folded all = {.raw = "", .text = v->room + v->room_used};

	for (size_t i = 0; i < ev->n; i++) {
		if (ev->fields[i].derived || !view_may_have(&ev->fields[i], least))
			continue;
		all.high |= view_folded(v, (uint16_t)i)->high;
		v->room[v->room_used++] = '\0';
	}
	all.n = all.trimmed = (uint32_t)(v->room + v->room_used - all.text);
	return all;
}
