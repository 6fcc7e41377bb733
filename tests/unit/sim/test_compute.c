/* The simulated nova without servers: versions, flavors, key pairs, quotas, bodies. */
#include "../check.h"

#include "base/json.h"
#include "nova_client.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINW2YFOTfLYwoJ4LqZVk0dDzkPY3iPTO3Aq7qRtuYKrQ me"

/* --- versions -------------------------------------------------------------------------------- */

static void test_documents(void **state)
{
	struct nova *n = *state;
	json_t *a = nova_ask(n, 0, "GET", "//compute/", NULL, 200);
	const json_t *newest = json_array_get(json_object_get(a, "versions"), 1);

	assert_string_equal(json_str(newest, "id"), "v2.1");
	assert_string_equal(json_str(newest, "version"), "2.93");
	assert_string_equal(json_str(newest, "min_version"), "2.1");
	assert_null(n->version);
	a = nova_ask(n, 0, "GET", "/", NULL, 200);
	assert_string_equal(json_str(json_object_get(a, "version"), "status"), "CURRENT");
	assert_string_equal(n->version, "compute 2.1");
	assert_null(nova_ask(n, 93, "GET", "/nothing", NULL, 404)); /* a page, no JSON */
	assert_null(n->version);
}

static void ask_with(struct nova *n, const char *header, const char *value, int status)
{
	n->extra = (struct http_header){header, value};
	nova_ask(n, 0, "GET", "/flavors", NULL, status);
	n->extra = (struct http_header){0};
}

static void test_negotiation(void **state)
{
	struct nova *n = *state;

	nova_ask(n, 61, "GET", "/flavors", NULL, 200);
	assert_string_equal(n->version, "compute 2.61");
	ask_with(n, "X-OpenStack-Nova-API-Version", "2.40", 200);
	assert_string_equal(n->version, "compute 2.40");
	ask_with(n, "OpenStack-API-Version", "identity 3, compute latest", 200);
	assert_string_equal(n->version, "compute 2.93");
	ask_with(n, "OpenStack-API-Version", "compute 2.94", 406);
	assert_string_equal(nova_message(n),
		"Version 2.94 is not supported by the API. Minimum is 2.1 and maximum is 2.93.");
	ask_with(n, "OpenStack-API-Version", "compute 2.0", 406);
	ask_with(n, "OpenStack-API-Version", "compute two", 400);
	assert_string_equal(nova_message(n),
		"API Version String two is of invalid format. Must be of format "
		"MajorNum.MinorNum.");
}

/* --- flavors, zones, quotas ------------------------------------------------------------------ */

static void test_flavors(void **state)
{
	struct nova *n = *state;
	json_t *list =
		json_object_get(nova_ask(n, 93, "GET", "/flavors/detail", NULL, 200), "flavors");
	char marker[64], path[128];

	assert_int_equal(json_array_size(list), 6);
	assert_int_equal(json_int(json_array_get(list, 0), "swap", -1), 0);
	assert_non_null(json_object_get(json_array_get(list, 0), "extra_specs"));
	list = json_object_get(
		nova_ask(n, 1, "GET", "/flavors/detail?minRam=2000", NULL, 200), "flavors");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_str(json_array_get(list, 0), "swap"), "");
	assert_null(json_object_get(json_array_get(list, 0), "description"));

	json_t *a = nova_ask(n, 93, "GET", "/flavors?limit=4", NULL, 200);
	snprintf(marker, sizeof(marker), "%s",
		json_str(json_array_get(json_object_get(a, "flavors"), 3), "id"));
	assert_non_null(json_object_get(a, "flavors_links"));
	snprintf(path, sizeof(path), "/flavors?limit=4&marker=%s", marker);
	a = nova_ask(n, 93, "GET", path, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(a, "flavors")), 2);
	assert_null(json_object_get(a, "flavors_links"));
	nova_ask(n, 93, "GET", "/flavors?marker=no", NULL, 400);
	assert_string_equal(nova_message(n), "marker [no] not found");
	nova_ask(n, 93, "GET", "/flavors?limit=x", NULL, 400);
	nova_ask(n, 93, "GET", "/flavors/no", NULL, 404);
	assert_string_equal(nova_message(n), "Flavor no could not be found.");
}

