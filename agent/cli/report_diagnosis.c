/* report_diagnosis.c - a diagnosis for a person: the verdict first, and only the facts that led to it.
 *
 * Exists so that a live look, a folder and a stored diagnosis read the same. Promises that unknown facts are named, that the plan shown is
 * the one that would run, and that nothing is added to what the diagnosis says. Refuses nothing: a member that is not there is left out. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/report_build.h"
#include "heal/fact.h"

static const char *str(const struct json *o, const char *key)
{
	return json_str(json_get(o, key), "");
}

static void join(const struct json *list, char *to, size_t n)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < json_len(list) && used < n; i++)
		used += (size_t)snprintf(to + used, n - used, "%s%s", i ? ", " : "", json_str(json_at(list, i), ""));
}

void report_diagnosis_title(struct report *r, const struct json *d)
{
	const struct json *v = json_get(d, "verdict");
	bool healthy = json_bool(json_get(v, "healthy"), false);
	char title[400], beside[200];

	(void)snprintf(title, sizeof(title), "%s: %s%s", str(d, "host"), str(v, "name"),
		json_bool(json_get(d, "lab"), false) ? " (a LAB, no real server)" : "");
	(void)snprintf(beside, sizeof(beside), "row %s, confidence %s, %.19sZ", str(v, "row"), str(v, "confidence"), str(d, "time"));
	report_title(r, healthy ? CLI_GREEN : CLI_RED, title, beside);
}

static enum cli_colour tone_of(const char *value)
{
	return strcmp(value, "unknown") == 0 ? CLI_YELLOW : CLI_PLAIN;
}

static bool in_list(const struct json *list, const char *name)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_str(json_at(list, i), ""), name) == 0)
			return true;
	return false;
}

static void needed_facts(struct report *r, const struct json *v, const struct json *facts, enum report_where where)
{
	const struct json *needed = json_get(v, "needed");
	char unknown[900] = "";
	size_t others = 0, used = 0;

	report_label(r, "Facts", where);
	for (size_t i = 0; i < json_len(facts); i++) {
		const struct json *f = json_at(facts, i);
		const char *name = str(f, "name"), *value = str(f, "value");

		if (in_list(needed, name)) {
			report_row(r, tone_of(value), name, value, str(f, "seen"), "");
			continue;
		}
		others++;
		if (strcmp(value, "unknown") == 0 && used < sizeof(unknown))
			used += (size_t)snprintf(unknown + used, sizeof(unknown) - used, "%s%s", used ? ", " : "", name);
	}
	for (size_t i = 0; i < json_len(needed); i++) {
		const char *name = json_str(json_at(needed, i), "");
		bool known = false;

		for (size_t k = 0; k < json_len(facts); k++)
			known = known || strcmp(str(json_at(facts, k), "name"), name) == 0;
		if (!known)
			report_row(r, CLI_YELLOW, name, "unknown", "could not be looked at", "");
	}
	if (where == REPORT_ALWAYS)
		report_where(r, REPORT_SHORT);
	if (others != 0)
		report_text(r, CLI_DIM, "and %zu more%s%s", others, unknown[0] ? "; unknown: " : "", unknown);
}

static void every_fact(struct report *r, const struct json *facts)
{
	report_label(r, "All facts", REPORT_DETAIL);
	for (size_t i = 0; i < json_len(facts); i++) {
		const struct json *f = json_at(facts, i);
		char seen[400];

		say_text(seen, sizeof(seen), "%s (%s)", str(f, "seen"), str(f, "where"));
		report_row(r, tone_of(str(f, "value")), str(f, "name"), str(f, "value"), seen, "");
	}
}

static void plan(struct report *r, const struct json *p, bool healthy, enum report_where where)
{
	const struct json *steps = json_get(p, "steps");
	char label[32], n[24], text[600];

	(void)snprintf(label, sizeof(label), "Plan %.6s", str(p, "id"));
	if (json_len(steps) == 0 && *str(p, "why_empty") == '\0')
		return;
	report_label(r, json_len(steps) ? label : "Plan", where);
	if (json_len(steps) == 0 && !healthy)
		report_text(r, CLI_PLAIN, "none: %s", str(p, "why_empty"));
	for (size_t i = 0; i < json_len(steps); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", str(json_at(steps, i), "what"),
			json_bool(json_get(json_at(steps, i), "by_approval_only"), false) ? " (by approval only)" : "");
		report_text(r, CLI_BOLD, "%zu. %s", i + 1, text);
	}
	report_label(r, "Steps", REPORT_DETAIL);
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *s = json_at(steps, i);

		(void)snprintf(n, sizeof(n), "%zu", i + 1);
		report_row(r, CLI_PLAIN, n, "why", str(s, "why"), "");
		report_row(r, CLI_PLAIN, "", "before", str(s, "before"), "");
		report_row(r, CLI_PLAIN, "", "after", str(s, "after"), "");
		(void)snprintf(text, sizeof(text), "%s (%s)", str(s, "undo"), str(s, "undo_kind"));
		report_row(r, CLI_PLAIN, "", "undo", text, "");
	}
	if (json_len(steps))
		report_text(r, CLI_DIM, "plan id %s", str(p, "id"));
}

static void paragraph(struct report *r, const char *label, enum report_where where, enum cli_colour tone, const char *text)
{
	if (*text == '\0')
		return;
	report_label(r, label, where);
	report_text(r, tone, "%s", text);
}

static void notes_of(struct report *r, const struct json *v, enum report_where where)
{
	const struct json *notes = json_get(v, "notes");

	if (json_len(notes))
		report_label(r, "Notes", where);
	for (size_t i = 0; i < json_len(notes); i++)
		report_text(r, CLI_YELLOW, "%s: %s", str(json_at(notes, i), "name"), str(json_at(notes, i), "text"));
}

void report_diagnosis(struct report *r, const struct json *d, const char *next, enum report_part part)
{
	const struct json *v = json_get(d, "verdict"), *p = json_get(d, "plan");
	enum report_where where = part == REPORT_BEHIND ? REPORT_DETAIL : REPORT_ALWAYS;
	bool planned = json_len(json_get(p, "steps")) != 0;
	char list[600];

	report_label(r, "", part == REPORT_ALONE ? REPORT_ALWAYS : REPORT_DETAIL);
	report_text(r, CLI_PLAIN, "%s", str(v, "text"));
	report_where(r, where);
	join(json_get(v, "also"), list, sizeof(list));
	if (list[0])
		report_text(r, CLI_PLAIN, "Holds as well: %s", list);
	join(json_get(v, "not_excluded"), list, sizeof(list));
	if (list[0])
		report_text(r, CLI_YELLOW, "Not excluded, since facts are unknown: %s", list);
	needed_facts(r, v, json_get(d, "facts"), where);
	plan(r, p, json_bool(json_get(v, "healthy"), false), where);
	paragraph(r, "Disproof", where, CLI_PLAIN, str(v, "disproved_by"));
	paragraph(r, "Next", REPORT_ALWAYS, CLI_BOLD, next);
	/* a plan says it better */
	paragraph(r, "Advice", planned ? REPORT_DETAIL : where, CLI_PLAIN, str(v, "advice"));
	paragraph(r, "SMTP", REPORT_ALWAYS, CLI_YELLOW, str(v, "smtp"));
	notes_of(r, v, where);
	every_fact(r, json_get(d, "facts"));
}
