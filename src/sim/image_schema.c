/*
 * image_schema.c - what an image is made of: one table for the checks, the defaults and the schema
 * documents that clients read.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/image.h"
#include "sim/python.h"

#define TEXT_LONGEST 255
#define RO           IMAGE_READONLY
#define UUID_PATTERN                                                                               \
	"^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"

static const struct image_attr attrs[] = {
	{"name", IMAGE_TEXT, IMAGE_NULL, "null", NULL, "Descriptive name for the image"},
	{"disk_format", IMAGE_WORDS, IMAGE_NULL, "null",
		"ami ari aki vhd vhdx vmdk raw qcow2 vdi iso ploop", "Format of the disk"},
	{"container_format", IMAGE_WORDS, IMAGE_NULL, "null",
		"ami ari aki bare ovf ova docker compressed", "Format of the container"},
	{"visibility", IMAGE_WORDS, 0, "\"shared\"", "community public private shared",
		"Scope of image accessibility"},
	{"size", IMAGE_INT, RO | IMAGE_NULL, "null", NULL, "Size of image file in bytes"},
	{"virtual_size", IMAGE_INT, RO | IMAGE_NULL, "null", NULL,
		"Virtual size of image in bytes"},
	{"status", IMAGE_WORDS, RO, "\"queued\"",
		"queued saving active killed deleted uploading importing pending_delete deactivated",
		"Status of the image"},
	{"checksum", IMAGE_TEXT, RO | IMAGE_NULL, "null", NULL, "md5 hash of image contents."},
	{"protected", IMAGE_BOOL, 0, "false", NULL, "If true, image will not be deletable."},
	{"min_ram", IMAGE_INT, 0, "0", NULL, "Amount of ram (in MB) required to boot image."},
	{"min_disk", IMAGE_INT, 0, "0", NULL,
		"Amount of disk space (in GB) required to boot image."},
	{"owner", IMAGE_TEXT, IMAGE_NULL, "null", NULL, "Owner of the image"},
	{"os_hidden", IMAGE_BOOL, 0, "false", NULL,
		"If true, image will not appear in default image list response."},
	{"os_hash_algo", IMAGE_TEXT, RO | IMAGE_NULL, "null", NULL,
		"Algorithm to calculate the os_hash_value"},
	{"os_hash_value", IMAGE_TEXT, RO | IMAGE_NULL, "null", NULL,
		"Hexdigest of the image contents using the algorithm specified by the "
		"os_hash_algo"},
	{"id", IMAGE_UUID, 0, NULL, NULL, "An identifier for the image"},
	{"created_at", IMAGE_TEXT, RO, NULL, NULL, "Date and time of image registration"},
	{"updated_at", IMAGE_TEXT, RO, NULL, NULL, "Date and time of the last image modification"},
	{"tags", IMAGE_TAGS, 0, "[]", NULL, "List of strings related to the image"},
	{"direct_url", IMAGE_TEXT, RO, NULL, NULL,
		"URL to access the image file kept in external store"},
	{"self", IMAGE_TEXT, RO, NULL, NULL, "An image self url"},
	{"file", IMAGE_TEXT, RO, NULL, NULL, "An image file url"},
	{"schema", IMAGE_TEXT, RO, NULL, NULL, "An image schema url"},
	{"stores", IMAGE_TEXT, RO, NULL, NULL, "Store in which image data resides."},
	{"locations", IMAGE_TEXT, RO, NULL, NULL,
		"A set of URLs to access the image file kept in external store"},
};

const struct image_attr *image_attrs(size_t *ret_n)
{
	*ret_n = array_len(attrs);
	return attrs;
}

const struct image_attr *image_attr(const char *name)
{
	for (size_t i = 0; i < array_len(attrs); i++)
		if (!strcmp(attrs[i].name, name))
			return &attrs[i];
	return NULL;
}

/* --- checking ----------------------------------------------------------------------------------
 */

