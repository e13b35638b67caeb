/* report_inside.h - what report.c and report_html.c share. */
#ifndef EVMEND_CLI_REPORT_INSIDE_H
#define EVMEND_CLI_REPORT_INSIDE_H

#include "base/arena.h"
#include "cli/report.h"

#define REPORT_CELLS 4
#define REPORT_ENTRIES 4000 /* more is cut, and said */

enum report_kind { REPORT_LABEL, REPORT_TEXT, REPORT_ROW, REPORT_MOMENT };

struct report_entry {
	enum report_kind kind;
	enum cli_colour tone;
	enum report_where where;
	int64_t time;
	const char *cells[REPORT_CELLS];
};

struct report {
	struct arena *arena;
	const char *title, *beside;
	enum cli_colour tone;
	struct report_entry *entries;
	size_t n, cap;
	enum report_where where; /* of what is added now */
};

#endif
