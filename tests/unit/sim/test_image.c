/* Glance as its members know it: the words and codes are those of a Zed. */
#include "simulated.h"

#include <stdlib.h>

#include "base/buf.h"
#include "sim/image.h"
#include "sim/state.h"

#define I     "/image/v2/images"
#define ID    "11111111-0000-4000-8000-00000000aaaa"
#define PATCH "application/openstack-images-v2.1-json-patch"

static void make_image(struct simulated *s, int keep, const char *body)
{
	simulated_call(s, "POST", I, body);
	simulated_said(s, 201, "\"status\":\"queued\"");
	simulated_keep(s, keep, NULL);
}

static int put(struct simulated *s, const char *path, const void *p, size_t n)
{
	s->type = "application/octet-stream";
	int status = simulated_send(s, "PUT", path, p, n);
	s->type = NULL;
	return status;
}

static int patch(struct simulated *s, const char *path, const char *body)
{
	s->type = PATCH;
	int status = simulated_call(s, "PATCH", path, body);
	s->type = NULL;
	return status;
}

static void test_versions(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	s->token = NULL;
	simulated_call(s, "GET", "/image/", NULL);
	simulated_said(s, 300, "{\"id\":\"v2.15\",\"status\":\"CURRENT\"");
	s->token = token;
	simulated_call(s, "GET", "/image/v2/schemas/image", NULL);
	simulated_said(s, 200, "\"additionalProperties\":{\"type\":\"string\"}");
	simulated_call(s, "GET", "/image/v2/schemas/images", NULL);
	simulated_said(s, 200, "\"name\":\"images\"");
	simulated_call(s, "GET", "/image/v2/nothing", NULL);
	simulated_said(s, 404, "<h1>404 Not Found</h1>");
	simulated_call(s, "PUT", I, "{}");
	simulated_said(s, 405,
		"The method PUT is not allowed for this resource. <br /><br />\n\n </body>");
}

/* Errors are HTML, JSON or text, as the client accepts. */
static void test_error_form(void **state)
{
	static const struct {
		const char *accept, *type, *text;
	} rows[] = {
		{"*/*", "text/html; charset=UTF-8",
			" <body>\n  <h1>404 Not Found</h1>\n  Failed to find image &#x27;x to delete"},
		{"text/html, application/json", "text/html; charset=UTF-8", "<h1>"},
		{"application/json;q=0.4, */*;q=0.5", "text/html; charset=UTF-8", "<h1>"},
		{"application/json", "application/json",
			"{\"message\":\"Failed to find image 'x to delete<br /><br />\\n\\n\\n\","
			"\"code\":\"404 Not Found\",\"title\":\"Not Found\"}"},
		{"application/*", "application/json", "\"code\":\"404 Not Found\""},
		{"application/json;q=0.9,text/*;q=0.8", "application/json", "\"code\""},
		{"text/plain", "text/plain; charset=UTF-8",
			"404 Not Found\n\nFailed to find image 'x to delete\n\n"},
		{"*/*;q=0", "text/plain; charset=UTF-8", "404 Not Found\n\n"},
		{"", "text/plain; charset=UTF-8", "404 Not Found\n\n"},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		s->accept = rows[i].accept;
		simulated_call(s, "DELETE", I "/'x", NULL);
		simulated_said(s, 404, rows[i].text);
		assert_string_equal(simulated_header(s, "content-type"), rows[i].type);
	}
	s->accept = NULL;
}

static void test_seed(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", I "?name=lab-guest", NULL);
	assert_int_equal(simulated_count(s, "images"), 1);
	simulated_said(s, 200, "\"os_distro\":\"debian\"");
	simulated_said(s, 200, "\"min_ram\":192");
	simulated_said(s, 200, "\"virtual_size\":30408704");
	snprintf(s->kept[1], sizeof(s->kept[1]), "%s", simulated_str(s, "images", "0", "id", NULL));
	simulated_call(s, "DELETE", I "/$1", NULL);
	simulated_said(s, 403, "You are not authorized to complete delete_image action.");
	patch(s, I "/$1", "[{'op': 'add', 'path': '/a', 'value': 'b'}]");
	simulated_said(s, 403, "modify_image");
	simulated_call(s, "GET", I "/$1/file", NULL);
	assert_int_equal(s->status, 200);
	assert_int_equal(s->text_n, 8192);
}

/* --- POST --------------------------------------------------------------------------------------
 */

