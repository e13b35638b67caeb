/* config_sinks.c - reads the receivers of a configuration.
 *
 * Why: seven kinds share most of their keys, and each has some of its own. Promises: keys stand in tables, so that a kind is a row and its
 * keys are rows; a key that belongs to another kind is refused by name. Refuses: secrets themselves - keys that end in
 * _file name where they are, and the sink reads them. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "proc/config_keys.h"
#include "rules/rule.h"
#include "ship/formats.h"
#include "ship/template.h"

#define KEYS_MOST 48 /* of one map, with those of its kind */

int key_text(struct reader *r, node n, const struct key *k, void *to)
{
	const char *s = NULL;

	if (yaml_str(r->f, n, k->name, &s, r->e) < 0)
		return -1;
	*(const char **)to = read_keep(r, s);
	return 0;
}

int key_path(struct reader *r, node n, const struct key *k, void *to)
{
	const char **path = to;

	if (key_text(r, n, k, to) < 0)
		return -1;
	*path = read_path(r, *path);
	return 0;
}

static int key_address(struct reader *r, node n, const struct key *k, void *to)
{
	const char **address = to;
	const char *colon;
	int64_t port;

	if (key_text(r, n, k, to) < 0)
		return -1;
	colon = *address ? strrchr(*address, ':') : NULL;
	if (!colon || colon == *address || !text_int(colon + 1, strlen(colon + 1), &port) || port < 1 || port > 65535)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be \"host:port\"", k->name);
	return 0;
}

int key_int(struct reader *r, node n, const struct key *k, void *to)
{
	return yaml_int(r->f, n, k->name, k->least, k->most, to, r->e);
}

/* Bytes: "100MB". */
static int key_size(struct reader *r, node n, const struct key *k, void *to)
{
	static const struct {
		const char *unit;
		int64_t bytes;
	} units[] = { { "KB", 1 << 10 }, { "MB", 1 << 20 }, { "GB", 1 << 30 }, { "", 1 } };
	const char *s = NULL;
	int64_t number = 0;
	size_t digits, u = 0;

	if (yaml_str(r->f, n, k->name, &s, r->e) < 0)
		return -1;
	digits = strspn(s ? s : "", "0123456789");
	while (u < 3 && s && strcmp(s + digits, units[u].unit) != 0)
		u++;
	if (!s || !text_int(s, digits, &number) || strcmp(s + digits, units[u].unit) != 0 || number > k->most / units[u].bytes ||
		number * units[u].bytes < k->least)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a number of bytes such as 100MB (KB, MB, GB), at least %" PRId64, k->name, k->least);
	*(int64_t *)to = number * units[u].bytes;
	return 0;
}

int key_span(struct reader *r, node n, const struct key *k, void *to)
{
	int64_t *us = to;
	char least[32], most[32];

	if (yaml_span(r->f, n, k->name, us, r->e) < 0)
		return -1;
	if (*us < k->least || *us > k->most)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be from %s to %s", k->name, span_text(k->least, least), span_text(k->most, most));
	return 0;
}

int key_word(struct reader *r, node n, const struct key *k, void *to)
{
	const char *s = NULL;
	char list[200];

	if (yaml_str(r->f, n, k->name, &s, r->e) < 0)
		return -1;
	for (int i = 0; k->words[i]; i++)
		if (!strcmp(s ? s : "", k->words[i])) {
			*(int *)to = i;
			return 0;
		}
	return yaml_err(r->f, n, r->e, ERR_USAGE, "%s knows no '%s'; write one of %s", k->name, s ? s : "", text_list(list, sizeof list, k->words));
}

static int key_yes(struct reader *r, node n, const struct key *k, void *to)
{
	return yaml_bool(r->f, n, k->name, to, r->e);
}

/* true and false of a member that says the opposite: verify is no_verify. */
int key_not(struct reader *r, node n, const struct key *k, void *to)
{
	bool yes = true;

	if (yaml_bool(r->f, n, k->name, &yes, r->e) < 0)
		return -1;
	*(bool *)to = !yes;
	return 0;
}

static int key_pin(struct reader *r, node n, const struct key *k, void *to)
{
	const char **pin = to;
	uint8_t digest[32];

	if (key_text(r, n, k, to) < 0)
		return -1;
	if (!*pin || !text_unhex(digest, sizeof digest, *pin, strlen(*pin)))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be the SHA-256 of the receiver's certificate, 64 hex digits", k->name);
	return 0;
}

