/* test_emit.c - the scripts that are made of plans: word for word as tests/golden/repair has them, for each verdict with a plan; and
 * what none of them may ever hold. EVMEND_GOLDEN=update writes the golden files anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/scripts.h"
#include "heal/diagnose.h"
#include "lib/check.h"
#include "lib/fake_host.h"
#include "remedies/exchange_backend/backend.h"
#include "remedies/exchange_backend/powershell.h"

#define GOLDEN "tests/golden/repair/"

static struct fake_clock clock_;
static struct fake_world world;

static int setup(void **state)
{
	(void)state;
	fake_clock_init(&clock_, INT64_C(1800000000) * US_SECOND);
	fake_world_init(&world, &clock_);
	world.identity.lab = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_world_free(&world);
	return 0;
}

static void look(struct diagnosis *d)
{
	struct suspicion s = {.seen = 0};
	struct err e = {.text = ""};
	struct host *h = fake_host_open(&world, NULL, 0, &e);

	if (diagnose(&remedy_exchange_backend, h, &clock_.clock, clock_.monotonic + US_MINUTE, &s, d, &e) < 0)
		fail_msg("%s", e.text);
	h->ops->close(h);
}

static struct be_script whole(void)
{
	return (struct be_script){script_text("repair.ps1"), script_text("look.ps1"), script_text("act.ps1")};
}

/* ---- what breaks ---- */

static struct host_cert *mine(void)
{
	const struct host_record *r = fake_record(&world, BE_ENDPOINT);

	for (size_t i = 0; i < world.state->n_certs; i++)
		if (memcmp(world.state->certs[i].info.thumbprint, r->thumbprint, 20) == 0)
			return &world.state->certs[i];
	return NULL;
}

static void another(void)
{
	(void)fake_cert_add(&world, "MY", "Microsoft Exchange", true, 900);
}

static void binding_removed(void)
{
	world.state->sites[0].n_bindings = 0;
}

static void all_removed(void)
{
	binding_removed();
	fake_unbind(&world);
}

static void latent(void)
{
	fake_delete_backend_cert(&world, true);
}

static void record_missing(void)
{
	fake_unbind(&world);
}

static void rebind(void)
{
	fake_delete_backend_cert(&world, false);
	another();
}

static void restore(void)
{
	struct host_cert copy = *mine();

	fake_delete_backend_cert(&world, false);
	text_copy(copy.store, sizeof(copy.store), "Root");
	world.state->certs[world.state->n_certs++] = copy;
}

static void create(void)
{
	fake_delete_backend_cert(&world, false);
}

static void key_missing(void)
{
	mine()->has_key = mine()->key_opens = mine()->key_matches = TRI_NO;
	another();
}

static void key_repair(void)
{
	mine()->has_key = mine()->key_opens = TRI_NO;
}

static void key_access(void)
{
	mine()->key_opens = TRI_NO;
	mine()->key_denied = TRI_YES;
}

static void store_mismatch(void)
{
	text_copy(mine()->store, sizeof(mine()->store), "WebHosting");
}

static void stale(void)
{
	world.stale = true;
}

static void expired(void)
{
	mine()->info.not_after = clock_.wall - US_DAY;
	another();
}

static void expiring(void)
{
	mine()->info.not_after = clock_.wall + 20 * US_DAY;
}

static void foreign(void)
{
	memcpy(fake_record(&world, BE_ENDPOINT)->thumbprint, fake_record(&world, "0.0.0.0:443")->thumbprint, 20);
}

static void hop(void)
{
	world.hop_fails = true;
}

