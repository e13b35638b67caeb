/* format_ocsf.c - a record as the Open Cybersecurity Schema Framework has it, version 1.3.0.
 *
 * Why: data lakes and newer SIEMs search by its classes. Promises what is required of each class: a finding and a case are a Detection Finding
 * (2004), a repair and its refusal a Remediation Activity (7001), everything else a Base Event (0); what the class has no attribute for stands
 * under `unmapped`. Refuses nothing. */
#include "ship/formats.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ship/mapping.h"

#define OCSF_VERSION "1.3.0"

#define MAP_DETECTION (MAP_F | MAP_C)
#define MAP_REMEDY (MAP_N | MAP_R)
#define MAP_BASE (MAP_L | MAP_A | MAP_E)

enum { CLASS_BASE = 0, CLASS_DETECTION = 2004, CLASS_REMEDIATION = 7001, OTHER = 99 };
enum { CREATE = 1, UPDATE = 2, CLOSE = 3, RESTORE = 3 };

struct classified {
	int class_uid, activity;
	const char *activity_name;
	int status; /* -1: the class has none to tell */
	const char *status_name;
};

/* Where a case stands, as activity and status of a finding. */
static void classify_case(const struct facts *f, struct classified *c)
{
	const char *state = json_str(facts_member(f, "state"), "");
	bool ended = !strcmp(state, "healed") || !strcmp(state, "refuted") || !strcmp(state, "closed");
	bool opened = !strcmp(state, "open");

	*c = (struct classified){ CLASS_DETECTION, ended ? CLOSE : opened ? CREATE : UPDATE, ended ? "Close" : opened ? "Create" : "Update",
		ended ? 4 : opened ? 1 : 2, ended ? "Resolved" : opened ? "New" : "In Progress" };
}

static void classify_repair(const struct facts *f, struct classified *c)
{
	const char *result = json_str(facts_member(f, "body.result"), "");
	bool healed = !strcmp(result, "healed");

	*c = (struct classified){ CLASS_REMEDIATION, RESTORE, "Restore", healed ? 1 : 2, healed ? "Success" : "Failure" };
	if (!*result) {
		c->status = OTHER;
		c->status_name = "In Progress";
	}
}

static void classify(const struct facts *f, struct classified *c)
{
	switch (f->v->record->kind) {
	case RECORD_FINDING:
		*c = (struct classified){ CLASS_DETECTION, CREATE, "Create", 1, "New" };
		break;
	case RECORD_CASE:
		classify_case(f, c);
		break;
	case RECORD_REFUSAL:
		*c = (struct classified){ CLASS_REMEDIATION, RESTORE, "Restore", OTHER, "Refused" };
		break;
	case RECORD_REPAIR:
		classify_repair(f, c);
		break;
	default:
		*c = (struct classified){ CLASS_BASE, OTHER, f->text[FACT_TITLE], -1, NULL };
		if (*f->text[FACT_OUTCOME]) {
			c->status = !strcmp(f->text[FACT_OUTCOME], "success") ? 1 : 2;
			c->status_name = c->status == 1 ? "Success" : "Failure";
		}
		break;
	}
}

enum { ACTIVITY_ID, ACTIVITY_NAME, CLASS_UID, CATEGORY_UID, TYPE_UID, SEVERITY_ID, STATUS_ID, STATUS };

static bool put_class(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	struct classified c;

	classify(f, &c);
	if (!o)
		return c.status >= 0 || (r->part != STATUS_ID && r->part != STATUS);
	if (r->part == ACTIVITY_NAME) {
		json_put_strn(o, key, c.activity_name, map_cut(c.activity_name, strlen(c.activity_name), 0, room));
	} else if (r->part == STATUS) {
		json_put_str(o, key, c.status_name);
	} else {
		const int64_t numbers[] = { [ACTIVITY_ID] = c.activity, [CLASS_UID] = c.class_uid, [CATEGORY_UID] = c.class_uid / 1000,
			[TYPE_UID] = (int64_t)c.class_uid * 100 + c.activity, [SEVERITY_ID] = f->severity->ocsf, [STATUS_ID] = c.status };

		json_put_int(o, key, numbers[r->part]);
	}
	return true;
}

/* An object with one text. */
static void put_named(struct json_out *o, const char *key, const char *name, const char *value)
{
	json_open(o, key, '{');
	json_put_str(o, name, value);
	json_close(o, '}');
}

