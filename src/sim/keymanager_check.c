/*
 * keymanager_check.c - what barbican's schemas say of new secrets, containers and orders, in their
 * words.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/keymanager.h"
#include "sim/python.h"
#include "sim/state.h"

#define BITS_MAX 32767

static bool refuse(struct call *c, const char *schema, const char *property, const char *fmt, ...)
	like_printf(4, 5);

static bool refuse(struct call *c, const char *schema, const char *property, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *why = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 400, NULL,
		"Provided object does not match schema '%s': %s. Invalid property: '%s'", schema,
		why, property);
	free(why);
	return false;
}

/* "VALUE is …", as jsonschema words it. */
static bool refuse_value(struct call *c, const char *schema, const char *property,
	const json_t *value, const char *is)
{
	char *text = python_repr_text(value);
	const bool good = refuse(c, schema, property, "%s %s", text, is);

	free(text);
	return good;
}

static bool is_object(struct call *c, const char *schema)
{
	if (json_is_object(c->body))
		return true;
	if (!c->body) {
		call_fail(c, 400, NULL, "Malformed JSON");
		return false;
	}
	return refuse_value(c, schema, "None", c->body, "is not of type 'object'");
}

static bool in_words(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

static bool text_good(struct call *c, const char *schema, const char *key, bool null)
{
	const json_t *v = json_object_get(c->body, key);
	const char *text = json_string_value(v);

	if (!v || (null && json_is_null(v)))
		return true;
	if (!text)
		return refuse_value(c, schema, key, v,
			null ? "is not of type 'string', 'null'" : "is not of type 'string'");
	return strlen(text) <= 255 || !strcmp(key, "payload") ||
	       refuse_value(c, schema, key, v, "is too long");
}

/* --- secrets -----------------------------------------------------------------------------------
 */

#define SECRET "Secret"

static bool types_good(struct call *c)
{
	static const char *const types[] = {
		"symmetric", "passphrase", "private", "public", "certificate", "opaque"};
	const json_t *type = json_object_get(c->body, "secret_type"),
		     *bits = json_object_get(c->body, "bit_length");

	if (!text_good(c, SECRET, "name", true) || !text_good(c, SECRET, "algorithm", false) ||
		!text_good(c, SECRET, "mode", false) || !text_good(c, SECRET, "payload", false) ||
		!text_good(c, SECRET, "payload_content_type", true) ||
		!text_good(c, SECRET, "payload_content_encoding", true))
		return false;
	if (bits && !json_is_integer(bits))
		return refuse_value(c, SECRET, "bit_length", bits, "is not of type 'integer'");
	if (bits && json_integer_value(bits) < 1)
		return refuse_value(c, SECRET, "bit_length", bits, "is less than the minimum of 1");
	if (bits && json_integer_value(bits) > BITS_MAX)
		return refuse_value(
			c, SECRET, "bit_length", bits, "is greater than the maximum of 32767");
	if (type && (!json_is_string(type) ||
			    !in_words(json_string_value(type), types, array_len(types))))
		return refuse_value(c, SECRET, "secret_type", type,
			"is not one of ['symmetric', 'passphrase', 'private', 'public', "
			"'certificate', 'opaque']");
	return true;
}

static bool expiration_good(struct call *c)
{
	const json_t *v = json_object_get(c->body, "expiration");
	const char *text = json_string_value(v);
	int64_t us;

	if (!v || json_is_null(v) || (text && !*text))
		return true;
	char *zoned = mem_printf("%sZ", text ? text : "");
	const bool good =
		text && (clock_parse_rfc3339(text, &us) || clock_parse_rfc3339(zoned, &us));
	free(zoned);
	if (!good)
		return refuse(c, SECRET, "expiration", "Invalid date for 'expiration'");
	return us > clock_unix_us(loop_clock(c->sim->loop)) ||
	       refuse(c, SECRET, "expiration", "'expiration' is before current time");
}

static bool encoding_good(struct call *c, const char *type)
{
	const char *encoding = json_str(c->body, "payload_content_encoding");

	if (!strncmp(type, "text/plain", 10))
		return !encoding || refuse(c, SECRET, "payload_content_encoding",
					    "payload_content_encoding is not one of None");
	return (encoding && (!strcmp(encoding, "base64") || !strcmp(encoding, "binary"))) ||
	       refuse(c, SECRET, "payload_content_encoding",
		       "payload_content_encoding is not one of ['base64', 'binary']");
}

static bool payload_good(struct call *c)
{
	static const char *const types[] = {"text/plain", "text/plain;charset=utf-8",
		"text/plain; charset=utf-8", "application/octet-stream", "application/pkcs8"};
	const char *payload = json_str(c->body, "payload"),
		   *type = json_str(c->body, "payload_content_type");

	if (!payload)
		return !type || refuse(c, SECRET, "payload",
					"payload must be provided when payload_content_type is "
					"specified");
	if (slice_trim(slice_of(payload)).n == 0)
		return refuse(c, SECRET, "payload", "If 'payload' specified, must be non empty");
	if (strlen(payload) > PAYLOAD_MAX) {
		call_fail(c, 413, NULL, "Provided information too large to process");
		return false;
	}
	if (!type)
		return refuse(c, SECRET, "payload_content_type",
			"If 'payload' is supplied, 'payload_content_type' must also be supplied.");
	if (!in_words(type, types, array_len(types)))
		return refuse(c, SECRET, "payload_content_type",
			"payload_content_type is not one of ['text/plain', "
			"'text/plain;charset=utf-8', 'text/plain; charset=utf-8', "
			"'application/octet-stream', 'application/pkcs8']");
	return encoding_good(c, type);
}

bool keymanager_check(struct call *c)
{
	return is_object(c, SECRET) && types_good(c) && expiration_good(c) && payload_good(c);
}

/* --- containers and orders ---------------------------------------------------------------------
 */

#define CONTAINER "Container"
#define ORDER     "Order"

/* The id at the end of a secret's URL, "" when it is none of this service's. */
static const char *id_in(const struct call *c, const json_t *ref)
{
	const char *url = json_str(ref, "secret_ref");
	char *base = keymanager_ref(c, "secrets", "");
	const bool ours = url && !strncmp(url, base, strlen(base));

	free(base);
	return ours ? strrchr(url, '/') + 1 : "";
}

static bool refs_good(struct call *c, const json_t *refs)
{
	size_t i, k;
	json_t *ref, *other;

	json_array_foreach (refs, i, ref) {
		const char *id = id_in(c, ref);
		const struct object *o = object_get(c->sim, KIND_SECRET, id);
		if (!*id) {
			call_fail(c, 400, NULL, "Provided field value is not supported");
			return false;
		}
		json_array_foreach (refs, k, other)
			if (k < i && !strcmp(id_in(c, other), id))
				return refuse(c, CONTAINER, "secret_refs",
					"Duplicate secret ids are not allowed");
		if (o && !strcmp(o->project, c->project))
			continue;
		call_fail(c, 404, NULL, "Secret provided for '%s' doesn't exist.",
			json_str(ref, "name") ? json_str(ref, "name") : "None");
		return false;
	}
	return true;
}

bool keymanager_check_container(struct call *c)
{
	static const char *const types[] = {"generic", "rsa", "certificate"};
	const json_t *type = json_object_get(c->body, "type"),
		     *refs = json_object_get(c->body, "secret_refs");

	if (!is_object(c, CONTAINER))
		return false;
	if (!type)
		return refuse(c, CONTAINER, "None", "'type' is a required property");
	if (!json_is_string(type) || !in_words(json_string_value(type), types, array_len(types)))
		return refuse_value(c, CONTAINER, "type", type,
			"is not one of ['generic', 'rsa', 'certificate']");
	if (!text_good(c, CONTAINER, "name", true))
		return false;
	if (refs && !json_is_array(refs))
		return refuse_value(c, CONTAINER, "secret_refs", refs, "is not of type 'array'");
	return refs_good(c, refs);
}

bool keymanager_check_order(struct call *c)
{
	static const char *const types[] = {"key", "asymmetric", "certificate"};
	const json_t *type = json_object_get(c->body, "type"),
		     *meta = json_object_get(c->body, "meta");

	if (!is_object(c, ORDER))
		return false;
	if (!type)
		return refuse(c, ORDER, "type", "'type' is a required property");
	if (!json_is_string(type) || !in_words(json_string_value(type), types, array_len(types)))
		return refuse_value(c, ORDER, "type", type,
			"is not one of ['key', 'asymmetric', 'certificate']");
	if (!json_is_object(meta))
		return refuse(c, ORDER, "meta", "'meta' is a required property");
	if (!json_str(meta, "algorithm"))
		return refuse(c, ORDER, "meta", "'algorithm' is required field for %s type order",
			json_string_value(type));
	return json_is_integer(json_object_get(meta, "bit_length")) ||
	       refuse(c, ORDER, "meta", "'bit_length' is required field for %s type order",
		       json_string_value(type));
}
