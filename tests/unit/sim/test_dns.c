/* Designate as its members know it, and the name server of its zones. */
#include "simulated.h"

#include <ldns/ldns.h>

#include "base/units.h"
#include "sim/dns.h"
#include "sim/state.h"

#define D    "/dns/v2"
#define ZONE "{'name': 'a.example.', 'email': 'me@a.example'}"
#define SETS D "/zones/$1/recordsets"
#define WWW  "{'name': 'www.a.example.', 'type': 'A', 'records': ['192.0.2.1']"

static void make_zone(struct simulated *s)
{
	simulated_call(s, "POST", D "/zones", ZONE);
	simulated_said(s, 202, "\"status\":\"PENDING\"");
	simulated_keep(s, 1, NULL);
}

static void make_www(struct simulated *s)
{
	simulated_call(s, "POST", SETS, WWW "}");
	simulated_said(s, 202, "\"action\":\"CREATE\"");
	simulated_keep(s, 2, NULL);
}

/* Waits until the object says so; how long that took, in ns. */
static int64_t until(struct simulated *s, const char *path, const char *status)
{
	for (int i = 0; i < 900; i++) {
		simulated_call(s, "GET", path, NULL);
		if (!strcmp(simulated_str(s, "status", NULL), status) ||
			(!*status && s->status == 404))
			return i * 100 * NS_PER_MS;
		simulated_wait(s, 100 * NS_PER_MS);
	}
	fail_msg("never \"%s\": %s", status, s->text);
	return 0;
}

/* What the name server says to this question: its code, and the first record's data. */
static const char *asked(struct simulated *s, const char *name, ldns_rr_type type)
{
	static char text[300];
	struct buf out = BUF(UINT16_MAX);
	ldns_pkt *q = NULL, *a = NULL;
	uint8_t *wire;
	size_t n;

	assert_int_equal(ldns_pkt_query_new_frm_str(&q, name, type, LDNS_RR_CLASS_IN, LDNS_RD), 0);
	assert_int_equal(ldns_pkt2wire(&wire, q, &n), 0);
	name_answer(s->sim, wire, n, true, &out);
	assert_int_equal(ldns_wire2pkt(&a, (const uint8_t *)out.p, out.n), 0);
	assert_int_equal(ldns_pkt_id(a), ldns_pkt_id(q));
	char *code = ldns_pkt_rcode2str(ldns_pkt_get_rcode(a));
	const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(a), 0);
	char *data = rr ? ldns_rdf2str(ldns_rr_rdf(rr, ldns_rr_rd_count(rr) - 1)) : NULL;
	snprintf(text, sizeof(text), "%s%s %s%s", code, ldns_pkt_aa(a) ? " aa" : "",
		ldns_pkt_tc(a) ? "tc " : "", data ? data : "-");
	free(code);
	free(data);
	free(wire);
	ldns_pkt_free(q);
	ldns_pkt_free(a);
	buf_fini(&out);
	return text;
}

/* --- zones -------------------------------------------------------------------------------------
 */

static void test_zone_life(void **state)
{
	struct simulated *s = *state;

	make_zone(s);
	const int64_t serial = json_integer_value(json_object_get(s->json, "serial"));
	assert_true(serial > 1000000000);
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", SETS "?sort_key=type", NULL);
	simulated_said(s, 200, "ns1.sim.example. me.a.example.");
	assert_int_equal(simulated_count(s, "recordsets"), 2);
	assert_true(until(s, D "/zones/$1", "ACTIVE") > 0);
	assert_string_equal(simulated_str(s, "action", NULL), "NONE");
	simulated_call(s, "PATCH", D "/zones/$1", "{'ttl': 60}");
	simulated_said(s, 202, "\"action\":\"UPDATE\"");
	assert_true(json_integer_value(json_object_get(s->json, "serial")) > serial);
	until(s, D "/zones/$1", "ACTIVE");
	simulated_call(s, "DELETE", D "/zones/$1", NULL);
	simulated_said(s, 202, "\"action\":\"DELETE\"");
	simulated_call(s, "POST", SETS, WWW "}");
	simulated_said(s, 400, "Can not update a deleting zone");
	until(s, D "/zones/$1", "");
	json_t *left = sim_left(s->sim);
	assert_int_equal(json_array_size(json_object_get(left, "objects")), 0);
	json_decref(left);
}

