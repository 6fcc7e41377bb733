/*
 * cloud_route.c - a route of a router, where neutron lacks the extension `extraroute-atomic`: then
 * there is no such call, and the whole list is written anew, on condition that the router is still
 * as it was read.
 *
 * The same call goes round: the atomic one, then reading the router, then writing it; so that the
 * caller's handle stays good for cloud_cancel().
 */

#include <stdio.h>
#include <string.h>

#include "openstack/session.h"

#define ADD        "/add_extraroutes"
#define REMOVE     "/remove_extraroutes"
#define WRITES_MAX 5

enum route_stage { ROUTE_ATOMIC, ROUTE_READ, ROUTE_WRITE };

struct route {
	enum route_stage stage;
	bool adds;
	json_t *wanted; /* {destination, nexthop} */
	unsigned writes;
};

void route_free(struct route *r)
{
	if (!r)
		return;
	json_decref(r->wanted);
	free(r);
}

struct route *route_new(const struct cloud_request *q)
{
	const size_t n = strlen(q->path);
	const bool adds = n > strlen(ADD) && !strcmp(q->path + n - strlen(ADD), ADD);
	const bool removes = n > strlen(REMOVE) && !strcmp(q->path + n - strlen(REMOVE), REMOVE);
	json_t *wanted = json_array_get(json_at(q->body, "router", "routes", NULL), 0);
	if (!q->falls_back || (!adds && !removes) || !wanted)
		return NULL;
	struct route *r = mem_new(struct route);
	r->adds = adds;
	r->wanted = json_incref(wanted);
	return r;
}

static bool is_wanted(const struct route *r, const json_t *route)
{
	return json_equal(json_object_get(route, "destination"),
		       json_object_get(r->wanted, "destination")) &&
	       json_equal(json_object_get(route, "nexthop"), json_object_get(r->wanted, "nexthop"));
}

static void next(struct cloud_call *k, enum route_stage stage, const char *method, json_t *body)
{
	k->route->stage = stage;
	mem_replace(&k->method, method);
	json_decref(k->body);
	k->body = body;
	mem_replace(&k->body_text, NULL);
}

static void set_condition(struct cloud_call *k, const json_t *router)
{
	const json_t *revision = json_object_get(router, "revision_number");
	for (size_t i = 0; i < k->header_count; i++) {
		free((char *)k->headers[i].name);
		free((char *)k->headers[i].value);
	}
	free(k->headers);
	k->headers = NULL;
	k->header_count = 0;
	if (!json_is_integer(revision))
		return;
	k->headers = mem_new(struct http_header);
	k->headers[0] = (struct http_header){mem_strdup("If-Match"),
		mem_printf("revision_number=%lld", (long long)json_integer_value(revision))};
	k->header_count = 1;
}

/* The list with the route, or without it. */
static bool write_routes(struct cloud_call *k, const struct cloud_answer *a)
{
	struct route *r = k->route;
	const json_t *router = json_object_get(a->json, "router");
	json_t *routes = json_array(), *one;
	size_t i;
	if (!router) {
		json_decref(routes);
		return false;
	}
	json_array_foreach (json_object_get(router, "routes"), i, one)
		if (!is_wanted(r, one))
			json_array_append(routes, one);
	if (r->adds)
		json_array_append(routes, r->wanted);
	set_condition(k, router);
	next(k, ROUTE_WRITE, "PUT", json_pack("{s:{s:o}}", "router", "routes", routes));
	return true;
}

static void read_router(struct cloud_call *k)
{
	char *end = strrchr(k->path, '/');
	if (k->route->stage == ROUTE_ATOMIC && end)
		*end = 0; /* "/routers/ID" */
	next(k, ROUTE_READ, "GET", NULL);
}

/* Without the extension the path is not known: the 404 names no router. */
static bool has_no_such_call(const struct cloud_answer *a)
{
	return a->status == 404 && strcmp(a->error.type, "RouterNotFound") != 0;
}

bool route_goes_on(struct cloud_call *k, const struct cloud_answer *a)
{
	struct route *r = k->route;
	switch (r->stage) {
	case ROUTE_ATOMIC:
		if (!has_no_such_call(a))
			return false;
		read_router(k);
		k->was_sent = false; /* nothing there could have been changed */
		return true;
	case ROUTE_READ: return a->fault == FAULT_NONE && write_routes(k, a);
	case ROUTE_WRITE:
		if (a->status != 412 || ++r->writes >= WRITES_MAX)
			return false;
		read_router(k); /* somebody else has changed it meanwhile */
		return true;
	}
	return false;
}
