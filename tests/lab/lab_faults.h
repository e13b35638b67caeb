/* lab_faults.h - what the files that break the lab share. One function is one fault; lab_faults.c has the table.
 *
 * A fault changes *s (which is written afterwards) and the store, and writes the events that Windows writes at that moment. What
 * follows from use (15021, SendFailure ...) is written by the server when somebody really knocks. */
#ifndef EVMEND_LAB_FAULTS_H
#define EVMEND_LAB_FAULTS_H

#include "lab/lab.h"

struct how {
	bool deferred, keep_key;
};

typedef int fault_fn(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e);

/* The certificate that a record names, as far as it is in the store; NULL and *e. Freed with store_free. */
struct store_cert *of_record(const struct lab *l, struct lab_state *s, const char *endpoint, struct err *e);
/* Sets a record with the events that this writes. */
void bind_record(const struct lab *l, struct lab_state *s, const char *endpoint, const uint8_t thumbprint[20]);

/* ---- lab_faults_cert.c: certificates, keys, records ---- */
fault_fn fault_delete_certificate, fault_front_end_certificate, fault_unbind, fault_drop_key, fault_key_access,
	fault_lost_association, fault_key_mismatch, fault_wrong_store, fault_expire, fault_expire_soon, fault_not_yet_valid, fault_weak,
	fault_weak_sha1, fault_weak_1024, fault_ec_key, fault_foreign_name, fault_public_certificate, fault_public_own_name,
	fault_shadow_record, fault_admin_repair;

/* ---- lab_faults_site.c: sites, services, sockets, and what is no certificate ---- */
fault_fn fault_stop_site, fault_stop_service, fault_no_site_binding, fault_ip_bound, fault_host_header, fault_app_pool_down,
	fault_tls_mismatch, fault_hang, fault_mute, fault_refuse, fault_stale_state, fault_hop_broken, fault_contradiction,
	fault_no_exchange_site, fault_not_exchange, fault_smtp_connector, fault_disk_full;

#endif
