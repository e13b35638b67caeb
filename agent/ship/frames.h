/* frames.h - messages on their way over a stream that acknowledges nothing: which were confirmed, and which are kept to be sent again.
 *
 * A frame is new, then given to the kernel, then confirmed (the peer's TCP has all of it). Confirmed ones stay, the newest `keep` bytes of
 * them for at most FRAMES_AGE: a peer that dies takes what it had not yet read with it. frames_again begins with those anew. */
#ifndef EVMEND_SHIP_FRAMES_H
#define EVMEND_SHIP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define FRAMES_AGE (20 * US_MINUTE) /* who has not read for so long is given up by then */
#define FRAMES_MOST 8192            /* without confirmation */

struct frames;

#define FRAMES_KEEP (64u << 20) /* the most that is kept, whoever asks for more */

struct frames *frames_new(size_t keep);
void frames_keep(struct frames *f, size_t keep); /* from now on */
void frames_free(struct frames *f);
bool frames_room(const struct frames *f); /* for another one; false while frames_lost has something to say */
void frames_add(struct frames *f, int64_t seq, const void *p, size_t n);
const char *frames_unsent(const struct frames *f, size_t *n);
void frames_sent(struct frames *f, size_t n, uint64_t given); /* n of the unsent; `given` bytes were on the wire behind them */
/* The seq of the next frame of which `confirmed` covers every byte, in order; 0: there is none. Those that are sent again are passed over:
 * their seq was told before. */
int64_t frames_confirm(struct frames *f, uint64_t confirmed, int64_t now);
size_t frames_open(const struct frames *f); /* without confirmation, new or sent again */
/* A new connection: what was confirmed is to be sent again, the rest is forgotten and its seqs come out of frames_lost, in order; 0: no more. */
void frames_again(struct frames *f);
int64_t frames_lost(struct frames *f);

#endif
