/*
 * test_metrics_oshm.c - each measure as OpenStack Health Monitor would have written it, byte for
 * byte; docs/oshm-metrics.md has the same table for people.
 */
#include "../check.h"
#include "tell/metrics_inside.h"

static const char *oshm(const struct measure *m, const char *measurement)
{
	static char text[300];
	struct buf out = BUF(sizeof(text));
	text[0] = 0;
	if (metrics_point_oshm(&out, measurement, m))
		snprintf(text, sizeof(text), "%s", buf_str(&out));
	else
		assert_int_equal(out.n, 0);
	buf_fini(&out);
	return text;
}

static void calls_have_their_old_names(void **state)
{
	static const struct {
		const char *service, *call, *expected;
	} rows[] = {
		{"identity", "POST /auth/tokens", "token,method=issue"},
		{"compute", "POST /servers", "nova,method=boot"},
		{"compute", "GET /servers/{id}", "nova,method=show"},
		{"compute", "DELETE /servers/{id}", "nova,method=delete"},
		{"compute", "POST /os-keypairs", "nova,method=keypair-add"},
		{"compute", "POST /servers/{id}/os-interface", "nova,method=interface-attach"},
		{"block-storage", "POST /volumes", "cinder,method=create"},
		{"block-storage", "DELETE /volumes/{id}", "cinder,method=delete"},
		{"image", "GET /images/{id}", "glance,method=image-show"},
		{"network", "POST /networks", "neutron,method=net-create"},
		{"network", "GET /networks", "neutron,method=net-list"},
		{"network", "DELETE /subnets/{id}", "neutron,method=subnet-delete"},
		{"network", "PUT /routers/{id}", "neutron,method=router-update"},
		{"network", "PUT /routers/{id}/add_router_interface",
			"neutron,method=router-interface-add"},
		{"network", "POST /security-group-rules",
			"neutron,method=security-group-rule-create"},
		{"network", "GET /floatingips", "neutron,method=floatingip-list"},
		{"load-balancer", "POST /lbaas/loadbalancers",
			"octavia,method=lbaas-loadbalancer-create"},
		{"load-balancer", "POST /lbaas/pools/{id}/members",
			"octavia,method=lbaas-member-create"},
		{"load-balancer", "DELETE /lbaas/pools/{id}/members/{id}",
			"octavia,method=lbaas-member-delete"},
		{"load-balancer", "GET /lbaas/pools/{id}", "octavia,method=lbaas-pool-show"},
		{"object-store", "GET /", "swift,method=list"},
		{"dns", "GET /zones", "designate,method=list"},
		{"baremetal", "GET /nodes", "ironic,method=list"},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct measure m = {.what = MEASURE_CALL,
			.cloud = "gx-scs",
			.service = rows[i].service,
			.name = rows[i].call,
			.total_us = 1234567,
			.status = 200};
		char *expected = mem_printf(
			"gx-scs,cmd=%s duration=1.235,return_code=0\n", rows[i].expected);
		assert_string_equal(oshm(&m, ""), expected);
		free(expected);
	}
}

static void what_its_dashboards_do_not_know_is_not_sent(void **state)
{
	struct measure m = {.what = MEASURE_CALL,
		.cloud = "c",
		.service = "compute",
		.name = "GET /os-services"};
	assert_string_equal(oshm(&m, ""), "");
	m.name = "POST /networks"; /* of another service */
	assert_string_equal(oshm(&m, ""), "");
	m.service = "network";
	m.name = "PATCH /networks/{id}";
	assert_string_equal(oshm(&m, ""), "");
	m.name = "PUT /networks/{id}/tags";
	assert_string_equal(oshm(&m, ""), "");
	m.name = "POST /networks";
	m.fault = FAULT_CANCELLED; /* we stopped it */
	assert_string_equal(oshm(&m, ""), "");
}

static void its_codes_tell_errors_from_timeouts(void **state)
{
	struct measure m = {.what = MEASURE_CALL,
		.cloud = "a b",
		.service = "network",
		.name = "POST /ports",
		.total_us = 26000000,
		.fault = FAULT_HTTP_5XX};
	assert_string_equal(oshm(&m, ""),
		"a\\ b,cmd=neutron,method=port-create duration=26.000,return_code=1\n");
	m.fault = FAULT_TIMEOUT;
	assert_string_equal(oshm(&m, "mine"),
		"mine,cmd=neutron,method=port-create duration=26.000,return_code=2\n");
}

