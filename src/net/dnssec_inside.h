/* dnssec_inside.h - shared by dnssec.c and dnssec_anchors.c alone. */
#ifndef NET_DNSSEC_INSIDE_H
#define NET_DNSSEC_INSIDE_H

#include <ldns/ldns.h>

#include "net/dnssec.h"

struct dnssec_anchors {
	ldns_rr_list *records; /* DS and DNSKEY, of any zones */
};

#endif
