/* emit_repair.c - `evmend repair --from FOLDER --emit powershell`: the plan of a folder of facts as one script.
 *
 * Exists for servers to which nobody may connect. Promises the plan and the plan id that `diagnose --from` shows, and that nothing
 * is written when there is no plan. Refuses (exit code 6) verdicts without a plan and plans above which a cause is not excluded;
 * never overwrites a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/diagnose.h"
#include "cli/emit_repair.h"
#include "cli/scripts.h"
#include "remedies/exchange_backend/powershell.h"

#define SCRIPT_MOST (1u << 20)

static int write_file(const char *path, const struct buf *text, struct err *e)
{
	FILE *f = fopen(path, "wxe");
	bool bad;

	if (f == NULL)
		return err_set(e, ERR_IO, "%s cannot be made: is it there already? A script is never overwritten", path);
	bad = fwrite(text->p, 1, text->n, f) != text->n;
	bad = fclose(f) != 0 || bad;
	return bad ? err_set(e, ERR_IO, "%s could not be written: is the disk full?", path) : 0;
}

static int put(struct cli *c, const struct diagnosis *d, const struct buf *text, struct err *e)
{
	const char *path = cli_value(c, "--output", NULL);
	char id[65];

	text_hex(id, d->plan.id, 32);
	if (path == NULL) {
		if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0)
			return err_set(e, ERR_IO, "the script could not be written: is the disk full?");
	} else if (write_file(path, text, e) < 0) {
		return -1;
	}
	cli_note(c, "%s on %s, plan %.12s%s%s. Read the script; it changes nothing without -Apply, and was not tried on Windows by its "
		"authors", d->verdict.name, d->identity.fqdn, id, path ? ": " : "", path ? path : "");
	return 0;
}

static int emit(struct cli *c, const char *folder, struct err *e)
{
	const struct be_script script = {script_text("repair.ps1"), script_text("look.ps1"), script_text("act.ps1")};
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct host *host = NULL;
	struct buf text;
	int r;

	buf_init(&text, SCRIPT_MOST);
	r = diagnose_folder(c, folder, &host, d, e);
	if (r == 0)
		r = be_powershell(d, &script, &text, e);
	if (r == 0)
		r = put(c, d, &text, e);
	if (host)
		host->ops->close(host);
	buf_free(&text);
	free(d);
	return r;
}

bool emit_repair_asked(const struct cli *c)
{
	return cli_has(c, "--from") || cli_has(c, "--emit") || cli_has(c, "--output");
}

int emit_repair(struct cli *c, int argc)
{
	const char *folder = cli_value(c, "--from", NULL), *form = cli_value(c, "--emit", NULL);
	struct err e = {.code = ERR_NONE};

	if (argc != 0 || folder == NULL || form == NULL)
		return cli_usage(c, "a script is made of a folder: --from FOLDER --emit powershell, and no HOST");
	if (strcmp(form, "powershell") != 0)
		return cli_usage(c, "--emit takes powershell, and nothing else");
	if (cli_has(c, "--yes") || cli_has(c, "--plan"))
		return cli_usage(c, "--yes and --plan are for a HOST: a script is run by the person who has read it");
	return emit(c, folder, &e) < 0 ? cli_fail(c, &e) : 0;
}
