/* test_decode.c - streams of every shape and encoding, good and bad, in any portions, and going on after a restart. */
#include "collect.h"

#include "limits.h"

static char *to_utf16(const char *text, size_t n, bool big, bool mark, size_t *out_n)
{
	uint8_t *to = calloc(n + 1, 4), *p = to;

	if (mark)
		*p++ = big ? 0xFE : 0xFF, *p++ = big ? 0xFF : 0xFE;
	for (size_t i = 0; i < n; ) {
		uint8_t c = (uint8_t)text[i];
		uint32_t v = c < 0x80 ? c : c < 0xE0 ? c & 0x1Fu : c < 0xF0 ? c & 0xFu : c & 7u;
		size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
		uint32_t units[2] = { 0, 0 };

		for (size_t k = 1; k < len; k++)
			v = v << 6 | ((uint8_t)text[i + k] & 0x3Fu);
		i += len;
		units[0] = v < 0x10000 ? v : 0xD800 + ((v - 0x10000) >> 10);
		units[1] = v < 0x10000 ? 0 : 0xDC00 + ((v - 0x10000) & 0x3FF);
		for (int k = 0; k < 2 && (k == 0 || units[1]); k++) {
			*p++ = (uint8_t)(big ? units[k] >> 8 : units[k]);
			*p++ = (uint8_t)(big ? units[k] : units[k] >> 8);
		}
	}
	*out_n = (size_t)(p - to);
	return (char *)to;
}

static const char two[] = EVENT("<EventData><Data Name='A'>\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80</Data></EventData>") "\r\n"
	EVENT("<EventData><Data Name='A'>second</Data></EventData>") "\r\n";

static void expect_two(struct got *g)
{
	assert_int_equal(g->r, 0);
	assert_int_equal(g->n, 2);
	assert_int_equal(g->bad_n, 0);
	assert_string_equal(event_value(g->ev[0], "A"), "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
	assert_string_equal(event_value(g->ev[1], "A"), "second");
}

static void shapes(void **state)
{
	static const char *const shape[][2] = {
		{ "", "" },
		{ "\xEF\xBB\xBF", "" },
		{ "<Events>", "</Events>" },
		{ "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\r\n<Events>\r\n", "</Events>\r\n" },
		{ "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-16'?><Events>", "</Events>" },
		{ "<!-- exported > by <Event> nobody --><e:Events xmlns:e='urn:x' a='>'>", "</e:Events>" },
		{ "  \r\n\t- ", "" },
		{ "- <Events>\n - ", "\n</Events>" },
	};

	(void)state;
	for (size_t i = 0; i < 8; i++)
		for (size_t piece = 0; piece < 4; piece++) {
			struct got *g = got_new();
			char text[4096];

			snprintf(text, sizeof(text), "%s%s%s", shape[i][0], two, shape[i][1]);
			got_feed(g, FORM_AUTO, text, strlen(text), piece);
			expect_two(g);
			assert_int_equal(g->settled, strlen(text));
			assert_int_equal(g->ev[0]->offset, strstr(text, i == 5 ? HEAD : "<Event ") - text);
			got_free(g);
		}
}

static void encodings(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++)
		for (size_t piece = 0; piece < 6; piece++) {
			struct got *g = got_new();
			size_t n;
			char *text = to_utf16(two, sizeof(two) - 1, how & 1, how & 2, &n);

			got_feed(g, FORM_AUTO, text, n, piece);
			expect_two(g);
			assert_int_equal(g->settled, n);
			assert_int_equal(g->ev[0]->offset, how & 2 ? 2 : 0);
			free(text);
			got_free(g);
		}
}

static void xml_view_copy(void **state)
{
	struct got *g = got_text("- <Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">\r\n- <System>\r\n"
		"  <Provider Name=\"MSExchangeFrontEndTransport\" /> \r\n  <EventID Qualifiers=\"49156\">12014</EventID> \r\n"
		"  <TimeCreated SystemTime=\"2018-03-13T21:02:11.000000000Z\" /> \r\n  <EventRecordID>1</EventRecordID> \r\n"
		"  <Channel>Application</Channel> \r\n  <Computer>EX1</Computer> \r\n  <Security /> \r\n  </System>\r\n"
		"- <EventData>\r\n  <Data>EX1.example</Data> \r\n  <Data>Default Frontend EX1</Data> \r\n  </EventData>\r\n  </Event>");

	(void)state;
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 0);
	assert_int_equal(g->ev[0]->event_id, 12014);
	assert_string_equal(event_value(g->ev[0], "Data[2]"), "Default Frontend EX1");
	assert_string_equal(event_value(g->ev[0], "Computer"), "EX1");
	got_free(g);
}

