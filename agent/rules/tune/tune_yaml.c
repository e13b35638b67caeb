/* tune_yaml.c - writes a Sigma filter document.
 *
 * Why: what is proposed must load again as exactly the values that were seen.
 * Promises: * and ? of a value are escaped, and so is a backslash before them or before another backslash (Sigma specification,
 * "Escaping"); scalars are quoted for YAML. Refuses: nothing; tune_writable says what it cannot write. */
#include "rules/tune/tune_yaml.h"

#include <string.h>

#include "base/text.h"
#include "tls/digest.h"

bool tune_writable(const char *s, size_t n)
{
	for (size_t i = 0, step; i < n; i += step) {
		uint32_t c;

		step = utf8_step(s + i, n - i, &c);
		if (step == 0 || (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
		    c == 0xfeff || c == 0xfffe || c == 0xffff)
			return false;
	}
	return n > 0;
}

/* The value as a Sigma string. */
static void escape(const char *s, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n; i++) {
		char next = i + 1 < n ? s[i + 1] : '\0';

		if (s[i] == '*' || s[i] == '?' || (s[i] == '\\' && (next == '*' || next == '?' || next == '\\')))
			buf_char(to, '\\');
		buf_char(to, s[i]);
	}
}

/* A YAML scalar in single quotes, or in double ones where it has line ends or tabs. */
static void scalar(const char *s, size_t n, struct buf *to)
{
	bool plain = !memchr(s, '\n', n) && !memchr(s, '\r', n) && !memchr(s, '\t', n);

	buf_char(to, plain ? '\'' : '"');
	for (size_t i = 0; i < n; i++) {
		if (plain && s[i] == '\'')
			buf_str(to, "''");
		else if (plain)
			buf_char(to, s[i]);
		else if (s[i] == '"' || s[i] == '\\')
			buf_printf(to, "\\%c", s[i]);
		else if (s[i] == '\n' || s[i] == '\r' || s[i] == '\t')
			buf_str(to, s[i] == '\n' ? "\\n" : s[i] == '\r' ? "\\r" : "\\t");
		else
			buf_char(to, s[i]);
	}
	buf_char(to, plain ? '\'' : '"');
}

static void text(const char *s, struct buf *to)
{
	scalar(s, strlen(s), to);
}

static void value(const struct tune_value *v, struct buf *to)
{
	struct buf b;

	buf_init(&b, 2 * v->len + 16);
	escape(v->text, v->len, &b);
	scalar(buf_text(&b), b.n, to);
	buf_free(&b);
}

/* A name of its own, the same for the same filter: a UUID of version 8 (RFC 9562), made of the selection's digest. */
static void identity(const char *selection, size_t n, struct buf *to)
{
	struct digest *d = digest_new();
	uint8_t sum[32];
	char hex[65];

	digest_add(d, selection, n);
	digest_finish(d, sum);
	sum[6] = (uint8_t)((sum[6] & 0x0f) | 0x80);
	sum[8] = (uint8_t)((sum[8] & 0x3f) | 0x80);
	text_hex(hex, sum, 16);
	buf_printf(to, "id: %.8s-%.4s-%.4s-%.4s-%.12s\n", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void source(const struct rule *r, struct buf *to)
{
	const char *const keys[] = {"product", "service", "category"}, *const values[] = {r->product, r->service, r->category};

	buf_str(to, "logsource:\n");
	for (size_t i = 0; i < 3; i++)
		if (values[i] && *values[i]) {
			buf_printf(to, "    %s: ", keys[i]);
			text(values[i], to);
			buf_char(to, '\n');
		}
}

static void line(const struct tune_choice *c, struct buf *to)
{
	static const char *const modifiers[] = {"", "|startswith", "|endswith"};

	buf_printf(to, "        %s%s:", c->field, modifiers[c->how]);
	for (size_t i = 0; i < c->n; i++) {
		buf_str(to, c->n > 1 ? "\n            - " : " ");
		value(&c->values[i], to);
	}
	buf_char(to, '\n');
}

void tune_write(const struct rule *r, const struct tune_choice *c, size_t n, struct buf *to)
{
	struct buf b, title;

	buf_init(&b, 1u << 20);
	buf_str(&b, "filter:\n    rules:\n        - ");
	text(*r->id ? r->id : r->name, &b);
	buf_str(&b, "\n    selection:\n");
	for (size_t i = 0; i < n; i++)
		line(&c[i], &b);
	buf_str(&b, "    condition: not selection\n");
	buf_init(&title, 1u << 20);
	buf_printf(&title, "Known and harmless: %s", r->title);
	buf_str(to, "title: ");
	scalar(buf_text(&title), title.n, to);
	buf_char(to, '\n');
	identity(b.p, b.n, to);
	source(r, to);
	buf_add(to, b.p, b.n);
	buf_free(&title);
	buf_free(&b);
}
