/* healer.c - cases come in, hosts are read, repairs are driven, one piece of work at a time.
 *
 * Exists to be the heal role's mind without its channels, so that tests drive it with a fake clock and a fake host. Promises that a
 * suspect is in heal.db when healer_suspect returns 0, that the same one told twice is one, and that TILT (the clock jumped, state
 * cannot be written) lets it look and not act. Refuses suspects that name a host or a cause that is not configured. */
#include "heal/healer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "heal/silence.h"

void healer_tilt(struct healer *h, const char *why)
{
	h->tilt_until = clock_monotonic(h->o.clock) + CLOCK_CALM;
	text_copy(h->tilt_why, sizeof(h->tilt_why), why);
	if (h->o.log)
		log_say(h->o.log, LOG_WARN, "observing only", "why", why, NULL);
}

bool healer_tilted(const struct healer *h)
{
	return h->tilt_until > clock_monotonic(h->o.clock);
}

static const char *boot_of(const struct healer *h)
{
	return h->o.boot ? h->o.boot : "";
}

/* For the next start. */
static void note_clocks(struct healer *h)
{
	int64_t w = clock_wall(h->o.clock), m = clock_monotonic(h->o.clock);
	struct err e;

	if (clock_row_put(h->db, w, m, boot_of(h), &e) < 0)
		healer_tilt(h, e.text);
	h->clock_due = m + US_MINUTE;
}

/* Did time go on as it should while nobody was running? */
static int check_clocks(struct healer *h, struct err *e)
{
	char why[200];
	int doubt = clock_row_check(h->db, clock_wall(h->o.clock), clock_monotonic(h->o.clock), boot_of(h), why, e);

	if (doubt < 0)
		return -1;
	if (doubt == 1)
		healer_tilt(h, why);
	note_clocks(h);
	return 0;
}

/* The wall clock must go as the monotonic one goes. */
static void watch_clocks(struct healer *h)
{
	int64_t w = clock_wall(h->o.clock), m = clock_monotonic(h->o.clock), drift = (w - h->wall_was) - (m - h->mono_was);

	if (drift > CLOCK_JUMP || drift < -CLOCK_JUMP)
		healer_tilt(h, drift > 0 ? "the clock jumped ahead" : "the clock jumped back");
	h->wall_was = w;
	h->mono_was = m;
	if (m >= h->clock_due)
		note_clocks(h);
}

/* ---- start and end ---- */

static int take_up(struct healer *h, struct err *e)
{
	if (repair_mark_interrupted(h->db, clock_wall(h->o.clock), e) < 0 || outbox_get(h->db, &h->given, e) < 0)
		return -1;
	for (size_t i = 0; i < h->o.n_hosts; i++) {
		struct patient *p = &h->patients[i];

		p->healer = h;
		p->config = &h->o.hosts[i];
		p->remedy = remedies[0];
		p->due = h->o.diagnose_every ? clock_monotonic(h->o.clock) : INT64_MAX;
		if (patient_resume(p, e) < 0)
			return -1;
	}
	return 0;
}

struct asking {
	struct healer *h;
};

static int ask_again(void *arg, const struct heal_case *c)
{
	struct asking *a = arg;

	for (size_t i = 0; i < a->h->o.n_hosts; i++)
		if (c->asks && !c->replay && strcmp(c->host, a->h->o.hosts[i].config.name) == 0 && a->h->patients[i].repair == NULL)
			patient_soon(&a->h->patients[i], clock_monotonic(a->h->o.clock));
	return 0;
}

struct healer *healer_new(const struct healer_options *o, struct err *e)
{
	struct db *db = db_open(o->db_path, &heal_schema, DB_WRITE, e);
	struct asking a;
	struct healer *h;

	if (db == NULL)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->o = *o;
	h->db = db;
	h->patients = xcalloc(o->n_hosts + 1, sizeof(*h->patients));
	h->wall_was = clock_wall(o->clock);
	h->mono_was = clock_monotonic(o->clock);
	h->sweep_due = h->mono_was;
	a.h = h;
	h->round = fleet_round_new(h, e);
	if (h->round == NULL || check_clocks(h, e) < 0 || take_up(h, e) < 0 || case_store_each(db, NULL, true, ask_again, &a, e) < 0) {
		healer_free(h);
		return NULL;
	}
	return h;
}

