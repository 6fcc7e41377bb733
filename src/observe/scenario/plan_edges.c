/*
 * plan_edges.c - hidden edges: orders that a cloud or a guest needs, that no name in the scenario
 * tells, and that mostly happen to come right.
 *
 * A server whose subnet gets its router while the guest boots asks for its metadata in vain; a
 * floating IP before the router is refused; a check before the rule that lets it in measures its
 * own patience.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/plans.h"

#define ELEMENTS_LOOKED_AT 50 /* of one step: the others are alike */

struct edges {
	struct plan *plan;
	const struct planned *who;
	char name[100];
	bool told;
};

static bool same(const json_t *body, const char *key, const char *symbol)
{
	const char *text = json_str(body, key);
	return text && symbol && !strcmp(text, symbol);
}

/* --- subnets and their routers ---------------------------------------------------------------- */

static void tell_interface(struct edges *x, const struct planned *interface)
{
	char name[100];
	world_element_name(x->plan->world, interface->element, name, sizeof(name));
	x->told = true;
	if (plan_makes(x->who, "server"))
		plan_warn(x->plan, x->who->step,
			"%s may boot before %s: without a router its guest finds neither metadata "
			"nor a way out; say after: [%s]",
			x->name, name, interface->step->name);
	else
		plan_warn(x->plan, x->who->step,
			"%s may come before %s: the cloud refuses a floating IP for a subnet "
			"without a router; say after: [%s]",
			x->name, name, interface->step->name);
}

/* When the subnet gets a router in this scenario, it must have it by now. */
static void check_subnet(struct edges *x, const char *subnet)
{
	const struct planned *first = NULL;
	VEC_EACH (&x->plan->all, struct planned, e) {
		if (!plan_makes(e, "router_interface") || !same(e->body, "subnet_id", subnet))
			continue;
		if (plan_waits_for(x->plan, x->who, e))
			return;
		first = first ? first : e;
	}
	if (first && !x->told)
		tell_interface(x, first);
}

static void check_network(struct edges *x, const char *network)
{
	VEC_EACH (&x->plan->all, struct planned, e) {
		if (plan_makes(e, "subnet") && same(e->body, "network_id", network)) {
			char name[100];
			world_element_name(x->plan->world, e->element, name, sizeof(name));
			char *symbol = mem_printf("<%s.id>", name);
			check_subnet(x, symbol);
			free(symbol);
		}
	}
}

static void check_port(struct edges *x, const char *port)
{
	const struct planned *p = plan_by_symbol(x->plan, port);
	size_t i;
	json_t *ip;
	if (!p || !plan_makes(p, "port"))
		return;
	const json_t *fixed = json_object_get(p->body, "fixed_ips");
	json_array_foreach (fixed, i, ip)
		check_subnet(x, json_str(ip, "subnet_id"));
	if (!json_array_size(fixed))
		check_network(x, json_str(p->body, "network_id"));
}

static void check_router(struct plan *p, const struct planned *e)
{
	struct edges x = {.plan = p, .who = e};
	size_t i;
	json_t *nic;
	world_element_name(p->world, e->element, x.name, sizeof(x.name));
	if (plan_makes(e, "server")) {
		json_array_foreach (json_object_get(e->body, "networks"), i, nic) {
			check_port(&x, json_str(nic, "port"));
			check_network(&x, json_str(nic, "uuid"));
		}
	} else {
		check_port(&x, json_str(e->body, "port_id"));
	}
}

/* --- rules and the checks they let in --------------------------------------------------------- */

static bool lets_in(const struct planned *rule, enum verb verb)
{
	const json_t *b = rule->body;
	const char *protocol = json_str(b, "protocol"), *direction = json_str(b, "direction");
	const int64_t low = json_int(b, "port_range_min", 0);
	const int64_t high = json_int(b, "port_range_max", 65535);
	if (!direction || strcmp(direction, "ingress") != 0)
		return false;
	if (!protocol)
		return true;
	if (verb == VERB_PING)
		return !strcmp(protocol, "icmp");
	const bool ssh = verb == VERB_SSH || verb_works_in_guest(verb);
	return !strcmp(protocol, "tcp") && (!ssh || (low <= 22 && high >= 22));
}

struct rules {
	const struct planned *first;
	bool waited, foreign, any;
};

static void rules_of_port(
	struct plan *p, const struct planned *check, const struct planned *port, struct rules *r)
{
	size_t i;
	json_t *group;
	const json_t *groups = json_object_get(port->body, "security_groups");
	r->foreign = r->foreign || !json_array_size(groups);
	json_array_foreach (groups, i, group) {
		const char *symbol = json_string_value(group);
		r->foreign = r->foreign || !plan_by_symbol(p, symbol);
		VEC_EACH (&p->all, struct planned, e) {
			if (!plan_makes(e, "security_group_rule") ||
				!same(e->body, "security_group_id", symbol) ||
				!lets_in(e, check->step->verb))
				continue;
			r->any = true;
			r->waited = r->waited || plan_waits_for(p, check, e);
			r->first = r->first ? r->first : e;
		}
	}
}

/* The ports a check comes in by: of the server or of the floating IP that it names itself. */
static void rules_of_use(
	struct plan *p, const struct planned *check, const struct planned *used, struct rules *r)
{
	size_t i;
	json_t *nic;
	const struct planned *port = NULL;
	if (plan_makes(used, "floating_ip"))
		port = plan_by_symbol(p, json_str(used->body, "port_id"));
	if (port && plan_makes(port, "port"))
		rules_of_port(p, check, port, r);
	if (!plan_makes(used, "server"))
		return;
	json_array_foreach (json_object_get(used->body, "networks"), i, nic) {
		port = plan_by_symbol(p, json_str(nic, "port"));
		if (port && plan_makes(port, "port"))
			rules_of_port(p, check, port, r);
	}
}

static void check_rules(struct plan *p, const struct planned *e)
{
	struct rules r = {0};
	char name[100], rule[100];
	VEC_EACH (&e->element->uses, struct value_ref, ref) {
		const struct planned *used = plan_of_ref(p, *ref);
		if (used)
			rules_of_use(p, e, used, &r);
	}
	world_element_name(p->world, e->element, name, sizeof(name));
	if (r.first && !r.waited) {
		world_element_name(p->world, r.first->element, rule, sizeof(rule));
		plan_warn(p, e->step,
			"%s may come before %s, the rule that lets it in; say after: [%s]", name,
			rule, r.first->step->name);
	}
}

static bool comes_from_outside(const struct planned *e)
{
	return verb_reaches(e->step->verb) && !e->step->must_fail.n &&
	       !json_object_get(e->body, "from");
}

void plan_hidden_edges(struct plan *p)
{
	for (size_t i = 0; i < p->all.n; i++) {
		const struct planned *e = &p->all.p[i];
		if (e->element->index >= ELEMENTS_LOOKED_AT)
			continue;
		const bool sets_port = e->step->verb == VERB_SET && json_str(e->body, "port_id");
		if (plan_makes(e, "server") || plan_makes(e, "floating_ip") || sets_port)
			check_router(p, e);
		if (comes_from_outside(e))
			check_rules(p, e);
	}
}
