/* event_json.c - an event as a record for receivers.
 *
 * Why: some want the events themselves beside what was found in them. Promises: each field of the event is there once, in the order of the
 * event; a name that comes more than once is a list; what rules derive is left out. Refuses nothing: the decoder has bounded the fields. */
#include "event/event_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define FEW 128 /* fields of most events */

/* These stand at the top. */
static bool is_told(const char *name)
{
	static const char *const told[] = { "Provider_Name", "EventID", "Level", "TimeCreated_SystemTime", "EventRecordID", "Channel", "Computer" };

	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		if (!strcmp(name, told[i]))
			return true;
	return false;
}

static int by_name_and_place(const void *a, const void *b)
{
	const struct event_field *const *x = a, *const *y = b;
	int order = (*x)->name == (*y)->name ? 0 : strcmp((*x)->name, (*y)->name);

	return order ? order : *x < *y ? -1 : *x > *y;
}

static int by_place(const void *a, const void *b)
{
	const struct event_field *const *x = *(const struct event_field *const *const *)a, *const *y = *(const struct event_field *const *const *)b;

	return *x < *y ? -1 : *x > *y;
}

static bool same(const struct event_field *a, const struct event_field *b)
{
	return a->name == b->name || !strcmp(a->name, b->name);
}

/* sorted: the n fields by name; firsts: room for as many. */
static void put_sorted(const struct event_field *const *sorted, const struct event_field *const **firsts, size_t n, struct json_out *o)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (!i || !same(sorted[i - 1], sorted[i]))
			firsts[k++] = &sorted[i];
	if (k)
		qsort(firsts, k, sizeof firsts[0], by_place); /* of the first of each name */
	for (size_t i = 0; i < k; i++) {
		const struct event_field *const *f = firsts[i];
		bool list = f + 1 < sorted + n && same(f[0], f[1]);

		if (!list) {
			json_put_strn(o, (*f)->name, (*f)->value, (*f)->len);
			continue;
		}
		json_open(o, (*f)->name, '[');
		for (const struct event_field *const *g = f; g < sorted + n && same(*f, *g); g++)
			json_put_strn(o, NULL, (*g)->value, (*g)->len);
		json_close(o, ']');
	}
}

static void put_fields(const struct event *ev, bool system, const struct event_field **room, const struct event_field *const **firsts,
	struct json_out *o)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		if (f->system == system && !f->derived && (!system || !is_told(f->name)))
			room[n++] = f;
	}
	if (n)
		qsort(room, n, sizeof room[0], by_name_and_place);
	json_open(o, system ? "system" : "fields", '{');
	put_sorted(room, firsts, n, o);
	json_close(o, '}');
}

static void put_all_fields(const struct event *ev, struct json_out *o)
{
	const struct event_field *few[FEW], *const *few_firsts[FEW];
	bool many = ev->n > FEW;
	const struct event_field **room = many ? xcalloc(ev->n, sizeof *room) : few;
	const struct event_field *const **firsts = many ? xcalloc(ev->n, sizeof *firsts) : few_firsts;

	put_fields(ev, true, room, firsts, o);
	put_fields(ev, false, room, firsts, o);
	if (many) {
		free(room);
		free(firsts);
	}
}

void event_json(const struct event *ev, const uint8_t uid[static 32], bool whole, struct buf *to)
{
	struct json_out o;
	char hex[65];

	text_hex(hex, uid, 32);
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "event");
	json_put_str(&o, "uid", hex);
	json_put_time(&o, "time", ev->time);
	json_put_str(&o, "host", ev->computer);
	json_put_str(&o, "channel", ev->channel);
	json_put_str(&o, "provider", ev->provider);
	json_put_int(&o, "event_id", ev->event_id);
	if (ev->record_id)
		json_put_int(&o, "record_id", (int64_t)ev->record_id);
	if (ev->level >= 0)
		json_put_int(&o, "level", ev->level);
	json_put_str(&o, "source", ev->source);
	if (whole)
		put_all_fields(ev, &o);
	else
		json_put_bool(&o, "truncated", true);
	json_close(&o, '}');
}
