/* lab_main.c - the verbs of evmend-lab. It is test code: evmend links nothing of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	"  evmend-lab break DIR FAULT [--deferred] [--keep-key]\n"
	"      FAULT: delete-certificate unbind drop-key stop-site tls-mismatch no-site-binding expire-soon front-end-certificate\n"
	"             foreign-name none\n"
	"  evmend-lab busy DIR free|maintenance|installing|recovering|reboot_pending\n"
	"  evmend-lab request DIR [PATH]     one request through the front end; exit 1 when the back end did not answer\n"
	"  evmend-lab flood DIR N            N events 15021 at once\n"
	"  evmend-lab host DIR [--fault KIND:[CALL:]N]    answers docs/host-protocol.md on stdin and stdout\n";

struct args {
	const char *folder, *word; /* second word without dashes */
	const char *name, *fqdn, *ports, *fault;
	bool daemon, self_probe, json, deferred, keep_key;
};

static int parse_args(struct args *a, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++) {
		const char *s = argv[i];
		const char **value = strcmp(s, "--name") == 0 ? &a->name : strcmp(s, "--fqdn") == 0 ? &a->fqdn : strcmp(s, "--ports") == 0 ?
			&a->ports : strcmp(s, "--fault") == 0 ? &a->fault : NULL;
		bool *flag = strcmp(s, "--daemon") == 0 ? &a->daemon : strcmp(s, "--self-probe") == 0 ? &a->self_probe :
			strcmp(s, "--json") == 0 ? &a->json : strcmp(s, "--deferred") == 0 ? &a->deferred :
			strcmp(s, "--keep-key") == 0 ? &a->keep_key : NULL;

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

/* ---- init ---- */

/* A port that nobody has now, on every loopback address; the socket stays open until all are chosen. */
static uint16_t free_port(int *fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&a, n) < 0 || getsockname(*fd, (struct sockaddr *)&a, &n) < 0)
		die("no free port on loopback");
	return ntohs(a.sin_port);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int choose_ports(struct lab *l, const char *ports, struct err *e)
{
	const char *colon = ports ? strchr(ports, ':') : NULL;
	int64_t front, back;
	int fd[3];

	l->ipv6 = has_ipv6();
	if (!ports || strcmp(ports, "0") == 0) {
		l->frontend_port = free_port(&fd[0]);
		l->local_port = free_port(&fd[1]);
		l->backend_port = free_port(&fd[2]);
		for (int i = 0; i < 3; i++)
			close(fd[i]);
		return 0;
	}
	if (!colon || !text_int(ports, (size_t)(colon - ports), &front) || !text_int(colon + 1, strlen(colon + 1), &back) || front < 1 ||
		front > 65534 || back < 1 || back > 65535 || back == front || back == front + 1)
		return err_set(e, ERR_USAGE, "--ports must be FRONT:BACK, such as 4430:4440 (FRONT+1 is used as well), or 0");
	l->frontend_port = (uint16_t)front;
	l->local_port = (uint16_t)(front + 1);
	l->backend_port = (uint16_t)back;
	return 0;
}

static void add_site(struct host_state *s, const char *name, int id, const char *one, const char *two)
{
	struct host_site *site = &s->sites[s->n_sites++];

	text_copy(site->name, sizeof site->name, name);
	site->id = id;
	site->started = true;
	for (int i = 0; i < 2; i++) {
		const char *information = i ? two : one;
		struct host_binding *b;

		if (!information)
			continue;
		b = &site->bindings[site->n_bindings++];
		text_copy(b->protocol, sizeof b->protocol, "https");
		text_copy(b->information, sizeof b->information, information);
	}
}

static void add_service(struct host_state *s, const char *name)
{
	text_copy(s->services[s->n_services].name, sizeof s->services[0].name, name);
	s->services[s->n_services++].running = true;
}

/* As setup makes them; those named FrontEnd stand before the back end's own, the others serve both. */
static void add_pools(struct host_state *s)
{
	static const char *const names[] = {"MSExchangeOWAAppPool", "MSExchangeECPAppPool", "MSExchangeServicesAppPool",
		"MSExchangeSyncAppPool", "MSExchangeOABAppPool", "MSExchangeAutodiscoverAppPool", "MSExchangePowerShellFrontEndAppPool",
		"MSExchangePowerShellAppPool", "MSExchangeMapiFrontEndAppPool", "MSExchangeMapiMailboxAppPool",
		"MSExchangeRestFrontEndAppPool", "MSExchangeRestAppPool", "MSExchangeRpcProxyFrontEndAppPool", "MSExchangeRpcProxyAppPool"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		text_copy(s->pools[s->n_pools].name, sizeof s->pools[0].name, names[i]);
		s->pools[s->n_pools++].running = true;
	}
}

