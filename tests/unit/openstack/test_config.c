/* Which cloud and who we are there: files in openstacksdk's order, layers, OS_*, errors' places. */
#include "../check.h"

#include "openstack/cloud_config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

extern char **environ;

/* --- a home of our own -------------------------------------------------------------------------
 */

struct home {
	char dir[64], *cwd;
	char **environ_was;
};

static int set_up(void **state)
{
	struct home *h = mem_new(struct home);

	snprintf(h->dir, sizeof(h->dir), "/tmp/test-config-XXXXXX");
	if (!mkdtemp(h->dir))
		return -1;
	h->cwd = realpath(".", NULL);
	h->environ_was = environ;
	environ = NULL;
	setenv("HOME", h->dir, 1);
	char *here = mem_printf("%s/here", h->dir);
	mkdir(here, 0700);
	const int failed = chdir(here);
	free(here);
	*state = h;
	return failed;
}

static int tear_down(void **state)
{
	struct home *h = *state;
	char *remove = mem_printf("rm -rf %s", h->dir);

	environ = h->environ_was;
	const int failed = chdir(h->cwd) || system(remove);
	free(remove);
	free(h->cwd);
	free(h);
	return failed;
}

/* `path` is below the home; its directories are made. */
static void put(const struct home *h, const char *path, const char *text)
{
	char *full = mem_printf("%s/%s", h->dir, path);

	for (char *p = full + strlen(h->dir) + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(full, 0700);
			*p = '/';
		}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(full);
}

static void put_env(const struct home *h, const char *name, const char *path)
{
	char *full = mem_printf("%s/%s", h->dir, path);

	setenv(name, full, 1);
	free(full);
}

static struct cloud_config *load(const char *name)
{
	struct error_list errors = {0};
	char line[ERROR_TEXT + 300];
	struct cloud_config *c = cloud_config_load(name, &errors);

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s\n", error_text(&errors.p[i], line, sizeof(line)));
	assert_non_null(c);
	assert_int_equal(errors.n, 0);
	return c;
}

/* All errors, one a line, with the home's directory as ~. */
static void refuses(const struct home *h, const char *name, const char *expected)
{
	struct error_list errors = {0};
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];

	assert_null(cloud_config_load(name, &errors));
	for (size_t i = 0; i < errors.n; i++) {
		const char *text = error_text(&errors.p[i], line, sizeof(line));
		const char *at = strstr(text, h->dir);

		if (at == text)
			buf_printf(&all, "~%s\n", text + strlen(h->dir));
		else
			buf_printf(&all, "%s\n", text);
	}
	if (strcmp(buf_str(&all), expected) != 0)
		print_error("got:\n%s", buf_str(&all));
	assert_string_equal(buf_str(&all), expected);
	buf_fini(&all);
	error_list_fini(&errors);
}

#define CLOUD(user)                                                                                \
	"clouds:\n  c:\n    auth: {auth_url: \"http://k/v3\", username: " user                     \
	", password: pw, project_name: p}\n"

static void user_is(const char *user)
{
	struct cloud_config *c = load("c");

	assert_string_equal(c->username, user);
	cloud_config_free(c);
}

/* --- where it is looked for --------------------------------------------------------------------
 */

static void test_order(void **state)
{
	struct home *h = *state;

	put(h, ".config/openstack/clouds.yaml", CLOUD("config"));
	user_is("config");
	/* XDG_CONFIG_HOME comes before ~/.config, which stays in the search */
	put_env(h, "XDG_CONFIG_HOME", "xdg");
	user_is("config");
	put(h, "xdg/openstack/clouds.yml", CLOUD("xdg"));
	user_is("xdg");
	put(h, "here/clouds.yml", CLOUD("here_yml"));
	user_is("here_yml");
	put(h, "here/clouds.yaml", CLOUD("here"));
	user_is("here");
	put(h, "named.yaml", CLOUD("named"));
	put_env(h, "OS_CLIENT_CONFIG_FILE", "named.yaml");
	user_is("named");
	setenv("OS_CLIENT_CONFIG_FILE", "", 1);
	user_is("here");
}

