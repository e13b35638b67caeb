/* test_resolve.c - names and their addresses: several, twice the same, none, and a resolver that never answers. The resolver is ours:
 * this program has its own getaddrinfo. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "os/os.h"

static struct addrinfo *one(const char *address, struct addrinfo *next)
{
	struct addrinfo *a = calloc(1, sizeof *a);
	struct sockaddr_in *four = calloc(1, sizeof *four);
	struct sockaddr_in6 *six = calloc(1, sizeof *six);

	if (!a || !four || !six)
		abort();
	a->ai_next = next;
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		a->ai_addr = (struct sockaddr *)four;
		a->ai_addrlen = sizeof *four;
	} else {
		inet_pton(AF_INET6, address, &six->sin6_addr);
		six->sin6_family = AF_INET6;
		a->ai_addr = (struct sockaddr *)six;
		a->ai_addrlen = sizeof *six;
	}
	a->ai_family = a->ai_addr->sa_family;
	return a;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **to)
{
	char text[32];

	(void)service, (void)hints;
	*to = NULL;
	if (strcmp(name, "hangs.example") == 0)
		for (;;)
			pause();
	if (strcmp(name, "dies.example") == 0)
		raise(SIGKILL);
	if (strcmp(name, "none.example") == 0)
		return EAI_NONAME;
	if (strcmp(name, "empty.example") == 0)
		return 0;
	if (strcmp(name, "many.example") == 0)
		for (int i = 40; i > 0; i--) {
			snprintf(text, sizeof text, "192.0.2.%d", i);
			*to = one(text, *to);
		}
	else
		*to = one("192.0.2.1", one("2001:db8::1", one("192.0.2.1", NULL)));
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char list[OS_ADDRESSES][OS_ADDRESS], why[OS_WHY];

static void a_resolver_that_hangs(void **state)
{
	int64_t start = now_ms();

	(void)state;
	assert_int_equal(os_resolve("hangs.example", 300, list, why), -ETIMEDOUT);
	assert_true(now_ms() - start >= 250 && now_ms() - start < 5000);
	assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* no child is left behind */
}

static void a_child_that_dies(void **state)
{
	(void)state;
	assert_int_equal(os_resolve("dies.example", 1000, list, why), -ETIMEDOUT);
}

static void addresses(void **state)
{
	(void)state;
	assert_int_equal(os_resolve("three.example", 5000, list, why), 2); /* the same one twice is one */
	assert_string_equal(list[0], "192.0.2.1");
	assert_string_equal(list[1], "2001:db8::1");
	assert_int_equal(os_resolve("many.example", 5000, list, why), OS_ADDRESSES);
	assert_string_equal(list[OS_ADDRESSES - 1], "192.0.2.16");
}

static void no_address(void **state)
{
	(void)state;
	assert_int_equal(os_resolve("none.example", 5000, list, why), -ENOENT);
	assert_true(why[0]); /* the resolver's words */
	assert_int_equal(os_resolve("empty.example", 5000, list, why), -ENOENT);
	assert_true(why[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resolver_that_hangs),
		cmocka_unit_test(a_child_that_dies),
		cmocka_unit_test(addresses),
		cmocka_unit_test(no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
