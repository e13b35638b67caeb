/* ledger_verb.c - `evmend ledger` and `evmend ledger verify`: what was decided and done, and whether that is still the whole truth.
 *
 * Promises: reads heal.db beside a running agent and changes nothing; verify computes every hash anew. Exit code 4 when the ledger
 * is not intact. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "heal/ledger.h"

struct printing {
	struct cli *c;
	struct cli_table *table;
	int64_t case_id; /* 0: all */
};

static void print_json(const struct ledger_record *r)
{
	struct json_out o;
	struct buf b;
	char hex[65];

	text_hex(hex, r->hash, 32);
	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_int(&o, "seq", r->seq);
	json_put_time(&o, "time", r->time);
	json_put_str(&o, "kind", r->kind);
	json_put_str(&o, "host", r->host);
	json_put_int(&o, "case", r->case_id);
	json_put_raw(&o, "body", r->body);
	json_put_str(&o, "hash", hex);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* The part of a body that says most in one line. */
static void short_text(const struct ledger_record *r, char *to, size_t n)
{
	static const char *const members[] = {"what", "error", "why", "result", "text", "state", "summary", "reason", "actor", NULL};
	struct json *j = json_parse(r->body, strlen(r->body), NULL);

	to[0] = '\0';
	for (size_t i = 0; members[i] && to[0] == '\0'; i++)
		text_copy(to, n, json_str(json_get(j, members[i]), ""));
	if (strcmp(r->kind, "diagnosis") == 0)
		text_copy(to, n, json_str(json_get(json_get(j, "verdict"), "name"), ""));
	if (strcmp(r->kind, "repair-end") == 0)
		text_copy(to, n, json_str(json_get(j, "result"), ""));
	if (strcmp(r->kind, "state") == 0)
		text_copy(to, n, json_str(json_get(j, "state"), ""));
	if (strcmp(r->kind, "silence") == 0)
		say_text(to, n, "%s: %s, until %s (%s): %s", json_str(json_get(j, "silence"), ""), json_str(json_get(j, "title"), ""),
			json_str(json_get(j, "until"), ""), json_str(json_get(j, "actor"), ""), json_str(json_get(j, "reason"), ""));
	if (strcmp(r->kind, "outcome") == 0 && json_bool(json_get(j, "ok"), false))
		text_copy(to, n, "done");
	if (strcmp(r->kind, "verify") == 0)
		text_copy(to, n, json_str(json_get(json_get(j, "proof"), "summary"), ""));
	json_free(j);
}

static int print_one(void *arg, const struct ledger_record *r)
{
	struct printing *p = arg;
	char seq[24], id[24], when[32], text[200];

	if (p->case_id != 0 && r->case_id != p->case_id)
		return 0;
	if (p->c->json) {
		print_json(r);
		return 0;
	}
	snprintf(seq, sizeof(seq), "%" PRId64, r->seq);
	snprintf(id, sizeof(id), "%" PRId64, r->case_id);
	short_text(r, text, sizeof(text));
	cli_table_row(p->table, seq, time_text(r->time, when), r->case_id ? id : "", r->host, r->kind, text, (char *)NULL);
	return 0;
}

static int print_all(struct cli *c, struct db *db, int64_t case_id, struct err *e)
{
	static const char *const headings[] = {"SEQ", "TIME", "CASE", "HOST", "KIND", "WHAT", NULL};
	struct printing p = {.c = c, .case_id = case_id};
	int r;

	if (!c->json)
		p.table = cli_table_new(headings);
	r = ledger_each(db, 1, print_one, &p, e);
	if (!c->json)
		cli_table_end(c, p.table);
	return r;
}

static int verify(struct cli *c, struct db *db, struct err *e)
{
	uint8_t head[32];
	char hex[65];
	int64_t n;

	if (ledger_verify(db, &n, head, e) < 0)
		return -1;
	text_hex(hex, head, 32);
	if (c->json)
		printf("{\"v\":1,\"kind\":\"ledger\",\"intact\":true,\"records\":%" PRId64 ",\"head\":\"%s\"}\n", n, hex);
	else
		cli_print(c, CLI_GREEN, "the ledger is intact: %" PRId64 " records, head %s\n", n, hex);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = {.code = ERR_NONE};
	struct config *config;
	struct db *db = NULL;
	int64_t case_id = 0;
	int code = -1;

	if (argc == 1 && strcmp(argv[0], "verify") != 0)
		return cli_usage(c, "there is no 'ledger %s'; 'evmend ledger' prints it, 'evmend ledger verify' checks it", argv[0]);
	if (cli_number(c, "--case", 1, INT64_MAX, &case_id, &e) < 0)
		return cli_fail(c, &e);
	config = agent_config(c, &e);
	if (config != NULL)
		db = agent_heal_db(config, DB_READ, &e);
	if (db != NULL)
		code = argc == 1 ? verify(c, db, &e) : print_all(c, db, case_id, &e);
	db_close(db);
	config_free(config);
	return code < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--case", 0, CLI_VALUE, "ID", "only records of this case"},
	CLI_OPTION_END,
};

const struct cli_verb verb_ledger = {
	.name = "ledger", .summary = "what was decided and done; verify checks the chain", .usage = "[verify] [--case ID] [-c FILE]",
	.help = "Each record holds the hash of the one before it, so that a change, a gap or a lost record is seen. 'verify' computes "
	"all of\n"
		"them anew and prints the head, which can be noted elsewhere.\n",
	.example = "evmend ledger verify -c config.yaml\nevmend ledger --case 17 --json", .options = options, .min_args = 0, .max_args = 1,
	.run = run,
};
