/* tune.c - a filter from marked findings.
 *
 * Why: an exception that is written by hand is too wide more often than not.
 * Promises: the selection holds for every false finding and for none that is true; fields that say what ran come before who ran it, and
 * before where. Numbers and times that differ from run to run are never used.
 * Refuses: findings that no values tell apart. */
#include "rules/tune/tune.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "limits.h"
#include "rules/tune/tune_yaml.h"

#define VALUE_MOST 2048 /* bytes; a longer value is compared by its beginning alone */
#define LIST_MOST 3     /* different values that may stand side by side */
#define NEEDED_MOST 4   /* fields in a selection */
#define ALONE 2         /* fields where no finding is marked as true: nothing shows which are needed */
#define PREFIX_LEAST 10
#define SUFFIX_LEAST 4

/* What a finding is told by, best first; any other field of the event comes behind these, the host last. */
static const char *const best[] = {"Image", "ParentImage", "OriginalFileName", "CommandLine", "ParentCommandLine", "TargetFilename",
	"TargetObject", "Details", "ImageLoaded", "SourceImage", "TargetImage", "ServiceName", "ServiceFileName", "ImagePath", "TaskName",
	"ScriptBlockText", "PipeName", "QueryName", "DestinationHostname", "DestinationIp", "ProcessName", "Company", "Product", "User",
	"SubjectUserName", "TargetUserName", NULL};
/* Differs from run to run, or says nothing. Ends of names. */
static const char *const never[] = {"guid", "processid", "threadid", "logonid", "utctime", "time", "recordid", "sessionid", "port",
	"hashes", "rulename", "data", "handleid", "keywords", NULL};

struct held { /* a field of one event */
	const char *name, *value;
	size_t len;
};

struct marked {
	struct held *fields;
	size_t n;
	bool is_false;
	const char *host;
	int64_t time;
};

struct tune {
	const struct ruleset *rs;
	const struct rule *rule;
	struct arena *arena;
	struct marked *list;
	size_t n, cap, n_false;
};

struct tune *tune_new(const struct ruleset *rs, const struct rule *r)
{
	struct tune *t = xcalloc(1, sizeof *t);

	t->rs = rs;
	t->rule = r;
	t->arena = arena_new(1u << 18);
	return t;
}

void tune_free(struct tune *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->list);
	free(t);
}

static bool is_best(const char *name)
{
	for (size_t i = 0; best[i]; i++)
		if (text_same(best[i], name))
			return true;
	return false;
}

static bool is_usable(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; never[i]; i++) {
		size_t k = strlen(never[i]);

		if (n >= k && text_same_n(name + n - k, k, never[i], k))
			return false;
	}
	for (const char *c = name; *c; c++) /* a key of YAML and a field of Sigma, without any quotes */
		if (!isalnum((unsigned char)*c) && *c != '_')
			return false;
	return true;
}

static void keep_field(struct tune *t, struct marked *m, const char *name, const char *value, size_t len)
{
	if (!value || len == 0 || (len == 1 && *value == '-'))
		return;
	m->fields[m->n++] = (struct held){arena_copy(t->arena, name, strlen(name)), arena_copy(t->arena, value, len), len};
}

int tune_event(struct tune *t, const struct event *ev, bool is_false, struct err *e)
{
	struct marked *m;
	size_t len;

	if (t->n == LIMIT_TUNE)
		return err_set(e, ERR_USAGE, "more than %d findings; give fewer events", LIMIT_TUNE);
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->list = xrealloc(t->list, t->cap, sizeof *t->list);
	}
	m = &t->list[t->n++];
	*m = (struct marked){.fields = arena_alloc(t->arena, (ev->n + sizeof best / sizeof best[0] + 1) * sizeof *m->fields),
		.is_false = is_false, .host = arena_copy(t->arena, ev->computer, strlen(ev->computer)), .time = ev->time};
	t->n_false += is_false;
	for (size_t i = 0; best[i]; i++) {
		const char *v = ruleset_value(t->rs, t->rule, ev, best[i], &len);
		const struct event_field *own = v ? NULL : event_get(ev, best[i]); /* no rule asks for it yet */

		keep_field(t, m, best[i], own ? own->value : v, own ? own->len : len);
	}
	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		if (!f->system && !f->derived && f->name && is_usable(f->name) && !is_best(f->name))
			keep_field(t, m, f->name, f->value, f->len);
	}
	keep_field(t, m, "Computer", ev->computer, strlen(ev->computer));
	return 0;
}

static const struct held *field_of(const struct marked *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (text_same(m->fields[i].name, name))
			return &m->fields[i];
	return NULL;
}

static bool choice_holds(const struct tune_choice *c, const struct marked *m)
{
	const struct held *f = field_of(m, c->field);

	for (size_t i = 0; f && i < c->n; i++) {
		size_t n = c->values[i].len;

		if (n <= f->len && text_same_n(c->how == TUNE_END ? f->value + f->len - n : f->value, n, c->values[i].text, n) &&
		    (c->how != TUNE_WHOLE || n == f->len))
			return true;
	}
	return false;
}

