/* backend.h - the certificate of port 444 of an Exchange server: what its files share. heal/ sees remedy_exchange_backend only.
 *
 * Facts about the domain (what setup creates, which failure means what, what must never be touched) are those of Microsoft's
 * documentation of Exchange 2013 to SE and of HTTP.SYS; the comments say which rule each line follows. */
#ifndef EVMEND_REMEDIES_BACKEND_H
#define EVMEND_REMEDIES_BACKEND_H

#include "heal/remedy.h"

/* appcmd is not in PATH; as PowerShell starts it. */
#define BE_APPCMD "& \"$env:windir\\System32\\inetsrv\\appcmd.exe\""
#define BE_SITE "Exchange Back End"
#define BE_ENDPOINT "0.0.0.0:444"
#define BE_LOOPBACK "127.0.0.1"                           /* 443 has a record of its own there */
#define BE_BINDING "*:444:"
#define BE_APPID "{4dc3e181-e14b-4a21-b022-59fc669b0914}" /* IIS */
#define BE_PATH "/owa/exhealth.check"                     /* what Managed Availability asks for */
#define BE_FRIENDLY "Microsoft Exchange"
#define BE_SOON (60 * US_DAY)                             /* a certificate that ends within this is reported */
#define BE_GOOD_FOR (30 * US_DAY)                         /* and one that we bind must last this long */

extern const struct remedy remedy_exchange_backend;

/* facts.c */
int be_diagnose(struct host *h, const struct clock *clock, int64_t deadline, struct diagnosis *to, struct err *e);
const struct host_record *be_record(const struct host_state *s);  /* 0.0.0.0:444; NULL */
const struct host_site *be_site(const struct host_state *s);      /* NULL */
const struct host_cert *be_cert(const struct host_state *s, const uint8_t thumbprint[20], const char *store); /* store NULL: any */
enum tri be_key_usable(const struct host_cert *c);                /* there, opens and matches */
bool be_names_own(const struct cert_info *c, const struct host_identity *i); /* FQDN or NetBIOS name */
bool be_store_is(const char *store, const char *name);            /* case does not count */
/* Did this very back end answer through the front end? Unknown when another one did, or was to. */
enum tri be_probe_hop(const struct probe_result *r, const struct host_identity *id);

/* verdicts.c: a pure function of facts; seen is a set of enum rule_seen */
void be_judge(struct diagnosis *d, const struct suspicion *s);

/* choose.c: NULL when there is none; the same answer in whatever order a host lists its certificates */
bool be_fits(const struct diagnosis *d, const struct host_cert *c); /* own, of the right kind, valid for BE_GOOD_FOR; whatever its key */
const struct host_cert *be_best_cert(const struct diagnosis *d);    /* in MY, fits, its key opens and matches */
const struct host_cert *be_renewal_cert(const struct diagnosis *d); /* such a one, not the record's, that lasts BE_SOON longer than it */
const struct host_cert *be_restorable_cert(const struct diagnosis *d); /* a copy of the record's in another store, with its key left */
/* The record's own certificate fits; yes: its key is there, but not joined or not open; unknown: a wrong one is joined with it. */
enum tri be_key_repairable(const struct diagnosis *d);
bool be_may_have_cert(const struct diagnosis *d);  /* one would be good, if only its key were known */

/* plan.c: fills d->plan */
void be_plan(struct diagnosis *d);
/* advice.c: commands that only the host's state knows, for what a person set: into verdict.advice and notes. Asked by be_plan. */
void be_advice(struct diagnosis *d);
bool be_endpoint_ok(const char *endpoint, bool host_name); /* "10.0.0.5:444", "[::1]:444"; host_name: "ex1.contoso.com:444". Nothing else */

/* proof.c */
int be_verify(struct host *h, const struct clock *clock, int64_t deadline, const struct diagnosis *before, const uint8_t wanted[20],
	struct proof *to, struct err *e);

#endif
