/* lab_events.c - the lab's event log: Event XML, one event a line, without root, appended whole.
 *
 * The frames (provider, GUID, channel, level, qualifiers, data names) are those of Windows; the values are the lab's.
 * Promises: record ids are unique and grow, also over restarts and processes (events.lock); a line is written by one write(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"

#define FLOOD_BATCH 500

struct frame {
	const char *provider; /* attributes of Provider */
	const char *id;       /* with its attributes: " Qualifiers='49152'>15021" */
	int level, task;
	const char *keywords;
	const char *execution; /* "" for classic events */
	const char *channel;
	const char *security;
};

#define HTTP_PROVIDER "Name='Microsoft-Windows-HttpEvent' Guid='{7b6bc78c-898b-4170-bbf8-1a469ea43fc5}' EventSourceName='HTTP'"
#define SCHANNEL "Name='Schannel' Guid='{1f678132-5938-4686-9fdc-c8ff68f15c85}'"
#define LIFECYCLE "Microsoft-Windows-CertificateServicesClient-Lifecycle-System"
#define CLASSIC "0x80000000000000"
#define BY_KERNEL "<Correlation/><Execution ProcessID='4' ThreadID='3212'/>"
#define BY_LSASS "<Correlation/><Execution ProcessID='620' ThreadID='2232'/>"
#define BY_PERSON "<Correlation/><Execution ProcessID='812' ThreadID='5044'/>"
#define SYSTEM_SID " UserID='S-1-5-18'"
#define V0 "<Version>0</Version>"

static const struct frame frames[] = {
	[EV_15021] = {HTTP_PROVIDER, " Qualifiers='49152'>15021", 2, 0, CLASSIC, BY_KERNEL, "System", ""},
	[EV_15300] = {HTTP_PROVIDER, " Qualifiers='32768'>15300", 3, 0, CLASSIC, BY_KERNEL, "System", ""},
	[EV_15301] = {HTTP_PROVIDER, " Qualifiers='32768'>15301", 3, 0, CLASSIC, BY_KERNEL, "System", ""},
	[EV_36869] = {SCHANNEL, ">36869", 2, 0, "0x8000000000000000", BY_LSASS, "System", SYSTEM_SID},
	[EV_36870] = {SCHANNEL, ">36870", 2, 0, "0x8000000000000000", BY_LSASS, "System", SYSTEM_SID},
	[EV_36874] = {SCHANNEL, ">36874", 2, 0, "0x8000000000000000", BY_LSASS, "System", SYSTEM_SID},
	[EV_1004] = {"Name='" LIFECYCLE "' Guid='{bc0669e1-a10d-4a78-834e-1ca3c806c93b}'", ">1004", 4, 0, "0x4000000000000000", BY_PERSON,
		LIFECYCLE "/Operational", SYSTEM_SID},
	[EV_1006] = {"Name='" LIFECYCLE "' Guid='{bc0669e1-a10d-4a78-834e-1ca3c806c93b}'", ">1006", 4, 0, "0x4000000000000000", BY_PERSON,
		LIFECYCLE "/Operational", SYSTEM_SID},
	[EV_12014] = {"Name='MSExchangeFrontEndTransport'", " Qualifiers='49156'>12014", 2, 12, CLASSIC, "", "Application", ""},
	[EV_12015] = {"Name='MSExchangeTransport'", " Qualifiers='49156'>12015", 2, 12, CLASSIC, "", "Application", ""},
	[EV_12016] = {"Name='MSExchangeFrontEndTransport'", " Qualifiers='49156'>12016", 2, 12, CLASSIC, "", "Application", ""},
	[EV_12018] = {"Name='MSExchangeFrontEndTransport'", " Qualifiers='49156'>12018", 2, 12, CLASSIC, "", "Application", ""},
	[EV_12023] = {"Name='MSExchangeTransport'", " Qualifiers='32772'>12023", 3, 12, CLASSIC, "", "Application", ""},
	[EV_12024] = {"Name='MSExchangeTransport'", " Qualifiers='32772'>12024", 3, 12, CLASSIC, "", "Application", ""},
	[EV_IIS29] = {"Name='Microsoft-Windows-IIS-Configuration' Guid='{dc0b8e51-4863-407a-bc3c-1b479b2978ac}'", ">29", 5, 0,
		"0x8000000000000000", BY_PERSON, "Microsoft-IIS-Configuration/Operational", SYSTEM_SID},
};

