/* Heat as its members know it: the words and codes are those of a Zed; what stacks make is there.
 */
#include "simulated.h"

#include <stdlib.h>

#include "base/json.h"

#define H       "/orchestration/v1/$P"
#define S       H "/stacks"
#define HOT     "'heat_template_version': '2018-08-31'"
#define MADE    S "/st/$1"
#define NOTHING "{" HOT "}"

/* As simulated_call(), and keeps the id. */
static void make(struct simulated *s, int n, const char *template, const char *more)
{
	char *body = mem_printf("{'stack_name': 'st', 'template': %s%s}", template, more);

	simulated_call(s, "POST", S, body);
	simulated_said(s, 201, "{\"stack\":{\"id\":\"");
	simulated_keep(s, n, "stack");
	free(body);
}

static void refused(struct simulated *s, const char *template, const char *more, const char *why)
{
	char *body = mem_printf("{'stack_name': 'st', 'template': %s%s}", template, more);

	simulated_call(s, "POST", S, body);
	simulated_said(s, 400, why);
	free(body);
}

/* Until it is no more on its way. */
static void wait_for(struct simulated *s, const char *path, const char *status)
{
	for (int i = 0; i < 300; i++) {
		simulated_wait(s, NS_PER_S);
		simulated_call(s, "GET", path, NULL);
		if (!strstr(simulated_str(s, "stack", "stack_status", NULL), "_IN_PROGRESS"))
			break;
	}
	simulated_said(s, 200, status);
}

static size_t count(struct simulated *s, const char *path, const char *key)
{
	simulated_call(s, "GET", path, NULL);
	simulated_said(s, 200, NULL);
	return simulated_count(s, key);
}

