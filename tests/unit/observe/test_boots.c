/* What failed boots have in common, and nothing else; rows of the table of boots. */
#include "../check.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "observe/boots.h"

#define NOW_MS  1795675282000LL
#define HOUR_MS 3600000LL

struct place {
	char dir[64];
	struct loop *loop;
	struct facts *facts;
	unsigned seen;
	int64_t last_at_ms;
	bool ordered;
	char *server;
};

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	snprintf(p->dir, sizeof(p->dir), "/tmp/unit-boots-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->loop = loop_new(NULL, &err);
	p->facts = facts_open(p->dir, p->loop, &err);
	*state = p;
	return p->facts && boots_prepare(p->facts, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;
	facts_close(p->facts);
	loop_free(p->loop);
	char *command = mem_printf("rm -rf %s", p->dir);
	const int code = system(command);
	free(command);
	free(p->server);
	free(p);
	return code;
}
#define boots_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct boot { /* one of each run */
	const char *host, *zone, *volume_type, *image, *flavor;
	enum fault fault;
	int64_t ago_ms;
};

static json_t *boot_of(const struct boot *b)
{
	json_t *j = json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:[{s:s, s:f}]}", "server",
		"one", "host", b->host, "zone", b->zone, "volume_type", b->volume_type, "image",
		b->image, "flavor", b->flavor, "good", b->fault == FAULT_NONE, "phases", "name",
		"spawn", "ms", 5.0);
	if (b->fault != FAULT_NONE)
		json_object_set_new(j, "fault", json_string(fault_name(b->fault)));
	return j;
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	return true;
}

/* The writer takes jobs in order: what comes back from it is behind all before. */
static void flush(struct place *p)
{
	struct error err = {0};
	assert_true(facts_call(p->facts, nothing, NULL, &err));
}

static void note_as(struct place *p, const struct boot *b, const char *cloud, bool stopped)
{
	static unsigned number;
	json_t *j = boot_of(b);
	const struct run_row row = {.name = (char[]){"server"},
		.boot = j,
		.state = ELEMENT_READY,
		.ready_ns = 7 * NS_PER_S};
	struct run_report report = {.rows = &row,
		.row_count = 1,
		.stopped = stopped,
		.began_unix_us = (NOW_MS - b->ago_ms) * 1000};
	snprintf(report.label, sizeof(report.label), "run-%u", number++);
	boots_note(p->facts, cloud, "login", &report);
	json_decref(j);
}

static void note(struct place *p, size_t times, const struct boot b)
{
	for (size_t i = 0; i < times; i++)
		note_as(p, &b, "prod", false);
	flush(p);
}

static void common(struct place *p, const char *expected)
{
	struct boots_common c;
	const bool found = boots_common(p->facts, "prod", NOW_MS, NULL, NULL, &c);
	assert_int_equal(found, expected != NULL);
	if (!found)
		return;
	char *text = boots_common_text(&c);
	assert_string_equal(text, expected);
	free(text);
	boots_common_fini(&c);
}

/* --- in common -------------------------------------------------------------------------------- */

static void two_failures_have_nothing_in_common(void **state)
{
	struct place *p = *state;
	note(p, 2, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH});
	note(p, 7, (struct boot){.host = "b"});
	common(p, NULL);
	note(p, 1, (struct boot){.host = "a", .fault = FAULT_TIMEOUT});
	common(p,
		"all 3 failures of 24 h were on host a, where 0 of 3 came up; elsewhere 7 of 7 "
		"did");
}

static void what_the_good_ones_share_explains_nothing(void **state)
{
	struct place *p = *state;
	note(p, 3, (struct boot){.host = "a", .zone = "z", .fault = FAULT_SSH_AUTH});
	note(p, 3, (struct boot){.host = "a", .zone = "z"});
	note(p, 5, (struct boot){.host = "b", .zone = "z"});
	common(p, NULL); /* as many came up there as failed, and the zone is that of all */
}

static void where_nothing_else_was_tried_nothing_is_said(void **state)
{
	struct place *p = *state;
	note(p, 5, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH});
	common(p, NULL);
}

static void failures_on_two_hosts_of_a_zone_are_the_zones(void **state)
{
	struct place *p = *state;
	note(p, 2, (struct boot){.host = "a", .zone = "z1", .fault = FAULT_SSH_AUTH});
	note(p, 2, (struct boot){.host = "b", .zone = "z1", .fault = FAULT_SSH_AUTH});
	note(p, 1, (struct boot){.host = "c", .zone = "z2"});
	common(p,
		"all 4 failures of 24 h were in zone z1, where 0 of 4 came up; elsewhere 1 of 1 "
		"did");
}

static void the_host_is_said_before_the_zone(void **state)
{
	struct place *p = *state;
	note(p, 3, (struct boot){"a", "z1", "ssd", "i", "f", FAULT_SSH_AUTH, 0});
	note(p, 1, (struct boot){"b", "z2", "hdd", "j", "g", FAULT_NONE, 0});
	common(p,
		"all 3 failures of 24 h were on host a, where 0 of 3 came up; elsewhere 1 of 1 "
		"did");
}