static void test_create(void **state)
{
	struct simulated *s = *state;

	make_image(s, 1,
		"{'name': 'n', 'glasshouse': 'mark', 'disk_format': 'raw', 'container_format': "
		"'bare', 'tags': ['b', 'a', 'b'], 'id': '" ID "'}");
	assert_string_equal(s->kept[1], ID);
	assert_string_equal(simulated_str(s, "glasshouse", NULL), "mark");
	assert_string_equal(simulated_str(s, "visibility", NULL), "shared");
	assert_string_equal(simulated_str(s, "owner", NULL), s->project);
	assert_string_equal(simulated_str(s, "tags", "0", NULL), "a");
	assert_int_equal(simulated_count(s, "tags"), 2);
	simulated_call(s, "POST", I, "{'name': 'n', 'id': '" ID "'}");
	simulated_said(s, 409, "Image ID " ID " already exists!");
	simulated_call(s, "GET", I "/$1/file", NULL);
	simulated_said(s, 204, NULL);
}

static void test_create_refused(void **state)
{
	static const struct {
		const char *body, *text;
		int status;
	} cases[] = {
		{"{'frob': 1}",
			"Provided object does not match schema &#x27;image&#x27;: 1 is not of type "
			"&#x27;string&#x27;",
			400},
		{"{'name': 'x', 'status': 'active'}", "Attribute &#x27;status&#x27; is read-only.",
			403},
		{"{'self': 'x'}", "Attribute &#x27;self&#x27; is read-only.", 403},
		{"{'id': 'x'}", "&#x27;x&#x27; does not match &#x27;^([0-9a-fA-F]){8}-", 400},
		{"{'disk_format': 'x'}", "&#x27;x&#x27; is not one of [None, &#x27;ami&#x27;", 400},
		{"{'visibility': 'public'}",
			"You are not authorized to complete publicize_image action.", 403},
		{"{'min_ram': -1}",
			"Invalid value &#x27;-1&#x27; for parameter &#x27;min_ram&#x27;: Cannot be "
			"a negative value",
			400},
		{"{'min_ram': 'x'}", "is not of type &#x27;integer&#x27;", 400},
		{"{'os_glance_x': 'x'}",
			"Access was denied to this resource.<br /><br />\nAttribute "
			"&#x27;os_glance_x&#x27; is reserved.",
			403},
		{"{'owner': 'x'}", "You are not permitted to create images owned by", 403},
		{"{'name': '<b>', 'disk_format': '<b>'}", "&lt;b&gt;", 400},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(cases); i++) {
		simulated_call(s, "POST", I, cases[i].body);
		simulated_said(s, cases[i].status, cases[i].text);
	}
	simulated_send(s, "POST", I, "{x", 2);
	simulated_said(s, 400, "Malformed");
}

/* --- data --------------------------------------------------------------------------------------
 */

static void test_upload(void **state)
{
	struct simulated *s = *state;

	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	simulated_call(s, "PUT", I "/$1/file", "hallo");
	simulated_said(s, 415, "The request media type application/json is not supported");
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "queued");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 204);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "active");
	assert_string_equal(simulated_str(s, "checksum", NULL), "598d4c200461b81522a3328565c25f7c");
	assert_string_equal(simulated_str(s, "os_hash_algo", NULL), "sha512");
	assert_string_equal(simulated_str(s, "os_hash_value", NULL),
		"70b77b7546d42e83139316ec07d048672f5c4aa41a1fec329de6c18e6ef53e3c"
		"f7ad124af18aec0b55a25adeb1051f47e8899921cfd9af560e8dafeb0939abcf");
	simulated_said(s, 200, "\"size\":5,\"virtual_size\":5");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 409);
	simulated_said(s, 409, "Image status transition from active to saving is not allowed");
	simulated_call(s, "GET", I "/$1/file", NULL);
	simulated_said(s, 200, "hallo");
	assert_string_equal(simulated_header(s, "content-md5"), "598d4c200461b81522a3328565c25f7c");
	simulated_login(s, "other", "other");
	assert_int_equal(put(s, I "/$1/file", "x", 1), 404);
}

