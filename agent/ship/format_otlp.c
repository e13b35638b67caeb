/* format_otlp.c - a record as a LogRecord of OpenTelemetry, in OTLP's JSON.
 *
 * Why: collectors and many stores take logs this way. Promises: JSON as OTLP maps it from its protocol buffers - lowerCamelCase names, integers of
 * 64 bits as texts, each value an AnyValue with its type, no key of attributes twice; attributes by the names of the semantic conventions
 * where there is one, fields of events under winlog.event_data, what has no name there under `evmend`. Refuses nothing.
 * Sources: OpenTelemetry, "OTLP Specification 1.5", JSON Protobuf Encoding; "Logs Data Model"; semantic conventions 1.36. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/version.h"
#include "ship/formats.h"
#include "ship/mapping.h"

#define KEY_MOST 160 /* bytes of an attribute's name */
#define HOST_MOST 1024

/* --- AnyValue --- */

static void put_string(struct json_out *o, const char *key, const char *s, size_t n)
{
	json_open(o, key, '{');
	json_put_strn(o, "stringValue", s, n);
	json_close(o, '}');
}

static void put_int(struct json_out *o, const char *key, int64_t i)
{
	char digits[24];

	json_open(o, key, '{');
	json_put_strn(o, "intValue", digits, text_decimal(digits, i));
	json_close(o, '}');
}

static void put_bool(struct json_out *o, const char *key, bool yes)
{
	json_open(o, key, '{');
	json_put_bool(o, "boolValue", yes);
	json_close(o, '}');
}

static void put_any(struct json_out *o, const char *key, const struct json *j, struct map_room *room);

struct pairs {
	struct json_out *o;
	struct map_room *room;
	size_t left;
};

static int put_pair(void *arg, const char *name, const struct json *value)
{
	struct pairs *p = arg;

	if (p->left == 0) {
		p->room->cut = true;
		return 1;
	}
	p->left--;
	json_open(p->o, NULL, '{');
	json_put_str(p->o, "key", name);
	put_any(p->o, "value", value, p->room);
	json_close(p->o, '}');
	return 0;
}

static void put_tree(struct json_out *o, const struct json *j, struct map_room *room)
{
	struct pairs p = { o, room, room->items };
	bool list = json_is_array(j);

	json_open(o, list ? "arrayValue" : "kvlistValue", '{');
	json_open(o, "values", '[');
	for (size_t i = 0; list && i < json_len(j) && i < room->items; i++)
		put_any(o, NULL, json_at(j, i), room);
	room->cut = room->cut || json_len(j) > room->items;
	if (!list)
		json_each(j, put_pair, &p);
	json_close(o, ']');
	json_close(o, '}');
}

static void put_any(struct json_out *o, const char *key, const struct json *j, struct map_room *room)
{
	const char *s = json_str(j, NULL);

	if (s) {
		put_string(o, key, s, map_cut(s, strlen(s), 0, room));
	} else if (json_int(j, 0) == json_int(j, 1)) {
		put_int(o, key, json_int(j, 0));
	} else if (json_bool(j, false) == json_bool(j, true)) {
		put_bool(o, key, json_bool(j, false));
	} else {
		json_open(o, key, '{'); /* empty: null */
		if (json_is_array(j) || json_is_object(j))
			put_tree(o, j, room);
		else if (!json_is_null(j))
			json_put(o, "doubleValue", j);
		json_close(o, '}');
	}
}

/* --- attributes --- */

/* Also of one text alone: an attribute has one type. */
static void put_list(struct json_out *o, const struct map_row *r, const struct map_value *v, struct map_room *room)
{
	json_open(o, "value", '{');
	json_open(o, "arrayValue", '{');
	json_open(o, "values", '[');
	if (v->found == FOUND_TEXT)
		put_string(o, NULL, v->s, v->n);
	for (size_t i = 0; i < json_len(v->list) && i < room->items; i++) {
		size_t n;
		const char *s = map_item(v->list, i, r->limit, room, &n);

		put_string(o, NULL, s, n);
	}
	room->cut = room->cut || json_len(v->list) > room->items;
	json_close(o, ']');
	json_close(o, '}');
	json_close(o, '}');
}

