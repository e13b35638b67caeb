/* test_xml.c - one document as calls; entities in text and attributes; every door that XML opens, closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"
#include "lib/check.h"
#include "lib/scratch.h"

struct seen {
	struct buf b;
	int stop_after; /* calls until a handler stops; 0: never */
	struct err *e;
};

static int count(struct seen *s)
{
	if (s->stop_after && --s->stop_after == 0)
		return err_set(s->e, ERR_RULES, "the handler has had enough");
	return 0;
}

static int on_start(void *arg, const char *name, const struct xml_attribute *a, size_t n)
{
	struct seen *s = arg;

	buf_printf(&s->b, "<%s", name);
	for (size_t i = 0; i < n; i++)
		buf_printf(&s->b, " %s=%.*s", a[i].name, (int)a[i].len, a[i].value);
	buf_char(&s->b, '>');
	return count(s);
}

static int on_end(void *arg, const char *name)
{
	struct seen *s = arg;

	buf_printf(&s->b, "</%s>", name);
	return count(s);
}

static int on_text(void *arg, const char *text, size_t n)
{
	struct seen *s = arg;

	buf_add(&s->b, text, n);
	return count(s);
}

static const struct xml_handler handler = { on_start, on_end, on_text };

static int parse(struct xml_parser *p, struct seen *s, const char *text, struct err *e)
{
	s->e = e;
	buf_reset(&s->b);
	return xml_parse(p, text, strlen(text), &handler, s, e);
}

static int setup(void **state)
{
	*state = xml_new();
	return 0;
}

static int teardown(void **state)
{
	xml_free(*state);
	return 0;
}

static void gives(struct xml_parser *p, const char *text, const char *want)
{
	struct seen s = { .stop_after = 0 };
	struct err e = { 0 };

	buf_init(&s.b, 100000);
	if (parse(p, &s, text, &e) != 0)
		fail_msg("'%s' gave '%s'", text, e.text);
	assert_string_equal(buf_text(&s.b), want);
	buf_free(&s.b);
}

static void fails(struct xml_parser *p, const char *text, const char *part)
{
	struct seen s = { .stop_after = 0 };
	struct err e = { 0 };

	buf_init(&s.b, 100000);
	if (parse(p, &s, text, &e) == 0 || !strstr(e.text, part))
		fail_msg("'%s' gave '%s' and '%s'", text, e.text, buf_text(&s.b));
	buf_free(&s.b);
}

static void reads(void **state)
{
	gives(*state, "<a><b c='1' d=\"2\">x</b><e/></a>", "<a><b c=1 d=2>x</b><e></e></a>");
	gives(*state, "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n<a>\xc3\xa9</a>\n", "<a>\xc3\xa9</a>");
	gives(*state, "<?xml version=\"1.0\" encoding=\"nonsense\"?><a/>", "<a></a>");
	gives(*state, "<Event xmlns='http://x'><p:b xmlns:p='u' p:c='1'/></Event>", "<Event><b c=1></b></Event>");
	gives(*state, "<a><![CDATA[<x>&amp;]]></a>", "<a><x>&amp;</a>");
	gives(*state, "<a><!-- no --><?pi no?>t</a>", "<a>t</a>");
	gives(*state, "\xef\xbb\xbf<a/>", "<a></a>");
}

/* The namespace of the root is left out before parsing, but only where nothing can be wrong with it. */
static void a_root_has_a_namespace(void **state)
{
	gives(*state, "<Event xmlns='http://x/y'/>", "<Event></Event>");
	gives(*state, "<Event xmlns=\"http://x/y\"><b>1</b></Event>", "<Event><b>1</b></Event>");
	gives(*state, "<Event xmlns=\"it's\"/>", "<Event></Event>");
	gives(*state, "<Event xmlns=''><b/></Event>", "<Event><b></b></Event>");
	gives(*state, "<Event xmlns='u' b='1'/>", "<Event b=1></Event>");
	gives(*state, "<Event xmlns='u'\n>t</Event>", "<Event>t</Event>");
	fails(*state, "<Event xmlns='u'>", "well-formed");
	fails(*state, "<Event xmlns='u'>\n</event>", "line 2");
	fails(*state, "<Event xmlns='a<b'></Event>", "well-formed");
	fails(*state, "<Event xmlns='&x;'></Event>", "line 1");
	fails(*state, "<Event xmlns='u\"></Event>", "well-formed");
	fails(*state, "<Event xmlns='u' xmlns='u'></Event>", "well-formed");
	fails(*state, "< xmlns='u'></>", "well-formed");
	fails(*state, "<Event xmlns='", "well-formed");
	fails(*state, "<Event xmlns=", "well-formed");
}

static void entities_are_resolved(void **state)
{
	gives(*state, "<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x20ac;&#13;</a>", "<a><&>\"'A\xe2\x82\xac\r</a>");
	/* The trap: without NOENT an attribute would say "&#38;". */
	gives(*state, "<a b='x&amp;y&lt;&#65;&#10;'/>", "<a b=x&y<A\n></a>");
}

static void undeclared_prefixes_are_read(void **state)
{
	gives(*state, "<q:a r:b='1'><q:c>x</q:c></q:a>", "<a b=1><c>x</c></a>");
}

