/* Patrols in virtual time, with hands that only pretend to run and sweep. */
#include "../check.h"

#include <stdlib.h>
#include <unistd.h>

#include "observe/patrol_inside.h"
#include "observe/record.h"

#define START_US  (1790000000LL * 1000000)
#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS   (60 * MINUTE_NS)

struct fake_run {
	struct timer timer;
	struct run_options options;
	void (*done)(void *arg, const struct run_report *report);
	void *arg;
	struct run_report report, step;
	struct timer step_timer;
	size_t steps_ended;
	bool building, stopped, given_up, over;
};

struct fake_sweep {
	struct timer timer;
	struct sweep_options options;
	void (*done)(void *arg, const struct sweep_report *r);
	void *arg;
	struct sweep_report report;
};

/* What the hands did, and what they are to do. */
static struct fake {
	struct loop *loop;
	int64_t build_ns, teardown_ns, sweep_ns, last_moment_ns;
	bool sweep_fails;
	const struct run_report *report; /* NULL: passed */
	size_t early; /* so many of its steps end one after the other, each when it is ready */
	struct error error;
	size_t runs, freed, stops, given_up, open, most_open, building, most_building;
	size_t sweeps, journal_sweeps, cancelled, buried, forgot;
	int64_t sweep_ended_ns, first_run_ns;
	int64_t forgot_before_us;
} fake;

static void run_over(struct timer *t)
{
	struct fake_run *r = t->arg;
	timer_cancel(&r->step_timer);
	if (fake.report)
		r->report = *fake.report;
	else
		r->report = (struct run_report){.component = ""};
	r->report.began_unix_us = START_US;
	r->report.stopped = r->stopped;
	r->over = true;
	fake.open--;
	r->done(r->arg, &r->report);
}

static void run_built(struct timer *t)
{
	struct fake_run *r = t->arg;
	fake.building -= r->building;
	r->building = false;
	const struct run_event e = {.type = RUN_EVENT_PHASE, .phase = RUN_TEARDOWN};
	r->options.event(r->options.event_arg, &e);
	timer_start(fake.loop, &r->timer, fake.teardown_ns, run_over, r);
}

static void steps_end(struct timer *t);

/* The next one, if there is one and nobody has stopped us. */
static void await_step(struct fake_run *r, int64_t now_ns)
{
	const size_t i = r->steps_ended;
	if (i < fake.early && !r->stopped)
		timer_start(fake.loop, &r->step_timer, fake.report->rows[i].ready_ns - now_ns,
			steps_end, r);
}

static void step_ends(struct fake_run *r)
{
	const struct run_row *row = &fake.report->rows[r->steps_ended];
	const struct run_event e = {.type = row->state == ELEMENT_READY    ? RUN_EVENT_READY
					    : row->state == ELEMENT_FAILED ? RUN_EVENT_FAILED
									   : RUN_EVENT_SKIPPED,
		.phase = r->building ? RUN_BUILDING : RUN_TEARDOWN,
		.row = r->steps_ended++,
		.name = row->name};
	r->options.event(r->options.event_arg, &e);
}

static void steps_end(struct timer *t)
{
	struct fake_run *r = t->arg;
	const int64_t now_ns = fake.report->rows[r->steps_ended].ready_ns;
	while (r->steps_ended < fake.early && fake.report->rows[r->steps_ended].ready_ns <= now_ns)
		step_ends(r);
	await_step(r, now_ns);
}

static const struct run_report *fake_step(struct run *run, size_t row)
{
	struct fake_run *r = (struct fake_run *)run;
	assert_true(row < r->steps_ended);
	if (r->over)
		return NULL;
	r->step = *fake.report;
	r->step.began_unix_us = START_US;
	r->step.stopped = r->stopped;
	r->step.rows += row;
	r->step.row_count = 1;
	return &r->step;
}

