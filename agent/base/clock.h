/* clock.h - the only reader of clocks. Every time in evmend is int64_t microseconds since 1970-01-01 UTC,
 * every span is int64_t microseconds. */
#ifndef EVMEND_BASE_CLOCK_H
#define EVMEND_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_SECOND INT64_C(1000000)
#define US_MINUTE (60 * US_SECOND)
#define US_HOUR (60 * US_MINUTE)
#define US_DAY (24 * US_HOUR)

struct clock {
	const struct clock_ops *ops;
	int64_t fixed; /* for clock_fixed: the time it shows */
};

struct clock_ops {
	int64_t (*wall)(const struct clock *c);      /* microseconds since 1970 UTC; may jump */
	int64_t (*monotonic)(const struct clock *c); /* microseconds since some start; never jumps */
	void (*sleep)(const struct clock *c, int64_t us);
};

struct clock clock_real(void);
struct clock clock_fixed(int64_t wall); /* --at, and tests: wall and monotonic show it; sleep adds to nothing and returns at once */
int64_t clock_wall(const struct clock *c);
int64_t clock_monotonic(const struct clock *c);
void clock_sleep(const struct clock *c, int64_t us);
int64_t clock_cpu_us(void); /* CPU time of this process, for summaries */

/* "2018-03-13T21:02:11.114211Z" (six digits, always). to holds 32 bytes. A time outside the years 0000 to 9999
 * is shown as the first or last that can be written. */
const char *time_text(int64_t us, char to[static 32]);
/* XML Schema dateTime as Windows writes it: 0 to 9 fractional digits, "Z" or an offset or nothing (= UTC).
 * Digits below a microsecond are cut. Also takes "YYYY-MM-DD" and "YYYY-MM-DD HH:MM:SS". false: not a time. */
bool time_parse(const char *s, size_t n, int64_t *us);
/* Calendar without zones: days since 1970-01-01 of a date (proleptic Gregorian), and back. month and day count from 1. */
int64_t date_to_days(int64_t year, int64_t month, int64_t day);
void days_to_date(int64_t days, int64_t *year, int64_t *month, int64_t *day);
/* "90s", "15m", "24h", "30d", "2w"; a bare number counts seconds. false: not a span. */
bool span_parse(const char *s, int64_t *us);
const char *span_text(int64_t us, char to[static 32]); /* "1h 5m", "12s", "250ms" */

#endif
