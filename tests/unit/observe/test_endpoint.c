/* Endpoint probes of a scripted cloud in virtual time: what is asked when, and what is told. */
#include "../check.h"

#include <stdlib.h>

#include "endpoint_house.h"

#define SECOND NS_PER_S
#define MINUTE (60 * SECOND)

static const char *const lists[] = {
	"compute.servers", "network.networks", "block-storage.volumes", "image.images"};
static const char *const roots[] = {
	"compute.versions", "network.versions", "block-storage.versions", "image.versions"};

/* --- what there is -----------------------------------------------------------------------------
 */

static void ends_with(const char *text, const char *end)
{
	if (!slice_ends(slice_of(text), end))
		fail_msg("%s does not end with %s", text, end);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" has no \"%s\"", text, part);
}

static void test_all_good(void **state)
{
	struct house *h = *state;
	const struct endpoint_probe *p;

	h->options.component_prefix = "prod-";
	house_begin(h);
	assert_int_equal(endpoints_list(h->endpoints, &p), 1); /* the log-in, at once */
	assert_string_equal(p->name, "token");
	assert_string_equal(p->component, "prod-identity");
	assert_string_equal(p->component_name, "Identity");
	ends_with(p->url, "/identity/v3/auth/tokens");
	assert_int_equal(h->changes, 0); /* never from inside */
	house_pass(h, 3 * SECOND);
	assert_true(h->changes >= 1);
	assert_int_equal(endpoints_list(h->endpoints, &p), 9);
	for (size_t i = 0; i < 4; i++) {
		const struct told *list = house_last(h, lists[i]), *root = house_last(h, roots[i]);

		assert_int_equal(list->fault, FAULT_NONE);
		assert_int_equal(list->status, 200);
		assert_int_equal(list->tries, 1);
		assert_int_equal(root->fault, FAULT_NONE);
		assert_int_equal(root->status, 300);
		assert_string_equal(list->service_request_id, "req-s");
		assert_string_equal(list->detail, "");
		assert_true(list->total_us > 0);
		assert_int_equal(strlen(list->request_id), REQUEST_ID_TEXT - 1);
	}
	assert_int_equal(house_last(h, "token")->fault, FAULT_NONE);
	assert_int_equal(house_last(h, "token")->status, 201);
	has(house_last(h, "token")->request, "POST http://127.0.0.1:");
	p = house_probe(h, "block-storage.volumes");
	assert_string_equal(p->component, "prod-block-storage");
	assert_string_equal(p->component_name, "Block storage");
	assert_string_equal(p->category, "Storage");
	assert_string_equal(p->service, "block-storage");
	ends_with(p->url, "/volume/v3/p1/volumes?limit=1");
	ends_with(house_probe(h, "block-storage.versions")->url, "/volume/");
	assert_string_equal(house_last(h, "image.images")->component, "prod-image");
	assert_string_equal(house_last(h, "image.images")->cloud, "c");
}

/* A version root carries no token, a list carries one; both their own request id. */
static void test_headers(void **state)
{
	struct house *h = *state;

	house_write(h, "a.yaml", "compute.servers: {microversion: compute 2.79}\n");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	const char *root = h->fake->headers.p[fake_last(h->fake, "GET /compute/")];
	const char *list = h->fake->headers.p[fake_last(h->fake, "GET /compute/v2.1/servers")];
	assert_null(strstr(root, "X-Auth-Token"));
	has(root, house_last(h, "compute.versions")->request_id);
	has(list, "X-Auth-Token: token-");
	has(list, house_last(h, "compute.servers")->request_id);
	has(list, "OpenStack-API-Version: compute 2.79");
	assert_string_not_equal(house_last(h, "compute.versions")->request_id,
		house_last(h, "compute.servers")->request_id);
}

static void test_series(void **state)
{
	struct house *h = *state;
	struct error err = {0};

	h->series = series_open(h->dir, h->fake->loop, NULL, &err);
	assert_non_null(h->series);
	h->options.component_prefix = "x-";
	house_begin(h);
	house_pass(h, 65 * SECOND);
	assert_string_equal(house_last(h, "compute.servers")->series,
		"endpoint.compute.servers{cloud=\"c\",component=\"x-compute\","
		"probe=\"compute.servers\",region=\"R\",service=\"compute\"}");
	assert_string_equal(house_last(h, "token")->series,
		"endpoint.token{cloud=\"c\",component=\"x-identity\",probe=\"token\","
		"service=\"identity\"}");
	assert_int_equal(series_status(h->series).appended, h->told.n);
	assert_int_equal(series_status(h->series).series, 9);
}