static void test_large(void **state)
{
	const size_t n = 5u << 20;
	struct simulated *s = *state;
	char *data = mem_alloc(n);

	for (size_t i = 0; i < n; i++)
		data[i] = (char)(i * 7 + i / 251);
	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	assert_int_equal(put(s, I "/$1/file", data, n), 204);
	simulated_call(s, "GET", I "/$1/file", NULL);
	assert_int_equal(s->text_n, n);
	assert_memory_equal(s->text, data, n);
	free(data);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *range, *content, *said;
		int status;
	} cases[] = {
		{"bytes=1-2", "al", "bytes 1-2/5", 206},
		{"bytes=3-", "lo", "bytes 3-4/5", 206},
		{"bytes=-2", "lo", "bytes 3-4/5", 206},
		{"bytes=1-99", "allo", "bytes 1-4/5", 206},
		{"bytes=0-4", "hallo", "", 200},
		{"lines=1-2", "hallo", "", 200},
	};
	struct simulated *s = *state;

	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	put(s, I "/$1/file", "hallo", 5);
	for (size_t i = 0; i < array_len(cases); i++) {
		s->range = cases[i].range;
		simulated_call(s, "GET", I "/$1/file", NULL);
		assert_int_equal(s->status, cases[i].status);
		assert_string_equal(s->text, cases[i].content);
		assert_string_equal(simulated_header(s, "content-range"), cases[i].said);
	}
	s->range = "bytes=9-12";
	simulated_call(s, "GET", I "/$1/file", NULL);
	simulated_said(s, 416, "Start position MUST be in the inclusive range [0, 4].");
}

/* An upload that never ends by itself. */
struct endless {
	int64_t sent;
	bool done;
};

static size_t on_source(void *arg, void *p, size_t n)
{
	struct endless *e = arg;

	n = n > 4096 ? 4096 : n;
	memset(p, 'x', n);
	e->sent += (int64_t)n;
	return n;
}

static void on_ended(void *arg, const struct http_answer *a)
{
	((struct endless *)arg)->done = true;
}

/* Returns when some of it has arrived. */
static struct http_call *begin_upload(struct simulated *s, struct endless *e)
{
	const struct http_header h[] = {
		{"X-Auth-Token", s->token}, {"Content-Type", "application/octet-stream"}};
	char *url = mem_printf("%s" I "/%s/file", sim_url(s->sim), s->kept[1]);
	const struct http_request q = {.method = "PUT",
		.url = url,
		.headers = h,
		.header_count = array_len(h),
		.source = on_source,
		.source_n = 1ll << 30,
		.stream_arg = e,
		.deadline_ns = 3600 * NS_PER_S};
	struct http_call *call = http_send(s->client, &q, on_ended, e);

	free(url);
	for (int i = 0; i < 100000 && e->sent < 100000; i++)
		loop_advance(s->loop, NS_PER_MS);
	assert_true(e->sent >= 100000);
	return call;
}

static void test_broken_upload(void **state)
{
	struct simulated *s = *state;
	struct endless e = {0};

	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	struct http_call *call = begin_upload(s, &e);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "saving");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 409); /* one at a time */
	simulated_said(s, 409, "transition from saving to saving is not allowed");
	http_cancel(call);
	for (int i = 0; i < 1000 && !e.done; i++)
		loop_advance(s->loop, NS_PER_MS);
	for (int i = 0; i < 1000; i++) {
		simulated_call(s, "GET", I "/$1", NULL);
		if (!strcmp(simulated_str(s, "status", NULL), "queued"))
			break;
	}
	assert_string_equal(simulated_str(s, "status", NULL), "queued");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 204);
	/* the end of the sim meets an upload under way */
	e = (struct endless){0};
	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	begin_upload(s, &e);
	simulated_restart(s, 1, NULL);
	for (int i = 0; i < 1000 && !e.done; i++)
		loop_advance(s->loop, NS_PER_MS);
	assert_true(e.done);
}

/* Deleted while its data comes. */
static void test_deleted_upload(void **state)
{
	struct simulated *s = *state;
	struct endless e = {0};

	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	struct http_call *call = begin_upload(s, &e);
	simulated_call(s, "DELETE", I "/$1", NULL);
	simulated_said(s, 204, NULL);
	http_cancel(call);
	for (int i = 0; i < 1000 && !e.done; i++)
		loop_advance(s->loop, NS_PER_MS);
	simulated_call(s, "GET", I "/$1", NULL);
	simulated_said(s, 404, NULL);
}

/* What nova makes of a server. */
static void test_of_server(void **state)
{
	struct simulated *s = *state;
	const struct object *o = image_of_server(
		s->sim, s->project, "user", "snap", json_pack("{s:s}", "base_image_ref", "b"));

	snprintf(s->kept[1], sizeof(s->kept[1]), "%s", o->id);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "queued");
	assert_string_equal(simulated_str(s, "base_image_ref", NULL), "b");
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "saving");
	simulated_wait(s, 60 * NS_PER_S);
	simulated_call(s, "GET", I "/$1/file", NULL);
	assert_int_equal(s->text_n, 8192);
}

