/* naive_match.h - a second evaluator of Sigma detections, written to be obviously right and not fast: it walks the YAML itself for
 * each event. Shares no code with agent/rules; the tests compare both on every event they have. */
#ifndef EVMEND_TESTS_LIB_NAIVE_MATCH_H
#define EVMEND_TESTS_LIB_NAIVE_MATCH_H

#include <stdbool.h>

#include "event/event.h"

struct naive;

struct naive *naive_new(const char *tables); /* folder of logsources.yml and fields/; ends the program when it cannot be read */
void naive_free(struct naive *n);
/* Does the rule at that line of that file hold for ev? */
bool naive_holds(struct naive *n, const char *file, int line, const struct event *ev);

#endif
