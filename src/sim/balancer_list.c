/*
 * balancer_list.c - octavia's lists: filters (an unknown one is refused), sorting, fields, paging.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/balancer.h"
#include "sim/list.h"
#include "sim/state.h"

#define PAGE_MAX 1000 /* octavia's own limit */

static const char *const controls[] = {
	"limit", "marker", "sort", "sort_key", "sort_dir", "fields", "page_reverse"};
static const char *const common[] = {"id", "project_id", "tenant_id", "provisioning_status",
	"operating_status", "created_at", "updated_at"};
static const char *const tag_filters[] = {"tags", "tags-any", "not-tags", "not-tags-any"};

static bool among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

static bool is_member(const struct balancer_resource *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!(r->attrs[i].flags & BALANCER_INNER) && !strcmp(r->attrs[i].name, name))
			return true;
	return among(name, common, array_len(common));
}

static bool is_filter(const struct balancer_resource *r, const char *name)
{
	return is_member(r, name) || slice_in_words(slice_of(name), r->filters) ||
	       among(name, tag_filters, array_len(tag_filters));
}

/* --- matching -----------------------------------------------------------------------------------
 */

static bool fits_value(const json_t *v, const char *wanted)
{
	if (json_is_string(v))
		return !strcmp(json_string_value(v), wanted);
	if (json_is_boolean(v))
		return !strcasecmp(wanted, json_is_true(v) ? "true" : "false");
	if (json_is_integer(v))
		return json_integer_value(v) == strtoll(wanted, NULL, 10);
	return !*wanted;
}

static bool fits_tags(const struct object *o, const char *name, const char *wanted)
{
	const bool negative = !strncmp(name, "not-", 4);
	struct slice rest = slice_of(wanted), tag;
	bool all = true, any = false;

	while (slice_next(&rest, ',', &tag)) {
		const bool has = json_has_text(json_object_get(o->doc, "tags"), tag);
		all = all && has;
		any = any || has;
	}
	return (slice_ends(slice_of(name), "any") ? any : all) != negative;
}

static bool fits(const struct call *c, const struct object *o)
{
	VEC_EACH (&c->arguments, struct pair, p) {
		const char *name = p->name;
		if (among(name, controls, array_len(controls)))
			continue;
		if (among(name, tag_filters, array_len(tag_filters))) {
			if (!fits_tags(o, name, p->value))
				return false;
			continue;
		}
		if (!strcmp(name, "loadbalancer_id") || !strcmp(name, "load_balancer_id"))
			name = ".loadbalancer";
		else if (!strcmp(name, "pool_id"))
			name = ".pool";
		if (!fits_value(json_object_get(o->doc, name), p->value))
			return false;
	}
	return true;
}

static bool filters_good(struct call *c, const struct balancer_resource *r)
{
	VEC_EACH (&c->arguments, struct pair, p) {
		if (among(p->name, controls, array_len(controls)))
			continue;
		if (!is_filter(r, p->name)) {
			call_fail(c, 400, NULL,
				"One or more arguments are either duplicate or invalid");
			return false;
		}
		if (!strcmp(p->name, "project_id") && strcmp(p->value, c->project)) {
			balancer_forbidden(c);
			return false;
		}
	}
	return true;
}

/* --- sorting and paging -------------------------------------------------------------------------
 */

/* What octavia finds wrong before it knows what is asked for, its framework tells. */
static bool early(struct call *c, const char *what, const char *value)
{
	call_json(c, 400,
		json_pack("{s:i, s:s, s:o}", "code", 400, "title", "Bad Request", "description",
			json_sprintf("Supplied %s '%s' is not valid.", what, value)));
	return false;
}

static bool add_key(struct call *c, const struct balancer_resource *r, struct order *order,
	struct slice key, struct slice direction)
{
	char name[32], word[16];

	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(key));
	snprintf(word, sizeof(word), "%.*s", SLICE_ARG(direction));
	if (*word && strcasecmp(word, "asc") && strcasecmp(word, "desc"))
		return early(c, "sort direction", word);
	if (is_member(r, name) && order_add(order, key, strcasecmp(word, "desc") != 0))
		return true;
	call_fail(c, 400, NULL, "Supplied sort key '%s' is not valid.", name);
	return false;
}

