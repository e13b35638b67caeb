/* smtp.c - the second line of a verdict: what SMTP is missing, and why a new back-end certificate would be the wrong answer.
 *
 * Exists because event 12014 ("no certificate for this name") has more causes that have nothing to do with port 444 than causes
 * that have. Promises that a fact of the host goes before what events have said: an event only tells which question was asked.
 * Refuses to put text of an event into a command: thumbprints come from the host's own store, names are left to the reader. */
#include <string.h>

#include "remedies/exchange_backend/verdict_table.h"

static enum tri itc_gone(const struct be_view *v)
{
	return be_not(be_is(v, "itc_in_store"));
}

/* Port 444 has another certificate, and all of it is there. */
static enum tri backend_has_other(const struct be_view *v)
{
	const char *itc = fact_key(v->f, "itc_in_store"), *record = fact_key(v->f, "record_present");

	return be_and(be_record_fine(v), itc[0] && record[0] && strcmp(itc, record) != 0 ? TRI_YES : TRI_NO);
}

static enum tri itc_gone_444_well(const struct be_view *v)
{
	return be_and(itc_gone(v), backend_has_other(v));
}

static enum tri itc_gone_else(const struct be_view *v)
{
	return be_and(itc_gone(v), backend_has_other(v) == TRI_YES ? TRI_NO : TRI_YES);
}

static enum tri itc_key(const struct be_view *v)
{
	return be_and(be_is(v, "itc_in_store"), be_not(be_is(v, "itc_key_usable")));
}

static enum tri itc_gone_said(const struct be_view *v)
{
	return be_and(be_saw(v, SEEN_ITC_GONE), be_is(v, "itc_in_store") == TRI_UNKNOWN ? TRI_YES : TRI_NO);
}

/* 12014 for the own name, while the internal transport certificate is no explanation. */
static enum tri own_name(const struct be_view *v)
{
	return be_and(be_saw(v, SEEN_SMTP_OWN_NAME), be_is(v, "itc_in_store") == TRI_NO || itc_key(v) == TRI_YES ? TRI_NO : TRI_YES);
}

static enum tri no_name(const struct be_view *v)
{
	return be_and(own_name(v), be_not(be_is(v, "smtp_name_there")));
}

static enum tri wildcard(const struct be_view *v)
{
	return be_and(no_name(v), be_is(v, "smtp_wildcard_misses"));
}

static enum tri renamed(const struct be_view *v)
{
	return be_and(no_name(v), be_and(be_not(be_is(v, "smtp_wildcard_misses")), be_is(v, "smtp_renamed")));
}

static enum tri no_cert(const struct be_view *v)
{
	return be_and(no_name(v), be_and(be_not(be_is(v, "smtp_wildcard_misses")), be_not(be_is(v, "smtp_renamed"))));
}

static enum tri no_key(const struct be_view *v)
{
	return be_and(own_name(v), be_not(be_is(v, "smtp_key_there")));
}

static enum tri wrong_kind(const struct be_view *v)
{
	return be_and(own_name(v), be_not(be_is(v, "smtp_kind_fits")));
}

/* An expired certificate is written as 12015 or 12016, seldom as 12014. */
static enum tri expired(const struct be_view *v)
{
	return be_and(own_name(v), be_not(be_is(v, "smtp_date_fits")));
}

static enum tri expired_said(const struct be_view *v)
{
	return be_and(be_saw(v, SEEN_SMTP_EXPIRED), be_not(expired(v)));
}

static enum tri old_entry(const struct be_view *v)
{
	return be_and(be_and(own_name(v), be_is(v, "smtp_date_fits")), be_is(v, "restarted_lately"));
}

static enum tri rights(const struct be_view *v)
{
	enum tri lately = be_is(v, "restarted_lately") == TRI_YES ? TRI_YES : TRI_NO;

	return be_and(be_and(own_name(v), be_is(v, "smtp_date_fits")), be_not(lately));
}

static enum tri tls_name(const struct be_view *v)
{
	return be_saw(v, SEEN_SMTP_CERT_NAME);
}

static enum tri connector_name(const struct be_view *v)
{
	return be_saw(v, SEEN_SMTP_OTHER);
}

static enum tri expiring(const struct be_view *v)
{
	return be_and(be_saw(v, SEEN_EXPIRY), be_not(be_saw(v, SEEN_SMTP_EXPIRED)));
}

static enum tri edge(const struct be_view *v)
{
	return be_saw(v, SEEN_EDGE);
}

#define NOT_444 " Port 444 needs nothing for this."
#define DEFAULT_NO ", and answer No to the question about the default SMTP certificate."
#define DEFAULT_YES ", and answer Yes to the question about the default SMTP certificate."
#define EXPIRED "SMTP open: a certificate of SMTP has expired. Renew it, then 'Enable-ExchangeCertificate -Thumbprint NEW " \
	"-Services SMTP'. Answer Yes to the question about the default SMTP certificate only when the expired one was that."