void healer_free(struct healer *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->o.n_hosts; i++)
		repair_free(h->patients[i].repair);
	fleet_round_free(h->round);
	db_close(h->db);
	free(h->patients);
	free(h);
}

/* ---- suspects ---- */

static const char *host_name(const struct healer *h, size_t i)
{
	return i < h->o.n_hosts ? h->o.hosts[i].config.name : "";
}

/* true: there is news in it. */
static bool merge(struct heal_case *c, const struct heal_suspect *s, const struct healer *h)
{
	bool news = s->last > c->last || s->count > c->count || (s->asks && !c->asks) || (c->replay && !s->replay);

	if (s->reported_by != SIZE_MAX)
		text_copy(c->reported_by, sizeof(c->reported_by), host_name(h, s->reported_by));
	c->asks = c->asks || s->asks;
	c->replay = s->replay && (c->replay || c->count == 0);
	c->confidence = s->confidence > c->confidence ? s->confidence : c->confidence;
	c->first = c->first == 0 || s->first < c->first ? s->first : c->first;
	c->last = s->last > c->last ? s->last : c->last;
	c->count = s->count > c->count ? s->count : c->count;
	c->seen |= s->seen;
	c->reopens = s->reopens;
	c->port = s->port ? s->port : c->port;
	if (s->labels) {
		c->has_labels = true;
		text_copy(c->labels, sizeof(c->labels), s->labels);
	}
	if (s->has_thumbprint) {
		c->has_thumbprint = true;
		memcpy(c->thumbprint, s->thumbprint, 20);
	}
	return news;
}

static void fill_new(struct heal_case *c, const struct heal_suspect *s, const char *host, int64_t now)
{
	memset(c, 0, sizeof(*c));
	text_copy(c->host, sizeof(c->host), host);
	c->cause = s->cause;
	c->id = s->case_id;
	memcpy(c->uid, s->case_uid, 32);
	c->opened = now;
	c->state = CASE_OPEN;
}

struct twin {
	const struct heal_case *of;
	struct heal_case *to;
};

static int find_twin(void *arg, const struct heal_case *c)
{
	struct twin *t = arg;

	if (c->id < CASE_OWN_ID || c->id == t->of->id || c->cause != t->of->cause || c->state == CASE_REPAIRING ||
	    c->state == CASE_SETTLING)
		return 0;
	*t->to = *c;
	return 1;
}

/* A command in the advice names the case that goes on. */
static void rename_case(char *advice, size_t n, int64_t was, int64_t is)
{
	char old[40], new[40], *at;

	say_text(old, sizeof(old), "evmend approve %lld'", (long long)was);
	say_text(new, sizeof(new), "evmend approve %lld'", (long long)is);
	at = strstr(advice, old);
	if (at != NULL && strlen(new) <= strlen(old)) {
		char *rest = at + strlen(old);

		text_copy(at, n - (size_t)(at - advice), new);
		memmove(at + strlen(new), rest, strlen(rest) + 1);
	}
}

/* What a diagnosis has answered, and what a person was asked or called for, goes on as the events' case. */
static void take_over(struct heal_case *c, const struct heal_case *own)
{
	c->state = own->state;
	c->asks = true;
	text_copy(c->verdict, sizeof(c->verdict), own->verdict);
	text_copy(c->text, sizeof(c->text), own->text);
	text_copy(c->advice, sizeof(c->advice), own->advice);
	rename_case(c->advice, sizeof(c->advice), own->id, c->id);
	c->has_plan = own->has_plan;
	memcpy(c->plan_id, own->plan_id, 32);
	c->approval_until = own->approval_until;
	c->not_before = own->not_before;
}

/* A case of ours for the same host and cause ends here: events have their own case for it now. 1: that one has taken it over. */
static int supersede(struct healer *h, struct heal_case *c, int64_t now, struct err *e)
{
	struct heal_case *own = xcalloc(1, sizeof(*own));
	struct twin twin = {.of = c, .to = own};
	int r = case_store_each(h->db, c->host, true, find_twin, &twin, e), took = 0;

	if (r == 1) {
		took = c->verdict[0] == '\0';
		if (took)
			take_over(c, own);
		say_text(own->text, sizeof(own->text), "goes on as case %lld, which events opened", (long long)c->id);
		own->has_plan = false;
		r = case_store_state(h->db, now, own, CASE_CLOSED, e);
	}
	free(own);
	return r < 0 ? -1 : took;
}

