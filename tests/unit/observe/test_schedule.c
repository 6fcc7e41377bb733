/* The schedule in virtual time: exact times, what does not move them, what is skipped and missed.
 */
#include "../check.h"

#include "observe/schedule.h"

#define START_US  (1790000000LL * 1000000) /* some second of 2026 */
#define MINUTE_NS (60 * NS_PER_S)
#define DAY_NS    (24 * 60 * MINUTE_NS)

struct place {
	struct clock clock;
	struct loop *loop;
	struct schedule *schedule;
};

static void open_at(struct place *p, int64_t unix_us)
{
	struct error err = {0};
	clock_init_virtual(&p->clock, unix_us);
	p->loop = loop_new(&p->clock, &err);
	assert_non_null(p->loop);
	p->schedule = schedule_new(p->loop);
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	open_at(p, START_US);
	*state = p;
	return 0;
}

static void close_place(struct place *p)
{
	schedule_free(p->schedule);
	loop_free(p->loop);
}

static int teardown(void **state)
{
	close_place(*state);
	free(*state);
	return 0;
}

struct seen {
	struct place *place;
	struct job *job;
	size_t n, skipped, wrong;
	int64_t first_ns, last_ns, every_ns;
	struct timer timer;
	int64_t takes_ns; /* < 0: never ends by itself */
	bool remove, built;
};

static void note(struct seen *s)
{
	const int64_t now = loop_now_ns(s->place->loop);
	if (s->n++ == 0)
		s->first_ns = now;
	else if (s->every_ns && now - s->last_ns != s->every_ns)
		s->wrong++;
	s->last_ns = now;
}

static void on_over(struct timer *t)
{
	struct seen *s = t->arg;
	job_done(s->job);
}

static void on_run(void *arg, struct job *j)
{
	struct seen *s = arg;
	s->job = j;
	note(s);
	if (s->built)
		job_built(j);
	if (s->takes_ns > 0)
		timer_start(s->place->loop, &s->timer, s->takes_ns, on_over, s);
	else if (s->takes_ns == 0)
		job_done(j);
	if (s->remove)
		schedule_remove(j);
}

static void on_skipped(void *arg, struct job *j)
{
	struct seen *s = arg;
	s->skipped++;
	assert_int_equal(job_state(j).skips, s->skipped);
}

static struct job *add(struct seen *s, const char *name, int64_t every_ns)
{
	const struct job_options o = {
		.name = name, .every_ns = every_ns, .run = on_run, .skipped = on_skipped, .arg = s};
	s->job = schedule_add(s->place->schedule, &o);
	return s->job;
}

#define MANY 1000

static void test_a_day_of_a_thousand(void **state)
{
	static const int64_t rates[] = {10, 30, 60, 77, 600};
	struct place *p = *state;
	struct seen *seen = mem_new_array(MANY, sizeof(*seen));
	const int64_t began = loop_now_ns(p->loop);
	size_t buckets[10] = {0};
	for (size_t i = 0; i < MANY; i++) {
		char name[32];
		snprintf(name, sizeof(name), "probe-%zu", i);
		seen[i].place = p;
		seen[i].every_ns = rates[i % array_len(rates)] * NS_PER_S;
		/* one in ten takes nearly its whole period, one in ten is longer than that */
		seen[i].takes_ns = i % 10 == 0 ? seen[i].every_ns * 9 / 10 : 0;
		add(&seen[i], name, seen[i].every_ns);
	}
	loop_advance(p->loop, DAY_NS);
	for (size_t i = 0; i < MANY; i++) {
		const struct job_state state_of = job_state(seen[i].job);
		const int64_t first = seen[i].first_ns - began, every = seen[i].every_ns;
		assert_int_equal(seen[i].wrong, 0);
		assert_int_equal(seen[i].n, (DAY_NS - first) / every + 1);
		assert_int_equal(state_of.runs, seen[i].n);
		assert_int_equal(state_of.skips, 0);
		assert_int_equal(state_of.missed, 0);
		assert_int_equal(state_of.worst_late_ns, 0);
		assert_true(first > 0 && first <= every);
		buckets[(first - 1) * 10 / every]++;
	}
	for (size_t i = 0; i < 10; i++) /* spread, not all at once: 100 expected */
		assert_in_range(buckets[i], 50, 150);
	for (size_t i = 0; i < MANY; i++) {
		timer_cancel(&seen[i].timer);
		schedule_remove(seen[i].job);
	}
	free(seen);
}

/* The wall clock is read in whole microseconds. */
static void same_moment(int64_t a_us, int64_t b_us)
{
	assert_in_range(a_us - b_us + 1, 0, 2);
}

