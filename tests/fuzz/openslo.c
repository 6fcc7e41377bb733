/* openslo.c - documents of OpenSLO, of others. */
#include "fuzz.h"
#include "judge/rules/slo.h"

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	fuzz_hold(line > 0 && col > 0 && text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slo_list list = {0};
	struct error_list errors = {0};
	const bool good = openslo_parse(
		slice_from((const char *)p, n), "fuzz", &list, on_note, NULL, &errors);
	fuzz_hold(good == (errors.n == 0));
	for (size_t i = 0; i < list.n; i++)
		fuzz_hold(list.p[i]->objective > 0 && list.p[i]->objective < 1 &&
			  list.p[i]->alert_count > 0 && list.p[i]->part.name);
	slo_list_fini(&list);
	fuzz_errors(&errors);
	return 0;
}
