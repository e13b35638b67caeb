/* patient.c - one host: when it is read, what follows from what was read, and its repair.
 *
 * Exists so that each host is a small state machine of its own. Promises: at most one diagnosis in DIAGNOSE_GAP; what a diagnosis
 * says moves all cases of the host that ask; a refusal is told once, with its "not before"; nothing is acted upon in TILT.
 * Refuses to start a repair whose policy was not asked for this very plan. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/chart.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "host/host_pipe.h"

static int64_t mono(const struct patient *p)
{
	return clock_monotonic(p->healer->o.clock);
}

static int64_t wall(const struct patient *p)
{
	return clock_wall(p->healer->o.clock);
}

static const char *name(const struct patient *p)
{
	return p->config->config.name;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void patient_soon(struct patient *p, int64_t not_before)
{
	int64_t at = later(not_before, p->last ? p->last + DIAGNOSE_GAP : 0);

	if (at < p->due)
		p->due = at;
}

static void plan_next(struct patient *p, int64_t in)
{
	int64_t every = p->healer->o.diagnose_every;

	if (in == 0 || (every != 0 && every < in))
		in = every;
	p->due = in == 0 ? INT64_MAX : mono(p) + in;
}

static struct host *open_host(void *arg, int64_t deadline, struct err *e)
{
	struct patient *p = arg;
	const struct healer_options *o = &p->healer->o;

	if (o->open_host)
		return o->open_host(o->open_arg, &p->config->config, deadline, e);
	return host_pipe_open(&p->config->config, o->process, o->clock, deadline, e);
}

static void log_line(struct patient *p, enum log_level level, const char *what, const char *text)
{
	if (p->healer->o.log)
		log_say(p->healer->o.log, level, what, "host", name(p), "text", text, NULL);
}

static void say(void *arg, const char *line)
{
	log_line(arg, LOG_INFO, "repair", line);
}

/* heal.db does not take what we have to say: no acting until it does. */
static void trouble(struct patient *p, const struct err *e)
{
	text_copy(p->trouble, sizeof(p->trouble), e->text);
	log_line(p, LOG_ERROR, "state", e->text);
	healer_tilt(p->healer, e->text);
	plan_next(p, RETRY_GAP);
}

/* The hosts of this one's group; none when it is in none. */
static size_t group_of(const struct patient *p, const char **to)
{
	const struct healer_options *o = &p->healer->o;
	const char *group = p->config->config.group;
	size_t n = 0;

	for (size_t i = 0; group != NULL && i < o->n_hosts; i++)
		if (o->hosts[i].config.group != NULL && strcmp(o->hosts[i].config.group, group) == 0)
			to[n++] = o->hosts[i].config.name;
	return n;
}

static int decide(struct patient *p, const struct diagnosis *d, enum tri busy, const char *what, bool resumed,
	struct policy_decision *to,
	struct err *e)
{
	struct chart_texts *texts = xcalloc(1, sizeof(*texts));
	const char **group = xcalloc(p->healer->o.n_hosts + 1, sizeof(*group));
	struct policy_input in = {.config = p->healer->o.policy, .mode = p->config->mode, .busy = busy, .busy_what = what,
		.tilt = healer_tilted(p->healer), .resumed = resumed, .group_hosts = group, .n_group = group_of(p, group)};
	int r = chart_policy_input(p->healer->db, wall(p), name(p), d, &in, texts, e);

	if (r == 0)
		policy_decide(&in, name(p), to);
	free(group);
	free(texts);
	return r;
}

static int permit(void *arg, const struct diagnosis *d, enum tri busy, const char *what, bool resumed, struct policy_decision *to,
	struct err *e)
{
	return decide(arg, d, busy, what, resumed, to, e);
}

static bool must_stop(void *arg)
{
	struct patient *p = arg;
	struct err e;
	char why[200];

	return healer_tilted(p->healer) || chart_hold_file(p->healer->o.policy->hold_file) ||
		hold_active(p->healer->db, wall(p), name(p), NULL, why, &e) != 0;
}

