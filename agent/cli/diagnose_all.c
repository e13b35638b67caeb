/* diagnose_all.c - `evmend diagnose --all`: every configured host.
 *
 * Exists so that one command tells where a fleet hurts. Promises that a host that cannot be read is told and does not hide the
 * others. Refuses nothing: the worst code of all is the code. */
#include "cli/diagnose.h"

int diagnose_all(struct cli *c, const struct config *config)
{
	int worst = 0;
	struct err e;

	for (size_t i = 0; i < config->n_hosts; i++) {
		int code = diagnose_one(c, config, &config->hosts[i], &e);

		if (code < 0)
			code = cli_fail(c, &e);
		if (code > worst)
			worst = code;
	}
	return worst;
}
