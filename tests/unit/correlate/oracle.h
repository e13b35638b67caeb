/* oracle.h - a second opinion on correlations: all windows gone through by brute force, straight from the words of docs/sigma.md. It shares
 * no code with correlate/. One correlation over the rules of streams.h, two groups, minutes. */
#ifndef EVMEND_TESTS_UNIT_CORRELATE_ORACLE_H
#define EVMEND_TESTS_UNIT_CORRELATE_ORACLE_H

#include "unit/correlate/streams.h"

#define MOST 80 /* events of a stream */

enum kind { COUNT, VALUES, ANY, ORDER, SUM, AVG, MEDIAN, PERCENTILE, ABSENT };
static const char *const kinds[] = {"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_median",
	"value_percentile", "absent"};
enum op { NONE, GT, GTE, LT, LTE, EQ, NEQ };
static const char *const ops[] = {"", "gt", "gte", "lt", "lte", "eq", "neq"};

struct config {
	enum kind kind;
	const char *rules; /* letters */
	struct { enum op op; double than; } bounds[2];
	const char *expression; /* over rules 1, 2, 3 in the order of `rules`, in place of bounds; evaluated by `holds` */
	bool (*holds)(unsigned set);
	double percentile;
	bool around;
	int quiet; /* minutes; -1: as it comes */
};

static bool a_and_either(unsigned s)
{
	return (s & 1) && (s & 6);
}

static bool a_without_b(unsigned s)
{
	return (s & 1) && !(s & 2);
}

struct seen { /* a match that takes part */
	int minute, record, place;
	char value[20];
	double number;
};

struct naive {
	const struct config *c;
	const char *user; /* of the group */
	struct seen list[2 * MOST];
	size_t n;
	int quiet; /* what is not later takes no part */
	struct buf *log;
	int arrived;
};

#define SPAN 10
#define NEVER (-100000)

static bool bounds_hold(const struct config *c, double v)
{
	size_t n = strlen(c->rules);

	if (c->bounds[0].op == NONE)
		return v >= (double)n;
	for (int i = 0; i < 2 && c->bounds[i].op; i++) {
		double t = c->bounds[i].than;

		if (!(c->bounds[i].op == GT ? v > t : c->bounds[i].op == GTE ? v >= t : c->bounds[i].op == LT ? v < t :
		      c->bounds[i].op == LTE ? v <= t : c->bounds[i].op == EQ ? v == t : v != t))
			return false;
	}
	return true;
}

static bool set_holds(const struct config *c, unsigned set)
{
	int n = 0;

	for (unsigned s = set; s; s >>= 1)
		n += (int)(s & 1);
	return c->holds ? c->holds(set) : bounds_hold(c, n);
}

static bool waits(const struct config *c)
{
	bool upper = c->kind == AVG || c->kind == MEDIAN || c->kind == PERCENTILE || c->kind == ABSENT || c->holds == a_without_b;

	for (int i = 0; i < 2; i++)
		upper = upper || c->bounds[i].op > GTE;
	return upper;
}

static unsigned places(const struct seen *s, size_t n)
{
	unsigned set = 0;

	for (size_t i = 0; i < n; i++)
		set |= 1u << s[i].place;
	return set;
}

/* All ways to give each place of the set an event, in order; the first one found is the first in the order of entries. */
static bool chain(const struct seen *s, size_t n, unsigned set, size_t *at, size_t k, unsigned place)
{
	while (place < 32 && !(set >> place & 1))
		place++;
	if (place == 32)
		return true;
	for (size_t i = 0; i < n; i++) {
		bool good = s[i].place == (int)place && (k == 0 || s[i].minute >= s[at[k - 1]].minute);

		for (size_t j = 0; good && j < k; j++)
			good = s[at[j]].record != s[i].record;
		if (!good)
			continue;
		at[k] = i;
		if (chain(s, n, set, at, k + 1, place + 1))
			return true;
	}
	return false;
}

/* The chain that begins latest. */
static bool latest_chain(const struct seen *s, size_t n, unsigned set, size_t *at)
{
	unsigned first = 0;

	while (!(set >> first & 1))
		first++;
	for (size_t i = n; i > 0; i--) {
		at[0] = i - 1;
		if (s[i - 1].place == (int)first && chain(s, n, set, at, 1, first + 1))
			return true;
	}
	return false;
}

static double ranked(const struct seen *s, size_t n, double percent)
{
	double v[2 * MOST], rank = percent / 100 * (double)(n - 1);

	for (size_t i = 0; i < n; i++)
		v[i] = s[i].number;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (v[j] < v[i]) {
				double x = v[i];

				v[i] = v[j];
				v[j] = x;
			}
	size_t low = (size_t)rank;

	return low + 1 < n ? v[low] + (rank - (double)low) * (v[low + 1] - v[low]) : v[low];
}

