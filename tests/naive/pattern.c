/* pattern.c - strings of Sigma: escapes, wildcards, case, and what it means that a value matches.
 *
 * Promises the table of examples in the specification, character for character. A pattern is parts with ANY between them; every part is
 * looked for as far left as it stands, which is enough because a part has a fixed number of characters. */
#include <string.h>

#include "base/text.h"
#include "naive/fold_table.h"
#include "naive/inside.h"

static uint32_t next_char(const char *s, size_t n, size_t *step)
{
	uint32_t c;

	*step = utf8_step(s, n, &c);
	if (*step)
		return c;
	*step = 1;
	return 0xD800u | (unsigned char)*s; /* a byte that is no character equals only itself */
}

static size_t put_char(uint32_t c, char to[static 4])
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c >= 0xD800 && c < 0xD900) {
		to[0] = (char)(c & 0xFF);
		return 1;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3F));
		to[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3F));
	to[2] = (char)(0x80 | (c >> 6 & 0x3F));
	to[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

struct nv_chars nv_chars_of(struct arena *a, const char *s, size_t n)
{
	struct nv_chars c = {.at = arena_alloc(a, (n + 3) * sizeof *c.at)}; /* two more: `contains` */
	size_t step;

	for (size_t i = 0; i < n; i += step)
		c.at[c.n++] = next_char(s + i, n - i, &step);
	return c;
}

struct nv_chars nv_chars_sigma(struct arena *a, const char *s, size_t n)
{
	struct nv_chars from = nv_chars_of(a, s, n), to = {.at = arena_alloc(a, (n + 3) * sizeof *to.at)};

	for (size_t i = 0; i < from.n; i++) {
		uint32_t c = from.at[i], next = i + 1 < from.n ? from.at[i + 1] : 0;

		if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
			to.at[to.n++] = next;
			i++;
		} else {
			to.at[to.n++] = c == '*' ? ANY : c == '?' ? ONE : c;
		}
	}
	return to;
}

size_t naive_string(const char *s, size_t n, uint32_t *to)
{
	struct arena *a = arena_new(4096);
	struct nv_chars c = nv_chars_sigma(a, s, n);

	for (size_t i = 0; i < c.n; i++)
		to[i] = c.at[i];
	arena_free(a);
	return c.n;
}

bool nv_chars_wild(const struct nv_chars *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->at[i] == ANY || c->at[i] == ONE)
			return true;
	return false;
}

void nv_chars_utf8(const struct nv_chars *c, struct buf *to)
{
	char bytes[4];

	for (size_t i = 0; i < c->n; i++)
		buf_add(to, bytes, put_char(c->at[i], bytes));
}

uint32_t nv_fold_char(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	for (size_t i = 0; i < sizeof fold_rows / sizeof fold_rows[0] && fold_rows[i].first <= c; i++)
		if (c <= fold_rows[i].last && (c - fold_rows[i].first) % fold_rows[i].step == 0)
			return (uint32_t)((int32_t)c + fold_rows[i].add);
	return c;
}

char *nv_fold_text(struct arena *a, const char *s, size_t n, size_t *to_n)
{
	char *to = arena_alloc(a, n * 3 + 5);
	size_t k = 0, step;

	for (size_t i = 0; i < n; i += step) {
		if ((unsigned char)s[i] < 0x80) {
			to[k++] = (char)nv_fold_char((unsigned char)s[i]);
			step = 1;
			continue;
		}
		k += put_char(nv_fold_char(next_char(s + i, n - i, &step)), to + k);
	}
	*to_n = k;
	return to;
}

static bool blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct nv_part part_of(struct arena *a, const uint32_t *at, size_t n, bool cased)
{
	uint32_t *copy = arena_alloc(a, (n + 1) * sizeof *copy);
	char *bytes = arena_alloc(a, n * 4 + 1);
	struct nv_part p = {.at = copy, .n = n, .bytes = bytes};

	for (size_t i = 0; i < n; i++) {
		copy[i] = cased || at[i] >= ANY ? at[i] : nv_fold_char(at[i]);
		if (at[i] >= ANY)
			p.bytes = NULL;
		else
			p.len += put_char(copy[i], bytes + p.len);
	}
	return p;
}

