/* check_routes.h - routes on which nothing can come, for `evmend check`. */
#ifndef EVMEND_CLI_CHECK_ROUTES_H
#define EVMEND_CLI_CHECK_ROUTES_H

#include "proc/config.h"

/* Calls say for each word of a sink that no record can meet: labels that no source has (or that no source and not the sink has, in a name that
 * follows the record), events without a source that has `forward`. */
void check_routes(const struct config *c, void (*say)(void *arg, const char *sink, const char *text), void *arg);

#endif
