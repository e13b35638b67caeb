/* sinks.c - what it costs to bring records to a receiver.
 *
 * Why: whoever sends 30,000 events a second wants to know what the sink adds to what the bytes cost anyhow. Promises: for the file the same
 * bytes with write(2) and as many syncs; for HTTP the same bodies to the same stand-in with bare libcurl, as many at once, connections kept.
 * Rounds are interleaved, the best of each counts; ratios of wall time and of this process's CPU time. Refuses to go on when a record is not
 * accepted. */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/bench.h"
#include "bench/sinks.h"
#include "bench/stand_in.h"
#include "ship/formats.h"
#include "ship/http_batch.h"

#define CHUNK 512
#define SYNC_EVERY 4096 /* records, as the pump polls */
#define RECORDS BENCH_TEXTS
#define TOTAL BENCH_RECORDS

struct spent spent_now(void)
{
	struct rusage use;
	struct timespec t;

	getrusage(RUSAGE_SELF, &use);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct spent){ (double)t.tv_sec + (double)t.tv_nsec / 1e9,
		(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6 };
}

/* The best of the rounds so far. */
void spent_best(struct spent *of, struct spent start)
{
	struct spent end = spent_now(), did = { end.wall - start.wall, end.cpu - start.cpu };

	of->wall = of->wall == 0 || did.wall < of->wall ? did.wall : of->wall;
	of->cpu = of->cpu == 0 || did.cpu < of->cpu ? did.cpu : of->cpu;
}

/* Five kinds of record, each of forty hosts. */
struct load *bench_load_records(void)
{
	static const struct {
		const char *name;
		int kind;
	} kinds[] = { { "finding", RECORD_FINDING }, { "case-waiting", RECORD_CASE }, { "repair-end", RECORD_REPAIR }, { "event-logon", RECORD_EVENT },
		{ "event-process", RECORD_EVENT } };
	struct load *l = xcalloc(1, sizeof *l);

	for (size_t i = 0; i < RECORDS; i++) {
		char path[120];
		struct buf text;
		struct err e;
		const char *host;

		snprintf(path, sizeof path, "tests/data/formats/records/%s.json", kinds[i % 5].name);
		buf_init(&text, 1u << 20);
		buf_init(&l->text[i], 1u << 20);
		if (file_read(&os_file, path, &text, &e) < 0)
			die("%s", e.text);
		host = strstr(text.p, "\"host\":\"");
		if (!host)
			die("%s has no host", path);
		host += 8;
		buf_add(&l->text[i], text.p, (size_t)(host - text.p));
		buf_printf(&l->text[i], "h%zu.", i / 5);
		buf_add(&l->text[i], host, (size_t)(text.p + text.n - 1 - host));
		buf_free(&text);
	}
	for (size_t i = 0; i < TOTAL; i++) {
		const struct buf *t = &l->text[i % RECORDS];

		l->list[i] = (struct spool_record){ .seq = (int64_t)i + 1, .kind = kinds[i % 5].kind, .json = t->p, .n = t->n, .host = "", .cause = "",
			.labels = "" };
		memcpy(l->list[i].uid, &i, sizeof i);
	}
	return l;
}

void bench_unload(struct load *l)
{
	for (size_t i = 0; i < RECORDS; i++)
		buf_free(&l->text[i]);
	free(l);
}

/* All records through a sink, as the pump does it. */
void bench_through(const struct sink_config *c, const struct load *l)
{
	struct clock clock = clock_real();
	struct sink *s = sink_new(c, &clock, &os_file);
	static struct sink_result results[CHUNK];
	size_t sent = 0, done = 0;
	struct err e = { 0 };

	if (s->ops->open(s, &e) < 0)
		die("%s", e.text);
	while (done < TOTAL) {
		struct os_poll p = { .want_read = true };
		size_t got = CHUNK, before = done;
		int took = 1;

		for (int i = 0; i < 8 && took > 0 && sent < TOTAL; i++) {
			took = s->ops->submit(s, &l->list[sent], TOTAL - sent < CHUNK ? TOTAL - sent : CHUNK, &e);
			if (took < 0)
				die("%s", e.text);
			sent += (size_t)took;
		}
		if (sent == TOTAL)
			(void)s->ops->flush(s, &e);
		while (got == CHUNK) {
			if (s->ops->poll(s, results, CHUNK, &got, &e) < 0)
				die("%s", e.text);
			for (size_t i = 0; i < got; i++)
				if (results[i].outcome != SINK_ACCEPTED)
					die("a record was not accepted: %s", results[i].why);
			done += got;
		}
		p.fd = s->ops->wait_fd(s, &p.want_write);
		if (done == before && done < TOTAL)
			os_process.wait_ready(&p, 1, 10);
	}
	sink_free(s);
}

