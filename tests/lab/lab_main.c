/* lab_main.c - the verbs of evmend-lab. It is test code: evmend links nothing of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"
#include "os/os.h"

static const char help[] =
	"evmend-lab: a miniature Exchange server for demo and tests. It is a LAB, not a real server; it listens on loopback only.\n\n"
	"  evmend-lab init DIR [--name EX1] [--fqdn ex1.lab.example] [--ports FRONT:BACK]   (0 or nothing: free ports)\n"
	"  evmend-lab start DIR [--daemon] [--self-probe]\n"
	"  evmend-lab stop DIR\n"
	"  evmend-lab restart DIR            drops HTTP.SYS's cache, as iisreset does\n"
	"  evmend-lab status DIR [--json]\n"
	"  evmend-lab break DIR FAULT[+FAULT...] [--deferred] [--keep-key]     FAULT is one of those below\n"
	"  evmend-lab busy DIR free|maintenance|installing|recovering|reboot_pending\n"
	"  evmend-lab request DIR [PATH]     one request through the front end; exit 1 when the back end did not answer\n"
	"  evmend-lab flood DIR N            N events 15021 at once\n"
	"  evmend-lab host DIR               answers docs/host-protocol.md on stdin and stdout\n"
	"      [--fault KIND:[CALL:]N]       the n-th call goes wrong: fail delay lie half hang die die-after nonsense\n"
	"      [--without PART,CALL...]      what it does not answer\n"
	"      [--meanwhile CALL:N:FAULT]    what happens to the server right after the n-th call of that name\n"
	"  evmend-lab collect DIR OUT [--without PART,CALL...]    a folder of facts, as a collector on a server writes it\n"
	"  evmend-lab listen MANNER          a port that answers badly: reset eof hang drip plain alert; prints its number\n\n"
	"Faults:\n";

struct args {
	const char *folder, *word; /* second word without dashes */
	const char *name, *fqdn, *ports;
	struct lab_host_options host;
	bool daemon, self_probe, json, deferred, keep_key;
};

static const char **value_of(struct args *a, const char *option)
{
	const struct { const char *name; const char **to; } values[] = {{"--name", &a->name}, {"--fqdn", &a->fqdn}, {"--ports", &a->ports},
		{"--fault", &a->host.fault}, {"--without", &a->host.without}, {"--meanwhile", &a->host.meanwhile}};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (strcmp(values[i].name, option) == 0)
			return values[i].to;
	return NULL;
}

static bool *flag_of(struct args *a, const char *option)
{
	const struct { const char *name; bool *to; } flags[] = {{"--daemon", &a->daemon}, {"--self-probe", &a->self_probe},
		{"--json", &a->json}, {"--deferred", &a->deferred}, {"--keep-key", &a->keep_key}};

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(flags[i].name, option) == 0)
			return flags[i].to;
	return NULL;
}

static int parse_args(struct args *a, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++) {
		const char *s = argv[i];
		const char **value = value_of(a, s);
		bool *flag = flag_of(a, s);

		if (value && i + 1 == argc)
			return err_set(e, ERR_USAGE, "%s needs a value", s);
		if (value)
			*value = argv[++i];
		else if (flag)
			*flag = true;
		else if (s[0] == '-')
			return err_set(e, ERR_USAGE, "unknown option '%s'; see evmend-lab --help", s);
		else if (!a->folder)
			a->folder = s;
		else if (!a->word)
			a->word = s;
		else
			return err_set(e, ERR_USAGE, "'%s' is one word too many; see evmend-lab --help", s);
	}
	return a->folder ? 0 : err_set(e, ERR_USAGE, "name the folder of the lab; see evmend-lab --help");
}

/* ---- start, stop ---- */

/* The child serves; the parent returns when it listens. */
static int start_daemon(const struct lab *l, bool self_probe, struct err *e)
{
	char path[4096], byte;
	int ready[2], log, null;

	if (pipe(ready) < 0)
		die("no pipe");
	fflush(stdout);
	switch (fork()) {
	case -1:
		return err_set(e, ERR_IO, "no new process can be made");
	case 0:
		setsid();
		close(ready[0]);
		lab_path(l, path, sizeof path, "server.log");
		log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0)
			_exit(4);
		if (lab_serve(l, self_probe, ready[1], e) < 0) {
			fprintf(stderr, "evmend-lab: %s\n", e->text);
			_exit(4);
		}
		_exit(0);
	default:
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1) {
			close(ready[0]);
			return err_set(e, ERR_IO, "the server did not start; see %s/server.log", l->folder);
		}
		close(ready[0]);
		return 0;
	}
}

