/* http_place.c - places of a receiver that take nothing until a person acts.
 *
 * Why: a receiver may refuse a whole batch because one index of several is not there, and what goes there comes by the thousand: to find each
 * such record by halves would take all its time. Promises: when one was found, all that goes to the same place waits alone, a minute long,
 * without being sent; the others go on in their order. Refuses nothing. */
#include <string.h>

#include "base/text.h"
#include "ship/http_inside.h"

uint64_t place_of(const struct http_sink *h)
{
	return h->place.n ? hash_bytes(&h->inside->seed, h->place.p, h->place.n) | 1 : 0;
}

bool place_is_one(const struct lane *l)
{
	size_t i = 0;

	while (i < l->sent && l->items[i].place && l->items[i].place == l->items[0].place)
		i++;
	return i && i == l->sent;
}

/* With many places, the one that is tried again first anyway makes room. */
void place_shut(struct http_sink *h, uint64_t place, const char *why)
{
	struct http_inside *in = h->inside;
	struct shut *s = in->shut;

	for (size_t i = 0; i < in->n_shut && s->place != place; i++)
		if (in->shut[i].place == place || in->shut[i].until < s->until)
			s = &in->shut[i];
	if (in->n_shut < SHUT_MOST && s->place != place)
		s = &in->shut[in->n_shut++];
	s->place = place;
	s->until = clock_monotonic(h->clock) + HTTP_ALARM_PAUSE;
	text_copy(s->why, sizeof s->why, why);
}

bool place_held(struct http_sink *h, int64_t seq, uint64_t place)
{
	struct http_inside *in = h->inside;
	size_t i = 0;

	while (place && i < in->n_shut && in->shut[i].place != place)
		i++;
	if (!place || i == in->n_shut || in->shut[i].until <= clock_monotonic(h->clock))
		return false;
	add_result(in, seq, SINK_RETRY, in->shut[i].until, in->shut[i].why)->alone = true;
	return true;
}

void place_sweep(struct http_sink *h, struct lane *l)
{
	size_t kept = 0, from = 0, to = 0;

	if (!h->inside->n_shut)
		return;
	for (size_t i = 0; i < l->n; i++) {
		const struct item item = l->items[i];

		if (!place_held(h, item.seq, item.place)) {
			if (to < from)
				memmove(l->text.p + to, l->text.p + from, item.n);
			to += item.n;
			l->items[kept++] = item;
		}
		from += item.n;
	}
	if (kept == l->n)
		return;
	l->n = kept;
	l->text.n = to;
	l->suspect = 0; /* the bad one may be among those that went */
	l->named = HTTP_UNNAMED;
}
