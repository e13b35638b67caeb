/* policy.c - may this plan run now?
 *
 * Exists so that permission is one pure function that a test can read as a table. Promises: the first reason against it is the one
 * that is told, with the earliest time at which no reason that ends by itself is left; what is unknown refuses; observe never acts,
 * whoever asks; a person's approval of this plan overrides what limits automatic repairs and nothing else. Refuses to act on an
 * empty plan, on facts that leave another cause open, while somebody holds, while others are at work or may be, while our own
 * senses are in doubt, and when so many hosts suffer at once that one cause is behind them. */
#include "heal/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "heal/fact.h"

#define DOUBLINGS 5 /* the distance between repairs that do not last grows up to 32 days */

static const char *const modes[] = {"observe", "approve", "auto"};

bool policy_mode_parse(const char *s, enum policy_mode *m)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(s, modes[i]) == 0) {
			*m = (enum policy_mode)i;
			return true;
		}
	return false;
}

const char *policy_mode_text(enum policy_mode m)
{
	return modes[m];
}

struct policy_config policy_defaults(void)
{
	return (struct policy_config){
		.mode = MODE_OBSERVE, .per_host_day = 1, .per_group_day = 3, .per_fleet_day = 3, .blast_hosts = 3, .blast_within = US_HOUR,
		.settle = US_MINUTE, .approval_life = 30 * US_MINUTE, .step_limit = 30 * US_SECOND, .repair_limit = 5 * US_MINUTE,
	};
}

static bool because(struct policy_decision *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool because(struct policy_decision *to, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(to->why, sizeof(to->why), fmt, args);
	va_end(args);
	return true;
}

/* ---- reasons that no approval overrides ---- */

static bool is_advice_only(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->d->verdict.repairable == REPAIR_NEVER && because(to, "%s is told, never repaired by evmend", in->d->verdict.name);
}

static bool has_no_step(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	const struct plan *p = &in->d->plan;

	(void)host;
	return p->n == 0 &&
		because(to, "there is no step to take: %s", p->why_empty[0] ? p->why_empty : "the state is what it should be");
}

static bool is_a_guess(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	const struct verdict *v = &in->d->verdict;

	(void)host;
	return v->n_not_excluded != 0 &&
		because(to, "%s is not excluded, since its facts are unknown: no repair starts on a guess", v->not_excluded[0]);
}

static bool only_observes(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->mode == MODE_OBSERVE && because(to, "the mode is observe: nothing is changed; 'mode: approve' lets a person decide");
}

static bool is_held(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	if (!in->held)
		return false;
	to->not_before = in->held_until;
	return because(to, "changes are %.200s", in->held_why ? in->held_why : "held");
}

static bool has_hold_file(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->hold_file && because(to, "the hold file %s exists: nothing is changed until it is removed",
		in->config->hold_file ? in->config->hold_file : "");
}

static bool is_in_doubt(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->tilt && because(to, "our own clock or state is in doubt: observing only, until 60 s of calm have passed");
}

static bool is_busy(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	if (in->busy == TRI_UNKNOWN)
		return because(to, "whether others are at work on %s is unknown: no repair starts on a guess", host);
	return in->busy == TRI_YES && because(to, "others are at work on %s: %s", host, in->busy_what ? in->busy_what : "busy");
}

/* ---- reasons for a person to decide ---- */

static bool failed_before(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	return in->failed_before && because(to, "the last repair of %s failed: only a person starts another", host);
}

static bool needs_a_word(const struct diagnosis *d)
{
	bool needs = d->verdict.repairable == REPAIR_BY_APPROVAL;

	for (size_t i = 0; i < d->plan.n; i++)
		needs = needs || d->plan.steps[i].by_approval_only;
	return needs;
}

static bool needs_approval(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return needs_a_word(in->d) && because(to, "%s is repaired by approval only", in->d->verdict.name);
}

static bool asks_always(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->mode == MODE_APPROVE && because(to, "the mode is approve: a person decides");
}

/* ---- limits of automatic repairs ---- */

/* Many hosts at once have one cause, and it is not on each of them: it would come back, or a repair would be the wrong thing. */
static bool is_wide(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	char span[32];

	(void)host;
	return in->alike > in->config->blast_hosts &&
		because(to, "%s and its like began on %d hosts within %s, more than %d: is there one cause?", in->d->verdict.name,
			in->alike, span_text(in->config->blast_within, span), in->config->blast_hosts);
}

/* Has the limit been reached, and until when? A limit of 0 is reached for ever. */
static bool reached(const struct policy_tail *t, int limit, int64_t now, struct policy_decision *to)
{
	if (t->n < limit)
		return false;
	to->not_before = limit > 0 ? t->nth + US_DAY : 0;
	return limit == 0 || to->not_before > now;
}

static bool host_is_full(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	return reached(&in->host, in->config->per_host_day, in->now, to) &&
		because(to, "%s was repaired and broke again: %d repair(s) of one host in 24 h is the limit", host,
			in->config->per_host_day);
}

static bool breaks_again(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	int times = in->healed_lately - 1 < DOUBLINGS ? in->healed_lately - 1 : DOUBLINGS, limit = in->config->per_host_day;

	if (times < 1 || limit < 1)
		return false;
	to->not_before = in->newest + (US_DAY / limit << times);
	return to->not_before > in->now &&
		because(to, "%d repairs of %s held and broke again: each waits twice as long", in->healed_lately, host);
}

static bool group_is_full(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return in->n_group != 0 && reached(&in->group, in->config->per_group_day, in->now, to) &&
		because(to, "%d repairs of one group in 24 h is the limit: is there one cause?", in->config->per_group_day);
}

static bool fleet_is_full(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	return reached(&in->fleet, in->config->per_fleet_day, in->now, to) &&
		because(to, "%d repairs of all hosts in 24 h is the limit: is there one cause?", in->config->per_fleet_day);
}

static bool is_closed(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)host;
	to->not_before = window_next(in->config->windows, in->config->n_windows, in->now);
	return to->not_before > in->now && because(to, "no maintenance window is open");
}

