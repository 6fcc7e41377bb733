/*
 * serve_render.c - the thread that renders: one job after another, pinned before cold.
 *
 * It alone has what all pages show of the SITE documents: jobs are given that to read, and the job
 * that pins may exchange it.
 */

#include "web/serve_inside.h"

struct render {
	struct loop *hub;
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct render_job *jobs[2], **ends[2]; /* first, others; under the lock, like stop */
	bool stop;
	json_t *frames[SEATS]; /* the thread's */
	unsigned under_way;    /* the hub's */
};

static void on_done(void *arg)
{
	struct render_job *j = arg;
	j->render->under_way--;
	loop_release(j->render->hub);
	j->done(j);
}

static struct render_job *next_job(struct render *r)
{
	for (int i = 0; i < 2; i++) {
		struct render_job *j = r->jobs[i];
		if (!j)
			continue;
		r->jobs[i] = j->next;
		if (!j->next)
			r->ends[i] = &r->jobs[i];
		return j;
	}
	return NULL;
}

static void *render_main(void *arg)
{
	struct render *r = arg;
	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct render_job *j = next_job(r);
		if (!j && r->stop)
			break;
		if (!j) {
			pthread_cond_wait(&r->work, &r->lock);
			continue;
		}
		pthread_mutex_unlock(&r->lock);
		j->work(j, r->frames);
		loop_post(r->hub, on_done, j);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct render *render_new(struct loop *hub, struct error *err)
{
	struct render *r = mem_new(struct render);
	r->hub = hub;
	for (int i = 0; i < 2; i++)
		r->ends[i] = &r->jobs[i];
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	const int rc = pthread_create(&r->id, NULL, render_main, r);
	if (rc == 0)
		return r;
	error_sys(err, rc, "cannot start a thread");
	free(r);
	return NULL;
}

void render_submit(struct render *r, struct render_job *j, bool first)
{
	const int i = first ? 0 : 1;
	r->under_way++;
	loop_hold(r->hub);
	j->render = r;
	j->next = NULL;
	pthread_mutex_lock(&r->lock);
	*r->ends[i] = j;
	r->ends[i] = &j->next;
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
}

void render_free(struct render *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->id, NULL);
	for (int s = 0; s < SEATS; s++)
		json_decref(r->frames[s]);
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
