/* powershell.c - writes a plan as one PowerShell script: header, what was true, the steps; the rest is a fixed frame.
 *
 * Exists for servers on which nothing may be installed: a person reads the script and runs it there. Promises that it does what
 * the plan says and no more, compares every fact of the plan before it acts, and holds only typed values. Refuses verdicts without
 * a plan, plans above which a cause is not excluded, and any value that has not the shape of its type. */
#include "remedies/exchange_backend/powershell.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "remedies/exchange_backend/backend.h"
#include "remedies/exchange_backend/powershell_inside.h"
#include "remedies/exchange_backend/ps_text.h"

#define COMMAND "    ", "                  " /* in front of a command that undoes a step */

/* ---- header ---- */

static void put_fact(struct emit *x, const struct fact *f)
{
	char label[64];

	say_text(label, sizeof(label), "  %-7s %-26s ", tri_text(f->value), f->name);
	ps_remark(x->to, "", label, f->seen[0] ? f->seen : "nothing was seen");
}

static void put_header(struct emit *x)
{
	const struct diagnosis *d = x->d;
	const struct verdict *v = &d->verdict;
	char text[600], id[65], time[32];

	text_hex(id, d->plan.id, 32);
	say_text(text, sizeof(text), "%s (%s)%s", d->identity.netbios, d->identity.fqdn,
		d->identity.lab ? ", a LAB and no real server" : "");
	ps_remark(x->to, "", "Repair of ", text);
	buf_str(x->to, "#\n# Read it, then run it on that server, in Windows PowerShell as administrator:\n"
		"#   powershell -NoProfile -ExecutionPolicy Bypass -File .\\repair.ps1\n"
		"#       reads every fact again and compares; changes nothing\n"
		"#   powershell -NoProfile -ExecutionPolicy Bypass -File .\\repair.ps1 -Apply\n"
		"#       does the steps below, if no fact differs, and proves the result\n"
		"# Its authors had no Windows machine: it was NOT RUN ON WINDOWS. Try it on a test server first.\n"
		"# Written by evmend. It never changes port 443, deletes no certificate, and enables none for an Exchange service.\n#\n");
	say_text(text, sizeof(text), "%s (%s)", v->name, v->row);
	ps_remark(x->to, "", "Verdict: ", text);
	ps_remark(x->to, "", "         ", v->text);
	ps_remark(x->to, "", "Plan:    ", id);
	say_text(text, sizeof(text), "%s", time_text(d->when, time));
	ps_remark(x->to, "", "Made of facts of: ", text);
	for (size_t i = 0; i < d->facts.n; i++)
		put_fact(x, &d->facts.list[i]);
}

/* ---- steps ---- */

static const char *undo_word(enum undo_kind k)
{
	return k == UNDO_EXACT ? "undo, exact:    " : k == UNDO_PARTIAL ? "undo, in part:  " : "undo:           ";
}

/* The undo of a record. A record whose certificate cannot be loaded is taken back by nobody (1312): then no command is given, since
 * the first half of it would take away what works. */
static void put_record_undo(struct emit *x, enum undo_kind kind)
{
	const struct host_record *r = be_record(&x->d->state);
	char text[400], hex[41] = "";
	const char *appid;

	if (r == NULL) {
		ps_remark_whole(x->to, COMMAND, "netsh http delete sslcert ipport=" BE_ENDPOINT);
		return;
	}
	text_hex(hex, r->thumbprint, 20);
	appid = ps_guid_ok(r->appid) ? r->appid : BE_APPID;
	if (kind != UNDO_EXACT || !ps_store_ok(r->store)) {
		say_text(text, sizeof(text), "(no command: the old certificate cannot be loaded. Do NOT delete the new record. It was: %s, store %s, "
			"appid %s; it is kept in the journal's folder: netsh-sslcert.txt, SslBindingInfo.reg)", hex,
			ps_store_ok(r->store) ? r->store : "with an odd name", appid);
		ps_remark(x->to, "    ", "                  ", text);
		return;
	}
	ps_remark_whole(x->to, COMMAND, "netsh http delete sslcert ipport=" BE_ENDPOINT);
	say_text(text, sizeof(text), "netsh http add sslcert ipport=" BE_ENDPOINT " certhash=%s 'appid=%s' certstorename=%s%s%s", hex, appid,
		r->store, r->flags & 1 ? " dsmapperusage=enable" : "", r->flags & 2 ? " clientcertnegotiation=enable" : "");
	ps_remark_whole(x->to, COMMAND, text);
}

