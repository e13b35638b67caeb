/* test_sink_syslog.c - the syslog receiver: frames, confirmation by the peer's TCP, a peer that goes away, one that is not there. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/check.h"
#include "ship/sink.h"

static int listener, port;
static char address[64];
static struct sink_config config;
static struct clock clk;

static int setup(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;

	(void)state;
	clk = clock_real();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
	port = ntohs(a.sin_port);
	snprintf(address, sizeof address, "127.0.0.1:%d", port);
	config = (struct sink_config){ .name = "s", .kind = SINK_SYSLOG, .syslog.address = address, .app = "evmend" };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (listener >= 0)
		close(listener);
	return 0;
}

static size_t poll_for(struct sink *s, struct sink_result *to, size_t want)
{
	size_t all = 0, got;
	struct err e;

	for (int i = 0; i < 200 && all < want; i++) {
		assert_int_equal(s->ops->poll(s, to + all, want - all, &got, &e), 0);
		all += got;
		if (!got)
			usleep(10000);
	}
	return all;
}

static const struct spool_record two[] = {
	{ .seq = 1, .json = "{\"host\":\"a\",\"level\":\"high\"}", .n = 27 },
	{ .seq = 2, .json = "{\"host\":\"b\"}", .n = 12 },
};

static void frames_are_counted_and_confirmed(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct sink_result r[2];
	struct err e;
	char got[4096], *at = got;
	ssize_t n = 0;
	int peer;

	(void)state;
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(s->ops->submit(s, two, 2, &e), 2);
	assert_int_equal(poll_for(s, r, 2), 2);
	assert_int_equal(r[0].seq, 1);
	assert_int_equal(r[0].outcome, SINK_ACCEPTED);
	assert_int_equal(r[1].outcome, SINK_ACCEPTED);
	n = recv(peer, got, sizeof got - 1, 0);
	assert_true(n > 0);
	got[n] = '\0';
	for (int i = 0; i < 2; i++) { /* MSG-LEN SP SYSLOG-MSG, twice, and nothing behind */
		long len = strtol(at, &at, 10);

		assert_int_equal(*at++, ' ');
		assert_int_equal(*at, '<');
		at += len;
		assert_int_equal(at[-1], '}');
	}
	assert_ptr_equal(at, got + n);
	close(peer);
	sink_free(s);
}

static void a_peer_that_goes_gets_it_again(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct linger hard = { 1, 0 };
	struct sink_result r[2];
	struct err e = { 0 };
	size_t got;
	int peer;

	(void)state;
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(s->ops->poll(s, r, 2, &got, &e), 0); /* connected */
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(peer); /* a reset */
	usleep(20000);
	if (s->ops->submit(s, two, 2, &e) == 2) {
		assert_int_equal(poll_for(s, r, 2), 2);
		assert_int_equal(r[0].outcome, SINK_RETRY);
		assert_int_equal(r[1].outcome, SINK_RETRY);
		assert_true(strlen(r[0].why) > 0);
	}
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(s->ops->submit(s, two, 2, &e), 2);
	assert_int_equal(poll_for(s, r, 2), 2);
	assert_int_equal(r[1].outcome, SINK_ACCEPTED);
	close(peer);
	sink_free(s);
}

static void a_receiver_that_is_not_there_is_told(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct sink_result r[2];
	struct err e = { 0 };
	struct buf says;

	(void)state;
	close(listener);
	listener = -1;
	if (s->ops->open(s, &e) == 0) {
		assert_int_equal(s->ops->submit(s, two, 2, &e), 2);
		assert_int_equal(poll_for(s, r, 2), 2);
		assert_int_equal(r[0].outcome, SINK_RETRY);
		assert_non_null(strstr(r[0].why, "refused"));
		assert_int_equal(s->ops->submit(s, two, 2, &e), -1);
	}
	assert_non_null(strstr(e.text, "refused"));
	sink_free(s);
	s = sink_new(&config, &clk, &os_file);
	buf_init(&says, 4096);
	e.text[0] = '\0';
	assert_int_equal(s->ops->check(s, clock_monotonic(&clk) + 5 * US_SECOND, &says, &e), -1);
	assert_non_null(strstr(e.text, "refused"));
	buf_free(&says);
	sink_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_are_counted_and_confirmed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_goes_gets_it_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_that_is_not_there_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
