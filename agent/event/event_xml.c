/* event_xml.c - Event XML to fields, by a SAX parser and a scope.
 *
 * Why: no tree is needed; the place of an element (System, EventData, UserData) says what its text means.
 * Promises: names as event.h says; text comes with CR, LF and TAB as they were; rendered text (RenderingInfo) and
 * ProcessingErrorData make no fields, so that a translated "Level" cannot pass for the real one.
 * Refuses: a slice without <System>, with two, or with more than LIMIT_EVENT_FIELDS fields. */
#include "event/event_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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
	const struct field_name *name; /* set in IN_TREE and IN_SYSTEM only */
	bool parent;                   /* has children: no leaf */
};

#define MET 512 /* names of elements and attributes by their pointers; a power of two */
#define MET_SHIFT (64 - 9)

/* A name that the parser gave, or (element, attribute). */
struct met {
	const struct field_name *element; /* NULL: the name alone */
	const char *name;
	const struct field_name *is;
};

#define UNNAMED_KNOWN 16 /* <Data> without a name: how many are named without writing */

/* Names that mean something here; a name of an event is one of them when it is the same pointer. */
struct known {
	const struct field_name *provider, *time_created, *correlation, *execution, *security;
	const struct field_name *event_id, *level, *record_id, *channel, *computer;
	const struct field_name *provider_name, *computer_name, *user_id;
	const struct field_name *of_provider, *of_time, *of_security; /* their attributes */
	const struct field_name *data, *complex_data, *name, *nth[UNNAMED_KNOWN], *param[UNNAMED_KNOWN];
};

struct event_xml {
	struct xml_parser *parser;
	struct event_build *b;
	struct known known;
	struct met met[MET];
	unsigned generation; /* of the parser's pointers in met */
	/* the text of the element so far: mostly one piece, which is in the arena already; several are put together in `value` */
	const char *piece;
	size_t piece_n;
	struct buf value;
	/* of the event that is being read */
	struct event *ev;
	struct err *e;
	enum scope scope;
	size_t depth;      /* of the element we are in; <Event> is 1 */
	size_t scope_depth; /* where IN_VALUE or IN_TREE began */
	struct level level[LIMIT_XML_DEPTH + 2];
	const struct field_name *data_name; /* of this <Data>; NULL: it has none */
	unsigned unnamed;      /* <Data> without Name so far */
	bool from_eventdata;   /* IN_TREE began under EventData */
	bool has_system, has_time;
};

/* before, n, after: "Data[1]", "param1" */
static const struct field_name *nth_name(const struct event_build *b, const char *before, unsigned n, const char *after)
{
	char s[32];
	int len = snprintf(s, sizeof s, "%s%u%s", before, n, after);

	return build_name(b, s, (size_t)len);
}

