/* policy.c - may this plan run now?
 *
 * Exists so that permission is one pure function that a test can read as a table. Promises: the first reason against it is the one
 * that is told; what is unknown refuses; observe never acts, whoever asks; a person's approval overrides the rate of automatic
 * repairs and nothing else. Refuses to act on an empty plan, on facts that leave another cause open, while somebody holds,
 * while others are at work, and while our own senses are in doubt. */
#include "heal/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

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

static void say(struct policy_decision *to, enum policy_answer answer, int64_t not_before, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct policy_decision *to, enum policy_answer answer, int64_t not_before, const char *fmt, ...)
{
	va_list args;

	to->answer = answer;
	to->not_before = not_before;
	va_start(args, fmt);
	(void)vsnprintf(to->why, sizeof(to->why), fmt, args);
	va_end(args);
}

/* Reasons that no approval overrides. */
static bool forbidden(const struct policy_input *in, struct policy_decision *to)
{
	const struct verdict *v = &in->d->verdict;

	if (v->repairable == REPAIR_NEVER)
		say(to, POLICY_ADVISE, 0, "%s is told, never repaired by evmend", v->name);
	else if (in->d->plan.n == 0)
		say(to, POLICY_ADVISE, 0, "there is no step to take: %s",
			in->d->plan.why_empty[0] ? in->d->plan.why_empty : "the state is what it should be");
	else if (v->n_not_excluded != 0)
		say(to, POLICY_REFUSE, 0, "%s is not excluded, since its facts are unknown: no repair starts on a guess", v->not_excluded[0]);
	else if (in->mode == MODE_OBSERVE)
		say(to, POLICY_ADVISE, 0, "the mode is observe: nothing is changed; 'mode: approve' lets a person decide");
	else if (in->held)
		say(to, POLICY_REFUSE, 0, "a person holds all changes: 'evmend hold --off' ends that");
	else if (in->hold_file)
		say(to, POLICY_REFUSE, 0, "the hold file %s exists: nothing is changed until it is removed", in->config->hold_file);
	else if (in->tilt)
		say(to, POLICY_REFUSE, 0, "our own clock or state is in doubt: observing only, until 60 s of calm have passed");
	else if (in->busy)
		say(to, POLICY_REFUSE, 0, "others are at work on the host: %s", in->busy_what ? in->busy_what : "busy");
	else
		return false;
	return true;
}

/* One in a day and host, twice as long after each repair that held and broke again; so many in a day over all hosts. */
static bool too_often(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	int64_t newest = 0, oldest_today = 0, wait;
	int mine = 0, today = 0, fleet = 0;
	int64_t fleet_oldest = 0;
	char when[32];

	for (size_t i = 0; i < in->n_repairs; i++) {
		bool own = text_same(in->repairs[i].host, host), recent = in->repairs[i].at > in->now - US_DAY;

		if (own && newest == 0)
			newest = in->repairs[i].at;
		mine += own && in->repairs[i].ok && in->repairs[i].at > in->now - 30 * US_DAY;
		today += own && recent;
		fleet += recent;
		if (own && recent)
			oldest_today = in->repairs[i].at;
		if (recent)
			fleet_oldest = in->repairs[i].at;
	}
	if (today >= in->config->per_host_day && today > 0) {
		int64_t until = oldest_today + US_DAY;

		say(to, POLICY_REFUSE, until, "%d repair of this host in 24 h is the limit: not before %s; a person may approve it now",
			in->config->per_host_day, time_text(until, when));
		return true;
	}
	wait = mine > 1 ? US_DAY << (mine - 1 < 5 ? mine - 1 : 5) : 0;
	if (newest + wait > in->now && wait > 0) {
		say(to, POLICY_REFUSE, newest + wait, "%d repairs of this host held and broke again: not before %s; a person may approve it now",
			mine, time_text(newest + wait, when));
		return true;
	}
	if (fleet >= in->config->per_fleet_day && fleet > 0) {
		say(to, POLICY_REFUSE, fleet_oldest + US_DAY, "%d repairs of all hosts in 24 h is the limit: not before %s; is there one cause?",
			in->config->per_fleet_day, time_text(fleet_oldest + US_DAY, when));
		return true;
	}
	return false;
}

void policy_decide(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	bool by_person = in->approved || in->asked_by_person, approval_only = in->d->verdict.repairable == REPAIR_BY_APPROVAL;

	memset(to, 0, sizeof(*to));
	if (forbidden(in, to))
		return;
	for (size_t i = 0; i < in->d->plan.n; i++)
		approval_only = approval_only || in->d->plan.steps[i].by_approval_only;
	if (by_person)
		say(to, POLICY_GO, 0, "a person approved this plan");
	else if (in->failed_before)
		say(to, POLICY_ASK, 0, "the last repair of this host failed: only a person starts another");
	else if (approval_only)
		say(to, POLICY_ASK, 0, "%s is repaired by approval only", in->d->verdict.name);
	else if (in->mode == MODE_APPROVE)
		say(to, POLICY_ASK, 0, "the mode is approve: a person decides");
	else if (!too_often(in, host, to))
		say(to, POLICY_GO, 0, "the mode is auto, and nothing stands against it");
}
