/* policy.h - may this plan run now? One pure function of (configuration, ledger tail, facts, clock, approvals).
 *
 * The reasons against a plan are a table (policy_rules) that is read from top to bottom: the first one that applies is the answer.
 * It reads no clock, no file and no database: chart.h puts the question together. */
#ifndef EVMEND_HEAL_POLICY_H
#define EVMEND_HEAL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heal/remedy.h"
#include "heal/window.h"

enum policy_mode { MODE_OBSERVE, MODE_APPROVE, MODE_AUTO };

struct policy_config { /* remedies.exchange_backend of the configuration */
	enum policy_mode mode;
	int per_host_day, per_group_day, per_fleet_day; /* repairs in 24 h: 1, 3, 3; 0: none on its own */
	int blast_hosts;                 /* 3: more hosts with one cause ... */
	int64_t blast_within;            /* ... that began within this of each other (1 h) are not repaired on their own */
	const struct policy_window *windows; /* when repairs may begin on their own; none: always */
	size_t n_windows;
	int64_t settle;                  /* 60 s */
	int64_t approval_life;           /* 30 min */
	int64_t step_limit, repair_limit;/* 30 s, 5 min */
	const char *hold_file;           /* while it exists nothing is changed */
};

struct policy_config policy_defaults(void); /* mode observe, the numbers above, no windows, no hold file */

enum policy_answer { POLICY_GO, POLICY_ASK, POLICY_ADVISE, POLICY_REFUSE };

/* What the ledger says of repairs that were begun within the last 24 h, by whomever. */
struct policy_tail {
	int n;
	int64_t nth; /* begin of the newest but (limit - 1): a day after it one more is within the limit; 0: n is below it */
};

struct policy_approval {
	bool there;           /* one that was not used */
	uint8_t plan_id[32];
	int64_t at, until;    /* holds from at on, ends with until */
};

struct policy_input {
	const struct policy_config *config;
	enum policy_mode mode;        /* of this host */
	const struct diagnosis *d;
	int64_t now;
	bool tilt;
	bool held, hold_file;
	int64_t held_until;           /* 0: until somebody ends it */
	const char *held_why;         /* "held ('evmend hold --off' ends that) by NAME: REASON"; NULL */
	enum tri busy;                /* are others at work on the host? TRI_NO also while nothing is to be done yet */
	const char *busy_what;
	struct policy_tail host, group, fleet;
	const char *const *group_hosts; /* configured names in this host's group, itself among them; for chart.h */
	size_t n_group;               /* 0: it is in none */
	int healed_lately;            /* repairs of this host in 30 days that healed it: each but the last one broke again since */
	int64_t newest;               /* begin of its newest repair in 30 days; 0: none */
	int alike;                    /* hosts, this one among them, whose trouble of this cause began about when this one's did */
	bool failed_before;           /* last repair of this host failed: only a person's approval starts another */
	struct policy_approval approval;
	bool asked_by_person;         /* `repair` on a terminal that was answered with yes counts as an approval, of that plan */
	bool resumed;                 /* what remains of steps that were permitted, a short while ago, and begun */
};

struct policy_decision {
	enum policy_answer answer;
	const char *reason;           /* the rule's stable name, "host-limit"; "free", "approved" for POLICY_GO */
	bool escalate;                /* a refusal that a person should see now */
	bool yields;                  /* no GO: a person's approval of this plan overrides it */
	int64_t not_before;           /* 0: none */
	char why[300];                /* one sentence */
};

/* host: its configured name, for the sentence. */
void policy_decide(const struct policy_input *in, const char *host, struct policy_decision *to);
bool policy_mode_parse(const char *s, enum policy_mode *m);
const char *policy_mode_text(enum policy_mode m);

/* One reason against a plan. */
struct policy_rule {
	const char *name;
	enum policy_answer answer;
	bool yields;    /* to a person's approval of this plan */
	bool escalates;
	/* true: it applies; fills why (without its end in time) and not_before (0: none). */
	bool (*applies)(const struct policy_input *in, const char *host, struct policy_decision *to);
};

extern const struct policy_rule policy_rules[]; /* ends with a NULL name */
/* policy_decide with another table: for tests, which drop and turn each rule to see that it is needed. */
void policy_decide_by(const struct policy_rule *rules, const struct policy_input *in, const char *host, struct policy_decision *to);

#endif
