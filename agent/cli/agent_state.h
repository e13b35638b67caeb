/* agent_state.h - how verbs reach the agent: its configuration, its databases, its control socket. */
#ifndef EVMEND_CLI_AGENT_STATE_H
#define EVMEND_CLI_AGENT_STATE_H

#include "cli/cli.h"
#include "heal/case_store.h"
#include "proc/config.h"
#include "proc/control.h"
#include "store/db.h"

#define AGENT_CONFIG "/etc/evmend/config.yaml" /* without -c and EVMEND_CONFIG */

/* The configuration that -c, EVMEND_CONFIG or AGENT_CONFIG names; NULL and *e. config_free. */
struct config *agent_config(const struct cli *c, struct err *e);
/* " -c FILE" for a command that is shown; "" when it would be found without. */
void agent_config_words(const struct config *config, char *to, size_t n);
/* heal.db. DB_READ: beside a running agent; NULL with *e set when there is none yet. DB_WRITE only without an agent (agent_lock). */
struct db *agent_heal_db(const struct config *config, enum db_mode mode, struct err *e);
/* Takes the agent's own lock, so that none starts meanwhile: a descriptor for os_file.close; -1 and *e. */
int agent_lock(const struct config *config, struct err *e);
/* control_ask with the verbs' time limit. */
int agent_ask(const struct cli *c, const struct config *config, const struct buf *question, struct json **answer, struct err *e);
/* A member of a question, quoted; value NULL: nothing. Members are separated by the caller's "," only when the text is not empty. */
void agent_member(struct buf *question, const char *key, const char *value);
/* --for SPAN, at most `most`, or --until TIME; *until 0: neither was given. */
int agent_until(const struct cli *c, int64_t most, int64_t *until, struct err *e);
/* The silences, an array (heal/silence.h), and what watch held back (engine_noise; NULL: nothing yet, e->code says whether that is a
 * failure). json_free. */
struct json *agent_silences(const struct config *config, struct err *e);
struct json *agent_noise(const struct config *config, struct err *e);
struct json *agent_rules(const struct config *config, struct err *e); /* the set of rules that watch has (proc/rule_keeper.h); NULL as above */
const struct json *agent_silence_held(const struct json *noise, int64_t id); /* what that silence held back; NULL: not known */
int agent_case_id(const char *word, int64_t *id, struct err *e); /* a whole number above 0; "#17" is taken too */
/* The case of that number, with the configuration and the heal.db it came from (both are the caller's, set or NULL, also on -1). */
int agent_case(const struct cli *c, const char *word, struct config **config, struct db **d, struct heal_case *k, struct err *e);

#endif