static enum case_state next_state(const struct heal_case *c, const struct heal_suspect *s, bool known, bool news, bool repairing)
{
	if (c->state == CASE_CLOSED || repairing)
		return c->state;
	/* an event that says "mended" ends no case that a diagnosis has answered: the diagnosis that follows it decides */
	if (s->healed && !s->asks)
		return c->state == CASE_OPEN || c->state == CASE_DIAGNOSING || (c->state == CASE_ADVISED && !c->asks) ? CASE_HEALED : c->state;
	if (!c->asks)
		return CASE_ADVISED;
	if (!known || (news && !case_is_open(c->state)))
		return CASE_OPEN;
	return c->state;
}

static void say_plainly(struct heal_case *c, const struct heal_suspect *s, bool known)
{
	if (s->healed && !s->asks)
		text_copy(c->text, sizeof(c->text), "events say that it is well again");
	else if (!c->asks)
		text_copy(c->text, sizeof(c->text), "advice only: this cause asks for no diagnosis");
	else if (c->replay)
		text_copy(c->text, sizeof(c->text), "its events are old: they start no diagnosis");
	else if (!known || !case_is_open(c->state))
		text_copy(c->text, sizeof(c->text), "waits for a diagnosis");
}

static int store(struct healer *h, const struct heal_suspect *s, struct heal_case *c, bool *news, struct err *e)
{
	struct patient *p = &h->patients[s->host];
	int64_t now = clock_wall(h->o.clock);
	int known = case_store_by_uid(h->db, s->case_uid, c, e), took = 0;
	enum case_state state;

	if (known == 1 && (strcmp(c->host, host_name(h, s->host)) != 0 || c->cause != s->cause)) {
		/* a case stays where it was opened, whoever says otherwise; acknowledged, for saying it again changes nothing */
		if (h->o.log)
			log_say(h->o.log, LOG_WARN, "a suspect was refused", "why", "its case is another host's or has another cause", "host", c->host,
				"named", host_name(h, s->host), NULL);
		*news = false;
		return 0;
	}
	if (known < 0 || db_begin(h->db, e) < 0)
		return -1;
	if (known == 0)
		fill_new(c, s, host_name(h, s->host), now);
	*news = merge(c, s, h) || known == 0;
	state = next_state(c, s, known == 1, *news, p->repair != NULL && known == 1);
	/* a new one is put without its text first: then its state is news, and told */
	if (known == 0 && case_store_put(h->db, c, e) < 0)
		goto failed;
	/* one that is being repaired is what the ledger names: it is not ended meanwhile */
	if (*news && p->repair == NULL && case_is_open(state) && (took = supersede(h, c, now, e)) < 0)
		goto failed;
	if (state == CASE_OPEN && c->state == CASE_REFUTED)
		c->verdict[0] = '\0'; /* proposed anew: what is found well now was never broken */
	if (took)
		state = c->state;
	else if (state != c->state || known == 0)
		say_plainly(c, s, known == 1);
	if (*news && case_store_state(h->db, now, c, state, e) < 0)
		goto failed;
	return db_commit(h->db, e);
failed:
	db_rollback(h->db);
	return -1;
}

int healer_suspect(struct healer *h, const struct heal_suspect *s, struct err *e)
{
	struct heal_case *c;
	bool news = false;
	int r;

	if (s->host >= h->o.n_hosts || s->cause < 0 || case_causes[s->cause] == NULL)
		return err_set(e, ERR_INTERNAL, "a suspect names a host or a cause that is not configured");
	c = xcalloc(1, sizeof(*c));
	r = store(h, s, c, &news, e);
	if (r == 0 && news && c->asks && !c->replay && c->state != CASE_CLOSED) {
		struct patient *p = &h->patients[s->host];

		if (p->repair == NULL)
			patient_soon(p, clock_monotonic(h->o.clock));
		else if (s->asks && s->seen & SEEN_BACKEND_ENDPOINT && s->last > clock_wall(h->o.clock) - US_MINUTE)
			repair_symptom(p->repair, s->last);
	}
	if (r == 0 && c->state == CASE_CLOSED && h->o.sink.case_closed)
		h->o.sink.case_closed(h->o.sink.arg, s->case_id);
	free(c);
	return r;
}

