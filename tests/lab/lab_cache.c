/* lab_cache.c - HTTP.SYS's table as it is really served: a record, and the credentials that were loaded for it.
 *
 * As on Windows a deleted certificate goes on being served from the cache until a restart or until the record is set anew.
 * The cache lives in the server's memory only. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/text.h"
#include "lab/server.h"

static SSL_CTX *make_context(const char *cert_pem, const char *key_pem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *cb = BIO_new_mem_buf(cert_pem, -1), *kb = BIO_new_mem_buf(key_pem, -1);
	X509 *x = PEM_read_bio_X509(cb, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(kb, NULL, NULL, NULL);
	bool ok;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION); /* Exchange before 2019 CU15 knows no 1.3 */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* each handshake uses the certificate */
	ok = x && key && SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(cb);
	BIO_free(kb);
	ERR_clear_error();
	if (ok)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *load(const struct lab *l, const struct host_record *r, enum door_why *why)
{
	struct store_cert *c = store_find(l, r->store[0] ? r->store : "MY", r->thumbprint);
	SSL_CTX *ctx = NULL;
	char *key;

	*why = DOOR_NO_CERTIFICATE;
	if (!c)
		return NULL;
	*why = c->cert.has_key == TRI_NO && c->cert.key_matches == TRI_YES ? DOOR_NO_KEY_INFO : DOOR_NO_KEY;
	key = is_usable(c) ? store_key(l, c) : NULL;
	if (key)
		ctx = make_context(c->pem, key);
	if (ctx)
		*why = DOOR_OK;
	cert_wipe(key);
	store_free(c, 1);
	return ctx;
}

void cache_drop(struct server *s)
{
	for (size_t i = 0; i < s->n_cache; i++)
		SSL_CTX_free(s->cache[i].ctx);
	s->n_cache = 0;
}

static struct cached *cached_for(struct server *s, const char *endpoint)
{
	for (size_t i = 0; i < s->n_cache; i++)
		if (strcmp(s->cache[i].endpoint, endpoint) == 0)
			return &s->cache[i];
	return NULL;
}

/* The context of a record, from the cache or from the store. NULL: *why. Owned by the cache. */
static SSL_CTX *fetch(struct server *s, const struct lab_state *st, const struct host_record *r, enum door_why *why)
{
	struct cached *c;
	int64_t set = st->record_set[r - st->is.records];

	if (s->epoch != st->cache_epoch) {
		cache_drop(s);
		s->epoch = st->cache_epoch;
	}
	c = cached_for(s, r->endpoint);
	if (c && c->set == set && c->ctx) {
		*why = DOOR_OK;
		return c->ctx;
	}
	if (!c) {
		if (s->n_cache == HOST_RECORDS) /* of records long gone */
			cache_drop(s);
		c = &s->cache[s->n_cache++];
		memset(c, 0, sizeof *c);
		text_copy(c->endpoint, sizeof c->endpoint, r->endpoint);
	}
	SSL_CTX_free(c->ctx);
	c->ctx = load(s->lab, r, why);
	c->set = set;
	return c->ctx;
}

void cache_load_all(struct server *s, struct lab_state *st)
{
	enum door_why why;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < st->is.n_records; i++)
		fetch(s, st, &st->is.records[i], &why);
	pthread_mutex_unlock(&s->lock);
}

/* HTTP.SYS takes the most exact record: the address, then the wildcard of the caller's family, then 0.0.0.0. */
static struct host_record *choose(struct lab_state *st, enum door_kind kind, bool v6)
{
	static const char *const names[3][2][3] = {
		[DOOR_FRONTEND] = {{NULL, NULL, FRONTEND_ENDPOINT}, {NULL, "[::]:443", FRONTEND_ENDPOINT}},
		[DOOR_LOCAL] = {{LOCAL_ENDPOINT, NULL, FRONTEND_ENDPOINT}, {"[::1]:443", "[::]:443", FRONTEND_ENDPOINT}},
		[DOOR_BACKEND] = {{"127.0.0.1:444", NULL, BACKEND_ENDPOINT}, {"[::1]:444", "[::]:444", BACKEND_ENDPOINT}},
	};

	for (int i = 0; i < 3; i++) {
		const char *name = names[kind][v6][i];
		struct host_record *r = name ? state_record(st, name) : NULL;

		if (r)
			return r;
	}
	return NULL;
}

/* Where a binding sends those whom it does not mean: HTTP.SYS finds no site for them. */
static void about_site(struct lab_state *st, struct opened *to)
{
	struct host_site *site = state_site(st, BACKEND_SITE);
	const struct host_binding *b = site ? binding_444(site) : NULL;
	const char *host = b ? strrchr(b->information, ':') + 1 : "";

	if (host[0])
		text_copy(to->host, sizeof to->host, host);
	else if (b && !text_starts(b->information, "*:"))
		text_copy(to->host, sizeof to->host, "ADDRESS");
}

bool cache_open(struct server *s, enum door_kind kind, bool v6, struct opened *to)
{
	struct lab_state *st = state_begin(s->lab, false, NULL);
	struct host_record *r = st ? choose(st, kind, v6) : NULL;

	memset(to, 0, sizeof *to);
	to->why = DOOR_NO_RECORD;
	if (!st)
		return false;
	to->wrong = st->wrong;
	memcpy(to->pools, st->is.pools, sizeof to->pools);
	to->n_pools = st->is.n_pools;
	if (kind == DOOR_BACKEND)
		about_site(st, to);
	pthread_mutex_lock(&s->lock);
	if (r) {
		/* a caller over IPv6 sees the wildcard of its own family in 15021, whatever the record's spelling */
		bool wildcard = text_starts(r->endpoint, "0.0.0.0:");

		text_copy(to->endpoint, sizeof to->endpoint,
			v6 && wildcard ? (kind == DOOR_BACKEND ? "[::]:444" : "[::]:443") : r->endpoint);
		to->ctx = fetch(s, st, r, &to->why);
		if (to->ctx)
			SSL_CTX_up_ref(to->ctx);
	}
	pthread_mutex_unlock(&s->lock);
	state_end(st);
	return true;
}
