/*
 * dnssec_take.c - what is taken of each answer: sets, claims that something is not there, and the
 * zones that have to be asked about for them.
 */

#include "net/dnssec_inside.h"

static void claim(struct dnssec *d, enum denied what, const ldns_rdf *name, const ldns_rdf *zone,
	unsigned labels)
{
	d->claims[d->claim_n++] =
		(struct claim){what, ldns_rdf_clone(name), ldns_rdf_clone(zone), labels};
}

/* Signed records of NSEC and NSEC3 beside the answer, of that zone. */
static void take_proofs(struct dnssec *d, const ldns_pkt *p, const ldns_rdf *zone)
{
	const ldns_rr_list *all = ldns_pkt_authority(p);

	for (size_t i = 0; i < dnssec_count(all) && d->proof_n < DENIAL_PROOFS_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		const ldns_rr_type type = ldns_rr_get_type(rr);
		struct set *s = &d->proofs[d->proof_n];
		bool known = !dnssec_is_denial(type) || !dnssec_is_whole(rr);
		for (size_t k = 0; k < d->proof_n && !known; k++)
			known = dnssec_same(dnssec_set_owner(&d->proofs[k]), ldns_rr_owner(rr));
		if (known)
			continue;
		dnssec_set_take(s, all, ldns_rr_owner(rr), type);
		if (dnssec_count(s->records) == 1 && dnssec_count(s->signatures) &&
			dnssec_same(
				ldns_rr_rrsig_signame(ldns_rr_list_rr(s->signatures, 0)), zone)) {
			d->proof_n++;
			continue;
		}
		dnssec_set_fini(s);
		*s = (struct set){0};
	}
}

/* The zone that says that it has no such thing: by the first such record that it signed. */
static const ldns_rdf *denier_of(const ldns_pkt *p, const ldns_rdf *name)
{
	const ldns_rr_list *all = ldns_pkt_authority(p);

	for (size_t i = 0; i < dnssec_count(all); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG || !dnssec_is_whole(rr) ||
			!dnssec_is_denial(dnssec_type_covered(rr)))
			continue;
		const ldns_rdf *zone = ldns_rr_rrsig_signame(rr);
		if (dnssec_same(name, zone) || ldns_dname_is_subdomain(name, zone))
			return zone;
	}
	return NULL;
}

static void take_denial(struct dnssec *d, const ldns_pkt *p, const ldns_rdf *name)
{
	const ldns_rdf *zone = denier_of(p, name);
	struct zone *z = zone ? dnssec_zone_need(d, zone) : NULL;

	if (!zone)
		dnssec_doubt(d, "there is no answer that could be signed");
	if (!z)
		return;
	z->of_answer = true;
	take_proofs(d, p, zone);
	claim(d, ldns_pkt_get_rcode(p) == LDNS_RCODE_NXDOMAIN ? DENIED_NAME : DENIED_TYPE, name,
		zone, 0);
}

/* A wildcard may answer only where nothing nearer is. */
static void take_expanded(struct dnssec *d, const ldns_pkt *p, const struct set *s)
{
	const ldns_rdf *zone = ldns_rr_rrsig_signame(ldns_rr_list_rr(s->signatures, 0));
	unsigned labels;

	if (!dnssec_is_expanded(s, &labels))
		return;
	take_proofs(d, p, zone);
	claim(d, DENIED_EXPANDED, dnssec_set_owner(s), zone, labels);
}

/* The sets that lead from the name to what was asked for, and who signed them. */
void dnssec_take_answer(struct dnssec *d, const ldns_pkt *p)
{
	const ldns_rdf *name = d->name;

	while (name && d->answers < CHAIN_MAX) {
		struct set *s = &d->answer[d->answers++];
		dnssec_set_take(s, ldns_pkt_answer(p), name, d->type);
		const bool last = dnssec_count(s->records) > 0;
		if (!last) {
			dnssec_set_fini(s);
			*s = (struct set){0};
			dnssec_set_take(s, ldns_pkt_answer(p), name, LDNS_RR_TYPE_CNAME);
		}
		if (!dnssec_count(s->records)) {
			dnssec_set_fini(s);
			*s = (struct set){0};
			d->answers--;
			take_denial(d, p, name);
			return;
		}
		const ldns_rdf *signer = dnssec_signer(d, s);
		struct zone *z = signer ? dnssec_zone_need(d, signer) : NULL;
		if (!z)
			return;
		z->of_answer = true;
		take_expanded(d, p, s);
		name = last ? NULL : ldns_rr_rdf(ldns_rr_list_rr(s->records, 0), 0);
	}
	if (name)
		dnssec_doubt(d, "the name leads through more than %d others", CHAIN_MAX);
}

void dnssec_take_keys(struct dnssec *d, struct zone *z, const ldns_pkt *p)
{
	z->asked_keys = true;
	dnssec_set_take(&z->keys, ldns_pkt_answer(p), z->name, LDNS_RR_TYPE_DNSKEY);
	if (!dnssec_count(z->keys.records))
		dnssec_doubt(d, "%.100s says nothing of its keys (DNSKEY)", z->text);
	else if (dnssec_count(z->keys.records) > DNSSEC_KEYS_MAX)
		dnssec_doubt(d, "%.100s has more than %d keys", z->text, DNSSEC_KEYS_MAX);
}

void dnssec_take_ds(struct dnssec *d, struct zone *z, const ldns_pkt *p)
{
	z->asked_ds = true;
	dnssec_set_take(&z->ds, ldns_pkt_answer(p), z->name, LDNS_RR_TYPE_DS);
	if (!dnssec_count(z->ds.records)) {
		dnssec_doubt(d, "there is no DS for %.100s: nobody vouches for its keys", z->text);
		return;
	}
	const ldns_rdf *signer = dnssec_signer(d, &z->ds);
	if (signer && dnssec_same(signer, z->name))
		dnssec_doubt(d, "the DS of %.100s is signed by itself, not by its parent", z->text);
	else if (signer)
		dnssec_zone_need(d, signer);
}
