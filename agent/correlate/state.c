/* state.c - groups as rows, and back.
 *
 * Why: a killed role must go on where it stood, and a million groups must not be written again for every event.
 * Promises: what was stored and loaded decides as if there had been no restart; a commit writes what changed since the last one.
 * Refuses: rows of rules that are gone, or that group by something else now. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"

#define VERSION 2 /* of a row; 1 knew no sums, and is read as well */
#define ROW_BYTES (256u << 20) /* a group has at most 100,001 matches of some 500 bytes */
#define GONE_AT_ONCE 5000      /* rows that one commit takes away; more if it writes more */

void state_changed(struct correlator *c, struct group *g)
{
	if (!c->o.stored || g->changed != NOWHERE)
		return;
	if (c->n_changed == c->cap_changed) {
		c->cap_changed = c->cap_changed ? 2 * c->cap_changed : 256;
		c->changed = xrealloc(c->changed, c->cap_changed, sizeof(struct group *));
	}
	g->changed = (uint32_t)c->n_changed;
	c->changed[c->n_changed++] = g;
}

void state_gone(struct correlator *c, struct group *g)
{
	uint16_t head[2] = {g->plan, g->key_len};

	if (g->changed != NOWHERE) {
		c->changed[g->changed] = c->changed[--c->n_changed];
		c->changed[g->changed]->changed = g->changed;
		g->changed = NOWHERE;
	}
	if (!g->stored || c->gone.n + sizeof head + g->key_len > c->gone.max)
		return; /* a row too many is loaded once, and goes when its time is up */
	buf_add(&c->gone, head, sizeof head);
	buf_add(&c->gone, g->key, g->key_len);
}

static const char *rule_key(const struct rule *r)
{
	return *r->id ? r->id : r->name;
}

static void put_text(struct buf *b, const char *s)
{
	uint16_t n = (uint16_t)strnlen(s, UINT16_MAX);

	buf_add(b, &n, sizeof n);
	buf_add(b, s, n);
}

static void put_origin(struct buf *b, const struct origin *o)
{
	put_text(b, rule_key(o->rule));
	buf_add(b, &o->event_id, sizeof o->event_id);
	put_text(b, o->computer);
	put_text(b, o->channel);
	put_text(b, o->provider);
	put_text(b, o->source);
}

struct fixed { /* of a match */
	int64_t time;
	uint64_t record_id;
	uint8_t counted, replay;
	uint16_t values;
	uint8_t own_uid, same_origin;
	uint8_t sum; /* a struct sum is behind it */
	uint8_t unused;
};

struct sum { /* of several events */
	double number;
	uint64_t weight;
};

static void put_entry(struct buf *b, const struct entry *e, const struct origin **last)
{
	const struct match *m = e->m;
	struct sum sum = {e->of.number, e->weight};
	struct fixed f;
	uint8_t uid[32];

	memset(&f, 0, sizeof f);
	f.time = m->time;
	f.record_id = m->record_id;
	f.counted = m->counted;
	f.replay = m->replay;
	f.own_uid = m->own_uid;
	f.same_origin = *last && m->origin == *last;
	f.sum = e->weight > 1;
	for (size_t i = 0; i < m->origin->n; i++)
		f.values = (uint16_t)(f.values + (m->at[i] != 0));
	buf_add(b, &f, sizeof f);
	if (f.sum)
		buf_add(b, &sum, sizeof sum);
	if (m->own_uid) {
		match_uid(m, uid);
		buf_add(b, uid, sizeof uid);
	}
	if (!f.same_origin)
		put_origin(b, m->origin);
	*last = m->origin;
	put_text(b, m->host);
	put_text(b, m->reporter);
	for (size_t i = 0; i < m->origin->n; i++)
		if (m->at[i]) {
			put_text(b, m->origin->names[i]);
			put_text(b, match_slot(m, i));
		}
}

static void put_group(struct correlator *c, struct group *g, struct buf *b)
{
	const struct origin *last = NULL;
	const struct entry *e = group_entries(g);
	uint32_t n = g->n ? g->n : 1;

	buf_char(b, VERSION);
	put_text(b, rule_key(c->plans[g->plan].rule));
	buf_add(b, &g->quiet_until, sizeof g->quiet_until);
	buf_char(b, g->n == 0);
	buf_add(b, &n, sizeof n);
	for (size_t i = 0; i < n; i++)
		put_entry(b, &e[i], &last);
}

static void put_name(const struct correlator *c, uint16_t plan, const char *key, size_t n, struct buf *b)
{
	buf_reset(b);
	buf_str(b, rule_key(c->plans[plan].rule));
	buf_char(b, '\0');
	buf_add(b, key, n);
}

static int put_row(struct correlator *c, struct group *g, struct buf *name, struct buf *value, correlator_put *put, void *arg)
{
	put_name(c, g->plan, g->key, g->key_len, name);
	buf_reset(value);
	put_group(c, g, value);
	return put(arg, name->p, name->n, value->p, value->n);
}

static int put_gone(struct correlator *c, struct buf *name, correlator_put *put, void *arg)
{
	size_t at = 0, most = GONE_AT_ONCE + c->n_changed;

	for (; at < c->gone.n && most > 0; most--) {
		uint16_t head[2];

		memcpy(head, c->gone.p + at, sizeof head);
		const char *key = c->gone.p + at + sizeof head;

		at += sizeof head + head[1];
		if (table_find(c, head[0], key, head[1], group_hash(c, head[0], key, head[1])))
			continue; /* it came again */
		put_name(c, head[0], key, head[1], name);
		if (put(arg, name->p, name->n, NULL, 0) != 0)
			return -1;
	}
	c->gone_said = at;
	return 0;
}

