/*
 * http1.c - see http1.h. Lines may end without CR (RFC 9112 section 2.2), as everybody takes them.
 */
#include "net/http1.h"

#include <string.h>
#include <strings.h>

#define CHUNK_DIGITS 15 /* of a size; more are no size of anything */

void http1_reader_init(struct http1_reader *r, struct http_incoming *in, bool bodiless)
{
	*r = (struct http1_reader){.in = in, .bodiless = bodiless};
}

/* --- the head ----------------------------------------------------------------------------------
 */

static enum incoming no_http(struct http1_reader *r)
{
	return http_incoming_broken(r->in, FAULT_PROTOCOL, "what answered does not speak HTTP/1.1");
}

/* "HTTP/1.1 200 OK" */
static enum incoming read_status(struct http1_reader *r, struct slice line)
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
	r->in->status = status;
	r->in->version = line.p[7] == '1' ? 11 : 10;
	r->chunked = r->counted = false;
	http_headers_clear(&r->in->headers);
	r->part = HTTP1_HEADER;
	return INCOMING_MORE;
}

/* Several are fine as long as they say the same. */
static enum incoming read_length(struct http1_reader *r, struct slice text)
{
	int64_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || n > INT64_MAX / 10 - 1)
			text.n = 0;
		else
			n = n * 10 + text.p[i] - '0';
	}
	if (!text.n || (r->counted && n != r->left))
		return http_incoming_broken(
			r->in, FAULT_PROTOCOL, "Content-Length is not one number");
	r->left = n;
	r->counted = true;
	return INCOMING_MORE;
}

static enum incoming read_coding(struct http1_reader *r, struct slice list)
{
	struct slice one;

	while (slice_next(&list, ',', &one)) {
		one = slice_trim(one);
		if (r->chunked || !(slice_is_nocase(one, "chunked") ||
					  slice_is_nocase(one, "identity") || !one.n))
			return http_incoming_broken(r->in, FAULT_PROTOCOL,
				"Transfer-Encoding is %.*s, and only chunked was to be expected",
				(int)(one.n < 30 ? one.n : 30), one.p);
		r->chunked = slice_is_nocase(one, "chunked");
	}
	return INCOMING_MORE;
}

static enum incoming read_header(struct http1_reader *r, struct slice line)
{
	const size_t colon = slice_find(line, ':');
	const struct slice name = slice_sub(line, 0, colon),
			   value = slice_trim(slice_sub(line, colon + 1, line.n));

	if (slice_find(line, '\0') < line.n)
		return http_incoming_broken(r->in, FAULT_PROTOCOL, "a header holds a NUL byte");
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return INCOMING_MORE; /* the rest of a folded one, which nobody writes any more */
	if (name.n == 0 || name.n == line.n)
		return http_incoming_broken(
			r->in, FAULT_PROTOCOL, "a line of the answer's head is no header");
	if (http_incoming_header(r->in, line) != INCOMING_MORE)
		return INCOMING_BROKEN;
	if (r->part == HTTP1_TRAILER)
		return INCOMING_MORE;
	if (slice_is_nocase(name, "content-length"))
		return read_length(r, value);
	if (slice_is_nocase(name, "transfer-encoding"))
		return read_coding(r, value);
	return INCOMING_MORE;
}

/* What the body's end will be known by (RFC 9112 section 6.3). */
static enum incoming head_ended(struct http1_reader *r)
{
	if (r->in->status < 200 && r->in->status != 101) {
		r->part = HTTP1_STATUS; /* the real one follows */
		return INCOMING_MORE;
	}
	if (r->bodiless || r->in->status < 200 || r->in->status == 204 || r->in->status == 304)
		return INCOMING_WHOLE;
	if (r->chunked)
		r->part = HTTP1_CHUNK;
	else if (r->counted)
		r->part = HTTP1_COUNTED;
	else
		r->part = HTTP1_TO_THE_END;
	return r->part == HTTP1_COUNTED && r->left == 0 ? INCOMING_WHOLE : INCOMING_MORE;
}

/* --- the body ----------------------------------------------------------------------------------
 */

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1f;name=value": extensions are nobody's. */
static enum incoming read_chunk(struct http1_reader *r, struct slice line)
{
	size_t i = 0;

