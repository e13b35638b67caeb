/* control.h - the control socket, STATE_DIR/control.sock: one JSON object a line each way, version 1, peers of the same user or root.
 *
 * Asked: {"v":1,"do":"status"|"approve"|"close"|"hold"|"undo"|"diagnose", ...}; members by verb: case (number), host (text; left out:
 * every host), on (true or false), reason (text), via (text), actor (text: for whom the peer speaks; the peer's uid stands beside it),
 * plan (64 digits; an approval must name it and is refused when the case has another plan by now), until (time: the end of a hold or of
 * an approval, which never lasts longer than times.approval). Answered: {"v":1,"ok":true,...} or {"v":1,"ok":false,"code":6,"text":"..."}.
 * What only looks (cases, case, ledger, explain) reads heal.db itself, whether an agent runs or not. */
#ifndef EVMEND_PROC_CONTROL_H
#define EVMEND_PROC_CONTROL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "os/os.h"

#define CONTROL_LINE (64u << 10) /* a question */
#define CONTROL_PEERS 8
#define CONTROL_NAME "control.sock"

/* The server's end. `answer` gets a parsed question and writes the members of the answer behind "ok":true; -1 and *e for a refusal. */
struct control;
typedef int control_answer(void *arg, const struct os_peer *who, const struct json *question, struct json_out *o, struct err *e);

struct control *control_open(const char *path, const struct os_control_ops *ops, control_answer *answer, void *arg, struct err *e);
void control_free(struct control *c);
size_t control_wait(const struct control *c, struct os_poll *to, size_t n); /* descriptors to wait for */
void control_run(struct control *c); /* takes who knocks, reads, answers; never blocks */

/* A verb's end: asks the agent that runs on state_dir. 1: *to holds the answer (json_free), which may be a refusal: then *e is set from
 * it; 0: no agent runs there; -1: it does not answer in time or talks nonsense. question: members, without braces and "v". */
int control_ask(const char *state_dir, const struct buf *question, int64_t timeout, const struct clock *clock, struct json **to, struct err *e);

#endif
