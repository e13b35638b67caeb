/* view.h - one event as the rules of a set look at it: fields by id at once, values folded when somebody asks. Private to rules/.
 * Belongs to one thread; between two events it only grows. */
#ifndef EVMEND_RULES_VIEW_H
#define EVMEND_RULES_VIEW_H

#include "event/event.h"
#include "limits.h"
#include "rules/fields.h"
#include "rules/match/literal.h"

#define VIEW_NONE 0xffffu          /* no field */
#define VIEW_LABEL LIMIT_EVENT_FIELDS /* fields of our own behind those of the event: ComputerLabel, ComputerDomain */
#define VIEW_FIELDS (LIMIT_EVENT_FIELDS + 2)
#define VIEW_EPOCHS UINT32_C(0x7fffffff) /* events, then stamps begin anew: at epoch 1 forget all that are older */

struct ruleset;

struct slot { /* where the values of one field id are */
	uint32_t epoch;
	uint16_t first, last;
	bool of_system;
};

struct view {
	const struct ruleset *rs;
	const struct event *ev;
	const struct field_set *positions; /* NULL: none */
	uint32_t epoch;
	struct slot *slots;               /* by field id */
	size_t n_slots;
	uint16_t next[VIEW_FIELDS];       /* of the same id */
	uint32_t folded_at[VIEW_FIELDS];  /* epoch */
	struct folded folded[VIEW_FIELDS];
	struct event_field own[2];
	struct value_index **indexes;     /* of values of this event that are asked much; the others are kept for later */
	size_t n_indexes, indexes_made;
	char *room;                       /* for folded text */
	size_t room_n, room_used;
	uint16_t id_event_id, id_provider, id_computer;
};

void view_init(struct view *v, const struct ruleset *rs);
void view_free(struct view *v);
void view_begin(struct view *v, const struct event *ev);
/* Values of a field, by the rules of event_next, of field tables and of our own names: position of the first, of the next. */
uint16_t view_first(struct view *v, uint16_t id);
static inline uint16_t view_next(const struct view *v, uint16_t at)
{
	return v->next[at];
}
const struct event_field *view_field(const struct view *v, uint16_t at);
/* Where a field stands that is the event's own, or that view_field gave. */
static inline uint16_t view_at(const struct view *v, const struct event_field *f)
{
	for (uint16_t i = 0; i < 2; i++)
		if (f == &v->own[i])
			return (uint16_t)(VIEW_LABEL + i);
	return (uint16_t)(f - v->ev->fields);
}
const struct folded *view_folded(struct view *v, uint16_t at);
/* The same for so many searches: a long value gets an index when there are many. */
#define VIEW_LONG 2048 /* bytes */
void view_count(struct view *v, uint16_t at, uint32_t searches);
static inline const struct folded *view_searched(struct view *v, uint16_t at, uint32_t searches)
{
	const struct folded *f = view_folded(v, at);

	if (f->n >= VIEW_LONG)
		view_count(v, at, searches);
	return f;
}
/* All values that keywords are looked for in and that may have `least` bytes, folded, with a NUL between any two. Ask before any
 * other value is folded. */
struct folded view_keywords(struct view *v, size_t least);

/* May the value have so many bytes when it is folded? */
static inline bool view_may_have(const struct event_field *f, size_t bytes)
{
	return f->len + f->len / 2 >= bytes;
}

#endif
