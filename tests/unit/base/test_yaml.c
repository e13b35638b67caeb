/* test_yaml.c - a tree with places, and a refusal with a place for everything that surprises. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "lib/check.h"
#include "lib/scratch.h"

static struct yaml_file *parse(const char *s, struct err *e)
{
	return yaml_parse("f.yml", s, strlen(s), e);
}

static void reads_places_and_kinds(void **state)
{
	static const char text[] = "# a comment\n"
				   "title: A \"rule\"\n"
				   "list:\n"
				   "  - 12\n"
				   "  - '12'\n"
				   "  - [a, b]\n"
				   "empty:\n"
				   "block: |\n"
				   "  two\n"
				   "  lines\n";
	struct err e;
	struct yaml_file *f = parse(text, &e);
	const struct yaml_node *map, *list;

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->n, 1);
	map = f->documents[0];
	assert_int_equal(map->kind, YAML_MAP);
	assert_int_equal(map->n, 4);
	assert_string_equal(map->keys[1]->text, "list");
	assert_string_equal(yaml_get(map, "title")->text, "A \"rule\"");
	assert_int_equal(yaml_get(map, "title")->line, 2);
	assert_int_equal(yaml_get(map, "title")->column, 8);
	list = yaml_get(map, "list");
	assert_int_equal(list->n, 3);
	assert_true(list->items[0]->plain);
	assert_false(list->items[1]->plain);
	assert_int_equal(list->items[2]->kind, YAML_LIST);
	assert_int_equal(list->items[2]->line, 6);
	assert_true(yaml_is_null(yaml_get(map, "empty")));
	assert_string_equal(yaml_get(map, "block")->text, "two\nlines\n");
	assert_null(yaml_get(map, "nothing"));
	assert_null(yaml_get(list, "title"));
	yaml_free(f);
	yaml_free(NULL);
}

static void many_documents(void **state)
{
	struct err e;
	struct yaml_file *f = parse("a: 1\n---\n---\nb: 2\n", &e);

	(void)state;
	assert_int_equal(f->n, 3);
	assert_non_null(yaml_get(f->documents[0], "a"));
	assert_null(f->documents[1]);
	assert_non_null(yaml_get(f->documents[2], "b"));
	yaml_free(f);
	f = parse("", &e);
	assert_int_equal(f->n, 0);
	yaml_free(f);
	f = parse("# nothing but words\n", &e);
	assert_int_equal(f->n, 0);
	yaml_free(f);
}

static void byte_order_marks(void **state)
{
	static const char le[] = "\xff\xfe""a\0:\0", be[] = "\xfe\xff\0a\0:", bare[] = "a\0:\0";
	const struct {
		const char *text;
		size_t n;
	} utf16[] = {{le, sizeof le - 1}, {be, sizeof be - 1}, {bare, sizeof bare - 1}};
	struct yaml_file *f;
	struct err e;

	(void)state;
	f = parse("\xef\xbb\xbf" "a: 1\n", &e);
	assert_non_null(f);
	assert_string_equal(yaml_get(f->documents[0], "a")->text, "1");
	assert_int_equal(yaml_get(f->documents[0], "a")->column, 4);
	yaml_free(f);
	f = parse("\xef\xbb\xbf", &e);
	assert_int_equal(f->n, 0);
	yaml_free(f);
	for (size_t i = 0; i < sizeof utf16 / sizeof *utf16; i++) {
		assert_null(yaml_parse("f.yml", utf16[i].text, utf16[i].n, &e));
		assert_string_equal(e.text, "f.yml:1:1: is UTF-16; save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)");
	}
}

static void refuses_with_a_place(void **state)
{
	static const struct {
		const char *text, *start, *part;
	} t[] = {
		{ "a: 1\nb: 2\na: 3\n", "f.yml:3:1: ", "already on line 1" },
		{ "a: &x 1\n", "f.yml:1:4: ", "anchor" },
		{ "a: *x\n", "f.yml:1:4: ", "alias" },
		{ "a: !!int 1\n", "f.yml:1:4: ", "tag" },
		{ "a: !x [1]\n", "f.yml:1:4: ", "tag" },
		{ "? [a]\n: 1\n", "f.yml:1:3: ", "a key must be text" },
		{ "a: \"\\0\"\n", "f.yml:1:4: ", "NUL" },
		{ "a:\n\tb: 1\n", "f.yml:2:1: ", "" },
		{ "a: [1\n", "f.yml:2:1: ", "" },
		{ "a: b: c\n", "f.yml:1:5: ", "" },
		{ "ok: 1\nbad: \xff\n", "f.yml:2:", "" },
		{ "a: 'open\n", "f.yml:", "quoted scalar" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_null(parse(t[i].text, &e));
		if (strncmp(e.text, t[i].start, strlen(t[i].start)) != 0 || !strstr(e.text, t[i].part))
			fail_msg("'%s' gave '%s'", t[i].text, e.text);
		assert_int_equal(e.code, ERR_USAGE);
	}
}

static void depth_has_an_end(void **state)
{
	struct yaml_file *f;
	char text[300];
	struct err e;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	f = parse(text, &e);
	assert_non_null(f);
	yaml_free(f);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	assert_null(parse(text, &e));
	assert_non_null(strstr(e.text, "too deep"));
}

static const char config[] = "name: ex01\nport: 444\nquoted: \"444\"\non: true\noff: False\nyes: yes\nspan: 15m\nlist: [1]\nnone:\n";

static void typed_reads(void **state)
{
	struct err e;
	struct yaml_file *f = parse(config, &e);
	const struct yaml_node *m = f->documents[0];
	const char *s = "-";
	int64_t n = -1, us = 0;
	bool b = false;

	(void)state;
	assert_int_equal(yaml_str(f, yaml_get(m, "name"), "name", &s, &e), 0);
	assert_string_equal(s, "ex01");
	assert_int_equal(yaml_str(f, yaml_get(m, "port"), "port", &s, &e), 0);
	assert_string_equal(s, "444");
	assert_int_equal(yaml_int(f, yaml_get(m, "port"), "port", 1, 65535, &n, &e), 0);
	assert_int_equal(n, 444);
	assert_int_equal(yaml_bool(f, yaml_get(m, "on"), "on", &b, &e), 0);
	assert_true(b);
	assert_int_equal(yaml_bool(f, yaml_get(m, "off"), "off", &b, &e), 0);
	assert_false(b);
	assert_int_equal(yaml_span(f, yaml_get(m, "span"), "span", &us, &e), 0);
	assert_true(us == 15 * US_MINUTE);
	/* What is not there leaves the default. */
	assert_int_equal(yaml_int(f, yaml_get(m, "nowhere"), "nowhere", 1, 2, &n, &e), 0);
	assert_int_equal(n, 444);
	yaml_free(f);
}

