/*
 * dns_answer.c - what the name server says to a question (RFC 1034 section 4.3.2, RFC 4592).
 *
 * Questions come from anybody: they are parsed by ldns, bounded, and one that is broken gets
 * FORMERR or nothing.
 */

#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "sim/dns.h"
#include "sim/state.h"

#define UDP_PLAIN 512 /* without EDNS */
#define UDP_MOST  1232
#define CHAIN_MAX 8

struct answering {
	struct sim *sim;
	ldns_pkt *out;
	struct object *zone;
	const json_t *sets; /* of the zone */
	ldns_rr_type type;
};

/* --- zones and names ---------------------------------------------------------------------------
 */

/* Whether `name` is `above` or lies below it. */
static bool within(const char *name, const char *above)
{
	const size_t n = strlen(name), a = strlen(above);

	return n >= a && !strcasecmp(name + n - a, above) && (n == a || name[n - a - 1] == '.');
}

/* The zone nearest to the name that the server has. */
static struct object *zone_for(struct sim *s, const char *name)
{
	struct object *best = NULL;

	OBJECT_EACH (s, KIND_DNS_ZONE, o)
		if (dns_served(o)->sets && within(name, object_str(o, "name")) &&
			(!best || strlen(object_str(o, "name")) > strlen(object_str(best, "name"))))
			best = o;
	return best;
}

static const json_t *set_of(const struct answering *a, const char *name, const char *type)
{
	size_t i;
	json_t *set;

	json_array_foreach (a->sets, i, set)
		if (!strcasecmp(json_str(set, "name"), name) &&
			(!type || !strcmp(json_str(set, "type"), type)))
			return set;
	return NULL;
}

/* A name exists also when only names below it do. */
static bool exists(const struct answering *a, const char *name)
{
	size_t i;
	json_t *set;

	json_array_foreach (a->sets, i, set)
		if (within(json_str(set, "name"), name))
			return true;
	return false;
}

/* --- records -----------------------------------------------------------------------------------
 */

static void push(struct answering *a, ldns_pkt_section section, const char *owner, const char *type,
	json_int_t ttl, const char *data)
{
	char *line = mem_printf("%s %lld IN %s %s", owner, (long long)ttl, type, data);
	ldns_rr *rr = NULL;

	if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK)
		ldns_pkt_push_rr(a->out, section, rr);
	free(line);
}

static void push_set(
	struct answering *a, ldns_pkt_section section, const json_t *set, const char *owner)
{
	size_t i;
	json_t *record;

	json_array_foreach (json_object_get(set, "records"), i, record)
		push(a, section, owner, json_str(set, "type"), json_int(set, "ttl", 0),
			json_string_value(record));
}

/* Says for how long "no" holds. */
static void push_soa(struct answering *a)
{
	const json_t *set = set_of(a, object_str(a->zone, "name"), "SOA");

	if (set)
		push_set(a, LDNS_SECTION_AUTHORITY, set, json_str(set, "name"));
}

/* --- the answer --------------------------------------------------------------------------------
 */

/* NS below the top of the zone: what is there is somebody else's. */
static const json_t *delegation(const struct answering *a, const char *name)
{
	const char *top = object_str(a->zone, "name");

	for (; strcasecmp(name, top); name = strchr(name, '.') + 1) {
		const json_t *set = set_of(a, name, "NS");
		if (set)
			return set;
	}
	return NULL;
}

/* The name itself, or the wildcard that stands for it; owned, NULL: neither. */
static char *stands_for(const struct answering *a, const char *name)
{
	if (exists(a, name))
		return mem_strdup(name);
	while ((name = strchr(name, '.')) && *++name)
		if (exists(a, name)) {
			char *star = mem_printf("*.%s", name);
			if (set_of(a, star, NULL))
				return star;
			free(star);
			return NULL;
		}
	return NULL;
}

/* Pushes what the name has of the type; *ret_alias is where a CNAME leads, borrowed. */
static bool push_type(
	struct answering *a, const char *at, const char *owner, const char **ret_alias)
{
	bool any = false;
	size_t i;
	json_t *set;

	json_array_foreach (a->sets, i, set) {
		const char *type = json_str(set, "type");
		const bool alias = !strcmp(type, "CNAME");
		if (strcasecmp(json_str(set, "name"), at) ||
			(!alias && a->type != LDNS_RR_TYPE_ANY &&
				ldns_get_rr_type_by_name(type) != a->type))
			continue;
		push_set(a, LDNS_SECTION_ANSWER, set, owner);
		any = any || json_array_size(json_object_get(set, "records"));
		if (alias && a->type != LDNS_RR_TYPE_CNAME && a->type != LDNS_RR_TYPE_ANY)
			*ret_alias = json_string_value(
				json_array_get(json_object_get(set, "records"), 0));
	}
	return any;
}

