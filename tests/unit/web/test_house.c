/*
 * test_house.c - what the house publishes, and what of it the public gets, in virtual time.
 */

#include "town.h"

#include <stdlib.h>

/* --- SITE ------------------------------------------------------------------------------------- */

static void it_is_published_at_once_and_then_every_thirty_seconds(void **state)
{
	struct town *t = *state;
	town_publish(t);
	assert_true(t->published[AUDIENCE_PUBLIC] >= 1);
	assert_true(t->published[AUDIENCE_OPERATORS] >= 1);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	town_pass(t, 300000);
	const unsigned n = t->published[AUDIENCE_PUBLIC] - before;
	assert_true(n >= 9 && n <= 40);
	assert_true(t->least_gap_ms >= 1000);
}

static void what_is_changed_often_is_published_once_a_second_at_most(void **state)
{
	struct town *t = *state;
	town_publish(t);
	town_pass(t, 5000);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	for (int i = 0; i < 100; i++) {
		house_changed(t->house);
		town_pass(t, 50);
	}
	const unsigned n = t->published[AUDIENCE_PUBLIC] - before;
	assert_true(n >= 4 && n <= 6);
	assert_true(t->least_gap_ms >= 1000);
}

/* Not held back, and without letting time pass. */
static void publish_now(struct town *t)
{
	t->house->published_ms = 0;
	house_refreshed(t->house);
	loop_advance(t->h->loop, 0);
}

static void the_revision_grows_with_content_alone(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	town_publish(t);
	town_pass(t, 5000);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	const int64_t one = json_int(doc, "revision", 0), at = json_int(doc, "at_ms", 0);
	house_see(t->h, "versions", FAULT_NONE);
	house_changed(t->house);
	town_pass(t, 2000);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_true(json_int(doc, "revision", 0) > one);
	assert_true(json_int(doc, "at_ms", 0) > at);
	town_settle(t);
	publish_now(t);
	const int64_t two = json_int(t->site[AUDIENCE_PUBLIC], "revision", 0);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	publish_now(t);
	assert_int_equal(t->published[AUDIENCE_PUBLIC], before + 1);
	assert_int_equal(json_int(t->site[AUDIENCE_PUBLIC], "revision", 0), two);
}

/* What SITE says of the probes is made once a configuration. */
static void other_probes_are_another_revision(void **state)
{
	struct town *t = *state;
	struct house_probe named[2] = {town_lists.probes[0], town_lists.probes[1]};
	struct house_lists lists = town_lists;
	lists.probes = named;
	named[0].name = "another"; /* of the same kind and rate */
	town_publish(t);
	town_settle(t);
	publish_now(t);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	const int64_t before = json_int(doc, "revision", 0);
	house_configure(t->house, &town_site, &town_lists);
	publish_now(t);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_int_equal(json_int(doc, "revision", 0), before);
	house_configure(t->house, &town_site, &lists);
	publish_now(t);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_true(json_int(doc, "revision", 0) > before);
	assert_string_equal(json_str(town_first(doc, "probes"), "name"), "another");
	assert_null(json_object_get(town_first(doc, "probes"), "target"));
	doc = t->site[AUDIENCE_OPERATORS];
	assert_string_equal(json_str(town_first(doc, "probes"), "target"), named[0].target);
}

static void components_stand_with_their_states(void **state)
{
	struct town *t = *state;
	const struct component identity = {"identity", "Identity", "Access", "prod", ""};
	judge_component(t->h->judge, &identity);
	house_expect(t->h, "versions", EVERY_MS);
	house_see(t->h, "versions", FAULT_NONE);
	town_publish(t);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	assert_string_equal(json_str(doc, "health"), "unknown");
	assert_int_equal(json_int(json_object_get(doc, "counts"), "operational", 0), 1);
	assert_int_equal(json_int(json_object_get(doc, "counts"), "unknown", 0), 1);
	const json_t *c = json_array_get(json_object_get(doc, "components"), 1);
	assert_string_equal(json_str(c, "id"), "compute");
	assert_string_equal(json_str(c, "health"), "operational");
	assert_string_equal(json_str(c, "rule"), "good");
	assert_true(json_int(c, "evidence", 0) > 0);
	assert_int_equal(json_array_size(json_object_get(c, "days")), 90);
	assert_string_equal(json_str(town_first(doc, "categories"), "name"), "Access");
	assert_string_equal(json_str(town_first(doc, "possible"), "name"), "volume");
	assert_int_equal(json_array_size(json_object_get(doc, "probes")), 2);
	assert_string_equal(json_str(json_object_get(doc, "site"), "name"), "Example Cloud");
}