static int verb_start(struct lab *l, const struct args *a, struct err *e)
{
	if (lab_pid(l))
		return err_set(e, ERR_IO, "the server of this lab runs already (pid %d)", lab_pid(l));
	if (lab_check_ports(l, e) < 0)
		return -1;
	if (a->daemon && start_daemon(l, a->self_probe, e) < 0)
		return -1;
	printf("LAB %s: front end on 127.0.0.1:%u, back end on 127.0.0.1:%u\n", l->name, l->frontend_port, l->backend_port);
	fflush(stdout);
	return a->daemon ? 0 : lab_serve(l, a->self_probe, -1, e);
}

static int verb_stop(struct lab *l, const struct args *a, struct err *e)
{
	int pid = lab_pid(l);

	(void)a;
	if (!pid)
		return 0;
	if (kill(pid, SIGTERM) < 0)
		return err_set(e, ERR_IO, "the server (pid %d) cannot be stopped", pid);
	for (int i = 0; i < 1000 && lab_pid(l); i++)
		clock_sleep(&l->clock, 10000);
	return lab_pid(l) ? err_set(e, ERR_IO, "the server (pid %d) does not end", pid) : 0;
}

/* ---- status, request ---- */

static void print_record(const struct lab *l, const struct host_record *r)
{
	struct store_cert *c = store_find(l, r->store, r->thumbprint);
	char hex[41];

	text_hex(hex, r->thumbprint, 20);
	printf("  %-14s %s  %s\n", r->endpoint, hex,
		!c ? "NOT IN THE STORE" : !is_usable(c) ? "KEY MISSING" : c->cert.info.subject);
	if (c)
		store_free(c, 1);
}

static void print_json(const struct lab *l, const struct lab_state *s)
{
	struct json_out o;
	struct buf b;
	char hex[41];

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_bool(&o, "lab", true);
	json_put_str(&o, "name", l->name);
	json_put_str(&o, "fqdn", l->fqdn);
	json_put_int(&o, "pid", lab_pid(l));
	json_put_int(&o, "frontend_port", l->frontend_port);
	json_put_int(&o, "local_port", l->local_port);
	json_put_int(&o, "backend_port", l->backend_port);
	json_put_bool(&o, "backend_open", site_serves_444(s));
	json_open(&o, "wrong", '[');
	for (int i = 0; wrong_word(i); i++)
		if (s->wrong & 1u << i)
			json_put_str(&o, NULL, wrong_word(i));
	json_close(&o, ']');
	json_open(&o, "records", '[');
	for (size_t i = 0; i < s->is.n_records; i++) {
		json_open(&o, NULL, '{');
		text_hex(hex, s->is.records[i].thumbprint, 20);
		json_put_str(&o, "endpoint", s->is.records[i].endpoint);
		json_put_str(&o, "thumbprint", hex);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_open(&o, "certificates", '[');
	struct store_cert *all;
	size_t n = store_list(l, NULL, &all);

	for (size_t i = 0; i < n; i++) {
		json_open(&o, NULL, '{');
		text_hex(hex, all[i].cert.info.thumbprint, 20);
		json_put_str(&o, "thumbprint", hex);
		json_put_str(&o, "store", all[i].cert.store);
		json_put_str(&o, "subject", all[i].cert.info.subject);
		json_put_str(&o, "friendly_name", all[i].cert.friendly_name);
		json_put_bool(&o, "usable", is_usable(&all[i]));
		json_put_str(&o, "token", all[i].token);
		json_close(&o, '}');
	}
	store_free(all, n);
	json_close(&o, ']');
	json_close(&o, '}');
	puts(buf_text(&b));
	buf_free(&b);
}

static int verb_status(struct lab *l, const struct args *a, struct err *e)
{
	struct lab_state *s = state_begin(l, false, e);

	if (!s)
		return -1;
	if (a->json) {
		print_json(l, s);
	} else {
		printf("LAB %s (%s), not a real server; ", l->name, l->fqdn);
		if (lab_pid(l))
			printf("running, pid %d\n", lab_pid(l));
		else
			printf("stopped\n");
		printf("  front end 127.0.0.1:%u, back end 127.0.0.1:%u (%s", l->frontend_port, l->backend_port,
			site_serves_444(s) ? "open" : "closed");
		for (int i = 0; wrong_word(i); i++)
			if (s->wrong & 1u << i)
				printf(", %s", wrong_word(i));
		printf(")\n");
		for (size_t i = 0; i < s->is.n_records; i++)
			print_record(l, &s->is.records[i]);
	}
	state_end(s);
	return 0;
}

/* One request as a client makes it: through the front end. 0: the back end answered. */
static int verb_request(struct lab *l, const struct args *a, struct err *e)
{
	struct host_probe_ask ask = {.kind = HOST_PROBE_HOP};
	struct probe_result *r = xcalloc(1, sizeof *r);
	bool answered;

	text_copy(ask.address, sizeof ask.address, l->fqdn);
	text_copy(ask.path, sizeof ask.path, a->word ? a->word : HEALTH_PATH);
	lab_probe(l, &ask, 10000, r, e);
	if (r->http_status)
		printf("%d\n%s\n", r->http_status, r->answer_header);
	else
		printf("no answer: tcp %s, tls %s: %s\n", probe_tcp_text(r->tcp), probe_tls_text(r->tls), r->detail);
	answered = r->http_status && strstr(r->answer_header, "X-BEServer:");
	free(r);
	return answered ? 0 : err_set(e, ERR_FINDINGS, "the back end did not answer");
}

static int verb_busy(struct lab *l, const struct args *a, struct err *e)
{
	static const char *const words[] = {"free", "maintenance", "installing", "recovering", "reboot_pending"};
	struct lab_state *s;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!a->word || strcmp(words[i], a->word) != 0)
			continue;
		s = state_begin(l, true, e);
		if (!s)
			return -1;
		text_copy(s->busy, sizeof s->busy, a->word);
		return state_write(l, s, e);
	}
	return err_set(e, ERR_USAGE, "busy must be free, maintenance, installing, recovering or reboot_pending");
}

