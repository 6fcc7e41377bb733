/*
 * run.c - one run of a probe: attempts until one is good or there are no more.
 *
 * A run is never longer than the rate: the last attempts get what is left of it, and none is begun
 * when nothing is. A kind keeps its attempt's deadline itself, since it knows where the time went;
 * one that does not is stopped a little later.
 */

#include <stdio.h>
#include <string.h>

#include "observe/probe/inside.h"

#define GRACE_NS (100 * NS_PER_MS) /* for a kind to tell its own deadline */

static struct run *run_of(struct attempt *a)
{
	return (struct run *)a;
}

int64_t attempt_age_ns(const struct attempt *a)
{
	const struct run *r = (const struct run *)a;
	return loop_now_ns(a->tools->loop) - r->attempt_ns;
}

/* --- an attempt ------------------------------------------------------------------------------- */

static void on_late(struct timer *t)
{
	struct run *r = t->arg;
	struct attempt *a = &r->attempt;
	a->kind->cancel(a);
	attempt_end(a, FAULT_TIMEOUT, "no answer within the time allowed");
}

static int64_t left_ns(const struct run *r)
{
	const int64_t age = loop_now_ns(r->attempt.tools->loop) - r->began_ns;
	return r->config->about.every_ns - age;
}

static void start(struct run *r)
{
	struct attempt *a = &r->attempt;
	const struct probe_config *c = r->config;
	const int64_t left = left_ns(r);
	*a = (struct attempt){.tools = a->tools,
		.kind = c->kind,
		.spec = c->spec,
		.family = a->family,
		.judged = c->expect.n > 0,
		.measured = c->expect.n || c->warn.n || r->told_in_full,
		.deadline_ns = left < c->about.timeout_ns ? left : c->about.timeout_ns};
	r->tries++;
	r->attempt_ns = loop_now_ns(a->tools->loop);
	r->asking = true;
	timer_start(a->tools->loop, &r->timer, a->deadline_ns + GRACE_NS, on_late, r);
	c->kind->start(a);
}

static void on_pause(struct timer *t)
{
	start(t->arg);
}

static void release(struct run *r)
{
	struct attempt *a = &r->attempt;
	if (a->kind->release && a->data)
		a->kind->release(a);
	a->data = NULL;
	r->asking = false;
}

/* --- what came of it -------------------------------------------------------------------------- */

/* Conditions have the last word of a good exchange; of one that failed only when they speak of
 * being connected: else nothing could be expected to be closed. */
static enum fault hold_all(const struct run *r, struct buf *why)
{
	const struct attempt *a = &r->attempt;
	const struct conditions *expect = &r->config->expect;
	if (a->fault != FAULT_NONE && !expect->names_connected)
		return a->fault;
	switch (conditions_hold(expect, a, r->tries, why)) {
	case HELD_ALL: return FAULT_NONE;
	case HELD_NOT: return a->fault != FAULT_NONE ? a->fault : FAULT_EXPECTATION;
	case HELD_BROKEN: break;
	}
	return FAULT_EVALUATION;
}

static bool warns(const struct run *r, struct buf *why)
{
	const struct attempt *a = &r->attempt;
	const struct probe_config *c = r->config;
	if (c->slow_ns && a->phases.total_ns > c->slow_ns) {
		buf_printf(why, "answered after %.3g s, limit %.3g s",
			(double)a->phases.total_ns / (double)NS_PER_S,
			(double)c->slow_ns / (double)NS_PER_S);
		return true;
	}
	if (conditions_hold(&c->warn, a, r->tries, why) != HELD_ALL)
		return true;
	if (a->is_ours_to_warn)
		buf_add_str(why, a->detail);
	return a->is_ours_to_warn;
}

static bool tries_again(struct run *r, enum fault fault)
{
	const struct probe_config *c = r->config;
	if (fault == FAULT_NONE || r->tries >= c->tries || left_ns(r) <= c->pause_ns + GRACE_NS)
		return false;
	snprintf(r->before, sizeof(r->before), "%s", fault_text(fault));
	release(r);
	timer_start(r->attempt.tools->loop, &r->timer, c->pause_ns, on_pause, r);
	return true;
}

void attempt_end(struct attempt *a, enum fault fault, const char *fmt, ...)
{
	struct run *r = run_of(a);
	struct buf why = BUF(BUF_LINE);
	struct outcome o = {.detail = ""};
	timer_cancel(&r->timer);
	a->fault = fault;
	if (fmt) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(a->detail, sizeof(a->detail), fmt, ap);
		va_end(ap);
	}
	if (!a->phases.total_ns)
		a->phases.total_ns = attempt_age_ns(a);
	o.fault = hold_all(r, &why);
	if (tries_again(r, o.fault)) {
		buf_fini(&why);
		return;
	}
	if (o.fault == FAULT_NONE) {
		buf_clear(&why);
		o.warned = warns(r, &why);
		if (!o.warned && r->tries > 1)
			buf_printf(&why, "passed at try %u of %d; before that: %s", r->tries,
				(int)r->config->tries, r->before);
	}
	if (a->fault != FAULT_NONE && o.fault == a->fault)
		buf_clear(&why); /* what the exchange itself says is nearer to the cause */
	o.detail = why.n ? buf_str(&why) : o.fault != FAULT_NONE ? a->detail : "";
	r->ended(r, &o);
	buf_fini(&why);
}

static void on_soon(struct timer *t)
{
	struct run *r = t->arg;
	attempt_end(&r->attempt, r->attempt.fault, NULL);
}

/* The deadline's timer has no other use any more. */
void attempt_end_soon(struct attempt *a, enum fault fault, const char *fmt, ...)
{
	struct run *r = run_of(a);
	a->fault = fault;
	if (fmt) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(a->detail, sizeof(a->detail), fmt, ap);
		va_end(ap);
	}
	timer_start(a->tools->loop, &r->timer, 0, on_soon, r);
}

/* --- a run ------------------------------------------------------------------------------------ */

void run_begin(struct run *r)
{
	const struct loop *l = r->attempt.tools->loop;
	r->began_ns = loop_now_ns(l);
	r->at_ms = clock_unix_us(loop_clock(l)) / 1000;
	start(r);
}

static void drop(struct run *r, bool under_way)
{
	timer_cancel(&r->timer);
	if (under_way && r->asking)
		r->attempt.kind->cancel(&r->attempt);
	release(r);
	free(r);
}

void run_drop(struct run *r)
{
	drop(r, true);
}

void run_done(struct run *r)
{
	drop(r, false);
}
