/* time_part.h - the minute, hour, day, week, month or year of a time that stands in an event as text. */
#ifndef EVMEND_RULES_TIME_PART_H
#define EVMEND_RULES_TIME_PART_H

#include <stdbool.h>
#include <stddef.h>

enum time_part { TIME_MINUTE, TIME_HOUR, TIME_DAY, TIME_WEEK, TIME_MONTH, TIME_YEAR };

/* value: what time_parse (base/clock.h) takes, so both "2021-05-12T13:07:33.1234567Z" (TimeCreated) and
 * "2021-05-12 13:07:33.123" (Sysmon's UtcTime), blanks around it. The parts are those in UTC; a text without a zone is UTC, a
 * date alone is its midnight. day is the day of the month, week the week of ISO 8601 (1 to 53; the first days of January may
 * be in week 52 or 53, the last of December in week 1). false: no time. */
bool time_part(enum time_part part, const char *value, size_t n, int *to);

#endif
