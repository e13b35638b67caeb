/* noise.h - what was counted and not told: of each rule, how much and when. Private to cases/. */
#ifndef EVMEND_CASES_NOISE_H
#define EVMEND_CASES_NOISE_H

#include "base/json.h"
#include "cases/engine.h"

struct noise;

struct noise *noise_new(const struct ruleset *rules); /* rules are borrowed */
void noise_free(struct noise *n); /* NULL allowed */
void noise_shadow(struct noise *n, const struct rule *r, int64_t time);
const struct held_back *noise_of(const struct noise *n, const struct rule *r);
void noise_counts(const struct noise *n, struct engine_counts *c);
void noise_save(const struct noise *n, struct json_out *o, const char *key);
void noise_load(struct noise *n, const struct json *j); /* rules that are gone are left out */

#endif
