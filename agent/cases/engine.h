/* engine.h - events in, findings and cases out: matching, correlation in event time, the book of cases. Used by `scan`
 * (correlates at the end, over all files, in event time) and by `run` (correlates as watermarks pass).
 *
 * One thread. Findings and cases given to the sink are borrowed for the call. */
#ifndef EVMEND_CASES_ENGINE_H
#define EVMEND_CASES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "cases/case.h"
#include "cases/finding.h"
#include "event/event.h"
#include "rules/ruleset.h"

/* A configured server: findings about any of its names are findings about it. */
struct engine_host {
	const char *name;
	const char *const *aliases; /* NetBIOS name, FQDN ... */
	size_t n_aliases;
};

struct engine_options {
	const struct ruleset *rules;
	const struct engine_host *hosts;
	size_t n_hosts;
	const struct clock *clock;
	bool scan;            /* keep matches, correlate at the end, replay is always false */
	int64_t replay_after; /* run: older events are marked replay */
	int64_t idle_after;   /* run: a silent channel holds its watermark back no longer than this */
	int64_t update_every; /* run: at most one update of a (case, rule) in this span */
	/* run: of each rule without a cause and host, where the rule says nothing else; what is over it is only counted in the last one that
	 * was told. A rule with a cause tells one until a day was quiet: its case has the rest. */
	struct rule_budget budget;
	/* Bytes of the groups of correlations and of what is kept of hosts: what was not used for longest is given up first, counted. */
	uint64_t memory_cap;
	bool stored;          /* engine_changes will be asked for */
};

/* A silence, and what it held back (heal/silence.h has how it comes about). */
struct engine_silence {
	int64_t id, since, until;
	const char *rule, *title, *host; /* rule: id, else name; host "": any */
	uint64_t count;      /* findings that were not told */
	int64_t first, last; /* event time; 0: none */
};

struct fired;
struct taken;

struct engine_sink {
	void *arg;
	void (*finding)(void *arg, const struct finding *f, bool update); /* update: told before, its count has grown */
	void (*case_changed)(void *arg, const struct case_ *c);           /* opened, or what it asks, counts or says has changed */
	void (*fired)(void *arg, const struct fired *f);                  /* a correlation held, silent or not */
	void (*taken)(void *arg, const struct taken *t);                  /* a match takes part in a correlation (correlate.h has both) */
	void (*silence_ended)(void *arg, const struct engine_silence *s); /* once for each. Each may be NULL */
};

struct engine_counts {
	uint64_t events, matches, findings, cases, late, evicted, no_host, explained; /* explained: consequences swallowed by a case */
	uint64_t coarser;    /* numbers of a sum that were added up before their time, for want of room (correlate.h) */
	uint64_t incomplete; /* matches that lacked what a correlation groups by or counts: they took no part in it */
	uint64_t shadow;   /* of rules on trial: events that matched, correlations that fired */
	uint64_t silenced; /* findings that a silence held back */
	uint64_t over;     /* findings over a budget: counted in another one */
	/* What is kept now. */
	uint64_t groups, group_bytes; /* of correlations */
	uint64_t hosts, host_bytes;   /* with findings, cases, something remembered; in a scan their names are not counted */
	uint64_t late_groups;   /* matches of a window that was decided already */
	uint64_t hosts_evicted; /* hosts, or what was told of one, given up because there were too many */
	uint64_t hosts_refused; /* matches and correlations of hosts that found no room: told, and no part of a case */
};

/* What was counted of a rule and not told. */
struct held_back {
	uint64_t shadow, silenced, over;
	int64_t first, last; /* event time; 0: none */
};

struct engine;
struct fired;
struct taken;

struct engine *engine_new(const struct engine_options *options, const struct engine_sink *sink);
void engine_free(struct engine *g);
void engine_event(struct engine *g, const struct event *ev); /* copies what it keeps */
/* run: time passes (calls absent rules and pending updates due by now); scan: everything is in, decide. */
void engine_tick(struct engine *g);
void engine_finish(struct engine *g);
size_t engine_cases(const struct engine *g);
const struct case_ *engine_case(const struct engine *g, size_t i);
void engine_counts(const struct engine *g, struct engine_counts *c);
const struct held_back *engine_held_back(const struct engine *g, const struct rule *r);
/* The case was closed elsewhere (24 h of quiet, a person, the remedy): a later finding opens a new one that names it. */
void engine_close_case(struct engine *g, uint32_t id);
/* State over a restart. Remembered findings, the book of cases, watermarks: JSON, versioned. -1: not readable (the caller says so and
 * starts empty). The groups of correlations beside it, as rows of a name and a value, because there may be a million: engine_changes
 * says those that changed since engine_stored was called last (n 0: the row goes; put may end it with -1), engine_restore takes one
 * row back, after engine_load: 1 when its rules are gone, -1 when it cannot be read; stored false: engine_changes says it again.
 * Rules that are the same by id get theirs back, rows of rules that are gone are dropped. */
void engine_save(const struct engine *g, struct buf *to);
int engine_load(struct engine *g, const char *from, size_t n, struct err *e);
int engine_changes(struct engine *g, int (*put)(void *arg, const void *name, size_t name_n, const void *value, size_t n), void *arg);
void engine_stored(struct engine *g);
int engine_restore(struct engine *g, const void *value, size_t n, bool stored);
/* run: the silences from now on, all of them: an array as heal/silence.h writes it. A silenced finding is not told, opens no case, asks for
 * nothing and counts in no case; correlations still see the match, and `remember` still keeps it. They are saved and loaded, too. */
void engine_silences(struct engine *g, const struct json *list);
/* What was held back, by rule and by silence, and the counts: a member, an object. */
void engine_noise(const struct engine *g, struct json_out *o, const char *key);
/* run: gives the memory of names back that nobody needs any more. engine_tick does it when it is worth it. */
void engine_renew(struct engine *g);

#endif
