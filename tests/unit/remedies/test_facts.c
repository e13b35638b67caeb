/* test_facts.c - what a host answers becomes facts: each of them yes, no and unknown. */
#include <stdio.h>

#include "lib/check.h"
#include "unit/remedies/canned_host.h"

#define PAGE "docs/diagnosis.md"

struct bench {
	struct canned_host *c;
	struct diagnosis *d;
};

static struct host_cert *cert(struct bench *b, int i)
{
	return &b->c->state->certs[i];
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	b->c = canned_new();
	b->d = xcalloc(1, sizeof(*b->d));
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	canned_free(b->c);
	free(b->d);
	free(b);
	return 0;
}

static void look(struct bench *b)
{
	struct err e;

	assert_int_equal(be_diagnose(&b->c->base, &b->c->clock, INT64_MAX, b->d, &e), 0);
}

#define is(b, name, value) is_(b, name, value, __LINE__)
static void is_(struct bench *b, const char *name, enum tri value, int line)
{
	enum tri have = fact_value(&b->d->facts, name);

	if (have != value)
		fail_msg("line %d: %s is %s, and should be %s (%s)", line, name, tri_text(have), tri_text(value), fact_seen(&b->d->facts, name));
}

static const char *verdict(struct bench *b)
{
	const struct suspicion none = {.seen = 0};

	look(b);
	be_judge(b->d, &none);
	return b->d->verdict.name;
}

static void a_healthy_server(void **state)
{
	static const char *const no[] = {"record_other", "record_specific", "record_shadowed", "record_cert_elsewhere", "public_copy",
		"local_443_stale", "backend_refuses", "tls_cut", "tls_timeout", "tls_protocol_alert", "tls12_only_fails", "backend_503",
		"served_ends_soon", "served_ends_90", "served_weak", "restarted_lately", "updated_lately"};
	struct bench *b = *state;
	bool is_no;

	assert_string_equal(verdict(b), "HEALTHY_NOW");
	assert_int_equal(b->d->verdict.n_notes, 0);
	assert_int_equal(b->d->verdict.n_not_excluded, 0);
	assert_null(b->d->verdict.smtp_name);
	for (size_t i = 0; i < b->d->facts.n; i++) {
		const struct fact *f = &b->d->facts.list[i];

		is_no = false;
		for (size_t k = 0; k < sizeof(no) / sizeof(no[0]); k++)
			is_no = is_no || strcmp(no[k], f->name) == 0;
		if (strcmp(f->name, "restarted_since_change") != 0)
			is(b, f->name, is_no ? TRI_NO : TRI_YES);
		assert_true(f->seen[0] && f->where[0]);
	}
	assert_in_range(b->d->facts.n, 50, FACTS_MAX);
	assert_int_equal(b->c->asked, 3 * 2 + 3);
}

/* What a host leaves out is unknown: no fact of that part is no. */
static void what_is_not_answered(void **state)
{
	struct bench *b = *state;

	b->c->state->known = 0;
	b->c->identity.exchange_unknown = true;
	for (int i = 0; i < 3; i++)
		b->c->back[i][0].broken = b->c->back[i][1].broken = true;
	b->c->front.broken = b->c->local.broken = b->c->hop.broken = true;
	assert_string_equal(verdict(b), "UNKNOWN");
	for (size_t i = 0; i < b->d->facts.n; i++)
		if (strcmp(b->d->facts.list[i].name, "names_known") != 0)
			is(b, b->d->facts.list[i].name, TRI_UNKNOWN);
	b->c->state->known = 255;
	b->c->state->sites[0].state_unknown = true;
	b->c->state->itc_known = false;
	look(b);
	is(b, "site_started", TRI_UNKNOWN);
	is(b, "itc_in_store", TRI_UNKNOWN);
}

