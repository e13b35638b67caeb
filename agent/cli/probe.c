/* probe.c - `evmend probe HOST[:PORT]`: what a port shows, with the very probe that diagnosis uses.
 *
 * Promises: each address of the name, with the default offer and with TLS 1.2 alone, all at once and all within one deadline; the
 * outcome of connection, handshake and request as facts, for any server. Exit 0 when every attempt passed, 1 when some did, 4
 * when none did. Refuses to judge: names, dates and keys are shown, trust is not decided. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/probe_report.h"
#include "cli/verbs.h"
#include "os/os.h"

static int parse_port(const char *s, uint16_t *port)
{
	int64_t v;

	if (!text_int(s, strlen(s), &v) || v < 1 || v > 65535)
		return -1;
	*port = (uint16_t)v;
	return 0;
}

/* "host", "host:444", "192.0.2.1:444", "[::1]:444" */
static int parse_target(const char *s, struct probing *p, struct err *e)
{
	bool brackets = s[0] == '[';
	const char *from = brackets ? s + 1 : s, *to = strchr(s, brackets ? ']' : ':');
	const char *colon = brackets ? (to && to[1] == ':' ? to + 1 : NULL) : to;
	size_t n = to ? (size_t)(to - from) : strlen(from);

	if (n == 0 || n >= sizeof p->host || (brackets && (!to || (to[1] && !colon))))
		return err_set(e, ERR_USAGE, "'%s' is not HOST[:PORT]; an IPv6 address stands in brackets, [::1]:444", s);
	text_copy(p->host, n + 1, from);
	if (!brackets && colon && strchr(colon + 1, ':'))
		return err_set(e, ERR_USAGE, "an IPv6 address stands in brackets: [::1]:444");
	p->port = 443;
	if (colon && parse_port(colon + 1, &p->port) < 0)
		return err_set(e, ERR_USAGE, "'%s' is no port; 1 to 65535", colon + 1);
	return 0;
}

static int read_options(struct cli *c, const char *target, struct probing *p, struct err *e)
{
	int64_t seconds = 10;
	const char *path = cli_value(c, "--path", ""), *sni = cli_value(c, "--sni", NULL);

	if (parse_target(target, p, e) < 0 || cli_number(c, "--timeout", 1, 300, &seconds, e) < 0)
		return -1;
	if (strlen(path) >= sizeof p->path || (path[0] && path[0] != '/'))
		return err_set(e, ERR_USAGE, "--path must begin with '/' and be shorter than %zu bytes", sizeof p->path);
	if (sni && !text_host_ok(sni))
		return err_set(e, ERR_USAGE, "--sni must be a host name");
	if (cli_has(c, "--tls12") && cli_has(c, "--default"))
		return err_set(e, ERR_USAGE, "either --tls12 or --default; without both, each is tried");
	p->total_ms = (int)seconds * 1000;
	text_copy(p->path, sizeof p->path, path);
	text_copy(p->sni, sizeof p->sni, sni ? sni : p->host); /* an address is not sent as a name */
	return 0;
}

/* ---- attempts ---- */

static void *work(void *arg)
{
	struct attempt *a = arg;

	tls_probe(&a->target, a->clock, &a->result);
	return NULL;
}

static void add(struct probing *p, const char *address, enum probe_version version, int left_ms)
{
	struct attempt *a = &p->attempts[p->n++];

	a->clock = p->clock;
	a->target = (struct probe_target){.port = p->port, .version = version, .timeout_ms = left_ms, .total_ms = left_ms};
	text_copy(a->target.address, sizeof a->target.address, address);
	text_copy(a->target.sni, sizeof a->target.sni, p->sni);
	text_copy(a->target.path, sizeof a->target.path, p->path);
}

static void add_address(const struct cli *c, struct probing *p, const char *address, int left_ms)
{
	if (!cli_has(c, "--tls12"))
		add(p, address, TLS_DEFAULT, left_ms);
	if (!cli_has(c, "--default"))
		add(p, address, TLS_ONLY_1_2, left_ms);
}

