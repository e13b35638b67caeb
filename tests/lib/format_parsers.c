/* format_parsers.c - small parsers of what receivers take.
 *
 * Why: a writer that is checked by itself proves nothing. Promises to follow the texts: ArcSight "Implementing CEF" (version 25), IBM "LEEF event
 * components", RFC 5424 section 6. Refuses what these do not allow. */
#include "lib/format_parsers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool one_plain_line(const char *s, size_t n)
{
	while (n) {
		uint32_t c;
		size_t step = utf8_step(s, n, &c);

		if (!step || c < 32 || (c >= 127 && c < 160) || c == 0x2028 || c == 0x2029)
			return false;
		s += step;
		n -= step;
	}
	return true;
}

static bool begin(struct parsed *to, const char *s, size_t n)
{
	*to = (struct parsed){ .rest = "" };
	to->text = malloc(n + 1);
	if (!to->text || memchr(s, '\0', n))
		return false;
	memcpy(to->text, s, n);
	to->text[n] = '\0';
	return true;
}

void parsed_free(struct parsed *p)
{
	free(p->text);
	p->text = NULL;
}

const char *parsed_value(const struct parsed *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->pairs[i].key, key))
			return p->pairs[i].value;
	return NULL;
}

/* Fields up to an unescaped '|', in place; what escapes is `escaped`. NULL: there is no '|' any more. */
static char *head_field(char *s, const char *escaped, const char **why)
{
	char *to = s;

	for (; *s && *s != '|'; s++) {
		if (*escaped && *s == '\\') {
			if (!s[1] || !strchr(escaped, s[1])) {
				*why = "a backslash that escapes nothing in the header";
				return NULL;
			}
			s++;
		}
		*to++ = *s;
	}
	if (!*s) {
		*why = "the header has too few fields";
		return NULL;
	}
	*to = '\0';
	return s + 1;
}

static bool is_key(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return n > 0;
}

/* A value of CEF, in place. */
static bool cef_unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\') {
			s++;
			if (*s == 'n')
				*to++ = '\n';
			else if (*s == 'r')
				*to++ = '\r';
			else if (*s == '\\' || *s == '=')
				*to++ = *s;
			else
				return false;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return true;
}

/* The next "key=" behind a blank that no backslash escapes; NULL: the value goes to the end. */
static char *next_key(char *s)
{
	char *blank = NULL;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == ' ')
			blank = s;
		else if (*s == '=')
			return blank && is_key(blank + 1, (size_t)(s - blank - 1)) ? blank : NULL;
	}
	return NULL;
}

bool parse_cef(const char *line, size_t n, struct parsed *to, const char **why)
{
	char *s;

	*why = "not one line";
	if (!begin(to, line, n) || !one_plain_line(line, n))
		return false;
	*why = "no CEF:0";
	if (strncmp(to->text, "CEF:0|", 6) != 0)
		return false;
	s = to->text + 6;
	for (to->n_head = 0; to->n_head < 6; to->n_head++) {
		to->head[to->n_head] = s;
		s = head_field(s, "\\|", why);
		if (!s)
			return false;
	}
	while (*s) {
		char *eq = strchr(s, '='), *next;

		*why = "a key that is none";
		if (!eq || !is_key(s, (size_t)(eq - s)) || to->n == PARSED_PAIRS)
			return false;
		*eq = '\0';
		next = next_key(eq + 1);
		if (next)
			*next = '\0';
		to->pairs[to->n++] = (struct parsed_pair){ s, eq + 1 };
		*why = "a backslash that escapes nothing in a value";
		if (!cef_unescape(eq + 1))
			return false;
		if (!next)
			break;
		s = next + 1;
	}
	return true;
}

bool parse_leef(const char *line, size_t n, struct parsed *to, const char **why)
{
	char *s;

	*why = "NUL inside";
	if (!begin(to, line, n))
		return false;
	*why = "no LEEF:2.0";
	if (strncmp(to->text, "LEEF:2.0|", 9) != 0)
		return false;
	s = to->text + 9;
	for (to->n_head = 0; to->n_head < 5; to->n_head++) {
		to->head[to->n_head] = s;
		s = head_field(s, "", why);
		if (!s)
			return false;
	}
	*why = "the delimiter is not a tab";
	if (strcmp(to->head[4], "0x09") != 0)
		return false;
	for (char *next = s; next; s = next) {
		char *eq = strchr(s, '=');

		next = strchr(s, '\t');
		if (next)
			*next++ = '\0';
		*why = "a key that is none";
		if (!eq || (next && eq >= next) || !is_key(s, (size_t)(eq - s)) || to->n == PARSED_PAIRS)
			return false;
		*eq = '\0';
		*why = "a value that is no line";
		if (!one_plain_line(eq + 1, strlen(eq + 1)))
			return false;
		to->pairs[to->n++] = (struct parsed_pair){ s, eq + 1 };
	}
	return true;
}

/* PARAM-VALUE up to its quote, in place; NULL: it does not end. Section 6.3.3: '"', '\' and ']' must be escaped. */
static char *sd_value(char *s)
{
	char *to = s;

	for (; *s && *s != '"'; s++) {
		if (*s == ']')
			return NULL;
		if (*s == '\\' && s[1] && strchr("\"\\]", s[1]))
			s++;
		*to++ = *s;
	}
	if (!*s)
		return NULL;
	*to = '\0';
	return s + 1;
}

static bool is_sd_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= 32 || s[i] >= 127 || s[i] == '=' || s[i] == ']' || s[i] == '"')
			return false;
	return n > 0 && n <= 32;
}

static char *sd_params(char *s, struct parsed *to)
{
	while (*s == ' ') {
		char *eq = strchr(s, '=');

		if (!eq || eq[1] != '"' || !is_sd_name(s + 1, (size_t)(eq - s - 1)) || to->n == PARSED_PAIRS)
			return NULL;
		*eq = '\0';
		to->pairs[to->n++] = (struct parsed_pair){ s + 1, eq + 2 };
		s = sd_value(eq + 2);
		if (!s)
			return NULL;
	}
	return *s == ']' ? s + 1 : NULL;
}

static bool has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 32 || s[i] == 127)
			return true;
	return false;
}

bool parse_rfc5424(const char *message, size_t n, struct parsed *to, const char **why)
{
	static const size_t limits[] = { 6, 32, 255, 48, 128, 32 };
	char *s;

	*why = "a control character";
	if (!begin(to, message, n) || has_control(message, n))
		return false;
	s = to->text;
	for (to->n_head = 0; to->n_head < 6; to->n_head++) { /* PRI and VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID */
		char *blank = strchr(s, ' ');

		*why = "a field of the header is empty or too long";
		if (!blank || blank == s || (size_t)(blank - s) > limits[to->n_head])
			return false;
		*blank = '\0';
		to->head[to->n_head] = s;
		s = blank + 1;
	}
	*why = "structured data";
	if (*s == '-') {
		s++;
	} else {
		size_t len = strcspn(s, " ]");

		if (*s != '[' || !is_sd_name(s + 1, len - 1))
			return false;
		s = sd_params(s + len, to);
		if (!s)
			return false;
	}
	*why = "no blank before MSG";
	if (*s && *s != ' ')
		return false;
	to->rest = *s ? s + 1 : s;
	return true;
}
