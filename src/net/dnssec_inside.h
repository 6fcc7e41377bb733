/* dnssec_inside.h - shared by the files of dnssec alone. */
#ifndef NET_DNSSEC_INSIDE_H
#define NET_DNSSEC_INSIDE_H

#include <ldns/ldns.h>

#include "net/dnssec.h"

struct dnssec_anchors {
	ldns_rr_list *records; /* DS and DNSKEY, of any zones */
};

/* --- dnssec_denial.c -------------------------------------------------------------------------- */

#define DENIAL_PROOFS_MAX 8

enum denied {
	DENIED_NAME,    /* there is no such name (NXDOMAIN), and no wildcard for it */
	DENIED_TYPE,    /* the name, or a wildcard for it, has nothing of the type */
	DENIED_EXPANDED /* a wildcard of `labels` names above it answered: none nearer is there */
};

/* What an answer says without a record of its own, and what is to prove it; borrows all. The name
 * lies in the zone. */
struct denial {
	enum denied what;
	const ldns_rdf *name, *zone;
	ldns_rr_type type;
	unsigned labels;
	/* NSEC and NSEC3, whole and signed by the zone */
	const ldns_rr *proofs[DENIAL_PROOFS_MAX];
	size_t n;
	const ldns_rr *hashing; /* set within: whose parameters count; NULL: no NSEC3 */
};
bool denial_proves(struct denial *d);

#endif
