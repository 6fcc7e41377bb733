/* request.c - heads of HTTP requests as guests of the simulated cloud read them. */
#include "fuzz.h"

#include "sim/guest_http.h"

static void hold_inside(struct slice part, struct slice text)
{
	fuzz_hold(part.n == 0 || (part.p >= text.p && part.p + part.n <= text.p + text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice text = slice_from((const char *)p, n);
	struct guest_http q;
	const enum guest_http_state state = guest_http_read(text, &q);

	hold_inside(q.method, text);
	hold_inside(q.target, text);
	hold_inside(q.cookie, text);
	hold_inside(guest_http_cookie(q.cookie, "SRV"), text);
	fuzz_hold(q.body_n <= GUEST_HTTP_BODY_MAX);
	if (state == GUEST_HTTP_WHOLE)
		fuzz_hold(q.head_n > 0 && q.head_n <= n && q.method.n && q.target.n);
	if (state == GUEST_HTTP_PART)
		fuzz_hold(n <= GUEST_HTTP_HEAD_MAX);
	return 0;
}
