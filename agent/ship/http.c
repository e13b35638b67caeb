/* http.c - requests to one receiver, by libcurl.
 *
 * Why: TLS, proxies and the reuse of connections are not ours to write. Promises: nothing waits (names are looked up in a thread of
 * libcurl's); the peer is verified unless the configuration says no; credentials go to the receiver that was named and to nobody else: no
 * redirect is followed, and a proxy gets none of our headers; no header and no address of a request reaches an error.
 * Refuses: TLS below 1.2, other protocols than HTTP, answers above LIMIT_HTTP_ANSWER. */
#include "ship/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "limits.h"
#include "tls/pin.h"

#define TIMEOUT (30 * US_SECOND) /* of a request, when the configuration names none */
#define CONNECT_MOST (10 * US_SECOND)
#define PEM_BYTES (4u << 20) /* Debian's file of all authorities has 220 kB */
#define EVENTS 16

struct http_call {
	struct http_call *next; /* of those that ended, or that wait for their next use */
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	struct buf url, body;
	struct http_answer answer;
	char error[CURL_ERROR_SIZE];
	bool running;
};

struct http {
	const struct sink_config *config;
	const struct clock *clock;
	CURLM *multi;
	int events;       /* epoll: the sockets that libcurl asks about */
	int64_t timer_at; /* monotonic us; 0: none */
	struct curl_slist *headers;
	struct buf ca, cert, key;
	uint8_t pin[32];
	struct tls_pin tls_pin;
	struct http_call *ended, *spare;
};

/* --- the two callbacks through which libcurl is driven --- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	const struct http *h = user;
	struct epoll_event ev = { .data.fd = fd };

	(void)easy;
	(void)socket_user;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(h->events, EPOLL_CTL_DEL, fd, &ev);
		return 0;
	}
	if (what & CURL_POLL_IN)
		ev.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(h->events, EPOLL_CTL_MOD, fd, &ev) != 0)
		(void)epoll_ctl(h->events, EPOLL_CTL_ADD, fd, &ev);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *user)
{
	struct http *h = user;

	(void)multi;
	h->timer_at = ms < 0 ? 0 : clock_monotonic(h->clock) + (int64_t)ms * 1000;
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct http_call *c = user;

	n *= size;
	buf_add(&c->body, p, n);
	c->answer.too_long = c->body.refused;
	return c->body.refused ? 0 : n;
}

static CURLcode on_tls(CURL *easy, void *context, void *user)
{
	const struct http *h = user;

	(void)easy;
	tls_pin_context(context, &h->tls_pin);
	return CURLE_OK;
}

/* --- settings --- */

static int read_pem(struct http *h, const struct os_file_ops *files, const char *path, struct buf *to, struct err *e)
{
	buf_init(to, PEM_BYTES);
	if (!path)
		return 0;
	if (path == h->config->tls.key && file_key_check(files, path, e) < 0)
		return err_prefix(e, "sink %s", h->config->name);
	if (file_read(files, path, to, e) == 0 && to->n)
		return 0;
	if (!to->n) /* nothing to trust is not "whom the system trusts" */
		err_set(e, ERR_USAGE, "%s is empty; it has to hold PEM", path);
	return err_prefix(e, "sink %s", h->config->name);
}

static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

struct http *http_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files, struct err *e)
{
	struct http *h = xcalloc(1, sizeof *h);

	h->config = c;
	h->clock = clock;
	h->events = epoll_create1(EPOLL_CLOEXEC);
	if (h->events < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(h->multi = curl_multi_init()))
		die("libcurl does not start: out of memory or descriptors");
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	if (c->tls.pin && !strstr(curl_version_info(CURLVERSION_NOW)->ssl_version, "OpenSSL")) {
		err_set(e, ERR_USAGE, "sink %s: tls.pin needs a libcurl with OpenSSL", c->name);
		http_free(h);
		return NULL;
	}
	if (read_pem(h, files, c->tls.ca, &h->ca, e) == 0 && read_pem(h, files, c->tls.cert, &h->cert, e) == 0 &&
		read_pem(h, files, c->tls.key, &h->key, e) == 0) {
		if (c->tls.pin && text_unhex(h->pin, sizeof h->pin, c->tls.pin, strlen(c->tls.pin)))
			h->tls_pin = (struct tls_pin){ .digest = h->pin, .chain_too = !c->tls.no_verify };
		return h;
	}
	http_free(h);
	return NULL;
}

