/*
 * image_list.c - glance's list: any member is a filter, and what no image has finds none.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/image.h"
#include "sim/list.h"
#include "sim/state.h"

#define LIST_DEFAULT 25
#define LIST_MAX     1000

static const char sort_keys[] =
	"name, status, container_format, disk_format, size, id, created_at, updated_at";
static const char *const controls[] = {
	"limit", "marker", "sort", "sort_key", "sort_dir", "member_status"};

static bool is_control(const char *name)
{
	for (size_t i = 0; i < array_len(controls); i++)
		if (!strcmp(controls[i], name))
			return true;
	return false;
}

/* --- filters -----------------------------------------------------------------------------------
 */

static bool flag_good(struct call *c, const char *name)
{
	const char *value = call_query(c, name);

	if (!value || !strcasecmp(value, "true") || !strcasecmp(value, "false"))
		return true;
	call_fail(c, 400, NULL,
		"Invalid value '%s' for '%s' filter. Valid values are 'true' or 'false'.", value,
		name);
	return false;
}

static bool filters_good(struct call *c)
{
	const char *visibility = call_query(c, "visibility");

	if (visibility &&
		!slice_in_words(slice_of(visibility), "community public private shared all")) {
		call_fail(c, 400, NULL, "Invalid visibility value: %s", visibility);
		return false;
	}
	return flag_good(c, "os_hidden") && flag_good(c, "protected");
}

/* "in:a,b" where glance knows it, else the text itself */
static bool fits_text(const char *have, const char *wanted, bool several)
{
	struct slice rest = slice_of(wanted), part;

	if (!several || strncmp(wanted, "in:", 3))
		return !strcmp(have, wanted);
	rest = slice_sub(rest, 3, rest.n);
	while (slice_next(&rest, ',', &part))
		if (slice_is(slice_trim(part), have))
			return true;
	return false;
}

static bool fits_number(const json_t *have, const char *wanted, int sign)
{
	int64_t n;

	if (!json_is_integer(have) || !units_parse_int(slice_of(wanted), &n))
		return false;
	const int64_t d = json_integer_value(have) - n;
	return sign > 0 ? d >= 0 : sign < 0 ? d <= 0 : d == 0;
}

static bool fits_filter(const struct object *o, const char *name, const char *wanted)
{
	static const char *const several[] = {
		"name", "id", "status", "container_format", "disk_format"};
	const json_t *have = json_object_get(o->doc, name);
	bool in = false;

	for (size_t i = 0; i < array_len(several); i++)
		in = in || !strcmp(several[i], name);
	if (!strcmp(name, "tag"))
		return json_has_text(json_object_get(o->doc, "tags"), slice_of(wanted));
	if (!strcmp(name, "size_min") || !strcmp(name, "size_max"))
		return fits_number(json_object_get(o->doc, "size"), wanted,
			!strcmp(name, "size_min") ? 1 : -1);
	if (!strcmp(name, "created_at") || !strcmp(name, "updated_at"))
		return time_fits(object_str(o, name), wanted);
	if (json_is_integer(have))
		return fits_number(have, wanted, 0);
	if (json_is_boolean(have))
		return !strcasecmp(wanted, json_is_true(have) ? "true" : "false");
	return json_is_string(have) && *name != '.' &&
	       fits_text(json_string_value(have), wanted, in);
}

/* Whether a list without filters shows it to this project. */
static bool listed(const struct call *c, const struct object *o)
{
	const char *wanted = call_query(c, "visibility"), *have = object_str(o, "visibility");
	const bool own = !strcmp(o->project, c->project);
	const bool all = wanted && !strcmp(wanted, "all");

	if (wanted && !all && strcmp(wanted, have))
		return false;
	return own || !strcmp(have, "public") || (!strcmp(have, "community") && wanted);
}

static bool fits(const struct call *c, const struct object *o)
{
	const char *hidden = call_query(c, "os_hidden");

	if (!listed(c, o) ||
		json_flag(o->doc, "os_hidden") != (hidden && !strcasecmp(hidden, "true")))
		return false;
	VEC_EACH (&c->arguments, struct pair, p)
		if (!is_control(p->name) && strcmp(p->name, "visibility") &&
			strcmp(p->name, "os_hidden") && !fits_filter(o, p->name, p->value))
			return false;
	return true;
}

