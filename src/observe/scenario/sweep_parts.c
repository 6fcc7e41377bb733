/*
 * sweep_parts.c - what hangs on an object of ours, and is ours by that: interfaces and routes of
 * routers, what lies in containers, the servers of a batch.
 */

#include <stdio.h>
#include <string.h>

#include "net/url.h"
#include "observe/scenario/sweeper.h"

#define LIST_NS   (60 * NS_PER_S)
#define LOOKS_MAX 20

/* --- routers ---------------------------------------------------------------------------------- */

/* The routes of a router of ours hold its interfaces. */
void sweep_take_routes(struct sweep *s, const struct found *router, const json_t *routes)
{
	const struct kind *k = kind_find(s->kinds, SLICE("router_route"));
	json_t *route;
	size_t i;
	json_array_foreach (routes, i, route) {
		json_t *path = json_deep_copy(route);
		json_object_set_new(path, "router", json_string(router->id));
		struct found *f = sweep_add(s, k, router->id, path, "parent is ours");
		f->run = mem_strdup(router->run);
		s->report.found++;
	}
}

static void on_interfaces(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct listing *l = arg;
	struct sweep *s = l->sweep;
	const struct kind *k = kind_find(s->kinds, SLICE("router_interface"));
	json_t *port;
	size_t i;
	s->listing[l->at] = NULL;
	json_array_foreach (items, i, port) {
		const char *owner = json_str(port, "device_owner"),
			   *router = json_str(port, "device_id");
		const char *subnet = json_str(
			json_array_get(json_object_get(port, "fixed_ips"), 0), "subnet_id");
		char *key = router ? mem_printf("router/%s", router) : NULL;
		struct found *parent = key ? map_get(&s->known, key) : NULL;
		free(key);
		if (!owner || !subnet || !parent || (void *)parent == (void *)s ||
			strncmp(owner, "network:router_interface", 24) != 0 ||
			parent->state == FOUND_OVER)
			continue;
		struct found *f = sweep_add(s, k, json_str(port, "id"),
			json_pack("{s:s, s:s, s:s}", "id", json_str(port, "id"), "router", router,
				"subnet_id", subnet),
			"parent is ours");
		if (f) {
			f->run = mem_strdup(parent->run);
			s->report.found++;
		}
	}
	sweep_list_over(s, a, k->service, "router interfaces");
	free(l);
}

/* --- containers ------------------------------------------------------------------------------- */

static void on_contents(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct listing *l = arg;
	struct sweep *s = l->sweep;
	json_t *item;
	size_t i;
	s->listing[l->at] = NULL;
	json_array_foreach (items, i, item) {
		const char *name = json_str(item, "name");
		struct found *f = name ? sweep_add(s, l->kind, name,
						 json_pack("{s:s, s:s}", "id", name, "container",
							 l->parent->id),
						 "parent is ours")
				       : NULL;
		if (!f)
			continue;
		f->run = mem_strdup(l->parent->run);
		s->report.found++;
	}
	/* a container that went meanwhile, or before the kill, holds nothing */
	const struct cloud_answer nothing = {.status = 200};
	sweep_list_over(s, a->status == 404 ? &nothing : a, l->kind->service,
		"the contents of a container");
	free(l);
}

static void list_contents(struct sweep *s, const struct found *container)
{
	const struct kind *k = kind_find(s->kinds, SLICE("object"));
	json_t *path = json_pack("{s:s}", "container", container->id);
	struct kind_request q = {0};
	if (k && kind_object_request(k, k->list, path, &q, NULL))
		sweep_list(s, k, q.path, k->collection, container, on_contents);
	kind_request_fini(&q);
	json_decref(path);
}

bool sweep_list_parts(struct sweep *s)
{
	const unsigned before = s->lists;
	const size_t n = s->found.n;
	bool routers = false;
	for (size_t i = 0; i < n; i++) {
		const struct found *f = s->found.p[i];
		routers = routers || !strcmp(f->kind->name, "router");
		if (!strcmp(f->kind->name, "container") && f->id && f->state != FOUND_OVER)
			list_contents(s, f);
	}
	if (routers)
		sweep_list(s, kind_find(s->kinds, SLICE("port")),
			"/ports?device_owner=network%3Arouter_interface", "ports", NULL,
			on_interfaces);
	return s->lists > before;
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Each server of a batch is found by itself; true when there is any. */
static bool take_servers(struct found *batch, json_t *items, bool *ret_new)
{
	struct sweep *s = batch->sweep;
	const struct kind *k = kind_find(s->kinds, SLICE("server"));
	json_t *item;
	size_t i;
	bool any = false;
	*ret_new = false;
	json_array_foreach (items, i, item) {
		const char *id = json_str(item, "id");
		if (!id || !kind_is(batch->kind, item, batch->name, batch->mark))
			continue;
		any = true;
		struct found *f =
			sweep_add(s, k, id, json_pack("{s:s}", "id", id), "its batch is ours");
		if (!f)
			continue;
		*ret_new = true;
		f->name = mem_strdup(json_str(item, "name"));
		f->run = mem_strdup(batch->run);
		s->report.found++;
	}
	return any;
}

static void on_batch(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct found *f = arg;
	bool is_new = false;
	f->call = NULL;
	if (a->fault != FAULT_NONE) {
		sweep_could_not_look(f, a);
	} else if (take_servers(f, items, &is_new)) {
		f->asked = true;
		f->seen = true;
		if (is_new || f->tries++ < LOOKS_MAX) {
			f->state = FOUND_WAITING; /* after its servers, by its rank */
			sweep_kick(f->sweep);
		} else {
			sweep_give_up(f, OBJECT_CREATED, "servers of it are still there");
		}
	} else if (f->seen || f->fate == OBJECT_CREATED) {
		sweep_is_gone(f);
	} else {
		sweep_not_there(f);
	}
}

void sweep_look_batch(struct found *f)
{
	const char *reservation = json_str(f->path, "reservation_id");
	const char *all = strchr(f->kind->list, ' ') + 1;
	struct kind_request q = {0};
	f->state = FOUND_BUSY;
	f->timer.arg = f;
	if (reservation)
		q.path = mem_printf("%s?reservation_id=%s", all, reservation);
	else if (!kind_find_request(f->kind, f->path, f->name, f->mark, &q))
		q.path = mem_strdup(all);
	f->call = cloud_list(f->sweep->cloud, f->kind->service, q.path, f->kind->collection,
		f->kind->version, LIST_NS, on_batch, f);
	kind_request_fini(&q);
}
