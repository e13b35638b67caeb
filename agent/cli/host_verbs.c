/* host_verbs.c - the ways from a verb to a server.
 *
 * Exists so that `diagnose` and `repair` see and say the same. Promises that nothing here changes a server, and that text from
 * a server is cleaned before it reaches a terminal. Refuses hosts that are not configured: a name on a command line is no
 * permission. */
#include "cli/host_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cases/engine.h"
#include "cli/read_events.h"
#include "cli/report_build.h"
#include "cli/rules_home.h"
#include "heal/chart.h"
#include "host/host_pipe.h"

const struct host_config *host_verbs_find(const struct config *config, const char *name, struct err *e)
{
	struct buf known;

	for (size_t i = 0; i < config->n_hosts; i++)
		if (host_called(&config->hosts[i], name))
			return &config->hosts[i];
	buf_init(&known, 300);
	for (size_t i = 0; i < config->n_hosts && !known.refused; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", config->hosts[i].name);
	(void)err_set(e, ERR_USAGE, "the host '%s' is not configured in %s; there %s", name, config->path,
		config->n_hosts ? buf_text(&known) : "is none");
	buf_free(&known);
	return NULL;
}

enum policy_mode host_verbs_mode(const struct config *config, const struct host_config *h)
{
	enum policy_mode mode = config->policy.mode;

	if (h->mode)
		(void)policy_mode_parse(h->mode, &mode);
	return mode;
}

size_t host_verbs_group(const struct config *config, const struct host_config *h, const char *to[static CONFIG_HOSTS])
{
	size_t n = 0;

	for (size_t i = 0; h->group != NULL && i < config->n_hosts; i++)
		if (config->hosts[i].group != NULL && strcmp(config->hosts[i].group, h->group) == 0)
			to[n++] = config->hosts[i].name;
	return n;
}

struct host *host_verbs_open(const struct config *config, const struct host_config *h, const struct clock *clock, struct err *e)
{
	return host_pipe_open(h, &os_process, clock, clock_monotonic(clock) + config->policy.step_limit, e);
}

/* ---- what events have shown ---- */

struct listening {
	struct engine *engine;
	const struct host_config *host;
};

static int on_event(void *arg, const struct event *ev)
{
	engine_event(((struct listening *)arg)->engine, ev);
	return 0;
}

static void on_malformed(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	(void)arg;
	(void)source;
	(void)offset;
	(void)reason;
	(void)bytes;
	(void)n;
}

static void on_finding(void *arg, const struct finding *f, bool update)
{
	(void)arg;
	(void)f;
	(void)update;
}

static void on_case(void *arg, const struct case_ *k)
{
	(void)arg;
	(void)k;
}

static void take_case(const struct case_ *k, const struct host_config *h, struct suspicion *to)
{
	if (!host_called(h, k->host)) {
		for (size_t i = 0; i < k->n_reported_by; i++)
			to->remote = to->remote || host_called(h, k->reported_by[i]);
		return;
	}
	to->seen |= k->seen;
	if (k->has_thumbprint && !to->has_thumbprint) {
		to->has_thumbprint = true;
		memcpy(to->thumbprint, k->thumbprint, 20);
		to->port = k->port;
	}
}

int host_verbs_listen(struct cli *c, const struct config *config, const struct host_config *h, const char *const *paths, size_t n,
	struct suspicion *to, struct err *e)
{
	struct engine_host *known = xcalloc(config->n_hosts + 1, sizeof(*known));
	struct engine_options options = {.hosts = known, .n_hosts = config->n_hosts, .clock = &c->clock, .scan = true};
	struct engine_sink sink = {.finding = on_finding, .case_changed = on_case};
	struct listening l = {.host = h};
	struct read_events r = {.c = c, .arg = &l, .event = on_event, .malformed = on_malformed, .default_host = h->name};
	struct arena *a = arena_new(1u << 14);
	struct ruleset *rules = rules_home_load(c, a, e);
	int code = rules ? 0 : -1;

	for (size_t i = 0; i < config->n_hosts; i++)
		known[i] = (struct engine_host){config->hosts[i].name, config->hosts[i].aliases, config->hosts[i].n_aliases};
	if (code == 0) {
		options.rules = rules;
		r.names = ruleset_names(rules);
		l.engine = engine_new(&options, &sink);
		read_events(&r, (char *const *)(uintptr_t)paths, n);
		engine_finish(l.engine);
		for (size_t i = 0; i < engine_cases(l.engine); i++)
			take_case(engine_case(l.engine, i), h, to);
		engine_free(l.engine);
		if (r.failed)
			code = err_set(e, ERR_IO, "%llu of the paths of --events could not be read", (unsigned long long)r.failed);
	}
	ruleset_free(rules);
	arena_free(a);
	free(known);
	return code;
}

int host_verbs_suspicion(struct cli *c, const struct config *config, const struct host_config *h, const char *const *paths,
	size_t n,
	struct suspicion *to, struct err *e)
{
	struct err none;
	struct db *db = agent_heal_db(config, DB_READ, &none);
	int64_t case_id;
	int r = 0;

	memset(to, 0, sizeof(*to));
	if (db != NULL)
		r = chart_suspicion(db, h->name, to, &case_id, e);
	db_close(db);
	if (r == 0 && n != 0)
		r = host_verbs_listen(c, config, h, paths, n, to, e);
	return r;
}

/* ---- printing ---- */

/* Where a diagnosis comes from, and what may follow from it: a configured host with its policy, or a folder. */
struct origin {
	const char *host;
	const struct policy_decision *decision; /* NULL: not asked */
	const char *folder;
	const struct host_folder_about *about;
};

static void put_from(struct json_out *o, const struct origin *from)
{
	json_open(o, "from", '{');
	json_put_str(o, "folder", from->folder);
	json_put_str(o, "tool", from->about->tool);
	json_put_bool(o, "by_hand", from->about->by_hand);
	json_put_time(o, "collected_at", from->about->collected_at);
	json_open(o, "unknown", '[');
	for (size_t i = 0; i < from->about->n_lacks; i++)
		json_put_str(o, NULL, from->about->lacks[i]);
	json_close(o, ']');
	json_open(o, "errors", '[');
	for (size_t i = 0; i < from->about->n_errors; i++)
		json_put_str(o, NULL, from->about->errors[i]);
	json_close(o, ']');
	json_close(o, '}');
}

static void put_json(struct buf *to, const struct diagnosis *d, const struct origin *from)
{
	static const char *const answers[] = {"go", "ask", "advise", "refuse"};
	const struct policy_decision *decision = from->decision;
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "diagnosis");
	json_put_str(&o, "configured", from->host);
	if (from->about != NULL)
		put_from(&o, from);
	diagnosis_json(&o, d);
	if (decision != NULL) {
		json_open(&o, "policy", '{');
		json_put_str(&o, "answer", answers[decision->answer]);
		json_put_str(&o, "why", decision->why);
		json_put_time(&o, "not_before", decision->not_before);
		json_close(&o, '}');
	}
	json_close(&o, '}');
}

