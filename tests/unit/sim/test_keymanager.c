/* Barbican as its members know it: the words and codes are those of a Zed. */
#include "simulated.h"

#include <stdlib.h>

#include "base/json.h"

#define K "/key-manager/v1"
#define S K "/secrets"

/* Keeps the id at the end of the URL that was answered. */
static void keep_ref(struct simulated *s, int n, const char *key)
{
	const char *url = simulated_str(s, key, NULL), *slash = strrchr(url, '/');

	if (!slash)
		fail_msg("no %s in %d %s", key, s->status, s->text);
	snprintf(s->kept[n], sizeof(s->kept[n]), "%s", slash + 1);
}

static void make(struct simulated *s, int n, const char *body)
{
	simulated_call(s, "POST", S, body);
	simulated_said(s, 201, "{\"secret_ref\":\"http://127.0.0.1:");
	keep_ref(s, n, "secret_ref");
}

static int get(struct simulated *s, const char *path, const char *accept)
{
	s->accept = accept;
	int status = simulated_call(s, "GET", path, NULL);
	s->accept = NULL;
	return status;
}

static int put(struct simulated *s, const char *path, const char *type, const char *text)
{
	s->type = type;
	int status = simulated_send(s, "PUT", path, text, strlen(text));
	s->type = NULL;
	return status;
}

static void test_versions(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	s->token = NULL;
	simulated_call(s, "GET", "/key-manager/", NULL);
	simulated_said(s, 300, "{\"versions\":{\"values\":[{\"id\":\"v1\",\"status\":\"stable\"");
	simulated_call(s, "GET", S, NULL);
	simulated_said(s, 401, "{\"error\":{\"code\":401,\"title\":\"Unauthorized\"");
	s->token = token;
	simulated_call(s, "GET", K, NULL);
	simulated_said(s, 200, "{\"version\":{\"id\":\"v1\"");
	assert_string_equal(simulated_header(s, "openstack-api-version"), "key-manager 1.0");
	simulated_call(s, "GET", K "/nothing", NULL);
	simulated_said(s, 404, "{\"code\":404,\"title\":\"Not Found\",\"description\":\"\"}");
	simulated_call(s, "PATCH", S, NULL);
	simulated_said(s, 405, "\"description\":\"\"}");
}

static void test_secret(void **state)
{
	struct simulated *s = *state;

	make(s, 1, "{'name': 'one', 'payload': 's3cret', 'payload_content_type': 'text/plain'}");
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 200,
		"\"status\":\"ACTIVE\",\"name\":\"one\",\"secret_type\":\"opaque\",\"expiration\":null,");
	simulated_said(
		s, 200, "\"content_types\":{\"default\":\"text/plain\"},\"secret_ref\":\"http://");
	assert_null(strstr(s->text, "s3cret"));
	get(s, S "/$1/payload", "text/plain");
	simulated_said(s, 200, "s3cret");
	assert_string_equal(simulated_header(s, "content-type"), "text/plain; charset=UTF-8");
	get(s, S "/$1", "text/plain");
	simulated_said(s, 200, "s3cret");
	get(s, S "/$1/payload", "application/json");
	simulated_said(s, 406, "Secret payload retrieval issue seen - Wrong payload content-type.");
	put(s, S "/$1", "text/plain", "again");
	simulated_said(s, 409, "Secret already has data, cannot modify it.");
	simulated_login(s, "other", "other");
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 404, "\"description\":\"Secret not found.\"");
	simulated_login(s, "demo", "demo");
	simulated_call(s, "DELETE", S "/$1", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", S "/$1", NULL);
	simulated_said(s, 404, "Secret not found.");
	simulated_call(s, "GET", S "/nonsense", NULL);
	simulated_said(s, 404, "Not Found. Provided secret id is invalid.");
}

