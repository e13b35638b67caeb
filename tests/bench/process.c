/* process.c - the program as people run it, beside xmllint over the same bytes.
 *
 * Why: only the whole program counts; and a machine's speed cancels out of a ratio that is measured in one run.
 * Promises: rounds are interleaved, so that a busy minute falls on all; of each program the best round counts. CPU time is user and
 * system time of the process. Loading the rules is counted apart: the CPU of a run over one single event is subtracted.
 * Refuses: to go on when a program fails. */
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "bench/bench.h"
#include "os/os.h"
#include "source/walk.h"

#define FEW 30
#define SLICE 2000 /* events for callgrind */

extern char **environ;

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct cost run_program(const char *const argv[], const char *out)
{
	posix_spawn_file_actions_t files;
	struct rusage use;
	double start = now_wall();
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		die("%s cannot be started", argv[0]);
	posix_spawn_file_actions_destroy(&files);
	if (wait4(pid, &status, 0, &use) != pid)
		die("%s cannot be waited for", argv[0]);
	return (struct cost){.cpu = seconds(use.ru_utime) + seconds(use.ru_stime), .wall = now_wall() - start,
		.mib = (double)use.ru_maxrss / 1024, .code = WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

static struct cost must_run(const char *const argv[], const char *out, int most)
{
	struct cost c = run_program(argv, out);

	if (c.code < 0 || c.code > most)
		die("%s ended with code %d", argv[0], c.code);
	return c;
}

/* --- making the files --- */

static FILE *open_or_die(const char *path, const char *how)
{
	FILE *f = fopen(path, how);

	if (!f)
		die("%s cannot be opened", path);
	return f;
}

/* The events once more in a root, the first of them alone, and the first SLICE of them. */
static void copy_events(struct bench *b)
{
	FILE *from = open_or_die(b->plain, "r"), *root = open_or_die(b->wrapped, "w"), *first = open_or_die(b->first, "w");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	fputs("<Events>\n", root);
	while ((n = getline(&line, &room, from)) > 0) {
		if (b->n_events++ == 0)
			fwrite(line, 1, (size_t)n, first);
		b->bytes += (uint64_t)n;
		fwrite(line, 1, (size_t)n, root);
	}
	fputs("</Events>\n", root);
	free(line);
	fclose(from);
	if (fclose(root) != 0 || fclose(first) != 0)
		die("%s is full", b->folder);
}

static void link_rule(const char *path, const char *to)
{
	char *whole = realpath(path, NULL);

	if (!whole || symlink(whole, to) != 0)
		die("%s cannot be made", to);
	free(whole);
}

/* Every (n / FEW)-th rule file by its path, so that everybody takes the same ones. */
static void choose_few(struct bench *b)
{
	struct walked w = {0};
	struct err e;
	size_t n = 0, step;

	if (walked_fill(&w, &os_file, b->rules, &e) != 0)
		die("%s", e.text);
	for (size_t i = 0; i < w.n; i++)
		if (text_ends(w.path[i], ".yml"))
			w.path[n++] = w.path[i];
		else
			free(w.path[i]);
	w.n = n;
	step = n / FEW;
	if (step == 0)
		die("%s has only %zu rule files", b->rules, n);
	mkdir(b->few, 0755);
	for (size_t i = 0; i < FEW; i++) {
		char to[320];

		snprintf(to, sizeof to, "%s/%02zu.yml", b->few, i);
		link_rule(w.path[i * step], to);
	}
	walked_free(&w);
}

void bench_prepare(struct bench *b)
{
	const char *const unpack[] = {"xz", "-dc", b->events, NULL}, *const copy[] = {"cat", b->events, NULL};

	snprintf(b->plain, sizeof b->plain, "%s/events.xml", b->folder);
	snprintf(b->wrapped, sizeof b->wrapped, "%s/wrapped.xml", b->folder);
	snprintf(b->first, sizeof b->first, "%s/first.xml", b->folder);
	snprintf(b->few, sizeof b->few, "%s/rules30", b->folder);
	say("unpacking %s to %s", b->events, b->folder);
	must_run(text_ends(b->events, ".xz") ? unpack : copy, b->plain, 0);
	copy_events(b);
	choose_few(b);
}

/* --- measuring --- */

static void better(struct cost *best, struct cost c)
{
	best->cpu = best->cpu == 0 || c.cpu < best->cpu ? c.cpu : best->cpu;
	best->wall = best->wall == 0 || c.wall < best->wall ? c.wall : best->wall;
	best->mib = c.mib > best->mib ? c.mib : best->mib;
}

enum { SAX, STREAM, WHOLE, LOAD, TWO, COMMANDS };

void bench_programs(struct bench *b)
{
#define SCAN(threads, file) {b->evmend, "scan", "--json", "--threads", threads, "-r", b->rules, "-t", b->tables, file, NULL}
	const char *const argv[COMMANDS][12] = {
		[SAX] = {"xmllint", "--huge", "--sax", "--noout", b->wrapped, NULL},
		[STREAM] = {"xmllint", "--huge", "--stream", "--noout", b->wrapped, NULL},
		[WHOLE] = SCAN("1", b->plain), [LOAD] = SCAN("1", b->first), [TWO] = SCAN("2", b->plain),
	};
	struct cost best[COMMANDS] = {0};
	double job;
	char text[120];

	for (int round = 0; round < b->rounds; round++) {
		for (int i = 0; i < COMMANDS; i++)
			better(&best[i], must_run(argv[i], "/dev/null", 1));
		say("round %d of %d: sax %.2f, stream %.2f, scan %.2f of which loading %.2f s CPU; two threads %.2f s, one %.2f s", round + 1,
		    b->rounds, best[SAX].cpu, best[STREAM].cpu, best[WHOLE].cpu, best[LOAD].cpu, best[TWO].wall, best[WHOLE].wall);
	}
	job = best[WHOLE].cpu - best[LOAD].cpu;
	snprintf(text, sizeof text, "%.2f s of %.2f s", job, best[STREAM].cpu);
	figure("whole job / xmllint --stream (B), CPU", 1.5, 0.9, job / best[STREAM].cpu, "", text);
	snprintf(text, sizeof text, "%.2f s of %.2f s", job, best[SAX].cpu);
	figure("whole job / xmllint --sax (A), CPU", 3.5, 2.0, job / best[SAX].cpu, "", text);
	snprintf(text, sizeof text, "%.2f s of %.2f s", best[TWO].wall - best[LOAD].wall, best[WHOLE].wall - best[LOAD].wall);
	figure("2 threads / 1 thread, wall", 0.6, 0.52, (best[TWO].wall - best[LOAD].wall) / (best[WHOLE].wall - best[LOAD].wall), "", text);
	figure("peak memory with all rules, one thread", 96, 48, best[WHOLE].mib, "MiB", NULL);
	fact("scan, one thread: CPU with loading", best[WHOLE].cpu, "s");
	fact("scan, one thread: events per second of CPU, without loading", (double)b->n_events / job, "1/s");
	fact("scan of one event: CPU (loading the rules)", best[LOAD].cpu, "s");
	fact("scan, two threads: peak memory", best[TWO].mib, "MiB");
}

/* --- instructions --- */

/* Inclusive instructions of a function in a profile; 0: not found. */
static double inclusive(const char *profile, const char *function)
{
	char command[400], line[1024];
	double most = 0;
	FILE *p;

	snprintf(command, sizeof command, "callgrind_annotate --inclusive=yes --threshold=100 %s 2>/dev/null | tr -d ,", profile);
	p = popen(command, "r");
	while (p && fgets(line, sizeof line, p)) {
		const char *at = strrchr(line, ':');
		double v = strtod(line, NULL);
		size_t n = strlen(function);

		if (at && !strncmp(at + 1, function, n) && (at[n + 1] == ' ' || at[n + 1] == '\n') && v > most)
			most = v;
	}
	if (p)
		pclose(p);
	return most;
}

static void head(const struct bench *b, const char *to, int events)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	uint64_t step = b->n_events / (uint64_t)events, i = 0;
	FILE *from = open_or_die(b->plain, "r"), *f = open_or_die(to, "w");

	for (; (n = getline(&line, &room, from)) > 0; i++)
		if (i % (step ? step : 1) == 0)
			fwrite(line, 1, (size_t)n, f);
	free(line);
	fclose(from);
	fclose(f);
}

void bench_instructions(struct bench *b)
{
	char slice[300], profile[300], option[340];
	const char *const argv[] = {"valgrind", "-q", "--tool=callgrind", option, b->evmend, "scan", "--json", "--threads", "1", "-r", b->rules, "-t",
		b->tables, slice, NULL};
	double n = SLICE;

	snprintf(slice, sizeof slice, "%s/slice.xml", b->folder);
	snprintf(profile, sizeof profile, "%s/callgrind.out", b->folder);
	snprintf(option, sizeof option, "--callgrind-out-file=%s", profile);
	say("counting instructions over %d events", SLICE);
	head(b, slice, SLICE);
	must_run(argv, "/dev/null", 1);
	fact("instructions for each event: whole job", (inclusive(profile, "read_events") + inclusive(profile, "engine_finish")) / n, "");
	fact("instructions for each event: reading and parsing", (inclusive(profile, "decoder_feed") - inclusive(profile, "engine_event")) / n, "");
	fact("instructions for each event: match stage", inclusive(profile, "matcher_run") / n, "");
	fact("instructions: loading the rules", inclusive(profile, "ruleset_load"), "");
}