static void portions_do_not_matter(void **state)
{
	static const char *const files[] = { "samples/stories/S-EAC.xml", "bad/cdata.xml", "bad/torn.xml", "bad/torn_head.xml", "bad/xxe.xml",
		"bad/lone_surrogate.xml", "bad/control_chars.xml", "samples/console_en.txt", "samples/HttpProxy_2018031321-1.LOG" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128];
		struct got *whole;
		struct buf b;

		snprintf(path, sizeof(path), "tests/data/%s", files[i]);
		whole = got_file(path);
		buf_init(&b, 1u << 20);
		assert_int_equal(file_read(&os_file, path, &b, NULL), 0);
		for (size_t piece = 1; piece < 200; piece += piece < 5 ? 1 : 37) {
			struct got *g = got_new();

			got_feed(g, FORM_AUTO, buf_text(&b), b.n, piece);
			assert_int_equal(g->n, whole->n);
			assert_int_equal(g->bad_n, whole->bad_n);
			for (size_t k = 0; k < g->n; k++) {
				assert_memory_equal(g->uid[k], whole->uid[k], 32);
				assert_int_equal(g->ev[k]->offset, whole->ev[k]->offset);
				assert_int_equal(g->ev[k]->n, whole->ev[k]->n);
			}
			for (size_t k = 0; k < g->bad_n; k++) {
				assert_int_equal(g->bad[k].offset, whole->bad[k].offset);
				assert_string_equal(g->bad[k].reason, whole->bad[k].reason);
			}
			got_free(g);
		}
		buf_free(&b);
		got_free(whole);
	}
}

/* A new decoder after every portion, with nothing but the saved state: the same events, each once. */
static void restart_anywhere(void **state)
{
	static const char *const files[] = { "samples/stories/S-ENABLE.xml", "bad/truncated_utf16.xml", "samples/HttpProxy_2018031321-1.LOG",
		"samples/console_en.txt", "bad/torn_head.xml", "bad/no_event.xml" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128], saved[16384] = "";
		struct got *whole, *g = got_new();
		struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
		size_t at = 0, fed = 0;
		struct buf b;

		snprintf(path, sizeof(path), "tests/data/%s", files[i]);
		whole = got_file(path);
		buf_init(&b, 1u << 20);
		assert_int_equal(file_read(&os_file, path, &b, NULL), 0);
		while (fed < b.n) {
			struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);

			if (saved[0])
				assert_true(decoder_state_load(d, saved));
			fed = fed + 61 < b.n ? fed + 61 : b.n;
			assert_int_equal(decoder_feed(d, b.p + at, fed - at, &sink, &g->e), 0);
			if (fed == b.n)
				assert_int_equal(decoder_end(d, false, &sink, &g->e), 0);
			at += (size_t)decoder_settled(d);
			decoder_state_save(d, saved, sizeof(saved));
			decoder_free(d);
		}
		assert_int_equal(g->n, whole->n);
		assert_int_equal(g->bad_n, whole->bad_n);
		for (size_t k = 0; k < g->n; k++) {
			assert_memory_equal(g->uid[k], whole->uid[k], 32);
			assert_int_equal(g->ev[k]->offset, whole->ev[k]->offset);
		}
		buf_free(&b);
		got_free(whole);
		got_free(g);
	}
}

static void followed_tail(void **state)
{
	struct got *g = got_new();
	struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);
	size_t cut = sizeof(EVENT("")) + 40;

	(void)state;
	assert_int_equal(decoder_feed(d, two, cut, &sink, &g->e), 0);
	assert_int_equal(decoder_end(d, true, &sink, &g->e), 0);
	assert_int_equal(g->n + g->bad_n, 0);
	assert_int_equal(decoder_settled(d), 0);
	assert_int_equal(decoder_feed(d, two + cut, sizeof(two) - 1 - cut, &sink, &g->e), 0);
	expect_two(g);
	decoder_free(d);
	got_free(g);
}