static int64_t unix_ns_of_first(const struct place *p, const struct seen *s)
{
	return clock_unix_us(&p->clock) * NS_PER_US - (loop_now_ns(p->loop) - s->first_ns);
}

static void test_the_phase_outlives_a_restart(void **state)
{
	int64_t phase[2];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct place p;
		open_at(&p, START_US + (int64_t)i * 12345678901);
		struct seen s = {.place = &p};
		add(&s, "compute.versions", 30 * NS_PER_S);
		loop_advance(p.loop, 2 * MINUTE_NS);
		phase[i] = unix_ns_of_first(&p, &s) % (30 * NS_PER_S);
		schedule_remove(s.job);
		close_place(&p);
	}
	same_moment(phase[0] / NS_PER_US, phase[1] / NS_PER_US);
	/* That of this name is the same for ever: the first 8 bytes of its SHA-256. */
	const uint64_t drawn = 0x374c13a4da1d40ed % (30 * (uint64_t)NS_PER_S);
	same_moment(phase[0] / NS_PER_US, (int64_t)drawn / NS_PER_US);
}

static void test_a_long_run_moves_nobody(void **state)
{
	struct place *p = *state;
	struct seen longer = {.place = p, .takes_ns = 250 * NS_PER_S},
		    other = {.place = p, .every_ns = MINUTE_NS};
	struct job *j = add(&longer, "long", 100 * NS_PER_S);
	add(&other, "other", MINUTE_NS);
	loop_advance(p->loop, 1000 * NS_PER_S);
	/* Of ten times each third one runs, the two between are under way: counted and told. */
	assert_int_equal(longer.n + longer.skipped, 10);
	assert_int_equal(longer.n, 4);
	assert_int_equal((longer.last_ns - longer.first_ns) % (100 * NS_PER_S), 0);
	assert_int_equal(longer.last_ns - longer.first_ns, 900 * NS_PER_S);
	assert_int_equal(job_state(j).skips, longer.skipped);
	assert_int_equal(other.wrong, 0);
	assert_in_range(other.n, 16, 17);
	timer_cancel(&longer.timer);
	schedule_remove(longer.job);
	schedule_remove(other.job);
}

static void test_overlap(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p, .takes_ns = -1};
	const struct job_options o = {.name = "two",
		.every_ns = NS_PER_S,
		.overlap = 2,
		.run = on_run,
		.skipped = on_skipped,
		.arg = &s};
	struct job *j = schedule_add(p->schedule, &o);
	loop_advance(p->loop, 5 * NS_PER_S);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.skipped, 3);
	assert_int_equal(job_state(j).running, 2);
	job_done(j);
	assert_int_equal(job_state(j).running, 1);
	assert_int_equal(job_state(j).open, 1);
	loop_advance(p->loop, NS_PER_S);
	assert_int_equal(s.n, 3);
	schedule_remove(j);
}

static void test_built_makes_room(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p, .takes_ns = -1, .built = true};
	const struct job_options o = {.name = "scene",
		.every_ns = NS_PER_S,
		.overlap = 1,
		.open = 3,
		.run = on_run,
		.skipped = on_skipped,
		.arg = &s};
	struct job *j = schedule_add(p->schedule, &o);
	loop_advance(p->loop, 5 * NS_PER_S);
	assert_int_equal(s.n, 3); /* each was built at once: three are open, no more */
	assert_int_equal(s.skipped, 2);
	assert_int_equal(job_state(j).running, 0);
	assert_int_equal(job_state(j).open, 3);
	s.built = false;
	job_done(j);
	loop_advance(p->loop, NS_PER_S);
	assert_int_equal(s.n, 4);
	job_done(j); /* of one that was built: the one that runs still holds its place */
	assert_int_equal(job_state(j).running, 1);
	assert_int_equal(job_state(j).open, 2);
	loop_advance(p->loop, NS_PER_S);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.skipped, 3);
	schedule_remove(j);
}

