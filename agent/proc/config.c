/* config.c - reads the configuration of the agent.
 *
 * Why: everything that an administrator decides stands in one file. Promises: each key is checked against one list for its place, with the
 * line and the nearest known name in the error; what is left out has the default of config.h; relative paths are made from the
 * configuration's own folder. Refuses: unknown keys, names that occur twice, and what is known but not built yet, by name. */
#include "proc/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "os/os.h"
#include "proc/config_inside.h"

#define LIST_MAX 64

const char *read_keep(struct reader *r, const char *s)
{
	return s ? arena_copy(r->c->arena, s, strlen(s)) : NULL;
}

const char *read_path(struct reader *r, const char *path)
{
	if (!path || path[0] == '/')
		return read_keep(r, path);
	return arena_printf(r->c->arena, "%s/%s", r->c->folder, path);
}

/* The text of a member, kept; NULL when it is not there. */
int read_text(struct reader *r, node map, const char *key, const char **to)
{
	const char *s = NULL;

	if (yaml_str(r->f, yaml_get(map, key), key, &s, r->e) < 0)
		return -1;
	if (s)
		*to = read_keep(r, s);
	return 0;
}

int read_map(struct reader *r, node n, const char *what, const char *const *known)
{
	if (n->kind != YAML_MAP)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a map of keys", what);
	return yaml_known(r->f, n, known, r->e);
}

/* A list of texts; a single text counts as a list of one. The array ends with NULL. */
int read_texts(struct reader *r, node n, const char *key, const char ***to, size_t *count)
{
	*to = NULL;
	*count = 0;
	if (yaml_is_null(n))
		return 0;
	if (n->kind == YAML_MAP || (n->kind == YAML_LIST && n->n > LIST_MAX))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a list of at most %d texts", key, LIST_MAX);
	const size_t many = n->kind == YAML_LIST ? n->n : 1;

	*to = arena_alloc(r->c->arena, (many + 1) * sizeof **to);
	for (size_t i = 0; i < many; i++) {
		node item = n->kind == YAML_LIST ? n->items[i] : n;
		const char *s = NULL;

		if (yaml_str(r->f, item, key, &s, r->e) < 0)
			return -1;
		(*to)[i] = read_keep(r, s);
	}
	*count = many;
	return 0;
}

int read_labels(struct reader *r, node n, const char *const **to, size_t *count)
{
	if (yaml_is_null(n))
		return 0;
	if (n->kind != YAML_MAP || n->n > LIST_MAX)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "labels must be a map of at most %d names and texts", LIST_MAX);
	const char **labels = arena_alloc(r->c->arena, (n->n + 1) * sizeof *labels);

	for (size_t i = 0; i < n->n; i++) {
		const char *v = NULL;

		if (yaml_str(r->f, n->items[i], n->keys[i]->text, &v, r->e) < 0)
			return -1;
		if (!*n->keys[i]->text || strpbrk(n->keys[i]->text, "=\n") || strchr(v ? v : "", '\n'))
			return yaml_err(r->f, n->keys[i], r->e, ERR_USAGE, "a label's name must not be empty or hold '=', and neither name nor text a line end");
		if (strlen(n->keys[i]->text) > LIMIT_LABEL_NAME)
			return yaml_err(r->f, n->keys[i], r->e, ERR_USAGE, "a label's name has at most %d bytes", LIMIT_LABEL_NAME);
		labels[i] = arena_printf(r->c->arena, "%s=%s", n->keys[i]->text, v ? v : "");
	}
	*to = labels;
	*count = n->n;
	return 0;
}

