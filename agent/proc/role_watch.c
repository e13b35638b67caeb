/* role_watch.c - reads the sources, matches and correlates, says what was found.
 *
 * Why: this role reads what strangers write, so it has no rights: no network, no programs. Promises: a position is stored only after what it
 * produced is on disk with ship and heal, in one transaction with the engine's state (stop and wait); a bad rule set on reload leaves the
 * good one running. Refuses: to start without rules that can be read. */
#include "proc/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/killpoint.h"
#include "cases/engine.h"
#include "event/event_json.h"
#include "proc/link.h"
#include "proc/outbox.h"
#include "proc/place.h"
#include "proc/reader.h"
#include "proc/record.h"
#include "proc/rule_keeper.h"
#include "proc/updates.h"
#include "rules/ruleset.h"
#include "tls/digest.h"

#define IDLE_MS 200
#define COMMIT_EVERY (US_SECOND)          /* positions alone */
#define COMMIT_SOON (100 * US_SECOND / 1000) /* something was found */
#define TICK_EVERY (200 * US_SECOND / 1000)
#define UPDATE_EVERY US_SECOND            /* of the engine: what heal hears */
#define TELL_EVERY US_MINUTE              /* what receivers hear */
#define ENGINE_STATE (256u << 20)
#define MALFORMED 32                      /* told between two commits; the rest is counted */
#define DRAIN (5 * US_SECOND)
#define SILENCES_WAIT (10 * US_SECOND)    /* nothing is read before heal has told the silences, or this long */

struct watch {
	struct link link;
	struct place *place;
	struct outbox *outbox;
	struct updates *updates;
	struct keeper *keeper;
	struct ruleset *rules;
	struct engine *engine;
	struct engine_host *hosts;
	struct reader *reader;
	struct config *next;      /* of a reload that waits for the end of the commit */
	size_t dropped;           /* open correlations that the last change of rules ended */
	struct json *silences;    /* that came and are not set yet; NULL */
	int64_t began;            /* monotonic */
	struct buf json;
	int64_t committed, tick_at, pause; /* monotonic */
	uint64_t malformed_untold;
	unsigned malformed;
	bool changed;             /* the files of rules have: as `next` */
	bool knows_silences;      /* heal has told them, or did not in SILENCES_WAIT */
	bool dirty;               /* something moved since the last commit */
	bool told_given_up;       /* that correlations had to give something up */
	bool told_hosts;          /* that there are too many */
};

/* Of what came from that stream: of its source. Where that is not known, and for what watch says of itself, those that all sources have. */
static const char *labels_of(const struct watch *w, const char *stream)
{
	const struct config_source *s = config_source_of(w->link.config, stream);

	return s ? s->labels : config_labels(w->link.config);
}

static void send_update(void *arg, const uint8_t finding[32], uint64_t count, int64_t when, const char *json, size_t n)
{
	struct watch *w = arg;
	struct digest *d = digest_new();
	uint8_t uid[32];

	digest_add(d, finding, 32);
	digest_add_str(d, "update");
	digest_add_int(d, (int64_t)count);
	digest_finish(d, uid);
	outbox_record(w->outbox, uid, RECORD_FINDING, when, json, n);
}

static void on_finding(void *arg, const struct finding *f, bool update)
{
	struct watch *w = arg;
	int64_t now = clock_monotonic(&w->link.clock);

	buf_reset(&w->json);
	finding_json(f, &w->json);
	record_labels(labels_of(w, f->n_evidence ? f->evidence[f->n_evidence - 1].source : ""), &w->json);
	w->dirty = true;
	if (update) {
		updates_put(w->updates, f->uid, f->count, f->time, buf_text(&w->json), w->json.n, now);
		return;
	}
	outbox_record(w->outbox, f->uid, RECORD_FINDING, f->time, buf_text(&w->json), w->json.n);
	updates_told(w->updates, f->uid, now);
}

/* Index of the configured host of that name or alias; -1: none. */
static int host_index(const struct config *c, const char *name)
{
	for (size_t i = 0; name && i < c->n_hosts; i++)
		if (host_called(&c->hosts[i], name))
			return (int)i;
	return -1;
}

