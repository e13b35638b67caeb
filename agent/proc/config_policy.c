/* config_policy.c - the part of the configuration that says what may be changed, how often, and when.
 *
 * Exists so that what permits a change is read in one place. Promises: what is left out has the default of policy_defaults; a
 * window without a zone, a zone that does not exist and a window that never opens are errors with their line. Refuses limits of
 * none: `mode` says that nothing is to be changed. */
#include <string.h>

#include "base/text.h"
#include "os/os.h"
#include "proc/config_inside.h"

#define WINDOWS 32
#define LIMIT_HOST 100
#define LIMIT_FLEET 1000

/* "22:00" as minutes after midnight; 24:00 only where it ends something. */
static int read_clock(struct reader *r, node map, const char *key, int most, int *to)
{
	node n = yaml_get(map, key);
	const char *s = NULL, *colon;
	int64_t hour, minute;

	if (yaml_is_null(n))
		return yaml_err(r->f, map, r->e, ERR_USAGE, "a window needs %s: a time of the day such as \"22:00\"", key);
	if (yaml_str(r->f, n, key, &s, r->e) < 0)
		return -1;
	colon = strchr(s, ':');
	if (!colon || colon - s > 2 || strlen(colon) != 3 || !text_int(s, (size_t)(colon - s), &hour) ||
		!text_int(colon + 1, 2, &minute) || hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > most)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a time of the day from \"00:00\" to \"%s\", in quotes", key,
			most == 1440 ? "24:00" : "23:59");
	*to = (int)(hour * 60 + minute);
	return 0;
}

static int read_days(struct reader *r, node n, unsigned *to)
{
	static const char *const known[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };
	const char **words;
	size_t count;

	*to = WINDOW_DAYS_ALL;
	if (yaml_is_null(n))
		return 0;
	if (read_texts(r, n, "days", &words, &count) < 0)
		return -1;
	*to = 0;
	for (size_t i = 0; i < count; i++) {
		int day = words[i] ? window_day(words[i]) : -1;
		const char *near = words[i] && day < 0 ? text_nearest(words[i], known) : NULL;

		if (day < 0)
			return yaml_err(r->f, n, r->e, ERR_USAGE, "days knows no '%s'%s%s%s; write some of mon, tue, wed, thu, fri, sat, sun",
				words[i] ? words[i] : "", near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		*to |= 1u << day;
	}
	return *to ? 0 : yaml_err(r->f, n, r->e, ERR_USAGE, "days is empty; leave it out for every day");
}

static int read_window(struct reader *r, node n, struct policy_window *w)
{
	static const char *const known[] = { "days", "from", "to", "zone", NULL };
	const char *zone = NULL;
	struct err why;

	if (read_map(r, n, "a window", known) < 0 || read_days(r, yaml_get(n, "days"), &w->days) < 0 ||
		read_clock(r, n, "from", 1439, &w->from) < 0 || read_clock(r, n, "to", 1440, &w->to) < 0 ||
		read_text(r, n, "zone", &zone) < 0)
		return -1;
	if (!zone)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a window needs a zone, such as Europe/Berlin, or UTC");
	w->zone = zone_read(r->c->arena, &os_file, NULL, zone, &why);
	if (!w->zone)
		return yaml_err(r->f, yaml_get(n, "zone"), r->e, ERR_USAGE, "%s", why.text);
	if (w->from == w->to)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "this window never opens; for a whole day write from: \"00:00\", to: \"24:00\"");
	return 0;
}

static int read_windows(struct reader *r, node n)
{
	struct policy_window *w;

	if (yaml_is_null(n))
		return 0;
	if (n->kind != YAML_LIST || n->n == 0 || n->n > WINDOWS)
		return yaml_err(r->f, n, r->e, ERR_USAGE,
			"windows must be a list of 1 to %d; leave it out when repairs may begin at any time", WINDOWS);
	w = arena_alloc(r->c->arena, n->n * sizeof *w);
	for (size_t i = 0; i < n->n; i++)
		if (read_window(r, n->items[i], &w[i]) < 0)
			return -1;
	r->c->policy.windows = w;
	r->c->policy.n_windows = n->n;
	return 0;
}

static int read_number(struct reader *r, node map, const char *key, int64_t most, int *to)
{
	int64_t v = *to;

	if (yaml_int(r->f, yaml_get(map, key), key, 1, most, &v, r->e) < 0)
		return -1;
	*to = (int)v;
	return 0;
}

static int read_limits(struct reader *r, node n)
{
	static const char *const known[] = { "per_host_day", "per_group_day", "per_fleet_day", NULL };
	struct policy_config *p = &r->c->policy;

	if (yaml_is_null(n))
		return 0;
	if (read_map(r, n, "limits", known) < 0 || read_number(r, n, "per_host_day", LIMIT_HOST, &p->per_host_day) < 0 ||
		read_number(r, n, "per_fleet_day", LIMIT_FLEET, &p->per_fleet_day) < 0)
		return -1;
	p->per_group_day = p->per_fleet_day;
	return read_number(r, n, "per_group_day", LIMIT_FLEET, &p->per_group_day);
}

static int read_blast(struct reader *r, node n)
{
	static const char *const known[] = { "hosts", "within", NULL };
	struct policy_config *p = &r->c->policy;

	if (yaml_is_null(n))
		return 0;
	return read_map(r, n, "blast_radius", known) < 0 || read_number(r, n, "hosts", LIMIT_FLEET, &p->blast_hosts) < 0 ||
		read_span(r, n, "within", US_MINUTE, &p->blast_within) < 0 ? -1 : 0;
}

int read_remedies(struct reader *r, node root)
{
	static const char *const names[] = { "exchange_backend", NULL };
	static const char *const known[] = { "mode", "limits", "blast_radius", "windows", "settle", "hold_file", NULL };
	struct policy_config *p = &r->c->policy;
	node all = yaml_get(root, "remedies"), n;
	const char *mode = NULL, *hold = NULL;

	if (yaml_is_null(all))
		return 0;
	if (read_map(r, all, "remedies", names) < 0)
		return -1;
	n = yaml_get(all, "exchange_backend");
	if (yaml_is_null(n))
		return 0;
	if (read_map(r, n, "exchange_backend", known) < 0 || read_text(r, n, "mode", &mode) < 0 ||
		read_text(r, n, "hold_file", &hold) < 0 || read_span(r, n, "settle", US_SECOND, &p->settle) < 0)
		return -1;
	if (mode && !policy_mode_parse(mode, &p->mode))
		return yaml_err(r->f, yaml_get(n, "mode"), r->e, ERR_USAGE, "unknown mode '%s'; write observe, approve or auto", mode);
	if (hold)
		p->hold_file = read_path(r, hold);
	return read_limits(r, yaml_get(n, "limits")) < 0 || read_blast(r, yaml_get(n, "blast_radius")) < 0 ||
		read_windows(r, yaml_get(n, "windows")) < 0 ? -1 : 0;
}
