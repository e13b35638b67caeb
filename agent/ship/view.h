/* view.h - a record as a format sees it: its JSON read once, and what every format asks for. */
#ifndef EVMEND_SHIP_VIEW_H
#define EVMEND_SHIP_VIEW_H

#include "base/json.h"
#include "limits.h"
#include "ship/spool.h"

/* Labels of a sink are texts "k=v". The value, with its name put beside it; NULL: that is no label. */
const char *label_split(const char *label, char name[static LIMIT_LABEL_NAME + 1]);
const char *label_find(const char *const *labels, size_t n, const char *name); /* the value; NULL: there is none */

/* No text is NULL: what the record does not say is "". They live until view_close, and no longer than the record. */
struct record_view {
	const struct spool_record *record;
	struct json *json;  /* NULL: the record is no JSON object (it was checked when it came in) */
	char uid[65];       /* hex */
	const char *kind;   /* "finding" */
	char time[33];      /* the record's own "time", else when it came in; "2018-03-13T21:02:11.114211Z" */
	const char *host, *cause;
	const char *level;  /* "high" */
	const char *rule, *title; /* id and title of the rule */
	const struct json *labels; /* of the source: an object of texts; NULL: none */
};

void view_open(struct record_view *v, const struct spool_record *r);
void view_close(struct record_view *v);
/* Calls each for the record's labels and then for those of the sink ("k=v") that the record does not have. Non-zero ends it. */
int view_labels(const struct record_view *v, const char *const *labels, size_t n, int (*each)(void *arg, const char *name, const char *value),
	void *arg);
const char *view_label(const struct record_view *v, const char *const *labels, size_t n, const char *name); /* NULL: there is none */

#endif