static void suspect_of(const struct watch *w, const struct case_ *c, int host, int cause, struct suspect *s)
{
	const struct config_source *source = config_source_of(w->link.config, c->source);

	memset(s, 0, sizeof *s); /* padding too: it crosses a channel */
	s->case_id = c->id;
	memcpy(s->case_uid, c->uid, 32);
	s->host = (uint16_t)host;
	s->reported_by = UINT16_MAX;
	for (size_t i = 0; i < c->n_reported_by && s->reported_by == UINT16_MAX; i++)
		s->reported_by = (uint16_t)host_index(w->link.config, c->reported_by[i]);
	s->cause = (uint16_t)cause;
	s->confidence = (uint8_t)c->confidence;
	s->flags = (uint8_t)((c->asks_diagnosis ? 1 : 0) | (c->state == CASE_HEALED ? 4 : 0) | (c->has_thumbprint ? 8 : 0));
	s->first = c->first;
	s->last = c->last;
	s->count = c->count;
	if (c->n_findings)
		memcpy(s->evidence, c->findings[c->n_findings - 1], 32);
	memcpy(s->thumbprint, c->thumbprint, sizeof s->thumbprint);
	s->port = c->port;
	s->source = source ? (uint16_t)(source - w->link.config->sources) : UINT16_MAX;
	s->seen = c->seen;
	s->reopens = c->reopens;
}

static void on_case(void *arg, const struct case_ *c)
{
	struct watch *w = arg;
	struct digest *d = digest_new();
	struct suspect s;
	uint8_t uid[32];
	int host = host_index(w->link.config, c->host), cause = case_cause_index(c->cause);

	/* The case as it was opened, and when it first asks for something: one record each, whatever the repeats. */
	digest_add(d, c->uid, 32);
	digest_add_str(d, c->asks_diagnosis ? "case that asks" : "case");
	digest_finish(d, uid);
	buf_reset(&w->json);
	case_json(c, &w->json);
	record_labels(labels_of(w, c->source), &w->json);
	outbox_record(w->outbox, uid, RECORD_CASE, c->last, buf_text(&w->json), w->json.n);
	w->dirty = true;
	if (host < 0 || cause < 0)
		return; /* not a server of ours: a hint only */
	suspect_of(w, c, host, cause, &s);
	outbox_suspect(w->outbox, &s);
}

/* Told once: what nobody wanted to hear of is not lost. */
static void on_silence_ended(void *arg, const struct engine_silence *s)
{
	struct watch *w = arg;
	uint8_t uid[32];

	buf_reset(&w->json);
	record_silence_ended(s, &w->json, uid);
	record_labels(labels_of(w, ""), &w->json);
	outbox_record(w->outbox, uid, RECORD_AGENT, clock_wall(&w->link.clock), buf_text(&w->json), w->json.n);
	w->dirty = true;
}

static void take_silences(struct watch *w, const struct message *m)
{
	struct err e;
	struct json *list = json_parse((const char *)m->body, m->n, &e);

	if (!list) {
		link_failed(&w->link, "the list of silences cannot be read, those of before go on: %s", e.text);
		return;
	}
	json_free(w->silences);
	w->silences = list;
}

/* Not while a commit waits for its answers: the end of a silence is a record of the next one. */
static void set_silences(struct watch *w)
{
	if (!w->silences)
		return;
	engine_silences(w->engine, w->silences);
	json_free(w->silences);
	w->silences = NULL;
	w->knows_silences = true;
	w->dirty = true;
}

/* May events be read? At a start not before the silences are known: else a silenced finding would be told. */
static bool may_read(struct watch *w, int64_t now)
{
	if (!w->knows_silences && now - w->began > SILENCES_WAIT) {
		w->knows_silences = true;
		log_say(&w->link.log, LOG_WARN, "heal has not told the silences yet; reading goes on with those of the last run", NULL);
	}
	return w->knows_silences && !w->link.stop && !w->next && !w->changed;
}

/* Sent on as it came, whatever the rules say. */
static void send_event(struct watch *w, const char *labels, const struct event *ev)
{
	uint8_t uid[32];

	event_uid(ev, uid);
	for (int whole = 1; whole >= 0; whole--) { /* what is too large for a message is told without its fields */
		buf_reset(&w->json);
		event_json(ev, uid, whole, &w->json);
		record_labels(labels, &w->json);
		if (!w->json.refused && w->json.n + RECORD_HEAD <= MESSAGE_MAX)
			break;
	}
	outbox_record(w->outbox, uid, RECORD_EVENT, ev->time, buf_text(&w->json), w->json.n);
}

