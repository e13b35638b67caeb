/* test_proof.c - what a proof must see, and what it must not overlook: each change by somebody else fails it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/diagnose.h"
#include "lib/check.h"
#include "lib/fake_host.h"
#include "remedies/exchange_backend/backend.h"

static struct fake_clock clock_;
static struct fake_world world;
static struct diagnosis *before; /* of the last repair, with its plan */
static uint8_t wanted[20];
static struct proof proof;
static struct err error;

/* What is changed in the answers of probes, and which address alone. */
static struct host_ops odd_ops;
static const struct host_ops *plain_ops;
static void (*odd)(const struct host_probe_ask *ask, struct probe_result *to);
static enum err_code probe_fails;

static int odd_probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	if (probe_fails != ERR_NONE)
		return err_set(e, probe_fails, "the probe failed, as the test told it");
	if (plain_ops->probe(h, ask, to, deadline, e) < 0)
		return -1;
	if (odd)
		odd(ask, to);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	odd = NULL;
	probe_fails = ERR_NONE;
	fake_clock_init(&clock_, INT64_C(1800000000) * US_SECOND);
	fake_world_init(&world, &clock_);
	text_copy(world.state->sites[1].name, 128, "Default Web Site");
	world.state->sites[1].started = true;
	text_copy(world.state->sites[1].bindings[0].protocol, 16, "https");
	text_copy(world.state->sites[1].bindings[0].information, 256, "*:443:");
	world.state->sites[1].n_bindings = 1;
	world.state->n_sites = 2;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(before);
	before = NULL;
	fake_world_free(&world);
	return 0;
}

static struct host *open_host(void)
{
	struct host *h = fake_host_open(&world, NULL, 0, &error);

	plain_ops = h->ops;
	odd_ops = *plain_ops;
	odd_ops.probe = odd_probe;
	h->ops = &odd_ops;
	return h;
}

static void look(void)
{
	struct suspicion s = {.seen = 0};
	struct host *h = open_host();

	before = xcalloc(1, sizeof(*before));
	if (diagnose(&remedy_exchange_backend, h, &clock_.clock, clock_.monotonic + US_MINUTE, &s, before, &error) < 0)
		fail_msg("%s", error.text);
	h->ops->close(h);
}

/* Diagnoses and does what the plan says. */
static void repair(const char *verdict)
{
	struct host *h;

	look();
	assert_string_equal(before->verdict.name, verdict);
	assert_true(before->plan.n > 0);
	memcpy(wanted, before->plan.wanted, 20);
	h = open_host();
	for (size_t i = 0; i < before->plan.n; i++) {
		struct host_step step = before->plan.steps[i].step;
		struct host_step_result result;

		text_copy(step.token, sizeof(step.token), "this repair");
		if (before->plan.steps[i].thumbprint_from_previous)
			memcpy(step.thumbprint, wanted, 20);
		if (h->ops->apply(h, &step, &result, clock_.monotonic + US_MINUTE, &error) < 0)
			fail_msg("%s", error.text);
		if (step.kind == STEP_CERT_CREATE)
			memcpy(wanted, result.thumbprint, 20);
	}
	h->ops->close(h);
}

static int verify(void)
{
	struct host *h = open_host();
	int r = remedy_exchange_backend.verify(h, &clock_.clock, clock_.monotonic + US_MINUTE, before, wanted, &proof, &error);

	h->ops->close(h);
	return r;
}

static const char *value_of(const char *name)
{
	for (size_t i = 0; i < proof.n; i++)
		if (strcmp(proof.checks[i].name, name) == 0)
			return tri_text(proof.checks[i].value);
	return "absent";
}

static void check_is(const char *name, const char *value, const char *when)
{
	if (strcmp(value_of(name), value) != 0)
		fail_msg("'%s' is %s, and should be %s: %s", name, value_of(name), value, when);
}

static void expect(const char *name, const char *value)
{
	assert_int_equal(verify(), 0);
	check_is(name, value, "as the test expects");
	assert_int_equal(proof.ok, strcmp(value, "yes") == 0);
}