static void followed_console_error_is_told_at_once(void **state)
{
	static const char text[] = "New-PSSession : [ex1.example] failed: [ClientAccessServer=A,BackEndServer=b.example,RequestId=1]"
		" [FailureCategory=Cafe-SendFailure]\n    + FullyQualifiedErrorId : -2144108477,PSSessionOpenFailed\n";
	struct got *g = got_new();
	struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);

	(void)state;
	assert_int_equal(decoder_feed(d, text, sizeof(text) - 1, &sink, &g->e), 0);
	assert_int_equal(decoder_end(d, true, &sink, &g->e), 0);
	assert_int_equal(g->n, 1);
	assert_int_equal(decoder_settled(d), sizeof(text) - 1);
	decoder_free(d);
	got_free(g);
}

static void xxe_and_billion_laughs(void **state)
{
	struct got *g = got_file("tests/data/bad/xxe.xml");

	(void)state;
	assert_int_equal(g->r, 0);
	assert_int_equal(g->n, 2);
	assert_string_equal(event_value(g->ev[0], "Data"), "before");
	assert_string_equal(event_value(g->ev[1], "Data"), "after");
	assert_int_equal(g->bad_n, 3);
	assert_non_null(strstr(g->bad[0].reason, "DOCTYPE"));
	assert_non_null(strstr(g->bad[0].bytes, "<!DOCTYPE"));
	got_free(g);
	g = got_file("tests/data/bad/billion_laughs.xml");
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 2);
	assert_true(arena_used(g->arena) < 100000);
	got_free(g);
}

static void forbidden_characters(void **state)
{
	struct got *g = got_file("tests/data/bad/control_chars.xml");

	(void)state;
	assert_int_equal(g->n, 2);
	assert_int_equal(g->bad_n, 0);
	assert_int_equal(g->counts.cleaned, 2);
	assert_string_equal(event_value(g->ev[0], "Data"), "bell \xEF\xBF\xBD escape \xEF\xBF\xBD[31m nul \xEF\xBF\xBD end");
	assert_string_equal(event_value(g->ev[1], "Data"), "reference \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD \r end");
	assert_int_equal(g->ev[0]->flags, EVENT_CLEANED);
	got_free(g);
	g = got_file("tests/data/bad/lone_surrogate.xml");
	assert_int_equal(g->n, 2);
	assert_string_equal(event_value(g->ev[0], "Data"), "x \xEF\xBF\xBD y");
	assert_string_equal(event_value(g->ev[1], "Data"), "low \xEF\xBF\xBD y");
	got_free(g);
	g = got_file("tests/data/bad/code_page.xml");
	assert_int_equal(g->n, 2);
	assert_string_equal(event_value(g->ev[0], "Data"), "f\xEF\xBF\xBDr");
	got_free(g);
}

static void torn_events(void **state)
{
	struct got *g = got_file("tests/data/bad/torn.xml");

	(void)state;
	assert_int_equal(g->n, 2);
	assert_string_equal(event_value(g->ev[1], "Data"), "whole again");
	assert_int_equal(g->bad_n, 2);
	assert_string_equal(g->bad[0].reason, "the event does not end");
	assert_int_equal(g->bad[0].bytes_n, 200);
	got_free(g);
	g = got_file("tests/data/bad/torn_head.xml");
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 1);
	assert_string_equal(g->bad[0].reason, "text that belongs to no event");
	got_free(g);
	g = got_file("tests/data/bad/truncated_utf16.xml");
	assert_int_equal(g->n, 1);
	assert_string_equal(event_value(g->ev[0], "Data"), "a \xC3\xA4 \xF0\x9F\x98\x80");
	assert_int_equal(g->bad_n, 1);
	got_free(g);
}

static void cdata_and_comments_hide_nothing(void **state)
{
	struct got *g = got_file("tests/data/bad/cdata.xml");

	(void)state;
	assert_int_equal(g->n, 2);
	assert_int_equal(g->bad_n, 0);
	assert_string_equal(g->ev[0]->computer, "EX1.example"); /* not the one in the CDATA */
	assert_non_null(strstr(event_value(g->ev[0], "Xml"), "DC1.example"));
	got_free(g);
}

