/* test_plan_table.c - a verdict and a state in, steps out: plans.tsv, row by row; and what every plan must be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/check.h"
#include "remedies/exchange_backend/backend.h"

#define TABLE "tests/unit/remedies/plans.tsv"
#define NOW (INT64_C(1800000000) * US_SECOND)
#define FQDN "ex1.lab.example"

static void blanks(char *to, size_t n, const char *s)
{
	text_copy(to, n, s);
	for (; *to; to++)
		if (*to == '_')
			*to = ' ';
}

static void add_record(struct diagnosis *d, const char *endpoint, uint16_t port, const uint8_t t[20], const char *store)
{
	struct host_record *r = &d->state.records[d->state.n_records++];

	text_copy(r->endpoint, sizeof(r->endpoint), endpoint);
	r->port = port;
	memcpy(r->thumbprint, t, 20);
	text_copy(r->store, sizeof(r->store), store);
	text_copy(r->appid, sizeof(r->appid), BE_APPID);
}

static void thumbprint_of(char letter, uint8_t t[static 20])
{
	memset(t, letter, 20);
}

static void set_san(struct cert_info *i, const char *which)
{
	i->n_san = 0;
	if (strcmp(which, "netbios") == 0 || strcmp(which, "both") == 0)
		text_copy(i->san[i->n_san++], sizeof(i->san[0]), "EX1");
	if (strcmp(which, "fqdn") == 0 || strcmp(which, "both") == 0)
		text_copy(i->san[i->n_san++], sizeof(i->san[0]), FQDN);
	if (strcmp(which, "wild") == 0)
		text_copy(i->san[i->n_san++], sizeof(i->san[0]), "*.lab.example");
	if (strcmp(which, "empty") == 0)
		i->san[i->n_san++][0] = '\0';
	if (strcmp(which, "other") == 0)
		text_copy(i->san[i->n_san++], sizeof(i->san[0]), "mail.lab.example");
}

static bool set_flag(struct diagnosis *d, struct host_cert *c, const char *word)
{
	char hex[41];

	if (strcmp(word, "issued") == 0)
		c->info.self_signed = false;
	else if (strcmp(word, "ec") == 0)
		c->info.key = KEY_EC;
	else if (strcmp(word, "noserver") == 0)
		c->info.server_auth = false;
	else if (strcmp(word, "nosign") == 0)
		c->info.digital_signature = false;
	else if (strcmp(word, "ksp") == 0)
		c->csp = false;
	else if (strcmp(word, "nokey") == 0)
		c->has_key = TRI_NO, c->key_opens = c->key_matches = TRI_UNKNOWN;
	else if (strcmp(word, "closed") == 0)
		c->key_opens = TRI_NO, c->key_matches = TRI_UNKNOWN;
	else if (strcmp(word, "match") == 0)
		c->key_matches = TRI_YES;
	else if (strcmp(word, "match?") == 0)
		c->key_matches = TRI_UNKNOWN;
	else if (strcmp(word, "mismatch") == 0)
		c->key_matches = TRI_NO;
	else if (strcmp(word, "denied") == 0)
		c->key_denied = TRI_YES;
	else if (strcmp(word, "key?") == 0)
		c->key_opens = c->key_matches = TRI_UNKNOWN;
	else if (strcmp(word, "box") == 0)
		text_copy(c->container, sizeof(c->container), "a-container");
	else if (strcmp(word, "on443") == 0)
		add_record(d, "[::]:443", 443, c->info.thumbprint, "MY");
	else if (strcmp(word, "on8443") == 0)
		add_record(d, "0.0.0.0:8443", 8443, c->info.thumbprint, "MY");
	else if (strcmp(word, "shown443") == 0) {
		text_hex(hex, c->info.thumbprint, 20);
		text_copy(fact_set(&d->facts, "frontend_tls", TRI_YES, "test", 0, "shown")->key, 128, hex);
	} else
		return false;
	return true;
}

static bool set_value(struct host_cert *c, char *word)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(word, "until") == 0)
		c->info.not_after = NOW + atoi(value) * US_DAY;
	else if (strcmp(word, "from") == 0)
		c->info.not_before = NOW + atoi(value) * US_DAY;
	else if (strcmp(word, "bits") == 0)
		c->info.key_bits = atoi(value);
	else if (strcmp(word, "name") == 0)
		blanks(c->friendly_name, sizeof(c->friendly_name), value);
	else if (strcmp(word, "cn") == 0)
		blanks(c->info.common_name, sizeof(c->info.common_name), value);
	else if (strcmp(word, "san") == 0)
		set_san(&c->info, value);
	else if (strcmp(word, "store") == 0)
		text_copy(c->store, sizeof(c->store), value);
	else
		return false;
	return true;
}

static void add_cert(struct diagnosis *d, char *word, int line)
{
	struct host_cert *c = &d->state.certs[d->state.n_certs++];
	char *attributes = strchr(word, '('), *save = NULL;

	thumbprint_of(word[0], c->info.thumbprint);
	text_copy(c->store, sizeof(c->store), "MY");
	text_copy(c->friendly_name, sizeof(c->friendly_name), "Microsoft Exchange");
	text_copy(c->info.common_name, sizeof(c->info.common_name), "EX1");
	set_san(&c->info, "both");
	c->info.self_signed = c->info.server_auth = c->info.digital_signature = c->csp = true;
	c->info.key = KEY_RSA;
	c->info.key_bits = 2048;
	c->info.not_before = NOW - US_DAY;
	c->info.not_after = NOW + 1000 * US_DAY;
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	if (attributes == NULL)
		return;
	*strchr(attributes, ')') = '\0';
	for (char *a = strtok_r(attributes + 1, ",", &save); a; a = strtok_r(NULL, ",", &save))
		if (!set_flag(d, c, a) && !set_value(c, a))
			fail_msg("%s:%d: no attribute '%s'", TABLE, line, a);
}

static bool set_special(struct diagnosis *d, const char *word, const char *value)
{
	if (strcmp(word, "by") == 0)
		d->verdict.repairable = value[0] == 'n' ? REPAIR_NEVER : value[0] == 'a' ? REPAIR_BY_APPROVAL : REPAIR_BY_POLICY;
	else if (strcmp(word, "flags") == 0)
		d->state.records[0].flags = (uint32_t)atoi(value);
	else if (strcmp(word, "store") == 0)
		text_copy(d->state.records[0].store, sizeof(d->state.records[0].store), value);
	else if (strcmp(word, "netbios") == 0)
		text_copy(d->identity.netbios, sizeof(d->identity.netbios), value);
	else if (strcmp(word, "fqdn") == 0)
		text_copy(d->identity.fqdn, sizeof(d->identity.fqdn), value);
	else if (strcmp(word, "year") == 0)
		d->when = (INT64_C(31557600) * (atoi(value) - 1970) + 86400 * 9) * US_SECOND - (atoi(value) == 1970 ? 9 * US_DAY : 0);
	else if (strcmp(word, "certs") == 0)
		d->state.known &= ~(unsigned)HOST_PART_CERTS;
	else if (strcmp(word, "records") == 0)
		d->state.known &= ~(unsigned)HOST_PART_RECORDS;
	else
		return false;
	return true;
}

static void set_state(struct diagnosis *d, char *words, int line)
{
	static const char *const facts[] = {"record_present", "record_cert_in_store", "record_cert_elsewhere", "record_key_usable",
		"record_shadowed", NULL};
	char *save = NULL;

	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');
		bool found = false;

		if (strcmp(word, "-") == 0)
			continue;
		if (strcmp(word, "picked") == 0) {
			d->state.certs_picked = true;
			continue;
		}
		assert_non_null(value);
		*value++ = '\0';
		for (size_t i = 0; facts[i]; i++)
			if (strcmp(word, facts[i]) == 0) {
				fact_set(&d->facts, facts[i], *value == 'y' ? TRI_YES : *value == 'n' ? TRI_NO : TRI_UNKNOWN, "test", 0, "set");
				found = true;
			}
		if (!found && !set_special(d, word, value))
			fail_msg("%s:%d: no fact '%s'", TABLE, line, word);
	}
	if (fact_value(&d->facts, "record_present") == TRI_NO)
		d->state.n_records = 0;
}

static struct diagnosis *make(const char *verdict, char *state, char *certs, int line)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	uint8_t t[20];
	char *save = NULL;

	text_copy(d->identity.netbios, sizeof(d->identity.netbios), "EX1");
	text_copy(d->identity.fqdn, sizeof(d->identity.fqdn), FQDN);
	d->when = NOW;
	d->state.known = ~0u;
	d->verdict.name = verdict;
	d->verdict.repairable = REPAIR_BY_POLICY;
	thumbprint_of('R', t);
	add_record(d, BE_ENDPOINT, 444, t, "MY");
	set_state(d, state, line);
	for (char *word = strtok_r(certs, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (strcmp(word, "-") != 0)
			add_cert(d, word, line);
	return d;
}

static void add(char *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char *to, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(to + n, 300 - n, fmt, args);
	va_end(args);
}

static void tell(const struct plan *p, char to[static 300])
{
	static const char *const undo[] = {"=", "~", "!"};

	to[0] = '\0';
	for (size_t i = 0; i < p->n; i++) {
		const struct host_step *s = &p->steps[i].step;

		add(to, "%s", i ? " " : "");
		switch (s->kind) {
		case STEP_RECORD_SET:
			if (p->steps[i].thumbprint_from_previous)
				add(to, "bind:new");
			else
				add(to, "bind:%c%s%s", s->thumbprint[7], strcmp(s->store, "MY") ? "@" : "", strcmp(s->store, "MY") ? s->store : "");
			break;
		case STEP_CERT_CREATE:
			add(to, "create");
			break;
		case STEP_CERT_RESTORE:
			assert_int_equal(s->thumbprint[3], 'R');
			add(to, "restore");
			break;
		case STEP_KEY_REPAIR:
			assert_int_equal(s->thumbprint[3], 'R');
			add(to, "key");
			break;
		case STEP_SITE_BINDING_ADD:
			add(to, "binding");
			break;
		case STEP_IIS_RESTART:
			add(to, "restart");
			break;
		default:
			add(to, "?");
		}
		add(to, "%s", undo[p->steps[i].undo_kind]);
	}
	if (p->n == 0)
		add(to, "-");
}

#define WHOLE(field) (strlen(field) > 0 && strlen(field) + 1 < sizeof(field))

/* Every text is there and whole; nothing but 0.0.0.0:444 is set, for IIS; only a restart is by approval. */
static void check_steps(const struct diagnosis *d, int line)
{
	const struct host_record *r = be_record(&d->state);
	const uint8_t *wanted = r ? r->thumbprint : NULL;

	for (size_t i = 0; i < d->plan.n; i++) {
		const struct plan_step *p = &d->plan.steps[i];

		if (!WHOLE(p->what) || !WHOLE(p->why) || !WHOLE(p->before) || !WHOLE(p->after) || !WHOLE(p->undo))
			fail_msg("%s:%d: a text of step %zu is missing or cut", TABLE, line, i + 1);
		assert_int_equal(p->by_approval_only, p->step.kind == STEP_IIS_RESTART);
		assert_string_equal(p->step.token, "");
		if (p->step.kind != STEP_RECORD_SET)
			continue;
		assert_string_equal(p->step.endpoint, BE_ENDPOINT);
		assert_string_equal(p->step.appid, BE_APPID);
		assert_int_equal(p->step.flags, r ? r->flags : 0);
		wanted = p->thumbprint_from_previous ? NULL : p->step.thumbprint;
		if (p->thumbprint_from_previous)
			assert_true(i > 0 && d->plan.steps[i - 1].step.kind == STEP_CERT_CREATE);
	}
	assert_int_equal(d->plan.has_wanted, wanted != NULL);
	if (wanted)
		assert_memory_equal(d->plan.wanted, wanted, 20);
	if (d->plan.n != 0)
		assert_string_equal(d->plan.why_empty, "");
}

