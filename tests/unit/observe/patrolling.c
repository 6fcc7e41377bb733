/*
 * patrolling.c - see patrolling.h.
 */
#include "patrolling.h"

#include "../store/remove_tree.h"

struct fake fake;

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

static char clouds[2]; /* two addresses of clouds that nobody looks into */

int patrolling_up(void **state)
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

int patrolling_down(void **state)
{
	struct place *p = *state;
	assert_int_equal(fake.runs, fake.freed);
	schedule_free(p->schedule);
	series_close(p->series);
	if (*p->dir)
		remove_tree(p->dir);
	loop_free(p->loop);
	buf_fini(&p->told);
	buf_fini(&p->seen);
	free(p);
	return 0;
}

void patrolling_store(struct place *p, const char *dir)
{
	struct error err = {0};
	snprintf(p->dir, sizeof(p->dir), "%s", dir);
	p->series = series_open(dir, p->loop, NULL, &err);
	assert_non_null(p->series);
}

void patrolling_stopped(void *arg)
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
		patrol_stop(p->to_stop, MINUTE_NS, patrolling_stopped, p);
	if (p->sees_to_stop)
		patrol_stop(p->sees_to_stop, MINUTE_NS, patrolling_stopped, p);
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
		patrol_stop(p->to_stop, MINUTE_NS, patrolling_stopped, p);
	p->to_stop = NULL;
}

static char scene_name[] = "scene";
const struct scenario patrolling_scene = {.name = scene_name};

struct patrol *patrolling_begin(struct place *p, const char *name, const struct check_tools *tools)
{
	const struct patrol_options o = {
		.name = name,
		.instance = "here",
		.location = "outside",
		.component_prefix = "prod-",
		.every_ns = 10 * MINUTE_NS,
	};
	return patrol_new_with(&hands, p->schedule, tools, NULL, &patrolling_scene, NULL, p->series,
		&o, on_seen, on_ended, on_told, p);
}

size_t patrolling_count(const struct place *p, const char *what)
{
	size_t n = 0;
	for (const char *at = buf_str(&p->told); (at = strstr(at, what)); at++)
		n++;
	return n;
}

void patrolling_end(struct place *p, struct patrol *patrol)
{
	p->stopped = false;
	patrol_stop(patrol, 10 * MINUTE_NS, patrolling_stopped, p);
	assert_false(p->stopped);
	loop_advance(p->loop, 15 * MINUTE_NS);
	assert_true(p->stopped);
	patrol_free(patrol);
}

struct run_row patrolling_row(const char *name, enum element_state state, enum fault fault)
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
