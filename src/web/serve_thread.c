/*
 * serve_thread.c - the life of a serving thread: its loop, its listeners, what the hub sends it.
 */

#include "web/serve_thread.h"
#include <assert.h>

#define NEAR_BYTES     (8u << 20)
#define CONNECTION_MEM (8u << 10)
/* Graphite's questions have many targets. */
#define INTAKE_MEM (64u << 10)

void serving_take(struct serving *s, struct ask *a)
{
	loop_post(s->loop, request_take, a);
}

/* --- what the hub sends --------------------------------------------------------------------------
 */

struct message {
	struct serving *serving;
	struct pins *pins;
	struct guard guard;
};

static void take_pins(void *arg)
{
	struct message *m = arg;
	pins_unref(m->serving->pins);
	m->serving->pins = m->pins;
	request_forget_languages(m->serving);
	free(m);
}

static void take_guard(void *arg)
{
	struct message *m = arg;
	m->serving->guard = m->guard;
	free(m);
}

void serving_pin(struct serving *s, struct pins *p)
{
	struct message *m = mem_new(struct message);
	m->serving = s;
	m->pins = pins_ref(p);
	loop_post(s->loop, take_pins, m);
}

void serving_guard(struct serving *s, const struct guard *g)
{
	struct message *m = mem_new(struct message);
	m->serving = s;
	m->guard = *g;
	loop_post(s->loop, take_guard, m);
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void close_servers(struct serving *s)
{
	for (struct ask *a = s->asks, *next; a; a = next) {
		next = a->next;
		if (a->gathering) {
			http_exchange_set_data(a->x, NULL);
			ask_free(a);
		} else {
			a->x = NULL;
		}
	}
	for (int i = 0; i < SEATS; i++) {
		http_server_free(s->entrances[i].server);
		s->entrances[i].server = NULL;
	}
}

static void on_close(void *arg)
{
	struct serving *s = arg;
	close_servers(s);
	loop_post(s->o.hub_loop, s->o.closed, s->o.arg);
}

void serving_close(struct serving *s)
{
	loop_post(s->loop, on_close, s);
}

static void on_end(void *arg)
{
	struct serving *s = arg;
	loop_release(s->loop);
	loop_stop(s->loop);
}

static void *serving_main(void *arg)
{
	struct serving *s = arg;
	loop_run(s->loop);
	return NULL;
}

static bool open_entrance(struct serving *s, enum seat seat, int fd, struct error *err)
{
	struct entrance *e = &s->entrances[seat];
	*e = (struct entrance){
		.serving = s, .seat = seat, .on = seat == SEAT_PUBLIC ? ON_PUBLIC : ON_INTAKE};
	if (fd < 0)
		return true;
	e->server = http_server_new(s->loop,
		&(struct http_server_options){.listener = fd,
			.body_max = REQUEST_BODY_MAX,
			.memory = seat == SEAT_PUBLIC ? CONNECTION_MEM : INTAKE_MEM,
			.connections = s->o.connections,
			.headers = cache_headers,
			.header_count = cache_header_count,
			.handle = request_handle,
			.stream = write_stream,
			.piece = write_piece,
			.gone = request_gone,
			.arg = e},
		err);
	return e->server != NULL;
}

struct serving *serving_new(const struct serving_options *o, struct error *err)
{
	struct serving *s = mem_new(struct serving);
	s->o = *o;
	s->near = cache_new(NEAR_BYTES);
	request_forget_languages(s);
	s->loop = loop_new(NULL, err);
	if (s->loop)
		loop_hold(s->loop);
	if (s->loop && open_entrance(s, SEAT_PUBLIC, o->public_fd, err) &&
		open_entrance(s, SEAT_OPERATORS, o->intake_fd, err)) {
		const int rc = pthread_create(&s->id, NULL, serving_main, s);
		s->started = rc == 0;
		if (s->started)
			return s;
		error_sys(err, rc, "cannot start a thread");
	}
	serving_free(s);
	return NULL;
}

void serving_free(struct serving *s)
{
	if (!s)
		return;
	if (s->started) {
		loop_post(s->loop, on_end, s);
		pthread_join(s->id, NULL);
	} else {
		close_servers(s);
		if (s->loop)
			loop_release(s->loop);
	}
	assert(!s->asks);
	loop_free(s->loop);
	cache_free(s->near);
	pins_unref(s->pins);
	free(s);
}
