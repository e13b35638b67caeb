/* window.h - windows of maintenance: when a repair may begin on its own. Pure functions of a window and a time. */
#ifndef EVMEND_HEAL_WINDOW_H
#define EVMEND_HEAL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

#define WINDOW_DAYS_ALL 0x7fu

/* Opens at `from` of each of its days, by the clocks of its zone. A window over midnight belongs to the day on which it opens. */
struct policy_window {
	unsigned days;   /* bit 0: Monday ... bit 6: Sunday */
	int from, to;    /* minutes after midnight; to up to 1440; to <= from: on the next day */
	const struct zone *zone;
};

/* t itself while one of the windows is open, else their next opening (us); no windows: t; INT64_MAX: none opens within weeks.
 * One that begins in a skipped hour opens at the jump; one that begins in a doubled hour opens the first time; one that ends in a
 * doubled hour stays open through both. */
int64_t window_next(const struct policy_window *w, size_t n, int64_t t);
/* When the window that is open at t closes, the last of them; t: none is open. */
int64_t window_end(const struct policy_window *w, size_t n, int64_t t);
const char *window_text(const struct policy_window *w, char to[static 128]); /* "sat, sun 22:00 to 04:00 Europe/Berlin" */
int window_day(const char *word); /* "mon" is 0 ... "sun" is 6; -1: no day */

#endif