const struct be_remark be_smtp_rows[] = {
	{.name = "ITC_GONE_444_WELL", .holds = itc_gone_444_well, .state = true, .key = "itc_in_store",
		.text = "SMTP open: the internal transport certificate {} is not in the store; port 444 has another one and is left alone. "
		"'New-ExchangeCertificate' makes a new one for SMTP: answer Yes to its question about the default SMTP certificate. With an "
		"Edge subscription, subscribe again."},
	{.name = "ITC_GONE", .holds = itc_gone_else, .state = true,
		.text = "SMTP open: the internal transport certificate is not in the store. When the shell is back: "
		"'Enable-ExchangeCertificate -Thumbprint NEW -Services SMTP'" DEFAULT_YES " With an Edge subscription, subscribe again."},
	{.name = "ITC_KEY", .holds = itc_key, .state = true, .key = "itc_in_store",
		.text = "SMTP open: the internal transport certificate is there, but its private key is not usable. 'certutil -repairstore my "
		"{}' may bring the key back; else 'Enable-ExchangeCertificate -Thumbprint NEW -Services SMTP'" DEFAULT_YES},
	{.name = "SMTP_WILDCARD", .holds = wildcard, .state = true,
		.text = "SMTP open: a wildcard certificate covers one label, and the server's FQDN has more (12014). Bring a certificate that "
		"carries the FQDN, then 'Enable-ExchangeCertificate -Thumbprint OWN -Services SMTP'" DEFAULT_NO NOT_444},
	{.name = "SMTP_RENAMED", .holds = renamed, .state = true,
		.text = "SMTP open: the certificate 'Microsoft Exchange' carries the names of another host (12014): was this server renamed or "
		"cloned? Exchange does not survive that, and a new certificate does not mend it. See which name Active Directory has."},
	{.name = "SMTP_NO_CERT", .holds = no_cert, .state = true,
		.text = "SMTP open: no certificate carries the server's FQDN (12014). When the shell is back: 'New-ExchangeCertificate', or "
		"'Enable-ExchangeCertificate -Thumbprint OWN -Services SMTP' for the one that port 444 has by then" DEFAULT_NO},
	{.name = "SMTP_NO_KEY", .holds = no_key, .state = true, .key = "smtp_key_there",
		.text = "SMTP open: the certificate with the server's FQDN has no usable private key (12014): a .cer was imported instead of a "
		".pfx? Import it with its key, or 'certutil -repairstore my {}'."},
	{.name = "SMTP_WRONG_KIND", .holds = wrong_kind, .state = true, .key = "smtp_kind_fits",
		.text = "SMTP open: {} carries the server's FQDN, but transport drops it (12014): it must be RSA, for server authentication, "
		"with a key usage that has digital signature. Bring a proper RSA certificate; Exchange cannot use this one for SMTP." NOT_444},
	{.name = "SMTP_EXPIRED", .holds = expired, .state = true, .text = EXPIRED},
	{.name = "SMTP_OLD_ENTRY", .holds = old_entry,
		.text = "SMTP: a good certificate with the server's FQDN is there, and the server has just started: 12014 is written while "
		"services start. Nothing to do when it stays quiet and STARTTLS is offered on port 25." NOT_444},
	{.name = "SMTP_RIGHTS", .holds = rights, .key = "smtp_date_fits",
		.text = "SMTP: a good certificate with the server's FQDN is there, but transport did not find it (12014): NETWORK SERVICE may "
		"lack rights to its key. 'Enable-ExchangeCertificate -Thumbprint {} -Services SMTP' grants them again" DEFAULT_NO NOT_444},
	{.name = "SMTP_EXPIRED", .holds = expired_said, .text = EXPIRED},
	{.name = "SMTP_TLS_NAME", .holds = tls_name,
		.text = "SMTP: a connector's TlsCertificateName names the issuer and subject of a certificate that was renewed or removed "
		"(12014). Mail over it stops, to the cloud too: 'Set-SendConnector' or 'Set-ReceiveConnector -TlsCertificateName' with the new "
		"one, or run the hybrid wizard again." NOT_444},
	{.name = "SMTP_CONNECTOR_NAME", .holds = connector_name,
		.text = "SMTP: a connector asks for a name that no certificate carries (12014). Bring a certificate with that name, set "
		"TlsCertificateName, or correct the Fqdn of a connector of your own; never that of 'Default SERVER': mail between servers "
		"needs the server's own name there." NOT_444},
	{.name = "SMTP_EXPIRING", .holds = expiring,
		.text = "SMTP: a certificate ends within months (12017, 12018). Plan its renewal, then 'Enable-ExchangeCertificate -Thumbprint "
		"NEW -Services SMTP'. Remove the old one only when nothing uses it, port 444 included."},
	{.name = "SMTP_EDGE", .holds = edge,
		.text = "SMTP: an Edge server and this one do not know each other's certificate any more: one was changed after the "
		"subscription. Make a new Edge subscription ('New-EdgeSubscription')." NOT_444},
	{.name = "ITC_GONE_SAID", .holds = itc_gone_said,
		.text = "SMTP open: events say that the internal transport certificate is gone; Active Directory could not be asked. When the "
		"shell is back: 'Get-ExchangeCertificate', then 'Enable-ExchangeCertificate -Thumbprint NEW -Services SMTP'" DEFAULT_YES},
};

const size_t be_n_smtp_rows = sizeof(be_smtp_rows) / sizeof(be_smtp_rows[0]);
