/*
 * loop.h - one event loop a thread (libuv), with timers on an injectable clock.
 *
 * Timers run on the loop's clock. With clock_system they wait in real time; with a virtual clock
 * nothing waits: loop_advance() moves the time and fires what is due, in order, so that a day of
 * schedule takes milliseconds. Sockets always keep real time.
 * Thread: everything here belongs to the loop's own thread, but loop_post() and loop_stop().
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/heap.h"

struct loop;

/* Borrows `clock` (NULL: clock_system). Returns owned. SIGPIPE is ignored in the process from here.
 */
struct loop *loop_new(struct clock *clock, struct error *err) must_check;
/* Everything started on it must have been cancelled or have ended; asserts otherwise. */
void loop_free(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);
/* Ends the watch of a descriptor whose handle was made with mem_new(); its data is NULL from now
 * on, and it is freed once libuv lets go of it. Sets *poll to NULL; NULL is fine. */
void loop_unwatch(uv_poll_t **poll);
struct clock *loop_clock(const struct loop *l);
int64_t loop_now_ns(const struct loop *l); /* mono_ns of its clock */

/* Runs until loop_stop(), or until nothing is left that could happen (no timer, no handle). */
void loop_run(struct loop *l);
/* Runs until *done is true, or until loop_stop(); false if nothing is left before that. */
bool loop_run_until(struct loop *l, const bool *done);
/* Ends the run under way, or the next one. Of runs within runs it ends the outermost, once those in
 * it have what they wait for. Thread: any. */
void loop_stop(struct loop *l);
/* Virtual clock only: advances by `ns`, firing timers at their times, polling sockets between. */
void loop_advance(struct loop *l, int64_t ns);
/* The longest time one turn of the loop spent in callbacks since the last call with reset. */
int64_t loop_longest_turn_ns(struct loop *l, bool reset);

/* --- timers: the storage is the owner's, zeroed before first use ----------------------------- */

struct timer {
	struct heap_node node; /* first */
	struct loop *loop;
	void (*cb)(struct timer *t);
	void *arg;
};

/* Calls cb once, at least delay_ns (>= 0) later, never from inside this call. Restarts if running.
 */
void timer_start(
	struct loop *l, struct timer *t, int64_t delay_ns, void (*cb)(struct timer *t), void *arg);
void timer_cancel(struct timer *t); /* no-op when not running; cb is not called */
bool timer_running(const struct timer *t);
int64_t timer_left_ns(const struct timer *t);

/* Runs fn(arg) in the loop's thread, soon, in order. Thread: any. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* Something real is under way whose end will come (a request, work in another thread): until the
 * matching release the loop stays alive without other handles, and loop_run() with a virtual clock
 * jumps to the next timer only after waiting for it in real time. Calls nest. */
void loop_hold(struct loop *l);
void loop_release(struct loop *l);

#endif