static void test_later_payload(void **state)
{
	struct simulated *s = *state;

	make(s, 1, "{}");
	get(s, S "/$1/payload", "text/plain");
	simulated_said(s, 404, "Not Found. Sorry but your secret has no payload.");
	put(s, S "/$1", "application/json", "{}");
	simulated_said(s, 415, "['application/octet-stream', 'text/plain']");
	put(s, S "/$1", "text/plain", "");
	simulated_said(s, 400, "Secret update issue seen - No data supplied to process..");
	char *large = mem_alloc(20002);
	memset(large, 'a', 20001);
	large[20001] = 0;
	put(s, S "/$1", "text/plain", large);
	simulated_said(s, 413, "Provided information too large to process");
	free(large);
	s->extra = (struct http_header){"Content-Encoding", "base64"};
	put(s, S "/$1", "application/octet-stream", "aGVsbG8=");
	simulated_said(s, 204, NULL);
	s->extra = (struct http_header){0};
	get(s, S "/$1/payload", "application/octet-stream");
	simulated_said(s, 200, "hello");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *text;
	} rows[] = {
		{"[]", 400, "[] is not of type 'object'. Invalid property: 'None'"},
		{"{", 400, "Malformed JSON"},
		{"{'name': 5}", 400, "5 is not of type 'string', 'null'. Invalid property: 'name'"},
		{"{'mode': null}", 400, "None is not of type 'string'. Invalid property: 'mode'"},
		{"{'bit_length': 'x'}", 400, "'x' is not of type 'integer'"},
		{"{'bit_length': 0}", 400, "0 is less than the minimum of 1"},
		{"{'bit_length': 32768}", 400, "32768 is greater than the maximum of 32767"},
		{"{'secret_type': 'x'}", 400, "'x' is not one of ['symmetric', 'passphrase', "},
		{"{'expiration': 'soon'}", 400, "Invalid date for 'expiration'. Invalid"},
		{"{'expiration': '2020-01-01T00:00:00'}", 400,
			"'expiration' is before current time"},
		{"{'payload': 'x'}", 400,
			"If 'payload' is supplied, 'payload_content_type' must also be supplied.. "},
		{"{'payload': ' ', 'payload_content_type': 'text/plain'}", 400,
			"If 'payload' specified, must be non empty"},
		{"{'payload_content_type': 'text/plain'}", 400,
			"payload must be provided when payload_content_type is specified"},
		{"{'payload': 'x', 'payload_content_type': 'image/png'}", 400,
			"payload_content_type is not one of ['text/plain', 'text/plain;charset=utf-8'"},
		{"{'payload': 'x', 'payload_content_type': 'application/octet-stream'}", 400,
			"payload_content_encoding is not one of ['base64', 'binary']"},
		{"{'payload': 'x', 'payload_content_type': 'text/plain', "
		 "'payload_content_encoding': 'base64'}",
			400, "payload_content_encoding is not one of None"},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		simulated_call(s, "POST", S, rows[i].body);
		simulated_said(s, rows[i].status, rows[i].text);
	}
	s->type = "text/plain";
	simulated_call(s, "POST", S, "{}");
	simulated_said(s, 415, "Expected content types are: ['application/json']");
	s->type = NULL;
}

static void test_list(void **state)
{
	struct simulated *s = *state;

	for (int i = 0; i < 12; i++)
		make(s, 1, i % 2 ? "{'name': 'odd'}" : "{'name': 'even', 'algorithm': 'aes'}");
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", S, NULL);
	simulated_said(s, 200, "\"total\":12");
	assert_int_equal(simulated_count(s, "secrets"), 10);
	assert_non_null(strstr(simulated_str(s, "next", NULL), "/v1/secrets?limit=10&offset=10"));
	simulated_call(s, "GET", S "?limit=5&offset=10", NULL);
	assert_int_equal(simulated_count(s, "secrets"), 2);
	assert_non_null(strstr(simulated_str(s, "previous", NULL), "/v1/secrets?limit=5&offset=5"));
	simulated_call(s, "GET", S "?name=odd&limit=100", NULL);
	simulated_said(s, 200, "\"total\":6");
	simulated_call(s, "GET", S "?alg=aes&name=odd", NULL);
	simulated_said(s, 200, "{\"secrets\":[],\"total\":0}");
}

