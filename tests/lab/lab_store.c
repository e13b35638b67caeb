/* lab_store.c - the certificate stores of the lab.
 *
 * As on Windows a certificate and its private key live apart: the certificate names a key container, and either can vanish
 * without the other. Promises: what is written is whole; a certificate that cannot be read is not listed.
 * Refuses: nothing of an attacker's; names of files are thumbprints and random containers. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/lab.h"
#include "os/os.h"

static int put_file(const char *path, const char *text, struct err *e)
{
	char words[96];
	int r = os_file_replace(&os_file, path, text, strlen(text));

	return r < 0 ? err_set(e, ERR_IO, "%s cannot be written: %s", path, err_os(-r, words)) : 0;
}

static char *get_file(const char *path)
{
	struct buf b;
	char *s = NULL;

	buf_init(&b, 64 * 1024);
	if (lab_read(path, &b) == 0)
		s = xstrdup(buf_text(&b));
	if (b.p)
		memset(b.p, 0, b.n);
	buf_free(&b);
	return s;
}

static bool key_is_there(const struct lab *l, const char *container)
{
	char path[4096];

	lab_path(l, path, sizeof path, "keys/%s.pem", container);
	return container[0] && access(path, F_OK) == 0;
}

/* A closed key stands beside the open ones under another name: whoever asks for it has no access. */
static bool key_is_closed(const struct lab *l, const char *container)
{
	char path[4096];

	lab_path(l, path, sizeof path, "keys/%s.closed", container);
	return container[0] && access(path, F_OK) == 0;
}

/* A certificate that names no container has no key; one that would fit is told, as certutil -repairstore would find it. */
static void about_key(const struct lab *l, struct store_cert *c)
{
	bool joined = c->cert.container[0] != '\0', closed = key_is_closed(l, c->cert.container);
	char *key;

	c->cert.key_denied = closed ? TRI_YES : TRI_NO;
	if (!joined) {
		c->cert.has_key = c->cert.key_opens = TRI_NO;
		c->cert.key_matches = store_key_for(l, c->pem, c->cert.container) ? TRI_YES : TRI_NO;
		return;
	}
	key = store_key(l, c);
	c->cert.has_key = key_is_there(l, c->cert.container) || closed ? TRI_YES : TRI_NO;
	c->cert.key_opens = key ? TRI_YES : TRI_NO;
	/* of a key that does not open nobody knows whether it matches */
	c->cert.key_matches = !key && c->cert.has_key == TRI_YES ? TRI_UNKNOWN :
		key && cert_key_matches(c->pem, strlen(c->pem), key, strlen(key)) ? TRI_YES : TRI_NO;
	cert_wipe(key);
}

static bool load(const struct lab *l, const char *store, const char *hex, struct store_cert *to)
{
	char path[4096];
	char *about;
	struct json *j;

	memset(to, 0, sizeof *to);
	lab_path(l, path, sizeof path, "store/%s/%s.pem", store, hex);
	to->pem = get_file(path);
	if (!to->pem)
		return false;
	if (cert_parse_pem(to->pem, strlen(to->pem), &to->cert.info, NULL) < 0) {
		free(to->pem);
		return false;
	}
	lab_path(l, path, sizeof path, "store/%s/%s.json", store, hex);
	about = get_file(path);
	j = about ? json_parse(about, strlen(about), NULL) : NULL;
	text_copy(to->cert.store, sizeof to->cert.store, store);
	text_copy(to->cert.friendly_name, sizeof to->cert.friendly_name, json_str(json_get(j, "friendly_name"), ""));
	text_copy(to->cert.container, sizeof to->cert.container, json_str(json_get(j, "container"), ""));
	text_copy(to->cert.provider, sizeof to->cert.provider, json_str(json_get(j, "provider"), ""));
	to->cert.csp = strcmp(to->cert.provider, LAB_CSP) == 0;
	text_copy(to->token, sizeof to->token, json_str(json_get(j, "token"), ""));
	about_key(l, to);
	json_free(j);
	free(about);
	return true;
}