/* A list of maps, each with a name of its own. */
static int list_of(struct reader *r, node root, const char *key, size_t max, size_t item_size, void **to, size_t *count,
	int (*read_one)(struct reader *r, node n, void *item))
{
	node n = yaml_get(root, key);

	if (yaml_is_null(n))
		return 0;
	if (n->kind != YAML_LIST || n->n > max)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a list of at most %zu", key, max);
	char *items = arena_alloc(r->c->arena, (n->n + 1) * item_size);

	for (size_t i = 0; i < n->n; i++) {
		const char *name, *other;

		if (read_one(r, n->items[i], items + i * item_size) < 0)
			return -1;
		memcpy(&name, items + i * item_size, sizeof name); /* the name is the first member of each */
		for (size_t k = 0; k < i; k++) {
			memcpy(&other, items + k * item_size, sizeof other);
			if (text_same(name, other))
				return yaml_err(r->f, n->items[i], r->e, ERR_USAGE, "%s has '%s' twice; give each its own name", key, name);
		}
	}
	*to = items;
	*count = n->n;
	return 0;
}

static int read_host(struct reader *r, node n, void *item)
{
	static const char *const known[] = { "name", "aliases", "group", "mode", "access", "command", NULL };
	struct host_config *h = item;
	const char **command;
	size_t words;
	enum policy_mode mode;

	h->access = "pipe";
	if (read_map(r, n, "a host", known) < 0 || read_text(r, n, "name", &h->name) < 0 || read_text(r, n, "group", &h->group) < 0 ||
		read_text(r, n, "mode", &h->mode) < 0 || read_text(r, n, "access", &h->access) < 0)
		return -1;
	if (!h->name || !text_host_ok(h->name))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a host needs a name of letters, digits, '-' and '.': its FQDN");
	if (h->mode && !policy_mode_parse(h->mode, &mode))
		return yaml_err(r->f, yaml_get(n, "mode"), r->e, ERR_USAGE, "unknown mode '%s'; write observe, approve or auto", h->mode);
	if (strcmp(h->access, "pipe") != 0)
		return yaml_err(r->f, yaml_get(n, "access"), r->e, ERR_USAGE, "access '%s' is not built yet; pipe is", h->access);
	const char **aliases = NULL;

	if (read_texts(r, yaml_get(n, "aliases"), "aliases", &aliases, &h->n_aliases) < 0 ||
		read_texts(r, yaml_get(n, "command"), "command", &command, &words) < 0)
		return -1;
	h->aliases = aliases;
	if (!words)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "the host '%s' needs a command: [PROGRAM, ARGUMENT, ...], the program that reaches it", h->name);
	if (!strchr(command[0], '/'))
		return yaml_err(r->f, yaml_get(n, "command"), r->e, ERR_USAGE, "'%s' must be a path: programs are not searched for", command[0]);
	char **argv = arena_alloc(r->c->arena, (words + 1) * sizeof *argv);

	for (size_t i = 0; i < words; i++)
		argv[i] = arena_copy(r->c->arena, command[i], strlen(command[i]));
	if (argv[0][0] != '/')
		argv[0] = arena_printf(r->c->arena, "%s/%s", r->c->folder, command[0]);
	h->command = argv;
	return 0;
}

int read_span(struct reader *r, node map, const char *key, int64_t least, int64_t *to)
{
	node n = yaml_get(map, key);

	if (yaml_span(r->f, n, key, to, r->e) < 0)
		return -1;
	if (n && (*to < least || *to > 400 * US_DAY)) {
		char text[32];

		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be from %s to 400 days", key, least ? span_text(least, text) : "0");
	}
	return 0;
}

static int read_budget(struct reader *r, node n, struct rule_budget *to)
{
	static const char *const known[] = { "count", "per", NULL };
	int64_t count = to->count;

	if (yaml_is_null(n))
		return 0;
	if (read_map(r, n, "findings_per_rule_host", known) < 0 ||
		yaml_int(r->f, yaml_get(n, "count"), "count", 1, RULE_BUDGET_MOST, &count, r->e) < 0 || read_span(r, n, "per", US_SECOND, &to->per) < 0)
		return -1;
	to->count = (uint32_t)count;
	return 0;
}

