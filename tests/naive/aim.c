/* aim.c - an event that a rule should hold for, or nearly: made of the rule's own values, so that every rule is asked something that
 * comes close. Nothing is promised about the answer; two evaluators must give the same one. */
#include <stdio.h>
#include <string.h>

#include "naive/inside.h"

struct aim {
	struct naive *n;
	enum renames renames;
	uint64_t random;
	struct buf *xml;
};

static uint32_t below(struct aim *a, uint32_t n)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (uint32_t)(a->random >> 33) % n;
}

/* Something that is likely to disturb: short, long, blanks, other scripts. */
static void noise(struct aim *a, struct buf *to)
{
	static const char *const pieces[] = {"", "", "", "x", " ", "\\", "C:\\Windows\\System32\\", "cmd.exe /c ", "\xc3\x89", "-", "powershell", ".",
		"\r\n", "\xf0\x9f\x98\x80", "\"", "/"};
	uint32_t n = below(a, 40) == 0 ? 400 : below(a, 3);

	for (uint32_t i = 0; i < n; i++)
		buf_str(to, pieces[below(a, sizeof pieces / sizeof pieces[0])]);
}

static void put_char(struct aim *a, struct buf *to, uint32_t c)
{
	struct nv_chars one = {.at = &c, .n = 1};
	static const uint32_t dashes[] = {'-', '/', 0x2013, 0x2014, 0x2015};

	if (c == ONE)
		c = below(a, 8) ? 'q' : 0x1F600;
	else if (c == DASH)
		c = dashes[below(a, 5)];
	else if (c >= 'a' && c <= 'z' && below(a, 6) == 0)
		c -= 32;
	nv_chars_utf8(&one, to);
}

static void put_pattern(struct aim *a, struct buf *to, const struct nv_pattern *p)
{
	bool spoil = below(a, 8) == 0; /* one character is left out */

	for (size_t i = 0; i < p->n_parts; i++) {
		if (i)
			noise(a, to);
		size_t out = spoil && p->parts[i].n ? below(a, (uint32_t)p->parts[i].n) : SIZE_MAX;

		for (size_t k = 0; k < p->parts[i].n; k++)
			if (k != out)
				put_char(a, to, p->parts[i].at[k]);
	}
}

static void put_test(struct aim *a, struct buf *to, const struct nv_test *t)
{
	switch (t->kind) {
	case K_STRING:
		if (t->n)
			put_pattern(a, to, &t->patterns[below(a, (uint32_t)t->n)]);
		break;
	case K_NUMBER:
	case K_COMPARE:
	case K_PART:
		if (below(a, 2) && t->num.whole && !t->num.negative)
			buf_printf(to, "0x%llx", (unsigned long long)(t->num.size + (below(a, 4) == 0)));
		else
			buf_str(to, t->text);
		break;
	case K_BOOL:
		buf_str(to, t->text);
		break;
	case K_CIDR:
		for (int i = 0; i < 4 && !t->net.six; i++)
			buf_printf(to, "%s%u", i ? "." : "", t->net.address[i] + (i == 3 ? below(a, 3) : 0));
		buf_str(to, t->net.six ? "fe80::1" : "");
		break;
	case K_REGEX: /* its own letters, without what is special: close, and now and then right */
		for (const char *p = t->text; *p; p++)
			if (!strchr("\\^$()[]{}|?*+", *p))
				buf_char(to, *p);
		break;
	default:
		break;
	}
}

static void put_xml(struct buf *to, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr("<>&'\"", p[i]) || (unsigned char)p[i] < ' ')
			buf_printf(to, "&#%u;", (unsigned)(unsigned char)p[i]);
		else
			buf_char(to, p[i]);
	}
}

static const char *name_of(struct aim *a, const struct nv_item *it)
{
	const struct nv_name *x;

	if (it->keyword)
		return "Any";
	x = &a->n->names[a->n->names[it->name].as[a->renames]];
	return x->computed == COMPUTED_INTEGRITY ? "MandatoryLabel" : x->text;
}

