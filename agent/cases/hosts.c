/* hosts.c - names of servers.
 *
 * Why: the same server is EX1 in a console text, ex1.example in a log row and EX1.example in System/Computer.
 * Promises: names that cannot be told apart become one; a name that could mean two servers stays itself.
 * Refuses: to map a full name to a configured short one: whoever configures a short name lists its full name as an alias; to keep more
 * than LIMIT_HOST_NAMES: of those that are not configured, one not heard of lately is forgotten (run), or new ones are taken as they
 * are (a scan, whose answer may not hang on what came last). */
#include "cases/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "limits.h"

#define BUCKETS 16384

struct name {
	struct name *next;
	const char *spelling;
	const char *means;      /* NULL: itself */
	const char *full;       /* of a short name: the only full name that begins with it */
	struct name *label;     /* of a full name: its short one; NULL: not known */
	uint32_t n_full;        /* of a short name: full ones that point to it */
	bool configured, seen, ambiguous;
	bool used;              /* since the hand passed */
};

struct hosts {
	struct strings *pool;
	struct hash_seed seed;
	struct name *buckets[BUCKETS];
	size_t n, hand;
	bool first_stays, forgets;
};

/* Goes round until a name was not used since the last time; one that full names point to stays as long as they do. */
static void forget_one(struct hosts *h)
{
	for (size_t steps = 0, n = h->n; steps < 3 * BUCKETS && h->n == n; steps++, h->hand = (h->hand + 1) % BUCKETS)
		for (struct name **p = &h->buckets[h->hand], *x = *p; x; x = *p) {
			if (x->used || x->configured || x->n_full) {
				x->used = false;
				p = &x->next;
				continue;
			}
			if (x->label)
				x->label->n_full--;
			*p = x->next;
			free(x);
			h->n--;
		}
}

static struct name *find(struct hosts *h, const char *s, size_t n, bool add)
{
	struct name **b = &h->buckets[hash_fold(&h->seed, s, n) % BUCKETS], *x;

	for (x = *b; x; x = x->next)
		if (text_same_n(x->spelling, strlen(x->spelling), s, n)) {
			x->used = true;
			return x;
		}
	if (add && h->n >= LIMIT_HOST_NAMES && h->forgets)
		forget_one(h);
	if (!add || h->n >= LIMIT_HOST_NAMES)
		return NULL;
	x = xcalloc(1, sizeof *x);
	x->used = true;
	x->spelling = strings_add_n(h->pool, s, n);
	x->next = *b;
	*b = x;
	h->n++;
	return x;
}

/* A full name makes its first label mean it, until a second one does. */
static void learn_label(struct hosts *h, struct name *full)
{
	size_t n = strcspn(full->spelling, ".");
	struct name *label;

	full->n_full++; /* stays while another one may be forgotten */
	label = full->spelling[n] ? find(h, full->spelling, n, true) : NULL;
	full->n_full--;
	if (!label || label->configured)
		return;
	if (!full->label)
		label->n_full++;
	full->label = label;
	if (label->full && label->full != full->spelling) {
		label->ambiguous = true;
		return;
	}
	label->full = full->spelling;
	if (h->first_stays && label->seen && !full->configured)
		full->means = label->spelling;
}

struct hosts *hosts_new(const struct engine_host *configured, size_t n, struct strings *pool, bool first_stays)
{
	struct hosts *h = xcalloc(1, sizeof *h);

	h->pool = pool;
	h->seed = hash_seed_draw();
	h->first_stays = h->forgets = first_stays;
	for (size_t i = 0; i < n; i++)
		for (size_t a = 0; a <= configured[i].n_aliases; a++) {
			const char *s = a ? configured[i].aliases[a - 1] : configured[i].name;
			struct name *x = find(h, s, strlen(s), true);

			if (!x || x->configured)
				continue;
			x->configured = x->seen = true;
			x->means = strings_add(pool, configured[i].name);
		}
	for (size_t i = 0; i < n; i++)
		for (size_t a = 0; a <= configured[i].n_aliases; a++) {
			const char *s = a ? configured[i].aliases[a - 1] : configured[i].name;
			struct name *x = find(h, s, strlen(s), false);

			if (x)
				learn_label(h, x);
		}
	return h;
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (h->buckets[i]) {
			struct name *x = h->buckets[i];

			h->buckets[i] = x->next;
			free(x);
		}
	free(h);
}

void hosts_renew(struct hosts *h)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct name *x = h->buckets[i]; x; x = x->next) {
			x->spelling = strings_add(h->pool, x->spelling);
			x->means = strings_add(h->pool, x->means);
			x->full = strings_add(h->pool, x->full);
		}
}

size_t hosts_bytes(const struct hosts *h)
{
	return h->n * (sizeof(struct name) + 16);
}

void hosts_learn(struct hosts *h, const char *name)
{
	struct name *x = *name ? find(h, name, strlen(name), true) : NULL;

	if (!x || x->seen)
		return;
	x->seen = true;
	learn_label(h, x);
}

const char *hosts_name(struct hosts *h, const char *name)
{
	struct name *x = *name ? find(h, name, strlen(name), false) : NULL;

	if (!x)
		return strings_add(h->pool, name);
	if (x->means)
		return x->means;
	if (!x->full || x->ambiguous)
		return x->spelling;
	struct name *full = find(h, x->full, strlen(x->full), false);

	return full && full->means ? full->means : x->full;
}

void hosts_save(const struct hosts *h, struct json_out *o, const char *key)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct name *x = h->buckets[i]; x; x = x->next) {
			if (!x->seen || x->configured)
				continue;
			json_open(o, NULL, '{');
			json_put_str(o, "name", x->spelling);
			if (x->means)
				json_put_str(o, "means", x->means);
			json_close(o, '}');
		}
	json_close(o, ']');
}

void hosts_load(struct hosts *h, const struct json *j)
{
	bool first_stays = h->first_stays;

	h->first_stays = false; /* who came first was settled then, and stands in `means` */
	for (size_t i = 0; i < json_len(j); i++) {
		const struct json *one = json_at(j, i);
		const char *s = json_str(json_get(one, "name"), ""), *means = json_str(json_get(one, "means"), NULL);

		hosts_learn(h, s);
		struct name *x = *s ? find(h, s, strlen(s), false) : NULL;

		if (x && means && !x->configured)
			x->means = strings_add(h->pool, means);
	}
	h->first_stays = first_stays;
}
