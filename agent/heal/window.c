/* window.c - from days and hours of a wall clock to moments.
 *
 * Exists so that "at night" means the night of the people who run the servers. Promises an answer for the hour that is skipped and
 * for the hour that comes twice. Refuses nothing: a window that a skipped hour swallows whole does not open on that day. */
#include "heal/window.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "heal/fact.h"

#define AHEAD 15 /* days: a weekly window whose next day is swallowed opens within two weeks */

static const char *const day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

int window_day(const char *word)
{
	for (int i = 0; i < 7; i++)
		if (text_same(word, day_words[i]))
			return i;
	return -1;
}

struct opening {
	int64_t begin, end; /* begin >= end: it does not open */
};

/* The opening of local day d (days since 1970). */
static struct opening opening_of(const struct policy_window *w, int64_t d)
{
	int64_t weekday = ((d + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t last = w->to <= w->from ? d + 1 : d;

	if (!(w->days >> weekday & 1))
		return (struct opening){0, 0};
	return (struct opening){zone_instant(w->zone, d * US_DAY + w->from * US_MINUTE, ZONE_FIRST),
		zone_instant(w->zone, last * US_DAY + w->to * US_MINUTE, ZONE_LAST)};
}

/* The opening that holds t, or the first one behind it. */
static struct opening opening_at(const struct policy_window *w, int64_t t)
{
	int64_t today = (t + zone_offset(w->zone, t)) / US_DAY;

	for (int64_t d = today - 2; d < today + AHEAD; d++) {
		struct opening o = opening_of(w, d);

		if (o.begin < o.end && o.end > t)
			return o;
	}
	return (struct opening){INT64_MAX, INT64_MAX};
}

int64_t window_next(const struct policy_window *w, size_t n, int64_t t)
{
	int64_t first = n == 0 ? t : INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		struct opening o = opening_at(&w[i], t);
		int64_t at = o.begin <= t ? t : o.begin;

		first = at < first ? at : first;
	}
	return first;
}

int64_t window_end(const struct policy_window *w, size_t n, int64_t t)
{
	int64_t last = t;

	for (size_t i = 0; i < n; i++) {
		struct opening o = opening_at(&w[i], t);

		if (o.begin <= t && o.end > last)
			last = o.end;
	}
	return last;
}

const char *window_text(const struct policy_window *w, char to[static 128])
{
	char days[40] = "";

	for (int i = 0; i < 7 && w->days != WINDOW_DAYS_ALL; i++)
		if (w->days >> i & 1)
			say_text(days + strlen(days), sizeof(days) - strlen(days), "%s%s", days[0] ? ", " : "", day_words[i]);
	say_text(to, 128, "%s %02d:%02d to %02d:%02d %s", days[0] ? days : "every day", w->from / 60, w->from % 60, w->to / 60,
		w->to % 60, zone_name(w->zone));
	return to;
}
