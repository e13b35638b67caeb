/* format_ecs.c - a record as Elastic and OpenSearch search it: Elastic Common Schema 8.11.
 *
 * Why: dashboards, detections and correlation across products work on these names. Promises: names and kinds of values as the published
 * schema has them; what has no name there stands under `evmend`, fields of events under `winlog` as Winlogbeat writes them, all as texts, so
 * that no two documents disagree about the type of a field. Refuses nothing. */
#include "ship/formats.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ship/mapping.h"

#define ECS_VERSION "8.11.0"

enum { TACTIC_ID, TACTIC_NAME, TECHNIQUE, SUBTECHNIQUE };

/* The part of a tag that belongs into that list; NULL: none. */
static const char *part_of(const struct attack *a, int which, char to[static 16])
{
	bool sub = strchr(a->id, '.') != NULL;

	if (a->technique != (which == TECHNIQUE || which == SUBTECHNIQUE) || (which == SUBTECHNIQUE && !sub))
		return NULL;
	if (which == TACTIC_NAME)
		return a->name;
	text_copy(to, 16, a->id);
	if (which == TECHNIQUE)
		to[strcspn(to, ".")] = '\0';
	return to;
}

static bool put_attack(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *tags = facts_member(f, "rule.tags");
	bool any = false;

	(void)room;
	if (o)
		json_open(o, key, '[');
	for (size_t i = 0; i < json_len(tags) && i < 100; i++) {
		struct attack a;
		char text[16];
		const char *s = attack_parse(json_str(json_at(tags, i), ""), &a) ? part_of(&a, r->part, text) : NULL;

		if (s && o)
			json_put_str(o, NULL, s);
		any = any || s;
	}
	if (o)
		json_close(o, ']');
	return any;
}

static bool put_framework(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r, (void)room;
	if (o)
		json_put_str(o, key, "MITRE ATT&CK");
	return strcmp(f->text[FACT_CATEGORY], "intrusion_detection") == 0;
}

static bool put_severity(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r, (void)room;
	if (o)
		json_put_int(o, key, f->severity->cef);
	return true;
}

/* Names of hosts that the record speaks of, each once. */
static bool put_hosts(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *by = facts_member(f, "reported_by");
	size_t n = json_is_array(by) ? json_len(by) : 1;

	(void)r;
	if (!*f->text[FACT_HOST] || !o)
		return *f->text[FACT_HOST];
	json_open(o, key, '[');
	json_put_strn(o, NULL, f->text[FACT_HOST], utf8_cut(f->text[FACT_HOST], strlen(f->text[FACT_HOST]), room->text));
	for (size_t i = 0; i < n && i < room->items; i++) {
		const char *s = json_str(json_is_array(by) ? json_at(by, i) : by, "");

		if (*s && !text_same(s, f->text[FACT_HOST]))
			json_put_strn(o, NULL, s, utf8_cut(s, strlen(s), room->text));
	}
	json_close(o, ']');
	return true;
}

/* A name of a field of an event: a dot would make an object of it, and an empty one is refused. */
static const char *field_name(char to[static 128], const char *name, const struct json *fields)
{
	bool changed = false;
	size_t n;

	text_copy(to, 128, name);
	n = strlen(to);
	changed = n < strlen(name);
	to[utf8_cut(to, n, n)] = '\0';
	for (char *s = to; *s; s++)
		if (*s == '.') {
			*s = '_';
			changed = true;
		}
	if (!to[strspn(to, " ")])
		return text_copy(to, 128, "unnamed");
	if (changed && json_get(fields, to))
		return NULL;
	return to;
}

struct data {
	const struct json *fields;
	struct map_room *room;
	struct json_out *o;
	size_t left;
};

static int put_field(void *arg, const char *name, const struct json *value)
{
	struct data *d = arg;
	char text[128];
	const char *key = field_name(text, name, d->fields);

	if (!key)
		return 0;
	if (d->left == 0) {
		d->room->cut = true;
		return 1;
	}
	d->left--;
	if (json_is_string(value) || json_is_array(value))
		map_tree(d->o, key, value, d->room);
	return 0;
}

