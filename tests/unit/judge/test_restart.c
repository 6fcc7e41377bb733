/*
 * test_restart.c - what survives: verdicts, gaps and the seconds of each day, over restarts, a copy
 * taken while everything runs, midnight and a machine asleep.
 */

#include "judge_house.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define MIN_MS 60000LL

/* --- verdicts --------------------------------------------------------------------------------- */

static void the_stored_verdict_stands_until_fresh_results_decide(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	const struct verdict before = *judge_verdict(h->judge, "compute");
	house_stop(h);
	house_pass(h, 20000);
	house_start(h);
	house_expect(h, "versions", EVERY_MS);
	const struct verdict *v = judge_verdict(h->judge, "compute");
	assert_health(h, "outage");
	assert_rule(h, "silent");
	assert_true(v->stored);
	assert_int_equal(v->id, before.id);
	assert_int_equal(v->since_ms, before.since_ms);
	assert_int_equal(v->evidence_ms, before.evidence_ms);
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "outage"); /* a bad state is left when it is confirmed */
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
	assert_false(judge_verdict(h->judge, "compute")->stored);
}

static void the_same_state_after_a_restart_is_no_change(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 4);
	house_stop(h);
	house_start(h);
	house_expect(h, "versions", EVERY_MS);
	assert_true(judge_verdict(h->judge, "compute")->stored);
	house_see(h, "versions", FAULT_NONE);
	assert_false(judge_verdict(h->judge, "compute")->stored);
	assert_int_equal(h->changes.n, 1);
}

static void a_stored_verdict_goes_stale_by_the_time_of_its_evidence(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	const int64_t evidence_ms = judge_verdict(h->judge, "compute")->evidence_ms;
	house_stop(h);
	house_start(h);
	house_expect(h, "versions", EVERY_MS);
	house_pass(h, evidence_ms + STALE_MS - house_now(h) - 2000);
	assert_health(h, "operational");
	house_pass(h, 3000);
	assert_health(h, "unknown");
	assert_int_equal(h->changes.p[1].at_ms, evidence_ms + STALE_MS + 1);
}

static void after_a_longer_time_down_it_is_unknown_at_once(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	house_stop(h);
	house_pass(h, 10 * MIN_MS);
	house_start(h);
	assert_health(h, "unknown");
	assert_rule(h, "stale");
}

static void the_feed_holds_one_public_row_a_change(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 4);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_int_equal(h->changes.n, 3);
	for (size_t i = 0; i < h->changes.n; i++)
		assert_int_equal(h->changes.p[i].id, (int64_t)i + 1);
}

static void count_row(void *arg, const struct facts_change_row *row)
{
	unsigned *n = arg;
	assert_string_equal(row->kind, "verdict");
	assert_int_equal(row->audience, AUDIENCE_PUBLIC);
	assert_int_equal(atoll(row->id), ++*n);
}

static void the_public_feed_tells_each(void **state)
{
	struct judge_house *h = *state;
	unsigned n = 0;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 4);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	assert_true(facts_feed(h->facts, 0, AUDIENCE_PUBLIC, 100, count_row, &n, &h->err));
	assert_int_equal(n, 2);
}

/* --- a disk that refuses ---------------------------------------------------------------------- */

static bool run_sql(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx, arg, NULL, 0, err);
}

static void what_cannot_be_written_is_shown_and_written_later(void **state)
{
	struct judge_house *h = *state;
	char away[] = "ALTER TABLE verdict RENAME TO elsewhere";
	char back[] = "ALTER TABLE elsewhere RENAME TO verdict";
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_true(facts_call(h->facts, run_sql, away, &h->err));
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	assert_health(h, "outage");
	assert_int_equal(judge_verdict(h->judge, "compute")->id, 0);
	assert_int_equal(h->changes.n, 1); /* nothing that is not durable is told */
	assert_int_equal(h->refused, 1);   /* but it is shown, and tried again without a word */
	const int64_t since_ms = judge_verdict(h->judge, "compute")->since_ms;
	assert_true(facts_call(h->facts, run_sql, back, &h->err));
	house_rounds(h, "versions", FAULT_REFUSED, 1);
	assert_int_equal(h->changes.n, 2);
	assert_int_equal(h->changes.p[1].to, HEALTH_OUTAGE);
	assert_int_equal(judge_verdict(h->judge, "compute")->id, h->changes.p[1].id);
	assert_int_equal(judge_verdict(h->judge, "compute")->since_ms, since_ms);
}

/* --- history ---------------------------------------------------------------------------------- */

