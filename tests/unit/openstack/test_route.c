/* Routes of routers, with and without the extension that adds and removes them alone. */
#include "../check.h"

#include "fake_cloud.h"
#include "openstack/kind_exchange.h"

static const char catalog[] =
	"[{\"type\":\"network\",\"endpoints\":[{\"interface\":\"public\",\"region\":\"R\","
	"\"url\":\"$BASE/v2.0\"}]}]";
#define ADD    "PUT /v2.0/routers/r1/add_extraroutes"
#define REMOVE "PUT /v2.0/routers/r1/remove_extraroutes"
#define OTHER  "{\"destination\":\"10.1.0.0/16\",\"nexthop\":\"10.0.0.2\"}"
#define OURS   "{\"destination\":\"192.0.2.0/24\",\"nexthop\":\"10.0.0.9\"}"
#define NOT_FOUND                                                                                      \
	"{\"message\": \"The resource could not be found.<br /><br />\", \"code\": \"404 Not Found\"," \
	" \"title\": \"Not Found\"}"

static int set_up(void **state)
{
	if (fake_set_up(state))
		return -1;
	struct fake *f = *state;
	mem_replace(&f->catalog, catalog);
	return 0;
}

/* Sends what the row says of our route. */
static void ask(struct fake *f, bool removes, struct fake_result *r)
{
	struct error_list errors = {0};
	struct kinds *kinds = kinds_load(NULL, &errors);
	const struct kind *k = kind_find(kinds, SLICE("router_route"));
	json_t *body = json_pack("{s:s, s:s, s:s}", "router", "r1", "destination", "192.0.2.0/24",
		"nexthop", "10.0.0.9");
	struct kind_request q = {0};
	assert_true(removes ? kind_object_request(k, k->remove, body, &q, NULL)
			    : kind_create_request(k, body, NULL, NULL, &q, NULL));
	const struct cloud_request request = kind_call(k, &q, 10 * NS_PER_S);
	fake_result_fini(r);
	*r = (struct fake_result){0};
	cloud_call(f->cloud, &request, fake_done, r);
	fake_wait(f, &r->done);
	kind_request_fini(&q);
	json_decref(body);
	kinds_free(kinds);
}

static void test_atomic(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};
	fake_says(f, ADD, 200, NULL, "{\"router\":{\"id\":\"r1\",\"routes\":[" OURS "]}}");
	fake_says(f, REMOVE, 404, NULL,
		"{\"NeutronError\": {\"type\": \"RouterNotFound\", \"message\": \"no r1\"}}");
	ask(f, false, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_int_equal(r.times, 1);
	ask(f, true, &r);
	assert_int_equal(r.status, 404); /* of the router: nothing to fall back to */
	assert_int_equal(fake_count(f, "GET /v2.0/routers/r1"), 0);
	fake_result_fini(&r);
}

static void test_whole_list(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};
	fake_says(f, ADD, 404, NULL, NOT_FOUND);
	fake_says(f, REMOVE, 404, NULL, NOT_FOUND);
	fake_says(f, "GET /v2.0/routers/r1", 200, NULL,
		"{\"router\":{\"id\":\"r1\",\"revision_number\":7,\"routes\":[" OTHER "]}}");
	/* somebody else was quicker */
	fake_says(f, "PUT /v2.0/routers/r1", 412, NULL, "");
	fake_says(f, "GET /v2.0/routers/r1", 200, NULL,
		"{\"router\":{\"id\":\"r1\",\"revision_number\":8,\"routes\":[" OTHER "]}}");
	fake_says(f, "PUT /v2.0/routers/r1", 200, NULL, "{\"router\":{\"id\":\"r1\"}}");
	ask(f, false, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_int_equal(r.times, 1);
	assert_string_equal(f->bodies.p[fake_last(f, "PUT /v2.0/routers/r1")],
		"{\"router\":{\"routes\":[" OTHER "," OURS "]}}");
	assert_int_equal(fake_count(f, "PUT /v2.0/routers/r1"), 2);
	fake_says(f, "GET /v2.0/routers/r1", 200, NULL,
		"{\"router\":{\"id\":\"r1\",\"revision_number\":9,\"routes\":[" OTHER "," OURS
		"]}}");
	fake_says(f, "PUT /v2.0/routers/r1", 200, NULL, "{\"router\":{\"id\":\"r1\"}}");
	ask(f, true, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_string_equal(f->bodies.p[fake_last(f, "PUT /v2.0/routers/r1")],
		"{\"router\":{\"routes\":[" OTHER "]}}");
	fake_result_fini(&r);
}

/* The router itself may be gone, or refuse. */
static void test_refused(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};
	fake_says(f, ADD, 404, NULL, NOT_FOUND);
	fake_says(f, "GET /v2.0/routers/r1", 200, NULL, "{\"router\":{\"id\":\"r1\"}}");
	fake_says(f, "PUT /v2.0/routers/r1", 400, NULL,
		"{\"NeutronError\": {\"type\": \"InvalidRoutes\", \"message\": \"no nexthop\"}}");
	ask(f, false, &r);
	assert_int_equal(r.status, 400);
	assert_string_equal(r.type, "InvalidRoutes");
	assert_int_equal(r.times, 1);
	fake_says(f, "GET /v2.0/routers/r1", 404, NULL,
		"{\"NeutronError\": {\"type\": \"RouterNotFound\", \"message\": \"no r1\"}}");
	fake_result_fini(&r);
}

int test_route(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_atomic, set_up, fake_tear_down),
		cmocka_unit_test_setup_teardown(test_whole_list, set_up, fake_tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, fake_tear_down),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