/* --- rates -------------------------------------------------------------------------------------
 */

/* Exactly one every `every_ms`, from the second on (the first is soon). */
static void is_constant(const struct house *h, const char *probe, int64_t every_ms)
{
	int64_t last = 0;
	size_t n = 0;

	for (size_t i = 0; i < h->told.n; i++) {
		const struct told *t = &h->told.p[i];

		if (strcmp(t->probe, probe) != 0)
			continue;
		if (n++ >= 2 && t->at_ms - last != every_ms)
			fail_msg("%s: %lld ms after the last", probe, (long long)(t->at_ms - last));
		last = t->at_ms;
	}
}

static void test_half_hang(void **state)
{
	struct house *h = *state;

	house_says(h, "GET /compute/", FAKE_KEEP, NULL, "");
	house_says(h, "GET /compute/v2.1/servers", FAKE_KEEP, NULL, "");
	house_says(h, "GET /net/", FAKE_KEEP, NULL, "");
	house_says(h, "GET /net/v2.0/networks", FAKE_KEEP, NULL, "");
	h->options.every_ns = 10 * SECOND;
	h->options.timeout_ns = 10 * SECOND; /* as long as the rate allows */
	house_begin(h);
	house_pass(h, 5 * MINUTE);
	for (size_t i = 0; i < 4; i++) {
		const bool hangs = i < 2;

		for (int k = 0; k < 2; k++) {
			const char *probe = k ? lists[i] : roots[i];
			const size_t n = house_count(h, probe);

			assert_true(n >= 29 && n <= 31);
			assert_int_equal(
				house_faults(h, probe, hangs ? FAULT_TIMEOUT : FAULT_NONE), n);
			is_constant(h, probe, 10000);
		}
	}
	assert_true(house_count(h, "token") >= 29);
	is_constant(h, "token", 10000);
}

static bool is_late;

static void look_at_job(void *arg, const struct job_state *s)
{
	is_late = is_late || s->skips > 0;
}

/* Not one of the hanging ones made the schedule skip. */
static void test_nothing_skipped(void **state)
{
	struct house *h = *state;

	house_says(h, "GET /image/", FAKE_KEEP, NULL, "");
	h->options.every_ns = 2 * SECOND;
	h->options.timeout_ns = 10 * SECOND; /* cut to the rate */
	house_begin(h);
	house_pass(h, MINUTE);
	assert_int_equal(house_probe(h, "image.versions")->timeout_ns, 2 * SECOND);
	is_late = false;
	schedule_each(h->schedule, look_at_job, NULL);
	assert_false(is_late);
}

#define ENTRY(type, path)                                                                          \
	"{\"type\":\"" type                                                                        \
	"\",\"name\":\"n\",\"endpoints\":[{\"interface\":\"public\","                              \
	"\"region_id\":\"R\",\"url\":\"$BASE" path "\"}]}"

/* --- the token ---------------------------------------------------------------------------------
 */

static void test_renewed_after_401(void **state)
{
	struct house *h = *state;

	house_begin(h);
	house_pass(h, 40 * SECOND);
	house_forget(h);
	fake_revoke(h->fake);
	house_pass(h, 31 * SECOND);
	unsigned twice = 0;
	for (size_t i = 0; i < 4; i++) {
		const struct told *t = house_last(h, lists[i]);

		assert_int_equal(t->fault, FAULT_NONE);
		twice += house_last(h, lists[i])->tries == 2;
		assert_int_equal(house_last(h, roots[i])->tries, 1);
	}
	assert_int_equal(twice, 1); /* the first one got a new token for all */
	assert_int_equal(house_faults(h, "token", FAULT_NONE), house_count(h, "token"));
}

