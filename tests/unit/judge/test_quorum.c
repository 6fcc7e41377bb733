/*
 * test_quorum.c - several locations: verdicts by quorum, who is overruled, who is the suspect.
 */

#include "judge_house.h"

#include "base/json.h"

struct told {
	unsigned n;
	bool silent, suspect;
	char name[32], text[256];
};

static struct told told;

static void on_location(void *arg, const struct judge_location *l)
{
	told.n++;
	told.silent = l->silent;
	told.suspect = l->suspect;
	snprintf(told.name, sizeof(told.name), "%s", l->name);
	snprintf(told.text, sizeof(told.text), "%s", l->text ? l->text : "");
}

static void start(struct judge_house *h, unsigned quorum)
{
	told = (struct told){0};
	house_stop(h);
	h->options.quorum = quorum;
	h->options.location = on_location;
	house_start(h);
}

static void expect_everywhere(struct judge_house *h, const char *probe)
{
	house_expect(h, probe, EVERY_MS);
	house_expect_at(h, "berlin", probe, EVERY_MS);
}

static void start_three(struct judge_house *h, unsigned quorum)
{
	start(h, quorum);
	expect_everywhere(h, "versions");
	house_expect_at(h, "rome", "versions", EVERY_MS);
}

static void see(struct judge_house *h, const char *location, const char *component,
	const char *probe, enum fault fault)
{
	struct observation o = house_result(h, probe, fault);
	o.location = location;
	o.component = component;
	house_take(h, &o);
}

static void rounds(
	struct judge_house *h, enum fault here, enum fault berlin, enum fault rome, int n)
{
	for (int i = 0; i < n; i++) {
		see(h, NULL, "compute", "versions", here);
		see(h, "berlin", "compute", "versions", berlin);
		see(h, "rome", "compute", "versions", rome);
		house_pass(h, EVERY_MS);
	}
}

#define GOOD FAULT_NONE
#define BAD  FAULT_TIMEOUT

static void one_witness_is_overruled_and_said(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 0);
	rounds(h, GOOD, GOOD, GOOD, 2);
	assert_null(judge_verdict(h->judge, "compute")->dissent);
	rounds(h, GOOD, BAD, GOOD, 3);
	assert_health(h, "operational");
	assert_string_equal(judge_verdict(h->judge, "compute")->dissent,
		"below quorum since 12:01 UTC: berlin sees: no answer within the time allowed");
	rounds(h, GOOD, BAD, BAD, 3);
	assert_health(h, "outage"); /* two of three */
	assert_null(judge_verdict(h->judge, "compute")->dissent);
	rounds(h, GOOD, GOOD, GOOD, 8);
	assert_health(h, "operational");
}

static void a_number_is_a_quorum(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 3);
	rounds(h, GOOD, GOOD, GOOD, 2);
	rounds(h, GOOD, BAD, BAD, 4);
	assert_health(h, "operational");
	rounds(h, BAD, BAD, BAD, 3);
	assert_health(h, "outage");
}

static void a_lone_witness_is_believed(void **state)
{
	struct judge_house *h = *state;
	start(h, 0);
	house_expect_at(h, "berlin", "versions", EVERY_MS);
	for (int i = 0; i < 3; i++) {
		see(h, "berlin", "compute", "versions", BAD);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "outage");
}

static void a_location_that_falls_silent_makes_nothing_green(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 0);
	rounds(h, GOOD, GOOD, GOOD, 2);
	rounds(h, GOOD, BAD, BAD, 4);
	assert_health(h, "outage");
	for (int i = 0; i < 20; i++) { /* rome is silent */
		see(h, NULL, "compute", "versions", GOOD);
		see(h, "berlin", "compute", "versions", BAD);
		house_pass(h, EVERY_MS);
		assert_health(h, "outage");
	}
	assert_string_equal(told.name, "rome");
	assert_true(told.silent);
	assert_string_equal(told.text, "rome is silent: nothing was heard of it");
	const size_t n = judge_location_count(h->judge);
	assert_int_equal(n, 3);
	assert_string_equal(judge_location_at(h->judge, 1)->name, "berlin");
	assert_int_equal(judge_location_at(h->judge, 1)->failing, 1);
	assert_true(judge_location_at(h->judge, 2)->silent);
	rounds(h, GOOD, GOOD, GOOD, 1);
	assert_false(judge_location_at(h->judge, 2)->silent);
	assert_int_equal(told.n, 2);
}

