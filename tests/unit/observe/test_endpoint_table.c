/* What is asked of which service: the built-in rows, the user's, and the addresses made of them. */
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "observe/endpoint_inside.h"

static char place[64];

/* A table with one file of the user's; errors as "line:col: message\n" lines. */
static struct endpoint_table *load(const char *yaml, char **ret_errors)
{
	struct error_list errors = {0};
	struct buf all = BUF(BUF_LINE);
	const char *const dirs[] = {place, NULL};
	char *path = mem_printf("%s/a.yaml", place);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	struct endpoint_table *t = endpoint_table_load(dirs, &errors);
	for (size_t i = 0; i < errors.n; i++) {
		assert_string_equal(errors.p[i].file, path);
		buf_printf(&all, "%u:%u: %s\n", errors.p[i].line, errors.p[i].col, errors.p[i].msg);
	}
	assert_true((t == NULL) == (errors.n > 0));
	*ret_errors = mem_strdup(buf_str(&all));
	buf_fini(&all);
	error_list_fini(&errors);
	unlink(path);
	free(path);
	return t;
}

/* --- files -------------------------------------------------------------------------------------
 */

static void test_all_errors(void **state)
{
	char *errors;

	assert_null(
		load("compute.serves: {slow: 1s}\n"
		     "Com pute: {service: compute, path: /}\n"
		     "image.images: {pth: /x, good: [2xx, 600, 2y0], slow: soon}\n"
		     "network.networks: 7\n"
		     "mine: {service: My Service, path: x, at: begin, every: 5ms}\n"
		     "token: off\n"
		     "compute.root: off\n"
		     "dns.zones: {every: 10s, timeout: 20s}\n"
		     "image.versions: {microversion: \"a\\nb\", good: []}\n",
			&errors));
	assert_string_equal(errors,
		"1:1: endpoint compute.serves: a new probe needs `service` and `path`; did you mean "
		"\"compute.servers\"?\n"
		"2:1: \"Com pute\" must be a name of letters, digits, '.', '-' and '_', at most "
		"80 long\n"
		"3:16: endpoint image.images: unknown key \"pth\"; did you mean \"path\"?\n"
		"3:31: endpoint image.images: good must be statuses such as 200 or 2xx\n"
		"3:31: endpoint image.images: good must be statuses such as 200 or 2xx\n"
		"3:54: endpoint image.images: slow must be a time with a unit, such as 10s or 5m, not "
		"\"soon\"\n"
		"4:19: endpoint network.networks must be a map, or off\n"
		"5:17: endpoint mine: service must be a type of the catalog such as compute\n"
		"5:35: endpoint mine: path must begin with / or ? and have no spaces\n"
		"5:42: endpoint mine: at must be one of root, version, not \"begin\"\n"
		"5:56: endpoint mine: every must be from 1s to 1d, not \"5ms\"\n"
		"6:1: endpoint token: it cannot be switched off: it reads the catalog\n"
		"7:1: endpoint compute.root: there is no such probe\n"
		"8:34: endpoint dns.zones: timeout must not be longer than every\n"
		"9:32: endpoint image.versions: microversion must be text such as compute 2.79\n"
		"9:46: endpoint image.versions: good must have a status\n");
	free(errors);
	assert_null(load("token: {path: /x, every: 10s}\n", &errors));
	assert_string_equal(errors,
		"1:15: endpoint token: only every, timeout, slow, component and category of it can "
		"be set\n");
	free(errors);
	assert_null(load("- a\n", &errors));
	assert_string_equal(errors, "1:1: a file of endpoints is a map\n");
	free(errors);
}

static void test_override(void **state)
{
	char *errors;
	struct endpoint_table *t =
		load("block-storage.volumes: {path: /snapshots?limit=1, slow: 5s}\n"
		     "shares: {service: sharev2, path: '?a', at: root, good: 204}\n"
		     "dns.zones: false\n"
		     "my.root: off\n",
			&errors);
	if (!t)
		fail_msg("%s", errors);
	const struct endpoint_row *r = endpoint_table_find(t, "block-storage.volumes");
	assert_string_equal(r->path, "/snapshots?limit=1");
	assert_string_equal(r->service, "block-storage"); /* the rest stays */
	assert_true(r->token);
	assert_int_equal(r->at, ENDPOINT_VERSION);
	assert_int_equal(r->slow_ns, 5000000000LL);
	r = endpoint_table_find(t, "shares");
	assert_string_equal(r->service, "shared-file-system"); /* by any of its names */
	assert_int_equal(r->at, ENDPOINT_ROOT);
	assert_string_equal(r->good, "204");
	assert_false(r->token);
	assert_true(endpoint_table_find(t, "dns.zones")->off);
	assert_true(endpoint_table_find(t, "my.root")->off);
	endpoint_table_free(t);
	free(errors);
	/* a later file may switch it on again */
	t = load("dns.zones: {slow: 1s}\n", &errors);
	assert_non_null(t);
	assert_false(endpoint_table_find(t, "dns.zones")->off);
	endpoint_table_free(t);
	free(errors);
}