static void put_item(struct aim *a, const struct nv_item *it)
{
	struct buf value;
	const char *name = name_of(a, it);
	size_t from = it->n ? below(a, (uint32_t)it->n) : 0, most = it->all ? it->n : 1;

	if (it->n && it->tests[from].kind == K_NULL && below(a, 2))
		return;
	buf_init(&value, 1u << 18);
	for (size_t i = 0; i < most && i < it->n; i++)
		put_test(a, &value, &it->tests[(from + i) % it->n]);
	if (below(a, 12) == 0)
		buf_str(&value, below(a, 2) ? " " : "\r\n");
	if (strcmp(name, "Data") == 0 || strncmp(name, "Data[", 5) == 0) {
		buf_str(a->xml, "<Data>");
	} else {
		buf_str(a->xml, "<Data Name='");
		put_xml(a->xml, name, strlen(name));
		buf_str(a->xml, "'>");
	}
	put_xml(a->xml, buf_text(&value), value.n);
	buf_str(a->xml, "</Data>\n");
	buf_free(&value);
}

static void put_node(struct aim *a, const struct nv_node *x, bool wanted)
{
	if (x->kind == N_ITEM) {
		if (wanted ? below(a, 14) : below(a, 4) == 0)
			put_item(a, &x->item);
		return;
	}
	if (x->kind == N_NOT)
		wanted = !wanted;
	if (x->n && (x->kind == N_OR || (x->kind == N_COUNT && x->least == 1))) {
		put_node(a, x->kids[below(a, (uint32_t)x->n)], wanted);
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		put_node(a, x->kids[i], wanted);
}

/* What the rule wants of a name, where it wants something; NULL: nothing. */
static const struct nv_test *wanted_of(struct aim *a, const struct nv_node *x, const char *name)
{
	const struct nv_test *found = NULL;
	uint32_t from = x->n ? below(a, (uint32_t)x->n) : 0;

	if (x->kind == N_NOT)
		return NULL;
	if (x->kind == N_ITEM && !x->item.keyword && !x->item.neq && x->item.n && strcmp(a->n->names[x->item.name].text, name) == 0)
		return &x->item.tests[below(a, (uint32_t)x->item.n)];
	for (size_t i = 0; i < x->n && !found; i++)
		found = wanted_of(a, x->kids[(from + i) % x->n], name);
	return found;
}

static void put_wanted(struct aim *a, const struct nv_node *x, const char *name, const char *otherwise)
{
	const struct nv_test *t = wanted_of(a, x, name);
	struct buf value;

	buf_init(&value, 1u << 18);
	if (t && t->kind == K_NUMBER)
		buf_str(&value, t->text);
	else if (t)
		put_test(a, &value, t);
	else
		buf_str(&value, otherwise);
	put_xml(a->xml, buf_text(&value), value.n);
	buf_free(&value);
}

bool naive_aim(struct naive *n, size_t i, uint64_t seed, struct buf *xml)
{
	const struct nv_rule *r = &n->rules[i];
	struct aim a = {.n = n, .random = (seed << 20 ^ i) * UINT64_C(0x9E3779B97F4A7C15) + 1, .xml = xml};
	const char *channel, *type;
	char number[16];
	uint32_t id;

	below(&a, 2);
	if (r->about.refused || r->about.no_source || !nv_source_pick(&r->stated, below(&a, 1000), &channel, &id, &a.renames, &type))
		return false;
	snprintf(number, sizeof number, "%u", id);
	buf_str(xml, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='");
	put_wanted(&a, r->node, "Provider_Name", "Aimed");
	buf_str(xml, "'/><EventID>");
	if (r->stated.category)
		buf_str(xml, number);
	else
		put_wanted(&a, r->node, "EventID", number);
	buf_printf(xml, "</EventID><Level>4</Level><TimeCreated SystemTime='2024-05-06T07:08:09.1234567Z'/><EventRecordID>%zu</EventRecordID>"
		"<Channel>", i + 1);
	put_xml(xml, channel, strlen(channel));
	buf_str(xml, "</Channel><Computer>aimed.example</Computer></System><EventData>\n");
	if (type)
		buf_printf(xml, "<Data Name='EventType'>%s</Data>\n", type);
	put_node(&a, r->node, true);
	buf_str(xml, "</EventData></Event>\n");
	return true;
}