static void test_soon(void **state)
{
	struct place *p = *state;
	struct seen seen[50] = {0};
	const int64_t began = loop_now_ns(p->loop);
	size_t early = 0;
	for (size_t i = 0; i < 50; i++) {
		char name[16];
		snprintf(name, sizeof(name), "soon-%zu", i);
		seen[i].place = p;
		const struct job_options o = {.name = name,
			.every_ns = 10 * MINUTE_NS,
			.soon = true,
			.run = on_run,
			.arg = &seen[i]};
		seen[i].job = schedule_add(p->schedule, &o);
	}
	loop_advance(p->loop, 2 * NS_PER_S);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(seen[i].n, 1);
		early += seen[i].first_ns - began < NS_PER_S;
	}
	assert_in_range(early, 10, 40);
	loop_advance(p->loop, 298 * NS_PER_S);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(seen[i].n, 1); /* not within half a period of it */
	loop_advance(p->loop, 40 * MINUTE_NS);
	for (size_t i = 0; i < 50; i++) {
		const int64_t after = seen[i].last_ns - seen[i].first_ns;
		assert_in_range(seen[i].n, 4, 5);
		assert_in_range(after, 25 * MINUTE_NS, 46 * MINUTE_NS);
		/* then in the phase that it would have had without `soon` */
		struct seen plain = {.place = p};
		const int64_t unix_us = clock_unix_us(&p->clock);
		char name[16];
		snprintf(name, sizeof(name), "soon-%zu", i);
		const int64_t next = job_state(seen[i].job).next_unix_us;
		schedule_remove(seen[i].job);
		add(&plain, name, 10 * MINUTE_NS);
		same_moment(job_state(plain.job).next_unix_us, next);
		assert_true(next > unix_us);
		schedule_remove(plain.job);
	}
}

static void test_the_wall_clock_is_set(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p, .every_ns = 30 * NS_PER_S};
	struct job *j = add(&s, "steady", 30 * NS_PER_S);
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_int_equal(s.n, 10);
	p->clock.unix_us += 3600LL * 1000000 + 7; /* forward: nothing is caught up */
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_int_equal(s.n, 20);
	p->clock.unix_us -= 7200LL * 1000000; /* back: nothing waits */
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_int_equal(s.n, 30);
	assert_int_equal(s.wrong, 0);
	const int64_t left_us = job_state(j).next_unix_us - clock_unix_us(&p->clock);
	assert_in_range(left_us, 1, 30 * 1000000);
	schedule_remove(j);
}

/* A process that was stopped: its clock went on while no timer could fire. */
static void test_missed_times(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p};
	struct job *j = add(&s, "slept", 30 * NS_PER_S);
	loop_advance(p->loop, MINUTE_NS);
	assert_int_equal(s.n, 2);
	const int64_t last = s.last_ns;
	clock_advance(&p->clock, 10 * MINUTE_NS + 29 * NS_PER_S);
	loop_advance(p->loop, 0);
	assert_int_equal(s.n, 2);
	assert_in_range(job_state(j).missed, 20, 21);
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(s.n, 3);
	assert_int_equal((s.last_ns - last) % (30 * NS_PER_S), 0); /* where it always was */
	assert_int_equal(job_state(j).missed + 3, (s.last_ns - s.first_ns) / (30 * NS_PER_S) + 1);
	/* Late by less than a period: it runs, and the next one is not moved. */
	const int64_t due = s.last_ns + 30 * NS_PER_S;
	clock_advance(&p->clock, due + 13 * NS_PER_S - loop_now_ns(p->loop));
	loop_advance(p->loop, 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(job_state(j).worst_late_ns, 13 * NS_PER_S);
	loop_advance(p->loop, 17 * NS_PER_S);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.last_ns, due + 30 * NS_PER_S);
	schedule_remove(j);
}

/* --- standing still --------------------------------------------------------------------------- */

/* A crowd that is watched second by second over a stretch in which nothing could run. */
struct crowd {
	struct seen seen[MANY];
	int64_t closest_ns[MANY]; /* between two runs of one */
	size_t each_second;       /* runs in the one with most, since the stretch */
};

static void add_crowd(struct place *p, struct crowd *c)
{
	static const int64_t rates[] = {10, 60, 300, 3600, 86400};
	for (size_t i = 0; i < MANY; i++) {
		char name[32];
		snprintf(name, sizeof(name), "probe-%zu", i);
		c->seen[i].place = p;
		add(&c->seen[i], name, rates[i % array_len(rates)] * NS_PER_S);
	}
}

static size_t runs_of(const struct crowd *c)
{
	size_t n = 0;
	for (size_t i = 0; i < MANY; i++)
		n += c->seen[i].n;
	return n;
}

static void watch(struct place *p, struct crowd *c, int64_t seconds)
{
	for (int64_t s = 0; s < seconds; s++) {
		int64_t last[MANY];
		size_t before[MANY];
		const size_t all = runs_of(c);
		for (size_t i = 0; i < MANY; i++) {
			last[i] = c->seen[i].last_ns;
			before[i] = c->seen[i].n;
		}
		loop_advance(p->loop, NS_PER_S);
		for (size_t i = 0; i < MANY; i++) {
			const int64_t apart = c->seen[i].last_ns - last[i];
			assert_true(c->seen[i].n - before[i] <= 1);
			if (before[i] && c->seen[i].n > before[i] &&
				(!c->closest_ns[i] || apart < c->closest_ns[i]))
				c->closest_ns[i] = apart;
		}
		if (runs_of(c) - all > c->each_second)
			c->each_second = runs_of(c) - all;
	}
}