/* Every row has a service, asks for what changes nothing, and no name comes twice. */
static void test_built_in(void **state)
{
	struct error_list errors = {0};
	struct endpoint_table *t = endpoint_table_load(NULL, &errors);

	assert_non_null(t);
	for (size_t i = 0; i < endpoint_table_count(t); i++) {
		const struct endpoint_row *r = endpoint_table_at(t, i);
		assert_ptr_equal(endpoint_table_find(t, r->name), r);
		assert_non_null(endpoint_service_find(r->service));
		assert_string_equal(endpoint_service_find(r->service)->type, r->service);
		assert_true(r->at == ENDPOINT_ROOT ? !r->token : true);
	}
	endpoint_table_free(t);
	assert_string_equal(endpoint_service_find("volumev3")->type, "block-storage");
	assert_null(endpoint_service_find("volumev"));
	assert_string_equal(endpoint_category("Block storage"), "Storage");
	assert_string_equal(endpoint_category("Nobody knows"), "Other");
}

static void test_good(void **state)
{
	assert_true(endpoint_is_good(NULL, 200));
	assert_true(endpoint_is_good(NULL, 300));
	assert_true(endpoint_is_good(NULL, 308));
	assert_false(endpoint_is_good(NULL, 400));
	assert_false(endpoint_is_good(NULL, 0));
	assert_true(endpoint_is_good("204 40x", 204));
	assert_true(endpoint_is_good("204 40x", 404));
	assert_false(endpoint_is_good("204 40x", 200));
	assert_false(endpoint_is_good("204 40x", 410));
	assert_false(endpoint_is_good("4xx", 429)); /* that is ours */
	assert_false(endpoint_is_good("2xx", 999));
}

/* --- addresses ---------------------------------------------------------------------------------
 */

static void asks(const char *yaml, const char *catalog, const char *expected)
{
	char *errors;
	struct endpoint_wants wants;
	struct buf all = BUF(BUF_LINE);
	struct error err = {0};
	struct endpoint_table *t = load(yaml, &errors);
	json_t *j = json_parse(slice_of(catalog), BUF_LINE, &err);

	if (!t || !j)
		fail_msg("%s%s", errors, err.msg);
	endpoint_plan(t, j, "p 1", &wants);
	VEC_EACH (&wants.list, struct endpoint_want, w)
		buf_printf(
			&all, "%s %s [%s/%s]\n", w->name, w->url, w->category, w->component_name);
	assert_string_equal(buf_str(&all), expected);
	endpoint_wants_fini(&wants);
	endpoint_table_free(t);
	json_decref(j);
	buf_fini(&all);
	free(errors);
}

static void test_addresses(void **state)
{
	asks("", "[{\"type\":\"compute\",\"url\":\"http://h:8774/v2.1\"}]",
		"compute.versions http://h:8774/ [Compute/Compute]\n"
		"compute.servers http://h:8774/v2.1/servers?limit=1 [Compute/Compute]\n");
	asks("", "[{\"type\":\"network\",\"url\":\"https://h/networking/\"}]",
		"network.versions https://h/networking/ [Network/Network]\n"
		"network.networks https://h/networking/v2.0/networks?limit=1 [Network/Network]\n");
	asks("", "[{\"type\":\"volumev3\",\"url\":\"http://h/volume/v3/p1\"}]",
		"block-storage.versions http://h/volume/ [Storage/Block storage]\n"
		"block-storage.volumes http://h/volume/v3/p1/volumes?limit=1 [Storage/Block "
		"storage]\n");
	asks("", "[{\"type\":\"orchestration\",\"url\":\"http://h:8004\"}]",
		"orchestration.versions http://h:8004/ [Other/Orchestration]\n"
		"orchestration.stacks http://h:8004/v1/p%201/stacks?limit=1 [Other/Orchestration]\n");
	asks("", "[{\"type\":\"object-store\",\"url\":\"http://h/swift/v1/AUTH_p\"}]",
		"object-store.info http://h/swift/info [Storage/Object storage]\n"
		"object-store.containers http://h/swift/v1/AUTH_p?limit=1 [Storage/Object "
		"storage]\n");
	asks("identity.projects: {path: '/users/{project}/x'}\n",
		"[{\"type\":\"identity\",\"url\":\"http://h/identity\"}]",
		"identity.versions http://h/identity/ [Identity/Identity]\n"
		"identity.projects http://h/identity/v3/users/p%201/x [Identity/Identity]\n");
}

