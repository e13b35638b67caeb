/* host_folder_facts.c - facts.json becomes identity, state and probes.
 *
 * Exists apart from the folder because this is the whole format but for what people send by hand. Promises that the same readers as
 * for a live host are used, so that the same bytes mean the same. Refuses another version, and a folder without time or names. */
#include <stdlib.h>

#include "base/text.h"
#include "host/host_folder_inside.h"
#include "host/host_wire.h"
#include "host/wire_take.h"

#define FOLDER_VERSION 1
#define ALL_PARTS (HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES | HOST_PART_SERVICES | HOST_PART_SETTINGS | HOST_PART_ITC | \
	HOST_PART_BOOT | HOST_PART_POOLS)

static int take_probes(struct host_folder *f, const struct json *list, struct err *e)
{
	size_t n = json_len(list);

	if (n > LIMIT_FOLDER_PROBES)
		return err_set(e, ERR_IO, "%zu probes; at most %d are taken", n, LIMIT_FOLDER_PROBES);
	f->probes = xcalloc(n + 1, sizeof(*f->probes));
	for (size_t i = 0; i < n; i++) {
		struct folder_probe *p = &f->probes[f->n_probes++];

		if (wire_get_ask(json_at(list, i), &p->ask, e) < 0 || wire_get_probe(json_at(list, i), &p->result, e) < 0)
			return err_prefix(e, "probes[%zu]", i);
	}
	return 0;
}

static int take_errors(struct host_folder *f, const struct json *list, struct err *e)
{
	size_t n = json_len(list);

	if (n > LIMIT_FOLDER_ERRORS)
		return err_set(e, ERR_IO, "%zu errors; at most %d are taken", n, LIMIT_FOLDER_ERRORS);
	for (size_t i = 0; i < n; i++)
		wire_clean(f->about.errors[f->about.n_errors++], sizeof(f->about.errors[0]), json_at(list, i));
	return 0;
}

static int take_identity(struct host_folder *f, const struct json *j, struct err *e)
{
	if (json_is_null(j))
		return err_set(e, ERR_IO, "it has no 'identity': whose facts are these?");
	if (wire_get_identity(j, &f->identity, e) < 0)
		return -1;
	f->has_identity = true;
	return 0;
}

static int take_busy(struct host_folder *f, const struct json *j, struct err *e)
{
	f->has_busy = !json_is_null(json_get(j, "state"));
	return f->has_busy ? wire_get_busy(j, &f->busy, f->busy_what, e) : 0;
}

static int take_head(struct host_folder *f, const struct json *tidy, struct err *e)
{
	const struct json *time = json_get(tidy, "collected_at");
	int64_t version = json_int(json_get(tidy, "evmend_folder"), 0);

	if (version == 0)
		return err_set(e, ERR_IO, "it has no number 'evmend_folder': no facts of evmend");
	if (version != FOLDER_VERSION)
		return err_set(e, ERR_IO, "it is of version %lld; this evmend reads version %d", (long long)version, FOLDER_VERSION);
	if (json_is_null(time))
		return err_set(e, ERR_IO, "it has no 'collected_at': facts without a time cannot be judged");
	wire_clean(f->about.tool, sizeof(f->about.tool), json_get(tidy, "tool"));
	return wire_time(&f->about.collected_at, time, "collected_at", e);
}

int folder_facts(struct host_folder *f, const char *text, size_t n, struct err *e)
{
	struct json *j = json_parse_max(text, n, LIMIT_FOLDER_FACTS, e), *tidy = NULL;
	int r = -1;

	if (j != NULL && !json_is_object(j))
		(void)err_set(e, ERR_IO, "it is no JSON object");
	else if (j != NULL)
		tidy = folder_tidy(j, e);
	if (tidy != NULL && take_head(f, tidy, e) == 0 && take_identity(f, json_get(tidy, "identity"), e) == 0 &&
	    wire_get_state(tidy, ALL_PARTS, &f->state, e) == 0 &&
	    take_busy(f, json_get(tidy, "busy"), e) == 0 && take_probes(f, json_get(tidy, "probes"), e) == 0)
		r = take_errors(f, json_get(tidy, "errors"), e);
	json_free(tidy);
	json_free(j);
	return r < 0 ? err_prefix(e, "facts.json") : 0;
}
