/* fleet.c - asks the cells of the matrix of front ends and back ends, and writes it down.
 *
 * Exists so that the verb and the agent ask the same. Promises that each piece ends by its deadline, that a connection that broke
 * is made anew at most twice for one row, and that what was not seen is unknown with its reason. Refuses to ask hosts that are no
 * Exchange servers. */
#include "heal/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/fact.h"

#define OPENED_MAX 3

struct fleet *fleet_new(const char *const *names, size_t n)
{
	struct fleet *f = xcalloc(1, sizeof(*f));

	f->n = n;
	f->hosts = xcalloc(n + 1, sizeof(*f->hosts));
	f->cells = xcalloc(n * n + 1, sizeof(*f->cells));
	for (size_t i = 0; i < n; i++) {
		struct fleet_host *h = &f->hosts[i];
		size_t label = strcspn(names[i], ".");

		h->name = names[i];
		h->exchange = true; /* until it says otherwise */
		h->port = FLEET_PORT;
		text_copy(h->fqdn, sizeof(h->fqdn), names[i]);
		text_copy(h->shorter, label + 1 < sizeof(h->shorter) ? label + 1 : sizeof(h->shorter), names[i]);
		for (size_t k = 0; k < i; k++) /* two of one label in two domains keep their whole names */
			if (text_same(f->hosts[k].shorter, h->shorter)) {
				text_copy(h->shorter, sizeof(h->shorter), h->name);
				text_copy(f->hosts[k].shorter, sizeof(h->shorter), f->hosts[k].name);
			}
	}
	return f;
}

void fleet_free(struct fleet *f)
{
	if (f == NULL)
		return;
	free(f->hosts);
	free(f->cells);
	free(f);
}

struct fleet_cell *fleet_cell(const struct fleet *f, size_t front, size_t back)
{
	return &f->cells[front * f->n + back];
}

bool fleet_bad(const struct fleet_cell *c)
{
	return c->outcome > CELL_OK;
}

void fleet_leave(struct host **kept)
{
	if (*kept)
		(*kept)->ops->close(*kept);
	*kept = NULL;
}

static void row_unknown(struct fleet *f, size_t front, size_t from, const char *why)
{
	for (size_t back = from; back < f->n; back++) {
		struct fleet_cell *c = fleet_cell(f, front, back);

		memset(c, 0, sizeof(*c));
		text_copy(c->seen, sizeof(c->seen), why);
	}
}

static struct host *connection(struct fleet *f, size_t i, const struct fleet_access *a, struct host **kept, int64_t deadline,
	struct err *e)
{
	struct fleet_host *h = &f->hosts[i];

	if (*kept == NULL && h->opened++ < OPENED_MAX)
		*kept = a->open(a->arg, i, deadline, e);
	else if (*kept == NULL)
		(void)err_set(e, ERR_IO, "the connection to %s broke %d times", h->name, OPENED_MAX);
	return *kept;
}

void fleet_identify(struct fleet *f, size_t i, const struct fleet_access *a, struct host **kept, int64_t deadline)
{
	struct host_identity *id = xcalloc(1, sizeof(*id));
	struct fleet_host *h = &f->hosts[i];
	struct host *host;
	struct err e = {.code = ERR_NONE};

	host = connection(f, i, a, kept, deadline, &e);
	if (host != NULL && host->ops->identity(host, id, deadline, &e) == 0) {
		h->read = true;
		h->exchange = id->exchange;
		h->lab = id->lab;
		h->port = id->backend_port;
		if (text_host_ok(id->fqdn))
			text_copy(h->fqdn, sizeof(h->fqdn), id->fqdn);
	} else {
		text_copy(h->trouble, sizeof(h->trouble), e.text);
		row_unknown(f, i, 0, h->trouble);
		fleet_leave(kept);
	}
	free(id);
}

