/* fleet_judge.c - what the matrix means, in sentences: whose fault is a cell?
 *
 * Exists because a back end that nobody reaches and a front end that reaches nobody look alike in a single line of a log. Promises
 * one sentence for each back end or front end in trouble, what was met in it, and nothing about what is unknown. Refuses to
 * guess: where the matrix does not decide, the sentence says what it may be. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/fact.h"
#include "heal/fleet.h"

#define NAMED 4

struct judging {
	const struct fleet *f;
	struct fleet_remark *to;
	size_t n, max;
};

static void remark(struct judging *j, size_t front, size_t back, const char *text)
{
	if (j->n == j->max)
		return;
	j->to[j->n].front = front;
	j->to[j->n].back = back;
	text_copy(j->to[j->n++].text, sizeof(j->to->text), text);
}

static bool known(const struct fleet *f, size_t front, size_t back)
{
	return fleet_cell(f, front, back)->outcome != CELL_UNKNOWN;
}

static bool ok(const struct fleet *f, size_t front, size_t back)
{
	return fleet_cell(f, front, back)->outcome == CELL_OK;
}

static bool bad(const struct fleet *f, size_t front, size_t back)
{
	return fleet_bad(fleet_cell(f, front, back));
}

static const char *met_words(const struct fleet_cell *c, char to[static 80])
{
	static const char *const words[CELL_OUTCOMES] = {[CELL_REFUSED] = "refused", [CELL_TIMEOUT] = "no answer in time",
		[CELL_UNRESOLVABLE] = "its name is not known there", [CELL_RESET] = "the handshake is reset",
		[CELL_EOF] = "closed during the handshake", [CELL_ERROR] = "a network or TLS error", [CELL_MUTE] = "no answer to a request"};

	if (c->outcome == CELL_ALERT)
		say_text(to, 80, "TLS alert %d, %s", c->number, probe_alert_text(c->number));
	else if (c->outcome == CELL_HTTP)
		say_text(to, 80, "HTTP status %d", c->number);
	else if (c->outcome == CELL_OLD)
		say_text(to, 80, "nothing newer than %s", c->spoken);
	else
		text_copy(to, 80, words[c->outcome]);
	return to;
}

/* Where to look, on the side that asks. */
static const char *where(const struct fleet_cell *c)
{
	switch (c->outcome) {
	case CELL_UNRESOLVABLE:
		return "name resolution";
	case CELL_REFUSED:
	case CELL_TIMEOUT:
		return "network, firewall or name resolution";
	case CELL_ALERT:
	case CELL_OLD:
		return "TLS settings";
	default:
		return "TLS settings, network or name resolution";
	}
}

/* What the bad cells among these met: at most two different things. */
static const char *met(const struct fleet *f, const size_t *fronts, size_t n, size_t back, char to[static 200])
{
	const struct fleet_cell *first = fleet_cell(f, fronts[0], back);
	char words[80], other[80];

	text_copy(to, 200, met_words(first, words));
	for (size_t i = 1; i < n; i++) {
		const struct fleet_cell *c = fleet_cell(f, fronts[i], back);

		if (c->outcome == first->outcome && c->number == first->number)
			continue;
		say_text(to, 200, "%s; %s", words, met_words(c, other));
		break;
	}
	return to;
}

static const char *names(const struct fleet *f, const size_t *list, size_t n, char to[static 200])
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < n && i < NAMED; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", f->hosts[list[i]].shorter);
	if (n > NAMED)
		buf_printf(&b, " and %zu more", n - NAMED);
	text_copy(to, 200, buf_text(&b));
	buf_free(&b);
	return to;
}

/* A front end that misses at least two others which somebody else reaches: it is the front end. */
static bool front_is_alone(const struct fleet *f, size_t front)
{
	size_t missed = 0;

	for (size_t back = 0; back < f->n; back++) {
		bool reached = false;

		for (size_t other = 0; other < f->n && !reached; other++)
			reached = other != front && ok(f, other, back);
		if (back == front || !reached || !known(f, front, back))
			continue;
		if (ok(f, front, back))
			return false;
		missed++;
	}
	return missed >= 2;
}

static void judge_front(struct judging *j, size_t front)
{
	const struct fleet *f = j->f;
	char text[400], words[80];
	size_t back = 0;

	while (back == front || !bad(f, front, back)) /* there is one: see front_is_alone */
		back++;
	say_text(text, sizeof(text), "%s reaches none of the others, though they are reached from elsewhere (%s): its own %s.",
		f->hosts[front].shorter, met_words(fleet_cell(f, front, back), words), where(fleet_cell(f, front, back)));
	remark(j, front, SIZE_MAX, text);
}

