/* route.h - which record goes to which sink. */
#ifndef EVMEND_SHIP_ROUTE_H
#define EVMEND_SHIP_ROUTE_H

#include "base/arena.h"
#include "ship/sink.h"

/* Fills urgent, level, host, cause and labels from kind and JSON; the texts live in a. */
void record_route(struct spool_record *r, struct arena *a);
bool route_takes(const struct sink_take *t, const struct spool_record *r); /* r was routed */
bool route_asks_json(const struct sink_take *t);                          /* false: the kind alone decides */
bool route_glob(const char *pattern, const char *s); /* '*' any run, '?' one character; case does not count; time is at most the product of both */

#endif
