/* Plans: pairings, requests, the bill against a quota, hidden edges. No cloud is asked. */
#include "written.h"

#include "observe/scenario/plan.h"

/* The plan, or NULL with the message; owned. */
static json_t *plan_of(const char *text, const char *params, const char *zones, const char *quota,
	const char *flavors, char **ret_error)
{
	struct world *w = written_world(text, params, zones, true);
	struct error err = {0};
	json_t *q = quota ? json_parse(slice_of(quota), BUF_PAGE, NULL) : NULL;
	json_t *f = flavors ? json_parse(slice_of(flavors), BUF_PAGE, NULL) : NULL;
	json_t *plan = plan_make(w, q, f, &err);
	char line[ERROR_TEXT + 300];
	if (ret_error)
		*ret_error = plan ? NULL : mem_strdup(error_text(&err, line, sizeof(line)));
	else if (!plan)
		fail_msg("%s", error_text(&err, line, sizeof(line)));
	json_decref(q);
	json_decref(f);
	written_world_free(w);
	return plan;
}

static json_t *element(const json_t *plan, const char *name)
{
	size_t i, k;
	json_t *step, *e;
	json_array_foreach (json_object_get(plan, "steps"), i, step)
		json_array_foreach (json_object_get(step, "elements"), k, e)
			if (!strcmp(json_str(e, "name"), name))
				return e;
	return NULL;
}

/* A part of an element as JSON text against this. */
static void part_is(const json_t *plan, const char *name, const char *key, const char *expected)
{
	json_t *e = element(plan, name);
	assert_non_null(e);
	char *got = json_text(json_object_get(e, key));
	if (strcmp(got, expected) != 0)
		fail_msg("%s of %s is %s", key, name, got);
	free(got);
}

static size_t elements(const json_t *plan, const char *step)
{
	size_t i;
	json_t *s;
	json_array_foreach (json_object_get(plan, "steps"), i, s)
		if (!strcmp(json_str(s, "name"), step))
			return json_array_size(json_object_get(s, "elements"));
	return 999;
}

static void warnings_are(const json_t *plan, const char *expected)
{
	struct buf all = BUF(BUF_PAGE);
	size_t i;
	json_t *w;
	json_array_foreach (json_object_get(plan, "warnings"), i, w)
		buf_printf(
			&all, "%lld %s\n", (long long)json_int(w, "line", 0), json_str(w, "text"));
	if (strcmp(buf_str(&all), expected) != 0)
		fprintf(stderr, "got:\n%s", buf_str(&all));
	assert_string_equal(buf_str(&all), expected);
	buf_fini(&all);
}

static void test_pairings(void **state)
{
	json_t *plan = plan_of(HEAD
		"resources:\n"
		"  router: {router: {}}\n"
		"  net: {network: {}, count: 2}\n"
		"  sub: {subnet: {network_id: \"${net[i]}\", ip_version: 4, cidr: \"${cidr('10.0.0.0/8', "
		"16, i)}\"}, each: net}\n"
		"  link: {router_interface: {router: \"${router}\", subnet_id: \"${sub[i]}\"}, count: "
		"2}\n"
		"  port: {port: {network_id: \"${net[i]}\"}, count: 3, after: [link]}\n"
		"  off: {network: {}, when: \"${1 == 2}\"}\n"
		"  of_off: {port: {network_id: \"${off}\"}}\n"
		"actions:\n"
		"  name: {set: {of: \"${port[-1]}\", name: \"x-${run}\"}}\n"
		"  gone: {delete: \"${port[0]}\", after: [name]}\n"
		"checks:\n"
		"  none: {ping: {to: \"${port[1].address}\"}, must_fail: [timeout]}\n",
		NULL, NULL, NULL, NULL, NULL);
	assert_int_equal(elements(plan, "off") + elements(plan, "of_off"), 0);
	/* Three ports over two networks: the third is on the first again. */
	part_is(plan, "port[2]", "needs", "[\"net[0]\",\"link\"]");
	part_is(plan, "port[1]", "needs", "[\"net[1]\",\"link\"]");
	part_is(plan, "sub[1]", "needs", "[\"net[1]\"]");
	part_is(plan, "link[1]", "requests", "[\"PUT /routers/<router.id>/add_router_interface\"]");
	part_is(plan, "link[1]", "teardown",
		"[\"PUT /routers/<router.id>/remove_router_interface\"]");
	part_is(plan, "link[0]", "body", "{\"subnet_id\":\"<sub[0].id>\"}");
	part_is(plan, "name", "requests", "[\"PUT /ports/<port[2].id>\"]");
	part_is(plan, "gone", "requests",
		"[\"DELETE /ports/<port[0].id>\",\"GET /ports/<port[0].id> until it is gone\"]");
	part_is(plan, "none", "requests", "[\"ping <port[1].address>\"]");
	part_is(plan, "none", "must_fail", "true");
	/* What a run would send, the name's check apart. */
	const json_t *subnet = json_at(element(plan, "sub[1]"), "body", "subnet", NULL);
	assert_string_equal(json_str(subnet, "cidr"), "10.1.0.0/16");
	assert_string_equal(json_str(subnet, "name"), "gh-t2k9f1-x7qa-sub-1-CHECK");
	assert_string_equal(json_str(subnet, "description"), "glasshouse site-a t2k9f1-x7qa sub 1");
	json_decref(plan);
}

