/* diagnose.h - what `diagnose HOST`, `diagnose --all` and `diagnose --from` share. All return an exit code. */
#ifndef EVMEND_CLI_DIAGNOSE_H
#define EVMEND_CLI_DIAGNOSE_H

#include "cli/cli.h"
#include "proc/config.h"

/* Reads one configured host and prints it. 0 well, ERR_FINDINGS something is wrong, -1 and *e when it cannot be read. */
int diagnose_one(struct cli *c, const struct config *config, const struct host_config *h, struct err *e);
/* Every configured host; what went wrong is printed. The worst code of all. */
int diagnose_all(struct cli *c, const struct config *config);

#endif
