/* fake_clock.c - time for tests: stands still, advances, jumps. Promises that nobody waits; refuses nothing. */
#include "lib/fake_clock.h"

static struct fake_clock *of(const struct clock *c)
{
	return (struct fake_clock *)(uintptr_t)c; /* clock is the first member */
}

static int64_t wall(const struct clock *c)
{
	return of(c)->wall;
}

static int64_t monotonic(const struct clock *c)
{
	return of(c)->monotonic;
}

static void sleep_fake(const struct clock *c, int64_t us)
{
	fake_clock_advance(of(c), us);
	of(c)->slept += us;
}

void fake_clock_init(struct fake_clock *f, int64_t at)
{
	static const struct clock_ops ops = { wall, monotonic, sleep_fake };

	*f = (struct fake_clock){ .clock = { .ops = &ops }, .wall = at, .monotonic = US_DAY };
}

void fake_clock_advance(struct fake_clock *f, int64_t us)
{
	f->wall += us;
	f->monotonic += us;
}
