/* stall.c - see stall.h. */
#include "net/stall.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"

#define BEAT_NS NS_PER_S

struct stall {
	struct loop *loop;
	int64_t limit_ns;
	stall_over *over;
	void *arg;
	struct timer beat;
	_Atomic int64_t last_ns; /* sign of life */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool ending; /* under the lock */
};

static int64_t now_ns(void)
{
	return clock_mono_ns(&clock_system);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Says so once a stall, with how long it lasts by now. */
static void look(const struct stall *s, int64_t *logged_ns)
{
	const int64_t last = atomic_load(&s->last_ns), stood = now_ns() - last;
	if (stood <= s->limit_ns || *logged_ns == last)
		return;
	*logged_ns = last;
	log_event(LOG_ERROR, "loop_stalled", "seconds", "%.1f", (double)stood / 1e9, NULL);
}

static void *watch(void *arg)
{
	struct stall *s = arg;
	int64_t logged_ns = 0;
	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		const int64_t at = now_ns() + BEAT_NS;
		const struct timespec until = {at / NS_PER_S, at % NS_PER_S};
		pthread_cond_timedwait(&s->end, &s->lock, &until);
		look(s, &logged_ns);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static void on_beat(struct timer *t)
{
	struct stall *s = t->arg;
	const int64_t now = now_ns(), stood = now - atomic_exchange(&s->last_ns, now);
	timer_start(s->loop, &s->beat, BEAT_NS, on_beat, s);
	if (stood > s->limit_ns)
		s->over(s->arg, stood);
}

struct stall *stall_new(
	struct loop *l, int64_t limit_ns, stall_over *over, void *arg, struct error *err)
{
	struct stall *s = mem_new(struct stall);
	pthread_condattr_t monotonic;
	s->loop = l;
	s->limit_ns = limit_ns;
	s->over = over;
	s->arg = arg;
	atomic_store(&s->last_ns, now_ns());
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->end, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&s->thread, NULL, watch, s) != 0) {
		error_set(err, ERROR_SYSTEM, "cannot start the thread that watches the loop");
		pthread_cond_destroy(&s->end);
		pthread_mutex_destroy(&s->lock);
		free(s);
		return NULL;
	}
	timer_start(l, &s->beat, BEAT_NS, on_beat, s);
	return s;
}

void stall_free(struct stall *s)
{
	if (!s)
		return;
	timer_cancel(&s->beat);
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->end);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->end);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
