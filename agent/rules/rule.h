/* rule.h - what a compiled rule says about itself. Immutable, owned by its ruleset. */
#ifndef EVMEND_RULES_RULE_H
#define EVMEND_RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_level { LEVEL_INFORMATIONAL, LEVEL_LOW, LEVEL_MEDIUM, LEVEL_HIGH, LEVEL_CRITICAL };
enum rule_kind { RULE_DETECTION, RULE_CORRELATION };

/* `evmend: then:`, a set. A rule can never ask for more than a diagnosis. */
enum rule_then { THEN_DIAGNOSE = 1, THEN_REMEMBER = 2, THEN_HEALED = 4 };

/* What an event was, for the notes of a diagnosis (`evmend: seen:`, a set): chooses notes, never permits a step. */
enum rule_seen {
	SEEN_CERT_DELETED = 1 << 0,       /* 1004 */
	SEEN_RECORD_DELETED = 1 << 1,     /* 15300, 119 for 444 */
	SEEN_SMTP_OWN_NAME = 1 << 2,      /* 12014 for the server's own name */
	SEEN_SMTP_OTHER = 1 << 3,         /* 12014 for another host name */
	SEEN_ITC_GONE = 1 << 4,           /* 12012, 12013, 12022, 12023, 12024 */
	SEEN_TLS_CONFIG = 1 << 5,         /* 36871, 36874, 36888 */
	SEEN_AUTH_CERT = 1 << 6,          /* 1003, 1309 with HMACProvider, OAuth 2004 */
	SEEN_FRONTEND_ENDPOINT = 1 << 7,  /* 15021 for 443 */
	SEEN_BACKEND_ENDPOINT = 1 << 8,   /* 15021 for 444 */
	SEEN_KEY_TROUBLE = 1 << 9,        /* 36869, 36870 of HTTP.SYS */
	SEEN_HOP_FAILED = 1 << 10,        /* Cafe-SendFailure */
	SEEN_EXPIRY = 1 << 11,            /* 12015..12018 */
	SEEN_RECORD_CREATED = 1 << 12,    /* 15301 for 444 */
	SEEN_SMTP_CERT_NAME = 1 << 13,    /* 12014 for <I>issuer<S>subject */
	SEEN_SMTP_EXPIRED = 1 << 14,      /* 12015, 12016 */
	SEEN_EDGE = 1 << 15,              /* EdgeSync 10104: its direct-trust certificate does not match. The last bit that cases/book.h keeps */
};

/* The causes a rule may name, in the order that messages number them by. */
#define RULE_CAUSES \
	"exchange-backend-certificate", "exchange-backend-site", "exchange-tls-configuration", "exchange-frontend-certificate", \
	"exchange-auth-certificate", "exchange-smtp-certificate", "exchange-certificate-expiry"

#define RULE_BUDGET_MOST 100000 /* findings; more is no budget */

/* `evmend: budget:`, how many findings about one host are told each by itself in a span of event time. */
struct rule_budget {
	uint32_t count; /* 0: not said */
	int64_t per;    /* us; 0: until a day was quiet */
};

struct rule {
	enum rule_kind kind;
	uint32_t index;     /* in the ruleset */
	const char *id, *name, *title; /* never NULL, "" when absent; id or name is there */
	const char *status;            /* as written; "" when absent */
	const char *file;
	int line;
	enum rule_level level;
	const char *const *tags;
	size_t n_tags;
	const char *product, *service, *category; /* of its logsource, as written; "" when it does not say */
	/* our own key */
	const char *cause;        /* NULL: none, the rule opens no case */
	const char *host_field;   /* NULL: System/Computer. Of a list the first; ruleset_hosts has all */
	const char *hint;         /* template with {host}, {field}; NULL */
	const char *disproved_by; /* NULL */
	unsigned then;            /* set of enum rule_then; 0: nothing */
	unsigned seen;            /* set of enum rule_seen */
	const char *consequence;  /* NULL, or the cause whose open case explains a match: then no finding of its own */
	bool silent;              /* referred to by correlations only: counts in the case, gives no finding */
	bool shadow;              /* on trial: counted, never told, opens no case */
	struct rule_budget budget;
};

const char *level_text(enum rule_level l);
bool level_parse(const char *s, enum rule_level *l);

#endif
