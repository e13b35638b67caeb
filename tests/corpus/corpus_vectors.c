/* corpus_vectors.c - how strings are parsed, by the examples that the reference implementation printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/corpus.h"
#include "base/arena.h"
#include "rules/pattern.h"

/* "['L:a\\b', '*']" as marks and characters; marks are those of rules/pattern.h. */
static size_t expected(const char *p, uint32_t to[static 256])
{
	size_t n = 0;

	while ((p = strchr(p, '\''))) {
		p++;
		if (strncmp(p, "L:", 2) != 0) {
			to[n++] = *p == '*' ? PATTERN_ANY : PATTERN_ONE;
			p += 2;
			continue;
		}
		for (p += 2; *p && *p != '\''; p++) {
			p += *p == '\\';
			to[n++] = (unsigned char)*p;
		}
		p++;
	}
	return n;
}

/* Two ANY in a row say what one says. */
static bool same(const uint32_t *a, size_t an, const uint32_t *b, size_t bn, uint32_t any)
{
	size_t i = 0, k = 0;

	for (; i < an && k < bn; i++, k++) {
		while (a[i] == any && i + 1 < an && a[i + 1] == any)
			i++;
		while (b[k] == any && k + 1 < bn && b[k + 1] == any)
			k++;
		if (a[i] != b[k])
			return false;
	}
	return i == an && k == bn;
}

static bool same_naive(const char *s, size_t len, const uint32_t *want, size_t n)
{
	uint32_t is[256];
	size_t count = naive_string(s, len, is);

	for (size_t i = 0; i < count; i++)
		is[i] = is[i] == NAIVE_ANY ? PATTERN_ANY : is[i] == NAIVE_ONE ? PATTERN_ONE : is[i];
	return same(is, count, want, n, PATTERN_ANY);
}

void check_vectors(struct corpus *c)
{
	struct arena *a = arena_new(1u << 16);
	size_t n = 0, engine = 0, naive = 0;
	char path[4096], *save;
	struct buf b;

	snprintf(path, sizeof path, "%s/reference/string-vectors.txt", c->folder);
	must_read(path, &b);
	for (char *line = strtok_r(b.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *arrow = strstr(line, " -> [");
		uint32_t want[256];
		size_t count, len;
		struct pattern p;

		if (!arrow)
			continue;
		for (len = (size_t)(arrow - line); len && line[len - 1] == ' '; len--)
			;
		count = expected(arrow, want);
		pattern_make(&p, a, line, len, PATTERN_CASED);
		n++;
		if (!same(p.tokens, p.n, want, count, PATTERN_ANY))
			printf("       the engine parses %.*s in another way\n", (int)len, line);
		else
			engine++;
		if (!same_naive(line, len, want, count))
			printf("       the naive evaluator parses %.*s in another way\n", (int)len, line);
		else
			naive++;
	}
	say(c, n && engine == n && naive == n, "strings as the reference parses them", "%zu; the engine %zu, the naive evaluator %zu", n, engine,
		naive);
	buf_free(&b);
	arena_free(a);
}
