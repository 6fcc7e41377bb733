/* Faults on demand: every effect, before and after; which requests meet them. */
#include "simulated.h"

#include "base/json.h"
#include "base/units.h"

#define N "/network/v2.0"

static int list(struct simulated *s)
{
	return simulated_call(s, "GET", N "/networks", NULL);
}

static int make(struct simulated *s)
{
	return simulated_call(s, "POST", N "/networks", "{'network': {'name': 'made'}}");
}

/* How many networks of ours there are by now. */
static size_t made(struct simulated *s)
{
	sim_faults_clear(s->sim);
	simulated_wait(s, 10 * NS_PER_S);
	simulated_call(s, "GET", N "/networks?name=made", NULL);
	simulated_said(s, 200, NULL);
	return simulated_count(s, "networks");
}

/* --- effects -----------------------------------------------------------------------------------
 */

static void test_latency(void **state)
{
	struct simulated *s = *state;
	int64_t before = loop_now_ns(s->loop);

	list(s);
	assert_true(loop_now_ns(s->loop) - before < NS_PER_S);
	simulated_fault(s, "{'effect': 'latency', 'time': '7s'}");
	before = loop_now_ns(s->loop);
	simulated_said(s, 200, NULL);
	list(s);
	simulated_said(s, 200, NULL);
	assert_true(loop_now_ns(s->loop) - before >= 7 * NS_PER_S);
}

static void test_status(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s,
		"{'method': 'POST', 'effect': 'status', 'status': 503, 'retry_after': "
		"'3s', 'text': 'no'}");
	make(s);
	simulated_said(s, 503,
		"{\"NeutronError\":{\"type\":\"HTTPServiceUnavailable\",\"message\":\"no\"");
	assert_string_equal(simulated_header(s, "retry-after"), "3");
	assert_int_equal(made(s), 0);
	simulated_fault(s,
		"{'method': 'POST', 'effect': 'status', 'status': 500, 'when': 'after', "
		"'retry_after': {'date': '60s'}}");
	make(s);
	simulated_said(s, 500, "NeutronError");
	assert_non_null(strstr(simulated_header(s, "retry-after"), " GMT"));
	assert_int_equal(made(s), 1);
	/* in the form of each service */
	simulated_fault(s, "{'effect': 'status', 'status': 429}");
	simulated_call(s, "GET", "/volume/v3/$P/volumes", NULL);
	simulated_said(s, 429, "{\"computeFault\":{\"code\":429");
	simulated_call(s, "GET", "/image/v2/images", NULL);
	simulated_said(s, 429, "<title>429 Too Many Requests</title>");
	simulated_call(s, "GET", "/identity/v3/auth/projects", NULL);
	simulated_said(s, 429, "{\"error\":{\"code\":429");
}

static void test_lost(void **state)
{
	static const struct {
		const char *when;
		size_t made;
	} cases[] = {{"before", 0}, {"after", 1}, {"late", 2}};
	struct simulated *s = *state;
	char rule[128];

	for (size_t i = 0; i < array_len(cases); i++) {
		snprintf(rule, sizeof(rule), "{'method': 'POST', 'effect': 'lost', 'when': '%s'}",
			cases[i].when);
		simulated_fault(s, rule);
		assert_int_equal(make(s), 0);
		assert_int_equal(s->fault, FAULT_CONNECTION_LOST);
		assert_int_equal(made(s), cases[i].made);
	}
	/* late: the connection ends at once, and a look just afterwards finds nothing */
	simulated_restart(s, 1, "times: {write: 5s}\n");
	simulated_fault(s, "{'method': 'POST', 'effect': 'lost', 'when': 'late'}");
	int64_t before = loop_now_ns(s->loop);
	assert_int_equal(make(s), 0);
	assert_true(loop_now_ns(s->loop) - before < NS_PER_S);
	simulated_call(s, "GET", N "/networks?name=made", NULL);
	assert_int_equal(simulated_count(s, "networks"), 0);
	simulated_wait(s, 60 * NS_PER_S);
	assert_int_equal(made(s), 1);
}

static void test_cut(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'method': 'POST', 'effect': 'cut', 'bytes': 5}");
	assert_int_equal(make(s), 201);
	assert_int_equal(s->fault, FAULT_CONNECTION_LOST);
	assert_true(s->text_n <= 5);
	assert_int_equal(made(s), 1);
	simulated_fault(s, "{'method': 'GET', 'effect': 'cut'}");
	list(s);
	assert_int_equal(s->fault, FAULT_CONNECTION_LOST);
}

static void test_html(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'method': 'POST', 'effect': 'html', 'text': 'nginx'}");
	make(s);
	simulated_said(s, 502, "<center>nginx</center>");
	assert_string_equal(simulated_header(s, "content-type"), "text/html");
	assert_int_equal(made(s), 0);
	simulated_fault(s, "{'method': 'POST', 'effect': 'html', 'status': 504, 'when': 'after'}");
	make(s);
	simulated_said(s, 504, "<h1>504</h1>");
	assert_int_equal(made(s), 1);
}

