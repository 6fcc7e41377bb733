/*
 * loop.c - libuv below, our own timers above.
 *
 * libuv's timers know real time only, so every timer lies in our heap, keyed by its time on the
 * loop's clock. With the system clock one uv_timer is armed for the nearest of them; with a virtual
 * clock it is armed only to bound real waiting while something real is under way (loop_hold()).
 * What is due at once waits for the idle phase instead, which comes once a turn: a uv_timer of zero
 * that starts another would never let a socket be polled.
 * Invariant (system clock): the heap is empty, or we are armed for its first timer or earlier.
 */
#include "net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/vec.h"

struct post {
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	struct clock *clock;
	struct heap timers;
	uv_timer_t timer;
	uv_idle_t idle;
	int64_t armed_ns; /* the time we are armed for; INT64_MAX: not at all */
	uv_async_t async; /* wakes for posts and stop; referenced only while held */
	uv_prepare_t prepare;
	unsigned held;
	int64_t waited_ns; /* real time waited while virtual time stood still */
	atomic_bool stop;
	unsigned depth; /* runs within runs */
	pthread_mutex_t lock;
	VEC(struct post) posts; /* guarded by lock */
	int64_t turn_ns;        /* when this turn began, real time */
	uint64_t turn_idle_ns;  /* libuv's idle time then */
	int64_t longest_ns;
};

/* --- the length of a turn ----------------------------------------------------------------------
 */

static int64_t real_ns(void)
{
	return (int64_t)uv_hrtime();
}

static void turn_begin(struct loop *l)
{
	l->turn_ns = real_ns();
	l->turn_idle_ns = uv_metrics_idle_time(&l->uv);
}

/* libuv runs socket callbacks inside its poll phase; its idle time tells the waiting from them. */
static void turn_end(struct loop *l)
{
	int64_t idle = (int64_t)(uv_metrics_idle_time(&l->uv) - l->turn_idle_ns);
	int64_t busy = real_ns() - l->turn_ns - idle;

	if (busy > l->longest_ns)
		l->longest_ns = busy;
	turn_begin(l);
}

static void on_prepare(uv_prepare_t *p)
{
	turn_end(p->data);
}

static bool poll_once(struct loop *l, uv_run_mode mode)
{
	bool alive;

	turn_begin(l);
	alive = uv_run(&l->uv, mode) != 0;
	turn_end(l);
	return alive;
}

int64_t loop_longest_turn_ns(struct loop *l, bool reset)
{
	int64_t longest = l->longest_ns;

	if (reset)
		l->longest_ns = 0;
	return longest;
}

/* --- timers ------------------------------------------------------------------------------------
 */

static void on_uv_timer(uv_timer_t *u);
static void on_idle(uv_idle_t *u);

/* Rounds up: a timer may be late by a millisecond but never early. */
static void arm_in(struct loop *l, int64_t delay_ns)
{
	if (delay_ns <= 0) {
		uv_idle_start(&l->idle, on_idle);
	} else {
		uv_update_time(&l->uv);
		uv_timer_start(
			&l->timer, on_uv_timer, (uint64_t)((delay_ns - 1) / NS_PER_MS + 1), 0);
	}
}

static void disarm(struct loop *l)
{
	uv_timer_stop(&l->timer);
	uv_idle_stop(&l->idle);
	l->armed_ns = INT64_MAX;
}

static void arm_first(struct loop *l)
{
	struct heap_node *first = heap_first(&l->timers);

	if (l->clock->is_virtual)
		return;
	if (!first) {
		disarm(l);
	} else if (first->key < l->armed_ns) {
		l->armed_ns = first->key;
		arm_in(l, first->key - clock_mono_ns(l->clock));
	}
}

/* Fires what is due now. What the callbacks start waits for the next turn, even with no delay, so
 * that sockets get their share. */
static void fire_due(struct loop *l)
{
	int64_t now = clock_mono_ns(l->clock);
	uint64_t before = l->timers.seq;
	struct heap_node *n;

	for (;;) {
		n = heap_first(&l->timers);
		if (!n || n->key > now || n->seq >= before)
			break;
		struct timer *t = (struct timer *)n;

		heap_remove(&l->timers, n);
		t->cb(t);
	}
}

static void on_armed(struct loop *l)
{
	disarm(l);
	if (!l->clock->is_virtual)
		fire_due(l);
	arm_first(l);
}