static bool refuse(struct call *c, const char *name, const json_t *v, const char *why)
{
	char *repr = python_repr_text(v);

	call_fail(c, 400, NULL,
		"Provided object does not match schema 'image': %s %s\n\nOn instance['%s']:\n    "
		"%s",
		repr, why, name, repr);
	free(repr);
	return false;
}

static bool refuse_type(
	struct call *c, const struct image_attr *a, const char *name, const json_t *v)
{
	static const char *const types[] = {[IMAGE_TEXT] = "'string'",
		[IMAGE_INT] = "'integer'",
		[IMAGE_BOOL] = "'boolean'",
		[IMAGE_UUID] = "'string'",
		[IMAGE_WORDS] = "'string'",
		[IMAGE_TAGS] = "'array'"};
	char *why = mem_printf("is not of type %s%s", a && a->flags & IMAGE_NULL ? "'null', " : "",
		types[a ? a->type : IMAGE_TEXT]);

	refuse(c, name, v, why);
	free(why);
	return false;
}

static bool check_text(struct call *c, const char *name, const json_t *v)
{
	return utf8_length(slice_of(json_string_value(v))) <= TEXT_LONGEST ||
	       refuse(c, name, v, "is too long");
}

/* 8-4-4-4-12, unlike what cinder and neutron take */
static bool check_uuid(struct call *c, const char *name, const json_t *v)
{
	const char *s = json_string_value(v);
	bool good = strlen(s) == 36;

	for (size_t i = 0; good && i < 36; i++)
		good = i == 8 || i == 13 || i == 18 || i == 23
			       ? s[i] == '-'
			       : strchr("0123456789abcdefABCDEF", s[i]) != NULL;
	return good || refuse(c, name, v, "does not match '" UUID_PATTERN "'");
}

static bool check_words(struct call *c, const struct image_attr *a, const json_t *v)
{
	struct slice rest = slice_of(a->words), word;
	struct buf why = BUF(1024);
	const char *sep = "";
	bool known = false;

	buf_printf(&why, "is not one of [%s", a->flags & IMAGE_NULL ? "None" : "");
	if (a->flags & IMAGE_NULL)
		sep = ", ";
	while (slice_next(&rest, ' ', &word)) {
		known = known || slice_is(word, json_string_value(v));
		buf_printf(&why, "%s'%.*s'", sep, SLICE_ARG(word));
		sep = ", ";
	}
	buf_add_char(&why, ']');
	if (!known)
		refuse(c, a->name, v, buf_str(&why));
	buf_fini(&why);
	return known;
}

static bool check_tags(struct call *c, const json_t *v)
{
	size_t i;
	json_t *tag;

	json_array_foreach (v, i, tag) {
		if (!json_is_string(tag))
			return refuse_type(c, NULL, "tags", tag);
		if (!check_text(c, "tags", tag))
			return false;
	}
	return true;
}

static bool check_int(struct call *c, const char *name, const json_t *v)
{
	if (json_integer_value(v) >= 0)
		return true;
	call_fail(c, 400, NULL,
		"Invalid value '%lld' for parameter '%s': Cannot be a negative value",
		(long long)json_integer_value(v), name);
	return false;
}

static bool type_fits(const struct image_attr *a, const json_t *v)
{
	if (json_is_null(v))
		return a && a->flags & IMAGE_NULL;
	switch (a ? a->type : IMAGE_TEXT) {
	case IMAGE_INT: return json_is_integer(v);
	case IMAGE_BOOL: return json_is_boolean(v);
	case IMAGE_TAGS: return json_is_array(v);
	case IMAGE_TEXT:
	case IMAGE_UUID:
	case IMAGE_WORDS: break;
	}
	return json_is_string(v);
}