static int on_event(void *arg, const struct event *ev)
{
	struct watch *w = arg;
	const struct config_source *s = reader_source(w->reader);

	if (record_wants(s, ev))
		send_event(w, s->labels, ev);
	engine_event(w->engine, ev);
	return 0;
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct watch *w = arg;
	uint8_t uid[32];

	w->dirty = true;
	if (w->malformed >= MALFORMED) {
		w->malformed_untold++;
		return;
	}
	w->malformed++;
	buf_reset(&w->json);
	record_malformed(reader_where(w->reader), offset, reason, bytes, n, &w->json, uid);
	record_labels(labels_of(w, reader_where(w->reader)), &w->json);
	outbox_record(w->outbox, uid, RECORD_AGENT, clock_wall(&w->link.clock), buf_text(&w->json), w->json.n);
}

static void on_failed(void *arg, const char *text)
{
	struct watch *w = arg;

	link_failed(&w->link, "%s", text);
}

static void restore_engine(struct watch *w)
{
	struct buf state;
	struct err e;

	buf_init(&state, ENGINE_STATE);
	if (place_engine(w->place, &state, &e) < 0 || (state.n && engine_load(w->engine, state.p, state.n, &e) < 0))
		link_failed(&w->link, "the cases of the last run are not readable and begin anew: %s", e.text);
	buf_free(&state);
	if (place_groups(w->place, w->engine, ruleset_digest(w->rules), &w->dropped, &e) < 0)
		link_failed(&w->link, "open correlations of the last run are lost: %s", e.text);
}

/* Everything that the configuration and the rules decide. */
static int set_up(struct watch *w, struct err *e)
{
	const struct config *c = w->link.config;
	struct engine_sink sink = { .arg = w, .finding = on_finding, .case_changed = on_case, .silence_ended = on_silence_ended };
	struct engine_options eo = { .rules = w->rules, .n_hosts = c->n_hosts, .clock = &w->link.clock, .replay_after = c->times.replay_after,
		.idle_after = c->times.idle_after, .update_every = UPDATE_EVERY,
		.budget = c->caps.findings_per_rule_host, .memory_cap = (uint64_t)c->caps.memory_mb << 20, .stored = true };
	struct reader_options ro = { .config = c, .names = ruleset_names(w->rules), .clock = &w->link.clock, .log = &w->link.log,
		.place = w->place, .sink = { .arg = w, .event = on_event, .malformed = on_malformed }, .failed = on_failed };

	w->hosts = xcalloc(c->n_hosts + 1, sizeof *w->hosts);
	for (size_t i = 0; i < c->n_hosts; i++)
		w->hosts[i] = (struct engine_host){ c->hosts[i].name, c->hosts[i].aliases, c->hosts[i].n_aliases };
	eo.hosts = w->hosts;
	w->engine = engine_new(&eo, &sink);
	restore_engine(w);
	w->reader = reader_new(&ro, e);
	return w->reader ? 0 : -1;
}

static void tear_down(struct watch *w)
{
	reader_free(w->reader);
	engine_free(w->engine);
	free(w->hosts);
	w->reader = NULL;
	w->engine = NULL;
	w->hosts = NULL;
}

/* What was said is stored by the others: now the place, and with it the engine's state. */
static int store_place(struct watch *w, struct err *e)
{
	struct buf state, noise;
	struct json_out o;
	int did = -1;

	kill_point("watch.before-position");
	buf_init(&state, ENGINE_STATE);
	engine_save(w->engine, &state);
	buf_init(&noise, ENGINE_STATE);
	json_begin(&o, &noise);
	engine_noise(w->engine, &o, NULL);
	if (state.refused)
		err_set(e, ERR_INTERNAL, "the engine's state is above %u MB", ENGINE_STATE >> 20);
	else if (place_begin(w->place, e) == 0) {
		if (place_put_engine(w->place, &state, e) == 0 && place_put_noise(w->place, &noise, e) == 0 &&
			place_put_groups(w->place, w->engine, e) == 0 && place_put_updates(w->place, w->updates, e) == 0 && reader_put(w->reader, e) == 0)
			did = place_commit(w->place, e);
		else
			place_rollback(w->place);
	}
	buf_free(&noise);
	buf_free(&state);
	if (did == 0) {
		engine_stored(w->engine);
		updates_saved(w->updates);
		kill_point("watch.after-position");
	}
	return did;
}