/* A host may list its certificates and records in any order: the same plan, with the same id. */
static void check_order(struct diagnosis *d, int line)
{
	struct host_state *s = &d->state;
	uint8_t id[32];

	memcpy(id, d->plan.id, 32);
	for (size_t i = 0; i + i + 1 < s->n_certs; i++) {
		struct host_cert c = s->certs[i];

		s->certs[i] = s->certs[s->n_certs - 1 - i];
		s->certs[s->n_certs - 1 - i] = c;
	}
	for (size_t i = 0; i + i + 1 < s->n_records; i++) {
		struct host_record r = s->records[i];

		s->records[i] = s->records[s->n_records - 1 - i];
		s->records[s->n_records - 1 - i] = r;
	}
	be_plan(d);
	if (memcmp(id, d->plan.id, 32) != 0)
		fail_msg("%s:%d: another order gives another plan", TABLE, line);
}

static void check_line(char *text, int line)
{
	char *column[5], have[300];
	struct diagnosis *d;
	const char *why;

	for (int i = 0; i < 5; i++) {
		column[i] = strsep(&text, "\t");
		if (column[i] == NULL)
			fail_msg("%s:%d has fewer than five columns", TABLE, line);
	}
	d = make(column[0], column[1], column[2], line);
	be_plan(d);
	tell(&d->plan, have);
	if (strcmp(have, column[3]) != 0)
		fail_msg("%s:%d: the steps are '%s', and should be '%s'", TABLE, line, have, column[3]);
	why = d->plan.n ? d->plan.steps[0].why : d->plan.why_empty;
	if (strcmp(column[4], "-") != 0 && !strstr(why, column[4]))
		fail_msg("%s:%d: the reason is '%s', and should have '%s'", TABLE, line, why, column[4]);
	check_steps(d, line);
	check_order(d, line);
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
	assert_in_range(checked, 120, 300);
}

