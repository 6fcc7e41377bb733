/* scenario.c - whole scenarios: read, every error in one pass. */
#include "fuzz.h"

#include "observe/scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct kinds *kinds;
	struct error_list errors = {0};
	struct scenario *s;

	if (!kinds)
		kinds = kinds_load(NULL, &errors);
	fuzz_hold(kinds != NULL);
	s = scenario_parse(slice_from((const char *)p, n), "fuzz.yaml", NULL, kinds, &errors);
	fuzz_hold((s == NULL) == (errors.n > 0));
	fuzz_errors(&errors);
	scenario_free(s);
	return 0;
}
