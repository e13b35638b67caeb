/* config_keys.h - the tables of keys of sinks: one row a key. For config_sink*.c only. */
#ifndef EVMEND_PROC_CONFIG_KEYS_H
#define EVMEND_PROC_CONFIG_KEYS_H

#include <stddef.h>

#include "proc/config_inside.h"

struct key {
	const char *name;
	/* Reads n into `to`, a member of struct sink_config. */
	int (*read)(struct reader *r, node n, const struct key *k, void *to);
	size_t at;              /* of that member */
	int64_t least, most;    /* numbers: what they may be; spans: in us */
	const char *const *words; /* the names of an enum's values; ends with NULL */
	const struct key *inside; /* the keys of a map; ends with a row without name */
	const char *must;       /* not NULL: it has to be there, and this says what is needed */
};

#define AT(member) offsetof(struct sink_config, member)
/* KEY("path", key_path, file.path, what else is special about it) */
#define KEY(word, how, member, ...) { .name = (word), .read = (how), .at = AT(member), __VA_ARGS__ }
#define END { .name = NULL }

/* Readers of one key, for KEY. */
int key_text(struct reader *r, node n, const struct key *k, void *to);
int key_path(struct reader *r, node n, const struct key *k, void *to); /* relative: from the configuration's folder */
int key_template(struct reader *r, node n, const struct key *k, void *to); /* a text with places such as {kind} */
int key_int(struct reader *r, node n, const struct key *k, void *to);  /* int64_t, from least to most */
int key_span(struct reader *r, node n, const struct key *k, void *to); /* int64_t, us, from least to most */
int key_word(struct reader *r, node n, const struct key *k, void *to); /* int: which of words */
int key_not(struct reader *r, node n, const struct key *k, void *to);  /* bool, of a member that says the opposite: verify is no_verify */
int key_map(struct reader *r, node n, const struct key *k, void *to);  /* inside; its members are those of the sink, at is any of them */
int key_take(struct reader *r, node n, const struct key *k, void *to); /* struct sink_take; config_take.c */
int key_tls(struct reader *r, node n, const struct key *k, void *to);  /* tls, with the keys inside */

extern const struct key batch_keys[];
extern const struct key kafka_keys[]; /* config_sink_kafka.c */

#endif