static void take(struct fleet_cell *c, const struct probe_result *r)
{
	static const enum cell_outcome by_tcp[] = {[TCP_OK] = CELL_OK, [TCP_REFUSED] = CELL_REFUSED, [TCP_TIMEOUT] = CELL_TIMEOUT,
		[TCP_ERROR] = CELL_ERROR, [TCP_UNRESOLVABLE] = CELL_UNRESOLVABLE};
	static const enum cell_outcome by_tls[] = {[TLS_OK] = CELL_OK, [TLS_RESET] = CELL_RESET, [TLS_EOF] = CELL_EOF,
		[TLS_ALERT] = CELL_ALERT, [TLS_TIMEOUT] = CELL_TIMEOUT, [TLS_NOT_TRIED] = CELL_UNKNOWN, [TLS_ERROR] = CELL_ERROR};

	c->outcome = r->tcp == TCP_OK ? by_tls[r->tls] : by_tcp[r->tcp];
	c->number = c->outcome == CELL_ALERT ? r->alert : 0;
	if (c->outcome == CELL_OK && r->http_status == 0)
		c->outcome = CELL_MUTE;
	if (c->outcome == CELL_OK && r->http_status >= 500)
		c->outcome = CELL_HTTP;
	if (c->outcome == CELL_OK || c->outcome == CELL_HTTP)
		c->number = r->http_status;
	if (c->outcome == CELL_OK && text_starts(r->tls_version, "TLSv1") && (r->tls_version[5] == '\0' || strcmp(r->tls_version + 5, ".1") == 0))
		c->outcome = CELL_OLD;
	text_copy(c->spoken, sizeof(c->spoken), r->tls_version);
	c->has_leaf = r->has_leaf;
	memcpy(c->leaf, r->leaf.thumbprint, 20);
	c->took_us = r->took_us;
	text_copy(c->seen, sizeof(c->seen), r->detail);
}

bool fleet_ask(struct fleet *f, size_t front, size_t back, const struct fleet_access *a, struct host **kept, int64_t deadline)
{
	struct host_probe_ask ask = {.kind = HOST_PROBE_BACKEND, .version = TLS_DEFAULT, .path = FLEET_PATH, .port = f->hosts[back].port};
	struct fleet_cell *c = fleet_cell(f, front, back);
	struct probe_result *r;
	struct host *host;
	struct err e = {.code = ERR_NONE};

	if (!f->hosts[front].read)
		return false; /* its row is unknown since it was identified */
	if (!f->hosts[front].exchange || !f->hosts[back].exchange) {
		text_copy(c->seen, sizeof(c->seen), "no Exchange server");
		return f->hosts[front].exchange;
	}
	host = connection(f, front, a, kept, deadline, &e);
	if (host == NULL) {
		row_unknown(f, front, back, e.text);
		return false;
	}
	text_copy(ask.address, sizeof(ask.address), f->hosts[back].fqdn);
	r = xcalloc(1, sizeof(*r));
	if (host->ops->probe(host, &ask, r, deadline, &e) == 0) {
		take(c, r);
	} else {
		text_copy(c->seen, sizeof(c->seen), e.text);
		if (e.code == ERR_IO) /* nobody knows what comes next on this connection */
			fleet_leave(kept);
	}
	free(r);
	return true;
}

/* ---- words ---- */

static const char *const outcome_words[CELL_OUTCOMES] = {[CELL_UNKNOWN] = "unknown", [CELL_OK] = "ok", [CELL_REFUSED] = "refused",
	[CELL_TIMEOUT] = "timeout", [CELL_UNRESOLVABLE] = "unresolvable", [CELL_RESET] = "reset", [CELL_EOF] = "eof",
	[CELL_ALERT] = "alert", [CELL_ERROR] = "error", [CELL_MUTE] = "mute", [CELL_HTTP] = "http",
	[CELL_OLD] = "old-tls"};

const char *fleet_outcome_text(enum cell_outcome o)
{
	return outcome_words[o];
}

bool fleet_outcome_parse(const char *s, enum cell_outcome *o)
{
	for (int i = 0; i < CELL_OUTCOMES; i++)
		if (strcmp(outcome_words[i], s) == 0) {
			*o = (enum cell_outcome)i;
			return true;
		}
	return false;
}

