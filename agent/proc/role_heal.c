/* role_heal.c - gives the healer its channels: suspects in, records out, the control socket.
 *
 * Why: this role alone may act on a server, so it does as little as possible besides. Promises: a suspect is answered when heal.db has it; a
 * ledger record counts as told when ship has it on disk; it stops between steps, not in one. Refuses: suspects whose ids are in none of
 * the configured tables. */
#include "proc/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cases/case.h"
#include "heal/healer.h"
#include "proc/control.h"
#include "proc/link.h"
#include "rules/rule.h"

#define BATCH 64             /* ledger records on their way to ship */
#define IDLE_MS 1000
#define CLOSED 256           /* closed cases that watch may have missed */
#define DRAIN (2 * US_SECOND)
#define RETRY_EVERY US_SECOND

struct heal {
	struct link link;
	struct heal_host *hosts;
	const char **labels;     /* of each source */
	struct healer *healer;
	struct control *control;
	char who[192], boot[64];
	uint64_t batch;          /* of the last question to ship */
	int64_t on_its_way;      /* ledger seq that it holds; 0: none */
	uint32_t closed[CLOSED];
	size_t n_closed;
	struct buf unstored;     /* suspects that could not be stored: tried again */
	int64_t retry_at;
};

static int on_emit(void *arg, enum heal_kind kind, const uint8_t uid[32], int64_t when, const char *json, size_t n)
{
	static const int kinds[] = { [HEAL_CASE] = RECORD_CASE, [HEAL_REFUSAL] = RECORD_REFUSAL, [HEAL_REPAIR] = RECORD_REPAIR,
		[HEAL_LEDGER] = RECORD_LEDGER };
	struct heal *h = arg;
	uint8_t *body;

	if (n + RECORD_HEAD > MESSAGE_MAX) {
		log_say(&h->link.log, LOG_ERROR, "a ledger record is too large for a receiver; it stands in heal.db only", NULL);
		return 0;
	}
	body = xcalloc(1, RECORD_HEAD + n);
	message_record_head(body, uid, kinds[kind], when);
	memcpy(body + RECORD_HEAD, json, n);
	link_send(&h->link, ROLE_SHIP, MSG_RECORD, body, RECORD_HEAD + n);
	free(body);
	return 0;
}

static void tell_closed(struct heal *h, uint32_t id)
{
	link_send(&h->link, ROLE_WATCH, MSG_CASE_CLOSED, &id, sizeof id);
}

static void on_closed(void *arg, int64_t case_id)
{
	struct heal *h = arg;

	if (h->n_closed == CLOSED)
		memmove(h->closed, h->closed + 1, --h->n_closed * sizeof h->closed[0]);
	h->closed[h->n_closed++] = (uint32_t)case_id;
	tell_closed(h, (uint32_t)case_id);
}

static void on_silences(void *arg)
{
	struct heal *h = arg;
	struct json_out o;
	struct buf b;
	struct err e;

	buf_init(&b, MESSAGE_MAX);
	json_begin(&o, &b);
	if (healer_silences(h->healer, &o, &e) == 0)
		link_send(&h->link, ROLE_WATCH, MSG_SILENCES, b.p, b.n);
	else
		link_failed(&h->link, "the silences cannot be read; watch goes on with those it knows: %s", e.text);
	buf_free(&b);
}

/* Hands what the ledger has got to ship, one batch at a time. */
static void tell_ship(struct heal *h)
{
	uint8_t body[8];
	int64_t last;

	if (h->on_its_way)
		return;
	last = healer_outbox(h->healer, BATCH);
	if (last <= 0)
		return;
	h->on_its_way = last;
	message_u64(body, ++h->batch);
	link_send(&h->link, ROLE_SHIP, MSG_COMMIT, body, sizeof body);
}

static bool suspect_is_sane(const struct heal *h, const struct suspect *s)
{
	int causes = 0;

	while (case_causes[causes])
		causes++;
	return s->host < h->link.config->n_hosts && s->cause < causes && s->confidence <= LEVEL_CRITICAL && s->case_id &&
		(s->reported_by == UINT16_MAX || s->reported_by < h->link.config->n_hosts) && s->count <= INT64_MAX &&
		(s->source == UINT16_MAX || s->source < h->link.config->n_sources);
}

