/* test_config_sinks.c - receivers in the configuration: the keys that kinds share, whose key is whose. */
#include <stdio.h>
#include <string.h>

#include "lib/check.h"
#include "proc/config_inside.h"
#include "rules/rule.h"
#include "ship/formats.h"

#define BASE "state_dir: /s\nrules: /r\ntables: /r\n"

/* The keys of one map, as those of a kind, built or not. 0, or -1 and *e. */
static int read_as(enum sink_kind kind, const char *text, struct sink_config *s, struct arena **a, struct err *e)
{
	static struct config c;
	struct reader r = { .c = &c, .e = e };
	struct yaml_file *f = yaml_parse("c.yaml", text, strlen(text), e);
	int did;

	if (!f)
		fail_msg("%s: %s", text, e->text);
	c = (struct config){ .folder = "/etc/evmend", .arena = arena_new(4096) };
	*a = c.arena;
	r.f = f;
	*s = (struct sink_config){ .app = "evmend" };
	did = read_sink_keys(&r, f->documents[0], kind, s);
	yaml_free(f);
	return did;
}

static void requests_have_their_keys(void **state)
{
	static const char text[] = "name: s\nkind: elastic\nurl: https://x\nformat: ndjson\nlabels: {tenant: a}\n"
		"tls: {ca: ca.pem, cert: /c.pem, key: k.pem, name: siem.example, verify: false,"
		" pin: 0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef}\n"
		"batch: {records: 500, bytes: 1048576, wait: 2s}\ncompress: gzip\nproxy: http://proxy.example:3128\ntimeout: 20s\n";
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	if (read_as(SINK_ELASTIC, text, &s, &a, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(s.format->name, "ndjson");
	assert_string_equal(s.labels[0], "tenant=a");
	assert_true(s.tls.on);
	assert_string_equal(s.tls.ca, "/etc/evmend/ca.pem");
	assert_string_equal(s.tls.cert, "/c.pem");
	assert_string_equal(s.tls.key, "/etc/evmend/k.pem");
	assert_string_equal(s.tls.name, "siem.example");
	assert_true(s.tls.no_verify);
	assert_int_equal(strlen(s.tls.pin), 64);
	assert_int_equal(s.batch.records, 500);
	assert_int_equal(s.batch.bytes, 1048576);
	assert_int_equal(s.batch.wait, 2 * US_SECOND);
	assert_int_equal(s.compress, SINK_GZIP);
	assert_string_equal(s.proxy, "http://proxy.example:3128");
	assert_int_equal(s.timeout, 20 * US_SECOND);
	arena_free(a);
	assert_int_equal(read_as(SINK_ELASTIC, "{name: s, url: 'https://x', format: ndjson}", &s, &a, &e), 0);
	assert_false(s.tls.on || s.tls.no_verify); /* verification is what is left out */
	assert_int_equal(s.compress, SINK_PLAIN);
	assert_string_equal(s.format->name, "ndjson");
	arena_free(a);
}

static void kafka_has_its_keys(void **state)
{
	static const char text[] = "name: s\nbrokers: ['a:9092', '[::1]:9093']\ntopic: 'evmend.{kind}.{label.tenant}'\nformat: ecs\ncompress: lz4\n"
		"tls: {ca: ca.pem}\nsasl: {mechanism: PLAIN, user: u, password_file: pw}\noptions: {message.max.bytes: 2000000}\n";
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	if (read_as(SINK_KAFKA, text, &s, &a, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(s.kafka.brokers, "a:9092,[::1]:9093");
	assert_string_equal(s.kafka.topic, "evmend.{kind}.{label.tenant}");
	assert_int_equal(s.compress, SINK_LZ4);
	assert_true(s.tls.on && !s.tls.no_verify);
	assert_string_equal(s.kafka.mechanism, "PLAIN");
	assert_string_equal(s.kafka.user, "u");
	assert_string_equal(s.kafka.password_file, "/etc/evmend/pw");
	assert_int_equal(s.kafka.n_options, 1);
	assert_string_equal(s.kafka.options[0], "message.max.bytes=2000000");
	arena_free(a);
}

static void take_is_a_list_or_conditions(void **state)
{
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	assert_int_equal(read_as(SINK_FILE, "{name: s, path: x, take: repair}", &s, &a, &e), 0);
	assert_int_equal(s.take.kinds, 1u << RECORD_REPAIR);
	arena_free(a);
	if (read_as(SINK_FILE, "{name: s, path: x, take: {kinds: [finding, case], level: high,"
		" causes: [exchange-backend-site, Exchange-Tls-Configuration], hosts: 'ex*', labels: {t: x}}}", &s, &a, &e))
		fail_msg("%s", e.text);
	assert_int_equal(s.take.kinds, 1u << RECORD_FINDING | 1u << RECORD_CASE);
	assert_int_equal(s.take.level, LEVEL_HIGH);
	assert_int_equal(s.take.n_causes, 2);
	assert_string_equal(s.take.causes[1], "Exchange-Tls-Configuration");
	assert_int_equal(s.take.n_hosts, 1);
	assert_string_equal(s.take.hosts[0], "ex*");
	assert_int_equal(s.take.n_labels, 1);
	assert_string_equal(s.take.labels[0], "t=x");
	arena_free(a);
}

static void syslog_has_its_keys(void **state)
{
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	if (read_as(SINK_SYSLOG, "{name: s, address: '[::1]:6514', tls: {}, format: cef, framing: line, header: 5424, frame_max: 2000, resend: 0, timeout: 5s}",
		&s, &a, &e))
		fail_msg("%s", e.text);
	assert_string_equal(s.syslog.address, "[::1]:6514");
	assert_true(s.tls.on && !s.tls.no_verify);
	assert_int_equal(s.syslog.framing, SYSLOG_LINE);
	assert_int_equal(s.syslog.header, SYSLOG_5424);
	assert_int_equal(s.syslog.frame_max, 2000);
	assert_int_equal(s.syslog.resend, 0);
	assert_int_equal(s.timeout, 5 * US_SECOND);
	arena_free(a);
	assert_int_equal(read_as(SINK_SYSLOG, "{name: s, address: 'a:1'}", &s, &a, &e), 0);
	assert_false(s.tls.on);
	assert_int_equal(s.syslog.header, SYSLOG_BY_FORMAT);
	assert_int_equal(s.syslog.framing, SYSLOG_OCTET);
	assert_int_equal(s.syslog.frame_max, 0); /* the sink's own */
	arena_free(a);
	assert_int_equal(read_as(SINK_SYSLOG, "{name: s, address: 'a:1', format: leef}", &s, &a, &e), 0);
	assert_int_equal(s.syslog.frame_max, 4096);
	arena_free(a);
	assert_int_equal(read_as(SINK_SYSLOG, "{name: s, address: 'a:1', format: leef, frame_max: 8000}", &s, &a, &e), 0);
	assert_int_equal(s.syslog.frame_max, 8000);
	arena_free(a);
}

static void rotation_of_a_file(void **state)
{
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	if (read_as(SINK_FILE, "{name: s, path: x, rotate: {size: 100MB, age: 1d, keep: 7, compress: zstd}}", &s, &a, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(s.file.rotate.size, 100 << 20);
	assert_int_equal(s.file.rotate.age, US_DAY);
	assert_int_equal(s.file.rotate.keep, 7);
	assert_int_equal(s.file.rotate.compress, SINK_ZSTD);
	arena_free(a);
	assert_int_equal(read_as(SINK_FILE, "{name: s, path: x, rotate: {size: 5000}}", &s, &a, &e), 0);
	assert_int_equal(s.file.rotate.size, 5000);
	assert_int_equal(s.file.rotate.keep, 0);
	assert_int_equal(s.file.rotate.compress, SINK_PLAIN);
	arena_free(a);
}

/* Who says little to a webhook wants little of it. */
static void webhooks_are_quiet(void **state)
{
	enum { QUIET = 1u << RECORD_FINDING | 1u << RECORD_CASE | 1u << RECORD_REFUSAL | 1u << RECORD_REPAIR };
	static const struct {
		const char *take;
		unsigned kinds;
		int level;
	} takes[] = {
		{ "{labels: {tenant: a}}", QUIET, LEVEL_HIGH },
		{ "{hosts: 'ex*', causes: [exchange-backend-site]}", QUIET, LEVEL_HIGH },
		{ "{level: informational}", QUIET, LEVEL_INFORMATIONAL },
		{ "{level: critical, hosts: 'ex*'}", QUIET, LEVEL_CRITICAL },
		{ "{kinds: [finding], hosts: 'ex*'}", 1u << RECORD_FINDING, 0 },
	};
	struct sink_config s;
	struct err e = { 0 };
	struct arena *a;

	(void)state;
	if (read_as(SINK_WEBHOOK, "{name: s, url_file: address, hmac_file: key, template: teams}", &s, &a, &e) < 0)
		fail_msg("%s", e.text);
	assert_null(s.webhook.url);
	assert_string_equal(s.webhook.url_file, "/etc/evmend/address");
	assert_string_equal(s.webhook.hmac_file, "/etc/evmend/key");
	assert_ptr_equal(s.format, format_find("teams"));
	assert_int_equal(s.rate, 1);
	assert_int_equal(s.take.kinds, 1u << RECORD_FINDING | 1u << RECORD_CASE | 1u << RECORD_REFUSAL | 1u << RECORD_REPAIR);
	assert_int_equal(s.take.level, LEVEL_HIGH);
	arena_free(a);
	if (read_as(SINK_WEBHOOK, "{name: s, url: 'https://h/webhookb2/a@b/x', rate: 20, take: [ledger]}", &s, &a, &e) < 0)
		fail_msg("%s", e.text);
	assert_ptr_equal(s.format, format_find("ndjson"));
	assert_int_equal(s.rate, 20);
	assert_int_equal(s.take.kinds, 1u << RECORD_LEDGER);
	assert_int_equal(s.take.level, 0);
	arena_free(a);
	for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
		char text[200];

		(void)snprintf(text, sizeof text, "{name: s, url: 'https://h', take: %s}", takes[i].take);
		if (read_as(SINK_WEBHOOK, text, &s, &a, &e) < 0)
			fail_msg("%s: %s", text, e.text);
		if (s.take.kinds != takes[i].kinds || s.take.level != takes[i].level)
			fail_msg("%s: %x, %d", text, s.take.kinds, s.take.level);
		arena_free(a);
	}
}

static void refuses_keys_by_name(void **state)
{
	static const struct {
		enum sink_kind kind;
		const char *text, *says;
	} bad[] = {
		{ SINK_ELASTIC, "{name: s, url: 'https://x', tls: {ca: x, verify: maybe}}", "verify" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', tls: {cert: x}}", "both cert and key" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', tls: {pin: abc}}", "64 hex digits" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', tls: {cafile: x}}", "unknown key 'cafile'" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', tls: yes}", "must be a map" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', batch: {records: 0}}", "records" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', batch: {wait: 2h}}", "wait must be from" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', compress: lz4}", "one of none, gzip" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', proxy: 'socks://x'}", "http://" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', proxy: 'http://user:pw@x'}", "user or a password" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x?a=b'}", "must end before ? and #; leave out" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://x/a?api-version=1&sig=y'}", "name that with url_file" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://u:p@x/a'}", "user or a password" },
		{ SINK_ELASTIC, "{name: s, url: 'https://x', timeout: 10ms}", "timeout" },
		{ SINK_KAFKA, "{name: s, topic: t}", "needs brokers" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1'}", "needs a topic" },
		{ SINK_KAFKA, "{name: s, brokers: a, topic: t}", "host:port" },
		{ SINK_KAFKA, "{name: s, brokers: ['a:1', 'b:x'], topic: t}", "host:port" },
		{ SINK_KAFKA, "{name: s, brokers: ['a:1,b:2'], topic: t}", "host:port" },
		{ SINK_KAFKA, "{name: s, brokers: [], topic: t}", "names none" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: 'a b'}", "may hold letters" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: '..'}", "is neither" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: 'x.{host}'}", "takes no {host}" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: 'x.{uid}'}", "no place {uid}" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, compress: snappy}", "one of none, gzip, zstd, lz4" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, proxy: 'http://x'}", "takes no proxy" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, tls: {pin: x}}", "unknown key 'pin'" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, options: {acks: 0}}", "acks is not for options: the sink itself sets it" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, options: {sasl.password: x}}", "sasl sets it" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, sasl: {mechanism: GSSAPI}}", "one of PLAIN" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, sasl: {mechanism: PLAIN, user: u, password_file: p}}", "add tls" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, sasl: {mechanism: SCRAM-SHA-512, user: u}}", "needs a password_file" },
		{ SINK_KAFKA, "{name: s, brokers: 'a:1', topic: t, sasl: {mechanism: SCRAM-SHA-512, password: u}}", "unknown key 'password'" },
		{ SINK_KAFKA, "{name: s, format: cef}", "has no format 'cef'; write one of ndjson, ecs, ocsf" },
		{ SINK_OTLP, "{name: s, format: ndjson}", "its own format" },
		{ SINK_FILE, "{name: s, path: x, proxy: 'http://x'}", "a sink of kind file takes no proxy; the kind splunk does" },
		{ SINK_FILE, "{name: s, path: x, address: 'a:1'}", "a sink of kind file takes no address; the kind syslog does" },
		{ SINK_FILE, "{name: s, pth: x}", "did you mean 'path'" },
		{ SINK_FILE, "{name: s, path: x, rotate: {keep: 3}}", "needs a size or an age" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 100}}", "at least 4096" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 1.5GB}}", "such as 100MB" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 9999999999999999999}}", "such as 100MB" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 8388609MB}}", "such as 100MB" },
		{ SINK_FILE, "{name: s, path: x, rotate: {age: 5s}}", "age must be from 1m" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 1MB, keep: 0}}", "keep must be" },
		{ SINK_FILE, "{name: s, path: x, rotate: {size: 1MB, compress: xz}}", "one of none, gzip, zstd" },
		{ SINK_SYSLOG, "{name: s, address: 'a:1', framing: lines}", "one of octet, line" },
		{ SINK_SYSLOG, "{name: s, address: 'a:1', header: 3165}", "one of auto, 5424, 3164" },
		{ SINK_SYSLOG, "{name: s, address: 'a:1', frame_max: 65537}", "frame_max" },
		{ SINK_SYSLOG, "{name: s, address: 'a:1', url: 'http://x'}", "a sink of kind syslog takes no url; the kind splunk does" },
		{ SINK_SYSLOG, "{name: s, address: 'a:0'}", "host:port" },
		{ SINK_SYSLOG, "{name: s, address: ':514'}", "host:port" },
		{ SINK_SYSLOG, "{name: s}", "needs an address" },
		{ SINK_SPLUNK, "{name: s, token_file: t}", "needs a url" },
		{ SINK_SPLUNK, "{name: s, url: 'https://h'}", "needs a token_file" },
		{ SINK_SPLUNK, "{name: s, url: 'https://h', token_file: t, compress: zstd}", "one of none, gzip" },
		{ SINK_SPLUNK, "{name: s, url: 'https://h', token_file: t, index: 'a{rule}'}", "no place {rule}" },
		{ SINK_SPLUNK, "{name: s, url: 'https://h', token_file: t, ack: maybe}", "ack" },
		{ SINK_SPLUNK, "{name: s, url: 'https://h', token_file: t, ack_timeout: 1m}", "needs ack: true" },
		{ SINK_ELASTIC, "{name: s, url: 'https://h', index: 'a/b'}", "index may hold" },
		{ SINK_ELASTIC, "{name: s, url: 'https://h', user: u}", "both user and password_file" },
		{ SINK_ELASTIC, "{name: s, url: 'https://h', user: u, password_file: p, api_key_file: k}", "leave one out" },
		{ SINK_OTLP, "{name: s}", "needs a url" },
		{ SINK_WEBHOOK, "{name: s}", "needs a url, or a url_file" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://h', url_file: f}", "needs a url, or a url_file" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://h', template: discord}", "one of json, slack, teams" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://h', batch: {records: 5}}", "takes no batch" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://h', compress: gzip}", "takes no compress" },
		{ SINK_WEBHOOK, "{name: s, url: 'https://h', format: ndjson}", "its own format" },
		{ SINK_SPLUNK, "{name: s, url: 'http://h', token_file: t, tls: {}}", "write https://" },
		{ SINK_ELASTIC, "{name: s, url: 'http://h', tls: {verify: false}}", "write https://" },
		{ SINK_OTLP, "{name: s, url: 'http://h', tls: {ca: x}}", "has tls, and a url that begins with http://; write https://" },
		{ SINK_WEBHOOK, "{name: s, url: 'http://h', tls: {ca: x}}", "has tls, and a url that begins with http://; write https://" },
		{ SINK_OTLP, "{name: s, url: 'https://h', compress: zstd}", "one of none, gzip" },
		{ SINK_OTLP, "{name: s, url: 'https://h', token_file: t}", "takes no token_file; the kind splunk does" },
		{ SINK_FILE, "{name: s, path: x, take: {level: loud}}", "unknown level 'loud'" },
		{ SINK_FILE, "{name: s, path: x, take: {causes: [exchange-backend-site, nonsense]}}", "no cause 'nonsense'; there are exchange-backend-certificate" },
		{ SINK_FILE, "{name: s, path: x, take: {causes: nonsense}}", "exchange-certificate-expiry" },
		{ SINK_FILE, "{name: s, path: x, take: []}", "take is an empty list" },
		{ SINK_FILE, "{name: s, path: x, take: {kinds: []}}", "kinds is an empty list" },
		{ SINK_FILE, "{name: s, path: x, take: {causes: []}}", "causes is an empty list" },
		{ SINK_FILE, "{name: s, path: x, take: {hosts: []}}", "hosts is an empty list" },
		{ SINK_FILE, "{name: s, path: x, take: {kind: case}}", "did you mean 'kinds'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct sink_config s;
		struct err e = { 0 };
		struct arena *a;

		if (read_as(bad[i].kind, bad[i].text, &s, &a, &e) != -1)
			fail_msg("taken: %s", bad[i].text);
		if (!strstr(e.text, bad[i].says))
			fail_msg("'%s' does not say '%s' but: %s", bad[i].text, bad[i].says, e.text);
		arena_free(a);
	}
}

