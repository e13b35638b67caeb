/* verdict_lines.h - verdicts.tsv as cases: facts and events in, the words of a verdict out. For the tests of the tables. */
#ifndef EVMEND_TESTS_VERDICT_LINES_H
#define EVMEND_TESTS_VERDICT_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/check.h"
#include "remedies/exchange_backend/verdict_table.h"

#define VERDICTS "tests/unit/remedies/verdicts.tsv"
#define COLUMNS 7 /* verdict, confidence, repair, also, not excluded, notes, SMTP line */
#define WORDS 600
#define LINES_MAX 250
#define BASES_MAX 20

struct verdict_words {
	char column[COLUMNS][WORDS];
};

struct verdict_line {
	int number;
	struct facts facts;
	struct suspicion events;
	struct verdict_words wanted;
};

struct verdict_base {
	char name[20];
	struct facts facts;
	struct suspicion events;
};

struct verdict_lines {
	struct verdict_line list[LINES_MAX];
	size_t n;
	struct verdict_base bases[BASES_MAX];
	size_t n_bases;
	char names[FACTS_MAX][40]; /* of all facts that some base has; a fact keeps a pointer */
	size_t n_names;
};

static const char *const line_columns[COLUMNS] = {"verdict", "confidence", "repair", "also", "not excluded", "notes", "SMTP line"};

static const struct { const char *name; unsigned bit; } line_bits[] = {
	{"CERT_DELETED", SEEN_CERT_DELETED}, {"SMTP_OWN_NAME", SEEN_SMTP_OWN_NAME}, {"SMTP_OTHER", SEEN_SMTP_OTHER},
	{"ITC_GONE", SEEN_ITC_GONE}, {"TLS_CONFIG", SEEN_TLS_CONFIG}, {"AUTH_CERT", SEEN_AUTH_CERT},
	{"FRONTEND_ENDPOINT", SEEN_FRONTEND_ENDPOINT}, {"BACKEND_ENDPOINT", SEEN_BACKEND_ENDPOINT}, {"KEY_TROUBLE", SEEN_KEY_TROUBLE},
	{"HOP_FAILED", SEEN_HOP_FAILED}, {"EXPIRY", SEEN_EXPIRY}, {"SMTP_CERT_NAME", SEEN_SMTP_CERT_NAME},
	{"SMTP_EXPIRED", SEEN_SMTP_EXPIRED}, {"EDGE", SEEN_EDGE},
};

/* "aa" stands for a thumbprint of twenty such bytes. */
static inline void line_key(char to[static 128], const char *text)
{
	to[0] = '\0';
	for (int i = 0; text && i < 20 && strlen(text) == 2; i++)
		memcpy(to + 2 * i, text, 3);
}

static inline const char *line_name(struct verdict_lines *l, const char *name)
{
	for (size_t i = 0; i < l->n_names; i++)
		if (strcmp(l->names[i], name) == 0)
			return l->names[i];
	assert_true(l->n_names < FACTS_MAX);
	return text_copy(l->names[l->n_names++], sizeof(l->names[0]), name);
}

static inline void line_forget(struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			f->list[i--] = f->list[--f->n];
}

static inline bool line_event(struct suspicion *s, const char *word, const char *value)
{
	char hex[128];

	if (strcmp(word, "remote") == 0)
		return s->remote = strcmp(value, "yes") == 0;
	if (strcmp(word, "thumb") == 0) {
		line_key(hex, value);
		return s->has_thumbprint = text_unhex(s->thumbprint, 20, hex, strlen(hex));
	}
	for (size_t i = 0; i < sizeof(line_bits) / sizeof(line_bits[0]); i++)
		if (strcmp(word, "seen") == 0 && strcmp(line_bits[i].name, value) == 0)
			return s->seen |= line_bits[i].bit;
	return false;
}

/* FACT=VALUE[:KEY], seen=BIT, thumb=KEY, remote=yes, with blanks between; "-": nothing. */
static inline void line_change(struct verdict_lines *l, struct facts *f, struct suspicion *s, char *words, int number)
{
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		char *value = strchr(word, '='), *key;
		enum tri t;

		if (strcmp(word, "-") == 0)
			continue;
		if (value == NULL)
			fail_msg("%s:%d: '%s' has no '='", VERDICTS, number, word);
		*value++ = '\0';
		if (line_event(s, word, value))
			continue;
		key = strchr(value, ':');
		if (key)
			*key++ = '\0';
		t = strcmp(value, "yes") == 0 ? TRI_YES : strcmp(value, "no") == 0 ? TRI_NO : TRI_UNKNOWN;
		if (t == TRI_UNKNOWN && strcmp(value, "unknown") != 0 && strcmp(value, "absent") != 0)
			fail_msg("%s:%d: '%s=%s' is neither yes, no, unknown nor absent", VERDICTS, number, word, value);
		if (strcmp(value, "absent") == 0)
			line_forget(f, word);
		else
			line_key(fact_set(f, line_name(l, word), t, "test", 0, "what the table says")->key, key);
	}
}