static void put_value(struct json_out *o, const struct map_row *r, const struct map_value *v, struct map_room *room)
{
	json_open(o, NULL, '{');
	json_put_str(o, "key", r->to);
	if (r->as == AS_LIST)
		put_list(o, r, v, room);
	else if (v->found == FOUND_INT)
		put_int(o, "value", v->i);
	else if (v->found == FOUND_BOOL)
		put_bool(o, "value", v->i != 0);
	else if (v->found == FOUND_LIST)
		put_any(o, "value", v->list, room);
	else
		put_string(o, "value", v->s, v->n);
	json_close(o, '}');
}

struct named {
	struct json_out *o;
	struct map_room *room;
	const char *prefix;
	const struct json *others; /* of which a name that was cut may be one */
	size_t left;
};

/* prefix.NAME; false: it was cut, and there is one of that name. */
static bool name_of(const struct named *n, const char *name, char to[static KEY_MOST])
{
	size_t at = strlen(text_copy(to, KEY_MOST, n->prefix)), len = strlen(name), fits = utf8_cut(name, len, KEY_MOST - 1 - at);

	memcpy(to + at, name, fits);
	to[at + fits] = '\0';
	n->room->cut = n->room->cut || fits < len;
	return fits == len || !json_get(n->others, to + at);
}

static int put_field(void *arg, const char *name, const struct json *value)
{
	struct named *n = arg;
	char key[KEY_MOST];

	if (n->left == 0) {
		n->room->cut = true;
		return 1;
	}
	n->left--;
	if (!name_of(n, *name ? name : "unnamed", key) || (!*name && json_get(n->others, "unnamed")))
		return 0;
	json_open(n->o, NULL, '{');
	json_put_str(n->o, "key", key);
	put_any(n->o, "value", value, n->room);
	json_close(n->o, '}');
	return 0;
}

static bool put_fields(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *fields = facts_member(f, "fields");
	struct named n = { o, room, "winlog.event_data.", fields, room->items };

	(void)r, (void)key;
	json_each(fields, put_field, &n);
	return true;
}

static int put_label(void *arg, const char *name, const char *value)
{
	struct named *n = arg;
	char key[KEY_MOST];

	if (!name_of(n, name, key))
		return 0;
	json_open(n->o, NULL, '{');
	json_put_str(n->o, "key", key);
	put_string(n->o, "value", value, map_cut(value, strlen(value), 0, n->room));
	json_close(n->o, '}');
	return 0;
}

static bool put_labels(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	struct named n = { o, room, "evmend.label.", f->v->labels, 0 };

	(void)r, (void)key;
	view_labels(f->v, f->sink->labels, f->sink->n_labels, put_label, &n);
	return true;
}

static bool put_truncated(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)f, (void)r;
	if (!room->cut)
		return false;
	json_open(o, NULL, '{');
	json_put_str(o, "key", key);
	put_bool(o, "value", true);
	json_close(o, '}');
	return true;
}

