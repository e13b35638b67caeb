/* report_html.c - a report as one page that needs no other file.
 *
 * Exists because a case is also read by people without a terminal, in a mail or a ticket. Promises that every value goes through one
 * escaping function, that the page runs no script and loads nothing, and that it is written whole or not at all. Refuses bytes that
 * are no text: they become U+FFFD, control characters a blank. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/report_inside.h"
#include "os/os.h"

#define PAGE_MAX (16u << 20)

static const char style[] =
	"body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;margin:0;color:#1c2430;background:#f3f5f8}"
	"main{max-width:62rem;margin:0 auto;padding:1.5rem 1.2rem 3rem}"
	"header{border-left:.5rem solid #8a94a6;background:#fff;padding:.9rem 1.2rem;border-radius:.3rem;box-shadow:0 1px 2px #0002}"
	"h1{font-size:1.35rem;margin:0;overflow-wrap:anywhere}header p{margin:.2rem 0 0;color:#5a6578}"
	"h2{font-size:.82rem;text-transform:uppercase;letter-spacing:.06em;color:#5a6578;margin:1.6rem 0 .4rem}"
	"p{margin:.3rem 0;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%;background:#fff;border-radius:.3rem;"
	"box-shadow:0 1px 2px #0002;margin:.3rem 0}td{padding:.32rem .7rem;border-top:1px solid #e7ebf0;vertical-align:top;"
	"overflow-wrap:anywhere}tr:first-child td{border-top:0}td:nth-child(-n+2){white-space:nowrap}td:first-child{font-weight:600}"
	"ol{list-style:none;margin:.4rem 0;padding:0 0 0 .5rem;border-left:2px solid #c9d1dc}"
	"li{position:relative;padding:.25rem 0 .45rem 1rem;overflow-wrap:anywhere}"
	"li:before{content:'';position:absolute;left:-.93rem;top:.62rem;width:.72rem;height:.72rem;border-radius:50%;background:#8a94a6;"
	"border:2px solid #f3f5f8;box-sizing:border-box}li b{margin:0 .5rem}time{color:#5a6578;font-variant-numeric:tabular-nums}"
	".red:before,header.red{background-color:#c62f2f;border-color:#c62f2f}header.red,header.green,header.yellow{background-color:#fff}"
	".green:before,header.green{border-color:#23834a}.green:before{background:#23834a}header.yellow{border-color:#b9770a}"
	".yellow:before{background:#b9770a}li:before{border-color:#f3f5f8!important}"
	"p.red,td.red,.red b{color:#b02222}p.green,td.green,.green b{color:#1d6f3e}p.yellow,td.yellow,.yellow b{color:#8f5b04}.dim{color:#7b8596}"
	"footer{margin-top:2rem;color:#7b8596;font-size:.85rem}"
	"@media(prefers-color-scheme:dark){body{background:#14181f;color:#dce3ec}header,table,header.red,header.green,header.yellow"
	"{background-color:#1d232d}td{border-color:#2b3340}li:before{border-color:#14181f!important}p.red,td.red,.red b{color:#ff8a80}"
	"p.green,td.green,.green b{color:#7ddc9f}p.yellow,td.yellow,.yellow b{color:#f0c060}}"
	"@media print{body{background:#fff}header,table{box-shadow:none;border:1px solid #c9d1dc}}";

static const char *class_of(enum cli_colour tone)
{
	return tone == CLI_RED ? "red" : tone == CLI_GREEN ? "green" : tone == CLI_YELLOW ? "yellow" : tone == CLI_DIM ? "dim" : "";
}

static void put_row(struct buf *b, const struct report_entry *at)
{
	buf_str(b, "<tr>");
	for (size_t i = 0; i < REPORT_CELLS; i++) {
		buf_printf(b, "<td class=\"%s\">", i < 2 ? class_of(at->tone) : "");
		cli_markup(b, at->cells[i], false);
		buf_str(b, "</td>");
	}
	buf_str(b, "</tr>\n");
}

static void put_moment(struct buf *b, const struct report_entry *at)
{
	char when[32] = "";

	if (at->time)
		time_text(at->time, when);
	buf_printf(b, "<li class=\"%s\"><time datetime=\"%s\">%.19s</time><b>", class_of(at->tone), when, when);
	cli_markup(b, at->cells[0], false);
	buf_str(b, "</b>");
	cli_markup(b, at->cells[1], false);
	buf_str(b, "</li>\n");
}

/* Rows and moments stand in a table or a list of their own; this opens and closes them. */
static enum report_kind around(struct buf *b, enum report_kind was, enum report_kind is)
{
	if (was != is && was == REPORT_ROW)
		buf_str(b, "</table>\n");
	if (was != is && was == REPORT_MOMENT)
		buf_str(b, "</ol>\n");
	if (was != is && is == REPORT_ROW)
		buf_str(b, "<table>\n");
	if (was != is && is == REPORT_MOMENT)
		buf_str(b, "<ol>\n");
	return is;
}

static void put_entries(struct buf *b, const struct report *r)
{
	enum report_kind was = REPORT_LABEL;

	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *at = &r->entries[i];

		if (at->where == REPORT_SHORT)
			continue;
		was = around(b, was, at->kind);
		if (at->kind == REPORT_ROW) {
			put_row(b, at);
		} else if (at->kind == REPORT_MOMENT) {
			put_moment(b, at);
		} else if (at->cells[0][0]) {
			const char *tag = at->kind == REPORT_LABEL ? "h2" : "p";

			buf_printf(b, "<%s class=\"%s\">", tag, class_of(at->tone));
			cli_markup(b, at->cells[0], false);
			buf_printf(b, "</%s>\n", tag);
		}
	}
	(void)around(b, was, REPORT_LABEL);
}

int report_html(const struct report *r, const char *path, struct err *e)
{
	char why[96];
	struct buf b;
	int done;

	buf_init(&b, PAGE_MAX);
	buf_str(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	cli_markup(&b, r->title, false);
	buf_printf(&b, "</title><style>%s</style></head>\n<body><main><header class=\"%s\"><h1>", style, class_of(r->tone));
	cli_markup(&b, r->title, false);
	buf_str(&b, "</h1><p>");
	cli_markup(&b, r->beside, false);
	buf_str(&b, "</p></header>\n");
	put_entries(&b, r);
	buf_printf(&b, "<footer>evmend %s. Times are UTC.</footer></main></body></html>\n", EVMEND_VERSION);
	if (b.refused) {
		buf_free(&b);
		return err_set(e, ERR_IO, "the page would be larger than %u MB", PAGE_MAX >> 20);
	}
	done = os_file_replace(&os_file, path, b.p, b.n);
	buf_free(&b);
	return done < 0 ? err_set(e, ERR_IO, "%s cannot be written: %s", path, err_os(done, why)) : 0;
}
