/* diagnose_from.c - `evmend diagnose --from`: facts, verdict, notes and plan of a folder of facts.
 *
 * Exists so that a server that nobody may connect to is diagnosed as a live one is. Promises the same facts, verdict and plan id for the
 * same state; certificates are judged as of the time of the folder, or of --at. Refuses a configuration: no policy of this machine
 * speaks for a server that is known only by a folder. */
#include <stdlib.h>
#include <string.h>

#include "cli/diagnose.h"
#include "cli/host_verbs.h"

#define EVENT_PATHS 64

/* What the logs in the folder show, and those that --events names. */
static int listen_to(struct cli *c, const struct host_identity *i, const struct host_folder_about *about, struct suspicion *to,
	struct err *e)
{
	const char *paths[EVENT_PATHS + LIMIT_FOLDER_EVENTS], *aliases[] = {i->netbios};
	struct host_config h = {.name = i->fqdn, .aliases = aliases, .n_aliases = 1};
	struct config config = {.hosts = &h, .n_hosts = 1};
	size_t n = cli_values(c, "--events", paths, EVENT_PATHS);

	memset(to, 0, sizeof(*to));
	for (size_t k = 0; k < about->n_events; k++)
		paths[n++] = about->events[k];
	return n ? host_verbs_listen(c, &config, &h, paths, n, to, e) : 0;
}

int diagnose_folder(struct cli *c, const char *folder, struct host **host, struct diagnosis *d, struct err *e)
{
	const struct host_folder_about *about;
	struct host_identity id;
	struct suspicion s;

	*host = host_folder_open(folder, cli_value(c, "--host", NULL), &c->clock, e);
	if (*host == NULL)
		return -1;
	about = host_folder_about(*host);
	if (!c->at_given)
		c->clock = clock_fixed(about->collected_at);
	if ((*host)->ops->identity(*host, &id, 0, e) < 0 || listen_to(c, &id, about, &s, e) < 0)
		return -1;
	return diagnose(remedies[0], *host, &c->clock, clock_monotonic(&c->clock), &s, d, e);
}

int diagnose_from(struct cli *c, const char *folder)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct err e = {.code = ERR_NONE};
	struct host *host = NULL;
	int code;

	if (diagnose_folder(c, folder, &host, d, &e) < 0 || host_verbs_print_folder(c, d, folder, host_folder_about(host), &e) < 0)
		code = cli_fail(c, &e);
	else
		code = diagnose_code(d);
	if (host)
		host->ops->close(host);
	free(d);
	return code;
}
