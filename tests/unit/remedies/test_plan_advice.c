/* test_plan_advice.c - commands made of the host's own records and bindings: exact, whole, or not there. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/check.h"
#include "remedies/exchange_backend/backend.h"

#define NOW (INT64_C(1800000000) * US_SECOND)

static void shapes(void **state)
{
	(void)state;
	assert_true(be_endpoint_ok("10.0.0.5:444", false));
	assert_true(be_endpoint_ok("0.0.0.0:1", false));
	assert_true(be_endpoint_ok("255.255.255.255:65535", false));
	assert_true(be_endpoint_ok("[::1]:444", false));
	assert_true(be_endpoint_ok("[fe80::1:2]:444", false));
	assert_true(be_endpoint_ok("ex1.contoso.com:444", true));
	assert_false(be_endpoint_ok("", false));
	assert_false(be_endpoint_ok("10.0.0.5", false));
	assert_false(be_endpoint_ok(":444", false));
	assert_false(be_endpoint_ok(":444", true));
	assert_false(be_endpoint_ok("10.0.0.5:", false));
	assert_false(be_endpoint_ok("10.0.0.5:0", false));
	assert_false(be_endpoint_ok("10.0.0.5:65536", false));
	assert_false(be_endpoint_ok("10.0.0.5:0000444", false));
	assert_false(be_endpoint_ok("10.0.0.5:444 & calc", false));
	assert_false(be_endpoint_ok("10.0.0.5:+44", false));
	assert_false(be_endpoint_ok("10.0.0:444", false));
	assert_false(be_endpoint_ok("10.0.0.5.6:444", false));
	assert_false(be_endpoint_ok("10.0.0.:444", false));
	assert_false(be_endpoint_ok("10..0.5:444", false));
	assert_false(be_endpoint_ok("10.0.0.256:444", false));
	assert_false(be_endpoint_ok("10.0.0.0005:444", false));
	assert_false(be_endpoint_ok("10.0.0.x:444", false));
	assert_false(be_endpoint_ok("10.0x0.5:444", false));
	assert_false(be_endpoint_ok("10.0.0.5:-4", false));
	assert_false(be_endpoint_ok("::1:444", false));
	assert_false(be_endpoint_ok("[:]:444", false));
	assert_false(be_endpoint_ok("a::1]:444", false));
	assert_false(be_endpoint_ok("[::1x:444", false));
	assert_false(be_endpoint_ok("[1111:2222:3333:4444:5555:6666:7777:8888:9999:0000]:444", false));
	assert_false(be_endpoint_ok("[]:444", false));
	assert_false(be_endpoint_ok("[1234]:444", false));
	assert_false(be_endpoint_ok("[::1;x]:444", false));
	assert_false(be_endpoint_ok("[::1%eth0]:444", false));
	assert_false(be_endpoint_ok("[::1:444", false));
	assert_false(be_endpoint_ok("ex1.contoso.com:444", false));
	assert_false(be_endpoint_ok("ex1 contoso:444", true));
	assert_false(be_endpoint_ok("ex1'|calc:444", true));
	assert_false(be_endpoint_ok("$(calc):444", true));
	assert_false(be_endpoint_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:444", true));
}

static struct host_record *add_record(struct diagnosis *d, const char *endpoint, uint16_t port, int letter)
{
	struct host_record *r = &d->state.records[d->state.n_records++];

	text_copy(r->endpoint, sizeof(r->endpoint), endpoint);
	r->port = port;
	memset(r->thumbprint, letter, 20);
	text_copy(r->store, sizeof(r->store), "MY");
	return r;
}

static struct host_cert *add_cert(struct diagnosis *d, int letter)
{
	struct host_cert *c = &d->state.certs[d->state.n_certs++];

	memset(c->info.thumbprint, letter, 20);
	text_copy(c->store, sizeof(c->store), "MY");
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	return c;
}

static struct host_binding *add_binding(struct diagnosis *d, const char *information)
{
	struct host_binding *b = &d->state.sites[0].bindings[d->state.sites[0].n_bindings++];

	text_copy(b->protocol, sizeof(b->protocol), "https");
	text_copy(b->information, sizeof(b->information), information);
	return b;
}

/* 444's record with its certificate R; the site has no binding yet. */
static struct diagnosis *wrong(const char *binding)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));

	d->when = NOW;
	d->state.known = ~0u;
	d->verdict.name = "BE_BINDING_WRONG";
	text_copy(d->verdict.advice, sizeof(d->verdict.advice), "as the table says it");
	text_copy(d->state.sites[0].name, sizeof(d->state.sites[0].name), BE_SITE);
	d->state.n_sites = 1;
	(void)add_record(d, BE_ENDPOINT, 444, 'R');
	(void)add_cert(d, 'R');
	(void)fact_set(&d->facts, "binding_plain", binding ? TRI_NO : TRI_YES, "test", 0, "set");
	(void)add_binding(d, binding ? binding : BE_BINDING);
	return d;
}

