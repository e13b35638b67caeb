/* host.h - a server as heal sees it: what it is, what can be observed, and the few steps that can be done there.
 *
 * The outside world of a diagnosis and a repair is this one table of operations, so that a test can make the n-th call fail,
 * delay, lie or do half. Every operation takes a deadline (monotonic microseconds of `clock`). Failures are of two kinds:
 * ERR_REFUSED, the host said no and did nothing (denied, busy, conflict, failed); ERR_IO, nobody knows what it did
 * (deadline, connection).
 * Facts come only from here. Text from a host is bounded and cleaned; what it cannot answer is UNKNOWN, never "no". */
#ifndef EVMEND_HOST_HOST_H
#define EVMEND_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "host/host_config.h"
#include "tls/tls_client.h"
#include "tls/x509.h"

#define HOST_ADDRESSES 8
#define HOST_RECORDS 32
#define HOST_CERTS 256
#define HOST_SITES 8
#define HOST_BINDINGS 16
#define HOST_SERVICES 16
#define HOST_POOLS 32

enum tri { TRI_UNKNOWN, TRI_NO, TRI_YES };

/* O11, and where to knock. */
struct host_identity {
	char netbios[64], fqdn[256];
	bool exchange;            /* Exchange 2013 or later: has (or should have) the site "Exchange Back End" */
	bool exchange_unknown;    /* nobody said so: `exchange` means nothing */
	bool lab;                 /* says so itself; shown everywhere */
	char addresses[HOST_ADDRESSES][256]; /* on which the back end answers: "127.0.0.1", "::1", the FQDN */
	size_t n_addresses;
	uint16_t backend_port, frontend_port; /* 444 and 443; the lab listens elsewhere */
	char version[64];
};

/* O1, O2: one row of HTTP.SYS's table. endpoint is the logical name ("0.0.0.0:444"), also in the lab. */
struct host_record {
	char endpoint[80];
	uint16_t port;            /* logical: 443, 444 */
	uint8_t thumbprint[20];
	char store[64];           /* "MY" when the table says (null) */
	char appid[48];
	uint32_t flags;
	bool sni;                 /* a host-name record */
	bool ccs;                 /* from the central certificate store */
};

/* O3, O4. */
struct host_cert {
	struct cert_info info;
	char store[64];           /* "MY", "WebHosting", "Root" */
	char friendly_name[128];
	enum tri has_key, key_opens, key_matches;
	enum tri key_denied;      /* it did not open for lack of rights: the key itself is there */
	bool csp;                 /* legacy CSP (wanted), else CNG */
	bool exportable;
	char container[128], provider[128]; /* "" when unknown */
};

/* O5. */
struct host_binding {
	char protocol[16];        /* "https" */
	char information[256];    /* "*:444:" */
	uint32_t ssl_flags;
};

struct host_site {
	char name[128];
	int id;
	bool started;
	bool state_unknown;       /* nobody said so: `started` means nothing */
	struct host_binding bindings[HOST_BINDINGS];
	size_t n_bindings;
};

struct host_service { /* O6; also one application pool */
	char name[64];
	bool running;
};

/* What observe returned; each part says whether it is known at all. */
enum host_part {
	HOST_PART_RECORDS = 1, HOST_PART_CERTS = 2, HOST_PART_SITES = 4, HOST_PART_SERVICES = 8,
	HOST_PART_SETTINGS = 16, /* O14, O15 */
	HOST_PART_ITC = 32,      /* O13 */
	HOST_PART_BOOT = 64,     /* O16 */
	HOST_PART_POOLS = 128,   /* O6 */
};

