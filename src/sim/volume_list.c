/*
 * volume_list.c - cinder's lists: the filters of members, sorting, paging by marker and offset.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/list.h"
#include "sim/python.h"
#include "sim/state.h"
#include "sim/volume.h"

#define LIST_MAX 1000 /* osapi_max_limit */
#define STRICT   31   /* since which microversion unknown filters are refused */
#define COUNTS   45   /* and with_count is known */

static const char *const controls[] = {
	"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants"};

static bool is_control(const struct call *c, const char *name)
{
	for (size_t i = 0; i < array_len(controls); i++)
		if (!strcmp(controls[i], name))
			return true;
	return c->version >= COUNTS && !strcmp(name, "with_count");
}

static bool filters_known(struct call *c, const struct volume_resource *r)
{
	struct buf unknown = BUF(4096);

	if (c->version < STRICT)
		return true; /* they are ignored then */
	VEC_EACH (&c->arguments, struct pair, p)
		if (!is_control(c, p->name) && !slice_in_words(slice_of(p->name), r->filters))
			buf_printf(&unknown, "%s%s", unknown.n ? "," : "", p->name);
	bool good = unknown.n == 0;
	if (!good)
		call_fail(c, 400, NULL, "Invalid filters %s are found in query options.",
			buf_str(&unknown));
	buf_fini(&unknown);
	return good;
}

/* --- matching ----------------------------------------------------------------------------------
 */

static bool fits_metadata(const json_t *have, const char *wanted)
{
	json_t *dict = python_dict(wanted), *value;
	const char *key;
	bool fits = dict != NULL;

	json_object_foreach (dict, key, value)
		fits = fits && json_equal(json_object_get(have, key), value);
	json_decref(dict);
	return fits;
}

static bool fits_filter(const struct object *o, const char *name, const char *wanted)
{
	const json_t *have = json_object_get(o->doc, name);

	if (!strcmp(name, "metadata"))
		return fits_metadata(have, wanted);
	if (!strcmp(name, "created_at") || !strcmp(name, "updated_at"))
		return time_fits(json_string_value(have), wanted);
	if (json_is_integer(have)) {
		int64_t n;
		return units_parse_int(slice_of(wanted), &n) && n == json_integer_value(have);
	}
	if (json_is_boolean(have) || !strcmp(name, "bootable"))
		return !strcasecmp(wanted, "true") ==
		       (json_is_true(have) || !strcmp(object_str(o, name), "true"));
	return json_is_string(have) && !strcmp(json_string_value(have), wanted);
}

static bool fits(const struct call *c, const struct volume_resource *r, const struct object *o)
{
	VEC_EACH (&c->arguments, struct pair, p)
		if (!is_control(c, p->name) && slice_in_words(slice_of(p->name), r->filters) &&
			!fits_filter(o, p->name, p->value))
			return false;
	return true;
}

/* --- sorting -----------------------------------------------------------------------------------
 */

static bool add_order(struct call *c, const struct volume_resource *r, struct order *order,
	struct slice key, struct slice dir)
{
	bool known = false;

	for (size_t i = 0; i < r->n; i++)
		known = known || slice_is(key, r->keys[i].name);
	if (dir.n && !slice_is(dir, "asc") && !slice_is(dir, "desc")) {
		call_fail(c, 400, NULL,
			"Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.");
		return false;
	}
	if (known && order_add(order, key, slice_is(dir, "asc")))
		return true;
	call_fail(c, 400, NULL, "Invalid input received: Invalid sort key");
	return false;
}

static bool read_order(struct call *c, const struct volume_resource *r, struct order *order)
{
	struct slice rest = slice_of(call_query(c, "sort")), part;
	const char *key = call_query(c, "sort_key"), *dir = call_query(c, "sort_dir");

	while (rest.n && slice_next(&rest, ',', &part)) {
		size_t colon = slice_find(part, ':');
		if (!add_order(c, r, order, slice_trim(slice_sub(part, 0, colon)),
			    slice_trim(slice_sub(part, colon + 1, part.n))))
			return false;
	}
	return order->n > 0 || !(key || dir) ||
	       add_order(c, r, order, slice_of(key ? key : "created_at"), slice_of(dir));
}