static struct host_record *record_of(const char *endpoint)
{
	for (size_t i = 0; i < world.state->n_records; i++)
		if (strcmp(world.state->records[i].endpoint, endpoint) == 0)
			return &world.state->records[i];
	fail_msg("no record for %s", endpoint);
	return NULL;
}

static struct host_cert *cert_named(const char *friendly_name)
{
	for (size_t i = 0; i < world.state->n_certs; i++)
		if (text_has(world.state->certs[i].friendly_name, strlen(world.state->certs[i].friendly_name), friendly_name))
			return &world.state->certs[i];
	fail_msg("no certificate '%s'", friendly_name);
	return NULL;
}

/* Nothing is known of TLS 1.2 before: that check is left out; every other one is there and yes. */
static void a_good_repair_is_proven(void **state)
{
	static const char *const all[] = {"record read back", "certificate and key in the store", "handshake on every address",
		"request on the back end", "443 unchanged", "443 of 127.0.0.1 unchanged", "other records unchanged", "no certificate is gone", "no key is changed",
		"sites and bindings unchanged", "request through the front end"};

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	assert_int_equal(verify(), 0);
	assert_true(proof.ok);
	assert_false(proof.hop_open);
	assert_int_equal(proof.n, 11);
	for (size_t i = 0; i < 11; i++)
		check_is(all[i], "yes", "after a good repair");
	assert_string_equal(proof.checks[proof.n - 1].name, "request through the front end"); /* the one that may be unknown is the last */
	assert_string_equal(proof.summary, "444 shows the wanted certificate, answers, and is reached through the front end; 443 is unchanged");
}

/* ---- the record and its certificate ---- */

static void the_record_is_read_back(void **state)
{
	struct host_record *r, was;

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	r = record_of(BE_ENDPOINT);
	was = *r;
	r->thumbprint[3] ^= 1;
	expect("record read back", "no");
	*r = was;
	r->flags = 4;
	expect("record read back", "no");
	*r = was;
	r->appid[1] = '0';
	expect("record read back", "no");
	*r = was;
	text_copy(r->store, sizeof(r->store), "WebHosting");
	expect("record read back", "no");
	*r = was;
	text_copy(r->endpoint, sizeof(r->endpoint), "0.0.0.0:4444");
	expect("record read back", "no");
	*r = was;
	expect("record read back", "yes");
	world.state->known &= ~(unsigned)HOST_PART_RECORDS;
	expect("record read back", "unknown");
	check_is("other records unchanged", "unknown", "records are unknown");
}

static void its_key_is_looked_at(void **state)
{
	struct host_cert *c;

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	c = &world.state->certs[world.state->n_certs - 1];
	assert_memory_equal(c->info.thumbprint, wanted, 20);
	c->key_matches = TRI_NO;
	expect("certificate and key in the store", "no");
	c->key_matches = TRI_UNKNOWN;
	expect("certificate and key in the store", "unknown");
	c->key_matches = TRI_YES;
	world.cached = true; /* gone, and still served: 444 looks well */
	world.cache = c->info;
	world.state->n_certs--;
	expect("certificate and key in the store", "no");
	check_is("handshake on every address", "yes", "it is served from the cache");
	world.state->n_certs++;
	world.state->known &= ~(unsigned)HOST_PART_CERTS;
	expect("certificate and key in the store", "unknown");
	check_is("no certificate is gone", "unknown", "certificates are unknown");
	check_is("no key is changed", "unknown", "certificates are unknown");
}

/* ---- the doors ---- */

static void only_v6(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_BACKEND && strcmp(ask->address, "::1") == 0)
		to->leaf.thumbprint[0] ^= 1;
}

static void v6_cut(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_BACKEND && strcmp(ask->address, "::1") == 0) {
		to->tls = TLS_RESET;
		to->has_leaf = false;
	}
}

static void v6_refused(const struct host_probe_ask *ask, struct probe_result *to)
{
	v6_cut(ask, to);
	if (to->tls == TLS_RESET) {
		to->tls = TLS_NOT_TRIED;
		to->tcp = TCP_REFUSED;
	}
}

