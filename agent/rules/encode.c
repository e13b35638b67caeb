/* encode.c - text as it looks inside base64.
 *
 * Why: a command that hides in base64 is still there, in one of three forms, according to where in a group of three bytes it begins.
 * Promises: RFC 4648, standard alphabet. Offsets are counted in bytes, not characters; only characters that the text alone decides
 * are kept (Sigma specification, "base64offset").
 * Refuses: wildcards, empty texts, forms of less than two characters. */
#include "rules/encode.h"

#include "base/text.h"
#include "limits.h"
#include "rules/pattern.h"

#define DASHES 5

static const uint32_t dashes[DASHES] = {'-', '/', 0x2013, 0x2014, 0x2015};

static void put_utf8(struct buf *to, uint32_t c)
{
	char bytes[4];

	buf_add(to, bytes, utf8_put(bytes, c));
}

static void put_unit(struct buf *to, bool big_endian, uint32_t unit)
{
	char high = (char)(unit >> 8), low = (char)unit;

	buf_char(to, big_endian ? high : low);
	buf_char(to, big_endian ? low : high);
}

static void put_utf16(struct buf *to, bool big_endian, uint32_t c)
{
	if (c >= 0x10000) {
		put_unit(to, big_endian, 0xd800 + ((c - 0x10000) >> 10));
		c = 0xdc00 + ((c - 0x10000) & 0x3ff);
	}
	put_unit(to, big_endian, c);
}

/* way: which of the five dashes stands in each place that windash found, one digit for each, in base 5. */
static void put_bytes(struct buf *to, unsigned set, const struct pattern *p, size_t way)
{
	buf_reset(to);
	if (set & MOD(UTF16))
		put_unit(to, false, 0xfeff);
	for (size_t i = 0; i < p->n; i++) {
		uint32_t c = p->tokens[i];

		if (c == PATTERN_DASH) {
			c = dashes[way % DASHES];
			way /= DASHES;
		}
		if (set & MOD_UTF16S)
			put_utf16(to, set & MOD(UTF16BE), c);
		else
			put_utf8(to, c);
	}
}

static void put_base64(struct buf *to, const char *bytes, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t group = (uint32_t)(unsigned char)bytes[i] << 16;

		if (i + 1 < n)
			group |= (uint32_t)(unsigned char)bytes[i + 1] << 8;
		if (i + 2 < n)
			group |= (unsigned char)bytes[i + 2];
		buf_char(to, alphabet[group >> 18]);
		buf_char(to, alphabet[(group >> 12) & 63]);
		buf_char(to, i + 1 < n ? alphabet[(group >> 6) & 63] : '=');
		buf_char(to, i + 2 < n ? alphabet[group & 63] : '=');
	}
}

static struct raw_text keep_part(struct loader *l, const struct buf *b, size_t from, size_t less)
{
	size_t n = b->n - from - less;

	return (struct raw_text){arena_copy(l->arena, b->p + from, n), n};
}

/* bytes with `shift` bytes in front, encoded, without what those and the bytes behind decide. */
static struct raw_text at_offset(struct loader *l, const struct buf *bytes, size_t shift)
{
	static const size_t from[] = {0, 2, 3}, less[] = {0, 3, 2};
	struct raw_text result;
	struct buf shifted, b;

	buf_init(&shifted, LIMIT_YAML_BYTES);
	buf_init(&b, LIMIT_YAML_BYTES);
	buf_add(&shifted, "\0\0", shift);
	buf_add(&shifted, bytes->p, bytes->n);
	put_base64(&b, shifted.p, shifted.n);
	result = keep_part(l, &b, from[shift], less[shifted.n % 3]);
	buf_free(&shifted);
	buf_free(&b);
	return result;
}

static struct raw_text plainly(struct loader *l, const struct buf *bytes)
{
	struct raw_text result;
	struct buf b;

	buf_init(&b, LIMIT_YAML_BYTES);
	put_base64(&b, bytes->p, bytes->n);
	result = keep_part(l, &b, 0, 0);
	buf_free(&b);
	return result;
}

/* Ways to write the dashes; 0 and a problem when the text cannot be encoded. */
static size_t ways_of(struct loader *l, const struct yaml_node *at, unsigned set, const struct pattern *p)
{
	size_t ways = 1;

	if (p->n == 0)
		refuse(l, at, "base64 of nothing is nothing; write a text");
	for (size_t i = 0; i < p->n; i++) {
		if (p->tokens[i] == PATTERN_ANY || p->tokens[i] == PATTERN_ONE) {
			refuse(l, at, "a text with wildcards cannot be encoded; write a backslash in front of a * or ? that is meant");
			return 0;
		}
		ways *= p->tokens[i] == PATTERN_DASH ? DASHES : 1;
		if (ways > LIMIT_EXPANSION || ways * p->n > LIMIT_EXPANSION_BYTES / 16) { /* UTF-16, a third more, and three places */
			refuse(l, at, "windash makes more than %d values of this one, or too long ones; shorten the text to fewer options",
				LIMIT_EXPANSION);
			return 0;
		}
	}
	if (p->n == 1 && p->tokens[0] < 0x80 && (set & MOD(BASE64OFFSET)) && !(set & MOD_UTF16S)) {
		refuse(l, at, "'%s' is too short for base64offset: it would be found everywhere; write two characters at least", at->text);
		return 0;
	}
	return p->n ? ways : 0;
}

const struct raw_text *encode(struct loader *l, const struct yaml_node *at, unsigned set, const struct raw_text *value, bool verbatim,
	size_t *count)
{
	unsigned flags = PATTERN_CASED | (set & MOD(WINDASH) ? PATTERN_WINDASH : 0) | (verbatim ? PATTERN_VERBATIM : 0);
	size_t each = set & MOD(BASE64OFFSET) ? 3 : 1;
	struct raw_text *all;
	struct pattern p;
	struct buf bytes;

	pattern_make(&p, l->arena, value->text, value->n, flags);
	size_t ways = ways_of(l, at, set, &p);

	if (ways == 0)
		return NULL;
	all = arena_alloc(l->arena, ways * each * sizeof *all);
	buf_init(&bytes, LIMIT_YAML_BYTES);
	for (size_t w = 0; w < ways; w++) {
		put_bytes(&bytes, set, &p, w);
		for (size_t i = 0; i < each; i++)
			all[w * each + i] = each == 1 ? plainly(l, &bytes) : at_offset(l, &bytes, i);
	}
	buf_free(&bytes);
	*count = ways * each;
	return all;
}