/* The undo as commands of Windows, for a person, after the script is long forgotten. */
static void put_undo_commands(struct emit *x, const struct plan_step *p)
{
	if (p->step.kind == STEP_RECORD_SET) {
		put_record_undo(x, p->undo_kind);
	} else if (p->step.kind == STEP_SITE_BINDING_ADD) {
		ps_remark_whole(x->to, COMMAND, BE_APPCMD " set site "
			"'/site.name:" BE_SITE "' \"/-bindings.[protocol='https',bindingInformation='" BE_BINDING "']\"");
	} else if (p->step.kind == STEP_CERT_CREATE) {
		ps_remark(x->to, "    ", "                  ", "only if its thumbprint is the one in journal.txt, and 'netsh http show sslcert' does "
			"not name it:");
		ps_remark_whole(x->to, COMMAND, "Remove-Item Cert:\\LocalMachine\\My\\THUMBPRINT -DeleteKey");
	}
}

static int put_record_set(struct emit *x, const struct plan_step *p)
{
	const struct host_step *s = &p->step;
	char hex[41];

	if (strcmp(s->endpoint, BE_ENDPOINT) != 0 || !ps_store_ok(s->store) || !ps_guid_ok(s->appid))
		return err_set(x->e, ERR_REFUSED, "the plan has a record that no script of ours sets (endpoint, store or application id)");
	text_hex(hex, s->thumbprint, 20);
	buf_str(x->to, "Set-BackEndRecord ");
	buf_printf(x->to, p->thumbprint_from_previous ? "$script:Wanted" : "'%s'", hex);
	buf_printf(x->to, " '%s' '%s' %u", s->store, s->appid, (unsigned)s->flags);
	return 0;
}

static int put_create(struct emit *x, const struct host_step *s)
{
	const struct cert_template *t = &s->template;

	if (!text_host_ok(t->common_name))
		return err_set(x->e, ERR_REFUSED, "the new certificate's name is none that a script may hold; nothing is written");
	for (size_t i = 0; i < t->n_san; i++)
		if (!text_host_ok(t->san[i]))
			return err_set(x->e, ERR_REFUSED, "a name of the new certificate is none that a script may hold; nothing is written");
	buf_printf(x->to, "New-BackEndCertificate '%s' ", t->common_name);
	if (ps_quote_list(x->to, "a name", t->san[0], sizeof(t->san[0]), t->n_san, x->e) < 0)
		return -1;
	buf_printf(x->to, " %d %d ", t->key_bits, t->days);
	if (ps_quote(x->to, "the friendly name", s->friendly_name, x->e) < 0)
		return -1;
	buf_str(x->to, " $Token");
	return 0;
}

static int put_call(struct emit *x, const struct plan_step *p)
{
	const struct host_step *s = &p->step;
	char hex[41];

	text_hex(hex, s->thumbprint, 20);
	switch (s->kind) {
	case STEP_RECORD_SET:
		return put_record_set(x, p);
	case STEP_CERT_CREATE:
		return put_create(x, s);
	case STEP_SITE_BINDING_ADD:
		if (strcmp(s->site, BE_SITE) != 0 || strcmp(s->binding.information, BE_BINDING) != 0 || s->binding.ssl_flags != 0)
			return err_set(x->e, ERR_REFUSED, "the plan has a binding that no script of ours adds");
		buf_str(x->to, "Add-BackEndBinding");
		return 0;
	case STEP_CERT_RESTORE:
		buf_printf(x->to, "Restore-Certificate '%s'", hex);
		return 0;
	case STEP_KEY_REPAIR:
		buf_printf(x->to, "Repair-CertificateKey '%s'", hex);
		return 0;
	case STEP_IIS_RESTART:
		buf_str(x->to, "Restart-Iis");
		return 0;
	case STEP_RECORD_REMOVE:
	case STEP_CERT_REMOVE_OURS:
		break;
	}
	return err_set(x->e, ERR_REFUSED, "the plan has a step (%s) that no script of ours does", step_kind_text(s->kind));
}

