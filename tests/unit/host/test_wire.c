/* test_wire.c - what one end of the host protocol writes, the other reads back; what is missing is unknown; nonsense is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "lib/check.h"

#define HEX "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

static struct buf b;
static struct json_out o;

static void begin(void)
{
	buf_init(&b, 4u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
}

static struct json *end(void)
{
	struct err e = {.text = ""};
	struct json *j;

	json_close(&o, '}');
	j = json_parse(buf_text(&b), b.n, &e);
	if (j == NULL)
		fail_msg("%s", e.text);
	buf_free(&b);
	return j;
}

static struct json *parse(const char *text)
{
	struct err e = {.text = ""};
	struct json *j = json_parse(text, strlen(text), &e);

	if (j == NULL)
		fail_msg("%s", e.text);
	return j;
}

static void steps_come_back(void **state)
{
	struct host_step s = {.kind = STEP_RECORD_SET, .endpoint = "0.0.0.0:444", .store = "MY", .appid = "{x}", .flags = 3,
		.token = "t1"}, back;
	struct err e = {.text = ""};
	struct json *j;

	(void)state;
	memset(s.thumbprint, 0x5a, 20);
	begin();
	wire_put_step(&o, "step", &s);
	j = end();
	assert_int_equal(wire_get_step(json_get(j, "step"), &back, &e), 0);
	assert_memory_equal(&s, &back, sizeof(s));
	json_free(j);
	s = (struct host_step){.kind = STEP_CERT_CREATE, .friendly_name = "Microsoft Exchange", .token = "t2"};
	strcpy(s.template.common_name, "EX1");
	strcpy(s.template.san[0], "EX1");
	strcpy(s.template.san[1], "ex1.lab.example");
	s.template.n_san = 2;
	s.template.key_bits = 2048;
	s.template.days = 1826;
	s.template.not_before = INT64_C(1800000000123456);
	begin();
	wire_put_step(&o, "step", &s);
	j = end();
	assert_int_equal(wire_get_step(json_get(j, "step"), &back, &e), 0);
	assert_memory_equal(&s, &back, sizeof(s));
	json_free(j);
}

static void a_state_comes_back(void **state)
{
	struct host_state *s = xcalloc(1, sizeof(*s)), *back = xcalloc(1, sizeof(*back));
	struct cert_template t = {.common_name = "EX1", .san = {"EX1", "ex1.lab.example"}, .n_san = 2, .key_bits = 2048, .days = 30};
	struct err e = {.text = ""};
	char *pem, *key;
	struct json *j;

	(void)state;
	t.not_before = INT64_C(1700000000) * US_SECOND;
	assert_int_equal(cert_create(&t, &pem, &key, &e), 0);
	assert_int_equal(cert_parse_pem(pem, strlen(pem), &s->certs[0].info, &e), 0);
	strcpy(s->certs[0].store, "MY");
	s->certs[0].has_key = TRI_YES;
	strcpy(s->certs[0].provider, "Microsoft RSA SChannel Cryptographic Provider");
	s->certs[0].key_opens = TRI_NO; /* key_matches stays unknown */
	s->n_certs = 1;
	strcpy(s->records[0].endpoint, "0.0.0.0:444");
	s->records[0].port = 444;
	strcpy(s->records[0].store, "MY");
	memcpy(s->records[0].thumbprint, s->certs[0].info.thumbprint, 20);
	s->n_records = 1;
	s->known = HOST_PART_CERTS | HOST_PART_RECORDS | HOST_PART_SETTINGS;
	begin();
	wire_put_state(&o, s, (const char *const *)&pem);
	j = end();
	assert_int_equal(wire_get_state(j, 127, back, &e), 0);
	assert_int_equal(back->known, s->known);
	assert_memory_equal(&s->certs[0], &back->certs[0], sizeof(s->certs[0]));
	assert_memory_equal(&s->records[0], &back->records[0], sizeof(s->records[0]));
	assert_int_equal(back->certs[0].key_matches, TRI_UNKNOWN);
	assert_int_equal(back->allow_internal_untrusted, TRI_UNKNOWN);
	json_free(j);
	cert_wipe(key);
	free(pem);
	free(s);
	free(back);
}

