/*
 * plant.c - look-alikes: objects with the names and marks of ours that belong to nobody's instance.
 *
 * They are made by the services' own handlers, so that nothing tells them from real ones; only
 * `made_by` does, which no service shows.
 */

#include <string.h>

#include "base/json.h"
#include "sim/call.h"
#include "sim/route.h"
#include "sim/state.h"

#define BODY_TEXT 1024

/* {name} {mark} {project} and {KIND}, the id of what was planted before, stand in the bodies. */
static const struct plant {
	enum kind kind;
	const char *path, *body;
	const char *method; /* NULL: POST */
} plants[] = {
	{KIND_NETWORK, "/network/v2.0/networks",
		"{'network': {'name': '{name}', 'description': '{mark}'}}"},
	{KIND_SUBNET, "/network/v2.0/subnets",
		"{'subnet': {'name': '{name}', 'description': '{mark}', 'network_id': '{network}',"
		" 'ip_version': 4, 'cidr': '10.99.0.0/24'}}"},
	{KIND_GROUP, "/network/v2.0/security-groups",
		"{'security_group': {'name': '{name}', 'description': '{mark}'}}"},
	{KIND_RULE, "/network/v2.0/security-group-rules",
		"{'security_group_rule': {'security_group_id': '{security_group}',"
		" 'direction': 'ingress', 'protocol': 'icmp', 'description': '{mark}'}}"},
	{KIND_PORT, "/network/v2.0/ports",
		"{'port': {'name': '{name}', 'description': '{mark}', 'network_id': '{network}'}}"},
	{KIND_ROUTER, "/network/v2.0/routers",
		"{'router': {'name': '{name}', 'description': '{mark}'}}"},
	{KIND_FLOATING_IP, "/network/v2.0/floatingips",
		"{'floatingip': {'description': '{mark}', 'floating_network_id': '{public}'}}"},
	{KIND_KEYPAIR, "/compute/v2.1/os-keypairs", "{'keypair': {'name': '{name}'}}"},
	{KIND_SERVER_GROUP, "/compute/v2.1/os-server-groups",
		"{'server_group': {'name': '{name}', 'policy': 'anti-affinity'}}"},
	{KIND_IMAGE, "/image/v2/images",
		"{'name': '{name}', 'glasshouse': '{mark}', 'disk_format': 'raw',"
		" 'container_format': 'bare'}"},
	{KIND_VOLUME, "/volume/v3/{project}/volumes",
		"{'volume': {'name': '{name}', 'size': 1, 'metadata': {'glasshouse': '{mark}'}}}"},
	{KIND_DNS_ZONE, "/dns/v2/zones",
		"{'name': '{name}.planted.example.', 'email': 'planted@sim.example',"
		" 'description': '{mark}'}"},
	{KIND_SERVER, "/compute/v2.1/servers",
		"{'server': {'name': '{name}', 'imageRef': '{public_image}', 'flavorRef': '{flavor}',"
		" 'networks': 'none', 'metadata': {'glasshouse': '{mark}'}}}"},
	{KIND_CONTAINER, "/object-store/v1/AUTH_{project}/{name}", "{}", "PUT"},
	{KIND_OBJECT, "/object-store/v1/AUTH_{project}/{name}/{name}", "{}", "PUT"},
	{KIND_SECRET, "/key-manager/v1/secrets", "{'name': '{name}'}"},
	{KIND_LOADBALANCER, "/load-balancer/v2/lbaas/loadbalancers",
		"{'loadbalancer': {'name': '{name}', 'description': '{mark}',"
		" 'vip_subnet_id': '{subnet}'}}"},
	{KIND_POOL, "/load-balancer/v2/lbaas/pools",
		"{'pool': {'name': '{name}', 'description': '{mark}', 'protocol': 'TCP',"
		" 'lb_algorithm': 'ROUND_ROBIN', 'loadbalancer_id': '{loadbalancer}'}}"},
	{KIND_LISTENER, "/load-balancer/v2/lbaas/listeners",
		"{'listener': {'name': '{name}', 'description': '{mark}', 'protocol': 'TCP',"
		" 'protocol_port': 80, 'loadbalancer_id': '{loadbalancer}'}}"},
	{KIND_MEMBER, "/load-balancer/v2/lbaas/pools/{lb_pool}/members",
		"{'member': {'name': '{name}', 'tags': ['{mark}'], 'address': '10.99.0.99',"
		" 'protocol_port': 80}}"},
	{KIND_MONITOR, "/load-balancer/v2/lbaas/healthmonitors",
		"{'healthmonitor': {'name': '{name}', 'tags': ['{mark}'], 'type': 'TCP', 'delay': 5,"
		" 'timeout': 3, 'max_retries': 3, 'pool_id': '{lb_pool}'}}"},
	{KIND_STACK, "/orchestration/v1/{project}/stacks",
		"{'stack_name': '{name}', 'tags': '{mark}', 'template':"
		" {'heat_template_version': '2018-08-31'}}"},
};

