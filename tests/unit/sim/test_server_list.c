/* The simulated nova's lists, batches, metadata and tags, and what faults and rules do to servers.
 */
#include "../check.h"

#include "base/json.h"
#include "nova_client.h"
#include "sim/compute_server.h"

static json_t *list(struct nova *n, int version, const char *query, int status)
{
	char path[512];

	snprintf(path, sizeof(path), "/servers/detail?%s", query);
	return json_object_get(nova_ask(n, version, "GET", path, NULL, status), "servers");
}

static size_t hits(struct nova *n, int version, const char *query)
{
	return json_array_size(list(n, version, query, 200));
}

static struct object *newest(struct nova *n, enum kind k)
{
	return n->sim->tables[k].list.p[n->sim->tables[k].list.n - 1];
}

/* POST of a server without network; `more` begins with a comma or is "". */
static struct object *create(struct nova *n, const char *name, const char *more, int status)
{
	nova_post(n, 93, "/servers", status,
		"{'server':{'name':'%s','flavorRef':'%s','imageRef':'%s','networks':'none'%s}}",
		name, nova_flavor(n, "lab.tiny"), nova_image(n), more);
	return status == 202 ? newest(n, KIND_SERVER) : NULL;
}

/* --- lists ----------------------------------------------------------------------------------- */

static void test_batch(void **state)
{
	struct nova *n = *state;
	char query[64];

	create(n, "web", ",'min_count':3,'return_reservation_id':true", 202);
	assert_int_equal(json_object_size(n->answer), 1);
	snprintf(query, sizeof(query), "reservation_id=%s", json_str(n->answer, "reservation_id"));
	nova_pass(n, NS_PER_S);
	assert_int_equal(hits(n, 93, query), 3);
	assert_int_equal(hits(n, 93, "name=^web-%5Cd%2B$"), 3);
	assert_int_equal(hits(n, 93, "name=^web-2$"), 1);
	assert_int_equal(hits(n, 93, "name=^web$"), 0);
}

static void test_filters(void **state)
{
	struct nova *n = *state;
	char query[128];

	create(n, "alpha", ",'tags':['a','b'],'metadata':{'k':'v'}", 202);
	create(n, "beta", ",'tags':['b']", 202);
	nova_until(n, newest(n, KIND_SERVER)->id, "ACTIVE");
	assert_int_equal(hits(n, 93, "name=ALPH"), 1); /* the database does not mind case */
	assert_int_equal(hits(n, 93, "status=active"), 2);
	assert_int_equal(hits(n, 93, "status=BUILD"), 0);
	assert_int_equal(hits(n, 93, "tags=a,b"), 1);
	assert_int_equal(hits(n, 93, "tags-any=a,b"), 2);
	assert_int_equal(hits(n, 93, "not-tags=a"), 1);
	assert_int_equal(hits(n, 25, "tags=a"), 2); /* unknown then: ignored */
	snprintf(query, sizeof(query), "flavor=%s", nova_flavor(n, "lab.small"));
	assert_int_equal(hits(n, 93, query), 0);
	list(n, 93, "name=(", 400);
	assert_string_equal(nova_message(n),
		"Invalid input for query parameters name. Value: (. '(' is not a 'regex'");
	list(n, 93, "color=red", 400);
	assert_int_equal(hits(n, 74, "color=red"), 2);
	list(n, 93, "changes-since=yesterday", 400);
	list(n, 93, "status=FOO", 400);
	list(n, 93, "all_tenants=1", 403);
	n->as = 1; /* another project */
	assert_int_equal(hits(n, 93, ""), 0);
}

static void test_pages(void **state)
{
	struct nova *n = *state;
	char path[128], marker[64];

	for (int i = 0; i < 5; i++)
		create(n, i % 2 ? "odd" : "even", "", 202);
	nova_pass(n, NS_PER_S);
	json_t *a = nova_ask(n, 93, "GET", "/servers?limit=3", NULL, 200);
	const json_t *page = json_object_get(a, "servers");
	assert_int_equal(json_array_size(page), 3);
	assert_string_equal(json_str(json_array_get(page, 0), "id"), newest(n, KIND_SERVER)->id);
	snprintf(marker, sizeof(marker), "%s", json_str(json_array_get(page, 2), "id"));
	const json_t *link = json_array_get(json_object_get(a, "servers_links"), 0);
	assert_non_null(strstr(json_str(link, "href"), marker));
	snprintf(path, sizeof(path), "/servers?limit=3&marker=%s", marker);
	a = nova_ask(n, 93, "GET", path, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(a, "servers")), 2);
	assert_null(json_object_get(a, "servers_links"));
	a = nova_ask(n, 93, "GET", "/servers?limit=1&name=%5Eo%5Cw%2B", NULL, 200);
	link = json_array_get(json_object_get(a, "servers_links"), 0);
	assert_non_null(strstr(json_str(link, "href"), "&name=%5Eo%5Cw%2B&marker="));
	a = nova_ask(n, 93, "GET", "/servers?sort_key=display_name&sort_dir=asc", NULL, 200);
	page = json_object_get(a, "servers");
	assert_string_equal(json_str(json_array_get(page, 0), "name"), "even");
	assert_string_equal(json_str(json_array_get(page, 4), "name"), "odd");
	nova_ask(n, 93, "GET", "/servers?sort_key=host", NULL, 403);
	nova_ask(n, 93, "GET", "/servers?marker=no", NULL, 400);
}

