/* event_build.c - fields one after another, then an event.
 *
 * Why: XML, console text and log rows make the same struct event; what is true of all of them is here.
 * Promises: no allocation for an event but in the arena, once its tables have grown. Values are never cut.
 * Refuses: field LIMIT_EVENT_FIELDS + 1 (`full`). Derived fields never refuse an event: what is
 * too many is left out (`cut`). */
#include "event/event_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "event/exchange_trace.h"
#include "limits.h"

/* Do rules ask for any of the fields of exchange_trace.h? */
static bool traces_wanted(const struct event_build *b)
{
	for (const char *const *name = exchange_trace_names; *name; name++)
		if (build_wanted(b, build_name(b, *name, strlen(*name))))
			return true;
	return false;
}

void build_init(struct event_build *b, const struct names *names)
{
	*b = (struct event_build){ .names = names, .known = field_names_new(names) };
	b->traces = traces_wanted(b);
	buf_init(&b->scratch, 4u << 10);
}

void build_free(struct event_build *b)
{
	free(b->fields);
	free(b->origin);
	field_names_free(b->known);
	buf_free(&b->scratch);
}

void build_start(struct event_build *b, struct arena *arena)
{
	b->arena = arena;
	b->n = 0;
	b->n_derived = b->n_traces = 0;
	b->full = b->cut = b->blanks = false;
}

const struct field_name *build_name(const struct event_build *b, const char *s, size_t n)
{
	return field_name(b->known, s, n, b->arena);
}

static void grow(struct event_build *b)
{
	b->cap = b->cap ? b->cap * 2 : 64;
	b->fields = xrealloc(b->fields, b->cap, sizeof(*b->fields));
	b->origin = xrealloc(b->origin, b->cap, sizeof(*b->origin));
}

void build_field(struct event_build *b, unsigned how, const struct field_name *name, const char *value, size_t len)
{
	if ((how & BUILD_DERIVED) && !build_wanted(b, name))
		return;
	if ((how & BUILD_DERIVED) && (b->n_derived == LIMIT_EVENT_DERIVED || b->n == LIMIT_EVENT_FIELDS)) {
		b->cut = true;
		return;
	}
	if (b->n == LIMIT_EVENT_FIELDS) {
		b->full = true;
		return;
	}
	b->n_derived += how & BUILD_DERIVED ? 1 : 0;
	if (b->n == b->cap)
		grow(b);
	b->origin[b->n] = NULL;
	b->blanks = b->blanks || name->squeezed;
	b->fields[b->n++] = (struct event_field){
		.name = name->text,
		.value = value,
		.len = (uint32_t)len,
		.id = name->id,
		.system = how & BUILD_SYSTEM,
		.derived = how & BUILD_DERIVED,
	};
}

const char *build_copy(struct event_build *b, unsigned how, const struct field_name *name, const char *value, size_t len)
{
	const char *copy = arena_copy(b->arena, value, len);

	build_field(b, how, name, copy, len);
	return copy;
}

void build_put(struct event_build *b, unsigned how, const char *name, const char *value, size_t len)
{
	build_field(b, how, build_name(b, name, strlen(name)), value, len);
}

const char *build_add(struct event_build *b, unsigned how, const char *name, const char *value, size_t len)
{
	return build_copy(b, how, build_name(b, name, strlen(name)), value, len);
}

bool build_has(const struct event_build *b, const struct field_name *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->fields[i].system && (name->id ? b->fields[i].id == name->id : text_same(b->fields[i].name, name->text)))
			return true;
	return false;
}

bool build_wanted(const struct event_build *b, const struct field_name *name)
{
	return !b->names || name->id;
}

static void put_traces(struct event_build *b, unsigned how, const struct trace_field *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		build_put(b, how, list[i].name, list[i].value, list[i].len);
	b->n_traces += n;
}

void build_trace_of(struct event_build *b, unsigned how, const char *text, size_t n)
{
	struct trace_field out[TRACE_FIELDS];
	size_t at = 0, found;

	while (b->n_traces < LIMIT_EVENT_TRACES && (found = exchange_trace_next(text, n, &at, b->arena, out)) > 0)
		put_traces(b, how, out, found);
	if (b->n_traces >= LIMIT_EVENT_TRACES)
		b->cut = true;
	put_traces(b, how, out, exchange_error_id(text, n, b->arena, out));
}

void build_traces(struct event_build *b)
{
	size_t n = b->traces ? b->n : 0;

	for (size_t i = 0; i < n; i++) {
		struct event_field f = b->fields[i]; /* a copy: the table may move */

		if (!f.system && !f.derived && f.len >= TRACE_SHORTEST)
			build_trace_of(b, BUILD_DERIVED, f.value, f.len);
	}
}

static void spelling(struct event_build *b, const struct field_name *name, const struct event_field *f)
{
	if (name->len && build_wanted(b, name) && !build_has(b, name))
		build_field(b, BUILD_DERIVED, name, f->value, f->len);
}

void build_spellings(struct event_build *b)
{
	size_t n = b->blanks ? b->n : 0;

	for (size_t i = 0; i < n; i++) {
		struct event_field f = b->fields[i];
		const struct field_name *name;

		if (f.system || f.derived || !strchr(f.name, ' '))
			continue;
		name = build_name(b, f.name, strlen(f.name));
		spelling(b, name->squeezed, &f);
		spelling(b, name->joined, &f);
	}
}

void build_finish(struct event_build *b, struct event *ev, const char *raw, size_t raw_n)
{
	struct event_field *fields = arena_room(b->arena, (b->n + 1) * sizeof(*fields));

	if (b->n)
		memcpy(fields, b->fields, b->n * sizeof(*fields));
	ev->fields = fields;
	ev->n = b->n;
	if (b->cut)
		ev->flags |= EVENT_CUT;
	ev->raw = raw;
	ev->raw_n = raw_n;
}
