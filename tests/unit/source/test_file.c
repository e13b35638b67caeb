/* test_file.c - files, folders, pipes and compressed files, read once. */
#include "drain.h"

#include <lzma.h>
#include <sys/stat.h>
#include <zlib.h>

static void one_file(void **state)
{
	struct scratch t;
	struct drain d;

	(void)state;
	scratch_init(&t);
	scratch_write(&t, "a.xml", "hello", 5);
	drain_init(&d, SOURCE_FILE, scratch_path(&t, "a.xml"), &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_expect(&d, "(a.xml|hello)");
	assert_int_equal(drain_once(&d), 0);
	assert_int_equal(d.errors, 0);
	drain_free(&d);
	scratch_free(&t);
}

static void a_missing_file(void **state)
{
	struct drain d;

	(void)state;
	drain_init(&d, SOURCE_FILE, "/nowhere/at/all.xml", &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), -1);
	assert_int_equal(d.e.code, ERR_IO);
	assert_non_null(strstr(d.e.text, "/nowhere/at/all.xml cannot be read"));
	drain_free(&d);
}

static void a_folder(void **state)
{
	struct scratch t;
	struct drain d;
	struct source_counts c;
	char sub[600], file[640];

	(void)state;
	scratch_init(&t);
	scratch_write(&t, "b.xml", "B", 1);
	scratch_write(&t, "a.xml", "A", 1);
	scratch_write(&t, ".hidden", "H", 1);
	scratch_write(&t, "empty", "", 0);
	snprintf(sub, sizeof(sub), "%s/ab", t.folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	snprintf(file, sizeof(file), "%s/deep.xml", sub);
	put(file, "w", "D");
	drain_init(&d, SOURCE_FILE, t.folder, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_expect(&d, "(a.xml|A)(deep.xml|D)(b.xml|B)(empty|)");
	d.s->ops->counts(d.s, &c);
	assert_int_equal(c.files, 4);
	assert_int_equal(c.total_bytes, 3);
	assert_int_equal(c.read_bytes, 3);
	drain_free(&d);
	unlink(file);
	rmdir(sub);
	scratch_free(&t);
}

static void one_bad_file_among_good_ones(void **state)
{
	struct scratch t;
	struct drain d;
	struct source_counts c;

	(void)state;
	scratch_init(&t);
	scratch_write(&t, "a", "A", 1);
	scratch_write(&t, "b", "\x1f\x8b\x08 this is no gzip data", 24);
	scratch_write(&t, "c", "C", 1);
	assert_int_equal(symlink("/nowhere", scratch_path(&t, "bb")), 0);
	drain_init(&d, SOURCE_FILE, t.folder, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_all(&d);
	assert_int_equal(d.errors, 2);
	assert_non_null(strstr(buf_text(&d.said), "(a|A)"));
	assert_non_null(strstr(buf_text(&d.said), "(c|C)"));
	d.s->ops->counts(d.s, &c);
	assert_int_equal(c.errors, 2);
	drain_free(&d);
	unlink(scratch_path(&t, "bb"));
	scratch_free(&t);
}

static char *big(size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + (i * i / 7 + i / 1000) % 26);
	p[n] = '\0';
	return p;
}

static void write_packed(struct scratch *t, const char *name, const char *text, size_t n, bool xz, size_t cut)
{
	static uint8_t out[4u << 20];
	size_t out_n = 0;

	if (xz) {
		assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text, n, out, &out_n, sizeof(out)), LZMA_OK);
	} else {
		z_stream z = { 0 };

		assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = (Bytef *)(uintptr_t)text;
		z.avail_in = (uInt)n;
		z.next_out = out;
		z.avail_out = sizeof(out);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		out_n = z.total_out;
		deflateEnd(&z);
	}
	scratch_write(t, name, out, out_n - cut);
}

static void packed_files(void **state)
{
	const size_t n = 900000;
	char *text = big(n);

	(void)state;
	for (int xz = 0; xz < 2; xz++) {
		struct scratch t;
		struct drain d;
		char want[64], position[256];

		scratch_init(&t);
		write_packed(&t, "p", text, n, xz, 0);
		drain_init(&d, SOURCE_FILE, scratch_path(&t, "p"), &os_file);
		assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
		drain_all(&d);
		assert_int_equal(d.said.n, n + 4);
		assert_memory_equal(d.said.p + 3, text, n);
		assert_int_equal(d.offset, n);
		source_position(d.s, d.partition, 500001, position, sizeof(position));
		drain_free(&d);

		drain_init(&d, SOURCE_FILE, scratch_path(&t, "p"), &os_file); /* goes on in the middle */
		source_resume(d.s, scratch_path(&t, "p"), position);
		assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
		drain_all(&d);
		assert_int_equal(d.said.n, n - 500001 + 1);
		assert_memory_equal(d.said.p, text + 500001, n - 500001);
		drain_free(&d);

		write_packed(&t, "p", text, n, xz, 100); /* cut short: what is there, an error, an end */
		drain_init(&d, SOURCE_FILE, scratch_path(&t, "p"), &os_file);
		assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
		drain_all(&d);
		assert_int_equal(d.errors, 1);
		snprintf(want, sizeof(want), "(p|%.20s", text);
		assert_memory_equal(d.said.p, want, strlen(want));
		assert_int_equal(d.said.p[d.said.n - 1], ')');
		assert_true(d.said.n > n / 2);
		drain_free(&d);
		scratch_free(&t);
	}
	free(text);
}

static void resumed(void **state)
{
	struct scratch t;
	struct drain d;
	char position[256];
	struct source_counts c;

	(void)state;
	scratch_init(&t);
	scratch_write(&t, "a", "0123456789", 10);
	drain_init(&d, SOURCE_FILE, scratch_path(&t, "a"), &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_all(&d);
	source_position(d.s, scratch_path(&t, "a"), 4, position, sizeof(position));
	drain_free(&d);
	for (int replaced = 0; replaced < 2; replaced++) {
		if (replaced)
			scratch_write(&t, "a", "X123456789", 10);
		drain_init(&d, SOURCE_FILE, scratch_path(&t, "a"), &os_file);
		source_resume(d.s, scratch_path(&t, "a"), position);
		assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
		drain_expect(&d, replaced ? "(a|X123456789)" : "456789)");
		d.s->ops->counts(d.s, &c);
		assert_int_equal(c.truncations, replaced);
		drain_free(&d);
	}
	scratch_free(&t);
}

static void standard_input(void **state)
{
	struct drain d;
	int fds[2], keep = dup(0);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "piped", 5), 5);
	close(fds[1]);
	assert_int_equal(dup2(fds[0], 0), 0);
	close(fds[0]);
	drain_init(&d, SOURCE_STDIN, NULL, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	assert_int_equal(d.s->ops->wait_fd(d.s), 0);
	drain_expect(&d, "(-|piped)");
	assert_int_equal(drain_once(&d), 0);
	drain_free(&d);
	dup2(keep, 0);
	close(keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file), cmocka_unit_test(a_missing_file), cmocka_unit_test(a_folder),
		cmocka_unit_test(one_bad_file_among_good_ones), cmocka_unit_test(packed_files), cmocka_unit_test(resumed),
		cmocka_unit_test(standard_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