struct spans {
	VEC(struct judge_span) all; /* texts are not kept */
};

static bool on_span(void *arg, const struct judge_span *span)
{
	struct spans *s = arg;
	struct judge_span copy = *span;
	copy.text = NULL;
	vec_push(&s->all, copy);
	return true;
}

static void read_history(struct judge_house *h, const char *component, struct spans *s)
{
	const int64_t now_ms = house_now(h);
	if (!judge_history(
		    h->facts, component, now_ms - 90 * 86400000LL, now_ms, on_span, s, &h->err))
		fail_msg("%s", h->err.msg);
}

static void a_time_down_is_a_gap_in_the_history(void **state)
{
	struct judge_house *h = *state;
	struct spans s = {{0}};
	const int64_t began_ms = house_now(h);
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	house_stop(h);
	const int64_t stopped_ms = house_now(h);
	house_pass(h, 10 * MIN_MS);
	house_start(h);
	const int64_t started_ms = house_now(h);
	house_pass(h, MIN_MS);
	read_history(h, "compute", &s);
	assert_int_equal(s.all.n, 3);
	assert_int_equal(s.all.p[0].health, HEALTH_OPERATIONAL);
	assert_int_equal(s.all.p[0].from_ms, began_ms);
	assert_int_equal(s.all.p[0].to_ms, stopped_ms);
	assert_true(s.all.p[1].gap);
	assert_int_equal(s.all.p[1].id, 0);
	assert_int_equal(s.all.p[1].from_ms, stopped_ms);
	assert_int_equal(s.all.p[1].to_ms, started_ms);
	assert_int_equal(s.all.p[2].health, HEALTH_UNKNOWN);
	assert_int_equal(s.all.p[2].from_ms, started_ms);
	assert_int_equal(s.all.p[2].to_ms, house_now(h));
	vec_fini(&s.all);
}

static void a_machine_asleep_is_a_gap(void **state)
{
	struct judge_house *h = *state;
	struct spans s = {{0}};
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	const int64_t slept_ms = house_now(h);
	h->clock.unix_us += 3600 * 1000000LL; /* the clock jumps, nothing ran meanwhile */
	house_pass(h, 2000);
	assert_health(h, "unknown");
	house_rounds(h, "versions", FAULT_NONE, 3);
	assert_health(h, "operational");
	read_history(h, "compute", &s);
	unsigned gaps = 0;
	VEC_EACH (&s.all, struct judge_span, p) {
		gaps += p->gap;
		if (!p->gap)
			continue;
		assert_true(p->from_ms >= slept_ms - 1000 && p->from_ms <= slept_ms);
		assert_true(p->to_ms >= slept_ms + 3600000 && p->to_ms <= slept_ms + 3601000);
	}
	assert_int_equal(gaps, 1);
	for (size_t i = 1; i < s.all.n; i++) /* without holes or overlaps */
		assert_int_equal(s.all.p[i].from_ms, s.all.p[i - 1].to_ms);
	vec_fini(&s.all);
}

static void history_can_be_read_in_parts(void **state)
{
	struct judge_house *h = *state;
	struct spans s = {{0}};
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	const int64_t middle_ms = house_now(h) - 2 * MIN_MS;
	assert_true(judge_history(
		h->facts, "compute", middle_ms, middle_ms + 1000, on_span, &s, &h->err));
	assert_int_equal(s.all.n, 1);
	assert_int_equal(s.all.p[0].from_ms, middle_ms);
	assert_int_equal(s.all.p[0].to_ms, middle_ms + 1000);
	vec_fini(&s.all);
}

/* --- killed ----------------------------------------------------------------------------------- */

static void copy_files(const char *from, const char *to)
{
	char *line = mem_printf("cp -r %s/. %s", from, to);
	assert_int_equal(system(line), 0); /* NOLINT: paths of our own */
	free(line);
}

/* The files as a kill would leave them: the judge neither stopped nor said good-bye. */
static void take_copy(struct judge_house *h, char *copy, size_t size)
{
	snprintf(copy, size, "/tmp/test-judge-copy-XXXXXX");
	assert_non_null(mkdtemp(copy));
	house_settle(h);
	copy_files(h->root, copy);
}

/* What happened since is gone; takes the copy away. */
static void go_back(struct judge_house *h, const char *copy)
{
	house_close(h);
	char *line = mem_printf("rm -rf %s/*", h->root);
	assert_int_equal(system(line), 0); /* NOLINT: a directory of our own */
	free(line);
	copy_files(copy, h->root);
	line = mem_printf("rm -rf %s", copy);
	assert_int_equal(system(line), 0); /* NOLINT: a directory of our own */
	free(line);
	house_open(h);
	house_start(h);
}