/* Is this window one? Says first, last and how many the finding names. */
static bool window(const struct config *c, const struct seen *s, size_t n, int *first, int *last, size_t *many)
{
	size_t at[32], distinct = 0;
	unsigned set = places(s, n);
	double sum = 0;

	*first = s[0].minute;
	*last = s[n - 1].minute;
	*many = n;
	for (size_t i = 0; i < n; i++) {
		bool again = false;

		sum += s[i].number;
		for (size_t j = 0; j < i; j++)
			again = again || (c->kind == VALUES ? strcasecmp(s[i].value, s[j].value) == 0 : s[i].place == s[j].place);
		if (!again && (c->kind == VALUES || c->kind == ANY)) {
			*last = s[i].minute;
			*many = distinct + 1;
		}
		distinct += !again;
	}
	switch (c->kind) {
	case COUNT:
		return bounds_hold(c, (double)n);
	case VALUES:
		return bounds_hold(c, (double)distinct);
	case ANY:
		return set_holds(c, set);
	case ORDER:
		for (size_t i = 0; i < n && (i == 0 || !waits(c)); i++) {
			unsigned some = places(s + i, n - i);
			size_t k = 0;

			if (!set_holds(c, some) || !latest_chain(s + i, n - i, some, at))
				continue;
			for (unsigned x = some; x; x >>= 1)
				k += x & 1;
			*first = s[i + at[0]].minute;
			*last = s[i + at[k - 1]].minute;
			*many = k;
			return true;
		}
		return false;
	case SUM:
		return bounds_hold(c, sum);
	case AVG:
		return bounds_hold(c, sum / (double)n);
	case MEDIAN:
		return bounds_hold(c, ranked(s, n, 50));
	case PERCENTILE:
		return bounds_hold(c, ranked(s, n, c->percentile));
	case ABSENT:
		break;
	}
	return false;
}

static void fired(struct naive *g, int first, int last, size_t many)
{
	int quiet = g->c->quiet >= 0 ? g->c->quiet : g->c->kind != ABSENT && waits(g->c) ? 0 : SPAN;

	buf_printf(g->log, "%d x %s %d-%d:%zu\n", g->arrived, g->user, first, last, many);
	if (quiet && last + quiet > g->quiet)
		g->quiet = last + quiet;
}

static void take_away(struct naive *g, size_t n)
{
	memmove(g->list, g->list + n, (g->n - n) * sizeof *g->list);
	g->n -= n;
}

static void arrive(struct naive *g, const struct seen *new)
{
	bool by_place = g->c->kind == ANY || g->c->kind == ORDER || g->c->kind == ABSENT;
	size_t p = g->n, n, many;
	int first, last;

	if (new->minute <= g->quiet && !(g->c->kind == ABSENT && new->place))
		return;
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].record == new->record && (!by_place || g->list[i].place == new->place))
			return;
	while (p > 0 && g->list[p - 1].minute > new->minute)
		p--;
	memmove(&g->list[p + 1], &g->list[p], (g->n - p) * sizeof *g->list);
	g->list[p] = *new;
	g->n++;
	for (size_t j = p; j < g->n && !waits(g->c) && g->list[j].minute - new->minute <= SPAN; j++) {
		size_t i = 0;

		while (g->list[j].minute - g->list[i].minute > SPAN)
			i++;
		n = j + 1 - i;
		if (!window(g->c, g->list + i, n, &first, &last, &many))
			continue;
		take_away(g, j + 1);
		fired(g, first, last, many);
		return;
	}
}

static void close_all(struct naive *g)
{
	size_t n, many;
	int first, last;

	for (; g->n && g->c->kind != ABSENT && waits(g->c); take_away(g, n)) {
		for (n = 1; n < g->n && g->list[n].minute - g->list[0].minute <= SPAN;)
			n++;
		if (window(g->c, g->list, n, &first, &last, &many))
			fired(g, first, last, many);
	}
	for (size_t i = 0; i < g->n && g->c->kind == ABSENT; i++) {
		bool alone = g->list[i].place == 0 && g->list[i].minute > g->quiet;

		for (size_t j = 0; j < g->n; j++) {
			int behind = g->list[j].minute - g->list[i].minute;

			if (g->list[j].place && behind <= SPAN && behind >= (g->c->around ? -SPAN : 0))
				alone = false;
		}
		if (alone)
			fired(g, g->list[i].minute, g->list[i].minute, 1);
	}
}

