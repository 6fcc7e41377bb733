/*
 * dnssec_denial.c - what signed records of NSEC and NSEC3 prove (RFC 4035 5.4, RFC 5155 8, RFC 6840
 * 4). Their signatures were held to the zone's keys before: here is what they say.
 */

#include "net/dnssec_inside.h"

#define HASH_SHA1      1
#define HASH_SIZE      20
#define HASH_LABEL     33  /* in base32, with its length */
#define ITERATIONS_MAX 100 /* RFC 9276: more are not worth their computing */

/* --- one record --------------------------------------------------------------------------------
 */

static bool is_hashed(const ldns_rr *proof)
{
	return ldns_rr_get_type(proof) == LDNS_RR_TYPE_NSEC3;
}

/* The bitmap is blocks of 256 types: number, length, bits. */
static bool has_type(const ldns_rr *proof, ldns_rr_type type)
{
	const ldns_rdf *map = ldns_rr_rdf(proof, is_hashed(proof) ? 5 : 1);
	const uint8_t *p = map ? ldns_rdf_data(map) : NULL;
	size_t n = map ? ldns_rdf_size(map) : 0;
	const size_t byte = type % 256 / 8;
	while (n > 2 && n >= 2u + p[1]) {
		if (p[0] == type / 256)
			return byte < p[1] && p[2 + byte] & (0x80 >> type % 8);
		n -= 2u + p[1];
		p += 2 + p[1];
	}
	return false;
}

/* Made by the parent of a zone that begins there: of what lies in it, it knows nothing. */
static bool is_parents(const ldns_rr *proof)
{
	return has_type(proof, LDNS_RR_TYPE_NS) && !has_type(proof, LDNS_RR_TYPE_SOA);
}

/* That there is the name, but nothing of this type. */
static bool denies_type(const ldns_rr *proof, ldns_rr_type type)
{
	const bool right_side =
		type == LDNS_RR_TYPE_DS ? !has_type(proof, LDNS_RR_TYPE_SOA) : !is_parents(proof);
	return right_side && !has_type(proof, type) && !has_type(proof, LDNS_RR_TYPE_CNAME);
}

/* Whether names below that of the record may be looked for in its zone. */
static bool reaches_below(const ldns_rr *proof)
{
	return !is_parents(proof) && !has_type(proof, LDNS_RR_TYPE_DNAME);
}

static ldns_rdf *wildcard_of(const ldns_rdf *encloser)
{
	ldns_rdf *star = ldns_dname_new_frm_str("*.");
	if (ldns_dname_cat(star, encloser) == LDNS_STATUS_OK)
		return star;
	ldns_rdf_deep_free(star); /* too long to be a name */
	return NULL;
}

/* --- NSEC: names in their order ----------------------------------------------------------------
 */

static const ldns_rr *nsec_at(const struct denial *d, const ldns_rdf *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!is_hashed(d->proofs[i]) &&
			ldns_dname_compare(ldns_rr_owner(d->proofs[i]), name) == 0)
			return d->proofs[i];
	return NULL;
}

static bool nsec_spans(const struct denial *d, const ldns_rr *proof, const ldns_rdf *name)
{
	const ldns_rdf *owner = ldns_rr_owner(proof), *next = ldns_rr_rdf(proof, 0);
	const bool last = ldns_dname_compare(next, d->zone) == 0;
	return ldns_dname_compare(owner, name) < 0 &&
	       (last || ldns_dname_compare(name, next) < 0) &&
	       (!ldns_dname_is_subdomain(name, owner) || reaches_below(proof));
}

/* The one between whose names this one would lie, or NULL. */
static const ldns_rr *nsec_over(const struct denial *d, const ldns_rdf *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!is_hashed(d->proofs[i]) && nsec_spans(d, d->proofs[i], name))
			return d->proofs[i];
	return NULL;
}

static bool is_at_or_below(const ldns_rdf *name, const ldns_rdf *above)
{
	return ldns_dname_compare(name, above) == 0 || ldns_dname_is_subdomain(name, above);
}

/* "*." and the longest name above `name` that there is, by the record that spans it. Owned. */
static ldns_rdf *nsec_wildcard(const ldns_rr *over, const ldns_rdf *name)
{
	ldns_rdf *above = ldns_dname_left_chop(name);
	while (above && !is_at_or_below(ldns_rr_owner(over), above) &&
		!is_at_or_below(ldns_rr_rdf(over, 0), above)) {
		ldns_rdf *next = ldns_dname_left_chop(above);
		ldns_rdf_deep_free(above);
		above = next;
	}
	ldns_rdf *star = above ? wildcard_of(above) : NULL;
	ldns_rdf_deep_free(above);
	return star;
}

static bool nsec_proves(const struct denial *d)
{
	const ldns_rr *at = nsec_at(d, d->name), *over = nsec_over(d, d->name);
	if (d->what == DENIED_EXPANDED)
		return over != NULL;
	if (at)
		return d->what == DENIED_TYPE && denies_type(at, d->type);
	if (!over)
		return false;
	if (ldns_dname_is_subdomain(ldns_rr_rdf(over, 0), d->name))
		return d->what == DENIED_TYPE; /* names below it alone */
	ldns_rdf *star = nsec_wildcard(over, d->name);
	const ldns_rr *stars = star ? nsec_at(d, star) : NULL;
	const bool good = d->what == DENIED_NAME ? star && nsec_over(d, star)
						 : stars && denies_type(stars, d->type);
	ldns_rdf_deep_free(star);
	return good;
}

