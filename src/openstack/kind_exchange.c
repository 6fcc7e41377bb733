/*
 * kind_exchange.c - see kind_exchange.h.
 */

#include "openstack/kind_exchange.h"

#include <ctype.h>
#include <string.h>

#include "base/secret.h"

struct cloud_request kind_call(
	const struct kind *k, const struct kind_request *q, int64_t deadline_ns)
{
	return (struct cloud_request){
		.service = k->service,
		.method = q->method,
		.path = q->path,
		.body = q->body,
		.headers = q->headers,
		.header_count = q->header_count,
		.microversion = k->version,
		.deadline_ns = deadline_ns,
		.falls_back = !strcmp(k->name, "router_route"),
	};
}

/* --- objects ---------------------------------------------------------------------------------- */

static json_t *of_headers(const json_t *path, const struct cloud_answer *a)
{
	const struct http_header *headers = NULL;
	const size_t n = a->http ? http_answer_headers(a->http, &headers) : 0;
	json_t *object = path ? json_copy((json_t *)path) : json_object();
	for (size_t i = 0; i < n; i++) {
		char *name = mem_strdup(headers[i].name);
		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!secret_name(slice_of(name)))
			json_object_set_new(object, name, json_string(headers[i].value));
		free(name);
	}
	if (!json_object_get(object, "name") && json_object_get(object, "id"))
		json_object_set(object, "name", json_object_get(object, "id"));
	return object;
}

json_t *kind_answer_object(const struct kind *k, const json_t *path, const struct cloud_answer *a)
{
	if (a->fault != FAULT_NONE)
		return NULL;
	if (k->headers)
		return of_headers(path, a);
	return json_incref((json_t *)kind_unwrap(k, a->json));
}

/* --- conditions of rows ----------------------------------------------------------------------- */

struct measured {
	const json_t *object;
	int status;
};

static enum expr_result measurement(
	void *arg, struct slice name, struct value *ret, struct error *err)
{
	const struct measured *m = arg;
	if (slice_is(name, "STATUS"))
		*ret = value_int(m->status);
	else if (slice_is(name, "BODY"))
		*ret = value_from_json(m->object);
	return EXPR_OK;
}

bool kind_holds(const struct expr *condition, const json_t *object, int status)
{
	struct measured m = {.object = object, .status = status};
	const struct expr_scope scope = {.arg = &m, .measurement = measurement};
	struct value v = VALUE_NOTHING;
	bool yes = false;
	const bool good = condition && expr_eval(condition, &scope, &v, NULL) == EXPR_OK &&
			  value_condition(&v, &yes);
	value_drop(&v);
	return good && yes;
}

static const json_t *body_of(const struct kind *k, const struct cloud_answer *a)
{
	const json_t *object = kind_unwrap(k, a->json);
	return object ? object : a->json;
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	const char *x = json_str(a, key), *y = json_str(b, key);
	return x && y && !strcmp(x, y);
}

/* A route is one of a list in its router. */
static bool has_route(const json_t *router, const json_t *path)
{
	size_t i;
	json_t *route;
	json_array_foreach (json_object_get(router, "routes"), i, route)
		if (same(route, path, "destination") && same(route, path, "nexthop"))
			return true;
	return false;
}

bool kind_answer_gone(const struct kind *k, const json_t *path, const struct cloud_answer *a)
{
	if (a->status == 404)
		return true;
	if (!strcmp(k->name, "router_route"))
		return a->fault == FAULT_NONE && !has_route(body_of(k, a), path);
	return a->status && kind_holds(k->gone_expr, body_of(k, a), a->status);
}

bool kind_answer_busy(const struct kind *k, const struct cloud_answer *a)
{
	return kind_holds(k->busy_expr, a->json, a->status);
}
