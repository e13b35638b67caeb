/* lab_collect.c - the folder of facts that a collector would write on this lab (docs/offline.md).
 *
 * The facts come from the lab's own host program over the host protocol, as they would on a server; then they are written with the
 * habits of Windows PowerShell: a byte order mark, lists of one without brackets, times as /Date(ms)/, certificates as base64 of
 * their DER, thumbprints in capitals. So a folder of the lab is as hard to read as a real one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "host/host_wire.h"
#include "lab/lab.h"
#include "limits.h"
#include "os/os.h"

#define PROBE_MS 6000 /* the lab gives each of connect, handshake and request a third of it */
#define FACTS_BYTES (2u * LIMIT_FOLDER_FACTS)
#define NETSH_LINE "    %-28s : %s\r\n"

struct collector {
	const struct lab *lab;
	const char *out, *without; /* without: as the host program takes it; NULL: it answers all */
	FILE *to, *from; /* the host program */
	int pid;
	int64_t id;
	struct wire_hello hello;
	struct json *answer; /* of the last call */
};

/* ---- asking ---- */

static int start_host(struct collector *c, struct err *e)
{
	char self[4096], verb[] = "host", folder[4096], option[] = "--without", parts[200];
	char *argv[] = {self, verb, folder, c->without ? option : NULL, parts, NULL};
	struct os_spawn how = {.argv = argv, .errout = 2, .channel = -1};
	int in[2], out[2];

	text_copy(folder, sizeof folder, c->lab->folder);
	text_copy(parts, sizeof parts, c->without ? c->without : "");
	if (os_process.self(self, sizeof self) < 0 || os_process.pipe(in) < 0 || os_process.pipe(out) < 0)
		return err_set(e, ERR_IO, "no pipe to the lab's host program");
	how.in = in[0];
	how.out = out[1];
	c->pid = os_process.spawn(&how);
	os_file.close(in[0]);
	os_file.close(out[1]);
	c->to = fdopen(in[1], "w");
	c->from = fdopen(out[0], "r");
	return c->pid > 0 && c->to && c->from ? 0 : err_set(e, ERR_IO, "the lab's host program does not start");
}

static int read_answer(struct collector *c, struct err *e)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, c->from);

	json_free(c->answer);
	c->answer = n > 0 ? json_parse(line, (size_t)n, e) : NULL;
	free(line);
	return c->answer ? 0 : err_set(e, ERR_IO, "the lab's host program does not answer");
}

/* The ok of a call; NULL: it answered with an error. */
static const struct json *ask(struct collector *c, enum host_call call, const struct host_probe_ask *probe, struct err *e)
{
	const struct json *ok;
	struct json_out o;
	struct buf b;

	if (!(c->hello.can & 1u << call)) {
		err_set(e, ERR_IO, "the lab's host program does not know the call %s", host_call_text(call));
		return NULL;
	}
	buf_init(&b, 1u << 16);
	wire_call_begin(&o, &b, ++c->id, call, PROBE_MS);
	if (call == CALL_OBSERVE)
		wire_put_parts(&o, ~0u);
	if (call == CALL_PROBE)
		wire_put_ask(&o, probe);
	wire_call_end(&o);
	fwrite(b.p, 1, b.n, c->to);
	fflush(c->to);
	buf_free(&b);
	if (read_answer(c, e) < 0)
		return NULL;
	ok = json_get(c->answer, "ok");
	if (!json_is_object(ok))
		err_set(e, ERR_IO, "the lab's host program answers: %s", json_str(json_get(json_get(c->answer, "error"), "text"), "nothing"));
	return json_is_object(ok) ? ok : NULL;
}

/* ---- writing as PowerShell does ---- */

static int put_any(void *arg, const char *key, const struct json *j);

static void put_date(struct json_out *o, const char *key, const char *time)
{
	char text[64];
	int64_t us;

	if (!time_parse(time, strlen(time), &us))
		return;
	snprintf(text, sizeof text, "/Date(%lld)/", (long long)(us / 1000));
	json_put_str(o, key, text);
}

