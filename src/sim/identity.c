/*
 * identity.c - keystone v3: version documents, catalog, and what a member may see of itself.
 * API: https://docs.openstack.org/api-ref/identity/v3/
 */

#include "sim/identity.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "sim/route.h"
#include "sim/seed.h"
#include "sim/state.h"

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	return json_pack("{s:{s:i, s:s, s:s}}", "error", "code", status, "message", message,
		"title", call_status_title(status));
}

const char *identity_time(int64_t unix_us, char *text)
{
	time_t t = (time_t)(unix_us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	size_t n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 40 - n, ".%06dZ", 0);
	return text;
}

json_t *identity_domain(void)
{
	return json_pack("{s:s, s:s}", "id", SEED_DOMAIN, "name", "Default");
}

json_t *identity_role(struct sim *s)
{
	return json_pack("{s:s, s:s}", "id", "8a1d5f6b0c9e4f7fb7b5c3e6d2a49f10", "name", "member");
}

/* --- versions --------------------------------------------------------------------------------- */

static json_t *version_document(struct call *c)
{
	char *url = mem_printf("%s/identity/v3/", call_url(c));
	json_t *v = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}], s:[{s:s, s:s}]}", "id", "v3.14",
		"status", "stable", "updated", "2020-04-07T00:00:00Z", "links", "rel", "self",
		"href", url, "media-types", "base", "application/json", "type",
		"application/vnd.openstack.identity-v3+json");

	free(url);
	return v;
}

static void list_versions(struct call *c)
{
	call_header(c, "Location", "%s/identity/v3/", call_url(c));
	call_json(c, 300, json_pack("{s:{s:[o]}}", "versions", "values", version_document(c)));
}

static void show_version(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "version", version_document(c)));
}

/* --- catalog ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *type, *path;
	bool project; /* the project's id ends the path */
} catalog[] = {
	{"keystone", "identity", "/identity", false},
	{"neutron", "network", "/network", false},
	{"nova", "compute", "/compute/v2.1", false},
	{"cinder", "volumev3", "/volume/v3/", true},
	{"cinder", "block-storage", "/volume/v3/", true},
	{"glance", "image", "/image", false},
	{"designate", "dns", "/dns", false},
	{"swift", "object-store", "/object-store/v1/AUTH_", true},
	{"barbican", "key-manager", "/key-manager", false},
	{"octavia", "load-balancer", "/load-balancer", false},
	{"heat", "orchestration", "/orchestration/v1/", true},
};

/* Ids of services and endpoints are the same in every catalog: made of their place. */
static void place_id(char *text, size_t service, size_t endpoint)
{
	snprintf(text, PROJECT_TEXT, "%08zx%08zx5e41ce0000000000", service + 1, endpoint);
}

static json_t *endpoints(struct call *c, const char *project, size_t i)
{
	static const char *const interfaces[] = {"public", "internal", "admin"};
	json_t *list = json_array();
	char id[PROJECT_TEXT];

	for (size_t k = 0; k < array_len(interfaces); k++) {
		char *url = mem_printf(
			"%s%s%s", call_url(c), catalog[i].path, catalog[i].project ? project : "");
		place_id(id, i, k + 1);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "interface", interfaces[k],
				"region_id", SIM_REGION, "url", url, "region", SIM_REGION));
		free(url);
	}
	return list;
}

static bool hidden(const struct call *c, const char *type)
{
	VEC_EACH (&c->hits, struct mishap *, m)
		if ((*m)->effect == MISHAP_HOLE && !strcmp((*m)->text, type))
			return true;
	return false;
}

json_t *identity_catalog(struct call *c, const char *project)
{
	json_t *list = json_array();
	char id[PROJECT_TEXT];

	for (size_t i = 0; i < array_len(catalog); i++) {
		if (hidden(c, catalog[i].type))
			continue;
		place_id(id, i, 0);
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:s, s:s}", "endpoints", endpoints(c, project, i),
				"id", id, "type", catalog[i].type, "name", catalog[i].name));
	}
	return list;
}

static void show_catalog(struct call *c)
{
	char *self = mem_printf("%s/identity/v3/auth/catalog", call_url(c));

	call_json(c, 200,
		json_pack("{s:o, s:{s:s}}", "catalog", identity_catalog(c, c->project), "links",
			"self", self));
	free(self);
}