struct repair_options patient_options(struct patient *p, const char *by, int64_t case_id)
{
	return (struct repair_options){
		.db = p->healer->db, .clock = p->healer->o.clock, .remedy = p->remedy, .policy = p->healer->o.policy, .host_name = name(p),
		.by = by, .who = p->healer->o.who, .case_id = case_id, .arg = p, .open = open_host, .permit = permit, .stop = must_stop,
		.say = say,
	};
}

/* ---- what follows from a diagnosis ---- */

/* A refusal is told once: see chart_refusal. */
static int tell_refusal(struct patient *p, int64_t case_id, const struct diagnosis *d, const struct policy_decision *decision,
	struct err *e)
{
	int told = chart_refusal(p->healer->db, wall(p), name(p), case_id, d->verdict.name, d->plan.id, decision, e);

	if (told == 1)
		log_line(p, decision->escalate ? LOG_WARN : LOG_INFO, "refused", decision->why);
	return told < 0 ? -1 : 0;
}

/* The cases take the entry; if none asks, a case of our own is opened for it. */
static int tell_cases(struct patient *p, const struct chart_entry *entry, const char *cause, int64_t *case_id, struct err *e)
{
	if (*case_id == 0 && cause != NULL)
		return chart_own_case(p->healer->db, wall(p), name(p), cause, entry, case_id, e);
	return chart_cases(p->healer->db, wall(p), name(p), entry, e);
}

struct sorting {
	int64_t fresh[256], known[256];
	size_t n_fresh, n_known;
	unsigned noted; /* set of causes: each has a note that keeps its case open */
};

static int sort_case(void *arg, const struct heal_case *c)
{
	struct sorting *s = arg;

	if (!c->asks || (c->cause >= 0 && s->noted >> c->cause & 1))
		return 0;
	if (c->verdict[0] == '\0' || strcmp(c->verdict, "UNKNOWN") == 0) {
		if (s->n_fresh < 256)
			s->fresh[s->n_fresh++] = c->id;
	} else if (s->n_known < 256) {
		s->known[s->n_known++] = c->id;
	}
	return 0;
}

static int move_one(struct patient *p, int64_t id, enum case_state state, const char *text, const struct diagnosis *d,
	struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int r = case_store_get(p->healer->db, id, c, e);

	if (r == 1) {
		text_copy(c->verdict, sizeof(c->verdict), d->verdict.name);
		text_copy(c->text, sizeof(c->text), text);
		diagnosis_advice(d, NULL, c->advice, sizeof(c->advice));
		c->has_plan = false;
		c->approval_until = c->not_before = 0;
		r = case_store_state(p->healer->db, wall(p), c, state, e);
	}
	free(c);
	return r < 0 ? -1 : 0;
}

/* A note such as "expires soon" keeps a case of its own open while the back end is well. */
static int advise_note(struct patient *p, const struct diagnosis *d, const struct note *n, struct err *e)
{
	struct chart_entry entry = {.state = CASE_ADVISED, .text = n->name, .advice = n->text};
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int64_t id;
	int r = case_store_open_of(p->healer->db, name(p), case_cause_index(n->cause), c, e);

	if (r == 0)
		r = chart_own_case(p->healer->db, wall(p), name(p), n->cause, &entry, &id, e);
	else if (r == 1 && c->asks) {
		text_copy(c->verdict, sizeof(c->verdict), d->verdict.name);
		text_copy(c->text, sizeof(c->text), n->name);
		text_copy(c->advice, sizeof(c->advice), n->text);
		r = case_store_state(p->healer->db, wall(p), c, CASE_ADVISED, e);
	}
	free(c);
	return r < 0 ? -1 : 0;
}

