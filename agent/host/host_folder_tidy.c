/* host_folder_tidy.c - facts.json as Windows PowerShell 5.1 writes it becomes JSON as the host protocol has it.
 *
 * Exists so that one set of readers (host_wire) serves the live host and the folder. ConvertTo-Json writes a list of one without
 * brackets, a time as "/Date(ms)/" and now and then a flag or number as text; a certificate comes as base64 of its DER.
 * Promises: only members that docs/offline.md names come out, each of its kind; null and empty text are left out, since they are
 * unknown. Refuses a member of another kind, with its place: half of a folder is not believed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/host_folder_inside.h"

enum kind { TEXT, PATH, NAME, FLAG, NUMBER, TIME, HEX, CERT, OBJECT, LIST, TEXTS };

struct member {
	const char *name;
	enum kind kind;
	const struct member *inside; /* of OBJECT and LIST */
};

/* NAME: empty is missing. TEXT: empty is empty. PATH: missing is empty. */
static const struct member identity[] = {
	{"netbios", NAME, NULL}, {"fqdn", NAME, NULL}, {"exchange", FLAG, NULL}, {"lab", FLAG, NULL}, {"version", NAME, NULL},
	{"addresses", TEXTS, NULL}, {"backend_port", NUMBER, NULL}, {"frontend_port", NUMBER, NULL}, {NULL, TEXT, NULL},
};
static const struct member record[] = {
	{"endpoint", NAME, NULL}, {"port", NUMBER, NULL}, {"thumbprint", HEX, NULL}, {"store", NAME, NULL}, {"appid", NAME, NULL},
	{"flags", NUMBER, NULL}, {"sni", FLAG, NULL}, {"ccs", FLAG, NULL}, {NULL, TEXT, NULL},
};
static const struct member cert[] = {
	{"pem", CERT, NULL}, {"store", NAME, NULL}, {"friendly_name", TEXT, NULL}, {"has_key", FLAG, NULL}, {"key_opens", FLAG, NULL},
	{"key_matches", FLAG, NULL}, {"key_denied", FLAG, NULL}, {"csp", FLAG, NULL}, {"exportable", FLAG, NULL}, {"container", TEXT, NULL},
	{"provider", TEXT, NULL}, {NULL, TEXT, NULL},
};
static const struct member binding[] = {
	{"protocol", NAME, NULL}, {"information", NAME, NULL}, {"ssl_flags", NUMBER, NULL}, {NULL, TEXT, NULL},
};
static const struct member site[] = {
	{"name", NAME, NULL}, {"id", NUMBER, NULL}, {"started", FLAG, NULL}, {"bindings", LIST, binding}, {NULL, TEXT, NULL},
};
static const struct member service[] = {{"name", NAME, NULL}, {"running", FLAG, NULL}, {NULL, TEXT, NULL}};
static const struct member settings[] = {
	{"allow_internal_untrusted", FLAG, NULL}, {"tls_protocols", TEXT, NULL}, {NULL, TEXT, NULL},
};
static const struct member itc[] = {{"thumbprint", HEX, NULL}, {NULL, TEXT, NULL}};
static const struct member boot[] = {{"time", TIME, NULL}, {"update_time", TIME, NULL}, {"update", NAME, NULL}, {NULL, TEXT, NULL}};
static const struct member busy[] = {{"state", NAME, NULL}, {"what", TEXT, NULL}, {NULL, TEXT, NULL}};
static const struct member probe[] = {
	{"kind", NAME, NULL}, {"address", NAME, NULL}, {"version", NAME, NULL}, {"path", PATH, NULL}, {"port", NUMBER, NULL},
	{"tcp", NAME, NULL}, {"tls", NAME, NULL}, {"alert", NUMBER, NULL}, {"tls_version", TEXT, NULL}, {"cipher", TEXT, NULL},
	{"leaf", CERT, NULL}, {"chain_length", NUMBER, NULL}, {"http_status", NUMBER, NULL}, {"answer_header", TEXT, NULL},
	{"took_ms", NUMBER, NULL}, {"detail", TEXT, NULL}, {NULL, TEXT, NULL},
};
static const struct member facts[] = {
	{"evmend_folder", NUMBER, NULL}, {"tool", TEXT, NULL}, {"collected_at", TIME, NULL}, {"identity", OBJECT, identity},
	{"records", LIST, record}, {"certs", LIST, cert}, {"sites", LIST, site}, {"services", LIST, service}, {"pools", LIST, service},
	{"settings", OBJECT, settings}, {"itc", OBJECT, itc}, {"boot", OBJECT, boot}, {"busy", OBJECT, busy}, {"probes", LIST, probe},
	{"errors", TEXTS, NULL}, {NULL, TEXT, NULL},
};

