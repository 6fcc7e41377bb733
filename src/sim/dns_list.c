/*
 * dns_list.c - lists of zones and recordsets: filters, order, pages.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "net/url.h"
#include "sim/dns.h"
#include "sim/list.h"
#include "sim/python.h"
#include "sim/route.h"
#include "sim/state.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX     1000

static const char zone_filters[] = "name type email status description ttl";
static const char set_filters[] = "name type ttl data status description";

static const char *const zone_sort[] = {
	"created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status", NULL};
static const char *const set_sort[] = {"created_at", "id", "updated_at", "zone_id", "tenant_id",
	"name", "type", "ttl", "records", NULL};

/* --- what was asked ----------------------------------------------------------------------------
 */

static bool is_paging(const char *name)
{
	return slice_in_words(slice_of(name), "marker limit sort_key sort_dir");
}

static bool read_limit(struct call *c, int64_t *ret)
{
	const char *text = call_query(c, "limit");

	*ret = LIMIT_DEFAULT;
	if (text && !strcmp(text, "max"))
		*ret = LIMIT_MAX;
	else if (text && (!units_parse_int(slice_of(text), ret) || *ret <= 0)) {
		call_fail(c, 400, "invalid_limit", "limit should be an integer between 1 and %d",
			LIMIT_MAX);
		return false;
	}
	if (*ret > LIMIT_MAX)
		*ret = LIMIT_MAX;
	return true;
}

static bool read_order(struct call *c, const char *const *keys, struct order *ret)
{
	const char *key = call_query(c, "sort_key"), *dir = call_query(c, "sort_dir");
	json_t *list = json_array();
	bool known = !key;

	for (size_t i = 0; keys[i]; i++) {
		known = known || !strcmp(keys[i], key);
		json_array_append_new(list, json_string(keys[i]));
	}
	char *text = python_repr_text(list);
	if (dir && strcmp(dir, "asc") && strcmp(dir, "desc"))
		call_fail(c, 400, "invalid_sort_dir",
			"Unknown sort direction, must be 'desc' or 'asc'");
	else if (!known)
		call_fail(c, 400, "invalid_sort_key", "sort key must be one of %s", text);
	free(text);
	json_decref(list);
	if (call_answered(c))
		return false;
	const bool ascending = !dir || !strcmp(dir, "asc");
	if (key && strcmp(key, "tenant_id"))
		order_add(ret, slice_of(key), ascending);
	order_add(ret, SLICE("created_at"), ascending);
	order_add(ret, SLICE("id"), ascending);
	return true;
}

static bool filters_good(struct call *c, const char *filters)
{
	struct buf unknown = BUF(BUF_LINE);

	VEC_EACH (&c->arguments, struct pair, p)
		if (!is_paging(p->name) && !slice_in_words(slice_of(p->name), filters))
			buf_printf(&unknown, "%s%s", unknown.n ? ", " : "", p->name);
	if (unknown.n)
		call_fail(c, 400, "bad_request", "Invalid filters %s", buf_str(&unknown));
	buf_fini(&unknown);
	return !call_answered(c);
}

static bool value_fits(const json_t *have, const char *wanted)
{
	if (!have || json_is_null(have))
		return false;
	char *text = python_str_text(have);
	const bool fits = route_glob(wanted, text);
	free(text);
	return fits;
}

static bool fits(const struct call *c, const struct object *o)
{
	VEC_EACH (&c->arguments, struct pair, p) {
		bool good = false;
		json_t *record;
		size_t i;
		if (is_paging(p->name))
			continue;
		if (strcmp(p->name, "data"))
			good = value_fits(json_object_get(o->doc, p->name), p->value);
		else
			json_array_foreach (json_object_get(o->doc, "records"), i, record)
				good = good || value_fits(record, p->value);
		if (!good)
			return false;
	}
	return true;
}

/* --- what is answered --------------------------------------------------------------------------
 */

static char *page_link(const struct call *c, const char *marker)
{
	struct buf url = BUF(BUF_LINE);

	buf_printf(&url, "%s/dns%s", call_url(c), c->path);
	if (marker)
		list_link(c, marker, NULL, &url);
	else
		VEC_EACH (&c->arguments, struct pair, p)
			url_add_query(&url, p->name, slice_of(p->value));
	return buf_take(&url);
}

/* The place after the marker; -1: there is none such, and it was answered. */
static int64_t first_of_page(struct call *c, struct object *const *p, size_t n)
{
	const char *marker = call_query(c, "marker");
	json_t *text = marker ? json_string(marker) : NULL;
	int64_t at = marker ? -1 : 0;

	for (size_t i = 0; marker && i < n; i++)
		if (!strcmp(p[i]->id, marker))
			at = (int64_t)i + 1;
	if (at < 0 && !(text && python_is_uuid(text)))
		call_fail(c, 400, "invalid_marker", "%s", "");
	else if (at < 0)
		call_fail(c, 400, "marker_not_found", "Marker None could not be found");
	json_decref(text);
	return at;
}

static void answer(
	struct call *c, const char *collection, struct object *const *p, size_t n, int64_t limit)
{
	const int64_t first = first_of_page(c, p, n);

	if (first < 0)
		return;
	json_t *list = json_array(), *links = json_object();
	size_t i = (size_t)first;
	for (; i < n && (int64_t)json_array_size(list) < limit; i++)
		json_array_append_new(list, dns_view(c, p[i]));
	char *self = page_link(c, NULL);
	json_object_set_new(links, "self", json_string(self));
	if (i && (int64_t)json_array_size(list) == limit) {
		char *next = page_link(c, p[i - 1]->id);
		json_object_set_new(links, "next", json_string(next));
		free(next);
	}
	free(self);
	call_json(c, 200,
		json_pack("{s:o, s:o, s:{s:I}}", collection, list, "links", links, "metadata",
			"total_count", (json_int_t)n));
}

static void list(struct call *c, enum kind kind, const char *collection, const char *zone)
{
	const bool zones = kind == KIND_DNS_ZONE;
	struct order order = {0};
	VEC(struct object *) found = {0};
	int64_t limit;

	if (!read_limit(c, &limit) || !read_order(c, zones ? zone_sort : set_sort, &order) ||
		!filters_good(c, zones ? zone_filters : set_filters))
		return;
	OBJECT_EACH (c->sim, kind, o)
		if (!strcmp(o->project, c->project) && object_listed(o) &&
			(!zone || !strcmp(object_str(o, "zone_id"), zone)) && fits(c, o))
			vec_push(&found, o);
	order_sort(&order, found.p, found.n);
	answer(c, collection, found.p, found.n, limit);
	vec_fini(&found);
}

/* Everybody's are the administrators': a page without a body says so. */
static bool asks_for_all(struct call *c)
{
	const char *all = call_query(c, "all_projects");

	if (!all)
		all = call_query(c, "all_tenants");
	if (!all || !slice_in_words(slice_of(all), "1 t true True on y yes"))
		return false;
	call_text(c, 403, "text/html; charset=utf-8", "");
	return true;
}

void dns_zone_list(struct call *c)
{
	if (!asks_for_all(c))
		list(c, KIND_DNS_ZONE, "zones", NULL);
}

void dns_recordset_list(struct call *c)
{
	if (!asks_for_all(c) && dns_zone_find(c, c->params[0]))
		list(c, KIND_DNS_RECORDSET, "recordsets", c->params[0]);
}

void dns_all_recordsets_list(struct call *c)
{
	if (!asks_for_all(c))
		list(c, KIND_DNS_RECORDSET, "recordsets", NULL);
}
