/* test_fleet.c - the matrix: what is asked of whom, what follows from it in words, and what the agent tells of it. The hosts are in
 * memory; a grid of marks says what each front end meets at each back end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/fleet.h"
#include "heal/healer.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/scratch.h"

#define HOSTS 11

/* Marks as fleet_mark writes them; "?": the host says that it cannot, "!": the connection breaks, "x": another certificate;
 * a row "-": the host cannot be opened, "n": it is no Exchange server. */
struct world {
	const char *grid[HOSTS];
	size_t n;
	struct fake_clock clock;
	int opened, open_now, asked, identified, observed;
	char address[256]; /* of the last ask */
	uint16_t port;
	int64_t deadline;
};

struct one {
	struct host base;
	struct world *w;
	size_t i;
	bool dead;
};

static const char *const names[HOSTS] = {"ex1.a.example", "ex2.a.example", "ex3.a.example", "ex4.a.example", "ex5.a.example",
	"ex6.a.example", "ex7.a.example", "ex8.a.example", "ex9.a.example", "ex10.a.example", "ex11.a.example"};

static int identity(struct host *h, struct host_identity *to, int64_t deadline, struct err *e)
{
	struct one *o = (struct one *)h;

	(void)deadline, (void)e;
	o->w->identified++;
	memset(to, 0, sizeof(*to));
	snprintf(to->fqdn, sizeof(to->fqdn), "%s", names[o->i]);
	to->exchange = o->w->grid[o->i][0] != 'n';
	to->backend_port = (uint16_t)(4400 + o->i);
	return 0;
}

static int observe(struct host *h, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	(void)parts, (void)to, (void)deadline;
	((struct one *)h)->w->observed++;
	return err_set(e, ERR_REFUSED, "not now");
}

static int busy(struct host *h, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e)
{
	(void)h, (void)deadline, (void)e;
	*to = HOST_FREE;
	what[0] = '\0';
	return 0;
}

static void meet(struct probe_result *to, const char *mark, size_t back)
{
	memset(to, 0, sizeof(*to));
	to->tls = TLS_NOT_TRIED;
	if (strcmp(mark, "ref") == 0)
		to->tcp = TCP_REFUSED;
	else if (strcmp(mark, "name") == 0)
		to->tcp = TCP_UNRESOLVABLE;
	else if (strcmp(mark, "time") == 0)
		to->tcp = TCP_TIMEOUT;
	else if (strcmp(mark, "rst") == 0)
		to->tls = TLS_RESET;
	else if (strcmp(mark, "eof") == 0)
		to->tls = TLS_EOF;
	else if (strcmp(mark, "err") == 0)
		to->tls = TLS_ERROR;
	else if (mark[0] == 'a')
		to->tls = TLS_ALERT, to->alert = (int)strtol(mark + 1, NULL, 10);
	else
		to->tls = TLS_OK, to->http_status = strcmp(mark, "mute") == 0 ? 0 : strcmp(mark, "503") == 0 ? 503 : 200;
	snprintf(to->tls_version, sizeof(to->tls_version), "TLSv1%s", strcmp(mark, "old") == 0 ? "" : to->tls == TLS_OK ? ".2" : "");
	if (to->tls == TLS_OK) {
		to->has_leaf = true;
		memset(to->leaf.thumbprint, mark[0] == 'x' ? 0xee : (int)back + 1, 20);
	}
}

static int probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	struct one *o = (struct one *)h;
	const char *row = o->w->grid[o->i];
	size_t back = 0;
	char mark[16];

	assert_false(o->dead);
	o->w->asked++;
	o->w->deadline = deadline - clock_monotonic(h->clock);
	o->w->port = ask->port;
	snprintf(o->w->address, sizeof(o->w->address), "%s", ask->address);
	while (strcmp(names[back], ask->address) != 0)
		assert_true(++back < o->w->n);
	for (size_t k = 0; k < back; k++)
		row += strcspn(row, " ") + strspn(row + strcspn(row, " "), " ");
	snprintf(mark, sizeof(mark), "%.*s", (int)strcspn(row, " "), row);
	if (mark[0] == '!') {
		o->dead = true;
		return err_set(e, ERR_IO, "the connection broke");
	}
	if (mark[0] == '?')
		return err_set(e, ERR_REFUSED, "it cannot");
	meet(to, mark, back);
	return 0;
}