static size_t list_one(const struct lab *l, const char *store, struct store_cert **to, size_t n)
{
	char path[4096];
	struct dirent *d;
	DIR *dir;

	lab_path(l, path, sizeof path, "store/%s", store);
	dir = opendir(path);
	while (dir && n < HOST_CERTS && (d = readdir(dir))) {
		char hex[41];

		if (strlen(d->d_name) != 44 || strcmp(d->d_name + 40, ".pem") != 0)
			continue;
		text_copy(hex, sizeof hex, d->d_name);
		*to = xrealloc(*to, n + 1, sizeof **to);
		if (load(l, store, hex, *to + n))
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static int by_thumbprint(const void *a, const void *b)
{
	const struct store_cert *x = a, *y = b;
	int r = strcmp(x->cert.store, y->cert.store);

	return r ? r : memcmp(x->cert.info.thumbprint, y->cert.info.thumbprint, 20);
}

size_t store_list(const struct lab *l, const char *store, struct store_cert **to)
{
	static const char *const stores[] = {"MY", "WebHosting", "Root"};
	size_t n = 0;

	*to = NULL;
	for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++)
		if (!store || strcmp(store, stores[i]) == 0)
			n = list_one(l, stores[i], to, n);
	if (n)
		qsort(*to, n, sizeof **to, by_thumbprint);
	return n;
}

void store_free(struct store_cert *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(c[i].pem);
	free(c);
}

struct store_cert *store_find(const struct lab *l, const char *store, const uint8_t thumbprint[20])
{
	struct store_cert *c = xcalloc(1, sizeof *c);
	char hex[41];

	text_hex(hex, thumbprint, 20);
	if (load(l, store, hex, c))
		return c;
	free(c);
	return NULL;
}

int store_add(const struct lab *l, const char *store, const char *pem, const char *friendly, const char *container,
	const char *token, struct err *e)
{
	char path[4096], hex[41];
	struct cert_info info;
	struct json_out o;
	struct buf b;
	int r;

	if (cert_parse_pem(pem, strlen(pem), &info, e) < 0)
		return -1;
	text_hex(hex, info.thumbprint, 20);
	buf_init(&b, 64 * 1024);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "friendly_name", friendly);
	json_put_str(&o, "container", container);
	json_put_str(&o, "provider", info.key == KEY_EC ? LAB_KSP : LAB_CSP); /* the SChannel provider keeps RSA keys only */
	json_put_str(&o, "token", token);
	json_close(&o, '}');
	lab_path(l, path, sizeof path, "store/%s/%s.json", store, hex);
	r = put_file(path, buf_text(&b), e);
	buf_free(&b);
	lab_path(l, path, sizeof path, "store/%s/%s.pem", store, hex);
	return r < 0 ? -1 : put_file(path, pem, e); /* the certificate is there when its .pem is */
}

void store_remove(const struct lab *l, const char *store, const uint8_t thumbprint[20])
{
	char path[4096], hex[41];

	text_hex(hex, thumbprint, 20);
	lab_path(l, path, sizeof path, "store/%s/%s.pem", store, hex);
	unlink(path);
	lab_path(l, path, sizeof path, "store/%s/%s.json", store, hex);
	unlink(path);
}

int store_put(const struct lab *l, const char *pem, const char *key, const char *friendly, const char *token,
	uint8_t thumbprint[20], struct err *e)
{
	char container[40], path[4096];
	struct cert_info info;

	lab_guid(container);
	lab_path(l, path, sizeof path, "keys/%s.pem", container);
	if (cert_parse_pem(pem, strlen(pem), &info, e) < 0 || put_file(path, key, e) < 0)
		return -1;
	memcpy(thumbprint, info.thumbprint, 20);
	return store_add(l, "MY", pem, friendly, container, token, e);
}

int store_create(const struct lab *l, const struct cert_template *t, const char *friendly, const char *token, bool with_root,
	uint8_t thumbprint[20], struct err *e)
{
	char *cert = NULL, *key = NULL;
	int r;

	if (cert_create(t, &cert, &key, e) < 0)
		return -1;
	r = store_put(l, cert, key, friendly, token, thumbprint, e);
	if (r == 0 && with_root)
		r = store_add(l, "Root", cert, "", "", "", e);
	cert_wipe(key);
	free(cert);
	return r;
}

char *store_key(const struct lab *l, const struct store_cert *c)
{
	char path[4096];

	if (!c->cert.container[0] || strspn(c->cert.container, "0123456789abcdef-") != strlen(c->cert.container))
		return NULL;
	lab_path(l, path, sizeof path, "keys/%s.pem", c->cert.container);
	return get_file(path);
}

void store_drop_key(const struct lab *l, const char *container)
{
	char path[4096];

	lab_path(l, path, sizeof path, "keys/%s.pem", container);
	unlink(path);
}

void store_close_key(const struct lab *l, const char *container, bool closed)
{
	char open[4096], shut[4096];

	lab_path(l, open, sizeof open, "keys/%s.pem", container);
	lab_path(l, shut, sizeof shut, "keys/%s.closed", container);
	(void)rename(closed ? open : shut, closed ? shut : open);
}

bool store_key_for(const struct lab *l, const char *pem, char container[static 128])
{
	char path[4096];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	lab_path(l, path, sizeof path, "keys");
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		size_t n = strlen(d->d_name);
		char *key;

		if (n != 40 || strcmp(d->d_name + 36, ".pem") != 0)
			continue;
		lab_path(l, path, sizeof path, "keys/%s", d->d_name);
		key = get_file(path);
		found = key && cert_key_matches(pem, strlen(pem), key, strlen(key));
		cert_wipe(key);
		if (found) {
			text_copy(container, 37, d->d_name);
		}
	}
	if (dir)
		closedir(dir);
	return found;
}

void own_template(const struct lab *l, struct cert_template *t)
{
	memset(t, 0, sizeof *t);
	text_copy(t->common_name, sizeof t->common_name, l->name);
	text_copy(t->organization, sizeof t->organization, LAB_ORGANIZATION);
	text_copy(t->san[0], sizeof t->san[0], l->name);
	text_copy(t->san[1], sizeof t->san[1], l->fqdn);
	t->n_san = 2;
	t->key_bits = 2048;
	t->days = 1826;
	t->not_before = clock_wall(&l->clock) - US_DAY;
}

bool is_usable(const struct store_cert *c)
{
	return c && c->cert.has_key == TRI_YES && c->cert.key_opens == TRI_YES && c->cert.key_matches == TRI_YES;
}
