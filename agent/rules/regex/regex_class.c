/* regex_class.c - escapes and classes of a regular expression.
 *
 * Why: half of what people get wrong in an expression stands behind a backslash or inside brackets.
 * Promises: as PCRE2 without PCRE2_UCP: \d \w \s are ASCII; the members of a class fold when i is set, then it is negated.
 * Refuses: letters behind a backslash that have no meaning here, POSIX classes, ranges that end in a class, each by name. */
#include <string.h>

#include "rules/regex/regex_parser.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind \x: one or two digits, or {1 to 6 digits}. */
static bool hex(struct parser *p, size_t at, uint32_t *c)
{
	bool braced = p->at < p->n && p->s[p->at] == '{';
	size_t digits = 0, most = braced ? 6 : 2;

	p->at += braced;
	*c = 0;
	for (; p->at < p->n && digits < most && hex_digit(p->s[p->at]) >= 0; p->at++, digits++)
		*c = *c * 16 + (uint32_t)hex_digit(p->s[p->at]);
	if (digits == 0 || (braced && (p->at == p->n || p->s[p->at] != '}')))
		return regex_fail(p, at, "a character by its number is \\xHH or \\x{H...}, hexadecimal");
	p->at += braced;
	if (*c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return regex_fail(p, at, "there is no such character in Unicode");
	return true;
}

void regex_word(struct arena *a, struct chars *set)
{
	chars_add(a, set, '0', '9');
	chars_add(a, set, 'A', 'Z');
	chars_add(a, set, '_', '_');
	chars_add(a, set, 'a', 'z');
}

/* d, w, s and their capitals, the opposite. */
static bool named_class(struct arena *a, char c, struct chars *set)
{
	switch (c | 32) {
	case 'd': chars_add(a, set, '0', '9'); break;
	case 'w': regex_word(a, set); break;
	case 's':
		chars_add(a, set, '\t', '\r');
		chars_add(a, set, ' ', ' ');
		break;
	default: return false;
	}
	if (!(c & 32))
		chars_negate(a, set);
	return true;
}

static const char *why_not(char c)
{
	if (c >= '1' && c <= '9')
		return "back references are not supported: they cannot be matched in linear time";
	switch (c) {
	case '0': return "octal numbers are not supported; write \\xHH";
	case 'p':
	case 'P': return "\\p is not supported; write the ranges, as in [\\x{400}-\\x{4ff}]";
	case 'k':
	case 'g': return "back references and recursion are not supported: they cannot be matched in linear time";
	case 'Q':
	case 'E': return "\\Q...\\E is not supported; escape each character";
	case 'u':
	case 'U': return "write a character by its number as \\x{H...}";
	case 'h': return "\\h is not supported; write [ \\t]";
	case 'H': return "\\H is not supported; write [^ \\t]";
	case 'v': return "\\v means different things to different engines; write \\x0B";
	case 'V': return "\\V is not supported; write [^\\n]";
	case 'R': return "\\R is not supported; write (?:\\r\\n|\\n|\\r)";
	case 'N': return "\\N is not supported; write [^\\n]";
	case 'K':
	case 'G': return "\\K and \\G are not supported: a search has no start to move";
	case 'X':
	case 'C': return "\\X and \\C are not supported; write .";
	case 'c': return "control characters are written \\xHH";
	case 'b':
	case 'B':
	case 'A':
	case 'Z':
	case 'z': return "inside [...] there are no assertions; a backspace is \\x08";
	default: return "a backslash before this letter has no meaning; leave the backslash out";
	}
}

enum escape regex_escape(struct parser *p, size_t at, uint32_t *c, struct chars *set)
{
	static const char letters[] = "nrtfea", means[] = "\n\r\t\f\x1b\a";
	char letter = p->s[p->at];
	const char *known = letter ? strchr(letters, letter) : NULL;

	if (named_class(p->temp, letter, set)) {
		p->at++;
		return ESCAPE_CLASS;
	}
	if (known) {
		p->at++;
		*c = (uint32_t)means[known - letters];
		return ESCAPE_CHARACTER;
	}
	if (letter == 'x') {
		p->at++;
		return hex(p, at, c) ? ESCAPE_CHARACTER : ESCAPE_BAD;
	}
	if ((letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')) {
		regex_fail(p, at, why_not(letter));
		return ESCAPE_BAD;
	}
	return regex_next(p, c) ? ESCAPE_CHARACTER : ESCAPE_BAD;
}

/* "[:alpha:]" inside brackets, also "[.x.]" and "[=x=]". */
static bool posix_class(const struct parser *p)
{
	const char *s = p->s + p->at, *end = p->s + p->n;

	if (end - s < 4 || s[0] != '[' || !strchr(":.=", s[1]) || !s[1])
		return false;
	for (const char *t = s + 2; t + 1 < end && *t != ']'; t++)
		if (t[0] == s[1] && t[1] == ']')
			return true;
	return false;
}

/* One member: a character in *c, or a class joined to *named. */
static enum escape member(struct parser *p, uint32_t *c, struct chars *named)
{
	size_t at = p->at;

	if (posix_class(p)) {
		regex_fail(p, at, "POSIX classes are not supported; write the ranges, as in [A-Za-z0-9]");
		return ESCAPE_BAD;
	}
	if (p->s[at] != '\\')
		return regex_next(p, c) ? ESCAPE_CHARACTER : ESCAPE_BAD;
	if (++p->at == p->n) {
		regex_fail(p, at, "a backslash ends the expression; write \\\\ for a backslash");
		return ESCAPE_BAD;
	}
	struct chars class = {0};
	enum escape kind = regex_escape(p, at, c, &class);

	chars_join(p->temp, named, &class);
	return kind;
}

static bool range_follows(const struct parser *p)
{
	return p->n - p->at >= 2 && p->s[p->at] == '-' && p->s[p->at + 1] != ']';
}

static bool parse_member(struct parser *p, struct chars *set, struct chars *named)
{
	size_t at = p->at;
	uint32_t from, to;
	enum escape kind = member(p, &from, named);

	if (kind == ESCAPE_BAD)
		return false;
	if (range_follows(p)) {
		p->at++;
		enum escape end = member(p, &to, named);

		if (end == ESCAPE_BAD)
			return false;
		if (kind == ESCAPE_CLASS || end == ESCAPE_CLASS)
			return regex_fail(p, at, "a class like \\d cannot begin or end a range; put a literal - last");
		if (to < from)
			return regex_fail(p, at, "this range is the wrong way round; put the lower character first");
		chars_add(p->temp, set, from, to);
	} else if (kind == ESCAPE_CHARACTER) {
		chars_add(p->temp, set, from, from);
	}
	return true;
}

bool regex_class(struct parser *p, struct chars *set)
{
	size_t at = p->at++, first;
	bool negated = p->at < p->n && p->s[p->at] == '^';
	struct chars named = {0}; /* they do not fold: \W has U+212A, and no k for all that */

	p->at += negated;
	first = p->at;
	while (p->at < p->n && (p->s[p->at] != ']' || p->at == first)) /* a ] that comes first is a literal */
		if (!parse_member(p, set, &named))
			return false;
	if (p->at == p->n)
		return regex_fail(p, at, "this class has no end; write ] or, for a literal [, \\[");
	p->at++;
	chars_order(set);
	if (p->flags & REGEX_I)
		chars_fold(p->temp, set, &p->folds);
	chars_join(p->temp, set, &named);
	chars_order(set);
	if (negated)
		chars_negate(p->temp, set);
	return true;
}