static bool put_event_data(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *fields = facts_member(f, "fields");
	struct data d = { fields, room, o, room->items };

	(void)r;
	if (o) {
		json_open(o, key, '{');
		json_each(fields, put_field, &d);
		json_close(o, '}');
	}
	return json_is_object(fields);
}

const struct map_row ecs_rows[] = {
	{ MAP_ALL, "@timestamp", .fact = FACT_TIME, .as = AS_TIME, .core = true },
	{ MAP_ALL, "ecs.version", .fixed = ECS_VERSION, .core = true },
	{ MAP_ALL, "message", .fact = FACT_SAYS, .core = true },
	{ MAP_ALL, "labels", .own = map_labels },
	{ MAP_F, "tags", .from = "rule.tags", .as = AS_LIST, .limit = 256 },
	{ MAP_F | MAP_C, "event.kind", .fixed = "alert", .core = true },
	{ MAP_ALL & ~(MAP_F | MAP_C), "event.kind", .fixed = "event", .core = true },
	{ MAP_ALL, "event.id", .fact = FACT_UID, .core = true },
	{ MAP_OURS, "event.module", .fixed = "evmend", .core = true },
	{ MAP_F, "event.dataset", .fixed = "evmend.finding", .core = true },
	{ MAP_C, "event.dataset", .fixed = "evmend.case", .core = true },
	{ MAP_N, "event.dataset", .fixed = "evmend.refusal", .core = true },
	{ MAP_R, "event.dataset", .fixed = "evmend.repair", .core = true },
	{ MAP_L, "event.dataset", .fixed = "evmend.ledger", .core = true },
	{ MAP_A, "event.dataset", .fixed = "evmend.agent", .core = true },
	{ MAP_E, "event.dataset", .fixed = "windows.forwarded", .core = true },
	{ MAP_ALL, "event.category", .fact = FACT_CATEGORY, .as = AS_WORDS },
	{ MAP_ALL, "event.type", .fact = FACT_TYPES, .as = AS_WORDS },
	{ MAP_ALL, "event.action", .fact = FACT_ACTION },
	{ MAP_ALL, "event.outcome", .fact = FACT_OUTCOME },
	{ MAP_OURS, "event.severity", .own = put_severity },
	{ MAP_E, "event.code", .from = "event_id" },
	{ MAP_E, "event.provider", .from = "provider", .limit = 1024 },
	{ MAP_OURS, "event.provider", .fixed = "evmend" },
	{ MAP_F | MAP_C | MAP_A, "event.start", .from = "first", .as = AS_TIME },
	{ MAP_F | MAP_C | MAP_A, "event.end", .from = "last", .as = AS_TIME },
	{ MAP_F, "event.reason", .from = "hint" },
	{ MAP_C, "event.reason", .from = "text" },
	{ MAP_N, "event.reason", .from = "body.why" },
	{ MAP_R, "event.reason", .from = "body.text" },
	{ MAP_C | MAP_HEAL, "event.sequence", .from = "seq", .as = AS_INT },
	{ MAP_ALL, "log.level", .fact = FACT_LEVEL },
	{ MAP_E | MAP_A, "log.file.path", .from = "source", .limit = 1024 },
	{ MAP_A, "error.message", .from = "reason" },
	{ MAP_ALL, "host.name", .fact = FACT_HOST, .limit = 1024, .core = true },
	{ MAP_ALL, "host.hostname", .fact = FACT_HOSTNAME },
	{ MAP_ALL, "agent.type", .fact = FACT_PRODUCT },
	{ MAP_ALL, "agent.version", .fact = FACT_VERSION },
	{ MAP_OURS, "observer.vendor", .fact = FACT_PRODUCT },
	{ MAP_OURS, "observer.product", .fact = FACT_PRODUCT },
	{ MAP_OURS, "observer.version", .fact = FACT_VERSION },
	{ MAP_F, "rule.id", .from = "rule.id", .limit = 1024, .core = true },
	{ MAP_F, "rule.name", .fact = FACT_TITLE, .limit = 1024 },
	{ MAP_A, "rule.id", .from = "rule", .limit = 1024 },
	{ MAP_A, "rule.name", .from = "title", .limit = 1024 },
	{ MAP_F, "rule.ruleset", .fixed = "sigma" },
	{ MAP_F, "threat.framework", .own = put_framework },
	{ MAP_F, "threat.tactic.id", .own = put_attack, .part = TACTIC_ID },
	{ MAP_F, "threat.tactic.name", .own = put_attack, .part = TACTIC_NAME },
	{ MAP_F, "threat.technique.id", .own = put_attack, .part = TECHNIQUE },
	{ MAP_F, "threat.technique.subtechnique.id", .own = put_attack, .part = SUBTECHNIQUE },
	{ MAP_ALL, "related.hosts", .own = put_hosts },
	/* events: who, from where, what */
	{ MAP_E, "user.name", .from = "fields.TargetUserName", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "user.domain", .from = "fields.TargetDomainName", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "user.id", .from = "fields.TargetUserSid", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "user.name", .from = "fields.SubjectUserName", .sorts = SORT_BY_SUBJECT, .limit = 1024 },
	{ MAP_E, "user.domain", .from = "fields.SubjectDomainName", .sorts = SORT_BY_SUBJECT, .limit = 1024 },
	{ MAP_E, "user.id", .from = "fields.SubjectUserSid", .sorts = SORT_BY_SUBJECT, .limit = 1024 },
	{ MAP_E, "user.target.name", .from = "fields.TargetUserName", .sorts = SORT_ACCOUNT, .limit = 1024 },
	{ MAP_E, "user.target.domain", .from = "fields.TargetDomainName", .sorts = SORT_ACCOUNT, .limit = 1024 },
	{ MAP_E, "user.target.id", .from = "fields.TargetSid", .sorts = SORT_ACCOUNT, .limit = 1024 },
	{ MAP_E, "user.name", .from = "fields.User", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "group.name", .from = "fields.TargetUserName", .sorts = SORT_GROUP, .limit = 1024 },
	{ MAP_E, "group.domain", .from = "fields.TargetDomainName", .sorts = SORT_GROUP, .limit = 1024 },
	{ MAP_E, "group.id", .from = "fields.TargetSid", .sorts = SORT_GROUP, .limit = 1024 },
	{ MAP_E, "source.ip", .from = "fields.IpAddress", .as = AS_IP, .sorts = SORT_LOGON },
	{ MAP_E, "source.port", .from = "fields.IpPort", .as = AS_PORT, .sorts = SORT_LOGON },
	{ MAP_E, "source.domain", .from = "fields.WorkstationName", .sorts = SORT_LOGON, .limit = 1024 },
	{ MAP_E, "source.ip", .from = "fields.SourceIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "source.port", .from = "fields.SourcePort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "source.domain", .from = "fields.SourceHostname", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "destination.ip", .from = "fields.DestinationIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "destination.port", .from = "fields.DestinationPort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "destination.domain", .from = "fields.DestinationHostname", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "network.transport", .from = "fields.Protocol", .sorts = SORT_SYSMON, .limit = 64 },
	{ MAP_E, "dns.question.name", .from = "fields.QueryName", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "process.executable", .from = "fields.NewProcessName", .sorts = SORT_PROCESS, .limit = 1024 },
	{ MAP_E, "process.pid", .from = "fields.NewProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "process.command_line", .from = "fields.CommandLine", .sorts = SORT_PROCESS | SORT_SYSMON },
	{ MAP_E, "process.executable", .from = "fields.ProcessName", .sorts = SORT_EXIT, .limit = 1024 },
	{ MAP_E, "process.pid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_EXIT | SORT_SYSMON },
	{ MAP_E, "process.executable", .from = "fields.Image", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "process.entity_id", .from = "fields.ProcessGuid", .sorts = SORT_SYSMON, .limit = 64 },
	{ MAP_E, "process.parent.executable", .from = "fields.ParentProcessName", .sorts = SORT_PROCESS, .limit = 1024 },
	{ MAP_E, "process.parent.pid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "process.parent.executable", .from = "fields.ParentImage", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "process.parent.pid", .from = "fields.ParentProcessId", .as = AS_INT, .sorts = SORT_SYSMON },
	{ MAP_E, "process.parent.command_line", .from = "fields.ParentCommandLine", .sorts = SORT_SYSMON },
	{ MAP_E, "file.path", .from = "fields.TargetFilename", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "registry.path", .from = "fields.TargetObject", .sorts = SORT_SYSMON, .limit = 1024 },
	{ MAP_E, "service.name", .from = "fields.ServiceName", .sorts = SORT_SERVICE, .limit = 1024 },
	/* events as Winlogbeat has them */
	{ MAP_E, "winlog.channel", .from = "channel", .limit = 1024 },
	{ MAP_E, "winlog.provider_name", .from = "provider", .limit = 1024 },
	{ MAP_E, "winlog.provider_guid", .from = "system.Provider_Guid", .limit = 64 },
	{ MAP_E, "winlog.event_id", .from = "event_id", .core = true },
	{ MAP_E, "winlog.record_id", .from = "record_id" },
	{ MAP_E, "winlog.computer_name", .from = "host", .limit = 1024 },
	{ MAP_E, "winlog.task", .from = "system.Task", .limit = 64 },
	{ MAP_E, "winlog.opcode", .from = "system.Opcode", .limit = 64 },
	{ MAP_E, "winlog.keywords", .from = "system.Keywords", .as = AS_LIST, .limit = 64 },
	{ MAP_E, "winlog.version", .from = "system.Version", .as = AS_INT },
	{ MAP_E, "winlog.activity_id", .from = "system.Correlation_ActivityID", .limit = 64 },
	{ MAP_E, "winlog.related_activity_id", .from = "system.Correlation_RelatedActivityID", .limit = 64 },
	{ MAP_E, "winlog.process.pid", .from = "system.Execution_ProcessID", .as = AS_INT },
	{ MAP_E, "winlog.process.thread.id", .from = "system.Execution_ThreadID", .as = AS_INT },
	{ MAP_E, "winlog.user.identifier", .from = "system.Security_UserID", .limit = 256 },
	{ MAP_E, "winlog.api", .fixed = "wineventlog" },
	{ MAP_E, "winlog.event_data", .own = put_event_data },
	/* what ECS has no name for */
	{ MAP_ALL, "evmend.kind", .fact = FACT_KIND, .core = true },
	{ MAP_ALL, "evmend.replay", .from = "replay", .as = AS_BOOL },
	{ MAP_F | MAP_C, "evmend.cause", .from = "cause", .limit = 64 },
	{ MAP_F | MAP_A | MAP_C, "evmend.count", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C, "evmend.reported_by", .from = "reported_by", .as = AS_LIST, .limit = 1024 },
	{ MAP_F, "evmend.finding.uid", .from = "uid", .limit = 64 },
	{ MAP_F, "evmend.finding.rule", .from = "rule.name", .limit = 1024 },
	{ MAP_F, "evmend.finding.evidence", .from = "evidence", .as = AS_TREE },
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
	{ MAP_R, "evmend.repair.snapshot", .from = "body.snapshot", .as = AS_JSON },
	{ MAP_L, "evmend.ledger.what", .from = "what", .limit = 64 },
	{ MAP_L, "evmend.ledger.body", .from = "body", .as = AS_JSON },
	{ MAP_A, "evmend.agent.what", .from = "kind", .limit = 64 },
	{ MAP_A, "evmend.agent.silence", .from = "silence", .as = AS_INT },
	{ MAP_A, "evmend.agent.since", .from = "since", .as = AS_TIME },
	{ MAP_A, "evmend.agent.until", .from = "until", .as = AS_TIME },
	{ MAP_A, "evmend.agent.offset", .from = "offset", .as = AS_INT },
	{ MAP_A, "evmend.agent.bytes", .from = "bytes", .limit = 1024 },
	{ MAP_ALL, "evmend.truncated", .own = map_truncated, .core = true }, /* last: it tells of all before it */
};

const size_t ecs_rows_n = sizeof ecs_rows / sizeof ecs_rows[0];

static void write_ecs(const struct facts *f, struct map_room *room, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	map_json(f, ecs_rows, ecs_rows_n, room, &o);
	json_close(&o, '}');
}

void format_ecs(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_ecs, max, to);
}
