/* Octavia's refusals, its lock and its states, in the words of a Zed. */
#include "simulated.h"

#include "sim/state.h"

#define L "/load-balancer/v2.0/lbaas"
#define N "/network/v2.0"

static void make(
	struct simulated *s, int keep, const char *path, const char *wrapper, const char *body)
{
	simulated_call(s, "POST", path, body);
	simulated_said(s, 201, NULL);
	simulated_keep(s, keep, wrapper);
}

static void settle(struct simulated *s)
{
	simulated_wait(s, 20 * NS_PER_S);
}

static void expect_state(struct simulated *s, const char *path, const char *wrapper,
	const char *provisioning, const char *operating)
{
	simulated_call(s, "GET", path, NULL);
	simulated_said(s, 200, NULL);
	assert_string_equal(simulated_str(s, wrapper, "provisioning_status", NULL), provisioning);
	assert_string_equal(simulated_str(s, wrapper, "operating_status", NULL), operating);
}

/* $1 network, $2 subnet, $3 load balancer, ready */
static void make_lb(struct simulated *s)
{
	make(s, 1, N "/networks", "network", "{'network': {'name': 'n'}}");
	make(s, 2, N "/subnets", "subnet",
		"{'subnet': {'network_id': '$1', 'ip_version': 4, 'cidr': '10.1.0.0/24'}}");
	make(s, 3, L "/loadbalancers", "loadbalancer",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'name': 'lb', 'description': 'd', 'tags': "
		"['b', 'a', 'b']}}");
	settle(s);
}

/* and $4 pool, $5 listener, $6 member, $7 monitor */
static void make_all(struct simulated *s)
{
	make_lb(s);
	make(s, 4, L "/pools", "pool",
		"{'pool': {'loadbalancer_id': '$3', 'protocol': 'TCP', 'lb_algorithm': "
		"'ROUND_ROBIN'}}");
	settle(s);
	make(s, 5, L "/listeners", "listener",
		"{'listener': {'loadbalancer_id': '$3', 'protocol': 'TCP', 'protocol_port': 80, "
		"'default_pool_id': '$4'}}");
	settle(s);
	make(s, 6, L "/pools/$4/members", "member",
		"{'member': {'address': '10.1.0.9', 'protocol_port': 80}}");
	settle(s);
	make(s, 7, L "/healthmonitors", "healthmonitor",
		"{'healthmonitor': {'pool_id': '$4', 'type': 'TCP', 'delay': 3, 'timeout': 2, "
		"'max_retries': 2}}");
}

static void test_states(void **state)
{
	struct simulated *s = *state;
	simulated_restart(s, 1, "times: {balancer_change: 8s}\nspread: 0\n");
	make_all(s);
	/* the change of one locks all that it hangs on */
	expect_state(s, L "/loadbalancers/$3", "loadbalancer", "PENDING_UPDATE", "ONLINE");
	expect_state(s, L "/listeners/$5", "listener", "PENDING_UPDATE", "ONLINE");
	expect_state(s, L "/pools/$4", "pool", "PENDING_UPDATE", "ONLINE");
	expect_state(s, L "/pools/$4/members/$6", "member", "ACTIVE", "NO_MONITOR");
	expect_state(s, L "/healthmonitors/$7", "healthmonitor", "PENDING_CREATE", "OFFLINE");
	simulated_call(s, "POST", L "/pools/$4/members",
		"{'member': {'address': '10.1.0.10', 'protocol_port': 80}}");
	simulated_said(s, 409, "Pool ");
	simulated_said(s, 409, " is immutable and cannot be updated.");
	simulated_call(s, "DELETE", L "/listeners/$5", NULL);
	simulated_said(s, 409, "Load Balancer ");
	simulated_call(s, "PUT", L "/loadbalancers/$3", "{'loadbalancer': {'name': 'x'}}");
	simulated_said(s, 409, "Invalid state PENDING_UPDATE of loadbalancer resource ");
	settle(s);
	expect_state(s, L "/loadbalancers/$3", "loadbalancer", "ACTIVE", "ERROR");
	/* nobody is at the member's address */
	expect_state(s, L "/pools/$4/members/$6", "member", "ACTIVE", "ERROR");
	expect_state(s, L "/pools/$4", "pool", "ACTIVE", "ERROR");
	expect_state(s, L "/listeners/$5", "listener", "ACTIVE", "ONLINE");
	simulated_call(s, "DELETE", L "/healthmonitors/$7", NULL);
	simulated_said(s, 204, NULL);
	settle(s);
	simulated_call(s, "GET", L "/healthmonitors/$7", NULL);
	simulated_said(s, 404, "Health Monitor ");
	expect_state(s, L "/pools/$4/members/$6", "member", "ACTIVE", "NO_MONITOR");
	expect_state(s, L "/pools/$4", "pool", "ACTIVE", "ONLINE");
	expect_state(s, L "/loadbalancers/$3", "loadbalancer", "ACTIVE", "ONLINE");
}

