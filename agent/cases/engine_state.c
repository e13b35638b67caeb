/* engine_state.c - the engine's state over a restart and over a change of rules.
 *
 * Why: a killed role must go on where it stood, and a changed rule must not forget what other rules have seen.
 * Promises: after load the same further events give the same findings as without the restart.
 * Refuses: state of another version; state of rules that are gone is dropped. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cases/engine_private.h"

#define STATE_VERSION 1
#define STATE_BYTES (1u << 30)

void engine_save(const struct engine *g, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", STATE_VERSION);
	hosts_save(g->hosts, &o, "hosts");
	watermarks_save(g->marks, &o, "watermarks");
	book_save(g->book, &o, "book");
	json_open(&o, "noise", '{');
	noise_save(g->noise, &o);
	json_close(&o, '}');
	json_open(&o, "waiting", '[');
	for (size_t i = 0; i < g->waiting.n; i++)
		told_save(g->waiting.p[i], &o, NULL);
	json_close(&o, ']');
	json_close(&o, '}');
}

int engine_load(struct engine *g, const char *from, size_t n, struct err *e)
{
	struct json *j = json_parse_max(from, n, STATE_BYTES, e);
	const struct json *waiting;
	int64_t version;

	if (!j)
		return -1;
	version = json_int(json_get(j, "v"), 0);
	if (version != STATE_VERSION) {
		json_free(j);
		return err_set(e, ERR_IO, "the saved state has version %lld, this program reads %d; it starts empty", (long long)version,
			STATE_VERSION);
	}
	hosts_load(g->hosts, json_get(j, "hosts"));
	watermarks_load(g->marks, json_get(j, "watermarks"), g->o.clock ? clock_wall(g->o.clock) : 0);
	book_load(g->book, g->o.rules, json_get(j, "book"));
	noise_load(g->noise, json_get(j, "noise"));
	waiting = json_get(j, "waiting");
	for (size_t i = 0; i < json_len(waiting) && i < WAITING_MOST; i++) {
		struct told *t = told_load(g->pool, g->o.rules, json_at(waiting, i));

		if (t)
			list_add(&g->waiting, t);
	}
	json_free(j);
	return 0;
}

int engine_changes(struct engine *g, int (*put)(void *arg, const void *name, size_t name_n, const void *value, size_t n), void *arg)
{
	return correlator_changes(g->corr, put, arg);
}

void engine_stored(struct engine *g)
{
	correlator_stored(g->corr);
}

int engine_restore(struct engine *g, const void *value, size_t n, bool stored)
{
	return correlator_load(g->corr, value, n, stored);
}

void engine_close_case(struct engine *g, uint32_t id)
{
	for (size_t i = 0; i < book_count(g->book); i++)
		if (book_at(g->book, i)->c.id == id) {
			run_close(g, book_at(g->book, i));
			return;
		}
}
