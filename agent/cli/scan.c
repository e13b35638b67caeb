/* scan.c - `evmend scan`: what the event logs say, once, all together.
 *
 * Promises the output contract of docs (NDJSON with --json, a table for people), the same answer whatever the order of the files,
 * the same bytes whatever the number of threads, and exit code 1 when something was found. Refuses nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cases/engine.h"
#include "cli/held_back.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "cli/scan_workers.h"
#include "cli/verbs.h"
#include "os/os.h"

#define THREADS_MOST 64
#define THREADS_UNASKED 4            /* no more than that unless somebody asks */
#define WORTH_THREADS (8u << 20)     /* bytes of input; less is done before threads have started */

struct loose { /* findings that belong to no case, by rule and host */
	const struct rule *rule;
	const char *host; /* the engine's */
	uint64_t count;
	int64_t first;
};

struct scan {
	struct cli *c;
	const struct ruleset *rules;
	struct engine *engine;
	enum rule_level min_level;
	int64_t since, until;
	int64_t threads; /* 0: not asked for */
	struct scan_workers *workers; /* NULL: one thread does all */
	struct read_events read;
	uint64_t findings, cases, malformed, cut;
	struct loose *loose;
	size_t n_loose, cap_loose;
	struct buf line;
};

static int on_event(void *arg, const struct event *ev)
{
	struct scan *s = arg;

	if (s->workers)
		scan_workers_event(s->workers, ev);
	else if (ev->time >= s->since && ev->time <= s->until)
		engine_event(s->engine, ev);
	return 0;
}

static void put_line(struct scan *s)
{
	fwrite(buf_text(&s->line), 1, s->line.n, stdout);
	buf_reset(&s->line);
}

static void tell_malformed(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct scan *s = arg;
	struct json_out o;

	s->malformed++;
	cli_progress_end(s->c);
	if (!s->c->json) {
		cli_note(s->c, "%s, byte %" PRId64 ": %s", source, offset, reason);
		return;
	}
	json_begin(&o, &s->line);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "malformed");
	json_put_str(&o, "source", source);
	json_put_int(&o, "offset", offset);
	json_put_str(&o, "reason", reason);
	json_put_strn(&o, "bytes", bytes, n);
	json_close(&o, '}');
	buf_char(&s->line, '\n');
	put_line(s);
}

static void on_malformed(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct scan *s = arg;

	if (s->workers)
		scan_workers_malformed(s->workers, source, offset, reason, bytes, n);
	else
		tell_malformed(s, source, offset, reason, bytes, n);
}

static int on_piece(void *arg, const struct decode_options *of, const struct decode_piece *p)
{
	struct scan *s = arg;

	scan_workers_piece(s->workers, of, p);
	return 0;
}

static void on_stream_ends(void *arg, bool trouble)
{
	struct scan *s = arg;

	if (trouble)
		scan_workers_drain(s->workers);
	else
		scan_workers_stream_ends(s->workers);
}

/* It is known how much there is to read (0: standard input, who knows). */
static void on_begin(void *arg, uint64_t total)
{
	struct scan *s = arg;
	const struct scan_workers_options o = {.rules = s->rules, .engine = s->engine, .since = s->since, .until = s->until, .cut = &s->cut,
		.arg = s, .malformed = tell_malformed};
	unsigned cpus = os_cpus(), n = cpus < THREADS_UNASKED ? cpus : THREADS_UNASKED;

	if (s->threads)
		n = (unsigned)s->threads;
	else if (total && total < WORTH_THREADS)
		n = 1;
	if (n > 1)
		s->workers = scan_workers_new(&o, n);
	if (!s->workers)
		return;
	s->read.piece = on_piece;
	s->read.stream_ends = on_stream_ends;
}

static int by_rule_and_host(const void *a, const void *b)
{
	const struct loose *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule->index < y->rule->index ? -1 : 1;
	return strcmp(x->host, y->host);
}

/* One entry for each rule and host. */
static void join_loose(struct scan *s)
{
	size_t n = 0;

	if (s->n_loose == 0)
		return;
	qsort(s->loose, s->n_loose, sizeof *s->loose, by_rule_and_host);
	for (size_t i = 1; i < s->n_loose; i++) {
		const struct loose *l = &s->loose[i];
		struct loose *to = &s->loose[n];

		if (by_rule_and_host(to, l) != 0) {
			s->loose[++n] = *l;
			continue;
		}
		to->count += l->count;
		to->first = l->first < to->first ? l->first : to->first;
	}
	s->n_loose = n + 1;
}