static void test_which(void **state)
{
	struct home *h = *state;
	struct cloud_config *c;

	put(h, "here/clouds.yaml", CLOUD("u"));
	c = load(NULL); /* the only one */
	assert_string_equal(c->name, "c");
	cloud_config_free(c);
	put(h, "here/clouds.yaml",
		CLOUD("u") "  d: {auth: {auth_url: \"http://k\", token: tttttt}}\n");
	refuses(h, NULL, "which cloud? Name one with --cloud or OS_CLOUD\n");
	setenv("OS_CLOUD", "d", 1);
	c = load(NULL);
	assert_string_equal(c->name, "d");
	assert_int_equal(c->auth_type, AUTH_TOKEN);
	cloud_config_free(c);
	c = load("c"); /* the argument wins */
	assert_string_equal(c->name, "c");
	cloud_config_free(c);
	char **names = cloud_config_names();
	assert_string_equal(names[0], "c");
	assert_string_equal(names[1], "d");
	assert_null(names[2]);
	free(names[0]);
	free(names[1]);
	free(names);
}

/* --- layers ------------------------------------------------------------------------------------
 */

static void test_layers(void **state)
{
	struct home *h = *state;

	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    profile: vendor\n"
		"    auth: {username: u, project_name: p, project_domain_id: pd}\n"
		"    region_name: R2\n"
		"    verify: false\n"
		"    network_endpoint_override: http://own:9696/\n");
	put(h, ".config/openstack/secure.yaml",
		"clouds: {c: {auth: {password: geheim}}, other: {auth: {password: no}}}\n");
	put(h, "here/clouds-public.yaml",
		"public-clouds:\n"
		"  vendor:\n"
		"    auth: {auth_url: \"https://vendor/v3\", username: nobody}\n"
		"    region_name: R1\n"
		"    interface: internalURL\n"
		"    compute_api_version: 2.1\n"
		"    network_endpoint_override: http://vendor:9696/\n"
		"    block_storage_endpoint_override: http://vendor:8776/v3\n");
	struct cloud_config *c = load("c");
	assert_string_equal(c->auth_url, "https://vendor/v3");
	assert_string_equal(c->username, "u");
	assert_string_equal(secret_reveal(c->password), "geheim");
	assert_string_equal(c->region, "R2");
	assert_string_equal(c->interface, "internal");
	assert_false(c->verify);
	assert_string_equal(c->user_domain_name, "Default"); /* keystone wants one with a name */
	assert_null(c->user_domain_id);
	assert_null(c->project_domain_name);
	assert_string_equal(c->project_domain_id, "pd");
	assert_string_equal(map_get(&c->endpoint_override, "network"), "http://own:9696/");
	assert_string_equal(
		map_get(&c->endpoint_override, "block_storage"), "http://vendor:8776/v3");
	assert_string_equal(map_get(&c->api_version, "compute"), "2.1");
	assert_int_equal(c->line, 3);
	assert_non_null(strstr(c->file, "clouds.yaml"));
	cloud_config_free(c);
	/* secure.yaml comes last, whatever it holds */
	put(h, "secure.yaml",
		"clouds: {c: {region_name: R3, auth: {username: s, password: pw2}}}\n");
	put_env(h, "OS_CLIENT_SECURE_FILE", "secure.yaml");
	c = load("c");
	assert_string_equal(c->region, "R3");
	assert_string_equal(c->username, "s");
	cloud_config_free(c);
}

