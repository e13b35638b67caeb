/* test_config.c - the configuration: every key, every default, and what a person is told when something is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "proc/config.h"

static const char full[] =
	"state_dir: state\n"
	"log: debug\n"
	"rules: [rules/a, /abs/b.yml]\n"
	"tables: rules\n"
	"sources:\n"
	"  - {name: mail, kind: follow, path: logs/app.xml}\n"
	"  - {name: in, kind: stdin}\n"
	"hosts:\n"
	"  - name: ex1.contoso.example\n"
	"    aliases: [EX1]\n"
	"    group: berlin\n"
	"    mode: approve\n"
	"    access: pipe\n"
	"    command: [bin/lab, host, \"a b\"]\n"
	"remedies:\n"
	"  exchange_backend:\n"
	"    mode: auto\n"
	"    settle: 5s\n"
	"    hold_file: stop\n"
	"    limits: {per_host_day: 2, per_group_day: 4, per_fleet_day: 9}\n"
	"    blast_radius: {hosts: 5, within: 30m}\n"
	"    windows:\n"
	"      - {days: [sat, Sun], from: \"22:00\", to: 04:00, zone: UTC}\n"
	"      - {from: \"0:00\", to: \"24:00\", zone: UTC}\n"
	"sinks:\n"
	"  - {name: file, kind: file, format: ndjson, path: out.ndjson, take: [finding, case], labels: {tenant: a, site: \"b=c\"}}\n"
	"  - {name: log, kind: syslog, format: rfc5424, address: \"127.0.0.1:6514\", app: x, hostname: y}\n"
	"times: {replay_after: 1h, idle_after: 2s, diagnose_every: 0, approval: 10m, step: 9s, repair: 2m}\n"
	"caps: {memory_mb: 64, keep_days: 7, spool_mb: 20, findings_per_rule_host: {count: 5, per: 1d}}\n";

static void reads_every_key(void **state)
{
	struct err e = { 0 };
	struct config *c = config_parse("/etc/evmend/c.yaml", full, sizeof full - 1, &e);

	(void)state;
	if (!c)
		fail_msg("%s", e.text);
	assert_string_equal(c->state_dir, "/etc/evmend/state");
	assert_int_equal(c->log, LOG_DEBUG);
	assert_int_equal(c->n_rules, 2);
	assert_string_equal(c->rules[0], "/etc/evmend/rules/a");
	assert_string_equal(c->rules[1], "/abs/b.yml");
	assert_string_equal(c->tables, "/etc/evmend/rules");
	assert_int_equal(c->n_sources, 2);
	assert_int_equal(c->sources[0].kind, SOURCE_FOLLOW);
	assert_string_equal(c->sources[0].path, "/etc/evmend/logs/app.xml");
	assert_null(c->sources[1].path);
	assert_int_equal(c->n_hosts, 1);
	assert_string_equal(c->hosts[0].name, "ex1.contoso.example");
	assert_string_equal(c->hosts[0].aliases[0], "EX1");
	assert_string_equal(c->hosts[0].mode, "approve");
	assert_string_equal(c->hosts[0].command[0], "/etc/evmend/bin/lab");
	assert_string_equal(c->hosts[0].command[2], "a b");
	assert_null(c->hosts[0].command[3]);
	assert_int_equal(c->policy.mode, MODE_AUTO);
	assert_int_equal(c->policy.settle, 5 * US_SECOND);
	assert_int_equal(c->policy.per_host_day, 2);
	assert_int_equal(c->policy.per_group_day, 4);
	assert_int_equal(c->policy.per_fleet_day, 9);
	assert_int_equal(c->policy.blast_hosts, 5);
	assert_int_equal(c->policy.blast_within, 30 * US_MINUTE);
	assert_int_equal(c->policy.n_windows, 2);
	assert_int_equal(c->policy.windows[0].days, 1u << 5 | 1u << 6);
	assert_int_equal(c->policy.windows[0].from, 22 * 60);
	assert_int_equal(c->policy.windows[0].to, 4 * 60);
	assert_string_equal(zone_name(c->policy.windows[0].zone), "UTC");
	assert_int_equal(c->policy.windows[1].days, WINDOW_DAYS_ALL);
	assert_int_equal(c->policy.windows[1].to, 1440);
	assert_string_equal(c->policy.hold_file, "/etc/evmend/stop");
	assert_int_equal(c->policy.approval_life, 10 * US_MINUTE);
	assert_int_equal(c->policy.step_limit, 9 * US_SECOND);
	assert_int_equal(c->policy.repair_limit, 2 * US_MINUTE);
	assert_int_equal(c->n_sinks, 2);
	assert_int_equal(c->sinks[0].take.kinds, 1u << RECORD_FINDING | 1u << RECORD_CASE);
	assert_string_equal(c->sinks[0].labels[0], "tenant=a");
	assert_string_equal(c->sinks[0].labels[1], "site=b=c");
	assert_string_equal(c->sinks[1].syslog.address, "127.0.0.1:6514");
	assert_int_equal(c->times.replay_after, US_HOUR);
	assert_int_equal(c->times.idle_after, 2 * US_SECOND);
	assert_int_equal(c->times.diagnose_every, 0);
	assert_int_equal(c->caps.memory_mb, 64);
	assert_int_equal(c->caps.keep_days, 7);
	assert_int_equal(c->caps.spool_mb, 20);
	assert_int_equal(c->caps.findings_per_rule_host.count, 5);
	assert_true(c->caps.findings_per_rule_host.per == US_DAY);
	config_free(c);
}

static void has_the_documented_defaults(void **state)
{
	static const char text[] = "state_dir: /s\nrules: /r\ntables: /r\n";
	struct err e = { 0 };
	struct config *c = config_parse("c.yaml", text, sizeof text - 1, &e);

	(void)state;
	if (!c)
		fail_msg("%s", e.text);
	assert_int_equal(c->policy.mode, MODE_OBSERVE);
	assert_int_equal(c->policy.settle, US_MINUTE);
	assert_int_equal(c->policy.per_host_day, 1);
	assert_int_equal(c->policy.per_group_day, 3);
	assert_int_equal(c->policy.per_fleet_day, 3);
	assert_int_equal(c->policy.blast_hosts, 3);
	assert_int_equal(c->policy.blast_within, US_HOUR);
	assert_int_equal(c->policy.n_windows, 0);
	assert_int_equal(c->policy.approval_life, 30 * US_MINUTE);
	assert_int_equal(c->policy.step_limit, 30 * US_SECOND);
	assert_int_equal(c->policy.repair_limit, 5 * US_MINUTE);
	assert_int_equal(c->times.replay_after, 15 * US_MINUTE);
	assert_int_equal(c->times.idle_after, US_MINUTE);
	assert_int_equal(c->times.diagnose_every, US_HOUR);
	assert_string_equal(c->policy.hold_file, "/s/hold");
	config_free(c);
}

#define BASE "state_dir: /s\nrules: /r\ntables: /r\n"
#define WINDOW BASE "remedies: {exchange_backend: {windows: ["

static void tells_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ BASE "sinkss: []\n", "did you mean 'sinks'" },
		{ BASE "sinkss: []\n", "c.yaml:4:1" },
		{ BASE "sources: [{name: a, kind: file, pth: x}]\n", "did you mean 'path'" },
		{ BASE "times: {replay_aftr: 1m}\n", "did you mean 'replay_after'" },
		{ BASE "remedies: {exchange_backend: {setle: 1m}}\n", "did you mean 'settle'" },
		{ BASE "remedies: {exchange_backend: {mode: automatic}}\n", "observe, approve or auto" },
		{ BASE "remedies: {exchange_backend: {windows: []}}\n", "a list of 1 to 32" },
		{ BASE "remedies: {exchange_backend: {windows: {from: a}}}\n", "a list of 1 to 32" },
		{ BASE "remedies: {exchange_backend: {window: []}}\n", "did you mean 'windows'" },
		{ WINDOW "{to: '04:00', zone: UTC}]}}\n", "needs from" },
		{ WINDOW "{from: '04:00', zone: UTC}]}}\n", "needs to" },
		{ WINDOW "{from: '04:00', to: '05:00'}]}}\n", "needs a zone" },
		{ WINDOW "{from: '04:00', to: '05:00', zone: UCT0x}]}}\n", "c.yaml:4:" },
		{ WINDOW "{from: '04:00', to: '05:00', zone: ../UTC}]}}\n", "is no name of a time zone" },
		{ WINDOW "{from: '24:00', to: '05:00', zone: UTC}]}}\n", "\"00:00\" to \"23:59\"" },
		{ WINDOW "{from: '04:00', to: '24:01', zone: UTC}]}}\n", "\"00:00\" to \"24:00\"" },
		{ WINDOW "{from: '4', to: '05:00', zone: UTC}]}}\n", "a time of the day" },
		{ WINDOW "{from: '04:60', to: '05:00', zone: UTC}]}}\n", "a time of the day" },
		{ WINDOW "{from: '04:00', to: '04:00', zone: UTC}]}}\n", "never opens" },
		{ WINDOW "{days: [son], from: '04:00', to: '05:00', zone: UTC}]}}\n", "days knows no 'son'; did you mean 'mon'" },
		{ WINDOW "{days: [], from: '04:00', to: '05:00', zone: UTC}]}}\n", "days is empty" },
		{ WINDOW "{day: [sat], from: '04:00', to: '05:00', zone: UTC}]}}\n", "did you mean 'days'" },
		{ BASE "remedies: {exchange_backend: {limits: {per_host_day: 0}}}\n", "per_host_day" },
		{ BASE "remedies: {exchange_backend: {limits: {per_group_day: 1001}}}\n", "per_group_day" },
		{ BASE "remedies: {exchange_backend: {limits: {per_grup_day: 1}}}\n", "did you mean 'per_group_day'" },
		{ BASE "remedies: {exchange_backend: {blast_radius: {host: 1}}}\n", "did you mean 'hosts'" },
		{ BASE "remedies: {exchange_backend: {blast_radius: {hosts: 0}}}\n", "hosts" },
		{ BASE "remedies: {exchange_backend: {blast_radius: {within: 1s}}}\n", "within must be from" },
		{ BASE "sources: [{name: a, kind: wef, path: x}]\n", "not built yet" },
		{ BASE "sources: [{name: a, kind: file}]\n", "needs a path" },
		{ BASE "sources: [{name: a, path: x}, {name: A, path: y}]\n", "twice" },
		{ BASE "sources: [{name: a, path: x, forward: some}]\n", "forward is `all`" },
		{ BASE "sources: [{name: a, path: x, forward: [all]}]\n", "forward is `all`" },
		{ BASE "sources: [{name: a, path: x, forward: {ids: []}}]\n", "sends every event on" },
		{ BASE "sources: [{name: a, path: x, forward: {ids: [x]}}]\n", "ids" },
		{ BASE "sources: [{name: a, path: x, labels: {\"a=b\": c}}]\n", "a label's name" },
		{ BASE "hosts: [{name: h.example}]\n", "needs a command" },
		{ BASE "hosts: [{name: h.example, command: [ssh, h]}]\n", "must be a path" },
		{ BASE "hosts: [{name: 'h;rm', command: [/bin/x]}]\n", "letters, digits" },
		{ BASE "hosts: [{name: h.example, access: winrm, command: [/x]}]\n", "not built yet" },
		{ BASE "hosts: [{name: h, aliases: [X], command: [/x]}, {name: i, aliases: [x], command: [/x]}]\n", "names both" },
		{ BASE "sinks: [{name: s, kind: file}]\n", "needs a path" },
		{ BASE "sinks: [{name: s, kind: syslog, address: localhost}]\n", "host:port" },
		{ BASE "sinks: [{name: s, kind: file, path: x, format: xml}]\n", "has no format 'xml'; write one of ndjson, rfc5424, cef, leef, ecs, ocsf" },
		{ BASE "sinks: [{name: s, kind: file, path: x, take: [events]}]\n", "take knows no 'events'" },
		{ BASE "times: {step: 0}\n", "step must be from" },
		{ BASE "log: loud\n", "error, warn, info or debug" },
		{ BASE "rules2: x\n", "unknown key" },
		{ "rules: /r\ntables: /r\n", "state_dir is missing" },
		{ "", "is empty" },
		{ "- a\n", "must be a map" },
		{ "state_dir: [\n", "c.yaml:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };
		struct config *c = config_parse("c.yaml", bad[i].text, strlen(bad[i].text), &e);

		if (c)
			fail_msg("taken: %s", bad[i].text);
		assert_int_equal(e.code, ERR_USAGE);
		if (!strstr(e.text, bad[i].says))
			fail_msg("'%s' does not say '%s' but: %s", bad[i].text, bad[i].says, e.text);
	}
}

/* A limit of all hosts is the limit of a group, until that has its own. */
static void a_group_has_the_limit_of_all(void **state)
{
	static const char text[] = BASE "remedies: {exchange_backend: {limits: {per_fleet_day: 40}}}\n";
	struct err e = { 0 };
	struct config *c = config_parse("c.yaml", text, sizeof text - 1, &e);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->policy.per_fleet_day, 40);
	assert_int_equal(c->policy.per_group_day, 40);
	assert_int_equal(c->policy.per_host_day, 1);
	config_free(c);
}

