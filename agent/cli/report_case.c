/* report_case.c - a case for a person: verdict, facts, evidence, plan, what would disprove it, what happens next; and its whole course.
 *
 * Exists so that one page answers "what is it, how do you know, what will you do". Promises that every line comes from what was stored
 * when it happened: findings from the spool, the rest from the ledger. Refuses nothing; what the spool no longer has is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/report_build.h"
#include "heal/ledger.h"
#include "ship/spool.h"

#define MOMENTS 2000 /* of one case; more is cut at the end */
#define SHOWN 3      /* findings in the short form */
#define COURSE 14    /* moments in the short form */

struct moment {
	int64_t time, order;
	enum cli_colour tone;
	bool minor; /* not in the short form */
	char what[40], text[460];
};

struct gather {
	const struct heal_case *k;
	struct moment *moments;
	size_t n, findings;
	struct json *diagnosis;    /* the last one of this case's host, up to its end */
	int64_t diagnosed;         /* when */
	struct json *repaired;     /* the end of a repair that held, after that diagnosis; NULL */
	int64_t repaired_at;
	struct report *r;
	bool chain;                /* its course is the point: the findings stand there */
};

static const char *str(const struct json *o, const char *key)
{
	return json_str(json_get(o, key), "");
}

static struct moment *moment(struct gather *g, int64_t time, enum cli_colour tone, bool minor, const char *what)
{
	struct moment *m;

	if (g->n == MOMENTS)
		return NULL;
	m = &g->moments[g->n];
	*m = (struct moment){.time = time, .order = (int64_t)g->n++, .tone = tone, .minor = minor};
	text_copy(m->what, sizeof(m->what), what);
	return m;
}

/* ---- evidence: the findings that the spool still has ---- */

/* "1004, 15021": which events a finding stands on. */
static void evidence_text(const struct json *list, char *to, size_t n)
{
	int64_t last = -1;
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < json_len(list) && used < n; i++) {
		int64_t id = json_int(json_get(json_at(list, i), "event_id"), 0);

		if (id != last)
			used += (size_t)snprintf(to + used, n - used, "%s%lld", used ? ", " : "", (long long)id);
		last = id;
	}
}

static int on_finding(void *arg, const struct spool_record *record)
{
	struct gather *g = arg;
	struct json *j = record->kind == RECORD_FINDING ? json_parse(record->json, record->n, NULL) : NULL;
	const char *title = str(json_get(j, "rule"), "title");
	long long count = (long long)json_int(json_get(j, "count"), 1);
	char events[200], text[460], shown[460], when[32];
	struct moment *m;

	if (j == NULL || !text_same(str(j, "host"), g->k->host) || strcmp(str(j, "cause"), case_causes[g->k->cause]) != 0) {
		json_free(j);
		return 0;
	}
	evidence_text(json_get(j, "evidence"), events, sizeof(events));
	say_text(text, sizeof(text), "%s (%lld %s%s%s)", title, count, count == 1 ? "event" : "events", events[0] ? ": " : "", events);
	if (g->findings++ == SHOWN)
		report_where(g->r, REPORT_DETAIL);
	say_text(when, sizeof(when), "%.19s", str(j, "time"));
	say_text(shown, sizeof(shown), "%s%s%s%s", title, events[0] ? " (" : "", events, events[0] ? ")" : "");
	report_row(g->r, CLI_PLAIN, when, shown, "", "");
	m = moment(g, record->time, CLI_YELLOW, g->findings > SHOWN, "finding");
	if (m != NULL)
		text_copy(m->text, sizeof(m->text), text);
	json_free(j);
	return 0;
}

