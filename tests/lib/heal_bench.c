/* heal_bench.c - see heal_bench.h. */
#include "lib/heal_bench.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "lib/check.h"

static int on_emit(void *arg, enum heal_kind kind, const uint8_t uid[32], int64_t time, const char *json, size_t n)
{
	struct heal_bench *b = arg;
	struct err e;
	struct json *j = json_parse(json, n, &e);

	(void)uid;
	(void)time;
	assert_non_null(j);
	assert_int_equal(json_int(json_get(j, "v"), 0), 1);
	json_free(j);
	b->emitted++;
	b->refusals += kind == HEAL_REFUSAL;
	return 0;
}

static void on_closed(void *arg, int64_t id)
{
	(void)id;
	((struct heal_bench *)arg)->closed++;
}

void heal_bench_init(struct heal_bench *b, enum policy_mode mode)
{
	memset(b, 0, sizeof(*b));
	/* states of hosts are big and mostly empty: pages that nobody touches cost nothing, cleared ones do */
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	scratch_init(&b->scratch);
	snprintf(b->db_path, sizeof b->db_path, "%s", scratch_path(&b->scratch, "heal.db"));
	fake_clock_init(&b->clock, INT64_C(1800000000) * US_SECOND);
	fake_world_init(&b->world, &b->clock);
	b->policy = policy_defaults();
	b->policy.mode = mode;
	b->host.config.name = "ex1.lab.example";
	b->host.mode = mode;
	b->options = (struct healer_options){.db_path = b->db_path, .hosts = &b->host, .n_hosts = 1, .policy = &b->policy,
		.diagnose_every = US_HOUR, .clock = &b->clock.clock, .who = "a test", .open_host = fake_host_open, .open_arg = &b->world,
		.sink = {.arg = b, .emit = on_emit, .case_closed = on_closed}};
}

void heal_bench_start(struct heal_bench *b)
{
	struct err e = {.text = ""};

	b->healer = healer_new(&b->options, &e);
	if (b->healer == NULL)
		fail_msg("%s", e.text);
}

void heal_bench_crash(struct heal_bench *b)
{
	healer_free(b->healer);
	b->healer = NULL;
	b->world.locked = false;
}

void heal_bench_free(struct heal_bench *b)
{
	healer_free(b->healer);
	fake_world_free(&b->world);
	scratch_free(&b->scratch);
}

void heal_bench_run(struct heal_bench *b, int64_t span)
{
	int64_t end = b->clock.monotonic + span;

	for (int i = 0; i < 10000; i++) {
		int64_t next = healer_next(b->healer);

		if (next > end)
			break;
		if (next > b->clock.monotonic)
			fake_clock_advance(&b->clock, next - b->clock.monotonic);
		healer_run(b->healer);
		(void)healer_outbox(b->healer, 1000);
	}
	if (end > b->clock.monotonic)
		fake_clock_advance(&b->clock, end - b->clock.monotonic);
}

void heal_bench_suspect(struct heal_bench *b, int64_t id, int64_t count)
{
	struct heal_suspect s = {.case_id = id, .reported_by = SIZE_MAX, .cause = case_cause_index("exchange-backend-certificate"),
		.confidence = LEVEL_HIGH, .asks = true, .first = b->clock.wall - US_SECOND, .last = b->clock.wall, .count = count, .port = 444,
		.seen = SEEN_CERT_DELETED | SEEN_BACKEND_ENDPOINT};
	struct err e = {.text = ""};

	memset(s.case_uid, (int)id, 32);
	if (healer_suspect(b->healer, &s, &e) < 0)
		fail_msg("%s", e.text);
}

int heal_bench_approve(struct heal_bench *b, int64_t id, struct err *e)
{
	struct approval a = {.case_id = id, .actor = "uid 0", .via = "test"};
	struct heal_case c;

	(void)heal_bench_state(b, id, &c);
	memcpy(a.plan_id, c.plan_id, 32);
	return healer_approve(b->healer, &a, e);
}

enum case_state heal_bench_state(struct heal_bench *b, int64_t id, struct heal_case *to)
{
	struct heal_case c;
	struct err e = {.text = ""};

	if (case_store_get(b->healer->db, id, &c, &e) != 1)
		fail_msg("no case %lld: %s", (long long)id, e.text);
	if (to)
		*to = c;
	return c.state;
}

struct counting {
	const char *kind;
	int n, pending;
};

static int count_one(void *arg, const struct ledger_record *r)
{
	struct counting *c = arg;

	c->n += c->kind && strcmp(r->kind, c->kind) == 0;
	if (strcmp(r->kind, "intent") == 0 || strcmp(r->kind, "undo-intent") == 0)
		c->pending++;
	if (strcmp(r->kind, "outcome") == 0 || strcmp(r->kind, "undo-outcome") == 0 || strcmp(r->kind, "interrupted") == 0)
		c->pending--;
	return 0;
}

static struct counting count(struct heal_bench *b, const char *kind)
{
	struct counting c = {.kind = kind};
	struct err e = {.text = ""};

	if (ledger_each(b->healer->db, 1, count_one, &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

int heal_bench_count(struct heal_bench *b, const char *kind)
{
	return count(b, kind).n;
}

int heal_bench_pending(struct heal_bench *b)
{
	return count(b, NULL).pending;
}

bool heal_bench_ledger_ok(struct heal_bench *b)
{
	uint8_t head[32];
	struct err e = {.text = ""};
	int64_t n;

	if (ledger_verify(b->healer->db, &n, head, &e) == 0)
		return true;
	print_error("%s\n", e.text);
	return false;
}
