/*
 * test_cloudmon.c - CloudMon's names: the resource of an address against openstacksdk's own
 * function, and what is told of each measure.
 */
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/vec.h"
#include "tell/cloudmon_names.h"

#define PROJECT "0123456789abcdef0123456789abcdef"

/* --- openstacksdk ------------------------------------------------------------------------------
 */

static const char *const urls[] = {"http://c/servers", "http://c/servers/1",
	"http://c/servers/1/os-security-groups", "http://c/v2.0/networks.json",
	"https://c:9696/v2.0/networks/1?fields=id", "http://c/compute/v2.1/servers/detail",
	"https://c/v2.1/servers/detail?limit=1", "http://c/detail", "http://c/v3/auth/tokens",
	"http://c/v2/tokens", "http://c/v2/xtokens.json", "http://c", "http://c/", "http://c/v2.1",
	"http://c/v2.1/", "http://c/v", "http://c/v/x", "http://c/vx/y", "http://c/v2/" PROJECT,
	"http://c/" PROJECT, "http://c/v3/" PROJECT "/volumes/detail", "http://c/v1/AUTH_" PROJECT,
	"http://c/v1/AUTH_" PROJECT "/box/a/b.c", "http://c/v2/zones/1/recordsets/2",
	"http://c/is/1", "http://c/s/1", "http://c//servers//1", "http://c/servers/",
	"http://c/a:b.c/1/x.y", "http://c/v2/lbaas/loadbalancers/1/status",
	"http://c/v2/images;a=b/1", "http://c/images;a=b", "http://c/v2/images/1/file#part",
	"http://c/v1/stacks/x/1/resources", "/servers/1", "servers", "http://c/v2.0/ports/1.json",
	"http://c/.json", "http://c/ /x"};

static const char script[] =
	"import sys\n"
	"from openstack.proxy import Proxy, normalize_metric_name as normal\n"
	"p = Proxy.__new__(Proxy)\n"
	"for line in sys.stdin:\n"
	"    try:\n"
	"        print('_'.join(normal(f) for f in p._extract_name(line[:-1], None, '" PROJECT
	"')))\n"
	"    except IndexError:\n"
	"        print('!')\n";

static char *any_url(void)
{
	static const char *const parts[] = {"v2", "v2.1", "v", "vx", "servers", "detail", "tokens",
		"status", "is", "s", "", PROJECT, "AUTH_" PROJECT, "a.json", "x:y.z", "1", ";p"};
	struct buf out = BUF(BUF_LINE);
	buf_add_str(&out, "http://h:1");
	for (uint64_t n = random_below(&random_system, 7); n; n--)
		buf_printf(&out, "/%s", parts[random_below(&random_system, array_len(parts))]);
	return buf_take(&out);
}

