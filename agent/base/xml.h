/* xml.h - one XML document at a time, as a stream of calls (libxml2 behind it).
 *
 * Refused: DOCTYPE, entity declarations, external access of any kind, depth above LIMIT_XML_DEPTH. The input must be
 * UTF-8 that XML 1.0 permits (event/event_clean.h sees to that before). Names come without prefix and namespace.
 * The five built-in entities and character references are resolved, in attributes too. */
#ifndef EVMEND_BASE_XML_H
#define EVMEND_BASE_XML_H

#include <stddef.h>

#include "base/err.h"

struct xml_attribute {
	const char *name;  /* local name, NUL-terminated */
	const char *value; /* not NUL-terminated */
	size_t len;
};

/* Each returns 0 to go on; non-zero stops the document and xml_parse fails with the handler's *e. */
struct xml_handler {
	int (*start)(void *arg, const char *name, const struct xml_attribute *attributes, size_t n);
	int (*end)(void *arg, const char *name);
	int (*text)(void *arg, const char *text, size_t n); /* may come in pieces */
};

struct xml_parser;

struct xml_parser *xml_new(void);
void xml_free(struct xml_parser *p);
/* Parses one whole document of n bytes. -1 and *e (with the line inside the document) when it is not well-formed,
 * refused, or a handler stopped it. The parser is reused; its dictionary is thrown away when hostile names fill it. */
int xml_parse(struct xml_parser *p, const char *text, size_t n, const struct xml_handler *handler, void *arg, struct err *e);
/* Equal names of elements and attributes are one pointer, in one document and over documents, as long as this number is the same. It
 * changes between documents only; afterwards the pointers may mean other names. */
unsigned xml_generation(const struct xml_parser *p);
/* "libxml2 2.9.14", for `evmend version`. */
const char *xml_library(void);

#endif
