/* source.c - which events a logsource means, and what their fields are called; a table of its own, so that a wrong row on the other
 * side shows. Sources: SigmaHQ's tests/thor.yml, the Sigma log source list, real channel names where they are spelled otherwise. */
#include <string.h>

#include "base/text.h"
#include "naive/inside.h"

#define SYSMON "Microsoft-Windows-Sysmon/Operational"
#define CHANNELS 4
#define IDS 18

static const struct service {
	const char *name, *channels[CHANNELS];
} services[] = {
	{"security", {"Security"}},
	{"system", {"System"}},
	{"application", {"Application"}},
	{"windefend", {"Microsoft-Windows-Windows Defender/Operational"}},
	{"appxdeployment-server", {"Microsoft-Windows-AppXDeploymentServer/Operational"}},
	{"codeintegrity-operational", {"Microsoft-Windows-CodeIntegrity/Operational"}},
	{"firewall-as", {"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"}},
	{"msexchange-management", {"MSExchange Management"}},
	{"bits-client", {"Microsoft-Windows-Bits-Client/Operational"}},
	{"dns-client", {"Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"}},
	{"iis-configuration", {"Microsoft-IIS-Configuration/Operational"}},
	{"sysmon", {SYSMON}},
	{"taskscheduler", {"Microsoft-Windows-TaskScheduler/Operational"}},
	{"winrm", {"Microsoft-Windows-WinRM/Operational"}}, /* the project's own */
	{"ntlm", {"Microsoft-Windows-NTLM/Operational"}},
	{"powershell-classic", {"Windows PowerShell"}},
	{"applocker", {"Microsoft-Windows-AppLocker/MSI and Script", "Microsoft-Windows-AppLocker/EXE and DLL",
		"Microsoft-Windows-AppLocker/Packaged app-Deployment", "Microsoft-Windows-AppLocker/Packaged app-Execution"}},
	{"dns-server", {"DNS Server"}},
	{"security-mitigations", {"Microsoft-Windows-Security-Mitigations/Kernel Mode", "Microsoft-Windows-Security-Mitigations/User Mode",
		"Microsoft-Windows-Security-Mitigations/KernelMode", "Microsoft-Windows-Security-Mitigations/UserMode"}},
	{"wmi", {"Microsoft-Windows-WMI-Activity/Operational"}},
	{"appmodel-runtime", {"Microsoft-Windows-AppModel-Runtime/Admin"}},
	{"appxpackaging-om", {"Microsoft-Windows-AppxPackaging/Operational"}},
	{"capi2", {"Microsoft-Windows-CAPI2/Operational"}},
	{"certificateservicesclient-lifecycle-system", {"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"}},
	{"diagnosis-scripted", {"Microsoft-Windows-Diagnosis-Scripted/Operational"}},
	{"dns-server-analytic", {"Microsoft-Windows-DNS-Server/Analytical", "Microsoft-Windows-DNSServer/Analytical"}},
	{"driver-framework", {"Microsoft-Windows-DriverFrameworks-UserMode/Operational"}},
	{"ldap", {"Microsoft-Windows-LDAP-Client/Debug"}},
	{"lsa-server", {"Microsoft-Windows-LSA/Operational"}},
	{"microsoft-servicebus-client", {"Microsoft-ServiceBus-Client/Admin", "Microsoft-ServiceBus-Client/Operational",
		"Microsoft-ServiceBus-Client"}},
	{"servicebus-client", {"Microsoft-ServiceBus-Client/Admin", "Microsoft-ServiceBus-Client/Operational", "Microsoft-ServiceBus-Client"}},
	{"openssh", {"OpenSSH/Operational"}},
	{"printservice-admin", {"Microsoft-Windows-PrintService/Admin"}},
	{"printservice-operational", {"Microsoft-Windows-PrintService/Operational"}},
	{"shell-core", {"Microsoft-Windows-Shell-Core/Operational"}},
	{"smbclient-security", {"Microsoft-Windows-SmbClient/Security"}},
	{"smbclient-connectivity", {"Microsoft-Windows-SmbClient/Connectivity"}},
	{"smbserver-connectivity", {"Microsoft-Windows-SMBServer/Connectivity"}},
	{"terminalservices-localsessionmanager", {"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"}},
	{"powershell", {"Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"}},
	{"application-experience", {"Microsoft-Windows-Application-Experience/Program-Telemetry",
		"Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant"}},
	{"bitlocker", {"Microsoft-Windows-BitLocker/BitLocker Management"}},
	{"dhcp", {"Microsoft-Windows-DHCP-Server/Operational"}},
	{"dns-server-audit", {"Microsoft-Windows-DNS-Server/Audit", "Microsoft-Windows-DNSServer/Audit"}},
	{"hyper-v-worker", {"Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Worker-Admin"}},
	{"kernel-event-tracing", {"Microsoft-Windows-Kernel-EventTracing", "Microsoft-Windows-Kernel-EventTracing/Admin"}},
	{"kernel-shimengine", {"Microsoft-Windows-Kernel-ShimEngine/Operational", "Microsoft-Windows-Kernel-ShimEngine/Diagnostic"}},
	{"ntfs", {"Microsoft-Windows-Ntfs/Operational"}},
	{"sense", {"Microsoft-Windows-SENSE/Operational"}},
	{"vhdmp", {"Microsoft-Windows-VHDMP/Operational", "Microsoft-Windows-VHDMP-Operational"}},
};

