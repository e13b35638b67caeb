/* read_events.c - from paths to events, for verbs that read everything once.
 *
 * Promises each file its own decoder, and that one bad file keeps none of the others from being read. Refuses nothing. */
#include "cli/read_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "source/source.h"

struct reading {
	struct read_events *r;
	struct source *s;
	struct decoder *d;
	struct arena *arena;
	char *partition; /* of d */
	struct decode_options of; /* d's */
	uint64_t found; /* events and malformed records of this stream */
	char first;     /* byte of this stream that is no blank; 0: none yet */
	bool troubled;  /* an error was told of this stream */
	bool any, json; /* of all streams of this path: events, and streams that look like JSON */
	uint64_t done, total; /* bytes of all sources, for the progress bar */
};

static int on_event(void *arg, const struct event *ev)
{
	struct reading *g = arg;

	g->found++;
	return g->r->event(g->r->arg, ev);
}

static int on_piece(void *arg, const struct decode_piece *p)
{
	struct reading *g = arg;

	g->found++;
	return g->r->piece(g->r->arg, &g->of, p);
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct reading *g = arg;

	g->found++;
	g->r->malformed_count++;
	if (g->r->malformed) {
		cli_progress_end(g->r->c);
		g->r->malformed(g->r->arg, g->partition, offset, reason, bytes, n);
	}
}

static void complain(struct reading *g, const struct err *e)
{
	g->troubled = true;
	g->r->failed++;
	if (g->r->stream_ends)
		g->r->stream_ends(g->r->arg, true);
	cli_progress_end(g->r->c);
	cli_fail(g->r->c, e);
}

static void begin(struct reading *g, const struct source_batch *b)
{
	struct decode_options *o = &g->of;
	int64_t now = clock_wall(&g->r->c->clock);

	free(g->partition);
	g->partition = xstrdup(b->partition);
	g->found = 0;
	g->first = 0;
	g->troubled = false;
	*o = (struct decode_options){.names = g->r->names, .default_host = g->r->default_host, .source = g->partition, .received = now};
	o->default_time = g->r->c->at_given || b->file_time == 0 ? now : b->file_time;
	g->d = decoder_new(FORM_AUTO, o, g->arena);
}

static void look_at(struct reading *g, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !g->first; i++)
		if (!strchr(" \t\r\n\xef\xbb\xbf", p[i])) /* blanks, NUL, a byte order mark */
			g->first = p[i];
}

/* Nothing found because nothing was understood is no clean bill of health. */
static void tell_nothing(struct reading *g)
{
	bool json = g->first == '{' || g->first == '[';

	if (!g->d || g->troubled)
		return;
	g->any = g->any || g->found;
	g->json = g->json || (json && !g->found);
	if (!g->found)
		cli_note(g->r->c, "no event recognised in %s%s", g->partition, json ? ": it looks like JSON, which is not read; export the log as XML: "
			"wevtutil qe System /f:xml" : "; evmend reads Event XML, console text and HttpProxy logs");
}

static void end(struct reading *g)
{
	struct decode_counts n;

	tell_nothing(g);
	if (g->d) {
		decoder_counts(g->d, &n);
		g->r->cut += n.cut;
	}
	if (g->d && g->r->stream_ends)
		g->r->stream_ends(g->r->arg, false);
	decoder_free(g->d);
	g->d = NULL;
}

static void show(struct reading *g)
{
	struct source_counts n;

	if (!g->r->progress)
		return;
	g->s->ops->counts(g->s, &n);
	cli_progress(g->r->c, g->done + (uint64_t)n.read_bytes, g->total, "reading");
}

/* 0: go on; else stop everything. */
static int batch(struct reading *g, const struct source_batch *b)
{
	struct decode_sink sink = {.arg = g, .piece = g->r->piece ? on_piece : NULL, .event = on_event, .malformed = on_malformed};
	struct err e;
	int r = 0;

	if (b->begins)
		begin(g, b);
	look_at(g, b->bytes, b->n);
	if (g->d && b->n)
		r = decoder_feed(g->d, b->bytes, b->n, &sink, &e);
	if (g->d && r == 0 && b->ends)
		r = decoder_end(g->d, false, &sink, &e);
	if (r == -1) {
		complain(g, &e);
		r = 0;
		end(g);
	}
	if (b->ends || r)
		end(g);
	arena_reset(g->arena);
	if (g->d)
		decoder_new_batch(g->d, clock_wall(&g->r->c->clock));
	show(g);
	return r;
}

static int drain(struct reading *g)
{
	struct source_batch b;
	struct err e;
	int r, stop = 0;

	g->any = g->json = false;
	while (!stop && (r = g->s->ops->next(g->s, &b, &e)) != 0) {
		if (r < 0)
			complain(g, &e);
		else
			stop = batch(g, &b);
	}
	end(g);
	if (g->json && !g->any)
		g->r->failed++;
	return stop;
}

static struct source *open_path(struct reading *g, const char *path)
{
	struct source_options o = {.name = path, .path = path, .kind = strcmp(path, "-") == 0 ? SOURCE_STDIN : SOURCE_FILE,
		.files = &os_file,
				   .process = &os_process, .clock = &g->r->c->clock, .may_wait = true};
	struct source *s = source_new(&o);
	struct source_counts n;
	struct err e;

	if (s->ops->open(s, &e) != 0) {
		complain(g, &e);
		source_free(s);
		return NULL;
	}
	s->ops->counts(s, &n);
	if (n.note)
		cli_note(g->r->c, "%s", n.note);
	g->total += (uint64_t)n.total_bytes;
	return s;
}

void read_events(struct read_events *r, char *const *paths, size_t n)
{
	struct reading g = {.r = r, .arena = arena_new(1u << 18)};
	struct source **sources = xcalloc(n + 1, sizeof *sources);
	int stop = 0;

	for (size_t i = 0; i < n; i++)
		sources[i] = open_path(&g, paths[i]);
	if (r->begin)
		r->begin(r->arg, g.total);
	for (size_t i = 0; i < n; i++) {
		struct source_counts counts;

		g.s = sources[i];
		if (!g.s)
			continue;
		if (!stop)
			stop = drain(&g);
		g.s->ops->counts(g.s, &counts);
		g.done += (uint64_t)counts.read_bytes;
		source_free(g.s);
	}
	cli_progress_end(r->c);
	free(sources);
	free(g.partition);
	arena_free(g.arena);
}