/* --- order -------------------------------------------------------------------------------------
 */

static bool add_order(struct call *c, struct order *order, struct slice key, struct slice dir)
{
	struct slice rest = slice_of(sort_keys), word;
	bool known = false;

	while (slice_next(&rest, ',', &word))
		known = known || slice_eq(slice_trim(word), key);
	if (!known)
		call_fail(c, 400, NULL,
			"Invalid sort key: %.*s. It must be one of the following: %s.",
			SLICE_ARG(key), sort_keys);
	else if (dir.n && !slice_is(dir, "asc") && !slice_is(dir, "desc"))
		call_fail(c, 400, NULL, "Invalid sort direction: %.*s", SLICE_ARG(dir));
	else if (!order_add(order, key, slice_is(dir, "asc")))
		call_fail(c, 400, NULL, "Too many sort keys");
	return !call_answered(c);
}

static bool read_order(struct call *c, struct order *order)
{
	struct slice rest = slice_of(call_query(c, "sort")), part;
	const char *key = call_query(c, "sort_key"), *dir = call_query(c, "sort_dir");

	if (rest.n && (key || dir)) {
		call_fail(c, 400, NULL, "Old and new sorting syntax cannot be combined");
		return false;
	}
	while (rest.n && slice_next(&rest, ',', &part)) {
		size_t colon = slice_find(part, ':');
		if (!add_order(c, order, slice_trim(slice_sub(part, 0, colon)),
			    slice_trim(slice_sub(part, colon + 1, part.n))))
			return false;
	}
	return order->n > 0 || !(key || dir) ||
	       add_order(c, order, slice_of(key ? key : "created_at"), slice_of(dir));
}

/* --- the answer --------------------------------------------------------------------------------
 */

static bool read_limit(struct call *c, int64_t *ret)
{
	const char *limit = call_query(c, "limit");

	*ret = LIST_DEFAULT;
	if (!limit)
		return true;
	if (!units_parse_int(slice_of(limit), ret))
		call_fail(c, 400, NULL, "limit param must be an integer");
	else if (*ret < 0)
		call_fail(c, 400, NULL, "limit param must be positive");
	if (*ret > LIST_MAX)
		*ret = LIST_MAX;
	return !call_answered(c);
}

static void add_link(struct call *c, json_t *out, const char *name, const char *marker)
{
	struct buf url = BUF(BUF_LINE);

	buf_add_str(&url, "/v2/images");
	list_link(c, marker, NULL, &url);
	json_object_set_new(out, name, json_string(buf_str(&url)));
	buf_fini(&url);
}

void image_list(struct call *c)
{
	const char *marker = call_query(c, "marker"), *last = NULL;
	VEC(struct object *) all = {0};
	struct order order = {0};
	json_t *list, *out;
	int64_t limit;
	size_t i = 0;

	if (!filters_good(c) || !read_limit(c, &limit) || !read_order(c, &order))
		return;
	if (marker && !image_visible(c->sim, c->project, marker)) {
		call_fail(c, 400, NULL, "No image found with ID %s", marker);
		return;
	}
	OBJECT_EACH (c->sim, KIND_IMAGE, o)
		if (object_listed(o) && (fits(c, o) || (marker && !strcmp(o->id, marker))))
			vec_push(&all, o);
	order_sort(&order, all.p, all.n);
	while (marker && i < all.n && strcmp(all.p[i++]->id, marker))
		;
	list = json_array();
	for (; i < all.n && (int64_t)json_array_size(list) < limit; i++) {
		json_array_append_new(list, image_view(all.p[i]));
		last = all.p[i]->id;
	}
	vec_fini(&all);
	out = json_pack("{s:O, s:s}", "images", list, "schema", "/v2/schemas/images");
	add_link(c, out, "first", NULL);
	if (last && (int64_t)json_array_size(list) == limit)
		add_link(c, out, "next", last);
	json_decref(list);
	call_json(c, 200, out);
}
