/* heal_outbox.c - ledger records on their way to the SIEM, and the healer's status.
 *
 * Exists because the ledger is the outbox: what was decided and done is told exactly once it is on disk, and again until ship has
 * it. Promises the order of the ledger, the same uid for the same record, and the labels of the source that it comes from. Refuses to
 * move the cursor back. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"

static enum heal_kind kind_of(const char *kind)
{
	if (strcmp(kind, "state") == 0)
		return HEAL_CASE;
	if (strcmp(kind, "refusal") == 0)
		return HEAL_REFUSAL;
	if (strcmp(kind, "repair-begin") == 0 || strcmp(kind, "repair-end") == 0)
		return HEAL_REPAIR;
	return HEAL_LEDGER;
}

struct search {
	const struct healer_options *o;
	const char *found;
	bool many;
};

/* One that no source has any more does not count. */
static int is_it(void *arg, const char *labels)
{
	struct search *s = arg;
	size_t i = 0;

	while (i < s->o->n_labels && strcmp(s->o->labels[i], labels) != 0)
		i++;
	if (i == s->o->n_labels)
		return 0;
	s->many = s->found != NULL;
	s->found = s->o->labels[i];
	return s->many;
}

/* Whose a record is: its case's labels, if events opened that; else those that all sources have; else those that the events about the
 * host had so far, if it was one set. -1: heal.db cannot be read. */
static int labels_of(const struct healer *h, const struct ledger_record *r, char to[static LIMIT_LABELS + 1], struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	struct search s = {.o = &h->o, .found = h->o.common_labels};
	int got = r->case_id ? case_store_get(h->db, r->case_id, c, e) : 0;

	if (got == 1 && c->has_labels) {
		s.found = c->labels;
	} else if (got >= 0 && (s.found == NULL || s.found[0] == '\0') && r->host[0]) {
		s.found = NULL;
		got = case_store_labels(h->db, r->host, is_it, &s, e);
	}
	text_copy(to, LIMIT_LABELS + 1, s.found && !s.many ? s.found : "");
	free(c);
	return got < 0 ? -1 : 0;
}

/* A state record is the case itself; the others are wrapped. */
static void record_json(const struct ledger_record *r, enum heal_kind kind, const char *labels, struct buf *to)
{
	static const char *const words[] = {"case", "refusal", "repair", "ledger"};
	struct json_out o;
	char hex[65];

	text_hex(hex, r->hash, 32);
	if (kind == HEAL_CASE) {
		buf_printf(to, "{\"v\":1,\"kind\":\"case\",\"seq\":%lld,", (long long)r->seq);
		if (labels[0])
			buf_printf(to, "\"labels\":%s,", labels);
		buf_str(to, r->body[0] == '{' ? r->body + 1 : "}");
		return;
	}
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", words[kind]);
	json_put_str(&o, "uid", hex);
	json_put_int(&o, "seq", r->seq);
	json_put_time(&o, "time", r->time);
	json_put_str(&o, "what", r->kind);
	json_put_str(&o, "host", r->host);
	if (r->case_id)
		json_put_int(&o, "case", r->case_id);
	if (labels[0])
		json_put_raw(&o, "labels", labels);
	json_put_raw(&o, "body", r->body);
	json_close(&o, '}');
}

struct giving {
	struct healer *h;
	size_t left;
	int64_t last;
	struct err *e;
};

static int give(void *arg, const struct ledger_record *r)
{
	struct giving *g = arg;
	const struct heal_sink *s = &g->h->o.sink;
	enum heal_kind kind = kind_of(r->kind);
	char labels[LIMIT_LABELS + 1];
	struct buf b;
	int full;

	if (g->left == 0)
		return 1;
	if (labels_of(g->h, r, labels, g->e) < 0)
		return -1;
	buf_init(&b, 512u << 10);
	record_json(r, kind, labels, &b);
	full = s->emit(s->arg, kind, r->hash, r->time, buf_text(&b), b.n);
	buf_free(&b);
	if (full != 0)
		return 1;
	g->left--;
	g->last = r->seq;
	g->h->given = r->seq;
	return 0;
}

int64_t healer_outbox(struct healer *h, size_t n)
{
	struct err e;
	struct giving g = {.h = h, .left = n, .e = &e};

	if (h->o.sink.emit && ledger_each(h->db, h->given + 1, give, &g, &e) < 0)
		healer_tilt(h, e.text);
	return g.last;
}

int healer_stored(struct healer *h, int64_t seq, struct err *e)
{
	return outbox_set(h->db, seq, e);
}

void healer_rewind(struct healer *h)
{
	struct err e;

	if (outbox_get(h->db, &h->given, &e) < 0)
		healer_tilt(h, e.text);
}

static const char *repair_word(enum repair_state s)
{
	static const char *const words[] = {"beginning", "stepping", "verifying", "settling", "undoing", "ended"};

	return words[s];
}

static int put_case(void *arg, const struct heal_case *c)
{
	struct json_out *o = arg;

	json_open(o, NULL, '{');
	case_store_json(o, c);
	json_close(o, '}');
	return 0;
}

void healer_status(const struct healer *h, struct json_out *o)
{
	struct err e;
	char why[200];

	json_put_bool(o, "tilt", healer_tilted(h));
	json_put_str(o, "tilt_why", healer_tilted(h) ? h->tilt_why : NULL);
	json_open(o, "hosts", '[');
	for (size_t i = 0; i < h->o.n_hosts; i++) {
		const struct patient *p = &h->patients[i];

		json_open(o, NULL, '{');
		json_put_str(o, "name", p->config->config.name);
		json_put_str(o, "mode", policy_mode_text(p->config->mode));
		json_put_str(o, "verdict", p->verdict[0] ? p->verdict : NULL);
		json_put_str(o, "trouble", p->trouble[0] ? p->trouble : NULL);
		json_put_str(o, "repair", p->repair ? repair_word(repair_state(p->repair)) : NULL);
		json_put_str(o, "hold", hold_active(h->db, clock_wall(h->o.clock), p->config->config.name, NULL, why, &e) == 1 ? why : NULL);
		json_close(o, '}');
	}
	json_close(o, ']');
	fleet_round_status(h->round, o);
	json_open(o, "cases", '[');
	(void)case_store_each(h->db, NULL, true, put_case, o, &e);
	json_close(o, ']');
}
