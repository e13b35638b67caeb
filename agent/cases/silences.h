/* silences.h - the silences that findings meet: which holds a match back, and how many each did. Private to cases/. */
#ifndef EVMEND_CASES_SILENCES_H
#define EVMEND_CASES_SILENCES_H

#include "base/json.h"
#include "cases/engine.h"
#include "cases/hosts.h"
#include "correlate/match.h"

struct silences;

struct silences *silences_new(const struct ruleset *rules, struct hosts *hosts, const struct engine_sink *sink); /* all are borrowed */
void silences_free(struct silences *s);
/* The first silence that holds counts the match. Field values are compared as in a rule: case does not count, * and ? are wildcards. */
bool silences_hold(struct silences *s, const struct match *m, const struct event *ev);
/* Takes the list's place of what there was; known ids keep their counts. What is gone, and what is over at `now`, is told to the sink. */
void silences_set(struct silences *s, const struct json *list, int64_t now);
void silences_tick(struct silences *s, int64_t now);
void silences_save(const struct silences *s, struct json_out *o, const char *key);

#endif
