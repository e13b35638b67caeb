/* notes.c - what is said beside the verdict: certificates of other ports and purposes.
 *
 * Exists because one event may have several causes, and a healthy back end does not mean a healthy server. Promises that each
 * note is computed on its own, that none of them starts a repair, and that every command in one is exact. Refuses to put text
 * of an event into a command. The SMTP side is in smtp.c. */
#include "remedies/exchange_backend/verdict_table.h"

#define SMTP_SEEN \
	(SEEN_SMTP_OWN_NAME | SEEN_SMTP_OTHER | SEEN_SMTP_CERT_NAME | SEEN_SMTP_EXPIRED | SEEN_ITC_GONE | SEEN_EXPIRY | SEEN_EDGE)

/* Weakness is told of a certificate that is otherwise right. */
static enum tri weak(const struct be_view *v)
{
	return be_and(be_is(v, "served_own"), be_is(v, "served_weak"));
}

static enum tri auth_cert(const struct be_view *v)
{
	return be_saw(v, SEEN_AUTH_CERT);
}

/* 127.0.0.1:443 fails, and that is its own record: there is one, or 443 works for those who come by name. */
static enum tri local_443_fails(const struct be_view *v)
{
	return be_and(be_not(be_is(v, "frontend_local_tls")), be_or(be_is(v, "record_local_443"), be_is(v, "frontend_tls")));
}

static enum tri frontend_cert(const struct be_view *v)
{
	enum tri alone = be_and(be_saw(v, SEEN_FRONTEND_ENDPOINT), be_not(be_saw(v, SEEN_BACKEND_ENDPOINT)));

	if (be_is(v, "frontend_tls") == TRI_YES && local_443_fails(v) == TRI_YES)
		return TRI_NO; /* it is 127.0.0.1:443 that the events speak of */
	/* who refuses the connection lacks no certificate */
	return be_or(be_and(be_not(be_is(v, "frontend_tls")), be_is(v, "frontend_listens")), alone);
}

static enum tri local_443_stale(const struct be_view *v)
{
	return be_or(be_is(v, "local_443_stale"), local_443_fails(v));
}

/* No sign here: the back end works, or there is none. */
static enum tri remote(const struct be_view *v)
{
	enum tri none = be_or(be_not(be_is(v, "is_exchange")), be_not(be_is(v, "site_exists")));

	return be_and(v->s->remote ? TRI_YES : TRI_NO, be_or(be_healthy(v), none));
}

static enum tri smtp_only(const struct be_view *v)
{
	return be_and(be_and(be_saw(v, SMTP_SEEN), be_not(be_saw(v, ~(unsigned)SMTP_SEEN))), be_healthy(v));
}

const struct be_remark be_note_rows[] = {
	{.id = "R1a", .name = "BE_CERT_EXPIRING", .cause = "exchange-certificate-expiry", .holds = be_expiring, .seen = "served_ends_soon",
		.text = "The certificate of port 444 is {}. Renew it in time: 'evmend repair' of this host shows the plan and asks first; by "
		"hand 'New-ExchangeCertificate -Services None', answer No to the question about SMTP, then bind the new one to port 444."},
	{.id = "R13", .name = "BE_CERT_WEAK", .holds = weak, .seen = "served_weak",
		.text = "The certificate of port 444 works, but is weak: {}. Replace it when it is renewed; this is no reason to act now."},
	{.id = "R15", .name = "AUTH_CERT", .holds = auth_cert,
		.text = "Events speak of the Auth certificate (OAuth): that is another certificate. Run MonitorExchangeAuthCertificate.ps1; do "
		"not touch port 444 for it."},
	{.id = "R16", .name = "FRONTEND_CERT", .cause = "exchange-frontend-certificate", .holds = frontend_cert, .seen = "frontend_tls",
		.text = "Port 443 is in trouble ({}). Bind a valid certificate to the site 'Default Web Site' in IIS Manager; evmend never "
		"changes port 443."},
	{.id = "O2", .name = "LOCAL_443_STALE", .holds = local_443_stale,
		.text = "The certificate of 127.0.0.1:443 is lost or cannot be used: the shell and OWA's own probes may enter there. Bind a valid "
		"certificate to https 127.0.0.1:443 of 'Default Web Site' in IIS Manager; evmend never changes port 443."},
	{.id = "R17", .name = "REMOTE_BE", .holds = remote,
		.text = "Events of this server name another back end as the one in trouble: the diagnosis belongs there."},
	{.id = "R18", .name = "SMTP_ONLY", .holds = smtp_only,
		.text = "Only SMTP certificates were complained about, and port 444 works: what SMTP needs is in the SMTP line. "
		"'Get-ReceiveConnector | fl Name,Fqdn,TlsCertificateName' shows what the connectors ask for."},
};

const size_t be_n_note_rows = sizeof(be_note_rows) / sizeof(be_note_rows[0]);
