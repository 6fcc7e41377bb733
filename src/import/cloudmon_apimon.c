/*
 * cloudmon_apimon.c - APImon's projects of tests. A task of apimon-tests that a shipped scenario
 * covers becomes that scenario; every other one is run as it is, by a probe of kind exec.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "import/cloudmon_inside.h"

#define RUN_EVERY "10m" /* where runs followed each other without a pause */

/* --- the families of apimon-tests ------------------------------------------------------------- */

static const struct {
	const char *start, *use; /* of the file's name without "scenario" and "_" in front */
} families[] = {
	{"1_token", "api-tour"},
	{"1a_token", "api-tour"},
	{"2_simple_ecs", "server-login"},
	{"2a_", "server-per-zone"},
	{"2c_", "server-per-zone"},
	{"3_", "volume-life"},
	{"3a_", "volume-life"},
	{"3b_", "volume-life"},
	{"4_image", "image-life"},
	{"9_", "object-store"},
	{"16_", "stack"},
	{"19_", "network-basics"},
	{"22_dns", "dns-zone"},
};

static const char *shipped_for(const char *task)
{
	const char *slash = strrchr(task, '/');
	task = slash ? slash + 1 : task;
	task += *task == '_';
	if (strncmp(task, "scenario", 8) != 0)
		return NULL;
	task += 8;
	task += *task == '_';
	for (size_t i = 0; i < array_len(families); i++)
		if (!strncmp(task, families[i].start, strlen(families[i].start)))
			return families[i].use;
	return NULL;
}

/* --- where and how often ---------------------------------------------------------------------- */

struct entry { /* of a matrix */
	struct cloudmon *c;
	const char *env, *zone, *cloud;
	const struct import_node *project;
	char every[UNITS_TEXT];
};

static bool is_apimon_tests(const struct import_node *project)
{
	const struct import_node url = import_get(project, "repo_url");
	return import_text(&url) && strstr(import_text(&url), "apimon-tests");
}

/* Minutes; 0 is one run behind the other. */
static void take_interval(struct entry *e, const struct import_node *n)
{
	int64_t minutes;
	if (!n || !import_whole(n, &minutes))
		return;
	if (minutes > 0 && minutes <= 7 * 24 * 60) {
		units_time_whole(minutes * 60 * NS_PER_S, e->every);
		import_tell(e->c->in, n, IMPORT_CARRIED, "every: %s", e->every);
	} else {
		import_tell(e->c->in, n, IMPORT_CHANGED,
			"every: " RUN_EVERY ": runs do not follow each other at once");
	}
}

/* --- a scenario ------------------------------------------------------------------------------- */

/* Whether the scenario is new in that cloud. */
static bool add_scenario(const struct entry *e, const char *use)
{
	json_t *list = json_object_get(e->c->in->config, "scenarios"), *it;
	size_t i;
	if (!list) {
		list = json_array();
		json_object_set_new(e->c->in->config, "scenarios", list);
	}
	json_array_foreach (list, i, it) {
		if (!strcmp(json_string_value(json_object_get(it, "use")), use) &&
			!strcmp(json_string_value(json_object_get(it, "cloud")), e->cloud))
			return false;
	}
	json_array_append_new(list,
		json_pack("{s:s, s:s, s:s}", "use", use, "cloud", e->cloud, "every", e->every));
	return true;
}

/* --- a program -------------------------------------------------------------------------------- */

static void set_environment(const struct entry *e, struct import_probe *p)
{
	json_t *env = json_object();
	const struct import_node *it = map_get(&e->c->environments, e->env);
	const struct import_node variables = it ? import_get(it, "env") : (struct import_node){0};
	for (size_t i = 0; i < import_size(&variables); i++) {
		const struct import_node n = import_item(&variables, i);
		if (n.key && import_text(&n) && !import_is_secret(n.key->text.p))
			json_object_set_new(env, n.key->text.p, json_string(import_text(&n)));
	}
	if (!json_object_get(env, "OS_CLOUD"))
		json_object_set_new(env, "OS_CLOUD", json_string(e->cloud));
	json_object_set_new(p->map, "env", env);
}

static const char *location_of(const struct import_node *project)
{
	const struct import_node location = import_get(project, "location"),
				 other = import_get(project, "scenarios_location");
	return import_text(&location) ? import_text(&location)
	       : import_text(&other)  ? import_text(&other)
				      : "playbooks";
}

/* The address of a repository without what one logs in to it with; owned. */
static char *without_user(const char *url)
{
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : NULL;
	const size_t n = host ? strcspn(host, "/") : 0;
	const char *at = host ? memchr(host, '@', n) : NULL;
	return at ? mem_printf("%.*s%s", (int)(host - url), url, at + 1) : mem_strdup(url);
}

