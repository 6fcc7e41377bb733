#include "import/importer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "import/importer_inside.h"

#define DEPTH_MAX 8

struct importer {
	const char *name, *program, *expected;
	bool (*read)(struct import *in);
};

static const struct importer importers[] = {
	{"cloudmon", "CloudMon",
		"`elements` of EPmon, `services` of GlobalMon, `loadbalancers`, `test_projects`, "
		"`matrix`, `components`",
		import_cloudmon},
	{"gatus", "Gatus", "`endpoints`, `external-endpoints` or `suites`", import_gatus},
	{"blackbox", "blackbox_exporter",
		"`modules` of blackbox.yml, `scrape_configs` of prometheus.yml", import_blackbox},
	{"uptime-kuma", "Uptime Kuma", "a backup with its `monitorList`", import_kuma},
};

const struct importer *importer_find(const char *name)
{
	for (size_t i = 0; i < array_len(importers); i++)
		if (!strcmp(importers[i].name, name))
			return &importers[i];
	return NULL;
}

const char *importer_name(const struct importer *i)
{
	return i->name;
}

const char *importer_program(const struct importer *i)
{
	return i->program;
}

/* --- files ------------------------------------------------------------------------------------ */

struct loading {
	struct import *in;
	struct error_list *errors;
	bool full;
};

static bool is_document(const char *name)
{
	const char *dot = strrchr(name, '.');
	return *name != '.' && dot &&
	       (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

static void load_file(struct loading *l, const char *path)
{
	if (l->in->files.n == IMPORT_FILES_MAX) {
		if (!l->full)
			error_list_at(l->errors, path, 0, 0, "there are more than %d files",
				IMPORT_FILES_MAX);
		l->full = true;
		return;
	}
	struct yaml_file *f = yaml_load_tagged(path, l->errors);
	if (f)
		vec_push(&l->in->files, f);
}

static void load(struct loading *l, const char *path, unsigned depth)
{
	struct stat st;
	struct dirent **list;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		load_file(l, path);
		return;
	}
	const int n = depth == DEPTH_MAX ? 0 : scandir(path, &list, NULL, alphasort);
	if (depth == DEPTH_MAX)
		error_list_at(
			l->errors, path, 0, 0, "directories are more than %d deep", DEPTH_MAX);
	if (n < 0)
		error_list_at(l->errors, path, 0, 0, "%s", strerror(errno));
	for (int i = 0; i < n; i++) {
		char *below = mem_printf("%s/%s", path, list[i]->d_name);
		if (*list[i]->d_name != '.' && stat(below, &st) == 0 &&
			(S_ISDIR(st.st_mode) || is_document(list[i]->d_name)))
			load(l, below, depth + 1);
		free(below);
		free(list[i]);
	}
	if (n >= 0 && depth < DEPTH_MAX)
		free(list);
}

/* --- one import ------------------------------------------------------------------------------- */

static void begin(struct import *in, const char *const *targets, struct import_report *report)
{
	*in = (struct import){
		.report = report, .config = json_object(), .endpoints = json_object()};
	for (size_t i = 0; targets && targets[i]; i++)
		vec_push(&in->targets, targets[i]);
}

/* In the order in which people write it. */
static json_t *ordered(const json_t *config)
{
	static const char *const keys[] = {"site", "judge", "clouds", "witnesses", "probes",
		"scenarios", "maintenance", "alarms"};
	json_t *all = json_object();
	for (size_t i = 0; i < array_len(keys); i++)
		if (json_is_array(json_object_get(config, keys[i]))
				? json_array_size(json_object_get(config, keys[i])) > 0
				: json_object_get(config, keys[i]) != NULL)
			json_object_set(all, keys[i], json_object_get(config, keys[i]));
	return all;
}

static bool run(const struct importer *i, struct import *in, const char *name,
	struct import_made *ret, struct error_list *errors)
{
	*ret = (struct import_made){0};
	if (errors->n)
		return false;
	if (!i->read(in)) {
		error_list_at(errors, name, 0, 0, "there is nothing of %s here: expected %s",
			i->program, i->expected);
		return false;
	}
	const size_t probes = json_array_size(json_object_get(in->config, "probes"));
	if (probes > IMPORT_PROBES_MAX) {
		error_list_at(errors, name, 0, 0, "there are %zu probes, of at most %d", probes,
			IMPORT_PROBES_MAX);
		return false;
	}
	import_rest(in);
	import_sort(in->report);
	json_t *config = ordered(in->config);
	if (json_object_size(config))
		ret->config = json_incref(config);
	json_decref(config);
	if (json_object_size(in->endpoints))
		ret->endpoints = json_incref(in->endpoints);
	return true;
}

static void end(struct import *in)
{
	VEC_EACH (&in->files, struct yaml_file *, f) {
		yaml_free(*f);
	}
	vec_fini(&in->files);
	vec_fini(&in->targets);
	vec_fini(&in->told);
	map_fini(&in->names);
	json_decref(in->config);
	json_decref(in->endpoints);
}

bool import_paths(const struct importer *i, const char *const *paths, size_t n,
	const char *const *targets, struct import_made *ret, struct import_report *report,
	struct error_list *errors)
{
	struct import in;
	begin(&in, targets, report);
	struct loading l = {.in = &in, .errors = errors};
	for (size_t p = 0; p < n; p++)
		load(&l, paths[p], 0);
	const bool good = run(i, &in, n ? paths[0] : "", ret, errors);
	end(&in);
	return good;
}

bool import_text_of(const struct importer *i, struct slice text, const char *name,
	const char *const *targets, struct import_made *ret, struct import_report *report,
	struct error_list *errors)
{
	struct import in;
	begin(&in, targets, report);
	struct yaml_file *f = yaml_parse_tagged(text, name, errors);
	if (f)
		vec_push(&in.files, f);
	const bool good = run(i, &in, name, ret, errors);
	end(&in);
	return good;
}

void import_made_fini(struct import_made *m)
{
	json_decref(m->config);
	json_decref(m->endpoints);
	*m = (struct import_made){0};
}
