/* attack.c - tags of rules as what MITRE ATT&CK calls them.
 *
 * Why: receivers group by tactic and technique. Promises the ids of ATT&CK Enterprise (v15, attack.mitre.org/tactics/enterprise). Refuses
 * other tags: groups and software stay tags. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ship/facts.h"

static const struct {
	const char *tag, *id, *name;
} tactics[] = {
	{ "reconnaissance", "TA0043", "Reconnaissance" },
	{ "resource-development", "TA0042", "Resource Development" },
	{ "initial-access", "TA0001", "Initial Access" },
	{ "execution", "TA0002", "Execution" },
	{ "persistence", "TA0003", "Persistence" },
	{ "privilege-escalation", "TA0004", "Privilege Escalation" },
	{ "defense-evasion", "TA0005", "Defense Evasion" },
	{ "credential-access", "TA0006", "Credential Access" },
	{ "discovery", "TA0007", "Discovery" },
	{ "lateral-movement", "TA0008", "Lateral Movement" },
	{ "collection", "TA0009", "Collection" },
	{ "exfiltration", "TA0010", "Exfiltration" },
	{ "command-and-control", "TA0011", "Command and Control" },
	{ "impact", "TA0040", "Impact" },
};

/* "t1059" or "t1059.001" */
static bool technique(const char *s, struct attack *a)
{
	size_t n = strlen(s);

	if (tolower((unsigned char)*s) != 't' || strspn(s + 1, "0123456789") != 4 ||
		(n != 5 && (n != 9 || s[5] != '.' || strspn(s + 6, "0123456789") != 3)))
		return false;
	snprintf(a->id, sizeof a->id, "T%.8s", s + 1);
	a->technique = true;
	return true;
}

bool attack_parse(const char *tag, struct attack *a)
{
	char word[32];

	*a = (struct attack){ .name = "" };
	if (!text_same_n(tag, strnlen(tag, 7), "attack.", 7) || strlen(tag) - 7 >= sizeof word)
		return false;
	text_copy(word, sizeof word, tag + 7);
	if (technique(word, a))
		return true;
	for (char *s = word; *s; s++)
		*s = *s == '_' ? '-' : *s; /* as SigmaHQ wrote it until 2025 */
	for (size_t i = 0; i < sizeof tactics / sizeof tactics[0]; i++)
		if (text_same(word, tactics[i].tag)) {
			text_copy(a->id, sizeof a->id, tactics[i].id);
			a->name = tactics[i].name;
			return true;
		}
	return false;
}
