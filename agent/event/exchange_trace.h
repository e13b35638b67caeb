/* exchange_trace.h - the bracketed text that Exchange's front end puts into remote PowerShell errors:
 *
 *   [ClientAccessServer=EX1,BackEndServer=ex1.example,RequestId=GUID,TimeStamp=...] [FailureCategory=Cafe-SendFailure]
 *   [Server=EX1,RequestId=GUID,TimeStamp=...] [FailureCategory=WSMan-InvalidShellID]
 *   [AuthZRequestId=GUID][FailureCategory=AuthZ-...]
 *
 * Words around the brackets are translated, the keys never are. TimeStamp is spelled in the culture of the server's thread:
 * it is a text here and no time. The product writes "UnKown" (sic) for a back end that it does not know. Source: observed
 * behaviour of Exchange 2013 to 2019. */
#ifndef EVMEND_EVENT_EXCHANGE_TRACE_H
#define EVMEND_EVENT_EXCHANGE_TRACE_H

#include <stddef.h>

#include "base/arena.h"

#define TRACE_FIELDS 8    /* most that one call gives */
#define TRACE_SHORTEST 16 /* no shorter text can hold anything of this */

/* All names that the two functions below give; NULL ends them. */
extern const char *const exchange_trace_names[];

struct trace_field {
	const char *name;  /* a constant */
	const char *value; /* in the arena */
	size_t len;
};

/* The fields of the next such bracket at or behind *at; *at moves behind it. 0: there is none any more. A console that wraps at the
 * window's width cuts names and GUIDs anywhere: line breaks inside a bracket, and blanks around them, are removed. */
size_t exchange_trace_next(const char *text, size_t n, size_t *at, struct arena *a, struct trace_field out[static TRACE_FIELDS]);
/* FullyQualifiedErrorId ("-2144108477,PSSessionOpenFailed") and its ErrorNumber, where the text has them: 0 to 2 fields. */
size_t exchange_error_id(const char *text, size_t n, struct arena *a, struct trace_field out[static TRACE_FIELDS]);

#endif
