/* Logging in, the catalog, regions, versions: what stands before the first request. */
#include "../check.h"

#include "fake_cloud.h"

static void set_catalog(struct fake *f, const char *text)
{
	free(f->catalog);
	f->catalog = mem_strdup(text);
}

/* --- token -------------------------------------------------------------------------------------
 */

static void test_password(void **state)
{
	struct fake *f = *state;

	assert_string_equal(fake_connect(f), "");
	assert_string_equal(f->requests.p[0], "POST /identity/v3/auth/tokens");
	assert_string_equal(f->bodies.p[0],
		"{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":"
		"{\"name\":\"u\",\"domain\":{\"name\":\"Default\"},\"password\":\"geheim-geheim\"}}},"
		"\"scope\":{\"project\":{\"name\":\"p\",\"domain\":{\"id\":\"default\"}}}}}");
	assert_string_equal(cloud_project_id(f->cloud), "p1");
	assert_string_equal(cloud_user_id(f->cloud), "u1");
	assert_string_equal(cloud_region(f->cloud), "R");
	assert_string_equal(fake_connect(f), ""); /* it has a token */
	assert_int_equal(f->tokens, 1);
}

static void test_other_ways(void **state)
{
	struct fake *f = *state;

	f->config.auth_type = AUTH_TOKEN;
	f->config.token = secret_new(SLICE("given-token"));
	f->config.project_id = (char *)"p1";
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "");
	assert_string_equal(f->bodies.p[0],
		"{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"given-token\"}},"
		"\"scope\":{\"project\":{\"id\":\"p1\"}}}}");
	f->config.project_id = NULL;
	f->config.auth_type = AUTH_APPLICATION_CREDENTIAL;
	f->config.application_credential_secret = secret_new(SLICE("app-secret"));
	f->config.application_credential_name = (char *)"app";
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "");
	assert_string_equal(f->bodies.p[1],
		"{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
		"\"application_credential\":{\"secret\":\"app-secret\",\"name\":\"app\",\"user\":"
		"{\"name\":\"u\",\"domain\":{\"name\":\"Default\"}}}}}}");
	f->config.application_credential_id = mem_strdup("a1");
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "");
	assert_string_equal(f->bodies.p[2],
		"{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
		"\"application_credential\":{\"secret\":\"app-secret\",\"id\":\"a1\"}}}}");
}

static void test_auth_url(void **state)
{
	static const char *const forms[] = {"%s/identity", "%s/identity/", "%s/identity/v3",
		"%s/identity/v3/", "%s/identity/v2.0", "%s/identity/v2.0/"};
	struct fake *f = *state;

	for (size_t i = 0; i < array_len(forms); i++) {
		struct buf url = BUF(BUF_LINE);

		buf_add_str(&url, f->base);
		buf_add_str(&url, forms[i] + 2);
		free(f->config.auth_url);
		f->config.auth_url = buf_take(&url);
		fake_restart(f, NULL);
		assert_string_equal(fake_connect(f), "");
		assert_string_equal(
			f->requests.p[f->requests.n - 1], "POST /identity/v3/auth/tokens");
	}
}

static void refused_with(struct fake *f, int status, const char *body, const char *expected)
{
	for (size_t i = 0; i < f->answers.n; i++) {
		free(f->answers.p[i].request);
		free(f->answers.p[i].body);
	}
	f->answers.n = 0;
	fake_says(f, "POST /identity/v3/auth/tokens", status, NULL, body);
	const char *got = fake_connect(f);
	if (!strstr(got, expected))
		fail_msg("%s\nhas no\n%s", got, expected);
}

static void test_refusals(void **state)
{
	static const char unauthorized[] =
		"{\"error\":{\"code\":401,\"message\":\"no way\",\"title\":\"Unauthorized\"}}";
	struct fake *f = *state;

	refused_with(f, 401, unauthorized,
		"cloud c: the user name or password was refused: check u, password, project and "
		"their domains in clouds.yaml (keystone says: no way)");
	refused_with(f, 404, "", "cloud c: no Identity API v3 at http://127.0.0.1:");
	refused_with(f, 503, "<html><h1>busy</h1></html>", "cloud c: keystone answers 503: busy");
	refused_with(f, 200, "<html></html>", "answers, but not like keystone");
	refused_with(f, 201, "{\"token\":{}}", "answers, but not like keystone"); /* no header */
	refused_with(f, FAKE_DROP, "", "cannot be reached");
	f->config.auth_type = AUTH_APPLICATION_CREDENTIAL;
	f->config.application_credential_secret = secret_new(SLICE("app-secret"));
	f->config.application_credential_id = mem_strdup("a1");
	refused_with(f, 401, unauthorized,
		"cloud c: the application credential was refused: it is wrong, deleted or expired "
		"(keystone says: no way)");
	/* a call made meanwhile ends with the same */
	struct fake_result r = {0};
	fake_call(f, "compute", "GET", "/servers", NULL, &r);
	assert_int_equal(r.fault, FAULT_HTTP_401);
	assert_non_null(strstr(r.message, "application credential was refused"));
	assert_false(r.sent);
	fake_result_fini(&r);
}

