/* http_check.c - is a receiver over HTTP there, and would it take records from us?
 *
 * Why: whoever configures one wants to know before something has happened. Promises: no record is sent; the request goes the way that records
 * will go, with the same credentials and the same verification. Refuses nothing. */
#include <stdio.h>
#include <string.h>

#include "ship/http_inside.h"

static int say_check(struct http_sink *h, const struct http_answer *a, struct buf *says, struct err *e)
{
	struct http_verdict v = { .bad = HTTP_UNNAMED, .held = -1 };

	if (!a->status)
		return err_set(e, ERR_IO, "%s", a->why);
	if (!h->kind->probe && a->status == 405) { /* it takes nothing but POST, and that would be a record */
		buf_str(says, ", it answers");
		return 0;
	}
	switch (h->kind->probe ? h->kind->judge(h, a, &v) : http_means_of(a->status)) {
	case HTTP_ITEMS:
	case HTTP_BAD: /* an empty request is one, for some */
	case HTTP_SMALLER:
		buf_str(says, ", it answers");
		return 0;
	case HTTP_AGAIN:
		return err_set(e, ERR_IO, "it does not take records now (HTTP %d)", a->status);
	case HTTP_ALARM:
		break;
	}
	if (a->status == 401 || a->status == 403)
		return err_set(e, ERR_REFUSED, "it refuses our credentials (HTTP %d)", a->status);
	if (v.why[0])
		return err_set(e, ERR_IO, "%s", v.why);
	return err_set(e, ERR_IO, "there is no such receiver at this address (HTTP %d)", a->status);
}

int http_sink_check(struct sink *s, const struct http_kind *kind, int64_t until, struct buf *says, struct err *e)
{
	struct http_sink *h;
	struct http_call *c, *done = NULL;
	struct buf lines;
	char media[120];
	const char *headers[1 + HTTP_LINES] = { media };
	struct http_request r = { .method = "HEAD", .headers = headers };
	int code;

	if (http_sink_open(s, kind, e) < 0)
		return -1;
	h = s->self;
	r.url = buf_text(&h->url);
	buf_init(&lines, 4096);
	if (kind->probe) {
		(void)snprintf(media, sizeof media, "Content-Type: %s", kind->media);
		r.method = "POST";
		r.body = kind->probe;
		r.n = strlen(kind->probe);
		r.n_headers = 1 + http_lines(h, NULL, r.body, r.n, &lines, headers + 1);
	}
	c = http_begin(h->http, &r);
	buf_free(&lines);
	while (!(done = http_drive(h->http)) && clock_monotonic(s->clock) < until) {
		struct os_poll p = { .fd = http_fd(h->http), .want_read = true };

		os_process.wait_ready(&p, 1, 20);
	}
	code = done ? say_check(h, http_answer(c), says, e) : err_set(e, ERR_IO, "it does not answer in time");
	http_end(h->http, c);
	return code;
}

void http_join(struct buf *to, const char *url, const char *path)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	buf_add(to, url, n);
	buf_str(to, path);
}