static void nobody(struct judging *j, size_t back, const size_t *bads, size_t n_bads)
{
	const struct fleet *f = j->f;
	const struct fleet_host *h = &f->hosts[back];
	char text[400], words[200];

	met(f, bads, n_bads, back, words);
	if (!h->read)
		say_text(text, sizeof(text), "%s is not reached by anybody (%s), and its own access does not answer either: is it on?", h->shorter,
			words);
	else if (fleet_cell(f, bads[0], back)->outcome == CELL_OLD)
		say_text(text, sizeof(text), "%s speaks %s: a hardened front end does not reach it; its TLS settings.", h->shorter, words);
	else if (fleet_cell(f, bads[0], back)->outcome == CELL_HTTP)
		say_text(text, sizeof(text), "%s answers everybody with %s: its application pools, not its certificate.", h->shorter, words);
	else
		say_text(text, sizeof(text), "%s is not reached by anybody%s (%s): its own port %u%s%s.", h->shorter,
			bad(f, back, back) ? ", itself included" : "", words, h->lab ? FLEET_PORT : (unsigned)h->port, h->verdict[0] ? ", " : "",
			h->verdict);
	remark(j, SIZE_MAX, back, text);
}

static void somebody(struct judging *j, size_t back, const size_t *bads, size_t n_bads, const size_t *oks, size_t n_oks)
{
	const struct fleet *f = j->f;
	const char *name = f->hosts[back].shorter;
	const char *cause = where(fleet_cell(f, bads[0], back));
	char text[400], words[200], who[200], whom[200];
	bool only_itself = n_oks == 1 && oks[0] == back;

	met(f, bads, n_bads, back, words);
	names(f, bads, n_bads, who);
	if (only_itself && n_bads > 1)
		say_text(text, sizeof(text), "%s answers itself and nobody else (%s): a firewall, the network, or where its name leads.", name, words);
	else if (only_itself)
		say_text(text, sizeof(text), "%s cannot reach %s, which answers itself (%s): %s of %s, or what is between them.", who, name, words,
			cause, who);
	else if (n_bads == 1 && bads[0] == back)
		say_text(text, sizeof(text), "%s does not reach itself by its name (%s), though others do: its own name resolution.", name, words);
	else if (n_bads == 1)
		say_text(text, sizeof(text), "only %s cannot reach %s (%s): %s of %s.", who, name, words, cause, who);
	else
		say_text(text, sizeof(text), "%s is reached by %s, but not by %s (%s): their %s.", name, names(f, oks, n_oks, whom), who, words, cause);
	remark(j, n_bads == 1 ? bads[0] : SIZE_MAX, back, text);
}

static void judge_back(struct judging *j, size_t back, const bool *alone, size_t *bads, size_t *oks)
{
	const struct fleet *f = j->f;
	size_t n_bads = 0, n_oks = 0;

	for (size_t front = 0; front < f->n; front++) {
		if (alone[front] && front != back)
			continue;
		if (ok(f, front, back))
			oks[n_oks++] = front;
		else if (bad(f, front, back))
			bads[n_bads++] = front;
	}
	if (n_bads && !n_oks)
		nobody(j, back, bads, n_bads);
	else if (n_bads)
		somebody(j, back, bads, n_bads, oks, n_oks);
}

/* The same name, another certificate: it leads elsewhere. What a back end shows itself is taken as its own. */
static void judge_leaves(struct judging *j, size_t back)
{
	const struct fleet *f = j->f;
	const struct fleet_cell *own = fleet_cell(f, back, back);
	char text[400], mine[41], theirs[41];

	for (size_t front = 0; front < f->n && own->outcome == CELL_OK && own->has_leaf; front++) {
		const struct fleet_cell *c = fleet_cell(f, front, back);

		if (c->outcome != CELL_OK || !c->has_leaf || memcmp(c->leaf, own->leaf, 20) == 0)
			continue;
		text_hex(mine, own->leaf, 20);
		text_hex(theirs, c->leaf, 20);
		say_text(text, sizeof(text), "%s is shown another certificate at %s (%.8s) than %s itself (%.8s): where does its name lead from there?",
			f->hosts[front].shorter, f->hosts[back].shorter, theirs, f->hosts[back].shorter, mine);
		remark(j, front, back, text);
	}
}

size_t fleet_judge(const struct fleet *f, struct fleet_remark *to, size_t max)
{
	struct judging j = {.f = f, .to = to, .max = max};
	size_t *bads = xcalloc(2 * f->n + 1, sizeof(*bads));
	bool *alone = xcalloc(f->n + 1, sizeof(*alone));
	char text[400];

	for (size_t i = 0; i < f->n; i++) {
		alone[i] = f->hosts[i].read && front_is_alone(f, i);
		if (alone[i])
			judge_front(&j, i);
	}
	for (size_t i = 0; i < f->n; i++) {
		judge_back(&j, i, alone, bads, bads + f->n);
		judge_leaves(&j, i);
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->hosts[i].read && f->hosts[i].exchange)
			continue;
		say_text(text, sizeof(text), f->hosts[i].read ? "%s is left out: it is no Exchange server%s" : "%s could not be asked: %s",
			f->hosts[i].shorter, f->hosts[i].read ? "." : f->hosts[i].trouble);
		remark(&j, i, SIZE_MAX, text);
	}
	free(alone);
	free(bads);
	return j.n;
}
