/* report.c - a report as a list of entries, and its form for a terminal.
 *
 * Exists so that `diagnose`, `case` and `explain` look alike, and so that a page says what the terminal says. Promises that the short
 * form leaves details out and says that it did; that lines are broken between words and stand under their label. Refuses more
 * entries than REPORT_ENTRIES: the last one then says so. */
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/report_inside.h"

#define WIDTH 100
#define LABEL 12
#define CELL 34 /* a cell that is not the last is cut here */

struct report *report_new(void)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->arena = arena_new(1u << 14);
	r->title = r->beside = "";
	return r;
}

void report_free(struct report *r)
{
	if (r == NULL)
		return;
	arena_free(r->arena);
	free(r->entries);
	free(r);
}

static const char *keep(struct report *r, const char *s)
{
	return s && *s ? arena_copy(r->arena, s, strlen(s)) : "";
}

static struct report_entry *add(struct report *r, enum report_kind kind, enum cli_colour tone)
{
	struct report_entry *at;

	if (r->n == REPORT_ENTRIES)
		return NULL;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->entries = xrealloc(r->entries, r->cap, sizeof(*r->entries));
	}
	at = &r->entries[r->n++];
	*at = (struct report_entry){.kind = kind, .tone = tone, .where = r->where, .cells = {"", "", "", ""}};
	if (r->n == REPORT_ENTRIES) {
		at->kind = REPORT_TEXT;
		at->cells[0] = "and more, which is left out here; --json has all of it";
		return NULL;
	}
	return at;
}

void report_title(struct report *r, enum cli_colour tone, const char *title, const char *beside)
{
	r->title = keep(r, title);
	r->beside = keep(r, beside);
	r->tone = tone;
}

void report_label(struct report *r, const char *label, enum report_where where)
{
	struct report_entry *at;

	r->where = where;
	at = add(r, REPORT_LABEL, CLI_BOLD);
	if (at != NULL)
		at->cells[0] = keep(r, label);
}

void report_where(struct report *r, enum report_where where)
{
	r->where = where;
}

void report_text(struct report *r, enum cli_colour tone, const char *fmt, ...)
{
	struct report_entry *at;
	char text[4000];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	at = text[0] ? add(r, REPORT_TEXT, tone) : NULL;
	if (at != NULL)
		at->cells[0] = keep(r, text);
}

void report_row(struct report *r, enum cli_colour tone, const char *a, const char *b, const char *c, const char *d)
{
	struct report_entry *at = add(r, REPORT_ROW, tone);
	const char *const cells[REPORT_CELLS] = {a, b, c, d};

	for (size_t i = 0; at != NULL && i < REPORT_CELLS; i++)
		at->cells[i] = keep(r, cells[i]);
}

void report_moment(struct report *r, enum cli_colour tone, int64_t time, const char *what, const char *text)
{
	struct report_entry *at = add(r, REPORT_MOMENT, tone);

	if (at == NULL)
		return;
	at->time = time;
	at->cells[0] = keep(r, what);
	at->cells[1] = keep(r, text);
}

/* ---- the terminal ---- */

/* Characters, not bytes: good enough for alignment, double width apart. */
static size_t width_of(const char *s, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += ((unsigned char)s[i] & 0xc0) != 0x80;
	return w;
}

/* Where a line of at most `room` characters ends: at a blank when there is one, else hard. */
static size_t line_end(const char *s, size_t room)
{
	size_t blank = 0, i = 0, w = 0;

	for (; s[i] && s[i] != '\n'; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 && ++w > room)
			return blank ? blank : i;
		if (s[i] == ' ')
			blank = i;
	}
	return i;
}

struct page {
	const struct cli *c;
	const char *label; /* to be printed with the next line; "" when done */
	size_t cells[REPORT_CELLS];
};

static void margin(struct page *p)
{
	cli_print(p->c, CLI_BOLD, "%-*s", LABEL, p->label);
	p->label = "";
}