static void bindings(void **state)
{
	struct bench *b = *state;
	struct host_site *s = &b->c->state->sites[0];
	static const struct { const char *information; uint32_t flags; enum tri any, plain; } all[] = {
		{"*:444:", 0, TRI_YES, TRI_YES}, {":444:", 0, TRI_YES, TRI_YES}, {"*:444:", 1, TRI_YES, TRI_NO}, {"*:444:", 2, TRI_YES, TRI_NO},
		{"*:444:", 32, TRI_YES, TRI_YES}, {"10.0.0.5:444:", 0, TRI_YES, TRI_NO}, {"[fe80::1]:444:", 0, TRI_YES, TRI_NO},
		{"*:444:mail.contoso.example", 0, TRI_YES, TRI_NO}, {"*:1444:", 0, TRI_NO, TRI_UNKNOWN}, {"*:81:", 0, TRI_NO, TRI_UNKNOWN},
		{"nonsense", 0, TRI_NO, TRI_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		text_copy(s->bindings[0].information, sizeof(s->bindings[0].information), all[i].information);
		s->bindings[0].ssl_flags = all[i].flags;
		look(b);
		is(b, "binding_444", all[i].any);
		is(b, "binding_plain", all[i].plain);
	}
	s->bindings[1] = s->bindings[0];
	text_copy(s->bindings[1].information, sizeof(s->bindings[1].information), "*:444:");
	s->bindings[1].ssl_flags = 0;
	text_copy(s->bindings[0].information, sizeof(s->bindings[0].information), "10.0.0.5:444:");
	s->n_bindings = 2;
	look(b);
	is(b, "binding_plain", TRI_YES);
	text_copy(s->bindings[1].protocol, sizeof(s->bindings[1].protocol), "http");
	look(b);
	is(b, "binding_plain", TRI_NO);
}

/* Which other record stands in front: one for this server, with something else than the same good certificate. */
static void other_records(void **state)
{
	struct bench *b = *state;
	static const struct { const char *endpoint; bool sni, ccs; uint8_t byte; enum tri specific, front; } all[] = {
		{"10.0.0.5:444", false, false, 0xcc, TRI_YES, TRI_YES}, {"10.0.0.5:444", false, false, 0xaa, TRI_YES, TRI_NO},
		{"[::]:444", false, false, 0xcc, TRI_YES, TRI_YES}, {"[::]:444", false, false, 0xdd, TRI_YES, TRI_YES},
		{"ex1.contoso.example:444", true, false, 0xcc, TRI_NO, TRI_YES}, {"EX1:444", true, false, 0xcc, TRI_NO, TRI_YES},
		{"localhost:444", true, false, 0xcc, TRI_NO, TRI_YES}, {"*.contoso.example:444", true, false, 0xcc, TRI_NO, TRI_YES},
		{"mail.contoso.example:444", true, false, 0xcc, TRI_NO, TRI_NO}, {"444", false, true, 0, TRI_NO, TRI_YES},
	};
	struct host_record *r = canned_record(b->c, "", 444, 0);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		text_copy(r->endpoint, sizeof(r->endpoint), all[i].endpoint);
		r->sni = all[i].sni;
		r->ccs = all[i].ccs;
		memset(r->thumbprint, all[i].byte, 20);
		look(b);
		is(b, "record_other", TRI_YES);
		is(b, "record_specific", all[i].specific);
		is(b, "record_shadowed", all[i].front);
	}
	/* the same certificate is harmless only while it is good */
	text_copy(r->endpoint, sizeof(r->endpoint), "[::]:444");
	r->ccs = false;
	memset(r->thumbprint, 0xaa, 20);
	cert(b, 0)->key_opens = TRI_NO;
	look(b);
	is(b, "record_shadowed", TRI_YES);
	cert(b, 0)->key_opens = TRI_UNKNOWN;
	look(b);
	is(b, "record_shadowed", TRI_UNKNOWN);
	cert(b, 0)->key_opens = TRI_YES;
	cert(b, 0)->info.not_after = CANNED_NOW - US_DAY;
	look(b);
	is(b, "record_shadowed", TRI_YES);
}

static void where_the_certificate_is(void **state)
{
	struct bench *b = *state;
	struct host_cert *c = cert(b, 0);

	c->key_denied = TRI_YES;
	c->key_opens = TRI_NO;
	c->key_matches = TRI_UNKNOWN;
	look(b);
	is(b, "record_key_usable", TRI_NO);
	is(b, "record_key_there", TRI_YES);
	is(b, "record_key_opens", TRI_NO);
	is(b, "record_key_matches", TRI_UNKNOWN);
	is(b, "record_key_denied", TRI_YES);
	c->key_opens = c->key_matches = TRI_YES;
	text_copy(c->store, sizeof(c->store), "WebHosting");
	look(b);
	is(b, "record_cert_in_store", TRI_NO);
	is(b, "record_cert_elsewhere", TRI_YES);
	is(b, "record_key_usable", TRI_UNKNOWN);
	c->has_key = TRI_NO;
	look(b);
	is(b, "record_cert_elsewhere", TRI_NO);
	is(b, "public_copy", TRI_YES);
	c->has_key = TRI_YES;
	text_copy(c->store, sizeof(c->store), "Root");
	look(b);
	is(b, "record_cert_elsewhere", TRI_NO);
	b->c->state->certs_picked = true;
	c->info.thumbprint[0] = 1;
	look(b);
	is(b, "record_cert_in_store", TRI_UNKNOWN);
	is(b, "record_cert_elsewhere", TRI_UNKNOWN);
}