static size_t alike(const char *a, size_t an, const char *b, size_t bn, bool from_end)
{
	size_t n = 0;

	while (n < an && n < bn && text_same_n(from_end ? a + an - n - 1 : a + n, 1, from_end ? b + bn - n - 1 : b + n, 1))
		n++;
	return n;
}

static bool is_break(char c)
{
	return c == ' ' || c == '\\' || c == '/' || c == '"';
}

/* How much of the first value's beginning, or end, all false ones share, cut at a break. */
static size_t common(const struct tune *t, const char *name, const struct held *first, bool from_end)
{
	size_t n = first->len;

	for (size_t i = 0; i < t->n; i++) {
		const struct held *f = t->list[i].is_false ? field_of(&t->list[i], name) : NULL;
		size_t k = f ? alike(first->value, first->len, f->value, f->len, from_end) : n;

		n = k < n ? k : n;
	}
	while (n > 0 && (from_end ? first->value[first->len - n] != '\\' : !is_break(first->value[n - 1])))
		n--;
	return n >= (from_end ? (size_t)SUFFIX_LEAST : (size_t)PREFIX_LEAST) ? n : 0;
}

/* The distinct values of the false ones; more than LIST_MOST: LIST_MOST + 1. */
static size_t distinct(const struct tune *t, const char *name, struct tune_value to[static LIST_MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < t->n && n <= LIST_MOST; i++) {
		const struct held *f = t->list[i].is_false ? field_of(&t->list[i], name) : NULL;
		bool known = !f;

		for (size_t k = 0; k < n && k < LIST_MOST && !known; k++)
			known = text_same_n(to[k].text, to[k].len, f->value, f->len);
		if (known)
			continue;
		if (n < LIST_MOST)
			to[n] = (struct tune_value){f->value, f->len};
		n++;
	}
	return n;
}

/* What all false ones have in this field. false: nothing. */
static bool choose(struct tune *t, const struct held *first, struct tune_choice *to)
{
	struct tune_value *values = arena_alloc(t->arena, (LIST_MOST + 1) * sizeof *values);
	size_t longest = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].is_false) {
			const struct held *f = field_of(&t->list[i], first->name);

			if (!f || !tune_writable(f->value, f->len))
				return false;
			longest = f->len > longest ? f->len : longest;
		}
	*to = (struct tune_choice){.field = first->name, .values = values, .how = TUNE_WHOLE, .n = distinct(t, first->name, values)};
	if (to->n <= LIST_MOST && longest <= VALUE_MOST)
		return true;
	to->n = 1;
	to->how = TUNE_END;
	values[0].len = common(t, first->name, first, true);
	values[0].text = first->value + first->len - values[0].len;
	if (values[0].len == 0 || values[0].len > VALUE_MOST) {
		to->how = TUNE_BEGIN;
		values[0].len = common(t, first->name, first, false);
		values[0].text = first->value;
		while (values[0].len > VALUE_MOST || (values[0].len && !tune_writable(values[0].text, values[0].len)))
			values[0].len = values[0].len > VALUE_MOST ? VALUE_MOST : values[0].len - 1;
	}
	return values[0].len > 0 && tune_writable(values[0].text, values[0].len);
}

static int no_filter(const struct tune *t, const bool *left, struct err *e)
{
	const struct marked *m = NULL;
	size_t n = 0;
	char when[32];

	for (size_t i = 0; i < t->n; i++)
		if (left[i]) {
			m = m ? m : &t->list[i];
			n++;
		}
	if (!m)
		return err_set(e, ERR_RULES, "the false findings have no values in common that a filter could name");
	return err_set(e, ERR_RULES, "no filter: what all %zu false findings have in common, %zu of the true ones have too, the first at %s on "
		"%.100s; mark fewer at once, or change the rule", t->n_false, n, time_text(m->time, when), m->host);
}

int tune_propose(struct tune *t, struct buf *to, struct err *e)
{
	struct tune_choice chosen[NEEDED_MOST];
	size_t n = 0, left = t->n - t->n_false, most = left ? NEEDED_MOST : ALONE;
	const struct marked *first = NULL;
	bool *still = xcalloc(t->n + 1, sizeof *still); /* true ones that the selection would still leave out */
	int did;

	for (size_t i = 0; i < t->n; i++) {
		still[i] = !t->list[i].is_false;
		first = !first && t->list[i].is_false ? &t->list[i] : first;
	}
	for (size_t f = 0; first && f < first->n && n < most && (left || t->n == t->n_false); f++) {
		size_t cut = 0;

		if (!choose(t, &first->fields[f], &chosen[n]))
			continue;
		for (size_t i = 0; i < t->n; i++)
			cut += still[i] && !choice_holds(&chosen[n], &t->list[i]);
		if (left && !cut)
			continue; /* tells nothing apart */
		for (size_t i = 0; i < t->n; i++)
			still[i] = still[i] && choice_holds(&chosen[n], &t->list[i]);
		left -= cut;
		n++;
	}
	did = !first ? err_set(e, ERR_RULES, "no finding is marked as false") : left || !n ? no_filter(t, still, e) : 0;
	if (did == 0)
		tune_write(t->rule, chosen, n, to);
	free(still);
	return did;
}