/* Prints text from column `at` on; what does not fit continues below. */
static void flow(struct page *p, enum cli_colour tone, const char *text, size_t at)
{
	size_t room = WIDTH - LABEL - at;

	for (;;) {
		size_t n = line_end(text, room);

		cli_print(p->c, tone, "%.*s", (int)n, text);
		cli_print(p->c, CLI_PLAIN, "\n");
		text += n;
		while (*text == ' ' || *text == '\n')
			text++;
		if (*text == '\0')
			return;
		margin(p);
		cli_print(p->c, CLI_PLAIN, "%*s", (int)at, "");
	}
}

/* Widths of the cells of all rows under one label, so that they stand in columns. */
static void measure(const struct report *r, size_t from, bool full, size_t cells[REPORT_CELLS])
{
	memset(cells, 0, REPORT_CELLS * sizeof(cells[0]));
	for (size_t i = from; i < r->n && r->entries[i].kind != REPORT_LABEL; i++) {
		const struct report_entry *at = &r->entries[i];

		if (at->kind != REPORT_ROW || at->where == (full ? REPORT_SHORT : REPORT_DETAIL))
			continue;
		for (size_t k = 0; k < REPORT_CELLS; k++) {
			size_t w = width_of(at->cells[k], strlen(at->cells[k]));

			if (w > cells[k])
				cells[k] = w < CELL ? w : CELL;
		}
	}
}

static void print_row(struct page *p, const struct report_entry *at)
{
	size_t last = 0, column = 0;

	for (size_t k = 0; k < REPORT_CELLS; k++)
		if (at->cells[k][0])
			last = k;
	margin(p);
	for (size_t k = 0; k < last; k++) {
		size_t n = line_end(at->cells[k], CELL), w = width_of(at->cells[k], n);

		if (p->cells[k] == 0)
			continue;
		cli_print(p->c, at->tone, "%.*s%*s  ", (int)n, at->cells[k], (int)(p->cells[k] > w ? p->cells[k] - w : 0), "");
		column += p->cells[k] + 2;
	}
	flow(p, at->tone, at->cells[last], column);
}

static void print_moment(struct page *p, const struct report_entry *at)
{
	char when[32] = "", head[80];

	if (at->time)
		time_text(at->time, when);
	when[19] = '\0'; /* seconds will do */
	(void)snprintf(head, sizeof(head), "%s  %s", when, at->cells[0]);
	margin(p);
	cli_print(p->c, CLI_PLAIN, "%-34s  ", head);
	flow(p, at->tone, at->cells[1], width_of(head, strlen(head)) > 34 ? width_of(head, strlen(head)) + 2 : 36);
}

void report_print(const struct cli *c, const struct report *r, bool full)
{
	struct page p = {.c = c, .label = ""};
	bool left_out = false;

	cli_print(c, r->tone, "%s", r->title);
	cli_print(c, CLI_DIM, "%s%s\n", r->beside[0] ? (strlen(r->title) + strlen(r->beside) < WIDTH ? "  " : "\n            ") : "",
		r->beside);
	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *at = &r->entries[i];

		if (at->where == (full ? REPORT_SHORT : REPORT_DETAIL)) {
			left_out = left_out || !full;
			continue;
		}
		if (at->kind == REPORT_LABEL) {
			p.label = at->cells[0];
			measure(r, i + 1, full, p.cells);
		} else if (at->kind == REPORT_TEXT) {
			margin(&p);
			flow(&p, at->tone, at->cells[0], 0);
		} else if (at->kind == REPORT_ROW) {
			print_row(&p, at);
		} else {
			print_moment(&p, at);
		}
	}
	if (left_out && c->out_tty)
		cli_print(c, CLI_DIM, "%*s--full shows everything, --html FILE writes a page\n", LABEL, "");
}

int report_show(struct cli *c, const struct report *r, struct err *e)
{
	const char *path = cli_value(c, "--html", NULL);

	if (path == NULL) {
		report_print(c, r, cli_has(c, "--full"));
		return 0;
	}
	if (report_html(r, path, e) < 0)
		return -1;
	cli_note(c, "the page is in %s", path);
	return 0;
}
