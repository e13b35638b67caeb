/* role_main.c - starts the roles, passes on what they say, brings back one that dies, ends them in order.
 *
 * Why: each role has only the rights it needs, so somebody without any business of his own must hold them together. Promises: a message is
 * passed on only along the table of message.c and with its true sender; a dead role comes back (five deaths in a minute end the agent,
 * which says so); SIGTERM drains: watch, then heal, then ship; SIGHUP takes a new configuration only when it and its rules are good.
 * Refuses: a second agent on the same state folder. */
#include "proc/roles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/message.h"

#define DEATHS 5
#define DEATHS_IN US_MINUTE
#define HIGH_WATER (2u << 20) /* bytes that wait for one role: the others are not read until there are fewer */
#define WAIT_MS 1000
#define PATIENCE (15 * US_SECOND)      /* for watch and ship to drain */
#define HEAL_PATIENCE (80 * US_SECOND) /* a step and its proof may be under way; service managers wait 90 s */

struct peer {
	int pid;                /* 0: not running */
	struct channel *channel; /* NULL: none, or closed by the role */
	bool ready, told_stop;
	int64_t start_at;       /* monotonic; when it is to be started (again) */
	int64_t stop_by;        /* killed hard behind it */
	int64_t deaths[DEATHS];
	size_t n_deaths;        /* in deaths, newest last */
	uint64_t failures;      /* MSG_FAILED */
};

struct agent {
	struct config *config, *next; /* next: of a reload that watch is looking at */
	struct clock clock;
	struct log log;
	char self[4096];
	int lock, signals;
	struct peer peers[ROLES];
	bool stopping;
	int code;
};

static void write_pids(struct agent *a)
{
	struct buf b;

	buf_init(&b, 1024);
	buf_printf(&b, "main %d\n", os_pid());
	for (int r = ROLE_WATCH; r < ROLES; r++)
		if (a->peers[r].pid)
			buf_printf(&b, "%s %d\n", role_text(r), a->peers[r].pid);
	if (os_file_replace(&os_file, config_state(a->config, "pids"), b.p, b.n) < 0)
		log_say(&a->log, LOG_WARN, "the list of processes cannot be written", NULL);
	buf_free(&b);
}

/* To a role that is up; one that is down learns what it missed from the MSG_PEER_UP that the others get when it is back. */
static int send_to(struct agent *a, int role, uint8_t from, uint8_t type, const void *body, size_t n)
{
	struct peer *p = &a->peers[role];
	struct err e;

	if (!p->channel)
		return 0;
	return channel_send(p->channel, (uint8_t)role, from, type, body, n, &e);
}

static void send_config(struct agent *a, int role, uint8_t type, const struct config *c)
{
	struct buf b;

	buf_init(&b, MESSAGE_MAX);
	buf_add(&b, c->path, strlen(c->path) + 1);
	buf_add(&b, c->text, c->text_n);
	send_to(a, role, ROLE_MAIN, type, b.p, b.n);
	buf_free(&b);
}

static int spawn(struct agent *a, int role, struct err *e)
{
	char word[] = "role", name[16], dash[] = "-c", why[96];
	char *path = xstrdup(a->config->path);
	char *argv[] = { a->self, word, name, dash, path, NULL };
	struct peer *p = &a->peers[role];
	int fds[2], pid;

	snprintf(name, sizeof name, "%s", role_text(role));
	if (os_process.channel(fds) < 0) {
		free(path);
		return err_set(e, ERR_INTERNAL, "no channel can be made for %s", name);
	}
	struct os_spawn how = { .argv = argv, .in = role == ROLE_WATCH ? 0 : -1, .out = -1, .errout = 2, .channel = fds[1] };

	pid = os_process.spawn(&how);
	os_file.close(fds[1]);
	free(path);
	if (pid < 0) {
		os_file.close(fds[0]);
		return err_set(e, ERR_INTERNAL, "%s cannot be started: %s", name, err_os(pid, why));
	}
	p->pid = pid;
	p->channel = channel_new(fds[0]);
	p->ready = p->told_stop = false;
	p->start_at = 0;
	send_config(a, role, MSG_CONFIG, a->config);
	for (int r = ROLE_WATCH; r < ROLES; r++)
		if (r != role)
			send_to(a, r, ROLE_MAIN, MSG_PEER_UP, &(uint8_t){ (uint8_t)role }, 1);
	write_pids(a);
	return 0;
}