static struct run *fake_run(const struct check_tools *tools, struct journal *journal,
	const struct scenario *scenario, const struct kinds *kinds,
	const struct run_options *options, void (*done)(void *arg, const struct run_report *report),
	void *arg)
{
	struct fake_run *r = mem_new(struct fake_run);
	r->options = *options;
	r->done = done;
	r->arg = arg;
	r->building = true;
	if (fake.runs++ == 0)
		fake.first_run_ns = loop_now_ns(fake.loop);
	if (++fake.open > fake.most_open)
		fake.most_open = fake.open;
	if (++fake.building > fake.most_building)
		fake.most_building = fake.building;
	assert_string_equal(options->instance, "here");
	await_step(r, 0);
	/* What cannot even start has no teardown. */
	if (fake.report && fake.report->error) {
		fake.building--;
		timer_start(fake.loop, &r->timer, fake.build_ns, run_over, r);
	} else {
		timer_start(fake.loop, &r->timer, fake.build_ns, run_built, r);
	}
	return (struct run *)r;
}

static void fake_run_stop(struct run *run)
{
	struct fake_run *r = (struct fake_run *)run;
	fake.stops++;
	if (r->building && !r->stopped) {
		r->stopped = true;
		timer_start(fake.loop, &r->timer, 0, run_built, r);
		return;
	}
	assert_false(r->given_up);
	r->given_up = true;
	fake.given_up++;
	timer_start(fake.loop, &r->timer, fake.last_moment_ns, run_over, r);
}

static void fake_run_free(struct run *run)
{
	struct fake_run *r = (struct fake_run *)run;
	assert_false(timer_running(&r->timer));
	fake.freed++;
	free(r);
}

static void sweep_over(struct timer *t)
{
	struct fake_sweep *s = t->arg;
	fake.sweep_ended_ns = loop_now_ns(fake.loop);
	s->report.found = 3;
	s->report.deleted = 2;
	s->report.unsure = 1;
	if (fake.sweep_fails) {
		error_set(&fake.error, ERROR_CLOUD, "no route");
		s->report = (struct sweep_report){.error = &fake.error};
	}
	s->done(s->arg, &s->report);
}

static struct sweep *fake_sweep(struct loop *l, struct cloud *c, const struct kinds *k,
	struct journal *j, const struct sweep_options *o,
	void (*event)(void *arg, const struct sweep_event *e),
	void (*done)(void *arg, const struct sweep_report *r), void *arg)
{
	struct fake_sweep *s = mem_new(struct fake_sweep);
	s->options = *o;
	s->done = done;
	s->arg = arg;
	fake.sweeps++;
	fake.journal_sweeps += o->journal_only;
	assert_string_equal(o->instance, "here");
	assert_true(o->journal_only || o->older_ns == 2 * HOUR_NS);
	timer_start(l, &s->timer, fake.sweep_ns, sweep_over, s);
	return (struct sweep *)s;
}

static void fake_sweep_cancel(struct sweep *sweep)
{
	struct fake_sweep *s = (struct fake_sweep *)sweep;
	fake.cancelled++;
	timer_start(fake.loop, &s->timer, NS_PER_S, sweep_over, s);
}

static void fake_sweep_free(struct sweep *sweep)
{
	free(sweep);
}

static void fake_bury(struct journal *j, const char *cloud, const char *instance)
{
	assert_string_equal(cloud, "prod");
	assert_string_equal(instance, "here");
	fake.buried++;
}

static void fake_forget(struct journal *j, int64_t before_unix_us)
{
	fake.forgot++;
	fake.forgot_before_us = before_unix_us;
}

static const char *fake_name(const struct cloud *c)
{
	return "prod";
}

static const char *fake_region(const struct cloud *c)
{
	return NULL;
}

static const struct patrol_hands hands = {
	.run = fake_run,
	.step = fake_step,
	.run_stop = fake_run_stop,
	.run_free = fake_run_free,
	.sweep = fake_sweep,
	.sweep_cancel = fake_sweep_cancel,
	.sweep_free = fake_sweep_free,
	.bury = fake_bury,
	.forget_reports = fake_forget,
	.cloud_name = fake_name,
	.region = fake_region,
};

/* --- a place -----------------------------------------------------------------------------------
 */

struct place {
	struct clock clock;
	struct loop *loop;
	struct schedule *schedule;
	struct check_tools tools, other_tools;
	struct buf told, seen;
	size_t ended;
	bool stopped;
	struct patrol *to_stop; /* by the first who is told something, or who sees the middle */
	struct patrol *sees_to_stop; /* by who sees the middle */
	size_t observations, middle;
	bool in_the_middle;
};

