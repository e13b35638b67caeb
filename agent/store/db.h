/* db.h - the only user of SQLite. One file a role, WAL; the schema is a list of versions, migrated in one transaction; a file that
 * is newer than the program is refused with advice. */
#ifndef EVMEND_STORE_DB_H
#define EVMEND_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct db_row; /* a prepared statement that is being stepped */

struct db_schema {
	const char *const *versions; /* versions[i]: the SQL that leads from version i to i+1 */
	size_t n;
	bool full_sync; /* synchronous=FULL (the ledger, the spool); else NORMAL */
};

enum db_mode { DB_WRITE, DB_READ /* the file must exist; for verbs that look at a running agent's state */ };

struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode, struct err *e);
void db_close(struct db *d);
int db_begin(struct db *d, struct err *e); /* BEGIN IMMEDIATE */
int db_commit(struct db *d, struct err *e);
void db_rollback(struct db *d);
/* A disk that is full and a file that is corrupt are told in words with what to do. ERR_IO. */
int db_exec(struct db *d, const char *sql, struct err *e);

/* "insert into x values (?,?)": statements are prepared once and kept by their text (a string literal). Bind from 1, then step. */
struct db_row *db_prepare(struct db *d, const char *sql, struct err *e);
void db_bind_int(struct db_row *r, int i, int64_t v);
void db_bind_text(struct db_row *r, int i, const char *s); /* copied; NULL: null */
void db_bind_blob(struct db_row *r, int i, const void *p, size_t n);
int db_step(struct db_row *r, struct err *e); /* 1: a row; 0: done; -1 */
int64_t db_int(struct db_row *r, int column); /* from 0 */
const char *db_text(struct db_row *r, int column); /* "" for null; until the next step */
const void *db_blob(struct db_row *r, int column, size_t *n);
void db_done(struct db_row *r); /* resets it, so that locks go */
int64_t db_last_id(struct db *d);
/* Tests: the n-th write (commit) from now fails as a full disk would. 0: never. */
void db_fail_at(struct db *d, int n);

#endif