/* Each in a thread of its own, so that one silent address costs the others nothing. */
static void try_all(struct probing *p)
{
	pthread_t threads[PROBE_ATTEMPTS];
	bool started[PROBE_ATTEMPTS];

	for (size_t i = 0; i < p->n; i++)
		started[i] = pthread_create(&threads[i], NULL, work, &p->attempts[i]) == 0;
	for (size_t i = 0; i < p->n; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
		else
			work(&p->attempts[i]);
}

/* false: the name has no address, which is then the one outcome. */
static bool find_addresses(struct cli *c, struct probing *p)
{
	char list[OS_ADDRESSES][OS_ADDRESS], why[OS_WHY];
	int64_t end = clock_monotonic(p->clock) + (int64_t)p->total_ms * 1000;
	int n = os_resolve(p->host, p->total_ms, list, why), left = (int)((end - clock_monotonic(p->clock)) / 1000);

	if (n < 0) {
		struct probe_result *r = &p->attempts[0].result;
		char words[96];

		add(p, p->host, cli_has(c, "--tls12") ? TLS_ONLY_1_2 : TLS_DEFAULT, 1);
		r->tcp = TCP_UNRESOLVABLE;
		r->tls = TLS_NOT_TRIED;
		r->took_us = (int64_t)(p->total_ms - left) * 1000;
		text_copy(r->detail, sizeof r->detail, n == -ENOENT ? why : n == -ETIMEDOUT ? "the name was not resolved in time" : err_os(n, words));
		return false;
	}
	for (int i = 0; i < n && i < PROBE_ADDRESSES; i++)
		add_address(c, p, list[i], left > 1 ? left : 1);
	p->left_out = n > PROBE_ADDRESSES ? n - PROBE_ADDRESSES : 0;
	return true;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct probing *p = xcalloc(1, sizeof *p);
	struct err e = {.code = ERR_NONE};
	size_t passed = 0;
	int code;

	(void)argc;
	if (read_options(c, argv[0], p, &e) < 0) {
		free(p);
		return cli_fail(c, &e);
	}
	p->clock = &c->clock;
	if (!text_host_ok(p->host) || strspn(p->host, "0123456789.") == strlen(p->host)) {
		add_address(c, p, p->host, p->total_ms);
		try_all(p);
	} else if (find_addresses(c, p)) {
		try_all(p);
	}
	for (size_t i = 0; i < p->n; i++)
		passed += attempt_passed(&p->attempts[i]);
	if (c->json)
		probe_print_json(p);
	else
		probe_print_text(c, p);
	code = passed == p->n ? ERR_NONE : passed ? ERR_FINDINGS : ERR_IO;
	free(p);
	return code;
}

static const struct cli_option options[] = {
	{"--path", 'p', CLI_VALUE, "PATH", "also ask for this page, such as /owa/exhealth.check"},
	{"--sni", 0, CLI_VALUE, "NAME", "the server name to send, instead of HOST"},
	{"--tls12", 0, CLI_FLAG, NULL, "offer TLS 1.2 only, as a hardened front end does"},
	{"--default", 0, CLI_FLAG, NULL, "only the default offer, TLS 1.0 to 1.3"},
	{"--timeout", 't', CLI_VALUE, "SECONDS", "for everything together: resolving, connections, handshakes, requests; 10"},
	CLI_OPTION_END,
};

const struct cli_verb verb_probe = {
	.name = "probe", .summary = "what a port shows: handshake, certificate, answer", .usage = "[options] HOST[:PORT]",
	.help = "Connects to each address of HOST (port 443 when none is named), shakes hands from TLS 1.0 to 1.3 and with TLS 1.2 alone,\n"
		"without verifying anything, and prints what it met. Exit 0 when every attempt passed, 1 when only some did, 4 when none did.\n",
	.example = "evmend probe ex1.contoso.example:444 --path /owa/exhealth.check\nevmend probe [::1]:444 --tls12 --json",
	.options = options, .min_args = 1, .max_args = 1, .run = run,
};