/* Four probes of two components, from here and from berlin; one more that berlin alone asks. */
static void all_of(struct judge_house *h, enum fault here, enum fault berlin, int n)
{
	static const char *const probes[][2] = {{"compute", "versions"}, {"compute", "servers"},
		{"network", "networks"}, {"network", "ports"}};
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < array_len(probes); k++) {
			see(h, "", probes[k][0], probes[k][1], here);
			see(h, "berlin", probes[k][0], probes[k][1], berlin);
		}
		see(h, "berlin", "image", "images", berlin);
		house_pass(h, EVERY_MS);
	}
}

static const char *health_of(const struct judge_house *h, const char *component)
{
	return health_name(judge_verdict(h->judge, component)->health);
}

static void start_all(struct judge_house *h)
{
	const struct component network = {"network", "Network", "Network", "prod", ""};
	const struct component image = {"image", "Image", "Image", "prod", ""};
	start(h, 0);
	judge_component(h->judge, &network);
	judge_component(h->judge, &image);
	expect_everywhere(h, "versions");
	expect_everywhere(h, "servers");
	expect_everywhere(h, "networks");
	expect_everywhere(h, "ports");
	house_expect_at(h, "berlin", "images", EVERY_MS);
	all_of(h, GOOD, GOOD, 3);
}

static void who_fails_at_everything_alone_is_the_suspect(void **state)
{
	struct judge_house *h = *state;
	start_all(h);
	all_of(h, GOOD, BAD, 10);
	assert_true(told.suspect);
	assert_string_equal(told.name, "berlin");
	assert_string_equal(health_of(h, "compute"), "operational");
	assert_string_equal(health_of(h, "network"), "operational");
	/* what it alone asks is not known, and never was an outage */
	assert_string_equal(health_of(h, "image"), "unknown");
	VEC_EACH (&h->changes, struct change_seen, c)
		assert_int_not_equal(c->to, HEALTH_OUTAGE);
	all_of(h, GOOD, GOOD, 8);
	assert_false(told.suspect);
	assert_int_equal(told.n, 2);
	assert_string_equal(health_of(h, "image"), "operational");
}

static void an_outage_that_all_see_makes_nobody_the_suspect(void **state)
{
	struct judge_house *h = *state;
	start_all(h);
	all_of(h, BAD, BAD, 4);
	assert_int_equal(told.n, 0);
	assert_string_equal(health_of(h, "compute"), "outage");
	assert_string_equal(health_of(h, "image"), "outage");
}

static void the_evidence_says_from_where(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 0);
	rounds(h, GOOD, BAD, BAD, 3);
	json_t *doc =
		judge_evidence(h->facts, judge_verdict(h->judge, "compute")->id, false, &h->err);
	const json_t *sources = json_object_get(doc, "sources");
	assert_int_equal(json_array_size(sources), 3);
	assert_string_equal(json_str(json_array_get(sources, 0), "location"), "berlin");
	json_decref(doc);
}

static void a_probe_that_is_gone_takes_its_sources_from_there_alone(void **state)
{
	struct judge_house *h = *state;
	start_all(h);
	assert_int_equal(judge_location_at(h->judge, 1)->sources, 5);
	house_unexpect_at(h, "berlin", "versions");
	house_unexpect_at(h, "berlin", "versions");
	assert_int_equal(judge_location_at(h->judge, 0)->sources, 4);
	assert_int_equal(judge_location_at(h->judge, 1)->sources, 4);
	judge_component_remove(h->judge, "network");
	house_settle(h);
	assert_int_equal(judge_location_at(h->judge, 0)->sources, 2);
	assert_int_equal(judge_location_at(h->judge, 1)->sources, 2);
	house_expect_at(h, "berlin", "networks", 2 * EVERY_MS);
	see(h, "berlin", "compute", "networks", GOOD);
	see(h, "berlin", "compute", "versions", GOOD); /* it said that it runs no more */
	see(h, "rome", "compute", "networks", GOOD);   /* nor is anything expected from there */
	assert_int_equal(judge_location_count(h->judge), 2);
	assert_int_equal(judge_location_at(h->judge, 1)->sources, 3);
}

static json_t *source_at(struct judge_house *h, const char *location)
{
	json_t *doc =
		judge_evidence(h->facts, judge_verdict(h->judge, "compute")->id, true, &h->err);
	json_t *s, *found = NULL;
	size_t i;
	json_array_foreach (json_object_get(doc, "sources"), i, s)
		if (!strcmp(json_str(s, "location"), location))
			found = json_incref(s);
	json_decref(doc);
	assert_non_null(found);
	return found;
}