static void test_vip_port(void **state)
{
	struct simulated *s = *state;
	make_lb(s);
	simulated_call(s, "GET", N "/ports?device_id=lb-$3", NULL);
	assert_int_equal(simulated_count(s, "ports"), 1);
	assert_string_equal(simulated_str(s, "ports", "0", "device_owner", NULL), "Octavia");
	assert_memory_equal(simulated_str(s, "ports", "0", "name", NULL), "octavia-lb-", 11);
	simulated_call(s, "DELETE", N "/subnets/$2", NULL);
	simulated_said(s, 409, "SubnetInUse");
	json_t *left = sim_left(s->sim);
	char *text = json_dumps(left, JSON_COMPACT);
	assert_non_null(strstr(text, "\"made_by\":\"octavia\""));
	free(text);
	json_decref(left);
	simulated_call(s, "DELETE", L "/loadbalancers/$3", NULL);
	simulated_said(s, 204, NULL);
	expect_state(s, L "/loadbalancers/$3", "loadbalancer", "PENDING_DELETE", "ONLINE");
	settle(s);
	simulated_call(s, "GET", L "/loadbalancers/$3", NULL);
	simulated_said(s, 404, "Load Balancer ");
	simulated_call(s, "GET", N "/ports?device_id=lb-$3", NULL);
	assert_int_equal(simulated_count(s, "ports"), 0);
	/* a port of one's own stays */
	make(s, 4, N "/ports", "port", "{'port': {'network_id': '$1'}}");
	make(s, 5, L "/loadbalancers", "loadbalancer", "{'loadbalancer': {'vip_port_id': '$4'}}");
	settle(s);
	simulated_call(s, "DELETE", L "/loadbalancers/$5", NULL);
	settle(s);
	simulated_call(s, "GET", N "/ports/$4", NULL);
	simulated_said(s, 200, NULL);
}