void spent_told(const char *name, struct spent ours, struct spent bare, const char *against)
{
	char text[120];

	snprintf(text, sizeof text, "sink %s: records a second", name);
	fact(text, TOTAL / ours.wall, "/s");
	snprintf(text, sizeof text, "sink %s: CPU time of a record", name);
	fact(text, ours.cpu * 1e6 / TOTAL, "us");
	snprintf(text, sizeof text, "sink %s: time against %s", name, against);
	fact(text, ours.wall / bare.wall, "times");
	snprintf(text, sizeof text, "sink %s: CPU time against %s", name, against);
	fact(text, ours.cpu / bare.cpu, "times");
}

/* --- a file --- */

static void bare_file(const char *path, const struct buf *all, const size_t *ends)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
	size_t at = 0;

	for (size_t i = CHUNK; fd >= 0 && at < all->n; i += CHUNK) {
		size_t end = ends[(i < TOTAL ? i : TOTAL) - 1];

		if (write(fd, all->p + at, end - at) != (ssize_t)(end - at) || ((i % SYNC_EVERY == 0 || end == all->n) && fsync(fd) != 0))
			die("the scratch folder takes no more");
		at = end;
	}
	if (fd < 0 || close(fd) != 0)
		die("%s cannot be made", path);
}

static void bench_file(struct bench *b, const struct load *l, const struct format *f)
{
	char path[300], name[60];
	struct sink_config c = { .name = "bench", .kind = SINK_FILE, .format = f, .file.path = path };
	struct spent ours = { 0 }, bare = { 0 };
	size_t *ends = xcalloc(TOTAL, sizeof *ends), n = 0;
	struct buf all;
	struct err e;

	snprintf(path, sizeof path, "%s/sink", b->folder);
	buf_init(&all, 256u << 20);
	for (int round = 0; round < b->rounds; round++) {
		struct spent start;

		unlink(path);
		start = spent_now();
		bench_through(&c, l);
		spent_best(&ours, start);
		buf_reset(&all);
		if (file_read(&os_file, path, &all, &e) < 0)
			die("%s", e.text);
		n = 0;
		for (const char *p = all.p; n < TOTAL && (p = memchr(p, '\n', (size_t)(all.p + all.n - p))); p++)
			ends[n++] = (size_t)(p + 1 - all.p);
		if (n != TOTAL || ends[n - 1] != all.n)
			die("%zu lines of %d records", n, TOTAL);
		start = spent_now();
		bare_file(path, &all, ends);
		spent_best(&bare, start);
	}
	snprintf(name, sizeof name, "file, %s", f->name);
	spent_told(name, ours, bare, "write(2) and fsync of the same bytes");
	buf_free(&all);
	free(ends);
	unlink(path);
}

/* --- HTTP --- */

struct body {
	const char *p;
	size_t n;
};

static size_t ignore(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static void post(CURLM *multi, CURL *c, const struct body *body)
{
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->p);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
	curl_multi_add_handle(multi, c);
}