static void killed_in_the_middle_it_goes_on(void **state)
{
	struct judge_house *h = *state;
	struct spans s = {{0}};
	char copy[64];
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	house_pass(h, 8500); /* between two beats */
	take_copy(h, copy, sizeof(copy));
	const int64_t killed_ms = house_now(h);
	house_rounds(h, "versions", FAULT_NONE, 10); /* what the copy never saw */
	go_back(h, copy);
	assert_health(h, "unknown"); /* five minutes later */
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_health(h, "operational");
	read_history(h, "compute", &s);
	assert_true(s.all.n >= 4);
	bool found = false;
	VEC_EACH (&s.all, struct judge_span, p)
		if (p->gap) {
			found = true;
			assert_in_range(killed_ms - p->from_ms, 0, 1000);
		}
	assert_true(found);
	vec_fini(&s.all);
}

/* --- days ------------------------------------------------------------------------------------- */

struct days {
	struct series_day day[2];
	bool done;
};

static void on_days(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	struct days *d = arg;
	assert_null(err);
	for (size_t i = 0; i < n && i < 2; i++)
		d->day[i] = days[i];
	d->done = true;
}

static void read_days(struct judge_house *h, int64_t day, struct days *d)
{
	const struct series_tag tag = {"component", "compute"};
	const struct series_key key = {SERIES_GAUGE, "", "", "health", &tag, 1};
	house_settle(h);
	*d = (struct days){.done = false};
	series_days(series_get(h->series, &key), day, 2, on_days, d);
	house_settle(h);
	assert_true(d->done);
}

static unsigned sum(const struct series_states *s)
{
	unsigned n = 0;
	for (int i = 0; i < HEALTH_COUNT; i++)
		n += s->seconds[i];
	return n;
}

static void midnight_cuts_the_seconds_exactly(void **state)
{
	struct judge_house *h = *state;
	struct days d;
	const int64_t day = house_now(h) / 86400000;
	house_expect(h, "versions", EVERY_MS);
	while (house_now(h) / 86400000 == day)
		house_rounds(h, "versions", FAULT_NONE, 1);
	house_pass(h, 20 * 1000);
	house_stop(h);
	read_days(h, day, &d);
	assert_true(d.day[0].has_states && d.day[1].has_states);
	assert_int_equal(sum(&d.day[0].states), 43200);
	assert_int_equal(d.day[0].states.seconds[HEALTH_OPERATIONAL], 43200);
	assert_int_equal(sum(&d.day[1].states), (house_now(h) % 86400000) / 1000);
	assert_int_equal(d.day[1].states.worst, HEALTH_OPERATIONAL);
}

static void a_restart_adds_to_the_day(void **state)
{
	struct judge_house *h = *state;
	struct days d;
	const int64_t day = house_now(h) / 86400000;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 20);
	house_close(h);
	loop_advance(h->loop, 5 * MIN_MS * NS_PER_MS); /* not observed */
	house_open(h);
	house_start(h);
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 20);
	house_stop(h);
	read_days(h, day, &d);
	const struct series_states *s = &d.day[0].states;
	assert_int_equal(sum(s), 20 * 60);
	assert_int_equal(s->seconds[HEALTH_OPERATIONAL], 600);
	assert_int_equal(s->seconds[HEALTH_UNKNOWN], 30); /* stale at the start, then confirmed */
	assert_int_equal(s->seconds[HEALTH_OUTAGE], 570);
	assert_int_equal(s->first, HEALTH_OPERATIONAL);
	assert_int_equal(s->worst, HEALTH_OUTAGE);
	assert_int_equal(s->last, HEALTH_OUTAGE);
}

static void a_kill_takes_no_more_of_the_day_than_a_second(void **state)
{
	struct judge_house *h = *state;
	struct days d;
	char copy[64];
	const int64_t day = house_now(h) / 86400000;
	unsigned seen_ms = 0;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	seen_ms += 2 * EVERY_MS;
	for (unsigned kill = 0; kill < 5; kill++) { /* each life shorter than a beat */
		house_see(h, "versions", FAULT_NONE);
		house_pass(h, 8500);
		seen_ms += 8500;
		take_copy(h, copy, sizeof(copy));
		house_pass(h, 2000);
		go_back(h, copy);
		house_expect(h, "versions", EVERY_MS);
	}
	read_days(h, day, &d);
	const unsigned n = sum(&d.day[0].states);
	assert_in_range(n, seen_ms / 1000 - 5, seen_ms / 1000);
	assert_int_equal(n, d.day[0].states.seconds[HEALTH_OPERATIONAL]);
	assert_int_equal(d.day[0].states.worst, HEALTH_OPERATIONAL);
}