static void the_front_ends_records(void **state)
{
	struct bench *b = *state;
	struct host_record *local = &b->c->state->records[2];

	memset(local->thumbprint, 0xaa, 20);
	look(b);
	is(b, "local_443_stale", TRI_NO);
	is(b, "record_local_443_usable", TRI_YES);
	cert(b, 0)->info.thumbprint[0] = 1;
	look(b);
	is(b, "local_443_stale", TRI_YES);
	is(b, "record_local_443_usable", TRI_NO);
	is(b, "record_443_usable", TRI_YES);
	memset(local->thumbprint, 0xcc, 20);
	look(b);
	is(b, "local_443_stale", TRI_NO);
	b->c->state->n_records = 2;
	look(b);
	is(b, "record_local_443", TRI_NO);
	is(b, "record_local_443_usable", TRI_UNKNOWN);
	is(b, "local_443_stale", TRI_UNKNOWN);
}

static void all_doors(struct bench *b, enum probe_tcp tcp, enum probe_tls tls, int alert)
{
	for (int i = 0; i < 3; i++)
		for (int v = 0; v < 2; v++)
			canned_fails(&b->c->back[i][v].shows, tcp, tls, alert);
}

static void how_handshakes_end(void **state)
{
	struct bench *b = *state;
	static const struct { enum probe_tcp tcp; enum probe_tls tls; int alert; const char *yes; int asked; } all[] = {
		{TCP_OK, TLS_RESET, 0, "tls_cut", 9}, {TCP_OK, TLS_EOF, 0, "tls_cut", 9}, {TCP_OK, TLS_ALERT, 80, "tls_cut", 9},
		{TCP_OK, TLS_ALERT, 40, "tls_protocol_alert", 9}, {TCP_OK, TLS_ALERT, 70, "tls_protocol_alert", 9},
		{TCP_OK, TLS_ALERT, 71, "tls_protocol_alert", 9}, {TCP_OK, TLS_TIMEOUT, 0, "tls_timeout", 6},
		{TCP_REFUSED, TLS_NOT_TRIED, 0, "backend_refuses", 6},
	};
	static const char *const names[] = {"tls_cut", "tls_protocol_alert", "tls_timeout", "backend_refuses"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		all_doors(b, all[i].tcp, all[i].tls, all[i].alert);
		b->c->asked = 0;
		look(b);
		for (size_t k = 0; k < 4; k++)
			is(b, names[k], strcmp(names[k], all[i].yes) == 0 ? TRI_YES : TRI_NO);
		is(b, "addresses_agree", TRI_YES);
		is(b, "backend_tls", TRI_NO);
		is(b, "backend_tls12", TRI_NO);
		is(b, "tls12_only_fails", TRI_NO);
		is(b, "backend_listens", all[i].tcp == TCP_OK ? TRI_YES : TRI_NO);
		is(b, "served_own", TRI_UNKNOWN);
		assert_int_equal(b->c->asked, all[i].asked);
	}
	all_doors(b, TCP_TIMEOUT, TLS_NOT_TRIED, 0);
	look(b);
	is(b, "backend_listens", TRI_UNKNOWN);
	is(b, "backend_tls", TRI_UNKNOWN);
}

