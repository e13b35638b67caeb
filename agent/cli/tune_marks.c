/* tune_marks.c - what a person says about findings.
 *
 * Promises: a mark by uid means one finding; a mark by file means each event in it that the rule matches. Refuses marks that are
 * neither uid nor file, and standard input, which cannot be read twice. */
#include "cli/tune_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cases/finding.h"
#include "cli/read_events.h"

#define GIVEN 64            /* of each option */
#define MARKS_BYTES (256u << 20)
#define UID_LEAST 12
#define HEX "0123456789abcdefABCDEF"

struct by_uid {
	char hex[65]; /* may be a beginning */
	enum tune_mark mark;
	bool found;
};

struct by_file {
	const char *path;
	enum tune_mark mark;
};

struct tune_marks {
	struct cli *c;
	struct by_uid *uids;
	size_t n_uids, cap;
	struct by_file files[3 * GIVEN];
	size_t n_files;
	bool some_true;
};

static void add_uid(struct tune_marks *m, const char *hex, enum tune_mark mark)
{
	if (m->n_uids == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->uids = xrealloc(m->uids, m->cap, sizeof *m->uids);
	}
	m->uids[m->n_uids] = (struct by_uid){.mark = mark};
	text_copy(m->uids[m->n_uids++].hex, sizeof m->uids[0].hex, hex);
	m->some_true = m->some_true || mark == TUNE_TRUE;
}

static bool is_uid(const char *s)
{
	size_t n = strspn(s, HEX);

	return n >= UID_LEAST && n <= 64 && s[n] == '\0';
}

/* One line of NDJSON: a finding, or another record, which says nothing. */
static int add_line(struct tune_marks *m, const char *path, const char *line, size_t n, enum tune_mark mark, struct err *e)
{
	struct json *j = json_parse(line, n, e);
	const char *uid = json_str(json_get(j, "uid"), ""), *own = json_str(json_get(j, "mark"), "");
	int did = 0;

	if (!j)
		return err_prefix(e, "%s", path);
	if (mark == TUNE_UNMARKED && !strcmp(own, "false"))
		mark = TUNE_FALSE;
	else if (mark == TUNE_UNMARKED && !strcmp(own, "true"))
		mark = TUNE_TRUE;
	else if (mark == TUNE_UNMARKED && *own)
		did = err_set(e, ERR_USAGE, "%s: a mark is \"false\" or \"true\", not \"%.40s\"", path, own);
	if (did == 0 && mark != TUNE_UNMARKED && is_uid(uid) && !strcmp(json_str(json_get(j, "kind"), "finding"), "finding"))
		add_uid(m, uid, mark);
	json_free(j);
	return did;
}

static int add_findings(struct tune_marks *m, const char *path, const struct buf *b, enum tune_mark mark, struct err *e)
{
	size_t before = m->n_uids;

	for (size_t at = 0; at < b->n;) {
		const char *nl = memchr(b->p + at, '\n', b->n - at);
		size_t n = nl ? (size_t)(nl - b->p) - at : b->n - at;

		if (n && add_line(m, path, b->p + at, n, mark, e) < 0)
			return -1;
		at += n + 1;
	}
	return m->n_uids > before ? 0 : err_set(e, ERR_USAGE, "%s has no findings with a uid%s", path, mark ? "" : " and a mark");
}

static int add_path(struct tune_marks *m, const char *path, enum tune_mark mark, bool findings_only, struct err *e)
{
	struct os_stat st;
	struct buf b;
	int did;

	if (strspn(path, HEX) == strlen(path) && os_file.stat(path, -1, &st) == -ENOENT)
		return err_set(e, ERR_USAGE, "'%.70s' is no file, and a uid has %d to 64 digits; scan --json writes it", path, UID_LEAST);
	if (strcmp(path, "-") == 0)
		return err_set(e, ERR_USAGE, "events are read twice, which standard input cannot be; save them first");
	buf_init(&b, MARKS_BYTES);
	if (os_file.stat(path, -1, &st) == 0 && !st.is_folder && file_read(&os_file, path, &b, e) == 0 && b.n && b.p[0] == '{') {
		did = add_findings(m, path, &b, mark, e);
	} else if (findings_only) {
		did = err_set(e, ERR_USAGE, "%s is no file of findings: one JSON object a line", path);
	} else {
		m->files[m->n_files++] = (struct by_file){path, mark};
		m->some_true = m->some_true || mark == TUNE_TRUE;
		did = 0;
	}
	buf_free(&b);
	return did;
}

