/* host_folder_certs.c - certificates that people send as files, and whose they are.
 *
 * Promises: with a folder for each store (certs/MY/...) the stores count as complete; a flat heap of files, or other stores
 * without MY, is what somebody picked, and nothing follows from what is not in it. Nothing is known about keys. Refuses, with its
 * name, a file that is no certificate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_folder_inside.h"
#include "os/os.h"

static bool named_by_record(const struct host_state *s, const uint8_t thumbprint[20])
{
	for (size_t i = 0; i < s->n_records; i++)
		if (memcmp(s->records[i].thumbprint, thumbprint, 20) == 0)
			return true;
	return false;
}

/* Of the stores of others (Root, CA ...) only a copy of what a record names says anything; there are hundreds in them. */
static bool counts(const struct host_state *s, const struct host_cert *c)
{
	return text_same(c->store, "MY") || text_same(c->store, "WebHosting") || named_by_record(s, c->info.thumbprint);
}

static int take_cert(struct host_folder *f, const char *store, const char *name, struct err *e)
{
	struct host_cert *c = &f->state.certs[f->state.n_certs < HOST_CERTS ? f->state.n_certs : 0];
	struct host_cert *to;
	struct buf b;
	int r = folder_read(f, name, LIMIT_FOLDER_CERT, &b, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_IO, "%s: is a link to nothing", name);
	to = xcalloc(1, sizeof(*to));
	r = text_has(b.p, b.n, "-----BEGIN") ? cert_parse_pem(b.p, b.n, &to->info, e) : cert_parse_der(b.p, b.n, &to->info, e);
	buf_free(&b);
	text_copy(to->store, sizeof(to->store), store);
	to->csp = true; /* not known, and nothing is held against it */
	if (r < 0)
		(void)err_prefix(e, "%s", name);
	else if (counts(&f->state, to) && f->state.n_certs == HOST_CERTS)
		r = err_set(e, ERR_IO, "certs: more than %d certificates", HOST_CERTS);
	else if (counts(&f->state, to)) {
		*c = *to;
		f->state.n_certs++;
	}
	free(to);
	return r;
}

/* Every .cer and .crt of a sub-folder. How many, or -1. */
static int take_folder(struct host_folder *f, const char *sub, const char *store, struct err *e)
{
	static const char *const endings[] = {".cer", ".crt"};
	char **names = xcalloc(LIMIT_FOLDER_CERTS, sizeof(*names)), path[600];
	int all = 0;

	for (size_t k = 0; k < 2 && all >= 0; k++) {
		int n = folder_list(f, sub, endings[k], names, LIMIT_FOLDER_CERTS, e);

		for (int i = 0; i < n; i++) {
			(void)snprintf(path, sizeof(path), "%s/%s", sub, names[i]);
			if (all >= 0)
				all = take_cert(f, store, path, e) < 0 ? -1 : all + 1;
			free(names[i]);
		}
		if (n < 0)
			all = -1;
	}
	free(names);
	return all;
}

static bool is_store(const struct host_folder *f, const char *name)
{
	char path[4096];
	struct os_stat st;

	if (strlen(name) >= sizeof(f->state.certs[0].store))
		return false;
	(void)snprintf(path, sizeof(path), "%s/certs/%s", f->path, name);
	return os_file.stat(path, -1, &st) == 0 && st.is_folder;
}

int folder_certs(struct host_folder *f, struct err *e)
{
	char **names = xcalloc(LIMIT_FOLDER_CERTS, sizeof(*names)), sub[600];
	int n = folder_list(f, "certs", "", names, LIMIT_FOLDER_CERTS, e), r = n < 0 ? -1 : 0, stores = 0;
	bool my = false;

	f->state.n_certs = 0;
	for (int i = 0; i < n; i++) {
		if (r >= 0 && is_store(f, names[i])) {
			(void)snprintf(sub, sizeof(sub), "certs/%s", names[i]);
			r = take_folder(f, sub, text_same(names[i], "MY") ? "MY" : names[i], e);
			my = my || text_same(names[i], "MY");
			stores++;
		}
		free(names[i]);
	}
	free(names);
	if (r >= 0 && stores == 0)
		r = take_folder(f, "certs", "MY", e);
	f->state.certs_picked = !my;
	if (r >= 0 && (stores != 0 || r > 0))
		f->state.known |= HOST_PART_CERTS;
	return r < 0 ? -1 : 0;
}

/* ---- names ---- */

/* Exchange's own certificates carry the short and the full name. Does this one, and which is the full one? */
static const char *full_name_of(const struct cert_info *c)
{
	for (size_t i = 0; c->self_signed && i < c->n_san; i++) {
		size_t n = strlen(c->san[i]);

		if (strchr(c->san[i], '.') != NULL || !text_host_ok(c->san[i]))
			continue;
		for (size_t k = 0; k < c->n_san; k++)
			if (strlen(c->san[k]) > n + 1 && c->san[k][n] == '.' && text_same_n(c->san[k], n, c->san[i], n) &&
			    text_host_ok(c->san[k]))
				return c->san[k];
	}
	return NULL;
}

static const char *name_from_certs(const struct host_state *s, struct err *e)
{
	const char *name = NULL;

	for (size_t i = 0; i < s->n_certs; i++) {
		const char *one = full_name_of(&s->certs[i].info);

		if (one != NULL && name != NULL && !text_same(one, name)) {
			(void)err_set(e, ERR_USAGE, "whose facts are these? The certificates name %s and %s: add --host FQDN", name, one);
			return NULL;
		}
		if (one != NULL)
			name = one;
	}
	if (name == NULL)
		(void)err_set(e, ERR_USAGE, "whose facts are these? Nothing in the folder says it: add --host FQDN, the server's full name");
	return name;
}

static int check_name(const struct host_identity *i, const char *name, struct err *e)
{
	if (name == NULL || text_same(name, i->fqdn) || text_same(name, i->netbios))
		return 0;
	return err_set(e, ERR_USAGE, "the folder is of %s (%s), not of %s", i->fqdn, i->netbios, name);
}

int folder_names(struct host_folder *f, const char *name, struct err *e)
{
	struct host_identity *i = &f->identity;
	size_t n;

	if (f->has_identity)
		return check_name(i, name, e);
	if (name == NULL && (name = name_from_certs(&f->state, e)) == NULL)
		return -1;
	if (!text_host_ok(name) || strchr(name, '.') == NULL)
		return err_set(e, ERR_USAGE, "--host %s: write the server's full name, such as ex1.contoso.example", name);
	text_copy(i->fqdn, sizeof(i->fqdn), name);
	n = strcspn(name, ".");
	if (n > 15)
		n = 15; /* as Windows makes a NetBIOS name */
	for (size_t k = 0; k < n; k++)
		i->netbios[k] = (char)(name[k] >= 'a' && name[k] <= 'z' ? name[k] - 'a' + 'A' : name[k]);
	i->exchange_unknown = true; /* a site of Exchange's name may be what an uninstallation left */
	i->backend_port = 444;
	i->frontend_port = 443;
	return 0;
}
