/* lint.h - the kinds of problems that a rule can have, each with an id that never changes: waivers, SARIF and docs/rules.md name it.
 *
 * An error means that the rule is left out. A warning means that it is loaded, and will disappoint. */
#ifndef EVMEND_RULES_LINT_H
#define EVMEND_RULES_LINT_H

#include <stdbool.h>

/* X(name, id, error, what it says) */
#define LINTS(X) \
	X(SYNTAX, "yaml-syntax", true, "the file cannot be read as YAML") \
	X(REFUSED, "rule-refused", true, "the rule cannot mean what it says; the text tells what to write instead") \
	X(UNKNOWN_KEY, "unknown-key", true, "a key that does not exist where a typing error would change the meaning") \
	X(UNKNOWN_MODIFIER, "unknown-modifier", true, "a modifier that does not exist") \
	X(UNKNOWN_RULE, "unknown-rule", true, "a correlation refers to a rule that is not there") \
	X(BAD_REGEX, "bad-regex", true, "a regular expression that cannot be run in linear time, or is none") \
	X(DUPLICATE_ID, "duplicate-id", true, "another rule has this id or name") \
	X(KEY_TYPO, "key-typo", false, "a key of the rule is nearly a known one") \
	X(NO_ID, "no-id", false, "the rule has no id, so nothing outside can refer to it") \
	X(BAD_ID, "bad-id", false, "the id is not a UUID") \
	X(NO_LEVEL, "no-level", false, "the rule has no level and counts as medium") \
	X(BAD_STATUS, "bad-status", false, "the status is none of Sigma's") \
	X(DEPRECATED, "deprecated", false, "the status says that the rule should no longer be used") \
	X(UNSUPPORTED, "unsupported", false, "the status says that the rule does not work: it is skipped") \
	X(BAD_DATE, "bad-date", false, "a date is not written as YYYY-MM-DD, or is no day") \
	X(DUPLICATE_TITLE, "duplicate-title", false, "another rule has this title") \
	X(NO_SOURCE, "no-source", false, "no event source is known for the logsource, so the rule never matches") \
	X(NO_PROVIDER, "no-provider", false, "an EventID of a channel that many providers share, and nothing says which provider") \
	X(UNKNOWN_FIELD, "unknown-field", false, "events of this category have no such field") \
	X(UNUSED_SELECTION, "unused-selection", false, "the condition does not use a selection") \
	X(OPERATOR_CASE, "operator-case", false, "an operator of the condition is in upper case") \
	X(FILTER_POSITIVE, "filter-positive", false, "a selection called filter is used without not") \
	X(FILTER_WITHOUT_NOT, "filter-without-not", false, "a filter document whose condition has no not: rules then need what it selects") \
	X(CONTRADICTION, "contradiction", false, "two parts exclude each other, so the rule never matches") \
	X(ALWAYS, "always-true", false, "the condition holds for every event") \
	X(ONLY_NOT, "only-not", false, "the condition only excludes, so it holds for everything else") \
	X(SAME_SELECTION, "same-selection", false, "two selections say the same") \
	X(SINGLE_ALL, "single-all", false, "'all' with one value changes nothing") \
	X(DUPLICATE_VALUE, "duplicate-value", false, "a list has a value twice") \
	X(REDUNDANT_VALUE, "redundant-value", false, "another of the first 2,000 values of the list already says it") \
	X(ESCAPED_WILDCARD, "escaped-wildcard", false, "a backslash makes the wildcard an ordinary character") \
	X(NEEDLESS_WILDCARD, "needless-wildcard", false, "a modifier says it better than the wildcard") \
	X(REGEX_GLOB, "regex-glob", false, "a wildcard pattern stands where a regular expression is expected") \
	X(REGEX_ENDS, "regex-ends", false, "a regular expression begins or ends with .* for nothing") \
	X(OBSOLETE, "obsolete", false, "a key of older Sigma has no effect") \
	X(NOTE, "note", false, "something else about the rule that its author may not expect; the text tells") \
	X(NO_HINT, "no-hint", false, "the rule opens a case that will not say what to do") \
	X(NO_DISPROOF, "no-disproof", false, "the rule asks for a diagnosis and does not say what would disprove it") \
	X(NO_TESTS, "no-tests", false, "a rule with a cause has no tests beside it")

enum lint {
#define LINT_NAME(name, id, error, says) LINT_##name,
	LINTS(LINT_NAME)
#undef LINT_NAME
	LINT_COUNT
};

struct lint_kind {
	const char *id;
	bool error;
	const char *says; /* one line */
};

extern const struct lint_kind lint_kinds[LINT_COUNT];
/* LINT_COUNT and *nearest (or NULL): there is no such id. */
enum lint lint_find(const char *id, const char **nearest);

#endif
