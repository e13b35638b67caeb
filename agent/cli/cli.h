/* cli.h - what every verb shares: its row in the verb table, its options, how it prints and how it ends.
 *
 * A verb is one `const struct cli_verb verb_NAME` in its own file, declared in cli/verbs.h and listed in main.c:
 *
 *	static const struct cli_option options[] = {
 *		{"--rules", 'r', CLI_VALUE, "DIR", "rules instead of the built-in set; may be repeated"},
 *		{"--verify", 0, CLI_FLAG, NULL, "also check the signatures"},
 *		{NULL, 0, CLI_FLAG, NULL, NULL},
 *	};
 *	const struct cli_verb verb_scan = {
 *		.name = "scan", .summary = "find causes in event logs", .usage = "[options] PATH...",
 *		.help = "What it does in some lines.\n", .example = "evmend scan logs",
 *		.options = options, .min_args = 1, .max_args = -1, .flags = CLI_TAKES_AT, .run = run};
 *
 * run gets the words that are no options (argv[0] is the first of them, argv[argc] is NULL) and returns an enum err_code, the
 * exit code of the program. --json, --help, --quiet and --no-colour are every verb's; -c FILE (--config) is listed by verbs that
 * read it as CLI_OPTION_CONFIG; --at TIME is parsed into c->clock for verbs with CLI_TAKES_AT and refused with a reason elsewhere.
 * Everything that came from outside goes through cli_clean (cells of a table do so themselves). */
#ifndef EVMEND_CLI_CLI_H
#define EVMEND_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/version.h"

#define CLI_GIVEN 128 /* options on one command line */

enum cli_kind { CLI_FLAG, CLI_VALUE };

struct cli_option {
	const char *name; /* with its dashes, "--rules"; NULL ends the list */
	char letter;      /* 'r' for -r; 0: none */
	enum cli_kind kind;
	const char *value; /* what stands for the value in the help, "DIR"; NULL for a flag */
	const char *help;
};

#define CLI_OPTION_CONFIG {"--config", 'c', CLI_VALUE, "FILE", "the configuration of the agent"}
#define CLI_OPTION_END {NULL, 0, CLI_FLAG, NULL, NULL}

enum cli_verb_flags {
	CLI_TAKES_AT = 1, /* --at TIME sets c->clock */
	CLI_HIDDEN = 2,   /* not in the help: started by the program itself */
	CLI_RAW = 4,      /* no option parsing; run gets every word */
};

struct cli;

struct cli_verb {
	const char *name, *summary;
	const char *usage;   /* behind "evmend NAME", "[options] PATH..." */
	const char *help;    /* paragraphs, each line ends with a newline */
	const char *example; /* one command or several, with a newline between */
	const struct cli_option *options; /* NULL: none of its own */
	int min_args, max_args;           /* words that are no options; -1: any number */
	unsigned flags;
	int (*run)(struct cli *c, int argc, char **argv);
};

struct cli_given {
	const struct cli_option *option;
	const char *value;
};

struct cli {
	const struct cli_verb *verb;
	const struct cli_verb *const *verbs; /* ends with NULL; for help */
	const char *program;                 /* argv[0] */
	bool json, quiet;
	bool out_tty, err_tty, colour;       /* colour: a terminal, and NO_COLOR is not set */
	bool at_given;
	struct clock clock; /* the real one, or --at's */
	struct log log;     /* to stderr, role "evmend", level from EVMEND_LOG (default warn) */
	struct cli_given given[CLI_GIVEN];
	size_t n_given;
	int64_t progress_drawn; /* monotonic us; 0: no bar stands on the terminal */
};

/* The whole program: finds the verb, parses, runs. argv[0] is the program. Returns the exit code. */
int cli_main(const struct cli_verb *const *verbs, int argc, char **argv);

/* Options of this command line. The name is the long one. */
bool cli_has(const struct cli *c, const char *name);
const char *cli_value(const struct cli *c, const char *name, const char *otherwise); /* the last one given */
size_t cli_values(const struct cli *c, const char *name, const char **to, size_t max); /* repeated ones in order; how many */
/* A whole number in [min, max]; -1 and *e otherwise. Not given: *to is left. */
int cli_number(const struct cli *c, const char *name, int64_t min, int64_t max, int64_t *to, struct err *e);
int cli_time(const struct cli *c, const char *name, int64_t *to, struct err *e); /* a time; not given: *to is left */

/* Says what went wrong ("evmend VERB: TEXT" on stderr; with --json one {"v":1,"kind":"error",...} line on stdout as well) and returns
 * the exit code. cli_usage adds where to find help and returns ERR_USAGE. */
int cli_fail(struct cli *c, const struct err *e);
int cli_usage(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A remark on stderr that is no failure; silent with --quiet. */
void cli_note(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for what --quiet must not hide: the answer is less than it seems. */
#define PLURAL(n) ((n) == 1 ? "" : "s")
void cli_warn(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BLUE, CLI_DIM };

const char *cli_colour(const struct cli *c, enum cli_colour which); /* escape sequence, "" without colour */
/* Bytes for a terminal: control characters become '?', invalid UTF-8 U+FFFD. Newlines stay only when lines is set. */
void cli_clean(struct buf *to, const char *s, bool lines);
/* Text inside HTML or XML: & < > and quotes become references, control characters blanks, invalid UTF-8 U+FFFD. */
void cli_markup(struct buf *to, const char *s, bool lines);
/* Text in a colour on stdout, cleaned, newlines kept. */
void cli_print(const struct cli *c, enum cli_colour which, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A table with aligned columns. Cells are copied and cleaned; NULL cells are "". The last column is not padded. */
struct cli_table;
struct cli_table *cli_table_new(const char *const *headings); /* ends with NULL; at most 16 columns */
void cli_table_row(struct cli_table *t, const char *first, ...) __attribute__((sentinel)); /* as many cells as headings, then (char *)NULL */
void cli_table_colour(struct cli_table *t, enum cli_colour which); /* of the row added last */
void cli_table_end(const struct cli *c, struct cli_table *t); /* prints on stdout and frees */

/* A bar on stderr when that is a terminal, at most ten times a second; total 0: unknown. Goes away with cli_progress_end, which
 * must be called before anything else is printed. */
void cli_progress(struct cli *c, uint64_t done, uint64_t total, const char *what);
void cli_progress_end(struct cli *c);

/* The help of one verb on stdout; 0. */
int cli_help(const struct cli *c, const struct cli_verb *v);
extern const struct cli_option cli_common[], cli_at[]; /* every verb's; --at of verbs with CLI_TAKES_AT */
extern const struct cli_verb verb_help, verb_version;

#endif