/* The same bodies, so many requests at once. */
static void bare_curl(const char *url, const struct body *bodies, size_t n, size_t at_once)
{
	struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");
	CURLM *multi = curl_multi_init();
	CURL *all[HTTP_LANES];
	size_t next = 0, done = 0;
	int running, left;

	for (size_t i = 0; i < at_once; i++) {
		all[i] = curl_easy_init();
		curl_easy_setopt(all[i], CURLOPT_URL, url);
		curl_easy_setopt(all[i], CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(all[i], CURLOPT_WRITEFUNCTION, ignore);
		if (next < n)
			post(multi, all[i], &bodies[next++]);
	}
	while (done < n) {
		CURLMsg *m;

		curl_multi_perform(multi, &running);
		while ((m = curl_multi_info_read(multi, &left))) {
			long code = 0;
			CURL *c = m->easy_handle;

			curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
			if (m->msg != CURLMSG_DONE || m->data.result != CURLE_OK || code != 200)
				die("bare libcurl: %s, %ld", curl_easy_strerror(m->data.result), code);
			done++;
			curl_multi_remove_handle(multi, c);
			if (next < n)
				post(multi, c, &bodies[next++]);
		}
		if (done < n)
			curl_multi_poll(multi, NULL, 0, 10, NULL);
	}
	for (size_t i = 0; i < at_once; i++)
		curl_easy_cleanup(all[i]);
	curl_multi_cleanup(multi);
	curl_slist_free_all(headers);
}

/* What a sink sent, as the stand-in has kept it. */
static size_t cut(const struct buf *kept, struct body *to, size_t most)
{
	size_t n = 0;

	for (size_t at = 0; at < kept->n && n < most; n++) {
		uint64_t length;

		memcpy(&length, kept->p + at, sizeof length);
		to[n] = (struct body){ kept->p + at + sizeof length, (size_t)length };
		at += sizeof length + (size_t)length;
	}
	return n;
}

static const char **url_of(struct sink_config *c)
{
	switch (c->kind) {
	case SINK_SPLUNK:
		return &c->splunk.url;
	case SINK_ELASTIC:
		return &c->elastic.url;
	case SINK_OTLP:
		return &c->otlp.url;
	default:
		return &c->webhook.url;
	}
}

static void bench_http(struct bench *b, const struct load *l, struct sink_config *c, const char *name, const char *path)
{
	static struct body bodies[TOTAL];
	char url[100], kept_path[300];
	struct spent ours = { 0 }, bare = { 0 };
	struct buf kept;
	struct err e;
	int port, pid;
	size_t n;

	snprintf(kept_path, sizeof kept_path, "%s/bodies", b->folder);
	for (int round = -1; round < b->rounds; round++) { /* the first keeps the bodies */
		struct spent start;

		pid = stand_in_start(round < 0 ? kept_path : NULL, &port);
		snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
		*url_of(c) = url;
		start = spent_now();
		bench_through(c, l);
		if (round < 0) {
			buf_init(&kept, 512u << 20);
			if (file_read(&os_file, kept_path, &kept, &e) < 0)
				die("%s", e.text);
			n = cut(&kept, bodies, TOTAL);
		} else {
			spent_best(&ours, start);
			snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
			start = spent_now();
			bare_curl(url, bodies, n, HTTP_LANES);
			spent_best(&bare, start);
		}
		stand_in_end(pid);
	}
	buf_free(&kept);
	spent_told(name, ours, bare, "bare libcurl and the same bodies");
}

void bench_sinks(struct bench *b)
{
	struct load *l = bench_load_records();
	char token[300];
	int fd;

	snprintf(token, sizeof token, "%s/token", b->folder);
	fd = open(token, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "t\n", 2) != 2 || close(fd) != 0)
		die("%s cannot be made", token);
	say("records through the file sink, in each format");
	for (const struct format *f = formats; f->name; f++)
		bench_file(b, l, f);
	say("records through the sinks over HTTP");
	struct sink_config splunk = { .name = "bench", .kind = SINK_SPLUNK, .format = format_find("ndjson"), .splunk.token_file = token };
	struct sink_config elastic = { .name = "bench", .kind = SINK_ELASTIC, .format = format_find("ecs") };
	struct sink_config otlp = { .name = "bench", .kind = SINK_OTLP, .format = format_find("otlp") };
	struct sink_config webhook = { .name = "bench", .kind = SINK_WEBHOOK, .format = format_find("ndjson") };

	bench_http(b, l, &splunk, "splunk, ndjson", "/services/collector/event");
	bench_http(b, l, &elastic, "elastic, ecs", "/_bulk");
	bench_http(b, l, &otlp, "otlp", "/v1/logs");
	bench_http(b, l, &webhook, "webhook, ndjson", "/");
	bench_unload(l);
}
