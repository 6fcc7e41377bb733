#include "../check.h"
#include "base/json.h"
#include "import/importer.h"

struct result {
	struct import_made made;
	struct import_report report;
};

static struct result imported(const char *importer, const char *text)
{
	struct result r = {0};
	struct error_list errors = {0};
	const struct importer *i = importer_find(importer);
	assert_non_null(i);
	if (!import_text_of(i, slice_of(text), "x.yaml", NULL, &r.made, &r.report, &errors))
		fail_msg("%s", errors.p[0].msg);
	error_list_fini(&errors);
	return r;
}

static void fini(struct result *r)
{
	import_made_fini(&r->made);
	import_report_fini(&r->report);
}

static void made_is(const struct result *r, const char *expected)
{
	char *text = r->made.config ? json_text(r->made.config) : mem_strdup("none");
	assert_string_equal(text, expected);
	free(text);
}

static const struct import_note *note_at(const struct result *r, unsigned line, unsigned col)
{
	VEC_EACH (&r->report.notes, const struct import_note, n) {
		if (n->line == line && n->col == col)
			return n;
	}
	fail_msg("no note at %u:%u", line, col);
	return NULL;
}

static void told(const struct result *r, unsigned line, unsigned col, enum import_fate fate,
	const char *part)
{
	const struct import_note *n = note_at(r, line, col);
	assert_int_equal(n->fate, fate);
	assert_string_equal(n->file, "x.yaml");
	if (!strstr(n->text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, n->text);
}

static void refused(const char *importer, const char *text, const char *part)
{
	struct import_made made;
	struct import_report report = {0};
	struct error_list errors = {0};
	assert_false(import_text_of(
		importer_find(importer), slice_of(text), "x.yaml", NULL, &made, &report, &errors));
	assert_non_null(strstr(errors.p[0].msg, part));
	assert_null(made.config);
	error_list_fini(&errors);
	import_report_fini(&report);
}

static void test_what_is_none(void **state)
{
	(void)state;
	assert_null(importer_find("nagios"));
	refused("gatus", "a: 1\n", "there is nothing of Gatus here: expected `endpoints`");
	refused("gatus", "", "nothing of Gatus");
	refused("cloudmon", "[1, 2]\n", "nothing of CloudMon");
	refused("blackbox", "modules\n", "nothing of blackbox_exporter");
	refused("uptime-kuma", "{\"monitorList\": [", "");
}

static void test_what_nobody_knows_is_told(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"colour: red\n"
		"lists: [1, 2]\n"
		"endpoints:\n"
		"  - {name: a, url: \"tcp://h.example.org:1\", conditions: [\"[CONNECTED] == true\"], odd: 1}\n"
		"  - just text\n");
	told(&r, 1, 1, IMPORT_DROPPED, "does not know it");
	told(&r, 2, 1, IMPORT_DROPPED, "does not know it");
	told(&r, 5, 5, IMPORT_DROPPED, "needs `name` and `url`");
	assert_true(note_at(&r, 2, 1)->whole);
	assert_int_equal(import_count(&r.report, IMPORT_DROPPED), 4);
	made_is(&r,
		"{\"probes\":[{\"name\":\"a\",\"tcp\":\"h.example.org:1\",\"component\":\"a\",\"every\":"
		"\"1m\",\"timeout\":\"10s\",\"expect\":[\"[CONNECTED] == true\"]}]}");
	fini(&r);
}

/* An alias is the same value in memory as what it names: what is told of the one is not told of the
 * other. */
static void test_aliases(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"endpoints:\n"
		"  - name: &n a\n"
		"    odd: *n\n"
		"    url: \"tcp://h.example.org:1\"\n");
	told(&r, 2, 5, IMPORT_CARRIED, "component");
	told(&r, 3, 5, IMPORT_DROPPED, "does not know it");
	fini(&r);
}

/* A probe that the configuration would refuse is none, and nothing of it is said to be carried. */
static void test_a_probe_that_would_be_refused(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"endpoints:\n"
		"  - name: a\n"
		"    url: \"https://h.example.org/\"\n"
		"    method: \"NOT A METHOD\"\n"
		"    conditions: [\"[STATUS] == 200\"]\n");
	made_is(&r, "none");
	told(&r, 2, 5, IMPORT_DROPPED, "");
	assert_int_equal(import_count(&r.report, IMPORT_CARRIED), 0);
	fini(&r);
}

static void test_a_probe_without_an_address(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"endpoints:\n"
		"  - name: a\n"
		"    url: \"https://h example/\"\n"
		"    conditions: [\"[STATUS] == 200\"]\n");
	made_is(&r, "none");
	told(&r, 3, 5, IMPORT_DROPPED, "no address");
	assert_int_equal(import_count(&r.report, IMPORT_CARRIED), 0);
	fini(&r);
}

static void test_notes_are_in_order(void **state)
{
	unsigned line = 0;
	(void)state;
	struct result r = imported("uptime-kuma",
		"{\n\"version\": \"1.23.0\",\n\"monitorList\": [\n{\n\"id\": 1,\n\"name\": \"a\",\n\"type\": "
		"\"port\",\n\"hostname\": \"h.example.org\",\n\"port\": 5,\n\"interval\": 60\n}\n]\n}\n");
	VEC_EACH (&r.report.notes, const struct import_note, n) {
		assert_true(n->line >= line);
		line = n->line;
	}
	assert_int_equal(import_count(&r.report, IMPORT_DROPPED), 0);
	made_is(&r,
		"{\"probes\":[{\"name\":\"a\",\"tcp\":\"h.example.org:5\",\"every\":\"1m\",\"timeout\":"
		"\"48s\"}]}");
	fini(&r);
}

static void test_lines(void **state)
{
	struct import_report r = {0};
	struct buf out = BUF(BUF_LINE);
	(void)state;
	import_note(&r, IMPORT_CARRIED, 1, 2, "a", "as\nit is");
	import_note(&r, IMPORT_CHANGED, 2, 3, "b", "otherwise");
	import_write_lines(&r, true, &out);
	assert_string_equal(
		buf_str(&out), ":1:2: a: carried: as it is\n:2:3: b: differently: otherwise\n");
	buf_clear(&out);
	import_write_lines(&r, false, &out);
	assert_string_equal(buf_str(&out), ":2:3: b: differently: otherwise\n");
	buf_fini(&out);
	import_report_fini(&r);
}

int test_importer(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_what_nobody_knows_is_told),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_a_probe_that_would_be_refused),
		cmocka_unit_test(test_a_probe_without_an_address),
		cmocka_unit_test(test_notes_are_in_order),
		cmocka_unit_test(test_lines),
	};
	return cmocka_run_group_tests_name("import/importer", tests, NULL, NULL);
}
