/* Keystone: ways in, scopes, what a member may not see, the life of tokens. */
#include "simulated.h"

#include "sim/seed.h"

#define K "/identity/v3"

static int auth(struct simulated *s, const char *identity, const char *scope)
{
	char *token = s->token, *body;

	body = mem_printf("{'auth': {'identity': %s%s%s}}", identity, scope ? ", 'scope': " : "",
		scope ? scope : "");
	s->token = NULL;
	int status = simulated_call(s, "POST", K "/auth/tokens", body);
	s->token = token;
	free(body);
	return status;
}

static const char *password(const char *user, const char *text)
{
	static char identity[512];

	snprintf(identity, sizeof(identity),
		"{'methods': ['password'], 'password': {'user': {'name': '%s', 'domain': {'name': "
		"'Default'}, 'password': '%s'}}}",
		user, text);
	return identity;
}

#define DEMO "{'project': {'name': 'demo', 'domain': {'id': 'default'}}}"

static void take_token(struct simulated *s)
{
	char *text = mem_strdup(simulated_header(s, "x-subject-token"));

	assert_true(*text != 0);
	free(s->token);
	s->token = text;
}

static void test_versions(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", "/identity", NULL);
	simulated_said(s, 300, "v3.14");
	simulated_call(s, "GET", K "/", NULL);
	simulated_said(s, 200, "\"status\":\"stable\"");
}

static void test_refusals(void **state)
{
	static const char all[] = "The request you have made requires authentication.";
	struct simulated *s = *state;

	auth(s, password("demo", "wrong"), DEMO);
	simulated_said(s, 401, all);
	auth(s, password("nobody", SEED_PASSWORD), DEMO);
	simulated_said(s, 401, all);
	auth(s, password("other", SEED_PASSWORD), DEMO); /* no member there */
	simulated_said(s, 401, all);
	auth(s, password("demo", SEED_PASSWORD), "{'domain': {'id': 'default'}}");
	simulated_said(s, 401, all);
	auth(s, "{}", NULL);
	simulated_said(s, 400, "Expecting to find methods in identity");
	simulated_call(s, "POST", K "/auth/tokens", "{}");
	simulated_said(s, 400, "Expecting to find auth in request body");
	auth(s, password("demo", SEED_PASSWORD), DEMO);
	simulated_said(s, 201, "\"catalog\"");
}

static void test_catalog(void **state)
{
	static const char *const types[] = {
		"identity", "network", "volumev3", "block-storage", "image"};
	struct simulated *s = *state;

	auth(s, password("demo", SEED_PASSWORD), DEMO);
	for (size_t i = 0; i < array_len(types); i++) {
		char text[64];
		snprintf(text, sizeof(text), "\"type\":\"%s\"", types[i]);
		simulated_said(s, 201, text);
	}
	simulated_call(s, "GET", K "/auth/catalog", NULL);
	simulated_said(s, 200, "/volume/v3/");
	simulated_said(s, 200, s->project);
}

static void test_without_scope(void **state)
{
	struct simulated *s = *state;

	/* a network of the project, and a router with a port of the cloud's own */
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	snprintf(s->kept[1], sizeof(s->kept[1]), "%s",
		simulated_str(s, "networks", "0", "id", NULL));
	simulated_call(s, "POST", "/network/v2.0/networks", "{'network': {}}");
	simulated_said(s, 201, NULL);
	simulated_call(s, "POST", "/network/v2.0/routers",
		"{'router': {'external_gateway_info': {'network_id': '$1'}}}");
	simulated_said(s, 201, NULL);
	simulated_wait(s, NS_PER_S);
	auth(s, password("demo", SEED_PASSWORD), NULL);
	simulated_said(s, 201, NULL);
	assert_null(json_object_get(json_object_get(s->json, "token"), "catalog"));
	take_token(s);
	simulated_call(s, "GET", K "/auth/projects", NULL);
	assert_int_equal(simulated_count(s, "projects"), 2);
	/* reading shows what is everybody's, and no more */
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 200, NULL);
	assert_int_equal(simulated_count(s, "networks"), 1);
	assert_string_equal(simulated_str(s, "networks", "0", "name", NULL), "public");
	simulated_call(s, "GET", "/network/v2.0/ports", NULL);
	assert_int_equal(simulated_count(s, "ports"), 0);
	simulated_call(s, "GET", "/volume/v3/$P/volumes", NULL);
	simulated_said(s, 400, "Malformed request url");
	simulated_call(s, "POST", "/network/v2.0/networks", "{'network': {}}");
	simulated_said(s, 403, "PolicyNotAuthorized");
	simulated_call(s, "GET", K "/auth/catalog", NULL);
	simulated_said(s, 403, "You are not authorized to perform the requested action.");
	/* it may be changed for one of a project */
	char *identity = mem_printf("{'methods': ['token'], 'token': {'id': '%s'}}", s->token);
	auth(s, identity, DEMO);
	free(identity);
	simulated_said(s, 201, "\"catalog\"");
	take_token(s);
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 200, NULL);
}