static void test_json(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'method': 'POST', 'effect': 'json'}");
	assert_int_equal(make(s), 200);
	assert_null(s->json);
	assert_int_equal(made(s), 1);
	simulated_fault(s, "{'method': 'POST', 'effect': 'json', 'when': 'before'}");
	assert_int_equal(make(s), 200);
	assert_int_equal(made(s), 1);
}

static void test_stuck_and_error(void **state)
{
	struct simulated *s = *state;

	s->version = "volume 3.70";
	simulated_fault(s, "{'service': 'volume', 'effect': 'stuck', 'nth': 1}");
	simulated_call(s, "POST", "/volume/v3/$P/volumes", "{'volume': {'size': 1}}");
	simulated_keep(s, 1, "volume");
	simulated_fault(s, "{'service': 'volume', 'effect': 'error', 'nth': 1}");
	simulated_call(s, "POST", "/volume/v3/$P/volumes", "{'volume': {'size': 1}}");
	simulated_keep(s, 2, "volume");
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", "/volume/v3/$P/volumes/$1", NULL);
	assert_string_equal(simulated_str(s, "volume", "status", NULL), "creating");
	simulated_call(s, "GET", "/volume/v3/$P/volumes/$2", NULL);
	assert_string_equal(simulated_str(s, "volume", "status", NULL), "error");
}

static void test_quota(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'effect': 'quota'}");
	make(s);
	simulated_said(s, 409, "Quota exceeded for resources: ['network'].");
	simulated_call(s, "POST", "/volume/v3/$P/volumes", "{'volume': {'size': 1}}");
	simulated_said(s, 413, "overLimit");
	simulated_call(s, "POST", "/image/v2/images", "{'name': 'x'}");
	simulated_said(s, 413, "over limit");
	assert_int_equal(made(s), 0);
}

static void test_expired(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'service': 'network', 'effect': 'expired', 'times': 1}");
	list(s);
	simulated_said(s, 401, NULL);
	list(s); /* and it stays so */
	simulated_said(s, 401, NULL);
	simulated_login(s, "demo", "demo");
	list(s);
	simulated_said(s, 200, NULL);
}

static void test_hole(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s, "{'path': '/v3/auth/tokens', 'effect': 'hole', 'text': 'image'}");
	simulated_login(s, "demo", "demo");
	assert_null(strstr(s->text, "\"type\":\"image\""));
	assert_non_null(strstr(s->text, "\"type\":\"network\""));
	sim_faults_clear(s->sim);
	simulated_login(s, "demo", "demo");
	assert_non_null(strstr(s->text, "\"type\":\"image\""));
}

/* --- which requests ----------------------------------------------------------------------------
 */

static void test_names(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s,
		"{'service': 'net*', 'method': 'GET', 'path': '/v2.0/p*s', 'effect': "
		"'status', 'status': 500}");
	list(s);
	simulated_said(s, 200, NULL);
	simulated_call(s, "GET", N "/ports", NULL);
	simulated_said(s, 500, NULL);
	simulated_call(s, "POST", N "/ports", "{}");
	simulated_said(s, 400, NULL);
	simulated_call(s, "GET", "/volume/v3/$P/types", NULL);
	simulated_said(s, 200, NULL);
	simulated_call(s, "GET", "/sim/requests", NULL); /* never the controls */
	simulated_said(s, 200, NULL);
}

static void test_nth_and_times(void **state)
{
	struct simulated *s = *state;
	char seen[7] = "", *at = seen;

	simulated_fault(s, "{'method': 'GET', 'effect': 'status', 'status': 500, 'nth': 3}");
	for (int i = 0; i < 6; i++)
		*at++ = list(s) == 500 ? 'x' : '-';
	assert_string_equal(seen, "--x---");
	sim_faults_clear(s->sim);
	simulated_fault(s, "{'method': 'GET', 'effect': 'status', 'status': 500, 'times': 2}");
	at = seen;
	for (int i = 0; i < 6; i++)
		*at++ = list(s) == 500 ? 'x' : '-';
	assert_string_equal(seen, "xx----");
	simulated_call(s, "GET", "/sim/faults", NULL);
	simulated_said(s, 200, "\"seen\":6,\"fired\":2");
}

static void test_probability(void **state)
{
	struct simulated *s = *state;
	char first[41] = "", second[41] = "";
	int n = 0;

	for (int run = 0; run < 2; run++) {
		simulated_restart(s, 5, NULL);
		simulated_fault(s,
			"{'method': 'GET', 'effect': 'status', 'status': 500, "
			"'probability': '25%'}");
		for (int i = 0; i < 40; i++)
			(run ? second : first)[i] = list(s) == 500 ? 'x' : '-';
	}
	assert_string_equal(first, second); /* drawn from the seed */
	for (int i = 0; i < 40; i++)
		n += first[i] == 'x';
	assert_in_range(n, 2, 20);
}

