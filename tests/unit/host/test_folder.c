/* test_folder.c - a folder of facts as a host: PowerShell's habits, netsh's text by shape, sites, certificates, and what is not said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "host/host_folder_inside.h"
#include "lib/check.h"
#include "lib/scratch.h"

#define HEAD "\"evmend_folder\":1,\"tool\":\"t 1\",\"collected_at\":\"2026-03-02T08:15:00Z\"," \
	"\"identity\":{\"netbios\":\"EX1\",\"fqdn\":\"ex1.contoso.example\",\"exchange\":true,\"addresses\":[\"127.0.0.1\"]}"

static struct clock now;

static struct host *open_with(struct scratch *s, const char *facts, const char *name, struct err *e)
{
	if (facts)
		scratch_write(s, "facts.json", facts, strlen(facts));
	now = clock_fixed(0);
	return host_folder_open(s->folder, name, &now, e);
}

static struct host *opened(struct scratch *s, const char *facts)
{
	struct err e = {.code = ERR_NONE};
	struct host *h = open_with(s, facts, NULL, &e);

	if (!h)
		fail_msg("%s", e.text);
	return h;
}

static void refused(const char *facts, const char *why)
{
	struct err e = {.code = ERR_NONE};
	struct scratch s;
	struct host *h;

	scratch_init(&s);
	h = open_with(&s, facts, NULL, &e);
	if (h)
		fail_msg("was taken: %s", facts);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
	scratch_free(&s);
}

static bool lacks(const struct host *h, const char *what)
{
	const struct host_folder_about *a = host_folder_about(h);

	for (size_t i = 0; i < a->n_lacks; i++)
		if (strcmp(a->lacks[i], what) == 0)
			return true;
	return false;
}

/* The same facts, as a person would write them and as ConvertTo-Json does. */
static void habits_of_powershell(void **state)
{
	static const char *const plain = "{" HEAD ",\"records\":[{\"endpoint\":\"0.0.0.0:444\",\"port\":444,"
		"\"thumbprint\":\"0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\",\"sni\":false,\"flags\":0}],"
		"\"services\":[{\"name\":\"W3SVC\",\"running\":true}],\"boot\":{\"time\":\"2026-03-02T08:15:00.500Z\"},"
		"\"settings\":{\"allow_internal_untrusted\":false},\"pools\":[],\"errors\":[\"hop: no\"]}";
	static const char *const habit = "\xEF\xBB\xBF{\"evmend_folder\":\"1\",\"tool\":\"t 1\",\"collected_at\":"
		"{\"value\":\"/Date(1772439300000)/\",\"DisplayHint\":2,\"DateTime\":\"Montag\"},\"identity\":{\"netbios\":\"EX1\","
		"\"fqdn\":\"ex1.contoso.example\",\"exchange\":\"True\",\"addresses\":\"127.0.0.1\"},\"records\":{\"endpoint\":\"0.0.0.0:444\","
		"\"port\":\"444\",\"thumbprint\":\"0B1C2D3E 4F506172 8394A5B6 C7D8E9FA 0B1C2D3E\",\"store\":\"\",\"sni\":\"False\",\"flags\":0,"
		"\"more\":{\"a\":1}},\"services\":{\"value\":[{\"name\":\"W3SVC\",\"running\":1}],\"Count\":1},"
		"\"boot\":{\"time\":\"/Date(1772439300500+0100)/\"},\"settings\":{\"allow_internal_untrusted\":0,\"tls_protocols\":null},"
		"\"pools\":[null],\"itc\":null,\"sites\":null,\"errors\":\"hop: no\"}";
	struct host_state *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b));
	struct host_identity ia, ib;
	struct scratch s;
	struct err e;
	struct host *h;

	(void)state;
	scratch_init(&s);
	h = opened(&s, plain);
	assert_int_equal(h->ops->observe(h, ~0u, a, 0, &e), 0);
	assert_int_equal(h->ops->identity(h, &ia, 0, &e), 0);
	assert_int_equal(host_folder_about(h)->collected_at, INT64_C(1772439300000000));
	h->ops->close(h);
	h = opened(&s, habit);
	assert_int_equal(h->ops->observe(h, ~0u, b, 0, &e), 0);
	assert_int_equal(h->ops->identity(h, &ib, 0, &e), 0);
	assert_int_equal(host_folder_about(h)->collected_at, INT64_C(1772439300000000));
	assert_string_equal(host_folder_about(h)->errors[0], "hop: no");
	assert_int_equal(host_folder_about(h)->n_errors, 1);
	h->ops->close(h);
	assert_memory_equal(a, b, sizeof(*a));
	assert_memory_equal(&ia, &ib, sizeof(ia));
	assert_int_equal(a->known, HOST_PART_RECORDS | HOST_PART_SERVICES | HOST_PART_BOOT | HOST_PART_SETTINGS | HOST_PART_POOLS);
	assert_string_equal(a->records[0].store, "MY");
	assert_int_equal(a->boot_time, INT64_C(1772439300500000));
	assert_int_equal(a->allow_internal_untrusted, TRI_NO);
	free(a);
	free(b);
	scratch_free(&s);
}

