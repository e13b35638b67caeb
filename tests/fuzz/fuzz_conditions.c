/* fuzz_conditions.c - a text as the condition over five selections, against a truth table.
 *
 * Why: a condition that is read wrongly turns a rule into another one.
 * Promises: aborts when the loader takes a condition that is none or refuses one that is right, and when a rule holds for another
 * set of selections than a reader of its own, written here, works out: a condition becomes 32 bits, one for each set.
 * Refuses: deep nesting, which has a limit that the reader here does not know.
 * First byte odd: the bytes behind it choose on the way through the grammar; even: text as it stands. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "lib/fuzz.h"

#define NAMES 5
#define DEEP 30

static const char *const names[NAMES] = {"a", "b", "c_1", "c_2", "_d"};
static const uint32_t columns[NAMES] = {0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000};
static const char rule[] = "title: t\nid: 6a2b4a1e-0c0f-4f2a-9b57-2d9a3c1e0001\nlogsource: {product: windows, service: system}\ndetection:\n"
	"    a: {A: x}\n    b: {B|contains: x}\n    c_1: {C|startswith: x}\n    c_2: {D: [x, z]}\n    _d: {E|endswith: x}\n    condition: ";
static const char *const some_of[] = {"1 of c_*", "all of them", "2 of *", "any of _*", "all of c_*", "1 of b", "3 of them", "0 of *"};

struct reader {
	const char *p;
	char word[64]; /* the next; "" at the end */
	bool wrong;
};

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.*-", c));
}

static void next(struct reader *r)
{
	size_t n = 0;

	while (*r->p == ' ')
		r->p++;
	while (in_word(r->p[n]))
		n++;
	if (n == 0 && *r->p)
		n = 1;
	snprintf(r->word, sizeof r->word, "%.*s", (int)n, r->p);
	r->p += n;
}

static bool glob(const char *pattern, const char *name)
{
	if (*pattern == '*')
		return glob(pattern + 1, name) || (*name && glob(pattern, name + 1));
	return *pattern == *name && (!*name || glob(pattern + 1, name + 1));
}

static uint32_t bad(struct reader *r)
{
	r->wrong = true;
	r->p = "";
	r->word[0] = '\0';
	return 0;
}

/* `least of r->word`; 0: all. */
static uint32_t some(struct reader *r, unsigned long least)
{
	bool them = text_same(r->word, "them");
	uint32_t picked[NAMES], holds = 0;
	size_t n = 0;

	if (!in_word(r->word[0]))
		return bad(r);
	for (size_t i = 0; i < NAMES; i++)
		if (them ? names[i][0] != '_' : glob(r->word, names[i]) && (r->word[0] == '_' || names[i][0] != '_'))
			picked[n++] = columns[i];
	if (n == 0 || least > n)
		return bad(r);
	for (unsigned row = 0; row < 32; row++) {
		size_t yes = 0;

		for (size_t i = 0; i < n; i++)
			yes += picked[i] >> row & 1;
		holds |= (uint32_t)(yes >= (least ? least : n)) << row;
	}
	next(r);
	return holds;
}

static uint32_t any_of(struct reader *r);

static uint32_t one_of(struct reader *r)
{
	char word[sizeof r->word];
	uint32_t v;

	if (text_same(r->word, "not")) {
		next(r);
		return ~one_of(r);
	}
	if (r->word[0] == '(') {
		next(r);
		v = any_of(r);
		if (r->word[0] != ')')
			return bad(r);
		next(r);
		return v;
	}
	memcpy(word, r->word, sizeof word);
	next(r);
	if (text_same(r->word, "of") && (text_same(word, "all") || text_same(word, "any") ||
	    (strspn(word, "0123456789") == strlen(word) && strtoul(word, NULL, 10) > 0))) {
		next(r);
		return some(r, text_same(word, "all") ? 0 : text_same(word, "any") ? 1 : strtoul(word, NULL, 10));
	}
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i], word) == 0)
			return columns[i];
	return bad(r);
}

static uint32_t all_of(struct reader *r)
{
	uint32_t v = one_of(r);

	while (text_same(r->word, "and")) {
		bool wrong = PLANTED(r->word[0] == 'A');

		next(r);
		v = wrong ? v | one_of(r) : v & one_of(r);
	}
	return v;
}

