/*
 * test_maintenance.c - windows that come again become events once each, go by the clock, and catch
 * up after stops, sleeps and kill -9; on a virtual clock, over real tables.
 */
#include "event_desk.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tell/maintenance.h"

#define DAY    (24 * HOUR)
#define MINUTE (60 * NS_PER_S)
#define TURNS  10000 /* real milliseconds at least: another thread reads */

static const struct event_impact compute[] = {{"compute", 40}};
static const char *const probes[] = {"gateway", NULL};

/* Daily in Berlin, 22:00 for two hours, told of a day before. */
static struct maintenance_rule nightly(void)
{
	return (struct maintenance_rule){.name = "patch-day",
		.title = "Patch day",
		.text = "Servers restart.",
		.zone = "Europe/Berlin",
		.when = {.every = CALENDAR_DAY, .at_s = 22 * 3600, .length_s = 7200},
		.impacts = compute,
		.impact_count = 1,
		.probes = probes,
		.announce_ms = DAY,
		.is_public = true};
}

struct site {
	struct desk *desk;
	struct events *events;
	struct maintenance *m;
	unsigned changes;
};

static void on_events(void *arg)
{
	struct site *s = arg;
	if (s->m)
		maintenance_wake(s->m);
}

static void on_windows(void *arg)
{
	struct site *s = arg;
	s->changes++;
}

static void open_site(
	struct site *s, struct desk *d, const struct maintenance_rule *rules, size_t n)
{
	*s = (struct site){.desk = d};
	s->events = events_new(d->loop, d->facts, on_events, s, &d->err);
	s->m = s->events ? maintenance_new(
				   d->loop, d->facts, s->events, rules, n, on_windows, s, &d->err)
			 : NULL;
	if (!s->m)
		fail_msg("%s", d->err.msg);
}

static void close_site(struct site *s)
{
	maintenance_free(s->m);
	s->m = NULL;
	events_free(s->events);
}

/* What is begun at a time is done before the next. */
static void pass(struct desk *d, int64_t ns)
{
	for (int64_t left = ns; left > 0; left -= MINUTE)
		loop_advance(d->loop, left < MINUTE ? left : MINUTE);
}

static int64_t desk_ms(const struct desk *d)
{
	return clock_unix_us(&d->clock) / 1000;
}

static json_t *all(struct desk *d)
{
	const struct event_filter f = {.kind = EVENT_MAINTENANCE, .by_begin = true, .limit = 1000};
	return desk_list(d, &f);
}

/* Until so many are in that phase. */
static void until_phase(struct desk *d, const char *phase, size_t want)
{
	for (int i = 0; i < TURNS; i++) {
		size_t n = 0, k;
		json_t *list = all(d), *e;
		json_array_foreach (list, k, e)
			n += !strcmp(json_str(e, "phase"), phase);
		json_decref(list);
		if (n == want)
			return;
		desk_turn(d);
	}
	fail_msg("never %zu %s", want, phase);
}

/* Until what is current has been read again. */
static const struct maintenance_window *until_windows(struct site *s, int64_t ahead_ms, size_t want)
{
	const struct maintenance_window *w;
	for (int i = 0; i < TURNS; i++) {
		if (maintenance_windows(s->m, ahead_ms, &w) == want)
			return w;
		desk_turn(s->desk);
	}
	fail_msg("never %zu windows", want);
	return NULL;
}

static json_t *update(json_t *e, size_t i)
{
	return json_array_get(json_object_get(e, "updates"), i);
}

/* --- occurrences ------------------------------------------------------------------------------ */

