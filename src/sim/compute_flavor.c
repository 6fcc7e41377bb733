/*
 * compute_flavor.c - the flavors: those of the lab, the same for everybody.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute.h"
#include "sim/state.h"

void compute_seed(struct sim *s)
{
	static const struct {
		const char *name;
		int ram, disk, vcpus;
	} flavors[] = {{"SCS-1L-1", 1024, 5, 1}, {"SCS-1L-1-5", 1024, 5, 1},
		{"SCS-1V-2", 2048, 5, 1}, {"SCS-2V-4", 4096, 10, 2}, {"lab.small", 512, 2, 1},
		{"lab.tiny", 256, 1, 1}};

	for (size_t i = 0; i < array_len(flavors); i++) {
		struct object *o = object_new(s, KIND_FLAVOR, NULL, NULL, NULL);
		o->made_by = MADE_BY_SEED;
		object_set_str(o, "id", o->id);
		object_set_str(o, "name", flavors[i].name);
		object_set(o, "ram", json_integer(flavors[i].ram));
		object_set(o, "disk", json_integer(flavors[i].disk));
		object_set(o, "vcpus", json_integer(flavors[i].vcpus));
	}
}

struct object *flavor_find(struct sim *s, const char *id)
{
	return object_get(s, KIND_FLAVOR, id);
}

static json_t *view(struct call *c, const struct object *o, bool detail)
{
	json_t *v = json_object(), *links = compute_links(c, "flavors", o->id, true);

	json_object_set_new(v, "id", json_string(o->id));
	json_object_set(v, "name", json_object_get(o->doc, "name"));
	if (detail) {
		json_object_set(v, "ram", json_object_get(o->doc, "ram"));
		json_object_set(v, "disk", json_object_get(o->doc, "disk"));
		json_object_set_new(v, "swap", since(c, 75) ? json_integer(0) : json_string(""));
		json_object_set_new(v, "OS-FLV-EXT-DATA:ephemeral", json_integer(0));
		json_object_set_new(v, "OS-FLV-DISABLED:disabled", json_false());
		json_object_set(v, "vcpus", json_object_get(o->doc, "vcpus"));
		json_object_set_new(v, "os-flavor-access:is_public", json_true());
		json_object_set_new(v, "rxtx_factor", json_real(1));
	}
	json_object_set_new(v, "links", links);
	if (since(c, 55))
		json_object_set_new(v, "description", json_null());
	if (detail && since(c, 61))
		json_object_set_new(v, "extra_specs", json_object());
	return v;
}

static bool at_least(struct call *c, const struct object *o, const char *query, const char *key)
{
	const char *text = call_query(c, query);

	return !text || json_int(o->doc, key, 0) >= strtoll(text, NULL, 10);
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct object *const *)a)->id, (*(struct object *const *)b)->id);
}

static void list(struct call *c, bool detail)
{
	struct object_list l = {0};
	json_t *views = json_array(), *answer = json_pack("{s:o}", "flavors", views);

	OBJECT_EACH (c->sim, KIND_FLAVOR, o)
		if (at_least(c, o, "minRam", "ram") && at_least(c, o, "minDisk", "disk"))
			vec_push(&l, o);
	if (l.n)
		qsort(l.p, l.n, sizeof(*l.p), by_id);
	if (page_cut(c, &l, NULL)) {
		for (size_t i = 0; i < l.n; i++)
			json_array_append_new(views, view(c, l.p[i], detail));
		page_links(c, &l, NULL, answer, "flavors_links");
		call_json(c, 200, json_incref(answer));
	}
	json_decref(answer);
	vec_fini(&l);
}

void flavors_list(struct call *c)
{
	list(c, false);
}

void flavors_detail(struct call *c)
{
	list(c, true);
}

static struct object *find(struct call *c)
{
	struct object *o = flavor_find(c->sim, c->params[0]);

	if (!o)
		call_fail(c, 404, NULL, "Flavor %s could not be found.", c->params[0]);
	return o;
}

void flavors_show(struct call *c)
{
	const struct object *o = find(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "flavor", view(c, o, true)));
}

void flavors_specs(struct call *c)
{
	if (find(c))
		call_json(c, 200, json_pack("{s:{}}", "extra_specs"));
}
