/*
 * network_list.c - neutron's lists: filters (an unknown one is refused), sorting, fields, paging
 * with links in both directions.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/list.h"
#include "sim/network.h"
#include "sim/state.h"

#define LIST_MAX 1000 /* a page is never longer; neutron's own limit is the operator's */

static const char *const controls[] = {
	"fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"};
static const char *const common[] = {"id", "project_id", "tenant_id", "description",
	"revision_number", "created_at", "updated_at", "changed_since"};
static const char *const tag_filters[] = {"tags", "tags-any", "not-tags", "not-tags-any"};

static bool among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

static bool is_control(const char *name)
{
	return among(name, controls, array_len(controls));
}

static bool is_filter(const struct resource *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->attrs[i].name, name))
			return r->attrs[i].flags & ATTR_FILTER;
	return among(name, common, array_len(common)) ||
	       (r->tags && among(name, tag_filters, array_len(tag_filters)));
}

static bool filters_known(struct call *c, const struct resource *r)
{
	struct buf unknown = BUF(4096);

	VEC_EACH (&c->arguments, struct pair, p)
		if (!is_control(p->name) && !is_filter(r, p->name))
			buf_printf(&unknown, "%s'%s'", unknown.n ? ", " : "", p->name);
	bool good = unknown.n == 0;
	if (!good)
		call_fail(c, 400, "HTTPBadRequest", "[%s] is invalid attribute for filtering",
			buf_str(&unknown));
	buf_fini(&unknown);
	return good;
}

/* --- matching --------------------------------------------------------------------------------- */

static bool same_bool(const char *text, bool b)
{
	return !strcasecmp(text, b ? "true" : "false") || !strcmp(text, b ? "1" : "0");
}

/* fixed_ips=subnet_id=ID, ip_address=A, ip_address_substr=PART */
static bool fits_fixed(const json_t *list, const char *wanted)
{
	const char *eq = strchr(wanted, '=');
	size_t i;
	json_t *ip;

	if (!eq)
		return false;
	struct slice key = slice_from(wanted, (size_t)(eq - wanted));
	json_array_foreach (list, i, ip) {
		const char *address = json_str(ip, "ip_address");
		if ((slice_is(key, "subnet_id") && !strcmp(json_str(ip, "subnet_id"), eq + 1)) ||
			(slice_is(key, "ip_address") && !strcmp(address, eq + 1)) ||
			(slice_is(key, "ip_address_substr") && strstr(address, eq + 1)))
			return true;
	}
	return false;
}

static bool fits_value(const char *name, const json_t *v, const char *wanted)
{
	size_t i;
	json_t *item;

	if (!strcmp(name, "fixed_ips"))
		return fits_fixed(v, wanted);
	if (json_is_string(v))
		return !strcmp(json_string_value(v), wanted);
	if (json_is_boolean(v))
		return same_bool(wanted, json_is_true(v));
	if (json_is_integer(v))
		return json_integer_value(v) == strtoll(wanted, NULL, 10);
	json_array_foreach (v, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), wanted))
			return true;
	return (!v || json_is_null(v)) && !*wanted;
}

/* tags: all of them; tags-any: one of them; not-…: the contrary */
static bool fits_tags(const json_t *view, const char *name, const char *wanted)
{
	struct slice rest = slice_of(wanted), tag;
	bool all = true, any = false;

	while (slice_next(&rest, ',', &tag)) {
		bool has = json_has_text(json_object_get(view, "tags"), tag);
		all = all && has;
		any = any || has;
	}
	bool fits = slice_ends(slice_of(name), "any") ? any : all;
	return strncmp(name, "not-", 4) ? fits : !fits;
}

/* Several values of one name: any of them will do. */
static bool fits_name(const struct call *c, const json_t *view, const char *name)
{
	VEC_EACH (&c->arguments, struct pair, p)
		if (!strcmp(p->name, name) &&
			fits_value(name, json_object_get(view, name), p->value))
			return true;
	return false;
}

static bool fits(const struct call *c, const json_t *view)
{
	VEC_EACH (&c->arguments, struct pair, p) {
		if (is_control(p->name))
			continue;
		if (among(p->name, tag_filters, array_len(tag_filters))) {
			if (!fits_tags(view, p->name, p->value))
				return false;
		} else if (!fits_name(c, view, p->name)) {
			return false;
		}
	}
	return true;
}

/* --- sorting and paging ------------------------------------------------------------------------
 */

static struct {
	const char *key;
	int sign;
} order; /* qsort has no argument; the loop's thread alone is here */

