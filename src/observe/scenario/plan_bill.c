/*
 * plan_bill.c - the objects by kind, and what they take of the project's quota.
 *
 * Counted is also what the cloud makes for us and books on us: the interface's and the DHCP
 * server's port of a subnet, the port of a server that names a network, the two rules of a new
 * group, the volume of a server that boots into one.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "observe/scenario/plans.h"

struct bill {
	const struct plan *plan;
	const json_t *flavors;
	json_t *objects, *need, *unknown;
	int64_t total;
};

static void add(json_t *counts, const char *name, int64_t n)
{
	json_object_set_new(counts, name, json_integer(json_int(counts, name, 0) + n));
}

static void not_known(struct bill *b, const char *what, const char *element)
{
	char text[300];
	snprintf(text, sizeof(text), "%s of %s", what, element);
	size_t i;
	json_t *known;
	json_array_foreach (b->unknown, i, known)
		if (!strcmp(json_string_value(known), text))
			return;
	json_array_append_new(b->unknown, json_string(text));
}

static const json_t *flavor(const struct bill *b, const char *id)
{
	const json_t *f = json_object_get(b->flavors, id);
	const char *name;
	json_t *pick;
	if (f)
		return f;
	json_object_foreach ((json_t *)b->plan->world->options.picked, name, pick) {
		const char *value = json_str(pick, "value");
		if (value && !strcmp(value, id) && json_object_get(pick, "vcpus"))
			return pick;
	}
	return NULL;
}

static void add_size(struct bill *b, const json_t *size, const char *element)
{
	if (json_is_integer(size))
		add(b->need, "gigabytes", json_integer_value(size));
	else
		not_known(b, "the size", element);
}

static void add_server(struct bill *b, const struct planned *e, int64_t servers)
{
	const char *id = json_str(e->body, "flavorRef");
	const json_t *f = id ? flavor(b, id) : NULL;
	const char *name = json_str(e->out, "name");
	size_t i;
	json_t *item;
	add(b->need, "servers", servers);
	if (f) {
		add(b->need, "cores", servers * json_int(f, "vcpus", 0));
		add(b->need, "ram", servers * json_int(f, "ram", 0));
	} else {
		not_known(b, "cores and memory", name);
	}
	json_array_foreach (json_object_get(e->body, "networks"), i, item)
		if (!json_object_get(item, "port"))
			add(b->need, "port", servers);
	json_array_foreach (json_object_get(e->body, "block_device_mapping_v2"), i, item) {
		const char *to = json_str(item, "destination_type"),
			   *from = json_str(item, "source_type");
		if (!to || !from || strcmp(to, "volume") != 0 || !strcmp(from, "volume"))
			continue;
		add(b->need, "volumes", servers);
		add_size(b, json_object_get(item, "volume_size"), name);
	}
}

/* A snapshot or a restored volume takes as much as its volume. */
static const json_t *size_of_volume(const struct bill *b, const struct planned *e, const char *key)
{
	const struct planned *volume = plan_by_symbol(b->plan, json_str(e->body, key));
	return volume ? json_object_get(volume->body, "size") : NULL;
}

static void add_element(struct bill *b, const struct planned *e)
{
	static const struct {
		const char *kind, *quota;
		int64_t n;
	} rows[] = {
		{"network", "network", 1},
		{"subnet", "subnet", 1},
		{"subnet", "port", 1},
		{"router", "router", 1},
		{"router_interface", "port", 1},
		{"port", "port", 1},
		{"floating_ip", "floatingip", 1},
		{"security_group", "security_group", 1},
		{"security_group", "security_group_rule", 2},
		{"security_group_rule", "security_group_rule", 1},
		{"volume", "volumes", 1},
		{"restore", "volumes", 1},
		{"snapshot", "snapshots", 1},
		{"loadbalancer", "port", 1},
		{"loadbalancer", "load_balancer", 1},
		{"dns_zone", "zones", 1},
		{"secret", "secrets", 1},
	};
	const char *kind = e->step->kind->name;
	add(b->objects, e->step->kind->several ? "server" : kind, 1);
	b->total++;
	for (size_t i = 0; i < array_len(rows); i++)
		if (!strcmp(kind, rows[i].kind))
			add(b->need, rows[i].quota, rows[i].n);
	if (!strcmp(kind, "volume"))
		add_size(b, json_object_get(e->body, "size"), json_str(e->out, "name"));
	if (!strcmp(kind, "snapshot"))
		add_size(b, size_of_volume(b, e, "volume_id"), json_str(e->out, "name"));
	if (!strcmp(kind, "restore")) {
		const struct planned *of = plan_by_symbol(b->plan, json_str(e->body, "backup"));
		add_size(b, of ? size_of_volume(b, of, "volume_id") : NULL,
			json_str(e->out, "name"));
	}
	if (!strcmp(kind, "server") || !strcmp(kind, "server_batch")) /* an element a server */
		add_server(b, e, 1);
}

/* Against the quota: {need, limit, free}; false when it does not fit. */
static bool compare(json_t *out, const json_t *need, const json_t *quota)
{
	const char *name;
	json_t *n;
	bool fits = true;
	json_object_foreach ((json_t *)need, name, n) {
		const json_t *q = json_object_get(quota, name);
		const int64_t limit = json_int(q, "limit", -1);
		const int64_t left = limit - json_int(q, "used", 0);
		json_t *row = json_pack("{s:O}", "need", n);
		json_object_set_new(row, "limit", q ? json_integer(limit) : json_null());
		json_object_set_new(row, "free",
			!q          ? json_null()
			: limit < 0 ? json_integer(-1)
				    : json_integer(left > 0 ? left : 0));
		fits = fits && (limit < 0 || json_integer_value(n) <= left);
		json_object_set_new(out, name, row);
	}
	return fits;
}

json_t *plan_bill(struct plan *p, const json_t *quota, const json_t *flavors)
{
	const struct scenario *s = p->world->scenario;
	struct bill b = {.plan = p,
		.flavors = flavors,
		.objects = json_object(),
		.need = json_object(),
		.unknown = json_array()};
	VEC_EACH (&p->all, struct planned, e) {
		if (e->step->verb == VERB_CREATE)
			add_element(&b, e);
	}
	json_t *rows = json_object();
	const bool fits = compare(rows, b.need, quota);
	const double minutes = (double)json_int(b.need, "servers", 0) *
			       (double)(s->deadline_ns + s->teardown_ns) / (double)(60 * NS_PER_S);
	json_decref(b.need);
	return json_pack("{s:o, s:I, s:o, s:f, s:b, s:o}", "objects", b.objects, "total",
		(json_int_t)b.total, "quota", rows, "server_minutes", minutes, "fits", fits,
		"unknown", b.unknown);
}