struct nv_pattern nv_pattern_of(struct arena *a, const struct nv_chars *c, bool cased)
{
	struct nv_part *parts = arena_alloc(a, (c->n + 1) * sizeof *parts);
	struct nv_pattern p = {.parts = parts, .blank_end = c->n && blank(c->at[c->n - 1])};
	size_t from = 0;

	for (size_t i = 0; i <= c->n; i++) {
		if (i < c->n && c->at[i] != ANY)
			continue;
		parts[p.n_parts++] = part_of(a, c->at + from, i - from, cased);
		from = i + 1;
	}
	return p;
}

static bool is_dash(uint32_t c)
{
	return c == '-' || c == '/' || c == 0x2013 || c == 0x2014 || c == 0x2015;
}

/* Bytes that the part takes at s, -1 when it does not stand there. */
static ptrdiff_t part_at(const struct nv_part *p, const char *s, size_t n)
{
	size_t at = 0, step;

	if (p->bytes)
		return n >= p->len && memcmp(s, p->bytes, p->len) == 0 ? (ptrdiff_t)p->len : -1;
	for (size_t i = 0; i < p->n; i++, at += step) {
		uint32_t c;

		if (at == n)
			return -1;
		c = next_char(s + at, n - at, &step);
		if (p->at[i] != ONE && !(p->at[i] == DASH && is_dash(c)) && p->at[i] != c)
			return -1;
	}
	return (ptrdiff_t)at;
}

/* The same, for the first place where it stands; *behind is where it ends. */
static bool part_in(const struct nv_part *p, const char *s, size_t n, size_t *behind)
{
	size_t step;

	if (p->bytes) {
		const char *found = p->len ? memmem(s, n, p->bytes, p->len) : s;

		if (!found)
			return false;
		*behind = (size_t)(found - s) + p->len;
		return true;
	}
	for (size_t i = 0; i <= n; i += step) {
		ptrdiff_t len = part_at(p, s + i, n - i);

		if (len >= 0) {
			*behind = i + (size_t)len;
			return true;
		}
		step = 1;
		if (i < n)
			next_char(s + i, n - i, &step);
	}
	return false;
}

size_t nv_step_back(const char *s, size_t n)
{
	uint32_t c;

	for (size_t back = 1; back <= 4 && back <= n; back++)
		if (utf8_step(s + n - back, back, &c) == back)
			return back;
	return 1; /* a byte that is no character */
}

static bool part_ends(const struct nv_part *p, const char *s, size_t n)
{
	size_t at = n;

	if (p->bytes)
		return n >= p->len && memcmp(s + n - p->len, p->bytes, p->len) == 0;
	for (size_t i = 0; i < p->n; i++) {
		if (at == 0)
			return false;
		at -= nv_step_back(s, at);
	}
	return part_at(p, s + at, n - at) == (ptrdiff_t)(n - at);
}

static bool matches(const struct nv_pattern *p, const char *s, size_t n)
{
	ptrdiff_t first = part_at(&p->parts[0], s, n);
	size_t at;

	if (first < 0)
		return false;
	if (p->n_parts == 1)
		return (size_t)first == n;
	at = (size_t)first;
	for (size_t i = 1; i + 1 < p->n_parts; i++) {
		size_t behind;

		if (!part_in(&p->parts[i], s + at, n - at, &behind))
			return false;
		at += behind;
	}
	return part_ends(&p->parts[p->n_parts - 1], s + at, n - at);
}

bool nv_pattern_holds(const struct nv_pattern *p, const struct nv_value *v, bool cased)
{
	bool open_end = p->n_parts > 1 && p->parts[p->n_parts - 1].n == 0, raw = p->blank_end || open_end;

	if (cased)
		return matches(p, v->raw, raw ? v->n : v->trim);
	return matches(p, v->folded, raw ? v->n_folded : v->trim_folded);
}

bool nv_glob(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return nv_glob(pattern + 1, text) || (*text && nv_glob(pattern, text + 1));
	return *pattern == *text && nv_glob(pattern + 1, text + 1);
}
