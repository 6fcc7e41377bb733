/*
 * compute_create.c - POST /servers: what nova checks before it answers. What is accepted may still
 * fail later (compute_build.c).
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/image.h"
#include "sim/network.h"
#include "sim/state.h"
#include "sim/volume.h"

#define GIB (1ll << 30)

/* --- checks ---------------------------------------------------------------------------------- */

static bool refuse(struct call *c, const char *message)
{
	call_fail(c, 400, NULL, "%s", message);
	return false;
}

/* The last part of what may be a link. */
static const char *id_of_ref(const json_t *in, const char *key, char *text, size_t size)
{
	const json_t *v = json_object_get(in, key);
	const char *ref = json_string_value(v), *slash = ref ? strrchr(ref, '/') : NULL;

	if (json_is_integer(v))
		snprintf(text, size, "%lld", (long long)json_integer_value(v));
	else
		snprintf(text, size, "%s", slash ? slash + 1 : ref ? ref : "");
	return text;
}

static bool check_zone(struct call *c, struct creation *n)
{
	const char *zone = json_str(n->in, "availability_zone");

	if (!zone)
		return true;
	if (strchr(zone, ':')) {
		compute_forbid(c, "servers:create:forced_host");
		return false;
	}
	if (json_str(n->in, "host") || json_str(n->in, "hypervisor_hostname")) {
		compute_forbid(c, "compute:servers:create:requested_destination");
		return false;
	}
	for (size_t i = 0; i < ZONE_COUNT; i++)
		if (!strcmp(sim_zones[i], zone)) {
			snprintf(n->sketch.want_zone, sizeof(n->sketch.want_zone), "%s", zone);
			return true;
		}
	return refuse(c, "The requested availability zone is not available");
}

static bool check_flavor(struct call *c, struct creation *n)
{
	char id[ID_TEXT];

	n->flavor = flavor_find(c->sim, id_of_ref(n->in, "flavorRef", id, sizeof(id)));
	if (n->flavor)
		return true;
	call_fail(c, 400, NULL, "Flavor %s could not be found.", id);
	return false;
}

static bool check_image(struct call *c, struct creation *n)
{
	const char *ref = json_str(n->in, "imageRef");

	if (!ref || !*ref) {
		const char *const lists[] = {"block_device_mapping_v2", "block_device_mapping"};
		for (size_t i = 0; i < array_len(lists); i++)
			if (json_array_size(json_object_get(n->in, lists[i])) > 0)
				return true;
		return refuse(c, "Missing imageRef attribute");
	}
	n->image = image_visible(c->sim, c->project, ref);
	if (!n->image)
		return refuse(c, "Can not find requested image");
	if (strcmp(object_str(n->image, "status"), "active")) {
		call_fail(c, 400, NULL, "Image %s is not active.", ref);
		return false;
	}
	return true;
}

/* Whether the image fits into the flavor; a volume of its own has another size. */
static bool check_size(struct call *c, const struct creation *n)
{
	const int64_t disk = json_int(n->flavor->doc, "disk", 0) * GIB;
	bool local = n->image != NULL;

	VEC_EACH (&n->sketch.disks, struct server_disk, d)
		local = local && !d->boot;
	if (!n->image)
		return true;
	if (json_int(n->image->doc, "min_ram", 0) > json_int(n->flavor->doc, "ram", 0))
		return refuse(c, "Flavor's memory is too small for requested image.");
	if (!local)
		return true;
	const int64_t size = json_int(n->image->doc, "size", 0);
	const int64_t min_disk = json_int(n->image->doc, "min_disk", 0) * GIB;
	if (size > disk)
		call_fail(c, 400, NULL,
			"Flavor's disk is too small for requested image. Flavor disk is %lld bytes, "
			"image is %lld bytes.",
			(long long)disk, (long long)size);
	else if (min_disk > disk)
		call_fail(c, 400, NULL,
			"Flavor's disk is smaller than the minimum size specified in image metadata. "
			"Flavor disk is %lld bytes, minimum size is %lld bytes.",
			(long long)disk, (long long)min_disk);
	return !call_answered(c);
}

static bool check_keypair(struct call *c, struct creation *n)
{
	const char *name = json_str(n->in, "key_name");

	if (!name)
		return true;
	n->keypair = keypair_find(c->sim, c->user, name);
	return n->keypair || refuse(c, "Invalid key_name provided.");
}

static bool check_group(struct call *c, struct creation *n)
{
	const json_t *hints = json_object_get(c->body, "os:scheduler_hints");
	const char *id;

	if (!hints)
		hints = json_object_get(c->body, "OS-SCH-HNT:scheduler_hints");
	if (!(id = json_str(hints, "group")))
		return true;
	const struct object *g = object_get(c->sim, KIND_SERVER_GROUP, id);
	if (!g || strcmp(g->project, c->project)) {
		call_fail(c, 400, NULL, "Instance group %s could not be found.", id);
		return false;
	}
	int64_t fellows = 0;
	OBJECT_EACH (c->sim, KIND_SERVER, o)
		fellows += !strcmp(server_of(o)->group, id);
	if (c->sim->quota.server_group_members >= 0 &&
		fellows >= c->sim->quota.server_group_members) {
		call_fail(c, 403, NULL, "Quota exceeded, too many servers in group");
		return false;
	}
	n->group = g->id;
	return true;
}

