/* yaml.c - YAML files as a tree that knows its places, with libyaml's events.
 *
 * Promises: text stays text (who reads the tree decides what 12 or yes means); every refusal names file, line, column.
 * A byte order mark of UTF-8 is skipped.
 * Refuses: UTF-16, duplicate keys, anchors, aliases, tags, keys that are not scalars, NUL in text, depth above LIMIT_DEPTH, files
 * above LIMIT_YAML_BYTES: what they would add is surprise, and an alias is how a small file becomes a large tree. */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/file.h"
#include "limits.h"

struct reading {
	struct yaml_file *file;
	yaml_parser_t parser;
	const char *text;
	size_t n;
	struct err *err;
};

/* Nodes of one list or map while it is read; then copied into the arena. */
struct growing {
	struct yaml_node **list;
	size_t n, cap;
};

static void grow(struct growing *g, struct yaml_node *node)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 8;
		g->list = xrealloc(g->list, g->cap, sizeof(struct yaml_node *));
	}
	g->list[g->n++] = node;
}

static int complain(const struct reading *r, yaml_mark_t at, const char *what)
{
	return err_set(r->err, ERR_USAGE, "%s:%zu:%zu: %s", r->file->path, at.line + 1, at.column + 1, what);
}

static int parser_error(const struct reading *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "is not valid YAML";
	yaml_mark_t at = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR)
		die("out of memory while reading %s", r->file->path);
	if (p->error == YAML_READER_ERROR) {
		/* The reader counts bytes only. */
		at = (yaml_mark_t){ 0 };
		for (size_t i = 0; i < p->problem_offset && i < r->n; i++) {
			at.column++;
			if (r->text[i] == '\n') {
				at.line++;
				at.column = 0;
			}
		}
	}
	if (!p->context)
		return complain(r, at, problem);
	return err_set(r->err, ERR_USAGE, "%s:%zu:%zu: %s (%s that starts at line %zu)", r->file->path, at.line + 1,
		       at.column + 1, problem, p->context, p->context_mark.line + 1);
}

static int next_event(struct reading *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? 0 : parser_error(r);
}

static struct yaml_node *node_new(struct reading *r, enum yaml_kind kind, yaml_mark_t at)
{
	struct yaml_node *node = arena_alloc(r->file->arena, sizeof *node);

	node->kind = kind;
	node->line = (int)at.line + 1;
	node->column = (int)at.column + 1;
	return node;
}

static struct yaml_node **keep(struct reading *r, const struct growing *g)
{
	struct yaml_node **list = arena_alloc(r->file->arena, g->n * sizeof *list);

	if (g->n)
		memcpy(list, g->list, g->n * sizeof *list);
	return list;
}

/* What makes a node refused, or NULL. A tag of the schema itself is not in the event. */
static const char *unwanted(const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return "an alias (*name) is refused: write the value again";
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		if (memchr(e->data.scalar.value, '\0', e->data.scalar.length))
			return "a NUL character in text is refused";
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return "an anchor (&name) is refused: write the value where it is used";
	return tag ? "a tag (!name) is refused" : NULL;
}

static struct yaml_node *read_node(struct reading *r, const yaml_event_t *first, int depth);

static struct yaml_node *read_scalar(struct reading *r, const yaml_event_t *e)
{
	struct yaml_node *node = node_new(r, YAML_SCALAR, e->start_mark);

	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->len = e->data.scalar.length;
	node->text = arena_copy(r->file->arena, (const char *)e->data.scalar.value, node->len);
	return node;
}

/* The nodes up to the event that ends them, in the order of the text. */
static int read_many(struct reading *r, yaml_event_type_t end, struct growing *g, int depth)
{
	for (;;) {
		struct yaml_node *node;
		yaml_event_t event;
		bool over;

		if (next_event(r, &event) < 0)
			return -1;
		over = event.type == end;
		node = over ? NULL : read_node(r, &event, depth);
		yaml_event_delete(&event);
		if (over)
			return 0;
		if (!node)
			return -1;
		grow(g, node);
	}
}

