/* heal_oracle.c - see heal_oracle.h. Promises to be written once and to trust nothing that it judges: its own reader of heal.db,
 * its own chain, its own comparison. Refuses a ledger that is not intact, an act without intent, an intent without an end,
 * anything older than us that differs, and an end that is none of: as before, healthy, escalated. */
#include "lib/heal_oracle.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define REPAIRS 16

static bool wrong(struct oracle *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct oracle *o, const char *fmt, ...)
{
	va_list args;

	if (o->wrong[0] != '\0')
		return false;
	va_start(args, fmt);
	(void)vsnprintf(o->wrong, sizeof(o->wrong), fmt, args);
	va_end(args);
	return false;
}

/* ---- the server ---- */

static void look_at_front(const struct fake_world *w, struct oracle_picture *to)
{
	const struct host_record *r = fake_record(w, FAKE_FRONTEND);
	const struct host_cert *c = r ? fake_cert(w, r->thumbprint, r->store) : NULL;
	const struct host_site *s = &w->state->sites[0];

	if (c == NULL)
		return;
	memcpy(to->front, c->info.thumbprint, 20);
	to->front_status = s->started && s->n_bindings > 0 && fake_served(w) != NULL && !w->hop_fails && !w->tls10_only ? 200 : 500;
}

static int by_endpoint(const void *a, const void *b)
{
	return strcmp(((const struct host_record *)a)->endpoint, ((const struct host_record *)b)->endpoint);
}

static int by_cert(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct oracle_picture *)NULL)->certs[0]));
}

static int by_binding(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_binding));
}

/* In whatever order the host lists it. */
static void sort(struct oracle_picture *p)
{
	qsort(p->records, p->n_records, sizeof(p->records[0]), by_endpoint);
	qsort(p->certs, p->n_certs, sizeof(p->certs[0]), by_cert);
	for (size_t i = 0; i < p->n_sites; i++)
		qsort(p->sites[i].bindings, p->sites[i].n_bindings, sizeof(p->sites[i].bindings[0]), by_binding);
}

static void look(const struct fake_world *w, struct oracle_picture *to)
{
	const struct host_state *s = w->state;

	memset(to, 0, sizeof(*to));
	to->n_records = s->n_records;
	memcpy(to->records, s->records, sizeof(to->records[0]) * s->n_records);
	to->n_certs = s->n_certs < 32 ? s->n_certs : 32;
	for (size_t i = 0; i < to->n_certs; i++) {
		memcpy(to->certs[i].thumbprint, s->certs[i].info.thumbprint, 20);
		text_copy(to->certs[i].store, sizeof(to->certs[i].store), s->certs[i].store);
		text_copy(to->certs[i].container, sizeof(to->certs[i].container), s->certs[i].container);
		to->certs[i].has_key = s->certs[i].has_key;
		to->certs[i].key_opens = s->certs[i].key_opens;
		to->certs[i].key_matches = s->certs[i].key_matches;
	}
	to->n_sites = s->n_sites;
	memcpy(to->sites, s->sites, sizeof(to->sites[0]) * s->n_sites);
	sort(to);
	look_at_front(w, to);
}

void oracle_begin(struct oracle *o, const struct fake_world *w, const char *db_path)
{
	memset(o, 0, sizeof(*o));
	o->world = w;
	o->db_path = db_path;
	look(w, &o->before);
}

/* ---- heal.db ---- */