static int healthy(struct patient *p, const struct diagnosis *d, struct err *e)
{
	struct sorting *s = xcalloc(1, sizeof(*s));
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->verdict.n_notes; i++) {
		int cause = case_cause_index(d->verdict.notes[i].cause);

		if (cause >= 0) {
			s->noted |= 1u << cause;
			r = advise_note(p, d, &d->verdict.notes[i], e);
		}
	}
	if (r == 0)
		r = case_store_each(p->healer->db, name(p), true, sort_case, s, e);
	for (size_t i = 0; r == 0 && i < s->n_fresh; i++)
		r = move_one(p, s->fresh[i], CASE_REFUTED, "refuted: HEALTHY_NOW, the back end works with its own valid certificate", d, e);
	for (size_t i = 0; r == 0 && i < s->n_known; i++) {
		if (d->verdict.smtp_open)
			r = move_one(p, s->known[i], CASE_ADVISED, "back end healed; SMTP open", d, e);
		else
			r = move_one(p, s->known[i], CASE_HEALED, "healed: the back end works again with its own valid certificate", d, e);
	}
	free(s);
	plan_next(p, 0);
	return r < 0 ? r : chart_refusals_end(p->healer->db, name(p), e);
}

/* A person was called when the repair failed: that stays so, with the evidence, until he decides. */
static int stay_escalated(struct patient *p, const struct diagnosis *d, const struct policy_decision *decision, int64_t case_id,
	struct err *e)
{
	char advice[1200], why[600];
	struct chart_entry entry = {.state = CASE_ESCALATED, .d = d, .advice = advice, .keep_call = true};
	int r;

	say_text(why, sizeof(why), "%s: 'evmend approve %lld' lets this plan run", decision->why, (long long)case_id);
	diagnosis_advice(d, why, advice, sizeof(advice));
	plan_next(p, 0);
	r = chart_cases(p->healer->db, wall(p), name(p), &entry, e);
	return r < 0 ? -1 : chart_refusals_end(p->healer->db, name(p), e);
}

static int ask_person(struct patient *p, const struct diagnosis *d, const struct policy_decision *decision, int64_t *case_id,
	struct err *e)
{
	int64_t life = p->healer->o.policy->approval_life;
	struct chart_entry entry = {.state = CASE_WAITING_APPROVAL, .d = d, .approval_until = wall(p) + life};
	char advice[1200], when[32], why[600];
	struct heal_case *c;
	int r;

	/* the question knows its case's number only once the case is there */
	if (*case_id == 0 && chart_own_case(p->healer->db, wall(p), name(p), d->verdict.cause, &(struct chart_entry){.state = CASE_OPEN,
		.d = d},
	    case_id, e) < 0)
		return -1;
	if (strcmp(decision->reason, "failed-before") == 0)
		return stay_escalated(p, d, decision, *case_id, e);
	c = xcalloc(1, sizeof(*c));
	r = case_store_get(p->healer->db, *case_id, c, e);
	if (r == 1 && c->state == CASE_WAITING_APPROVAL && memcmp(c->plan_id, d->plan.id, 32) == 0 && c->approval_until > wall(p))
		entry.approval_until = c->approval_until; /* the same question: its end does not move */
	free(c);
	if (r < 0)
		return -1;
	say_text(why, sizeof(why), "%s: 'evmend approve %lld' before %s lets this plan run; if nobody does, nothing is changed and the "
		"question is "
		"asked again", decision->why, (long long)*case_id, time_text(entry.approval_until, when));
	diagnosis_advice(d, why, advice, sizeof(advice));
	entry.advice = advice;
	plan_next(p, entry.approval_until - wall(p) + US_SECOND);
	if (chart_refusals_end(p->healer->db, name(p), e) < 0)
		return -1;
	return tell_cases(p, &entry, d->verdict.cause, case_id, e);
}

/* A person was called for this host and has not decided: 1; 0; -1. What is only for a while does not take that back. */
static int is_escalated(struct patient *p, int64_t case_id, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(p->healer->db, case_id, c, e);

	if (got == 1)
		got = c->state == CASE_ESCALATED;
	free(c);
	return got;
}