static void test_metadata(void **state)
{
	struct simulated *s = *state;

	make(s, 1, "{}");
	simulated_call(s, "PUT", S "/$1/metadata", "{'metadata': {'Mark': 'x'}}");
	simulated_said(s, 201, "{\"metadata_ref\":\"http");
	simulated_call(s, "POST", S "/$1/metadata", "{'key': 'K', 'value': 'v'}");
	simulated_said(s, 201, "{\"key\":\"k\",\"value\":\"v\"}");
	simulated_call(s, "POST", S "/$1/metadata", "{'key': 'k', 'value': 'v'}");
	simulated_said(s, 409, NULL);
	simulated_call(s, "PUT", S "/$1/metadata/k", "{'key': 'k', 'value': 'w'}");
	simulated_said(s, 200, "\"w\"");
	simulated_call(s, "GET", S "/$1/metadata", NULL);
	simulated_said(s, 200, "{\"metadata\":{\"mark\":\"x\",\"k\":\"w\"}}");
	simulated_call(s, "DELETE", S "/$1/metadata/k", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", S "/$1/metadata/k", NULL);
	simulated_said(s, 404, "Secret metadata not found.");
	simulated_call(s, "PUT", S "/$1/metadata", "{'metadata': {'a': 1}}");
	simulated_said(s, 400, NULL);
}

static void box(struct simulated *s, const char *place)
{
	char *body = mem_printf(
		"{'type': 'generic', 'name': 'box', 'secret_refs': [{'name': 'a', "
		"'secret_ref': '%s/secrets/$1'}]}",
		place);

	simulated_call(s, "POST", K "/containers", body);
	free(body);
}

static void test_container(void **state)
{
	struct simulated *s = *state;
	char *here = mem_printf("%s" K, sim_url(s->sim));

	make(s, 1, "{}");
	box(s, here);
	simulated_said(s, 201, "{\"container_ref\":\"http");
	keep_ref(s, 2, "container_ref");
	simulated_call(s, "GET", K "/containers/$2", NULL);
	simulated_said(
		s, 200, "\"secret_refs\":[{\"name\":\"a\",\"secret_ref\":\"http://127.0.0.1:");
	simulated_call(s, "DELETE", S "/$1", NULL);
	simulated_call(s, "GET", K "/containers/$2", NULL);
	simulated_said(s, 200, "\"secret_refs\":[],\"consumers\":[]");
	box(s, here);
	simulated_said(s, 404, "Secret provided for 'a' doesn't exist.");
	box(s, "http://elsewhere/v1");
	simulated_said(s, 400, "Provided field value is not supported");
	simulated_call(s, "POST", K "/containers", "{'type': 'generic', 'secret_refs': [5]}");
	simulated_said(s, 400, "Provided field value is not supported");
	simulated_call(s, "POST", K "/containers", "{'type': 'x'}");
	simulated_said(s, 400, "'x' is not one of ['generic', 'rsa', 'certificate']");
	simulated_call(s, "DELETE", K "/containers/$2", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", K "/containers/$2", NULL);
	simulated_said(s, 404, "Secrets container not found.");
	free(here);
}

static void test_order(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", K "/orders",
		"{'type': 'key', 'meta': {'algorithm': 'aes', 'bit_length': 256, 'name': 'k'}}");
	simulated_said(s, 202, "{\"order_ref\":\"http");
	keep_ref(s, 1, "order_ref");
	simulated_call(s, "GET", K "/orders/$1", NULL);
	simulated_said(s, 200, "\"status\":\"PENDING\"");
	simulated_wait(s, 5 * NS_PER_S);
	simulated_call(s, "GET", K "/orders/$1", NULL);
	simulated_said(s, 200, "\"status\":\"ACTIVE\"");
	keep_ref(s, 2, "secret_ref");
	get(s, S "/$2/payload", "application/octet-stream");
	assert_int_equal(s->text_n, 32);
	simulated_call(s, "GET", "/sim/left", NULL);
	simulated_said(s, 200, "\"made_by\":\"barbican\"");
	simulated_call(s, "DELETE", K "/orders/$1", NULL);
	simulated_said(s, 403, "Order deletion attempt not allowed");
	simulated_call(s, "POST", K "/orders", "{'type': 'key', 'meta': {'algorithm': 'aes'}}");
	simulated_said(s, 400, "'bit_length' is required field for key type order");
}

static void test_faults(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'method': 'POST', 'effect': 'stuck', 'times': 1}");
	make(s, 1, "{'payload': 'x', 'payload_content_type': 'text/plain'}");
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 200, "\"status\":\"PENDING\"");
	get(s, S "/$1/payload", "text/plain");
	simulated_said(s, 404, NULL);
	simulated_fault(s, "{'method': 'POST', 'effect': 'error', 'times': 1}");
	make(s, 1, "{}");
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 200, "\"status\":\"ERROR\"");
	simulated_fault(s, "{'method': 'DELETE', 'effect': 'stuck', 'times': 1}");
	simulated_call(s, "DELETE", S "/$1", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 200, NULL);
	simulated_fault(s, "{'method': 'POST', 'effect': 'quota', 'times': 1}");
	simulated_call(s, "POST", S, "{}");
	simulated_said(s, 403, "Creation not allowed because a quota has been reached");
	simulated_fault(s, "{'method': 'POST', 'effect': 'status', 'status': 503, 'text': 'no'}");
	simulated_call(s, "POST", S, "{}");
	simulated_said(
		s, 503, "{\"code\":503,\"title\":\"Service Unavailable\",\"description\":\"no\"}");
}

static void test_configured(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "quota: {secrets: 1}\nservices: {host_href: false}\n");
	simulated_call(s, "POST", S, "{}");
	simulated_said(s, 201, "{\"secret_ref\":\"http://localhost:9311/v1/secrets/");
	keep_ref(s, 1, "secret_ref");
	simulated_call(s, "POST", S, "{}");
	simulated_said(s, 403, NULL);
	simulated_call(s, "GET", S "/$1", NULL);
	simulated_said(s, 200, "\"secret_ref\":\"http://localhost:9311/v1/secrets/");
	simulated_restart(s, 1, NULL);
	simulated_call(s, "POST", "/sim/plant",
		"{'name': 'gh-x', 'mark': 'glasshouse other r1 s 0', 'kinds': ['secret']}");
	simulated_said(s, 201, "\"kind\":\"secret\"");
	simulated_call(s, "GET", S "?name=gh-x", NULL);
	snprintf(s->kept[2], sizeof(s->kept[2]), "%s",
		strrchr(simulated_str(s, "secrets", "0", "secret_ref", NULL), '/') + 1);
	simulated_call(s, "DELETE", S "/$2", NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 1);
}

int test_keymanager(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {TEST(test_versions), TEST(test_secret),
		TEST(test_later_payload), TEST(test_refusals), TEST(test_list), TEST(test_metadata),
		TEST(test_container), TEST(test_order), TEST(test_faults), TEST(test_configured)};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
