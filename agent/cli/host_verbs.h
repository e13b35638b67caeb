/* host_verbs.h - what `diagnose` and `repair` share: the configured host, a connection, what events have shown, and how a diagnosis
 * is printed. */
#ifndef EVMEND_CLI_HOST_VERBS_H
#define EVMEND_CLI_HOST_VERBS_H

#include "cli/agent_state.h"
#include "cli/cli.h"
#include "heal/diagnose.h"
#include "heal/policy.h"
#include "host/host_folder.h"

/* By name or alias; NULL and *e with the names that there are. */
const struct host_config *host_verbs_find(const struct config *config, const char *name, struct err *e);
enum policy_mode host_verbs_mode(const struct config *config, const struct host_config *h);
/* Names of the hosts in h's group, itself among them; 0: it is in none. */
size_t host_verbs_group(const struct config *config, const struct host_config *h, const char *to[static CONFIG_HOSTS]);
struct host *host_verbs_open(const struct config *config, const struct host_config *h, const struct clock *clock, struct err *e);
/* What the agent's open cases of this host have seen (nothing when no agent ever ran), and what the events in `paths` show. */
int host_verbs_suspicion(struct cli *c, const struct config *config, const struct host_config *h, const char *const *paths,
	size_t n,
	struct suspicion *to, struct err *e);
/* Only what the events in `paths` show; of config the hosts are used. Adds to *to. */
int host_verbs_listen(struct cli *c, const struct config *config, const struct host_config *h, const char *const *paths, size_t n,
	struct suspicion *to, struct err *e);
/* Facts, verdict, notes, plan, and what the policy says (NULL: not asked); one JSON line with --json; a page with --html FILE. */
int host_verbs_print(struct cli *c, const struct diagnosis *d, const char *host, const struct policy_decision *decision, struct err *e);
/* The same for a folder of facts: where it is from and what it does not say; no policy is asked. */
int host_verbs_print_folder(struct cli *c, const struct diagnosis *d, const char *folder, const struct host_folder_about *about,
	struct err *e);
/* "uid 0, pid 812" */
void host_verbs_actor(char *to, size_t n);

#endif
