/* http_held.c - records that a receiver has taken and will acknowledge later.
 *
 * Why: some receivers answer before a record is safe, give the batch a number, and are asked about it. Promises: such a record counts when
 * the receiver names its number and not before. While a question is on its way no batch is, and after a connection broke, or the numbers began
 * anew, nothing that was held is asked for any more: a number never stands for two batches. What is lost so, or not acknowledged in time, is
 * sent again, and may then stand behind newer ones. Refuses nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ship/http_inside.h"

#define ASK_FIRST (US_SECOND / 4) /* after a batch; doubled while nothing is acknowledged */
#define ASK_MOST (10 * US_SECOND)

void held_add(struct http_sink *h, int64_t number, const struct sink_result *items, size_t n)
{
	struct http_inside *in = h->inside;
	int64_t now = clock_monotonic(h->clock);
	struct held *x;

	if (in->n_held == in->held_cap) {
		in->held_cap = in->held_cap ? in->held_cap * 2 : 64;
		in->held = xrealloc(in->held, in->held_cap, sizeof *in->held);
	}
	if (!in->n_held) {
		in->ask_pause = ASK_FIRST;
		in->ask_at = now + ASK_FIRST;
	}
	x = &in->held[in->n_held++];
	*x = (struct held){ .number = number, .since = now, .seqs = xcalloc(n, sizeof *x->seqs) };
	for (size_t i = 0; i < n; i++)
		if (items[i].outcome == SINK_ACCEPTED)
			x->seqs[x->n++] = items[i].seq;
}

static void settle(struct http_inside *in, size_t i, enum sink_outcome outcome, const char *why)
{
	struct held *x = &in->held[i];

	for (size_t k = 0; k < x->n; k++)
		add_result(in, x->seqs[k], outcome, 0, why);
	free(x->seqs);
	memmove(x, x + 1, (--in->n_held - i) * sizeof *x);
}

void http_settle(struct http_sink *h, int64_t number)
{
	struct http_inside *in = h->inside;

	for (size_t i = 0; i < in->n_held; i++)
		if (in->held[i].number == number) {
			settle(in, i, SINK_ACCEPTED, "");
			return;
		}
}

void http_lose(struct http_sink *h, const char *why)
{
	while (h->inside->n_held)
		settle(h->inside, 0, SINK_RETRY, why);
}

size_t http_held(const struct http_sink *h, int64_t *to, size_t n)
{
	const struct http_inside *in = h->inside;

	for (size_t i = 0; i < n && i < in->n_held; i++)
		to[i] = in->held[i].number;
	return in->n_held;
}

bool held_wants(const struct http_sink *h)
{
	const struct http_inside *in = h->inside;

	return in->question || (in->n_held && clock_monotonic(h->clock) >= in->ask_at);
}

void held_ask(struct http_sink *h)
{
	struct http_request r = { .method = "POST", .url = buf_text(&h->url), .owner = h->inside };

	h->kind->ask(h, &r);
	h->inside->question = http_begin(h->http, &r);
}

void held_told(struct http_sink *h, struct http_call *c)
{
	const struct http_answer *a = http_answer(c);
	struct http_inside *in = h->inside;
	size_t before = in->n_held;

	in->doubt[0] = '\0';
	if (!a->status)
		text_copy(in->doubt, sizeof in->doubt, a->why);
	else if (http_means_of(a->status) != HTTP_ITEMS)
		(void)snprintf(in->doubt, sizeof in->doubt, "HTTP %d when it was asked", a->status);
	else
		h->kind->told(h, a);
	in->question = NULL;
	http_end(h->http, c);
	in->ask_pause = in->n_held < before ? ASK_FIRST : in->ask_pause * 2 < ASK_MOST ? in->ask_pause * 2 : ASK_MOST;
	in->ask_at = clock_monotonic(h->clock) + in->ask_pause;
}

void held_overdue(struct http_sink *h)
{
	struct http_inside *in = h->inside;
	char why[160], span[32];

	while (in->n_held && clock_monotonic(h->clock) - in->held[0].since > h->patience) {
		(void)snprintf(why, sizeof why, "no acknowledgement within %s%s%s", span_text(h->patience, span), in->doubt[0] ? ": " : "", in->doubt);
		settle(in, 0, SINK_RETRY, why);
	}
}

void held_free(struct http_inside *in)
{
	for (size_t i = 0; i < in->n_held; i++)
		free(in->held[i].seqs);
	free(in->held);
}