static int read_times(struct reader *r, node root)
{
	static const char *const times[] = { "replay_after", "idle_after", "diagnose_every", "matrix_every", "approval", "step", "repair", NULL };
	static const char *const caps[] = { "memory_mb", "keep_days", "spool_mb", "findings_per_rule_host", NULL };
	struct config *c = r->c;
	node n = yaml_get(root, "times");

	if (!yaml_is_null(n) &&
		(read_map(r, n, "times", times) < 0 || read_span(r, n, "replay_after", US_SECOND, &c->times.replay_after) < 0 ||
		read_span(r, n, "idle_after", US_SECOND, &c->times.idle_after) < 0 || read_span(r, n, "diagnose_every", 0, &c->times.diagnose_every) < 0 ||
		read_span(r, n, "matrix_every", 0, &c->times.matrix_every) < 0 ||
		read_span(r, n, "approval", US_SECOND, &c->policy.approval_life) < 0 || read_span(r, n, "step", US_SECOND, &c->policy.step_limit) < 0 ||
		read_span(r, n, "repair", US_SECOND, &c->policy.repair_limit) < 0))
		return -1;
	n = yaml_get(root, "caps");
	if (yaml_is_null(n))
		return 0;
	if (read_map(r, n, "caps", caps) < 0 ||
		yaml_int(r->f, yaml_get(n, "memory_mb"), "memory_mb", 1, 65536, &c->caps.memory_mb, r->e) < 0 ||
		yaml_int(r->f, yaml_get(n, "keep_days"), "keep_days", 1, 400, &c->caps.keep_days, r->e) < 0 ||
		yaml_int(r->f, yaml_get(n, "spool_mb"), "spool_mb", 16, 16 << 20, &c->caps.spool_mb, r->e) < 0 ||
		read_budget(r, yaml_get(n, "findings_per_rule_host"), &c->caps.findings_per_rule_host) < 0)
		return -1;
	return 0;
}

/* Two hosts must not answer to one name: a finding about it would have two owners. */
static int check_hosts(struct reader *r, node root)
{
	const struct config *c = r->c;

	for (size_t i = 0; i < c->n_hosts; i++)
		for (size_t k = 0; k < c->n_hosts; k++)
			for (size_t a = 0; a < c->hosts[k].n_aliases && k != i; a++) {
				const char *alias = c->hosts[k].aliases[a];

				if (host_called(&c->hosts[i], alias))
					return yaml_err(r->f, yaml_get(root, "hosts"), r->e, ERR_USAGE, "'%s' names both '%s' and '%s'", alias, c->hosts[k].name,
						c->hosts[i].name);
			}
	return 0;
}

static int read_root(struct reader *r, node root)
{
	static const char *const known[] = { "state_dir", "log", "rules", "tables", "sources", "hosts", "remedies", "sinks", "times", "caps", NULL };
	struct config *c = r->c;
	const char *level = NULL, *tables = NULL, *state = NULL;

	if (!root || read_map(r, root, "a configuration", known) < 0)
		return root ? -1 : err_set(r->e, ERR_USAGE, "%s: is empty; see config.example.yaml", c->path);
	if (read_text(r, root, "state_dir", &state) < 0 || read_text(r, root, "log", &level) < 0 || read_text(r, root, "tables", &tables) < 0 ||
		read_texts(r, yaml_get(root, "rules"), "rules", &c->rules, &c->n_rules) < 0)
		return -1;
	if (!state)
		return err_set(r->e, ERR_USAGE, "%s: state_dir is missing; name a folder for the agent's databases, state_dir: /var/lib/evmend", c->path);
	if (level && !log_level_parse(level, &c->log))
		return yaml_err(r->f, yaml_get(root, "log"), r->e, ERR_USAGE, "unknown level '%s'; write error, warn, info or debug", level);
	c->state_dir = read_path(r, state);
	c->policy.hold_file = config_state(c, "hold");
	for (size_t i = 0; i < c->n_rules; i++)
		c->rules[i] = read_path(r, c->rules[i]);
	c->tables = tables ? read_path(r, tables) : config_rules_home(c->arena);
	if (!c->n_rules && c->tables) {
		c->rules = arena_alloc(c->arena, 2 * sizeof *c->rules);
		c->rules[c->n_rules++] = config_rules_home(c->arena);
	}
	if (!c->tables || !c->rules || !c->rules[0])
		return err_set(r->e, ERR_USAGE, "%s: no rules are installed beside the program; name them: rules: [DIR] and tables: DIR", c->path);
	if (list_of(r, root, "sources", CONFIG_SOURCES, sizeof *c->sources, (void **)&c->sources, &c->n_sources, read_source) < 0 ||
		list_of(r, root, "hosts", CONFIG_HOSTS, sizeof *c->hosts, (void **)&c->hosts, &c->n_hosts, read_host) < 0 ||
		list_of(r, root, "sinks", CONFIG_SINKS, sizeof *c->sinks, (void **)&c->sinks, &c->n_sinks, read_sink) < 0)
		return -1;
	if (config_paths(c, r->e) < 0)
		return -1;
	return check_hosts(r, root) < 0 || read_remedies(r, root) < 0 || read_times(r, root) < 0 ? -1 : 0;
}

