/* test_verdict_mutations.c - proves that verdicts.tsv holds the tables: each row in turn is dropped, turned round, moved below its
 * neighbour, or made to say something else; at least one line must then fail. */
#include "unit/remedies/verdict_lines.h"

#define ROWS_MAX 40

struct lab {
	struct verdict_lines *lines;
	struct diagnosis *d;
	struct be_row rows[ROWS_MAX];
	struct be_remark notes[ROWS_MAX], smtp[ROWS_MAX];
	struct be_tables t;
	int killed, all;
};

static be_condition turned; /* a condition takes no argument of its own */

static enum tri round_about(const struct be_view *v)
{
	return be_not(turned(v));
}

static enum tri never(const struct be_view *v)
{
	(void)v;
	return TRI_NO;
}

/* An unknown that is taken for a yes: a guess. */
static enum tri guessed(const struct be_view *v)
{
	return turned(v) == TRI_NO ? TRI_NO : TRI_YES;
}

/* An unknown that is taken for a no: a cause that is wrongly excluded. */
static enum tri excluded(const struct be_view *v)
{
	return turned(v) == TRI_YES ? TRI_YES : TRI_NO;
}

static void whole(struct lab *l)
{
	assert_true(be_n_rows <= ROWS_MAX && be_n_note_rows <= ROWS_MAX && be_n_smtp_rows <= ROWS_MAX);
	memcpy(l->rows, be_rows, be_n_rows * sizeof(be_rows[0]));
	memcpy(l->notes, be_note_rows, be_n_note_rows * sizeof(be_note_rows[0]));
	memcpy(l->smtp, be_smtp_rows, be_n_smtp_rows * sizeof(be_smtp_rows[0]));
	l->t = (struct be_tables){
		.rows = l->rows, .n_rows = be_n_rows, .notes = l->notes, .n_notes = be_n_note_rows, .smtp = l->smtp, .n_smtp = be_n_smtp_rows,
	};
}

static bool some_line_fails(struct lab *l)
{
	struct verdict_words have;

	for (size_t i = 0; i < l->lines->n; i++)
		if (line_judge(&l->lines->list[i], &l->t, l->d, &have) >= 0)
			return true;
	return false;
}

static void must_fail(struct lab *l, const char *what, const char *id, const char *name)
{
	l->all++;
	if (some_line_fails(l))
		l->killed++;
	else
		print_error("survived: %s %s %s\n", what, id ? id : "", name);
	whole(l);
}

/* Whether some line leaves the condition unknown: else guessing and excluding are the same table. */
static bool ever_unknown(struct lab *l, be_condition holds)
{
	for (size_t i = 0; i < l->lines->n; i++) {
		struct be_view v = {.f = &l->lines->list[i].facts, .s = &l->lines->list[i].events};

		if (holds(&v) == TRI_UNKNOWN)
			return true;
	}
	return false;
}

static void mutate_condition(struct lab *l, be_condition *holds, const char *id, const char *name)
{
	be_condition old = *holds;

	turned = old;
	*holds = never;
	must_fail(l, "dropped", id, name);
	*holds = round_about;
	must_fail(l, "turned round", id, name);
}

static void mutate_row(struct lab *l, size_t i)
{
	const struct be_row *own = &be_rows[i];

	mutate_condition(l, &l->rows[i].holds, own->id, own->name);
	turned = own->holds;
	if (ever_unknown(l, own->holds)) {
		l->rows[i].holds = guessed;
		must_fail(l, "unknown taken for yes", own->id, own->name);
		l->rows[i].holds = excluded;
		must_fail(l, "unknown taken for no", own->id, own->name);
	}
	l->rows[i].repairable = own->repairable == REPAIR_BY_POLICY ? REPAIR_NEVER : REPAIR_BY_POLICY;
	must_fail(l, "another repair", own->id, own->name);
	l->rows[i].confidence = own->confidence == CONFIDENCE_HIGH ? CONFIDENCE_LOW : CONFIDENCE_HIGH;
	must_fail(l, "another confidence", own->id, own->name);
	if (own->sure) {
		l->rows[i].sure = never;
		must_fail(l, "never sure", own->id, own->name);
	}
	if (own->softly) {
		l->rows[i].softly = never;
		must_fail(l, "never by approval", own->id, own->name);
	}
}

static void rows(struct lab *l)
{
	for (size_t i = 0; i < be_n_rows; i++)
		mutate_row(l, i);
	for (size_t i = 0; i + 1 < be_n_rows; i++) {
		/* the contradictions, and the two of R7, exclude nothing of each other */
		if (strcmp(be_rows[i].id, be_rows[i + 1].id) == 0)
			continue;
		l->rows[i] = be_rows[i + 1];
		l->rows[i + 1] = be_rows[i];
		must_fail(l, "moved below its neighbour", be_rows[i].id, be_rows[i].name);
	}
}

static void remarks(struct lab *l)
{
	for (size_t i = 0; i < be_n_note_rows; i++)
		mutate_condition(l, &l->notes[i].holds, be_note_rows[i].id, be_note_rows[i].name);
	for (size_t i = 0; i < be_n_smtp_rows; i++) {
		mutate_condition(l, &l->smtp[i].holds, "SMTP", be_smtp_rows[i].name);
		l->smtp[i].state = !be_smtp_rows[i].state;
		must_fail(l, "another state", "SMTP", be_smtp_rows[i].name);
	}
}

static void every_mutant_is_found(void **state)
{
	struct lab *l = xcalloc(1, sizeof(*l));

	(void)state;
	l->lines = lines_read();
	l->d = xcalloc(1, sizeof(*l->d));
	whole(l);
	assert_false(some_line_fails(l));
	rows(l);
	remarks(l);
	print_message("# %d of %d mutants found, by %zu lines\n", l->killed, l->all, l->lines->n);
	assert_int_equal(l->killed, l->all);
	free(l->lines);
	free(l->d);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mutant_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
