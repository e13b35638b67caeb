/* random_value.c - random values: few letters, so that they meet; with all that strings, regular expressions and numbers find hard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/random_sigma.h"

uint32_t random_next(struct random *r, uint32_t below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)(r->state >> 33) % below;
}

bool random_is(struct random *r, uint32_t percent)
{
	return random_next(r, 100) < percent;
}

/* Long enough to be looked for, with parts in common. */
static const char *const words[] = {"powershell.exe", "\\Windows\\System32\\", "rundll32", "cmd.exe", "-enc", "http://", "\\AppData\\Local\\Temp\\",
	"system32", "shell", ".exe", "caf\xc3\xa9", "CAF\xc3\x89.dll", "invoke-", "aaaaaaaa", "aaab", "\xd0\xbf\xd1\x83\xd1\x82\xd1\x8c"};
#define WORDS (sizeof words / sizeof words[0])

/* Letters whose case is worth asking about, dashes of every kind, what escapes and quotes are made of. */
static const char *const letters[] = {"a", "A", "b", "B", "a", "b", "c", "k", "K", "s", "S", "0", "1", "9", ".", ".exe", "\\", "/", "-", "-",
	" ", " ", "_", ":", "\"", "'", "<", "&", "%", "$", "=", "(", "[", "{", "|", "+", "^", "#", "\xc3\xa9", "\xc3\x89", "\xc3\x9f",
	"\xe1\xba\x9e", "\xe2\x84\xaa", "\xc5\xbf", "\xcf\x83", "\xcf\x82", "\xce\xa3", "\xc4\xb0", "\xc4\xb1", "\xc7\x84", "\xc7\x85",
	"\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95", "\xf0\x9f\x98\x80", "\xf0\x90\x90\x80", "\xd0\xb6", "\xd0\x96", "\t", "\n", "\r\n",
	"*", "?"};
#define LETTERS (sizeof letters / sizeof letters[0])

static void put(char *to, size_t n, const char *s)
{
	size_t at = strlen(to);

	if (at + strlen(s) < n)
		memcpy(to + at, s, strlen(s) + 1);
}

void random_text(struct random *r, char *to, size_t n, size_t longest)
{
	size_t count = random_next(r, (uint32_t)longest + 1);
	/* most texts are plain */
	uint32_t of = random_is(r, 60) ? 20 : LETTERS;

	to[0] = '\0';
	for (size_t i = 0; i < count; i++)
		put(to, n, random_is(r, 15) ? words[random_next(r, WORDS)] : letters[random_next(r, of)]);
}

void random_sigma_text(struct random *r, bool wild, char *to, size_t n, char *like, size_t like_n)
{
	size_t count = 1 + random_next(r, 7);
	uint32_t of = random_is(r, 60) ? 20 : LETTERS;
	char run[80];

	to[0] = like[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		uint32_t what = random_next(r, 12);
		const char *l = letters[random_next(r, of)];

		if (wild && what == 0) {
			put(to, n, "*");
			random_text(r, run, sizeof run, 3);
			put(like, like_n, run);
		} else if (wild && what == 1) {
			put(to, n, "?");
			put(like, like_n, letters[random_next(r, 16) == 3 ? 44 : random_next(r, 10)]);
		} else if (what == 2) {
			static const char *const escapes[][2] = {{"\\*", "*"}, {"\\?", "?"}, {"\\\\", "\\"}, {"\\", "\\"}, {"\\\\\\", "\\"}};
			uint32_t e = random_next(r, wild ? 5 : 3);

			put(to, n, escapes[e][0]);
			put(like, like_n, escapes[e][1]);
		} else if (what == 3 || what == 4) {
			const char *w = words[random_next(r, WORDS)];

			if (*w == '\\' && strlen(to) && to[strlen(to) - 1] == '\\')
				w = words[2]; /* it would join an escape */
			put(to, n, w);
			put(like, like_n, w);
		} else if (strcmp(l, "*") != 0 && strcmp(l, "?") != 0) {
			put(to, n, strcmp(l, "\\") == 0 ? "\\\\" : l);
			put(like, like_n, l);
		}
	}
	if (!to[0]) {
		put(to, n, "ab");
		put(like, like_n, "ab");
	}
}

/* -- regular expressions, together with a text that most of them find -- */

struct making {
	struct random *r;
	char *to, *like;
	size_t n, like_n;
};

static void both(struct making *m, const char *pattern, const char *like)
{
	put(m->to, m->n, pattern);
	put(m->like, m->like_n, like);
}

static void alternatives(struct making *m, unsigned depth);

