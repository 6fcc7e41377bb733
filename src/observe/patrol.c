/*
 * patrol.c - the times of a scenario and the worlds it has open; see patrol.h.
 *
 * A round is freed only when its run has told its end and that is recorded. Stopping asks the runs
 * that still build to go to teardown and leaves those in teardown alone; when the budget has passed
 * each is asked once more, which for a run means to give up (run_stop()).
 */

#include "observe/patrol_inside.h"

#include <assert.h>
#include <string.h>

#include "observe/boots.h"

#define EVERY_NS (10 * 60 * NS_PER_S)

void patrol_tell(struct patrol *p, const char *fmt, ...)
{
	if (!p->told)
		return;
	va_list ap;
	va_start(ap, fmt);
	char *what = mem_vprintf(fmt, ap);
	va_end(ap);
	p->told(p->arg, p, what);
	free(what);
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void on_last(struct timer *t)
{
	struct patrol *p = t->arg;
	p->told_stopped = true;
	if (p->stopped)
		p->stopped(p->stopped_arg);
}

/* Whether everything has ended after a stop; it is told in a turn of its own. */
static void look_whether_over(struct patrol *p)
{
	if (p->job || p->rounds.n || p->cleaning || p->told_stopped || timer_running(&p->last))
		return;
	timer_cancel(&p->budget);
	timer_start(p->loop, &p->last, 0, on_last, p);
}

void patrol_cleaned(struct patrol *p)
{
	look_whether_over(p);
}

/* --- rounds ------------------------------------------------------------------------------------
 */

static void round_built(struct round *r)
{
	if (r->built)
		return;
	r->built = true;
	if (r->patrol->job)
		job_built(r->patrol->job);
}

static void round_end(struct round *r)
{
	struct patrol *p = r->patrol;
	round_built(r);
	if (p->job)
		job_done(p->job);
	for (size_t i = 0; i < p->rounds.n; i++) {
		if (p->rounds.p[i] == r) {
			vec_remove(&p->rounds, i);
			break;
		}
	}
	free(r);
}

static void on_event(void *arg, const struct run_event *e)
{
	struct round *r = arg;
	const bool teardown = e->type == RUN_EVENT_PHASE && e->phase == RUN_TEARDOWN;
	if (e->type == RUN_EVENT_READY || e->type == RUN_EVENT_WARN || e->type == RUN_EVENT_FAILED)
		recording_step(r->recording, e->row);
	if (teardown || e->type == RUN_EVENT_HELD)
		round_built(r);
	r->held = e->type == RUN_EVENT_HELD || (r->held && !teardown);
	if (e->type == RUN_EVENT_HELD && r->patrol->on_held)
		r->patrol->on_held(r->patrol->arg, r->patrol, r->run, e->detail);
}

/* Letting go of a big run takes a turn of its own. */
static void on_told_all(struct timer *t)
{
	struct round *r = t->arg;
	struct patrol *p = r->patrol;
	p->hands->run_free(r->run);
	round_end(r);
	look_whether_over(p);
}

static void on_recorded(void *arg)
{
	struct round *r = arg;
	struct patrol *p = r->patrol;
	const struct run_report *report = r->over;
	r->recording = NULL;
	timer_start(p->loop, &r->last, 0, on_told_all, r);
	if (report->error && report->error->kind == ERROR_STORE)
		patrol_tell(p, "the journal refuses: %s", report->error->msg);
	if (p->ended)
		p->ended(p->arg, p, report);
}

static void on_done(void *arg, const struct run_report *report)
{
	struct round *r = arg;
	r->over = report;
	recording_end(r->recording, report, on_recorded, r);
}

static void round_begin(struct round *r)
{
	struct patrol *p = r->patrol;
	const struct run_options options = {
		.instance = p->instance,
		.location = p->location,
		.params = p->params,
		.hold = p->hold_ns ? HOLD_ON_FAILURE : HOLD_NEVER,
		.hold_ns = p->hold_ns,
		.event = on_event,
		.event_arg = r,
		.called = p->name,
		.measured = p->measured,
		.measured_arg = p->measured_arg,
	};
	r->recording = recording_new(p, r);
	r->run = p->hands->run(p->tools, p->journal, p->scenario, p->kinds, &options, on_done, r);
}

/* Of the runs of one scenario one builds at a time, so that one waits at most. */
void patrol_swept(struct patrol *p)
{
	for (size_t i = 0; i < p->rounds.n; i++)
		if (!p->rounds.p[i]->run)
			round_begin(p->rounds.p[i]);
}

/* Why a run may not begin within a budget; owned, NULL: it may. What cannot be counted is held to
 * be used up: else more would be made without end. */
static char *over_budget(struct patrol *p, const struct budget *b, const char *scenario)
{
	struct cost used, next = p->bill, last;
	struct error err = {0};
	if (!budget_is_set(b))
		return NULL;
	const char *cloud = p->hands->cloud_name(p->tools->cloud);
	struct facts *f = journal_facts(p->journal);
	if (!budget_used(f, cloud, p->instance, scenario, clock_unix_us(loop_clock(p->loop)), &used,
		    &err))
		return mem_printf("what was used of the budget cannot be counted: %s", err.msg);
	if (budget_last_cost(f, cloud, p->scenario->name, &last))
		next = last;
	return budget_refuses(b, scenario ? "the scenario's" : "the cloud's", &used, &next);
}

/* Told as any other run that could not. */
static void refuse(struct patrol *p, const char *why)
{
	struct error err = {0};
	error_set(&err, ERROR_CONFIG, "%s", why);
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.began_unix_us = clock_unix_us(loop_clock(p->loop)),
		.error = &err,
		.fault = FAULT_BUDGET,
		.component = ""};
	patrol_record(p, &report);
	if (p->ended)
		p->ended(p->arg, p, &report);
}

