/* probe.c - `evmend probe HOST:PORT`: what a port shows, with the very probe that diagnosis uses.
 *
 * Promises: prints the outcome of connection, handshake and request as facts, for any server; exit 0 when every asked-for part
 * passed, 4 when one did not. Refuses to judge: names, dates and keys are shown, trust is not decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "tls/tls_client.h"

static int parse_port(const char *s, uint16_t *port)
{
	int64_t v;

	if (!text_int(s, strlen(s), &v) || v < 1 || v > 65535)
		return -1;
	*port = (uint16_t)v;
	return 0;
}

/* "host:444", "192.0.2.1:444", "[::1]:444" */
static int parse_target(const char *s, struct probe_target *t, struct err *e)
{
	const char *colon = strrchr(s, ':');
	bool brackets = s[0] == '[';
	const char *from = brackets ? s + 1 : s, *to = brackets ? strchr(s, ']') : colon;

	if (!colon || !to || to <= from || (size_t)(to - from) >= sizeof t->address || (brackets && to + 1 != colon))
		return err_set(e, ERR_USAGE, "'%s' is not HOST:PORT; an IPv6 address stands in brackets, [::1]:444", s);
	text_copy(t->address, (size_t)(to - from) + 1, from);
	if (!brackets && strchr(t->address, ':'))
		return err_set(e, ERR_USAGE, "an IPv6 address stands in brackets: [%s]%s", t->address, colon);
	if (parse_port(colon + 1, &t->port) < 0)
		return err_set(e, ERR_USAGE, "'%s' is no port; 1 to 65535", colon + 1);
	return 0;
}

static int read_options(struct cli *c, const char *target, struct probe_target *t, struct err *e)
{
	int64_t seconds = 10;
	const char *path = cli_value(c, "--path", ""), *sni = cli_value(c, "--sni", NULL);

	if (parse_target(target, t, e) < 0 || cli_number(c, "--timeout", 1, 300, &seconds, e) < 0)
		return -1;
	if (strlen(path) >= sizeof t->path || (path[0] && path[0] != '/'))
		return err_set(e, ERR_USAGE, "--path must begin with '/' and be shorter than %zu bytes", sizeof t->path);
	if (sni && !text_host_ok(sni))
		return err_set(e, ERR_USAGE, "--sni must be a host name");
	t->timeout_ms = (int)seconds * 1000;
	t->version = cli_has(c, "--tls12") ? TLS_ONLY_1_2 : TLS_DEFAULT;
	text_copy(t->path, sizeof t->path, path);
	text_copy(t->sni, sizeof t->sni, sni ? sni : t->address); /* an address is not sent as a name */
	return 0;
}

static const char *key_text(const struct cert_info *l, char to[static 32])
{
	static const char *const kinds[] = {[KEY_OTHER] = "other", [KEY_RSA] = "RSA", [KEY_EC] = "EC"};

	snprintf(to, 32, "%s %d bit", kinds[l->key], l->key_bits);
	return to;
}

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
	json_put_str(o, "key", key_text(l, key));
	json_put_str(o, "signature", l->signature);
	json_put_bool(o, "self_signed", l->self_signed);
	json_put_bool(o, "server_auth", l->server_auth);
	json_put_str(o, "serial", l->serial);
	json_close(o, '}');
}

static void print_json(const struct probe_target *t, const struct probe_result *r)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "probe");
	json_put_str(&o, "address", t->address);
	json_put_int(&o, "port", t->port);
	json_put_str(&o, "tcp", probe_tcp_text(r->tcp));
	json_put_str(&o, "tls", probe_tls_text(r->tls));
	if (r->tls == TLS_ALERT)
		json_put_int(&o, "alert", r->alert);
	if (r->tls == TLS_OK) {
		json_put_str(&o, "tls_version", r->tls_version);
		json_put_str(&o, "cipher", r->cipher);
		json_put_int(&o, "chain_length", r->chain_length);
	}
	if (r->has_leaf)
		put_certificate(&o, &r->leaf);
	if (t->path[0]) {
		json_put_str(&o, "path", t->path);
		json_put_int(&o, "http_status", r->http_status);
		json_put_str(&o, "headers", r->answer_header);
	}
	json_put_int(&o, "took_ms", r->took_us / 1000);
	json_put_str(&o, "detail", r->detail);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void line(const struct cli *c, const char *name, const char *value)
{
	cli_print(c, CLI_PLAIN, "  %-12s %s\n", name, value);
}

