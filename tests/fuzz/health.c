/* health.c - health expressions: a refusal has a column, and what is said of what is unknown stays
 * true whatever it turns out to be. */
#include "fuzz.h"

#include "judge/cloudmon/formula.h"

#define FLAGS 8

static size_t number(void *arg, struct slice name, unsigned at)
{
	size_t sum = 0;
	for (size_t i = 0; i < name.n; i++)
		sum += (unsigned char)name.p[i];
	fuzz_hold(name.n > 0 && at > 0);
	return sum % FLAGS;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	enum flag_value flags[FLAGS], known[FLAGS];
	struct formula *f = formula_parse(slice_from((const char *)p, n), number, NULL, &err);
	if (!f) {
		fuzz_hold(err.msg[0] && (err.col > 0 || err.kind == ERROR_LIMIT));
		return 0;
	}
	fuzz_hold(formula_names(f) <= FLAGS);
	for (unsigned bits = 0; bits < 1u << FLAGS; bits += 37) {
		for (size_t i = 0; i < FLAGS; i++) {
			known[i] = bits >> i & 1 ? FLAG_TRUE : FLAG_FALSE;
			flags[i] = i % 3 == bits % 3 ? FLAG_UNKNOWN : known[i];
		}
		const enum flag_value said = formula_value(f, flags), is = formula_value(f, known);
		fuzz_hold(is != FLAG_UNKNOWN);
		fuzz_hold(said == FLAG_UNKNOWN || said == is);
	}
	formula_free(f);
	return 0;
}