static int key_url(struct reader *r, node n, const struct key *k, void *to)
{
	const char **url = to;

	if (key_text(r, n, k, to) < 0)
		return -1;
	if (!*url || (!text_starts(*url, "http://") && !text_starts(*url, "https://")))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must begin with http:// or https://", k->name);
	if (text_url_user(*url))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must not hold a user or a password", k->name);
	if (strpbrk(*url, "?#"))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must end before ? and #; leave out what stands behind", k->name);
	return 0;
}

/* Of a webhook. What stands behind ? opens it to whoever has it. */
static int key_hook(struct reader *r, node n, const struct key *k, void *to)
{
	const char *const *url = to;

	if (key_text(r, n, k, to) < 0)
		return -1;
	if (*url && strpbrk(*url, "?#"))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must end before ? and #: what stands behind is a secret. Write the address into a file and "
			"name that with url_file", k->name);
	return key_url(r, n, k, to);
}

/* Who writes tls means it. */
static int check_clear(struct reader *r, node n, const struct sink_config *s, const char *url)
{
	if (s->tls.on && text_starts(url, "http://"))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the sink '%s' has tls, and a url that begins with http://; write https://", s->name);
	return 0;
}

/* A text with places; what stands between them goes into addresses and names, so it is as plain as what fills them. */
int key_template(struct reader *r, node n, const struct key *k, void *to)
{
	const char *const *text = to;
	struct err why;
	int depth = 0;

	if (key_text(r, n, k, to) < 0)
		return -1;
	if (!*text || !**text)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s is empty", k->name);
	if (template_check(*text, &why) < 0)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s: %s", k->name, why.text);
	for (const char *s = *text; *s; s++) {
		depth += *s == '{' ? 1 : *s == '}' ? -1 : 0;
		if (!depth && *s != '}' && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:", *s))
			return yaml_err(r->f, n, r->e, ERR_USAGE, "%s may hold letters, digits, '.', '_', '-', ':' and places such as {kind}", k->name);
	}
	return 0;
}

/* The keys of map n that rows know. The caller has asked whether there are others. */
static int read_rows(struct reader *r, node n, const struct key *rows, struct sink_config *s)
{
	for (const struct key *k = rows; k && k->name; k++) {
		node v = yaml_get(n, k->name);

		if (yaml_is_null(v)) {
			if (k->must)
				return yaml_err(r->f, n, r->e, ERR_USAGE, "the sink '%s' of kind %s needs %s", s->name, sink_kind_text((int)s->kind), k->must);
			continue;
		}
		if (k->read(r, v, k, (char *)s + k->at) < 0)
			return -1;
	}
	return 0;
}

/* Names of rows, behind those that are there. */
static size_t add_names(const char **to, size_t n, const struct key *rows)
{
	for (; rows && rows->name && n < KEYS_MOST; rows++)
		to[n++] = rows->name;
	to[n] = NULL;
	return n;
}

/* A map with keys of its own; its members are those of the sink. */
int key_map(struct reader *r, node n, const struct key *k, void *to)
{
	const char *names[KEYS_MOST + 1];
	struct sink_config *s = (struct sink_config *)(void *)((char *)to - k->at);

	add_names(names, 0, k->inside);
	return read_map(r, n, k->name, names) < 0 ? -1 : read_rows(r, n, k->inside, s);
}

int key_tls(struct reader *r, node n, const struct key *k, void *to)
{
	struct sink_config *s = (struct sink_config *)(void *)((char *)to - k->at);

	if (key_map(r, n, k, to) < 0)
		return -1;
	s->tls.on = true;
	if (!s->tls.cert != !s->tls.key)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "tls needs both cert and key, or neither");
	return 0;
}

static int key_labels(struct reader *r, node n, const struct key *k, void *to)
{
	struct sink_config *s = (struct sink_config *)(void *)((char *)to - k->at);

	return read_labels(r, n, &s->labels, &s->n_labels);
}

/* --- the keys --- */

