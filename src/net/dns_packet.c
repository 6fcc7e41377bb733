#include "net/dns_packet.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define CHAIN_MAX 16 /* CNAMEs, one after the other */

/* --- asking ------------------------------------------------------------------------------------
 */

/* 0: no such type, or one that is no question for a single answer. */
static ldns_rr_type type_of(const char *name)
{
	const ldns_rr_type t = ldns_get_rr_type_by_name(name);

	return t == LDNS_RR_TYPE_AXFR || t == LDNS_RR_TYPE_IXFR || t == LDNS_RR_TYPE_OPT ? 0 : t;
}

bool dns_type_known(struct slice type)
{
	char *text = slice_dup(type);
	const bool known = type_of(text) != 0;

	free(text);
	return known;
}

bool dns_ask(
	const char *name, const char *type, uint16_t id, struct dns_asked *ret, struct error *err)
{
	return dns_ask_with(name, type, id, 0, ret, err);
}

bool dns_ask_with(const char *name, const char *type, uint16_t id, unsigned flags,
	struct dns_asked *ret, struct error *err)
{
	const ldns_rr_type t = type_of(type);
	ldns_rdf *owner = t && *name ? ldns_dname_new_frm_str(name) : NULL;

	if (!owner) {
		error_set(err, ERROR_INPUT,
			t ? "\"%.100s\" is no domain name"
			  : "\"%.100s\" is no record type such as A or MX",
			t ? name : type);
		return false;
	}
	ldns_pkt *p = ldns_pkt_query_new(owner, t, LDNS_RR_CLASS_IN,
		(flags & DNS_NO_RECURSION ? 0 : LDNS_RD) | (flags & DNS_SIGNATURES ? LDNS_CD : 0));
	uint8_t *wire = NULL;
	size_t n = 0;
	if (p)
		ldns_pkt_set_id(p, id);
	if (p && flags & DNS_SIGNATURES) {
		ldns_pkt_set_edns_udp_size(p, DNS_OFFERED);
		ldns_pkt_set_edns_do(p, true);
	}
	const bool good =
		p && ldns_pkt2wire(&wire, p, &n) == LDNS_STATUS_OK && n <= sizeof(ret->wire);
	if (good) {
		memcpy(ret->wire, wire, n);
		ret->n = n;
		ret->id = id;
		ret->type = (uint16_t)t;
	} else {
		error_set(err, ERROR_INPUT, "\"%.100s\" cannot be asked for", name);
	}
	LDNS_FREE(wire);
	ldns_pkt_free(p); /* takes the owner with it */
	return good;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static void set(struct dns_said *s, enum fault fault, const char *detail)
{
	s->fault = fault;
	snprintf(s->detail, sizeof(s->detail), "%s", detail);
}

/* The header says whether it is for us; nothing else of a foreign packet is looked at. */
static bool is_foreign(const struct dns_asked *asked, const uint8_t *p, size_t n)
{
	return n < LDNS_HEADER_SIZE || (uint16_t)(p[0] << 8 | p[1]) != asked->id || !(p[2] & 0x80);
}

/* The question comes back as it was sent, but for the case of letters. */
static bool same_question(const struct dns_asked *asked, const ldns_pkt *answer)
{
	ldns_pkt *question = NULL;

	if (ldns_wire2pkt(&question, asked->wire, asked->n) != LDNS_STATUS_OK)
		return false;
	const ldns_rr *mine = ldns_rr_list_rr(ldns_pkt_question(question), 0);
	const ldns_rr *its = ldns_rr_list_rr(ldns_pkt_question(answer), 0);
	const bool same = its && ldns_rr_list_rr_count(ldns_pkt_question(answer)) == 1 &&
			  ldns_rr_get_type(mine) == ldns_rr_get_type(its) &&
			  ldns_rr_get_class(mine) == ldns_rr_get_class(its) &&
			  ldns_dname_compare(ldns_rr_owner(mine), ldns_rr_owner(its)) == 0;
	ldns_pkt_free(question);
	return same;
}

static const char *rcode_text(ldns_pkt_rcode code, char *text)
{
	const ldns_lookup_table *row = ldns_lookup_by_id(ldns_rcodes, (int)code);

	if (row)
		snprintf(text, DNS_RCODE_TEXT, "%s", row->name);
	else
		snprintf(text, DNS_RCODE_TEXT, "RCODE%u", (unsigned)code);
	return text;
}

/* True: the code is NOERROR. */
static bool read_code(struct dns_said *s, const ldns_pkt *p)
{
	const ldns_pkt_rcode code = ldns_pkt_get_rcode(p);
	char detail[64];

	rcode_text(code, s->rcode);
	if (code == LDNS_RCODE_NOERROR)
		return true;
	if (code == LDNS_RCODE_NXDOMAIN) {
		set(s, FAULT_NXDOMAIN, "the name server says that the name does not exist");
	} else if (code == LDNS_RCODE_REFUSED) {
		set(s, FAULT_REFUSED, "the name server refuses this question (REFUSED)");
	} else if (code == LDNS_RCODE_SERVFAIL) {
		set(s, FAULT_SERVFAIL, "the name server failed (SERVFAIL)");
	} else {
		snprintf(detail, sizeof(detail), "the name server answered %s", s->rcode);
		set(s, FAULT_RESOLVE, detail);
	}
	return false;
}

/* The records' data as in a zone file, or NULL when that is too long. */
static char *record_text(const ldns_rr *rr)
{
	struct buf b = BUF(DNS_TEXT_MAX);

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		char *part = ldns_rdf2str(ldns_rr_rdf(rr, i));
		buf_printf(&b, "%s%s", i ? " " : "", part ? part : "?");
		LDNS_FREE(part);
	}
	if (!b.over)
		return buf_take(&b);
	buf_fini(&b);
	return NULL;
}

