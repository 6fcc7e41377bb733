/*
 * exec_read.c - the keys of kind exec, and the environment that is made of them.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "observe/ingest/ingest.h"
#include "observe/probe/exec.h"
#include "observe/probe/inside.h"

#define MEMORY_DEFAULT (2LL << 30)
#define OUTPUT_DEFAULT (64 << 10)
#define PATH_MAX_      2048

#define EXEC(name, type, field) name, type, offsetof(struct exec_spec, field)
const struct key exec_keys[EXEC_KEYS] = {
	{EXEC("run", KEY_NODE, run), .required = true, .help = "a program and its arguments"},
	{EXEC("directory", KEY_TEXT, directory), .max = PATH_MAX_},
	{EXEC("git", KEY_TEXT, git), .max = PATH_MAX_},
	{EXEC("branch", KEY_TEXT, branch), .max = 200},
	{EXEC("env", KEY_MAP, env)},
	{EXEC("tasks", KEY_TEXT, tasks), .max = PATH_MAX_},
	{EXEC("memory", KEY_SIZE, memory), .min = 1 << 20, .max = 1LL << 40},
	{EXEC("cpu", KEY_TIME, cpu_ns), .min = NS_PER_S, .max = 3600 * NS_PER_S},
	{EXEC("output_max", KEY_SIZE, output_max), .max = HELPER_OUTPUT_MAX},
	{EXEC("statsd", KEY_TEXT, statsd), .max = 200},
};
#undef EXEC

void exec_defaults(void *into)
{
	struct exec_spec *s = into;
	s->memory = MEMORY_DEFAULT;
	s->output_max = OUTPUT_DEFAULT;
}

/* --- what runs -------------------------------------------------------------------------------- */

static bool add_argument(
	struct probe_reader *r, struct exec_spec *s, const struct yaml *at, struct slice text)
{
	if (memchr(text.p, '\0', text.n)) {
		probe_wrong(r, at, "an argument has no NUL in it");
		return false;
	}
	if (s->argc == EXEC_ARGS_MAX) {
		probe_wrong(r, at, "run has at most %d arguments", EXEC_ARGS_MAX);
		return false;
	}
	s->argv[s->argc++] = slice_dup(text);
	return true;
}

static bool read_run(struct probe_reader *r, struct exec_spec *s)
{
	const struct yaml *run = s->run;
	struct slice rest = slice_trim(run->text), word;
	bool good = true;
	s->argv = mem_new_array(EXEC_ARGS_MAX + 2, sizeof(*s->argv));
	if (run->kind == YAML_MAP) {
		probe_wrong(r, run, "run must be a list of texts, or a text");
		return false;
	}
	for (size_t i = 0; good && run->kind == YAML_LIST && i < run->n; i++) {
		good = run->items[i]->kind == YAML_SCALAR;
		if (!good)
			probe_wrong(r, run->items[i], "an argument must be text, not %s",
				yaml_kind_name(run->items[i]));
		else
			good = add_argument(r, s, run->items[i], run->items[i]->text);
	}
	while (good && run->kind == YAML_SCALAR && slice_next(&rest, ' ', &word))
		if (word.n)
			good = add_argument(r, s, run, word);
	if (good && (!s->argc || !s->argv[0][0])) {
		probe_wrong(r, run, "run names no program");
		return false;
	}
	return good;
}

/* --- where ------------------------------------------------------------------------------------ */

static bool climbs(const char *path)
{
	struct slice rest = slice_of(path), part;
	while (slice_next(&rest, '/', &part))
		if (slice_is(part, ".."))
			return true;
	return *path == '/';
}

/* "https://…", "ssh://…", "git@host:path"; else it is a path. */
static bool is_address(const char *git)
{
	const char *colon = strchr(git, ':'), *slash = strchr(git, '/');
	return colon && (!slash || colon < slash);
}

static bool read_place(struct probe_reader *r, const struct yaml *at, struct exec_spec *s)
{
	bool good = true;
	if (s->git && (s->git[0] == '-' || !s->git[0])) {
		probe_wrong(r, yaml_get(at, "git"), "\"%.100s\" is no repository", s->git);
		good = false;
	}
	if (s->branch && (!s->git || !is_address(s->git) || s->branch[0] == '-')) {
		probe_wrong(r, yaml_get(at, "branch"),
			"branch names one of a repository that git clones");
		good = false;
	}
	if (s->git && s->directory && climbs(s->directory)) {
		probe_wrong(r, yaml_get(at, "directory"),
			"directory lies in the working copy: a relative path without \"..\"");
		good = false;
	}
	if (s->tasks && !s->git && !s->directory) {
		probe_wrong(r, yaml_get(at, "tasks"), "tasks needs git or directory");
		good = false;
	}
	if (s->tasks && climbs(s->tasks)) {
		probe_wrong(r, yaml_get(at, "tasks"),
			"tasks lies in the directory: a relative pattern without \"..\"");
		good = false;
	}
	s->cloned = s->git && is_address(s->git);
	if (!s->cloned)
		probe_path(r, &s->git);
	if (!s->git)
		probe_path(r, &s->directory);
	/* Beside the configuration, as other files are. */
	if (good && !s->git && !s->directory && strchr(s->argv[0], '/'))
		probe_path(r, &s->argv[0]);
	return good;
}