static void expect(struct diagnosis *d, const char *wanted)
{
	be_plan(d);
	assert_int_equal(d->plan.n, 0);
	assert_string_equal(d->verdict.advice, wanted);
	free(d);
}

#define NOT_OURS "What a person configured is not altered by evmend."
#define FRONT(name) \
	" A record for " name " stands in front. Keep what 'netsh http show sslcert " name "' says; if nobody needs it: 'netsh http delete " \
	"sslcert " name "'."

static void records_in_front(void **state)
{
	struct diagnosis *d;

	(void)state;
	d = wrong(NULL);
	(void)add_record(d, "10.0.0.5:444", 444, 'X');
	(void)add_record(d, "10.0.0.6:444", 444, 'R'); /* leads to the same certificate */
	(void)add_record(d, "0.0.0.0:443", 443, 'X');
	expect(d, NOT_OURS FRONT("ipport=10.0.0.5:444"));
	d = wrong(NULL);
	(void)add_record(d, "[::]:444", 444, 'X');
	expect(d, NOT_OURS FRONT("ipport=[::]:444"));
	d = wrong(NULL);
	add_record(d, "ex1.contoso.com:444", 444, 'X')->sni = true;
	expect(d, NOT_OURS FRONT("hostnameport=ex1.contoso.com:444"));
	d = wrong(NULL);
	add_record(d, "*:444", 444, 0)->ccs = true;
	expect(d, NOT_OURS FRONT("ccs=444"));
	d = wrong(NULL);
	d->state.n_certs = 0; /* what the plain record names is gone: another record of the same leads nowhere, too */
	(void)add_record(d, "10.0.0.6:444", 444, 'R');
	expect(d, NOT_OURS FRONT("ipport=10.0.0.6:444"));
	d = wrong(NULL);
	d->state.records[0].port = 8444; /* no plain record at all */
	text_copy(d->state.records[0].endpoint, 80, "0.0.0.0:8444");
	(void)add_record(d, "10.0.0.5:444", 444, 'X');
	expect(d, NOT_OURS FRONT("ipport=10.0.0.5:444"));
}

/* Text that a host sent and that is no endpoint never gets into a command. */
static void no_command_of_odd_text(void **state)
{
	static const char *const odd[] = {"10.0.0.5:444 & format c:", "10.0.0.5;calc:444", "'; calc':444", "444", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct diagnosis *d = wrong(NULL);

		(void)add_record(d, odd[i], 444, 'X');
		expect(d, NOT_OURS " A record stands in front whose name has no known shape: see 'netsh http show sslcert'.");
		d = wrong(NULL);
		add_record(d, odd[i], 444, 'X')->sni = true;
		expect(d, NOT_OURS " A record stands in front whose name has no known shape: see 'netsh http show sslcert'.");
	}
}

