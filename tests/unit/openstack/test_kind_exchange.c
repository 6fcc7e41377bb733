/* What answers say of objects: whose wrapper, whose headers, what is gone, what is only busy. */
#include "../check.h"

#include "fake_cloud.h"
#include "openstack/kind_exchange.h"

static struct kinds *kinds;

static int set_up_kinds(void **state)
{
	struct error_list errors = {0};
	kinds = kinds_load(NULL, &errors);
	return kinds ? 0 : -1;
}

static int tear_down_kinds(void **state)
{
	kinds_free(kinds);
	return 0;
}

static const struct {
	const char *kind;
	int status;
	const char *path, *body;
	bool gone;
} cases[] = {
	{"network", 404, "{}", "{}", true},
	{"network", 200, "{}", "{\"network\": {}}", false},
	{"network", 503, "{}", "{}", false},
	{"network", 0, "{}", "{}", false},
	{"stack", 200, "{}", "{\"stack\": {\"stack_status\": \"DELETE_COMPLETE\"}}", true},
	{"stack", 200, "{}", "{\"stack\": {\"stack_status\": \"DELETE_IN_PROGRESS\"}}", false},
	{"lb_pool", 200, "{}", "{\"pool\": {\"provisioning_status\": \"DELETED\"}}", true},
	{"lb_pool", 200, "{}", "{\"pool\": {\"provisioning_status\": \"PENDING_DELETE\"}}", false},
	{"dns_zone", 200, "{}", "{\"status\": \"PENDING\", \"action\": \"DELETE\"}", false},
	{"router_interface", 200, "{}", "{\"ports\": []}", true},
	{"router_interface", 200, "{}", "{\"ports\": [{}]}", false},
	{"router_route", 200, "{\"destination\": \"d\", \"nexthop\": \"n\"}",
		"{\"router\": {\"routes\": [{\"destination\": \"d\", \"nexthop\": \"n\"}]}}",
		false},
	{"router_route", 200, "{\"destination\": \"d\", \"nexthop\": \"n\"}",
		"{\"router\": {\"routes\": [{\"destination\": \"d\", \"nexthop\": \"m\"}]}}", true},
	{"router_route", 200, "{\"destination\": \"d\", \"nexthop\": \"n\"}",
		"{\"router\": {\"routes\": []}}", true},
	{"router_route", 500, "{\"destination\": \"d\", \"nexthop\": \"n\"}", "{}", false},
};

static void test_gone(void **state)
{
	for (size_t i = 0; i < array_len(cases); i++) {
		json_t *path = json_parse(slice_of(cases[i].path), BUF_LINE, NULL);
		json_t *body = json_parse(slice_of(cases[i].body), BUF_LINE, NULL);
		const struct cloud_answer a = {.status = cases[i].status,
			.fault = cases[i].status == 200 ? FAULT_NONE : FAULT_HTTP_5XX,
			.json = body};
		const struct kind *k = kind_find(kinds, slice_of(cases[i].kind));
		if (kind_answer_gone(k, path, &a) != cases[i].gone)
			fail_msg("%s %d %s", cases[i].kind, cases[i].status, cases[i].body);
		json_decref(path);
		json_decref(body);
	}
}

static void test_busy(void **state)
{
	const struct kind *k = kind_find(kinds, SLICE("lb_listener"));
	json_t *immutable = json_pack(
		"{s:s}", "faultstring", "Load Balancer 5 is immutable and cannot be updated.");
	json_t *taken = json_pack("{s:s}", "faultstring",
		"Another Listener on this Load Balancer is already using protocol_port 80");
	struct cloud_answer a = {.status = 409, .fault = FAULT_HTTP_409, .json = immutable};
	assert_true(kind_answer_busy(k, &a));
	a.json = taken;
	assert_false(kind_answer_busy(k, &a));
	assert_false(kind_answer_busy(kind_find(kinds, SLICE("network")), &a));
	json_decref(immutable);
	json_decref(taken);
}

/* An answer of swift has no document: its headers are the object. */
struct head {
	json_t *object;
	bool done;
};

static void on_head(void *arg, const struct cloud_answer *a)
{
	struct head *h = arg;
	json_t *path = json_pack("{s:s, s:s}", "id", "gh-x", "container", "c");
	h->object = kind_answer_object(kind_find(kinds, SLICE("object")), path, a);
	h->done = true;
	json_decref(path);
}

static void test_headers(void **state)
{
	struct fake *f = *state;
	struct head h = {0};
	mem_replace(&f->catalog,
		"[{\"type\":\"object-store\",\"endpoints\":[{\"interface\":\"public\",\"region\":"
		"\"R\",\"url\":\"$BASE/v1/AUTH_p\"}]}]");
	fake_says(f, "HEAD /v1/AUTH_p/c/gh-x", 200, "X-Object-Meta-Colour: blue", "");
	const struct cloud_request q = {
		.service = "object-store", .method = "HEAD", .path = "/c/gh-x"};
	cloud_call(f->cloud, &q, on_head, &h);
	fake_wait(f, &h.done);
	assert_string_equal(json_str(h.object, "x-object-meta-colour"), "blue");
	assert_string_equal(json_str(h.object, "name"), "gh-x");
	assert_string_equal(kind_id(kind_find(kinds, SLICE("object")), h.object), "gh-x");
	json_decref(h.object);
}

int test_kind_exchange(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_busy),
		cmocka_unit_test_setup_teardown(test_headers, fake_set_up, fake_tear_down),
	};
	return cmocka_run_group_tests_name("kind_exchange", tests, set_up_kinds, tear_down_kinds);
}
