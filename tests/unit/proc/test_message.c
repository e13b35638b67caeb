/* test_message.c - channels: whole messages, ceilings, a peer that goes, nonsense; and who may say what. */
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "os/os.h"
#include "proc/message.h"

static struct channel *a, *b;
static int raw;

static int setup(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(os_process.channel(fds), 0);
	raw = fds[0];
	a = channel_new(fds[0]);
	b = channel_new(fds[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	channel_free(a);
	channel_free(b);
	return 0;
}

static void carries_messages_whole(void **state)
{
	static uint8_t body[100000];
	struct message m;
	struct err e = { 0 };
	int got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 7);
	assert_int_equal(channel_send(a, ROLE_SHIP, ROLE_WATCH, MSG_RECORD, body, sizeof body, &e), 0);
	assert_int_equal(channel_send(a, ROLE_HEAL, ROLE_WATCH, MSG_STOP, NULL, 0, &e), 0);
	for (int i = 0; i < 1000 && got < 2; i++) {
		assert_int_equal(channel_write(a, &e), 0);
		assert_int_equal(channel_read(b, &e), 0);
		while (channel_next(b, &m, &e)) {
			if (got == 0) {
				assert_int_equal(m.n, sizeof body);
				assert_memory_equal(m.body, body, sizeof body);
				assert_int_equal(m.type, MSG_RECORD);
				assert_int_equal(m.to, ROLE_SHIP);
				assert_int_equal(m.from, ROLE_WATCH);
			} else {
				assert_int_equal(m.type, MSG_STOP);
				assert_int_equal(m.n, 0);
			}
			got++;
		}
		assert_int_equal(e.code, ERR_NONE);
	}
	assert_int_equal(got, 2);
	assert_false(channel_wants_write(a));
}

static void says_when_the_queue_is_full(void **state)
{
	static uint8_t body[MESSAGE_MAX];
	struct err e = { 0 };
	int n = 0;

	(void)state;
	while (channel_send(a, ROLE_SHIP, ROLE_WATCH, MSG_RECORD, body, sizeof body, &e) == 0)
		assert_true(++n < 1000);
	assert_true(n > 4);
	assert_non_null(strstr(e.text, "full"));
	assert_int_equal(channel_send(a, ROLE_SHIP, ROLE_WATCH, MSG_RECORD, body, MESSAGE_MAX + 1u, &e), -1);
}

static void notices_the_end_of_its_peer(void **state)
{
	struct message m;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(channel_send(a, ROLE_SHIP, ROLE_WATCH, MSG_STOP, NULL, 0, &e), 0);
	assert_int_equal(channel_write(a, &e), 0);
	channel_free(a);
	a = NULL;
	assert_int_equal(channel_read(b, &e), 0);
	assert_true(channel_next(b, &m, &e)); /* what was sent before still counts */
	assert_int_equal(channel_read(b, &e), 1);
	assert_int_equal(channel_send(b, ROLE_SHIP, ROLE_WATCH, MSG_STOP, NULL, 0, &e), 0);
	assert_int_equal(channel_write(b, &e), -1);
}

static void refuses_nonsense_for_good(void **state)
{
	static const uint8_t bad[][8] = {
		{ 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T' },            /* no magic */
		{ 0xe7, 0, ROLE_WATCH, ROLE_SHIP, 0, 0, 0, 0 },        /* no such type */
		{ 0xe7, MSG_TYPES, ROLE_WATCH, ROLE_SHIP, 0, 0, 0, 0 },
		{ 0xe7, MSG_STOP, ROLES, ROLE_SHIP, 0, 0, 0, 0 },      /* no such role */
		{ 0xe7, MSG_RECORD, ROLE_WATCH, ROLE_SHIP, 0, 0, 0, 9 }, /* 150 MB */
	};
	struct message m;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		teardown(NULL);
		setup(NULL);
		assert_int_equal(write(raw, bad[i], 8), 8);
		assert_int_equal(channel_read(b, &e), 0);
		assert_false(channel_next(b, &m, &e));
		assert_int_not_equal(e.code, ERR_NONE);
		assert_int_equal(channel_read(b, &e), -1);
		assert_false(channel_next(b, &m, &e));
	}
}

static void knows_who_may_say_what(void **state)
{
	(void)state;
	assert_true(message_allowed(ROLE_WATCH, ROLE_SHIP, MSG_RECORD));
	assert_true(message_allowed(ROLE_WATCH, ROLE_HEAL, MSG_SUSPECT));
	assert_true(message_allowed(ROLE_HEAL, ROLE_WATCH, MSG_CASE_CLOSED));
	/* nobody but main stops or configures, ship asks nothing of heal, watch says nothing to heal but suspects */
	assert_false(message_allowed(ROLE_WATCH, ROLE_HEAL, MSG_STOP));
	assert_false(message_allowed(ROLE_WATCH, ROLE_HEAL, MSG_CONFIG));
	assert_false(message_allowed(ROLE_WATCH, ROLE_HEAL, MSG_RECORD));
	assert_false(message_allowed(ROLE_SHIP, ROLE_HEAL, MSG_SUSPECT));
	assert_false(message_allowed(ROLE_HEAL, ROLE_HEAL, MSG_SUSPECT));
	assert_false(message_allowed(ROLE_SHIP, ROLE_MAIN, MSG_STOP));
}

static void records_survive_the_way(void **state)
{
	uint8_t body[RECORD_HEAD + 8], uid[32];
	struct message m = { .body = body };
	struct spool_record r;

	(void)state;
	memset(uid, 0xab, sizeof uid);
	message_record_head(body, uid, RECORD_REPAIR, INT64_C(1520974991114211));
	memcpy(body + RECORD_HEAD, "{\"v\":1}", 7);
	m.n = RECORD_HEAD + 7;
	assert_true(message_record(&m, &r));
	assert_memory_equal(r.uid, uid, 32);
	assert_int_equal(r.kind, RECORD_REPAIR);
	assert_int_equal(r.time, INT64_C(1520974991114211));
	assert_int_equal(r.n, 7);
	m.n = RECORD_HEAD;
	assert_false(message_record(&m, &r)); /* no JSON */
	m.n = RECORD_HEAD + 7;
	body[RECORD_HEAD + 3] = '\n';
	assert_false(message_record(&m, &r)); /* two lines */
	body[RECORD_HEAD + 3] = 'v';
	body[32] = 77;
	assert_false(message_record(&m, &r)); /* no such kind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(carries_messages_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(says_when_the_queue_is_full, setup, teardown),
		cmocka_unit_test_setup_teardown(notices_the_end_of_its_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_nonsense_for_good, setup, teardown),
		cmocka_unit_test(knows_who_may_say_what),
		cmocka_unit_test(records_survive_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