	r->left = 0;
	for (; i < line.n && hex_of(line.p[i]) >= 0; i++)
		if (i < CHUNK_DIGITS)
			r->left = r->left * 16 + hex_of(line.p[i]);
	if (i == 0 || i > CHUNK_DIGITS || (i < line.n && !strchr("; \t", line.p[i])))
		return http_incoming_broken(r->in, FAULT_PROTOCOL,
			"a chunk of the answer does not begin with its size");
	r->part = r->left ? HTTP1_CHUNK_DATA : HTTP1_TRAILER;
	return INCOMING_MORE;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static enum incoming read_line(struct http1_reader *r, struct slice line)
{
	if (slice_ends(line, "\r"))
		line.n--;
	switch (r->part) {
	case HTTP1_STATUS: return read_status(r, line);
	case HTTP1_HEADER: return line.n ? read_header(r, line) : head_ended(r);
	case HTTP1_CHUNK: return read_chunk(r, line);
	case HTTP1_CHUNK_END:
		r->part = HTTP1_CHUNK;
		return line.n ? http_incoming_broken(r->in, FAULT_PROTOCOL,
					"a chunk of the answer does not end where it should")
			      : INCOMING_MORE;
	case HTTP1_TRAILER: return line.n ? read_header(r, line) : INCOMING_WHOLE;
	case HTTP1_COUNTED:
	case HTTP1_TO_THE_END:
	case HTTP1_CHUNK_DATA: break; /* no lines */
	}
	return INCOMING_BROKEN;
}

/* A stranger that will never say HTTP need not be waited for. */
static bool may_be_status(struct slice start)
{
	const struct slice want = SLICE("HTTP/1.");

	return memcmp(start.p, want.p, start.n < want.n ? start.n : want.n) == 0;
}

/* One line; taken is 0 when it is not there in full. */
static enum incoming take_line(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	const struct slice fresh = slice_sub(got, r->seen, got.n);
	const size_t end = r->seen + slice_find(fresh, '\n');

	*ret_taken = 0;
	if (r->part == HTTP1_STATUS && !may_be_status(got))
		return no_http(r);
	if (r->head_n + (end < got.n ? end : got.n) > HTTP_HEADER_BYTES_MAX)
		return http_incoming_broken(
			r->in, FAULT_PROTOCOL, "the answer's headers are over the limit");
	if (end == got.n) {
		r->seen = got.n;
		return INCOMING_MORE;
	}
	r->seen = 0;
	if (r->part != HTTP1_CHUNK && r->part != HTTP1_CHUNK_END)
		r->head_n += end + 1;
	*ret_taken = end + 1;
	return read_line(r, slice_sub(got, 0, end));
}

static enum incoming take_piece(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	const bool endless = r->part == HTTP1_TO_THE_END;
	const size_t n = endless || (uint64_t)r->left > got.n ? got.n : (size_t)r->left;

	*ret_taken = n;
	if (http_incoming_body(r->in, slice_sub(got, 0, n)) != INCOMING_MORE)
		return INCOMING_BROKEN;
	if (endless)
		return INCOMING_MORE;
	r->left -= (int64_t)n;
	if (r->left)
		return INCOMING_MORE;
	if (r->part == HTTP1_COUNTED)
		return INCOMING_WHOLE;
	r->part = HTTP1_CHUNK_END;
	return INCOMING_MORE;
}

enum incoming http1_read(struct http1_reader *r, struct slice got, size_t *ret_taken)
{
	enum incoming state = INCOMING_MORE;
	size_t n = 1;

	*ret_taken = 0;
	while (state == INCOMING_MORE && got.n && n) {
		const bool body = r->part == HTTP1_COUNTED || r->part == HTTP1_TO_THE_END ||
				  r->part == HTTP1_CHUNK_DATA;
		state = body ? take_piece(r, got, &n) : take_line(r, got, &n);
		*ret_taken += n;
		got = slice_sub(got, n, got.n);
	}
	return state;
}

enum incoming http1_end(struct http1_reader *r)
{
	if (r->part == HTTP1_TO_THE_END)
		return INCOMING_WHOLE;
	return http_incoming_lost(r->in);
}
