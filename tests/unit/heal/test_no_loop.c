/* test_no_loop.c - a server that breaks again right after each repair, over many days: repairs become rarer, each kind of refusal
 * is told once for each time it holds, and a person is called. */
#include <stdio.h>
#include <string.h>

#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/heal_bench.h"

struct saw {
	struct heal_bench *b;
	int begun, refusals, same;
	int64_t begins[32];
	char last[400];
};

static int look(void *arg, const struct ledger_record *r)
{
	struct saw *s = arg;
	struct err e;
	struct json *body;

	if (strcmp(r->kind, "repair-begin") == 0 && s->begun < 32) {
		s->begins[s->begun++] = r->time;
		s->last[0] = '\0';
	}
	if (strcmp(r->kind, "refusal") != 0)
		return 0;
	body = json_parse(r->body, strlen(r->body), &e);
	s->refusals++;
	s->same += strcmp(s->last, json_str(json_get(body, "why"), "")) == 0;
	(void)snprintf(s->last, sizeof(s->last), "%s", json_str(json_get(body, "why"), ""));
	json_free(body);
	return 0;
}

static void read_ledger(struct heal_bench *b, struct saw *s)
{
	struct err e = {.text = ""};

	memset(s, 0, sizeof(*s));
	s->b = b;
	if (ledger_each(b->healer->db, 1, look, s, &e) < 0)
		fail_msg("%s", e.text);
}

/* Events every ten minutes; whenever the back end works and nothing is under way, it breaks again. */
static void break_for(struct heal_bench *b, int64_t span, void (*again)(struct fake_world *w))
{
	int64_t end = b->clock.monotonic + span;
	int64_t id = 1, count = 1;

	while (b->clock.monotonic < end) {
		if (fake_backend_works(&b->world) && b->healer->patients[0].repair == NULL) {
			again(&b->world);
			id++;
		}
		heal_bench_suspect(b, id, count++);
		heal_bench_run(b, 10 * US_MINUTE);
	}
}

static void judge(struct heal_bench *b, int most)
{
	struct heal_case c;
	struct saw s;
	struct err e;

	read_ledger(b, &s);
	assert_in_range(s.begun, 2, most);
	for (int i = 1; i < s.begun; i++)
		assert_true(s.begins[i] - s.begins[i - 1] >= US_DAY);
	for (int i = 2; i < s.begun; i++) /* each wait is longer than the one before it */
		assert_true(s.begins[i] - s.begins[i - 1] > s.begins[i - 1] - s.begins[i - 2]);
	assert_int_equal(s.same, 0);
	assert_in_range(s.refusals, s.begun, 3 * s.begun);
	assert_int_equal(case_store_open_of(b->healer->db, b->host.config.name, case_cause_index("exchange-backend-certificate"), &c,
		&e), 1);
	assert_int_equal(c.state, CASE_ESCALATED);
	assert_true(c.not_before > b->clock.wall);
	assert_int_equal(heal_bench_pending(b), 0);
	assert_true(heal_bench_ledger_ok(b));
}

/* What is in the ledger once is a finding once. */
static void told_once(struct heal_bench *b)
{
	struct saw s;

	read_ledger(b, &s);
	assert_int_equal(b->refusals, s.refusals);
}

static void a_record_that_is_lost_again_and_again(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	break_for(&b, 9 * US_DAY, fake_unbind);
	judge(&b, 4);
	told_once(&b);
	heal_bench_free(&b);
}

static void delete_it(struct fake_world *w)
{
	fake_delete_backend_cert(w, false);
}

static void a_certificate_that_is_deleted_again_and_again(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	break_for(&b, 9 * US_DAY, delete_it);
	judge(&b, 4);
	told_once(&b);
	assert_in_range(b.world.creations, 2, 4);
	heal_bench_free(&b);
}

/* A new start forgets nothing of it. */
static void starts_do_not_help(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	for (int day = 0; day < 36; day++) {
		break_for(&b, 6 * US_HOUR, fake_unbind);
		heal_bench_crash(&b);
		heal_bench_start(&b);
	}
	judge(&b, 4);
	heal_bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_is_lost_again_and_again),
		cmocka_unit_test(a_certificate_that_is_deleted_again_and_again),
		cmocka_unit_test(starts_do_not_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