static void test_the_rule_of_openstacksdk(void **state)
{
	char place[] = "/tmp/glasshouse-sdk-XXXXXX";
	const int fd = mkstemp(place);
	VEC(char *) asked = {0};
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	for (size_t i = 0; i < array_len(urls); i++)
		vec_push(&asked, mem_strdup(urls[i]));
	for (int i = 0; i < 2000; i++)
		vec_push(&asked, any_url());
	VEC_EACH (&asked, char *, url)
		fprintf(f, "%s\n", *url);
	fclose(f);
	char *command = mem_printf("/usr/bin/python3 -c \"%s\" <%s", script, place);
	FILE *theirs = popen(command, "r");
	char line[1024];
	VEC_EACH (&asked, char *, url) {
		struct buf ours = BUF(BUF_LINE);
		assert_non_null(fgets(line, sizeof(line), theirs));
		line[strcspn(line, "\n")] = 0;
		if (!cloudmon_resource(&ours, *url, PROJECT))
			buf_add_str(&ours, "!");
		if (strcmp(buf_str(&ours), line) != 0)
			fail_msg("%s: \"%s\", openstacksdk: \"%s\"", *url, buf_str(&ours), line);
		buf_fini(&ours);
		free(*url);
	}
	assert_int_equal(pclose(theirs), 0);
	vec_fini(&asked);
	free(command);
	unlink(place);
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void on_name(void *arg, enum cloudmon_type type, const char *name, double x)
{
	buf_printf(arg, "%s:%.0f|%s ", name, x, type == CLOUDMON_TIME ? "ms" : "c");
}

static void check_told(
	const struct cloudmon_place *place, const struct measure *m, const char *expected)
{
	struct buf out = BUF(BUF_LINE);
	cloudmon_names(place, m, on_name, &out);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
}

static void test_calls(void **state)
{
	const struct cloudmon_place none = {0}, place = {"p.q", "prod", "eu-de"};
	struct measure m = {.what = MEASURE_CALL,
		.cloud = "my.cloud",
		.region = "R:1",
		.location = "here",
		.service = "block-storage",
		.name = "GET /volumes/{id}",
		.url = "http://c/v3/" PROJECT "/volumes/7",
		.project = PROJECT,
		.total_us = 1000999,
		.status = 200};
#define NAME "openstack.api.my_cloud.R_1.block-storage.GET.volume."
	check_told(&none, &m, NAME "200:1000|ms " NAME "200:1|c " NAME "attempted:1|c ");
	m.total_us = 1001000;
	check_told(&none, &m,
		NAME "200:1001|ms " NAME "200:1|c " NAME "over_1000:1|c " NAME "attempted:1|c ");
	m.status = 0;
	m.fault = FAULT_TIMEOUT;
	check_told(&none, &m, NAME "failed:1|c " NAME "attempted:1|c ");
#undef NAME
#define NAME "p.q.openstack.api.prod.eu-de.block-storage.GET.volume."
	check_told(&place, &m, NAME "failed:1|c " NAME "attempted:1|c ");
#undef NAME
	m.url = "http://c/a|b c/1";
	check_told(&place, &m,
		"p.q.openstack.api.prod.eu-de.block-storage.GET.a_b_c.failed:1|c "
		"p.q.openstack.api.prod.eu-de.block-storage.GET.a_b_c.attempted:1|c ");
	m.fault = FAULT_CANCELLED;
	check_told(&place, &m, "");
	m.fault = FAULT_TIMEOUT;
	m.what = MEASURE_WAIT;
	check_told(&place, &m, "");
}

static void test_globalmon(void **state)
{
	const struct cloudmon_place place = {NULL, "prod", "eu"}, none = {0};
	struct measure m = {.what = MEASURE_PROBE,
		.cloud = "",
		.region = "",
		.location = "",
		.name = "x",
		.url = "https://a.example:8443/v1/x.html?q=1",
		.globalmon = "web",
		.total_us = 12000,
		.status = 404,
		.fault = FAULT_HTTP_404};
#define NAME "globalmon.prod.eu.web.a_example_8443_v1_x_html."
	check_told(&place, &m,
		NAME "404:12|ms counter." NAME "404:1|c counter." NAME "attempted:1|c ");
	m.status = 0;
	m.fault = FAULT_TIMEOUT;
	check_told(&place, &m,
		NAME "timeout:10000|ms counter." NAME "timeout:1|c counter." NAME "attempted:1|c ");
	m.fault = FAULT_TLS_EXPIRED;
	check_told(&place, &m,
		NAME "connection_failed:0|ms counter." NAME "connection_failed:1|c counter." NAME
		     "attempted:1|c ");
	m.fault = FAULT_PROTOCOL;
	check_told(&place, &m,
		NAME "failed:0|ms counter." NAME "failed:1|c counter." NAME "attempted:1|c ");
#undef NAME
	check_told(&none, &m, ""); /* no environment */
	m.globalmon = NULL;
	check_told(&place, &m, "");
}

int test_cloudmon(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rule_of_openstacksdk),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_globalmon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