/* --- metadata and tags ----------------------------------------------------------------------- */

static void test_metadata(void **state)
{
	struct nova *n = *state;
	char path[128], item[160];

	const struct object *o = create(n, "x", ",'metadata':{'a':'1'}", 202);
	snprintf(path, sizeof(path), "/servers/%s/metadata", o->id);
	snprintf(item, sizeof(item), "%s/b", path);
	nova_ask(n, 93, "POST", path, "{'metadata':{'b':'2'}}", 409); /* it is building */
	assert_non_null(strstr(nova_message(n), "Cannot 'update metadata' instance"));
	nova_until(n, o->id, "ACTIVE");
	nova_ask(n, 93, "POST", path, "{'metadata':{'b':'2'}}", 200);
	assert_int_equal(json_object_size(json_object_get(n->answer, "metadata")), 2);
	nova_ask(n, 93, "PUT", item, "{'meta':{'c':'3'}}", 400);
	nova_ask(n, 93, "PUT", item, "{'meta':{'b':'3'}}", 200);
	nova_ask(n, 93, "GET", item, NULL, 200);
	assert_string_equal(json_str(json_object_get(n->answer, "meta"), "b"), "3");
	nova_ask(n, 93, "DELETE", item, NULL, 204);
	nova_ask(n, 93, "DELETE", item, NULL, 404);
	nova_ask(n, 93, "PUT", path, "{'metadata':{'z':'9'}}", 200);
	assert_int_equal(json_object_size(json_object_get(n->answer, "metadata")), 1);
}

static void test_tags(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");
	char path[128], item[160];

	snprintf(path, sizeof(path), "/servers/%s/tags", id);
	snprintf(item, sizeof(item), "%s/t", path);
	nova_ask(n, 25, "GET", path, NULL, 404);
	nova_ask(n, 93, "PUT", item, NULL, 201);
	nova_ask(n, 93, "PUT", item, NULL, 204);
	nova_ask(n, 93, "GET", item, NULL, 204);
	nova_ask(n, 93, "PUT", path, "{'tags':['y','x','y']}", 200);
	assert_int_equal(json_array_size(json_object_get(n->answer, "tags")), 2);
	nova_ask(n, 93, "GET", item, NULL, 404);
	nova_ask(n, 93, "DELETE", path, NULL, 204);
	nova_ask(n, 93, "GET", path, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(n->answer, "tags")), 0);
}

/* --- groups of servers ----------------------------------------------------------------------- */

static void test_anti_affinity(void **state)
{
	struct nova *n = *state;
	json_t *a = nova_post(n, 93, "/os-server-groups", 200,
		"{'server_group':{'name':'g','policy':'anti-affinity'}}");
	char *group = mem_strdup(json_str(json_object_get(a, "server_group"), "id"));
	unsigned active = 0, failed = 0;

	for (int i = 0; i < 3; i++)
		nova_post(n, 93, "/servers", 202,
			"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':'none',"
			"'availability_zone':'az2'},'os:scheduler_hints':{'group':'%s'}}",
			nova_flavor(n, "lab.tiny"), nova_image(n), group);
	nova_pass(n, 120 * NS_PER_S);
	OBJECT_EACH (n->sim, KIND_SERVER, o) {
		active += !strcmp(object_str(o, "status"), "ACTIVE");
		failed += !strcmp(object_str(o, "status"), "ERROR");
	}
	assert_int_equal(active, 2); /* as many as the zone has hosts */
	assert_int_equal(failed, 1);
	const struct object *last = newest(n, KIND_SERVER);
	assert_string_equal(json_str(json_object_get(last->doc, "fault"), "message"),
		"No valid host was found. There are not enough hosts available.");
	free(group);
}

/* --- faults ---------------------------------------------------------------------------------- */

static void test_stuck(void **state)
{
	struct nova *n = *state;
	char path[128];

	nova_fault(n, "{'service':'compute','method':'POST','path':'*/servers','effect':'stuck'}");
	const struct object *o = create(n, "x", "", 202);
	nova_pass(n, 3600 * NS_PER_S);
	assert_string_equal(object_str(o, "status"), "BUILD");
	snprintf(path, sizeof(path), "/servers/%s", o->id);
	nova_ask(n, 93, "DELETE", path, NULL, 204); /* it can be deleted all the same */
	nova_pass(n, 60 * NS_PER_S);
	nova_ask(n, 93, "GET", path, NULL, 404);
}

