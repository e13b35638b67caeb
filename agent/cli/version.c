/* version.c - which program this is: its version, how it was built, the libraries in it, the rule set it would use.
 *
 * Promises to name a build for tests of crashes as such. Refuses nothing; a rule set that cannot be read is named as that. */
#include <stdio.h>
#include <string.h>

#include "base/compress.h"
#include "base/json.h"
#include "base/xml.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "ship/http.h"
#include "store/db.h"
#include "tls/tls_client.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif
#ifdef EVMEND_KILLPOINTS
#define BUILD_KIND "with kill points: for tests only, never on a server"
#elif defined(__SANITIZE_ADDRESS__)
#define BUILD_KIND "with AddressSanitizer: for tests"
#else
#define BUILD_KIND "plain"
#endif
#define LIBRARIES 7

static int run(struct cli *c, int argc, char **argv)
{
	(void)argc, (void)argv;
	char yaml[64], compress[64], http[64];
	snprintf(yaml, sizeof yaml, "libyaml %s", yaml_library());
	const char *libraries[LIBRARIES] = {
		xml_library(), yaml, json_library(), tls_library(), db_library(), compress_library(compress),
		http_library(http),
	};
	if (!c->json) {
		cli_print(c, CLI_BOLD, "evmend %s\n", EVMEND_VERSION);
		cli_print(c, CLI_PLAIN, "built by %s, %s\n", COMPILER, BUILD_KIND);
		for (int i = 0; i < LIBRARIES; i++)
			cli_print(c, CLI_PLAIN, "  %s\n", libraries[i]);
		return ERR_NONE;
	}
	struct buf b;
	struct json_out o;
	buf_init(&b, 1u << 16);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "version");
	json_put_str(&o, "version", EVMEND_VERSION);
	json_put_str(&o, "compiler", COMPILER);
	json_put_str(&o, "build", BUILD_KIND);
	json_open(&o, "libraries", '[');
	for (int i = 0; i < LIBRARIES; i++)
		json_put_str(&o, NULL, libraries[i]);
	json_close(&o, ']');
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
	return ERR_NONE;
}

const struct cli_verb verb_version = {
	.name = "version", .summary = "version, build and libraries", .usage = "", .example = "evmend version --json",
	.max_args = 0, .run = run,
};
