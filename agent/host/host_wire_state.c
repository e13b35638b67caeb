/* host_wire_state.c - what observe, busy and probe say, as JSON, and the small readers that both files of the protocol use.
 *
 * Exists apart from host_wire.c because reading a host's state is most of the protocol. Promises: a part that is missing
 * stays unknown; a part that is there is taken whole or refused. Certificates come as PEM and are parsed here, so that a
 * thumbprint is always one that we computed. Refuses more rows than host.h holds, saying how many are taken. */
#include <string.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "host/wire_take.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const part_words[] = {"records", "certs", "sites", "services", "settings", "itc", "boot", "pools"};
static const char *const busy_words[] = {"free", "maintenance", "installing", "recovering", "reboot_pending"};
static const char *const probe_words[] = {"backend", "frontend", "hop"};

int wire_word(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return (int)i;
	return -1;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void wire_clean(char *to, size_t n, const struct json *j)
{
	text_copy(to, n, json_str(j, ""));
	for (char *p = to; *p; p++)
		if (is_control(*p))
			*p = '?';
}

int wire_take(char *to, size_t n, const struct json *j, const char *what, struct err *e)
{
	const char *s = json_str(j, NULL);

	if (s == NULL)
		return err_set(e, ERR_IO, "%s is missing or no text", what);
	if (strlen(s) >= n)
		return err_set(e, ERR_IO, "%s is %zu bytes long; at most %zu are taken", what, strlen(s), n - 1);
	for (const char *p = s; *p; p++)
		if (is_control(*p))
			return err_set(e, ERR_IO, "%s has a control character in it", what);
	text_copy(to, n, s);
	return 0;
}

int wire_port(uint16_t *to, const struct json *j, uint16_t otherwise, const char *what, struct err *e)
{
	int64_t v = json_int(j, json_is_null(j) ? otherwise : -1);

	if (v < 1 || v > 65535)
		return err_set(e, ERR_IO, "%s must be a port, 1 to 65535", what);
	*to = (uint16_t)v;
	return 0;
}

int wire_time(int64_t *to, const struct json *j, const char *what, struct err *e)
{
	const char *s = json_str(j, "");

	*to = 0;
	if (json_is_null(j))
		return 0;
	if (!time_parse(s, strlen(s), to))
		return err_set(e, ERR_IO, "%s is no time: '%.40s'", what, s);
	return 0;
}

void wire_put_thumbprint(struct json_out *o, const char *key, const uint8_t t[20])
{
	static const uint8_t none[20];
	char hex[41];

	text_hex(hex, t, 20);
	json_put_str(o, key, memcmp(t, none, 20) == 0 ? NULL : hex);
}

int wire_get_thumbprint(uint8_t to[20], const struct json *j, const char *what, struct err *e)
{
	const char *s = json_str(j, "");

	memset(to, 0, 20);
	if (json_is_null(j))
		return 0;
	if (!text_unhex(to, 20, s, strlen(s)))
		return err_set(e, ERR_IO, "%s must be 40 hex digits, and is '%.60s'", what, s);
	return 0;
}

void wire_put_binding(struct json_out *o, const char *key, const struct host_binding *b)
{
	json_open(o, key, '{');
	json_put_str(o, "protocol", b->protocol);
	json_put_str(o, "information", b->information);
	json_put_int(o, "ssl_flags", b->ssl_flags);
	json_close(o, '}');
}

int wire_get_binding(const struct json *j, struct host_binding *b, struct err *e)
{
	memset(b, 0, sizeof(*b));
	b->ssl_flags = (uint32_t)json_int(json_get(j, "ssl_flags"), 0);
	if (wire_take(b->protocol, sizeof(b->protocol), json_get(j, "protocol"), "binding.protocol", e) < 0)
		return -1;
	return wire_take(b->information, sizeof(b->information), json_get(j, "information"), "binding.information", e);
}

void wire_put_record(struct json_out *o, const char *key, const struct host_record *r)
{
	json_open(o, key, '{');
	json_put_str(o, "endpoint", r->endpoint);
	json_put_int(o, "port", r->port);
	wire_put_thumbprint(o, "thumbprint", r->thumbprint);
	json_put_str(o, "store", r->store);
	json_put_str(o, "appid", r->appid);
	json_put_int(o, "flags", r->flags);
	json_put_bool(o, "sni", r->sni);
	json_put_bool(o, "ccs", r->ccs);
	json_close(o, '}');
}

/* A record without a store means MY. Only one of the central store names no certificate, and keeps a thumbprint of zeros: of
 * any other, zeros would read as "its certificate is in no store". */
int wire_get_record(const struct json *j, struct host_record *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	text_copy(r->store, sizeof(r->store), "MY");
	if (wire_take(r->endpoint, sizeof(r->endpoint), json_get(j, "endpoint"), "record.endpoint", e) < 0 ||
	    wire_port(&r->port, json_get(j, "port"), 0, "record.port", e) < 0 ||
	    wire_get_thumbprint(r->thumbprint, json_get(j, "thumbprint"), "record.thumbprint", e) < 0)
		return -1;
	if (!json_is_null(json_get(j, "store")) && wire_take(r->store, sizeof(r->store), json_get(j, "store"), "record.store", e) < 0)
		return -1;
	if (!json_is_null(json_get(j, "appid")) && wire_take(r->appid, sizeof(r->appid), json_get(j, "appid"), "record.appid", e) < 0)
		return -1;
	r->flags = (uint32_t)json_int(json_get(j, "flags"), 0);
	r->sni = json_bool(json_get(j, "sni"), false);
	r->ccs = json_bool(json_get(j, "ccs"), false);
	if (!r->ccs && json_is_null(json_get(j, "thumbprint")))
		return err_set(e, ERR_IO, "the record %s has no 'thumbprint': only one of the central store ('ccs') may lack it", r->endpoint);
	return 0;
}

void wire_put_tri(struct json_out *o, const char *key, enum tri t)
{
	if (t == TRI_UNKNOWN)
		json_put_null(o, key);
	else
		json_put_bool(o, key, t == TRI_YES);
}

enum tri wire_tri(const struct json *j)
{
	if (json_is_null(j))
		return TRI_UNKNOWN;
	/* a member of another kind answers with the default, whichever it is: that is no answer */
	if (json_bool(j, false) != json_bool(j, true))
		return TRI_UNKNOWN;
	return json_bool(j, false) ? TRI_YES : TRI_NO;
}

static void put_cert(struct json_out *o, const struct host_cert *c, const char *pem)
{
	json_open(o, NULL, '{');
	json_put_str(o, "pem", pem);
	json_put_str(o, "store", c->store);
	json_put_str(o, "friendly_name", c->friendly_name);
	wire_put_tri(o, "has_key", c->has_key);
	wire_put_tri(o, "key_opens", c->key_opens);
	wire_put_tri(o, "key_matches", c->key_matches);
	wire_put_tri(o, "key_denied", c->key_denied);
	json_put_bool(o, "csp", c->csp);
	json_put_bool(o, "exportable", c->exportable);
	json_put_str(o, "container", c->container);
	json_put_str(o, "provider", c->provider);
	json_close(o, '}');
}

static int get_cert(const struct json *j, struct host_cert *c, struct err *e)
{
	const char *pem = json_str(json_get(j, "pem"), "");

	memset(c, 0, sizeof(*c));
	if (cert_parse_pem(pem, strlen(pem), &c->info, e) < 0)
		return err_prefix(e, "a certificate that the host sent");
	if (wire_take(c->store, sizeof(c->store), json_get(j, "store"), "cert.store", e) < 0)
		return -1;
	wire_clean(c->friendly_name, sizeof(c->friendly_name), json_get(j, "friendly_name"));
	wire_clean(c->container, sizeof(c->container), json_get(j, "container"));
	wire_clean(c->provider, sizeof(c->provider), json_get(j, "provider"));
	c->has_key = wire_tri(json_get(j, "has_key"));
	c->key_opens = wire_tri(json_get(j, "key_opens"));
	c->key_matches = wire_tri(json_get(j, "key_matches"));
	c->key_denied = wire_tri(json_get(j, "key_denied"));
	c->csp = json_bool(json_get(j, "csp"), false);
	c->exportable = json_bool(json_get(j, "exportable"), false);
	return 0;
}

static void put_site(struct json_out *o, const struct host_site *s)
{
	json_open(o, NULL, '{');
	json_put_str(o, "name", s->name);
	json_put_int(o, "id", s->id);
	if (s->state_unknown)
		json_put_null(o, "started");
	else
		json_put_bool(o, "started", s->started);
	json_open(o, "bindings", '[');
	for (size_t i = 0; i < s->n_bindings; i++)
		wire_put_binding(o, NULL, &s->bindings[i]);
	json_close(o, ']');
	json_close(o, '}');
}

static int too_many(const struct json *list, size_t max, const char *what, struct err *e)
{
	if (json_len(list) <= max)
		return 0;
	return err_set(e, ERR_IO, "the host lists %zu %s; at most %zu are taken", json_len(list), what, max);
}

static int get_site(const struct json *j, struct host_site *s, struct err *e)
{
	const struct json *list = json_get(j, "bindings");

	memset(s, 0, sizeof(*s));
	if (wire_take(s->name, sizeof(s->name), json_get(j, "name"), "site.name", e) < 0 ||
	    too_many(list, HOST_BINDINGS, "bindings of a site", e) < 0)
		return -1;
	s->state_unknown = json_is_null(json_get(j, "started"));
	if (!s->state_unknown && wire_tri(json_get(j, "started")) == TRI_UNKNOWN)
		return err_set(e, ERR_IO, "the site '%s' does not say whether it is 'started'", s->name);
	s->id = (int)json_int(json_get(j, "id"), 0);
	s->started = json_bool(json_get(j, "started"), false);
	for (size_t i = 0; i < json_len(list); i++)
		if (wire_get_binding(json_at(list, i), &s->bindings[s->n_bindings++], e) < 0)
			return -1;
	return 0;
}

static void put_running(struct json_out *o, const char *key, const struct host_service *list, size_t n)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "name", list[i].name);
		json_put_bool(o, "running", list[i].running);
		json_close(o, '}');
	}
	json_close(o, ']');
}

