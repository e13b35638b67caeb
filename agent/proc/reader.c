/* reader.c - the sources of watch, each stream with its decoder.
 *
 * Why: a source knows bytes and an engine knows events; between them somebody must know which bytes belong together and how far they are
 * dealt with. Promises: a stream's stored position is never ahead of what its decoder has wholly given out; a stream of no known form is
 * told once and passed over. Refuses: more than STREAMS open streams at a time (the one that was quiet longest is settled first). */
#include "proc/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define STREAMS 1024
#define ARENA_BLOCK 65536

struct stream {
	size_t source;
	char *partition;
	struct decoder *decoder;
	struct arena *arena;
	int64_t base;    /* offset in the stream of the decoder's first byte */
	int64_t end;     /* of what was read */
	bool moved;      /* since the last reader_stored */
	bool ended;      /* freed when its position is stored */
	bool refused;    /* no known form: its bytes are passed over */
	uint64_t used;   /* the older, the smaller */
};

struct reader {
	struct reader_options o;
	struct source *sources[CONFIG_SOURCES];
	bool over[CONFIG_SOURCES]; /* no more bytes will come */
	char *told[CONFIG_SOURCES]; /* the last failure of each source, so that it is told once */
	size_t n_sources;
	struct stream *streams[STREAMS];
	size_t n_streams;
	struct stream *now;
	uint64_t rounds;
};

static void stream_free(struct stream *s)
{
	decoder_free(s->decoder);
	arena_free(s->arena);
	free(s->partition);
	free(s);
}

static int open_source(struct reader *r, const struct config_source *c, struct err *e)
{
	struct source_options o = { .name = c->name, .kind = c->kind, .path = c->path, .files = &os_file, .process = &os_process,
		.clock = r->o.clock };
	struct source *s = source_new(&o);
	struct source_counts n;

	if (place_resume(r->o.place, s, e) < 0 || s->ops->open(s, e) < 0) {
		source_free(s);
		return err_prefix(e, "source %s", c->name);
	}
	s->ops->counts(s, &n);
	if (n.note)
		r->o.failed(r->o.sink.arg, n.note);
	r->sources[r->n_sources++] = s;
	return 0;
}

struct reader *reader_new(const struct reader_options *o, struct err *e)
{
	struct reader *r = xcalloc(1, sizeof *r);

	r->o = *o;
	for (size_t i = 0; i < o->config->n_sources; i++)
		if (open_source(r, &o->config->sources[i], e) < 0) {
			reader_free(r);
			return NULL;
		}
	return r;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_streams; i++)
		stream_free(r->streams[i]);
	for (size_t i = 0; i < r->n_sources; i++) {
		source_free(r->sources[i]);
		free(r->told[i]);
	}
	free(r);
}

const char *reader_where(const struct reader *r)
{
	return r->now ? r->now->partition : "-";
}

const struct config_source *reader_source(const struct reader *r)
{
	return r->now ? &r->o.config->sources[r->now->source] : NULL;
}

static void remove_stream(struct reader *r, size_t i)
{
	stream_free(r->streams[i]);
	r->streams[i] = r->streams[--r->n_streams];
}

static struct stream *find_stream(struct reader *r, size_t source, const char *partition)
{
	for (size_t i = 0; i < r->n_streams; i++)
		if (r->streams[i]->source == source && !r->streams[i]->ended && !strcmp(r->streams[i]->partition, partition))
			return r->streams[i];
	return NULL;
}

/* Room for one more: the longest quiet stream whose position is stored goes; it comes back from its position. */
static void make_room(struct reader *r)
{
	size_t oldest = STREAMS;

	for (size_t i = 0; i < r->n_streams; i++)
		if (!r->streams[i]->moved && (oldest == STREAMS || r->streams[i]->used < r->streams[oldest]->used))
			oldest = i;
	if (oldest == STREAMS)
		die("more than %d files grow at the same time", STREAMS);
	remove_stream(r, oldest);
}

static void make_decoder(struct reader *r, struct stream *s, const struct source_batch *b, bool from_stored)
{
	struct decode_options o = { .names = r->o.names, .source = s->partition, .default_time = b->file_time,
		.received = clock_wall(r->o.clock) };
	char *state = xcalloc(1, PLACE_DECODER);

	if (!o.default_time)
		o.default_time = o.received;
	s->decoder = decoder_new(FORM_AUTO, &o, s->arena);
	s->base = b->offset;
	if (from_stored && place_decoder(r->o.place, r->o.config->sources[s->source].name, s->partition, state, PLACE_DECODER)) {
		if (!strcmp(state, "refused"))
			s->refused = true;
		else if (*state && !decoder_state_load(s->decoder, state))
			log_say(r->o.log, LOG_WARN, "the decoder's state was not readable; the form is found out again", "source", s->partition, NULL);
	}
	free(state);
}

