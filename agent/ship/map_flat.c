/* map_flat.c - rows as pairs on one line: CEF, LEEF, structured data.
 *
 * Why: they differ in four small texts and in what they escape. Promises one line, whatever stands in a value. Refuses nothing. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ship/mapping.h"

void map_line(struct buf *to, const char *s, size_t n, const char *escaped)
{
	size_t start = 0, step;

	for (size_t i = 0; i < n; i += step) {
		uint32_t c;
		bool control;

		step = utf8_step(s + i, n - i, &c);
		control = !step || c < 32 || (c >= 127 && c < 160) || c == 0x2028 || c == 0x2029;
		step = step ? step : 1;
		if (!control && (c > 127 || !strchr(escaped, (int)c)))
			continue;
		buf_add(to, s + start, i - start);
		if (control)
			buf_char(to, ' ');
		else
			buf_char(to, '\\');
		start = control ? i + step : i;
	}
	buf_add(to, s + start, n - start);
}

void map_pair(const struct map_flat *how, const char *key, const char *s, size_t n, struct buf *to)
{
	if (!n)
		return;
	buf_str(to, how->before);
	buf_str(to, key);
	buf_str(to, how->equals);
	how->text(to, s, n);
	buf_str(to, how->after);
}

static void put_list(const struct map_flat *how, const struct map_row *r, const struct json *list, struct map_room *room, struct buf *to)
{
	size_t count = json_len(list), n;

	buf_str(to, how->before);
	buf_str(to, r->to);
	buf_str(to, how->equals);
	for (size_t i = 0; i < count && i < room->items; i++) {
		const char *s = map_item(list, i, r->limit, room, &n);

		if (i)
			buf_char(to, ',');
		how->text(to, s, n);
	}
	room->cut = room->cut || count > room->items;
	buf_str(to, how->after);
}

static void put_row(const struct map_flat *how, const struct map_row *r, const struct map_value *v, struct map_room *room, struct buf *to)
{
	char digits[24], key[40];

	if (v->found == FOUND_LIST)
		put_list(how, r, v->list, room, to);
	else if (v->found == FOUND_TEXT)
		map_pair(how, r->to, v->s, v->n, to);
	else
		map_pair(how, r->to, digits, text_decimal(digits, v->i), to);
	if (!r->label)
		return;
	text_copy(key, sizeof key - 5, r->to);
	memcpy(key + strlen(key), "Label", 6);
	map_pair(how, key, r->label, strlen(r->label), to);
}

struct label_out {
	const struct map_flat *how;
	struct map_room *room;
	struct buf *to;
};

static bool in_name(char c, const char *also)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(also, c);
}

static bool is_key(const struct map_flat *how, const char *key)
{
	for (size_t i = 0; i < how->n; i++)
		if (!strcmp(how->rows[i].to, key))
			return true;
	return false;
}

static int put_label(void *arg, const char *name, const char *value)
{
	struct label_out *l = arg;
	char key[64];
	size_t n = strlen(text_copy(key, sizeof key, l->how->label)), first = n;

	for (const char *s = name; *s && n < 31; s++)
		if (in_name(*s, l->how->also))
			key[n++] = *s;
	key[n] = '\0';
	if (n == first)
		return 0;
	if (is_key(l->how, key))
		memcpy(key + n, "_", 2); /* a label does not pass for what the record says */
	map_pair(l->how, key, value, map_cut(value, strlen(value), 0, l->room), l->to);
	return 0;
}

void map_pairs(const struct facts *f, const struct map_flat *how, struct map_room *room, struct buf *to)
{
	struct label_out l = { how, room, to };

	for (size_t i = 0; i < how->n; i++) {
		struct map_value v;

		map_value(f, &how->rows[i], room, &v);
		if (v.found != FOUND_NOTHING)
			put_row(how, &how->rows[i], &v, room, to);
	}
	if (!room->core)
		view_labels(f->v, f->sink->labels, f->sink->n_labels, put_label, &l);
}
