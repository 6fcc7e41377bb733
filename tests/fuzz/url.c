/* url.c - addresses: read, encoded, decoded, joined. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/url.h"

static void hold_inside(struct slice part, struct slice text)
{
	fuzz_hold(part.n == 0 || (part.p >= text.p && part.p + part.n <= text.p + text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice text = slice_from((const char *)p, n);
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};
	struct url u;
	char *plain;

	if (url_parse(text, &u, &err)) {
		fuzz_hold(u.scheme.n > 0 && u.host.n > 0 && u.port < 65536);
		hold_inside(u.host, text);
		hold_inside(u.path, text);
		hold_inside(u.query, text);
		url_join(&out, text, u.path);
	} else {
		fuzz_hold(err.msg[0] != '\0');
	}
	for (int form = 0; form < 2; form++)
		if (url_decode(text, form, &plain)) {
			fuzz_hold(strlen(plain) <= n);
			free(plain);
		}
	buf_clear(&out);
	url_encode(&out, text);
	if (!memchr(text.p, '\0', n)) {
		fuzz_hold(url_decode(buf_slice(&out), false, &plain));
		fuzz_hold(strlen(plain) == n && memcmp(plain, text.p, n) == 0);
		free(plain);
	}
	url_add_query(&out, "name", text);
	buf_fini(&out);
	return 0;
}
