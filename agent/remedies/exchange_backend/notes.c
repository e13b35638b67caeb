/* notes.c - what is said beside the verdict: certificates of other ports and purposes, and the SMTP side.
 *
 * Exists because one event may have several causes, and a healthy back end does not mean a healthy server. Promises that each
 * note is computed on its own, that none of them starts a repair, and that every command in one is exact. Refuses to put text
 * of an event into a command. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

static void note(struct verdict *v, const char *name, const char *cause, const char *fmt, ...) __attribute__((format(printf, 4,
	5)));

static void note(struct verdict *v, const char *name, const char *cause, const char *fmt, ...)
{
	struct note *n;
	va_list args;

	if (v->n_notes == VERDICT_NOTES)
		return;
	n = &v->notes[v->n_notes++];
	n->name = name;
	n->cause = cause;
	va_start(args, fmt);
	(void)vsnprintf(n->text, sizeof(n->text), fmt, args);
	va_end(args);
}

static const char *seen_of(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return f->list[i].seen;
	return "";
}

/* 12015 to 12018 name a thumbprint: it counts only when it is the one of 444's record. */
static bool names_record(const struct diagnosis *d, const struct suspicion *s)
{
	const struct host_record *r = be_record(&d->state);

	return s->has_thumbprint && r != NULL && memcmp(r->thumbprint, s->thumbprint, 20) == 0;
}

static void certificate_notes(struct diagnosis *d, const struct suspicion *s)
{
	const struct facts *f = &d->facts;
	struct verdict *v = &d->verdict;
	bool valid = fact_value(f, "served_valid") == TRI_YES;

	if (valid && (fact_value(f, "served_ends_soon") == TRI_YES || (s->seen & SEEN_EXPIRY && names_record(d, s))))
		note(v, "BE_CERT_EXPIRING", "exchange-certificate-expiry", "The certificate of port 444 is %s. Renew it in time: "
		"'New-ExchangeCertificate -Services None', "
		"answer No "
			"to the question about SMTP, then bind the new one to port 444.", seen_of(f, "served_ends_soon"));
	if (fact_value(f, "served_own") == TRI_YES && fact_value(f, "served_weak") == TRI_YES)
		note(v, "BE_CERT_WEAK", NULL, "The certificate of port 444 works, but is weak: %s. Replace it when it is renewed; this is no "
		"reason "
		"to act now.",
			seen_of(f, "served_weak"));
}

static void neighbour_notes(struct diagnosis *d, const struct suspicion *s)
{
	const struct facts *f = &d->facts;
	struct verdict *v = &d->verdict;
	const unsigned smtp = SEEN_SMTP_OWN_NAME | SEEN_SMTP_OTHER | SEEN_ITC_GONE | SEEN_EXPIRY;

	if (s->seen & SEEN_AUTH_CERT)
		note(v, "AUTH_CERT", NULL, "Events speak of the Auth certificate (OAuth): that is another certificate. Run "
		"MonitorExchangeAuthCertificate.ps1; "
			"do not touch port 444 for it.");
	if (fact_value(f, "frontend_tls") == TRI_NO || (s->seen & SEEN_FRONTEND_ENDPOINT && !(s->seen & SEEN_BACKEND_ENDPOINT)))
		note(v, "FRONTEND_CERT", "exchange-frontend-certificate", "Port 443 is in trouble (%s). Bind a valid certificate to the site "
		"'Default Web Site' in IIS Manager; "
		"evmend "
			"never changes port 443.", seen_of(f, "frontend_tls"));
	if (s->remote && v->healthy)
		note(v, "REMOTE_BE", NULL, "Events of this server name another back end as the one in trouble: the diagnosis belongs there.");
	if (v->healthy && s->seen != 0 && (s->seen & ~smtp) == 0)
		note(v, "SMTP_ONLY", NULL, "Only SMTP certificates were complained about: look at the connector that the event names. "
		"'Get-ReceiveConnector | "
			"fl Name,Fqdn,TlsCertificateName'. Port 444 has nothing to do with it.");
}

/* The second line of a verdict. A healed back end with the internal transport certificate still gone says so. */
static void smtp_line(struct diagnosis *d, const struct suspicion *s)
{
	enum tri itc = fact_value(&d->facts, "itc_in_store");
	struct verdict *v = &d->verdict;

	v->smtp_open = itc == TRI_NO;
	if (itc == TRI_NO || (itc == TRI_UNKNOWN && s->seen & SEEN_ITC_GONE))
		text_copy(v->smtp, sizeof(v->smtp), "SMTP open: the internal transport certificate is not in the store. When the shell is back: "
			"'Enable-ExchangeCertificate -Thumbprint NEW -Services SMTP', and answer Yes to the question about the default SMTP "
			"certificate.");
	else if (s->seen & SEEN_SMTP_OWN_NAME)
		text_copy(v->smtp, sizeof(v->smtp), "SMTP open: a connector found no certificate for the server's own name (12014). When the "
		"shell is back: "
			"'Enable-ExchangeCertificate -Thumbprint OWN -Services SMTP', and answer No to the question about the default one.");
}

void be_notes(struct diagnosis *d, const struct suspicion *s)
{
	certificate_notes(d, s);
	neighbour_notes(d, s);
	smtp_line(d, s);
}
