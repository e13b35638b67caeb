/* probe_report.c - how `evmend probe` prints what it met: a line for each address, then the certificate and its chain.
 *
 * Exists apart from probe.c so that trying and telling do not mix. Promises at most one screen for people, and the members of one
 * attempt in front of "attempts" for programs. Refuses to judge. */
#include "cli/probe_report.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define NAMES_SHOWN 4
#define CHAIN_SHOWN 4
#define DETAILS_SHOWN 4

bool attempt_passed(const struct attempt *a)
{
	return a->result.tls == TLS_OK && (!a->target.path[0] || a->result.http_status);
}

/* The attempt that stands for all: the first that passed, else the first handshake, else the first. */
static const struct attempt *foremost(const struct probing *p)
{
	const struct attempt *best = &p->attempts[0];

	for (size_t i = 0; i < p->n; i++) {
		if (attempt_passed(&p->attempts[i]))
			return &p->attempts[i];
		if (best->result.tls != TLS_OK && p->attempts[i].result.tls == TLS_OK)
			best = &p->attempts[i];
	}
	return best;
}

static const char *key_text(enum key_kind kind, int bits, char to[static 32])
{
	static const char *const kinds[] = {[KEY_OTHER] = "other", [KEY_RSA] = "RSA", [KEY_EC] = "EC"};

	snprintf(to, 32, "%s %d bit", kinds[kind], bits);
	return to;
}

/* "ok", "alert 70 (protocol_version)", "refused" */
static const char *outcome(const struct probe_result *r, char to[static 64])
{
	if (r->tcp != TCP_OK)
		return probe_tcp_text(r->tcp);
	if (r->tls != TLS_ALERT)
		return probe_tls_text(r->tls);
	snprintf(to, 64, "alert %d (%s)", r->alert, probe_alert_text(r->alert));
	return to;
}

/* ---- JSON ---- */

static void put_certificate(struct json_out *o, const struct cert_info *l)
{
	char hex[41], key[32];

	text_hex(hex, l->thumbprint, 20);
	json_open(o, "certificate", '{');
	json_put_str(o, "thumbprint", hex);
	json_put_str(o, "subject", l->subject);
	json_put_str(o, "issuer", l->issuer);
	json_open(o, "names", '[');
	for (size_t i = 0; i < l->n_san; i++)
		json_put_str(o, NULL, l->san[i]);
	json_close(o, ']');
	json_put_time(o, "not_before", l->not_before);
	json_put_time(o, "not_after", l->not_after);
	json_put_str(o, "key", key_text(l->key, l->key_bits, key));
	json_put_str(o, "signature", l->signature);
	json_put_bool(o, "self_signed", l->self_signed);
	json_put_bool(o, "server_auth", l->server_auth);
	json_put_str(o, "serial", l->serial);
	json_close(o, '}');
}

static void put_chain(struct json_out *o, const struct probe_result *r)
{
	char hex[41], key[32];

	json_open(o, "chain", '[');
	for (size_t i = 0; i < r->n_chain; i++) {
		const struct probe_link *l = &r->chain[i];

		text_hex(hex, l->thumbprint, 20);
		json_open(o, NULL, '{');
		json_put_str(o, "thumbprint", hex);
		json_put_str(o, "subject", l->subject);
		json_put_str(o, "issuer", l->issuer);
		json_put_time(o, "not_before", l->not_before);
		json_put_time(o, "not_after", l->not_after);
		json_put_str(o, "key", key_text(l->key, l->key_bits, key));
		json_put_str(o, "signature", l->signature);
		json_put_bool(o, "self_signed", l->self_signed);
		json_close(o, '}');
	}
	json_close(o, ']');
}

/* The members that one attempt has, without certificates. */
static void put_outcome(struct json_out *o, const struct attempt *a)
{
	const struct probe_result *r = &a->result;

	json_put_str(o, "version", a->target.version == TLS_ONLY_1_2 ? "1.2" : "default");
	json_put_str(o, "tcp", probe_tcp_text(r->tcp));
	json_put_str(o, "tls", probe_tls_text(r->tls));
	if (r->alert) {
		json_put_int(o, "alert", r->alert);
		json_put_str(o, "alert_name", probe_alert_text(r->alert));
	}
	if (r->tls == TLS_OK) {
		json_put_str(o, "tls_version", r->tls_version);
		json_put_str(o, "cipher", r->cipher);
		json_put_int(o, "chain_length", r->chain_length);
		json_put_bool(o, "client_certificate_asked", r->client_cert_asked);
	}
	if (a->target.path[0]) {
		json_put_str(o, "path", a->target.path);
		json_put_int(o, "http_status", r->http_status);
		json_put_str(o, "headers", r->answer_header);
		json_put_str(o, "other_headers", r->other_header);
	}
	json_put_int(o, "took_ms", r->took_us / 1000);
	json_put_str(o, "detail", r->detail);
}

