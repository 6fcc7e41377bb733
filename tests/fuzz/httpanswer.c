/* httpanswer.c - what an HTTP server answers a probe with. The first byte says how it comes in
 * pieces, and whether the request was HEAD; in whatever pieces it is the same answer. */
#include "fuzz.h"

#include <string.h>

#include "net/http1.h"

#define BODY_MAX 4096

static enum incoming read_by(struct http1_reader *r, struct slice all, size_t piece)
{
	enum incoming state = INCOMING_MORE;
	size_t taken = 0, came = 0, now;

	while (state == INCOMING_MORE && came < all.n) {
		came = came + piece < all.n ? came + piece : all.n;
		state = http1_read(r, slice_sub(all, taken, came - taken), &now);
		taken += now;
		fuzz_hold(taken <= came);
	}
	return state == INCOMING_MORE ? http1_end(r) : state;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct http1_reader one, other;
	struct http_incoming a, b;
	const struct http_header *all;

	if (n == 0)
		return 0;
	const struct slice got = slice_from((const char *)p + 1, n - 1);
	http_incoming_init(&a, BODY_MAX);
	http_incoming_init(&b, BODY_MAX);
	http1_reader_init(&one, &a, p[0] & 1);
	http1_reader_init(&other, &b, p[0] & 1);
	const enum incoming state = read_by(&one, got, got.n);
	fuzz_hold(state != INCOMING_MORE && state == read_by(&other, got, 1u + (p[0] >> 1) % 16));
	fuzz_hold(a.status == b.status && a.version == b.version && a.fault == b.fault);
	fuzz_hold((state == INCOMING_BROKEN) == (a.fault != FAULT_NONE));
	fuzz_hold(
		state == INCOMING_BROKEN || (a.status >= 100 && a.body_size == (int64_t)a.body.n));
	fuzz_hold(state == INCOMING_BROKEN || slice_eq(buf_slice(&a.body), buf_slice(&b.body)));
	fuzz_hold(!(p[0] & 1) || a.body_size == 0);
	for (size_t i = 0, k = http_headers_all(&a.headers, &all); i < k; i++)
		fuzz_hold(*all[i].name && strlen(all[i].value) <= got.n);
	http_incoming_fini(&a);
	http_incoming_fini(&b);
	return 0;
}