static void test_around(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	s->token = NULL;
	simulated_call(s, "GET", "/orchestration/", NULL);
	simulated_said(s, 300, "{\"versions\":[{\"id\":\"v1.0\",\"status\":\"CURRENT\"");
	simulated_call(s, "GET", S, NULL);
	simulated_said(s, 401, NULL);
	assert_int_equal(simulated_violations(s, "no_token"), 1);
	simulated_call(s, "GET", H, NULL); /* looks for versions */
	simulated_said(s, 401, NULL);
	assert_int_equal(simulated_violations(s, "no_token"), 1);
	s->token = token;
	simulated_call(s, "GET", H "/services", NULL);
	simulated_said(s, 403, "You are not authorized to use service:index.");
	simulated_call(s, "GET", "/orchestration/v1/other/stacks", NULL);
	simulated_said(s, 403, NULL);
	simulated_call(s, "GET", S "/none", NULL);
	simulated_said(s, 404,
		"{\"code\":404,\"title\":\"Not Found\",\"explanation\":\"The resource could not be "
		"found.\",\"error\":{\"type\":\"EntityNotFound\",\"traceback\":null,\"message\":\"The "
		"Stack (none) could not be found.\"}}");
	simulated_call(s, "POST", H "/validate", "{'template': 'nonsense'}");
	simulated_said(s, 400, "The template is not a JSON object or YAML mapping.");
	simulated_call(s, "POST", H "/validate",
		"{'template': {" HOT
		", 'parameters': {'n': {'type': 'number', 'default': 8, "
		"'constraints': [{'range': {'min': 1, 'max': 9}}]}}}}");
	simulated_said(s, 200, "\"Default\":8,\"MinValue\":1,\"MaxValue\":9}");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *inside, *more, *why;
	} rows[] = {
		{"'no': {}", "", "The template section is invalid: no"},
		{"'resources': {'a': {'type': 'OS::No'}}", "",
			"The Resource Type (OS::No) could not be found."},
		{"'resources': {'a': {}}", "", "Each resource must contain a type key."},
		{"'resources': {'a': {'type': 'OS::Heat::None', 'x': 1}}", "",
			"\\\"x\\\" is not a valid keyword inside a resource definition"},
		{"'resources': {'a': {'type': 'OS::Heat::RandomString', 'properties': {'x': 1}}}",
			"", "resources.a.properties: : Unknown Property x"},
		{"'resources': {'a': {'type': 'OS::Neutron::Subnet', 'properties': {}}}", "",
			"resources.a.properties: : Property network not assigned"},
		{"'resources': {'a': {'type': 'OS::Heat::RandomString', 'properties': "
		 "{'length': 'x'}}}",
			"", "resources.a.properties.length: : Value 'x' is not an integer"},
		{"'resources': {'a': {'type': 'OS::Heat::None', 'properties': {'v': "
		 "{'get_param': 'p'}}}}",
			"", "The Parameter (p) was not provided."},
		{"'resources': {'a': {'type': 'OS::Heat::None', 'properties': {'v': "
		 "[{'get_resource': 'b'}]}}}",
			"", "The specified reference \\\"b\\\" (in a.Properties.v) is incorrect."},
		{"'resources': {'a': {'type': 'OS::Heat::None', 'depends_on': ['b']}}", "",
			"The specified reference \\\"b\\\" (in a) is incorrect."},
		{"'resources': {'a': {'type': 'OS::Heat::None', 'properties': {'v': {'yaql': 1}}}}",
			"", "does not know the function yaql"},
		{"'outputs': {'o': {'value': {'get_attr': ['b', 'x']}}}", "",
			"The specified reference \\\"b\\\" (in unknown) is incorrect."},
		{"'parameters': {'p': {'type': 'string'}}", "",
			"\"UserParameterMissing\",\"traceback\":null,\"message\":\"The Parameter (p)"},
		{"'parameters': {'p': {'type': 'x', 'default': 1}}", "", "Invalid type (x)"},
		{"'resources': {}", ", 'parameters': {'q': 1}",
			"The Parameter (q) was not defined in template."},
		{"'parameters': {'p': {'type': 'number'}}", ", 'parameters': {'p': 'x'}",
			"could not convert string to float: 'x'"},
		{"'parameters': {'p': {'type': 'boolean'}}", ", 'parameters': {'p': 'x'}",
			"Unrecognized value 'x', acceptable values are: '0'"},
		{"'parameters': {'p': {'type': 'json'}}", ", 'parameters': {'p': 'x'}",
			"Value must be valid JSON"},
		{"'parameters': {'p': {'type': 'number', 'constraints': [{'range': {'min': 3}}]}}",
			", 'parameters': {'p': '2'}", "2 is out of range (min: 3, max: None)"},
		{"'parameters': {'p': {'type': 'string', 'constraints': [{'length': {'max': 1}}]}}",
			", 'parameters': {'p': 'ab'}",
			"length (2) is out of range (min: None, max: 1)"},
		{"'parameters': {'p': {'type': 'string', 'constraints': [{'allowed_values': ['a']}]}}",
			", 'parameters': {'p': 'b'}",
			"\\\"b\\\" is not an allowed value [\\\"a\\\"]"},
		{"'parameters': {'p': {'type': 'string', 'constraints': [{'allowed_pattern': "
		 "'[a-z]+', 'description': 'letters!'}]}}",
			", 'parameters': {'p': 'a1'}", "Parameter 'p' is invalid: letters!"},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		char *template = mem_printf("{" HOT ", %s}", rows[i].inside);
		refused(s, template, rows[i].more, rows[i].why);
		free(template);
	}
	refused(s, "{}", "", "Template version was not provided");
	refused(s, "'{bad'", "",
		"Template not in valid format: Error parsing template [root stack]");
	refused(s, NOTHING, ", 'timeout_mins': 'x'",
		"Only integer is acceptable by 'timeout_mins'.");
	refused(s, NOTHING, ", 'tags': ['a']", "\"AttributeError\"");
	simulated_call(s, "POST", S, "{'stack_name': '9x', 'template': " NOTHING "}");
	simulated_said(s, 400, "Invalid stack name 9x must contain only alphanumeric");
	simulated_call(s, "POST", S,
		"{'stack_name': 'x', 'template': {" HOT
		", 'resources': "
		"{'a': {'type': 'OS::Heat::None', 'depends_on': 'b'}, 'b': "
		"{'type': 'OS::Heat::None', 'depends_on': 'a'}}}}");
	simulated_said(s, 500, "\"RemoteError\"");
}

