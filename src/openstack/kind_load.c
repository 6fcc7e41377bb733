/*
 * kind_load.c - kinds/NAME.yaml: a map of kinds, each a map of the fields of struct kind. A field
 * that is written `null` is emptied; one that is not written stays.
 */

#include "openstack/kind_load.h"

#include <string.h>

#include "base/units.h"
#include "text/yaml.h"

enum field_type {
	FIELD_TEXT,
	FIELD_REQUEST,
	FIELD_CONDITION,
	FIELD_BOOL,
	FIELD_TIME,
	FIELD_INT,
	FIELD_MARK,
	FIELD_UNIQUE
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
};

#define AT(f) offsetof(struct kind, f)

static const struct field fields[] = {
	{"service", FIELD_TEXT, AT(service)},
	{"version", FIELD_TEXT, AT(version)},
	{"create", FIELD_REQUEST, AT(create)},
	{"wrapper", FIELD_TEXT, AT(wrapper)},
	{"wrapper_in", FIELD_TEXT, AT(wrapper_in)},
	{"wrapper_out", FIELD_TEXT, AT(wrapper_out)},
	{"id", FIELD_TEXT, AT(id)},
	{"get", FIELD_REQUEST, AT(get)},
	{"list", FIELD_REQUEST, AT(list)},
	{"collection", FIELD_TEXT, AT(collection)},
	{"set", FIELD_REQUEST, AT(set)},
	{"delete", FIELD_REQUEST, AT(remove)},
	{"delete_body", FIELD_TEXT, AT(remove_body)},
	{"name", FIELD_TEXT, AT(name_field)},
	{"mark", FIELD_MARK, AT(mark)},
	{"find", FIELD_TEXT, AT(find)},
	{"unique", FIELD_UNIQUE, AT(unique)},
	{"ready", FIELD_CONDITION, AT(ready)},
	{"failed", FIELD_CONDITION, AT(failed)},
	{"gone", FIELD_CONDITION, AT(gone)},
	{"busy", FIELD_CONDITION, AT(busy)},
	{"stuck", FIELD_CONDITION, AT(stuck)},
	{"holders", FIELD_TEXT, AT(holders)},
	{"fix", FIELD_TEXT, AT(fix)},
	{"lock", FIELD_TEXT, AT(lock)},
	{"lock_of", FIELD_TEXT, AT(lock_of)},
	{"awaits", FIELD_TEXT, AT(awaits)},
	{"with", FIELD_TEXT, AT(with)},
	{"component", FIELD_TEXT, AT(component)},
	{"user_data", FIELD_TEXT, AT(user_data)},
	{"rank", FIELD_INT, AT(rank)},
	{"answer_partial", FIELD_BOOL, AT(answer_partial)},
	{"chosen_id", FIELD_BOOL, AT(chosen_id)},
	{"uploads", FIELD_BOOL, AT(uploads)},
	{"headers", FIELD_BOOL, AT(headers)},
	{"secret", FIELD_TEXT, AT(secret)},
	{"request", FIELD_TIME, AT(request_ns)},
	{"timeout", FIELD_TIME, AT(timeout_ns)},
};

static const char *const mark_words[] = {
	"null", "description", "metadata", "property", "tags", "tag_text"};

static bool read_mark(const struct yaml *y, enum kind_mark *ret)
{
	for (size_t i = 0; i < array_len(mark_words); i++)
		if (slice_is(y->text, mark_words[i]) || (!i && yaml_is_null(y))) {
			*ret = (enum kind_mark)i;
			return true;
		}
	return false;
}

/* `unique: 409`: the service refuses a double with that status; null: doubles are possible. */
static bool read_unique(const struct yaml *y, struct kind *row)
{
	int64_t status = 0;
	if (!yaml_is_null(y) && (!yaml_int(y, &status) || status < 400 || status > 499))
		return false;
	row->unique = status ? UNIQUE_ADOPT : UNIQUE_NO;
	row->unique_status = (int)status;
	return true;
}