#define APPCMD "& \"$env:windir\\System32\\inetsrv\\appcmd.exe\""
#define SITE APPCMD " set site '/site.name:Exchange Back End' "
#define ADD " Add the plain binding, in PowerShell: " SITE "\"/+bindings.[protocol='https',bindingInformation='*:444:']\""
#define DROP(information) " If nobody needs the one with an address or a name: " SITE \
	"\"/-bindings.[protocol='https',bindingInformation='" information "']\""

static void bindings(void **state)
{
	struct diagnosis *d;

	(void)state;
	expect(wrong("10.0.0.5:444:"), NOT_OURS ADD DROP("10.0.0.5:444:"));
	expect(wrong("[::1]:444:"), NOT_OURS ADD DROP("[::1]:444:"));
	expect(wrong("*:444:ex1.contoso.com"), NOT_OURS ADD DROP("*:444:ex1.contoso.com"));
	expect(wrong("*:444:*.contoso.com"), NOT_OURS ADD DROP("*:444:*.contoso.com"));
	expect(wrong("*:444:a'] /+x.['"), NOT_OURS ADD " One binding for port 444 has no known shape: see " APPCMD " list site.");
	expect(wrong("10.0.0.5 x:444:"), NOT_OURS ADD " One binding for port 444 has no known shape: see " APPCMD " list site.");
	d = wrong("10.0.0.5:444:");
	text_copy(add_binding(d, BE_BINDING)->protocol, 16, "http");
	expect(d, NOT_OURS ADD DROP("10.0.0.5:444:"));
	d = wrong("*:444:");
	d->state.sites[0].bindings[0].ssl_flags = 1;
	(void)add_binding(d, "*:81:");
	text_copy(add_binding(d, "10.0.0.5:444:")->protocol, 16, "http");
	expect(d, NOT_OURS " Take the flags from the plain binding, in PowerShell: " SITE
		"\"/bindings.[protocol='https',bindingInformation='*:444:'].sslFlags:0\"");
}

/* There is room for 600 bytes: what does not fit whole is left out. */
static void no_command_is_cut(void **state)
{
	struct diagnosis *d = wrong(NULL);
	const char *last;

	(void)state;
	for (int i = 1; i < 9; i++) {
		char endpoint[32];

		say_text(endpoint, sizeof(endpoint), "10.20.30.%d:444", i + 100);
		(void)add_record(d, endpoint, 444, 'X');
	}
	be_plan(d);
	last = d->verdict.advice + strlen(d->verdict.advice) - 6;
	assert_string_equal(last, ":444'.");
	assert_non_null(strstr(d->verdict.advice, "10.20.30.102"));
	assert_null(strstr(d->verdict.advice, "10.20.30.103"));
	free(d);
}

/* The rights of a key are a person's: the command is told, and is no step. */
static void rights_are_told(void **state)
{
	struct diagnosis *d = wrong(NULL);

	(void)state;
	d->verdict.name = "BE_KEY_ACCESS";
	d->verdict.repairable = REPAIR_BY_POLICY;
	be_plan(d);
	for (size_t i = 0; i < d->plan.n; i++)
		assert_int_not_equal(d->plan.steps[i].step.kind, STEP_KEY_REPAIR);
	assert_string_equal(d->verdict.advice, "as the table says it Or, in its place: certutil -repairstore my "
		"5252525252525252525252525252525252525252 \"D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;NS)\" replaces the access list of the key "
		"(SYSTEM and Administrators all, Network Service reads). evmend never alters that list.");
	text_copy(d->state.records[0].store, sizeof(d->state.records[0].store), "WebHosting");
	text_copy(d->verdict.advice, sizeof(d->verdict.advice), "as the table says it");
	be_plan(d);
	assert_string_equal(d->verdict.advice, "as the table says it");
	free(d);
}

