/* The report of a run as JSON: whole, within its limit, and in short. */
#include "../check.h"

#include "base/secret.h"
#include "observe/scenario/run_json.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

static struct run_row row(const char *name, enum element_state state, enum fault fault)
{
	return (struct run_row){
		.name = TEXT(name),
		.component = TEXT("Compute"),
		.metric = TEXT(name),
		.state = state,
		.fault = fault,
		.first_cause = state == ELEMENT_FAILED && fault != FAULT_CANCELLED,
		.start_ns = 1500000,
		.answer_ns = 2 * NS_PER_MS,
		.ready_ns = 3 * NS_PER_MS,
		.remove_ns = -1,
		.gone_ns = -1,
		.critical = -1,
	};
}

static struct run_report report_of(struct run_row *rows, size_t n, enum run_verdict v)
{
	return (struct run_report){.verdict = v,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = n,
		.built_ns = 5 * NS_PER_MS,
		.ended_ns = 7 * NS_PER_MS,
		.created = 3,
		.deleted = 2,
		.left = 1,
		.requests = 9,
		.component = ""};
}

static void test_whole(void **state)
{
	struct run_row rows[] = {
		row("net", ELEMENT_READY, FAULT_NONE), row("server", ELEMENT_FAILED, FAULT_STUCK)};
	rows[1].critical = 0;
	rows[1].detail = TEXT("guest said \xff\xfe");
	rows[1].measured = json_pack("{s:s, s:i}", "password", "hidden", "STATUS", 200);
	const struct run_report r = report_of(rows, 2, VERDICT_FAILED);
	json_t *j = run_json(&r);
	assert_string_equal(json_str(j, "verdict"), "failed");
	assert_string_equal(json_str(j, "run"), "abc-xyz");
	assert_int_equal(json_int(j, "left", 0), 1);
	assert_null(json_object_get(j, "error"));
	assert_null(json_object_get(j, "left_out"));
	const json_t *steps = json_object_get(j, "steps"), *server = json_array_get(steps, 1);
	assert_int_equal(json_array_size(steps), 2);
	assert_string_equal(json_str(server, "after"), "net");
	assert_string_equal(json_str(server, "state"), "failed");
	assert_string_equal(json_str(server, "fault"), "stuck");
	assert_string_equal(json_str(server, "detail"), "guest said ??"); /* was no UTF-8 */
	assert_string_equal(json_str(json_object_get(server, "measured"), "password"), "***");
	assert_true(json_real_value(json_object_get(server, "start_ms")) == 1.5);
	assert_true(json_is_null(json_object_get(server, "gone_ms")));
	json_decref(j);
	json_decref(rows[1].measured);
}

static void test_error_is_masked(void **state)
{
	struct secret *s = secret_new(SLICE("correct horse"));
	struct error err = {0};
	error_set(&err, ERROR_CLOUD, "the password correct horse was refused");
	struct run_report r = report_of(NULL, 0, VERDICT_UNKNOWN);
	r.error = &err;
	json_t *whole = run_json(&r), *summary = run_json_summary(&r);
	assert_string_equal(json_str(whole, "error"), "the password *** was refused");
	assert_string_equal(json_str(summary, "error"), "the password *** was refused");
	assert_true(json_is_null(json_object_get(summary, "cause")));
	json_decref(whole);
	json_decref(summary);
	secret_unref(s);
}

#define MANY 9000

/* The document of a report that had to be cut. */
static json_t *cut(const struct run_report *r)
{
	json_t *more = json_pack("{s:i}", "inflight", 8);
	struct run_text *t = run_text_new(r, more);
	json_decref(more);
	while (run_text_step(t)) {
	}
	char *text = run_text_take(t);
	assert_true(strlen(text) <= RUN_JSON_MAX);
	struct error err = {0};
	json_t *j = json_parse(slice_of(text), RUN_JSON_MAX, &err);
	assert_non_null(j);
	assert_int_equal(json_int(j, "inflight", 0), 8);
	assert_int_equal(json_int(j, "created", 0), 3);
	const size_t steps = json_array_size(json_object_get(j, "steps"));
	assert_int_equal(json_int(j, "left_out", 0) + (json_int_t)steps, r->row_count);
	free(text);
	return j;
}