static int by_text(const void *a, const void *b)
{
	const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int check_keys(struct reading *r, const struct yaml_node *map)
{
	struct yaml_node **sorted;
	int result = 0;

	for (size_t i = 0; i < map->n; i++)
		if (map->keys[i]->kind != YAML_SCALAR)
			return yaml_err(r->file, map->keys[i], r->err, ERR_USAGE, "a key must be text, not a list or a map");
	if (map->n < 2)
		return 0;
	sorted = xcalloc(map->n, sizeof(struct yaml_node *));
	memcpy(sorted, map->keys, map->n * sizeof(struct yaml_node *));
	qsort(sorted, map->n, sizeof(struct yaml_node *), by_text);
	for (size_t i = 1; i < map->n && result == 0; i++)
		if (strcmp(sorted[i]->text, sorted[i - 1]->text) == 0)
			result = yaml_err(r->file, sorted[i], r->err, ERR_USAGE, "the key '%s' is already on line %d",
					  sorted[i]->text, sorted[i - 1]->line);
	free(sorted);
	return result;
}

static struct yaml_node *read_list(struct reading *r, const yaml_event_t *first, int depth)
{
	struct yaml_node *node = node_new(r, YAML_LIST, first->start_mark);
	struct growing g = { 0 };
	int result = read_many(r, YAML_SEQUENCE_END_EVENT, &g, depth);

	node->n = g.n;
	node->items = keep(r, &g);
	free(g.list);
	return result == 0 ? node : NULL;
}

static struct yaml_node *read_map(struct reading *r, const yaml_event_t *first, int depth)
{
	struct yaml_node *node = node_new(r, YAML_MAP, first->start_mark);
	struct growing both = { 0 }, keys = { 0 }, values = { 0 };
	int result = read_many(r, YAML_MAPPING_END_EVENT, &both, depth);

	for (size_t i = 0; i < both.n; i++)
		grow(i % 2 ? &values : &keys, both.list[i]);
	node->n = values.n;
	node->keys = keep(r, &keys);
	node->items = keep(r, &values);
	free(both.list);
	free(keys.list);
	free(values.list);
	if (result == 0)
		result = check_keys(r, node);
	return result == 0 ? node : NULL;
}

/* NULL: refused, and the error is set. */
static struct yaml_node *read_node(struct reading *r, const yaml_event_t *first, int depth)
{
	const char *why = unwanted(first);

	if (!why && depth >= LIMIT_DEPTH)
		why = "is nested too deep";
	if (why) {
		complain(r, first->start_mark, why);
		return NULL;
	}
	switch (first->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, first);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r, first, depth + 1);
	case YAML_MAPPING_START_EVENT:
		return read_map(r, first, depth + 1);
	default:
		complain(r, first->start_mark, "is not understood");
		return NULL;
	}
}

static int read_document(struct reading *r, struct growing *documents)
{
	struct yaml_node *node;
	yaml_event_t event;

	if (next_event(r, &event) < 0)
		return -1;
	node = read_node(r, &event, 0);
	yaml_event_delete(&event);
	if (!node)
		return -1;
	grow(documents, node->kind == YAML_SCALAR && node->plain && node->len == 0 ? NULL : node);
	if (next_event(r, &event) < 0) /* the end of the document */
		return -1;
	yaml_event_delete(&event);
	return 0;
}

static int read_stream(struct reading *r, struct growing *documents)
{
	for (;;) {
		yaml_event_type_t type;
		yaml_event_t event;

		if (next_event(r, &event) < 0)
			return -1;
		type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type == YAML_DOCUMENT_START_EVENT && read_document(r, documents) < 0)
			return -1;
	}
}

/* Editors on Windows save UTF-16, with a mark or, ASCII being ASCII, with every other byte zero. */
static bool is_utf16(const char *text, size_t n)
{
	return n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 || !text[0] != !text[1]);
}

struct yaml_file *yaml_parse(const char *name, const char *text, size_t n, struct err *e)
{
	struct yaml_file *f = xcalloc(1, sizeof *f);
	struct reading r = { .file = f, .text = text, .n = n, .err = e };
	struct growing documents = { 0 };
	int result = -1;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		r.text = text += 3; /* the mark of UTF-8, which the same editors write */
		r.n = n -= 3;
	}
	f->path = xstrdup(name);
	f->arena = arena_new(16384);
	if (n > LIMIT_YAML_BYTES) {
		err_set(e, ERR_USAGE, "%s: has %zu bytes; at most %u are read", name, n, LIMIT_YAML_BYTES);
	} else if (is_utf16(text, n)) {
		err_set(e, ERR_USAGE, "%s:1:1: is UTF-16; save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)", name);
	} else {
		if (!yaml_parser_initialize(&r.parser))
			die("out of memory while reading %s", name);
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
		yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
		result = read_stream(&r, &documents);
		yaml_parser_delete(&r.parser);
	}
	f->n = documents.n;
	f->documents = keep(&r, &documents);
	free(documents.list);
	if (result == 0)
		return f;
	yaml_free(f);
	return NULL;
}

struct yaml_file *yaml_read(const char *path, struct err *e)
{
	struct yaml_file *f = NULL;
	struct buf text;

	buf_init(&text, LIMIT_YAML_BYTES);
	if (file_read(&os_file, path, &text, e) == 0)
		f = yaml_parse(path, buf_text(&text), text.n, e);
	buf_free(&text);
	return f;
}

void yaml_free(struct yaml_file *f)
{
	if (!f)
		return;
	arena_free(f->arena);
	free(f->path);
	free(f);
}

const char *yaml_library(void)
{
	return yaml_get_version_string();
}
