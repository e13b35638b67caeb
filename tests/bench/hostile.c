/* hostile.c - the worst value of 32 KB that a rule can be given.
 *
 * Why: whoever writes a command line chooses what the matcher has to look at; one regular expression that goes back and forth costs
 * 50 ms for such a value, and twenty of those a second stop a collector.
 * Promises: every rule, every field that it asks for, with its other fields as the rule wants them, so that no condition is decided
 * before the field is reached; long runs, the rule's own texts over and over, nearly its own texts, and the texts of as many rules as
 * fit. All rules of that kind of event are matched then; and all rules there are, as when an event has no EventID. Time is the best
 * of three looks.
 * Refuses: rules that mean no event, and those whose log source the made-up event does not satisfy: they are counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "bench/bench.h"
#include "rules/compiled.h"

#define BYTES (32u << 10)
#define FIELDS 64
#define ROOM (FIELDS + 1) /* and EventID, where the rule does not ask for it */
#define TEXTS 2 /* of a field */

struct field {
	uint16_t id;
	const char *text[TEXTS]; /* as the rule writes them */
	size_t n;
	char right[512]; /* a value that the rule wants */
};

struct said { /* a text of any rule about a field */
	uint16_t field;
	const char *text;
};

struct hostile {
	const struct ruleset *rs;
	struct said *said; /* all of them, in the order of the rules */
	size_t n_said, said_room, said_at; /* said_at: where this rule's begin */
	struct matcher *matcher;
	struct field field[FIELDS];
	size_t n;
	char value[BYTES + 1], id[16];
	double worst, total;
	char worst_rule[128], worst_how[48];
	uint64_t tried, rules, unreached;
	uint64_t over_ms;
};

static struct field *field_of(struct hostile *h, uint16_t id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->field[i].id == id)
			return &h->field[i];
	if (!id || h->n == FIELDS)
		return NULL;
	h->field[h->n] = (struct field){.id = id};
	return &h->field[h->n++];
}

/* A text without its wildcards and escapes. */
static void plain(const char *text, char *to, size_t room)
{
	size_t n = 0;

	for (const char *p = text; *p && n + 1 < room; p++) {
		if (*p == '*' || *p == '?')
			continue;
		if (*p == '\\' && (p[1] == '\\' || p[1] == '*' || p[1] == '?'))
			p++;
		to[n++] = *p;
	}
	to[n] = '\0';
}

/* The texts of all items, negated ones too. */
static void collect(struct hostile *h, const struct node *n, size_t variant)
{
	const struct item *it = n->item;
	struct field *f;

	for (size_t i = 0; i < n->n; i++)
		collect(h, n->kids[i], variant);
	f = it && it->fields ? field_of(h, it->fields[variant]) : NULL;
	for (size_t i = 0; f && i < it->n && f->n < TEXTS; i++)
		if (it->values[i].text && *it->values[i].text)
			f->text[f->n++] = it->values[i].text;
	if (f && f->n && !f->right[0])
		plain(f->text[0], f->right, sizeof f->right);
}

static void say_text_of(struct hostile *h, uint16_t field, const char *text)
{
	if (h->n_said == h->said_room) {
		h->said_room = h->said_room ? 2 * h->said_room : 4096;
		h->said = xrealloc(h->said, h->said_room, sizeof *h->said);
	}
	h->said[h->n_said++] = (struct said){field, text};
}

/* One text for each value; of a regular expression one of each set that it needs. */
static void collect_said(struct hostile *h, const struct node *n)
{
	const struct item *it = n->item;

	for (size_t i = 0; i < n->n; i++)
		collect_said(h, n->kids[i]);
	for (size_t i = 0; it && it->fields && i < it->n; i++) {
		const struct value *v = &it->values[i];
		const struct regex_set *sets;
		size_t n_sets = v->kind == VALUE_REGEX ? regex_literals(v->regex, &sets) : 0;

		for (size_t s = 0; s < n_sets; s++)
			say_text_of(h, it->fields[0], sets[s].texts[0]);
		if (v->kind != VALUE_REGEX && v->text && *v->text)
			say_text_of(h, it->fields[0], v->text);
	}
}

