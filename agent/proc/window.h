/* window.h - the records of one sink that are on their way: each with its state, so that only what failed is sent again and the cursor moves
 * over what is done at the head. */
#ifndef EVMEND_PROC_WINDOW_H
#define EVMEND_PROC_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window;

struct window *window_new(size_t most);
void window_free(struct window *w);
size_t window_room(const struct window *w);    /* how many more it holds */
size_t window_count(const struct window *w);   /* from the first that is not done to the last */
size_t window_sent(const struct window *w);    /* of those: with the receiver, without a result */
size_t window_waiting(const struct window *w); /* of those: to be sent again */
size_t window_held(const struct window *w);    /* that wait each on its own, also while they are tried again */
void window_add(struct window *w, int64_t seq); /* it was sent; seq is above all others; there is room */
bool window_done(struct window *w, int64_t seq);  /* false: it is not with the receiver */
bool window_again(struct window *w, int64_t seq); /* failed: it waits for the receiver; false as above */
bool window_hold(struct window *w, int64_t seq, int64_t now, int64_t until); /* failed: it waits on its own until then; times are monotonic */
int64_t window_since(const struct window *w, int64_t seq); /* of one with the receiver: when it was held first; 0: it was not */
void window_hurry(struct window *w, int64_t before);       /* what is held since before that may go now */
void window_resent(struct window *w, int64_t seq); /* one that waited is with the receiver again */
void window_gone(struct window *w, int64_t seq);   /* one that waited does not exist any more: done */
bool window_has_sent(const struct window *w, int64_t seq);  /* it is with the receiver */
bool window_has_waiting(const struct window *w, int64_t seq);
size_t window_list(struct window *w, int64_t now, int64_t *to, size_t n); /* the first n that wait and may go, ascending; how many */
int64_t window_due(const struct window *w); /* nothing that waits may go before; INT64_MAX: nothing waits */
/* Forgets what is done at the head. The first that is not done; 0: there is none. */
int64_t window_head(struct window *w);

#endif
