/* identity.c - no two rules with one id.
 *
 * Why: findings, silences and correlations name rules by id, or by name; that must mean one rule.
 * Promises: of two rules with an id the first stays; a rule that has nothing but a name takes it as an id too. A name may stand
 * twice as long as both have an id: then only who refers to it is refused. Linear in the number of rules.
 * Refuses: the second rule with an id, or with a name and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "rules/rule_load.h"

struct seen {
	struct hash_seed seed;
	struct compiled **slots; /* open addressing, a power of two, at most half full */
	size_t room;
	bool by_id;
};

static const char *key_of(const struct seen *s, const struct compiled *c)
{
	return s->by_id && *c->rule.id ? c->rule.id : c->rule.name;
}

/* Case counts in names, not in ids (RFC 9562, section 4: UUIDs are read in either case). */
static bool same(const struct seen *s, const struct compiled *a, const struct compiled *b)
{
	bool ids = s->by_id && (*a->rule.id || *b->rule.id);

	return ids ? text_same(key_of(s, a), key_of(s, b)) : strcmp(key_of(s, a), key_of(s, b)) == 0;
}

/* The slot of a rule with the key of c, or the empty one where it belongs. */
static struct compiled **slot_of(const struct seen *s, const struct compiled *c)
{
	const char *key = key_of(s, c);
	size_t i = (size_t)hash_fold(&s->seed, key, strlen(key)) & (s->room - 1);

	while (s->slots[i] && !same(s, s->slots[i], c))
		i = (i + 1) & (s->room - 1);
	return &s->slots[i];
}

static void look_for_doubles(struct loader *l, struct ruleset *rs, bool by_id)
{
	struct seen s = {.seed = hash_seed_draw(), .room = 64, .by_id = by_id};

	while (s.room < 2 * rs->n)
		s.room *= 2;
	s.slots = xcalloc(s.room, sizeof(struct compiled *));
	for (size_t i = 0; i < rs->n; i++) {
		struct compiled *c = rs->rules[i], **slot;
		const char *key = key_of(&s, c);

		if (c->dropped || !*key)
			continue;
		slot = slot_of(&s, c);
		if (!*slot) {
			*slot = c;
		} else if (by_id || !*c->rule.id || !*(*slot)->rule.id) {
			refuse_at(l, &c->rule, c->rule.line, LINT_DUPLICATE_ID, "%s '%s' is taken by %s:%d; this rule is left out",
				by_id && *c->rule.id ? "id" : "name", key, (*slot)->rule.file, (*slot)->rule.line);
			c->dropped = true;
			rs->refused++;
		} else {
			l->path = c->rule.file;
			warn_at(l, &(struct yaml_node){.line = c->rule.line, .column = 1},
				"name '%s' is also that of %s:%d, so neither can be referred to by its name", key, (*slot)->rule.file,
				(*slot)->rule.line);
		}
	}
	free(s.slots);
}

void rules_drop_doubles(struct loader *l, struct ruleset *rs)
{
	look_for_doubles(l, rs, true);
	look_for_doubles(l, rs, false);
}
