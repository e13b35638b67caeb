/* replay.c - runs a fuzz target over its seeds and over what was found with it, without libFuzzer.
 *
 * Why: what was found once must never come back, and `make check` knows no libFuzzer.
 * Promises: each file of tests/fuzz/seeds/NAME and tests/fuzz/found/NAME is one run; NAME is the program's own name behind "fuzz_".
 * With arguments: these files instead. A file that shows a bug ends the program, as it ends the fuzzer.
 * Refuses: a target without seeds. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "lib/fuzz.h"

static void run(const char *path)
{
	struct buf b;
	struct err e = {0};

	buf_init(&b, 1u << 20);
	if (file_read(&os_file, path, &b, &e) != 0)
		die("%s", e.text);
	fprintf(stderr, "%s\n", path); /* the last one is the one that ended it */
	LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&b), b.n);
	buf_free(&b);
}

static size_t run_folder(const char *folder, const char *name)
{
	char path[1200];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof path, "tests/fuzz/%s/%s", folder, name);
	d = opendir(path);
	for (struct dirent *x = d ? readdir(d) : NULL; x; x = readdir(d)) {
		if (x->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "tests/fuzz/%s/%s/%s", folder, name, x->d_name);
		run(path);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "fuzz_");
	size_t seeds, found;

	for (const char *more = name; more; more = strstr(more + 1, "fuzz_"))
		name = more;
	if (!name)
		die("%s: this program is named fuzz_ and a target", argv[0]);
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	if (argc > 1)
		return 0;
	name += strlen("fuzz_");
	puts("1..2");
	seeds = run_folder("seeds", name);
	printf("%s 1 - seeds\n", seeds ? "ok" : "not ok");
	found = run_folder("found", name);
	puts("ok 2 - found");
	printf("# %zu seeds, %zu found before\n", seeds, found);
	return seeds ? 0 : 1;
}
