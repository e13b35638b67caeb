/* status_sinks.c - how the receivers are.
 *
 * Why: whoever asks wants to know whether everything arrives, and if not, since when and why. Promises: reads the spool beside a running agent;
 * without one it tells how things stood. Refuses nothing. */
#include "cli/status_sinks.h"

#include <stdio.h>

#include "ship/spool.h"

#define MANY 1000 /* waiting records that are worth a colour */
#define A_WHILE (5 * US_MINUTE) /* a receiver that is started anew is back before */
#define NEW US_DAY              /* a loss: who looks once a day sees it */

static const char *const counters[] = { "sent", "acknowledged", "retried", "dead" };

void status_sinks(const struct config *config, struct status_sink to[CONFIG_SINKS])
{
	struct err e;
	struct spool *spool = spool_look(config->state_dir, &e);

	for (size_t i = 0; i < config->n_sinks; i++) {
		const char *name = config->sinks[i].name;
		unsigned kinds = config->sinks[i].take.kinds;
		struct buf b;

		to[i] = (struct status_sink){ .config = &config->sinks[i], .waiting = -1 };
		if (!spool)
			continue;
		buf_init(&b, 65536);
		to[i].waiting = spool_lag(spool, name, kinds);
		to[i].oldest = spool_oldest(spool, name, kinds);
		to[i].dead_letters = spool_dead_count(spool, name);
		to[i].newest_letter = spool_dead_newest(spool, name);
		if (spool_noted(spool, name, &b, &e) == 0 && b.n)
			to[i].told = json_parse(b.p, b.n, &e);
		buf_free(&b);
	}
	spool_close(spool);
}

void status_sinks_free(struct status_sink *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_free(s[i].told);
}

static long long count(const struct status_sink *s, const char *name)
{
	return (long long)json_int(json_get(s->told, name), 0);
}

void status_sinks_json(const struct status_sink *s, size_t n, int64_t now, struct json_out *o)
{
	json_open(o, "sinks", '[');
	for (size_t i = 0; i < n; i++) {
		const struct json *trouble = json_get(s[i].told, "trouble");

		json_open(o, NULL, '{');
		json_put_str(o, "name", s[i].config->name);
		json_put_int(o, "waiting", s[i].waiting);
		json_put_int(o, "waiting_seconds", s[i].oldest && s[i].oldest < now ? (now - s[i].oldest) / US_SECOND : 0);
		json_put_str(o, "type", sink_kind_text((int)s[i].config->kind));
		for (size_t k = 0; k < sizeof counters / sizeof counters[0]; k++)
			json_put_int(o, counters[k], json_int(json_get(s[i].told, counters[k]), 0));
		json_put_time(o, "last_acknowledged", json_time(json_get(s[i].told, "last")));
		json_put_int(o, "dead_letters", s[i].dead_letters);
		if (json_get(s[i].told, "dropped"))
			json_put(o, "dropped", json_get(s[i].told, "dropped"));
		if (json_get(s[i].told, "dropped_last"))
			json_put(o, "dropped_last", json_get(s[i].told, "dropped_last"));
		json_put_int(o, "unnamed", json_int(json_get(s[i].told, "unnamed"), 0));
		if (trouble) {
			json_put_str(o, "trouble", json_str(trouble, ""));
			json_put_time(o, "trouble_since", json_time(json_get(s[i].told, "trouble_since")));
		}
		if (json_get(s[i].told, "held")) {
			json_put_int(o, "held", count(&s[i], "held"));
			json_put_str(o, "held_why", json_str(json_get(s[i].told, "held_why"), ""));
			json_put_time(o, "held_since", json_time(json_get(s[i].told, "held_since")));
		}
		json_close(o, '}');
	}
	json_close(o, ']');
}

static int add_dropped(void *arg, const char *kind, const struct json *n)
{
	struct buf *to = arg;

	buf_printf(to, "%s%lld of kind %s", to->n ? ", " : "", (long long)json_int(n, 0), kind);
	return 0;
}

