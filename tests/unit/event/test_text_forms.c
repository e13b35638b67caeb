/* test_text_forms.c - bracketed Exchange text, console text and HttpProxy rows. */
#include "collect.h"

#include "event/exchange_trace.h"

static const char *trace(struct arena *a, const char *text, const char *name)
{
	struct trace_field out[TRACE_FIELDS];
	size_t at = 0, n;

	while ((n = exchange_trace_next(text, strlen(text), &at, a, out)) > 0)
		for (size_t i = 0; i < n; i++)
			if (!strcmp(out[i].name, name))
				return out[i].value;
	return NULL;
}

static void brackets(void **state)
{
	static const struct {
		const char *text, *name, *value;
	} t[] = {
		{ "[ClientAccessServer=EX1,BackEndServer=ex1.a.b,RequestId=9,TimeStamp=13.03.2018 21:10:45] [FailureCategory=Cafe-SendFailure] x",
			"FailureCategory", "Cafe-SendFailure" },
		{ "[ClientAccessServer=EX1,BackEndServer=ex1.a.b,RequestId=9]", "BackEndServer", "ex1.a.b" },
		{ "[BackEndServer=ex1.a.b,ClientAccessServer=EX1]", "ClientAccessServer", "EX1" }, /* any order */
		{ "[ClientAccessServer=EX1,BackEndServer=UnKown,RequestId=9]", "BackEndServer", NULL },
		{ "[ClientAccessServer=EX1,RequestId=0b7c-375\n      235837774]", "RequestId", "0b7c-375235837774" }, /* indented copy */
		{ "[ClientAccessServer=EX1,RequestId=0b7c-375\r\n235837774]", "RequestId", "0b7c-375235837774" },
		{ "[ClientAccess\nServer=EX1][Failure\nCategory=Cafe-Send\nFailure]", "FailureCategory", "Cafe-SendFailure" },
		{ "[ClientAccess\nServer=EX1]", "ClientAccessServer", "EX1" },
		{ "[ClientAccessServer=EX1,\xC2\xA0""BackEndServer=\xC2\xA0""ex1]", "BackEndServer", "ex1" },
		{ "[Server=EX2,RequestId=1,TimeStamp=3/10/2021 4:24:51 PM] [FailureCategory=WSMan-InvalidShellID]", "Server", "EX2" },
		{ "[Server=EX2,RequestId=1,TimeStamp=3/10/2021 4:24:51 PM]", "TimeStamp", "3/10/2021 4:24:51 PM" },
		{ "[AuthZRequestId=5][FailureCategory=AuthZ-X]", "AuthZRequestId", "5" },
		{ "[host] [ [FailureCategory=A] ]", "FailureCategory", "A" },
		{ "[Server=sql,Database=x]", "Server", NULL }, /* anybody's */
		{ "[ClientAccessServer=EX1", "ClientAccessServer", NULL }, /* does not close */
		{ "[FailureCategory=]", "FailureCategory", NULL },
		{ "no bracket, FailureCategory=Cafe-SendFailure", "FailureCategory", NULL },
	};
	struct arena *a = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *got = trace(a, t[i].text, t[i].name);

		if (t[i].value)
			assert_string_equal(got ? got : t[i].text, t[i].value);
		else
			assert_null(got);
	}
	arena_free(a);
}

static void long_brackets(void **state)
{
	static char text[100000];
	struct arena *a = arena_new(4096);

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "[FailureCategory=", 17);
	memcpy(text + 50000, "] [FailureCategory=Cafe-SendFailure]", 36);
	assert_string_equal(trace(a, text, "FailureCategory"), "Cafe-SendFailure");
	memset(text, '[', sizeof(text) - 1);
	assert_null(trace(a, text, "FailureCategory"));
	arena_free(a);
}

static void error_ids(void **state)
{
	static const struct {
		const char *text, *id, *number;
	} t[] = {
		{ "    + FullyQualifiedErrorId : -2144108477,PSSessionOpenFailed", "-2144108477,PSSessionOpenFailed", "-2144108477" },
		{ "Fully Qualified Error ID = -2144108212,PSSessionOpenFailed\n", "-2144108212,PSSessionOpenFailed", "-2144108212" },
		{ "Vollqualifizierte Fehler-ID = -2144108477,PSSessionOpenFailed", "-2144108477,PSSessionOpenFailed", "-2144108477" },
		{ "+ FullyQualifiedErrorId : CommandNotFoundException", "CommandNotFoundException", NULL },
		{ "nothing of that kind", NULL, NULL },
		{ "FullyQualifiedErrorId :", NULL, NULL },
	};
	struct arena *a = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct trace_field out[TRACE_FIELDS];
		size_t n = exchange_error_id(t[i].text, strlen(t[i].text), a, out);

		assert_int_equal(n, t[i].number ? 2 : t[i].id ? 1 : 0);
		if (t[i].id)
			assert_string_equal(out[0].value, t[i].id);
		if (t[i].number)
			assert_string_equal(out[1].value, t[i].number);
	}
	arena_free(a);
}

