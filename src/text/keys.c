/*
 * keys.c - see keys.h.
 */

#include "text/keys.h"

#include <string.h>

#include "base/units.h"

struct reading {
	const char *file, *what;
	struct error_list *errors;
	const struct key *key;
	const struct yaml *at;
	void *field;
};

static bool wrong(const struct reading *r, const char *expected)
{
	const struct yaml *y = r->at;
	if (y->kind == YAML_SCALAR && y->text.n)
		error_list_at(r->errors, r->file, y->line, y->col,
			"%s: %s must be %s, not \"%.80s\"", r->what, r->key->name, expected,
			y->text.p);
	else
		error_list_at(r->errors, r->file, y->line, y->col, "%s: %s must be %s, not %s",
			r->what, r->key->name, expected, yaml_kind_name(y));
	return false;
}

static bool in_range(const struct reading *r, int64_t v)
{
	const struct key *k = r->key;
	if ((!k->min && !k->max) || (v >= k->min && v <= k->max))
		return true;
	char low[UNITS_TEXT], high[UNITS_TEXT], text[120];
	if (k->type == KEY_TIME)
		snprintf(text, sizeof(text), "from %s to %s", units_time_whole(k->min, low),
			units_time_whole(k->max, high));
	else if (k->type == KEY_SIZE)
		snprintf(text, sizeof(text), "from %s to %s", units_size_text(k->min, low),
			units_size_text(k->max, high));
	else
		snprintf(text, sizeof(text), "from %lld to %lld", (long long)k->min,
			(long long)k->max);
	return wrong(r, text);
}

static bool read_word(const struct reading *r)
{
	char text[200] = "one of";
	for (int i = 0; r->key->words[i]; i++) {
		if (r->at->kind == YAML_SCALAR && slice_is(r->at->text, r->key->words[i])) {
			*(int *)r->field = i;
			return true;
		}
		const size_t n = strlen(text);
		snprintf(text + n, sizeof(text) - n, "%s %s", i ? "," : "", r->key->words[i]);
	}
	return wrong(r, text);
}

static bool read_text(const struct reading *r)
{
	if (r->at->kind != YAML_SCALAR || yaml_is_null(r->at))
		return wrong(r, "text");
	if (r->key->max && (int64_t)r->at->text.n > r->key->max)
		return wrong(r, "shorter");
	char **field = r->field;
	free(*field);
	*field = slice_dup(r->at->text);
	return true;
}

static void free_texts(char **list)
{
	for (size_t k = 0; list && list[k]; k++)
		free(list[k]);
	free(list);
}

static bool read_texts(const struct reading *r)
{
	const struct yaml *y = r->at;
	const size_t n = y->kind == YAML_LIST ? y->n : 1;
	char **list = mem_new_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		const struct yaml *item = y->kind == YAML_LIST ? y->items[i] : y;
		if (item->kind != YAML_SCALAR) {
			free_texts(list);
			return wrong(r, "text or a list of texts");
		}
		list[i] = slice_dup(item->text);
	}
	free_texts(*(char ***)r->field);
	*(char ***)r->field = list;
	return true;
}

static bool read_number(const struct reading *r)
{
	const struct yaml *y = r->at;
	int64_t i = 0;
	switch ((int)r->key->type) {
	case KEY_INT:
		if (!yaml_int(y, &i))
			return wrong(r, "a whole number");
		break;
	case KEY_TIME:
		if (y->kind != YAML_SCALAR || !units_parse_time(y->text, &i))
			return wrong(r, "a time with a unit, such as 10s or 5m");
		break;
	case KEY_SIZE:
		if (y->kind != YAML_SCALAR || !units_parse_size(y->text, &i))
			return wrong(r, "a size with a unit, such as 64KiB");
		break;
	default: mem_panic("keys.c: %s is no number", r->key->name);
	}
	if (!in_range(r, i))
		return false;
	*(int64_t *)r->field = i;
	return true;
}

static bool read_field(const struct reading *r)
{
	switch (r->key->type) {
	case KEY_TEXT: return read_text(r);
	case KEY_TEXTS: return read_texts(r);
	case KEY_BOOL: return yaml_bool(r->at, r->field) || wrong(r, "true or false");
	case KEY_REAL: return yaml_real(r->at, r->field) || wrong(r, "a number");
	case KEY_WORD: return read_word(r);
	case KEY_INT:
	case KEY_TIME:
	case KEY_SIZE: return read_number(r);
	case KEY_MAP:
		if (r->at->kind != YAML_MAP)
			return wrong(r, "a map");
		break;
	case KEY_LIST:
		if (r->at->kind != YAML_LIST)
			return wrong(r, "a list");
		break;
	case KEY_NODE: break;
	}
	*(const struct yaml **)r->field = r->at;
	return true;
}

static void unknown(const struct yaml *key, const char *file, const char *what,
	const struct key *table, size_t n, struct error_list *errors)
{
	const char *names[128];
	size_t count = 0;
	for (size_t i = 0; i < n && count < array_len(names); i++)
		names[count++] = table[i].name;
	const char *near = slice_nearest(key->text, names, count);
	error_list_at(errors, file, key->line, key->col, "%s: unknown key \"%.80s\"%s%s%s", what,
		key->text.p, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

bool keys_read(const struct yaml *map, const char *file, const char *what, const struct key *table,
	size_t n, void *into, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	if (map->kind != YAML_MAP) {
		error_list_at(errors, file, map->line, map->col, "%s must be a map, not %s", what,
			yaml_kind_name(map));
		return false;
	}
	for (size_t i = 0; i < map->n; i++) {
		const struct key *k = NULL;
		for (size_t t = 0; t < n && !k; t++)
			if (slice_is(map->keys[i]->text, table[t].name))
				k = &table[t];
		if (!k) {
			unknown(map->keys[i], file, what, table, n, errors);
			continue;
		}
		const struct reading r = {.file = file,
			.what = what,
			.errors = errors,
			.key = k,
			.at = map->items[i],
			.field = (char *)into + k->offset};
		read_field(&r);
	}
	for (size_t t = 0; t < n; t++)
		if (table[t].required && !yaml_get(map, table[t].name))
			error_list_at(errors, file, map->line, map->col, "%s: %s is missing (%s)",
				what, table[t].name, table[t].help ? table[t].help : "required");
	return errors->n + errors->dropped == before;
}

void keys_release(const struct key *table, size_t n, void *from)
{
	for (size_t i = 0; i < n; i++) {
		void *field = (char *)from + table[i].offset;
		if (table[i].type == KEY_TEXT) {
			free(*(char **)field);
			*(char **)field = NULL;
		} else if (table[i].type == KEY_TEXTS) {
			free_texts(*(char ***)field);
			*(char ***)field = NULL;
		}
	}
}