static sqlite3 *open_db(struct oracle *o)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(o->db_path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		return db;
	(void)wrong(o, "heal.db cannot be opened: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return NULL;
}

static const char *text_of(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_text(s, column);

	return p ? p : "";
}

static struct json *parse(const char *s)
{
	struct err e;

	return json_parse(s, strlen(s), &e);
}

static const char *str(const struct json *j, const char *key)
{
	return json_str(json_get(j, key), "");
}

void oracle_step(struct oracle *o, const struct host_step *s, bool undo)
{
	sqlite3 *db = open_db(o);
	sqlite3_stmt *q = NULL;
	struct json *body = NULL;
	const struct json *act;

	o->steps++;
	if (db != NULL && sqlite3_prepare_v2(db, "select kind, body from ledger order by seq desc limit 1", -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		body = parse(text_of(q, 1));
	act = json_get(body, "act");
	if (body == NULL || strcmp(text_of(q, 0), undo ? "undo-intent" : "intent") != 0 ||
	    strcmp(str(act, "kind"), step_kind_text(s->kind)) != 0 || strcmp(str(act, "token"), s->token) != 0 ||
	    strcmp(str(act, "endpoint"), s->endpoint) != 0)
		(void)wrong(o, "%s%s reached the host without its intent on disk", undo ? "undo of " : "", step_kind_text(s->kind));
	json_free(body);
	sqlite3_finalize(q);
	sqlite3_close(db);
}

static void hash_bytes_of(EVP_MD_CTX *c, const void *p, size_t n)
{
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
	(void)EVP_DigestUpdate(c, length, 8);
	(void)EVP_DigestUpdate(c, p, n);
}

static void hash_number(EVP_MD_CTX *c, int64_t v)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	hash_bytes_of(c, b, 8);
}

/* Row: seq, time, kind, host, case_id, body, previous, hash. */
static bool chain_fits(struct oracle *o, sqlite3_stmt *q, int64_t seq, uint8_t head[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const void *previous = sqlite3_column_blob(q, 6), *hash = sqlite3_column_blob(q, 7);
	uint8_t is[32];
	bool fits = sqlite3_column_int64(q, 0) == seq && sqlite3_column_bytes(q, 6) == 32 && sqlite3_column_bytes(q, 7) == 32 &&
		memcmp(previous, head, 32) == 0;

	(void)EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	hash_bytes_of(c, head, 32);
	hash_number(c, seq);
	hash_number(c, sqlite3_column_int64(q, 1));
	for (int i = 2; i < 4; i++)
		hash_bytes_of(c, text_of(q, i), strlen(text_of(q, i)));
	hash_number(c, sqlite3_column_int64(q, 4));
	hash_bytes_of(c, text_of(q, 5), strlen(text_of(q, 5)));
	(void)EVP_DigestFinal_ex(c, is, NULL);
	EVP_MD_CTX_free(c);
	memcpy(head, is, 32);
	return (fits && memcmp(is, hash, 32) == 0) || wrong(o, "the chain breaks at record %lld", (long long)seq);
}

/* One repair, as its records tell it. */
struct story {
	char token[80];
	int began, ended, failed, pending;
	int creates, restores;
};

struct reading {
	struct oracle *o;
	struct story stories[REPAIRS];
	size_t n;
	const struct oracle_picture *now;
	/* what the ledger accounts for */
	bool old_record;    /* 444's old bytes are in a snapshot */
	bool bindings[HOST_SITES][HOST_BINDINGS]; /* of now->sites */
	bool keys[32];      /* of before.certs: a key_repair names it */
};

static struct story *story_of(struct reading *r, const char *token)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->stories[i].token, token) == 0)
			return &r->stories[i];
	text_copy(r->stories[r->n].token, sizeof(r->stories[0].token), token);
	return r->n < REPAIRS - 1 ? &r->stories[r->n++] : &r->stories[r->n];
}

static bool is_record(const struct json *j, const struct host_record *r)
{
	char hex[41];

	text_hex(hex, r->thumbprint, 20);
	return strcmp(str(j, "endpoint"), r->endpoint) == 0 && strcmp(str(j, "thumbprint"), hex) == 0 &&
		strcmp(str(j, "store"), r->store) == 0 && strcmp(str(j, "appid"), r->appid) == 0 &&
		json_int(json_get(j, "flags"), -1) == r->flags;
}

static const struct host_record *record_in(const struct oracle_picture *p, const char *endpoint)
{
	for (size_t i = 0; i < p->n_records; i++)
		if (strcmp(p->records[i].endpoint, endpoint) == 0)
			return &p->records[i];
	return NULL;
}

static void read_snapshot(struct reading *r, const struct json *snapshot)
{
	const struct json *list = json_get(json_get(snapshot, "state"), "records");
	const struct host_record *old = record_in(&r->o->before, FAKE_BACKEND);

	for (size_t i = 0; old != NULL && i < json_len(list); i++)
		r->old_record = r->old_record || is_record(json_at(list, i), old);
}

static void read_act(struct reading *r, struct story *s, const struct json *act)
{
	const char *kind = str(act, "kind");
	const struct json *b = json_get(act, "binding");
	char hex[41];

	s->creates += strcmp(kind, "cert_create") == 0;
	s->restores += strcmp(kind, "cert_restore") == 0;
	for (size_t i = 0; strcmp(kind, "site_binding_add") == 0 && i < r->now->n_sites; i++)
		for (size_t k = 0; k < r->now->sites[i].n_bindings; k++)
			r->bindings[i][k] = r->bindings[i][k] || (strcmp(r->now->sites[i].name, str(act, "site")) == 0 &&
				strcmp(r->now->sites[i].bindings[k].information, str(b, "information")) == 0 &&
				json_int(json_get(b, "ssl_flags"), -1) == r->now->sites[i].bindings[k].ssl_flags);
	for (size_t i = 0; strcmp(kind, "key_repair") == 0 && i < r->o->before.n_certs; i++) {
		text_hex(hex, r->o->before.certs[i].thumbprint, 20);
		r->keys[i] = r->keys[i] || strcmp(hex, str(act, "thumbprint")) == 0;
	}
}