#define SCENE                                                                                        \
	"heat_template_version: 2018-08-31\\n"                                                       \
	"parameters:\\n  size: {type: number, default: 1}\\n  who: {type: string, hidden: true}\\n"  \
	"resources:\\n"                                                                              \
	"  net: {type: OS::Neutron::Net}\\n"                                                         \
	"  sub: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: "       \
	"10.9.0.0/24}}\\n"                                                                           \
	"  router: {type: OS::Neutron::Router, properties: {external_gateway_info: {network: "       \
	"public}}}\\n"                                                                               \
	"  link: {type: OS::Neutron::RouterInterface, properties: {router: {get_resource: router}, " \
	"subnet: {get_resource: sub}}}\\n"                                                           \
	"  group: {type: OS::Neutron::SecurityGroup, properties: {rules: [{protocol: tcp, "          \
	"port_range_min: 22, port_range_max: 22}]}}\\n"                                              \
	"  port: {type: OS::Neutron::Port, properties: {network: {get_resource: net}, "              \
	"security_groups: [{get_resource: group}]}}\\n"                                              \
	"  fip: {type: OS::Neutron::FloatingIP, properties: {floating_network: public, port_id: "    \
	"{get_resource: port}}}\\n"                                                                  \
	"  vm: {type: OS::Nova::Server, properties: {image: lab-guest, flavor: SCS-1L-1, networks: " \
	"[{port: {get_resource: port}}], metadata: {who: {get_param: who}}}}\\n"                     \
	"  vol: {type: OS::Cinder::Volume, properties: {size: {get_param: size}}}\\n"                \
	"  att: {type: OS::Cinder::VolumeAttachment, properties: {volume_id: {get_resource: vol}, "  \
	"instance_uuid: {get_resource: vm}}}\\n"                                                     \
	"  text: {type: OS::Heat::RandomString, properties: {length: 5}, depends_on: [vm]}\\n"       \
	"outputs:\\n"                                                                                \
	"  address: {value: {get_attr: [vm, first_address]}}\\n"                                     \
	"  said: {value: {str_replace: {template: a _n_ of _w_, params: {_n_: {get_attr: [fip, "     \
	"floating_ip_address]}, _w_: {get_param: who}}}}}\\n"

static void test_scene(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", S,
		"{'stack_name': 'st', 'tags': 'glasshouse a r1 st 0', 'parameters': {'who': 'me'}, "
		"'template': '" SCENE "'}");
	simulated_said(s, 201, NULL);
	simulated_keep(s, 1, "stack");
	simulated_call(s, "GET", MADE, NULL);
	simulated_said(s, 200, "\"stack_status\":\"CREATE_IN_PROGRESS\"");
	wait_for(s, MADE,
		"\"CREATE_COMPLETE\",\"stack_status_reason\":\"Stack CREATE completed successfully\"");
	simulated_said(s, 200, "\"who\":\"******\"");
	simulated_said(s, 200, "\"tags\":[\"glasshouse a r1 st 0\"]");
	simulated_said(s, 200, "\"output_value\":\"10.9.0.");
	simulated_said(s, 200, "\"output_value\":\"a 172.24.4.");
	assert_int_equal(count(s, MADE "/resources", "resources"), 11);
	assert_true(count(s, MADE "/events", "events") >= 24);
	assert_int_equal(count(s, MADE "/resources/text/events", "events"), 2);
	simulated_call(s, "GET", MADE "/resources/vm", NULL);
	simulated_said(s, 200, "\"resource_type\":\"OS::Nova::Server\"");
	simulated_said(s, 200, "\"metadata\":{\"who\":\"me\"}");
	simulated_said(s, 200, "\"required_by\":[\"att\",\"text\"]");
	assert_string_equal(simulated_str(s, "resource", "attributes", "status", NULL), "ACTIVE");
	simulated_call(s, "GET", "/sim/left", NULL);
	simulated_said(s, 200, "\"made_by\":\"heat\",\"mark\":null");
	assert_int_equal(simulated_violations(s, "double_create"), 0);
	simulated_call(s, "DELETE", MADE, NULL);
	simulated_said(s, 204, NULL);
	wait_for(s, MADE, "\"DELETE_COMPLETE\"");
	simulated_call(s, "GET", S "/st", NULL);
	simulated_said(s, 404, NULL);
	simulated_call(s, "DELETE", MADE, NULL);
	simulated_said(s, 404, NULL);
	simulated_wait(s, 60 * NS_PER_S);
	json_t *left = sim_left(s->sim);
	size_t i, n = 0;
	json_t *o;
	json_array_foreach (json_object_get(left, "objects"), i, o) /* but what neutron made */
		n += strcmp(json_str(o, "kind"), "security_group") &&
		     strcmp(json_str(o, "kind"), "security_group_rule");
	if (n)
		fail_msg("%s", json_dumps(left, 0));
	json_decref(left);
}

