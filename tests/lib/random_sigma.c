/* random_sigma.c - random rules: all that the language has, in any mix that means something; and events that nearly match them. */
#include <stdio.h>
#include <string.h>

#include "lib/random_sigma.h"

static const struct source {
	const char *logsource; /* YAML, flow */
	const char *channel;
	int id;
	const char *data; /* a line of EventData, or "" */
} sources[] = {
	{"{category: process_creation, product: windows}", "Microsoft-Windows-Sysmon/Operational", 1, ""},
	{"{category: process_creation, product: windows}", "Security", 4688, ""},
	{"{category: process_creation, product: windows}", "security", 4688, ""},
	{"{category: registry_add, product: windows}", "Microsoft-Windows-Sysmon/Operational", 12, "<Data Name='EventType'>CreateKey</Data>\n"},
	{"{category: registry_delete, product: windows}", "Microsoft-Windows-Sysmon/Operational", 12,
		"<Data Name='EventType'>deletevalue</Data>\n"},
	{"{category: registry_event, product: windows}", "Microsoft-Windows-Sysmon/Operational", 14, ""},
	{"{category: antivirus}", "Microsoft-Windows-Windows Defender/Operational", 1116, "<Data Name='Threat Name'>ab</Data>\n"},
	{"{product: windows, service: security}", "Security", 4624, ""},
	{"{product: windows, service: system}", "System", 7045, ""},
	{"{product: windows}", "Whatever/Operational", 3, ""},
	{"{category: ps_script, product: windows}", "PowerShellCore/Operational", 4104, ""},
	{"{product: windows, service: sysmon, category: image_load}", "Microsoft-Windows-Sysmon/Operational", 7, ""},
	{"{product: windows, service: dns-client}", "Microsoft-Windows-DNS-Client/Operational", 3008, ""},
	{"{product: linux, category: process_creation}", "Microsoft-Windows-Sysmon/Operational", 1, ""},
	{"{category: file_access, product: windows}", "Microsoft-Windows-Sysmon/Operational", 11, ""},
};
#define SOURCES (sizeof sources / sizeof sources[0])

/* What they are called in 4688. */
static const char *const renamed[][2] = {{"Image", "NewProcessName"}, {"ParentImage", "ParentProcessName"}, {"ProcessId", "NewProcessId"},
	{"ParentProcessId", "ProcessId"}, {"LogonId", "SubjectLogonId"}, {"IntegrityLevel", "MandatoryLabel"}, {"User", "SubjectUserName"}};

static const char *const fields[] = {"Image", "CommandLine", "CommandLine", "User", "LogonId", "IntegrityLevel", "ProcessId", "ParentImage",
	"ParentProcessId", "Details", "Details", "F1", "F1", "F2", "F3", "Data", "Data[1]", "param1", "Channel", "Level", "Computer",
	"Provider_Name", "EventID", "ThreatName", "Signature"};
#define FIELDS (sizeof fields / sizeof fields[0])

void random_id(size_t i, char to[static 40])
{
	snprintf(to, 40, "00000000-0000-4000-8000-%012zu", i);
}

const char *random_placeholders(void)
{
	return "list: [ab, 'a*b', '\\*k', 'K.exe']\none: ['s?']\n";
}

/* -- items -- */

static const char *any_of(struct random *r, const char *const *list, size_t n)
{
	return list[random_next(r, (uint32_t)n)];
}

#define ANY_OF(r, list) any_of(r, list, sizeof(list) / sizeof(list)[0])

static void add_value(struct random_set *s, struct buf *b, const char *indent, const char *yaml, bool quoted, const char *like)
{
	struct random_item *it = s->item;

	buf_printf(b, "%s- ", indent);
	if (quoted)
		yaml_scalar(b, yaml);
	else
		buf_str(b, yaml);
	buf_char(b, '\n');
	if (it && (it->n < RANDOM_VALUES || random_is(&s->r, 4)))
		snprintf(it->like[it->n < RANDOM_VALUES ? it->n++ : random_next(&s->r, RANDOM_VALUES)], sizeof it->like[0], "%s", like);
}

