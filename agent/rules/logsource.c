/* logsource.c - the logsource table.
 *
 * Why: what "process_creation" means is knowledge that changes; it stands in rules/logsources.yml, where anybody can read it.
 * Promises: a product, service or category stands for a list of sources, any of which may hold.
 * Refuses: unknown keys, lists that are empty, ids that are no numbers, each with file and line. */
#include "rules/logsource.h"

#include <string.h>

#include "base/text.h"
#include "event/derived.h"

struct entry {
	const char *name, *product;
	struct log_set set;
};

struct table {
	struct entry *entries;
	const char **names; /* ends with NULL */
	size_t n;
};

struct logsources {
	struct table products, services, categories;
};

static bool read_ids(struct loader *l, const struct yaml_node *n, struct log_source *s)
{
	size_t many = n->kind == YAML_LIST ? n->n : 1;
	uint32_t *ids = arena_alloc(l->arena, (many + 1) * sizeof *ids);

	for (size_t i = 0; i < many; i++) {
		const struct yaml_node *one = n->kind == YAML_LIST ? n->items[i] : n;
		int64_t v;

		if (one->kind != YAML_SCALAR || !text_int(one->text, one->len, &v) || v < 0 || v > UINT32_MAX)
			return refuse(l, one, "event_ids must be numbers");
		ids[i] = (uint32_t)v;
	}
	s->ids = ids;
	s->n_ids = many;
	return true;
}

static bool read_where(struct loader *l, const struct yaml_node *n, struct log_source *s)
{
	if (n->kind != YAML_MAP)
		return refuse(l, n, "where must be a map of fields and values");
	struct log_where *w = arena_alloc(l->arena, (n->n + 1) * sizeof *w);

	for (size_t i = 0; i < n->n; i++) {
		w[i].field = field_id(l, n->keys[i], n->keys[i]->text);
		if (w[i].field == 0 || !texts(l, n->items[i], n->keys[i]->text, &w[i].values, &w[i].n))
			return false;
	}
	s->where = w;
	s->n_where = n->n;
	return true;
}

static bool read_renames(struct loader *l, const struct yaml_node *n, struct log_source *s)
{
	if (n->kind != YAML_MAP)
		return refuse(l, n, "rename must be a map: name in rules: name in the event");
	struct log_rename *r = arena_alloc(l->arena, (n->n + 1) * sizeof *r);

	for (size_t i = 0; i < n->n; i++) {
		r[i] = (struct log_rename){keep(l, n->keys[i]), keep(l, n->items[i])};
		if (!*r[i].to || !field_id(l, n->items[i], r[i].to))
			return refuse(l, n->items[i], "rename must be a map: name in rules: name in the event");
	}
	s->renames = r;
	s->n_renames = n->n;
	return true;
}

/* {of: Field, words: {value: word}} */
static bool read_words(struct loader *l, const struct yaml_node *n, struct derived *d)
{
	static const char *const keys[] = {"of", "words", NULL};
	const struct yaml_node *of = yaml_get(n, "of"), *words = yaml_get(n, "words");

	if (!only_keys(l, n, "a derived field", keys))
		return false;
	if (!of || of->kind != YAML_SCALAR || !words || words->kind != YAML_MAP)
		return refuse(l, n, "a derived field is a text, a list of texts, or {of: FIELD, words: {value: word}}");
	const char **pairs = arena_alloc(l->arena, (2 * words->n + 1) * sizeof *pairs);

	for (size_t i = 0; i < words->n; i++) {
		pairs[2 * i] = keep(l, words->keys[i]);
		pairs[2 * i + 1] = keep(l, words->items[i]);
	}
	d->of = keep(l, of);
	d->words = pairs;
	d->n_words = words->n;
	return true;
}

/* Needs the channels and event ids of the source: event/ makes these fields, for one channel and id at a time. */
static bool read_derived(struct loader *l, const struct yaml_node *n, const struct log_source *s)
{
	if (n->kind != YAML_MAP || s->n_channels == 0 || s->n_ids == 0)
		return refuse(l, n, "derive must be a map, name: text, in a source with channels and event_ids");
	for (size_t i = 0; i < n->n; i++) {
		struct derived d = {.name = keep(l, n->keys[i])};
		const struct yaml_node *v = n->items[i];

		if (v->kind == YAML_MAP ? !read_words(l, v, &d) : !texts(l, v, d.name, &d.texts, &d.n_texts))
			return false;
		for (size_t c = 0; c < s->n_channels * s->n_ids; c++) {
			d.channel = s->channels[c / s->n_ids];
			d.event_id = s->ids[c % s->n_ids];
			names_derive(l->names, &d);
		}
	}
	return true;
}

static const char *const source_keys[] = {"channels", "providers", "not_providers", "event_ids", "where", "rename", "derive", NULL};

static bool read_source(struct loader *l, const struct yaml_node *n, struct log_source *s)
{
	const struct yaml_node *v;

	if (!only_keys(l, n, "a source", source_keys))
		return false;
	if ((v = yaml_get(n, "channels")) && !texts(l, v, "channels", &s->channels, &s->n_channels))
		return false;
	if ((v = yaml_get(n, "providers")) && !texts(l, v, "providers", &s->providers, &s->n_providers))
		return false;
	if ((v = yaml_get(n, "not_providers")) && !texts(l, v, "not_providers", &s->not_providers, &s->n_not_providers))
		return false;
	if ((v = yaml_get(n, "event_ids")) && !read_ids(l, v, s))
		return false;
	if ((v = yaml_get(n, "where")) && !read_where(l, v, s))
		return false;
	if ((v = yaml_get(n, "rename")) && !read_renames(l, v, s))
		return false;
	return !(v = yaml_get(n, "derive")) || read_derived(l, v, s);
}