static void test_within_the_limit(void **state)
{
	char(*names)[16] = mem_new_array(MANY, sizeof(*names));
	struct run_row *rows = mem_new_array(MANY, sizeof(*rows));
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "s[%zu]", i);
		rows[i] = row(names[i], ELEMENT_READY, FAULT_NONE);
	}
	struct run_report r = report_of(rows, 100, VERDICT_PASSED);
	json_t *j = cut(&r);
	assert_null(json_object_get(j, "left_out")); /* short enough: whole */
	json_decref(j);
	r.row_count = MANY;
	rows[8000] = row(names[8000], ELEMENT_FAILED, FAULT_STUCK);
	rows[8500].on_critical_path = true;
	j = cut(&r);
	const json_t *steps = json_object_get(j, "steps");
	assert_int_equal(json_array_size(steps), RUN_JSON_KEPT + 2);
	assert_string_equal(json_str(json_array_get(steps, RUN_JSON_KEPT - 1), "name"), "s[499]");
	assert_string_equal(json_str(json_array_get(steps, RUN_JSON_KEPT), "name"), "s[8000]");
	assert_string_equal(json_str(json_array_get(steps, RUN_JSON_KEPT + 1), "name"), "s[8500]");
	json_decref(j);
	/* All failed: as many of them as there is room for. */
	for (size_t i = 0; i < MANY; i++)
		rows[i] = row(names[i], ELEMENT_FAILED, FAULT_STUCK);
	j = cut(&r);
	assert_int_equal(json_array_size(json_object_get(j, "steps")), RUN_JSON_KEPT);
	json_decref(j);
	/* One that alone is too long. */
	char *large = mem_alloc(2 * RUN_JSON_MAX);
	memset(large, 'x', 2 * RUN_JSON_MAX - 1);
	large[2 * RUN_JSON_MAX - 1] = 0;
	rows[0].detail = large;
	j = cut(&r);
	assert_int_equal(json_array_size(json_object_get(j, "steps")), 0);
	json_decref(j);
	free(large);
	free(rows);
	free(names);
}

static void test_cause(void **state)
{
	struct run_row rows[] = {
		row("slow", ELEMENT_READY, FAULT_NONE),
		row("noted", ELEMENT_FAILED, FAULT_TIMEOUT),
		row("late", ELEMENT_FAILED, FAULT_STUCK),
		row("early", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		row("minor", ELEMENT_FAILED, FAULT_PACKET_LOSS),
		row("stopped", ELEMENT_FAILED, FAULT_CANCELLED),
	};
	rows[0].degraded = true;
	rows[1].grade = GRADE_NOTE;
	rows[1].ready_ns = 1;
	rows[2].ready_ns = 9 * NS_PER_MS;
	rows[4].grade = GRADE_DEGRADED;
	rows[4].ready_ns = 1;
	struct run_report r = report_of(rows, array_len(rows), VERDICT_FAILED);
	assert_string_equal(run_cause(&r)->name, "early");
	json_t *j = run_json_summary(&r), *cause = json_object_get(j, "cause");
	assert_string_equal(json_str(cause, "step"), "early");
	assert_string_equal(json_str(cause, "component"), "Compute");
	assert_string_equal(json_str(cause, "fault"), "no_capacity");
	assert_string_equal(json_str(cause, "sentence"), fault_text(FAULT_NO_CAPACITY));
	assert_int_equal(json_int(j, "steps", 0), array_len(rows));
	assert_true(json_real_value(json_object_get(j, "built_ms")) == 5.0);
	json_decref(j);
	r.verdict = VERDICT_DEGRADED;
	rows[2].state = rows[3].state = ELEMENT_SKIPPED;
	rows[2].first_cause = rows[3].first_cause = false;
	assert_string_equal(run_cause(&r)->name, "minor");
	rows[4].first_cause = false;
	assert_string_equal(run_cause(&r)->name, "slow"); /* not what nobody minds */
	r.verdict = VERDICT_PASSED;
	assert_null(run_cause(&r));
	r.row_count = 0;
	r.verdict = VERDICT_UNKNOWN;
	assert_null(run_cause(&r));
}

int test_run_json(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_error_is_masked),
		cmocka_unit_test(test_within_the_limit),
		cmocka_unit_test(test_cause),
	};
	return cmocka_run_group_tests_name("run_json", tests, NULL, NULL);
}
