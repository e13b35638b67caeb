/* config.h - the configuration of the agent: one YAML file, read whole or refused whole.
 *
 * Every key is checked: an unknown one is an error with its line and the nearest known name; one that is known but not built yet is
 * refused by name. Relative paths are relative to the configuration's own folder. All strings live as long as the configuration. */
#ifndef EVMEND_PROC_CONFIG_H
#define EVMEND_PROC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "heal/policy.h"
#include "host/host.h"
#include "rules/rule.h"
#include "ship/sink.h"
#include "source/source.h"

#define CONFIG_BYTES (200u << 10) /* it crosses a channel in one message */
#define CONFIG_SOURCES 32
#define CONFIG_HOSTS 256
#define CONFIG_SINKS 16 /* as PUMP_SINKS */

/* Which events of a source are records themselves: all of what is given must hold. */
struct config_forward {
	bool on;
	const char **channels, **providers; /* one of these; case does not count */
	size_t n_channels, n_providers;
	const uint32_t *ids;                /* one of these */
	size_t n_ids;
};

struct config_source {
	const char *name;
	enum source_kind kind;  /* file, stdin, follow */
	const char *path;       /* NULL for stdin */
	const char *labels;     /* an object of texts, {"tenant":"a"}: in each record that comes from it; "": none */
	struct config_forward forward;
};

struct config_times {
	int64_t replay_after;   /* 15 min: older events are matched and forwarded, and never start a diagnosis */
	int64_t idle_after;     /* 60 s: a silent channel holds event time back no longer */
	int64_t diagnose_every; /* 1 h; 0: off */
	int64_t matrix_every;   /* 24 h; 0: off */
};

struct config_caps {
	int64_t memory_mb;      /* correlation state of watch; 256 */
	int64_t keep_days;      /* how long ship remembers what it has sent; 30 */
	int64_t spool_mb;       /* what ship keeps for its receivers; 4096 */
	struct rule_budget findings_per_rule_host; /* of a rule without a cause; 20 in 1 h */
};

struct config {
	struct arena *arena;
	const char *path;       /* as given */
	const char *folder;     /* of the configuration; "." */
	const char *text;       /* as read, for the roles */
	size_t text_n;

	const char *state_dir;
	enum log_level log;
	const char **rules;     /* files and folders */
	size_t n_rules;
	const char *tables;     /* folder with logsources.yml and fields/ */
	struct config_source *sources;
	size_t n_sources;
	struct host_config *hosts;
	size_t n_hosts;
	struct sink_config *sinks;
	size_t n_sinks;
	struct policy_config policy; /* remedies.exchange_backend, times.approval, times.step, times.repair */
	struct config_times times;
	struct config_caps caps;
};

/* NULL and *e ("FILE:LINE:COLUMN: what is wrong and what to write instead") when it cannot be used. */
struct config *config_read(const char *path, struct err *e);
struct config *config_parse(const char *path, const char *text, size_t n, struct err *e);
void config_free(struct config *c);
/* The source that a stream (its partition: a path, "-" for stdin) is read from: the one whose path leads to it, the longest. NULL: none, of now. */
const struct config_source *config_source_of(const struct config *c, const char *partition);
const char *config_labels(const struct config *c); /* those of all its sources; "" where they differ */
/* A path inside state_dir, in the configuration's arena. */
const char *config_state(const struct config *c, const char *name);
/* The folder of the rules that come with the program: rules/ beside build/, else share/evmend/rules beside bin/. NULL: neither. */
const char *config_rules_home(struct arena *a);

#endif
