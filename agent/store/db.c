/* db.c - state on disk, by SQLite.
 *
 * Promises: a transaction is there as a whole or not at all, whatever ends the process; a schema is brought up in one
 * transaction; every error is a sentence that names the file and what to do.
 * Refuses: files of a newer program, files that are no database, and extension loading; a second program that writes the
 * same file waits BUSY_MS and is then told who is in the way. */
#include "store/db.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "store/fault_vfs.h"

#define BUSY_MS 5000

struct db_row {
	struct db_row *next;
	struct db *db;
	sqlite3_stmt *stmt;
	const char *sql;
	int bind_code; /* the first bind that failed */
	bool busy;     /* between db_prepare and db_done */
};

struct db {
	sqlite3 *handle;
	char *path;
	struct db_row *rows;
	struct fault_vfs faults;
	bool has_vfs;
};

static int explain(struct db *d, int code, struct err *e)
{
	const char *text = d->handle ? sqlite3_errmsg(d->handle) : sqlite3_errstr(code);
	char words[96];

	switch (code & 0xff) {
	case SQLITE_FULL:
		return err_set(e, ERR_IO, "%s: the disk is full; make room on it, the change was not stored", d->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_IO, "%s: is damaged or no database of ours (%s); move it away to start anew, or "
			       "restore a copy of it", d->path, text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_IO, "%s: another program keeps it locked; is a second agent running?", d->path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(e, ERR_IO, "%s: must not be written here (%s); check its owner and mode, and those of its folder",
			       d->path, text);
	case SQLITE_CANTOPEN:
		return err_set(e, ERR_IO, "%s: cannot be opened: %s; check that its folder exists and may be written", d->path,
			       d->handle ? err_os(sqlite3_system_errno(d->handle), words) : text);
	case SQLITE_IOERR:
		return err_set(e, ERR_IO, "%s: the disk gave an error (%s, %s); check the disk, the change was not stored",
			       d->path, text, d->handle ? err_os(sqlite3_system_errno(d->handle), words) : "");
	case SQLITE_NOMEM:
		die("out of memory in %s; state on disk is consistent, start again", d->path);
	default:
		return err_set(e, ERR_IO, "%s: %s", d->path, text);
	}
}

int db_exec(struct db *d, const char *sql, struct err *e)
{
	int code = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : explain(d, code, e);
}

int db_begin(struct db *d, struct err *e)
{
	return db_exec(d, "BEGIN IMMEDIATE", e);
}

int db_commit(struct db *d, struct err *e)
{
	int result = db_exec(d, "COMMIT", e);

	if (result != 0)
		db_rollback(d);
	return result;
}

void db_rollback(struct db *d)
{
	/* SQLite may have rolled back by itself (full disk, error of the disk). */
	if (db_in_transaction(d))
		sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_in_transaction(const struct db *d)
{
	return !sqlite3_get_autocommit(d->handle);
}

static int version_of(struct db *d, int64_t *version, struct err *e)
{
	struct db_row *r = db_prepare(d, "PRAGMA user_version", e);
	int result = r ? db_step(r, e) : -1;

	if (result == 1)
		*version = db_int(r, 0);
	db_done(r);
	return result == 1 ? 0 : -1;
}

static int bring_up(struct db *d, const struct db_schema *schema, struct err *e)
{
	int64_t version = 0;
	char set[64];

	if (db_begin(d, e) != 0)
		return -1;
	/* Read under the lock: another program may have been quicker. */
	if (version_of(d, &version, e) != 0)
		goto failed;
	for (size_t i = (size_t)version; i < schema->n; i++)
		if (db_exec(d, schema->versions[i], e) != 0)
			goto failed;
	if ((size_t)version < schema->n) {
		snprintf(set, sizeof set, "PRAGMA user_version=%zu", schema->n);
		if (db_exec(d, set, e) != 0)
			goto failed;
	}
	return db_commit(d, e);
failed:
	db_rollback(d);
	return -1;
}

static int check_version(struct db *d, const struct db_schema *schema, enum db_mode mode, struct err *e)
{
	int64_t version = 0;

	if (version_of(d, &version, e) != 0)
		return -1;
	if (version < 0 || (size_t)version > schema->n)
		return err_set(e, ERR_IO, "%s: was written by a newer program (version %lld, this one knows %zu); use that "
			       "program, or move the file away to start anew", d->path, (long long)version, schema->n);
	if ((size_t)version == schema->n)
		return 0;
	if (mode == DB_READ)
		return err_set(e, ERR_IO, "%s: is of an older version (%lld, this program reads %zu); start the agent once, it "
			       "brings the file up", d->path, (long long)version, schema->n);
	return bring_up(d, schema, e);
}

/* SQLite gives the log and its index the mode of the file; so the file must not be born with a wider one. A file that
 * exists is left alone: closing a descriptor of it would drop the locks this process holds on it. */
static int make_file(struct db *d, struct err *e)
{
	struct os_stat st;
	char words[96];
	int fd = os_file.stat(d->path, -1, &st);

	if (fd == -ENOENT)
		fd = os_file.open(d->path, OS_APPEND);
	else if (fd == 0)
		return 0;
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: cannot be made: %s; check that its folder exists and may be written", d->path,
			       err_os(fd, words));
	os_file.close(fd);
	return 0;
}

/* SQLite answers with the mode it took: some network file systems cannot share the log's index. */
static int take_wal(struct db *d, struct err *e)
{
	struct db_row *r = db_prepare(d, "PRAGMA journal_mode=WAL", e);
	int result = r ? db_step(r, e) : -1;

	if (result == 1 && strcmp(db_text(r, 0), "wal") != 0)
		result = err_set(e, ERR_IO, "%s: its file system cannot hold a write-ahead log; put state_dir on a local disk", d->path);
	db_done(r);
	return result == 1 ? 0 : -1;
}

static int set_up(struct db *d, const struct db_schema *schema, enum db_mode mode, struct err *e)
{
	sqlite3_busy_timeout(d->handle, BUSY_MS);
	sqlite3_extended_result_codes(d->handle, 1);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (mode == DB_WRITE && (take_wal(d, e) != 0 || db_exec(d, "PRAGMA foreign_keys=ON", e) != 0))
		return -1;
	if (mode == DB_WRITE && db_exec(d, schema->full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e) != 0)
		return -1;
	return check_version(d, schema, mode, e);
}

struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode, struct err *e)
{
	int flags = mode == DB_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	struct db *d = xcalloc(1, sizeof *d);
	int code;

	d->path = xstrdup(path);
	if (mode == DB_WRITE && make_file(d, e) != 0)
		goto failed;
	if (fault_vfs_add(&d->faults) != SQLITE_OK) {
		err_set(e, ERR_INTERNAL, "%s: SQLite does not start", path);
		goto failed;
	}
	d->has_vfs = true;
	code = sqlite3_open_v2(path, &d->handle, flags | SQLITE_OPEN_NOMUTEX, d->faults.name);
	if (code != SQLITE_OK) {
		explain(d, code, e);
		goto failed;
	}
	if (set_up(d, schema, mode, e) != 0)
		goto failed;
	return d;
failed:
	db_close(d);
	return NULL;
}