static void test_bodies(void **state)
{
	static const struct {
		const char *path, *body, *text;
		int status;
	} cases[] = {
		{L "/loadbalancers", NULL, "Missing argument: \\\"load_balancer\\\"", 400},
		{L "/loadbalancers", "{'lb': {}}",
			"Unknown attribute for argument load_balancer: lb", 400},
		{L "/loadbalancers", "{'loadbalancer': {'vip_subnet_id': '$2', 'frob': 1}}",
			"Unknown attribute for argument load_balancer.loadbalancer: frob", 400},
		{L "/loadbalancers", "{'loadbalancer': {'vip_subnet_id': '$2', 'name': 5}}",
			"Invalid input for field/attribute name. Value: '5'. Value should be string",
			400},
		{L "/loadbalancers", "{'loadbalancer': {}}", "VIP must contain one of", 400},
		{L "/loadbalancers",
			"{'loadbalancer': {'vip_subnet_id': '$2', 'vip_address': '10.9.0.1'}}",
			"is not a valid IP for the specified subnet.", 400},
		{L "/loadbalancers", "{'loadbalancer': {'vip_subnet_id': '$2', 'provider': 'ovn'}}",
			"Provider 'ovn' is not enabled.", 400},
		{L "/loadbalancers", "{'loadbalancer': {'vip_subnet_id': '$3'}}", " not found.",
			400},
		{L "/listeners", "{'listener': {'loadbalancer_id': '$3', 'protocol': 'TCP'}}",
			"field/attribute protocol_port. Value: 'None'. Mandatory field missing.",
			400},
		{L "/listeners",
			"{'listener': {'loadbalancer_id': '$3', 'protocol': 'TCP', 'protocol_port': "
			"80}}",
			"Another Listener on this Load Balancer is already using protocol TCP and "
			"protocol_port 80",
			409},
		{L "/listeners",
			"{'listener': {'loadbalancer_id': '$3', 'protocol': 'UDP', 'protocol_port': "
			"53, 'default_pool_id': '$4'}}",
			"The pool protocol 'TCP' is invalid while the listener protocol is 'UDP'.",
			400},
		{L "/pools", "{'pool': {'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN'}}",
			"Must provide at least one of: loadbalancer_id, listener_id", 400},
		{L "/pools",
			"{'pool': {'loadbalancer_id': '$3', 'protocol': 'TCP', 'lb_algorithm': "
			"'DICE'}}",
			"Value should be one of: LEAST_CONNECTIONS, SOURCE_IP_PORT, SOURCE_IP, "
			"ROUND_ROBIN",
			400},
		{L "/pools/$4/members", "{'member': {'address': '10.1.0.9', 'protocol_port': 80}}",
			"Another member on this pool is already using ip 10.1.0.9 on protocol_port "
			"80",
			409},
		{L "/pools/$4/members", "{'member': {'address': 'x', 'protocol_port': 80}}",
			"Value should be IPv4 or IPv6 format", 400},
		{L "/pools/$3/members", "{'member': {'address': '10.1.0.9', 'protocol_port': 80}}",
			"\"code\":404", 404},
		{L "/healthmonitors",
			"{'healthmonitor': {'pool_id': '$4', 'type': 'TCP', 'delay': 3, 'timeout': "
			"2, 'max_retries': 2}}",
			"This pool already has a health monitor", 409},
		{L "/healthmonitors",
			"{'healthmonitor': {'pool_id': '$4', 'type': 'TCP', 'delay': 3, 'timeout': "
			"2, 'max_retries': 11}}",
			"Value should be lower or equal to 10", 400},
		{L "/l7policies",
			"{'l7policy': {'listener_id': '$5', 'action': 'REDIRECT_TO_URL'}}",
			"Invalid L7 Policy arguments: redirect_url must not be None", 400},
		{L "/frobs", "{}", "\"code\":404", 404},
	};
	struct simulated *s = *state;
	make_all(s);
	settle(s);
	for (size_t i = 0; i < array_len(cases); i++) {
		simulated_call(s, "POST", cases[i].path, cases[i].body);
		simulated_said(s, cases[i].status, cases[i].text);
	}
	simulated_call(s, "GET", L "/loadbalancers?frob=1", NULL);
	simulated_said(s, 400, "One or more arguments are either duplicate or invalid");
	simulated_call(s, "GET", "/load-balancer/v3/lbaas/loadbalancers", NULL);
	simulated_said(s, 404, NULL);
}

static void test_lists(void **state)
{
	struct simulated *s = *state;
	make_lb(s);
	make(s, 4, L "/loadbalancers", "loadbalancer",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'name': 'another', 'tags': ['c']}}");
	settle(s);
	simulated_call(s, "GET", L "/loadbalancers?tags=a,b&fields=tags", NULL);
	simulated_said(s, 200, "{\"loadbalancers\":[{\"tags\":[\"a\",\"b\"]}]");
	simulated_call(s, "GET", L "/loadbalancers?not-tags-any=a,c", NULL);
	assert_int_equal(simulated_count(s, "loadbalancers"), 0);
	simulated_call(s, "GET", L "/loadbalancers?description=d", NULL);
	assert_int_equal(simulated_count(s, "loadbalancers"), 1);
	simulated_call(s, "GET", L "/loadbalancers?sort=name:asc&limit=1&fields=name", NULL);
	assert_string_equal(simulated_str(s, "loadbalancers", "0", "name", NULL), "another");
	simulated_said(s, 200, "\"rel\":\"next\"");
	simulated_call(s, "GET", L "/loadbalancers?sort=name:asc&marker=$4&fields=name", NULL);
	assert_int_equal(simulated_count(s, "loadbalancers"), 1);
	assert_string_equal(simulated_str(s, "loadbalancers", "0", "name", NULL), "lb");
	simulated_call(s, "GET", L "/loadbalancers?sort=frob:asc", NULL);
	simulated_said(s, 400, "Supplied sort key 'frob' is not valid.");
	simulated_login(s, "other", "other");
	simulated_call(s, "GET", L "/loadbalancers", NULL);
	assert_int_equal(simulated_count(s, "loadbalancers"), 0);
	simulated_call(s, "GET", L "/loadbalancers/$3", NULL);
	simulated_said(s, 404, NULL);
}

