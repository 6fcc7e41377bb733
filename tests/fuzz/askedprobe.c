/*
 * askedprobe.c - what a scrape asks for as blackbox_exporter is asked: the header with the scrape's
 * time, a line feed, the query.
 */
#include "fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "web/faces/faces.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = mem_strndup((const char *)p, n), *query = strchr(text, '\n');
	struct error err = {0};
	if (query)
		*query++ = '\0';
	json_t *args = blackbox_arguments(
		&(struct face_request){.query = query ? query : "", .scrape_timeout = text}, &err);
	fuzz_hold(args || err.msg[0]);
	if (args) {
		const int64_t ms = json_int(args, "limit_ms", 1);
		fuzz_hold(*json_str(args, "target") && ms > 0 && ms <= 3600 * 1000);
	}
	json_decref(args);
	free(text);
	return 0;
}
