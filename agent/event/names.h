/* names.h - field names as small numbers, shared by rules and events.
 *
 * Filled while rules are loaded, read-only afterwards (so threads share it). Lookup ignores ASCII case: real events
 * differ in case, and no event has two names that differ in case alone. A name that no rule mentions has id 0. */
#ifndef EVMEND_EVENT_NAMES_H
#define EVMEND_EVENT_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_new(void);
void names_free(struct names *n);
uint16_t names_add(struct names *n, const char *name, size_t len); /* id >= 1; 0 when LIMIT_NAMES is reached */
uint16_t names_find(const struct names *n, const char *name, size_t len); /* 0 when unknown */
size_t names_count(const struct names *n); /* ids are 1 to this */
const char *names_text(const struct names *n, uint16_t id);

#endif
