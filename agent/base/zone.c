/* zone.c - reads a time zone file and answers what its wall clocks show.
 *
 * Exists because windows of maintenance are written in local time, and the C library keeps its zone in process-wide state.
 * Promises: every count of a file is checked against its length before it is used; a change of time at any hour is answered exactly.
 * Refuses: names that lead out of the folder, files above ZONE_BYTES, version 1 (32 bits end in 2038), leap seconds. */
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/zone_rule.h"

#define HEAD 44               /* bytes of a header: RFC 8536, 3.1 */
#define OFFSET_MAX (26 * 3600)/* RFC 8536, 3.2: from -25 to 26 hours */
#define AROUND (27 * US_HOUR) /* a local time and its instant are nearer than this */
#define NAME_MAX_BYTES 64
#define NAMES 1024            /* in one folder of the database; it has some 170 */

struct zone {
	const char *name;
	size_t n;
	const int64_t *at;     /* seconds since 1970 UTC, ascending */
	const int32_t *offset; /* seconds, from at[i] on */
	int32_t before;        /* ahead of at[0] */
	bool has_rule;         /* from the last one on */
	struct zone_rule rule;
};

/* ---- reading ---- */

struct counts {
	size_t is_utc, is_standard, leap, time, type, name;
};

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t get_i64(const uint8_t *p)
{
	return (int64_t)((uint64_t)get_u32(p) << 32 | get_u32(p + 4));
}

/* The header at p; the number of bytes behind it that it announces, or SIZE_MAX. */
static size_t head_of(const uint8_t *p, size_t n, size_t time_size, struct counts *c)
{
	if (n < HEAD || memcmp(p, "TZif", 4) != 0)
		return SIZE_MAX;
	*c = (struct counts){ get_u32(p + 20), get_u32(p + 24), get_u32(p + 28), get_u32(p + 32), get_u32(p + 36), get_u32(p + 40) };
	if (c->is_utc > n || c->is_standard > n || c->leap > n || c->time > n || c->type > n || c->name > n)
		return SIZE_MAX;
	return c->time * (time_size + 1) + c->type * 6 + c->name + c->leap * (time_size + 4) + c->is_standard + c->is_utc;
}

static int damaged(struct err *e, const char *name, const char *what)
{
	return err_set(e, ERR_USAGE, "the time zone file of '%s' is damaged (%s); install the tzdata package anew", name, what);
}

static int take_types(const uint8_t *p, const struct counts *c, int32_t *to, struct err *e, const char *name)
{
	for (size_t i = 0; i < c->type; i++) {
		uint32_t u = get_u32(p + 6 * i);

		memcpy(&to[i], &u, sizeof u);
		if (to[i] > OFFSET_MAX || to[i] < -OFFSET_MAX)
			return damaged(e, name, "an offset of more than 26 hours");
	}
	return 0;
}

static int take_changes(struct arena *a, const uint8_t *p, const struct counts *c, struct zone *z, struct err *e)
{
	const uint8_t *kinds = p + 8 * c->time;
	int64_t *at = arena_alloc(a, (c->time + 1) * sizeof *at);
	int32_t *offset = arena_alloc(a, (c->time + 1) * sizeof *offset), types[256] = { 0 };

	if (take_types(kinds + c->time, c, types, e, z->name) < 0)
		return -1;
	for (size_t i = 0; i < c->time; i++) {
		at[i] = get_i64(p + 8 * i);
		if (kinds[i] >= c->type || (i > 0 && at[i] <= at[i - 1]) || at[i] > INT64_MAX / US_SECOND || at[i] < INT64_MIN / US_SECOND)
			return damaged(e, z->name, "its changes are out of order");
		offset[i] = types[kinds[i]];
	}
	z->n = c->time;
	z->at = at;
	z->offset = offset;
	z->before = types[0];
	return 0;
}

static int take_rule(const char *s, size_t n, struct zone *z, struct err *e)
{
	const char *end = n > 1 && s[0] == '\n' ? memchr(s + 1, '\n', n - 1) : NULL;

	if (end == NULL)
		return damaged(e, z->name, "its last line is missing");
	z->has_rule = end > s + 1;
	if (z->has_rule && !zone_rule_parse(s + 1, (size_t)(end - s - 1), &z->rule))
		return damaged(e, z->name, "its last line is no rule");
	return 0;
}

const struct zone *zone_parse(struct arena *a, const void *bytes, size_t n, const char *name, struct err *e)
{
	struct zone *z = arena_alloc(a, sizeof *z);
	const uint8_t *p = bytes;
	struct counts c;
	size_t body = head_of(p, n, 4, &c);

	z->name = arena_copy(a, name, strlen(name));
	if (body == SIZE_MAX || body > n - HEAD) {
		damaged(e, name, "it is no such file");
		return NULL;
	}
	if (p[4] < '2') {
		err_set(e, ERR_USAGE, "the time zone file of '%s' is of version 1, which ends in 2038; install a newer tzdata package",
			name);
		return NULL;
	}
	p += HEAD + body;
	n -= HEAD + body;
	body = head_of(p, n, 8, &c);
	if (body == SIZE_MAX || body > n - HEAD || c.type == 0 || c.type > 256) {
		damaged(e, name, "its second half is missing");
		return NULL;
	}
	if (c.leap != 0) {
		err_set(e, ERR_USAGE, "the time zone '%s' counts leap seconds; write its name without 'right/'", name);
		return NULL;
	}
	if (take_changes(a, p + HEAD, &c, z, e) < 0 || take_rule((const char *)p + HEAD + body, n - HEAD - body, z, e) < 0)
		return NULL;
	return z;
}

