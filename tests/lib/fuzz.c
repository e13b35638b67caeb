/* fuzz.c - what the programs of tests/fuzz share.
 *
 * Why: a target should be little more than its question.
 * Promises: no file is left behind, whatever ends the program: rules are read from a file that has no name.
 * Refuses: to go on without its tables; it must run in the root of the project. */
#include "lib/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "event/decode.h"

#define TABLES "tests/fuzz/tables"

/* What tests/fuzz/tables/placeholders.yml says. */
static const char *const list_values[] = {"ab", "a*b", "\\*k", "K.exe"}, *const one_values[] = {"s?"};
static const struct naive_list lists[] = {{"list", list_values, 4}, {"one", one_values, 1}};

static struct {
	int fd; /* 0: none yet */
	char path[40];
} file;

_Noreturn void fuzz_wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

const char *fuzz_file(const void *p, size_t n)
{
	if (!file.fd) {
		file.fd = memfd_create("rules", MFD_CLOEXEC);
		snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
	}
	if (file.fd < 0 || ftruncate(file.fd, 0) != 0 || pwrite(file.fd, p, n, 0) != (ssize_t)n)
		die("no file in memory");
	return file.path;
}

struct ruleset *fuzz_rules(const void *yaml, size_t n, bool lint, void (*report)(void *arg, const struct rule_problem *p), void *arg)
{
	const char *path = fuzz_file(yaml, n);
	struct ruleset_options o = {.folders = &path, .n_folders = 1, .tables = TABLES, .lint = lint};
	struct err e = {0};
	struct ruleset *rs = ruleset_load(&o, report, arg, &e);

	if (!rs)
		die("%s", e.text);
	return rs;
}

struct naive *fuzz_naive(void)
{
	struct naive *naive = naive_new(NULL, lists, sizeof lists / sizeof lists[0]);
	struct err e = {0};

	if (naive_read(naive, file.path, &e) != 0)
		die("%s", e.text);
	naive_ready(naive);
	return naive;
}

struct events {
	void (*each)(void *arg, const struct event *ev);
	void *arg;
};

static int on_event(void *arg, const struct event *ev)
{
	const struct events *x = arg;

	x->each(x->arg, ev);
	return 0;
}

void fuzz_events(const struct ruleset *rs, const void *text, size_t n, void (*each)(void *arg, const struct event *ev), void *arg)
{
	struct arena *a = arena_new(1u << 14);
	struct decode_options o = {.names = ruleset_names(rs), .source = "fuzz", .default_time = INT64_C(1520974800000000)};
	struct events x = {.each = each, .arg = arg};
	struct decode_sink sink = {.arg = &x, .event = on_event};
	struct decoder *d = decoder_new(FORM_XML, &o, a);
	struct err e;

	if (decoder_feed(d, text, n, &sink, &e) == 0)
		decoder_end(d, false, &sink, &e);
	decoder_free(d);
	arena_free(a);
}
