/* jail.c - what a role gives up, and small questions about ourselves.
 *
 * Promises: after os_jail no program gains rights over ours, no debugger of the same user reads our memory, no core
 * file holds a key; without the right to spawn or to use the network these calls fail with EPERM (seccomp).
 * Refuses: to keep an old kernel from running us - what it does not know is left out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef OUR_ARCH
#define X32_BIT 0x40000000u /* x86_64 has a second numbering of calls; nobody here uses it */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY_CALL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), DENY

/* Always: no look into other processes. Without spawn: no exec. Without network: only unix sockets can be made. */
static void deny_calls(unsigned rights)
{
	static const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
		DENY,
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
		DENY,
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks is a look with ptrace */
		DENY_CALL(SYS_ptrace),
#endif
		DENY_CALL(SYS_process_vm_readv),
		DENY_CALL(SYS_process_vm_writev),
	};
	static const struct sock_filter no_exec[] = { DENY_CALL(SYS_execve), DENY_CALL(SYS_execveat) };
	static const struct sock_filter no_network[] = {
		/* Rings make calls of their own that no filter sees. */
		DENY_CALL(425), /* io_uring_setup */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
		DENY,
	};
	struct sock_filter all[sizeof head / sizeof *head + sizeof no_exec / sizeof *no_exec +
			       sizeof no_network / sizeof *no_network + 1];
	struct sock_fprog program = { .filter = all };
	unsigned short n = 0;

	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		all[n++] = head[i];
	for (size_t i = 0; !(rights & OS_RIGHT_SPAWN) && i < sizeof no_exec / sizeof *no_exec; i++)
		all[n++] = no_exec[i];
	for (size_t i = 0; !(rights & OS_RIGHT_NETWORK) && i < sizeof no_network / sizeof *no_network; i++)
		all[n++] = no_network[i];
	all[n++] = (struct sock_filter)ALLOW;
	program.len = n;
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static void deny_calls(unsigned rights)
{
	(void)rights;
}
#endif

int os_jail(unsigned rights)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	deny_calls(rights);
	return 0;
}

int os_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

int os_random(void *to, size_t n)
{
	unsigned char *p = to;

	while (n) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

void *os_private(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTDUMP);
	(void)mlock(p, n); /* a small limit is no reason to do without the secret */
	return p;
}

void os_private_free(void *p, size_t n)
{
	if (!p)
		return;
	explicit_bzero(p, n);
	(void)munmap(p, n);
}

unsigned os_cpus(void)
{
	cpu_set_t may;

	return sched_getaffinity(0, sizeof may, &may) == 0 && CPU_COUNT(&may) > 1 ? (unsigned)CPU_COUNT(&may) : 1;
}

int os_pid(void)
{
	return getpid();
}

unsigned os_uid(void)
{
	return getuid();
}