static void types_images_and_flavors_are_looked_at_too(void **state)
{
	struct place *p = *state;
	note(p, 2, (struct boot){"a", "z1", NULL, "i", "f", FAULT_SSH_AUTH, 0});
	note(p, 1, (struct boot){"b", "z2", NULL, "i", "g", FAULT_SSH_AUTH, 0});
	note(p, 2, (struct boot){"a", "z2", NULL, "j", "f", FAULT_NONE, 0});
	common(p,
		"all 3 failures of 24 h were of image i, where 0 of 3 came up; elsewhere 2 of 2 "
		"did");
}

static void what_is_not_the_clouds_counts_nowhere(void **state)
{
	struct place *p = *state;
	note(p, 5, (struct boot){.host = "a", .fault = FAULT_QUOTA});
	note(p, 2, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH});
	note(p, 3, (struct boot){.host = "b"});
	common(p, NULL);
	note(p, 1, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH});
	common(p,
		"all 3 failures of 24 h were on host a, where 0 of 3 came up; elsewhere 3 of 3 "
		"did");
}

static void yesterdays_and_other_clouds_are_not_counted(void **state)
{
	struct place *p = *state;
	const struct boot elsewhere = {.host = "a", .fault = FAULT_SSH_AUTH};
	note(p, 2, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH, .ago_ms = 23 * HOUR_MS});
	note(p, 5, (struct boot){.host = "a", .fault = FAULT_SSH_AUTH, .ago_ms = 25 * HOUR_MS});
	note_as(p, &elsewhere, "other", false);
	note_as(p, &elsewhere, "prod", true); /* we stopped it */
	note(p, 1, (struct boot){.host = "b"});
	common(p, NULL);
}

/* Its rows may be there already, or not: they count once. */
static void a_run_that_just_ended_counts_once(void **state)
{
	struct place *p = *state;
	const struct boot bad = {.host = "a", .fault = FAULT_SSH_AUTH};
	json_t *j = boot_of(&bad);
	const struct run_row row = {.name = (char[]){"server"}, .boot = j, .state = ELEMENT_READY};
	const struct run_report report = {
		.label = "mine", .rows = &row, .row_count = 1, .began_unix_us = NOW_MS * 1000};
	note(p, 2, bad);
	note(p, 1, (struct boot){.host = "b"});
	json_t *boots = json_pack("{s:O}", "one", j);
	for (int i = 0; i < 2; i++) {
		struct boots_common c;
		assert_true(boots_common(p->facts, "prod", NOW_MS, "mine", boots, &c));
		assert_string_equal(c.dimension, "host");
		assert_string_equal(c.value, "a");
		assert_int_equal(c.failed, 3);
		assert_int_equal(c.came_up, 0);
		assert_int_equal(c.elsewhere, 1);
		boots_common_fini(&c);
		boots_note(p->facts, "prod", "login", &report);
		flush(p);
	}
	json_decref(boots);
	json_decref(j);
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool on_row(void *arg, const struct boot_row *row)
{
	struct place *p = arg;
	p->ordered = !p->seen || (p->ordered && row->at_ms <= p->last_at_ms);
	p->last_at_ms = row->at_ms;
	p->seen++;
	free(p->server);
	p->server = mem_printf("%s %s %s %s %lld %s", row->scenario, row->step, row->server,
		row->host ? row->host : "-", (long long)row->ready_ms, row->phases);
	return true;
}

static unsigned read_since(struct place *p, int64_t since_ms, size_t limit)
{
	struct error err = {0};
	p->seen = 0;
	assert_true(boots_read(p->facts, "prod", since_ms, limit, on_row, p, &err));
	return p->seen;
}

static void rows_come_newest_first_and_go_when_they_are_old(void **state)
{
	struct place *p = *state;
	for (int i = 0; i < 5; i++)
		note(p, 1, (struct boot){.host = i ? "a" : NULL, .ago_ms = i * HOUR_MS});
	assert_int_equal(read_since(p, 0, 100), 5);
	assert_true(p->ordered);
	assert_int_equal(p->last_at_ms, NOW_MS - 4 * HOUR_MS);
	assert_string_equal(p->server, "login server one a 7000 [{\"name\":\"spawn\",\"ms\":5.0}]");
	assert_int_equal(read_since(p, NOW_MS - 2 * HOUR_MS, 100), 3);
	assert_int_equal(read_since(p, 0, 2), 2);
	assert_int_equal(read_since(p, 0, 1), 1);
	assert_non_null(strstr(p->server, "one - 7000"));
	boots_forget(p->facts, (NOW_MS - 3 * HOUR_MS) * 1000);
	flush(p);
	assert_int_equal(read_since(p, 0, 100), 4);
}

int test_boots(void);
int test_boots(void)
{
	const struct CMUnitTest tests[] = {
		boots_test(two_failures_have_nothing_in_common),
		boots_test(what_the_good_ones_share_explains_nothing),
		boots_test(where_nothing_else_was_tried_nothing_is_said),
		boots_test(failures_on_two_hosts_of_a_zone_are_the_zones),
		boots_test(the_host_is_said_before_the_zone),
		boots_test(types_images_and_flavors_are_looked_at_too),
		boots_test(what_is_not_the_clouds_counts_nowhere),
		boots_test(yesterdays_and_other_clouds_are_not_counted),
		boots_test(a_run_that_just_ended_counts_once),
		boots_test(rows_come_newest_first_and_go_when_they_are_old),
	};
	return cmocka_run_group_tests_name("boots", tests, NULL, NULL);
}
