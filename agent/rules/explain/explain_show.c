/* explain_show.c - an explanation as text for people and as a JSON tree for programs.
 *
 * Promises: one line a condition, its answer in front, '>' where the line decides; where the rule does not hold the deciding lines once
 * more below, so that nobody has to search a long rule.
 * Refuses: nothing. */
#include <string.h>

#include "rules/explain/explain.h"

#define WIDE 110   /* columns of a line that takes the reason along */
#define BECAUSE 3  /* deciding lines told again */

static const char *const kind_text[] = {"rule", "logsource", "all of", "one of", "some of", "not", ""};

static void words(const struct explained *n, struct buf *to)
{
	if (n->label)
		buf_printf(to, "%s: ", n->label);
	if (n->kind == EXPLAINED_ITEM)
		buf_printf(to, "%s: %s", n->field, n->wants);
	else if (n->kind == EXPLAINED_SOURCE)
		buf_printf(to, "logsource: %s", n->wants);
	else if (n->kind == EXPLAINED_SOME)
		buf_printf(to, "%s of", n->wants);
	else
		buf_str(to, kind_text[n->kind]);
}

static void reason(const struct explained *n, struct buf *to)
{
	bool same = n->holds && n->has && !n->why && strcmp(n->has, n->wants) == 0;

	if (n->has && !same)
		buf_printf(to, "the event has %s%s", n->has, n->why ? ": " : "");
	buf_str(to, n->why ? n->why : "");
}

static void line(const struct explained *n, int depth, struct buf *to)
{
	struct buf what, why;

	buf_init(&what, 1u << 20);
	buf_init(&why, 1u << 20);
	words(n, &what);
	buf_printf(to, "%c %-4s %*s%s", n->decides ? '>' : ' ', n->holds ? "yes" : "no", 2 * depth, "", buf_text(&what));
	reason(n, &why);
	if (why.n) {
		if (2 * (size_t)depth + what.n + why.n + 12 > WIDE)
			buf_printf(to, "\n       %*s  ", 2 * depth, "");
		else
			buf_str(to, "   ");
		buf_str(to, buf_text(&why));
	}
	buf_char(to, '\n');
	buf_free(&what);
	buf_free(&why);
}

static void tree(const struct explained *n, int depth, struct buf *to)
{
	line(n, depth, to);
	for (size_t i = 0; i < n->n; i++)
		tree(&n->kids[i], depth + 1, to);
}

/* Each deciding line without parts. */
static void because(const struct explained *n, const char *selection, size_t *told, struct buf *to)
{
	if (!n->decides)
		return;
	if (n->label && n->kind != EXPLAINED_RULE)
		selection = n->label;
	for (size_t i = 0; i < n->n; i++)
		because(&n->kids[i], selection, told, to);
	if (n->n || (!n->why && !n->has) || ++*told > BECAUSE)
		return;
	buf_printf(to, "  because %s%s", selection ? selection : "", selection ? ": " : "");
	if (n->kind == EXPLAINED_ITEM)
		buf_printf(to, "%s: %s; ", n->field, n->wants);
	reason(n, to);
	buf_char(to, '\n');
}

static void outline(const struct explained *n, int depth, struct buf *to)
{
	buf_printf(to, "%*s", 2 * depth, "");
	if (n->kind == EXPLAINED_RULE)
		buf_printf(to, "%s%s%s", n->label, n->wants ? ": " : "", n->wants ? n->wants : "");
	else
		words(n, to);
	buf_char(to, '\n');
	for (size_t i = 0; i < n->n; i++)
		outline(&n->kids[i], depth + 1, to);
}

static void put_given(const struct explained *n, struct json_out *o)
{
	const char *const members[][2] = {{"name", n->label}, {"field", n->field}, {"wants", n->wants}, {"has", n->has}, {"why", n->why}};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i][1])
			json_put_str(o, members[i][0], members[i][1]);
}

static void put_parts(const struct explained *n, void (*put)(const struct explained *, const char *, struct json_out *),
	struct json_out *o)
{
	if (n->kind == EXPLAINED_ITEM || n->kind == EXPLAINED_SOURCE)
		return;
	json_open(o, "parts", '[');
	for (size_t i = 0; i < n->n; i++)
		put(&n->kids[i], NULL, o);
	json_close(o, ']');
}

void explain_text(const struct explained *n, struct buf *to)
{
	size_t told = 0;

	if (n->why)
		buf_printf(to, "  %s\n", n->why);
	for (size_t i = 0; i < n->n; i++) {
		if (n->kids[i].kind == EXPLAINED_RULE) { /* of a correlation */
			buf_printf(to, "  %-4s %s\n", n->kids[i].holds ? "yes" : "no", n->kids[i].label);
			explain_text(&n->kids[i], to);
		} else {
			tree(&n->kids[i], 0, to);
			if (n->kids[i].kind == EXPLAINED_SOURCE && !n->kids[i].holds)
				return; /* of another logsource: nothing else is asked */
		}
	}
	if (n->holds || (n->n && n->kids[0].kind == EXPLAINED_RULE))
		return;
	because(n, NULL, &told, to);
	if (told > BECAUSE)
		buf_printf(to, "  and %zu more lines with '>'\n", told - BECAUSE);
}

void explain_outline(const struct explained *n, struct buf *to)
{
	outline(n, 1, to);
}

void explain_outline_json(const struct explained *n, const char *key, struct json_out *o)
{
	json_open(o, key, '{');
	json_put_str(o, "kind", explained_words[n->kind]);
	put_given(n, o);
	put_parts(n, explain_outline_json, o);
	json_close(o, '}');
}

void explain_json(const struct explained *n, const char *key, struct json_out *o)
{
	json_open(o, key, '{');
	json_put_str(o, "kind", explained_words[n->kind]);
	json_put_bool(o, "holds", n->holds);
	json_put_bool(o, "decides", n->decides);
	put_given(n, o);
	put_parts(n, explain_json, o);
	json_close(o, '}');
}