static void class_of(struct making *m)
{
	static const char *const classes[][2] = {{"[abc]", "b"}, {"[a-k]", "k"}, {"[^a]", "b"}, {"[A-Z0-9_]", "A"}, {"[\\d.]", "9"}, {"[^\\w]", "-"},
		{"[\\\\/-]", "\\"}, {"[]a]", "]"}, {"[\xc3\xa9-\xc3\xb1]", "\xc3\xa9"}, {"[^\xc3\xa9\\s]", "a"}, {"[\\s,]", " "}, {"[.*+?]", "+"},
		{"[^a-z]", "S"}, {"[k]", "K"}};
	uint32_t c = random_next(m->r, sizeof classes / sizeof classes[0]);

	both(m, classes[c][0], classes[c][1]);
}

static void atom(struct making *m, unsigned depth)
{
	static const char *const special[][2] = {{".", "b"}, {"\\d", "1"}, {"\\w", "k"}, {"\\s", " "}, {"\\D", "a"}, {"\\W", "-"}, {"\\S", "s"},
		{"\\.", "."}, {"\\\\", "\\"}, {"\\*", "*"}, {"\\(", "("}, {"\\[", "["}, {"\\$", "$"}, {"\\-", "-"}, {"\\t", "\t"}, {"\\n", "\n"},
		{"\\x41", "A"}, {"\\/", "/"}};
	uint32_t what = random_next(m->r, 12);

	if (what < 5) {
		static const char *const plain[] = {"a", "b", "A", "B", "k", "S", "0", "1", " ", "-", "_", ":", "=", "\xc3\xa9", "\xe2\x84\xaa",
			"\xc5\xbf", "\xcf\x83", "\xf0\x9f\x98\x80", "exe", "ab"};
		const char *l = plain[random_next(m->r, sizeof plain / sizeof plain[0])];

		both(m, l, l);
	} else if (what < 8) {
		uint32_t s = random_next(m->r, sizeof special / sizeof special[0]);

		both(m, special[s][0], special[s][1]);
	} else if (what < 10 || depth > 2) {
		class_of(m);
	} else {
		put(m->to, m->n, random_is(m->r, 50) ? "(" : "(?:");
		alternatives(m, depth + 1);
		put(m->to, m->n, ")");
	}
}

static void repeated(struct making *m, unsigned depth)
{
	static const char *const times[] = {"*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,2}?"};
	size_t from = strlen(m->like);
	char once[80];

	atom(m, depth);
	if (!random_is(m->r, 35))
		return;
	snprintf(once, sizeof once, "%s", m->like + from);
	put(m->to, m->n, times[random_next(m->r, sizeof times / sizeof times[0])]);
	if (random_is(m->r, 60))
		put(m->like, m->like_n, once);
}

static void sequence(struct making *m, unsigned depth)
{
	size_t n = 1 + random_next(m->r, 4);

	if (random_is(m->r, 6))
		put(m->to, m->n, random_is(m->r, 50) ? "\\b" : "^");
	for (size_t i = 0; i < n; i++) {
		repeated(m, depth);
		if (random_is(m->r, 3))
			put(m->to, m->n, random_is(m->r, 80) ? "\\b" : "\\B");
	}
	if (random_is(m->r, 8))
		put(m->to, m->n, "$");
}

static void alternatives(struct making *m, unsigned depth)
{
	char rest[8];
	struct making other = *m;

	sequence(m, depth);
	if (!random_is(m->r, depth ? 50 : 20))
		return;
	put(m->to, m->n, "|");
	rest[0] = '\0'; /* the text follows the first */
	other.like = rest;
	other.like_n = sizeof rest;
	sequence(&other, depth);
}

void random_regex(struct random *r, char *to, size_t n, char *like, size_t like_n)
{
	struct making m = {.r = r, .to = to, .like = like, .n = n, .like_n = like_n};

	do { /* a cut one may not end well */
		to[0] = like[0] = '\0';
		if (random_is(r, 15))
			put(to, n, "(?i)");
		alternatives(&m, 0);
	} while (strlen(to) > n - 20);
}

/* -- numbers, networks, times -- */