static void wrong_kinds(void **state)
{
	(void)state;
	refused("{" HEAD ",\"records\":\"System.Object[]\"}", "records must be a list");
	refused("{" HEAD ",\"records\":[[]]}", "records must be a list");
	refused("{" HEAD ",\"records\":7}", "records must be a list");
	refused("{" HEAD ",\"records\":[{\"endpoint\":444}]}", "records[0].endpoint must be a text");
	refused("{" HEAD ",\"records\":[{\"endpoint\":\"a:1\",\"port\":\"1x\"}]}", "records[0].port must be a number");
	refused("{" HEAD ",\"records\":[{\"endpoint\":\"a:1\",\"port\":70000}]}", "record.port must be a port");
	refused("{" HEAD ",\"records\":[{\"endpoint\":\"a:1\",\"port\":1,\"thumbprint\":\"0b1c\"}]}", "thumbprint must be a 40 hex digits");
	refused("{" HEAD ",\"records\":[{\"endpoint\":\"a:1\",\"port\":1,\"sni\":\"perhaps\"}]}", "sni must be a true or false");
	refused("{" HEAD ",\"boot\":{\"time\":\"yesterday\"}}", "boot.time must be a time");
	refused("{" HEAD ",\"boot\":{\"time\":\"/Date(x)/\"}}", "boot.time must be a time");
	refused("{" HEAD ",\"boot\":{\"time\":\"/Date(\"}}", "boot.time must be a time");
	refused("{" HEAD ",\"boot\":[]}", "boot must be a object");
	refused("{" HEAD ",\"certs\":[{\"pem\":\"?\",\"store\":\"MY\"}]}", "certs[0].pem must be a certificate");
	refused("{" HEAD ",\"certs\":[{\"pem\":\"QUJD\",\"store\":\"MY\"}]}", "not a PEM certificate");
	refused("{" HEAD ",\"busy\":{\"state\":\"bored\"}}", "busy.state must be");
	refused("{" HEAD ",\"probes\":[{\"kind\":\"hop\",\"address\":\"::1\",\"tcp\":\"ok\",\"tls\":\"fine\"}]}", "probes[0]");
	refused("{" HEAD ",\"sites\":[{\"name\":\"a\\u0007b\"}]}", "control character");
	refused("{\"evmend_folder\":1,\"collected_at\":\"2026-03-02\",\"identity\":{\"netbios\":\"EX1\",\"fqdn\":\"a b\"}}", "no host names");
	refused("{\"evmend_folder\":1,\"evmend_folder\":1}", "facts.json");
}

