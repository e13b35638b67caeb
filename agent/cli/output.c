/* output.c - how verbs print: colours, tables, the progress bar, errors.
 *
 * Promises that bytes from outside cannot drive a terminal, that colours and bars go to terminals only, and that an error is told
 * once, as a sentence. Refuses nothing; what cannot be written is noticed when the program ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"

#define TEXT_MAX (1u << 20)
#define COLUMNS 16
#define BAR_EVERY (100 * (US_SECOND / 1000))
#define BAR_WIDTH 24

void cli_clean(struct buf *to, const char *s, bool lines)
{
	size_t n = s ? strlen(s) : 0;
	while (n) {
		uint32_t cp = 0;
		size_t step = utf8_step(s, n, &cp);
		bool control = step && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069));
		if (!step)
			buf_str(to, "\xef\xbf\xbd");
		else if (control && lines && (cp == '\n' || cp == '\t'))
			buf_char(to, (char)cp);
		else if (control)
			buf_char(to, '?');
		else
			buf_add(to, s, step);
		step = step ? step : 1;
		s += step;
		n -= step;
	}
}

const char *cli_colour(const struct cli *c, enum cli_colour which)
{
	static const char *const escapes[] = {"\033[0m", "\033[1m", "\033[31m", "\033[32m", "\033[33m", "\033[34m", "\033[2m"};
	return c->colour ? escapes[which] : "";
}

static void __attribute__((format(printf, 2, 0))) clean_v(struct buf *to, const char *fmt, va_list ap)
{
	char line[2048];
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof line) {
		cli_clean(to, line, true);
	} else if (n >= 0 && n < (int)TEXT_MAX) {
		char *big = xcalloc((size_t)n + 1, 1);
		vsnprintf(big, (size_t)n + 1, fmt, again);
		cli_clean(to, big, true);
		free(big);
	}
	va_end(again);
}

void cli_print(const struct cli *c, enum cli_colour which, const char *fmt, ...)
{
	struct buf b;
	va_list ap;
	buf_init(&b, 4 * TEXT_MAX);
	va_start(ap, fmt);
	clean_v(&b, fmt, ap);
	va_end(ap);
	bool colour = c->colour && which != CLI_PLAIN;
	if (colour)
		fputs(cli_colour(c, which), stdout);
	fwrite(buf_text(&b), 1, b.n, stdout);
	if (colour)
		fputs(cli_colour(c, CLI_PLAIN), stdout);
	buf_free(&b);
}

/* The sentence on stderr; in JSON also one line on stdout, so that a program reads one stream. */
static int tell(struct cli *c, enum err_code code, const char *text)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	cli_progress_end(c);
	fflush(stdout);
	cli_clean(&b, text, false);
	fprintf(stderr, "evmend%s%s: %s\n", c->verb ? " " : "", c->verb ? c->verb->name : "", buf_text(&b));
	if (c->json || cli_has(c, "--json")) {
		struct json_out o;
		buf_reset(&b);
		json_begin(&o, &b);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_str(&o, "kind", "error");
		json_put_int(&o, "code", code);
		json_put_str(&o, "text", text);
		json_close(&o, '}');
		printf("%s\n", buf_text(&b));
	}
	buf_free(&b);
	return (int)code;
}

int cli_fail(struct cli *c, const struct err *e)
{
	return tell(c, e->code ? e->code : ERR_INTERNAL, e->text);
}

int cli_usage(struct cli *c, const char *fmt, ...)
{
	char text[480];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	int code = tell(c, ERR_USAGE, text);
	if (c->verb && !c->quiet)
		fprintf(stderr, "evmend %s --help shows its options and an example\n", c->verb->name);
	return code;
}

static void __attribute__((format(printf, 2, 0))) remark(struct cli *c, const char *fmt, va_list ap)
{
	struct buf b;

	buf_init(&b, TEXT_MAX);
	clean_v(&b, fmt, ap);
	cli_progress_end(c);
	fprintf(stderr, "%s\n", buf_text(&b));
	buf_free(&b);
}

void cli_note(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!c->quiet)
		remark(c, fmt, ap);
	va_end(ap);
}

void cli_warn(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remark(c, fmt, ap);
	va_end(ap);
}

struct cli_table {
	size_t columns, n;
	char ***rows; /* rows[0]: headings */
	enum cli_colour *colours;
};

static char *cell(const char *s)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	cli_clean(&b, s, false);
	char *copy = xstrdup(buf_text(&b));
	buf_free(&b);
	return copy;
}

