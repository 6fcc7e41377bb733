/*
 * http2.c - see http2.h.
 */
#include "net/http2.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "base/units.h"

#define FIELD_MORE 32        /* what one counts for beside its bytes */
#define WINDOW     (1 << 20) /* bytes under way to us; the protocol's 64 KiB are few over a long way */
#define OWN_FIELDS 200       /* what the pseudo-headers of a request may need */
#define FRAME_HEAD 9
/* Bytes that need bring nothing of the body: heads, settings, pings, padding, frames of no use. */
#define SPARE (2 * HTTP_HEADER_BYTES_MAX)

struct http2 {
	nghttp2_session *session;
	struct http_incoming *in;
	struct slice body; /* of the request, what is left */
	int32_t stream;    /* the request's */
	int64_t got_n;     /* all that came */
	size_t head_n;     /* of all headers, those of interim answers too (RFC 9113 6.5.2) */
	bool heard;        /* anything */
	bool ended;        /* the answer has its end */
	bool closed;       /* the stream has */
	uint32_t reset;    /* why, of HTTP/2's codes */
	int invalid;       /* what a frame was wrong with, of nghttp2's */
};

/* --- the request -------------------------------------------------------------------------------
 */

typedef VEC(nghttp2_nv) fields;

static void add(fields *list, struct slice name, struct slice value)
{
	const nghttp2_nv field = {.name = (uint8_t *)(uintptr_t)name.p,
		.value = (uint8_t *)(uintptr_t)value.p,
		.namelen = name.n,
		.valuelen = value.n};

	vec_push(list, field);
}

/* Those of a connection, which HTTP/2 has not (RFC 9113 section 8.2.2). */
static bool is_of_connection(struct slice name, struct slice value)
{
	return slice_is_nocase(name, "connection") || slice_is_nocase(name, "keep-alive") ||
	       slice_is_nocase(name, "proxy-connection") || slice_is_nocase(name, "upgrade") ||
	       (slice_is_nocase(name, "te") && !slice_is_nocase(value, "trailers"));
}

static bool next_line(struct slice *rest, struct slice *ret_line)
{
	const size_t end = slice_find_text(*rest, SLICE("\r\n"));

	*ret_line = slice_sub(*rest, 0, end);
	*rest = slice_sub(*rest, end + 2, rest->n);
	return ret_line->n > 0;
}

/* Pseudo-headers come first, in any order. */
static void read_head(fields *list, struct slice *rest, bool tls)
{
	struct slice line, name, method, path;
	size_t authority;

	next_line(rest, &line);
	slice_next(&line, ' ', &method);
	slice_next(&line, ' ', &path);
	add(list, SLICE(":method"), method);
	add(list, SLICE(":scheme"), tls ? SLICE("https") : SLICE("http"));
	authority = list->n;
	add(list, SLICE(":authority"), SLICE(""));
	add(list, SLICE(":path"), path);
	while (next_line(rest, &line)) {
		slice_next(&line, ':', &name);
		line = slice_trim(line);
		if (slice_is_nocase(name, "host")) {
			list->p[authority].value = (uint8_t *)(uintptr_t)line.p;
			list->p[authority].valuelen = line.n;
		} else if (!is_of_connection(name, line)) {
			add(list, name, line);
		}
	}
}

static ssize_t on_body(nghttp2_session *session, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
	nghttp2_data_source *source, void *arg)
{
	struct http2 *h = arg;
	const struct slice part = slice_sub(h->body, 0, n);

	memcpy(p, part.p, part.n);
	h->body = slice_sub(h->body, part.n, h->body.n);
	if (!h->body.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)part.n;
}

static void submit(struct http2 *h, struct slice request, bool tls)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
	const nghttp2_data_provider body = {.read_callback = on_body};
	fields list = {0};

	read_head(&list, &request, tls);
	h->body = request;
	if (nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, array_len(settings)) !=
			0 ||
		nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, WINDOW) !=
			0)
		mem_panic("no memory for HTTP/2");
	h->stream = nghttp2_submit_request(
		h->session, NULL, list.p, list.n, h->body.n ? &body : NULL, NULL);
	if (h->stream < 0)
		mem_panic("no memory for HTTP/2");
	vec_fini(&list);
}

/* --- the answer --------------------------------------------------------------------------------
 */

