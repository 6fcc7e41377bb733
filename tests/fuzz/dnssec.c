/*
 * dnssec.c - answers whose signatures are looked at: a line of trust anchors, then messages with
 * two bytes of length before each. A verdict comes after so many at most, and says why it is no.
 */
#include "fuzz.h"

#include <string.h>

#include "net/dnssec.h"

#define NOW_S 1795708800 /* while the signatures of the corpus last */

static void walk(struct dnssec *d, const uint8_t *p, size_t n)
{
	const char *name = NULL, *type = NULL;
	unsigned asked = 0;

	while (n >= 2) {
		size_t length = (size_t)(p[0] << 8 | p[1]);
		length = length < n - 2 ? length : n - 2;
		dnssec_take(d, slice_from((const char *)p + 2, length));
		p += 2 + length;
		n -= 2 + length;
		if (!dnssec_next(d, &name, &type))
			break;
		fuzz_hold(*name && (!strcmp(type, "DS") || !strcmp(type, "DNSKEY")));
		fuzz_hold(++asked <= 2 * DNSSEC_ZONES_MAX);
	}
	const struct dnssec_verdict *v = dnssec_verdict(d);
	fuzz_hold(!v->secure || !v->why[0]);
	fuzz_hold(v->secure || v->why[0] || !asked || dnssec_next(d, &name, &type));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *line = n ? memchr(p, '\n', n) : NULL;
	const size_t text_n = line ? (size_t)(line - p) : 0;
	struct error err = {0};
	struct dnssec_anchors *a = dnssec_anchors_read(slice_from((const char *)p, text_n), &err);

	fuzz_hold(a || err.msg[0]);
	if (!a)
		return 0;
	struct dnssec *d = dnssec_new(a, "www.example.test.", "A", NOW_S);
	walk(d, p + text_n + 1, n - text_n - 1);
	dnssec_free(d);
	dnssec_anchors_free(a);
	return 0;
}