static void test_beside_auth(void **state)
{
	struct home *h = *state;

	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth_url: http://k\n"
		"    username: beside\n"
		"    tenant_name: old\n"
		"    password: pw1234\n"
		"    endpoint_type: admin\n"
		"    regions: [{name: only, values: {}}]\n"
		"    auth: {username: inside}\n");
	struct cloud_config *c = load("c");
	assert_string_equal(c->auth_url, "http://k");
	assert_string_equal(c->username, "inside");
	assert_string_equal(c->project_name, "old");
	assert_string_equal(c->interface, "admin");
	assert_string_equal(c->region, "only");
	assert_true(c->verify);
	cloud_config_free(c);
}

static void test_types(void **state)
{
	static const struct {
		const char *text;
		enum auth_type type;
	} rows[] = {
		{"username: u, password: p", AUTH_PASSWORD},
		{"user_id: u, password: p", AUTH_PASSWORD},
		{"token: t", AUTH_TOKEN},
		{"token: t, username: u, password: p", AUTH_PASSWORD},
		{"application_credential_id: i, application_credential_secret: s",
			AUTH_APPLICATION_CREDENTIAL},
		{"application_credential_name: i, username: u, application_credential_secret: s",
			AUTH_APPLICATION_CREDENTIAL},
		{"username: u, password: p}, auth_type: v3password, x: {", AUTH_PASSWORD},
		{"token: t, username: u, password: p}, auth_type: token, x: {", AUTH_TOKEN},
		{"token: t}, auth_type: v3token, x: {", AUTH_TOKEN},
		{"application_credential_id: i, application_credential_secret: s},"
		 " auth_type: v3applicationcredential, x: {",
			AUTH_APPLICATION_CREDENTIAL},
	};
	struct home *h = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		char *text = mem_printf(
			"clouds: {c: {auth: {auth_url: \"http://k\", %s}}}\n", rows[i].text);
		put(h, "here/clouds.yaml", text);
		struct cloud_config *c = load("c");
		assert_int_equal(c->auth_type, rows[i].type);
		cloud_config_free(c);
		free(text);
	}
}

/* --- OS_* --------------------------------------------------------------------------------------
 */

static void test_environment(void **state)
{
	static const char hard[] = "p\"ä€😀: #{}[],&*!|>'%@`\t\\ \n é\x7f";

	setenv("OS_AUTH_URL", "https://k/v3", 1);
	setenv("OS_USERNAME", "true", 1); /* text, whatever it looks like */
	setenv("OS_PASSWORD", hard, 1);
	setenv("OS_PROJECT_NAME", "null", 1);
	setenv("OS_USER_DOMAIN_NAME", "0x10", 1);
	setenv("OS_REGION_NAME", "", 1); /* openrc files leave such: not set */
	setenv("OS_INTERFACE", "publicURL", 1);
	setenv("OS_VERIFY", "false", 1);
	setenv("OS_IDENTITY_API_VERSION", "3", 1);
	setenv("OS_COMPUTE_ENDPOINT_OVERRIDE", "http://nova/v2.1", 1);
	setenv("OSTRICH", "no", 1);
	struct cloud_config *c = load(NULL);
	assert_string_equal(c->name, "envvars");
	assert_string_equal(c->file, "environment");
	assert_string_equal(c->auth_url, "https://k/v3");
	assert_string_equal(c->username, "true");
	assert_string_equal(secret_reveal(c->password), hard);
	assert_string_equal(c->project_name, "null");
	assert_string_equal(c->user_domain_name, "0x10");
	assert_null(c->region);
	assert_string_equal(c->interface, "public");
	assert_false(c->verify);
	assert_string_equal(map_get(&c->api_version, "identity"), "3");
	assert_string_equal(map_get(&c->endpoint_override, "compute"), "http://nova/v2.1");
	cloud_config_free(c);
}