/* Plain: strings, numbers, null, the empty string, truth. */
static void plain_value(struct random_set *s, struct buf *b, const char *indent)
{
	char text[200], like[320];

	switch (random_next(&s->r, 9)) {
	case 0:
		random_number(&s->r, text, sizeof text, like, sizeof like);
		add_value(s, b, indent, text, false, like);
		break;
	case 1:
		add_value(s, b, indent, random_is(&s->r, 50) ? "null" : "~", false, "");
		break;
	case 2:
		add_value(s, b, indent, "", true, "");
		break;
	case 3:
		add_value(s, b, indent, random_is(&s->r, 50) ? "true" : "False", false, random_is(&s->r, 50) ? "True" : "false ");
		break;
	case 4:
		add_value(s, b, indent, random_is(&s->r, 50) ? "00000429" : "0x17", false, random_is(&s->r, 50) ? "00000429" : "23");
		break;
	default:
		random_sigma_text(&s->r, true, text, sizeof text, like, sizeof like);
		add_value(s, b, indent, text, true, like);
	}
}

static void text_value(struct random_set *s, struct buf *b, const char *indent)
{
	char text[200], like[320];

	random_sigma_text(&s->r, true, text, sizeof text, like, sizeof like);
	add_value(s, b, indent, text, true, like);
}

static void base64_like(struct random_set *s, struct buf *b, const char *indent, const char *kind)
{
	/* value, and what stands for it in a longer base64 text */
	static const char *const values[][4] = {{"base64", "foo", "Zm9v", "zm9V"}, {"base64", "cmd /c", "Y21kIC9j", "Y21kIC9"},
		{"base64offset", "/bin/bash", "9iaW4vYmFza", "vYmluL2Jhc2"}, {"base64offset", "foo", "xxZvbyy", "mb2"},
		{"base64offset", "\xc3\xa9t\xc3\xa9", "w6l0w6", "DqXTDq"}, {"wide|base64offset", "ab", "YQBiA", "EAYg"},
		{"utf16le|base64", "ab", "YQBiAA==", "YQBiAA"}, {"utf16be|base64offset", "ab", "AGEAYg", "BhAG"},
		{"utf16|base64", "ab", "//5hAGIA", "77u/YQBiAA=="}, {"base64", "a\\*b\\\\", "YSpiXA==", "YSpiXA"}};
	uint32_t k = random_next(&s->r, sizeof values / sizeof values[0]);

	while (strcmp(values[k][0], kind) != 0)
		k = (k + 1) % (sizeof values / sizeof values[0]);
	add_value(s, b, indent, values[k][1], true, values[k][2 + random_is(&s->r, 30)]);
}

struct form { /* an item that is no plain one */
	const char *modifiers;
	enum { TEXT, BASE64, REGEX, NET, NUMBER, PART, REFERENCE, EXPAND, PLAIN } values;
};

