/* logsource.h - which events a rule's `logsource` means: a table of data (rules/logsources.yml), not code. Private to rules/. */
#ifndef EVMEND_RULES_LOGSOURCE_H
#define EVMEND_RULES_LOGSOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/event.h"
#include "rules/loader.h"

struct log_where { /* the field has one of these values (case does not count) */
	uint16_t field;
	const char *const *values;
	size_t n;
};

struct log_rename { /* the rule says `from`, this kind of event says `to` */
	const char *from, *to;
};

struct log_source { /* one place that such events come from; an empty list means any */
	const char *const *channels, *const *providers, *const *not_providers;
	size_t n_channels, n_providers, n_not_providers;
	const uint32_t *ids;
	size_t n_ids;
	const struct log_where *where;
	size_t n_where;
	const struct log_rename *renames;
	size_t n_renames;
};

struct log_set { /* any of them */
	const struct log_source *sources;
	size_t n;
	const char *reason; /* why there are none */
};

struct logsources;

/* NULL and *e when the file cannot be read or is wrong. Field names go into l->names. */
struct logsources *logsources_load(struct loader *l, const char *path, struct err *e);
/* The set of an attribute; NULL and *nearest (or NULL) when the table does not know it for that product (product NULL: any). */
const struct log_set *logsource_product(const struct logsources *t, const char *name, const char **nearest);
const struct log_set *logsource_service(const struct logsources *t, const char *product, const char *name, const char **nearest);
const struct log_set *logsource_category(const struct logsources *t, const char *product, const char *name, const char **nearest);
/* The first of the set's sources that holds; -1: none. */
int32_t log_set_holds(const struct log_set *set, const struct event *ev);
bool log_source_holds(const struct log_source *s, const struct event *ev);

#endif
