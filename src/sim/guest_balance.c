#include "sim/guest_balance.h"

#include <stdlib.h>
#include <string.h>

/* The guest that a member is, if packets of the balancer (or of who asks, where it is transparent)
 * reach it. */
static const struct world_guest *guest_of(
	const struct guest_world *w, const struct balance_ask *q, const struct world_member *m)
{
	const struct world_balancer *b = q->balancer;
	if (!b->nic.addresses.n)
		return NULL;
	const struct world_address *vip = &b->nic.addresses.p[0];
	return b->transparent
		       ? world_target(w, vip->subnet, q->source, q->source_nic, m->ip, PACKET_TCP,
				 m->port)
		       : world_target(w, vip->subnet, vip->ip, &b->nic, m->ip, PACKET_TCP, m->port);
}

static bool is_served(struct guest_services *s, const struct world_guest *g, unsigned port)
{
	char *text = guest_service_text(s, g->id, g->boots, port);
	const bool good = text != NULL;
	free(text);
	return good;
}

/* --- picking ------------------------------------------------------------------------------------
 */

/* Backups take part only when no other member is up. */
static bool takes_part(const struct world_member *m, bool backups)
{
	return m->up && m->weight && m->backup == backups;
}

static unsigned total_weight(const struct world_pool *pool, bool backups)
{
	unsigned sum = 0;
	VEC_EACH (&pool->list, struct world_member, m)
		sum += takes_part(m, backups) ? m->weight : 0;
	return sum;
}

static unsigned hash(uint64_t h, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		h = (h ^ (value >> 8 * i & 0xff)) * 1099511628211u; /* FNV-1a */
	return (unsigned)(h >> 32 ^ h);
}

static unsigned turn_of(struct map *turns, const struct world_pool *pool)
{
	const uintptr_t turn = (uintptr_t)map_get(turns, pool->id);
	map_put(turns, pool->id, (void *)(turn + 1));
	return (unsigned)turn;
}

static unsigned number_of(
	const struct world_pool *pool, struct map *turns, const struct balance_ask *q)
{
	const unsigned source = hash(
		hash(14695981039346656037u, (uint64_t)q->source.n), (uint64_t)(q->source.n >> 64));
	if (pool->keeping == WORLD_KEEP_SOURCE || pool->algorithm == WORLD_SOURCE_IP)
		return source;
	if (pool->algorithm == WORLD_SOURCE_IP_PORT)
		return hash(source, q->source_port);
	return turn_of(turns, pool); /* among equals, least connections take turns too */
}

/* The place of the member whose share of the weight a number falls into. */
static size_t place_of(const struct world_pool *pool, bool backups, unsigned number)
{
	for (size_t i = 0; i < pool->list.n; i++) {
		const struct world_member *m = &pool->list.p[i];
		if (!takes_part(m, backups))
			continue;
		if (number < m->weight)
			return i;
		number -= m->weight;
	}
	return 0;
}

static bool try_member(const struct guest_world *w, struct guest_services *s,
	const struct balance_ask *q, const struct world_member *m, struct balance_pick *ret)
{
	const struct world_guest *g = guest_of(w, q, m);
	char *text = g ? guest_service_text(s, g->id, g->boots, m->port) : NULL;
	if (text)
		*ret = (struct balance_pick){m, g, text};
	return text != NULL;
}

struct balance_pick balance_pick(const struct guest_world *w, struct guest_services *s,
	struct map *turns, const struct world_pool *pool, const struct balance_ask *q)
{
	struct balance_pick pick = {0};
	VEC_EACH (&pool->list, struct world_member, m)
		if (m->up && slice_is(q->member, m->id) && try_member(w, s, q, m, &pick))
			return pick;
	const bool backups = !total_weight(pool, false);
	const unsigned total = total_weight(pool, backups);
	if (!total)
		return pick;
	const size_t first = place_of(pool, backups, number_of(pool, turns, q) % total);
	for (size_t i = 0; i < pool->list.n; i++) {
		const struct world_member *m = &pool->list.p[(first + i) % pool->list.n];
		if (takes_part(m, backups) && try_member(w, s, q, m, &pick))
			return pick;
	}
	return pick;
}

/* --- listening ----------------------------------------------------------------------------------
 */

static bool anybody(const struct guest_world *w, struct guest_services *s,
	const struct world_pool *pool, const struct balance_ask *q)
{
	VEC_EACH (&pool->list, struct world_member, m) {
		const struct world_guest *g = m->up ? guest_of(w, q, m) : NULL;
		if (g && is_served(s, g, m->port))
			return true;
	}
	return false;
}

bool balance_accepts(const struct guest_world *w, struct guest_services *s,
	const struct balance_ask *q, unsigned port)
{
	const struct world_listener *l = world_listener(q->balancer, port, q->source);
	if (!l || !q->balancer->transparent)
		return l != NULL; /* haproxy takes it, whatever comes of it */
	return l->has_pool && anybody(w, s, &q->balancer->pools.p[l->pool], q);
}

bool balance_listens(const struct guest_world *w, struct guest_services *s,
	const struct world_end *end, unsigned port)
{
	const struct balance_ask q = {
		.balancer = end->balancer, .source = end->source, .source_nic = end->source_nic};
	if (end->way == WAY_BALANCER)
		return balance_accepts(w, s, &q, port);
	return end->way == WAY_GUEST && is_served(s, end->guest, port);
}

/* OVN checks from an address of its own in each subnet, others from the VIP. */
bool balance_check(const struct guest_world *w, struct guest_services *s,
	const struct world_balancer *b, struct ip to, enum packet what, unsigned port)
{
	const struct world_guest *g = NULL;
	VEC_EACH (&b->checks, struct world_check, check)
		if (!g && prefix_has(w->subnets.p[check->subnet].prefix, to))
			g = world_target(w, check->subnet, check->ip, NULL, to, what, port);
	if (!b->transparent && b->nic.addresses.n)
		g = world_target(w, b->nic.addresses.p[0].subnet, b->nic.addresses.p[0].ip, &b->nic,
			to, what, port);
	return g && (what == PACKET_ECHO || is_served(s, g, port));
}
