/* event_kinds.c - the events whose fields other schemas have names for.
 *
 * Why: "TargetUserName" is who logged on in 4624, whose password was set in 4724 and a group in 4732; a field can be mapped only where it is
 * known what it means. Promises actions and categories as Winlogbeat's modules "security" and "sysmon" give them. Refuses guesses: every other
 * event keeps its fields under their own names. */
#include <string.h>

#include "ship/facts.h"

#define SECURITY "Microsoft-Windows-Security-Auditing"
#define EVENTLOG "Microsoft-Windows-Eventlog"
#define SYSMON "Microsoft-Windows-Sysmon"

static const struct event_kind kinds[] = {
	{ SECURITY, 4624, SORT_LOGON, "authentication", "start", "logged-in" },
	{ SECURITY, 4625, SORT_LOGON, "authentication", "start", "logon-failed" },
	{ SECURITY, 4634, SORT_LOGON, "authentication", "end", "logged-out" },
	{ SECURITY, 4647, SORT_LOGON, "authentication", "end", "logged-out" },
	{ SECURITY, 4648, SORT_LOGON, "authentication", "start", "logged-in-explicit" },
	{ SECURITY, 4688, SORT_PROCESS, "process", "start", "created-process" },
	{ SECURITY, 4689, SORT_EXIT, "process", "end", "exited-process" },
	{ SECURITY, 4697, SORT_SERVICE, "configuration", "creation", "service-installed" },
	{ SECURITY, 4698, SORT_TASK, "configuration", "creation", "scheduled-task-created" },
	{ SECURITY, 4699, SORT_TASK, "configuration", "deletion", "scheduled-task-deleted" },
	{ SECURITY, 4702, SORT_TASK, "configuration", "change", "scheduled-task-updated" },
	{ SECURITY, 4720, SORT_ACCOUNT, "iam", "user,creation", "added-user-account" },
	{ SECURITY, 4722, SORT_ACCOUNT, "iam", "user,change", "enabled-user-account" },
	{ SECURITY, 4723, SORT_ACCOUNT, "iam", "user,change", "changed-password" },
	{ SECURITY, 4724, SORT_ACCOUNT, "iam", "user,change", "reset-password" },
	{ SECURITY, 4725, SORT_ACCOUNT, "iam", "user,change", "disabled-user-account" },
	{ SECURITY, 4726, SORT_ACCOUNT, "iam", "user,deletion", "deleted-user-account" },
	{ SECURITY, 4728, SORT_GROUP, "iam", "group,change", "added-member-to-group" },
	{ SECURITY, 4729, SORT_GROUP, "iam", "group,change", "removed-member-from-group" },
	{ SECURITY, 4732, SORT_GROUP, "iam", "group,change", "added-member-to-group" },
	{ SECURITY, 4733, SORT_GROUP, "iam", "group,change", "removed-member-from-group" },
	{ SECURITY, 4738, SORT_ACCOUNT, "iam", "user,change", "modified-user-account" },
	{ SECURITY, 4740, SORT_ACCOUNT, "iam", "user,change", "locked-out-user-account" },
	{ SECURITY, 4756, SORT_GROUP, "iam", "group,change", "added-member-to-group" },
	{ SECURITY, 4757, SORT_GROUP, "iam", "group,change", "removed-member-from-group" },
	{ SECURITY, 4767, SORT_ACCOUNT, "iam", "user,change", "unlocked-user-account" },
	{ SECURITY, 4768, SORT_LOGON, "authentication", "start", "kerberos-authentication-ticket-requested" },
	{ SECURITY, 4769, SORT_LOGON, "authentication", "start", "kerberos-service-ticket-requested" },
	{ SECURITY, 4776, SORT_LOGON, "authentication", "start", "credential-validated" },
	{ EVENTLOG, 104, 0, "iam", "admin,change", "eventlog-cleared" },
	{ EVENTLOG, 1102, 0, "iam", "admin,change", "audit-log-cleared" },
	{ "Service Control Manager", 7045, SORT_SERVICE, "configuration", "creation", "service-installed" },
	{ SYSMON, 1, SORT_SYSMON, "process", "start", "Process creation" },
	{ SYSMON, 3, SORT_SYSMON, "network", "start,connection,protocol", "Network connection detected" },
	{ SYSMON, 5, SORT_SYSMON, "process", "end", "Process terminated" },
	{ SYSMON, 11, SORT_SYSMON, "file", "creation", "File created" },
	{ SYSMON, 12, SORT_SYSMON, "configuration,registry", "change", "Registry object added or deleted" },
	{ SYSMON, 13, SORT_SYSMON, "configuration,registry", "change", "Registry value set" },
	{ SYSMON, 22, SORT_SYSMON, "network", "connection,protocol,info", "Dns query" },
	{ SYSMON, 23, SORT_SYSMON, "file", "deletion", "File Delete archived" },
};

const struct event_kind *event_kind_of(const struct record_view *v)
{
	const char *provider = json_str(json_get(v->json, "provider"), "");
	int64_t id = json_int(json_get(v->json, "event_id"), -1);

	for (size_t i = 0; v->record->kind == RECORD_EVENT && i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].id == id && !strcmp(kinds[i].provider, provider))
			return &kinds[i];
	return NULL;
}
