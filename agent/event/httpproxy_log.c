/* httpproxy_log.c - HttpProxy logs to events: the front end's own record of a hop to the back end that failed.
 *
 * Why: "WebExceptionStatus=SendFailure" in GenericErrors is never translated and names the target server.
 * Promises: columns by the names of #Fields; quoted fields with doubled quotes and line breaks; the repeated header row is skipped.
 * Refuses: rows before #Fields, rows with more columns than it names, rows without a time; logs whose columns are parted by blanks
 * (IIS). A quote that does not close costs its row only: the next line that begins with a time is a new one. */
#include "event/httpproxy_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "event/console_text.h"
#include "limits.h"

void httpproxy_init(struct httpproxy *h)
{
	*h = (struct httpproxy){ 0 };
	buf_init(&h->fields, HTTPPROXY_FIELDS_BYTES);
}

void httpproxy_free(struct httpproxy *h)
{
	buf_free(&h->fields);
	free(h->name);
	free(h->names);
}

static bool digits_at(const char *p, size_t from, size_t to)
{
	for (; from < to; from++)
		if (p[from] < '0' || p[from] > '9')
			return false;
	return true;
}

/* "2018-03-13T": a row's first column. */
static bool starts_row(const char *p, size_t n)
{
	return n > 10 && digits_at(p, 0, 4) && p[4] == '-' && digits_at(p, 5, 7) && p[7] == '-' && digits_at(p, 8, 10) && p[10] == 'T';
}

size_t httpproxy_row(struct httpproxy *h, const char *p, size_t n, bool final)
{
	size_t row;

	while (h->at < n) {
		char c = p[h->at];

		if (c == '\n' && h->quoted && !final && n - h->at < 12)
			return 0; /* is the next line a row? */
		h->at++;
		if (c == '"' && p[0] != '#')
			h->quoted = !h->quoted;
		if (c != '\n' || (h->quoted && !starts_row(p + h->at, n - h->at) && h->at < LIMIT_EVENT_BYTES))
			continue;
		row = h->at;
		h->at = 0;
		h->quoted = false;
		return row;
	}
	if (!final && n < LIMIT_EVENT_BYTES)
		return 0;
	h->at = 0;
	h->quoted = false;
	return n;
}

static size_t trim(const char **p, size_t n)
{
	while (n && (**p == ' ' || **p == '\t'))
		(*p)++, n--;
	while (n && ((*p)[n - 1] == '\r' || (*p)[n - 1] == '\n' || (*p)[n - 1] == ' '))
		n--;
	return n;
}

int httpproxy_fields(struct httpproxy *h, const char *text, size_t n, struct err *e)
{
	size_t columns = 1;
	char *p;

	n = trim(&text, n);
	for (size_t i = 0; i < n; i++)
		columns += text[i] == ',';
	if (columns < 2)
		return err_set(e, ERR_IO, "#Fields has no list with commas: this is no HttpProxy log (IIS logs are not read)");
	if (columns > HTTPPROXY_COLUMNS || n >= HTTPPROXY_FIELDS_BYTES)
		return err_set(e, ERR_IO, "#Fields names %zu columns in %zu bytes; at most %d in %d are read", columns, n,
			HTTPPROXY_COLUMNS, HTTPPROXY_FIELDS_BYTES);
	buf_reset(&h->fields);
	buf_add(&h->fields, text, n);
	free(h->names);
	h->names = xstrndup(text, n);
	h->name = xrealloc(h->name, columns, sizeof(*h->name));
	h->n = 0;
	for (p = h->names; p; ) {
		char *comma = strchr(p, ',');

		h->name[h->n++] = p;
		if (comma)
			*comma++ = '\0';
		p = comma;
	}
	return 0;
}

