/* watermark.h - how far event time has come, for each computer and each source that tells of it.
 *
 * The watermark of a computer is the least of its (source, channel) streams: nothing older is expected. A stream that has been
 * silent for idle_after holds it back no longer; when all are silent, it follows the clock minus idle_after. */
#ifndef EVMEND_CORRELATE_WATERMARK_H
#define EVMEND_CORRELATE_WATERMARK_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct watermarks;

struct watermarks *watermarks_new(int64_t idle_after);
void watermarks_free(struct watermarks *w);
/* An event of that time came in at wall time now. Returns true when it is older than what its stream had already reached. */
bool watermarks_see(struct watermarks *w, const char *computer, const char *source, const char *channel, int64_t time, int64_t now);
/* All events of the computer before this time have been seen. A computer never heard of: the clock minus idle_after. */
int64_t watermarks_of(const struct watermarks *w, const char *computer, int64_t now);
void watermarks_save(const struct watermarks *w, struct json_out *o, const char *key);
void watermarks_load(struct watermarks *w, const struct json *j, int64_t now);

#endif