static char clouds[2]; /* two addresses of clouds that nobody looks into */

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	clock_init_virtual(&p->clock, START_US);
	p->loop = loop_new(&p->clock, &err);
	assert_non_null(p->loop);
	p->schedule = schedule_new(p->loop);
	p->tools.loop = p->other_tools.loop = p->loop;
	p->tools.cloud = (struct cloud *)&clouds[0];
	p->other_tools.cloud = (struct cloud *)&clouds[1];
	p->told = p->seen = BUF(BUF_PAGE);
	memset(&fake, 0, sizeof(fake));
	fake.loop = p->loop;
	fake.build_ns = MINUTE_NS;
	fake.teardown_ns = MINUTE_NS;
	fake.sweep_ns = 20 * NS_PER_S;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	assert_int_equal(fake.runs, fake.freed);
	schedule_free(p->schedule);
	loop_free(p->loop);
	buf_fini(&p->told);
	buf_fini(&p->seen);
	free(p);
	return 0;
}

static void on_stopped(void *arg)
{
	struct place *p = arg;
	assert_false(p->stopped);
	p->stopped = true;
}

static void on_seen(void *arg, const struct observation *o)
{
	struct place *p = arg;
	buf_printf(&p->seen, "%s %s %s %s %s%s %s at=%lld took=%lld %s %s %s\n", o->cloud, o->probe,
		o->step ? o->step : "-", o->component[0] ? o->component : "-", fault_name(o->fault),
		o->warned ? "+warned" : "",
		o->severity == SEVERITY_OUTAGE     ? "outage"
		: o->severity == SEVERITY_DEGRADED ? "degraded"
						   : "note",
		(long long)(o->at_ms - START_US / 1000), (long long)o->total_us, o->run,
		o->detail ? o->detail : "-", o->request_id ? o->request_id : "-");
	if (++p->observations != p->middle)
		return;
	p->in_the_middle = true;
	if (p->to_stop)
		patrol_stop(p->to_stop, MINUTE_NS, on_stopped, p);
	if (p->sees_to_stop)
		patrol_stop(p->sees_to_stop, MINUTE_NS, on_stopped, p);
	p->to_stop = NULL;
}

static void on_ended(void *arg, struct patrol *patrol, const struct run_report *report)
{
	struct place *p = arg;
	p->ended++;
}

static void on_told(void *arg, struct patrol *patrol, const char *what)
{
	struct place *p = arg;
	buf_printf(&p->told, "%s: %s\n", patrol_name(patrol), what);
	if (p->to_stop)
		patrol_stop(p->to_stop, MINUTE_NS, on_stopped, p);
	p->to_stop = NULL;
}

static char scene_name[] = "scene";
static const struct scenario scene = {.name = scene_name};

static struct patrol *begin(struct place *p, const char *name, const struct check_tools *tools)
{
	const struct patrol_options o = {
		.name = name,
		.instance = "here",
		.location = "outside",
		.component_prefix = "prod-",
		.every_ns = 10 * MINUTE_NS,
	};
	return patrol_new_with(&hands, p->schedule, tools, NULL, &scene, NULL, NULL, &o, on_seen,
		on_ended, on_told, p);
}