static const char *const kind_words[] = {
	"text", "text", "text", "true or false", "number", "time", "40 hex digits", "certificate (base64 of its DER, or PEM)", "object", "list",
	"list of texts",
};

static int put_members(struct json_out *o, const struct member *m, const struct json *j, const char *where, struct err *e);

static int wrong(const char *where, const struct member *m, struct err *e)
{
	return err_set(e, ERR_IO, "%s%s must be a %s", where, m->name, kind_words[m->kind]);
}

static bool is_number(const struct json *j)
{
	return json_int(j, 0) == json_int(j, 1);
}

static bool is_flag(const struct json *j)
{
	return json_bool(j, false) == json_bool(j, true);
}

static bool put_flag(struct json_out *o, const char *name, const struct json *j)
{
	const char *s = json_str(j, "");
	int64_t n = is_number(j) ? json_int(j, 0) : -1;
	bool yes = text_same(s, "true") || n == 1;

	if (is_flag(j))
		yes = json_bool(j, false);
	else if (!yes && !text_same(s, "false") && n != 0)
		return false;
	json_put_bool(o, name, yes);
	return true;
}

static bool put_number(struct json_out *o, const char *name, const struct json *j)
{
	const char *s = json_str(j, "");
	int64_t n = json_int(j, 0);

	if (!is_number(j) && !text_int(s, strlen(s), &n))
		return false;
	json_put_int(o, name, n);
	return true;
}

/* "/Date(1772439300000)/", also with an offset behind the number, which says nothing: the number counts from 1970 UTC. */
static bool take_date(const char *s, int64_t *us)
{
	const char *end;
	int64_t ms;

	if (!text_starts(s, "/Date("))
		return time_parse(s, strlen(s), us);
	s += 6;
	end = s + 1 + strcspn(*s ? s + 1 : s, "+-)");
	if (!text_ends(s, ")/") || !text_int(s, (size_t)(end - s), &ms) || ms > INT64_MAX / 1000 || ms < INT64_MIN / 1000)
		return false;
	*us = ms * 1000;
	return true;
}

static bool put_time(struct json_out *o, const char *name, const struct json *j)
{
	int64_t us;

	if (json_is_object(j)) /* a DateTime that PowerShell has dressed up */
		j = json_get(j, "value");
	if (!take_date(json_str(j, ""), &us))
		return false;
	json_put_time(o, name, us);
	return true;
}

static bool put_hex(struct json_out *o, const char *name, const struct json *j)
{
	char hex[41];
	size_t n = 0;
	uint8_t thumbprint[20];

	for (const char *s = json_str(j, ""); *s; s++) {
		if (*s == ' ')
			continue;
		if (n == 40)
			return false;
		hex[n++] = *s;
	}
	if (!text_unhex(thumbprint, 20, hex, n))
		return false;
	text_hex(hex, thumbprint, 20);
	json_put_str(o, name, hex);
	return true;
}

/* base64 without frame gets one, in lines of 64, as PEM has them. */
static bool put_cert(struct json_out *o, const char *name, const struct json *j)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	const char *s = json_str(j, "");
	size_t column = 0;
	struct buf b;
	bool ok = true;

	if (strstr(s, "-----BEGIN CERTIFICATE-----") != NULL) {
		json_put_str(o, name, s);
		return true;
	}
	buf_init(&b, LIMIT_FOLDER_FACTS);
	buf_str(&b, "-----BEGIN CERTIFICATE-----\n");
	for (; *s && ok; s++) {
		if (*s == ' ' || *s == '\r' || *s == '\n' || *s == '\t')
			continue;
		ok = strchr(letters, *s) != NULL;
		buf_char(&b, *s);
		if (++column % 64 == 0)
			buf_char(&b, '\n');
	}
	buf_str(&b, "\n-----END CERTIFICATE-----\n");
	ok = ok && !b.refused;
	if (ok)
		json_put_str(o, name, buf_text(&b));
	buf_free(&b);
	return ok;
}