static void waits_end_even_when_nothing_comes(void **state)
{
	struct measure m = {.what = MEASURE_WAIT,
		.cloud = "c",
		.name = "server ready",
		.kind = "server",
		.step = "vm",
		.total_us = 12500000};
	assert_string_equal(
		oshm(&m, ""), "c,cmd=waitVM,method=ACTIVE duration=12.500,return_code=0\n");
	m.step = "jump";
	m.fault = FAULT_STUCK;
	assert_string_equal(
		oshm(&m, ""), "c,cmd=waitJHVM,method=ACTIVE duration=12.500,return_code=1\n");
	m.fault = FAULT_NONE;
	m.name = "server gone";
	assert_string_equal(
		oshm(&m, ""), "c,cmd=waitJHVM,method=XDELX duration=12.500,return_code=0\n");
	m.name = "volume ready";
	m.step = "jhvol";
	assert_string_equal(oshm(&m, ""),
		"c,cmd=waitJHVOLUME,method=available duration=12.500,return_code=0\n");
	m.step = "vmvol";
	assert_string_equal(
		oshm(&m, ""), "c,cmd=waitVOLUME,method=available duration=12.500,return_code=0\n");
	m.name = "loadbalancer gone";
	assert_string_equal(
		oshm(&m, ""), "c,cmd=waitDELLBAAS,method=XDELX duration=12.500,return_code=0\n");
	m.name = "network gone";
	assert_string_equal(oshm(&m, ""), "");
}

static void checks_and_benches_have_their_places(void **state)
{
	json_t *spread =
		json_pack("{s:i, s:i, s:s}", "REQUESTS", 80, "ERRORS", 2, "RESPONSE_TIME", "4s");
	json_t *mesh = json_pack("{s:i, s:i}", "RETRIED", 3, "LOST", 1);
	struct measure m = {.what = MEASURE_CHECK,
		.cloud = "c",
		.name = "ssh",
		.step = "jhlogin",
		.index = 1,
		.total_us = 2500000};
	assert_string_equal(oshm(&m, ""), "c,cmd=ssh,method=JHVM1 duration=2.500,return_code=0\n");
	m.step = "login";
	m.index = 4;
	m.fault = FAULT_SSH_AUTH;
	assert_string_equal(oshm(&m, ""), "c,cmd=ssh,method=VM4:22 duration=2.500,return_code=1\n");
	m.fault = FAULT_NONE;
	m.name = "mesh";
	m.measured = mesh;
	assert_string_equal(oshm(&m, ""), "c,cmd=ping,method=stats duration=3.000,return_code=1\n");
	m.name = "http";
	m.measured = spread; /* 80 requests of 8 servers in 4 s: 9 of them in 0.45 s */
	assert_string_equal(oshm(&m, ""), "c,cmd=LBconn,method=8 duration=4.500,return_code=2\n");
	m.measured = NULL; /* one request alone is no test of a balancer */
	assert_string_equal(oshm(&m, ""), "");
	m.name = "throughput";
	m.index = 0;
	m.fault = FAULT_TIMEOUT;
	assert_string_equal(oshm(&m, ""), "c,cmd=iperf3,method=s0 duration=0.000,return_code=1\n");
	static const struct {
		const char *name, *expected;
		double value;
	} benches[] = {
		{"pi", "4000pi,method=JHVM2 duration=10.700", 10.7},
		{"disk bandwidth", "fioBW,method=JHVM2 duration=120.500", 120.5 * (1 << 20)},
		{"disk operations", "fiokIOPS,method=JHVM2 duration=1.500", 1500},
		{"disk slow operations", "fioLat10ms,method=JHVM2 duration=2.500", 0.025},
		{"throughput", "iperf3,method=r2 duration=3.250", 3.25e9},
	};
	for (size_t i = 0; i < array_len(benches); i++) {
		const struct measure b = {.what = MEASURE_BENCH,
			.cloud = "c",
			.step = "pi",
			.name = benches[i].name,
			.index = 2,
			.value = benches[i].value};
		char *expected = mem_printf("c,cmd=%s,return_code=0\n", benches[i].expected);
		assert_string_equal(oshm(&b, ""), expected);
		free(expected);
	}
	json_decref(mesh);
	json_decref(spread);
}

static void a_run_is_ten_times_its_share_of_the_limit(void **state)
{
	struct measure m = {.what = MEASURE_RUN,
		.cloud = "c",
		.name = "oshm",
		.total_us = 391000000,
		.limit_us = 782000000};
	assert_string_equal(oshm(&m, ""), "c,cmd=totDur,method=782 duration=5.000,return_code=0\n");
	m.fault = FAULT_HTTP_5XX;
	assert_string_equal(oshm(&m, ""), "c,cmd=totDur,method=782 duration=5.000,return_code=1\n");
	m.total_us *= 3;
	assert_string_equal(
		oshm(&m, ""), "c,cmd=totDur,method=782 duration=15.000,return_code=2\n");
}

int test_metrics_oshm(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_have_their_old_names),
		cmocka_unit_test(what_its_dashboards_do_not_know_is_not_sent),
		cmocka_unit_test(its_codes_tell_errors_from_timeouts),
		cmocka_unit_test(waits_end_even_when_nothing_comes),
		cmocka_unit_test(checks_and_benches_have_their_places),
		cmocka_unit_test(a_run_is_ten_times_its_share_of_the_limit),
	};
	return cmocka_run_group_tests_name("tell/metrics_oshm", tests, NULL, NULL);
}
