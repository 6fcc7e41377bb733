/*
 * keymanager.c - barbican v1: versions, the routes, secrets.
 * API: https://docs.openstack.org/barbican/latest/api/reference/
 */

#include "sim/keymanager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/python.h"
#include "sim/record.h"
#include "sim/route.h"
#include "sim/state.h"

#define LIMIT     10
#define LIMIT_MAX 100
/* What barbican calls itself when nobody told it its name (host_href). */
#define DEFAULT_HOST "http://localhost:9311"
/* What call.c says of a path that no row has. */
#define NO_ROUTE "The resource could not be found."

/* Of what barbican itself did not word, it gives no description. */
static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	const bool router = status == 405 || !strcmp(message, NO_ROUTE);

	return json_pack("{s:i, s:s, s:s}", "code", status, "title", call_status_title(status),
		"description", router ? "" : message);
}

/* There is one version; it says so in every answer. */
static bool read_version(struct call *c)
{
	call_header(c, "OpenStack-API-Version", "key-manager 1.0");
	call_header(c, "Vary", "OpenStack-API-Version");
	return true;
}

static json_t *version_document(struct call *c)
{
	char *url = mem_printf("%s/key-manager/v1/", call_url(c));
	json_t *v = json_pack("{s:s, s:s, s:[{s:s, s:s}, {s:s, s:s, s:s}], s:[{s:s, s:s}]}", "id",
		"v1", "status", "stable", "links", "rel", "self", "href", url, "rel", "describedby",
		"type", "text/html", "href", "https://docs.openstack.org/", "media-types", "base",
		"application/json", "type", "application/vnd.openstack.key-manager-v1+json");

	free(url);
	return v;
}

static void list_versions(struct call *c)
{
	call_json(c, 300, json_pack("{s:{s:[o]}}", "versions", "values", version_document(c)));
}

static void show_version(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "version", version_document(c)));
}

/* --- what all kinds have in common -------------------------------------------------------------
 */

char *keymanager_ref(const struct call *c, const char *what, const char *id)
{
	if (c->sim->has_host_href)
		return mem_printf("%s/key-manager/v1/%s/%s", call_url(c), what, id);
	return mem_printf("%s/v1/%s/%s", DEFAULT_HOST, what, id);
}

void keymanager_answer_ref(struct call *c, int status, const char *what, const char *id)
{
	char *plural = mem_printf("%ss", what), *ref = keymanager_ref(c, plural, id),
	     *key = mem_printf("%s_ref", what);

	call_header(c, "Location", "%s", ref);
	call_json(c, status, json_pack("{s:s}", key, ref));
	free(plural);
	free(ref);
	free(key);
}

struct object *keymanager_find(
	struct call *c, enum kind k, const char *id, const char *what, const char *missing)
{
	json_t *text = json_string(id);
	const bool good = strlen(id) == 36 && id[14] == '4' && python_is_uuid(text);
	struct object *o = object_get(c->sim, k, id);

	json_decref(text);
	if (o && !strcmp(o->project, c->project))
		return o;
	if (good)
		call_fail(c, 404, NULL, "%s not found.", missing);
	else
		call_fail(c, 404, NULL, "Not Found. Provided %s id is invalid.", what);
	return NULL;
}

struct object *keymanager_of(struct call *c)
{
	return keymanager_find(c, KIND_SECRET, c->params[0], "secret", "Secret");
}

/* "2026-11-26T09:48:40" */
static void set_now(struct object *o, const char *key)
{
	char now[32];

	object_now(o->sim, now);
	now[strlen(now) - 1] = 0;
	object_set_str(o, key, now);
}

void keymanager_touch(struct object *o)
{
	set_now(o, "updated");
}

struct object *keymanager_new(struct call *c, enum kind k)
{
	struct object *o = object_new(c->sim, k, NULL, c->project, c->user);

	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	o->stuck = call_hit(c, MISHAP_STUCK);
	set_now(o, "created");
	set_now(o, "updated");
	object_set_str(o, "status",
		o->stuck                    ? "PENDING"
		: call_hit(c, MISHAP_ERROR) ? "ERROR"
					    : "ACTIVE");
	return o;
}

bool keymanager_room(struct call *c, enum kind k, int64_t limit)
{
	int64_t used = 0;

	OBJECT_EACH (c->sim, k, o)
		used += !strcmp(o->project, c->project);
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	call_fail(c, 403, NULL, "Creation not allowed because a quota has been reached");
	return false;
}

bool keymanager_json(struct call *c)
{
	if (c->inside || (c->content_type && !strncmp(c->content_type, "application/json", 16)))
		return true;
	call_fail(c, 415, NULL,
		"Unexpected content type. Expected content types are: ['application/json']");
	return false;
}