static void typed_refusals(void **state)
{
	struct err e;
	struct yaml_file *f = parse(config, &e);
	const struct yaml_node *m = f->documents[0];
	const char *s = "-";
	int64_t n = -1;
	bool b = true;

	(void)state;
	assert_int_equal(yaml_str(f, yaml_get(m, "list"), "list", &s, &e), -1);
	assert_string_equal(e.text, "f.yml:8:7: list must be text; here it is a list");
	assert_int_equal(yaml_str(f, yaml_get(m, "none"), "none", &s, &e), -1);
	assert_int_equal(yaml_int(f, yaml_get(m, "port"), "port", 1, 443, &n, &e), -1);
	assert_string_equal(e.text, "f.yml:2:7: port must be a number from 1 to 443; here it is '444'");
	assert_int_equal(yaml_int(f, yaml_get(m, "quoted"), "quoted", 1, 9999, &n, &e), -1);
	assert_int_equal(yaml_bool(f, yaml_get(m, "yes"), "yes", &b, &e), -1);
	assert_int_equal(yaml_span(f, yaml_get(m, "name"), "name", &n, &e), -1);
	assert_string_equal(s, "-");
	assert_int_equal(n, -1);
	yaml_free(f);
}

static void unknown_keys(void **state)
{
	static const char *const known[] = { "name", "port", NULL };
	struct err e;
	struct yaml_file *f = parse("name: a\nprot: 1\n", &e);

	(void)state;
	assert_int_equal(yaml_known(f, f->documents[0], known, &e), -1);
	assert_string_equal(e.text, "f.yml:2:1: unknown key 'prot'; did you mean 'port'?");
	yaml_free(f);
	f = parse("name: a\nport: 1\n", &e);
	assert_int_equal(yaml_known(f, f->documents[0], known, &e), 0);
	yaml_free(f);
}

static void reads_files(void **state)
{
	struct yaml_file *f;
	struct scratch s;
	struct err e;

	(void)state;
	scratch_init(&s);
	scratch_write(&s, "a.yml", "a: 1\n", 5);
	f = yaml_read(scratch_path(&s, "a.yml"), &e);
	assert_non_null(f);
	assert_string_equal(f->path, scratch_path(&s, "a.yml"));
	yaml_free(f);
	assert_null(yaml_read(scratch_path(&s, "b.yml"), &e));
	assert_non_null(strstr(e.text, "b.yml: cannot be read: no such file"));
	assert_null(yaml_read(s.folder, &e));
	assert_non_null(strstr(e.text, "is a directory"));
	scratch_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_places_and_kinds), cmocka_unit_test(many_documents), cmocka_unit_test(byte_order_marks),
		cmocka_unit_test(refuses_with_a_place),
		cmocka_unit_test(depth_has_an_end),	  cmocka_unit_test(typed_reads),    cmocka_unit_test(typed_refusals),
		cmocka_unit_test(unknown_keys),		  cmocka_unit_test(reads_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