static void a_missing_or_huge_file_is_told(void **state)
{
	static char big[CONFIG_BYTES + 10];
	struct scratch s;
	struct err e = { 0 };

	(void)state;
	scratch_init(&s);
	assert_null(config_read(scratch_path(&s, "none.yaml"), &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "none.yaml"));
	memset(big, '#', sizeof big);
	scratch_write(&s, "big.yaml", big, sizeof big);
	assert_null(config_read(scratch_path(&s, "big.yaml"), &e));
	assert_non_null(strstr(e.text, "larger than"));
	scratch_write(&s, "good.yaml", BASE, strlen(BASE));
	struct config *c = config_read(scratch_path(&s, "good.yaml"), &e);

	assert_non_null(c);
	assert_int_equal(c->text_n, strlen(BASE));
	config_free(c);
	scratch_free(&s);
}

/* "%7s" of a row becomes seven letters. */
static void long_text(char to[static 5000], const char *row)
{
	const char *at = strchr(row, '%');
	int n = at ? atoi(at + 1) : 0;

	if (at)
		snprintf(to, 5000, "%.*s%0*d%s", (int)(at - row), row, n, 7, strchr(at, 's') + 1);
	else
		snprintf(to, 5000, "%s", row);
}

/* Labels of a source stand in each of its records: how they look there, and what is too much. */
static void labels_are_an_object_of_texts(void **state)
{
	static const struct {
		const char *labels, *common, *error;
	} rows[] = {
		{ "labels: {tenant: a, site: 'm\"=\\'}}, {name: t, path: y, labels: {tenant: a, site: 'm\"=\\'}", "{\"tenant\":\"a\",\"site\":\"m\\\"=\\\\\"}", NULL },
		{ "labels: {tenant: a}}, {name: t, path: y, labels: {tenant: b}", "", NULL },
		{ "labels: {tenant: a}}, {name: t, path: y", "", NULL },
		{ "labels: {}", "", NULL },
		{ "labels: {%127s: a}", "{\"%127s\":\"a\"}", NULL },
		{ "labels: {%128s: a}", NULL, "at most 127 bytes" },
		{ "labels: {a: %4088s}", "{\"a\":\"%4088s\"}", NULL }, /* 4096 in all */
		{ "labels: {a: %4089s}", NULL, "at most 4096 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[10000], labels[5000], common[5000];
		struct err e = { .text = "" };

		long_text(labels, rows[i].labels);
		long_text(common, rows[i].common ? rows[i].common : "");
		snprintf(text, sizeof text, BASE "sources: [{name: s, path: x, %s}]\n", labels);
		struct config *c = config_parse("/c.yaml", text, strlen(text), &e);

		if (!c != !rows[i].common || (c && strcmp(config_labels(c), common) != 0) || (!c && !strstr(e.text, rows[i].error)))
			fail_msg("row %zu: %s", i, c ? config_labels(c) : e.text);
		config_free(c);
	}
}

/* What is told later than it was read finds its source by the name of the stream. */
static void a_stream_belongs_to_the_source_that_leads_to_it(void **state)
{
	static const char text[] = "state_dir: /s\nrules: /r\ntables: /r\nsources:\n  - {name: all, path: /logs, labels: {tenant: a}}\n"
		"  - {name: one, path: /logs/b/}\n  - {name: in, kind: stdin}\n";
	static const struct {
		const char *partition, *source;
	} rows[] = {
		{ "/logs", "all" }, { "/logs/x.xml", "all" }, { "/logs/b", "all" }, { "/logs/b/x.xml", "one" }, { "/logs/bx.xml", "all" }, { "-", "in" },
		{ "/logsx", NULL }, { "/log", NULL }, { "", NULL },
	};
	struct err e;
	struct config *c = config_parse("/c.yaml", text, sizeof text - 1, &e);

	(void)state;
	if (!c)
		fail_msg("%s", e.text);
	assert_string_equal(c->sources[0].labels, "{\"tenant\":\"a\"}");
	assert_string_equal(c->sources[1].labels, "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct config_source *s = config_source_of(c, rows[i].partition);

		if (!s != !rows[i].source || (s && strcmp(s->name, rows[i].source) != 0))
			fail_msg("%s is of %s", rows[i].partition, s ? s->name : "none");
	}
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(labels_are_an_object_of_texts),
		cmocka_unit_test(has_the_documented_defaults),
		cmocka_unit_test(tells_what_is_wrong_and_where),
		cmocka_unit_test(a_group_has_the_limit_of_all),
		cmocka_unit_test(a_missing_or_huge_file_is_told),
		cmocka_unit_test(a_stream_belongs_to_the_source_that_leads_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
