/* tune_marks.h - which findings are false and which are true, from --false, --true, --marks and --events. */
#ifndef EVMEND_CLI_TUNE_MARKS_H
#define EVMEND_CLI_TUNE_MARKS_H

#include "cli/cli.h"
#include "event/event.h"
#include "rules/ruleset.h"

enum tune_mark { TUNE_UNMARKED, TUNE_FALSE, TUNE_TRUE, TUNE_BOTH, TUNE_MARKS }; /* both: a contradiction */

struct tune_marks;

/* --false and --true take a finding's uid (12 digits at least), a file of findings as scan writes them (NDJSON), or a file of events, of
 * which each that the rule matches is meant. --marks takes findings with a member "mark": "false" or "true". NULL and *e. */
struct tune_marks *tune_marks_new(struct cli *c, struct err *e);
void tune_marks_free(struct tune_marks *m);
/* Every event of all files; mark: of its file. Non-zero ends. -1: a file cannot be read, or what each said. */
int tune_marks_read(struct tune_marks *m, const struct ruleset *rs, int (*each)(void *arg, const struct event *ev, enum tune_mark mark),
	void *arg, struct err *e);
/* What is said of an event that the rule matches, by its uid and by the file that it stands in. */
enum tune_mark tune_marks_of(struct tune_marks *m, const struct rule *r, const uint8_t event[static 32], enum tune_mark file);
enum tune_mark tune_marks_add(enum tune_mark a, enum tune_mark b); /* what two of them say together */
/* The mark of what nobody marked: true when nothing is said to be true, else none. */
enum tune_mark tune_marks_unsaid(const struct tune_marks *m);
int tune_marks_all_found(const struct tune_marks *m, struct err *e); /* -1: a finding that was marked is in none of the events */

#endif
