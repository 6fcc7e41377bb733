/*
 * mail.c - one message over one SMTP connection of its own, by curl on a thread of its own.
 *
 *	starting -> resolving -> waiting -> running -> ended
 *
 * curl 7.88 waits for the answer to the end of a message, and to QUIT, by blocking, on the multi
 * interface too (its KNOWN_BUGS). So each message has a thread, at most MAIL_THREADS at once; the
 * name is resolved on the loop before. A call that is cancelled or late ends at once; its thread,
 * whose socket is shut down, ends on its own and is collected.
 */
#include "net/mail.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/units.h"
#include "net/mail_inside.h"

#define MAIL_THREADS 8

struct mailer {
	struct loop *loop;
	struct resolver *resolver;
	struct mail_call *calls; /* newest first */
	unsigned running;        /* threads */
	bool drained;            /* none */
	bool freeing;
};

enum mail_state { MAIL_STARTING, MAIL_RESOLVING, MAIL_WAITING, MAIL_RUNNING, MAIL_ENDED };

struct mail_call {
	struct mailer *mailer;
	struct mail_call *next, **link;
	enum mail_state state;
	struct timer timer; /* start, deadline, delivery: one at a time */
	int64_t end_ns, budget_ns;
	void (*done)(void *arg, const struct mail_answer *a);
	void *arg;
	struct mail_job *job; /* NULL: its thread runs for nobody, or it never had one */
	struct resolve_call *lookup;
	struct mail_answer answer;
};

static void on_timer(struct timer *t);

/* --- the end -----------------------------------------------------------------------------------
 */

static void end_call(struct mail_call *c)
{
	c->state = MAIL_ENDED;
	if (!c->lookup)
		timer_start(c->mailer->loop, &c->timer, 0, on_timer, c);
}

static void end_with(struct mail_call *c, enum fault fault, const char *fmt, ...) like_printf(3, 4);

static void end_with(struct mail_call *c, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	c->answer.fault = fault;
	va_start(ap, fmt);
	vsnprintf(c->answer.detail, sizeof(c->answer.detail), fmt, ap);
	va_end(ap);
	end_call(c);
}

/* The call goes on without its job; a thread that runs is told to end. */
static void leave_job(struct mail_call *c)
{
	struct mail_job *j = c->job;

	c->job = NULL;
	if (j && c->state != MAIL_RUNNING) {
		mail_job_free(j);
	} else if (j) {
		j->call = NULL;
		mail_job_stop(j);
	}
}

