/*
 * endpoint_read.c - endpoints/NAME.yaml: a map of probes, each a map of the fields of struct
 * endpoint_row, or `off`. A field that is not written stays as it was.
 */

#include "observe/endpoint_table.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "text/keys.h"
#include "text/yaml.h"

#define NAME_MAX 80

struct written { /* one row as it stands in the file */
	char *service, *path, *version, *microversion, *component, *category;
	char **good;
	int at;
	bool token;
	int64_t every_ns, timeout_ns, slow_ns;
};

#define AT(f) offsetof(struct written, f)

static const char *const at_words[] = {"root", "version", NULL};

static const struct key keys[] = {
	{"service", KEY_TEXT, AT(service), .max = NAME_MAX, .help = "its type in the catalog"},
	{"path", KEY_TEXT, AT(path), .max = 2000, .help = "what is asked for"},
	{"at", KEY_WORD, AT(at), .words = at_words, .help = "where the path begins"},
	{"version", KEY_TEXT, AT(version), .max = 200,
		.help = "put behind an address without a version"},
	{"good", KEY_TEXTS, AT(good), .help = "statuses that are good: 200, 2xx"},
	{"token", KEY_BOOL, AT(token), .help = "whether a token goes along"},
	{"microversion", KEY_TEXT, AT(microversion), .max = 80,
		.help = "of OpenStack-API-Version: compute 2.79"},
	{"component", KEY_TEXT, AT(component), .max = 80, .help = "what customers know"},
	{"category", KEY_TEXT, AT(category), .max = 80, .help = "the heading it stands under"},
	{"every", KEY_TIME, AT(every_ns), .min = 1000000000, .max = 86400000000000,
		.help = "its rate"},
	{"timeout", KEY_TIME, AT(timeout_ns), .min = 100000000, .max = 600000000000,
		.help = "no answer by then is a failure"},
	{"slow", KEY_TIME, AT(slow_ns), .min = 1000000, .max = 600000000000,
		.help = "a good answer later than this is slow"},
};

struct reading {
	struct endpoint_table *table;
	const char *file;
	struct error_list *errors;
	const struct yaml *key, *map;
};

static void wrong(const struct reading *r, const char *field, const char *what)
{
	const struct yaml *y = yaml_get(r->map, field);
	y = y ? y : r->key;
	error_list_at(r->errors, r->file, y->line, y->col, "endpoint %s: %s", r->key->text.p, what);
}

/* --- what a field must look like -------------------------------------------------------------- */

/* Types of a catalog, and so names, may have capitals: AntiDDoS. */
static bool is_name(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
			!(*p >= '0' && *p <= '9') && !strchr("-_.", *p))
			return false;
	return *text != 0;
}

/* Printable ASCII without spaces: it becomes a part of an address. */
static bool is_path(const char *text, const char *first)
{
	if (!*text || !strchr(first, *text))
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}

static bool is_status(const char *text)
{
	if (strlen(text) != 3 || text[0] < '1' || text[0] > '5')
		return false;
	for (const char *p = text + 1; *p; p++)
		if (*p != 'x' && (*p < '0' || *p > '9'))
			return false;
	return true;
}

static bool is_header_value(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return *text != 0;
}

static void check(const struct reading *r, const struct written *w)
{
	if (w->service && !is_name(w->service))
		wrong(r, "service", "service must be a type of the catalog such as compute");
	if (w->path && !is_path(w->path, "/?"))
		wrong(r, "path", "path must begin with / or ? and have no spaces");
	if (w->version && !is_path(w->version, "/"))
		wrong(r, "version", "version must begin with / and have no spaces");
	if (w->microversion && !is_header_value(w->microversion))
		wrong(r, "microversion", "microversion must be text such as compute 2.79");
	if (w->component && !*w->component)
		wrong(r, "component", "component must have a name");
	if (w->good && !w->good[0])
		wrong(r, "good", "good must have a status");
	for (size_t i = 0; w->good && w->good[i]; i++)
		if (!is_status(w->good[i]))
			wrong(r, "good", "good must be statuses such as 200 or 2xx");
	if (w->every_ns && w->timeout_ns > w->every_ns)
		wrong(r, "timeout", "timeout must not be longer than every");
}

/* --- into the table --------------------------------------------------------------------------- */

static void take_text(const struct reading *r, char **from, const char **to)
{
	if (*from)
		*to = endpoint_table_keep(r->table, *from);
	*from = NULL;
}

static void take_good(const struct reading *r, char **list, const char **to)
{
	struct buf all = BUF(BUF_LINE);
	if (!list)
		return;
	for (size_t i = 0; list[i]; i++)
		buf_printf(&all, "%s%s", i ? " " : "", list[i]);
	*to = endpoint_table_keep(r->table, buf_take(&all));
}

