/*
 * test_http_client.c - the client: its requests, and answers of all forms.
 */
#include "calling.h"

static void a_request_and_its_answer_are_whole(void **state)
{
	static const struct http_header headers[] = {
		{"X-Openstack-Request-Id", "req-0f3b"}, {"X-Empty", ""}};
	struct ask a;

	ask_for(*state, &a, "/echo",
		(struct http_request){.method = "POST",
			.headers = headers,
			.header_count = 2,
			.body = "{\"a\": 1}",
			.body_n = 8});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(a.a.status, 200);
	assert_int_equal(a.a.version, 11);
	assert_true(a.a.sent);
	assert_string_equal(a.a.address, "127.0.0.1");
	assert_non_null(strstr(a.body, "POST /echo HTTP/1.1\r\n"));
	assert_non_null(strstr(a.body, "User-Agent: glasshouse/"));
	assert_non_null(strstr(a.body, "X-Openstack-Request-Id: req-0f3b\r\n"));
	assert_non_null(strstr(a.body, "X-Empty:"));
	assert_non_null(strstr(a.body, "Content-Length: 8\r\n"));
	assert_null(strstr(a.body, "Expect"));
	assert_null(strstr(a.body, "urlencoded"));
	assert_null(strstr(a.body, "Accept-Encoding")); /* so nothing comes packed */
	assert_non_null(strstr(a.body, "\r\n\r\n{\"a\": 1}"));
	ask_forget(&a);
}

static void connections_are_kept(void **state)
{
	struct room *r = *state;
	struct ask a;

	for (int i = 0; i < 3; i++) {
		ask_get(r, &a, "/echo");
		assert_fault(&a, FAULT_NONE, "");
		assert_int_equal(a.a.reused, i > 0);
		assert_int_equal(a.a.phases.connect_ns == 0, i > 0);
		ask_forget(&a);
	}
	assert_int_equal(r->peer->connections, 1);
}

static void a_fresh_client_keeps_none(void **state)
{
	struct room *r = *state;
	struct ask a;

	open_client(r, (struct http_client_options){.fresh = true});
	for (int i = 0; i < 3; i++) {
		ask_get(r, &a, "/echo");
		assert_false(a.a.reused);
		assert_true(a.a.phases.connect_ns > 0);
		ask_forget(&a);
	}
	assert_int_equal(r->peer->connections, 3);
}

static void answers_have_many_forms(void **state)
{
	static const struct {
		const char *path, *body;
		int status, version;
	} forms[] = {{"/chunked", "abcdefgh", 200, 11}, {"/until-close", "all of it", 200, 10},
		{"/missing", "none", 404, 11}, {"/continue", "ok", 200, 11},
		{"/redirect", "", 302, 11}};
	struct room *r = *state;
	struct ask a;

	for (size_t i = 0; i < array_len(forms); i++) {
		ask_get(r, &a, forms[i].path);
		assert_fault(&a, FAULT_NONE, "");
		assert_int_equal(a.a.status, forms[i].status);
		assert_int_equal(a.a.version, forms[i].version);
		assert_string_equal(a.body, forms[i].body);
		assert_int_equal(a.a.body_size, strlen(forms[i].body));
		assert_null(a.link); /* that of the 103 is not the answer's */
		if (a.a.status == 302)
			assert_string_equal(a.location, "/echo"); /* told, not followed */
		ask_forget(&a);
	}
	assert_int_equal(r->peer->requests, array_len(forms));
}

static void headers_are_found_in_any_case(void **state)
{
	struct ask a;

	ask_get(*state, &a, "/headers");
	assert_string_equal(a.link, "<a>");
	assert_int_equal(a.headers, 4);
	ask_forget(&a);
}

static void many_at_once_all_come_back(void **state)
{
	static struct ask asks[200];
	struct room *r = *state;

	memset(asks, 0, sizeof(asks));
	open_client(r, (struct http_client_options){.connections = 16});
	for (size_t i = 0; i < array_len(asks); i++)
		ask_send(r, &asks[i], "/echo", (struct http_request){0});
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_fault(&asks[i], FAULT_NONE, "");
		ask_forget(&asks[i]);
	}
	assert_true(r->peer->connections <= 16);
}

