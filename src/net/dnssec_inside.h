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

/* --- the answers so far ------------------------------------------------------------------------
 */

#define CHAIN_MAX 8 /* CNAMEs, one after the other */

struct set {
	ldns_rr_list *records, *signatures; /* owned; NULL: not there */
};

struct zone {
	ldns_rdf *name;
	char *text;
	struct set keys, ds;
	bool anchored, asked_keys, asked_ds;
	bool of_answer; /* it signed some of it */
	bool judged, trusted;
};

struct claim { /* that something is not there */
	enum denied what;
	ldns_rdf *name, *zone; /* owned */
	unsigned labels;
};

struct dnssec {
	const struct dnssec_anchors *anchors;
	ldns_rdf *name;
	ldns_rr_type type;
	int64_t now_s;
	struct set answer[CHAIN_MAX];
	size_t answers;
	struct claim claims[CHAIN_MAX + 1];
	size_t claim_n;
	struct set proofs[DENIAL_PROOFS_MAX]; /* NSEC and NSEC3, one record each */
	size_t proof_n;
	struct zone zones[DNSSEC_ZONES_MAX];
	size_t zone_n;
	size_t at; /* the zone that is asked about */
	bool taken, over;
	unsigned computed;
	struct dnssec_verdict verdict;
};

/* --- dnssec.c ---------------------------------------------------------------------------------- */

/* Keeps the first reason: what follows from it says less. */
void dnssec_doubt(struct dnssec *d, const char *fmt, ...) like_printf(2, 3);
/* The zone of that name, new if need be. NULL, with the doubt told: too many, or below no anchor. */
struct zone *dnssec_zone_need(struct dnssec *d, const ldns_rdf *name);
/* Who signed a set, if it may sign such a name: it is the name's own zone, or above it. NULL with
 * the doubt told. Borrows. */
const ldns_rdf *dnssec_signer(struct dnssec *d, const struct set *s);

/* --- dnssec_set.c ------------------------------------------------------------------------------ */

char *dnssec_name_text(const ldns_rdf *name); /* owned */
bool dnssec_same(const ldns_rdf *a, const ldns_rdf *b);
size_t dnssec_count(const ldns_rr_list *list); /* NULL: 0 */
ldns_rr_type dnssec_type_covered(const ldns_rr *signature);
bool dnssec_is_whole(const ldns_rr *rr);
bool dnssec_is_denial(ldns_rr_type type);
/* Copies what of them is of that name and type. */
void dnssec_set_take(
	struct set *s, const ldns_rr_list *all, const ldns_rdf *owner, ldns_rr_type type);
void dnssec_set_fini(struct set *s);
ldns_rdf *dnssec_set_owner(const struct set *s);
char *dnssec_set_text(const struct set *s); /* "www.example.org. A"; owned */
/* Whether it was made of a wildcard, which has so many labels. */
bool dnssec_is_expanded(const struct set *s, unsigned *ret_labels);

/* --- dnssec_signature.c ------------------------------------------------------------------------ */

/* By the zone, with any of `keys` (NULL: all it has). `counts`: its end is one of the verdict's. */
bool dnssec_is_signed(struct dnssec *d, const struct set *s, const struct zone *z,
	const ldns_rr_list *keys, bool counts);
/* Keys of the zone that the anchors, or the DS of its parent, speak of; a list that borrows. */
ldns_rr_list *dnssec_vouched(const struct zone *z, const ldns_rr_list *by);

/* --- dnssec_take.c ----------------------------------------------------------------------------- */

/* The answer to the question itself; of a zone's keys; of its DS. */
void dnssec_take_answer(struct dnssec *d, const ldns_pkt *p);
void dnssec_take_keys(struct dnssec *d, struct zone *z, const ldns_pkt *p);
void dnssec_take_ds(struct dnssec *d, struct zone *z, const ldns_pkt *p);

#endif