static void test_quota(void **state)
{
	struct nova *n = *state;
	json_t *a = nova_ask(n, 93, "GET", "/os-availability-zone", NULL, 200);
	const json_t *zone = json_array_get(json_object_get(a, "availabilityZoneInfo"), 1);

	assert_string_equal(json_str(zone, "zoneName"), "az2");
	assert_true(json_flag(json_object_get(zone, "zoneState"), "available"));
	nova_server(n, "s", "");
	a = nova_ask(n, 93, "GET", "/limits", NULL, 200);
	json_t *absolute = json_at(a, "limits", "absolute", NULL);
	assert_int_equal(json_int(absolute, "maxTotalInstances", 0), 60);
	assert_int_equal(json_int(absolute, "totalInstancesUsed", 0), 1);
	assert_int_equal(json_int(absolute, "totalRAMUsed", 0), 256);
	assert_null(json_object_get(absolute, "maxPersonality"));
	a = nova_ask(n, 1, "GET", "/limits", NULL, 200);
	assert_int_equal(json_int(json_at(a, "limits", "absolute", NULL), "maxPersonality", 0), 5);

	const struct object *s = n->sim->tables[KIND_SERVER].list.p[0];
	char path[128];
	snprintf(path, sizeof(path), "/os-quota-sets/%s/detail", s->project);
	a = nova_ask(n, 93, "GET", path, NULL, 200);
	assert_int_equal(json_int(json_at(a, "quota_set", "cores", NULL), "in_use", 0), 1);
	nova_ask(n, 93, "GET", "/os-quota-sets/other", NULL, 403);
	assert_string_equal(nova_message(n),
		"Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.");
}

/* --- key pairs ------------------------------------------------------------------------------- */

static void test_keypairs(void **state)
{
	struct nova *n = *state;
	json_t *a = nova_post(
		n, 93, "/os-keypairs", 201, "{'keypair':{'name':'k','public_key':'" KEY "'}}");

	assert_string_equal(json_str(json_object_get(a, "keypair"), "fingerprint"),
		"93:f0:ac:41:6d:31:3f:36:93:6a:e9:eb:5e:d8:2a:fc");
	nova_post(n, 93, "/os-keypairs", 409, "{'keypair':{'name':'k','public_key':'" KEY "'}}");
	assert_string_equal(nova_message(n), "Key pair 'k' already exists.");
	nova_post(n, 93, "/os-keypairs", 400, "{'keypair':{'name':'x','public_key':'nonsense'}}");
	assert_string_equal(
		nova_message(n), "Keypair data is invalid: failed to generate fingerprint");
	nova_pass(n, NS_PER_S); /* lists lag */
	n->as = 1;              /* the same user in another project has it too */
	a = nova_ask(n, 93, "GET", "/os-keypairs", NULL, 200);
	const json_t *item = json_array_get(json_object_get(a, "keypairs"), 0);
	assert_string_equal(json_str(json_object_get(item, "keypair"), "type"), "ssh");
	nova_post(n, 93, "/os-keypairs", 409, "{'keypair':{'name':'k','public_key':'" KEY "'}}");
	n->as = 2; /* another user in the same project has not */
	nova_ask(n, 93, "GET", "/os-keypairs/k", NULL, 404);
	n->as = 0;
	a = nova_ask(n, 93, "GET", "/os-keypairs/k", NULL, 200);
	assert_true(json_is_integer(json_at(a, "keypair", "id", NULL)));
	nova_ask(n, 2, "DELETE", "/os-keypairs/k", NULL, 204);
	nova_ask(n, 2, "DELETE", "/os-keypairs/k", NULL, 404);
}

