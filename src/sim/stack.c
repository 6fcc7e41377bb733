/*
 * stack.c - heat v1: the routes, stacks from their POST to their DELETE.
 * API: https://docs.openstack.org/api-ref/orchestration/v1/
 */

#include "sim/stack.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/record.h"
#include "sim/route.h"
#include "sim/state.h"

#define NAME_LIMIT 255

/* --- errors ------------------------------------------------------------------------------------
 */

static const char *explanation(int status)
{
	switch (status) {
	case 400:
		return "The server could not comply with the request since it is either malformed "
		       "or otherwise incorrect.";
	case 403: return "Access was denied to this resource.";
	case 404: return "The resource could not be found.";
	case 405: return "The method is not allowed for this resource.";
	case 409: return "There was a conflict when trying to complete your request.";
	case 503: return "The server is currently unavailable. Please try again at a later time.";
	default:
		return "The server has either erred or is incapable of performing the requested "
		       "operation.";
	}
}

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	json_t *error = json_pack("{s:s, s:n}", "type",
		type            ? type
		: status >= 500 ? "RemoteError"
				: "HTTPError",
		"traceback");

	if (*message)
		json_object_set_new(error, "message", json_string(message));
	return json_pack("{s:i, s:s, s:s, s:o}", "code", status, "title", call_status_title(status),
		"explanation", explanation(status), "error", error);
}

void stack_fail(struct call *c, int status, const char *type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, status, type, "%s", text);
	free(text);
}

void stack_invalid(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 400, "StackValidationFailed", "%s", text);
	free(text);
}

/* --- around them -------------------------------------------------------------------------------
 */

static void list_versions(struct call *c)
{
	char *url = mem_printf("%s/orchestration/v1/", call_url(c));

	call_json(c, 300,
		json_pack("{s:[{s:s, s:s, s:[{s:s, s:s}]}]}", "versions", "id", "v1.0", "status",
			"CURRENT", "links", "rel", "self", "href", url));
	free(url);
}

/* What heat leaves to its framework: nothing lies at its endpoint itself. */
static void nothing_here(struct call *c)
{
	call_fail_webob(c, 404, "The resource could not be found.", "");
}

static void build_info(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:{s:s}, s:{s:s}}", "api", "revision", "unknown", "engine", "revision",
			"unknown"));
}

static void list_services(struct call *c)
{
	stack_fail(c, 403, "Forbidden", "You are not authorized to use service:index.");
}

/* The project of the path is that of the token; heat says 403 otherwise. */
static bool own(struct call *c)
{
	if (!strcmp(c->params[0], c->project))
		return true;
	stack_fail(c, 403, "Forbidden", "You are not authorized to complete this action.");
	return false;
}

/* --- finding -----------------------------------------------------------------------------------
 */

/* By id, or by name if it is not deleted. */
static struct object *find(struct call *c, const char *name)
{
	struct object *o = object_get(c->sim, KIND_STACK, name);

	if (o && !strcmp(o->project, c->project))
		return o;
	OBJECT_EACH (c->sim, KIND_STACK, other)
		if (!strcmp(other->project, c->project) && !other->gone &&
			!strcmp(object_str(other, "stack_name"), name))
			return other;
	return NULL;
}

static struct object *not_found(struct call *c)
{
	if (!call_answered(c))
		stack_fail(c, 404, "EntityNotFound", "The Stack (%s) could not be found.",
			c->params[1]);
	return NULL;
}

struct object *stack_of(struct call *c)
{
	struct object *o = own(c) ? object_get(c->sim, KIND_STACK, c->params[2]) : NULL;

	return o && !strcmp(o->project, c->project) &&
			       !strcmp(object_str(o, "stack_name"), c->params[1])
		       ? o
		       : not_found(c);
}

char *stack_url(const struct call *c, const struct object *stack)
{
	return mem_printf("%s/orchestration/v1/%s/stacks/%s/%s", call_url(c), stack->project,
		object_str(stack, "stack_name"), stack->id);
}

/* Whoever names it otherwise than NAME/ID is sent there, with whatever method. */
static void redirect(struct call *c)
{
	const struct object *o = own(c) ? find(c, c->params[1]) : NULL;
	const char *rest = c->path + strlen("/v1/") + strlen(c->params[0]) + strlen("/stacks/");

	if (!o) {
		not_found(c);
		return;
	}
	char *url = stack_url(c, o),
	     *whole = mem_printf("%s%s", url, strchr(rest, '/') ? strchr(rest, '/') : ""),
	     *message = mem_printf(
		     "The resource was found at <a href=\"%s\">%s</a>; you should be "
		     "redirected automatically.\n\n\n",
		     whole, whole),
	     *text = mem_printf(
		     "302 Found\n\nThe resource was found at %s; you should be "
		     "redirected automatically.  ",
		     whole);
	call_header(c, "Location", "%s", whole);
	/* as its framework does, by what the client accepts */
	if (call_welcomes(c, "application/json") > call_welcomes(c, "text/html"))
		call_json(c, 302,
			json_pack("{s:s, s:s, s:s}", "message", message, "code", "302 Found",
				"title", "Found"));
	else
		call_text(c, 302, "text/plain; charset=UTF-8", text);
	free(message);
	free(url);
	free(whole);
	free(text);
}