static size_t count(const struct place *p, const char *what)
{
	size_t n = 0;
	for (const char *at = buf_str(&p->told); (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void end(struct place *p, struct patrol *patrol)
{
	p->stopped = false;
	patrol_stop(patrol, 10 * MINUTE_NS, on_stopped, p);
	assert_false(p->stopped);
	loop_advance(p->loop, 15 * MINUTE_NS);
	assert_true(p->stopped);
	patrol_free(patrol);
}

/* --- times and worlds --------------------------------------------------------------------------
 */

static void test_again_and_again(void **state)
{
	struct place *p = *state;
	struct patrol *a = begin(p, NULL, &p->tools);
	assert_string_equal(patrol_name(a), "scene");
	assert_ptr_equal(patrol_scenario(a), &scene);
	loop_advance(p->loop, 24 * HOUR_NS);
	assert_in_range(fake.runs, 144, 145);
	assert_int_equal(fake.most_open, 1);
	assert_true(p->ended + 1 >= fake.runs);
	assert_int_equal(count(p, "skipped"), 0);
	end(p, a);
	assert_int_equal(p->ended, fake.runs);
}

static void test_teardown_holds_nobody_back(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 15 * MINUTE_NS; /* longer than the rate, but two at once suffice */
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 24 * HOUR_NS);
	assert_in_range(fake.runs, 144, 145);
	assert_int_equal(fake.most_open, 2);
	assert_int_equal(fake.most_building, 1);
	assert_int_equal(count(p, "skipped"), 0);
	end(p, a);
}

static void test_three_worlds_at_most(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 24 * HOUR_NS;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 2 * HOUR_NS);
	assert_int_equal(fake.runs, PATROL_OPEN_MAX);
	assert_int_equal(fake.most_open, PATROL_OPEN_MAX);
	assert_int_equal(patrol_open(a), PATROL_OPEN_MAX);
	assert_in_range(count(p, "scene: skipped a run: 3 worlds are open\n"), 9, 10);
	patrol_free(a); /* gives up, and waits for that */
	assert_int_equal(fake.given_up, PATROL_OPEN_MAX);
}

static void test_building_holds_back(void **state)
{
	struct place *p = *state;
	fake.build_ns = 25 * MINUTE_NS;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 6 * HOUR_NS);
	assert_int_equal(fake.most_building, 1);
	const size_t skipped = count(p, "scene: skipped a run: the last one is still building\n");
	assert_in_range(fake.runs, 11, 13); /* every third time */
	assert_in_range(skipped, 22, 25);
	patrol_free(a);
}

/* --- sweeps ------------------------------------------------------------------------------------
 */

static void test_one_sweep_first(void **state)
{
	struct place *p = *state;
	struct patrol *a = begin(p, "one", &p->tools), *b = begin(p, "two", &p->tools);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(fake.sweeps, 1); /* for both */
	assert_int_equal(fake.journal_sweeps, 1);
	assert_int_equal(fake.runs, 0);
	assert_int_equal(patrol_open(a) + patrol_open(b), 2); /* wait for it */
	loop_advance(p->loop, 20 * NS_PER_S);
	assert_int_equal(fake.runs, 2);
	assert_int_equal(fake.first_run_ns, fake.sweep_ended_ns);
	assert_int_equal(fake.buried, 1);
	assert_int_equal(fake.forgot, 1);
	const int64_t age_us = clock_unix_us(&p->clock) - fake.forgot_before_us;
	assert_in_range(age_us, 90LL * 86400 * 1000000, 90LL * 86400 * 1000000 + 30 * 1000000);
	assert_int_equal(count(p, "dead runs had left 3 objects: 2 deleted, 0 gone, 1 left"), 1);
	loop_advance(p->loop, 25 * HOUR_NS);
	assert_in_range(fake.sweeps, 26, 27); /* hourly, one for both */
	assert_int_equal(fake.journal_sweeps, 1);
	assert_int_equal(fake.forgot, 2); /* daily */
	end(p, a);
	const size_t before = fake.sweeps;
	loop_advance(p->loop, 2 * HOUR_NS); /* goes on for the other */
	assert_int_equal(fake.sweeps, before + 2);
	end(p, b);
	loop_advance(p->loop, 2 * HOUR_NS);
	assert_in_range(fake.sweeps, before + 2, before + 3);
}

