/* test_cli.c - the command line: what is accepted, what is refused with which words, and the exit codes. */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "lib/scratch.h"

struct seen { /* what the verb was called with */
	int calls, argc;
	char first[64], rules[2][64], config[64];
	size_t n_rules;
	bool json, at;
	int64_t now, number;
};
static struct seen seen;

static int run(struct cli *c, int argc, char **argv)
{
	const char *rules[2] = {"", ""};
	struct err e;
	seen.calls++;
	seen.argc = argc;
	seen.json = c->json;
	seen.at = c->at_given;
	seen.now = clock_wall(&c->clock);
	seen.n_rules = cli_values(c, "--rules", rules, 2);
	snprintf(seen.first, sizeof seen.first, "%s", argc ? argv[0] : "");
	snprintf(seen.config, sizeof seen.config, "%s", cli_value(c, "--config", ""));
	for (int i = 0; i < 2; i++)
		snprintf(seen.rules[i], sizeof seen.rules[i], "%s", rules[i]);
	assert_null(argv[argc]);
	if (cli_number(c, "--threads", 1, 64, &seen.number, &e) < 0)
		return cli_fail(c, &e);
	if (c->json)
		return ERR_FINDINGS;
	struct cli_table *t = cli_table_new((const char *const[]){"host", "what", NULL});
	cli_table_row(t, "EX1\033[2J", "one", (char *)NULL);
	cli_table_row(t, "\xc3\xbc" "ber", "two", (char *)NULL);
	cli_table_end(c, t);
	return ERR_NONE;
}

static const struct cli_option options[] = {
	{"--rules", 'r', CLI_VALUE, "DIR", "rules"},
	{"--threads", 0, CLI_VALUE, "N", "how many"},
	CLI_OPTION_CONFIG,
	CLI_OPTION_END,
};
static const struct cli_verb scan = {.name = "scan", .summary = "looks", .usage = "[options] PATH...", .help = "Looks.\n",
	.example = "evmend scan a\nevmend scan b", .options = options, .min_args = 1, .max_args = -1, .flags = CLI_TAKES_AT, .run = run};
static const struct cli_verb repair = {.name = "repair", .summary = "acts", .usage = "HOST", .min_args = 1, .max_args = 1, .run = run};
static const struct cli_verb role = {.name = "role", .summary = "", .usage = "", .max_args = -1, .flags = CLI_HIDDEN | CLI_RAW, .run = run};
static const struct cli_verb *const verbs[] = {&scan, &repair, &verb_help, &verb_version, &role, NULL};

struct said {
	int code;
	struct buf out, err;
};

/* Runs one command line, words divided by '|', with stdout and stderr in files. */
static void say(struct said *s, const char *line)
{
	struct scratch dir;
	char words[256], *argv[16] = {NULL};
	int argc = 0, old[2];
	struct err e;
	snprintf(words, sizeof words, "evmend|%s", line);
	for (char *p = words; p && argc < 15; argc++) {
		argv[argc] = p;
		p = strchr(p, '|');
		if (p)
			*p++ = 0;
	}
	if (!*line)
		argc = 1;
	scratch_init(&dir);
	memset(&seen, 0, sizeof seen);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		old[i] = dup(i + 1);
		int fd = os_file.open(scratch_path(&dir, i ? "err" : "out"), OS_CREATE);
		assert_true(fd >= 0 && dup2(fd, i + 1) >= 0);
		close(fd);
	}
	s->code = cli_main(verbs, argc, argv);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		dup2(old[i], i + 1);
		close(old[i]);
		struct buf *b = i ? &s->err : &s->out;
		buf_init(b, 1 << 20);
		assert_int_equal(file_read(&os_file, scratch_path(&dir, i ? "err" : "out"), b, &e), 0);
	}
	scratch_free(&dir);
}

static void unsay(struct said *s)
{
	buf_free(&s->out);
	buf_free(&s->err);
}

