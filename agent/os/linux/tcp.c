/* tcp.c - what the kernel knows of the other end of a TCP connection.
 *
 * Why: the C library's tcp_info ends before the window. Promises: what an older kernel does not tell is 0. Refuses nothing. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "os/os.h"

void os_tcp_peer(int fd, struct os_tcp_peer *to)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	memset(&info, 0, sizeof info);
	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n);
	*to = (struct os_tcp_peer){ .silence = (int64_t)info.tcpi_last_ack_recv * 1000, .window = info.tcpi_snd_wnd };
}