/* The template to the letter: names from the identity, once each; the past begins a little earlier. */
static void what_is_created(void **state)
{
	char none[] = "-", nothing[] = "-", again[] = "-", nobody[] = "-";
	struct diagnosis *d = make("BE_CERT_DELETED", none, nothing, 0);
	const struct host_step *s = &d->plan.steps[0].step;

	(void)state;
	be_plan(d);
	assert_string_equal(s->template.common_name, "EX1");
	assert_int_equal(s->template.n_san, 2);
	assert_string_equal(s->template.san[0], "EX1");
	assert_string_equal(s->template.san[1], FQDN);
	assert_string_equal(s->template.organization, "");
	assert_int_equal(s->template.key_bits, 2048);
	assert_int_equal(s->template.days, 1826);
	assert_false(s->template.sha1);
	assert_false(s->template.ec_key);
	assert_in_range(NOW - s->template.not_before, US_MINUTE, US_HOUR);
	assert_string_equal(s->friendly_name, "Microsoft Exchange");
	assert_non_null(strstr(d->plan.steps[0].what, "CN=EX1, names EX1 and ex1.lab.example, RSA 2048, SHA-256, 1826 days"));
	free(d);
	d = make("BE_CERT_DELETED", again, nobody, 0); /* a machine without a domain */
	s = &d->plan.steps[0].step;
	text_copy(d->identity.fqdn, sizeof(d->identity.fqdn), "ex1");
	be_plan(d);
	assert_int_equal(s->template.n_san, 1);
	free(d);
}