static struct stream *stream_for(struct reader *r, size_t source, const struct source_batch *b)
{
	struct stream *s = find_stream(r, source, b->partition);

	if (s && !b->begins)
		return s;
	if (s)
		s->ended = true; /* the source has begun a new stream under this name */
	if (r->n_streams == STREAMS)
		make_room(r);
	s = xcalloc(1, sizeof *s);
	s->source = source;
	s->partition = xstrdup(b->partition);
	s->arena = arena_new(ARENA_BLOCK);
	r->streams[r->n_streams++] = s;
	make_decoder(r, s, b, !b->begins);
	return s;
}

static void tell(struct reader *r, size_t source, const char *text)
{
	if (r->told[source] && !strcmp(r->told[source], text))
		return;
	free(r->told[source]);
	r->told[source] = xstrdup(text);
	r->o.failed(r->o.sink.arg, text);
}

static void feed(struct reader *r, struct stream *s, const struct source_batch *b)
{
	struct err e = { 0 };
	int did = 0;

	r->now = s;
	s->used = ++r->rounds;
	if (!s->refused) {
		arena_reset(s->arena);
		decoder_new_batch(s->decoder, clock_wall(r->o.clock));
		if (b->n)
			did = decoder_feed(s->decoder, b->bytes, b->n, &r->o.sink, &e);
		if (!did && b->ends)
			did = decoder_end(s->decoder, false, &r->o.sink, &e);
		else if (!did && b->idle)
			did = decoder_end(s->decoder, true, &r->o.sink, &e);
	}
	if (did < 0) {
		s->refused = true;
		err_prefix(&e, "%s", s->partition);
		tell(r, s->source, e.text);
	}
	s->moved = s->moved || b->n || b->ends;
	s->end = b->offset + (int64_t)b->n;
	s->ended = s->ended || b->ends;
	r->now = NULL;
}

size_t reader_step(struct reader *r)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->n_sources; i++) {
		struct source_batch b = { 0 };
		struct err e = { 0 };
		int got = r->over[i] ? 0 : r->sources[i]->ops->next(r->sources[i], &b, &e);

		if (got < 0)
			tell(r, i, e.text);
		else if (got == 0)
			r->over[i] = true;
		else if (b.partition && (b.n || b.begins || b.ends || find_stream(r, i, b.partition)))
			feed(r, stream_for(r, i, &b), &b);
		bytes += b.n ? b.n : b.ends;
	}
	return bytes;
}

static int64_t settled_of(const struct stream *s)
{
	return s->refused || s->ended ? s->end : s->base + decoder_settled(s->decoder);
}

int reader_put(struct reader *r, struct err *e)
{
	char position[PLACE_POSITION];
	char *state = xcalloc(1, PLACE_DECODER);
	int did = 0;

	for (size_t i = 0; i < r->n_streams && !did; i++) {
		struct stream *s = r->streams[i];

		if (!s->moved || (s->ended && find_stream(r, s->source, s->partition)))
			continue; /* a stream of that name that came later speaks for the partition */
		source_position(r->sources[s->source], s->partition, settled_of(s), position, sizeof position);
		if (s->refused)
			text_copy(state, PLACE_DECODER, "refused");
		else
			decoder_state_save(s->decoder, state, PLACE_DECODER);
		did = place_put(r->o.place, r->o.config->sources[s->source].name, s->partition, position, state, e);
	}
	free(state);
	return did;
}

void reader_stored(struct reader *r)
{
	for (size_t i = r->n_streams; i-- > 0;) {
		struct stream *s = r->streams[i];

		if (s->moved)
			r->sources[s->source]->ops->ack(r->sources[s->source], s->partition, settled_of(s));
		s->moved = false;
		if (s->ended)
			remove_stream(r, i);
	}
}

size_t reader_wait(struct reader *r, struct os_poll *to, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < r->n_sources && k < n; i++) {
		int fd = r->over[i] ? -1 : r->sources[i]->ops->wait_fd(r->sources[i]);

		if (fd >= 0)
			to[k++] = (struct os_poll){ .fd = fd, .want_read = true };
	}
	return k;
}
