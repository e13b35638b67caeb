/* event.c - asking an event for a field.
 *
 * Why: System and payload may use one name for two things, and every reader must decide alike.
 * Promises: payload wins over System, but EventID, Provider_Name and Computer always mean System: event 104 carries the
 * channel that was cleared as a payload field, and no payload may choose the host that an event speaks of.
 * Refuses: nothing; an absent field is NULL. */
#include "event/event.h"

#include <string.h>

#include "base/text.h"
#include "tls/digest.h"

#define UID_NUMBERS 64 /* record id, time, and what stands between */
#define UID_BYTES (4u << 10) /* computer and channel; longer ones are of no real event */

/* The event log itself numbers events for each computer and channel, so these four name an event wherever it is read again. */
bool event_has_place(const struct event *ev)
{
	return *ev->computer && *ev->channel && ev->record_id && !(ev->flags & EVENT_NO_TIME) &&
	       strlen(ev->computer) + strlen(ev->channel) + UID_NUMBERS <= UID_BYTES;
}

void event_place_uid(const char *computer, const char *channel, uint64_t record_id, int64_t time, uint8_t to[static 32])
{
	char text[UID_BYTES];
	size_t n = text_decimal(text, (int64_t)record_id); /* event_xml.c takes no larger one */

	text[n++] = ' ';
	n += text_decimal(text + n, time);
	text[n++] = ' ';
	memcpy(text + n, computer, strlen(computer) + 1);
	n += strlen(computer) + 1;
	memcpy(text + n, channel, strlen(channel));
	digest_sha256(text, n + strlen(channel), to);
}

void event_uid(const struct event *ev, uint8_t to[static 32])
{
	if (event_has_place(ev))
		event_place_uid(ev->computer, ev->channel, ev->record_id, ev->time, to);
	else
		digest_sha256(ev->raw, ev->raw_n, to);
}

static bool always_system(const char *name)
{
	switch (name[0] | 0x20) {
	case 'e':
		return text_same(name, "EventID");
	case 'p':
		return text_same(name, "Provider_Name");
	case 'c':
		return text_same(name, "Computer");
	default:
		return false;
	}
}

const struct event_field *event_get(const struct event *ev, const char *name)
{
	const struct event_field *of_system = NULL;
	bool only_system = always_system(name);
	size_t len = strlen(name);

	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		if (!text_same_n(f->name, strlen(f->name), name, len))
			continue;
		if (!f->system && !only_system)
			return f;
		if (f->system && !of_system)
			of_system = f;
	}
	return of_system;
}

const char *event_value(const struct event *ev, const char *name)
{
	const struct event_field *f = event_get(ev, name);

	return f ? f->value : "";
}

static bool payload_has(const struct event *ev, uint16_t id)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->fields[i].id == id && !ev->fields[i].system)
			return true;
	return false;
}

const struct event_field *event_next(const struct event *ev, uint16_t id, size_t *at)
{
	if (!id)
		return NULL;
	for (size_t i = *at; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		if (f->id != id)
			continue;
		if (f->system != always_system(f->name) && (!f->system || payload_has(ev, id)))
			continue;
		*at = i + 1;
		return f;
	}
	*at = ev->n;
	return NULL;
}