static void put_attempts(struct json_out *o, const struct probing *p)
{
	char hex[41];

	json_open(o, "attempts", '[');
	for (size_t i = 0; i < p->n; i++) {
		const struct attempt *a = &p->attempts[i];

		json_open(o, NULL, '{');
		json_put_str(o, "address", a->target.address);
		put_outcome(o, a);
		if (a->result.has_leaf) {
			text_hex(hex, a->result.leaf.thumbprint, 20);
			json_put_str(o, "thumbprint", hex);
		}
		json_close(o, '}');
	}
	json_close(o, ']');
}

void probe_print_json(const struct probing *p)
{
	const struct attempt *a = foremost(p);
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "probe");
	json_put_str(&o, "address", p->host);
	json_put_int(&o, "port", p->port);
	put_outcome(&o, a);
	if (a->result.has_leaf)
		put_certificate(&o, &a->result.leaf);
	if (a->result.n_chain)
		put_chain(&o, &a->result);
	json_put_int(&o, "addresses_left_out", p->left_out);
	put_attempts(&o, p);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* ---- for people ---- */

static void line(const struct cli *c, enum cli_colour colour, const char *name, const char *value)
{
	cli_print(c, colour, "  %-11s %s\n", name, value);
}

/* To the second: nobody reads microseconds. */
static const char *moment(int64_t us, char to[static 32])
{
	time_text(us, to);
	text_copy(to + 19, 2, "Z");
	return to;
}

