/* time_part.c - parts of a time.
 *
 * Why: a rule may ask for the hour or the week of a time that an event carries.
 * Promises: the parts are those of the calendar in UTC, on any host and in any time zone.
 * Refuses: what is no time; it does not guess at days before months or at local notations. */
#include "rules/time_part.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

/* ISO 8601: weeks begin on Monday, and week 1 is the one with the year's first Thursday. So a day is in the week of the year
 * that its Thursday is in. 1970-01-01 was a Thursday. */
static int iso_week(int64_t days)
{
	int64_t weekday = ((days + 3) % 7 + 7) % 7; /* Monday: 0 */
	int64_t thursday = days - weekday + 3, year, month, day;

	days_to_date(thursday, &year, &month, &day);
	return (int)((thursday - date_to_days(year, 1, 1)) / 7 + 1);
}

bool time_part(enum time_part part, const char *value, size_t n, int *to)
{
	int64_t us, year, month, day;

	text_trim(&value, &n);
	if (!time_parse(value, n, &us))
		return false;
	int64_t days = us / US_DAY - (us % US_DAY < 0), rest = us - days * US_DAY;

	days_to_date(days, &year, &month, &day);
	switch (part) {
	case TIME_MINUTE: *to = (int)(rest / US_MINUTE % 60); break;
	case TIME_HOUR: *to = (int)(rest / US_HOUR); break;
	case TIME_DAY: *to = (int)day; break;
	case TIME_WEEK: *to = iso_week(days); break;
	case TIME_MONTH: *to = (int)month; break;
	case TIME_YEAR: *to = (int)year; break;
	}
	return true;
}