static void test_cascade(void **state)
{
	struct simulated *s = *state;
	make_all(s);
	settle(s);
	simulated_call(s, "GET", L "/loadbalancers/$3/status", NULL);
	simulated_said(s, 200, "\"health_monitor\":{");
	simulated_call(s, "DELETE", L "/loadbalancers/$3", NULL);
	simulated_said(s, 400, "it has children");
	simulated_call(s, "DELETE", L "/loadbalancers/$3?cascade=true", NULL);
	simulated_said(s, 204, NULL);
	settle(s);
	static const char *const paths[] = {L "/loadbalancers", L "/listeners", L "/pools",
		L "/healthmonitors", N "/ports?device_owner=Octavia"};
	for (size_t i = 0; i < array_len(paths); i++) {
		simulated_call(s, "GET", paths[i], NULL);
		simulated_said(s, 200, "[]");
	}
}

static void test_whole(void **state)
{
	struct simulated *s = *state;
	make_lb(s);
	make(s, 4, L "/loadbalancers", "loadbalancer",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'pools': [{'name': 'p', 'protocol': 'TCP', "
		"'lb_algorithm': 'ROUND_ROBIN', 'members': [{'address': '10.1.0.7', 'protocol_port': "
		"80}]}], 'listeners': [{'protocol': 'TCP', 'protocol_port': 80, 'default_pool': "
		"{'name': 'p'}}]}}");
	assert_string_equal(
		simulated_str(s, "loadbalancer", "pools", "0", "members", "0", "address", NULL),
		"10.1.0.7");
	settle(s);
	simulated_call(s, "GET", L "/pools?loadbalancer_id=$4", NULL);
	assert_int_equal(simulated_count(s, "pools"), 1);
	assert_string_equal(simulated_str(s, "pools", "0", "provisioning_status", NULL), "ACTIVE");
	/* one that is wrong inside makes nothing at all */
	simulated_call(s, "POST", L "/loadbalancers",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'pools': [{'name': 'p'}]}}");
	simulated_said(s, 400, "Mandatory field missing.");
	simulated_call(s, "GET", N "/ports?device_owner=Octavia", NULL);
	assert_int_equal(simulated_count(s, "ports"), 2);
}

static void test_members_put(void **state)
{
	struct simulated *s = *state;
	make_all(s);
	settle(s);
	simulated_call(s, "PUT", L "/pools/$4/members",
		"{'members': [{'address': '10.1.0.11', 'protocol_port': 80}, {'address': "
		"'10.1.0.12', 'protocol_port': 80}]}");
	simulated_said(s, 202, NULL);
	settle(s);
	simulated_call(s, "GET", L "/pools/$4/members?sort=address", NULL);
	assert_int_equal(simulated_count(s, "members"), 2);
	assert_string_equal(simulated_str(s, "members", "0", "address", NULL), "10.1.0.11");
	simulated_call(s, "PUT", L "/pools/$4/members?additive_only=true",
		"{'members': [{'address': '10.1.0.12', 'protocol_port': 80, 'weight': 7}]}");
	simulated_said(s, 202, NULL);
	settle(s);
	simulated_call(s, "GET", L "/pools/$4/members?weight=7", NULL);
	assert_int_equal(simulated_count(s, "members"), 1);
	simulated_call(s, "GET", L "/pools/$4/members", NULL);
	assert_int_equal(simulated_count(s, "members"), 2);
}

static void test_policies(void **state)
{
	struct simulated *s = *state;
	make_all(s);
	settle(s);
	make(s, 8, L "/l7policies", "l7policy",
		"{'l7policy': {'listener_id': '$5', 'action': 'REJECT'}}");
	settle(s);
	make(s, 9, L "/l7policies", "l7policy",
		"{'l7policy': {'listener_id': '$5', 'action': 'REDIRECT_TO_POOL', "
		"'redirect_pool_id': '$4', 'position': 1}}");
	settle(s);
	simulated_call(s, "GET", L "/l7policies?position=2", NULL);
	assert_string_equal(simulated_str(s, "l7policies", "0", "id", NULL), s->kept[8]);
	simulated_call(s, "DELETE", L "/pools/$4", NULL);
	simulated_said(s, 409, "is in use by L7 policy");
	make(s, 8, L "/l7policies/$9/rules", "rule",
		"{'rule': {'type': 'PATH', 'compare_type': 'EQUAL_TO', 'value': '/'}}");
	settle(s);
	expect_state(s, L "/l7policies/$9/rules/$8", "rule", "ACTIVE", "ONLINE");
	simulated_call(s, "DELETE", L "/listeners/$5", NULL);
	simulated_said(s, 204, NULL);
	settle(s);
	simulated_call(s, "GET", L "/l7policies", NULL);
	assert_int_equal(simulated_count(s, "l7policies"), 0);
}

static void test_faults(void **state)
{
	struct simulated *s = *state;
	make_lb(s);
	simulated_fault(s,
		"{'service': 'load-balancer', 'method': 'POST', 'path': '*/pools', "
		"'effect': 'error', 'times': 1}");
	make(s, 4, L "/pools", "pool",
		"{'pool': {'loadbalancer_id': '$3', 'protocol': 'TCP', 'lb_algorithm': "
		"'ROUND_ROBIN'}}");
	settle(s);
	expect_state(s, L "/pools/$4", "pool", "ERROR", "ERROR");
	expect_state(s, L "/loadbalancers/$3", "loadbalancer", "ACTIVE", "ONLINE");
	simulated_fault(s, "{'method': 'DELETE', 'path': '*/loadbalancers/*', 'effect': 'leak'}");
	simulated_call(s, "DELETE", L "/loadbalancers/$3?cascade=true", NULL);
	settle(s);
	simulated_call(s, "GET", N "/ports?device_id=lb-$3", NULL);
	assert_int_equal(simulated_count(s, "ports"), 1);
	simulated_fault(s,
		"{'method': 'POST', 'path': '*/loadbalancers', 'effect': 'error', 'times': "
		"1}");
	make(s, 5, L "/loadbalancers", "loadbalancer", "{'loadbalancer': {'vip_subnet_id': '$2'}}");
	settle(s);
	expect_state(s, L "/loadbalancers/$5", "loadbalancer", "ERROR", "ERROR");
	simulated_call(s, "POST", L "/listeners",
		"{'listener': {'loadbalancer_id': '$5', 'protocol': 'TCP', 'protocol_port': 80}}");
	simulated_said(s, 409, "is immutable");
	simulated_call(s, "DELETE", L "/loadbalancers/$5", NULL);
	simulated_said(s, 204, NULL);
	simulated_fault(s,
		"{'method': 'POST', 'path': '*/loadbalancers', 'effect': 'stuck', 'times': "
		"1}");
	make(s, 6, L "/loadbalancers", "loadbalancer", "{'loadbalancer': {'vip_subnet_id': '$2'}}");
	make(s, 7, L "/loadbalancers", "loadbalancer",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'provider': 'noop_driver'}}");
	simulated_wait(s, 3600 * NS_PER_S);
	expect_state(s, L "/loadbalancers/$6", "loadbalancer", "PENDING_CREATE", "OFFLINE");
	expect_state(s, L "/loadbalancers/$7", "loadbalancer", "PENDING_CREATE", "OFFLINE");
	simulated_fault(s, "{'method': 'POST', 'path': '*/loadbalancers', 'effect': 'quota'}");
	simulated_call(s, "POST", L "/loadbalancers", "{'loadbalancer': {'vip_subnet_id': '$2'}}");
	simulated_said(s, 403, "Quota has been met for resources: Load Balancer");
}

