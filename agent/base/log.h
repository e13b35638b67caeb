/* log.h - what the program says about itself: one line an event on stderr, "time level role text key=value ...".
 * Values are escaped (a newline becomes \n); secrets have no business here. */
#ifndef EVMEND_BASE_LOG_H
#define EVMEND_BASE_LOG_H

#include <stdbool.h>

#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
	const struct clock *clock;
	const char *role; /* "main", "watch", ...; borrowed */
	enum log_level level; /* nothing above it is written */
	int fd;               /* 2, or a test's */
};

/* log_say(l, LOG_INFO, "case opened", "case", "17", "host", name, NULL): text, then pairs of strings, then NULL. */
void log_say(const struct log *l, enum log_level level, const char *text, ...) __attribute__((sentinel));
bool log_level_parse(const char *name, enum log_level *level); /* error, warn, info, debug */

#endif
