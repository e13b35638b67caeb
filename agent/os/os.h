/* os.h - the machine below us: four small tables of operations.
 *
 * Everything that touches processes, files, the service manager or the control
 * socket goes through one of these tables, so that a test can put its own in
 * front and make the n-th call fail. os/ knows nothing of base/: its functions
 * return a value >= 0, or -errno. Strings are borrowed for the call.
 * Time is not here: base/clock.h is the only reader of clocks. */
#ifndef EVMEND_OS_H
#define EVMEND_OS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum os_open_how {
	OS_READ,   /* existing file, read only. Opening a pipe may wait for ever: for what a person named, in a verb */
	OS_PLAIN,  /* the same, never waits: -OS_NO_FILE when it is a pipe, socket or device; a folder can be opened */
	OS_APPEND, /* create 0600 if missing, every write goes to the end */
	OS_CREATE, /* create 0600 or truncate */
	OS_APPEND_GROUP, OS_CREATE_GROUP, /* the same, created 0640: for programs of our group to read */
	OS_LOCK,   /* create 0600 if missing and take the exclusive lock; -EWOULDBLOCK when somebody has it */
};

struct os_stat {
	uint64_t device, inode; /* together name one file, whatever its path */
	int64_t size;           /* bytes */
	int64_t mtime_us;       /* microseconds since 1970, UTC */
	bool is_folder;
	bool is_special;        /* a pipe, socket or device */
	unsigned mode;          /* permission bits */
	bool links;             /* it has a name; false: it was removed and is open still */
};

#define OS_NO_FILE EMEDIUMTYPE /* the errno of "a pipe, socket or device"; err_os has words for it */

/* Called once a name (no path) in a folder, in no order; "." and ".." are left out. Non-zero ends the listing. */
typedef int os_name_fn(void *arg, const char *name);

struct os_file_ops {
	int (*open)(const char *path, enum os_open_how how); /* a descriptor */
	void (*close)(int fd);
	ssize_t (*read)(int fd, void *to, size_t n, int64_t offset); /* bytes read, 0 at the end; offset -1: from where it stands */
	ssize_t (*write)(int fd, const void *from, size_t n);        /* all n bytes or -errno (a part may be there) */
	int (*sync)(int fd);                                         /* on disk when it returns 0 */
	int (*stat)(const char *path, int fd, struct os_stat *st);   /* path, or fd when path is NULL */
	int (*list)(const char *folder, os_name_fn *each, void *arg);
	int (*rename)(const char *from, const char *to); /* atomic; the folder is synced too */
};

extern const struct os_file_ops os_file; /* the real one */

/* Writes n bytes to path so that a reader sees the old or the new file, never a part:
 * PATH.new, sync, rename. */
int os_file_replace(const struct os_file_ops *ops, const char *path, const void *from, size_t n);
int os_file_remove(const char *path);
/* Is path a plain file that lies below folder, all links followed? 0; -EXDEV: it lies elsewhere; -EINVAL: it is a folder, a pipe or a
 * device; -errno. */
int os_file_inside(const char *folder, const char *path);
int os_file_cut(int fd, int64_t size); /* makes a file shorter that is open for writing; 0 or -errno */
int os_make_folder(const char *path); /* mkdir -p, mode 0700; 0 when it exists */

enum os_signal { OS_SIG_STOP = 1, OS_SIG_RELOAD = 2, OS_SIG_CHILD = 4 };

/* What a process is started with. argv[0] is a path (no search, no shell) and argv ends with NULL.
 * The child gets stdin, stdout and stderr as given (-1: /dev/null), `channel` as descriptor 3 when it is >= 0,
 * and nothing else; its environment is PATH, LANG, TZ and every EVMEND_* of ours. */
struct os_spawn {
	char *const *argv;
	int in, out, errout;
	int channel;
};