static const struct scene {
	const char *file, *verdict;
	void (*make)(void);
} scenes[] = {
	{"BE_BINDING_REMOVED", "BE_BINDING_REMOVED", binding_removed},
	{"BE_BINDING_REMOVED-record", "BE_BINDING_REMOVED", all_removed},
	{"BE_CERT_LATENT", "BE_CERT_LATENT", latent},
	{"SSL_RECORD_MISSING", "SSL_RECORD_MISSING", record_missing},
	{"BE_CERT_DELETED-rebind", "BE_CERT_DELETED", rebind},
	{"BE_CERT_DELETED-restore", "BE_CERT_DELETED", restore},
	{"BE_CERT_DELETED-create", "BE_CERT_DELETED", create},
	{"BE_KEY_MISSING", "BE_KEY_MISSING", key_missing},
	{"BE_KEY_MISSING-repair", "BE_KEY_MISSING", key_repair},
	{"BE_KEY_ACCESS", "BE_KEY_ACCESS", key_access},
	{"BE_STORE_MISMATCH", "BE_STORE_MISMATCH", store_mismatch},
	{"HTTPSYS_STALE_STATE", "HTTPSYS_STALE_STATE", stale},
	{"BE_CERT_EXPIRED", "BE_CERT_EXPIRED", expired},
	{"BE_CERT_EXPIRING", "HEALTHY_NOW", expiring},
	{"BE_CERT_FOREIGN", "BE_CERT_FOREIGN", foreign},
	{"HOP_BROKEN", "HOP_BROKEN", hop},
};

/* ---- what no script may hold ---- */

static const char *code_of(const char *line, size_t n, char *to, size_t size)
{
	size_t k = 0;

	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	if (n && *line != '#')
		k = n < size - 1 ? n : size - 1;
	memcpy(to, line, k);
	to[k] = '\0';
	return to;
}

/* Remarks may speak of what is forbidden; lines that run may not. */
static void no_forbidden(const char *name, const char *text)
{
	static const char *const words[] = {"-force", "-services", "invoke-expression", "iex ", "iex(", " cmd.exe", "'cmd.exe", "\\cmd.exe", "cmd /c",
		"enable-exchangecertificate", "start-process", "downloadstring", "invoke-webrequest", "add-pssnapin", "import-module", "set-service",
		"restart-computer", "stop-service", "127.0.0.1:443", "0.0.0.0:443'"};
	char line[600];

	for (const char *p = text; *p; p++)
		if ((*p < 0x20 && *p != '\n') || *p > 0x7e)
			fail_msg("%s: byte %d at %zu is no printable ASCII", name, (unsigned char)*p, (size_t)(p - text));
	for (const char *at = text; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n')) {
		code_of(at, strcspn(at, "\n"), line, sizeof line);
		if (strstr(line, "$Was") == line) /* what was seen: data, compared and never an argument */
			continue;
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
			if (text_has(line, strlen(line), words[i]))
				fail_msg("%s holds %s: %s", name, words[i], line);
		/* netsh is told to change 444 and nothing else */
		if ((strstr(line, "'delete', 'sslcert'") || strstr(line, "'add', 'sslcert'")) && !strstr(line, "ipport=$BackEndEndpoint"))
			fail_msg("%s changes a record that is not that of 444: %s", name, line);
	}
}

static void the_check_can_fail(void **state)
{
	char line[80];

	(void)state;
	assert_string_equal(code_of("   # -Force", 11, line, sizeof line), "");
	assert_string_equal(code_of("  Remove-Item", 13, line, sizeof line), "Remove-Item");
}

static void tell_difference(const char *name, const char *was, const char *is)
{
	for (int line = 1; *was || *is; line++) {
		int n = (int)strcspn(was, "\n"), k = (int)strcspn(is, "\n");

		if (n != k || memcmp(was, is, (size_t)n) != 0)
			fail_msg(GOLDEN "%s.ps1:%d was '%.*s', is '%.*s'; EVMEND_GOLDEN=update, and read the difference", name, line, n, was, k, is);
		was += n + (was[n] == '\n');
		is += k + (is[k] == '\n');
	}
}

static void compare_golden(const char *name, const char *script)
{
	const char *cut = strstr(script, "# --- how the server is looked at");
	struct os_stat st;
	struct buf path, was, is;
	struct err e;
	FILE *f;

	assert_non_null(cut);
	buf_init(&path, 200);
	buf_init(&was, 1u << 20);
	buf_init(&is, 1u << 20);
	buf_printf(&path, GOLDEN "%s.ps1", name);
	buf_add(&is, script, (size_t)(cut - script));
	buf_str(&is, "# (here follow powershell/look.ps1, act.ps1 and the rest of repair.ps1, the same in every script)\n");
	if (getenv("EVMEND_GOLDEN") && strcmp(getenv("EVMEND_GOLDEN"), "update") == 0) {
		f = fopen(buf_text(&path), "w");
		assert_non_null(f);
		assert_int_equal(fwrite(is.p, 1, is.n, f), is.n);
		assert_int_equal(fclose(f), 0);
	}
	if (os_file.stat(buf_text(&path), -1, &st) < 0)
		fail_msg("%s is not there; EVMEND_GOLDEN=update makes it", buf_text(&path));
	if (file_read(&os_file, buf_text(&path), &was, &e) < 0)
		fail_msg("%s", e.text);
	tell_difference(name, buf_text(&was), buf_text(&is));
	buf_free(&path);
	buf_free(&was);
	buf_free(&is);
}

