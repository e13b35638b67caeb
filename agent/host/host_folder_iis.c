/* host_folder_iis.c - sites and their bindings from applicationHost.config.
 *
 * Exists because that file is what people send. Promises sites, bindings and sslFlags as the file has them; whether a site is started is
 * not in it and stays unknown. Refuses what base/xml refuses (document types, entities, depth), a file without sites, and more
 * sites or bindings than host.h has room for. */
#include <string.h>

#include "base/text.h"
#include "base/xml.h"
#include "host/host_folder_inside.h"

/* configuration > system.applicationHost > sites > site > bindings > binding */
static const char *const way[] = {"configuration", "system.applicationHost", "sites", "site", "bindings", "binding"};

#define STEPS (sizeof(way) / sizeof(way[0]))

struct reader {
	struct host_state *s;
	unsigned depth, on_way; /* how deep we are, and how many of these steps are on the way */
	bool seen_sites;
	struct err *e;
};

static int take(char *to, size_t n, const struct xml_attribute *a, struct err *e)
{
	if (a->len >= n)
		return err_set(e, ERR_IO, "%s of %zu bytes; at most %zu are taken", a->name, a->len, n - 1);
	memcpy(to, a->value, a->len);
	to[a->len] = '\0';
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_IO, "%s has a control character in it", a->name);
	return 0;
}

static int take_number(int64_t *to, const struct xml_attribute *a, struct err *e)
{
	if (text_int(a->value, a->len, to) && *to >= 0 && *to <= INT32_MAX)
		return 0;
	return err_set(e, ERR_IO, "%s='%.*s' is no number", a->name, (int)(a->len < 40 ? a->len : 40), a->value);
}

static int take_site(struct reader *r, const struct xml_attribute *a, size_t n)
{
	struct host_site *site;
	int64_t id = 0;

	if (r->s->n_sites == HOST_SITES)
		return err_set(r->e, ERR_IO, "more than %d sites", HOST_SITES);
	site = &r->s->sites[r->s->n_sites++];
	memset(site, 0, sizeof(*site));
	site->state_unknown = true;
	for (size_t i = 0; i < n; i++)
		if ((strcmp(a[i].name, "name") == 0 && take(site->name, sizeof(site->name), &a[i], r->e) < 0) ||
		    (strcmp(a[i].name, "id") == 0 && take_number(&id, &a[i], r->e) < 0))
			return -1;
	site->id = (int)id;
	return site->name[0] ? 0 : err_set(r->e, ERR_IO, "a site without a name");
}

static int take_binding(struct reader *r, const struct xml_attribute *a, size_t n)
{
	struct host_site *site;
	struct host_binding *b;
	int64_t flags = 0;

	if (r->s->n_sites == 0)
		return 0;
	site = &r->s->sites[r->s->n_sites - 1];
	if (site->n_bindings == HOST_BINDINGS)
		return err_set(r->e, ERR_IO, "the site '%s' has more than %d bindings", site->name, HOST_BINDINGS);
	b = &site->bindings[site->n_bindings++];
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < n; i++)
		if ((strcmp(a[i].name, "protocol") == 0 && take(b->protocol, sizeof(b->protocol), &a[i], r->e) < 0) ||
		    (strcmp(a[i].name, "bindingInformation") == 0 && take(b->information, sizeof(b->information), &a[i], r->e) < 0) ||
		    (strcmp(a[i].name, "sslFlags") == 0 && take_number(&flags, &a[i], r->e) < 0))
			return -1;
	b->ssl_flags = (uint32_t)flags;
	return 0;
}

static int on_start(void *arg, const char *name, const struct xml_attribute *attributes, size_t n)
{
	struct reader *r = arg;

	if (r->depth++ != r->on_way || r->on_way == STEPS || strcmp(name, way[r->on_way]) != 0)
		return 0;
	r->on_way++;
	if (r->on_way == 3)
		r->seen_sites = true;
	if (r->on_way == 4)
		return take_site(r, attributes, n);
	return r->on_way == STEPS ? take_binding(r, attributes, n) : 0;
}

static int on_end(void *arg, const char *name)
{
	struct reader *r = arg;

	(void)name;
	r->depth--;
	if (r->on_way > r->depth)
		r->on_way = r->depth;
	return 0;
}

static int on_text(void *arg, const char *text, size_t n)
{
	(void)arg;
	(void)text;
	(void)n;
	return 0;
}

int folder_iis(const char *text, size_t n, struct host_state *s, struct err *e)
{
	static const struct xml_handler handler = {on_start, on_end, on_text};
	struct reader r = {.s = s, .e = e};
	struct xml_parser *p = xml_new();
	int code;

	s->n_sites = 0;
	code = xml_parse(p, text, n, &handler, &r, e);
	xml_free(p);
	if (code < 0)
		return -1;
	if (!r.seen_sites)
		return err_set(e, ERR_IO, "no <sites> of <system.applicationHost> are in it");
	s->known |= HOST_PART_SITES;
	return 0;
}