struct os_poll {
	int fd; /* -1 is skipped */
	bool want_read, want_write;
	bool can_read, can_write, hung_up; /* set by wait_ready */
};

struct os_process_ops {
	int (*spawn)(const struct os_spawn *how);        /* pid */
	int (*wait)(int pid, bool block, int *status);   /* pid, 0 when it still runs; *status: 0..255, or 256+signal */
	int (*kill)(int pid, bool hard);                 /* TERM, or KILL when hard */
	int (*channel)(int fds[2]);                      /* a connected pair, close-on-exec */
	int (*pipe)(int fds[2]);                         /* [0] reads, [1] writes, close-on-exec */
	int (*wait_ready)(struct os_poll *p, size_t n, int timeout_ms);
	/* how many are ready; 0 at the timeout or when a signal came; timeout -1: for ever; n <= 256 */
	int (*signals)(void); /* a descriptor that becomes readable; see os_signals_take; SIGPIPE is ignored from then on */
	int (*self)(char *path, size_t n);               /* path of the running program */
};

extern const struct os_process_ops os_process;

/* Takes what has come since the last call: a set of enum os_signal. fd is what signals() gave. */
unsigned os_signals_take(int fd);
/* Gives up what a role does not need: no new privileges, no core file, limits. Never fails a start on an old kernel. */
enum os_right { OS_RIGHT_SPAWN = 1, OS_RIGHT_NETWORK = 2 };
int os_jail(unsigned rights);
int os_nonblocking(int fd, bool on);
int os_random(void *to, size_t n);
/* Zeroed memory for secrets: in no core file, not in swap where the system lets us. NULL: there is none. The other end wipes it. */
void *os_private(size_t n);
void os_private_free(void *p, size_t n);
/* The addresses of a name as numbers ("192.0.2.1", "2001:db8::1"), each once, in the resolver's order; at most OS_ADDRESSES. Takes
 * at most timeout_ms, whatever the resolver does. How many (>= 1); -ENOENT: why holds the resolver's words; -ETIMEDOUT; -errno. */
#define OS_ADDRESSES 16
#define OS_ADDRESS 64
#define OS_WHY 96
int os_resolve(const char *name, int timeout_ms, char to[OS_ADDRESSES][OS_ADDRESS], char why[static OS_WHY]);
/* The same without waiting: begin, and when fd is readable end, which answers like os_resolve. stop instead when nobody wants to know
 * any more. Both leave fd at -1; stop does nothing when it is. */
struct os_asking {
	int fd, pid;
};
int os_resolve_begin(const char *name, int timeout_ms, struct os_asking *a); /* 0 or -errno */
int os_resolve_end(struct os_asking *a, char to[OS_ADDRESSES][OS_ADDRESS], char why[static OS_WHY]);
void os_resolve_stop(struct os_asking *a);
/* The other end of a TCP connection; 0 where the kernel does not say it. */
struct os_tcp_peer {
	int64_t silence; /* us since its last acknowledgement */
	uint64_t window; /* bytes that it has room for; Linux tells it since 5.4 */
};
void os_tcp_peer(int fd, struct os_tcp_peer *to);
int os_pid(void);
unsigned os_cpus(void); /* that this process may use; >= 1 */
unsigned os_uid(void);
void os_boot_id(char to[static 64]); /* names this run of the machine, until it starts anew; "": not known */

struct os_peer {
	int pid;
	unsigned uid, gid;
};

struct os_control_ops {
	int (*listen)(const char *path);                /* unix socket, mode 0600; a dead one at path is replaced */
	int (*accept)(int fd);                          /* non-blocking; -EAGAIN when nobody is there */
	int (*peer)(int fd, struct os_peer *who);
	int (*connect)(const char *path);
};

extern const struct os_control_ops os_control;

/* Tells the service manager (sd_notify protocol, when NOTIFY_SOCKET is set); nothing happens elsewhere. */
void os_service_say(const char *text);

#endif
