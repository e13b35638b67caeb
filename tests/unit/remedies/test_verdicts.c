/* test_verdicts.c - the verdict tables: every line of verdicts.tsv, and what is true of all verdicts. */
#include "unit/remedies/verdict_lines.h"

#define PAGE "docs/diagnosis.md"

static void the_table(void **state)
{
	struct verdict_lines *l = lines_read();
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct be_tables own = own_tables();
	struct verdict_words have;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < l->n; i++) {
		int c = line_judge(&l->list[i], &own, d, &have);

		if (c >= 0)
			print_error("%s:%d: %s is %s, and should be %s\n", VERDICTS, l->list[i].number, line_columns[c], have.column[c],
				l->list[i].wanted.column[c]);
		wrong += c >= 0;
	}
	assert_int_equal(wrong, 0);
	print_message("%zu lines\n", l->n);
	assert_in_range(l->n, 120, LINES_MAX);
	free(d);
	free(l);
}

/* Without any fact nothing is known, and nothing may be repaired, whatever events say. */
static void nothing_known(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = ~0u, .remote = true, .has_thumbprint = true, .port = 444};

	(void)state;
	be_judge(d, &s);
	assert_string_equal(d->verdict.name, "UNKNOWN");
	assert_int_equal(d->verdict.repairable, REPAIR_NEVER);
	assert_false(d->verdict.smtp_open);
	be_plan(d);
	assert_int_equal(d->plan.n, 0);
	free(d);
}

/* A text that was cut would be another advice. Keys are as long as a thumbprint. */
static void no_text_is_cut(void **state)
{
	struct verdict v;
	struct note note;

	(void)state;
	for (size_t i = 0; i < be_n_rows; i++) {
		assert_true(strlen(be_rows[i].text) < sizeof(v.text));
		assert_true(strlen(be_rows[i].advice ? be_rows[i].advice : "") < sizeof(v.advice));
	}
	for (size_t i = 0; i < be_n_note_rows; i++)
		assert_true(strlen(be_note_rows[i].text) + (be_note_rows[i].seen ? 80 : 0) < sizeof(note.text));
	for (size_t i = 0; i < be_n_smtp_rows; i++) {
		if (strlen(be_smtp_rows[i].text) + 40 >= sizeof(v.smtp))
			fail_msg("the text of %s is too long", be_smtp_rows[i].name);
		assert_true(sizeof(v.smtp) <= sizeof(note.text)); /* the second one becomes a note */
	}
}

/* The thumbprint in a command is the host's own, from the fact's key. */
static void commands_are_of_facts(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = SEEN_SMTP_OWN_NAME, .has_thumbprint = true};
	struct fact *f;

	(void)state;
	memset(s.thumbprint, 0xee, 20);
	fact_set(&d->facts, "smtp_name_there", TRI_YES, "test", 0, "there");
	f = fact_set(&d->facts, "smtp_key_there", TRI_NO, "test", 0, "no key");
	text_copy(f->key, sizeof(f->key), "0123456789abcdef0123456789abcdef01234567");
	be_judge(d, &s);
	assert_string_equal(d->verdict.smtp_name, "SMTP_NO_KEY");
	assert_non_null(strstr(d->verdict.smtp, "'certutil -repairstore my 0123456789abcdef0123456789abcdef01234567'"));
	assert_null(strstr(d->verdict.smtp, "ee"));
	free(d);
}

static bool on_page(const char *page, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(page, name); p; p = strstr(p + 1, name))
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", p[n]) && strchr(" `|,", p[-1]))
			return true;
	return false;
}

/* docs/diagnosis.md names everything, and the table needs only facts that the page names. */
static void the_page_knows_all(void **state)
{
	FILE *f = fopen(PAGE, "r");
	char *page = xcalloc(1, 64 * 1024);

	(void)state;
	assert_non_null(f);
	assert_in_range(fread(page, 1, 64 * 1024 - 1, f), 1000, 64 * 1024 - 2);
	fclose(f);
	for (size_t i = 0; i < be_n_rows; i++) {
		if (!on_page(page, be_rows[i].name))
			fail_msg("%s does not name %s", PAGE, be_rows[i].name);
		for (size_t k = 0; k < BE_NEEDED && be_rows[i].needed[k]; k++)
			if (!on_page(page, be_rows[i].needed[k]))
				fail_msg("%s does not name the fact %s", PAGE, be_rows[i].needed[k]);
	}
	for (size_t i = 0; i < be_n_note_rows; i++)
		if (!on_page(page, be_note_rows[i].name))
			fail_msg("%s does not name the note %s", PAGE, be_note_rows[i].name);
	for (size_t i = 0; i < be_n_smtp_rows; i++)
		if (!on_page(page, be_smtp_rows[i].name))
			fail_msg("%s does not name the SMTP line %s", PAGE, be_smtp_rows[i].name);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(no_text_is_cut),
		cmocka_unit_test(commands_are_of_facts),
		cmocka_unit_test(the_page_knows_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
