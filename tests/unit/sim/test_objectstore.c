/* Swift as its members know it: the words and codes are those of a proxy 2.30. */
#include "simulated.h"

#include <stdlib.h>
#include <strings.h>

#include "base/json.h"

#define A "/object-store/v1/AUTH_$P"
#define C A "/c1"

static int put(struct simulated *s, const char *path, const char *data)
{
	s->type = "text/plain";
	int status = simulated_send(s, "PUT", path, data, strlen(data));
	s->type = NULL;
	return status;
}

static int with(struct simulated *s, const char *name, const char *value, const char *method,
	const char *path)
{
	s->extra = (struct http_header){name, value};
	int status = simulated_call(s, method, path, NULL);
	s->extra = (struct http_header){0};
	return status;
}

static void header(struct simulated *s, const char *name, const char *value)
{
	if (strcmp(simulated_header(s, name), value))
		fail_msg("%s: expected %s in %s", name, value, s->headers);
}

static void lag(struct simulated *s)
{
	simulated_wait(s, NS_PER_S);
}

static void test_around(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	simulated_call(s, "GET", "/object-store/v1", NULL);
	simulated_said(s, 412, "Bad URL");
	simulated_call(s, "GET", "/object-store/info", NULL);
	simulated_said(s, 200, "\"container_listing_limit\":10000");
	simulated_call(s, "GET", "/object-store/v1/AUTH_other", NULL);
	simulated_said(s, 403,
		"<html><h1>Forbidden</h1><p>Access was denied to this resource.</p></html>");
	simulated_call(s, "PATCH", A, NULL);
	simulated_said(s, 405, "<h1>Method Not Allowed</h1>");
	header(s, "allow", "GET, OPTIONS, HEAD, POST");
	simulated_call(s, "PATCH", A "/c/o", NULL);
	header(s, "allow", "GET, OPTIONS, HEAD, DELETE, POST, PUT");
	s->token = NULL;
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 401,
		"<html><h1>Unauthorized</h1><p>This server could not verify that you are "
		"authorized to access the document you requested.</p></html>");
	assert_non_null(strstr(simulated_header(s, "www-authenticate"), "Swift realm=\"AUTH_"));
	s->token = token;
	assert_int_equal(strlen(simulated_header(s, "x-trans-id")), 34);
	assert_int_equal(strncmp(simulated_header(s, "x-trans-id"), "tx", 2), 0);
	assert_non_null(strstr(s->headers, "x-openstack-request-id: tx"));
}

static void test_account(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "HEAD", A, NULL);
	simulated_said(s, 200, NULL); /* it is not there yet */
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 204, NULL);
	assert_int_equal(with(s, "X-Account-Meta-Hello", "w", "POST", A), 204);
	simulated_call(s, "HEAD", A, NULL);
	simulated_said(s, 204, NULL);
	header(s, "x-account-meta-hello", "w");
	with(s, "X-Remove-Account-Meta-Hello", "x", "POST", A);
	simulated_call(s, "HEAD", A, NULL);
	header(s, "x-account-meta-hello", "");
	simulated_call(s, "PUT", C, NULL);
	put(s, C "/o", "hello");
	simulated_call(s, "PUT", A "/c2", NULL);
	lag(s);
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 200, "c1\nc2\n");
	header(s, "x-account-container-count", "2");
	header(s, "x-account-bytes-used", "5");
	s->accept = "application/json";
	simulated_call(s, "GET", A "?marker=c1", NULL);
	simulated_said(s, 200, "[{\"name\":\"c2\",\"count\":0,\"bytes\":0,\"last_modified\":\"20");
	s->accept = "application/xml";
	simulated_call(s, "GET", A "?limit=1", NULL);
	simulated_said(s, 200, "<container><name>c1</name><count>1</count><bytes>5</bytes>");
	s->accept = "image/png";
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 406, "<h1>Not Acceptable</h1>");
	s->accept = NULL;
	simulated_call(s, "GET", A "?limit=10001", NULL);
	simulated_said(s, 412, "Maximum limit is 10000");
	/* of another project nothing is seen */
	simulated_login(s, "other", "other");
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 204, NULL);
	simulated_login(s, "demo", "demo");
}

