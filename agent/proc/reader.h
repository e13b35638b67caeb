/* reader.h - the configured sources and a decoder for each stream of bytes: bytes become events. */
#ifndef EVMEND_PROC_READER_H
#define EVMEND_PROC_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "event/decode.h"
#include "os/os.h"
#include "proc/config.h"
#include "proc/place.h"

struct reader_options {
	const struct config *config;
	const struct names *names;  /* of the rule set */
	const struct clock *clock;
	const struct log *log;
	struct place *place;        /* where it went on last time */
	struct decode_sink sink;    /* gets the events; malformed is given the source's path in reader_where */
	void (*failed)(void *arg, const char *text); /* arg of the sink; a partition or stream that cannot be read, told once */
};

struct reader;

struct reader *reader_new(const struct reader_options *o, struct err *e);
void reader_free(struct reader *r);
/* Reads one batch of each source and feeds its events to the sink. How many bytes were read, where an end without bytes counts as one;
 * 0: nothing new. */
size_t reader_step(struct reader *r);
const char *reader_where(const struct reader *r); /* the stream that is being decoded */
const struct config_source *reader_source(const struct reader *r); /* its source; NULL: none is being decoded */
/* Stores the positions of all streams that moved; inside the caller's transaction. reader_stored: the transaction is on disk. */
int reader_put(struct reader *r, struct err *e);
void reader_stored(struct reader *r);
size_t reader_wait(struct reader *r, struct os_poll *to, size_t n); /* descriptors worth waiting for */

#endif