/* ---- finding ---- */

static bool name_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > NAME_MAX_BYTES || s[0] == '/' || s[n - 1] == '/' || strstr(s, "//"))
		return false;
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

struct listing {
	struct arena *arena;
	const char *names[NAMES + 1];
	size_t n;
};

static int add_name(void *arg, const char *name)
{
	struct listing *l = arg;

	if (l->n < NAMES)
		l->names[l->n++] = arena_copy(l->arena, name, strlen(name));
	return 0;
}

/* The nearest name that is there, part by part; "" when a part is like none. */
static void nearest(const struct os_file_ops *ops, const char *folder, const char *name, char to[static 512])
{
	struct arena *a = arena_new(16384);
	struct listing *l = arena_alloc(a, sizeof *l);
	const char *path = folder, *found = "";
	struct os_stat st;

	l->arena = a;
	for (const char *part = name; part != NULL;) {
		const char *slash = strchr(part, '/');
		const char *word = arena_copy(a, part, slash ? (size_t)(slash - part) : strlen(part)), *near;

		l->n = 0;
		near = ops->list(path, add_name, l) < 0 ? NULL : (l->names[l->n] = NULL, text_nearest(word, l->names));
		found = near ? arena_printf(a, "%s%s%s", found, found[0] ? "/" : "", near) : "";
		path = arena_printf(a, "%s/%s", folder, found);
		part = near && slash ? slash + 1 : NULL;
	}
	if (found[0] && (ops->stat(path, -1, &st) < 0 || st.is_folder))
		found = "";
	text_copy(to, 512, found);
	arena_free(a);
}

static const struct zone *not_there(const struct os_file_ops *ops, const char *folder, const char *name, struct err *e)
{
	struct os_stat st;
	char near[512];

	if (ops->stat(folder, -1, &st) < 0) {
		err_set(e, ERR_USAGE, "the time zone '%s' cannot be read, since there is no %s; install the tzdata package, or write UTC",
			name, folder);
		return NULL;
	}
	nearest(ops, folder, name, near);
	err_set(e, ERR_USAGE, "there is no time zone '%s'%s%s%s", name, near[0] ? "; did you mean '" : "", near,
		near[0] ? "'?" : "; names are written as Europe/Berlin, or UTC");
	return NULL;
}

const struct zone *zone_read(struct arena *a, const struct os_file_ops *ops, const char *folder, const char *name, struct err *e)
{
	const char *home = folder ? folder : ZONE_FOLDER, *path = arena_printf(a, "%s/%s", home, name);
	const struct zone *z = NULL;
	struct os_stat st;
	struct buf b;

	if (!name_ok(name)) {
		err_set(e, ERR_USAGE, "'%.80s' is no name of a time zone; write it as Europe/Berlin, or UTC", name);
		return NULL;
	}
	if (strcmp(name, "UTC") == 0) {
		struct zone *utc = arena_alloc(a, sizeof *utc);

		utc->name = "UTC";
		return utc;
	}
	if (ops->stat(path, -1, &st) < 0 || st.is_folder)
		return not_there(ops, home, name, e);
	buf_init(&b, ZONE_BYTES);
	if (file_read(ops, path, &b, e) == 0)
		z = zone_parse(a, b.p, b.n, name, e);
	else
		e->code = ERR_USAGE;
	buf_free(&b);
	return z;
}

const char *zone_name(const struct zone *z)
{
	return z->name;
}

/* ---- asking ---- */

/* How many changes have happened at t (seconds). */
static size_t changes_until(const struct zone *z, int64_t t)
{
	size_t low = 0, high = z->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t offset_at(const struct zone *z, int64_t t)
{
	size_t i = changes_until(z, t);

	if (i == z->n && z->has_rule)
		return zone_rule_offset(&z->rule, t);
	return i == 0 ? z->before : z->offset[i - 1];
}

static int64_t seconds(int64_t us)
{
	return us / US_SECOND - (us % US_SECOND < 0);
}

int64_t zone_offset(const struct zone *z, int64_t t)
{
	return offset_at(z, seconds(t)) * US_SECOND;
}

int64_t zone_next(const struct zone *z, int64_t t)
{
	int64_t at = seconds(t), now = offset_at(z, at);

	for (size_t i = changes_until(z, at); i < z->n; i++) {
		at = z->at[i];
		if (offset_at(z, at) != now)
			return at * US_SECOND;
	}
	at = z->has_rule ? zone_rule_next(&z->rule, at) : INT64_MAX;
	return at == INT64_MAX ? at : at * US_SECOND;
}

int64_t zone_instant(const struct zone *z, int64_t local, enum zone_which which)
{
	int64_t found = INT64_MAX, jump = INT64_MAX;

	/* stretches of one offset, from well before to well after */
	for (int64_t from = local - AROUND; from < local + AROUND;) {
		int64_t offset = zone_offset(z, from), to = zone_next(z, from), t = local - offset;

		if (t >= from && t < to && (found == INT64_MAX || which == ZONE_LAST))
			found = t;
		if (to != INT64_MAX && t >= to && local - zone_offset(z, to) < to)
			jump = to;
		from = to;
	}
	return found != INT64_MAX ? found : jump;
}
