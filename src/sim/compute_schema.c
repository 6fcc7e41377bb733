#include "sim/compute_schema.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/compute.h"
#include "sim/ip.h"
#include "sim/python.h"

#define MESSAGE_MAX   (64u << 10)
#define USER_DATA_MAX 65535
#define TAGS_MAX      50
#define TAG_MAX       60
#define BOOL_WORDS                                                                                 \
	"[True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', False, "       \
	"'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']"
#define NAME_RULE   "printable characters. Can not start or end with whitespace."
#define SAFE        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define METADATA_RE "^[a-zA-Z0-9-_:. ]{1,255}$"

/* One look at a body: the first error ends it. */
struct look {
	const struct call *c;
	const char *path;    /* name of the innermost field, NULL: the body itself */
	const json_t *value; /* at that place */
	bool bare;           /* the message stands alone */
	struct buf message;
};

/* --- errors ---------------------------------------------------------------------------------- */

static void add_name(struct buf *out, const char *name)
{
	json_t *v = json_string(name);

	python_repr(out, v);
	json_decref(v);
}

/* "VALUE is not …": the usual form. Returns false. */
static bool wrong(struct look *l, const json_t *v, const char *what)
{
	l->value = v;
	python_repr(&l->message, v);
	buf_printf(&l->message, " %s", what);
	return false;
}

static bool wrong_name(struct look *l, const char *rule)
{
	l->bare = true;
	buf_printf(&l->message, "An invalid 'name' value was provided. The name must be: %s", rule);
	return false;
}

/* --- single values --------------------------------------------------------------------------- */

static bool is_text(struct look *l, const json_t *v, size_t min, size_t max)
{
	if (!json_is_string(v))
		return wrong(l, v, "is not of type 'string'");
	const size_t n = utf8_length(slice_of(json_string_value(v)));
	if (n < min)
		return wrong(l, v, "is too short");
	return n <= max || wrong(l, v, "is too long");
}

static bool is_uuid(struct look *l, const json_t *v)
{
	if (!json_is_string(v))
		return wrong(l, v, "is not of type 'string'");
	return python_is_uuid(v) || wrong(l, v, "is not a 'uuid'");
}

static bool is_name(struct look *l, const json_t *v, size_t max)
{
	if (!is_text(l, v, 1, max))
		return false;
	const char *s = json_string_value(v);
	const size_t n = strlen(s);
	bool good = !isspace((unsigned char)s[0]) && !isspace((unsigned char)s[n - 1]);
	for (size_t i = 0; i < n; i++)
		good = good && (unsigned char)s[i] >= 32 && s[i] != 127;
	return good || wrong_name(l, NAME_RULE);
}

static bool is_keypair_name(struct look *l, const json_t *v)
{
	const char *safe = since(l->c, 92) ? "@._- " SAFE : "_- " SAFE;
	char rule[128];

	if (!is_name(l, v, 255))
		return false;
	const char *s = json_string_value(v);
	if (!s[strspn(s, safe)])
		return true;
	snprintf(rule, sizeof(rule), "Only expected characters: [%s]", safe);
	return wrong_name(l, rule);
}

static bool is_bool(struct look *l, const json_t *v)
{
	static const char *const words[] = {"True", "TRUE", "true", "1", "ON", "On", "on", "YES",
		"Yes", "yes", "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No",
		"no"};

	if (json_is_boolean(v))
		return true;
	for (size_t i = 0; json_is_string(v) && i < array_len(words); i++)
		if (!strcmp(json_string_value(v), words[i]))
			return true;
	return wrong(l, v, "is not one of " BOOL_WORDS);
}

static bool is_number(struct look *l, const json_t *v, json_int_t min, bool sign)
{
	json_int_t x = json_integer_value(v);

	if (!json_is_integer(v) && !json_is_string(v))
		return wrong(l, v, "is not of type 'integer', 'string'");
	if (json_is_string(v)) {
		const char *s = json_string_value(v);
		const char *digits = s + (sign && *s == '-');
		if (*digits == 0 || digits[strspn(digits, "0123456789")])
			return wrong(l, v,
				sign ? "does not match '^-?[0-9]+$'" : "does not match '^[0-9]*$'");
		x = strtoll(s, NULL, 10);
	}
	if (sign || x >= min)
		return true;
	return wrong(
		l, v, min == 1 ? "is less than the minimum of 1" : "is less than the minimum of 0");
}

static bool is_ip(struct look *l, const json_t *v)
{
	struct ip a;

	if (!json_is_string(v))
		return wrong(l, v, "is not of type 'string'");
	return ip_parse(json_string_value(v), &a) ||
	       wrong(l, v, "is not valid under any of the given schemas");
}

