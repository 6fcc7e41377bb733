/*
 * serve.c - the life of the serving half: files are given up before threads are started, calls when
 * everything is open; it ends in the order in which nobody is left waiting.
 */

#include "web/serve.h"

#include "base/mem.h"
#include "web/serve_inside.h"

#define CONNECTIONS 10000

struct house_door {
	struct serve_options o;
	struct loop *loop;
	struct hub *hub;
	struct fixed fixed;
	struct serving *servings[SERVE_THREADS_MAX];
	unsigned count, closed;
	bool all_closed;
};

static void on_pinned(void *arg, struct pins *p)
{
	const struct house_door *d = arg;
	for (unsigned i = 0; i < d->count; i++)
		serving_pin(d->servings[i], p);
}

static void on_setup(void *arg, const struct guard *g)
{
	const struct house_door *d = arg;
	for (unsigned i = 0; i < d->count; i++)
		serving_guard(d->servings[i], g);
}

static void on_ended(void *arg, const struct error *err)
{
	const struct house_door *d = arg;
	loop_stop(d->loop);
}

static void on_closed(void *arg)
{
	struct house_door *d = arg;
	d->all_closed = ++d->closed == d->count;
}

static bool start_threads(struct house_door *d, struct error *err)
{
	const struct serve_options *o = &d->o;
	const unsigned all = o->connections ? o->connections : CONNECTIONS;
	for (; d->count < o->threads; d->count++) {
		d->servings[d->count] = serving_new(
			&(struct serving_options){.hub = d->hub,
				.hub_loop = d->loop,
				.fixed = &d->fixed,
				.public_fd = o->public_fds ? o->public_fds[d->count] : -1,
				.intake_fd = o->intake_fds ? o->intake_fds[d->count] : -1,
				.connections = (all + o->threads - 1) / o->threads,
				.closed = on_closed,
				.arg = d},
			err);
		if (!d->servings[d->count])
			return false;
	}
	return true;
}

static void stop(struct house_door *d)
{
	for (unsigned i = 0; i < d->count; i++)
		serving_close(d->servings[i]);
	if (d->count)
		loop_run_until(d->loop, &d->all_closed);
	if (d->hub)
		hub_close(d->hub); /* every ask is on its way back */
	for (unsigned i = 0; i < d->count; i++)
		serving_free(d->servings[i]);
	hub_free(d->hub);
}

static bool run(struct house_door *d, struct error *err)
{
	struct isolate gone = {0};
	loop_hold(d->loop); /* at its end nothing but posts may be left to wait for */
	if (d->o.isolate)
		isolate_begin(&gone);
	d->hub = hub_new(&(struct hub_options){.loop = d->loop,
				 .door = d->o.door,
				 .pinned = on_pinned,
				 .setup = on_setup,
				 .ended = on_ended,
				 .arg = d},
		err);
	const bool good = d->hub && start_threads(d, err);
	if (good) {
		if (d->o.isolate)
			isolate_finish(&gone);
		hub_say(d->hub, "serving", d->o.isolate ? isolate_prove(&gone) : json_object());
		loop_run(d->loop);
	}
	stop(d);
	loop_release(d->loop);
	return good;
}

bool serve_run(const struct serve_options *options, struct error *err)
{
	struct house_door *d = mem_new(struct house_door);
	d->o = *options;
	fixed_init(&d->fixed);
	d->loop = loop_new(NULL, err);
	const bool good = d->loop && run(d, err);
	loop_free(d->loop);
	fixed_fini(&d->fixed);
	free(d);
	return good;
}