static void huge_attribute(void **state)
{
	struct got *g = got_new();
	struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);
	static char a[1u << 16];
	static const char head[] = EVENT("") HEAD "<System><Provider Name='", tail[] = "'/></System></Event>" EVENT("");

	(void)state;
	memset(a, 'A', sizeof(a));
	assert_int_equal(decoder_feed(d, head, sizeof(head) - 1, &sink, &g->e), 0);
	for (int i = 0; i < 160; i++) { /* 10 MB */
		assert_int_equal(decoder_feed(d, a, sizeof(a), &sink, &g->e), 0);
		assert_true((int64_t)(i + 1) * (int64_t)sizeof(a) - decoder_settled(d) < 2 * (int64_t)LIMIT_EVENT_BYTES);
	}
	assert_int_equal(decoder_feed(d, tail, sizeof(tail) - 1, &sink, &g->e), 0);
	assert_int_equal(decoder_end(d, false, &sink, &g->e), 0);
	assert_int_equal(g->n, 2);
	assert_int_equal(g->bad_n, 1);
	assert_string_equal(g->bad[0].reason, "the event is larger than 1 MiB");
	assert_int_equal(g->bad[0].offset, strlen(EVENT("")));
	decoder_free(d);
	got_free(g);
}

/* An unclosed CDATA, comment or quote must not hide the events behind it for longer than one event's limit, nor cost a square. */
static void unclosed_markup(void **state)
{
	static const char *const open[] = { "<![CDATA[", "<!--", "<?", "<Data Name='", "<" };

	(void)state;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		struct got *g = got_new();
		struct buf b;

		buf_init(&b, 8u << 20);
		buf_printf(&b, HEAD SYSTEM "%s", open[i]);
		for (int k = 0; k < 4000; k++)
			buf_str(&b, EVENT("<EventData/>") "\n");
		got_feed(g, FORM_AUTO, buf_text(&b), b.n, 0);
		assert_int_equal(g->n, 4000);
		assert_int_equal(g->bad_n, 1);
		buf_free(&b);
		got_free(g);
	}
}

static void hostile_repetition_is_linear(void **state)
{
	struct got *g = got_new();
	struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);
	struct buf b;

	(void)state;
	buf_init(&b, 8u << 20);
	while (b.n < (4u << 20))
		buf_str(&b, "<Event><System/><![CDATA[");
	assert_int_equal(decoder_feed(d, buf_text(&b), b.n, &sink, &g->e), 0);
	assert_int_equal(decoder_end(d, false, &sink, &g->e), 0);
	assert_int_equal(g->n, 0);
	assert_true(g->bad_n > 0 && g->bad_n < 20);
	buf_free(&b);
	decoder_free(d);
	got_free(g);
}

static void hopeless_streams(void **state)
{
	struct got *g = got_new();
	struct buf b;

	(void)state;
	g->options.source = "Application.evtx";
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(&os_file, "tests/data/bad/evtx.bin", &b, NULL), 0);
	got_feed(g, FORM_AUTO, buf_text(&b), b.n, 0);
	assert_int_equal(g->r, -1);
	assert_non_null(strstr(g->e.text, "wevtutil qe Application.evtx /lf:true /f:xml > Application.evtx.xml"));
	got_free(g);
	g = got_new();
	got_feed(g, FORM_XML, buf_text(&b), b.n, 5); /* given as XML */
	assert_int_equal(g->r, -1);
	assert_non_null(strstr(g->e.text, "wevtutil"));
	got_free(g);
	g = got_file("tests/data/bad/binary.bin");
	assert_int_equal(g->r, -1);
	assert_non_null(strstr(g->e.text, "no text"));
	got_free(g);
	g = got_new();
	got_feed(g, FORM_AUTO, "PK\x03\x04\x14\x00\x00\x00", 8, 0);
	assert_int_equal(g->r, -1);
	assert_non_null(strstr(g->e.text, "ZIP"));
	buf_free(&b);
	got_free(g);
}