static char **add_row(struct cli_table *t)
{
	t->rows = xrealloc(t->rows, t->n + 1, sizeof *t->rows);
	t->colours = xrealloc(t->colours, t->n + 1, sizeof *t->colours);
	t->colours[t->n] = CLI_PLAIN;
	t->rows[t->n] = xcalloc(t->columns, sizeof **t->rows);
	return t->rows[t->n++];
}

struct cli_table *cli_table_new(const char *const *headings)
{
	struct cli_table *t = xcalloc(1, sizeof *t);
	while (headings[t->columns])
		t->columns++;
	if (t->columns == 0 || t->columns > COLUMNS)
		die("a table of %zu columns", t->columns);
	char **row = add_row(t);
	for (size_t i = 0; i < t->columns; i++)
		row[i] = cell(headings[i]);
	return t;
}

void cli_table_row(struct cli_table *t, const char *first, ...)
{
	char **row = add_row(t);
	va_list ap;
	row[0] = cell(first);
	va_start(ap, first);
	for (size_t i = 1; i < t->columns; i++)
		row[i] = cell(va_arg(ap, const char *));
	va_end(ap);
}

void cli_table_colour(struct cli_table *t, enum cli_colour which)
{
	t->colours[t->n - 1] = which;
}

static size_t width(const char *s)
{
	size_t w = 0;
	for (; *s; s++)
		w += ((unsigned char)*s & 0xc0) != 0x80;
	return w;
}

static void print_row(const struct cli *c, const struct cli_table *t, size_t r, const size_t *wide)
{
	enum cli_colour colour = r ? t->colours[r] : CLI_BOLD;
	if (c->colour && colour != CLI_PLAIN)
		fputs(cli_colour(c, colour), stdout);
	for (size_t i = 0; i < t->columns; i++) {
		const char *s = t->rows[r][i];
		fputs(s, stdout);
		if (i + 1 < t->columns)
			printf("%*s", (int)(wide[i] - width(s) + 2), "");
	}
	if (c->colour && colour != CLI_PLAIN)
		fputs(cli_colour(c, CLI_PLAIN), stdout);
	putchar('\n');
}

void cli_table_end(const struct cli *c, struct cli_table *t)
{
	size_t wide[COLUMNS] = {0};
	for (size_t r = 0; r < t->n; r++)
		for (size_t i = 0; i < t->columns; i++)
			if (width(t->rows[r][i]) > wide[i])
				wide[i] = width(t->rows[r][i]);
	for (size_t r = 0; r < t->n; r++) {
		print_row(c, t, r, wide);
		for (size_t i = 0; i < t->columns; i++)
			free(t->rows[r][i]);
		free(t->rows[r]);
	}
	free(t->rows);
	free(t->colours);
	free(t);
}

void cli_markup(struct buf *b, const char *s, bool lines)
{
	for (size_t n = strlen(s); n != 0;) {
		uint32_t cp = 0;
		size_t step = utf8_step(s, n, &cp);

		if (step == 0)
			buf_str(b, "\xef\xbf\xbd");
		else if (cp == '&')
			buf_str(b, "&amp;");
		else if (cp == '<')
			buf_str(b, "&lt;");
		else if (cp == '>')
			buf_str(b, "&gt;");
		else if (cp == '"')
			buf_str(b, "&quot;");
		else if (cp == '\'')
			buf_str(b, "&#39;");
		else if (cp == '\n' && lines)
			buf_char(b, '\n');
		else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069))
			buf_char(b, ' ');
		else
			buf_add(b, s, step);
		step = step ? step : 1;
		s += step;
		n -= step;
	}
}

void cli_progress(struct cli *c, uint64_t done, uint64_t total, const char *what)
{
	if (!c->err_tty || c->quiet)
		return;
	struct clock real = clock_real();
	int64_t now = clock_monotonic(&real);
	if (c->progress_drawn && now - c->progress_drawn < BAR_EVERY)
		return;
	c->progress_drawn = now ? now : 1;
	if (!total) {
		fprintf(stderr, "\r\033[K%.60s", what);
	} else {
		uint64_t full = done >= total ? BAR_WIDTH : (uint64_t)((double)done / (double)total * BAR_WIDTH);
		char bar[BAR_WIDTH + 1];
		for (unsigned i = 0; i < BAR_WIDTH; i++)
			bar[i] = i < full ? '#' : '.';
		bar[BAR_WIDTH] = 0;
		double share = done >= total ? 100.0 : 100.0 * (double)done / (double)total;
		fprintf(stderr, "\r\033[K[%s] %3.0f%% %.60s", bar, share, what);
	}
	fflush(stderr);
}

void cli_progress_end(struct cli *c)
{
	if (!c->progress_drawn)
		return;
	c->progress_drawn = 0;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
