/* advice.c - the exact command for what a person set and evmend never alters.
 *
 * Exists because a row of the table can only say "for example": the command that fits is made of this host's own records and
 * bindings. Promises that a command is whole or not there at all, and that each value in it has the shape that it must have
 * (address:port, host:port, ADDRESS:PORT:HOST, a thumbprint from bytes). Refuses to put anything else into a command: then it says
 * where to look. Nothing here is a step. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

#define LOOPBACK_443 "127.0.0.1:443"
#define DIGITS "0123456789"

static bool is_port(const char *s)
{
	int64_t port;

	return strlen(s) <= 5 && text_int(s, strlen(s), &port) && port >= 1 && port <= 65535;
}

static bool is_ipv4(const char *s)
{
	int dots = 0;

	for (const char *p = s; *p; p++) {
		size_t n = strspn(p, DIGITS);
		int64_t part;

		if (n > 3 || !text_int(p, n, &part) || part > 255)
			return false;
		p += n;
		if (*p == '\0')
			break;
		if (*p != '.' || p[1] == '\0')
			return false;
		dots++;
	}
	return dots == 3;
}

static bool is_ipv6(const char *s)
{
	size_t n = strlen(s);

	return n >= 4 && n <= 47 && s[0] == '[' && s[n - 1] == ']' && strchr(s, ':') &&
		strspn(s + 1, DIGITS "abcdefABCDEF:.") == n - 2;
}

bool be_endpoint_ok(const char *endpoint, bool host_name)
{
	const char *colon = strrchr(endpoint, ':');
	char host[80];

	if (colon == NULL || (size_t)(colon - endpoint) >= sizeof(host) || !is_port(colon + 1))
		return false;
	text_copy(host, (size_t)(colon - endpoint) + 1, endpoint);
	return host_name ? text_host_ok(host) : is_ipv4(host) || is_ipv6(host);
}

/* A binding's information is ADDRESS:PORT:HOST: the part before the last colon. "" when there is none, or it is too long. */
static const char *before_host(const struct host_binding *b, char to[static 80])
{
	const char *last = strrchr(b->information, ':');
	size_t n = last ? (size_t)(last - b->information) : 0;

	return text_copy(to, n < 80 ? n + 1 : 1, b->information);
}

/* As IIS writes it; the host may be empty, and the address "*". */
static bool binding_ok(const struct host_binding *b, const char *endpoint)
{
	const char *host = strrchr(b->information, ':') + 1;

	if (*host && !text_host_ok(text_starts(host, "*.") ? host + 2 : host))
		return false;
	return (text_starts(endpoint, "*:") && is_port(endpoint + 2)) || be_endpoint_ok(endpoint, false);
}

/* Adds a sentence if it fits whole: a command that is cut is another command. */
static void add(char *to, size_t n, const char *sentence)
{
	size_t have = strlen(to);

	if (have + strlen(sentence) + 2 <= n)
		say_text(to + have, n - have, "%s%s", have ? " " : "", sentence);
}

/* Which key of netsh's table names a record, with its value; false: no command can be given. */
static bool netsh_name(const struct host_record *r, char *to, size_t n)
{
	if (r->ccs)
		say_text(to, n, "ccs=%u", (unsigned)r->port);
	else
		say_text(to, n, "%s=%s", r->sni ? "hostnameport" : "ipport", r->endpoint);
	return r->ccs || be_endpoint_ok(r->endpoint, r->sni);
}

static void advise_record(struct verdict *v, const struct host_record *r)
{
	char name[120], line[400];

	if (netsh_name(r, name, sizeof(name)))
		say_text(line, sizeof(line), "A record for %s stands in front. Keep what 'netsh http show sslcert %s' says; if nobody needs it: "
			"'netsh http delete sslcert %s'.", name, name, name);
	else
		say_text(line, sizeof(line), "A record stands in front whose name has no known shape: see 'netsh http show sslcert'.");
	add(v->advice, sizeof(v->advice), line);
}

/* Another record that leads away from the certificate of 0.0.0.0:444. */
static bool leads_away(const struct host_state *s, const struct host_record *r)
{
	const struct host_record *plain = be_record(s);

	return r != plain && r->port == 444 && (plain == NULL || memcmp(plain->thumbprint, r->thumbprint, 20) != 0 ||
		be_cert(s, plain->thumbprint, plain->store) == NULL);
}

#define APPCMD_SET BE_APPCMD " set site '/site.name:" BE_SITE "' "

