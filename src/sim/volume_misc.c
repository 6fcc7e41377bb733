/*
 * volume_misc.c - cinder's small requests: types, zones, filters, extensions.
 */

#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

#define DEFAULT_TYPE "files"

/* --- types -------------------------------------------------------------------------------------
 */

static void seed_type(struct sim *s, const char *name, const char *description)
{
	struct object *o = object_new(s, KIND_VOLUME_TYPE, NULL, NULL, NULL);

	o->made_by = MADE_BY_SEED;
	object_set_str(o, "id", o->id);
	object_set_str(o, "name", name);
	object_set(o, "is_public", json_true());
	object_set_str(o, "description", description);
	object_set(o, "extra_specs", json_object());
}

void volume_seed(struct sim *s)
{
	seed_type(s, DEFAULT_TYPE, NULL);
	seed_type(s, "__DEFAULT__", "Default Volume Type");
}

struct object *volume_type_of(struct sim *s, const char *name)
{
	if (!name)
		name = DEFAULT_TYPE;
	OBJECT_EACH (s, KIND_VOLUME_TYPE, o)
		if (!strcmp(o->id, name) || !strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

struct object *volume_type_find(struct call *c, const char *name)
{
	struct object *o = volume_type_of(c->sim, name);

	if (!o)
		call_fail(c, 404, NULL, "Volume type with name %s could not be found.", name);
	return o;
}

void volume_types(struct call *c)
{
	json_t *list = json_array();

	OBJECT_EACH (c->sim, KIND_VOLUME_TYPE, o) {
		json_t *view = json_copy(o->doc);
		json_object_set_new(view, "os-volume-type-access:is_public", json_true());
		json_array_append_new(list, view);
	}
	call_json(c, 200, json_pack("{s:o}", "volume_types", list));
}

/* By id only, as cinder does; "default" stands for the default. */
static const struct object *type_of_path(struct call *c)
{
	const char *id = c->params[1];
	const struct object *o = !strcmp(id, "default") ? volume_type_of(c->sim, NULL)
							: object_get(c->sim, KIND_VOLUME_TYPE, id);

	if (!o)
		call_fail(c, 404, NULL, "Volume type %s could not be found.", id);
	return o;
}

void volume_type_show(struct call *c)
{
	const struct object *o = type_of_path(c);

	if (o)
		call_json(c, 200, json_pack("{s:O}", "volume_type", o->doc));
}

void volume_type_specs(struct call *c)
{
	const struct object *o = type_of_path(c);

	if (o)
		call_json(c, 200,
			json_pack("{s:O}", "extra_specs", json_object_get(o->doc, "extra_specs")));
}

/* --- the rest ----------------------------------------------------------------------------------
 */

void volume_zones(struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ZONE_COUNT; i++)
		json_array_append_new(list, json_pack("{s:s, s:{s:b}}", "zoneName", sim_zones[i],
						    "zoneState", "available", 1));
	call_json(c, 200, json_pack("{s:o}", "availabilityZoneInfo", list));
}

void volume_filters(struct call *c)
{
	static const struct volume_resource *const rows[] = {
		&volume_resource, &backup_resource, &snapshot_resource};
	const char *only = call_query(c, "resource");
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(rows); i++) {
		struct slice rest = slice_of(rows[i]->filters), word;
		json_t *filters = json_array();
		while (slice_next(&rest, ' ', &word))
			json_array_append_new(filters, json_stringn(word.p, word.n));
		if (!only || !strcmp(only, rows[i]->name))
			json_array_append_new(list, json_pack("{s:s, s:O}", "resource",
							    rows[i]->name, "filters", filters));
		json_decref(filters);
	}
	call_json(c, 200, json_pack("{s:o}", "resource_filters", list));
}

void volume_extensions(struct call *c)
{
	static const struct {
		const char *name, *alias;
	} extensions[] = {
		{"AvailabilityZones", "os-availability-zone"},
		{"Backups", "backups"},
		{"Quotas", "os-quota-sets"},
		{"VolumeActions", "os-volume-actions"},
		{"VolumeTenantAttribute", "os-vol-tenant-attr"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(extensions); i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:[]}", "name", extensions[i].name, "alias",
				extensions[i].alias, "description", extensions[i].name, "updated",
				"2012-05-31T00:00:00+00:00", "links"));
	call_json(c, 200, json_pack("{s:o}", "extensions", list));
}