static int add_option(struct tune_marks *m, const char *option, enum tune_mark mark, struct err *e)
{
	const char *given[GIVEN];
	size_t n = cli_values(m->c, option, given, GIVEN);

	if (n > GIVEN)
		return err_set(e, ERR_USAGE, "%s at most %d times", option, GIVEN);
	for (size_t i = 0; i < n; i++) {
		if (mark != TUNE_UNMARKED && is_uid(given[i]))
			add_uid(m, given[i], mark);
		else if (add_path(m, given[i], mark, strcmp(option, "--marks") == 0, e) < 0)
			return -1;
	}
	return 0;
}

struct tune_marks *tune_marks_new(struct cli *c, struct err *e)
{
	struct tune_marks *m = xcalloc(1, sizeof *m);

	m->c = c;
	if (add_option(m, "--false", TUNE_FALSE, e) == 0 && add_option(m, "--true", TUNE_TRUE, e) == 0 &&
	    add_option(m, "--marks", TUNE_UNMARKED, e) == 0 && add_option(m, "--events", TUNE_UNMARKED, e) == 0) {
		if (m->n_files)
			return m;
		err_set(e, ERR_USAGE, m->n_uids ? "where are the events of these findings? --events FILE" :
			"tune needs findings that are false: --false with their uid, a file of findings or of events");
	}
	tune_marks_free(m);
	return NULL;
}

void tune_marks_free(struct tune_marks *m)
{
	if (!m)
		return;
	free(m->uids);
	free(m);
}

struct reading {
	enum tune_mark mark;
	int (*each)(void *arg, const struct event *ev, enum tune_mark mark);
	void *arg;
	int did;
};

static int on_event(void *arg, const struct event *ev)
{
	struct reading *r = arg;

	r->did = r->each(r->arg, ev, r->mark);
	return r->did;
}

int tune_marks_read(struct tune_marks *m, const struct ruleset *rs, int (*each)(void *arg, const struct event *ev, enum tune_mark mark),
	void *arg, struct err *e)
{
	struct reading g = {.each = each, .arg = arg};

	for (size_t i = 0; i < m->n_files && g.did == 0; i++) {
		struct read_events r = {.c = m->c, .names = ruleset_names(rs), .progress = !m->c->json, .arg = &g, .event = on_event};
		char *path = xstrdup(m->files[i].path);

		g.mark = m->files[i].mark;
		read_events(&r, &path, 1);
		free(path);
		if (r.failed)
			return err_set(e, ERR_IO, "without all of the events nothing can be proved");
	}
	return g.did;
}

enum tune_mark tune_marks_add(enum tune_mark a, enum tune_mark b)
{
	if (a == b || b == TUNE_UNMARKED)
		return a;
	return a == TUNE_UNMARKED ? b : TUNE_BOTH;
}

enum tune_mark tune_marks_of(struct tune_marks *m, const struct rule *r, const uint8_t event[static 32], enum tune_mark file)
{
	enum tune_mark mark = file;
	uint8_t uid[32];
	char hex[65];

	finding_uid(r, event, uid);
	text_hex(hex, uid, 32);
	for (size_t i = 0; i < m->n_uids; i++) {
		struct by_uid *u = &m->uids[i];

		if (!text_same_n(u->hex, strlen(u->hex), hex, strlen(u->hex)))
			continue;
		u->found = true;
		mark = tune_marks_add(mark, u->mark);
	}
	return mark;
}

enum tune_mark tune_marks_unsaid(const struct tune_marks *m)
{
	return m->some_true ? TUNE_UNMARKED : TUNE_TRUE;
}

int tune_marks_all_found(const struct tune_marks *m, struct err *e)
{
	size_t lost = 0;

	for (size_t i = 0; i < m->n_uids; i++)
		lost += !m->uids[i].found;
	return lost ? err_set(e, ERR_USAGE, "%zu of %zu marked findings are no findings of this rule in these events; name all files with --events",
		lost, m->n_uids) : 0;
}
