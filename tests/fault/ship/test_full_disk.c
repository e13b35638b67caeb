/* test_full_disk.c - the disk is full at the n-th write, n = 1, 2, 3 ... until none fails: what the spool has confirmed is there, what it
 * refused is taken later, nothing is there twice; and the same for the lines of a file receiver. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compress.h"
#include "base/file.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fault_file.h"
#include "lib/scratch.h"
#include "ship/sink.h"
#include "store/db.h"

#define RECORDS 6

static int put(struct spool *s, int id, struct err *e)
{
	char json[32];
	struct spool_record r = { .json = json, .time = 1 };

	memcpy(r.uid, &id, sizeof id);
	r.n = (size_t)snprintf(json, sizeof json, "{\"id\":%d}", id);
	if (spool_begin(s, e) < 0)
		return -1;
	if (spool_put(s, &r, e) < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e);
}

static void check_spool(struct spool *s)
{
	struct spool_record r[RECORDS + 1];
	struct spool_want w = { .lane = SPOOL_URGENT };
	int64_t upto;
	struct err e;
	size_t got;

	assert_int_equal(spool_read(s, &w, r, RECORDS + 1, &got, &upto, &e), 0);
	assert_int_equal(got, RECORDS);
	for (int i = 0; i < RECORDS; i++) {
		char want[32];

		snprintf(want, sizeof want, "{\"id\":%d}", i);
		assert_memory_equal(r[i].json, want, strlen(want));
	}
}

static void the_spool_loses_nothing(void **state)
{
	bool hit = true;
	int n;

	(void)state;
	for (n = 1; hit && n < 200; n++) {
		struct scratch dir;
		struct err e = { 0 };

		scratch_init(&dir);
		struct spool *s = spool_open(dir.folder, &e);

		assert_non_null(s);
		db_fail_at(spool_db(s), n);
		for (int i = 0; i < RECORDS; i++)
			while (put(s, i, &e) < 0) { /* as ship does: again, when there is room */
				assert_true(strlen(e.text) > 10);
				assert_true(db_fail_hit(spool_db(s)));
			}
		hit = db_fail_hit(spool_db(s));
		db_fail_at(spool_db(s), 0);
		check_spool(s);
		spool_close(s);
		s = spool_open(dir.folder, &e);
		assert_non_null(s);
		check_spool(s);
		spool_close(s);
		scratch_free(&dir);
	}
	assert_true(n > 4);
	assert_false(hit);
}

/* One record; again and again until the sink has it. How often it took. */
static int deliver(struct sink *s, struct fake_clock *clk, int id)
{
	char json[32];
	struct spool_record r = { .seq = id, .json = json };
	int tries = 0;

	r.n = (size_t)snprintf(json, sizeof json, "{\"id\":%d}", id);
	for (bool done = false; !done; tries++) {
		struct sink_result got = { 0 };
		struct err e;
		size_t n = 0;

		assert_true(tries < 10);
		fake_clock_advance(clk, 10 * US_SECOND);
		if (s->ops->open(s, &e) < 0 || s->ops->submit(s, &r, 1, &e) < 0)
			continue;
		assert_int_equal(s->ops->poll(s, &got, 1, &n, &e), 0);
		assert_int_equal(n, 1);
		done = got.outcome == SINK_ACCEPTED;
	}
	return tries;
}

