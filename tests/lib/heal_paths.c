/* heal_paths.c - see heal_paths.h. */
#include "lib/heal_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "heal/healer_inside.h"
#include "lib/check.h"

#define DAYS_LEFT 900

static struct host_cert *backend_cert(struct fake_world *w)
{
	const struct host_record *r = fake_record(w, FAKE_BACKEND);

	return fake_cert(w, r->thumbprint, r->store);
}

static void make_rebind(struct fake_world *w)
{
	(void)fake_cert_add(w, "MY", "Microsoft Exchange", true, DAYS_LEFT);
	fake_delete_backend_cert(w, false);
}

static void make_unbind(struct fake_world *w)
{
	fake_unbind(w);
}

static void make_create(struct fake_world *w)
{
	fake_delete_backend_cert(w, false);
}

/* The public part is left in Root, and the key in its container. */
static void make_restore(struct fake_world *w)
{
	struct host_cert *c = backend_cert(w);

	text_copy(c->store, sizeof(c->store), "Root");
	c->has_key = TRI_NO;
	c->key_opens = c->key_matches = TRI_UNKNOWN;
}

static void make_key_repair(struct fake_world *w)
{
	struct host_cert *c = backend_cert(w);

	c->has_key = TRI_NO;
	c->key_opens = c->key_matches = TRI_UNKNOWN;
}

static void make_key_access(struct fake_world *w)
{
	struct host_cert *c = backend_cert(w);

	c->key_opens = TRI_NO;
	c->key_denied = TRI_YES;
}

static void make_binding(struct fake_world *w)
{
	w->state->sites[0].n_bindings = 0;
}

static void make_binding_and_record(struct fake_world *w)
{
	w->state->sites[0].n_bindings = 0;
	fake_unbind(w);
}

static void make_binding_and_cert(struct fake_world *w)
{
	w->state->sites[0].n_bindings = 0;
	fake_delete_backend_cert(w, false);
}

static void make_store_mismatch(struct fake_world *w)
{
	text_copy(backend_cert(w)->store, sizeof(w->state->certs[0].store), "WebHosting");
}

static void make_latent(struct fake_world *w)
{
	fake_delete_backend_cert(w, true);
}

static void make_stale(struct fake_world *w)
{
	w->stale = true;
}

static void make_expired(struct fake_world *w)
{
	backend_cert(w)->info.not_after = w->clock->wall - US_DAY;
}

static void make_foreign(struct fake_world *w)
{
	memcpy(fake_record(w, FAKE_BACKEND)->thumbprint, fake_record(w, FAKE_FRONTEND)->thumbprint, 20);
}

static void make_hop(struct fake_world *w)
{
	w->hop_fails = true;
}

static void make_no_hop(struct fake_world *w)
{
	w->no_hop = true;
	fake_unbind(w);
}

/* What is put in its place does not work: the old one, which did, comes back. */
static void make_rollback(struct fake_world *w)
{
	make_expired(w);
	w->new_fails = true;
}

const struct heal_path heal_paths[] = {
	{"rebind", make_rebind, false, "record_set", false},
	{"unbind", make_unbind, false, "record_set", false},
	{"create", make_create, false, "cert_create record_set", false},
	{"restore", make_restore, false, "cert_restore", false},
	{"key repair", make_key_repair, false, "key_repair", false},
	{"key access", make_key_access, false, "cert_create record_set", false},
	{"binding", make_binding, false, "site_binding_add", false},
	{"binding and record", make_binding_and_record, false, "site_binding_add record_set", false},
	{"binding and certificate", make_binding_and_cert, false, "site_binding_add cert_create record_set", false},
	{"store mismatch", make_store_mismatch, false, "record_set", false},
	{"latent", make_latent, true, "cert_create record_set", false},
	{"stale", make_stale, true, "record_set", false},
	{"expired", make_expired, true, "cert_create record_set", false},
	{"foreign", make_foreign, true, "record_set", false},
	{"hop", make_hop, true, "iis_restart", false},
	{"hop cannot be asked", make_no_hop, false, "record_set", false},
	{"rolled back", make_rollback, true, "cert_create record_set undo:record_set undo:cert_create", true},
	{NULL, NULL, false, NULL, false},
};

void heal_paths_in_memory(void)
{
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
}

bool heal_path_wanted(const struct heal_path *p)
{
	const char *only = getenv("EVMEND_FAULT_PATH");

	return only == NULL || strcmp(only, p->name) == 0;
}

static int each_place(const struct heal_path *p, int fault, bool (*one)(const struct heal_path *p, int fault, int n), int least, int most)
{
	const char *said = getenv("EVMEND_FAULT_EVERY");
	int every = said ? (int)strtol(said, NULL, 10) : 1, runs = 1, n;

	assert_in_range(every, 1, 100);
	n = 1 + (int)(p - heal_paths + fault) % every;
	for (; n <= most && one(p, fault, n); n += every)
		runs++;
	assert_in_range(n, least, most);
	return runs;
}

