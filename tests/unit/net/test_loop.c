/* test_loop.c - timers on both clocks, posts from other threads, what keeps the loop alive. */
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/mem.h"

static struct loop *new_loop(struct clock *clock)
{
	struct error err = {0};
	struct loop *l = loop_new(clock, &err);

	assert_non_null(l);
	return l;
}

/* --- timers ------------------------------------------------------------------------------------
 */

struct mark {
	struct timer timer;
	int64_t at_ns;
	int order;
};

static int marks;

static void on_mark(struct timer *t)
{
	struct mark *m = t->arg;

	m->at_ns = loop_now_ns(t->loop);
	m->order = ++marks;
}

static void test_order(void **state)
{
	struct loop *l = new_loop(NULL);
	struct mark m[4] = {0};
	int64_t began = loop_now_ns(l);

	marks = 0;
	timer_start(l, &m[0].timer, 12 * NS_PER_MS, on_mark, &m[0]);
	timer_start(l, &m[1].timer, 0, on_mark, &m[1]);
	timer_start(l, &m[2].timer, 4 * NS_PER_MS, on_mark, &m[2]);
	timer_start(l, &m[3].timer, 4 * NS_PER_MS, on_mark, &m[3]);
	assert_int_equal(marks, 0); /* never from inside timer_start() */
	assert_true(timer_left_ns(&m[0].timer) <= 12 * NS_PER_MS);
	loop_run(l);
	assert_int_equal(m[1].order, 1);
	assert_int_equal(m[2].order, 2);
	assert_int_equal(m[3].order, 3);
	assert_int_equal(m[0].order, 4);
	assert_true(m[0].at_ns - began >= 12 * NS_PER_MS);
	assert_true(m[2].at_ns - began >= 4 * NS_PER_MS);
	assert_false(timer_running(&m[0].timer));
	loop_free(l);
}

static void test_restart_and_cancel(void **state)
{
	struct loop *l = new_loop(NULL);
	struct mark m[2] = {0};
	int64_t began = loop_now_ns(l);

	marks = 0;
	timer_cancel(&m[0].timer); /* never started */
	timer_start(l, &m[0].timer, 1 * NS_PER_MS, on_mark, &m[0]);
	timer_start(l, &m[0].timer, 6 * NS_PER_MS, on_mark, &m[0]);
	timer_start(l, &m[1].timer, 1 * NS_PER_MS, on_mark, &m[1]);
	timer_cancel(&m[1].timer);
	assert_int_equal(timer_left_ns(&m[1].timer), 0);
	loop_run(l);
	assert_int_equal(marks, 1);
	assert_true(m[0].at_ns - began >= 6 * NS_PER_MS);
	/* With the only timer cancelled nothing is left. */
	timer_start(l, &m[1].timer, 3600 * NS_PER_S, on_mark, &m[1]);
	timer_cancel(&m[1].timer);
	loop_run(l);
	loop_free(l);
}

static void cancel_other(struct timer *t)
{
	timer_cancel(t->arg);
	marks++;
}

/* Both are due in the same turn; the first takes the second away. */
static void test_cancel_from_callback(void **state)
{
	struct clock clock;
	struct loop *l;
	struct timer a = {0}, b = {0};

	clock_init_virtual(&clock, 0);
	l = new_loop(&clock);
	marks = 0;
	timer_start(l, &a, 5, cancel_other, &b);
	timer_start(l, &b, 5, cancel_other, &a);
	loop_advance(l, 10);
	assert_int_equal(marks, 1);
	loop_free(l);
}

struct chain {
	struct timer timer;
	bool stop;
	int n;
};

static void on_chain(struct timer *t)
{
	struct chain *c = t->arg;

	c->n++;
	if (!c->stop)
		timer_start(t->loop, t, 0, on_chain, c);
}

static void on_pipe(uv_poll_t *p, int status, int events)
{
	*(bool *)p->data = true;
	uv_close((uv_handle_t *)p, NULL);
}

