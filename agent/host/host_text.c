/* host_text.c - the words for steps and states of a host, and its names.
 *
 * Exists so that the protocol, the ledger and the screen say the same word for the same thing.
 * Promises a word for every value; refuses (false) words that are none of them. */
#include "host/host.h"

#include <string.h>

#include "base/text.h"

static const char *const step_words[] = {
	[STEP_RECORD_SET] = "record_set",
	[STEP_RECORD_REMOVE] = "record_remove",
	[STEP_SITE_BINDING_ADD] = "site_binding_add",
	[STEP_CERT_CREATE] = "cert_create",
	[STEP_CERT_RESTORE] = "cert_restore",
	[STEP_KEY_REPAIR] = "key_repair",
	[STEP_CERT_REMOVE_OURS] = "cert_remove_ours",
	[STEP_IIS_RESTART] = "iis_restart",
};

static const char *const busy_words[] = {
	[HOST_FREE] = "free",
	[HOST_MAINTENANCE] = "maintenance",
	[HOST_INSTALLING] = "installing",
	[HOST_RECOVERING] = "recovering",
	[HOST_REBOOT_PENDING] = "reboot_pending",
};

const char *step_kind_text(enum step_kind k)
{
	return step_words[k];
}

bool step_kind_parse(const char *s, enum step_kind *k)
{
	for (size_t i = 0; i < sizeof(step_words) / sizeof(step_words[0]); i++)
		if (strcmp(s, step_words[i]) == 0) {
			*k = (enum step_kind)i;
			return true;
		}
	return false;
}

const char *host_busy_text(enum host_busy b)
{
	return busy_words[b];
}

bool host_called(const struct host_config *h, const char *name)
{
	bool same = text_same(h->name, name);

	for (size_t i = 0; i < h->n_aliases && !same; i++)
		same = text_same(h->aliases[i], name);
	return same;
}
