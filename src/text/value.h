/*
 * value.h - what an expression yields: a typed value.
 *
 * Small scalars lie inside; text, lists and maps are counted references to immutable storage. A
 * REF names something of the evaluating room (a step's element) that text/ knows nothing of; its
 * fields and index are asked of the scope (expr.h). Thread: values are owned by one thread.
 */
#ifndef TEXT_VALUE_H
#define TEXT_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_TIME,    /* ns */
	VALUE_SIZE,    /* bytes */
	VALUE_PERCENT, /* 0.005 for 0.5% */
	VALUE_RATE,    /* per second */
	VALUE_LIST,
	VALUE_MAP,
	VALUE_REF,
};

struct value_ref {
	uint32_t object;
	int32_t element; /* -1: the whole object */
};

struct value_text;
struct value_list;
struct value_map;

struct value {
	enum value_type type;
	union {
		bool boolean;
		int64_t integer; /* INT, TIME, SIZE */
		double real;     /* REAL, PERCENT, RATE */
		struct value_text *text;
		struct value_list *list;
		struct value_map *map;
		struct value_ref ref;
	};
};

#define VALUE_NOTHING ((struct value){.type = VALUE_NULL})

struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_real(double x);
struct value value_time(int64_t ns);
struct value value_size(int64_t bytes);
struct value value_text(struct slice s); /* copies */
struct value value_str(const char *s);   /* copies; NULL gives null */
struct value value_of_ref(uint32_t object, int32_t element);
struct value value_list_new(void);
void value_list_add(struct value *list, struct value item); /* takes item; list not yet shared */
struct value value_map_new(void);
void value_map_put(struct value *map, struct slice key, struct value item); /* takes item */
struct value value_from_json(const json_t *json);                           /* deep copy */

struct value value_copy(struct value v); /* another reference */
void value_drop(struct value *v);        /* releases; becomes null */

struct slice value_slice(const struct value *text); /* borrows */
size_t value_count(const struct value *v);          /* list, map, text (code points) */
const struct value *value_item(const struct value *list, size_t i); /* borrows */
const struct value *value_field(
	const struct value *map, struct slice key); /* borrows; NULL if absent */
struct slice value_key(const struct value *map, size_t i);
const struct value *value_at(const struct value *map, size_t i);

const char *value_type_name(enum value_type t); /* "a list", "a time", … */
/* null and false are false; true is true; anything else is no condition. */
bool value_condition(const struct value *v, bool *ret);
/* Equality: numbers by value, texts by bytes, deep for lists and maps; a text equals a time or a
 * number only if it parses as one. */
bool value_equal(const struct value *a, const struct value *b);
/* Text as interpolation shows it: numbers plain, times exact ("90s"), lists and maps as JSON. */
void value_write(struct buf *out, const struct value *v);
/* The same, but times from a minute on in hours and minutes: "479h59m", not "1727997340866us". */
void value_write_for_people(struct buf *out, const struct value *v);
/* Returns an owned reference; times, sizes, percents become text; REF must have been resolved. */
json_t *value_json(const struct value *v);

#endif
