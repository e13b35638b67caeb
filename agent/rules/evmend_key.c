/* evmend_key.c - our own key of a rule: cause, host, hint, what disproves it, and what a match asks for.
 *
 * Why: a finding becomes a case only through this key.
 * Promises: a rule can never ask for more than a diagnosis.
 * Refuses: unknown keys and names (with the nearest one), hints with unbalanced braces. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "rules/compiled.h"

static const char *const causes[] = {RULE_CAUSES, NULL};
static const char *const thens[] = {"diagnose", "remember", "healed", "nothing", NULL};
static const char *const seens[] = {"cert-deleted", "record-deleted", "smtp-own-name", "smtp-other", "itc-gone", "tls-config",
	"auth-cert",
				    "frontend-endpoint", "backend-endpoint", "key-trouble", "hop-failed", "expiry", "record-created",
				    "smtp-cert-name", "smtp-expired", "edge", NULL};
static const char *const known[] = {"cause", "host", "hint", "disproved_by", "then", "seen", "consequence_of", "shadow", "budget",
	"allow", NULL};

/* Number i of what texts() read. */
static const struct yaml_node *text_node(const struct yaml_node *n, size_t i)
{
	return n->kind == YAML_LIST ? n->items[i] : n;
}

static bool pick(struct loader *l, const struct yaml_node *at, const char *key, const char *text, const char *const *names,
	size_t *which)
{
	for (*which = 0; names[*which]; ++*which)
		if (strcmp(text, names[*which]) == 0)
			return true;
	return refuse_unknown(l, LINT_REFUSED, at, key, text, names);
}

static bool pick_set(struct loader *l, const struct yaml_node *n, const char *key, const char *const *names, unsigned *set)
{
	const char *const *list;
	size_t many, which;
	bool good = true;

	*set = 0;
	if (!n)
		return true;
	if (!texts(l, n, key, &list, &many))
		return false;
	for (size_t i = 0; i < many; i++)
		if (pick(l, text_node(n, i), key, list[i], names, &which))
			*set |= 1u << which;
		else
			good = false;
	return good;
}

static bool pick_cause(struct loader *l, const struct yaml_node *n, const char *key, const char **to)
{
	size_t which;

	if (!n)
		return true;
	if (n->kind != YAML_SCALAR)
		return refuse(l, n, "'%s' must be the name of one cause", key);
	if (!pick(l, n, "cause", n->text, causes, &which))
		return false;
	*to = causes[which];
	return true;
}

/* {Field} with {{ and }} for braces; registers the fields, so that events keep them. */
static bool read_hint(struct loader *l, const struct yaml_node *n, const char **to)
{
	if (!n)
		return true;
	if (n->kind != YAML_SCALAR)
		return refuse(l, n, "'hint' must be a text");
	for (const char *p = n->text; *p; p++) {
		if ((p[0] == '{' && p[1] == '{') || (p[0] == '}' && p[1] == '}')) {
			p++;
			continue;
		}
		if (*p == '}')
			return refuse(l, n, "the hint has a '}' without '{'; write '}}' for a brace");
		if (*p != '{')
			continue;
		size_t len = strcspn(p + 1, "{}");

		if (len == 0 || len > 100 || p[1 + len] != '}')
			return refuse(l, n, "the hint has a '{' that no '}' closes; write '{{' for a brace");
		if (!field_id(l, n, arena_copy(l->arena, p + 1, len)))
			return false;
		p += 1 + len;
	}
	*to = keep(l, n);
	return true;
}

static bool read_hosts(struct loader *l, struct compiled *c, const struct yaml_node *n)
{
	if (!n)
		return true;
	if (!texts(l, n, "host", &c->hosts, &c->n_hosts))
		return false;
	for (size_t i = 0; i < c->n_hosts; i++)
		if (!field_id(l, n, c->hosts[i]))
			return false;
	c->rule.host_field = c->hosts[0];
	return true;
}

static bool read_allowed(struct loader *l, struct compiled *c, const struct yaml_node *n)
{
	const char *const *list, *near;
	bool good = true;
	enum lint *to;

	if (!n)
		return true;
	if (!texts(l, n, "allow", &list, &c->n_allowed))
		return false;
	c->allowed = to = arena_alloc(l->arena, c->n_allowed * sizeof *to);
	for (size_t i = 0; i < c->n_allowed; i++) {
		const struct yaml_node *at = text_node(n, i);

		to[i] = lint_find(list[i], &near);
		if (to[i] == LINT_COUNT)
			good = refuse(l, at, "no check is called '%s'%s%s%s", list[i], near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
		else if (lint_kinds[to[i]].error)
			good = refuse(l, at, "'%s' is an error and cannot be allowed", list[i]);
	}
	return good;
}

/* 20/1h */
static bool read_budget(struct loader *l, const struct yaml_node *n, struct rule_budget *to)
{
	const char *slash = n && n->kind == YAML_SCALAR ? strchr(n->text, '/') : NULL;
	int64_t count;

	if (!n)
		return true;
	if (!slash || !text_int(n->text, (size_t)(slash - n->text), &count) || count < 1 || count > RULE_BUDGET_MOST ||
	    !span_parse(slash + 1, &to->per) || to->per < US_SECOND || to->per > 400 * US_DAY)
		return refuse(l, n, "'budget' is a number of findings and a span, as in 20/1h; at most %d in at most 400d", RULE_BUDGET_MOST);
	to->count = (uint32_t)count;
	return true;
}

static bool read_text(struct loader *l, const struct yaml_node *n, const char *key, const char **to)
{
	if (!n)
		return true;
	if (n->kind != YAML_SCALAR)
		return refuse(l, n, "'%s' must be a text", key);
	*to = keep(l, n);
	return true;
}

/* Each part is read, so that all that is wrong is told at once. */
static bool read_all(struct loader *l, struct compiled *c, const struct yaml_node *evmend)
{
	struct rule *r = &c->rule;
	const bool good[] = {
		only_keys(l, evmend, "evmend", known),
		pick_cause(l, yaml_get(evmend, "cause"), "cause", &r->cause),
		pick_cause(l, yaml_get(evmend, "consequence_of"), "consequence_of", &r->consequence),
		read_hosts(l, c, yaml_get(evmend, "host")),
		read_hint(l, yaml_get(evmend, "hint"), &r->hint),
		read_text(l, yaml_get(evmend, "disproved_by"), "disproved_by", &r->disproved_by),
		pick_set(l, yaml_get(evmend, "then"), "then", thens, &r->then),
		pick_set(l, yaml_get(evmend, "seen"), "seen", seens, &r->seen),
		read_allowed(l, c, yaml_get(evmend, "allow")),
		flag(l, yaml_get(evmend, "shadow"), "shadow", &r->shadow),
		read_budget(l, yaml_get(evmend, "budget"), &r->budget),
	};

	return all_good(good, sizeof good / sizeof *good);
}

bool evmend_compile(struct loader *l, struct compiled *c, const struct yaml_node *evmend)
{
	struct rule *r = &c->rule;
	bool good = read_all(l, c, evmend);

	r->then &= THEN_DIAGNOSE | THEN_REMEMBER | THEN_HEALED; /* "nothing" adds nothing */
	if ((r->then & (THEN_DIAGNOSE | THEN_HEALED)) && !yaml_get(evmend, "cause"))
		good = refuse(l, evmend, "'then: %s' needs a cause", r->then & THEN_DIAGNOSE ? "diagnose" : "healed");
	if (r->cause && r->consequence)
		good = refuse(l, evmend, "a rule has a cause of its own or is a consequence of one, not both");
	return good;
}