static void deliver(struct mail_call *c)
{
	timer_cancel(&c->timer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	loop_release(c->mailer->loop);
	c->done(c->arg, &c->answer);
	free(c);
}

void mail_cancel(struct mail_call *c)
{
	leave_job(c);
	if (c->lookup)
		resolve_cancel(c->lookup);
	end_with(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
}

/* --- on its way --------------------------------------------------------------------------------
 */

static void start_waiting(struct mailer *m);

static void on_thread_ended(void *arg)
{
	struct mail_job *j = arg;
	struct mailer *m = j->mailer;

	pthread_join(j->thread, NULL);
	loop_release(m->loop);
	if (j->call) {
		mail_job_conclude(j, &j->call->answer);
		j->call->job = NULL;
		end_call(j->call);
	}
	mail_job_free(j);
	m->drained = --m->running == 0;
	start_waiting(m);
}

static void *run_thread(void *arg)
{
	struct mail_job *j = arg;

	mail_job_perform(j);
	loop_post(j->mailer->loop, on_thread_ended, j);
	return NULL;
}

static void run(struct mail_call *c)
{
	struct mailer *m = c->mailer;
	struct mail_job *j = c->job;

	j->call = c;
	if (pthread_create(&j->thread, NULL, run_thread, j) != 0) {
		leave_job(c);
		end_with(c, FAULT_LOCAL, "cannot start a thread");
		return;
	}
	c->state = MAIL_RUNNING;
	loop_hold(m->loop);
	m->running++;
	m->drained = false;
}

/* The one that waits longest: the list begins with the newest. */
static void start_waiting(struct mailer *m)
{
	struct mail_call *oldest = NULL;

	for (struct mail_call *c = m->calls; c; c = c->next)
		if (c->state == MAIL_WAITING)
			oldest = c;
	if (oldest && m->running < MAIL_THREADS)
		run(oldest);
}

static void arm(struct mail_call *c)
{
	const int64_t left = c->end_ns - loop_now_ns(c->mailer->loop);

	timer_start(c->mailer->loop, &c->timer, left > 0 ? left : 0, on_timer, c);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct mail_call *c = arg;

	c->lookup = NULL;
	if (c->state == MAIL_ENDED) {
		end_call(c); /* cancelled meanwhile */
		return;
	}
	if (r->fault) {
		end_with(c, r->fault, "cannot resolve %.100s: %s", c->job->host, r->detail);
		return;
	}
	mail_job_addresses(c->job, r);
	c->state = MAIL_WAITING;
	arm(c);
	start_waiting(c->mailer);
}

static void start(struct mail_call *c)
{
	const int64_t left = c->end_ns - loop_now_ns(c->mailer->loop);

	c->state = MAIL_RESOLVING; /* the resolver keeps the deadline */
	c->lookup = resolve(c->mailer->resolver, c->job->host, c->job->port, AF_UNSPEC,
		left > 0 ? left : 1, on_resolved, c);
}

static void end_late(struct mail_call *c)
{
	char within[UNITS_TEXT], reply[MAIL_REPLY_MAX], *text;

	mail_job_reply(c->job, reply);
	text = mem_printf("%s port %u did not take the message within %s%s%s", c->job->host,
		c->job->port, units_time_text(c->budget_ns, within),
		reply[0] ? "; it last said: " : "", reply);
	leave_job(c);
	end_with(c, FAULT_TIMEOUT, "%s", text);
	free(text);
}

static void on_timer(struct timer *t)
{
	struct mail_call *c = t->arg;

	switch (c->state) {
	case MAIL_STARTING: start(c); break;
	case MAIL_RESOLVING: break; /* the resolver keeps the deadline */
	case MAIL_WAITING:
		leave_job(c);
		end_with(c, FAULT_DEADLINE, "%d other messages are under way", MAIL_THREADS);
		break;
	case MAIL_RUNNING: end_late(c); break;
	case MAIL_ENDED: deliver(c); break;
	}
}

struct mail_call *mail_send(struct mailer *m, const struct mail_server *server,
	const struct mail_message *message, void (*done)(void *arg, const struct mail_answer *a),
	void *arg)
{
	struct mail_call *c = mem_new(struct mail_call);
	struct error err = {0};

	assert(!m->freeing && done && message->deadline_ns > 0);
	c->mailer = m;
	c->done = done;
	c->arg = arg;
	c->budget_ns = message->deadline_ns;
	c->end_ns = loop_now_ns(m->loop) + c->budget_ns;
	c->next = m->calls;
	c->link = &m->calls;
	if (c->next)
		c->next->link = &c->next;
	m->calls = c;
	loop_hold(m->loop);
	c->job = mail_job_new(m, c->budget_ns);
	if (mail_job_prepare(c->job, server, message, &err)) {
		timer_start(m->loop, &c->timer, 0, on_timer, c);
	} else {
		leave_job(c);
		c->answer.permanent = true;
		end_with(c, FAULT_LOCAL, "%.250s", err.msg);
	}
	return c;
}

/* --- mailers -----------------------------------------------------------------------------------
 */

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		mem_panic("the mail library cannot start");
}

struct mailer *mailer_new(struct loop *l, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mailer *m = mem_new(struct mailer);

	pthread_once(&once, init_library);
	m->loop = l;
	m->drained = true;
	m->resolver = resolver_new(l, NULL, err);
	if (!m->resolver) {
		free(m);
		return NULL;
	}
	return m;
}

/* Threads end within moments of their sockets: they are waited for. */
void mailer_free(struct mailer *m)
{
	if (!m)
		return;
	m->freeing = true;
	for (struct mail_call *c = m->calls; c; c = c->next)
		if (c->state != MAIL_ENDED)
			mail_cancel(c);
	resolver_free(m->resolver); /* the cancelled lookups end in here */
	while (m->calls)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the list before its end */
		deliver(m->calls);
	while (m->running)
		loop_run_until(m->loop, &m->drained);
	free(m);
}
