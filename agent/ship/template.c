/* template.c - a text with places for what a record says.
 *
 * Why: index, topic and sourcetype follow the tenant or the kind of a record. Promises: what a record says, which an attacker may have
 * written, reaches the text only through the caller's rule for that text. Refuses: places that do not exist, when it is checked. */
#include "ship/template.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define LABEL "label."
#define NAME_MOST 100

/* The place that begins at s ("{host}"): its inside in name, how long it is with its braces; 0: it has no end or is too long. */
static size_t place_at(const char *s, char name[static 128])
{
	const char *end = strchr(s, '}');
	size_t n = end ? (size_t)(end - s - 1) : 0;

	if (!n || n >= 128)
		return 0;
	memcpy(name, s + 1, n);
	name[n] = '\0';
	return n + 2;
}

static bool known(const char *name)
{
	static const char *const names[] = { "kind", "host", "level", "cause" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return text_starts(name, LABEL) && name[strlen(LABEL)] && !strpbrk(name, "{=");
}

static const char *value_of(const char *name, const struct sink_config *c, const struct record_view *v)
{
	const char *s = NULL;

	if (text_starts(name, LABEL))
		s = view_label(v, c->labels, c->n_labels, name + strlen(LABEL));
	else
		s = name[0] == 'k' ? v->kind : name[0] == 'h' ? v->host : name[0] == 'l' ? v->level : v->cause;
	return s ? s : "";
}

int template_check(const char *text, struct err *e)
{
	char name[128];

	for (const char *s = text; *s;) {
		size_t n = *s == '{' ? place_at(s, name) : 1;

		if (!n || *s == '}')
			return err_set(e, ERR_USAGE, "'%s' has a brace without its other half; places are {kind} {host} {level} {cause} {label.NAME}", text);
		if (*s == '{' && !known(name))
			return err_set(e, ERR_USAGE, "there is no place {%s}; there are {kind} {host} {level} {cause} {label.NAME}", name);
		s += n;
	}
	return 0;
}

bool template_fixed(const char *text)
{
	return !strchr(text, '{');
}

bool template_label(const char **at, char name[static 128])
{
	while (**at) {
		size_t n = **at == '{' ? place_at(*at, name) : 0;

		*at += n ? n : 1;
		if (n && text_starts(name, LABEL)) {
			memmove(name, name + strlen(LABEL), strlen(name + strlen(LABEL)) + 1);
			return true;
		}
	}
	return false;
}

void template_fill(const char *text, const struct sink_config *c, const struct record_view *v, template_clean *clean, struct buf *to)
{
	char name[128];

	for (const char *s = text; *s;) {
		size_t n = *s == '{' ? place_at(s, name) : 0, before = to->n;

		if (!n) {
			buf_char(to, *s++);
			continue;
		}
		clean(to, value_of(name, c, v));
		if (to->n == before)
			buf_str(to, "none");
		s += n;
	}
}

void template_name(struct buf *to, const char *value)
{
	size_t did = 0;

	for (const char *s = value; *s && did < NAME_MOST; s++) {
		unsigned char u = (unsigned char)*s;
		bool mark = u == '.' || u == '_' || u == '-';
		char put = u < 0x80 && isalnum(u) ? (char)tolower(u) : mark ? (char)u : '_';

		if (!did && !isalnum((unsigned char)put))
			continue;
		buf_char(to, put);
		did++;
	}
}
