/*
 * dnssec.c - see dnssec.h.
 *
 * A set is the records of one name and type with the signatures over them. The sets of the answer
 * are signed by zones; the keys of a zone are a set signed by itself, and vouched for by an anchor
 * or by the set of DS that its parent signed. Who the parent is, those signatures say.
 */

#include "net/dnssec_inside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define CHAIN_MAX 8 /* CNAMEs, one after the other */
#define ZONE_KEY  0x0100
#define REVOKED   0x0080

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

/* Keeps the first reason: what follows from it says less. */
static void doubt(struct dnssec *d, const char *fmt, ...) like_printf(2, 3);
static void doubt(struct dnssec *d, const char *fmt, ...)
{
	va_list ap;

	if (d->verdict.why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->verdict.why, sizeof(d->verdict.why), fmt, ap);
	va_end(ap);
}

static char *name_text(const ldns_rdf *name)
{
	char *ldns = ldns_rdf2str(name), *text = mem_strdup(ldns ? ldns : "?");

	LDNS_FREE(ldns);
	return text;
}

static bool same(const ldns_rdf *a, const ldns_rdf *b)
{
	return ldns_dname_compare(a, b) == 0;
}

/* --- sets --------------------------------------------------------------------------------------
 */

static ldns_rr_type type_covered(const ldns_rr *signature)
{
	return ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(signature));
}

static void push(ldns_rr_list **list, const ldns_rr *rr)
{
	if (!*list)
		*list = ldns_rr_list_new();
	ldns_rr_list_push_rr(*list, ldns_rr_clone(rr));
}

static bool is_whole(const ldns_rr *rr)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(ldns_rr_get_type(rr));

	return ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(fields);
}

static void set_take(
	struct set *s, const ldns_rr_list *all, const ldns_rdf *owner, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		if (!same(ldns_rr_owner(rr), owner) || !is_whole(rr))
			continue;
		if (ldns_rr_get_type(rr) == type)
			push(&s->records, rr);
		else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && type_covered(rr) == type)
			push(&s->signatures, rr);
	}
}

static void set_fini(struct set *s)
{
	ldns_rr_list_deep_free(s->records);
	ldns_rr_list_deep_free(s->signatures);
}

static size_t count(const ldns_rr_list *list)
{
	return list ? ldns_rr_list_rr_count(list) : 0;
}

static ldns_rdf *set_owner(const struct set *s)
{
	return ldns_rr_owner(ldns_rr_list_rr(s->records, 0));
}

static bool is_denial(ldns_rr_type type)
{
	return type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3;
}

/* What a wildcard was made into has more labels than what was signed: by any of its signatures,
 * since it is not known yet which of them is one. */
static bool is_expanded(const struct set *s, unsigned *ret_labels)
{
	const ldns_rdf *owner = set_owner(s);
	const unsigned own = ldns_dname_label_count(owner) - (ldns_dname_is_wildcard(owner) != 0);

	*ret_labels = own;
	for (size_t i = 0; i < count(s->signatures); i++) {
		const unsigned n = ldns_rdf2native_int8(
			ldns_rr_rrsig_labels(ldns_rr_list_rr(s->signatures, i)));
		*ret_labels = n < *ret_labels ? n : *ret_labels;
	}
	return *ret_labels < own;
}

/* "www.example.org. A"; owned. */
static char *set_text(const struct set *s)
{
	const ldns_rr *rr = ldns_rr_list_rr(s->records, 0);
	char *name = name_text(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr)),
	     *text = mem_printf("%.100s %s", name, type ? type : "?");

	LDNS_FREE(type);
	free(name);
	return text;
}

/* --- zones -------------------------------------------------------------------------------------
 */

static struct zone *zone_find(struct dnssec *d, const ldns_rdf *name)
{
	for (size_t i = 0; i < d->zone_n; i++)
		if (same(d->zones[i].name, name))
			return &d->zones[i];
	return NULL;
}