static bool is_base64(struct look *l, const json_t *v)
{
	void *bytes = NULL;
	size_t n;

	if (!is_text(l, v, 0, USER_DATA_MAX))
		return false;
	const bool good = base64_decode(slice_of(json_string_value(v)), &bytes, &n);
	free(bytes);
	return good || wrong(l, v, "is not a 'base64'");
}

static bool is_metadata(struct look *l, const json_t *v)
{
	const char *key;
	json_t *item;

	if (!json_is_object(v))
		return wrong(l, v, "is not of type 'object'");
	json_object_foreach ((json_t *)v, key, item) {
		const size_t n = strlen(key);
		bool good = n >= 1 && n <= 255;
		for (const char *p = key; *p; p++)
			good = good && (isalnum((unsigned char)*p) || strchr("-_:. ", *p));
		if (!good) {
			l->value = v;
			add_name(&l->message, key);
			buf_add_str(&l->message,
				" does not match any of the regexes: '" METADATA_RE "'");
			return false;
		}
		const char *outer = l->path;
		l->path = key;
		if (!is_text(l, item, 0, 255))
			return false;
		l->path = outer;
	}
	return true;
}

static bool is_tag(struct look *l, const json_t *v)
{
	if (!is_text(l, v, 1, TAG_MAX))
		return false;
	return !strpbrk(json_string_value(v), ",/") || wrong(l, v, "does not match '^[^,/]*$'");
}

static bool is_tags(struct look *l, const json_t *v)
{
	static const char *const numbers[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return wrong(l, v, "is not of type 'array'");
	json_array_foreach (v, i, item) {
		const char *outer = l->path;
		l->path = i < array_len(numbers) ? numbers[i] : outer;
		if (!is_tag(l, item))
			return false;
		l->path = outer;
	}
	return json_array_size(v) <= TAGS_MAX || wrong(l, v, "is too long");
}

static bool is_word(struct look *l, const json_t *v, const char *words)
{
	struct slice rest = slice_of(words), word;
	const char *sep = "";

	if (!json_is_string(v))
		return wrong(l, v, "is not of type 'string'");
	if (slice_in_words(slice_of(json_string_value(v)), words))
		return true;
	wrong(l, v, "is not one of [");
	for (rest = slice_of(words); slice_next(&rest, ' ', &word); sep = ", ")
		buf_printf(&l->message, "%s'%.*s'", sep, SLICE_ARG(word));
	buf_add_char(&l->message, ']');
	return false;
}

static bool is_one_word(struct look *l, const json_t *v, const char *words)
{
	const char *outer = l->path;

	if (!json_is_array(v))
		return wrong(l, v, "is not of type 'array'");
	if (json_array_size(v) != 1)
		return wrong(l, v, json_array_size(v) ? "is too long" : "is too short");
	l->path = "0";
	if (!is_word(l, json_array_get(v, 0), words))
		return false;
	l->path = outer;
	return true;
}

static bool is_hostname(struct look *l, const json_t *v)
{
	if (!is_text(l, v, 2, 63))
		return false;
	const char *s = json_string_value(v);
	bool good = *s != '-' && s[strlen(s) - 1] != '-';
	for (const char *p = s; *p; p++)
		good = good && (isalnum((unsigned char)*p) || *p == '-');
	return good || wrong(l, v, "does not match '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$'");
}

static bool is_device(struct look *l, const json_t *v)
{
	if (!is_text(l, v, 0, 255))
		return false;
	const char *s = json_string_value(v);
	return (!strncmp(s, "/dev/", 5) && islower((unsigned char)s[5])) ||
	       wrong(l, v, "does not match '(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$'");
}

/* --- objects --------------------------------------------------------------------------------- */

static bool is_object(struct look *l, const json_t *v, const struct schema_field *fields, size_t n);

static bool is_objects(struct look *l, const json_t *v, const struct schema_field *f)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return wrong(l, v, "is not of type 'array'");
	json_array_foreach (v, i, item)
		if (!is_object(l, item, f->fields, f->n))
			return false;
	return true;
}

/* oneOf: what is wrong inside is not told. */
static bool is_one_of(struct look *l, const json_t *v, const struct schema_field *f)
{
	const char *path = l->path;

	if (json_is_string(v) ? is_word(l, v, f->words) : is_objects(l, v, f))
		return true;
	buf_clear(&l->message);
	l->path = path;
	l->bare = false;
	return wrong(l, v, "is not valid under any of the given schemas");
}

