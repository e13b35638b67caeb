/* regex.c - regular expressions by PCRE2: the second opinion on the program's own. Also `windash`, whose definition is one.
 *
 * Promises what the specification asks: an unanchored search, case counts unless `i`, $ at the end or before a final line feed, . without
 * line feed unless `s`, classes like \d in ASCII. A search that PCRE2 gives up (its limit of steps) is counted: its answer is none. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naive/inside.h"

struct nv_regex {
	pcre2_code *code;
	pcre2_match_data *data;
};

static struct nv_regex *compile(const char *s, uint32_t flags, char why[static 200])
{
	struct nv_regex *r;
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);
	int error;
	PCRE2_SIZE at;
	pcre2_code *code;

	pcre2_set_newline(c, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)s, PCRE2_ZERO_TERMINATED, PCRE2_UTF | flags, &error, &at, c);
	pcre2_compile_context_free(c);
	if (!code) {
		char text[120];

		pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
		snprintf(why, 200, "the regular expression is wrong at %zu: %s", (size_t)at, text);
		return NULL;
	}
	if (!getenv("EVMEND_TEST_WRAP")) /* valgrind doubts the code that it makes */
		pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it the interpreter runs */
	r = xcalloc(1, sizeof *r);
	r->code = code;
	r->data = pcre2_match_data_create(1, NULL);
	return r;
}

/* What the specification leaves out: look-around, back-references, named and atomic groups, possessive, properties, conditions. */
static const char *forbidden(const char *s)
{
	bool in_class = false;

	for (; *s; s++) {
		if (*s == '\\') {
			s++;
			if (!*s)
				return NULL;
			if (strchr("123456789", *s) && !in_class)
				return "back-reference";
			if (strchr("kgpPXRKGQCNc", *s))
				return "this escape";
			continue;
		}
		if (in_class) {
			in_class = *s != ']';
			continue;
		}
		if (*s == '[') {
			in_class = true;
			s += s[1] == '^';
			s += s[1] == ']';
		} else if (*s == '(' && s[1] == '?') {
			s += 2 + strspn(s + 2, "imsx-");
			if (*s != ':' && *s != ')')
				return "this kind of group";
		} else if (*s == '(' && s[1] == '*') {
			return "this kind of group";
		} else if (strchr("*+?}", *s) && s[1] == '+') {
			return "possessive repetition";
		}
	}
	return NULL;
}

struct nv_regex *nv_regex_new(const char *s, bool i, bool m, bool dot, char why[static 200])
{
	const char *bad = forbidden(s);

	if (bad) {
		snprintf(why, 200, "a regular expression with %s", bad);
		return NULL;
	}
	return compile(s, (i ? PCRE2_CASELESS : 0) | (m ? PCRE2_MULTILINE : 0) | (dot ? PCRE2_DOTALL : 0), why);
}

void nv_regex_free(struct nv_regex *r)
{
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
	free(r);
}

bool nv_regex_holds(struct nv_regex *r, const char *s, size_t n, size_t *gave_up)
{
	/* not PCRE2_MATCH_INVALID_UTF: values are UTF-8, and with that flag the JIT of 10.42 misses S1\\W in "S1\xC3\x9F" */
	int got = pcre2_match(r->code, (PCRE2_SPTR)s, n, 0, 0, r->data, NULL);

	if (got == PCRE2_ERROR_JIT_STACKLIMIT)
		got = pcre2_match(r->code, (PCRE2_SPTR)s, n, 0, PCRE2_NO_JIT, r->data, NULL);
	if (got == PCRE2_ERROR_MATCHLIMIT || got == PCRE2_ERROR_DEPTHLIMIT || got == PCRE2_ERROR_HEAPLIMIT)
		++*gave_up;
	else if (got < 0 && got != PCRE2_ERROR_NOMATCH)
		die("PCRE2 cannot search a value: error %d", got);
	return got >= 0;
}

static void windash_run(uint32_t *at, size_t n)
{
	struct buf text;
	char why[200];
	struct nv_regex *r = compile("\\B[-/]\\b", PCRE2_UCP, why);
	struct nv_chars run = {.at = at, .n = n};
	size_t from = 0;

	buf_init(&text, 1u << 20);
	nv_chars_utf8(&run, &text);
	while (r && pcre2_match(r->code, (PCRE2_SPTR)buf_text(&text), text.n, from, 0, r->data, NULL) >= 0) {
		size_t found = pcre2_get_ovector_pointer(r->data)[0], k = 0;

		for (size_t i = 0; i < found; i++)
			k += ((unsigned char)text.p[i] & 0xC0) != 0x80;
		at[k] = DASH;
		from = found + 1;
	}
	if (r)
		nv_regex_free(r);
	buf_free(&text);
}

void nv_windash(struct nv_chars *c)
{
	size_t from = 0;

	for (size_t i = 0; i <= c->n; i++) {
		if (i < c->n && c->at[i] < ANY)
			continue;
		if (i > from)
			windash_run(c->at + from, i - from);
		from = i + 1;
	}
}
