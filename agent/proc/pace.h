/* pace.h - how fast and how often: pauses between tries, and a rate. */
#ifndef EVMEND_PROC_PACE_H
#define EVMEND_PROC_PACE_H

#include <stddef.h>
#include <stdint.h>

/* Full jitter: any time from 1 us to 1 s after the first failure, then to 2, 4 ... 60 s. random: any number. */
int64_t pace_pause(unsigned failures, uint64_t random);

/* A bucket of tokens: rate a second, at most those of one second at once; rate 0: as many as are wanted. */
struct pace_bucket {
	int64_t rate;
	int64_t have; /* millionths of tokens */
	int64_t at;   /* monotonic us, when that was */
};
size_t pace_may(struct pace_bucket *b, int64_t now, size_t want); /* how many of want may go now */
void pace_went(struct pace_bucket *b, size_t n);

#endif
