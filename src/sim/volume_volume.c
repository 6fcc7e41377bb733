/*
 * volume_volume.c - volumes: the document, POST and DELETE, the summary.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/image.h"
#include "sim/state.h"
#include "sim/volume.h"

static const struct volume_key keys[] = {
	{"id", 0, KEY_BRIEF},
	{"status"},
	{"size"},
	{"availability_zone"},
	{"created_at"},
	{"updated_at"},
	{"name", 0, KEY_BRIEF},
	{"description"},
	{"volume_type"},
	{"snapshot_id"},
	{"source_volid"},
	{"metadata"},
	{"links", 0, KEY_BRIEF},
	{"user_id"},
	{"bootable"},
	{"encrypted"},
	{"replication_status"},
	{"consistencygroup_id"},
	{"multiattach"},
	{"attachments"},
	{"group_id", 13},
	{"shared_targets", 48},
	{"service_uuid", 48},
	{"volume_type_id", 63},
	{"consumes_quota", 65},
	{"os-vol-tenant-attr:tenant_id", 0, KEY_WHOLE},
	{"volume_image_metadata", 0, KEY_WHOLE},
};

static const struct volume_field create_fields[] = {
	{"name", FIELD_NAME},
	{"description", FIELD_NAME},
	{"display_name", FIELD_NAME},
	{"display_description", FIELD_NAME},
	{"volume_type", FIELD_NAME},
	{"metadata", FIELD_META},
	{"snapshot_id", FIELD_UUID_OR_NULL},
	{"source_volid", FIELD_UUID_OR_NULL},
	{"consistencygroup_id", FIELD_UUID_OR_NULL},
	{"size", FIELD_SIZE_OR_NULL},
	{"availability_zone", FIELD_NAME},
	{"multiattach", FIELD_ANY},
	{"image_id", FIELD_NAME},
	{"imageRef", FIELD_NAME},
	{"group_id", FIELD_NAME, false, 13},
};

static const struct volume_field change_fields[] = {
	{"name", FIELD_NAME},
	{"description", FIELD_NAME},
	{"display_name", FIELD_NAME},
	{"display_description", FIELD_NAME},
	{"metadata", FIELD_META},
};

#define STRICT 53 /* since which microversion unknown members are refused */

/* --- POST --------------------------------------------------------------------------------------
 */

struct source { /* what the volume is made from; each NULL or there */
	const struct object *image, *snapshot, *volume;
};

static const char *text_of(const json_t *in, const char *name, const char *old_name)
{
	const char *text = json_str(in, name);

	return text ? text : json_str(in, old_name);
}

static bool status_in(struct call *c, const struct object *o, const char *what, const char *kind,
	const char *allowed, const char *other)
{
	if (!o || !strcmp(volume_status(o), allowed) || (other && !strcmp(volume_status(o), other)))
		return true;
	call_fail(c, 400, NULL, "Invalid %s: Originating %s status must be one of '%s%s%s' values",
		kind, what, allowed, other ? ", " : "", other ? other : "");
	return false;
}

static bool find_source(struct call *c, const json_t *in, struct source *src)
{
	const char *image = text_of(in, "imageRef", "image_id");
	const char *snapshot = json_str(in, "snapshot_id"), *volume = json_str(in, "source_volid");

	if (snapshot && !(src->snapshot = volume_find(c, &snapshot_resource, snapshot)))
		return false;
	if (volume && !(src->volume = volume_find(c, &volume_resource, volume)))
		return false;
	if (image && *image && !(src->image = image_visible(c->sim, c->project, image))) {
		call_fail(c, 400, NULL,
			"Invalid image identifier or unable to access requested image.");
		return false;
	}
	if (!!src->image + !!src->snapshot + !!src->volume > 1) {
		call_fail(c, 400, NULL,
			"Invalid input received: The following options are mutually exclusive: "
			"%s%s%s. Please specify only one of them.",
			src->snapshot ? "snapshot" : "", src->image ? ", imageRef" : "",
			src->volume ? ", source_volume" : "");
		return false;
	}
	return status_in(c, src->snapshot, "snapshot", "snapshot", "available", NULL) &&
	       status_in(c, src->volume, "source volume", "volume", "available", "in-use");
}

static int64_t wanted_gib(const json_t *in)
{
	const json_t *size = json_object_get(in, "size");

	return json_is_string(size) ? strtoll(json_string_value(size), NULL, 10)
				    : json_integer_value(size);
}

/* The size asked for, or the source's; 0 after an answer. */
static int64_t find_size(struct call *c, const json_t *in, const struct source *src)
{
	const struct object *from = src->snapshot ? src->snapshot : src->volume;
	const int64_t least = from ? json_int(from->doc, "size", 0) : 0, gib = wanted_gib(in);

	if (gib == 0 && from)
		return least;
	if (gib <= 0)
		call_fail(c, 400, NULL,
			"The server could not comply with the request since it is either malformed "
			"or otherwise incorrect.");
	else if (src->snapshot && gib < least)
		call_fail(c, 400, NULL,
			"Invalid input received: Volume size '%lld'GB cannot be smaller than the "
			"snapshot size %lldGB. They must be >= original snapshot size.",
			(long long)gib, (long long)least);
	else if (src->volume && gib < least)
		call_fail(c, 400, NULL,
			"Invalid input received: Volume size '%lld'GB cannot be smaller than "
			"original volume size  %lldGB. They must be >= original volume size.",
			(long long)gib, (long long)least);
	else if (!src->image || volume_image_fits(c, src->image, gib))
		return gib;
	return 0;
}