static void stop_role(struct agent *a, int role)
{
	struct peer *p = &a->peers[role];

	if (!p->pid || p->told_stop)
		return;
	p->told_stop = true;
	p->stop_by = clock_monotonic(&a->clock) + (role == ROLE_HEAL ? HEAL_PATIENCE : PATIENCE);
	send_to(a, role, ROLE_MAIN, MSG_STOP, NULL, 0);
}

static void begin_stop(struct agent *a, int code)
{
	if (!a->stopping)
		log_say(&a->log, LOG_INFO, "stopping: watch first, then heal, then ship", NULL);
	os_service_say("STOPPING=1");
	a->stopping = true;
	a->code = a->code ? a->code : code;
}

/* The order of the end: who finds, who acts, who tells. */
static bool go_on_stopping(struct agent *a)
{
	static const int order[] = { ROLE_WATCH, ROLE_HEAL, ROLE_SHIP };
	int64_t now = clock_monotonic(&a->clock);

	for (size_t i = 0; i < 3; i++) {
		struct peer *p = &a->peers[order[i]];

		if (!p->pid)
			continue;
		stop_role(a, order[i]);
		if (now > p->stop_by) {
			log_say(&a->log, LOG_WARN, "a role does not end and is killed; nothing that was stored is lost", "role", role_text(order[i]), NULL);
			os_process.kill(p->pid, true);
			p->stop_by = now + US_SECOND;
		}
		return false;
	}
	return true;
}

static void drop_reload(struct agent *a, const char *why)
{
	if (!a->next)
		return;
	log_say(&a->log, LOG_ERROR, "reload refused; the rules and configuration of before go on", "why", why, NULL);
	config_free(a->next);
	a->next = NULL;
}

/* watch has answered: the new configuration is everybody's, or nobody's. Receivers are opened anew in any case (rotation). */
static void end_reload(struct agent *a, bool good)
{
	if (good) {
		config_free(a->config);
		a->config = a->next;
		a->next = NULL;
		a->log.level = a->config->log;
		stop_role(a, ROLE_HEAL); /* comes back with the new one */
		log_say(&a->log, LOG_INFO, "reloaded", NULL);
	} else {
		drop_reload(a, "see above");
	}
	send_config(a, ROLE_SHIP, MSG_RELOAD, a->config);
}

static void begin_reload(struct agent *a)
{
	struct err e = { 0 };

	drop_reload(a, "another reload came");
	a->next = config_read(a->config->path, &e);
	if (a->next && strcmp(a->next->state_dir, a->config->state_dir) != 0) {
		err_set(&e, ERR_USAGE, "state_dir has changed; stop the agent and start it again for that");
		config_free(a->next);
		a->next = NULL;
	}
	if (!a->next) {
		log_say(&a->log, LOG_ERROR, "reload refused; the configuration of before goes on", "why", e.text, NULL);
		send_config(a, ROLE_SHIP, MSG_RELOAD, a->config);
		return;
	}
	send_config(a, ROLE_WATCH, MSG_RELOAD, a->next);
}

static void to_main(struct agent *a, int role, const struct message *m)
{
	struct peer *p = &a->peers[role];

	if (m->type == MSG_FAILED) {
		p->failures++;
		return; /* the role has logged it */
	}
	if (m->n == 1 && role == ROLE_WATCH && a->next) {
		end_reload(a, m->body[0] == 1);
		return;
	}
	if (p->ready)
		return;
	p->ready = true;
	if (a->peers[ROLE_WATCH].ready && a->peers[ROLE_HEAL].ready && a->peers[ROLE_SHIP].ready) {
		log_say(&a->log, LOG_INFO, "all roles are up", NULL);
		os_service_say("READY=1");
	}
}

