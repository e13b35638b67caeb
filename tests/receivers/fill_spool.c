/* fill_spool.c - a spool full of findings, for tests of receivers that would else wait for the whole agent.
 *
 *   fill_spool FOLDER N [LARGE]     N findings of 50 computers; "n" of each counts from 0. Each LARGE-th is of 60 KB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ship/spool.h"

#define LARGE 60000

static void put(struct spool *s, const struct clock *clock, int i, int fill)
{
	static char json[LARGE + 400];
	char when[32], uid[65];
	struct spool_record r = { .kind = RECORD_FINDING, .time = clock_wall(clock) };
	struct err e;
	int n;

	memcpy(r.uid, &i, sizeof i);
	text_hex(uid, r.uid, sizeof r.uid);
	n = snprintf(json, sizeof json, "{\"v\":1,\"kind\":\"finding\",\"uid\":\"%s\",\"time\":\"%s\",\"host\":\"ex%d.lab.example\","
		"\"level\":\"low\",\"n\":%d,\"text\":\"made up%*s\"}", uid, time_text(r.time, when), i % 50, i, fill, "");
	r.json = json;
	r.n = (size_t)n;
	if (spool_put(s, &r, &e) < 0)
		die("%s", e.text);
}

int main(int argc, char **argv)
{
	struct clock clock = clock_real();
	int n = argc >= 3 ? atoi(argv[2]) : 0, large = argc == 4 ? atoi(argv[3]) : 0;
	struct err e = { 0 };
	struct spool *s = n ? spool_open(argv[1], &e) : NULL;

	if (!s)
		die("fill_spool FOLDER N [LARGE]: %s", e.text);
	if (spool_begin(s, &e) < 0)
		die("%s", e.text);
	for (int i = 0; i < n; i++)
		put(s, &clock, i, large && i % large == large - 1 ? LARGE : 0);
	if (spool_commit(s, &e) < 0)
		die("%s", e.text);
	spool_close(s);
	return 0;
}
