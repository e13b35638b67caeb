/* boot.c - which run of the machine this is.
 *
 * Exists because a clock that counts from the start of the machine is comparable only within one run. Promises a name that changes
 * with each start, or "" where the kernel has none to give. Refuses nothing. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

void os_boot_id(char to[static 64])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, to, 63);

	to[got > 0 ? got : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}