static void test_container(void **state)
{
	struct simulated *s = *state;
	char name[300], path[400];

	assert_int_equal(with(s, "X-Container-Meta-A", "b", "PUT", C), 201);
	simulated_call(s, "PUT", C, NULL);
	simulated_said(s, 202, "<html><h1>Accepted</h1>");
	simulated_call(s, "HEAD", C, NULL);
	simulated_said(s, 204, NULL);
	header(s, "x-container-meta-a", "b");
	header(s, "x-storage-policy", "Policy-0");
	header(s, "x-container-object-count", "0");
	assert_int_equal(with(s, "X-Container-Meta-A", "", "POST", C), 204);
	simulated_call(s, "HEAD", C, NULL);
	header(s, "x-container-meta-a", "");
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 204, NULL);
	put(s, C "/o", "x");
	simulated_call(s, "DELETE", C, NULL);
	simulated_said(s, 409,
		"<html><h1>Conflict</h1><p>There was a conflict when trying to complete your "
		"request.</p></html>");
	simulated_call(s, "DELETE", C "/o", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 404, NULL);
	lag(s);
	simulated_call(s, "DELETE", C, NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", C, NULL);
	simulated_said(s, 404, "<html><h1>Not Found</h1><p>The resource could not be found.</p>");
	simulated_call(s, "POST", C, NULL);
	simulated_said(s, 404, NULL);
	memset(name, 'x', 257);
	name[257] = 0;
	snprintf(path, sizeof(path), A "/%s", name);
	simulated_call(s, "PUT", path, NULL);
	simulated_said(s, 400, "Container name length of 257 longer than 256");
}

/* A PUT shows later in lists, and so does a DELETE; who asks for the object itself knows at once.
 */
static void test_lag(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "times: {list_lag: 20s}\nspread: 0\n");
	simulated_call(s, "PUT", C, NULL);
	simulated_call(s, "GET", A, NULL);
	simulated_said(s, 204, NULL);
	put(s, C "/o", "x");
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 204, NULL);
	header(s, "x-container-object-count", "0");
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 200, "x");
	simulated_wait(s, 21 * NS_PER_S);
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 200, "o\n");
	simulated_call(s, "DELETE", C "/o", NULL);
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 200, "o\n");
	simulated_call(s, "DELETE", C, NULL);
	simulated_said(s, 409, NULL);
	/* made again before lists knew that it was gone */
	put(s, C "/o", "xy");
	simulated_wait(s, 21 * NS_PER_S);
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 200, "xy");
	simulated_call(s, "GET", C "?format=json", NULL);
	assert_int_equal(json_array_size(s->json), 1);
}

static void test_object(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "PUT", C, NULL);
	assert_int_equal(put(s, A "/none/o", "x"), 404);
	s->extra = (struct http_header){"X-Object-Meta-Bee-Two", "b"};
	assert_int_equal(put(s, C "/d/o%201", "hello world"), 201);
	header(s, "etag", "5eb63bbbe01eeed093cb22bb8f5acdc3");
	s->extra = (struct http_header){"ETag", "00000000000000000000000000000000"};
	assert_int_equal(put(s, C "/d/o%201", "hello"), 422);
	s->extra = (struct http_header){"ETag", "5EB63BBBE01EEED093CB22BB8F5ACDC3"};
	assert_int_equal(put(s, C "/d/o%201", "hello world"), 201);
	s->extra = (struct http_header){"If-None-Match", "*"};
	assert_int_equal(put(s, C "/d/o%201", "x"), 412);
	s->extra = (struct http_header){0};
	simulated_call(s, "GET", C "/d/o%201", NULL);
	simulated_said(s, 200, "hello world");
	header(s, "content-type", "text/plain");
	header(s, "x-object-meta-bee-two", ""); /* a PUT makes it anew */
	simulated_call(s, "HEAD", C "/d/o%201", NULL);
	simulated_said(s, 200, NULL);
	header(s, "content-length", "11");
	s->range = "bytes=0-4";
	simulated_call(s, "GET", C "/d/o%201", NULL);
	simulated_said(s, 206, "hello");
	header(s, "content-range", "bytes 0-4/11");
	s->range = "bytes=50-";
	simulated_call(s, "GET", C "/d/o%201", NULL);
	simulated_said(s, 416, "<h1>Requested Range Not Satisfiable</h1>");
	header(s, "content-range", "bytes */11");
	s->range = NULL;
	assert_int_equal(with(s, "If-None-Match", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "GET",
				 C "/d/o%201"),
		304);
	assert_int_equal(with(s, "If-Match", "nonsense", "GET", C "/d/o%201"), 412);
	assert_int_equal(with(s, "X-Object-Meta-Z", "q", "POST", C "/d/o%201"), 202);
	simulated_call(s, "HEAD", C "/d/o%201", NULL);
	header(s, "x-object-meta-z", "q");
	simulated_call(s, "DELETE", C "/d/o%201", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", C "/d/o%201", NULL);
	simulated_said(s, 404, NULL);
}

