/*
 * test_dnssec_denial.c - what records of NSEC prove, and what they do not; real servers' are in
 * observe/test_probe_dns.c.
 */

#include "../check.h"

#include "net/dnssec_inside.h"

#define APEX "test. NSEC a.test. NS SOA TXT RRSIG NSEC"
#define A    "a.test. NSEC cut.test. A CNAME RRSIG NSEC"
#define CUT  "cut.test. NSEC dname.test. NS RRSIG NSEC"
#define GO   "dname.test. NSEC x.y.test. DNAME RRSIG NSEC"
#define LAST "x.y.test. NSEC test. A TYPE1234 RRSIG NSEC"

static ldns_rdf *name_of(const char *text)
{
	ldns_rdf *name = ldns_dname_new_frm_str(text);
	assert_non_null(name);
	return name;
}

static bool proves(const char *const *proofs, enum denied what, const char *name, ldns_rr_type type)
{
	ldns_rdf *zone = name_of("test."), *about = name_of(name);
	struct denial d = {.what = what, .name = about, .zone = zone, .type = type, .labels = 1};
	ldns_rr *rr[DENIAL_PROOFS_MAX];
	for (; proofs[d.n]; d.n++) {
		assert_int_equal(ldns_rr_new_frm_str(&rr[d.n], proofs[d.n], 60, NULL, NULL), 0);
		d.proofs[d.n] = rr[d.n];
	}
	const bool is = denial_proves(&d);
	for (size_t i = 0; i < d.n; i++)
		ldns_rr_free(rr[i]);
	ldns_rdf_deep_free(zone);
	ldns_rdf_deep_free(about);
	return is;
}

static const char *const all[] = {APEX, A, CUT, GO, LAST, NULL};

static void what_is_there_is_not_denied(void **state)
{
	static const char *const names[] = {
		"test.", "a.test.", "y.test.", "x.y.test.", "cut.test."};
	for (size_t i = 0; i < array_len(names); i++)
		assert_false(proves(all, DENIED_NAME, names[i], LDNS_RR_TYPE_A));
	assert_true(proves(all, DENIED_NAME, "b.test.", LDNS_RR_TYPE_A));
	assert_true(proves(all, DENIED_NAME, "z.test.", LDNS_RR_TYPE_A)); /* after the last */
	assert_true(proves(all, DENIED_NAME, "z.y.test.", LDNS_RR_TYPE_A));
}

static void types_are_denied_by_the_names_own_record(void **state)
{
	assert_true(proves(all, DENIED_TYPE, "test.", LDNS_RR_TYPE_A));
	assert_false(proves(all, DENIED_TYPE, "test.", LDNS_RR_TYPE_TXT));
	assert_false(proves(all, DENIED_TYPE, "a.test.", LDNS_RR_TYPE_MX)); /* there is a CNAME */
	assert_true(proves(all, DENIED_TYPE, "y.test.", LDNS_RR_TYPE_A)); /* names below it alone */
	assert_true(proves(all, DENIED_TYPE, "x.y.test.", LDNS_RR_TYPE_MX));
	assert_false(proves(all, DENIED_TYPE, "x.y.test.", (ldns_rr_type)1234)); /* another block */
	assert_false(proves(all, DENIED_TYPE, "b.test.", LDNS_RR_TYPE_A));       /* no such name */
}

/* The parent knows of a zone below that it begins, and whether it vouches for it. */
static void a_parent_denies_nothing_of_its_child(void **state)
{
	assert_false(proves(all, DENIED_TYPE, "cut.test.", LDNS_RR_TYPE_A));
	assert_true(proves(all, DENIED_TYPE, "cut.test.", LDNS_RR_TYPE_DS));
	assert_false(proves(all, DENIED_TYPE, "test.", LDNS_RR_TYPE_DS)); /* nor a child of that */
	assert_false(proves(all, DENIED_NAME, "www.cut.test.", LDNS_RR_TYPE_A));
	assert_false(proves(all, DENIED_NAME, "www.dname.test.", LDNS_RR_TYPE_A));
	assert_true(proves(all, DENIED_NAME, "cuts.test.", LDNS_RR_TYPE_A));
}

/* Without a proof that no wildcard is there a name may exist all the same. */
static void wildcards_are_denied_too(void **state)
{
	static const char *const only[] = {A, NULL};
	static const char *const star[] = {"*.test. NSEC a.test. A RRSIG NSEC", A, NULL};
	assert_false(proves(only, DENIED_NAME, "b.test.", LDNS_RR_TYPE_A));
	assert_false(proves(star, DENIED_NAME, "b.test.", LDNS_RR_TYPE_A));
	assert_true(proves(star, DENIED_TYPE, "b.test.", LDNS_RR_TYPE_MX));
	assert_false(proves(star, DENIED_TYPE, "b.test.", LDNS_RR_TYPE_A));
	assert_true(proves(only, DENIED_EXPANDED, "b.test.", LDNS_RR_TYPE_A));
	assert_false(proves(only, DENIED_EXPANDED, "d.test.", LDNS_RR_TYPE_A));
}

/* Signed, and of a shape that its kind never has. */
static void strange_hashes_prove_nothing(void **state)
{
	static const char *const shapes[] = {
		"short.test. NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
		"2vptu5timamqttgl4luu9kg21e0aor3s.test. NSEC3 1 0 0 - 2vptu5ti A RRSIG",
		"2vptu5timamqttgl4luu9kg21e0aor3s.test. NSEC3 1 0 9999 - "
		"2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"};
	for (size_t i = 0; i < array_len(shapes); i++) {
		const char *const one[] = {shapes[i], NULL};
		assert_false(proves(one, DENIED_NAME, "b.test.", LDNS_RR_TYPE_A));
		assert_false(proves(one, DENIED_TYPE, "b.test.", LDNS_RR_TYPE_A));
		assert_false(proves(one, DENIED_EXPANDED, "b.test.", LDNS_RR_TYPE_A));
	}
}

int test_dnssec_denial(void);
int test_dnssec_denial(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_not_denied),
		cmocka_unit_test(types_are_denied_by_the_names_own_record),
		cmocka_unit_test(a_parent_denies_nothing_of_its_child),
		cmocka_unit_test(wildcards_are_denied_too),
		cmocka_unit_test(strange_hashes_prove_nothing),
	};
	return cmocka_run_group_tests_name("dnssec_denial", tests, NULL, NULL);
}
