/* correlation_condition.c - `condition:` of a correlation: bounds on a number, or an expression over rule names.
 *
 * Why: whether a correlation can be decided at once, or only when its window closes, hangs on the condition alone.
 * Promises: all operators, several mean and; expressions with and, or, not and parentheses; what holds and what does not is asked
 * here, by loading and by running alike.
 * Refuses: conditions that can never hold or always do, counts above CORR_COUNT, names that `rules` does not list. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "rules/correlation.h"

static const char *const operators[] = {"gt", "gte", "lt", "lte", "eq", "neq", NULL};

bool correlation_bounds_hold(const struct correlation *c, double value)
{
	for (size_t i = 0; i < c->n_bounds; i++) {
		double than = c->bounds[i].than;
		bool holds[] = {value > than, value >= than, value < than, value <= than, value == than, value != than};

		if (!holds[c->bounds[i].op])
			return false;
	}
	return true;
}

bool correlation_rules_hold(const struct correlation *c, uint64_t rules)
{
	bool stack[LIMIT_DEPTH + 2] = {false};
	size_t n = 0;

	if (c->n_steps == 0)
		return correlation_bounds_hold(c, (double)__builtin_popcountll(rules));
	for (size_t i = 0; i < c->n_steps; i++) {
		const struct corr_step *s = &c->steps[i];

		if (s->kind == STEP_RULE) {
			stack[n++] = rules >> s->rule & 1;
		} else if (s->kind == STEP_NOT) {
			stack[n - 1] = !stack[n - 1];
		} else {
			n--;
			stack[n - 1] = s->kind == STEP_AND ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
		}
	}
	return stack[0];
}

struct parse {
	struct loader *l;
	const struct yaml_node *at;
	const struct compiled *c; /* NULL: only the names are wanted */
	const char *p, *token;
	size_t len;
	const char **names;
	size_t n_names;
	struct corr_step *steps;
	size_t n_steps, stack, depth;
	bool negated;
};

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void advance(struct parse *q)
{
	q->p += strspn(q->p, " \t\r\n");
	q->token = q->p;
	while (name_char(*q->p))
		q->p++;
	if (q->p == q->token && *q->p)
		q->p++;
	q->len = (size_t)(q->p - q->token);
}

static bool is(const struct parse *q, const char *word)
{
	return text_same_n(q->token, q->len, word, strlen(word));
}

static bool fail(struct parse *q, const char *what)
{
	if (q->len == 0)
		return refuse(q->l, q->at, "the condition ends where %s should stand", what);
	return refuse(q->l, q->at, "'%.*s' in the condition where %s should stand; names of rules are letters, digits and '_', so that a rule "
		"with another name needs a 'name'", (int)q->len, q->token, what);
}

static bool step(struct parse *q, enum corr_step_kind kind, size_t rule)
{
	if (q->n_steps >= CORR_STEPS || q->stack >= LIMIT_DEPTH)
		return refuse(q->l, q->at, "the condition is too long or too deeply nested");
	q->stack = kind == STEP_RULE ? q->stack + 1 : kind == STEP_NOT ? q->stack : q->stack - 1;
	q->negated = q->negated || kind == STEP_NOT;
	q->steps[q->n_steps++] = (struct corr_step){(uint8_t)kind, (uint8_t)rule};
	return true;
}

static bool name_of(struct parse *q)
{
	size_t r;

	if (q->len == 0 || !name_char(*q->token) || (*q->token >= '0' && *q->token <= '9') || is(q, "and") || is(q, "or") || is(q, "not"))
		return fail(q, "the name of a rule");
	for (r = 0; r < q->n_names; r++)
		if (strlen(q->names[r]) == q->len && memcmp(q->names[r], q->token, q->len) == 0)
			break;
	if (r == q->n_names) {
		if (q->c)
			return refuse(q->l, q->at, "the condition names '%.*s', which 'rules' does not list", (int)q->len, q->token);
		if (r == CORR_RULES)
			return refuse(q->l, q->at, "a correlation may refer to %d rules at most", CORR_RULES);
		q->names[q->n_names++] = arena_copy(q->l->arena, q->token, q->len);
	}
	advance(q);
	return step(q, STEP_RULE, r);
}

static bool parse_or(struct parse *q);