/* --- projects and users: what a member may see ------------------------------------------------ */

static void forbidden(struct call *c, const char *action)
{
	call_fail(c, 403, NULL, "You are not authorized to perform the requested action: %s.",
		action);
}

/* A copy without what only the sim knows. */
static json_t *view(struct call *c, const struct object *o, const char *collection)
{
	json_t *v = json_object();
	const char *key;
	json_t *value;
	char *self = mem_printf("%s/identity/v3/%s/%s", call_url(c), collection, o->id);

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(v, key, value);
	json_object_set_new(v, "links", json_pack("{s:s}", "self", self));
	free(self);
	return v;
}

static bool member_of(struct sim *s, const char *user, const char *project)
{
	const struct object *u = object_get(s, KIND_USER, user);
	size_t i;
	json_t *p;

	json_array_foreach (u ? json_object_get(u->doc, ".projects") : NULL, i, p)
		if (!strcmp(json_string_value(p), project))
			return true;
	return false;
}

static void list_own_projects(struct call *c)
{
	json_t *list = json_array();
	char *self = mem_printf("%s/identity%s", call_url(c), c->path);

	OBJECT_EACH (c->sim, KIND_PROJECT, o)
		if (member_of(c->sim, c->user, o->id))
			json_array_append_new(list, view(c, o, "projects"));
	call_json(c, 200,
		json_pack("{s:{s:n, s:s, s:n}, s:o}", "links", "next", "self", self, "previous",
			"projects", list));
	free(self);
}

static void list_user_projects(struct call *c)
{
	if (strcmp(c->params[0], c->user))
		forbidden(c, "identity:list_user_projects");
	else
		list_own_projects(c);
}

static void list_projects(struct call *c)
{
	forbidden(c, "identity:list_projects");
}

static void list_users(struct call *c)
{
	forbidden(c, "identity:list_users");
}

static void list_services(struct call *c)
{
	forbidden(c, "identity:list_services");
}

static void list_endpoints(struct call *c)
{
	forbidden(c, "identity:list_endpoints");
}

static void show_project(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_PROJECT, c->params[0]);

	if (o && !strcmp(o->id, c->project))
		call_json(c, 200, json_pack("{s:o}", "project", view(c, o, "projects")));
	else
		forbidden(c, "identity:get_project");
}

static void show_user(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_USER, c->params[0]);

	if (o && !strcmp(o->id, c->user))
		call_json(c, 200, json_pack("{s:o}", "user", view(c, o, "users")));
	else
		forbidden(c, "identity:get_user");
}

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v3", show_version, ROUTE_OPEN},
	{"POST", "/v3/auth/tokens", identity_authenticate, ROUTE_OPEN, TIME_TOKEN},
	{"GET", "/v3/auth/tokens", identity_show_token, ROUTE_UNSCOPED},
	{"DELETE", "/v3/auth/tokens", identity_revoke_token, ROUTE_UNSCOPED},
	{"GET", "/v3/auth/catalog", show_catalog},
	{"GET", "/v3/auth/projects", list_own_projects, ROUTE_UNSCOPED},
	{"GET", "/v3/projects", list_projects, ROUTE_UNSCOPED},
	{"GET", "/v3/projects/{}", show_project},
	{"GET", "/v3/users", list_users, ROUTE_UNSCOPED},
	{"GET", "/v3/users/{}", show_user, ROUTE_UNSCOPED},
	{"GET", "/v3/users/{}/projects", list_user_projects, ROUTE_UNSCOPED},
	{"GET", "/v3/services", list_services, ROUTE_UNSCOPED},
	{"GET", "/v3/endpoints", list_endpoints, ROUTE_UNSCOPED},
	{"GET", "/v3/users/{}/application_credentials", identity_list_credentials},
	{"POST", "/v3/users/{}/application_credentials", identity_create_credential, ROUTE_CREATE,
		TIME_WRITE},
	{"GET", "/v3/users/{}/application_credentials/{}", identity_show_credential},
	{"DELETE", "/v3/users/{}/application_credentials/{}", identity_delete_credential, 0,
		TIME_WRITE},
};

const struct service identity_service = {
	.name = "identity",
	.prefix = "/identity",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.bad_body_text =
		"Expecting to find valid JSON in request body. The server could not comply with the "
		"request since it is either malformed or otherwise incorrect. The client is assumed to "
		"be in error.",
};