#define SERVERS                                                                                    \
	HEAD "deadline: 20m\nteardown: 10m\n"                                                      \
	     "params: {n: 2}\n"                                                                    \
	     "resources:\n"                                                                        \
	     "  net: {network: {}}\n"                                                              \
	     "  sub: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.0.0.0/24}}\n"       \
	     "  group: {security_group: {}}\n"                                                     \
	     "  vol: {volume: {size: 3}}\n"                                                        \
	     "  snap: {snapshot: {volume_id: \"${vol}\"}}\n"                                       \
	     "  vm: {server: {flavorRef: f1, networks: [{uuid: \"${net}\"}], "                     \
	     "block_device_mapping_v2: [{source_type: image, destination_type: volume, "           \
	     "volume_size: 5}]}, count: \"${n}\", after: [sub]}\n"

static int64_t need(const json_t *plan, const char *name)
{
	return json_int(json_at(plan, "bill", "quota", name, NULL), "need", -1);
}

static void test_bill(void **state)
{
	static const char quota[] =
		"{\"cores\": {\"limit\": 8, \"used\": 3}, \"ram\": {\"limit\": -1, \"used\": 9}, "
		"\"port\": {\"limit\": 3, \"used\": 0}, \"gigabytes\": {\"limit\": 10, \"used\": 20}}";
	static const char flavors[] = "{\"f1\": {\"vcpus\": 2, \"ram\": 512, \"disk\": 1}}";
	json_t *plan = plan_of(SERVERS, NULL, NULL, NULL, flavors, NULL);
	const json_t *bill = json_object_get(plan, "bill");
	/* net sub group vol snap + 2 servers */
	assert_int_equal(json_int(bill, "total", 0), 7);
	assert_int_equal(json_int(json_object_get(bill, "objects"), "server", 0), 2);
	assert_int_equal(need(plan, "cores"), 4);
	assert_int_equal(need(plan, "ram"), 1024);
	assert_int_equal(need(plan, "port"), 1 + 2); /* the subnet's own and one a server */
	assert_int_equal(need(plan, "volumes"), 1 + 2);
	assert_int_equal(need(plan, "gigabytes"), 3 + 3 + 5 + 5);
	assert_int_equal(need(plan, "security_group_rule"), 2);
	assert_true(json_is_true(json_object_get(bill, "fits"))); /* no quota is known */
	assert_true(json_real_value(json_object_get(bill, "server_minutes")) == 2 * 30.0);
	json_decref(plan);

	plan = plan_of(SERVERS, NULL, NULL, quota, flavors, NULL);
	bill = json_object_get(plan, "bill");
	assert_true(json_is_false(json_object_get(bill, "fits")));
	const json_t *rows = json_object_get(bill, "quota");
	assert_int_equal(json_int(json_object_get(rows, "cores"), "free", 0), 5);
	assert_int_equal(json_int(json_object_get(rows, "ram"), "free", 0), -1);
	assert_int_equal(json_int(json_object_get(rows, "gigabytes"), "free", 9), 0);
	assert_true(json_is_null(json_object_get(json_object_get(rows, "network"), "limit")));
	json_decref(plan);

	plan = plan_of(SERVERS, "{\"n\": 3}", NULL, "{\"cores\": {\"limit\": 6, \"used\": 0}}",
		flavors, NULL);
	assert_true(json_is_true(json_at(plan, "bill", "fits", NULL))); /* just so */
	json_decref(plan);

	/* What nobody knows is said, and does not fail the bill. */
	plan = plan_of(SERVERS, NULL, NULL, quota, NULL, NULL);
	const json_t *unknown = json_at(plan, "bill", "unknown", NULL);
	assert_int_equal(json_array_size(unknown), 2);
	assert_string_equal(
		json_string_value(json_array_get(unknown, 0)), "cores and memory of vm[0]");
	json_decref(plan);
}

