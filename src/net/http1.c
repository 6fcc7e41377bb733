/*
 * http1.c - see http1.h. Lines may end without CR (RFC 9112 section 2.2), as everybody takes them.
 */
#include "net/http1.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

#define CHUNK_DIGITS 15 /* of a size; more are no size of anything */

void http1_reader_init(struct http1_reader *r, bool bodiless, size_t body_max)
{
	*r = (struct http1_reader){.bodiless = bodiless};
	http_headers_init(&r->headers);
	buf_init(&r->body, body_max);
}

void http1_reader_fini(struct http1_reader *r)
{
	http_headers_fini(&r->headers);
	buf_fini(&r->body);
}

static enum http1_state broken(struct http1_reader *r, enum fault fault, const char *fmt, ...)
	like_printf(3, 4);

static enum http1_state broken(struct http1_reader *r, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
	r->fault = fault;
	return HTTP1_BROKEN;
}

/* --- the head ----------------------------------------------------------------------------------
 */

static enum http1_state no_http(struct http1_reader *r)
{
	return broken(r, FAULT_PROTOCOL, "what answered does not speak HTTP/1.1");
}

/* "HTTP/1.1 200 OK" */
static enum http1_state read_status(struct http1_reader *r, struct slice line)
{
	int status = 0;

	if (!slice_starts(line, "HTTP/1.") || line.n < 12 || line.p[8] != ' ' ||
		(line.p[7] != '0' && line.p[7] != '1') || (line.n > 12 && line.p[12] != ' '))
		return no_http(r);
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return no_http(r);
		status = status * 10 + line.p[i] - '0';
	}
	if (status < 100)
		return no_http(r);
	r->status = status;
	r->version = line.p[7] == '1' ? 11 : 10;
	r->chunked = r->counted = false;
	http_headers_clear(&r->headers);
	r->part = HTTP1_HEADER;
	return HTTP1_MORE;
}

/* Several are fine as long as they say the same. */
static enum http1_state read_length(struct http1_reader *r, struct slice text)
{
	int64_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || n > INT64_MAX / 10 - 1)
			text.n = 0;
		else
			n = n * 10 + text.p[i] - '0';
	}
	if (!text.n || (r->counted && n != r->left))
		return broken(r, FAULT_PROTOCOL, "Content-Length is not one number");
	r->left = n;
	r->counted = true;
	return HTTP1_MORE;
}

static enum http1_state read_coding(struct http1_reader *r, struct slice list)
{
	struct slice one;

	while (slice_next(&list, ',', &one)) {
		one = slice_trim(one);
		if (r->chunked || !(slice_is_nocase(one, "chunked") ||
					  slice_is_nocase(one, "identity") || !one.n))
			return broken(r, FAULT_PROTOCOL,
				"Transfer-Encoding is %.*s, and only chunked was to be expected",
				(int)(one.n < 30 ? one.n : 30), one.p);
		r->chunked = slice_is_nocase(one, "chunked");
	}
	return HTTP1_MORE;
}

static enum http1_state read_header(struct http1_reader *r, struct slice line)
{
	const size_t colon = slice_find(line, ':');
	const struct slice name = slice_sub(line, 0, colon),
			   value = slice_trim(slice_sub(line, colon + 1, line.n));

	if (slice_find(line, '\0') < line.n)
		return broken(r, FAULT_PROTOCOL, "a header holds a NUL byte");
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return HTTP1_MORE; /* the rest of a folded one, which nobody writes any more */
	if (name.n == 0 || name.n == line.n)
		return broken(r, FAULT_PROTOCOL, "a line of the answer's head is no header");
	if (!http_headers_add(&r->headers, line))
		return broken(r, FAULT_PROTOCOL, "the answer's headers are over the limit");
	if (r->part == HTTP1_TRAILER)
		return HTTP1_MORE;
	if (slice_is_nocase(name, "content-length"))
		return read_length(r, value);
	if (slice_is_nocase(name, "transfer-encoding"))
		return read_coding(r, value);
	return HTTP1_MORE;
}

/* What the body's end will be known by (RFC 9112 section 6.3). */
static enum http1_state head_ended(struct http1_reader *r)
{
	if (r->status < 200 && r->status != 101) {
		r->part = HTTP1_STATUS; /* the real one follows */
		return HTTP1_MORE;
	}
	if (r->bodiless || r->status < 200 || r->status == 204 || r->status == 304)
		return HTTP1_WHOLE;
	if (r->chunked)
		r->part = HTTP1_CHUNK;
	else if (r->counted)
		r->part = HTTP1_COUNTED;
	else
		r->part = HTTP1_TO_THE_END;
	return r->part == HTTP1_COUNTED && r->left == 0 ? HTTP1_WHOLE : HTTP1_MORE;
}

/* --- the body ----------------------------------------------------------------------------------
 */