/* PEM without its frame and line ends. */
static void put_base64(struct json_out *o, const char *key, const char *pem)
{
	const char *p = strchr(pem, '\n'), *end = strstr(pem, "\n-----END");
	struct buf b;

	buf_init(&b, 1u << 17);
	for (; p && end && p < end; p++)
		if (*p != '\n' && *p != '\r')
			buf_char(&b, *p);
	json_put_str(o, key, buf_text(&b));
	buf_free(&b);
}

static void put_text(struct json_out *o, const char *key, const char *s)
{
	char upper[41];

	if (key && (strcmp(key, "time") == 0 || strcmp(key, "update_time") == 0)) {
		put_date(o, key, s);
	} else if (key && (strcmp(key, "pem") == 0 || strcmp(key, "leaf") == 0)) {
		put_base64(o, key, s);
	} else if (key && strcmp(key, "thumbprint") == 0) {
		for (size_t i = 0; i < 41; i++)
			upper[i] = (char)(i < strlen(s) && s[i] >= 'a' && s[i] <= 'f' ? s[i] - 32 : i < strlen(s) ? s[i] : 0);
		json_put_str(o, key, upper);
	} else {
		json_put_str(o, key, s);
	}
}

static int put_any(void *arg, const char *key, const struct json *j)
{
	struct json_out *o = arg;
	size_t n = json_len(j);

	if (json_is_null(j)) {
		json_put_null(o, key);
	} else if (json_is_array(j) && n == 1) {
		put_any(o, key, json_at(j, 0));
	} else if (json_is_array(j)) {
		json_open(o, key, '[');
		for (size_t i = 0; i < n; i++)
			put_any(o, NULL, json_at(j, i));
		json_close(o, ']');
	} else if (json_is_object(j)) {
		json_open(o, key, '{');
		json_each(j, put_any, o);
		json_close(o, '}');
	} else if (json_is_string(j)) {
		put_text(o, key, json_str(j, ""));
	} else if (json_bool(j, false) == json_bool(j, true)) {
		json_put_bool(o, key, json_bool(j, false));
	} else {
		json_put_int(o, key, json_int(j, 0));
	}
	return 0;
}

/* ---- the files ---- */

static int make_folder(const struct collector *c, const char *name, struct err *e)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", c->out, name);
	return os_make_folder(path) < 0 ? err_set(e, ERR_IO, "%s cannot be made", path) : 0;
}

static int write_file(const struct collector *c, const char *name, const void *p, size_t n, struct err *e)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", c->out, name);
	return os_file_replace(&os_file, path, p, n) < 0 ? err_set(e, ERR_IO, "%s cannot be written", path) : 0;
}

static int write_netsh(const struct collector *c, const struct json *records, struct err *e)
{
	struct buf b;
	int r;

	if (!json_is_array(records))
		return 0;
	buf_init(&b, LIMIT_FOLDER_TEXT);
	buf_str(&b, "\r\nSSL Certificate bindings: \r\n------------------------- \r\n\r\n");
	for (size_t i = 0; i < json_len(records); i++) {
		const struct json *at = json_at(records, i);
		bool ccs = json_bool(json_get(at, "ccs"), false);
		const char *endpoint = json_str(json_get(at, "endpoint"), ""), *colon = strrchr(endpoint, ':');

		buf_printf(&b, NETSH_LINE, json_bool(json_get(at, "sni"), false) ? "Hostname:port" : ccs ? "Central Certificate Store" :
			"IP:port", ccs && colon ? colon + 1 : endpoint);
		buf_printf(&b, NETSH_LINE, "Certificate Hash", json_str(json_get(at, "thumbprint"), "(null)"));
		buf_printf(&b, NETSH_LINE, "Application ID", json_str(json_get(at, "appid"), LAB_APPID));
		buf_printf(&b, NETSH_LINE, "Certificate Store Name", ccs ? "(null)" : json_str(json_get(at, "store"), "MY"));
		buf_printf(&b, NETSH_LINE, "Usage Check", "Enabled");
		buf_printf(&b, NETSH_LINE "\r\n", "Revocation Freshness Time", "0");
	}
	r = write_file(c, "netsh-sslcert.txt", b.p, b.n, e);
	buf_free(&b);
	return r;
}

