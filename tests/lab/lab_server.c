/* lab_server.c - the lab's process: listens on loopback, follows the files of its folder, serves each connection in a thread.
 *
 * Promises: the back end's port is open exactly while its site runs and has an https binding on 444; what another process
 * changed in the folder is in force when `seen` shows that version. Refuses: any address that is not loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/server.h"
#include "os/os.h"

#define TICK_MS 50
#define DOORS 6
#define GUESTS_MOST 128

struct door {
	enum door_kind kind;
	bool v6;
	int fd; /* -1: closed */
};

struct guest {
	struct server *server;
	enum door_kind kind;
	bool v6;
	int fd;
};

static int listen_on(uint16_t port, bool v6)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4, v6 ? sizeof a6 : sizeof a4) == 0 && listen(fd, 128) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(const struct lab *l, enum door_kind kind)
{
	return kind == DOOR_FRONTEND ? l->frontend_port : kind == DOOR_LOCAL ? l->local_port : l->backend_port;
}

/* Opens what should be open, closes what should not: without W3SVC no site listens. */
static int set_doors(const struct lab *l, struct door *doors, const struct lab_state *st, struct err *e)
{
	bool iis = service_runs(st, "W3SVC"), backend = site_serves_444(st);
	char words[96];

	for (int i = 0; i < DOORS; i++) {
		struct door *d = &doors[i];
		bool want = (d->kind == DOOR_BACKEND ? backend : iis) && (!d->v6 || l->ipv6);

		if (!want && d->fd >= 0) {
			close(d->fd);
			d->fd = -1;
		}
		if (want && d->fd < 0 && (d->fd = listen_on(port_of(l, d->kind), d->v6)) < 0)
			return err_set(e, ERR_IO, "port %u on loopback cannot be opened: %s", port_of(l, d->kind), err_os(errno, words));
	}
	return 0;
}

static void *serve_guest(void *arg)
{
	struct guest g = *(struct guest *)arg;

	free(arg);
	door_serve(g.server, g.kind, g.v6, g.fd);
	atomic_fetch_sub(&g.server->guests, 1);
	return NULL;
}

static void welcome(struct server *s, const struct door *d)
{
	struct guest *g;
	pthread_t t;
	int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (atomic_load(&s->guests) >= GUESTS_MOST) {
		close(fd);
		return;
	}
	g = xcalloc(1, sizeof *g);
	*g = (struct guest){s, d->kind, d->v6, fd};
	atomic_fetch_add(&s->guests, 1);
	if (pthread_create(&t, NULL, serve_guest, g) != 0)
		die("no more threads");
	pthread_detach(t);
}

/* Managed Availability asks the back end's health page every few seconds; here every second. */
static void *probe_self(void *arg)
{
	struct server *s = arg;
	struct probe_target t = {.port = s->lab->backend_port, .path = HEALTH_PATH, .timeout_ms = 2000};
	struct probe_result *r = xcalloc(1, sizeof *r);

	for (unsigned round = 0; !atomic_load(&s->ending); round++) {
		snprintf(t.address, sizeof t.address, "%s", s->lab->ipv6 && round % 3 == 2 ? "::1" : "127.0.0.1");
		tls_probe(&t, &s->lab->clock, r);
		for (int i = 0; i < 10 && !atomic_load(&s->ending); i++)
			clock_sleep(&s->lab->clock, US_SECOND / 10);
	}
	free(r);
	return NULL;
}

static void write_seen(const struct lab *l, int64_t version)
{
	char path[4096], text[32];
	int n = snprintf(text, sizeof text, "%lld\n", (long long)version);

	lab_path(l, path, sizeof path, "seen");
	if (os_file_replace(&os_file, path, text, (size_t)n) < 0)
		die("%s cannot be written", path);
}

/* How the loop knows that state.json was replaced. Inodes come back and clocks are coarse, so it looks once a second anyway. */
struct glance {
	ino_t inode;
	struct timespec changed;
	int ticks;
};