/* false: heal.db cannot take it now. */
static bool store_suspect(struct heal *h, const struct suspect *s)
{
	struct heal_suspect t = { .case_id = s->case_id, .host = s->host, .cause = s->cause, .confidence = s->confidence, .first = s->first,
		.last = s->last, .count = (int64_t)s->count, .port = s->port, .seen = s->seen, .reopens = s->reopens };
	uint8_t body[8];
	struct err e;

	memcpy(t.case_uid, s->case_uid, 32);
	memcpy(t.thumbprint, s->thumbprint, 20);
	t.reported_by = s->reported_by == UINT16_MAX ? SIZE_MAX : s->reported_by;
	t.labels = s->source == UINT16_MAX ? NULL : h->labels[s->source];
	t.asks = s->flags & 1;
	t.replay = s->flags & 2;
	t.healed = s->flags & 4;
	t.has_thumbprint = s->flags & 8;
	if (healer_suspect(h->healer, &t, &e) < 0) {
		link_failed(&h->link, "a case cannot be stored; it is tried again: %s", e.text);
		return false;
	}
	message_u64(body, s->batch);
	link_send(&h->link, ROLE_WATCH, MSG_SUSPECT_STORED, body, sizeof body);
	return true;
}

static void take_suspect(struct heal *h, const struct message *m)
{
	struct suspect s;

	/* Told to stop for a reload: watch counts hosts and sources by a newer configuration already. Whoever comes after us is asked again. */
	if (h->link.stop)
		return;
	if (m->n != sizeof s) {
		link_failed(&h->link, "a suspect of %u bytes was left out", m->n);
		return;
	}
	memcpy(&s, m->body, sizeof s);
	if (!suspect_is_sane(h, &s)) {
		link_failed(&h->link, "a suspect whose host or cause is in no table was left out");
		return;
	}
	if (!store_suspect(h, &s)) {
		buf_add(&h->unstored, &s, sizeof s);
		h->retry_at = clock_monotonic(&h->link.clock) + RETRY_EVERY;
	}
}

static void retry_suspects(struct heal *h)
{
	struct suspect s;

	if (!h->unstored.n || clock_monotonic(&h->link.clock) < h->retry_at)
		return;
	while (h->unstored.n) {
		memcpy(&s, h->unstored.p, sizeof s);
		if (!store_suspect(h, &s))
			break;
		buf_cut(&h->unstored, sizeof s);
	}
	h->retry_at = clock_monotonic(&h->link.clock) + RETRY_EVERY;
}

static void peer_up(struct heal *h, uint8_t role)
{
	if (role == ROLE_SHIP) {
		h->on_its_way = 0;
		healer_rewind(h->healer);
	} else if (role == ROLE_WATCH) {
		buf_reset(&h->unstored); /* watch says it again */
		for (size_t i = 0; i < h->n_closed; i++)
			tell_closed(h, h->closed[i]);
		on_silences(h);
	}
}

static void take(struct heal *h, const struct message *m)
{
	struct err e;

	if (m->type == MSG_SUSPECT) {
		take_suspect(h, m);
	} else if (m->type == MSG_PEER_UP && m->n == 1) {
		peer_up(h, m->body[0]);
	} else if (m->type == MSG_STORED && m->n == 8 && message_get_u64(m->body) == h->batch && h->on_its_way) {
		if (healer_stored(h->healer, h->on_its_way, &e) < 0)
			log_say(&h->link.log, LOG_WARN, "how far the ledger was told cannot be stored; some of it is told twice", "why", e.text, NULL);
		h->on_its_way = 0;
	}
}

