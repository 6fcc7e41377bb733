/*
 * schedule.c - a heap of jobs by the time they are due, and one timer for the first of them.
 *
 * The phase is a part of the SHA-256 of the name, so that it is the same in every process and at
 * every start. A job's next time is entered before its callback runs: whatever that does, also
 * taking the job off, the heap is in order and the job is not touched again.
 */

#include "observe/schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"

#define EVERY_MIN_NS (100 * NS_PER_MS)
#define SOON_NS      (2 * NS_PER_S)
/* More jobs that are due at once wait for the loop's next turn, so that sockets get their share. */
#define TURN_JOBS 64
#define STILL_NS  (2 * NS_PER_S) /* so late nobody is but after standing still */
#define SPREAD_NS (600 * NS_PER_S)
#define LOOK_NS   (10 * NS_PER_S) /* sleep is noticed within */

struct job {
	struct heap_node node; /* first; its key is when it is due (mono) */
	struct schedule *schedule;
	int64_t every_ns;
	uint64_t drawn[2];  /* from the name: the phase, and the place among those that run soon */
	int64_t put_off_ns; /* its next run is so much after the time that it is of */
	bool soon;          /* its first run is due outside of the phase */
	bool rests;         /* stands in no heap */
	unsigned overlap, open_max;
	unsigned running, open;
	uint64_t runs, skips, missed;
	int64_t worst_late_ns;
	char *why; /* of the last time, when it was skipped */
	void (*run)(void *arg, struct job *job);
	void (*skipped)(void *arg, struct job *job);
	void *arg;
	char name[];
};

struct schedule {
	struct loop *loop;
	struct heap due;
	struct map jobs; /* by their own names */
	struct timer timer;
	int64_t slept_ns; /* as it was when the heap was right */
	bool stopped, firing;
};

static void on_timer(struct timer *t);

/* For the first of the heap; while jobs are being fired, once at the end. */
static void arm(struct schedule *s)
{
	const struct heap_node *first = heap_first(&s->due);
	if (s->firing)
		return;
	if (!first || s->stopped) {
		timer_cancel(&s->timer);
		return;
	}
	const int64_t left = first->key - loop_now_ns(s->loop);
	timer_start(s->loop, &s->timer,
		left < 0         ? 0
		: left < LOOK_NS ? left
				 : LOOK_NS,
		on_timer, s);
}

/* --- when ------------------------------------------------------------------------------------- */

static void draw(struct job *j)
{
	uint8_t hash[SHA256_BYTES];
	digest_sha256(j->name, strlen(j->name), hash);
	for (size_t i = 0; i < array_len(j->drawn); i++)
		for (size_t k = 0; k < sizeof(uint64_t); k++)
			j->drawn[i] = j->drawn[i] << 8 | hash[i * sizeof(uint64_t) + k];
}

/* The first time of its phase later than `after_ns` (mono), as the wall clock says now. */
static int64_t next_in_phase(const struct job *j, int64_t after_ns)
{
	const struct loop *l = j->schedule->loop;
	const int64_t every = j->every_ns,
		      unix_ns =
			      clock_unix_us(loop_clock(l)) * NS_PER_US + after_ns - loop_now_ns(l),
		      phase = (int64_t)(j->drawn[0] % (uint64_t)every),
		      past = ((unix_ns - phase) % every + every) % every;
	return after_ns + every - past;
}

/* The one after `due_ns` that is still to come; what lies between is not caught up. */
static int64_t next_after(const struct job *j, int64_t due_ns, int64_t now_ns)
{
	const int64_t late = now_ns > due_ns ? now_ns - due_ns : 0;
	return due_ns + (late / j->every_ns + 1) * j->every_ns;
}

static int64_t first_time(const struct job *j, bool soon, bool *ret_soon)
{
	const int64_t now = loop_now_ns(j->schedule->loop), next = next_in_phase(j, now);
	*ret_soon = soon && next - now > SOON_NS;
	return *ret_soon ? now + (int64_t)(j->drawn[1] % SOON_NS) : next;
}

/* --- after standing still --------------------------------------------------------------------- */

