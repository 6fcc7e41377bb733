/*
 * endpoint_table.c - the rows of endpoint.def, and the user's files laid over them in order of
 * directory and name; see endpoint_table.h.
 */

#include "observe/endpoint_table.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "observe/component.h"

static const struct endpoint_service services[] = {
#define SERVICE(type, aliases, component, category, version)                                       \
	{type, aliases, component, category, version},
#define PROBE(name, service, at, path, token)
#include "observe/endpoint.def"
#undef SERVICE
#undef PROBE
};

static const struct endpoint_row rows[] = {
	{.name = ENDPOINT_TOKEN,
		.service = "identity",
		.at = ENDPOINT_VERSION,
		.path = "/auth/tokens"},
#define SERVICE(type, aliases, component, category, version)
#define PROBE(probe_name, probe_service, probe_at, probe_path, with_token)                         \
	{.name = (probe_name),                                                                     \
		.service = (probe_service),                                                        \
		.at = (probe_at),                                                                  \
		.path = (probe_path),                                                              \
		.token = (with_token)},
#include "observe/endpoint.def"
#undef SERVICE
#undef PROBE
};

struct endpoint_table {
	VEC(struct endpoint_row *) rows;
	VEC(const char *) names;
	VEC(char *) memory;
	struct map by_name;
};

/* --- loading ---------------------------------------------------------------------------------- */

void endpoint_table_free(struct endpoint_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows.n; i++)
		free(t->rows.p[i]);
	for (size_t i = 0; i < t->memory.n; i++)
		free(t->memory.p[i]);
	vec_fini(&t->rows);
	vec_fini(&t->names);
	vec_fini(&t->memory);
	map_fini(&t->by_name);
	free(t);
}

const char *endpoint_table_keep(struct endpoint_table *t, char *text)
{
	vec_push(&t->memory, text);
	return text;
}

struct endpoint_row *endpoint_table_row(struct endpoint_table *t, const char *name)
{
	return map_get(&t->by_name, name);
}

struct endpoint_row *endpoint_table_add(struct endpoint_table *t, const char *name)
{
	struct endpoint_row *row = mem_new(struct endpoint_row);
	row->name = endpoint_table_keep(t, mem_strdup(name));
	vec_push(&t->rows, row);
	vec_push(&t->names, row->name);
	map_put(&t->by_name, name, row);
	return row;
}

static void load_dir(struct endpoint_table *t, const char *dir, struct error_list *errors)
{
	struct dirent **files;
	const int n = scandir(dir, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (slice_ends(slice_of(files[i]->d_name), ".yaml")) {
			char *path = mem_printf("%s/%s", dir, files[i]->d_name);
			endpoint_read_file(t, path, errors);
			free(path);
		}
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}

struct endpoint_table *endpoint_table_load(const char *const *dirs, struct error_list *errors)
{
	struct endpoint_table *t = mem_new(struct endpoint_table);
	const size_t before = errors->n + errors->dropped;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct endpoint_row *row = endpoint_table_add(t, rows[i].name);
		const char *name = row->name;
		*row = rows[i];
		row->name = name;
	}
	for (size_t i = 0; dirs && dirs[i]; i++)
		load_dir(t, dirs[i], errors);
	if (errors->n + errors->dropped == before)
		return t;
	error_list_sort(errors);
	endpoint_table_free(t);
	return NULL;
}

const char *const *endpoint_dirs(void)
{
	static const char *dirs[4];
	const char *own = getenv("GLASSHOUSE_ENDPOINTS");
	size_t n = 0;
	dirs[n++] = GLASSHOUSE_DATADIR "/endpoints";
	dirs[n++] = "endpoints";
	if (own)
		dirs[n++] = own;
	dirs[n] = NULL;
	return dirs;
}

/* --- looking ---------------------------------------------------------------------------------- */

size_t endpoint_table_count(const struct endpoint_table *t)
{
	return t->rows.n;
}

const struct endpoint_row *endpoint_table_at(const struct endpoint_table *t, size_t i)
{
	return t->rows.p[i];
}

const struct endpoint_row *endpoint_table_find(const struct endpoint_table *t, const char *name)
{
	return map_get(&t->by_name, name);
}

const char *const *endpoint_table_names(const struct endpoint_table *t, size_t *ret_n)
{
	*ret_n = t->names.n;
	return t->names.p;
}

const struct endpoint_service *endpoint_service_find(const char *type)
{
	for (size_t i = 0; i < array_len(services); i++)
		if (!strcmp(services[i].type, type) ||
			slice_in_words(slice_of(type), services[i].aliases))
			return &services[i];
	return NULL;
}

const char *endpoint_category(const char *component)
{
	char *id = component_id(NULL, component);
	const char *category = "Other";
	for (size_t i = 0; i < array_len(services); i++) {
		char *its = component_id(NULL, services[i].component);
		if (!strcmp(its, id))
			category = services[i].category;
		free(its);
	}
	free(id);
	return category;
}

/* One of "200", "2xx". */
static bool fits(struct slice pattern, int status)
{
	const char text[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
		(char)('0' + status % 10)};
	if (pattern.n != sizeof(text))
		return false;
	for (size_t i = 0; i < sizeof(text); i++)
		if (pattern.p[i] != text[i] && pattern.p[i] != 'x')
			return false;
	return true;
}

bool endpoint_is_good(const char *good, int status)
{
	struct slice rest = slice_of(good ? good : "2xx 3xx"), pattern;
	if (status < 100 || status > 599 || status == 429)
		return false;
	while (slice_next(&rest, ' ', &pattern))
		if (fits(pattern, status))
			return true;
	return false;
}
