/*
 * dns_inside.h - the inside of kind dns: dns.c reads and measures, dns_ask.c asks.
 */
#ifndef OBSERVE_PROBE_DNS_INSIDE_H
#define OBSERVE_PROBE_DNS_INSIDE_H

#include "net/dns.h"
#include "net/dnssec.h"
#include "observe/probe/kind.h"

#define DNS_SERVERS_MAX 16

struct dns_spec {
	/* keys */
	char *name, *type, *server, *anchor, **serial_of;
	bool tcp, dnssec, recursion;
	/* made of them */
	size_t servers;                 /* of serial_of; 0: one question to `server` */
	struct dnssec_anchors *anchors; /* NULL: no default on this machine */
};

struct dns_asking;

struct dns_part { /* one question */
	struct dns_asking *asking;
	const char *server;    /* NULL: the machine's resolvers */
	struct dns_call *call; /* NULL: it has ended */
	uint32_t serial;
};

struct dns_asking {
	struct attempt *attempt; /* NULL: nobody wants to know any more */
	struct dns_part *parts;
	size_t n, under_way;
	/* the answer, of the first server; the texts are owned */
	bool answered, tcp, authoritative;
	unsigned answer_records, authority_records, additional_records;
	char rcode[DNS_RCODE_TEXT];
	char **answers, *first;
	size_t answer_n;
	uint32_t ttl;
	/* of serial_of */
	bool compared;
	uint32_t serial; /* the newest */
	int64_t skew;
	enum fault fault; /* of one that did not say its serial */
	char detail[200];
	/* of dnssec */
	struct dnssec *dnssec; /* NULL: nothing came that could be signed */
	bool judged;           /* its verdict stands */
};

void dns_start(struct attempt *a);
void dns_stop(struct attempt *a);
void dns_release(struct attempt *a);
/* The serial in the text of a SOA. */
bool dns_serial(const char *soa, uint32_t *ret);

#endif