static void a_kind_is_one_of_those_that_there_are(void **state)
{
	char text[200];

	(void)state;
	for (int kind = 0; kind <= SINK_KINDS; kind++) {
		struct err e = { 0 };
		int n = snprintf(text, sizeof text, BASE "sinks: [{name: s, kind: \"%s\"}]\n", sink_kind_text(kind));
		struct config *c = config_parse("c.yaml", text, (size_t)n, &e);

		assert_null(c);
		if (!strstr(e.text, kind < SINK_KINDS ? "needs" : "one of file, syslog"))
			fail_msg("%s: %s", sink_kind_text(kind), e.text);
	}
}

static void a_file_has_one_writer_and_no_reader_of_ours(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: it is taken */
	} rows[] = {
		{ "sinks: [{name: a, kind: file, path: out}, {name: b, kind: file, path: out2}]", NULL },
		{ "sinks: [{name: a, kind: file, path: out}, {name: b, kind: file, path: ./out}]", "is that of the sink 'a'; give each" },
		{ "sinks: [{name: a, kind: file, path: /x/out}, {name: b, kind: file, path: //x/./y/../out}]", "is that of the sink 'a'" },
		{ "sinks: [{name: a, kind: file, path: /out}, {name: b, kind: file, path: /../out}]", "is that of the sink 'a'" },
		{ "sinks: [{name: a, kind: file, path: ../out}, {name: b, kind: file, path: ../../out}]", NULL },
		{ "sinks: [{name: a, kind: file, path: ../../out}, {name: b, kind: file, path: .././x/../../out}]", "is that of the sink 'a'" },
		{ "sinks: [{name: a, kind: file, path: out}, {name: b, kind: webhook, url: 'https://out'}]", NULL },
		{ "sources: [{name: log, path: in}]\nsinks: [{name: a, kind: file, path: x/../in}]", "is read by the source 'log'" },
		{ "sources: [{name: log, path: in/}]\nsinks: [{name: a, kind: file, path: in/a/out}]", "is read by the source 'log'" },
		{ "sources: [{name: log, path: in}]\nsinks: [{name: a, kind: file, path: in2}]", NULL },
		{ "sources: [{name: log, path: .}]\nsinks: [{name: a, kind: file, path: out}]", "is read by the source 'log'" },
		{ "sources: [{name: log, path: .}]\nsinks: [{name: a, kind: file, path: /out}, {name: b, kind: file, path: ../out}]", NULL },
		{ "sources: [{name: log, kind: stdin}]\nsinks: [{name: a, kind: file, path: out}]", NULL },
		{ "sinks: [{name: a, kind: file, path: /s/a}]", "is in state_dir" },
		{ "sinks: [{name: a, kind: file, path: /s2/a}]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[400];
		struct err e = { 0 };
		int n = snprintf(text, sizeof text, BASE "%s\n", rows[i].text);
		struct config *c = config_parse("c.yaml", text, (size_t)n, &e);

		if (!c != !!rows[i].says || (!c && !strstr(e.text, rows[i].says)))
			fail_msg("%s: %s", rows[i].text, c ? "taken" : e.text);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_have_their_keys),
		cmocka_unit_test(kafka_has_its_keys),
		cmocka_unit_test(take_is_a_list_or_conditions),
		cmocka_unit_test(rotation_of_a_file),
		cmocka_unit_test(syslog_has_its_keys),
		cmocka_unit_test(webhooks_are_quiet),
		cmocka_unit_test(refuses_keys_by_name),
		cmocka_unit_test(a_file_has_one_writer_and_no_reader_of_ours),
		cmocka_unit_test(a_kind_is_one_of_those_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