/* They are joined when the room ends, and it grows when that did not help: as many as a stranger invents hosts cost no more than sorting. */
static void note_loose(struct scan *s, const struct finding *f)
{
	if (s->n_loose == s->cap_loose) {
		join_loose(s);
		if (2 * s->n_loose >= s->cap_loose)
			s->cap_loose = s->cap_loose ? 2 * s->cap_loose : 64;
		s->loose = xrealloc(s->loose, s->cap_loose, sizeof *s->loose);
	}
	s->loose[s->n_loose++] = (struct loose){f->rule, f->host, 1, f->first};
}

static void on_finding(void *arg, const struct finding *f, bool update)
{
	struct scan *s = arg;

	(void)update;
	if (f->rule->level < s->min_level)
		return;
	s->findings++;
	if (s->c->json) {
		finding_json(f, &s->line);
		put_line(s);
	} else if (!f->rule->cause) {
		note_loose(s, f);
	}
}

static enum cli_colour level_colour(enum rule_level l)
{
	return l >= LEVEL_HIGH ? CLI_RED : l == LEVEL_MEDIUM ? CLI_YELLOW : CLI_PLAIN;
}

static void print_case(struct scan *s, const struct case_ *k)
{
	const struct cli *c = s->c;
	char first[32], last[32];

	cli_print(c, CLI_BOLD, "\nCase %u  ", k->id);
	cli_print(c, level_colour(k->confidence), "%s", k->cause);
	cli_print(c, CLI_PLAIN, "  %s\n", *k->host ? k->host : "(no host named)");
	cli_print(c, CLI_PLAIN, "  %s, confidence %s, asks for %s; %" PRIu64 " event%s, %s to %s\n", case_state_text(k->state),
		  level_text(k->confidence), k->asks_diagnosis ? "a diagnosis" : "nothing", k->count, k->count == 1 ? "" : "s",
		  time_text(k->first, first), time_text(k->last, last));
	for (size_t i = 0; i < k->n_reported_by; i++)
		if (strcmp(k->reported_by[i], k->host) != 0)
			cli_print(c, CLI_PLAIN, "  reported by %s\n", k->reported_by[i]);
	cli_print(c, CLI_PLAIN, "  %s\n", k->hint ? k->hint : "");
	if (k->n_before)
		cli_print(c, CLI_DIM, "  What happened before:\n");
	for (size_t i = 0; i < k->n_before; i++)
		cli_print(c, CLI_DIM, "    %s  %s\n", time_text(k->before[i].time, first), k->before[i].what);
}

static void on_case(void *arg, const struct case_ *k)
{
	struct scan *s = arg;

	if (k->confidence < s->min_level)
		return;
	s->cases++;
	if (!s->c->json) {
		print_case(s, k);
		return;
	}
	case_json(k, &s->line);
	put_line(s);
}

static int by_level(const void *a, const void *b)
{
	const struct loose *x = a, *y = b;

	if (x->rule->level != y->rule->level)
		return x->rule->level > y->rule->level ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return by_rule_and_host(a, b);
}

static void print_loose(struct scan *s)
{
	static const char *const headings[] = {"Level", "Count", "First", "Host", "Rule", NULL};
	struct cli_table *t;

	if (s->n_loose == 0)
		return;
	join_loose(s);
	qsort(s->loose, s->n_loose, sizeof *s->loose, by_level);
	cli_print(s->c, CLI_BOLD, "\nFindings of no case\n");
	t = cli_table_new(headings);
	for (size_t i = 0; i < s->n_loose; i++) {
		char count[24], first[32];

		snprintf(count, sizeof count, "%" PRIu64, s->loose[i].count);
		cli_table_row(t, level_text(s->loose[i].rule->level), count, time_text(s->loose[i].first, first), s->loose[i].host,
			      s->loose[i].rule->title, (char *)NULL);
		cli_table_colour(t, level_colour(s->loose[i].rule->level));
	}
	cli_table_end(s->c, t);
}

static void print_summary(struct scan *s, int64_t took)
{
	const struct ruleset *rs = s->rules;
	struct engine_counts n;
	struct json_out o;

	engine_counts(s->engine, &n);
	if (!s->c->json) {
		cli_print(s->c, CLI_PLAIN, "\n%" PRIu64 " event%s, %" PRIu64 " finding%s, %" PRIu64 " case%s, %" PRIu64
			  " malformed, %zu rule%s, %zu refused, %.2f s\n",
			  n.events, PLURAL(n.events), s->findings, PLURAL(s->findings), s->cases, PLURAL(s->cases),
			  s->malformed, ruleset_count(rs), PLURAL(ruleset_count(rs)), ruleset_refused(rs), (double)took / 1e6);
		if (n.explained)
			cli_print(s->c, CLI_DIM, "%" PRIu64 " consequences are explained by the cases above.\n", n.explained);
		if (s->cut)
			cli_print(s->c, CLI_PLAIN, "%" PRIu64 " event%s had more bracketed text than is read: fields made of it are missing.\n",
				  s->cut, PLURAL(s->cut));
		held_back_print(s->c, s->engine, rs);
		return;
	}
	json_begin(&o, &s->line);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "summary");
	json_put_int(&o, "events", (int64_t)n.events);
	json_put_int(&o, "findings", (int64_t)s->findings);
	json_put_int(&o, "cases", (int64_t)s->cases);
	json_put_int(&o, "malformed", (int64_t)s->malformed);
	json_put_int(&o, "rules", (int64_t)ruleset_count(rs));
	json_put_int(&o, "refused", (int64_t)ruleset_refused(rs));
	json_put_real(&o, "seconds", (double)took / 1e6, 3);
	json_put_int(&o, "explained", (int64_t)n.explained);
	json_put_int(&o, "evicted", (int64_t)n.evicted);
	json_put_int(&o, "coarser", (int64_t)n.coarser);
	json_put_int(&o, "cut", (int64_t)s->cut);
	json_put_int(&o, "failed", (int64_t)s->read.failed);
	held_back_json(&o, s->engine, rs);
	json_close(&o, '}');
	buf_char(&s->line, '\n');
	put_line(s);
}

