/* filter.h - filter documents: what a place knows to be harmless, said beside the rules instead of in them (Sigma specification 2.1,
 * "Sigma Filters"). Private to rules/. */
#ifndef EVMEND_RULES_FILTER_H
#define EVMEND_RULES_FILTER_H

#include "rules/compiled.h"

struct filter {
	const struct yaml_node *doc;
	const struct yaml_file *file;
	const char *path;
};

struct filters {
	struct filter *list;
	size_t n, cap;
	struct yaml_file **files; /* kept, because the documents are still needed */
	size_t n_files;
};

/* Keeps the document of l->file until filters_apply. false: it is no usable filter, which was told. */
bool filters_add(struct filters *f, struct loader *l, const struct yaml_node *doc);
/* Takes the file over when one of its documents was added. */
bool filters_keep(struct filters *f, struct yaml_file *file);
/* Joins every filter to the conditions of the rules that it names; after the rules' references are resolved. */
void filters_apply(struct filters *f, struct loader *l, struct ruleset *rs);
void filters_free(struct filters *f);

#endif