static void an_occurrence_goes_through_its_phases(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct maintenance_rule r = nightly();
	open_site(&s, d, &r, 1);
	until_phase(d, "planned", 1);
	json_t *list = all(d), *e = json_array_get(list, 0);
	/* NOON is 13:00 there; at 22:00 of that day it is 21:00Z */
	assert_int_equal(json_int(e, "starts_ms", 0), NOON + 9 * HOUR);
	assert_int_equal(json_int(e, "until_ms", 0), NOON + 11 * HOUR);
	assert_string_equal(json_str(e, "id"), "2026-10-28-patch-day");
	assert_string_equal(json_str(e, "key"), "maintenance:patch-day:2026-10-28");
	assert_string_equal(json_str(e, "by"), "maintenance:patch-day");
	assert_true(json_flag(e, "public") && json_flag(e, "machine"));
	json_decref(list);
	pass(d, 9 * 60 * MINUTE);
	until_phase(d, "in_progress", 1);
	until_phase(d, "planned", 1); /* that of the next day */
	pass(d, 2 * 60 * MINUTE);
	until_phase(d, "completed", 1);
	e = desk_event(d, "2026-10-28-patch-day", AUDIENCE_PUBLIC);
	assert_int_equal(json_int(e, "ended_ms", 0), NOON + 11 * HOUR);
	assert_int_equal(json_int(update(e, 1), "at_ms", 0), NOON + 9 * HOUR);
	assert_true(json_flag(update(e, 1), "machine"));
	assert_int_equal(json_array_size(json_object_get(e, "updates")), 3);
	json_decref(e);
	close_site(&s);
}

static void what_a_human_does_to_one_stays(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct maintenance_rule r = nightly();
	open_site(&s, d, &r, 1);
	until_phase(d, "planned", 1);
	struct event_change c = nothing();
	c.phase = EVENT_CANCELLED;
	assert_true(desk_change(d, "2026-10-28-patch-day", &c, &alice, desk_ms(d)));
	pass(d, 12 * 60 * MINUTE);
	until_phase(d, "planned", 1); /* the next */
	until_phase(d, "cancelled", 1);
	/* later than planned: the clock follows */
	c = nothing();
	c.until_ms = NOON + 36 * HOUR + HOUR / 2;
	c.text = "We need longer.";
	assert_true(desk_change(d, "2026-10-29-patch-day", &c, &alice, desk_ms(d)));
	pass(d, 23 * 60 * MINUTE + 45 * MINUTE);
	until_phase(d, "in_progress", 1);
	assert_true(desk_ms(d) > NOON + 35 * HOUR);
	pass(d, 60 * MINUTE);
	until_phase(d, "completed", 1);
	json_t *e = desk_event(d, "2026-10-29-patch-day", AUDIENCE_PUBLIC);
	assert_int_equal(json_int(e, "ended_ms", 0), NOON + 36 * HOUR + HOUR / 2);
	assert_true(json_flag(e, "taken_over"));
	json_decref(e);
	close_site(&s);
}

static void what_people_plan_goes_by_the_clock_too(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct event_new n = {.kind = EVENT_MAINTENANCE,
		.title = "Switch",
		.phase = EVENT_PLANNED,
		.audience = AUDIENCE_PUBLIC,
		.starts_ms = NOON + HOUR,
		.until_ms = NOON + 2 * HOUR,
		.id = "switch"};
	const struct event_new note = {.kind = EVENT_INFO,
		.title = "Fair",
		.phase = EVENT_PLANNED,
		.audience = AUDIENCE_PUBLIC,
		.starts_ms = NOON + HOUR,
		.id = "fair"};
	open_site(&s, d, NULL, 0);
	assert_true(desk_open(d, &n, &alice, NOON));
	assert_true(desk_open(d, &note, &alice, NOON));
	pass(d, 70 * MINUTE);
	until_phase(d, "in_progress", 1);
	pass(d, 60 * MINUTE);
	until_phase(d, "completed", 1);
	json_t *e = desk_event(d, "switch", AUDIENCE_PUBLIC);
	assert_int_equal(json_int(update(e, 1), "at_ms", 0), NOON + HOUR);
	assert_int_equal(json_int(e, "ended_ms", 0), NOON + 2 * HOUR);
	assert_false(json_flag(e, "taken_over"));
	json_decref(e);
	e = desk_event(d, "fair", AUDIENCE_PUBLIC); /* its end is not known */
	assert_string_equal(json_str(e, "phase"), "active");
	json_decref(e);
	close_site(&s);
}

/* --- stops and sleeps ------------------------------------------------------------------------- */

