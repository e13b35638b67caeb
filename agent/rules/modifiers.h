/* modifiers.h - `Field|contains|all`: the modifiers behind a field's name (Sigma specification 2.1, appendix "Modifiers"). Private. */
#ifndef EVMEND_RULES_MODIFIERS_H
#define EVMEND_RULES_MODIFIERS_H

#include <stdbool.h>

#include "rules/loader.h"

enum modifier {
	MOD_CONTAINS, MOD_STARTSWITH, MOD_ENDSWITH,
	MOD_ALL, MOD_NEQ, MOD_CASED,
	MOD_EXISTS, MOD_RE, MOD_CIDR, MOD_FIELDREF, MOD_LT, MOD_LTE, MOD_GT, MOD_GTE,
	MOD_MINUTE, MOD_HOUR, MOD_DAY, MOD_WEEK, MOD_MONTH, MOD_YEAR, /* in the order of enum time_part */
	MOD_I, MOD_M, MOD_S,
	MOD_WINDASH, MOD_EXPAND, MOD_WIDE, MOD_UTF16BE, MOD_UTF16, MOD_BASE64, MOD_BASE64OFFSET
};

#define MOD(m) (1u << MOD_##m)
#define MOD_SHAPES (MOD(CONTAINS) | MOD(STARTSWITH) | MOD(ENDSWITH))
#define MOD_COMPARES (MOD(LT) | MOD(LTE) | MOD(GT) | MOD(GTE))
#define MOD_PARTS (MOD(MINUTE) | MOD(HOUR) | MOD(DAY) | MOD(WEEK) | MOD(MONTH) | MOD(YEAR))
#define MOD_FLAGS (MOD(I) | MOD(M) | MOD(S))
#define MOD_UTF16S (MOD(WIDE) | MOD(UTF16BE) | MOD(UTF16))
#define MOD_BASE64S (MOD(BASE64) | MOD(BASE64OFFSET))

/* The set of them, after every check of what goes with what and in which order: from there on the order has no meaning.
 * keyword: there is no field name in front. false and a problem when something does not fit. */
bool modifiers_read(struct loader *l, const struct yaml_node *key, bool keyword, unsigned *set);

#endif