static void put_attribute(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, " %s=\"", name);
	for (; *value; value++) {
		if (strchr("<>&\"", *value))
			buf_printf(b, "&#%d;", *value);
		else
			buf_char(b, *value);
	}
	buf_char(b, '"');
}

static int write_iis(const struct collector *c, const struct json *sites, struct err *e)
{
	struct buf b;
	int r;

	if (!json_is_array(sites))
		return 0;
	buf_init(&b, LIMIT_FOLDER_FACTS);
	buf_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<configuration>\r\n  <system.applicationHost>\r\n    <sites>\r\n");
	for (size_t i = 0; i < json_len(sites); i++) {
		const struct json *site = json_at(sites, i), *list = json_get(site, "bindings");

		buf_str(&b, "      <site");
		put_attribute(&b, "name", json_str(json_get(site, "name"), ""));
		buf_printf(&b, " id=\"%lld\">\r\n        <bindings>\r\n", (long long)json_int(json_get(site, "id"), 0));
		for (size_t k = 0; k < json_len(list); k++) {
			buf_str(&b, "          <binding");
			put_attribute(&b, "protocol", json_str(json_get(json_at(list, k), "protocol"), ""));
			put_attribute(&b, "bindingInformation", json_str(json_get(json_at(list, k), "information"), ""));
			buf_printf(&b, " sslFlags=\"%lld\" />\r\n", (long long)json_int(json_get(json_at(list, k), "ssl_flags"), 0));
		}
		buf_str(&b, "        </bindings>\r\n      </site>\r\n");
	}
	buf_str(&b, "    </sites>\r\n  </system.applicationHost>\r\n</configuration>\r\n");
	r = write_file(c, "applicationHost.config", b.p, b.n, e);
	buf_free(&b);
	return r;
}

static int write_certs(const struct collector *c, const struct json *certs, struct err *e)
{
	struct cert_info info;
	char hex[41], name[400];
	int r = 0;

	for (size_t i = 0; i < json_len(certs) && r == 0; i++) {
		const char *pem = json_str(json_get(json_at(certs, i), "pem"), "");
		const char *store = json_str(json_get(json_at(certs, i), "store"), "MY");

		if (cert_parse_pem(pem, strlen(pem), &info, e) < 0)
			return -1;
		text_hex(hex, info.thumbprint, 20);
		snprintf(name, sizeof name, "certs/%s", store);
		if (make_folder(c, name, e) < 0)
			return -1;
		snprintf(name, sizeof name, "certs/%s/%s.cer", store, hex);
		r = write_file(c, name, pem, strlen(pem), e);
	}
	return r;
}

static int write_events(const struct collector *c, struct err *e)
{
	char path[4096];
	struct buf b;
	int r = 0;

	lab_path(c->lab, path, sizeof path, "events.xml");
	buf_init(&b, 256u << 20);
	if (file_read(&os_file, path, &b, e) == 0 && b.n)
		r = write_file(c, "events/lab.xml", b.p, b.n, e);
	buf_free(&b);
	return r;
}

/* ---- the facts ---- */

static int put_probe(struct collector *c, struct json_out *o, enum host_probe_kind kind, const char *address,
	enum probe_version version, const char *path, struct err *e)
{
	struct host_probe_ask a = {.kind = kind, .version = version};
	const struct json *ok;