/* "name:desc,id", or sort_key=name,id and sort_dir=desc */
static bool read_order(struct call *c, const struct balancer_resource *r, struct order *order)
{
	const char *sort = call_query(c, "sort"), *keys = call_query(c, "sort_key");
	const char *dirs = call_query(c, "sort_dir");
	struct slice rest = slice_of(sort ? sort : keys ? keys : ""), part;
	struct slice dir_rest = slice_of(dirs && !sort ? dirs : ""), dir;

	while (rest.n && slice_next(&rest, ',', &part)) {
		const size_t colon = sort ? slice_find(part, ':') : part.n;
		if (!slice_next(&dir_rest, ',', &dir))
			dir = slice_of("");
		if (!add_key(c, r, order, slice_sub(part, 0, colon),
			    colon < part.n ? slice_sub(part, colon + 1, part.n) : dir))
			return false;
	}
	return true;
}

static bool read_limit(struct call *c, size_t *ret)
{
	const char *text = call_query(c, "limit");
	int64_t n = PAGE_MAX;

	if (text && strcmp(text, "infinite") && !units_parse_int(slice_of(text), &n))
		return early(c, "pagination limit", text);
	*ret = n >= 1 && n < PAGE_MAX ? (size_t)n : PAGE_MAX;
	return true;
}

static void add_link(struct call *c, json_t *links, const char *rel, const struct object *at)
{
	struct buf url = BUF(BUF_LINE);

	buf_printf(&url, "%s/load-balancer%s", call_url(c), c->path);
	list_link(c, at->id, "page_reverse", &url);
	if (!strcmp(rel, "previous"))
		buf_add_str(&url, "&page_reverse=True");
	json_array_append_new(links, json_pack("{s:s, s:s}", "rel", rel, "href", buf_str(&url)));
	buf_fini(&url);
}

static void answer(struct call *c, const struct balancer_resource *r, struct object **p, size_t n,
	size_t limit)
{
	json_t *list = json_array(), *links = json_array();
	char name[32];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, list_fields(c, balancer_view(r, p[i])));
	if (n && call_query(c, "marker"))
		add_link(c, links, "previous", p[0]);
	if (n && n >= limit) /* whether more follows is not looked at */
		add_link(c, links, "next", p[n - 1]);
	snprintf(name, sizeof(name), "%s_links", r->collection);
	call_json(c, 200, json_pack("{s:o, s:o}", r->collection, list, name, links));
}

/* The part of the page that the marker and its direction ask for. */
static bool page(
	struct call *c, struct object **p, size_t n, size_t limit, size_t *ret_from, size_t *ret_n)
{
	const char *marker = call_query(c, "marker"), *reverse = call_query(c, "page_reverse");
	const bool back = marker && reverse && !strcmp(reverse, "True");
	size_t at = 0;

	while (marker && at < n && strcmp(p[at]->id, marker))
		at++;
	if (marker && at == n) {
		call_fail(c, 400, NULL, "Supplied pagination marker '%s' is not valid.", marker);
		return false;
	}
	*ret_from = back ? (at > limit ? at - limit : 0) : marker ? at + 1 : 0;
	const size_t end = back ? at : n;
	*ret_n = end - *ret_from > limit ? limit : end - *ret_from;
	return true;
}

void balancer_list(struct call *c, const struct balancer_resource *r, const char *parent_key,
	const char *parent)
{
	VEC(struct object *) found = {0};
	struct order order = {0};
	size_t limit, from, n;

	if (!read_limit(c, &limit) || !read_order(c, r, &order) || !filters_good(c, r))
		return;
	OBJECT_EACH (c->sim, r->kind, o)
		if (!strcmp(o->project, c->project) && object_listed(o) && fits(c, o) &&
			(!parent || !strcmp(object_str(o, parent_key), parent)))
			vec_push(&found, o);
	if (order.n) /* else as they were made */
		order_sort(&order, found.p, found.n);
	if (page(c, found.p, found.n, limit, &from, &n))
		answer(c, r, found.p + from, n, limit);
	vec_fini(&found);
}