static const struct form forms[] = {
	{"", PLAIN}, {"", PLAIN}, {"", PLAIN}, {"|all", PLAIN}, {"|neq", PLAIN}, {"|cased", TEXT}, {"|contains", PLAIN}, {"|contains", TEXT},
	{"|contains", TEXT}, {"|contains|all", TEXT}, {"|all|contains", TEXT}, {"|startswith", TEXT}, {"|endswith", TEXT}, {"|endswith", TEXT},
	{"|startswith|cased", TEXT}, {"|cased|endswith", TEXT}, {"|contains|cased", TEXT}, {"|contains|neq", TEXT}, {"|neq|endswith", TEXT},
	{"|contains|windash", TEXT}, {"|windash|contains|all", TEXT}, {"|windash", TEXT}, {"|windash|endswith|cased", TEXT}, {"|re", REGEX},
	{"|re", REGEX}, {"|re|i", REGEX}, {"|re|m", REGEX}, {"|re|s", REGEX}, {"|re|i|s|m", REGEX}, {"|re|ignorecase|neq", REGEX},
	{"|re|dotall|all", REGEX}, {"|re|contains", REGEX}, {"|re|multiline", REGEX}, {"|base64|contains", BASE64},
	{"|base64offset|contains", BASE64}, {"|base64offset", BASE64}, {"|wide|base64offset|contains", BASE64},
	{"|utf16le|base64|contains", BASE64}, {"|utf16be|base64offset|contains", BASE64}, {"|utf16|base64|contains", BASE64},
	{"|base64offset|contains|cased", BASE64}, {"|cidr", NET}, {"|cidr|neq", NET}, {"|cidr|all", NET}, {"|lt", NUMBER}, {"|lte", NUMBER},
	{"|gt", NUMBER}, {"|gte|all", NUMBER}, {"|gte|neq", NUMBER}, {"|minute", PART}, {"|hour", PART}, {"|day", PART}, {"|week", PART},
	{"|month", PART}, {"|year", PART}, {"|hour|neq", PART}, {"|fieldref", REFERENCE}, {"|fieldref|contains", REFERENCE},
	{"|fieldref|startswith", REFERENCE}, {"|fieldref|endswith", REFERENCE}, {"|fieldref|cased", REFERENCE}, {"|fieldref|neq", REFERENCE},
	{"|expand", EXPAND}, {"|contains|expand", EXPAND}, {"|expand|endswith", EXPAND}, {"|expand|contains|all", EXPAND},
};

static unsigned part_value(struct random *r, const char *modifiers)
{
	if (strstr(modifiers, "year"))
		return 2018 + random_next(r, 10);
	if (strstr(modifiers, "month"))
		return 1 + random_next(r, 12);
	if (strstr(modifiers, "hour"))
		return random_next(r, 24);
	return strstr(modifiers, "minute") ? random_next(r, 60) : 1 + random_next(r, 28);
}

static void form_value(struct random_set *s, struct buf *b, const char *indent, const struct form *f)
{
	char text[200], like[320];
	static const char *const expands[][2] = {{"%list%", "ab"}, {"x%one%", "xsk"}, {"%list%\\%one%", "aKb%one%"}, {"%one%-%list%", "sk-*k"},
		{"100%", "100%"}};
	static const char *const encodings[] = {"base64offset", "base64"};
	uint32_t e = random_next(&s->r, 5);

	switch (f->values) {
	case PLAIN:
		if (strcmp(f->modifiers, "|contains") == 0 && random_is(&s->r, 60)) {
			random_number(&s->r, text, sizeof text, like, sizeof like);
			add_value(s, b, indent, text, false, text);
			break;
		}
		if (strcmp(f->modifiers, "|contains") == 0)
			text_value(s, b, indent);
		else
			plain_value(s, b, indent);
		break;
	case TEXT:
		text_value(s, b, indent);
		break;
	case BASE64:
		snprintf(text, sizeof text, "%s", strstr(f->modifiers, encodings[0]) ? encodings[0] : encodings[1]);
		if (strstr(f->modifiers, "wide"))
			snprintf(text, sizeof text, "wide|base64offset");
		else if (strstr(f->modifiers, "utf16le"))
			snprintf(text, sizeof text, "utf16le|base64");
		else if (strstr(f->modifiers, "utf16be"))
			snprintf(text, sizeof text, "utf16be|base64offset");
		else if (strstr(f->modifiers, "utf16"))
			snprintf(text, sizeof text, "utf16|base64");
		base64_like(s, b, indent, text);
		break;
	case REGEX:
		random_regex(&s->r, text, sizeof text, like, sizeof like);
		add_value(s, b, indent, text, true, like);
		break;
	case NET:
		random_net(&s->r, text, sizeof text, like, sizeof like);
		add_value(s, b, indent, text, true, like);
		break;
	case NUMBER:
		random_number(&s->r, text, sizeof text, like, sizeof like);
		add_value(s, b, indent, text, false, like);
		break;
	case PART:
		snprintf(text, sizeof text, "%u", part_value(&s->r, f->modifiers));
		random_time(&s->r, like, sizeof like);
		add_value(s, b, indent, text, false, like);
		break;
	case REFERENCE:
		random_text(&s->r, like, sizeof like, 3);
		add_value(s, b, indent, fields[random_next(&s->r, FIELDS)], true, like);
		break;
	default:
		add_value(s, b, indent, expands[e][0], true, expands[e][1]);
	}
}

