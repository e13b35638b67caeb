/* test_event_xml.c - the names and values that Event XML gives. */
#include "collect.h"

#include "limits.h"

static void system_members(void **state)
{
	struct got *g = got_text(EVENT(""));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(ev->provider, "P");
	assert_string_equal(ev->channel, "Application");
	assert_string_equal(ev->computer, "EX1.example");
	assert_int_equal(ev->event_id, 42);
	assert_int_equal(ev->level, 2);
	assert_int_equal(ev->record_id, 9);
	assert_int_equal(ev->time, INT64_C(1520974931114211));
	assert_int_equal(ev->received, 77);
	assert_int_equal(ev->flags, 0);
	assert_string_equal(event_value(ev, "EventID"), "42");
	assert_string_equal(event_value(ev, "EventID_Qualifiers"), "7");
	assert_string_equal(event_value(ev, "Provider_Name"), "P");
	assert_string_equal(event_value(ev, "TimeCreated_SystemTime"), "2018-03-13T21:02:11.114211800Z");
	assert_string_equal(event_value(ev, "TimeCreated"), "2018-03-13T21:02:11.114211800Z");
	assert_string_equal(event_value(ev, "UserID"), "S-1-5-18");
	assert_string_equal(event_value(ev, "Security_UserID"), "S-1-5-18");
	assert_null(event_get(ev, "Version"));
	assert_null(event_get(ev, "Provider"));
	assert_string_equal(ev->source, "test");
	assert_int_equal(ev->raw_n, strlen(EVENT("")));
	got_free(g);
}

static void named_data(void **state)
{
	struct got *g = got_text(EVENT("<EventData Name='T'><Data Name='A'>x &lt;y&gt; &#228; &amp;</Data><Data Name='B'></Data><Data Name='C'/>"
		"<Data Name='A'>again</Data><Binary>00FF</Binary><Data Name='D'><![CDATA[</Data></Event><b>]]></Data></EventData>"));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(ev, "EventData_Name"), "T");
	assert_string_equal(nth(ev, "A", 0), "x <y> \xC3\xA4 &");
	assert_string_equal(nth(ev, "A", 1), "again");
	assert_non_null(event_get(ev, "B"));
	assert_non_null(event_get(ev, "C"));
	assert_int_equal(event_get(ev, "C")->len, 0);
	assert_string_equal(event_value(ev, "Binary"), "00FF");
	assert_string_equal(event_value(ev, "D"), "</Data></Event><b>");
	got_free(g);
}

static void unnamed_data(void **state)
{
	struct got *g = got_text(EVENT("<EventData><Data>one</Data><Data>two</Data><Data></Data></EventData>"));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_string_equal(nth(ev, "Data", 0), "one");
	assert_string_equal(nth(ev, "Data", 1), "two");
	assert_string_equal(nth(ev, "Data", 2), "");
	assert_string_equal(event_value(ev, "Data[1]"), "one");
	assert_string_equal(event_value(ev, "Data[2]"), "two");
	assert_null(event_get(ev, "Data[0]"));
	assert_true(event_get(ev, "Data[2]")->derived);
	assert_false(event_get(ev, "Data")->derived);
	assert_null(event_get(ev, "param1")); /* no rule asks for it */
	got_free(g);
}

static void params_where_asked_for(void **state)
{
	static const char text[] = EVENT("<EventData><Data>one</Data><Data>two</Data></EventData>")
		EVENT("<EventData><Data Name='param2'>real</Data></EventData>");
	struct got *g = got_new();

	(void)state;
	names_add(g->names, "param2", 6);
	got_feed(g, FORM_AUTO, text, sizeof(text) - 1, 0);
	assert_string_equal(event_value(g->ev[0], "param2"), "two");
	assert_null(event_get(g->ev[0], "param1"));
	assert_string_equal(event_value(g->ev[1], "param2"), "real");
	assert_null(nth(g->ev[1], "param2", 1));
	got_free(g);
}

static void user_data(void **state)
{
	struct got *g = got_text(EVENT("<UserData><w:Wrap xmlns:w='urn:x' Who='me'>\r\n  <Leaf>text</Leaf> <Mid Id='1'><Deep>a</Deep><Deep>b</Deep></Mid>"
		"<Item Id='2'/><Item Id='3'/><Empty/></w:Wrap></UserData>"));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(ev, "Leaf"), "text");
	assert_string_equal(event_value(ev, "Who"), "me");
	assert_string_equal(event_value(ev, "Wrap_Who"), "me");
	assert_string_equal(nth(ev, "Deep", 0), "a");
	assert_string_equal(nth(ev, "Deep", 1), "b");
	assert_string_equal(event_value(ev, "Id"), "1"); /* Mid has the plain name */
	assert_null(nth(ev, "Id", 1));
	assert_string_equal(nth(ev, "Item_Id", 0), "2");
	assert_string_equal(nth(ev, "Item_Id", 1), "3");
	assert_false(event_get(ev, "Item_Id")->derived);
	assert_true(event_get(ev, "Wrap_Who")->derived);
	assert_non_null(event_get(ev, "Empty"));
	assert_null(event_get(ev, "Wrap")); /* no leaf */
	assert_null(event_get(ev, "Mid"));
	got_free(g);
}