static void english_console(void **state)
{
	struct got *g = got_file("tests/data/samples/console_en.txt");
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 0);
	assert_string_equal(ev->provider, "evmend-text");
	assert_string_equal(ev->channel, "evmend-text/Console");
	assert_int_equal(ev->event_id, 1);
	assert_int_equal(ev->flags, EVENT_FROM_TEXT | EVENT_NO_TIME);
	assert_string_equal(ev->computer, "ex1.cloud.frankysweb.de");
	assert_string_equal(event_value(ev, "Computer"), "ex1.cloud.frankysweb.de");
	assert_string_equal(event_value(ev, "Channel"), "evmend-text/Console");
	assert_string_equal(event_value(ev, "Provider_Name"), "evmend-text");
	assert_string_equal(event_value(ev, "EventID"), "1");
	assert_string_equal(event_value(ev, "ClientAccessServer"), "EX1");
	assert_string_equal(event_value(ev, "RequestId"), "0b7c9a44-2f57-4c1d-8f1e-6a5f40f9b1de");
	assert_string_equal(event_value(ev, "FailureCategory"), "Cafe-SendFailure");
	assert_string_equal(event_value(ev, "RemoteServer"), "ex1.cloud.frankysweb.de");
	assert_string_equal(event_value(ev, "ErrorNumber"), "-2144108477");
	assert_non_null(strstr(event_value(ev, "Message"), "failed with the following error message : [ClientAccessServer=EX1,"));
	assert_null(strchr(event_value(ev, "Message"), '\n'));
	got_free(g);
}

static void article_without_bracket(void **state)
{
	struct got *g = got_file("tests/data/samples/console_kb.txt");
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(ev, "FullyQualifiedErrorId"), "-2144108212,PSSessionOpenFailed");
	assert_string_equal(event_value(ev, "ErrorNumber"), "-2144108212");
	assert_string_equal(ev->computer, "ex1.cloud.frankysweb.de"); /* the prefix */
	assert_non_null(strstr(event_value(ev, "Message"), "is not valid. The shell handle"));
	assert_null(event_get(ev, "FailureCategory"));
	got_free(g);
}

#define BRACKET(be) "[ClientAccessServer=FE1,BackEndServer=" be ",RequestId=1] [FailureCategory=Cafe-SendFailure]"

static void blocks(void **state)
{
	struct got *g = got_text("PS C:\\> Connect-ExchangeServer\r\n"
		"VERBOSE: Connecting to ex1.\r\n"
		"New-PSSession : [ex1.a] x " BRACKET("be1.a") " y\r\n"
		"    + CategoryInfo : z\r\n"
		"\r\n"
		"    + FullyQualifiedErrorId : -1,PSSessionOpenFailed\r\n" /* belongs to the error above the blank line */
		"AUSF\xC3\x9CHRLICH: Verbinden mit ex2.\r\n"
		"New-PSSession : [ex2.a] ist folgender\r\nFehler " BRACKET("UnKown") "\r\n"
		"\r\n\r\n"
		"an ordinary line\r\n"
		"\r\n"
		"  New-PSSession : [ex3.a] x [FailureCategory=Cafe-ConnectFailure]\r\n"
		"[FailureCategory=AuthZ-A]");
	const struct event *const *ev = g->ev;

	(void)state;
	assert_int_equal(g->bad_n, 0);
	assert_int_equal(g->n, 3);
	assert_string_equal(ev[0]->computer, "be1.a");
	assert_string_equal(event_value(ev[0], "FullyQualifiedErrorId"), "-1,PSSessionOpenFailed");
	assert_string_equal(ev[1]->computer, "FE1"); /* UnKown counts as none */
	assert_null(event_get(ev[1], "BackEndServer"));
	assert_string_equal(event_value(ev[1], "RemoteServer"), "ex2.a");
	assert_string_equal(ev[2]->computer, "ex3.a");
	assert_string_equal(nth(ev[2], "FailureCategory", 0), "Cafe-ConnectFailure");
	assert_string_equal(nth(ev[2], "FailureCategory", 1), "AuthZ-A");
	got_free(g);
}

static void default_host_and_time(void **state)
{
	static const char text[] = "x [FailureCategory=Cafe-SendFailure]\n";
	struct got *g = got_new();

	(void)state;
	g->options.default_host = "EX9";
	g->options.default_time = 123;
	got_feed(g, FORM_TEXT, text, sizeof(text) - 1, 0);
	assert_int_equal(g->n, 1);
	assert_string_equal(g->ev[0]->computer, "EX9");
	assert_int_equal(g->ev[0]->time, 123);
	got_free(g);
	g = got_new();
	got_feed(g, FORM_TEXT, text, sizeof(text) - 1, 0);
	assert_string_equal(g->ev[0]->computer, "");
	assert_int_equal(g->ev[0]->time, 77); /* received */
	got_free(g);
}

