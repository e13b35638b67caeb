/* modifiers.c - which modifiers there are, and which go together.
 *
 * Why: a chain that means nothing must be found when the rule is loaded, by whoever wrote it.
 * Promises: what passes here has one meaning; each refusal says what to write instead.
 * Refuses: unknown modifiers (with the nearest name), one given twice, and what excludes each other. */
#include "rules/modifiers.h"

#include <string.h>

#include "base/text.h"

static const char *const names[] = {"contains", "startswith", "endswith", "all", "neq", "cased", "exists", "re", "cidr", "fieldref",
	"lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year", "i", "m", "s", "windash", "expand", "wide", "utf16be",
	"utf16", "base64", "base64offset", NULL};
static const struct { const char *name; enum modifier means; } others[] = {
	{"ignorecase", MOD_I}, {"multiline", MOD_M}, {"dotall", MOD_S}, {"utf16le", MOD_WIDE},
};

#define LINKS (MOD(ALL) | MOD(NEQ))
#define KINDS (MOD(EXISTS) | MOD(RE) | MOD(CIDR) | MOD(FIELDREF) | MOD_COMPARES | MOD_PARTS)
#define TEXTS (MOD(WINDASH) | MOD(EXPAND) | MOD_UTF16S | MOD_BASE64S) /* they make another text of the text */

static bool look_up(const char *name, size_t n, enum modifier *to)
{
	for (size_t i = 0; names[i]; i++)
		if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0) {
			*to = (enum modifier)i;
			return true;
		}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strlen(others[i].name) == n && memcmp(others[i].name, name, n) == 0) {
			*to = others[i].means;
			return true;
		}
	return false;
}

static bool unknown(struct loader *l, const struct yaml_node *key, const char *name, size_t n)
{
	char text[32];

	if (n >= sizeof text)
		return refuse(l, key, "'%s' has a modifier that is too long", key->text);
	memcpy(text, name, n);
	text[n] = '\0';
	return refuse_unknown(l, LINT_UNKNOWN_MODIFIER, key, "modifier", text, names);
}

/* m comes behind the modifiers `before`: what must stand in front of what. */
static const char *misplaced(enum modifier m, unsigned before)
{
	unsigned bit = 1u << m;

	if (before & bit)
		return "has a modifier twice; write it once";
	if ((bit & MOD_FLAGS) && !(before & MOD(RE)))
		return "has flags without an expression; write 're' in front of i, m and s";
	if ((bit & (MOD(RE) | MOD(CIDR) | MOD(FIELDREF))) && (before & (MOD_SHAPES | TEXTS)))
		return "takes the value as it is written: re, cidr and fieldref stand first";
	if ((bit & (MOD_BASE64S | MOD_UTF16S)) && (before & MOD_SHAPES))
		return "encodes text that has wildcards; write the encoding in front of contains, startswith and endswith";
	if ((bit & (MOD(WINDASH) | MOD(EXPAND) | MOD_UTF16S)) && (before & (MOD_BASE64S | MOD_UTF16S)))
		return "changes text that is encoded already; write the encoding last, and utf16 in front of base64";
	return NULL;
}

static unsigned several(unsigned set)
{
	return set & (set - 1);
}

/* What cannot stand together, wherever it stands. */
static const char *mismatch(unsigned set, bool keyword)
{
	if ((set & MOD(EXISTS)) && set != MOD(EXISTS))
		return "has more than 'exists', which stands alone: write 'Field|exists: true'";
	if (several(set & KINDS) || several(set & MOD_SHAPES) || several(set & MOD_UTF16S) || several(set & MOD_BASE64S))
		return "combines modifiers that exclude each other; make two items of it";
	if ((set & MOD(RE)) && (set & (MOD(STARTSWITH) | MOD(ENDSWITH))))
		return "is a search: write ^ or $ in the expression instead of startswith or endswith";
	if ((set & MOD(RE)) && (set & MOD(CASED)))
		return "is an expression, in which case counts already; leave 'cased' out";
	if ((set & (MOD(RE) | MOD(FIELDREF))) && (set & TEXTS))
		return "changes the text of an expression or of a field's name; leave that modifier out";
	if ((set & MOD_COMPARES) && (set & ~(MOD_COMPARES | LINKS)))
		return "compares numbers, which takes no modifiers of text";
	if ((set & (MOD(CIDR) | MOD_PARTS)) && (set & ~(MOD(CIDR) | MOD_PARTS | LINKS)))
		return "compares addresses or times, which takes no modifiers of text";
	if ((set & MOD_UTF16S) && !(set & MOD_BASE64S))
		return "makes bytes that no event shows as they are; write base64 or base64offset behind it";
	if (keyword && (set & KINDS & ~MOD(RE)))
		return "needs a field name in front";
	if (keyword && (set & (MOD(STARTSWITH) | MOD(ENDSWITH))))
		return "is a keyword, which may stand anywhere in a value; name a field, or leave the modifier out";
	return NULL;
}

bool modifiers_read(struct loader *l, const struct yaml_node *key, bool keyword, unsigned *set)
{
	const char *wrong;

	*set = 0;
	for (const char *p = strchr(key->text, '|'); p; p = strchr(p + 1, '|')) {
		size_t n = strcspn(p + 1, "|");
		enum modifier m;

		if (!look_up(p + 1, n, &m))
			return unknown(l, key, p + 1, n);
		wrong = misplaced(m, *set);
		if (wrong)
			return refuse(l, key, "'%s' %s", key->text, wrong);
		*set |= 1u << m;
	}
	wrong = mismatch(*set, keyword);
	return !wrong || refuse(l, key, "'%s' %s", key->text, wrong);
}
