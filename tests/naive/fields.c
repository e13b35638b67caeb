/* fields.c - the values that a field name has in an event.
 *
 * Payload wins over System but for EventID, Provider_Name and Computer; the exact spelling wins over another case; names for positional
 * data and the two members that 4688 does not have under any name are added. Every value is folded once for each event. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "naive/inside.h"

uint32_t nv_name_id(struct naive *n, const char *text)
{
	struct nv_name *x;
	uint32_t id = (uint32_t)n->n_names;

	for (uint32_t i = 0; i < n->n_names; i++)
		if (n->names[i].computed == COMPUTED_NONE && strcmp(n->names[i].text, text) == 0)
			return i;
	x = MORE(n->names, n->n_names);
	*x = (struct nv_name){.text = arena_copy(n->arena, text, strlen(text))};
	for (int r = 0; r < N_RENAMES; r++) {
		enum computed computed;
		const char *to = nv_source_rename((enum renames)r, text, &computed);

		n->names[id].as[r] = id;
		if (computed) {
			n->names[id].as[r] = (uint32_t)n->n_names;
			x = MORE(n->names, n->n_names);
			*x = (struct nv_name){.text = to, .computed = computed};
		} else if (strcmp(to, text) != 0) {
			uint32_t other = nv_name_id(n, to);

			n->names[id].as[r] = other;
		}
	}
	return id;
}

static size_t trimmed(const char *s, size_t n)
{
	while (n && strchr(" \t\r\n", s[n - 1]) && s[n - 1])
		n--;
	return n;
}

static void value_make(struct naive *n, struct nv_value *v, const char *text, size_t len)
{
	v->raw = text;
	v->n = len;
	v->trim = trimmed(text, len);
	v->folded = nv_fold_text(n->event_arena, text, len, &v->n_folded);
	v->trim_folded = trimmed(v->folded, v->n_folded);
}

void naive_event(struct naive *n, const struct event *ev)
{
	n->ev = ev;
	n->stamp++;
	n->n_values = ev->n;
	arena_reset(n->event_arena);
	if (ev->n > n->cap_values) {
		n->cap_values = ev->n;
		n->values = xrealloc(n->values, n->cap_values, sizeof *n->values);
	}
	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		n->values[i] = (struct nv_value){.name = f->name, .system = f->system, .derived = f->derived};
		value_make(n, &n->values[i], f->value, f->len);
	}
}

static void add(struct nv_name *x, const struct nv_value *v)
{
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 4;
		x->values = xrealloc(x->values, x->cap, sizeof *x->values);
	}
	x->values[x->n++] = v;
}

static void add_named(struct naive *n, struct nv_name *x, const char *text)
{
	bool fixed = text_same(text, "EventID") || text_same(text, "Provider_Name") || text_same(text, "Computer");
	bool exact = false, payload = false;

	for (size_t i = 0; i < n->n_values; i++)
		exact = exact || strcmp(n->values[i].name, text) == 0;
	for (size_t i = 0; i < n->n_values; i++)
		if (exact ? strcmp(n->values[i].name, text) == 0 : text_same(n->values[i].name, text))
			payload = payload || !n->values[i].system;
	for (size_t i = 0; i < n->n_values; i++) {
		const struct nv_value *v = &n->values[i];

		if (!(exact ? strcmp(v->name, text) == 0 : text_same(v->name, text)))
			continue;
		if (fixed ? v->system : v->system != payload)
			add(x, v);
	}
}

/* -- 4688: User and IntegrityLevel -- */

static const char *first_of(const struct naive *n, const char *name)
{
	for (size_t i = 0; i < n->n_values; i++)
		if (!n->values[i].system && text_same(n->values[i].name, name))
			return n->values[i].raw;
	return NULL;
}

static void add_text(struct naive *n, struct nv_name *x, const char *text)
{
	struct nv_value *v = arena_alloc(n->event_arena, sizeof *v);

	v->name = x->text;
	value_make(n, v, text, strlen(text));
	add(x, v);
}

static bool told(const char *s)
{
	return s && *s && strcmp(s, "-") != 0;
}