static void every_door_is_closed(void **state)
{
	struct scratch s;
	char text[1024];

	scratch_init(&s);
	scratch_write(&s, "secret", "SECRET", 6);
	snprintf(text, sizeof text, "<!DOCTYPE a [<!ENTITY x SYSTEM \"file://%s\">]><a>&x;</a>", scratch_path(&s, "secret"));
	fails(*state, text, "DOCTYPE");
	snprintf(text, sizeof text, "<!DOCTYPE a SYSTEM \"file://%s\"><a/>", scratch_path(&s, "secret"));
	fails(*state, text, "DOCTYPE");
	scratch_free(&s);
	fails(*state, "<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;\"><!ENTITY n \"&m;&m;&m;\">]><a>&n;</a>", "DOCTYPE");
	fails(*state, "<!DOCTYPE a><a/>", "DOCTYPE");
	fails(*state, "<a>&x;</a>", "line 1");
	fails(*state, "<a b='&x;'/>", "line 1");
	/* and the parser still works */
	gives(*state, "<a b='&amp;'>1</a>", "<a b=&>1</a>");
}

static void faults_have_a_line(void **state)
{
	fails(*state, "<a>\n<b>\n</a>", "line 3: not well-formed");
	fails(*state, "<a>", "well-formed");
	fails(*state, "", "well-formed");
	fails(*state, "words", "well-formed");
	fails(*state, "<a/><b/>", "well-formed");
	fails(*state, "<a b='1' b='2'/>", "well-formed");
	fails(*state, "<a>\x01</a>", "well-formed");
	fails(*state, "<a>&#1;</a>", "well-formed");
	fails(*state, "<a>\xff</a>", "well-formed");
	fails(*state, "<a>]]></a>", "well-formed");
	fails(*state, "<a", "well-formed");
	gives(*state, "<a/>", "<a></a>");
}

static void nul_and_depth(void **state)
{
	struct seen s = { .stop_after = 0 };
	char text[1000] = "";
	struct err e = { 0 };

	buf_init(&s.b, 10000);
	assert_int_equal(xml_parse(*state, "<a>\0</a>", 8, &handler, &s, &e), -1);
	assert_non_null(strstr(e.text, "NUL"));
	for (int i = 0; i < 33; i++)
		strcat(text, "<a>");
	fails(*state, text, "nested too deep");
	text[0] = '\0';
	for (int i = 0; i < 32; i++)
		strcat(text, "<a>");
	for (int i = 0; i < 32; i++)
		strcat(text, "</a>");
	assert_int_equal(parse(*state, &s, text, &e), 0);
	buf_free(&s.b);
}

/* A handler may stop at any call; the error is its own, nothing comes after, and the next document is whole. */
static void handlers_stop(void **state)
{
	static const char text[] = "<a><b x='1'>t</b><c/></a>";
	struct seen s = { .stop_after = 0 };
	struct err e;
	int n;

	buf_init(&s.b, 1000);
	for (n = 1; n < 20; n++) {
		e = (struct err){ 0 };
		s.stop_after = n;
		if (parse(*state, &s, text, &e) == 0)
			break;
		assert_string_equal(e.text, "the handler has had enough");
		assert_int_equal(e.code, ERR_RULES);
		assert_int_equal(s.stop_after, 0); /* no call after the one that stopped */
	}
	assert_int_equal(n, 8); /* three starts, three ends, one text */
	buf_free(&s.b);
	gives(*state, "<a>1</a>", "<a>1</a>");
}

static int keep_name(void *arg, const char *name, const struct xml_attribute *a, size_t n)
{
	const char **to = arg;

	(void)a, (void)n;
	*to = name;
	return 0;
}

static void a_name_is_one_pointer(void **state)
{
	static const struct xml_handler keeps = { keep_name, NULL, NULL };
	const char *one = NULL, *two = NULL, *other = NULL;
	unsigned generation = xml_generation(*state);
	struct err e;

	assert_int_equal(xml_parse(*state, "<same/>", 7, &keeps, &one, &e), 0);
	assert_int_equal(xml_parse(*state, "<x><other/></x>", 15, &keeps, &other, &e), 0);
	assert_int_equal(xml_parse(*state, "<x><same a='1'/></x>", 20, &keeps, &two, &e), 0);
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	assert_int_equal(xml_generation(*state), generation);
	assert_int_equal(xml_parse(*state, "<same>", 6, &keeps, &two, &e), -1);
	assert_int_not_equal(xml_generation(*state), generation);
}

static void made_up_names_are_forgotten(void **state)
{
	unsigned generation = xml_generation(*state);
	char text[64];

	for (int i = 0; i < 30000; i++) {
		char want[64];

		snprintf(text, sizeof text, "<n%d m%d='1'/>", i, i);
		snprintf(want, sizeof want, "<n%d m%d=1></n%d>", i, i, i);
		gives(*state, text, want);
	}
	assert_int_not_equal(xml_generation(*state), generation);
}

static void large_values(void **state)
{
	size_t n = 1 << 20;
	char *text = malloc(n + 64);
	struct seen s = { .stop_after = 0 };
	struct err e;

	assert_non_null(text);
	buf_init(&s.b, 4 << 20);
	strcpy(text, "<a b='");
	memset(text + 6, 'x', n);
	strcpy(text + 6 + n, "'/>");
	assert_int_equal(parse(*state, &s, text, &e), 0);
	assert_int_equal(s.b.n, n + strlen("<a b=></a>"));
	assert_int_equal(xml_parse(*state, text, 9 << 20, &handler, &s, &e), -1); /* refused before it is read */
	assert_non_null(strstr(e.text, "at most"));
	buf_free(&s.b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, setup, teardown),
		cmocka_unit_test_setup_teardown(a_root_has_a_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(entities_are_resolved, setup, teardown),
		cmocka_unit_test_setup_teardown(undeclared_prefixes_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(every_door_is_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_have_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(nul_and_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(handlers_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_is_one_pointer, setup, teardown),
		cmocka_unit_test_setup_teardown(made_up_names_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(large_values, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
