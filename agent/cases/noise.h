/* noise.h - what was counted and not told: rules on trial, silences. Private to cases/. */
#ifndef EVMEND_CASES_NOISE_H
#define EVMEND_CASES_NOISE_H

#include "base/json.h"
#include "cases/engine.h"
#include "cases/hosts.h"
#include "correlate/match.h"

struct noise;

struct noise *noise_new(const struct ruleset *rules, struct hosts *hosts, const struct engine_sink *sink); /* all are borrowed */
void noise_free(struct noise *n); /* NULL allowed */
void noise_shadow(struct noise *n, const struct rule *r, int64_t time);
void noise_over(struct noise *n, const struct rule *r, int64_t time); /* its budget */
/* Does a silence hold its finding back? Then it is counted there. The match's host is settled; ev NULL: a correlation's, which has
 * the fields that it took along. */
bool noise_silenced(struct noise *n, const struct match *m, const struct event *ev);
/* The silences that there are from now on, an array as heal/silence.h writes it. Those that are gone or over are told to the sink. */
void noise_silences(struct noise *n, const struct json *list, int64_t now);
void noise_tick(struct noise *n, int64_t now);
const struct held_back *noise_of(const struct noise *n, const struct rule *r);
void noise_counts(const struct noise *n, struct engine_counts *c);
void noise_save(const struct noise *n, struct json_out *o); /* members of an object */
void noise_load(struct noise *n, const struct json *j); /* rules that are gone are left out */

#endif