const char *group_id_of(struct call *c, const char *name, int missing_status)
{
	const struct object *found = NULL;

	OBJECT_EACH (c->sim, KIND_GROUP, g) {
		if (strcmp(g->project, c->project) || strcmp(object_str(g, "name"), name))
			continue;
		if (found) {
			call_fail(c, 409, NULL,
				"Multiple security groups found matching '%s'. Use an ID to be more "
				"specific.",
				name);
			return NULL;
		}
		found = g;
	}
	if (!found && (found = object_get(c->sim, KIND_GROUP, name)) &&
		strcmp(found->project, c->project))
		found = NULL;
	if (found)
		return found->id;
	if (missing_status == 404)
		call_fail(c, 404, NULL, "Security group %s is not found for project %s", name,
			c->project);
	else
		call_fail(c, missing_status, NULL, "Security group %s not found.", name);
	return NULL;
}

bool create_check_groups(struct call *c, struct creation *n)
{
	json_t *g;
	size_t i;

	group_default(c->sim, c->project);
	n->sketch.group_ids = json_array();
	json_array_foreach (json_object_get(n->in, "security_groups"), i, g) {
		const char *name = json_str(g, "name");
		const char *id = name ? group_id_of(c, name, 400) : NULL;
		if (name && !id)
			return false;
		if (id)
			json_array_append_new(n->sketch.group_ids, json_string(id));
	}
	if (json_array_size(n->sketch.group_ids) == 0)
		json_array_append_new(
			n->sketch.group_ids, json_string(group_default(c->sim, c->project)->id));
	return true;
}

/* --- making it ------------------------------------------------------------------------------- */

static void server_free(struct object *o)
{
	struct server *s = o->more;

	timer_cancel(&s->boot);
	free(s->public_key);
	free(s->user_data);
	free(s->fault);
	json_decref(s->group_ids);
	buf_fini(&s->console);
	vec_fini(&s->nics);
	vec_fini(&s->disks);
	free(s);
}

/* A host name out of any name, as nova makes it (RFC 1123). */
static void host_name(const char *name, const char *id, char *text)
{
	size_t n = 0;

	for (const char *p = name; *p && n < 63; p++) {
		const unsigned char ch = (unsigned char)*p;
		if (isalnum(ch) || (n > 0 && strchr("-._ ", *p)))
			text[n++] = isalnum(ch) ? (char)tolower(ch) : '-';
	}
	while (n > 0 && text[n - 1] == '-')
		n--;
	text[n] = 0;
	if (n == 0)
		snprintf(text, 64, "server-%s", id);
}

static json_t *copy_of(const json_t *in, const char *key, json_t *otherwise)
{
	json_t *v = json_object_get(in, key);

	if (!v)
		return otherwise;
	json_decref(otherwise);
	return json_deep_copy(v);
}

static void fill_doc(struct call *c, struct object *o, const struct creation *n, const char *name)
{
	const json_t *in = n->in;
	char now[32], host[64];

	object_now(c->sim, now);
	host_name(name, o->id, host);
	object_set_str(o, "id", o->id);
	object_set_str(o, "name", name);
	object_set_str(o, "tenant_id", c->project);
	object_set_str(o, "user_id", c->user);
	object_set(o, "metadata", copy_of(in, "metadata", json_object()));
	object_set_str(o, "hostId", "");
	object_set_str(o, "created", now);
	object_set(o, "accessIPv4", copy_of(in, "accessIPv4", json_string("")));
	object_set(o, "accessIPv6", copy_of(in, "accessIPv6", json_string("")));
	object_set(o, "OS-DCF:diskConfig", copy_of(in, "OS-DCF:diskConfig", json_string("MANUAL")));
	object_set_str(o, "OS-EXT-AZ:availability_zone", "");
	object_set_str(o, "config_drive", body_flag(in, "config_drive") ? "True" : "");
	object_set(o, "key_name", copy_of(in, "key_name", json_null()));
	object_set(o, "OS-SRV-USG:launched_at", json_null());
	object_set(o, "OS-SRV-USG:terminated_at", json_null());
	object_set(o, "locked", json_false());
	object_set(o, "locked_reason", json_null());
	object_set(o, "description",
		since(c, 19) ? copy_of(in, "description", json_null()) : json_string(name));
	object_set(o, "tags", copy_of(in, "tags", json_array()));
	object_set(o, "trusted_image_certificates", json_null());
	object_set(o, "OS-EXT-SRV-ATTR:hostname", copy_of(in, "hostname", json_string(host)));
	server_set_power(o, POWER_NONE);
	server_set_state(o, "building", "scheduling");
}

/* What the faults that this request met do to it later. */
static void take_faults(struct call *c, struct object *o)
{
	struct server *s = server_of(o);
	const struct mishap *error = call_hit(c, MISHAP_ERROR);

	o->stuck = call_hit(c, MISHAP_STUCK) != NULL;
	if (error)
		s->fault = mem_strdup(error->text ? error->text : NO_VALID_HOST);
	if (call_hit(c, MISHAP_LEAK))
		VEC_EACH (&s->nics, struct server_nic, nic)
			nic->leak = nic->ours;
}

