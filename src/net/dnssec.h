/*
 * dnssec.h - whether an answer is signed all the way down from a trust anchor (RFC 4035).
 *
 * It asks nothing itself: it is given answers as they came, says what is to be asked next, and has
 * its verdict when there is nothing more to ask. First the answer that is in doubt, then keys
 * (DNSKEY) and who vouches for them (DS), zone by zone upwards; only then are signatures computed,
 * so many at most. ldns reads the wire and does the cryptography. That a name or a type does not
 * exist, and that a wildcard may answer, must be proved by NSEC or NSEC3 in the same answer; what
 * one with opt-out says is no proof. Thread: one at a time.
 */
#ifndef NET_DNSSEC_H
#define NET_DNSSEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define DNSSEC_ANCHORS_MAX (64u << 10) /* bytes of a file */
#define DNSSEC_ZONES_MAX   12          /* from the answer to the anchor */
#define DNSSEC_KEYS_MAX    16          /* of one zone; signatures of one set */
#define DNSSEC_VERIFY_MAX  32          /* signatures computed */
#define DNSSEC_WHY         200

struct dnssec_anchors;
struct dnssec;

struct dnssec_verdict {
	bool secure;
	char why[DNSSEC_WHY]; /* not; "" */
	/* When the first signature over the answer, or over the keys that signed it, ends; seconds
	 * since 1970, 0: there is none that fits. Those of parents are not the zone's to renew. */
	int64_t ends_s;
};

/* Records of type DS or DNSKEY as in a zone file. Returns owned; NULL with the error. */
struct dnssec_anchors *dnssec_anchors_read(struct slice text, struct error *err) must_check;
/* The same of a file. */
struct dnssec_anchors *dnssec_anchors_load(const char *path, struct error *err) must_check;
void dnssec_anchors_free(struct dnssec_anchors *a);

/* Borrows the anchors. The question is one that dns_ask() takes. */
struct dnssec *dnssec_new(
	const struct dnssec_anchors *a, const char *name, const char *type, int64_t now_s);
void dnssec_free(struct dnssec *d);
/* The answer to the question, then that to each dnssec_next(). Nothing of it is trusted. */
void dnssec_take(struct dnssec *d, struct slice wire);
/* What is to be asked; borrowed until the next dnssec_take(). False: the verdict stands. */
bool dnssec_next(const struct dnssec *d, const char **ret_name, const char **ret_type);
const struct dnssec_verdict *dnssec_verdict(const struct dnssec *d); /* borrowed */

#endif
