/*
 * network_attr.c - neutron's checking of bodies: unknown attributes, what may be set when, types.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/network.h"
#include "sim/python.h"
#include "sim/state.h"

static const struct attr common[] = {
	{"id", ATTR_UUID, 0},
	{"project_id", ATTR_TEXT, ATTR_POST},
	{"tenant_id", ATTR_TEXT, ATTR_POST},
	{"description", ATTR_TEXT, ATTR_POST | ATTR_PUT, "\"\""},
	{"created_at", ATTR_TEXT, 0},
	{"updated_at", ATTR_TEXT, 0},
	{"revision_number", ATTR_INT, 0},
};

static const struct attr tags = {"tags", ATTR_LIST, 0};

static const struct attr *find(const struct resource *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->attrs[i].name, name))
			return &r->attrs[i];
	for (size_t i = 0; i < array_len(common); i++)
		if (!strcmp(common[i].name, name))
			return &common[i];
	return r->tags && !strcmp(name, "tags") ? &tags : NULL;
}

/* --- types ------------------------------------------------------------------------------------ */

/* Python's str() of a value, near enough for a message. Returns owned. */
static char *shown(const json_t *v)
{
	if (json_is_string(v))
		return mem_strdup(json_string_value(v));
	if (json_is_null(v))
		return mem_strdup("None");
	return json_text(v);
}

static bool invalid(struct call *c, const char *attr, const json_t *v, const char *why)
{
	char *text = shown(v);

	call_fail(c, 400, "HTTPBadRequest", "Invalid input for %s. Reason: '%s' %s.", attr, text,
		why);
	free(text);
	return false;
}

static bool no_conversion(struct call *c, const json_t *v, const char *what)
{
	char *text = shown(v);

	call_fail(c, 400, "InvalidInput",
		"Invalid input for operation: '%s' cannot be converted to %s.", text, what);
	free(text);
	return false;
}

static bool check_bool(struct call *c, json_t *in, const char *name, const json_t *v)
{
	static const char *const yes[] = {"true", "True", "TRUE", "1"};
	static const char *const no[] = {"false", "False", "FALSE", "0"};
	int known = json_is_boolean(v) ? json_is_true(v) : -1;

	if (json_is_integer(v) && (json_integer_value(v) == 0 || json_integer_value(v) == 1))
		known = (int)json_integer_value(v);
	for (size_t i = 0; json_is_string(v) && i < array_len(yes); i++) {
		if (!strcmp(json_string_value(v), yes[i]))
			known = 1;
		if (!strcmp(json_string_value(v), no[i]))
			known = 0;
	}
	if (known < 0)
		return no_conversion(c, v, "boolean");
	json_object_set_new(in, name, json_boolean(known));
	return true;
}

static bool check_int(struct call *c, json_t *in, const char *name, const json_t *v)
{
	char *end;

	if (json_is_integer(v) || json_is_null(v))
		return true;
	if (!json_is_string(v))
		return no_conversion(c, v, "integer");
	long long n = strtoll(json_string_value(v), &end, 10);
	if (!*json_string_value(v) || *end)
		return no_conversion(c, v, "integer");
	json_object_set_new(in, name, json_integer(n));
	return true;
}

static bool check_text(struct call *c, const char *name, const json_t *v)
{
	if (!json_is_string(v))
		return invalid(c, name, v, "is not a valid string");
	return utf8_length(slice_of(json_string_value(v))) <= 255 ||
	       invalid(c, name, v, "exceeds maximum length of 255");
}

static bool check_uuids(struct call *c, const char *name, const json_t *v)
{
	size_t i;
	json_t *item;

	if (!json_is_array(v))
		return invalid(c, name, v, "is not a list");
	json_array_foreach (v, i, item)
		if (!python_is_uuid(item))
			return invalid(c, name, item, "is not a valid UUID");
	return true;
}

static bool check_ip(struct call *c, const char *name, const json_t *v)
{
	struct ip a;

	return json_is_null(v) || ip_parse(json_string_value(v), &a) ||
	       invalid(c, name, v, "is not a valid IP address");
}

static bool not_cidr(struct call *c, const json_t *v)
{
	char *text = shown(v);

	call_fail(c, 400, "InvalidInput",
		"Invalid input for operation: %s is not in a CIDR format.", text);
	free(text);
	return false;
}

static bool check_cidr(struct call *c, json_t *in, const char *name, const json_t *v)
{
	struct prefix p;
	char text[IP_TEXT];

	if (json_is_null(v))
		return true;
	if (!json_is_string(v) || !prefix_parse(json_string_value(v), &p, NULL))
		return not_cidr(c, v);
	json_object_set_new(in, name, json_string(prefix_text(p, text)));
	return true;
}

static bool check_words(struct call *c, const struct attr *a, const json_t *v)
{
	char *text = shown(v);
	struct slice rest = slice_of(a->words), word;
	bool known = json_is_null(v);

	while (slice_next(&rest, ' ', &word))
		known = known || slice_is(word, text);
	known = known || json_is_null(v);
	if (!known) /* it means to list them */
		call_fail(c, 400, "HTTPBadRequest",
			"Invalid input for %s. Reason: %s is not in valid_values.", a->name, text);
	free(text);
	return known;
}