static void test_member_sees_little(void **state)
{
	static const char *const paths[] = {
		K "/projects", K "/users", K "/services", K "/endpoints", K "/projects/other"};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(paths); i++) {
		simulated_call(s, "GET", paths[i], NULL);
		simulated_said(s, 403, "You are not authorized to perform the requested action");
	}
	simulated_call(s, "GET", K "/projects/$P", NULL);
	simulated_said(s, 200, "\"name\":\"demo\"");
	assert_null(strstr(s->text, "\".")); /* what only the sim knows */
}

static void test_revoked(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 200, NULL);
	/* a life of four hours */
	simulated_wait(s, 4 * 3600 * NS_PER_S);
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 401, "requires authentication");
	assert_non_null(strstr(simulated_header(s, "www-authenticate"), "/identity"));
	free(s->token);
	s->token = mem_strdup("nonsense");
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 401, NULL);
}

static void test_credentials(void **state)
{
	struct simulated *s = *state;
	char user[64], identity[256];

	auth(s, password("demo", SEED_PASSWORD), DEMO);
	snprintf(user, sizeof(user), "%s", simulated_str(s, "token", "user", "id", NULL));
	snprintf(s->kept[1], sizeof(s->kept[1]), "%s", user);
	simulated_call(s, "POST", K "/users/$1/application_credentials",
		"{'application_credential': {'name': 'c', 'secret': 'geheim'}}");
	simulated_said(s, 201, "\"secret\":\"geheim\"");
	simulated_keep(s, 2, "application_credential");
	simulated_call(s, "POST", K "/users/$1/application_credentials",
		"{'application_credential': {'name': 'c'}}");
	simulated_said(s, 409, "Duplicate entry found with name c.");
	simulated_call(s, "GET", K "/users/$1/application_credentials/$2", NULL);
	simulated_said(s, 200, NULL);
	assert_null(strstr(s->text, "geheim")); /* shown once */
	simulated_call(s, "GET", K "/users/nobody/application_credentials", NULL);
	simulated_said(s, 403, NULL);

	snprintf(identity, sizeof(identity),
		"{'methods': ['application_credential'], 'application_credential': {'id': '$2', "
		"'secret': '%s'}}",
		"wrong");
	auth(s, identity, NULL);
	simulated_said(s, 401, NULL);
	snprintf(identity, sizeof(identity),
		"{'methods': ['application_credential'], 'application_credential': {'id': '$2', "
		"'secret': '%s'}}",
		"geheim");
	auth(s, identity, DEMO); /* it is its scope */
	simulated_said(s, 401, NULL);
	auth(s, identity, NULL);
	simulated_said(s, 201, "\"application_credential\"");
	char *old = s->token;
	s->token = mem_strdup(simulated_header(s, "x-subject-token"));
	simulated_call(s, "POST", K "/users/$1/application_credentials",
		"{'application_credential': {'name': 'd'}}");
	simulated_said(s, 403, "managing additional application credentials");
	char *its = s->token;
	s->token = old;
	simulated_call(s, "DELETE", K "/users/$1/application_credentials/$2", NULL);
	simulated_said(s, 204, NULL);
	s->token = its; /* goes with its credential */
	simulated_call(s, "GET", "/network/v2.0/networks", NULL);
	simulated_said(s, 401, NULL);
	free(old);
}

static void test_clouds(void **state)
{
	struct simulated *s = *state;
	char *text = sim_clouds_text(s->sim);

	assert_non_null(strstr(text, "  sim:\n"));
	assert_non_null(strstr(text, "  sim-app:\n"));
	assert_non_null(strstr(text, sim_url(s->sim)));
	free(text);
	simulated_login(s, "demo-b", "demo");
	simulated_login(s, "demo", "second");
	simulated_login(s, "other", "other");
}

int test_identity(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_versions),
		TEST(test_refusals),
		TEST(test_catalog),
		TEST(test_without_scope),
		TEST(test_member_sees_little),
		TEST(test_revoked),
		TEST(test_credentials),
		TEST(test_clouds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