/* A role that breaks the rules is ended; it comes back with a clean head. */
static void end_sender(struct agent *a, int role, const char *why)
{
	log_say(&a->log, LOG_ERROR, "a role broke the rules of its channel and is killed", "role", role_text(role), "why", why, NULL);
	os_process.kill(a->peers[role].pid, true);
}

static void pass_on(struct agent *a, int role)
{
	struct peer *p = &a->peers[role];
	struct message m;
	struct err e;
	int end = channel_read(p->channel, &e);

	while (channel_next(p->channel, &m, &e)) {
		if (!message_allowed((uint8_t)role, m.to, m.type)) {
			end_sender(a, role, "a message that it may not send");
			end = 1;
			break;
		}
		if (m.to == ROLE_MAIN)
			to_main(a, role, &m);
		else if (send_to(a, m.to, (uint8_t)role, m.type, m.body, m.n) < 0)
			die("the queue to %s is full: it should not have been fed", role_text(m.to));
	}
	if (e.code) {
		end_sender(a, role, e.text);
		end = 1;
	}
	if (end) {
		channel_free(p->channel);
		p->channel = NULL;
	}
}

static bool too_often(struct agent *a, struct peer *p)
{
	int64_t now = clock_monotonic(&a->clock);

	if (p->n_deaths == DEATHS) {
		memmove(p->deaths, p->deaths + 1, (DEATHS - 1) * sizeof p->deaths[0]);
		p->n_deaths--;
	}
	p->deaths[p->n_deaths++] = now;
	return p->n_deaths == DEATHS && now - p->deaths[0] < DEATHS_IN;
}

static void on_death(struct agent *a, int role, int status)
{
	struct peer *p = &a->peers[role];
	bool wanted = p->told_stop;
	char text[32];

	channel_free(p->channel);
	p->channel = NULL;
	p->pid = 0;
	p->ready = false;
	if (role == ROLE_WATCH)
		drop_reload(a, "watch died over it");
	if (a->stopping)
		return;
	p->start_at = clock_monotonic(&a->clock);
	if (wanted)
		return; /* a reload: it comes back at once */
	snprintf(text, sizeof text, "%s %d", status >= 256 ? "signal" : "exit code", status >= 256 ? status - 256 : status);
	log_say(&a->log, LOG_WARN, "a role died and is started again", "role", role_text(role), "how", text, NULL);
	if (status == ERR_USAGE || status == ERR_RULES) {
		log_say(&a->log, LOG_ERROR, "starting it again would not help; the agent ends", "role", role_text(role), NULL);
		begin_stop(a, status);
	} else if (too_often(a, p)) {
		log_say(&a->log, LOG_ERROR, "a role died five times in a minute; the agent ends. Its last lines above say why", "role",
			role_text(role), NULL);
		begin_stop(a, status < 256 && status ? status : ERR_INTERNAL);
	} else {
		p->start_at += (int64_t)(p->n_deaths - 1) * 200 * (US_SECOND / 1000);
	}
}

static void look_for_dead(struct agent *a)
{
	for (int r = ROLE_WATCH; r < ROLES; r++) {
		int status;

		if (a->peers[r].pid && os_process.wait(a->peers[r].pid, false, &status) > 0)
			on_death(a, r, status);
	}
}

static int start_due(struct agent *a, struct err *e)
{
	int64_t now = clock_monotonic(&a->clock);

	for (int r = ROLE_WATCH; r < ROLES; r++)
		if (!a->peers[r].pid && a->peers[r].start_at <= now && spawn(a, r, e) < 0)
			return -1;
	return 0;
}

/* May this role be read? Not while one of the others has more than enough waiting. */
static bool may_read(const struct agent *a, int role)
{
	for (int r = ROLE_WATCH; r < ROLES; r++)
		if (r != role && a->peers[r].channel && channel_queued(a->peers[r].channel) > HIGH_WATER)
			return false;
	return true;
}