static void the_file_has_each_line_whole(void **state)
{
	struct fake_clock clk;
	bool hit = true;
	int n;

	(void)state;
	fake_clock_init(&clk, US_DAY);
	for (n = 1; hit && n < 200; n++) {
		struct scratch dir;
		struct err e;
		struct buf text;
		const char *at;

		scratch_init(&dir);
		struct sink_config c = { .name = "f", .kind = SINK_FILE, .file.path = scratch_path(&dir, "out") };
		struct sink *s = sink_new(&c, &clk.clock, &fault_file);

		scratch_write(&dir, "out", "{\"id\":-1}\n{\"torn", 16);
		fault_file_at(n, ENOSPC);
		for (int i = 0; i < RECORDS; i++)
			deliver(s, &clk, i);
		hit = fault_file_hit();
		fault_file_at(0, 0);
		sink_free(s);
		buf_init(&text, 65536);
		assert_int_equal(file_read(&os_file, scratch_path(&dir, "out"), &text, &e), 0);
		at = buf_text(&text);
		for (int i = -1; i < RECORDS; i++) {
			char want[32];
			size_t len = (size_t)snprintf(want, sizeof want, "{\"id\":%d}\n", i);

			assert_memory_equal(at, want, len);
			at += len;
			while (!strncmp(at, want, len)) /* at least once: a write that went through before its sync failed */
				at += len;
		}
		assert_int_equal(*at, '\0');
		buf_free(&text);
		scratch_free(&dir);
	}
	assert_true(n > 8);
	assert_false(hit);
}

/* --- a file that is rotated and compressed --- */

#define ROTATED 24

struct told { /* shared with the child that dies */
	bool accepted[ROTATED];
	bool finished; /* nothing failed any more */
};

static void rotate_in(struct scratch *dir, struct sink_config *c, int kind)
{
	static char path[512];

	snprintf(path, sizeof path, "%s", scratch_path(dir, "out"));
	*c = (struct sink_config){ .name = "f", .kind = SINK_FILE, .file = { .path = path, .rotate = { .size = 40, .compress = kind } } };
}

/* Gives the sink, three at a time, what it has not accepted yet, and lets it tidy up, until it has all and is idle. */
static void deliver_all(struct sink *s, struct fake_clock *clk, struct told *told)
{
	bool busy = true;

	for (int tries = 0; busy; tries++) {
		struct spool_record r[3];
		struct sink_result got[3] = { 0 };
		char json[3][32];
		size_t n = 0, k = 0;
		struct err e;

		assert_true(tries < 2000);
		for (int i = 0; i < ROTATED && n < 3; i++)
			if (!told->accepted[i]) {
				r[n] = (struct spool_record){ .seq = i, .json = json[n] };
				r[n].n = (size_t)snprintf(json[n], sizeof json[n], "{\"id\":%04d}", i);
				n++;
			}
		if (s->ops->open(s, &e) < 0 || (n && s->ops->submit(s, r, n, &e) < 0))
			continue;
		assert_int_equal(s->ops->poll(s, got, 3, &k, &e), 0);
		for (size_t i = 0; i < k; i++)
			told->accepted[got[i].seq] = told->accepted[got[i].seq] || got[i].outcome == SINK_ACCEPTED;
		fake_clock_advance(clk, 2 * US_MINUTE); /* every pause is over */
		(void)s->ops->wait_fd(s, &busy);
		busy = busy || n;
	}
}

static int look_at(void *arg, const char *name)
{
	char (*names)[64] = arg;
	size_t i = 0;

	while (names[i][0])
		i++;
	assert_true(i < 63 && strlen(name) < 64);
	if (strcmp(name, "out") != 0)
		memcpy(names[i], name, strlen(name) + 1);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *x = a, *y = b;

	return !*x || !*y ? !*x - !*y : strcmp(x, y);
}

static size_t unpack(const char *path, bool packed, char *to, size_t room)
{
	struct buf text;
	struct err e;
	size_t n;

	buf_init(&text, 65536);
	assert_int_equal(file_read(&os_file, path, &text, &e), 0);
	n = text.n;
	if (packed) {
		struct inflater *z = inflater_new(COMPRESS_GZIP, &e);
		size_t in = text.n;

		n = room;
		if (inflater_step(z, text.p, &in, to, &n, true, &e) != 1)
			fail_msg("%s: %s", path, e.text);
		inflater_free(z);
	} else {
		assert_true(n <= room);
		memcpy(to, text.n ? text.p : "", n);
	}
	buf_free(&text);
	return n;
}

