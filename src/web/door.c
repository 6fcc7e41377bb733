/*
 * door.c - one end of the socket pair, and the questions that wait for their answers; see door.h.
 *
 * A question has a slot; its id is the slot and how often that was used, so an answer that comes
 * too late finds nobody. All questions have the same time, so they wait in a list in the order in
 * which they were asked, and one timer stands for the first.
 */

#include "web/door.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define READ_BLOCK (64u << 10)

struct question {
	struct question *next, *prev; /* waiting: in order of time; free: `next` only */
	door_answered *done;          /* NULL: free */
	void *arg;
	uint32_t id;
	int64_t until_ns;
	int status; /* of one that could not be sent; 0: sent */
};

struct door {
	struct loop *loop;
	uv_pipe_t *pipe;
	struct door_options o;
	struct buf in;
	char *block;
	struct question slots[DOOR_QUESTIONS];
	struct question *unused, *first, *last;
	struct timer timer;
	bool ended;
	bool busy, freed; /* freed by a callback while busy: it goes when that is over */
};

/* --- questions -----------------------------------------------------------------------------------
 */

static void unlink_question(struct door *d, struct question *q)
{
	if (q->prev)
		q->prev->next = q->next;
	else
		d->first = q->next;
	if (q->next)
		q->next->prev = q->prev;
	else
		d->last = q->prev;
}

static void answer(struct door *d, struct question *q, int status, struct slice body)
{
	door_answered *done = q->done;
	void *arg = q->arg;
	assert(done);
	unlink_question(d, q);
	q->done = NULL;
	q->id += DOOR_QUESTIONS; /* the next use of this slot */
	q->next = d->unused;
	d->unused = q;
	done(arg, status, body);
}

static void on_late(struct timer *t);

static void wait_for_first(struct door *d)
{
	const struct question *q = d->first;
	if (!q) {
		timer_cancel(&d->timer);
		return;
	}
	const int64_t left = q->until_ns - loop_now_ns(d->loop);
	timer_start(d->loop, &d->timer, left > 0 ? left : 0, on_late, d);
}

static void destroy(struct door *d)
{
	buf_fini(&d->in);
	free(d->block);
	free(d);
}

static void be_idle(struct door *d)
{
	d->busy = false;
	if (d->freed)
		destroy(d);
}

static void on_late(struct timer *t)
{
	struct door *d = t->arg;
	const int64_t now = loop_now_ns(d->loop);
	d->busy = true;
	while (d->first && d->first->until_ns <= now)
		answer(d, d->first, d->first->status ? d->first->status : 504, SLICE(""));
	if (!d->freed)
		wait_for_first(d);
	be_idle(d);
}

static void answer_all(struct door *d)
{
	while (d->first)
		answer(d, d->first, 503, SLICE(""));
	timer_cancel(&d->timer);
}

static void take_answer(struct door *d, const struct door_frame *f)
{
	struct question *q = &d->slots[f->id % DOOR_QUESTIONS];
	if (!q->done || q->id != f->id)
		return; /* too late */
	const bool was_first = q == d->first;
	answer(d, q, f->status, f->status == 200 ? f->body : SLICE(""));
	if (was_first && !d->freed)
		wait_for_first(d);
}

void door_ask(struct door *d, const struct door_frame *question, door_answered *done, void *arg)
{
	struct door_frame f = *question;
	struct question *q = d->unused;
	assert(done && q); /* the asker counts its questions */
	d->unused = q->next;
	q->done = done;
	q->arg = arg;
	q->next = NULL;
	f.id = q->id;
	q->until_ns = loop_now_ns(d->loop) + DOOR_ASK_NS;
	q->status = d->ended || !door_send(d, &f) ? 503 : 0;
	if (q->status) { /* to the front: answered at the next turn */
		q->until_ns = 0;
		q->prev = NULL;
		q->next = d->first;
		if (d->first)
			d->first->prev = q;
		else
			d->last = q;
		d->first = q;
	} else {
		q->prev = d->last;
		if (d->last)
			d->last->next = q;
		else
			d->first = q;
		d->last = q;
	}
	if (d->first == q)
		wait_for_first(d);
}