/* Host of a question: NULL for all; -1 when it is not configured. */
static int host_of(const struct heal *h, const struct json *q, const char **name, struct err *e)
{
	const char *asked = json_str(json_get(q, "host"), NULL);

	*name = NULL;
	if (!asked || !*asked)
		return 0;
	for (size_t i = 0; i < h->link.config->n_hosts; i++) {
		const struct host_config *c = &h->link.config->hosts[i];

		if (host_called(c, asked)) {
			*name = c->name;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "the host '%s' is not configured; `evmend check` lists those that are", asked);
}

/* Who the kernel says it is; a peer that speaks for another person (a page) names that one besides. */
static void actor_of(const struct os_peer *who, const struct json *q, char to[static 128])
{
	const char *name = json_str(json_get(q, "actor"), "");

	if (*name)
		snprintf(to, 128, "%.60s (uid %u, pid %d)", name, who->uid, who->pid);
	else
		snprintf(to, 128, "uid %u, pid %d", who->uid, who->pid);
}

/* "until" of a question; 0 when it has none. */
static int until_of(const struct json *q, int64_t *until, struct err *e)
{
	const char *s = json_str(json_get(q, "until"), "");

	*until = 0;
	if (*s && !time_parse(s, strlen(s), until))
		return err_set(e, ERR_USAGE, "until must be a time, 2026-03-01T22:00:00Z");
	return 0;
}

static int approve(struct heal *h, const struct json *q, const char *actor, struct err *e)
{
	struct approval a = { .case_id = json_int(json_get(q, "case"), 0), .actor = actor,
		.via = json_str(json_get(q, "via"), "control socket") };
	const char *plan = json_str(json_get(q, "plan"), "");

	if (!text_unhex(a.plan_id, 32, plan, strlen(plan)))
		return err_set(e, ERR_USAGE, "an approval names its plan: 64 digits, as the case shows them");
	if (until_of(q, &a.until, e) < 0)
		return -1;
	return healer_approve(h->healer, &a, e);
}

/* "silence" and "end-silence". A silence may be about any host: what is not configured is reported about too. */
static int silence(struct heal *h, const char *verb, const struct json *q, const char *actor, struct json_out *o, struct err *e)
{
	int64_t id = json_int(json_get(q, "silence"), 0);
	int did = strcmp(verb, "silence") ? healer_silence_end(h->healer, id, actor, e) : healer_silence(h->healer, q, actor, &id, e);

	json_put_int(o, "silence", id);
	return did;
}

static int on_question(void *arg, const struct os_peer *who, const struct json *q, struct json_out *o, struct err *e)
{
	struct heal *h = arg;
	const char *verb = json_str(json_get(q, "do"), ""), *reason = json_str(json_get(q, "reason"), ""), *host;
	int64_t id = json_int(json_get(q, "case"), 0), until;
	char actor[128];

	actor_of(who, q, actor);
	if (!strcmp(verb, "silence") || !strcmp(verb, "end-silence"))
		return silence(h, verb, q, actor, o, e);
	if (host_of(h, q, &host, e) < 0)
		return -1;
	if (!strcmp(verb, "status")) {
		healer_status(h->healer, o);
		return 0;
	}
	if (!strcmp(verb, "approve"))
		return approve(h, q, actor, e);
	if (!strcmp(verb, "close"))
		return healer_close(h->healer, id, actor, reason, e);
	if (!strcmp(verb, "hold"))
		return until_of(q, &until, e) < 0 ? -1 :
			healer_hold(h->healer, host, json_bool(json_get(q, "on"), true), until, actor, reason, e);
	if (!strcmp(verb, "undo"))
		return healer_undo(h->healer, id, actor, e);
	if (!strcmp(verb, "diagnose")) {
		healer_diagnose_soon(h->healer, host);
		return 0;
	}
	return err_set(e, ERR_USAGE, "the agent knows no '%s'; it does status, approve, close, hold, undo, silence,"
		" end-silence, diagnose", verb);
}

static int make_healer(struct heal *h, struct err *e)
{
	const struct config *c = h->link.config;
	char machine[64] = "this machine";

	gethostname(machine, sizeof machine - 1);
	os_boot_id(h->boot);
	snprintf(h->who, sizeof h->who, "evmend on %s, pid %d", machine, os_pid());
	h->hosts = xcalloc(c->n_hosts + 1, sizeof *h->hosts);
	for (size_t i = 0; i < c->n_hosts; i++) {
		h->hosts[i] = (struct heal_host){ .config = c->hosts[i], .mode = c->policy.mode };
		if (c->hosts[i].mode)
			policy_mode_parse(c->hosts[i].mode, &h->hosts[i].mode);
	}
	h->labels = xcalloc(c->n_sources + 1, sizeof *h->labels);
	for (size_t i = 0; i < c->n_sources; i++)
		h->labels[i] = c->sources[i].labels;
	struct healer_options o = { .db_path = config_state(c, "heal.db"), .hosts = h->hosts, .n_hosts = c->n_hosts, .policy = &c->policy,
		.diagnose_every = c->times.diagnose_every, .matrix_every = c->times.matrix_every, .clock = &h->link.clock, .process = &os_process,
		.log = &h->link.log, .who = h->who, .boot = h->boot,
		.labels = h->labels, .n_labels = c->n_sources, .common_labels = config_labels(c),
		.sink = { .arg = h, .emit = on_emit, .case_closed = on_closed, .silences = on_silences } };

	h->healer = healer_new(&o, e);
	return h->healer ? 0 : -1;
}

/* How long may be waited before something is due, in ms. */
static int wait_of(const struct heal *h)
{
	int64_t next = healer_next(h->healer), now = clock_monotonic(&h->link.clock);
	int64_t us = next <= now ? 0 : next - now;

	if (h->unstored.n && us > RETRY_EVERY)
		us = RETRY_EVERY;
	return us > IDLE_MS * INT64_C(1000) ? IDLE_MS : (int)(us / 1000);
}

static void run(struct heal *h)
{
	int64_t until = 0;
	struct message m;

	while (!h->link.gone) {
		struct os_poll extra[CONTROL_PEERS + 1];
		size_t n = control_wait(h->control, extra, CONTROL_PEERS + 1);
		bool acting = healer_acting(h->healer);

		if (link_wait(&h->link, extra, n, h->link.stop && !acting ? 20 : wait_of(h)) < 0)
			return;
		while (link_next(&h->link, &m))
			take(h, &m);
		if (h->link.gone)
			return; /* main is dead: whatever is under way is the next heal's, which waits for our lock */
		retry_suspects(h);
		control_run(h->control);
		if ((!h->link.stop || acting) && healer_next(h->healer) <= clock_monotonic(&h->link.clock))
			healer_run(h->healer);
		tell_ship(h);
		if (!h->link.stop || healer_acting(h->healer))
			continue;
		if (!until)
			until = clock_monotonic(&h->link.clock) + DRAIN;
		if (!h->on_its_way || clock_monotonic(&h->link.clock) > until)
			return; /* the ledger keeps what ship does not have yet */
	}
}

int role_heal(void)
{
	struct heal *h = xcalloc(1, sizeof *h);
	struct err e = { 0 };
	int code = 0;

	os_jail(OS_RIGHT_SPAWN | OS_RIGHT_NETWORK);
	buf_init(&h->unstored, 1u << 20);
	os_random(&h->batch, sizeof h->batch);
	h->batch &= UINT64_MAX >> 2;
	if (link_open(&h->link, ROLE_HEAL, &e) == 0 && make_healer(h, &e) == 0)
		h->control = control_open(config_state(h->link.config, CONTROL_NAME), &os_control, on_question, h, &e);
	if (h->control) {
		log_say(&h->link.log, LOG_INFO, "healing", "mode", policy_mode_text(h->link.config->policy.mode), NULL);
		link_send(&h->link, ROLE_MAIN, MSG_READY, NULL, 0);
		on_silences(h);
		run(h);
	} else {
		code = e.code ? (int)e.code : ERR_INTERNAL;
		if (h->link.channel)
			link_failed(&h->link, "%s", e.text);
		else
			log_say(&h->link.log, LOG_ERROR, e.text, NULL);
	}
	control_free(h->control);
	healer_free(h->healer);
	free(h->labels);
	free(h->hosts);
	buf_free(&h->unstored);
	link_close(&h->link);
	free(h);
	return code;
}