/* Every id is there at least once, in whole lines, in order but for what came again. How many are there twice. */
static int check_files(struct scratch *dir, bool half_made)
{
	char names[64][64] = { { 0 } }, text[4096];
	int seen[ROTATED] = { 0 }, repeats = 0, plain = 0;

	assert_int_equal(os_file.list(dir->folder, look_at, names), 0);
	qsort(names, 64, sizeof names[0], by_name);
	for (int i = 0; i < 64 && (i == 0 || names[i - 1][0]); i++) {
		const char *name = names[i][0] ? names[i] : "out";
		bool packed = strstr(name, ".gz"), half = strstr(name, ".new");
		size_t n;

		assert_false(half && !half_made);
		if (half_made && !names[i][0] && access(scratch_path(dir, name), F_OK) != 0) /* between the rename and the new file */
			continue;
		if (half || (half_made && packed && !strncmp(names[i], names[i - 1 + !i], strlen(names[i]) - 3))) /* beside its plain file */
			continue;
		plain += names[i][0] && !packed;
		n = unpack(scratch_path(dir, name), packed, text, sizeof text);
		n -= half_made && !names[i][0] ? n % 12 : 0; /* the crash was in a write */
		assert_int_equal(n % 12, 0);
		for (size_t at = 0; at < n; at += 12) {
			int id;

			assert_int_equal(sscanf(text + at, "{\"id\":%4d}", &id), 1);
			assert_true(text[at + 11] == '\n' && id >= 0 && id < ROTATED);
			repeats += seen[id]++ > 0;
		}
	}
	for (int i = 0; i < ROTATED; i++)
		assert_true(seen[i] || half_made);
	assert_true(plain <= 1 || half_made);
	return repeats;
}

static void rotation_survives_every_failure(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EACCES };
	bool hit = true;
	int n = 0;

	(void)state;
	for (n = 1; hit && n < 2000; n++) {
		struct told told = { 0 };
		struct fake_clock clk;
		struct scratch dir;
		struct sink_config c;

		fake_clock_init(&clk, US_DAY);
		scratch_init(&dir);
		rotate_in(&dir, &c, SINK_GZIP);
		struct sink *s = sink_new(&c, &clk.clock, &fault_file);

		fault_file_at(n, errors[n % 3]);
		deliver_all(s, &clk, &told);
		hit = fault_file_hit();
		assert_int_equal(fault_file_open(), 1);
		fault_file_at(0, 0);
		sink_free(s);
		assert_int_equal(check_files(&dir, false), 0); /* nothing twice */
		scratch_free(&dir);
	}
	printf("# %d failures of a file operation, one a run: nothing lost, nothing twice\n", n - 2);
	assert_true(n > 100);
	assert_false(hit);
}

/* Each run a process that dies at its n-th file operation, and one that goes on from there. */
static void rotation_survives_every_crash(void **state)
{
	struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int n, repeats = 0;

	(void)state;
	assert_true(told != MAP_FAILED);
	told->finished = false;
	for (n = 1; !told->finished && n < 2000; n++) {
		struct fake_clock clk;
		struct scratch dir;
		struct sink_config c;
		int status, child;

		memset(told, 0, sizeof *told);
		fake_clock_init(&clk, US_DAY);
		scratch_init(&dir);
		rotate_in(&dir, &c, SINK_GZIP);
		struct sink *s = sink_new(&c, &clk.clock, &fault_file);

		child = fork();
		assert_true(child >= 0);
		if (!child) {
			fault_file_at(n, FAULT_DIES);
			deliver_all(s, &clk, told);
			told->finished = true;
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == (told->finished ? 0 : 9));
		check_files(&dir, true); /* every file can be read as it is */
		fault_file_at(0, 0);
		deliver_all(s, &clk, told);
		sink_free(s);
		repeats += check_files(&dir, false);
		scratch_free(&dir);
	}
	printf("# %d crashes at a file operation: nothing lost, %d of %d lines twice\n", n - 2, repeats, (n - 2) * ROTATED);
	assert_true(n > 100);
	assert_true(told->finished);
	assert_true(repeats <= 3 * (n - 2)); /* what was on its way */
	munmap(told, sizeof *told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_spool_loses_nothing),
		cmocka_unit_test(the_file_has_each_line_whole),
		cmocka_unit_test(rotation_survives_every_failure),
		cmocka_unit_test(rotation_survives_every_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
