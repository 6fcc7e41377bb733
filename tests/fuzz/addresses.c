/* addresses.c - the simulated cloud's addresses and prefixes read back as they are written. */
#include "fuzz.h"

#include <stdlib.h>

#include "sim/ip.h"
#include "sim/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = slice_dup(slice_from((const char *)p, n));
	char written[IP_TEXT];
	struct ip a, b;
	struct prefix c, d;
	bool exact;

	if (ip_parse(text, &a)) {
		ip_text(a, written);
		fuzz_hold(ip_parse(written, &b) && ip_equal(a, b));
	}
	if (prefix_parse(text, &c, &exact)) {
		prefix_text(c, written);
		fuzz_hold(prefix_parse(written, &d, &exact) && exact && d.bits == c.bits &&
			  ip_equal(c.base, d.base));
		fuzz_hold(prefix_has(c, c.base) && prefix_has(c, prefix_last(c)) &&
			  prefix_overlaps(c, d));
	}
	route_glob(text, "/v2.0/networks/1234");
	fuzz_hold(!text[0] || route_glob("*", text));
	free(text);
	return 0;
}
