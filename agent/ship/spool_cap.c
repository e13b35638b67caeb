/* spool_cap.c - what goes when the spool holds too much.
 *
 * Why: a receiver may be away for longer than the disk is large; then something must go, and it must not be what a person would miss most.
 * Promises: nothing goes while something of less worth, or older of the same worth, could; who owns the sinks is asked about each
 * record, so that he counts it and keeps what is on its way. Refuses: what he wants to keep. */
#include "ship/spool_inside.h"

#define ROWS 2000  /* given up in one call: what comes in must not wait long */
#define LOOK 200000 /* rows that are looked at for them: what is with receivers stays, and may be many */
#define AT_ONCE 100

int64_t spool_bytes(struct spool *s)
{
	int64_t pages = 0, unused = 0, size = 0;

	if (step_once(db_prepare(s->db, "pragma page_count", NULL), &pages, NULL) != 1 ||
		step_once(db_prepare(s->db, "pragma freelist_count", NULL), &unused, NULL) != 1 ||
		step_once(db_prepare(s->db, "pragma page_size", NULL), &size, NULL) != 1)
		return -1;
	return (pages - unused) * size;
}

struct giving {
	struct spool *s;
	int64_t bytes;
	spool_may *may;
	void *arg;
	int64_t gone, looked;
};

static int forget(struct giving *g, const char *sql, const int64_t *ids, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct db_row *q = db_prepare(g->s->db, sql, e);

		if (!q)
			return -1;
		db_bind_int(q, 1, ids[i]);
		if (step_once(q, NULL, e) < 0)
			return -1;
		g->gone += db_changes(g->s->db);
	}
	return 0;
}

/* The next rows of that worth behind id `*after`, asked for and deleted. 1: there may be more; 0; -1. */
static int some(struct giving *g, const char *find, const char *drop, int worth, bool dead, int64_t *after, struct err *e)
{
	struct db_row *q = db_prepare(g->s->db, find, e);
	int64_t ids[AT_ONCE];
	size_t n = 0, seen = 0;
	int step = -1;

	if (!q)
		return -1;
	db_bind_int(q, 1, worth);
	db_bind_int(q, 2, *after);
	while (seen < AT_ONCE && (step = db_step(q, e)) == 1) {
		struct spool_record r = { .seq = db_int(q, 0), .kind = (int)db_int(q, 1), .level = (int)db_int(q, 2), .host = db_text(q, 3),
			.cause = db_text(q, 4), .labels = db_text(q, 5), .again = !db_is_null(q, 6) };

		r.urgent = record_lane(r.kind) == SPOOL_URGENT;
		*after = r.seq;
		seen++;
		if (g->may(g->arg, &r, db_is_null(q, 6) ? NULL : db_text(q, 6), dead))
			ids[n++] = r.seq;
	}
	db_done(q);
	g->looked += (int64_t)seen;
	if (step < 0 || forget(g, drop, ids, n, e) < 0)
		return -1;
	return step == 1;
}

static bool enough(const struct giving *g)
{
	return g->gone >= ROWS || g->looked >= LOOK || spool_bytes(g->s) <= g->bytes;
}

int64_t spool_give_up(struct spool *s, int64_t bytes, spool_may *may, void *arg, struct err *e)
{
	struct giving g = { .s = s, .bytes = bytes, .may = may, .arg = arg };

	for (int worth = 0; worth < SPOOL_WORTHS; worth++) {
		int64_t after = 0;
		int more = 1;

		while (more > 0 && !enough(&g))
			more = some(&g, "select id,kind,level,host,cause,labels,sink from dead indexed by dead_worth where worth=? and id>? order by id",
				"delete from dead where id=?", worth, true, &after, e);
		for (after = 0; more >= 0 && !enough(&g);) {
			/* events have no place in the index of worth: they are most of all, and alone in their lane but for the ledger */
			more = some(&g, worth ? "select seq,kind,level,host,cause,labels,sink from record indexed by record_worth where worth=?1 and worth>0"
				" and seq>?2 order by seq" : "select seq,kind,level,host,cause,labels,sink from record indexed by record_lane where lane=1"
				" and seq>?2 and worth=?1 order by seq", "delete from record where seq=?", worth, false, &after, e);
			if (!more)
				break;
		}
		if (more < 0)
			return -1;
		if (enough(&g))
			break;
	}
	return g.gone;
}