static const char http_binary[] =
	"<Binary>000004000200300000000000AD3A00C00000000000000000000000000000000000000000000000005F0000C0</Binary>";

static void put_http(struct buf *b, const char *endpoint, bool binary)
{
	buf_printf(b, "<EventData><Data Name='DeviceObject'>\\Device\\Http\\ReqQueue</Data><Data Name='Endpoint'>%s</Data>%s</EventData>",
		endpoint, binary ? http_binary : "");
}

static void put_lifecycle(struct buf *b, const struct lab *l, const struct event_args *a, bool installed)
{
	char hex[41], when[32];

	text_hex(hex, a->cert->thumbprint, 20);
	time_text(a->cert->not_after, when);
	buf_printf(b,
		"<UserData><CertNotificationData xmlns='http://schemas.microsoft.com/Windows/CertificateServicesClient-Lifecycle' "
		"ProcessName='%s' AccountName='LAB\\exadmin' Context='Machine'%s><CertificateDetails Thumbprint='%s'><Template Name=''/>"
		"<SubjectNames>",
		a->process, installed ? " Action='Enroll'" : "", hex);
	for (size_t i = 0; i < a->cert->n_san; i++)
		buf_printf(b, "<SubjectName>%s</SubjectName>", a->cert->san[i]);
	buf_printf(b,
		"</SubjectNames><EKUs><EKU Name='Server Authentication' OID='1.3.6.1.5.5.7.3.1'/></EKUs>"
		"<NotValidAfter>%.19sZ</NotValidAfter></CertificateDetails></CertNotificationData></UserData>",
		when);
	(void)l;
}

/* Transport writes thumbprints in upper case, the lifecycle channel in lower. */
static void upper_hex(char to[41], const uint8_t thumbprint[20])
{
	text_hex(to, thumbprint, 20);
	for (char *c = to; *c; c++)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
}

static void put_expiry(struct buf *b, const struct lab *l, const struct cert_info *cert)
{
	char hex[41];

	upper_hex(hex, cert->thumbprint);
	buf_printf(b, "<EventData><Data>%s</Data><Data>%s</Data><Data>%lld</Data></EventData>", l->fqdn, hex,
		(long long)((cert->not_after - clock_wall(&l->clock)) / US_HOUR));
}

static void put_payload(struct buf *b, const struct lab *l, enum lab_event kind, const struct event_args *a)
{
	char hex[41], hex2[41];

	switch (kind) {
	case EV_15021:
	case EV_15300:
	case EV_15301:
		put_http(b, a->endpoint, kind == EV_15021);
		break;
	case EV_36869:
		buf_str(b, "<EventData><Data Name='CallerProcessId'>4</Data><Data Name='CallerProcessImageName'>SYSTEM</Data>"
			   "<Data Name='Type'>server</Data></EventData>");
		break;
	case EV_36870:
		buf_str(b, "<EventData><Data Name='Type'>server</Data><Data Name='ErrorCode'>0x8009030d</Data><Data Name='ErrorStatus'>10001"
			   "</Data><Data Name='CallerProcessId'>4</Data><Data Name='CallerProcessImageName'>SYSTEM</Data></EventData>");
		break;
	case EV_36874:
		buf_printf(b, "<EventData><Data Name='Protocol'>%s</Data></EventData>", a->protocol);
		break;
	case EV_1004:
	case EV_1006:
		put_lifecycle(b, l, a, kind == EV_1006);
		break;
	case EV_12014:
		buf_printf(b, "<EventData><Data>%s</Data><Data>%s</Data></EventData>", a->fqdn, a->connector);
		break;
	case EV_12015:
		upper_hex(hex, a->cert->thumbprint);
		buf_printf(b, "<EventData><Data>%s</Data></EventData>", hex);
		break;
	case EV_12016:
		upper_hex(hex, a->cert->thumbprint);
		buf_printf(b, "<EventData><Data>%s</Data><Data>%s</Data></EventData>", l->fqdn, hex);
		break;
	case EV_12018:
		put_expiry(b, l, a->cert);
		break;
	case EV_12023:
	case EV_12024:
		upper_hex(hex, a->thumb);
		upper_hex(hex2, a->thumb2);
		buf_printf(b, "<EventData><Data>%s</Data><Data>%s</Data></EventData>", hex, hex2);
		break;
	case EV_IIS29:
		buf_str(b,
			"<EventData><Data Name='PhysicalPath'>\\\\?\\C:\\Windows\\system32\\inetsrv\\config\\applicationHost.config</Data>"
			"<Data Name='ConfigPath'>MACHINE/WEBROOT/APPHOST</Data><Data Name='EffectiveLocationPath'></Data>"
			"<Data Name='Configuration'>/system.applicationHost/sites/site[@name=\"Exchange Back End\" and @id=\"2\"]/bindings/"
			"binding[@protocol=\"https\" and @bindingInformation=\"*:444:\"]</Data><Data Name='EditOperationType'>2</Data>"
			"<Data Name='OldValue'></Data><Data Name='NewValue'></Data></EventData>");
		break;
	}
}

