/* dates.c - RFC 3339 and HTTP dates (Retry-After), and that they read back the same. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = slice_dup(slice_from((const char *)p, n));
	char written[CLOCK_TEXT];
	int64_t us, again;

	if (clock_parse_rfc3339(text, &us)) {
		clock_rfc3339(us, written);
		fuzz_hold(clock_parse_rfc3339(written, &again) && us - again >= 0 &&
			  us - again < 1000);
	}
	if (clock_parse_http_date(text, &us)) {
		clock_http_date(us, written);
		fuzz_hold(clock_parse_http_date(written, &again) && us == again);
	}
	free(text);
	return 0;
}