/* After an interim answer the real one begins. */
static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct http2 *h = arg;

	if (h->in->status / 100 == 1) {
		http_headers_clear(&h->in->headers);
		h->in->status = 0;
	}
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct http2 *h = arg;
	const struct slice key = slice_from((const char *)name, name_n);
	const struct slice text = slice_from((const char *)value, value_n);
	struct buf line = BUF(HTTP_HEADER_BYTES_MAX);
	enum incoming state = INCOMING_MORE;
	int64_t n;

	h->head_n += name_n + value_n + FIELD_MORE;
	if (h->head_n > HTTP_HEADER_BYTES_MAX) {
		state = http_incoming_broken(
			h->in, FAULT_PROTOCOL, "the answer's headers are over the limit");
	} else if (slice_is(key, ":status") && units_parse_int(text, &n) && n >= 100) {
		h->in->status = (int)n; /* nghttp2 lets only three digits pass */
		h->in->version = 20;
	} else if (slice_is(key, ":status")) {
		state = http_incoming_broken(h->in, FAULT_PROTOCOL,
			"the answer's status is %.*s, which is none",
			(int)(value_n < 20 ? value_n : 20), text.p);
	} else if (name_n && name[0] != ':') {
		buf_printf(&line, "%.*s: %.*s", SLICE_ARG(key), SLICE_ARG(text));
		state = http_incoming_header(h->in, buf_slice(&line));
	}
	buf_fini(&line);
	return state == INCOMING_MORE ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_data(
	nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	struct http2 *h = arg;
	const struct slice piece = slice_from((const char *)p, n);

	return http_incoming_body(h->in, piece) == INCOMING_MORE ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct http2 *h = arg;

	if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
		frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		h->ended = true;
	return 0;
}

static int on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
	struct http2 *h = arg;

	h->invalid = error;
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t reset, void *arg)
{
	struct http2 *h = arg;

	h->closed = true;
	h->reset = reset;
	return 0;
}

static enum incoming broken(struct http2 *h, int error)
{
	if (h->in->fault) /* on_header() and on_data() have said so */
		return INCOMING_BROKEN;
	return http_incoming_broken(
		h->in, FAULT_PROTOCOL, "the answer is no HTTP/2: %s", nghttp2_strerror(error));
}

/* Each byte of the body may have come in a frame of its own; more than that has no end. */
static bool brings_nothing(const struct http2 *h)
{
	return h->got_n > SPARE + (1 + FRAME_HEAD) * h->in->body_size;
}

/* What stands after frames were read. */
static enum incoming state_of(struct http2 *h)
{
	if (h->ended) /* what follows the answer is not looked at, also when it came with it */
		return INCOMING_WHOLE;
	if (h->invalid)
		return broken(h, h->invalid);
	if (h->closed)
		return http_incoming_broken(h->in, FAULT_CONNECTION_LOST,
			"the server ended the request before its answer was complete: %s",
			nghttp2_http2_strerror(h->reset));
	if (brings_nothing(h))
		return http_incoming_broken(h->in, FAULT_PROTOCOL,
			"the server sends frame after frame that brings nothing of an answer");
	return INCOMING_MORE;
}

enum incoming http2_read(struct http2 *h, struct slice got)
{
	if (!got.n)
		return INCOMING_MORE;
	if (!h->heard && slice_starts(got, "HTTP/1.")) /* which looks like a very long frame */
		return http_incoming_broken(
			h->in, FAULT_PROTOCOL, "what answered speaks HTTP/1, not HTTP/2");
	h->heard = true;
	h->got_n += (int64_t)got.n;
	const ssize_t n = nghttp2_session_mem_recv(h->session, (const uint8_t *)got.p, got.n);
	return n < 0 && !h->ended ? broken(h, (int)n) : state_of(h);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct slice http2_next(struct http2 *h)
{
	const uint8_t *p;
	const ssize_t n = nghttp2_session_mem_send(h->session, &p);

	return n > 0 ? slice_from((const char *)p, (size_t)n) : (struct slice){0};
}

bool http2_wants_send(const struct http2 *h)
{
	return nghttp2_session_want_write(h->session);
}

enum incoming http2_sent(struct http2 *h)
{
	/* It is closed in here when we have refused it: what was counted did not come, or more. */
	if (!h->closed && (nghttp2_session_want_read(h->session) || http2_wants_send(h)))
		return INCOMING_MORE;
	return http_incoming_broken(
		h->in, FAULT_PROTOCOL, "what answered breaks the rules of HTTP/2");
}

struct http2 *http2_new(struct slice request, bool tls, struct http_incoming *in)
{
	struct http2 *h = mem_new(struct http2);
	nghttp2_session_callbacks *c;
	nghttp2_option *o;

	h->in = in;
	if (nghttp2_session_callbacks_new(&c) != 0 || nghttp2_option_new(&o) != 0)
		mem_panic("no memory for HTTP/2");
	/* Whose own limit is 64 KiB. A field may need 12 bytes more than its name and value: its
	 * line had four. */
	nghttp2_option_set_max_send_header_block_length(o, 4 * request.n + OWN_FIELDS);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	if (nghttp2_session_client_new2(&h->session, c, h, o) != 0)
		mem_panic("no memory for HTTP/2");
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(c);
	submit(h, request, tls);
	return h;
}

void http2_free(struct http2 *h)
{
	if (!h)
		return;
	nghttp2_session_del(h->session);
	free(h);
}
