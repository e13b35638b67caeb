/* test_policy.c - permission as a table: policy.tsv, one row a decision; and that no rule of the policy could be missed.
 *
 * A row's "given" holds words; without any it is the simplest case that goes: auto, a repairable verdict, one step, nothing done before,
 * now = NOW. Times are before or after now: "host=2@3h", two repairs of this host in 24 h, of which the newest but one, where the
 * limit is 2, began 3 h ago. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "heal/policy.h"
#include "lib/check.h"
#include "lib/zone_file.h"

#define TABLE "tests/unit/heal/policy.tsv"
#define NOW "2026-11-25T12:00:00Z" /* a Wednesday */
#define ROWS 400

struct row {
	char what[120], given[300], answer[16], reason[32], not_before[40], says[120];
};

struct table {
	struct row rows[ROWS];
	size_t n;
};

static int64_t span_of(const char *s)
{
	int64_t t = 0;

	if (!span_parse(s + (*s == '-' || *s == '+'), &t))
		fail_msg("%s is no span", s);
	return *s == '-' ? -t : t;
}

static const struct table *read_table(void)
{
	struct table *t = calloc(1, sizeof *t);
	FILE *f = fopen(TABLE, "r");
	char line[1000];

	if (f == NULL || t == NULL)
		fail_msg("%s cannot be read; tests run in the project's own folder", TABLE);
	while (fgets(line, sizeof line, f)) {
		struct row *r = &t->rows[t->n];
		char *cells[6] = {r->what, r->given, r->answer, r->reason, r->not_before, r->says};
		size_t sizes[6] = {sizeof r->what, sizeof r->given, sizeof r->answer, sizeof r->reason, sizeof r->not_before, sizeof r->says};
		char *p = line;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		for (size_t i = 0; i < 6; i++) {
			char *end = strchr(p, '\t');

			if ((end == NULL) != (i == 5))
				fail_msg("%s: a row has six cells: %s", TABLE, line);
			if (end)
				*end = '\0';
			text_copy(cells[i], sizes[i], p);
			p = end + 1;
		}
		if (++t->n == ROWS)
			fail_msg("%s has too many rows", TABLE);
	}
	fclose(f);
	return t;
}

/* ---- one row ---- */

struct question {
	struct policy_config config;
	struct policy_input in;
	struct diagnosis *d;
	struct policy_window windows[4];
	struct arena *arena;
};

static void put_tail(struct policy_tail *t, const char *value, int64_t now)
{
	const char *at = strchr(value, '@');

	t->n = atoi(value);
	t->nth = at ? now - span_of(at + 1) : 0;
}

/* "sat+sun/22:00-04:00/UTC" */
static void put_window(struct question *q, const char *value)
{
	struct policy_window *w = &q->windows[q->config.n_windows++];
	int from_h, from_m, to_h, to_m;
	const char *slash = strchr(value, '/');
	char days[64], zone[64];
	struct err e;

	assert_true(q->config.n_windows <= 4 && slash != NULL && (size_t)(slash - value) < sizeof days);
	memcpy(days, value, (size_t)(slash - value));
	days[slash - value] = '\0';
	assert_int_equal(sscanf(slash, "/%d:%d-%d:%d/%63s", &from_h, &from_m, &to_h, &to_m, zone), 5);
	for (char *save = NULL, *day = strtok_r(days, "+", &save); day; day = strtok_r(NULL, "+", &save))
		w->days |= 1u << window_day(day);
	w->from = from_h * 60 + from_m;
	w->to = to_h * 60 + to_m;
	w->zone = zone_read(q->arena, &os_file, NULL, zone, &e);
	assert_non_null(w->zone);
	q->config.windows = q->windows;
}

static bool put_flag(struct question *q, const char *word)
{
	const struct { const char *word; bool *flag; } flags[] = {
		{"hold-file", &q->in.hold_file}, {"tilt", &q->in.tilt},
		{"failed", &q->in.failed_before}, {"resumed", &q->in.resumed}, {"person", &q->in.asked_by_person}, {"held", &q->in.held},
		{"restart", &q->d->plan.steps[0].by_approval_only},
	};

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(word, flags[i].word) == 0)
			return *flags[i].flag = true;
	if (text_starts(word, "busy")) {
		q->in.busy = strcmp(word, "busy") == 0 ? TRI_YES : TRI_UNKNOWN;
		return true;
	}
	if (strcmp(word, "other-plan") == 0) {
		q->in.approval.plan_id[31] ^= 1;
		return true;
	}
	return false;
}

