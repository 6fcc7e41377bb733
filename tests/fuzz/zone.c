/* zone.c - time zone files: an answer is within the limits, and the moment of a local time shows
 * it. */
#include "fuzz.h"

#include "base/zone.h"

#define MOST (200 * 3600) /* a rule's hours may be 167 */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct zone *z = zone_parse(slice_from((const char *)p, n), &err);
	fuzz_hold(z || err.msg[0]);
	for (int64_t at = -5000000000; z && at < 10000000000; at += 123456789) {
		const int64_t offset = zone_offset_s(z, at), moment = zone_moment_s(z, at);
		fuzz_hold(offset >= -MOST && offset <= MOST);
		fuzz_hold(moment - at >= -MOST && moment - at <= MOST);
	}
	zone_free(z);
	return 0;
}
