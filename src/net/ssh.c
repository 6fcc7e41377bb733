/*
 * ssh.c - SSH calls on a thread of their own; see ssh.h.
 *
 * Each call is a chain of hops: a TCP connection to the first, and for each further one a
 * direct-tcpip channel of the hop before, pumped through a socket pair, so that libssh sees a plain
 * descriptor everywhere. step() moves a call as far as it goes without waiting; descriptors and a
 * short tick call it again. The call belongs to the ssh thread from ssh_run() until its result is
 * posted back; a count of references lets a late ssh_cancel() find it.
 */

#include "net/ssh.h"

#include <assert.h>
#include <libssh/libssh.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/ssh_chain.h"

#define OUTPUT_MAX (64u << 10)
/* At once by one first hop: sshd's MaxStartups begins to refuse at 10, and counts a log-in a little
 * longer than its client does. */
#define LOGINS_MAX 5
#define OPEN_NS    (5 * NS_PER_S) /* for a kept session to show that it lives */
#define CLOSE_NS   (NS_PER_S / 2) /* for a server to close the channel of a command */
#define TICK_NS    (25 * NS_PER_MS)
#define IDLE_NS    (3600 * NS_PER_S)

struct ssh_pool {
	struct loop *owner, *own;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t up;
	struct timer alive;
	struct resolver *resolver;    /* ssh thread */
	struct error err;             /* why the thread did not start */
	VEC(struct ssh_call *) calls; /* ssh thread */
	struct ssh_keep keep;         /* ssh thread */
	size_t open;                  /* owner: callbacks still due */
	bool drained;
	bool started, stopping;
};

struct ssh_call {
	struct ssh_pool *pool;
	int refs;
	ssh_done *done; /* owner */
	void *arg;
	bool over; /* owner: the callback has run */

	/* ssh thread */
	struct ssh_chain *chain;
	struct ssh_chain *spare; /* not yet connected, while a kept one is tried */
	bool keep;
	char *command, *input;
	size_t input_n, input_sent;
	size_t output_max;
	int64_t deadline_ns, began_ns, mark_ns, ended_ns;
	struct timer tick, deadline;
	ssh_channel channel;
	enum { CALL_WAITING, CALL_HOPS, CALL_OPEN, CALL_EXEC, CALL_READ, CALL_OVER } state;
	bool eof_sent;
	struct buf output, errors;
	struct ssh_result result;
};

static void unref(struct ssh_call *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(c->command);
	free(c->input);
	buf_fini(&c->output);
	buf_fini(&c->errors);
	free(c);
}

/* --- the end ------------------------------------------------------------------------------------
 */

static void on_owner_done(void *arg)
{
	struct ssh_call *c = arg;
	c->over = true;
	loop_release(c->pool->owner);
	c->pool->drained = --c->pool->open == 0;
	c->result.output = buf_slice(&c->output);
	c->result.errors = buf_slice(&c->errors);
	c->done(c->arg, &c->result);
	unref(c);
}

static void finish(struct ssh_call *c, enum fault fault, const char *fmt, ...) like_printf(3, 4);

/* The time since the last mark belongs to the phase that the call was in. */
static void charge(struct ssh_call *c)
{
	struct ssh_hop *h = &c->chain->hops[c->chain->at];
	const int64_t now = loop_now_ns(c->pool->own);
	int64_t took = now - c->mark_ns;
	struct phases *p = &c->result.phases;
	c->mark_ns = now;
	if (c->state == CALL_WAITING)
		return;
	if (c->state != CALL_HOPS) {
		p->body_ns += took;
		return;
	}
	if (c->chain->at >= c->chain->n)
		return;
	switch (h->state == HOP_FAILED ? h->failed_in : h->state) {
	case HOP_RESOLVE: p->resolve_ns += took; break;
	case HOP_CONNECT: /* resolving ended between two steps */
		if (h->resolve_ns && h->resolve_ns <= took) {
			p->resolve_ns += h->resolve_ns;
			took -= h->resolve_ns;
			h->resolve_ns = 0;
		}
		p->connect_ns += took;
		break;
	case HOP_FORWARD: p->connect_ns += took; break;
	case HOP_KEX: p->tls_ns += took; break;
	case HOP_AUTH: p->wait_ns += took; break;
	case HOP_READY:
	case HOP_FAILED: break;
	}
}

