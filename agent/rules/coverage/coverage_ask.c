/* coverage_ask.c - can a rule fire with what a host sends?
 *
 * Why: see coverage.c. Each rule is tried on each kind of event: what all events of a kind share decides exactly, what varies may be
 * anything, what was never there is absent.
 * Promises: values are compared by the function that matching uses; absent fields, null and `exists` mean what they mean there.
 * Refuses: nothing. */
#include <string.h>

#include "base/text.h"
#include "rules/coverage/coverage_inside.h"

#define SUBSETS 4096 /* of the rules of a correlation */

struct ask {
	const struct coverage *c;
	const struct kind *kind;
	struct look look; /* at the kind's event: what it has not is never there, or varies */
	size_t variant;
};

static bool saw(const struct kind *k, uint16_t id)
{
	return (size_t)(id >> 3) < k->n_seen && (k->seen[id >> 3] >> (id & 7) & 1);
}

/* The same in all events of the kind? */
static bool constant(const struct ask *a, uint16_t id)
{
	for (int i = 0; i < FIELDS; i++)
		if (a->c->ids[i] == id)
			return !a->kind->shadowed[i];
	return id == a->c->rs->label_id || id == a->c->rs->domain_id;
}

/* Does its value differ from event to event, so that anything may come? */
static bool varies(const struct ask *a, uint16_t id)
{
	const struct field_set *p = a->look.positions;

	if (constant(a, id))
		return false;
	if (saw(a->kind, id))
		return true;
	for (size_t i = 0; p && i < p->n; i++)
		if (p->alias[i].name == id && saw(a->kind, p->alias[i].means))
			return true;
	return false;
}

enum { CAN_HOLD = 1, CAN_FAIL = 2 };

/* f: what all events of the kind have; NULL: none has the field. */
static bool holds_for(const struct ask *a, const struct item *it, const struct event_field *f)
{
	size_t held = 0;

	if (it->exists)
		return (f != NULL) == it->exists_truth;
	for (size_t i = 0; i < it->n; i++) {
		const struct value *v = &it->values[i];

		held += v->kind == VALUE_NULL ? !f || f->len == 0 : f && value_holds(it, v, NULL, a->variant, f);
	}
	return (it->all ? held == it->n : held > 0) != it->negated;
}

static unsigned possible_item(const struct ask *a, const struct item *it)
{
	struct cursor c = {0};
	const struct event_field *f;

	if (!it->fields || varies(a, it->fields[a->variant]))
		return CAN_HOLD | CAN_FAIL;
	c.id = it->fields[a->variant];
	f = look_next(&a->look, &c);
	if (f && it->n && it->values[0].kind == VALUE_FIELD) /* compared with another field, which may vary */
		return CAN_HOLD | CAN_FAIL;
	return holds_for(a, it, f) ? CAN_HOLD : CAN_FAIL;
}

static unsigned possible(const struct ask *a, const struct node *n)
{
	size_t holds = 0, fails = 0, least = n->kind == NODE_AND ? n->n : n->kind == NODE_OR ? 1 : n->at_least;
	unsigned p;

	if (n->kind == NODE_ITEM)
		return possible_item(a, n->item);
	if (n->kind == NODE_NOT) {
		p = possible(a, n->kids[0]);
		return (p & CAN_HOLD ? CAN_FAIL : 0) | (p & CAN_FAIL ? CAN_HOLD : 0);
	}
	for (size_t i = 0; i < n->n; i++) {
		p = possible(a, n->kids[i]);
		holds += (p & CAN_HOLD) != 0;
		fails += (p & CAN_FAIL) != 0;
	}
	return (holds >= least ? CAN_HOLD : 0) | (n->n - fails < least ? CAN_FAIL : 0);
}

/* The item that keeps the tree from holding (or, under `not`, from failing); one about the kind of event before one about a field. */
static const struct item *blame(const struct ask *a, const struct node *n, bool wanted)
{
	const struct item *found = NULL;

	if (n->kind == NODE_ITEM)
		return possible_item(a, n->item) & (wanted ? CAN_HOLD : CAN_FAIL) ? NULL : n->item;
	for (size_t i = 0; i < n->n; i++) {
		const struct item *it = blame(a, n->kids[i], n->kind == NODE_NOT ? !wanted : wanted);

		if (it && constant(a, it->fields[a->variant]))
			return it;
		found = found ? found : it;
	}
	return found;
}

static bool one_of(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_same(s, list[i]))
			return true;
	return n == 0;
}

/* How far the kind comes: NO_CHANNEL, NO_EVENT, or CAN. `where` asks for values, which may come. */
static enum coverage_why meets(const struct log_source *s, const struct kind *k)
{
	bool id = s->n_ids == 0;

	if (!one_of(k->ev.channel, s->channels, s->n_channels))
		return COVERAGE_NO_CHANNEL;
	for (size_t i = 0; i < s->n_ids && !id; i++)
		id = s->ids[i] == k->ev.event_id;
	if (!id || !one_of(k->ev.provider, s->providers, s->n_providers) ||
	    (s->n_not_providers && one_of(k->ev.provider, s->not_providers, s->n_not_providers)))
		return COVERAGE_NO_EVENT;
	return COVERAGE_CAN;
}

/* Which verdict is nearer to firing. */
static int nearness(enum coverage_why w)
{
	return w == COVERAGE_CAN ? COVERAGE_WHYS : (int)w;
}

static enum coverage_why meets_any(const struct log_set *set, const struct kind *k)
{
	enum coverage_why best = COVERAGE_NO_CHANNEL;

	for (size_t i = 0; set && i < set->n; i++) {
		enum coverage_why w = meets(&set->sources[i], k);

		best = nearness(w) > nearness(best) ? w : best;
	}
	return set ? best : COVERAGE_CAN;
}

