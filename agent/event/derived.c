/* derived.c - making the fields that one kind of event lacks.
 *
 * Why: a process creation of the audit log has the same facts as one of Sysmon, in other pieces; rules know the latter.
 * Promises: only fields that a rule asks for are made, and only of fields of the payload; keyword search does not see them.
 * Refuses: a text beyond 4 KB: no name of Windows is as long. */
#include "event/derived.h"

#include <string.h>

#include "base/text.h"
#include "event/event_build.h"
#include "limits.h"

static const struct event_field *payload(const struct event_build *b, const char *name, size_t len)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->fields[i].system && text_same_n(b->fields[i].name, strlen(b->fields[i].name), name, len))
			return &b->fields[i];
	return NULL;
}

/* "{Domain}\{Name}" into b->scratch; false when a field is missing, empty or "-". */
static bool fill(struct event_build *b, const char *text)
{
	buf_reset(&b->scratch);
	for (const char *p = text; *p; p++) {
		size_t len = strcspn(p + 1, "}");

		if (*p != '{') {
			buf_char(&b->scratch, *p);
			continue;
		}
		const struct event_field *f = payload(b, p + 1, len);

		if (!f || f->len == 0 || strcmp(f->value, "-") == 0)
			return false;
		buf_add(&b->scratch, f->value, f->len);
		p += len + (p[len + 1] == '}');
	}
	return !b->scratch.refused;
}

static void put_text(struct event_build *b, const struct derived *d)
{
	for (size_t i = 0; i < d->n_texts; i++)
		if (fill(b, d->texts[i])) {
			build_add(b, BUILD_DERIVED, d->name, buf_text(&b->scratch), b->scratch.n);
			return;
		}
}

static void put_words(struct event_build *b, const struct derived *d)
{
	size_t n = b->n;

	for (size_t i = 0; i < n; i++) {
		const struct event_field f = b->fields[i]; /* a copy: the table may move */

		if (f.system || !text_same(f.name, d->of))
			continue;
		build_put(b, BUILD_DERIVED, d->name, f.value, f.len);
		for (size_t w = 0; w < d->n_words; w++)
			if (text_same(f.value, d->words[2 * w]))
				build_put(b, BUILD_DERIVED, d->name, d->words[2 * w + 1], strlen(d->words[2 * w + 1]));
	}
}

void build_derived(struct event_build *b, const struct event *ev)
{
	size_t n = 0;
	const struct derived *list = b->names ? names_derived(b->names, &n) : NULL;

	for (size_t i = 0; i < n; i++) {
		const struct derived *d = &list[i];

		if (d->event_id != ev->event_id || !text_same(d->channel, ev->channel) ||
		    !build_wanted(b, build_name(b, d->name, strlen(d->name))))
			continue;
		if (d->of)
			put_words(b, d);
		else
			put_text(b, d);
	}
}