static void certificate_deleted_in_both_spellings(void **state)
{
	struct got *attributes = got_file("tests/data/samples/F16.xml"), *elements = got_file("tests/data/samples/F17.xml");

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct event *ev = i ? elements->ev[0] : attributes->ev[0];

		assert_string_equal(event_value(ev, "ProcessName"), "mmc.exe");
		assert_string_equal(event_value(ev, "AccountName"), "CLOUD\\exadmin");
		assert_string_equal(event_value(ev, "Thumbprint"), "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9");
		assert_string_equal(event_value(ev, "CertificateDetails_Thumbprint"), "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9");
		assert_string_equal(nth(ev, "SubjectName", 1), "EX1.cloud.frankysweb.de");
		assert_string_equal(event_value(ev, "EKU_Name"), "Server Authentication");
	}
	got_free(attributes);
	got_free(elements);
}

static void names_with_blanks(void **state)
{
	struct got *g = got_text(EVENT("<EventData><Data Name='Threat Name'>x</Data><Data Name='Old Value'>1</Data><Data Name='OldValue'>2</Data></EventData>"));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_string_equal(event_value(ev, "Threat Name"), "x");
	assert_string_equal(event_value(ev, "ThreatName"), "x");
	assert_string_equal(event_value(ev, "Threat_Name"), "x");
	assert_true(event_get(ev, "ThreatName")->derived);
	assert_string_equal(event_value(ev, "Old_Value"), "1");
	assert_string_equal(event_value(ev, "OldValue"), "2"); /* a real name is not shadowed */
	assert_null(nth(ev, "OldValue", 1));
	got_free(g);
}

static void collisions(void **state)
{
	static const char text[] = EVENT("<UserData><L><Channel>Security</Channel><Level>9</Level><EventID>666</EventID><Computer>evil</Computer>"
		"<Provider_Name>evil</Provider_Name></L></UserData>");
	struct got *g = got_new();
	uint16_t channel = names_add(g->names, "channel", 7), computer = names_add(g->names, "Computer", 8);
	const struct event_field *f;
	size_t at = 0;

	(void)state;
	got_feed(g, FORM_AUTO, text, sizeof(text) - 1, 0);
	assert_string_equal(event_value(g->ev[0], "Channel"), "Security");
	assert_string_equal(event_value(g->ev[0], "Level"), "9");
	assert_string_equal(event_value(g->ev[0], "EventID"), "42");
	assert_string_equal(event_value(g->ev[0], "Computer"), "EX1.example");
	assert_string_equal(event_value(g->ev[0], "computer"), "EX1.example");
	assert_string_equal(event_value(g->ev[0], "Provider_Name"), "P");
	assert_string_equal(g->ev[0]->channel, "Application"); /* the member stays what System says */
	assert_int_equal(g->ev[0]->event_id, 42);
	f = event_next(g->ev[0], channel, &at);
	assert_string_equal(f->value, "Security");
	assert_null(event_next(g->ev[0], channel, &at));
	at = 0;
	f = event_next(g->ev[0], computer, &at);
	assert_string_equal(f->value, "EX1.example");
	assert_null(event_next(g->ev[0], computer, &at));
	at = 0;
	assert_null(event_next(g->ev[0], 0, &at));
	got_free(g);
}

static void rendered_text_makes_no_fields(void **state)
{
	struct got *g = got_file("tests/data/samples/F29.xml");
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_int_equal(ev->level, 2);
	assert_string_equal(event_value(ev, "Level"), "2");
	assert_string_equal(event_value(ev, "Endpoint"), "0.0.0.0:444");
	assert_null(event_get(ev, "Message"));
	assert_null(event_get(ev, "Keyword"));
	got_free(g);
}

static void trace_in_a_value(void **state)
{
	struct got *g = got_file("tests/data/samples/F25.xml");
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(ev, "ClientAccessServer"), "EX1");
	assert_string_equal(event_value(ev, "BackEndServer"), "ex1.cloud.frankysweb.de");
	assert_string_equal(event_value(ev, "RequestId"), "0b7c9a44-2f57-4c1d-8f1e-6a5f40f9b1de");
	assert_string_equal(event_value(ev, "TimeStamp"), "13.03.2018 21:10:45");
	assert_string_equal(event_value(ev, "FailureCategory"), "Cafe-SendFailure");
	assert_string_equal(event_value(ev, "FullyQualifiedErrorId"), "-2144108477,PSSessionOpenFailed");
	assert_string_equal(event_value(ev, "ErrorNumber"), "-2144108477");
	assert_true(event_get(ev, "FailureCategory")->derived);
	assert_string_equal(ev->computer, "EX1.cloud.frankysweb.de");
	got_free(g);
}

