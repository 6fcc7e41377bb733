/*
 * value.c - see value.h. Texts, lists and maps are counted; a list or map is built by one owner and
 * immutable once copied.
 */

#include "text/value.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "base/vec.h"

struct value_text {
	unsigned refs;
	size_t n;
	char p[];
};

struct value_list {
	unsigned refs;
	VEC(struct value) items;
};

struct value_map {
	unsigned refs;
	VEC(struct value) keys;
	VEC(struct value) items;
};

struct value value_bool(bool b)
{
	return (struct value){.type = VALUE_BOOL, .boolean = b};
}

struct value value_int(int64_t i)
{
	return (struct value){.type = VALUE_INT, .integer = i};
}

struct value value_real(double x)
{
	return (struct value){.type = VALUE_REAL, .real = x};
}

struct value value_time(int64_t ns)
{
	return (struct value){.type = VALUE_TIME, .integer = ns};
}

struct value value_size(int64_t bytes)
{
	return (struct value){.type = VALUE_SIZE, .integer = bytes};
}

struct value value_text(struct slice s)
{
	struct value_text *t = mem_alloc(sizeof(*t) + s.n + 1);
	t->refs = 1;
	t->n = s.n;
	if (s.n)
		memcpy(t->p, s.p, s.n);
	t->p[s.n] = 0;
	return (struct value){.type = VALUE_TEXT, .text = t};
}

struct value value_str(const char *s)
{
	return s ? value_text(slice_of(s)) : VALUE_NOTHING;
}

struct value value_of_ref(uint32_t object, int32_t element)
{
	return (struct value){.type = VALUE_REF, .ref = {object, element}};
}

struct value value_list_new(void)
{
	struct value v = {.type = VALUE_LIST, .list = mem_new(struct value_list)};
	v.list->refs = 1;
	return v;
}

void value_list_add(struct value *list, struct value item)
{
	assert(list->type == VALUE_LIST && list->list->refs == 1);
	vec_push(&list->list->items, item);
}

struct value value_map_new(void)
{
	struct value v = {.type = VALUE_MAP, .map = mem_new(struct value_map)};
	v.map->refs = 1;
	return v;
}

void value_map_put(struct value *map, struct slice key, struct value item)
{
	assert(map->type == VALUE_MAP && map->map->refs == 1);
	for (size_t i = 0; i < map->map->keys.n; i++) {
		if (slice_eq(value_slice(&map->map->keys.p[i]), key)) {
			value_drop(&map->map->items.p[i]);
			map->map->items.p[i] = item;
			return;
		}
	}
	vec_push(&map->map->keys, value_text(key));
	vec_push(&map->map->items, item);
}

struct value value_from_json(const json_t *json)
{
	struct value v;
	const char *key;
	json_t *item;
	size_t i;
	if (!json)
		return VALUE_NOTHING;
	switch (json_typeof(json)) {
	case JSON_TRUE: return value_bool(true);
	case JSON_FALSE: return value_bool(false);
	case JSON_INTEGER: return value_int(json_integer_value(json));
	case JSON_REAL: return value_real(json_real_value(json));
	case JSON_STRING:
		return value_text(slice_from(json_string_value(json), json_string_length(json)));
	case JSON_ARRAY:
		v = value_list_new();
		json_array_foreach (json, i, item)
			value_list_add(&v, value_from_json(item));
		return v;
	case JSON_OBJECT:
		v = value_map_new();
		json_object_foreach ((json_t *)json, key, item) {
			/* Keys of JSON objects are unique: no search. */
			vec_push(&v.map->keys, value_text(slice_of(key)));
			vec_push(&v.map->items, value_from_json(item));
		}
		return v;
	case JSON_NULL: break;
	}
	return VALUE_NOTHING;
}

struct value value_copy(struct value v)
{
	switch ((int)v.type) {
	case VALUE_TEXT: v.text->refs++; break;
	case VALUE_LIST: v.list->refs++; break;
	case VALUE_MAP: v.map->refs++; break;
	default: break;
	}
	return v;
}

static void drop_items(struct value *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		value_drop(&p[i]);
}

void value_drop(struct value *v)
{
	switch ((int)v->type) {
	case VALUE_TEXT:
		if (--v->text->refs == 0)
			free(v->text);
		break;
	case VALUE_LIST:
		if (--v->list->refs == 0) {
			drop_items(v->list->items.p, v->list->items.n);
			vec_fini(&v->list->items);
			free(v->list);
		}
		break;
	case VALUE_MAP:
		if (--v->map->refs == 0) {
			drop_items(v->map->keys.p, v->map->keys.n);
			drop_items(v->map->items.p, v->map->items.n);
			vec_fini(&v->map->keys);
			vec_fini(&v->map->items);
			free(v->map);
		}
		break;
	default: break;
	}
	*v = VALUE_NOTHING;
}

struct slice value_slice(const struct value *text)
{
	assert(text->type == VALUE_TEXT);
	return slice_from(text->text->p, text->text->n);
}

size_t value_count(const struct value *v)
{
	if (v->type == VALUE_LIST)
		return v->list->items.n;
	if (v->type == VALUE_MAP)
		return v->map->items.n;
	return v->type == VALUE_TEXT ? utf8_length(value_slice(v)) : 0;
}

const struct value *value_item(const struct value *list, size_t i)
{
	return &list->list->items.p[i];
}

const struct value *value_field(const struct value *map, struct slice key)
{
	for (size_t i = 0; map->type == VALUE_MAP && i < map->map->keys.n; i++)
		if (slice_eq(value_slice(&map->map->keys.p[i]), key))
			return &map->map->items.p[i];
	return NULL;
}

struct slice value_key(const struct value *map, size_t i)
{
	return value_slice(&map->map->keys.p[i]);
}