/* --- making ------------------------------------------------------------------------------------
 */

static bool name_good(struct call *c, const char *name)
{
	bool good = isalpha((unsigned char)*name) && strlen(name) <= NAME_LIMIT;

	for (const char *p = name; *p; p++)
		good = good && (isalnum((unsigned char)*p) || strchr("_-.", *p));
	if (!good)
		stack_invalid(c,
			"Invalid stack name %s must contain only alphanumeric or \"_-.\" "
			"characters, must start with alpha and must be 255 characters or less.",
			name);
	return good;
}

static bool room(struct call *c)
{
	const int64_t limit = c->sim->quota.stacks;
	int64_t used = 0;

	OBJECT_EACH (c->sim, KIND_STACK, o)
		used += !strcmp(o->project, c->project) && !o->gone;
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	stack_fail(c, 400, "RequestLimitExceeded",
		"Request limit exceeded: You have reached the maximum stacks per tenant, %lld. "
		"Please delete some stacks.",
		(long long)(limit < 0 ? used : limit));
	return false;
}

/* "a,b" as a list; false after a 400. NULL: not said. */
static bool read_tags(struct call *c, json_t **ret)
{
	const json_t *tags = json_object_get(c->body, "tags");
	struct slice rest = slice_of(json_string_value(tags)), tag;

	*ret = NULL;
	if (!tags || json_is_null(tags))
		return true;
	if (!json_is_string(tags)) {
		stack_fail(c, 400, "AttributeError", "%s", "");
		return false;
	}
	*ret = json_array();
	while (slice_next(&rest, ',', &tag))
		json_array_append_new(*ret, json_stringn(tag.p, tag.n));
	return true;
}

static bool read_timeout(struct call *c)
{
	const json_t *v = json_object_get(c->body, "timeout_mins");
	int64_t n;

	if (!v || json_is_null(v) || json_is_integer(v) ||
		(json_is_string(v) && units_parse_int(slice_of(json_string_value(v)), &n)))
		return true;
	stack_fail(c, 400, "HTTPBadRequest", "Only integer is acceptable by 'timeout_mins'.");
	return false;
}

/* true, false, or the texts of them. */
static bool read_rollback(struct call *c, bool *ret)
{
	const json_t *v = json_object_get(c->body, "disable_rollback");
	const char *text = json_string_value(v);

	*ret = !v || json_is_null(v) || json_is_true(v) || (text && !strcasecmp(text, "true"));
	if (!text || !strcasecmp(text, "true") || !strcasecmp(text, "false"))
		return true;
	stack_fail(c, 400, "ValueError", "%s", "");
	return false;
}

static void set_new(struct call *c, struct object *o, bool disable_rollback)
{
	char text[40];

	object_set_str(o, "stack_name", json_str(c->body, "stack_name"));
	object_set_str(o, "id", o->id);
	object_set_str(o, "creation_time", object_now(c->sim, text));
	object_set(o, "updated_time", json_null());
	object_set(o, "deletion_time", json_null());
	object_set(o, "disable_rollback", json_boolean(disable_rollback));
	json_t *minutes = json_object_get(c->body, "timeout_mins");
	object_set(o, "timeout_mins", minutes ? json_incref(minutes) : json_null());
	object_set_str(
		o, "stack_owner", object_str(object_get(c->sim, KIND_USER, c->user), "name"));
	object_set(o, "parent", json_null());
	object_set_str(o, "stack_user_project_id", draw_hex32(&c->sim->draw, "stack user", text));
	object_set(o, ".events", json_array());
	object_set(o, ".resources", json_array());
}

static void set_template(
	struct object *o, json_t *template, json_t *values, const json_t *given, json_t *tags)
{
	const char *description = json_str(template, "description");

	object_set(o, ".template", template);
	object_set(o, ".values", values);
	object_set(o, ".given", given ? json_deep_copy(given) : json_object());
	object_set_str(o, "description", description ? description : "No description");
	if (tags || !json_object_get(o->doc, "tags"))
		object_set(o, "tags", tags ? tags : json_array());
}

