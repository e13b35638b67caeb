/* test_plan.c - which certificate is bound, when one is created, and when a plan keeps its id. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/diagnose.h"
#include "lib/check.h"
#include "lib/fake_host.h"
#include "remedies/exchange_backend/backend.h"

static struct fake_clock clock_;
static struct fake_world world;

static int setup(void **state)
{
	(void)state;
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

static struct diagnosis *look(void)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = 0};
	struct err e = {.text = ""};
	struct host *h = fake_host_open(&world, NULL, 0, &e);

	if (diagnose(&remedy_exchange_backend, h, &clock_.clock, clock_.monotonic + US_MINUTE, &s, d, &e) < 0)
		fail_msg("%s", e.text);
	h->ops->close(h);
	return d;
}

static void healthy_needs_nothing(void **state)
{
	struct diagnosis *d = look();

	(void)state;
	assert_string_equal(d->verdict.name, "HEALTHY_NOW");
	assert_int_equal(d->plan.n, 0);
	free(d);
}

/* Neither Auth's certificate nor the public one of 443 is taken: one is created, to the letter. */
static void creates_when_there_is_none(void **state)
{
	struct diagnosis *d;
	const struct host_step *s;

	(void)state;
	fake_delete_backend_cert(&world, false);
	d = look();
	assert_string_equal(d->verdict.name, "BE_CERT_DELETED");
	assert_int_equal(d->plan.n, 2);
	s = &d->plan.steps[0].step;
	assert_int_equal(s->kind, STEP_CERT_CREATE);
	assert_string_equal(s->template.common_name, "EX1");
	assert_int_equal(s->template.n_san, 2);
	assert_string_equal(s->template.san[0], "EX1");
	assert_string_equal(s->template.san[1], "ex1.lab.example");
	assert_int_equal(s->template.key_bits, 2048);
	assert_int_equal(s->template.days, 1826);
	assert_string_equal(s->friendly_name, "Microsoft Exchange");
	assert_int_equal(d->plan.steps[1].step.kind, STEP_RECORD_SET);
	assert_true(d->plan.steps[1].thumbprint_from_previous);
	assert_false(d->plan.before_works);
	free(d);
}

static void expect_rebind(const struct host_cert *wanted, uint32_t flags)
{
	uint8_t thumbprint[20];
	struct diagnosis *d;

	memcpy(thumbprint, wanted->info.thumbprint, 20);
	d = look();
	assert_int_equal(d->plan.n, 1);
	assert_int_equal(d->plan.steps[0].step.kind, STEP_RECORD_SET);
	assert_memory_equal(d->plan.steps[0].step.thumbprint, thumbprint, 20);
	assert_string_equal(d->plan.steps[0].step.store, "MY");
	assert_string_equal(d->plan.steps[0].step.appid, BE_APPID);
	assert_string_equal(d->plan.steps[0].step.endpoint, BE_ENDPOINT);
	assert_int_equal(d->plan.steps[0].step.flags, flags);
	free(d);
}

static void the_best_one_is_bound(void **state)
{
	struct host_cert *c;

	(void)state;
	world.state->records[0].flags = 4;
	fake_delete_backend_cert(&world, false);
	c = fake_cert_add(&world, "MY", "made by hand", true, 400);
	expect_rebind(c, 4);
	c = fake_cert_add(&world, "MY", "Microsoft Exchange", true, 100); /* the name counts more than the days */
	expect_rebind(c, 4);
	c = fake_cert_add(&world, "MY", "Microsoft Exchange", true, 200); /* of two alike the later end */
	expect_rebind(c, 4);
	(void)fake_cert_add(&world, "MY", "Microsoft Exchange", true, 29); /* ends too soon */
	fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900)->key_opens = TRI_NO;
	fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900)->key_matches = TRI_UNKNOWN;
	fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900)->info.key_bits = 1024;
	fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900)->info.key = KEY_EC;
	fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900)->info.server_auth = false;
	(void)fake_cert_add(&world, "WebHosting", "Microsoft Exchange", true, 900);
	(void)fake_cert_add(&world, "MY", "WMSVC-SHA2", true, 900);
	expect_rebind(c, 4);
}

static void a_public_certificate_is_never_chosen(void **state)
{
	struct host_cert *front;
	struct diagnosis *d;

	(void)state;
	fake_delete_backend_cert(&world, false);
	for (size_t i = 0; i < world.state->n_certs; i++) {
		front = &world.state->certs[i];
		if (memcmp(front->info.thumbprint, fake_record(&world, "0.0.0.0:443")->thumbprint, 20) == 0)
			text_copy(front->info.san[front->info.n_san++], 256, "ex1.lab.example"); /* it even has the name */
	}
	d = look();
	assert_int_equal(d->plan.steps[0].step.kind, STEP_CERT_CREATE);
	free(d);
}

static void a_copy_with_its_key_is_restored(void **state)
{
	struct diagnosis *d;
	struct host_cert copy;

	(void)state;
	copy = world.state->certs[0];
	fake_delete_backend_cert(&world, false);
	text_copy(copy.store, sizeof(copy.store), "Root");
	world.state->certs[world.state->n_certs++] = copy;
	d = look();
	assert_string_equal(d->verdict.name, "BE_CERT_DELETED");
	assert_int_equal(d->plan.steps[0].step.kind, STEP_CERT_RESTORE);
	assert_memory_equal(d->plan.steps[0].step.thumbprint, copy.info.thumbprint, 20);
	free(d);
}

/* Unknown is not empty: without the certificates there is no plan. */
static void unknown_certificates_give_no_plan(void **state)
{
	struct diagnosis *d;

	(void)state;
	fake_unbind(&world);
	world.state->known &= ~(unsigned)HOST_PART_CERTS;
	d = look();
	assert_int_equal(d->plan.n, 0);
	assert_true(d->plan.why_empty[0] != '\0');
	free(d);
}

static void advice_only(void **state)
{
	struct diagnosis *d;

	(void)state;
	world.state->sites[0].started = false;
	d = look();
	assert_string_equal(d->verdict.name, "BE_SITE_DOWN");
	assert_int_equal(d->plan.n, 0);
	free(d);
	world.state->sites[0].started = true;
	world.tls10_only = true;
	d = look();
	assert_string_equal(d->verdict.name, "TLS_CONFIG_MISMATCH");
	assert_int_equal(d->plan.n, 0);
	free(d);
}

static void the_same_state_has_the_same_id(void **state)
{
	struct diagnosis *a, *b, *c;
	struct host_cert swap;

	(void)state;
	fake_delete_backend_cert(&world, false);
	a = look();
	fake_clock_advance(&clock_, 20 * US_MINUTE); /* an approval still fits after the facts were read again */
	swap = world.state->certs[0];
	world.state->certs[0] = world.state->certs[1];
	world.state->certs[1] = swap;
	b = look();
	assert_memory_equal(a->plan.id, b->plan.id, 32);
	(void)fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900);
	c = look();
	assert_memory_not_equal(a->plan.id, c->plan.id, 32);
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(healthy_needs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(creates_when_there_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(the_best_one_is_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(a_public_certificate_is_never_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_with_its_key_is_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_certificates_give_no_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(advice_only, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_state_has_the_same_id, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