/* One cell at *p; *value gets it without its quotes. false: a quote that does not close. */
static bool cell(struct arena *a, const char **p, const char *end, const char **value, size_t *len)
{
	const char *s = *p;
	char *to;
	size_t k = 0;

	if (s == end || *s != '"') {
		const char *comma = memchr(s, ',', (size_t)(end - s));

		*p = comma ? comma : end;
		*len = (size_t)(*p - s);
		*value = arena_copy(a, s, *len);
		return true;
	}
	to = arena_alloc(a, (size_t)(end - s) + 1);
	for (s++; s < end; s++) {
		if (*s == '"' && (s + 1 == end || s[1] != '"'))
			break;
		if (*s == '"')
			s++;
		to[k++] = *s;
	}
	if (s == end)
		return false;
	for (s++; s < end && *s != ','; s++) /* text behind the closing quote belongs to the cell as it stands */
		to[k++] = *s;
	*p = s;
	*value = to;
	*len = k;
	return true;
}

static int columns(struct httpproxy *h, struct event_build *b, const char *row, size_t n, struct err *e)
{
	const char *p = row, *end = row + n, *value = "";
	size_t i = 0, len = 0;

	for (;; i++, p++) {
		if (i == h->n)
			return err_set(e, ERR_IO, "the row has more columns than #Fields names (%zu)", h->n);
		if (!cell(b->arena, &p, end, &value, &len))
			return err_set(e, ERR_IO, "a quote in column %zu (%s) does not close", i + 1, h->name[i]);
		build_put(b, BUILD_PAYLOAD, h->name[i], value, len);
		if (p == end)
			return 0;
	}
}

static const struct event_field *column(const struct event_build *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (text_same(b->fields[i].name, name))
			return &b->fields[i];
	return NULL;
}

/* "WebExceptionStatus=SendFailure;..." */
static void exception_status(struct event_build *b)
{
	static const char token[] = "WebExceptionStatus=";
	const struct event_field *f = column(b, "GenericErrors");
	const char *p = f ? strstr(f->value, token) : NULL;
	size_t n = 0;

	if (!p || column(b, "WebExceptionStatus"))
		return;
	p += sizeof(token) - 1;
	while ((p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= 'a' && p[n] <= 'z'))
		n++;
	if (n)
		build_add(b, BUILD_DERIVED, "WebExceptionStatus", p, n);
}

/* "ex1.example:444", "ex1.example~1941996..." and "ex1.example" are the same host. NULL: the column names none. */
static const char *host_of(const struct event_build *b, const char *name)
{
	const struct event_field *f = column(b, name);
	char *host;

	if (!f)
		return NULL;
	host = arena_copy(b->arena, f->value, strcspn(f->value, ":~/;, "));
	return text_host_ok(host) ? host : NULL;
}

int httpproxy_read(struct httpproxy *h, struct event_build *b, const char *row, size_t n, const char *default_host, struct event *ev,
	struct err *e)
{
	static const char fields[] = "#Fields:", first[] = "DateTime,";
	const struct event_field *time;
	const char *computer;

	n = trim(&row, n);
	if (n > sizeof(fields) && !memcmp(row, fields, sizeof(fields) - 1))
		return httpproxy_fields(h, row + sizeof(fields) - 1, n - sizeof(fields) + 1, e);
	if (!n || *row == '#')
		return 0;
	if (n > sizeof(first) && !memcmp(row, first, sizeof(first) - 1))
		return h->n ? 0 : httpproxy_fields(h, row, n, e);
	if (!h->n)
		return err_set(e, ERR_IO, "a row stands before any #Fields line");
	if (columns(h, b, row, n, e))
		return -1;
	time = column(b, "DateTime");
	if (!time || !time_parse(time->value, time->len, &ev->time))
		return err_set(e, ERR_IO, "the row has no time in column DateTime");
	exception_status(b);
	build_traces(b);
	computer = host_of(b, "TargetServer");
	if (!computer)
		computer = host_of(b, "ServerHostName");
	if (!computer)
		computer = arena_copy(b->arena, default_host ? default_host : "", default_host ? strlen(default_host) : 0);
	text_event_system(b, ev, "evmend-text/HttpProxy", 2, computer);
	return 1;
}

bool httpproxy_looks_so(const char *head, size_t n)
{
	static const char *const starts[] = { "#Software:", "#Version:", "#Log-type:", "#Fields:", "#Date:", "DateTime,RequestId," };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (n >= strlen(starts[i]) && !memcmp(head, starts[i], strlen(starts[i])))
			return true;
	return false;
}