static void defaults(struct config *c)
{
	c->log = LOG_INFO;
	c->policy = policy_defaults();
	c->times = (struct config_times){ .replay_after = 15 * US_MINUTE, .idle_after = US_MINUTE, .diagnose_every = US_HOUR,
		.matrix_every = US_DAY };
	c->caps = (struct config_caps){ .memory_mb = 256, .keep_days = 30, .spool_mb = 4096,
		.findings_per_rule_host = { .count = 20, .per = US_HOUR } };
}

struct config *config_parse(const char *path, const char *text, size_t n, struct err *e)
{
	struct arena *a = arena_new(16384);
	struct config *c = arena_alloc(a, sizeof *c);
	struct reader r = { .c = c, .e = e };
	struct yaml_file *f = NULL;
	const char *slash = strrchr(path, '/');

	c->arena = a;
	c->path = arena_copy(a, path, strlen(path));
	c->folder = !slash ? "." : slash == path ? "/" : arena_copy(a, path, (size_t)(slash - path));
	c->text = arena_copy(a, text, n);
	c->text_n = n;
	defaults(c);
	f = yaml_parse(c->path, c->text, n, e);
	r.f = f;
	if (!f || read_root(&r, f->n ? f->documents[0] : NULL) < 0) {
		if (e && e->code)
			e->code = ERR_USAGE;
		yaml_free(f);
		config_free(c);
		return NULL;
	}
	yaml_free(f);
	return c;
}

struct config *config_read(const char *path, struct err *e)
{
	char why[96];
	char *text = xcalloc(1, CONFIG_BYTES + 1);
	size_t n = 0;
	ssize_t got = 0;
	struct config *c = NULL;
	int fd = os_file.open(path, OS_READ);

	if (fd >= 0)
		while (n <= CONFIG_BYTES && (got = os_file.read(fd, text + n, CONFIG_BYTES + 1 - n, -1)) > 0)
			n += (size_t)got;
	if (fd < 0 || got < 0)
		err_set(e, ERR_USAGE, "%s cannot be read: %s; config.example.yaml shows one", path, err_os(fd < 0 ? fd : (int)got, why));
	else if (n > CONFIG_BYTES)
		err_set(e, ERR_USAGE, "%s is larger than %u kB; a configuration is not", path, CONFIG_BYTES >> 10);
	else
		c = config_parse(path, text, n, e);
	if (c && config_files(c, e) < 0) {
		config_free(c);
		c = NULL;
	}
	if (fd >= 0)
		os_file.close(fd);
	free(text);
	return c;
}

void config_free(struct config *c)
{
	if (c)
		arena_free(c->arena);
}

const char *config_state(const struct config *c, const char *name)
{
	return arena_printf(c->arena, "%s/%s", c->state_dir, name);
}

const char *config_rules_home(struct arena *a)
{
	static const char *const places[] = { "../rules", "../../rules", "../share/evmend/rules", NULL };
	char self[4096], *slash;
	struct os_stat st;

	if (os_process.self(self, sizeof self) < 0 || !(slash = strrchr(self, '/')))
		return NULL;
	*slash = '\0';
	for (size_t i = 0; places[i]; i++) {
		const char *path = arena_printf(a, "%s/%s", self, places[i]);

		if (os_file.stat(path, -1, &st) == 0 && st.is_folder)
			return path;
	}
	return NULL;
}