static int advise(struct patient *p, const struct diagnosis *d, const struct policy_decision *decision, int64_t *case_id,
	struct err *e)
{
	struct chart_entry entry = {.state = CASE_ADVISED, .d = d, .not_before = decision->not_before, .keep_call = true};
	char advice[1200], why[200];
	int held = hold_active(p->healer->db, wall(p), name(p), NULL, why, e), called = is_escalated(p, *case_id, e);

	if (held < 0 || called < 0)
		return -1;
	if (decision->escalate || (called && (decision->answer == POLICY_REFUSE || d->verdict.cause == NULL)))
		entry.state = CASE_ESCALATED;
	else if (decision->answer == POLICY_REFUSE && held)
		entry.state = CASE_HELD;
	diagnosis_advice(d, decision->why, advice, sizeof(advice));
	entry.advice = advice;
	if (tell_cases(p, &entry, d->verdict.cause, case_id, e) < 0)
		return -1;
	if (decision->answer != POLICY_REFUSE) {
		plan_next(p, 0);
		return chart_refusals_end(p->healer->db, name(p), e);
	}
	plan_next(p, decision->not_before > wall(p) ? decision->not_before - wall(p) : RETRY_GAP);
	return tell_refusal(p, *case_id, d, decision, e);
}

static int start_repair(struct patient *p, const struct diagnosis *d, int64_t *case_id, struct err *e)
{
	struct chart_entry entry = {.state = CASE_DIAGNOSING, .d = d, .keep_call = true};
	struct repair_options o;
	char by[128] = "policy";
	int got = approval_find(p->healer->db, wall(p), name(p), d->plan.id, by, e);

	if (got < 0 || tell_cases(p, &entry, d->verdict.cause, case_id, e) < 0)
		return -1;
	o = patient_options(p, by, *case_id);
	p->repair = repair_begin(&o, d->plan.id);
	p->repair_due = mono(p);
	p->due = INT64_MAX;
	return 0;
}

/* A host whose last repair failed stays escalated until a person decides. */
static int conclude(struct patient *p, const struct diagnosis *d, int64_t case_id, struct err *e)
{
	struct policy_decision decision;
	bool news = memcmp(p->told_plan, d->plan.id, 32) != 0;

	if (news && chart_diagnosis(p->healer->db, wall(p), name(p), case_id, d, e) < 0)
		return -1;
	memcpy(p->told_plan, d->plan.id, 32);
	if (d->verdict.healthy)
		return healthy(p, d, e);
	/* who is at work there is asked when it comes to acting */
	if (decide(p, d, TRI_NO, NULL, false, &decision, e) < 0)
		return -1;
	switch (decision.answer) {
	case POLICY_GO:
		return start_repair(p, d, &case_id, e);
	case POLICY_ASK:
		return ask_person(p, d, &decision, &case_id, e);
	default:
		return advise(p, d, &decision, &case_id, e);
	}
}

static void unreachable(struct patient *p, int64_t case_id, const struct err *e)
{
	struct chart_entry entry = {.state = CASE_OPEN, .text = p->trouble, .keep_call = true};
	struct err ignored;

	if (is_escalated(p, case_id, &ignored) == 1)
		entry.state = CASE_ESCALATED;
	say_text(p->trouble, sizeof(p->trouble), "the host could not be diagnosed: %s", e->text);
	log_line(p, LOG_WARN, "diagnosis", e->text);
	if (chart_cases(p->healer->db, wall(p), name(p), &entry, &ignored) < 0)
		healer_tilt(p->healer, ignored.text);
	plan_next(p, RETRY_GAP);
}

static int look(struct patient *p, const struct suspicion *s, struct diagnosis *d, struct err *e)
{
	int64_t limit = p->healer->o.policy->step_limit;
	struct host *h = open_host(p, mono(p) + limit, e);
	int r;

	if (h == NULL)
		return -1;
	r = diagnose(p->remedy, h, p->healer->o.clock, mono(p) + 2 * limit, s, d, e);
	h->ops->close(h);
	return r;
}

