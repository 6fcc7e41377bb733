/*
 * compute_group.c - server groups, and where servers run: two hosts in each zone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/state.h"

#define HOSTS_PER_ZONE 2
#define HOST_COUNT     (ZONE_COUNT * HOSTS_PER_ZONE)

static json_t *members(struct sim *s, const struct object *group)
{
	json_t *list = json_array();

	OBJECT_EACH (s, KIND_SERVER, o)
		if (!strcmp(server_of(o)->group, group->id))
			json_array_append_new(list, json_string(o->id));
	return list;
}

static json_t *view(struct call *c, const struct object *o)
{
	json_t *v = json_object();

	json_object_set_new(v, "id", json_string(o->id));
	json_object_set(v, "name", json_object_get(o->doc, "name"));
	if (since(c, 64)) {
		json_object_set(v, "policy", json_object_get(o->doc, "policy"));
		json_object_set(v, "rules", json_object_get(o->doc, "rules"));
	} else {
		json_object_set_new(v, "policies", json_pack("[s]", object_str(o, "policy")));
		json_object_set_new(v, "metadata", json_object());
	}
	json_object_set_new(v, "members", members(c->sim, o));
	if (since(c, 13)) {
		json_object_set_new(v, "project_id", json_string(o->project));
		json_object_set_new(v, "user_id", json_string(o->user));
	}
	return v;
}

void groups_list(struct call *c)
{
	const char *limit = call_query(c, "limit"), *offset = call_query(c, "offset");
	size_t from = offset ? strtoul(offset, NULL, 10) : 0;
	size_t n = limit ? strtoul(limit, NULL, 10) : 0;
	json_t *list = json_array();

	OBJECT_EACH (c->sim, KIND_SERVER_GROUP, o) {
		if (strcmp(o->project, c->project) || !object_listed(o))
			continue;
		if (from > 0)
			from--;
		else if (n == 0 || json_array_size(list) < n)
			json_array_append_new(list, view(c, o));
	}
	call_json(c, 200, json_pack("{s:o}", "server_groups", list));
}

static const char *policy_of(const struct call *c, const json_t *in)
{
	const json_t *list = json_object_get(in, "policies");

	return since(c, 64) ? json_str(in, "policy") : json_string_value(json_array_get(list, 0));
}

static bool quota_left(struct call *c)
{
	const int64_t limit = c->sim->quota.server_groups;
	int64_t used = 0;

	OBJECT_EACH (c->sim, KIND_SERVER_GROUP, o)
		used += !strcmp(o->project, c->project);
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	call_fail(c, 403, NULL, "Quota exceeded, too many server groups.");
	return false;
}

void groups_create(struct call *c)
{
	const json_t *in = body_group(c), *rules = json_object_get(in, "rules");
	const char *policy = policy_of(c, in);

	if (!in || !quota_left(c))
		return;
	if (json_object_size(rules) > 0 && strcmp(policy, "anti-affinity")) {
		call_fail(c, 400, NULL, "Only anti-affinity policy supports rules.");
		return;
	}
	struct object *o = object_new(c->sim, KIND_SERVER_GROUP, NULL, c->project, c->user);
	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	object_set(o, "name", json_incref(json_object_get(in, "name")));
	object_set_str(o, "policy", policy);
	object_set(o, "rules", rules ? json_deep_copy(rules) : json_object());
	rule_created(c, o);
	call_json(c, 200, json_pack("{s:o}", "server_group", view(c, o)));
}

static struct object *find(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_SERVER_GROUP, c->params[0]);

	if (o && !strcmp(o->project, c->project))
		return o;
	call_fail(c, 404, NULL, "Instance group %s could not be found.", c->params[0]);
	return NULL;
}

void groups_show(struct call *c)
{
	const struct object *o = find(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "server_group", view(c, o)));
}

void groups_delete(struct call *c)
{
	struct object *o = find(c);

	if (!o)
		return;
	rule_changed(c, o, true);
	object_remove(o); /* its servers stay, without a group */
	call_empty(c, 204);
}

/* --- hosts ----------------------------------------------------------------------------------- */

static const struct {
	const char *name, *zone;
} hosts[HOST_COUNT] = {
	{"az1-host1", "az1"}, {"az1-host2", "az1"}, {"az2-host1", "az2"}, {"az2-host2", "az2"}};

struct crowd {
	unsigned all, fellows; /* servers there, and those of the group */
};

static void count(struct object *server, struct crowd *crowds)
{
	OBJECT_EACH (server->sim, KIND_SERVER, o)
		for (size_t i = 0; o != server && i < HOST_COUNT; i++)
			if (!strcmp(server_of(o)->host, hosts[i].name)) {
				crowds[i].all++;
				crowds[i].fellows +=
					*server_of(server)->group &&
					!strcmp(server_of(o)->group, server_of(server)->group);
			}
}

/* The smaller, the better; negative: not allowed. */
static int cost(const struct object *group, const struct crowd *crowd, bool has_fellows)
{
	const char *policy = group ? object_str(group, "policy") : "";
	const int64_t most =
		group ? json_int(json_object_get(group->doc, "rules"), "max_server_per_host", 1)
		      : 0;

	if (!strcmp(policy, "anti-affinity") && crowd->fellows >= most)
		return -1;
	if (!strcmp(policy, "affinity") && has_fellows && !crowd->fellows)
		return -1;
	int extra = 0;
	if (!strcmp(policy, "soft-anti-affinity"))
		extra = 1000 * (int)crowd->fellows;
	if (!strcmp(policy, "soft-affinity") && has_fellows && !crowd->fellows)
		extra = 1000;
	return (int)crowd->all + extra;
}

const char *group_place(struct object *server, const char *zone, const char **ret_zone)
{
	const struct object *group =
		object_get(server->sim, KIND_SERVER_GROUP, server_of(server)->group);
	struct crowd crowds[HOST_COUNT] = {0};
	unsigned fellows = 0;
	int best = -1;
	size_t at = 0;

	count(server, crowds);
	for (size_t i = 0; i < HOST_COUNT; i++)
		fellows += crowds[i].fellows;
	for (size_t i = 0; i < HOST_COUNT; i++) {
		const int x = cost(group, &crowds[i], fellows > 0);
		if ((*zone && strcmp(hosts[i].zone, zone)) || x < 0 || (best >= 0 && x >= best))
			continue;
		best = x;
		at = i;
	}
	if (best < 0)
		return NULL;
	*ret_zone = hosts[at].zone;
	return hosts[at].name;
}