/* Reads the request's template and parameters; false when it has been answered. */
static bool read_template(struct call *c, const json_t *given, const json_t *parameters,
	json_t **ret_template, json_t **ret_values)
{
	*ret_template = stack_template_read(c, given);
	*ret_values = *ret_template ? stack_values(c, *ret_template, parameters) : NULL;
	if (*ret_values && stack_template_check(c, *ret_template, *ret_values))
		return true;
	json_decref(*ret_template);
	json_decref(*ret_values);
	return false;
}

static void create_stack(struct call *c)
{
	const char *name = json_str(c->body, "stack_name");
	const json_t *parameters = json_object_get(c->body, "parameters");
	json_t *template, *values, *tags;
	bool disable;

	if (!own(c))
		return;
	if (!name) {
		stack_fail(c, 400, "HTTPBadRequest", "No stack name specified");
		return;
	}
	if (!read_timeout(c) || !read_rollback(c, &disable) || !read_tags(c, &tags))
		return;
	if (!read_template(
		    c, json_object_get(c->body, "template"), parameters, &template, &values)) {
		json_decref(tags);
		return;
	}
	struct object *other = name_good(c, name) ? find(c, name) : NULL;
	if (other && !other->gone)
		stack_fail(c, 409, "StackExists", "The Stack (%s) already exists.", name);
	if (call_answered(c) || !room(c)) {
		json_decref(tags);
		json_decref(template);
		json_decref(values);
		return;
	}
	struct object *o = object_new(c->sim, KIND_STACK, NULL, c->project, c->user);
	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	o->stuck = call_hit(c, MISHAP_STUCK);
	object_set(o, ".error", json_boolean(call_hit(c, MISHAP_ERROR) != NULL));
	set_new(c, o, disable);
	set_template(o, template, values, parameters, tags);
	rule_created(c, o);
	stack_plan(o);
	stack_begin(o, "CREATE");
	char *url = stack_url(c, o);
	call_header(c, "Location", "%s", url);
	call_json(c, 201,
		json_pack("{s:{s:s, s:[{s:s, s:s}]}}", "stack", "id", o->id, "links", "href", url,
			"rel", "self"));
	free(url);
}

/* --- changing ----------------------------------------------------------------------------------
 */

static bool may_change(struct call *c, const struct object *o)
{
	const char *status = object_str(o, "stack_status");

	if (!strncmp(status, "DELETE_", 7))
		stack_fail(c, 400, "NotSupported",
			"Updating a stack when it is deleting is not supported.");
	else if (strstr(status, "_IN_PROGRESS"))
		stack_fail(c, 409, "ActionInProgress",
			"Stack %s already has an action (%.*s) in progress.",
			object_str(o, "stack_name"), (int)(strcspn(status, "_")), status);
	return !call_answered(c);
}

/* PUT takes a whole template; PATCH what differs, the rest stays. */
static void update_stack(struct call *c)
{
	struct object *o = stack_of(c);
	const bool patch = !strcmp(c->method, "PATCH");
	const json_t *given = json_object_get(c->body, "template");
	json_t *parameters =
		patch && o ? json_deep_copy(json_object_get(o->doc, ".given")) : json_object();
	json_t *template, *values, *tags;

	json_object_update(parameters, json_object_get(c->body, "parameters"));
	if (patch && (!given || json_is_null(given)) && o)
		given = json_object_get(o->doc, ".template");
	if (o && may_change(c, o) && read_timeout(c) && read_tags(c, &tags)) {
		if (read_template(c, given, parameters, &template, &values)) {
			rule_changed(c, o, false);
			o->stuck = call_hit(c, MISHAP_STUCK);
			object_set(o, ".error", json_boolean(call_hit(c, MISHAP_ERROR) != NULL));
			set_template(o, template, values, parameters, tags);
			stack_plan(o);
			stack_begin(o, "UPDATE");
			call_json(c, 202, json_null());
		} else {
			json_decref(tags);
		}
	}
	json_decref(parameters);
}

