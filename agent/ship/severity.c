/* severity.c - how bad a record is.
 *
 * Why: syslog, CEF, LEEF, OTLP and OCSF count differently, and a person who compares two receivers should see the same order in both.
 * Promises a row for every record. Refuses nothing: what says nothing is informational. */
#include "ship/severity.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"

static const struct severity of_level[] = {
	[LEVEL_INFORMATIONAL] = { "informational", 6, 2, 2, 9, 1 },
	[LEVEL_LOW] = { "low", 5, 4, 4, 10, 2 },
	[LEVEL_MEDIUM] = { "medium", 4, 6, 6, 13, 3 },
	[LEVEL_HIGH] = { "high", 3, 8, 8, 17, 4 },
	[LEVEL_CRITICAL] = { "critical", 2, 10, 10, 21, 5 },
};

/* Level of an event: 0 is LogAlways. */
static const struct severity of_event[] = {
	{ "information", 6, 3, 3, 9, 1 },
	{ "critical", 2, 9, 9, 21, 5 },
	{ "error", 3, 7, 7, 17, 4 },
	{ "warning", 4, 5, 5, 13, 3 },
	{ "information", 6, 3, 3, 9, 1 },
	{ "verbose", 7, 1, 1, 5, 1 },
};

static const struct severity audit_failure = { "information", 5, 5, 5, 9, 2 }, audit_success = { "information", 6, 3, 3, 9, 1 };

uint64_t event_keywords(const struct record_view *v)
{
	const char *s = json_str(json_get(json_get(v->json, "system"), "Keywords"), "");

	return strtoull(s, NULL, 16);
}

static const struct severity *event_severity(const struct record_view *v)
{
	uint64_t keywords = event_keywords(v);
	int64_t level = json_int(json_get(v->json, "level"), 0);

	if (keywords & AUDIT_FAILURE)
		return &audit_failure;
	if (keywords & AUDIT_SUCCESS)
		return &audit_success;
	return level >= 0 && level < (int64_t)(sizeof of_event / sizeof of_event[0]) ? &of_event[level] : &of_event[0];
}

/* What asks for a person is worth more than what went well. */
static enum rule_level level_of(const struct record_view *v)
{
	const struct json *body = json_get(v->json, "body");
	const char *result = json_str(json_get(body, "result"), "");
	enum rule_level l;

	if (level_parse(v->level, &l) || level_parse(json_str(json_get(v->json, "confidence"), ""), &l))
		return l;
	if (!strcmp(result, "needs-person"))
		return LEVEL_HIGH;
	if (!strcmp(result, "rolled-back") || json_bool(json_get(body, "escalate"), false))
		return LEVEL_MEDIUM;
	return LEVEL_INFORMATIONAL;
}

const struct severity *severity_of(const struct record_view *v)
{
	return v->record->kind == RECORD_EVENT ? event_severity(v) : &of_level[level_of(v)];
}