static void print_names(const struct cli *c, const struct cert_info *l)
{
	struct buf b;

	buf_init(&b, 8192);
	for (size_t i = 0; i < l->n_san && i < NAMES_SHOWN; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", l->san[i]);
	if (l->n_san > NAMES_SHOWN)
		buf_printf(&b, " and %zu more", l->n_san - NAMES_SHOWN);
	line(c, CLI_PLAIN, "names", l->n_san ? buf_text(&b) : "none; the subject's common name counts");
	buf_free(&b);
}

static void print_certificate(const struct cli *c, const struct cert_info *l)
{
	char hex[41], from[32], until[32], key[32];
	int64_t now = clock_wall(&c->clock);
	bool over = now > l->not_after, early = now < l->not_before;

	text_hex(hex, l->thumbprint, 20);
	cli_print(c, CLI_BOLD, "\nCertificate\n");
	line(c, CLI_PLAIN, "thumbprint", hex);
	line(c, CLI_PLAIN, "subject", l->subject);
	line(c, CLI_PLAIN, "issuer", l->self_signed ? "itself (self-signed)" : l->issuer);
	print_names(c, l);
	cli_print(c, over || early ? CLI_RED : CLI_PLAIN, "  %-11s %s to %s%s\n", "valid", moment(l->not_before, from),
		moment(l->not_after, until), over ? " (over)" : early ? " (not yet)" : "");
	cli_print(c, l->sha1_signature ? CLI_YELLOW : CLI_PLAIN, "  %-11s %s, %s%s\n", "key", key_text(l->key, l->key_bits, key), l->signature,
		l->server_auth ? "" : "; not for TLS servers (EKU)");
}

/* The leaf is told above: the chain is what was sent behind it. A long one keeps its beginning and its end. */
static void print_chain(const struct cli *c, const struct probe_result *r)
{
	char hex[41], until[32], key[32];

	for (size_t i = 1; i < r->n_chain; i++) {
		const struct probe_link *l = &r->chain[i];

		if (r->n_chain > CHAIN_SHOWN + 1 && i >= CHAIN_SHOWN && i + 1 < r->n_chain)
			continue;
		text_hex(hex, l->thumbprint, 20);
		cli_print(c, CLI_PLAIN, "  %s%zu%*s%.60s%s\n%14suntil %.10s, %s, %s, %s\n", "chain ", i, i > 9 ? 5 : 6, "", l->subject,
			l->self_signed ? " (self-signed)" : "", "", moment(l->not_after, until), key_text(l->key, l->key_bits, key), l->signature, hex);
	}
	if ((size_t)r->chain_length > r->n_chain || r->n_chain > CHAIN_SHOWN + 1)
		cli_print(c, CLI_PLAIN, "  %-11s %d certificates were sent in all; --json tells more\n", "", r->chain_length);
}

static void print_headers(const struct cli *c, const char *headers)
{
	while (*headers) {
		size_t n = strcspn(headers, "\n");

		cli_print(c, CLI_PLAIN, "  %-11s %.*s\n", "", n < 100 ? (int)n : 100, headers);
		headers += n + (headers[n] == '\n');
	}
}

static void print_http(const struct cli *c, const struct attempt *a)
{
	char number[32];

	snprintf(number, sizeof number, "%d", a->result.http_status);
	cli_print(c, CLI_BOLD, "\nGET %s\n", a->target.path);
	line(c, a->result.http_status ? CLI_PLAIN : CLI_RED, "status", a->result.http_status ? number : "no answer");
	print_headers(c, a->result.answer_header);
	print_headers(c, a->result.other_header);
}

static void row(struct cli_table *t, const struct attempt *a)
{
	const struct probe_result *r = &a->result;
	char words[64], hex[41] = "", http[16] = "", took[32];

	if (r->has_leaf)
		text_hex(hex, r->leaf.thumbprint, 20);
	hex[8] = '\0';
	if (r->tls == TLS_OK && a->target.path[0])
		snprintf(http, sizeof http, r->http_status ? "%d" : "none", r->http_status);
	snprintf(took, sizeof took, "%lld ms", (long long)(r->took_us / 1000));
	cli_table_row(t, a->target.address, a->target.version == TLS_ONLY_1_2 ? "TLS 1.2" : "default", outcome(r, words),
		r->tls == TLS_OK ? r->tls_version : "", hex, http, took, (char *)NULL);
	cli_table_colour(t, attempt_passed(a) ? CLI_GREEN : CLI_RED);
}

/* What went wrong, each sentence once. */
static void print_details(const struct cli *c, const struct probing *p)
{
	size_t shown = 0;

	for (size_t i = 0; i < p->n; i++) {
		const char *detail = p->attempts[i].result.detail;
		bool told = !detail[0];

		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(p->attempts[k].result.detail, detail) == 0;
		if (!told && shown++ < DETAILS_SHOWN)
			cli_print(c, CLI_YELLOW, "%s: %s\n", p->attempts[i].target.address, detail);
	}
}

static void print_remarks(const struct cli *c, const struct probing *p)
{
	const struct probe_result *first = NULL;
	bool asked = false, differ = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct probe_result *r = &p->attempts[i].result;

		asked = asked || r->client_cert_asked;
		differ = differ || (first && r->has_leaf && memcmp(first->leaf.thumbprint, r->leaf.thumbprint, 20) != 0);
		first = first || !r->has_leaf ? first : r;
	}
	if (differ)
		cli_print(c, CLI_YELLOW, "Not every attempt was shown the same certificate.\n");
	if (asked)
		cli_print(c, CLI_PLAIN, "The server asked for a client certificate; it got none.\n");
	if (p->left_out)
		cli_print(c, CLI_PLAIN, "%d more addresses were not tried.\n", p->left_out);
}

void probe_print_text(const struct cli *c, const struct probing *p)
{
	static const char *const headings[] = {"ADDRESS", "OFFER", "OUTCOME", "SPOKEN", "LEAF", "HTTP", "TOOK", NULL};
	const struct attempt *a = foremost(p);
	bool six = strchr(p->host, ':') != NULL;
	struct cli_table *t = cli_table_new(headings);

	cli_print(c, CLI_BOLD, "%s%s%s:%u\n", six ? "[" : "", p->host, six ? "]" : "", (unsigned)p->port);
	for (size_t i = 0; i < p->n; i++)
		row(t, &p->attempts[i]);
	cli_table_end(c, t);
	print_details(c, p);
	print_remarks(c, p);
	if (a->result.has_leaf)
		print_certificate(c, &a->result.leaf);
	print_chain(c, &a->result);
	if (a->result.tls == TLS_OK && a->target.path[0])
		print_http(c, a);
}
