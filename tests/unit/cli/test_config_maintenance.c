/* `maintenance:` of glasshouse.yaml: what becomes of each key, merging, round trip, and refusals.
 */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"

static const char whole[] =
	"site: {timezone: Asia/Kolkata}\n"
	"probes: [{name: gate, tcp: \"127.0.0.1:1\"}]\n"
	"maintenance:\n"
	"  - name: patch\n"
	"    title: Patch day\n"
	"    text: One *by* one.\n"
	"    every: 3 months\n"
	"    on: [2nd tue, last sun, 15, last]\n"
	"    at: \"22:00\"\n"
	"    until: \"02:00:30\"\n"
	"    zone: Europe/Berlin\n"
	"    from: 2026-12-01\n"
	"    to: 2027-12-01\n"
	"    components: {compute: partial, network: 20, image: none}\n"
	"    probes: [gate]\n"
	"    announce: 14d\n"
	"    public: false\n"
	"  - {name: quiet, title: Quiet, every: day, at: \"03:00\", length: 90m, announce: none,"
	" components: [volume, image]}\n";

static void each_key_has_its_effect(void **state)
{
	struct config *c = configured(whole);
	assert_int_equal(c->maintenance_count, 2);
	const struct maintenance_rule *r = &c->maintenance[0].rule;
	assert_string_equal(r->name, "patch");
	assert_string_equal(r->title, "Patch day");
	assert_string_equal(r->text, "One *by* one.");
	assert_string_equal(r->zone, "Europe/Berlin");
	assert_int_equal(r->when.every, CALENDAR_MONTH);
	assert_int_equal(r->when.interval, 3);
	assert_int_equal(r->when.day_count, 4);
	assert_int_equal(r->when.days[1].nth, CALENDAR_NTH_LAST);
	assert_int_equal(r->when.days[2].nth, 15);
	assert_int_equal(r->when.at_s, 79200);
	assert_int_equal(r->when.until_s, 7230);
	assert_int_equal(r->when.length_s, 0);
	assert_int_equal(r->when.from_day, 20788);
	assert_int_equal(r->when.to_day, 21153);
	assert_int_equal(r->impact_count, 3);
	assert_int_equal(r->impacts[0].impact, 66);
	assert_int_equal(r->impacts[1].impact, 20);
	assert_int_equal(r->impacts[2].impact, 0);
	assert_string_equal(r->probes[0], "gate");
	assert_int_equal(r->announce_ms, 14 * 86400000LL);
	assert_false(r->is_public);
	r = &c->maintenance[1].rule;
	assert_string_equal(r->zone, "Asia/Kolkata"); /* the site's */
	assert_int_equal(r->when.length_s, 5400);
	assert_int_equal(r->impacts[1].impact, 100);
	assert_int_equal(r->announce_ms, -1);
	assert_true(r->is_public && !r->probes);
	config_free(c);
}

static void what_is_shown_is_read_as_the_same(void **state)
{
	struct config *c = configured(whole);
	json_t *all = config_json(c), *again;
	config_free(c);
	json_t *kept = json_pack("{s:O, s:O}", "maintenance", json_object_get(all, "maintenance"),
		"probes", json_object_get(all, "probes"));
	char *text = json_text(kept);
	c = configured(text);
	again = config_json(c);
	assert_true(json_equal(
		json_object_get(all, "maintenance"), json_object_get(again, "maintenance")));
	config_free(c);
	free(text);
	json_decref(kept);
	json_decref(all);
	json_decref(again);
}

static void one_name_in_several_files_is_one(void **state)
{
	const struct place *p = *state;
	place_put(p, "glasshouse.yaml",
		"maintenance:\n"
		"  - {name: patch, title: Patch, every: week, on: [tue, thu], at: \"22:00\", length: 1h,"
		" components: [compute]}\n");
	place_put(p, "conf.d/a.yaml",
		"maintenance:\n"
		"  - {name: patch, on: [fri], length: 2h, components: {network: 5}, announce: none}\n"
		"  - {name: other, title: Other, every: month, on: \"1\", at: \"01:00\", until: \"02:00\"}\n");
	struct config *c = configured_files(p);
	assert_int_equal(c->maintenance_count, 2);
	const struct maintenance_rule *r = &c->maintenance[0].rule;
	assert_string_equal(r->title, "Patch");
	assert_int_equal(r->when.day_count, 1);
	assert_int_equal(r->when.days[0].weekday, 5);
	assert_int_equal(r->when.length_s, 7200);
	assert_int_equal(r->impact_count, 1);
	assert_string_equal(r->impacts[0].component, "network");
	config_free(c);
}