static void test_rules(void **state)
{
	struct simulated *s = *state;
	make_lb(s);
	const char *body =
		"{'loadbalancer': {'vip_subnet_id': '$2', 'description': 'glasshouse i r "
		"s 0'}}";
	make(s, 4, L "/loadbalancers", "loadbalancer", body);
	assert_int_equal(simulated_violations(s, "double_create"), 0);
	make(s, 5, L "/loadbalancers", "loadbalancer", body);
	assert_int_equal(simulated_violations(s, "double_create"), 1);
	settle(s);
	make(s, 6, L "/pools", "pool",
		"{'pool': {'loadbalancer_id': '$4', 'protocol': 'TCP', 'lb_algorithm': "
		"'ROUND_ROBIN'}}");
	settle(s);
	for (int i = 9; i < 11; i++) { /* members say whose they are in their tags */
		char member[160];
		snprintf(member, sizeof(member),
			"{'member': {'address': '10.1.0.%d', 'protocol_port': 80, 'tags': "
			"['glasshouse i r m 0']}}",
			i);
		make(s, 7, L "/pools/$6/members", "member", member);
		settle(s);
	}
	assert_int_equal(simulated_violations(s, "double_create"), 2);
	struct error err = {0};
	json_t *what = json_pack("{s:s, s:s, s:[s, s, s, s, s]}", "name", "x", "mark",
		"glasshouse i r s 1", "kinds", "loadbalancer", "lb_pool", "lb_listener",
		"lb_member", "lb_healthmonitor");
	json_t *planted = sim_plant(s->sim, what, &err);
	assert_string_equal(err.msg, "");
	const char *id = NULL;
	size_t i;
	json_t *item;
	json_array_foreach (planted, i, item)
		if (!strcmp(json_string_value(json_object_get(item, "kind")), "lb_pool"))
			id = json_string_value(json_object_get(item, "id"));
	assert_non_null(id);
	snprintf(s->kept[8], sizeof(s->kept[8]), "%s", id);
	expect_state(s, L "/pools/$8", "pool", "ACTIVE", "ONLINE");
	simulated_call(s, "PUT", L "/pools/$8", "{'pool': {'name': 'mine'}}");
	simulated_said(s, 200, NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 1);
	json_decref(planted);
	json_decref(what);
}