/* A service that refuses every token is told with its 401, after one more try. */
static void test_refused_for_good(void **state)
{
	struct house *h = *state;

	house_says(h, "GET /net/v2.0/networks", 401, NULL,
		"{\"error\":{\"message\":\"go away\",\"title\":\"Unauthorized\",\"code\":401}}");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	const struct told *t = house_last(h, "network.networks");
	assert_int_equal(t->fault, FAULT_HTTP_401);
	assert_int_equal(t->tries, 2);
	assert_string_equal(t->detail, "answered 401: go away");
	assert_int_equal(house_last(h, "compute.servers")->fault, FAULT_NONE);
}

static void all_are(const struct house *h, const char *const *names, size_t least)
{
	for (size_t i = 0; i < 4; i++) {
		assert_true(house_count(h, names[i]) >= least);
		assert_int_equal(house_faults(h, names[i], FAULT_NONE), house_count(h, names[i]));
	}
}

static void test_keystone_comes_and_goes(void **state)
{
	struct house *h = *state;
	const struct endpoint_probe *p;

	house_keystone(h, 503);
	house_begin(h);
	house_pass(h, MINUTE);
	assert_int_equal(endpoints_list(h->endpoints, &p), 1);
	assert_true(house_count(h, "token") >= 2);
	assert_int_equal(h->told.n, house_count(h, "token"));
	assert_int_equal(house_faults(h, "token", FAULT_HTTP_503), h->told.n);
	assert_string_equal(house_last(h, "token")->detail, "answered 503: keystone is out");
	assert_string_equal(house_last(h, "token")->service_request_id, "req-k");
	assert_string_equal(house_last(h, "token")->component, "identity");
	/* It comes: the services appear. */
	const unsigned before = h->changes;
	house_keystone(h, 0);
	house_pass(h, MINUTE);
	assert_int_equal(endpoints_list(h->endpoints, &p), 9);
	assert_true(h->changes > before);
	all_are(h, lists, 1);
	all_are(h, roots, 1);
	/* It goes: everything goes on with the token there is, also past its end. */
	house_keystone(h, 503);
	house_forget(h);
	house_pass(h, 65 * MINUTE);
	all_are(h, lists, 120);
	all_are(h, roots, 120);
	assert_int_equal(house_faults(h, "token", FAULT_HTTP_503), house_count(h, "token"));
	/* The services refuse it: who needs it is silent, and not to blame. */
	fake_revoke(h->fake);
	house_forget(h);
	house_pass(h, 5 * MINUTE);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(house_count(h, lists[i]), 0);
	all_are(h, roots, 9);
	/* And back. */
	house_keystone(h, 0);
	house_forget(h);
	house_pass(h, 2 * MINUTE);
	all_are(h, lists, 2);
}

/* A wrong password is not tried by every probe, only at the rate of one. */
static void test_refused_log_in(void **state)
{
	struct house *h = *state;

	house_begin(h);
	house_pass(h, 3 * SECOND);
	house_keystone(h, 401);
	fake_revoke(h->fake);
	fake_forget(h->fake);
	house_forget(h);
	house_pass(h, 10 * MINUTE);
	assert_int_equal(house_faults(h, "token", FAULT_HTTP_401), house_count(h, "token"));
	assert_in_range(house_count(h, "token"), 19, 21);
	assert_true(fake_count(h->fake, "POST /identity/v3/auth/tokens") <= 42);
}

/* Who waits for a token of a keystone that hangs is silent too, and delays nothing. */
static void test_keystone_hangs(void **state)
{
	struct house *h = *state;

	house_begin(h);
	house_pass(h, 3 * SECOND);
	house_keystone(h, FAKE_KEEP);
	fake_revoke(h->fake);
	house_forget(h);
	house_pass(h, 10 * MINUTE);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(house_count(h, lists[i]), 0);
	all_are(h, roots, 19);
	is_constant(h, "token", 30000);
	assert_in_range(house_count(h, "token"), 19, 21);
	assert_int_equal(house_faults(h, "token", FAULT_TIMEOUT), house_count(h, "token"));
	is_late = false;
	schedule_each(h->schedule, look_at_job, NULL);
	assert_false(is_late);
	house_keystone(h, 0);
	house_pass(h, 2 * MINUTE);
	all_are(h, lists, 2);
}

