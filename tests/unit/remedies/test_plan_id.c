/* test_plan_id.c - an approval fits one plan in one state: what changes a plan's id, and what must not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/diagnose.h"
#include "lib/check.h"
#include "lib/fake_host.h"
#include "remedies/exchange_backend/backend.h"

/* ---- every member by itself ---- */

static struct diagnosis *filled(void)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct host_record *r = &d->state.records[d->state.n_records++];

	text_copy(d->identity.netbios, 64, "EX1");
	text_copy(d->identity.fqdn, 256, "ex1.lab.example");
	d->verdict.name = "BE_CERT_DELETED";
	text_copy(fact_set(&d->facts, "one", TRI_YES, "here", 7, "seen %d", 1)->key, 128, "key");
	(void)fact_set(&d->facts, "two", TRI_NO, "there", 8, "seen %d", 2);
	text_copy(r->endpoint, sizeof(r->endpoint), BE_ENDPOINT);
	text_copy(r->store, sizeof(r->store), "MY");
	text_copy(r->appid, sizeof(r->appid), BE_APPID);
	d->plan.n = 2;
	d->plan.steps[0].step = (struct host_step){.kind = STEP_CERT_CREATE, .friendly_name = "Microsoft Exchange",
		.template = {.common_name = "EX1", .san = {"EX1", "ex1.lab.example"}, .n_san = 2, .key_bits = 2048, .days = 1826}};
	d->plan.steps[1].step = (struct host_step){.kind = STEP_RECORD_SET, .endpoint = BE_ENDPOINT, .store = "MY", .appid = BE_APPID,
		.site = BE_SITE, .binding = {.protocol = "https", .information = BE_BINDING}};
	d->plan.steps[1].thumbprint_from_previous = true;
	plan_id_set(d);
	return d;
}

#define CREATE (d->plan.steps[0].step)
#define SET (d->plan.steps[1].step)
#define IS_OTHER(change) \
	do { \
		struct diagnosis *d = filled(); \
		uint8_t id[32]; \
		memcpy(id, d->plan.id, 32); \
		change; \
		plan_id_set(d); \
		if (memcmp(id, d->plan.id, 32) == 0) \
			fail_msg("the id must change with: %s", #change); \
		free(d); \
	} while (0)
#define IS_SAME(change) \
	do { \
		struct diagnosis *d = filled(); \
		uint8_t id[32]; \
		memcpy(id, d->plan.id, 32); \
		change; \
		plan_id_set(d); \
		if (memcmp(id, d->plan.id, 32) != 0) \
			fail_msg("the id must not change with: %s", #change); \
		free(d); \
	} while (0)

static void what_matters_changes_it(void **state)
{
	(void)state;
	IS_OTHER(d->identity.netbios[0] = 'F');
	IS_OTHER(d->identity.fqdn[0] = 'F');
	IS_OTHER(d->verdict.name = "BE_KEY_MISSING");
	IS_OTHER(d->facts.list[0].name = "three");
	IS_OTHER(d->facts.list[0].value = TRI_UNKNOWN);
	IS_OTHER(d->facts.list[0].key[0] = 'K');
	IS_OTHER(d->facts.list[1].value = TRI_YES);
	IS_OTHER(d->facts.n = 1);
	IS_OTHER(fact_set(&d->facts, "three", TRI_UNKNOWN, "", 0, "not looked at"));
	IS_OTHER(d->plan.n = 1);
	IS_OTHER(d->plan.n = 3);
	IS_OTHER(CREATE.kind = STEP_CERT_RESTORE);
	IS_OTHER(CREATE.friendly_name[0] = 'm');
	IS_OTHER(CREATE.template.common_name[0] = 'F');
	IS_OTHER(CREATE.template.san[0][0] = 'F');
	IS_OTHER(CREATE.template.san[1][0] = 'F');
	IS_OTHER(CREATE.template.n_san = 1);
	IS_OTHER(CREATE.template.key_bits = 4096);
	IS_OTHER(CREATE.template.days = 365);
	IS_OTHER(SET.endpoint[0] = '1');
	IS_OTHER(SET.thumbprint[19] = 1);
	IS_OTHER(SET.store[0] = 'm');
	IS_OTHER(SET.appid[1] = '0');
	IS_OTHER(SET.flags = 4);
	IS_OTHER(SET.site[0] = 'e');
	IS_OTHER(SET.binding.protocol[0] = 'H');
	IS_OTHER(SET.binding.information[0] = '1');
	IS_OTHER(SET.binding.ssl_flags = 1);
	IS_OTHER(d->plan.steps[1].thumbprint_from_previous = false);
	IS_OTHER(d->plan.steps[1].by_approval_only = true);
}

/* What an undo would set again is part of what was approved. */
static void the_record_that_is_replaced(void **state)
{
	(void)state;
	IS_OTHER(d->state.n_records = 0);
	IS_OTHER(d->state.records[0].thumbprint[0] = 1);
	IS_OTHER(d->state.records[0].store[0] = 'm');
	IS_OTHER(d->state.records[0].appid[1] = '0');
	IS_OTHER(d->state.records[0].flags = 4);
	IS_SAME(d->state.records[d->state.n_records++].port = 8443);
}

static void what_passes_does_not(void **state)
{
	(void)state;
	IS_SAME(d->when = 99);
	IS_SAME(d->facts.list[0].when = 99);
	IS_SAME(text_copy(d->facts.list[0].seen, 256, "valid for 12 days, 3 ms"));
	IS_SAME(text_copy(d->facts.list[0].where, 80, "port 444"));
	IS_SAME(fact_set(&d->facts, "started_today", TRI_YES, "", 0, "at 3 o'clock")->ages = true);
	IS_SAME(CREATE.template.not_before = 99);
	IS_SAME(text_copy(CREATE.token, 80, "a repair's"));
	IS_SAME(text_copy(d->plan.steps[0].before, 256, "until today"));
	IS_SAME(d->verdict.confidence = CONFIDENCE_HIGH);
	IS_SAME(d->identity.n_addresses = 1);
}

/* ---- one host, looked at at other times ---- */

static struct fake_clock clock_;
static struct fake_world world;
static struct host_ops slow_ops;
static int (*quick_probe)(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e);
static int64_t took;

/* A server that takes its time: other latencies, and the clock goes on between two looks. */
static int slow_probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	int r = quick_probe(h, ask, to, deadline, e);

	took += 1234567;
	fake_clock_advance(&clock_, took);
	to->took_us = took;
	(void)snprintf(to->detail, sizeof(to->detail), "after %lld us", (long long)took);
	return r;
}

static int setup(void **state)
{
	(void)state;
	took = 0;
	fake_clock_init(&clock_, INT64_C(1800000000) * US_SECOND);
	fake_world_init(&world, &clock_);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_world_free(&world);
	return 0;
}

static struct diagnosis *look(bool slowly)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = 0};
	struct err e = {.text = ""};
	struct host *h = fake_host_open(&world, NULL, 0, &e);
	const struct host_ops *quick = h->ops;

	if (slowly) {
		slow_ops = *quick;
		quick_probe = quick->probe;
		slow_ops.probe = slow_probe;
		h->ops = &slow_ops;
	}
	if (diagnose(&remedy_exchange_backend, h, &clock_.clock, clock_.monotonic + US_HOUR, &s, d, &e) < 0)
		fail_msg("%s", e.text);
	h->ops->close(h);
	return d;
}