/* One less logs in by that first hop: the next one that waits for it may. */
static void next_login(struct ssh_pool *p, const char *host, unsigned port);

static bool may_stay(const struct ssh_call *c, enum fault fault)
{
	return c->keep && (fault == FAULT_NONE || fault == FAULT_EXIT_STATUS) && c->channel &&
	       ssh_channel_is_closed(c->channel) &&
	       ssh_is_connected(c->chain->hops[c->chain->n - 1].session) && !c->pool->stopping;
}

static void let_go_of_chain(struct ssh_call *c, bool stays)
{
	if (c->channel)
		ssh_channel_free(c->channel);
	c->channel = NULL;
	if (stays)
		ssh_keep_put(&c->pool->keep, c->chain);
	else
		ssh_chain_free(c->chain);
	ssh_chain_free(c->spare);
	c->chain = c->spare = NULL;
}

static void finish(struct ssh_call *c, enum fault fault, const char *fmt, ...)
{
	if (c->state == CALL_OVER)
		return;
	va_list ap;
	const bool was_login = c->state == CALL_HOPS;
	charge(c);
	va_start(ap, fmt);
	vsnprintf(c->result.detail, sizeof(c->result.detail), fmt, ap);
	va_end(ap);
	c->state = CALL_OVER;
	c->result.fault = fault;
	c->result.phases.total_ns = loop_now_ns(c->pool->own) - c->began_ns;
	ssh_hop_address(&c->chain->hops[0], c->result.address, sizeof(c->result.address));
	timer_cancel(&c->tick);
	timer_cancel(&c->deadline);
	char *host = was_login ? mem_strdup(c->chain->hops[0].host) : NULL;
	const unsigned port = c->chain->hops[0].port;
	let_go_of_chain(c, may_stay(c, fault));
	for (size_t i = 0; i < c->pool->calls.n; i++)
		if (c->pool->calls.p[i] == c) {
			vec_remove(&c->pool->calls, i);
			break;
		}
	if (was_login)
		next_login(c->pool, host, port);
	free(host);
	loop_post(c->pool->owner, on_owner_done, c);
}

/* --- one step at a time -------------------------------------------------------------------------
 */

static void hop_failed(struct ssh_call *c, const struct ssh_hop *h)
{
	char where[160] = "";
	if (c->chain->n > 1)
		snprintf(where, sizeof(where), "%s: ", h->host);
	finish(c, h->fault, "%s%s", where, h->detail);
}

/* Moves the chain of hops; true when the last one is logged in. */
static bool step_hops(struct ssh_call *c, bool *moved)
{
	struct ssh_chain *chain = c->chain;
	while (chain->at < chain->n) {
		struct ssh_hop *h = &chain->hops[chain->at];
		const bool last = chain->at + 1 == chain->n;
		const enum hop_state before = h->state;
		if (before != HOP_RESOLVE)
			charge(c);
		ssh_hop_step(h, last ? NULL : &chain->hops[chain->at + 1]);
		if (h->state == HOP_FAILED) {
			hop_failed(c, h);
			return false;
		}
		if (h->state == before)
			return false;
		*moved = true;
		if (last && h->state >= HOP_AUTH)
			ssh_hop_facts(h, c->result.host_key, sizeof(c->result.host_key),
				c->result.banner, sizeof(c->result.banner));
		if (h->state == HOP_READY)
			chain->at++;
	}
	return true;
}

static void send_input(struct ssh_call *c, bool *moved)
{
	while (c->input_sent < c->input_n) {
		const int n = ssh_channel_write(c->channel, c->input + c->input_sent,
			(uint32_t)(c->input_n - c->input_sent));
		if (n <= 0)
			return;
		c->input_sent += (size_t)n;
		*moved = true;
	}
	if (!c->eof_sent) {
		c->eof_sent = true;
		ssh_channel_send_eof(c->channel);
	}
}

static void read_into(struct ssh_call *c, struct buf *b, int is_stderr, bool *moved)
{
	char piece[8192];
	int n;
	while ((n = ssh_channel_read_nonblocking(c->channel, piece, sizeof(piece), is_stderr)) >
		0) {
		*moved = true;
		const size_t room = b->max - b->n;
		if ((size_t)n > room)
			c->result.output_cut = true;
		buf_add(b, piece, (size_t)n < room ? (size_t)n : room);
	}
}

