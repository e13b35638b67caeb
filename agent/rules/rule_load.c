/* rule_load.c - one YAML document becomes one compiled rule.
 *
 * Why: everything that can be wrong with a rule is found here, before the first event.
 * Promises: a rule that is loaded means what it says; of one that is not everything that is wrong is told, each with its place and
 * what to write instead, except what hangs on another fault.
 * Refuses: documents that are neither detection nor correlation, missing title, logsource or detection, unknown levels. */
#include "rules/rule_load.h"

#include <string.h>

#include "base/text.h"

static const char *const levels[] = {"informational", "low", "medium", "high", "critical", NULL};

const char *level_text(enum rule_level l)
{
	return levels[l];
}

bool level_parse(const char *s, enum rule_level *l)
{
	for (size_t i = 0; levels[i]; i++)
		if (strcmp(s, levels[i]) == 0) {
			*l = (enum rule_level)i;
			return true;
		}
	return false;
}

static const char *const sigma_keys[] = {"title", "id", "name", "related", "taxonomy", "status", "description", "license",
	"references", "author",
					 "date", "modified", "fields", "falsepositives", "level", "tags", "scope", "logsource", "detection",
					 "correlation", "filter", "action", "generate", "evmend", NULL};

/* Sigma allows keys of one's own; one that is nearly a known one is a typing error more likely than not. */
static void look_for_typos(struct loader *l, const struct yaml_node *doc)
{
	for (size_t i = 0; i < doc->n; i++) {
		const char *key = doc->keys[i]->text, *near = NULL;
		size_t k = 0;

		while (sigma_keys[k] && strcmp(sigma_keys[k], key) != 0)
			k++;
		if (!sigma_keys[k] && (near = text_nearest(key, sigma_keys)))
			warn_as(l, LINT_KEY_TYPO, doc->keys[i], "unknown key '%s'; did you mean '%s'?", key, near);
	}
}

static bool read_text(struct loader *l, const struct yaml_node *doc, const char *key, const char **to)
{
	const struct yaml_node *n = yaml_get(doc, key);

	*to = "";
	if (n && n->kind != YAML_SCALAR)
		return refuse(l, n, "'%s' must be a text", key);
	*to = keep(l, n);
	return true;
}

static bool read_head(struct loader *l, const struct yaml_node *doc, struct rule *r)
{
	const struct yaml_node *n, *level = yaml_get(doc, "level");
	const char *taxonomy;
	bool good;

	r->file = l->path;
	r->line = doc->line;
	r->level = LEVEL_MEDIUM;
	good = read_text(l, doc, "title", &r->title);
	if (good && !*r->title)
		good = refuse(l, doc, "the rule has no 'title'");
	good = read_text(l, doc, "id", &r->id) && good;
	good = read_text(l, doc, "name", &r->name) && good;
	good = read_text(l, doc, "status", &r->status) && good;
	good = read_text(l, doc, "taxonomy", &taxonomy) && good;
	if (!*r->id && !*r->name)
		r->id = r->title;
	if (*taxonomy && strcmp(taxonomy, "sigma") != 0)
		good = refuse(l, yaml_get(doc, "taxonomy"), "taxonomy '%s' is not known; only 'sigma' is", taxonomy);
	if (level && (level->kind != YAML_SCALAR || !level_parse(level->text, &r->level)))
		good = refuse(l, level, "'level' is informational, low, medium, high or critical");
	n = yaml_get(doc, "tags");
	return (!n || yaml_is_null(n) || (n->kind == YAML_LIST && n->n == 0) || texts(l, n, "tags", &r->tags, &r->n_tags)) && good;
}

typedef const struct log_set *look_up_fn(const struct logsources *t, const char *product, const char *name, const char **nearest);

static const struct log_set *product_set(const struct logsources *t, const char *product, const char *name, const char **nearest)
{
	(void)product;
	return logsource_product(t, name, nearest);
}

static bool read_source(struct loader *l, const struct yaml_node *logsource, const char *key, look_up_fn *look_up,
	const struct logsources *t,
			struct compiled *c, const struct log_set **to)
{
	const struct yaml_node *n = yaml_get(logsource, key);
	const char *nearest;

	if (!n)
		return true;
	if (n->kind != YAML_SCALAR || n->len == 0)
		return refuse(l, n, "'%s' must be a text", key);
	*to = look_up(t, *c->rule.product ? c->rule.product : NULL, n->text, &nearest);
	if (!*to && c->no_source) { /* told already: the product is none that is known */
	} else if (!*to) {
		warn_as(l, LINT_NO_SOURCE, n, "no event source is known for %s '%s', so this rule never matches%s%s%s", key, n->text,
			nearest ? "; did you mean '" : "",
			nearest ? nearest : "", nearest ? "'?" : "");
		c->no_source = true;
	} else if ((*to)->n == 0) {
		warn_as(l, LINT_NO_SOURCE, n, "no event log has the events of %s '%s' (%s), so this rule never matches", key, n->text,
			(*to)->reason);
		c->no_source = true;
	}
	return true;
}

static const char *const logsource_keys[] = {"product", "service", "category", "definition", NULL};

static bool read_logsource(struct loader *l, const struct logsources *t, const struct yaml_node *doc, struct compiled *c)
{
	const struct yaml_node *n = yaml_get(doc, "logsource");
	bool good;

	if (!n)
		return refuse(l, doc, "the rule has no 'logsource'");
	good = only_keys(l, n, "logsource", logsource_keys);
	if (!read_text(l, n, "product", &c->rule.product) || !read_text(l, n, "service", &c->rule.service) ||
	    !read_text(l, n, "category", &c->rule.category))
		return false;
	good = read_source(l, n, "product", product_set, t, c, &c->product) && good;
	good = read_source(l, n, "service", logsource_service, t, c, &c->service) && good;
	good = read_source(l, n, "category", logsource_category, t, c, &c->category) && good;
	if (good && !yaml_get(n, "product") && !yaml_get(n, "service") && !yaml_get(n, "category"))
		good = refuse(l, n, "'logsource' needs a product, service or category");
	c->n_variants = c->category && c->category->n ? c->category->n : 1;
	return good;
}

struct compiled *rule_compile(struct loader *l, const struct logsources *sources, const struct yaml_node *doc)
{
	struct compiled *c = arena_alloc(l->arena, sizeof *c);
	const struct yaml_node *n;
	bool good;

	c->n_variants = 1;
	c->rule.product = c->rule.service = c->rule.category = "";
	if (doc->kind != YAML_MAP) {
		refuse(l, doc, "a rule is a map of keys and values");
		return NULL;
	}
	look_for_typos(l, doc);
	good = read_head(l, doc, &c->rule);
	n = yaml_get(doc, "detection");
	if (yaml_get(doc, "correlation")) {
		c->rule.kind = RULE_CORRELATION;
		good = correlation_compile(l, c, doc) && good;
	} else if (n) {
		good = read_logsource(l, sources, doc, c) && good;
		good = detection_compile(l, c, n) && good;
	} else {
		good = refuse(l, doc, "the rule has neither 'detection' nor 'correlation'");
	}
	n = yaml_get(doc, "evmend");
	if (n)
		good = evmend_compile(l, c, n) && good;
	return good ? c : NULL;
}