static void the_callers_addresses_come_first(void **state)
{
	struct room *r = *state;
	char *entry = mem_printf("cloud.invalid:%u:127.0.0.1", r->peer->port);
	const char *const entries[] = {entry, NULL};
	struct ask a;

	free(r->url);
	r->url = mem_printf("http://cloud.invalid:%u", r->peer->port);
	ask_for(r, &a, "/echo", (struct http_request){.resolve = entries});
	assert_fault(&a, FAULT_NONE, "");
	assert_non_null(strstr(a.body, "Host: cloud.invalid:"));
	assert_int_equal(a.a.phases.resolve_ns, 0);
	ask_forget(&a);
	free(entry);
}

static void another_peer_is_connected_to(void **state)
{
	struct room *r = *state;
	char *peer = mem_printf("127.0.0.1:%u", r->peer->port);
	struct ask a;

	free(r->url);
	r->url = mem_strdup("http://192.0.2.7:81");
	ask_for(r, &a, "/echo", (struct http_request){.connect_to = peer});
	assert_fault(&a, FAULT_NONE, "");
	assert_non_null(strstr(a.body, "Host: 192.0.2.7:81"));
	ask_forget(&a);
	free(r->url);
	r->url = mem_strdup("http://cloud.invalid");
	ask_for(r, &a, "/echo", (struct http_request){.connect_to = peer});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(a.a.phases.resolve_ns, 0);
	ask_forget(&a);
	free(peer);
}

/* --- bodies in pieces --------------------------------------------------------------------------
 */

struct flow {
	size_t left;
	size_t taken, stop_at;
	struct http_call **cancel;
};

static size_t give(void *arg, void *p, size_t n)
{
	struct flow *f = arg;

	n = n < f->left ? n : f->left;
	memset(p, 'u', n);
	f->left -= n;
	return n;
}

static bool take(void *arg, const void *p, size_t n)
{
	struct flow *f = arg;

	f->taken += n;
	if (f->cancel)
		http_cancel(*f->cancel);
	return f->stop_at == 0 || f->taken < f->stop_at;
}

static void a_body_is_uploaded_in_pieces(void **state)
{
	struct flow f = {.left = 50000};
	struct ask a;

	ask_for(*state, &a, "/echo",
		(struct http_request){
			.method = "PUT", .source = give, .source_n = 50000, .stream_arg = &f});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(strlen(strstr(a.body, "\r\n\r\n") + 4), 50000);
	ask_forget(&a);
	f.left = 20000;
	ask_for(*state, &a, "/echo",
		(struct http_request){
			.method = "PUT", .source = give, .source_n = 50000, .stream_arg = &f});
	assert_fault(&a, FAULT_LOCAL, "30000 bytes early");
	ask_forget(&a);
}

static void a_body_is_taken_in_pieces(void **state)
{
	struct flow f = {0};
	struct ask a;

	ask_for(*state, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(f.taken, 1000000);
	assert_string_equal(a.body, "");
	ask_forget(&a);
	f = (struct flow){.stop_at = 1};
	ask_for(*state, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	assert_fault(&a, FAULT_LOCAL, "reader");
	ask_forget(&a);
	f = (struct flow){0};
	ask_for(*state, &a, "/missing", (struct http_request){.sink = take, .stream_arg = &f});
	assert_int_equal(f.taken, 0); /* an error's body is for people */
	assert_string_equal(a.body, "none");
	ask_forget(&a);
}

static void cancelling_inside_a_piece(void **state)
{
	struct room *r = *state;
	struct http_call *call;
	struct flow f = {.cancel = &call};
	struct ask a = {0};

	call = ask_send(r, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	loop_run(r->loop);
	assert_int_equal(a.times, 1);
	assert_fault(&a, FAULT_CANCELLED, "");
	ask_forget(&a);
	ask_get(r, &a, "/echo"); /* the client is whole */
	assert_fault(&a, FAULT_NONE, "");
	ask_forget(&a);
}

int test_http_client(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, calling_up, calling_down)
	const struct CMUnitTest tests[] = {
		t(a_request_and_its_answer_are_whole),
		t(connections_are_kept),
		t(a_fresh_client_keeps_none),
		t(answers_have_many_forms),
		t(headers_are_found_in_any_case),
		t(many_at_once_all_come_back),
		t(the_callers_addresses_come_first),
		t(another_peer_is_connected_to),
		t(a_body_is_uploaded_in_pieces),
		t(a_body_is_taken_in_pieces),
		t(cancelling_inside_a_piece),
	};
#undef t

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
