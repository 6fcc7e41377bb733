/* Neutron's refusals and habits, in the words of a Zed with filter-validation. */
#include "simulated.h"

#define N "/network/v2.0"

static void make(struct simulated *s, int keep, const char *collection, const char *wrapper,
	const char *body)
{
	char path[128];

	snprintf(path, sizeof(path), N "/%s", collection);
	simulated_call(s, "POST", path, body);
	simulated_said(s, 201, NULL);
	simulated_keep(s, keep, wrapper);
}

/* $1 network, $2 its subnet */
static void make_net(struct simulated *s)
{
	make(s, 1, "networks", "network", "{'network': {'name': 'n', 'description': 'd'}}");
	make(s, 2, "subnets", "subnet",
		"{'subnet': {'network_id': '$1', 'ip_version': 4, 'cidr': '10.1.0.0/24'}}");
}

/* $9 the external network */
static void find_public(struct simulated *s)
{
	simulated_call(s, "GET", N "/networks?router:external=true", NULL);
	snprintf(s->kept[9], sizeof(s->kept[9]), "%s",
		simulated_str(s, "networks", "0", "id", NULL));
}

/* $1 network, $2 subnet, $3 router with a gateway and an interface, $4 port */
static void make_world(struct simulated *s)
{
	find_public(s);
	make_net(s);
	make(s, 3, "routers", "router",
		"{'router': {'external_gateway_info': {'network_id': '$9'}}}");
	simulated_call(s, "PUT", N "/routers/$3/add_router_interface", "{'subnet_id': '$2'}");
	simulated_said(s, 200, "port_id");
	make(s, 4, "ports", "port", "{'port': {'network_id': '$1'}}");
}

static void test_bodies(void **state)
{
	static const struct {
		const char *path, *body, *text;
		int status;
	} cases[] = {
		{N "/networks", "{'network': {'tags': ['a']}}",
			"\"type\":\"HTTPBadRequest\",\"message\":\"Attribute 'tags' not allowed in "
			"POST\"",
			400},
		{N "/networks", "{'network': {'frob': 1}}", "Unrecognized attribute(s) 'frob'",
			400},
		{N "/networks", "{'network': {'name': 5}}",
			"Invalid input for name. Reason: '5' is not a valid string.", 400},
		{N "/networks", "{'network': {'admin_state_up': 'maybe'}}",
			"Invalid input for operation: 'maybe' cannot be converted to boolean.",
			400},
		{N "/networks", "{'network': {'shared': true}}",
			"(rule:create_network and rule:create_network:shared) is disallowed by "
			"policy",
			403},
		{N "/networks", "{'network': {'project_id': 'x'}}", "requires admin or advsvc",
			400},
		{N "/networks", "{'networkx': {}}", "Unable to find 'network' in request body",
			400},
		{N "/networks", NULL, "Unable to find 'network' in request body", 400},
		{N "/networks", "{'network': {'availability_zone_hints': ['nope']}}",
			"AvailabilityZone nope could not be found.", 404},
		{N "/floatingips", "{'floatingip': {}}",
			"Required attribute 'floating_network_id' not specified", 400},
		{N "/security-group-rules", "{'security_group_rule': {}}",
			"Required attribute 'security_group_id' not specified", 400},
		{N "/routers",
			"{'router': {'external_gateway_info': {'network_id': '$1', 'enable_snat': "
			"false}}}",
			"external_gateway_info:enable_snat", 403},
		{N "/frobs", "{'frob': {}}", "The resource could not be found.", 404},
	};
	struct simulated *s = *state;

	make_net(s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		simulated_call(s, "POST", cases[i].path, cases[i].body);
		simulated_said(s, cases[i].status, cases[i].text);
	}
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'id': 'x'}}");
	simulated_said(s, 400, "Cannot update read-only attribute id");
	s->match = "revision_number=99";
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'name': 'x'}}");
	simulated_said(s, 412, "RevisionNumberConstraintFailed");
	s->match = "revision_number=1";
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'name': 'x'}}");
	simulated_said(s, 200, "\"revision_number\":2");
}

