/* format_records.c - records from their files.
 *
 * Why: goldens, schema checks and hostile values start from the same records. Promises the order of names. Refuses a folder that is missing. */
#include "lib/format_records.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "lib/check.h"

#define FOLDER "tests/data/formats/records"

static int is_json(const struct dirent *d)
{
	return text_ends(d->d_name, ".json");
}

static int kind_of(const char *name)
{
	for (int kind = 0; kind < RECORD_KINDS; kind++)
		if (text_starts(name, record_kind_text(kind)))
			return kind;
	return RECORD_FINDING;
}

void format_record_view(struct record_view *v, struct spool_record *r, int kind, const char *json, size_t n)
{
	*r = (struct spool_record){ .kind = kind, .time = INT64_C(1520974931114211), .json = json, .n = n, .host = "", .cause = "", .labels = "" };
	memset(r->uid, 0xab, sizeof r->uid);
	view_open(v, r);
}

static void one(const char *file, unsigned char number, void (*each)(const char *name, const struct record_view *v, void *arg), void *arg)
{
	char path[sizeof FOLDER + 260], name[200];
	struct spool_record r;
	struct record_view v;
	struct buf b;
	struct err e;

	snprintf(path, sizeof path, FOLDER "/%s", file);
	buf_init(&b, 1u << 20);
	if (file_read(&os_file, path, &b, &e) < 0)
		fail_msg("%s", e.text);
	text_copy(name, sizeof name, file);
	name[strcspn(name, ".")] = '\0';
	format_record_view(&v, &r, kind_of(name), b.p, b.n - 1);
	view_close(&v);
	memset(r.uid, number, sizeof r.uid);
	view_open(&v, &r);
	assert_non_null(v.json);
	each(name, &v, arg);
	view_close(&v);
	buf_free(&b);
}

size_t each_format_record(void (*each)(const char *name, const struct record_view *v, void *arg), void *arg)
{
	struct dirent **list;
	int n = scandir(FOLDER, &list, is_json, alphasort);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		one(list[i]->d_name, (unsigned char)(i + 1), each, arg);
		free(list[i]);
	}
	free(list);
	return (size_t)n;
}
