/* policy.h - may this plan run now? One pure function of (configuration, ledger tail, facts, clock, approvals). */
#ifndef EVMEND_HEAL_POLICY_H
#define EVMEND_HEAL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heal/remedy.h"

enum policy_mode { MODE_OBSERVE, MODE_APPROVE, MODE_AUTO };

struct policy_config { /* remedies.exchange_backend of the configuration */
	enum policy_mode mode;
	int per_host_day, per_fleet_day; /* 1, 3 */
	int64_t settle;                  /* 60 s */
	int64_t approval_life;           /* 30 min */
	int64_t step_limit, repair_limit;/* 30 s, 5 min */
	const char *hold_file;           /* while it exists nothing is changed */
};

enum policy_answer { POLICY_GO, POLICY_ASK, POLICY_ADVISE, POLICY_REFUSE };

struct policy_input {
	const struct policy_config *config;
	enum policy_mode mode;        /* of this host */
	const struct diagnosis *d;
	int64_t now;
	bool tilt, held, hold_file, busy;
	const char *busy_what;
	/* ledger tail: repairs (started) in the last 24 h, newest first */
	struct { const char *host; int64_t at; bool ok, failed; } repairs[32];
	size_t n_repairs;
	bool failed_before;           /* last repair of this host failed: only a person's approval starts another */
	bool approved;                /* an unexpired approval for this plan id */
	bool asked_by_person;         /* `repair` on a terminal that was answered with yes counts as an approval */
};

struct policy_decision {
	enum policy_answer answer;
	int64_t not_before;           /* 0: none */
	char why[300];                /* one sentence */
};

void policy_decide(const struct policy_input *in, const char *host, struct policy_decision *to);
bool policy_mode_parse(const char *s, enum policy_mode *m);
const char *policy_mode_text(enum policy_mode m);

#endif