/* --- PATCH, tags, DELETE -----------------------------------------------------------------------
 */

static void test_patch(void **state)
{
	static const struct {
		const char *body, *text;
		int status;
	} cases[] = {
		{"[{'op': 'replace', 'path': '/nope', 'value': 'x'}]",
			"There was a conflict when trying to complete your request.<br /><br />\n"
			"Property nope does not exist.",
			409},
		{"[{'op': 'remove', 'path': '/nope'}]", "Property nope does not exist.", 409},
		{"[{'op': 'remove', 'path': '/name'}]", "Property name may not be removed.", 403},
		{"[{'op': 'replace', 'path': '/status', 'value': 'x'}]", "is read-only.", 403},
		{"[{'op': 'replace', 'path': '/owner', 'value': 'x'}]",
			"Owner can&#x27;t be updated by non admin.", 403},
		{"[{'op': 'replace', 'path': '/visibility', 'value': 'public'}]", "publicize_image",
			403},
		{"{'op': 'x'}", "Request body must be a JSON array of operation objects.", 400},
		{"[{'op': 'frob', 'path': '/foo'}]",
			"Invalid operation: `frob`. It must be one of the following: add, remove, "
			"replace.",
			400},
		{"[{'op': 'add', 'path': '/foo'}]",
			"Operation &quot;add&quot; requires a member named &quot;value&quot;.",
			400},
		{"[{'op': 'add', 'path': 'foo', 'value': 'x'}]", "does not start with", 400},
		{"[{'op': 'add', 'path': '/a/b', 'value': 'x'}]", "Invalid JSON pointer", 400},
		{"[{'op': 'add', 'path': '/first', 'value': 'x'}, {'op': 'add', 'path': '/min_ram', "
		 "'value': -1}]",
			"Cannot be a negative value", 400},
	};
	struct simulated *s = *state;

	make_image(s, 1, "{'name': 'a', 'foo': 'x'}");
	patch(s, I "/$1",
		"[{'op': 'replace', 'path': '/name', 'value': 'b'}, {'op': 'remove', 'path': "
		"'/foo'}, {'op': 'add', 'path': '/x~1y', 'value': 'z'}, {'op': 'replace', 'path': "
		"'/tags', 'value': ['t']}]");
	simulated_said(s, 200, "\"name\":\"b\"");
	assert_null(json_object_get(s->json, "foo"));
	assert_string_equal(simulated_str(s, "x/y", NULL), "z");
	assert_string_equal(simulated_str(s, "tags", "0", NULL), "t");
	for (size_t i = 0; i < array_len(cases); i++) {
		patch(s, I "/$1", cases[i].body);
		simulated_said(s, cases[i].status, cases[i].text);
	}
	simulated_call(s, "GET", I "/$1", NULL);
	assert_null(json_object_get(s->json, "first")); /* all or nothing */
	simulated_call(s, "PATCH", I "/$1", "[]");
	simulated_said(s, 415, "The request media type application/json is not supported");
	assert_non_null(strstr(simulated_header(s, "accept-patch"), PATCH));
}

static void test_tags_and_delete(void **state)
{
	struct simulated *s = *state;

	make_image(s, 1, "{'name': 'a', 'protected': true}");
	simulated_call(s, "PUT", I "/$1/tags/zz", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "tags", "0", NULL), "zz");
	simulated_call(s, "DELETE", I "/$1/tags/qq", NULL);
	simulated_said(s, 404, NULL);
	simulated_call(s, "DELETE", I "/$1", NULL);
	simulated_said(s, 403, "is protected and cannot be deleted.");
	patch(s, I "/$1", "[{'op': 'replace', 'path': '/protected', 'value': false}]");
	simulated_call(s, "DELETE", I "/$1", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", I "/$1", NULL);
	simulated_said(s, 404, "Failed to find image ");
	simulated_call(s, "GET", I "/$1", NULL);
	simulated_said(s, 404, "No image found with ID ");
}

/* --- lists -------------------------------------------------------------------------------------
 */