static bool read_record(struct reading *r, const char *kind, const struct json *body)
{
	bool intent = strcmp(kind, "intent") == 0, undo = strcmp(kind, "undo-intent") == 0;
	bool outcome = strcmp(kind, "outcome") == 0 || strcmp(kind, "undo-outcome") == 0 || strcmp(kind, "interrupted") == 0;
	const char *token = str(body, "repair");
	struct story *s;

	if (token[0] == '\0')
		return true;
	s = story_of(r, token);
	if (strcmp(kind, "repair-begin") == 0) {
		s->began++;
		read_snapshot(r, json_get(body, "snapshot"));
	} else if (strcmp(kind, "repair-end") == 0) {
		s->ended++;
		s->failed += strcmp(str(body, "result"), "healed") != 0;
	}
	if (intent)
		read_act(r, s, json_get(body, "act"));
	if ((intent || undo) && (s->began != 1 || s->pending != 0 || (intent && s->ended != 0)))
		return wrong(r->o, "an intent of repair %.8s stands where none may be", token);
	if (outcome && s->pending != 1)
		return wrong(r->o, "'%s' of repair %.8s has no intent", kind, token);
	s->pending += intent || undo ? 1 : outcome ? -1 : 0;
	return s->ended <= 1 || wrong(r->o, "repair %.8s ends twice", token);
}

static bool read_ledger(struct reading *r, sqlite3 *db)
{
	sqlite3_stmt *q = NULL;
	uint8_t head[32] = {0};
	int64_t seq = 0;
	bool good = sqlite3_prepare_v2(db, "select seq, time, kind, host, case_id, body, previous, hash from ledger order by seq", -1, &q,
		NULL) == SQLITE_OK;

	while (good && sqlite3_step(q) == SQLITE_ROW) {
		struct json *body = parse(text_of(q, 5));

		good = chain_fits(r->o, q, ++seq, head) && (body != NULL || wrong(r->o, "record %lld is no JSON", (long long)seq)) &&
			read_record(r, text_of(q, 2), body);
		json_free(body);
	}
	sqlite3_finalize(q);
	for (size_t i = 0; good && i < r->n; i++)
		if (r->stories[i].pending != 0)
			good = wrong(r->o, "an intent of repair %.8s has no outcome and is not interrupted", r->stories[i].token);
	return good;
}

static bool is_escalated(sqlite3 *db)
{
	sqlite3_stmt *q = NULL;
	bool is = sqlite3_prepare_v2(db, "select 1 from cases where state = 'escalated'", -1, &q, NULL) == SQLITE_OK &&
		sqlite3_step(q) == SQLITE_ROW;

	sqlite3_finalize(q);
	return is;
}

/* ---- the judgement ---- */