void wire_put_state(struct json_out *o, const struct host_state *s, const char *const *pem)
{
	if (s->known & HOST_PART_RECORDS) {
		json_open(o, "records", '[');
		for (size_t i = 0; i < s->n_records; i++)
			wire_put_record(o, NULL, &s->records[i]);
		json_close(o, ']');
	}
	if (s->known & HOST_PART_CERTS) {
		json_open(o, "certs", '[');
		for (size_t i = 0; i < s->n_certs; i++)
			put_cert(o, &s->certs[i], pem[i]);
		json_close(o, ']');
	}
	if (s->known & HOST_PART_SITES) {
		json_open(o, "sites", '[');
		for (size_t i = 0; i < s->n_sites; i++)
			put_site(o, &s->sites[i]);
		json_close(o, ']');
	}
	if (s->known & HOST_PART_SERVICES)
		put_running(o, "services", s->services, s->n_services);
	if (s->known & HOST_PART_SETTINGS) {
		json_open(o, "settings", '{');
		wire_put_tri(o, "allow_internal_untrusted", s->allow_internal_untrusted);
		json_put_str(o, "tls_protocols", s->tls_protocols);
		json_close(o, '}');
	}
	if (s->known & HOST_PART_ITC) {
		json_open(o, "itc", '{');
		if (s->itc_known)
			wire_put_thumbprint(o, "thumbprint", s->itc);
		json_close(o, '}');
	}
	if (s->known & HOST_PART_BOOT) {
		json_open(o, "boot", '{');
		json_put_time(o, "time", s->boot_time);
		json_put_time(o, "update_time", s->update_time);
		json_put_str(o, "update", s->update[0] ? s->update : NULL);
		json_close(o, '}');
	}
	if (s->known & HOST_PART_POOLS)
		put_running(o, "pools", s->pools, s->n_pools);
}