static void delete_stack(struct call *c)
{
	struct object *o = stack_of(c);

	if (!o)
		return;
	if (o->gone) {
		not_found(c);
		return;
	}
	rule_changed(c, o, true);
	o->stuck = call_hit(c, MISHAP_STUCK);
	object_set(o, ".error", json_boolean(call_hit(c, MISHAP_ERROR) != NULL));
	stack_begin_delete(o);
	call_empty(c, 204);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool has_tag(const struct object *o, const char *wanted)
{
	struct slice rest = slice_of(wanted), tag;

	while (slice_next(&rest, ',', &tag))
		if (!json_has_text(json_object_get(o->doc, "tags"), tag))
			return false;
	return true;
}

static bool fits(const struct call *c, const struct object *o)
{
	static const char *const filters[][2] = {{"name", "stack_name"},
		{"stack_name", "stack_name"}, {"id", "id"}, {"status", "stack_status"}};
	const char *tags = call_query(c, "tags"), *show = call_query(c, "show_deleted");

	for (size_t i = 0; i < array_len(filters); i++) {
		const char *wanted = call_query(c, filters[i][0]);
		if (wanted && strcmp(wanted, object_str(o, filters[i][1])))
			return false;
	}
	if (o->gone && !(show && !strcasecmp(show, "true")))
		return false;
	return !tags || has_tag(o, tags);
}

static void list_stacks(struct call *c)
{
	const char *text = call_query(c, "limit"), *marker = call_query(c, "marker");
	json_t *list = json_array();
	int64_t limit = INT64_MAX;
	bool past = !marker || !object_get(c->sim, KIND_STACK, marker);

	if (own(c) && text && !units_parse_int(slice_of(text), &limit))
		stack_fail(c, 400, "HTTPBadRequest", "Only integer is acceptable by 'limit'.");
	if (call_answered(c)) {
		json_decref(list);
		return;
	}
	OBJECT_EACH_BACK (c->sim, KIND_STACK, o) {
		if (strcmp(o->project, c->project) || !object_listed(o) || !fits(c, o))
			continue;
		if (past && (int64_t)json_array_size(list) < limit)
			json_array_append_new(list, stack_view(c, o, false));
		past = past || !strcmp(o->id, marker);
	}
	call_json(c, 200, json_pack("{s:o}", "stacks", list));
}

static void show_stack(struct call *c)
{
	const struct object *o = stack_of(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "stack", stack_view(c, o, true)));
}

static void show_template(struct call *c)
{
	const struct object *o = stack_of(c);

	if (o)
		call_json(c, 200, json_deep_copy(json_object_get(o->doc, ".template")));
}

static void show_environment(struct call *c)
{
	const struct object *o = stack_of(c);

	if (o)
		call_json(c, 200,
			json_pack("{s:{s:{}}, s:O, s:{}, s:[], s:[]}", "resource_registry",
				"resources", "parameters", json_object_get(o->doc, ".given"),
				"parameter_defaults", "event_sinks", "encrypted_param_names"));
}

static void validate(struct call *c)
{
	json_t *template =
		own(c) ? stack_template_read(c, json_object_get(c->body, "template")) : NULL;

	if (!template)
		return;
	const char *description = json_str(template, "description");
	if (stack_template_check(c, template, NULL))
		call_json(c, 200,
			json_pack("{s:s, s:o, s:{s:{s:{}}, s:{}, s:{}, s:[]}}", "Description",
				description ? description : "No description", "Parameters",
				stack_parameters_shown(template), "Environment",
				"resource_registry", "resources", "parameters",
				"parameter_defaults", "event_sinks"));
	json_decref(template);
}

#define STACKS "/v1/{}/stacks"
#define NAMED  STACKS "/{}"
#define STACK  NAMED "/{}"

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v1/{}", nothing_here, ROUTE_ENDPOINT},
	{"GET", "/v1/{}/build_info", build_info},
	{"GET", "/v1/{}/services", list_services},
	{"POST", "/v1/{}/validate", validate},
	{"GET", STACKS, list_stacks},
	{"POST", STACKS, create_stack, ROUTE_CREATE, TIME_STACK_REQUEST},
	{"GET", STACKS "/detail", list_stacks},
	{"GET", NAMED, redirect},
	{"PUT", NAMED, redirect},
	{"PATCH", NAMED, redirect},
	{"DELETE", NAMED, redirect},
	{"GET", NAMED "/resources", redirect},
	{"GET", NAMED "/events", redirect},
	{"GET", NAMED "/template", redirect},
	{"GET", NAMED "/outputs", redirect},
	{"GET", STACK, show_stack},
	{"PUT", STACK, update_stack, 0, TIME_STACK_REQUEST},
	{"PATCH", STACK, update_stack, 0, TIME_STACK_REQUEST},
	{"DELETE", STACK, delete_stack, 0, TIME_STACK_REQUEST},
	{"GET", STACK "/template", show_template},
	{"GET", STACK "/environment", show_environment},
	{"GET", STACK "/resources", stack_list_resources},
	{"GET", STACK "/resources/{}", stack_show_resource},
	{"GET", STACK "/resources/{}/events", stack_list_events},
	{"GET", STACK "/events", stack_list_events},
	{"GET", STACK "/outputs", stack_list_outputs},
	{"GET", STACK "/outputs/{}", stack_show_output},
	{"GET", "/{*}", nothing_here},
};

const struct service stack_service = {
	.name = "orchestration",
	.prefix = "/orchestration",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.bad_body_type = "HTTPBadRequest",
	.bad_body_text = "JSON body is malformed",
};