static void v6_timeout(const struct host_probe_ask *ask, struct probe_result *to)
{
	v6_refused(ask, to);
	if (to->tcp == TCP_REFUSED)
		to->tcp = TCP_TIMEOUT;
}

static void v6_error(const struct host_probe_ask *ask, struct probe_result *to)
{
	v6_cut(ask, to);
	if (to->tls == TLS_RESET)
		to->tls = TLS_ERROR;
}

static void v6_silent(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_BACKEND && strcmp(ask->address, "::1") == 0)
		to->http_status = 0;
}

static void v4_other(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_BACKEND && strcmp(ask->address, "127.0.0.1") == 0)
		to->leaf.thumbprint[0] ^= 1;
}

static void v4_silent(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_BACKEND && strcmp(ask->address, "127.0.0.1") == 0)
		to->http_status = 0;
}

static void every_address_counts(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	odd = only_v6;
	expect("handshake on every address", "no");
	assert_non_null(strstr(proof.checks[2].seen, "::1: ok, "));
	odd = v6_cut;
	expect("handshake on every address", "no");
	odd = v6_refused;
	expect("handshake on every address", "no");
	odd = v6_timeout;
	expect("handshake on every address", "unknown");
	odd = v6_error;
	expect("handshake on every address", "unknown");
	odd = v6_silent;
	expect("request on the back end", "no");
	odd = v4_other;
	expect("handshake on every address", "no");
	odd = v4_silent;
	expect("request on the back end", "no");
	odd = NULL;
	world.pool_down = true;
	expect("request on the back end", "no");
	assert_non_null(strstr(proof.checks[3].seen, "503"));
	world.pool_down = false;
	world.identity.n_addresses = 0;
	expect("handshake on every address", "unknown");
	check_is("request on the back end", "unknown", "there is no address");
}

static void v6_tls12(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->version == TLS_ONLY_1_2)
		only_v6(ask, to);
}

/* It is a demand only where it passed before. */
static void tls12_as_before(void **state)
{
	(void)state;
	world.state->certs[0].info.not_after = clock_.wall + 20 * US_DAY;
	repair("HEALTHY_NOW");
	expect("TLS 1.2 on every address", "yes");
	assert_int_equal(proof.n, 12);
	world.tls10_only = true;
	expect("TLS 1.2 on every address", "no");
	world.tls10_only = false;
	odd = v6_tls12;
	expect("TLS 1.2 on every address", "no");
	check_is("handshake on every address", "yes", "only TLS 1.2 is wrong");
	odd = NULL;
	(void)fact_set(&before->facts, "backend_tls", TRI_NO, "test", 0, "set");
	world.tls10_only = true;
	assert_int_equal(verify(), 0);
	check_is("TLS 1.2 on every address", "absent", "nothing passed before");
	assert_true(proof.ok);
	(void)fact_set(&before->facts, "backend_tls", TRI_YES, "test", 0, "set");
	(void)fact_set(&before->facts, "tls12_only_fails", TRI_YES, "test", 0, "set");
	assert_int_equal(verify(), 0);
	check_is("TLS 1.2 on every address", "absent", "it failed before");
}

/* ---- 443 and the other records ---- */

static void front_error(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_FRONTEND)
		to->tls = TLS_ERROR;
}

static void front_timeout(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind != HOST_PROBE_FRONTEND)
		return;
	to->tls = TLS_NOT_TRIED;
	to->tcp = TCP_TIMEOUT;
}

static void front_refused(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind != HOST_PROBE_FRONTEND)
		return;
	to->tls = TLS_NOT_TRIED;
	to->tcp = TCP_REFUSED;
	to->has_leaf = false;
}

static void local_443(const char *value)
{
	expect("443 of 127.0.0.1 unchanged", value);
	check_is("443 unchanged", "yes", "that is another record");
}