/* What the configuration says of the site reaches both doors as it was written, at once. */
static void what_the_site_says_of_itself_stands_there(void **state)
{
	struct town *t = *state;
	json_t *about = json_pack("{s:s}", "de", "Wir *sehen* <b>");
	struct house_site told = town_site;
	told.about = about;
	town_publish(t);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	const int64_t before = json_int(doc, "revision", 0);
	assert_int_equal(json_object_size(json_at(doc, "site", "about", NULL)), 0);
	house_configure(t->house, &told, &town_lists);
	town_pass(t, 3000);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_true(json_equal(json_at(doc, "site", "about", NULL), about));
	assert_true(json_int(doc, "revision", 0) > before);
	doc = t->site[AUDIENCE_OPERATORS];
	assert_true(json_equal(json_at(doc, "site", "about", NULL), about));
	house_configure(t->house, &town_site, &town_lists);
	json_decref(about);
}

static void of_no_component_nobody_says_that_it_is_well(void **state)
{
	struct town *t = *state;
	judge_component_remove(t->h->judge, "compute");
	town_publish(t);
	assert_string_equal(json_str(t->site[AUDIENCE_PUBLIC], "health"), "unknown");
}

/* --- days and ratios -------------------------------------------------------------------------- */

static void availability_tells_what_was_seen(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	house_rounds(t->h, "versions", FAULT_NONE, 60);    /* 30 min */
	house_rounds(t->h, "versions", FAULT_REFUSED, 20); /* 10 min, 9:30 of outage */
	town_publish(t);
	town_pass(t, 2000);
	const json_t *c = town_first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *today = json_array_get(json_object_get(c, "days"), 89);
	const json_t *s = json_object_get(today, "s");
	const int64_t outage = json_integer_value(json_array_get(s, HEALTH_OUTAGE));
	const int64_t good = json_integer_value(json_array_get(s, HEALTH_OPERATIONAL));
	assert_int_equal(json_int(today, "day", 0), house_now(t->h) / DAY_MS);
	assert_int_equal(good, 1830); /* until it was confirmed */
	const int64_t noon_ms = house_now(t->h) / DAY_MS * DAY_MS + DAY_MS / 2;
	assert_int_equal(outage + good, (t->published_ms[AUDIENCE_PUBLIC] - noon_ms) / 1000);
	/* noon: twelve hours of the day passed before we began */
	const int64_t gap = json_int(today, "gap", 0);
	assert_int_equal(gap, 43200);
	const json_t *d1 = json_object_get(json_object_get(c, "availability"), "d1");
	assert_true(town_share(d1, "up") > 0.75 && town_share(d1, "up") < 0.77);
	assert_true(town_share(d1, "worst") < 0.03);
	assert_true(town_share(d1, "best") > 0.99);
	assert_true(town_share(d1, "seen") > 0.02 && town_share(d1, "seen") < 0.03);
	const json_t *d7 = json_object_get(json_object_get(c, "availability"), "d7");
	assert_true(town_share(d7, "up") > 0.75 && town_share(d7, "up") < 0.77);
	assert_true(town_share(d7, "seen") < town_share(d1, "seen"));
}

/* Good for thirteen hours, from noon on. */
static void pass_midnight(struct town *t)
{
	house_expect(t->h, "versions", 10 * EVERY_MS);
	town_publish(t);
	for (int i = 0; i < 13 * 12; i++) {
		house_see(t->h, "versions", FAULT_NONE);
		house_pass(t->h, 10 * EVERY_MS);
		worker_settle(t->house->worker);
	}
	town_pass(t, 2000);
}

/* Most days are alike, and there are many of them: those are held once. */
static void what_is_alike_is_one_day(void **state)
{
	struct town *t = *state;
	const struct component other = {"identity", "Identity", "Access", "prod", ""};
	judge_component(t->h->judge, &other);
	pass_midnight(t);
	const json_t *days[2];
	for (size_t i = 0; i < 2; i++)
		days[i] = json_object_get(
			json_array_get(json_object_get(t->site[AUDIENCE_PUBLIC], "components"), i),
			"days");
	assert_ptr_equal(json_array_get(days[0], 0), json_array_get(days[1], 0));
	assert_ptr_equal(json_array_get(days[0], 87), json_array_get(days[1], 87));
	assert_ptr_not_equal(json_array_get(days[0], 88), json_array_get(days[1], 88));
	assert_false(json_equal(json_array_get(days[0], 88), json_array_get(days[1], 88)));
	assert_ptr_not_equal(json_array_get(days[0], 89), json_array_get(days[1], 89));
}

static void what_was_never_known_has_no_share(void **state)
{
	struct town *t = *state;
	town_publish(t);
	const json_t *c = town_first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *d30 = json_object_get(json_object_get(c, "availability"), "d30");
	assert_true(json_is_null(json_object_get(d30, "up")));
	assert_true(town_share(d30, "worst") == 0);
	assert_true(town_share(d30, "best") == 1);
}