static void test_which_services(void **state)
{
	/* one service under several names, and twice under one */
	asks("block-storage.versions: off\n",
		"[{\"type\":\"volumev2\",\"url\":\"http://h/v2\"},"
		"{\"type\":\"volumev3\",\"url\":\"http://h/v3/p\"},"
		"{\"type\":\"volumev3\",\"url\":\"http://other/v3/p\"}]",
		"block-storage.volumes http://h/v3/p/volumes?limit=1 [Storage/Block storage]\n");
	asks("block-storage.versions: off\n",
		"[{\"type\":\"volumev3\",\"url\":\"http://h/v3/p\"},"
		"{\"type\":\"block-storage\",\"url\":\"http://b/v3/p\"}]",
		"block-storage.volumes http://b/v3/p/volumes?limit=1 [Storage/Block storage]\n");
	/* unknown: its root as it stands; with a row of the user's only that */
	asks("", "[{\"type\":\"anti-ddos\",\"url\":\"http://h/v1/p\"}]",
		"anti-ddos.root http://h/v1/p [Other/Anti ddos]\n");
	asks("ddos.list: {service: anti-ddos, path: /list, component: Anti DDoS, category: "
	     "Security}\n",
		"[{\"type\":\"anti-ddos\",\"url\":\"http://h/v1/p/\"}]",
		"ddos.list http://h/v1/p/list [Security/Anti DDoS]\n");
	asks("anti-ddos.root: off\n", "[{\"type\":\"anti-ddos\",\"url\":\"http://h/v1/p\"}]", "");
	asks("AntiDDoS.root: off\n", "[{\"type\":\"AntiDDoS\",\"url\":\"http://h/v1/p\"}]", "");
	/* a name is taken by a row of another service */
	asks("a.root: {service: b, path: /}\n",
		"[{\"type\":\"a\",\"url\":\"http://h\"},{\"type\":\"b\",\"url\":\"http://i\"}]",
		"a.root http://i/ [Other/B]\n");
	/* nothing that could be asked */
	asks("",
		"[{\"type\":\"bad type\",\"url\":\"http://h\"},{\"type\":\"f\",\"url\":\"ftp://h\"},"
		"{\"type\":\"n\",\"url\":null},{\"url\":\"http://h\"},7]",
		"");
}

/* --- the page ----------------------------------------------------------------------------------
 */

/* Its examples are good files, and it holds every row as it is. */
static void test_page(void **state)
{
	static char page[1 << 16];
	char *errors = NULL;
	FILE *f = fopen("docs/endpoints.md", "r");
	unsigned examples = 0;

	assert_non_null(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = 0;
	fclose(f);
	struct endpoint_table *t = load("", &errors);
	free(errors);
	for (size_t i = 0; i < endpoint_table_count(t); i++) {
		const struct endpoint_row *r = endpoint_table_at(t, i);
		const struct endpoint_service *s = endpoint_service_find(r->service);
		char *line = mem_printf("\n| `%s` | %s (%s) | %s | `%s` | %s|\n", r->name,
			s->component, s->category, r->at == ENDPOINT_ROOT ? "root" : "version",
			r->path, r->token ? "yes " : "");
		if (!strstr(page, line))
			fail_msg("not in the page: %s", line);
		free(line);
	}
	endpoint_table_free(t);
	for (char *p = strstr(page, "```yaml\n"); p; p = strstr(p, "```yaml\n"), examples++) {
		char *end = strstr(p += 8, "\n```");
		assert_non_null(end);
		end[1] = 0;
		t = load(p, &errors);
		if (!t)
			fail_msg("%s", errors);
		endpoint_table_free(t);
		free(errors);
		p = end + 2;
	}
	assert_true(examples > 0);
}

static int set_up(void **state)
{
	snprintf(place, sizeof(place), "/tmp/endpoint-table-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static int tear_down(void **state)
{
	return rmdir(place);
}

int test_endpoint_table(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_which_services),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests_name("observe/endpoint_table", tests, set_up, tear_down);
}
