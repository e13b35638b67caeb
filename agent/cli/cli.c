/* cli.c - from the command line to a verb: one table of verbs, one table of options for each, one parser.
 *
 * Promises that an option means what the verb's table says or is an error with the nearest name, and that the exit code is an
 * enum err_code. Refuses --at where it would let a clock be faked for something that acts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

const struct cli_option cli_common[] = {
	{"--json", 0, CLI_FLAG, NULL, "write JSON for programs"},
	{"--quiet", 'q', CLI_FLAG, NULL, "no remarks and no progress bar"},
	{"--no-colour", 0, CLI_FLAG, NULL, "no colours (NO_COLOR does the same)"},
	{"--help", 'h', CLI_FLAG, NULL, "this text"},
	CLI_OPTION_END,
};
const struct cli_option cli_at[] = {
	{"--at", 0, CLI_VALUE, "TIME", "the time that it shall be, 2026-01-31T12:00:00Z"},
	CLI_OPTION_END,
};

#define NAMES 96 /* options of one verb, or verbs, for "did you mean" */

static const struct cli_option *find_in(const struct cli_option *list, const char *name, size_t n)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == n && !memcmp(list->name, name, n))
			return list;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_option *list, char letter)
{
	for (; list && list->name; list++)
		if (list->letter == letter)
			return list;
	return NULL;
}

static const struct cli_option *find_option(const struct cli_verb *v, const char *word, size_t n)
{
	const struct cli_option *o;
	if (n == 2 && word[1] != '-') {
		o = find_letter(v->options, word[1]);
		return o ? o : find_letter(cli_common, word[1]);
	}
	o = find_in(v->options, word, n);
	if (!o && (v->flags & CLI_TAKES_AT))
		o = find_in(cli_at, word, n);
	return o ? o : find_in(cli_common, word, n);
}

static int unknown_option(struct cli *c, const char *word, size_t n)
{
	const struct cli_verb *v = c->verb;
	char name[64];
	text_copy(name, n + 1 < sizeof name ? n + 1 : sizeof name, word);
	if (!strcmp(name, "--at"))
		return cli_usage(c, "--at sets the clock only for scan, rules and check; %s works in real time", v->name);
	const char *names[NAMES + 1];
	size_t k = 0;
	for (const struct cli_option *o = v->options; o && o->name && k < NAMES - 8; o++)
		names[k++] = o->name;
	for (const struct cli_option *o = cli_common; o->name; o++)
		names[k++] = o->name;
	if (v->flags & CLI_TAKES_AT)
		names[k++] = cli_at->name;
	names[k] = NULL;
	const char *near = n > 2 ? text_nearest(name, names) : NULL;
	if (near)
		return cli_usage(c, "unknown option %s; did you mean %s?", name, near);
	return cli_usage(c, "unknown option %s", name);
}

/* Takes the option at argv[*i] and its value. 0, or the exit code. */
static int take_option(struct cli *c, int argc, char **argv, int *i)
{
	const char *word = argv[*i];
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	const struct cli_option *o = find_option(c->verb, word, n);
	if (!o)
		return unknown_option(c, word, n);
	if (c->n_given == CLI_GIVEN)
		return cli_usage(c, "more than %d options", CLI_GIVEN);
	const char *value = NULL;
	if (o->kind == CLI_FLAG && equals)
		return cli_usage(c, "%s takes no value", o->name);
	if (o->kind == CLI_VALUE) {
		if (!equals && *i + 1 >= argc)
			return cli_usage(c, "%s needs a value: %s %s", o->name, o->name, o->value);
		value = equals ? equals + 1 : argv[++*i];
	}
	c->given[c->n_given++] = (struct cli_given){o, value};
	return 0;
}

static int apply_common(struct cli *c)
{
	c->json = cli_has(c, "--json");
	c->quiet = cli_has(c, "--quiet");
	if (cli_has(c, "--no-colour"))
		c->colour = false;
	const char *at = cli_value(c, "--at", NULL);
	if (at) {
		int64_t us;
		if (!time_parse(at, strlen(at), &us))
			return cli_usage(c, "--at '%s' is not a time; write 2026-01-31T12:00:00Z", at);
		c->clock = clock_fixed(us);
		c->at_given = true;
	}
	return 0;
}

static int check_words(struct cli *c, int n)
{
	const struct cli_verb *v = c->verb;
	if (n < v->min_args)
		return cli_usage(c, "something is missing; usage: evmend %s %s", v->name, v->usage);
	if (v->max_args >= 0 && n > v->max_args)
		return cli_usage(c, "more words than it takes; usage: evmend %s %s", v->name, v->usage);
	return 0;
}

