/* book_room.c - how much the book holds, and what goes when it is too much.
 *
 * Why: a host is whatever an event calls its computer, so their number is a stranger's choice.
 * Promises: a host that nothing is known of any more goes; above the limit goes what was used least lately: what was told of a host,
 * then the host. Nothing that is unsent, no open case, no configured host. A host with something remembered is spared longer.
 * Refuses: a host for which no room can be made. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cases/book_private.h"
#include "limits.h"

#define ROUNDS 4 /* after so many nothing is spared any more */
#define TIDY_EVERY US_MINUTE

void book_grow(struct book *b)
{
	size_t room = b->room ? 2 * b->room : BOOK_ROOM;
	struct book_host **bigger = xcalloc(room, sizeof(struct book_host *));

	for (size_t i = 0; i < b->room; i++)
		while (b->buckets[i]) {
			struct book_host *h = b->buckets[i], **to = &bigger[hash_bytes(&b->seed, h->name, strlen(h->name)) & (room - 1)];

			b->buckets[i] = h->next;
			h->next = *to;
			*to = h;
		}
	free(b->buckets);
	b->buckets = bigger;
	b->room = room;
}

void book_before_room(struct book *b, struct book_host *h)
{
	h->before = xcalloc(CASE_BEFORE, sizeof *h->before);
	b->bytes += CASE_BEFORE * sizeof *h->before;
}

size_t book_before_bytes(const struct case_before *one)
{
	return strlen(one->what) + 1; /* title and rule are the rule's, for all hosts */
}

void book_weigh(struct book *b, struct stream *s)
{
	size_t bytes = sizeof *s + told_bytes(s->told);

	b->bytes = b->bytes - s->bytes + bytes;
	s->bytes = bytes;
}

static bool is_sent(const void *arg, const struct stream *s)
{
	(void)arg;
	return s->told->count <= s->sent;
}

size_t book_drop_streams(struct book *b, struct book_host *h, bool (*goes)(const void *arg, const struct stream *s), const void *arg)
{
	struct stream **p = &h->streams, *s;
	size_t n = 0;

	while ((s = *p)) {
		if (!(goes ? goes : is_sent)(arg, s)) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		b->bytes -= s->bytes;
		told_free(s->told);
		free(s);
		n++;
	}
	return n;
}

static bool every(const void *arg, const struct stream *s)
{
	(void)arg;
	(void)s;
	return true;
}

void book_free_host(struct book *b, struct book_host *h)
{
	book_drop_streams(b, h, every, NULL);
	for (size_t i = 0; i < h->n_before; i++)
		b->bytes -= book_before_bytes(&h->before[i]);
	b->bytes -= sizeof *h + (h->before ? CASE_BEFORE * sizeof *h->before : 0);
	b->counts.hosts--;
	free(h->before);
	free(h);
}

/* Something would be lost with it. */
static bool is_needed(const struct book_host *h)
{
	bool needed = h->ours || h->streams;

	for (int i = 0; i < BOOK_CAUSES; i++)
		needed = needed || h->open[i];
	return needed;
}

/* What a later case could still say of it is older than it may be. */
static bool is_idle(const struct book_host *h, int64_t now)
{
	if (is_needed(h) || (h->n_before && h->before[h->n_before - 1].time >= now - REMEMBER_FOR))
		return false;
	for (int i = 0; i < 16; i++)
		if (h->seen_at[i] >= now - US_DAY)
			return false;
	for (int i = 0; i < BOOK_CAUSES; i++)
		if (h->tallies[i].last >= now - US_DAY || h->tallies[i].healed_at >= now - US_DAY || h->closed_at[i] >= now - REMEMBER_FOR)
			return false;
	return true;
}

static bool is_full(const struct book *b)
{
	return b->most_bytes && (b->counts.hosts >= LIMIT_HOSTS || b->bytes > b->most_bytes);
}

/* The next bucket. */
static void give_up(struct book *b)
{
	struct book_host **p = &b->buckets[b->hand++ & (b->room - 1)], *h;

	while ((h = *p)) {
		bool spared = h->spared > 0, told = !spared && book_drop_streams(b, h, NULL, NULL) > 0;

		h->spared = (uint8_t)(h->spared - spared);
		if (spared || is_needed(h)) {
			b->counts.evicted += told;
			p = &h->next;
			continue;
		}
		b->counts.evicted++;
		*p = h->next;
		book_free_host(b, h);
	}
}

void book_tidy(struct book *b, int64_t now)
{
	if (now < b->tidied || now - b->tidied >= TIDY_EVERY) {
		b->tidied = now;
		for (size_t i = 0; i < b->room; i++)
			for (struct book_host **p = &b->buckets[i], *h; (h = *p);) {
				if (!is_idle(h, now)) {
					p = &h->next;
					continue;
				}
				*p = h->next;
				book_free_host(b, h);
			}
	}
	b->stuck = false;
	for (size_t i = 0; i < ROUNDS * b->room && b->bytes > b->most_bytes; i++)
		give_up(b);
}

void book_counts(const struct book *b, struct book_counts *to)
{
	*to = b->counts;
	to->bytes = b->bytes + b->room * sizeof(struct book_host *);
}

void book_renew(struct book *b)
{
	for (size_t i = 0; i < b->room; i++)
		for (struct book_host *h = b->buckets[i]; h; h = h->next) {
			h->name = strings_add(b->pool, h->name);
			for (size_t k = 0; k < h->n_before; k++) {
				struct case_before *one = &h->before[k];

				one->title = strings_add(b->pool, one->title);
				one->rule = strings_add(b->pool, one->rule);
				one->what = strings_add(b->pool, one->what);
			}
			for (struct stream *s = h->streams; s; s = s->next)
				told_renew(s->told, b->pool);
		}
	for (size_t i = 0; i < b->n; i++) {
		struct book_case *c = b->cases[i];

		c->c.host = c->of->name;
		c->c.hint = strings_add(b->pool, c->c.hint);
		c->c.source = strings_add(b->pool, c->c.source);
		for (size_t k = 0; k < c->c.n_reported_by; k++)
			c->reporters[k] = strings_add(b->pool, c->reporters[k]);
	}
}

bool book_has_room(struct book *b)
{
	for (size_t i = 0; i < ROUNDS * b->room && is_full(b) && !b->stuck; i++)
		give_up(b);
	b->stuck = is_full(b); /* until something was sent or closed */
	return !b->stuck;
}