/* Each date of October once, all phases at their times. */
static void assert_whole(struct desk *d, const char *const *dates, size_t n)
{
	json_t *list = all(d);
	size_t over = 0, i;
	json_t *e;
	json_array_foreach (list, i, e)
		over += json_int(e, "ended_ms", 0) > 0;
	assert_int_equal(over, n);
	for (i = 0; i < n; i++) {
		char *key = mem_printf("maintenance:patch-day:%s", dates[i]);
		char *id = mem_printf("%s-patch-day", dates[i]);
		e = desk_event(d, id, AUDIENCE_OPERATORS);
		if (!e)
			fail_msg("%s was lost", id);
		assert_string_equal(json_str(e, "key"), key);
		assert_string_equal(json_str(e, "phase"), "completed");
		assert_int_equal(json_array_size(json_object_get(e, "updates")), 3);
		assert_int_equal(json_int(update(e, 1), "at_ms", 0), json_int(e, "starts_ms", 0));
		assert_int_equal(json_int(update(e, 2), "at_ms", 0), json_int(e, "until_ms", 0));
		assert_int_equal(json_int(e, "ended_ms", 0), json_int(e, "until_ms", 0));
		json_decref(e);
		free(key);
		free(id);
	}
	json_decref(list);
}

static const char *const dates[] = {"2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31"};

static void what_was_missed_is_caught_up(void **state)
{
	struct desk *d = *state;
	struct site s;
	struct maintenance_rule r = nightly();
	open_site(&s, d, &r, 1);
	until_phase(d, "planned", 1);
	close_site(&s);
	clock_advance(&d->clock, 4 * DAY * NS_PER_MS - 30 * MINUTE); /* stopped */
	open_site(&s, d, &r, 1);
	until_phase(d, "completed", 4);
	assert_whole(d, dates, 4);
	json_t *late = desk_event(d, "2026-10-30-patch-day", AUDIENCE_PUBLIC);
	assert_true(
		json_int(late, "created_ms", 0) > json_int(late, "ended_ms", 0)); /* it says so */
	json_decref(late);
	close_site(&s);
}

static void a_rule_that_is_new_has_no_past(void **state)
{
	struct desk *d = *state;
	struct site s;
	struct maintenance_rule r = nightly();
	r.when.from_day = 0;
	r.announce_ms = 0;
	open_site(&s, d, &r, 1);
	pass(d, 60 * MINUTE);
	json_t *list = all(d);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	close_site(&s);
}

