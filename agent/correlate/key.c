/* key.c - group keys.
 *
 * Why: Windows names differ in case from event to event; a group must not.
 * Promises: values that are equal after case folding give equal keys, others give different ones.
 * Refuses: matches that lack one of the fields. */
#include "correlate/key.h"

#include <string.h>

#include "base/text.h"
#include "rules/fold.h"

static size_t put_utf8(char *to, uint32_t c)
{
	if (c >= 0x110000) { /* a byte that was no UTF-8 */
		to[0] = (char)(c - 0x110000);
		return 1;
	}
	if (c < 0x80) {
		to[0] = c == 0x1f ? ' ' : (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)(lead[n] | c);
	return n;
}

bool group_key(const struct ruleset *rs, const struct rule *r, const struct correlation *corr, const struct match *m,
	char key[static KEY_BYTES])
{
	size_t k = 0, step;

	for (size_t g = 0; g < corr->n_group_by; g++) {
		const char *field = ruleset_group_field(rs, r, g, m->rule);
		const char *v = text_same(field, "host") ? m->host : match_value(m, field);
		size_t n = v ? strlen(v) : 0;

		if (!v || (text_same(field, "host") && n == 0))
			return false;
		if (g > 0)
			key[k++] = '\x1f';
		for (size_t i = 0; i < n && k + 8 < KEY_BYTES; i += step)
			k += put_utf8(key + k, fold_next(v + i, n - i, &step, false));
	}
	key[k] = '\0';
	return true;
}
