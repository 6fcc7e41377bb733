/*
 * test_depend.c - what rests on what: an outage below explains what is not well above it.
 */

#include "judge/judge_inside.h"
#include "judge_house.h"

static const struct judge_rest rests[] = {
	{"compute", "image"}, {"compute", "identity"}, {"image", "identity"}};

static void start(struct judge_house *h)
{
	const struct component identity = {"identity", "Identity", "Identity", "prod", ""};
	const struct component image = {"image", "Images", "Storage", "prod", ""};
	judge_component(h->judge, &identity);
	judge_component(h->judge, &image);
	assert_true(judge_depend(h->judge, rests, 3, &h->err));
	house_expect(h, "token", EVERY_MS);
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "images", EVERY_MS);
	house_settle(h);
}

static void see(struct judge_house *h, const char *component, const char *probe, enum fault fault)
{
	struct observation o = house_result(h, probe, fault);
	o.component = component;
	house_take(h, &o);
}

static void round_of(
	struct judge_house *h, enum fault identity, enum fault image, enum fault compute)
{
	see(h, "compute", "versions", compute);
	see(h, "image", "images", image);
	see(h, "identity", "token", identity);
	house_pass(h, EVERY_MS);
}

static const char *root(struct judge_house *h, const char *component)
{
	const char *id = judge_verdict(h->judge, component)->root;
	return id ? id : "";
}

#define GOOD FAULT_NONE
#define BAD  FAULT_HTTP_503

static void all_that_rests_on_it_names_the_root(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, BAD, BAD);
	assert_string_equal(judge_verdict(h->judge, "identity")->rule, "silent");
	assert_string_equal(root(h, "identity"), "");
	assert_string_equal(root(h, "image"), "identity");
	assert_string_equal(root(h, "compute"), "identity"); /* not image, which follows itself */
	assert_health(h, "outage");
	assert_rule(h, "follows");
	assert_string_equal(judge_verdict(h->judge, "compute")->text,
		"affected by Identity: versions fails: the service is not available");
	struct judge_change c = {0};
	assert_true(judge_change_at(h->facts, judge_verdict(h->judge, "compute")->id, &c, &h->err));
	assert_string_equal(c.root, "identity");
	assert_string_equal(c.root_name, "Identity");
	judge_change_fini(&c);
}

static void what_is_well_follows_nothing(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, GOOD, GOOD);
	assert_health(h, "operational");
	assert_string_equal(root(h, "compute"), "");
}

static void what_was_in_trouble_long_before_has_a_cause_of_its_own(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 20; i++)
		round_of(h, GOOD, GOOD, BAD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, GOOD, BAD);
	assert_string_equal(judge_verdict(h->judge, "identity")->rule, "silent");
	assert_string_equal(root(h, "compute"), "");
}

static void a_degradation_explains_nothing(void **state)
{
	struct judge_house *h = *state;
	start(h);
	house_expect(h, "projects", EVERY_MS);
	for (int i = 0; i < 6; i++) {
		see(h, "identity", "projects", GOOD);
		round_of(h, i ? BAD : GOOD, GOOD, i ? BAD : GOOD);
	}
	assert_string_equal(health_name(judge_verdict(h->judge, "identity")->health), "degraded");
	assert_health(h, "outage");
	assert_string_equal(root(h, "compute"), "");
}

static void the_end_of_the_root_is_followed_without_a_word(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 6; i++)
		round_of(h, BAD, BAD, BAD);
	h->changes.n = 0;
	for (int i = 0; i < 6; i++) /* compute is as slow again as it was found broken */
		round_of(h, GOOD, GOOD, i < 2 ? BAD : GOOD);
	assert_health(h, "operational");
	VEC_EACH (&h->changes, struct change_seen, c)
		assert_true(c->to == HEALTH_OPERATIONAL || !strcmp(c->rule, "follows"));
}