static void begin_hops(struct ssh_call *c);

/* A kept session that has died meanwhile: nothing has been asked of it yet. */
static void begin_anew(struct ssh_call *c)
{
	struct ssh_chain *spare = c->spare;
	c->spare = NULL;
	let_go_of_chain(c, false);
	c->chain = spare;
	c->state = CALL_HOPS;
	begin_hops(c);
}

/* True: there is a channel, of a session that lives. */
static bool open_channel(struct ssh_call *c, ssh_session session, bool *moved)
{
	if (!c->channel)
		c->channel = ssh_channel_new(session);
	const int rc = ssh_channel_open_session(c->channel);
	const bool late = loop_now_ns(c->pool->own) - c->began_ns > OPEN_NS;
	if (c->spare && ((rc == SSH_AGAIN && late) || (rc != SSH_AGAIN && rc != SSH_OK))) {
		begin_anew(c);
		*moved = true;
		return false;
	}
	if (rc == SSH_AGAIN)
		return false;
	if (rc != SSH_OK) {
		finish(c, FAULT_CONNECTION_LOST, "opening a session: %s", ssh_get_error(session));
		return false;
	}
	c->state = CALL_EXEC;
	*moved = true;
	return true;
}

static void step_command(struct ssh_call *c, bool *moved)
{
	const ssh_session session = c->chain->hops[c->chain->n - 1].session;
	if (c->state == CALL_OPEN && !open_channel(c, session, moved))
		return;
	if (c->state == CALL_EXEC) {
		const int rc = ssh_channel_request_exec(c->channel, c->command);
		if (rc == SSH_AGAIN)
			return;
		if (rc != SSH_OK) {
			finish(c, FAULT_CONNECTION_LOST, "running the command: %s",
				ssh_get_error(session));
			return;
		}
		c->state = CALL_READ;
		*moved = true;
	}
	send_input(c, moved);
	read_into(c, &c->output, 0, moved);
	read_into(c, &c->errors, 1, moved);
	if (!ssh_is_connected(session) && !ssh_channel_is_eof(c->channel)) {
		finish(c, FAULT_CONNECTION_LOST, "the connection broke while the command ran");
		return;
	}
	if (!ssh_channel_is_eof(c->channel))
		return;
	const int status = ssh_channel_get_exit_status(c->channel);
	if (status == -1 && !ssh_channel_is_closed(c->channel) && ssh_is_connected(session))
		return; /* comes after the end of output */
	if (c->keep && !ssh_channel_is_closed(c->channel) && ssh_is_connected(session)) {
		const int64_t now = loop_now_ns(c->pool->own);
		c->ended_ns = c->ended_ns ? c->ended_ns : now;
		if (now - c->ended_ns < CLOSE_NS)
			return; /* only a session on which nothing is under way can be kept */
	}
	c->result.exit_status = status;
	if (status == 0)
		finish(c, FAULT_NONE, "%s", "");
	else if (status == -1 && !ssh_is_connected(session))
		finish(c, FAULT_CONNECTION_LOST,
			"the connection broke before the command's exit status came");
	else if (status == -1)
		finish(c, FAULT_EXIT_STATUS, "the command was killed, or ended without a status");
	else
		finish(c, FAULT_EXIT_STATUS, "the command ended with status %d", status);
}

static void pump_all(struct ssh_call *c, bool *moved)
{
	struct ssh_chain *chain = c->chain;
	for (size_t i = 0; i + 1 < chain->n; i++) {
		if (ssh_hop_pump(&chain->hops[i]))
			*moved = true;
		if (chain->hops[i].state != HOP_FAILED)
			continue;
		if (c->spare && c->state == CALL_OPEN)
			begin_anew(c);
		else
			hop_failed(c, &chain->hops[i]);
		return;
	}
}

static void step(struct ssh_call *c)
{
	bool moved = true;
	for (int n = 0; moved && n < 64 && c->state != CALL_OVER && c->state != CALL_WAITING; n++) {
		moved = false;
		pump_all(c, &moved);
		if (c->state == CALL_OVER)
			return;
		if (c->state == CALL_HOPS) {
			if (!step_hops(c, &moved))
				continue;
			if (!c->command) {
				finish(c, FAULT_NONE, "%s", "");
				return;
			}
			c->state = CALL_OPEN;
			moved = true;
			next_login(c->pool, c->chain->hops[0].host, c->chain->hops[0].port);
		} else {
			step_command(c, &moved);
		}
	}
}

