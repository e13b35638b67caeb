/* xml.c - one XML document as a stream of calls, with libxml2 and SAX2.
 *
 * Promises: entities and character references are resolved in text and in attributes alike; a context is reused, and a
 * document that went wrong leaves nothing behind for the next one.
 * Refuses: DOCTYPE and entity declarations (and with them every external access), depth above LIMIT_XML_DEPTH, documents
 * above LIMIT_XML_BYTES, a NUL byte.
 *
 * Some habits of libxml2 shape this file. Without XML_PARSE_NOENT an attribute's "&amp;" arrives as "&#38;". After
 * xmlStopParser the context still calls itself well-formed, so we remember that we stopped. A reused context keeps every
 * name it ever saw, so it is thrown away when its dictionary has grown. Its push parser costs a fifth more than xmlParseDocument
 * over an input that it need not fill; and a namespace costs more than an attribute, for its URI is taken apart. */
#include "base/xml.h"

#include <libxml/SAX2.h>
#include <libxml/dict.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "limits.h"

/* An encoding declaration speaks of the file that once was; what we are given is UTF-8. */
#define OPTIONS (XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_IGNORE_ENC)

struct xml_parser {
	xmlParserCtxtPtr context;
	const struct xml_handler *handler;
	void *arg;
	struct err *err;
	struct xml_attribute *attributes;
	size_t room;
	struct buf text; /* the document, with the NUL behind it that libxml2 wants */
	unsigned generation; /* of the dictionary */
	int depth;
	bool stopped; /* by a handler or by a refusal; *err is set */
	bool fatal;   /* libxml2 found a fault; *err is set */
};

static void stop(struct xml_parser *p)
{
	p->stopped = true;
	xmlStopParser(p->context);
}

static int line_of(const struct xml_parser *p)
{
	return p->context->input ? p->context->input->line : 1;
}

static void refuse(struct xml_parser *p, const char *what)
{
	if (p->stopped)
		return;
	err_set(p->err, ERR_IO, "line %d: %s", line_of(p), what);
	stop(p);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
		     const xmlChar **namespace_list, int n, int defaulted, const xmlChar **list)
{
	struct xml_parser *p = user;

	(void)prefix, (void)uri, (void)namespaces, (void)namespace_list, (void)defaulted;
	if (p->stopped)
		return;
	if (++p->depth > LIMIT_XML_DEPTH) {
		refuse(p, "elements are nested too deep");
		return;
	}
	if ((size_t)n > p->room) {
		p->room = (size_t)n * 2;
		p->attributes = xrealloc(p->attributes, p->room, sizeof *p->attributes);
	}
	/* SAX2 gives five pointers an attribute: name, prefix, namespace, value, end of value. */
	for (int i = 0; i < n; i++) {
		p->attributes[i].name = (const char *)list[5 * i];
		p->attributes[i].value = (const char *)list[5 * i + 3];
		p->attributes[i].len = (size_t)(list[5 * i + 4] - list[5 * i + 3]);
	}
	if (p->handler->start && p->handler->start(p->arg, (const char *)name, p->attributes, (size_t)n) != 0)
		stop(p);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_parser *p = user;

	(void)prefix, (void)uri;
	if (p->stopped)
		return;
	p->depth--;
	if (p->handler->end && p->handler->end(p->arg, (const char *)name) != 0)
		stop(p);
}

static void on_text(void *user, const xmlChar *text, int n)
{
	struct xml_parser *p = user;

	if (!p->stopped && p->handler->text && p->handler->text(p->arg, (const char *)text, (size_t)n) != 0)
		stop(p);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	refuse(user, "has a DOCTYPE, which is refused");
}

static void on_entity(void *user, const xmlChar *name, int type, const xmlChar *public, const xmlChar *system, xmlChar *content)
{
	(void)name, (void)type, (void)public, (void)system, (void)content;
	refuse(user, "declares an entity, which is refused");
}

static void on_error(void *user, xmlErrorPtr error)
{
	struct xml_parser *p = user;
	size_t n = error->message ? strcspn(error->message, "\n") : 0;

	/* Lower levels are about namespaces: a prefix without a declaration is sloppy, but its text can be read. */
	if (error->level != XML_ERR_FATAL || p->stopped || p->fatal)
		return;
	p->fatal = true;
	err_set(p->err, ERR_IO, "line %d: not well-formed XML: %.*s", error->line, (int)(n < 200 ? n : 200), error->message);
}

