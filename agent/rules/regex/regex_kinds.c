/* regex_kinds.c - kinds of characters.
 *
 * Why: an expression asks few questions of a character; those that it cannot tell apart share one number and one column.
 * Promises: one look into a table of bytes for ASCII, a search through a short list for all else.
 * Refuses: expressions that tell more than LIMIT_REGEX_KINDS kinds apart. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/regex/regex_parser.h"

struct stretch {
	uint32_t from;
	int kind;
};

static int by_character(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Where any set begins or ends. */
static struct stretch *cut(struct arena *temp, const struct chars *const *sets, size_t n_sets, size_t *n)
{
	size_t most = 2, k = 0, m = 0;
	struct stretch *s;

	for (size_t i = 0; i < n_sets; i++)
		most += 2 * sets[i]->n;
	s = arena_alloc(temp, most * sizeof *s);
	s[k++].from = 0;
	s[k++].from = 0x80;
	for (size_t i = 0; i < n_sets; i++) {
		for (size_t r = 0; r < sets[i]->n; r++) {
			s[k++].from = sets[i]->r[r].from;
			if (sets[i]->r[r].to < CHAR_DAMAGED)
				s[k++].from = sets[i]->r[r].to + 1;
		}
	}
	qsort(s, k, sizeof s[0], by_character);
	for (size_t i = 1; i < k; i++)
		if (s[i].from != s[m].from)
			s[++m] = s[i];
	*n = m + 1;
	return s;
}

/* Tells inside and outside of the set apart. false: too many kinds. */
static bool tell_apart(struct stretch *s, size_t n, const struct chars *set, size_t *kinds)
{
	int as[LIMIT_REGEX_KINDS][2], known = 0;
	size_t r = 0;

	memset(as, -1, sizeof as);
	for (size_t i = 0; i < n; i++) {
		while (r < set->n && set->r[r].to < s[i].from)
			r++;
		bool inside = r < set->n && set->r[r].from <= s[i].from;
		int *to = &as[s[i].kind][inside];

		if (*to < 0) {
			if (known == LIMIT_REGEX_KINDS)
				return false;
			*to = known++;
		}
		s[i].kind = *to;
	}
	*kinds = (size_t)known;
	return true;
}

static void fill(struct arena *a, const struct stretch *s, size_t n, struct kinds *to)
{
	struct kinds_above *above = arena_alloc(a, n * sizeof *above);
	size_t at = 0;

	for (uint32_t c = 0; c < 0x80; c++) {
		while (at + 1 < n && s[at + 1].from <= c)
			at++;
		to->of_byte[c] = (uint8_t)s[at].kind;
	}
	for (at = 0; at < n; at++)
		if (s[at].from >= 0x80 && (to->n_above == 0 || above[to->n_above - 1].kind != s[at].kind))
			above[to->n_above++] = (struct kinds_above){s[at].from, (uint8_t)s[at].kind};
	to->above = above;
	memset(to->of_byte + 0x80, KIND_LOOK, 0x80);
}

bool regex_kinds(struct arena *a, struct arena *temp, const struct regex_tree *t, struct kinds *to, uint32_t *sample, struct err *e)
{
	const struct chars *sets[LIMIT_REGEX_SETS + 2];
	struct chars word = {0}, line = {0};
	struct stretch *s;
	size_t n, n_sets = t->n;

	memcpy(sets, t->chars, t->n * sizeof sets[0]);
	if (t->near) {
		regex_word(temp, &word);
		chars_add(temp, &line, '\n', '\n');
		sets[n_sets++] = &word;
		sets[n_sets++] = &line;
	}
	*to = (struct kinds){.n = 1};
	s = cut(temp, sets, n_sets, &n);
	for (size_t i = 0; i < n_sets; i++) {
		if (!tell_apart(s, n, sets[i], &to->n)) {
			err_set(e, ERR_RULES, "regular expression: it tells more than %d kinds of characters apart; write several shorter ones",
				LIMIT_REGEX_KINDS);
			return false;
		}
	}
	fill(a, s, n, to);
	for (size_t i = n; i-- > 0;) {
		int k = s[i].kind;
		bool is_word = t->near && chars_have(&word, s[i].from), is_line = t->near && s[i].from == '\n';

		sample[k] = s[i].from;
		to->before[k] = is_word ? BEFORE_WORD : is_line ? BEFORE_LINE : BEFORE_OTHER;
		to->behind[k] = is_word ? BEHIND_WORD : is_line ? BEHIND_LINE : BEHIND_OTHER;
	}
	return true;
}

uint8_t kind_of(const struct kinds *k, const char *s, size_t n, size_t *step)
{
	size_t low = 0, high = k->n_above;
	uint32_t c;

	*step = utf8_step(s, n, &c);
	if (*step == 0) {
		*step = 1;
		c = CHAR_DAMAGED;
	}
	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (k->above[mid].from <= c)
			low = mid;
		else
			high = mid;
	}
	return k->above[low].kind;
}
