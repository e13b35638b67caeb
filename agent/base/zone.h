/* zone.h - local time from the system's own time zone files (TZif, RFC 8536), for windows of time that people write.
 *
 * No process-wide zone: neither TZ nor the C library's localtime is used. All times are microseconds; a local time is what a wall
 * clock shows, counted as if it were UTC. A zone lives as long as the arena it was made in and is never changed. */
#ifndef EVMEND_BASE_ZONE_H
#define EVMEND_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "os/os.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_BYTES (64u << 10) /* the largest zone file has 4 kB; "fat" ones 10 kB */

struct zone;

/* The zone of this name ("Europe/Berlin") in folder (NULL: ZONE_FOLDER). "UTC" needs no file. NULL and *e (ERR_USAGE): there is
 * none, with the nearest name; or its file is damaged, too old (version 1) or counts leap seconds. */
const struct zone *zone_read(struct arena *a, const struct os_file_ops *ops, const char *folder, const char *name, struct err *e);
/* The same from the bytes of such a file; name is for messages and zone_name. */
const struct zone *zone_parse(struct arena *a, const void *bytes, size_t n, const char *name, struct err *e);
const char *zone_name(const struct zone *z);

int64_t zone_offset(const struct zone *z, int64_t t); /* local time minus UTC at t */
int64_t zone_next(const struct zone *z, int64_t t);   /* the next change of the offset after t; INT64_MAX: none */

/* When the wall clock shows `local`. In an hour that is skipped: the moment of the jump. In an hour that comes twice: the
 * first or the last time, as asked. */
enum zone_which { ZONE_FIRST, ZONE_LAST };
int64_t zone_instant(const struct zone *z, int64_t local, enum zone_which which);

#endif
