/* Endpoint probes of a simulated cloud, in virtual time: every row of its services is answered as
 * the real ones answer, and each thing that goes wrong is told of whom it concerns. */
#include "../check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"
#include "observe/endpoint.h"
#include "sim/sim.h"

#define MINUTE_NS (60 * NS_PER_S)

struct line {
	char probe[64], detail[200];
	enum fault fault;
	int status;
	unsigned tries;
};

struct place {
	char clouds[64];
	struct clock clock;
	struct loop *loop;
	struct sim *sim;
	struct cloud_config *config;
	struct http_client *api, *probes;
	struct cloud *cloud;
	struct schedule *schedule;
	struct endpoints *endpoints;
	VEC(struct line) lines;
};

static void on_seen(void *arg, const struct observation *o)
{
	struct place *p = arg;
	struct line *l = vec_add(&p->lines);
	snprintf(l->probe, sizeof(l->probe), "%s", o->probe);
	snprintf(l->detail, sizeof(l->detail), "%s", o->detail ? o->detail : "");
	l->fault = o->fault;
	l->status = o->status;
	l->tries = o->tries;
	if (o->status) /* swift has ids of its own form */
		assert_true(!strncmp(o->service_request_id, "req-", 4) ||
			    (!strncmp(o->service_request_id, "tx", 2) &&
				    !strncmp(o->probe, "object-store.", 13)));
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	struct error_list errors = {0};
	const struct http_client_options api = {0}, fresh = {.fresh = true};
	const struct sim_options sim = {.seed = 1, .speed = 1000};
	const struct endpoint_options o = {.location = "here", .component_prefix = ""};
	clock_init_virtual(&p->clock, 1795000000000000);
	p->loop = loop_new(&p->clock, &err);
	p->sim = sim_new(p->loop, &sim, &err);
	snprintf(p->clouds, sizeof(p->clouds), "/tmp/test-endpoint-sim-XXXXXX");
	const int fd = mkstemp(p->clouds);
	if (!p->sim || fd < 0)
		return -1;
	close(fd);
	assert_true(sim_clouds_yaml(p->sim, p->clouds, &err));
	setenv("OS_CLIENT_CONFIG_FILE", p->clouds, 1);
	p->config = cloud_config_load("sim", &errors);
	assert_non_null(p->config);
	p->api = http_client_new(p->loop, &api, &err);
	p->probes = http_client_new(p->loop, &fresh, &err);
	p->cloud = cloud_new(p->loop, p->api, p->config, NULL);
	p->schedule = schedule_new(p->loop);
	p->endpoints =
		endpoints_new(p->schedule, p->cloud, p->probes, NULL, &o, on_seen, NULL, p, &err);
	*state = p;
	return p->endpoints ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;
	endpoints_free(p->endpoints);
	schedule_free(p->schedule);
	cloud_free(p->cloud);
	cloud_config_free(p->config);
	http_client_free(p->probes);
	http_client_free(p->api);
	sim_free(p->sim);
	loop_advance(p->loop, NS_PER_MS);
	loop_free(p->loop);
	unsetenv("OS_CLIENT_CONFIG_FILE");
	unlink(p->clouds);
	vec_fini(&p->lines);
	free(p);
	return 0;
}

static void on_time(struct timer *t)
{
	*(bool *)t->arg = true;
}

static void pass(struct place *p, int64_t ns)
{
	struct timer t = {0};
	bool over = false;
	timer_start(p->loop, &t, ns, on_time, &over);
	assert_true(loop_run_until(p->loop, &over));
}

/* Only that fault from now on; NULL: none. */
static void break_it(struct place *p, const char *fault)
{
	struct error err = {0};
	sim_faults_clear(p->sim);
	p->lines.n = 0;
	json_t *j = fault ? json_parse(slice_of(fault), BUF_LINE, &err) : NULL;
	if (j && !sim_faults_add(p->sim, j, &err))
		fail_msg("%s", err.msg);
	json_decref(j);
}

/* What begins with `prefix` ended with that fault, everything else well. */
static void only(const struct place *p, const char *prefix, enum fault fault)
{
	size_t struck = 0;
	VEC_EACH (&p->lines, const struct line, l) {
		const bool one = fault && !strncmp(l->probe, prefix, strlen(prefix));
		struck += one;
		if (l->fault != (one ? fault : FAULT_NONE))
			fail_msg("%s: %s (%s)", l->probe, fault_name(l->fault), l->detail);
	}
	assert_true(!fault || struck > 0);
	assert_true(p->lines.n > struck);
}

