/* host_wire.c - hello, calls, identity, steps and results of the host protocol as JSON; host_wire_state.c has the rest.
 *
 * Exists because both ends of the pipe must agree on every member: evmend's host_pipe.c and the programs that answer use
 * the same functions. Promises that what was read fits its field whole and carries no control character. Refuses, with the
 * member's name, what is of the wrong kind or too long: a cut name would be another name. */
#include "host/host_wire.h"

#include <string.h>

#include "base/text.h"
#include "host/wire_take.h"

static const char *const call_words[HOST_CALLS] = {"identity", "observe", "busy", "probe", "apply", "undo", "lock"};
static const char *const fault_words[] = {
	"denied", "busy", "not_found", "conflict", "failed", "timeout", "unsupported", "bad_call",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *host_call_text(enum host_call c)
{
	return call_words[c];
}

bool host_call_parse(const char *s, enum host_call *c)
{
	int i = wire_word(s, call_words, COUNT(call_words));

	if (i >= 0)
		*c = (enum host_call)i;
	return i >= 0;
}

const char *wire_fault_text(enum wire_fault f)
{
	return fault_words[f];
}

bool wire_fault_parse(const char *s, enum wire_fault *f)
{
	int i = wire_word(s, fault_words, COUNT(fault_words));

	if (i >= 0)
		*f = (enum wire_fault)i;
	return i >= 0;
}

void wire_put_hello(struct json_out *o, const struct wire_hello *h)
{
	json_put_int(o, "evmend_host", h->version);
	json_put_str(o, "agent", h->agent);
	json_put_bool(o, "lab", h->lab);
	json_open(o, "can", '[');
	for (unsigned i = 0; i < HOST_CALLS; i++)
		if (h->can & 1u << i)
			json_put_str(o, NULL, call_words[i]);
	json_close(o, ']');
}

int wire_get_hello(const struct json *j, struct wire_hello *h, struct err *e)
{
	const struct json *can = json_get(j, "can");

	memset(h, 0, sizeof(*h));
	h->version = json_int(json_get(j, "evmend_host"), 0);
	if (h->version == 0)
		return err_set(e, ERR_IO, "the host program's first line is no hello: it has no number evmend_host");
	if (!json_is_array(can))
		return err_set(e, ERR_IO, "the host program's hello has no list 'can'");
	wire_clean(h->agent, sizeof(h->agent), json_get(j, "agent"));
	h->lab = json_bool(json_get(j, "lab"), false);
	for (size_t i = 0; i < json_len(can); i++) {
		enum host_call c;

		if (host_call_parse(json_str(json_at(can, i), ""), &c))
			h->can |= 1u << c;
	}
	return 0;
}

void wire_call_begin(struct json_out *o, struct buf *to, int64_t id, enum host_call call, int64_t deadline_ms)
{
	json_begin(o, to);
	json_open(o, NULL, '{');
	json_put_int(o, "id", id);
	json_put_str(o, "call", call_words[call]);
	json_put_int(o, "deadline_ms", deadline_ms);
	json_open(o, "args", '{');
}

void wire_call_end(struct json_out *o)
{
	json_close(o, '}');
	json_close(o, '}');
	buf_char(o->to, '\n');
}

void wire_answer_begin(struct json_out *o, struct buf *to, int64_t id)
{
	json_begin(o, to);
	json_open(o, NULL, '{');
	json_put_int(o, "id", id);
	json_open(o, "ok", '{');
}

void wire_answer_end(struct json_out *o)
{
	wire_call_end(o);
}

void wire_answer_error(struct buf *to, int64_t id, enum wire_fault kind, const char *text)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "id", id);
	json_open(&o, "error", '{');
	json_put_str(&o, "kind", fault_words[kind]);
	json_put_str(&o, "text", text);
	json_close(&o, '}');
	json_close(&o, '}');
	buf_char(to, '\n');
}

int wire_get_call(const struct json *j, int64_t *id, enum host_call *call, int64_t *deadline_ms, const struct json **args,
	struct err *e)
{
	const char *name = json_str(json_get(j, "call"), "");

	*id = json_int(json_get(j, "id"), 0);
	*deadline_ms = json_int(json_get(j, "deadline_ms"), 30000);
	*args = json_get(j, "args");
	if (*id < 1)
		return err_set(e, ERR_IO, "the call has no id");
	if (!host_call_parse(name, call))
		return err_set(e, ERR_IO, "there is no call '%.40s'", name);
	if (!json_is_object(*args))
		return err_set(e, ERR_IO, "the call has no object 'args'");
	return 0;
}