static void tell_given_up(struct watch *w)
{
	struct engine_counts n;

	engine_counts(w->engine, &n);
	if (n.evicted && !w->told_given_up) {
		w->told_given_up = true;
		link_failed(&w->link, "correlations hold more than they may and give the oldest up, so that a rule may miss something; "
			"raise caps: memory_mb, or group by less (told once)");
	}
	if (n.hosts_evicted + n.hosts_refused && !w->told_hosts) {
		w->told_hosts = true;
		link_failed(&w->link, "events name more computers than can be kept (%llu now), so that repeated findings are told more often and "
			"may have no case; somebody may be inventing names. Configured hosts are always kept; `evmend status` counts (told once)",
			(unsigned long long)n.hosts);
	}
}

static void finish_commit(struct watch *w)
{
	struct err e;
	int64_t begun = clock_monotonic(&w->link.clock);

	w->pause = COMMIT_SOON;
	if (store_place(w, &e) < 0) {
		link_failed(&w->link, "the position cannot be stored; it is tried again: %s", e.text);
		w->pause = US_SECOND;
	} else {
		reader_stored(w->reader);
		w->dirty = false;
	}
	w->malformed = 0;
	if (w->malformed_untold)
		link_failed(&w->link, "%llu more malformed records were only counted", (unsigned long long)w->malformed_untold);
	w->malformed_untold = 0;
	tell_given_up(w);
	w->committed = clock_monotonic(&w->link.clock);
	if ((w->committed - begun) * 10 > w->pause) /* a large state: storing it must not take more than a tenth of the time */
		w->pause = (w->committed - begun) * 10;
}

/* What `status` says of the rules. */
static void tell_rules(struct watch *w)
{
	struct buf b;
	struct json_out o;
	struct err e;

	buf_init(&b, 65536);
	json_begin(&o, &b);
	keeper_json(w->keeper, w->dropped, &o);
	if (place_put_rules(w->place, &b, &e) < 0)
		link_failed(&w->link, "`status` does not show the rules of now, they cannot be noted: %s", e.text);
	buf_free(&b);
}

static void answer_reload(struct watch *w, bool taken)
{
	link_send(&w->link, ROLE_MAIN, MSG_READY, &(uint8_t){ taken }, 1);
}

/* The new set takes over: everything that hangs on the old one is built anew, from what was stored. Takes fresh and c (NULL: as before). */
static void swap(struct watch *w, struct ruleset *fresh, struct config *c)
{
	char rules[24], dropped[24];
	struct err e = { 0 };

	tear_down(w);
	ruleset_free(w->rules);
	w->rules = fresh;
	if (c) {
		config_free(w->link.config);
		w->link.config = c;
		w->link.log.level = c->log;
	}
	if (set_up(w, &e) < 0)
		die("after a reload: %s", e.text); /* main starts it again, and says so */
	w->dirty = true; /* the groups may be of fewer rules now */
	(void)snprintf(rules, sizeof rules, "%zu", ruleset_count(w->rules));
	(void)snprintf(dropped, sizeof dropped, "%zu", w->dropped);
	log_say(&w->link.log, LOG_INFO, c ? "rules and configuration reloaded" : "changed rules reloaded", "rules", rules, "digest",
		ruleset_digest(w->rules), "dropped_correlations", dropped, NULL);
}

/* Everything found is told and stored. A configuration came with SIGHUP, or the files of rules have changed. */
static void reload(struct watch *w)
{
	struct config *c = w->next;
	struct err e = { 0 };
	struct ruleset *fresh = keeper_next(w->keeper, c ? c : w->link.config, w->rules, w->link.config, &e);

	w->next = NULL;
	w->changed = false;
	if (fresh) {
		swap(w, fresh, c);
	} else {
		link_failed(&w->link, "reload refused, the rules and configuration of before go on: %s", e.text);
		config_free(c);
	}
	if (c)
		answer_reload(w, fresh);
	tell_rules(w);
}

static void take(struct watch *w, const struct message *m)
{
	struct err e;

	if (m->type == MSG_RELOAD) {
		config_free(w->next);
		w->next = link_config(m, &e);
		if (!w->next) {
			link_failed(&w->link, "reload refused: %s", e.text);
			answer_reload(w, false);
		}
	} else if (m->type == MSG_SILENCES) {
		take_silences(w, m);
	} else if (m->type == MSG_CASE_CLOSED && m->n == 4) {
		uint32_t id;

		memcpy(&id, m->body, sizeof id);
		engine_close_case(w->engine, id);
		w->dirty = true;
	} else {
		bool was = outbox_waiting(w->outbox);

		outbox_take(w->outbox, m);
		if (was && !outbox_waiting(w->outbox))
			finish_commit(w);
	}
}

