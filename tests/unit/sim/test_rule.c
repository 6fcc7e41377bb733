/* The rules a good client keeps, and what is left of it. */
#include "simulated.h"

#include "base/json.h"

#define N    "/network/v2.0"
#define MARK "glasshouse here r1 net 0"

static void make_net(struct simulated *s, int keep, const char *mark)
{
	char body[256];

	snprintf(body, sizeof(body), "{'network': {'name': 'x', 'description': '%s'}}", mark);
	simulated_call(s, "POST", N "/networks", body);
	simulated_said(s, 201, NULL);
	simulated_keep(s, keep, "network");
}

static void test_double_create(void **state)
{
	struct simulated *s = *state;

	make_net(s, 1, MARK);
	make_net(s, 2, "glasshouse here r1 net 1");
	make_net(s, 3, "no mark");
	make_net(s, 4, "no mark");
	assert_int_equal(simulated_violations(s, "double_create"), 0);
	make_net(s, 5, MARK);
	assert_int_equal(simulated_violations(s, "double_create"), 1);
	/* another attempt has a mark of its own */
	make_net(s, 6, MARK " 2");
	assert_int_equal(simulated_violations(s, "double_create"), 1);
	/* after the first is gone it is no double */
	simulated_call(s, "DELETE", N "/networks/$1", NULL);
	simulated_call(s, "DELETE", N "/networks/$5", NULL);
	make_net(s, 7, MARK);
	assert_int_equal(simulated_violations(s, "double_create"), 1);
}

/* Where a mark may stand: a description, metadata, a property. */
static void test_marks(void **state)
{
	struct simulated *s = *state;

	for (int i = 0; i < 2; i++) {
		simulated_call(s, "POST", "/volume/v3/$P/volumes",
			"{'volume': {'size': 1, 'metadata': {'glasshouse': '" MARK "'}}}");
		simulated_said(s, 202, NULL);
	}
	assert_int_equal(simulated_violations(s, "double_create"), 1);
	for (int i = 0; i < 2; i++) {
		simulated_call(s, "POST", "/image/v2/images", "{'glasshouse': '" MARK "'}");
		simulated_said(s, 201, NULL);
	}
	assert_int_equal(simulated_violations(s, "double_create"), 2);
	simulated_keep(s, 1, NULL);
}

/* Volumes of a marked image, and backups of a marked volume, are not marked by that. */
static void test_borrowed_marks(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", "/image/v2/images",
		"{'glasshouse': '" MARK "', 'disk_format': 'raw', 'container_format': 'bare'}");
	simulated_keep(s, 1, NULL);
	s->type = "application/octet-stream";
	simulated_send(s, "PUT", "/image/v2/images/$1/file", "x", 1);
	s->type = NULL;
	for (int i = 2; i <= 3; i++) {
		simulated_call(s, "POST", "/volume/v3/$P/volumes",
			"{'volume': {'size': 1, 'imageRef': '$1'}}");
		simulated_said(s, 202, NULL);
		simulated_keep(s, i, "volume");
	}
	simulated_call(s, "PUT", "/volume/v3/$P/volumes/$2/metadata",
		"{'metadata': {'glasshouse': '" MARK "'}}");
	simulated_wait(s, 60 * NS_PER_S);
	for (int i = 0; i < 2; i++) {
		simulated_call(
			s, "POST", "/volume/v3/$P/backups", "{'backup': {'volume_id': '$2'}}");
		simulated_said(s, 202, NULL);
		simulated_wait(s, 60 * NS_PER_S);
	}
	assert_int_equal(simulated_violations(s, "double_create"), 0);
}

static void test_foreign(void **state)
{
	struct simulated *s = *state;

	make_net(s, 1, MARK);
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'name': 'y'}}");
	assert_int_equal(simulated_violations(s, "foreign"), 0);
	/* the other user of the project shows itself as another instance */
	simulated_login(s, "demo-b", "demo");
	make_net(s, 2, "glasshouse there r1 net 0");
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'name': 'z'}}");
	assert_int_equal(simulated_violations(s, "foreign"), 1);
	simulated_call(s, "PUT", N "/networks/$1/tags", "{'tags': ['a']}");
	assert_int_equal(simulated_violations(s, "foreign"), 2);
	simulated_call(s, "DELETE", N "/networks/$1", NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 3);
	simulated_call(s, "DELETE", N "/networks/$2", NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 3);
}