static bool put_number(struct question *q, const char *key, const char *value)
{
	const struct { const char *key; int *number; } numbers[] = {
		{"per-host", &q->config.per_host_day}, {"per-group", &q->config.per_group_day}, {"per-fleet", &q->config.per_fleet_day},
		{"blast", &q->config.blast_hosts}, {"alike", &q->in.alike},
	};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(key, numbers[i].key) == 0) {
			*numbers[i].number = atoi(value);
			return true;
		}
	return false;
}

static bool put_verdict(struct question *q, const char *key, const char *value)
{
	static const char *const words[] = {"never", "approval", "policy", NULL};

	if (strcmp(key, "mode") == 0)
		return policy_mode_parse(value, &q->in.mode);
	if (strcmp(key, "steps") == 0)
		q->d->plan.n = (size_t)atoi(value);
	else if (strcmp(key, "unknown") == 0)
		q->d->verdict.n_not_excluded = (size_t)atoi(value);
	else if (strcmp(key, "repair") == 0)
		for (int i = 0; words[i]; i++)
			q->d->verdict.repairable = strcmp(value, words[i]) == 0 ? (enum repairable)i : q->d->verdict.repairable;
	else
		return false;
	return true;
}

/* "-1m:29m": from a minute ago until in 29 minutes */
static void put_approval(struct question *q, char *value)
{
	char *colon = strchr(value, ':');

	assert_non_null(colon);
	*colon = '\0';
	q->in.approval.there = true;
	q->in.approval.at = q->in.now + span_of(value);
	q->in.approval.until = q->in.now + span_of(colon + 1);
}

static void put_word(struct question *q, char *word)
{
	char *value = strchr(word, '=');
	int64_t now = q->in.now;

	if (value)
		*value++ = '\0';
	if (value == NULL ? put_flag(q, word) : (put_number(q, word, value) || put_verdict(q, word, value)))
		return;
	if (value == NULL)
		fail_msg("the word '%s' is not known", word);
	if (strcmp(word, "now") == 0)
		q->in.now = time_of(value);
	else if (strcmp(word, "held") == 0) {
		q->in.held = true;
		q->in.held_until = now + span_of(value);
	} else if (strcmp(word, "host") == 0)
		put_tail(&q->in.host, value, now);
	else if (strcmp(word, "group") == 0) {
		put_tail(&q->in.group, value, now);
		q->in.n_group = 2;
	} else if (strcmp(word, "fleet") == 0)
		put_tail(&q->in.fleet, value, now);
	else if (strcmp(word, "healed") == 0) {
		struct policy_tail t;

		put_tail(&t, value, now);
		q->in.healed_lately = t.n;
		q->in.newest = t.nth;
	} else if (strcmp(word, "approved") == 0)
		put_approval(q, value);
	else if (strcmp(word, "window") == 0)
		put_window(q, value);
	else
		fail_msg("the word '%s' is not known", word);
}

static void ask(const struct row *r, struct question *q)
{
	char given[sizeof r->given];

	memset(q, 0, sizeof *q);
	q->arena = arena_new(4096);
	q->d = calloc(1, sizeof *q->d);
	assert_non_null(q->d);
	q->config = policy_defaults();
	q->config.hold_file = "/run/hold";
	q->in = (struct policy_input){.config = &q->config, .mode = MODE_AUTO, .d = q->d, .now = time_of(NOW), .busy = TRI_NO, .alike = 1};
	q->d->verdict.name = "BE_CERT_DELETED";
	q->d->verdict.repairable = REPAIR_BY_POLICY;
	q->d->verdict.not_excluded[0] = "BE_SITE_DOWN";
	q->d->plan.n = 1;
	memset(q->d->plan.id, 7, 32);
	memset(q->in.approval.plan_id, 7, 32);
	memcpy(given, r->given, sizeof given);
	for (char *save = NULL, *word = strtok_r(given, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (strcmp(word, "-") != 0)
			put_word(q, word);
}

static void done(struct question *q)
{
	arena_free(q->arena);
	free(q->d);
}

static const char *answer_text(enum policy_answer a)
{
	static const char *const words[] = {"go", "ask", "advise", "refuse"};

	return words[a];
}

/* "escalate" stands in front of the sentence's part. */
static bool fits(const struct row *r, const struct question *q, const struct policy_decision *to)
{
	bool escalate = text_starts(r->says, "escalate");
	const char *says = escalate ? r->says + strlen("escalate") + (r->says[strlen("escalate")] == ' ') : r->says;
	int64_t not_before = strcmp(r->not_before, "-") == 0 ? 0 :
		r->not_before[0] == '+' ? q->in.now + span_of(r->not_before) : time_of(r->not_before);

	return strcmp(answer_text(to->answer), r->answer) == 0 && strcmp(to->reason, r->reason) == 0 && to->not_before == not_before &&
		to->escalate == escalate && (strcmp(says, "-") == 0 ||
			(says[0] == '=' ? strcmp(to->why, says + 1) == 0 : strstr(to->why, says) != NULL));
}

static void every_row_of_the_table(void **state)
{
	const struct table *t = *state;
	int bad = 0;

	assert_true(t->n > 60);
	for (size_t i = 0; i < t->n; i++) {
		const struct row *r = &t->rows[i];
		struct policy_decision to;
		struct question q;
		char when[32];

		ask(r, &q);
		policy_decide(&q.in, "ex1", &to);
		if (!fits(r, &q, &to)) {
			print_error("%s: %s, %s, %s, escalate %d: %s\n", r->what, answer_text(to.answer), to.reason,
				to.not_before ? time_text(to.not_before, when) : "-", to.escalate, to.why);
			bad++;
		}
		done(&q);
	}
	assert_int_equal(bad, 0);
}

/* ---- is each rule needed? ---- */

static size_t count_rules(void)
{
	size_t n = 0;

	while (policy_rules[n].name)
		n++;
	return n;
}

/* How many rows see the difference. */
static int noticed(const struct table *t, const struct policy_rule *rules)
{
	int n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct policy_decision to;
		struct question q;

		ask(&t->rows[i], &q);
		policy_decide_by(rules, &q.in, "ex1", &to);
		n += !fits(&t->rows[i], &q, &to);
		done(&q);
	}
	return n;
}

static bool never(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)in;
	(void)host;
	(void)to;
	return false;
}