static int get_records(const struct json *list, struct host_state *s, struct err *e)
{
	if (too_many(list, HOST_RECORDS, "records", e) < 0)
		return -1;
	s->n_records = 0;
	for (size_t i = 0; i < json_len(list); i++)
		if (wire_get_record(json_at(list, i), &s->records[s->n_records++], e) < 0)
			return -1;
	return 0;
}

static int get_certs(const struct json *list, struct host_state *s, struct err *e)
{
	if (too_many(list, HOST_CERTS, "certificates", e) < 0)
		return -1;
	s->n_certs = 0;
	for (size_t i = 0; i < json_len(list); i++)
		if (get_cert(json_at(list, i), &s->certs[s->n_certs++], e) < 0)
			return -1;
	return 0;
}

static int get_sites(const struct json *list, struct host_state *s, struct err *e)
{
	if (too_many(list, HOST_SITES, "sites", e) < 0)
		return -1;
	s->n_sites = 0;
	for (size_t i = 0; i < json_len(list); i++)
		if (get_site(json_at(list, i), &s->sites[s->n_sites++], e) < 0)
			return -1;
	return 0;
}

static int get_running(const struct json *list, struct host_service *to, const char *what, struct err *e)
{
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *j = json_at(list, i);

		if (wire_take(to[i].name, sizeof(to[i].name), json_get(j, "name"), what, e) < 0)
			return -1;
		if (wire_tri(json_get(j, "running")) == TRI_UNKNOWN)
			return err_set(e, ERR_IO, "%s '%s' does not say whether it is 'running'", what, to[i].name);
		to[i].running = json_bool(json_get(j, "running"), false);
	}
	return 0;
}