static void test_ovn(void **state)
{
	struct simulated *s = *state;
	simulated_restart(s, 1, "services: {ovn: true}\n");
	make_lb(s);
	make(s, 4, L "/loadbalancers", "loadbalancer",
		"{'loadbalancer': {'vip_subnet_id': '$2', 'provider': 'ovn'}}");
	settle(s);
	simulated_call(s, "GET", N "/ports?name=ovn-lb-vip-$4", NULL);
	assert_int_equal(simulated_count(s, "ports"), 1);
	simulated_call(s, "POST", L "/pools",
		"{'pool': {'loadbalancer_id': '$4', 'protocol': 'TCP', 'lb_algorithm': "
		"'ROUND_ROBIN'}}");
	simulated_said(s, 501, "OVN provider does not support ROUND_ROBIN algorithm");
	simulated_call(s, "POST", L "/listeners",
		"{'listener': {'loadbalancer_id': '$4', 'protocol': 'HTTP', 'protocol_port': 80}}");
	simulated_said(s, 501, "OVN provider does not support HTTP protocol");
	make(s, 5, L "/pools", "pool",
		"{'pool': {'loadbalancer_id': '$4', 'protocol': 'TCP', 'lb_algorithm': "
		"'SOURCE_IP_PORT'}}");
	settle(s);
	make(s, 6, L "/pools/$5/members", "member",
		"{'member': {'address': '10.1.0.9', 'protocol_port': 80, 'subnet_id': '$2'}}");
	settle(s);
	for (int leaked = 0; leaked < 2; leaked++) {
		make(s, 7, L "/healthmonitors", "healthmonitor",
			"{'healthmonitor': {'pool_id': '$5', 'type': 'TCP', 'delay': 3, 'timeout': "
			"2, 'max_retries': 2}}");
		settle(s);
		simulated_call(s, "GET",
			N "/ports?device_owner=ovn-lb-hm:distributed&name=ovn-lb-hm-$2", NULL);
		assert_int_equal(simulated_count(s, "ports"), 1);
		if (leaked)
			simulated_fault(s,
				"{'method': 'DELETE', 'path': '*/healthmonitors/*', "
				"'effect': 'leak'}");
		simulated_call(s, "DELETE", L "/healthmonitors/$7", NULL);
		settle(s);
		simulated_call(s, "GET", N "/ports?device_owner=ovn-lb-hm:distributed", NULL);
		assert_int_equal(simulated_count(s, "ports"), leaked);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, simulated_set_up, simulated_tear_down)

int test_balancer(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_states),
		TEST(test_vip_port),
		TEST(test_bodies),
		TEST(test_lists),
		TEST(test_cascade),
		TEST(test_whole),
		TEST(test_members_put),
		TEST(test_policies),
		TEST(test_faults),
		TEST(test_rules),
		TEST(test_ovn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