/* The certificates of a usual server: its own, the public one, and two neighbours that nobody must take for the back end's. */
static int make_certificates(const struct lab *l, struct lab_state *s, struct err *e)
{
	struct cert_template t;
	uint8_t own[20], other[20];

	own_template(l, &t);
	if (store_create(l, &t, "Microsoft Exchange", "", true, own, e) < 0)
		return -1;
	state_set_record(s, BACKEND_ENDPOINT, own, "MY");
	state_set_record(s, LOCAL_ENDPOINT, own, "MY");
	memcpy(s->is.itc, own, 20);
	s->is.itc_known = true;
	snprintf(t.common_name, sizeof t.common_name, "mail.%.50s", l->domain);
	snprintf(t.san[0], sizeof t.san[0], "mail.%.240s", l->domain);
	snprintf(t.san[1], sizeof t.san[1], "autodiscover.%.240s", l->domain);
	t.days = 397;
	if (store_create(l, &t, "public certificate (LAB)", "", false, other, e) < 0)
		return -1;
	state_set_record(s, FRONTEND_ENDPOINT, other, "MY");
	t.n_san = 0;
	t.days = 1800;
	text_copy(t.common_name, sizeof t.common_name, "Microsoft Exchange Server Auth Certificate");
	if (store_create(l, &t, "Microsoft Exchange Server Auth Certificate", "", false, other, e) < 0)
		return -1;
	t.days = 3650;
	snprintf(t.common_name, sizeof t.common_name, "WMSvc-SHA2-%.40s", l->name);
	return store_create(l, &t, "WMSVC-SHA2", "", false, other, e);
}

static int make_folders(const struct lab *l, struct err *e)
{
	static const char *const names[] = {"store/MY", "store/Root", "keys"};
	char path[4096];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		lab_path(l, path, sizeof path, "%s", names[i]);
		if (os_make_folder(path) < 0)
			return err_set(e, ERR_IO, "%s cannot be made", path);
	}
	return 0;
}

static void touch(const struct lab *l, const char *name)
{
	char path[4096];
	int fd;

	lab_path(l, path, sizeof path, "%s", name);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s cannot be made", path);
	close(fd);
}

static int make_state(const struct lab *l, struct err *e)
{
	struct lab_state *s = state_begin(l, true, e);

	if (!s)
		return -1;
	if (make_certificates(l, s, e) < 0) {
		state_end(s);
		return -1;
	}
	add_site(&s->is, "Default Web Site", 1, ":443:", "127.0.0.1:443:");
	add_site(&s->is, BACKEND_SITE, 2, "*:444:", NULL);
	add_service(&s->is, "HTTP");
	add_service(&s->is, "WAS");
	add_service(&s->is, "W3SVC");
	add_service(&s->is, "MSExchangeTransport");
	add_pools(&s->is);
	s->is.allow_internal_untrusted = TRI_YES;
	text_copy(s->is.tls_protocols, sizeof s->is.tls_protocols, "server: TLS 1.2; client: TLS 1.2");
	s->is.boot_time = clock_wall(&l->clock) - 3 * US_DAY;
	s->is.update_time = s->is.boot_time - US_HOUR;
	text_copy(s->is.update, sizeof s->is.update, "Exchange Server 2019 CU14 (LAB)");
	return state_write(l, s, e);
}

static int verb_init(const struct args *a, struct err *e)
{
	struct lab l = {.clock = clock_real()};
	char path[4096];
	const char *dot;

	text_copy(l.folder, sizeof l.folder, a->folder);
	text_copy(l.name, sizeof l.name, a->name ? a->name : "EX1");
	text_copy(l.fqdn, sizeof l.fqdn, a->fqdn ? a->fqdn : "ex1.lab.example");
	dot = strchr(l.fqdn, '.');
	text_copy(l.domain, sizeof l.domain, dot ? dot + 1 : "lab.example");
	if (!text_host_ok(l.name) || strlen(l.name) > 15 || !text_host_ok(l.fqdn))
		return err_set(e, ERR_USAGE, "--name must be a NetBIOS name and --fqdn a host name");
	lab_path(&l, path, sizeof path, "lab.json");
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_REFUSED, "there is a lab in %s already; remove the folder first", a->folder);
	if (choose_ports(&l, a->ports, e) < 0 || make_folders(&l, e) < 0 || make_state(&l, e) < 0)
		return -1;
	touch(&l, "events.xml");
	touch(&l, "console.txt");
	if (lab_save(&l, e) < 0) /* last: a lab is there when lab.json is */
		return -1;
	printf("LAB %s (%s) made in %s: front end on 127.0.0.1:%u, back end on 127.0.0.1:%u\n", l.name, l.fqdn, a->folder, l.frontend_port,
		l.backend_port);
	return 0;
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

