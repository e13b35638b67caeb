/* zone_file.h - time zone files made for a test: no written changes, one rule. */
#ifndef EVMEND_TESTS_LIB_ZONE_FILE_H
#define EVMEND_TESTS_LIB_ZONE_FILE_H

#include "base/zone.h"

#define ZONE_BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define ZONE_SYDNEY "AEST-10AEDT,M10.1.0,M4.1.0/3"
#define ZONE_LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0" /* half an hour */

size_t zone_file(uint8_t to[512], const char *rule);                     /* the bytes of such a file */
const struct zone *zone_of_rule(struct arena *a, const char *rule); /* fails the test when it is refused */
int64_t time_of(const char *s);                                          /* fails the test when it is no time */

#endif
