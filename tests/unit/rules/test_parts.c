/* test_parts.c - networks and parts of times, each from a table. */
#include <string.h>

#include "lib/check.h"
#include "rules/cidr.h"
#include "rules/time_part.h"

static void addresses_in_networks(void **state)
{
	static const struct { const char *network, *value; bool expected; } rows[] = {
		{"10.0.0.0/8", "10.1.2.3", true}, {"10.0.0.0/8", "11.0.0.0", false}, {"10.0.0.0/8", "9.255.255.255", false},
		{"10.77.0.1/8", "10.0.0.1", true}, /* host bits are masked */
		{"172.16.0.0/12", "172.31.255.255", true}, {"172.16.0.0/12", "172.32.0.0", false}, {"172.16.0.0/12", "172.15.9.9", false},
		{"192.168.1.128/25", "192.168.1.128", true}, {"192.168.1.128/25", "192.168.1.127", false},
		{"127.0.0.1/32", "127.0.0.1", true}, {"127.0.0.1/32", "127.0.0.2", false}, {"127.0.0.1", "127.0.0.1", true},
		{"0.0.0.0/0", "203.0.113.9", true}, {"0.0.0.0/0", "::1", false}, {"::/0", "10.0.0.1", false}, {"::/0", "2001:db8::1", true},
		{"::1/128", "::1", true}, {"::1/128", "0:0:0:0:0:0:0:1", true}, {"::1/128", "::2", false},
		{"fe80::/10", "fe80::1234", true}, {"fe80::/10", "febf::1", true}, {"fe80::/10", "fec0::1", false},
		{"fe80::/10", "FE80::ABCD%12", true}, {"fc00::/7", "fd12:3456::1", true}, {"fc00::/7", "fe00::1", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true}, {"10.0.0.0/8", "::FFFF:0a01:0203", true}, {"10.0.0.0/8", "::ffff:11.1.2.3", false},
		{"10.0.0.0/8", "::10.1.2.3", false}, {"::ffff:0:0/96", "::ffff:1.2.3.4", true}, {"::ffff:0:0/96", "1.2.3.4", false},
		{"10.0.0.0/8", " 10.1.2.3\r\n", true}, {"10.0.0.0/8", "", false}, {"10.0.0.0/8", "-", false}, {"10.0.0.0/8", "10.1.2", false},
		{"10.0.0.0/8", "10.1.2.3.4", false}, {"10.0.0.0/8", "010.1.2.3", false}, {"10.0.0.0/8", "10.1.2.3:80", false},
		{"10.0.0.0/8", "10.1.2.3/8", false}, {"10.0.0.0/8", "10.1.2.3%1", false}, {"10.0.0.0/8", "LOCAL", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cidr c;
		struct err e;

		if (cidr_parse(rows[i].network, strlen(rows[i].network), &c, &e) != 0)
			fail_msg("%s: %s", rows[i].network, e.text);
		if (cidr_holds(&c, rows[i].value, strlen(rows[i].value)) != rows[i].expected)
			fail_msg("%s %s", rows[i].network, rows[i].value);
	}
}

static void no_networks(void **state)
{
	static const char *const rows[] = {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.0/255.0.0.0", "a/8",
					   "10.*", "10.0.0.0/8/8", "10.0.0.0 /8", ":::/8"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cidr c;
		struct err e = {.text = ""};

		if (cidr_parse(rows[i], strlen(rows[i]), &c, &e) == 0 || !e.text[0])
			fail_msg("'%s' was taken", rows[i]);
	}
}

static void parts_of_times(void **state)
{
	static const struct { const char *value; int minute, hour, day, week, month, year; } rows[] = {
		{"2021-05-12T13:07:33.1234567Z", 7, 13, 12, 19, 5, 2021},
		{"2021-05-12 13:07:33.123", 7, 13, 12, 19, 5, 2021},
		{"  2021-05-12 00:59:59 \r\n", 59, 0, 12, 19, 5, 2021},
		{"2021-05-12T23:30:00-01:00", 30, 0, 13, 19, 5, 2021},
		{"2021-05-12", 0, 0, 12, 19, 5, 2021},
		/* ISO 8601 weeks at the turn of the year */
		{"2005-01-01", 0, 0, 1, 53, 1, 2005}, {"2005-01-02", 0, 0, 2, 53, 1, 2005}, {"2005-01-03", 0, 0, 3, 1, 1, 2005},
		{"2005-12-31", 0, 0, 31, 52, 12, 2005}, {"2006-01-01", 0, 0, 1, 52, 1, 2006}, {"2006-01-02", 0, 0, 2, 1, 1, 2006},
		{"2007-12-31", 0, 0, 31, 1, 12, 2007}, {"2008-12-28", 0, 0, 28, 52, 12, 2008}, {"2008-12-29", 0, 0, 29, 1, 12, 2008},
		{"2009-12-31", 0, 0, 31, 53, 12, 2009}, {"2010-01-03", 0, 0, 3, 53, 1, 2010}, {"2020-02-29", 0, 0, 29, 9, 2, 2020},
		{"1969-12-31 23:59:59", 59, 23, 31, 1, 12, 1969}, {"1601-01-01 00:00:00", 0, 0, 1, 1, 1, 1601},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const int expected[] = {rows[i].minute, rows[i].hour, rows[i].day, rows[i].week, rows[i].month, rows[i].year};

		for (int part = TIME_MINUTE; part <= TIME_YEAR; part++) {
			int got = -1;

			if (!time_part((enum time_part)part, rows[i].value, strlen(rows[i].value), &got) || got != expected[part])
				fail_msg("%s: part %d is %d", rows[i].value, part, got);
		}
	}
}

static void no_times(void **state)
{
	static const char *const rows[] = {"", "-", "13:07", "12.05.2021", "05/12/2021 13:07:33", "2021-02-30", "2021-05-12 25:00:00", "1620824853"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int got;

		if (time_part(TIME_HOUR, rows[i], strlen(rows[i]), &got))
			fail_msg("'%s' was taken", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_networks),
		cmocka_unit_test(no_networks),
		cmocka_unit_test(parts_of_times),
		cmocka_unit_test(no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