/* Whether there is an anchor of this zone; or, `above`, of one that it lies in. */
static bool is_anchored(const struct dnssec *d, const ldns_rdf *name, bool above)
{
	for (size_t i = 0; i < count(d->anchors->records); i++) {
		const ldns_rdf *owner = ldns_rr_owner(ldns_rr_list_rr(d->anchors->records, i));
		if (above ? ldns_dname_is_subdomain(name, owner) : same(owner, name))
			return true;
	}
	return false;
}

/* NULL: too many. */
static struct zone *zone_need(struct dnssec *d, const ldns_rdf *name)
{
	struct zone *z = zone_find(d, name);

	if (z)
		return z;
	const bool anchored = is_anchored(d, name, false);
	if (!anchored && !is_anchored(d, name, true)) {
		char *text = name_text(name);
		doubt(d, "%.100s does not lie below the trust anchor", text);
		free(text);
		return NULL;
	}
	if (d->zone_n == DNSSEC_ZONES_MAX) {
		doubt(d, "more than %d zones lie between the answer and the trust anchor",
			DNSSEC_ZONES_MAX);
		return NULL;
	}
	z = &d->zones[d->zone_n++];
	z->name = ldns_rdf_clone(name);
	z->text = name_text(name);
	z->anchored = anchored;
	return z;
}

/* Who signed a set, if it may sign such a name: it is the name's own zone, or above it. NULL with
 * the doubt told. Borrows. */
static const ldns_rdf *signer_of(struct dnssec *d, const struct set *s)
{
	const ldns_rr *signature = count(s->signatures) ? ldns_rr_list_rr(s->signatures, 0) : NULL;
	const ldns_rdf *signer = signature ? ldns_rr_rrsig_signame(signature) : NULL,
		       *owner = ldns_rr_owner(ldns_rr_list_rr(s->records, 0));
	char *text = set_text(s);

	if (!signer)
		doubt(d, "%s is not signed", text);
	else if (!same(owner, signer) && !ldns_dname_is_subdomain(owner, signer)) {
		doubt(d, "%s is signed by a zone it does not lie in", text);
		signer = NULL;
	}
	free(text);
	return signer;
}

/* --- signatures --------------------------------------------------------------------------------
 */

static bool is_zone_key(const ldns_rr *key)
{
	const uint16_t flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key));

	return flags & ZONE_KEY && !(flags & REVOKED);
}

/* Zone keys of this tag, as a list that borrows them. */
static ldns_rr_list *keys_of(const struct zone *z, const ldns_rr *signature)
{
	const uint16_t tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(signature));
	ldns_rr_list *found = ldns_rr_list_new();

	for (size_t i = 0; i < count(z->keys.records); i++) {
		ldns_rr *key = ldns_rr_list_rr(z->keys.records, i);
		if (is_zone_key(key) && ldns_calc_keytag(key) == tag)
			ldns_rr_list_push_rr(found, key);
	}
	return found;
}

/* Their clock ends in 2106 and begins anew: what is near is meant. */
static int64_t moment(const struct dnssec *d, const ldns_rdf *time)
{
	return d->now_s + (int32_t)(ldns_rdf2native_int32(time) - (uint32_t)d->now_s);
}

/* True with *ret_ends_s: the signature was made by one of these keys, whenever that was. */
static bool fits(struct dnssec *d, const struct set *s, const ldns_rr *signature,
	const ldns_rr_list *keys, int64_t *ret_ends_s)
{
	const size_t tries = ldns_rr_list_rr_count(keys);

	if (tries == 0)
		return false;
	d->computed += (unsigned)tries;
	if (d->computed > DNSSEC_VERIFY_MAX) {
		doubt(d, "more than %d signatures would have to be computed", DNSSEC_VERIFY_MAX);
		return false;
	}
	*ret_ends_s = moment(d, ldns_rr_rrsig_expiration(signature));
	return ldns_verify_rrsig_keylist_notime(s->records, signature, keys, NULL) ==
	       LDNS_STATUS_OK;
}