static enum http1_state take_body(struct http1_reader *r, struct slice piece)
{
	char text[UNITS_TEXT];

	r->body_size += (int64_t)piece.n;
	if (buf_add_slice(&r->body, piece))
		return HTTP1_MORE;
	return broken(r, FAULT_BODY_TOO_LARGE, "the answer is larger than %s",
		units_size_text((int64_t)r->body.max, text));
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1f;name=value": extensions are nobody's. */
static enum http1_state read_chunk(struct http1_reader *r, struct slice line)
{
	size_t i = 0;

	r->left = 0;
	for (; i < line.n && hex_of(line.p[i]) >= 0; i++)
		if (i < CHUNK_DIGITS)
			r->left = r->left * 16 + hex_of(line.p[i]);
	if (i == 0 || i > CHUNK_DIGITS || (i < line.n && !strchr("; \t", line.p[i])))
		return broken(
			r, FAULT_PROTOCOL, "a chunk of the answer does not begin with its size");
	r->part = r->left ? HTTP1_CHUNK_DATA : HTTP1_TRAILER;
	return HTTP1_MORE;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static enum http1_state read_line(struct http1_reader *r, struct slice line)
{
	if (slice_ends(line, "\r"))
		line.n--;
	switch (r->part) {
	case HTTP1_STATUS: return read_status(r, line);
	case HTTP1_HEADER: return line.n ? read_header(r, line) : head_ended(r);
	case HTTP1_CHUNK: return read_chunk(r, line);
	case HTTP1_CHUNK_END:
		r->part = HTTP1_CHUNK;
		return line.n ? broken(r, FAULT_PROTOCOL,
					"a chunk of the answer does not end where it should")
			      : HTTP1_MORE;
	case HTTP1_TRAILER: return line.n ? read_header(r, line) : HTTP1_WHOLE;
	case HTTP1_COUNTED:
	case HTTP1_TO_THE_END:
	case HTTP1_CHUNK_DATA: break; /* no lines */
	}
	return HTTP1_BROKEN;
}

/* A stranger that will never say HTTP need not be waited for. */
static bool may_be_status(struct slice start)
{
	const struct slice want = SLICE("HTTP/1.");

	return memcmp(start.p, want.p, start.n < want.n ? start.n : want.n) == 0;
}

/* One line; taken is 0 when it is not there in full. */
static enum http1_state take_line(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	const struct slice fresh = slice_sub(got, r->seen, got.n);
	const size_t end = r->seen + slice_find(fresh, '\n');

	*ret_taken = 0;
	if (r->part == HTTP1_STATUS && !may_be_status(got))
		return no_http(r);
	if (r->head_n + (end < got.n ? end : got.n) > HTTP_HEADER_BYTES_MAX)
		return broken(r, FAULT_PROTOCOL, "the answer's headers are over the limit");
	if (end == got.n) {
		r->seen = got.n;
		return HTTP1_MORE;
	}
	r->seen = 0;
	if (r->part != HTTP1_CHUNK && r->part != HTTP1_CHUNK_END)
		r->head_n += end + 1;
	*ret_taken = end + 1;
	return read_line(r, slice_sub(got, 0, end));
}

static enum http1_state take_piece(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	const bool endless = r->part == HTTP1_TO_THE_END;
	const size_t n = endless || (uint64_t)r->left > got.n ? got.n : (size_t)r->left;

	*ret_taken = n;
	if (take_body(r, slice_sub(got, 0, n)) != HTTP1_MORE)
		return HTTP1_BROKEN;
	if (endless)
		return HTTP1_MORE;
	r->left -= (int64_t)n;
	if (r->left)
		return HTTP1_MORE;
	if (r->part == HTTP1_COUNTED)
		return HTTP1_WHOLE;
	r->part = HTTP1_CHUNK_END;
	return HTTP1_MORE;
}

enum http1_state http1_read(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	enum http1_state state = HTTP1_MORE;
	size_t n = 1;

	*ret_taken = 0;
	while (state == HTTP1_MORE && got.n && n) {
		const bool body = r->part == HTTP1_COUNTED || r->part == HTTP1_TO_THE_END ||
				  r->part == HTTP1_CHUNK_DATA;
		state = body ? take_piece(r, got, &n) : take_line(r, got, &n);
		*ret_taken += n;
		got = slice_sub(got, n, got.n);
	}
	return state;
}

enum http1_state http1_end(struct http1_reader *r)
{
	if (r->part == HTTP1_TO_THE_END)
		return HTTP1_WHOLE;
	if (!r->status)
		return broken(r, FAULT_CONNECTION_LOST,
			"the server closed the connection without an answer");
	return broken(r, FAULT_CONNECTION_LOST,
		"the server closed the connection before its answer was complete (%lld bytes came)",
		(long long)r->body_size);
}