/* *ret NULL: the default. A copy lies where its source lies. */
static bool find_zone(struct call *c, const json_t *in, const struct source *src, const char **ret)
{
	const struct object *from = src->volume;

	if (src->snapshot)
		from = object_get(c->sim, KIND_VOLUME, object_str(src->snapshot, "volume_id"));
	*ret = json_str(in, "availability_zone");
	if (!*ret) {
		*ret = from ? object_str(from, "availability_zone") : NULL;
		return true;
	}
	bool known = false;
	for (size_t i = 0; i < ZONE_COUNT; i++)
		known = known || !strcmp(*ret, sim_zones[i]);
	if (!known)
		call_fail(c, 400, NULL,
			"Invalid input received: Availability zone '%s' is invalid.", *ret);
	else if (from && strcmp(*ret, object_str(from, "availability_zone")))
		call_fail(c, 400, NULL,
			"Invalid input received: Volume must be in the same availability zone as "
			"the %s",
			src->snapshot ? "snapshot" : "source volume");
	return !call_answered(c);
}

static const char *source_type(const struct call *c, const struct source *src)
{
	const struct object *from = src->volume;

	if (src->snapshot)
		from = object_get(c->sim, KIND_VOLUME, object_str(src->snapshot, "volume_id"));
	return from ? object_str(from, "volume_type_id") : NULL;
}

static void create(struct call *c)
{
	json_t *in = volume_body(c, "volume", create_fields, array_len(create_fields), STRICT);
	const char *type = in ? json_str(in, "volume_type") : NULL;
	struct source src = {0};
	struct volume_plan plan = {.project = c->project,
		.user = c->user,
		.by = MADE_BY_API,
		.stuck = call_hit(c, MISHAP_STUCK),
		.error = call_hit(c, MISHAP_ERROR)};

	if (!in || (type && *type && !volume_type_find(c, type)) || !find_source(c, in, &src) ||
		!(plan.gib = find_size(c, in, &src)) || !find_zone(c, in, &src, &plan.zone) ||
		!volume_quota(c, plan.gib))
		return;
	plan.name = text_of(in, "name", "display_name");
	plan.type = type && *type ? type : source_type(c, &src);
	plan.image = src.image ? src.image->id : NULL;
	plan.snapshot = src.snapshot ? src.snapshot->id : NULL;
	plan.volume = src.volume ? src.volume->id : NULL;
	struct object *v = volume_make(c->sim, &plan);
	const json_t *metadata = json_object_get(in, "metadata");
	object_set_str(v, "description", text_of(in, "description", "display_description"));
	if (json_is_object(metadata))
		object_set(v, "metadata", json_deep_copy(metadata));
	rule_created(c, v);
	call_json(c, 202,
		json_pack("{s:o}", "volume", volume_view(c, &volume_resource, v, EXTENT_ANSWER)));
}

/* --- DELETE ------------------------------------------------------------------------------------
 */

static bool deletable(const struct object *v, bool cascade)
{
	static const char *const states[] = {
		"available", "error", "error_restoring", "error_extending", "error_managing"};
	bool fits = false;

	for (size_t i = 0; i < array_len(states); i++)
		fits = fits || !strcmp(volume_status(v), states[i]);
	return fits && json_array_size(json_object_get(v->doc, "attachments")) == 0 &&
	       (cascade || !volume_has_snapshots(v));
}

static void remove_volume(struct call *c, struct object *v)
{
	const char *text = call_query(c, "cascade");
	const bool cascade = text && !strcasecmp(text, "true");

	if (!deletable(v, cascade)) {
		call_fail(c, 400, NULL,
			"Invalid volume: Volume status must be available or error or "
			"error_restoring or error_extending or error_managing and must not be "
			"migrating, attached, belong to a group, have snapshots, awaiting a "
			"transfer, or be disassociated from snapshots after volume transfer.");
		return;
	}
	rule_changed(c, v, true);
	v->stuck = call_hit(c, MISHAP_STUCK);
	volume_begin_delete(v, cascade, call_hit(c, MISHAP_ERROR));
	call_empty(c, 202);
}

void volume_summary(struct call *c)
{
	json_t *metadata = json_object(), *all, *value;
	int64_t count = 0, size = 0;
	const char *key;

	OBJECT_EACH (c->sim, KIND_VOLUME, v) {
		if (strcmp(v->project, c->project))
			continue;
		count++;
		size += json_int(v->doc, "size", 0);
		json_object_foreach (json_object_get(v->doc, "metadata"), key, value) {
			if (!(all = json_object_get(metadata, key)))
				json_object_set_new(metadata, key, all = json_array());
			json_array_append(all, value);
		}
	}
	json_t *out = json_pack(
		"{s:I, s:I}", "total_count", (json_int_t)count, "total_size", (json_int_t)size);
	if (c->version >= 36)
		json_object_set(out, "metadata", metadata);
	json_decref(metadata);
	call_json(c, 200, json_pack("{s:o}", "volume-summary", out));
}

const struct volume_resource volume_resource = {
	.kind = KIND_VOLUME,
	.name = "volume",
	.collection = "volumes",
	.title = "Volume",
	.keys = keys,
	.n = array_len(keys),
	.filters =
		"name status metadata bootable migration_status availability_zone group_id size "
		"created_at updated_at consumes_quota",
	.changes = change_fields,
	.change_n = array_len(change_fields),
	.change_needs_one = true,
	.create = create,
	.remove = remove_volume,
};
