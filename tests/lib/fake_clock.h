/* fake_clock.h - a clock that goes only when a test says so. Sleeping moves it and is counted. */
#ifndef EVMEND_TESTS_LIB_FAKE_CLOCK_H
#define EVMEND_TESTS_LIB_FAKE_CLOCK_H

#include "base/clock.h"

struct fake_clock {
	struct clock clock; /* give &f.clock away; f must not move in memory */
	int64_t wall, monotonic; /* set wall alone for a jump */
	int64_t slept;
};

void fake_clock_init(struct fake_clock *f, int64_t wall);
void fake_clock_advance(struct fake_clock *f, int64_t us); /* both go on */

#endif
