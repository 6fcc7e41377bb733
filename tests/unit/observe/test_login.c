/* Where guests are reached at, and the way to them: hosts, ports, users, keys, jump servers. */
#include "written.h"

#include "observe/scenario/check.h"

static const char text[] = HEAD
	"resources:\n"
	"  key: {keypair: {}}\n"
	"  fip: {floating_ip: {}, count: 2}\n"
	"  jump: {server: {}, login: {host: \"${fip[1].floating_ip_address}\", user: jumper, port: "
	"2222, key: \"${key}\"}}\n"
	"  vm: {server: {}, count: 2, login: {via: \"${jump}\", key: \"${key}\"}}\n"
	"  plain: {server: {}}\n"
	"  all: {group: \"${vm[*] + plain[*]}\", login: {host: \"10.0.0.${i}\", key: \"the text of a "
	"key\", port: \"23\"}}\n"
	"  bad: {server: {}, login: {host: x, port: 70000, key: \"${key}\"}}\n"
	"checks:\n"
	"  who: {value: 1}\n";

static struct world *world;

static int setup(void **state)
{
	world = written_world(text, NULL, NULL, false);
	static const char *const steps[] = {"key", "fip", "jump", "vm", "plain"};
	for (size_t i = 0; i < array_len(steps); i++)
		assert_int_equal(written_expand(world, steps[i]), EXPR_OK);
	assert_int_equal(written_expand(world, "all"), EXPR_OK);
	written_expand(world, "bad");
	return 0;
}

static int teardown(void **state)
{
	written_world_free(world);
	return 0;
}

static struct value_ref ref(const char *step, int32_t i)
{
	return (struct value_ref){(uint32_t)scenario_step(world->scenario, slice_of(step)), i};
}

static void make_all_ready(void)
{
	written_ready(world, "key", 0, "{\"id\": \"k\"}");
	written_element(world, "key", 0)->private_key = secret_new(SLICE("private"));
	written_ready(world, "fip", 0, "{\"id\": \"f0\", \"floating_ip_address\": \"192.0.2.10\"}");
	written_ready(world, "fip", 1, "{\"id\": \"f1\", \"floating_ip_address\": \"192.0.2.11\"}");
	static const char server[] =
		"{\"id\": \"s\", \"addresses\": {\"net\": [{\"addr\": "
		"\"10.71.0.5\", \"version\": 4}]}}";
	written_ready(world, "jump", 0, server);
	written_ready(world, "vm", 0, server);
	written_ready(world, "vm", 1, server);
	written_ready(world, "plain", 0, server);
	written_ready(world, "bad", 0, server);
}

static const struct reach direct;

static void is_at(struct value_ref r, const char *host, unsigned port)
{
	char *got = NULL;
	unsigned at = 0;
	struct error err = {0};
	struct element *who = written_element(world, "who", 0);
	const enum expr_result result = login_host(world, r, who, &got, &at, &err);
	assert_string_equal(err.msg, "");
	assert_int_equal(result, EXPR_OK);
	assert_string_equal(got, host);
	assert_int_equal(at, port);
	free(got);
}

static void test_hosts(void **state)
{
	struct error err = {0};
	char *host = NULL;
	unsigned port;
	struct element *who = written_element(world, "who", 0);
	assert_int_equal(login_host(world, ref("jump", 0), who, &host, &port, &err), EXPR_BLOCKED);
	make_all_ready();
	is_at(ref("jump", 0), "192.0.2.11", 2222);
	is_at(ref("vm", 1), "10.71.0.5", 22);
	is_at(ref("plain", 0), "10.71.0.5", 22); /* a server without a log-in has an address too */
	is_at(ref("all", 2), "10.0.0.2", 23); /* the group's own, with the member's index in it */
	assert_int_equal(login_host(world, ref("bad", 0), who, &host, &port, &err), EXPR_ERROR);
	assert_string_equal(err.msg, "the `port` of a login is a number from 1 to 65535");
	assert_int_equal(login_host(world, ref("key", 0), who, &host, &port, &err), EXPR_ERROR);
	assert_string_equal(err.msg, "this step has no address to reach it at");
	/* The floating IP is needed by who logs in, not by the server. */
	assert_int_equal(written_element(world, "jump", 0)->uses.n, 0);
	assert_true(who->uses.n > 0);
}

static void test_way(void **state)
{
	struct error err = {0};
	struct login *l = NULL;
	size_t hops = 0;
	struct element *who = written_element(world, "who", 0);
	make_all_ready();
	assert_int_equal(login_resolve(world, ref("vm", 0), who, &direct, &l, &err), EXPR_OK);
	const struct ssh_host *via = login_via(l, &hops), *target = login_target(l);
	assert_int_equal(hops, 1);
	assert_string_equal(via[0].host, "192.0.2.11");
	assert_string_equal(via[0].user, "jumper");
	assert_int_equal(via[0].port, 2222);
	assert_string_equal(target->host, "10.71.0.5");
	assert_string_equal(target->user, "debian"); /* nobody knows the image */
	assert_int_equal(target->port, 22);
	login_free(l);
	l = NULL;
	assert_int_equal(login_resolve(world, ref("plain", 0), who, &direct, &l, &err), EXPR_ERROR);
	assert_string_equal(err.msg, "this step has no `login:` to log in with");
	/* A jump server that failed has an address all the same. */
	written_element(world, "jump", 0)->state = ELEMENT_SKIPPED;
	assert_int_equal(login_resolve(world, ref("vm", 0), who, &direct, &l, &err), EXPR_SKIPPED);
	written_element(world, "jump", 0)->state = ELEMENT_STARTED;
	assert_int_equal(login_resolve(world, ref("vm", 0), who, &direct, &l, &err), EXPR_BLOCKED);
	written_element(world, "jump", 0)->state = ELEMENT_READY;
	written_element(world, "key", 0)->state = ELEMENT_FAILED;
	assert_int_equal(login_resolve(world, ref("vm", 0), who, &direct, &l, &err), EXPR_SKIPPED);
	assert_null(l);
}

int test_login(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_way, setup, teardown),
	};
	return cmocka_run_group_tests_name("login", tests, written_setup, written_teardown);
}
