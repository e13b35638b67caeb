/* event_xml.c - Event XML to fields, by a SAX parser and a scope.
 *
 * Why: no tree is needed; the place of an element (System, EventData, UserData) says what its text means.
 * Promises: names as event.h says; text comes with CR, LF and TAB as they were; rendered text (RenderingInfo) and
 * ProcessingErrorData make no fields, so that a translated "Level" cannot pass for the real one.
 * Refuses: a slice without <System>, with two, or with more than LIMIT_EVENT_FIELDS fields; values are cut at LIMIT_FIELD_BYTES. */
#include "event/event_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xml.h"
#include "event/derived.h"
#include "limits.h"

enum scope {
	IN_EVENT,  /* between its children, or in one that makes no fields */
	IN_SYSTEM,
	IN_DATA,   /* EventData, between its children */
	IN_VALUE,  /* inside one <Data> */
	IN_TREE,   /* UserData, and children of EventData that are not Data: leaves are fields */
};

struct level {
	const char *name; /* in the arena; set in IN_TREE and IN_SYSTEM only */
	bool parent;      /* has children: no leaf */
};

struct event_xml {
	struct xml_parser *parser;
	struct event_build *b;
	struct buf value;
	/* of the event that is being read */
	struct event *ev;
	struct err *e;
	enum scope scope;
	size_t depth;      /* of the element we are in; <Event> is 1 */
	size_t scope_depth; /* where IN_VALUE or IN_TREE began */
	struct level level[LIMIT_XML_DEPTH + 2];
	const char *data_name; /* of this <Data>; NULL: it has none */
	unsigned unnamed;      /* <Data> without Name so far */
	bool from_eventdata;   /* IN_TREE began under EventData */
	bool has_system, has_time, has_user_id;
};

struct event_xml *event_xml_new(struct event_build *b)
{
	struct event_xml *x = xcalloc(1, sizeof(*x));

	x->parser = xml_new();
	x->b = b;
	buf_init(&x->value, LIMIT_EVENT_BYTES + 4096);
	return x;
}

void event_xml_free(struct event_xml *x)
{
	if (!x)
		return;
	xml_free(x->parser);
	buf_free(&x->value);
	free(x);
}

static const char *keep(struct event_xml *x, const char *s)
{
	return arena_copy(x->b->arena, s, strlen(s));
}

static const struct xml_attribute *attribute(const struct xml_attribute *a, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(a[i].name, name))
			return &a[i];
	return NULL;
}

static const char *joined(struct event_xml *x, const char *element, const char *attribute_name)
{
	size_t a = strlen(element), b = strlen(attribute_name);
	char *to = arena_alloc(x->b->arena, a + b + 2);

	memcpy(to, element, a);
	to[a] = '_';
	memcpy(to + a + 1, attribute_name, b + 1);
	return to;
}

/* --- System --- */

static void system_attribute(struct event_xml *x, const char *element, const struct xml_attribute *a)
{
	const char *value = build_add(x->b, BUILD_SYSTEM, joined(x, element, a->name), a->value, a->len);
	int64_t time;

	if (!strcmp(element, "Provider") && !strcmp(a->name, "Name")) {
		x->ev->provider = value;
		if (x->b->names && build_wanted(x->b, "ProviderName"))
			build_put(x->b, BUILD_SYSTEM | BUILD_DERIVED, "ProviderName", value, a->len);
	} else if (!strcmp(element, "TimeCreated") && !strcmp(a->name, "SystemTime")) {
		build_put(x->b, BUILD_SYSTEM | BUILD_DERIVED, "TimeCreated", value, a->len);
		if (time_parse(a->value, a->len, &time)) {
			x->ev->time = time;
			x->has_time = true;
		}
	} else if (!strcmp(element, "Security") && !strcmp(a->name, "UserID")) {
		build_put(x->b, BUILD_SYSTEM | BUILD_DERIVED, "UserID", value, a->len);
	}
}

