/* test_sink_syslog.c - the syslog receiver: frames, confirmation by the peer's TCP after the second in which it may refuse, a peer that
 * goes away, one that is not there, one with a name. */
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
	config = (struct sink_config){ .name = "s", .kind = SINK_SYSLOG, .syslog = { .address = address, .resend = SYSLOG_RESEND }, .app = "evmend" };
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

/* Offers both until it takes them; what submit said last. */
static int submit_two(struct sink *s, struct err *e)
{
	int took = 0;

	for (int i = 0; i < 200 && took == 0; i++) {
		took = s->ops->submit(s, two, 2, e);
		if (!took)
			usleep(10000);
	}
	return took;
}

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
	assert_int_equal(submit_two(s, &e), 2);
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

/* All that came so far; 0 at the end of the connection. */
static size_t heard(int peer, char *to, size_t n)
{
	size_t all = 0;
	ssize_t got = 1;

	for (int i = 0; i < 50 && got > 0; i++) {
		usleep(2000);
		got = recv(peer, to + all, n - all - 1, MSG_DONTWAIT);
		all += got > 0 ? (size_t)got : 0;
	}
	to[all] = '\0';
	return all;
}

static int count(const char *in, const char *what)
{
	int n = 0;

	for (; (in = strstr(in, what)); in++)
		n++;
	return n;
}

static void reset(int peer)
{
	struct linger hard = { 1, 0 };

	setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(peer);
	usleep(20000);
}

static void a_peer_that_goes_gets_it_again(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct sink_result r[2];
	struct err e = { 0 };
	char got[8192];
	int peer;

	(void)state;
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(submit_two(s, &e), 2);
	assert_int_equal(poll_for(s, r, 2), 2);
	assert_int_equal(r[1].outcome, SINK_ACCEPTED);
	/* it may not have read them: they come again before what is new, and nobody is told of them again */
	reset(peer);
	assert_int_equal(s->ops->poll(s, r, 2, &(size_t){ 0 }, &e), -1);
	assert_non_null(strstr(e.text, address));
	assert_int_equal(s->ops->flush(s, &e), -1);
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(submit_two(s, &e), 2);
	assert_int_equal(poll_for(s, r, 2), 2);
	assert_int_equal(r[1].outcome, SINK_ACCEPTED);
	assert_int_equal(s->ops->flush(s, &e), 0);
	heard(peer, got, sizeof got);
	assert_int_equal(count(got, "<"), 4);
	close(peer);
	sink_free(s);
}

/* A peer that takes a connection may still refuse us: what it got in its first second does not count. */
static void nothing_counts_before_the_peer_could_refuse(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct sink_result r[2];
	struct err e = { 0 };
	size_t got = 0;
	int peer;

	(void)state;
	config.syslog.resend = 0;
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(submit_two(s, &e), 2);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(s->ops->poll(s, r, 2, &got, &e), 0);
		assert_int_equal(got, 0);
		usleep(10000);
	}
	reset(peer);
	assert_int_equal(poll_for(s, r, 2), 2);
	assert_int_equal(r[0].outcome, SINK_RETRY);
	assert_int_equal(r[1].outcome, SINK_RETRY);
	assert_true(strlen(r[0].why) > 0);
	assert_int_equal(r[1].seq, 2);
	sink_free(s);
}

static void lines_and_the_older_header(void **state)
{
	struct sink *s;
	struct err e = { 0 };
	char got[8192];
	int peer;

	(void)state;
	config.syslog.framing = SYSLOG_LINE;
	config.syslog.header = SYSLOG_3164;
	s = sink_new(&config, &clk, &os_file);
	assert_int_equal(s->ops->open(s, &e), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(submit_two(s, &e), 2);
	heard(peer, got, sizeof got);
	assert_int_equal(count(got, "\n"), 2);
	assert_non_null(strstr(got, " a evmend: {\""));
	assert_int_equal(got[0], '<');
	assert_null(strstr(got, ">1 "));
	close(peer);
	sink_free(s);
}

static void a_name_is_looked_up_meanwhile(void **state)
{
	static char by_name[64];
	struct sink *s;
	struct sink_result r[2];
	struct err e = { 0 };
	bool write;
	int peer;

	(void)state;
	snprintf(by_name, sizeof by_name, "localhost:%d", port);
	config.syslog.address = by_name;
	s = sink_new(&config, &clk, &os_file);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_true(s->ops->wait_fd(s, &write) >= 0);
	assert_int_equal(s->ops->submit(s, two, 2, &e), 0); /* nothing is taken until it is there */
	assert_int_equal(submit_two(s, &e), 2);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(poll_for(s, r, 2), 2);
	close(peer);
	sink_free(s);
	config.syslog.address = "no-such-name.invalid:514";
	s = sink_new(&config, &clk, &os_file);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(submit_two(s, &e), -1);
	assert_non_null(strstr(e.text, "looked up"));
	sink_free(s);
}

static void a_receiver_that_is_not_there_is_told(void **state)
{
	struct sink *s = sink_new(&config, &clk, &os_file);
	struct err e = { 0 };
	struct buf says;

	(void)state;
	close(listener);
	listener = -1;
	if (s->ops->open(s, &e) == 0)
		assert_int_equal(submit_two(s, &e), -1);
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
		cmocka_unit_test_setup_teardown(nothing_counts_before_the_peer_could_refuse, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_and_the_older_header, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_is_looked_up_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_that_is_not_there_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