static void move(struct job *j, int64_t due_ns)
{
	heap_remove(&j->schedule->due, &j->node);
	heap_add(&j->schedule->due, &j->node, due_ns);
}

/* While the machine slept all times went by. */
static void count_sleep(struct schedule *s)
{
	const int64_t slept = clock_slept_ns(loop_clock(s->loop)) - s->slept_ns;
	if (slept <= 0)
		return;
	s->slept_ns += slept;
	MAP_EACH (&s->jobs, e) {
		struct job *j = e->value;
		if (!j->rests)
			move(j, j->node.key - slept);
	}
}

/* One whose time has passed, when that of the first of all passed `behind_ns` ago: it runs as long
 * after now as it was behind that one, all of them within SPREAD_NS. */
static void put_off(struct job *j, int64_t now, int64_t behind_ns)
{
	const int64_t key = j->node.key, due = key - j->put_off_ns, next = due + j->every_ns;
	const int64_t half = (next - now) / 2, late = now - key;
	int64_t wait = behind_ns - late;
	if (behind_ns > SPREAD_NS)
		wait = (int64_t)((double)wait * SPREAD_NS / (double)behind_ns);
	if (j->soon) {
		move(j, now + wait % SOON_NS);
	} else if (next - now < j->every_ns / 2) {
		const int64_t after = next_after(j, due, now);
		j->missed += (uint64_t)((after - due) / j->every_ns);
		j->put_off_ns = 0;
		move(j, after);
	} else {
		const int64_t at = now + (wait < half ? wait : half);
		j->put_off_ns = at - due;
		move(j, at);
	}
}

static void spread(struct schedule *s, int64_t now)
{
	const struct heap_node *first = heap_first(&s->due);
	const int64_t behind = first ? now - first->key : 0;
	if (behind < STILL_NS)
		return;
	MAP_EACH (&s->jobs, e) {
		struct job *j = e->value;
		if (!j->rests && j->node.key <= now)
			put_off(j, now, behind);
	}
}

/* --- running ---------------------------------------------------------------------------------- */

/* Enters when it is due next; whether it is to run now. */
static bool take_turn(struct job *j, int64_t now)
{
	struct schedule *s = j->schedule;
	const int64_t due = j->node.key - j->put_off_ns, late = now - due;
	const bool missed = late >= j->every_ns;
	heap_remove(&s->due, &j->node);
	const int64_t next =
		j->soon ? next_in_phase(j, now + j->every_ns / 2) : next_after(j, due, now);
	heap_add(&s->due, &j->node, next);
	j->put_off_ns = 0;
	if (missed) {
		j->missed += j->soon ? 1 : (uint64_t)(late / j->every_ns + 1);
		j->soon = false;
		return false;
	}
	j->soon = false;
	return true;
}

static void fire(struct job *j, int64_t now)
{
	const int64_t late = now - j->node.key + j->put_off_ns;
	if (!take_turn(j, now))
		return;
	if (j->running >= j->overlap || j->open >= j->open_max) {
		j->skips++;
		mem_replace(&j->why, j->open >= j->open_max ? "as many as may be are open"
							    : "the last one is under way still");
		if (j->skipped)
			j->skipped(j->arg, j);
		return;
	}
	if (late > j->worst_late_ns)
		j->worst_late_ns = late;
	mem_replace(&j->why, NULL);
	j->runs++;
	j->running++;
	j->open++;
	j->run(j->arg, j);
}

static void on_timer(struct timer *t)
{
	struct schedule *s = t->arg;
	struct heap_node *first;
	s->firing = true;
	if (!s->stopped) {
		count_sleep(s);
		spread(s, loop_now_ns(s->loop));
	}
	for (int i = 0; i < TURN_JOBS && !s->stopped && (first = heap_first(&s->due)); i++) {
		const int64_t now = loop_now_ns(s->loop);
		if (first->key > now)
			break;
		fire((struct job *)first, now);
	}
	s->firing = false;
	arm(s);
}

void job_built(struct job *j)
{
	assert(j->running > 0);
	j->running--;
}