static void days_go_on_over_midnight(void **state)
{
	struct town *t = *state;
	pass_midnight(t);
	const json_t *c = town_first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *days = json_object_get(c, "days");
	assert_int_equal(json_array_size(days), 90);
	const json_t *yesterday = json_array_get(days, 88), *today = json_array_get(days, 89);
	assert_int_equal(json_int(yesterday, "day", 0) + 1, json_int(today, "day", 0));
	const int64_t was = json_integer_value(
		json_array_get(json_object_get(yesterday, "s"), HEALTH_OPERATIONAL));
	if (was < 43195)
		fail_msg("%lld of yesterday", (long long)was);
	assert_true(json_integer_value(json_array_get(
			    json_object_get(today, "s"), HEALTH_OPERATIONAL)) > 3500);
	const json_t *doc = town_ask(t, "availability", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	c = town_first(doc, "components");
	assert_int_equal(json_array_size(json_object_get(c, "days")), 365);
	assert_string_equal(json_str(town_first(c, "months"), "month"), "2026-12");
}

/* --- audience --------------------------------------------------------------------------------- */

static bool marked(const json_t *doc)
{
	char *text = json_text(doc);
	const bool found = strstr(text, "MARK") != NULL;
	free(text);
	return found;
}

static void nothing_of_the_operators_is_in_what_the_public_gets(void **state)
{
	struct town *t = *state;
	json_t *figures =
		json_pack("{s:s, s:{s:s}}", "rule", "p95 > 1s", "operators", "file", "MARK-file");
	judge_tell(t->h->judge, &(struct judge_told){.component = "compute",
					.by = "rule:slow",
					.health = HEALTH_DEGRADED,
					.at_ms = house_now(t->h),
					.fresh_ms = house_now(t->h) + 3600000,
					.text = "MARK-sentence",
					.evidence = figures});
	json_decref(figures);
	const int64_t id = town_break(t);
	const json_t *told = town_first(
		town_ask(t, "evidence", json_pack("{s:I}", "id", (json_int_t)id), AUDIENCE_PUBLIC),
		"told");
	assert_string_equal(json_str(json_object_get(told, "evidence"), "rule"), "p95 > 1s");
	assert_null(json_object_get(told, "text"));
	town_run(t, "MARK-run-1", "failed");
	town_measure(t);
	judge_blind(t->h->judge, true, "MARK-why");
	town_publish(t);
	town_pass(t, 2000);
	assert_true(marked(t->site[AUDIENCE_OPERATORS]));
	assert_false(marked(t->site[AUDIENCE_PUBLIC]));
	const struct {
		const char *what;
		json_t *args;
		bool theirs; /* holds marks for operators */
	} rows[] = {{"component", json_pack("{s:s}", "id", "compute"), true},
		{"availability", json_object(), false},
		{"scenario", json_pack("{s:s}", "name", "server-login"), true},
		{"evidence", json_pack("{s:I}", "id", (json_int_t)id), true},
		{"run", json_pack("{s:s}", "run", "MARK-run-1"), true},
		{"metrics", json_object(), true}, {"health", json_object(), false}};
	for (size_t i = 0; i < array_len(rows); i++) {
		town_ask(t, rows[i].what, json_incref(rows[i].args), AUDIENCE_OPERATORS);
		assert_int_equal(t->status, 200);
		assert_int_equal(marked(t->doc), rows[i].theirs);
		town_ask(t, rows[i].what, json_incref(rows[i].args), AUDIENCE_CUSTOMERS);
		assert_true(!t->doc || !marked(t->doc));
		town_ask(t, rows[i].what, rows[i].args, AUDIENCE_PUBLIC);
		assert_true(!t->doc || !marked(t->doc));
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

static void questions_under_way_are_answered_when_it_ends(void **state)
{
	struct town *t = *state;
	town_measure(t);
	json_t *args = json_pack("{s:s}", "id", "compute");
	house_ask(t->house, "component", args, AUDIENCE_PUBLIC, town_on_answer, t);
	json_decref(args);
	assert_int_equal(t->answers, 0);
	house_free(t->house);
	assert_int_equal(t->answers, 1);
	assert_int_equal(t->status, 503);
	series_settle(t->h->series);
	t->house = NULL;
	assert_int_equal(t->answers, 1);
}

int test_house(void);
int test_house(void)
{
	const struct CMUnitTest tests[] = {
		town_test(it_is_published_at_once_and_then_every_thirty_seconds),
		town_test(what_is_changed_often_is_published_once_a_second_at_most),
		town_test(the_revision_grows_with_content_alone),
		town_test(other_probes_are_another_revision),
		town_test(components_stand_with_their_states),
		town_test(what_the_site_says_of_itself_stands_there),
		town_test(of_no_component_nobody_says_that_it_is_well),
		town_test(availability_tells_what_was_seen),
		town_test(what_was_never_known_has_no_share),
		town_test(days_go_on_over_midnight),
		town_test(what_is_alike_is_one_day),
		town_test(nothing_of_the_operators_is_in_what_the_public_gets),
		town_test(questions_under_way_are_answered_when_it_ends),
	};
	return cmocka_run_group_tests_name("house", tests, NULL, NULL);
}
