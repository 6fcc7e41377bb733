/* oshm.c - start scripts of OpenStack Health Monitor: whatever they hold, each gives a
 * configuration or an error with a place. */
#include "fuzz.h"

#include "base/json.h"
#include "import/oshm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct import_report report = {0};
	struct error err = {0};
	json_t *config = oshm_import(slice_from((const char *)p, n), "script", &report, &err);
	if (config) {
		struct buf out = BUF(BUF_PAGE);
		fuzz_hold(json_array_size(json_object_get(config, "scenarios")) == 1);
		import_write_notes(&report, &out);
		/* comments alone, whatever stood in the script */
		for (size_t i = 0; i + 1 < out.n; i++)
			fuzz_hold(out.p[i] != '\n' || out.p[i + 1] == '#');
		buf_fini(&out);
	} else {
		fuzz_hold(err.msg[0] != '\0');
	}
	json_decref(config);
	import_report_fini(&report);
	return 0;
}
