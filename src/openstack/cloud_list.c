/*
 * cloud_list.c - a list over all its pages: each is a call of its own, so that a token that ends in
 * the middle is renewed in the middle.
 *
 * The next page is named by `<collection>_links` (nova, cinder, neutron: rel next), by `next`
 * (glance) or by `links.next` (keystone, designate); swift's lists are bare and asked on with the
 * last name as marker.
 */

#include <stdio.h>
#include <string.h>

#include "net/url.h"
#include "openstack/session.h"

#define ITEMS_MAX 100000
#define BYTES_MAX (64u << 20)

struct list {
	char *collection; /* NULL: the answer itself is the list */
	char *first;      /* then: the path of the first page */
	json_t *items;
	size_t bytes;
	char *last; /* the page before, to see that it goes on */
	cloud_list_done *done;
	void *arg;
};

/* A bare list goes on behind its last name. */
static char *after_last(const struct list *l, const char *path, const json_t *items)
{
	const char *name = json_str(json_array_get(items, json_array_size(items) - 1), "name");
	struct buf url = BUF(BUF_LINE);
	if (!name)
		return NULL;
	buf_add_str(&url, l->first ? l->first : path);
	url_add_query(&url, "marker", slice_of(name));
	return buf_take(&url);
}

static const char *next_page(const struct list *l, const json_t *page)
{
	char name[128];
	json_t *link;
	size_t i;
	snprintf(name, sizeof(name), "%s_links", l->collection);
	json_array_foreach (json_object_get(page, name), i, link) {
		const char *rel = json_str(link, "rel");
		if (rel && !strcmp(rel, "next"))
			return json_str(link, "href");
	}
	const char *next = json_str(page, "next");
	return next ? next : json_str(json_object_get(page, "links"), "next");
}

static void finish(struct list *l, const struct cloud_answer *a, enum fault fault, const char *why)
{
	struct cloud_answer last = *a;
	if (fault != FAULT_NONE) {
		last.fault = last.error.fault = fault;
		snprintf(last.error.message, sizeof(last.error.message), "%s", why);
	}
	l->done(l->arg, &last, l->items);
	json_decref(l->items);
	free(l->collection);
	free(l->last);
	free(l->first);
	free(l);
}

static bool follow(struct cloud_call *k, const struct cloud_answer *a, const char *next)
{
	struct list *l = k->list;
	if (!next || (l->last && !strcmp(l->last, next))) {
		finish(l, a, FAULT_NONE, "");
		return false;
	}
	if (json_array_size(l->items) > ITEMS_MAX || l->bytes > BYTES_MAX) {
		finish(l, a, FAULT_BODY_TOO_LARGE, "the list has more than 100000 items or 64 MiB");
		return false;
	}
	mem_replace(&l->last, next);
	mem_replace(&k->path, next);
	return true;
}

/* The same call goes round again, so that the caller's handle stays good for cloud_cancel(). */
bool list_goes_on(struct cloud_call *k, const struct cloud_answer *a)
{
	struct list *l = k->list;
	json_t *page_items = l->collection ? json_object_get(a->json, l->collection) : a->json;
	if (a->fault != FAULT_NONE) {
		finish(l, a, FAULT_NONE, "");
		return false;
	}
	if (!json_is_array(page_items)) {
		finish(l, a, FAULT_BODY, "the answer holds no such list");
		return false;
	}
	json_array_extend(l->items, page_items);
	l->bytes += a->body.n;
	const bool more = json_array_size(page_items) > 0;
	char *bare = more && !l->collection ? after_last(l, k->path, page_items) : NULL;
	const char *next = l->collection && more ? next_page(l, a->json) : bare;
	if (!l->first && bare)
		l->first = mem_strdup(k->path);
	const bool goes_on = follow(k, a, next);
	free(bare);
	return goes_on;
}

static void never(void *arg, const struct cloud_answer *a)
{
	mem_panic("a page of a list has no callback of its own");
}

struct cloud_call *cloud_list(struct cloud *c, const char *service, const char *path,
	const char *collection, const char *microversion, int64_t deadline_ns,
	cloud_list_done *done, void *arg)
{
	struct list *l = mem_new(struct list);
	l->collection = mem_strdup(collection);
	l->items = json_array();
	l->done = done;
	l->arg = arg;
	const struct cloud_request q = {.service = service,
		.method = "GET",
		.path = path,
		.microversion = microversion,
		.deadline_ns = deadline_ns};
	struct cloud_call *k = cloud_call(c, &q, never, NULL);
	k->list = l;
	return k;
}