static void test_hidden_edges(void **state)
{
#define BASE                                                                                       \
	HEAD "resources:\n"                                                                        \
	     "  net: {network: {}}\n"                                                              \
	     "  sub: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.0.0.0/24}}\n"       \
	     "  router: {router: {}}\n"                                                            \
	     "  link: {router_interface: {router: \"${router}\", subnet_id: \"${sub}\"}}\n"        \
	     "  group: {security_group: {}}\n"                                                     \
	     "  ssh_in: {security_group_rule: {security_group_id: \"${group}\", direction: "       \
	     "ingress, protocol: tcp, port_range_min: 22, port_range_max: 22}}\n"                  \
	     "  port: {port: {network_id: \"${net}\", fixed_ips: [{subnet_id: \"${sub}\"}], "      \
	     "security_groups: [\"${group}\"]}}\n"
	json_t *plan = plan_of(BASE
		"  vm: {server: {networks: [{port: \"${port}\"}]}, login: {host: \"${fip.x}\", key: k}}\n"
		"  fip: {floating_ip: {port_id: \"${port}\"}}\n"
		"checks:\n"
		"  inn: {ssh: {to: \"${vm}\", run: hostname}}\n",
		NULL, NULL, NULL, NULL, NULL);
	warnings_are(plan,
		"10 vm may boot before link: without a router its guest finds neither metadata nor a "
		"way out; say after: [link]\n"
		"11 fip may come before link: the cloud refuses a floating IP for a subnet without a "
		"router; say after: [link]\n"
		"13 inn may come before ssh_in, the rule that lets it in; say after: [ssh_in]\n");
	json_decref(plan);
	plan = plan_of(BASE
		"  vm: {server: {networks: [{port: \"${port}\"}]}, login: {host: \"${fip.x}\", key: k}, "
		"after: [link]}\n"
		"  fip: {floating_ip: {port_id: \"${port}\"}, after: [link]}\n"
		"checks:\n"
		"  inn: {ssh: {to: \"${vm}\", run: hostname}, after: [ssh_in]}\n",
		NULL, NULL, NULL, NULL, NULL);
	warnings_are(plan, "");
	json_decref(plan);
}

static void test_decided_in_the_run(void **state)
{
	json_t *plan = plan_of(HEAD
		"resources:\n"
		"  net: {network: {}}\n"
		"  extra: {network: {}, when: \"${net.mtu > 1400}\"}\n"
		"  each: {network: {}, each: \"${net.tags}\"}\n"
		"checks:\n"
		"  v: {value: \"${net.mtu + 8}\"}\n",
		NULL, NULL, NULL, NULL, NULL);
	assert_int_equal(elements(plan, "extra"), 1);
	warnings_are(plan,
		"4 extra: `when` is decided in the run; counted here as true\n"
		"5 each: `each` is decided in the run; counted here as one\n");
	json_decref(plan);
}

static void test_wrong(void **state)
{
	char *error;
	assert_null(
		plan_of(HEAD "resources:\n"
			     "  net: {network: {}, count: \"${'two'}\"}\n",
			NULL, NULL, NULL, NULL, &error));
	assert_string_equal(
		error, "t.yaml:3:3: step net: `count` must be a whole number, not text");
	free(error);
	assert_null(
		plan_of(HEAD "resources:\n"
			     "  sub: {subnet: {cidr: \"${cidr('10.0.0.0/24', 26, 4)}\"}}\n",
			NULL, NULL, NULL, NULL, &error));
	assert_string_equal(error, "t.yaml:3:27: 10.0.0.0/24 has no network 4 of length /26");
	free(error);
}

#define LONG "tests/unit/observe/long.yaml"