static void test_environment_or_file(void **state)
{
	struct home *h = *state;
	struct cloud_config *c;

	put(h, "here/clouds.yaml", CLOUD("file"));
	setenv("OS_AUTH_URL", "https://k/v3", 1);
	setenv("OS_TOKEN", "ttttttt", 1);
	c = load(NULL);
	assert_string_equal(c->name, "envvars");
	assert_int_equal(c->auth_type, AUTH_TOKEN);
	cloud_config_free(c);
	c = load("c");
	assert_string_equal(c->username, "file");
	assert_null(c->token); /* nothing of the environment enters a cloud of a file */
	cloud_config_free(c);
	setenv("OS_CLOUD", "c", 1);
	c = load(NULL);
	assert_string_equal(c->name, "c");
	cloud_config_free(c);
	setenv("OS_CLOUD", "envvars", 1);
	c = load(NULL);
	assert_string_equal(c->auth_url, "https://k/v3");
	cloud_config_free(c);
	setenv("OS_TOKEN", "tt\xfft", 1);
	refuses(h, NULL, "environment: OS_TOKEN is not UTF-8\n");
	unsetenv("OS_TOKEN");
	setenv("OS_VERIFY", "maybe", 1);
	refuses(h, NULL,
		"environment: verify must be true or false\n"
		"environment: cloud envvars: auth.username is missing\n"
		"environment: cloud envvars: auth.password (in clouds.yaml or secure.yaml) is "
		"missing\n");
}

static void test_flags_and_paths(void **state)
{
	static const struct {
		const char *text;
		bool verify;
	} rows[] = {
		{"verify: no", false},
		{"verify: 'Off'", false},
		{"verify: True", true},
		{"insecure: true", false},
		{"verify: yes, insecure: no", true},
	};
	struct home *h = *state;
	char expected[128];

	put(h, "ca.pem", "");
	snprintf(expected, sizeof(expected), "%s/ca.pem", h->dir);
	for (size_t i = 0; i < array_len(rows); i++) {
		char *text = mem_printf(
			"clouds: {c: {auth: {auth_url: \"http://k\", token: t},"
			" cacert: ~/ca.pem, %s}}\n",
			rows[i].text);
		put(h, "here/clouds.yaml", text);
		struct cloud_config *c = load("c");
		assert_int_equal(c->verify, rows[i].verify);
		assert_string_equal(c->ca_file, expected);
		cloud_config_free(c);
		free(text);
	}
}

/* --- errors ------------------------------------------------------------------------------------
 */

static void test_errors_of_files(void **state)
{
	struct home *h = *state;

	refuses(h, "c",
		"no cloud \"c\": there is no clouds.yaml here, in ~/.config/openstack or in"
		" /etc/openstack, and OS_CLIENT_CONFIG_FILE names none\n");
	put_env(h, "OS_CLIENT_CONFIG_FILE", "nowhere.yaml");
	refuses(h, "c", "~/nowhere.yaml: cannot read: No such file or directory\n");
	put_env(h, "OS_CLIENT_CONFIG_FILE", "a.yaml");
	put(h, "a.yaml", "clouds:\n  c: [\n");
	refuses(h, "c", "~/a.yaml:3:1: flow sequence without a closing bracket\n");
	put(h, "a.yaml", "");
	refuses(h, "c", "~/a.yaml: `clouds` is missing: it holds a map for each cloud\n");
	put(h, "a.yaml", "cloud: {c: {}}\n");
	refuses(h, "c", "~/a.yaml:1:1: `clouds` is missing: it holds a map for each cloud\n");
	put(h, "a.yaml", "- c\n");
	refuses(h, "c", "~/a.yaml:1:1: `clouds` is missing: it holds a map for each cloud\n");
	put(h, "a.yaml", "x: 1\nclouds: [c]\n");
	refuses(h, "c", "~/a.yaml:2:9: `clouds` must be a map, not a list\n");
	put(h, "a.yaml", "clouds:\n  prod: {}\n  test: {}\n");
	refuses(h, "prd",
		"~/a.yaml:2:3: no cloud \"prd\", did you mean \"prod\"?; there are: prod, test\n");
	put(h, "a.yaml", "clouds:\n  c: yes\n");
	refuses(h, "c", "~/a.yaml:2:6: cloud c must be a map, not text\n");
}