void keymanager_delete(struct call *c, struct object *o)
{
	rule_changed(c, o, true);
	if (call_hit(c, MISHAP_ERROR))
		object_set_str(o, "status", "ERROR");
	else if (!call_hit(c, MISHAP_STUCK))
		object_remove(o);
	call_empty(c, 204);
}

/* A number that is none is not looked at. */
static int64_t number(const struct call *c, const char *name, int64_t otherwise)
{
	const char *text = call_query(c, name);
	char *end;
	const int64_t n = text ? strtoll(text, &end, 10) : 0;

	return text && *text && !*end && n >= 0 ? n : otherwise;
}

static void add_link(struct call *c, json_t *body, const char *key, const char *what, int64_t limit,
	int64_t offset)
{
	char *base = keymanager_ref(c, what, "");
	char *url = mem_printf("%.*s?limit=%lld&offset=%lld", (int)strlen(base) - 1, base,
		(long long)limit, (long long)offset);

	json_object_set_new(body, key, json_string(url));
	free(base);
	free(url);
}

void keymanager_page(struct call *c, enum kind k, const char *what,
	bool (*fits)(const struct call *c, const struct object *o),
	json_t *(*view)(struct call *c, const struct object *o))
{
	int64_t limit = number(c, "limit", LIMIT), total = 0;
	const int64_t offset = number(c, "offset", 0);
	json_t *list = json_array();

	if (limit > LIMIT_MAX)
		limit = LIMIT_MAX;
	OBJECT_EACH (c->sim, k, o) {
		if (strcmp(o->project, c->project) || !object_listed(o) || (fits && !fits(c, o)))
			continue;
		if (total >= offset && total < offset + limit)
			json_array_append_new(list, view(c, o));
		total++;
	}
	json_t *body = json_pack("{s:o, s:I}", what, list, "total", (json_int_t)total);
	if (json_array_size(list) > 0 && offset > 0)
		add_link(c, body, "previous", what, limit, offset > limit ? offset - limit : 0);
	if (json_array_size(list) > 0 && offset + limit < total)
		add_link(c, body, "next", what, limit, offset + limit);
	call_json(c, 200, body);
}

/* --- secrets -----------------------------------------------------------------------------------
 */

static json_t *view(struct call *c, const struct object *o)
{
	json_t *v = json_object(), *value;
	char *ref = keymanager_ref(c, "secrets", o->id);
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(v, key, value);
	json_object_set_new(v, "secret_ref", json_string(ref));
	free(ref);
	return v;
}

/* "2027-11-26T10:00:00+02:00" as barbican keeps it, in UTC without a zone; null: none. */
static json_t *expiration(const json_t *body)
{
	const char *text = json_str(body, "expiration");
	char out[CLOCK_TEXT];
	int64_t us;

	if (!text)
		return json_null();
	char *zoned = mem_printf("%sZ", text);
	const bool good = clock_parse_rfc3339(text, &us) || clock_parse_rfc3339(zoned, &us);
	free(zoned);
	if (!good)
		return json_null();
	clock_rfc3339(us, out);
	return json_stringn(out, strcspn(out, ".Z"));
}

static void set_payload(struct object *o, const json_t *body)
{
	const char *payload = json_str(body, "payload"),
		   *encoding = json_str(body, "payload_content_encoding");
	void *bytes = NULL;
	size_t n = 0;

	if (!payload)
		return;
	const struct slice text = slice_trim(slice_of(payload));
	if (!encoding || strcmp(encoding, "base64"))
		keymanager_set_payload(o, json_str(body, "payload_content_type"), text.p, text.n);
	else if (base64_decode(text, &bytes, &n))
		keymanager_set_payload(o, json_str(body, "payload_content_type"), bytes, n);
	else /* what is no base64 is nothing */
		keymanager_set_payload(o, json_str(body, "payload_content_type"), "", 0);
	free(bytes);
}

static void create_secret(struct call *c)
{
	static const char *const members[] = {"algorithm", "bit_length", "mode"};
	const json_t *body = c->body;

	if (!keymanager_json(c) || !keymanager_check(c) ||
		!keymanager_room(c, KIND_SECRET, c->sim->quota.secrets))
		return;
	struct object *o = keymanager_new(c, KIND_SECRET);
	object_set_str(o, "name", json_str(body, "name"));
	object_set_str(o, "secret_type",
		json_str(body, "secret_type") ? json_str(body, "secret_type") : "opaque");
	object_set(o, "expiration", expiration(body));
	for (size_t i = 0; i < array_len(members); i++) {
		json_t *value = json_object_get(body, members[i]);
		object_set(o, members[i], value ? json_incref(value) : json_null());
	}
	object_set_str(o, "creator_id", c->user);
	set_payload(o, body);
	rule_created(c, o);
	keymanager_answer_ref(c, 201, "secret", o->id);
}