static int read_options(struct scan *s, struct err *e)
{
	const char *level = cli_value(s->c, "--min-level", "informational");

	s->since = INT64_MIN;
	s->until = INT64_MAX;
	if (!level_parse(level, &s->min_level))
		return err_set(e, ERR_USAGE, "--min-level is informational, low, medium, high or critical, not '%s'", level);
	if (cli_number(s->c, "--threads", 1, THREADS_MOST, &s->threads, e) != 0)
		return -1;
	return cli_time(s->c, "--since", &s->since, e) != 0 || cli_time(s->c, "--until", &s->until, e) != 0 ? -1 : 0;
}

static int scan_paths(struct scan *s, const struct ruleset *rs, size_t n, char **paths)
{
	struct engine_options eo = {.rules = rs, .clock = &s->c->clock, .scan = true};
	struct engine_sink sink = {.arg = s, .finding = on_finding, .case_changed = on_case};
	struct read_events *r = &s->read;
	struct clock real = clock_real();
	int64_t start = clock_monotonic(&real);

	*r = (struct read_events){.c = s->c, .names = ruleset_names(rs), .default_host = cli_value(s->c, "--host", NULL),
		.progress = !s->c->json, .arg = s, .begin = on_begin, .event = on_event, .malformed = on_malformed};
	s->rules = rs;
	s->engine = engine_new(&eo, &sink);
	buf_init(&s->line, 16u << 20);
	read_events(r, paths, n);
	if (s->workers)
		scan_workers_free(s->workers);
	s->cut += r->cut;
	engine_finish(s->engine);
	print_loose(s);
	print_summary(s, clock_monotonic(&real) - start);
	engine_free(s->engine);
	buf_free(&s->line);
	free(s->loose);
	return r->failed ? ERR_IO : s->findings ? ERR_FINDINGS : ERR_NONE;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct scan s = {.c = c};
	struct err e;
	struct arena *a;
	struct ruleset *rs;
	int code;

	if (read_options(&s, &e) != 0)
		return cli_fail(c, &e);
	a = arena_new(1u << 14);
	rs = rules_home_load(c, a, &e);
	code = rs ? scan_paths(&s, rs, (size_t)argc, argv) : cli_fail(c, &e);
	ruleset_free(rs);
	arena_free(a);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_RULES, CLI_OPTION_TABLES,
	{"--min-level", 0, CLI_VALUE, "LEVEL", "leave out what is below informational, low, medium, high or critical"},
	{"--since", 0, CLI_VALUE, "TIME", "leave out events before this time"},
	{"--until", 0, CLI_VALUE, "TIME", "leave out events after this time"},
	{"--host", 0, CLI_VALUE, "NAME", "the server that texts speak of when they name none; no filter"},
	{"--threads", 0, CLI_VALUE, "N", "threads that parse and match; without it as many as processors, at most 4, for 8 MiB and more"},
	CLI_OPTION_END,
};

const struct cli_verb verb_scan = {
	.name = "scan", .summary = "find causes in event logs, console texts and HttpProxy logs", .usage = "[options] PATH...",
	.help = "Reads files, folders, - (standard input), .gz and .xz: Event XML in every shape, console texts, HttpProxy logs. Matches all\n"
		"rules, correlates everything in event time at the end, so the order of files does not matter, and prints the cases: one for\n"
		"each server and cause. Nothing is changed anywhere. Exit code 1 when something was found, 0 when not, 4 when a path could\n"
		"not be read or has nothing but JSON, which is not read.\n",
	.example = "evmend scan System.xml Application.xml console.txt\nwevtutil qe System /f:xml | evmend scan --json -",
	.options = options, .min_args = 1, .max_args = -1, .flags = CLI_TAKES_AT, .run = run,
};
