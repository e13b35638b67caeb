/* proof.c - the proof that a repair counts: the service is used, and the neighbours are as they were.
 *
 * Exists because a step that was answered with "done" proves nothing. Promises: the record is read back; every address shows the
 * wanted certificate and answers a request; a request through the front end reaches the back end, or the proof says that the hop
 * is not proven; 443 shows what it showed before; nothing that was in a store is gone. Refuses to count an unknown as a yes, but
 * for the hop, which many hosts cannot be asked about. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

static void check(struct proof *p, const char *name, enum tri value, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void check(struct proof *p, const char *name, enum tri value, const char *fmt, ...)
{
	size_t i = p->n < 16 ? p->n++ : 15;
	va_list args;

	text_copy(p->checks[i].name, sizeof(p->checks[i].name), name);
	p->checks[i].value = value;
	va_start(args, fmt);
	(void)vsnprintf(p->checks[i].seen, sizeof(p->checks[i].seen), fmt, args);
	va_end(args);
}

static enum tri tri_of(bool b)
{
	return b ? TRI_YES : TRI_NO;
}

static const char *key_of(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return f->list[i].key;
	return "";
}

static void check_record(const struct diagnosis *now, const uint8_t wanted[20], struct proof *to)
{
	const struct host_record *r = be_record(&now->state);

	check(to, "record read back", now->state.known & HOST_PART_RECORDS ? tri_of(r && memcmp(r->thumbprint, wanted, 20) == 0) :
		TRI_UNKNOWN,
		"%s", r ? key_of(&now->facts, "record_present") : "no record for " BE_ENDPOINT);
}

static void check_backend(const struct diagnosis *now, const uint8_t wanted[20], struct proof *to)
{
	const struct facts *f = &now->facts;
	enum tri agree = fact_value(f, "addresses_agree"), tls = fact_value(f, "backend_tls"), answers = fact_value(f, "backend_answers");
	char hex[41];

	text_hex(hex, wanted, 20);
	check(to, "handshake on every address", tls == TRI_YES && agree == TRI_YES ? tri_of(strcmp(key_of(f, "served_own"), hex) == 0) :
		tls == TRI_NO || agree == TRI_NO ? TRI_NO : TRI_UNKNOWN, "%zu addresses, 444 shows %s", now->identity.n_addresses,
		key_of(f, "served_own")[0] ? key_of(f, "served_own") : "nothing");
	if (fact_value(f, "backend_503") == TRI_YES)
		answers = TRI_NO;
	check(to, "request on the back end", answers, "GET " BE_PATH " %s", answers == TRI_YES ? "is answered" :
		"is not answered as it should be");
}

/* Compared with the snapshot: what 443 shows, and every record that is not ours to set. */
static void check_443(const struct diagnosis *before, const struct diagnosis *now, struct proof *to)
{
	const char *was = key_of(&before->facts, "frontend_tls"), *is = key_of(&now->facts, "frontend_tls");
	bool same = true;

	for (size_t i = 0; i < before->state.n_records; i++) {
		const struct host_record *b = &before->state.records[i];
		bool found = strcmp(b->endpoint, BE_ENDPOINT) == 0;

		for (size_t k = 0; k < now->state.n_records; k++)
			found = found || (strcmp(now->state.records[k].endpoint, b->endpoint) == 0 &&
				memcmp(now->state.records[k].thumbprint, b->thumbprint, 20) == 0);
		same = same && found;
	}
	check(to, "records of other ports unchanged", now->state.known & HOST_PART_RECORDS ? tri_of(same) : TRI_UNKNOWN, "%zu records",
		now->state.n_records);
	if (was[0] != '\0')
		check(to, "443 unchanged", is[0] ? tri_of(strcmp(was, is) == 0) : fact_value(&now->facts, "frontend_tls"), "443 shows %s",
			is[0] ? is : "nothing");
}

static void check_nothing_gone(const struct diagnosis *before, const struct diagnosis *now, struct proof *to)
{
	size_t gone = 0;

	if (!(before->state.known & HOST_PART_CERTS))
		return;
	for (size_t i = 0; i < before->state.n_certs; i++)
		gone += be_cert(&now->state, before->state.certs[i].info.thumbprint, before->state.certs[i].store) == NULL;
	check(to, "no certificate is gone", now->state.known & HOST_PART_CERTS ? tri_of(gone == 0) : TRI_UNKNOWN, "%zu of %zu are gone",
		gone,
		before->state.n_certs);
}

int be_verify(struct host *h, const struct clock *clock, int64_t deadline, const struct diagnosis *before, const uint8_t wanted[20],
	struct proof *to, struct err *e)
{
	struct diagnosis *now = xcalloc(1, sizeof(*now));
	enum tri hop;
	size_t bad = 0;
	int r = be_diagnose(h, clock, deadline, now, e);

	memset(to, 0, sizeof(*to));
	if (r == 0) {
		check_record(now, wanted, to);
		check_backend(now, wanted, to);
		check_443(before, now, to);
		check_nothing_gone(before, now, to);
		for (size_t i = 0; i < to->n; i++)
			bad += to->checks[i].value != TRI_YES;
		hop = fact_value(&now->facts, "hop_answers");
		check(to, "request through the front end", hop, "%s", hop == TRI_YES ? "answered by the back end" :
			hop == TRI_NO ? "not answered by the back end" : "hop not proven: this host cannot be asked");
		to->ok = bad == 0 && hop != TRI_NO;
		(void)snprintf(to->summary, sizeof(to->summary), "%s", to->ok ? hop == TRI_YES ?
			"444 shows the wanted certificate, answers, and is reached through the front end; 443 is unchanged" :
			"444 shows the wanted certificate and answers; 443 is unchanged; hop not proven" : bad == 0 ?
			"444 works, but a request through the front end does not reach it: 'iisreset /noforce' may help" :
			"the proof failed: see the checks");
	}
	free(now);
	return r;
}
