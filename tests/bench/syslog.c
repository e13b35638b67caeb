/* syslog.c - what the sink for syslog costs.
 *
 * Why: a sink that takes more time than its receiver holds up a flood. Promises: CPU time of this thread from a record's JSON to bytes in the
 * socket and their confirmation, over TCP and over TLS, as a ratio to write(2) of the same bytes in pieces of 64 KB to a socket of the same
 * kind; a child reads. Refuses: nothing. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "ship/formats.h"

#define RECORDS 50000
#define PIECE 65536
#define CHUNK 512

static char texts[CHUNK][1024];
static struct spool_record records[CHUNK];

static void make_records(void)
{
	for (unsigned i = 0; i < CHUNK; i++) {
		const int n = snprintf(texts[i], sizeof texts[i],
			"{\"v\":1,\"kind\":\"finding\",\"uid\":\"%064x\",\"time\":\"2026-03-13T21:02:11.171000Z\",\"host\":\"ex%u.contoso.example\","
			"\"level\":\"high\",\"rule\":{\"id\":\"2b1d6c0e-7d1c-4f1b-9a0e-0d4a3c5b7e01\",\"name\":\"\","
			"\"title\":\"A logon that failed\",\"tags\":[]},"
			"\"cause\":null,\"hint\":null,\"count\":1,\"first\":\"2026-03-13T21:02:11.171000Z\",\"last\":\"2026-03-13T21:02:11.171000Z\","
			"\"evidence\":[{\"channel\":\"Security\",\"provider\":\"Microsoft-Windows-Security-Auditing\",\"event_id\":4625,\"record_id\":%u,"
			"\"time\":\"2026-03-13T21:02:11.171000Z\",\"source\":\"dc1\"}]}", i, i % 200, i);

		records[i] = (struct spool_record){.kind = RECORD_FINDING, .json = texts[i], .n = (size_t)n};
	}
}

static int listen_here(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		die("no port of this machine can be had");
	*port = ntohs(a.sin_port);
	return fd;
}

static pid_t read_plain(uint16_t *port)
{
	const int listener = listen_here(port);
	const pid_t child = fork();

	if (child == 0) {
		static char to[PIECE];
		const int fd = accept(listener, NULL, NULL);

		while (read(fd, to, sizeof to) > 0)
			;
		_exit(0);
	}
	close(listener);
	return child;
}

/* `openssl s_server` with a certificate of its own making. */
static pid_t read_tls(const struct bench *b, uint16_t *port)
{
	char cert[300], key[300], at[32], command[900];
	pid_t child;

	snprintf(cert, sizeof cert, "%s/syslog.pem", b->folder);
	snprintf(key, sizeof key, "%s/syslog.key", b->folder);
	snprintf(command, sizeof command, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench "
		"-keyout '%s' -out '%s' 2>/dev/null", key, cert);
	if (system(command) != 0)
		die("openssl cannot make a certificate");
	close(listen_here(port));
	snprintf(at, sizeof at, "127.0.0.1:%u", *port);
	child = fork();
	if (child == 0) {
		const int null = open("/dev/null", O_RDWR);
		int silent[2]; /* at the end of its standard input it would spin */

		if (pipe(silent) != 0)
			_exit(127);
		dup2(silent[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		execlp("openssl", "openssl", "s_server", "-quiet", "-naccept", "1", "-accept", at, "-cert", cert, "-key", key, (char *)NULL);
		_exit(127);
	}
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* CPU seconds of write(2) alone. */
static double write_bytes(const struct buf *bytes)
{
	uint16_t port;
	const pid_t child = read_plain(&port);
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	double from, took;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		die("a socket of this machine cannot be connected");
	from = now_cpu();
	for (size_t did = 0; did < bytes->n;) {
		const size_t left = bytes->n - did;
		const ssize_t n = write(fd, bytes->p + did, left < PIECE ? left : PIECE);

		if (n <= 0)
			die("a socket of this machine cannot be written");
		did += (size_t)n;
	}
	took = now_cpu() - from;
	close(fd);
	end(child);
	return took;
}

/* CPU seconds of the sink for all records, from open to the last confirmation. */
static double through_sink(const struct bench *b, bool tls)
{
	static struct sink_result results[CHUNK];
	uint16_t port;
	const pid_t child = tls ? read_tls(b, &port) : read_plain(&port);
	char address[32];
	const struct sink_config c = {.name = "bench", .kind = SINK_SYSLOG, .app = "evmend", .tls = {.on = tls, .no_verify = true},
		.syslog = {.address = address, .resend = SYSLOG_RESEND}};
	const struct clock clock = clock_real();
	struct sink *s = sink_new(&c, &clock, &os_file);
	size_t given = 0, accepted = 0;
	double from, took;

	snprintf(address, sizeof address, "127.0.0.1:%u", port);
	from = now_cpu();
	while (accepted < RECORDS) {
		const size_t at = given % CHUNK, want = CHUNK - at < RECORDS - given ? CHUNK - at : RECORDS - given;
		size_t got = 0;
		struct err e;
		int n = 0;

		if (s->ops->open(s, &e) < 0) { /* s_server takes its time */
			usleep(100000);
			continue;
		}
		for (size_t i = 0; i < want; i++)
			records[at + i].seq = (int64_t)(given + i + 1);
		if (want && (n = s->ops->submit(s, records + at, want, &e)) > 0)
			given += (size_t)n;
		if (s->ops->poll(s, results, CHUNK, &got, &e) == 0)
			accepted += got;
		if (n <= 0 && !got)
			usleep(1000);
	}
	took = now_cpu() - from;
	sink_free(s);
	end(child);
	return took;
}

static void all_frames(struct buf *to)
{
	const struct sink_config c = {.name = "bench", .kind = SINK_SYSLOG, .app = "evmend"};
	struct buf one;

	buf_init(&one, 1u << 20);
	for (size_t i = 0; i < RECORDS; i++) {
		struct record_view v;

		buf_reset(&one);
		view_open(&v, &records[i % CHUNK]);
		format_syslog(&c, &v, format_find("ndjson"), false, RFC5424_MAX, &one);
		view_close(&v);
		buf_printf(to, "%zu ", one.n);
		buf_add(to, one.p, one.n);
	}
	buf_free(&one);
}

void bench_syslog(struct bench *b)
{
	double bare = 0, took[2] = {0, 0}, formatting;
	struct buf bytes;

	make_records();
	buf_init(&bytes, 1u << 30);
	all_frames(&bytes); /* once for the memory */
	buf_reset(&bytes);
	formatting = now_cpu();
	all_frames(&bytes);
	formatting = now_cpu() - formatting;
	for (int i = 0; i < b->rounds; i++) {
		const double now = write_bytes(&bytes);

		bare = i == 0 || now < bare ? now : bare;
		for (int tls = 0; tls < 2; tls++) {
			const double cpu = through_sink(b, tls);

			took[tls] = i == 0 || cpu < took[tls] ? cpu : took[tls];
		}
		say("syslog, round %d: write(2) %.3f s, TCP %.3f s, TLS %.3f s", i + 1, bare, took[0], took[1]);
	}
	fact("syslog: bytes of a finding's message", (double)bytes.n / RECORDS, "bytes");
	fact("syslog over TCP, findings for each CPU second", RECORDS / took[0], "/s");
	fact("syslog over TLS, findings for each CPU second", RECORDS / took[1], "/s");
	fact("syslog: reading JSON and formatting alone to write(2)", formatting / bare, "x");
	fact("syslog over TCP to write(2) of the same bytes", took[0] / bare, "x");
	fact("syslog over TLS to write(2) of the same bytes", took[1] / bare, "x");
	buf_free(&bytes);
}
