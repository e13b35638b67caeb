/* zone_rule.c - "CET-1CEST,M3.5.0,M10.5.0/3", read and applied.
 *
 * Exists because zone files write down changes of time for some years only; a rule tells the rest. Promises: any year, both
 * hemispheres, summer time all year. Refuses what is not wholly such a rule; POSIX's default rule for a summer time without dates
 * is refused too, since zone files never leave them out (RFC 8536, 3.3.1). */
#include "base/zone_rule.h"

#include <string.h>

#include "base/clock.h"

#define DAY INT64_C(86400)
#define CHANGES 8 /* of four years */

struct cursor {
	const char *p, *end;
};

static bool take(struct cursor *c, char what)
{
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	return true;
}

static bool number(struct cursor *c, int64_t least, int64_t most, int64_t *to)
{
	const char *from = c->p;

	for (*to = 0; c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - from < 4; c->p++)
		*to = *to * 10 + (*c->p - '0');
	return c->p > from && *to >= least && *to <= most;
}

/* "CET" or "<+03>": of no use to us. */
static bool skip_name(struct cursor *c)
{
	const char *from = c->p;
	bool quoted = take(c, '<');

	while (c->p < c->end && ((*c->p >= 'a' && *c->p <= 'z') || (*c->p >= 'A' && *c->p <= 'Z') ||
		(quoted && ((*c->p >= '0' && *c->p <= '9') || *c->p == '+' || *c->p == '-'))))
		c->p++;
	if (quoted)
		return c->p - from >= 3 && take(c, '>');
	return c->p - from >= 3;
}

/* [+-]h[:mm[:ss]] as seconds. */
static bool hours(struct cursor *c, int64_t most, int64_t *to)
{
	int64_t sign = take(c, '-') ? -1 : 1, h, m = 0, s = 0;

	if (sign == 1)
		(void)take(c, '+');
	if (!number(c, 0, most, &h) || (take(c, ':') && (!number(c, 0, 59, &m) || (take(c, ':') && !number(c, 0, 59, &s)))))
		return false;
	*to = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool date(struct cursor *c, struct zone_date *to)
{
	int64_t month = 0, week = 0, day;
	bool good;

	if (take(c, 'M')) {
		to->kind = DATE_MONTH;
		good = number(c, 1, 12, &month) && take(c, '.') && number(c, 1, 5, &week) && take(c, '.') && number(c, 0, 6, &day);
	} else {
		to->kind = take(c, 'J') ? DATE_JULIAN : DATE_DAY;
		good = number(c, to->kind == DATE_JULIAN, 365, &day);
	}
	if (!good)
		return false;
	to->month = (int)month;
	to->week = (int)week;
	to->day = (int)day;
	to->time = 2 * 3600;
	return !take(c, '/') || hours(c, 167, &to->time);
}

bool zone_rule_parse(const char *s, size_t n, struct zone_rule *to)
{
	struct cursor c = { s, s + n };

	memset(to, 0, sizeof *to);
	if (!skip_name(&c) || !hours(&c, 24, &to->standard))
		return false;
	to->standard = -to->standard; /* POSIX counts west of Greenwich */
	if (c.p == c.end)
		return true;
	if (!skip_name(&c))
		return false;
	to->has_summer = true;
	to->summer = to->standard + 3600;
	if (c.p < c.end && *c.p != ',') {
		if (!hours(&c, 24, &to->summer))
			return false;
		to->summer = -to->summer;
	}
	return take(&c, ',') && date(&c, &to->begin) && take(&c, ',') && date(&c, &to->end) && c.p == c.end;
}

static bool leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970 of the date in this year. */
static int64_t day_of(const struct zone_date *d, int64_t year)
{
	int64_t first = date_to_days(year, 1, 1), last, weekday;

	if (d->kind == DATE_DAY)
		return first + d->day;
	if (d->kind == DATE_JULIAN)
		return first + d->day - 1 + (d->day >= 60 && leap(year));
	first = date_to_days(year, d->month, 1);
	last = d->month == 12 ? date_to_days(year + 1, 1, 1) : date_to_days(year, d->month + 1, 1);
	weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	first += (d->day - weekday + 7) % 7 + (int64_t)7 * (d->week - 1);
	return first < last ? first : first - 7; /* week 5 is the last one */
}

struct change {
	int64_t at, offset;
};

/* The changes of the years around t in order; where an end and a beginning meet (summer time all year), the beginning is last. */
static void changes_around(const struct zone_rule *r, int64_t t, struct change to[static CHANGES])
{
	int64_t year, month, day;
	size_t n = 0;

	days_to_date(t / DAY, &year, &month, &day);
	for (int64_t y = year - 1; y < year + 3; y++) {
		to[n++] = (struct change){ day_of(&r->end, y) * DAY + r->end.time - r->summer, r->standard };
		to[n++] = (struct change){ day_of(&r->begin, y) * DAY + r->begin.time - r->standard, r->summer };
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && (to[k].at < to[k - 1].at || (to[k].at == to[k - 1].at && to[k - 1].offset == r->summer)); k--) {
			struct change swap = to[k];

			to[k] = to[k - 1];
			to[k - 1] = swap;
		}
}

int64_t zone_rule_offset(const struct zone_rule *r, int64_t t)
{
	struct change c[CHANGES] = { { 0, 0 } };
	int64_t offset = r->standard;

	if (!r->has_summer)
		return offset;
	changes_around(r, t, c);
	for (size_t i = 0; i < CHANGES && c[i].at <= t; i++)
		offset = c[i].offset;
	return offset;
}

int64_t zone_rule_next(const struct zone_rule *r, int64_t t)
{
	struct change c[CHANGES] = { { 0, 0 } };
	int64_t now = zone_rule_offset(r, t);

	if (!r->has_summer)
		return INT64_MAX;
	changes_around(r, t, c);
	for (size_t i = 0; i < CHANGES; i++)
		if (c[i].at > t && c[i].offset != now && i + 1 < CHANGES && c[i + 1].at != c[i].at)
			return c[i].at;
	return INT64_MAX;
}
