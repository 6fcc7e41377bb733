/*
 * objectstore.c - swift: the routes, what is around them, accounts.
 * API: https://docs.openstack.org/api-ref/object-store/
 *
 * It is a proxy with the default limits and without the middlewares for large objects, bulk and
 * temporary URLs, as /info says.
 */

#include "sim/objectstore.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/route.h"
#include "sim/state.h"

#define HTML    "text/html; charset=UTF-8"
#define ACCOUNT "AUTH_"

/* --- errors ------------------------------------------------------------------------------------
 */

static const struct {
	int status;
	const char *title, *text; /* title NULL: the usual one */
} pages[] = {
	{202, NULL, "The request is accepted for processing."},
	{400, NULL,
		"The server could not comply with the request since it is either malformed or "
		"otherwise incorrect."},
	{401, NULL,
		"This server could not verify that you are authorized to access the document you "
		"requested."},
	{403, NULL, "Access was denied to this resource."},
	{404, NULL, "The resource could not be found."},
	{405, NULL, "The method is not allowed for this resource."},
	{406, NULL, "The resource is not available in a format acceptable to your browser."},
	{409, NULL, "There was a conflict when trying to complete your request."},
	{412, NULL, "A precondition for this request was not met."},
	{413, NULL, "The body of your request was too large for this server."},
	{416, "Requested Range Not Satisfiable", "The Range requested is not available."},
	{422, NULL, "Unable to process the contained instructions"},
	{503, NULL, "The server is currently unavailable. Please try again at a later time."},
};

static void page(struct call *c, int status, const char *title, const char *text)
{
	char *body = mem_printf("<html><h1>%s</h1><p>%s</p></html>", title, text);

	call_text(c, status, HTML, body);
	free(body);
}

void objectstore_page(struct call *c, int status)
{
	for (size_t i = 0; i < array_len(pages); i++)
		if (pages[i].status == status) {
			page(c, status, pages[i].title ? pages[i].title : call_status_title(status),
				pages[i].text);
			return;
		}
	page(c, status, call_status_title(status), "");
}

/* Errors that do not come from here: of the router, and of faults, which bring their own words. */
static void fail(struct call *c, int status, const char *message)
{
	if (status == 405) {
		const char *account = strchr(c->path + 1, '/');
		const bool alone = account && !strchr(account + 1, '/');
		call_header(c, "Allow", "%s",
			alone ? "GET, OPTIONS, HEAD, POST"
			      : "GET, OPTIONS, HEAD, DELETE, POST, PUT");
	}
	if (status == 404 || status == 405)
		objectstore_page(c, status);
	else
		page(c, status, call_status_title(status), message);
}

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	return json_string(message); /* never sent: errors of swift are pages */
}

static void unauthorized(struct call *c)
{
	if (c->params[0])
		call_header(c, "WWW-Authenticate",
			"Swift realm=\"%s\", Keystone uri=\"%s/identity\"", c->params[0],
			call_url(c));
	objectstore_page(c, 401);
}

void objectstore_done(struct call *c, int status)
{
	if (status == 202) {
		objectstore_page(c, status);
		return;
	}
	call_text(c, status, HTML, "");
}

/* --- what all ask ------------------------------------------------------------------------------
 */

bool objectstore_own(struct call *c)
{
	if (!strncmp(c->params[0], ACCOUNT, strlen(ACCOUNT)) &&
		!strcmp(c->params[0] + strlen(ACCOUNT), c->project))
		return true;
	objectstore_page(c, 403);
	return false;
}

const char *objectstore_timestamp(int64_t us, char *text)
{
	snprintf(
		text, 32, "%lld.%05lld", (long long)(us / 1000000), (long long)(us % 1000000 / 10));
	return text;
}

json_t *objectstore_account(struct call *c, bool make)
{
	struct object *p = object_get(c->sim, KIND_PROJECT, c->project);
	char stamp[32];

	if (p && make && !json_object_get(p->doc, ".account"))
		object_set(p, ".account",
			json_pack("{s:s, s:{}}", "timestamp",
				objectstore_timestamp(
					clock_unix_us(loop_clock(c->sim->loop)), stamp),
				"meta"));
	return p ? json_object_get(p->doc, ".account") : NULL;
}

struct usage objectstore_usage(struct sim *s, const char *project, const struct object *container)
{
	struct usage u = {0};

	OBJECT_EACH (s, KIND_CONTAINER, o)
		u.containers += !strcmp(o->project, project) && object_listed(o);
	OBJECT_EACH (s, KIND_OBJECT, o)
		if (!strcmp(o->project, project) && object_listed(o) &&
			(!container || !strcmp(object_str(o, "container"), container->id))) {
			u.objects++;
			u.bytes += json_int(o->doc, "bytes", 0);
		}
	return u;
}

/* --- accounts ----------------------------------------------------------------------------------
 */

