/* arguments.c - parameters of Graphite's questions: query and body, form or JSON. */
#include "fuzz.h"

#include "web/faces/faces.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = {"application/json",
		"application/x-www-form-urlencoded; charset=utf-8", "text/plain", NULL};
	struct error err = {0};
	const struct slice all = slice_from((const char *)p, n);
	const size_t at = slice_find(all, '\n');
	char *query = slice_dup(slice_sub(all, 0, at));
	const struct face_request r = {
		.query = query, .type = types[n % 4], .body = slice_sub(all, at + 1, n)};
	json_t *args = graphite_arguments(&r, &err);
	const char *key;
	json_t *value;
	fuzz_hold(args || err.msg[0]);
	json_object_foreach (args, key, value)
		fuzz_hold(json_is_string(value) || json_is_array(value));
	json_decref(args);
	free(query);
	return 0;
}