static void killed_before_midnight_the_day_is_whole_all_the_same(void **state)
{
	struct judge_house *h = *state;
	struct days d;
	char copy[64];
	const int64_t day = house_now(h) / 86400000;
	house_expect(h, "versions", EVERY_MS);
	while ((day + 1) * 86400000 - house_now(h) > EVERY_MS)
		house_rounds(h, "versions", FAULT_NONE, 1);
	house_see(h, "versions", FAULT_NONE);
	house_pass(h, 28500);
	take_copy(h, copy, sizeof(copy));
	house_pass(h, 6000); /* the first beat of the next day is not yet */
	go_back(h, copy);
	house_pass(h, 500);
	read_days(h, day, &d);
	assert_in_range(sum(&d.day[0].states), 43197, 43199);
	assert_int_equal(d.day[0].states.last, HEALTH_OPERATIONAL);
	assert_in_range(sum(&d.day[1].states), 0, 1);
}

/* Its open verdict says nothing of the time in which it was on no page. */
static void what_was_not_watched_is_not_counted_from_the_facts(void **state)
{
	struct judge_house *h = *state;
	static const struct component other = {"image", "Image", "Image", "prod", ""};
	struct days d;
	const int64_t day = house_now(h) / 86400000;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	house_stop(h);
	h->judge = judge_new(h->loop, h->facts, h->series, &h->options, NULL, NULL, &h->err);
	judge_component(h->judge, &other);
	judge_component_remove(h->judge, "compute");
	house_pass(h, 20 * MIN_MS);
	house_stop(h);
	house_start(h);
	house_pass(h, 1000);
	house_stop(h);
	read_days(h, day, &d);
	assert_in_range(sum(&d.day[0].states), 300, 302);
}

static void sleep_is_not_counted(void **state)
{
	struct judge_house *h = *state;
	struct days d;
	const int64_t day = house_now(h) / 86400000;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 10);
	h->clock.unix_us += 3600 * 1000000LL;
	house_pass(h, 1000);
	house_rounds(h, "versions", FAULT_NONE, 10);
	house_stop(h);
	read_days(h, day, &d);
	const unsigned n = sum(&d.day[0].states);
	assert_true(n >= 599 && n <= 602);
}

/* What names components may be what is broken at the next start. */
static void components_are_known_before_anybody_names_them(void **state)
{
	struct judge_house *h = *state;
	const struct component image = {"image", "Images", "Storage", "", "north"};
	const struct component gone = {"gone", "Gone", "Other", "", ""};
	judge_component(h->judge, &image);
	judge_component(h->judge, &gone);
	judge_component_remove(h->judge, "gone");
	house_settle(h);
	house_close(h);
	house_open(h);
	struct judge *j = judge_new(h->loop, h->facts, h->series, &h->options, NULL, NULL, &h->err);
	assert_non_null(j);
	assert_int_equal(judge_component_count(j), 2);
	const struct component *c = judge_component_at(j, 1);
	assert_string_equal(c->name, "Images");
	assert_string_equal(c->category, "Storage");
	assert_string_equal(c->region, "north");
	judge_free(j);
}

int test_restart(void);
int test_restart(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(the_stored_verdict_stands_until_fresh_results_decide),
		judge_test(the_same_state_after_a_restart_is_no_change),
		judge_test(a_stored_verdict_goes_stale_by_the_time_of_its_evidence),
		judge_test(after_a_longer_time_down_it_is_unknown_at_once),
		judge_test(the_feed_holds_one_public_row_a_change),
		judge_test(the_public_feed_tells_each),
		judge_test(what_cannot_be_written_is_shown_and_written_later),
		judge_test(a_time_down_is_a_gap_in_the_history),
		judge_test(a_machine_asleep_is_a_gap),
		judge_test(history_can_be_read_in_parts),
		judge_test(killed_in_the_middle_it_goes_on),
		judge_test(midnight_cuts_the_seconds_exactly),
		judge_test(a_restart_adds_to_the_day),
		judge_test(a_kill_takes_no_more_of_the_day_than_a_second),
		judge_test(killed_before_midnight_the_day_is_whole_all_the_same),
		judge_test(what_was_not_watched_is_not_counted_from_the_facts),
		judge_test(sleep_is_not_counted),
		judge_test(components_are_known_before_anybody_names_them),
	};
	return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