static struct import_probe program(const struct entry *e, const char *task)
{
	const struct import_node name = import_get(e->project, "name"),
				 command = import_get(e->project, "exec_cmd"),
				 address = import_get(e->project, "repo_url"),
				 ref = import_get(e->project, "repo_ref");
	char *url = without_user(import_text(&address) ? import_text(&address) : "");
	const char *run = import_text(&command) ? import_text(&command)
						: "ansible-playbook -i inventory/testing %s -v";
	char *wanted = mem_printf(
		"%s-%s%s%s", import_text(&name), e->env, task ? "-" : "", task ? task : "");
	struct import_probe p = import_probe_new(e->c->in, "exec", wanted);
	import_set(&p, "exec.run", json_string(run));
	import_set(&p, "exec.git", json_string(url));
	if (import_text(&ref))
		import_set(&p, "exec.branch", json_string(import_text(&ref)));
	import_set(&p, "exec.tasks",
		json_sprintf("%s/%s", location_of(e->project), task ? task : "scenario*.yaml"));
	set_environment(e, &p);
	import_set(&p, "exec.statsd", json_sprintf("openstack.api.%s.%s", e->env, e->zone));
	import_set(&p, "every", json_string(e->every));
	import_set(&p, "timeout", json_string("10m"));
	import_set(&p, "group", json_string(import_text(&name)));
	map_put(&e->c->run, import_text(&name), e->c);
	free(wanted);
	free(url);
	return p;
}

/* --- the tasks of an entry -------------------------------------------------------------------- */

static void take_task(struct entry *e, const struct import_node *n, const char *task)
{
	const char *use = is_apimon_tests(e->project) ? shipped_for(task) : NULL;
	if (use) {
		const bool fresh = add_scenario(e, use);
		import_tell(e->c->in, n, IMPORT_CHANGED,
			"scenario %s: shipped, proves the same%s; `glasshouse plan %s` shows what it makes",
			use, fresh ? "" : ", and is there already", use);
		return;
	}
	struct import_probe p = program(e, task);
	import_tell(e->c->in, n, IMPORT_CARRIED, "probe %s: exec.tasks", p.name);
	import_probe_add(&p, n);
}

static void take_all(struct entry *e, const struct import_node *at)
{
	struct import_probe p = program(e, NULL);
	import_tell(e->c->in, at, IMPORT_CHANGED,
		"probe %s: exec: all tasks, one after the other%s", p.name,
		is_apimon_tests(e->project)
			? "; of apimon-tests api-tour, server-login, server-per-zone, volume-life, "
			  "image-life, object-store, network-basics and dns-zone are shipped as scenarios"
			: "");
	import_probe_add(&p, at);
}

void cloudmon_tasks(struct cloudmon *c, const struct import_node *entry, const char *env,
	const char *zone, const struct import_node *project, const struct import_node *tasks,
	const struct import_node *interval)
{
	const char *wanted = import_text(project);
	const struct import_node *environment = env ? map_get(&c->environments, env) : NULL,
				 *known = wanted ? map_get(&c->projects, wanted) : NULL;
	if (!env || !known) {
		import_tell(c->in, project->y ? project : entry, IMPORT_DROPPED,
			!env ? "it names no environment"
			     : "there is no such project in these files");
		return;
	}
	const struct import_node variables = environment ? import_get(environment, "env")
							 : (struct import_node){0},
				 cloud = import_get(&variables, "OS_CLOUD");
	struct entry e = {.c = c,
		.env = env,
		.zone = zone ? zone : "zone",
		.cloud = import_text(&cloud) ? import_text(&cloud) : env,
		.project = known};
	snprintf(e.every, sizeof(e.every), "%s", RUN_EVERY);
	if (!cloudmon_cloud(c, e.cloud)) {
		import_tell(
			c->in, project, IMPORT_DROPPED, "\"%.80s\" is no name of a cloud", e.cloud);
		return;
	}
	take_interval(&e, interval);
	if (!import_size(tasks)) {
		take_all(&e, project);
		return;
	}
	import_tell(c->in, project, IMPORT_CARRIED, "whose tasks are run");
	for (size_t i = 0; i < import_size(tasks); i++) {
		const struct import_node n = import_item(tasks, i);
		const struct import_node one = import_size(&n) ? import_item(&n, 0) : n;
		struct entry own = e;
		const struct import_node every = import_get(&one, "interval");
		if (one.key && every.y)
			take_interval(&own, &every);
		if (one.key)
			take_task(&own, &one, one.key->text.p);
		else if (import_text(&n))
			take_task(&own, &n, import_text(&n));
	}
}

/* --- apimon.yaml ------------------------------------------------------------------------------ */

static void look_for(struct cloudmon *c, const struct import_node *list, struct map *into)
{
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node item = import_item(list, i),
					 name = import_get(&item, "name");
		if (import_text(&name) && !map_get(into, import_text(&name)))
			map_put(into, import_text(&name), (void *)cloudmon_keep(c, &item));
	}
}

