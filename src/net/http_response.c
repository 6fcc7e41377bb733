/*
 * http_response.c - answers: made for one exchange, or once for many; see http_server.h.
 *
 * libmicrohttpd counts the uses of its response itself, under a lock of its own; our count above it
 * lets an answer be kept, shared between threads and queued without copying a byte of it.
 */

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "net/http_serving.h"

#define STREAM_BLOCK (64u << 10)

struct http_response {
	atomic_uint refs;
	struct MHD_Response *mhd;
};

/* Takes `mhd`. */
static struct http_response *wrap(
	struct MHD_Response *mhd, const struct http_header *headers, size_t n)
{
	struct http_response *r = mem_new(struct http_response);
	atomic_init(&r->refs, 1);
	r->mhd = mhd;
	for (size_t i = 0; i < n; i++)
		MHD_add_response_header(mhd, headers[i].name, headers[i].value);
	return r;
}

struct http_response *http_response_new(
	const struct http_header *headers, size_t n, struct slice body)
{
	return wrap(MHD_create_response_from_buffer(body.n, (void *)body.p, MHD_RESPMEM_MUST_COPY),
		headers, n);
}

struct http_response *http_response_ref(struct http_response *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void http_response_unref(struct http_response *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
		return;
	MHD_destroy_response(r->mhd);
	free(r);
}

struct MHD_Response *http_response_mhd(const struct http_response *r)
{
	return r->mhd;
}

void http_reply_response(struct http_exchange *x, int status, struct http_response *response)
{
	http_answer_with(x, status, http_response_ref(response));
}

void http_reply(struct http_exchange *x, int status, const struct http_header *headers, size_t n,
	struct slice body)
{
	http_answer_with(x, status, http_response_new(headers, n, body));
}

/* --- in pieces -----------------------------------------------------------------------------------
 */

struct streamed {
	size_t (*piece)(void *arg, int64_t at, void *p, size_t n);
	void (*end)(void *arg);
	void *arg;
};

static ssize_t on_stream(void *arg, uint64_t at, char *p, size_t n)
{
	const struct streamed *s = arg;
	const size_t got = s->piece(s->arg, (int64_t)at, p, n);
	return got ? (ssize_t)got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_stream(void *arg)
{
	struct streamed *s = arg;
	if (s->end)
		s->end(s->arg);
	free(s);
}

void http_reply_stream(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, int64_t size, size_t (*piece)(void *arg, int64_t at, void *p, size_t n),
	void *arg, void (*end)(void *arg))
{
	struct streamed *s = mem_new(struct streamed);
	*s = (struct streamed){piece, end, arg};
	http_answer_with(x, status,
		wrap(MHD_create_response_from_callback(
			     (uint64_t)size, STREAM_BLOCK, on_stream, s, end_stream),
			headers, n));
}

struct cut {
	char *body;
	size_t n;
};

static ssize_t on_cut(void *arg, uint64_t at, char *p, size_t n)
{
	const struct cut *c = arg;
	if (at >= c->n)
		return MHD_CONTENT_READER_END_WITH_ERROR; /* closes mid-body */
	const size_t left = c->n - (size_t)at;
	if (n > left)
		n = left;
	memcpy(p, c->body + at, n);
	return (ssize_t)n;
}

static void end_cut(void *arg)
{
	struct cut *c = arg;
	free(c->body);
	free(c);
}

void http_reply_cut(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, struct slice body, size_t cut)
{
	struct cut *c = mem_new(struct cut);
	c->n = cut < body.n ? cut : body.n;
	c->body = mem_strndup(body.p, c->n);
	http_answer_with(x, status,
		wrap(MHD_create_response_from_callback(
			     body.n ? body.n : 1, STREAM_BLOCK, on_cut, c, end_cut),
			headers, n));
}

void http_drop(struct http_exchange *x)
{
	x->dropped = true;
	http_answer_with(x, 0, NULL);
}