static void print_certificate(const struct cli *c, const struct cert_info *l)
{
	char hex[41], text[32];
	int64_t now = clock_wall(&c->clock);

	text_hex(hex, l->thumbprint, 20);
	line(c, "thumbprint", hex);
	line(c, "subject", l->subject);
	line(c, "issuer", l->self_signed ? "itself (self-signed)" : l->issuer);
	for (size_t i = 0; i < l->n_san; i++)
		line(c, i == 0 ? "names" : "", l->san[i]);
	cli_print(c, CLI_PLAIN, "  %-12s %s\n", "valid from", time_text(l->not_before, text));
	cli_print(c, now > l->not_after ? CLI_RED : CLI_PLAIN, "  %-12s %s%s\n", "valid until", time_text(l->not_after, text),
		now > l->not_after ? " (over)" : now < l->not_before ? " (not yet valid)" : "");
	line(c, "key", key_text(l, text));
	line(c, "signature", l->signature);
	if (!l->server_auth)
		line(c, "usage", "not for TLS servers (EKU)");
}

static void print_headers(const struct cli *c, const char *headers)
{
	while (*headers) {
		size_t n = strcspn(headers, "\n");

		cli_print(c, CLI_PLAIN, "               %.*s\n", (int)n, headers);
		headers += n + (headers[n] == '\n');
	}
}

static void print_text(const struct cli *c, const struct probe_target *t, const struct probe_result *r)
{
	bool six = strchr(t->address, ':') != NULL;
	char number[32];

	cli_print(c, CLI_BOLD, "%s%s%s:%u\n", six ? "[" : "", t->address, six ? "]" : "", (unsigned)t->port);
	cli_print(c, r->tcp == TCP_OK ? CLI_GREEN : CLI_RED, "  %-12s %s\n", "connection", probe_tcp_text(r->tcp));
	if (r->tls != TLS_NOT_TRIED)
		cli_print(c, r->tls == TLS_OK ? CLI_GREEN : CLI_RED, "  %-12s %s\n", "handshake", probe_tls_text(r->tls));
	if (r->detail[0])
		line(c, "", r->detail);
	if (r->tls == TLS_OK) {
		cli_print(c, CLI_PLAIN, "  %-12s %s, %s\n", "protocol", r->tls_version, r->cipher);
		snprintf(number, sizeof number, "%d", r->chain_length);
		line(c, "chain length", number);
	}
	if (r->has_leaf)
		print_certificate(c, &r->leaf);
	if (t->path[0] && r->tls == TLS_OK) {
		snprintf(number, sizeof number, "%d", r->http_status);
		cli_print(c, r->http_status ? CLI_PLAIN : CLI_RED, "  %-12s %s\n", "HTTP status", r->http_status ? number : "no answer");
		print_headers(c, r->answer_header);
	}
	snprintf(number, sizeof number, "%lld ms", (long long)(r->took_us / 1000));
	line(c, "took", number);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct probe_result *r;
	struct probe_target t = {.port = 0};
	struct err e = {.code = ERR_NONE};
	bool passed;

	(void)argc;
	if (read_options(c, argv[0], &t, &e) < 0)
		return cli_fail(c, &e);
	r = xcalloc(1, sizeof *r);
	tls_probe(&t, &c->clock, r);
	if (c->json)
		print_json(&t, r);
	else
		print_text(c, &t, r);
	passed = r->tls == TLS_OK && (!t.path[0] || r->http_status);
	free(r);
	return passed ? ERR_NONE : ERR_IO;
}

static const struct cli_option options[] = {
	{"--path", 'p', CLI_VALUE, "PATH", "also ask for this page, such as /owa/exhealth.check"},
	{"--sni", 0, CLI_VALUE, "NAME", "the server name to send, instead of HOST"},
	{"--tls12", 0, CLI_FLAG, NULL, "offer TLS 1.2 only, as a hardened front end does"},
	{"--timeout", 't', CLI_VALUE, "SECONDS", "for each of connection, handshake and request; 10"},
	CLI_OPTION_END,
};

const struct cli_verb verb_probe = {
	.name = "probe", .summary = "what a port shows: handshake, certificate, answer", .usage = "[options] HOST:PORT",
	.help = "Connects, shakes hands from TLS 1.0 to 1.3 without verifying anything, and prints what it met. Exit 0 when all that was\n"
		"asked for passed, 4 when something did not.\n",
	.example = "evmend probe ex1.contoso.example:444 --path /owa/exhealth.check\nevmend probe [::1]:444 --tls12 --json",
	.options = options, .min_args = 1, .max_args = 1, .run = run,
};
