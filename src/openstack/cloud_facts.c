/*
 * cloud_facts.c - quota, zones, extensions: several small reads, put together.
 */

#include <stdio.h>
#include <string.h>

#include "openstack/session.h"

#define READ_NS (30 * NS_PER_S)

static struct cloud_call *get(struct cloud *c, const char *service, const char *path,
	const char *version, cloud_done *done, void *arg)
{
	const struct cloud_request q = {.service = service,
		.method = "GET",
		.path = path,
		.microversion = version,
		.deadline_ns = READ_NS};
	return cloud_call(c, &q, done, arg);
}

/* --- quota ------------------------------------------------------------------------------------ */

struct quota {
	json_t *all;
	unsigned left;
	void (*done)(void *arg, const json_t *quota);
	void *arg;
};

static void quota_part(struct quota *q)
{
	if (--q->left)
		return;
	q->done(q->arg, q->all);
	json_decref(q->all);
	free(q);
}

static void put(struct quota *q, const char *name, const json_t *limit, const json_t *used)
{
	if (json_is_integer(limit))
		json_object_set_new(q->all, name,
			json_pack("{s:I, s:I}", "limit", json_integer_value(limit), "used",
				json_is_integer(used) ? json_integer_value(used) : (json_int_t)0));
}

struct pair {
	const char *name, *limit, *used;
};

static void put_absolute(struct quota *q, const json_t *answer, const struct pair *pairs, size_t n)
{
	const json_t *a = json_at(answer, "limits", "absolute", NULL);
	for (size_t i = 0; i < n; i++)
		put(q, pairs[i].name, json_object_get(a, pairs[i].limit),
			json_object_get(a, pairs[i].used));
}

static void on_compute(void *arg, const struct cloud_answer *a)
{
	static const struct pair pairs[] = {{"servers", "maxTotalInstances", "totalInstancesUsed"},
		{"cores", "maxTotalCores", "totalCoresUsed"},
		{"ram", "maxTotalRAMSize", "totalRAMUsed"}, {"keypair", "maxTotalKeypairs", "-"}};
	put_absolute(arg, a->json, pairs, array_len(pairs));
	quota_part(arg);
}

static void on_volume(void *arg, const struct cloud_answer *a)
{
	static const struct pair pairs[] = {{"volumes", "maxTotalVolumes", "totalVolumesUsed"},
		{"gigabytes", "maxTotalVolumeGigabytes", "totalGigabytesUsed"},
		{"snapshots", "maxTotalSnapshots", "totalSnapshotsUsed"}};
	put_absolute(arg, a->json, pairs, array_len(pairs));
	quota_part(arg);
}

static void on_network(void *arg, const struct cloud_answer *a)
{
	const char *name;
	json_t *value;
	json_object_foreach (json_object_get(a->json, "quota"), name, value)
		put(arg, name, json_object_get(value, "limit"), json_object_get(value, "used"));
	quota_part(arg);
}

/* Of services that tell limit and use in different places. */
static const struct {
	const char *service, *name, *limit_path, *limit_in, *limit, *used_path, *used_in, *used;
} counted[] = {
	{"load-balancer", "load_balancer", "/lbaas/quotas/%s", "quota", "load_balancer",
		"/lbaas/loadbalancers?fields=id", "loadbalancers", NULL},
	{"dns", "zones", "/quotas/%s", NULL, "zones", "/zones?limit=1", "metadata", "total_count"},
	{"key-manager", "secrets", "/quotas", "quotas", "secrets", "/secrets?limit=1", NULL,
		"total"},
};

struct counting {
	struct quota *quota;
	struct cloud *cloud;
	size_t row;
	json_t *limit;
};

static void counting_over(struct counting *n, const json_t *used)
{
	struct quota *q = n->quota;
	if (used)
		put(q, counted[n->row].name, n->limit, used);
	json_decref(n->limit);
	free(n);
	quota_part(q);
}

static const json_t *within(const json_t *j, const char *key)
{
	return key ? json_object_get(j, key) : j;
}

static void on_used(void *arg, const struct cloud_answer *a)
{
	struct counting *n = arg;
	const json_t *in = within(a->json, counted[n->row].used_in);
	json_t *used = counted[n->row].used ? json_incref(json_object_get(in, counted[n->row].used))
		       : json_is_array(in)  ? json_integer((json_int_t)json_array_size(in))
					    : NULL;
	counting_over(n, a->fault == FAULT_NONE ? used : NULL);
	json_decref(used);
}

static void on_limit(void *arg, const struct cloud_answer *a)
{
	struct counting *n = arg;
	const json_t *limit =
		json_object_get(within(a->json, counted[n->row].limit_in), counted[n->row].limit);
	if (a->fault != FAULT_NONE || !json_is_integer(limit)) {
		counting_over(n, NULL);
		return;
	}
	n->limit = json_incref((json_t *)limit);
	get(n->cloud, counted[n->row].service, counted[n->row].used_path, NULL, on_used, n);
}

static void count(struct quota *q, struct cloud *c, size_t row)
{
	struct counting *n = mem_new(struct counting);
	struct buf path = BUF(BUF_LINE);
	const char *project = strstr(counted[row].limit_path, "%s");
	*n = (struct counting){.quota = q, .cloud = c, .row = row};
	buf_add_slice(&path, slice_from(counted[row].limit_path,
				     project ? (size_t)(project - counted[row].limit_path)
					     : strlen(counted[row].limit_path)));
	if (project)
		buf_add_str(&path, c->project_id ? c->project_id : "");
	get(c, counted[row].service, buf_str(&path), NULL, on_limit, n);
	buf_fini(&path);
}