static void item(struct random_set *s, struct buf *b, const char *lead, const char *indent, const char *field, const struct form *f)
{
	size_t n = 1 + (random_is(&s->r, 2) ? random_next(&s->r, 150) : random_next(&s->r, 3)), rule = s->n;

	s->item = s->rules[rule].n < RANDOM_ITEMS ? &s->rules[rule].items[s->rules[rule].n++] : NULL;
	if (s->item) {
		snprintf(s->item->field, sizeof s->item->field, "%s", field);
		s->item->all = strstr(f->modifiers, "all");
		s->item->n = 0;
	}
	if (!f->modifiers[0] && !field[0])
		buf_printf(b, "%s'|contains':\n", lead);
	else
		buf_printf(b, "%s'%s%s':\n", lead, field, f->modifiers);
	for (size_t i = 0; i < n; i++)
		form_value(s, b, indent, f);
}

/* Modifiers as they come: most of them mean nothing, and both must say so. */
static void any_chain(struct random_set *s, struct buf *b, const char *lead, const char *indent)
{
	static const char *const modifiers[] = {"contains", "startswith", "endswith", "all", "neq", "cased", "re", "i", "m", "s", "windash", "base64",
		"base64offset", "wide", "utf16le", "utf16", "cidr", "lt", "gte", "hour", "fieldref", "expand", "exists", "nosuch"};
	char chain[80] = "";
	const struct form f = {chain, random_is(&s->r, 70) ? TEXT : random_is(&s->r, 50) ? NUMBER : PLAIN};

	for (uint32_t n = 1 + random_next(&s->r, 3); n; n--)
		snprintf(chain + strlen(chain), sizeof chain - strlen(chain), "|%s", ANY_OF(&s->r, modifiers));
	item(s, b, lead, indent, random_is(&s->r, 85) ? fields[random_next(&s->r, FIELDS)] : "", &f);
}

static void any_item(struct random_set *s, struct buf *b, const char *lead, const char *indent)
{
	static const struct form keyword[] = {{"|all", TEXT}, {"|re", REGEX}, {"|cased", TEXT}, {"|contains|all", TEXT}, {"|re|i", REGEX},
		{"|windash", TEXT}};

	if (s->odd && random_is(&s->r, 20)) {
		any_chain(s, b, lead, indent);
	} else if (random_is(&s->r, 4)) {
		s->item = NULL;
		buf_printf(b, "%s'%s|exists': %s\n", lead, fields[random_next(&s->r, FIELDS)], random_is(&s->r, 50) ? "true" : "false");
	} else if (random_is(&s->r, 4)) {
		item(s, b, lead, indent, "", &keyword[random_next(&s->r, 6)]);
	} else {
		item(s, b, lead, indent, fields[random_next(&s->r, FIELDS)], &forms[random_next(&s->r, sizeof forms / sizeof forms[0])]);
	}
}

/* -- selections -- */