static void close_one(struct host *h)
{
	((struct one *)h)->w->open_now--;
	free(h);
}

static const struct host_ops ops = {.identity = identity, .observe = observe, .busy = busy, .probe = probe, .close = close_one};

static struct host *open_one(struct world *w, size_t i, struct err *e)
{
	struct one *o;

	w->opened++;
	if (w->grid[i][0] == '-') {
		(void)err_set(e, ERR_IO, "it does not answer by its deadline");
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	assert_non_null(o);
	w->open_now++;
	o->base.ops = &ops;
	o->base.clock = &w->clock.clock;
	o->w = w;
	o->i = i;
	return &o->base;
}

static struct host *open_by_index(void *arg, size_t i, int64_t deadline, struct err *e)
{
	(void)deadline;
	return open_one(arg, i, e);
}

static struct host *open_by_name(void *arg, const struct host_config *config, int64_t deadline, struct err *e)
{
	size_t i = 0;

	(void)deadline;
	while (strcmp(names[i], config->name) != 0)
		i++;
	return open_one(arg, i, e);
}

static struct world world_of(const char *const *grid)
{
	struct world w = {.n = 0};

	while (grid[w.n]) {
		w.grid[w.n] = grid[w.n];
		w.n++;
	}
	fake_clock_init(&w.clock, INT64_C(1800000000) * US_SECOND);
	return w;
}

static struct fleet *ask_all(struct world *w)
{
	struct fleet *f = fleet_new(names, w->n);
	struct fleet_access a = {.open = open_by_index, .arg = w, .clock = &w->clock.clock};
	struct host *kept = NULL;
	int64_t end = w->clock.monotonic + FLEET_CELL;

	for (size_t i = 0; i < w->n; i++) {
		fleet_identify(f, i, &a, &kept, end);
		fleet_leave(&kept);
	}
	for (size_t i = 0; i < w->n; i++) {
		for (size_t k = 0; k < w->n && fleet_ask(f, i, k, &a, &kept, end); k++)
			;
		fleet_leave(&kept);
	}
	assert_int_equal(w->open_now, 0);
	return f;
}

/* ---- asking ---- */

static void what_is_asked(void **state)
{
	static const char *const grid[] = {"ok a70", "ok ok", NULL};
	struct world w = world_of(grid);
	struct fleet *f = ask_all(&w);
	char mark[8];

	(void)state;
	assert_string_equal(w.address, "ex2.a.example"); /* the back end's own name and port */
	assert_int_equal(w.port, 4401);
	assert_true(w.deadline <= FLEET_CELL);
	assert_int_equal(w.asked, 4);
	assert_string_equal(fleet_mark(fleet_cell(f, 0, 1), mark), "a70");
	assert_string_equal(fleet_mark(fleet_cell(f, 1, 0), mark), "ok");
	assert_true(fleet_bad(fleet_cell(f, 0, 1)));
	assert_false(fleet_bad(fleet_cell(f, 0, 0)));
	fleet_free(f);
}

static void every_outcome(void **state)
{
	static const char *const grid[] = {"ok ref time name rst eof a40 err mute 503 old", "-", "-", "-", "-", "-", "-",
		"-", "-", "-", "-", NULL};
	struct world w = world_of(grid);
	struct fleet *f = ask_all(&w);
	struct buf b;
	char mark[8];
	enum cell_outcome o;

	(void)state;
	buf_init(&b, 1000);
	for (size_t k = 0; k < w.n; k++) {
		const struct fleet_cell *c = fleet_cell(f, 0, k);

		buf_printf(&b, "%s%s", k ? " " : "", fleet_mark(c, mark));
		assert_true(fleet_outcome_parse(fleet_outcome_text(c->outcome), &o) && o == c->outcome);
	}
	assert_string_equal(buf_text(&b), grid[0]);
	assert_false(fleet_outcome_parse("fine", &o));
	buf_free(&b);
	fleet_free(f);
}

static void unknown_is_not_no(void **state)
{
	static const char *const grid[] = {"ok ? ok", "-", "ok ! ok", NULL};
	struct world w = world_of(grid);
	struct fleet *f = ask_all(&w);

	(void)state;
	assert_int_equal(fleet_cell(f, 0, 1)->outcome, CELL_UNKNOWN);
	assert_non_null(strstr(fleet_cell(f, 0, 1)->seen, "it cannot"));
	assert_int_equal(fleet_cell(f, 0, 2)->outcome, CELL_OK); /* the row goes on */
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(fleet_cell(f, 1, k)->outcome, CELL_UNKNOWN);
		assert_non_null(strstr(fleet_cell(f, 1, k)->seen, "does not answer"));
	}
	assert_int_equal(fleet_cell(f, 2, 1)->outcome, CELL_UNKNOWN);
	assert_int_equal(fleet_cell(f, 2, 2)->outcome, CELL_OK); /* by a new connection */
	fleet_free(f);
}

