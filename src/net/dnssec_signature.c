/*
 * dnssec_signature.c - whether a zone signed a set, and which of its keys somebody vouches for.
 */

#include "net/dnssec_inside.h"

#include <stdlib.h>
#include <time.h>

#define ZONE_KEY 0x0100
#define REVOKED  0x0080

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

	for (size_t i = 0; i < dnssec_count(z->keys.records); i++) {
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
		dnssec_doubt(
			d, "more than %d signatures would have to be computed", DNSSEC_VERIFY_MAX);
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
	dnssec_doubt(d, "the signature over %s %s %s", what, how, date);
}

/* One good signature is enough. */
bool dnssec_is_signed(struct dnssec *d, const struct set *s, const struct zone *z,
	const ldns_rr_list *keys, bool counts)
{
	int64_t ends = 0, best = 0;
	bool good = false, early = false;
	char *what = dnssec_set_text(s);

	for (size_t i = 0; i < dnssec_count(s->signatures) && i < DNSSEC_KEYS_MAX && !good; i++) {
		const ldns_rr *signature = ldns_rr_list_rr(s->signatures, i);
		ldns_rr_list *own = keys_of(z, signature);
		if (dnssec_same(ldns_rr_rrsig_signame(signature), z->name) &&
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
		dnssec_doubt(d, "the signature over %s is not valid yet", what);
	else if (!good && best)
		doubt_time(d, what, "expired at", best);
	else if (!good)
		dnssec_doubt(d, "the signature over %s was not made by a key of %.60s (bogus)",
			what, z->text);
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

ldns_rr_list *dnssec_vouched(const struct zone *z, const ldns_rr_list *by)
{
	ldns_rr_list *found = ldns_rr_list_new();

	for (size_t i = 0; i < dnssec_count(z->keys.records); i++) {
		ldns_rr *key = ldns_rr_list_rr(z->keys.records, i);
		bool is = false;
		for (size_t k = 0; k < dnssec_count(by) && k < DNSSEC_KEYS_MAX && !is; k++)
			is = dnssec_same(ldns_rr_owner(ldns_rr_list_rr(by, k)), z->name) &&
			     is_zone_key(key) && speaks_of(ldns_rr_list_rr(by, k), key);
		if (is)
			ldns_rr_list_push_rr(found, key);
	}
	return found;
}