static void who_stays_broken_after_the_root_is_told_of_himself(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 6; i++)
		round_of(h, BAD, BAD, BAD);
	const int64_t since_ms = judge_verdict(h->judge, "compute")->since_ms;
	for (int i = 0; i < 8; i++)
		round_of(h, GOOD, GOOD, BAD);
	assert_health(h, "outage");
	assert_rule(h, "silent");
	assert_string_equal(root(h, "compute"), "");
	assert_int_equal(judge_verdict(h->judge, "compute")->since_ms, since_ms);
}

/* A run of compute that failed of the outage below, and is over only when that is. */
static struct observation late_run(struct judge_house *h)
{
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, GOOD, GOOD);
	const struct observation late = house_result(h, "login", BAD);
	for (int i = 0; i < 8; i++)
		round_of(h, GOOD, GOOD, GOOD);
	assert_string_equal(
		health_name(judge_verdict(h->judge, "identity")->health), "operational");
	return late;
}

static void take_late(struct judge_house *h, const struct observation *late)
{
	house_expect(h, "login", JUDGE_RARE_MS);
	house_take(h, late);
	assert_health(h, "degraded");
}

static void what_is_found_after_the_root_is_its_effect(void **state)
{
	struct judge_house *h = *state;
	start(h);
	const struct observation late = late_run(h);
	take_late(h, &late);
	assert_string_equal(root(h, "compute"), "identity");
	assert_rule(h, "follows");
}

static void what_is_found_after_a_restart_is_its_effect(void **state)
{
	struct judge_house *h = *state;
	start(h);
	const struct observation late = late_run(h);
	house_stop(h);
	house_start(h);
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	take_late(h, &late);
	assert_string_equal(root(h, "compute"), "identity");
}

static void what_began_after_the_root_is_no_effect(void **state)
{
	struct judge_house *h = *state;
	start(h);
	late_run(h);
	const struct observation own = house_result(h, "login", BAD);
	take_late(h, &own);
	assert_string_equal(root(h, "compute"), "");
	assert_rule(h, "failing");
}

static void the_root_stands_after_a_restart(void **state)
{
	struct judge_house *h = *state;
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, BAD, BAD);
	house_stop(h);
	house_start(h);
	assert_string_equal(root(h, "compute"), "identity");
	assert_rule(h, "follows");
}

static void a_cycle_is_refused_by_name_and_changes_nothing(void **state)
{
	struct judge_house *h = *state;
	const struct judge_rest bad[] = {
		{"compute", "network"}, {"network", "image"}, {"image", "network"}};
	start(h);
	round_of(h, GOOD, GOOD, GOOD);
	for (int i = 0; i < 4; i++)
		round_of(h, BAD, BAD, BAD);
	assert_false(judge_depend(h->judge, bad, 3, &h->err));
	assert_string_equal(
		h->err.msg, "nothing can rest on itself: network rests on image rests on network");
	house_settle(h);
	assert_string_equal(root(h, "compute"), "identity");
	assert_true(judge_depend(h->judge, NULL, 0, &h->err));
	house_settle(h);
	assert_string_equal(root(h, "compute"), "");
}

int test_depend(void);
int test_depend(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(all_that_rests_on_it_names_the_root),
		judge_test(what_is_well_follows_nothing),
		judge_test(what_was_in_trouble_long_before_has_a_cause_of_its_own),
		judge_test(a_degradation_explains_nothing),
		judge_test(the_end_of_the_root_is_followed_without_a_word),
		judge_test(who_stays_broken_after_the_root_is_told_of_himself),
		judge_test(what_is_found_after_the_root_is_its_effect),
		judge_test(what_is_found_after_a_restart_is_its_effect),
		judge_test(what_began_after_the_root_is_no_effect),
		judge_test(the_root_stands_after_a_restart),
		judge_test(a_cycle_is_refused_by_name_and_changes_nothing),
	};
	return cmocka_run_group_tests_name("depend", tests, NULL, NULL);
}