static void test_window(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1,
		"faults:\n- {method: GET, effect: status, status: 500, from: 10s, "
		"to: 20s}\n");
	list(s);
	simulated_said(s, 200, NULL);
	simulated_wait(s, 11 * NS_PER_S);
	list(s);
	simulated_said(s, 500, NULL);
	simulated_wait(s, 10 * NS_PER_S);
	list(s);
	simulated_said(s, 200, NULL);
}

/* Several may strike one request. */
static void test_together(void **state)
{
	struct simulated *s = *state;
	int64_t before;

	simulated_call(s, "POST", "/sim/faults",
		"{'faults': [{'effect': 'latency', 'time': '2s'}, {'effect': 'latency', 'time': "
		"'3s'}, {'effect': 'status', 'status': 500}]}");
	simulated_said(s, 200, "\"effect\":\"latency\"");
	before = loop_now_ns(s->loop);
	list(s);
	simulated_said(s, 500, NULL);
	assert_true(loop_now_ns(s->loop) - before >= 5 * NS_PER_S);
	simulated_call(s, "DELETE", "/sim/faults", NULL);
	simulated_said(s, 204, NULL);
	list(s);
	simulated_said(s, 200, NULL);
	simulated_call(s, "GET", "/sim/requests", NULL);
	simulated_said(s, 200, "\"faults\":[\"latency\",\"latency\",\"status\"]");
}

/* --- what is written wrong ---------------------------------------------------------------------
 */

static void test_wrong_rules(void **state)
{
	static const struct {
		const char *rule, *text;
	} cases[] = {
		{"{'effect': 'frob'}", "fault: effect: expected one of latency, status, lost"},
		{"{}", "fault: effect: expected a word"},
		{"{'efect': 'lost'}", "fault: unknown key \"efect\"; did you mean \"effect\"?"},
		{"{'effect': 'status'}", "fault: status: expected an HTTP status"},
		{"{'effect': 'latency'}", "fault: time: expected a time"},
		{"{'effect': 'latency', 'time': 5}", "fault: time: expected a time with a unit"},
		{"{'effect': 'hole'}", "the service type that is missing"},
		{"{'effect': 'lost', 'nth': 0}", "fault: nth: expected a whole number"},
		{"{'effect': 'lost', 'probability': 2}", "a number from 0 to 1 or like 25%"},
		{"{'effect': 'lost', 'when': 'never'}", "one of before, after, late"},
		{"[{'effect': 'lost'}, 5]", "fault: rule: expected a map"},
	};
	struct simulated *s = *state;
	struct error err = {0};

	for (size_t i = 0; i < array_len(cases); i++) {
		simulated_call(s, "POST", "/sim/faults", NULL);
		simulated_said(s, 400, "expected {");
		char *body = mem_printf("{'faults': %s}", cases[i].rule);
		simulated_call(s, "POST", "/sim/faults", body);
		free(body);
		assert_int_equal(s->status, 400);
		if (!strstr(simulated_str(s, "message", NULL), cases[i].text))
			fail_msg("%s: %s", cases[i].rule, s->text);
	}
	list(s); /* nothing of a wrong list was taken */
	simulated_said(s, 200, NULL);
	assert_false(simulated_try(s, "faults:\n- {effect: lost}\n- {effect: frob}\n", &err));
	assert_int_equal(err.line, 3);
	assert_non_null(strstr(err.msg, "effect: expected one of"));
	assert_false(simulated_try(s, "times: {frob: 1s}\n", &err));
	assert_non_null(strstr(err.msg, "unknown time \"frob\""));
	assert_false(simulated_try(s, "quota: {volumes: many}\n", &err));
	assert_false(simulated_try(s, "frob: 1\n", &err));
	simulated_restart(s, 1, NULL);
}

/* Every YAML of the page for users is taken. */
static void test_page(void **state)
{
	struct simulated *s = *state;
	struct error err = {0};
	FILE *f = fopen("docs/sim.md", "r");
	struct buf block = BUF(BUF_LINE);
	char line[1024];
	int blocks = 0;
	bool inside = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const bool fence = !strncmp(line, "```", 3);
		if (inside && !fence) {
			buf_add_str(&block, line);
		} else if (inside) {
			if (!simulated_try(s, buf_str(&block), &err))
				fail_msg("%u: %s", err.line, err.msg);
			blocks++;
			inside = false;
		} else if (!strncmp(line, "```yaml", 7)) {
			buf_clear(&block);
			inside = true;
		}
	}
	fclose(f);
	buf_fini(&block);
	assert_int_equal(blocks, 3);
}

int test_mishap(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_latency),
		TEST(test_status),
		TEST(test_lost),
		TEST(test_cut),
		TEST(test_html),
		TEST(test_json),
		TEST(test_stuck_and_error),
		TEST(test_quota),
		TEST(test_expired),
		TEST(test_hole),
		TEST(test_names),
		TEST(test_nth_and_times),
		TEST(test_probability),
		TEST(test_window),
		TEST(test_together),
		TEST(test_wrong_rules),
		TEST(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
