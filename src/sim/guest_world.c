#include "sim/guest_world.h"

#include <netinet/in.h>

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

void guest_world_free(struct guest_world *w)
{
	if (!w)
		return;
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

static enum way judge(const struct sending *p, const struct world_guest *guest,
	const struct world_nic *nic, struct ip source, const struct world_nic *source_nic,
	const struct world_guest **ret_guest)
{
	/* Addresses outside belong to no group, whoever is behind them. */
	const struct world_nic *peer = source_nic ? nic : NULL;
	if (!world_admits(p->w, p->nic, false, p->to, peer, p->what, p->port) ||
		!world_admits(p->w, nic, true, source, source_nic, p->what, p->port))
		return WAY_LOST;
	*ret_guest = guest;
	return WAY_GUEST;
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

/* A fixed address of another guest, on the same subnet or behind one router; WAY_NO_ROUTE: nobody
 * there has it. */
static enum way way_inside(const struct sending *p, const struct world_guest **ret_guest)
{
	VEC_EACH (&p->w->guests, struct world_guest, g)
		VEC_EACH (&g->nics, struct world_nic, nic)
			VEC_EACH (&nic->addresses, struct world_address, a)
				if (nic->up && ip_equal(a->ip, p->to) &&
					joined(p->w, p->source->subnet, a->subnet))
					return judge(p, g, nic, p->source->ip, p->nic, ret_guest);
	return WAY_NO_ROUTE;
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

static enum way way_outside(
	const struct sending *p, const struct world_router *r, const struct world_guest **ret_guest)
{
	struct ip outside = {0};
	ip_parse(WORLD_OUTSIDE, &outside);
	if (ip_equal(p->to, outside))
		return world_admits(p->w, p->nic, false, p->to, NULL, p->what, p->port) ? WAY_ROUTER
											: WAY_LOST;
	if (p->to.version != 4 || p->to.n >> 8 != outside.n >> 8)
		return WAY_LOST;
	const struct world_door *door = &p->w->doors[(unsigned)(p->to.n & 0xff)];
	if (!door->guest)
		return WAY_LOST;
	return judge(p, door->guest, door->nic, outside_address(p, r), NULL, ret_guest);
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
static enum way way_routed(const struct sending *p, const struct world_guest **ret_guest)
{
	const struct world_subnet *own = &p->w->subnets.p[p->source->subnet];
	enum way found = WAY_NO_ROUTE;
	for (size_t i = 0; i < own->routers.n; i++) {
		const struct world_router *r = &p->w->routers.p[own->routers.p[i]];
		if (!r->up)
			continue;
		found = WAY_LOST;
		if (is_router(r, p->to))
			return world_admits(p->w, p->nic, false, p->to, NULL, p->what, p->port)
				       ? WAY_ROUTER
				       : WAY_LOST;
		if (r->outside.version && p->source->ip.version == 4)
			return way_outside(p, r, ret_guest);
	}
	return prefix_has(own->prefix, p->to) ? WAY_LOST : found;
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

enum way world_way(const struct guest_world *w, const struct world_guest *from, struct ip to,
	enum packet what, unsigned port, const struct world_guest **ret_guest)
{
	enum way best = WAY_NO_ROUTE;
	*ret_guest = from;
	if (is_own(from, to))
		return WAY_GUEST;
	VEC_EACH (&from->nics, struct world_nic, nic)
		VEC_EACH (&nic->addresses, struct world_address, a) {
			const struct sending p = {w, from, nic, a, to, what, port};
			if (!nic->up || a->ip.version != to.version)
				continue;
			enum way way = way_inside(&p, ret_guest);
			if (way == WAY_NO_ROUTE)
				way = way_routed(&p, ret_guest);
			if (way >= WAY_GUEST)
				return way;
			if (way > best)
				best = way;
		}
	return best;
}