/* What this rule and those behind it say about the field, until the value is full. */
static bool all_said(struct hostile *h, uint16_t field)
{
	size_t n = 0;
	char unit[512];

	for (size_t i = 0; i < h->n_said && n < BYTES; i++) {
		const struct said *s = &h->said[(h->said_at + i) % h->n_said];
		size_t len;

		if (s->field != field)
			continue;
		plain(s->text, unit, sizeof unit);
		len = strlen(unit);
		len = len < BYTES - n ? len : BYTES - n;
		memcpy(h->value + n, unit, len);
		n += len;
		if (n < BYTES)
			h->value[n++] = ' ';
	}
	if (n == 0)
		return false;
	for (size_t i = n; i < BYTES; i++)
		h->value[i] = h->value[i - n];
	h->value[BYTES] = '\0';
	return true;
}

static void repeat(char *to, const char *unit, size_t n)
{
	size_t len = strlen(unit);

	for (size_t i = 0; i < n; i++)
		to[i] = len ? unit[i % len] : 'a';
	to[n] = '\0';
}

static const char *const runs[] = {"a", "+", "0123456789", "QWJj/9+eZGVm", "\\", " ", "aB.x$%^", "\xC3\xA4"};
#define RUNS (sizeof runs / sizeof runs[0])
#define RUNS_EACH 3 /* of them for one rule; the next rule gets the next ones */
#define KINDS 4
#define FORMS (RUNS_EACH + KINDS * TEXTS + 1)

/* Value number `form` for this field; false: there is none. */
static bool make_value(struct hostile *h, const struct field *f, size_t form, char how[static 48])
{
	size_t text = form < RUNS_EACH ? 0 : (form - RUNS_EACH) / KINDS, kind = form < RUNS_EACH ? 0 : (form - RUNS_EACH) % KINDS, n;
	const char *run = runs[(h->rules * RUNS_EACH + form) % RUNS];
	char unit[512];

	if (form < RUNS_EACH) {
		repeat(h->value, run, BYTES);
		snprintf(how, 48, "'%s' over and over", run);
		return true;
	}
	if (form == FORMS - 1) {
		snprintf(how, 48, "the texts of all rules");
		return all_said(h, f->id);
	}
	if (text >= f->n)
		return false;
	plain(f->text[text], unit, sizeof unit);
	n = strlen(unit);
	if (n < 2)
		return false;
	if (kind == 1) /* nearly the text */
		unit[n - 1] = '\0';
	if (kind == 2) /* its end */
		memmove(unit, unit + 1, n);
	repeat(h->value, kind == 3 ? "a" : unit, BYTES);
	if (kind == 3) /* it begins as it should, and goes on without end */
		memcpy(h->value, unit, n);
	snprintf(how, 48, "%s %.24s", kind == 0 ? "all" : kind == 1 ? "but the end of" : kind == 2 ? "but the start of" : "a run behind", unit);
	return true;
}

static void look(struct hostile *h, const struct compiled *c, const struct event *ev, const char *how)
{
	const uint32_t *hits;
	double took = 0;

	for (int i = 0; i < 3 && (i == 0 || took > h->worst); i++) {
		double start = now_cpu(), one;

		matcher_run(h->matcher, ev, &hits);
		one = now_cpu() - start;
		took = i == 0 || one < took ? one : took;
	}
	h->tried++;
	h->total += took;
	h->over_ms += took > 1e-3;
	if (took <= h->worst)
		return;
	if (took > 1.2 * h->worst)
		say("%.3f ms: %s: %s", took * 1e3, c->rule.title, how);
	h->worst = took;
	text_copy(h->worst_rule, sizeof h->worst_rule, c->rule.title);
	text_copy(h->worst_how, sizeof h->worst_how, how);
}

static const struct log_source *source_of(const struct compiled *c, size_t variant)
{
	if (c->category)
		return &c->category->sources[variant];
	return c->service ? &c->service->sources[0] : c->product && c->product->n ? &c->product->sources[0] : NULL;
}

/* Is the event what the rule means, and by this source of its category? */
static bool means(const struct compiled *c, const struct event *ev, size_t variant)
{
	if (c->no_source || (c->product && log_set_holds(c->product, ev) < 0) || (c->service && log_set_holds(c->service, ev) < 0))
		return false;
	return !c->category || log_set_holds(c->category, ev) == (int32_t)variant;
}

/* As every event has it: one EventID, of System. */
static void add_id(struct hostile *h, struct event *ev, struct event_field *fields)
{
	static const char name[] = "EventID";
	size_t at = 0;

	while (at < ev->n && !text_same(fields[at].name, name))
		at++;
	if (!ev->event_id)
		ev->event_id = 1;
	snprintf(h->id, sizeof h->id, "%u", ev->event_id);
	fields[at] = (struct event_field){.name = name, .value = h->id, .len = (uint32_t)strlen(h->id), .system = true,
		.id = names_find(ruleset_names(h->rs), name, sizeof name - 1)};
	if (at == ev->n)
		ev->n++;
}

