/*
 * config_command.c - `glasshouse config`: what is wrong with the configuration, and what is in
 * force.
 *
 * `check` goes as far as can be gone without asking a cloud: the clouds are looked up in
 * clouds.yaml, the scenarios are read and their parameters held against them. An error that has no
 * place of its own gets that of the line which led to it.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/running.h"
#include "cli/session.h"
#include "observe/endpoint_table.h"
#include "observe/scenario/scenario.h"
#include "observe/scenario/world.h"
#include "openstack/cloud_config.h"
#include "text/yaml_write.h"

const char config_usage[] =
	"usage: glasshouse config check [OPTION]...\n"
	"       glasshouse config show [OPTION]...\n"
	"\n"
	"check reads glasshouse.yaml and conf.d/*.yaml beside it, the scenarios they name, the clouds\n"
	"in clouds.yaml and the rows of endpoints/*.yaml, and prints every error with its place. It asks\n"
	"no cloud and reads no secret but the keys of certificates that probes show.\n"
	"show prints the configuration that is in force, defaults and all, secrets as written.\n"
	"More: docs/configuration.md\n"
	"\n"
	"  --config FILE       or -c FILE; default: $GLASSHOUSE_CONFIG, ./glasshouse.yaml,\n"
	"                      ~/.config/glasshouse/glasshouse.yaml, /etc/glasshouse/glasshouse.yaml\n"
	"  --json              show: as one JSON document\n"
	"\n"
	"example: glasshouse config check -c glasshouse.yaml\n"
	"exit: 0 fine, 1 it has errors, 2 it could not be read\n";

/* --- check ------------------------------------------------------------------------------------ */

/* Those from `first` on that have no place stand where they were caused. */
static void give_place(
	struct error_list *errors, size_t first, const char *file, unsigned line, unsigned col)
{
	for (size_t i = first; i < errors->n; i++) {
		struct error *e = &errors->p[i];
		if (e->file[0])
			continue;
		snprintf(e->file, sizeof(e->file), "%s", file);
		e->line = line;
		e->col = col;
	}
}

/* A file that several entries name is read for each: once is enough to say what is wrong in it. */
static void drop_doubles(struct error_list *errors)
{
	size_t kept = 0;
	error_list_sort(errors);
	for (size_t i = 0; i < errors->n; i++) {
		const struct error *e = &errors->p[i], *before = kept ? &errors->p[kept - 1] : NULL;
		if (before && before->line == e->line && before->col == e->col &&
			!strcmp(before->file, e->file) && !strcmp(before->msg, e->msg))
			continue;
		errors->p[kept++] = *e;
	}
	errors->n = kept;
}

static void check_clouds(const struct config *c, struct error_list *errors)
{
	for (size_t i = 0; i < c->cloud_count; i++) {
		const struct config_cloud *cloud = &c->clouds[i];
		const size_t first = errors->n;
		cloud_config_free(cloud_config_load(cloud->name, errors));
		give_place(errors, first, cloud->file, cloud->line, cloud->col);
	}
}

static void check_scenarios(
	const struct config *c, const struct kinds *kinds, struct error_list *errors)
{
	for (size_t i = 0; i < c->scenario_count; i++) {
		const struct config_scenario *s = &c->scenarios[i];
		const size_t first = errors->n;
		if (!s->cloud)
			error_list_at(errors, s->file, s->line, s->col,
				"a scenario: in which cloud? There is none in `clouds`");
		struct scenario *read =
			scenario_load(s->use, s->document, scenario_dirs(), kinds, errors);
		if (read)
			world_takes(read, s->params, errors);
		scenario_free(read);
		give_place(errors, first, s->file, s->line, s->col);
	}
}

static void check_alarms(const struct config *c, struct error_list *errors)
{
	for (size_t i = 0; i < c->alarm_count; i++) {
		const struct config_alarm *a = &c->alarms[i];
		const char *ca = a->alarm.mail.ca_file;
		if (ca && access(ca, R_OK) != 0)
			error_list_at(errors, a->file, a->line, a->col,
				"a mail server: cannot read ca %s: %s", ca, strerror(errno));
	}
}

