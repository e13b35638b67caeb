/* template.h - a text with places for what a record says: index, topic, sourcetype. */
#ifndef EVMEND_SHIP_TEMPLATE_H
#define EVMEND_SHIP_TEMPLATE_H

#include "ship/sink.h"
#include "ship/view.h"

/* Places are {kind} {host} {level} {cause} and {label.NAME}; everything else stands as it is, and a '{' is always a place. -1 and *e when
 * text has another place or a brace without its other half. */
int template_check(const char *text, struct err *e);
/* Is it a text without places? Then it is the same for every record. */
bool template_fixed(const char *text);
/* The next place {label.NAME} at or behind *at: its NAME, and *at is behind it. false: there is none. */
bool template_label(const char **at, char name[static 128]);
/* Adds the text of this record. What comes from the record goes through clean, which adds what may stand there; where it adds nothing
 * (there is no such label, the finding has no cause) "none" stands. */
typedef void template_clean(struct buf *to, const char *value);
void template_fill(const char *text, const struct sink_config *c, const struct record_view *v, template_clean *clean, struct buf *to);
/* For names of indexes and topics: letters in lower case, digits, '.', '_' and '-' stay, other bytes become '_'; never first '.', '_' or '-';
 * at most 100 bytes. */
template_clean template_name;

#endif
