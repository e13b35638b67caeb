/* fields.h - names for positional data of classic events (rules/fields/): 12014's Data[1] is Fqdn. Private to rules/. */
#ifndef EVMEND_RULES_FIELDS_H
#define EVMEND_RULES_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/loader.h"

struct field_alias {
	uint16_t name, means; /* ids; means is looked up when the event has no field `name` of its own */
};

struct field_set {
	const char *provider;
	uint32_t event_id;
	const struct field_alias *alias;
	size_t n;
};

struct fields {
	struct field_set *sets; /* sorted by provider (case does not count) and id */
	size_t n, cap;
};

/* Adds one file's tables. What is wrong is reported and left out. */
void fields_add(struct fields *t, struct loader *l);
void fields_sort(struct fields *t, struct arena *a); /* once, after the last file */
const struct field_set *fields_find(const struct fields *t, const char *provider, uint32_t event_id); /* NULL: none */

#endif
