/* units.c - numbers with units, and that what is written exactly reads back the same. */
#include "fuzz.h"

#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice text = slice_from((const char *)p, n);
	char written[UNITS_TEXT];
	int64_t i, again;
	double x;

	if (units_parse_time(text, &i)) {
		units_time_text(i, written);
		units_time_exact(i, written);
		fuzz_hold(units_parse_time(slice_of(written), &again) && again == i);
	}
	if (units_parse_size(text, &i))
		units_size_text(i, written);
	if (units_parse_int(text, &i)) {
		units_time_text(i, written);
		units_size_text(i, written);
		units_time_exact(i, written);
		fuzz_hold(i < 0 || (units_parse_time(slice_of(written), &again) && again == i));
	}
	if (units_parse_rate(text, &x) || units_parse_percent(text, &x))
		fuzz_hold(x == x);
	units_parse_real(text, &x);
	return 0;
}