void heal_every_path(int first, int end, bool (*one)(const struct heal_path *p, int fault, int n), int least, int most)
{
	int all = 0;

	for (const struct heal_path *p = heal_paths; p->name; p++) {
		int runs = 0;

		if (!heal_path_wanted(p))
			continue;
		for (int fault = first; fault < end; fault++)
			runs += each_place(p, fault, one, least, most);
		printf("# %s: %d runs\n", p->name, runs);
		fflush(stdout);
		all += runs;
	}
	printf("# %d runs in all\n", all);
}

static void on_step(void *arg, const struct host_step *s, bool undo)
{
	struct heal_run *r = arg;
	size_t n = strlen(r->steps);

	(void)snprintf(r->steps + n, sizeof(r->steps) - n, "%s%s%s", n ? " " : "", undo ? "undo:" : "", step_kind_text(s->kind));
	oracle_step(&r->oracle, s, undo);
}

static void kill_it(struct heal_run *r)
{
	r->bench.world.dead = true;
	db_fail_at(r->bench.healer->db, -1);
}

static void before_operation(void *arg, int n)
{
	struct heal_run *r = arg;

	if ((n == r->kill_at && !r->kill_after) || (r->kill_write && db_fail_hit(r->bench.healer->db)))
		kill_it(r);
}

static void after_operation(void *arg, int n)
{
	struct heal_run *r = arg;

	if (n == r->kill_at && r->kill_after)
		kill_it(r);
}

void heal_run_begin(struct heal_run *r, const struct heal_path *path)
{
	struct heal_bench *b = &r->bench;

	memset(r, 0, sizeof(*r));
	r->path = path;
	heal_bench_init(b, MODE_AUTO);
	b->options.diagnose_every = 0;
	b->options.sink.emit = NULL; /* what is told is not the matter here */
	heal_bench_start(b);
	path->make(&b->world);
	oracle_begin(&r->oracle, &b->world, b->db_path);
	b->world.at_step = on_step;
	b->world.at_operation = before_operation;
	b->world.after_operation = after_operation;
	b->world.arg = r;
}

static bool is_dead(const struct heal_run *r)
{
	return r->bench.world.dead || (r->kill_write && db_fail_hit(r->bench.healer->db));
}

/* Time passes in pieces, so that a program that was killed is not kept waiting. */
static void pass(struct heal_run *r, int64_t span)
{
	for (int64_t left = span; left > 0 && !is_dead(r); left -= 10 * US_SECOND)
		heal_bench_run(&r->bench, 10 * US_SECOND);
}

void heal_run_drive(struct heal_run *r)
{
	struct heal_bench *b = &r->bench;
	struct err ignored;

	heal_bench_suspect(b, HEAL_RUN_CASE, 1);
	pass(r, US_MINUTE);
	if (r->path->approval && !is_dead(r) && heal_bench_state(b, HEAL_RUN_CASE, NULL) == CASE_WAITING_APPROVAL)
		(void)heal_bench_approve(b, HEAL_RUN_CASE, &ignored);
	pass(r, 12 * US_MINUTE);
}

bool heal_run_is_over(struct heal_run *r)
{
	struct heal_repair row;
	struct err e;

	return !r->path->undone && oracle_healthy(&r->oracle) && heal_bench_state(&r->bench, HEAL_RUN_CASE, NULL) == CASE_HEALED &&
		repair_row_unended(r->bench.healer->db, NULL, &row, &e) == 0;
}

void heal_run_restart(struct heal_run *r)
{
	struct heal_bench *b = &r->bench;

	heal_bench_crash(b);
	b->world.fail_at = r->kill_at = 0;
	b->world.dead = r->kill_write = b->world.new_fails = false;
	b->options.diagnose_every = US_HOUR;
	heal_bench_start(b);
	heal_bench_run(b, 15 * US_MINUTE);
}

void heal_run_finish(struct heal_run *r)
{
	struct heal_bench *b = &r->bench;
	struct heal_case *c = xcalloc(1, sizeof(*c));
	struct err e = {.text = ""};
	bool works = false;

	for (int i = 0; i < 5 && !works; i++) {
		/* what a lie has refuted may have a case of its own by now */
		if (case_store_open_of(b->healer->db, b->host.config.name, -1, c, &e) == 1)
			(void)heal_bench_approve(b, c->id, &e);
		works = oracle_healthy(&r->oracle);
		if (!works)
			heal_bench_run(b, 2 * US_HOUR);
	}
	if (!works)
		fail_msg("%s: the server does not work in the end; case %s: %s (%s; steps: %s)", r->path->name, case_state_text(c->state),
			c->text, e.text, r->steps);
	free(c);
}

void heal_run_check(struct heal_run *r, const char *what, int n)
{
	if (!oracle_check(&r->oracle))
		fail_msg("%s, %s %d: %s (steps: %s)", r->path->name, what, n, r->oracle.wrong, r->steps);
	/* where nobody had to be asked, nothing worked before: there is nothing to go back to */
	if (!r->path->approval && strstr(r->steps, "undo:") != NULL)
		fail_msg("%s, %s %d: undone to a state that did not work (steps: %s)", r->path->name, what, n, r->steps);
}

void heal_run_end(struct heal_run *r)
{
	heal_bench_free(&r->bench);
}