static void too_many(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1u << 20);
	buf_str(&b, "{" HEAD ",\"records\":[");
	for (int i = 0; i <= HOST_RECORDS; i++)
		buf_printf(&b, "%s{\"endpoint\":\"0.0.0.0:%d\",\"port\":%d}", i ? "," : "", i + 1, i + 1);
	buf_str(&b, "]}");
	refused(buf_text(&b), "at most 32");
	buf_reset(&b);
	buf_str(&b, "{" HEAD ",\"probes\":[");
	for (int i = 0; i <= LIMIT_FOLDER_PROBES; i++)
		buf_printf(&b, "%s{\"kind\":\"hop\",\"address\":\"::1\",\"tcp\":\"ok\",\"tls\":\"ok\"}", i ? "," : "");
	buf_str(&b, "]}");
	refused(buf_text(&b), "at most 256");
	buf_reset(&b);
	for (int i = 0; i < 2000; i++)
		buf_str(&b, "{\"a\":[");
	refused(buf_text(&b), "facts.json");
	buf_free(&b);
}

static struct host_probe_ask ask_of(enum host_probe_kind kind, const char *address, enum probe_version version, const char *path)
{
	struct host_probe_ask a = {.kind = kind, .version = version};

	text_copy(a.address, sizeof(a.address), address);
	text_copy(a.path, sizeof(a.path), path);
	return a;
}

static void probes_answer_what_was_asked(void **state)
{
	static const char *const facts = "{" HEAD ",\"probes\":["
		"{\"kind\":\"backend\",\"address\":\"127.0.0.1\",\"version\":\"default\",\"path\":\"/a\",\"tcp\":\"ok\",\"tls\":\"ok\","
		"\"http_status\":200,\"answer_header\":\"X-BEServer: EX1\"},"
		"{\"kind\":\"backend\",\"address\":\"127.0.0.1\",\"version\":\"1.2\",\"tcp\":\"ok\",\"tls\":\"reset\"},"
		"{\"kind\":\"frontend\",\"address\":\"127.0.0.1\",\"path\":\"\",\"tcp\":\"ok\",\"tls\":\"ok\"}]}";
	struct probe_result *r = xcalloc(1, sizeof(*r));
	struct host_probe_ask a;
	struct scratch s;
	struct err e;
	struct host *h;

	(void)state;
	scratch_init(&s);
	h = opened(&s, facts);
	a = ask_of(HOST_PROBE_BACKEND, "127.0.0.1", TLS_DEFAULT, "/a");
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), 0);
	assert_int_equal(r->http_status, 200);
	a = ask_of(HOST_PROBE_BACKEND, "127.0.0.1", TLS_DEFAULT, "");
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), 0);
	assert_int_equal(r->tls, TLS_OK);
	assert_int_equal(r->http_status, 0);
	assert_string_equal(r->answer_header, "");
	a = ask_of(HOST_PROBE_BACKEND, "127.0.0.1", TLS_ONLY_1_2, "/a"); /* no handshake, so no answer to any path */
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), 0);
	assert_int_equal(r->tls, TLS_RESET);
	a = ask_of(HOST_PROBE_FRONTEND, "127.0.0.1", TLS_DEFAULT, "/a"); /* shook hands, and was not asked for a path */
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	a = ask_of(HOST_PROBE_BACKEND, "::1", TLS_DEFAULT, "/a");
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), -1);
	a = ask_of(HOST_PROBE_BACKEND, "127.0.0.1", TLS_DEFAULT, "/a");
	a.port = 4444;
	assert_int_equal(h->ops->probe(h, &a, r, 0, &e), -1);
	assert_true(lacks(h, "the hop"));
	assert_false(lacks(h, "handshakes on port 444"));
	h->ops->close(h);
	free(r);
	scratch_free(&s);
}

