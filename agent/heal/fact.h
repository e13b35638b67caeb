/* fact.h - one thing that was looked at: yes, no or unknown, with what was seen. */
#ifndef EVMEND_HEAL_FACT_H
#define EVMEND_HEAL_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "host/host.h"

#define FACTS_MAX 96

struct fact {
	const char *name;   /* static text: "record_444_present" */
	enum tri value;
	char seen[256];     /* what was seen, for a person: "0.0.0.0:444 -> 3f9c..., store MY" */
	char where[80];     /* "http.sys", "store MY", "127.0.0.1:444" */
	char key[128];      /* the part of what was seen that counts for the plan's id: no times, latencies, days left */
	bool ages;          /* no part of the plan's id: another by the passing of time alone, or told by no folder of facts */
	int64_t when;
};

struct facts {
	struct fact list[FACTS_MAX];
	size_t n;
};

/* Adds one, or overwrites the one of that name. Printf-like text goes to `seen`. */
struct fact *fact_set(struct facts *f, const char *name, enum tri value, const char *where, int64_t when, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
enum tri fact_value(const struct facts *f, const char *name); /* TRI_UNKNOWN when absent */
const char *fact_key(const struct facts *f, const char *name);  /* "" when absent */
const char *fact_seen(const struct facts *f, const char *name); /* "" when absent */
/* snprintf for people: what does not fit is cut. */
void say_text(char *to, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *tri_text(enum tri t); /* "yes", "no", "unknown" */

#endif
