/* explain_item.c - one line of a detection against one event, in words.
 *
 * Why: "it does not match" helps nobody; which part of which value, and how near it was, does.
 * Promises: the answer stands already, from the program; the words follow it and not the other way round.
 * Refuses: to look for the nearest value of a list beyond NEAR_VALUES; it then only counts them. */
#include <string.h>

#include "base/text.h"
#include "rules/explain/explain_inside.h"

#define SHOWN 3          /* values of a field, values of a list */
#define OUTLINED 12      /* values of a list, where there is no event to compare them with */
#define NEAR_VALUES 500  /* of a list, compared with the event's value to find the nearest */

const char *explain_quote(struct arena *a, const char *s, size_t len, size_t at, size_t n)
{
	size_t room = EXPLAIN_TEXT, from = 0, to = len;
	char *text;

	if (len > room) {
		size_t before = n < room ? (room - n) / 2 : 0;

		from = at > before ? at - before : 0;
		from = from > len - room ? len - room : from;
		to = from + room;
		while (from > 0 && ((unsigned char)s[from] & 0xc0) == 0x80)
			from--;
		while (to < len && ((unsigned char)s[to] & 0xc0) == 0x80)
			to++;
	}
	text = arena_printf(a, "%s'%.*s'%s", from ? "..." : "", (int)(to - from), s + from, to < len ? "..." : "");
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return text;
}

static const char *value_text(struct arena *a, const struct value *v)
{
	return v->kind == VALUE_NULL ? "null" : explain_quote(a, v->text, strlen(v->text), 0, 0);
}

static bool has_modifier(const struct item *it, const char *modifier)
{
	const char *p = strchr(it->field, '|');
	size_t n = strlen(modifier);

	for (; p; p = strchr(p + 1, '|'))
		if (strcspn(p + 1, "|") == n && strncmp(p + 1, modifier, n) == 0)
			return true;
	return false;
}

/* Does the i-th value alone hold? */
static bool alone(const struct item *it, size_t i, struct run *r, size_t variant)
{
	const struct event *ev = r->view.ev;
	const struct value *v = &it->values[i];
	uint16_t at;

	for (size_t k = 0; !it->fields && k < ev->n; k++)
		if (!ev->fields[k].derived && value_holds(it, v, &r->view, variant, &ev->fields[k]))
			return true;
	at = it->fields ? view_first(&r->view, it->fields[variant]) : VIEW_NONE;
	if (v->kind == VALUE_NULL) {
		while (at != VIEW_NONE && view_field(&r->view, at)->len == 0)
			at = view_next(&r->view, at);
		return at == VIEW_NONE;
	}
	for (; at != VIEW_NONE; at = view_next(&r->view, at))
		if (value_holds(it, v, &r->view, variant, view_field(&r->view, at)))
			return true;
	return false;
}

static const char *wants(const struct item *it, size_t shown, struct arena *a)
{
	const char *text = "";

	if (it->exists)
		return it->exists_truth ? "true" : "false";
	for (size_t i = 0; i < it->n && i < shown; i++)
		text = arena_printf(a, "%s%s%s", text, i == 0 ? "" : it->all ? " and " : " or ", value_text(a, &it->values[i]));
	return it->n > shown ? arena_printf(a, "%s %s %zu more", text, it->all ? "and" : "or", it->n - shown) : text;
}

struct having { /* the values of the item's field */
	const struct event_field *first;
	size_t n;
	const char *text;
};

static struct having having(const struct item *it, struct run *r, size_t variant, struct arena *a)
{
	struct having h = {.text = ""};
	size_t name = strcspn(it->field, "|");

	for (uint16_t at = view_first(&r->view, it->fields[variant]); at != VIEW_NONE; at = view_next(&r->view, at)) {
		const struct event_field *f = view_field(&r->view, at);
		bool other = !text_same_n(f->name, strlen(f->name), it->field, name);

		if (h.n++ == 0)
			h.first = f;
		if (h.n <= SHOWN)
			h.text = arena_printf(a, "%s%s%s%s%s", h.text, h.n > 1 ? ", " : "", other ? f->name : "", other ? " " : "",
				explain_quote(a, f->value, f->len, 0, 0));
	}
	if (h.n > SHOWN)
		h.text = arena_printf(a, "%s and %zu more", h.text, h.n - SHOWN);
	return h;
}

/* The event has no such field; perhaps one that is nearly called so. */
static const char *absent(const struct item *it, struct run *r, struct arena *a)
{
	const char **names = arena_alloc(a, (r->view.ev->n + 1) * sizeof *names), *near;

	for (size_t i = 0; i < r->view.ev->n; i++)
		names[i] = r->view.ev->fields[i].name;
	near = text_nearest(arena_copy(a, it->field, strcspn(it->field, "|")), names);
	return near ? arena_printf(a, "the event has no such field; it has '%s'", near) : "the event has no such field";
}

/* Length of what both begin (end) with, ASCII case apart. */
static size_t common(const char *x, size_t xn, const char *y, size_t yn, bool at_end)
{
	size_t n = 0, most = xn < yn ? xn : yn;

	while (n < most && (at_end ? text_same_n(x + xn - n - 1, 1, y + yn - n - 1, 1) : text_same_n(x + n, 1, y + n, 1)))
		n++;
	return n;
}

