/* verdict_table.h - the three tables of a verdict, as data: causes, notes, the SMTP line. Inside of the module, and for tests,
 * which drop or turn round one row at a time. */
#ifndef EVMEND_REMEDIES_VERDICT_TABLE_H
#define EVMEND_REMEDIES_VERDICT_TABLE_H

#include "remedies/exchange_backend/backend.h"

#define BE_NEEDED 10

/* All that a condition may read. */
struct be_view {
	const struct facts *f;
	const struct suspicion *s;
};

typedef enum tri (*be_condition)(const struct be_view *v);

/* A cause. The first that holds is the verdict. */
struct be_row {
	const char *id, *name;
	const char *listed;          /* name under `not excluded`; NULL: name */
	const char *cause;           /* of a case that a diagnosis opens by itself; NULL: none */
	be_condition holds;
	be_condition sure;           /* confidence is high when this holds; NULL: never more than `confidence` */
	be_condition softly;         /* repaired by approval when this holds, though else never; NULL: never is never */
	enum confidence confidence;
	enum repairable repairable;
	const char *needed[BE_NEEDED]; /* the facts that led to it */
	const char *text;            /* one sentence; "{}" stands for what the first fact of `needed` has seen */
	const char *disproof;        /* what, if it were seen, would show that this is not the cause; NULL: nothing to disprove */
	const char *advice;          /* for a person: the exact command, and what not to do */
};

/* Something to say beside the verdict. "{}" in its text stands for what was seen, or for the key, of one fact. */
struct be_remark {
	const char *id, *name;
	const char *cause;           /* of the case that it opens when no event did; NULL: none */
	be_condition holds;
	bool state;                  /* the SMTP line: the state of the host says so, not only events */
	const char *seen, *key;      /* the fact for "{}"; NULL */
	const char *text;
};

struct be_tables {
	const struct be_row *rows;
	size_t n_rows;
	const struct be_remark *notes;
	size_t n_notes;
	const struct be_remark *smtp; /* the first that holds is the line, further ones become notes */
	size_t n_smtp;
};

extern const struct be_row be_rows[];
extern const size_t be_n_rows;
extern const struct be_remark be_note_rows[];
extern const size_t be_n_note_rows;
extern const struct be_remark be_smtp_rows[];
extern const size_t be_n_smtp_rows;

/* rows.c */
enum tri be_not(enum tri a);
enum tri be_and(enum tri a, enum tri b);
enum tri be_or(enum tri a, enum tri b);
enum tri be_is(const struct be_view *v, const char *fact);
enum tri be_saw(const struct be_view *v, unsigned seen); /* one of these bits */
enum tri be_healthy(const struct be_view *v);
enum tri be_expiring(const struct be_view *v);           /* R1a */
enum tri be_record_fine(const struct be_view *v);        /* record, certificate and key */

/* be_judge with other tables than its own. Ends with a row that always holds, or the verdict has no name. */
void be_judge_by(const struct be_tables *t, struct diagnosis *d, const struct suspicion *s);

#endif