static const struct nv_category {
	const char *name, *channels[2];
	uint32_t ids[IDS];
	const char *event_types[2]; /* one of them in EventType; NULL: any */
	enum renames renames;
} categories[] = {
	{"process_creation", {SYSMON}, {1}, {NULL}, RENAME_NONE},
	{"process_creation", {"Security"}, {4688}, {NULL}, RENAME_4688},
	{"file_change", {SYSMON}, {2}, {NULL}, RENAME_NONE},
	{"network_connection", {SYSMON}, {3}, {NULL}, RENAME_NONE},
	{"sysmon_status", {SYSMON}, {4, 16}, {NULL}, RENAME_NONE},
	{"process_termination", {SYSMON}, {5}, {NULL}, RENAME_NONE},
	{"driver_load", {SYSMON}, {6}, {NULL}, RENAME_NONE},
	{"image_load", {SYSMON}, {7}, {NULL}, RENAME_NONE},
	{"create_remote_thread", {SYSMON}, {8}, {NULL}, RENAME_NONE},
	{"raw_access_thread", {SYSMON}, {9}, {NULL}, RENAME_NONE},
	{"process_access", {SYSMON}, {10}, {NULL}, RENAME_NONE},
	{"file_event", {SYSMON}, {11}, {NULL}, RENAME_NONE},
	{"registry_add", {SYSMON}, {12}, {"CreateKey"}, RENAME_NONE},
	{"registry_delete", {SYSMON}, {12}, {"DeleteKey", "DeleteValue"}, RENAME_NONE},
	{"registry_set", {SYSMON}, {13}, {NULL}, RENAME_NONE},
	{"registry_rename", {SYSMON}, {14}, {NULL}, RENAME_NONE},
	{"registry_event", {SYSMON}, {12, 13, 14}, {NULL}, RENAME_NONE},
	{"create_stream_hash", {SYSMON}, {15}, {NULL}, RENAME_NONE},
	{"pipe_created", {SYSMON}, {17, 18}, {NULL}, RENAME_NONE},
	{"wmi_event", {SYSMON}, {19, 20, 21}, {NULL}, RENAME_NONE},
	{"dns_query", {SYSMON}, {22}, {NULL}, RENAME_NONE},
	{"file_delete", {SYSMON}, {23}, {NULL}, RENAME_NONE},
	{"clipboard_capture", {SYSMON}, {24}, {NULL}, RENAME_NONE},
	{"clipboard_change", {SYSMON}, {24}, {NULL}, RENAME_NONE},
	{"process_tampering", {SYSMON}, {25}, {NULL}, RENAME_NONE},
	{"file_delete_detected", {SYSMON}, {26}, {NULL}, RENAME_NONE},
	{"file_block_executable", {SYSMON}, {27}, {NULL}, RENAME_NONE},
	{"file_block", {SYSMON}, {27}, {NULL}, RENAME_NONE},
	{"file_block_shredding", {SYSMON}, {28}, {NULL}, RENAME_NONE},
	{"file_executable_detected", {SYSMON}, {29}, {NULL}, RENAME_NONE},
	{"sysmon_error", {SYSMON}, {255}, {NULL}, RENAME_NONE},
	{"ps_module", {"Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"}, {4103}, {NULL}, RENAME_NONE},
	{"ps_script", {"Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"}, {4104}, {NULL}, RENAME_NONE},
	{"ps_classic_start", {"Windows PowerShell"}, {400}, {NULL}, RENAME_NONE},
	{"ps_classic_provider_start", {"Windows PowerShell"}, {600}, {NULL}, RENAME_NONE},
	{"ps_classic_script", {"Windows PowerShell"}, {800}, {NULL}, RENAME_NONE},
	{"antivirus", {"Microsoft-Windows-Windows Defender/Operational"},
		{1006, 1007, 1008, 1009, 1010, 1011, 1012, 1017, 1018, 1019, 1115, 1116}, {NULL}, RENAME_DEFENDER},
};

/* In Security/4688, and in what Defender writes; the two computed ones are made by fields.c. */
static const struct rename {
	enum renames where;
	const char *from, *to;
	enum computed computed;
} renames[] = {
	{RENAME_4688, "Image", "NewProcessName", COMPUTED_NONE},
	{RENAME_4688, "ParentImage", "ParentProcessName", COMPUTED_NONE},
	{RENAME_4688, "ProcessId", "NewProcessId", COMPUTED_NONE},
	{RENAME_4688, "ParentProcessId", "ProcessId", COMPUTED_NONE},
	{RENAME_4688, "LogonId", "SubjectLogonId", COMPUTED_NONE},
	{RENAME_4688, "User", "User", COMPUTED_USER},
	{RENAME_4688, "IntegrityLevel", "IntegrityLevel", COMPUTED_INTEGRITY},
	{RENAME_DEFENDER, "Signature", "ThreatName", COMPUTED_NONE},
	{RENAME_DEFENDER, "Filename", "Path", COMPUTED_NONE},
};

