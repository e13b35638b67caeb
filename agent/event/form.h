/* form.h - what kind of text is this? Private to event/. */
#ifndef EVMEND_EVENT_FORM_H
#define EVMEND_EVENT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "event/decode.h"

/* Looks at the beginning of a stream (UTF-8). *form that is given (not FORM_AUTO) is only checked. Sets *form, or leaves FORM_AUTO when
 * more bytes are needed (never when final). -1 and *e, with what to do instead: an .evtx file, a compressed or other binary file. */
int form_find(const char *p, size_t n, const char *source, bool final, enum event_form *form, struct err *e);

#endif