/* --- what it sees ----------------------------------------------------------------------------- */

static bool is_variable(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
			return false;
	return name.n > 0 && name.n <= 100 && !isdigit((unsigned char)name.p[0]);
}

static bool read_variables(struct probe_reader *r, struct exec_spec *s)
{
	bool good = s->env->n <= EXEC_ENV_MAX;
	if (!good) {
		probe_wrong(r, s->env, "env has at most %d variables", EXEC_ENV_MAX);
		return false;
	}
	s->variables = mem_new_array(s->env->n + 1, sizeof(*s->variables));
	for (size_t i = 0; i < s->env->n; i++) {
		const struct yaml *name = s->env->keys[i], *value = s->env->items[i];
		struct exec_variable *v = &s->variables[s->n];
		if (!is_variable(name->text)) {
			probe_wrong(r, name, "\"%.80s\" is no name of a variable", name->text.p);
			good = false;
			continue;
		}
		r->key = "a variable";
		v->name = slice_dup(name->text);
		s->n++;
		if (value->kind == YAML_SCALAR && !value->text.n)
			v->value = mem_strdup("");
		else
			good = probe_take_secret(r, value, false, &v->secret, &v->value) && good;
	}
	return good;
}

static bool read_prefix(struct probe_reader *r, const struct yaml *at, const struct exec_spec *s)
{
	bool good = true;
	for (const char *p = s->statsd; p && *p; p++)
		good = good && (isalnum((unsigned char)*p) || strchr("-_.", *p));
	if (!good || (s->statsd && !*s->statsd))
		probe_wrong(r, yaml_get(at, "statsd"),
			"statsd is a prefix of letters, digits, '-', '_' and '.'");
	return good;
}

bool exec_finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct exec_spec *s = spec;
	const size_t before = r->errors->n + r->errors->dropped;
	s->name = r->config->about.name;
	if (at->kind != YAML_MAP) /* a text stands for the map, which is gone by now */
		s->run = at;
	if (read_run(r, s))
		read_place(r, at, s);
	if (s->env)
		read_variables(r, s);
	read_prefix(r, at, s);
	if (r->config->about.twice)
		probe_wrong(r, at, "family: a program has none");
	for (size_t i = 0; i < s->argc; i++)
		buf_printf(out, "%s%s", i ? " " : "", s->argv[i]);
	return r->errors->n + r->errors->dropped == before;
}

void exec_fini(void *spec)
{
	struct exec_spec *s = spec;
	for (size_t i = 0; i < s->argc; i++)
		free(s->argv[i]);
	for (size_t i = 0; i < s->n; i++) {
		free(s->variables[i].name);
		free(s->variables[i].value);
	}
	free(s->argv);
	free(s->variables);
}

/* --- the environment -------------------------------------------------------------------------- */

static const char *variable(const struct exec_spec *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->variables[i].name, name))
			return s->variables[i].value; /* not a secret's */
	return NULL;
}

static bool is_set(const struct exec_spec *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->variables[i].name, name))
			return true;
	return false;
}

/* A part of a name, as StatsD's clients write it. */
static void add_part(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_char(
			out, isalnum((unsigned char)*text) || strchr("-_", *text) ? *text : '_');
}

char *exec_prefix(const struct exec_spec *s, const struct probe_tools *t)
{
	const char *cloud = variable(s, "OS_CLOUD"),
		   *zone = t->location && *t->location ? t->location : t->instance;
	struct buf out = BUF(BUF_LINE);
	if (s->statsd)
		return mem_strdup(s->statsd);
	buf_add_str(&out, "openstack.api.");
	add_part(&out, cloud && *cloud ? cloud : s->name);
	buf_add_char(&out, '.');
	add_part(&out, zone && *zone ? zone : "here");
	return buf_take(&out);
}

char **exec_environment(
	const struct exec_spec *s, const struct probe_tools *t, const char *prefix, const char *job)
{
	char **env = mem_new_array(s->n + 5, sizeof(*env)), host[INGEST_HOST];
	unsigned port;
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct exec_variable *v = &s->variables[i];
		env[n++] = mem_printf(
			"%s=%s", v->name, v->secret ? secret_reveal(v->secret) : v->value);
	}
	if (!is_set(s, "STATSD_HOST") && t->ingest && *t->ingest &&
		ingest_statsd_address(*t->ingest, host, &port)) {
		env[n++] = mem_printf("STATSD_HOST=%s", host);
		env[n++] = mem_printf("STATSD_PORT=%u", port);
	}
	if (!is_set(s, "STATSD_PREFIX"))
		env[n++] = mem_printf("STATSD_PREFIX=%s", prefix);
	if (!is_set(s, "TASK_EXECUTOR_JOB_ID"))
		env[n++] = mem_printf("TASK_EXECUTOR_JOB_ID=%s", job);
	return env;
}

void exec_environment_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++) {
		explicit_bzero(env[i], strlen(env[i]));
		free(env[i]);
	}
	free(env);
}