static void on_due(void *arg, struct job *job)
{
	struct patrol *p = arg;
	char *why = over_budget(p, &p->per_hour, p->scenario->name);
	if (!why)
		why = over_budget(p, &p->cloud_per_hour, NULL);
	if (why) {
		job_skip(job, why);
		refuse(p, why);
		free(why);
		return;
	}
	if (p->runs && ++p->begun == p->runs)
		job_rest(job);
	struct round *r = mem_new(struct round);
	r->patrol = p;
	vec_push(&p->rounds, r);
	if (cleaning_ready(p))
		round_begin(r);
}

static void on_skipped(void *arg, struct job *job)
{
	struct patrol *p = arg;
	const struct job_state s = job_state(job);
	if (s.open >= PATROL_OPEN_MAX)
		patrol_tell(p, "skipped a run: %u worlds are open", s.open);
	else if (p->rounds.n && !p->rounds.p[p->rounds.n - 1]->run)
		patrol_tell(p, "skipped a run: what dead runs left is still being swept");
	else
		patrol_tell(p, "skipped a run: the last one is still building");
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void give_up(struct patrol *p)
{
	size_t n = 0;
	p->gave_up = true;
	for (size_t i = 0; i < p->rounds.n; i++) {
		struct round *r = p->rounds.p[i];
		if (r->run && !r->over) {
			p->hands->run_stop(r->run);
			n++;
		}
	}
	if (n)
		patrol_tell(p,
			"gave up %zu worlds: what they hold stays in the ledger for the next start",
			n);
}

static void on_budget(struct timer *t)
{
	give_up(t->arg);
}

static void stop_rounds(struct patrol *p)
{
	for (size_t i = p->rounds.n; i-- > 0;) {
		struct round *r = p->rounds.p[i];
		if (!r->run)
			round_end(r);
		else if ((!r->built || r->held) && !r->over)
			p->hands->run_stop(r->run);
	}
}

void patrol_stop(struct patrol *p, int64_t budget_ns, void (*done)(void *arg), void *arg)
{
	assert(p->job);
	p->stopped = done;
	p->stopped_arg = arg;
	schedule_remove(p->job);
	p->job = NULL;
	stop_rounds(p);
	if (cleaning_leave(p))
		p->cleaning = NULL;
	timer_start(p->loop, &p->budget, budget_ns, on_budget, p);
	look_whether_over(p);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct patrol *patrol_new_with(const struct patrol_hands *hands, struct schedule *s,
	const struct check_tools *tools, struct journal *journal, const struct scenario *scenario,
	const struct kinds *kinds, struct series_store *series,
	const struct patrol_options *options, observation_signal *seen, patrol_ended *ended,
	patrol_told *told, void *arg)
{
	assert(options->instance);
	struct patrol *p = mem_new(struct patrol);
	p->hands = hands;
	p->schedule = s;
	p->loop = schedule_loop(s);
	p->tools = tools;
	p->journal = journal;
	p->scenario = scenario;
	p->kinds = kinds;
	p->series = series;
	p->name = mem_strdup(options->name ? options->name : scenario->name);
	p->instance = mem_strdup(options->instance);
	p->location = mem_strdup(options->location);
	p->component_prefix = mem_strdup(options->component_prefix);
	p->params = options->params ? json_deep_copy(options->params) : NULL;
	p->runs = options->runs;
	p->hold_ns = options->hold_ns;
	p->per_hour = options->budget;
	p->cloud_per_hour = options->cloud_budget;
	p->bill = options->bill;
	p->seen = seen;
	p->ended = ended;
	p->told = told;
	p->arg = arg;
	p->measured = options->measured;
	p->measured_arg = options->measured_arg;
	const struct job_options job = {
		.name = p->name,
		.every_ns = options->every_ns ? options->every_ns : EVERY_NS,
		.soon = true,
		.overlap = 1,
		.open = PATROL_OPEN_MAX,
		.run = on_due,
		.skipped = on_skipped,
		.arg = p,
	};
	cleaning_join(p);
	p->job = schedule_add(s, &job);
	return p;
}

static const char *name_of_cloud(const struct cloud *c)
{
	return cloud_configuration(c)->name;
}

/* As it is configured: that of an unreachable cloud is not known otherwise. */
static const char *region_of_cloud(const struct cloud *c)
{
	return cloud_configuration(c)->region;
}

static void forget(struct journal *j, int64_t before_unix_us)
{
	journal_forget_reports(j, before_unix_us);
	boots_forget(journal_facts(j), before_unix_us);
}

const struct patrol_hands patrol_hands = {
	.run = run_start,
	.step = run_step,
	.run_stop = run_stop,
	.run_free = run_free,
	.open_waits = run_open_waits,
	.sweep = sweep_start,
	.sweep_cancel = sweep_cancel,
	.sweep_free = sweep_free,
	.bury = journal_bury,
	.forget_reports = forget,
	.cloud_name = name_of_cloud,
	.region = region_of_cloud,
};

struct patrol *patrol_new(struct schedule *s, const struct check_tools *tools,
	struct journal *journal, const struct scenario *scenario, const struct kinds *kinds,
	struct series_store *series, const struct patrol_options *options, observation_signal *seen,
	patrol_ended *ended, patrol_told *told, void *arg)
{
	return patrol_new_with(&patrol_hands, s, tools, journal, scenario, kinds, series, options,
		seen, ended, told, arg);
}

static void set_true(void *arg)
{
	*(bool *)arg = true;
}

void patrol_free(struct patrol *p)
{
	if (!p)
		return;
	if (!p->told_stopped) {
		bool over = false;
		if (p->job)
			patrol_stop(p, 0, NULL, NULL);
		else if (!p->gave_up)
			give_up(p);
		p->stopped = set_true;
		p->stopped_arg = &over;
		while (!over) /* somebody may stop the loop meanwhile */
			loop_run_until(p->loop, &over);
	}
	assert(!p->rounds.n && !p->cleaning);
	timer_cancel(&p->budget);
	timer_cancel(&p->last);
	vec_fini(&p->rounds);
	json_decref(p->params);
	free(p->name);
	free(p->instance);
	free(p->location);
	free(p->component_prefix);
	free(p);
}

void patrol_on_held(struct patrol *p, patrol_held *held)
{
	p->on_held = held;
}

bool patrol_is_over(const struct patrol *p)
{
	return p->runs && p->begun >= p->runs && !p->rounds.n;
}

size_t patrol_open(const struct patrol *p)
{
	return p->rounds.n;
}

void patrol_open_waits(const struct patrol *p, measure_signal *cb, void *arg)
{
	for (size_t i = 0; i < p->rounds.n; i++)
		if (p->rounds.p[i]->run)
			p->hands->open_waits(p->rounds.p[i]->run, cb, arg);
}

const char *patrol_name(const struct patrol *p)
{
	return p->name;
}

const struct scenario *patrol_scenario(const struct patrol *p)
{
	return p->scenario;
}
