/* rules_verbs.c - `evmend rules WORD`: which word does what.
 *
 * Promises: each word has a file of its own. Refuses: words that it does not know, by the nearest one. */
#include <string.h>

#include "base/text.h"
#include "cli/rules_check.h"
#include "cli/rules_cost.h"
#include "cli/rules_coverage.h"
#include "cli/rules_explain.h"
#include "cli/rules_home.h"
#include "cli/rules_list.h"
#include "cli/rules_test.h"
#include "cli/rules_tune.h"
#include "cli/verbs.h"

/* Options that not every word takes; those that are not here, all take. */
static const struct {
	const char *option, *words;
} owners[] = {
	{"--tag", "list"}, {"--level", "list"}, {"--product", "list"}, {"--category", "list"}, {"--service", "list"}, {"--status", "list"},
	{"--kind", "list"}, {"--event", "explain"}, {"--junit", "test"}, {"--strict", "check"}, {"--sarif", "check"},
	{"--all", "explain, cost and coverage"}, {"--host", "coverage"}, {"--false", "tune"}, {"--true", "tune"}, {"--marks", "tune"},
	{"--events", "tune"},
};

/* 0, or the exit code: an option that the word does not have would be lost without a sound. */
static int check_options(struct cli *c, const char *word, int argc)
{
	for (size_t i = 0; i < c->n_given; i++)
		for (size_t k = 0; k < sizeof owners / sizeof *owners; k++)
			if (strcmp(c->given[i].option->name, owners[k].option) == 0 && !strstr(owners[k].words, word))
				return cli_usage(c, "%s is an option of rules %s; rules %s has none of that name", owners[k].option, owners[k].words, word);
	if (strcmp(word, "check") == 0 && argc > 1 && cli_has(c, "--rules"))
		return cli_usage(c, "check takes --rules or PATHs, not both; all PATHs are checked together, so write: evmend rules check %s ...",
			cli_value(c, "--rules", ""));
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const char *const words[] = {"list", "check", "explain", "test", "cost", "coverage", "tune", NULL};
	struct arena *a = arena_new(1u << 14);
	const char *word = argv[0], *near;
	int code = 0;

	for (size_t i = 0; words[i] && !code; i++)
		if (strcmp(word, words[i]) == 0)
			code = check_options(c, word, argc);
	if (code) { /* told */
	} else if (strcmp(word, "list") == 0 && argc == 1)
		code = rules_list(c, a);
	else if (strcmp(word, "check") == 0)
		code = rules_check(c, a, argc - 1, argv + 1);
	else if (strcmp(word, "explain") == 0)
		code = argc == 2 ? rules_explain(c, a, argv[1]) : cli_usage(c, "explain takes the id, name, title or file of one rule");
	else if (strcmp(word, "test") == 0 && argc <= 2)
		code = rules_test(c, a, argv[1]);
	else if (strcmp(word, "cost") == 0)
		code = rules_cost(c, a, argc - 1, argv + 1);
	else if (strcmp(word, "coverage") == 0)
		code = rules_coverage(c, a, argc - 1, argv + 1);
	else if (strcmp(word, "tune") == 0 && argc == 2)
		code = rules_tune(c, a, argv[1]);
	else if ((near = text_nearest(word, words)) && strcmp(near, word) != 0)
		code = cli_usage(c, "unknown word '%s'; did you mean '%s'?", word, near);
	else
		code = cli_usage(c, "write list, check [PATH...], explain RULE [--event FILE], test [DIR], cost FILE..., coverage FILE..., or "
			"tune RULE --false FILE");
	arena_free(a);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_RULES, CLI_OPTION_TABLES,
	{"--tag", 0, CLI_VALUE, "TAG", "list: with this tag or one below it (attack.t1059); may be repeated"},
	{"--level", 0, CLI_VALUE, "LEVEL", "list: of this level or above"},
	{"--product", 0, CLI_VALUE, "NAME", "list: of this logsource product"},
	{"--category", 0, CLI_VALUE, "NAME", "list: of this logsource category"},
	{"--service", 0, CLI_VALUE, "NAME", "list: of this logsource service"},
	{"--status", 0, CLI_VALUE, "STATUS", "list: stable, test, experimental ..."},
	{"--kind", 0, CLI_VALUE, "KIND", "list: detection or correlation"},
	{"--event", 0, CLI_VALUE, "FILE", "explain: the events to try the rule on"},
	{"--junit", 0, CLI_VALUE, "FILE", "test: also write the results as JUnit XML"},
	{"--strict", 0, CLI_FLAG, NULL, "check: warnings count as errors do (exit code 2)"},
	{"--sarif", 0, CLI_FLAG, NULL, "check: one SARIF 2.1.0 document, for code scanning"},
	{"--all", 0, CLI_FLAG, NULL, "explain: also events that do not hold; cost: every rule; coverage: every host and every rule"},
	{"--host", 0, CLI_VALUE, "NAME", "coverage: this host alone, with every rule"},
	{"--false", 0, CLI_VALUE, "WHAT", "tune: false findings, by uid, as a file of findings, or a file of events; may be repeated"},
	{"--true", 0, CLI_VALUE, "WHAT", "tune: findings that must stay, in the same ways; without it all that are not false must"},
	{"--marks", 0, CLI_VALUE, "FILE", "tune: findings, each with a member \"mark\": \"false\" or \"true\""},
	{"--events", 0, CLI_VALUE, "PATH", "tune: where the events of findings are that are named by uid; may be repeated"},
	CLI_OPTION_END,
};

