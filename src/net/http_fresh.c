/*
 * http_fresh.c - see http_fresh.h.
 */
#include "net/http_fresh.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/units.h"
#include "net/http1.h"
#include "net/http2.h"
#include "net/stream.h"
#include "net/url.h"

#define REQUEST_MAX (STREAM_SEND_MAX - (4u << 10)) /* HTTP/2 adds a little of its own */

struct http_fresh {
	struct stream *stream; /* NULL: the request is wrong */
	struct timer soon;     /* tells so */
	struct buf request;    /* as HTTP/1.1 has it, until it is sent */
	struct http_incoming in;
	struct http1_reader reader;
	struct http2 *two; /* NULL: HTTP/1.1 */
	enum incoming state;
	int64_t asked_ns, first_ns; /* real time: sent; the first byte of the answer came */
	int64_t deadline_ns;
	bool sent, tls, two_at_once;
	http_done *done;
	void *arg;
};

/* --- the answer --------------------------------------------------------------------------------
 */

/* Waiting ends with the first byte. */
static struct phases phases_of(const struct http_fresh *f)
{
	struct phases p = stream_phases(f->stream);
	const int64_t waited = p.wait_ns;

	if (!f->first_ns)
		return p;
	p.wait_ns = f->first_ns - f->asked_ns;
	p.body_ns = waited > p.wait_ns ? waited - p.wait_ns : 0;
	return p;
}

static void tell(struct http_fresh *f, enum fault fault, const char *detail)
{
	struct http_answer a = {.fault = fault,
		.status = f->in.status,
		.version = f->in.version,
		.sent = f->sent,
		.body = buf_slice(&f->in.body),
		.body_size = f->in.body_size,
		.headers = &f->in.headers};

	snprintf(a.detail, sizeof(a.detail), "%s", detail);
	if (f->stream) {
		a.phases = phases_of(f);
		a.tls = stream_tls(f->stream);
		if (stream_connected(f->stream))
			snprintf(a.address, sizeof(a.address), "%s", stream_address(f->stream));
	}
	f->done(f->arg, &a);
}

static void tell_timeout(struct http_fresh *f)
{
	char detail[120], within[UNITS_TEXT];

	units_time_text(f->deadline_ns, within);
	if (f->in.status)
		snprintf(detail, sizeof(detail), "answer not complete within %s (%lld bytes came)",
			within, (long long)f->in.body_size);
	else
		snprintf(detail, sizeof(detail), "no answer within %s", within);
	tell(f, FAULT_TIMEOUT, detail);
}

static bool feed(void *arg, struct slice got)
{
	struct http_fresh *f = arg;
	size_t n = got.n;

	if (f->two)
		f->state = http2_read(f->two, got);
	else
		f->state = http1_read(&f->reader, got, &n);
	stream_take(f->stream, n);
	/* The first byte of an answer, which in HTTP/2 is not the first that comes. */
	if (!f->first_ns && got.n && (!f->two || f->in.status))
		f->first_ns = (int64_t)uv_hrtime();
	return f->state != INCOMING_MORE || (f->two && http2_wants_send(f->two));
}

static void await(struct http_fresh *f);

static void on_answer(void *arg, enum fault fault)
{
	struct http_fresh *f = arg;

	if (f->state == INCOMING_MORE && stream_ended(f->stream))
		f->state = f->two ? http_incoming_lost(&f->in) : http1_end(&f->reader);
	if (f->state == INCOMING_WHOLE)
		tell(f, FAULT_NONE, "");
	else if (f->state == INCOMING_BROKEN)
		tell(f, f->in.fault, f->in.detail);
	else if (fault == FAULT_NONE)
		await(f);
	else if (fault == FAULT_TIMEOUT)
		tell_timeout(f);
	else
		tell(f, fault, stream_detail(f->stream));
}

/* Sends what is to be sent meanwhile. */
static void await(struct http_fresh *f)
{
	struct slice next;

	while (f->two && (next = http2_next(f->two)).n)
		if (!stream_send(f->stream, next.p, next.n)) {
			tell(f, FAULT_PROTOCOL, "the server asks for more than it takes");
			return;
		}
	if (f->two && http2_sent(f->two) == INCOMING_BROKEN) {
		tell(f, f->in.fault, f->in.detail);
		return;
	}
	/* The reader takes all but an unfinished line, and knows its limit itself. */
	stream_wait(f->stream, 2 * HTTP_HEADER_BYTES_MAX, feed, on_answer, f);
}

static void forget_request(struct http_fresh *f)
{
	if (f->request.p)
		explicit_bzero(f->request.p, f->request.n);
	buf_fini(&f->request);
}

static void on_open(void *arg, enum fault fault)
{
	struct http_fresh *f = arg;

	if (fault != FAULT_NONE) {
		tell(f, fault, stream_detail(f->stream));
		return;
	}
	if (f->tls ? strcmp(stream_tls(f->stream)->alpn, "h2") == 0 : f->two_at_once) {
		f->two = http2_new(buf_slice(&f->request), f->tls, &f->in);
	} else {
		stream_send(f->stream, f->request.p, f->request.n);
		forget_request(f);
	}
	f->sent = true;
	f->asked_ns = (int64_t)uv_hrtime();
	await(f);
}

/* --- the request -------------------------------------------------------------------------------
 */

static const char *header_of(const struct http_request *q, const char *name)
{
	for (size_t i = 0; i < q->header_count; i++)
		if (strcasecmp(q->headers[i].name, name) == 0)
			return q->headers[i].value;
	return NULL;
}

/* The user's own takes the place of ours. */
static void add_header(
	struct buf *out, const struct http_request *q, const char *name, const char *value)
{
	if (!header_of(q, name))
		buf_printf(out, "%s: %s\r\n", name, value);
}