static int put_steps(struct emit *x)
{
	const struct plan *p = &x->d->plan;

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_step *s = &p->steps[i];
		char label[40];

		say_text(label, sizeof(label), "Step %zu of %zu: ", i + 1, p->n);
		ps_remark(x->to, "    ", label, s->what);
		ps_remark(x->to, "    ", "  why:            ", s->why);
		ps_remark(x->to, "    ", "  before:         ", s->before);
		ps_remark(x->to, "    ", "  after:          ", s->after);
		say_text(label, sizeof(label), "  %s", undo_word(s->undo_kind));
		ps_remark(x->to, "    ", label, s->undo);
		put_undo_commands(x, s);
		buf_printf(x->to, "    Start-Step %zu '%s'\n    $result = ", i + 1, step_kind_text(s->step.kind));
		if (put_call(x, s) < 0)
			return -1;
		buf_printf(x->to, "\n    Complete-Step %zu $result\n%s", i + 1, i + 1 < p->n ? "\n" : "");
	}
	return 0;
}

/* ---- the whole ---- */

/* One line of the frame: a mark, or text that is copied. */
static int put_line(struct emit *x, const char *line, size_t n, unsigned *marks)
{
	static const char *const names[] = {"#@HEADER@", "#@DATA@", "#@STEPS@", "#@LOOK@", "#@ACT@"};

	for (unsigned i = 0; i < 5; i++) {
		if (strlen(names[i]) != n || memcmp(line, names[i], n) != 0)
			continue;
		*marks |= 1u << i;
		if (i == 0)
			put_header(x);
		else if (i >= 3)
			buf_str(x->to, i == 3 ? x->script->look : x->script->act);
		return i == 1 ? ps_put_data(x) : i == 2 ? put_steps(x) : 0;
	}
	buf_add(x->to, line, n);
	buf_char(x->to, '\n');
	return 0;
}

static int refuse(const struct diagnosis *d, struct err *e)
{
	const struct verdict *v = &d->verdict;
	struct buf open;
	int r = 0;

	if (d->plan.n == 0)
		return err_set(e, ERR_REFUSED, "%s: there is no plan, so no script is written. %s", v->name,
			v->healthy ? "Nothing is to be done." : d->plan.why_empty[0] ? d->plan.why_empty : v->advice);
	buf_init(&open, 300);
	for (size_t i = 0; i < v->n_not_excluded && !open.refused; i++)
		buf_printf(&open, "%s%s", i ? ", " : "", v->not_excluded[i]);
	if (v->n_not_excluded)
		r = err_set(e, ERR_REFUSED, "%s, but facts are unknown, and so %s cannot be excluded: no script is written. 'evmend diagnose' "
			"names the facts", v->name, buf_text(&open));
	buf_free(&open);
	return r;
}

int be_powershell(const struct diagnosis *d, const struct be_script *script, struct buf *to, struct err *e)
{
	struct emit x = {.d = d, .script = script, .to = to, .e = e};
	const char *at = script->frame;
	unsigned marks = 0;
	int r = refuse(d, e);

	if (r < 0)
		return -1;
	x.words = xcalloc(WORDS, WORD);
	while (r == 0 && *at) {
		size_t n = strcspn(at, "\n");

		r = put_line(&x, at, n, &marks);
		at += n + (at[n] == '\n');
	}
	free(x.words);
	if (r == 0 && (marks != 31 || to->refused))
		return err_set(e, ERR_INTERNAL, "the frame of the script is damaged, or the script is too large");
	return r;
}