static void test_list(void **state)
{
	static const struct {
		const char *query;
		size_t n;
	} cases[] = {
		{"", 3},
		{"?name=a", 1},
		{"?name=in:a,b", 2},
		{"?owner=$P", 2},
		{"?glasshouse=m", 1},
		{"?frob=1", 0},
		{"?status=queued", 2},
		{"?status=frob", 0},
		{"?tag=t", 1},
		{"?tag=t&tag=u", 0},
		{"?visibility=public", 1},
		{"?visibility=private", 1},
		{"?visibility=all", 3},
		{"?os_hidden=true", 1},
		{"?size_min=1", 1},
		{"?protected=false", 3},
	};
	struct simulated *s = *state;
	char path[256];

	make_image(s, 1, "{'name': 'a', 'glasshouse': 'm', 'tags': ['t']}");
	make_image(s, 2, "{'name': 'b', 'visibility': 'private'}");
	make_image(s, 3, "{'name': 'c', 'os_hidden': true}");
	simulated_wait(s, NS_PER_S);
	for (size_t i = 0; i < array_len(cases); i++) {
		snprintf(path, sizeof(path), I "%s", cases[i].query);
		simulated_call(s, "GET", path, NULL);
		simulated_said(s, 200, NULL);
		if (simulated_count(s, "images") != cases[i].n)
			fail_msg("%s: %s", cases[i].query, s->text);
	}
	simulated_call(s, "GET", I "?limit=x", NULL);
	simulated_said(s, 400, "limit param must be an integer");
	simulated_call(s, "GET", I "?marker=zz", NULL);
	simulated_said(s, 400, "No image found with ID zz");
	simulated_call(s, "GET", I "?sort_key=frob", NULL);
	simulated_said(s, 400, "Invalid sort key: frob. It must be one of the following: name,");
	simulated_call(s, "GET", I "?visibility=frob", NULL);
	simulated_said(s, 400, "Invalid visibility value: frob");
	simulated_login(s, "other", "other");
	simulated_call(s, "GET", I, NULL);
	assert_int_equal(simulated_count(s, "images"), 1);
}

static void test_pages(void **state)
{
	struct simulated *s = *state;

	make_image(s, 1, "{'name': 'a'}");
	make_image(s, 2, "{'name': 'b'}");
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", I "?limit=2&sort=name:asc", NULL);
	assert_string_equal(simulated_str(s, "images", "0", "name", NULL), "a");
	assert_string_equal(simulated_str(s, "first", NULL), "/v2/images?limit=2&sort=name%3Aasc");
	char *next = mem_printf("/image%s", simulated_str(s, "next", NULL));
	simulated_call(s, "GET", next, NULL);
	free(next);
	assert_int_equal(simulated_count(s, "images"), 1);
	assert_string_equal(simulated_str(s, "images", "0", "name", NULL), "lab-guest");
	assert_null(json_object_get(s->json, "next"));
}

/* --- faults ------------------------------------------------------------------------------------
 */

static void test_faults(void **state)
{
	struct simulated *s = *state;

	make_image(s, 1, "{'disk_format': 'raw', 'container_format': 'bare'}");
	simulated_fault(s,
		"{'service': 'image', 'method': 'PUT', 'effect': 'status', 'status': "
		"503, 'times': 1}");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 503);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "queued");
	simulated_fault(s, "{'service': 'image', 'method': 'PUT', 'effect': 'error', 'times': 1}");
	assert_int_equal(put(s, I "/$1/file", "hallo", 5), 204);
	simulated_call(s, "GET", I "/$1", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "killed");
	make_image(s, 2, "{'disk_format': 'raw', 'container_format': 'bare'}");
	simulated_fault(s, "{'service': 'image', 'method': 'PUT', 'effect': 'stuck', 'times': 1}");
	assert_int_equal(put(s, I "/$2/file", "hallo", 5), 204);
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", I "/$2", NULL);
	assert_string_equal(simulated_str(s, "status", NULL), "saving");
	make_image(s, 3, "{'disk_format': 'raw', 'container_format': 'bare'}");
	put(s, I "/$3/file", "hallo", 5);
	simulated_fault(s,
		"{'service': 'image', 'path': '*/file', 'effect': 'cut', 'bytes': 2, "
		"'times': 1}");
	assert_int_equal(simulated_call(s, "GET", I "/$3/file", NULL), 200);
	assert_int_equal(s->fault, FAULT_CONNECTION_LOST);
	simulated_call(s, "GET", I "/$3/file", NULL);
	simulated_said(s, 200, "hallo");
}

int test_image(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_versions),
		TEST(test_error_form),
		TEST(test_seed),
		TEST(test_create),
		TEST(test_create_refused),
		TEST(test_upload),
		TEST(test_large),
		TEST(test_ranges),
		TEST(test_broken_upload),
		TEST(test_deleted_upload),
		TEST(test_of_server),
		TEST(test_patch),
		TEST(test_tags_and_delete),
		TEST(test_list),
		TEST(test_pages),
		TEST(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