static void what_443_of_loopback_shows(void **state)
{
	uint8_t public[20];

	(void)state;
	memcpy(public, world.state->records[1].thumbprint, 20);
	fake_bind(&world, "127.0.0.1:443", 443, fake_cert_add(&world, "MY", "own", true, 300)->info.thumbprint, "MY");
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	local_443("yes");
	memcpy(record_of("127.0.0.1:443")->thumbprint, public, 20);
	local_443("no");
	fact_set(&before->facts, "frontend_local_tls", TRI_NO, "test", 0, "it failed");
	assert_int_equal(verify(), 0);
	check_is("443 of 127.0.0.1 unchanged", "absent", "it failed before");
}

static void what_443_shows(void **state)
{
	struct host_record *front;

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	front = record_of("0.0.0.0:443");
	memcpy(front->thumbprint, wanted, 20); /* the classic mistake: the new one on the front end */
	expect("443 unchanged", "no");
	check_is("other records unchanged", "no", "443 was changed");
	memcpy(front->thumbprint, before->state.records[1].thumbprint, 20);
	expect("443 unchanged", "yes");
	odd = front_error;
	expect("443 unchanged", "unknown");
	odd = front_timeout;
	expect("443 unchanged", "unknown");
	odd = front_refused;
	expect("443 unchanged", "no");
	odd = NULL;
	fact_set(&before->facts, "frontend_tls", TRI_UNKNOWN, "test", 0, "not looked at");
	assert_int_equal(verify(), 0);
	check_is("443 unchanged", "absent", "it was not known before");
	assert_non_null(strstr(proof.summary, "443 is not compared"));
	assert_null(strstr(proof.summary, "443 is unchanged"));
	assert_true(proof.ok);
}