static void addresses(void **state)
{
	struct bench *b = *state;
	struct probe_result *second = &b->c->back[1][0].shows;

	canned_fails(second, TCP_OK, TLS_RESET, 0);
	look(b);
	is(b, "addresses_agree", TRI_NO);
	is(b, "backend_tls", TRI_UNKNOWN);
	is(b, "backend_listens", TRI_YES);
	assert_non_null(strstr(fact_seen(&b->d->facts, "backend_tls"), "127.0.0.1: ok, ::1: reset, ex1.contoso.example: ok"));
	assert_string_equal(verdict(b), "UNKNOWN");
	canned_shows(second, cert(b, 1), 200);
	look(b);
	is(b, "addresses_agree", TRI_NO);
	is(b, "backend_tls", TRI_YES);
	canned_shows(second, cert(b, 0), 503);
	look(b);
	is(b, "addresses_agree", TRI_YES);
	is(b, "backend_503", TRI_UNKNOWN);
	canned_shows(second, cert(b, 0), 0);
	look(b);
	is(b, "backend_answers", TRI_UNKNOWN);
	b->c->back[1][0].broken = true;
	look(b);
	is(b, "addresses_agree", TRI_UNKNOWN);
	is(b, "backend_listens", TRI_UNKNOWN);
	b->c->back[1][0].broken = false;
	/* reset here and nothing there: both fail, and only a cause that asks how is left open */
	all_doors(b, TCP_OK, TLS_RESET, 0);
	canned_fails(second, TCP_OK, TLS_TIMEOUT, 0);
	look(b);
	is(b, "addresses_agree", TRI_YES);
	is(b, "backend_tls", TRI_NO);
	is(b, "tls_cut", TRI_UNKNOWN);
	canned_fails(second, TCP_REFUSED, TLS_NOT_TRIED, 0);
	look(b);
	is(b, "addresses_agree", TRI_NO);
	b->c->identity.n_addresses = 0;
	look(b);
	is(b, "addresses_agree", TRI_UNKNOWN);
	is(b, "backend_tls", TRI_UNKNOWN);
}

static void tls12(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 3; i++)
		canned_fails(&b->c->back[i][1].shows, TCP_OK, TLS_RESET, 0);
	look(b);
	is(b, "backend_tls12", TRI_NO);
	is(b, "tls12_only_fails", TRI_YES);
	canned_shows(&b->c->back[2][1].shows, cert(b, 0), 0);
	look(b);
	is(b, "tls12_only_fails", TRI_UNKNOWN);
	b->c->back[2][1].broken = true;
	look(b);
	is(b, "backend_tls12", TRI_UNKNOWN);
	is(b, "backend_tls", TRI_YES);
}

static void serve(struct bench *b)
{
	for (int i = 0; i < 3; i++)
		canned_shows(&b->c->back[i][0].shows, cert(b, 0), 200);
	look(b);
}

static void what_is_served(void **state)
{
	struct bench *b = *state;
	struct host_cert *c = cert(b, 0);

	c->info.sha1_signature = true;
	serve(b);
	is(b, "served_weak", TRI_YES);
	c->info.sha1_signature = false;
	c->info.key_bits = 1024;
	serve(b);
	is(b, "served_weak", TRI_YES);
	c->info.key_bits = 2048;
	c->info.key = KEY_EC;
	serve(b);
	is(b, "served_weak", TRI_YES);
	c->info.key = KEY_RSA;
	c->csp = false;
	serve(b);
	is(b, "served_weak", TRI_YES);
	c->provider[0] = '\0'; /* nobody said what kind of provider it is */
	serve(b);
	is(b, "served_weak", TRI_NO);
	c->info.not_after = CANNED_NOW + 89 * US_DAY;
	serve(b);
	is(b, "served_ends_90", TRI_YES);
	is(b, "served_ends_soon", TRI_NO);
	c->info.not_after = CANNED_NOW + 59 * US_DAY;
	serve(b);
	is(b, "served_ends_soon", TRI_YES);
	is(b, "served_valid", TRI_YES);
	c->info.not_after = CANNED_NOW - 1;
	serve(b);
	is(b, "served_valid", TRI_NO);
	c->info.not_after = CANNED_NOW + 900 * US_DAY;
	c->info.not_before = CANNED_NOW + 1;
	serve(b);
	is(b, "served_valid", TRI_NO);
	/* another certificate than any record names */
	memset(c->info.thumbprint, 0xee, 20);
	serve(b);
	is(b, "served_by_record", TRI_NO);
	canned_record(b->c, "444", 444, 0)->ccs = true;
	serve(b);
	is(b, "served_by_record", TRI_UNKNOWN);
	canned_record(b->c, "[::]:444", 444, 0xee);
	serve(b);
	is(b, "served_by_record", TRI_YES);
}

