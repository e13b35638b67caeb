/* test_event_json.c - an event as a record: each field once, in its place, whatever the names are. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "event/event_json.h"
#include "lib/check.h"

#define F(n, v) { .name = (n), .value = (v), .len = sizeof(v) - 1 }
#define S(n, v) { .name = (n), .value = (v), .len = sizeof(v) - 1, .system = true }
#define D(n, v) { .name = (n), .value = (v), .len = sizeof(v) - 1, .derived = true }

static void written(const struct event *ev, bool whole, struct buf *to)
{
	uint8_t uid[32] = { 0xab };

	buf_init(to, 1u << 20);
	event_json(ev, uid, whole, to);
}

static void each_field_is_there_once_and_in_its_place(void **state)
{
	static const struct event_field fields[] = { S("Provider_Name", "P"), S("EventID", "7"), S("Keywords", "0x80"), S("Task", "1"), D("Data[1]", "one"),
		F("Zeta", "a\"\\\n"), F("Data", "one"), F("", "empty"), F("Alpha", ""), F("Data", "two"), F("zeta", "b"), F("Data", "three"), F("Task", "mine"),
		F("\xff", "\x1b[0m") };
	static const char wanted[] = "\"time\":\"1970-01-01T00:00:01.000000Z\",\"host\":\"h\",\"channel\":\"c\",\"provider\":\"P\",\"event_id\":7,\"record_id\":9,"
		"\"level\":0,\"source\":\"-\",";
	static const char all[] = "\"system\":{\"Keywords\":\"0x80\",\"Task\":\"1\"},\"fields\":{\"Zeta\":\"a\\\"\\\\\\n\",\"Data\":[\"one\",\"two\",\"three\"],"
		"\"\":\"empty\",\"Alpha\":\"\",\"zeta\":\"b\",\"Task\":\"mine\",\"\xef\xbf\xbd\":\"\\u001b[0m\"}}";
	const struct event ev = { .provider = "P", .channel = "c", .computer = "h", .event_id = 7, .level = 0, .record_id = 9, .time = 1000000,
		.fields = fields, .n = sizeof fields / sizeof fields[0], .source = "-" };
	struct buf b;
	const char *at;

	(void)state;
	written(&ev, true, &b);
	at = strstr(buf_text(&b), wanted);
	if (!at)
		fail_msg("%s", buf_text(&b));
	assert_string_equal(at + sizeof wanted - 1, all);
	buf_free(&b);
	written(&ev, false, &b);
	at = strstr(buf_text(&b), wanted);
	assert_non_null(at);
	assert_string_equal(at + sizeof wanted - 1, "\"truncated\":true}");
	buf_free(&b);
}

/* As many as a decoder lets through: all of one name, and each of its own. */
static void many_fields_are_no_burden(void **state)
{
	static struct event_field fields[2048];
	static char names[2048][8];
	struct event ev = { .provider = "", .channel = "", .computer = "", .level = -1, .fields = fields, .n = 2048, .source = "-" };

	(void)state;
	for (int own = 0; own < 2; own++) {
		struct json *j;
		struct buf b;
		struct err e;

		for (int i = 0; i < 2048; i++) {
			snprintf(names[i], sizeof names[i], "n%d", own ? 2047 - i : 0);
			fields[i] = (struct event_field)F("", "v");
			fields[i].name = names[i];
		}
		written(&ev, true, &b);
		j = json_parse(b.p, b.n, &e); /* it refuses names that come twice */
		if (!j)
			fail_msg("%s", e.text);
		assert_true(json_is_null(json_get(j, "level")));
		assert_true(own ? json_is_string(json_get(json_get(j, "fields"), "n2047")) : json_len(json_get(json_get(j, "fields"), "n0")) == 2048);
		json_free(j);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_is_there_once_and_in_its_place),
		cmocka_unit_test(many_fields_are_no_burden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
