/* tune_yaml.h - a filter document in words. Private to rules/. */
#ifndef EVMEND_RULES_TUNE_YAML_H
#define EVMEND_RULES_TUNE_YAML_H

#include "base/buf.h"
#include "rules/rule.h"

enum tune_how { TUNE_WHOLE, TUNE_BEGIN, TUNE_END };

struct tune_value {
	const char *text;
	size_t len;
};

struct tune_choice { /* one line of the selection */
	const char *field;
	enum tune_how how;
	struct tune_value *values; /* any of them */
	size_t n;
};

/* Can it be written as a Sigma string? Only whole UTF-8 without control characters but tab, CR and LF. */
bool tune_writable(const char *s, size_t n);
void tune_write(const struct rule *r, const struct tune_choice *c, size_t n, struct buf *to);

#endif