/* A repair that the ledger lost sight of is as one that a crash ended: nothing else is done on this host before it. */
static void take_up(struct patient *p)
{
	struct db *db = p->healer->db;
	struct heal_repair row;
	struct err e;
	int got = repair_row_unended(db, name(p), &row, &e);

	/* writing the row as it is shows whether heal.db takes anything: the host is not asked before */
	if (got < 0 || (got == 1 && repair_row_put(db, &row, &e) < 0) || repair_mark_interrupted(db, wall(p), &e) < 0 ||
	    patient_resume(p, &e) < 0) {
		trouble(p, &e);
		p->due = mono(p) + LOST_GAP;
		return;
	}
	p->lost = false;
	if (p->repair == NULL)
		patient_soon(p, mono(p));
}

void patient_diagnose(struct patient *p)
{
	struct diagnosis *d;
	struct suspicion s;
	struct err e = {.code = ERR_NONE};
	int64_t case_id;

	p->due = INT64_MAX;
	if (p->lost) {
		take_up(p);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	if (chart_suspicion(p->healer->db, name(p), &s, &case_id, &e) < 0) {
		trouble(p, &e);
	} else if (look(p, &s, d, &e) < 0) {
		p->last = mono(p);
		unreachable(p, case_id, &e);
	} else {
		p->last = mono(p);
		p->trouble[0] = '\0';
		text_copy(p->verdict, sizeof(p->verdict), d->verdict.name);
		if (conclude(p, d, case_id, &e) < 0)
			trouble(p, &e);
	}
	free(d);
}

/* ---- the repair that is under way ---- */

/* Nothing was begun: the next diagnosis sees what is true by then. */
static void refused(struct patient *p, struct repair *r)
{
	struct policy_decision decision = *repair_decision(r);
	const struct diagnosis *d = repair_diagnosis(r);
	struct chart_entry entry = {.state = CASE_ADVISED, .advice = decision.why, .keep_call = true};
	int64_t case_id = 0;
	struct suspicion s;
	struct err e;

	decision.answer = POLICY_REFUSE;
	decision.reason = decision.reason ? decision.reason : "not-begun";
	say_text(decision.why, sizeof(decision.why), "the repair was not begun: %s", repair_text(r));
	log_line(p, LOG_WARN, "repair", decision.why);
	if (chart_cases(p->healer->db, wall(p), name(p), &entry, &e) < 0 ||
	    chart_suspicion(p->healer->db, name(p), &s, &case_id, &e) < 0 ||
	    (d->verdict.name != NULL && tell_refusal(p, case_id, d, &decision, &e) < 0))
		trouble(p, &e);
	else
		plan_next(p, RETRY_GAP);
}

static void ended(struct patient *p)
{
	struct repair *r = p->repair;
	struct err e;

	p->repair = NULL;
	switch (repair_result(r)) {
	case REPAIR_REFUSED:
		refused(p, r);
		break;
	case REPAIR_LOST:
		(void)err_set(&e, ERR_IO, "%s", repair_text(r));
		trouble(p, &e);
		p->lost = true; /* taken up again as soon as heal.db is written */
		p->due = mono(p) + LOST_GAP;
		break;
	default:
		if (chart_refusals_end(p->healer->db, name(p), &e) < 0)
			trouble(p, &e);
		/* a look of our own after DIAGNOSE_GAP: nothing is believed for long */
		memset(p->told_plan, 0, sizeof(p->told_plan));
		p->due = mono(p) + DIAGNOSE_GAP;
		break;
	}
	repair_free(r);
}

void patient_repair(struct patient *p)
{
	p->repair_due = repair_step(p->repair);
	p->last = mono(p);
	if (p->repair_due == 0)
		ended(p);
}

int patient_resume(struct patient *p, struct err *e)
{
	struct heal_repair row;
	struct repair_options o;
	int got = repair_row_unended(p->healer->db, name(p), &row, e);

	if (got <= 0)
		return got;
	o = patient_options(p, row.by, row.case_id);
	p->repair = repair_resume(&o, &row);
	p->repair_due = mono(p);
	p->due = INT64_MAX;
	return 0;
}