static void test_a_sweep_for_each_cloud(void **state)
{
	struct place *p = *state;
	struct patrol *a = begin(p, "one", &p->tools), *b = begin(p, "two", &p->other_tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(fake.journal_sweeps, 2);
	assert_int_equal(fake.runs, 2);
	end(p, a);
	end(p, b);
}

static void test_a_failed_sweep_delays_once(void **state)
{
	struct place *p = *state;
	fake.sweep_fails = true;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(fake.runs, 1);
	assert_int_equal(count(p, "could not sweep what dead runs left: no route"), 1);
	fake.sweep_fails = false;
	fake.sweep_ns = 30 * MINUTE_NS;
	loop_advance(p->loop, 15 * MINUTE_NS);
	assert_int_equal(fake.journal_sweeps, 2); /* again, and nobody waits */
	assert_int_equal(fake.runs, 2);
	loop_advance(p->loop, 60 * MINUTE_NS);
	assert_int_equal(fake.journal_sweeps, 2);
	end(p, a);
}

static void test_stopped_during_the_sweep(void **state)
{
	struct place *p = *state;
	fake.sweep_ns = HOUR_NS;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 25 * MINUTE_NS);
	assert_int_equal(fake.runs, 0);
	assert_true(count(p, "skipped a run: what dead runs left is still being swept") >= 1);
	patrol_stop(a, MINUTE_NS, on_stopped, p);
	assert_int_equal(fake.cancelled, 1);
	loop_advance(p->loop, NS_PER_S / 2);
	assert_false(p->stopped); /* the sweep still uses what is borrowed */
	loop_advance(p->loop, NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(fake.runs, 0);
	patrol_free(a);
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void test_stop_tears_down(void **state)
{
	struct place *p = *state;
	fake.build_ns = 30 * MINUTE_NS;
	fake.teardown_ns = 90 * NS_PER_S;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 15 * MINUTE_NS);
	patrol_stop(a, 2 * MINUTE_NS, on_stopped, p);
	assert_int_equal(fake.stops, 1);
	loop_advance(p->loop, 89 * NS_PER_S);
	assert_false(p->stopped);
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(fake.given_up, 0);
	assert_int_equal(patrol_open(a), 0);
	loop_advance(p->loop, HOUR_NS);
	assert_int_equal(fake.runs, 1); /* no new one */
	patrol_free(a);
}

static void test_budget(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 25 * MINUTE_NS;
	fake.build_ns = 5 * MINUTE_NS;
	fake.last_moment_ns = 2 * NS_PER_S;
	struct patrol *a = begin(p, NULL, &p->tools);
	while (fake.building == 0 || fake.open < 3)
		loop_advance(p->loop, MINUTE_NS);
	patrol_stop(a, 2 * MINUTE_NS, on_stopped, p);
	/* Those in teardown are left to it, the one that builds goes there. */
	assert_int_equal(fake.stops, 1);
	const size_t open = fake.open;
	loop_advance(p->loop, 2 * MINUTE_NS + NS_PER_S);
	assert_false(p->stopped);
	assert_in_range(fake.given_up, 2, open);
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(count(p, "what they hold stays in the ledger for the next start"), 1);
	patrol_free(a);
}

static void test_freed_in_the_middle(void **state)
{
	struct place *p = *state;
	fake.build_ns = HOUR_NS;
	fake.last_moment_ns = 2 * NS_PER_S;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_int_equal(fake.open, 1);
	patrol_stop(a, 2 * MINUTE_NS, on_stopped, p);
	patrol_free(a);
	assert_int_equal(fake.given_up, 1);
	assert_int_equal(fake.freed, 1);
}

/* Whoever is told something may stop the patrol: of the sweep, of what is skipped. */
static void test_stopped_by_who_is_told(void **state)
{
	struct place *p = *state;
	p->to_stop = begin(p, "one", &p->tools);
	struct patrol *a = p->to_stop;
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(count(p, "one: dead runs had left"), 1);
	assert_true(p->stopped);
	assert_int_equal(fake.runs, 0);
	patrol_free(a);
	fake.build_ns = HOUR_NS;
	p->stopped = false;
	a = begin(p, "two", &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	p->to_stop = a;
	loop_advance(p->loop, 30 * MINUTE_NS);
	assert_int_equal(count(p, "two: skipped a run: the last one is still building"), 1);
	assert_true(p->stopped);
	patrol_free(a);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static struct run_row row(const char *name, enum element_state state, enum fault fault)
{
	return (struct run_row){
		.name = (char *)(uintptr_t)name,
		.component = (char *)(uintptr_t) "Block storage",
		.metric = (char *)(uintptr_t)name,
		.state = state,
		.fault = fault,
		.first_cause = state == ELEMENT_FAILED && fault != FAULT_CANCELLED,
		.detail = (char *)(uintptr_t) "why",
		.request_id = (char *)(uintptr_t) "req-1",
		.start_ns = 2 * NS_PER_S,
		.answer_ns = 3 * NS_PER_S,
		.ready_ns = 5 * NS_PER_S,
		.critical = -1,
	};
}

static void see_once(struct place *p, const struct run_report *report)
{
	fake.report = report;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 4 * MINUTE_NS);
	assert_int_equal(p->ended, 1);
	end(p, a);
}

static void test_seen(void **state)
{
	struct run_row rows[] = {
		row("net", ELEMENT_READY, FAULT_NONE),
		row("slow", ELEMENT_READY, FAULT_NONE),
		row("server[1]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		row("full", ELEMENT_FAILED, FAULT_QUOTA),
		row("after", ELEMENT_SKIPPED, FAULT_NONE),
		row("never", ELEMENT_ABSENT, FAULT_NONE),
		row("ours", ELEMENT_FAILED, FAULT_CANCELLED),
		row("ping", ELEMENT_FAILED, FAULT_EVALUATION),
	};
	rows[1].degraded = true;
	rows[1].component = (char *)(uintptr_t) "Network";
	rows[3].grade = GRADE_DEGRADED;
	rows[7].start_ns = -1;
	rows[7].component = (char *)(uintptr_t) "";
	rows[7].grade = GRADE_NOTE;
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.built_ns = 9 * NS_PER_S,
		.component = ""};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n"
		"prod scene slow prod-network none+warned outage at=2000 took=3000000 abc-xyz why req-1\n"
		"prod scene server[1] prod-block-storage no_capacity outage at=2000 took=3000000 abc-xyz "
		"why req-1\n"
		"prod scene full prod-block-storage quota degraded at=2000 took=3000000 abc-xyz why "
		"req-1\n"
		"prod scene ping - evaluation note at=5000 took=0 abc-xyz why req-1\n");
}

static void test_could_not_run(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_CONFIG, "the password was refused");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_HTTP_401,
		.component = "identity"};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene - prod-identity unauthorized outage at=0 took=0 abc-xyz the password was "
		"refused -\n");
}