/* What was added to the protocol later: it comes back, and a program that knows nothing of it leaves it unknown. */
static void later_members_come_back(void **state)
{
	struct host_state *s = xcalloc(1, sizeof(*s)), *back = xcalloc(1, sizeof(*back));
	struct err e = {.text = ""};
	struct json *j;

	(void)state;
	strcpy(s->records[0].endpoint, "0.0.0.0:444");
	s->records[0].port = 444;
	strcpy(s->records[0].store, "MY");
	s->records[0].ccs = true;
	s->n_records = 1;
	strcpy(s->pools[0].name, "MSExchangeOWAAppPool");
	s->pools[0].running = true;
	strcpy(s->pools[1].name, "MSExchangeECPAppPool");
	s->n_pools = 2;
	s->boot_time = INT64_C(1700000000000000);
	s->update_time = INT64_C(1700000001000000);
	strcpy(s->update, "Cumulative Update 14");
	s->known = HOST_PART_RECORDS | HOST_PART_BOOT | HOST_PART_POOLS;
	begin();
	wire_put_state(&o, s, NULL);
	j = end();
	assert_int_equal(wire_get_state(j, 255, back, &e), 0);
	assert_memory_equal(s, back, sizeof(*s));
	json_free(j);
	memset(back, 0, sizeof(*back));
	j = parse("{\"records\":[{\"endpoint\":\"0.0.0.0:444\",\"port\":444,\"thumbprint\":\"" HEX "\"}],\"boot\":{\"time\":null}}");
	assert_int_equal(wire_get_state(j, 255, back, &e), 0);
	assert_false(back->known & HOST_PART_POOLS);
	assert_false(back->records[0].ccs);
	assert_true(back->update_time == 0 && back->update[0] == '\0');
	json_free(j);
	free(s);
	free(back);
}

static void an_ask_comes_back(void **state)
{
	struct host_probe_ask a = {.kind = HOST_PROBE_BACKEND, .address = "ex2.lab.example", .version = TLS_ONLY_1_2, .path = "/owa",
		.port = 4440}, back;
	struct err e = {.text = ""};
	struct json *j;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin();
		wire_put_ask(&o, &a);
		j = end();
		assert_int_equal(wire_get_ask(j, &back, &e), 0);
		assert_memory_equal(&a, &back, sizeof(a));
		json_free(j);
		a.port = 0; /* the door's own: not sent */
	}
	j = parse("{\"kind\":\"hop\",\"address\":\"::1\",\"path\":\"\",\"port\":65536}");
	assert_int_equal(wire_get_ask(j, &back, &e), -1);
	assert_non_null(strstr(e.text, "probe.port"));
	json_free(j);
}

static void a_part_that_was_not_asked_for_stays(void **state)
{
	struct host_state *s = xcalloc(1, sizeof(*s));
	struct json *j = parse("{\"sites\":[],\"records\":[{\"endpoint\":\"0.0.0.0:444\",\"port\":444,\"thumbprint\":\"" HEX "\"}]}");
	struct err e;

	(void)state;
	assert_int_equal(wire_get_state(j, HOST_PART_SITES, s, &e), 0);
	assert_int_equal(s->known, HOST_PART_SITES);
	assert_int_equal(s->n_records, 0);
	assert_int_equal(wire_get_state(j, 127, s, &e), 0);
	assert_string_equal(s->records[0].store, "MY"); /* a missing store means MY */
	json_free(j);
	free(s);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"records\":{}}", "{\"records\":[{\"endpoint\":\"x\",\"port\":0}]}", "{\"records\":[{\"port\":444}]}",
		"{\"records\":[{\"endpoint\":\"a\\u001bb\",\"port\":444}]}",
		"{\"records\":[{\"endpoint\":\"a\",\"port\":444,\"thumbprint\":\"12\"}]}",
		"{\"records\":[{\"endpoint\":\"0.0.0.0:444\",\"port\":444,\"thumbprint\":null,\"ccs\":false}]}",
		"{\"records\":[{\"endpoint\":\"0.0.0.0:444\",\"port\":444}]}",
		"{\"certs\":[{\"pem\":\"no\",\"store\":\"MY\"}]}", "{\"sites\":[{\"name\":\"a\",\"started\":\"yes\"}]}",
		"{\"services\":[{\"name\":\"a\",\"running\":\"yes\"}]}",
		"{\"pools\":{}}", "{\"pools\":[{\"name\":\"a\"}]}", "{\"boot\":{\"update_time\":\"soon\"}}",
		"{\"settings\":[]}", "{\"itc\":{\"thumbprint\":\"zz\"}}", "{\"boot\":{\"time\":\"yesterday\"}}",
	};
	struct host_state *s = xcalloc(1, sizeof(*s));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json *j = parse(bad[i]);
		struct err e;

		if (wire_get_state(j, 255, s, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, ERR_IO);
		json_free(j);
	}
	free(s);
}

