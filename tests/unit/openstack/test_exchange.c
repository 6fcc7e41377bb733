/* What observers of a session are told: each of them, as much as was asked for, and no secret. */
#include "../check.h"

#include "fake_cloud.h"

struct told {
	struct buf text;
};

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	struct told *t = arg;
	buf_printf(&t->text, "%s %s %d step=%s headers=%d body=%.*s\n", x->service, x->call,
		x->status, x->purpose ? x->purpose->step : "-", x->answer_header_count > 0,
		SLICE_ARG(x->answer_body));
	for (size_t i = 0; i < x->request_header_count; i++)
		assert_null(strstr(x->request_headers[i].value, "token"));
}

static void listen_to(struct fake *f, enum cloud_detail detail, struct told *t)
{
	*t = (struct told){.text = BUF(BUF_PAGE)};
	cloud_observe(f->cloud, detail, on_exchange, t);
}

static void ask(struct fake *f, const char *path, const struct cloud_purpose *purpose)
{
	struct fake_result r = {0};
	const struct cloud_request q = {
		.service = "network", .method = "GET", .path = path, .purpose = purpose};
	cloud_call(f->cloud, &q, fake_done, &r);
	loop_run_until(f->loop, &r.done);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_result_fini(&r);
}

static void everybody_is_told_until_he_leaves(void **state)
{
	struct fake *f = *state;
	struct told first, second;
	const struct cloud_purpose purpose = {"s", "r", "net", "network"};
	assert_string_equal(fake_connect(f), "");
	fake_says(f, "GET /net/v2.0/x", 200, NULL, "{\"password\": \"p\"}");
	fake_says(f, "GET /net/v2.0/y", 200, NULL, "{}");
	fake_says(f, "GET /net/v2.0/networks/0123456789abcdef0123456789abcdef", 200, NULL, "{}");
	fake_says(f, "GET /net/v2.0/actions/req-01234567-89ab-cdef-0123-456789abcdef", 200, NULL,
		"{}");
	listen_to(f, CLOUD_FIGURES, &first);
	ask(f, "/x", NULL);
	listen_to(f, CLOUD_BODIES, &second);
	ask(f, "/x", &purpose);
	cloud_unobserve(f->cloud, &second);
	ask(f, "/networks/0123456789abcdef0123456789abcdef", NULL);
	ask(f, "/actions/req-01234567-89ab-cdef-0123-456789abcdef", NULL);
	cloud_unobserve(f->cloud, &first);
	ask(f, "/y", NULL);
	/* Nobody pays for what nobody asked for, and nobody is told a secret. */
	assert_string_equal(buf_str(&first.text),
		"network GET /x 200 step=- headers=0 body=\n"
		"network GET /x 200 step=net headers=1 body={\"password\":\"***\"}\n"
		"network GET /networks/{id} 200 step=- headers=0 body=\n"
		"network GET /actions/{id} 200 step=- headers=0 body=\n");
	assert_string_equal(buf_str(&second.text),
		"network GET /x 200 step=net headers=1 body={\"password\":\"***\"}\n");
	buf_fini(&first.text);
	buf_fini(&second.text);
}

int test_exchange(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			everybody_is_told_until_he_leaves, fake_set_up, fake_tear_down),
	};
	return cmocka_run_group_tests_name("openstack/exchange", tests, NULL, NULL);
}