/* What a person reads before the yes: old and new, and what going back can do. */
static void what_is_told(void **state)
{
	char none[] = "flags=4", a[] = "A(until=400)", expired[] = "by=approval flags=4", ra[] = "R(until=-1) A(until=400)";
	struct diagnosis *d = make("BE_CERT_DELETED", none, a, 0);
	const struct plan_step *p = &d->plan.steps[0];

	(void)state;
	be_plan(d);
	assert_string_equal(p->what, "Bind 4141414141414141414141414141414141414141 to 0.0.0.0:444");
	assert_string_equal(p->before, "0.0.0.0:444 -> 5252525252525252525252525252525252525252, store MY, flags 4");
	assert_string_equal(p->after, "0.0.0.0:444 -> 4141414141414141414141414141414141414141, store MY, flags 4, valid until 2028-02-19");
	assert_non_null(strstr(p->undo, "cannot be set again: the certificate 5252525252525252525252525252525252525252 is not in its store"));
	free(d);
	d = make("BE_CERT_EXPIRED", expired, ra, 0);
	p = &d->plan.steps[0];
	be_plan(d);
	assert_string_equal(p->undo, "set the old record again: 5252525252525252525252525252525252525252, store MY, flags 4");
	free(d);
}

/* Only what was seen to work and can be set again may be gone back to. */
static void what_worked_before(void **state)
{
	static const char *const needed[] = {"backend_tls", "backend_answers", "record_key_usable"};
	char by[] = "by=approval", r[] = "R A(until=2000)";
	struct diagnosis *d = make("HEALTHY_NOW", by, r, 0);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		fact_set(&d->facts, needed[i], TRI_YES, "test", 0, "set");
	be_plan(d);
	assert_true(d->plan.before_works);
	for (size_t i = 0; i < 3; i++) {
		fact_set(&d->facts, needed[i], TRI_NO, "test", 0, "set");
		be_plan(d);
		assert_false(d->plan.before_works);
		fact_set(&d->facts, needed[i], TRI_UNKNOWN, "test", 0, "set");
		be_plan(d);
		assert_false(d->plan.before_works);
		fact_set(&d->facts, needed[i], TRI_YES, "test", 0, "set");
	}
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(what_is_created),
		cmocka_unit_test(what_is_told),
		cmocka_unit_test(what_worked_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
