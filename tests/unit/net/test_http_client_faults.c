/*
 * test_http_client_faults.c - calls that go wrong, are given up, or lose their client.
 */
#include "calling.h"

#define SHORT (250 * NS_PER_MS)

/* The second request of the first connection finds nobody. */
static void serve_once(struct peer_connection *c)
{
	if (peer_read(c) && calling_answer(c) && c->nth == 0)
		peer_read(c);
	else
		calling_serve(c);
}

/* The second request finds the connection gone, with a reset. */
static void serve_once_then_reset(struct peer_connection *c)
{
	if (peer_read(c) && calling_answer(c) && c->nth == 0) {
		peer_read(c);
		peer_reset(c);
	} else {
		calling_serve(c);
	}
}

static void say_nothing(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000);
}

/* --- what goes wrong ---------------------------------------------------------------------------
 */

static void broken_answers_have_their_fault(void **state)
{
	static const struct {
		const char *path, *part;
		enum fault fault;
	} cases[] = {{"/cut", "", FAULT_CONNECTION_LOST}, {"/nothing", "", FAULT_CONNECTION_LOST},
		{"/reset", "", FAULT_CONNECTION_LOST}, {"/no-http", "", FAULT_PROTOCOL},
		{"/bad-chunk", "", FAULT_CONNECTION_LOST}, {"/header-flood", "", FAULT_PROTOCOL}};
	struct room *r = *state;
	struct ask a;

	open_client(r, (struct http_client_options){.fresh = true});
	for (size_t i = 0; i < array_len(cases); i++) {
		ask_get(r, &a, cases[i].path);
		if (a.a.fault != cases[i].fault)
			fail_msg("%s: %s %s", cases[i].path, fault_name(a.a.fault), a.a.detail);
		assert_true(a.a.detail[0]);
		assert_true(a.a.sent); /* a create may have happened */
		ask_forget(&a);
	}
	free(r->url);
	r->url = mem_printf("http://127.0.0.1:%u", peer_free_port());
	ask_get(r, &a, "/");
	assert_fault(&a, FAULT_REFUSED, "refused");
	assert_false(a.a.sent);
	assert_true(a.a.phases.connect_ns > 0);
	ask_forget(&a);
}

static void what_may_have_happened_is_not_sent_again(void **state)
{
	struct room *r = *state;
	struct ask a;

	open_peer(r, serve_once, NULL);
	ask_get(r, &a, "/once");
	ask_forget(&a);
	ask_for(r, &a, "/once", (struct http_request){.method = "POST", .body = "x", .body_n = 1});
	assert_fault(&a, FAULT_CONNECTION_LOST, "not sent again");
	assert_true(a.a.sent);
	assert_int_equal(r->peer->requests, 2);
	ask_forget(&a);
	static peer_serve *const breaking[] = {serve_once, serve_once_then_reset};
	for (size_t i = 0; i < array_len(breaking); i++) {
		open_peer(r, breaking[i], NULL);
		ask_get(r, &a, "/once");
		ask_forget(&a);
		ask_get(r, &a, "/once"); /* reading twice changes nothing */
		assert_fault(&a, FAULT_NONE, "");
		assert_string_equal(a.body, "again");
		assert_int_equal(r->peer->requests, 3);
		ask_forget(&a);
	}
}

static void an_answer_over_the_limit_is_refused(void **state)
{
	struct ask a;

	ask_for(*state, &a, "/much", (struct http_request){.answer_max = 999999});
	assert_fault(&a, FAULT_BODY_TOO_LARGE, "larger than");
	ask_forget(&a);
	ask_for(*state, &a, "/much", (struct http_request){.answer_max = 1000000});
	assert_fault(&a, FAULT_NONE, "");
	ask_forget(&a);
}

