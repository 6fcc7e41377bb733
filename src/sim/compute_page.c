/*
 * compute_page.c - pages of nova's lists: limit, marker, and the link to the next page.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute.h"
#include "sim/list.h"
#include "sim/state.h"

#define PAGE_MAX 1000

static const char *key_of(const struct object *o, const char *key)
{
	return key ? object_str(o, key) : o->id;
}

/* 0: no limit was asked for; false when it has answered. */
static bool read_limit(struct call *c, size_t *ret)
{
	const char *text = call_query(c, "limit");

	*ret = 0;
	if (!text)
		return true;
	if (text[strspn(text, "0123456789")] || !*text) {
		call_fail(c, 400, NULL,
			"Invalid input for query parameters limit. Value: %s. '%s' does not match "
			"'^[0-9]*$'",
			text, text);
		return false;
	}
	*ret = strtoul(text, NULL, 10);
	return true;
}

bool page_cut(struct call *c, struct object_list *l, const char *key)
{
	const char *marker = call_query(c, "marker");
	size_t limit, from = 0;

	if (!read_limit(c, &limit))
		return false;
	if (marker) {
		while (from < l->n && strcmp(key_of(l->p[from], key), marker))
			from++;
		if (from == l->n) {
			call_fail(c, 400, NULL,
				key ? "Marker %s could not be found." : "marker [%s] not found",
				marker);
			return false;
		}
		from++;
		memmove(l->p, l->p + from, (l->n - from) * sizeof(*l->p));
		l->n -= from;
	}
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	if (l->n > limit)
		l->n = limit;
	return true;
}

void page_links(struct call *c, const struct object_list *l, const char *key, json_t *answer,
	const char *name)
{
	const char *text = call_query(c, "limit");
	const size_t limit = text ? strtoul(text, NULL, 10) : 0;
	struct buf url = BUF(BUF_LINE);

	/* a full page links on even if nothing follows: nova does not look */
	if (l->n == 0 || l->n != (limit ? limit : PAGE_MAX))
		return;
	buf_printf(&url, "%s/compute%s", call_url(c), c->path);
	list_link(c, key_of(l->p[l->n - 1], key), NULL, &url);
	json_object_set_new(
		answer, name, json_pack("[{s:s, s:s}]", "rel", "next", "href", buf_str(&url)));
	buf_fini(&url);
}
