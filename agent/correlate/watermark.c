/* watermark.c - event time.
 *
 * Why: "A happened and no B followed" can only be said once it is certain that no B is still on its way.
 * Promises: one late or dead channel delays the decisions about its own computer only, and not for longer than idle_after.
 * Refuses: more than STREAMS streams: the one silent for longest is forgotten (then it holds nothing back any more). */
#include "correlate/watermark.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"

#define STREAMS 65536
#define BUCKETS 16384

struct stream {
	struct stream *next;          /* same bucket */
	struct stream *newer, *older; /* by when they were heard */
	char *computer, *source, *channel; /* one allocation, at computer */
	int64_t reached; /* newest event time */
	int64_t heard;   /* wall time of its last event */
};

struct watermarks {
	struct stream *buckets[BUCKETS]; /* by computer */
	struct stream *newest, *oldest;
	struct hash_seed seed;
	size_t n;
	int64_t idle_after;
};

struct watermarks *watermarks_new(int64_t idle_after)
{
	struct watermarks *w = xcalloc(1, sizeof *w);

	w->seed = hash_seed_draw();
	w->idle_after = idle_after;
	return w;
}

static void free_stream(struct stream *s)
{
	free(s->computer);
	free(s);
}

void watermarks_free(struct watermarks *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (w->buckets[i]) {
			struct stream *s = w->buckets[i];

			w->buckets[i] = s->next;
			free_stream(s);
		}
	free(w);
}

static struct stream **bucket_of(struct watermarks *w, const char *computer)
{
	return &w->buckets[hash_bytes(&w->seed, computer, strlen(computer)) % BUCKETS];
}

static void heard_now(struct watermarks *w, struct stream *s)
{
	s->newer = NULL;
	s->older = w->newest;
	*(w->newest ? &w->newest->newer : &w->oldest) = s;
	w->newest = s;
}

static void unlink_heard(struct watermarks *w, struct stream *s)
{
	*(s->newer ? &s->newer->older : &w->newest) = s->older;
	*(s->older ? &s->older->newer : &w->oldest) = s->newer;
}

static void forget_oldest(struct watermarks *w)
{
	struct stream *gone = w->oldest, **p = bucket_of(w, gone->computer);

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	unlink_heard(w, gone);
	free_stream(gone);
	w->n--;
}

static struct stream *stream_of(struct watermarks *w, const char *computer, const char *source, const char *channel)
{
	struct stream **b = bucket_of(w, computer), *s;
	size_t nc = strlen(computer) + 1, ns = strlen(source) + 1, nh = strlen(channel) + 1;

	for (s = *b; s; s = s->next)
		if (strcmp(s->computer, computer) == 0 && strcmp(s->channel, channel) == 0 && strcmp(s->source, source) == 0) {
			unlink_heard(w, s);
			heard_now(w, s);
			return s;
		}
	if (w->n >= STREAMS && w->oldest != w->newest)
		forget_oldest(w);
	s = xcalloc(1, sizeof *s);
	s->computer = xcalloc(nc + ns + nh, 1);
	s->source = s->computer + nc;
	s->channel = s->source + ns;
	memcpy(s->computer, computer, nc);
	memcpy(s->source, source, ns);
	memcpy(s->channel, channel, nh);
	s->reached = INT64_MIN;
	s->next = *b;
	*b = s;
	heard_now(w, s);
	w->n++;
	return s;
}

bool watermarks_see(struct watermarks *w, const char *computer, const char *source, const char *channel, int64_t time, int64_t now)
{
	struct stream *s = stream_of(w, computer, source, channel);
	bool late = time < s->reached;

	if (!late)
		s->reached = time;
	s->heard = now;
	return late;
}

int64_t watermarks_of(const struct watermarks *w, const char *computer, int64_t now)
{
	const struct stream *s = w->buckets[hash_bytes(&w->seed, computer, strlen(computer)) % BUCKETS];
	int64_t least = INT64_MAX;

	for (; s; s = s->next)
		if (strcmp(s->computer, computer) == 0 && s->heard > now - w->idle_after && s->reached < least)
			least = s->reached;
	return least == INT64_MAX ? now - w->idle_after : least;
}

void watermarks_save(const struct watermarks *w, struct json_out *o, const char *key)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct stream *s = w->buckets[i]; s; s = s->next) {
			json_open(o, NULL, '{');
			json_put_str(o, "computer", s->computer);
			json_put_str(o, "source", s->source);
			json_put_str(o, "channel", s->channel);
			json_put_int(o, "reached", s->reached);
			json_close(o, '}');
		}
	json_close(o, ']');
}

void watermarks_load(struct watermarks *w, const struct json *j, int64_t now)
{
	for (size_t i = 0; i < json_len(j); i++) {
		const struct json *s = json_at(j, i);

		watermarks_see(w, json_str(json_get(s, "computer"), ""), json_str(json_get(s, "source"), ""),
			       json_str(json_get(s, "channel"), ""), json_int(json_get(s, "reached"), 0), now);
	}
}
