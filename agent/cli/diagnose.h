/* diagnose.h - what `diagnose HOST`, `diagnose --all` and `diagnose --from` share. All return an exit code. */
#ifndef EVMEND_CLI_DIAGNOSE_H
#define EVMEND_CLI_DIAGNOSE_H

#include "cli/cli.h"
#include "heal/policy.h"
#include "heal/remedy.h"
#include "proc/config.h"

/* Reads one configured host and prints it. 0 well, ERR_FINDINGS something is wrong, -1 and *e when it cannot be read. */
int diagnose_one(struct cli *c, const struct config *config, const struct host_config *h, struct err *e);
/* What the policy would say to this diagnosis, as far as it can be known without asking the host's lock. */
int diagnose_policy(const struct config *config, const struct host_config *h, const struct diagnosis *d, const struct clock *clock,
	struct policy_decision *to, struct err *e);
/* Every configured host, and who reaches whom; what went wrong is printed. The worst code of all. */
int diagnose_all(struct cli *c, const struct config *config);
/* A folder of facts: --host, --events and --at are c's. */
int diagnose_from(struct cli *c, const char *folder);
/* Opens and diagnoses it, and sets c's clock to its time (unless --at). *host is the caller's to close, also on -1 when not NULL. */
int diagnose_folder(struct cli *c, const char *folder, struct host **host, struct diagnosis *d, struct err *e);
/* 0: healthy, or no Exchange server; else ERR_FINDINGS. */
int diagnose_code(const struct diagnosis *d);

#endif