static void test_lists(void **state)
{
	struct simulated *s = *state;

	make_net(s);
	make(s, 3, "networks", "network", "{'network': {'name': 'm'}}");
	simulated_wait(s, 5 * NS_PER_S);
	simulated_call(s, "GET", N "/networks?frob=1&glob=2", NULL);
	simulated_said(s, 400, "['frob', 'glob'] is invalid attribute for filtering");
	simulated_call(s, "GET", N "/security-group-rules?tags=a", NULL);
	simulated_said(s, 400, "['tags'] is invalid attribute for filtering");
	simulated_call(s, "GET", N "/networks?name=n&description=d&fields=id", NULL);
	assert_int_equal(simulated_count(s, "networks"), 1);
	assert_int_equal(
		json_object_size(json_array_get(json_object_get(s->json, "networks"), 0)), 1);
	simulated_call(s, "GET", N "/networks?limit=x", NULL);
	simulated_said(s, 400, "Limit must be an integer 0 or greater and not 'x'.");
	simulated_call(s, "GET", N "/networks?marker=zz&limit=1", NULL);
	simulated_said(s, 404, "Network zz could not be found.");
	simulated_call(s, "GET", N "/networks?sort_key=name", NULL);
	simulated_said(s, 400, "The number of sort_keys and sort_dirs must be same");
	simulated_call(s, "GET", N "/networks?sort_key=name&sort_dir=desc&limit=1", NULL);
	assert_string_equal(simulated_str(s, "networks", "0", "name", NULL), "public");
	char *next = mem_strdup(
		simulated_str(s, "networks_links", "0", "href", NULL) + strlen(sim_url(s->sim)));
	simulated_call(s, "GET", next, NULL);
	free(next);
	assert_string_equal(simulated_str(s, "networks", "0", "name", NULL), "n");
	assert_int_equal(simulated_count(s, "networks_links"), 2);
	simulated_call(s, "GET", N "/networks/nope", NULL);
	simulated_said(s, 404,
		"{\"NeutronError\":{\"type\":\"NetworkNotFound\",\"message\":\"Network nope could not "
		"be found.\",\"detail\":\"\"}}");
}

static void test_tags(void **state)
{
	struct simulated *s = *state;

	make_net(s);
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "PUT", N "/networks/$1/tags", "{'tags': ['a', 'b']}");
	simulated_said(s, 200, "{\"tags\":[\"a\",\"b\"]}");
	simulated_call(s, "GET", N "/networks?tags=a,b&not-tags=c", NULL);
	assert_int_equal(simulated_count(s, "networks"), 1);
	simulated_call(s, "GET", N "/networks?tags=a,c", NULL);
	assert_int_equal(simulated_count(s, "networks"), 0);
	simulated_call(s, "GET", N "/networks?tags-any=a,c", NULL);
	assert_int_equal(simulated_count(s, "networks"), 1);
	simulated_call(s, "DELETE", N "/networks/$1/tags/a", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", N "/networks/$1/tags/a", NULL);
	simulated_said(s, 404, "TagNotFound");
	simulated_call(s, "PUT", N "/security-group-rules/$1/tags", "{'tags': ['a']}");
	simulated_said(s, 404, NULL);
}

static void test_subnets(void **state)
{
	static const struct {
		const char *body, *type, *text;
	} cases[] = {
		{"'ip_version': 4, 'cidr': '10.1.0.128/25'", "InvalidInput",
			"overlaps with another subnet."},
		{"'ip_version': 6, 'cidr': '10.2.0.0/25'", "InvalidInput",
			"cidr '10.2.0.0/25' does not match the ip_version '6'."},
		{"'ip_version': 4, 'cidr': 'frob'", "InvalidInput",
			"frob is not in a CIDR format."},
		{"'cidr': '10.2.0.0/25'", "HTTPBadRequest",
			"Required attribute 'ip_version' not specified"},
		{"'ip_version': 4, 'cidr': '10.2.0.0/25', 'gateway_ip': '10.3.0.1'", "InvalidInput",
			"Gateway is not valid on subnet"},
		{"'ip_version': 4, 'cidr': '10.2.0.0/25', 'allocation_pools': [{'start': "
		 "'10.3.0.1', 'end': '10.3.0.9'}]",
			"OutOfBoundsAllocationPool", "spans beyond the subnet cidr 10.2.0.0/25."},
	};
	struct simulated *s = *state;
	char body[512];

	make_net(s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body), "{'subnet': {'network_id': '$1', %s}}", cases[i].body);
		simulated_call(s, "POST", N "/subnets", body);
		simulated_said(s, 400, cases[i].text);
		assert_string_equal(simulated_str(s, "NeutronError", "type", NULL), cases[i].type);
	}
}

