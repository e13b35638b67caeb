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

static int listen_to(struct cli *c, const struct config *config, const struct host_config *h, const char *const *paths, size_t n,
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
		r = listen_to(c, config, h, paths, n, to, e);
	return r;
}

/* ---- printing ---- */

static void print_json(const struct diagnosis *d, const char *host, const struct policy_decision *decision)
{
	static const char *const answers[] = {"go", "ask", "advise", "refuse"};
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "diagnosis");
	json_put_str(&o, "configured", host);
	diagnosis_json(&o, d);
	if (decision != NULL) {
		json_open(&o, "policy", '{');
		json_put_str(&o, "answer", answers[decision->answer]);
		json_put_str(&o, "why", decision->why);
		json_put_time(&o, "not_before", decision->not_before);
		json_close(&o, '}');
	}
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void print_facts(const struct cli *c, const struct facts *f)
{
	static const char *const headings[] = {"FACT", "VALUE", "WHERE", "SEEN", NULL};
	struct cli_table *t = cli_table_new(headings);

	for (size_t i = 0; i < f->n; i++) {
		cli_table_row(t, f->list[i].name, tri_text(f->list[i].value), f->list[i].where, f->list[i].seen, (char *)NULL);
		if (f->list[i].value == TRI_UNKNOWN)
			cli_table_colour(t, CLI_YELLOW);
	}
	cli_table_end(c, t);
}

static void print_list(const struct cli *c, const char *title, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cli_print(c, CLI_PLAIN, "%s%s%s", i ? ", " : title, list[i], i + 1 == n ? "\n" : "");
}

static void print_verdict(const struct cli *c, const struct verdict *v)
{
	cli_print(c, v->healthy ? CLI_GREEN : CLI_RED, "\n%s", v->name);
	cli_print(c, CLI_PLAIN, " (%s): %s\n", v->row, v->text);
	print_list(c, "  because of: ", v->needed, v->n_needed);
	print_list(c, "  holds as well: ", v->also, v->n_also);
	print_list(c, "  not excluded, since facts are unknown: ", v->not_excluded, v->n_not_excluded);
	if (v->advice[0])
		cli_print(c, CLI_PLAIN, "  advice: %s\n", v->advice);
	for (size_t i = 0; i < v->n_notes; i++)
		cli_print(c, CLI_YELLOW, "  note %s: %s\n", v->notes[i].name, v->notes[i].text);
	if (v->smtp[0])
		cli_print(c, CLI_YELLOW, "  %s\n", v->smtp);
}

static void print_plan(const struct cli *c, const struct plan *p, bool healthy)
{
	char id[65];

	if (p->n == 0) {
		if (!healthy)
			cli_print(c, CLI_PLAIN, "\nNo plan%s%s\n", p->why_empty[0] ? ": " : ".", p->why_empty);
		return;
	}
	text_hex(id, p->id, 32);
	cli_print(c, CLI_BOLD, "\nPlan %.12s\n", id);
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_step *s = &p->steps[i];

		cli_print(c, CLI_PLAIN, "  %zu. %s\n     why:    %s\n     before: %s\n     after:  %s\n     undo:   %s\n", i + 1, s->what, s->why,
			s->before, s->after, s->undo);
	}
}

void host_verbs_print(const struct cli *c, const struct diagnosis *d, const char *host, const struct policy_decision *decision)
{
	if (c->json) {
		print_json(d, host, decision);
		return;
	}
	cli_print(c, CLI_BOLD, "%s%s\n\n", d->identity.fqdn, d->identity.lab ? " (a LAB, no real server)" : "");
	print_facts(c, &d->facts);
	print_verdict(c, &d->verdict);
	print_plan(c, &d->plan, d->verdict.healthy);
	if (decision != NULL && !d->verdict.healthy)
		cli_print(c, CLI_PLAIN, "\nPolicy: %s\n", decision->why);
}

void host_verbs_actor(char *to, size_t n)
{
	say_text(to, n, "uid %u, pid %d", os_uid(), os_pid());
}