/* The owner may run the callback and let go of the call while its last step is still on the stack
 * here: a step holds a reference. */
static void step_held(struct ssh_call *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	step(c);
	unref(c);
}

static void on_tick(struct timer *t)
{
	struct ssh_call *c = t->arg;
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	step(c);
	if (c->state != CALL_OVER)
		timer_start(c->pool->own, &c->tick, TICK_NS, on_tick, c);
	unref(c);
}

static void on_readable(void *arg)
{
	step_held(arg);
}

static void on_deadline(struct timer *t)
{
	struct ssh_call *c = t->arg;
	const struct ssh_chain *chain = c->chain;
	const struct ssh_hop *h = &chain->hops[chain->at < chain->n ? chain->at : chain->n - 1];
	if (c->state == CALL_WAITING)
		finish(c, FAULT_TIMEOUT, "too many log in there at the same time");
	else if (c->state == CALL_HOPS && h->state == HOP_KEX && !ssh_get_serverbanner(h->session))
		finish(c, FAULT_SSH_BANNER, "%s accepts connections but sends no SSH banner",
			h->host);
	else
		finish(c, FAULT_TIMEOUT, "%s",
			c->state != CALL_HOPS ? "the command did not end in time"
			: h->state == HOP_CONNECT || h->state == HOP_RESOLVE
				? "no connection in time"
				: "the log-in did not end in time");
}

/* --- between the threads ------------------------------------------------------------------------
 */

static void begin_hops(struct ssh_call *c)
{
	for (size_t i = 0; i < c->chain->n; i++)
		ssh_hop_init(&c->chain->hops[i], c->pool->own, c->pool->resolver, c->deadline_ns,
			on_readable, c);
}

static bool goes_by(const struct ssh_call *c, const char *host, unsigned port)
{
	return c->chain->hops[0].port == port && !strcmp(c->chain->hops[0].host, host);
}

static size_t logging_in(const struct ssh_pool *p, const char *host, unsigned port)
{
	size_t n = 0;
	for (size_t i = 0; i < p->calls.n; i++)
		n += p->calls.p[i]->state == CALL_HOPS && goes_by(p->calls.p[i], host, port);
	return n;
}

static void log_in(struct ssh_call *c)
{
	c->state = CALL_HOPS;
	c->began_ns = c->mark_ns = loop_now_ns(c->pool->own);
	begin_hops(c);
	timer_start(c->pool->own, &c->tick, 0, on_tick, c);
}

static void next_login(struct ssh_pool *p, const char *host, unsigned port)
{
	if (p->stopping || logging_in(p, host, port) >= LOGINS_MAX)
		return;
	for (size_t i = 0; i < p->calls.n; i++)
		if (p->calls.p[i]->state == CALL_WAITING && goes_by(p->calls.p[i], host, port)) {
			log_in(p->calls.p[i]);
			return;
		}
}

/* By a session that another call has left; false: there is none. */
static bool reuse(struct ssh_call *c)
{
	struct ssh_chain *kept = c->keep ? ssh_keep_take(&c->pool->keep, c->chain) : NULL;
	if (!kept)
		return false;
	c->spare = c->chain;
	c->chain = kept;
	ssh_chain_wakes(kept, on_readable, c);
	ssh_hop_facts(&kept->hops[kept->n - 1], c->result.host_key, sizeof(c->result.host_key),
		c->result.banner, sizeof(c->result.banner));
	c->state = CALL_OPEN;
	timer_start(c->pool->own, &c->tick, 0, on_tick, c);
	return true;
}

static void on_start(void *arg)
{
	struct ssh_call *c = arg;
	vec_push(&c->pool->calls, c);
	c->began_ns = c->mark_ns = loop_now_ns(c->pool->own);
	timer_start(c->pool->own, &c->deadline, c->deadline_ns, on_deadline, c);
	const struct ssh_hop *first = &c->chain->hops[0];
	if (!reuse(c) && logging_in(c->pool, first->host, first->port) < LOGINS_MAX)
		log_in(c);
}