static void a_connection_that_breaks_again_and_again(void **state)
{
	static const char *const grid[] = {"! ! ! ! ok", "ok ok ok ok ok", "ok ok ok ok ok", "ok ok ok ok ok", "ok ok ok ok ok", NULL};
	struct world w = world_of(grid);
	struct fleet *f = ask_all(&w);

	(void)state;
	for (size_t k = 0; k < 5; k++)
		assert_int_equal(fleet_cell(f, 0, k)->outcome, CELL_UNKNOWN);
	assert_non_null(strstr(fleet_cell(f, 0, 4)->seen, "broke 3 times"));
	assert_int_equal(fleet_cell(f, 4, 0)->outcome, CELL_OK);
	fleet_free(f);
}

/* ---- judging ---- */

static const struct {
	const char *grid[7];
	const char *says[6]; /* each in a remark of its own, in this order; no other remark */
} judgements[] = {
	{{"ok ok ok", "ok ok ok", "ok ok ok"}, {NULL}},
	{{"ok rst ok", "ok rst ok", "ok rst ok"}, {"ex2 is not reached by anybody, itself included (the handshake is reset): its own port 4401"}},
	{{"ok 503 ok", "ok 503 ok", "ok 503 ok"}, {"ex2 answers everybody with HTTP status 503: its application pools"}},
	{{"ok old ok", "ok old ok", "ok old ok"}, {"ex2 speaks nothing newer than TLSv1: a hardened front end does not reach it"}},
	{{"ok a70 ok", "ok ok ok", "ok ok ok"}, {"only ex1 cannot reach ex2 (TLS alert 70, protocol_version): TLS settings of ex1."}},
	{{"ok name ok", "ok ok ok", "ok ok ok"}, {"only ex1 cannot reach ex2 (its name is not known there): name resolution of ex1."}},
	{{"ok a70", "ok ok"}, {"ex1 cannot reach ex2, which answers itself (TLS alert 70, protocol_version): TLS settings of ex1"}},
	{{"ok time ok", "ok ok ok", "ok time ok"}, {"ex2 answers itself and nobody else (no answer in time): a firewall"}},
	{{"ok ref ok ok", "ok ok ok ok", "ok ref ok ok", "ok ok ok ok"}, {"ex2 is reached by ex2, ex4, but not by ex1, ex3 (refused)"}},
	{{"ok ok", "ok ref"}, {"ex2 does not reach itself by its name (refused), though others do"}},
	/* a front end that is alone explains its whole row, and the dead back end stands beside it */
	{{"ok a70 a70 a70", "ok ok ok rst", "ok ok ok rst", "ok ok ok rst"}, {"ex1 reaches none of the others, though they are reached from elsewhere"
		" (TLS alert 70, protocol_version): its own TLS settings", "ex4 is not reached by anybody, itself included (the handshake is reset)"}},
	{{"ok ok ref", "ok ok ref", "-"}, {"ex3 is not reached by anybody (refused), and its own access does not answer either: is it on?",
		"ex3 could not be asked: it does not answer by its deadline"}},
	{{"ok ok ok", "ok ok ok", "-"}, {"ex3 could not be asked"}},
	{{"ok ? ?", "? ok ?", "? ? ok"}, {NULL}}, /* nothing is known, nothing is said */
	{{"ok x", "ok ok"}, {"ex1 is shown another certificate at ex2 (eeeeeeee) than ex2 itself (02020202)"}},
	{{"ok ok ok", "ok ok ok", "n"}, {"ex3 is left out: it is no Exchange server."}},
	{{"ok rst ref", "ok rst ok", "ok ref ok"}, {"ex2 is not reached by anybody, itself included (the handshake is reset; refused)",
		"only ex1 cannot reach ex3 (refused): network, firewall or name resolution of ex1."}},
};

