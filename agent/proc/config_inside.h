/* config_inside.h - what the files that read the configuration share. For config*.c only.
 *
 * Each reader returns -1 with *r->e set ("FILE:LINE:COLUMN: what is wrong and what to write instead"). */
#ifndef EVMEND_PROC_CONFIG_INSIDE_H
#define EVMEND_PROC_CONFIG_INSIDE_H

#include "base/yaml.h"
#include "proc/config.h"

struct reader {
	struct config *c;
	const struct yaml_file *f;
	struct err *e;
};

typedef const struct yaml_node *node;

const char *read_keep(struct reader *r, const char *s);    /* a copy in the configuration's arena; NULL stays NULL */
const char *read_path(struct reader *r, const char *path); /* relative paths count from the configuration's folder */
int read_text(struct reader *r, node map, const char *key, const char **to); /* kept; *to is left when the key is not there */
int read_map(struct reader *r, node n, const char *what, const char *const *known); /* a map of no other keys */
int read_texts(struct reader *r, node n, const char *key, const char ***to, size_t *count); /* a list of texts, or one */
int read_source(struct reader *r, node n, void *item);
int read_labels(struct reader *r, node n, const char *const **to, size_t *count); /* a map, as "name=text" */
int read_span(struct reader *r, node map, const char *key, int64_t least, int64_t *to);

/* config_sinks.c: item is a struct sink_config. read_sink_keys takes the keys of a kind whether that is built or not. */
int read_sink(struct reader *r, node n, void *item);
int read_sink_keys(struct reader *r, node n, enum sink_kind kind, struct sink_config *s);

/* config_policy.c: remedies, into c->policy. Hosts are read before it. */
int read_remedies(struct reader *r, node root);

/* config_paths.c: sinks whose file is another's, a source's or the agent's own: -1 and *e, a sentence. By the paths; by the files that exist. */
int config_paths(const struct config *c, struct err *e);
int config_files(const struct config *c, struct err *e);

#endif