static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static void add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		die("out of memory");
	*list = longer;
}

void http_header(struct http *h, const char *start, const struct secret *s)
{
	struct buf b;

	buf_init(&b, 2 * SECRET_MOST + 1024);
	buf_str(&b, start);
	if (s)
		buf_str(&b, secret_text(s));
	add_header(&h->headers, buf_text(&b));
	wipe(&b);
}

void http_basic(struct http *h, const char *user, const struct secret *password)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf plain, b;

	buf_init(&plain, 2 * SECRET_MOST);
	buf_init(&b, 4 * SECRET_MOST);
	buf_room(&plain, strlen(user) + SECRET_MOST + 3); /* one piece of memory, to be wiped */
	buf_room(&b, 2 * (strlen(user) + SECRET_MOST));
	buf_printf(&plain, "%s:%s", user, secret_text(password));
	buf_str(&b, "Authorization: Basic ");
	for (size_t i = 0; i < plain.n; i += 3) {
		size_t left = plain.n - i;
		unsigned a = (unsigned char)plain.p[i], m = left > 1 ? (unsigned char)plain.p[i + 1] : 0, z = left > 2 ? (unsigned char)plain.p[i + 2] : 0;
		unsigned bits = a << 16 | m << 8 | z;

		buf_char(&b, digits[bits >> 18]);
		buf_char(&b, digits[bits >> 12 & 63]);
		buf_char(&b, left > 1 ? digits[bits >> 6 & 63] : '=');
		buf_char(&b, left > 2 ? digits[bits & 63] : '=');
	}
	add_header(&h->headers, buf_text(&b));
	wipe(&b);
	wipe(&plain);
}

/* libcurl knows one name for a receiver: tls.name takes its place in the URL, and the connection goes to the host of the URL. */
static void set_name(struct http_call *c, const char *url, const char *name)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL, *whole = NULL;
	char to[400];

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK && curl_url_set(u, CURLUPART_HOST, name, 0) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK && strlen(host) < 256) {
		(void)snprintf(to, sizeof to, "::%s:%s", host, port);
		add_header(&c->connect_to, to);
		curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to);
		buf_str(&c->url, whole);
	} else {
		buf_str(&c->url, url); /* the request fails, and libcurl says why */
	}
	curl_free(host);
	curl_free(port);
	curl_free(whole);
	curl_url_cleanup(u);
}

static void set_blob(CURL *easy, CURLoption option, const struct buf *b)
{
	struct curl_blob blob = { .data = b->p, .len = b->n, .flags = CURL_BLOB_NOCOPY };

	if (b->n)
		curl_easy_setopt(easy, option, &blob);
}

static void set_tls(const struct http *h, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, h->config->tls.no_verify ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, h->config->tls.no_verify ? 0L : 2L);
	if (h->ca.n) { /* these alone: without this the system's folder would be asked too */
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		set_blob(easy, CURLOPT_CAINFO_BLOB, &h->ca);
	}
	set_blob(easy, CURLOPT_SSLCERT_BLOB, &h->cert);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, &h->key);
	if (h->tls_pin.digest) {
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, h);
	}
}

static void set_all(const struct http *h, struct http_call *c)
{
	int64_t timeout = h->config->timeout ? h->config->timeout : TIMEOUT;
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, h->config->proxy ? h->config->proxy : "");
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a look-up that takes long is left alone, not waited for */
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)((timeout < CONNECT_MOST ? timeout : CONNECT_MOST) / 1000));
	set_tls(h, easy);
}

/* --- a request --- */