static void put_event(struct buf *b, const struct lab *l, enum lab_event kind, const struct event_args *a, int64_t record)
{
	const struct frame *f = &frames[kind];
	char when[32];

	time_text(clock_wall(&l->clock), when);
	buf_printf(b, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider %s/><EventID%s</EventID>",
		f->provider, f->id);
	if (f->execution[0])
		buf_str(b, V0);
	buf_printf(b, "<Level>%d</Level><Task>%d</Task>%s<Keywords>%s</Keywords><TimeCreated SystemTime='%.26s000Z'/>", f->level, f->task,
		f->execution[0] ? "<Opcode>0</Opcode>" : "", f->keywords, when);
	buf_printf(b, "<EventRecordID>%lld</EventRecordID>%s<Channel>%s</Channel><Computer>%s</Computer><Security%s/></System>",
		(long long)record, f->execution, f->channel, l->fqdn, f->security);
	put_payload(b, l, kind, a);
	buf_str(b, "</Event>\n");
}

/* Takes the lock of the log and n record ids; *first is the first. The lock is a descriptor to close. */
static int take_ids(const struct lab *l, int64_t n, int64_t *first)
{
	char path[4096], text[32];
	ssize_t have;
	int fd, len;

	lab_path(l, path, sizeof path, "events.lock");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s cannot be opened", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			die("flock fails on %s", path);
	have = pread(fd, text, sizeof text - 1, 0);
	text[have > 0 ? have : 0] = '\0';
	*first = have > 0 ? strtoll(text, NULL, 10) : 77000;
	len = snprintf(text, sizeof text, "%-20lld\n", (long long)(*first + n));
	if (pwrite(fd, text, (size_t)len, 0) != len) /* before the events: an id is lost rather than given twice */
		die("%s cannot be written", path);
	return fd;
}

static void append(const struct lab *l, const struct buf *b)
{
	char path[4096];
	int fd;

	lab_path(l, path, sizeof path, "events.xml");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, b->p, b->n) != (ssize_t)b->n)
		die("%s cannot be written", path);
	close(fd);
}

void lab_event(const struct lab *l, enum lab_event kind, const struct event_args *a)
{
	struct buf b;
	int64_t id;
	int lock = take_ids(l, 1, &id);

	buf_init(&b, 64 * 1024);
	put_event(&b, l, kind, a, id);
	append(l, &b);
	buf_free(&b);
	close(lock);
}

void lab_flood(const struct lab *l, int64_t n)
{
	const struct event_args a = {.endpoint = BACKEND_ENDPOINT};
	struct buf b;
	int64_t id;
	int lock = take_ids(l, n, &id);

	buf_init(&b, 4u << 20);
	for (int64_t i = 0; i < n; i++) {
		put_event(&b, l, EV_15021, &a, id + i);
		if ((i + 1) % FLOOD_BATCH == 0 || i + 1 == n) {
			append(l, &b);
			buf_reset(&b);
		}
	}
	buf_free(&b);
	close(lock);
}
