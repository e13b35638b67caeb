/* spool_inside.h - what the parts of the spool share. */
#ifndef EVMEND_SHIP_SPOOL_INSIDE_H
#define EVMEND_SHIP_SPOOL_INSIDE_H

#include "base/buf.h"
#include "base/clock.h"
#include "ship/spool.h"
#include "store/db.h"

#define SPOOL_WORTHS 10       /* from 0, the least */
#define TAKE_BYTES (8u << 20) /* of one spool_read */

struct spool {
	struct db *db;
	struct buf held; /* bodies of the last take */
	bool open;       /* a transaction */
	int64_t keep;    /* us */
	const struct clock *clock; /* NULL: the records' own times */
};

#define COLUMNS "seq,uid,kind,time,level,host,cause,labels,json,sink"

/* Steps once and is done with it. 1: a row, its first column is in *value (NULL allowed); 0: none; -1. */
int step_once(struct db_row *q, int64_t *value, struct err *e);
/* A row of COLUMNS. Texts and body live until the next step. */
void read_row(struct db_row *q, struct spool_record *r);

/* Adds the row to what is handed out in s->held; when all are there, point_into makes their texts point there. */
void hold(struct spool *s, struct db_row *q, struct spool_record *to, size_t *got);
void point_into(const struct spool *s, struct spool_record *to, size_t got);

#endif