static void test_paths(void **state)
{
	struct simulated *s = *state;

	make(s, 1, NOTHING, ", 'tags': 'a,b'");
	simulated_call(s, "POST", S, "{'stack_name': 'st', 'template': " NOTHING "}");
	simulated_said(s, 409,
		"\"StackExists\",\"traceback\":null,\"message\":\"The Stack (st) already exists.\"");
	simulated_call(s, "GET", S "/st", NULL);
	assert_int_equal(s->status, 302);
	assert_non_null(strstr(simulated_header(s, "location"), s->kept[1]));
	simulated_call(s, "DELETE", S "/$1", NULL);
	assert_int_equal(s->status, 302);
	simulated_call(s, "GET", S "/st/resources", NULL);
	assert_int_equal(s->status, 302);
	simulated_call(s, "GET", S "/other/$1", NULL);
	simulated_said(s, 404, "The Stack (other) could not be found.");
	wait_for(s, MADE, "CREATE_COMPLETE");
	assert_int_equal(count(s, S "?name=st", "stacks"), 1);
	assert_int_equal(count(s, S "?tags=a,b", "stacks"), 1);
	assert_int_equal(count(s, S "?tags=c", "stacks"), 0);
	simulated_call(s, "GET", S "?limit=x", NULL);
	simulated_said(s, 400, "Only integer is acceptable by 'limit'.");
	simulated_call(s, "GET", MADE "/outputs/x", NULL);
	simulated_said(s, 404, "Specified output key x not found.");
	simulated_call(s, "GET", MADE "/resources/x", NULL);
	simulated_said(s, 404, "The Resource (x) could not be found in Stack st.");
	simulated_login(s, "other", "other");
	assert_int_equal(count(s, S, "stacks"), 0);
}

#define NET(cidr)                                                                                  \
	"{" HOT                                                                                    \
	", 'resources': {'net': {'type': 'OS::Neutron::Net'}, 'sub': {'type': "                    \
	"'OS::Neutron::Subnet', 'properties': {'network': {'get_resource': 'net'}, 'cidr': '" cidr \
	"'}}"

static void test_update(void **state)
{
	struct simulated *s = *state;

	make(s, 1,
		NET("10.9.0.0/24") ", 'vol': {'type': 'OS::Cinder::Volume', 'properties': {'size': 1}}}}",
		"");
	simulated_call(s, "PUT", MADE, "{'template': " NOTHING "}");
	simulated_said(s, 409, "already has an action (CREATE) in progress");
	wait_for(s, MADE, "CREATE_COMPLETE");
	simulated_call(s, "GET", MADE "/resources/net", NULL);
	char *net = mem_strdup(simulated_str(s, "resource", "physical_resource_id", NULL));
	simulated_call(s, "PUT", MADE,
		"{'template': " NET(
			"10.10.0.0/24") ", 'text': {'type': 'OS::Heat::RandomString'}}}}");
	simulated_said(s, 202, "null");
	wait_for(s, MADE, "UPDATE_COMPLETE");
	assert_int_equal(count(s, MADE "/resources", "resources"), 3);
	simulated_call(s, "GET", MADE "/resources/net", NULL);
	simulated_said(s, 200, net); /* what did not change stays */
	free(net);
	simulated_call(s, "GET", "/network/v2.0/subnets", NULL);
	simulated_said(s, 200, "10.10.0.0/24");
	assert_null(strstr(s->text, "10.9.0.0/24"));
	assert_int_equal(count(s, "/volume/v3/$P/volumes", "volumes"), 0);
	simulated_call(s, "PATCH", MADE, "{'tags': 'c', 'template': null}");
	simulated_said(s, 202, NULL);
	wait_for(s, MADE, "UPDATE_COMPLETE");
	simulated_said(s, 200, "\"tags\":[\"c\"]");
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_COMPLETE");
	simulated_call(s, "PUT", MADE, "{'template': " NOTHING "}");
	simulated_said(s, 400, "Updating a stack when it is deleting is not supported.");
}