static void only_for_that_verdict(void **state)
{
	struct diagnosis *d = wrong("10.0.0.5:444:");

	(void)state;
	d->verdict.name = "BE_SITE_DOWN";
	expect(d, "as the table says it");
	d = wrong("10.0.0.5:444:");
	d->state.known &= ~(unsigned)HOST_PART_SITES;
	expect(d, NOT_OURS);
	d = wrong(NULL);
	(void)add_record(d, "10.0.0.5:444", 444, 'X');
	d->state.known &= ~(unsigned)HOST_PART_RECORDS;
	expect(d, NOT_OURS);
}

/* ---- 127.0.0.1:443 ---- */

static const struct note *loopback_note(const struct diagnosis *d)
{
	const struct note *found = NULL;

	for (size_t i = 0; i < d->verdict.n_notes; i++)
		if (strcmp(d->verdict.notes[i].name, "LOCAL_443_STALE") == 0) {
			assert_null(found); /* once */
			found = &d->verdict.notes[i];
		}
	return found;
}

static struct diagnosis *healthy(void)
{
	struct diagnosis *d = wrong(NULL);

	d->verdict.name = "HEALTHY_NOW";
	(void)add_record(d, "127.0.0.1:443", 443, 'S');
	return d;
}

static void the_door_for_self_probes(void **state)
{
	struct diagnosis *d = healthy();

	(void)state;
	be_plan(d);
	be_plan(d); /* once more: the note is there once */
	assert_string_equal(loopback_note(d)->text, "127.0.0.1:443 names 5353535353535353535353535353535353535353, which cannot be loaded: "
		"self-probes and the shell may enter there. evmend never changes it. By hand: 'netsh http delete sslcert ipport=127.0.0.1:443', "
		"then 'netsh http add sslcert ipport=127.0.0.1:443 certhash=5252525252525252525252525252525252525252 "
		"\"appid={4dc3e181-e14b-4a21-b022-59fc669b0914}\" certstorename=MY'.");
	assert_int_equal(d->plan.n, 0);
	d->state.certs[0].key_opens = TRI_NO; /* nothing good to bind */
	be_plan(d);
	assert_non_null(strstr(loopback_note(d)->text, "Once port 444 is mended, 'evmend diagnose' says the command."));
	free(d);
}

static void only_when_it_is_stale(void **state)
{
	struct diagnosis *d = healthy();

	(void)state;
	(void)add_cert(d, 'S');
	be_plan(d);
	assert_null(loopback_note(d));
	d->state.certs[1].key_opens = TRI_UNKNOWN;
	be_plan(d);
	assert_null(loopback_note(d));
	d->state.certs[1].key_opens = TRI_NO;
	be_plan(d);
	assert_non_null(loopback_note(d));
	free(d);
	d = healthy();
	text_copy(d->state.records[1].endpoint, 80, "0.0.0.0:443"); /* the front end's own is another matter */
	be_plan(d);
	assert_null(loopback_note(d));
	free(d);
	d = healthy();
	d->state.records[1].sni = true;
	be_plan(d);
	assert_null(loopback_note(d));
	free(d);
	d = healthy();
	d->state.known &= ~(unsigned)HOST_PART_CERTS;
	be_plan(d);
	assert_null(loopback_note(d));
	d->state.known = ~(unsigned)HOST_PART_RECORDS;
	be_plan(d);
	assert_null(loopback_note(d));
	d->state.known = ~0u;
	d->state.certs_picked = true;
	be_plan(d);
	assert_null(loopback_note(d));
	d->state.certs_picked = false;
	d->verdict.n_notes = VERDICT_NOTES;
	for (size_t i = 0; i < VERDICT_NOTES; i++)
		d->verdict.notes[i].name = "OTHER";
	be_plan(d);
	assert_null(loopback_note(d)); /* no room */
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(records_in_front),
		cmocka_unit_test(no_command_of_odd_text),
		cmocka_unit_test(bindings),
		cmocka_unit_test(no_command_is_cut),
		cmocka_unit_test(rights_are_told),
		cmocka_unit_test(only_for_that_verdict),
		cmocka_unit_test(the_door_for_self_probes),
		cmocka_unit_test(only_when_it_is_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