/* Larger than what is kept in memory. */
static void test_large(void **state)
{
	struct simulated *s = *state;
	const size_t n = 300000;
	char *data = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		data[i] = (char)('a' + i % 26);
	data[n] = 0;
	simulated_call(s, "PUT", C, NULL);
	assert_int_equal(put(s, C "/big", data), 201);
	simulated_call(s, "GET", C "/big", NULL);
	assert_int_equal(s->text_n, n);
	assert_memory_equal(s->text, data, n);
	s->range = "bytes=-3";
	simulated_call(s, "GET", C "/big", NULL);
	assert_int_equal(s->status, 206);
	assert_memory_equal(s->text, data + n - 3, 3);
	s->range = NULL;
	with(s, "Destination", "c1/copy", "COPY", C "/big");
	simulated_said(s, 201, NULL);
	simulated_call(s, "DELETE", C "/big", NULL);
	simulated_call(s, "GET", C "/copy", NULL);
	assert_int_equal(s->text_n, n);
	free(data);
}

static void test_copy(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "PUT", C, NULL);
	s->extra = (struct http_header){"X-Object-Meta-A", "1"};
	put(s, C "/o", "hello");
	s->extra = (struct http_header){0};
	simulated_call(s, "COPY", C "/o", NULL);
	simulated_said(s, 412, "Destination header required");
	with(s, "Destination", "x", "COPY", C "/o");
	simulated_said(
		s, 412, "Destination header must be of the form <container name>/<object name>");
	assert_int_equal(with(s, "Destination", "/none/o", "COPY", C "/o"), 404);
	assert_int_equal(with(s, "Destination", "/c1/o", "COPY", C "/none"), 404);
	assert_int_equal(with(s, "Destination", "/c1/o%202", "COPY", C "/o"), 201);
	header(s, "x-copied-from", "c1/o");
	header(s, "x-object-meta-a", "1");
	assert_int_equal(with(s, "X-Copy-From", "/c1/o", "PUT", C "/o3"), 201);
	simulated_call(s, "GET", C "/o3", NULL);
	simulated_said(s, 200, "hello");
	header(s, "content-type", "text/plain");
	simulated_call(s, "GET", C "/o%202", NULL);
	simulated_said(s, 200, "hello");
}

static void test_listing(void **state)
{
	static const struct {
		const char *query, *text;
	} rows[] = {
		{"?prefix=d/", "d/a\nd/b\nd/e/f\n"},
		{"?delimiter=/", "d/\no1\nz\n"},
		{"?prefix=d/&delimiter=/", "d/a\nd/b\nd/e/\n"},
		{"?limit=2", "d/a\nd/b\n"},
		{"?limit=2&marker=d/b", "d/e/f\no1\n"},
		{"?limit=x", "d/a\nd/b\nd/e/f\no1\nz\n"},
		{"?marker=d/a&end_marker=o1", "d/b\nd/e/f\n"},
		{"?reverse=on", "z\no1\nd/e/f\nd/b\nd/a\n"},
		{"?reverse=true&marker=o1&end_marker=d/a", "d/e/f\nd/b\n"},
		{"?path=d", "d/a\nd/b\n"},
		{"?limit=0", ""},
		{"?prefix=nope", ""},
		{"?delimiter=/&marker=d/", "o1\nz\n"},
	};
	static const char *const names[] = {"/z", "/d/e/f", "/d/b", "/o1", "/d/a"};
	struct simulated *s = *state;

	simulated_call(s, "PUT", C, NULL);
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf(C "%s", names[i]);
		put(s, path, "1");
		free(path);
	}
	lag(s);
	for (size_t i = 0; i < array_len(rows); i++) {
		char *path = mem_printf(C "%s", rows[i].query);
		simulated_call(s, "GET", path, NULL);
		assert_int_equal(s->status, *rows[i].text ? 200 : 204);
		if (strcmp(s->text, rows[i].text))
			fail_msg("%s: %s", rows[i].query, s->text);
		free(path);
	}
	simulated_call(s, "GET", C "?delimiter=/&format=json", NULL);
	simulated_said(s, 200,
		"[{\"subdir\":\"d/\"},{\"bytes\":1,\"hash\":\"c4ca4238a0b923820dcc509a6f75849b\",\"name\":\"o1\",\"content_type\":\"text/plain\",\"last_modified\":");
	header(s, "vary", "");
	simulated_call(s, "GET", C "?delimiter=/&format=xml", NULL);
	simulated_said(s, 200,
		"<container name=\"c1\"><subdir name=\"d/\"><name>d/</name></subdir><object><name>o1</name><hash>c4ca");
}