static bool unary(struct parse *q)
{
	bool good;

	if (++q->depth > LIMIT_DEPTH)
		return refuse(q->l, q->at, "the condition is too deeply nested");
	if (is(q, "not")) {
		advance(q);
		good = unary(q) && step(q, STEP_NOT, 0);
	} else if (is(q, "(")) {
		advance(q);
		good = parse_or(q) && (is(q, ")") || fail(q, "')'"));
		if (good)
			advance(q);
	} else {
		good = name_of(q);
	}
	q->depth--;
	return good;
}

static bool chain(struct parse *q, const char *word, enum corr_step_kind kind, bool (*part)(struct parse *))
{
	if (!part(q))
		return false;
	while (is(q, word)) {
		advance(q);
		if (!part(q) || !step(q, kind, 0))
			return false;
	}
	return true;
}

static bool parse_and(struct parse *q)
{
	return chain(q, "and", STEP_AND, unary);
}

static bool parse_or(struct parse *q)
{
	return chain(q, "or", STEP_OR, parse_and);
}

static bool parse(struct parse *q)
{
	advance(q);
	return parse_or(q) && (q->len == 0 || fail(q, "'and', 'or' or the end"));
}

bool expression_names(struct loader *l, const struct yaml_node *at, const char *const **to, size_t *n)
{
	struct corr_step steps[CORR_STEPS];
	struct parse q = {.l = l, .at = at, .p = at->text, .steps = steps};

	q.names = arena_alloc(l->arena, CORR_RULES * sizeof *q.names);
	if (!parse(&q))
		return false;
	*to = q.names;
	*n = q.n_names;
	return true;
}

/* Which sets of rules make it true is tried out where that is quick. */
static bool can_hold(const struct correlation *c, size_t n_rules)
{
	if (n_rules > 10)
		return true;
	for (uint64_t set = 1; set < UINT64_C(1) << n_rules; set++)
		if (correlation_rules_hold(c, set))
			return true;
	return false;
}

static bool read_expression(struct loader *l, struct compiled *c, const struct yaml_node *n)
{
	struct correlation *to = &c->correlation;
	struct corr_step steps[CORR_STEPS] = {{0}}, *kept;
	struct parse q = {.l = l, .at = n, .c = c, .p = n->text, .steps = steps, .n_names = c->n_references};
	uint64_t used = 0;

	q.names = arena_alloc(l->arena, (q.n_names + 1) * sizeof *q.names);
	for (size_t i = 0; i < q.n_names; i++)
		q.names[i] = c->references[i].text;
	if (!parse(&q))
		return false;
	for (size_t i = 0; i < q.n_steps; i++)
		used |= steps[i].kind == STEP_RULE ? UINT64_C(1) << steps[i].rule : 0;
	for (size_t i = 0; i < q.n_names; i++)
		if (!(used >> i & 1))
			return refuse(l, n, "'rules' lists '%s', which the condition does not name", q.names[i]);
	kept = arena_alloc(l->arena, q.n_steps * sizeof *kept);
	memcpy(kept, steps, q.n_steps * sizeof *kept);
	to->steps = kept;
	to->n_steps = q.n_steps;
	to->closes = q.negated;
	return can_hold(to, q.n_names) || refuse(l, n, "the condition can never hold");
}

static bool counts(const struct correlation *c)
{
	return c->type == CORR_EVENT_COUNT || c->type == CORR_VALUE_COUNT || c->type == CORR_TEMPORAL || c->type == CORR_TEMPORAL_ORDERED;
}

/* A number at a bound, next to one or between two shows whether all of them can hold at once. */
static bool bounds_can_hold(const struct correlation *c, double most)
{
	static const double beside[] = {-1, -0.5, 0, 0.5, 1};

	for (size_t i = 0; i < c->n_bounds; i++)
		for (size_t k = 0; k < sizeof beside / sizeof *beside; k++) {
			double v = c->bounds[i].than + beside[k];

			if (counts(c) ? (v = floor(v)) >= 1 && v <= most && correlation_bounds_hold(c, v) : correlation_bounds_hold(c, v))
				return true;
		}
	for (size_t i = 0; i < c->n_bounds && !counts(c); i++)
		for (size_t k = 0; k < i; k++)
			if (correlation_bounds_hold(c, (c->bounds[i].than + c->bounds[k].than) / 2))
				return true;
	return counts(c) && correlation_bounds_hold(c, 1);
}

