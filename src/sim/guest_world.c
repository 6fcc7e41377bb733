#include "sim/guest_world.h"

#include <netinet/in.h>
#include <string.h>

#define ECHO_REQUEST_V4 8
#define ECHO_REQUEST_V6 128

static void nic_fini(struct world_nic *nic)
{
	vec_fini(&nic->addresses);
	vec_fini(&nic->groups);
}

static void guest_fini(struct world_guest *g)
{
	VEC_EACH (&g->nics, struct world_nic, nic)
		nic_fini(nic);
	vec_fini(&g->nics);
	vec_fini(&g->disks);
	guest_disk_unref(g->disk);
}

static void balancer_fini(struct world_balancer *b)
{
	nic_fini(&b->nic);
	VEC_EACH (&b->pools, struct world_pool, pool)
		vec_fini(&pool->list);
	VEC_EACH (&b->listeners, struct world_listener, listener)
		vec_fini(&listener->allowed);
	vec_fini(&b->pools);
	vec_fini(&b->listeners);
	vec_fini(&b->checks);
}

struct guest_world *guest_world_ref(struct guest_world *w)
{
	__atomic_add_fetch(&w->refs, 1, __ATOMIC_RELAXED);
	return w;
}

void guest_world_unref(struct guest_world *w)
{
	if (!w || __atomic_sub_fetch(&w->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	VEC_EACH (&w->balancers, struct world_balancer, b)
		balancer_fini(b);
	vec_fini(&w->balancers);
	VEC_EACH (&w->guests, struct world_guest, g)
		guest_fini(g);
	VEC_EACH (&w->groups, struct world_group, g)
		vec_fini(&g->rules);
	VEC_EACH (&w->subnets, struct world_subnet, s)
		vec_fini(&s->routers);
	VEC_EACH (&w->routers, struct world_router, r)
		vec_fini(&r->addresses);
	vec_fini(&w->guests);
	vec_fini(&w->groups);
	vec_fini(&w->subnets);
	vec_fini(&w->routers);
	map_fini(&w->by_id);
	free(w);
}

const struct world_guest *world_guest(const struct guest_world *w, const char *id)
{
	return w ? map_get(&w->by_id, id) : NULL;
}

/* --- security groups --------------------------------------------------------------------------
 */

static bool in_group(const struct world_nic *nic, unsigned group)
{
	for (size_t i = 0; nic && i < nic->groups.n; i++)
		if (nic->groups.p[i] == group)
			return true;
	return false;
}

/* The ports of TCP, or the type and code of an echo request. */
static bool fits_range(const struct world_rule *r, enum packet what, unsigned port)
{
	const int type = r->version == 6 ? ECHO_REQUEST_V6 : ECHO_REQUEST_V4;
	if (what == PACKET_ECHO)
		return (r->min < 0 || r->min == type) && r->max <= 0;
	return r->min < 0 || ((int)port >= r->min && (int)port <= r->max);
}

static int protocol_of(enum packet what, int version)
{
	if (what == PACKET_TCP)
		return IPPROTO_TCP;
	return version == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static bool fits(const struct world_rule *r, struct ip peer, const struct world_nic *peer_nic,
	enum packet what, unsigned port)
{
	if (r->version != peer.version)
		return false;
	if (r->protocol >= 0 &&
		(r->protocol != protocol_of(what, peer.version) || !fits_range(r, what, port)))
		return false;
	if (r->by_prefix && !prefix_has(r->prefix, peer))
		return false;
	return !r->by_group || in_group(peer_nic, r->group);
}

bool world_admits(const struct guest_world *w, const struct world_nic *nic, bool ingress,
	struct ip peer, const struct world_nic *peer_nic, enum packet what, unsigned port)
{
	if (nic->open)
		return true;
	for (size_t i = 0; i < nic->groups.n; i++)
		VEC_EACH (&w->groups.p[nic->groups.p[i]].rules, struct world_rule, r)
			if (r->ingress == ingress && fits(r, peer, peer_nic, what, port))
				return true;
	return false;
}

/* --- ways --------------------------------------------------------------------------------------
 */

/* A packet that a guest sends: from which nic, with which of its addresses. */
struct sending {
	const struct guest_world *w;
	const struct world_guest *from;
	const struct world_nic *nic;
	const struct world_address *source;
	struct ip to;
	enum packet what;
	unsigned port;
};

static struct world_end lost(void)
{
	return (struct world_end){.way = WAY_LOST};
}

static struct world_end judge(const struct sending *p, const struct world_guest *guest,
	const struct world_nic *nic, struct ip source, const struct world_nic *source_nic)
{
	/* Addresses outside belong to no group, whoever is behind them. */
	const struct world_nic *peer = source_nic ? nic : NULL;
	if (!world_admits(p->w, p->nic, false, p->to, peer, p->what, p->port) ||
		!world_admits(p->w, nic, true, source, source_nic, p->what, p->port))
		return lost();
	return (struct world_end){WAY_GUEST, guest, NULL, source, source_nic};
}

static struct world_end judge_vip(const struct sending *p, const struct world_balancer *b,
	struct ip source, const struct world_nic *source_nic)
{
	const struct world_nic *peer = source_nic ? &b->nic : NULL;
	if (!world_admits(p->w, p->nic, false, p->to, peer, p->what, p->port))
		return lost();
	return (struct world_end){WAY_BALANCER, NULL, b, source, source_nic};
}

static struct world_end judge_router(const struct sending *p)
{
	if (!world_admits(p->w, p->nic, false, p->to, NULL, p->what, p->port))
		return lost();
	return (struct world_end){.way = WAY_ROUTER};
}

static const struct world_router *shared_router(
	const struct guest_world *w, unsigned from, unsigned to)
{
	const struct world_subnet *a = &w->subnets.p[from], *b = &w->subnets.p[to];
	for (size_t i = 0; i < a->routers.n; i++)
		for (size_t k = 0; k < b->routers.n; k++)
			if (a->routers.p[i] == b->routers.p[k] && w->routers.p[a->routers.p[i]].up)
				return &w->routers.p[a->routers.p[i]];
	return NULL;
}

static bool joined(const struct guest_world *w, unsigned from, unsigned to)
{
	return from == to || shared_router(w, from, to);
}

static bool has_address(
	const struct guest_world *w, const struct world_nic *nic, unsigned from, struct ip to)
{
	VEC_EACH (&nic->addresses, struct world_address, a)
		if (nic->up && ip_equal(a->ip, to) && joined(w, from, a->subnet))
			return true;
	return false;
}

/* A fixed address of another guest or of a load balancer, on the same subnet or behind one router;
 * WAY_NO_ROUTE: nobody there has it. */
static struct world_end way_inside(const struct sending *p)
{
	VEC_EACH (&p->w->guests, struct world_guest, g)
		VEC_EACH (&g->nics, struct world_nic, nic)
			if (has_address(p->w, nic, p->source->subnet, p->to))
				return judge(p, g, nic, p->source->ip, p->nic);
	VEC_EACH (&p->w->balancers, struct world_balancer, b)
		if (has_address(p->w, &b->nic, p->source->subnet, p->to))
			return judge_vip(p, b, p->source->ip, p->nic);
	return (struct world_end){.way = WAY_NO_ROUTE};
}

/* The address a guest's packets have outside: its floating IP, else the router's. */
static struct ip outside_address(const struct sending *p, const struct world_router *r)
{
	struct ip own = {0};
	ip_parse(WORLD_OUTSIDE, &own);
	for (unsigned n = 0; n < WORLD_DOORS; n++)
		if (p->w->doors[n].nic == p->nic) {
			own.n = (own.n & ~(ip_number)0xff) | n;
			return own;
		}
	return r->outside;
}

/* Public resolvers, which answer echo requests as what is outside does, and nothing else. */
static const struct {
	const char *name, *address;
} far_hosts[] = {
	{"dns.google", "8.8.8.8"},
	{"dns.quad9.net", "9.9.9.9"},
};

bool world_far_host(const char *name, struct ip *ret)
{
	for (size_t i = 0; i < array_len(far_hosts); i++)
		if (!strcmp(name, far_hosts[i].name))
			return ip_parse(far_hosts[i].address, ret);
	return false;
}

static bool is_far_host(struct ip to)
{
	struct ip far;
	for (size_t i = 0; i < array_len(far_hosts); i++)
		if (ip_parse(far_hosts[i].address, &far) && ip_equal(far, to))
			return true;
	return false;
}

static struct world_end way_outside(const struct sending *p, const struct world_router *r)
{
	struct ip outside = {0};
	ip_parse(WORLD_OUTSIDE, &outside);
	if (ip_equal(p->to, outside) || is_far_host(p->to))
		return judge_router(p);
	if (p->to.version != 4 || p->to.n >> 8 != outside.n >> 8)
		return lost();
	const struct world_door *door = &p->w->doors[(unsigned)(p->to.n & 0xff)];
	if (door->balancer)
		return judge_vip(p, door->balancer, outside_address(p, r), NULL);
	return door->guest ? judge(p, door->guest, door->nic, outside_address(p, r), NULL) : lost();
}

static bool is_router(const struct world_router *r, struct ip to)
{
	struct ip metadata;
	VEC_EACH (&r->addresses, struct ip, a)
		if (ip_equal(*a, to))
			return true;
	return ip_parse(WORLD_METADATA, &metadata) && ip_equal(metadata, to);
}

/* By way of the routers of the sender's subnet: their own addresses, and what is outside. */
static struct world_end way_routed(const struct sending *p)
{
	const struct world_subnet *own = &p->w->subnets.p[p->source->subnet];
	enum way found = WAY_NO_ROUTE;
	for (size_t i = 0; i < own->routers.n; i++) {
		const struct world_router *r = &p->w->routers.p[own->routers.p[i]];
		if (!r->up)
			continue;
		found = WAY_LOST;
		if (is_router(r, p->to))
			return judge_router(p);
		if (r->outside.version && p->source->ip.version == 4)
			return way_outside(p, r);
	}
	return (struct world_end){.way = prefix_has(own->prefix, p->to) ? WAY_LOST : found};
}

static bool is_own(const struct world_guest *g, struct ip to)
{
	struct ip loopback;
	if (ip_parse("127.0.0.1", &loopback) && ip_equal(loopback, to))
		return true;
	VEC_EACH (&g->nics, struct world_nic, nic)
		VEC_EACH (&nic->addresses, struct world_address, a)
			if (ip_equal(a->ip, to))
				return true;
	return false;
}

struct world_end world_way(const struct guest_world *w, const struct world_guest *from,
	struct ip to, enum packet what, unsigned port)
{
	struct world_end best = {.way = WAY_NO_ROUTE};
	if (is_own(from, to))
		return (struct world_end){WAY_GUEST, from, NULL, to, NULL};
	VEC_EACH (&from->nics, struct world_nic, nic)
		VEC_EACH (&nic->addresses, struct world_address, a) {
			const struct sending p = {w, from, nic, a, to, what, port};
			if (!nic->up || a->ip.version != to.version)
				continue;
			struct world_end end = way_inside(&p);
			if (end.way == WAY_NO_ROUTE)
				end = way_routed(&p);
			if (end.way >= WAY_GUEST)
				return end;
			if (end.way > best.way)
				best = end;
		}
	return best;
}

const struct world_guest *world_target(const struct guest_world *w, unsigned subnet,
	struct ip source, const struct world_nic *source_nic, struct ip to, enum packet what,
	unsigned port)
{
	VEC_EACH (&w->guests, struct world_guest, g)
		VEC_EACH (&g->nics, struct world_nic, nic)
			if (has_address(w, nic, subnet, to))
				return world_admits(w, nic, true, source, source_nic, what, port)
					       ? g
					       : NULL;
	return NULL;
}

/* --- load balancers ------------------------------------------------------------------------------
 */

const unsigned world_ports[WORLD_PORTS] = {80, 443, 8080, 8081};

const struct world_balancer *world_balancer(const struct guest_world *w, const char *id)
{
	VEC_EACH (&w->balancers, struct world_balancer, b)
		if (!strcmp(b->id, id))
			return b;
	return NULL;
}

static bool lets_in(const struct world_listener *l, struct ip source)
{
	VEC_EACH (&l->allowed, struct prefix, p)
		if (prefix_has(*p, source))
			return true;
	return !l->limited;
}

const struct world_listener *world_listener(
	const struct world_balancer *b, unsigned port, struct ip source)
{
	VEC_EACH (&b->listeners, struct world_listener, l)
		if (l->port == port)
			return lets_in(l, source) ? l : NULL;
	return NULL;
}
