/* window.c - the records of one sink that are on their way.
 *
 * Why: a receiver that refuses one record of a thousand gets that one again and not the thousand. Promises: nothing is forgotten before it is
 * done; each question takes at most the logarithm of the window, but for the list of those that wait. Refuses nothing: who adds asks for
 * room before. */
#include "proc/window.h"

#include <stdlib.h>

#include "base/err.h"

enum state { SENT, WAITS, DONE };

struct slot {
	int64_t seq;
	enum state state;
};

struct window {
	size_t most, first, n; /* a ring */
	size_t sent, waiting;
	struct slot slots[];
};

struct window *window_new(size_t most)
{
	struct window *w = xcalloc(1, sizeof *w + most * sizeof w->slots[0]);

	w->most = most;
	return w;
}

void window_free(struct window *w)
{
	free(w);
}

size_t window_room(const struct window *w)
{
	return w->most - w->n;
}

size_t window_count(const struct window *w)
{
	return w->n;
}

size_t window_sent(const struct window *w)
{
	return w->sent;
}

size_t window_waiting(const struct window *w)
{
	return w->waiting;
}

static size_t place(const struct window *w, size_t i)
{
	return (w->first + i) % w->most;
}

/* The slot of seq in that state; NULL: there is none. */
static const struct slot *look(const struct window *w, int64_t seq, enum state state)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->slots[place(w, middle)].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == w->n)
		return NULL;
	const struct slot *s = &w->slots[place(w, low)];

	return s->seq == seq && s->state == state ? s : NULL;
}

static struct slot *find(struct window *w, int64_t seq, enum state state)
{
	const struct slot *s = look(w, seq, state);

	return s ? &w->slots[s - w->slots] : NULL;
}

bool window_has_sent(const struct window *w, int64_t seq)
{
	return look(w, seq, SENT);
}

bool window_has_waiting(const struct window *w, int64_t seq)
{
	return look(w, seq, WAITS);
}

void window_add(struct window *w, int64_t seq)
{
	if (w->n == w->most || (w->n && w->slots[place(w, w->n - 1)].seq >= seq))
		die("a window of records has no room for %lld", (long long)seq);
	w->slots[place(w, w->n++)] = (struct slot){ seq, SENT };
	w->sent++;
}

bool window_done(struct window *w, int64_t seq)
{
	struct slot *s = find(w, seq, SENT);

	if (!s)
		return false;
	s->state = DONE;
	w->sent--;
	return true;
}

bool window_again(struct window *w, int64_t seq)
{
	struct slot *s = find(w, seq, SENT);

	if (!s)
		return false;
	s->state = WAITS;
	w->sent--;
	w->waiting++;
	return true;
}

void window_resent(struct window *w, int64_t seq)
{
	struct slot *s = find(w, seq, WAITS);

	if (!s)
		return;
	s->state = SENT;
	w->waiting--;
	w->sent++;
}

void window_gone(struct window *w, int64_t seq)
{
	struct slot *s = find(w, seq, WAITS);

	if (!s)
		return;
	s->state = DONE;
	w->waiting--;
}

size_t window_list(const struct window *w, int64_t *to, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < w->n && k < n && k < w->waiting; i++)
		if (w->slots[place(w, i)].state == WAITS)
			to[k++] = w->slots[place(w, i)].seq;
	return k;
}

int64_t window_head(struct window *w)
{
	while (w->n && w->slots[w->first].state == DONE) {
		w->first = place(w, 1);
		w->n--;
	}
	return w->n ? w->slots[w->first].seq : 0;
}
