/* fleet_report.c - the matrix of who reaches whom, for people and for programs.
 *
 * Exists apart from asking. Promises that ten hosts fit on one screen: columns are numbers, cells are marks, the legend explains
 * only the marks that occur, and what it all means stands below in sentences. A larger fleet is told by what is bad.
 * Refuses nothing. */
#include "cli/fleet_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TABLE_MAX 16  /* hosts; more do not fit a screen */
#define NAME_WIDTH 20
#define BAD_SHOWN 12  /* cells of a larger fleet */
#define REMARKS_SHOWN 10

void fleet_print_json(const struct fleet *f)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 64u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "matrix");
	fleet_json(&o, f, false);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static enum cli_colour colour_of(const struct fleet_cell *c)
{
	return c->outcome == CELL_OK ? CLI_GREEN : c->outcome == CELL_UNKNOWN ? CLI_YELLOW : CLI_RED;
}

static void print_row(const struct cli *c, const struct fleet *f, size_t front)
{
	const struct fleet_host *h = &f->hosts[front];
	bool healthy = strcmp(h->verdict, "HEALTHY_NOW") == 0;
	char mark[8];

	cli_print(c, CLI_PLAIN, "%3zu %-*.*s", front + 1, NAME_WIDTH, NAME_WIDTH, h->shorter);
	for (size_t back = 0; back < f->n; back++) {
		const struct fleet_cell *cell = fleet_cell(f, front, back);

		cli_print(c, colour_of(cell), " %4s", fleet_mark(cell, mark));
	}
	cli_print(c, healthy ? CLI_GREEN : h->verdict[0] ? CLI_RED : CLI_YELLOW, "  %s\n", h->verdict[0] ? h->verdict : "not diagnosed");
}

static void print_table(const struct cli *c, const struct fleet *f)
{
	cli_print(c, CLI_BOLD, "%-*s", 4 + NAME_WIDTH, "FROM \\ TO");
	for (size_t back = 0; back < f->n; back++)
		cli_print(c, CLI_BOLD, " %4zu", back + 1);
	cli_print(c, CLI_BOLD, "  VERDICT\n");
	for (size_t front = 0; front < f->n; front++)
		print_row(c, f, front);
}

/* A large fleet: what is bad, cell by cell, as far as a screen goes. */
static void print_bad(const struct cli *c, const struct fleet *f)
{
	size_t shown = 0, n = 0;

	for (size_t i = 0; i < f->n * f->n; i++) {
		const struct fleet_cell *cell = &f->cells[i];
		char mark[8];

		if (!fleet_bad(cell))
			continue;
		if (n++ < BAD_SHOWN && ++shown)
			cli_print(c, CLI_RED, "  %-20.20s to %-20.20s %-5s %.60s\n", f->hosts[i / f->n].shorter, f->hosts[i % f->n].shorter,
				fleet_mark(cell, mark), cell->seen);
	}
	if (n > shown)
		cli_print(c, CLI_PLAIN, "  and %zu more; --json has all\n", n - shown);
}

static void print_legend(const struct cli *c, const struct fleet *f)
{
	static const char *const words[CELL_OUTCOMES] = {[CELL_UNKNOWN] = "? unknown", [CELL_OK] = "ok answers",
		[CELL_REFUSED] = "ref refused", [CELL_TIMEOUT] = "time no answer in time", [CELL_UNRESOLVABLE] = "name not resolved",
		[CELL_RESET] = "rst handshake reset", [CELL_EOF] = "eof closed in the handshake", [CELL_ALERT] = "aN TLS alert N",
		[CELL_ERROR] = "err network or TLS error", [CELL_MUTE] = "mute no answer to a request", [CELL_HTTP] = "5NN HTTP status",
		[CELL_OLD] = "old TLS 1.1 at most"};
	bool there[CELL_OUTCOMES] = {false};
	const char *between = "";

	for (size_t i = 0; i < f->n * f->n; i++)
		there[f->cells[i].outcome] = true;
	for (int i = 0; i < CELL_OUTCOMES; i++)
		if (there[i]) {
			cli_print(c, CLI_DIM, "%s%s", between, words[i]);
			between = " | ";
		}
	cli_print(c, CLI_PLAIN, "\n");
}

static void print_remarks(const struct cli *c, const struct fleet *f)
{
	struct fleet_remark *r = xcalloc(FLEET_REMARKS, sizeof(*r));
	size_t n = fleet_judge(f, r, FLEET_REMARKS), bad = 0;

	for (size_t i = 0; i < f->n * f->n; i++)
		bad += f->cells[i].outcome != CELL_OK;
	if (n == 0 && bad == 0)
		cli_print(c, CLI_GREEN, "Every front end reaches every back end.\n");
	for (size_t i = 0; i < n && i < REMARKS_SHOWN; i++)
		cli_print(c, CLI_PLAIN, "%s\n", r[i].text);
	if (n > REMARKS_SHOWN)
		cli_print(c, CLI_PLAIN, "and %zu remarks more; --json has all\n", n - REMARKS_SHOWN);
	free(r);
}

void fleet_print_text(const struct cli *c, const struct fleet *f)
{
	bool lab = false;

	for (size_t i = 0; i < f->n; i++)
		lab = lab || f->hosts[i].lab;
	if (f->n == 0) {
		cli_print(c, CLI_YELLOW, "No host is configured.\n");
		return;
	}
	if (lab)
		cli_print(c, CLI_DIM, "LAB: no real servers\n");
	if (f->n <= TABLE_MAX)
		print_table(c, f);
	else
		print_bad(c, f);
	print_legend(c, f);
	print_remarks(c, f);
}
