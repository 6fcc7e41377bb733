/*
 * dnssec.c - see dnssec.h.
 *
 * A set is the records of one name and type with the signatures over them. The sets of the answer
 * are signed by zones; the keys of a zone are a set signed by itself, and vouched for by an anchor
 * or by the set of DS that its parent signed. Who the parent is, those signatures say.
 */

#include "net/dnssec_inside.h"

#include <stdio.h>

#include "base/mem.h"

void dnssec_doubt(struct dnssec *d, const char *fmt, ...)
{
	va_list ap;

	if (d->verdict.why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->verdict.why, sizeof(d->verdict.why), fmt, ap);
	va_end(ap);
}

/* --- zones -------------------------------------------------------------------------------------
 */

static struct zone *zone_find(struct dnssec *d, const ldns_rdf *name)
{
	for (size_t i = 0; i < d->zone_n; i++)
		if (dnssec_same(d->zones[i].name, name))
			return &d->zones[i];
	return NULL;
}

/* Whether there is an anchor of this zone; or, `above`, of one that it lies in. */
static bool is_anchored(const struct dnssec *d, const ldns_rdf *name, bool above)
{
	for (size_t i = 0; i < dnssec_count(d->anchors->records); i++) {
		const ldns_rdf *owner = ldns_rr_owner(ldns_rr_list_rr(d->anchors->records, i));
		if (above ? ldns_dname_is_subdomain(name, owner) : dnssec_same(owner, name))
			return true;
	}
	return false;
}

struct zone *dnssec_zone_need(struct dnssec *d, const ldns_rdf *name)
{
	struct zone *z = zone_find(d, name);

	if (z)
		return z;
	const bool anchored = is_anchored(d, name, false);
	if (!anchored && !is_anchored(d, name, true)) {
		char *text = dnssec_name_text(name);
		dnssec_doubt(d, "%.100s does not lie below the trust anchor", text);
		free(text);
		return NULL;
	}
	if (d->zone_n == DNSSEC_ZONES_MAX) {
		dnssec_doubt(d, "more than %d zones lie between the answer and the trust anchor",
			DNSSEC_ZONES_MAX);
		return NULL;
	}
	z = &d->zones[d->zone_n++];
	z->name = ldns_rdf_clone(name);
	z->text = dnssec_name_text(name);
	z->anchored = anchored;
	return z;
}

const ldns_rdf *dnssec_signer(struct dnssec *d, const struct set *s)
{
	const ldns_rr *signature =
		dnssec_count(s->signatures) ? ldns_rr_list_rr(s->signatures, 0) : NULL;
	const ldns_rdf *signer = signature ? ldns_rr_rrsig_signame(signature) : NULL,
		       *owner = ldns_rr_owner(ldns_rr_list_rr(s->records, 0));
	char *text = dnssec_set_text(s);

	if (!signer)
		dnssec_doubt(d, "%s is not signed", text);
	else if (!dnssec_same(owner, signer) && !ldns_dname_is_subdomain(owner, signer)) {
		dnssec_doubt(d, "%s is signed by a zone it does not lie in", text);
		signer = NULL;
	}
	free(text);
	return signer;
}

/* --- the verdict -------------------------------------------------------------------------------
 */

static bool is_trusted(struct dnssec *d, struct zone *z);

/* The anchors, or the DS once its signature is known to be the parent's. NULL: neither. */
static const ldns_rr_list *voucher(struct dnssec *d, const struct zone *z)
{
	if (z->anchored)
		return d->anchors->records;
	const ldns_rdf *signer = dnssec_signer(d, &z->ds);
	struct zone *parent = signer ? zone_find(d, signer) : NULL;
	return parent && is_trusted(d, parent) && dnssec_is_signed(d, &z->ds, parent, NULL, false)
		       ? z->ds.records
		       : NULL;
}

/* Each zone's parent lies above it: this ends. */
static bool is_trusted(struct dnssec *d, struct zone *z)
{
	if (z->judged)
		return z->trusted;
	z->judged = true;
	const ldns_rr_list *by = voucher(d, z);
	if (!by)
		return false;
	ldns_rr_list *entry = dnssec_vouched(z, by);
	if (ldns_rr_list_rr_count(entry) == 0)
		dnssec_doubt(d, "no key of %.100s is the one that %s speaks of (bogus)", z->text,
			z->anchored ? "the trust anchor" : "the DS in its parent zone");
	else
		z->trusted = dnssec_is_signed(d, &z->keys, z, entry, z->of_answer);
	ldns_rr_list_free(entry);
	return z->trusted;
}