static void doubt_time(struct dnssec *d, const char *what, const char *how, int64_t at_s)
{
	const time_t t = (time_t)at_s;
	struct tm tm;
	char date[40] = "?";

	if (gmtime_r(&t, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm);
	doubt(d, "the signature over %s %s %s", what, how, date);
}

/* By the zone, with any of `keys` (NULL: all it has). One good signature is enough. */
static bool is_signed(struct dnssec *d, const struct set *s, const struct zone *z,
	const ldns_rr_list *keys, bool counts)
{
	int64_t ends = 0, best = 0;
	bool good = false, early = false;
	char *what = set_text(s);

	for (size_t i = 0; i < count(s->signatures) && i < DNSSEC_KEYS_MAX && !good; i++) {
		const ldns_rr *signature = ldns_rr_list_rr(s->signatures, i);
		ldns_rr_list *own = keys_of(z, signature);
		if (same(ldns_rr_rrsig_signame(signature), z->name) &&
			fits(d, s, signature, keys ? keys : own, &ends)) {
			early = moment(d, ldns_rr_rrsig_inception(signature)) > d->now_s;
			good = !early && ends > d->now_s;
			best = ends > best ? ends : best;
		}
		ldns_rr_list_free(own);
	}
	if (best && counts && (!d->verdict.ends_s || best < d->verdict.ends_s))
		d->verdict.ends_s = best;
	if (!good && early)
		doubt(d, "the signature over %s is not valid yet", what);
	else if (!good && best)
		doubt_time(d, what, "expired at", best);
	else if (!good)
		doubt(d, "the signature over %s was not made by a key of %.60s (bogus)", what,
			z->text);
	free(what);
	return good;
}

/* Whether a DS or DNSKEY is of this key. */
static bool speaks_of(const ldns_rr *by, const ldns_rr *key)
{
	if (ldns_rr_get_type(by) == LDNS_RR_TYPE_DNSKEY)
		return ldns_rdf_compare(
			       ldns_rr_dnskey_algorithm(by), ldns_rr_dnskey_algorithm(key)) == 0 &&
		       ldns_rdf_compare(ldns_rr_dnskey_key(by), ldns_rr_dnskey_key(key)) == 0;
	if (ldns_rdf2native_int16(ldns_rr_rdf(by, 0)) != ldns_calc_keytag(key))
		return false;
	ldns_rr *ds = ldns_key_rr2ds(key, (ldns_hash)ldns_rdf2native_int8(ldns_rr_rdf(by, 2)));
	bool is = ds != NULL;
	for (size_t i = 1; i < 4 && is; i++)
		is = ldns_rdf_compare(ldns_rr_rdf(by, i), ldns_rr_rdf(ds, i)) == 0;
	ldns_rr_free(ds);
	return is;
}

/* Keys of the zone that the anchors, or the DS of its parent, speak of; a list that borrows. */
static ldns_rr_list *vouched(const struct zone *z, const ldns_rr_list *by)
{
	ldns_rr_list *found = ldns_rr_list_new();

	for (size_t i = 0; i < count(z->keys.records); i++) {
		ldns_rr *key = ldns_rr_list_rr(z->keys.records, i);
		bool is = false;
		for (size_t k = 0; k < count(by) && k < DNSSEC_KEYS_MAX && !is; k++)
			is = same(ldns_rr_owner(ldns_rr_list_rr(by, k)), z->name) &&
			     is_zone_key(key) && speaks_of(ldns_rr_list_rr(by, k), key);
		if (is)
			ldns_rr_list_push_rr(found, key);
	}
	return found;
}

/* --- the verdict -------------------------------------------------------------------------------
 */

static bool is_trusted(struct dnssec *d, struct zone *z);

/* The anchors, or the DS once its signature is known to be the parent's. NULL: neither. */
static const ldns_rr_list *voucher(struct dnssec *d, const struct zone *z)
{
	if (z->anchored)
		return d->anchors->records;
	const ldns_rdf *signer = signer_of(d, &z->ds);
	struct zone *parent = signer ? zone_find(d, signer) : NULL;
	return parent && is_trusted(d, parent) && is_signed(d, &z->ds, parent, NULL, false)
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
	ldns_rr_list *entry = vouched(z, by);
	if (ldns_rr_list_rr_count(entry) == 0)
		doubt(d, "no key of %.100s is the one that %s speaks of (bogus)", z->text,
			z->anchored ? "the trust anchor" : "the DS in its parent zone");
	else
		z->trusted = is_signed(d, &z->keys, z, entry, z->of_answer);
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
		if (same(ldns_rr_rrsig_signame(signature), to->zone) && !is_expanded(s, &labels))
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
	char *text = name_text(c->name);
	doubt(d, "that %.100s %s is not proved", text, whats[c->what]);
	free(text);
	return false;
}

static bool is_good(struct dnssec *d, const struct set *s)
{
	const ldns_rdf *signer = signer_of(d, s);
	struct zone *z = signer ? zone_find(d, signer) : NULL;

	return z && is_trusted(d, z) && is_signed(d, s, z, NULL, true);
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
		doubt(d, "nothing proves the answer");
	d->verdict.secure = good;
}

/* --- what comes --------------------------------------------------------------------------------
 */

static void claim(struct dnssec *d, enum denied what, const ldns_rdf *name, const ldns_rdf *zone,
	unsigned labels)
{
	d->claims[d->claim_n++] =
		(struct claim){what, ldns_rdf_clone(name), ldns_rdf_clone(zone), labels};
}

/* Signed records of NSEC and NSEC3 beside the answer, of that zone. */
static void take_proofs(struct dnssec *d, const ldns_pkt *p, const ldns_rdf *zone)
{
	const ldns_rr_list *all = ldns_pkt_authority(p);

	for (size_t i = 0; i < count(all) && d->proof_n < DENIAL_PROOFS_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		const ldns_rr_type type = ldns_rr_get_type(rr);
		struct set *s = &d->proofs[d->proof_n];
		bool known = !is_denial(type) || !is_whole(rr);
		for (size_t k = 0; k < d->proof_n && !known; k++)
			known = same(set_owner(&d->proofs[k]), ldns_rr_owner(rr));
		if (known)
			continue;
		set_take(s, all, ldns_rr_owner(rr), type);
		if (count(s->records) == 1 && count(s->signatures) &&
			same(ldns_rr_rrsig_signame(ldns_rr_list_rr(s->signatures, 0)), zone)) {
			d->proof_n++;
			continue;
		}
		set_fini(s);
		*s = (struct set){0};
	}
}

/* The zone that says that it has no such thing: by the first such record that it signed. */
static const ldns_rdf *denier_of(const ldns_pkt *p, const ldns_rdf *name)
{
	const ldns_rr_list *all = ldns_pkt_authority(p);

	for (size_t i = 0; i < count(all); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG || !is_whole(rr) ||
			!is_denial(type_covered(rr)))
			continue;
		const ldns_rdf *zone = ldns_rr_rrsig_signame(rr);
		if (same(name, zone) || ldns_dname_is_subdomain(name, zone))
			return zone;
	}
	return NULL;
}

