/* clock.c - the only reader of clocks, and the only reader and writer of times as text.
 *
 * Promises: microseconds since 1970 UTC everywhere; a clock that stands still for --at and for tests; calendar
 * arithmetic of its own (proleptic Gregorian), so that neither locale nor TZ changes an answer.
 * Refuses: a text that is not wholly a time, and dates that do not exist (30 February). */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * US_SECOND + t.tv_nsec / 1000;
}

static int64_t real_wall(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

static int64_t real_monotonic(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

static void real_sleep(const struct clock *c, int64_t us)
{
	struct timespec t = { .tv_sec = us / US_SECOND, .tv_nsec = us % US_SECOND * 1000 };

	(void)c;
	while (us > 0 && nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static int64_t fixed_time(const struct clock *c)
{
	return c->fixed;
}

static void fixed_sleep(const struct clock *c, int64_t us)
{
	(void)c;
	(void)us;
}

struct clock clock_real(void)
{
	static const struct clock_ops ops = { real_wall, real_monotonic, real_sleep };

	return (struct clock){ .ops = &ops };
}

struct clock clock_fixed(int64_t wall)
{
	static const struct clock_ops ops = { fixed_time, fixed_time, fixed_sleep };

	return (struct clock){ .ops = &ops, .fixed = wall };
}

int64_t clock_wall(const struct clock *c)
{
	return c->ops->wall(c);
}

int64_t clock_monotonic(const struct clock *c)
{
	return c->ops->monotonic(c);
}

void clock_sleep(const struct clock *c, int64_t us)
{
	c->ops->sleep(c, us);
}

int64_t clock_cpu_us(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Days since 1970-01-01 of a date, and back: years that begin in March make the leap day the last day of a year
 * (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
int64_t date_to_days(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void days_to_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t d = z - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t of_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

static char *put_number(char *to, int64_t v, int digits, char behind)
{
	for (int i = digits - 1; i >= 0; i--, v /= 10)
		to[i] = (char)('0' + v % 10);
	to[digits] = behind;
	return to + digits + 1;
}

const char *time_text(int64_t us, char to[static 32])
{
	const int64_t first = date_to_days(0, 1, 1) * US_DAY, last = date_to_days(10000, 1, 1) * US_DAY - 1;
	int64_t days, rest, year, month, day;
	char *p = to;

	if (us < first)
		us = first;
	if (us > last)
		us = last;
	days = us / US_DAY;
	rest = us % US_DAY;
	if (rest < 0) {
		rest += US_DAY;
		days--;
	}
	days_to_date(days, &year, &month, &day);
	p = put_number(p, year, 4, '-');
	p = put_number(p, month, 2, '-');
	p = put_number(p, day, 2, 'T');
	p = put_number(p, rest / US_HOUR, 2, ':');
	p = put_number(p, rest / US_MINUTE % 60, 2, ':');
	p = put_number(p, rest / US_SECOND % 60, 2, '.');
	p = put_number(p, rest % US_SECOND, 6, 'Z');
	*p = '\0';
	return to;
}

struct cursor {
	const char *p, *end;
};

/* Exactly n digits. */
static bool take_number(struct cursor *c, int n, int64_t *v)
{
	int64_t sum = 0;

	if (c->end - c->p < n)
		return false;
	for (; n > 0; n--, c->p++) {
		if (*c->p < '0' || *c->p > '9')
			return false;
		sum = sum * 10 + (*c->p - '0');
	}
	*v = sum;
	return true;
}

static bool take_char(struct cursor *c, char a, char b)
{
	if (c->p == c->end || (*c->p != a && *c->p != b))
		return false;
	c->p++;
	return true;
}

static bool take_date(struct cursor *c, int64_t *days)
{
	static const int64_t month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t year, month, day;
	bool leap;

	if (!take_number(c, 4, &year) || !take_char(c, '-', '-') || !take_number(c, 2, &month) || !take_char(c, '-', '-') ||
	    !take_number(c, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (month == 2 && day == 29 && !leap)
		return false;
	*days = date_to_days(year, month, day);
	return true;
}

static bool take_fraction(struct cursor *c, int64_t *us)
{
	int64_t unit = US_SECOND / 10;
	int digits = 0;

	*us = 0;
	if (!take_char(c, '.', ','))
		return true;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, digits++, unit /= 10)
		*us += (*c->p - '0') * unit;
	return digits >= 1 && digits <= 9;
}

static bool take_zone(struct cursor *c, int64_t *us)
{
	int64_t hours, minutes;
	int64_t sign;

	*us = 0;
	if (c->p == c->end || take_char(c, 'Z', 'z'))
		return true;
	sign = *c->p == '-' ? -1 : 1;
	if (!take_char(c, '+', '-') || !take_number(c, 2, &hours) || !take_char(c, ':', ':') || !take_number(c, 2, &minutes))
		return false;
	/* XML Schema part 2, 3.2.7.3: up to 14:00. */
	if (minutes > 59 || hours * 60 + minutes > 14 * 60)
		return false;
	*us = sign * (hours * US_HOUR + minutes * US_MINUTE);
	return true;
}

bool time_parse(const char *s, size_t n, int64_t *us)
{
	struct cursor c = { s, s + n };
	int64_t days, hour = 0, minute = 0, second = 0, fraction = 0, zone = 0;

	if (!take_date(&c, &days))
		return false;
	if (c.p != c.end) {
		if (!take_char(&c, 'T', ' ') || !take_number(&c, 2, &hour) || !take_char(&c, ':', ':') ||
		    !take_number(&c, 2, &minute) || !take_char(&c, ':', ':') || !take_number(&c, 2, &second) ||
		    !take_fraction(&c, &fraction) || !take_zone(&c, &zone))
			return false;
		/* A leap second counts as the first second of the next minute. */
		if (hour > 23 || minute > 59 || second > 60 || (second == 60 && minute != 59))
			return false;
	}
	if (c.p != c.end)
		return false;
	*us = days * US_DAY + hour * US_HOUR + minute * US_MINUTE + second * US_SECOND + fraction - zone;
	return true;
}

bool span_parse(const char *s, int64_t *us)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = { { "", US_SECOND },  { "ms", US_SECOND / 1000 }, { "s", US_SECOND }, { "m", US_MINUTE },
		      { "h", US_HOUR }, { "d", US_DAY },	       { "w", 7 * US_DAY } };
	size_t digits = strspn(s, "0123456789");
	int64_t v;

	if (!text_int(s, digits, &v))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(s + digits, units[i].name) != 0)
			continue;
		if (v > INT64_MAX / units[i].us)
			return false;
		*us = v * units[i].us;
		return true;
	}
	return false;
}

const char *span_text(int64_t us, char to[static 32])
{
	static const struct {
		char name;
		int64_t us;
	} units[] = { { 'd', US_DAY }, { 'h', US_HOUR }, { 'm', US_MINUTE }, { 's', US_SECOND } };
	const char *minus = us < 0 ? "-" : "";
	size_t i = 0;
	int64_t rest;

	if (us == INT64_MIN) /* has no positive twin */
		us++;
	if (us < 0)
		us = -us;
	if (us == 0) {
		snprintf(to, 32, "0s");
		return to;
	}
	if (us < US_SECOND) {
		snprintf(to, 32, "%s%dms", minus, (int)(us / 1000));
		return to;
	}
	while (us < units[i].us)
		i++;
	rest = us % units[i].us;
	if (i + 1 < sizeof units / sizeof *units && rest >= units[i + 1].us)
		snprintf(to, 32, "%s%lld%c %d%c", minus, (long long)(us / units[i].us), units[i].name,
			 (int)(rest / units[i + 1].us), units[i + 1].name);
	else
		snprintf(to, 32, "%s%lld%c", minus, (long long)(us / units[i].us), units[i].name);
	return to;
}