static void expect_same(struct diagnosis *first, bool slowly)
{
	struct diagnosis *d = look(slowly);

	assert_string_equal(first->verdict.name, d->verdict.name);
	assert_memory_equal(first->plan.id, d->plan.id, 32);
	free(d);
}

static void another_time_is_no_other_state(void **state)
{
	struct diagnosis *first;
	struct host_cert swap;

	(void)state;
	world.state->boot_time = clock_.wall - US_HOUR;
	world.state->update_time = clock_.wall - 6 * US_DAY;
	world.state->known |= HOST_PART_BOOT;
	fake_delete_backend_cert(&world, false);
	first = look(false);
	assert_int_equal(first->plan.n, 2);
	expect_same(first, false);
	expect_same(first, true);
	fake_clock_advance(&clock_, 29 * US_MINUTE);
	expect_same(first, true);
	fake_clock_advance(&clock_, 40 * US_DAY); /* no more restarted or updated lately */
	expect_same(first, false);
	clock_.wall -= US_HOUR; /* set back */
	expect_same(first, false);
	swap = world.state->certs[0];
	world.state->certs[0] = world.state->certs[1];
	world.state->certs[1] = swap;
	expect_same(first, false);
	free(first);
}

static void expect_other(const struct diagnosis *first)
{
	struct diagnosis *d = look(false);

	assert_memory_not_equal(first->plan.id, d->plan.id, 32);
	free(d);
}

static void another_state_is(void **state)
{
	struct diagnosis *first;
	struct host_record *front = NULL;

	(void)state;
	fake_delete_backend_cert(&world, false);
	first = look(false);
	world.state->records[0].flags = 4;
	expect_other(first);
	world.state->records[0].flags = 0;
	expect_same(first, false);
	(void)fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900);
	expect_other(first);
	world.state->n_certs--;
	expect_same(first, false);
	for (size_t i = 0; i < world.state->n_records; i++)
		if (world.state->records[i].port == 443)
			front = &world.state->records[i];
	assert_non_null(front);
	memcpy(front->thumbprint, fake_cert_add(&world, "MY", "mail2.lab.example", false, 300)->info.thumbprint, 20);
	expect_other(first); /* 443 shows another one: somebody is at work */
	free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matters_changes_it),
		cmocka_unit_test(the_record_that_is_replaced),
		cmocka_unit_test(what_passes_does_not),
		cmocka_unit_test_setup_teardown(another_time_is_no_other_state, setup, teardown),
		cmocka_unit_test_setup_teardown(another_state_is, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
