/* config_take.c - reads which records a sink wants.
 *
 * Why: a word that matches nothing keeps everything from a receiver, and nobody notices before it is missed. Promises: kinds, levels and causes
 * are those that there are. Refuses: others, with the list of what there is, and an empty list, which might mean all or none. */
#include <string.h>

#include "base/text.h"
#include "cases/case.h"
#include "proc/config_keys.h"
#include "rules/rule.h"

/* Texts of which a record has one. */
static int read_some(struct reader *r, node n, const char *key, const char *const **to, size_t *count)
{
	const char **texts;

	if (read_texts(r, n, key, &texts, count) < 0)
		return -1;
	*to = texts;
	if (!yaml_is_null(n) && !*count)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s is an empty list; leave it out to take all, or write what to take", key);
	return 0;
}

static int take_kinds(struct reader *r, node n, const char *key, struct sink_take *t)
{
	const char *const *kinds;
	size_t count;

	if (read_some(r, n, key, &kinds, &count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		int kind = RECORD_FINDING;

		while (kind < RECORD_KINDS && strcmp(kinds[i] ? kinds[i] : "", record_kind_text(kind)) != 0)
			kind++;
		if (kind == RECORD_KINDS)
			return yaml_err(r->f, n, r->e, ERR_USAGE, "take knows no '%s'; write some of finding, case, refusal, repair, ledger, agent, event",
				kinds[i] ? kinds[i] : "");
		t->kinds |= 1u << kind;
	}
	return 0;
}

static int take_level(struct reader *r, node n, struct sink_take *t)
{
	const char *s = NULL;
	enum rule_level level;

	if (yaml_is_null(n))
		return 0;
	if (yaml_str(r->f, n, "level", &s, r->e) < 0)
		return -1;
	if (!s || !level_parse(s, &level))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "unknown level '%s'; write informational, low, medium, high or critical", s ? s : "");
	t->level = (int)level;
	return 0;
}

static int take_causes(struct reader *r, node n, struct sink_take *t)
{
	char list[400];

	if (read_some(r, n, "causes", &t->causes, &t->n_causes) < 0)
		return -1;
	for (size_t i = 0; i < t->n_causes; i++) {
		const char *const *known = case_causes;

		while (*known && !text_same(*known, t->causes[i] ? t->causes[i] : ""))
			known++;
		if (!*known)
			return yaml_err(r->f, n, r->e, ERR_USAGE, "there is no cause '%s'; there are %s", t->causes[i] ? t->causes[i] : "",
				text_list(list, sizeof list, case_causes));
	}
	return 0;
}

/* Kinds alone, or a map of conditions that must all hold. */
int key_take(struct reader *r, node n, const struct key *k, void *to)
{
	static const char *const known[] = { "kinds", "level", "causes", "hosts", "labels", NULL };
	struct sink_take *t = to;

	if (n->kind != YAML_MAP)
		return take_kinds(r, n, k->name, t);
	if (read_map(r, n, k->name, known) < 0 || take_kinds(r, yaml_get(n, "kinds"), "kinds", t) < 0 || take_level(r, yaml_get(n, "level"), t) < 0 ||
		take_causes(r, yaml_get(n, "causes"), t) < 0 || read_some(r, yaml_get(n, "hosts"), "hosts", &t->hosts, &t->n_hosts) < 0)
		return -1;
	return read_labels(r, yaml_get(n, "labels"), &t->labels, &t->n_labels);
}