static void wait_for_waiting(struct house *h)
{
	house_keystone(h, FAKE_KEEP);
	fake_revoke(h->fake);
	for (int i = 0; i < 120 && !house_waiting(h); i++)
		house_pass(h, SECOND);
	assert_true(house_waiting(h) > 0);
}

/* What waits for a token goes with its probe, or with all of them. */
static void test_gone_while_waiting(void **state)
{
	struct house *h = *state;
	int turns = 0;

	house_begin(h);
	house_pass(h, 3 * SECOND);
	wait_for_waiting(h);
	house_catalog(h, "[" ENTRY("compute", "/m1") "," ENTRY("network", "/m2") "," ENTRY(
				 "image", "/m3") "," ENTRY("volumev3", "/m4") "]");
	house_keystone(h, 0);
	/* The token probe is answered while the session's log-in still hangs. */
	while (!strstr(house_probe(h, "image.images")->url, "/m3/") && turns++ < 1000000)
		loop_advance(h->fake->loop, NS_PER_MS);
	assert_int_equal(house_waiting(h), 0);
	loop_advance(h->fake->loop, 2 * MINUTE);
	house_pass(h, MINUTE);
	wait_for_waiting(h);
	endpoints_free(h->endpoints);
	h->endpoints = NULL;
	loop_advance(h->fake->loop, 2 * MINUTE);
}

/* --- the catalog -------------------------------------------------------------------------------
 */

static void test_catalog_changes(void **state)
{
	struct house *h = *state;
	const struct endpoint_probe *p;

	house_begin(h);
	house_pass(h, 3 * SECOND);
	unsigned changes = h->changes;
	house_catalog(h, "[" ENTRY("compute", "/compute/v2.1") "," ENTRY("volumev3",
				 "/volume/v3/p1") "," ENTRY("network", "/net") "," ENTRY("antiddos",
				 "/ddos/v1/p1") "," ENTRY("dns", "/dns") "]");
	house_says(h, "GET /dns/", 200, NULL, "{}");
	house_says(h, "GET /dns/v2/zones", 200, NULL, "{\"zones\":[]}");
	house_says(h, "GET /ddos/v1/p1", 404, NULL, "{}");
	house_forget(h);
	house_pass(h, 61 * SECOND);
	assert_int_equal(h->changes, changes + 1);
	/* new ones, known or not */
	assert_int_equal(house_last(h, "dns.zones")->fault, FAULT_NONE);
	assert_int_equal(house_last(h, "dns.versions")->fault, FAULT_NONE);
	assert_int_equal(house_last(h, "antiddos.root")->fault, FAULT_NONE);
	assert_string_equal(house_last(h, "antiddos.root")->component, "antiddos");
	assert_string_equal(house_probe(h, "antiddos.root")->component_name, "Antiddos");
	/* the one that is gone is said, and for a while nothing is sent */
	assert_int_equal(house_last(h, "image.images")->fault, FAULT_NO_SERVICE);
	assert_string_equal(house_last(h, "image.images")->detail,
		"the catalog no longer holds the service \"image\"");
	assert_non_null(house_probe(h, "image.versions"));
	/* it is back */
	house_catalog(h, "[" ENTRY("compute", "/compute/v2.1") "," ENTRY(
				 "volumev3", "/volume/v3/p1") "," ENTRY("network",
				 "/net") "," ENTRY("image", "/image") "]");
	house_pass(h, 61 * SECOND);
	assert_int_equal(house_last(h, "image.images")->fault, FAULT_NONE);
	assert_int_equal(house_last(h, "dns.zones")->fault, FAULT_NO_SERVICE);
	/* and what does not come back goes at last */
	changes = h->changes;
	house_pass(h, 61 * MINUTE);
	assert_null(house_probe(h, "dns.zones"));
	assert_null(house_probe(h, "antiddos.root"));
	assert_int_equal(endpoints_list(h->endpoints, &p), 9);
	assert_true(h->changes > changes);
}

