/* What APImon's modules and callbacks tell, and the names it has in StatsD. */
#include "../check.h"

#include "observe/exec/apimon.h"

static struct apimon read_good(const char *line)
{
	struct error err = {0};
	struct apimon m;
	assert_true(apimon_read(slice_of(line), &m, &err));
	return m;
}

static void add(void *arg, enum ingest_metric metric, const char *name, double value)
{
	buf_printf(arg, "%s:%g|%s ", name, value,
		metric == INGEST_COUNTER ? "c"
		: metric == INGEST_TIMER ? "ms"
					 : "g");
}

static void names_are(const char *line, const char *expected)
{
	const struct apimon m = read_good(line);
	struct buf out = BUF(4096);
	assert_int_equal(m.type, APIMON_METRIC);
	apimon_names(&m, "apimon.metric.prod.z", add, &out);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
}

static void metrics_have_their_names(void **state)
{
	names_are("{\"__type\":\"metric\",\"name\":\"a.b\",\"value\":3,\"metric_type\":\"c\"}",
		"apimon.metric.prod.z.a.b:3|c ");
	names_are(
		"{\"__type\":\"metric\",\"name\":\"g\",\"value\":-2.5,\"metric_type\":\"g\","
		"\"environment\":null}",
		"apimon.metric.prod.z.g:-2.5|g ");
	names_are(
		"{\"__type\":\"metric\",\"name\":\"curl.host.200\",\"value\":12,"
		"\"metric_type\":\"ms\"}",
		"apimon.metric.prod.z.curl.host.200.attempted:1|c "
		"apimon.metric.prod.z.curl.host.200:12|ms ");
	names_are(
		"{\"__type\":\"metric\",\"name\":\"make\",\"value\":12,\"metric_type\":\"ms\","
		"\"az\":\"eu.1\",\"name_suffix\":\"failed\"}",
		"apimon.metric.prod.z.make.eu_1.attempted:1|c "
		"apimon.metric.prod.z.make.eu_1.failed:1|c "
		"apimon.metric.prod.z.make.eu_1.failed:12|ms ");
	names_are(
		"{\"__type\":\"metric\",\"name\":\"a b:c|d/\xc3\xa4\",\"value\":1,"
		"\"metric_type\":\"c\"}",
		"apimon.metric.prod.z.a_b_c_d___:1|c ");
}

static void tasks_and_sums(void **state)
{
	struct apimon m = read_good(
		"{\"__type\":\"ansible_profile_task\",\"name\":\"Make it\",\"result\":3,"
		"\"duration\":1200,\"action\":\"server\",\"raw_response\":\"id 7\","
		"\"anonymized_response\":\"id _omit_\",\"az\":null}");
	assert_int_equal(m.type, APIMON_TASK);
	assert_int_equal(m.result, APIMON_FAILED);
	assert_int_equal(m.duration_ms, 1200);
	assert_string_equal(m.name, "Make it");
	assert_string_equal(m.action, "server");
	assert_string_equal(m.text, "id _omit_");
	m = read_good(
		"{\"__type\":\"ansible_profile_summary\",\"name\":\"p.yaml\",\"result\":0,"
		"\"duration\":1,\"count_passed\":4,\"count_failed\":-1,\"count_skipped\":2,"
		"\"count_ignored\":99999999999}");
	assert_int_equal(m.type, APIMON_SUMMARY);
	assert_int_equal(m.passed, 4);
	assert_int_equal(m.failed, 0);
	assert_int_equal(m.skipped, 2);
	assert_int_equal(m.ignored, INT32_MAX);
}

static void what_is_none(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "nonsense", "{\"__type\":\"metric\"}",
		"{\"__type\":\"x\",\"name\":\"n\"}",
		"{\"__type\":\"metric\",\"name\":\"\",\"value\":1,\"metric_type\":\"c\"}",
		"{\"__type\":\"metric\",\"name\":\"n\",\"value\":1,\"metric_type\":\"s\"}",
		"{\"__type\":\"metric\",\"name\":\"n\",\"value\":\"1\",\"metric_type\":\"c\"}",
		"{\"__type\":\"metric\",\"name\":\"n\",\"value\":-1,\"metric_type\":\"ms\"}",
		"{\"__type\":\"metric\",\"name\":\"n\",\"value\":1e300,\"metric_type\":\"ms\"}",
		"{\"__type\":\"ansible_profile_task\",\"name\":\"n\"}",
		"{\"__type\":\"ansible_profile_task\",\"name\":\"n\",\"result\":4}"};
	for (size_t i = 0; i < array_len(bad); i++) {
		struct error err = {0};
		struct apimon m;
		assert_false(apimon_read(slice_of(bad[i]), &m, &err));
		assert_true(err.msg[0]);
	}
}

int test_apimon(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_have_their_names),
		cmocka_unit_test(tasks_and_sums),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests_name("observe/apimon", tests, NULL, NULL);
}
