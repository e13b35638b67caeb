/* fact.c - facts by name.
 *
 * Exists so that a diagnosis is a list of things looked at, each yes, no or unknown. Promises that a fact that was never
 * set is unknown. Refuses more than FACTS_MAX: that is a mistake in a remedy, and ends the process. */
#include "heal/fact.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

static size_t place(const struct facts *f, const char *name)
{
	size_t i = 0;

	while (i < f->n && strcmp(f->list[i].name, name) != 0)
		i++;
	return i;
}

struct fact *fact_set(struct facts *f, const char *name, enum tri value, const char *where, int64_t when, const char *fmt, ...)
{
	size_t at = place(f, name);
	struct fact *to;
	va_list args;

	if (at == FACTS_MAX)
		die("more than %d facts", FACTS_MAX);
	to = &f->list[at];
	if (at == f->n)
		f->n++;
	memset(to, 0, sizeof(*to));
	to->name = name;
	to->value = value;
	to->when = when;
	text_copy(to->where, sizeof(to->where), where);
	va_start(args, fmt);
	(void)vsnprintf(to->seen, sizeof(to->seen), fmt, args);
	va_end(args);
	return to;
}

enum tri fact_value(const struct facts *f, const char *name)
{
	size_t at = place(f, name);

	return at < f->n ? f->list[at].value : TRI_UNKNOWN;
}

const char *fact_key(const struct facts *f, const char *name)
{
	size_t at = place(f, name);

	return at < f->n ? f->list[at].key : "";
}

const char *fact_seen(const struct facts *f, const char *name)
{
	size_t at = place(f, name);

	return at < f->n ? f->list[at].seen : "";
}

void say_text(char *to, size_t n, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(to, n, fmt, args);
	va_end(args);
}

const char *tri_text(enum tri t)
{
	return t == TRI_YES ? "yes" : t == TRI_NO ? "no" : "unknown";
}
