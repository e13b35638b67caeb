/* lab_faults.c - the table of the faults, and how one or several come about. faults.tsv says what each must lead to. */
#include <string.h>

#include "base/text.h"
#include "lab/lab_faults.h"

static int nothing(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)s, (void)how, (void)e;
	return 0;
}

/* Two at once, by one name: the row of the site stands before that of the certificate. */
static int two_faults(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	return fault_delete_certificate(l, s, how, e) < 0 ? -1 : fault_stop_site(l, s, how, e);
}

static const struct fault {
	const char *name;
	fault_fn *does;
	bool may_be_deferred, may_keep_key;
} faults[] = {
	{"none", nothing, false, false},
	{"delete-certificate", fault_delete_certificate, true, true},
	{"unbind", fault_unbind, false, false},
	{"drop-key", fault_drop_key, true, false},
	{"key-access", fault_key_access, false, false},
	{"lost-association", fault_lost_association, false, false},
	{"key-mismatch", fault_key_mismatch, false, false},
	{"wrong-store", fault_wrong_store, false, false},
	{"expire", fault_expire, false, false},
	{"expire-soon", fault_expire_soon, false, false},
	{"not-yet-valid", fault_not_yet_valid, false, false},
	{"weak", fault_weak, false, false},
	{"weak-sha1", fault_weak_sha1, false, false},
	{"weak-1024", fault_weak_1024, false, false},
	{"ec-key", fault_ec_key, false, false},
	{"foreign-name", fault_foreign_name, false, false},
	{"public-certificate", fault_public_certificate, false, false},
	{"public-own-name", fault_public_own_name, false, false},
	{"shadow-record", fault_shadow_record, false, false},
	{"front-end-certificate", fault_front_end_certificate, true, true},
	{"stop-site", fault_stop_site, false, false},
	{"stop-service", fault_stop_service, false, false},
	{"no-site-binding", fault_no_site_binding, false, false},
	{"ip-bound", fault_ip_bound, false, false},
	{"host-header", fault_host_header, false, false},
	{"app-pool-down", fault_app_pool_down, false, false},
	{"tls-mismatch", fault_tls_mismatch, false, false},
	{"hang", fault_hang, false, false},
	{"mute", fault_mute, false, false},
	{"refuse", fault_refuse, false, false},
	{"stale-state", fault_stale_state, false, false},
	{"hop-broken", fault_hop_broken, false, false},
	{"contradiction", fault_contradiction, false, false},
	{"no-exchange-site", fault_no_exchange_site, false, false},
	{"not-exchange", fault_not_exchange, false, false},
	{"smtp-connector", fault_smtp_connector, false, false},
	{"two-faults", two_faults, true, true},
	{"admin-repair", fault_admin_repair, false, false},
	{"disk-full", fault_disk_full, false, false},
};

#define FAULTS (sizeof faults / sizeof faults[0])

static const struct fault *find(const char *name, struct err *e)
{
	const char *names[FAULTS + 1] = {NULL}, *near;

	for (size_t i = 0; i < FAULTS; i++) {
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
		names[i] = faults[i].name;
	}
	near = text_nearest(name, names);
	err_set(e, ERR_USAGE, "there is no fault '%.60s'%s%s%s; evmend-lab --help lists them", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return NULL;
}

void lab_list_faults(struct buf *to, const char *indent)
{
	size_t column = 0;

	for (size_t i = 0; i < FAULTS; i++) {
		bool turn = column == 0 || column + strlen(faults[i].name) > 90;

		buf_printf(to, "%s%s%s", turn && i ? "\n" : "", turn ? indent : " ", faults[i].name);
		column = turn ? strlen(faults[i].name) : column + 1 + strlen(faults[i].name);
	}
	buf_char(to, '\n');
}

static int settle(const struct lab *l, struct lab_state *s, struct err *e)
{
	int64_t version = s->version + 1;

	if (state_write(l, s, e) < 0)
		return -1;
	if (lab_pid(l) != 0 && lab_wait_seen(l, version) < 0)
		return err_set(e, ERR_IO, "the lab's server did not take the change in within 3 s; see %s/server.log", l->folder);
	return 0;
}

static int check(const char *name, const struct how *how, const struct fault **to, struct err *e)
{
	*to = find(name, e);
	if (!*to)
		return -1;
	if (how->deferred && !(*to)->may_be_deferred)
		return err_set(e, ERR_USAGE, "--deferred does not go with %s", name);
	if (how->keep_key && !(*to)->may_keep_key)
		return err_set(e, ERR_USAGE, "--keep-key does not go with %s", name);
	return 0;
}

int lab_break(const struct lab *l, const char *fault, bool deferred, bool keep_key, struct err *e)
{
	const struct how how = {deferred, keep_key};
	const struct fault *todo[8];
	char name[64];
	size_t n = 0;
	struct lab_state *s;

	for (const char *at = fault; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL) {
		size_t len = strcspn(at, "+");

		text_copy(name, len < sizeof name ? len + 1 : sizeof name, at);
		if (n == sizeof todo / sizeof todo[0])
			return err_set(e, ERR_USAGE, "these are too many faults at once");
		if (check(name, &how, &todo[n++], e) < 0)
			return -1;
	}
	s = state_begin(l, true, e);
	if (!s)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (todo[i]->does(l, s, &how, e) < 0) {
			state_end(s);
			return -1;
		}
	return settle(l, s, e);
}

int lab_restart(const struct lab *l, struct err *e)
{
	struct lab_state *s = state_begin(l, true, e);

	if (!s)
		return -1;
	state_restart_iis(s);
	return settle(l, s, e);
}
