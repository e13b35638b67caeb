/* test_compress.c - gzip and xz in every size of bite; damaged, cut and followed by rubbish. */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/compress.h"
#include "lib/check.h"
#include "limits.h"

#define PLAIN 70000

static char plain[PLAIN];

static int fill(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < PLAIN; i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = (char)('a' + (x >> 24) % 20);
	}
	return 0;
}

static void add_gzip(struct buf *b)
{
	z_stream z = { 0 };
	static unsigned char out[PLAIN + 1000];

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)plain;
	z.avail_in = PLAIN;
	z.next_out = out;
	z.avail_out = sizeof out;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_add(b, out, sizeof out - z.avail_out);
	deflateEnd(&z);
}

static void add_xz(struct buf *b, uint32_t preset)
{
	static unsigned char out[PLAIN + 1000];
	size_t n = 0;

	assert_int_equal(lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, NULL, (const uint8_t *)plain, PLAIN, out, &n, sizeof out),
			 LZMA_OK);
	buf_add(b, out, n);
}

/* Bites of in_bite bytes in, out_bite out. The result of the last step; out is what came. */
static int inflate_all(const struct buf *in, size_t in_bite, size_t out_bite, struct buf *out, struct err *e)
{
	struct inflater *z = inflater_new(compression_of(in->p, in->n), e);
	size_t at = 0;
	int result = 0, idle = 0;
	char piece[PLAIN];

	assert_non_null(z);
	while (result == 0 && idle < 3) {
		size_t in_n = in->n - at < in_bite ? in->n - at : in_bite, out_n = out_bite;

		result = inflater_step(z, in->p + at, &in_n, piece, &out_n, at + in_n == in->n, e);
		buf_add(out, piece, out_n);
		at += in_n;
		idle = in_n == 0 && out_n == 0 ? idle + 1 : 0;
	}
	inflater_free(z);
	return result;
}

static void every_bite(void **state)
{
	static const size_t bites[] = { 1, 7, 4096, PLAIN };

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct buf in, out;

		buf_init(&in, 1 << 20);
		buf_init(&out, 1 << 20);
		kind ? add_xz(&in, 6) : add_gzip(&in);
		for (size_t i = 0; i < 4; i++) {
			for (size_t k = 0; k < 4; k++) {
				struct err e;

				buf_reset(&out);
				assert_int_equal(inflate_all(&in, bites[i], bites[k], &out, &e), 1);
				assert_int_equal(out.n, PLAIN);
				assert_memory_equal(out.p, plain, PLAIN);
			}
		}
		buf_free(&in);
		buf_free(&out);
	}
}

static void concatenated_streams_go_on(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct buf in, out;
		struct err e;

		buf_init(&in, 1 << 20);
		buf_init(&out, 1 << 20);
		for (int i = 0; i < 2; i++)
			kind ? add_xz(&in, 0) : add_gzip(&in);
		assert_int_equal(inflate_all(&in, 100, 1000, &out, &e), 1);
		assert_int_equal(out.n, 2 * PLAIN);
		assert_memory_equal(out.p + PLAIN, plain, PLAIN);
		/* zeros are padding */
		buf_add(&in, "\0\0\0\0", 4);
		buf_reset(&out);
		assert_int_equal(inflate_all(&in, 100, 1000, &out, &e), 1);
		assert_int_equal(out.n, 2 * PLAIN);
		/* words are not */
		buf_str(&in, "rubbish");
		buf_reset(&out);
		assert_int_equal(inflate_all(&in, 100, 1000, &out, &e), -1);
		buf_free(&in);
		buf_free(&out);
	}
}

