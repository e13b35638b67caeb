/* ledger.c - the chain of records of everything that was decided and done.
 *
 * Exists so that nobody, we included, can change the past unseen. Promises: a record is on disk when ledger_add returns 0 (or when
 * the caller's transaction is committed); seq has no gap; each hash holds the one before it. Refuses to add to a ledger whose
 * last record cannot be read. */
#include "heal/ledger.h"

#include <string.h>

#include "tls/digest.h"

static void hash_of(const struct ledger_record *r, uint8_t to[32])
{
	struct digest *d = digest_new();

	digest_add(d, r->previous, 32);
	digest_add_int(d, r->seq);
	digest_add_int(d, r->time);
	digest_add_str(d, r->kind);
	digest_add_str(d, r->host);
	digest_add_int(d, r->case_id);
	digest_add_str(d, r->body);
	digest_finish(d, to);
}

/* Seq and hash of the last record; zeros for an empty ledger. */
static int head(struct db *d, int64_t *seq, uint8_t hash[32], struct err *e)
{
	struct db_row *r = db_prepare(d, "select seq, hash from ledger order by seq desc limit 1", e);
	int got = r ? db_step(r, e) : -1;
	size_t n;

	*seq = 0;
	memset(hash, 0, 32);
	if (got == 1) {
		const void *p = db_blob(r, 1, &n);

		*seq = db_int(r, 0);
		if (n == 32)
			memcpy(hash, p, 32);
		else
			got = err_set(e, ERR_IO, "the ledger's last record (%lld) has no hash; run 'evmend ledger verify'", (long long)*seq);
	}
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int insert(struct db *d, const struct ledger_record *l, struct err *e)
{
	struct db_row *r = db_prepare(d, "insert into ledger (seq, time, kind, host, case_id, body, previous, hash) values "
		"(?,?,?,?,?,?,?,?)", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, l->seq);
	db_bind_int(r, 2, l->time);
	db_bind_text(r, 3, l->kind);
	db_bind_text(r, 4, l->host);
	db_bind_int(r, 5, l->case_id);
	db_bind_text(r, 6, l->body);
	db_bind_blob(r, 7, l->previous, 32);
	db_bind_blob(r, 8, l->hash, 32);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

int ledger_add(struct db *d, int64_t now, const char *kind, const char *host, int64_t case_id, const char *body, struct err *e)
{
	struct ledger_record l = {.time = now, .kind = kind, .host = host, .body = body, .case_id = case_id};
	bool own = !db_in_transaction(d);
	int64_t last;

	if (own && db_begin(d, e) < 0)
		return -1;
	if (head(d, &last, l.previous, e) < 0)
		goto failed;
	l.seq = last + 1;
	hash_of(&l, l.hash);
	if (insert(d, &l, e) < 0)
		goto failed;
	return own ? db_commit(d, e) : 0;
failed:
	if (own)
		db_rollback(d);
	return -1;
}

static int take_hash(struct db_row *r, int column, uint8_t to[32])
{
	size_t n;
	const void *p = db_blob(r, column, &n);

	if (n != 32)
		return -1;
	memcpy(to, p, 32);
	return 0;
}

int ledger_each(struct db *d, int64_t from_seq, int (*each)(void *arg, const struct ledger_record *r), void *arg, struct err *e)
{
	struct db_row *r = db_prepare(d, "select seq, time, kind, host, case_id, body, previous, hash from ledger where seq >= ? order "
		"by seq", e);
	int got = -1, end = 0;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, from_seq);
	while (end == 0 && (got = db_step(r, e)) == 1) {
		struct ledger_record l = {
			.seq = db_int(r, 0), .time = db_int(r, 1), .kind = db_text(r, 2), .host = db_text(r, 3), .case_id = db_int(r, 4),
			.body = db_text(r, 5),
		};

		if (take_hash(r, 6, l.previous) < 0 || take_hash(r, 7, l.hash) < 0)
			got = end = err_set(e, ERR_IO, "record %lld of the ledger has no hash", (long long)l.seq);
		else
			end = each(arg, &l);
	}
	db_done(r);
	return got < 0 ? -1 : end;
}

struct check {
	int64_t n;
	uint8_t head[32];
	struct err *e;
};

static int check_one(void *arg, const struct ledger_record *r)
{
	struct check *c = arg;
	uint8_t hash[32];

	if (r->seq != c->n + 1)
		return err_set(c->e, ERR_IO, "the ledger is not intact: record %lld is missing", (long long)(c->n + 1));
	if (memcmp(r->previous, c->head, 32) != 0)
		return err_set(c->e, ERR_IO, "the ledger is not intact: record %lld does not follow the one before it", (long long)r->seq);
	hash_of(r, hash);
	if (memcmp(hash, r->hash, 32) != 0)
		return err_set(c->e, ERR_IO, "the ledger is not intact: record %lld was changed", (long long)r->seq);
	c->n = r->seq;
	memcpy(c->head, hash, 32);
	return 0;
}

int ledger_verify(struct db *d, int64_t *n, uint8_t head_to[32], struct err *e)
{
	struct check c = {.e = e};
	int r = ledger_each(d, 1, check_one, &c, e);

	*n = c.n;
	memcpy(head_to, c.head, 32);
	return r;
}
