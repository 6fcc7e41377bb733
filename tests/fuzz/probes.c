/* probes.c - an item of `probes:`, with its kind's keys and its conditions. */
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "observe/probe/probe.h"
#include "text/yaml.h"

/* What was read can be written, and reads the same. */
static void hold_again(const struct probe_config *c)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(probe_config_text(c)), "again", &errors);
	struct probe_config *again =
		f ? probe_config_read(yaml_root(f, 0), "again", &errors) : NULL;
	json_t *shown = probe_config_json(c), *twice = again ? probe_config_json(again) : NULL;
	fuzz_hold(again && !errors.n);
	fuzz_hold(!strcmp(probe_config_text(c), probe_config_text(again)));
	fuzz_hold(json_equal(shown, twice));
	json_decref(shown);
	json_decref(twice);
	probe_config_free(again);
	yaml_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_from((const char *)p, n), "fuzz", &errors);
	if (f && yaml_documents(f)) {
		struct probe_config *c = probe_config_read(yaml_root(f, 0), "fuzz", &errors);
		fuzz_hold(!c == (errors.n > 0));
		if (c)
			hold_again(c);
		probe_config_free(c);
	}
	yaml_free(f);
	fuzz_errors(&errors);
	return 0;
}