static bool fits(const struct call *c, const struct object *o)
{
	static const char *const filters[][2] = {{"name", "name"}, {"alg", "algorithm"},
		{"mode", "mode"}, {"secret_type", "secret_type"}};
	const char *bits = call_query(c, "bits");

	for (size_t i = 0; i < array_len(filters); i++) {
		const char *wanted = call_query(c, filters[i][0]);
		if (wanted && *wanted && strcmp(wanted, object_str(o, filters[i][1])))
			return false;
	}
	return !bits || json_int(o->doc, "bit_length", 0) == strtoll(bits, NULL, 10);
}

static void list_secrets(struct call *c)
{
	keymanager_page(c, KIND_SECRET, "secrets", fits, view);
}

static void show_secret(struct call *c)
{
	const struct object *o = keymanager_of(c);

	if (o && keymanager_wants_payload(c))
		keymanager_answer_payload(c, o);
	else if (o)
		call_json(c, 200, view(c, o));
}

static void delete_secret(struct call *c)
{
	struct object *o = keymanager_of(c);

	if (o)
		keymanager_delete(c, o);
}

static void show_acl(struct call *c)
{
	if (keymanager_of(c))
		call_json(c, 200, json_pack("{s:{s:b}}", "read", "project-access", 1));
}

static void list_consumers(struct call *c)
{
	if (keymanager_of(c))
		call_json(c, 200, json_pack("{s:[], s:i}", "consumers", "total", 0));
}

static void show_quotas(struct call *c)
{
	const struct quota *q = &c->sim->quota;

	call_json(c, 200,
		json_pack("{s:{s:I, s:I, s:I, s:i, s:i}}", "quotas", "secrets",
			(json_int_t)q->secrets, "orders", (json_int_t)q->orders, "containers",
			(json_int_t)q->secret_containers, "consumers", -1, "cas", -1));
}

static void project_quotas(struct call *c)
{
	call_fail(c, 403, NULL,
		"Project Quotas attempt not allowed - please review your user/project privileges");
}

#define SECRET    "/v1/secrets/{}"
#define CONTAINER "/v1/containers/{}"
#define ORDER     "/v1/orders/{}"
#define CREATE    ROUTE_CREATE | ROUTE_ANY_JSON, TIME_WRITE

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v1", show_version},
	{"GET", "/v1/secrets", list_secrets},
	{"POST", "/v1/secrets", create_secret, CREATE},
	{"GET", SECRET, show_secret},
	{"PUT", SECRET, keymanager_put_payload, ROUTE_UPLOAD, TIME_WRITE},
	{"DELETE", SECRET, delete_secret, 0, TIME_WRITE},
	{"GET", SECRET "/payload", keymanager_get_payload},
	{"GET", SECRET "/acl", show_acl},
	{"GET", SECRET "/consumers", list_consumers},
	{"GET", SECRET "/metadata", keymanager_get_meta},
	{"PUT", SECRET "/metadata", keymanager_put_meta, 0, TIME_WRITE},
	{"POST", SECRET "/metadata", keymanager_post_meta, 0, TIME_WRITE},
	{"GET", SECRET "/metadata/{}", keymanager_get_meta_key},
	{"PUT", SECRET "/metadata/{}", keymanager_put_meta_key, 0, TIME_WRITE},
	{"DELETE", SECRET "/metadata/{}", keymanager_delete_meta_key, 0, TIME_WRITE},
	{"GET", "/v1/containers", keymanager_list_containers},
	{"POST", "/v1/containers", keymanager_create_container, CREATE},
	{"GET", CONTAINER, keymanager_show_container},
	{"DELETE", CONTAINER, keymanager_delete_container, 0, TIME_WRITE},
	{"GET", "/v1/orders", keymanager_list_orders},
	{"POST", "/v1/orders", keymanager_create_order, CREATE},
	{"GET", ORDER, keymanager_show_order},
	{"DELETE", ORDER, keymanager_delete_order, 0, TIME_WRITE},
	{"GET", "/v1/quotas", show_quotas},
	{"GET", "/v1/project-quotas", project_quotas},
};

const struct service keymanager_service = {
	.name = "key-manager",
	.prefix = "/key-manager",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.version = read_version,
	.all_headers = true,
	.bad_body_text = "Malformed JSON",
};