static bool add_answer(struct dns_said *s, const ldns_rr *rr, size_t *text_n)
{
	char *text = s->n < DNS_ANSWERS_MAX ? record_text(rr) : NULL;

	if (text)
		*text_n += strlen(text);
	if (!text || *text_n > DNS_TEXT_MAX) {
		free(text);
		set(s, FAULT_BODY_TOO_LARGE, "more records than a name can sensibly have");
		return false;
	}
	if (s->n == 0 || ldns_rr_ttl(rr) < s->ttl)
		s->ttl = ldns_rr_ttl(rr);
	if (s->n == 0)
		s->first = text;
	s->answers[s->n++] = text;
	return true;
}

/* Where the CNAMEs among the answers lead to, beginning with the name asked for. Borrows. */
static const ldns_rdf *last_name(const ldns_rdf *name, const ldns_rr_list *answers)
{
	for (int links = 0; links < CHAIN_MAX; links++) {
		const ldns_rdf *next = NULL;
		for (size_t i = 0; !next && i < ldns_rr_list_rr_count(answers); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(answers, i);
			if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
				ldns_dname_compare(ldns_rr_owner(rr), name) == 0)
				next = ldns_rr_rdf(rr, 0);
		}
		if (!next)
			break;
		name = next;
	}
	return name;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_answers(struct dns_said *s, const struct dns_asked *asked, const ldns_pkt *p)
{
	const ldns_rr_list *list = ldns_pkt_answer(p);
	const ldns_rdf *name = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(p), 0));
	size_t text_n = 0;

	if (asked->type != LDNS_RR_TYPE_CNAME)
		name = last_name(name, list);
	s->answers = mem_new_array(DNS_ANSWERS_MAX, sizeof(*s->answers));
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if ((ldns_rr_get_type(rr) == asked->type || asked->type == LDNS_RR_TYPE_ANY) &&
			ldns_dname_compare(ldns_rr_owner(rr), name) == 0 &&
			!add_answer(s, rr, &text_n))
			return;
	}
	if (s->n == 0)
		set(s, FAULT_NODATA, "the name exists but has no record of this type");
	qsort(s->answers, s->n, sizeof(*s->answers), compare_texts);
}

void dns_read(const struct dns_asked *asked, const void *p, size_t n, struct dns_said *ret)
{
	ldns_pkt *packet = NULL;

	*ret = (struct dns_said){0};
	if (is_foreign(asked, p, n)) {
		ret->foreign = true;
		return;
	}
	if (((const uint8_t *)p)[2] & 0x02) { /* TC: the rest may be cut anywhere */
		ret->truncated = true;
		return;
	}
	if (n > DNS_PACKET_MAX || ldns_wire2pkt(&packet, p, n) != LDNS_STATUS_OK) {
		set(ret, FAULT_PROTOCOL, "what came is no DNS answer");
		return;
	}
	/* Servers that fail early may leave the question out. */
	const bool bare = ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 0 &&
			  ldns_pkt_get_rcode(packet) != LDNS_RCODE_NOERROR;
	if (!bare && !same_question(asked, packet))
		ret->foreign = true;
	else if (read_code(ret, packet))
		read_answers(ret, asked, packet);
	if (!ret->foreign) {
		ret->authoritative = ldns_pkt_aa(packet);
		ret->answer_n = (uint16_t)ldns_rr_list_rr_count(ldns_pkt_answer(packet));
		ret->authority_n = (uint16_t)ldns_rr_list_rr_count(ldns_pkt_authority(packet));
		ret->additional_n = (uint16_t)ldns_rr_list_rr_count(ldns_pkt_additional(packet));
	}
	ldns_pkt_free(packet);
}

void dns_said_fini(struct dns_said *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->answers[i]);
	free(s->answers);
	*s = (struct dns_said){0};
}