struct planting {
	struct sim *s;
	const char *name, *mark;
	const struct object *project, *user;
	json_t *made;                /* [{kind, id, name}] */
	const char *ids[KIND_COUNT]; /* of what was made, borrowed from the objects */
};

static const char *first_id(struct sim *s, enum kind k)
{
	OBJECT_EACH (s, k, o)
		if (o->made_by == MADE_BY_SEED)
			return o->id;
	return "";
}

static const char *word(const struct planting *p, struct slice name)
{
	if (slice_is(name, "name"))
		return p->name;
	if (slice_is(name, "mark"))
		return p->mark;
	if (slice_is(name, "project"))
		return p->project->id;
	if (slice_is(name, "public"))
		return p->s->net.public_network;
	if (slice_is(name, "public_image"))
		return first_id(p->s, KIND_IMAGE);
	if (slice_is(name, "flavor"))
		return first_id(p->s, KIND_FLAVOR);
	for (int k = 0; k < KIND_COUNT; k++)
		if (slice_is(name, kind_word((enum kind)k)) && p->ids[k])
			return p->ids[k];
	return NULL;
}

/* Fills in a template; a brace that opens no known word stays. */
static char *fill(const struct planting *p, const char *template)
{
	struct buf out = BUF(BODY_TEXT);

	while (*template) {
		size_t n = strcspn(template + 1, "}");
		const char *w = *template == '{' ? word(p, slice_from(template + 1, n)) : NULL;
		if (w) {
			buf_add_str(&out, w);
			template += n + 2;
		} else {
			buf_add_char(&out, *template == '\'' ? '"' : *template);
			template ++;
		}
	}
	return buf_take(&out);
}

/* What the API made for this request becomes planted. */
static void adopt(struct planting *p, const uint64_t *before)
{
	for (int k = 0; k < KIND_COUNT; k++)
		OBJECT_EACH (p->s, k, o) {
			if (o->ordinal <= before[k])
				continue;
			const bool by_service = o->made_by != MADE_BY_API;
			o->made_by = MADE_BY_PLANT;
			if (by_service)
				continue;
			o->visible_ns = 0;
			p->ids[k] = o->id;
			json_array_append_new(p->made,
				json_pack("{s:s, s:s, s:s}", "kind", kind_word((enum kind)k), "id",
					o->id, "name", p->name));
		}
}

static bool plant_one(struct planting *p, const struct plant *row, struct error *err)
{
	uint64_t before[KIND_COUNT];
	json_t *answer = NULL;

	for (int k = 0; k < KIND_COUNT; k++)
		before[k] = p->s->tables[k].ordinal;
	char *text = fill(p, row->body), *path = fill(p, row->path);
	json_t *body = json_parse(slice_of(text), BODY_TEXT, NULL);
	int status = call_inside_as(p->s, row->method ? row->method : "POST", path, body,
		p->project->id, p->user->id, &answer);
	adopt(p, before);
	if (status / 100 != 2) {
		char *said = answer ? json_dumps(answer, JSON_COMPACT) : mem_strdup("");
		error_set(err, ERROR_INPUT, "planting a %s: %d %s", kind_word(row->kind), status,
			said);
		free(said);
	}
	json_decref(answer);
	free(text);
	free(path);
	return status / 100 == 2;
}

static bool named_in(const json_t *kinds, enum kind k)
{
	return json_has_text(kinds, slice_of(kind_word(k)));
}

static bool wanted(const json_t *kinds, const struct plant *row)
{
	const enum kind k = row->kind;
	const char *rest;

	if (!kinds)
		return route_service(row->path, &rest) != NULL; /* of the services there are */
	/* what others stand on is planted with them */
	return named_in(kinds, k) || k == KIND_NETWORK || k == KIND_SUBNET || k == KIND_GROUP ||
	       (k == KIND_CONTAINER && named_in(kinds, KIND_OBJECT));
}

static const struct object *named(struct sim *s, enum kind k, const char *name)
{
	OBJECT_EACH (s, k, o)
		if (name && !strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

json_t *sim_plant(struct sim *s, const json_t *what, struct error *err)
{
	const char *project = json_str(what, "project") ? json_str(what, "project") : "demo";
	const json_t *kinds = json_object_get(what, "kinds");
	struct planting p = {
		.s = s,
		.name = json_str(what, "name"),
		.mark = json_str(what, "mark"),
		.project = named(s, KIND_PROJECT, project),
		.user = named(s, KIND_USER, project),
	};

	if (!p.project || !p.user || !p.name || !p.mark) {
		error_set(err, ERROR_INPUT,
			"expected {\"name\", \"mark\"} and as \"project\" demo or other");
		return NULL;
	}
	p.made = json_array();
	for (size_t i = 0; i < array_len(plants); i++) {
		if (!wanted(kinds, &plants[i]) || plant_one(&p, &plants[i], err))
			continue;
		json_decref(p.made);
		return NULL;
	}
	return p.made;
}
