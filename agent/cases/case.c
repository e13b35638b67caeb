/* case.c - cases: their states, their causes, their JSON.
 *
 * Why: the same words in every verb, in the spool and in the state files.
 * Promises: one line of JSON with every member of the contract.
 * Refuses: nothing. */
#include "cases/case.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char *const states[] = {"open", "diagnosing", "advised", "waiting-approval", "repairing", "settling",
				     "healed", "refuted", "escalated", "held", "closed", NULL};

const char *const case_causes[] = {RULE_CAUSES, NULL};

const char *case_state_text(enum case_state s)
{
	return states[s];
}

bool case_state_parse(const char *s, enum case_state *state)
{
	for (size_t i = 0; states[i]; i++)
		if (strcmp(states[i], s) == 0) {
			*state = (enum case_state)i;
			return true;
		}
	return false;
}

int case_cause_index(const char *cause)
{
	for (int i = 0; cause && case_causes[i]; i++)
		if (strcmp(case_causes[i], cause) == 0)
			return i;
	return -1;
}

static void put_hex(struct json_out *o, const char *key, const uint8_t uid[static 32])
{
	char hex[65];

	text_hex(hex, uid, 32);
	json_put_str(o, key, hex);
}

static void put_before(struct json_out *o, const struct case_before *b)
{
	json_open(o, NULL, '{');
	json_put_time(o, "time", b->time);
	json_put_str(o, "rule", b->rule);
	json_put_str(o, "title", b->title);
	json_put_str(o, "what", b->what);
	put_hex(o, "uid", b->uid);
	json_close(o, '}');
}

void case_json(const struct case_ *c, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "case");
	json_put_int(&o, "id", c->id);
	put_hex(&o, "uid", c->uid);
	json_put_str(&o, "host", c->host);
	json_open(&o, "reported_by", '[');
	for (size_t i = 0; i < c->n_reported_by; i++)
		json_put_str(&o, NULL, c->reported_by[i]);
	json_close(&o, ']');
	json_put_str(&o, "cause", c->cause);
	json_put_str(&o, "asks", c->asks_diagnosis ? "diagnose" : "nothing");
	json_put_str(&o, "state", case_state_text(c->state));
	json_put_str(&o, "confidence", level_text(c->confidence));
	json_put_int(&o, "count", (int64_t)c->count);
	json_put_time(&o, "first", c->first);
	json_put_time(&o, "last", c->last);
	json_open(&o, "findings", '[');
	for (size_t i = 0; i < c->n_findings; i++)
		put_hex(&o, NULL, c->findings[i]);
	json_close(&o, ']');
	json_open(&o, "before", '[');
	for (size_t i = 0; i < c->n_before; i++)
		put_before(&o, &c->before[i]);
	json_close(&o, ']');
	json_put_str(&o, "hint", c->hint ? c->hint : "");
	if (c->reopens)
		json_put_int(&o, "follows", c->reopens);
	json_close(&o, '}');
	buf_char(to, '\n');
}