static int verb_start(const struct lab *l, const struct args *a, struct err *e)
{
	if (lab_pid(l))
		return err_set(e, ERR_IO, "the server of this lab runs already (pid %d)", lab_pid(l));
	if (a->daemon && start_daemon(l, a->self_probe, e) < 0)
		return -1;
	printf("LAB %s: front end on 127.0.0.1:%u, back end on 127.0.0.1:%u\n", l->name, l->frontend_port, l->backend_port);
	fflush(stdout);
	return a->daemon ? 0 : lab_serve(l, a->self_probe, -1, e);
}

static int verb_stop(const struct lab *l, struct err *e)
{
	int pid = lab_pid(l);

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
	json_put_bool(&o, "backend_tls10", s->backend_tls10);
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

static int verb_status(const struct lab *l, const struct args *a, struct err *e)
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
		printf("  front end 127.0.0.1:%u, back end 127.0.0.1:%u (%s%s)\n", l->frontend_port, l->backend_port,
			site_serves_444(s) ? "open" : "closed", s->backend_tls10 ? ", TLS 1.0 only" : "");
		for (size_t i = 0; i < s->is.n_records; i++)
			print_record(l, &s->is.records[i]);
	}
	state_end(s);
	return 0;
}

/* One request as a client makes it: through the front end. 0: the back end answered. */
static int verb_request(const struct lab *l, const struct args *a, struct err *e)
{
	struct host_probe_ask ask = {.kind = HOST_PROBE_HOP, .address = "127.0.0.1"};
	struct probe_result *r = xcalloc(1, sizeof *r);
	bool answered;

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

static int verb_busy(const struct lab *l, const struct args *a, struct err *e)
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

static int verb_flood(const struct lab *l, const struct args *a, struct err *e)
{
	int64_t n;

	if (!a->word || !text_int(a->word, strlen(a->word), &n) || n < 1 || n > 10000000)
		return err_set(e, ERR_USAGE, "flood needs a number of events, 1 to 10000000");
	lab_flood(l, n);
	return 0;
}

static int run(const char *verb, const struct args *a, struct err *e)
{
	struct lab *l = xcalloc(1, sizeof *l);
	int r;

	if (strcmp(verb, "init") == 0)
		r = verb_init(a, e);
	else if (lab_open(l, a->folder, e) < 0)
		r = -1;
	else if (strcmp(verb, "start") == 0)
		r = verb_start(l, a, e);
	else if (strcmp(verb, "stop") == 0)
		r = verb_stop(l, e);
	else if (strcmp(verb, "restart") == 0)
		r = lab_restart(l, e);
	else if (strcmp(verb, "status") == 0)
		r = verb_status(l, a, e);
	else if (strcmp(verb, "break") == 0)
		r = lab_break(l, a->word ? a->word : "", a->deferred, a->keep_key, e);
	else if (strcmp(verb, "busy") == 0)
		r = verb_busy(l, a, e);
	else if (strcmp(verb, "request") == 0)
		r = verb_request(l, a, e);
	else if (strcmp(verb, "flood") == 0)
		r = verb_flood(l, a, e);
	else if (strcmp(verb, "host") == 0)
		r = lab_host(l, a->fault, e);
	else
		r = err_set(e, ERR_USAGE, "there is no verb '%.40s'; see evmend-lab --help", verb);
	free(l);
	return r;
}

int main(int argc, char **argv)
{
	struct args a = {.folder = NULL};
	struct err e = {.code = ERR_NONE};

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? ERR_USAGE : 0;
	}
	if (parse_args(&a, argc - 2, argv + 2, &e) == 0 && run(argv[1], &a, &e) == 0)
		return 0;
	fprintf(stderr, "evmend-lab %s: %s\n", argv[1], e.text);
	return (int)e.code;
}
