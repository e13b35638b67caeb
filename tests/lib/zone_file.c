/* zone_file.c - see zone_file.h. */
#include "lib/zone_file.h"

#include <string.h>

#include "base/clock.h"
#include "lib/check.h"

size_t zone_file(uint8_t to[512], const char *rule)
{
	static const uint8_t head[44] = {'T', 'Z', 'i', 'f', '3', [39] = 1, [43] = 4};
	static const uint8_t body[10] = {0, 0, 0, 0, 0, 0, 'L', 'M', 'T', 0}; /* one kind of time: UTC */
	size_t n = 0;

	for (int half = 0; half < 2; half++) {
		memcpy(to + n, head, sizeof head);
		memcpy(to + n + sizeof head, body, sizeof body);
		n += sizeof head + sizeof body;
	}
	to[n++] = '\n';
	memcpy(to + n, rule, strlen(rule));
	n += strlen(rule);
	to[n++] = '\n';
	return n;
}

const struct zone *zone_of_rule(struct arena *a, const char *rule)
{
	uint8_t bytes[512];
	struct err e = {.text = ""};
	const struct zone *z = zone_parse(a, bytes, zone_file(bytes, rule), "Test/Zone", &e);

	if (z == NULL)
		fail_msg("%s: %s", rule, e.text);
	return z;
}

int64_t time_of(const char *s)
{
	int64_t t = 0;

	if (!time_parse(s, strlen(s), &t))
		fail_msg("%s is no time", s);
	return t;
}
