/* link.c - what every role does in the same way: its channel, its configuration, waiting.
 *
 * Why: three roles, one set of habits. Promises: a role ends when main does (the channel closes), whatever it is waiting for; signals of a
 * terminal or a service manager reach main alone. Refuses: to go on after a bad message from main. */
#include "proc/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_WAIT_MS 10000 /* for MSG_CONFIG */
#define LOCK_TRIES 1200     /* of 100 ms: longer than any step of a predecessor may take */

struct config *link_config(const struct message *m, struct err *e)
{
	const uint8_t *nul = memchr(m->body, 0, m->n);

	if (!nul) {
		err_set(e, ERR_INTERNAL, "a configuration message without a path");
		return NULL;
	}
	return config_parse((const char *)m->body, (const char *)nul + 1, m->n - (size_t)(nul + 1 - m->body), e);
}

static int first_config(struct link *l, struct err *e)
{
	struct message m;

	while (!link_next(l, &m)) {
		struct os_poll p = { .fd = LINK_FD, .want_read = true };

		if (l->gone || os_process.wait_ready(&p, 1, FIRST_WAIT_MS) == 0)
			return err_set(e, ERR_INTERNAL, "main sends no configuration; roles are started by `evmend run` alone");
		if (link_wait(l, NULL, 0, 0) < 0)
			return err_set(e, ERR_INTERNAL, "main is gone");
	}
	if (m.type != MSG_CONFIG)
		return err_set(e, ERR_INTERNAL, "the first message is no configuration");
	l->config = link_config(&m, e);
	return l->config ? 0 : -1;
}

static int take_lock(struct link *l, struct err *e)
{
	char name[32], why[96];

	snprintf(name, sizeof name, "%s.lock", role_text((int)l->me));
	for (int i = 0; i < LOCK_TRIES; i++) {
		l->lock = os_file.open(config_state(l->config, name), OS_LOCK);
		if (l->lock != -EWOULDBLOCK)
			break;
		if (link_wait(l, NULL, 0, 100) < 0)
			return err_set(e, ERR_INTERNAL, "main is gone");
	}
	return l->lock < 0 ? err_set(e, ERR_IO, "the lock %s in state_dir cannot be taken: %s", name, err_os(l->lock, why)) : 0;
}

int link_open(struct link *l, enum role me, struct err *e)
{
	struct os_stat st;

	memset(l, 0, sizeof *l);
	l->me = me;
	l->lock = -1;
	l->clock = clock_real();
	l->log = (struct log){ .clock = &l->clock, .role = role_text((int)me), .level = LOG_INFO, .fd = 2 };
	l->signals = os_process.signals();
	if (os_file.stat(NULL, LINK_FD, &st) < 0)
		return err_set(e, ERR_USAGE, "there is no channel to main; roles are started by `evmend run` alone");
	l->channel = channel_new(LINK_FD);
	if (first_config(l, e) < 0)
		return -1;
	l->log.level = l->config->log;
	return take_lock(l, e);
}

void link_close(struct link *l)
{
	struct err e;

	if (l->channel && !l->gone)
		for (int i = 0; i < 100 && channel_wants_write(l->channel) && channel_write(l->channel, &e) == 0; i++)
			clock_sleep(&l->clock, 10000);
	channel_free(l->channel);
	os_file.close(l->lock);
	config_free(l->config);
	l->channel = NULL;
	l->config = NULL;
}

int link_wait(struct link *l, struct os_poll *extra, size_t n, int timeout_ms)
{
	struct os_poll list[LINK_EXTRA + 2];
	struct err e;

	if (n > LINK_EXTRA)
		die("a role waits for %zu descriptors", n);
	if (channel_write(l->channel, &e) < 0)
		l->gone = true;
	if (l->gone)
		return -1;
	list[0] = (struct os_poll){ .fd = channel_fd(l->channel), .want_read = true, .want_write = channel_wants_write(l->channel) };
	list[1] = (struct os_poll){ .fd = l->signals, .want_read = true };
	if (n)
		memcpy(list + 2, extra, n * sizeof *extra);
	os_process.wait_ready(list, n + 2, timeout_ms);
	if (n)
		memcpy(extra, list + 2, n * sizeof *extra);
	if (list[1].can_read)
		os_signals_take(l->signals);
	if (list[0].can_write && channel_write(l->channel, &e) < 0)
		l->gone = true;
	if (list[0].can_read && channel_read(l->channel, &e) != 0)
		l->gone = true; /* closed: main has ended, or it is not main */
	return l->gone ? -1 : 0;
}

int link_send(struct link *l, enum role to, enum message_type type, const void *body, size_t n)
{
	struct err e;

	while (!l->gone && channel_send(l->channel, (uint8_t)to, (uint8_t)l->me, (uint8_t)type, body, n, &e) < 0) {
		struct os_poll p = { .fd = channel_fd(l->channel), .want_write = true };

		if (n > MESSAGE_MAX)
			die("%s", e.text);
		os_process.wait_ready(&p, 1, 1000);
		if (channel_write(l->channel, &e) < 0)
			l->gone = true;
	}
	if (!l->gone && channel_write(l->channel, &e) < 0)
		l->gone = true;
	return l->gone ? -1 : 0;
}

void link_failed(struct link *l, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_say(&l->log, LOG_ERROR, text, NULL);
	link_send(l, ROLE_MAIN, MSG_FAILED, text, strlen(text));
}

bool link_next(struct link *l, struct message *m)
{
	struct err e;

	if (!l->channel || !channel_next(l->channel, m, &e)) {
		if (l->channel && e.code)
			l->gone = true;
		return false;
	}
	if (m->type == MSG_STOP)
		l->stop = true;
	return true;
}
