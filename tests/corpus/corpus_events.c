/* corpus_events.c - both evaluators over the events of a folder, and what the reference matcher found there.
 *
 * Promises that each differing pair is named: rule, file, number of the event, who held it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "corpus/corpus.h"
#include "event/decode.h"

struct reading {
	struct corpus *c;
	const char *name; /* of the file, below the folder */
	uint32_t event;
	struct arena *arena;
};

void match_add(struct matches *to, const char *file, uint32_t event, const char *rule)
{
	if (to->n == to->cap) {
		to->cap = to->cap * 2 + 1024;
		to->at = xrealloc(to->at, to->cap, sizeof *to->at);
	}
	to->at[to->n++] = (struct match){.file = xstrdup(file), .event = event, .rule = xstrdup(rule)};
}

void matches_free(struct matches *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->at[i].file);
		free(m->at[i].rule);
	}
	free(m->at);
	*m = (struct matches){.n = 0};
}

static void differs(struct reading *g, const struct rule *r, bool fast, const struct event *ev)
{
	g->c->differ++;
	printf("       DIFFERS %s (%s) %s, event %u: the engine says %s, naively %s\n", r->id, r->file, g->name, g->event, fast ? "yes" : "no",
		fast ? "no" : "yes");
	if (strncmp(g->name, "aimed", 5) == 0)
		printf("%.*s\n", (int)(ev->raw_n < 3000 ? ev->raw_n : 3000), ev->raw);
}

