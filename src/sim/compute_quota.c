/*
 * compute_quota.c - what a project may use and uses, and the zones.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute.h"
#include "sim/state.h"

#define METADATA_ITEMS 128

struct usage compute_usage(struct sim *s, const char *project)
{
	struct usage u = {0};

	OBJECT_EACH (s, KIND_SERVER, o) {
		const struct object *flavor = flavor_find(s, server_of(o)->flavor);
		if (strcmp(o->project, project) || !flavor)
			continue;
		u.instances++;
		u.cores += json_int(flavor->doc, "vcpus", 0);
		u.ram += json_int(flavor->doc, "ram", 0);
	}
	return u;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t compute_quota(
	struct call *c, const struct object *flavor, int64_t min_count, int64_t max_count)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = compute_usage(c->sim, c->project);
	const struct {
		const char *name;
		int64_t limit, used, each;
	} rows[] = {{"instances", q->instances, u.instances, 1},
		{"cores", q->cores, u.cores, json_int(flavor->doc, "vcpus", 0)},
		{"ram", q->ram, u.ram, json_int(flavor->doc, "ram", 0)}};
	int64_t fit = max_count;
	size_t short_of = 0;

	for (size_t i = 0; i < array_len(rows); i++) {
		if (rows[i].limit < 0 || rows[i].each == 0)
			continue;
		const int64_t left = (rows[i].limit - rows[i].used) / rows[i].each;
		if (left < min64(fit, min_count))
			short_of = i;
		fit = min64(fit, left > 0 ? left : 0);
	}
	if (fit >= min_count && !call_hit(c, MISHAP_QUOTA))
		return fit;
	const bool by_fault = fit >= min_count;
	const int64_t wanted = rows[short_of].each * max_count;
	call_fail(c, 403, NULL,
		"Quota exceeded for %s: Requested %lld, but already used %lld of %lld %s",
		rows[short_of].name, (long long)wanted,
		(long long)(by_fault ? rows[short_of].limit : rows[short_of].used),
		(long long)rows[short_of].limit, rows[short_of].name);
	return 0;
}

static int64_t count_groups(struct call *c)
{
	int64_t n = 0;

	OBJECT_EACH (c->sim, KIND_SERVER_GROUP, o)
		n += !strcmp(o->project, c->project);
	return n;
}

static void set_int(json_t *o, const char *key, int64_t x)
{
	json_object_set_new(o, key, json_integer((json_int_t)x));
}

void limits_show(struct call *c)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = compute_usage(c->sim, c->project);
	json_t *a = json_object();

	set_int(a, "maxTotalInstances", q->instances);
	set_int(a, "maxTotalCores", q->cores);
	set_int(a, "maxTotalRAMSize", q->ram);
	set_int(a, "maxServerMeta", METADATA_ITEMS);
	if (!since(c, 39))
		set_int(a, "maxImageMeta", METADATA_ITEMS);
	if (!since(c, 57)) {
		set_int(a, "maxPersonality", 5);
		set_int(a, "maxPersonalitySize", 10240);
	}
	set_int(a, "maxTotalKeypairs", q->key_pairs);
	set_int(a, "maxServerGroups", q->server_groups);
	set_int(a, "maxServerGroupMembers", q->server_group_members);
	if (!since(c, 36)) { /* neutron's by now */
		set_int(a, "maxTotalFloatingIps", -1);
		set_int(a, "maxSecurityGroups", -1);
		set_int(a, "maxSecurityGroupRules", -1);
	}
	set_int(a, "totalRAMUsed", u.ram);
	set_int(a, "totalCoresUsed", u.cores);
	set_int(a, "totalInstancesUsed", u.instances);
	if (!since(c, 36)) {
		set_int(a, "totalFloatingIpsUsed", 0);
		set_int(a, "totalSecurityGroupsUsed", 0);
	}
	set_int(a, "totalServerGroupsUsed", count_groups(c));
	call_json(c, 200, json_pack("{s:{s:[], s:o}}", "limits", "rate", "absolute", a));
}

/* --- quota sets ------------------------------------------------------------------------------ */

/* {name: limit}, or with `detail` {name: {limit, in_use, reserved}} */
static json_t *quota_set(struct call *c, const char *project, bool detail)
{
	const struct quota *q = &c->sim->quota;
	const struct usage u = compute_usage(c->sim, project);
	const struct {
		const char *name;
		int64_t limit, used;
		int until;
	} rows[] = {{"cores", q->cores, u.cores, 0}, {"fixed_ips", -1, 0, 35},
		{"floating_ips", -1, 0, 35}, {"injected_file_content_bytes", 10240, 0, 56},
		{"injected_file_path_bytes", 255, 0, 56}, {"injected_files", 5, 0, 56},
		{"instances", q->instances, u.instances, 0}, {"key_pairs", q->key_pairs, 0, 0},
		{"metadata_items", METADATA_ITEMS, 0, 0}, {"ram", q->ram, u.ram, 0},
		{"security_group_rules", -1, 0, 35}, {"security_groups", -1, 0, 35},
		{"server_group_members", q->server_group_members, 0, 0},
		{"server_groups", q->server_groups, count_groups(c), 0}};
	json_t *set = json_object();

	json_object_set_new(set, "id", json_string(project));
	for (size_t i = 0; i < array_len(rows); i++) {
		if (rows[i].until && since(c, rows[i].until + 1))
			continue;
		if (detail)
			json_object_set_new(set, rows[i].name,
				json_pack("{s:I, s:I, s:i}", "limit", (json_int_t)rows[i].limit,
					"in_use", (json_int_t)rows[i].used, "reserved", 0));
		else
			set_int(set, rows[i].name, rows[i].limit);
	}
	return set;
}

static void show(struct call *c, bool detail, const char *rule)
{
	if (strcmp(c->params[0], c->project))
		compute_forbid(c, rule);
	else
		call_json(c, 200,
			json_pack("{s:o}", "quota_set", quota_set(c, c->params[0], detail)));
}

void quotas_show(struct call *c)
{
	show(c, false, "os-quota-sets:show");
}

void quotas_detail(struct call *c)
{
	show(c, true, "os-quota-sets:detail");
}

/* Anybody may see them; here no project has others. */
void quotas_defaults(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "quota_set", quota_set(c, c->params[0], false)));
}

/* --- zones ----------------------------------------------------------------------------------- */

void zones_list(struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ZONE_COUNT; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:{s:b}, s:n}", "zoneName", sim_zones[i],
				      "zoneState", "available", 1, "hosts"));
	call_json(c, 200, json_pack("{s:o}", "availabilityZoneInfo", list));
}

void zones_detail(struct call *c)
{
	compute_forbid(c, "os-availability-zone:detail");
}