static const struct line *last(const struct place *p, const char *probe)
{
	for (size_t i = p->lines.n; i > 0; i--)
		if (!strcmp(p->lines.p[i - 1].probe, probe))
			return &p->lines.p[i - 1];
	fail_msg("nothing was told of %s", probe);
	return NULL;
}

static void test_all_good(void **state)
{
	static const char *const names[] = {"token", "compute.servers", "network.networks",
		"block-storage.volumes", "image.images"};
	struct place *p = *state;
	const struct endpoint_probe *list;
	pass(p, 5 * MINUTE_NS);
	only(p, "", FAULT_NONE);
	const size_t count = endpoints_list(p->endpoints, &list);
	/* the log-in, and two of each service, though two of its catalog's entries are one */
	assert_true(count >= 11 && count % 2 == 1);
	for (size_t i = 0; i < count; i++) {
		size_t n = 0;
		VEC_EACH (&p->lines, const struct line, l)
			n += !strcmp(l->probe, list[i].name);
		assert_in_range(n, 10, 12);
	}
	for (size_t i = 0; i < array_len(names); i++)
		last(p, names[i]);
	json_t *broken = sim_violations(p->sim);
	assert_int_equal(json_array_size(broken), 0);
	json_decref(broken);
}

static void test_what_goes_wrong(void **state)
{
	static const struct {
		const char *fault, *prefix;
		enum fault expected;
		const char *detail;
	} rows[] = {
		{"{\"service\": \"compute\", \"effect\": \"status\", \"status\": 503}", "compute.",
			FAULT_HTTP_503, "answered 503"},
		{"{\"service\": \"network\", \"effect\": \"lost\"}", "network.",
			FAULT_CONNECTION_LOST, ""},
		{"{\"service\": \"image\", \"effect\": \"json\"}", "image.", FAULT_BODY,
			"answered 200 with a body that is not JSON"},
		{"{\"service\": \"volume\", \"effect\": \"html\", \"status\": 502}",
			"block-storage.", FAULT_HTTP_5XX, "answered 502"},
		{"{\"service\": \"network\", \"effect\": \"cut\"}", "network.",
			FAULT_CONNECTION_LOST, ""},
		{"{\"service\": \"identity\", \"method\": \"POST\", \"effect\": \"status\", "
		 "\"status\": 500}",
			"token", FAULT_HTTP_5XX, "answered 500"},
	};
	struct place *p = *state;
	pass(p, 3 * NS_PER_S);
	for (size_t i = 0; i < array_len(rows); i++) {
		break_it(p, rows[i].fault);
		pass(p, 31 * NS_PER_S);
		only(p, rows[i].prefix, rows[i].expected);
		VEC_EACH (&p->lines, const struct line, l)
			if (l->fault != FAULT_NONE)
				assert_memory_equal(
					l->detail, rows[i].detail, strlen(rows[i].detail));
	}
	break_it(p, NULL);
	pass(p, 31 * NS_PER_S);
	only(p, "", FAULT_NONE);
}

/* A token that ends all at once costs one second try. */
static void test_token_ends(void **state)
{
	struct place *p = *state;
	unsigned again = 0;
	pass(p, 40 * NS_PER_S);
	break_it(p,
		"{\"service\": \"network\", \"path\": \"/v2.0/*\", \"effect\": \"expired\", "
		"\"times\": 1}");
	pass(p, 31 * NS_PER_S);
	only(p, "", FAULT_NONE);
	VEC_EACH (&p->lines, const struct line, l)
		again += l->tries == 2;
	assert_int_equal(again, 1);
	assert_int_equal(last(p, "network.networks")->tries, 2);
}

static void test_hole_in_the_catalog(void **state)
{
	struct place *p = *state;
	pass(p, 40 * NS_PER_S);
	break_it(p,
		"{\"service\": \"identity\", \"path\": \"/v3/auth/tokens\", \"effect\": "
		"\"hole\", \"text\": \"image\"}");
	pass(p, 31 * NS_PER_S); /* until the log-in said it */
	p->lines.n = 0;
	pass(p, 31 * NS_PER_S);
	only(p, "image.", FAULT_NO_SERVICE);
	break_it(p, NULL);
	pass(p, 31 * NS_PER_S);
	p->lines.n = 0;
	pass(p, 31 * NS_PER_S);
	only(p, "", FAULT_NONE);
	assert_int_equal(last(p, "image.images")->status, 200);
}

#define row(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int test_endpoint_sim(void)
{
	const struct CMUnitTest tests[] = {
		row(test_all_good),
		row(test_what_goes_wrong),
		row(test_token_ends),
		row(test_hole_in_the_catalog),
	};

	return cmocka_run_group_tests_name("observe/endpoint_sim", tests, NULL, NULL);
}