void cloud_quota(struct cloud *c, void (*done)(void *arg, const json_t *quota), void *arg)
{
	struct quota *q = mem_new(struct quota);
	char *path = mem_printf("/quotas/%s/details", c->project_id ? c->project_id : "");
	q->all = json_object();
	q->left = 3 + array_len(counted);
	q->done = done;
	q->arg = arg;
	get(c, "compute", "/limits", NULL, on_compute, q);
	get(c, "block-storage", "/limits", NULL, on_volume, q);
	get(c, "network", path, NULL, on_network, q);
	for (size_t i = 0; i < array_len(counted); i++)
		count(q, c, i);
	free(path);
}

/* --- zones ------------------------------------------------------------------------------------ */

struct zones {
	json_t *all;
	unsigned left;
	struct cloud_failure failure;
	void (*done)(void *arg, const struct cloud_failure *f, const json_t *zones);
	void *arg;
};

void cloud_failure_of(const struct cloud_answer *a, const char *service, struct cloud_failure *ret)
{
	ret->service = service;
	ret->fault = a->fault;
	ret->error = a->error;
	memcpy(ret->request_id, a->request_id, sizeof(ret->request_id));
	memcpy(ret->service_request_id, a->service_request_id, sizeof(ret->service_request_id));
}

static void zones_part(struct zones *z, const char *service, const struct cloud_answer *a)
{
	if (a->fault != FAULT_NONE && a->fault != FAULT_NO_SERVICE && a->status != 404 &&
		z->failure.fault == FAULT_NONE)
		cloud_failure_of(a, service, &z->failure);
	if (--z->left)
		return;
	z->done(z->arg, z->failure.fault != FAULT_NONE ? &z->failure : NULL, z->all);
	json_decref(z->all);
	free(z);
}

static void add_available(
	struct zones *z, const char *name, const char *service, const struct cloud_answer *a)
{
	json_t *zone, *list = json_object_get(z->all, name);
	size_t i;
	json_array_foreach (json_object_get(a->json, "availabilityZoneInfo"), i, zone) {
		const char *own = json_str(zone, "zoneName");
		if (own && strcmp(own, "internal") != 0 &&
			json_flag(json_object_get(zone, "zoneState"), "available"))
			json_array_append_new(list, json_string(own));
	}
	zones_part(z, service, a);
}

static void on_compute_zones(void *arg, const struct cloud_answer *a)
{
	add_available(arg, "compute", "compute", a);
}

static void on_volume_zones(void *arg, const struct cloud_answer *a)
{
	add_available(arg, "volume", "block-storage", a);
}

static void on_network_zones(void *arg, const struct cloud_answer *a)
{
	struct zones *z = arg;
	json_t *zone, *list = json_object_get(z->all, "network");
	size_t i;
	json_array_foreach (json_object_get(a->json, "availability_zones"), i, zone) {
		const char *own = json_str(zone, "name"), *state = json_str(zone, "state");
		const char *resource = json_str(zone, "resource");
		if (own && resource && !strcmp(resource, "network") && state &&
			!strcmp(state, "available"))
			json_array_append_new(list, json_string(own));
	}
	zones_part(z, "network", a);
}

void cloud_zones(struct cloud *c,
	void (*done)(void *arg, const struct cloud_failure *f, const json_t *zones), void *arg)
{
	struct zones *z = mem_new(struct zones);
	z->all = json_pack("{s:[], s:[], s:[]}", "compute", "volume", "network");
	z->left = 3;
	z->done = done;
	z->arg = arg;
	get(c, "compute", "/os-availability-zone", NULL, on_compute_zones, z);
	get(c, "block-storage", "/os-availability-zone", NULL, on_volume_zones, z);
	get(c, "network", "/availability_zones", NULL, on_network_zones, z);
}

/* --- extensions ------------------------------------------------------------------------------- */

struct question {
	struct cloud *cloud;
	char *alias;
	void (*done)(void *arg, bool has);
	void *arg;
};

static bool has(const json_t *extensions, const char *alias)
{
	json_t *e;
	size_t i;
	json_array_foreach (extensions, i, e) {
		const char *own = json_str(e, "alias");
		if (own && !strcmp(own, alias))
			return true;
	}
	return false;
}

static void on_extensions(void *arg, const struct cloud_answer *a)
{
	struct question *q = arg;
	if (a->fault == FAULT_NONE && !q->cloud->extensions)
		q->cloud->extensions = json_incref(json_object_get(a->json, "extensions"));
	q->done(q->arg, has(q->cloud->extensions, q->alias));
	free(q->alias);
	free(q);
}

void cloud_has_extension(
	struct cloud *c, const char *alias, void (*done)(void *arg, bool has), void *arg)
{
	struct question *q = mem_new(struct question);
	q->cloud = c;
	q->alias = mem_strdup(alias);
	q->done = done;
	q->arg = arg;
	/* Asked again each time until it has answered once: the callback stays asynchronous. */
	get(c, "network", "/extensions", NULL, on_extensions, q);
}
