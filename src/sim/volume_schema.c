/*
 * volume_schema.c - cinder's checking of bodies, in the words of its JSON schemas.
 */

#include <string.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/volume.h"

#define NAME_MAX_TEXT 255

static const char *const yes[] = {
	"True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t"};
static const char *const no[] = {
	"False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f"};

static bool refuse(struct call *c, const char *field, const json_t *value, const char *fmt, ...)
	like_printf(4, 5);

/* "Invalid input for field/attribute F. Value: V. …" */
static bool refuse(struct call *c, const char *field, const json_t *value, const char *fmt, ...)
{
	char *text = python_str_text(value);
	va_list ap;

	va_start(ap, fmt);
	char *why = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 400, NULL, "Invalid input for field/attribute %s. Value: %s. %s", field, text,
		why);
	free(why);
	free(text);
	return false;
}

/* The same with the value's spelling in front of the reason. */
static bool refuse_value(struct call *c, const char *field, const json_t *value, const char *why)
{
	char *repr = python_repr_text(value);

	refuse(c, field, value, "%s %s", repr, why);
	free(repr);
	return false;
}

static bool among(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

bool volume_bool(const json_t *v)
{
	return json_is_true(v) ||
	       (json_is_string(v) && among(json_string_value(v), yes, array_len(yes)));
}

static bool check_bool(struct call *c, const char *field, const json_t *v)
{
	struct buf why = BUF(1024);

	if (json_is_boolean(v) ||
		(json_is_string(v) && (among(json_string_value(v), yes, array_len(yes)) ||
					      among(json_string_value(v), no, array_len(no)))))
		return true;
	buf_add_str(&why, "is not one of [True");
	for (size_t i = 0; i < array_len(yes); i++)
		buf_printf(&why, ", '%s'", yes[i]);
	buf_add_str(&why, ", False");
	for (size_t i = 0; i < array_len(no); i++)
		buf_printf(&why, ", '%s'", no[i]);
	buf_add_char(&why, ']');
	refuse_value(c, field, v, buf_str(&why));
	buf_fini(&why);
	return false;
}

static bool check_name(struct call *c, const char *field, const json_t *v)
{
	if (json_is_null(v))
		return true;
	if (!json_is_string(v))
		return refuse_value(c, field, v, "is not of type 'string', 'null'");
	return utf8_length(slice_of(json_string_value(v))) <= NAME_MAX_TEXT ||
	       refuse_value(c, field, v, "is too long");
}

static bool check_size(struct call *c, const char *field, const json_t *v, bool null)
{
	const char *text = json_string_value(v);

	if (json_is_null(v) && null)
		return true;
	if (text)
		return (*text && !text[strspn(text, "0123456789")]) ||
		       refuse_value(c, field, v, "does not match '^[0-9]+$'");
	if (!json_is_integer(v))
		return refuse_value(c, field, v,
			null ? "is not of type 'integer', 'string', 'null'"
			     : "is not of type 'integer', 'string'");
	if (json_integer_value(v) > 0x7fffffff)
		return refuse_value(c, field, v, "is greater than the maximum of 2147483647");
	return json_integer_value(v) >= 1 ||
	       refuse_value(c, field, v, "is less than the minimum of 1");
}

bool volume_metadata_good(struct call *c, const json_t *metadata)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)metadata, key, value) {
		if (!json_is_string(value))
			return refuse_value(c, key, value, "is not of type 'string'");
		if (utf8_length(slice_of(json_string_value(value))) > NAME_MAX_TEXT)
			return refuse_value(c, key, value, "is too long");
		if (!*key || strlen(key) > NAME_MAX_TEXT)
			return refuse(c, "metadata", metadata,
				"'%s' does not match any of the regexes: "
				"'^[a-zA-Z0-9-_:. /]{1,255}$'",
				key);
	}
	return true;
}

static bool check_meta(struct call *c, const char *field, const json_t *v)
{
	if (json_is_null(v))
		return true;
	if (!json_is_object(v))
		return refuse_value(c, field, v, "is not of type 'object', 'null'");
	return volume_metadata_good(c, v);
}

static bool check_field(struct call *c, const struct volume_field *f, const json_t *v)
{
	switch (f->type) {
	case FIELD_NAME: return check_name(c, f->name, v);
	case FIELD_UUID: return python_is_uuid(v) || refuse_value(c, f->name, v, "is not a 'uuid'");
	case FIELD_UUID_OR_NULL:
		return json_is_null(v) || python_is_uuid(v) ||
		       refuse_value(c, f->name, v, "is not valid under any of the given schemas");
	case FIELD_SIZE: return check_size(c, f->name, v, false);
	case FIELD_SIZE_OR_NULL: return check_size(c, f->name, v, true);
	case FIELD_META: return check_meta(c, f->name, v);
	case FIELD_BOOL: return check_bool(c, f->name, v);
	case FIELD_ANY: break;
	}
	return true;
}

static const struct volume_field *find(
	const struct call *c, const struct volume_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name) && fields[i].since <= c->version)
			return &fields[i];
	return NULL;
}

/* "Additional properties are not allowed ('a', 'b' were unexpected)" */
static bool all_known(struct call *c, const char *wrapper, const json_t *in,
	const struct volume_field *fields, size_t n)
{
	struct buf unknown = BUF(4096);
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)in, key, value)
		if (!find(c, fields, n, key))
			buf_printf(&unknown, "%s'%s'", count++ ? ", " : "", key);
	if (count > 0)
		refuse(c, wrapper, in, "Additional properties are not allowed (%s %s unexpected)",
			buf_str(&unknown), count == 1 ? "was" : "were");
	buf_fini(&unknown);
	return count == 0;
}

static bool check_all(struct call *c, const char *wrapper, const json_t *in,
	const struct volume_field *fields, size_t n)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < n; i++)
		if (fields[i].required && !json_object_get(in, fields[i].name))
			return refuse(
				c, wrapper, in, "'%s' is a required property", fields[i].name);
	json_object_foreach ((json_t *)in, key, value) {
		const struct volume_field *f = find(c, fields, n, key);
		if (f && !check_field(c, f, value))
			return false;
	}
	return true;
}

/* Beside the wrapper only scheduler hints may stand. */
static bool check_outside(struct call *c, const char *wrapper)
{
	const char *key;
	json_t *value;

	if (!c->body) { /* cinder falls over a request without a body */
		call_fail(c, 500, NULL,
			"The server has either erred or is incapable of performing the requested "
			"operation.");
		return false;
	}
	if (!json_object_get(c->body, wrapper)) {
		call_fail(c, 400, NULL, "'%s' is a required property", wrapper);
		return false;
	}
	json_object_foreach (c->body, key, value)
		if (strcmp(key, wrapper) && strcmp(key, "OS-SCH-HNT:scheduler_hints")) {
			call_fail(c, 400, NULL,
				"Additional properties are not allowed ('%s' was unexpected)", key);
			return false;
		}
	return true;
}

json_t *volume_body(struct call *c, const char *wrapper, const struct volume_field *fields,
	size_t n, int strict)
{
	if (!check_outside(c, wrapper))
		return NULL;
	json_t *in = json_object_get(c->body, wrapper);
	if (!json_is_object(in)) {
		refuse_value(c, wrapper, in, "is not of type 'object'");
		return NULL;
	}
	if ((c->version >= strict && !all_known(c, wrapper, in, fields, n)) ||
		!check_all(c, wrapper, in, fields, n))
		return NULL;
	return in;
}
