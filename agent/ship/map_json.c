/* map_json.c - rows as JSON.
 *
 * Why: ECS and OCSF nest, and their tables are easier to check when a row names the whole path. Promises one object for each name, so that no
 * key comes twice, and none that is empty. Refuses nothing. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ship/mapping.h"

static size_t parent_len(const char *to)
{
	const char *dot = strrchr(to, '.');

	return dot ? (size_t)(dot - to) + 1 : 0;
}

/* How much of both stands in the same objects. */
static size_t common_len(const char *a, const char *b)
{
	size_t n = parent_len(a), m = parent_len(b), same = 0;

	for (size_t i = 0; i < n && i < m && a[i] == b[i]; i++)
		if (a[i] == '.')
			same = i + 1;
	return same;
}

/* Leaves the objects of one row and enters those of the next; "" is the outermost. Returns the last part of its name. */
static const char *enter(struct json_out *o, const char *from, const char *to)
{
	size_t same = common_len(from, to), n = parent_len(to);

	for (size_t i = same; i < parent_len(from); i++)
		if (from[i] == '.')
			json_close(o, '}');
	while (same < n) {
		size_t len = strcspn(to + same, ".");
		char key[64];

		memcpy(key, to + same, len);
		key[len] = '\0';
		json_open(o, key, '{');
		same += len + 1;
	}
	return to + n;
}

static void put_words(struct json_out *o, const char *key, const char *s, size_t n)
{
	json_open(o, key, '[');
	while (n) {
		const char *comma = memchr(s, ',', n);
		size_t len = comma ? (size_t)(comma - s) : n;

		json_put_strn(o, NULL, s, len);
		len += comma ? 1 : 0;
		s += len;
		n -= len;
	}
	json_close(o, ']');
}

static void put_list(struct json_out *o, const char *key, const struct map_row *r, const struct map_value *v, struct map_room *room)
{
	size_t count = json_len(v->list), n;

	json_open(o, key, '[');
	for (size_t i = 0; i < count && i < room->items; i++) {
		const char *s = map_item(v->list, i, r->limit, room, &n);

		json_put_strn(o, NULL, s, n);
	}
	room->cut = room->cut || count > room->items;
	json_close(o, ']');
}

/* A tree as a text: what is under it has no names that a receiver could map. */
static void put_as_text(struct json_out *o, const char *key, const struct map_row *r, const struct json *j, struct map_room *room)
{
	struct json_out inner;
	struct buf b;

	buf_init(&b, 8u << 20);
	json_begin(&inner, &b);
	json_put(&inner, NULL, j);
	json_put_strn(o, key, buf_text(&b), map_cut(buf_text(&b), b.n, r->limit, room));
	buf_free(&b);
}

static void put_value(struct json_out *o, const char *key, const struct map_row *r, const struct map_value *v, struct map_room *room)
{
	if (v->found == FOUND_INT)
		json_put_int(o, key, v->i);
	else if (v->found == FOUND_BOOL)
		json_put_bool(o, key, v->i != 0);
	else if (v->found == FOUND_LIST && r->as == AS_JSON)
		put_as_text(o, key, r, v->list, room);
	else if (v->found == FOUND_LIST && r->as == AS_TREE)
		map_tree(o, key, v->list, room);
	else if (v->found == FOUND_LIST)
		put_list(o, key, r, v, room);
	else if (r->as == AS_WORDS)
		put_words(o, key, v->s, v->n);
	else if (r->as == AS_LIST) {
		json_open(o, key, '[');
		json_put_strn(o, NULL, v->s, v->n);
		json_close(o, ']');
	} else
		json_put_strn(o, key, v->s, v->n);
}

void map_json(const struct facts *f, const struct map_row *rows, size_t n, struct map_room *room, struct json_out *o)
{
	const char *at = "";
	struct map_value v;

	for (size_t i = 0; i < n; i++) {
		const struct map_row *r = &rows[i];
		const char *key;

		if (r->own) {
			if (!(r->kinds & 1u << f->v->record->kind) || (room->core && !r->core) || !r->own(f, r, room, NULL, NULL))
				continue;
		} else {
			map_value(f, r, room, &v);
			if (v.found == FOUND_NOTHING)
				continue;
		}
		key = enter(o, at, r->to);
		at = r->to;
		if (r->own)
			r->own(f, r, room, o, key);
		else
			put_value(o, key, r, &v, room);
	}
	enter(o, at, "");
}

struct tree {
	struct json_out *o;
	struct map_room *room;
	size_t left;
};

static int put_member(void *arg, const char *key, const struct json *j)
{
	struct tree *t = arg;

	if (t->left == 0) {
		t->room->cut = true;
		return 1;
	}
	t->left--;
	map_tree(t->o, key, j, t->room);
	return 0;
}

void map_tree(struct json_out *o, const char *key, const struct json *j, struct map_room *room)
{
	struct tree t = { o, room, room->items };

	if (json_is_object(j)) {
		json_open(o, key, '{');
		json_each(j, put_member, &t);
		json_close(o, '}');
	} else if (json_is_array(j)) {
		json_open(o, key, '[');
		for (size_t i = 0; i < json_len(j) && i < room->items; i++)
			map_tree(o, NULL, json_at(j, i), room);
		room->cut = room->cut || json_len(j) > room->items;
		json_close(o, ']');
	} else if (json_is_string(j)) {
		const char *s = json_str(j, "");

		json_put_strn(o, key, s, map_cut(s, strlen(s), 0, room));
	} else {
		json_put(o, key, j);
	}
}

struct label_out {
	const struct facts *f;
	struct json_out *o;
	struct map_room *room;
};

static int put_label(void *arg, const char *name, const char *value)
{
	struct label_out *l = arg;
	char key[128];

	text_copy(key, sizeof key, name);
	for (char *s = key; *s; s++)
		*s = *s == '.' ? '_' : *s; /* a dot would make an object of it */
	if (strcmp(key, name) != 0 && view_label(l->f->v, l->f->sink->labels, l->f->sink->n_labels, key))
		return 0; /* there is one of that name */
	json_put_strn(l->o, key, value, map_cut(value, strlen(value), 0, l->room));
	return 0;
}

bool map_labels(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	struct label_out l = { f, o, room };

	(void)r;
	if (o) {
		json_open(o, key, '{');
		view_labels(f->v, f->sink->labels, f->sink->n_labels, put_label, &l);
		json_close(o, '}');
	}
	return f->v->labels || f->sink->n_labels;
}

bool map_truncated(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)f, (void)r;
	if (o)
		json_put_bool(o, key, true);
	return room->cut;
}
