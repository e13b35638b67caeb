/* rules_near.h - what a correlation did with the events of a file: each time it fired, or how near it came. */
#ifndef EVMEND_CLI_RULES_NEAR_H
#define EVMEND_CLI_RULES_NEAR_H

#include "cli/cli.h"
#include "correlate/correlate.h"

struct near;

struct near *near_new(const struct cli *c, const struct ruleset *rs, const struct rule *r);
void near_free(struct near *n);
/* A match takes part; those of other correlations are left aside. The match is kept. */
void near_take(struct near *n, const struct taken *t);
/* Prints one firing: its group, its time and its events (at most NEAR_EVENTS of them). */
#define NEAR_EVENTS 10
void near_fired(const struct near *n, const struct fired *f);
/* Prints the window of the group that came nearest to firing, and what it lacked; nothing when no match took part. */
void near_show(struct near *n);

#endif