#define ITEM(rest) "maintenance: [{name: a, title: A, " rest "}]"
#define SAYS(text) "glasshouse.yaml:1:15: a maintenance: " text "\n"

static void what_is_wrong_is_said_with_what_would_be_right(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"maintenance: [{}]",
			"glasshouse.yaml:1:15: a maintenance needs a name\n"
			"glasshouse.yaml:1:15: a maintenance: how often? every: day,"
			" week, month or 2 weeks; one that comes once is planned with"
			" `glasshouse maintenance plan`\n"},
		{ITEM("every: week, at: \"1:00\", length: 1h"),
			"glasshouse.yaml:1:52: a maintenance: at: \"1:00\" is no time of day:"
			" expected one like 22:00, of 00:00 to 23:59\n"},
		{ITEM("every: week, at: \"01:00\", length: 1h"),
			SAYS("on which day? on: tue, or from: 2026-12-01")},
		{ITEM("every: day, on: tue, at: \"01:00\", length: 1h"),
			SAYS("on is of weeks and months: every day is each")},
		{ITEM("every: week, on: 2nd tue, at: \"01:00\", length: 1h"),
			SAYS("on: of a week it is a day such as tue, not \"2nd tue\"")},
		{ITEM("every: day, length: 1h"), SAYS("at which time? at: \"22:00\"")},
		{ITEM("every: day, at: \"01:00\""),
			SAYS("it needs one of length: 4h and until: \"02:00\"")},
		{ITEM("every: day, at: \"01:00\", length: 1h, until: \"02:00\""),
			SAYS("it needs one of length: 4h and until: \"02:00\"")},
		{ITEM("every: 2 days, at: \"01:00\", length: 1h"),
			SAYS("every 2 days is counted from which day? from: 2026-12-01")},
		{ITEM("every: day, at: \"01:00\", length: 1h, from: 2026-12-02, to: 2026-12-01"),
			SAYS("to is before from")},
		{ITEM("every: day, at: \"01:00\", length: 1h, probes: x"),
			SAYS("probes: there is none called \"x\"")},
		{ITEM("every: day, at: \"01:00\", length: 1h, announce: 91d"),
			SAYS("announce is a time before it, to 90d, or none")},
		{ITEM("every: 0 days, at: \"01:00\", length: 1h"),
			SAYS("every: \"0 days\" is none of day, week, month, 2 weeks")},
		{ITEM("every: day, at: \"01:00\", length: 1h, components: [a, a]"),
			"glasshouse.yaml:1:84: a maintenance: a is there twice\n"},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		char *got = refusal(*state, rows[i].text);
		assert_string_equal(got, rows[i].says);
		free(got);
	}
}

static void a_reload_says_what_changes(void **state)
{
	struct config *from = configured(whole);
	struct config *to = configured(
		"maintenance: [{name: quiet, title: Quiet, every: day,"
		" at: \"04:00\", length: 90m, announce: none,"
		" components: [volume, image], zone: Asia/Kolkata}]");
	struct buf out = BUF(BUF_PAGE);
	config_diff(from, to, &out);
	assert_non_null(strstr(buf_str(&out), "- maintenance patch\n"));
	assert_non_null(strstr(buf_str(&out), "~ maintenance quiet: at 03:00 -> 04:00\n"));
	buf_fini(&out);
	config_free(from);
	config_free(to);
}

int test_config_maintenance(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_has_its_effect),
		cmocka_unit_test(what_is_shown_is_read_as_the_same),
		cmocka_unit_test_setup_teardown(
			one_name_in_several_files_is_one, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_what_would_be_right,
			place_set_up, place_tear_down),
		cmocka_unit_test(a_reload_says_what_changes),
	};
	return cmocka_run_group_tests_name("config_maintenance", tests, NULL, NULL);
}