void wire_put_identity(struct json_out *o, const struct host_identity *i)
{
	json_put_str(o, "netbios", i->netbios);
	json_put_str(o, "fqdn", i->fqdn);
	wire_put_tri(o, "exchange", i->exchange_unknown ? TRI_UNKNOWN : i->exchange ? TRI_YES : TRI_NO);
	json_put_bool(o, "lab", i->lab);
	json_open(o, "addresses", '[');
	for (size_t k = 0; k < i->n_addresses; k++)
		json_put_str(o, NULL, i->addresses[k]);
	json_close(o, ']');
	json_put_int(o, "backend_port", i->backend_port);
	json_put_int(o, "frontend_port", i->frontend_port);
	json_put_str(o, "version", i->version);
}

/* The names go into a new certificate: nothing but letters, digits, '.' and '-'. Identity is small, and all of it is needed. */
int wire_get_identity(const struct json *j, struct host_identity *i, struct err *e)
{
	const struct json *list = json_get(j, "addresses");

	memset(i, 0, sizeof(*i));
	if (wire_take(i->netbios, sizeof(i->netbios), json_get(j, "netbios"), "identity.netbios", e) < 0 ||
	    wire_take(i->fqdn, sizeof(i->fqdn), json_get(j, "fqdn"), "identity.fqdn", e) < 0 ||
	    wire_port(&i->backend_port, json_get(j, "backend_port"), 444, "identity.backend_port", e) < 0 ||
	    wire_port(&i->frontend_port, json_get(j, "frontend_port"), 443, "identity.frontend_port", e) < 0)
		return -1;
	if (!text_host_ok(i->netbios) || !text_host_ok(i->fqdn))
		return err_set(e, ERR_IO, "the host gives '%s' and '%s' as its names: no host names", i->netbios, i->fqdn);
	i->exchange = wire_tri(json_get(j, "exchange")) == TRI_YES;
	i->exchange_unknown = wire_tri(json_get(j, "exchange")) == TRI_UNKNOWN;
	i->lab = json_bool(json_get(j, "lab"), false);
	wire_clean(i->version, sizeof(i->version), json_get(j, "version"));
	if (json_len(list) > HOST_ADDRESSES)
		return err_set(e, ERR_IO, "the host names %zu addresses; at most %d are taken", json_len(list), HOST_ADDRESSES);
	for (size_t k = 0; k < json_len(list); k++)
		if (wire_take(i->addresses[i->n_addresses++], sizeof(i->addresses[0]), json_at(list, k), "identity.addresses", e) < 0)
			return -1;
	return 0;
}

static void put_template(struct json_out *o, const struct cert_template *t)
{
	json_open(o, "template", '{');
	json_put_str(o, "common_name", t->common_name);
	json_open(o, "san", '[');
	for (size_t i = 0; i < t->n_san; i++)
		json_put_str(o, NULL, t->san[i]);
	json_close(o, ']');
	json_put_int(o, "key_bits", t->key_bits);
	json_put_int(o, "days", t->days);
	json_put_time(o, "not_before", t->not_before);
	json_close(o, '}');
}

static int get_template(const struct json *j, struct cert_template *t, struct err *e)
{
	const struct json *san = json_get(j, "san");

	if (wire_take(t->common_name, sizeof(t->common_name), json_get(j, "common_name"), "template.common_name", e) < 0)
		return -1;
	if (json_len(san) > COUNT(t->san))
		return err_set(e, ERR_IO, "template.san has %zu names; at most %zu are taken", json_len(san), COUNT(t->san));
	for (size_t i = 0; i < json_len(san); i++)
		if (wire_take(t->san[t->n_san++], sizeof(t->san[0]), json_at(san, i), "template.san", e) < 0)
			return -1;
	t->key_bits = (int)json_int(json_get(j, "key_bits"), 2048);
	t->days = (int)json_int(json_get(j, "days"), 1826);
	return wire_time(&t->not_before, json_get(j, "not_before"), "template.not_before", e);
}

