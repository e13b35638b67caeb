/* host_pipe.h - host.h spoken over a pipe to a program (docs/host-protocol.md): JSON lines, a hello with version and
 * capabilities, numbered calls, a deadline for each, typed errors. The program may hang, die, lie or talk nonsense: each is an
 * error with what to do, and the pipe is closed and the program killed. */
#ifndef EVMEND_HOST_HOST_PIPE_H
#define EVMEND_HOST_HOST_PIPE_H

#include "host/host.h"
#include "os/os.h"

/* config is kept: it lives as long as the host. */
struct host *host_pipe_open(const struct host_config *config, const struct os_process_ops *process, const struct clock *clock,
	int64_t deadline, struct err *e);

/* host_wire.h holds the JSON of both directions (encode and decode of every type), used by host_pipe and by anybody who answers. */

#endif
