#include "../check.h"
#include "base/json.h"
#include "import/oshm.h"

static json_t *imported(const char *text, struct import_report *report)
{
	struct error err = {0};

	json_t *config = oshm_import(slice_of(text), "x", report, &err);
	assert_non_null(config);
	return config;
}

static const struct import_note *note_of(const struct import_report *r, const char *what)
{
	VEC_EACH (&r->notes, const struct import_note, n) {
		if (!strcmp(n->what, what))
			return n;
	}
	fail_msg("no note on %s", what);
	return NULL;
}

static void has(
	const struct import_report *r, const char *what, enum import_fate fate, const char *part)
{
	const struct import_note *n = note_of(r, what);

	assert_int_equal(n->fate, fate);
	assert_non_null(strstr(n->text, part));
}

static void is(json_t *config, const char *expected)
{
	char *text = json_text(config);

	assert_string_equal(text, expected);
	free(text);
	json_decref(config);
}

static void test_options(void **state)
{
	struct import_report r = {0};
	(void)state;

	is(imported("-O -C -D -N 2 -n 8 -LL -b -B --os-cloud mycloud -S mycloud", &r),
		"{\"clouds\":{\"mycloud\":{\"every\":\"30s\"}},\"scenarios\":[{\"use\":\"oshm\","
		"\"every\":\"10m\",\"cloud\":\"mycloud\",\"params\":{\"mesh\":true,\"boot\":\"batch\","
		"\"nets\":2,\"servers\":8,\"lb\":\"TCP\",\"pi\":true,\"iperf\":true,\"disk\":false,"
		"\"catalog\":false}}],\"metrics\":["
		"{\"influx\":\"http://127.0.0.1:8186\",\"database\":\"cicd\",\"dialect\":\"oshm\","
		"\"measurement\":\"mycloud\"}]}");
	has(&r, "-O", IMPORT_NEEDLESS, "APIs");
	has(&r, "-n 8", IMPORT_CARRIED, "params.servers: 8");
	assert_int_equal(import_count(&r, IMPORT_DROPPED), 0);
	import_report_fini(&r);
}

static void test_what_it_does_unasked(void **state)
{
	struct import_report r = {0};
	(void)state;

	is(imported("-O", &r),
		"{\"clouds\":{\"mycloud\":{\"every\":\"30s\"}},\"scenarios\":[{\"use\":\"oshm\","
		"\"every\":\"10m\",\"cloud\":\"mycloud\",\"params\":{\"servers\":12,\"boot\":"
		"\"volume\",\"mesh\":false,\"pi\":false,\"iperf\":false,\"disk\":false,"
		"\"catalog\":false,\"lb\":null}}]}");
	has(&r, "the cloud", IMPORT_DROPPED, "OS_CLOUD");
	import_report_fini(&r);
}

static void test_script(void **state)
{
	struct import_report r = {0};
	(void)state;

	json_t *config = imported(
		"#!/bin/bash\n"
		"export OS_CLOUD=${OS_CLOUD:-prod}\n"
		"IMG=\"Debian 12\"\n"
		"export JHIMG=\"$IMG\" MINE=1\n"
		"export NAMESERVER=9.9.9.9 AZS=\"az1 az2\"\n"
		"FLAVOR=$(cat flavor)\n"
		"if test -z \"$X\"; then upload_logs; fi\n"
		"exec ./api_monitor.sh -O -d -n 4 -e a@example.org -e 'b@example.org, c@example.org' "
		"-s -m urn:x -z 10 \"$@\"\n",
		&r);
	assert_string_equal(
		json_str(json_array_get(json_object_get(config, "scenarios"), 0), "cloud"), "prod");
	const json_t *params =
		json_object_get(json_array_get(json_object_get(config, "scenarios"), 0), "params");
	assert_string_equal(json_str(params, "image"), "Debian 12");
	assert_string_equal(json_str(params, "jh_image"), "Debian 12");
	assert_int_equal(json_array_size(json_object_get(params, "zones.compute")), 2);
	assert_int_equal(
		json_array_size(json_at(
			json_array_get(json_object_get(config, "reports"), 0), "mail", NULL)),
		2);
	has(&r, "FLAVOR", IMPORT_DROPPED, "running shell");
	assert_int_equal(note_of(&r, "FLAVOR")->line, 6);
	has(&r, "-m urn:x", IMPORT_DROPPED, "webhook");
	has(&r, "$@", IMPORT_DROPPED, "running shell");
	has(&r, "upload_logs", IMPORT_DROPPED, "a command of the script");
	assert_int_equal(import_count(&r, IMPORT_DROPPED), 4);
	json_decref(config);
	import_report_fini(&r);
}

static void test_unknown(void **state)
{
	struct import_report r = {0};
	(void)state;

	json_decref(imported("--os-cloud=c -O -LL2 -Q CLEANUP APIMonitor_1_", &r));
	has(&r, "-LL2", IMPORT_DROPPED, "did you mean -LL?");
	has(&r, "-Q", IMPORT_DROPPED, "no option");
	has(&r, "CLEANUP APIMonitor_1_", IMPORT_DROPPED, "CLEANUP");
	import_report_fini(&r);
}

static void refused(const char *text, const char *expected)
{
	struct import_report r = {0};
	struct error err = {0};
	char place[2 * ERROR_TEXT];

	assert_null(oshm_import(slice_of(text), "x", &r, &err));
	assert_string_equal(error_text(&err, place, sizeof(place)), expected);
	import_report_fini(&r);
}

static void test_errors(void **state)
{
	(void)state;

	refused("-O -n", "x:1:4: -n needs a value");
	refused("IMG=x\n",
		"x:1:1: there is no api_monitor.sh here: expected its options, such as \"-O "
		"-C -D -n 8\", or a script that starts it");
}

int test_oshm(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_what_it_does_unasked),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("import/oshm", tests, NULL, NULL);
}