/* ---- the table ---- */

const struct policy_rule policy_rules[] = {
	/* name           answer         yields escalates */
	{"advice-only",   POLICY_ADVISE, false, false, is_advice_only},
	{"no-step",       POLICY_ADVISE, false, false, has_no_step},
	{"unknown-facts", POLICY_REFUSE, false, false, is_a_guess},
	{"observe",       POLICY_ADVISE, false, false, only_observes},
	{"hold",          POLICY_REFUSE, false, false, is_held},
	{"hold-file",     POLICY_REFUSE, false, false, has_hold_file},
	{"tilt",          POLICY_REFUSE, false, false, is_in_doubt},
	{"busy",          POLICY_REFUSE, false, false, is_busy},
	{"failed-before", POLICY_ASK,    true,  false, failed_before},
	{"approval-only", POLICY_ASK,    true,  false, needs_approval},
	{"approve-mode",  POLICY_ASK,    true,  false, asks_always},
	{"blast-radius",  POLICY_REFUSE, true,  true,  is_wide},
	{"breaks-again",  POLICY_REFUSE, true,  true,  breaks_again},
	{"host-limit",    POLICY_REFUSE, true,  true,  host_is_full},
	{"group-limit",   POLICY_REFUSE, true,  true,  group_is_full},
	{"fleet-limit",   POLICY_REFUSE, true,  true,  fleet_is_full},
	{"window",        POLICY_REFUSE, true,  false, is_closed},
	{.name = NULL},
};

static bool approval_fits(const struct policy_input *in)
{
	const struct policy_approval *a = &in->approval;

	return a->there && a->at <= in->now && in->now < a->until && memcmp(a->plan_id, in->d->plan.id, 32) == 0;
}

/* What remains of a repair that was permitted and begun is finished, and neither a second approval nor a limit stands in its
 * way; but that which needs a person's word needs it still. */
static bool is_permitted(const struct policy_input *in)
{
	return in->asked_by_person || approval_fits(in) || (in->resumed && !needs_a_word(in->d));
}

/* Later reasons may end later; and a time at which no window is open is of no use. */
static void put_off(const struct policy_rule *later, const struct policy_input *in, const char *host, struct policy_decision *to)
{
	for (; later->name != NULL; later++) {
		struct policy_decision other = {.not_before = 0};

		if (later->applies(in, host, &other) && other.not_before > to->not_before)
			to->not_before = other.not_before;
	}
	if (to->not_before != INT64_MAX)
		to->not_before = window_next(in->config->windows, in->config->n_windows, to->not_before);
}

static void say_end(const struct policy_rule *rule, struct policy_decision *to)
{
	size_t n = strlen(to->why);
	char when[32];

	if (to->not_before == INT64_MAX) /* windows that never open */
		to->not_before = 0;
	if (to->answer == POLICY_REFUSE && to->not_before != 0)
		say_text(to->why + n, sizeof(to->why) - n, "; not before %s%s", time_text(to->not_before, when),
			rule->yields ? ", unless a person approves it" : "");
	else if (to->answer == POLICY_REFUSE && rule->yields)
		say_text(to->why + n, sizeof(to->why) - n, "; a person may approve it");
}

void policy_decide_by(const struct policy_rule *rules, const struct policy_input *in, const char *host, struct policy_decision *to)
{
	bool permitted = is_permitted(in);

	for (const struct policy_rule *r = rules; r->name != NULL; r++) {
		memset(to, 0, sizeof(*to));
		if ((r->yields && permitted) || !r->applies(in, host, to))
			continue;
		to->answer = r->answer;
		to->reason = r->name;
		to->escalate = r->escalates;
		to->yields = r->yields;
		if (r->yields && to->not_before != 0)
			put_off(r + 1, in, host, to);
		say_end(r, to);
		return;
	}
	memset(to, 0, sizeof(*to));
	to->answer = POLICY_GO;
	to->reason = permitted ? "approved" : "free";
	(void)because(to, permitted ? "a person approved this plan" : "the mode is auto, and nothing stands against it");
}

void policy_decide(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	policy_decide_by(policy_rules, in, host, to);
}