void random_number(struct random *r, char *to, size_t n, char *like, size_t like_n)
{
	/* As a rule has it, then three as an event may. */
	static const char *const numbers[][4] = {{"0", "0x0", "-0.0", "+0"}, {"1", "01", "1.0", "1.00000000000000000000001"},
		{"2", " 2 ", "2.", "2.0 "}, {"4", "4.0", "+4", "0x4"}, {"4.0", "4", "4.00", "\t4"}, {"23", "0x17", "23.0", "0x17.0"},
		{"443", "0x1BB", "0443", "443.5"}, {"4688", "0X1250", "4688.000", "4688,0"}, {"65535", "0xffff", "65535.", ".65535"},
		{"-1", "-1", "-1.0", "- 1"}, {"-23", "-023", "-23.00", "-0x17"}, {"+5", "5", "+5", "5.0"}, {"1.5", "1.50", "+1.5", "01.5"},
		{"0.5", "0.5", ".5", "0.50"}, {"-2.25", "-2.25", "-02.25", "-2.250"}, {"4294967296", "0x100000000", "4294967296.0", "4294967295.9"},
		{"9223372036854775807", "0x7fffffffffffffff", "9223372036854775807.0", "9223372036854775807.5"},
		{"18446744073709551615", "0xffffffffffffffff", "18446744073709551615.0", "18446744073709551616.0"}};
	uint32_t k = random_next(r, sizeof numbers / sizeof numbers[0]);

	snprintf(to, n, "%s", numbers[k][0]);
	snprintf(like, like_n, "%s", numbers[random_is(r, 20) ? random_next(r, 10) : k][random_next(r, 4)]);
}

void random_net(struct random *r, char *to, size_t n, char *like, size_t like_n)
{
	static const char *const nets[] = {"10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "127.0.0.1/32", "0.0.0.0/0", "192.168.1.77/25", "fe80::/10",
		"::1/128", "2001:db8::/33", "fc00::/7", "10.1.2.3"};
	static const char *const addresses[] = {"10.1.2.3", "10.255.255.255", "11.0.0.0", "192.168.1.1", "192.169.0.0", "172.31.255.255",
		"172.32.0.0", "127.0.0.1", "::ffff:10.1.2.3", "::ffff:192.168.1.100", "fe80::1", "febf::1", "fec0::1", "::1", "2001:db8::1",
		"2001:db8:8000::1", "fd00::1", "0.0.0.0", "10.1.2", "10.1.2.3.4", "a", "10.1.2.3 ", "256.1.1.1", "192.168.1.127", "192.168.1.128"};

	snprintf(to, n, "%s", nets[random_next(r, sizeof nets / sizeof nets[0])]);
	snprintf(like, like_n, "%s", addresses[random_next(r, sizeof addresses / sizeof addresses[0])]);
}

void random_time(struct random *r, char *to, size_t n)
{
	snprintf(to, n, "20%02u-%02u-%02u%c%02u:%02u:%02u.%03u%s", 18 + random_next(r, 10), 1 + random_next(r, 12), 1 + random_next(r, 28),
		 random_is(r, 50) ? 'T' : ' ', random_next(r, 24), random_next(r, 60), random_next(r, 60), random_next(r, 1000),
		 random_is(r, 50) ? "Z" : "");
}

/* -- near -- */

static void other_case(struct random *r, char *text)
{
	for (char *p = text; *p; p++)
		if (((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) && random_is(r, 30))
			*p ^= 0x20;
}

static size_t start_of_character(const char *text, size_t at)
{
	while (at && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	return at;
}

void random_near(struct random *r, char *text, size_t n)
{
	static const char *const behind[] = {" ", "\t", "\r\n", "a", ".", "\n", "  "};
	size_t len = strlen(text), at = len ? start_of_character(text, random_next(r, (uint32_t)len)) : 0;
	uint32_t code;
	char rest[1500];

	if (random_is(r, 30))
		other_case(r, text);
	switch (random_next(r, 9)) {
	case 0:
		put(text, n, behind[random_next(r, 7)]);
		break;
	case 1: /* a character less */
		if (len)
			memmove(text + at, text + at + utf8_step(text + at, len - at, &code), strlen(text + at + utf8_step(text + at, len - at,
				&code)) + 1);
		break;
	case 2: /* one more */
		snprintf(rest, sizeof rest, "%s", text + at);
		text[at] = '\0';
		put(text, n, letters[random_next(r, LETTERS)]);
		put(text, n, rest);
		break;
	case 3:
		snprintf(rest, sizeof rest, "%s", text);
		random_text(r, text, n, 3);
		put(text, n, rest);
		break;
	default:
		break;
	}
}

void random_wrap(struct random *r, char *text, size_t n)
{
	char *middle = xstrdup(text), around[200];
	size_t front = random_next(r, 6), back = random_next(r, 6);

	text[0] = '\0';
	for (size_t i = 0; i < front + back + 1; i++) {
		random_text(r, around, sizeof around, 12);
		put(text, n, i == front ? middle : around);
	}
	free(middle);
}

/* -- as YAML, as XML -- */

void yaml_scalar(struct buf *b, const char *text)
{
	buf_char(b, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_printf(b, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			buf_printf(b, "\\x%02x", (unsigned)*text);
		else
			buf_char(b, *text);
	}
	buf_char(b, '"');
}

void xml_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&'\"", *text) || (unsigned char)*text < ' ')
			buf_printf(b, "&#%u;", (unsigned)*text);
		else
			buf_char(b, *text);
	}
}