static enum coverage_why farther(enum coverage_why a, enum coverage_why b)
{
	return nearness(a) < nearness(b) ? a : b;
}

/* The best that this kind of event can do for the rule. *item: what is missing, for NO_EVENT and NO_FIELD of a condition. */
static enum coverage_why try_kind(const struct coverage *c, const struct compiled *r, const struct kind *k, const struct item **item)
{
	enum coverage_why best = COVERAGE_NO_CHANNEL, stated = farther(meets_any(r->product, k), meets_any(r->service, k));
	struct ask a = {.c = c, .kind = k};

	*item = NULL;
	look_begin(&a.look, c->rs, &k->ev);
	for (a.variant = 0; a.variant < r->n_variants; a.variant++) {
		enum coverage_why w = r->category ? farther(stated, meets(&r->category->sources[a.variant], k)) : stated;
		const struct item *missing = NULL;

		if (w == COVERAGE_CAN && !(possible(&a, r->condition) & CAN_HOLD)) {
			missing = blame(&a, r->condition, true);
			w = !missing || constant(&a, missing->fields[a.variant]) ? COVERAGE_NO_EVENT : COVERAGE_NO_FIELD;
		}
		if (nearness(w) > nearness(best)) {
			best = w;
			*item = missing;
		}
	}
	return best;
}

static void put_channels(const struct log_set *set, const char *first, struct buf *what)
{
	size_t n = 0, from = what->n;

	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < set->sources[i].n_channels; k++) {
			const char *channel = set->sources[i].channels[k];

			if (strstr(buf_text(what) + from, channel))
				continue;
			if (++n <= 3)
				buf_printf(what, "%s%s", n > 1 ? ", " : first, channel);
		}
	if (n > 3)
		buf_printf(what, " and %zu more", n - 3);
}

/* An id says little without its channel: 13 of Sysmon is another than 13 of System. */
static void put_ids(const struct log_set *set, struct buf *what)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n && n < 5; i++) {
		const struct log_source *s = &set->sources[i];
		size_t before = n;

		for (size_t k = 0; k < s->n_ids && ++n <= 5; k++)
			buf_printf(what, "%s%u", n > 1 ? ", " : "EventID ", s->ids[k]);
		if (n > before && s->n_channels)
			buf_printf(what, " of %s", s->channels[0]);
	}
	if (n == 0) {
		buf_str(what, "provider");
		put_channels(set, " of ", what);
	}
}

static void put_item(const struct item *it, struct buf *what)
{
	buf_printf(what, "%s ", it->field);
	for (size_t i = 0; i < it->n && i < 5; i++)
		buf_printf(what, "%s%.60s", i ? ", " : "", it->values[i].text ? it->values[i].text : "null");
	if (it->n > 5)
		buf_printf(what, " and %zu more", it->n - 5);
}

static enum coverage_why detection(const struct coverage *c, size_t host, const struct compiled *r, struct buf *what)
{
	const struct log_set *set = r->category ? r->category : r->service ? r->service : r->product;
	enum coverage_why best = COVERAGE_NO_CHANNEL;
	const struct item *item = NULL, *missing;

	if (r->no_source)
		return COVERAGE_NO_SOURCE;
	for (const struct kind *k = c->hosts[host]->kinds; k && best != COVERAGE_CAN; k = k->next) {
		enum coverage_why w = try_kind(c, r, k, &missing);

		if (nearness(w) > nearness(best)) {
			best = w;
			item = missing;
		}
	}
	if (best == COVERAGE_NO_CHANNEL) {
		put_channels(set, "", what);
	} else if (best == COVERAGE_NO_EVENT && item) {
		put_item(item, what);
		put_channels(set, " of ", what);
	} else if (best == COVERAGE_NO_EVENT)
		put_ids(set, what);
	else if (best == COVERAGE_NO_FIELD && item)
		buf_printf(what, "%.*s", (int)strcspn(item->field, "|"), item->field);
	return best;
}

/* Do some of these rules (bits, by place) let it fire? An expression may need that others do not match. */
static bool enough(const struct correlation *corr, uint64_t can)
{
	uint64_t some = can;

	if (corr->type == CORR_ABSENT)
		return can & 1;
	if (corr->type != CORR_TEMPORAL && corr->type != CORR_TEMPORAL_ORDERED)
		return can != 0;
	for (int tries = 0; some && tries < SUBSETS; tries++) { /* subsets of can, the largest first */
		if (correlation_rules_hold(corr, some))
			return true;
		some = (some - 1) & can;
	}
	return some != 0; /* too many to try: it may */
}

static enum coverage_why correlation(const struct coverage *c, size_t host, const struct compiled *r, struct buf *what)
{
	const struct correlation *corr = &r->correlation;
	const struct rule *missing = NULL;
	uint64_t can = 0;

	for (size_t i = 0; i < corr->n_rules; i++) {
		const struct rule *of = ruleset_rule(c->rs, corr->rules[i]);

		if (coverage_of(c, host, of, what) == COVERAGE_CAN)
			can |= UINT64_C(1) << i;
		else
			missing = missing ? missing : of;
	}
	buf_reset(what);
	if (!missing || enough(corr, can))
		return COVERAGE_CAN;
	buf_str(what, *missing->name ? missing->name : missing->id);
	return COVERAGE_NO_RULE;
}

enum coverage_why coverage_of(const struct coverage *c, size_t host, const struct rule *r, struct buf *what)
{
	const struct compiled *rule = c->rs->rules[r->index];

	buf_reset(what);
	return r->kind == RULE_CORRELATION ? correlation(c, host, rule, what) : detection(c, host, rule, what);
}