static void console_with_foreign_bytes(void **state)
{
	struct got *g = got_text("\x1b[31mNew-PSSession : f\xFCr " BRACKET("be.a") "\x1b[0m\n");

	(void)state;
	assert_int_equal(g->n, 1);
	assert_true(g->ev[0]->flags & EVENT_CLEANED);
	assert_string_equal(g->ev[0]->computer, "be.a");
	got_free(g);
}

static void httpproxy_sample(void **state)
{
	struct got *g = got_file("tests/data/samples/HttpProxy_2018031321-1.LOG");
	const struct event *ev = g->ev[0];

	(void)state;
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 0);
	assert_string_equal(ev->channel, "evmend-text/HttpProxy");
	assert_int_equal(ev->event_id, 2);
	assert_string_equal(ev->computer, "ex1.cloud.frankysweb.de");
	assert_int_equal(ev->time, INT64_C(1520975445812000));
	assert_int_equal(ev->flags, EVENT_FROM_TEXT);
	assert_string_equal(event_value(ev, "WebExceptionStatus"), "SendFailure");
	assert_string_equal(event_value(ev, "TargetServer"), "ex1.cloud.frankysweb.de");
	assert_string_equal(event_value(ev, "HttpStatus"), "500");
	assert_string_equal(event_value(ev, "RoutingStatus"), "CafeV1");
	assert_string_equal(event_value(ev, "AuthenticatedUser"), "CLOUD\\exadmin");
	assert_int_equal(event_get(ev, "BackEndStatus")->len, 0);
	got_free(g);
}

#define FIELDS "#Software: Microsoft Exchange Server\n#Fields: DateTime,RequestId,ServerHostName,TargetServer,GenericErrors\n"

static void httpproxy_rows(void **state)
{
	struct got *g = got_text(FIELDS "DateTime,RequestId,ServerHostName,TargetServer,GenericErrors\n"
		"2018-03-13T21:10:45.812Z,1,EX1,ex2.a:444,\"a \"\"quoted\"\" word, a comma;WebExceptionStatus=ConnectFailure;\nsecond line\"\n"
		"2018-03-13T21:10:46.812Z,2,EX1,ex2.a~1941996123,\n"
		"2018-03-13T21:10:47.812Z,3,EX1,,WebExceptionStatus=;\n"
		"#Fields: DateTime,TargetServer\n"
		"2018-03-13T21:10:48.812Z,other.a\r\n");

	(void)state;
	assert_int_equal(g->bad_n, 0);
	assert_int_equal(g->n, 4);
	assert_string_equal(g->ev[0]->computer, "ex2.a");
	assert_string_equal(event_value(g->ev[0], "GenericErrors"), "a \"quoted\" word, a comma;WebExceptionStatus=ConnectFailure;\nsecond line");
	assert_string_equal(event_value(g->ev[0], "WebExceptionStatus"), "ConnectFailure");
	assert_string_equal(g->ev[1]->computer, "ex2.a");
	assert_string_equal(g->ev[2]->computer, "EX1");
	assert_null(event_get(g->ev[2], "WebExceptionStatus"));
	assert_string_equal(g->ev[3]->computer, "other.a");
	assert_null(event_get(g->ev[3], "GenericErrors"));
	got_free(g);
}

static void httpproxy_bad_rows(void **state)
{
	struct got *g = got_text(FIELDS
		"2018-03-13T21:10:45.812Z,1,EX1,t,e,too,many\n"
		"2018-03-13T21:10:46.812Z,2,EX1,t,\"quote does not close\n"
		"2018-03-13T21:10:47.812Z,3,EX1,t,good\n"
		"not a time,4,EX1,t,x\n"
		"2018-03-13T21:10:48.812Z,5,EX1,t,good as well");

	(void)state;
	assert_int_equal(g->n, 2);
	assert_string_equal(event_value(g->ev[0], "RequestId"), "3");
	assert_string_equal(event_value(g->ev[1], "RequestId"), "5");
	assert_int_equal(g->bad_n, 3);
	assert_non_null(strstr(g->bad[0].reason, "more columns"));
	assert_non_null(strstr(g->bad[1].reason, "does not close"));
	assert_non_null(strstr(g->bad[2].reason, "no time"));
	got_free(g);
	g = got_text("#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip\n2018-03-13 21:00:00 1.2.3.4\n");
	assert_int_equal(g->n, 0);
	assert_non_null(strstr(g->bad[0].reason, "IIS logs are not read"));
	got_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brackets), cmocka_unit_test(long_brackets), cmocka_unit_test(error_ids),
		cmocka_unit_test(english_console), cmocka_unit_test(article_without_bracket), cmocka_unit_test(blocks),
		cmocka_unit_test(default_host_and_time), cmocka_unit_test(console_with_foreign_bytes),
		cmocka_unit_test(httpproxy_sample), cmocka_unit_test(httpproxy_rows), cmocka_unit_test(httpproxy_bad_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