void db_close(struct db *d)
{
	if (!d)
		return;
	while (d->rows) {
		struct db_row *r = d->rows;

		d->rows = r->next;
		sqlite3_finalize(r->stmt);
		free(r);
	}
	if (sqlite3_close(d->handle) != SQLITE_OK)
		die("%s: closed while it is still in use", d->path);
	if (d->has_vfs)
		fault_vfs_remove(&d->faults);
	free(d->path);
	free(d);
}

struct db_row *db_prepare(struct db *d, const char *sql, struct err *e)
{
	struct db_row *r;
	int code;

	for (r = d->rows; r; r = r->next) {
		if (r->busy || strcmp(r->sql, sql) != 0)
			continue;
		r->busy = true;
		return r;
	}
	r = xcalloc(1, sizeof *r);
	code = sqlite3_prepare_v3(d->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &r->stmt, NULL);
	if (code != SQLITE_OK) {
		free(r);
		explain(d, code, e);
		return NULL;
	}
	r->db = d;
	r->sql = sql;
	r->busy = true;
	r->next = d->rows;
	d->rows = r;
	return r;
}

static void note(struct db_row *r, int code)
{
	if (r->bind_code == SQLITE_OK)
		r->bind_code = code;
}

void db_bind_int(struct db_row *r, int i, int64_t v)
{
	note(r, sqlite3_bind_int64(r->stmt, i, v));
}

void db_bind_text(struct db_row *r, int i, const char *s)
{
	db_bind_textn(r, i, s, s ? strlen(s) : 0);
}

void db_bind_textn(struct db_row *r, int i, const char *s, size_t n)
{
	note(r, sqlite3_bind_text64(r->stmt, i, s, n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void db_bind_blob(struct db_row *r, int i, const void *p, size_t n)
{
	note(r, sqlite3_bind_blob64(r->stmt, i, p, n, SQLITE_TRANSIENT));
}

int db_step(struct db_row *r, struct err *e)
{
	int code;

	if (r->bind_code != SQLITE_OK)
		return err_set(e, ERR_INTERNAL, "%s: a value does not fit its statement (%s): %s", r->db->path,
			       sqlite3_errstr(r->bind_code), r->sql);
	code = sqlite3_step(r->stmt);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : explain(r->db, code, e);
}

int64_t db_int(struct db_row *r, int column)
{
	return sqlite3_column_int64(r->stmt, column);
}

const char *db_text(struct db_row *r, int column)
{
	const unsigned char *s = sqlite3_column_text(r->stmt, column);

	return s ? (const char *)s : "";
}

const void *db_blob(struct db_row *r, int column, size_t *n)
{
	const void *p = sqlite3_column_blob(r->stmt, column);

	*n = (size_t)sqlite3_column_bytes(r->stmt, column);
	return p;
}

bool db_is_null(struct db_row *r, int column)
{
	return sqlite3_column_type(r->stmt, column) == SQLITE_NULL;
}

void db_done(struct db_row *r)
{
	if (!r)
		return;
	sqlite3_reset(r->stmt);
	sqlite3_clear_bindings(r->stmt);
	r->bind_code = SQLITE_OK;
	r->busy = false;
}

int64_t db_last_id(struct db *d)
{
	return sqlite3_last_insert_rowid(d->handle);
}

int64_t db_changes(struct db *d)
{
	return sqlite3_changes(d->handle);
}

void db_fail_at(struct db *d, int n)
{
	d->faults.for_ever = n < 0;
	d->faults.countdown = n < 0 ? -n : n;
	d->faults.hit = false;
}

bool db_fail_hit(const struct db *d)
{
	return d->faults.hit;
}

const char *db_library(void)
{
	return "SQLite " SQLITE_VERSION;
}