static void drop_context(struct xml_parser *p)
{
	xmlFreeDoc(p->context->myDoc);
	xmlFreeParserCtxt(p->context);
}

static void make_context(struct xml_parser *p)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype,
		.externalSubset = on_doctype,
		.entityDecl = on_entity,
		.serror = on_error,
	};

	p->generation++;
	p->context = xmlNewParserCtxt();
	if (!p->context || xmlCtxtUseOptions(p->context, OPTIONS) != 0)
		die("libxml2 gives no parser; out of memory");
	*p->context->sax = sax;
	p->context->userData = p;
}

struct xml_parser *xml_new(void)
{
	struct xml_parser *p = xcalloc(1, sizeof *p);

	xmlInitParser();
	buf_init(&p->text, LIMIT_XML_BYTES + 1);
	make_context(p);
	return p;
}

void xml_free(struct xml_parser *p)
{
	if (!p)
		return;
	drop_context(p);
	free(p->attributes);
	buf_free(&p->text);
	free(p);
}

static bool succeeded(const struct xml_parser *p)
{
	const xmlParserCtxt *c = p->context;

	return !p->stopped && !p->fatal && c->wellFormed && !c->disableSAX && p->depth == 0;
}

/* "<Event xmlns='http://...'>" becomes "<Event>": nobody is told of namespaces, and this one is in every event. The beginning moves to
 * the right; returns where it begins then. */
static char *without_namespace(char *s)
{
	static const char asks[] = " xmlns=";
	size_t name = 0, end;
	char quote;

	if (*s != '<')
		return s;
	do
		name++;
	while ((s[name] >= 'a' && s[name] <= 'z') || (s[name] >= 'A' && s[name] <= 'Z'));
	if (strncmp(s + name, asks, sizeof asks - 1) != 0)
		return s;
	end = name + sizeof asks;
	quote = s[end - 1];
	if (quote != '\'' && quote != '"')
		return s;
	while (s[end] > ' ' && s[end] < 0x7f && s[end] != quote && s[end] != '<' && s[end] != '&')
		end++;
	if (s[end] != quote || s[end + 1] != '>')
		return s;
	return memmove(s + end + 1 - name, s, name);
}

/* Gives the context the document; the input is freed with the next reset. */
static void open_input(struct xml_parser *p, const char *text, size_t n)
{
	xmlParserInputPtr input;
	char *s;

	xmlCtxtReset(p->context);
	buf_reset(&p->text);
	buf_add(&p->text, text, n);
	buf_char(&p->text, '\0'); /* so that there is a text when n is 0 */
	input = xmlNewInputStream(p->context);
	if (!input || p->text.refused || inputPush(p->context, input) < 0)
		die("libxml2 cannot start a document; out of memory");
	s = without_namespace(p->text.p);
	input->base = input->cur = (const xmlChar *)s;
	input->end = (const xmlChar *)p->text.p + n;
	p->context->progressive = 1; /* all is there: it need not ask for more at each token */
}

int xml_parse(struct xml_parser *p, const char *text, size_t n, const struct xml_handler *handler, void *arg, struct err *e)
{
	struct err unseen;
	bool good;

	if (n > LIMIT_XML_BYTES)
		return err_set(e, ERR_IO, "a document of %zu bytes; at most %u are read", n, LIMIT_XML_BYTES);
	if (memchr(text, '\0', n))
		return err_set(e, ERR_IO, "has a NUL byte, which no XML may hold");
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	p->handler = handler;
	p->arg = arg;
	p->err = e ? e : &unseen;
	p->depth = 0;
	p->stopped = p->fatal = false;
	open_input(p, text, n);
	xmlParseDocument(p->context);
	good = succeeded(p);
	if (!good && !p->stopped && !p->fatal)
		err_set(p->err, ERR_IO, "line %d: not well-formed XML: it ends too early", line_of(p));
	if (!good || xmlDictSize(p->context->dict) > LIMIT_XML_NAMES) {
		drop_context(p);
		make_context(p);
	}
	p->err = NULL;
	return good ? 0 : -1;
}

unsigned xml_generation(const struct xml_parser *p)
{
	return p->generation;
}

const char *xml_library(void)
{
	return "libxml2 " LIBXML_DOTTED_VERSION;
}