/* --- the stream ----------------------------------------------------------------------------------
 */

static void end(struct door *d, const struct error *err)
{
	if (d->ended)
		return;
	d->ended = true;
	uv_read_stop((uv_stream_t *)d->pipe);
	answer_all(d);
	if (!d->freed)
		d->o.ended(d->o.arg, err);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct door *d = h->data;
	*ret = uv_buf_init(d->block, READ_BLOCK);
}

static void read_frames(struct door *d, struct error *err)
{
	size_t at = 0;
	while (!d->freed && !d->ended) {
		struct door_frame f;
		const int64_t n = door_read(slice_sub(buf_slice(&d->in), at, d->in.n), &f, err);
		if (n < 0) {
			end(d, err);
			return;
		}
		if (n == 0)
			break;
		at += (size_t)n;
		if (f.kind == DOOR_ANSWER)
			take_answer(d, &f);
		else
			d->o.frame(d->o.arg, &f);
	}
	if (at && !d->freed) {
		memmove(d->in.p, d->in.p + at, d->in.n - at);
		buf_cut(&d->in, d->in.n - at);
	}
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *block)
{
	struct door *d = stream->data;
	struct error err = {0};
	if (n == 0)
		return;
	d->busy = true;
	if (n < 0) {
		error_set(&err, ERROR_SYSTEM, "%s", n == UV_EOF ? "closed" : uv_strerror((int)n));
		end(d, &err);
	} else {
		buf_add(&d->in, block->base, (size_t)n);
		read_frames(d, &err);
	}
	be_idle(d);
}

struct writing {
	uv_write_t request;
	struct buf bytes;
};

static void on_written(uv_write_t *request, int status)
{
	struct writing *w = request->data;
	buf_fini(&w->bytes);
	free(w);
}

bool door_send(struct door *d, const struct door_frame *frame)
{
	uv_stream_t *stream = (uv_stream_t *)d->pipe;
	if (d->ended || uv_stream_get_write_queue_size(stream) > DOOR_QUEUE_MAX)
		return false;
	struct writing *w = mem_new(struct writing);
	w->request.data = w;
	buf_init(&w->bytes, DOOR_BODY_MAX + (4u << 10));
	if (door_write(&w->bytes, frame)) {
		uv_buf_t b = uv_buf_init(w->bytes.p, (unsigned)w->bytes.n);
		if (uv_write(&w->request, stream, &b, 1, on_written) == 0)
			return true;
	}
	on_written(&w->request, 0);
	return false;
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void on_closed(uv_handle_t *h)
{
	free(h);
}

struct door *door_new(struct loop *l, int fd, const struct door_options *options, struct error *err)
{
	struct door *d = mem_new(struct door);
	d->loop = l;
	d->o = *options;
	d->block = mem_alloc(READ_BLOCK);
	buf_init(&d->in, DOOR_BODY_MAX + READ_BLOCK + (4u << 10));
	for (unsigned i = DOOR_QUESTIONS; i-- > 0;) {
		d->slots[i].id = i;
		d->slots[i].next = d->unused;
		d->unused = &d->slots[i];
	}
	d->pipe = mem_new(uv_pipe_t);
	uv_pipe_init(loop_uv(l), d->pipe, 0);
	d->pipe->data = d;
	const int rc = uv_pipe_open(d->pipe, fd);
	if (rc) {
		error_sys(err, -rc, "cannot open a door");
		close(fd);
		uv_close((uv_handle_t *)d->pipe, on_closed);
		destroy(d);
		return NULL;
	}
	uv_read_start((uv_stream_t *)d->pipe, on_alloc, on_read);
	return d;
}

void door_free(struct door *d)
{
	if (!d)
		return;
	d->ended = d->freed = true;
	answer_all(d);
	uv_close((uv_handle_t *)d->pipe, on_closed);
	if (!d->busy)
		destroy(d);
}