static int get_services(const struct json *list, struct host_state *s, struct err *e)
{
	if (too_many(list, HOST_SERVICES, "services", e) < 0)
		return -1;
	s->n_services = json_len(list);
	return get_running(list, s->services, "service.name", e);
}

static int get_pools(const struct json *list, struct host_state *s, struct err *e)
{
	if (too_many(list, HOST_POOLS, "application pools", e) < 0)
		return -1;
	s->n_pools = json_len(list);
	return get_running(list, s->pools, "pool.name", e);
}

static int get_settings(const struct json *j, struct host_state *s, struct err *e)
{
	(void)e;
	s->allow_internal_untrusted = wire_tri(json_get(j, "allow_internal_untrusted"));
	wire_clean(s->tls_protocols, sizeof(s->tls_protocols), json_get(j, "tls_protocols"));
	return 0;
}

static int get_itc(const struct json *j, struct host_state *s, struct err *e)
{
	s->itc_known = !json_is_null(json_get(j, "thumbprint"));
	return wire_get_thumbprint(s->itc, json_get(j, "thumbprint"), "itc.thumbprint", e);
}

static int get_boot(const struct json *j, struct host_state *s, struct err *e)
{
	wire_clean(s->update, sizeof(s->update), json_get(j, "update"));
	if (wire_time(&s->update_time, json_get(j, "update_time"), "boot.update_time", e) < 0)
		return -1;
	return wire_time(&s->boot_time, json_get(j, "time"), "boot.time", e);
}

int wire_get_state(const struct json *j, unsigned parts, struct host_state *s, struct err *e)
{
	static int (*const readers[])(const struct json *, struct host_state *, struct err *) = {
		get_records, get_certs, get_sites, get_services, get_settings, get_itc, get_boot, get_pools,
	};
	const unsigned lists = HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES | HOST_PART_SERVICES | HOST_PART_POOLS;

	for (unsigned i = 0; i < COUNT(part_words); i++) {
		const struct json *part = json_get(j, part_words[i]);
		bool list = lists & 1u << i;

		if (!(parts & 1u << i) || json_is_null(part))
			continue;
		if (list ? !json_is_array(part) : !json_is_object(part))
			return err_set(e, ERR_IO, "the part '%s' is no %s", part_words[i], list ? "list" : "object");
		s->known &= ~(1u << i);
		if (readers[i](part, s, e) < 0)
			return -1;
		s->known |= 1u << i;
	}
	return 0;
}

void wire_put_parts(struct json_out *o, unsigned parts)
{
	json_open(o, "parts", '[');
	for (unsigned i = 0; i < COUNT(part_words); i++)
		if (parts & 1u << i)
			json_put_str(o, NULL, part_words[i]);
	json_close(o, ']');
}

int wire_get_parts(const struct json *j, unsigned *parts, struct err *e)
{
	const struct json *list = json_get(j, "parts");

	*parts = 0;
	if (!json_is_array(list))
		return err_set(e, ERR_IO, "observe needs a list 'parts'");
	for (size_t i = 0; i < json_len(list); i++) {
		int k = wire_word(json_str(json_at(list, i), ""), part_words, COUNT(part_words));

		if (k >= 0)
			*parts |= 1u << k;
	}
	return 0;
}

void wire_put_busy(struct json_out *o, enum host_busy b, const char *what)
{
	json_put_str(o, "state", busy_words[b]);
	json_put_str(o, "what", what);
}

