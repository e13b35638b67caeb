/* format_parsers.h - what a receiver reads: small parsers of CEF, LEEF and RFC 5424, written from the specifications and not from our
 * writers. */
#ifndef EVMEND_TESTS_LIB_FORMAT_PARSERS_H
#define EVMEND_TESTS_LIB_FORMAT_PARSERS_H

#include <stdbool.h>
#include <stddef.h>

#define PARSED_PAIRS 256

struct parsed {
	char *text;                     /* all of it lives here */
	const char *head[8];            /* fields of the header, unescaped */
	size_t n_head;
	struct parsed_pair {
		const char *key, *value;
	} pairs[PARSED_PAIRS];
	size_t n;
	const char *rest;               /* RFC 5424: MSG */
};

/* false: it is not of that format; why says what is wrong. Free it in both cases. */
bool parse_cef(const char *line, size_t n, struct parsed *to, const char **why);
bool parse_leef(const char *line, size_t n, struct parsed *to, const char **why);
bool parse_rfc5424(const char *message, size_t n, struct parsed *to, const char **why); /* pairs: of the one element there may be */
void parsed_free(struct parsed *p);
const char *parsed_value(const struct parsed *p, const char *key); /* NULL: there is none */
/* One line of valid UTF-8 without a control character. */
bool one_plain_line(const char *s, size_t n);

#endif
