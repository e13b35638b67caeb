/* ps_text.h - values and remarks in a PowerShell script: the only place that quotes.
 *
 * The script is printable ASCII. PowerShell takes U+2018, U+2019, U+201A and U+201B for single quotes, so a value with anything
 * else than printable ASCII is refused, not escaped. */
#ifndef EVMEND_REMEDIES_PS_TEXT_H
#define EVMEND_REMEDIES_PS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* 'value', a quote in it doubled. -1 and *e (ERR_REFUSED, naming `what`) for anything but printable ASCII: nothing is added then. */
int ps_quote(struct buf *to, const char *what, const char *value, struct err *e);
/* @('a', 'b'); values are strings of `size` bytes each, one behind the other. As ps_quote. */
int ps_quote_list(struct buf *to, const char *what, const char *values, size_t size, size_t n, struct err *e);
/* "# LABEL TEXT" as comment lines of at most 116 columns, the later ones indented under the text; what is not printable ASCII is
 * '?', so no text can end a comment. `before` is what stands in front of the '#'. */
void ps_remark(struct buf *to, const char *before, const char *label, const char *text);
/* The same on one line, however long: a command that a person copies. */
void ps_remark_whole(struct buf *to, const char *before, const char *label, const char *text);
bool ps_guid_ok(const char *s);  /* {8-4-4-4-12 hex digits} */
bool ps_store_ok(const char *s); /* a letter, then letters and digits; at most 63 */

#endif