static void test_errors_of_values(void **state)
{
	struct home *h = *state;

	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth:\n"
		"      auth_url: [k]\n"
		"      username: {a: b}\n"
		"    verify: 3\n"
		"    auth_type: v3kerberos\n"
		"    profile: nobody\n"
		"    reach: {map: 127.0.0.0/99, network: x, ssh: 70000, pong: 1, ports: {80: "
		"0}}\n");
	refuses(h, "c",
		"./clouds.yaml:8:14: no profile \"nobody\" in clouds-public.yaml\n"
		"./clouds.yaml:4:17: auth_url must be text, not a list\n"
		"./clouds.yaml:5:17: username must be text, not a map\n"
		"./clouds.yaml:6:13: verify must be true or false\n"
		"./clouds.yaml:9:56: reach: unknown key \"pong\"; did you mean \"ping\"?\n"
		"./clouds.yaml:9:18: reach: map must be an IPv4 network such as 127.77.0.0/16\n"
		"./clouds.yaml:9:41: reach: network must be an IPv4 network such as "
		"127.77.0.0/16\n"
		"./clouds.yaml:9:49: reach: ssh must be a port\n"
		"./clouds.yaml:9:73: reach: ports maps a port to a port\n"
		"./clouds.yaml:7:16: auth_type \"v3kerberos\" is not known here: password, token, "
		"v3applicationcredential\n"
		"./clouds.yaml:3:5: cloud c: auth.password (in clouds.yaml or secure.yaml) is "
		"missing\n");
	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth: {auth_url: k, application_credential_secret: s}\n"
		"    cacert: /nowhere/ca.pem\n"
		"    reach: 127.0.0.1\n");
	refuses(h, "c",
		"./clouds.yaml:5:12: reach must be a map\n"
		"./clouds.yaml:3:5: cloud c: auth_url \"k\" must begin with http:// or https://\n"
		"./clouds.yaml:3:5: cloud c: auth.application_credential_id (or its name and the "
		"user) is missing\n"
		"./clouds.yaml:3:5: cloud c: cannot read cacert /nowhere/ca.pem: No such file or "
		"directory\n");
	put(h, "here/clouds.yaml",
		"clouds: {c: {auth: {auth_url: \"http://k\"},"
		" auth_type: token, reach: {}}}\n");
	refuses(h, "c",
		"./clouds.yaml:1:69: reach needs `map` (and `network`): networks such as "
		"127.77.0.0/16\n"
		"./clouds.yaml:1:13: cloud c: auth.token is missing\n");
	/* An error names the file that the value came from. */
	put(h, "here/clouds.yaml", CLOUD("u"));
	put(h, "here/secure.yaml", "clouds:\n  c: {verify: x}\n");
	refuses(h, "c", "./secure.yaml:2:15: verify must be true or false\n");
}

/* --- reach -------------------------------------------------------------------------------------
 */

static void reaches(const struct reach *r, const char *address, unsigned port, bool ping,
	const char *expected, unsigned expected_port)
{
	char *got = reach_address(r, address, &port, ping);

	assert_string_equal(got, expected);
	assert_int_equal(port, expected_port);
	free(got);
}