/* `run` would not stop at them: what is renewed meanwhile counts, and until then the probe says so. */
static void check_probes(const struct config *c, struct error_list *errors)
{
	for (size_t i = 0; i < c->probe_count; i++)
		probe_config_files(c->probes[i], errors);
}

/* Nothing that it would stop at. */
static void print_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	fprintf(stderr, "%s:%u:%u: %s\n", file, line, col, text);
}

static void check_flags(const struct config *c, struct error_list *errors)
{
	const size_t first = errors->n;
	cloudmon_rules_free(running_flags_read(c, print_note, NULL, errors));
	give_place(errors, first, c->flags.file, c->flags.line, c->flags.col);
}

static void count(struct buf *out, size_t n, const char *noun)
{
	buf_printf(out, "%s%zu %s%s", out->n ? ", " : "", n, noun, n == 1 ? "" : "s");
}

static void print_found(const struct config *c)
{
	struct buf out = BUF(BUF_LINE);
	count(&out, c->cloud_count, "cloud");
	count(&out, c->scenario_count, "scenario");
	if (c->component_count)
		count(&out, c->component_count, "component");
	if (c->probe_count)
		count(&out, c->probe_count, "probe");
	count(&out, c->alarm_count, "alarm");
	if (c->rule_count)
		count(&out, c->rule_count, "rule");
	if (c->slos.n)
		count(&out, c->slos.n, "SLO");
	if (!c->file)
		printf("no configuration file, all is default: %s\n", buf_str(&out));
	else if (c->file_count > 1)
		printf("%s and %zu of conf.d: %s\n", c->file, c->file_count - 1, buf_str(&out));
	else
		printf("%s: %s\n", c->file, buf_str(&out));
	buf_fini(&out);
}

static int check(struct config *c, struct error_list *errors)
{
	struct kinds *kinds = kinds_load(kinds_dirs(), errors);
	check_clouds(c, errors);
	if (kinds)
		check_scenarios(c, kinds, errors);
	check_alarms(c, errors);
	check_probes(c, errors);
	check_flags(c, errors);
	endpoint_table_free(endpoint_table_load(endpoint_dirs(), errors));
	kinds_free(kinds);
	drop_doubles(errors);
	session_print_errors(errors);
	if (errors->n)
		return EXIT_NOT_FINE;
	for (size_t i = 0; i < c->note_count; i++)
		fprintf(stderr, "%s\n", c->notes[i]);
	print_found(c);
	return EXIT_FINE;
}

/* --- show ------------------------------------------------------------------------------------- */

static int show(const struct config *c, bool json)
{
	struct buf out = BUF(BUF_ANSWER);
	json_t *j = config_json(c);
	for (size_t i = 0; i < c->file_count && !json; i++)
		buf_printf(&out, "# %s\n", c->files[i]);
	if (json) {
		json_write(&out, j);
		buf_add_char(&out, '\n');
	} else {
		yaml_write(&out, j);
	}
	fputs(buf_str(&out), stdout);
	json_decref(j);
	buf_fini(&out);
	return EXIT_FINE;
}

/* --- both ------------------------------------------------------------------------------------- */

static int run(const char *verb, const char *given, bool json)
{
	struct error_list errors = {0};
	char *path = config_find(given);
	int code = EXIT_COULD_NOT_RUN;
	if (path && access(path, R_OK) != 0) {
		fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
		free(path);
		return code;
	}
	struct config *c = config_load(path, &errors);
	if (!c) {
		session_print_errors(&errors);
		code = EXIT_NOT_FINE;
	} else {
		code = strcmp(verb, "check") == 0 ? check(c, &errors) : show(c, json);
	}
	error_list_fini(&errors);
	config_free(c);
	free(path);
	return code;
}

int config_main(int argc, char **argv)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {0}};
	const char *given = NULL;
	bool json = false;
	int c;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		if (c == 'c')
			given = optarg;
		else if (c == 'j')
			json = true;
		else
			return EXIT_COULD_NOT_RUN;
	}
	const char *verb = optind == argc - 1 ? argv[optind] : "";
	if (strcmp(verb, "check") != 0 && strcmp(verb, "show") != 0) {
		fputs("config takes check or show; see `glasshouse config --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	if (json && !strcmp(verb, "check")) {
		fputs("--json belongs to show\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return run(verb, given, json);
}