static void in_words(void **state)
{
	struct fleet_remark *r = calloc(FLEET_REMARKS, sizeof(*r));

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
		struct world w = world_of(judgements[i].grid);
		struct fleet *f = ask_all(&w);
		size_t n = fleet_judge(f, r, FLEET_REMARKS), k = 0;

		for (; judgements[i].says[k]; k++)
			if (k >= n || !strstr(r[k].text, judgements[i].says[k]))
				fail_msg("grid %zu: '%s' is not '%s'", i, k < n ? r[k].text : "(nothing)", judgements[i].says[k]);
		if (k != n)
			fail_msg("grid %zu: too much is said: '%s'", i, r[k].text);
		fleet_free(f);
	}
	free(r);
}

/* ---- the agent ---- */

struct bench {
	struct scratch scratch;
	char path[512];
	struct world w;
	struct policy_config policy;
	struct heal_host hosts[HOSTS];
	struct healer_options o;
	struct healer *h;
};

static void bench_init(struct bench *b, const char *const *grid)
{
	memset(b, 0, sizeof(*b));
	scratch_init(&b->scratch);
	snprintf(b->path, sizeof(b->path), "%s", scratch_path(&b->scratch, "heal.db"));
	b->w = world_of(grid);
	b->policy = policy_defaults();
	for (size_t i = 0; i < b->w.n; i++)
		b->hosts[i].config.name = names[i];
	b->o = (struct healer_options){.db_path = b->path, .hosts = b->hosts, .n_hosts = b->w.n, .policy = &b->policy,
		.matrix_every = US_DAY, .clock = &b->w.clock.clock, .who = "a test", .open_host = open_by_name, .open_arg = &b->w};
}

static void bench_start(struct bench *b)
{
	struct err e = {.text = ""};

	b->h = healer_new(&b->o, &e);
	if (b->h == NULL)
		fail_msg("%s", e.text);
}

static void bench_run(struct bench *b, int64_t span)
{
	int64_t end = b->w.clock.monotonic + span;

	while (healer_next(b->h) <= end) {
		int before = b->w.asked + b->w.opened;

		if (healer_next(b->h) > b->w.clock.monotonic)
			fake_clock_advance(&b->w.clock, healer_next(b->h) - b->w.clock.monotonic);
		healer_run(b->h);
		if (b->w.observed == 0)
			assert_true(b->w.asked + b->w.opened - before <= 2); /* one piece of work: at most one opening and one question */
	}
	fake_clock_advance(&b->w.clock, end - b->w.clock.monotonic);
}

