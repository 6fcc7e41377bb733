/*
 * config_zone.c - whether a time zone exists: its file below /usr/share/zoneinfo (tzfile(5)).
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/config_reader.h"

#define ZONES     "/usr/share/zoneinfo"
#define NAMES_MAX 2000
#define DEEP_MAX  3 /* America/Argentina/Salta */

static bool good_form(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		const char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    strchr("_+-/", c)))
			return false;
	}
	return name.n > 0 && name.n <= CONFIG_NAME_MAX && name.p[0] != '/';
}

static bool is_zone(const char *name)
{
	char path[sizeof(ZONES) + CONFIG_NAME_MAX + 2], magic[4];
	snprintf(path, sizeof(path), ZONES "/%s", name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	const bool good = read(fd, magic, sizeof(magic)) == sizeof(magic) &&
			  !memcmp(magic, "TZif", sizeof(magic));
	close(fd);
	return good;
}

struct names {
	VEC(char *) all;
};

static void collect(struct names *names, const char *below, unsigned depth)
{
	char *path = mem_printf(ZONES "/%s", below);
	DIR *d = opendir(path);
	free(path);
	for (struct dirent *e = d ? readdir(d) : NULL; e && names->all.n < NAMES_MAX;
		e = readdir(d)) {
		/* Zones and their regions begin with a capital; posix/ and right/ repeat them. */
		if (e->d_name[0] < 'A' || e->d_name[0] > 'Z')
			continue;
		char *name = mem_printf("%s%s%s", below, *below ? "/" : "", e->d_name);
		if (e->d_type == DT_DIR && depth < DEEP_MAX)
			collect(names, name, depth + 1);
		if (e->d_type == DT_DIR)
			free(name);
		else
			vec_push(&names->all, name);
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void no_such_zone(struct config_reader *r, const struct yaml *y)
{
	struct names names = {0};
	collect(&names, "", 1);
	if (names.all.n)
		qsort(names.all.p, names.all.n, sizeof(*names.all.p), by_name);
	const char *near = slice_nearest(y->text, (const char *const *)names.all.p, names.all.n);
	if (!names.all.n)
		config_wrong(r, y,
			"timezone: there is no time zone data in " ZONES
			"; install tzdata, or write UTC");
	else
		config_wrong(r, y, "timezone: there is no zone \"%.80s\" in " ZONES "%s%s%s",
			y->text.p, near ? "; did you mean \"" : "", near ? near : "",
			near ? "\"?" : "");
	for (size_t i = 0; i < names.all.n; i++)
		free(names.all.p[i]);
	vec_fini(&names.all);
}

bool config_check_zone(struct config_reader *r, const struct yaml *y)
{
	if (!good_form(y->text)) {
		config_wrong(
			r, y, "timezone: \"%.80s\" is no name such as Europe/Berlin", y->text.p);
		return false;
	}
	if (!r->looks || slice_is(y->text, "UTC") || is_zone(y->text.p))
		return true;
	no_such_zone(r, y);
	return false;
}
