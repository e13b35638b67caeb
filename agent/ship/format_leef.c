/* format_leef.c - a record as IBM QRadar's Log Event Extended Format 2.0.
 *
 * Why: QRadar maps (EventID, cat) to what it knows and finds addresses, users and times under the predefined keys. Promises one line, pairs
 * parted by tabs, at most 50 of ours, keys of letters and digits. Refuses nothing: LEEF has no escapes, so tabs and line ends in values become
 * blanks and '|' in the header a '/'. */
#include "ship/formats.h"

#include <string.h>

#include "base/version.h"
#include "ship/mapping.h"

#define EVENT_ID_MAX 255 /* IBM, "LEEF event components" */

static void leef_value(struct buf *to, const char *s, size_t n)
{
	map_line(to, s, n, "");
}

static const struct map_row rows[] = {
	{ MAP_F, "cat", .fixed = "finding", .core = true },
	{ MAP_C, "cat", .fixed = "case", .core = true },
	{ MAP_N, "cat", .fixed = "refusal", .core = true },
	{ MAP_R, "cat", .fixed = "repair", .core = true },
	{ MAP_L, "cat", .fixed = "ledger", .core = true },
	{ MAP_A, "cat", .fixed = "agent", .core = true },
	{ MAP_E, "cat", .from = "channel", .limit = 255 },
	{ MAP_ALL, "devTime", .fact = FACT_TIME, .as = AS_MS, .core = true },
	{ MAP_ALL, "uid", .fact = FACT_UID, .core = true },
	{ MAP_ALL, "resource", .fact = FACT_HOST, .limit = 255, .core = true },
	{ MAP_ALL, "title", .fact = FACT_TITLE, .limit = 512 },
	{ MAP_ALL, "msg", .fact = FACT_SAYS, .limit = 1023 },
	{ MAP_ALL, "action", .fact = FACT_ACTION, .limit = 63 },
	{ MAP_ALL, "outcome", .fact = FACT_OUTCOME, .limit = 63 },
	{ MAP_F | MAP_C | MAP_A, "count", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "firstTime", .from = "first", .as = AS_MS },
	{ MAP_F | MAP_C | MAP_A, "lastTime", .from = "last", .as = AS_MS },
	{ MAP_F, "ruleTags", .from = "rule.tags", .as = AS_LIST, .limit = 256 },
	{ MAP_F | MAP_C, "cause", .from = "cause", .limit = 64 },
	{ MAP_F | MAP_C, "reportedBy", .from = "reported_by", .as = AS_LIST, .limit = 255 },
	{ MAP_F | MAP_C, "evmendUid", .from = "uid", .limit = 64 },
	{ MAP_C, "caseId", .from = "id", .as = AS_INT },
	{ MAP_HEAL, "caseId", .from = "case", .as = AS_INT },
	{ MAP_C, "state", .from = "state", .limit = 64 },
	{ MAP_C, "advice", .from = "advice", .limit = 1023 },
	{ MAP_C | MAP_HEAL, "ledgerSequence", .from = "seq", .as = AS_INT },
	{ MAP_N | MAP_R, "verdict", .from = "body.verdict", .limit = 255 },
	{ MAP_N | MAP_R, "plan", .from = "body.plan", .limit = 64 },
	{ MAP_N, "reason", .from = "body.reason", .limit = 255 },
	{ MAP_R, "repair", .from = "body.repair", .limit = 64 },
	{ MAP_R, "result", .from = "body.result", .limit = 64 },
	{ MAP_R, "accountName", .from = "body.by", .limit = 255 },
	{ MAP_R, "steps", .from = "body.steps", .as = AS_LIST, .limit = 512 },
	{ MAP_A, "reason", .from = "reason", .limit = 255 },
	{ MAP_A, "source", .from = "source", .limit = 255 },
	{ MAP_E, "eventId", .from = "event_id", .as = AS_INT },
	{ MAP_E, "provider", .from = "provider", .limit = 255 },
	{ MAP_E, "recordId", .from = "record_id", .as = AS_INT },
	{ MAP_E, "level", .from = "level", .as = AS_INT },
	{ MAP_E, "keywords", .from = "system.Keywords", .limit = 64 },
	{ MAP_E, "src", .from = "fields.IpAddress", .as = AS_IP, .sorts = SORT_LOGON },
	{ MAP_E, "srcPort", .from = "fields.IpPort", .as = AS_PORT, .sorts = SORT_LOGON },
	{ MAP_E, "workstation", .from = "fields.WorkstationName", .sorts = SORT_LOGON, .limit = 255 },
	{ MAP_E, "src", .from = "fields.SourceIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "srcPort", .from = "fields.SourcePort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "dst", .from = "fields.DestinationIp", .as = AS_IP, .sorts = SORT_SYSMON },
	{ MAP_E, "dstPort", .from = "fields.DestinationPort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "proto", .from = "fields.Protocol", .sorts = SORT_SYSMON, .limit = 31 },
	{ MAP_E, "usrName", .from = "fields.TargetUserName", .sorts = SORT_WITH_TARGET, .limit = 255 },
	{ MAP_E, "domain", .from = "fields.TargetDomainName", .sorts = SORT_WITH_TARGET, .limit = 255 },
	{ MAP_E, "usrName", .from = "fields.SubjectUserName", .sorts = SORT_PROCESS | SORT_EXIT | SORT_TASK, .limit = 255 },
	{ MAP_E, "domain", .from = "fields.SubjectDomainName", .sorts = SORT_PROCESS | SORT_EXIT | SORT_TASK, .limit = 255 },
	{ MAP_E, "usrName", .from = "fields.User", .sorts = SORT_SYSMON, .limit = 255 },
	{ MAP_E, "subjectUser", .from = "fields.SubjectUserName", .sorts = SORT_WITH_TARGET, .limit = 255 },
	{ MAP_E, "logonType", .from = "fields.LogonType", .sorts = SORT_LOGON, .limit = 16 },
	{ MAP_E, "process", .from = "fields.NewProcessName", .sorts = SORT_PROCESS, .limit = 1023 },
	{ MAP_E, "process", .from = "fields.Image", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "commandLine", .from = "fields.CommandLine", .sorts = SORT_PROCESS | SORT_SYSMON, .limit = 2048 },
	{ MAP_E, "serviceName", .from = "fields.ServiceName", .sorts = SORT_SERVICE, .limit = 255 },
};

const struct map_flat leef_flat = { "", "=", "\t", leef_value, "label", "", rows, sizeof rows / sizeof rows[0] };

static void write_leef(const struct facts *f, struct map_room *room, struct buf *to)
{
	size_t at;

	buf_str(to, "LEEF:2.0|evmend|evmend|" EVMEND_VERSION "|");
	at = to->n;
	map_line(to, f->text[FACT_CODE], map_cut(f->text[FACT_CODE], strlen(f->text[FACT_CODE]), EVENT_ID_MAX, room), "");
	for (; !to->refused && at < to->n; at++)
		if (to->p[at] == '|')
			to->p[at] = '/';
	buf_printf(to, "|0x09|sev=%d\t", f->severity->leef);
	map_pairs(f, &leef_flat, room, to);
	if (room->cut)
		map_pair(&leef_flat, "truncated", "1", 1, to);
	if (!to->refused)
		to->p[--to->n] = '\0'; /* the tab behind the last pair */
}

void format_leef(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_leef, max, to);
}