static void advise_bindings(struct verdict *v, const struct host_state *s)
{
	const struct host_site *site = be_site(s);
	char line[400], endpoint[80];
	bool there = false;

	for (size_t i = 0; site && i < site->n_bindings; i++)
		there = there || (text_same(site->bindings[i].protocol, "https") && strcmp(site->bindings[i].information, BE_BINDING) == 0);
	add(v->advice, sizeof(v->advice), there ? "Take the flags from the plain binding, in PowerShell: " APPCMD_SET
		"\"/bindings.[protocol='https',bindingInformation='" BE_BINDING "'].sslFlags:0\"" :
		"Add the plain binding, in PowerShell: " APPCMD_SET "\"/+bindings.[protocol='https',bindingInformation='" BE_BINDING "']\"");
	for (size_t i = 0; site && i < site->n_bindings; i++) {
		const struct host_binding *b = &site->bindings[i];

		if (!text_same(b->protocol, "https") || !text_ends(before_host(b, endpoint), ":444") || strcmp(b->information, BE_BINDING) == 0)
			continue;
		if (binding_ok(b, endpoint))
			say_text(line, sizeof(line), "If nobody needs the one with an address or a name: " APPCMD_SET
				"\"/-bindings.[protocol='https',bindingInformation='%s']\"", b->information);
		else
			say_text(line, sizeof(line), "One binding for port 444 has no known shape: see " BE_APPCMD " list site.");
		add(v->advice, sizeof(v->advice), line);
	}
}

static void advise_wrong(struct diagnosis *d)
{
	const struct host_state *s = &d->state;
	struct verdict *v = &d->verdict;

	text_copy(v->advice, sizeof(v->advice), "What a person configured is not altered by evmend.");
	for (size_t i = 0; (s->known & HOST_PART_RECORDS) && i < s->n_records; i++)
		if (leads_away(s, &s->records[i]))
			advise_record(v, &s->records[i]);
	if ((s->known & HOST_PART_SITES) && fact_value(&d->facts, "binding_plain") == TRI_NO)
		advise_bindings(v, s);
}

/* The key is there; its access list is a person's. The rights are those with which Exchange's setup makes it. */
static void advise_key(struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	char hex[41], line[300];

	if (r == NULL || !be_store_is(r->store, "MY"))
		return;
	text_hex(hex, r->thumbprint, 20);
	say_text(line, sizeof(line), "Or, in its place: certutil -repairstore my %s \"D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;NS)\" replaces the "
		"access list of the key (SYSTEM and Administrators all, Network Service reads). evmend never alters that list.", hex);
	add(d->verdict.advice, sizeof(d->verdict.advice), line);
}

static struct note *find_note(struct verdict *v, const char *name)
{
	for (size_t i = 0; i < v->n_notes; i++)
		if (strcmp(v->notes[i].name, name) == 0)
			return &v->notes[i];
	if (v->n_notes == VERDICT_NOTES)
		return NULL;
	memset(&v->notes[v->n_notes], 0, sizeof(v->notes[0]));
	v->notes[v->n_notes].name = name;
	return &v->notes[v->n_notes++];
}

/* 127.0.0.1:443, when its certificate cannot be loaded; NULL. */
static const struct host_record *stale_loopback(const struct host_state *s)
{
	const unsigned needed = HOST_PART_RECORDS | HOST_PART_CERTS;

	for (size_t i = 0; (s->known & needed) == needed && !s->certs_picked && i < s->n_records; i++) {
		const struct host_record *r = &s->records[i];
		const struct host_cert *c = be_cert(s, r->thumbprint, r->store);

		if (!r->sni && !r->ccs && strcmp(r->endpoint, LOOPBACK_443) == 0)
			return c == NULL || be_key_usable(c) == TRI_NO ? r : NULL;
	}
	return NULL;
}

/* A fresh server has one certificate everywhere: when it goes, the door for the server's own probes is shut as well. */
static void advise_loopback(struct diagnosis *d)
{
	const struct host_record *r = stale_loopback(&d->state);
	const struct host_cert *wanted = d->plan.has_wanted ? be_cert(&d->state, d->plan.wanted, "MY") : NULL;
	struct note *n = r ? find_note(&d->verdict, "LOCAL_443_STALE") : NULL;
	char old[41], new[41], how[240] = "Once port 444 is mended, 'evmend diagnose' says the command.";

	if (n == NULL)
		return;
	text_hex(old, r->thumbprint, 20);
	if (wanted && be_key_usable(wanted) == TRI_YES) {
		text_hex(new, d->plan.wanted, 20);
		say_text(how, sizeof(how), "By hand: 'netsh http delete sslcert ipport=" LOOPBACK_443 "', then 'netsh http add sslcert ipport="
			LOOPBACK_443 " certhash=%s \"appid=" BE_APPID "\" certstorename=MY'.", new);
	}
	say_text(n->text, sizeof(n->text), LOOPBACK_443 " names %s, which cannot be loaded: self-probes and the shell may enter there. "
		"evmend never changes it. %s", old, how);
}

void be_advice(struct diagnosis *d)
{
	if (d->verdict.name && strcmp(d->verdict.name, "BE_BINDING_WRONG") == 0)
		advise_wrong(d);
	if (d->verdict.name && strcmp(d->verdict.name, "BE_KEY_ACCESS") == 0)
		advise_key(d);
	advise_loopback(d);
}
