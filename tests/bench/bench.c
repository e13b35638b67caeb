/* bench.c - `make bench`: measures, compares with what is promised, and ends with code 1 when a must is missed.
 *
 * Why: speed is a promise like any other; it is kept only where somebody looks.
 * Promises: every figure in one run and on one machine; all that is compared is a ratio, a count of bytes or a stated time.
 * Refuses: to run without SigmaHQ's rules, events and xmllint; it makes up nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/xml.h"
#include "bench/bench.h"

static int usage(void)
{
	fputs("bench [--json] [--rounds N] [--instructions] [--only programs|lanes|hostile|groups|formats|sinks|kafka|syslog] EVMEND TABLES RULES"
		" EVENTS.xml[.xz]\n", stderr);
	return 3;
}

/* Model name of the first processor; "unknown". */
static const char *processor(char to[static 128])
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");

	snprintf(to, 128, "unknown");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
			snprintf(to, 128, "%.120s", strchr(line, ':') + 2);
			to[strcspn(to, "\n")] = '\0';
			break;
		}
	if (f)
		fclose(f);
	return to;
}

static void say_where(void)
{
	char cpu[128], date[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%Y-%m-%d", &tm);
	say("%s, %s, %ld processors, gcc " __VERSION__ ", %s", date, processor(cpu), sysconf(_SC_NPROCESSORS_ONLN), xml_library());
}

static int options(struct bench *b, int argc, char **argv, bool *json)
{
	int i = 1;

	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--json"))
			*json = true;
		else if (!strcmp(argv[i], "--instructions"))
			b->instructions = true;
		else if (!strcmp(argv[i], "--rounds") && i + 1 < argc && atoi(argv[i + 1]) > 0)
			b->rounds = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			b->only = argv[++i];
		else
			return -1;
	}
	if (argc - i != 4)
		return -1;
	b->evmend = argv[i];
	b->tables = argv[i + 1];
	b->rules = argv[i + 2];
	b->events = argv[i + 3];
	return 0;
}

static const struct {
	const char *name;
	void (*run)(struct bench *b);
} parts[] = {
	{"programs", bench_programs}, /* first: what this process holds must not count as theirs */
	{"lanes", bench_lanes},
	{"hostile", bench_hostile},   /* compares with the mean event of the lanes */
	{"groups", bench_groups},
	{"formats", bench_formats},
	{"sinks", bench_sinks},
	{"kafka", bench_kafka},
	{"syslog", bench_syslog},
};

/* These make their own records. */
static bool needs_events(const char *only)
{
	return !only || (strcmp(only, "formats") != 0 && strcmp(only, "sinks") != 0 && strcmp(only, "kafka") != 0 && strcmp(only, "syslog") != 0);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	char folder[160], remove[200];
	bool json = false;
	struct bench b = {.rounds = 5};
	int missed;

	if (options(&b, argc, argv, &json) != 0)
		return usage();
	snprintf(folder, sizeof folder, "%.100s/evmend-bench.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		die("%s cannot be made", folder);
	b.folder = folder;
	snprintf(b.few, sizeof b.few, "%s/rules30", folder);
	say_where();
	if (needs_events(b.only))
		bench_prepare(&b);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (!b.only || !strcmp(b.only, parts[i].name))
			parts[i].run(&b);
	if (b.instructions && needs_events(b.only))
		bench_instructions(&b);
	missed = table_print(&b, json);
	snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
	if (system(remove) != 0)
		say("%s could not be removed", folder);
	return missed ? 1 : 0;
}
