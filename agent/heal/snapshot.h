/* snapshot.h - the host as it was before the first act of a repair, written to the ledger and read back from there.
 *
 * It holds what a proof compares with: every record whole, every certificate by thumbprint, store and state of its key, sites with
 * their bindings, services and pools, and every fact (so what 443 showed). */
#ifndef EVMEND_HEAL_SNAPSHOT_H
#define EVMEND_HEAL_SNAPSHOT_H

#include "base/json.h"
#include "heal/remedy.h"

/* A snapshot that was read back. Of its diagnosis identity, state, facts and when are filled, and the plan is empty (repair_history
 * puts the acts into it); of a certificate: thumbprint, end, store, friendly name and key. Big: allocate it. */
struct snapshot {
	struct diagnosis d;
	char names[FACTS_MAX][64]; /* d.facts.list[i].name points here: do not copy it */
};

void snapshot_json(struct json_out *o, const struct diagnosis *d); /* members of an open object */
/* The object that snapshot_json wrote. -1: a member is missing or of the wrong kind; ERR_IO names it. */
int snapshot_read(const struct json *j, struct snapshot *to, struct err *e);

#endif