static void test_in_use(void **state)
{
	static const struct {
		const char *method, *path, *body, *type;
	} cases[] = {
		{"DELETE", N "/networks/$1", NULL, "NetworkInUse"},
		{"DELETE", N "/subnets/$2", NULL, "SubnetInUse"},
		{"DELETE", N "/routers/$3", NULL, "RouterInUse"},
		{"DELETE", N "/ports/$6", NULL, "ServicePortInUse"},
		{"PUT", N "/routers/$3/remove_router_interface", "{'subnet_id': '$2'}",
			"RouterInterfaceInUseByFloatingIP"},
		{"PUT", N "/routers/$3", "{'router': {'external_gateway_info': null}}",
			"RouterExternalGatewayInUseByFloatingIp"},
		{"DELETE", N "/security-groups/$7", NULL, "SecurityGroupCannotRemoveDefault"},
		{"DELETE", N "/security-groups/$8", NULL, "SecurityGroupInUse"},
	};
	struct simulated *s = *state;

	make_world(s);
	make(s, 5, "floatingips", "floatingip",
		"{'floatingip': {'floating_network_id': '$9', 'port_id': '$4'}}");
	make(s, 8, "security-groups", "security_group", "{'security_group': {'name': 'g'}}");
	simulated_call(s, "PUT", N "/ports/$4", "{'port': {'security_groups': ['$8']}}");
	simulated_said(s, 200, NULL);
	simulated_call(
		s, "GET", N "/ports?device_id=$3&device_owner=network:router_interface", NULL);
	snprintf(s->kept[6], sizeof(s->kept[6]), "%s", simulated_str(s, "ports", "0", "id", NULL));
	simulated_call(s, "GET", N "/security-groups?name=default", NULL);
	snprintf(s->kept[7], sizeof(s->kept[7]), "%s",
		simulated_str(s, "security_groups", "0", "id", NULL));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		simulated_call(s, cases[i].method, cases[i].path, cases[i].body);
		simulated_said(s, 409, cases[i].type);
	}
	/* the way down */
	simulated_call(s, "DELETE", N "/floatingips/$5", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", N "/ports/$4", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "PUT", N "/routers/$3/remove_router_interface", "{'subnet_id': '$2'}");
	simulated_said(s, 200, NULL);
	simulated_call(s, "PUT", N "/routers/$3/remove_router_interface", "{'subnet_id': '$2'}");
	simulated_said(s, 404, "RouterInterfaceNotFoundForSubnet");
	simulated_call(s, "DELETE", N "/routers/$3", NULL);
	simulated_said(s, 204, NULL);
	simulated_call(s, "DELETE", N "/networks/$1", NULL); /* takes its subnet along */
	simulated_said(s, 204, NULL);
	simulated_call(s, "GET", N "/subnets/$2", NULL);
	simulated_said(s, 404, "SubnetNotFound");
}

static void test_doubles(void **state)
{
	static const char rule[] =
		"{'security_group_rule': {'security_group_id': '$6', "
		"'direction': 'ingress', 'protocol': 'tcp', 'port_range_min': "
		"22, 'port_range_max': 22, 'description': '%c'}}";
	struct simulated *s = *state;
	char body[512];

	make_world(s);
	make(s, 6, "security-groups", "security_group", "{'security_group': {'name': 'g'}}");
	snprintf(body, sizeof(body), rule, 'a');
	make(s, 7, "security-group-rules", "security_group_rule", body);
	snprintf(body, sizeof(body), rule, 'b'); /* the description does not tell them apart */
	simulated_call(s, "POST", N "/security-group-rules", body);
	simulated_said(s, 409, s->kept[7]);
	assert_string_equal(
		simulated_str(s, "NeutronError", "type", NULL), "SecurityGroupRuleExists");
	simulated_call(s, "PUT", N "/routers/$3/add_router_interface", "{'subnet_id': '$2'}");
	simulated_said(s, 400, "Router already has a port on subnet");
	make(s, 5, "floatingips", "floatingip",
		"{'floatingip': {'floating_network_id': '$9', 'port_id': '$4'}}");
	simulated_call(s, "POST", N "/floatingips",
		"{'floatingip': {'floating_network_id': '$9', 'port_id': '$4'}}");
	simulated_said(s, 409, "FloatingIPPortAlreadyAssociated");
	/* names are nobody's own */
	make(s, 8, "networks", "network", "{'network': {'name': 'n'}}");
}

static void test_rules(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{"'port_range_min': 22, 'direction': 'ingress'",
			"SecurityGroupProtocolRequiredWithPorts"},
		{"'protocol': 'tcp', 'port_range_min': 22, 'port_range_max': 2, 'direction': "
		 "'ingress'",
			"SecurityGroupInvalidPortRange"},
		{"'direction': 'sideways'",
			"Invalid input for direction. Reason: sideways is not in valid_values."},
		{"'direction': 'ingress', 'remote_ip_prefix': '10.0.0.0/8', 'remote_group_id': "
		 "'$1'",
			"SecurityGroupMultipleRemotes"},
	};
	struct simulated *s = *state;
	char body[512];

	make(s, 1, "security-groups", "security_group", "{'security_group': {'name': 'g'}}");
	assert_int_equal(json_array_size(json_object_get(json_object_get(s->json, "security_group"),
				 "security_group_rules")),
		2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body),
			"{'security_group_rule': {'security_group_id': '$1', %s}}", cases[i].body);
		simulated_call(s, "POST", N "/security-group-rules", body);
		simulated_said(s, 400, cases[i].text);
	}
	simulated_call(s, "POST", N "/security-groups", "{'security_group': {'name': 'default'}}");
	simulated_said(s, 409, "SecurityGroupDefaultAlreadyExists");
}