static bool check_name(struct call *c, const char *name, const json_t *v)
{
	if (!check_text(c, name, v))
		return false;
	if (strcasecmp(json_string_value(v), "default"))
		return true;
	call_fail(c, 409, "SecurityGroupDefaultAlreadyExists",
		"Default security group already exists.");
	return false;
}

static bool check_value(struct call *c, const struct attr *a, json_t *in)
{
	json_t *v = json_object_get(in, a->name);

	switch (a->type) {
	case ATTR_BOOL: return check_bool(c, in, a->name, v);
	case ATTR_INT: return check_int(c, in, a->name, v);
	case ATTR_TEXT: return check_text(c, a->name, v);
	case ATTR_FREE_NAME: return check_name(c, a->name, v);
	case ATTR_UUID: return python_is_uuid(v) || invalid(c, a->name, v, "is not a valid UUID");
	case ATTR_UUID_OR_NULL:
		return json_is_null(v) || python_is_uuid(v) ||
		       invalid(c, a->name, v, "is not a valid UUID");
	case ATTR_UUIDS: return json_is_null(v) || check_uuids(c, a->name, v);
	case ATTR_IP_OR_NULL: return check_ip(c, a->name, v);
	case ATTR_CIDR: return check_cidr(c, in, a->name, v);
	case ATTR_WORDS: return check_words(c, a, v);
	case ATTR_LIST:
		return json_is_null(v) || json_is_array(v) ||
		       invalid(c, a->name, v, "is not a list");
	case ATTR_MAP_OR_NULL:
		return json_is_null(v) || json_is_object(v) ||
		       invalid(c, a->name, v, "is not a dictionary");
	case ATTR_ANY: break;
	}
	return true;
}

/* --- the body --------------------------------------------------------------------------------- */

static bool all_known(struct call *c, const struct resource *r, const json_t *in)
{
	struct buf unknown = BUF(4096);
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)in, key, value)
		if (!find(r, key))
			buf_printf(&unknown, "%s%s", unknown.n ? ", " : "", key);
	bool good = unknown.n == 0;
	if (!good)
		call_fail(c, 400, "HTTPBadRequest", "Unrecognized attribute(s) '%s'",
			buf_str(&unknown));
	buf_fini(&unknown);
	return good;
}

static bool own_project(struct call *c, const json_t *in)
{
	const char *keys[] = {"project_id", "tenant_id"};

	for (size_t i = 0; i < array_len(keys); i++) {
		const char *p = json_str(in, keys[i]);
		if (p && strcmp(p, c->project)) {
			call_fail(c, 400, "HTTPBadRequest",
				"Specifying 'project_id' or 'tenant_id' other than the "
				"authenticated project in request requires admin or advsvc privileges");
			return false;
		}
	}
	return true;
}

static bool may_set(struct call *c, const struct resource *r, const struct attr *a, bool create)
{
	const char *verb = create ? "create" : "update";

	if (!(a->flags & (create ? ATTR_POST : ATTR_PUT))) {
		call_fail(c, 400, "HTTPBadRequest",
			create ? "Attribute '%s' not allowed in POST"
			       : "Cannot update read-only attribute %s",
			a->name);
		return false;
	}
	if (a->flags & ATTR_ADMIN) {
		call_fail(c, 403, "PolicyNotAuthorized",
			"(rule:%s_%s and rule:%s_%s:%s) is disallowed by policy", verb, r->name,
			verb, r->name, a->name);
		return false;
	}
	return true;
}

static bool check_all(struct call *c, const struct resource *r, json_t *in, bool create)
{
	const char *key;
	json_t *value;
	json_t *given = json_copy(in); /* checking converts values in `in` */
	bool good = true;

	json_object_foreach (given, key, value) {
		const struct attr *a = find(r, key);
		good = may_set(c, r, a, create) && check_value(c, a, in);
		if (!good)
			break;
	}
	json_decref(given);
	return good;
}

static bool fill(struct call *c, const struct resource *r, json_t *in)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct attr *a = &r->attrs[i];

		if (json_object_get(in, a->name))
			continue;
		if (a->flags & ATTR_REQUIRED) {
			call_fail(c, 400, "HTTPBadRequest",
				"Failed to parse request. Required attribute '%s' not specified",
				a->name);
			return false;
		}
		if (a->otherwise)
			json_object_set_new(
				in, a->name, json_loads(a->otherwise, JSON_DECODE_ANY, NULL));
	}
	return true;
}

json_t *attrs_check(struct call *c, const struct resource *r, const json_t *body, bool create)
{
	json_t *in = json_deep_copy(body);

	if (all_known(c, r, in) && (!create || own_project(c, in)) && check_all(c, r, in, create) &&
		(!create || fill(c, r, in))) {
		json_object_del(in, "project_id");
		json_object_del(in, "tenant_id");
		return in;
	}
	json_decref(in);
	return NULL;
}