/* Target where it is told, else Subject; a user without a domain is none. */
static void add_user(struct naive *n, struct nv_name *x)
{
	static const char *const names[][2] = {{"TargetUserName", "TargetDomainName"}, {"SubjectUserName", "SubjectDomainName"}};

	for (int i = 0; i < 2; i++) {
		const char *user = first_of(n, names[i][0]), *domain = first_of(n, names[i][1]);

		if (!told(user) || !told(domain))
			continue;
		add_text(n, x, arena_printf(n->event_arena, "%s\\%s", domain, user));
		return;
	}
}

static void add_integrity(struct naive *n, struct nv_name *x)
{
	static const char *const levels[][2] = {{"S-1-16-0", "Untrusted"}, {"S-1-16-4096", "Low"}, {"S-1-16-8192", "Medium"},
		{"S-1-16-8448", "Medium Plus"}, {"S-1-16-12288", "High"}, {"S-1-16-16384", "System"}};

	for (size_t i = 0; i < n->n_values; i++) {
		const struct nv_value *v = &n->values[i];

		if (v->system || !text_same(v->name, "MandatoryLabel"))
			continue;
		add(x, v); /* rules list both spellings, or one */
		for (size_t k = 0; k < 6; k++)
			if (text_same(levels[k][0], v->raw))
				add_text(n, x, levels[k][1]);
	}
}

/* -- names of the project -- */

static bool computer_part(struct naive *n, struct nv_name *x)
{
	const char *computer = n->ev->computer;
	size_t label = strcspn(computer, ".");

	if (text_same(x->text, "ComputerLabel")) {
		if (label)
			add_text(n, x, arena_copy(n->event_arena, computer, label));
		return true;
	}
	if (text_same(x->text, "ComputerDomain")) {
		if (computer[label] && computer[label + 1])
			add_text(n, x, computer + label + 1);
		return true;
	}
	return false;
}

static bool lists_id(const char *ids, uint32_t id)
{
	for (const char *p = ids; *p; p += strcspn(p, ","), p += *p == ',')
		if (strtoul(p, NULL, 10) == id)
			return true;
	return false;
}

static const char *position_in(const struct naive *n, const struct yaml_node *doc, const char *name)
{
	const struct yaml_node *providers = yaml_get(doc, "provider"), *events = yaml_get(doc, "events");
	bool mine = false;

	for (size_t i = 0; i < MANY(providers); i++)
		mine = mine || text_same(NTH(providers, i)->text, n->ev->provider);
	for (size_t i = 0; mine && events && i < events->n; i++)
		for (size_t k = 0; lists_id(events->keys[i]->text, n->ev->event_id) && k < events->items[i]->n; k++)
			if (text_same(events->items[i]->keys[k]->text, name))
				return events->items[i]->items[k]->text;
	return NULL;
}

void nv_positions_read(struct naive *n, const char *folder)
{
	DIR *d = opendir(folder);

	if (!d)
		die("cannot read the folder %s", folder);
	for (struct dirent *x = readdir(d); x; x = readdir(d)) {
		char path[4096];
		struct err e;

		if (!text_ends(x->d_name, ".yml"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, x->d_name);
		struct yaml_file *f = yaml_read(path, &e);

		if (!f)
			die("%s", e.text);
		*MORE(n->positions, n->n_positions) = f;
	}
	closedir(d);
}

static void look_up(struct naive *n, struct nv_name *x)
{
	x->n = 0;
	if (x->computed == COMPUTED_USER)
		add_user(n, x);
	else if (x->computed == COMPUTED_INTEGRITY)
		add_integrity(n, x);
	if (x->computed || computer_part(n, x))
		return;
	add_named(n, x, x->text);
	for (size_t i = 0; x->n == 0 && i < n->n_positions; i++)
		for (size_t k = 0; k < n->positions[i]->n; k++) {
			const char *means = position_in(n, n->positions[i]->documents[k], x->text);

			if (means)
				add_named(n, x, means);
		}
}

const struct nv_value *const *nv_values_of(struct naive *n, uint32_t id, enum renames r, size_t *count)
{
	struct nv_name *x = &n->names[n->names[id].as[r]];

	if (x->stamp != n->stamp) {
		look_up(n, x);
		x->stamp = n->stamp;
	}
	*count = x->n;
	return x->values;
}
