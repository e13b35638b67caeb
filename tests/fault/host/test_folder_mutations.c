/* test_folder_mutations.c - every file of a folder of facts, cut at each byte and with each byte changed: taken or refused with a
 * sentence, never more than there is room for, never a crash (run it under the sanitizers). */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/utf16.h"
#include "host/host_folder_inside.h"
#include "lib/check.h"

typedef int take_fn(const char *text, size_t n, struct host_folder *f, struct err *e);

static int take_facts(const char *text, size_t n, struct host_folder *f, struct err *e)
{
	return folder_facts(f, text, n, e);
}

static int take_netsh(const char *text, size_t n, struct host_folder *f, struct err *e)
{
	return folder_netsh(text, n, &f->state, e);
}

static int take_iis(const char *text, size_t n, struct host_folder *f, struct err *e)
{
	return folder_iis(text, n, &f->state, e);
}

static bool ends(const char *s, size_t room)
{
	return memchr(s, '\0', room) != NULL;
}

static void check_state(const struct host_state *s)
{
	assert_in_range(s->n_records, 0, HOST_RECORDS);
	assert_in_range(s->n_certs, 0, HOST_CERTS);
	assert_in_range(s->n_sites, 0, HOST_SITES);
	assert_in_range(s->n_services, 0, HOST_SERVICES);
	assert_in_range(s->n_pools, 0, HOST_POOLS);
	for (size_t i = 0; i < s->n_records; i++)
		assert_true(ends(s->records[i].endpoint, sizeof(s->records[i].endpoint)) && ends(s->records[i].store, 64) &&
			ends(s->records[i].appid, 48) && s->records[i].port != 0);
	for (size_t i = 0; i < s->n_sites; i++) {
		assert_in_range(s->sites[i].n_bindings, 0, HOST_BINDINGS);
		assert_true(ends(s->sites[i].name, 128));
	}
}

/* The copy is exactly as long as the text, so that a reader beyond its end is caught. */
static int run_one(take_fn *take, const char *text, size_t n, struct host_folder *f)
{
	struct err e = {.code = ERR_NONE};
	char *copy = xcalloc(1, n + 1);
	int r;

	if (n)
		memcpy(copy, text, n);
	memset(f, 0, offsetof(struct host_folder, state.certs));
	f->state.n_certs = f->state.n_sites = f->state.n_services = f->state.n_pools = 0;
	r = take(copy, n, f, &e);
	if (r < 0 && (e.code == ERR_NONE || e.text[0] == '\0'))
		fail_msg("refused without a word");
	if (r == 0)
		check_state(&f->state);
	free(f->probes);
	f->probes = NULL;
	free(copy);
	return r;
}

static void mutate(const char *name, const char *text, size_t n, take_fn *take, size_t step)
{
	static const char put[] = {'\0', '"', '[', '}', '9', ':', '<', '\xff', '\n'};
	struct host_folder *f = xcalloc(1, sizeof(*f));
	char *copy = xcalloc(1, n + 1);
	size_t taken = 0, refused = 0;

	if (run_one(take, text, n, f) < 0)
		fail_msg("%s is not taken as it is", name);
	memcpy(copy, text, n);
	for (size_t i = 0; i < n; i += step) {
		*(run_one(take, text, i, f) < 0 ? &refused : &taken) += 1;
		for (size_t k = 0; k < sizeof(put); k++) {
			copy[i] = put[k];
			*(run_one(take, copy, n, f) < 0 ? &refused : &taken) += 1;
		}
		copy[i] = (char)(text[i] ^ 1 << i % 7);
		*(run_one(take, copy, n, f) < 0 ? &refused : &taken) += 1;
		copy[i] = text[i];
	}
	print_message("# %s: %zu taken, %zu refused\n", name, taken, refused);
	assert_true(refused > taken / 100); /* it was really hurt */
	free(copy);
	free(f);
}

