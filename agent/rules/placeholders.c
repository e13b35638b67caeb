/* placeholders.c - lists of one's own in rules of others.
 *
 * Why: who the administrators are, a rule from the internet cannot know; it says %Administrators% (Sigma specification, "expand").
 * Promises: a placeholder stands for any one of its values, in which wildcards count.
 * Refuses: names that are not defined: the rule would be another one. */
#include "rules/placeholders.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "limits.h"

static struct placeholder *find(const struct placeholders *p, const char *name, size_t n)
{
	for (size_t i = 0; p && i < p->n; i++)
		if (strlen(p->list[i].name) == n && memcmp(p->list[i].name, name, n) == 0)
			return &p->list[i];
	return NULL;
}

void placeholders_add(struct placeholders *p, struct loader *l)
{
	const struct yaml_node *top = l->file->n ? l->file->documents[0] : NULL;

	if (!top)
		return;
	if (top->kind != YAML_MAP || l->file->n > 1) {
		refuse(l, top, "placeholders are one map, such as 'Administrators: [alice, svc-*]'");
		return;
	}
	for (size_t i = 0; i < top->n; i++) {
		struct placeholder new = {.name = keep(l, top->keys[i])}, *old;

		if (!*new.name || strchr(new.name, '%'))
			refuse(l, top->keys[i], "a placeholder's name is a text without percent signs");
		else if (!texts(l, top->items[i], new.name, &new.values, &new.n))
			continue;
		else if ((old = find(p, new.name, strlen(new.name))))
			*old = new;
		else {
			if (p->n == p->cap) {
				p->cap = p->cap ? 2 * p->cap : 16;
				p->list = xrealloc(p->list, p->cap, sizeof *p->list);
			}
			p->list[p->n++] = new;
		}
	}
}

/* Does "%name%" stand at p? A name is a word: "50% of 60%" has none. */
static bool stands(const char *p, const char *end, size_t *name_len)
{
	const char *at = p + 1;

	*name_len = 0;
	if (*p != '%')
		return false;
	while (at < end && (isalnum((unsigned char)*at) || *at == '_' || *at == '-' || *at == '.'))
		at++;
	if (at == end || *at != '%')
		return false;
	*name_len = (size_t)(at - p - 1);
	return *name_len > 0;
}

/* "a%b%c" as its next piece: text, with \% undone, or a placeholder. */
struct piece {
	struct buf text;
	const struct placeholder *names; /* NULL: text */
};

static bool next_piece(struct loader *l, const struct yaml_node *value, const char **at, struct piece *to)
{
	const char *end = value->text + value->len, *p = *at;
	size_t n;

	to->names = NULL;
	buf_reset(&to->text);
	if (stands(p, end, &n)) {
		*at = p + n + 2;
		to->names = find(l->placeholders, p + 1, n);
		return to->names ||
		       refuse(l, value, "placeholder '%.*s' is not defined; write it as '%.*s: [value, ...]' in placeholders.yml beside the rules",
			       (int)n, p + 1, (int)n, p + 1);
	}
	do {
		if (p[0] == '\\' && p + 1 < end && p[1] == '%')
			p++;
		else if (p[0] == '\\' && p + 1 < end) /* an escape stays whole */
			buf_char(&to->text, *p++);
		buf_char(&to->text, *p++);
	} while (p < end && !stands(p, end, &n));
	*at = p;
	return true;
}

/* A backslash at the end must not take away the meaning of what comes behind it. */
static void add_value(struct buf *to, const char *value)
{
	size_t n = strlen(value), slashes = 0;

	buf_str(to, value);
	while (slashes < n && value[n - 1 - slashes] == '\\')
		slashes++;
	if (slashes % 2)
		buf_char(to, '\\');
}

static struct raw_text *append(struct loader *l, const struct raw_text *to, size_t *count, const struct piece *piece)
{
	size_t many = piece->names ? piece->names->n : 1, n = *count;
	struct raw_text *all = arena_alloc(l->arena, n * many * sizeof *all);
	struct buf b;

	buf_init(&b, LIMIT_YAML_BYTES);
	for (size_t i = 0; i < n * many; i++) {
		buf_reset(&b);
		buf_add(&b, to[i / many].text, to[i / many].n);
		if (piece->names)
			add_value(&b, piece->names->values[i % many]);
		else
			buf_add(&b, piece->text.p, piece->text.n);
		all[i] = (struct raw_text){arena_copy(l->arena, buf_text(&b), b.n), b.n};
	}
	buf_free(&b);
	*count = n * many;
	return all;
}

/* Is there room for what this piece makes of the texts so far? */
static bool room(struct loader *l, const struct yaml_node *value, const struct piece *piece, size_t count, size_t placeholders)
{
	size_t many = piece->names ? piece->names->n : 1;

	if (placeholders > LIMIT_PLACEHOLDERS)
		return refuse(l, value, "a value may have %d placeholders at most", LIMIT_PLACEHOLDERS);
	if (count * many > LIMIT_EXPANSION || count * many * value->len > LIMIT_EXPANSION_BYTES)
		return refuse(l, value, "the placeholders make more than %d values of this one, or too long ones; write fewer in one value",
			LIMIT_EXPANSION);
	return true;
}

const struct raw_text *placeholders_expand(struct loader *l, const struct yaml_node *value, size_t *count)
{
	struct raw_text *all = arena_alloc(l->arena, sizeof *all);
	const char *at = value->text, *end = at + value->len;
	struct piece piece = {.names = NULL};
	size_t placeholders = 0;
	bool good = true;

	*all = (struct raw_text){"", 0};
	*count = 1;
	buf_init(&piece.text, LIMIT_YAML_BYTES);
	while (good && at < end) {
		good = next_piece(l, value, &at, &piece);
		placeholders += piece.names != NULL;
		good = good && room(l, value, &piece, *count, placeholders);
		if (good)
			all = append(l, all, count, &piece);
	}
	buf_free(&piece.text);
	if (good && placeholders == 0)
		warn_at(l, value, "'expand' changes nothing: the value has no %%placeholder%%");
	return good ? all : NULL;
}