static void yaml_of(const struct config *c, struct buf *to)
{
	bool value = c->kind == VALUES || (c->kind >= SUM && c->kind <= PERCENTILE);

	buf_printf(to, RULES "title: X\nname: x\ncorrelation:\n    type: %s\n    timespan: 10m\n    group-by: User\n    rules: [%c", kinds[c->kind],
		c->rules[0]);
	for (const char *r = c->rules + 1; *r; r++)
		buf_printf(to, ", %c", *r);
	buf_str(to, "]\n");
	if (c->expression)
		buf_printf(to, "    condition: %s\n", c->expression);
	else if (c->bounds[0].op || value)
		buf_printf(to, "    condition: {%s: %g", ops[c->bounds[0].op], c->bounds[0].than);
	if (!c->expression && c->bounds[0].op) {
		if (c->bounds[1].op)
			buf_printf(to, ", %s: %g", ops[c->bounds[1].op], c->bounds[1].than);
		if (value)
			buf_str(to, ", field: N");
		if (c->kind == PERCENTILE)
			buf_printf(to, ", percentile: %g", c->percentile);
		buf_str(to, "}\n");
	}
	if (c->around)
		buf_str(to, "    where: around\n");
	if (c->quiet >= 0)
		buf_printf(to, "    quiet: %dm\n", c->quiet);
}

struct dice { /* the same stream again: drawn from a seed, or told by bytes and zeros behind them */
	unsigned seed;
	const uint8_t *at, *end; /* NULL: by the seed */
};

static unsigned draw(struct dice *d, unsigned n)
{
	if (d->at)
		return d->at < d->end ? *d->at++ % n : 0;
	d->seed = d->seed * 1664525u + 1013904223u;
	return (d->seed >> 12) % n;
}

static const char *const users[] = {"bob", "eve"};
static const char *const spellings[] = {"bob", "Eve", "BOB", "eve", NULL};
static const char *const values[] = {"1", "2.5", "0x8", "abc", "ABC", "7", "4", "12", NULL};

static void give(struct stream *s, struct naive groups[2], struct dice *d, int *now)
{
	static const int ids[] = {1, 2, 3, 5};
	int id = ids[draw(d, 4)], when;
	const char *user = spellings[draw(d, 8) ? draw(d, 4) : 4], *value = values[draw(d, 9)];
	char *end;

	*now += (int)draw(d, 3);
	when = draw(d, 6) ? *now : *now - (int)draw(d, 14);
	for (unsigned times = draw(d, 12) ? 1 : 2; times > 0; times--) { /* now and then twice */
		stream_event(s, id, when, s->records, user, value);
		for (int g = 0; g < 2 && user; g++) {
			struct naive *to = &groups[g];

			to->arrived = s->arrived;
			for (int place = 0; strcasecmp(user, to->user) == 0 && to->c->rules[place]; place++) {
				char rule = to->c->rules[place];
				struct seen new = {.minute = when, .record = s->records, .place = place};
				bool value_type = to->c->kind == VALUES || (to->c->kind >= SUM && to->c->kind <= PERCENTILE);

				if ((rule == 'a' ? 1 : rule == 'b' ? 2 : rule == 'c' ? 3 : 5) != id || (value_type && !value))
					continue;
				snprintf(new.value, sizeof new.value, "%s", value ? value : "");
				new.number = strtod(new.value, &end);
				if (value_type && to->c->kind != VALUES && (end == new.value || *end))
					continue;
				arrive(to, &new);
			}
		}
	}
	s->records++;
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Groups are decided in the order of their time, which is no question here. */
static void sort_lines(struct buf *b, struct buf *to)
{
	char *lines[4 * MOST];
	size_t n = 0;

	for (char *p = b->n ? strtok(b->p, "\n") : NULL; p; p = strtok(NULL, "\n"))
		lines[n++] = p;
	if (n)
		qsort(lines, n, sizeof *lines, by_line);
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s\n", lines[i]);
}

/* The state goes to another correlator, as after a restart. */
static int handed_over(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct stream *s = arg;

	(void)name;
	(void)name_n;
	assert_true(n == 0 || correlator_load(s->c, value, n, true) == 0);
	return 0;
}

static void restart(struct stream *s)
{
	struct correlator *old = s->c;

	s->c = correlator_new(&s->o);
	assert_int_equal(correlator_all(old, handed_over, s), 0);
	correlator_free(old);
}

/* Plays a stream of at most MOST events to both; what fired, a sorted line each, goes to want and got. Told by bytes, it restarts too. */
static void play(const struct config *c, struct dice *d, struct stream *s, struct buf *want, struct buf *got)
{
	struct naive groups[2];
	struct buf log;
	int now = 20;

	buf_init(&log, 1u << 20);
	s->arrivals = true;
	for (int g = 0; g < 2; g++)
		groups[g] = (struct naive){.c = c, .user = users[g], .quiet = NEVER, .log = &log};
	for (int i = 0; i < MOST && (!d->at || d->at < d->end); i++) {
		give(s, groups, d, &now);
		if (d->at && draw(d, 8) == 7)
			restart(s);
	}
	correlator_finish(s->c);
	for (int g = 0; g < 2; g++) {
		groups[g].arrived = s->arrived;
		close_all(&groups[g]);
	}
	sort_lines(&log, want);
	sort_lines(&s->log, got);
	buf_free(&log);
}

#endif
