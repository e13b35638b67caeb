/* lab_init.c - makes a lab: ports, certificates, records, sites, services, as setup leaves a usual server.
 *
 * Refuses a folder that has a lab in it. The lab is there when lab.json is, which is written last. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"
#include "os/os.h"

/* A port that nobody has now; the socket stays open until all are chosen. From below the range out of which the system takes ports
 * for connections that go out: one of those could sit on it before the lab listens. */
static uint16_t free_port(int *fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	uint16_t r;

	for (int i = 0; i < 200; i++) {
		if (os_random(&r, sizeof r) < 0)
			die("no random numbers");
		a.sin_port = htons((uint16_t)(15000 + r % 15000));
		*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (*fd >= 0 && bind(*fd, (struct sockaddr *)&a, sizeof a) == 0)
			return ntohs(a.sin_port);
		if (*fd >= 0)
			close(*fd);
	}
	die("no free port on loopback");
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

static void choose_any(struct lab *l)
{
	int fd[3];

	l->any_ports = true;
	l->frontend_port = free_port(&fd[0]);
	l->local_port = free_port(&fd[1]);
	l->backend_port = free_port(&fd[2]);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static bool is_free(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	bool ok;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ok = port != 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0;
	close(fd);
	return ok;
}

int lab_check_ports(struct lab *l, struct err *e)
{
	if (!l->any_ports || (is_free(l->frontend_port) && is_free(l->local_port) && is_free(l->backend_port)))
		return 0;
	choose_any(l);
	return lab_save(l, e);
}

static int choose_ports(struct lab *l, const char *ports, struct err *e)
{
	const char *colon = ports ? strchr(ports, ':') : NULL;
	int64_t front, back;

	l->ipv6 = has_ipv6();
	if (!ports || strcmp(ports, "0") == 0) {
		choose_any(l);
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
	if (store_issue(l, &t, "public certificate (LAB)", other, e) < 0)
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
	static const char *const names[] = {"store/MY", "store/WebHosting", "store/Root", "keys"};
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

int lab_init(const char *folder, const char *name, const char *fqdn, const char *ports, struct err *e)
{
	struct lab l = {.clock = clock_real()};
	char path[4096];
	const char *dot;

	text_copy(l.folder, sizeof l.folder, folder);
	text_copy(l.name, sizeof l.name, name ? name : "EX1");
	text_copy(l.fqdn, sizeof l.fqdn, fqdn ? fqdn : "ex1.lab.example");
	dot = strchr(l.fqdn, '.');
	text_copy(l.domain, sizeof l.domain, dot ? dot + 1 : "lab.example");
	if (!text_host_ok(l.name) || strlen(l.name) > 15 || !text_host_ok(l.fqdn))
		return err_set(e, ERR_USAGE, "--name must be a NetBIOS name and --fqdn a host name");
	lab_path(&l, path, sizeof path, "lab.json");
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_REFUSED, "there is a lab in %s already; remove the folder first", folder);
	if (choose_ports(&l, ports, e) < 0 || make_folders(&l, e) < 0 || make_state(&l, e) < 0)
		return -1;
	touch(&l, "events.xml");
	touch(&l, "console.txt");
	if (lab_save(&l, e) < 0) /* last: a lab is there when lab.json is */
		return -1;
	printf("LAB %s (%s) made in %s: front end on 127.0.0.1:%u, back end on 127.0.0.1:%u\n", l.name, l.fqdn, folder, l.frontend_port,
		l.backend_port);
	return 0;
}
