/* table.c - figures, what they must be, and whether they are.
 *
 * Why: a figure without its promise beside it says nothing.
 * Promises: one line for each; a must that is missed is counted; --json has the same.
 * Refuses: nothing. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "bench/bench.h"

struct line {
	char name[80], text[160];
	const char *unit;
	double must, goal, measured;
	bool judged, absent;
};

#define LINES 128

static struct line lines[LINES];
static size_t n_lines;

static struct line *add(const char *name, const char *unit, const char *text)
{
	struct line *l = &lines[n_lines < LINES - 1 ? n_lines++ : n_lines];

	*l = (struct line){.unit = unit};
	text_copy(l->name, sizeof l->name, name);
	text_copy(l->text, sizeof l->text, text ? text : "");
	return l;
}

void figure(const char *name, double must, double goal, double measured, const char *unit, const char *text)
{
	struct line *l = add(name, unit, text);

	l->must = must;
	l->goal = goal;
	l->measured = measured;
	l->judged = true;
	say("%s: %.4g %s (must %.4g)", name, measured, unit, must);
}

void figure_absent(const char *name, double must, double goal, const char *unit, const char *why)
{
	struct line *l = add(name, unit, why);

	l->must = must;
	l->goal = goal;
	l->judged = l->absent = true;
}

void fact(const char *name, double value, const char *unit)
{
	add(name, unit, NULL)->measured = value;
}

static bool met(const struct line *l)
{
	return !l->absent && l->measured <= l->must;
}

static int print_json(const struct bench *b)
{
	struct json_out o;
	struct buf to;
	int missed = 0;

	buf_init(&to, 1u << 20);
	json_begin(&o, &to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "events", (int64_t)b->n_events);
	json_put_int(&o, "bytes", (int64_t)b->bytes);
	json_open(&o, "figures", '[');
	for (size_t i = 0; i < n_lines; i++) {
		const struct line *l = &lines[i];

		json_open(&o, NULL, '{');
		json_put_str(&o, "name", l->name);
		json_put_str(&o, "unit", l->unit);
		if (l->absent)
			json_put_null(&o, "measured");
		else
			json_put_real(&o, "measured", l->measured, 4);
		if (l->judged) {
			json_put_real(&o, "must", l->must, 2);
			json_put_real(&o, "goal", l->goal, 2);
			json_put_bool(&o, "met", met(l));
			missed += !met(l);
		}
		if (l->text[0])
			json_put_str(&o, "note", l->text);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_put_int(&o, "missed", missed);
	json_close(&o, '}');
	printf("%s\n", buf_text(&to));
	buf_free(&to);
	return missed;
}

int table_print(const struct bench *b, bool json)
{
	int missed = 0;

	if (json)
		return print_json(b);
	printf("%llu events, %.1f MB\n\n%-62s %9s %9s %11s\n", (unsigned long long)b->n_events, (double)b->bytes / 1e6, "figure", "must", "goal",
	       "measured");
	for (size_t i = 0; i < n_lines; i++) {
		const struct line *l = &lines[i];

		if (!l->judged)
			continue;
		if (l->absent)
			printf("%-62s %9.4g %9.4g %11s %-8s missed: %s\n", l->name, l->must, l->goal, "-", l->unit, l->text);
		else
			printf("%-62s %9.4g %9.4g %11.4g %-8s %s%s%s\n", l->name, l->must, l->goal, l->measured, l->unit,
			       met(l) ? l->measured <= l->goal ? "met, goal too" : "met" : "missed", l->text[0] ? "; " : "", l->text);
		missed += !met(l);
	}
	printf("\n");
	for (size_t i = 0; i < n_lines; i++)
		if (!lines[i].judged)
			printf("%-84s %11.4g %s\n", lines[i].name, lines[i].measured, lines[i].unit);
	printf("\n%d of the musts missed\n", missed);
	return missed;
}