static const struct key tls_keys[] = {
	KEY("ca", key_path, tls.ca),
	KEY("cert", key_path, tls.cert),
	KEY("key", key_path, tls.key),
	KEY("name", key_text, tls.name),
	KEY("pin", key_pin, tls.pin),
	KEY("verify", key_not, tls.no_verify),
	END,
};

const struct key batch_keys[] = {
	KEY("records", key_int, batch.records, .least = 1, .most = 10000),
	KEY("bytes", key_int, batch.bytes, .least = 1024, .most = 100 << 20),
	KEY("wait", key_span, batch.wait, .least = 0, .most = US_MINUTE),
	END,
};

static const char *const compress_words[] = { "none", "gzip", "zstd", NULL }, *const gzip_words[] = { "none", "gzip", NULL };

/* Every kind's. name, kind and format are read before. */
static const struct key common_keys[] = {
	KEY("labels", key_labels, labels),
	KEY("take", key_take, take),
	KEY("rate", key_int, rate, .least = 1, .most = 1000000),
	END,
};

/* Those of kinds that reach their receiver over a network in requests. */
static const struct key request_keys[] = {
	KEY("tls", key_tls, tls, .inside = tls_keys),
	KEY("batch", key_map, batch, .inside = batch_keys),
	KEY("compress", key_word, compress, .words = gzip_words),
	KEY("proxy", key_url, proxy),
	KEY("timeout", key_span, timeout, .least = US_SECOND, .most = US_HOUR),
	END,
};

static const struct key rotate_keys[] = {
	KEY("size", key_size, file.rotate.size, .least = 4096, .most = INT64_C(1) << 40),
	KEY("age", key_span, file.rotate.age, .least = US_MINUTE, .most = 366 * US_DAY),
	KEY("keep", key_int, file.rotate.keep, .least = 1, .most = 100000),
	KEY("compress", key_word, file.rotate.compress, .words = compress_words),
	END,
};

static const struct key file_keys[] = {
	KEY("path", key_path, file.path, .must = "a path"),
	KEY("rotate", key_map, file.rotate, .inside = rotate_keys),
	END,
};

static int check_file(struct reader *r, node n, struct sink_config *s)
{
	if (!yaml_is_null(yaml_get(n, "rotate")) && !s->file.rotate.size && !s->file.rotate.age)
		return yaml_err(r->f, yaml_get(n, "rotate"), r->e, ERR_USAGE, "rotate of the sink '%s' needs a size or an age", s->name);
	return 0;
}

static const char *const framing_words[] = { "octet", "line", NULL };
static const char *const header_words[] = { "auto", "5424", "3164", NULL };

static const struct key syslog_keys[] = {
	KEY("address", key_address, syslog.address, .must = "an address, \"host:port\""),
	KEY("app", key_text, app),
	KEY("hostname", key_text, hostname),
	KEY("tls", key_tls, tls, .inside = tls_keys),
	KEY("framing", key_word, syslog.framing, .words = framing_words),
	KEY("header", key_word, syslog.header, .words = header_words),
	KEY("frame_max", key_int, syslog.frame_max, .least = SYSLOG_LEAST, .most = LIMIT_SYSLOG_FRAME),
	KEY("resend", key_int, syslog.resend, .least = 0, .most = 64 << 20),
	KEY("timeout", key_span, timeout, .least = US_SECOND, .most = US_HOUR),
	END,
};

#define QRADAR_FRAME 4096 /* bytes of a message over TCP; of a longer one QRadar makes two or cuts it, unless it was told another size */

static int check_syslog(struct reader *r, node n, struct sink_config *s)
{
	(void)r;
	(void)n;
	if (!s->syslog.frame_max && s->format == format_find("leef"))
		s->syslog.frame_max = QRADAR_FRAME;
	return 0;
}

static const struct key splunk_keys[] = {
	KEY("url", key_url, splunk.url, .must = "a url, \"https://host:8088\""),
	KEY("token_file", key_path, splunk.token_file, .must = "a token_file, which holds the token of the event collector"),
	KEY("index", key_template, splunk.index),
	KEY("sourcetype", key_template, splunk.sourcetype),
	KEY("ack", key_yes, splunk.ack),
	KEY("ack_timeout", key_span, splunk.ack_timeout, .least = US_SECOND, .most = US_HOUR),
	END,
};

