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

/* What comes after a probe that is none does not come after it. */
static void test_a_suite(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"suites:\n"
		"  - name: s\n"
		"    interval: 500ms\n"
		"    endpoints:\n"
		"      - {name: a, url: \"https://h.example.org/\", method: GET}\n"
		"      - {name: b, url: \"sctp://h.example.org:1\"}\n"
		"      - {name: c, url: \"tcp://h.example.org:1\", interval: 5s}\n");
	told(&r, 2, 5, IMPORT_CHANGED, "component s");
	told(&r, 3, 5, IMPORT_CHANGED, "1s to 7d");
	told(&r, 6, 9, IMPORT_DROPPED, "no kind of probe");
	told(&r, 7, 49, IMPORT_NEEDLESS, "of the suite counts");
	made_is(&r,
		"{\"probes\":[{\"name\":\"s_a\",\"http\":{\"url\":\"https://h.example.org/\","
		"\"method\":\"GET\"},\"component\":\"s\",\"every\":\"1s\",\"timeout\":\"1s\"},"
		"{\"name\":\"s_c\",\"tcp\":\"h.example.org:1\",\"component\":\"s\",\"after\":[\"s_a\"],"
		"\"every\":\"1s\",\"timeout\":\"1s\"}]}");
	fini(&r);
}

static void test_a_suite_of_nothing(void **state)
{
	struct buf text = BUF(BUF_PAGE);
	(void)state;
	buf_add_str(&text,
		"suites:\n"
		"  - name: \"${NOBODY_SET_THIS}\"\n"
		"    endpoints: [{name: a, url: \"tcp://h.example.org:1\"}]\n"
		"  - endpoints: []\n"
		"  - just text\n"
		"  - name: s\n"
		"    endpoints:\n");
	for (int i = 0; i < 101; i++)
		buf_add_str(&text, "      - {name: a, url: \"tcp://h.example.org:1\"}\n");
	struct result r = imported("gatus", buf_str(&text));
	made_is(&r, "none");
	told(&r, 4, 5, IMPORT_DROPPED, "needs `name` and `endpoints`");
	told(&r, 5, 5, IMPORT_DROPPED, "needs `name` and `endpoints`");
	told(&r, 6, 5, IMPORT_DROPPED, "more than 100");
	assert_int_equal(import_count(&r.report, IMPORT_CARRIED), 0);
	buf_fini(&text);
	fini(&r);
}

static void test_windows_need_a_probe(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"endpoints:\n"
		"  - name: a\n"
		"    url: \"https://h.example.org/\"\n"
		"    method: \"NOT A METHOD\"\n"
		"    maintenance-windows: [{start: 01:00, duration: 1h}]\n"
		"maintenance: {start: 01:00, duration: 1h}\n");
	made_is(&r, "none");
	told(&r, 2, 5, IMPORT_DROPPED, "");
	told(&r, 6, 1, IMPORT_DROPPED, "no probe it could be of");
	fini(&r);
}

/* What Gatus would refuse, and what it takes. */
static void test_windows(void **state)
{
	(void)state;
	struct result r = imported("gatus",
		"endpoints:\n"
		"  - name: a\n"
		"    url: \"tcp://h.example.org:1\"\n"
		"    maintenance-windows:\n"
		"      - {start: 1:00, duration: 1h}\n"
		"      - {start: 01:00, duration: 25h}\n"
		"      - {start: 01:00, duration: 30s}\n"
		"      - {start: 01:00, duration: 1h, every: Monday}\n"
		"      - {start: 01:00, duration: 1h, timezone: ../UTC}\n"
		"      - {start: 01:00, duration: 24h, timezone: null, every: []}\n"
		"      - {start: 01:00, duration: 1h, every: [Tuesday, Monday, Tuesday], odd: 1}\n");
	for (unsigned line = 5; line < 10; line++)
		told(&r, line, 9, IMPORT_DROPPED, "");
	told(&r, 10, 10, IMPORT_CARRIED, "maintenance a-maintenance: at");
	told(&r, 10, 39, IMPORT_NEEDLESS, "UTC");
	told(&r, 11, 73, IMPORT_DROPPED, "does not know it");
	made_is(&r,
		"{\"probes\":[{\"name\":\"a\",\"tcp\":\"h.example.org:1\",\"component\":\"a\",\"every\":"
		"\"1m\",\"timeout\":\"10s\"}],\"maintenance\":[{\"name\":\"a-maintenance\",\"title\":"
		"\"Maintenance of a\",\"every\":\"day\",\"at\":\"01:00\",\"length\":\"1d\",\"zone\":\"UTC\","
		"\"probes\":[\"a\"],\"announce\":\"none\"},{\"name\":\"a-maintenance-2\",\"title\":"
		"\"Maintenance of a\",\"every\":\"week\",\"on\":[\"mon\",\"tue\"],\"at\":\"01:00\","
		"\"length\":\"1h\",\"zone\":\"UTC\",\"probes\":[\"a\"],\"announce\":\"none\"}]}");
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
		cmocka_unit_test(test_a_suite),
		cmocka_unit_test(test_a_suite_of_nothing),
		cmocka_unit_test(test_windows_need_a_probe),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_notes_are_in_order),
		cmocka_unit_test(test_lines),
	};
	return cmocka_run_group_tests_name("import/importer", tests, NULL, NULL);
}