static void take(const struct reading *r, struct written *w, struct endpoint_row *row)
{
	const struct endpoint_service *known =
		w->service ? endpoint_service_find(w->service) : NULL;
	take_text(r, &w->service, &row->service);
	if (known)
		row->service = known->type;
	take_text(r, &w->path, &row->path);
	take_text(r, &w->version, &row->version);
	take_text(r, &w->microversion, &row->microversion);
	take_text(r, &w->component, &row->component);
	take_text(r, &w->category, &row->category);
	take_good(r, w->good, &row->good);
	row->at = w->at;
	row->token = w->token;
	row->every_ns = w->every_ns;
	row->timeout_ns = w->timeout_ns;
	row->slow_ns = w->slow_ns;
	row->off = false;
}

/* The log-in is made as the session makes its own; only when and how it is shown can be said. */
static void check_login(const struct reading *r)
{
	static const char *const fixed[] = {
		"service", "path", "at", "version", "good", "token", "microversion"};
	for (size_t i = 0; i < array_len(fixed); i++)
		if (yaml_get(r->map, fixed[i]))
			wrong(r, fixed[i],
				"only every, timeout, slow, component and category of it can be set");
}

static void read_map(const struct reading *r)
{
	struct endpoint_row *row = endpoint_table_row(r->table, r->key->text.p);
	struct written w = {.at = row ? row->at : ENDPOINT_VERSION,
		.token = row && row->token,
		.every_ns = row ? row->every_ns : 0,
		.timeout_ns = row ? row->timeout_ns : 0,
		.slow_ns = row ? row->slow_ns : 0};
	char what[NAME_MAX + 20];
	snprintf(what, sizeof(what), "endpoint %s", r->key->text.p);
	const size_t before = r->errors->n + r->errors->dropped;
	const bool good = keys_read(r->map, r->file, what, keys, array_len(keys), &w, r->errors);
	check(r, &w);
	if (!strcmp(r->key->text.p, ENDPOINT_TOKEN))
		check_login(r);
	const bool whole = (w.service || (row && row->service)) && (w.path || (row && row->path));
	if (good && !whole) {
		size_t n;
		const char *const *names = endpoint_table_names(r->table, &n);
		const char *near = slice_nearest(r->key->text, names, n);
		char text[2 * NAME_MAX + 80];
		snprintf(text, sizeof(text), "a new probe needs `service` and `path`%s%s%s",
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		wrong(r, "", text);
	}
	if (r->errors->n + r->errors->dropped == before)
		take(r, &w, row ? row : endpoint_table_add(r->table, r->key->text.p));
	keys_release(keys, array_len(keys), &w);
}

/* --- switching off ---------------------------------------------------------------------------- */

static bool says_off(const struct yaml *y)
{
	bool on = true;
	return y->kind == YAML_SCALAR && (slice_is(y->text, "off") || (yaml_bool(y, &on) && !on));
}

/* A row that is known, or the root of a service that has none: TYPE.root. */
static void switch_off(const struct reading *r)
{
	struct endpoint_row *row = endpoint_table_row(r->table, r->key->text.p);
	const struct slice name = r->key->text;
	size_t n;
	const char *const *names = endpoint_table_names(r->table, &n);
	if (!strcmp(name.p, ENDPOINT_TOKEN)) {
		wrong(r, "", "it cannot be switched off: it reads the catalog");
		return;
	}
	char *type = slice_dup(slice_sub(name, 0, name.n > 5 ? name.n - strlen(".root") : 0));
	const bool known = endpoint_service_find(type) != NULL;
	if (!row && (!slice_ends(name, ".root") || known)) {
		const char *near = slice_nearest(name, names, n);
		char text[NAME_MAX + 80];
		snprintf(text, sizeof(text), "there is no such probe%s%s%s",
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		wrong(r, "", text);
		free(type);
		return;
	}
	if (!row) {
		row = endpoint_table_add(r->table, name.p);
		row->service = endpoint_table_keep(r->table, mem_strdup(type));
	}
	row->off = true;
	free(type);
}

static void read_row(const struct reading *r)
{
	if (r->key->text.n > NAME_MAX || !is_name(r->key->text.p))
		error_list_at(r->errors, r->file, r->key->line, r->key->col,
			"\"%.80s\" must be a name of letters, digits, '.', '-' and '_', at "
			"most %d long",
			r->key->text.p, NAME_MAX);
	else if (says_off(r->map))
		switch_off(r);
	else if (r->map->kind != YAML_MAP)
		error_list_at(r->errors, r->file, r->map->line, r->map->col,
			"endpoint %s must be a map, or off", r->key->text.p);
	else
		read_map(r);
}

void endpoint_read_file(struct endpoint_table *t, const char *path, struct error_list *errors)
{
	struct yaml_file *f = yaml_load(path, errors);
	for (size_t d = 0; f && d < yaml_documents(f); d++) {
		const struct yaml *root = yaml_root(f, d);
		if (root->kind != YAML_MAP)
			error_list_at(errors, path, root->line, root->col,
				"a file of endpoints is a map");
		for (size_t i = 0; root->kind == YAML_MAP && i < root->n; i++) {
			const struct reading r = {t, path, errors, root->keys[i], root->items[i]};
			read_row(&r);
		}
	}
	yaml_free(f);
}