static void put_one_attack(struct json_out *o, const struct attack *a)
{
	char base[16];

	json_open(o, NULL, '{');
	if (a->technique) {
		text_copy(base, sizeof base, a->id);
		base[strcspn(base, ".")] = '\0';
		put_named(o, "technique", "uid", base);
		if (strchr(a->id, '.'))
			put_named(o, "sub_technique", "uid", a->id);
	} else {
		json_open(o, "tactic", '{');
		json_put_str(o, "uid", a->id);
		json_put_str(o, "name", a->name);
		json_close(o, '}');
	}
	json_close(o, '}');
}

static bool put_attacks(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *tags = facts_member(f, "rule.tags");
	struct attack a;

	(void)r;
	if (!o)
		return !strcmp(f->text[FACT_CATEGORY], "intrusion_detection");
	json_open(o, key, '[');
	for (size_t i = 0; i < json_len(tags) && i < room->items; i++)
		if (attack_parse(json_str(json_at(tags, i), ""), &a))
			put_one_attack(o, &a);
	json_close(o, ']');
	return true;
}

/* The findings of a case. */
static bool put_related(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *list = facts_member(f, "findings");

	(void)r;
	if (!o)
		return json_len(list) > 0;
	json_open(o, key, '[');
	for (size_t i = 0; i < json_len(list) && i < room->items; i++) {
		size_t n;
		const char *s = map_item(list, i, 64, room, &n);

		json_open(o, NULL, '{');
		json_put_strn(o, "uid", s, n);
		json_put_int(o, "type_uid", CLASS_DETECTION * 100 + CREATE);
		json_close(o, '}');
	}
	room->cut = room->cut || json_len(list) > room->items;
	json_close(o, ']');
	return true;
}

static bool put_evidences(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *list = facts_member(f, "evidence");

	(void)r;
	if (!o)
		return json_len(list) > 0;
	json_open(o, key, '[');
	for (size_t i = 0; i < json_len(list) && i < room->items; i++) {
		json_open(o, NULL, '{');
		map_tree(o, "data", json_at(list, i), room);
		json_close(o, '}');
	}
	room->cut = room->cut || json_len(list) > room->items;
	json_close(o, ']');
	return true;
}

/* The host: as a device, and as the resource that the finding is about. */
static void put_host(const struct facts *f, const char *name, struct map_room *room, struct json_out *o)
{
	const char *host = f->text[FACT_HOST];

	json_put_strn(o, name, host, map_cut(host, strlen(host), 1024, room));
}

static bool put_device(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r;
	if (!o || !*f->text[FACT_HOST])
		return *f->text[FACT_HOST];
	json_open(o, key, '{');
	put_host(f, "hostname", room, o);
	json_put_int(o, "type_id", 0);
	json_open(o, "os", '{');
	json_put_str(o, "name", "Windows");
	json_put_int(o, "type_id", 100);
	json_close(o, '}');
	json_close(o, '}');
	return true;
}

static bool put_resources(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r;
	if (!o || !*f->text[FACT_HOST])
		return *f->text[FACT_HOST];
	json_open(o, key, '[');
	json_open(o, NULL, '{');
	json_put_str(o, "type", "host");
	put_host(f, "name", room, o);
	json_close(o, '}');
	json_close(o, ']');
	return true;
}

static bool put_countermeasures(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)f, (void)r, (void)room;
	if (o) {
		json_open(o, key, '[');
		json_open(o, NULL, '{');
		put_named(o, "d3f_tactic", "name", "Restore");
		json_close(o, '}');
		json_close(o, ']');
	}
	return true;
}

/* command_uid is required: the repair's token, else the plan that was refused, else the record's own uid. */
static bool put_command(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const char *s = json_str(facts_member(f, "body.repair"), json_str(facts_member(f, "body.plan"), f->text[FACT_UID]));
	struct map_room wide = { .text = 64 };

	(void)r, (void)room;
	if (o)
		json_put_strn(o, key, s, map_cut(s, strlen(s), 64, &wide));
	return true;
}

/* finding_info.uid is required too. */
static bool put_finding_uid(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const char *s = json_str(facts_member(f, "uid"), f->text[FACT_UID]);
	struct map_room wide = { .text = 64 };

	(void)r, (void)room;
	if (o)
		json_put_strn(o, key, s, map_cut(s, strlen(s), 64, &wide));
	return true;
}

