/* fake_http.c - a transport whose other end is a function of the test. Keeps the promises of ship/http.h about answers and their memory. */
#include "lib/fake_http.h"

#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_call {
	struct http_call *next;
	struct http_request request;
	struct buf url, headers, body;
	struct http_answer answer;
	bool given;
};

struct http {
	struct http_call *calls; /* oldest first */
	struct buf headers;
};

static fake_http_receiver *receiver;
static void *receiver_arg;
static size_t open_calls;

void fake_http_receive(fake_http_receiver *f, void *arg)
{
	receiver = f;
	receiver_arg = arg;
}

size_t fake_http_open(void)
{
	return open_calls;
}

struct http *http_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files, struct err *e)
{
	struct http *h = xcalloc(1, sizeof *h);

	(void)c;
	(void)clock;
	(void)files;
	(void)e;
	buf_init(&h->headers, 65536);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->calls)
		http_end(h, h->calls);
	buf_free(&h->headers);
	free(h);
}

void http_header(struct http *h, const char *start, const struct secret *s)
{
	buf_printf(&h->headers, "%s%s\n", start, s ? secret_text(s) : "");
}

void http_basic(struct http *h, const char *user, const struct secret *password)
{
	buf_printf(&h->headers, "basic %s:%s\n", user, secret_text(password));
}

struct http_call *http_begin(struct http *h, const struct http_request *r)
{
	struct http_call *c = xcalloc(1, sizeof *c), **at = &h->calls;

	buf_init(&c->url, 65536);
	buf_init(&c->headers, 65536);
	buf_init(&c->body, LIMIT_HTTP_ANSWER);
	buf_str(&c->url, r->url);
	buf_add(&c->headers, h->headers.p, h->headers.n);
	for (size_t i = 0; i < r->n_headers; i++)
		buf_printf(&c->headers, "%s\n", r->headers[i]);
	c->request = *r;
	c->request.url = buf_text(&c->url);
	c->request.headers = NULL;
	c->request.n_headers = 0;
	c->answer = (struct http_answer){ .owner = r->owner, .body = "", .why = "" };
	while (*at)
		at = &(*at)->next;
	*at = c;
	open_calls++;
	return c;
}

struct http_call *http_drive(struct http *h)
{
	for (struct http_call *c = h->calls; c; c = c->next) {
		if (c->given || !receiver(receiver_arg, &c->request, buf_text(&c->headers), &c->answer))
			continue;
		buf_str(&c->body, c->answer.body);
		c->answer.body = buf_text(&c->body);
		c->answer.n = c->body.n;
		c->given = true;
		return c;
	}
	return NULL;
}

const struct http_answer *http_answer(const struct http_call *c)
{
	return &c->answer;
}

void http_end(struct http *h, struct http_call *c)
{
	struct http_call **at = &h->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	buf_free(&c->url);
	buf_free(&c->headers);
	buf_free(&c->body);
	free(c);
	open_calls--;
}

int http_fd(const struct http *h)
{
	(void)h;
	return -1;
}