static void test_reach(void **state)
{
	struct reach r = {.network = (char *)"172.24.0.0/16", .map = (char *)"127.77.0.0/16"};

	reaches(&r, "172.24.3.4", 22, false, "127.77.3.4", 22);
	reaches(&r, "172.25.3.4", 22, false, "172.25.3.4", 22);
	reaches(&r, "2001:db8::1", 22, false, "2001:db8::1", 22);
	reaches(&r, "host.example", 22, false, "host.example", 22);
	r.ssh = 10022;
	r.ping = 10007;
	reaches(&r, "172.24.3.4", 22, false, "127.77.3.4", 10022);
	reaches(&r, "172.24.3.4", 80, false, "127.77.3.4", 80);
	reaches(&r, "172.24.3.4", 0, true, "127.77.3.4", 10007);
	reaches(&r, "10.0.0.1", 0, true, "10.0.0.1", 0);
	struct reach_port ports[] = {{80, 34001}, {8080, 34002}};
	r.ports = ports;
	r.port_count = 2;
	reaches(&r, "172.24.3.4", 80, false, "127.77.3.4", 34001);
	reaches(&r, "172.24.3.4", 8080, false, "127.77.3.4", 34002);
	reaches(&r, "172.24.3.4", 443, false, "127.77.3.4", 443);
	reaches(&r, "10.0.0.1", 80, false, "10.0.0.1", 80);
	char *peer = reach_peer(&r, "http://172.24.3.4:8080/x");
	assert_string_equal(peer, "127.77.3.4:34002");
	free(peer);
	assert_null(reach_peer(&r, "http://10.0.0.1/"));
	assert_null(reach_peer(&r, "http://host.example/"));
	r.port_count = 0;
	r.network = (char *)"0.0.0.0/0";
	r.map = (char *)"127.0.0.1/32";
	reaches(&r, "8.8.8.8", 80, false, "127.0.0.1", 80);
	r.map = NULL;
	reaches(&r, "8.8.8.8", 80, false, "8.8.8.8", 80);
}

/* Ports as numbers and as texts. */
static void test_reach_ports(void **state)
{
	struct home *h = *state;

	put(h, "here/clouds.yaml",
		"clouds: {c: {auth: {auth_url: 'http://x', token: t, project_id: p}, auth_type: "
		"token, reach: {map: 127.77.0.0/16, ports: {80: 34001, \"443\": 34002}}}}\n");
	struct cloud_config *c = load("c");
	assert_int_equal(c->reach.port_count, 2);
	assert_int_equal(c->reach.ports[0].port, 80);
	assert_int_equal(c->reach.ports[1].port, 443);
	assert_int_equal(c->reach.ports[1].mapped, 34002);
	cloud_config_free(c);
}

/* --- name servers ------------------------------------------------------------------------------
 */

static void test_name_servers(void **state)
{
	struct home *h = *state;

	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth: {auth_url: http://x/, token: t}\n"
		"    auth_type: token\n"
		"    dns: [\"127.0.0.1:15354\", \"[::1]:53\", ns1.example.org]\n");
	struct cloud_config *c = load("c");
	assert_int_equal(c->dns_count, 3);
	assert_string_equal(c->dns[0], "127.0.0.1:15354");
	assert_string_equal(c->dns[2], "ns1.example.org");
	cloud_config_free(c);
	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth: {auth_url: http://x/, token: t}\n"
		"    auth_type: token\n"
		"    dns: [\"127.0.0.1:0\", {a: b}]\n");
	refuses(h, "c",
		"./clouds.yaml:5:11: dns: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT\n"
		"./clouds.yaml:5:26: dns: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT\n");
	put(h, "here/clouds.yaml",
		"clouds:\n"
		"  c:\n"
		"    auth: {auth_url: http://x/, token: t}\n"
		"    auth_type: token\n"
		"    dns: 127.0.0.1\n");
	refuses(h, "c",
		"./clouds.yaml:5:10: dns must be a list of name servers such as "
		"[\"192.0.2.1:53\"]\n");
}

#define row(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_config(void)
{
	const struct CMUnitTest tests[] = {
		row(test_order),
		row(test_which),
		row(test_layers),
		row(test_reach_ports),
		row(test_beside_auth),
		row(test_types),
		row(test_environment),
		row(test_environment_or_file),
		row(test_flags_and_paths),
		row(test_errors_of_files),
		row(test_errors_of_values),
		cmocka_unit_test(test_reach),
		row(test_name_servers),
	};

	return cmocka_run_group_tests_name("openstack/config", tests, NULL, NULL);
}