const char *fleet_mark(const struct fleet_cell *c, char to[static 8])
{
	static const char *const marks[CELL_OUTCOMES] = {[CELL_UNKNOWN] = "?", [CELL_OK] = "ok", [CELL_REFUSED] = "ref",
		[CELL_TIMEOUT] = "time", [CELL_UNRESOLVABLE] = "name", [CELL_RESET] = "rst", [CELL_EOF] = "eof", [CELL_ERROR] = "err",
		[CELL_MUTE] = "mute", [CELL_OLD] = "old"};

	if (c->outcome == CELL_ALERT)
		(void)snprintf(to, 8, "a%d", c->number % 1000);
	else if (c->outcome == CELL_HTTP)
		(void)snprintf(to, 8, "%d", c->number % 1000);
	else
		text_copy(to, 8, marks[c->outcome]);
	return to;
}

static void cell_json(struct json_out *o, const struct fleet *f, size_t front, size_t back)
{
	const struct fleet_cell *c = fleet_cell(f, front, back);
	char hex[41];

	json_open(o, NULL, '{');
	json_put_str(o, "from", f->hosts[front].name);
	json_put_str(o, "to", f->hosts[back].name);
	json_put_str(o, "outcome", outcome_words[c->outcome]);
	if (c->outcome == CELL_ALERT) {
		json_put_int(o, "alert", c->number);
		json_put_str(o, "alert_name", probe_alert_text(c->number));
	} else if (c->number) {
		json_put_int(o, "http_status", c->number);
	}
	json_put_str(o, "tls_version", c->spoken[0] ? c->spoken : NULL);
	if (c->has_leaf) {
		text_hex(hex, c->leaf, 20);
		json_put_str(o, "thumbprint", hex);
	}
	if (c->outcome != CELL_UNKNOWN)
		json_put_int(o, "took_ms", c->took_us / 1000);
	json_put_str(o, "detail", c->seen[0] ? c->seen : NULL);
	json_close(o, '}');
}

static void hosts_json(struct json_out *o, const struct fleet *f)
{
	json_open(o, "hosts", '[');
	for (size_t i = 0; i < f->n; i++) {
		const struct fleet_host *h = &f->hosts[i];

		json_open(o, NULL, '{');
		json_put_str(o, "name", h->name);
		json_put_str(o, "fqdn", h->fqdn);
		json_put_int(o, "port", h->port);
		json_put_bool(o, "answers", h->read);
		json_put_bool(o, "exchange", h->exchange);
		json_put_str(o, "verdict", h->verdict[0] ? h->verdict : NULL);
		json_put_str(o, "trouble", h->trouble[0] ? h->trouble : NULL);
		json_close(o, '}');
	}
	json_close(o, ']');
}

void fleet_json(struct json_out *o, const struct fleet *f, bool bad_only)
{
	struct fleet_remark *remarks = xcalloc(FLEET_REMARKS, sizeof(*remarks));
	size_t n = fleet_judge(f, remarks, FLEET_REMARKS), counts[3] = {0, 0, 0}, left = bad_only ? FLEET_BAD_TOLD : f->n * f->n;

	json_put_time(o, "asked", f->when);
	if (!bad_only)
		hosts_json(o, f);
	json_open(o, "cells", '[');
	for (size_t i = 0; i < f->n * f->n; i++) {
		counts[fleet_bad(&f->cells[i]) ? 2 : f->cells[i].outcome]++;
		if ((bad_only && !fleet_bad(&f->cells[i])) || left == 0)
			continue;
		cell_json(o, f, i / f->n, i % f->n);
		left--;
	}
	json_close(o, ']');
	json_put_int(o, "ok", (int64_t)counts[CELL_OK]);
	json_put_int(o, "bad", (int64_t)counts[2]);
	json_put_int(o, "unknown", (int64_t)counts[CELL_UNKNOWN]);
	json_open(o, "remarks", '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(o, NULL, remarks[i].text);
	json_close(o, ']');
	free(remarks);
}