/* The value of the list that is nearest to what the event has. */
static size_t nearest(const struct item *it, const struct event_field *f, bool at_end)
{
	size_t best = 0, best_n = 0;

	for (size_t i = 0; i < it->n && i < NEAR_VALUES; i++) {
		size_t n = common(it->values[i].text, strlen(it->values[i].text), f->value, f->len, at_end);

		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	return best;
}

/* The end (beginning) of the event's value, a little longer than what was wanted there. */
static const char *edge(struct arena *a, const struct event_field *f, size_t wanted, bool at_end)
{
	size_t n = wanted + 8 < f->len ? wanted + 8 : f->len;

	return explain_quote(a, at_end ? f->value + f->len - n : f->value, n, at_end ? n : 0, 0);
}

static bool only_case(const struct item *it, const struct event_field *f)
{
	for (size_t i = 0; it->cased && i < it->n && i < NEAR_VALUES; i++)
		if (text_has(f->value, f->len, it->values[i].text))
			return true;
	return false;
}

static const char *no_text(const struct item *it, const struct having *h, struct arena *a)
{
	bool ends = has_modifier(it, "endswith"), starts = has_modifier(it, "startswith");
	const struct value *v = &it->values[nearest(it, h->first, ends)];
	const char *others = it->n > 1 ? arena_printf(a, ", nor is it any other of the %zu values", it->n) : "";

	if (only_case(it, h->first))
		return "capital letters count here, and they differ";
	if (h->first->len == 0 && h->n == 1)
		return "the field is there and empty";
	if (has_modifier(it, "contains"))
		return it->n > 1 ? arena_printf(a, "none of the %zu values is in it", it->n) : arena_printf(a, "%s is not in it", value_text(a, v));
	if (has_modifier(it, "re"))
		return "the expression is not found in it";
	if (h->n > 1)
		return it->n > 1 ? "no value of the field is one of the list" : "no value of the field is that";
	if (it->n == 1 && h->first->len <= strlen(v->text) + 8)
		return NULL;
	if (ends || starts)
		return arena_printf(a, "it %s with %s, not with %s%s", ends ? "ends" : "begins", edge(a, h->first, strlen(v->text), ends),
			value_text(a, v), it->n > 1 ? arena_printf(a, " or any other of the %zu values", it->n) : "");
	return arena_printf(a, "it is not %s%s", value_text(a, v), others);
}

static const char *no_reason(const struct item *it, const struct having *h, struct arena *a)
{
	switch (it->values[0].kind) {
	case VALUE_NULL:
		return "the field is there and not empty";
	case VALUE_COMPARE: {
		struct number n;

		return number_parse(h->first->value, h->first->len, &n) ? "the comparison does not hold" : "it is no number";
	}
	case VALUE_FIELD:
		return "it is not what the other field has, or the event lacks that field";
	case VALUE_CIDR:
		return "it is no address of these networks";
	case VALUE_TIME_PART:
		return "that part of the time is another, or it is no time";
	default:
		return no_text(it, h, a);
	}
}

/* Where a value's text stands in the event's value. */
static size_t place(const char *value, size_t len, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; n > 0 && i + n <= len; i++)
		if (text_same_n(value + i, n, text, n))
			return i;
	return SIZE_MAX;
}

static const char *yes_value(const struct item *it, size_t i, const struct having *h, struct arena *a)
{
	const struct value *v = &it->values[i];
	size_t at;

	if (v->kind == VALUE_NULL)
		return h->n ? "the field is empty" : "the event has no such field";
	if (v->kind == VALUE_PATTERN && h->n && (at = place(h->first->value, h->first->len, v->text)) != SIZE_MAX &&
	    at + strlen(v->text) > EXPLAIN_TEXT)
		return arena_printf(a, "%s is in %s", value_text(a, v), explain_quote(a, h->first->value, h->first->len, at, strlen(v->text)));
	if (it->n == 1)
		return NULL; /* what is wanted and what is there stand side by side */
	return arena_printf(a, "%s fits", value_text(a, v));
}

/* All values of the list must hold: which does not? */
static const char *missing(const struct item *it, struct run *r, size_t variant, struct arena *a)
{
	const char *text = "";
	size_t n = 0;

	for (size_t i = 0; i < it->n; i++)
		if (!alone(it, i, r, variant) && ++n <= SHOWN)
			text = arena_printf(a, "%s%s%s", text, n > 1 ? ", " : "", value_text(a, &it->values[i]));
	if (n > SHOWN)
		return arena_printf(a, "%zu of the %zu values are missing: %s ...", n, it->n, text);
	return arena_printf(a, "%s %s missing", text, n == 1 ? "is" : "are");
}

static const char *values_why(const struct item *it, struct run *r, size_t variant, const struct having *h, bool hold,
	struct arena *a)
{
	if (hold && it->all && it->n > 1)
		return arena_printf(a, "all %zu values are there", it->n);
	for (size_t i = 0; hold && i < it->n; i++)
		if (alone(it, i, r, variant))
			return yes_value(it, i, h, a);
	if (!it->fields)
		return it->all && it->n > 1 ? missing(it, r, variant, a) : "no value of the event has it";
	if (h->n == 0)
		return absent(it, r, a);
	return it->all && it->n > 1 ? missing(it, r, variant, a) : no_reason(it, h, a);
}

void outline_item(const struct item *it, struct arena *a, struct explained *to)
{
	to->kind = EXPLAINED_ITEM;
	to->field = it->field;
	to->wants = wants(it, OUTLINED, a);
}

void explain_item(const struct item *it, struct run *r, size_t variant, struct arena *a, struct explained *to)
{
	struct having h = {.text = NULL};

	to->kind = EXPLAINED_ITEM;
	to->field = it->field;
	to->wants = wants(it, SHOWN, a);
	if (it->fields) {
		h = having(it, r, variant, a);
		to->has = h.n ? h.text : NULL;
	}
	if (it->exists)
		to->why = h.n ? "the event has the field" : "the event has no such field";
	else
		to->why = values_why(it, r, variant, &h, to->holds != it->negated, a);
	if (it->negated && !it->exists)
		to->why = arena_printf(a, "neq turns it round%s%s", to->why ? ": " : "", to->why ? to->why : "");
}