/* A timer that starts itself again at once must not keep sockets from being polled. */
static void test_endless_timers_leave_room(void **state)
{
	struct loop *l = new_loop(NULL);
	struct chain c = {0};
	uv_poll_t poll;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	uv_poll_init(loop_uv(l), &poll, fd[0]);
	poll.data = &c.stop;
	uv_poll_start(&poll, UV_READABLE, on_pipe);
	timer_start(l, &c.timer, 0, on_chain, &c);
	assert_int_equal(write(fd[1], "x", 1), 1);
	loop_run(l);
	assert_true(c.stop);
	assert_true(c.n < 100);
	close(fd[0]);
	close(fd[1]);
	loop_free(l);
}

/* --- virtual time ------------------------------------------------------------------------------
 */

struct schedule {
	struct timer timer;
	struct clock *clock;
	int64_t began_ns;
	int n;
};

static void every_ten_seconds(struct timer *t)
{
	struct schedule *s = t->arg;

	s->n++;
	assert_int_equal(clock_mono_ns(s->clock) - s->began_ns, s->n * 10 * NS_PER_S);
	timer_start(t->loop, t, 10 * NS_PER_S, every_ten_seconds, s);
}

static void test_a_day_in_a_moment(void **state)
{
	struct clock clock;
	struct schedule s = {.clock = &clock};
	struct loop *l;
	uint64_t real = uv_hrtime();

	clock_init_virtual(&clock, 1000000);
	l = new_loop(&clock);
	s.began_ns = loop_now_ns(l);
	timer_start(l, &s.timer, 10 * NS_PER_S, every_ten_seconds, &s);
	loop_advance(l, 86400 * NS_PER_S);
	assert_int_equal(s.n, 8640);
	assert_int_equal(clock_unix_us(&clock), 1000000 + 86400 * 1000000LL);
	assert_true(uv_hrtime() - real < 5 * (uint64_t)NS_PER_S);
	loop_advance(l, 9 * NS_PER_S);
	assert_int_equal(s.n, 8640);
	assert_int_equal(timer_left_ns(&s.timer), NS_PER_S);
	timer_cancel(&s.timer);
	loop_free(l);
}

static void test_run_jumps(void **state)
{
	struct clock clock;
	struct loop *l;
	struct mark m[2] = {0};

	clock_init_virtual(&clock, 0);
	l = new_loop(&clock);
	marks = 0;
	timer_start(l, &m[0].timer, 7200 * NS_PER_S, on_mark, &m[0]);
	timer_start(l, &m[1].timer, 3600 * NS_PER_S, on_mark, &m[1]);
	loop_run(l);
	assert_int_equal(m[1].order, 1);
	assert_int_equal(m[0].order, 2);
	assert_int_equal(m[0].at_ns - m[1].at_ns, 3600 * NS_PER_S);
	loop_free(l);
}

/* --- other threads -----------------------------------------------------------------------------
 */

struct worker {
	struct loop *loop;
	struct mark *later;
	int seen, order_when_done;
	bool done;
};

static void on_worker_done(void *arg)
{
	struct worker *w = arg;

	w->order_when_done = w->later ? w->later->order : 0;
	w->done = true;
	loop_release(w->loop);
}

static void *work_a_little(void *arg)
{
	struct worker *w = arg;

	usleep(30000);
	loop_post(w->loop, on_worker_done, w);
	return NULL;
}

/* Work in another thread keeps the loop alive, and virtual time does not jump past it. */
static void test_hold(void **state)
{
	for (int virtual = 0; virtual < 2; virtual ++) {
		struct clock clock;
		struct mark later = {0};
		struct worker w = {0};
		pthread_t id;

		clock_init_virtual(&clock, 0);
		w.loop = new_loop(virtual ? &clock : NULL);
		if (virtual) {
			w.later = &later;
			timer_start(w.loop, &later.timer, 3600 * NS_PER_S, on_mark, &later);
		}
		marks = 0;
		loop_hold(w.loop);
		assert_int_equal(pthread_create(&id, NULL, work_a_little, &w), 0);
		loop_run(w.loop);
		assert_true(w.done);
		assert_int_equal(w.order_when_done, 0);
		assert_int_equal(later.order, virtual);
		pthread_join(id, NULL);
		loop_free(w.loop);
	}
}

struct wait {
	struct loop *loop;
	bool done;
};

static void on_post(void *arg)
{
	struct wait *w = arg;

	loop_release(w->loop);
	w->done = true;
}

