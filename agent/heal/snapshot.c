/* snapshot.c - writes down what was there before a repair, and reads it back after a crash.
 *
 * Exists because a proof is a comparison with the state before the first act, and after a crash only the ledger knows that state.
 * Promises that what is read back answers every question of a proof as the original did. Refuses a snapshot with a part
 * missing: a proof against half a memory proves nothing. */
#include "heal/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/diagnose.h"
#include "host/host_wire.h"

static void put_cert(struct json_out *o, const struct host_cert *c)
{
	char hex[41];

	text_hex(hex, c->info.thumbprint, 20);
	json_open(o, NULL, '{');
	json_put_str(o, "thumbprint", hex);
	json_put_str(o, "store", c->store);
	json_put_str(o, "friendly_name", c->friendly_name);
	json_put_str(o, "has_key", tri_text(c->has_key));
	json_put_str(o, "key_opens", tri_text(c->key_opens));
	json_put_str(o, "key_matches", tri_text(c->key_matches));
	json_put_str(o, "container", c->container);
	json_put_time(o, "not_after", c->info.not_after);
	json_close(o, '}');
}

static void put_fact(struct json_out *o, const struct fact *f)
{
	json_open(o, NULL, '{');
	json_put_str(o, "name", f->name);
	json_put_str(o, "value", tri_text(f->value));
	json_put_str(o, "seen", f->seen);
	json_put_str(o, "where", f->where);
	json_put_str(o, "key", f->key);
	json_close(o, '}');
}

/* Certificates go without their bytes, so the wire's own words for the state serve for the rest only. */
static void put_state(struct json_out *o, const struct host_state *s)
{
	struct host_state *rest = xcalloc(1, sizeof(*rest));

	memcpy(rest, s, offsetof(struct host_state, certs));
	memcpy(&rest->n_certs, &s->n_certs, sizeof(*s) - offsetof(struct host_state, n_certs));
	rest->known &= ~(unsigned)HOST_PART_CERTS;
	json_open(o, "state", '{');
	wire_put_state(o, rest, NULL);
	json_close(o, '}');
	free(rest);
}

void snapshot_json(struct json_out *o, const struct diagnosis *d)
{
	json_put_time(o, "time", d->when);
	json_open(o, "identity", '{');
	wire_put_identity(o, &d->identity);
	json_close(o, '}');
	wire_put_parts(o, d->state.known);
	put_state(o, &d->state);
	json_open(o, "certs", '[');
	for (size_t i = 0; i < d->state.n_certs; i++)
		put_cert(o, &d->state.certs[i]);
	json_close(o, ']');
	json_open(o, "facts", '[');
	for (size_t i = 0; i < d->facts.n; i++)
		put_fact(o, &d->facts.list[i]);
	json_close(o, ']');
}

static int take_tri(enum tri *to, const struct json *j, const char *what, struct err *e)
{
	const char *s = json_str(j, "");

	for (int t = TRI_UNKNOWN; t <= TRI_YES; t++)
		if (strcmp(s, tri_text((enum tri)t)) == 0) {
			*to = (enum tri)t;
			return 0;
		}
	return err_set(e, ERR_IO, "%s of the snapshot must be yes, no or unknown, and is '%.20s'", what, s);
}

static int take_text(char *to, size_t n, const struct json *j, const char *what, struct err *e)
{
	if (!json_is_string(j))
		return err_set(e, ERR_IO, "%s of the snapshot is missing", what);
	text_copy(to, n, json_str(j, ""));
	return 0;
}

static int get_cert(const struct json *j, struct host_cert *c, struct err *e)
{
	const char *hex = json_str(json_get(j, "thumbprint"), ""), *until = json_str(json_get(j, "not_after"), "");

	memset(c, 0, sizeof(*c));
	if (!text_unhex(c->info.thumbprint, 20, hex, strlen(hex)))
		return err_set(e, ERR_IO, "a thumbprint of the snapshot is '%.60s'", hex);
	(void)time_parse(until, strlen(until), &c->info.not_after);
	if (take_text(c->store, sizeof(c->store), json_get(j, "store"), "a store", e) < 0 ||
	    take_text(c->friendly_name, sizeof(c->friendly_name), json_get(j, "friendly_name"), "a friendly name", e) < 0 ||
	    take_text(c->container, sizeof(c->container), json_get(j, "container"), "a key container", e) < 0 ||
	    take_tri(&c->has_key, json_get(j, "has_key"), "has_key", e) < 0 ||
	    take_tri(&c->key_opens, json_get(j, "key_opens"), "key_opens", e) < 0)
		return -1;
	return take_tri(&c->key_matches, json_get(j, "key_matches"), "key_matches", e);
}

static int get_fact(const struct json *j, struct snapshot *to, struct err *e)
{
	struct fact *f = &to->d.facts.list[to->d.facts.n];
	char *name = to->names[to->d.facts.n];

	if (take_text(name, sizeof(to->names[0]), json_get(j, "name"), "the name of a fact", e) < 0 ||
	    take_tri(&f->value, json_get(j, "value"), name, e) < 0 ||
	    take_text(f->seen, sizeof(f->seen), json_get(j, "seen"), name, e) < 0 ||
	    take_text(f->where, sizeof(f->where), json_get(j, "where"), name, e) < 0 ||
	    take_text(f->key, sizeof(f->key), json_get(j, "key"), name, e) < 0)
		return -1;
	f->name = name;
	f->when = to->d.when;
	to->d.facts.n++;
	return 0;
}

static int list_of(const struct json *j, const char *key, size_t max, const struct json **to, struct err *e)
{
	*to = json_get(j, key);
	if (json_is_array(*to) && json_len(*to) <= max)
		return 0;
	return err_set(e, ERR_IO, "the list '%s' of the snapshot is missing or too long", key);
}

int snapshot_read(const struct json *j, struct snapshot *to, struct err *e)
{
	const char *when = json_str(json_get(j, "time"), "");
	const struct json *certs, *facts;
	struct host_state *s = &to->d.state;
	unsigned parts;

	diagnosis_clear(&to->d);
	if (!time_parse(when, strlen(when), &to->d.when))
		return err_set(e, ERR_IO, "the time of the snapshot is missing");
	if (wire_get_identity(json_get(j, "identity"), &to->d.identity, e) < 0 ||
	    wire_get_parts(j, &parts, e) < 0 || wire_get_state(json_get(j, "state"), parts, s, e) < 0 ||
	    list_of(j, "certs", HOST_CERTS, &certs, e) < 0 || list_of(j, "facts", FACTS_MAX, &facts, e) < 0)
		return -1;
	s->known |= parts & HOST_PART_CERTS;
	if (s->known != parts)
		return err_set(e, ERR_IO, "a part of the state is missing in the snapshot");
	for (; s->n_certs < json_len(certs); s->n_certs++)
		if (get_cert(json_at(certs, s->n_certs), &s->certs[s->n_certs], e) < 0)
			return -1;
	for (size_t i = 0; i < json_len(facts); i++)
		if (get_fact(json_at(facts, i), to, e) < 0)
			return -1;
	return 0;
}