void cloudmon_apimon_look(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node projects = import_get(root, "test_projects"),
				 environments = import_get(root, "test_environments");
	look_for(c, &projects, &c->projects);
	look_for(c, &environments, &c->environments);
}

static const char *text_of(const struct import_node *map, const char *key)
{
	const struct import_node n = import_get(map, key);
	return import_text(&n);
}

void cloudmon_project(struct cloudmon *c, const struct import_node *project)
{
	static const struct import_answer keys[] = {
		{"type", IMPORT_NEEDLESS, "what is run is `run`"},
		{"scenarios", IMPORT_NEEDLESS, "it selects nothing there"},
		{"env", IMPORT_DROPPED, "write it into `env` of its probes"},
		{"grafana_dashboards_location", IMPORT_DROPPED, "dashboards stay where they are"},
	};
	static const char *const carried[] = {"name", "exec_cmd", "location", "scenarios_location"};
	const struct import_node url = import_get(project, "repo_url"),
				 ref = import_get(project, "repo_ref");
	const char *own = text_of(project, "name");
	if (!own || !map_get(&c->run, own)) {
		import_tell(c->in, project, IMPORT_NEEDLESS,
			"none of its tasks is run as a program: shipped scenarios cover them, or no "
			"matrix names them");
		return;
	}
	char *bare = without_user(import_text(&url) ? import_text(&url) : "");
	const bool same = import_text(&url) && !strcmp(bare, import_text(&url));
	import_tell(c->in, &url, same ? IMPORT_CARRIED : IMPORT_CHANGED,
		same ? "exec.git of its probes"
		     : "exec.git of its probes, without the log-in in it: git finds that in its own "
		       "configuration");
	import_tell(c->in, &ref, IMPORT_CARRIED, "exec.branch of its probes");
	free(bare);
	for (size_t i = 0; i < array_len(carried); i++) {
		const struct import_node n = import_get(project, carried[i]);
		import_tell(c->in, &n, IMPORT_CARRIED, "exec of its probes");
	}
	import_answer(c->in, project, keys, array_len(keys));
}

void cloudmon_environment(struct cloudmon *c, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"), env = import_get(item, "env");
	const struct import_node *first =
		import_text(&name) ? map_get(&c->environments, import_text(&name)) : NULL;
	if (first && first->y != item->y) {
		import_tell(c->in, item, IMPORT_NEEDLESS, "there is one of that name already");
		return;
	}
	import_tell(c->in, &name, IMPORT_CARRIED, "a name of clouds and probes");
	for (size_t i = 0; i < import_size(&env); i++) {
		const struct import_node n = import_item(&env, i);
		if (n.key && import_is_secret(n.key->text.p))
			import_tell(c->in, &n, IMPORT_DROPPED,
				"a secret: programs find their log-in in clouds.yaml");
		else
			import_tell(c->in, &n, IMPORT_CARRIED, "exec.env of its probes");
	}
}

static void take_matrix(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node matrix = import_get(root, "test_matrix"),
				 zone = import_get(root, "zone");
	for (size_t i = 0; i < import_size(&matrix); i++) {
		const struct import_node entry = import_item(&matrix, i),
					 env = import_get(&entry, "env"),
					 project = import_get(&entry, "project"),
					 tasks = import_get(&entry, "tasks"),
					 interval = import_get(&entry, "interval");
		if (import_text(&project) && map_get(&c->projects, import_text(&project)))
			import_tell(c->in, &env, IMPORT_CARRIED, "the cloud of its runs");
		cloudmon_tasks(c, &entry, import_text(&env), import_text(&zone), &project, &tasks,
			&interval);
	}
}

void cloudmon_apimon(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {
		{"clouds", IMPORT_DROPPED, "log-ins stand in clouds.yaml: write them there"},
		{"metrics", IMPORT_DROPPED,
			"numbers are kept here; `metrics` says where else they go"},
		{"statsd", IMPORT_DROPPED,
			"numbers are kept here; `metrics` says where else they go"},
		{"zone", IMPORT_DROPPED,
			"say `location`: one instance for each place to observe from"},
	};
	static const struct import_answer of_environment[] = {
		{"clouds", IMPORT_DROPPED, "log-ins stand in clouds.yaml: write them there"}};
	const struct import_node projects = import_get(root, "test_projects"),
				 environments = import_get(root, "test_environments");
	if (!projects.y && !import_get(root, "test_matrix").y)
		return;
	for (size_t i = 0; i < import_size(&environments); i++) {
		const struct import_node item = import_item(&environments, i);
		cloudmon_environment(c, &item);
		import_answer(c->in, &item, of_environment, array_len(of_environment));
	}
	take_matrix(c, root);
	for (size_t i = 0; i < import_size(&projects); i++) {
		const struct import_node item = import_item(&projects, i);
		cloudmon_project(c, &item);
	}
	import_answer(c->in, root, keys, array_len(keys));
}