static void test_generated_keypair(void **state)
{
	struct nova *n = *state;

	nova_post(n, 92, "/os-keypairs", 400, "{'keypair':{'name':'g'}}");
	assert_string_equal(nova_message(n),
		"Invalid input for field/attribute keypair. Value: {'name': 'g'}. 'public_key' is "
		"a required property");
	json_t *a = nova_post(n, 1, "/os-keypairs", 200, "{'keypair':{'name':'g'}}");
	json_t *pair = json_object_get(a, "keypair");
	assert_non_null(strstr(json_str(pair, "private_key"), "PRIVATE KEY-----"));
	assert_int_equal(strncmp(json_str(pair, "public_key"), "ssh-rsa ", 8), 0);
	assert_null(json_object_get(pair, "type")); /* since 2.2 */
	nova_ask(n, 1, "DELETE", "/os-keypairs/g", NULL, 202);
}

/* --- server groups --------------------------------------------------------------------------- */

static void test_groups(void **state)
{
	struct nova *n = *state;
	char path[128];

	nova_post(n, 1, "/os-server-groups", 400,
		"{'server_group':{'name':'g','policies':['soft-affinity']}}"); /* since 2.15 */
	assert_string_equal(nova_message(n),
		"Invalid input for field/attribute 0. Value: soft-affinity. 'soft-affinity' is not "
		"one of ['anti-affinity', 'affinity']");
	nova_post(n, 15, "/os-server-groups", 400, "{'server_group':{'name':'g','policies':[]}}");
	json_t *a = nova_post(n, 93, "/os-server-groups", 200,
		"{'server_group':{'name':'g','policy':'anti-affinity'}}");
	snprintf(path, sizeof(path), "/os-server-groups/%s",
		json_str(json_object_get(a, "server_group"), "id"));
	a = nova_ask(n, 1, "GET", path, NULL, 200);
	json_t *policies = json_at(a, "server_group", "policies", NULL);
	assert_string_equal(json_string_value(json_array_get(policies, 0)), "anti-affinity");
	nova_ask(n, 93, "DELETE", path, NULL, 204);
	nova_ask(n, 93, "GET", path, NULL, 404);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static void test_refused_bodies(void **state)
{
	struct nova *n = *state;
	static const struct {
		int version;
		const char *body, *message;
	} cases[] = {
		{93, NULL, "None is not of type 'object'"},
		{93, "[]", "Malformed request body"},
		{93, "{}", "'server' is a required property"},
		{93, "{'server':5}",
			"Invalid input for field/attribute server. Value: 5. 5 is not of type "
			"'object'"},
		{93, "{'server':{'name':'x','flavorRef':'1','foo':1}}",
			"Invalid input for field/attribute server. Value: {'name': 'x', 'flavorRef': "
			"'1', 'foo': 1}. 'networks' is a required property"},
		{93,
			"{'server':{'name':'x','flavorRef':'1','networks':'auto','foo':[true,null],"
			"'bar':1.5}}",
			"Invalid input for field/attribute server. Value: {'name': 'x', 'flavorRef': "
			"'1', 'networks': 'auto', 'foo': [True, None], 'bar': 1.5}. Additional "
			"properties are not allowed ('bar', 'foo' were unexpected)"},
		{36, "{'server':{'name':'x','flavorRef':'1','tags':[]}}",
			"Invalid input for field/attribute server. Value: {'name': 'x', 'flavorRef': "
			"'1', 'tags': []}. Additional properties are not allowed ('tags' was "
			"unexpected)"},
		{18, "{'server':{'name':'x','flavorRef':'1','description':'d'}}",
			"Invalid input for field/attribute server. Value: {'name': 'x', 'flavorRef': "
			"'1', 'description': 'd'}. Additional properties are not allowed "
			"('description' was unexpected)"},
		{93, "{'server':{'name':' x','flavorRef':'1','networks':'auto'}}",
			"An invalid 'name' value was provided. The name must be: printable characters. "
			"Can not start or end with whitespace."},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':[{'uuid':'a'}]}}",
			"Invalid input for field/attribute networks. Value: [{'uuid': 'a'}]. [{'uuid': "
			"'a'}] is not valid under any of the given schemas"},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':'none','min_count':0}}",
			"Invalid input for field/attribute min_count. Value: 0. 0 is less than the "
			"minimum of 1"},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':'none','user_data':'%%'}}",
			"Invalid input for field/attribute user_data. Value: %%. '%%' is not a "
			"'base64'"},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':'none','tags':['a,b']}}",
			"Invalid input for field/attribute 0. Value: a,b. 'a,b' does not match "
			"'^[^,/]*$'"},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':'none','metadata':{'a':5}}}",
			"Invalid input for field/attribute a. Value: 5. 5 is not of type 'string'"},
		{93,
			"{'server':{'name':'x','flavorRef':'1','networks':'none',"
			"'block_device_mapping_v2':[{'source_type':'foo'}]}}",
			"Invalid input for field/attribute source_type. Value: foo. 'foo' is not one "
			"of ['volume', 'image', 'snapshot', 'blank']"},
		{93, "{'server':{'name':'x','flavorRef':'1','networks':'none'}}",
			"Missing imageRef attribute"},
		{93,
			"{'server':{'name':'x','flavorRef':'1','networks':'none',"
			"'imageRef':'11111111-2222-4333-8444-555555555555'}}",
			"Can not find requested image"},
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		nova_ask(n, cases[i].version, "POST", "/servers", cases[i].body, 400);
		assert_string_equal(nova_message(n), cases[i].message);
	}
	assert_int_equal(n->sim->tables[KIND_SERVER].list.n, 0);
}