static void set_request(const struct http *h, struct http_call *c, const struct http_request *r)
{
	CURL *easy = c->easy;

	if (h->config->tls.name)
		set_name(c, r->url, h->config->tls.name);
	else
		buf_str(&c->url, r->url);
	curl_easy_setopt(easy, CURLOPT_URL, buf_text(&c->url));
	if (!strcmp(r->method, "POST")) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body ? r->body : ""); /* not copied */
	} else if (!strcmp(r->method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	add_header(&c->headers, "Expect:"); /* bodies are small enough to send without asking */
	add_header(&c->headers, "User-Agent: evmend");
	for (const struct curl_slist *l = h->headers; l; l = l->next)
		add_header(&c->headers, l->data);
	for (size_t i = 0; i < r->n_headers; i++)
		add_header(&c->headers, r->headers[i]);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
}

struct http_call *http_begin(struct http *h, const struct http_request *r)
{
	struct http_call *c = h->spare;

	if (c) {
		h->spare = c->next;
	} else {
		c = xcalloc(1, sizeof *c);
		buf_init(&c->body, LIMIT_HTTP_ANSWER);
		buf_init(&c->url, 65536);
		c->easy = curl_easy_init();
		if (!c->easy)
			die("out of memory");
	}
	c->answer = (struct http_answer){ .owner = r->owner, .body = "", .why = "" };
	c->error[0] = '\0';
	set_all(h, c);
	set_request(h, c, r);
	if (curl_multi_add_handle(h->multi, c->easy) != CURLM_OK)
		die("libcurl takes no request");
	c->running = true;
	return c;
}

/* What became of it. */
static void end_call(struct http *h, struct http_call *c, CURLcode code)
{
	struct http_answer *a = &c->answer;
	long status = 0, sent = 0;
	curl_off_t after = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after); /* seconds, also where the receiver gave a date */
	a->reached = sent > 0 && code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST;
	if (code == CURLE_OK || (a->too_long && code == CURLE_WRITE_ERROR)) {
		a->status = (int)status;
		a->retry_after = after <= 0 ? 0 : after > LIMIT_RETRY_AFTER / US_SECOND ? LIMIT_RETRY_AFTER : (int64_t)after * US_SECOND;
	}
	if (a->too_long)
		buf_reset(&c->body);
	a->body = buf_text(&c->body);
	a->n = c->body.n;
	a->why = code == CURLE_OK ? "" : c->error[0] ? c->error : curl_easy_strerror(code);
	if (h->tls_pin.digest && code == CURLE_PEER_FAILED_VERIFICATION && strstr(a->why, "application verification"))
		a->why = "its certificate is not the one of tls.pin; if it was renewed, look at the new one and pin that";
	curl_multi_remove_handle(h->multi, c->easy);
	c->running = false;
	c->next = h->ended;
	h->ended = c;
}

static void go_on(struct http *h)
{
	struct epoll_event ev[EVENTS];
	int running, n = epoll_wait(h->events, ev, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		int what = (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			(ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(h->multi, ev[i].data.fd, what, &running);
	}
	if (h->timer_at && clock_monotonic(h->clock) >= h->timer_at) {
		h->timer_at = 0;
		curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

struct http_call *http_drive(struct http *h)
{
	const CURLMsg *m;
	struct http_call *c;
	int left;

	go_on(h);
	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURLcode code = m->data.result;
		char *mine = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &mine);
		end_call(h, (struct http_call *)(void *)mine, code);
	}
	c = h->ended;
	if (c)
		h->ended = c->next;
	return c;
}

const struct http_answer *http_answer(const struct http_call *c)
{
	return &c->answer;
}

/* Ready for the next request; connections are the multi handle's and stay. */
static void clean_call(struct http *h, struct http_call *c)
{
	if (c->running)
		curl_multi_remove_handle(h->multi, c->easy);
	c->running = false;
	curl_easy_reset(c->easy);
	free_headers(c->headers);
	curl_slist_free_all(c->connect_to);
	c->headers = c->connect_to = NULL;
	if (c->url.p)
		explicit_bzero(c->url.p, c->url.n);
	buf_reset(&c->url);
	buf_free(&c->body);
}

void http_end(struct http *h, struct http_call *c)
{
	struct http_call **at = &h->ended;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	clean_call(h, c);
	c->next = h->spare;
	h->spare = c;
}

int http_fd(const struct http *h)
{
	return h->events;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->ended)
		http_end(h, h->ended);
	while (h->spare) {
		struct http_call *c = h->spare;

		h->spare = c->next;
		curl_easy_cleanup(c->easy);
		buf_free(&c->url);
		free(c);
	}
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	if (h->events >= 0)
		close(h->events);
	free_headers(h->headers);
	wipe(&h->ca);
	wipe(&h->cert);
	wipe(&h->key);
	free(h);
}

const char *http_library(char to[static 64])
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	(void)snprintf(to, 64, "libcurl %s, %s", v->version, v->ssl_version ? v->ssl_version : "without TLS");
	return to;
}