static void options_and_words_in_any_order(void **state)
{
	struct said s;
	(void)state;
	say(&s, "scan|a|--rules|x|-r|y|--config=z|--at|2026-01-31T12:00:00Z|--json|--threads|8|--|--b");
	assert_int_equal(s.code, ERR_FINDINGS);
	assert_int_equal(seen.argc, 2);
	assert_string_equal(seen.first, "a");
	assert_int_equal(seen.n_rules, 2);
	assert_string_equal(seen.rules[0], "x");
	assert_string_equal(seen.rules[1], "y");
	assert_string_equal(seen.config, "z");
	assert_true(seen.json && seen.at);
	assert_int_equal(seen.now, INT64_C(1769860800) * US_SECOND);
	assert_int_equal(seen.number, 8);
	unsay(&s);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *text;
		int calls;
	} wrong[] = {
		{"scan", "usage: evmend scan [options] PATH...", 0},
		{"scan|a|--rulse|x", "unknown option --rulse; did you mean --rules?", 0},
		{"scan|a|--nothing-like-it", "unknown option --nothing-like-it\n", 0},
		{"scan|a|--rules", "--rules needs a value: --rules DIR", 0},
		{"scan|a|--json=1", "--json takes no value", 0},
		{"scan|a|--at|yesterday", "--at 'yesterday' is not a time", 0},
		{"scan|a|--threads|0", "--threads '0' must be a whole number from 1 to 64", 1},
		{"scan|a|--threads|8x", "--threads '8x' must be a whole number from 1 to 64", 1},
		{"repair|a|b", "more words than it takes", 0},
		{"repair|a|--at|2026-01-01", "--at sets the clock only for scan, rules and check", 0},
		{"scna|a", "'scna' is no verb; did you mean 'scan'?", 0},
		{"rolf", "'rolf' is no verb; evmend help lists them", 0}, /* hidden verbs are never proposed */
		{"help|scna", "'scna' is no verb", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct said s;
		say(&s, wrong[i].line);
		assert_int_equal(s.code, ERR_USAGE);
		if (!strstr(buf_text(&s.err), wrong[i].text))
			fail_msg("%s said: %s", wrong[i].line, buf_text(&s.err));
		assert_int_equal(seen.calls, wrong[i].calls);
		assert_int_equal(s.out.n, 0);
		unsay(&s);
	}
}

static void errors_are_json_as_well(void **state)
{
	struct said s;
	(void)state;
	say(&s, "scan|--json");
	assert_int_equal(s.code, ERR_USAGE);
	assert_string_equal(buf_text(&s.out),
		"{\"v\":1,\"kind\":\"error\",\"code\":3,\"text\":\"something is missing; usage: evmend scan [options] PATH...\"}\n");
	unsay(&s);
}

static void tables_are_aligned_and_clean(void **state)
{
	struct said s;
	(void)state;
	say(&s, "scan|a");
	assert_int_equal(s.code, ERR_NONE);
	assert_string_equal(buf_text(&s.out), "host     what\nEX1?[2J  one\n\xc3\xbc" "ber     two\n");
	unsay(&s);
}

static void help_comes_from_the_tables(void **state)
{
	struct said s;
	(void)state;
	say(&s, "scan|--help");
	assert_int_equal(s.code, ERR_NONE);
	assert_int_equal(seen.calls, 0);
	assert_non_null(strstr(buf_text(&s.out), "-r, --rules DIR"));
	assert_non_null(strstr(buf_text(&s.out), "--at TIME"));
	assert_non_null(strstr(buf_text(&s.out), "Example\n  evmend scan a\n  evmend scan b\n"));
	unsay(&s);
	say(&s, "help|repair");
	assert_null(strstr(buf_text(&s.out), "--at TIME"));
	unsay(&s);
	say(&s, "help");
	assert_int_equal(s.code, ERR_NONE);
	assert_non_null(strstr(buf_text(&s.out), "repair"));
	assert_null(strstr(buf_text(&s.out), "role"));
	unsay(&s);
	say(&s, "");
	assert_int_equal(s.code, ERR_USAGE);
	unsay(&s);
}

static void a_raw_verb_gets_every_word(void **state)
{
	struct said s;
	(void)state;
	say(&s, "role|--rulse|x");
	assert_int_equal(s.code, ERR_NONE);
	assert_int_equal(seen.argc, 2);
	assert_string_equal(seen.first, "--rulse");
	unsay(&s);
}

static void version_names_the_libraries(void **state)
{
	struct said s;
	(void)state;
	say(&s, "--version");
	assert_int_equal(s.code, ERR_NONE);
	static const char *const names[] = {"evmend ", "libxml2 ", "libyaml ", "jansson ", "OpenSSL ", "SQLite ", "zlib ", "liblzma "};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(strstr(buf_text(&s.out), names[i]));
	unsay(&s);
}

static void clean_takes_control_out(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	cli_clean(&b, "a\033]0;x\a\r\n\xc2\x9b\xff\xe2\x80\xae\xe2\x82\xac", false);
	assert_string_equal(buf_text(&b), "a?]0;x????\xef\xbf\xbd?\xe2\x82\xac");
	buf_reset(&b);
	cli_clean(&b, "a\n\tb\r", true);
	assert_string_equal(buf_text(&b), "a\n\tb?");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_words_in_any_order),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(errors_are_json_as_well),
		cmocka_unit_test(tables_are_aligned_and_clean),
		cmocka_unit_test(help_comes_from_the_tables),
		cmocka_unit_test(a_raw_verb_gets_every_word),
		cmocka_unit_test(version_names_the_libraries),
		cmocka_unit_test(clean_takes_control_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