static void cr_lf_tab_stay(void **state)
{
	struct got *g = got_text(EVENT("<EventData><Data Name='A'>one\r\ntwo\tthree\r</Data><Data Name='B'>&#13;&#10;</Data>"
		"<Data Name='C'><![CDATA[x\r\ny]]></Data></EventData><UserData><X At='p\r\nq'/></UserData>"));
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(ev, "A"), "one\r\ntwo\tthree\r");
	assert_string_equal(event_value(ev, "B"), "\r\n");
	assert_string_equal(event_value(ev, "C"), "x\r\ny");
	assert_int_equal(event_value(ev, "At")[1], '\r');
	assert_int_equal(ev->flags, 0);
	got_free(g);
}

static void refused_events(void **state)
{
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{ HEAD "<EventData/></Event>", "no <System>" },
		{ HEAD SYSTEM SYSTEM "</Event>", "two <System>" },
		{ HEAD SYSTEM "<EventData><Data>&undeclared;</Data></EventData></Event>", "not well-formed" },
		{ HEAD SYSTEM "<EventData><Data></EventData></Event>", "not well-formed" },
		{ HEAD SYSTEM "<!DOCTYPE x></Event>", "" },
		{ "<Event/>", "no <System>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[4096];
		struct got *g;

		snprintf(text, sizeof(text), "%s%s%s", EVENT(""), bad[i].text, EVENT(""));
		g = got_text(text);
		assert_int_equal(g->n, 2); /* the neighbours */
		assert_int_equal(g->bad_n, 1);
		assert_non_null(strstr(g->bad[0].reason, bad[i].reason));
		assert_int_equal(g->bad[0].offset, strlen(EVENT("")));
		got_free(g);
	}
}

/* More names than any table keeps, and broken events that make the parser forget them. */
static void names_are_not_mixed_up(void **state)
{
	const int n = 4000;
	struct buf text;
	struct got *g;
	int at = 0;

	(void)state;
	buf_init(&text, 8u << 20);
	for (int i = 0; i < n; i++)
		buf_printf(&text, i % 50 == 49 ? HEAD SYSTEM "<EventData><Data Name='D%d'>d%d</Dat%d></EventData></Event>\n" :
			HEAD SYSTEM "<EventData><Data Name='D%d'>d%d</Data><E%d>e</E%d></EventData><UserData><U%d A%d='a'/></UserData></Event>\n",
			i, i, i, i, i, i);
	g = got_text(buf_text(&text));
	assert_int_equal(g->n, n - n / 50);
	assert_int_equal(g->bad_n, n / 50);
	for (int i = 0; i < n; i++) {
		char name[16], value[16];
		const struct event *ev = g->ev[at];

		if (i % 50 == 49)
			continue;
		snprintf(name, sizeof name, "D%d", i);
		snprintf(value, sizeof value, "d%d", i);
		assert_string_equal(event_value(ev, name), value);
		*name = 'E';
		assert_string_equal(event_value(ev, name), "e");
		*name = 'A';
		assert_string_equal(event_value(ev, name), "a");
		assert_true(ev->event_id && *ev->channel && *ev->computer && *ev->provider);
		assert_string_equal(event_value(ev, "Provider_Name"), ev->provider);
		at++;
	}
	got_free(g);
	buf_free(&text);
}

#define LONG 420000u /* characters, seven by seven; they make some 960 kB of XML */

static void ceilings(void **state)
{
	struct got *g = got_new();
	struct buf b;

	(void)state;
	buf_init(&b, 16u << 20);
	buf_str(&b, HEAD SYSTEM "<EventData>");
	for (int i = 0; i < LIMIT_EVENT_FIELDS; i++)
		buf_str(&b, "<Data Name='x'/>");
	buf_str(&b, "</EventData></Event>" HEAD SYSTEM "<EventData><Data Name='long'>");
	for (unsigned i = 0; i < LONG; i++)
		buf_str(&b, i % 7 ? "\xC3\xA4" : "&lt;\x01"); /* in many pieces */
	buf_str(&b, "\xC3\xA4</Data></EventData></Event>" HEAD SYSTEM);
	for (int i = 0; i < 40; i++)
		buf_str(&b, "<UserData>");
	buf_str(&b, "</Event>" EVENT(""));
	got_feed(g, FORM_AUTO, buf_text(&b), b.n, 0);
	assert_int_equal(g->n, 2);
	assert_int_equal(g->bad_n, 2);
	assert_non_null(strstr(g->bad[0].reason, "more than 2048 fields"));
	assert_non_null(strstr(g->bad[1].reason, "deep"));
	assert_false(g->ev[0]->flags & EVENT_CUT);
	assert_int_equal(event_get(g->ev[0], "long")->len, LONG / 7 * (6 * 2 + 4) + 2); /* a value as long as its event may be */
	buf_free(&b);
	got_free(g);
}

