/*
 * test_alarm_cause.c - what explains a state: a root, declared work, flapping, and what is told
 * then.
 */
#include "../check.h"
#include "alarm_house.h"
#include "base/json.h"

static void follows(struct alarm_house *h, const char *component, const char *root)
{
	const struct verdict v = {.component = component,
		.health = HEALTH_OUTAGE,
		.rule = root ? "follows" : "silent",
		.text = "versions fails",
		.root = root};

	house_explained(h, &v);
}

static void within(struct alarm_house *h, enum health health, const char *event)
{
	const struct verdict v = {.component = "compute",
		.health = health,
		.rule = "silent",
		.text = "versions fails",
		.maintenance = event};

	house_explained(h, &v);
}

static const char *text_of(const struct heard *one)
{
	return json_str(one->body, "text");
}

static void what_follows_is_told_below_its_root(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "volume", HEALTH_DEGRADED); /* goes alone, and opens the fold */
	house_next(h);
	follows(h, "compute", NULL); /* seen before its root */
	house_change(h, "identity", HEALTH_OUTAGE);
	follows(h, "compute", "identity");
	follows(h, "image", "identity");
	house_pass(h, 60);
	one = house_next(h);
	assert_int_equal(json_array_size(json_object_get(one->body, "changes")), 4);
	assert_at(one->body, "changes/3/root", "identity");
	assert_ptr_equal(strstr(text_of(one),
				 "Identity is in outage: 3 of 3 probes say so\n"
				 "Since "),
		text_of(one));
	assert_non_null(strstr(text_of(one),
		"    Compute is in outage, affected by identity\n"
		"    Image is in outage, affected by identity\n"));
	house_pass(h, 600);
	house_silent(h);
	follows(h, "dns", "identity"); /* the root was told: nothing new */
	house_pass(h, 600);
	house_silent(h);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_change(h, "image", HEALTH_OPERATIONAL);
	house_change(h, "dns", HEALTH_OPERATIONAL);
	house_pass(h, 120);
	house_silent(h);
	house_change(h, "identity", HEALTH_OPERATIONAL);
	assert_at(house_next(h)->body, "changes/0/component", "identity");
	house_pass(h, 600);
	house_silent(h);
}

static void who_stays_broken_after_the_root_is_told(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "identity", HEALTH_OUTAGE);
	house_next(h);
	follows(h, "compute", "identity");
	house_pass(h, 600);
	house_silent(h);
	house_change(h, "identity", HEALTH_OPERATIONAL);
	house_next(h);
	house_pass(h, 600);
	follows(h, "compute", NULL);
	assert_at(house_next(h)->body, "changes/0/component", "compute");
}

static void a_root_that_is_not_told_hides_nothing(void **state)
{
	static const char *const only[] = {"compute", NULL};
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->components = only;
	house_start(h);
	house_change(h, "identity", HEALTH_OUTAGE);
	follows(h, "compute", "identity");
	assert_at(house_next(h)->body, "changes/0/root", "identity");
}

static void declared_work_is_not_told_but_what_outlasts_it(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	within(h, HEALTH_OUTAGE, "2026-12-01-patch-day");
	house_pass(h, 600);
	within(h, HEALTH_OPERATIONAL, "2026-12-01-patch-day");
	house_pass(h, 600);
	house_silent(h);
	within(h, HEALTH_OUTAGE, "2026-12-01-patch-day");
	house_silent(h);
	within(h, HEALTH_OUTAGE, NULL);
	assert_at(house_next(h)->body, "changes/0/to", "outage");
}

static void who_wants_hears_of_declared_work(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->maintenance = true;
	house_start(h);
	within(h, HEALTH_OUTAGE, "2026-12-01-patch-day");
	assert_at(house_next(h)->body, "changes/0/maintenance", "2026-12-01-patch-day");
	within(h, HEALTH_OUTAGE, NULL); /* goes on for another cause: no news */
	house_pass(h, 600);
	house_silent(h);
}

static void what_was_told_before_the_work_is_told_to_be_over(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	within(h, HEALTH_OUTAGE, NULL);
	house_next(h);
	house_pass(h, 600);
	within(h, HEALTH_OUTAGE, "2026-12-01-patch-day");
	house_pass(h, 600);
	house_silent(h);
	within(h, HEALTH_OPERATIONAL, "2026-12-01-patch-day");
	assert_at(house_next(h)->body, "changes/0/to", "operational");
}

static void flapping_is_told_when_it_begins_and_when_it_ends(void **state)
{
	struct alarm_house *h = *state;
	const struct verdict flaps = {.component = "compute",
		.health = HEALTH_OUTAGE,
		.rule = "flapping",
		.text = "it changed its state 7 times within 20m",
		.flapping = true};

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 600);
	house_explained(h, &flaps);
	assert_non_null(
		strstr(text_of(house_next(h)), "Compute is flapping, at worst in outage: "));
	house_pass(h, 600);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	assert_non_null(
		strstr(text_of(house_next(h)), "Compute is operational again after 20 min"));
	house_silent(h);
}

int test_alarm_cause(void);
int test_alarm_cause(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(what_follows_is_told_below_its_root),
		alarm_test(who_stays_broken_after_the_root_is_told),
		alarm_test(a_root_that_is_not_told_hides_nothing),
		alarm_test(declared_work_is_not_told_but_what_outlasts_it),
		alarm_test(who_wants_hears_of_declared_work),
		alarm_test(what_was_told_before_the_work_is_told_to_be_over),
		alarm_test(flapping_is_told_when_it_begins_and_when_it_ends),
	};
	return cmocka_run_group_tests_name("alarm_cause", tests, NULL, NULL);
}
