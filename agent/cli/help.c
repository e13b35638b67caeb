/* help.c - the help of the program and of each verb, written from the same tables that the parser reads.
 *
 * Promises that what it shows is what is accepted. Refuses a word that is no verb. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_options(const struct cli *c, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		char left[64];
		char letter[8] = "    ";
		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		snprintf(left, sizeof left, "%s%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
		cli_print(c, CLI_PLAIN, "  %-26s %s\n", left, o->help);
	}
}

static void print_example(const struct cli *c, const char *text)
{
	cli_print(c, CLI_BOLD, "\nExample\n");
	while (*text) {
		size_t n = strcspn(text, "\n");
		cli_print(c, CLI_PLAIN, "  %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

int cli_help(const struct cli *c, const struct cli_verb *v)
{
	cli_print(c, CLI_BOLD, "evmend %s %s\n", v->name, v->usage ? v->usage : "");
	cli_print(c, CLI_PLAIN, "%s\n", v->summary);
	if (v->help)
		cli_print(c, CLI_PLAIN, "\n%s", v->help);
	cli_print(c, CLI_BOLD, "\nOptions\n");
	print_options(c, v->options);
	if (v->flags & CLI_TAKES_AT)
		print_options(c, cli_at);
	print_options(c, cli_common);
	if (v->example)
		print_example(c, v->example);
	return ERR_NONE;
}

static int help_all(const struct cli *c)
{
	cli_print(c, CLI_PLAIN, "evmend reads Windows event logs, names the root cause, and can repair and prove the repair.\n\n");
	cli_print(c, CLI_BOLD, "evmend VERB [options]\n");
	for (const struct cli_verb *const *v = c->verbs; *v; v++)
		if (!((*v)->flags & CLI_HIDDEN))
			cli_print(c, CLI_PLAIN, "  %-10s %s\n", (*v)->name, (*v)->summary);
	cli_print(c, CLI_PLAIN, "\nevmend VERB --help shows a verb's options and an example.\n"
		"Exit codes: 0 clean or done, 1 findings, 2 rules, 3 configuration or usage, 4 host or input/output,\n"
		"5 internal, 6 refused by policy, 7 repair failed and rolled back, 8 repair failed and a person is needed.\n");
	return ERR_NONE;
}

static int run(struct cli *c, int argc, char **argv)
{
	if (argc < 1)
		return help_all(c);
	for (const struct cli_verb *const *v = c->verbs; *v; v++)
		if (!strcmp((*v)->name, argv[0]))
			return cli_help(c, *v);
	return cli_usage(c, "'%s' is no verb", argv[0]);
}

const struct cli_verb verb_help = {
	.name = "help", .summary = "this list, or the help of one verb", .usage = "[VERB]",
	.help = "The same text as evmend VERB --help.\n", .example = "evmend help scan",
	.max_args = 1, .run = run,
};
