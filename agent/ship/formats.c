/* formats.c - the formats that there are: one line each.
 *
 * Why: a new format is a file with its function and one line here. Promises: nothing else in the program knows a format by name. Refuses
 * nothing; the configuration did. */
#include "ship/formats.h"

#include <string.h>

const struct format formats[] = {
	{ "ndjson", format_ndjson, "application/x-ndjson", true },
	{ "rfc5424", format_rfc5424, "text/plain", false },
	{ "cef", format_cef, "text/plain", false },
	{ "leef", format_leef, "text/plain", false },
	{ "ecs", format_ecs, "application/json", true },
	{ "ocsf", format_ocsf, "application/json", true },
	{ "otlp", format_otlp, "application/json", true }, /* of sinks of that kind alone */
	{ "slack", format_slack, "application/json", true }, /* of webhooks */
	{ "teams", format_teams, "application/json", true },
	{ NULL, NULL, NULL, false },
};

const struct format *format_find(const char *name)
{
	for (const struct format *f = formats; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}