static void test_zone_names(void **state)
{
	struct simulated *s = *state;

	make_zone(s);
	simulated_call(s, "POST", D "/zones", "{'name': 'A.example.', 'email': 'me@a.example'}");
	simulated_said(s, 409, "\"type\":\"duplicate_zone\",\"message\":\"Duplicate Zone\"");
	simulated_login(s, "other", "other");
	simulated_call(s, "POST", D "/zones", ZONE);
	simulated_said(s, 409, "owned by a different tenant");
	simulated_call(s, "POST", D "/zones", "{'name': 'b.a.example.', 'email': 'me@a.example'}");
	simulated_said(s, 403, "illegal_child");
	simulated_call(s, "GET", D "/zones/$1", NULL);
	simulated_said(s, 404, "zone_not_found");
	simulated_call(s, "POST", D "/zones", "{'name': 'o.b.example.', 'email': 'me@a.example'}");
	simulated_said(s, 202, "PENDING");
	simulated_login(s, "demo", "demo");
	simulated_call(s, "POST", D "/zones", "{'name': 'b.example.', 'email': 'me@a.example'}");
	simulated_said(s, 403, "illegal_parent");
	simulated_call(s, "POST", D "/zones", "{'name': 'b.a.example.', 'email': 'me@a.example'}");
	simulated_said(s, 202, "PENDING");
	simulated_call(s, "DELETE", D "/zones/$1", NULL);
	simulated_said(s, 400, "zone_has_sub_zone");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *body, *said;
	} rows[] = {
		{"{'name': 'a.example.'}", "'email' is a required property"},
		{"{'name': 'a.example', 'email': 'a@b.c'}", "Domain a.example does not end with a"},
		{"{'name': '-a.example.', 'email': 'a@b.c'}", "Domain -a.example. is invalid"},
		{"{'name': 'a..example.', 'email': 'a@b.c'}", "Domain a..example. is invalid"},
		{"{'name': 'example.', 'email': 'a@b.c'}", "More than one label is required"},
		{"{'name': 'a.example.', 'email': 'b.c'}", "b.c is not an email"},
		{"{'name': 'a.example.', 'email': 'a@b.c', 'ttl': -1}", "Value must be >= 0"},
		{"{'name': 'a.example.', 'email': 'a@b.c', 'x': 1}", "Keys ['x'] are not valid"},
		{"[]", "'list' object has no attribute 'items'"},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		simulated_call(s, "POST", D "/zones", rows[i].body);
		simulated_said(s, 400, rows[i].said);
	}
	simulated_call(s, "GET", D "/zones?limit=0", NULL);
	simulated_said(s, 400, "invalid_limit");
	simulated_call(s, "GET", D "/zones?pool_id=1", NULL);
	simulated_said(s, 400, "Invalid filters pool_id");
	simulated_call(s, "GET", D "/pools", NULL);
	simulated_said(s, 403, "\"type\":\"forbidden\"");
	simulated_call(s, "GET", D "/zones/x", NULL);
	simulated_said(s, 400, "invalid_uuid");
}

static void test_quota(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "quota: {zones: 1, zone_recordsets: 3, recordset_records: 1}\n");
	make_zone(s);
	simulated_call(s, "POST", D "/zones", "{'name': 'b.example.', 'email': 'me@a.example'}");
	simulated_said(s, 413, "Quota exceeded for zones.");
	simulated_call(s, "POST", SETS,
		"{'name': 'www.a.example.', 'type': 'A', 'records': ['192.0.2.1', '192.0.2.2']}");
	simulated_said(s, 413, "Quota exceeded for recordset_records.");
	make_www(s);
	simulated_call(s, "POST", SETS, WWW "}");
	simulated_said(s, 413, "Quota exceeded for zone_recordsets.");
}

/* --- recordsets --------------------------------------------------------------------------------
 */