/* One server of a checked request; the sketch's lists are copied. */
static struct object *make(
	struct call *c, const struct creation *n, const char *name, const char *reservation)
{
	struct object *o = object_new(c->sim, KIND_SERVER, NULL, c->project, c->user);
	struct server *s = mem_new(struct server);

	o->more = s;
	o->free_more = server_free;
	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	s->up_ns = INT64_MAX;
	s->new_disk = true;
	s->console.max = BUF_PAGE;
	memcpy(s->want_zone, n->sketch.want_zone, sizeof(s->want_zone));
	snprintf(s->flavor, sizeof(s->flavor), "%s", n->flavor->id);
	snprintf(s->image, sizeof(s->image), "%s", n->image ? n->image->id : "");
	snprintf(s->group, sizeof(s->group), "%s", n->group ? n->group : "");
	snprintf(s->request, sizeof(s->request), "%s", c->request_id);
	s->public_key = n->keypair ? mem_strdup(object_str(n->keypair, "public_key")) : NULL;
	s->user_data = mem_strdup(json_str(n->in, "user_data"));
	s->group_ids = json_deep_copy(n->sketch.group_ids);
	VEC_EACH (&n->sketch.nics, struct server_nic, nic)
		vec_push(&s->nics, *nic);
	VEC_EACH (&n->sketch.disks, struct server_disk, d) {
		vec_push(&s->disks, *d);
		struct server_disk *mine = &s->disks.p[s->disks.n - 1];
		draw_uuid(&c->sim->draw, "attachment", mine->attachment);
		draw_uuid(&c->sim->draw, "bdm", mine->bdm);
		if (*mine->volume)
			volume_reserve(object_get(c->sim, KIND_VOLUME, mine->volume));
	}
	fill_doc(c, o, n, name);
	object_set_str(o, ".reservation_id", reservation);
	take_faults(c, o);
	event_action(o, c, "create");
	rule_created(c, o);
	return o;
}

static void answer(struct call *c, const struct creation *n, const struct object *o)
{
	static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const char *given = json_str(n->in, "adminPass");
	const json_t *groups = json_object_get(n->in, "security_groups");
	char password[13];

	for (size_t i = 0; i < sizeof(password) - 1; i++)
		password[i] = letters[random_below(
			draw_sequence(&c->sim->draw, "password"), sizeof(letters) - 1)];
	password[sizeof(password) - 1] = 0;
	call_header(c, "Location", "%s/compute/v2.1/servers/%s", call_url(c), o->id);
	call_json(c, 202,
		json_pack("{s:{s:s, s:o, s:O, s:o, s:s}}", "server", "id", o->id, "links",
			compute_links(c, "servers", o->id, true), "OS-DCF:diskConfig",
			json_object_get(o->doc, "OS-DCF:diskConfig"), "security_groups",
			groups ? json_deep_copy(groups) : json_pack("[{s:s}]", "name", "default"),
			"adminPass", given ? given : password));
}

static void make_all(struct call *c, const struct creation *n, int64_t count, int64_t max_count)
{
	const char *name = json_str(n->in, "name");
	char reservation[16];
	struct object *first = NULL;

	snprintf(reservation, sizeof(reservation), "r-%08llx",
		(unsigned long long)(random_u64(draw_sequence(&c->sim->draw, "reservation")) &
				     0xffffffff));
	for (int64_t i = 1; i <= count; i++) {
		char *own = max_count > 1 ? mem_printf("%s-%lld", name, (long long)i)
					  : mem_strdup(name);
		struct object *o = make(c, n, own, reservation);
		free(own);
		server_build(o);
		if (!first)
			first = o;
	}
	if (body_flag(n->in, "return_reservation_id"))
		call_json(c, 202, json_pack("{s:s}", "reservation_id", reservation));
	else
		answer(c, n, first);
}

static bool check_counts(struct call *c, const json_t *in, int64_t *ret_min, int64_t *ret_max)
{
	*ret_min = body_int(in, "min_count", 1);
	*ret_max = body_int(in, "max_count", *ret_min);
	return *ret_min <= *ret_max || refuse(c, "min_count must be <= max_count");
}

void servers_create(struct call *c)
{
	struct creation n = {.in = body_server(c)};
	int64_t min_count, max_count, count = 0;

	if (n.in && check_counts(c, n.in, &min_count, &max_count) && check_zone(c, &n) &&
		check_image(c, &n) && check_flavor(c, &n) && create_check_disks(c, &n) &&
		check_size(c, &n) && check_keypair(c, &n) && create_check_groups(c, &n) &&
		create_check_nics(c, &n, max_count) && check_group(c, &n))
		count = compute_quota(c, n.flavor, min_count, max_count);
	if (count > 0)
		make_all(c, &n, count, max_count);
	json_decref(n.sketch.group_ids);
	vec_fini(&n.sketch.nics);
	vec_fini(&n.sketch.disks);
}