static void take_denial(struct dnssec *d, const ldns_pkt *p, const ldns_rdf *name)
{
	const ldns_rdf *zone = denier_of(p, name);
	struct zone *z = zone ? zone_need(d, zone) : NULL;

	if (!zone)
		doubt(d, "there is no answer that could be signed");
	if (!z)
		return;
	z->of_answer = true;
	take_proofs(d, p, zone);
	claim(d, ldns_pkt_get_rcode(p) == LDNS_RCODE_NXDOMAIN ? DENIED_NAME : DENIED_TYPE, name,
		zone, 0);
}

/* A wildcard may answer only where nothing nearer is. */
static void take_expanded(struct dnssec *d, const ldns_pkt *p, const struct set *s)
{
	const ldns_rdf *zone = ldns_rr_rrsig_signame(ldns_rr_list_rr(s->signatures, 0));
	unsigned labels;

	if (!is_expanded(s, &labels))
		return;
	take_proofs(d, p, zone);
	claim(d, DENIED_EXPANDED, set_owner(s), zone, labels);
}

/* The sets that lead from the name to what was asked for, and who signed them. */
static void take_answer(struct dnssec *d, const ldns_pkt *p)
{
	const ldns_rdf *name = d->name;

	while (name && d->answers < CHAIN_MAX) {
		struct set *s = &d->answer[d->answers++];
		set_take(s, ldns_pkt_answer(p), name, d->type);
		const bool last = count(s->records) > 0;
		if (!last) {
			set_fini(s);
			*s = (struct set){0};
			set_take(s, ldns_pkt_answer(p), name, LDNS_RR_TYPE_CNAME);
		}
		if (!count(s->records)) {
			set_fini(s);
			*s = (struct set){0};
			d->answers--;
			take_denial(d, p, name);
			return;
		}
		const ldns_rdf *signer = signer_of(d, s);
		struct zone *z = signer ? zone_need(d, signer) : NULL;
		if (!z)
			return;
		z->of_answer = true;
		take_expanded(d, p, s);
		name = last ? NULL : ldns_rr_rdf(ldns_rr_list_rr(s->records, 0), 0);
	}
	if (name)
		doubt(d, "the name leads through more than %d others", CHAIN_MAX);
}