static void selection(struct random_set *s, struct buf *b, const char *name)
{
	uint32_t what = random_next(&s->r, 10);
	size_t n = 1 + random_next(&s->r, 3);
	static const struct form list = {"", TEXT};

	buf_printf(b, "    %s:\n", name);
	if (what < 6) {
		any_item(s, b, "        ", "            ");
		for (size_t i = 1; i < n; i++) /* another field each: one key may stand only once */
			if (random_is(&s->r, 70)) {
				char field[24];

				snprintf(field, sizeof field, "G%zu", i);
				item(s, b, "        ", "            ", field, &forms[random_next(&s->r, sizeof forms / sizeof forms[0])]);
			}
	} else if (what < 9) {
		for (size_t i = 0; i < n; i++) {
			any_item(s, b, "        - ", "            ");
			if (random_is(&s->r, 40))
				item(s, b, "          ", "            ", "G1", &forms[random_next(&s->r, sizeof forms / sizeof forms[0])]);
		}
	} else {
		s->item = s->rules[s->n].n < RANDOM_ITEMS ? &s->rules[s->n].items[s->rules[s->n].n++] : NULL;
		if (s->item)
			*s->item = (struct random_item){.n = 0};
		for (size_t i = 0; i < n; i++)
			form_value(s, b, "        ", &list);
	}
}

static const char *const names[] = {"selection", "selection_b", "filter_main", "not_x", "_hidden"};
#define NAMES 5

static void expression(struct random_set *s, struct buf *b, unsigned depth)
{
	static const char *const several[] = {"1 of them", "all of them", "any of sel*", "all of selection*", "1 of filter_*", "2 of them", "1 of *_*",
		"all of s*n*", "1 of selection", "1 of _*", "2 of sel*", "1 OF THEM"};

	switch (random_next(&s->r, depth > 3 ? 2 : 7)) {
	case 0:
		buf_str(b, ANY_OF(&s->r, several));
		break;
	case 1:
	case 2:
		buf_str(b, names[random_next(&s->r, NAMES)]);
		break;
	case 3:
		buf_str(b, random_is(&s->r, 90) ? "not " : "NOT ");
		expression(s, b, depth + 1);
		break;
	case 4:
		buf_char(b, '(');
		expression(s, b, depth + 1);
		buf_char(b, ')');
		break;
	default:
		expression(s, b, depth + 1);
		buf_str(b, random_is(&s->r, 50) ? " and " : " or ");
		expression(s, b, depth + 1);
	}
}

static void detection(struct random_set *s, struct buf *b)
{
	size_t conditions = random_is(&s->r, 10) ? 2 : 1;

	for (size_t i = 0; i < NAMES; i++)
		selection(s, b, names[i]);
	buf_str(b, "    condition:\n");
	for (size_t i = 0; i < conditions; i++) {
		buf_str(b, "        - ");
		if (random_is(&s->r, 30))
			buf_str(b, "selection");
		else
			expression(s, b, 0);
		buf_char(b, '\n');
	}
}

static void filter(struct random_set *s, struct buf *b)
{
	char id[40];

	random_id(random_next(&s->r, RANDOM_RULES), id);
	buf_printf(b, "---\ntitle: filter\nlogsource: %s\nfilter:\n", random_is(&s->r, 50) ? "{product: windows}" : sources[0].logsource);
	buf_str(b, random_is(&s->r, 50) ? "    rules: any\n" : "    rules:\n");
	if (strcmp(b->p + b->n - 11, "rules: any\n") != 0)
		buf_printf(b, "        - %s\n", id);
	s->odd = false;
	s->n = 0; /* what it asks for is aimed at with the first rule */
	selection(s, b, "selection");
	buf_str(b, "    condition: not selection\n");
}

void random_rules(struct random_set *s, uint64_t seed, struct buf *yaml)
{
	memset(s, 0, sizeof *s);
	s->r.state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	for (int i = 0; i < 5; i++)
		random_next(&s->r, 2);
	for (s->n = 0; s->n < RANDOM_RULES; s->n++) {
		char id[40];

		random_id(s->n, id);
		s->odd = s->n % 4 == 0; /* of these, many are to be refused */
		s->rules[s->n].source = random_next(&s->r, SOURCES);
		buf_printf(yaml, "---\ntitle: rule %zu\nid: %s\nlevel: low\nlogsource: %s\ndetection:\n", s->n, id,
			sources[s->rules[s->n].source].logsource);
		detection(s, yaml);
	}
	if (random_is(&s->r, 40))
		filter(s, yaml);
	s->n = RANDOM_RULES;
}

