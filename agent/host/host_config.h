/* host_config.h - how a configured server is reached and what may be done there. */
#ifndef EVMEND_HOST_HOST_CONFIG_H
#define EVMEND_HOST_HOST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct host_config {
	const char *name;             /* the FQDN, as findings should say */
	const char *const *aliases;
	size_t n_aliases;
	const char *group;            /* NULL: none */
	const char *mode;             /* NULL: the remedy's own; "observe", "approve", "auto" */
	const char *access;           /* "pipe" */
	char *const *command;         /* argv, ends with NULL; the program at the other end of the pipe */
};

/* Is it the name or an alias of this server? Case does not count. */
bool host_called(const struct host_config *h, const char *name);

#endif