static int evidence(struct gather *g, const struct config *config, struct err *e)
{
	struct err none;
	struct spool *spool = spool_look(config->state_dir, &none);
	int r = 0;

	report_label(g->r, "Evidence", g->chain ? REPORT_DETAIL : REPORT_ALWAYS);
	if (spool != NULL)
		r = spool_each(spool, on_finding, g, e);
	spool_close(spool);
	report_where(g->r, g->chain ? REPORT_DETAIL : REPORT_ALWAYS);
	if (g->findings == 0)
		report_text(g->r, CLI_PLAIN, "%s", g->k->count ? "its findings are older than what the spool keeps; the SIEM has them" :
			"no event: the look at the host by the clock found it");
	if (g->findings > SHOWN && !g->chain) {
		report_where(g->r, REPORT_SHORT);
		report_text(g->r, CLI_DIM, "and %zu more", g->findings - SHOWN);
	}
	return r;
}

/* ---- the course: what the ledger has ---- */

static void proof_text(const struct json *proof, char *to, size_t n)
{
	const struct json *checks = json_get(proof, "checks");
	size_t yes = 0;

	for (size_t i = 0; i < json_len(checks); i++)
		yes += strcmp(str(json_at(checks, i), "value"), "yes") == 0;
	say_text(to, n, "%s (%zu of %zu checks)", str(proof, "summary"), yes, json_len(checks));
}

static void step_text(const struct json *body, char *to, size_t n)
{
	say_text(to, n, "step %lld of %lld: %s", (long long)json_int(json_get(body, "step"), 0), (long long)json_int(json_get(body, "of"), 0),
		str(body, "what"));
}

/* One line for one ledger record; the bodies are those that heal/ writes. */
static void tell(struct gather *g, const struct ledger_record *r, const struct json *body)
{
	const char *k = r->kind;
	bool ok = json_bool(json_get(body, "ok"), true), state = strcmp(k, "state") == 0;
	/* a step that was done is told by its intent and by the proof */
	struct moment *m = moment(g, r->time, CLI_PLAIN, state || (ok && strcmp(k, "outcome") == 0), k);

	if (m == NULL)
		return;
	if (strcmp(k, "diagnosis") == 0)
		say_text(m->text, sizeof(m->text), "%s: %s", str(json_get(body, "verdict"), "name"), str(json_get(body, "verdict"), "text"));
	else if (state)
		say_text(m->text, sizeof(m->text), "%s. %s", str(body, "state"), str(body, "text"));
	else if (strcmp(k, "refusal") == 0)
		say_text(m->text, sizeof(m->text), "%s", str(body, "why"));
	else if (strcmp(k, "approval") == 0 || strcmp(k, "close") == 0 || strcmp(k, "hold") == 0)
		say_text(m->text, sizeof(m->text), "by %s%s%s", str(body, "actor"), *str(body, "reason") ? ": " : "", str(body, "reason"));
	else if (strcmp(k, "repair-begin") == 0 || strcmp(k, "repair-resume") == 0)
		say_text(m->text, sizeof(m->text), "plan %.6s, by %s, %zu steps", str(body, "plan"), str(body, "by"),
			json_len(json_get(body, "steps")));
	else if (strcmp(k, "intent") == 0 || strcmp(k, "undo-intent") == 0)
		step_text(body, m->text, sizeof(m->text));
	else if (strcmp(k, "outcome") == 0 || strcmp(k, "undo-outcome") == 0)
		say_text(m->text, sizeof(m->text), "%s%s", ok ? "done. " : str(body, "error"), str(json_get(body, "result"), "detail"));
	else if (strcmp(k, "verify") == 0)
		proof_text(json_get(body, "proof"), m->text, sizeof(m->text));
	else
		say_text(m->text, sizeof(m->text), "%s%s%s", str(body, "result"), *str(body, "result") ? ": " : "", str(body, "text"));
	if (!ok || strcmp(k, "refusal") == 0 || strcmp(k, "interrupted") == 0)
		m->tone = CLI_YELLOW;
	if (strcmp(k, "repair-end") == 0)
		m->tone = strcmp(str(body, "result"), "healed") == 0 ? CLI_GREEN : CLI_RED;
}

