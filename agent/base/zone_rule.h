/* zone_rule.h - the rule at the end of a zone file: what holds after its last written change of time.
 * A POSIX TZ string (IEEE Std 1003.1-2017, 8.3) with the extension of RFC 8536, 3.3.1: hours from -167 to 167. For zone.c. */
#ifndef EVMEND_BASE_ZONE_RULE_H
#define EVMEND_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone_date {
	enum { DATE_JULIAN, DATE_DAY, DATE_MONTH } kind; /* Jn: 1 to 365, no leap day; n: 0 to 365; Mm.w.d */
	int month, week, day;
	int64_t time; /* seconds after midnight, local time before the change */
};

struct zone_rule {
	int64_t standard, summer; /* seconds east of UTC */
	bool has_summer;
	struct zone_date begin, end;
};

bool zone_rule_parse(const char *s, size_t n, struct zone_rule *to); /* false: not such a rule */
int64_t zone_rule_offset(const struct zone_rule *r, int64_t t);      /* seconds east of UTC at t (seconds since 1970 UTC) */
int64_t zone_rule_next(const struct zone_rule *r, int64_t t);        /* the next change after t; INT64_MAX: none */

#endif
