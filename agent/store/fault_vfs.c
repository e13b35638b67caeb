/* fault_vfs.c - a thin layer over SQLite's own file layer that can make the n-th write fail.
 *
 * Promises: with no fault asked for, every call goes to SQLite's own layer; a fault is SQLITE_FULL from a write, or from
 * a sync, where a full disk is seen on file systems that allocate late.
 * Refuses: to sit between reads, locks and shared memory: those tables are SQLite's, copied. */
#include "store/fault_vfs.h"

#include <stdio.h>
#include <string.h>

/* Behind each of SQLite's own file objects: what stood in its place. */
struct tail {
	struct fault_vfs *owner;
	const sqlite3_io_methods *real;
	sqlite3_io_methods ours;
};

static sqlite3_vfs *below(void)
{
	return sqlite3_vfs_find(NULL);
}

static size_t tail_offset(void)
{
	size_t n = (size_t)below()->szOsFile, to = _Alignof(struct tail);

	return (n + to - 1) / to * to;
}

static struct tail *tail_of(sqlite3_file *file)
{
	return (struct tail *)(void *)((char *)file + tail_offset());
}

static bool fails_now(struct fault_vfs *f)
{
	if (f->countdown == 0)
		return false;
	if (f->countdown > 1) {
		f->countdown--;
		return false;
	}
	if (!f->for_ever)
		f->countdown = 0;
	f->hit = true;
	return true;
}

static int fault_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 offset)
{
	struct tail *t = tail_of(file);

	return fails_now(t->owner) ? SQLITE_FULL : t->real->xWrite(file, p, n, offset);
}

static int fault_sync(sqlite3_file *file, int flags)
{
	struct tail *t = tail_of(file);

	return fails_now(t->owner) ? SQLITE_FULL : t->real->xSync(file, flags);
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *real = below();
	struct tail *t = tail_of(file);
	int code = real->xOpen(real, name, file, flags, out_flags);

	if (!file->pMethods)
		return code;
	t->owner = vfs->pAppData;
	t->real = file->pMethods;
	t->ours = *file->pMethods;
	t->ours.xWrite = fault_write;
	t->ours.xSync = fault_sync;
	file->pMethods = &t->ours;
	return code;
}

int fault_vfs_add(struct fault_vfs *f)
{
	sqlite3_vfs *real;

	if (sqlite3_initialize() != SQLITE_OK || !(real = below()))
		return SQLITE_ERROR;
	snprintf(f->name, sizeof f->name, "evmend-%p", (void *)f);
	f->vfs = *real;
	f->vfs.pNext = NULL;
	f->vfs.zName = f->name;
	f->vfs.pAppData = f;
	f->vfs.szOsFile = (int)(tail_offset() + sizeof(struct tail));
	f->vfs.xOpen = fault_open;
	return sqlite3_vfs_register(&f->vfs, 0);
}

void fault_vfs_remove(struct fault_vfs *f)
{
	sqlite3_vfs_unregister(&f->vfs);
}
