/* test_needles.c - the fast ways of comparing texts give the answers of the slow ones: literals and globs those of pattern_match, many
 * needles at once those of each alone, folding of whole texts that of each character. Texts are drawn from few letters, so that
 * they meet often. */
#include <string.h>

#include "base/arena.h"
#include "lib/check.h"
#include "rules/fold.h"
#include "rules/match/literal.h"
#include "rules/match/needles.h"

static const char *const units[] = {"a", "B", "b", " ", "-", "/", "\\", "\xc3\x84", "\xc3\xa4", "\xe2\x80\x93", "\xe2\x84\xaa", "k", "K", "7",
	"\xe2\x80", "\x93"}; /* the last two are a dash together, and damaged alone */
#define UNITS (sizeof units / sizeof units[0])
static uint32_t n_units = UNITS - 2; /* that are drawn */

static uint32_t drawn;

static uint32_t draw(uint32_t below)
{
	drawn = drawn * 1664525u + 1013904223u;
	return (drawn >> 8) % below;
}

/* Up to most units; the first few units only, so that the text may be ASCII. Returns its bytes. */
static size_t draw_text(char *to, size_t most, bool ascii, bool wild)
{
	size_t n = draw((uint32_t)most + 1), k = 0;

	for (size_t i = 0; i < n; i++) {
		const char *unit = wild && draw(5) == 0 ? (draw(2) ? "*" : "?") : units[draw(ascii ? 7 : n_units)];

		memcpy(to + k, unit, strlen(unit));
		k += strlen(unit);
	}
	to[k] = '\0';
	return k;
}

static void literals_are_patterns(void **state)
{
	struct arena *a = arena_new(1u << 16);
	struct value_index index = {0};
	size_t held = 0;

	(void)state;
	drawn = 1;
	n_units = UNITS;
	for (int i = 0; i < 200000; i++) {
		char text[80], value[80], room[200];
		bool ascii = draw(2);
		size_t n = draw_text(text, 6, ascii, draw(2)), v = draw_text(value, 9, ascii || draw(2), false);
		struct pattern p;
		struct literal l;
		struct folded f;

		pattern_make(&p, a, text, n, draw(2) * PATTERN_CASED + draw(2) * PATTERN_FREE_START + draw(2) * PATTERN_FREE_END +
			draw(2) * PATTERN_WINDASH);
		l = literal_make(&p, a);
		f = folded_of(value, v, room);
		held += pattern_match(&p, value, v);
		if (literal_holds(&l, &f) != pattern_match(&p, value, v))
			fail_msg("pattern '%s', value '%s': %d", text, value, literal_holds(&l, &f));
		value_index_make(&index, f.text, f.n);
		f.index = &index;
		if (literal_holds(&l, &f) != pattern_match(&p, value, v))
			fail_msg("pattern '%s', value '%s' with an index: %d", text, value, literal_holds(&l, &f));
		arena_reset(a);
	}
	n_units = UNITS - 2;
	value_index_free(&index);
	assert_true(held > 10000);
	arena_free(a);
}

struct seen {
	bool found[64];
};

static bool on_found(void *arg, uint32_t index)
{
	struct seen *s = arg;

	s->found[index] = true;
	return false;
}

static bool stop(void *arg, uint32_t index)
{
	(void)arg;
	(void)index;
	return true;
}

/* The needle as its pattern; kinds are shapes. */
static struct literal literal_of(const struct needle *d, struct arena *a)
{
	struct pattern *p = arena_alloc(a, sizeof *p);
	unsigned flags = d->kind == NEEDLE_PART ? PATTERN_FREE_START | PATTERN_FREE_END :
		d->kind == NEEDLE_PREFIX ? PATTERN_FREE_END : d->kind == NEEDLE_SUFFIX ? PATTERN_FREE_START : 0;

	pattern_make(p, a, d->text, d->n, flags | PATTERN_VERBATIM);
	return literal_make(p, a);
}