static void print_dropped(const struct cli *c, const struct json *dropped)
{
	struct buf b;

	buf_init(&b, 1024);
	json_each(dropped, add_dropped, &b);
	if (b.n)
		cli_print(c, CLI_RED, "    given up, because the spool was over caps.spool_mb: %s\n", buf_text(&b));
	buf_free(&b);
}

static void print_one(const struct cli *c, const struct status_sink *s)
{
	const struct json *trouble = json_get(s->told, "trouble");
	int64_t now = clock_wall(&c->clock);
	char text[32], age[48] = "";

	if (s->waiting < 0) {
		cli_print(c, CLI_DIM, "  sink %s: nothing was sent yet\n", s->config->name);
		return;
	}
	if (s->oldest && now > s->oldest)
		(void)snprintf(age, sizeof age, ", the first for %s", span_text((now - s->oldest) / US_SECOND * US_SECOND, text));
	cli_print(c, s->waiting > MANY ? CLI_YELLOW : CLI_PLAIN,
		"  sink %s: %lld records wait%s; %lld sent, %lld acknowledged, %lld sent again, %lld refused\n", s->config->name,
		(long long)s->waiting, age, count(s, "sent"), count(s, "acknowledged"), count(s, "retried"), count(s, "dead"));
	if (json_get(s->told, "dropped"))
		print_dropped(c, json_get(s->told, "dropped"));
	if (s->dead_letters > 0)
		cli_print(c, CLI_YELLOW, "    %lld refused records are kept: evmend spool list --sink %s\n", (long long)s->dead_letters, s->config->name);
	if (count(s, "unnamed"))
		cli_print(c, CLI_RED, "    it threw away %lld records that it had taken, and did not say which\n", count(s, "unnamed"));
	if (trouble)
		cli_print(c, CLI_RED, "    it takes nothing since %s: %s\n", time_text(json_time(json_get(s->told, "trouble_since")), text),
			json_str(trouble, ""));
	if (json_get(s->told, "held"))
		cli_print(c, CLI_RED, "    %lld of them wait for a person since %s: %s\n", count(s, "held"),
			time_text(json_time(json_get(s->told, "held_since")), text), json_str(json_get(s->told, "held_why"), ""));
}

void status_sinks_print(const struct cli *c, const struct status_sink *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_one(c, &s[i]);
}

static bool of_the_last(int64_t span, int64_t when, int64_t now)
{
	return when && now - when < span;
}

static bool for_a_while(const struct status_sink *s, const char *since, int64_t now)
{
	int64_t when = json_time(json_get(s->told, since));

	return when && now - when >= A_WHILE;
}

static bool bad_one(const struct status_sink *s, int64_t now, struct buf *to)
{
	const char *name = s->config->name;
	size_t before = to->n;
	char when[32];

	if (for_a_while(s, "trouble_since", now))
		buf_printf(to, ", sink %s takes nothing since %s", name, time_text(json_time(json_get(s->told, "trouble_since")), when));
	if (for_a_while(s, "held_since", now))
		buf_printf(to, ", sink %s has %lld records that wait for a person", name, count(s, "held"));
	if (of_the_last(NEW, json_time(json_get(s->told, "dropped_last")), now))
		buf_printf(to, ", sink %s lost records to caps.spool_mb until %s", name, time_text(json_time(json_get(s->told, "dropped_last")), when));
	if (of_the_last(NEW, s->newest_letter, now))
		buf_printf(to, ", sink %s has %lld dead letters", name, (long long)s->dead_letters);
	return to->n > before;
}

size_t status_sinks_bad(const struct status_sink *s, size_t n, int64_t now, struct buf *to)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += bad_one(&s[i], now, to);
	for (size_t i = 0; i < to->n; i++)
		if (to->p[i] == '|' || (unsigned char)to->p[i] < ' ')
			to->p[i] = ' ';
	return bad;
}