const char *nv_source_rename(enum renames r, const char *name, enum computed *computed)
{
	*computed = COMPUTED_NONE;
	for (size_t i = 0; i < sizeof renames / sizeof renames[0]; i++)
		if (r == renames[i].where && text_same(renames[i].from, name)) {
			*computed = renames[i].computed;
			return renames[i].to;
		}
	return name;
}

static bool among(const char *const *channels, size_t n, const char *channel)
{
	for (size_t i = 0; i < n; i++)
		if (channels[i] && text_same(channels[i], channel))
			return true;
	return false;
}

static const char *const text_sources[][2] = {{"console", "evmend-text/Console"}, {"httpproxy", "evmend-text/HttpProxy"}};

/* A product of the project: texts of Exchange stand in Windows events and elsewhere. */
static bool exchange(const struct nv_stated *s)
{
	return s->product && text_same(s->product, "exchange");
}

static bool service_maybe(const struct nv_stated *s, const char *channel, bool *known)
{
	for (size_t i = 0; exchange(s) && i < 2; i++)
		if (text_same(text_sources[i][0], s->service)) {
			*known = true;
			return text_same(text_sources[i][1], channel);
		}
	for (size_t i = 0; !exchange(s) && i < sizeof services / sizeof services[0]; i++)
		if (text_same(services[i].name, s->service)) {
			*known = true;
			return among(services[i].channels, CHANNELS, channel);
		}
	return false;
}

static bool id_in(const struct nv_category *c, uint32_t id)
{
	for (size_t i = 0; i < IDS; i++)
		if (c->ids[i] == id && id)
			return true;
	return false;
}

/* The category that this event is of; NULL: none. */
static const struct nv_category *category_of(const struct nv_stated *s, const char *channel, uint32_t id, bool *known)
{
	const struct nv_category *found = NULL;

	for (size_t i = 0; !exchange(s) && i < sizeof categories / sizeof categories[0]; i++) {
		const struct nv_category *c = &categories[i];

		if (!text_same(c->name, s->category))
			continue;
		*known = true;
		if (among(c->channels, 2, channel) && id_in(c, id))
			found = c;
	}
	return found;
}

bool nv_source_known(const struct nv_stated *s)
{
	bool service = !s->service, category = !s->category;

	if (s->product && !text_same(s->product, "windows") && !exchange(s))
		return false;
	if (s->service)
		service_maybe(s, "", &service);
	if (s->category)
		category_of(s, "", 0, &category);
	return service && category;
}

bool nv_source_maybe(const struct nv_stated *s, const char *provider, const char *channel, uint32_t id, const struct nv_category **c)
{
	bool known;

	*c = NULL;
	if (!nv_source_known(s) || (!exchange(s) && text_same(provider, "evmend-text")) || (s->service && !service_maybe(s, channel, &known)))
		return false;
	if (s->category)
		*c = category_of(s, channel, id, &known);
	return *c || !s->category;
}

bool nv_source_means(struct naive *n, const struct nv_category *c, enum renames *which)
{
	const struct nv_value *const *v;
	size_t count;

	*which = c ? c->renames : RENAME_NONE;
	if (!c || !c->event_types[0])
		return true;
	v = nv_values_of(n, nv_name_id(n, "EventType"), RENAME_NONE, &count);
	for (size_t i = 0; i < count; i++)
		if (among(c->event_types, 2, v[i]->raw))
			return true;
	return false;
}

bool nv_source_pick(const struct nv_stated *s, uint32_t pick, const char **channel, uint32_t *id, enum renames *r, const char **type)
{
	const struct nv_category *fit[8];
	size_t n = 0, ids = 0;

	*channel = "Application";
	*id = pick % 50;
	*r = RENAME_NONE;
	*type = NULL;
	for (size_t i = 0; s->category && i < sizeof categories / sizeof categories[0] && n < 8; i++)
		if (text_same(categories[i].name, s->category))
			fit[n++] = &categories[i];
	if (s->category && n) {
		const struct nv_category *c = fit[pick % n];

		while (ids < IDS && c->ids[ids])
			ids++;
		*id = c->ids[pick / n % ids];
		*channel = c->channels[c->channels[1] ? pick % 2 : 0];
		*r = c->renames;
		*type = c->event_types[0];
	}
	for (size_t i = 0; s->service && !s->category && i < sizeof services / sizeof services[0]; i++)
		if (text_same(services[i].name, s->service))
			*channel = services[i].channels[services[i].channels[1] ? pick % 2 : 0];
	return !s->category || n;
}
