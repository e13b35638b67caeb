/* rules_sarif.c - what is wrong with rules, in the form that code scanning reads.
 *
 * Why: a merge request shows each problem beside its line when the build uploads a SARIF file.
 * Promises: SARIF 2.1.0 (OASIS standard, 27 March 2020): version and $schema (3.13), tool.driver.rules (3.19), results with ruleId,
 * ruleIndex, level, message and one physical location (3.27); relative paths are URIs against %SRCROOT%, absolute ones file URIs.
 * Refuses: nothing. */
#include <string.h>

#include "base/json.h"
#include "cli/rules_check.h"

/* RFC 3986: everything but unreserved characters and '/' is escaped. */
static void put_uri(struct json_out *o, const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	struct buf b;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	buf_init(&b, 1u << 16);
	if (path[0] == '/')
		buf_str(&b, "file://");
	for (; *path; path++)
		if (strchr(safe, *path))
			buf_char(&b, *path);
		else
			buf_printf(&b, "%%%02X", (unsigned)(unsigned char)*path);
	json_put_str(o, "uri", buf_text(&b));
	buf_free(&b);
}

static void put_message(struct json_out *o, const char *key, const char *text)
{
	json_open(o, key, '{');
	json_put_str(o, "text", text);
	json_close(o, '}');
}

static void put_driver(struct json_out *o)
{
	json_open(o, "tool", '{');
	json_open(o, "driver", '{');
	json_put_str(o, "name", "evmend rules check");
	json_put_str(o, "semanticVersion", EVMEND_VERSION);
	json_open(o, "rules", '[');
	for (size_t i = 0; i < LINT_COUNT; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "id", lint_kinds[i].id);
		put_message(o, "shortDescription", lint_kinds[i].says);
		json_open(o, "defaultConfiguration", '{');
		json_put_str(o, "level", lint_kinds[i].error ? "error" : "warning");
		json_close(o, '}');
		json_close(o, '}');
	}
	json_close(o, ']');
	json_close(o, '}');
	json_close(o, '}');
}

static void put_result(struct json_out *o, const struct rule_problem *p)
{
	json_open(o, NULL, '{');
	json_put_str(o, "ruleId", lint_kinds[p->lint].id);
	json_put_int(o, "ruleIndex", (int64_t)p->lint);
	json_put_str(o, "level", p->warning ? "warning" : "error");
	put_message(o, "message", p->text);
	json_open(o, "locations", '[');
	json_open(o, NULL, '{');
	json_open(o, "physicalLocation", '{');
	json_open(o, "artifactLocation", '{');
	put_uri(o, p->file);
	if (p->file[0] != '/')
		json_put_str(o, "uriBaseId", "%SRCROOT%");
	json_close(o, '}');
	json_open(o, "region", '{');
	json_put_int(o, "startLine", p->line);
	json_put_int(o, "startColumn", p->column);
	json_close(o, '}');
	json_close(o, '}');
	json_close(o, '}');
	json_close(o, ']');
	json_close(o, '}');
}

void rules_sarif(const struct problem_list *all, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_str(&o, "$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json");
	json_put_str(&o, "version", "2.1.0");
	json_open(&o, "runs", '[');
	json_open(&o, NULL, '{');
	put_driver(&o);
	json_put_str(&o, "columnKind", "unicodeCodePoints");
	json_open(&o, "results", '[');
	for (size_t i = 0; i < all->n; i++)
		put_result(&o, &all->list[i]);
	json_close(&o, ']');
	json_close(&o, '}');
	json_close(&o, ']');
	json_close(&o, '}');
}