static void each_verdict_has_its_script(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	const struct be_script parts = whole();
	struct buf script;
	struct err e = {.text = ""};

	buf_init(&script, 1u << 20);
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		if (i) {
			(void)teardown(state);
			(void)setup(state);
		}
		scenes[i].make();
		look(d);
		if (strcmp(d->verdict.name, scenes[i].verdict) != 0)
			fail_msg("%s: the verdict is %s", scenes[i].file, d->verdict.name);
		memset(d->plan.id, 0x5c, sizeof d->plan.id); /* it changes with every fact that is added; its own tests watch it */
		buf_reset(&script);
		if (be_powershell(d, &parts, &script, &e) < 0)
			fail_msg("%s: %s", scenes[i].file, e.text);
		no_forbidden(scenes[i].file, buf_text(&script));
		compare_golden(scenes[i].file, buf_text(&script));
	}
	buf_free(&script);
	free(d);
}

/* What a person may paste: both commands, with the flags, when the old record can be set again; else neither. */
static void undo_commands(void **state)
{
	static const char drop[] = "#                   netsh http delete sslcert ipport=0.0.0.0:444\n";
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	const struct be_script parts = whole();
	struct buf script;
	struct err e = {.text = ""};

	(void)state;
	foreign();
	fake_record(&world, BE_ENDPOINT)->flags = 3;
	look(d);
	buf_init(&script, 1u << 20);
	assert_int_equal(be_powershell(d, &parts, &script, &e), 0);
	assert_non_null(strstr(buf_text(&script), drop));
	assert_non_null(strstr(buf_text(&script), "certhash=a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 "
		"'appid={4dc3e181-e14b-4a21-b022-59fc669b0914}' certstorename=MY dsmapperusage=enable clientcertnegotiation=enable\n"));
	fake_delete_backend_cert(&world, false); /* of 443 as well here: what the record named cannot be loaded any more */
	look(d);
	assert_int_equal(d->plan.steps[d->plan.n - 1].undo_kind, UNDO_PARTIAL);
	buf_reset(&script);
	assert_int_equal(be_powershell(d, &parts, &script, &e), 0);
	assert_null(strstr(buf_text(&script), drop));
	assert_null(strstr(buf_text(&script), "# netsh http add sslcert"));
	assert_non_null(strstr(buf_text(&script), "Do NOT delete the new record"));
	buf_free(&script);
	free(d);
}

static void the_fixed_scripts_hold_nothing_forbidden(void **state)
{
	(void)state;
	for (const struct script *s = scripts; s->name; s++)
		no_forbidden(s->name, s->text);
	assert_non_null(strstr(script_text("collect.ps1"), script_text("look.ps1")));
	assert_non_null(strstr(script_text("host.ps1"), script_text("look.ps1")));
	assert_non_null(strstr(script_text("host.ps1"), script_text("act.ps1")));
}

/* ---- refusals ---- */

static void refused(struct diagnosis *d, enum err_code code, const char *says)
{
	const struct be_script parts = whole();
	struct buf script;
	struct err e = {.code = ERR_NONE, .text = ""};

	buf_init(&script, 1u << 20);
	assert_int_equal(be_powershell(d, &parts, &script, &e), -1);
	assert_int_equal(e.code, code);
	if (!strstr(e.text, says))
		fail_msg("'%s' does not say '%s'", e.text, says);
	buf_free(&script);
}

static void no_plan_no_script(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));

	(void)state;
	look(d);
	refused(d, ERR_REFUSED, "HEALTHY_NOW: there is no plan");
	world.state->sites[0].started = false;
	look(d);
	refused(d, ERR_REFUSED, "BE_SITE_DOWN: there is no plan");
	free(d);
}

