/* diagnose_all.c - `evmend diagnose --all`: every configured host at once, and who reaches whom.
 *
 * Exists so that one command tells where a fleet hurts. Promises that the hosts are read in parallel, each within its own
 * deadline, so that one that hangs costs the others nothing; that it is a row of unknown with its reason; and that nothing is
 * changed. First all hosts say who they are, then each front end asks for every back end and is diagnosed.
 * Refuses nothing: the worst code of all is the code. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/diagnose.h"
#include "cli/fleet_report.h"
#include "cli/host_verbs.h"
#include "heal/fleet.h"
#include "heal/remedy.h"
#include "host/host_pipe.h"

#define EVENT_PATHS 64
#define WORKERS 32 /* more hosts than this wait for each other */

/* One host. A worker has it for itself while a phase lasts. */
struct slot {
	struct host *kept;
	struct suspicion seen;
	struct diagnosis *d; /* NULL: not diagnosed, see e */
	struct err e;
};

struct all {
	const struct config *config;
	const struct clock *clock;
	struct fleet *fleet;
	struct fleet_access access;
	struct slot *slots;
	pthread_mutex_t lock; /* of next */
	size_t next;
	void (*phase)(struct all *a, size_t i);
};

static struct host *open_host(void *arg, size_t i, int64_t deadline, struct err *e)
{
	const struct all *a = arg;

	return host_pipe_open(&a->config->hosts[i], &os_process, a->clock, deadline, e);
}

static int64_t in(const struct all *a, int64_t us)
{
	return clock_monotonic(a->clock) + us;
}

static void identify(struct all *a, size_t i)
{
	fleet_identify(a->fleet, i, &a->access, &a->slots[i].kept, in(a, a->config->policy.step_limit));
}

static void diagnose_slot(struct all *a, size_t i)
{
	struct slot *s = &a->slots[i];
	int64_t limit = a->config->policy.step_limit;

	if (s->kept == NULL)
		s->kept = open_host(a, i, in(a, limit), &s->e);
	if (s->kept == NULL)
		return;
	s->d = xcalloc(1, sizeof(*s->d));
	if (diagnose(remedies[0], s->kept, a->clock, in(a, 2 * limit), &s->seen, s->d, &s->e) == 0) {
		text_copy(a->fleet->hosts[i].verdict, sizeof(a->fleet->hosts[i].verdict), s->d->verdict.name);
		return;
	}
	free(s->d);
	s->d = NULL;
}

static void row(struct all *a, size_t i)
{
	int64_t end = in(a, 2 * a->config->policy.step_limit), cell;
	bool more = true;

	for (size_t back = 0; more && back < a->fleet->n; back++) {
		cell = in(a, FLEET_CELL);
		more = fleet_ask(a->fleet, i, back, &a->access, &a->slots[i].kept, cell < end ? cell : end);
	}
	if (a->fleet->hosts[i].read)
		diagnose_slot(a, i);
	else
		(void)err_set(&a->slots[i].e, ERR_IO, "%s", a->fleet->hosts[i].trouble);
	fleet_leave(&a->slots[i].kept);
}

static void *work(void *arg)
{
	struct all *a = arg;

	for (;;) {
		size_t i;

		pthread_mutex_lock(&a->lock);
		i = a->next++;
		pthread_mutex_unlock(&a->lock);
		if (i >= a->fleet->n)
			return NULL;
		a->phase(a, i);
	}
}

static void in_parallel(struct all *a, void (*phase)(struct all *a, size_t i))
{
	pthread_t threads[WORKERS];
	size_t n = 0;

	a->phase = phase;
	a->next = 0;
	while (n < WORKERS && n < a->fleet->n && pthread_create(&threads[n], NULL, work, a) == 0)
		n++;
	if (n == 0)
		work(a);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

/* What events show is read before, in one thread: it is the rule engine's work. */
static int read_suspicions(struct cli *c, struct all *a, struct err *e)
{
	const char *paths[EVENT_PATHS];
	size_t n = cli_values(c, "--events", paths, EVENT_PATHS);

	for (size_t i = 0; i < a->fleet->n; i++)
		if (host_verbs_suspicion(c, a->config, &a->config->hosts[i], paths, n, &a->slots[i].seen, e) < 0)
			return -1;
	return 0;
}

/* For programs each diagnosis is a line, as `diagnose HOST` has it. */
static int tell_one(struct cli *c, const struct all *a, size_t i)
{
	struct slot *s = &a->slots[i];
	struct policy_decision decision = {.why = ""};
	const struct host_config *h = &a->config->hosts[i];
	struct err e;

	if (s->d == NULL)
		return c->json || a->fleet->hosts[i].read ? cli_fail(c, &s->e) : ERR_IO; /* people read the reason below the table */
	if (c->json && (diagnose_policy(a->config, h, s->d, a->clock, &decision, &e) < 0 || host_verbs_print(c, s->d, h->name, &decision, &e) < 0))
		return cli_fail(c, &e);
	return diagnose_code(s->d);
}

static int tell(struct cli *c, const struct all *a)
{
	int worst = 0;

	for (size_t i = 0; i < a->fleet->n; i++) {
		int code = tell_one(c, a, i);

		worst = code > worst ? code : worst;
	}
	for (size_t i = 0; i < a->fleet->n * a->fleet->n; i++)
		if (fleet_bad(&a->fleet->cells[i]) && worst < ERR_FINDINGS)
			worst = ERR_FINDINGS;
	if (c->json)
		fleet_print_json(a->fleet);
	else
		fleet_print_text(c, a->fleet);
	return worst;
}

int diagnose_all(struct cli *c, const struct config *config)
{
	struct all a = {.config = config, .clock = &c->clock, .lock = PTHREAD_MUTEX_INITIALIZER};
	const char **names = xcalloc(config->n_hosts + 1, sizeof(*names));
	struct err e = {.code = ERR_NONE};
	int code;

	for (size_t i = 0; i < config->n_hosts; i++)
		names[i] = config->hosts[i].name;
	a.fleet = fleet_new(names, config->n_hosts);
	a.fleet->when = clock_wall(&c->clock);
	a.access = (struct fleet_access){.open = open_host, .arg = &a, .clock = &c->clock};
	a.slots = xcalloc(config->n_hosts + 1, sizeof(*a.slots));
	if (cli_value(c, "--html", NULL)) {
		code = cli_usage(c, "--html writes the page of one host: name it instead of --all");
	} else if (read_suspicions(c, &a, &e) < 0) {
		code = cli_fail(c, &e);
	} else {
		in_parallel(&a, identify);
		in_parallel(&a, row);
		code = tell(c, &a);
	}
	for (size_t i = 0; i < config->n_hosts; i++)
		free(a.slots[i].d);
	free(a.slots);
	fleet_free(a.fleet);
	free(names);
	return code;
}