static void test_sets(void **state)
{
	static const struct {
		int status;
		const char *body, *said;
	} rows[] = {
		{409, WWW "}", "duplicate_recordset"},
		{400, "{'name': 'www.a.example.', 'type': 'CNAME', 'records': ['b.example.']}",
			"may not share a name"},
		{400, "{'name': 'x.a.example.', 'type': 'A', 'records': ['192.0.2.1', 'x', 5]}",
			"'5' is not a 'A' Record"},
		{400, "{'name': 'x.a.example.', 'type': 'MX', 'records': ['10 m']}",
			"'10 m' is not a 'MX' Record"},
		{400, "{'name': 'x.a.example.', 'type': 'Q', 'records': ['10 m']}",
			"'Q' is not a valid record type"},
		{400, "{'name': 'x.b.example.', 'type': 'A', 'records': ['192.0.2.1']}",
			"not contained within"},
		{400, "{'name': 'a.example.', 'type': 'CNAME', 'records': ['b.example.']}",
			"zone apex"},
		{400, "{'name': 'x.a.example.', 'type': 'A', 'records': ['192.0.2.1 ; x']}",
			"is not a 'A' Record"},
		{201, "{'name': 'empty.a.example.', 'type': 'A', 'records': []}", "ACTIVE"},
		{202, "{'name': 'x.a.example.', 'type': 'TXT', 'records': ['\\\"a b\\\"']}",
			"PENDING"},
	};
	struct simulated *s = *state;

	make_zone(s);
	make_www(s);
	for (size_t i = 0; i < array_len(rows); i++) {
		simulated_call(s, "POST", SETS, rows[i].body);
		simulated_said(s, rows[i].status, rows[i].said);
	}
	simulated_call(s, "GET", SETS "?type=SOA", NULL);
	snprintf(s->kept[3], sizeof(s->kept[3]), "%s",
		json_string_value(json_object_get(
			json_array_get(json_object_get(s->json, "recordsets"), 0), "id")));
	simulated_call(s, "DELETE", SETS "/$3", NULL);
	simulated_said(s, 400, "Deleting a SOA recordset is not allowed");
	simulated_call(s, "GET", D "/recordsets/$2", NULL);
	assert_int_equal(s->status, 301);
	simulated_call(s, "GET", SETS "?limit=2&sort_key=name", NULL);
	simulated_said(s, 200, "\"next\"");
	assert_int_equal(simulated_count(s, "recordsets"), 2);
}

/* --- the name server ---------------------------------------------------------------------------
 */

static void test_served(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "times: {dns_served: 2s, dns_active: 10s}\nspread: 0\n");
	make_zone(s);
	assert_string_equal(asked(s, "a.example.", LDNS_RR_TYPE_SOA), "REFUSED -");
	simulated_wait(s, 3 * NS_PER_S);
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NXDOMAIN aa -");
	make_www(s);
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NXDOMAIN aa -");
	simulated_wait(s, 3 * NS_PER_S);
	assert_string_equal(asked(s, "WWW.a.example.", LDNS_RR_TYPE_A), "NOERROR aa 192.0.2.1");
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_AAAA), "NOERROR aa -");
	simulated_call(s, "PUT", SETS "/$2", "{'records': ['192.0.2.7']}");
	simulated_said(s, 202, "\"action\":\"UPDATE\"");
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NOERROR aa 192.0.2.1");
	simulated_wait(s, 3 * NS_PER_S);
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NOERROR aa 192.0.2.7");
	simulated_call(s, "DELETE", SETS "/$2", NULL);
	simulated_said(s, 202, "\"action\":\"DELETE\"");
	simulated_wait(s, 3 * NS_PER_S);
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NXDOMAIN aa -");
	until(s, SETS "/$2", "");
	simulated_call(s, "DELETE", D "/zones/$1", NULL);
	simulated_wait(s, 3 * NS_PER_S);
	assert_string_equal(asked(s, "a.example.", LDNS_RR_TYPE_SOA), "REFUSED -");
}

static void add(struct simulated *s, const char *body)
{
	simulated_call(s, "POST", SETS, body);
	simulated_said(s, 202, "PENDING");
}

static void test_names(void **state)
{
	struct simulated *s = *state;
	struct buf many = BUF(BUF_LINE);

	make_zone(s);
	make_www(s);
	add(s, "{'name': 'to.a.example.', 'type': 'CNAME', 'records': ['www.a.example.']}");
	add(s, "{'name': 'loop.a.example.', 'type': 'CNAME', 'records': ['loop.a.example.']}");
	add(s, "{'name': '*.w.a.example.', 'type': 'A', 'records': ['192.0.2.9']}");
	add(s, "{'name': 'sub.a.example.', 'type': 'NS', 'records': ['ns.b.example.']}");
	buf_add_str(&many, "{'name': 'many.a.example.', 'type': 'TXT', 'records': [");
	for (int i = 0; i < 10; i++)
		buf_printf(&many, "%s'\\\"%0200d\\\"'", i ? ", " : "", i);
	buf_add_str(&many, "]}");
	add(s, buf_str(&many));
	buf_fini(&many);
	simulated_wait(s, 10 * NS_PER_S);
	assert_string_equal(asked(s, "to.a.example.", LDNS_RR_TYPE_A), "NOERROR aa www.a.example.");
	assert_string_equal(asked(s, "x.w.a.example.", LDNS_RR_TYPE_A), "NOERROR aa 192.0.2.9");
	assert_string_equal(asked(s, "w.a.example.", LDNS_RR_TYPE_A), "NOERROR aa -");
	assert_string_equal(asked(s, "x.sub.a.example.", LDNS_RR_TYPE_A), "NOERROR -");
	assert_string_equal(asked(s, "many.a.example.", LDNS_RR_TYPE_TXT), "NOERROR aa tc -");
	assert_memory_equal(asked(s, "loop.a.example.", LDNS_RR_TYPE_A), "SERVFAIL", 8);
	assert_string_equal(asked(s, "a.example.", LDNS_RR_TYPE_AXFR), "REFUSED -");
}