static bool always(const struct policy_input *in, const char *host, struct policy_decision *to)
{
	(void)in;
	(void)host;
	text_copy(to->why, sizeof to->why, "always");
	return true;
}

/* Each rule dropped, applied always, given another answer, made to yield or to insist, to escalate or not, and moved past its
 * neighbour: the table notices each. */
static void no_rule_can_be_missed(void **state)
{
	const struct table *t = *state;
	size_t n = count_rules();
	struct policy_rule *rules = calloc(n + 1, sizeof *rules);

	assert_non_null(rules);
	for (size_t i = 0; i < n; i++)
		for (int how = 0; how < 6; how++) {
			static const char *const words[] = {"dropped", "always", "another answer", "yields otherwise", "escalates otherwise",
				"moved"};
			struct policy_rule other = policy_rules[i];

			memcpy(rules, policy_rules, (n + 1) * sizeof *rules);
			if (how == 0)
				other.applies = never;
			else if (how == 1)
				other.applies = always;
			else if (how == 2)
				other.answer = other.answer == POLICY_REFUSE ? POLICY_ASK : POLICY_REFUSE;
			else if (how == 3)
				other.yields = !other.yields;
			else if (how == 4)
				other.escalates = !other.escalates;
			else if (i + 1 < n) {
				other = policy_rules[i + 1];
				rules[i + 1] = policy_rules[i];
			} else
				continue;
			rules[i] = other;
			if (noticed(t, rules) == 0)
				fail_msg("no row of %s notices rule '%s' %s", TABLE, policy_rules[i].name, words[how]);
		}
	free(rules);
}

/* Each rule has a row in which it is the answer, and the names in the table are the rules' own. */
static void the_table_and_the_rules_know_each_other(void **state)
{
	const struct table *t = *state;

	for (size_t i = 0; i < t->n; i++) {
		bool known = strcmp(t->rows[i].reason, "free") == 0 || strcmp(t->rows[i].reason, "approved") == 0;
		struct policy_decision to;
		struct question q;

		ask(&t->rows[i], &q);
		policy_decide(&q.in, "ex1", &to);
		done(&q);
		assert_true(to.answer != POLICY_GO || !to.yields);
		for (size_t k = 0; policy_rules[k].name; k++)
			if (strcmp(t->rows[i].reason, policy_rules[k].name) == 0)
				assert_int_equal(to.yields, policy_rules[k].yields);
		for (size_t k = 0; policy_rules[k].name; k++)
			known = known || strcmp(t->rows[i].reason, policy_rules[k].name) == 0;
		if (!known)
			fail_msg("%s: no rule is called '%s'", t->rows[i].what, t->rows[i].reason);
	}
}

int main(void)
{
	const struct table *t = read_table();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(every_row_of_the_table, (void *)(uintptr_t)t),
		cmocka_unit_test_prestate(no_rule_can_be_missed, (void *)(uintptr_t)t),
		cmocka_unit_test_prestate(the_table_and_the_rules_know_each_other, (void *)(uintptr_t)t),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free((void *)(uintptr_t)t);
	return failed;
}
