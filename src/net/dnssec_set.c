/*
 * dnssec_set.c - the records of one name and type, with the signatures over them.
 */

#include "net/dnssec_inside.h"

#include "base/mem.h"

char *dnssec_name_text(const ldns_rdf *name)
{
	char *ldns = ldns_rdf2str(name), *text = mem_strdup(ldns ? ldns : "?");

	LDNS_FREE(ldns);
	return text;
}

bool dnssec_same(const ldns_rdf *a, const ldns_rdf *b)
{
	return ldns_dname_compare(a, b) == 0;
}

ldns_rr_type dnssec_type_covered(const ldns_rr *signature)
{
	return ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(signature));
}

static void push(ldns_rr_list **list, const ldns_rr *rr)
{
	if (!*list)
		*list = ldns_rr_list_new();
	ldns_rr_list_push_rr(*list, ldns_rr_clone(rr));
}

bool dnssec_is_whole(const ldns_rr *rr)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(ldns_rr_get_type(rr));

	return ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(fields);
}

void dnssec_set_take(
	struct set *s, const ldns_rr_list *all, const ldns_rdf *owner, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(all, i);
		if (!dnssec_same(ldns_rr_owner(rr), owner) || !dnssec_is_whole(rr))
			continue;
		if (ldns_rr_get_type(rr) == type)
			push(&s->records, rr);
		else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG &&
			 dnssec_type_covered(rr) == type)
			push(&s->signatures, rr);
	}
}

void dnssec_set_fini(struct set *s)
{
	ldns_rr_list_deep_free(s->records);
	ldns_rr_list_deep_free(s->signatures);
}

size_t dnssec_count(const ldns_rr_list *list)
{
	return list ? ldns_rr_list_rr_count(list) : 0;
}

ldns_rdf *dnssec_set_owner(const struct set *s)
{
	return ldns_rr_owner(ldns_rr_list_rr(s->records, 0));
}

bool dnssec_is_denial(ldns_rr_type type)
{
	return type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3;
}

/* What a wildcard was made into has more labels than what was signed: by any of its signatures,
 * since it is not known yet which of them is one. */
bool dnssec_is_expanded(const struct set *s, unsigned *ret_labels)
{
	const ldns_rdf *owner = dnssec_set_owner(s);
	const unsigned own = ldns_dname_label_count(owner) - (ldns_dname_is_wildcard(owner) != 0);

	*ret_labels = own;
	for (size_t i = 0; i < dnssec_count(s->signatures); i++) {
		const unsigned n = ldns_rdf2native_int8(
			ldns_rr_rrsig_labels(ldns_rr_list_rr(s->signatures, i)));
		*ret_labels = n < *ret_labels ? n : *ret_labels;
	}
	return *ret_labels < own;
}

char *dnssec_set_text(const struct set *s)
{
	const ldns_rr *rr = ldns_rr_list_rr(s->records, 0);
	char *name = dnssec_name_text(ldns_rr_owner(rr)),
	     *type = ldns_rr_type2str(ldns_rr_get_type(rr)),
	     *text = mem_printf("%.100s %s", name, type ? type : "?");

	LDNS_FREE(type);
	free(name);
	return text;
}
