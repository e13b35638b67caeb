/* outbox.h - what watch has said and not yet heard back: records for ship, suspects for heal. Sent again when a peer was restarted. */
#ifndef EVMEND_PROC_OUTBOX_H
#define EVMEND_PROC_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/link.h"

struct outbox;

struct outbox *outbox_new(struct link *l); /* l is borrowed */
void outbox_free(struct outbox *o);
/* Sends one record to ship. json: one object, a newline at its end is cut off. One that is too large is left out and said. */
void outbox_record(struct outbox *o, const uint8_t uid[32], int kind, int64_t when, const char *json, size_t n);
/* Keeps it until outbox_commit; a later one of the same case takes its place. */
void outbox_suspect(struct outbox *o, const struct suspect *s);
bool outbox_full(const struct outbox *o);
void outbox_commit(struct outbox *o);          /* asks both peers to store what they have */
bool outbox_waiting(const struct outbox *o);   /* a commit is not answered yet */
bool outbox_empty(const struct outbox *o);     /* nothing was said since the last commit */
/* MSG_STORED, MSG_SUSPECT_STORED, MSG_PEER_UP; others are left alone. */
void outbox_take(struct outbox *o, const struct message *m);

#endif
