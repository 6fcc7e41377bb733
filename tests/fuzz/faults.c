/* faults.c - what is posted to /sim/faults: JSON rules. */
#include "fuzz.h"

#include "base/json.h"
#include "sim/mishap.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mishaps m = {0};
	struct error err = {0};
	json_t *rules = json_parse(slice_from((const char *)p, n), 1u << 20, &err);
	size_t before = 0;

	for (int i = 0; rules && i < 2; i++) {
		if (mishaps_add(&m, rules, &err)) {
			fuzz_hold(m.list.n >= before);
		} else {
			fuzz_hold(err.msg[0] && m.list.n == before);
		}
		before = m.list.n;
	}
	json_decref(mishaps_json(&m));
	mishaps_clear(&m);
	fuzz_hold(m.list.n == 0);
	mishaps_fini(&m);
	json_decref(rules);
	return 0;
}