/* A process of its own, ended in the middle of anything. */
static void run_and_die(const struct desk *d, int64_t at_ms, unsigned after_us)
{
	const pid_t pid = fork();
	if (!pid) {
		struct desk own = {0};
		struct site s;
		const struct maintenance_rule r = nightly();
		memcpy(own.dir, d->dir, sizeof(own.dir));
		clock_init_virtual(&own.clock, at_ms * 1000);
		own.loop = loop_new(&own.clock, &own.err);
		own.facts = facts_open(own.dir, own.loop, &own.err);
		if (!own.facts || !event_migrate(own.facts, &own.err))
			_exit(1);
		open_site(&s, &own, &r, 1);
		for (int i = 0; i < 8 * 60; i++)
			pass(&own, MINUTE);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	usleep(after_us);
	kill(pid, SIGKILL);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void each_comes_once_through_kills(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct maintenance_rule r = nightly();
	open_site(&s, d, &r, 1); /* so that the rule is known from here on */
	until_phase(d, "planned", 1);
	close_site(&s);
	facts_close(d->facts);
	for (unsigned i = 0; i < 24; i++) /* each begins 4 hours later, whatever was reached */
		run_and_die(d, NOON + i * 4 * HOUR, 2000 + i * 1931 % 40000);
	clock_init_virtual(&d->clock, (NOON + 4 * DAY - HOUR / 2) * 1000);
	d->facts = facts_open(d->dir, d->loop, &d->err);
	open_site(&s, d, &r, 1);
	until_phase(d, "completed", array_len(dates));
	until_phase(d, "planned", 1);
	assert_whole(d, dates, array_len(dates));
	close_site(&s);
}

/* --- windows ---------------------------------------------------------------------------------- */

static void windows_are_what_is_declared_and_what_will_be(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct maintenance_window *w;
	struct maintenance_rule r[2] = {nightly(), nightly()};
	r[1].name = "quiet";
	r[1].announce_ms = -1;
	r[1].when.at_s = 3 * 3600;
	open_site(&s, d, r, 2);
	until_phase(d, "planned", 1);
	/* those of the first rule: one is announced, the next is not yet; two of the other */
	w = until_windows(&s, 2 * DAY, 4);
	assert_string_equal(w[0].event, "2026-10-28-patch-day");
	assert_int_equal(w[0].from_ms, NOON + 9 * HOUR);
	assert_string_equal(w[0].components[0], "compute");
	assert_null(w[0].components[1]);
	assert_string_equal(w[0].probes[0], "gateway");
	assert_null(w[1].event);
	assert_int_equal(w[1].from_ms, NOON + 33 * HOUR);
	assert_null(w[2].event);
	assert_int_equal(w[2].from_ms, NOON + 14 * HOUR);
	assert_string_equal(w[3].components[0], "compute");

	struct event_change c = nothing();
	c.phase = EVENT_CANCELLED; /* then there is none, and the rule does not bring it back */
	s.changes = 0;
	assert_true(desk_change(d, "2026-10-28-patch-day", &c, &alice, desk_ms(d)));
	w = until_windows(&s, 20 * HOUR, 1);
	assert_null(w[0].event);
	assert_true(s.changes > 0);
	close_site(&s);
}

static void drafts_say_nothing_but_those_of_rules(void **state)
{
	struct desk *d = *state;
	struct site s;
	const struct maintenance_window *w;
	struct maintenance_rule r = nightly();
	r.is_public = false;
	const struct event_new draft = {.kind = EVENT_MAINTENANCE,
		.title = "Perhaps",
		.phase = EVENT_PLANNED,
		.audience = AUDIENCE_OPERATORS,
		.starts_ms = NOON + HOUR,
		.until_ms = NOON + 2 * HOUR,
		.impacts = compute,
		.impact_count = 1};
	assert_true(desk_open(d, &draft, &alice, NOON));
	open_site(&s, d, &r, 1);
	until_phase(d, "planned", 2);
	w = until_windows(&s, 20 * HOUR, 1);
	assert_int_equal(w[0].from_ms, NOON + 9 * HOUR);
	assert_null(w[0].event); /* its id is nothing for the public */
	close_site(&s);
}

static void another_configuration_leaves_what_is_announced(void **state)
{
	struct desk *d = *state;
	struct site s;
	struct maintenance_rule r = nightly();
	const struct maintenance_window *w;
	open_site(&s, d, &r, 1);
	until_phase(d, "planned", 1);
	r.zone = "Nowhere/At_All";
	assert_false(maintenance_configure(s.m, &r, 1, &d->err));
	assert_non_null(strstr(d->err.msg, "maintenance patch-day"));
	until_windows(&s, 20 * HOUR, 1);
	assert_true(maintenance_configure(s.m, NULL, 0, &d->err));
	assert_int_equal(maintenance_windows(s.m, 20 * HOUR, &w), 1);
	assert_string_equal(w[0].event, "2026-10-28-patch-day");
	pass(d, 12 * 60 * MINUTE);
	until_phase(d, "completed", 1);
	json_t *list = all(d);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	close_site(&s);
}

int test_maintenance(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(an_occurrence_goes_through_its_phases),
		desk_test(what_a_human_does_to_one_stays),
		desk_test(what_people_plan_goes_by_the_clock_too),
		desk_test(what_was_missed_is_caught_up),
		desk_test(a_rule_that_is_new_has_no_past),
		desk_test(each_comes_once_through_kills),
		desk_test(windows_are_what_is_declared_and_what_will_be),
		desk_test(drafts_say_nothing_but_those_of_rules),
		desk_test(another_configuration_leaves_what_is_announced),
	};
	return cmocka_run_group_tests_name("maintenance", tests, NULL, NULL);
}