/* -- events -- */

static void data(struct buf *b, const char *name, const char *value)
{
	if (name[0])
		buf_printf(b, "<Data Name='%s'>", name);
	else
		buf_str(b, "<Data>");
	xml_text(b, value);
	buf_str(b, "</Data>\n");
}

static void field_data(struct random_set *s, struct buf *b, const struct random_item *it, bool audit, bool lower)
{
	char value[1500] = "";
	const char *name = it->field, *slash;

	if (it->n && it->all && random_is(&s->r, 60))
		for (size_t i = 0; i < it->n; i++)
			snprintf(value + strlen(value), sizeof value - strlen(value), "%s", it->like[i]);
	else if (it->n && random_is(&s->r, 92))
		snprintf(value, sizeof value, "%s", it->like[random_next(&s->r, (uint32_t)it->n)]);
	if (random_is(&s->r, 35))
		random_near(&s->r, value, sizeof value);
	if (random_is(&s->r, 8)) /* in the midst of much else */
		random_wrap(&s->r, value, sizeof value);
	for (size_t i = 0; audit && i < sizeof renamed / sizeof renamed[0]; i++)
		if (strcmp(name, renamed[i][0]) == 0 && random_is(&s->r, 90))
			name = renamed[i][1];
	slash = strchr(value, '\\');
	if (strcmp(name, "SubjectUserName") == 0 && slash) {
		data(b, "SubjectUserName", slash + 1);
		value[slash - value] = '\0';
		name = "SubjectDomainName";
	}
	if (strcmp(name, "MandatoryLabel") == 0 && random_is(&s->r, 60))
		snprintf(value, sizeof value, "%s", random_is(&s->r, 50) ? "S-1-16-12288" : "S-1-16-8192");
	if (strcmp(name, "ThreatName") == 0 && random_is(&s->r, 50))
		name = "Threat Name";
	if (lower && strcmp(name, "CommandLine") == 0) /* in the whole event: no real one has a name in two spellings */
		name = "commandline";
	if (!name[0])
		name = fields[3 + random_next(&s->r, 11)];
	data(b, strncmp(name, "Data", 4) == 0 || (strcmp(name, "param1") == 0 && random_is(&s->r, 50)) ? "" : name, value);
}

void random_event(struct random_set *s, size_t i, struct buf *xml)
{
	const struct source *src = &sources[random_is(&s->r, 93) ? s->rules[i].source : random_next(&s->r, SOURCES)];
	bool user_data = random_is(&s->r, 5), lower = random_is(&s->r, 10);

	if (strcmp(src->logsource, sources[0].logsource) == 0)
		src = &sources[random_next(&s->r, 3)];
	buf_str(xml, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>\n<System>\n");
	buf_printf(xml, "<Provider Name='Ab%s'/>\n<EventID>%d</EventID>\n<Level>%u</Level>\n"
		"<TimeCreated SystemTime='2024-02-0%uT01:02:03.0000000Z'/>\n<EventRecordID>%u</EventRecordID>\n"
		"<Channel>%s</Channel>\n<Computer>%s</Computer>\n</System>\n", random_is(&s->r, 50) ? "" : "c", src->id, random_next(&s->r, 5),
		1 + random_next(&s->r, 9), 1 + random_next(&s->r, 9), src->channel, random_is(&s->r, 50) ? "AB" : "k.ab");
	if (user_data)
		buf_str(xml, "<UserData>\n<Wrapper>\n<F1>ab</F1>\n<F2 Kind='K'>s</F2>\n<F1>K.exe</F1>\n</Wrapper>\n</UserData>\n");
	buf_str(xml, "<EventData>\n");
	buf_str(xml, src->data);
	for (size_t k = 0; k < s->rules[i].n; k++) {
		if (random_is(&s->r, 12))
			continue;
		field_data(s, xml, &s->rules[i].items[k], src->id == 4688, lower);
	}
	buf_str(xml, "</EventData>\n</Event>\n");
}