static void on_uv_timer(uv_timer_t *u)
{
	on_armed(u->data);
}

static void on_idle(uv_idle_t *u)
{
	on_armed(u->data);
}

void timer_start(
	struct loop *l, struct timer *t, int64_t delay_ns, void (*cb)(struct timer *t), void *arg)
{
	int64_t now = clock_mono_ns(l->clock);

	assert(delay_ns >= 0 && cb);
	timer_cancel(t);
	t->loop = l;
	t->cb = cb;
	t->arg = arg;
	heap_add(&l->timers, &t->node, delay_ns > INT64_MAX - now ? INT64_MAX - 1 : now + delay_ns);
	if (heap_first(&l->timers) == &t->node) {
		l->waited_ns = 0;
		arm_first(l);
	}
}

/* Leaves the uv_timer armed unless it was the last: one early waking is cheaper than re-arming for
 * every request that ends before its deadline. */
void timer_cancel(struct timer *t)
{
	if (!timer_running(t))
		return;
	heap_remove(&t->loop->timers, &t->node);
	if (!heap_first(&t->loop->timers))
		disarm(t->loop);
}

bool timer_running(const struct timer *t)
{
	return t->node.place != 0;
}

int64_t timer_left_ns(const struct timer *t)
{
	int64_t left;

	if (!timer_running(t))
		return 0;
	left = t->node.key - clock_mono_ns(t->loop->clock);
	return left > 0 ? left : 0;
}

/* --- posts -------------------------------------------------------------------------------------
 */

/* Returns whether there were any. What they post in turn waits for the next turn. */
static bool run_posts(struct loop *l)
{
	VEC(struct post) now = {0};

	pthread_mutex_lock(&l->lock);
	now.p = l->posts.p;
	now.n = l->posts.n;
	now.cap = l->posts.cap;
	l->posts.p = NULL;
	l->posts.n = l->posts.cap = 0;
	pthread_mutex_unlock(&l->lock);
	VEC_EACH (&now, struct post, p)
		p->fn(p->arg);
	free(now.p);
	return now.n > 0;
}

static void on_async(uv_async_t *a)
{
	run_posts(a->data);
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct post p = {fn, arg};

	/* Waking inside the lock: once the loop's thread has seen the post it may free the loop. */
	pthread_mutex_lock(&l->lock);
	vec_push(&l->posts, p);
	uv_async_send(&l->async);
	pthread_mutex_unlock(&l->lock);
}

void loop_hold(struct loop *l)
{
	if (l->held++ == 0)
		uv_ref((uv_handle_t *)&l->async);
}

void loop_release(struct loop *l)
{
	assert(l->held > 0);
	if (--l->held == 0)
		uv_unref((uv_handle_t *)&l->async);
}

/* --- running -----------------------------------------------------------------------------------
 */

static bool turn_system(struct loop *l)
{
	bool posted = run_posts(l);

	return poll_once(l, posted ? UV_RUN_NOWAIT : UV_RUN_ONCE) || posted || run_posts(l);
}

/* Virtual time stands still while something real is under way, but not longer than the wait for
 * the next timer would really take: a deadline must end a call to a dead peer here too. */
static void wait_held(struct loop *l, const struct heap_node *first)
{
	int64_t began = real_ns();

	arm_in(l, first->key - clock_mono_ns(l->clock) - l->waited_ns);
	poll_once(l, UV_RUN_ONCE);
	disarm(l);
	l->waited_ns += real_ns() - began;
}

/* What the poll did may be what was waited for: then no time may pass. */
static bool turn_virtual(struct loop *l, const bool *done)
{
	struct heap_node *first;
	int64_t left;

	poll_once(l, UV_RUN_NOWAIT);
	if (run_posts(l) || (done && *done))
		return true;
	first = heap_first(&l->timers);
	if (!first)
		return poll_once(l, UV_RUN_ONCE) || run_posts(l);
	left = first->key - clock_mono_ns(l->clock);
	if (left > 0 && l->held > 0 && l->waited_ns < left) {
		wait_held(l, first);
		return true;
	}
	if (left > 0) {
		clock_advance(l->clock, left);
		l->waited_ns = 0;
	}
	turn_begin(l);
	fire_due(l);
	turn_end(l);
	return true;
}

/* A run from inside another waits for what must be over before something is freed: that the outer
 * one shall end is no reason to go on without, and the outer one must still hear of it. */