/* One look at a host, one repair answers all its cases: what happened to the host while this case was open belongs to its course. */
static bool belongs(const struct heal_case *k, const struct ledger_record *r)
{
	if (r->case_id == k->id)
		return true;
	return text_same(r->host, k->host) && strcmp(r->kind, "state") != 0 && r->time >= k->opened &&
		(case_is_open(k->state) || r->time <= k->updated);
}

static int on_record(void *arg, const struct ledger_record *r)
{
	struct gather *g = arg;
	bool diagnosis = strcmp(r->kind, "diagnosis") == 0 && text_same(r->host, g->k->host), ours = belongs(g->k, r);
	struct json *body = diagnosis || ours ? json_parse_max(r->body, strlen(r->body), 1u << 20, NULL) : NULL;

	if (ours && body != NULL)
		tell(g, r, body);
	/* one that is written once for an unchanged state may be older than the case: then it must be the one that the case names */
	if (diagnosis && body != NULL && (ours || strcmp(str(json_get(body, "verdict"), "name"), g->k->verdict) == 0)) {
		json_free(g->diagnosis);
		g->diagnosis = body;
		g->diagnosed = r->time;
	} else if (ours && strcmp(r->kind, "repair-end") == 0 && strcmp(str(body, "result"), "healed") == 0) {
		json_free(g->repaired);
		g->repaired = body;
		g->repaired_at = r->time;
	} else {
		json_free(body);
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct moment *m = a, *n = b;

	if (m->time != n->time)
		return m->time < n->time ? -1 : 1;
	return m->order < n->order ? -1 : m->order > n->order;
}

/* The short form shows the first ones and the last ones that matter, and says how many it left out. */
static void course(struct gather *g)
{
	enum report_where whole = g->chain ? REPORT_ALWAYS : REPORT_DETAIL;
	size_t major = 0, at = 0, hidden;

	qsort(g->moments, g->n, sizeof(*g->moments), by_time);
	for (size_t i = 0; i < g->n; i++)
		major += !g->moments[i].minor;
	hidden = major > COURSE ? major - COURSE : 0;
	report_label(g->r, "Course", whole);
	for (size_t i = 0; i < g->n; i++) {
		const struct moment *m = &g->moments[i];
		bool middle = at >= COURSE / 2 && at < COURSE / 2 + hidden;

		if (!m->minor && at++ == COURSE / 2 && hidden != 0 && g->chain) {
			report_where(g->r, REPORT_SHORT);
			report_text(g->r, CLI_DIM, "and %zu more; --full shows all", hidden);
		}
		report_where(g->r, m->minor || middle ? REPORT_DETAIL : whole);
		report_moment(g->r, m->tone, m->time, m->what, m->text);
	}
}

/* ---- the page ---- */

static void next_text(const struct heal_case *k, const char *config, char *to, size_t n)
{
	char until[32] = "", not_before[32] = "";

	if (k->approval_until)
		time_text(k->approval_until, until);
	if (k->not_before)
		time_text(k->not_before, not_before);
	switch (k->state) {
	case CASE_WAITING_APPROVAL:
		say_text(to, n, "'evmend approve %lld%s' lets the plan run%s%.16s. If nobody does, nothing is changed.", (long long)k->id,
			config, until[0] ? ", until " : "", until);
		break;
	case CASE_HELD:
		say_text(to, n, "Held%s%.16s. Nothing is changed until then, unless a person approves it.", not_before[0] ? "; not before " : "",
			not_before);
		break;
	case CASE_ADVISED:
		say_text(to, n, "Nothing is changed by evmend; follow the advice. The host is looked at again by the clock.");
		break;
	case CASE_ESCALATED:
		say_text(to, n, "A person is needed: evmend does not try again by itself. 'evmend close %lld --reason TEXT%s' ends the case.",
			(long long)k->id, config);
		break;
	case CASE_SETTLING:
		say_text(to, n, "It must stay well for the settle time; then it counts as healed.");
		break;
	case CASE_HEALED:
	case CASE_REFUTED:
		say_text(to, n, "Closed after 24 hours of quiet.");
		break;
	default:
		say_text(to, n, "%s", k->state == CASE_CLOSED ? "" : "A diagnosis of the host decides.");
	}
}

static void title(struct report *r, const struct heal_case *k)
{
	char text[500], beside[600], first[32] = "", last[32] = "";
	bool well = k->state == CASE_HEALED || k->state == CASE_REFUTED || k->state == CASE_CLOSED;

	if (k->first)
		time_text(k->first, first);
	if (k->last)
		time_text(k->last, last);
	say_text(text, sizeof(text), "Case %lld on %s: %s%s%s", (long long)k->id, k->host, case_state_text(k->state),
		k->verdict[0] ? ", " : "", k->verdict);
	say_text(beside, sizeof(beside), "%s; %lld %s%s%.19s%s%.19s%s%s", case_causes[k->cause], (long long)k->count, k->count == 1 ? "event" : "events",
		first[0] ? ", " : "", first, first[0] ? " to " : "", last, k->reported_by[0] ? ", reported by " : "", k->reported_by);
	report_title(r, well ? CLI_GREEN : k->state == CASE_ESCALATED ? CLI_RED : CLI_YELLOW, text, beside);
}

/* What was done, in the place of a plan. */
static void repaired(const struct gather *g)
{
	char when[32], proof[460];

	proof_text(json_get(g->repaired, "proof"), proof, sizeof(proof));
	report_label(g->r, "Repaired", REPORT_ALWAYS);
	report_text(g->r, CLI_GREEN, "%.19sZ: %s", time_text(g->repaired_at, when), proof);
}

/* The facts, and when they were read; behind a repair they are those before it. */
static void facts_and_plan(struct gather *g, const char *next)
{
	bool done = g->repaired != NULL && g->repaired_at > g->diagnosed;
	char when[32];

	if (done)
		repaired(g);
	report_label(g->r, "", g->chain || done ? REPORT_DETAIL : REPORT_ALWAYS);
	report_text(g->r, CLI_DIM, "The host was read at %.19sZ%s.", time_text(g->diagnosed, when), done ? ", before the repair" : "");
	report_diagnosis(g->r, g->diagnosis, next, g->chain || done ? REPORT_BEHIND : REPORT_OF_CASE);
}

int report_case(struct report *r, const struct config *config, struct db *d, const struct heal_case *k, bool chain, struct err *e)
{
	struct gather g = {.k = k, .r = r, .chain = chain, .moments = xcalloc(MOMENTS, sizeof(*g.moments))};
	char next[900] = "", words[400];
	int done = ledger_each(d, 1, on_record, &g, e) < 0 ? -1 : 0;

	title(r, k);
	agent_config_words(config, words, sizeof(words));
	next_text(k, words, next, sizeof(next));
	report_label(r, "", REPORT_ALWAYS);
	report_text(r, CLI_PLAIN, "%s", k->text);
	if (k->reopens)
		report_text(r, CLI_DIM, "It follows case %lld.", (long long)k->reopens);
	if (done == 0)
		done = evidence(&g, config, e);
	course(&g);
	if (g.diagnosis != NULL)
		facts_and_plan(&g, next);
	if (g.diagnosis == NULL && next[0]) {
		report_label(r, "Next", REPORT_ALWAYS);
		report_text(r, CLI_BOLD, "%s", next);
	}
	json_free(g.diagnosis);
	json_free(g.repaired);
	free(g.moments);
	return done;
}

int report_show_case(struct cli *c, const struct config *config, struct db *d, const struct heal_case *k, bool chain, struct err *e)
{
	struct report *r = report_new();
	int done = report_case(r, config, d, k, chain, e);

	if (done == 0)
		done = report_show(c, r, e);
	report_free(r);
	return done;
}