struct host_state {
	unsigned known;           /* set of enum host_part that was answered */
	struct host_record records[HOST_RECORDS];
	size_t n_records;
	struct host_cert certs[HOST_CERTS];
	size_t n_certs;
	bool certs_picked;        /* somebody chose them: one that is not among them may be there all the same */
	struct host_site sites[HOST_SITES];
	size_t n_sites;
	struct host_service services[HOST_SERVICES];
	size_t n_services;
	struct host_service pools[HOST_POOLS];
	size_t n_pools;
	enum tri allow_internal_untrusted; /* O14 */
	char tls_protocols[256];  /* O15, as text for the report */
	bool itc_known;
	uint8_t itc[20];
	int64_t boot_time;
	int64_t update_time;      /* the last Exchange or Windows update; 0: unknown */
	char update[128];         /* its name, for the report */
};

/* Which door to knock at. */
enum host_probe_kind {
	HOST_PROBE_BACKEND,  /* 444 on one address: O7, O8, and with a path O10 */
	HOST_PROBE_FRONTEND, /* 443: O9 */
	HOST_PROBE_HOP,      /* a request through the front end: O17; http_status and answer_header tell whether the back end answered */
};

struct host_probe_ask {
	enum host_probe_kind kind;
	char address[256];
	enum probe_version version;
	char path[256];
	uint16_t port;            /* 0: the door's own; else where another server's back end listens */
};

enum host_busy { HOST_FREE, HOST_MAINTENANCE, HOST_INSTALLING, HOST_RECOVERING, HOST_REBOOT_PENDING };

/* One typed step. Arguments are facts read from the host, never text of an event. */
enum step_kind {
	STEP_RECORD_SET,       /* endpoint, thumbprint, store, appid, flags; undo: old record, or absence */
	STEP_RECORD_REMOVE,    /* endpoint */
	STEP_SITE_BINDING_ADD, /* site, binding */
	STEP_CERT_CREATE,      /* template, friendly_name; answers with the thumbprint */
	STEP_CERT_RESTORE,     /* thumbprint: public copy back into MY and its key re-associated */
	STEP_KEY_REPAIR,       /* thumbprint */
	STEP_CERT_REMOVE_OURS, /* thumbprint of a certificate that this very repair created; undo of STEP_CERT_CREATE */
	STEP_IIS_RESTART,      /* approval only, no undo */
};

struct host_step {
	enum step_kind kind;
	char endpoint[80];
	uint8_t thumbprint[20];
	char store[64], appid[48];
	uint32_t flags;
	char site[128];
	struct host_binding binding;
	struct cert_template template;
	char friendly_name[128];
	char token[80]; /* of the repair; the host keeps it with what it creates, so that a repeat finds its own work again */
};

struct host_step_result {
	bool did;               /* something was changed (false: it was so already) */
	uint8_t thumbprint[20]; /* cert_create */
	bool has_old;           /* record_set: what stood there before */
	struct host_record old;
	char detail[256];
};

struct host;

struct host_ops {
	int (*identity)(struct host *h, struct host_identity *to, int64_t deadline, struct err *e);
	/* Only the parts asked for; the others stay as they are in *to. A part that the host cannot answer is left unknown: no error. */
	int (*observe)(struct host *h, unsigned parts, struct host_state *to, int64_t deadline, struct err *e);
	int (*busy)(struct host *h, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e);
	int (*probe)(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e);
	int (*apply)(struct host *h, const struct host_step *step, struct host_step_result *to, int64_t deadline, struct err *e);
	/* Undoes a step that apply answered with `was`. Repeating it does no harm. */
	int (*undo)(struct host *h, const struct host_step *step, const struct host_step_result *was, int64_t deadline, struct err *e);
	/* Single flight on the server itself, over agents: 0 taken, -1 ERR_REFUSED somebody has it. Ends with close. */
	int (*lock)(struct host *h, const char *who, int64_t deadline, struct err *e);
	void (*close)(struct host *h); /* frees h */
};

struct host {
	const struct host_ops *ops;
	const struct clock *clock;
	const struct host_config *config; /* by which it was opened, and how it is called there; lives as long. NULL: a folder */
};

const char *step_kind_text(enum step_kind k); /* "record_set" */
bool step_kind_parse(const char *s, enum step_kind *k);
const char *host_busy_text(enum host_busy b);

#endif
