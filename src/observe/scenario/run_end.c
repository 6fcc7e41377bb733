/*
 * run_end.c - the end of a run: its report is made a piece a turn, as that of thousands of steps
 * takes longer than others on the loop may be kept waiting, and goes into the journal; then its
 * tasks are let go, a piece a turn as well, and whoever started the run is told.
 */

#include "observe/scenario/run_json.h"
#include "observe/scenario/runner.h"

static void tell(struct run *r)
{
	r->outstanding--;
	r->phase = RUN_ENDED;
	run_emit(r, RUN_EVENT_PHASE, NULL, "%s", verdict_name(r->report.verdict));
	measure_run(r);
	r->done(r->arg, &r->report);
}

/* Whether there is more to be done, after a turn of it. */
static bool goes_on(struct run *r, bool (*piece)(struct run *r))
{
	const int64_t until = loop_now_ns(r->tools.loop) + TURN_NS;
	while (piece(r))
		if (loop_now_ns(r->tools.loop) > until)
			return true;
	return false;
}

/* The report is made of them, and of nothing of theirs. */
static bool free_task(struct run *r)
{
	if (!r->tasks.n)
		return false;
	task_free(r->tasks.p[--r->tasks.n]);
	return true;
}

static void on_free(struct timer *t)
{
	struct run *r = t->arg;
	if (goes_on(r, free_task))
		timer_start(r->tools.loop, &r->kick, 0, on_free, r);
	else
		tell(r);
}

static void let_go(struct run *r)
{
	timer_start(r->tools.loop, &r->kick, 0, on_free, r);
}

static void on_journal_end(void *arg, const struct error *err)
{
	struct run *r = arg;
	if (err && !r->has_error) {
		r->error = *err;
		r->has_error = true;
		r->error_fault = FAULT_LOCAL;
		report_judge(r);
	}
	let_go(r);
}

/* Runs of different concurrency are not to be compared. */
static json_t *limits_json(const struct run *r)
{
	const struct cloud_options limits = cloud_limits(r->tools.cloud);
	return json_pack(
		"{s:i, s:i}", "inflight", (int)limits.inflight, "compute", (int)limits.compute);
}

static void end_in_journal(struct timer *t)
{
	struct run *r = t->arg;
	json_t *limits = limits_json(r), *summary = run_json_summary(&r->report);
	char *report = run_text_take(r->text);
	json_object_update(summary, limits);
	const struct journal_result result = {
		.verdict = verdict_name(r->report.verdict), .summary = summary, .report = report};
	struct journal_run *j = r->journal_run;
	r->text = NULL;
	r->journal_run = NULL;
	journal_run_end(j, &result, on_journal_end, r);
	json_decref(limits);
	json_decref(summary);
	free(report);
}

/* Nothing asks for the object and the body of what has its row, but rows of servers for those of
 * their volumes: they are most of what a run holds, and letting go of all at once takes as long as
 * making them. */
static bool make_row(struct run *r)
{
	const size_t i = r->rows.n;
	if (!report_row(r))
		return false;
	if (i < r->tasks.n) {
		struct task *t = r->tasks.p[i];
		value_drop(&t->body);
		t->body = VALUE_NOTHING;
		if (t->step->kind && !strcmp(t->step->kind->name, "volume"))
			return true;
		json_decref(t->element->object);
		t->element->object = NULL;
	}
	return true;
}

static bool write_step(struct run *r)
{
	return run_text_step(r->text);
}

static void on_write(struct timer *t)
{
	struct run *r = t->arg;
	const bool more = goes_on(r, write_step);
	timer_start(r->tools.loop, &r->kick, 0, more ? on_write : end_in_journal, r);
}

static void on_report(struct timer *t)
{
	struct run *r = t->arg;
	if (goes_on(r, make_row)) {
		timer_start(r->tools.loop, &r->kick, 0, on_report, r);
		return;
	}
	report_judge(r);
	if (!r->journal_run) {
		let_go(r);
		return;
	}
	json_t *limits = limits_json(r);
	r->text = run_text_new(&r->report, limits);
	json_decref(limits);
	timer_start(r->tools.loop, &r->kick, 0, on_write, r);
}

void run_finish(struct run *r)
{
	timer_cancel(&r->deadline);
	timer_cancel(&r->kick); /* what was removed in this turn has asked for another one */
	r->ended_ns = run_now(r);
	/* What came to nothing before its first step is a run too, but for what we stopped. */
	if (!r->journal_run && !r->stopped)
		r->journal_run = journal_run_begin(r->journal, r->label, r->scenario->name,
			cloud_configuration(r->tools.cloud)->name, cloud_project_id(r->tools.cloud),
			r->instance, NULL, NULL);
	report_fini(r);
	r->reporting = true;
	r->outstanding++;
	timer_start(r->tools.loop, &r->kick, 0, on_report, r);
}
