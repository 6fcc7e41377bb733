/*
 * askedevents.c - what a list of events is asked for.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/mem.h"
#include "web/faces/faces.h"
#include "web/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *query = mem_strndup((const char *)p, n);
	struct error err = {0};
	json_t *args = events_arguments(&(struct face_request){.query = query}, &err);
	fuzz_hold(args || err.msg[0]);
	if (args) {
		const int64_t limit = json_int(args, "limit", 1);
		fuzz_hold(limit > 0 && limit <= MODEL_EVENTS && json_int(args, "skip", 0) >= 0);
	}
	json_decref(args);
	free(query);
	return 0;
}