const struct value *value_at(const struct value *map, size_t i)
{
	return &map->map->items.p[i];
}

const char *value_type_name(enum value_type t)
{
	static const char *const names[] = {"null", "true or false", "a number", "a number", "text",
		"a time", "a size", "a percentage", "a rate", "a list", "a map", "a step"};
	return names[t];
}

bool value_condition(const struct value *v, bool *ret)
{
	*ret = v->type == VALUE_BOOL && v->boolean;
	return v->type == VALUE_BOOL || v->type == VALUE_NULL;
}

static double number(const struct value *v)
{
	return v->type == VALUE_INT ? (double)v->integer : v->real;
}

/* A text beside a number, time, size … is read as one. */
static bool text_equal(const struct value *text, const struct value *other)
{
	const struct slice s = value_slice(text);
	int64_t i;
	double x;
	switch ((int)other->type) {
	case VALUE_INT:
	case VALUE_REAL: return units_parse_real(s, &x) && x == number(other);
	case VALUE_TIME: return units_parse_time(s, &i) && i == other->integer;
	case VALUE_SIZE: return units_parse_size(s, &i) && i == other->integer;
	case VALUE_PERCENT: return units_parse_percent(s, &x) && x == other->real;
	case VALUE_RATE: return units_parse_rate(s, &x) && x == other->real;
	default: return false;
	}
}

static bool same_items(const struct value *a, const struct value *b, bool map)
{
	const size_t n = value_count(a);
	if (n != value_count(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct value *other =
			map ? value_field(b, value_key(a, i)) : value_item(b, i);
		if (!other || !value_equal(map ? value_at(a, i) : value_item(a, i), other))
			return false;
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	const bool numbers = (a->type == VALUE_INT || a->type == VALUE_REAL) &&
			     (b->type == VALUE_INT || b->type == VALUE_REAL);
	if (numbers)
		return a->type == VALUE_INT && b->type == VALUE_INT ? a->integer == b->integer
								    : number(a) == number(b);
	if (a->type != b->type) {
		if (a->type == VALUE_TEXT)
			return text_equal(a, b);
		return b->type == VALUE_TEXT && text_equal(b, a);
	}
	switch (a->type) {
	case VALUE_NULL: return true;
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_INT:
	case VALUE_TIME:
	case VALUE_SIZE: return a->integer == b->integer;
	case VALUE_REAL:
	case VALUE_PERCENT:
	case VALUE_RATE: return a->real == b->real;
	case VALUE_TEXT: return slice_eq(value_slice(a), value_slice(b));
	case VALUE_LIST: return same_items(a, b, false);
	case VALUE_MAP: return same_items(a, b, true);
	case VALUE_REF: return a->ref.object == b->ref.object && a->ref.element == b->ref.element;
	}
	return false;
}

static void write_real(struct buf *out, double x)
{
	char text[40];
	snprintf(text, sizeof(text), "%.15g", x);
	double back = 0;
	if (!units_parse_real(slice_of(text), &back) || back != x)
		snprintf(text, sizeof(text), "%.17g", x);
	buf_add_str(out, text);
}

void value_write(struct buf *out, const struct value *v)
{
	char text[UNITS_TEXT];
	json_t *j;
	switch (v->type) {
	case VALUE_NULL: return;
	case VALUE_BOOL: buf_add_str(out, v->boolean ? "true" : "false"); return;
	case VALUE_INT: buf_printf(out, "%" PRId64, v->integer); return;
	case VALUE_REAL: write_real(out, v->real); return;
	case VALUE_TEXT: buf_add_slice(out, value_slice(v)); return;
	case VALUE_TIME: buf_add_str(out, units_time_exact(v->integer, text)); return;
	case VALUE_SIZE: buf_printf(out, "%" PRId64 "B", v->integer); return;
	case VALUE_PERCENT:
		write_real(out, v->real * 100);
		buf_add_char(out, '%');
		return;
	case VALUE_RATE:
		write_real(out, v->real);
		buf_add_str(out, "/s");
		return;
	case VALUE_LIST:
	case VALUE_MAP:
		j = value_json(v);
		json_write(out, j);
		json_decref(j);
		return;
	case VALUE_REF: buf_printf(out, "step %u[%d]", v->ref.object, v->ref.element); return;
	}
}

void value_write_for_people(struct buf *out, const struct value *v)
{
	char text[UNITS_TEXT];
	const int64_t minute = 60 * INT64_C(1000000000);
	if (v->type == VALUE_TIME && (v->integer >= minute || v->integer <= -minute))
		buf_add_str(out, units_time_text(v->integer, text));
	else
		value_write(out, v);
}

json_t *value_json(const struct value *v)
{
	json_t *j;
	struct buf text = BUF(256);
	switch (v->type) {
	case VALUE_NULL: return json_null();
	case VALUE_BOOL: return json_boolean(v->boolean);
	case VALUE_INT: return json_integer(v->integer);
	case VALUE_REAL: j = json_real(v->real); return j ? j : json_null();
	case VALUE_TEXT: j = json_stringn(v->text->p, v->text->n); return j ? j : json_string("");
	case VALUE_LIST:
		j = json_array();
		for (size_t i = 0; i < value_count(v); i++)
			json_array_append_new(j, value_json(value_item(v, i)));
		return j;
	case VALUE_MAP:
		j = json_object();
		for (size_t i = 0; i < value_count(v); i++)
			json_object_set_new(j, value_key(v, i).p, value_json(value_at(v, i)));
		return j;
	case VALUE_TIME:
	case VALUE_SIZE:
	case VALUE_PERCENT:
	case VALUE_RATE:
	case VALUE_REF: break;
	}
	value_write(&text, v);
	j = json_string(buf_str(&text));
	buf_fini(&text);
	return j;
}
