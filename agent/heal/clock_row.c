/* clock_row.c - did time go on as it should while nobody was running?
 *
 * Exists because limits count from what the ledger wrote down, and a clock that was set back or ahead in between would bend them.
 * Promises to notice a clock that went back at any start, and one that jumped either way as long as the machine ran on. Refuses to
 * decide anything: it tells, and the caller observes only. */
#include <string.h>

#include "base/clock.h"
#include "heal/case_store.h"
#include "heal/fact.h"

#define SLEW 1000            /* a clock that is being corrected runs wrong by at most a thousandth */

int clock_row_put(struct db *d, int64_t wall, int64_t monotonic, const char *boot, struct err *e)
{
	struct db_row *r = db_prepare(d, "insert or replace into clock (id, wall, monotonic, boot) values (1,?,?,?)", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, wall);
	db_bind_int(r, 2, monotonic);
	db_bind_text(r, 3, boot);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

/* The time of the newest ledger record; 0: there is none. */
static int ledger_time(struct db *d, int64_t *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select time from ledger order by seq desc limit 1", e);
	int got = r ? db_step(r, e) : -1;

	*to = got == 1 ? db_int(r, 0) : 0;
	db_done(r);
	return got < 0 ? -1 : 0;
}

static void compare(struct db_row *r, int64_t wall, int64_t monotonic, const char *boot, char why[static 200])
{
	int64_t went = wall - db_int(r, 0), should = monotonic - db_int(r, 1), drift = went - should;
	char span[32];

	if (boot[0] == '\0' || strcmp(boot, db_text(r, 2)) != 0 || should < 0)
		return; /* the machine started anew: how long it was off, nobody knows */
	if (drift > CLOCK_JUMP + should / SLEW || drift < -CLOCK_JUMP - should / SLEW)
		say_text(why, 200, "the clock jumped %s by %s while no agent ran", drift > 0 ? "ahead" : "back",
			span_text(drift > 0 ? drift : -drift, span));
}

int clock_row_check(struct db *d, int64_t wall, int64_t monotonic, const char *boot, char why[static 200], struct err *e)
{
	struct db_row *r = db_prepare(d, "select wall, monotonic, boot from clock", e);
	int got = r ? db_step(r, e) : -1;
	int64_t last, told;
	char span[32];

	why[0] = '\0';
	last = got == 1 ? db_int(r, 0) : 0;
	if (got == 1)
		compare(r, wall, monotonic, boot, why);
	db_done(r);
	if (got < 0 || ledger_time(d, &told, e) < 0)
		return -1;
	last = told > last ? told : last;
	if (why[0] == '\0' && last > wall + CLOCK_JUMP)
		say_text(why, 200, "the clock is %s behind what was written down last", span_text(last - wall, span));
	return why[0] != '\0';
}