static const struct key elastic_keys[] = {
	KEY("url", key_url, elastic.url, .must = "a url, \"https://host:9200\""),
	KEY("index", key_template, elastic.index),
	KEY("api_key_file", key_path, elastic.api_key_file),
	KEY("user", key_text, elastic.user),
	KEY("password_file", key_path, elastic.password_file),
	END,
};

static const struct key otlp_keys[] = {
	KEY("url", key_url, otlp.url, .must = "a url, \"https://host:4318\""),
	KEY("headers_file", key_path, otlp.headers_file),
	END,
};

/* What people read, or a program of theirs. */
static int key_shape(struct reader *r, node n, const struct key *k, void *to)
{
	static const char *const words[] = { "json", "slack", "teams", NULL }, *const names[] = { "ndjson", "slack", "teams" };
	const struct key word = { .name = k->name, .words = words };
	int i = 0;

	if (key_word(r, n, &word, &i) < 0)
		return -1;
	*(const struct format **)to = format_find(names[i]);
	return 0;
}

static const struct key webhook_keys[] = {
	KEY("url", key_hook, webhook.url),
	KEY("url_file", key_path, webhook.url_file),
	KEY("template", key_shape, format),
	KEY("hmac_file", key_path, webhook.hmac_file),
	KEY("tls", key_tls, tls, .inside = tls_keys),
	KEY("proxy", key_url, proxy),
	KEY("timeout", key_span, timeout, .least = US_SECOND, .most = US_HOUR),
	END,
};

/* A person reads it: little, unless more was asked for. Who names hosts or labels asks for less, not for more. */
static int check_webhook(struct reader *r, node n, struct sink_config *s)
{
	node take = yaml_get(n, "take");

	if (!s->webhook.url == !s->webhook.url_file)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the sink '%s' needs a url, or a url_file that holds it", s->name);
	if (!s->format)
		s->format = format_find("ndjson");
	if (!s->take.kinds && yaml_is_null(yaml_get(take, "level")))
		s->take.level = LEVEL_HIGH;
	if (!s->take.kinds)
		s->take.kinds = 1u << RECORD_FINDING | 1u << RECORD_CASE | 1u << RECORD_REFUSAL | 1u << RECORD_REPAIR;
	if (!s->rate)
		s->rate = 1;
	return check_clear(r, n, s, s->webhook.url ? s->webhook.url : ""); /* url_file: when it is read */
}

static int check_otlp(struct reader *r, node n, struct sink_config *s)
{
	return check_clear(r, n, s, s->otlp.url);
}

static int check_splunk(struct reader *r, node n, struct sink_config *s)
{
	if (s->splunk.ack_timeout && !s->splunk.ack)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "ack_timeout of the sink '%s' needs ack: true", s->name);
	return check_clear(r, n, s, s->splunk.url);
}

static int check_elastic(struct reader *r, node n, struct sink_config *s)
{
	if (!s->elastic.user != !s->elastic.password_file)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the sink '%s' needs both user and password_file, or neither", s->name);
	if (s->elastic.user && s->elastic.api_key_file)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the sink '%s' has an API key and a user; leave one out", s->name);
	if (s->elastic.user && strchr(s->elastic.user, ':')) /* RFC 7617, 2 */
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the user of the sink '%s' must not hold a colon", s->name);
	return check_clear(r, n, s, s->elastic.url);
}

static const char *const file_formats[] = { "ndjson", "rfc5424", "cef", "leef", "ecs", "ocsf", NULL };
static const char *const syslog_formats[] = { "rfc5424", "cef", "leef", NULL };
static const char *const json_formats[] = { "ndjson", "ecs", "ocsf", NULL };
static const char *const elastic_formats[] = { "ecs", "ocsf", "ndjson", NULL };

static const struct {
	const char *const *formats;  /* the first is the default; NULL: the kind has its own and takes no key format */
	const struct key *own, *more;
	int (*check)(struct reader *r, node n, struct sink_config *s); /* what no single key shows, and defaults; NULL: nothing */
} kinds[SINK_KINDS] = {
	[SINK_FILE] = { file_formats, file_keys, NULL, check_file },
	[SINK_SYSLOG] = { syslog_formats, syslog_keys, NULL, check_syslog },
	[SINK_SPLUNK] = { json_formats, splunk_keys, request_keys, check_splunk },
	[SINK_ELASTIC] = { elastic_formats, elastic_keys, request_keys, check_elastic },
	[SINK_KAFKA] = { json_formats, kafka_keys, NULL, NULL },
	[SINK_OTLP] = { NULL, otlp_keys, request_keys, check_otlp },
	[SINK_WEBHOOK] = { NULL, webhook_keys, NULL, check_webhook },
};

