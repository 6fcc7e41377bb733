/*
 * config.c - which file, its defaults, and the life of a configuration; see config.h.
 *
 * Every default is set here or in config_list.c, so that what `config show` prints is what runs.
 */

#include "cli/config.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/config_reader.h"
#include "cli/session.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

/* --- defaults --------------------------------------------------------------------------------- */

struct config *config_new(void)
{
	struct config *c = mem_new(struct config);
	c->site_name = mem_strdup("Cloud status");
	c->site_url = mem_strdup("");
	c->timezone = mem_strdup("UTC");
	c->languages = mem_new_array(3, sizeof(*c->languages));
	c->languages[0] = mem_strdup("en");
	c->languages[1] = mem_strdup("de");
	c->about = json_object();
	config_events_init(c);
	c->instance = session_instance();
	c->location = mem_strdup("");
	c->cloudmon_environment = mem_strdup("");
	c->cloudmon_zone = mem_strdup("");
	c->state = session_state_dir();
	c->public_address = mem_strdup("127.0.0.1:8090");
	c->statsd_address = mem_strdup("");
	c->graphite_address = mem_strdup("");
	c->pickle_address = mem_strdup("");
	c->intake_address = mem_strdup("127.0.0.1:8091");
	c->isolate = true;
	c->stop_ns = 120 * NS_PER_S;
	c->witnesses = mem_new_array(1, sizeof(*c->witnesses));
	c->minimum_ns = 60 * NS_PER_S;
	c->flap_changes = CONFIG_FLAP_CHANGES;
	c->flap_within_ns = 1800 * NS_PER_S;
	c->flap_quiet_ns = 600 * NS_PER_S;
	c->flags.datasource = mem_strdup("own");
	return c;
}

void config_reader_init(struct config_reader *r, struct config *c, struct error_list *errors)
{
	*r = (struct config_reader){
		.config = c,
		.errors = errors,
		.threads = 1,
		.raw_ns = 14 * DAY_NS,
		.ten_minute_ns = 90 * DAY_NS,
		.hour_ns = 1096 * DAY_NS,
		.confirm = 2,
	};
}

/* --- the end of it ---------------------------------------------------------------------------- */

void config_texts_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void free_secret(struct config_secret *s)
{
	free(s->from);
	secret_unref(s->value);
}

static void free_alarm(struct config_alarm *a)
{
	const char *const texts[] = {a->alarm.name, a->alarm.url, a->alarm.mail.host,
		a->alarm.mail.user, a->alarm.mail.from, a->alarm.mail.ca_file};
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)texts[i]);
	config_texts_free((char **)a->alarm.to);
	config_texts_free((char **)a->alarm.components);
	free_secret(&a->token);
	free_secret(&a->password);
}

static void free_items(struct config *c)
{
	for (size_t i = 0; i < c->cloud_count; i++) {
		free(c->clouds[i].name);
		free(c->clouds[i].title);
		config_texts_free(c->clouds[i].hosts);
	}
	for (size_t i = 0; i < c->scenario_count; i++) {
		free(c->scenarios[i].name);
		free(c->scenarios[i].use);
		free(c->scenarios[i].document);
		free(c->scenarios[i].cloud);
		json_decref(c->scenarios[i].params);
	}
	for (size_t i = 0; i < c->component_count; i++) {
		free(c->components[i].id);
		free(c->components[i].name);
		free(c->components[i].category);
		free(c->components[i].region);
	}
	for (size_t i = 0; i < c->alarm_count; i++)
		free_alarm(&c->alarms[i]);
	for (size_t i = 0; i < c->metrics_count; i++)
		config_metrics_free(&c->metrics[i]);
	for (size_t i = 0; i < c->report_count; i++)
		config_report_free(&c->reports[i]);
	for (size_t i = 0; i < c->maintenance_count; i++)
		config_maintenance_free(&c->maintenance[i]);
	for (size_t i = 0; i < c->dashboard_count; i++)
		config_dashboard_free(&c->dashboards[i]);
	for (size_t i = 0; i < c->probe_count; i++)
		probe_config_free(c->probes[i]);
	config_outposts_free(c);
	free(c->probes);
	config_rules_free(c);
	free(c->clouds);
	free(c->scenarios);
	free(c->components);
	free(c->alarms);
	free(c->metrics);
	free(c->reports);
	free(c->maintenance);
	free(c->dashboards);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free_items(c);
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i]);
	free(c->files);
	char *texts[] = {c->file, c->site_name, c->site_url, c->timezone, c->instance, c->location,
		c->cloudmon_environment, c->cloudmon_zone, c->state, c->public_address,
		c->intake_address, c->statsd_address, c->graphite_address, c->pickle_address};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	config_texts_free(c->languages);
	json_decref(c->about);
	config_texts_free(c->witnesses);
	config_free_judging(c);
	free_secret(&c->intake_token);
	config_flags_free(&c->flags);
	free(c);
}

/* --- which files ------------------------------------------------------------------------------ */

