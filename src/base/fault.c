/*
 * fault.c - see fault.h; everything comes from fault.def.
 */

#include "base/fault.h"

#include <assert.h>

struct row {
	const char *name, *text;
	enum fault_whose whose;
};

static const struct row rows[] = {
#define FAULT(name, wire, whose, text) [FAULT_##name] = {wire, text, WHOSE_##whose},
#include "base/fault.def"
#undef FAULT
};

const char *fault_name(enum fault f)
{
	assert(f < FAULT_COUNT);
	return rows[f].name;
}

const char *fault_text(enum fault f)
{
	assert(f < FAULT_COUNT);
	return rows[f].text;
}

enum fault_whose fault_whose(enum fault f)
{
	assert(f < FAULT_COUNT);
	return rows[f].whose;
}

const char *fault_whose_name(enum fault_whose w)
{
	static const char *const names[] = {"neither", "cloud", "ours", "configuration", "quota"};
	return names[w];
}

bool fault_parse(struct slice wire, enum fault *ret_fault)
{
	for (int i = 0; i < FAULT_COUNT; i++)
		if (slice_is(wire, rows[i].name)) {
			*ret_fault = (enum fault)i;
			return true;
		}
	return false;
}

enum fault fault_of_status(int status)
{
	if (status < 400)
		return FAULT_NONE;
	switch (status) {
	case 400: return FAULT_HTTP_400;
	case 401: return FAULT_HTTP_401;
	case 403: return FAULT_HTTP_403;
	case 404: return FAULT_HTTP_404;
	case 409: return FAULT_HTTP_409;
	case 429: return FAULT_HTTP_429;
	case 503: return FAULT_HTTP_503;
	default: return status < 500 ? FAULT_HTTP_4XX : FAULT_HTTP_5XX;
	}
}