static bool commit_is_due(const struct watch *w, bool idle)
{
	int64_t since = clock_monotonic(&w->link.clock) - w->committed;

	if (outbox_full(w->outbox) || (w->link.stop && (w->dirty || !outbox_empty(w->outbox))))
		return true;
	if (since < w->pause)
		return false;
	if (!outbox_empty(w->outbox))
		return idle || since >= COMMIT_SOON;
	return w->dirty && since >= COMMIT_EVERY;
}

/* One round: read, tick, commit. */
static void work(struct watch *w)
{
	int64_t now = clock_monotonic(&w->link.clock);

	set_silences(w);
	w->changed = w->changed || (!w->link.stop && keeper_due(w->keeper, w->link.config));
	size_t bytes = may_read(w, now) ? reader_step(w->reader) : 0;
	struct os_poll extra[CONFIG_SOURCES];
	size_t n;

	w->dirty = w->dirty || bytes;
	if (now >= w->tick_at && !w->link.stop) {
		engine_tick(w->engine);
		updates_tick(w->updates, now);
		w->tick_at = now + TICK_EVERY;
	}
	if (commit_is_due(w, !bytes)) {
		outbox_commit(w->outbox);
		if (!outbox_waiting(w->outbox))
			finish_commit(w);
		return;
	}
	if ((w->next || w->changed) && !w->link.stop && outbox_empty(w->outbox) && !w->dirty) {
		reload(w);
		return;
	}
	n = bytes ? 0 : reader_wait(w->reader, extra, CONFIG_SOURCES);
	link_wait(&w->link, extra, n, bytes ? 0 : !outbox_empty(w->outbox) || w->next || w->changed ? 20 : IDLE_MS);
}

static void run(struct watch *w)
{
	int64_t until = 0;
	struct message m;

	while (!w->link.gone) {
		while (link_next(&w->link, &m))
			take(w, &m);
		if (outbox_waiting(w->outbox))
			link_wait(&w->link, NULL, 0, IDLE_MS);
		else if (w->link.stop && outbox_empty(w->outbox) && !w->dirty)
			return;
		else
			work(w);
		if (w->link.stop && !until) {
			until = clock_monotonic(&w->link.clock) + DRAIN;
			if (!outbox_waiting(w->outbox))
				updates_flush(w->updates);
		}
		if (until && clock_monotonic(&w->link.clock) > until)
			return; /* what is not stored is read again next time */
	}
}

static int start(struct watch *w, struct err *e)
{
	char rules[24];
	struct err lost;

	if (link_open(&w->link, ROLE_WATCH, e) < 0)
		return -1;
	w->place = place_open(w->link.config->state_dir, e);
	if (!w->place)
		return -1;
	w->keeper = keeper_new(&w->link, &os_file);
	w->rules = keeper_start(w->keeper, w->link.config, e);
	if (!w->rules)
		return -1;
	w->outbox = outbox_new(&w->link);
	w->updates = updates_new(TELL_EVERY, send_update, w);
	if (place_updates(w->place, w->updates, clock_monotonic(&w->link.clock), &lost) < 0)
		link_failed(&w->link, "counts of the last run are lost: %s", lost.text);
	if (set_up(w, e) < 0)
		return -1;
	tell_rules(w);
	w->began = clock_monotonic(&w->link.clock);
	snprintf(rules, sizeof rules, "%zu", ruleset_count(w->rules));
	log_say(&w->link.log, LOG_INFO, "watching", "rules", rules, NULL);
	link_send(&w->link, ROLE_MAIN, MSG_READY, NULL, 0);
	return 0;
}

int role_watch(void)
{
	struct watch *w = xcalloc(1, sizeof *w);
	struct err e = { 0 };
	int code = 0;

	os_jail(0);
	buf_init(&w->json, MESSAGE_MAX);
	if (start(w, &e) == 0) {
		run(w);
	} else {
		code = e.code ? (int)e.code : ERR_INTERNAL;
		if (w->link.channel)
			link_failed(&w->link, "%s", e.text);
		else
			log_say(&w->link.log, LOG_ERROR, e.text, NULL);
	}
	tear_down(w);
	ruleset_free(w->rules);
	keeper_free(w->keeper);
	updates_free(w->updates);
	outbox_free(w->outbox);
	place_close(w->place);
	config_free(w->next);
	json_free(w->silences);
	buf_free(&w->json);
	link_close(&w->link);
	free(w);
	return code;
}