/* Elements of System that carry attributes and never text. */
static bool only_attributes(const char *name)
{
	static const char *const names[] = { "Provider", "TimeCreated", "Correlation", "Execution", "Security" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool number(const struct buf *value, int64_t max, int64_t *to)
{
	const char *s = buf_text(value);
	size_t n = value->n;

	while (n && (unsigned char)*s <= ' ')
		s++, n--;
	while (n && (unsigned char)s[n - 1] <= ' ')
		n--;
	return text_int(s, n, to) && *to >= 0 && *to <= max;
}

static void system_element(struct event_xml *x, const char *name)
{
	const char *value = build_add(x->b, BUILD_SYSTEM, name, buf_text(&x->value), x->value.n);
	struct event *ev = x->ev;
	int64_t v;

	if (!strcmp(name, "EventID")) {
		ev->event_id = number(&x->value, UINT32_MAX, &v) ? (uint32_t)v : 0;
	} else if (!strcmp(name, "Level")) {
		ev->level = number(&x->value, 5, &v) ? (int)v : -1;
	} else if (!strcmp(name, "EventRecordID")) {
		ev->record_id = number(&x->value, INT64_MAX, &v) ? (uint64_t)v : 0;
	} else if (!strcmp(name, "Channel")) {
		ev->channel = value;
	} else if (!strcmp(name, "Computer")) {
		ev->computer = value;
		if (x->b->names && build_wanted(x->b, "ComputerName"))
			build_put(x->b, BUILD_SYSTEM | BUILD_DERIVED, "ComputerName", value, strlen(value));
	}
}

/* --- payload --- */

/* <Data> without a name: "Data" for the any-value question, "Data[2]" for its place, and param2 where a rule asks for it. */
static void unnamed_data(struct event_xml *x)
{
	const char *value = build_add(x->b, BUILD_PAYLOAD, "Data", buf_text(&x->value), x->value.n);
	size_t len = strlen(value); /* NUL never passes event_clean */
	char param[16];

	x->unnamed++;
	build_put(x->b, BUILD_DERIVED, arena_printf(x->b->arena, "Data[%u]", x->unnamed), value, len);
	snprintf(param, sizeof(param), "param%u", x->unnamed);
	if (build_wanted(x->b, param) && !build_has(x->b, param))
		build_put(x->b, BUILD_DERIVED, keep(x, param), value, len);
}

/* An attribute in UserData: its own name unless something else has it, and Element_Attribute. */
static void tree_attribute(struct event_xml *x, const char *element, const struct xml_attribute *a)
{
	struct event_build *b = x->b;
	const char *both = joined(x, element, a->name), *value;
	bool taken = false;

	for (size_t i = 0; i < b->n && !taken; i++)
		taken = !b->fields[i].system && text_same(b->fields[i].name, a->name) &&
			!(b->origin[i] && !strcmp(b->origin[i], element));
	value = build_add(b, BUILD_PAYLOAD, taken ? both : keep(x, a->name), a->value, a->len);
	if (taken)
		return;
	if (!b->full)
		b->origin[b->n - 1] = element;
	build_put(b, BUILD_DERIVED, both, value, strlen(value));
}

static void start_value(struct event_xml *x, const struct xml_attribute *a, size_t n)
{
	const struct xml_attribute *name = attribute(a, n, "Name");

	x->scope = IN_VALUE;
	x->scope_depth = x->depth;
	x->data_name = name && name->len ? arena_copy(x->b->arena, name->value, name->len) : NULL;
}

static void start_tree(struct event_xml *x, const char *name, const struct xml_attribute *a, size_t n)
{
	x->level[x->depth].name = keep(x, name);
	x->level[x->depth].parent = false;
	x->level[x->depth - 1].parent = true;
	for (size_t i = 0; i < n; i++)
		tree_attribute(x, x->level[x->depth].name, &a[i]);
}

/* --- the three calls of the parser --- */

static int start_section(struct event_xml *x, const char *name, const struct xml_attribute *a, size_t n)
{
	if (!strcmp(name, "System")) {
		if (x->has_system)
			return err_set(x->e, ERR_IO, "the event has two <System> elements");
		x->has_system = true;
		x->scope = IN_SYSTEM;
	} else if (!strcmp(name, "EventData")) {
		const struct xml_attribute *template = attribute(a, n, "Name");

		x->scope = IN_DATA;
		if (template)
			build_add(x->b, BUILD_PAYLOAD, "EventData_Name", template->value, template->len);
	} else if (!strcmp(name, "UserData")) {
		x->scope = IN_TREE;
		x->scope_depth = x->depth;
		x->from_eventdata = false;
		x->level[x->depth].parent = true;
	}
	return 0;
}

static int on_start(void *arg, const char *name, const struct xml_attribute *a, size_t n)
{
	struct event_xml *x = arg;

	if (++x->depth > LIMIT_XML_DEPTH)
		return err_set(x->e, ERR_IO, "elements are nested deeper than %d", LIMIT_XML_DEPTH);
	if (x->scope != IN_VALUE)
		buf_reset(&x->value);
	if (x->depth == 1)
		return strcmp(name, "Event") ? err_set(x->e, ERR_IO, "the element is <%s>, not <Event>", name) : 0;
	if (x->depth == 2)
		return start_section(x, name, a, n);
	switch (x->scope) {
	case IN_SYSTEM:
		if (x->depth != 3)
			break;
		x->level[3].name = keep(x, name);
		for (size_t i = 0; i < n; i++)
			system_attribute(x, x->level[3].name, &a[i]);
		break;
	case IN_DATA:
		if (!strcmp(name, "Data") || !strcmp(name, "ComplexData")) {
			start_value(x, a, n);
			break;
		}
		x->scope = IN_TREE;
		x->scope_depth = x->depth;
		x->from_eventdata = true;
		start_tree(x, name, a, n);
		break;
	case IN_TREE:
		start_tree(x, name, a, n);
		break;
	default:
		break;
	}
	return x->b->full ? err_set(x->e, ERR_IO, "the event has more than %d fields", LIMIT_EVENT_FIELDS) : 0;
}

static int on_text(void *arg, const char *text, size_t n)
{
	struct event_xml *x = arg;

	if (x->scope != IN_EVENT)
		buf_add(&x->value, text, n);
	return 0;
}

static void end_tree(struct event_xml *x)
{
	struct level *here = &x->level[x->depth];

	if (!here->parent)
		build_add(x->b, BUILD_PAYLOAD, here->name, buf_text(&x->value), x->value.n);
	buf_reset(&x->value);
	if (x->depth == x->scope_depth)
		x->scope = x->from_eventdata ? IN_DATA : IN_EVENT;
}

static int on_end(void *arg, const char *name)
{
	struct event_xml *x = arg;

	(void)name;
	switch (x->scope) {
	case IN_SYSTEM:
		if (x->depth == 3 && !only_attributes(x->level[3].name))
			system_element(x, x->level[3].name);
		break;
	case IN_VALUE:
		if (x->depth != x->scope_depth)
			break;
		if (x->data_name)
			build_add(x->b, BUILD_PAYLOAD, x->data_name, buf_text(&x->value), x->value.n);
		else
			unnamed_data(x);
		x->scope = IN_DATA;
		break;
	case IN_TREE:
		end_tree(x);
		break;
	default:
		break;
	}
	if (x->depth == 2)
		x->scope = IN_EVENT;
	x->depth--;
	return 0;
}

int event_xml_read(struct event_xml *x, const char *text, size_t n, struct event *ev, struct err *e)
{
	static const struct xml_handler handler = { on_start, on_end, on_text };

	x->ev = ev;
	x->e = e;
	x->scope = IN_EVENT;
	x->depth = x->scope_depth = 0;
	x->unnamed = 0;
	x->has_system = x->has_time = false;
	buf_reset(&x->value);
	ev->provider = ev->channel = ev->computer = "";
	ev->level = -1;
	if (xml_parse(x->parser, text, n, &handler, x, e))
		return -1;
	if (!x->has_system)
		return err_set(e, ERR_IO, "the event has no <System> element");
	build_traces(x->b);
	build_spellings(x->b);
	build_derived(x->b, ev);
	if (x->b->full)
		return err_set(e, ERR_IO, "the event has more than %d fields", LIMIT_EVENT_FIELDS);
	if (!x->has_time)
		ev->flags |= EVENT_NO_TIME;
	return 0;
}