static void run(struct loop *l, const bool *done)
{
	bool more = true;

	/* Within fire_due() nothing is armed, and what is started there only if it is the first. */
	if (++l->depth > 1)
		arm_first(l);
	while (more && !(done && *done)) {
		if (l->depth == 1 && atomic_exchange(&l->stop, false))
			break;
		more = l->clock->is_virtual ? turn_virtual(l, done) : turn_system(l);
	}
	/* It has ended; the next run is another. */
	if (--l->depth == 0 && done && *done)
		atomic_store(&l->stop, false);
}

void loop_run(struct loop *l)
{
	run(l, NULL);
}

bool loop_run_until(struct loop *l, const bool *done)
{
	run(l, done);
	return *done;
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	uv_async_send(&l->async);
}

void loop_advance(struct loop *l, int64_t ns)
{
	int64_t until = clock_mono_ns(l->clock) + ns;

	assert(l->clock->is_virtual && ns >= 0);
	for (;;) {
		struct heap_node *first;
		int64_t left;

		poll_once(l, UV_RUN_NOWAIT);
		run_posts(l);
		first = heap_first(&l->timers);
		if (!first || first->key > until)
			break;
		left = first->key - clock_mono_ns(l->clock);
		clock_advance(l->clock, left > 0 ? left : 0);
		fire_due(l);
	}
	clock_advance(l->clock, until - clock_mono_ns(l->clock));
	l->waited_ns = 0;
	poll_once(l, UV_RUN_NOWAIT);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void start_own_handles(struct loop *l)
{
	int r = uv_timer_init(&l->uv, &l->timer);

	l->timer.data = l;
	r = r ? r : uv_idle_init(&l->uv, &l->idle);
	l->idle.data = l;
	r = r ? r : uv_prepare_init(&l->uv, &l->prepare);
	l->prepare.data = l;
	r = r ? r : uv_prepare_start(&l->prepare, on_prepare);
	assert(r == 0);
	(void)r;
	uv_unref((uv_handle_t *)&l->prepare);
}

struct loop *loop_new(struct clock *clock, struct error *err)
{
	struct loop *l = mem_new(struct loop);
	int r = uv_loop_init(&l->uv);

	/* A peer that closes is an error of the write, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	if (r) {
		error_sys(err, -r, "cannot make an event loop");
		free(l);
		return NULL;
	}
	l->clock = clock ? clock : &clock_system;
	l->armed_ns = INT64_MAX;
	uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
	r = uv_async_init(&l->uv, &l->async, on_async);
	if (r) {
		error_sys(err, -r, "cannot make an event loop");
		uv_loop_close(&l->uv);
		free(l);
		return NULL;
	}
	l->async.data = l;
	uv_unref((uv_handle_t *)&l->async);
	start_own_handles(l);
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

static void name_handle(uv_handle_t *h, void *arg)
{
	fprintf(stderr, "loop_free: a %s is still open\n", uv_handle_type_name(h->type));
}

void loop_free(struct loop *l)
{
	int turns = 0;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock); /* a loop_post() that is just leaving has left after this */
	pthread_mutex_unlock(&l->lock);
	assert(!heap_first(&l->timers) && l->posts.n == 0 && l->held == 0);
	uv_close((uv_handle_t *)&l->timer, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	uv_close((uv_handle_t *)&l->async, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	/* Closing takes a turn; owners may have closed handles just before. */
	while (uv_loop_close(&l->uv) == UV_EBUSY) {
		if (++turns > 4) {
			uv_walk(&l->uv, name_handle, NULL);
			mem_panic("loop_free: something on the loop was not cancelled");
		}
		uv_run(&l->uv, UV_RUN_NOWAIT);
	}
	heap_fini(&l->timers);
	vec_fini(&l->posts);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

static void on_unwatched(uv_handle_t *handle)
{
	free(handle);
}

void loop_unwatch(uv_poll_t **poll)
{
	if (!*poll)
		return;
	(*poll)->data = NULL;
	uv_poll_stop(*poll);
	uv_close((uv_handle_t *)*poll, on_unwatched);
	*poll = NULL;
}

struct clock *loop_clock(const struct loop *l)
{
	return l->clock;
}

int64_t loop_now_ns(const struct loop *l)
{
	return clock_mono_ns(l->clock);
}
