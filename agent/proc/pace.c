/* pace.c - how fast and how often.
 *
 * Why: a thousand agents must not come back to a receiver in the same second, and a receiver that is paid by volume wants a ceiling.
 * Promises: pauses have no steps that several agents share; a bucket never gives more than its rate over any time but one second's worth.
 * Refuses nothing. */
#include "proc/pace.h"

#include "base/clock.h"

#define LONGEST 60 /* s */

int64_t pace_pause(unsigned failures, uint64_t random)
{
	int64_t most = failures > 6 ? LONGEST : INT64_C(1) << (failures ? failures - 1 : 0);

	most = (most > LONGEST ? LONGEST : most) * US_SECOND;
	return (int64_t)(random % (uint64_t)most) + 1;
}

size_t pace_may(struct pace_bucket *b, int64_t now, size_t want)
{
	int64_t most = b->rate * US_SECOND;

	if (!b->rate)
		return want;
	if (!b->at || now - b->at >= US_SECOND)
		b->have = most;
	else if (now > b->at)
		b->have += (now - b->at) * b->rate;
	b->have = b->have > most ? most : b->have;
	b->at = now;
	return (uint64_t)(b->have / US_SECOND) < want ? (size_t)(b->have / US_SECOND) : want;
}

void pace_went(struct pace_bucket *b, size_t n)
{
	if (b->rate)
		b->have -= (int64_t)n * US_SECOND;
}