/* Each time of each job was a run or is told as missed; none runs twice for one; those to come are
 * where they were; and the crowd does not come all at once. `still`: lets the time pass. */
static void stand_still(struct place *p, void (*still)(struct place *p, int64_t ns), int64_t ns)
{
	struct crowd *c = mem_new(struct crowd);
	int64_t phase[MANY], began[MANY];
	add_crowd(p, c);
	watch(p, c, 700);
	const size_t usual = c->each_second;
	const int64_t before_us = clock_unix_us(&p->clock);
	memset(c->closest_ns, 0, sizeof(c->closest_ns));
	c->each_second = 0;
	for (size_t i = 0; i < MANY; i++) {
		phase[i] = job_state(c->seen[i].job).next_unix_us;
		began[i] = (int64_t)c->seen[i].n;
	}
	still(p, ns);
	watch(p, c, 1000);
	const int64_t now_us = clock_unix_us(&p->clock);
	assert_true(now_us - before_us >= ns / NS_PER_US);
	assert_true(c->each_second <= usual * 5 / 2); /* all at once: more than 100 */
	for (size_t i = 0; i < MANY; i++) {
		const struct job_state s = job_state(c->seen[i].job);
		const int64_t every_us = s.every_ns / NS_PER_US;
		const int64_t due = phase[i] <= now_us ? (now_us - phase[i]) / every_us + 1 : 0;
		const int64_t came = (int64_t)c->seen[i].n - began[i] + (int64_t)s.missed;
		/* One that is put off is still to come. */
		assert_true(came == due || (came == due - 1 && s.next_unix_us < now_us + every_us));
		if (came == due)
			same_moment((s.next_unix_us - phase[i]) % every_us, 0);
		assert_true(!c->closest_ns[i] || c->closest_ns[i] >= s.every_ns / 4);
		schedule_remove(c->seen[i].job);
	}
	free(c);
}

static void sleep_for(struct place *p, int64_t ns)
{
	p->clock.slept_ns += ns;
	p->clock.unix_us += ns / NS_PER_US;
}

static void stop_for(struct place *p, int64_t ns)
{
	clock_advance(&p->clock, ns);
}

static void test_the_machine_slept(void **state)
{
	stand_still(*state, sleep_for, 7 * MINUTE_NS);
}

static void test_the_machine_slept_for_a_night(void **state)
{
	stand_still(*state, sleep_for, 9 * 60 * MINUTE_NS + 123456789000);
}

static void test_the_process_was_stopped(void **state)
{
	stand_still(*state, stop_for, 7 * MINUTE_NS);
}

static void test_the_process_was_stopped_for_seconds(void **state)
{
	stand_still(*state, stop_for, 8 * NS_PER_S);
}

/* Forward or back, with nothing slept: each job goes on as if nothing had been. */
static void set_the_clock(struct place *p, int64_t us)
{
	struct crowd *c = mem_new(struct crowd);
	int64_t left[MANY];
	add_crowd(p, c);
	watch(p, c, 700);
	for (size_t i = 0; i < MANY; i++)
		left[i] = job_state(c->seen[i].job).next_unix_us - clock_unix_us(&p->clock);
	p->clock.unix_us += us;
	for (size_t i = 0; i < MANY; i++) {
		c->seen[i].n = 0;
		c->seen[i].every_ns = job_state(c->seen[i].job).every_ns;
	}
	watch(p, c, 1000);
	for (size_t i = 0; i < MANY; i++) {
		const struct job_state s = job_state(c->seen[i].job);
		const int64_t every_us = s.every_ns / NS_PER_US;
		const int64_t due =
			left[i] <= 1000000000 ? (1000000000 - left[i]) / every_us + 1 : 0;
		assert_int_equal(c->seen[i].n, due);
		assert_int_equal(c->seen[i].wrong, 0);
		assert_int_equal(s.missed, 0);
		schedule_remove(c->seen[i].job);
	}
	free(c);
}

static void test_the_wall_clock_jumps_forward(void **state)
{
	set_the_clock(*state, 3600LL * 1000000 * 26);
}

static void test_the_wall_clock_jumps_back(void **state)
{
	set_the_clock(*state, -3600LL * 1000000 * 26);
}