static void deadlines_say_how_far_it_came(void **state)
{
	struct room *r = *state;
	struct peer_deaf deaf;
	struct ask a;

	ask_for(r, &a, "/silent", (struct http_request){.deadline_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "no answer within");
	assert_true(a.a.sent && a.a.phases.total_ns >= SHORT && a.a.phases.wait_ns > 0);
	ask_forget(&a);
	ask_for(r, &a, "/slow", (struct http_request){.deadline_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "not complete");
	assert_int_equal(a.a.status, 200);
	assert_true(a.a.phases.body_ns > 0);
	ask_forget(&a);
	free(r->url);
	peer_deafen(&deaf);
	r->url = mem_printf("http://127.0.0.1:%u", deaf.port);
	ask_for(r, &a, "/", (struct http_request){.connect_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "connecting");
	assert_false(a.a.sent);
	assert_true(a.a.phases.connect_ns > 0);
	ask_forget(&a);
	peer_deaf_fini(&deaf);
	open_peer(r, say_nothing, NULL);
	free(r->url);
	r->url = mem_printf("https://127.0.0.1:%u", r->peer->port);
	ask_for(r, &a, "/", (struct http_request){.connect_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "TLS handshake");
	assert_false(a.a.sent);
	assert_true(a.a.phases.tls_ns > 0);
	ask_forget(&a);
}

static void what_cannot_be_sent_is_not(void **state)
{
	static const struct http_header split[] = {{"X-A", "b\r\nX-Evil: 1"}};
	static const struct http_header spaced[] = {{"X A", "b"}};
	struct room *r = *state;
	struct ask a;

	ask_for(r, &a, "/echo", (struct http_request){.method = "GE T"});
	assert_fault(&a, FAULT_LOCAL, "no method");
	ask_forget(&a);
	ask_for(r, &a, "/echo", (struct http_request){.headers = split, .header_count = 1});
	assert_fault(&a, FAULT_LOCAL, "cannot be sent");
	ask_forget(&a);
	ask_for(r, &a, "/echo", (struct http_request){.headers = spaced, .header_count = 1});
	assert_fault(&a, FAULT_LOCAL, "cannot be sent");
	ask_forget(&a);
	ask_for(r, &a, "/a b", (struct http_request){0});
	assert_fault(&a, FAULT_LOCAL, "");
	ask_forget(&a);
	free(r->url);
	r->url = mem_strdup("ftp://127.0.0.1");
	ask_get(r, &a, "/");
	assert_fault(&a, FAULT_LOCAL, "no http");
	assert_false(a.a.sent);
	assert_int_equal(r->peer->connections, 0);
	ask_forget(&a);
}

/* --- cancelling --------------------------------------------------------------------------------
 */

struct later {
	struct http_call *call;
	struct timer timer;
};

static void on_later(struct timer *t)
{
	struct later *l = t->arg;

	http_cancel(l->call);
	http_cancel(l->call);
}

static void cancel_after(struct room *r, const char *path, int64_t ns)
{
	struct later later = {0};
	struct ask a = {0};

	later.call = ask_send(r, &a, path, (struct http_request){0});
	if (ns > 0)
		timer_start(r->loop, &later.timer, ns, on_later, &later);
	else
		on_later(&(struct timer){.arg = &later});
	assert_int_equal(a.times, 0);
	loop_run(r->loop);
	assert_int_equal(a.times, 1);
	assert_fault(&a, FAULT_CANCELLED, "");
	ask_forget(&a);
}

static void cancelling_calls_back_once(void **state)
{
	struct room *r = *state;
	struct peer_deaf deaf;

	cancel_after(r, "/silent", 0);
	cancel_after(r, "/silent", 50 * NS_PER_MS);
	cancel_after(r, "/slow", 50 * NS_PER_MS);
	cancel_after(r, "/a b", 0); /* has ended already */
	free(r->url);
	peer_deafen(&deaf);
	r->url = mem_printf("http://127.0.0.1:%u", deaf.port);
	cancel_after(r, "/", 0);
	cancel_after(r, "/", 50 * NS_PER_MS);
	peer_deaf_fini(&deaf);
	open_peer(r, say_nothing, NULL);
	free(r->url);
	r->url = mem_printf("https://127.0.0.1:%u", r->peer->port);
	cancel_after(r, "/", 50 * NS_PER_MS);
	free(r->url);
	r->url = mem_strdup("http://slow.invalid");
	cancel_after(r, "/", 0);
}

static void freeing_the_client_ends_its_calls(void **state)
{
	static const char *const paths[] = {"/silent", "/slow", "/echo", "/a b"};
	struct room *r = *state;
	struct ask asks[array_len(paths)] = {0};

	for (size_t i = 0; i < array_len(paths); i++)
		ask_send(r, &asks[i], paths[i], (struct http_request){0});
	http_client_free(r->client);
	r->client = NULL;
	for (size_t i = 0; i < array_len(paths); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_true(asks[i].a.fault != FAULT_NONE);
		ask_forget(&asks[i]);
	}
}

static void a_callback_may_free_the_client(void **state)
{
	struct room *r = *state;
	struct ask first = {.free_client = true}, second = {0};

	ask_send(r, &second, "/silent", (struct http_request){0});
	ask_send(r, &first, "/echo", (struct http_request){0});
	loop_run(r->loop);
	assert_int_equal(first.times, 1);
	assert_int_equal(second.times, 1);
	assert_fault(&second, FAULT_CANCELLED, "");
	ask_forget(&first);
	ask_forget(&second);
}

int test_http_client_faults(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, calling_up, calling_down)
	const struct CMUnitTest tests[] = {
		t(broken_answers_have_their_fault),
		t(what_may_have_happened_is_not_sent_again),
		t(an_answer_over_the_limit_is_refused),
		t(deadlines_say_how_far_it_came),
		t(what_cannot_be_sent_is_not),
		t(cancelling_calls_back_once),
		t(freeing_the_client_ends_its_calls),
		t(a_callback_may_free_the_client),
	};
#undef t

	return cmocka_run_group_tests_name("http_client_faults", tests, NULL, NULL);
}