	text_copy(a.address, sizeof a.address, address);
	text_copy(a.path, sizeof a.path, path);
	ok = ask(c, CALL_PROBE, &a, e);
	if (!ok)
		return c->answer ? 0 : -1; /* what was not answered is left out: unknown */
	json_open(o, NULL, '{');
	wire_put_ask(o, &a);
	json_each(ok, put_any, o);
	json_close(o, '}');
	return 0;
}

static int put_probes(struct collector *c, struct json_out *o, const struct host_identity *id, struct err *e)
{
	const char *const front[] = {id->fqdn, "127.0.0.1"}; /* the two records of 443 */
	int r = 0;

	json_open(o, "probes", '[');
	for (size_t i = 0; i < id->n_addresses && r == 0; i++) {
		const char *at = id->addresses[i];

		if (put_probe(c, o, HOST_PROBE_BACKEND, at, TLS_DEFAULT, HEALTH_PATH, e) < 0 ||
		    put_probe(c, o, HOST_PROBE_BACKEND, at, TLS_ONLY_1_2, "", e) < 0)
			r = -1;
	}
	for (size_t i = 0; i < sizeof front / sizeof front[0] && r == 0; i++)
		if (put_probe(c, o, HOST_PROBE_FRONTEND, front[i], TLS_DEFAULT, "", e) < 0 ||
		    put_probe(c, o, HOST_PROBE_HOP, front[i], TLS_DEFAULT, HEALTH_PATH, e) < 0)
			r = -1;
	json_close(o, ']');
	return r;
}

static int put_facts(struct collector *c, struct json_out *o, struct err *e)
{
	struct host_identity *id = xcalloc(1, sizeof *id);
	const struct json *ok;
	int r = -1;

	json_put_int(o, "evmend_folder", 1);
	json_put_str(o, "tool", "evmend-lab " LAB_VERSION " (LAB, not a real server)");
	json_put_time(o, "collected_at", clock_wall(&c->lab->clock));
	ok = ask(c, CALL_IDENTITY, NULL, e);
	if (!ok || wire_get_identity(ok, id, e) < 0)
		goto out;
	put_any(o, "identity", ok);
	ok = ask(c, CALL_OBSERVE, NULL, e);
	if (!ok)
		goto out;
	json_each(ok, put_any, o);
	if (write_netsh(c, json_get(ok, "records"), e) < 0 || write_iis(c, json_get(ok, "sites"), e) < 0 ||
	    write_certs(c, json_get(ok, "certs"), e) < 0)
		goto out;
	ok = ask(c, CALL_BUSY, NULL, e);
	if (ok)
		put_any(o, "busy", ok);
	r = put_probes(c, o, id, e);
out:
	free(id);
	return r;
}

static int write_facts(struct collector *c, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, FACTS_BYTES);
	buf_str(&b, "\xEF\xBB\xBF");
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	r = put_facts(c, &o, e);
	json_close(&o, '}');
	if (r == 0)
		r = b.refused ? err_set(e, ERR_IO, "the facts are too large") : write_file(c, "facts.json", b.p, b.n, e);
	buf_free(&b);
	return r;
}

int lab_collect(const struct lab *l, const char *out, const char *without, struct err *e)
{
	struct collector c = {.lab = l, .out = out, .without = without};
	int r, status;

	if (!out || strlen(out) > 3000)
		return err_set(e, ERR_USAGE, "collect needs the folder to write, and its path must not be long");
	if (make_folder(&c, "events", e) < 0 || start_host(&c, e) < 0)
		return -1;
	r = read_answer(&c, e) < 0 || wire_get_hello(c.answer, &c.hello, e) < 0 || write_facts(&c, e) < 0 || write_events(&c, e) < 0 ? -1 : 0;
	fclose(c.to);
	fclose(c.from);
	json_free(c.answer);
	if (c.pid > 0)
		(void)os_process.wait(c.pid, true, &status);
	if (r == 0)
		printf("LAB %s: facts in %s\n", l->name, out);
	return r;
}