static bool check_content(
	struct call *c, const struct image_attr *a, const char *name, const json_t *v)
{
	if (!a || json_is_null(v))
		return true; /* a property may be of any length */
	switch (a->type) {
	case IMAGE_TEXT: return check_text(c, name, v);
	case IMAGE_INT: return check_int(c, name, v);
	case IMAGE_UUID: return check_uuid(c, name, v);
	case IMAGE_WORDS: return check_words(c, a, v);
	case IMAGE_TAGS: return check_tags(c, v);
	case IMAGE_BOOL: break;
	}
	return true;
}

bool image_check(struct call *c, const char *name, const json_t *value)
{
	const struct image_attr *a = image_attr(name);

	if (a && a->flags & IMAGE_READONLY) {
		call_fail(c, 403, NULL, "Attribute '%s' is read-only.", name);
		return false;
	}
	if (!type_fits(a, value))
		return refuse_type(c, a, name, value);
	if (!check_content(c, a, name, value))
		return false;
	if (!strcmp(name, "visibility") && !strcmp(json_string_value(value), "public")) {
		call_fail(
			c, 403, NULL, "You are not authorized to complete publicize_image action.");
		return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(
		json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

json_t *image_tags(const json_t *list)
{
	const size_t n = json_array_size(list);
	json_t **sorted = mem_new_array(n ? n : 1, sizeof(*sorted)), *out = json_array();

	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare(&sorted[i], &sorted[i - 1]))
			json_array_append(out, sorted[i]);
	free(sorted);
	return out;
}

/* --- documents ---------------------------------------------------------------------------------
 */

static json_t *attr_schema(const struct image_attr *a)
{
	static const char *const types[] = {[IMAGE_TEXT] = "string",
		[IMAGE_INT] = "integer",
		[IMAGE_BOOL] = "boolean",
		[IMAGE_UUID] = "string",
		[IMAGE_WORDS] = "string",
		[IMAGE_TAGS] = "array"};
	json_t *out = json_pack("{s:s}", "description", a->help);
	struct slice rest = slice_of(a->words), word;

	if (a->flags & IMAGE_NULL)
		json_object_set_new(out, "type", json_pack("[s, s]", "null", types[a->type]));
	else
		json_object_set_new(out, "type", json_string(types[a->type]));
	if (a->flags & IMAGE_READONLY)
		json_object_set_new(out, "readOnly", json_true());
	if (a->type == IMAGE_UUID)
		json_object_set_new(out, "pattern", json_string(UUID_PATTERN));
	if (a->type == IMAGE_TAGS)
		json_object_set_new(out, "items",
			json_pack("{s:s, s:i}", "type", "string", "maxLength", TEXT_LONGEST));
	if (!a->words)
		return out;
	json_t *words = json_array();
	if (a->flags & IMAGE_NULL)
		json_array_append_new(words, json_null());
	while (slice_next(&rest, ' ', &word))
		json_array_append_new(words, json_stringn(word.p, word.n));
	json_object_set_new(out, "enum", words);
	return out;
}

static json_t *schema(void)
{
	json_t *properties = json_object();

	for (size_t i = 0; i < array_len(attrs); i++)
		json_object_set_new(properties, attrs[i].name, attr_schema(&attrs[i]));
	return json_pack("{s:s, s:o, s:{s:s}, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "name",
		"image", "properties", properties, "additionalProperties", "type", "string",
		"links", "rel", "self", "href", "{self}", "rel", "enclosure", "href", "{file}",
		"rel", "describedby", "href", "{schema}");
}

void image_schema(struct call *c)
{
	call_json(c, 200, schema());
}

void image_schema_list(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:s}, s:{s:s}, s:{s:s}}, "
			  "s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}",
			"name", "images", "properties", "images", "type", "array", "items",
			schema(), "first", "type", "string", "next", "type", "string", "schema",
			"type", "string", "links", "rel", "first", "href", "{first}", "rel", "next",
			"href", "{next}", "rel", "describedby", "href", "{schema}"));
}