static json_t *plan_of_file(const char *params, const char *zones)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(LONG, "r"); /* tests run at the root of the source */
	assert_non_null(f);
	assert_true(getdelim(&text, &n, 0, f) > 0);
	fclose(f);
	json_t *plan = plan_of(text, params, zones, NULL, NULL, NULL);
	free(text);
	return plan;
}

static void test_long(void **state)
{
	static const char zones[] =
		"{\"compute\": [\"c1\", \"c2\", \"c3\"], \"volume\": "
		"[\"v1\", \"v2\"], \"network\": []}";
	json_t *plan = plan_of_file(NULL, zones);
	assert_int_equal(elements(plan, "jump"), 3);
	assert_int_equal(elements(plan, "single"), 8);
	assert_int_equal(elements(plan, "rule"), 11);
	assert_int_equal(elements(plan, "vm"), 8);
	assert_int_equal(elements(plan, "net2") + elements(plan, "link2"), 0);
	assert_int_equal(elements(plan, "nic2p"), 0);
	/* No network zones: the hint's list is empty, the network is made all the same. */
	const json_t *net = json_at(element(plan, "net[1]"), "body", "network", NULL);
	assert_int_equal(json_array_size(json_object_get(net, "availability_zone_hints")), 0);
	/* Eight servers over three zones, two volume zones and two networks. */
	const json_t *vm = json_at(element(plan, "single[7]"), "body", "server", NULL);
	assert_string_equal(json_str(vm, "availability_zone"), "c2");
	assert_null(json_object_get(vm, "imageRef"));
	const json_t *disk = json_array_get(json_object_get(vm, "block_device_mapping_v2"), 0);
	assert_string_equal(json_str(disk, "uuid"), "<vmvol[7].id>");
	const json_t *volume = json_at(element(plan, "vmvol[7]"), "body", "volume", NULL);
	assert_string_equal(json_str(volume, "availability_zone"), "v2");
	part_is(plan, "vmport[7]", "needs", "[\"net[1]\",\"sub[1]\",\"sg_vm\"]");
	/* ceil(8 / 3) ports, so that each of eight servers has one. */
	const json_t *rule = json_at(element(plan, "rule[3]"), "body", "security_group_rule", NULL);
	assert_int_equal(json_int(rule, "port_range_max", 0), 222 + 3 - 1);
	rule = json_at(element(plan, "rule[6]"), "body", "security_group_rule", NULL);
	assert_string_equal(json_str(rule, "ethertype"), "IPv6");
	assert_null(json_object_get(rule, "protocol")); /* a rule that has none */
	/* Whoever logs in through a jump server needs it, and what its log-in names. */
	part_is(plan, "login[4]", "needs", "[\"single[4]\",\"fip[1]\",\"jump[1]\",\"key[1]\"]");
	part_is(plan, "jhout[0]", "requests",
		"[\"ping dns.google or dns.quad9.net from jump[0]\"]");
	json_decref(plan);

	plan = plan_of_file("{\"nic2\": true, \"servers\": 5, \"nets\": 3}", zones);
	assert_int_equal(elements(plan, "nic2p"), 5);
	part_is(plan, "nic2p[4]", "needs", "[\"single[4]\",\"net2[1]\",\"sub2[1]\",\"sg_vm\"]");
	json_decref(plan);
}

static void test_for_people(void **state)
{
	struct buf out = BUF(BUF_ANSWER);
	json_t *plan = plan_of(SERVERS, NULL, NULL, "{\"cores\": {\"limit\": 2, \"used\": 0}}",
		"{\"f1\": {\"vcpus\": 2, \"ram\": 512}}", NULL);
	plan_write(&out, plan);
	static const char *const parts[] = {
		"vm[1]", "POST /servers", "DELETE /servers/<vm[1].id>", "cores", "60"};
	for (size_t i = 0; i < array_len(parts); i++)
		if (!strstr(buf_str(&out), parts[i]))
			fail_msg("no %s in\n%s", parts[i], buf_str(&out));
	buf_fini(&out);
	json_decref(plan);
}

int test_plan(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairings),
		cmocka_unit_test(test_bill),
		cmocka_unit_test(test_hidden_edges),
		cmocka_unit_test(test_decided_in_the_run),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_for_people),
	};
	return cmocka_run_group_tests_name("plan", tests, written_setup, written_teardown);
}
