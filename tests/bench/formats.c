/* formats.c - what it costs to write a record for a receiver.
 *
 * Why: whoever sends 30,000 events a second wants to know which part of it is the text. Promises one figure for each format: CPU time of reading
 * the record once and writing it, and the same against write(2) of those bytes, one call a record. Refuses nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/bench.h"
#include "ship/formats.h"

#define TURNS 2000

static const struct {
	const char *name;
	int kind;
} records[] = {
	{ "finding", RECORD_FINDING },
	{ "case-waiting", RECORD_CASE },
	{ "repair-end", RECORD_REPAIR },
	{ "event-logon", RECORD_EVENT },
	{ "event-process", RECORD_EVENT },
};

#define RECORDS (sizeof records / sizeof records[0])

static void load(struct spool_record list[static RECORDS], struct buf text[static RECORDS])
{
	for (size_t i = 0; i < RECORDS; i++) {
		char path[120];
		struct err e;

		snprintf(path, sizeof path, "tests/data/formats/records/%s.json", records[i].name);
		buf_init(&text[i], 1u << 20);
		if (file_read(&os_file, path, &text[i], &e) < 0)
			die("%s", e.text);
		list[i] = (struct spool_record){ .kind = records[i].kind, .json = text[i].p, .n = text[i].n - 1, .host = "", .cause = "", .labels = "" };
	}
}

/* Seconds for TURNS times all records; the bytes of one turn are left in `all`, each length in `lengths`. */
static double write_them(const struct format *f, const struct spool_record *list, struct buf *all, size_t *lengths)
{
	static const struct sink_config plain = { .name = "bench" };
	double start = now_cpu();

	for (size_t turn = 0; turn < TURNS; turn++) {
		buf_reset(all);
		for (size_t i = 0; i < RECORDS; i++) {
			size_t before = all->n;
			struct record_view v;

			view_open(&v, &list[i]);
			f->write(&plain, &v, FORMAT_ANY, all);
			view_close(&v);
			lengths[i] = all->n - before;
		}
	}
	return now_cpu() - start;
}

static double only_write(int fd, const struct buf *all, const size_t *lengths)
{
	double start = now_cpu();

	for (size_t turn = 0; turn < TURNS; turn++)
		for (size_t i = 0, at = 0; i < RECORDS; at += lengths[i++])
			if (write(fd, all->p + at, lengths[i]) != (ssize_t)lengths[i])
				die("the scratch folder takes no more");
	return now_cpu() - start;
}

void bench_formats(struct bench *b)
{
	struct spool_record list[RECORDS];
	struct buf text[RECORDS], all;
	size_t lengths[RECORDS];
	char path[300], name[100];

	say("records in each format");
	load(list, text);
	buf_init(&all, 4u << 20);
	snprintf(path, sizeof path, "%s/formats", b->folder);
	for (const struct format *f = formats; f->name; f++) {
		double took = 0, bare = 0;

		for (int round = 0; round < b->rounds; round++) {
			double once = write_them(f, list, &all, lengths), bytes;
			int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

			if (fd < 0)
				die("%s cannot be made", path);
			bytes = only_write(fd, &all, lengths);
			close(fd);
			took = !round || once < took ? once : took;
			bare = !round || bytes < bare ? bytes : bare;
		}
		snprintf(name, sizeof name, "format %s: a record read and written (%zu bytes)", f->name, all.n / RECORDS);
		fact(name, took * 1e6 / (TURNS * RECORDS), "us");
		snprintf(name, sizeof name, "format %s: against write(2) of the same bytes", f->name);
		fact(name, took / bare, "times");
	}
	buf_free(&all);
	for (size_t i = 0; i < RECORDS; i++)
		buf_free(&text[i]);
}