static void test_refused_creates(void **state)
{
	struct nova *n = *state;
	const char *tiny = nova_flavor(n, "lab.tiny");
	static const struct {
		const char *more;
		int status;
		const char *message;
	} cases[] = {
		{"'key_name':'no'", 400, "Invalid key_name provided."},
		{"'availability_zone':'az9'", 400,
			"The requested availability zone is not available"},
		{"'availability_zone':'az1:host'", 403,
			"Policy doesn't allow os_compute_api:servers:create:forced_host to be "
			"performed."},
		{"'security_groups':[{'name':'no'}]", 400, "Security group no not found."},
		{"'min_count':3,'max_count':2", 400, "min_count must be <= max_count"},
		{"'max_count':61,'min_count':61", 403,
			"Quota exceeded for instances: Requested 61, but already used 0 of 60 "
			"instances"},
		{"'networks':[{'uuid':'11111111-2222-4333-8444-555555555555'}]", 400,
			"Network 11111111-2222-4333-8444-555555555555 could not be found."},
		{"'networks':[{'port':'11111111-2222-4333-8444-555555555555'}]", 400,
			"Port id 11111111-2222-4333-8444-555555555555 could not be found."},
		{"'networks':[{'fixed_ip':'10.0.0.1'}]", 400, "Bad network format: missing 'uuid'"},
		{"'block_device_mapping_v2':[{'source_type':'volume','destination_type':'volume',"
		 "'boot_index':1}]",
			400, "Block Device Mapping is Invalid: Missing device UUID."},
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		const bool named = strstr(cases[i].more, "'networks'") != NULL;
		nova_post(n, 93, "/servers", cases[i].status,
			"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s',%s%s}}", tiny,
			nova_image(n), named ? "" : "'networks':'none',", cases[i].more);
		assert_string_equal(nova_message(n), cases[i].message);
	}
	assert_int_equal(n->sim->tables[KIND_SERVER].list.n, 0);
}

int test_compute(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nova_setup, nova_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_documents),
		TEST(test_negotiation),
		TEST(test_flavors),
		TEST(test_quota),
		TEST(test_keypairs),
		TEST(test_generated_keypair),
		TEST(test_groups),
		TEST(test_refused_bodies),
		TEST(test_refused_creates),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