static bool is_value(struct look *l, const json_t *v, const struct schema_field *f)
{
	const size_t max = f->max ? f->max : 255;

	if (f->flags & SCHEMA_NULL && json_is_null(v))
		return true;
	switch (f->type) {
	case SCHEMA_ANY: return true;
	case SCHEMA_TEXT: return is_text(l, v, 0, max);
	case SCHEMA_NAME: return is_name(l, v, max);
	case SCHEMA_KEYPAIR_NAME: return is_keypair_name(l, v);
	case SCHEMA_BOOL: return is_bool(l, v);
	case SCHEMA_COUNT: return is_number(l, v, 1, false);
	case SCHEMA_SIZE: return is_number(l, v, 0, false);
	case SCHEMA_INDEX: return is_number(l, v, 0, true);
	case SCHEMA_UUID: return is_uuid(l, v);
	case SCHEMA_UUID_OR_EMPTY:
		return (json_is_string(v) && (!*json_string_value(v) || python_is_uuid(v))) ||
		       wrong(l, v, "is not valid under any of the given schemas");
	case SCHEMA_UUID_OR_NULL:
		return json_is_null(v) || python_is_uuid(v) ||
		       wrong(l, v, "is not valid under any of the given schemas");
	case SCHEMA_IP: return is_ip(l, v);
	case SCHEMA_BASE64: return is_base64(l, v);
	case SCHEMA_METADATA: return is_metadata(l, v);
	case SCHEMA_TAG: return is_tag(l, v);
	case SCHEMA_TAGS: return is_tags(l, v);
	case SCHEMA_WORD: return is_word(l, v, f->words);
	case SCHEMA_ONE_OF_LIST: return is_one_word(l, v, f->words);
	case SCHEMA_REF: return json_is_integer(v) || is_text(l, v, 1, max);
	case SCHEMA_HOSTNAME: return is_hostname(l, v);
	case SCHEMA_DEVICE: return is_device(l, v);
	case SCHEMA_OBJECT: return is_object(l, v, f->fields, f->n);
	case SCHEMA_MAP: return json_is_object(v) || wrong(l, v, "is not of type 'object'");
	case SCHEMA_OBJECTS: return is_objects(l, v, f);
	case SCHEMA_WORDS_OR_OBJECTS: return is_one_of(l, v, f);
	}
	return false;
}

static bool known(const struct look *l, const struct schema_field *f)
{
	return l->c->version >= f->since && (!f->until || l->c->version <= f->until);
}

static const struct schema_field *field_of(
	const struct look *l, const struct schema_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (known(l, &fields[i]) && !strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool no_others(struct look *l, const json_t *v, const struct schema_field *fields, size_t n)
{
	VEC(const char *) others = {0};
	const char *key, *sep = "";
	json_t *item;

	json_object_foreach ((json_t *)v, key, item)
		if (!field_of(l, fields, n, key))
			vec_push(&others, key);
	const size_t count = others.n;
	if (count > 0) {
		qsort(others.p, count, sizeof(*others.p), by_name);
		l->value = v;
		buf_add_str(&l->message, "Additional properties are not allowed (");
		for (size_t i = 0; i < count; i++, sep = ", ") {
			buf_add_str(&l->message, sep);
			add_name(&l->message, others.p[i]);
		}
		buf_add_str(&l->message, count == 1 ? " was unexpected)" : " were unexpected)");
	}
	vec_fini(&others);
	return count == 0;
}

static bool is_object(struct look *l, const json_t *v, const struct schema_field *fields, size_t n)
{
	if (!json_is_object(v))
		return wrong(l, v, "is not of type 'object'");
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_object_get(v, fields[i].name);
		const char *outer = l->path;
		if (!item || !known(l, &fields[i]))
			continue;
		l->path = fields[i].name;
		if (!is_value(l, item, &fields[i]))
			return false;
		l->path = outer;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].flags & SCHEMA_REQUIRED && known(l, &fields[i]) &&
			!json_object_get(v, fields[i].name)) {
			l->value = v;
			buf_printf(&l->message, "'%s' is a required property", fields[i].name);
			return false;
		}
	return no_others(l, v, fields, n);
}

bool schema_check(struct call *c, const struct schema_field *fields, size_t n)
{
	struct look l = {.c = c, .message = BUF(MESSAGE_MAX)};
	struct buf value = BUF(MESSAGE_MAX);
	const bool good = is_object(&l, c->body ? c->body : json_null(), fields, n);

	if (!good && l.path && !l.bare) {
		python_str(&value, l.value);
		call_fail(c, 400, NULL, "Invalid input for field/attribute %s. Value: %s. %s",
			l.path, buf_str(&value), buf_str(&l.message));
	} else if (!good) {
		call_fail(c, 400, NULL, "%s", buf_str(&l.message));
	}
	buf_fini(&value);
	buf_fini(&l.message);
	return good;
}