static void on_cancel(void *arg)
{
	struct ssh_call *c = arg;
	finish(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
	unref(c);
}

static void copy_host(struct ssh_hop *to, const struct ssh_host *from)
{
	to->host = mem_strdup(from->host);
	to->user = mem_strdup(from->user ? from->user : "root");
	to->port = from->port ? from->port : 22;
	to->key = secret_ref((struct secret *)from->private_key);
	to->fd = to->pump_fd = -1;
}

struct ssh_call *ssh_run(struct ssh_pool *p, const struct ssh_request *q, ssh_done *done, void *arg)
{
	assert(q->via_count < SSH_HOPS_MAX && q->deadline_ns > 0 && !p->stopping);
	assert(q->target.private_key || !q->command);
	struct ssh_call *c = mem_new(struct ssh_call);
	c->pool = p;
	c->refs = 1;
	c->done = done;
	c->arg = arg;
	c->keep = q->keep && q->command;
	c->chain = mem_new(struct ssh_chain);
	for (size_t i = 0; i < q->via_count; i++)
		copy_host(&c->chain->hops[c->chain->n++], &q->via[i]);
	copy_host(&c->chain->hops[c->chain->n++], &q->target);
	c->chain->hops[0].family = q->family;
	c->chain->hops[c->chain->n - 1].host_key_types = mem_strdup(q->host_key_types);
	c->command = mem_strdup(q->command);
	c->input = slice_dup(q->input);
	c->input_n = q->input.n;
	c->deadline_ns = q->deadline_ns;
	c->output_max = q->output_max ? q->output_max : OUTPUT_MAX;
	c->output.max = c->errors.max = c->output_max;
	p->open++;
	p->drained = false;
	loop_hold(p->owner); /* what the other thread does keeps this loop running */
	loop_post(p->own, on_start, c);
	return c;
}

void ssh_cancel(struct ssh_call *c)
{
	if (c->over || c->pool->stopping) /* ssh_pool_free() cancels by itself */
		return;
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	loop_post(c->pool->own, on_cancel, c);
}

static void on_alive(struct timer *t)
{
	struct ssh_pool *p = t->arg;
	timer_start(p->own, &p->alive, IDLE_NS, on_alive, p);
}

static void *thread_main(void *arg)
{
	struct ssh_pool *p = arg;
	struct loop *own = loop_new(NULL, &p->err);
	if (own)
		p->resolver = resolver_new(own, NULL, &p->err);
	p->keep.loop = own;
	const bool good = p->resolver != NULL;
	if (own && !good) {
		loop_free(own);
		own = NULL;
	}
	pthread_mutex_lock(&p->lock);
	p->own = own;
	p->started = true;
	pthread_cond_signal(&p->up);
	pthread_mutex_unlock(&p->lock);
	if (!good)
		return NULL;
	on_alive(&(struct timer){.arg = p});
	loop_run(own);
	timer_cancel(&p->alive);
	resolver_free(p->resolver); /* what was cancelled ends in here */
	return NULL;
}

static void pool_destroy(struct ssh_pool *p)
{
	vec_fini(&p->calls);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->up);
	free(p);
}

struct ssh_pool *ssh_pool_new(struct loop *l, struct error *err)
{
	struct ssh_pool *p = mem_new(struct ssh_pool);
	p->owner = l;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->up, NULL);
	if (pthread_create(&p->thread, NULL, thread_main, p) != 0) {
		error_set(err, ERROR_SYSTEM, "cannot start the ssh thread");
		pool_destroy(p);
		return NULL;
	}
	pthread_mutex_lock(&p->lock);
	while (!p->started)
		pthread_cond_wait(&p->up, &p->lock);
	pthread_mutex_unlock(&p->lock);
	if (p->own)
		return p;
	pthread_join(p->thread, NULL);
	if (err)
		*err = p->err;
	pool_destroy(p);
	return NULL;
}

static void on_stop(void *arg)
{
	struct ssh_pool *p = arg;
	while (p->calls.n)
		finish(p->calls.p[0], FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
	ssh_keep_fini(&p->keep);
	loop_stop(p->own);
}

void ssh_pool_free(struct ssh_pool *p)
{
	if (!p)
		return;
	p->stopping = true;
	loop_post(p->own, on_stop, p);
	pthread_join(p->thread, NULL);
	while (p->open) /* loop_stop() ends a run early */
		loop_run_until(p->owner, &p->drained);
	loop_free(p->own);
	pool_destroy(p);
}
