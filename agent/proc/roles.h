/* roles.h - the processes of the agent. main re-executes the program as each of the others. */
#ifndef EVMEND_PROC_ROLES_H
#define EVMEND_PROC_ROLES_H

#include "base/err.h"
#include "proc/config.h"

/* The agent: starts the roles, passes their messages on, restarts them, ends when told. Takes c. An exit code. */
int role_main(struct config *c, struct err *e);
/* The others; their channel is descriptor 3. An exit code; a message is on stderr. */
int role_watch(void);
int role_heal(void);
int role_ship(void);

#endif
