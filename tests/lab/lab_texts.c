/* lab_texts.c - what Exchange itself writes when the hop fails: a row of the HttpProxy log, and the text that a shell shows.
 *
 * The row has the 74 columns of Exchange 2016 CU22 and SE; the console text is wrapped as a console wraps it, in the middle of
 * the request id. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"
#include "os/os.h"

static const char columns[] =
	"DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,"
	"UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,"
	"UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,"
	"TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,"
	"ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,"
	"CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,"
	"TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,"
	"SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,"
	"ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,"
	"BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,"
	"HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,"
	"RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,"
	"GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,"
	"RoutingStatus";

void lab_guid(char to[static 40])
{
	uint8_t r[16];
	char hex[33];

	if (os_random(r, sizeof r) < 0)
		die("no random numbers");
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	text_hex(hex, r, sizeof r);
	snprintf(to, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Appends; a new file begins with head. Several threads may come: the file itself is the lock. */
static void append_text(const char *path, const char *head, const struct buf *b)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		die("%s cannot be opened", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			die("flock fails on %s", path);
	if (head && fstat(fd, &st) == 0 && st.st_size == 0 && write(fd, head, strlen(head)) < 0)
		die("%s cannot be written", path);
	if (write(fd, b->p, b->n) != (ssize_t)b->n)
		die("%s cannot be written", path);
	close(fd);
}

static const char *protocol_of(const char *path)
{
	if (text_starts(path, "/powershell"))
		return "PowerShell";
	return text_starts(path, "/ecp") ? "Ecp" : text_starts(path, "/ews") ? "Ews" : "Owa";
}

/* A path of a request as a CSV cell: odd characters are percent signs already or refused by the front end. */
void lab_httpproxy(const struct lab *l, const struct lab_request *r)
{
	char path[4096], now[32], head[4096], backend[16] = "";
	struct buf b;

	time_text(clock_wall(&l->clock), now);
	lab_path(l, path, sizeof path, "HttpProxy_%.4s%.2s%.2s%.2s-1.LOG", now, now + 5, now + 8, now + 11);
	snprintf(head, sizeof head,
		"\xef\xbb\xbf#Software: Microsoft Exchange Server (evmend LAB)\r\n#Version: 15.02.1544.004\r\n#Log-type: HttpProxy Logs\r\n"
		"#Date: %.23sZ\r\n#Fields: %s\r\n",
		now, columns);
	if (r->backend_status)
		snprintf(backend, sizeof backend, "%d", r->backend_status);
	buf_init(&b, 64 * 1024);
	buf_printf(&b,
		"%.23sZ,%s,15,2,1544,4,,%s,%s,\"%s\",,Kerberos,true,LAB\\exadmin,,,evmend-lab,127.0.0.1,%s,%d,%s,,%s,Proxy,%s,"
		"15.02.1544.000,AnchorMailbox",
		now, r->id, protocol_of(r->path), l->fqdn, r->path, l->name, r->status, backend, r->method, l->fqdn);
	for (int column = 28; column <= 69; column++)
		buf_char(&b, ',');
	if (r->failure && strcmp(r->failure, "SendFailure") == 0)
		buf_str(&b, "WebExceptionStatus=SendFailure;WebException=System.Net.WebException: The underlying connection was closed: An "
			    "unexpected error occurred on a send. ---> System.IO.IOException ...;");
	else if (r->failure)
		buf_printf(&b, "WebExceptionStatus=%s;WebException=System.Net.WebException: Unable to connect to the remote server ...;",
			r->failure);
	buf_str(&b, ",,,,,CafeV1\r\n");
	append_text(path, head, &b);
	buf_free(&b);
}

/* "3/13/2018 9:10:45 PM": UTC, spelled as en-US does. */
static void us_time(char *to, size_t n, int64_t us)
{
	char t[32];
	int year, month, day, hour, minute, second;

	time_text(us, t);
	if (sscanf(t, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
		die("a time that is none: %s", t);
	snprintf(to, n, "%d/%d/%d %d:%02d:%02d %s", month, day, year, hour % 12 ? hour % 12 : 12, minute, second, hour < 12 ? "AM" : "PM");
}

void lab_console(const struct lab *l, const struct lab_request *r)
{
	char path[4096], when[64];
	struct buf b;

	us_time(when, sizeof when, clock_wall(&l->clock));
	lab_path(l, path, sizeof path, "console.txt");
	buf_init(&b, 64 * 1024);
	buf_printf(&b,
		"New-PSSession : [%s] Connecting to remote server %s failed with the following\n"
		"error message : [ClientAccessServer=%s,BackEndServer=%s,RequestId=%.31s\n%s,TimeStamp=%s] [FailureCategory=Cafe-%s]  "
		"For more information, see the\nabout_Remote_Troubleshooting Help topic.\n"
		"    + CategoryInfo          : OpenError: (System.Manageme....RemoteRunspace:RemoteRunspace) [New-PSSession], "
		"PSRemotingTransportException\n"
		"    + FullyQualifiedErrorId : -2144108477,PSSessionOpenFailed\n\n",
		l->fqdn, l->fqdn, l->name, l->fqdn, r->id, r->id + 31, when, r->failure);
	append_text(path, NULL, &b);
	buf_free(&b);
}