/* A list may have lost its brackets, or be dressed up as {"value":[...],"Count":n}. */
static const struct json *list_of(const struct json *j, bool *one)
{
	const struct json *inside = json_is_object(j) && !json_is_null(json_get(j, "Count")) ? json_get(j, "value") : NULL;

	if (json_is_array(inside))
		j = inside;
	*one = !json_is_array(j);
	return j;
}

static int put_list(struct json_out *o, const struct member *m, const struct json *j, const char *where, struct err *e)
{
	char place[120];
	bool one;
	size_t n;

	j = list_of(j, &one);
	n = one ? 1 : json_len(j);
	json_open(o, m->name, '[');
	for (size_t i = 0; i < n; i++) {
		const struct json *at = one ? j : json_at(j, i);

		if (json_is_null(at)) /* @($null) */
			continue;
		if (m->kind == TEXTS) {
			if (!json_is_string(at))
				return wrong(where, m, e);
			json_put_str(o, NULL, json_str(at, ""));
			continue;
		}
		if (!json_is_object(at))
			return wrong(where, m, e);
		(void)snprintf(place, sizeof(place), "%s%s[%zu].", where, m->name, i);
		json_open(o, NULL, '{');
		if (put_members(o, m->inside, at, place, e) < 0)
			return -1;
		json_close(o, '}');
	}
	json_close(o, ']');
	return 0;
}

static int put_object(struct json_out *o, const struct member *m, const struct json *j, const char *where, struct err *e)
{
	char place[120];

	if (!json_is_object(j))
		return wrong(where, m, e);
	(void)snprintf(place, sizeof(place), "%s%s.", where, m->name);
	json_open(o, m->name, '{');
	if (put_members(o, m->inside, j, place, e) < 0)
		return -1;
	json_close(o, '}');
	return 0;
}

static int put_one(struct json_out *o, const struct member *m, const struct json *j, const char *where, struct err *e)
{
	bool ok = false;

	switch (m->kind) {
	case TEXT:
	case PATH:
	case NAME:
		ok = json_is_string(j);
		if (ok)
			json_put_str(o, m->name, json_str(j, ""));
		break;
	case FLAG:
		ok = put_flag(o, m->name, j);
		break;
	case NUMBER:
		ok = put_number(o, m->name, j);
		break;
	case TIME:
		ok = put_time(o, m->name, j);
		break;
	case HEX:
		ok = put_hex(o, m->name, j);
		break;
	case CERT:
		ok = put_cert(o, m->name, j);
		break;
	case OBJECT:
		return put_object(o, m, j, where, e);
	case LIST:
	case TEXTS:
		return put_list(o, m, j, where, e);
	}
	return ok ? 0 : wrong(where, m, e);
}

static int put_members(struct json_out *o, const struct member *m, const struct json *j, const char *where, struct err *e)
{
	for (; m->name; m++) {
		const struct json *value = json_get(j, m->name);

		bool empty = json_is_null(value) || (json_is_string(value) && json_str(value, "")[0] == '\0');

		if (empty && m->kind == PATH)
			json_put_str(o, m->name, "");
		if (json_is_null(value) || (empty && m->kind != TEXT))
			continue;
		if (put_one(o, m, value, where, e) < 0)
			return -1;
	}
	return 0;
}

struct json *folder_tidy(const struct json *from, struct err *e)
{
	struct json *tidy = NULL;
	struct json_out o;
	struct buf b;

	buf_init(&b, 2 * LIMIT_FOLDER_FACTS);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	if (put_members(&o, facts, from, "", e) == 0) {
		json_close(&o, '}');
		if (b.refused)
			(void)err_set(e, ERR_IO, "facts.json is larger than %u bytes", LIMIT_FOLDER_FACTS);
		else
			tidy = json_parse_max(buf_text(&b), b.n, 2 * LIMIT_FOLDER_FACTS, e);
	}
	buf_free(&b);
	return tidy;
}