/* When state.json was replaced: doors, cache, transport. */
static int follow(struct server *s, struct door *doors, struct glance *g, struct err *e)
{
	char path[4096];
	struct lab_state *st;
	struct stat now;

	lab_path(s->lab, path, sizeof path, "state.json");
	if (stat(path, &now) < 0)
		return 0;
	if (now.st_ino == g->inode && now.st_mtim.tv_sec == g->changed.tv_sec && now.st_mtim.tv_nsec == g->changed.tv_nsec &&
		++g->ticks < 1000 / TICK_MS)
		return 0;
	st = state_begin(s->lab, false, e);
	if (!st)
		return -1;
	*g = (struct glance){.inode = now.st_ino, .changed = now.st_mtim};
	if (set_doors(s->lab, doors, st, e) < 0) {
		state_end(st);
		return -1;
	}
	cache_load_all(s, st);
	transport_look(s, st);
	write_seen(s->lab, st->version);
	state_end(st);
	return 0;
}

static int take_pid_file(const struct lab *l, struct err *e)
{
	char path[4096], text[32];
	int fd, n;

	lab_path(l, path, sizeof path, "server.pid");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_IO, "a server of this lab runs already; stop it with: evmend-lab stop %s", l->folder);
	}
	n = snprintf(text, sizeof text, "%d\n", os_pid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		die("%s cannot be written", path);
	return fd;
}

int lab_pid(const struct lab *l)
{
	char path[4096], text[32] = "";
	int fd, pid = 0;

	lab_path(l, path, sizeof path, "server.pid");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && read(fd, text, sizeof text - 1) > 0)
		pid = (int)strtol(text, NULL, 10);
	close(fd);
	return pid;
}

int lab_wait_seen(const struct lab *l, int64_t version)
{
	char path[4096];
	struct buf b;
	bool seen = false;

	lab_path(l, path, sizeof path, "seen");
	buf_init(&b, 64);
	for (int i = 0; i < 300 && !seen && lab_pid(l) != 0; i++) {
		seen = lab_read(path, &b) == 0 && strtoll(buf_text(&b), NULL, 10) >= version;
		if (!seen)
			clock_sleep(&l->clock, 10000);
	}
	buf_free(&b);
	return seen ? 0 : -1;
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int loop(struct server *s, struct door *doors, int signals, struct glance g, struct err *e)
{
	for (;;) {
		struct pollfd p[DOORS + 1];

		for (int i = 0; i < DOORS; i++)
			p[i] = (struct pollfd){.fd = doors[i].fd, .events = POLLIN};
		p[DOORS] = (struct pollfd){.fd = signals, .events = POLLIN};
		if (poll(p, DOORS + 1, TICK_MS) < 0 && errno != EINTR)
			die("poll fails");
		if (p[DOORS].revents)
			return 0;
		/* first the files, then the guests: a change is in force for connections that come after it */
		if (follow(s, doors, &g, e) < 0)
			return -1;
		for (int i = 0; i < DOORS; i++)
			if (p[i].revents && doors[i].fd == p[i].fd)
				welcome(s, &doors[i]);
	}
}

int lab_serve(const struct lab *l, bool self_probe, int ready_fd, struct err *e)
{
	struct server *s = xcalloc(1, sizeof *s);
	struct door doors[DOORS] = {{DOOR_FRONTEND, false, -1}, {DOOR_FRONTEND, true, -1}, {DOOR_LOCAL, false, -1}, {DOOR_LOCAL, true, -1},
		{DOOR_BACKEND, false, -1}, {DOOR_BACKEND, true, -1}};
	pthread_t prober;
	struct glance g = {.inode = 0};
	int signals, pid_file = take_pid_file(l, e), r;

	s->lab = l;
	s->self_probe = self_probe;
	pthread_mutex_init(&s->lock, NULL);
	signals = catch_signals();
	r = pid_file < 0 ? -1 : follow(s, doors, &g, e);
	if (r == 0) {
		if (self_probe && pthread_create(&prober, NULL, probe_self, s) != 0)
			die("no more threads");
		if (ready_fd >= 0 && write(ready_fd, "+", 1) != 1)
			die("nobody waits for the server");
		r = loop(s, doors, signals, g, e);
		atomic_store(&s->ending, true);
		if (self_probe)
			pthread_join(prober, NULL);
	}
	for (int i = 0; i < DOORS; i++)
		if (doors[i].fd >= 0)
			close(doors[i].fd);
	for (int i = 0; i < 100 && atomic_load(&s->guests) > 0; i++)
		clock_sleep(&l->clock, 50000);
	if (pid_file >= 0)
		close(pid_file);
	close(signals);
	if (atomic_load(&s->guests) == 0) {
		cache_drop(s);
		free(s);
	}
	return r;
}
