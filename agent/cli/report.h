/* report.h - one page about a host or a case: put together once, shown on a terminal or written as a page of its own.
 *
 * A report is a title, some labelled paragraphs, rows, and moments in time. On a terminal the essential ones are shown, in at most one
 * screen; `full` shows all. As HTML all of it is shown, every value escaped, with a timeline; the page needs no other file.
 * Texts may come from anywhere: they are cleaned for a terminal, escaped for a page. */
#ifndef EVMEND_CLI_REPORT_H
#define EVMEND_CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

struct report;

struct report *report_new(void);
void report_free(struct report *r); /* NULL allowed */

/* The first line, and the small print beside it. Once. */
void report_title(struct report *r, enum cli_colour tone, const char *title, const char *beside);
enum report_where {
	REPORT_ALWAYS,
	REPORT_DETAIL, /* only `full` and a page show it */
	REPORT_SHORT,  /* only the short form does: "and 3 more" */
};

/* What follows stands under this label, until the next one. */
void report_label(struct report *r, const char *label, enum report_where where);
void report_where(struct report *r, enum report_where where); /* of what follows under the same label */
/* A paragraph; empty ones are left out. */
void report_text(struct report *r, enum cli_colour tone, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A row of up to four cells, aligned with its neighbours under the label. NULL cells are "". */
void report_row(struct report *r, enum cli_colour tone, const char *a, const char *b, const char *c, const char *d);
/* Something that happened. A page draws these as one timeline, oldest first. */
void report_moment(struct report *r, enum cli_colour tone, int64_t time, const char *what, const char *text);

#define CLI_OPTIONS_REPORT {"--full", 0, CLI_FLAG, NULL, "everything, not only what fits a screen"}, \
	{"--html", 0, CLI_VALUE, "FILE", "write a page that needs no other file"}

/* As the options above say: on the terminal, or as a page with one remark about where it is. -1 and *e: the page was not written. */
int report_show(struct cli *c, const struct report *r, struct err *e);
void report_print(const struct cli *c, const struct report *r, bool full);
/* Writes the page to path, whole or not at all. */
int report_html(const struct report *r, const char *path, struct err *e);

#endif