static void what_is_not_excluded_refuses(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));

	(void)state;
	fake_delete_backend_cert(&world, false);
	world.state->known &= ~(unsigned)HOST_PART_SERVICES;
	look(d);
	assert_int_not_equal(d->plan.n, 0);
	refused(d, ERR_REFUSED, "BE_SITE_DOWN cannot be excluded");
	free(d);
}

/* Whatever a host says of itself: a value that has not the shape of its type makes no script. */
static void odd_values_refuse(void **state)
{
	static const char *const odd[] = {"a'b", "a\xe2\x80\x99; calc", "a\nb", "a`b", "a$(calc)", "$x", "a;b", "", "a b"};
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct plan_step *p;

	(void)state;
	fake_delete_backend_cert(&world, false);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		look(d);
		text_copy(d->identity.fqdn, sizeof d->identity.fqdn, odd[i]);
		refused(d, ERR_REFUSED, "name");
		look(d);
		assert_int_equal(d->plan.steps[0].step.kind, STEP_CERT_CREATE);
		text_copy(d->plan.steps[0].step.template.san[0], 256, odd[i]);
		refused(d, ERR_REFUSED, "name");
		look(d);
		text_copy(d->plan.steps[0].step.template.common_name, 128, odd[i]);
		refused(d, ERR_REFUSED, "name");
		look(d);
		p = &d->plan.steps[1];
		assert_int_equal(p->step.kind, STEP_RECORD_SET);
		text_copy(p->step.store, sizeof p->step.store, odd[i]);
		refused(d, ERR_REFUSED, "record");
		text_copy(p->step.store, sizeof p->step.store, "MY");
		text_copy(p->step.appid, sizeof p->step.appid, odd[i]);
		refused(d, ERR_REFUSED, "record");
		text_copy(p->step.appid, sizeof p->step.appid, BE_APPID);
		text_copy(p->step.endpoint, sizeof p->step.endpoint, i ? odd[i] : "0.0.0.0:443");
		refused(d, ERR_REFUSED, "record");
	}
	look(d);
	d->plan.steps[1].step.kind = STEP_RECORD_REMOVE;
	refused(d, ERR_REFUSED, "record_remove");
	free(d);
}

/* Text of a host in remarks ends no remark, and in data ends no quote. */
static void odd_text_stays_in_its_place(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	const struct be_script parts = whole();
	struct buf script;
	struct err e = {.text = ""};

	(void)state;
	fake_delete_backend_cert(&world, false);
	look(d);
	text_copy(d->facts.list[0].seen, 256, "x\nRemove-Item C:\\ -Force #> \xe2\x80\x99 '");
	text_copy(d->plan.steps[0].why, 256, "y\r\nRestart-Computer -Force");
	text_copy(d->state.sites[0].bindings[0].information, 256, "*:444:'; calc; '");
	buf_init(&script, 1u << 20);
	if (be_powershell(d, &parts, &script, &e) < 0)
		fail_msg("%s", e.text);
	no_forbidden("odd text", buf_text(&script));
	assert_non_null(strstr(buf_text(&script), "$WasBindings = '*:444:''; calc; '' 0'\n"));
	text_copy(d->state.sites[0].bindings[0].information, 256, "*:444:\xe2\x80\x98");
	buf_free(&script);
	refused(d, ERR_REFUSED, "printable ASCII");
	free(d);
}

static void a_damaged_frame_is_told(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct be_script parts = whole();
	struct buf script;
	struct err e = {.text = ""};

	(void)state;
	fake_unbind(&world);
	look(d);
	buf_init(&script, 1u << 20);
	parts.frame = "#@HEADER@\n#@DATA@\n#@STEPS@\n#@LOOK@\n";
	assert_int_equal(be_powershell(d, &parts, &script, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
	buf_free(&script);
	buf_init(&script, 2000);
	parts = whole();
	assert_int_equal(be_powershell(d, &parts, &script, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
	buf_free(&script);
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_check_can_fail),
		cmocka_unit_test_setup_teardown(each_verdict_has_its_script, setup, teardown),
		cmocka_unit_test_setup_teardown(undo_commands, setup, teardown),
		cmocka_unit_test(the_fixed_scripts_hold_nothing_forbidden),
		cmocka_unit_test_setup_teardown(no_plan_no_script, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_excluded_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_values_refuse, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_text_stays_in_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_frame_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
