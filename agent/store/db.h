/* db.h - the only user of SQLite. One file a role, WAL; the schema is a list of versions, migrated in one transaction; a file that
 * is newer than the program is refused with advice. A handle belongs to one thread. */
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

/* NULL and *e (ERR_IO). DB_WRITE makes the file (mode 0600) and brings its schema up; its folder must exist. */
struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode, struct err *e);
void db_close(struct db *d); /* NULL allowed; an open transaction is rolled back */
int db_begin(struct db *d, struct err *e); /* BEGIN IMMEDIATE */
int db_commit(struct db *d, struct err *e); /* -1: rolled back, nothing of the transaction is there */
void db_rollback(struct db *d); /* nothing happens without a transaction */
/* A disk that is full and a file that is corrupt are told in words with what to do. ERR_IO. */
int db_exec(struct db *d, const char *sql, struct err *e);

/* "insert into x values (?,?)": statements are prepared once and kept by their text (a string literal: the pointer is kept).
 * Bind from 1, then step. What was bound is cleared by db_done. NULL and *e. */
struct db_row *db_prepare(struct db *d, const char *sql, struct err *e);
void db_bind_int(struct db_row *r, int i, int64_t v);
void db_bind_text(struct db_row *r, int i, const char *s); /* copied; NULL: null */
void db_bind_textn(struct db_row *r, int i, const char *s, size_t n);
void db_bind_blob(struct db_row *r, int i, const void *p, size_t n); /* copied; NULL: null */
/* 1: a row; 0: done; -1 (also for a bind that failed). After a -1 inside a transaction the caller rolls back:
 * SQLite may already have done so by itself. */
int db_step(struct db_row *r, struct err *e);
int64_t db_int(struct db_row *r, int column); /* from 0; 0 for null */
const char *db_text(struct db_row *r, int column); /* "" for null; until the next step */
const void *db_blob(struct db_row *r, int column, size_t *n); /* NULL and 0 for null and empty; until the next step */
bool db_is_null(struct db_row *r, int column);
void db_done(struct db_row *r); /* resets it, so that locks go; NULL allowed */
int64_t db_last_id(struct db *d);
int64_t db_changes(struct db *d); /* rows that the last insert, update or delete touched */
bool db_in_transaction(const struct db *d);
/* Tests: the n-th write to the file or its log from now fails as a full disk would, once; -n: it and all after it.
 * 0: never. db_fail_hit: it has happened since. */
void db_fail_at(struct db *d, int n);
bool db_fail_hit(const struct db *d);
/* "SQLite 3.40.1", for `evmend version`. */
const char *db_library(void);

#endif