static bool put_steps(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	const struct json *list = facts_member(f, "body.steps");
	struct buf b;

	(void)r;
	if (!o)
		return json_len(list) > 0;
	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < json_len(list) && i < room->items; i++) {
		buf_str(&b, i ? "; " : "");
		buf_str(&b, json_str(json_at(list, i), ""));
	}
	json_put_strn(o, key, buf_text(&b), map_cut(buf_text(&b), b.n, 0, room));
	buf_free(&b);
	return true;
}

/* metadata.labels is a list of texts. */
static int put_label(void *arg, const char *name, const char *value)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_printf(&b, "%s:%s", name, value);
	json_put_str(arg, NULL, buf_text(&b));
	buf_free(&b);
	return 0;
}

static bool put_labels(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r, (void)room;
	if (o) {
		json_open(o, key, '[');
		view_labels(f->v, f->sink->labels, f->sink->n_labels, put_label, o);
		json_close(o, ']');
	}
	return f->v->labels || f->sink->n_labels;
}

static bool put_profiles(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key)
{
	(void)r, (void)room;
	if (o) {
		json_open(o, key, '[');
		json_put_str(o, NULL, "host");
		json_close(o, ']');
	}
	return *f->text[FACT_HOST];
}

const struct map_row ocsf_rows[] = {
	{ MAP_ALL, "class_uid", .own = put_class, .part = CLASS_UID, .core = true },
	{ MAP_ALL, "category_uid", .own = put_class, .part = CATEGORY_UID, .core = true },
	{ MAP_ALL, "activity_id", .own = put_class, .part = ACTIVITY_ID, .core = true },
	{ MAP_ALL, "activity_name", .own = put_class, .part = ACTIVITY_NAME },
	{ MAP_ALL, "type_uid", .own = put_class, .part = TYPE_UID, .core = true },
	{ MAP_ALL, "severity_id", .own = put_class, .part = SEVERITY_ID, .core = true },
	{ MAP_ALL, "severity", .fact = FACT_LEVEL },
	{ MAP_ALL, "status_id", .own = put_class, .part = STATUS_ID },
	{ MAP_ALL, "status", .own = put_class, .part = STATUS },
	{ MAP_C, "status_detail", .from = "text" },
	{ MAP_N, "status_detail", .from = "body.why" },
	{ MAP_R, "status_detail", .from = "body.text" },
	{ MAP_ALL, "time", .fact = FACT_TIME, .as = AS_MS, .core = true },
	{ MAP_F | MAP_C | MAP_A, "start_time", .from = "first", .as = AS_MS },
	{ MAP_F | MAP_C | MAP_A, "end_time", .from = "last", .as = AS_MS },
	{ MAP_F | MAP_C | MAP_A, "count", .from = "count", .as = AS_INT },
	{ MAP_ALL, "message", .fact = FACT_SAYS, .core = true },
	{ MAP_ALL, "metadata.version", .fixed = OCSF_VERSION, .core = true },
	{ MAP_ALL, "metadata.uid", .fact = FACT_UID, .core = true },
	{ MAP_ALL, "metadata.product.name", .fact = FACT_PRODUCT, .core = true },
	{ MAP_ALL, "metadata.product.vendor_name", .fact = FACT_PRODUCT, .core = true },
	{ MAP_ALL, "metadata.product.version", .fact = FACT_VERSION, .core = true },
	{ MAP_ALL, "metadata.event_code", .fact = FACT_CODE },
	{ MAP_E, "metadata.log_name", .from = "channel" },
	{ MAP_E, "metadata.log_provider", .from = "provider" },
	{ MAP_OURS, "metadata.log_provider", .fact = FACT_PRODUCT },
	{ MAP_OURS, "metadata.log_name", .fact = FACT_KIND },
	{ MAP_ALL, "metadata.original_time", .fact = FACT_TIME },
	{ MAP_C | MAP_HEAL, "metadata.sequence", .from = "seq", .as = AS_INT },
	{ MAP_C, "metadata.correlation_uid", .from = "id" },
	{ MAP_HEAL, "metadata.correlation_uid", .from = "case" },
	{ MAP_ALL, "metadata.labels", .own = put_labels },
	{ MAP_DETECTION | MAP_REMEDY, "metadata.profiles", .own = put_profiles },
	{ MAP_DETECTION | MAP_REMEDY, "device", .own = put_device },
	{ MAP_DETECTION, "finding_info.uid", .own = put_finding_uid, .core = true },
	{ MAP_DETECTION, "finding_info.title", .fact = FACT_TITLE, .core = true },
	{ MAP_DETECTION, "finding_info.desc", .from = "hint" },
	{ MAP_F, "finding_info.created_time", .fact = FACT_TIME, .as = AS_MS },
	{ MAP_C, "finding_info.created_time", .from = "opened", .as = AS_MS },
	{ MAP_DETECTION, "finding_info.first_seen_time", .from = "first", .as = AS_MS },
	{ MAP_DETECTION, "finding_info.last_seen_time", .from = "last", .as = AS_MS },
	{ MAP_F, "finding_info.analytic.uid", .fact = FACT_CODE },
	{ MAP_F, "finding_info.analytic.name", .from = "rule.title" },
	{ MAP_F, "finding_info.analytic.type", .fixed = "Rule" },
	{ MAP_F, "finding_info.analytic.type_id", .fixed = "1", .as = AS_INT },
	{ MAP_F, "finding_info.attacks", .own = put_attacks },
	{ MAP_C, "finding_info.related_events", .own = put_related },
	{ MAP_F, "evidences", .own = put_evidences },
	{ MAP_DETECTION, "resources", .own = put_resources },
	{ MAP_C, "remediation.desc", .from = "advice" },
	{ MAP_R, "remediation.desc", .own = put_steps },
	{ MAP_REMEDY, "command_uid", .own = put_command, .core = true },
	{ MAP_REMEDY, "countermeasures", .own = put_countermeasures },
	{ MAP_ALL, "unmapped.kind", .fact = FACT_KIND, .core = true },
	{ MAP_BASE, "unmapped.host", .fact = FACT_HOST, .core = true },
	{ MAP_ALL, "unmapped.replay", .from = "replay", .as = AS_BOOL },
	{ MAP_DETECTION, "unmapped.cause", .from = "cause" },
	{ MAP_DETECTION, "unmapped.reported_by", .from = "reported_by", .as = AS_LIST },
	{ MAP_F, "unmapped.tags", .from = "rule.tags", .as = AS_LIST },
	{ MAP_C, "unmapped.state", .from = "state" },
	{ MAP_C, "unmapped.asks", .from = "asks" },
	{ MAP_C, "unmapped.verdict", .from = "verdict" },
	{ MAP_C, "unmapped.approve", .from = "approve" },
	{ MAP_C, "unmapped.approval_until", .from = "approval_until", .as = AS_TIME },
	{ MAP_REMEDY, "unmapped.verdict", .from = "body.verdict" },
	{ MAP_N, "unmapped.reason", .from = "body.reason" },
	{ MAP_REMEDY, "unmapped.plan", .from = "body.plan" },
	{ MAP_R, "unmapped.what", .from = "what" },
	{ MAP_R, "unmapped.by", .from = "body.by" },
	{ MAP_R, "unmapped.result", .from = "body.result" },
	{ MAP_R, "unmapped.proof_ok", .from = "body.proof.ok", .as = AS_BOOL },
	{ MAP_R, "unmapped.proof", .from = "body.proof.summary" },
	{ MAP_L, "unmapped.what", .from = "what" },
	{ MAP_L, "unmapped.body", .from = "body", .as = AS_JSON },
	{ MAP_A, "unmapped.what", .from = "kind" },
	{ MAP_A, "unmapped.rule", .from = "rule" },
	{ MAP_A, "unmapped.title", .from = "title" },
	{ MAP_A, "unmapped.reason", .from = "reason" },
	{ MAP_A, "unmapped.bytes", .from = "bytes" },
	{ MAP_A | MAP_E, "unmapped.source", .from = "source" },
	{ MAP_A, "unmapped.since", .from = "since", .as = AS_TIME },
	{ MAP_A, "unmapped.until", .from = "until", .as = AS_TIME },
	{ MAP_E, "unmapped.event_id", .from = "event_id", .as = AS_INT },
	{ MAP_E, "unmapped.record_id", .from = "record_id", .as = AS_INT },
	{ MAP_E, "unmapped.level", .from = "level", .as = AS_INT },
	{ MAP_E, "unmapped.system", .from = "system", .as = AS_TREE },
	{ MAP_E, "unmapped.fields", .from = "fields", .as = AS_TREE },
	{ MAP_ALL, "unmapped.truncated", .own = map_truncated, .core = true }, /* last: it tells of all before it */
};

const size_t ocsf_rows_n = sizeof ocsf_rows / sizeof ocsf_rows[0];

static void write_ocsf(const struct facts *f, struct map_room *room, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	map_json(f, ocsf_rows, ocsf_rows_n, room, &o);
	json_close(&o, '}');
}

void format_ocsf(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_ocsf, max, to);
}
