/* refusal.c - JSON, and what services say when they refuse. Two bytes of status, then the body. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "openstack/cloud_error.h"

static void hold_same(const json_t *json)
{
	struct error err = {0};
	char *text = json_text(json);
	json_t *again = json_parse(slice_of(text), BUF_PAGE, &err);

	fuzz_hold(again && json_equal(again, (json_t *)(uintptr_t)json));
	json_decref(again);
	free(text);
}

static void hold_line(const char *s)
{
	fuzz_hold(utf8_valid(slice_of(s)));
	fuzz_hold(!strpbrk(s, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct cloud_error e;
	struct slice body;
	json_t *json, *scrubbed;
	int status;

	if (n < 2)
		return 0;
	status = 400 + (p[0] << 8 | p[1]) % 200;
	body = slice_from((const char *)p + 2, n - 2);
	json = json_parse(body, 1u << 20, &err);
	fuzz_hold(json || err.msg[0]);
	if (json) {
		hold_same(json);
		scrubbed = json_scrubbed(json);
		json_decref(scrubbed);
	}
	cloud_error_read(status, json, body, &e);
	fuzz_hold(e.fault != FAULT_NONE);
	hold_line(e.type);
	hold_line(e.message);
	json_decref(json);
	return 0;
}