static void test_error(void **state)
{
	struct nova *n = *state;

	nova_fault(n,
		"{'service':'compute','method':'POST','path':'*/servers','effect':'error',"
		"'times':1}");
	const struct object *o = create(n, "x", "", 202);
	nova_until(n, o->id, "ERROR");
	assert_int_equal(json_int(json_object_get(o->doc, "fault"), "code", 0), 500);
	assert_string_equal(json_str(json_object_get(o->doc, "fault"), "message"),
		"No valid host was found. There are not enough hosts available.");
	nova_until(n, create(n, "y", "", 202)->id, "ACTIVE");
	nova_fault(n, "{'service':'compute','effect':'quota','method':'POST'}");
	create(n, "z", "", 403);
	assert_string_equal(nova_message(n),
		"Quota exceeded for instances: Requested 1, but already used 60 of 60 instances");
}

static void test_failed_actions(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");
	const struct object *o = nova_object(n, KIND_SERVER, id);
	const size_t images = n->sim->tables[KIND_IMAGE].list.n;
	char path[128];

	nova_fault(n,
		"{'service':'compute','path':'*/action','effect':'error','times':2,"
		"'text':'the disk is full'}");
	snprintf(path, sizeof(path), "/servers/%s/action", id);
	nova_ask(n, 93, "POST", path, "{'createImage':{'name':'snap'}}", 202);
	nova_until(n, id, "ACTIVE");
	assert_int_equal(n->sim->tables[KIND_IMAGE].list.n, images);
	nova_ask(n, 93, "POST", path, "{'os-stop':null}", 202);
	nova_until(n, id, "ERROR");
	assert_string_equal(
		json_str(json_object_get(o->doc, "fault"), "message"), "the disk is full");
	nova_ask(n, 93, "POST", path, "{'reboot':{'type':'HARD'}}", 202); /* it comes back */
	nova_until(n, id, "ACTIVE");
	nova_fault(n, "{'service':'compute','path':'*/action','effect':'stuck'}");
	nova_ask(n, 93, "POST", path, "{'os-stop':null}", 202);
	nova_pass(n, 3600 * NS_PER_S);
	assert_string_equal(object_str(o, "OS-EXT-STS:task_state"), "powering-off");
	assert_string_equal(object_str(o, "status"), "ACTIVE");
}

static void test_leak(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", nova_network(n, 1));
	char path[128];

	nova_fault(n, "{'service':'compute','method':'DELETE','effect':'leak'}");
	snprintf(path, sizeof(path), "/servers/%s", id);
	nova_ask(n, 93, "DELETE", path, NULL, 204);
	nova_pass(n, 60 * NS_PER_S);
	nova_ask(n, 93, "GET", path, NULL, 404);
	unsigned left = 0;
	OBJECT_EACH (n->sim, KIND_PORT, p)
		left += p->made_by == MADE_BY_NOVA &&
			!strncmp(path + 9, object_str(p, "device_id"), 36);
	assert_int_equal(left, 1);
}

static void test_no_metadata(void **state)
{
	struct nova *n = *state;

	nova_fault(n, "{'service':'metadata','effect':'status','status':503}");
	const struct object *o =
		nova_object(n, KIND_SERVER, nova_server(n, "x", nova_network(n, 1)));
	nova_pass(n, 60 * NS_PER_S);
	assert_true(server_of(o)->no_metadata);
	assert_non_null(strstr(buf_str(&server_of(o)->console), "No active metadata service"));
	assert_non_null(strstr(buf_str(&server_of(o)->console), "\nlocalhost login: "));
}

static void test_rules(void **state)
{
	struct nova *n = *state;
	char path[128];

	create(n, "x", ",'metadata':{'glasshouse':'glasshouse me r1 s 1'}", 202);
	assert_int_equal(json_array_size(n->sim->violations), 0);
	const struct object *o =
		create(n, "x", ",'metadata':{'glasshouse':'glasshouse me r1 s 1'}", 202);
	assert_int_equal(json_array_size(n->sim->violations), 1);
	n->as = 2; /* demo-b is another instance */
	create(n, "y", ",'metadata':{'glasshouse':'glasshouse you r1 s 1'}", 202);
	snprintf(path, sizeof(path), "/servers/%s", o->id);
	nova_ask(n, 93, "DELETE", path, NULL, 204);
	assert_string_equal(json_str(json_array_get(n->sim->violations, 1), "rule"), "foreign");
}

static void test_planted(void **state)
{
	struct nova *n = *state;
	json_t *what = json_pack("{s:s, s:s, s:[s, s, s]}", "name", "gh-look-alike", "mark",
		"glasshouse other r s 1", "kinds", "server", "keypair", "server_group");
	struct error err = {0};
	json_t *made = sim_plant(n->sim, what, &err);

	if (!made)
		fail_msg("%s", err.msg);
	assert_true(json_array_size(made) >= 3);
	const struct object *o = newest(n, KIND_SERVER);
	assert_int_equal(o->made_by, MADE_BY_PLANT);
	nova_until(n, o->id, "ACTIVE");
	json_decref(made);
	json_decref(what);
}

int test_server_list(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nova_setup, nova_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_batch),
		TEST(test_filters),
		TEST(test_pages),
		TEST(test_metadata),
		TEST(test_tags),
		TEST(test_anti_affinity),
		TEST(test_stuck),
		TEST(test_error),
		TEST(test_failed_actions),
		TEST(test_leak),
		TEST(test_no_metadata),
		TEST(test_rules),
		TEST(test_planted),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