const struct map_row otlp_rows[] = {
	{ MAP_ALL, "log.record.uid", .fact = FACT_UID, .core = true },
	{ MAP_ALL, "evmend.kind", .fact = FACT_KIND, .core = true },
	{ MAP_ALL, "evmend.code", .fact = FACT_CODE },
	{ MAP_ALL, "evmend.title", .fact = FACT_TITLE, .limit = 1024 },
	{ MAP_ALL, "evmend.action", .fact = FACT_ACTION },
	{ MAP_ALL, "evmend.outcome", .fact = FACT_OUTCOME },
	{ MAP_ALL, "evmend.replay", .from = "replay", .as = AS_BOOL },
	{ MAP_ALL, "evmend.label.", .own = put_labels },
	{ MAP_F | MAP_C, "evmend.cause", .from = "cause", .limit = 64 },
	{ MAP_F | MAP_A | MAP_C, "evmend.count", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "evmend.first", .from = "first", .as = AS_TIME },
	{ MAP_F | MAP_C | MAP_A, "evmend.last", .from = "last", .as = AS_TIME },
	{ MAP_F | MAP_C, "evmend.reported_by", .from = "reported_by", .as = AS_LIST, .limit = 1024 },
	{ MAP_F, "security_rule.uuid", .from = "rule.id", .limit = 1024, .core = true },
	{ MAP_F, "security_rule.name", .from = "rule.title", .limit = 1024 },
	{ MAP_A, "security_rule.uuid", .from = "rule", .limit = 1024 },
	{ MAP_A, "security_rule.name", .from = "title", .limit = 1024 },
	{ MAP_F, "evmend.finding.uid", .from = "uid", .limit = 64 },
	{ MAP_F, "evmend.finding.rule", .from = "rule.name", .limit = 1024 },
	{ MAP_F, "evmend.finding.tags", .from = "rule.tags", .as = AS_LIST, .limit = 256 },
	{ MAP_F, "evmend.finding.evidence", .from = "evidence", .as = AS_TREE },
	{ MAP_C | MAP_HEAL, "evmend.sequence", .from = "seq", .as = AS_INT },
	{ MAP_C, "evmend.case.id", .from = "id", .as = AS_INT, .core = true },
	{ MAP_HEAL, "evmend.case.id", .from = "case", .as = AS_INT, .core = true },
	{ MAP_C, "evmend.case.uid", .from = "uid", .limit = 64 },
	{ MAP_C, "evmend.case.state", .from = "state", .limit = 64, .core = true },
	{ MAP_C, "evmend.case.asks", .from = "asks", .limit = 64 },
	{ MAP_C, "evmend.case.confidence", .from = "confidence", .limit = 64 },
	{ MAP_C, "evmend.case.opened", .from = "opened", .as = AS_TIME },
	{ MAP_C, "evmend.case.verdict", .from = "verdict", .limit = 1024 },
	{ MAP_C, "evmend.case.advice", .from = "advice" },
	{ MAP_C, "evmend.case.hint", .from = "hint" },
	{ MAP_C, "evmend.case.thumbprint", .from = "thumbprint", .limit = 64 },
	{ MAP_C, "evmend.case.plan", .from = "plan", .limit = 64 },
	{ MAP_C, "evmend.case.approve", .from = "approve", .limit = 256 },
	{ MAP_C, "evmend.case.approval_until", .from = "approval_until", .as = AS_TIME },
	{ MAP_C, "evmend.case.not_before", .from = "not_before", .as = AS_TIME },
	{ MAP_C, "evmend.case.follows", .from = "follows", .as = AS_INT },
	{ MAP_C, "evmend.case.reopens", .from = "reopens", .as = AS_INT },
	{ MAP_C, "evmend.case.findings", .from = "findings", .as = AS_LIST, .limit = 64 },
	{ MAP_C, "evmend.case.before", .from = "before", .as = AS_TREE },
	{ MAP_N, "evmend.refusal.reason", .from = "body.reason", .limit = 1024 },
	{ MAP_N, "evmend.refusal.verdict", .from = "body.verdict", .limit = 1024 },
	{ MAP_N, "evmend.refusal.plan", .from = "body.plan", .limit = 64 },
	{ MAP_N, "evmend.refusal.escalate", .from = "body.escalate", .as = AS_BOOL },
	{ MAP_N, "evmend.refusal.not_before", .from = "body.not_before", .as = AS_TIME },
	{ MAP_R, "evmend.repair.token", .from = "body.repair", .limit = 64 },
	{ MAP_R, "evmend.repair.what", .from = "body.what", .limit = 64 },
	{ MAP_R, "evmend.repair.result", .from = "body.result", .limit = 64 },
	{ MAP_R, "evmend.repair.verdict", .from = "body.verdict", .limit = 1024 },
	{ MAP_R, "evmend.repair.plan", .from = "body.plan", .limit = 64 },
	{ MAP_R, "evmend.repair.by", .from = "body.by", .limit = 1024 },
	{ MAP_R, "evmend.repair.lab", .from = "body.lab", .as = AS_BOOL },
	{ MAP_R, "evmend.repair.before_works", .from = "body.before_works", .as = AS_BOOL },
	{ MAP_R, "evmend.repair.wanted", .from = "body.wanted", .limit = 64 },
	{ MAP_R, "evmend.repair.proof_ok", .from = "body.proof.ok", .as = AS_BOOL },
	{ MAP_R, "evmend.repair.proof", .from = "body.proof.summary" },
	{ MAP_R, "evmend.repair.steps", .from = "body.steps", .as = AS_LIST, .limit = 1024 },
	{ MAP_R, "evmend.repair.snapshot", .from = "body.snapshot", .as = AS_TREE },
	{ MAP_L, "evmend.ledger.what", .from = "what", .limit = 64 },
	{ MAP_L, "evmend.ledger.body", .from = "body", .as = AS_TREE },
	{ MAP_A, "evmend.agent.what", .from = "kind", .limit = 64 },
	{ MAP_A, "evmend.agent.source", .from = "source", .limit = 1024 },
	{ MAP_A, "evmend.agent.reason", .from = "reason" },
	{ MAP_A, "evmend.agent.silence", .from = "silence", .as = AS_INT },
	{ MAP_A, "evmend.agent.since", .from = "since", .as = AS_TIME },
	{ MAP_A, "evmend.agent.until", .from = "until", .as = AS_TIME },
	{ MAP_A, "evmend.agent.offset", .from = "offset", .as = AS_INT },
	{ MAP_A, "evmend.agent.bytes", .from = "bytes" },
	/* events: who, from where, what */
	{ MAP_E, "user.name", .from = "fields.TargetUserName", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "user.id", .from = "fields.TargetUserSid", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "user.name", .from = "fields.SubjectUserName", .sorts = SORT_BY_SUBJECT, .limit = 1024 },
	{ MAP_E, "user.id", .from = "fields.SubjectUserSid", .sorts = SORT_BY_SUBJECT, .limit = 1024 },
	{ MAP_E, "user.name", .from = "fields.User", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "source.address", .from = "fields.IpAddress", .as = AS_IP, .sorts = SORT_LOGON },
	{ MAP_E, "source.port", .from = "fields.IpPort", .as = AS_PORT, .sorts = SORT_LOGON },
	{ MAP_E, "source.address", .from = "fields.SourceIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "source.port", .from = "fields.SourcePort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "destination.address", .from = "fields.DestinationIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "destination.port", .from = "fields.DestinationPort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "network.transport", .from = "fields.Protocol", .sorts = SORT_SYSMON, .limit = 64 },
	{ MAP_E, "dns.question.name", .from = "fields.QueryName", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "process.executable.path", .from = "fields.NewProcessName", .sorts = SORT_PROCESS, .limit = 1024 },
	{ MAP_E, "process.pid", .from = "fields.NewProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "process.parent_pid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "process.executable.path", .from = "fields.ProcessName", .sorts = SORT_EXIT, .limit = 1024 },
	{ MAP_E, "process.executable.path", .from = "fields.Image", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "process.pid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_EXIT | SORT_SYSMON },
	{ MAP_E, "process.parent_pid", .from = "fields.ParentProcessId", .as = AS_INT, .sorts = SORT_SYSMON },
	{ MAP_E, "process.command_line", .from = "fields.CommandLine", .sorts = SORT_PROCESS | SORT_SYSMON },
	{ MAP_E, "file.path", .from = "fields.TargetFilename", .sorts = SORT_SYSMON, .limit = 1024 },
	/* events as they are */
	{ MAP_E, "winlog.channel", .from = "channel", .limit = 1024 },
	{ MAP_E, "winlog.provider.name", .from = "provider", .limit = 1024 },
	{ MAP_E, "winlog.provider.guid", .from = "system.Provider_Guid", .limit = 64 },
	{ MAP_E, "winlog.event_id", .from = "event_id", .as = AS_INT, .core = true },
	{ MAP_E, "winlog.record_id", .from = "record_id", .as = AS_INT },
	{ MAP_E, "winlog.computer", .from = "host", .limit = 1024 },
	{ MAP_E, "winlog.task", .from = "system.Task", .limit = 64 },
	{ MAP_E, "winlog.opcode", .from = "system.Opcode", .limit = 64 },
	{ MAP_E, "winlog.keywords", .from = "system.Keywords", .limit = 64 },
	{ MAP_E, "winlog.version", .from = "system.Version", .as = AS_INT },
	{ MAP_E, "winlog.activity_id", .from = "system.Correlation_ActivityID", .limit = 64 },
	{ MAP_E, "winlog.related_activity_id", .from = "system.Correlation_RelatedActivityID", .limit = 64 },
	{ MAP_E, "winlog.process.pid", .from = "system.Execution_ProcessID", .as = AS_INT },
	{ MAP_E, "winlog.process.thread_id", .from = "system.Execution_ThreadID", .as = AS_INT },
	{ MAP_E, "winlog.user.sid", .from = "system.Security_UserID", .limit = 256 },
	{ MAP_E, "winlog.event_data.", .own = put_fields },
	{ MAP_ALL, "evmend.truncated", .own = put_truncated, .core = true }, /* last: it tells of all before it */
};

const size_t otlp_rows_n = sizeof otlp_rows / sizeof otlp_rows[0];

static void put_attributes(const struct facts *f, struct map_room *room, struct json_out *o)
{
	json_open(o, "attributes", '[');
	for (size_t i = 0; i < otlp_rows_n; i++) {
		const struct map_row *r = &otlp_rows[i];
		struct map_value v;

		if (r->own) {
			if (r->kinds & 1u << f->v->record->kind && (r->core || !room->core))
				r->own(f, r, room, o, r->to);
			continue;
		}
		map_value(f, r, room, &v);
		if (v.found != FOUND_NOTHING)
			put_value(o, r, &v, room);
	}
	json_close(o, ']');
}

static void put_nanos(struct json_out *o, const char *key, int64_t us)
{
	char digits[32];
	int n = us > 0 ? snprintf(digits, sizeof digits, "%" PRId64 "000", us) : 0;

	if (n > 0)
		json_put_strn(o, key, digits, (size_t)n);
}

static void write_otlp(const struct facts *f, struct map_room *room, struct buf *to)
{
	const char *says = f->text[FACT_SAYS];
	char name[40];
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	put_nanos(&o, "timeUnixNano", f->time);
	put_nanos(&o, "observedTimeUnixNano", f->v->record->time);
	json_put_int(&o, "severityNumber", f->severity->otlp);
	json_put_str(&o, "severityText", f->severity->word);
	(void)snprintf(name, sizeof name, "evmend.%s", f->v->kind);
	json_put_str(&o, "eventName", name);
	put_string(&o, "body", says, map_cut(says, strlen(says), 0, room));
	put_attributes(f, room, &o);
	json_close(&o, '}');
}

void format_otlp(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_otlp, max, to);
}

void otlp_resource(const struct record_view *v, struct buf *to)
{
	const struct {
		const char *key, *value;
	} attributes[] = { { "service.name", "evmend" }, { "service.version", EVMEND_VERSION }, { "host.name", v->host },
		{ "os.type", v->record->kind == RECORD_EVENT ? "windows" : "" } };
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_open(&o, "attributes", '[');
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		if (!*attributes[i].value)
			continue;
		json_open(&o, NULL, '{');
		json_put_str(&o, "key", attributes[i].key);
		put_string(&o, "value", attributes[i].value, utf8_cut(attributes[i].value, strlen(attributes[i].value), HOST_MOST));
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
}
