/* agent_state.c - the ways from a verb to the agent's state.
 *
 * Promises: looking never changes anything; what changes goes through the running agent, or through its database under the agent's own
 * lock. Refuses: to write beside a running agent. */
#include "cli/agent_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "heal/silence.h"
#include "proc/place.h"

#define ASK_LIMIT (60 * US_SECOND) /* the agent may be in a step of a repair */

struct config *agent_config(const struct cli *c, struct err *e)
{
	const char *from_environment = getenv("EVMEND_CONFIG");

	return config_read(cli_value(c, "--config", from_environment && *from_environment ? from_environment : AGENT_CONFIG), e);
}

void agent_config_words(const struct config *config, char *to, size_t n)
{
	const char *set = getenv("EVMEND_CONFIG");
	bool found = strcmp(config->path, set && *set ? set : AGENT_CONFIG) == 0;

	(void)snprintf(to, n, "%s%s", found ? "" : " -c ", found ? "" : config->path);
}

struct db *agent_heal_db(const struct config *config, enum db_mode mode, struct err *e)
{
	const char *path = config_state(config, "heal.db");
	struct os_stat st;

	if (mode == DB_READ && os_file.stat(path, -1, &st) == -ENOENT) {
		err_set(e, ERR_IO, "%s does not exist; no agent has run on this state_dir yet", path);
		return NULL;
	}
	return db_open(path, &heal_schema, mode, e);
}

int agent_lock(const struct config *config, struct err *e)
{
	char why[96];
	int fd = os_file.open(config_state(config, "lock"), OS_LOCK);

	if (fd == -EWOULDBLOCK)
		return err_set(e, ERR_IO, "an agent runs on %s and does not answer; try again", config->state_dir);
	return fd < 0 ? err_set(e, ERR_IO, "%s cannot be written: %s", config->state_dir, err_os(fd, why)) : fd;
}

int agent_ask(const struct cli *c, const struct config *config, const struct buf *question, struct json **answer, struct err *e)
{
	return control_ask(config->state_dir, question, ASK_LIMIT, &c->clock, answer, e);
}

void agent_member(struct buf *question, const char *key, const char *value)
{
	struct json_out o;
	struct buf b;

	if (!value)
		return;
	buf_init(&b, CONTROL_LINE);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, key, value);
	json_close(&o, '}');
	if (question->n)
		buf_char(question, ',');
	buf_add(question, b.p + 1, b.n - 2); /* without the braces */
	buf_free(&b);
}

int agent_until(const struct cli *c, int64_t most, int64_t *until, struct err *e)
{
	const char *span = cli_value(c, "--for", NULL);
	int64_t now = clock_wall(&c->clock), us;
	char text[32];

	*until = 0;
	if (span && cli_has(c, "--until"))
		return err_set(e, ERR_USAGE, "either --for or --until");
	if (span && (!span_parse(span, &us) || us <= 0 || us > most))
		return err_set(e, ERR_USAGE, "--for takes a time such as 90m or 2h, at most %s", span_text(most, text));
	if (span)
		*until = now + us;
	else if (cli_time(c, "--until", until, e) < 0)
		return -1;
	return *until != 0 && *until <= now ? err_set(e, ERR_USAGE, "the end must lie ahead") : 0;
}

struct json *agent_silences(const struct config *config, struct err *e)
{
	struct db *d = agent_heal_db(config, DB_READ, e);
	struct json *list = NULL;
	struct json_out o;
	struct buf b;

	if (!d)
		return NULL;
	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	if (silences_json(d, &o, NULL, e) == 0)
		list = json_parse(buf_text(&b), b.n, e);
	buf_free(&b);
	db_close(d);
	return list;
}

static struct json *look(const struct config *config, int (*place_look)(const char *, struct buf *, struct err *), struct err *e)
{
	struct json *j = NULL;
	struct buf b;

	e->code = ERR_NONE;
	buf_init(&b, 64u << 20);
	if (place_look(config->state_dir, &b, e) == 0 && b.n)
		j = json_parse_max(b.p, b.n, 64u << 20, e);
	buf_free(&b);
	return j;
}

struct json *agent_noise(const struct config *config, struct err *e)
{
	return look(config, place_look_noise, e);
}

struct json *agent_rules(const struct config *config, struct err *e)
{
	return look(config, place_look_rules, e);
}

const struct json *agent_silence_held(const struct json *noise, int64_t id)
{
	const struct json *list = json_get(noise, "silences");

	for (size_t i = 0; i < json_len(list); i++)
		if (json_int(json_get(json_at(list, i), "id"), 0) == id)
			return json_at(list, i);
	return NULL;
}

int agent_case_id(const char *word, int64_t *id, struct err *e)
{
	const char *s = word[0] == '#' ? word + 1 : word;

	if (!text_int(s, strlen(s), id) || *id < 1)
		return err_set(e, ERR_USAGE, "'%s' is no case; `evmend cases` lists them with their numbers", word);
	return 0;
}

int agent_case(const struct cli *c, const char *word, struct config **config, struct db **d, struct heal_case *k, struct err *e)
{
	int64_t id;
	int got;

	*config = NULL;
	*d = NULL;
	if (agent_case_id(word, &id, e) < 0 || !(*config = agent_config(c, e)) || !(*d = agent_heal_db(*config, DB_READ, e)))
		return -1;
	got = case_store_get(*d, id, k, e);
	if (got == 0)
		return err_set(e, ERR_USAGE, "there is no case %lld; `evmend cases --all` lists them", (long long)id);
	return got < 0 ? -1 : 0;
}
