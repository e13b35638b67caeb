/* window.c - the records of one sink that are on their way.
 *
 * Why: a receiver that refuses one record of a thousand gets that one again and not the thousand. Promises: nothing is forgotten before it is
 * done; each question takes at most the logarithm of the window, but for the list of those that wait; one that waits on its own holds up no
 * other while there is room. Refuses nothing: who adds asks for room before. */
#include "proc/window.h"

#include <stdlib.h>

#include "base/err.h"

enum state { SENT, WAITS, DONE };

struct slot {
	int64_t seq, until, since; /* of one that waits on its own: until when, and since it first did */
	enum state state;
};

struct window {
	size_t most, first, n; /* a ring */
	size_t sent, waiting, held;
	int64_t due; /* none that waits may go before */
	struct slot slots[];
};

struct window *window_new(size_t most)
{
	struct window *w = xcalloc(1, sizeof *w + most * sizeof w->slots[0]);

	w->most = most;
	w->due = INT64_MAX;
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

size_t window_held(const struct window *w)
{
	return w->held;
}

int64_t window_due(const struct window *w)
{
	return w->due;
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
	w->slots[place(w, w->n++)] = (struct slot){ .seq = seq, .state = SENT };
	w->sent++;
}

/* It was on its way, and is not any more. */
static struct slot *came_back(struct window *w, int64_t seq, enum state state)
{
	struct slot *s = find(w, seq, SENT);

	if (!s)
		return NULL;
	s->state = state;
	w->sent--;
	w->waiting += state == WAITS;
	return s;
}

static void held_no_more(struct window *w, struct slot *s)
{
	w->held -= s->since != 0;
	s->since = 0;
}

/* It waited, and does not any more. */
static struct slot *waits_no_more(struct window *w, int64_t seq, enum state state)
{
	struct slot *s = find(w, seq, WAITS);

	if (!s)
		return NULL;
	s->state = state;
	w->waiting--;
	if (!w->waiting)
		w->due = INT64_MAX;
	return s;
}

bool window_done(struct window *w, int64_t seq)
{
	struct slot *s = came_back(w, seq, DONE);

	if (s)
		held_no_more(w, s);
	return s;
}

bool window_again(struct window *w, int64_t seq)
{
	struct slot *s = came_back(w, seq, WAITS);

	if (!s)
		return false;
	held_no_more(w, s);
	s->until = w->due = 0;
	return true;
}

bool window_hold(struct window *w, int64_t seq, int64_t now, int64_t until)
{
	struct slot *s = came_back(w, seq, WAITS);

	if (!s)
		return false;
	s->until = until;
	w->held += !s->since;
	if (!s->since)
		s->since = now;
	w->due = until < w->due ? until : w->due;
	return true;
}

int64_t window_since(const struct window *w, int64_t seq)
{
	const struct slot *s = look(w, seq, SENT);

	return s ? s->since : 0;
}

void window_hurry(struct window *w, int64_t before)
{
	for (size_t i = 0; i < w->n && w->held; i++) {
		struct slot *s = &w->slots[place(w, i)];

		if (s->state == WAITS && s->since && s->since < before)
			s->until = w->due = 0;
	}
}

void window_resent(struct window *w, int64_t seq)
{
	if (waits_no_more(w, seq, SENT))
		w->sent++;
}

void window_gone(struct window *w, int64_t seq)
{
	struct slot *s = waits_no_more(w, seq, DONE);

	if (s)
		held_no_more(w, s);
}

size_t window_list(struct window *w, int64_t now, int64_t *to, size_t n)
{
	size_t k = 0, seen = 0;

	w->due = INT64_MAX;
	for (size_t i = 0; i < w->n && seen < w->waiting; i++) {
		const struct slot *s = &w->slots[place(w, i)];

		if (s->state != WAITS)
			continue;
		seen++;
		if (s->until <= now && k < n)
			to[k++] = s->seq;
		w->due = s->until < w->due ? s->until : w->due;
	}
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
