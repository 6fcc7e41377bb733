/*
 * json.c - see json.h.
 */

#include "base/json.h"

#include <stdarg.h>
#include <string.h>

#include "base/secret.h"

json_t *json_parse(struct slice text, size_t max, struct error *err)
{
	if (text.n > max) {
		error_set(err, ERROR_LIMIT, "JSON of %zu bytes is over the limit of %zu", text.n,
			max);
		return NULL;
	}
	json_error_t e;
	json_t *j = json_loadb(
		text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (!j)
		error_at(err, "", e.line > 0 ? (unsigned)e.line : 0,
			e.column > 0 ? (unsigned)e.column : 0, "not JSON: %s", e.text);
	return j;
}

json_t *json_parse_foreign(struct slice text, size_t max)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t e;
	if (text.n > max)
		return NULL;
	if (slice_starts(text, "\xef\xbb\xbf")) /* which RFC 8259 section 8.1 lets us pass over */
		text = slice_sub(text, 3, text.n);
	json_t *j = json_loadb(text.p, text.n, flags, &e);
	if (!j && json_error_code(&e) == json_error_numeric_overflow)
		j = json_loadb(text.p, text.n, flags | JSON_DECODE_INT_AS_REAL, &e);
	return j;
}

/* 15 digits: a decimal fraction comes out as it went in, 138.132 and not 138.13200000000001. */
#define DUMP (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static int add_piece(const char *p, size_t n, void *arg)
{
	return buf_add(arg, p, n) ? 0 : -1;
}

void json_write(struct buf *out, const json_t *value)
{
	json_dump_callback(value, add_piece, out, DUMP);
}

char *json_text(const json_t *value)
{
	char *text = value ? json_dumps(value, DUMP) : NULL;
	return text ? text : mem_strdup("null");
}

json_t *json_at(const json_t *value, ...)
{
	va_list ap;
	const char *key;
	va_start(ap, value);
	while (value && (key = va_arg(ap, const char *)))
		value = json_object_get(value, key);
	va_end(ap);
	return (json_t *)value;
}

const char *json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int64_t json_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static json_t *scrubbed_string(const json_t *value)
{
	struct buf clean = BUF(json_string_length(value) * 3 + 16);
	secret_scrub(&clean, slice_from(json_string_value(value), json_string_length(value)));
	json_t *s = json_stringn(buf_str(&clean), clean.n);
	buf_fini(&clean);
	return s ? s : json_string("***");
}

/* What stands under a secret name; objects below it are judged by their own names. */
static json_t *masked(const json_t *value)
{
	json_t *item, *copy;
	size_t i;
	if (json_is_string(value) || json_is_number(value))
		return json_string("***");
	if (!json_is_array(value))
		return json_scrubbed(value);
	copy = json_array();
	json_array_foreach (value, i, item)
		json_array_append_new(copy, masked(item));
	return copy;
}

json_t *json_scrubbed(const json_t *value)
{
	const char *key;
	json_t *item, *copy;
	size_t i;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		copy = json_object();
		json_object_foreach ((json_t *)value, key, item) {
			const bool hide = secret_name(slice_of(key));
			json_object_set_new(copy, key, hide ? masked(item) : json_scrubbed(item));
		}
		return copy;
	case JSON_ARRAY:
		copy = json_array();
		json_array_foreach (value, i, item)
			json_array_append_new(copy, json_scrubbed(item));
		return copy;
	case JSON_STRING: return scrubbed_string(value);
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
	return json_incref((json_t *)value);
}

bool json_has_text(const json_t *list, struct slice text)
{
	size_t i;
	json_t *item;
	json_array_foreach (list, i, item)
		if (slice_is(text, json_string_value(item)))
			return true;
	return false;
}
