/*
 * outposts_about.c - what an outpost says that it runs, held to what the judge takes.
 */

#include "observe/report/outposts.h"

#include "base/json.h"

#define COMPONENTS_MAX 2000
#define PROBES_MAX     20000
#define TEXT_MAX       200
#define EVERY_MAX_MS   (7 * SERIES_DAY_MS)

static bool is_id(const char *id)
{
	const size_t n = id ? strlen(id) : 0;
	return n && n <= 64 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_str(j, key);
	return s && strlen(s) <= TEXT_MAX ? s : "";
}

static json_t *component(const json_t *said)
{
	const char *id = json_str(said, "id"), *name = text_of(said, "name");
	if (!is_id(id))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "name", *name ? name : id,
		"category", text_of(said, "category"), "cloud", text_of(said, "cloud"), "region",
		text_of(said, "region"));
}

static json_t *probe(const json_t *said)
{
	const char *name = text_of(said, "probe");
	const int64_t every = json_int(said, "every_ms", 0),
		      timeout = json_int(said, "timeout_ms", 0);
	if (!*name || every <= 0 || every > EVERY_MAX_MS || timeout < 0 || timeout > EVERY_MAX_MS)
		return NULL;
	return json_pack("{s:s, s:s, s:I, s:I}", "cloud", text_of(said, "cloud"), "probe", name,
		"every_ms", (json_int_t)every, "timeout_ms", (json_int_t)timeout);
}

static json_t *list(const json_t *said, size_t max, json_t *(*one)(const json_t *said))
{
	json_t *all = json_array();
	for (size_t i = 0; i < json_array_size(said) && i < max; i++) {
		json_t *item = one(json_array_get(said, i));
		if (item)
			json_array_append_new(all, item);
	}
	return all;
}

json_t *outposts_about(const json_t *said)
{
	return json_pack("{s:o, s:o}", "components",
		list(json_object_get(said, "components"), COMPONENTS_MAX, component), "probes",
		list(json_object_get(said, "probes"), PROBES_MAX, probe));
}
