/* lint_fields.c - fields that the events of a rule cannot have, and ids that many programs share.
 *
 * Why: a misspelt or foreign field name is no error in Sigma; the rule just never matches, or its filter never filters.
 * Promises: speaks only where the list of fields is closed: Sysmon's events (its manifest, schema 4.90) with Security 4688 for process
 * creations, and PowerShell's 4103 and 4104. Case does not count.
 * Refuses: to judge other logsources; whoever adds a field to them need not tell us. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/lint/lint_inside.h"

#define NAMES 64 /* fields of one category, with those of every event */

static const char *const every_event = "EventID EventID_Qualifiers Provider_Name ProviderName Provider_Guid Provider_EventSourceName Version "
	"Level Task Opcode Keywords EventRecordID Channel Computer ComputerLabel ComputerDomain TimeCreated TimeCreated_SystemTime "
	"Correlation_ActivityID Correlation_RelatedActivityID Execution_ProcessID Execution_ThreadID Security_UserID UserID";

#define PROCESS "RuleName UtcTime ProcessGuid ProcessId Image User"
#define FILE_EVENT PROCESS " TargetFilename"
#define REGISTRY PROCESS " EventType TargetObject"
#define SIGNED "ImageLoaded Hashes Signed Signature SignatureStatus"
#define VERSION "FileVersion Description Product Company OriginalFileName"
#define SOURCE_TARGET "RuleName UtcTime SourceProcessGuid SourceProcessId SourceImage TargetProcessGuid TargetProcessId TargetImage " \
	"SourceUser TargetUser"

static const struct {
	const char *category, *fields;
} known[] = {
	{"process_creation", PROCESS " " VERSION " CommandLine CurrentDirectory LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes "
		"ParentProcessGuid ParentProcessId ParentImage ParentCommandLine ParentUser SubjectUserSid SubjectUserName SubjectDomainName "
		"SubjectLogonId NewProcessId NewProcessName TokenElevationType TargetUserSid TargetUserName TargetDomainName TargetLogonId "
		"ParentProcessName MandatoryLabel"},
	{"file_change", FILE_EVENT " CreationUtcTime PreviousCreationUtcTime"},
	{"network_connection", PROCESS " Protocol Initiated SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 "
		"DestinationIp DestinationHostname DestinationPort DestinationPortName"},
	{"process_termination", PROCESS},
	{"driver_load", "RuleName UtcTime " SIGNED},
	{"image_load", PROCESS " " SIGNED " " VERSION},
	{"create_remote_thread", SOURCE_TARGET " NewThreadId StartAddress StartModule StartFunction"},
	{"raw_access_thread", PROCESS " Device"},
	{"process_access", SOURCE_TARGET " SourceThreadId GrantedAccess CallTrace"},
	{"file_event", FILE_EVENT " CreationUtcTime"},
	{"registry_add", REGISTRY},
	{"registry_delete", REGISTRY},
	{"registry_set", REGISTRY " Details"},
	{"registry_rename", REGISTRY " NewName"},
	{"registry_event", REGISTRY " Details NewName"},
	{"create_stream_hash", FILE_EVENT " CreationUtcTime Hash Contents"},
	{"pipe_created", PROCESS " EventType PipeName"},
	{"wmi_event", "RuleName UtcTime EventType Operation User EventNamespace Name Query Type Destination Consumer Filter"},
	{"dns_query", PROCESS " QueryName QueryStatus QueryResults"},
	{"file_delete", FILE_EVENT " Hashes IsExecutable Archived"},
	{"clipboard_capture", PROCESS " Session ClientInfo Hashes Archived"},
	{"process_tampering", PROCESS " Type"},
	{"file_delete_detected", FILE_EVENT " Hashes IsExecutable"},
	{"file_block_executable", FILE_EVENT " Hashes"},
	{"file_block_shredding", FILE_EVENT " Hashes IsExecutable"},
	{"file_executable_detected", FILE_EVENT " Hashes"},
	{"ps_module", "ContextInfo UserData Payload"},
	{"ps_script", "MessageNumber MessageTotal ScriptBlockText ScriptBlockId Path"},
};

struct closed {
	const char *names[NAMES + 1]; /* ends with NULL */
	size_t n;
	const char *category;
};

/* Words of a list, into the arena. */
static void add_words(struct closed *c, struct arena *a, const char *words)
{
	for (size_t len; *words && c->n < NAMES; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		c->names[c->n++] = arena_copy(a, words, len);
	}
}

static void known_field(struct loader *l, void *arg, const struct yaml_node *key, const struct yaml_node *value)
{
	const struct closed *c = arg;
	size_t n = strcspn(key->text, "|");
	const char *near;
	char name[128];

	(void)value;
	if (n == 0 || n >= sizeof name)
		return;
	snprintf(name, sizeof name, "%.*s", (int)n, key->text);
	for (size_t i = 0; i < c->n; i++)
		if (text_same(name, c->names[i]))
			return;
	near = text_nearest(name, c->names);
	warn_as(l, LINT_UNKNOWN_FIELD, key, "events of %s have no field '%s'%s%s%s", c->category, name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
}

struct shared {
	const struct yaml_node *id;
	bool told; /* something beside the id says whose event it is */
};

/* Fields that events of every program have. */
static bool anybodys(const struct yaml_node *key)
{
	static const char *const names[] = {"Data", "Level", "Task", "Opcode", "Version", "Keywords", "Computer", "Channel"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (lint_same_field(key, names[i]))
			return true;
	return text_same_n(key->text, strcspn(key->text, "|") < 5 ? 0 : 5, "param", 5);
}

static void provider_or_id(struct loader *l, void *arg, const struct yaml_node *key, const struct yaml_node *value)
{
	struct shared *s = arg;

	(void)l;
	(void)value;
	if (lint_same_field(key, "EventID"))
		s->id = s->id ? s->id : key;
	else
		s->told = s->told || !anybodys(key);
}

static void shared_channel(struct loader *l, const char *service, const struct yaml_node *detection)
{
	struct shared s = {.id = NULL};

	for (size_t i = 0; i < detection->n; i++) {
		const struct yaml_node *d = detection->items[i];

		if (!lint_is_selection(detection->keys[i]->text))
			continue;
		lint_items(l, d, provider_or_id, &s);
		if (d->kind == YAML_SCALAR || (d->kind == YAML_LIST && d->n && d->items[0]->kind == YAML_SCALAR))
			s.told = true; /* keywords */
	}
	if (s.id && !s.told)
		warn_as(l, LINT_NO_PROVIDER, s.id, "many programs write to the channel %s and share ids; add 'Provider_Name: ...'", service);
}

void lint_fields(struct loader *l, const struct yaml_node *logsource, const struct yaml_node *detection)
{
	const struct yaml_node *category = yaml_get(logsource, "category"), *service = yaml_get(logsource, "service");
	struct closed c = {.n = 0};

	if (service && service->kind == YAML_SCALAR && (text_same(service->text, "system") || text_same(service->text, "application")))
		shared_channel(l, service->text, detection);
	for (size_t i = 0; category && category->kind == YAML_SCALAR && i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(category->text, known[i].category) != 0)
			continue;
		c.category = known[i].category;
		add_words(&c, l->arena, known[i].fields);
		add_words(&c, l->arena, every_event);
		for (size_t k = 0; k < detection->n; k++)
			if (lint_is_selection(detection->keys[k]->text))
				lint_items(l, detection->items[k], known_field, &c);
	}
}