/* --- paging ------------------------------------------------------------------------------------
 */

static bool read_number(struct call *c, const char *name, int64_t *ret)
{
	const char *text = call_query(c, name);

	if (!text)
		return true;
	if (!units_parse_int(slice_of(text), ret)) {
		call_fail(c, 400, NULL, "%s param must be an integer", name);
		return false;
	}
	if (*ret < 0)
		call_fail(c, 400, NULL, "%s param must be positive", name);
	return *ret >= 0;
}

static json_t *next_link(struct call *c, const char *marker)
{
	struct buf url = BUF(BUF_LINE);

	buf_printf(&url, "%s/volume%s", call_url(c), c->path);
	list_link(c, marker, "offset", &url);
	json_t *link = json_pack("[{s:s, s:s}]", "rel", "next", "href", buf_str(&url));
	buf_fini(&url);
	return link;
}

struct page {
	struct order order;
	VEC(struct object *) all; /* of the project, sorted, whatever the filters say */
	int64_t limit, offset;
	size_t from; /* behind the marker */
};

static void gather(struct call *c, const struct volume_resource *r, struct page *page)
{
	OBJECT_EACH (c->sim, r->kind, o)
		if (!strcmp(o->project, c->project) && object_listed(o))
			vec_push(&page->all, o);
	order_sort(&page->order, page->all.p, page->all.n);
}

static bool find_marker(struct call *c, const struct volume_resource *r, struct page *page)
{
	const char *marker = call_query(c, "marker");

	if (!marker)
		return true;
	while (page->from < page->all.n && strcmp(page->all.p[page->from]->id, marker))
		page->from++;
	if (page->from++ < page->all.n)
		return true;
	call_fail(c, 404, NULL, "%s %s could not be found.", r->title, marker);
	return false;
}

static void answer(
	struct call *c, const struct volume_resource *r, const struct page *page, bool detail)
{
	json_t *list = json_array(), *out = json_object();
	const char *last = NULL, *with_count = call_query(c, "with_count");
	int64_t skipped = 0, count = 0;
	char links[32];

	for (size_t i = 0; i < page->all.n; i++) {
		const struct object *o = page->all.p[i];
		if (!fits(c, r, o))
			continue;
		count++;
		if (i < page->from || skipped++ < page->offset ||
			(int64_t)json_array_size(list) >= page->limit)
			continue;
		last = o->id;
		json_array_append_new(
			list, volume_view(c, r, o, detail ? EXTENT_WHOLE : EXTENT_BRIEF));
	}
	json_object_set(out, r->collection, list);
	/* a full page has a link, even if nothing follows */
	if (last && (int64_t)json_array_size(list) == page->limit) {
		snprintf(links, sizeof(links), "%s_links", r->collection);
		json_object_set_new(out, links, next_link(c, last));
	}
	if (c->version >= COUNTS && with_count && !strcasecmp(with_count, "true"))
		json_object_set_new(out, "count", json_integer(count));
	json_decref(list);
	call_json(c, 200, out);
}

void volume_list(struct call *c, const struct volume_resource *r, bool detail)
{
	struct page page = {.limit = LIST_MAX};

	if (!filters_known(c, r) || !read_number(c, "limit", &page.limit) ||
		!read_number(c, "offset", &page.offset) || !read_order(c, r, &page.order))
		return;
	if (page.limit > LIST_MAX)
		page.limit = LIST_MAX;
	gather(c, r, &page);
	if (find_marker(c, r, &page))
		answer(c, r, &page, detail);
	vec_fini(&page.all);
}