static const struct key *find_row(const struct key *rows, const char *name)
{
	for (; rows && rows->name; rows++)
		if (!strcmp(rows->name, name))
			return rows;
	return NULL;
}

static const struct key *row_of(int kind, const char *name)
{
	const struct key *k = find_row(common_keys, name);

	k = k ? k : find_row(kinds[kind].own, name);
	return k ? k : find_row(kinds[kind].more, name);
}

/* A key that other kinds have is no slip of the pen. */
static int refuse_others(struct reader *r, node n, enum sink_kind kind)
{
	for (size_t i = 0; i < n->n; i++) {
		const char *name = n->keys[i]->text;
		const struct key *mine = row_of((int)kind, name);

		for (int other = 0; !mine && other < SINK_KINDS; other++)
			if (row_of(other, name))
				return yaml_err(r->f, n->keys[i], r->e, ERR_USAGE, "a sink of kind %s takes no %s; the kind %s does", sink_kind_text((int)kind),
					name, sink_kind_text(other));
	}
	return 0;
}

static int read_format(struct reader *r, node n, enum sink_kind kind, struct sink_config *s)
{
	const char *const *can = kinds[kind].formats;
	const char *name = NULL;
	char list[100];
	size_t i = 0;

	if (yaml_str(r->f, n, "format", &name, r->e) < 0)
		return -1;
	if (!can)
		return name ? yaml_err(r->f, n, r->e, ERR_USAGE, "a sink of kind %s has its own format; leave the key out", sink_kind_text((int)kind)) : 0;
	while (name && can[i] && strcmp(can[i], name) != 0)
		i++;
	if (!can[i])
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a sink of kind %s has no format '%s'; write one of %s", sink_kind_text((int)kind), name,
			text_list(list, sizeof list, can));
	s->format = format_find(can[i]);
	return 0;
}

int read_sink_keys(struct reader *r, node n, enum sink_kind kind, struct sink_config *s)
{
	const char *names[KEYS_MOST + 1] = { "name", "kind", "format" };
	size_t count = 3;

	s->kind = kind;
	count = add_names(names, count, common_keys);
	count = add_names(names, count, kinds[kind].own);
	add_names(names, count, kinds[kind].more);
	if (refuse_others(r, n, kind) < 0 || read_map(r, n, "a sink", names) < 0 || read_text(r, n, "name", &s->name) < 0)
		return -1;
	if (!s->name)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a sink needs a name");
	if (read_format(r, yaml_get(n, "format"), kind, s) < 0 || read_rows(r, n, common_keys, s) < 0 || read_rows(r, n, kinds[kind].own, s) < 0)
		return -1;
	if (read_rows(r, n, kinds[kind].more, s) < 0)
		return -1;
	return kinds[kind].check ? kinds[kind].check(r, n, s) : 0;
}

int read_sink(struct reader *r, node n, void *item)
{
	struct sink_config *s = item;
	const char *word = NULL;
	char list[200];
	const char *names[SINK_KINDS + 1] = { NULL };
	int kind = 0;

	if (n->kind != YAML_MAP)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a sink must be a map of keys");
	if (read_text(r, n, "kind", &word) < 0)
		return -1;
	while (word && kind < SINK_KINDS && strcmp(word, sink_kind_text(kind)) != 0)
		kind++;
	for (int i = 0; i < SINK_KINDS; i++)
		names[i] = sink_kind_text(i);
	if (!word || kind == SINK_KINDS)
		return yaml_err(r->f, word ? yaml_get(n, "kind") : n, r->e, ERR_USAGE, "a sink needs a kind, one of %s", text_list(list, sizeof list, names));
	s->app = "evmend";
	if (kind == SINK_SYSLOG)
		s->syslog.resend = SYSLOG_RESEND;
	return read_sink_keys(r, n, (enum sink_kind)kind, s);
}