static void test_floating(void **state)
{
	struct simulated *s = *state;

	find_public(s);
	make_net(s);
	make(s, 4, "ports", "port", "{'port': {'network_id': '$1'}}");
	simulated_call(s, "POST", N "/floatingips",
		"{'floatingip': {'floating_network_id': '$9', 'port_id': '$4'}}");
	simulated_said(s, 404, "ExternalGatewayForFloatingIPNotFound");
	make(s, 5, "floatingips", "floatingip", "{'floatingip': {'floating_network_id': '$9'}}");
	assert_string_equal(simulated_str(s, "floatingip", "status", NULL), "DOWN");
	assert_int_equal(strncmp(simulated_str(s, "floatingip", "floating_ip_address", NULL),
				 "172.24.4.", 9),
		0);
}

/* What the router's agent says of a floating IP that leads to a port. */
static void test_floating_status(void **state)
{
	static const struct {
		const char *fault, *status;
	} rows[] = {{"{'effect': 'cut', 'method': 'HEAD'}", "ACTIVE"},
		{"{'effect': 'error', 'method': 'POST'}", "ERROR"},
		{"{'effect': 'stuck', 'method': 'POST'}", "DOWN"}};
	struct simulated *s = *state;

	make_world(s);
	for (size_t i = 0; i < array_len(rows); i++) {
		make(s, 6, "ports", "port", "{'port': {'network_id': '$1'}}");
		simulated_fault(s, rows[i].fault);
		make(s, 7, "floatingips", "floatingip",
			"{'floatingip': {'floating_network_id': '$9', 'port_id': '$6'}}");
		sim_faults_clear(s->sim);
		simulated_wait(s, 60 * NS_PER_S);
		simulated_call(s, "GET", N "/floatingips/$7", NULL);
		assert_string_equal(simulated_str(s, "floatingip", "status", NULL), rows[i].status);
	}
}

static void test_routes(void **state)
{
	static const char route[] =
		"{'router': {'routes': [{'destination': '10.9.0.0/24', 'nexthop': '%s'}]}}";
	struct simulated *s = *state;
	char body[256];

	make_world(s);
	snprintf(body, sizeof(body), route, "10.77.0.1");
	simulated_call(s, "PUT", N "/routers/$3/add_extraroutes", body);
	simulated_said(s, 400, "the nexthop is not connected with router");
	snprintf(body, sizeof(body), route, "10.1.0.9");
	for (int i = 0; i < 2; i++) { /* a set */
		simulated_call(s, "PUT", N "/routers/$3/add_extraroutes", body);
		simulated_said(s, 200, NULL);
	}
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(s->json, "router"), "routes")), 1);
	simulated_call(s, "PUT", N "/routers/$3/remove_router_interface", "{'subnet_id': '$2'}");
	simulated_said(s, 409, "RouterInterfaceInUseByRoute");
}

static void test_quota(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "quota: {network: 1}\n");
	make(s, 1, "networks", "network", "{'network': {}}");
	simulated_call(s, "POST", N "/networks", "{'network': {}}");
	simulated_said(s, 409, "Quota exceeded for resources: ['network'].");
	assert_string_equal(simulated_str(s, "NeutronError", "type", NULL), "OverQuota");
	simulated_call(s, "GET", N "/quotas/$P/details.json", NULL);
	simulated_said(s, 200, "\"network\":{\"limit\":1,\"used\":1,\"reserved\":0}");
}

/* A router that gets no address outside is not made at all. */
static void test_no_address(void **state)
{
	struct simulated *s = *state;
	int i = 0;

	simulated_restart(s, 1, "quota: {floatingip: -1}\ntimes: {write: 1ms}\n");
	find_public(s);
	while (simulated_call(s, "POST", N "/floatingips",
		       "{'floatingip': {'floating_network_id': '$9'}}") == 201)
		assert_true(++i < 300);
	simulated_said(s, 409, "IpAddressGenerationFailure");
	assert_int_equal(i, 241);
	simulated_call(s, "POST", N "/routers",
		"{'router': {'external_gateway_info': {'network_id': '$9'}}}");
	simulated_said(s, 409, "No more IP addresses available on network");
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", N "/routers", NULL);
	assert_int_equal(simulated_count(s, "routers"), 0);
}

int test_network(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_bodies),
		TEST(test_lists),
		TEST(test_tags),
		TEST(test_subnets),
		TEST(test_in_use),
		TEST(test_doubles),
		TEST(test_rules),
		TEST(test_floating),
		TEST(test_floating_status),
		TEST(test_routes),
		TEST(test_quota),
		TEST(test_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