/* What a person can expect now. */
static void next_text(const struct diagnosis *d, const struct origin *from, char *to, size_t n)
{
	const struct policy_decision *decision = from->decision;
	const char *host = from->host;

	to[0] = '\0';
	if (from->about != NULL) {
		say_text(to, n, "offline: no policy.%s%s%s", d->plan.n ? " 'evmend repair --from " : "", d->plan.n ? from->folder : "",
			d->plan.n ? " --emit powershell' writes the plan as a script that a person reads and runs on the server." : "");
		return;
	}
	if (decision == NULL || (d->verdict.healthy && d->plan.n == 0))
		return;
	say_text(to, n, "Policy: %s.%s%s%s", decision->why, d->plan.n && decision->answer <= POLICY_ASK ? " 'evmend repair " : "",
		d->plan.n && decision->answer <= POLICY_ASK ? host : "",
		d->plan.n && decision->answer <= POLICY_ASK ? "' runs the plan and asks first." : "");
}

static void tell_folder(struct report *r, const struct origin *from)
{
	const struct host_folder_about *about = from->about;
	char list[1200], date[32];
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < about->n_lacks && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", about->lacks[i]);
	report_label(r, "Folder", REPORT_ALWAYS);
	report_text(r, CLI_PLAIN, "%s, %s%s, as of %.19sZ", from->folder, about->by_hand ? "made by hand" : "written by ", about->tool,
		time_text(about->collected_at, date));
	if (list[0])
		report_text(r, CLI_YELLOW, "The folder does not say: %s", list);
	for (size_t i = 0; i < about->n_errors; i++)
		report_text(r, CLI_YELLOW, "Could not be read: %s", about->errors[i]);
}

static int print(struct cli *c, const struct diagnosis *d, const struct origin *from, struct err *e)
{
	struct report *r;
	struct json *j;
	struct buf b;
	char next[700];
	int done = 0;

	buf_init(&b, 1u << 20);
	put_json(&b, d, from);
	if (c->json && !cli_value(c, "--html", NULL)) {
		printf("%s\n", buf_text(&b));
		buf_free(&b);
		return 0;
	}
	j = json_parse_max(b.p, b.n, 1u << 20, e);
	r = report_new();
	if (j != NULL) {
		next_text(d, from, next, sizeof(next));
		report_diagnosis_title(r, j);
		report_diagnosis(r, j, next, false);
		if (from->about != NULL)
			tell_folder(r, from);
		done = report_show(c, r, e);
	}
	report_free(r);
	json_free(j);
	buf_free(&b);
	return j ? done : -1;
}

int host_verbs_print(struct cli *c, const struct diagnosis *d, const char *host, const struct policy_decision *decision, struct err *e)
{
	return print(c, d, &(struct origin){.host = host, .decision = decision}, e);
}

int host_verbs_print_folder(struct cli *c, const struct diagnosis *d, const char *folder, const struct host_folder_about *about,
	struct err *e)
{
	static const struct policy_decision none = {.answer = POLICY_ADVISE, .why = "offline: no policy"};

	return print(c, d, &(struct origin){.host = d->identity.fqdn, .decision = &none, .folder = folder, .about = about}, e);
}

void host_verbs_actor(char *to, size_t n)
{
	say_text(to, n, "uid %u, pid %d", os_uid(), os_pid());
}
