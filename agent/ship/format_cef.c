/* format_cef.c - a record as ArcSight's Common Event Format, version 0.
 *
 * Why: ArcSight takes it, and Microsoft Sentinel's agent turns it into the table CommonSecurityLog. Promises one line; keys of the extension
 * dictionary (version 25) in its lengths, which are those that CommonSecurityLog has columns for; what has no key stands in cs1 to cs6 and
 * cn1 to cn3 with a label. Refuses nothing. */
#include "ship/formats.h"

#include <string.h>

#include "base/version.h"
#include "ship/mapping.h"

/* An extension's value: '\' and '=' are escaped, line ends written as \n and \r (CEF, "Character Encoding"). */
static void cef_value(struct buf *to, const char *s, size_t n)
{
	while (n && s[n - 1] == ' ')
		n--; /* no reader could tell them from the blank between two pairs */
	while (n) {
		size_t run = 0;

		while (run < n && s[run] != '\n' && s[run] != '\r')
			run++;
		map_line(to, s, run, "\\=");
		if (run < n) {
			buf_str(to, s[run] == '\n' ? "\\n" : "\\r");
			run++;
		}
		s += run;
		n -= run;
	}
}

static const struct map_row rows[] = {
	{ MAP_ALL, "rt", .fact = FACT_TIME, .as = AS_MS, .core = true },
	{ MAP_ALL, "dvchost", .fact = FACT_HOST, .limit = 100, .core = true },
	{ MAP_F, "cat", .fixed = "finding", .core = true },
	{ MAP_C, "cat", .fixed = "case", .core = true },
	{ MAP_N, "cat", .fixed = "refusal", .core = true },
	{ MAP_R, "cat", .fixed = "repair", .core = true },
	{ MAP_L, "cat", .fixed = "ledger", .core = true },
	{ MAP_A, "cat", .fixed = "agent", .core = true },
	{ MAP_E, "cat", .from = "channel", .limit = 1023 },
	{ MAP_ALL, "act", .fact = FACT_ACTION, .limit = 63 },
	{ MAP_ALL, "outcome", .fact = FACT_OUTCOME, .limit = 63 },
	{ MAP_F | MAP_C | MAP_A, "cnt", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "start", .from = "first", .as = AS_MS },
	{ MAP_F | MAP_C | MAP_A, "end", .from = "last", .as = AS_MS },
	{ MAP_E, "externalId", .from = "record_id", .limit = 40 },
	{ MAP_C, "externalId", .from = "id", .limit = 40 },
	{ MAP_HEAL, "externalId", .from = "case", .limit = 40 },
	{ MAP_ALL, "msg", .fact = FACT_SAYS, .limit = 1023 },
	{ MAP_N, "reason", .from = "body.reason", .limit = 1023 },
	{ MAP_A, "reason", .from = "reason", .limit = 1023 },
	{ MAP_E, "reason", .from = "fields.SubStatus", .sorts = SORT_LOGON, .limit = 1023 },
	{ MAP_R, "suser", .from = "body.by", .limit = 1023 },
	{ MAP_A, "filePath", .from = "source", .limit = 1023 },
	/* events: who, from where, what */
	{ MAP_E, "src", .from = "fields.IpAddress", .as = AS_IP4, .sorts = SORT_LOGON },
	{ MAP_E, "c6a2", .from = "fields.IpAddress", .as = AS_IP6, .sorts = SORT_LOGON, .label = "Source IPv6 Address" },
	{ MAP_E, "spt", .from = "fields.IpPort", .as = AS_PORT, .sorts = SORT_LOGON },
	{ MAP_E, "shost", .from = "fields.WorkstationName", .sorts = SORT_LOGON, .limit = 1023 },
	{ MAP_E, "src", .from = "fields.SourceIp", .as = AS_IP4, .sorts = SORT_SYSMON },
	{ MAP_E, "c6a2", .from = "fields.SourceIp", .as = AS_IP6, .sorts = SORT_SYSMON, .label = "Source IPv6 Address" },
	{ MAP_E, "spt", .from = "fields.SourcePort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "shost", .from = "fields.SourceHostname", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "dst", .from = "fields.DestinationIp", .as = AS_IP4, .sorts = SORT_SYSMON },
	{ MAP_E, "c6a3", .from = "fields.DestinationIp", .as = AS_IP6, .sorts = SORT_SYSMON, .label = "Destination IPv6 Address" },
	{ MAP_E, "dpt", .from = "fields.DestinationPort", .as = AS_PORT, .sorts = SORT_SYSMON },
	{ MAP_E, "dhost", .from = "fields.DestinationHostname", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "proto", .from = "fields.Protocol", .sorts = SORT_SYSMON, .limit = 31 },
	{ MAP_E, "suser", .from = "fields.SubjectUserName", .sorts = SORT_WITH_SUBJECT, .limit = 1023 },
	{ MAP_E, "sntdom", .from = "fields.SubjectDomainName", .sorts = SORT_WITH_SUBJECT, .limit = 255 },
	{ MAP_E, "suid", .from = "fields.SubjectUserSid", .sorts = SORT_WITH_SUBJECT, .limit = 1023 },
	{ MAP_E, "suser", .from = "fields.User", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "duser", .from = "fields.TargetUserName", .sorts = SORT_WITH_TARGET, .limit = 1023 },
	{ MAP_E, "dntdom", .from = "fields.TargetDomainName", .sorts = SORT_WITH_TARGET, .limit = 255 },
	{ MAP_E, "duid", .from = "fields.TargetUserSid", .sorts = SORT_LOGON, .limit = 1023 },
	{ MAP_E, "duid", .from = "fields.TargetSid", .sorts = SORT_ACCOUNT | SORT_GROUP, .limit = 1023 },
	{ MAP_E, "dproc", .from = "fields.NewProcessName", .sorts = SORT_PROCESS, .limit = 1023 },
	{ MAP_E, "dpid", .from = "fields.NewProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "sproc", .from = "fields.ParentProcessName", .sorts = SORT_PROCESS, .limit = 1023 },
	{ MAP_E, "spid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_PROCESS },
	{ MAP_E, "dproc", .from = "fields.ProcessName", .sorts = SORT_EXIT, .limit = 1023 },
	{ MAP_E, "dproc", .from = "fields.Image", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "dpid", .from = "fields.ProcessId", .as = AS_INT, .sorts = SORT_EXIT | SORT_SYSMON },
	{ MAP_E, "sproc", .from = "fields.ParentImage", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "spid", .from = "fields.ParentProcessId", .as = AS_INT, .sorts = SORT_SYSMON },
	{ MAP_E, "fileHash", .from = "fields.Hashes", .sorts = SORT_SYSMON, .limit = 255 },
	{ MAP_E, "filePath", .from = "fields.TargetFilename", .sorts = SORT_SYSMON, .limit = 1023 },
	{ MAP_E, "destinationServiceName", .from = "fields.ServiceName", .sorts = SORT_SERVICE, .limit = 1023 },
	/* what has no key */
	{ MAP_F, "cs1", .from = "rule.tags", .as = AS_LIST, .limit = 256, .label = "tags" },
	{ MAP_C, "cs1", .from = "state", .limit = 4000, .label = "state" },
	{ MAP_N | MAP_R, "cs1", .from = "body.verdict", .limit = 4000, .label = "verdict" },
	{ MAP_E, "cs1", .from = "provider", .limit = 4000, .label = "provider" },
	{ MAP_F | MAP_C, "cs2", .from = "cause", .limit = 4000, .label = "cause" },
	{ MAP_R, "cs2", .from = "body.result", .limit = 4000, .label = "result" },
	{ MAP_E, "cs2", .from = "fields.LogonType", .sorts = SORT_LOGON, .limit = 4000, .label = "logonType" },
	{ MAP_E, "cs3", .from = "fields.CommandLine", .sorts = SORT_PROCESS | SORT_SYSMON, .limit = 4000, .label = "commandLine" },
	{ MAP_F | MAP_C, "cs3", .from = "reported_by", .as = AS_LIST, .limit = 256, .label = "reportedBy" },
	{ MAP_N | MAP_R, "cs3", .from = "body.plan", .limit = 4000, .label = "plan" },
	{ MAP_C, "cs4", .from = "advice", .limit = 4000, .label = "advice" },
	{ MAP_R, "cs4", .from = "body.steps", .as = AS_LIST, .limit = 512, .label = "steps" },
	{ MAP_E, "cs4", .from = "system.Keywords", .limit = 4000, .label = "keywords" },
	{ MAP_F | MAP_C, "cs5", .from = "uid", .limit = 4000, .label = "evmendUid" },
	{ MAP_R, "cs5", .from = "body.repair", .limit = 4000, .label = "repair" },
	{ MAP_E, "cs5", .from = "system.Correlation_ActivityID", .limit = 4000, .label = "activityId" },
	{ MAP_ALL, "cs6", .fact = FACT_UID, .core = true, .label = "uid" },
	{ MAP_C | MAP_HEAL, "cn1", .from = "seq", .as = AS_INT, .label = "ledgerSequence" },
	{ MAP_E, "cn1", .from = "level", .as = AS_INT, .label = "level" },
	{ MAP_E, "cn2", .from = "event_id", .as = AS_INT, .label = "eventId" },
};

const struct map_flat cef_flat = { "", "=", " ", cef_value, "evmendLabel", "_", rows, sizeof rows / sizeof rows[0] };

/* A field of the header: '|' and '\' are escaped, and it has no line ends. */
static void head_field(struct buf *to, const char *s, size_t limit, struct map_room *room)
{
	size_t n = map_cut(s, strlen(s), limit, room);

	buf_char(to, '|');
	map_line(to, s, n, "\\|");
	if (n && s[n - 1] == '\\')
		buf_char(to, ' '); /* many readers take "\\|" for an escaped '|' */
}

static void write_cef(const struct facts *f, struct map_room *room, struct buf *to)
{
	buf_str(to, "CEF:0|evmend|evmend|" EVMEND_VERSION);
	head_field(to, f->text[FACT_CODE], 1023, room);
	head_field(to, f->text[FACT_TITLE], 512, room);
	buf_printf(to, "|%d|", f->severity->cef);
	map_pairs(f, &cef_flat, room, to);
	if (room->cut)
		map_pair(&cef_flat, "evmendTruncated", "1", 1, to);
	if (!to->refused)
		to->p[--to->n] = '\0'; /* the blank behind the last pair */
}

void format_cef(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_cef, max, to);
}
