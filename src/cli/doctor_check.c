/*
 * doctor_check.c - one line of the doctor's answer: begun, ended once, late after its deadline.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/doctor.h"

static size_t ended_count(const struct doctor *d)
{
	return d->checks.n - d->waiting;
}

/* What is waited for, drawn over itself. */
static void show_progress(struct doctor *d)
{
	const struct doctor_check *open = NULL;
	if (!d->progress)
		return;
	for (size_t i = 0; i < d->checks.n && !open; i++)
		if (!d->checks.p[i]->ended)
			open = d->checks.p[i];
	if (open)
		fprintf(stderr, "\r\033[K%zu of %zu: %.30s %.40s", ended_count(d), d->checks.n,
			open->name, open->of);
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static void on_deadline(struct timer *t)
{
	struct doctor_check *c = t->arg;
	char limit[40];
	snprintf(limit, sizeof(limit), "%lld s", (long long)(DOCTOR_DEADLINE_NS / NS_PER_S));
	doctor_end(c, DOCTOR_BAD, "find out what it hangs on", "no answer within %s", limit);
	if (c->late)
		c->late(c->late_arg);
}

struct doctor_check *doctor_begin(
	struct doctor *d, unsigned group, const char *name, const char *of)
{
	struct doctor_check *c = mem_new(struct doctor_check);
	c->doctor = d;
	c->name = mem_strdup(name);
	c->of = mem_strdup(of ? of : "");
	c->group = group;
	c->number = d->checks.n;
	vec_push(&d->checks, c);
	d->waiting++;
	timer_start(d->loop, &c->deadline, DOCTOR_DEADLINE_NS, on_deadline, c);
	show_progress(d);
	return c;
}

static void end(struct doctor_check *c, enum doctor_state state, const char *todo, const char *fmt,
	va_list ap) like_printf(4, 0);

static void end(struct doctor_check *c, enum doctor_state state, const char *todo, const char *fmt,
	va_list ap)
{
	struct doctor *d = c->doctor;
	if (c->ended)
		return;
	timer_cancel(&c->deadline);
	c->ended = true;
	c->state = state;
	c->found = mem_vprintf(fmt, ap);
	c->todo = mem_strdup(todo);
	d->done = --d->waiting == 0;
	show_progress(d);
}

void doctor_end(
	struct doctor_check *c, enum doctor_state state, const char *todo, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end(c, state, todo, fmt, ap);
	va_end(ap);
}

void doctor_say(struct doctor *d, const char *name, const char *of, enum doctor_state state,
	const char *todo, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end(doctor_begin(d, 0, name, of), state, todo, fmt, ap);
	va_end(ap);
}

static int in_order(const void *a, const void *b)
{
	const struct doctor_check *x = *(struct doctor_check *const *)a;
	const struct doctor_check *y = *(struct doctor_check *const *)b;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

void doctor_sort(struct doctor *d)
{
	if (d->checks.n)
		qsort(d->checks.p, d->checks.n, sizeof(*d->checks.p), in_order);
}

void doctor_checks_free(struct doctor *d)
{
	for (size_t i = 0; i < d->checks.n; i++) {
		struct doctor_check *c = d->checks.p[i];
		timer_cancel(&c->deadline);
		free(c->name);
		free(c->of);
		free(c->found);
		free(c->todo);
		free(c);
	}
	vec_fini(&d->checks);
}
