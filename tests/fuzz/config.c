/* config.c - glasshouse.yaml; what is shown of it is a configuration again, and the same. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/json.h"
#include "cli/config.h"
#include "text/yaml_write.h"

/* Texts that YAML cannot hold as keys come from escapes; whatever was read must be written. */
static void hold_round_trip(const struct config *c)
{
	struct error_list errors = {0};
	struct buf yaml = BUF(BUF_ANSWER), diff = BUF(BUF_ANSWER);
	json_t *shown = config_json(c);
	struct config *again;

	yaml_write(&yaml, shown);
	again = config_parse(buf_slice(&yaml), "shown.yaml", &errors);
	fuzz_hold(again != NULL || yaml.n >= 1u << 20);
	if (again) {
		json_t *second = config_json(again);

		fuzz_hold(json_equal(shown, second));
		fuzz_hold(config_diff(c, again, &diff) == 0);
		json_decref(second);
	}
	fuzz_errors(&errors);
	config_free(again);
	json_decref(shown);
	buf_fini(&yaml);
	buf_fini(&diff);
}

static void hold_options(struct config *c)
{
	struct error_list errors = {0};
	const size_t clouds = c->cloud_count;

	fuzz_hold(config_add_cloud(c, "added", &errors));
	fuzz_hold(c->cloud_count - clouds <= 1);
	fuzz_hold(config_add_scenario(c, "added", &errors) == (errors.n == 0));
	fuzz_errors(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error_list errors = {0};
	struct config *c = config_parse(slice_from((const char *)p, n), "fuzz.yaml", &errors);

	fuzz_hold((c == NULL) == (errors.n > 0));
	fuzz_errors(&errors);
	if (c) {
		hold_round_trip(c);
		hold_options(c);
	}
	config_free(c);
	return 0;
}