/* --- NSEC3: hashes in their order --------------------------------------------------------------
 */

/* The hash of a name, as the owner that its record has. Owned. */
static ldns_rdf *hashed(const struct denial *d, const ldns_rdf *name)
{
	ldns_rdf *h = ldns_nsec3_hash_name_frm_nsec3(d->hashing, name);
	if (h && ldns_dname_cat(h, d->zone) == LDNS_STATUS_OK)
		return h;
	ldns_rdf_deep_free(h);
	return NULL;
}

static bool same_hashing(const ldns_rr *a, const ldns_rr *b)
{
	for (size_t i = 0; i < 4; i++) /* but for the flags */
		if (i != 1 && ldns_rdf_compare(ldns_rr_rdf(a, i), ldns_rr_rdf(b, i)) != 0)
			return false;
	return true;
}

/* What is signed may still be of a shape that ldns does not expect. */
static bool is_usable(const struct denial *d, const ldns_rr *proof)
{
	const ldns_rdf *owner = ldns_rr_owner(proof);
	if (!is_hashed(proof) || ldns_nsec3_flags(proof) > 1 || !same_hashing(proof, d->hashing))
		return false;
	const ldns_rdf *next = ldns_nsec3_next_owner(proof);
	return ldns_rdf_size(next) == 1 + HASH_SIZE && *ldns_rdf_data(next) == HASH_SIZE &&
	       ldns_rdf_size(owner) == HASH_LABEL + ldns_rdf_size(d->zone) &&
	       ldns_dname_is_subdomain(owner, d->zone);
}

static const ldns_rr *nsec3_at(const struct denial *d, const ldns_rdf *name)
{
	ldns_rdf *h = hashed(d, name);
	const ldns_rr *found = NULL;
	for (size_t i = 0; h && i < d->n && !found; i++)
		if (is_usable(d, d->proofs[i]) &&
			ldns_dname_compare(ldns_rr_owner(d->proofs[i]), h) == 0)
			found = d->proofs[i];
	ldns_rdf_deep_free(h);
	return found;
}

/* One with opt-out says nothing for sure: what is not signed may lie there. */
static bool nsec3_covers(const struct denial *d, const ldns_rdf *name)
{
	ldns_rdf *h = hashed(d, name);
	bool found = false;
	for (size_t i = 0; h && i < d->n && !found; i++)
		found = is_usable(d, d->proofs[i]) && !ldns_nsec3_optout(d->proofs[i]) &&
			ldns_dname_compare(ldns_rr_owner(d->proofs[i]), h) != 0 &&
			ldns_nsec_covers_name(d->proofs[i], h);
	ldns_rdf_deep_free(h);
	return found;
}

/* The longest name above that there is, when the next longer one is denied: owned, or NULL. */
static ldns_rdf *closest_encloser(const struct denial *d)
{
	ldns_rdf *longer = ldns_rdf_clone(d->name), *above = ldns_dname_left_chop(longer);
	while (above && is_at_or_below(above, d->zone)) {
		const ldns_rr *at = nsec3_at(d, above);
		const bool good = at && reaches_below(at) && nsec3_covers(d, longer);
		ldns_rdf_deep_free(longer);
		if (good)
			return above;
		longer = above;
		above = at ? NULL : ldns_dname_left_chop(longer);
	}
	ldns_rdf_deep_free(longer);
	ldns_rdf_deep_free(above);
	return NULL;
}

/* Of a name that a wildcard answered for: nothing lies nearer to it than the wildcard. */
static bool nothing_nearer(const struct denial *d)
{
	ldns_rdf *name = ldns_rdf_clone(d->name);
	while (name && ldns_dname_label_count(name) > d->labels + 1u) {
		ldns_rdf *above = ldns_dname_left_chop(name);
		ldns_rdf_deep_free(name);
		name = above;
	}
	const bool good = name && nsec3_covers(d, name);
	ldns_rdf_deep_free(name);
	return good;
}

static bool nsec3_proves(const struct denial *d)
{
	if (d->what == DENIED_EXPANDED)
		return nothing_nearer(d);
	const ldns_rr *at = nsec3_at(d, d->name);
	if (at)
		return d->what == DENIED_TYPE && denies_type(at, d->type);
	ldns_rdf *encloser = closest_encloser(d), *star = encloser ? wildcard_of(encloser) : NULL;
	const ldns_rr *stars = star && d->what == DENIED_TYPE ? nsec3_at(d, star) : NULL;
	const bool good = d->what == DENIED_NAME ? star && nsec3_covers(d, star)
						 : stars && denies_type(stars, d->type);
	ldns_rdf_deep_free(star);
	ldns_rdf_deep_free(encloser);
	return good;
}

bool denial_proves(struct denial *d)
{
	for (size_t i = 0; i < d->n && !d->hashing; i++)
		if (is_hashed(d->proofs[i]) && ldns_nsec3_algorithm(d->proofs[i]) == HASH_SHA1 &&
			ldns_nsec3_iterations(d->proofs[i]) <= ITERATIONS_MAX)
			d->hashing = d->proofs[i];
	return nsec_proves(d) || (d->hashing && nsec3_proves(d));
}
