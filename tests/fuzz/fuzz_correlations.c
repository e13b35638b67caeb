/* fuzz_correlations.c - a correlation and a stream of matches, with restarts in between, against brute force.
 *
 * Why: windows, late matches and stored state meet in orders that nobody writes a test for.
 * Promises: aborts when the correlator fires for another window, at another time or with another number of matches than the oracle,
 * which goes through all windows (unit/correlate/oracle.h), and when it cannot read its own state.
 * Refuses: correlations that the loader refuses, such as the same bound twice.
 * Bytes: eight for the correlation, the others are drawn for the stream: rule, time, user, value. */
#include "lib/fuzz.h"
#include "unit/correlate/oracle.h"

static const char *const letters[] = {"a", "ab", "abc", "ef", "efa", "aefb", "cba", "ae", "abce"};
static const struct {
	const char *text;
	bool (*holds)(unsigned set);
} expressions[] = {{"a and (b or c)", a_and_either}, {"a and not b", a_without_b}};

static struct config config_of(const uint8_t *p)
{
	struct config c = {.kind = (enum kind)(p[0] % 9), .rules = letters[p[1] % 9], .quiet = (int)(p[7] % 4) * 10 - 10};
	bool named = c.kind == ANY || c.kind == ORDER;

	if (c.quiet < 0)
		c.quiet = -1;
	if (named && p[6] & 1) {
		c.rules = "abc";
		c.expression = expressions[p[6] >> 1 & 1].text;
		c.holds = expressions[p[6] >> 1 & 1].holds;
	} else if (c.kind != ABSENT) {
		c.bounds[0].op = named ? (enum op)(p[2] % 7) : (enum op)(p[2] % 6 + 1);
		c.bounds[0].than = p[3] % 64 / 4.0;
		c.bounds[1].op = c.bounds[0].op ? (enum op)(p[4] % 7) : NONE;
		c.bounds[1].than = p[5] % 64 / 4.0;
	}
	if (c.kind == ABSENT && !c.rules[1])
		c.rules = "ab";
	c.around = c.kind == ABSENT && p[6] & 1;
	c.percentile = c.kind == PERCENTILE ? p[6] % 101 : 0;
	return c;
}

static bool begin(struct stream *s, const struct config *c)
{
	struct buf yaml;

	memset(s, 0, sizeof *s);
	buf_init(&yaml, 1u << 16);
	yaml_of(c, &yaml);
	s->rs = fuzz_rules(buf_text(&yaml), yaml.n, false, NULL, NULL);
	buf_free(&yaml);
	if (ruleset_refused(s->rs)) {
		ruleset_free(s->rs);
		return false;
	}
	s->m = matcher_new(s->rs);
	s->pool = strings_new();
	s->o = (struct correlator_options){.rules = s->rs, .pool = s->pool, .memory_cap = 100u << 20, .stored = true, .arg = s,
		.fired = stream_fired};
	s->c = correlator_new(&s->o);
	buf_init(&s->log, 1u << 20);
	return time_parse("2018-03-13T00:00:00Z", 20, &s->base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c;
	struct buf want, got;
	struct stream s;

	if (size < 16)
		return 0;
	c = config_of(data);
	if (!begin(&s, &c))
		return 0;
	struct dice d = {.at = data + 8, .end = data + size};

	buf_init(&want, 1u << 20);
	buf_init(&got, 1u << 20);
	play(&c, &d, &s, &want, &got);
	if (PLANTED(want.n > 70))
		buf_cut(&want, 1);
	if (strcmp(buf_text(&want), buf_text(&got)) != 0) {
		struct buf yaml;

		buf_init(&yaml, 1u << 16);
		yaml_of(&c, &yaml);
		fuzz_wrong("%s--- wanted:\n%s--- got:\n%s", buf_text(&yaml), buf_text(&want), buf_text(&got));
	}
	stream_end(&s);
	buf_free(&want);
	buf_free(&got);
	return 0;
}
