/* facts.c - what every format tells of a record.
 *
 * Why: a title, a sentence and an outcome are worked out in one place, so that all receivers show the same. Promises a text for each fact,
 * if only "". Refuses nothing: a record without a tree has uid, kind and time. */
#include "ship/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"

static const char *member(const struct json *j, const char *key)
{
	return json_str(json_get(j, key), "");
}

static const char *first_of(const char *a, const char *b, const char *c)
{
	return *a ? a : *b ? b : c;
}

/* a and b as a text of at most n - 1 bytes that does not end inside a character. */
static void put(struct facts *f, char *to, size_t n, const char *a, const char *b)
{
	size_t at = strlen(text_copy(to, n, a)), len = strlen(b), k = len < n - at ? len : utf8_cut(b, len, n - 1 - at);

	memcpy(to + at, b, k);
	to[at + k] = '\0';
	f->cut = f->cut || k < len;
}

/* Does the rule speak of an attacker, and not of a server that is ill? */
static bool attacks(const struct facts *f)
{
	const struct json *tags = json_get(json_get(f->v->json, "rule"), "tags");
	struct attack a;

	for (size_t i = 0; i < json_len(tags); i++)
		if (attack_parse(json_str(json_at(tags, i), ""), &a))
			return true;
	return false;
}

static void of_finding(struct facts *f)
{
	f->text[FACT_CODE] = first_of(f->v->rule, member(json_get(f->v->json, "rule"), "name"), "finding");
	f->text[FACT_TITLE] = first_of(f->v->title, f->text[FACT_CODE], "");
	f->text[FACT_CATEGORY] = attacks(f) ? "intrusion_detection" : "host";
	f->text[FACT_SAYS] = first_of(member(f->v->json, "hint"), f->text[FACT_TITLE], "");
}

static void of_case(struct facts *f)
{
	const char *state = member(f->v->json, "state");

	put(f, f->code, sizeof f->code, "case:", f->v->cause);
	put(f, f->title, sizeof f->title, "Case ", f->v->cause);
	put(f, f->action, sizeof f->action, "case-", state);
	f->text[FACT_SAYS] = first_of(member(f->v->json, "text"), member(f->v->json, "hint"), f->title);
}

static void of_refusal(struct facts *f)
{
	const struct json *body = json_get(f->v->json, "body");

	put(f, f->code, sizeof f->code, "refusal:", member(body, "reason"));
	put(f, f->title, sizeof f->title, "Repair refused: ", member(body, "reason"));
	put(f, f->action, sizeof f->action, "repair-refused", "");
	f->text[FACT_OUTCOME] = "failure";
	f->text[FACT_CATEGORY] = "configuration";
	f->text[FACT_SAYS] = first_of(member(body, "why"), f->title, "");
}

static void of_repair(struct facts *f)
{
	const struct json *body = json_get(f->v->json, "body");
	const char *what = member(f->v->json, "what"), *result = member(body, "result"), *verdict = member(body, "verdict");

	put(f, f->code, sizeof f->code, "repair:", what);
	if (*result)
		put(f, f->title, sizeof f->title, "Repair ended: ", result);
	else
		put(f, f->title, sizeof f->title, "Repair begins: ", verdict);
	put(f, f->action, sizeof f->action, "", what);
	f->text[FACT_CATEGORY] = "configuration";
	f->text[FACT_TYPES] = "change";
	f->text[FACT_OUTCOME] = !*result ? "unknown" : !strcmp(result, "healed") ? "success" : "failure";
	f->text[FACT_SAYS] = first_of(member(body, "text"), f->title, "");
}

static void of_ledger(struct facts *f)
{
	const char *what = member(f->v->json, "what");

	put(f, f->code, sizeof f->code, "ledger:", what);
	put(f, f->title, sizeof f->title, "Ledger: ", what);
	put(f, f->action, sizeof f->action, "", what);
	f->text[FACT_SAYS] = f->title;
}

static void of_agent(struct facts *f)
{
	const char *what = first_of(member(f->v->json, "kind"), "agent", ""), *title = member(f->v->json, "title");

	put(f, f->code, sizeof f->code, "agent:", what);
	put(f, f->title, sizeof f->title, "Agent: ", what);
	put(f, f->action, sizeof f->action, "", what);
	f->text[FACT_SAYS] = first_of(member(f->v->json, "text"), member(f->v->json, "reason"), *title ? title : f->title);
}

static void of_event(struct facts *f)
{
	const char *provider = member(f->v->json, "provider");
	uint64_t keywords = event_keywords(f->v);
	char id[24];

	f->event = event_kind_of(f->v);
	snprintf(id, sizeof id, ":%" PRId64, json_int(json_get(f->v->json, "event_id"), 0));
	put(f, f->code, sizeof f->code - sizeof id, "", provider);
	put(f, f->title, sizeof f->title, "", f->code);
	text_copy(f->code + strlen(f->code), sizeof id, id);
	id[0] = ' ';
	text_copy(f->title + strlen(f->title), sizeof id, id);
	f->text[FACT_CATEGORY] = f->event ? f->event->category : "";
	f->text[FACT_TYPES] = f->event ? f->event->types : "";
	if (f->event)
		put(f, f->action, sizeof f->action, "", f->event->action);
	f->text[FACT_OUTCOME] = keywords & AUDIT_FAILURE ? "failure" : keywords & AUDIT_SUCCESS ? "success" : "";
	f->text[FACT_SAYS] = first_of(member(f->v->json, "message"), f->title, "");
}

void facts_open(struct facts *f, const struct sink_config *c, const struct record_view *v)
{
	static void (*const of[RECORD_KINDS])(struct facts *) = { of_finding, of_case, of_refusal, of_repair, of_ledger, of_agent, of_event };

	*f = (struct facts){ .sink = c, .v = v, .severity = severity_of(v) };
	for (size_t i = 0; i < FACTS; i++)
		f->text[i] = "";
	f->text[FACT_UID] = v->uid;
	f->text[FACT_KIND] = v->kind;
	f->text[FACT_HOST] = v->host;
	f->text[FACT_LEVEL] = f->severity->word;
	f->text[FACT_PRODUCT] = "evmend";
	f->text[FACT_VERSION] = EVMEND_VERSION;
	f->text[FACT_CATEGORY] = "host";
	f->text[FACT_TYPES] = "info";
	if (!time_parse(v->time, strlen(v->time), &f->time))
		f->time = v->record->time;
	f->text[FACT_TIME] = time_text(f->time, f->when);
	f->text[FACT_CODE] = f->code;
	f->text[FACT_TITLE] = f->title;
	f->text[FACT_ACTION] = f->action;
	put(f, f->host, sizeof f->host, "", v->host);
	f->host[strcspn(f->host, ".")] = '\0';
	f->text[FACT_HOSTNAME] = f->host;
	if (v->record->kind >= 0 && v->record->kind < RECORD_KINDS)
		of[v->record->kind](f);
}

const struct json *facts_member(const struct facts *f, const char *path)
{
	const struct json *j = f->v->json;
	const char *dot;

	for (; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		char key[64];

		if ((size_t)(dot - path) >= sizeof key)
			return NULL;
		memcpy(key, path, (size_t)(dot - path));
		key[dot - path] = '\0';
		j = json_get(j, key);
	}
	return json_get(j, path);
}