static int verb_flood(struct lab *l, const struct args *a, struct err *e)
{
	int64_t n;

	if (!a->word || !text_int(a->word, strlen(a->word), &n) || n < 1 || n > 10000000)
		return err_set(e, ERR_USAGE, "flood needs a number of events, 1 to 10000000");
	lab_flood(l, n);
	return 0;
}

static int verb_restart(struct lab *l, const struct args *a, struct err *e)
{
	(void)a;
	return lab_restart(l, e);
}

static int verb_break(struct lab *l, const struct args *a, struct err *e)
{
	return lab_break(l, a->word ? a->word : "", a->deferred, a->keep_key, e);
}

static int verb_host(struct lab *l, const struct args *a, struct err *e)
{
	return lab_host(l, &a->host, e);
}

static int verb_collect(struct lab *l, const struct args *a, struct err *e)
{
	return lab_collect(l, a->word, a->host.without, e);
}

/* A new verb is one line here and one in the help. init stands apart: it is the one that needs no lab. */
static const struct verb {
	const char *name;
	int (*run)(struct lab *l, const struct args *a, struct err *e);
} verbs[] = {
	{"start", verb_start},
	{"stop", verb_stop},
	{"restart", verb_restart},
	{"status", verb_status},
	{"break", verb_break},
	{"busy", verb_busy},
	{"request", verb_request},
	{"flood", verb_flood},
	{"host", verb_host},
	{"collect", verb_collect},
};

static int run(const char *verb, const struct args *a, struct err *e)
{
	struct lab *l;
	int r;

	if (strcmp(verb, "init") == 0)
		return lab_init(a->folder, a->name, a->fqdn, a->ports, e);
	if (strcmp(verb, "listen") == 0)
		return lab_listen(a->folder, e);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, verb) != 0)
			continue;
		l = xcalloc(1, sizeof *l);
		r = lab_open(l, a->folder, e) < 0 ? -1 : verbs[i].run(l, a, e);
		free(l);
		return r;
	}
	return err_set(e, ERR_USAGE, "there is no verb '%.40s'; see evmend-lab --help", verb);
}

static void print_help(FILE *to)
{
	struct buf b;

	buf_init(&b, 16u << 10);
	lab_list_faults(&b, "  ");
	fprintf(to, "%s%s", help, buf_text(&b));
	buf_free(&b);
}

int main(int argc, char **argv)
{
	struct args a = {.folder = NULL};
	struct err e = {.code = ERR_NONE};

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? ERR_USAGE : 0;
	}
	if (parse_args(&a, argc - 2, argv + 2, &e) == 0 && run(argv[1], &a, &e) == 0)
		return 0;
	fprintf(stderr, "evmend-lab %s: %s\n", argv[1], e.text);
	return (int)e.code;
}
