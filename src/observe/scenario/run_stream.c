/*
 * run_stream.c - `stream … around`: a stream runs from before its steps may start until after they
 * have ended.
 *
 * The steps inside wait at the start line (they could start, but for the stream); when all of them
 * stand there the stream starts, and `lead` later they go. The stream ends `tail` after the last of
 * them has.
 */

#include <stdio.h>

#include "observe/scenario/runner.h"

static bool goes_around(const struct step *stream, size_t step)
{
	for (size_t i = 0; i < stream->around_count; i++)
		if (stream->around[i] == step)
			return true;
	return false;
}

static bool ended(const struct element *e)
{
	return e->state != ELEMENT_WAITING && e->state != ELEMENT_STARTED;
}

/* Held elements look like ones that are blocked on nothing: evaluated, not started. */
bool stream_may_start(struct task *t)
{
	const struct world *w = t->run->world;
	for (size_t i = 0; i < t->step->around_count; i++) {
		const struct step_world *sw = &w->steps[t->step->around[i]];
		if (!sw->expanded)
			return false;
		for (size_t k = 0; k < sw->count; k++) {
			const struct task *inner = graph_task(&sw->elements[k]);
			if (!inner ||
				(inner->element->state == ELEMENT_WAITING && inner->is_blocked))
				return false;
		}
	}
	return true;
}

bool stream_holds(struct task *t)
{
	const struct run *r = t->run;
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *s = r->tasks.p[i];
		if (s->step->verb == VERB_STREAM && goes_around(s->step, t->element->step) &&
			!ended(s->element) && !s->stream_ready)
			return true;
	}
	/* A stream whose elements do not exist yet holds as well, unless it never will exist. */
	for (size_t i = 0; i < r->scenario->step_count; i++)
		if (r->scenario->steps[i].verb == VERB_STREAM && !r->world->steps[i].expanded &&
			goes_around(&r->scenario->steps[i], t->element->step))
			return true;
	return false;
}

static void lead_passed(struct timer *timer)
{
	struct task *t = timer->arg;
	t->stream_ready = true;
	run_kick(t->run);
}

static void on_stream(void *arg, const struct check_result *c)
{
	struct task *t = arg;
	t->stream = NULL;
	const struct operation_result r = {
		.fault = c->fault, .detail = c->detail, .measured = c->measured};
	task_result(t, &r);
}

void stream_begin(struct task *t)
{
	struct error err = {0};
	t->stream = stream_start(
		&t->run->tools, t->run->world, t->element, &t->body, on_stream, t, &err);
	if (!t->stream) {
		const struct operation_result r = {.fault = FAULT_EVALUATION, .detail = err.msg};
		task_result(t, &r);
		return;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "running");
	task_pause(t, t->step->lead_ns, lead_passed);
}

void stream_sent(struct task *t)
{
	struct run *r = t->run;
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *s = r->tasks.p[i];
		if (s->stream && goes_around(s->step, t->element->step))
			stream_mark(s->stream);
	}
}

static void tail_passed(struct timer *timer)
{
	struct task *t = timer->arg;
	if (t->stream)
		stream_stop(t->stream);
}

static bool inner_ended(const struct task *t)
{
	const struct world *w = t->run->world;
	for (size_t i = 0; i < t->step->around_count; i++) {
		const struct step_world *sw = &w->steps[t->step->around[i]];
		if (!sw->expanded)
			return false;
		for (size_t k = 0; k < sw->count; k++)
			if (!ended(&sw->elements[k]))
				return false;
	}
	return true;
}

void stream_turn(struct run *r)
{
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		if (!t->stream || !t->stream_ready || t->stream_ending || !inner_ended(t))
			continue;
		t->stream_ending = true;
		run_emit(r, RUN_EVENT_WAIT, t, "its tail");
		task_pause(t, t->step->tail_ns, tail_passed);
	}
}