static void test_limits(void **state)
{
	struct simulated *s = *state;
	char name[160] = "X-Object-Meta-", value[300], path[1200] = C "/";

	simulated_call(s, "PUT", C, NULL);
	memset(name + strlen(name), 'a', 129);
	s->extra = (struct http_header){name, "1"};
	put(s, C "/o", "x");
	simulated_said(s, 400, "Metadata name too long: x-object-meta-Aaaa");
	memset(value, '1', 257);
	value[257] = 0;
	s->extra = (struct http_header){"X-Object-Meta-a", value};
	put(s, C "/o", "x");
	simulated_said(s, 400, "Metadata value longer than 256: x-object-meta-A");
	s->extra = (struct http_header){"X-Delete-After", "x"};
	put(s, C "/o", "x");
	simulated_said(s, 400, "Non-integer X-Delete-After");
	s->extra = (struct http_header){"X-Delete-At", "1"};
	put(s, C "/o", "x");
	simulated_said(s, 400, "X-Delete-At in past");
	s->extra = (struct http_header){"X-Delete-After", "10"};
	assert_int_equal(put(s, C "/o", "x"), 201);
	s->extra = (struct http_header){0};
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 200, "x");
	simulated_wait(s, 11 * NS_PER_S);
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 404, NULL);
	memset(path + strlen(path), 'n', 1025);
	put(s, path, "x");
	simulated_said(s, 400, "Object name length of 1025 longer than 1024");
}

static void test_quota(void **state)
{
	struct simulated *s = *state;

	simulated_restart(
		s, 1, "quota: {containers: 1, object_bytes: 10}\ntimes: {list_lag: 0s}\n");
	simulated_call(s, "PUT", C, NULL);
	simulated_call(s, "PUT", A "/c2", NULL);
	simulated_said(s, 403, "Reached container limit of 1");
	assert_int_equal(put(s, C "/o", "123456"), 201);
	put(s, C "/p", "123456");
	simulated_said(s, 413, "Upload exceeds quota.");
	simulated_restart(s, 1, NULL);
	simulated_call(s, "PUT", C, NULL);
	simulated_fault(s, "{'service': 'object-store', 'method': 'PUT', 'effect': 'quota'}");
	put(s, C "/p", "1");
	simulated_said(s, 413, "Upload exceeds quota.");
}

static void test_faults(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "PUT", C, NULL);
	simulated_fault(s, "{'method': 'PUT', 'effect': 'stuck', 'times': 1}");
	put(s, C "/o", "x");
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 204, NULL); /* never listed */
	simulated_call(s, "GET", C "/o", NULL);
	simulated_said(s, 200, "x");
	simulated_fault(s, "{'method': 'PUT', 'effect': 'error', 'times': 1}");
	put(s, C "/p", "x");
	simulated_call(s, "GET", C "/p", NULL);
	simulated_said(s, 503, "<h1>Service Unavailable</h1>");
	simulated_call(s, "DELETE", C "/p", NULL);
	simulated_said(s, 204, NULL);
	simulated_fault(s, "{'method': 'DELETE', 'effect': 'stuck', 'times': 1}");
	put(s, C "/q", "x");
	simulated_call(s, "DELETE", C "/q", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", C "/q", NULL);
	simulated_said(s, 200, "x");
	simulated_fault(s, "{'method': 'GET', 'effect': 'status', 'status': 500, 'times': 1}");
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 500, "<html><h1>Internal Server Error</h1>");
	simulated_fault(s, "{'method': 'GET', 'effect': 'expired', 'times': 1}");
	simulated_call(s, "GET", C, NULL);
	simulated_said(s, 401, "<html><h1>Unauthorized</h1>");
}

/* Whoever works on what is planted, or on what another instance marked, is seen. */
static void test_rules(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", "/sim/plant",
		"{'name': 'gh-x', 'mark': 'glasshouse other r1 s 0', 'kinds': ['object']}");
	simulated_said(s, 201, "\"kind\":\"container\"");
	simulated_said(s, 201, "\"kind\":\"object\"");
	simulated_call(s, "DELETE", A "/gh-x/gh-x", NULL);
	simulated_said(s, 204, NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 1);
	with(s, "X-Container-Meta-Glasshouse", "glasshouse mine r1 box 0", "PUT", C);
	with(s, "X-Container-Meta-Glasshouse", "glasshouse mine r1 box 0", "PUT", A "/c2");
	assert_int_equal(simulated_violations(s, "double_create"), 1);
	simulated_call(s, "GET", "/sim/left", NULL);
	simulated_said(s, 200, "{\"kind\":\"container\",\"id\":");
	simulated_said(s, 200,
		"\"name\":\"c2\",\"project\":\"demo\",\"made_by\":\"api\",\"mark\":\"glasshouse mine r1 box 0\"");
}

int test_objectstore(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {TEST(test_around), TEST(test_account),
		TEST(test_container), TEST(test_lag), TEST(test_object), TEST(test_large),
		TEST(test_copy), TEST(test_listing), TEST(test_limits), TEST(test_quota),
		TEST(test_faults), TEST(test_rules)};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
