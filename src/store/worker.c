/*
 * worker.c - see worker.h.
 */

#include "store/worker.h"

#include <assert.h>
#include <pthread.h>

struct thread {
	struct worker *worker;
	unsigned number;
	pthread_t id;
};

struct worker {
	struct loop *loop;
	struct thread *threads;
	unsigned started;
	pthread_mutex_t lock;
	pthread_cond_t work, posted;
	struct worker_job *first, **last;
	size_t undone; /* jobs not yet posted to the loop; under the lock */
	bool stop;
	size_t due; /* jobs whose `done` has not run; the loop's */
	bool drained;
};

static void run_done(void *arg)
{
	struct worker_job *j = arg;
	struct worker *w = j->worker;
	loop_release(w->loop);
	w->drained = --w->due == 0;
	j->done(j);
}

static void *thread_main(void *arg)
{
	const struct thread *t = arg;
	struct worker *w = t->worker;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->first && !w->stop)
			pthread_cond_wait(&w->work, &w->lock);
		struct worker_job *j = w->first;
		if (!j)
			break;
		w->first = j->next;
		if (!w->first)
			w->last = &w->first;
		pthread_mutex_unlock(&w->lock);
		j->work(j, t->number);
		loop_post(w->loop, run_done, j);
		pthread_mutex_lock(&w->lock);
		w->undone--;
		pthread_cond_broadcast(&w->posted);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct worker *worker_new(struct loop *l, unsigned threads, struct error *err)
{
	struct worker *w = mem_new(struct worker);
	w->loop = l;
	w->last = &w->first;
	w->threads = mem_new_array(threads, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->posted, NULL);
	for (; w->started < threads; w->started++) {
		struct thread *t = &w->threads[w->started];
		*t = (struct thread){.worker = w, .number = w->started};
		const int rc = pthread_create(&t->id, NULL, thread_main, t);
		if (rc) {
			error_sys(err, rc, "cannot start a thread");
			worker_free(w);
			return NULL;
		}
	}
	return w;
}

void worker_submit(struct worker *w, struct worker_job *j)
{
	w->due++;
	w->drained = false;
	loop_hold(w->loop);
	j->worker = w;
	j->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->last = j;
	w->last = &j->next;
	w->undone++;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

/* All are posted before the loop runs, so that it finds them at once: with a virtual clock it must
 * not wait, which would let time pass. */
void worker_settle(struct worker *w)
{
	while (w->due) {
		pthread_mutex_lock(&w->lock);
		while (w->undone)
			pthread_cond_wait(&w->posted, &w->lock);
		pthread_mutex_unlock(&w->lock);
		loop_run_until(w->loop, &w->drained);
	}
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	assert(!w->due);
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->started; i++)
		pthread_join(w->threads[i].id, NULL);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->posted);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}