static int count_matrix(void *arg, const struct ledger_record *r)
{
	*(int *)arg += strcmp(r->kind, "matrix") == 0;
	return 0;
}

static int records(struct bench *b)
{
	struct err e;
	struct db *d = db_open(b->path, &heal_schema, DB_READ, &e);
	int n = 0;

	assert_non_null(d);
	assert_int_equal(ledger_each(d, 1, count_matrix, &n, &e), 0);
	db_close(d);
	return n;
}

static void bench_end(struct bench *b)
{
	healer_free(b->h);
	assert_int_equal(b->w.open_now, 0);
	scratch_free(&b->scratch);
}

static void without_any_event(void **state)
{
	static const char *const well[] = {"ok ok", "ok ok", NULL};
	struct bench *b = calloc(1, sizeof(*b));

	(void)state;
	bench_init(b, well);
	bench_start(b);
	bench_run(b, 50 * US_SECOND);
	assert_int_equal(b->w.asked, 0);
	bench_run(b, 20 * US_SECOND);
	assert_int_equal(b->w.asked, 4);
	bench_run(b, US_DAY);
	assert_int_equal(b->w.asked, 8);
	assert_int_equal(records(b), 0); /* nothing bad, nothing to tell */
	assert_int_equal(b->w.observed, 0);
	bench_end(b);
	free(b);
}

static void a_change_is_told_once(void **state)
{
	static const char *const bad[] = {"ok a70", "ok ok", NULL};
	struct bench *b = calloc(1, sizeof(*b));

	(void)state;
	bench_init(b, bad);
	bench_start(b);
	bench_run(b, 3 * US_DAY);
	assert_int_equal(records(b), 1);
	assert_true(b->w.asked > 60 * 4); /* what is bad is asked again each hour */
	healer_free(b->h);
	bench_start(b);
	bench_run(b, US_DAY);
	assert_int_equal(records(b), 1); /* also after a new start */
	b->w.grid[0] = "ok ?";
	bench_run(b, US_DAY);
	assert_int_equal(records(b), 1); /* what is unknown now is no news */
	b->w.grid[0] = "ok rst";
	bench_run(b, US_DAY);
	assert_int_equal(records(b), 2);
	b->w.grid[0] = "ok ok";
	bench_run(b, US_DAY);
	assert_int_equal(records(b), 3); /* well again */
	bench_run(b, US_DAY);
	assert_int_equal(records(b), 3);
	bench_end(b);
	free(b);
}

static void whom_nobody_reaches_is_diagnosed(void **state)
{
	static const char *const bad[] = {"ok rst", "ok rst", NULL};
	struct bench *b = calloc(1, sizeof(*b));

	(void)state;
	bench_init(b, bad);
	bench_start(b);
	bench_run(b, 2 * US_MINUTE);
	assert_true(b->w.observed > 0);
	bench_end(b);
	free(b);
}

static void off(void **state)
{
	static const char *const grid[] = {"ok rst", "ok rst", NULL}, *const single[] = {"rst", NULL};
	struct bench *b = calloc(1, sizeof(*b));

	(void)state;
	bench_init(b, grid);
	b->o.matrix_every = 0;
	bench_start(b);
	bench_run(b, 3 * US_DAY);
	assert_int_equal(b->w.asked, 0);
	bench_end(b);
	bench_init(b, single); /* one server reaches nobody else */
	bench_start(b);
	bench_run(b, 3 * US_DAY);
	assert_int_equal(b->w.asked, 0);
	bench_end(b);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(every_outcome),
		cmocka_unit_test(unknown_is_not_no),
		cmocka_unit_test(a_connection_that_breaks_again_and_again),
		cmocka_unit_test(in_words),
		cmocka_unit_test(without_any_event),
		cmocka_unit_test(a_change_is_told_once),
		cmocka_unit_test(whom_nobody_reaches_is_diagnosed),
		cmocka_unit_test(off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