static void test_nobodys_trouble(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_STORE, "the disk is full");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_LOCAL,
		.component = ""};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene - - local outage at=0 took=0 abc-xyz the disk is full -\n");
	assert_int_equal(count(p, "the journal refuses: the disk is full"), 1);
}

/* Of what it stopped; what had ended by itself before that stands. */
static void test_stopped_says_nothing(void **state)
{
	struct run_row rows[] = {row("net", ELEMENT_READY, FAULT_NONE),
		row("server", ELEMENT_FAILED, FAULT_CANCELLED)};
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = 2,
		.component = ""};
	static const char net[] =
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n";
	struct place *p = *state;
	fake.report = &report;
	fake.early = 1;
	fake.build_ns = HOUR_NS;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_string_equal(buf_str(&p->seen), net);
	end(p, a);
	assert_int_equal(p->ended, 1);
	assert_string_equal(buf_str(&p->seen), net);
}

/* What could not even begin because we stopped it is nobody's trouble. */
static void test_stopped_before_it_began(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_CANCELLED, "stopped before anything was made");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_CANCELLED,
		.component = ""};
	struct place *p = *state;
	fake.report = &report;
	fake.build_ns = HOUR_NS;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	end(p, a);
	assert_int_equal(p->ended, 1);
	assert_string_equal(buf_str(&p->seen), "");
}

/* --- while the run goes on ---------------------------------------------------------------------
 */

static void test_a_step_is_told_as_it_ends(void **state)
{
	struct run_row rows[] = {row("net", ELEMENT_READY, FAULT_NONE),
		row("server", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		row("after", ELEMENT_SKIPPED, FAULT_NONE), row("late", ELEMENT_READY, FAULT_NONE)};
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.built_ns = MINUTE_NS,
		.component = ""};
	static const char early[] =
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n"
		"prod scene server prod-block-storage no_capacity outage at=2000 took=3000000 "
		"abc-xyz why req-1\n";
	static const char late[] =
		"prod scene late prod-block-storage none outage at=2000 took=43000000 abc-xyz - "
		"req-1\n";
	struct place *p = *state;
	rows[3].ready_ns = 45 * NS_PER_S;
	fake.report = &report;
	fake.early = array_len(rows);
	fake.sweep_ns = 0;
	fake.teardown_ns = 10 * MINUTE_NS; /* or held so long */
	struct patrol *a = begin(p, NULL, &p->tools);
	while (!fake.runs)
		loop_advance(p->loop, NS_PER_S / 4);
	loop_advance(p->loop, 4 * NS_PER_S);
	assert_string_equal(buf_str(&p->seen), "");
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_string_equal(buf_str(&p->seen), early);
	loop_advance(p->loop, 2 * MINUTE_NS);
	char *all = mem_printf("%s%s", early, late);
	assert_string_equal(buf_str(&p->seen), all);
	assert_int_equal(p->ended, 0);
	assert_int_equal(patrol_open(a), 1);
	end(p, a); /* no second time */
	assert_string_equal(buf_str(&p->seen), all);
	assert_int_equal(p->ended, 1);
	free(all);
}