void wire_put_step(struct json_out *o, const char *key, const struct host_step *s)
{
	json_open(o, key, '{');
	json_put_str(o, "kind", step_kind_text(s->kind));
	if (s->kind == STEP_RECORD_SET || s->kind == STEP_RECORD_REMOVE)
		json_put_str(o, "endpoint", s->endpoint);
	if (s->kind == STEP_RECORD_SET || s->kind == STEP_CERT_RESTORE || s->kind == STEP_KEY_REPAIR || s->kind == STEP_CERT_REMOVE_OURS)
		wire_put_thumbprint(o, "thumbprint", s->thumbprint);
	if (s->kind == STEP_RECORD_SET) {
		json_put_str(o, "store", s->store);
		json_put_str(o, "appid", s->appid);
		json_put_int(o, "flags", s->flags);
	}
	if (s->kind == STEP_SITE_BINDING_ADD) {
		json_put_str(o, "site", s->site);
		wire_put_binding(o, "binding", &s->binding);
	}
	if (s->kind == STEP_CERT_CREATE) {
		put_template(o, &s->template);
		json_put_str(o, "friendly_name", s->friendly_name);
	}
	json_put_str(o, "token", s->token);
	json_close(o, '}');
}

/* Members that the kind does not need may be missing; those that it needs may not. */
int wire_get_step(const struct json *j, struct host_step *s, struct err *e)
{
	const char *kind = json_str(json_get(j, "kind"), "");

	memset(s, 0, sizeof(*s));
	if (!step_kind_parse(kind, &s->kind))
		return err_set(e, ERR_IO, "there is no step '%.40s'", kind);
	if (wire_take(s->token, sizeof(s->token), json_get(j, "token"), "step.token", e) < 0)
		return -1;
	switch (s->kind) {
	case STEP_RECORD_SET:
		if (wire_take(s->store, sizeof(s->store), json_get(j, "store"), "step.store", e) < 0 ||
		    wire_take(s->appid, sizeof(s->appid), json_get(j, "appid"), "step.appid", e) < 0 ||
		    wire_take(s->endpoint, sizeof(s->endpoint), json_get(j, "endpoint"), "step.endpoint", e) < 0)
			return -1;
		s->flags = (uint32_t)json_int(json_get(j, "flags"), 0);
		return wire_get_thumbprint(s->thumbprint, json_get(j, "thumbprint"), "step.thumbprint", e);
	case STEP_RECORD_REMOVE:
		return wire_take(s->endpoint, sizeof(s->endpoint), json_get(j, "endpoint"), "step.endpoint", e);
	case STEP_SITE_BINDING_ADD:
		if (wire_take(s->site, sizeof(s->site), json_get(j, "site"), "step.site", e) < 0)
			return -1;
		return wire_get_binding(json_get(j, "binding"), &s->binding, e);
	case STEP_CERT_CREATE:
		if (wire_take(s->friendly_name, sizeof(s->friendly_name), json_get(j, "friendly_name"), "step.friendly_name", e) < 0)
			return -1;
		return get_template(json_get(j, "template"), &s->template, e);
	case STEP_CERT_RESTORE:
	case STEP_KEY_REPAIR:
	case STEP_CERT_REMOVE_OURS:
		return wire_get_thumbprint(s->thumbprint, json_get(j, "thumbprint"), "step.thumbprint", e);
	case STEP_IIS_RESTART:
		break;
	}
	return 0;
}

void wire_put_step_result(struct json_out *o, const struct host_step_result *r)
{
	json_put_bool(o, "did", r->did);
	wire_put_thumbprint(o, "thumbprint", r->thumbprint);
	if (r->has_old)
		wire_put_record(o, "old", &r->old);
	else
		json_put_null(o, "old");
	json_put_str(o, "detail", r->detail);
}

int wire_get_step_result(const struct json *j, struct host_step_result *r, struct err *e)
{
	const struct json *old = json_get(j, "old");

	memset(r, 0, sizeof(*r));
	if (json_is_null(json_get(j, "did")))
		return err_set(e, ERR_IO, "the answer does not say whether it 'did' the step");
	r->did = json_bool(json_get(j, "did"), false);
	wire_clean(r->detail, sizeof(r->detail), json_get(j, "detail"));
	if (wire_get_thumbprint(r->thumbprint, json_get(j, "thumbprint"), "thumbprint", e) < 0)
		return -1;
	r->has_old = !json_is_null(old);
	return r->has_old ? wire_get_record(old, &r->old, e) : 0;
}