static int compare(const void *a, const void *b)
{
	const json_t *x = json_object_get(*(json_t *const *)a, order.key);
	const json_t *y = json_object_get(*(json_t *const *)b, order.key);

	if (json_is_integer(x) && json_is_integer(y)) {
		json_int_t p = json_integer_value(x), q = json_integer_value(y);
		return order.sign * ((p > q) - (p < q));
	}
	return order.sign * strcmp(json_is_string(x) ? json_string_value(x) : "",
				    json_is_string(y) ? json_string_value(y) : "");
}

static bool order_good(struct call *c)
{
	if (!call_query(c, "sort_key") == !call_query(c, "sort_dir"))
		return true;
	call_fail(c, 400, "HTTPBadRequest", "The number of sort_keys and sort_dirs must be same");
	return false;
}

static void sort(const struct call *c, json_t **p, size_t n, bool paged)
{
	const char *dir = call_query(c, "sort_dir");

	order.key = call_query(c, "sort_key");
	order.sign = dir && !strcmp(dir, "desc") ? -1 : 1;
	/* pages need a total order: neutron sorts by id then */
	if (!order.key && paged)
		order.key = "id";
	if (order.key && n)
		qsort(p, n, sizeof(*p), compare);
}

static void add_link(struct call *c, json_t *links, const char *rel, const char *marker)
{
	struct buf url = BUF(BUF_LINE);

	buf_printf(&url, "%s/network%s", call_url(c), c->path);
	list_link(c, marker, "page_reverse", &url);
	if (!strcmp(rel, "previous"))
		buf_add_str(&url, "&page_reverse=True");
	json_array_append_new(links, json_pack("{s:s, s:s}", "rel", rel, "href", buf_str(&url)));
	buf_fini(&url);
}

struct page {
	json_t **p; /* all that fit, sorted */
	size_t n, size, from, to;
	bool paged, reverse;
};

static bool cut(struct call *c, const struct resource *r, struct page *page)
{
	const char *limit = call_query(c, "limit"), *marker = call_query(c, "marker");
	const char *reverse = call_query(c, "page_reverse");
	int64_t asked = 0;
	size_t at = 0, size;

	if (limit && (!units_parse_int(slice_of(limit), &asked) || asked < 0)) {
		call_fail(c, 400, "BadRequest",
			"Bad limit request: Limit must be an integer 0 or greater and not '%s'.",
			limit);
		return false;
	}
	size = (size_t)asked;
	page->paged = size > 0;
	page->reverse = reverse && same_bool(reverse, true);
	if (size == 0 || size > LIST_MAX)
		size = page->paged ? LIST_MAX : page->n;
	if (marker) {
		while (at < page->n && strcmp(json_str(page->p[at], "id"), marker))
			at++;
		if (at == page->n) {
			network_missing(c, r, marker);
			return false;
		}
	}
	page->size = size;
	if (page->reverse) {
		page->to = marker ? at : page->n;
		page->from = page->to > size ? page->to - size : 0;
	} else {
		page->from = marker ? at + 1 : 0;
		page->to = page->n - page->from > size ? page->from + size : page->n;
	}
	return true;
}

static void answer(struct call *c, const struct resource *r, struct page *page)
{
	json_t *list = json_array(), *links = json_array(), *out = json_object();
	char name[64];

	for (size_t i = page->from; i < page->to; i++)
		json_array_append_new(list, list_fields(c, json_incref(page->p[i])));
	if (page->paged && page->to > page->from) {
		/* neutron does not look whether anything follows a full page */
		if (page->to - page->from == page->size)
			add_link(c, links, "next", json_str(page->p[page->to - 1], "id"));
		if (call_query(c, "marker") && page->from > 0)
			add_link(c, links, "previous", json_str(page->p[page->from], "id"));
	}
	snprintf(name, sizeof(name), "%ss", r->name);
	json_object_set_new(out, name, list);
	if (json_array_size(links) > 0) {
		snprintf(name, sizeof(name), "%ss_links", r->name);
		json_object_set(out, name, links);
	}
	json_decref(links);
	call_json(c, 200, out);
}

void network_list(struct call *c, const struct resource *r)
{
	VEC(json_t *) views = {0};

	if (!filters_known(c, r) || !order_good(c))
		return;
	if (r->kind == KIND_GROUP) /* looking makes the default group */
		group_default(c->sim, c->project);
	OBJECT_EACH (c->sim, r->kind, o) {
		if (!network_visible(c, o) || !object_listed(o))
			continue;
		json_t *view = network_view(c->sim, r, o);
		if (fits(c, view))
			vec_push(&views, view);
		else
			json_decref(view);
	}
	struct page page = {.p = views.p, .n = views.n};
	sort(c, views.p, views.n, call_query(c, "limit") != NULL);
	if (cut(c, r, &page))
		answer(c, r, &page);
	VEC_EACH (&views, json_t *, v)
		json_decref(*v);
	vec_fini(&views);
}