/* Whatever a sender writes into a value, what is made of it never costs him his event, nor us the rest of it. */
static void derived_fields_refuse_no_event(void **state)
{
	static const struct {
		unsigned fields, brackets;
	} rows[] = {{1, 700}, {1, 8000}, {1700, 700}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct got *g = got_new();
		struct buf b;

		buf_init(&b, 4u << 20);
		buf_str(&b, HEAD SYSTEM "<EventData><Data Name='CommandLine'>");
		for (unsigned k = 0; k < rows[i].brackets; k++)
			buf_str(&b, "[RequestId=a,Server=b,Server=b]");
		buf_str(&b, " the end</Data>");
		for (unsigned k = 0; k < rows[i].fields; k++)
			buf_str(&b, "<Data Name='x'/>");
		buf_str(&b, "<Data Name='Last'>here</Data></EventData></Event>");
		got_feed(g, FORM_AUTO, buf_text(&b), b.n, 0);
		assert_int_equal(g->bad_n, 0);
		assert_int_equal(g->n, 1);
		assert_true(g->ev[0]->flags & EVENT_CUT);
		assert_int_equal(g->counts.cut, 1);
		assert_non_null(strstr(event_value(g->ev[0], "CommandLine"), "the end"));
		assert_string_equal(event_value(g->ev[0], "Last"), "here");
		buf_free(&b);
		got_free(g);
	}
}

static void missing_and_odd_system(void **state)
{
	struct got *g = got_new();
	static const char text[] = "<Event><System><Provider/><EventID> 7 </EventID><Level>200</Level><EventRecordID>-3</EventRecordID>"
		"<TimeCreated SystemTime='yesterday'/></System></Event><Event><System><EventID>99999999999</EventID></System></Event>";

	(void)state;
	g->options.default_time = 5000;
	got_feed(g, FORM_AUTO, text, sizeof(text) - 1, 0);
	assert_int_equal(g->n, 2);
	assert_int_equal(g->ev[0]->event_id, 7);
	assert_int_equal(g->ev[0]->level, -1);
	assert_int_equal(g->ev[0]->record_id, 0);
	assert_int_equal(g->ev[0]->time, 5000);
	assert_int_equal(g->ev[0]->flags, EVENT_NO_TIME);
	assert_string_equal(g->ev[0]->computer, "");
	assert_int_equal(g->ev[1]->event_id, 0);
	got_free(g);
}

static void uid_is_of_identity(void **state)
{
	struct got *g = got_text(EVENT("") EVENT("<EventData><Data>other text, same record</Data></EventData>")
		"<Event><System/></Event><Event><System></System></Event>");

	(void)state;
	assert_int_equal(g->n, 4);
	assert_memory_equal(g->uid[0], g->uid[1], 32);
	assert_memory_not_equal(g->uid[2], g->uid[3], 32); /* no identity: the bytes */
	got_free(g);
}

static void every_sample(void **state)
{
	(void)state;
	for (int i = 1; i <= 29; i++) {
		char path[64];
		struct got *g;

		snprintf(path, sizeof(path), "tests/data/samples/F%02d.xml", i);
		g = got_file(path);
		assert_int_equal(g->n, 1);
		assert_int_equal(g->bad_n, 0);
		assert_true(g->ev[0]->event_id && g->ev[0]->provider[0] && g->ev[0]->computer[0] && g->ev[0]->time);
		assert_true(g->ev[0]->n > 8);
		got_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_members), cmocka_unit_test(named_data), cmocka_unit_test(unnamed_data),
		cmocka_unit_test(params_where_asked_for), cmocka_unit_test(user_data),
		cmocka_unit_test(certificate_deleted_in_both_spellings), cmocka_unit_test(names_with_blanks),
		cmocka_unit_test(collisions), cmocka_unit_test(rendered_text_makes_no_fields), cmocka_unit_test(trace_in_a_value),
		cmocka_unit_test(cr_lf_tab_stay), cmocka_unit_test(refused_events), cmocka_unit_test(names_are_not_mixed_up),
		cmocka_unit_test(ceilings),
		cmocka_unit_test(derived_fields_refuse_no_event), cmocka_unit_test(missing_and_odd_system), cmocka_unit_test(uid_is_of_identity), cmocka_unit_test(every_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