static void names_must_be_names(void **state)
{
	struct json *j = parse("{\"netbios\":\"EX1\",\"fqdn\":\"ex1;reboot\",\"addresses\":[]}");
	struct host_identity i;
	struct err e;

	(void)state;
	assert_int_equal(wire_get_identity(j, &i, &e), -1);
	json_free(j);
	j = parse("{\"netbios\":\"EX1\",\"fqdn\":\"ex1.lab.example\",\"exchange\":true,\"addresses\":[\"::1\"],\"backend_port\":8444}");
	assert_int_equal(wire_get_identity(j, &i, &e), 0);
	assert_int_equal(i.backend_port, 8444);
	assert_int_equal(i.frontend_port, 443);
	assert_string_equal(i.addresses[0], "::1");
	json_free(j);
}

/* Null is unknown, never no: of an Exchange server that does not say so, nobody may say that it is none. */
static void what_it_is_may_be_unknown(void **state)
{
	static const struct { const char *exchange; bool yes, unknown; } all[] = {
		{"true", true, false}, {"false", false, false}, {"null", false, true}, {"\"yes\"", false, true},
	};
	struct host_identity i, back;
	char text[200];
	struct err e;

	(void)state;
	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		struct json *j;

		(void)snprintf(text, sizeof(text), "{\"netbios\":\"EX1\",\"fqdn\":\"ex1.lab.example\",\"exchange\":%s}", all[k].exchange);
		j = parse(text);
		assert_int_equal(wire_get_identity(j, &i, &e), 0);
		json_free(j);
		assert_int_equal(i.exchange, all[k].yes);
		assert_int_equal(i.exchange_unknown, all[k].unknown);
		begin();
		wire_put_identity(&o, &i);
		j = end();
		assert_int_equal(wire_get_identity(j, &back, &e), 0);
		assert_memory_equal(&i, &back, sizeof(i));
		json_free(j);
	}
}

static void probes_come_back(void **state)
{
	struct probe_result r = {.tcp = TCP_OK, .tls = TLS_ALERT, .alert = 40, .tls_version = "", .http_status = 0, .took_us = 5000}, back;
	struct err e;
	struct json *j;

	(void)state;
	strcpy(r.answer_header, "X-BEServer: EX1\nX-FEServer: EX1");
	begin();
	wire_put_probe(&o, &r, NULL);
	j = end();
	assert_int_equal(wire_get_probe(j, &back, &e), 0);
	assert_memory_equal(&r, &back, sizeof(r));
	json_free(j);
	j = parse("{\"tcp\":\"maybe\",\"tls\":\"ok\"}");
	assert_int_equal(wire_get_probe(j, &back, &e), -1);
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_come_back),
		cmocka_unit_test(a_state_comes_back),
		cmocka_unit_test(later_members_come_back),
		cmocka_unit_test(an_ask_comes_back),
		cmocka_unit_test(a_part_that_was_not_asked_for_stays),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(names_must_be_names),
		cmocka_unit_test(what_it_is_may_be_unknown),
		cmocka_unit_test(probes_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
