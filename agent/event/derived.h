/* derived.h - fields that one kind of event lacks and rules ask for, made of those it has: 4688 has no User, but a domain and a name.
 * The table comes from rules/logsources.yml (`derive`) and is part of the names that events are read with. */
#ifndef EVMEND_EVENT_DERIVED_H
#define EVMEND_EVENT_DERIVED_H

#include <stddef.h>
#include <stdint.h>

#include "event/names.h"

struct derived {
	const char *channel; /* case does not count */
	uint32_t event_id;
	const char *name;    /* of the new field */
	/* either: the first of these texts whose {fields} are all there, neither empty nor "-" */
	const char *const *texts;
	size_t n_texts;
	/* or: each value of this field, and the word that stands for it where there is one: words[2 i] is a value, words[2 i + 1] its word */
	const char *of;
	const char *const *words;
	size_t n_words; /* pairs */
};

/* Text and lists are borrowed: they must live as long as n. */
void names_derive(struct names *n, const struct derived *d);
const struct derived *names_derived(const struct names *n, size_t *count);

struct event;
struct event_build;
/* Adds the derived fields of ev, whose channel and event_id are set, where a rule asks for them. */
void build_derived(struct event_build *b, const struct event *ev);

#endif
