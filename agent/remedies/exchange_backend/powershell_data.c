/* powershell_data.c - the part of a script that says what was true when its plan was made.
 *
 * Exists because the script compares every such fact with the server before it acts. Promises sorted lists, as the script's own
 * functions sort them, and an empty value for what was not known. Refuses names that no script may hold. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"
#include "remedies/exchange_backend/powershell_inside.h"
#include "remedies/exchange_backend/ps_text.h"

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void word(struct emit *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void word(struct emit *x, const char *fmt, ...)
{
	va_list args;

	if (x->n_words == WORDS)
		return;
	va_start(args, fmt);
	(void)vsnprintf(x->words[x->n_words++], WORD, fmt, args);
	va_end(args);
}

/* $name = 'a, b'; `none` for an empty list; '' when it is not known. */
static int words_end(struct emit *x, const char *name, bool known)
{
	struct buf line;
	int r;

	buf_init(&line, WORDS * WORD);
	qsort(x->words, x->n_words, WORD, by_bytes);
	for (size_t i = 0; known && i < x->n_words; i++)
		buf_printf(&line, "%s%s", i ? ", " : "", x->words[i]);
	if (known && x->n_words == 0)
		buf_str(&line, "none");
	buf_printf(x->to, "$%s = ", name);
	r = x->n_words == WORDS ? err_set(x->e, ERR_REFUSED, "the host has too many of %s for a script", name) :
		ps_quote(x->to, name, buf_text(&line), x->e);
	buf_char(x->to, '\n');
	buf_free(&line);
	x->n_words = 0;
	return r;
}

static const char *upper(const char *s, char to[static 64])
{
	text_copy(to, 64, s);
	for (char *p = to; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return to;
}

static int put_records(struct emit *x, const char *name, bool others)
{
	const struct host_state *s = &x->d->state;
	char hex[41], store[64];

	for (size_t i = 0; i < s->n_records; i++) {
		const struct host_record *r = &s->records[i];

		if ((r->port != 443 && r->port != 444) || (others && strcmp(r->endpoint, BE_ENDPOINT) == 0))
			continue;
		text_hex(hex, r->thumbprint, 20);
		word(x, "%s %s %s", r->endpoint, r->ccs ? "" : hex, upper(r->store, store));
	}
	return words_end(x, name, s->known & HOST_PART_RECORDS);
}

static int put_my(struct emit *x)
{
	const struct host_state *s = &x->d->state;
	char hex[41];

	for (size_t i = 0; i < s->n_certs; i++) {
		if (!be_store_is(s->certs[i].store, "MY"))
			continue;
		text_hex(hex, s->certs[i].info.thumbprint, 20);
		word(x, "%s", hex);
	}
	return words_end(x, "WasMy", s->known & HOST_PART_CERTS);
}

static bool in_plan(const struct diagnosis *d, const uint8_t thumbprint[20])
{
	const struct host_record *r = be_record(&d->state);
	bool in = r != NULL && memcmp(r->thumbprint, thumbprint, 20) == 0;

	for (size_t i = 0; i < d->plan.n && !in; i++)
		in = memcmp(d->plan.steps[i].step.thumbprint, thumbprint, 20) == 0;
	return in;
}

/* Keys of the certificates that the plan speaks of. Rows are tables: PowerShell would flatten a list of one list. */
static int put_keys(struct emit *x)
{
	const struct host_state *s = &x->d->state;
	bool any = false;
	char hex[41];

	buf_str(x->to, "$WasKeys = @(");
	for (size_t i = 0; i < s->n_certs; i++) {
		const struct host_cert *c = &s->certs[i];
		enum tri usable = be_key_usable(c);

		if (!in_plan(x->d, c->info.thumbprint))
			continue;
		text_hex(hex, c->info.thumbprint, 20);
		buf_str(x->to, "\n    @{ Store = ");
		if (ps_quote(x->to, "the name of a store", c->store, x->e) < 0)
			return -1;
		buf_printf(x->to, "; Thumbprint = '%s'; Usable = '%s' }", hex, usable == TRI_UNKNOWN ? "" : tri_text(usable));
		any = true;
	}
	buf_str(x->to, any ? "\n)\n" : ")\n");
	return 0;
}

static int put_bindings(struct emit *x)
{
	const struct host_site *site = be_site(&x->d->state);

	for (size_t i = 0; site && i < site->n_bindings; i++)
		if (text_same(site->bindings[i].protocol, "https"))
			word(x, "%s %u", site->bindings[i].information, (unsigned)site->bindings[i].ssl_flags);
	return words_end(x, "WasBindings", site != NULL);
}

/* 'shows THUMBPRINT', 'fails', or '' when it was not known. */
static int put_door(struct emit *x, const char *name, const char *fact, const char *leaf)
{
	enum tri t = fact_value(&x->d->facts, fact);
	char text[160] = "";

	if (t == TRI_YES)
		say_text(text, sizeof(text), "shows %s", fact_key(&x->d->facts, leaf));
	else if (t == TRI_NO)
		text_copy(text, sizeof(text), "fails");
	buf_printf(x->to, "$%s = ", name);
	if (ps_quote(x->to, name, text, x->e) < 0)
		return -1;
	buf_char(x->to, '\n');
	return 0;
}

static void put_tri(struct emit *x, const char *name, const char *fact, const char *yes, const char *no)
{
	enum tri t = fact_value(&x->d->facts, fact);

	buf_printf(x->to, "$%s = '%s'\n", name, t == TRI_YES ? yes : t == TRI_NO ? no : "");
}

static int put_wanted(struct emit *x)
{
	const struct host_record *r = be_record(&x->d->state);
	const struct plan *p = &x->d->plan;
	const char *store = r ? r->store : "MY";
	bool other = p->has_wanted && (r == NULL || memcmp(r->thumbprint, p->wanted, 20) != 0);
	char hex[41] = "";

	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].step.kind == STEP_RECORD_SET)
			store = p->steps[i].step.store;
	if (p->has_wanted)
		text_hex(hex, p->wanted, 20);
	buf_printf(x->to, "$WantedThumbprint = '%s' # what 444 must show in the end%s\n", hex,
		hex[0] ? "" : "; not known before the certificate is made");
	if (!ps_store_ok(store))
		return err_set(x->e, ERR_REFUSED, "the plan has a record that no script of ours sets: the name of its store has an odd shape");
	buf_printf(x->to, "$WantedStore = '%s'\n", store);
	buf_printf(x->to, "$WantedIsOther = $%s # it is another certificate than the record's\n", other ? "true" : "false");
	buf_printf(x->to, "$BeforeWorked = $%s # 444 worked: only then is anything taken back\n", p->before_works ? "true" : "false");
	return 0;
}

