/* diagnose.h - one diagnosis from end to end: facts, verdict, notes, plan; and how it is written down. Changes nothing. */
#ifndef EVMEND_HEAL_DIAGNOSE_H
#define EVMEND_HEAL_DIAGNOSE_H

#include "base/json.h"
#include "heal/remedy.h"

/* Reads the host, judges and plans. deadline: monotonic. -1: the host does not say who it is or what its state is. */
int diagnose(const struct remedy *remedy, struct host *h, const struct clock *clock, int64_t deadline, const struct suspicion *s,
	struct diagnosis *to, struct err *e);

/* Makes it empty, all but the room for certificates, which is big and counted by n_certs. */
void diagnosis_clear(struct diagnosis *d);

/* Members of an open object: host, verdict, facts, notes, plan. */
void diagnosis_json(struct json_out *o, const struct diagnosis *d);
void proof_json(struct json_out *o, const struct proof *p); /* members of an open object */
/* "BE_CERT_DELETED: sentence; SMTP open: ..." for a case. */
void diagnosis_text(const struct diagnosis *d, char *to, size_t n);
/* Advice with what stands in the way: the verdict's advice, notes, `why`. */
void diagnosis_advice(const struct diagnosis *d, const char *why, char *to, size_t n);

#endif
