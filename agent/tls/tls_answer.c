/* tls_answer.c - one GET over a handshake that has succeeded, and what of its answer is kept.
 *
 * Exists because a handshake alone does not prove that anybody is at home behind it. Promises a status or none, and the header
 * lines that matter, cleaned; reads at most 16 kB, and no longer than the knock may last, however slowly they come.
 * Refuses to follow redirects and to send anything of an event. */
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls/knock.h"

#define ANSWER_BYTES (16 * 1024) /* IIS refuses heads above 16 kB as well */

/* Which lines are kept, and where: diagnosis reads the first list, people the second one as well. */
static const char *const hop_lines[] = {"X-FEServer:", "X-BEServer:", "X-CalculatedBETarget:"};
static const char *const other_lines[] = {"Server:", "Location:", "WWW-Authenticate:", "X-OWA-Version:", "X-Powered-By:", "Retry-After:"};

static bool wanted(const char *line, size_t n, const char *const *list, size_t many)
{
	for (size_t i = 0; i < many; i++)
		if (n >= strlen(list[i]) && text_same_n(line, strlen(list[i]), list[i], strlen(list[i])))
			return true;
	return false;
}

static void keep(char *to, size_t size, const char *line, size_t n)
{
	size_t have = strlen(to);

	if (have + n + 2 > size)
		return;
	if (have)
		to[have++] = '\n';
	for (size_t i = 0; i < n; i++)
		to[have++] = line[i] >= ' ' && line[i] < 0x7f ? line[i] : '?';
	to[have] = '\0';
}

static void keep_line(struct probe_result *to, const char *line, size_t n)
{
	if (wanted(line, n, hop_lines, sizeof hop_lines / sizeof hop_lines[0]))
		keep(to->answer_header, sizeof to->answer_header, line, n);
	else if (wanted(line, n, other_lines, sizeof other_lines / sizeof other_lines[0]))
		keep(to->other_header, sizeof to->other_header, line, n);
}

static void read_head(struct probe_result *to, const char *p, size_t n)
{
	int64_t status;
	const char *end = p + n;
	bool first = true;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

		if (len && p[len - 1] == '\r')
			len--;
		if (len == 0)
			return;
		if (first && (len < 12 || strncmp(p, "HTTP/1.", 7) != 0 || !text_int(p + 9, 3, &status) || status < 100)) {
			knock_say(to, "the answer is not HTTP", 0);
			return;
		}
		if (first)
			to->http_status = (int)status;
		else
			keep_line(to, p, len);
		first = false;
		p = nl ? nl + 1 : end;
	}
}

/* true: waited for what OpenSSL wants, try again. false: it is over, by error, end or time (*late). */
static bool again(struct knock *k, int r, int64_t deadline, bool *late)
{
	int why = SSL_get_error(k->ssl, r);

	*late = false;
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return false;
	*late = !knock_wait(k, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
	return !*late;
}

static bool send_request(struct knock *k, const char *host, int64_t deadline)
{
	bool six = strchr(host, ':') != NULL, late;
	char out[1024];
	int n = snprintf(out, sizeof out,
		"GET %s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: evmend\r\nAccept: */*\r\nConnection: close\r\n\r\n", k->target->path,
		six ? "[" : "", host, six ? "]" : ""), r;

	if (n < 0 || (size_t)n >= sizeof out)
		return false;
	do
		r = SSL_write(k->ssl, out, n);
	while (r <= 0 && again(k, r, deadline, &late));
	return r > 0;
}

static void no_answer(struct knock *k, bool late)
{
	if (late)
		knock_say(k->to, "the request was not answered in time", 0);
	else
		knock_failure(k, "the request was not answered");
}

/* A server that has said no and gone may have left its reason where it still can be read: an alert. */
static void not_sent(struct knock *k)
{
	static const char what[] = "the request could not be sent";
	int error = k->error;
	char byte;

	ERR_clear_error();
	k->error = 0;
	if (SSL_read(k->ssl, &byte, 1) > 0 || knock_failure(k, what) != TLS_ALERT)
		knock_say(k->to, what, error);
}

void knock_request(struct knock *k, const char *host)
{
	char in[ANSWER_BYTES];
	size_t have = 0;
	int64_t deadline = knock_deadline(k);
	bool late = false;

	ERR_clear_error();
	k->error = 0;
	if (!send_request(k, host, deadline)) {
		not_sent(k);
		return;
	}
	while (have < sizeof in) {
		int r = SSL_read(k->ssl, in + have, (int)(sizeof in - have));

		if (r <= 0 && again(k, r, deadline, &late))
			continue;
		if (r <= 0)
			break;
		have += (size_t)r;
		if (text_has(in, have, "\r\n\r\n"))
			break;
	}
	if (have == 0)
		no_answer(k, late);
	ERR_clear_error();
	read_head(k->to, in, have);
}