/* Each of its names will do, in the name or among the aliases. Of another server nothing is read. */
static void whether_it_is_the_configured_host(void **state)
{
	static const char *const short_name[] = {"other", "ex1"}, *const full_name[] = {"ex1.CONTOSO.example"};
	const struct { struct host_config config; enum tri value; } all[] = {
		{{.name = "ex1.contoso.example"}, TRI_YES}, {{.name = "EX1"}, TRI_YES},
		{{.name = "mail.contoso.example", .aliases = short_name, .n_aliases = 2}, TRI_YES},
		{{.name = "mail.contoso.example", .aliases = full_name, .n_aliases = 1}, TRI_YES},
		{{.name = "other.contoso.example"}, TRI_NO}, {{.name = "ex1.fabrikam.example", .aliases = short_name, .n_aliases = 1}, TRI_NO},
		{{.name = ""}, TRI_NO},
	};
	struct bench *b = *state;
	uint8_t id[32];

	(void)verdict(b);
	is(b, "is_configured_host", TRI_UNKNOWN);
	be_plan(b->d);
	memcpy(id, b->d->plan.id, 32);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		b->c->base.config = &all[i].config;
		b->c->asked = 0;
		assert_string_equal(verdict(b), all[i].value == TRI_YES ? "HEALTHY_NOW" : "UNKNOWN");
		is(b, "is_configured_host", all[i].value);
		be_plan(b->d);
		if (all[i].value == TRI_YES) { /* as in a folder, where nobody knows */
			assert_memory_equal(id, b->d->plan.id, 32);
			continue;
		}
		assert_non_null(strstr(b->d->verdict.text, "Another server answers: ex1.contoso.example (EX1)"));
		assert_int_equal(b->c->asked, 0);
		assert_int_equal(b->d->state.known, 0);
		assert_int_equal(b->d->facts.n, 1);
		assert_int_equal(b->d->plan.n, 0);
		assert_int_equal(b->d->verdict.n_notes, 0);
	}
}

static void the_front_end_and_the_hop(void **state)
{
	struct bench *b = *state;

	static const struct { const char *header; enum tri value; } all[] = {
		{"X-BEServer: EX1", TRI_YES}, {"x-beserver: ex1.contoso.example", TRI_YES}, {"X-FEServer: EX9\nX-BEServer:  ex1\nX-A: b", TRI_YES},
		{"X-BEServer: EX9", TRI_UNKNOWN}, {"X-BEServer: EX", TRI_UNKNOWN}, {"X-BEServer: EX1.fabrikam.example", TRI_UNKNOWN},
		{"X-BEServer:", TRI_UNKNOWN}, {"X-FEServer: EX1", TRI_NO}, {"X-Other-X-BEServer: EX1", TRI_NO},
		{"X-CalculatedBETarget: ex1.contoso.example", TRI_NO}, {"X-CalculatedBETarget: ex9.contoso.example", TRI_UNKNOWN},
		{"X-CalculatedBETarget: ex9.contoso.example\nX-BEServer: EX1", TRI_YES}, {"", TRI_NO},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		text_copy(b->c->hop.shows.answer_header, sizeof(b->c->hop.shows.answer_header), all[i].header);
		look(b);
		if (fact_value(&b->d->facts, "hop_answers") != all[i].value)
			fail_msg("'%s': hop_answers is not %s", all[i].header, tri_text(all[i].value));
	}
	canned_fails(&b->c->hop.shows, TCP_OK, TLS_RESET, 0);
	look(b);
	is(b, "hop_answers", TRI_UNKNOWN);
	b->c->front.shows.leaf.not_after = CANNED_NOW - 1;
	look(b);
	is(b, "frontend_tls", TRI_YES);
	is(b, "frontend_valid", TRI_NO);
	canned_fails(&b->c->front.shows, TCP_REFUSED, TLS_NOT_TRIED, 0);
	look(b);
	is(b, "frontend_tls", TRI_NO);
	is(b, "frontend_listens", TRI_NO);
	is(b, "frontend_valid", TRI_UNKNOWN);
}

