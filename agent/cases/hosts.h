/* hosts.h - one name for each server, however events spell it. Private to cases/.
 *
 * A configured host is known by its name and aliases. Any other: case does not count, and a NetBIOS name (no dot) means the one
 * server whose full name begins with it, as long as there is only one such. */
#ifndef EVMEND_CASES_HOSTS_H
#define EVMEND_CASES_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "cases/engine.h"
#include "correlate/strings.h"

struct hosts;

/* first_stays (run): a short name that was seen before the full one stays the name of both (decisions were made under it), and names not
 * heard lately are forgotten when there are too many. */
struct hosts *hosts_new(const struct engine_host *configured, size_t n, struct strings *pool, bool first_stays);
void hosts_free(struct hosts *h);
void hosts_learn(struct hosts *h, const char *name);
/* The one name; lives in the pool. "" stays "". */
const char *hosts_name(struct hosts *h, const char *name);
void hosts_renew(struct hosts *h); /* strings_renew */
size_t hosts_bytes(const struct hosts *h); /* without what is in the pool */
void hosts_save(const struct hosts *h, struct json_out *o, const char *key);
void hosts_load(struct hosts *h, const struct json *j);

#endif