static void cut_and_damaged(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct buf in, cut, out;
		struct err e;

		buf_init(&in, 1 << 20);
		buf_init(&cut, 1 << 20);
		buf_init(&out, 1 << 20);
		kind ? add_xz(&in, 0) : add_gzip(&in);
		for (size_t n = 6; n < in.n; n += 997) {
			buf_reset(&cut);
			buf_reset(&out);
			buf_add(&cut, in.p, n);
			assert_int_equal(inflate_all(&cut, 5000, 5000, &out, &e), -1);
			assert_non_null(strstr(e.text, "cut short"));
			assert_true(out.n == 0 || memcmp(out.p, plain, out.n) == 0);
		}
		in.p[in.n / 2] ^= 0x55;
		buf_reset(&out);
		assert_int_equal(inflate_all(&in, 5000, 5000, &out, &e), -1);
		assert_non_null(strstr(e.text, "damaged"));
		buf_free(&in);
		buf_free(&cut);
		buf_free(&out);
	}
}

static void signatures(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(compression_of("<Event", 6), COMPRESS_NONE);
	assert_int_equal(compression_of("\x1f\x8b", 2), COMPRESS_NONE);
	assert_int_equal(compression_of("\x1f\x8b\x08\x00\x00\x00", 6), COMPRESS_GZIP);
	assert_int_equal(compression_of("\xfd" "7zXZ\0", 6), COMPRESS_XZ);
	assert_null(inflater_new(COMPRESS_NONE, &e));
	assert_non_null(strstr(e.text, "not compressed"));
	inflater_free(NULL);
}

/* What xz -9 makes is read (65 MiB of dictionary and more); what asks for more is refused before it is given. */
static void memory_is_capped(void **state)
{
	struct buf in, out;
	lzma_options_lzma options;
	lzma_filter filters[2] = { { .id = LZMA_FILTER_LZMA2, .options = &options }, { .id = LZMA_VLI_UNKNOWN } };
	static unsigned char bytes[PLAIN + 1000];
	struct err e;
	size_t n = 0;

	(void)state;
	buf_init(&in, 1 << 20);
	buf_init(&out, 1 << 20);
	assert_false(lzma_lzma_preset(&options, 0));
	options.dict_size = 64u << 20;
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)plain, 1000, bytes, &n, sizeof bytes),
			 LZMA_OK);
	buf_add(&in, bytes, n);
	assert_int_equal(inflate_all(&in, 5000, 5000, &out, &e), 1);
	options.dict_size = 128u << 20;
	n = 0;
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)plain, 1000, bytes, &n, sizeof bytes),
			 LZMA_OK);
	buf_reset(&in);
	buf_add(&in, bytes, n);
	assert_int_equal(inflate_all(&in, 5000, 5000, &out, &e), -1);
	assert_non_null(strstr(e.text, "more than 80 MiB"));
	buf_free(&in);
	buf_free(&out);
}

/* Steps of every size give one stream; what was not finished does not pass for whole. */
static void the_other_way(void **state)
{
	static const size_t steps[] = { 1000, 4096, PLAIN };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		enum compression kind = i % 2 ? COMPRESS_ZSTD : COMPRESS_GZIP;
		struct deflater *z = deflater_new(kind);
		struct buf packed, out;
		struct err e;

		buf_init(&packed, 1 << 20);
		buf_init(&out, 1 << 20);
		for (size_t at = 0; at < PLAIN; at += steps[i / 2])
			deflater_step(z, plain + at, PLAIN - at < steps[i / 2] ? PLAIN - at : steps[i / 2], false, &packed);
		deflater_step(z, NULL, 0, true, &packed);
		deflater_free(z);
		assert_true(packed.n < PLAIN);
		if (kind == COMPRESS_GZIP) {
			assert_int_equal(inflate_all(&packed, 5000, 5000, &out, &e), 1);
		} else {
			size_t got = ZSTD_decompress(buf_room(&out, PLAIN), PLAIN, packed.p, packed.n);

			assert_false(ZSTD_isError(got));
			buf_wrote(&out, got);
			assert_true(ZSTD_isError(ZSTD_decompress(packed.p, packed.cap, packed.p, packed.n - 1)));
		}
		assert_int_equal(out.n, PLAIN);
		assert_memory_equal(out.p, plain, PLAIN);
		buf_free(&packed);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bite), cmocka_unit_test(concatenated_streams_go_on), cmocka_unit_test(cut_and_damaged),
		cmocka_unit_test(signatures), cmocka_unit_test(memory_is_capped),
		cmocka_unit_test(the_other_way),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