/* 127.0.0.1:443 is a record of its own: its handshake says nothing of the one that people meet, nor the other way round. */
static void port_443_by_name_and_on_loopback(void **state)
{
	struct bench *b = *state;

	look(b);
	is(b, "frontend_local_tls", TRI_YES);
	assert_int_equal(strlen(fact_key(&b->d->facts, "frontend_local_tls")), 40);
	canned_shows(&b->c->local.shows, cert(b, 0), 0);
	look(b);
	assert_true(text_starts(fact_key(&b->d->facts, "frontend_tls"), "cccc"));
	assert_true(text_starts(fact_key(&b->d->facts, "frontend_local_tls"), "aaaa"));
	canned_fails(&b->c->local.shows, TCP_OK, TLS_RESET, 0);
	look(b);
	is(b, "frontend_local_tls", TRI_NO);
	is(b, "frontend_tls", TRI_YES);
	is(b, "hop_answers", TRI_YES);
	assert_string_equal(fact_key(&b->d->facts, "frontend_local_tls"), "");
	canned_fails(&b->c->local.shows, TCP_REFUSED, TLS_NOT_TRIED, 0);
	look(b);
	is(b, "frontend_local_tls", TRI_UNKNOWN);
	canned_fails(&b->c->front.shows, TCP_UNRESOLVABLE, TLS_NOT_TRIED, 0); /* the name leads nowhere */
	canned_fails(&b->c->hop.shows, TCP_UNRESOLVABLE, TLS_NOT_TRIED, 0);
	look(b);
	is(b, "frontend_listens", TRI_UNKNOWN);
	is(b, "frontend_tls", TRI_UNKNOWN);
	is(b, "hop_answers", TRI_UNKNOWN);
	b->c->identity.fqdn[0] = '\0';
	canned_shows(&b->c->local.shows, cert(b, 0), 0);
	b->c->asked = 0;
	look(b);
	is(b, "frontend_tls", TRI_UNKNOWN);
	is(b, "frontend_local_tls", TRI_YES);
	assert_int_equal(b->c->asked, 3 * 2 + 1);
}

/* One certificate for both ports: setup's own is right there, a public one is not, one of the own authority is left alone. */
static void one_certificate_for_both_ports(void **state)
{
	struct bench *b = *state;
	struct host_cert *c = cert(b, 0);

	memset(b->c->state->records[1].thumbprint, 0xaa, 20);
	serve(b);
	is(b, "served_own", TRI_YES);
	c->info.self_signed = false;
	text_copy(c->info.issuer, sizeof(c->info.issuer), "CN=Example CA,O=Example Trust,C=US");
	serve(b);
	is(b, "served_own", TRI_YES);
	text_copy(c->info.san[c->info.n_san++], sizeof(c->info.san[0]), "mail.contoso.example");
	serve(b);
	is(b, "served_own", TRI_NO);
	assert_string_equal(verdict(b), "BE_CERT_FOREIGN");
	text_copy(c->info.issuer, sizeof(c->info.issuer), "CN=contoso-DC1-CA,DC=contoso,DC=example");
	serve(b);
	is(b, "served_own", TRI_YES);
	text_copy(c->info.issuer, sizeof(c->info.issuer), "CN=Example CA");
	memset(b->c->state->records[1].thumbprint, 0xcc, 20);
	serve(b);
	is(b, "served_own", TRI_YES);
}

static void services_and_times(void **state)
{
	struct bench *b = *state;
	struct host_state *s = b->c->state;

	s->services[1].running = false;
	s->pools[1].running = false;
	s->allow_internal_untrusted = TRI_NO;
	s->boot_time = CANNED_NOW - US_HOUR;
	s->update_time = CANNED_NOW - 2 * US_DAY;
	look(b);
	is(b, "was_running", TRI_NO);
	is(b, "w3svc_running", TRI_YES);
	is(b, "pools_started", TRI_NO);
	assert_string_equal(fact_key(&b->d->facts, "pools_started"), "MSExchangeOWAAppPool");
	is(b, "internal_untrusted_allowed", TRI_NO);
	is(b, "restarted_lately", TRI_YES);
	is(b, "updated_lately", TRI_YES);
	is(b, "restarted_since_change", TRI_UNKNOWN);
	s->boot_time = CANNED_NOW - US_MINUTE;
	look(b);
	is(b, "restarted_since_change", TRI_YES);
	cert(b, 0)->info.not_before = CANNED_NOW - US_SECOND;
	look(b);
	is(b, "restarted_since_change", TRI_NO);
	s->boot_time = s->update_time = 0;
	look(b);
	is(b, "restarted_lately", TRI_UNKNOWN);
	is(b, "updated_lately", TRI_UNKNOWN);
	is(b, "restarted_since_change", TRI_UNKNOWN);
}