int ps_put_data(struct emit *x)
{
	const struct host_identity *id = &x->d->identity;
	char plan[65];

	text_hex(plan, x->d->plan.id, 32);
	if (!text_host_ok(id->netbios) || !text_host_ok(id->fqdn))
		return err_set(x->e, ERR_REFUSED, "the server's name is none that a script may hold; nothing is written");
	buf_printf(x->to, "$PlanId = '%s'\n$Verdict = '%s'\n$Token = 'plan-%.32s' # finds our own "
		"certificate again when this is run twice\n",
		plan, x->d->verdict.name, plan);
	buf_printf(x->to, "$ServerNetbios = '%s'\n$ServerFqdn = '%s'\n$Addresses = ", id->netbios, id->fqdn);
	if (ps_quote_list(x->to, "an address", id->addresses[0], sizeof(id->addresses[0]), id->n_addresses, x->e) < 0)
		return -1;
	buf_char(x->to, '\n');
	if (put_wanted(x) < 0 || put_records(x, "WasRecords", false) < 0 || put_records(x, "WasOtherRecords", true) < 0 ||
	    put_my(x) < 0 || put_keys(x) < 0 || put_bindings(x) < 0)
		return -1;
	put_tri(x, "WasW3svc", "w3svc_running", "Running", "Stopped");
	put_tri(x, "WasSite", "site_started", "started", "stopped");
	put_tri(x, "WasHop", "hop_answers", "yes", "no");
	if (put_door(x, "WasBackEnd", "backend_tls", "served_own") < 0)
		return -1;
	if (put_door(x, "WasFrontEnd", "frontend_tls", "frontend_tls") < 0)
		return -1;
	return put_door(x, "WasFrontEndLocal", "frontend_local_tls", "frontend_local_tls");
}
