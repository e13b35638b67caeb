/* test_verdicts.c - the verdict table, row by row, from verdicts.tsv: facts in, verdict out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lib/check.h"
#include "remedies/exchange_backend/backend.h"

#define TABLE "tests/unit/remedies/verdicts.tsv"

struct base {
	const char *name;
	enum tri healthy, deleted;
};

static const struct base bases[] = {
	{"is_exchange", TRI_YES, TRI_YES}, {"site_exists", TRI_YES, TRI_YES}, {"site_started", TRI_YES, TRI_YES},
	{"w3svc_running", TRI_YES, TRI_YES}, {"binding_444", TRI_YES, TRI_YES}, {"binding_plain", TRI_YES, TRI_YES},
	{"record_present", TRI_YES, TRI_YES}, {"record_shadowed", TRI_NO, TRI_NO}, {"record_cert_in_store", TRI_YES, TRI_NO},
	{"record_cert_elsewhere", TRI_NO, TRI_NO}, {"record_key_usable", TRI_YES, TRI_UNKNOWN}, {"addresses_agree", TRI_YES, TRI_YES},
	{"backend_listens", TRI_YES, TRI_YES}, {"backend_refuses", TRI_NO, TRI_NO}, {"backend_tls", TRI_YES, TRI_NO},
	{"tls_timeout", TRI_NO, TRI_NO}, {"tls_protocol_alert", TRI_NO, TRI_NO}, {"tls12_only_fails", TRI_NO, TRI_NO},
	{"backend_answers", TRI_YES, TRI_UNKNOWN}, {"backend_503", TRI_NO, TRI_UNKNOWN}, {"served_own", TRI_YES, TRI_UNKNOWN},
	{"served_valid", TRI_YES, TRI_UNKNOWN}, {"served_in_store", TRI_YES, TRI_UNKNOWN}, {"served_ends_soon", TRI_NO, TRI_UNKNOWN},
	{"frontend_tls", TRI_YES, TRI_YES}, {"hop_answers", TRI_YES, TRI_NO},
};

#define BASES (sizeof(bases) / sizeof(bases[0]))

static void set(struct facts *f, const char *name, enum tri value)
{
	fact_set(f, name, value, "test", 0, "set by the table");
}

static void set_base(struct facts *f, bool deleted)
{
	for (size_t i = 0; i < BASES; i++) {
		enum tri t = deleted ? bases[i].deleted : bases[i].healthy;

		if (t != TRI_UNKNOWN)
			set(f, bases[i].name, t);
	}
}

static void change(struct facts *f, struct suspicion *s, char *words, int line)
{
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		char *value = strchr(word, '=');
		const char *known = NULL;

		if (strcmp(word, "-") == 0)
			continue;
		assert_non_null(value);
		*value++ = '\0';
		if (strcmp(word, "seen") == 0) {
			assert_string_equal(value, "TLS_CONFIG");
			s->seen |= SEEN_TLS_CONFIG;
			continue;
		}
		for (size_t i = 0; i < BASES; i++)
			if (strcmp(bases[i].name, word) == 0)
				known = bases[i].name;
		if (known == NULL)
			fail_msg("line %d: there is no fact '%s'", line, word);
		set(f, known, strcmp(value, "yes") == 0 ? TRI_YES : strcmp(value, "no") == 0 ? TRI_NO : TRI_UNKNOWN);
	}
}

/* "A,B" must be the list; a "?" at the end: it must begin so, "-": empty. */
static void check_list(const char *wanted, const char *const *list, size_t n, int line, const char *what)
{
	char have[600] = "";
	size_t w = strlen(wanted);
	bool loose = w > 0 && wanted[w - 1] == '?';

	for (size_t i = 0; i < n; i++) {
		strcat(have, i ? "," : "");
		strcat(have, list[i]);
	}
	if (n == 0)
		strcpy(have, "-");
	if (loose ? wanted[0] != '-' && strncmp(have, wanted, w - 1) != 0 : strcmp(have, wanted) != 0)
		fail_msg("%s:%d: %s is %s, and should be %s", TABLE, line, what, have, wanted);
}

static void check_line(char *text, int line)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = 0};
	char *column[5];

	for (int i = 0; i < 5; i++) {
		column[i] = strsep(&text, "\t");
		if (column[i] == NULL)
			fail_msg("%s:%d has fewer than five columns", TABLE, line);
	}
	set_base(&d->facts, strcmp(column[0], "deleted") == 0);
	change(&d->facts, &s, column[1], line);
	be_judge(d, &s);
	if (strcmp(d->verdict.name, column[2]) != 0)
		fail_msg("%s:%d: the verdict is %s, and should be %s", TABLE, line, d->verdict.name, column[2]);
	check_list(column[3], d->verdict.also, d->verdict.n_also, line, "also");
	check_list(column[4], d->verdict.not_excluded, d->verdict.n_not_excluded, line, "not excluded");
	free(d);
}

static void the_table(void **state)
{
	FILE *f = fopen(TABLE, "r");
	char text[1000];
	int line = 0, checked = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(text, sizeof(text), f)) {
		line++;
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '#' || text[0] == '\0')
			continue;
		check_line(text, line);
		checked++;
	}
	fclose(f);
	assert_in_range(checked, 30, 200);
}

/* Without any fact nothing is known, and nothing may be repaired. */
static void nothing_known(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = ~0u};

	(void)state;
	be_judge(d, &s);
	assert_string_equal(d->verdict.name, "UNKNOWN");
	assert_int_equal(d->verdict.repairable, REPAIR_NEVER);
	be_plan(d);
	assert_int_equal(d->plan.n, 0);
	free(d);
}

static bool has_note(const struct diagnosis *d, const char *name)
{
	for (size_t i = 0; i < d->verdict.n_notes; i++)
		if (strcmp(d->verdict.notes[i].name, name) == 0)
			return true;
	return false;
}

static void notes_stand_beside(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct suspicion s = {.seen = SEEN_AUTH_CERT | SEEN_FRONTEND_ENDPOINT | SEEN_ITC_GONE};

	(void)state;
	set_base(&d->facts, false);
	be_judge(d, &s);
	assert_string_equal(d->verdict.name, "HEALTHY_NOW");
	assert_true(has_note(d, "AUTH_CERT"));
	assert_true(has_note(d, "FRONTEND_CERT"));
	assert_false(has_note(d, "SMTP_ONLY"));
	assert_true(d->verdict.smtp[0] != '\0');
	assert_false(d->verdict.smtp_open); /* events alone do not keep a case open */
	s = (struct suspicion){.seen = SEEN_SMTP_OTHER};
	be_judge(d, &s);
	assert_true(has_note(d, "SMTP_ONLY"));
	set(&d->facts, "served_ends_soon", TRI_YES);
	set(&d->facts, "served_weak", TRI_YES);
	set(&d->facts, "itc_in_store", TRI_NO);
	be_judge(d, &s);
	assert_true(has_note(d, "BE_CERT_EXPIRING"));
	assert_true(has_note(d, "BE_CERT_WEAK"));
	assert_true(d->verdict.smtp_open);
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(notes_stand_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