static ldns_pkt_rcode answer_name(struct answering *a, const char *name)
{
	for (int links = 0; links < CHAIN_MAX; links++) {
		const char *alias = NULL;
		const json_t *elsewhere = delegation(a, name);
		if (elsewhere) {
			ldns_pkt_set_aa(a->out, links > 0);
			push_set(a, LDNS_SECTION_AUTHORITY, elsewhere, json_str(elsewhere, "name"));
			return LDNS_RCODE_NOERROR;
		}
		char *at = stands_for(a, name);
		const bool any = at && push_type(a, at, name, &alias);
		const bool there = at != NULL;
		free(at);
		if (!any) {
			push_soa(a);
			return there || links > 0 ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN;
		}
		if (!alias || !within(alias, object_str(a->zone, "name")))
			return LDNS_RCODE_NOERROR;
		name = alias;
	}
	return LDNS_RCODE_SERVFAIL;
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* NULL: it deserves no answer. */
static ldns_pkt *parse(const void *query, size_t n)
{
	ldns_pkt *q = NULL;

	if (n < LDNS_HEADER_SIZE || n > NAME_QUERY_MAX || ((const uint8_t *)query)[2] & 0x80 ||
		ldns_wire2pkt(&q, query, n) != LDNS_STATUS_OK)
		return NULL;
	return q;
}

static ldns_pkt *reply_to(const ldns_pkt *q)
{
	ldns_pkt *out = ldns_pkt_new();
	const ldns_rr_list *questions = ldns_pkt_question(q);

	ldns_pkt_set_id(out, ldns_pkt_id(q));
	ldns_pkt_set_qr(out, true);
	ldns_pkt_set_opcode(out, ldns_pkt_get_opcode(q));
	ldns_pkt_set_rd(out, ldns_pkt_rd(q));
	if (ldns_rr_list_rr_count(questions) == 1)
		ldns_pkt_push_rr(
			out, LDNS_SECTION_QUESTION, ldns_rr_clone(ldns_rr_list_rr(questions, 0)));
	if (ldns_pkt_edns(q))
		ldns_pkt_set_edns_udp_size(out, UDP_MOST);
	return out;
}

static void respond(struct sim *s, const ldns_pkt *q, ldns_pkt *out)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(q), 0);
	struct answering a = {.sim = s, .out = out};

	if (ldns_pkt_get_opcode(q) != LDNS_PACKET_QUERY) {
		ldns_pkt_set_rcode(out, LDNS_RCODE_NOTIMPL);
		return;
	}
	if (!question || ldns_rr_list_rr_count(ldns_pkt_question(q)) != 1) {
		ldns_pkt_set_rcode(out, LDNS_RCODE_FORMERR);
		return;
	}
	char *name = ldns_rdf2str(ldns_rr_owner(question));
	a.type = ldns_rr_get_type(question);
	a.zone = ldns_rr_get_class(question) == LDNS_RR_CLASS_IN ? zone_for(s, name) : NULL;
	if (!a.zone || a.type == LDNS_RR_TYPE_AXFR || a.type == LDNS_RR_TYPE_IXFR) {
		ldns_pkt_set_rcode(out, LDNS_RCODE_REFUSED);
	} else {
		a.sets = dns_served(a.zone)->sets;
		ldns_pkt_set_aa(out, true);
		ldns_pkt_set_rcode(out, answer_name(&a, name));
	}
	LDNS_FREE(name);
}

static size_t room(const ldns_pkt *q)
{
	const size_t wants = ldns_pkt_edns(q) ? ldns_pkt_edns_udp_size(q) : 0;

	return wants < UDP_PLAIN ? UDP_PLAIN : wants > UDP_MOST ? UDP_MOST : wants;
}

static bool append(const ldns_pkt *p, size_t most, struct buf *out)
{
	uint8_t *wire = NULL;
	size_t n = 0;
	const bool good = ldns_pkt2wire(&wire, p, &n) == LDNS_STATUS_OK && n <= most;

	if (good)
		buf_add(out, wire, n);
	LDNS_FREE(wire);
	return good;
}

void name_answer(struct sim *s, const void *query, size_t n, bool udp, struct buf *out)
{
	ldns_pkt *q = parse(query, n);

	if (!q)
		return;
	ldns_pkt *reply = reply_to(q);
	respond(s, q, reply);
	if (!append(reply, udp ? room(q) : UINT16_MAX, out)) {
		ldns_pkt *cut = reply_to(q);
		ldns_pkt_set_aa(cut, ldns_pkt_aa(reply));
		ldns_pkt_set_tc(cut, true);
		append(cut, UDP_PLAIN, out);
		ldns_pkt_free(cut);
	}
	ldns_pkt_free(reply);
	ldns_pkt_free(q);
}

bool name_question(const void *query, size_t n, char **ret_type, char **ret_name)
{
	ldns_pkt *q = parse(query, n);
	const ldns_rr *question = q ? ldns_rr_list_rr(ldns_pkt_question(q), 0) : NULL;

	if (question) {
		char *type = ldns_rr_type2str(ldns_rr_get_type(question));
		char *name = ldns_rdf2str(ldns_rr_owner(question));
		*ret_type = mem_strdup(type);
		*ret_name = mem_strdup(name);
		LDNS_FREE(type);
		LDNS_FREE(name);
	}
	ldns_pkt_free(q);
	return question != NULL;
}

void name_failure(const void *query, size_t n, struct buf *out)
{
	ldns_pkt *q = parse(query, n);

	if (!q)
		return;
	ldns_pkt *reply = reply_to(q);
	ldns_pkt_set_rcode(reply, LDNS_RCODE_SERVFAIL);
	append(reply, UDP_PLAIN, out);
	ldns_pkt_free(reply);
	ldns_pkt_free(q);
}
