/* facts.h - what every format tells of a record, worked out once: the few things that no member of the record says in so many words. */
#ifndef EVMEND_SHIP_FACTS_H
#define EVMEND_SHIP_FACTS_H

#include "ship/severity.h"
#include "ship/sink.h"
#include "ship/view.h"

enum fact {
	FACT_NONE,
	FACT_UID,      /* of the record, hex: what a receiver drops repeats by */
	FACT_KIND,     /* "finding" */
	FACT_TIME,
	FACT_HOST,
	FACT_HOSTNAME, /* its first label */
	FACT_CODE,     /* what kind of thing happened: the rule's id, "repair:repair-end", "Microsoft-Windows-Security-Auditing:4625" */
	FACT_TITLE,    /* that in words, the same for all of its kind */
	FACT_SAYS,     /* what happened here, one sentence or more */
	FACT_ACTION,   /* "repair-end", "logon-failed" */
	FACT_OUTCOME,  /* "success", "failure", "unknown" */
	FACT_LEVEL,    /* severity's word */
	FACT_CATEGORY, FACT_TYPES, /* ECS event.category and event.type, words with commas */
	FACT_PRODUCT, FACT_VERSION,
	FACTS
};

/* Kinds of events whose fields have names in other schemas; bits. */
enum event_sort {
	SORT_LOGON = 1,    /* somebody proves who he is: Target* is he */
	SORT_ACCOUNT = 2,  /* Subject* changes Target* */
	SORT_GROUP = 4,    /* Target* is the group */
	SORT_PROCESS = 8,  /* 4688 */
	SORT_EXIT = 16,    /* 4689 */
	SORT_SERVICE = 32,
	SORT_TASK = 64,
	SORT_SYSMON = 128, /* Image and its kin */
	SORT_BY_SUBJECT = SORT_ACCOUNT | SORT_GROUP | SORT_PROCESS | SORT_EXIT | SORT_TASK, /* Subject* did it */
	SORT_WITH_SUBJECT = SORT_BY_SUBJECT | SORT_LOGON,
	SORT_WITH_TARGET = SORT_LOGON | SORT_ACCOUNT | SORT_GROUP,
};

struct event_kind {
	const char *provider;
	int64_t id;
	unsigned sort;
	const char *category, *types, *action; /* ECS: event.category, event.type ("user,creation"), event.action */
};

const struct event_kind *event_kind_of(const struct record_view *v); /* NULL: none that other schemas have names for */

#define FACT_WORDS 256

struct facts {
	const struct sink_config *sink; /* its labels, app and hostname */
	const struct record_view *v;
	const struct severity *severity;
	const struct event_kind *event; /* NULL as above */
	int64_t time;                   /* us; 0: unknown */
	bool cut;                       /* a text below was longer than its place */
	const char *text[FACTS];        /* never NULL; "" when there is nothing to say */
	char code[FACT_WORDS], title[FACT_WORDS], action[64], host[FACT_WORDS], when[32];
};

/* Lives as long as c and v; nothing to close. */
void facts_open(struct facts *f, const struct sink_config *c, const struct record_view *v);
/* A member of the record by its path, "body.proof.ok"; NULL: there is none. */
const struct json *facts_member(const struct facts *f, const char *path);

/* MITRE ATT&CK in the tags of a rule: "attack.t1059.001", "attack.credential-access". */
struct attack {
	bool technique;
	char id[16];      /* "T1059.001", "TA0006" */
	const char *name; /* of a tactic; "" for a technique: the tag does not say it */
};

bool attack_parse(const char *tag, struct attack *a); /* false: it is none */

#endif