int correlator_changes(struct correlator *c, correlator_put *put, void *arg)
{
	struct buf name, value;
	int r;

	buf_init(&name, 2 * KEY_BYTES + 4096);
	buf_init(&value, ROW_BYTES);
	r = put_gone(c, &name, put, arg);
	for (size_t i = 0; i < c->n_changed && r == 0; i++)
		r = put_row(c, c->changed[i], &name, &value, put, arg);
	buf_free(&name);
	buf_free(&value);
	return r;
}

void correlator_stored(struct correlator *c)
{
	for (size_t i = 0; i < c->n_changed; i++) {
		c->changed[i]->changed = NOWHERE;
		c->changed[i]->stored = true;
	}
	c->n_changed = 0;
	buf_cut(&c->gone, c->gone_said);
	c->gone_said = 0;
}

int correlator_all(struct correlator *c, correlator_put *put, void *arg)
{
	struct buf name, value;
	int r = 0;

	buf_init(&name, 2 * KEY_BYTES + 4096);
	buf_init(&value, ROW_BYTES);
	for (struct group *g = c->oldest; g && r == 0; g = g->newer)
		r = put_row(c, g, &name, &value, put, arg);
	buf_free(&name);
	buf_free(&value);
	return r;
}

struct reading {
	const char *p, *end;
	bool bad;
	char text[4][UINT16_MAX + 1]; /* of the last origin: computer, channel, provider, source */
	uint32_t event_id;
	const struct rule *rule;
	struct sum sum; /* of the last entry; weight 0: it has none */
};

static const char *take(struct reading *in, size_t n)
{
	const char *p = in->p;

	if ((size_t)(in->end - in->p) < n) {
		in->bad = true;
		return NULL;
	}
	in->p += n;
	return p;
}

static void take_bytes(struct reading *in, void *to, size_t n)
{
	const char *p = take(in, n);

	memset(to, 0, n);
	if (p)
		memcpy(to, p, n);
}

/* A text that stays where it is, without NUL. */
static const char *take_view(struct reading *in, size_t *n)
{
	uint16_t len;

	take_bytes(in, &len, sizeof len);
	*n = len;
	return take(in, len);
}

static void take_text(struct reading *in, char to[static UINT16_MAX + 1])
{
	size_t n;
	const char *p = take_view(in, &n);

	if (p)
		memcpy(to, p, n);
	to[p ? n : 0] = '\0';
}

static const struct rule *take_rule(struct reading *in, const struct ruleset *rs)
{
	char key[UINT16_MAX + 1];

	take_text(in, key);
	return in->bad ? NULL : ruleset_find(rs, key);
}

/* NULL: its rule is gone, or in->bad. */
static struct match *take_match(struct correlator *c, struct reading *in)
{
	const char *values[RULE_WANTS] = {NULL}, *host, *reporter;
	size_t lengths[RULE_WANTS] = {0}, host_n, reporter_n;
	struct origin *o = NULL;
	struct match *m;
	struct fixed f;
	uint8_t uid[32];

	take_bytes(in, &f, sizeof f);
	in->sum = (struct sum){0, 0};
	if (f.sum)
		take_bytes(in, &in->sum, sizeof in->sum);
	if (f.own_uid)
		take_bytes(in, uid, sizeof uid);
	if (!f.same_origin) {
		in->rule = take_rule(in, c->o.rules);
		take_bytes(in, &in->event_id, sizeof in->event_id);
		for (size_t i = 0; i < 4; i++)
			take_text(in, in->text[i]);
	}
	host = take_view(in, &host_n);
	reporter = take_view(in, &reporter_n);
	if (in->rule && !in->bad)
		o = origin_of(c->o.pool, c->o.rules, in->rule, in->event_id, in->text[0], in->text[1], in->text[2], in->text[3]);
	for (size_t i = 0; i < f.values && !in->bad; i++) {
		size_t name_n, n;
		const char *name = take_view(in, &name_n), *v = take_view(in, &n);

		for (size_t k = 0; o && !in->bad && k < o->n; k++)
			if (strlen(o->names[k]) == name_n && memcmp(o->names[k], name, name_n) == 0) {
				values[k] = v;
				lengths[k] = n;
			}
	}
	if (!o)
		return NULL;
	m = match_build(o, values, lengths, f.own_uid ? uid : NULL);
	m->time = f.time;
	m->record_id = f.record_id;
	m->counted = f.counted;
	m->replay = f.replay;
	m->host = host ? strings_add_n(c->o.pool, host, host_n) : "";
	m->reporter = reporter ? strings_add_n(c->o.pool, reporter, reporter_n) : "";
	return m;
}

/* false: nothing of it is left, its rules are gone. */
static bool load_group(struct correlator *c, struct reading *in, bool stored)
{
	const struct rule *r = take_rule(in, c->o.rules);
	int64_t quiet_until;
	uint32_t n;
	char empty;
	bool some = false;

	take_bytes(in, &quiet_until, sizeof quiet_until);
	take_bytes(in, &empty, 1);
	take_bytes(in, &n, sizeof n);
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		struct match *m = take_match(c, in);

		if (m && r && !in->bad) {
			group_restore(c, r, m, (struct restored){quiet_until, empty, stored, (uint32_t)in->sum.weight, in->sum.number});
			some = true;
		}
		match_unref(m);
	}
	return some;
}

int correlator_load(struct correlator *c, const void *value, size_t n, bool stored)
{
	struct reading *in = xcalloc(1, sizeof *in);
	char version;
	bool bad, some = false;

	in->p = value;
	in->end = in->p + n;
	take_bytes(in, &version, 1);
	in->bad = in->bad || version < 1 || version > VERSION;
	if (!in->bad)
		some = load_group(c, in, stored);
	bad = in->bad;
	free(in);
	return bad ? -1 : !some;
}