static void nothing_is_changed(void **state)
{
	struct host_step step = {.kind = STEP_RECORD_SET};
	struct host_step_result result;
	enum host_busy busy;
	char what[128];
	struct scratch s;
	struct err e;
	struct host *h;

	(void)state;
	scratch_init(&s);
	h = opened(&s, "{" HEAD ",\"busy\":{\"state\":\"installing\",\"what\":\"an update\"},\"itc\":{}}");
	assert_int_equal(h->ops->apply(h, &step, &result, 0, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "a folder is not a server"));
	assert_int_equal(h->ops->undo(h, &step, &result, 0, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(h->ops->lock(h, "me", 0, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(h->ops->busy(h, &busy, what, 0, &e), 0);
	assert_int_equal(busy, HOST_INSTALLING);
	assert_string_equal(what, "an update");
	h->ops->close(h);
	h = opened(&s, "{" HEAD ",\"itc\":{}}");
	assert_int_equal(h->ops->busy(h, &busy, what, 0, &e), -1);
	assert_true(lacks(h, "whether an installer runs"));
	h->ops->close(h);
	scratch_free(&s);
}

/* What was not asked for stays as it was. */
static void only_the_parts_asked_for(void **state)
{
	struct host_state *to = xcalloc(1, sizeof(*to));
	struct scratch s;
	struct err e;
	struct host *h;

	(void)state;
	scratch_init(&s);
	h = opened(&s, "{" HEAD ",\"services\":[{\"name\":\"A\",\"running\":false}],\"sites\":[{\"name\":\"S\",\"bindings\":[]}]}");
	to->n_services = 3;
	assert_int_equal(h->ops->observe(h, HOST_PART_SITES | HOST_PART_BOOT, to, 0, &e), 0);
	assert_int_equal(to->known, HOST_PART_SITES);
	assert_int_equal(to->n_services, 3);
	assert_int_equal(to->n_sites, 1);
	assert_true(to->sites[0].state_unknown);
	assert_true(lacks(h, "whether the sites are started"));
	h->ops->close(h);
	free(to);
	scratch_free(&s);
}

/* ---- netsh ---- */

#define ROW(endpoint) "    IP:Port : " endpoint "\r\n    H : 0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\r\n" \
	"    A : {4dc3e181-e14b-4a21-b022-59fc669b0914}\r\n    S : My\r\n    X : 0\r\n\r\n"
#define NONE(first) "\r\n" first "\r\n H : (null)\r\n A : {4dc3e181-e14b-4a21-b022-59fc669b0914}\r\n S : (null)\r\n"

static void netsh_by_shape(void **state)
{
	static const struct {
		const char *text, *endpoint;
		uint16_t port;
		bool sni, ccs;
	} rows[] = {
		{ROW("0.0.0.0:444"), "0.0.0.0:444", 444, false, false},
		{ROW("[::]:444"), "[::]:444", 444, false, false},
		{ROW("[fe80::1%4]:444"), "[fe80::1%4]:444", 444, false, false},
		{ROW("mail.contoso.example:443"), "mail.contoso.example:443", 443, true, false},
		{ROW("*.contoso.example:443"), "*.contoso.example:443", 443, true, false},
		{"C:\\>netsh http show sslcert ipport=0.0.0.0:444\r\n" ROW("10.0.0.1:443"), "10.0.0.1:443", 443, false, false},
		{"sent on Monday 10:32\r\n" ROW("10.0.0.1:443"), "10.0.0.1:443", 443, false, false},
		{NONE(" Zentraler Speicher : 443"), "443", 443, false, true},
	};
	struct host_state *s = xcalloc(1, sizeof(*s));
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (folder_netsh(rows[i].text, strlen(rows[i].text), s, &e) < 0)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(s->n_records, 1);
		assert_string_equal(s->records[0].endpoint, rows[i].endpoint);
		assert_int_equal(s->records[0].port, rows[i].port);
		assert_int_equal(s->records[0].sni, rows[i].sni);
		assert_int_equal(s->records[0].ccs, rows[i].ccs);
		assert_string_equal(s->records[0].store, "MY");
		assert_string_equal(s->records[0].appid, "{4dc3e181-e14b-4a21-b022-59fc669b0914}");
		assert_int_equal(s->records[0].thumbprint[0], rows[i].ccs ? 0 : 0x0b);
	}
	free(s);
}

static void netsh_refused(void **state)
{
	static const struct { const char *text, *why; } bad[] = {
		{"", "no record is in it"},
		{"The system cannot find the file specified.\r\n", "no record is in it"},
		{"IP : 0.0.0.0:444\r\n", "ends before its thumbprint"},
		{"IP : 0.0.0.0:444\r\n H : 0b1c\r\n", "ends before its thumbprint"},
		{"IP : 0.0.0.0:444\r\n" ROW("0.0.0.0:443"), "0.0.0.0:444 ends before its thumbprint"},
		{"IP : 0.0.0.0:444\r\n H : 0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\r\n", "ends before its application"},
		{"IP : 0.0.0.0:444\r\n H : 0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\r\n A : {4dc3e181}\r\n", "ends before its application"},
		{"IP : 0.0.0.0:444\r\n H : 0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\r\n A : {4dc3e181-e14b-4a21-b022-59fc669b0914}\r\n",
			"ends before its certificate store"},
		{"IP : 0.0.0.0:99999\r\n", "no record is in it"},
	};
	struct host_state *s = xcalloc(1, sizeof(*s));
	struct buf b;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(folder_netsh(bad[i].text, strlen(bad[i].text), s, &e), -1);
		if (!strstr(e.text, bad[i].why))
			fail_msg("row %zu: %s", i, e.text);
	}
	buf_init(&b, 1u << 20);
	for (int i = 0; i <= HOST_RECORDS; i++)
		buf_str(&b, ROW("0.0.0.0:444"));
	assert_int_equal(folder_netsh(b.p, b.n, s, &e), -1);
	assert_non_null(strstr(e.text, "more than 32 records"));
	buf_free(&b);
	free(s);
}

/* ---- applicationHost.config ---- */

#define IIS(inside) "<configuration><system.applicationHost><sites>" inside "</sites></system.applicationHost></configuration>"

static void sites_of_iis(void **state)
{
	static const char *const good = IIS("<site name='A &amp; B' id='7'><bindings><clear/><binding protocol='https'"
		" bindingInformation='*:444:' sslFlags='3'/><x><binding protocol='no'/></x></bindings></site>"
		"<siteDefaults><bindings><binding protocol='no'/></bindings></siteDefaults><site name='C'/>");
	static const struct { const char *text, *why; } bad[] = {
		{"<configuration/>", "no <sites>"},
		{"<a><sites/></a>", "no <sites>"},
		{IIS("<site id='1'/>"), "a site without a name"},
		{IIS("<site name='x' id='-1'/>"), "is no number"},
		{IIS("<site name='x' id='1'/><site"), "line 1"},
		{IIS("<site name='x&#10;y' id='1'/>"), "control character"},
		{"<!DOCTYPE configuration><configuration/>", "DOCTYPE"},
		{"", ""},
	};
	struct host_state *s = xcalloc(1, sizeof(*s));
	struct buf b;
	struct err e;

	(void)state;
	if (folder_iis(good, strlen(good), s, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(s->n_sites, 2);
	assert_string_equal(s->sites[0].name, "A & B");
	assert_int_equal(s->sites[0].id, 7);
	assert_int_equal(s->sites[0].n_bindings, 1);
	assert_string_equal(s->sites[0].bindings[0].information, "*:444:");
	assert_int_equal(s->sites[0].bindings[0].ssl_flags, 3);
	assert_true(s->sites[0].state_unknown);
	assert_string_equal(s->sites[1].name, "C");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(folder_iis(bad[i].text, strlen(bad[i].text), s, &e), -1);
		if (!strstr(e.text, bad[i].why))
			fail_msg("row %zu: %s", i, e.text);
	}
	buf_init(&b, 1u << 16);
	buf_str(&b, "<configuration><system.applicationHost><sites>");
	for (int i = 0; i <= HOST_SITES; i++)
		buf_str(&b, "<site name='x' id='1'/>");
	buf_str(&b, "</sites></system.applicationHost></configuration>");
	assert_int_equal(folder_iis(b.p, b.n, s, &e), -1);
	assert_non_null(strstr(e.text, "more than 8 sites"));
	buf_free(&b);
	free(s);
}

/* ---- names ---- */

static void names_by_hand(void **state)
{
	static const char *const row = ROW("0.0.0.0:444");
	struct host_identity id;
	struct err e = {.code = ERR_NONE};
	struct scratch s;
	struct host *h;

	(void)state;
	scratch_init(&s);
	scratch_write(&s, "netsh-sslcert.txt", row, strlen(row));
	assert_null(open_with(&s, NULL, NULL, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(open_with(&s, NULL, "ex1", &e));
	assert_null(open_with(&s, NULL, "ex1.contoso.example'; rm", &e));
	h = open_with(&s, NULL, "exchange-server-01.contoso.example", &e);
	assert_non_null(h);
	assert_int_equal(h->ops->identity(h, &id, 0, &e), 0);
	assert_string_equal(id.netbios, "EXCHANGE-SERVER"); /* 15 letters, as Windows cuts */
	assert_string_equal(id.fqdn, "exchange-server-01.contoso.example");
	assert_true(id.exchange_unknown);
	assert_int_equal(id.n_addresses, 0);
	assert_true(host_folder_about(h)->by_hand);
	assert_true(host_folder_about(h)->collected_at > 0);
	h->ops->close(h);
	scratch_free(&s);
}

/* Who sends Root alone has said nothing about MY. */
static void other_stores_do_not_speak_for_my(void **state)
{
	static const struct { const char *stores[2]; bool picked; } all[] = {
		{{"MY"}, false}, {{"my", "Root"}, false}, {{"Root"}, true}, {{"WebHosting", "CA"}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct host_folder *f = xcalloc(1, sizeof(*f));
		struct scratch s;
		struct err e;
		char sub[64];

		scratch_init(&s);
		text_copy(f->path, sizeof(f->path), s.folder);
		assert_int_equal(mkdir(scratch_path(&s, "certs"), 0700), 0);
		for (size_t k = 0; k < 2 && all[i].stores[k]; k++) {
			(void)snprintf(sub, sizeof(sub), "certs/%s", all[i].stores[k]);
			assert_int_equal(mkdir(scratch_path(&s, sub), 0700), 0);
		}
		if (folder_certs(f, &e) < 0)
			fail_msg("%s", e.text);
		assert_true(f->state.known & HOST_PART_CERTS);
		assert_int_equal(f->state.certs_picked, all[i].picked);
		for (size_t k = 0; k < 2 && all[i].stores[k]; k++) {
			(void)snprintf(sub, sizeof(sub), "certs/%s", all[i].stores[k]);
			assert_int_equal(rmdir(scratch_path(&s, sub)), 0);
		}
		scratch_free(&s);
		free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(habits_of_powershell),
		cmocka_unit_test(wrong_kinds),
		cmocka_unit_test(too_many),
		cmocka_unit_test(probes_answer_what_was_asked),
		cmocka_unit_test(nothing_is_changed),
		cmocka_unit_test(only_the_parts_asked_for),
		cmocka_unit_test(netsh_by_shape),
		cmocka_unit_test(netsh_refused),
		cmocka_unit_test(sites_of_iis),
		cmocka_unit_test(names_by_hand),
		cmocka_unit_test(other_stores_do_not_speak_for_my),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