static uint32_t any_of(struct reader *r)
{
	uint32_t v = all_of(r);

	while (text_same(r->word, "or")) {
		bool wrong = PLANTED(r->word[0] == 'O');

		next(r);
		v = wrong ? v & all_of(r) : v | all_of(r);
	}
	return v;
}

/* A condition by its grammar; nearly all of these are right. */
static void grow(const uint8_t **p, const uint8_t *end, int depth, struct buf *to)
{
	static const char *const ands[] = {" and ", " AND "}, *const ors[] = {" or ", " Or "};
	uint8_t b = *p < end ? *(*p)++ : 0, pick = b >> 3;

	if (depth > 5 || b % 8 < 3) {
		buf_str(to, names[pick % NAMES]);
	} else if (b % 8 == 3) {
		buf_str(to, some_of[pick % 8]);
	} else if (b % 8 == 4) {
		buf_str(to, "not ");
		grow(p, end, depth + 1, to);
	} else {
		buf_str(to, b % 8 == 5 ? "(" : "");
		grow(p, end, depth + 1, to);
		buf_str(to, b % 8 == 6 ? ands[pick & 1] : ors[pick & 1]);
		grow(p, end, depth + 1, to);
		buf_str(to, b % 8 == 5 ? ")" : "");
	}
}

static void condition_of(const uint8_t *data, size_t size, struct buf *to)
{
	const uint8_t *p = data + 1;

	if (data[0] & 1) {
		grow(&p, data + size, 0, to);
		return;
	}
	for (size_t i = 1; i < size; i++)
		buf_char(to, data[i] > 0x20 && data[i] < 0x7f ? (char)data[i] : ' ');
}

static bool is_deep(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '(' || tolower((unsigned char)*s) == 'n';
	return n > DEEP;
}

/* The bits for which the engine's rule holds. */
static uint32_t asked(const struct ruleset *rs)
{
	static const char *const fields[NAMES] = {"A", "B", "C", "D", "E"};
	struct matcher *m = matcher_new(rs);
	uint32_t holds = 0;

	for (unsigned row = 0; row < 32; row++) {
		struct event_field f[NAMES];
		struct event ev = {.provider = "P", .channel = "System", .computer = "c", .event_id = 1, .fields = f, .n = NAMES, .raw = "", .source = "-"};
		const uint32_t *hits;

		for (size_t i = 0; i < NAMES; i++)
			f[i] = (struct event_field){.name = fields[i], .value = row >> i & 1 ? "x" : "y", .len = 1,
				.id = names_find(ruleset_names(rs), fields[i], 1)};
		holds |= (uint32_t)matcher_run(m, &ev, &hits) << row;
	}
	matcher_free(m);
	return holds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text, yaml;
	struct reader r = {.wrong = false};
	uint32_t want, got;
	struct ruleset *rs;

	buf_init(&text, 1u << 16);
	buf_init(&yaml, 1u << 17);
	if (size > 0 && size < 400)
		condition_of(data, size, &text);
	buf_printf(&yaml, "%s'", rule);
	for (size_t i = 0; i < text.n; i++)
		buf_printf(&yaml, text.p[i] == '\'' ? "''" : "%c", text.p[i]);
	buf_str(&yaml, "'\n");
	r.p = buf_text(&text);
	if (!is_deep(r.p)) {
		next(&r);
		want = any_of(&r);
		r.wrong = r.wrong || r.word[0];
		rs = fuzz_rules(buf_text(&yaml), yaml.n, false, NULL, NULL);
		if (r.wrong != (ruleset_count(rs) == 0))
			fuzz_wrong("'%s' is %s", buf_text(&text), r.wrong ? "no condition and was loaded" : "a condition and was refused");
		got = r.wrong ? 0 : asked(rs);
		if (!r.wrong && got != want)
			fuzz_wrong("'%s' holds for %08x and should for %08x", buf_text(&text), got, want);
		ruleset_free(rs);
	}
	buf_free(&text);
	buf_free(&yaml);
	return 0;
}