static inline const struct verdict_base *line_base(const struct verdict_lines *l, const char *name, int number)
{
	static const struct verdict_base none;

	for (size_t i = 0; i < l->n_bases; i++)
		if (strcmp(l->bases[i].name, name) == 0)
			return &l->bases[i];
	if (strcmp(name, "-") != 0)
		fail_msg("%s:%d: there is no base '%s'", VERDICTS, number, name);
	return &none;
}

static inline void line_take(struct verdict_lines *l, char *text, int number)
{
	char *column[2 + COLUMNS];
	bool base = text[0] == '@';
	struct verdict_line *to = &l->list[l->n];

	for (int i = 0; i < (base ? 3 : 2 + COLUMNS); i++) {
		column[i] = strsep(&text, "\t");
		if (column[i] == NULL)
			fail_msg("%s:%d has too few columns", VERDICTS, number);
	}
	if (base) {
		struct verdict_base *b = &l->bases[l->n_bases];

		assert_true(l->n_bases < BASES_MAX);
		*b = *line_base(l, column[1], number);
		text_copy(b->name, sizeof(b->name), column[0] + 1);
		line_change(l, &b->facts, &b->events, column[2], number);
		l->n_bases++;
		return;
	}
	assert_true(l->n < LINES_MAX);
	to->number = number;
	to->facts = line_base(l, column[0], number)->facts;
	line_change(l, &to->facts, &to->events, column[1], number);
	for (int i = 0; i < COLUMNS; i++)
		text_copy(to->wanted.column[i], WORDS, column[2 + i]);
	l->n++;
}

/* Owned by the caller: free. */
static inline struct verdict_lines *lines_read(void)
{
	struct verdict_lines *l = xcalloc(1, sizeof(*l));
	FILE *f = fopen(VERDICTS, "r");
	char text[3000];

	assert_non_null(f);
	for (int number = 1; fgets(text, sizeof(text), f); number++) {
		text[strcspn(text, "\n")] = '\0';
		if (text[0] != '#' && text[0] != '\0')
			line_take(l, text, number);
	}
	fclose(f);
	return l;
}

static inline void words_list(char to[WORDS], const char *const *list, size_t n)
{
	to[0] = '\0';
	for (size_t i = 0; i < n; i++)
		say_text(to + strlen(to), WORDS - strlen(to), "%s%s", i ? "," : "", list[i]);
	if (n == 0)
		text_copy(to, WORDS, "-");
}

static inline void words_of(const struct verdict *v, struct verdict_words *to)
{
	static const char *const confidences[] = {"low", "medium", "high"}, *const repairs[] = {"never", "approval", "policy"};
	const char *notes[VERDICT_NOTES];

	for (size_t i = 0; i < v->n_notes; i++)
		notes[i] = v->notes[i].name;
	if (v->name)
		say_text(to->column[0], WORDS, "%s %s", v->row, v->name);
	else
		text_copy(to->column[0], WORDS, "none");
	text_copy(to->column[1], WORDS, confidences[v->confidence]);
	text_copy(to->column[2], WORDS, repairs[v->repairable]);
	words_list(to->column[3], v->also, v->n_also);
	words_list(to->column[4], v->not_excluded, v->n_not_excluded);
	words_list(to->column[5], notes, v->n_notes);
	say_text(to->column[6], WORDS, "%s%s", v->smtp_name ? v->smtp_name : "-", v->smtp_open ? "!" : "");
}

/* Judges a line by these tables. The first column that differs, or -1; *have gets the words. */
static inline int line_judge(const struct verdict_line *line, const struct be_tables *t, struct diagnosis *d,
	struct verdict_words *have)
{
	d->facts = line->facts;
	be_judge_by(t, d, &line->events);
	words_of(&d->verdict, have);
	for (int i = 0; i < COLUMNS; i++)
		if (strcmp(have->column[i], line->wanted.column[i]) != 0)
			return i;
	return -1;
}

static inline struct be_tables own_tables(void)
{
	return (struct be_tables){
		.rows = be_rows, .n_rows = be_n_rows, .notes = be_note_rows, .n_notes = be_n_note_rows,
		.smtp = be_smtp_rows, .n_smtp = be_n_smtp_rows,
	};
}

#endif