static char *if_there(char *path)
{
	if (path && access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static char *user_file(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const struct passwd *pw = home && *home ? NULL : getpwuid(geteuid());
	if (xdg && *xdg)
		return mem_printf("%s/glasshouse/glasshouse.yaml", xdg);
	return mem_printf("%s/.config/glasshouse/glasshouse.yaml", pw     ? pw->pw_dir
								   : home ? home
									  : "");
}

char *config_find(const char *given)
{
	const char *env = getenv("GLASSHOUSE_CONFIG");
	if (given || (env && *env))
		return mem_strdup(given ? given : env);
	char *found = if_there(mem_strdup("glasshouse.yaml"));
	if (!found)
		found = if_there(user_file());
	if (!found)
		found = if_there(mem_strdup("/etc/glasshouse/glasshouse.yaml"));
	return found;
}

static void add_file(struct config *c, char *path)
{
	c->files = mem_resize(c->files, c->file_count + 1, sizeof(*c->files));
	c->files[c->file_count++] = path;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* conf.d/NAME.yaml beside the main file; an absent directory is none. */
static bool list_files(struct config *c, struct error_list *errors)
{
	char *dir = config_path(c, "conf.d");
	DIR *d = opendir(dir);
	bool good = d || errno == ENOENT || errno == ENOTDIR;
	if (!good)
		error_list_at(errors, dir, 0, 0, "cannot read: %s", strerror(errno));
	for (struct dirent *e = d ? readdir(d) : NULL; e && good; e = readdir(d)) {
		if (e->d_name[0] == '.' || !slice_ends(slice_of(e->d_name), ".yaml"))
			continue;
		if (c->file_count >= CONFIG_FILES_MAX) {
			error_list_at(errors, dir, 0, 0, "more than %d files", CONFIG_FILES_MAX);
			good = false;
			continue;
		}
		add_file(c, mem_printf("%s/%s", dir, e->d_name));
	}
	if (d)
		closedir(d);
	free(dir);
	if (c->file_count > 1)
		qsort(c->files + 1, c->file_count - 1, sizeof(*c->files), by_name);
	return good;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_file(struct config_reader *r, struct yaml_file *f, const char *name)
{
	r->file = name;
	if (!f)
		return;
	if (yaml_documents(f) > 1) {
		const struct yaml *second = yaml_root(f, 1);
		config_wrong(r, second, "a configuration is one document; put this into conf.d");
	}
	if (yaml_documents(f) && !yaml_is_null(yaml_root(f, 0)))
		config_read_root(r, yaml_root(f, 0));
	yaml_free(f);
}

static struct config *finish(struct config_reader *r, size_t before)
{
	struct config *c = r->config;
	config_finish(r);
	config_drafts_free(r);
	if (r->errors->n + r->errors->dropped == before)
		return c;
	error_list_sort(r->errors);
	config_free(c);
	return NULL;
}

struct config *config_parse(struct slice text, const char *name, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct config_reader r;
	config_reader_init(&r, config_new(), errors);
	r.config->file = mem_strdup(name);
	add_file(r.config, mem_strdup(name));
	read_file(&r, yaml_parse(text, name, errors), r.config->files[0]);
	return finish(&r, before);
}

struct config *config_load(const char *path, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct config_reader r;
	config_reader_init(&r, config_new(), errors);
	r.looks = true;
	if (path) {
		r.config->file = mem_strdup(path);
		add_file(r.config, mem_strdup(path));
		list_files(r.config, errors);
	}
	for (size_t i = 0; i < r.config->file_count; i++)
		read_file(&r, yaml_load(r.config->files[i], errors), r.config->files[i]);
	return finish(&r, before);
}

/* --- options ---------------------------------------------------------------------------------- */

bool config_add_cloud(struct config *c, const char *name, struct error_list *errors)
{
	for (size_t i = 0; i < c->cloud_count; i++)
		if (!strcmp(c->clouds[i].name, name))
			return true;
	if (!*name || strlen(name) > CONFIG_LINE_MAX) {
		error_list_at(errors, "--cloud", 0, 0, "\"%.80s\" is no name of a cloud", name);
		return false;
	}
	c->clouds = mem_resize(c->clouds, c->cloud_count + 1, sizeof(*c->clouds));
	c->clouds[c->cloud_count++] = (struct config_cloud){
		.name = mem_strdup(name),
		.endpoints = true,
		.every_ns = 30 * NS_PER_S,
		.timeout_ns = 10 * NS_PER_S,
		.slow_ns = 2 * NS_PER_S,
		.inflight = 8,
		.compute = 4,
		.file = "--cloud",
	};
	/* Scenarios that named no cloud because there was none mean this one. */
	for (size_t i = 0; i < c->scenario_count; i++)
		if (!c->scenarios[i].cloud)
			c->scenarios[i].cloud = mem_strdup(name);
	return true;
}

bool config_add_scenario(struct config *c, const char *name, struct error_list *errors)
{
	const char *slash = strrchr(name, '/');
	struct slice base = slice_of(slash ? slash + 1 : name);
	if (slice_ends(base, ".yaml"))
		base = slice_sub(base, 0, base.n - 5);
	for (size_t i = 0; i < c->scenario_count; i++)
		if (slice_is(base, c->scenarios[i].name))
			return true;
	if (c->cloud_count > 1 || !base.n) {
		error_list_at(errors, "--scenario", 0, 0,
			base.n ? "which cloud? %.80s needs an entry under `scenarios` with its cloud"
			       : "\"%.80s\" is no name of a scenario",
			name);
		return false;
	}
	c->scenarios = mem_resize(c->scenarios, c->scenario_count + 1, sizeof(*c->scenarios));
	c->scenarios[c->scenario_count++] = (struct config_scenario){
		.name = slice_dup(base),
		.use = mem_strdup(name),
		.cloud = mem_strdup(c->cloud_count ? c->clouds[0].name : NULL),
		.every_ns = 600 * NS_PER_S,
		.params = json_object(),
		.file = "--scenario",
	};
	return true;
}