/* A picture is cleared before it is filled, so that the bytes between members are equal too. */
static bool same_bytes(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

static bool records_are_kept(struct oracle *o, const struct reading *r)
{
	const struct host_record *old = record_in(&o->before, FAKE_BACKEND), *new = record_in(r->now, FAKE_BACKEND);

	for (size_t i = 0; i < o->before.n_records; i++) {
		const struct host_record *b = &o->before.records[i], *is = record_in(r->now, b->endpoint);

		if (b != old && (is == NULL || !same_bytes(is, b, sizeof(*b))))
			return wrong(o, "the record for %s is not what it was", b->endpoint);
	}
	for (size_t i = 0; i < r->now->n_records; i++)
		if (&r->now->records[i] != new && record_in(&o->before, r->now->records[i].endpoint) == NULL)
			return wrong(o, "there is a new record for %s", r->now->records[i].endpoint);
	if (old != NULL && (new == NULL || !same_bytes(old, new, sizeof(*old))) && !r->old_record)
		return wrong(o, "the record for 444 was changed, and the ledger does not have its old bytes");
	return true;
}

static bool is_ours(const struct reading *r, const uint8_t thumbprint[20])
{
	const struct fake_world *w = r->o->world;

	for (size_t i = 0; i < w->n_made; i++)
		for (size_t k = 0; memcmp(w->made[i].thumbprint, thumbprint, 20) == 0 && k < r->n; k++)
			if (strcmp(w->made[i].token, r->stories[k].token) == 0 && r->stories[k].creates + r->stories[k].restores > 0)
				return true;
	return false;
}

static bool certs_are_kept(struct oracle *o, const struct reading *r)
{
	const struct oracle_picture *now = r->now;
	size_t of_before = 0;

	for (size_t i = 0; i < o->before.n_certs; i++) {
		bool kept = false;

		for (size_t k = 0; k < now->n_certs; k++) {
			if (memcmp(now->certs[k].thumbprint, o->before.certs[i].thumbprint, 20) != 0 ||
			    strcmp(now->certs[k].store, o->before.certs[i].store) != 0)
				continue;
			of_before++;
			kept = memcmp(&now->certs[k], &o->before.certs[i], sizeof(now->certs[k])) == 0 || r->keys[i];
		}
		if (!kept)
			return wrong(o, "certificate %zu that was there is gone, or its key is not as it was", i + 1);
	}
	for (size_t k = 0; k < now->n_certs; k++) {
		bool old = false;

		for (size_t i = 0; i < o->before.n_certs; i++)
			old = old || (memcmp(now->certs[k].thumbprint, o->before.certs[i].thumbprint, 20) == 0 &&
				strcmp(now->certs[k].store, o->before.certs[i].store) == 0);
		if (!old && !is_ours(r, now->certs[k].thumbprint))
			return wrong(o, "there is a certificate that no repair accounts for");
	}
	return of_before == o->before.n_certs || wrong(o, "a certificate is there twice");
}

static bool sites_are_kept(struct oracle *o, const struct reading *r)
{
	for (size_t i = 0; i < o->before.n_sites; i++) {
		const struct host_site *was = &o->before.sites[i], *is = &r->now->sites[i];

		if (is->started != was->started || strcmp(is->name, was->name) != 0)
			return wrong(o, "the site '%s' is not as it was", was->name);
		for (size_t k = 0; k < was->n_bindings; k++) {
			bool kept = false;

			for (size_t n = 0; n < is->n_bindings; n++)
				kept = kept || memcmp(&is->bindings[n], &was->bindings[k], sizeof(was->bindings[k])) == 0;
			if (!kept)
				return wrong(o, "a binding of '%s' is gone", was->name);
		}
		for (size_t n = 0; n < is->n_bindings; n++) {
			bool old = r->bindings[i][n];

			for (size_t k = 0; k < was->n_bindings; k++)
				old = old || memcmp(&is->bindings[n], &was->bindings[k], sizeof(was->bindings[k])) == 0;
			if (!old)
				return wrong(o, "'%s' has a binding that no repair accounts for", was->name);
		}
	}
	return r->now->n_sites == o->before.n_sites || wrong(o, "a site came or went");
}

static bool same_world(const struct oracle *o, const struct oracle_picture *now)
{
	return same_bytes(&o->before, now, sizeof(*now));
}

static bool is_healthy(const struct oracle *o, const struct oracle_picture *now)
{
	const struct cert_info *c = fake_served(o->world);
	int64_t wall = o->world->clock->wall;

	return fake_backend_works(o->world) && c != NULL && c->not_before <= wall && wall <= c->not_after && now->front_status == 200 &&
		!o->world->pool_down;
}

bool oracle_same(const struct oracle *o)
{
	struct oracle_picture now;

	look(o->world, &now);
	return same_world(o, &now);
}

bool oracle_healthy(const struct oracle *o)
{
	struct oracle_picture now;

	look(o->world, &now);
	return is_healthy(o, &now);
}

static bool judge(struct oracle *o, sqlite3 *db, struct reading *r)
{
	const struct oracle_picture *now = r->now;

	if (!read_ledger(r, db) || !records_are_kept(o, r) || !certs_are_kept(o, r) || !sites_are_kept(o, r))
		return wrong(o, "heal.db cannot be read");
	if (memcmp(now->front, o->before.front, 20) != 0)
		return wrong(o, "443 shows another certificate");
	for (size_t i = 0; i < r->n; i++) {
		int made = 0;

		for (size_t k = 0; k < o->world->n_made; k++)
			made += strcmp(o->world->made[k].token, r->stories[i].token) == 0;
		if (made > 1)
			return wrong(o, "one repair made %d certificates", made);
	}
	return same_world(o, now) || is_healthy(o, now) || is_escalated(db) ||
		wrong(o, "the host is neither as it was nor healthy, and no person was called");
}

bool oracle_check(struct oracle *o)
{
	struct oracle_picture now;
	struct reading r = {.o = o, .now = &now};
	sqlite3 *db = open_db(o);
	bool good;

	look(o->world, &now);
	good = db != NULL && o->wrong[0] == '\0' && judge(o, db, &r);
	sqlite3_close(db);
	return good;
}