static void test_unreachable(void **state)
{
	struct fake *f = *state;

	free(f->config.auth_url);
	f->config.auth_url = mem_strdup("http://127.0.0.1:1/v3");
	fake_restart(f, NULL);
	const char *got = fake_connect(f);
	assert_non_null(strstr(got,
		"cloud c: http://127.0.0.1:1/v3 cannot be reached: the "
		"connection was refused"));
	assert_non_null(strstr(got, "check auth_url and the network between"));
}

/* A failure is told once; the next call tries anew. */
static void test_recovers(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	fake_says(f, "POST /identity/v3/auth/tokens", 503, NULL, "");
	assert_true(*fake_connect(f) != 0);
	free(f->answers.p[0].request);
	f->answers.p[0].request = mem_strdup("none");
	fake_says(f, "GET /compute/v2.1/servers", 200, NULL, "{\"servers\":[]}");
	fake_call(f, "compute", "GET", "/servers", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_result_fini(&r);
}

/* A proxy's page is nobody's answer, whatever its status; swift does answer in HTML. */
static void test_page_of_a_proxy(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	fake_says(f, "DELETE /compute/v2.1/servers/s", 200, "Content-Type: text/html", "<html>");
	fake_call(f, "compute", "DELETE", "/servers/s", NULL, &r);
	assert_int_equal(r.fault, FAULT_BODY);
	assert_string_equal(r.message, "a page of HTML answers instead of the service");
	fake_says(f, "DELETE /compute/v2.1/servers/t", 204, "Content-Type: text/html", "");
	fake_call(f, "compute", "DELETE", "/servers/t", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_result_fini(&r);
}

static void test_renewed_in_time(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	fake_says(f, "GET /compute/v2.1/x", 200, NULL, "{}");
	fake_call(f, "compute", "GET", "/x", NULL, &r);
	loop_advance(f->loop, 3500 * NS_PER_S);
	fake_call(f, "compute", "GET", "/x", NULL, &r);
	assert_int_equal(f->tokens, 1);
	loop_advance(f->loop, 45 * NS_PER_S); /* 55 s are left */
	fake_call(f, "compute", "GET", "/x", NULL, &r);
	assert_int_equal(f->tokens, 2);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_int_equal(fake_count(f, "GET /compute/v2.1/x"), 3); /* none was refused */
	fake_result_fini(&r);
}

/* A token that has no life left by keystone's own clock is used until it is refused: no circle. */
static void test_no_life(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	f->token_life_s = -10;
	fake_says(f, "GET /compute/v2.1/x", 200, NULL, "{}");
	fake_call(f, "compute", "GET", "/x", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	assert_true(f->tokens < 3);
	fake_result_fini(&r);
}

/* --- regions -----------------------------------------------------------------------------------
 */

#define SERVICE(type, region, url)                                                                 \
	"{\"type\":\"" type                                                                        \
	"\",\"name\":\"n\",\"endpoints\":[{\"interface\":\"internal\","                            \
	"\"region_id\":\"" region                                                                  \
	"\",\"url\":\"$BASE/inner\"},{\"interface\":\"public\","                                   \
	"\"region_id\":\"" region "\",\"url\":\"" url "\"}]}"

static void test_regions(void **state)
{
	struct fake *f = *state;

	set_catalog(f, "[" SERVICE("compute", "R1", "$BASE/one/v2.1") "," SERVICE(
			       "compute", "R2", "$BASE/two/v2.1") "]");
	assert_string_equal(fake_connect(f),
		"cloud c: several regions: set region_name in clouds.yaml to one of R1, R2");
	f->config.region = mem_strdup("R3");
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "cloud c: no region \"R3\"; there are: R1, R2");
	f->config.region[1] = '2';
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "");
	assert_non_null(strstr(cloud_endpoint(f->cloud, "compute"), "/two/v2.1"));
	json_t *catalog = cloud_catalog(f->cloud);
	char *text = json_text(catalog);
	assert_non_null(strstr(text, "/two/v2.1"));
	free(text);
	json_decref(catalog);
	free(f->config.interface);
	f->config.interface = mem_strdup("internal");
	fake_restart(f, NULL);
	assert_string_equal(fake_connect(f), "");
	assert_non_null(strstr(cloud_endpoint(f->cloud, "compute"), "/inner"));
}

/* --- versions ----------------------------------------------------------------------------------
 */

static const char nova_versions[] =
	"{\"versions\":[{\"id\":\"v2.0\",\"status\":\"SUPPORTED\",\"version\":\"\",\"links\":[{"
	"\"rel\":\"self\",\"href\":\"http://inner:8774/v2/\"}]},{\"id\":\"v2.1\",\"status\":"
	"\"CURRENT\",\"version\":\"2.93\",\"links\":[{\"rel\":\"self\",\"href\":"
	"\"http://inner:8774/v2.1/\"}]}]}";
static const char cinder_versions[] =
	"{\"versions\":[{\"id\":\"v2.0\",\"status\":\"DEPRECATED\",\"version\":\"\",\"links\":[{"
	"\"rel\":\"self\",\"href\":\"http://inner:8776/v2/\"}]},{\"id\":\"v3.0\",\"status\":"
	"\"CURRENT\",\"version\":\"3.70\",\"links\":[{\"rel\":\"describedby\",\"href\":"
	"\"http://docs\"},{\"rel\":\"self\",\"href\":\"http://inner:8776/v3/\"}]}]}";
static const char glance_versions[] =
	"{\"versions\":[{\"id\":\"v2.15\",\"status\":\"CURRENT\",\"links\":[{\"rel\":\"self\","
	"\"href\":\"http://inner:9292/v2/\"}]},{\"id\":\"v2.0\",\"status\":\"SUPPORTED\","
	"\"links\":[{\"rel\":\"self\",\"href\":\"http://inner:9292/v2/\"}]}]}";

static const char octavia_versions[] =
	"{\"versions\":[{\"id\":\"v2.0\",\"status\":\"SUPPORTED\",\"links\":[{\"href\":"
	"\"http://inner:9876/v2\",\"rel\":\"self\"}]},{\"id\":\"v2.26\",\"status\":\"CURRENT\","
	"\"links\":[{\"href\":\"http://inner:9876/v2\",\"rel\":\"self\"}]}]}";
static const char designate_versions[] =
	"{\"versions\":[{\"id\":\"v2\",\"links\":[{\"href\":\"http://inner:9001/v2\",\"rel\":"
	"\"self\"}],\"status\":\"SUPPORTED\"},{\"id\":\"v2.0\",\"links\":[{\"href\":"
	"\"http://inner:9001/v2\",\"rel\":\"self\"}],\"status\":\"CURRENT\"}]}";

static void test_discovery(void **state)
{
	static const struct {
		const char *service, *root, *wants;
		int status;
		const char *document;
	} rows[] = {
		{"compute", "/compute", "/compute/v2.1/x", 200, nova_versions},
		{"block-storage", "/volume", "/volume/v3/x", 300, cinder_versions},
		{"image", "", "/v2/x", 300, glance_versions},
		/* no document: what is usual */
		{"compute", "/compute", "/compute/v2.1/x", 500, ""},
		{"network", "/net/", "/net/v2.0/x", 200, "<html>"},
		{"network", "/net", "/net/v2.0/x", 200, "{\"versions\":[]}"},
		{"identity", "/identity", "/identity/v3/x", 300,
			"{\"versions\":{\"values\":[{\"id\":\"v3.14\",\"status\":\"stable\","
			"\"links\":[{\"rel\":\"self\",\"href\":\"http://inner/identity/v3/\"}]}]}}"},
		/* the version is in the address; one that knows no versions is taken as it is */
		{"compute", "/c/v2.1/p1", "/c/v2.1/p1/x", 0, NULL},
		{"shared-file-system", "/lb", "/lb/x", 0, NULL},
		{"load-balancer", "/lb", "/lb/v2/x", 200, octavia_versions},
		{"load-balancer", "/lb/v2.0", "/lb/v2.0/x", 0, NULL},
		{"dns", "", "/v2/x", 200, designate_versions},
		{"orchestration", "/heat", "/heat/v1/p1/x", 300,
			"{\"versions\":[{\"id\":\"v1.0\",\"status\":\"CURRENT\",\"links\":[{\"rel\":"
			"\"self\",\"href\":\"http://inner:8004/v1/\"}]}]}"},
		{"orchestration", "/heat", "/heat/v1/p1/x", 500, ""},
		{"orchestration", "/v1/p1", "/v1/p1/x", 0, NULL},
		{"key-manager", "", "/v1/x", 300,
			"{\"versions\":{\"values\":[{\"id\":\"v1\",\"status\":\"stable\",\"links\":[{"
			"\"rel\":\"self\",\"href\":\"http://inner:9311/v1/\"}]}]}}"},
		{"object-store", "/swift/v1/AUTH_p", "/swift/v1/AUTH_p/x", 0, NULL},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		struct fake_result r = {0};
		char *catalog = mem_printf(
			"[{\"type\":\"%s\",\"endpoints\":[{\"interface\":\"public\","
			"\"region\":\"R\",\"url\":\"$BASE%s\"}]}]",
			rows[i].service, rows[i].root);
		const size_t n = strlen(rows[i].root);
		char *root = mem_printf(
			"GET %s%s", rows[i].root, n && rows[i].root[n - 1] == '/' ? "" : "/");
		char *wants = mem_printf("GET %s", rows[i].wants);

		set_catalog(f, catalog);
		fake_restart(f, NULL);
		fake_forget(f);
		f->answers.n = 0;
		if (rows[i].document)
			fake_says(f, root, rows[i].status, NULL, rows[i].document);
		fake_says(f, wants, 200, NULL, "{}");
		fake_call(f, rows[i].service, "GET", "/x", NULL, &r);
		if (r.fault != FAULT_NONE)
			fail_msg("%zu: %s, asked %s", i, r.message,
				f->requests.p[f->requests.n - 1]);
		assert_int_equal(fake_count(f, root), rows[i].document != NULL);
		/* asked once only */
		fake_call(f, rows[i].service, "GET", "/x", NULL, &r);
		assert_int_equal(fake_count(f, root), rows[i].document != NULL);
		fake_result_fini(&r);
		for (size_t k = 0; k < f->answers.n; k++) {
			free(f->answers.p[k].request);
			free(f->answers.p[k].body);
		}
		f->answers.n = 0;
		free(catalog);
		free(root);
		free(wants);
	}
}

static void test_overrides(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	/* by an alias of the type, and taken as it stands */
	map_put(&f->config.endpoint_override, "volume", mem_printf("%s/own", f->base));
	map_put(&f->config.endpoint_override, "dns", mem_printf("%s/names/", f->base));
	fake_says(f, "GET /own/volumes", 200, NULL, "{}");
	fake_says(f, "GET /names/zones", 200, NULL, "{}");
	fake_call(f, "block-storage", "GET", "/volumes", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_call(f, "dns", "GET", "/zones", NULL, &r); /* the catalog has none */
	assert_int_equal(r.fault, FAULT_NONE);
	fake_call(f, "baremetal", "GET", "/nodes", NULL, &r);
	assert_int_equal(r.fault, FAULT_NO_SERVICE);
	assert_string_equal(r.message, "the catalog has no service \"baremetal\"");
	assert_false(r.sent);
	fake_result_fini(&r);
}

static void test_api_version(void **state)
{
	struct fake *f = *state;
	struct fake_result r = {0};

	set_catalog(f, "[" SERVICE("volume", "R", "$BASE/volume") "]");
	map_put(&f->config.api_version, "volume", mem_strdup("2"));
	fake_says(f, "GET /volume/", 300, NULL, cinder_versions);
	fake_says(f, "GET /volume/v2/x", 200, NULL, "{}");
	fake_call(f, "block-storage", "GET", "/x", NULL, &r);
	assert_int_equal(r.fault, FAULT_NONE);
	fake_result_fini(&r);
}

/* --- the end ------------------------------------------------------------------------------------
 */

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	++*(int *)arg;
}

static void on_connect(void *arg, const struct error *err)
{
	fail();
}

/* A loop that was told to stop is no reason to free what a log-in under way still comes back to. */
static void test_freed_while_the_loop_stops(void **state)
{
	struct fake *f = *state;
	int ended = 0;

	fake_says(f, "POST /identity/v3/auth/tokens", FAKE_KEEP, NULL, "");
	cloud_observe(f->cloud, CLOUD_FIGURES, on_exchange, &ended);
	cloud_connect(f->cloud, on_connect, &ended);
	loop_advance(f->loop, NS_PER_S);
	assert_int_equal(ended, 0);
	loop_stop(f->loop);
	cloud_free(f->cloud);
	f->cloud = NULL;
	assert_int_equal(ended, 1);
}

#define row(t) cmocka_unit_test_setup_teardown(t, fake_set_up, fake_tear_down)

int test_session(void)
{
	const struct CMUnitTest tests[] = {
		row(test_password),
		row(test_other_ways),
		row(test_auth_url),
		row(test_refusals),
		row(test_unreachable),
		row(test_recovers),
		row(test_page_of_a_proxy),
		row(test_renewed_in_time),
		row(test_no_life),
		row(test_regions),
		row(test_discovery),
		row(test_overrides),
		row(test_api_version),
		row(test_freed_while_the_loop_stops),
	};

	return cmocka_run_group_tests_name("openstack/session", tests, NULL, NULL);
}