/* Ours every 30 s, berlin's every 10 minutes: neither is held to the other's rate. */
static void each_location_is_silent_by_its_own_rate(void **state)
{
	struct judge_house *h = *state;
	start(h, 0);
	house_expect_at(h, "berlin", "versions", 20 * EVERY_MS);
	house_expect(h, "versions", EVERY_MS);
	see(h, "berlin", "compute", "versions", GOOD);
	for (int i = 0; i < 3; i++) {
		see(h, "", "compute", "versions", GOOD);
		house_pass(h, EVERY_MS);
	}
	house_pass(h, STALE_MS); /* ours is stale, berlin's answer is good for half an hour */
	assert_health(h, "operational");
	assert_string_equal(told.name, "");
	assert_true(told.silent);
	see(h, "berlin", "compute", "versions", BAD); /* at that rate one is enough */
	assert_health(h, "outage");
	json_t *ours = source_at(h, ""), *theirs = source_at(h, "berlin");
	assert_string_equal(json_str(ours, "says"), "stale");
	assert_string_equal(json_str(theirs, "says"), "bad");
	json_decref(ours);
	json_decref(theirs);
	/* what ours is, is told anew: the other stays as it was */
	house_expect(h, "versions", 2 * EVERY_MS);
	house_pass(h, 10 * EVERY_MS);
	assert_health(h, "outage");
	assert_false(judge_location_at(h->judge, 0)->silent);
	assert_true(judge_location_at(h->judge, 1)->silent);
}

static void a_location_that_was_never_heard_is_silent_too(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 0);
	for (int i = 0; i < 2; i++) {
		see(h, "", "compute", "versions", GOOD);
		see(h, "berlin", "compute", "versions", GOOD);
		house_pass(h, EVERY_MS);
		house_expect_at(h, "rome", "versions", EVERY_MS); /* said again: no reprieve */
	}
	assert_int_equal(told.n, 0);
	see(h, "", "compute", "versions", GOOD);
	see(h, "berlin", "compute", "versions", GOOD);
	house_pass(h, STALE_MS - 2 * EVERY_MS + 1000);
	assert_int_equal(told.n, 1);
	assert_string_equal(told.name, "rome");
	assert_true(told.silent);
	assert_int_equal(judge_location_at(h->judge, 2)->heard_ms, 0);
	house_expect_at(h, "rome", "servers", EVERY_MS); /* more of it is expected: still nothing */
	house_pass(h, 2000);
	assert_true(judge_location_at(h->judge, 2)->silent);
	see(h, "rome", "compute", "versions", GOOD);
	house_pass(h, 1000);
	assert_false(told.silent);
	assert_int_equal(told.n, 2);
}

static void a_location_from_which_nothing_is_expected_is_none(void **state)
{
	struct judge_house *h = *state;
	start_three(h, 0);
	rounds(h, GOOD, GOOD, GOOD, 2);
	for (int i = 0; i < 5; i++) {
		see(h, "", "compute", "versions", GOOD);
		see(h, "berlin", "compute", "versions", GOOD);
		house_pass(h, EVERY_MS);
	}
	assert_true(told.silent);
	house_unexpect_at(h, "rome", "versions");
	house_pass(h, 1000);
	assert_string_equal(told.name, "rome");
	assert_false(told.silent);
	assert_string_equal(told.text, "");
	assert_int_equal(judge_location_count(h->judge), 2);
	house_unexpect_at(h, "berlin", "versions"); /* anew within a turn is no end */
	house_expect_at(h, "berlin", "versions", EVERY_MS);
	house_pass(h, 1000);
	assert_int_equal(judge_location_count(h->judge), 2);
	assert_int_equal(told.n, 2);
}

int test_quorum(void);
int test_quorum(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(one_witness_is_overruled_and_said),
		judge_test(a_number_is_a_quorum),
		judge_test(a_lone_witness_is_believed),
		judge_test(a_location_that_falls_silent_makes_nothing_green),
		judge_test(who_fails_at_everything_alone_is_the_suspect),
		judge_test(an_outage_that_all_see_makes_nobody_the_suspect),
		judge_test(the_evidence_says_from_where),
		judge_test(a_probe_that_is_gone_takes_its_sources_from_there_alone),
		judge_test(each_location_is_silent_by_its_own_rate),
		judge_test(a_location_that_was_never_heard_is_silent_too),
		judge_test(a_location_from_which_nothing_is_expected_is_none),
	};
	return cmocka_run_group_tests_name("quorum", tests, NULL, NULL);
}
