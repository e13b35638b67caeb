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
	return utf8_put(to, c == 0x1f ? ' ' : c);
}

struct key_slots key_slots_of(const struct ruleset *rs, const struct rule *correlation, const char *const *names, size_t n,
	const struct rule *of)
{
	struct key_slots s = {.n = (uint16_t)n};
	const char *const *wanted;
	size_t many = ruleset_wanted(rs, of, &wanted), at;

	for (size_t i = 0; i < n; i++) {
		const char *field = ruleset_alias(rs, correlation, names[i], of);

		for (at = 0; at < many && !text_same(wanted[at], field);)
			at++;
		s.slot[i] = text_same(field, "host") ? -1 : (int16_t)at;
	}
	return s;
}

static size_t put_value(const char *v, char *to, size_t room)
{
	size_t n = 0, step;
	const char *end = v + strlen(v);

	while (v < end && n + 8 < room)
		if ((unsigned char)*v < 0x80) {
			char c = *v++;

			to[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == 0x1f ? ' ' : c;
		} else {
			n += put_utf8(to + n, fold_next(v, (size_t)(end - v), &step, false));
			v += step;
		}
	return n;
}

size_t key_of(const struct key_slots *s, const struct match *m, char key[static KEY_BYTES])
{
	size_t k = 0;

	for (size_t i = 0; i < s->n; i++) {
		const char *v = s->slot[i] < 0 ? m->host : (size_t)s->slot[i] < m->origin->n ? match_slot(m, (size_t)s->slot[i]) : NULL;

		if (!v || (s->slot[i] < 0 && !*v))
			return SIZE_MAX;
		if (i > 0)
			key[k++] = '\x1f';
		k += put_value(v, key + k, KEY_BYTES - k);
	}
	key[k] = '\0';
	return k;
}