/* ---- work ---- */

struct sweep {
	struct healer *h;
	int64_t now;
	int64_t ids[256];
	size_t n;
};

static int find_quiet(void *arg, const struct heal_case *c)
{
	struct sweep *s = arg;
	int64_t news = c->updated > c->last ? c->updated : c->last;

	if (c->state != CASE_CLOSED && c->state != CASE_REPAIRING && c->state != CASE_SETTLING && news < s->now - QUIET && s->n < 256)
		s->ids[s->n++] = c->id;
	return 0;
}

static int close_quiet(struct healer *h, int64_t id, int64_t now, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int r = case_store_get(h->db, id, c, e);

	if (r == 1) {
		say_text(c->text, sizeof(c->text), "closed after 24 h of quiet; it was %s", case_state_text(c->state));
		c->has_plan = false;
		r = case_store_state(h->db, now, c, CASE_CLOSED, e);
		if (r == 0 && h->o.sink.case_closed && id < CASE_OWN_ID)
			h->o.sink.case_closed(h->o.sink.arg, id);
	}
	free(c);
	return r < 0 ? -1 : 0;
}

static void tell_silences(struct healer *h)
{
	if (h->o.sink.silences)
		h->o.sink.silences(h->o.sink.arg);
}

static void sweep(struct healer *h)
{
	struct sweep s = {.h = h, .now = clock_wall(h->o.clock)};
	int64_t end = INT64_MAX, loud = INT64_MAX;
	struct err e;
	int ended = 0, r = case_store_each(h->db, NULL, false, find_quiet, &s, &e);

	for (size_t i = 0; r == 0 && i < s.n; i++)
		r = close_quiet(h, s.ids[i], s.now, &e);
	if (r == 0)
		r = control_end_holds(h->db, s.now, &end, &e);
	if (r == 0)
		r = ended = silences_expire(h->db, s.now, &loud, &e);
	if (r < 0)
		healer_tilt(h, e.text);
	if (ended > 0)
		tell_silences(h);
	end = loud < end ? loud : end;
	h->sweep_due = clock_monotonic(h->o.clock) + (end - s.now < US_HOUR ? end - s.now : US_HOUR);
}

static struct patient *next_patient(const struct healer *h, int64_t *due)
{
	struct patient *next = NULL;
	int64_t now = clock_monotonic(h->o.clock);

	*due = INT64_MAX;
	for (size_t i = 0; i < h->o.n_hosts; i++) {
		struct patient *p = &h->patients[i];
		/* a repair that is due goes before any look at another host, which may take its full time limit */
		int64_t at = p->repair ? (p->repair_due <= now ? 0 : p->repair_due) : p->due;

		if (at < *due) {
			*due = at;
			next = p;
		}
	}
	return next;
}

int64_t healer_next(const struct healer *h)
{
	int64_t due, round = fleet_round_next(h->round);

	(void)next_patient(h, &due);
	due = round < due ? round : due;
	return due < h->sweep_due ? due : h->sweep_due;
}

void healer_run(struct healer *h)
{
	int64_t due, now = clock_monotonic(h->o.clock);
	struct patient *p = next_patient(h, &due);

	watch_clocks(h);
	if (p != NULL && due <= now) {
		if (p->repair)
			patient_repair(p);
		else
			patient_diagnose(p);
	} else if (h->sweep_due <= now) {
		sweep(h);
	} else if (fleet_round_next(h->round) <= now) {
		fleet_round_run(h->round);
	}
}

bool healer_acting(const struct healer *h)
{
	for (size_t i = 0; i < h->o.n_hosts; i++) {
		const struct repair *r = h->patients[i].repair;

		if (r && repair_state(r) != REPAIR_BEGINNING && repair_state(r) != REPAIR_SETTLING)
			return true;
	}
	return false;
}

/* ---- what a person asks for ---- */

static struct patient *patient_of(struct healer *h, const char *host)
{
	for (size_t i = 0; i < h->o.n_hosts; i++)
		if (text_same(h->o.hosts[i].config.name, host))
			return &h->patients[i];
	return NULL;
}

