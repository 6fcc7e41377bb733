/* http2answer.c - what a server of HTTP/2 answers a probe with. The first byte says how it comes in
 * pieces, and whether the request was HEAD; in whatever pieces it is the same answer. */
#include "fuzz.h"

#include <string.h>

#include "net/http2.h"

#define BODY_MAX 4096

static enum incoming read_by(struct http_incoming *in, bool head, struct slice all, size_t piece)
{
	struct http2 *h = http2_new(head ? SLICE("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
					 : SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
		true, in);
	enum incoming state = INCOMING_MORE;

	for (size_t at = 0; state == INCOMING_MORE && at < all.n; at += piece) {
		while (http2_next(h).n)
			;
		state = http2_sent(h);
		if (state == INCOMING_MORE)
			state = http2_read(h, slice_sub(all, at, piece));
	}
	if (state == INCOMING_MORE)
		state = http_incoming_lost(in);
	http2_free(h);
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct http_incoming a, b;
	const struct http_header *all;

	if (n == 0)
		return 0;
	const struct slice got = slice_from((const char *)p + 1, n - 1);
	http_incoming_init(&a, BODY_MAX);
	http_incoming_init(&b, BODY_MAX);
	const enum incoming state = read_by(&a, p[0] & 1, got, got.n ? got.n : 1);
	read_by(&b, p[0] & 1, got, 1u + (p[0] >> 1) % 16);
	fuzz_hold(state != INCOMING_MORE && (state == INCOMING_BROKEN) == (a.fault != FAULT_NONE));
	fuzz_hold(!a.fault || *a.detail);
	fuzz_hold(state == INCOMING_BROKEN ||
		  (a.status >= 200 && a.status < 1000 && a.version == 20));
	fuzz_hold(state == INCOMING_BROKEN || a.body_size == (int64_t)a.body.n);
	/* What follows the answer may be broken where it is looked at. */
	fuzz_hold(a.fault || b.fault ||
		  (a.status == b.status && slice_eq(buf_slice(&a.body), buf_slice(&b.body))));
	for (size_t i = 0, k = http_headers_all(&a.headers, &all); i < k; i++)
		fuzz_hold(*all[i].name && !strpbrk(all[i].value, "\r\n"));
	http_incoming_fini(&a);
	http_incoming_fini(&b);
	return 0;
}
