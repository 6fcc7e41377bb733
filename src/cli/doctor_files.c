/*
 * doctor_files.c - who else may read or change what this instance is told, and its secrets.
 */

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/doctor.h"
#include "text/yaml.h"

static bool mode_of(const char *path, unsigned *ret)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	*ret = (unsigned)st.st_mode & 07777;
	return true;
}

static void check_configuration(struct doctor *d)
{
	const struct config *c = d->config;
	unsigned mode, worst = 0;
	const char *file = NULL;
	for (size_t i = 0; i < c->file_count; i++)
		if (mode_of(c->files[i], &mode) && (mode & 026) > (worst & 026)) {
			worst = mode;
			file = c->files[i];
		}
	for (size_t i = 0; i < c->file_count && !file; i++)
		if (mode_of(c->files[i], &mode) && (mode & 04)) {
			worst = mode;
			file = c->files[i];
		}
	if (!c->file_count)
		doctor_say(d, "configuration files", NULL, DOCTOR_SKIPPED, NULL, "there are none");
	else if (worst & 022)
		doctor_say(d, "configuration files", NULL, DOCTOR_BAD, "chmod 640",
			"others may change %s (mode %04o)", file, worst);
	else if (worst & 04)
		doctor_say(d, "configuration files", NULL, DOCTOR_WARN,
			"chmod 640, if an address in it is not for everybody",
			"every user may read %s (mode %04o)", file, worst);
	else
		doctor_say(d, "configuration files", NULL, DOCTOR_OK, NULL,
			"nobody else may read or change the %zu of them", c->file_count);
}

static void check_secrets(struct doctor *d)
{
	struct error_list errors = {0};
	char text[ERROR_TEXT + 300];
	const bool good = config_secrets(d->config, &errors);
	const size_t n = d->config->secret_count;
	if (!n)
		doctor_say(d, "secrets", NULL, DOCTOR_SKIPPED, NULL, "none are configured");
	else if (good)
		doctor_say(d, "secrets", NULL, DOCTOR_OK, NULL, "all %zu can be read", n);
	for (size_t i = 0; i < errors.n; i++)
		doctor_say(d, "secrets", NULL, DOCTOR_BAD, "do what it says", "%s",
			error_text(&errors.p[i], text, sizeof(text)));
	error_list_fini(&errors);
}

/* Whether a key anywhere in it holds a password, token or credential. */
static bool holds_secret(const struct yaml *y)
{
	for (size_t i = 0; i < y->n; i++) {
		if (y->kind == YAML_MAP && y->items[i]->kind == YAML_SCALAR &&
			y->items[i]->text.n && secret_name(y->keys[i]->text))
			return true;
		if (holds_secret(y->items[i]))
			return true;
	}
	return false;
}

static bool file_holds_secret(const char *path)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_load(path, &errors);
	const bool holds = f && yaml_documents(f) && holds_secret(yaml_root(f, 0));
	yaml_free(f);
	error_list_fini(&errors);
	return holds;
}

static void check_clouds_file(struct doctor *d, const char *path)
{
	unsigned mode = 0;
	if (map_put(&d->hosts, path, d) || !mode_of(path, &mode))
		return;
	if (!(mode & 077) || !file_holds_secret(path))
		doctor_say(d, "credentials", path, DOCTOR_OK, NULL,
			mode & 077 ? "holds no password" : "nobody else may read it");
	else
		doctor_say(d, "credentials", path, DOCTOR_WARN, "chmod 600",
			"it holds passwords and others may read it (mode %04o)", mode);
}

/* clouds.yaml as it was found for a cloud, and secure.yaml as it is looked for beside it. */
static void check_clouds_yaml(struct doctor *d, const char *name)
{
	struct error_list errors = {0};
	struct cloud_config *c = cloud_config_load(name, &errors);
	const char *secure = getenv("OS_CLIENT_SECURE_FILE");
	if (c && strcmp(c->file, "environment") != 0) {
		char *copy = mem_strdup(c->file);
		char *beside = mem_printf("%s/secure.yaml", dirname(copy));
		check_clouds_file(d, c->file);
		check_clouds_file(d, secure && *secure ? secure : beside);
		free(copy);
		free(beside);
	}
	cloud_config_free(c);
	error_list_fini(&errors);
}

void doctor_files(struct doctor *d)
{
	check_configuration(d);
	check_secrets(d);
	for (size_t i = 0; i < d->config->cloud_count; i++)
		check_clouds_yaml(d, d->config->clouds[i].name);
}
