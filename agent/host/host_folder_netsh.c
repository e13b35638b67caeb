/* host_folder_netsh.c - HTTP.SYS's records from the text of `netsh http show sslcert`, in any language.
 *
 * Exists because that text is what people send. Its labels are translated and its bytes may be of any code page, so it is read by
 * shape: a row begins with ADDRESS:PORT, [ADDRESS]:PORT, NAME:PORT or, for the central store, a bare port at the start of a block; the
 * thumbprint, the application and the store follow, each the value of its line.
 * Promises: rows in the order of the text. Refuses a text without any row, and a row that is cut short: what is missing at the end of a
 * paste is not "no record". */
#include <string.h>

#include "base/text.h"
#include "host/host_folder_inside.h"

#define VALUE 300

struct reader {
	struct host_state *s;
	struct host_record *r; /* the row that is being read; NULL: none */
	enum { WANT_HASH, WANT_APPID, WANT_STORE, DONE } want;
	unsigned line;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\0' || c == '\f';
}

/* What stands behind the last ':' that has a blank behind it, else the whole line; without blanks around it. */
static const char *value_of(const char *line, size_t n, size_t *len)
{
	size_t from = 0;

	while (n && blank(line[n - 1]))
		n--;
	for (size_t i = 0; i + 1 < n; i++)
		if (line[i] == ':' && blank(line[i + 1]))
			from = i + 1;
	while (from < n && blank(line[from]))
		from++;
	*len = n - from;
	return line + from;
}

static bool port_of(const char *s, size_t n, uint16_t *port)
{
	int64_t v;

	if (n < 1 || n > 5 || !text_int(s, n, &v) || v < 1 || v > 65535)
		return false;
	*port = (uint16_t)v;
	return true;
}

static size_t span(const char *s, size_t n, const char *letters)
{
	size_t i = 0;

	while (i < n && s[i] && strchr(letters, s[i]))
		i++;
	return i;
}

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* "0.0.0.0:444", "[::]:444"; and, with *name set, "mail.contoso.example:443" or "*.contoso.example:443". */
static bool is_endpoint(const char *v, size_t n, uint16_t *port, bool *name)
{
	size_t host = n;

	while (host && v[host - 1] != ':')
		host--;
	if (host < 2 || !port_of(v + host, n - host, port))
		return false;
	host--;
	*name = false;
	if (v[0] == '[')
		return v[host - 1] == ']' && host > 3 && span(v + 1, host - 2, HEX ":.%") == host - 2;
	if (span(v, host, DIGITS ".") == host)
		return memchr(v, '.', host) != NULL;
	*name = true;
	return span(v, host, LETTERS DIGITS "*._-") == host;
}

static bool is_appid(const char *v, size_t n)
{
	return n == 38 && v[0] == '{' && v[37] == '}' && span(v + 1, 36, HEX "-") == 36;
}

/* "(null)", in whatever words. */
static bool is_none(const char *v, size_t n)
{
	return n > 2 && v[0] == '(' && v[n - 1] == ')';
}

static int row_is_cut(const struct reader *r, struct err *e)
{
	static const char *const words[] = {"thumbprint", "application", "certificate store", ""};

	return err_set(e, ERR_IO, "line %u: the record for %s ends before its %s; send the whole text", r->line, r->r->endpoint,
		words[r->want]);
}

static int begin_row(struct reader *r, const char *v, size_t n, uint16_t port, bool name, bool ccs, struct err *e)
{
	if (r->r && r->want != DONE)
		return row_is_cut(r, e);
	if (r->s->n_records == HOST_RECORDS)
		return err_set(e, ERR_IO, "line %u: more than %d records", r->line, HOST_RECORDS);
	if (n >= sizeof(r->r->endpoint))
		return err_set(e, ERR_IO, "line %u: a name of %zu bytes", r->line, n);
	r->r = &r->s->records[r->s->n_records++];
	memset(r->r, 0, sizeof(*r->r));
	text_copy(r->r->endpoint, n + 1, v);
	r->r->port = port;
	r->r->sni = name;
	r->r->ccs = ccs;
	text_copy(r->r->store, sizeof(r->r->store), "MY");
	r->want = WANT_HASH;
	return 0;
}

/* The next of thumbprint, application and store. Without a thumbprint a row is one of the central store. */
static int go_on(struct reader *r, const char *v, size_t n, struct err *e)
{
	switch (r->want) {
	case WANT_HASH:
		if (!text_unhex(r->r->thumbprint, 20, v, n) && !is_none(v, n))
			return row_is_cut(r, e);
		r->r->ccs = r->r->ccs || is_none(v, n);
		r->want = WANT_APPID;
		break;
	case WANT_APPID:
		if (!is_appid(v, n))
			return row_is_cut(r, e);
		text_copy(r->r->appid, n + 1, v);
		r->want = WANT_STORE;
		break;
	case WANT_STORE:
		if (n == 0 || n >= sizeof(r->r->store))
			return row_is_cut(r, e);
		if (!is_none(v, n) && !text_same_n(v, n, "MY", 2))
			text_copy(r->r->store, n + 1, v);
		r->want = DONE;
		break;
	case DONE:
		break;
	}
	return 0;
}

static int take_line(struct reader *r, const char *line, size_t n, bool first_of_block, struct err *e)
{
	uint16_t port;
	bool name = false;
	size_t len;
	const char *v = value_of(line, n, &len);

	if (len == 0 && r->want != WANT_STORE)
		return 0;
	if (len >= VALUE)
		return err_set(e, ERR_IO, "line %u is no line of netsh: %zu bytes", r->line, len);
	if (is_endpoint(v, len, &port, &name))
		return begin_row(r, v, len, port, name, false, e);
	if (first_of_block && v != line && port_of(v, len, &port) && (r->r == NULL || r->want == DONE))
		return begin_row(r, v, len, port, false, true, e);
	return r->r ? go_on(r, v, len, e) : 0;
}

int folder_netsh(const char *text, size_t n, struct host_state *s, struct err *e)
{
	struct reader r = {.s = s, .want = DONE};
	bool after_blank = true;

	s->n_records = 0;
	for (size_t at = 0, end; at < n; at = end + 1) {
		const char *newline = memchr(text + at, '\n', n - at);
		size_t used;

		end = newline ? (size_t)(newline - text) : n;
		r.line++;
		used = end - at;
		while (used && blank(text[at + used - 1]))
			used--;
		if (used == 0) {
			after_blank = true;
			continue;
		}
		if (take_line(&r, text + at, used, after_blank, e) < 0)
			return -1;
		after_blank = false;
	}
	if (r.r && r.want != DONE)
		return row_is_cut(&r, e);
	if (s->n_records == 0)
		return err_set(e, ERR_IO, "no record is in it: it is not what `netsh http show sslcert` prints");
	s->known |= HOST_PART_RECORDS;
	return 0;
}