/* "POST /servers" */
static bool is_request(struct slice text)
{
	const size_t space = slice_find(text, ' ');
	for (size_t i = 0; i < space && i < text.n; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	return space > 0 && space + 1 < text.n && text.p[space + 1] == '/';
}

/* Parsed again when all rows are there; here its errors still have their place. */
static void check_condition(const struct kind *row, const char *file, const struct field *f,
	const struct yaml *y, struct error_list *errors)
{
	const char **at = (const char **)((char *)row + f->offset);
	struct error err = {0};
	if (!*at || !**at)
		return;
	struct expr *e =
		expr_parse_condition(slice_of(*at), file, y->line, y->col + !y->plain, &err);
	if (!e) {
		error_wrap(&err, "kind %s: %s", row->name, f->name);
		error_list_add(errors, &err);
		*at = NULL;
	}
	expr_free(e);
}

static bool read_field(
	struct kinds *k, struct kind *row, const struct field *f, const struct yaml *y)
{
	void *at = (char *)row + f->offset;
	int64_t n;
	if (y->kind != YAML_SCALAR)
		return false;
	switch (f->type) {
	case FIELD_REQUEST:
		if (!yaml_is_null(y) && !is_request(y->text))
			return false;
		*(const char **)at = yaml_is_null(y) ? NULL : kinds_keep(k, slice_dup(y->text));
		return true;
	case FIELD_TEXT:
	case FIELD_CONDITION:
		/* `gone: 404` is short for [STATUS] == 404 */
		if (f->type == FIELD_CONDITION && yaml_int(y, &n))
			*(const char **)at = kinds_keep(k, mem_printf("[STATUS] == %d", (int)n));
		else
			*(const char **)at =
				yaml_is_null(y) ? NULL : kinds_keep(k, slice_dup(y->text));
		return true;
	case FIELD_BOOL: return yaml_bool(y, at);
	case FIELD_TIME: return units_parse_time(y->text, at);
	case FIELD_INT:
		if (!yaml_int(y, &n) || n < 0 || n > 1000)
			return false;
		*(int *)at = (int)n;
		return true;
	case FIELD_MARK: return read_mark(y, at);
	case FIELD_UNIQUE: return read_unique(y, row);
	}
	return false;
}

static void read_row(struct kinds *k, const char *file, const struct yaml *key,
	const struct yaml *map, struct error_list *errors)
{
	static const char *const expected[] = {"text",
		"a method and a path such as GET /servers/{id}", "a condition", "true or false",
		"a time such as 30s", "a number up to 1000",
		"description, metadata, property, tags, tag_text or null",
		"an HTTP status from 400 to 499, or null"};
	const char *names[array_len(fields)];
	for (size_t i = 0; i < array_len(fields); i++)
		names[i] = fields[i].name;
	if (map->kind != YAML_MAP) {
		error_list_at(
			errors, file, map->line, map->col, "kind %s must be a map", key->text.p);
		return;
	}
	struct kind *row = kinds_row(k, key->text.p);
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml *name = map->keys[i];
		const struct field *f = NULL;
		for (size_t n = 0; n < array_len(fields) && !f; n++)
			if (slice_is(name->text, fields[n].name))
				f = &fields[n];
		if (!f) {
			const char *near = slice_nearest(name->text, names, array_len(names));
			error_list_at(errors, file, name->line, name->col,
				"kind %s: unknown field \"%s\"%s%s%s", key->text.p, name->text.p,
				near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
		} else if (!read_field(k, row, f, map->items[i])) {
			error_list_at(errors, file, map->items[i]->line, map->items[i]->col,
				"kind %s: %s must be %s", key->text.p, f->name, expected[f->type]);
		} else if (f->type == FIELD_CONDITION) {
			check_condition(row, file, f, map->items[i], errors);
		}
	}
	if ((!row->service && !yaml_get(map, "service")) ||
		(!row->create && !yaml_get(map, "create")))
		error_list_at(errors, file, key->line, key->col,
			"kind %s needs at least `service` and `create`", key->text.p);
}

void kinds_load_file(struct kinds *k, const char *path, struct error_list *errors)
{
	struct yaml_file *f = yaml_load(path, errors);
	for (size_t d = 0; f && d < yaml_documents(f); d++) {
		const struct yaml *root = yaml_root(f, d);
		if (root->kind != YAML_MAP)
			error_list_at(
				errors, path, root->line, root->col, "a file of kinds is a map");
		for (size_t i = 0; root->kind == YAML_MAP && i < root->n; i++)
			read_row(k, path, root->keys[i], root->items[i], errors);
	}
	yaml_free(f);
}