/* What was waited for came by a post, during the poll: no time may pass after it. */
static void test_waiting_takes_no_virtual_time(void **state)
{
	struct clock clock;
	struct mark later = {0};

	clock_init_virtual(&clock, 0);
	struct loop *l = new_loop(&clock);
	timer_start(l, &later.timer, 3600 * NS_PER_S, on_mark, &later);
	for (int i = 0; i < 10; i++) {
		const int64_t before = loop_now_ns(l);
		struct wait w = {.loop = l};

		loop_hold(l);
		loop_post(l, on_post, &w);
		assert_true(loop_run_until(l, &w.done));
		assert_int_equal(loop_now_ns(l), before);
	}
	timer_cancel(&later.timer);
	loop_free(l);
}

static void stop_loop(struct timer *t)
{
	on_mark(t);
	loop_stop(t->loop);
}

/* Virtual time waits for what is real, but a deadline still ends it. */
static void test_hold_is_bounded(void **state)
{
	struct clock clock;
	struct loop *l;
	struct mark m = {0};
	uint64_t real = uv_hrtime();

	clock_init_virtual(&clock, 0);
	l = new_loop(&clock);
	marks = 0;
	loop_hold(l);
	timer_start(l, &m.timer, 20 * NS_PER_MS, stop_loop, &m);
	loop_run(l);
	loop_release(l);
	assert_int_equal(m.order, 1);
	assert_true(uv_hrtime() - real >= 20 * (uint64_t)NS_PER_MS);
	assert_int_equal(m.at_ns, loop_now_ns(l));
	loop_free(l);
}

#define POSTERS 4
#define POSTS   1000

struct poster {
	struct loop *loop;
	pthread_t id;
	int next, wrong;
	struct post_item {
		struct poster *from;
		int n;
	} items[POSTS];
};

static int arrived;

static void on_item(void *arg)
{
	struct post_item *i = arg;

	i->from->wrong += i->n != i->from->next;
	i->from->next = i->n + 1;
	if (++arrived == POSTERS * POSTS)
		loop_stop(i->from->loop);
}

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < POSTS; i++) {
		p->items[i].from = p;
		p->items[i].n = i;
		loop_post(p->loop, on_item, &p->items[i]);
	}
	return NULL;
}

static void test_posts_keep_their_order(void **state)
{
	struct loop *l = new_loop(NULL);
	struct poster *p = mem_new_array(POSTERS, sizeof(*p));

	arrived = 0;
	for (int i = 0; i < POSTERS; i++) {
		p[i].loop = l;
		assert_int_equal(pthread_create(&p[i].id, NULL, post_all, &p[i]), 0);
	}
	loop_hold(l);
	loop_run(l);
	loop_release(l);
	assert_int_equal(arrived, POSTERS * POSTS);
	for (int i = 0; i < POSTERS; i++) {
		assert_int_equal(p[i].wrong, 0);
		pthread_join(p[i].id, NULL);
	}
	free(p);
	loop_free(l);
}

static void set_true(void *arg)
{
	*(bool *)arg = true;
}

static void test_ends(void **state)
{
	struct loop *l = new_loop(NULL);
	struct timer never = {0};
	bool done = false, posted = false;

	loop_run(l); /* nothing to do */
	assert_false(loop_run_until(l, &done));
	loop_post(l, set_true, &posted);
	loop_run(l); /* what is posted runs even if nothing else is left */
	assert_true(posted);
	timer_start(l, &never, 3600 * NS_PER_S, on_mark, NULL);
	loop_post(l, set_true, &done);
	assert_true(loop_run_until(l, &done));
	loop_stop(l); /* before the run: the run ends at once */
	loop_run(l);
	timer_cancel(&never);
	loop_free(l);
}

static void spin(struct timer *t)
{
	uint64_t until = uv_hrtime() + 15 * (uint64_t)NS_PER_MS;

	while (uv_hrtime() < until)
		;
}

static void test_longest_turn(void **state)
{
	struct loop *l = new_loop(NULL);
	struct timer t = {0};
	struct mark m = {0};

	timer_start(l, &m.timer, 60 * NS_PER_MS, on_mark, &m);
	loop_run(l);
	assert_true(loop_longest_turn_ns(l, true) < 50 * NS_PER_MS); /* waiting is not work */
	timer_start(l, &t, NS_PER_MS, spin, NULL);
	loop_run(l);
	assert_true(loop_longest_turn_ns(l, false) >= 15 * NS_PER_MS);
	assert_true(loop_longest_turn_ns(l, true) < 1000 * NS_PER_MS);
	assert_int_equal(loop_longest_turn_ns(l, false), 0);
	loop_free(l);
}