#define EACH_RECORD(change) \
	do { \
		struct host_record *r_ = record_of("0.0.0.0:443"), was_ = *r_; \
		struct host_record *r = r_; \
		change; \
		assert_int_equal(verify(), 0); \
		check_is("other records unchanged", "no", #change); \
		assert_false(proof.ok); \
		*r_ = was_; \
	} while (0)

static void every_byte_of_every_record(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	world.state->records[world.state->n_records] = *record_of("0.0.0.0:443");
	world.state->records[world.state->n_records].port = 8443;
	text_copy(world.state->records[world.state->n_records++].endpoint, 80, "0.0.0.0:8443");
	repair("BE_CERT_DELETED");
	EACH_RECORD(r->thumbprint[19] ^= 1);
	EACH_RECORD(text_copy(r->store, 64, "WebHosting"));
	EACH_RECORD(r->appid[3] = 'x');
	EACH_RECORD(r->flags = 1);
	EACH_RECORD(r->port = 8443);
	EACH_RECORD(r->sni = true);
	EACH_RECORD(r->ccs = true);
	EACH_RECORD(text_copy(r->endpoint, 80, "[::]:443"));
	expect("other records unchanged", "yes");
	world.state->records[world.state->n_records] = *record_of("0.0.0.0:443");
	text_copy(world.state->records[world.state->n_records++].endpoint, 80, "127.0.0.1:444");
	expect("other records unchanged", "no"); /* a new one is a change, too */
	world.state->n_records--;
	*record_of("0.0.0.0:8443") = world.state->records[--world.state->n_records];
	expect("other records unchanged", "no"); /* and one that is gone */
	before->state.known &= ~(unsigned)HOST_PART_RECORDS;
	assert_int_equal(verify(), 0);
	check_is("other records unchanged", "absent", "they were not known before");
}

/* ---- certificates and keys ---- */

#define EACH_KEY(change, value) \
	do { \
		struct host_cert *c_ = cert_named("Auth"), was_ = *c_; \
		struct host_cert *c = c_; \
		change; \
		assert_int_equal(verify(), 0); \
		check_is("no key is changed", value, #change); \
		assert_false(proof.ok); \
		*c_ = was_; \
	} while (0)

static void every_key(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	text_copy(cert_named("Auth")->container, 128, "its own");
	repair("BE_CERT_DELETED");
	EACH_KEY(c->has_key = TRI_NO, "no");
	EACH_KEY(c->key_opens = TRI_NO, "no");
	EACH_KEY(c->key_matches = TRI_NO, "no");
	EACH_KEY(c->has_key = TRI_UNKNOWN, "unknown");
	EACH_KEY(c->key_opens = TRI_UNKNOWN, "unknown");
	EACH_KEY(c->key_matches = TRI_UNKNOWN, "unknown");
	EACH_KEY(text_copy(c->container, 128, "another"), "no");
	expect("no key is changed", "yes");
	for (size_t i = 0; i < before->state.n_certs; i++) /* what was not known before is not compared */
		before->state.certs[i].key_opens = TRI_UNKNOWN, before->state.certs[i].container[0] = '\0';
	text_copy(cert_named("Auth")->container, 128, "another");
	cert_named("Auth")->key_opens = TRI_NO;
	expect("no key is changed", "yes");
	cert_named("Auth")->key_opens = TRI_UNKNOWN;
	expect("no key is changed", "yes");
}

/* Only a plan that mends a key may change one, be it of the very certificate that was bound. */
static void the_key_of_the_one_that_was_bound(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	text_copy(fake_cert_add(&world, "MY", "made by hand", true, 900)->container, 128, "its own");
	repair("BE_CERT_DELETED");
	assert_int_equal(before->plan.n, 1);
	expect("no key is changed", "yes");
	text_copy(cert_named("made by hand")->container, 128, "another");
	expect("no key is changed", "no");
}

static void no_certificate_may_go(void **state)
{
	struct host_cert *auth;

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	auth = cert_named("Auth");
	text_copy(auth->store, sizeof(auth->store), "Root"); /* moved is gone */
	expect("no certificate is gone", "no");
	text_copy(auth->store, sizeof(auth->store), "MY");
	auth->info.thumbprint[0] ^= 1;
	expect("no certificate is gone", "no");
	auth->info.thumbprint[0] ^= 1;
	(void)fake_cert_add(&world, "MY", "somebody's new one", false, 100);
	expect("no certificate is gone", "yes");
	before->state.known &= ~(unsigned)HOST_PART_CERTS;
	assert_int_equal(verify(), 0);
	check_is("no certificate is gone", "absent", "they were not known before");
	check_is("no key is changed", "absent", "they were not known before");
}

/* ---- sites ---- */

#define EACH_SITE(change) \
	do { \
		struct host_site *s_ = &world.state->sites[1], was_ = *s_; \
		struct host_site *s = s_; \
		change; \
		assert_int_equal(verify(), 0); \
		check_is("sites and bindings unchanged", "no", #change); \
		assert_false(proof.ok); \
		*s_ = was_; \
	} while (0)

static void every_site(void **state)
{
	struct host_site *back = &world.state->sites[0];

	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	EACH_SITE(s->started = false);
	EACH_SITE(s->n_bindings = 0);
	EACH_SITE(s->bindings[0].ssl_flags = 1);
	EACH_SITE(text_copy(s->bindings[0].information, 256, "*:443:mail"));
	EACH_SITE(text_copy(s->bindings[0].protocol, 16, "http"));
	EACH_SITE(s->bindings[s->n_bindings++] = back->bindings[0]);
	EACH_SITE(text_copy(s->name, 128, "Another"));
	expect("sites and bindings unchanged", "yes");
	world.state->sites[1].state_unknown = true;
	world.state->sites[1].started = false;
	expect("sites and bindings unchanged", "yes");
	world.state->known &= ~(unsigned)HOST_PART_SITES;
	expect("sites and bindings unchanged", "unknown");
	before->state.known &= ~(unsigned)HOST_PART_SITES;
	assert_int_equal(verify(), 0);
	check_is("sites and bindings unchanged", "absent", "they were not known before");
}

static void a_site_that_was_stopped(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	world.state->sites[1].started = false;
	repair("BE_CERT_DELETED");
	expect("sites and bindings unchanged", "yes");
}

static void only_the_binding_of_the_plan(void **state)
{
	struct host_site *s = &world.state->sites[0];

	(void)state;
	s->n_bindings = 0;
	repair("BE_BINDING_REMOVED");
	expect("sites and bindings unchanged", "yes");
	s->bindings[s->n_bindings++] = (struct host_binding){.protocol = "https", .information = "10.0.0.5:444:"};
	expect("sites and bindings unchanged", "no");
	s->bindings[s->n_bindings - 1] = (struct host_binding){.protocol = "http", .information = BE_BINDING};
	expect("sites and bindings unchanged", "no");
	s->n_bindings--;
	s[1].bindings[s[1].n_bindings++] = s->bindings[0]; /* the very binding, at another site */
	expect("sites and bindings unchanged", "no");
	s[1].n_bindings--;
	s->bindings[0].ssl_flags = 1;
	expect("sites and bindings unchanged", "no");
	s->bindings[0].ssl_flags = 0;
	before->plan.n = 0; /* but where the plan does not list it, nobody adds one */
	expect("sites and bindings unchanged", "no");
	before->plan.n = 1;
	before->plan.steps[0].step.kind = STEP_RECORD_SET;
	before->plan.steps[0].step.flags = 0;
	text_copy(before->plan.steps[0].step.store, 64, "MY");
	text_copy(before->plan.steps[0].step.appid, 48, BE_APPID);
	expect("sites and bindings unchanged", "no");
}

/* ---- the hop ---- */

static void hop_cannot_be_asked(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_HOP)
		to->tls = TLS_ERROR;
}

static void hop_without_header(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_HOP)
		to->answer_header[0] = '\0'; /* 200, but from whom? */
}

static void hop_of_another(const struct host_probe_ask *ask, struct probe_result *to)
{
	if (ask->kind == HOST_PROBE_HOP)
		text_copy(to->answer_header, sizeof(to->answer_header), "X-BEServer: EX9");
}

static void the_hop_is_a_step_of_its_own(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	world.hop_fails = true;
	assert_int_equal(verify(), 0);
	assert_true(proof.ok);
	assert_true(proof.hop_open);
	check_is("request through the front end", "no", "the hop fails");
	assert_non_null(strstr(proof.summary, "hop not proven"));
	assert_non_null(strstr(proof.summary, "'iisreset /noforce' is a step of its own, by approval"));
	world.hop_fails = false;
	odd = hop_without_header;
	assert_int_equal(verify(), 0);
	assert_true(proof.ok && proof.hop_open);
	odd = hop_of_another; /* tells nothing of this one, and its restart would mend nothing */
	assert_int_equal(verify(), 0);
	assert_true(proof.ok);
	assert_false(proof.hop_open);
	check_is("request through the front end", "unknown", "another back end answered");
	odd = hop_cannot_be_asked;
	assert_int_equal(verify(), 0);
	assert_true(proof.ok);
	assert_false(proof.hop_open);
	check_is("request through the front end", "unknown", "it cannot be asked");
	assert_non_null(strstr(proof.summary, "hop not proven"));
	assert_null(strstr(proof.summary, "iisreset"));
	world.hop_fails = true;
	odd = NULL;
	world.pool_down = true; /* not proven at all: then nothing is left open */
	assert_int_equal(verify(), 0);
	assert_false(proof.ok || proof.hop_open);
	assert_string_equal(proof.summary, "the proof failed: see the checks");
}

static void after_a_restart_the_hop_is_the_matter(void **state)
{
	(void)state;
	world.hop_fails = true;
	repair("HOP_BROKEN");
	expect("request through the front end", "yes");
	world.hop_fails = true;
	expect("request through the front end", "no");
	assert_false(proof.hop_open);
	assert_non_null(strstr(proof.summary, "after the restart"));
	world.hop_fails = false;
	odd = hop_cannot_be_asked;
	expect("request through the front end", "unknown");
}

/* ---- other ways to come here ---- */

/* A key that came back changes the record's own key, and nothing else. */
static void a_key_that_came_back(void **state)
{
	struct host_cert *c = &world.state->certs[0];

	(void)state;
	c->has_key = TRI_NO;
	c->key_opens = c->key_matches = TRI_UNKNOWN;
	text_copy(c->container, 128, "left behind");
	look();
	assert_string_equal(before->verdict.name, "BE_KEY_MISSING");
	assert_int_equal(before->plan.steps[0].step.kind, STEP_KEY_REPAIR);
	memcpy(wanted, before->plan.wanted, 20);
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	expect("no key is changed", "yes");
	check_is("record read back", "yes", "the record stays");
	record_of(BE_ENDPOINT)->flags = 4;
	expect("record read back", "no");
	record_of(BE_ENDPOINT)->flags = 0;
	cert_named("Auth")->key_opens = TRI_NO;
	expect("no key is changed", "no");
}

/* An undo is proven in the same way: the old record, as the snapshot has it. */
static void an_undo(void **state)
{
	struct host_record old;

	(void)state;
	world.state->certs[0].info.not_after = clock_.wall + 20 * US_DAY;
	text_copy(record_of(BE_ENDPOINT)->appid, 48, "{00000000-0000-0000-0000-000000000000}");
	old = *record_of(BE_ENDPOINT);
	repair("HEALTHY_NOW");
	expect("record read back", "yes");
	*record_of(BE_ENDPOINT) = old;
	memcpy(wanted, old.thumbprint, 20);
	expect("record read back", "yes");
	record_of(BE_ENDPOINT)->flags = 3;
	expect("record read back", "no");
}

/* Of a resumed repair that had not set the record only the ledger's snapshot is there: no names, perhaps few parts. */
static void a_snapshot_from_the_ledger(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	memset(&before->identity, 0, sizeof(before->identity));
	memset(&before->plan, 0, sizeof(before->plan));
	expect("record read back", "yes");
	assert_int_equal(proof.n, 11);
	memset(&before->facts, 0, sizeof(before->facts));
	before->state.known = 0;
	expect("record read back", "yes");
	assert_int_equal(proof.n, 5);
	record_of(BE_ENDPOINT)->thumbprint[0] ^= 1;
	expect("record read back", "no");
}

static void what_cannot_be_proven(void **state)
{
	(void)state;
	fake_delete_backend_cert(&world, false);
	repair("BE_CERT_DELETED");
	probe_fails = ERR_IO; /* the connection is gone: nothing was seen */
	assert_int_equal(verify(), -1);
	assert_int_equal(error.code, ERR_IO);
	assert_false(proof.ok);
	probe_fails = ERR_REFUSED; /* the host does not probe */
	expect("handshake on every address", "unknown");
	probe_fails = ERR_NONE;
	text_copy(world.identity.fqdn, 256, "ex2.lab.example");
	assert_int_equal(verify(), -1);
	assert_non_null(strstr(error.text, "ex2.lab.example"));
	text_copy(world.identity.fqdn, 256, "EX1.lab.example");
	text_copy(world.identity.netbios, 64, "EX2");
	assert_int_equal(verify(), -1);
	text_copy(world.identity.netbios, 64, "ex1");
	expect("record read back", "yes");
	world.fail_at = world.operations + 1;
	world.fault = FAKE_LOST_BEFORE;
	assert_int_equal(verify(), -1);
	world.fail_at = world.operations + 2;
	assert_int_equal(verify(), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_good_repair_is_proven),
		T(the_record_is_read_back),
		T(its_key_is_looked_at),
		T(every_address_counts),
		T(tls12_as_before),
		T(what_443_shows),
		T(what_443_of_loopback_shows),
		T(every_byte_of_every_record),
	T(every_key),
		T(the_key_of_the_one_that_was_bound),
		T(no_certificate_may_go),
		T(every_site),
		T(a_site_that_was_stopped),
		T(only_the_binding_of_the_plan),
		T(the_hop_is_a_step_of_its_own),
		T(after_a_restart_the_hop_is_the_matter),
		T(a_key_that_came_back),
		T(an_undo),
		T(a_snapshot_from_the_ledger),
		T(what_cannot_be_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