static int run_verb(struct cli *c, int argc, char **argv)
{
	if (c->verb->flags & CLI_RAW)
		return c->verb->run(c, argc, argv);
	char **words = xcalloc((size_t)argc + 1, sizeof *words);
	int n = 0, code = 0;
	bool options = true;
	for (int i = 0; i < argc && !code; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			code = take_option(c, argc, argv, &i);
		else
			words[n++] = argv[i];
	}
	if (!code && cli_has(c, "--help")) {
		free(words);
		return cli_help(c, c->verb);
	}
	if (!code)
		code = apply_common(c);
	if (!code)
		code = check_words(c, n);
	if (!code)
		code = c->verb->run(c, n, words);
	free(words);
	return code;
}

static const struct cli_verb *find_verb(const struct cli_verb *const *verbs, const char *name)
{
	for (; *verbs; verbs++)
		if (!strcmp((*verbs)->name, name))
			return *verbs;
	return NULL;
}

static int unknown_verb(struct cli *c, const char *word)
{
	const char *names[NAMES + 1];
	size_t k = 0;
	for (const struct cli_verb *const *v = c->verbs; *v && k < NAMES; v++)
		if (!((*v)->flags & CLI_HIDDEN))
			names[k++] = (*v)->name;
	names[k] = NULL;
	const char *near = text_nearest(word, names);
	struct err e;
	if (near)
		err_set(&e, ERR_USAGE, "'%s' is no verb; did you mean '%s'?", word, near);
	else
		err_set(&e, ERR_USAGE, "'%s' is no verb; evmend help lists them", word);
	return cli_fail(c, &e);
}

static void set_up(struct cli *c, const struct cli_verb *const *verbs, const char *program)
{
	memset(c, 0, sizeof *c);
	c->verbs = verbs;
	c->program = program;
	c->clock = clock_real();
	c->out_tty = isatty(1);
	c->err_tty = isatty(2);
	const char *no = getenv("NO_COLOR");
	c->colour = c->out_tty && !(no && *no);
	c->log = (struct log){.clock = &c->clock, .role = "evmend", .level = LOG_WARN, .fd = 2};
	const char *level = getenv("EVMEND_LOG");
	if (level && *level && !log_level_parse(level, &c->log.level))
		cli_note(c, "EVMEND_LOG=%s is no level; error, warn, info and debug are", level);
}

/* What was printed counts only when it reached the other side. */
static int finish(struct cli *c, int code)
{
	cli_progress_end(c);
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	struct err e;
	err_set(&e, ERR_IO, "standard output cannot be written; what was printed is not complete");
	c->json = false;
	return cli_fail(c, &e);
}

int cli_main(const struct cli_verb *const *verbs, int argc, char **argv)
{
	struct cli c;
	set_up(&c, verbs, argc > 0 ? argv[0] : "evmend");
	if (argc < 2) {
		verb_help.run(&c, 0, argv);
		return finish(&c, ERR_USAGE);
	}
	const char *word = argv[1];
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		word = "help";
	else if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		word = "version";
	c.verb = find_verb(verbs, word);
	if (!c.verb)
		return finish(&c, unknown_verb(&c, word));
	return finish(&c, run_verb(&c, argc - 2, argv + 2));
}

bool cli_has(const struct cli *c, const char *name)
{
	return cli_values(c, name, NULL, 0) > 0;
}

const char *cli_value(const struct cli *c, const char *name, const char *otherwise)
{
	for (size_t i = c->n_given; i-- > 0;)
		if (!strcmp(c->given[i].option->name, name))
			return c->given[i].value;
	return otherwise;
}

size_t cli_values(const struct cli *c, const char *name, const char **to, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_given; i++) {
		if (strcmp(c->given[i].option->name, name))
			continue;
		if (n < max)
			to[n] = c->given[i].value;
		n++;
	}
	return n;
}

int cli_number(const struct cli *c, const char *name, int64_t min, int64_t max, int64_t *to, struct err *e)
{
	const char *s = cli_value(c, name, NULL);
	int64_t v;
	if (!s)
		return 0;
	if (!text_int(s, strlen(s), &v) || v < min || v > max)
		return err_set(e, ERR_USAGE, "%s '%s' must be a whole number from %lld to %lld", name, s, (long long)min, (long long)max);
	*to = v;
	return 0;
}

int cli_time(const struct cli *c, const char *name, int64_t *to, struct err *e)
{
	const char *s = cli_value(c, name, NULL);
	int64_t v;
	if (!s)
		return 0;
	if (!time_parse(s, strlen(s), &v))
		return err_set(e, ERR_USAGE, "%s '%s' is not a time; write 2026-01-31T12:00:00Z or 2026-01-31", name, s);
	*to = v;
	return 0;
}