/* --- runs within runs --------------------------------------------------------------------------
 */

struct inner {
	struct timer timer, ends, late;
	bool over, in_time, late_fired;
};

static void on_inner_ends(struct timer *t)
{
	struct inner *i = t->arg;
	i->over = true;
}

static void on_late(struct timer *t)
{
	struct inner *i = t->arg;
	i->late_fired = true;
}

/* As a reload does it: the loop is told to stop, and something is freed that must first be over. */
static void on_inner(struct timer *t)
{
	struct inner *i = t->arg;
	loop_stop(t->loop);
	timer_start(t->loop, &i->ends, 5 * NS_PER_MS, on_inner_ends, i);
	i->in_time = loop_run_until(t->loop, &i->over);
}

static void test_stop_does_not_end_a_run_within_the_run(void **state)
{
	struct loop *l = new_loop(NULL);
	struct inner i = {0};

	timer_start(l, &i.timer, 0, on_inner, &i);
	timer_start(l, &i.late, 60 * NS_PER_S, on_late, &i);
	loop_run(l);
	assert_true(i.in_time);     /* the inner one had what it waited for */
	assert_false(i.late_fired); /* the outer one ended */
	timer_cancel(&i.late);
	loop_free(l);
}

static void give_up(void *arg)
{
	struct inner *i = arg;
	i->late_fired = !i->over;
	i->over = true;
}

static void *give_up_later(void *arg)
{
	struct inner *i = arg;
	usleep(1000 * 1000);
	loop_post(i->timer.loop, give_up, i);
	return NULL;
}

static void on_inner_among_others(struct timer *t)
{
	struct inner *i = t->arg;
	timer_start(t->loop, &i->ends, 0, on_inner_ends, i);
	i->in_time = loop_run_until(t->loop, &i->over) && !i->late_fired;
}

/* Several timers are due at once, and the first of them waits for another that is started only
 * then: it is behind those that have not fired yet. */
static void test_a_run_within_the_run_has_its_timers(void **state)
{
	struct loop *l = new_loop(NULL);
	struct inner i = {0};
	struct mark others[3] = {0};
	pthread_t thread;

	timer_start(l, &i.timer, 0, on_inner_among_others, &i);
	for (size_t k = 0; k < 3; k++)
		timer_start(l, &others[k].timer, 0, on_mark, &others[k]);
	usleep(3000);
	pthread_create(&thread, NULL, give_up_later, &i);
	loop_run(l);
	assert_true(i.in_time);
	for (size_t k = 0; k < 3; k++)
		assert_true(others[k].order > 0);
	pthread_join(thread, NULL);
	loop_run(l);
	loop_free(l);
}

static void on_stop_and_over(struct timer *t)
{
	struct inner *i = t->arg;
	i->over = true;
	loop_stop(t->loop);
}

/* What ended one run does not end the next. */
static void test_stop_does_not_outlive_a_run_that_has_ended(void **state)
{
	struct loop *l = new_loop(NULL);
	struct inner first = {0}, next = {0};

	timer_start(l, &first.timer, 0, on_stop_and_over, &first);
	assert_true(loop_run_until(l, &first.over));
	timer_start(l, &next.timer, NS_PER_MS, on_inner_ends, &next);
	assert_true(loop_run_until(l, &next.over));
	loop_free(l);
}

int test_loop(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_restart_and_cancel),
		cmocka_unit_test(test_cancel_from_callback),
		cmocka_unit_test(test_endless_timers_leave_room),
		cmocka_unit_test(test_a_day_in_a_moment),
		cmocka_unit_test(test_run_jumps),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_waiting_takes_no_virtual_time),
		cmocka_unit_test(test_hold_is_bounded),
		cmocka_unit_test(test_posts_keep_their_order),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_longest_turn),
		cmocka_unit_test(test_a_run_within_the_run_has_its_timers),
		cmocka_unit_test(test_stop_does_not_end_a_run_within_the_run),
		cmocka_unit_test(test_stop_does_not_outlive_a_run_that_has_ended),
	};

	return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