/* The records that the zone made whole: one that a wildcard was made into proves nothing. */
static void add_proofs(const struct dnssec *d, struct denial *to)
{
	unsigned labels;

	for (size_t i = 0; i < d->proof_n; i++) {
		const struct set *s = &d->proofs[i];
		const ldns_rr *signature = ldns_rr_list_rr(s->signatures, 0);
		if (dnssec_same(ldns_rr_rrsig_signame(signature), to->zone) &&
			!dnssec_is_expanded(s, &labels))
			to->proofs[to->n++] = ldns_rr_list_rr(s->records, 0);
	}
}

static bool is_proved(struct dnssec *d, const struct claim *c)
{
	struct denial denial = {.what = c->what,
		.name = c->name,
		.zone = c->zone,
		.type = d->type,
		.labels = c->labels};
	static const char *const whats[] = {
		"does not exist", "has nothing of the type", "is answered for by a wildcard"};

	add_proofs(d, &denial);
	if (denial_proves(&denial))
		return true;
	char *text = dnssec_name_text(c->name);
	dnssec_doubt(d, "that %.100s %s is not proved", text, whats[c->what]);
	free(text);
	return false;
}

static bool is_good(struct dnssec *d, const struct set *s)
{
	const ldns_rdf *signer = dnssec_signer(d, s);
	struct zone *z = signer ? zone_find(d, signer) : NULL;

	return z && is_trusted(d, z) && dnssec_is_signed(d, s, z, NULL, true);
}

static void judge(struct dnssec *d)
{
	bool good = d->answers > 0 || d->claim_n > 0;

	d->over = true;
	for (size_t i = 0; i < d->answers && good; i++)
		good = is_good(d, &d->answer[i]);
	for (size_t i = 0; i < d->proof_n && good; i++)
		good = is_good(d, &d->proofs[i]);
	for (size_t i = 0; i < d->claim_n && good; i++)
		good = is_proved(d, &d->claims[i]);
	if (!good)
		dnssec_doubt(d, "nothing proves the answer");
	d->verdict.secure = good;
}

/* --- what comes --------------------------------------------------------------------------------
 */

void dnssec_take(struct dnssec *d, struct slice wire)
{
	ldns_pkt *p = NULL;

	if (d->over)
		return;
	if (ldns_wire2pkt(&p, (const uint8_t *)wire.p, wire.n) != LDNS_STATUS_OK) {
		dnssec_doubt(d, "what came is no DNS answer");
	} else if (!d->taken) {
		dnssec_take_answer(d, p);
	} else {
		struct zone *z = &d->zones[d->at];
		if (!z->asked_keys)
			dnssec_take_keys(d, z, p);
		else
			dnssec_take_ds(d, z, p);
		d->at += z->asked_keys && (z->anchored || z->asked_ds);
	}
	ldns_pkt_free(p);
	d->taken = true;
	if (d->verdict.why[0])
		d->over = true;
	else if (d->at == d->zone_n)
		judge(d);
}

bool dnssec_next(const struct dnssec *d, const char **ret_name, const char **ret_type)
{
	if (d->over || !d->taken)
		return false;
	const struct zone *z = &d->zones[d->at];
	*ret_name = z->text;
	*ret_type = z->asked_keys ? "DS" : "DNSKEY";
	return true;
}

const struct dnssec_verdict *dnssec_verdict(const struct dnssec *d)
{
	return &d->verdict;
}

/* --- life --------------------------------------------------------------------------------------
 */

struct dnssec *dnssec_new(
	const struct dnssec_anchors *a, const char *name, const char *type, int64_t now_s)
{
	struct dnssec *d = mem_new(struct dnssec);

	d->anchors = a;
	d->name = ldns_dname_new_frm_str(name);
	d->type = ldns_get_rr_type_by_name(type);
	d->now_s = now_s;
	return d;
}

void dnssec_free(struct dnssec *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->answers; i++)
		dnssec_set_fini(&d->answer[i]);
	for (size_t i = 0; i < d->proof_n; i++)
		dnssec_set_fini(&d->proofs[i]);
	for (size_t i = 0; i < d->claim_n; i++) {
		ldns_rdf_deep_free(d->claims[i].name);
		ldns_rdf_deep_free(d->claims[i].zone);
	}
	for (size_t i = 0; i < d->zone_n; i++) {
		dnssec_set_fini(&d->zones[i].keys);
		dnssec_set_fini(&d->zones[i].ds);
		ldns_rdf_deep_free(d->zones[i].name);
		free(d->zones[i].text);
	}
	ldns_rdf_deep_free(d->name);
	free(d);
}