static int on_event(void *arg, const struct event *ev)
{
	struct reading *g = arg;
	struct corpus *c = g->c;
	const uint32_t *hits, *slow;
	size_t n = matcher_run(c->m, ev, &hits), n_slow = naive_run_all(c->naive, ev, &slow), at = 0, at_slow = 0;

	for (size_t i = 0; i < ruleset_count(c->rs); i++) {
		const struct rule *r = ruleset_rule(c->rs, i);
		bool fast_holds = at < n && hits[at] == i, slow_holds = false;

		at += fast_holds;
		/* rules come in the order of their files on both sides, but nobody has promised that */
		for (size_t k = 0; k < n_slow && !slow_holds; k++)
			slow_holds = slow[k] == c->naive_of[i];
		at_slow += slow_holds;
		if (fast_holds != slow_holds)
			differs(g, r, fast_holds, ev);
		c->ever[i] = c->ever[i] || fast_holds;
		if (fast_holds)
			match_add(&c->found, g->name, g->event, r->id);
	}
	if (at != n)
		die("the engine's answers are not in order");
	c->differ += n_slow - at_slow; /* of rules that the engine does not have; said when they were loaded */
	c->held += n_slow;
	c->events++;
	g->event++;
	if (c->events % 500 == 0 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu events", c->events);
	arena_reset(g->arena);
	return 0;
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct reading *g = arg;

	(void)bytes;
	(void)n;
	printf("       MALFORMED %s at %lld: %s\n", g->name, (long long)offset, reason);
	g->c->failed = true;
	g->event++;
}

static void run_text(struct corpus *c, const char *name, const char *text, size_t n)
{
	struct reading g = {.c = c, .name = name, .arena = arena_new(1u << 18)};
	struct decode_options o = {.names = ruleset_names(c->rs), .source = name};
	struct decode_sink sink = {.arg = &g, .event = on_event, .malformed = on_malformed};
	struct decoder *d = decoder_new(FORM_AUTO, &o, g.arena);
	struct err e;

	if (decoder_feed(d, text, n, &sink, &e) || decoder_end(d, false, &sink, &e)) {
		printf("       UNREADABLE %s: %s\n", name, e.text);
		c->failed = true;
	}
	decoder_free(d);
	arena_free(g.arena);
}

static void run_file(struct corpus *c, const char *path, const char *name)
{
	struct buf b;

	must_read(path, &b);
	run_text(c, name, b.p, b.n - 1);
	c->files++;
	buf_free(&b);
}

void check_aimed(struct corpus *c)
{
	const char *times = getenv("AIMED");
	unsigned long seeds = times ? strtoul(times, NULL, 10) : 3;
	size_t events = c->events, differ = c->differ, held = c->held, ever = 0;
	struct buf xml;

	buf_init(&xml, 1u << 30);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		char name[40];

		buf_reset(&xml);
		snprintf(name, sizeof name, "aimed, seed %llu", (unsigned long long)seed);
		for (size_t i = 0; i < naive_count(c->naive); i++)
			naive_aim(c->naive, i, seed, &xml);
		run_text(c, name, buf_text(&xml), xml.n);
		matches_free(&c->found);
	}
	buf_free(&xml);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r              \r");
	for (size_t i = 0; i < ruleset_count(c->rs); i++)
		ever += c->ever[i];
	say(c, c->differ == differ && (seeds == 0 || c->held > held), "events aimed at each rule", "%zu; %zu matches, %zu pairs differ; %zu rules"
		" held somewhere", c->events - events, c->held - held, c->differ - differ, ever);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk(struct corpus *c, const char *folder, size_t below)
{
	DIR *d = opendir(folder);
	char **names = NULL, path[4096];
	size_t n = 0;

	if (!d)
		die("cannot read the folder %s", folder);
	for (struct dirent *x = readdir(d); x; x = readdir(d)) {
		if (x->d_name[0] == '.')
			continue;
		names = xrealloc(names, n + 1, sizeof *names);
		names[n++] = xstrdup(x->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		if (text_ends(path, ".xml"))
			run_file(c, path, path + below);
		else if (!strchr(names[i], '.') || (d = opendir(path))) {
			if (strchr(names[i], '.'))
				closedir(d);
			walk(c, path, below);
		}
		free(names[i]);
	}
	free(names);
}

void run_folder(struct corpus *c, const char *folder)
{
	walk(c, folder, strlen(folder) + 1);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r              \r");
}

/* -- (d) the reference matches -- */

static void add_reference(void *arg, char **column)
{
	match_add(arg, column[0], (uint32_t)strtoul(column[1], NULL, 10), column[2]);
}

static int by_match(const void *a, const void *b)
{
	const struct match *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order == 0)
		order = x->event < y->event ? -1 : x->event > y->event;
	return order ? order : strcmp(x->rule, y->rule);
}

static void difference(struct corpus *c, const struct match *m, const char *what, size_t *bare)
{
	struct known *k = known_of(c, m->rule, what);

	if (k) {
		k->seen++;
		return;
	}
	(*bare)++;
	printf("       NO REASON %s %s %s, event %u\n", what, m->rule, m->file, m->event);
}

void check_reference(struct corpus *c, const char *what, const char *tsv)
{
	struct matches *ours = &c->found, theirs = {.n = 0};
	size_t more = 0, fewer = 0, bare = 0, i = 0, k = 0;
	char path[4096], title[80];
	struct buf b;

	snprintf(path, sizeof path, "%s/reference/%s", c->folder, tsv);
	must_read(path, &b);
	each_row(&b, 3, &theirs, add_reference);
	buf_free(&b);
	if (ours->n)
		qsort(ours->at, ours->n, sizeof *ours->at, by_match);
	if (theirs.n)
		qsort(theirs.at, theirs.n, sizeof *theirs.at, by_match);
	while (i < ours->n || k < theirs.n) {
		int order = i == ours->n ? 1 : k == theirs.n ? -1 : by_match(&ours->at[i], &theirs.at[k]);

		if (order < 0) {
			more++;
			difference(c, &ours->at[i++], "more", &bare);
		} else if (order > 0) {
			fewer++;
			difference(c, &theirs.at[k++], "fewer", &bare);
		} else {
			i++;
			k++;
		}
	}
	snprintf(title, sizeof title, "reference matches, %s", what);
	say(c, theirs.n && fewer * 200 <= theirs.n && bare == 0, title, "%zu; %zu are not found (%.2f %%), %zu more are (%.2f %%), %zu without a"
		" reason", theirs.n, fewer, theirs.n ? 100.0 * (double)fewer / (double)theirs.n : 0, more,
		theirs.n ? 100.0 * (double)more / (double)theirs.n : 0, bare);
	matches_free(&theirs);
}
