/* link.h - a role's end of its channel to main, and the loop that every role shares. */
#ifndef EVMEND_PROC_LINK_H
#define EVMEND_PROC_LINK_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/os.h"
#include "proc/config.h"
#include "proc/message.h"

#define LINK_FD 3        /* where a role finds its channel (os.h: spawn) */
#define LINK_EXTRA 64    /* descriptors that a role waits for besides its channel */

struct link {
	struct channel *channel;
	enum role me;
	struct clock clock;
	struct log log;
	struct config *config; /* what main has sent; owned */
	bool stop;             /* MSG_STOP came: drain and end */
	bool gone;             /* main is gone: end at once */
	int signals, lock;
};

/* Takes the channel, waits for MSG_CONFIG, sets up log and clock, and waits until a predecessor of this role has ended (a lock on
 * STATE_DIR/ROLE.lock): after main was killed the old roles may still be at work for a moment. -1 and *e when main says nothing usable. */
int link_open(struct link *l, enum role me, struct err *e);
void link_close(struct link *l);
/* Sends, and waits for room in the queue when there is none. -1: main is gone (l->gone is set). */
int link_send(struct link *l, enum role to, enum message_type type, const void *body, size_t n);
/* MSG_FAILED to main, printf-like, and a line in the log. */
void link_failed(struct link *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes what waits, waits for the channel or one of extra (at most LINK_EXTRA) for timeout_ms, reads. Signals are taken and ignored:
 * main decides. 0; -1: main is gone. */
int link_wait(struct link *l, struct os_poll *extra, size_t n, int timeout_ms);
/* The next message for the role. MSG_STOP sets l->stop and is given too. false: none. */
bool link_next(struct link *l, struct message *m);
/* The configuration of a MSG_CONFIG or MSG_RELOAD; NULL and *e when it is none. */
struct config *link_config(const struct message *m, struct err *e);

#endif