static void take_keys(struct dnssec *d, struct zone *z, const ldns_pkt *p)
{
	z->asked_keys = true;
	set_take(&z->keys, ldns_pkt_answer(p), z->name, LDNS_RR_TYPE_DNSKEY);
	if (!count(z->keys.records))
		doubt(d, "%.100s says nothing of its keys (DNSKEY)", z->text);
	else if (count(z->keys.records) > DNSSEC_KEYS_MAX)
		doubt(d, "%.100s has more than %d keys", z->text, DNSSEC_KEYS_MAX);
}

static void take_ds(struct dnssec *d, struct zone *z, const ldns_pkt *p)
{
	z->asked_ds = true;
	set_take(&z->ds, ldns_pkt_answer(p), z->name, LDNS_RR_TYPE_DS);
	if (!count(z->ds.records)) {
		doubt(d, "there is no DS for %.100s: nobody vouches for its keys", z->text);
		return;
	}
	const ldns_rdf *signer = signer_of(d, &z->ds);
	if (signer && same(signer, z->name))
		doubt(d, "the DS of %.100s is signed by itself, not by its parent", z->text);
	else if (signer)
		zone_need(d, signer);
}

void dnssec_take(struct dnssec *d, struct slice wire)
{
	ldns_pkt *p = NULL;

	if (d->over)
		return;
	if (ldns_wire2pkt(&p, (const uint8_t *)wire.p, wire.n) != LDNS_STATUS_OK) {
		doubt(d, "what came is no DNS answer");
	} else if (!d->taken) {
		take_answer(d, p);
	} else {
		struct zone *z = &d->zones[d->at];
		if (!z->asked_keys)
			take_keys(d, z, p);
		else
			take_ds(d, z, p);
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
		set_fini(&d->answer[i]);
	for (size_t i = 0; i < d->proof_n; i++)
		set_fini(&d->proofs[i]);
	for (size_t i = 0; i < d->claim_n; i++) {
		ldns_rdf_deep_free(d->claims[i].name);
		ldns_rdf_deep_free(d->claims[i].zone);
	}
	for (size_t i = 0; i < d->zone_n; i++) {
		set_fini(&d->zones[i].keys);
		set_fini(&d->zones[i].ds);
		ldns_rdf_deep_free(d->zones[i].name);
		free(d->zones[i].text);
	}
	ldns_rdf_deep_free(d->name);
	free(d);
}
