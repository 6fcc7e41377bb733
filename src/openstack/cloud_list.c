/*
 * cloud_list.c - a list over all its pages: each is a call of its own, so that a token that ends in
 * the middle is renewed in the middle.
 *
 * The next page is named by `<collection>_links` (nova, cinder, neutron: rel next), by `next`
 * (glance) or by `links.next` (keystone, designate).
 */

#include <stdio.h>
#include <string.h>

#include "openstack/session.h"

#define ITEMS_MAX 100000
#define BYTES_MAX (64u << 20)

struct list {
	char *collection;
	json_t *items;
	size_t bytes;
	char *last; /* the page before, to see that it goes on */
	cloud_list_done *done;
	void *arg;
};

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
	free(l);
}

/* The same call goes round again, so that the caller's handle stays good for cloud_cancel(). */
bool list_goes_on(struct cloud_call *k, const struct cloud_answer *a)
{
	struct list *l = k->list;
	json_t *page_items = json_object_get(a->json, l->collection);
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
	const char *next = json_array_size(page_items) ? next_page(l, a->json) : NULL;
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
