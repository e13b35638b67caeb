/* naive.h - a second evaluator of Sigma detections, written from the specification to be plainly right.
 *
 * It shares only event/ and base/ with the program: strings, escapes, case folding, numbers, modifiers, conditions, the table of log
 * sources and the renames of 4688 are its own, regular expressions are PCRE2's. There is no index over values, no literal search over
 * several rules, nothing is remembered from one rule to the next but the fields of the event, which are decoded and folded once.
 *
 * Two uses. As a judge: naive_event() and naive_holds() answer for any rule. As a yardstick: naive_run_all() does what the simplest
 * honest engine would do for an event, that is evaluate all rules of its (channel, event id); the time of the program's own matching
 * divided by the time of this hardly depends on the machine. It is written to be read: one that evaluates rule after rule and is tuned
 * for speed is faster, so that figure flatters.
 * Correlations are not its business. */
#ifndef EVMEND_TESTS_NAIVE_NAIVE_H
#define EVMEND_TESTS_NAIVE_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/event.h"

struct naive;

struct naive_list { /* what %name% stands for under `expand` */
	const char *name;
	const char *const *values;
	size_t n;
};

struct naive_rule { /* one document that is a detection */
	const char *file;
	int line;              /* of the document in its file, as struct rule has it */
	const char *id, *title; /* "" when absent */
	const char *refused;   /* NULL: it is evaluated; else why not, and it never holds */
	bool no_source;        /* its logsource means no event log: it never holds */
};

/* fields: folder of names for positional data (rules/fields), NULL for none. The lists are borrowed. */
struct naive *naive_new(const char *fields, const struct naive_list *lists, size_t n_lists);
void naive_free(struct naive *n);
/* Adds a rule file, or the .yml files of a folder and below it (sorted; fields/, tests/ and logsources.yml are no rules). A document that
 * is wrong is kept as a refused rule. -1 and *e when the path itself cannot be read. */
int naive_read(struct naive *n, const char *path, struct err *e);
/* Once, after the last file: filters find their rules. */
void naive_ready(struct naive *n);

size_t naive_count(const struct naive *n);
const struct naive_rule *naive_rule(const struct naive *n, size_t i);
size_t naive_find(const struct naive *n, const char *file, int line); /* SIZE_MAX: none */

/* The event that naive_holds() is asked about; it must live until the next one is given. */
void naive_event(struct naive *n, const struct event *ev);
bool naive_holds(struct naive *n, size_t i);

/* Searches that PCRE2 gave up, for it goes back and forth: where this grows over a question, its answer is worth nothing. */
size_t naive_gave_up(const struct naive *n);

/* The yardstick: naive_event(), then every rule whose log source can mean this (channel, event id), one after another. *hits: those that
 * hold, ascending, valid until the next call. Which rules belong to a (channel, event id) is found out once for each. */
size_t naive_run_all(struct naive *n, const struct event *ev, const uint32_t **hits);

struct buf;
/* Appends an event made of the rule's own values, for which it should hold or nearly hold. The same seed makes the same. false: the rule
 * is refused or has no source. */
bool naive_aim(struct naive *n, size_t i, uint64_t seed, struct buf *xml);

/* How a string is read (escapes, wildcards), for comparing with others: characters and the two marks. to has room for n. */
#define NAIVE_ANY 0x110000u
#define NAIVE_ONE 0x110001u
size_t naive_string(const char *s, size_t n, uint32_t *to);

#endif