void healer_diagnose_soon(struct healer *h, const char *host)
{
	for (size_t i = 0; i < h->o.n_hosts; i++)
		if (h->patients[i].repair == NULL && (host == NULL || text_same(h->o.hosts[i].config.name, host)))
			patient_soon(&h->patients[i], clock_monotonic(h->o.clock));
}

static struct patient *patient_of_case(struct healer *h, int64_t case_id, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(h->db, case_id, c, e);
	struct patient *p = got == 1 ? patient_of(h, c->host) : NULL;

	if (got == 0)
		(void)err_set(e, ERR_USAGE, "there is no case %lld; 'evmend cases' lists them", (long long)case_id);
	else if (got == 1 && p == NULL)
		(void)err_set(e, ERR_USAGE, "the host '%s' of case %lld is not configured any more", c->host, (long long)case_id);
	free(c);
	return p;
}

int healer_approve(struct healer *h, const struct approval *a, struct err *e)
{
	struct patient *p = patient_of_case(h, a->case_id, e);

	if (p != NULL && p->config->mode == MODE_OBSERVE)
		return err_set(e, ERR_REFUSED, "the mode of %s is observe: nothing is changed there, whoever approves it; 'mode: approve' lets a "
			"person decide", p->config->config.name);
	if (p == NULL || control_approve(h->db, clock_wall(h->o.clock), a, h->o.policy->approval_life, e) < 0)
		return -1;
	if (p->repair == NULL)
		p->due = clock_monotonic(h->o.clock); /* a person waits: the limited rate is for events */
	return 0;
}

int healer_close(struct healer *h, int64_t case_id, const char *actor, const char *reason, struct err *e)
{
	if (control_close(h->db, clock_wall(h->o.clock), case_id, actor, reason, e) < 0)
		return -1;
	if (h->o.sink.case_closed && case_id < CASE_OWN_ID)
		h->o.sink.case_closed(h->o.sink.arg, case_id);
	return 0;
}

int healer_hold(struct healer *h, const char *host, bool on, int64_t until, const char *actor, const char *reason, struct err *e)
{
	struct patient *p = host ? patient_of(h, host) : NULL;

	if (host != NULL && p == NULL)
		return err_set(e, ERR_USAGE, "there is no host '%s' in the configuration", host);
	if (control_hold(h->db, clock_wall(h->o.clock), p ? p->config->config.name : NULL, on, until, actor, reason, e) < 0)
		return -1;
	h->sweep_due = clock_monotonic(h->o.clock); /* it sees when the hold will end */
	if (!on)
		healer_diagnose_soon(h, host);
	return 0;
}

int healer_silence(struct healer *h, const struct json *q, const char *actor, int64_t *id, struct err *e)
{
	if (silence_begin(h->db, clock_wall(h->o.clock), q, actor, id, e) < 0)
		return -1;
	h->sweep_due = clock_monotonic(h->o.clock); /* it sees when the silence will end */
	tell_silences(h);
	return 0;
}

int healer_silence_end(struct healer *h, int64_t id, const char *actor, struct err *e)
{
	if (silence_end(h->db, clock_wall(h->o.clock), id, actor, e) < 0)
		return -1;
	tell_silences(h);
	return 0;
}

int healer_silences(struct healer *h, struct json_out *o, struct err *e)
{
	return silences_json(h->db, o, NULL, e);
}

int healer_undo(struct healer *h, int64_t case_id, const char *actor, struct err *e)
{
	struct patient *p = patient_of_case(h, case_id, e);
	struct repair_options o;
	struct heal_repair row;
	struct err ignored;

	if (p == NULL)
		return -1;
	if (p->lost)
		return err_set(e, ERR_REFUSED, "a repair of the host waits for heal.db to be written; undo it when that has ended");
	if (p->repair != NULL)
		return err_set(e, ERR_REFUSED, "the host is being repaired; undo it when that has ended");
	o = patient_options(p, actor, case_id);
	if (repair_undo_case(&o, case_id, e) == 0)
		return 0;
	p->lost = e->code == ERR_IO && repair_row_unended(h->db, o.host_name, &row, &ignored) != 0; /* as after a crash */
	p->due = p->lost ? clock_monotonic(h->o.clock) + LOST_GAP : p->due;
	return -1;
}