static void test_no_token(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	s->token = NULL;
	simulated_call(s, "GET", "/network/", NULL); /* needs none */
	assert_int_equal(simulated_violations(s, "no_token"), 0);
	simulated_call(s, "GET", "/volume/v3/", NULL); /* needs one, and is how clients begin */
	simulated_said(s, 401, NULL);
	simulated_call(s, "GET", "/image/v2", NULL);
	simulated_said(s, 401, NULL);
	assert_int_equal(simulated_violations(s, "no_token"), 0);
	simulated_call(s, "GET", N "/networks", NULL);
	simulated_said(s, 401, NULL);
	simulated_call(s, "POST", "/volume/v3/", "{}");
	simulated_said(s, 401, NULL);
	assert_int_equal(simulated_violations(s, "no_token"), 2);
	s->token = token;
}

static json_t *planted(const struct simulated *s)
{
	json_t *left = sim_left(s->sim), *p = json_incref(json_object_get(left, "planted"));

	json_decref(left);
	return p;
}

static void test_planted(void **state)
{
	struct simulated *s = *state;
	json_t *p;
	size_t i;
	json_t *one;

	simulated_call(s, "POST", "/sim/plant",
		"{'name': 'gh-r1-net-ABCDEFGHIJ', 'mark': '" MARK "', 'project': 'demo'}");
	simulated_said(s, 201, "\"kind\":\"network\"");
	simulated_said(s, 201, "\"kind\":\"volume\"");
	simulated_said(s, 201, "\"kind\":\"image\"");
	json_array_foreach (json_object_get(s->json, "planted"), i, one) {
		if (!strcmp(json_str(one, "kind"), "network"))
			snprintf(s->kept[1], sizeof(s->kept[1]), "%s", json_str(one, "id"));
		if (!strcmp(json_str(one, "kind"), "image"))
			snprintf(s->kept[2], sizeof(s->kept[2]), "%s", json_str(one, "id"));
	}
	p = planted(s);
	assert_true(json_int(p, "intact", 0) >= 10);
	assert_int_equal(json_array_size(json_object_get(p, "touched")), 0);
	json_decref(p);
	assert_int_equal(simulated_violations(s, "foreign"), 0);
	simulated_call(s, "PUT", N "/networks/$1", "{'network': {'name': 'mine'}}");
	simulated_said(s, 200, NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 1);
	p = planted(s);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(p, "touched"), 0)), s->kept[1]);
	json_decref(p);
	simulated_call(s, "DELETE", "/image/v2/images/$2", NULL);
	simulated_said(s, 204, NULL);
	assert_int_equal(simulated_violations(s, "foreign"), 2);
}

static void test_left(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", "/sim/left", NULL);
	assert_int_equal(simulated_count(s, "objects"), 0);
	make_net(s, 1, MARK);
	simulated_call(s, "POST", N "/subnets",
		"{'subnet': {'network_id': '$1', 'ip_version': 4, 'cidr': '10.1.0.0/24'}}");
	simulated_wait(s, 10 * NS_PER_S); /* the DHCP port comes */
	simulated_call(s, "GET", "/sim/left", NULL);
	assert_int_equal(simulated_count(s, "objects"), 3);
	simulated_said(s, 200, "\"made_by\":\"neutron\"");
	simulated_said(s, 200, "\"mark\":\"" MARK "\",\"instance\":\"here\"");
	/* the subnet's and the DHCP port's */
	char *parent = mem_printf("\"parents\":[\"%s\"]", s->kept[1]);
	simulated_said(s, 200, parent);
	free(parent);
	simulated_said(s, 200, "\"projects\":{\"demo\":{\"network\":1,\"subnet\":1,\"port\":1}}");
	simulated_call(s, "DELETE", N "/networks/$1", NULL);
	simulated_call(s, "GET", "/sim/left", NULL);
	assert_int_equal(simulated_count(s, "objects"), 0);
	simulated_call(s, "GET", "/sim/requests", NULL);
	simulated_said(s, 200, "\"path\":\"/v2.0/subnets\"");
}

/* By requests of ours alone, and whether it is still there or not. */
static void test_made(void **state)
{
	struct simulated *s = *state;

	make_net(s, 1, MARK);
	simulated_call(s, "POST", N "/subnets",
		"{'subnet': {'network_id': '$1', 'ip_version': 4, 'cidr': '10.1.0.0/24'}}");
	simulated_wait(s, 10 * NS_PER_S); /* the DHCP port comes */
	simulated_call(s, "DELETE", N "/networks/$1", NULL);
	simulated_call(s, "GET", "/sim/made", NULL);
	assert_int_equal(simulated_count(s, "made"), 2);
	char *made = mem_printf("{\"kind\":\"network\",\"id\":\"%s\"", s->kept[1]);
	simulated_said(s, 200, made);
	free(made);
	simulated_said(s, 200, "\"mark\":\"" MARK "\"");
	simulated_said(s, 200, "{\"kind\":\"subnet\"");
}

int test_rule(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_double_create),
		TEST(test_marks),
		TEST(test_borrowed_marks),
		TEST(test_foreign),
		TEST(test_no_token),
		TEST(test_planted),
		TEST(test_left),
		TEST(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
