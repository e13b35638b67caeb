/* event_build.c - fields one after another, then an event.
 *
 * Why: XML, console text and log rows make the same struct event; what is true of all of them is here.
 * Promises: no allocation for an event but in the arena, once its tables have grown. Values are cut at a character's border.
 * Refuses: field LIMIT_EVENT_FIELDS + 1 (`full`). */
#include "event/event_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "event/exchange_trace.h"
#include "limits.h"
#include "tls/digest.h"

void build_init(struct event_build *b, const struct names *names)
{
	*b = (struct event_build){ .names = names };
	buf_init(&b->scratch, 4u << 10);
}

void build_free(struct event_build *b)
{
	free(b->fields);
	free(b->origin);
	buf_free(&b->scratch);
}

void build_start(struct event_build *b, struct arena *arena)
{
	b->arena = arena;
	b->n = 0;
	b->full = b->cut = false;
}

void build_put(struct event_build *b, unsigned how, const char *name, const char *value, size_t len)
{
	struct event_field *f;

	if (b->n == LIMIT_EVENT_FIELDS) {
		b->full = true;
		return;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->fields = xrealloc(b->fields, b->cap, sizeof(*b->fields));
		b->origin = xrealloc(b->origin, b->cap, sizeof(*b->origin));
	}
	b->origin[b->n] = NULL;
	f = &b->fields[b->n++];
	*f = (struct event_field){
		.name = name,
		.value = value,
		.len = (uint32_t)len,
		.id = b->names ? names_find(b->names, name, strlen(name)) : 0,
		.system = how & BUILD_SYSTEM,
		.derived = how & BUILD_DERIVED,
	};
}

const char *build_add(struct event_build *b, unsigned how, const char *name, const char *value, size_t len)
{
	const char *copy;

	if (len > LIMIT_FIELD_BYTES) {
		len = LIMIT_FIELD_BYTES;
		while (len && ((unsigned char)value[len] & 0xC0) == 0x80)
			len--;
		b->cut = true;
	}
	copy = arena_copy(b->arena, value, len);
	build_put(b, how, name, copy, len);
	return copy;
}

bool build_has(const struct event_build *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->fields[i].system && text_same(b->fields[i].name, name))
			return true;
	return false;
}

bool build_wanted(const struct event_build *b, const char *name)
{
	return !b->names || names_find(b->names, name, strlen(name));
}

void build_trace_of(struct event_build *b, unsigned how, const char *text, size_t n)
{
	struct trace_field out[TRACE_FIELDS];
	size_t at = 0, found;

	while ((found = exchange_trace_next(text, n, &at, b->arena, out)) > 0)
		for (size_t i = 0; i < found; i++)
			build_put(b, how, out[i].name, out[i].value, out[i].len);
	found = exchange_error_id(text, n, b->arena, out);
	for (size_t i = 0; i < found; i++)
		build_put(b, how, out[i].name, out[i].value, out[i].len);
}

void build_traces(struct event_build *b)
{
	size_t n = b->n;

	for (size_t i = 0; i < n; i++) {
		struct event_field f = b->fields[i]; /* a copy: the table may move */

		if (!f.system && !f.derived && f.len >= TRACE_SHORTEST)
			build_trace_of(b, BUILD_DERIVED, f.value, f.len);
	}
}

static void spelling(struct event_build *b, const struct event_field *f, char in_place_of_blank)
{
	char *name = arena_copy(b->arena, f->name, strlen(f->name)), *to = name;

	for (const char *p = f->name; *p; p++) {
		if (*p != ' ')
			*to++ = *p;
		else if (in_place_of_blank)
			*to++ = in_place_of_blank;
	}
	*to = '\0';
	if (name[0] && !build_has(b, name))
		build_put(b, BUILD_DERIVED, name, f->value, f->len);
}

void build_spellings(struct event_build *b)
{
	size_t n = b->n;

	for (size_t i = 0; i < n; i++) {
		struct event_field f = b->fields[i];

		if (f.system || f.derived || !strchr(f.name, ' '))
			continue;
		spelling(b, &f, '\0');
		spelling(b, &f, '_');
	}
}

/* The event log itself numbers events for each computer and channel, so these four name an event wherever it is read again. */
static void set_uid(struct event_build *b, struct event *ev)
{
	struct buf *s = &b->scratch;

	if (!ev->computer[0] || !ev->channel[0] || !ev->record_id || (ev->flags & EVENT_NO_TIME)) {
		digest_sha256(ev->raw, ev->raw_n, ev->uid);
		return;
	}
	buf_reset(s);
	buf_printf(s, "%llu %lld ", (unsigned long long)ev->record_id, (long long)ev->time);
	buf_add(s, ev->computer, strlen(ev->computer) + 1);
	buf_str(s, ev->channel);
	if (s->refused) /* names of thousands of bytes: no real event */
		digest_sha256(ev->raw, ev->raw_n, ev->uid);
	else
		digest_sha256(buf_text(s), s->n, ev->uid);
}

void build_finish(struct event_build *b, struct event *ev, const char *raw, size_t raw_n)
{
	struct event_field *fields = arena_alloc(b->arena, (b->n + 1) * sizeof(*fields));

	if (b->n)
		memcpy(fields, b->fields, b->n * sizeof(*fields));
	ev->fields = fields;
	ev->n = b->n;
	if (b->cut)
		ev->flags |= EVENT_CUT;
	ev->raw = arena_copy(b->arena, raw, raw_n);
	ev->raw_n = raw_n;
	set_uid(b, ev);
}
