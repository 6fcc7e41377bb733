/* Log-ins that are timed for their own sake, and the session's token lent to probes. */
#include "../check.h"

#include "fake_cloud.h"

static void log_in(struct fake *f, struct fake_result *r)
{
	fake_result_fini(r);
	cloud_log_in(f->cloud, f->client, NULL, "req-own", 10 * NS_PER_S, fake_done, r);
	assert_int_equal(r->times, 0); /* never from inside */
	fake_wait(f, &r->done);
	assert_int_equal(r->times, 1);
	free(r->json);
	r->json = NULL;
}

static void set_catalog(struct fake *f, const char *path)
{
	free(f->catalog);
	f->catalog = mem_printf(
		"[{\"type\":\"compute\",\"endpoints\":[{\"interface\":\"public\","
		"\"region_id\":\"R\",\"url\":\"$BASE%s\"}]}]",
		path);
}

/* It sends what the session sends, and leaves its token alone. */
static void test_beside_the_session(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};
	unsigned before, after;
	bool renew;

	assert_null(cloud_token(f->cloud, &before, &renew));
	assert_true(renew);
	log_in(f, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_int_equal(r.status, 201);
	assert_string_equal(r.message, "");
	assert_string_equal(r.request_id, "req-own");
	assert_non_null(strstr(f->headers.p[0], "X-Openstack-Request-Id: req-own"));
	assert_null(cloud_token(f->cloud, &before, &renew)); /* it was not this session's */
	/* but what came with it is known */
	assert_string_equal(cloud_region(f->cloud), "R");
	assert_string_equal(cloud_project_id(f->cloud), "p1");
	assert_non_null(cloud_endpoint(f->cloud, "compute"));
	assert_string_equal(fake_connect(f), "");
	assert_string_equal(f->bodies.p[0], f->bodies.p[1]);
	const struct secret *token = cloud_token(f->cloud, &before, &renew);
	assert_string_equal(secret_reveal(token), "token-2-abcdef");
	assert_false(renew);
	log_in(f, &r);
	assert_ptr_equal(cloud_token(f->cloud, &after, &renew), token);
	assert_int_equal(before, after);
	fake_result_fini(&r);
}

/* A token is lent past its time, and dropped only by who was refused with this very one. */
static void test_lent(void **state)
{
	struct fake *f = *state;
	unsigned first, second;
	bool renew;

	assert_string_equal(fake_connect(f), "");
	assert_non_null(cloud_token(f->cloud, &first, &renew));
	loop_advance(f->loop, 3590 * NS_PER_S);
	assert_non_null(cloud_token(f->cloud, &second, &renew));
	assert_true(renew);
	assert_int_equal(first, second);
	cloud_token_refused(f->cloud, first);
	assert_null(cloud_token(f->cloud, &second, &renew));
	assert_string_equal(fake_connect(f), "");
	cloud_token_refused(f->cloud, first); /* late */
	assert_non_null(cloud_token(f->cloud, &second, &renew));
	assert_int_not_equal(first, second);
}

static void test_refused(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum fault fault;
		const char *message;
	} rows[] = {
		{401, "{\"error\":{\"code\":401,\"message\":\"no way\",\"title\":\"U\"}}",
			FAULT_HTTP_401, "no way"},
		{503, "<html><h1>busy</h1></html>", FAULT_HTTP_503, "busy"},
		{200, "<html></html>", FAULT_BODY, "it answers, but not like keystone"},
		{201, "{\"token\":{}}", FAULT_BODY, "it answers, but not like keystone"},
		{204, "", FAULT_PROTOCOL, "it answers, but not like keystone"},
		{302, "", FAULT_PROTOCOL, "it answers, but not like keystone"},
	};
	struct fake *f = *state;
	struct fake_result r = {0};

	for (size_t i = 0; i < array_len(rows); i++) {
		fake_says(f, "POST /identity/v3/auth/tokens", rows[i].status, NULL, rows[i].body);
		log_in(f, &r);
		assert_int_equal(r.fault, rows[i].fault);
		assert_int_equal(r.status, rows[i].status);
		assert_string_equal(r.message, rows[i].message);
	}
	fake_result_fini(&r);
}

/* Which region is meant is open: no fault of keystone's, but said. */
static void test_no_region(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	f->config.region = mem_strdup("R7");
	log_in(f, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_string_equal(r.message, "no region \"R7\"; there are: R");
	fake_result_fini(&r);
}

static void test_cancelled(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	fake_says(f, "POST /identity/v3/auth/tokens", FAKE_KEEP, NULL, "");
	struct cloud_login *l =
		cloud_log_in(f->cloud, f->client, NULL, "req-own", 10 * NS_PER_S, fake_done, &r);
	loop_advance(f->loop, NS_PER_S);
	cloud_login_cancel(l);
	assert_int_equal(r.times, 0);
	fake_wait(f, &r.done);
	assert_int_equal(r.fault, FAULT_CANCELLED);
	fake_result_fini(&r);
	cloud_log_in(f->cloud, f->client, NULL, "req-own", NS_PER_S, fake_done, &r);
	fake_wait(f, &r.done);
	assert_int_equal(r.fault, FAULT_TIMEOUT);
	fake_result_fini(&r);
}

static void never(void *arg, const struct error *err)
{
	fail_msg("was taken back");
}

static void mark(void *arg, const struct error *err)
{
	*(bool *)arg = true;
}

static void test_connect_taken_back(void **state)
{
	struct fake *f = *state;
	bool done = false;
	int other;

	cloud_connect(f->cloud, never, &other);
	cloud_connect(f->cloud, mark, &done);
	cloud_connect(f->cloud, never, &other);
	cloud_connect_cancel(f->cloud, &other);
	fake_wait(f, &done);
}

/* A call that waits for a place goes where the service is when its turn comes, also when that has
 * to be found out first. */
static void test_service_moves_while_queued(void **state)
{
	struct fake *f = *state;
	struct fake_result first = {0}, second = {0}, r = {0};
	const struct cloud_options one = {.inflight = 1};
	const struct cloud_request a = {.service = "compute", .method = "GET", .path = "/a"},
				   b = {.service = "compute", .method = "GET", .path = "/b"};

	fake_restart(f, &one);
	set_catalog(f, "/old/v2.1");
	fake_says(f, "GET /old/v2.1/a", FAKE_KEEP, NULL, "");
	fake_says(f, "GET /new/", 404, NULL, "");
	fake_says(f, "GET /new/v2.1/b", 200, NULL, "{}");
	cloud_call(f->cloud, &a, fake_done, &first);
	cloud_call(f->cloud, &b, fake_done, &second);
	while (!f->kept.n)
		loop_advance(f->loop, 0);
	set_catalog(f, "/new");
	log_in(f, &r);
	assert_false(second.done);
	fake_release(f, 200, "{}");
	fake_wait(f, &second.done);
	assert_true(first.done);
	assert_int_equal(second.fault, FAULT_NONE);
	assert_int_equal(fake_count(f, "GET /new/v2.1/b"), 1);
	fake_result_fini(&first);
	fake_result_fini(&second);
	fake_result_fini(&r);
}

#define row(t) cmocka_unit_test_setup_teardown(t, fake_set_up, fake_tear_down)

int test_cloud_login(void)
{
	const struct CMUnitTest tests[] = {
		row(test_beside_the_session),
		row(test_lent),
		row(test_refused),
		row(test_no_region),
		row(test_cancelled),
		row(test_connect_taken_back),
		row(test_service_moves_while_queued),
	};

	return cmocka_run_group_tests_name("openstack/cloud_login", tests, NULL, NULL);
}