static const char *const entry_keys[] = {"product", "sources", "reason", NULL};

static bool read_entry(struct loader *l, const struct yaml_node *n, struct entry *to)
{
	const struct yaml_node *sources = yaml_get(n, "sources");

	if (!only_keys(l, n, "an entry", entry_keys))
		return false;
	to->product = yaml_get(n, "product") ? keep(l, yaml_get(n, "product")) : NULL;
	if (!sources || sources->kind != YAML_LIST)
		return refuse(l, n, "'%s' needs a list of sources (which may be empty: no source)", to->name);
	struct log_source *list = arena_alloc(l->arena, (sources->n + 1) * sizeof *list);

	for (size_t i = 0; i < sources->n; i++)
		if (!read_source(l, sources->items[i], &list[i]))
			return false;
	to->set = (struct log_set){list, sources->n, keep(l, yaml_get(n, "reason"))};
	if (sources->n == 0 && !*to->set.reason)
		return refuse(l, n, "'%s' has no sources; say why with 'reason'", to->name);
	return true;
}

static bool read_table(struct loader *l, const struct yaml_node *n, const char *what, struct table *t)
{
	if (!n || n->kind != YAML_MAP)
		return refuse(l, n, "%s must be a map of names", what);
	t->entries = arena_alloc(l->arena, (n->n + 1) * sizeof *t->entries);
	t->names = arena_alloc(l->arena, (n->n + 1) * sizeof *t->names);
	for (size_t i = 0; i < n->n; i++) {
		t->entries[i].name = t->names[i] = keep(l, n->keys[i]);
		if (!read_entry(l, n->items[i], &t->entries[i]))
			return false;
	}
	t->n = n->n;
	return true;
}

static const char *const top_keys[] = {"products", "services", "categories", NULL};

struct logsources *logsources_load(struct loader *l, const char *path, struct err *e)
{
	struct yaml_file *f = yaml_read(path, e);
	struct logsources *t = arena_alloc(l->arena, sizeof *t);
	const struct yaml_node *top;
	bool good;

	if (!f)
		return NULL;
	l->file = f;
	l->path = arena_copy(l->arena, path, strlen(path));
	top = f->n > 0 ? f->documents[0] : NULL;
	good = top && only_keys(l, top, "the logsource table", top_keys) &&
	       read_table(l, yaml_get(top, "products"), "products", &t->products) &&
	       read_table(l, yaml_get(top, "services"), "services", &t->services) &&
	       read_table(l, yaml_get(top, "categories"), "categories", &t->categories);
	l->file = NULL;
	yaml_free(f);
	if (!good)
		err_set(e, ERR_RULES, "%s is no usable logsource table; without it no rule knows its events", path);
	return good ? t : NULL;
}

static const struct log_set *look_up(const struct table *t, const char *product, const char *name, const char **nearest)
{
	*nearest = NULL;
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *en = &t->entries[i];

		if (text_same(en->name, name) && (!product || !en->product || text_same(en->product, product)))
			return &en->set;
	}
	*nearest = text_nearest(name, t->names);
	return NULL;
}

const struct log_set *logsource_product(const struct logsources *t, const char *name, const char **nearest)
{
	return look_up(&t->products, NULL, name, nearest);
}

const struct log_set *logsource_service(const struct logsources *t, const char *product, const char *name, const char **nearest)
{
	return look_up(&t->services, product, name, nearest);
}

const struct log_set *logsource_category(const struct logsources *t, const char *product, const char *name, const char **nearest)
{
	return look_up(&t->categories, product, name, nearest);
}

static bool one_of(const char *value, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_same(value, list[i]))
			return true;
	return false;
}

static bool where_holds(const struct log_where *w, const struct event *ev)
{
	const struct event_field *f;
	size_t at = 0;

	while ((f = event_next(ev, w->field, &at)))
		for (size_t i = 0; i < w->n; i++)
			if (text_same_n(f->value, f->len, w->values[i], strlen(w->values[i])))
				return true;
	return false;
}

bool log_source_holds(const struct log_source *s, const struct event *ev)
{
	bool id = s->n_ids == 0;

	for (size_t i = 0; i < s->n_ids && !id; i++)
		id = s->ids[i] == ev->event_id;
	if (!id || (s->n_channels && !one_of(ev->channel, s->channels, s->n_channels)))
		return false;
	if ((s->n_providers && !one_of(ev->provider, s->providers, s->n_providers)) ||
	    one_of(ev->provider, s->not_providers, s->n_not_providers))
		return false;
	for (size_t i = 0; i < s->n_where; i++)
		if (!where_holds(&s->where[i], ev))
			return false;
	return true;
}

int32_t log_set_holds(const struct log_set *set, const struct event *ev)
{
	for (size_t i = 0; i < set->n; i++)
		if (log_source_holds(&set->sources[i], ev))
			return (int32_t)i;
	return -1;
}