static void know(struct known *k, const struct event_build *b)
{
	const struct {
		const struct field_name **to;
		const char *name;
	} all[] = {
		{ &k->provider, "Provider" }, { &k->time_created, "TimeCreated" }, { &k->correlation, "Correlation" },
		{ &k->execution, "Execution" }, { &k->security, "Security" }, { &k->event_id, "EventID" }, { &k->level, "Level" },
		{ &k->record_id, "EventRecordID" }, { &k->channel, "Channel" }, { &k->computer, "Computer" },
		{ &k->provider_name, "ProviderName" }, { &k->computer_name, "ComputerName" }, { &k->user_id, "UserID" },
		{ &k->of_provider, "Provider_Name" }, { &k->of_time, "TimeCreated_SystemTime" }, { &k->of_security, "Security_UserID" },
		{ &k->data, "Data" }, { &k->complex_data, "ComplexData" }, { &k->name, "Name" },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		*all[i].to = build_name(b, all[i].name, strlen(all[i].name));
	for (unsigned i = 0; i < UNNAMED_KNOWN; i++) {
		k->nth[i] = nth_name(b, "Data[", i + 1, "]");
		k->param[i] = nth_name(b, "param", i + 1, "");
	}
}

struct event_xml *event_xml_new(struct event_build *b)
{
	struct event_xml *x = xcalloc(1, sizeof(*x));

	x->parser = xml_new();
	x->b = b;
	buf_init(&x->value, LIMIT_XML_BYTES);
	know(&x->known, b);
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

static struct met *place(struct event_xml *x, const struct field_name *element, const char *name)
{
	uint64_t key = (uint64_t)(uintptr_t)name + ((uint64_t)(uintptr_t)element << 1);

	return &x->met[key * UINT64_C(0x9e3779b97f4a7c15) >> MET_SHIFT];
}

/* name: a pointer of the parser's. */
static const struct field_name *named(struct event_xml *x, const char *name)
{
	struct met *m = place(x, NULL, name);
	const struct field_name *is;

	if (m->name == name && !m->element)
		return m->is;
	is = build_name(x->b, name, strlen(name));
	if (is->kept)
		*m = (struct met){ NULL, name, is };
	return is;
}

/* "Element_Attribute" */
static const struct field_name *joined(struct event_xml *x, const struct field_name *element, const char *attribute_name)
{
	struct met *m = place(x, element, attribute_name);
	const struct field_name *is;
	size_t a = element->len, b;
	char small[128], *to;

	if (m->name == attribute_name && m->element == element)
		return m->is;
	b = strlen(attribute_name);
	to = a + 1 + b < sizeof small ? small : arena_room(x->b->arena, a + 1 + b);
	memcpy(to, element->text, a);
	to[a] = '_';
	memcpy(to + a + 1, attribute_name, b);
	is = build_name(x->b, to, a + 1 + b);
	if (element->kept && is->kept)
		*m = (struct met){ element, attribute_name, is };
	return is;
}

/* The attribute "Name". */
static const struct xml_attribute *name_of(struct event_xml *x, const struct xml_attribute *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (named(x, a[i].name) == x->known.name)
			return &a[i];
	return NULL;
}

static void drop_text(struct event_xml *x)
{
	x->piece = NULL;
	if (x->value.n)
		buf_reset(&x->value);
}

/* The text of the element that ends, in the arena and with a NUL behind it. */
static const char *text_of(struct event_xml *x, size_t *n)
{
	if (x->value.n) {
		*n = x->value.n;
		return arena_copy(x->b->arena, buf_text(&x->value), *n);
	}
	*n = x->piece ? x->piece_n : 0;
	return x->piece ? x->piece : "";
}

/* --- System --- */

static void system_attribute(struct event_xml *x, const struct field_name *element, const struct xml_attribute *a)
{
	const struct known *k = &x->known;
	const struct field_name *name = joined(x, element, a->name);
	const char *value = build_copy(x->b, BUILD_SYSTEM, name, a->value, a->len);
	int64_t time;

	if (name == k->of_provider) {
		x->ev->provider = value;
		if (x->b->names)
			build_field(x->b, BUILD_SYSTEM | BUILD_DERIVED, k->provider_name, value, a->len);
	} else if (name == k->of_time) {
		build_field(x->b, BUILD_SYSTEM | BUILD_DERIVED, k->time_created, value, a->len);
		if (time_parse(a->value, a->len, &time)) {
			x->ev->time = time;
			x->has_time = true;
		}
	} else if (name == k->of_security) {
		build_field(x->b, BUILD_SYSTEM | BUILD_DERIVED, k->user_id, value, a->len);
	}
}

/* Elements of System that carry attributes and never text. */
static bool only_attributes(const struct known *k, const struct field_name *name)
{
	return name == k->provider || name == k->time_created || name == k->correlation || name == k->execution || name == k->security;
}

static bool number(const char *s, size_t n, int64_t max, int64_t *to)
{
	while (n && (unsigned char)*s <= ' ')
		s++, n--;
	while (n && (unsigned char)s[n - 1] <= ' ')
		n--;
	return text_int(s, n, to) && *to >= 0 && *to <= max;
}

static void system_element(struct event_xml *x, const struct field_name *name)
{
	const struct known *k = &x->known;
	struct event *ev = x->ev;
	size_t n;
	const char *value = text_of(x, &n);
	int64_t v;

	build_field(x->b, BUILD_SYSTEM, name, value, n);
	if (name == k->event_id) {
		ev->event_id = number(value, n, UINT32_MAX, &v) ? (uint32_t)v : 0;
	} else if (name == k->level) {
		ev->level = number(value, n, 5, &v) ? (int)v : -1;
	} else if (name == k->record_id) {
		ev->record_id = number(value, n, INT64_MAX, &v) ? (uint64_t)v : 0;
	} else if (name == k->channel) {
		ev->channel = value;
	} else if (name == k->computer) {
		ev->computer = value;
		if (x->b->names)
			build_field(x->b, BUILD_SYSTEM | BUILD_DERIVED, k->computer_name, value, n);
	}
}

/* --- payload --- */

/* <Data> without a name: "Data" for the any-value question, "Data[2]" for its place, and param2 where a rule asks for it. */
static void unnamed_data(struct event_xml *x)
{
	const struct known *k = &x->known;
	unsigned i = x->unnamed++;
	size_t n;
	const char *value = text_of(x, &n);
	const struct field_name *param = i < UNNAMED_KNOWN ? k->param[i] : nth_name(x->b, "param", i + 1, "");

	build_field(x->b, BUILD_PAYLOAD, k->data, value, n);
	build_field(x->b, BUILD_DERIVED, i < UNNAMED_KNOWN ? k->nth[i] : nth_name(x->b, "Data[", i + 1, "]"), value, n);
	if (build_wanted(x->b, param) && !build_has(x->b, param))
		build_field(x->b, BUILD_DERIVED, param, value, n);
}

/* An attribute in UserData: its own name unless something else has it, and Element_Attribute. */
static void tree_attribute(struct event_xml *x, const struct field_name *element, const struct xml_attribute *a)
{
	struct event_build *b = x->b;
	const struct field_name *both = joined(x, element, a->name);
	const char *value;
	bool taken = false;

	for (size_t i = 0; i < b->n && !taken; i++)
		taken = !b->fields[i].system && text_same(b->fields[i].name, a->name) &&
			!(b->origin[i] && !strcmp(b->origin[i]->text, element->text));
	value = build_copy(b, BUILD_PAYLOAD, taken ? both : named(x, a->name), a->value, a->len);
	if (taken)
		return;
	if (!b->full)
		b->origin[b->n - 1] = element;
	build_field(b, BUILD_DERIVED, both, value, strlen(value));
}

static void start_value(struct event_xml *x, const struct xml_attribute *a, size_t n)
{
	const struct xml_attribute *name = name_of(x, a, n);

	x->scope = IN_VALUE;
	x->scope_depth = x->depth;
	x->data_name = name && name->len ? build_name(x->b, name->value, name->len) : NULL;
}

static void start_tree(struct event_xml *x, const struct field_name *name, const struct xml_attribute *a, size_t n)
{
	x->level[x->depth].name = name;
	x->level[x->depth].parent = false;
	x->level[x->depth - 1].parent = true;
	for (size_t i = 0; i < n; i++)
		tree_attribute(x, name, &a[i]);
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
		const struct xml_attribute *template = name_of(x, a, n);

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
	const struct field_name *is;

	if (++x->depth > LIMIT_XML_DEPTH)
		return err_set(x->e, ERR_IO, "elements are nested deeper than %d", LIMIT_XML_DEPTH);
	if (x->scope != IN_VALUE)
		drop_text(x);
	if (x->depth == 1)
		return strcmp(name, "Event") ? err_set(x->e, ERR_IO, "the element is <%s>, not <Event>", name) : 0;
	if (x->depth == 2)
		return start_section(x, name, a, n);
	switch (x->scope) {
	case IN_SYSTEM:
		if (x->depth != 3)
			break;
		x->level[3].name = named(x, name);
		for (size_t i = 0; i < n; i++)
			system_attribute(x, x->level[3].name, &a[i]);
		break;
	case IN_DATA:
		is = named(x, name);
		if (is == x->known.data || is == x->known.complex_data) {
			start_value(x, a, n);
			break;
		}
		x->scope = IN_TREE;
		x->scope_depth = x->depth;
		x->from_eventdata = true;
		start_tree(x, is, a, n);
		break;
	case IN_TREE:
		start_tree(x, named(x, name), a, n);
		break;
	default:
		break;
	}
	return x->b->full ? err_set(x->e, ERR_IO, "the event has more than %d fields", LIMIT_EVENT_FIELDS) : 0;
}

static int on_text(void *arg, const char *text, size_t n)
{
	struct event_xml *x = arg;

	if (x->scope == IN_EVENT || x->scope == IN_DATA)
		return 0;
	if (!x->piece && !x->value.n) {
		x->piece = arena_copy(x->b->arena, text, n);
		x->piece_n = n;
		return 0;
	}
	if (!x->value.n)
		buf_add(&x->value, x->piece, x->piece_n);
	buf_add(&x->value, text, n);
	return 0;
}

static void end_tree(struct event_xml *x)
{
	struct level *here = &x->level[x->depth];
	size_t n;
	const char *value;

	if (!here->parent) {
		value = text_of(x, &n);
		build_field(x->b, BUILD_PAYLOAD, here->name, value, n);
	}
	drop_text(x);
	if (x->depth == x->scope_depth)
		x->scope = x->from_eventdata ? IN_DATA : IN_EVENT;
}

static void end_value(struct event_xml *x)
{
	size_t n;
	const char *value;

	if (x->data_name) {
		value = text_of(x, &n);
		build_field(x->b, BUILD_PAYLOAD, x->data_name, value, n);
	} else {
		unnamed_data(x);
	}
	x->scope = IN_DATA;
}

static int on_end(void *arg, const char *name)
{
	struct event_xml *x = arg;

	(void)name;
	switch (x->scope) {
	case IN_SYSTEM:
		if (x->depth == 3 && !only_attributes(&x->known, x->level[3].name))
			system_element(x, x->level[3].name);
		break;
	case IN_VALUE:
		if (x->depth != x->scope_depth)
			break;
		end_value(x);
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
	drop_text(x);
	if (x->generation != xml_generation(x->parser)) {
		memset(x->met, 0, sizeof x->met);
		x->generation = xml_generation(x->parser);
	}
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
