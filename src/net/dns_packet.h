/*
 * dns_packet.h - one DNS question and its answer as bytes (RFC 1035); ldns reads and writes them.
 *
 * What comes from the network is not trusted: it is bounded before it is looked at, must belong to
 * the question, and only texts leave here. Thread: any.
 */
#ifndef NET_DNS_PACKET_H
#define NET_DNS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/slice.h"

#define DNS_PACKET_MAX 65535 /* of a TCP answer */
#define DNS_UDP_MAX                                                                                \
	4096 /* without EDNS a good server stays below 512, with it below DNS_OFFERED              \
	      */
#define DNS_OFFERED      1232 /* what no way cuts into parts */
#define DNS_QUESTION_MAX 512
#define DNS_ANSWERS_MAX  100
#define DNS_TEXT_MAX     (64u << 10) /* of all answers together */
#define DNS_RCODE_TEXT   16

enum dns_flag {
	DNS_NO_RECURSION = 1, /* the server shall say what it knows itself */
	DNS_SIGNATURES = 2,   /* EDNS with DO and CD: signatures too, whatever they are worth */
};

/* A question as it is sent. */
struct dns_asked {
	uint16_t id, type;
	uint8_t wire[DNS_QUESTION_MAX];
	size_t n;
};

struct dns_said {
	enum fault fault; /* NONE, NXDOMAIN, NODATA, SERVFAIL, REFUSED, RESOLVE (any other code),
			     PROTOCOL, BODY_TOO_LARGE */
	char detail[128];
	char rcode[DNS_RCODE_TEXT]; /* "NOERROR", "NXDOMAIN", "RCODE11"; "" when it is no answer */
	bool truncated;             /* to be asked again by TCP; nothing else is filled in */
	bool foreign;               /* no answer to this question: not to be counted, wait on */
	size_t n;                   /* records of the type asked for, CNAMEs followed */
	char **answers;             /* owned, sorted, as in a zone file: "10 mail.example.org." */
	const char *first;          /* borrowed of them: the one that came first */
	uint32_t ttl;               /* the smallest of them */
	bool authoritative;         /* AA: the server has the zone itself */
	/* Records of each section, of any type; the additional one without EDNS's own. */
	uint16_t answer_n, authority_n, additional_n;
};

/* Whether this is a type ldns knows by name, and one that can be asked for ("AXFR" is not). */
bool dns_type_known(struct slice type);
/* `name` with or without the dot at the end, `type` as "A"; `id` should be unpredictable. */
bool dns_ask(const char *name, const char *type, uint16_t id, struct dns_asked *ret,
	struct error *err) must_check;
/* The same with DNS_... flags. */
bool dns_ask_with(const char *name, const char *type, uint16_t id, unsigned flags,
	struct dns_asked *ret, struct error *err) must_check;
/* Reads what came. `ret` is overwritten, and to be given to dns_said_fini(). */
void dns_read(const struct dns_asked *asked, const void *p, size_t n, struct dns_said *ret);
void dns_said_fini(struct dns_said *s);

#endif