int wire_get_busy(const struct json *j, enum host_busy *b, char what[static 128], struct err *e)
{
	int i = wire_word(json_str(json_get(j, "state"), ""), busy_words, COUNT(busy_words));

	if (i < 0)
		return err_set(e, ERR_IO, "busy.state must be free, maintenance, installing, recovering or reboot_pending");
	*b = (enum host_busy)i;
	wire_clean(what, 128, json_get(j, "what"));
	return 0;
}

void wire_put_ask(struct json_out *o, const struct host_probe_ask *a)
{
	json_put_str(o, "kind", probe_words[a->kind]);
	json_put_str(o, "address", a->address);
	json_put_str(o, "version", a->version == TLS_ONLY_1_2 ? "1.2" : "default");
	json_put_str(o, "path", a->path);
	if (a->port != 0)
		json_put_int(o, "port", a->port);
}

int wire_get_ask(const struct json *j, struct host_probe_ask *a, struct err *e)
{
	int kind = wire_word(json_str(json_get(j, "kind"), ""), probe_words, COUNT(probe_words));

	memset(a, 0, sizeof(*a));
	if (kind < 0)
		return err_set(e, ERR_IO, "probe.kind must be backend, frontend or hop");
	a->kind = (enum host_probe_kind)kind;
	a->version = strcmp(json_str(json_get(j, "version"), "default"), "1.2") == 0 ? TLS_ONLY_1_2 : TLS_DEFAULT;
	if (wire_take(a->address, sizeof(a->address), json_get(j, "address"), "probe.address", e) < 0)
		return -1;
	/* 0 or missing: the door's own */
	if (json_int(json_get(j, "port"), 0) != 0 && wire_port(&a->port, json_get(j, "port"), 0, "probe.port", e) < 0)
		return -1;
	return wire_take(a->path, sizeof(a->path), json_get(j, "path"), "probe.path", e);
}

void wire_put_probe(struct json_out *o, const struct probe_result *r, const char *leaf_pem)
{
	json_put_str(o, "tcp", probe_tcp_text(r->tcp));
	json_put_str(o, "tls", probe_tls_text(r->tls));
	json_put_int(o, "alert", r->alert);
	json_put_str(o, "tls_version", r->tls_version);
	json_put_str(o, "cipher", r->cipher);
	json_put_str(o, "leaf", leaf_pem);
	json_put_int(o, "chain_length", r->chain_length);
	json_put_int(o, "http_status", r->http_status);
	json_put_str(o, "answer_header", r->answer_header);
	json_put_int(o, "took_ms", r->took_us / 1000);
	json_put_str(o, "detail", r->detail);
}

static int64_t took_us(const struct json *ms)
{
	int64_t v = json_int(ms, 0);

	return v < 0 || v > US_DAY / 1000 ? 0 : v * 1000;
}

int wire_get_probe(const struct json *j, struct probe_result *r, struct err *e)
{
	const char *leaf = json_str(json_get(j, "leaf"), NULL);

	memset(r, 0, sizeof(*r));
	if (!probe_tcp_parse(json_str(json_get(j, "tcp"), ""), &r->tcp) || !probe_tls_parse(json_str(json_get(j, "tls"), ""), &r->tls))
		return err_set(e, ERR_IO, "probe.tcp or probe.tls is none of the words that the protocol knows");
	r->alert = (int)json_int(json_get(j, "alert"), 0);
	wire_clean(r->tls_version, sizeof(r->tls_version), json_get(j, "tls_version"));
	wire_clean(r->cipher, sizeof(r->cipher), json_get(j, "cipher"));
	r->chain_length = (int)json_int(json_get(j, "chain_length"), 0);
	r->http_status = (int)json_int(json_get(j, "http_status"), 0);
	text_copy(r->answer_header, sizeof(r->answer_header), json_str(json_get(j, "answer_header"), ""));
	for (char *p = r->answer_header; *p; p++)
		if (is_control(*p) && *p != '\n')
			*p = '?';
	r->took_us = took_us(json_get(j, "took_ms"));
	wire_clean(r->detail, sizeof(r->detail), json_get(j, "detail"));
	if (leaf == NULL)
		return 0;
	if (cert_parse_pem(leaf, strlen(leaf), &r->leaf, e) < 0)
		return err_prefix(e, "the certificate of a probe");
	r->has_leaf = true;
	return 0;
}