static void account_headers(struct call *c, const json_t *account)
{
	const struct usage u = objectstore_usage(c->sim, c->project, NULL);
	char stamp[32];

	call_header(c, "X-Account-Container-Count", "%lld", (long long)u.containers);
	call_header(c, "X-Account-Object-Count", "%lld", (long long)u.objects);
	call_header(c, "X-Account-Bytes-Used", "%lld", (long long)u.bytes);
	if (!account) {
		objectstore_timestamp(clock_unix_us(loop_clock(c->sim->loop)), stamp);
		call_header(c, "X-Timestamp", "%s", stamp);
		call_header(c, "X-Put-Timestamp", "%s", stamp);
		return;
	}
	call_header(c, "X-Timestamp", "%s", json_str(account, "timestamp"));
	if (u.containers > 0) {
		static const char name[] = "X-Account-Storage-Policy-Policy-0-";
		const struct {
			const char *what;
			int64_t n;
		} counts[] = {{"Container-Count", u.containers}, {"Object-Count", u.objects},
			{"Bytes-Used", u.bytes}};
		for (size_t i = 0; i < array_len(counts); i++) {
			char *header = mem_printf("%s%s", name, counts[i].what);
			call_header(c, header, "%lld", (long long)counts[i].n);
			free(header);
		}
	}
	objectstore_meta_show(c, "account", json_object_get(account, "meta"));
	call_header(c, "Accept-Ranges", "bytes");
	call_header(c, "X-Account-Project-Domain-Id", "default");
}

static json_t *container_row(struct call *c, const struct object *o)
{
	const struct usage u = objectstore_usage(c->sim, c->project, o);

	return json_pack("{s:s, s:I, s:I, s:s}", "name", object_str(o, "name"), "count",
		(json_int_t)u.objects, "bytes", (json_int_t)u.bytes, "last_modified",
		object_str(o, "last_modified"));
}

static void get_account(struct call *c)
{
	VEC(struct entry) list = {0};

	if (!objectstore_own(c))
		return;
	const enum listing form = objectstore_listing(c);
	if (form == LISTING_NONE)
		return;
	account_headers(c, objectstore_account(c, false));
	/* A HEAD of an account that is not there yet is 200, of one that is 204. */
	if (!strcmp(c->method, "HEAD")) {
		call_text(c, objectstore_account(c, false) ? 204 : 200, "text/plain; charset=utf-8",
			"");
		return;
	}
	OBJECT_EACH (c->sim, KIND_CONTAINER, o)
		if (!strcmp(o->project, c->project) && object_listed(o))
			vec_push(&list,
				((struct entry){object_str(o, "name"), container_row(c, o)}));
	objectstore_list(c, form, "account", c->params[0], list.p, list.n);
	vec_fini(&list);
}

static void post_account(struct call *c)
{
	json_t *meta = objectstore_own(c) ? objectstore_meta(c, "account") : NULL;

	if (!meta)
		return;
	json_t *account = objectstore_account(c, true);
	objectstore_meta_merge(c, "account", json_object_get(account, "meta"));
	json_decref(meta);
	objectstore_done(c, 204);
}

/* --- around them -------------------------------------------------------------------------------
 */

static void bad_url(struct call *c)
{
	call_text(c, 412, HTML, "Bad URL");
}

static void info(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:{s:s, s:b, s:[{s:s, s:s, s:b}], s:b, s:b, s:I, s:i, s:i, s:i, s:i, "
			  "s:i, s:i, s:i, s:i, s:i, s:i, s:i}}",
			"swift", "version", "2.30.1", "strict_cors_mode", 1, "policies", "name",
			"Policy-0", "aliases", "Policy-0", "default", 1, "allow_account_management",
			0, "account_autocreate", 1, "max_file_size", (json_int_t)UPLOAD_MAX,
			"max_meta_name_length", 128, "max_meta_value_length", 256, "max_meta_count",
			90, "max_meta_overall_size", 4096, "max_header_size", 8192,
			"max_object_name_length", 1024, "container_listing_limit", 10000,
			"account_listing_limit", 10000, "max_account_name_length", 256,
			"max_container_name_length", 256, "extra_header_count", 0));
}

#define CONTAINER "/v1/{}/{}"
#define OBJECT    "/v1/{}/{}/{*}"

static const struct route routes[] = {
	{"GET", "/info", info, ROUTE_OPEN},
	{"GET", "/v1", bad_url, ROUTE_OPEN},
	{"GET", "/v1/{}", get_account, ROUTE_RAW | ROUTE_ENDPOINT},
	{"POST", "/v1/{}", post_account, ROUTE_RAW, TIME_WRITE},
	{"PUT", CONTAINER, objectstore_put_container, ROUTE_RAW | ROUTE_CREATE, TIME_WRITE},
	{"GET", CONTAINER, objectstore_get_container, ROUTE_RAW},
	{"POST", CONTAINER, objectstore_post_container, ROUTE_RAW, TIME_WRITE},
	{"DELETE", CONTAINER, objectstore_delete_container, ROUTE_RAW, TIME_WRITE},
	{"PUT", OBJECT, objectstore_put_object, ROUTE_UPLOAD | ROUTE_CREATE, TIME_WRITE},
	{"GET", OBJECT, objectstore_get_object, ROUTE_RAW},
	{"POST", OBJECT, objectstore_post_object, ROUTE_RAW, TIME_WRITE},
	{"COPY", OBJECT, objectstore_copy_object, ROUTE_RAW, TIME_WRITE},
	{"DELETE", OBJECT, objectstore_delete_object, ROUTE_RAW, TIME_WRITE},
};

const struct service objectstore_service = {
	.name = "object-store",
	.prefix = "/object-store",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.fail = fail,
	.unauthorized = unauthorized,
	.transactions = true,
	.all_headers = true,
};
