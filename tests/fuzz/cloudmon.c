/*
 * cloudmon.c - addresses and their names: a project, a line feed, an address. A part of a name
 * holds nothing that would end it.
 */
#include "fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "tell/cloudmon_names.h"

static void on_name(void *arg, enum cloudmon_type type, const char *name, double x)
{
	size_t *told = arg;
	fuzz_hold(x >= 0 && *name && !strpbrk(name, ": |\n\t\r"));
	(*told)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *project = mem_strndup((const char *)p, n), *url = strchr(project, '\n');
	const struct cloudmon_place place = {NULL, "e", "z"};
	struct buf out = BUF(BUF_LINE);
	size_t told = 0;
	if (url)
		*url++ = '\0';
	else
		url = project;
	const bool named = cloudmon_resource(&out, url, project);
	fuzz_hold(named || !out.n);
	fuzz_hold(!memchr(buf_str(&out), '.', out.n));
	struct measure m = {.what = MEASURE_CALL,
		.cloud = "",
		.region = "",
		.location = "",
		.service = "s",
		.name = "GET /",
		.url = url,
		.project = project,
		.status = 200};
	cloudmon_names(&place, &m, on_name, &told);
	fuzz_hold(told == (named ? 3 : 0));
	m.what = MEASURE_PROBE;
	m.globalmon = "g";
	cloudmon_names(&place, &m, on_name, &told);
	fuzz_hold(told == (named ? 6 : 3));
	buf_fini(&out);
	free(project);
	return 0;
}
