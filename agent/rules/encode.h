/* encode.h - the modifiers base64 and base64offset, with wide, utf16 and utf16be in front: how a text looks inside encoded data.
 * Private to rules/. */
#ifndef EVMEND_RULES_ENCODE_H
#define EVMEND_RULES_ENCODE_H

#include <stddef.h>

#include "rules/modifiers.h"
#include "rules/placeholders.h"

/* The encoded texts of one Sigma string, of which any may stand in a value: one; three for base64offset (one for each place in a
 * group of three bytes, without the characters that depend on what stands beside it); with windash as many for each way to write
 * the dashes. NULL and a problem: wildcards, nothing to encode, too short to be told from chance, more than LIMIT_EXPANSION. */
const struct raw_text *encode(struct loader *l, const struct yaml_node *at, unsigned set, const struct raw_text *value, bool verbatim,
	size_t *count);

#endif