static void small_and_empty(void **state)
{
	struct got *g = got_text("");

	(void)state;
	assert_int_equal(g->r + (int)g->n + (int)g->bad_n, 0);
	got_free(g);
	g = got_text("\n");
	assert_int_equal(g->r + (int)g->n + (int)g->bad_n, 0);
	got_free(g);
	g = got_text("<");
	assert_int_equal(g->bad_n, 1);
	got_free(g);
	g = got_file("tests/data/bad/no_event.xml");
	assert_int_equal(g->n, 0);
	assert_int_equal(g->bad_n, 1);
	assert_non_null(strstr(g->bad[0].reason, "no <Event>"));
	got_free(g);
	g = got_text("<Events></Events>");
	assert_int_equal(g->n, 0);
	got_free(g);
	g = got_text("PS> wevtutil qe Application /f:xml\n" EVENT(""));
	assert_int_equal(g->n, 1);
	assert_int_equal(g->bad_n, 1);
	got_free(g);
}

static int stop_at_second(void *arg, const struct event *ev)
{
	got_event(arg, ev);
	return ((struct got *)arg)->n == 2 ? 42 : 0;
}

static void sink_can_stop(void **state)
{
	struct got *g = got_new();
	struct decode_sink sink = { .arg = g, .event = stop_at_second, .malformed = got_malformed };
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);

	(void)state;
	assert_int_equal(decoder_feed(d, EVENT("") EVENT("") EVENT(""), 3 * strlen(EVENT("")), &sink, &g->e), 42);
	assert_int_equal(g->n, 2);
	assert_int_equal(decoder_settled(d), 2 * strlen(EVENT("")));
	decoder_free(d);
	got_free(g);
}

static void state_is_checked(void **state)
{
	struct got *g = got_new();
	struct decoder *d = decoder_new(FORM_AUTO, &g->options, g->arena);

	(void)state;
	assert_false(decoder_state_load(d, ""));
	assert_false(decoder_state_load(d, "evmend-decoder 2 form=xml encoding=utf-8 at=0 quiet=0 seen=0\n"));
	assert_false(decoder_state_load(d, "evmend-decoder 1 form=evtx encoding=utf-8 at=0 quiet=0 seen=0\n"));
	assert_false(decoder_state_load(d, "evmend-decoder 1 form=xml encoding=utf-7 at=0 quiet=0 seen=0\n"));
	assert_false(decoder_state_load(d, "evmend-decoder 1 form=xml encoding=utf-8 at=-1 quiet=0 seen=0\n"));
	assert_true(decoder_state_load(d, "evmend-decoder 1 form=xml encoding=utf-8 at=9 quiet=0 seen=0\n"));
	decoder_free(d);
	got_free(g);
}

static void every_story(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} story[] = { { "S-AUTH", 0 }, { "S-EAC", 0 }, { "S-ENABLE", 0 }, { "S-EXPIRING", 1 }, { "S-FORGED", 0 }, { "S-FRONT", 0 },
		{ "S-HEALED", 0 }, { "S-LATENT", 1 }, { "S-MMC", 0 }, { "S-NOBINDING", 2 }, { "S-REMOTE", 1 }, { "S-SEED", 2 },
		{ "S-SMTP", 2 }, { "S-STOPPED", 1 }, { "S-TLS", 3 }, { "S-UNBIND", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(story) / sizeof(story[0]); i++) {
		char path[64];
		struct got *g;

		snprintf(path, sizeof(path), "tests/data/samples/stories/%s.xml", story[i].name);
		g = got_file(path);
		assert_int_equal(g->bad_n, 0);
		assert_true(story[i].n ? g->n == story[i].n : g->n > 0);
		got_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes), cmocka_unit_test(encodings), cmocka_unit_test(xml_view_copy),
		cmocka_unit_test(portions_do_not_matter), cmocka_unit_test(restart_anywhere), cmocka_unit_test(followed_tail),
		cmocka_unit_test(followed_console_error_is_told_at_once), cmocka_unit_test(xxe_and_billion_laughs),
		cmocka_unit_test(forbidden_characters), cmocka_unit_test(torn_events),
		cmocka_unit_test(cdata_and_comments_hide_nothing), cmocka_unit_test(huge_attribute), cmocka_unit_test(unclosed_markup),
		cmocka_unit_test(hostile_repetition_is_linear), cmocka_unit_test(hopeless_streams), cmocka_unit_test(small_and_empty),
		cmocka_unit_test(sink_can_stop), cmocka_unit_test(state_is_checked), cmocka_unit_test(every_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