void job_done(struct job *j)
{
	assert(j->open > 0);
	if (j->open == j->running) /* none is built: it is one that runs */
		j->running--;
	j->open--;
}

void job_skip(struct job *j, const char *why)
{
	mem_replace(&j->why, why);
	j->runs--;
	j->skips++;
	j->running--;
	j->open--;
}

void job_rest(struct job *j)
{
	if (!j->rests)
		heap_remove(&j->schedule->due, &j->node);
	j->rests = true;
	arm(j->schedule);
}

/* --- life ------------------------------------------------------------------------------------- */

struct schedule *schedule_new(struct loop *l)
{
	struct schedule *s = mem_new(struct schedule);
	s->loop = l;
	s->jobs = MAP_BORROWING;
	s->slept_ns = clock_slept_ns(loop_clock(l));
	return s;
}

void schedule_free(struct schedule *s)
{
	if (!s)
		return;
	assert(s->jobs.n == 0 && !s->firing);
	timer_cancel(&s->timer);
	heap_fini(&s->due);
	map_fini(&s->jobs);
	free(s);
}

struct loop *schedule_loop(const struct schedule *s)
{
	return s->loop;
}

struct job *schedule_add(struct schedule *s, const struct job_options *o)
{
	assert(o->every_ns >= EVERY_MIN_NS && o->run && !map_get(&s->jobs, o->name));
	count_sleep(s);
	const size_t n = strlen(o->name) + 1;
	struct job *j = mem_new_array(1, sizeof(*j) + n);
	j->schedule = s;
	memcpy(j->name, o->name, n);
	j->every_ns = o->every_ns;
	j->overlap = o->overlap ? o->overlap : 1;
	j->open_max = o->open ? o->open : j->overlap;
	j->run = o->run;
	j->skipped = o->skipped;
	j->arg = o->arg;
	draw(j);
	map_put(&s->jobs, j->name, j);
	heap_add(&s->due, &j->node, first_time(j, o->soon, &j->soon));
	arm(s);
	return j;
}

void schedule_remove(struct job *j)
{
	if (!j)
		return;
	struct schedule *s = j->schedule;
	if (!j->rests)
		heap_remove(&s->due, &j->node);
	map_remove(&s->jobs, j->name);
	free(j->why);
	free(j);
	arm(s);
}

void schedule_change(struct job *j, int64_t every_ns)
{
	struct schedule *s = j->schedule;
	assert(every_ns >= EVERY_MIN_NS);
	count_sleep(s);
	j->every_ns = every_ns;
	if (j->soon || j->rests)
		return; /* has not begun yet: its phase comes after that */
	j->put_off_ns = 0;
	move(j, next_in_phase(j, loop_now_ns(s->loop)));
	arm(s);
}

void schedule_stop(struct schedule *s)
{
	s->stopped = true;
	arm(s);
}

/* --- what it says ------------------------------------------------------------------------------
 */

struct job_state job_state(const struct job *j)
{
	const struct loop *l = j->schedule->loop;
	const int64_t left = j->node.key - loop_now_ns(l);
	return (struct job_state){
		.name = j->name,
		.every_ns = j->every_ns,
		.next_unix_us = j->schedule->stopped || j->rests
					? 0
					: clock_unix_us(loop_clock(l)) + left / NS_PER_US,
		.running = j->running,
		.open = j->open,
		.runs = j->runs,
		.skips = j->skips,
		.missed = j->missed,
		.worst_late_ns = j->worst_late_ns,
		.why = j->why,
	};
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct job *const *)a)->name, (*(const struct job *const *)b)->name);
}

void schedule_each(
	const struct schedule *s, void (*cb)(void *arg, const struct job_state *state), void *arg)
{
	const struct job **all = mem_new_array(s->jobs.n + 1, sizeof(const struct job *));
	size_t n = 0;
	MAP_EACH (&s->jobs, e)
		all[n++] = e->value;
	qsort(all, n, sizeof(const struct job *), by_name);
	for (size_t i = 0; i < n; i++) {
		const struct job_state state = job_state(all[i]);
		cb(arg, &state);
	}
	free(all);
}