const struct cli_verb verb_rules = {
	.name = "rules", .summary = "list, check, explain and test the rules",
		.usage = "list | check [PATH...] | explain RULE [--event FILE] | test [DIR] | cost FILE... | coverage FILE... | tune RULE",
	.help = "list     the rules that are loaded; --tag, --level and the like choose\n"
		"check    every problem of every rule file, with file, line and what to write instead; exit code 2 when a rule is refused\n"
		"         (an error), with --strict also when there is a warning\n"
		"explain  what a rule says as it was understood; with --event for each event of FILE which conditions held and why. RULE is an id,\n"
		"         the beginning of one, a name, a title or a file. Of a correlation also each firing with its group and events, or which\n"
		"         group came nearest and what it lacked. Exit code 0 when no event held, 1 when one held (of a correlation: when it\n"
		"         fired), 2 when the rule is refused, 3 when there is none, 5 when the conditions contradict matching\n"
		"test     runs each rule on the events beside it: all of tests/NAME/match* must match, none of tests/NAME/nomatch*, exactly\n"
		"         N of tests/NAME/count-N*; exit code 2 when one fails, a rule is refused or has no tests, or a file or folder there looks\n"
		"         like a test and is none of any rule\n"
		"cost     how much time each rule takes on the events of FILE, and how often it holds\n"
		"coverage for each host which rules can fire with the channels, event ids and fields that it sent, and what is missing for\n"
		"         the others; FILE as for scan. Exit code 0 whatever is missing, 3 when --host sent nothing, 4 when a path could not be\n"
		"         read\n"
		"tune     prints a Sigma filter for a rule, made of findings that you mark as false; it was tried on all events that are\n"
		"         named and loses no finding marked as true; exit code 2 when there is none\n",
	.example = "evmend rules explain http-backend-endpoint-unusable --event System.xml\nevmend rules check my-rules\n"
		"evmend rules list --level high --category process_creation --tag attack.t1059\n"
		"evmend rules cost --rules sigma/rules System.xml\n"
		"evmend rules coverage /var/log/forwarded --rules sigma/rules\n"
		"evmend rules coverage /var/log/forwarded --host dc1.example.com\n"
		"evmend rules tune suspicious-service --false 5f0c1e9a77d2 --events System.xml >filters/backup-agent.yml",
	.options = options, .min_args = 1, .max_args = -1, .flags = CLI_TAKES_AT, .run = run,
};
