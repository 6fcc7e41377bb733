/*
 * ip.h - addresses and prefixes of both families as numbers. Thread: any.
 */
#ifndef SIM_IP_H
#define SIM_IP_H

#include <stdbool.h>

typedef unsigned __int128 ip_number; /* the only typedef here: the type has no shorter name */

struct ip {
	int version; /* 4 or 6; 0: none */
	ip_number n;
};

struct prefix {
	struct ip base; /* host bits are 0 */
	unsigned bits;
};

#define IP_TEXT 50 /* longest address, '/', prefix length, NUL */

bool ip_parse(const char *text, struct ip *ret);
const char *ip_text(struct ip a, char *text); /* canonical; returns `text` */
bool ip_equal(struct ip a, struct ip b);
/* "10.0.0.0/24"; an address alone is its own prefix. *ret_exact (may be NULL): no host bit was set.
 */
bool prefix_parse(const char *text, struct prefix *ret, bool *ret_exact);
const char *prefix_text(struct prefix p, char *text);
bool prefix_has(struct prefix p, struct ip a);
bool prefix_overlaps(struct prefix a, struct prefix b);
struct ip prefix_last(struct prefix p);

#endif