/* --- faults ------------------------------------------------------------------------------------
 */

static void test_stuck(void **state)
{
	struct simulated *s = *state;

	make_zone(s);
	simulated_wait(s, 60 * NS_PER_S);
	simulated_fault(s,
		"{'service': 'dns', 'path': '*/recordsets', 'method': 'POST', 'effect': "
		"'stuck', 'times': 1}");
	make_www(s);
	simulated_wait(s, 300 * NS_PER_S);
	simulated_call(s, "GET", SETS "/$2", NULL);
	simulated_said(s, 200, "\"status\":\"PENDING\"");
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NXDOMAIN aa -");
	simulated_call(s, "DELETE", SETS "/$2", NULL);
	until(s, SETS "/$2", "");
	simulated_fault(s, "{'service': 'dns', 'method': 'DELETE', 'effect': 'stuck', 'times': 1}");
	simulated_call(s, "DELETE", D "/zones/$1", NULL);
	simulated_wait(s, 300 * NS_PER_S);
	simulated_call(s, "GET", D "/zones/$1", NULL);
	simulated_said(s, 200, "\"action\":\"DELETE\"");
	assert_memory_equal(asked(s, "a.example.", LDNS_RR_TYPE_SOA), "NOERROR", 7);
}

static void test_error(void **state)
{
	struct simulated *s = *state;

	simulated_fault(s,
		"{'service': 'dns', 'path': '*/zones', 'method': 'POST', 'effect': "
		"'error', 'times': 1}");
	make_zone(s);
	until(s, D "/zones/$1", "ERROR");
	make_www(s);
	simulated_wait(s, 60 * NS_PER_S);
	simulated_call(s, "GET", SETS "/$2", NULL);
	simulated_said(s, 200, "\"status\":\"PENDING\"");
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "REFUSED -");
	simulated_call(s, "DELETE", SETS "/$2", NULL);
	until(s, SETS "/$2", "");
	simulated_call(s, "DELETE", D "/zones/$1", NULL);
	until(s, D "/zones/$1", "");
	simulated_fault(s, "{'service': 'dns', 'path': '*/recordsets', 'effect': 'error'}");
	make_zone(s);
	make_www(s);
	until(s, SETS "/$2", "ERROR");
	assert_string_equal(asked(s, "www.a.example.", LDNS_RR_TYPE_A), "NXDOMAIN aa -");
	simulated_fault(s, "{'service': 'dns', 'method': 'POST', 'effect': 'quota'}");
	simulated_call(s, "POST", D "/zones", "{'name': 'q.example.', 'email': 'a@b.c'}");
	simulated_said(s, 413, "over_quota");
}

/* Garbage gets no answer or FORMERR, never more. */
static void test_broken_questions(void **state)
{
	static const char none[][16] = {"", "\1\2\3", "\1\2\200\0\0\1\0\0\0\0\0\0"};
	static const char broken[] = "\1\2\0\0\0\0\0\0\0\0\0\0";
	struct simulated *s = *state;
	struct buf out = BUF(UINT16_MAX);

	for (size_t i = 0; i < array_len(none); i++)
		name_answer(s->sim, none[i], i * 6, true, &out);
	assert_int_equal(out.n, 0);
	name_answer(s->sim, broken, 12, true, &out);
	assert_int_equal(out.n, 12);
	assert_int_equal(out.p[3] & 15, LDNS_RCODE_FORMERR);
	buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)

int test_dns(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_zone_life),
		TEST(test_zone_names),
		TEST(test_refusals),
		TEST(test_quota),
		TEST(test_sets),
		TEST(test_served),
		TEST(test_names),
		TEST(test_stuck),
		TEST(test_error),
		TEST(test_broken_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