static void round_of(struct agent *a)
{
	struct os_poll list[ROLES] = { { .fd = a->signals, .want_read = true } };
	struct err e;
	unsigned signals;
	int wait_ms = WAIT_MS;

	for (int r = ROLE_WATCH; r < ROLES; r++) {
		struct peer *p = &a->peers[r];

		if (!p->pid || a->stopping)
			wait_ms = 50;
		list[r] = (struct os_poll){ .fd = -1 };
		if (p->channel)
			list[r] = (struct os_poll){ .fd = channel_fd(p->channel), .want_read = may_read(a, r), .want_write = channel_wants_write(p->channel) };
	}
	os_process.wait_ready(list, ROLES, wait_ms);
	signals = list[0].can_read ? os_signals_take(a->signals) : 0;
	for (int r = ROLE_WATCH; r < ROLES; r++) {
		if (list[r].can_write && a->peers[r].channel)
			channel_write(a->peers[r].channel, &e); /* a dead end is noticed by its death */
		if (list[r].can_read && a->peers[r].channel)
			pass_on(a, r);
	}
	look_for_dead(a);
	if (signals & OS_SIG_STOP)
		begin_stop(a, ERR_NONE);
	if (signals & OS_SIG_RELOAD && !a->stopping)
		begin_reload(a);
	for (int r = ROLE_WATCH; r < ROLES; r++) /* a heal that is told to stop for a reload, and hangs */
		if (a->peers[r].pid && a->peers[r].told_stop && clock_monotonic(&a->clock) > a->peers[r].stop_by && !a->stopping)
			os_process.kill(a->peers[r].pid, true);
}

static int take_folder(struct agent *a, struct err *e)
{
	char why[96];
	int r = os_make_folder(a->config->state_dir);

	if (r < 0)
		return err_set(e, ERR_IO, "state_dir %s cannot be made: %s", a->config->state_dir, err_os(r, why));
	a->lock = os_file.open(config_state(a->config, "lock"), OS_LOCK);
	if (a->lock == -EWOULDBLOCK)
		return err_set(e, ERR_IO, "another agent runs on %s; stop it first, or give this one a state_dir of its own", a->config->state_dir);
	if (a->lock < 0)
		return err_set(e, ERR_IO, "state_dir %s cannot be written: %s", a->config->state_dir, err_os(a->lock, why));
	return 0;
}

int role_main(struct config *c, struct err *e)
{
	struct agent *a = xcalloc(1, sizeof *a);
	int code;

	a->config = c;
	a->clock = clock_real();
	a->log = (struct log){ .clock = &a->clock, .role = "main", .level = c->log, .fd = 2 };
	a->lock = -1;
	e->code = ERR_NONE;
	if (os_process.self(a->self, sizeof a->self) < 0)
		err_set(e, ERR_INTERNAL, "the program does not find its own path in /proc");
	if (!e->code && take_folder(a, e) == 0) {
		a->signals = os_process.signals();
		if (!c->n_sources)
			log_say(&a->log, LOG_WARN, "no sources are configured; only diagnoses by the clock will run", NULL);
		if (!c->n_sinks)
			log_say(&a->log, LOG_WARN, "no sinks are configured; what is found stays in the spool", NULL);
		while (!e->code) {
			if (!a->stopping && start_due(a, e) < 0)
				break;
			if (a->stopping && go_on_stopping(a))
				break;
			round_of(a);
		}
		log_say(&a->log, LOG_INFO, "stopped", NULL);
		os_file_remove(config_state(a->config, "pids"));
	}
	code = e->code ? (int)e->code : a->code;
	for (int r = ROLE_WATCH; r < ROLES; r++)
		channel_free(a->peers[r].channel);
	os_file.close(a->lock);
	config_free(a->next);
	config_free(a->config);
	free(a);
	return code;
}