static void add_host(struct buf *out, const struct http_request *q, const struct url *u)
{
	char *host = url_ascii_host(q->url, u);
	const bool v6 = strchr(host, ':');
	const bool usual = u->port == (slice_is_nocase(u->scheme, "https") ? 443 : 80);
	char *value = usual ? mem_printf(v6 ? "[%s]" : "%s", host)
			    : mem_printf(v6 ? "[%s]:%u" : "%s:%u", host, u->port);

	add_header(out, q, "Host", value);
	free(value);
	free(host);
}

static void add_user(struct buf *out, const struct http_request *q)
{
	char *pair = mem_printf("%s:%s", q->user, q->password ? q->password : "");
	char *coded = base64_encode(pair, strlen(pair));

	if (!header_of(q, "Authorization"))
		buf_printf(out, "Authorization: Basic %s\r\n", coded);
	explicit_bzero(pair, strlen(pair));
	explicit_bzero(coded, strlen(coded));
	free(pair);
	free(coded);
}

static void write_request(struct buf *out, const struct http_request *q, const struct url *u)
{
	const bool counted = q->body_n || strcmp(q->method, "POST") == 0 ||
			     strcmp(q->method, "PUT") == 0 || strcmp(q->method, "PATCH") == 0;

	buf_printf(out, "%s %s%.*s%s%.*s HTTP/1.1\r\n", q->method, u->path.n ? "" : "/",
		SLICE_ARG(u->path), u->query.p ? "?" : "", SLICE_ARG(u->query));
	add_host(out, q, u);
	if (q->user)
		add_user(out, q);
	add_header(out, q, "User-Agent", "glasshouse/" GLASSHOUSE_VERSION);
	add_header(out, q, "Accept", "*/*");
	add_header(out, q, "Connection", "close");
	for (size_t i = 0; i < q->header_count; i++)
		buf_printf(out, "%s: %s\r\n", q->headers[i].name, q->headers[i].value);
	if (counted)
		buf_printf(out, "Content-Length: %zu\r\n", q->body_n);
	buf_add_str(out, "\r\n");
	buf_add(out, q->body, q->body_n);
}

/* NULL, or why it cannot be sent. */
static const char *wrong_with(const struct http_request *q, const struct url *u, bool tls)
{
	if (!tls && !slice_is_nocase(u->scheme, "http"))
		return "the address is not one of http or https";
	for (size_t i = 0; i < q->header_count; i++)
		if (strpbrk(q->headers[i].value, "\r\n"))
			return "a header's value is more than one line";
	return NULL;
}

bool http_fresh_can(const struct http_request *q)
{
	struct url u;

	if ((q->proxy && *q->proxy) || q->source || q->sink || q->resolve)
		return false;
	/* Expecting and coding a request's body is curl's. */
	if (header_of(q, "Transfer-Encoding") || header_of(q, "Expect"))
		return false;
	/* So are zones of addresses. */
	return !url_parse(slice_of(q->url), &u, NULL) || slice_find(u.host, '%') == u.host.n;
}

/* --- life --------------------------------------------------------------------------------------
 */

static void on_soon(struct timer *t)
{
	struct http_fresh *f = t->arg;

	tell(f, FAULT_LOCAL, f->in.detail);
}

static void open_stream(struct http_fresh *f, struct loop *l, struct resolver *r,
	struct tls_context *tls, const struct http_request *q, const struct url *u)
{
	char *name = url_ascii_host(q->url, u);
	struct stream_options o = {.host = name,
		.port = u->port,
		.family = q->family,
		.deadline_ns = q->deadline_ns,
		.tls = f->tls ? tls : NULL,
		.tls_at_once = f->tls,
		.tls_name = name,
		.trusting = q->insecure};
	struct url peer = {0};
	char *instead = q->connect_to ? mem_printf("peer://%s", q->connect_to) : NULL;
	char *host = NULL;

	if (instead && url_parse(slice_of(instead), &peer, NULL)) {
		host = slice_dup(peer.host);
		o.host = host;
		o.port = peer.port;
	}
	f->stream = stream_open(l, r, &o, on_open, f);
	free(host);
	free(instead);
	free(name);
}

struct http_fresh *http_fresh_send(struct loop *l, struct resolver *r, struct tls_context *tls,
	const struct http_request *q, http_done *done, void *arg)
{
	struct http_fresh *f = mem_new(struct http_fresh);
	struct error err = {0};
	struct url u;

	f->done = done;
	f->arg = arg;
	f->deadline_ns = q->deadline_ns;
	f->two_at_once = q->version == 20;
	buf_init(&f->request, REQUEST_MAX);
	http_incoming_init(&f->in, q->answer_max ? q->answer_max : BUF_ANSWER);
	http1_reader_init(&f->reader, &f->in, strcmp(q->method, "HEAD") == 0);
	const bool good = url_parse(slice_of(q->url), &u, &err);
	f->tls = good && slice_is_nocase(u.scheme, "https");
	const char *wrong = good ? wrong_with(q, &u, f->tls) : err.msg;
	if (!wrong) {
		write_request(&f->request, q, &u);
		wrong = f->request.over ? "the request is too long" : NULL;
	}
	if (wrong) {
		snprintf(f->in.detail, sizeof(f->in.detail), "%s", wrong);
		timer_start(l, &f->soon, 0, on_soon, f);
	} else {
		open_stream(f, l, r, tls, q, &u);
	}
	return f;
}

void http_fresh_close(struct http_fresh *f)
{
	if (!f)
		return;
	timer_cancel(&f->soon);
	stream_close(f->stream);
	http2_free(f->two);
	forget_request(f);
	http_incoming_fini(&f->in);
	free(f);
}