/* An event of that log source. false: it is not what the rule means. */
static bool make_event(struct hostile *h, const struct compiled *c, size_t variant, struct event *ev, struct event_field *fields)
{
	const struct log_source *s = source_of(c, variant);
	const struct log_source *service = c->service ? &c->service->sources[0] : s;

	*ev = (struct event){.provider = "", .channel = "", .computer = "host.example", .level = 4, .record_id = 1, .time = 1, .raw = "",
		.source = "bench", .fields = fields};
	if (s && s->n_channels)
		ev->channel = s->channels[0];
	else if (service && service->n_channels)
		ev->channel = service->channels[0];
	if (s && s->n_providers)
		ev->provider = s->providers[0];
	if (s && s->n_ids)
		ev->event_id = s->ids[0];
	for (size_t i = 0; s && i < s->n_where; i++) {
		struct field *f = field_of(h, s->where[i].field);

		if (f && s->where[i].n)
			text_copy(f->right, sizeof f->right, s->where[i].values[0]);
	}
	for (size_t i = 0; i < h->n; i++)
		fields[i] = (struct event_field){.name = names_text(ruleset_names(h->rs), h->field[i].id), .value = h->field[i].right,
			.len = (uint32_t)strlen(h->field[i].right), .id = h->field[i].id};
	ev->n = h->n;
	for (size_t i = 0; i < h->n && !ev->event_id; i++)
		if (text_same(fields[i].name, "EventID"))
			ev->event_id = (uint32_t)atoi(fields[i].value);
	add_id(h, ev, fields);
	return means(c, ev, variant);
}

static void attack(struct hostile *h, const struct compiled *c, size_t variant)
{
	struct event_field fields[ROOM];
	struct event ev;
	size_t all;
	char how[48];

	h->n = 0;
	collect(h, c->condition, variant);
	if (!make_event(h, c, variant, &ev, fields)) {
		h->unreached += variant == 0;
		return;
	}
	h->rules += variant == 0;
	all = ev.n;
	for (size_t i = 0; i < h->n; i++) {
		const struct event_field right = fields[i];

		for (size_t form = 0; form < FORMS; form++) {
			if (!make_value(h, &h->field[i], form, how))
				continue;
			fields[i].value = h->value;
			fields[i].len = BYTES;
			look(h, c, &ev, how);
			if (all > h->n) { /* EventID is the last field; without it every rule is asked */
				ev.n--;
				look(h, c, &ev, how);
				ev.n++;
			}
		}
		fields[i] = right;
	}
}

void bench_hostile(struct bench *b)
{
	double took;
	struct ruleset *rs = bench_load(b->rules, b->tables, 1, &took);
	struct hostile *h = xcalloc(1, sizeof *h);
	char text[160];

	say("values of 32 KB, every rule");
	h->rs = rs;
	h->matcher = matcher_new(rs);
	for (size_t i = 0; i < rs->n; i++)
		if (rs->rules[i]->rule.kind == RULE_DETECTION)
			collect_said(h, rs->rules[i]->condition);
	for (size_t i = 0; i < rs->n; i++) {
		const struct compiled *c = rs->rules[i];

		h->said_at = h->n_said * i / rs->n;
		for (size_t v = 0; c->rule.kind == RULE_DETECTION && !c->no_source && v < c->n_variants; v++)
			attack(h, c, v);
		if (i % 500 == 499)
			say("%zu of %zu rules, the worst value so far took %.3f ms", i + 1, rs->n, h->worst * 1e3);
	}
	snprintf(text, sizeof text, "%.0f us: %.60s, %s", h->worst * 1e6, h->worst_rule, h->worst_how);
	if (b->mean_us > 0)
		figure("worst 32 KB value for any rule (matching) / mean event", 1000, 100, h->worst * 1e6 / b->mean_us, "", text);
	else
		say("%s", text);
	fact("32 KB values: tried", (double)h->tried, "");
	fact("32 KB values: rules that were reached", (double)h->rules, "");
	fact("32 KB values: rules whose event could not be made up", (double)h->unreached, "");
	fact("32 KB values: that took more than 1 ms", (double)h->over_ms, "");
	fact("32 KB values: mean", h->total * 1e6 / (double)h->tried, "us");
	matcher_free(h->matcher);
	free(h->said);
	free(h);
	ruleset_free(rs);
}
