/* fault_vfs.h - SQLite's way to the disk, with a disk that can be full when a test says so. For store/ only. */
#ifndef EVMEND_STORE_FAULT_VFS_H
#define EVMEND_STORE_FAULT_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

struct fault_vfs {
	sqlite3_vfs vfs; /* registered under `name` while the database is open */
	char name[40];
	int countdown; /* writes until the failing one; 0: none fails */
	bool for_ever; /* that one and all after it */
	bool hit;      /* one has failed */
};

/* f stays where it is until fault_vfs_remove, which comes after the last file is closed. SQLITE_OK or an error code. */
int fault_vfs_add(struct fault_vfs *f);
void fault_vfs_remove(struct fault_vfs *f);

#endif
