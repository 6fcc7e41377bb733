/* flagrules.c - metrics-processor's configuration: an error has a place, and what was taken hangs
 * together. */
#include "fuzz.h"

#include "judge/cloudmon/cloudmon.h"

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	fuzz_hold(file && text[0]);
}

static void look(const struct cloudmon_rules *r)
{
	const int64_t flags = (int64_t)cloudmon_flag_count(r);
	for (int64_t i = 0; i < flags; i++) {
		const struct cloudmon_flag *f = cloudmon_flag_at(r, (size_t)i);
		fuzz_hold(f->name && f->environment && f->query);
	}
	for (size_t i = 0; i < cloudmon_health_count(r); i++) {
		const struct cloudmon_health *h = cloudmon_health_at(r, i);
		fuzz_hold(cloudmon_health_find(r, h->key, h->environment) >= 0);
		for (size_t k = 0; k < h->metric_count; k++)
			fuzz_hold(h->metrics[k] && h->flags[k] < flags);
		for (size_t k = 0; k < h->expression_count; k++)
			fuzz_hold(formula_names(h->expressions[k].formula) <= h->metric_count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error_list errors = {0};
	struct cloudmon_rules *r = cloudmon_rules_parse(
		slice_from((const char *)p, n), "fuzz", NULL, on_note, NULL, &errors);
	if (r)
		look(r);
	else
		fuzz_hold(errors.n > 0 && errors.p[0].msg[0]);
	cloudmon_rules_free(r);
	error_list_fini(&errors);
	return 0;
}