static void test_endpoint_moves(void **state)
{
	struct house *h = *state;

	house_begin(h);
	house_pass(h, 3 * SECOND);
	house_catalog(h, "[" ENTRY("compute", "/other") "]");
	house_says(h, "GET /other/", 200, NULL, "{}");
	house_says(h, "GET /other/v2.1/servers", 200, NULL, "{}");
	house_pass(h, 61 * SECOND);
	ends_with(house_probe(h, "compute.servers")->url, "/other/v2.1/servers?limit=1");
	assert_int_equal(house_last(h, "compute.servers")->fault, FAULT_NONE);
	assert_true(fake_count(h->fake, "GET /other/v2.1/servers") > 0);
	/* calls of the session go there too */
	struct fake_result r = {0};
	house_says(h, "GET /other/v2.1/x", 200, NULL, "{}");
	fake_call(h->fake, "compute", "GET", "/x", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_result_fini(&r);
}

static void test_no_region(void **state)
{
	struct house *h = *state;

	h->fake->config.region = mem_strdup("R9");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	const struct told *t = house_last(h, "token");
	assert_int_equal(t->fault, FAULT_NONE);
	assert_true(t->warned);
	assert_string_equal(t->detail, "no region \"R9\"; there are: R");
	/* no other region's services are asked instead */
	const struct endpoint_probe *p;
	assert_int_equal(endpoints_list(h->endpoints, &p), 1);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void test_answers(void **state)
{
	static const struct {
		int status;
		const char *header, *body;
		enum fault fault;
		const char *detail;
	} rows[] = {
		{200, NULL, "{}", FAULT_NONE, ""},
		{204, NULL, "", FAULT_NONE, ""},
		{302, "Location: /x", "", FAULT_NONE, ""},
		{200, NULL, "{\"a\":", FAULT_BODY, "answered 200 with a body that is not JSON"},
		{400, NULL, "{\"badRequest\":{\"message\":\"no\",\"code\":400}}", FAULT_HTTP_400,
			"answered 400: no"},
		{403, NULL, "{\"forbidden\":{\"message\":\"not you\",\"code\":403}}",
			FAULT_HTTP_403, "answered 403: not you"},
		{404, NULL, "", FAULT_HTTP_404, "answered 404"},
		{429, "Retry-After: 3", "", FAULT_HTTP_429, "answered 429"},
		{500, NULL, "{\"computeFault\":{\"message\":\"oh\",\"code\":500}}", FAULT_HTTP_5XX,
			"answered 500: oh"},
		{503, NULL, "", FAULT_HTTP_503, "answered 503"},
		{FAKE_DROP, NULL, "", FAULT_CONNECTION_LOST, ""},
	};
	struct house *h = *state;

	house_begin(h);
	for (size_t i = 0; i < array_len(rows); i++) {
		house_says(h, "GET /compute/v2.1/servers", rows[i].status, rows[i].header,
			rows[i].body);
		house_pass(h, 31 * SECOND);
		const struct told *t = house_last(h, "compute.servers");
		if (t->fault != rows[i].fault)
			fail_msg("row %zu: %s (%s)", i, fault_name(t->fault), t->detail);
		assert_int_equal(t->status, rows[i].status > 0 ? rows[i].status : 0);
		assert_memory_equal(t->detail, rows[i].detail, strlen(rows[i].detail));
		assert_int_equal(t->tries, 1);
		assert_true(!t->detail[0] == (t->fault == FAULT_NONE));
	}
}

/* Neither a token nor a password gets into what is told, whatever a service sends back. */
static void test_no_secrets(void **state)
{
	struct house *h = *state;

	house_says(h, "GET /compute/v2.1/servers", 500, NULL,
		"{\"computeFault\":{\"message\":\"token-1-abcdef geheim-geheim\",\"code\":500}}");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	const struct told *t = house_last(h, "compute.servers");
	assert_null(strstr(t->detail, "geheim"));
	assert_null(strstr(t->detail, "abcdef"));
	has(t->detail, "answered 500: *** ***");
}

static void test_slow(void **state)
{
	struct house *h = *state;

	h->options.slow_ns = 1000; /* everything is slower */
	house_says(h, "GET /compute/", 503, NULL, "");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	const struct told *t = house_last(h, "compute.servers");
	assert_int_equal(t->fault, FAULT_NONE);
	assert_true(t->warned);
	assert_memory_equal(t->detail, "answered after ", 15);
	ends_with(t->detail, " s, limit 1e-06 s");
	assert_false(house_last(h, "compute.versions")->warned); /* it failed */
	assert_true(house_last(h, "token")->warned);
}

static void test_unreachable(void **state)
{
	struct house *h = *state;

	house_catalog(h,
		"[{\"type\":\"compute\",\"endpoints\":[{\"interface\":\"public\","
		"\"region_id\":\"R\",\"url\":\"http://127.0.0.1:1/compute\"}]}]");
	house_begin(h);
	house_pass(h, 3 * SECOND);
	assert_int_equal(house_last(h, "compute.versions")->fault, FAULT_REFUSED);
	assert_int_equal(house_last(h, "compute.versions")->status, 0);
	assert_string_equal(
		house_last(h, "compute.versions")->request, "GET http://127.0.0.1:1/compute/");
}

/* --- the user's table --------------------------------------------------------------------------
 */

static void test_own_rows(void **state)
{
	struct house *h = *state;
	struct error err = {0};

	house_write(h, "a.yaml",
		"compute.flavors:\n"
		"  {service: compute, path: /flavors?limit=1, token: true, every: 5s, timeout: 1s,\n"
		"   component: Flavors}\n"
		"compute.servers: off\n"
		"image.versions: {good: [200, 4xx]}\n"
		"token: {every: 10s, component: Log-in}\n");
	house_says(h, "GET /compute/v2.1/flavors", 200, NULL, "{}");
	house_says(h, "GET /image/", 404, NULL, "{}");
	house_begin(h);
	house_pass(h, 63 * SECOND);
	assert_null(house_probe(h, "compute.servers"));
	assert_in_range(house_count(h, "compute.flavors"), 12, 14);
	assert_string_equal(house_last(h, "compute.flavors")->component, "flavors");
	assert_int_equal(house_last(h, "image.versions")->fault, FAULT_NONE);
	assert_in_range(house_count(h, "token"), 6, 8);
	assert_string_equal(house_last(h, "token")->component, "log-in");
	/* a bad one keeps the probes from beginning */
	house_write(h, "b.yaml", "compute.serves: off\nx: 1\n");
	assert_null(endpoints_new(
		h->schedule, h->fake->cloud, h->probes, NULL, &h->options, NULL, NULL, NULL, &err));
	ends_with(err.file, "/b.yaml");
	assert_int_equal(err.line, 1);
	assert_string_equal(err.msg,
		"endpoint compute.serves: there is no such probe; did you mean "
		"\"compute.servers\"? (and 1 more)");
}

/* --- ends --------------------------------------------------------------------------------------
 */

/* Everything may be under way: a log-in, requests, a wait for the token. */
static void test_freed_any_time(void **state)
{
	struct house *h = *state;

	for (size_t i = 0; i < 8; i++)
		house_says(
			h, i % 2 ? "GET /compute/" : "GET /image/v2/images", FAKE_KEEP, NULL, "");
	for (int64_t ms = 0; ms < 2500; ms += 100) {
		if (ms % 200)
			fake_restart(h->fake, NULL);
		house_begin(h);
		loop_advance(h->fake->loop, ms * NS_PER_MS);
		endpoints_free(h->endpoints);
		h->endpoints = NULL;
	}
	assert_true(h->told.n < 1000);
}

int test_endpoint(void)
{
	const struct CMUnitTest tests[] = {
		house_test(test_all_good),
		house_test(test_headers),
		house_test(test_series),
		house_test(test_half_hang),
		house_test(test_nothing_skipped),
		house_test(test_renewed_after_401),
		house_test(test_refused_for_good),
		house_test(test_keystone_comes_and_goes),
		house_test(test_refused_log_in),
		house_test(test_keystone_hangs),
		house_test(test_gone_while_waiting),
		house_test(test_catalog_changes),
		house_test(test_endpoint_moves),
		house_test(test_no_region),
		house_test(test_answers),
		house_test(test_no_secrets),
		house_test(test_slow),
		house_test(test_unreachable),
		house_test(test_own_rows),
		house_test(test_freed_any_time),
	};

	return cmocka_run_group_tests_name("observe/endpoint", tests, NULL, NULL);
}