static const char *const facts = "{\"evmend_folder\":1,\"tool\":\"t\",\"collected_at\":\"/Date(1772439300000)/\",\"identity\":{\"netbios\":"
	"\"EX1\",\"fqdn\":\"ex1.contoso.example\",\"exchange\":true,\"addresses\":[\"127.0.0.1\",\"::1\"],\"backend_port\":444},"
	"\"records\":{\"endpoint\":\"0.0.0.0:444\",\"port\":444,\"thumbprint\":\"0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\",\"store\":\"MY\","
	"\"appid\":\"{4dc3e181-e14b-4a21-b022-59fc669b0914}\",\"flags\":0,\"sni\":\"False\",\"ccs\":0},"
	"\"sites\":[{\"name\":\"Exchange Back End\",\"id\":2,\"started\":true,\"bindings\":{\"protocol\":\"https\",\"information\":\"*:444:\","
	"\"ssl_flags\":0}}],\"services\":{\"value\":[{\"name\":\"W3SVC\",\"running\":true}],\"Count\":1},"
	"\"pools\":[{\"name\":\"MSExchangeOWAAppPool\",\"running\":false}],\"settings\":{\"allow_internal_untrusted\":true,"
	"\"tls_protocols\":\"TLS 1.2\"},\"itc\":{\"thumbprint\":\"0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e\"},"
	"\"boot\":{\"time\":{\"value\":\"/Date(1772439300000+0100)/\"},\"update_time\":\"2026-01-31T22:00:00Z\",\"update\":\"KB1\"},"
	"\"busy\":{\"state\":\"free\",\"what\":\"nothing\"},\"probes\":[{\"kind\":\"backend\",\"address\":\"127.0.0.1\",\"version\":\"1.2\","
	"\"path\":\"/x\",\"port\":4440,\"tcp\":\"ok\",\"tls\":\"alert\",\"alert\":40,\"http_status\":0,\"took_ms\":12,\"detail\":\"d\"}],"
	"\"errors\":[\"hop: no\"]}";

static void facts_json(void **state)
{
	(void)state;
	mutate("facts.json", facts, strlen(facts), take_facts, 1);
}

/* A file of tests/data, made UTF-8 as the folder does. */
static void read_data(const char *path, struct buf *to)
{
	struct err e;

	buf_init(to, LIMIT_FOLDER_TEXT);
	if (file_read(&os_file, path, to, &e) < 0)
		fail_msg("%s (tests run in the project's root folder)", e.text);
	assert_true(utf8_from_windows(to));
}

static void from_file(const char *path, take_fn *take)
{
	struct buf b;

	read_data(path, &b);
	mutate(path, b.p, b.n, take, 1);
	buf_free(&b);
}

static void netsh_texts(void **state)
{
	(void)state;
	from_file("tests/data/offline/english/netsh-sslcert.txt", take_netsh);
	from_file("tests/data/offline/german/netsh-sslcert.txt", take_netsh);
	from_file("tests/data/offline/japanese/netsh-sslcert.txt", take_netsh);
}

static void iis_config(void **state)
{
	(void)state;
	from_file("tests/data/offline/utf16/applicationHost.config", take_iis);
}

/* Certificates inside facts.json: base64 in which each byte is changed. */
static void certificates(void **state)
{
	struct buf pem, b;
	const char *end, *p;

	(void)state;
	read_data("tests/data/offline/stores/certs/MY/public.cer", &pem);
	buf_init(&b, 1u << 16);
	buf_str(&b, "{\"evmend_folder\":1,\"collected_at\":\"2026-03-02\",\"identity\":{\"netbios\":\"EX1\",\"fqdn\":\"ex1.contoso.example\"},"
		"\"certs\":{\"store\":\"MY\",\"has_key\":true,\"pem\":\"");
	end = strstr(buf_text(&pem), "\n-----END");
	for (p = strchr(buf_text(&pem), '\n'); p && end && p < end; p++)
		if (*p != '\n')
			buf_char(&b, *p);
	buf_str(&b, "\"}}");
	mutate("a certificate", b.p, b.n, take_facts, 3);
	buf_free(&b);
	buf_free(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_json),
		cmocka_unit_test(netsh_texts),
		cmocka_unit_test(iis_config),
		cmocka_unit_test(certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