static void certificates_for_smtp(void **state)
{
	struct bench *b = *state;
	struct host_cert *c = cert(b, 0), *second;

	c->info.not_after = CANNED_NOW - 1;
	look(b);
	is(b, "smtp_kind_fits", TRI_YES);
	is(b, "smtp_date_fits", TRI_NO);
	c->info.server_auth = false;
	look(b);
	is(b, "smtp_key_there", TRI_YES);
	is(b, "smtp_kind_fits", TRI_NO);
	is(b, "smtp_date_fits", TRI_UNKNOWN);
	c->key_matches = TRI_NO;
	look(b);
	is(b, "smtp_key_there", TRI_NO);
	is(b, "itc_key_usable", TRI_NO);
	/* a second one that passes everything is enough, whatever stands before it */
	second = canned_cert(b->c, "MY", 0xbb, "*.contoso.example");
	look(b);
	is(b, "smtp_date_fits", TRI_YES);
	assert_true(text_starts(fact_key(&b->d->facts, "smtp_date_fits"), "bbbb"));
	second->has_key = TRI_UNKNOWN;
	look(b);
	is(b, "smtp_key_there", TRI_UNKNOWN);
	text_copy(second->store, sizeof(second->store), "WebHosting");
	look(b);
	is(b, "smtp_key_there", TRI_NO);
}

static void names_for_smtp(void **state)
{
	struct bench *b = *state;
	struct host_cert *c = cert(b, 0);

	text_copy(b->c->identity.fqdn, sizeof(b->c->identity.fqdn), "ex9.corp.contoso.example");
	text_copy(b->c->identity.netbios, sizeof(b->c->identity.netbios), "EX9");
	look(b);
	is(b, "smtp_name_there", TRI_NO);
	is(b, "smtp_renamed", TRI_YES);
	is(b, "smtp_wildcard_misses", TRI_NO);
	is(b, "smtp_key_there", TRI_UNKNOWN);
	text_copy(c->info.san[0], sizeof(c->info.san[0]), "*.contoso.example");
	text_copy(c->friendly_name, sizeof(c->friendly_name), "public");
	look(b);
	is(b, "smtp_wildcard_misses", TRI_YES);
	is(b, "smtp_renamed", TRI_NO);
	text_copy(c->info.san[0], sizeof(c->info.san[0]), "*.corp.contoso.example");
	look(b);
	is(b, "smtp_name_there", TRI_YES);
	b->c->state->n_certs = 0;
	look(b);
	is(b, "itc_in_store", TRI_NO);
	is(b, "smtp_name_there", TRI_NO);
	b->c->state->certs_picked = true;
	look(b);
	is(b, "itc_in_store", TRI_UNKNOWN);
	is(b, "smtp_name_there", TRI_UNKNOWN);
}

/* The same state an hour later: the plan keeps its id. */
static void keys_hold_no_times(void **state)
{
	struct bench *b = *state;
	uint8_t id[32];

	(void)verdict(b);
	be_plan(b->d);
	memcpy(id, b->d->plan.id, 32);
	b->c->clock = clock_fixed(CANNED_NOW + US_HOUR);
	b->c->back[0][0].shows.took_us = 12345;
	(void)verdict(b);
	be_plan(b->d);
	assert_memory_equal(id, b->d->plan.id, 32);
}

static void the_page_names_every_fact(void **state)
{
	struct bench *b = *state;
	char *page = xcalloc(1, 64 * 1024), name[80];
	FILE *f = fopen(PAGE, "r");

	assert_non_null(f);
	assert_in_range(fread(page, 1, 64 * 1024 - 1, f), 1000, 64 * 1024 - 2);
	fclose(f);
	cert(b, 0)->key_denied = TRI_NO;
	look(b);
	for (size_t i = 0; i < b->d->facts.n; i++) {
		snprintf(name, sizeof(name), "`%s`", b->d->facts.list[i].name);
		if (!strstr(page, name))
			fail_msg("%s does not name the fact %s", PAGE, name);
	}
	free(page);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_healthy_server), test(what_is_not_answered), test(bindings), test(other_records), test(where_the_certificate_is),
		test(the_front_ends_records), test(how_handshakes_end), test(addresses), test(tls12), test(what_is_served),
		test(whether_it_is_the_configured_host), test(the_front_end_and_the_hop), test(port_443_by_name_and_on_loopback),
		test(one_certificate_for_both_ports), test(services_and_times),
		test(certificates_for_smtp), test(names_for_smtp),
		test(keys_hold_no_times), test(the_page_names_every_fact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