/* Servers that fail together are told together; who gets in late is no news for the others. */
static void test_boots_wait_for_each_other(void **state)
{
	struct run_row rows[] = {row("server[0]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		row("net", ELEMENT_READY, FAULT_NONE),
		row("server[1]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		row("server[2]", ELEMENT_FAILED, FAULT_NO_CAPACITY)};
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.component = ""};
	struct place *p = *state;
	json_t *boot = json_pack("{s:s, s:b}", "server", "id", "good", 0);
	rows[0].blamed = rows[2].blamed = rows[3].blamed = boot;
	rows[1].ready_ns = 6 * NS_PER_S;
	rows[2].ready_ns = 8 * NS_PER_S;
	rows[3].ready_ns = 30 * NS_PER_S;
	fake.report = &report;
	fake.early = array_len(rows);
	fake.sweep_ns = 0;
	fake.build_ns = 32 * NS_PER_S; /* the last one has not waited long enough then */
	fake.teardown_ns = 0;
	struct patrol *a = begin(p, NULL, &p->tools);
	while (!fake.runs)
		loop_advance(p->loop, NS_PER_S / 4);
	loop_advance(p->loop, 9 * NS_PER_S);
	assert_int_equal(p->observations, 1);
	assert_non_null(strstr(buf_str(&p->seen), "scene net "));
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_int_equal(p->observations, 3);
	assert_non_null(strstr(buf_str(&p->seen), "scene server[0] "));
	assert_non_null(strstr(buf_str(&p->seen), "scene server[1] "));
	loop_advance(p->loop, 20 * NS_PER_S);
	assert_int_equal(p->observations, 3);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(p->ended, 1);
	assert_int_equal(p->observations, 4);
	assert_non_null(strstr(buf_str(&p->seen), "scene server[2] "));
	end(p, a);
	assert_int_equal(p->observations, 4);
	json_decref(boot);
}

/* --- a big run is recorded a piece a turn ------------------------------------------------------
 */

#define STEPS 1500

struct big {
	char names[STEPS][20];
	struct run_row rows[STEPS];
	struct run_report report;
	struct buf expected;
};

static void big_init(struct big *b)
{
	b->expected = BUF(BUF_PAGE);
	for (int i = 0; i < STEPS; i++) {
		snprintf(b->names[i], sizeof(b->names[i]), "server%d", i);
		b->rows[i] = row(b->names[i], ELEMENT_READY, FAULT_NONE);
		buf_printf(&b->expected,
			"prod scene %s prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n",
			b->names[i]);
	}
	b->report = (struct run_report){
		.label = "abc-xyz", .rows = b->rows, .row_count = STEPS, .component = ""};
	fake.report = &b->report;
}

/* All was told, in order, and all is over. */
static void big_is_told(struct place *p, struct big *b)
{
	assert_string_equal(buf_str(&p->seen), buf_str(&b->expected));
	assert_int_equal(p->observations, STEPS);
	assert_int_equal(p->ended, 1);
	assert_int_equal(fake.freed, 1);
	buf_fini(&b->expected);
	free(b);
}

static struct patrol *until_the_middle(struct place *p, struct big *b)
{
	big_init(b);
	p->middle = STEPS / 2;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_run_until(p->loop, &p->in_the_middle);
	assert_in_range(p->observations, STEPS / 2, STEPS - 1); /* others have their turn */
	assert_int_equal(patrol_open(a), 1);
	assert_int_equal(p->ended, 0);
	assert_int_equal(fake.freed, 0);
	return a;
}

static void test_a_big_run(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	struct patrol *a = until_the_middle(p, b);
	loop_advance(p->loop, NS_PER_S);
	assert_int_equal(patrol_open(a), 0);
	end(p, a);
	big_is_told(p, b);
}

static void test_freed_while_it_records(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	patrol_free(until_the_middle(p, b));
	assert_int_equal(fake.stops, 0);
	big_is_told(p, b);
}

static void test_stopped_by_who_sees(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	p->middle = STEPS / 2;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S); /* swept, and builds */
	p->to_stop = a;
	loop_run_until(p->loop, &p->stopped);
	assert_int_equal(patrol_open(a), 0);
	patrol_free(a);
	assert_int_equal(fake.stops, 0);
	big_is_told(p, b);
}

/* All its steps end at once, and the run ends while they are being told. */
static void test_a_big_run_ends_while_it_is_told(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	fake.early = STEPS;
	fake.build_ns = 5 * NS_PER_S;
	fake.teardown_ns = 0;
	p->middle = STEPS / 2;
	struct patrol *a = begin(p, NULL, &p->tools);
	loop_run_until(p->loop, &p->in_the_middle);
	assert_in_range(p->observations, STEPS / 2, STEPS - 1); /* others have their turn */
	assert_int_equal(p->ended, 0);
	loop_advance(p->loop, NS_PER_S);
	end(p, a);
	big_is_told(p, b);
}

/* Stopped by who sees the middle of it: what had ended is told all the same. */
static void test_a_big_run_is_stopped_while_it_is_told(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	fake.early = STEPS;
	fake.build_ns = HOUR_NS;
	fake.teardown_ns = 10 * NS_PER_S;
	p->middle = STEPS / 2;
	struct patrol *a = begin(p, NULL, &p->tools);
	p->sees_to_stop = a;
	loop_run_until(p->loop, &p->stopped);
	patrol_free(a);
	assert_int_equal(fake.stops, 1);
	big_is_told(p, b);
}

/* What the series store is given of a run in pieces is what it is given of it at once. */
static void test_series_of_a_big_run(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	char dir[] = "/tmp/unit-patrol-XXXXXX";
	struct error err = {0};
	assert_non_null(mkdtemp(dir));
	struct series_store *st = series_open(dir, p->loop, NULL, &err);
	assert_non_null(st);
	big_init(b);
	const struct patrol_options o = {
		.instance = "here", .location = "outside", .every_ns = HOUR_NS};
	struct patrol *a = patrol_new_with(&hands, p->schedule, &p->tools, NULL, &scene, NULL, st,
		&o, NULL, on_ended, on_told, p);
	loop_advance(p->loop, 4 * MINUTE_NS);
	const uint64_t in_pieces = series_status(st).appended;
	assert_int_equal(p->ended, 1);
	assert_int_equal(in_pieces, STEPS + 1);
	assert_int_equal(series_status(st).series, STEPS + 1);
	const struct record at_once = {.store = st,
		.place = {.cloud = "prod", .location = "outside"},
		.scenario = "scene",
		.report = &b->report};
	b->report.began_unix_us = START_US;
	record_run(&at_once);
	assert_int_equal(series_status(st).appended, 2 * in_pieces);
	assert_int_equal(series_status(st).series, STEPS + 1); /* the same ones */
	end(p, a);
	series_close(st);
	char *command = mem_printf("rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	free(command);
	buf_fini(&b->expected);
	free(b);
}

int test_patrol(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_teardown_holds_nobody_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_three_worlds_at_most, setup, teardown),
		cmocka_unit_test_setup_teardown(test_building_holds_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_sweep_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sweep_for_each_cloud, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_failed_sweep_delays_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_during_the_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_tears_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_by_who_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_could_not_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobodys_trouble, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_says_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_before_it_began, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_step_is_told_as_it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boots_wait_for_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_big_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_it_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_by_who_sees, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_big_run_ends_while_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_big_run_is_stopped_while_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_series_of_a_big_run, setup, teardown),
	};
	return cmocka_run_group_tests_name("patrol", tests, NULL, NULL);
}