static void test_failures(void **state)
{
	struct simulated *s = *state;
	const char *twice = NET(
		"10.9.0.0/24") ", 'sub2': {'type': 'OS::Neutron::Subnet', 'depends_on': 'sub', 'properties': {'network': {'get_resource': 'net'}, 'cidr': '10.9.0.0/25'}}}}";

	make(s, 1, twice, "");
	wait_for(s, MADE,
		"\"CREATE_FAILED\",\"stack_status_reason\":\"Resource CREATE failed: BadRequest: resources.sub2: ");
	simulated_said(s, 200, "overlaps with another subnet");
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_COMPLETE");
	make(s, 1, twice, ", 'disable_rollback': false");
	wait_for(s, MADE, "ROLLBACK_COMPLETE");
	assert_int_equal(count(s, MADE "/resources", "resources"), 0);
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_COMPLETE");
	simulated_fault(s, "{'method': 'POST', 'effect': 'stuck', 'times': 1}");
	make(s, 1, NOTHING, "");
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", MADE, NULL);
	simulated_said(s, 200, "CREATE_IN_PROGRESS");
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_COMPLETE");
	simulated_fault(s, "{'method': 'POST', 'effect': 'error', 'times': 1}");
	make(s, 1, NET("10.9.0.0/24") "}}", "");
	wait_for(s, MADE,
		"Resource CREATE failed: ResourceInError: resources.net: Went to status ERROR");
	simulated_fault(s, "{'method': 'DELETE', 'effect': 'error', 'times': 1}");
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_FAILED");
	simulated_call(s, "DELETE", MADE, NULL);
	wait_for(s, MADE, "DELETE_COMPLETE");
	simulated_fault(s, "{'method': 'POST', 'effect': 'quota', 'times': 1}");
	refused(s, NOTHING, "", "You have reached the maximum stacks per tenant");
	simulated_fault(s, "{'method': 'GET', 'effect': 'status', 'status': 503, 'text': 'no'}");
	simulated_call(s, "GET", S, NULL);
	simulated_said(s, 503, "\"message\":\"no\"}}");
}

static void test_rules(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", "/sim/plant",
		"{'name': 'gh-x', 'mark': 'glasshouse other r1 s 0', 'kinds': ['stack']}");
	simulated_said(s, 201, "\"kind\":\"stack\"");
	simulated_call(s, "GET", S "?name=gh-x", NULL);
	snprintf(s->kept[2], sizeof(s->kept[2]), "%s", simulated_str(s, "stacks", "0", "id", NULL));
	simulated_call(s, "DELETE", S "/gh-x/$2", NULL);
	simulated_said(s, 204, NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 1);
	make(s, 1, NOTHING, ", 'tags': 'glasshouse mine r1 st 0'");
	simulated_call(s, "POST", S,
		"{'stack_name': 'two', 'tags': 'glasshouse mine r1 st 0', 'template': " NOTHING
		"}");
	assert_int_equal(simulated_violations(s, "double_create"), 1);
}

int test_stack(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {TEST(test_around), TEST(test_refusals), TEST(test_scene),
		TEST(test_paths), TEST(test_update), TEST(test_failures), TEST(test_rules)};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