static void many_needles_are_each_alone(void **state)
{
	struct arena *a = arena_new(1u << 18);
	struct value_index index = {0};
	size_t held = 0;

	(void)state;
	drawn = 2;
	for (int i = 0; i < 2000; i++) {
		struct needle list[64];
		struct literal alone[64];
		size_t n = 1 + draw(64), least = draw(13); /* all lengths of grams, and sets that have only long texts */

		for (size_t k = 0; k < n; k++) {
			char text[80], room[200];
			struct folded f;

			do {
				f = folded_of(text, draw_text(text, least + 3, draw(4), false), room);
			} while (f.n < least);
			list[k] = (struct needle){.text = arena_copy(a, f.text, f.n), .n = f.n, .kind = (uint8_t)draw(4)};
			if (f.n == 0)
				list[k].kind = NEEDLE_EQUAL;
			alone[k] = literal_of(&list[k], a);
		}
		struct needles *s = needles_new(a, list, n);

		for (int q = 0; q < 60; q++) {
			char value[300], room[500] = ""; /* what lies behind a text is read, and means nothing */
			struct seen seen = {{false}};
			const struct needle *in = &list[draw((uint32_t)n)]; /* chance alone would not find the long ones */
			size_t bytes = draw_text(value, 20, draw(2), false);
			struct folded f;
			bool any = false;

			memcpy(value + bytes, in->text, in->n);
			f = folded_of(value, bytes + in->n + draw_text(value + bytes + in->n, draw(2) * 10, draw(2), false), room);

			value_index_make(&index, f.text, f.n);
			f.index = q % 2 ? &index : NULL;
			needles_find(s, &f, on_found, &seen);
			for (size_t k = 0; k < n; k++) {
				any = any || seen.found[k];
				held += seen.found[k];
				if (seen.found[k] != literal_holds(&alone[k], &f))
					fail_msg("needle '%s' of kind %d, value '%s'", list[k].text, list[k].kind, value);
			}
			assert_int_equal(needles_find(s, &f, stop, NULL), any);
			assert_true(!any || f.n >= needles_least(s));
		}
		arena_reset(a);
	}
	assert_true(held > 10000);
	value_index_free(&index);
	arena_free(a);
}

/* What is there once, what is there too often to be followed, and what is only nearly there; one index for long and short values. */
static void index_of_repeated_texts(void **state)
{
	struct value_index index = {0};
	size_t answers[VALUE_MAY_HAVE + 1] = {0};

	(void)state;
	drawn = 4;
	for (int i = 0; i < 20000; i++) {
		char unit[80], part[80], value[6000];
		size_t n = draw_text(unit, 12, draw(2), false), k = draw_text(part, 6, draw(2), false), len = 0;
		enum value_has has;

		if (n > 0 && draw(2)) { /* from it */
			size_t at = draw((uint32_t)n);

			k = 1 + draw((uint32_t)(n - at));
			memcpy(part, unit + at, k);
		}
		for (uint32_t times = draw(2) ? 1 : draw(60); times > 0; times--, len += n)
			memcpy(value + len, unit, n);
		value_index_make(&index, value, len);
		has = value_index_ask(&index, part, k);
		answers[has] += k >= VALUE_INDEX_LEAST;
		if (has != VALUE_MAY_HAVE)
			assert_int_equal(has == VALUE_HAS, memmem(value, len, part, k) != NULL);
	}
	assert_true(answers[VALUE_HAS] > 100 && answers[VALUE_LACKS] > 100 && answers[VALUE_MAY_HAVE] > 100);
	value_index_free(&index);
}

static void numbers_and_presence(void **state)
{
	const struct needle list[] = {{.kind = NEEDLE_NUMBER, .number = 23}, {.kind = NEEDLE_NUMBER, .number = UINT64_MAX},
		{.kind = NEEDLE_PRESENT}};
	static const struct { const char *value; bool small, large; } rows[] = {
		{"23", true, false}, {"0x17", true, false}, {" 23 ", true, false}, {"-23", false, false}, {"24", false, false}, {"", false, false},
		{"18446744073709551615", false, true}, {"23.0", true, false},
		{"                  \t                    23   \r\n                                 ", true, false},
		{"                                         ", false, false}, {"23.5", false, false},
	};
	struct arena *a = arena_new(4096);
	const struct needles *s = needles_new(a, list, 3);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char room[100];
		struct folded f = folded_of(rows[i].value, strlen(rows[i].value), room);
		struct seen seen = {{false}};

		needles_find(s, &f, on_found, &seen);
		assert_int_equal(seen.found[0], rows[i].small);
		assert_int_equal(seen.found[1], rows[i].large);
		assert_true(seen.found[2]);
	}
	arena_free(a);
}

static void folding_of_texts(void **state)
{
	(void)state;
	drawn = 3;
	for (int i = 0; i < 50000; i++) {
		char text[400], room[700];
		size_t n = draw_text(text, 60, draw(2), false), at = 0, step;
		struct folded f = folded_of(text, n, room);
		bool high = false;

		for (size_t k = 0; k < n; k += step) {
			char one[4];
			size_t bytes = fold_put(one, fold_next(text + k, n - k, &step, false));

			high = high || (unsigned char)text[k] > 127;
			assert_true(at + bytes <= f.n);
			assert_memory_equal(one, f.text + at, bytes);
			at += bytes;
		}
		assert_int_equal(at, f.n);
		assert_int_equal(f.high, high);
		assert_int_equal(f.trimmed, fold_trim(f.text, f.n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_patterns), cmocka_unit_test(many_needles_are_each_alone),
		cmocka_unit_test(index_of_repeated_texts), cmocka_unit_test(numbers_and_presence),
		cmocka_unit_test(folding_of_texts),
	};

	return cmocka_run_group_tests_name("needles", tests, NULL, NULL);
}
