/*
 * blackbox.c - blackbox_exporter's /probe: what a scrape asks for, read in the serving half.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "net/url.h"
#include "web/faces/faces.h"

#define OFFSET_MS 500 /* of the scrape's time, for the way back */

/* Owned; NULL: it is not there, or no text. */
static char *parameter(const char *query, const char *name)
{
	struct slice rest = slice_of(query), pair;
	char *value = NULL;
	while (!value && rest.n && slice_next(&rest, '&', &pair)) {
		const size_t at = slice_find(pair, '=');
		if (!slice_is(slice_sub(pair, 0, at), name) || at == pair.n)
			continue;
		if (!url_decode(slice_sub(pair, at + 1, pair.n), true, &value))
			return NULL;
	}
	if (value && !utf8_valid(slice_of(value))) {
		free(value);
		value = NULL;
	}
	return value;
}

/* 0: it does not say, or nothing sensible. */
static int64_t limit_ms(const char *header)
{
	char *end;
	const double s = header ? strtod(header, &end) : 0;
	if (!header || end == header || *end || !isfinite(s) || s <= 0 || s > 3600)
		return 0;
	const int64_t ms = (int64_t)(s * 1000);
	return ms > OFFSET_MS ? ms - OFFSET_MS : ms;
}

json_t *blackbox_arguments(const struct face_request *r, struct error *err)
{
	char *target = parameter(r->query, "target"), *module = parameter(r->query, "module"),
	     *debug = parameter(r->query, "debug");
	const int64_t ms = limit_ms(r->scrape_timeout);
	json_t *j = NULL;
	if (!target || !*target) {
		error_set(err, ERROR_INPUT,
			"target is missing: the name of a probe that is configured, or its target");
	} else {
		j = json_pack(
			"{s:s, s:b}", "target", target, "debug", debug && !strcmp(debug, "true"));
		if (module && *module)
			json_object_set_new(j, "module", json_string(module));
		if (ms)
			json_object_set_new(j, "limit_ms", json_integer(ms));
	}
	free(target);
	free(module);
	free(debug);
	return j;
}