static void test_removed_inside(void **state)
{
	struct place *p = *state;
	struct seen gone = {.place = p, .remove = true}, stays = {.place = p};
	add(&gone, "gone", NS_PER_S);
	add(&stays, "stays", NS_PER_S);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(gone.n, 1);
	assert_int_equal(stays.n, 3);
	add(&gone, "gone", NS_PER_S); /* the name is free again */
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(gone.n, 2);
	schedule_remove(stays.job);
}

/* One job takes the others off, those due in this very moment too. */
static struct seen *to_remove;

static void on_run_remove_all(void *arg, struct job *j)
{
	job_done(j);
	for (size_t i = 0; i < 3; i++) {
		schedule_remove(to_remove[i].job);
		to_remove[i].job = NULL;
	}
}

static void test_others_removed_inside(void **state)
{
	struct place *p = *state;
	struct seen seen[3] = {{.place = p}, {.place = p}, {.place = p}};
	to_remove = seen;
	add(&seen[0], "a", NS_PER_S);
	add(&seen[1], "b", NS_PER_S);
	const struct job_options o = {
		.name = "c", .every_ns = NS_PER_S, .run = on_run_remove_all, .arg = NULL};
	seen[2].job = schedule_add(p->schedule, &o);
	clock_advance(&p->clock, NS_PER_S - 1); /* all due at once, "c" somewhere among them */
	loop_advance(p->loop, 2 * NS_PER_S);
	for (size_t i = 0; i < 3; i++)
		assert_null(seen[i].job);
	assert_true(seen[0].n <= 1 && seen[1].n <= 1);
}

static void test_under_way_when_removed(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p, .takes_ns = -1};
	add(&s, "hangs", NS_PER_S);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.skipped, 2);
	schedule_remove(s.job);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.skipped, 2);
}

static void test_change(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p};
	struct job *j = add(&s, "changed", 10 * MINUTE_NS);
	loop_advance(p->loop, 10 * MINUTE_NS);
	assert_int_equal(s.n, 1);
	schedule_change(j, MINUTE_NS);
	s.n = 0;
	s.every_ns = MINUTE_NS;
	loop_advance(p->loop, 10 * MINUTE_NS);
	assert_int_equal(s.n, 10);
	assert_int_equal(s.wrong, 0);
	assert_int_equal(job_state(j).every_ns, MINUTE_NS);
	/* The same as of one that always had this rate. */
	const int64_t next = job_state(j).next_unix_us;
	schedule_remove(j);
	add(&s, "changed", MINUTE_NS);
	same_moment(job_state(s.job).next_unix_us, next);
	schedule_remove(s.job);
}

static void test_stop(void **state)
{
	struct place *p = *state;
	struct seen s = {.place = p, .takes_ns = 90 * NS_PER_S};
	struct job *j = add(&s, "stopped", MINUTE_NS);
	loop_advance(p->loop, MINUTE_NS);
	assert_int_equal(s.n, 1);
	schedule_stop(p->schedule);
	assert_int_equal(job_state(j).running, 1);
	loop_advance(p->loop, DAY_NS);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.skipped, 0);
	assert_int_equal(job_state(j).running, 0); /* what was under way went on to its end */
	assert_int_equal(job_state(j).next_unix_us, 0);
	schedule_remove(j);
}

static void on_each(void *arg, const struct job_state *state)
{
	char *names = arg;
	snprintf(names + strlen(names), 32 - strlen(names), "%s ", state->name);
}

static void test_in_order_of_name(void **state)
{
	static const char *const names[] = {"b", "a10", "c", "a2"};
	struct place *p = *state;
	struct seen seen[4] = {0};
	char all[32] = "";
	schedule_each(p->schedule, on_each, all);
	assert_string_equal(all, "");
	for (size_t i = 0; i < 4; i++) {
		seen[i].place = p;
		add(&seen[i], names[i], NS_PER_S);
	}
	schedule_each(p->schedule, on_each, all);
	assert_string_equal(all, "a10 a2 b c ");
	for (size_t i = 0; i < 4; i++)
		schedule_remove(seen[i].job);
}

int test_schedule(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_day_of_a_thousand, setup, teardown),
		cmocka_unit_test(test_the_phase_outlives_a_restart),
		cmocka_unit_test_setup_teardown(test_a_long_run_moves_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_built_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_soon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_wall_clock_is_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_machine_slept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_machine_slept_for_a_night, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_process_was_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_process_was_stopped_for_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_wall_clock_jumps_forward, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_wall_clock_jumps_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_removed_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_under_way_when_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_order_of_name, setup, teardown),
	};
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