static bool read_bound(struct loader *l, struct correlation *to, const struct yaml_node *key, const struct yaml_node *n)
{
	struct number v;
	size_t op = 0;

	while (operators[op] && strcmp(operators[op], key->text) != 0)
		op++;
	if (n->kind != YAML_SCALAR || !number_parse(n->text, n->len, &v))
		return refuse(l, n, "'%s' takes a number", key->text);
	if (counts(to) && (v.real < 0 || v.real > CORR_COUNT))
		return refuse(l, n, "'%s' takes a number from 0 to %d", key->text, CORR_COUNT);
	if (op > 1)
		to->closes = true;
	to->bounds[to->n_bounds++] = (struct corr_bound){(enum corr_op)op, v.real};
	return true;
}

static bool read_percentile(struct loader *l, struct correlation *to, const struct yaml_node *corr, const struct yaml_node *n)
{
	struct number v;

	to->percentile = 50;
	if (to->type != CORR_VALUE_PERCENTILE)
		return !n || refuse(l, n, "'percentile' belongs to the type value_percentile");
	if (!n)
		return refuse(l, corr, "value_percentile needs 'percentile: 0 to 100' in its condition, beside the bound of that percentile");
	if (n->kind != YAML_SCALAR || !number_parse(n->text, n->len, &v) || v.real < 0 || v.real > 100)
		return refuse(l, n, "'percentile' is a number from 0 to 100");
	to->percentile = v.real;
	return true;
}

static bool read_bounds(struct loader *l, struct compiled *c, const struct yaml_node *n)
{
	static const char *const known[] = {"gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile", NULL};
	struct correlation *to = &c->correlation;
	bool temporal = to->type == CORR_TEMPORAL || to->type == CORR_TEMPORAL_ORDERED, good = true;

	if (!only_keys(l, n, "the condition of a correlation", known))
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->keys[i]->text, "field") != 0 && strcmp(n->keys[i]->text, "percentile") != 0)
			good = read_bound(l, to, n->keys[i], n->items[i]) && good;
	if (!good)
		return false;
	if (to->n_bounds == 0)
		return refuse(l, n, "the condition needs one of gt, gte, lt, lte, eq and neq, such as {gte: 10}");
	if (!read_percentile(l, to, n, yaml_get(n, "percentile")))
		return false;
	if (!bounds_can_hold(to, temporal ? (double)c->n_references : CORR_COUNT))
		return refuse(l, n, temporal ? "the condition can never hold: there are only %zu rules" : "the condition can never hold",
			c->n_references);
	if (counts(to) && !to->closes && correlation_bounds_hold(to, 0))
		return refuse(l, n, "a count of 0 holds always; write gte: 1 or more");
	return true;
}

bool correlation_condition(struct loader *l, struct compiled *c, const struct yaml_node *corr)
{
	const struct yaml_node *n = yaml_get(corr, "condition");
	struct correlation *to = &c->correlation;
	bool temporal = to->type == CORR_TEMPORAL || to->type == CORR_TEMPORAL_ORDERED, good = true;

	if (to->type == CORR_ABSENT) {
		to->closes = true;
		good = !n || refuse(l, n, "absent takes no condition: the first rule, and none of the others within the timespan");
	} else if (!n && temporal) {
		to->bounds[to->n_bounds++] = (struct corr_bound){OP_GTE, (double)c->n_references};
	} else if (!n) {
		good = refuse(l, corr, "%s needs a 'condition' such as {gte: 10}", correlation_type_text(to->type));
	} else if (n->kind == YAML_SCALAR && temporal && !yaml_is_null(n)) {
		good = read_expression(l, c, n);
	} else if (n->kind == YAML_SCALAR) {
		good = refuse(l, n, "only temporal and temporal_ordered take an expression; %s needs a map such as {gte: 10}",
			correlation_type_text(to->type));
	} else {
		good = read_bounds(l, c, n);
	}
	if (to->type == CORR_VALUE_AVG || to->type == CORR_VALUE_MEDIAN || to->type == CORR_VALUE_PERCENTILE)
		to->closes = true;
	if (to->quiet < 0)
		to->quiet = to->closes && to->type != CORR_ABSENT ? 0 : to->timespan;
	if (counts(to) && !to->closes && to->n_bounds)
		for (to->at_least = 1; !correlation_bounds_hold(to, (double)to->at_least);)
			to->at_least++;
	return good;
}
