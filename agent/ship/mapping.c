/* mapping.c - what a row finds in a record, and how much of it there is room for.
 *
 * Why: what a number, a time or an address is does not depend on the format. Promises texts of valid UTF-8 that no limit cuts in the middle of
 * a character, and that whatever was cut is told. Refuses values that are not what the row says: they are left out. */
#include "ship/mapping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static bool wanted(const struct facts *f, const struct map_row *r, const struct map_room *room)
{
	return r->kinds & 1u << f->v->record->kind && (!r->sorts || (f->event && r->sorts & f->event->sort)) && (r->core || !room->core);
}

/* Texts that are ours and short: never cut for want of room. */
static bool is_ours(const struct map_row *r)
{
	static const bool ours[FACTS] = { [FACT_UID] = true, [FACT_KIND] = true, [FACT_TIME] = true, [FACT_OUTCOME] = true, [FACT_LEVEL] = true,
		[FACT_CATEGORY] = true, [FACT_TYPES] = true, [FACT_PRODUCT] = true, [FACT_VERSION] = true };

	return r->fixed || (!r->from && ours[r->fact]);
}

size_t map_cut(const char *s, size_t n, size_t limit, struct map_room *room)
{
	size_t most = limit && limit < room->text ? limit : room->text;

	if (n <= most)
		return n;
	room->cut = true;
	return utf8_cut(s, n, most);
}

static void take_text(struct map_value *to, const struct map_row *r, const char *s, struct map_room *room)
{
	to->s = s;
	to->n = is_ours(r) ? strlen(s) : map_cut(s, strlen(s), r->limit, room);
	to->found = to->n ? FOUND_TEXT : FOUND_NOTHING;
}

static void take_int(struct map_value *to, const char *s)
{
	char *end;

	if (!to->s) { /* it is a number already */
		to->found = FOUND_INT;
		return;
	}
	errno = 0;
	to->i = strtoll(s, &end, strncmp(s, "0x", 2) == 0 ? 16 : 10);
	to->found = *s && !*end && !errno ? FOUND_INT : FOUND_NOTHING;
}

static void take_address(struct map_value *to, const char *s, enum map_as as)
{
	unsigned char bytes[16];
	int version = 0;

	if (!strncmp(s, "::ffff:", 7) && strchr(s, '.'))
		s += 7;
	if (inet_pton(AF_INET, s, bytes) == 1)
		version = 4;
	else if (inet_pton(AF_INET6, s, bytes) == 1)
		version = 6;
	if (!version || (as == AS_IP4 && version != 4) || (as == AS_IP6 && version != 6))
		return;
	to->s = s;
	to->n = strlen(s);
	to->found = FOUND_TEXT;
}

static void take_time(struct map_value *to, const char *s, enum map_as as)
{
	int64_t us;

	if (!time_parse(s, strlen(s), &us))
		return;
	if (as == AS_MS) {
		to->i = us / 1000;
		to->found = FOUND_INT;
		return;
	}
	to->s = time_text(us, to->own);
	to->n = strlen(to->s);
	to->found = FOUND_TEXT;
}

/* The text of a member: a number as its digits; of several values the first. false: it has none. */
static bool read_text(const struct json *j, struct map_value *to)
{
	if (json_is_array(j))
		j = json_at(j, 0);
	if (json_is_string(j)) {
		to->s = json_str(j, "");
		return true;
	}
	to->i = json_int(j, 0);
	if (json_int(j, 1) != to->i)
		return false;
	to->own[text_decimal(to->own, to->i)] = '\0';
	return true;
}

/* "-" is how Windows writes that a field of an event has no value. */
static bool is_dash(const struct map_row *r, const char *s)
{
	return !strcmp(s, "-") && r->from && !strncmp(r->from, "fields.", 7);
}

static void take_json(const struct map_row *r, const struct json *j, struct map_value *to)
{
	if (r->as == AS_BOOL) {
		to->i = json_bool(j, false);
		to->found = json_bool(j, true) == to->i ? FOUND_BOOL : FOUND_NOTHING;
	} else if (json_is_array(j) || json_is_object(j)) {
		to->list = j;
		to->found = json_is_object(j) || json_len(j) ? FOUND_LIST : FOUND_NOTHING;
	}
}

void map_value(const struct facts *f, const struct map_row *r, struct map_room *room, struct map_value *to)
{
	const char *s = r->fixed ? r->fixed : f->text[r->fact];
	const struct json *j = r->from ? facts_member(f, r->from) : NULL;

	*to = (struct map_value){ .found = FOUND_NOTHING };
	if (!wanted(f, r, room) || (r->from && !j))
		return;
	if (j && (r->as == AS_BOOL || r->as == AS_JSON || r->as == AS_TREE || (r->as == AS_LIST && json_is_array(j)))) {
		take_json(r, j, to);
		return;
	}
	if (j) {
		if (!read_text(j, to))
			return;
		s = to->s ? to->s : to->own;
	} else {
		to->s = s;
	}
	if (!*s || is_dash(r, s))
		return;
	if (r->as == AS_INT || r->as == AS_PORT)
		take_int(to, s);
	else if (r->as == AS_IP || r->as == AS_IP4 || r->as == AS_IP6)
		take_address(to, s, r->as);
	else if (r->as == AS_TIME || r->as == AS_MS)
		take_time(to, s, r->as);
	else
		take_text(to, r, s, room);
	if (r->as == AS_PORT && (to->i < 1 || to->i > 65535))
		to->found = FOUND_NOTHING;
}

const char *map_item(const struct json *list, size_t i, size_t limit, struct map_room *room, size_t *n)
{
	const char *s = json_str(json_at(list, i), "");

	*n = map_cut(s, strlen(s), limit, room);
	return s;
}

void map_fit(const struct sink_config *c, const struct record_view *v, map_write *write, size_t max, struct buf *to)
{
	static const struct map_room rooms[] = {
		{ MAP_TEXT_MAX, MAP_ITEMS_MAX, false, false },
		{ 1024, 64, false, false },
		{ 256, 16, false, false },
		{ 256, 16, true, true },
		{ 64, 4, true, true },
		{ 16, 2, true, true },
		{ 0, 0, true, true },
	};
	size_t before = to->n;
	bool refused = to->refused;
	struct facts f;

	facts_open(&f, c, v);
	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
		struct map_room room = rooms[i];

		room.cut = room.cut || f.cut;
		to->n = before;
		to->refused = refused;
		write(&f, &room, to);
		if (to->n - before <= max && to->refused == refused)
			return;
	}
}
