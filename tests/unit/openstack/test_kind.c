/* Kinds: the requests that each row makes of a body, what is known again, and kinds/NAME.yaml. */
#include "../check.h"

#include "openstack/kind.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static struct kinds *kinds;

static int set_up(void **state)
{
	struct error_list errors = {0};

	kinds = kinds_load(NULL, &errors);
	return kinds ? 0 : -1;
}

static int tear_down(void **state)
{
	kinds_free(kinds);
	return 0;
}

static const struct kind *kind(const char *name)
{
	const struct kind *k = kind_find(kinds, slice_of(name));

	assert_non_null(k);
	return k;
}

static json_t *parse(const char *text)
{
	struct error err = {0};
	json_t *j = json_parse(slice_of(text), BUF_PAGE, &err);

	if (!j)
		fail_msg("%s: %s", text, err.msg);
	return j;
}

/* "METHOD /path body headers", as text; frees the request. */
static char *shown(struct kind_request *r)
{
	char *body = r->body ? json_text(r->body) : mem_strdup("");
	struct buf text = BUF(BUF_PAGE);

	buf_printf(&text, "%s %s%s%s", r->method, r->path, *body ? " " : "", body);
	for (size_t i = 0; i < r->header_count; i++)
		buf_printf(&text, " %s: %s", r->headers[i].name, r->headers[i].value);
	free(body);
	kind_request_fini(r);
	return buf_take(&text);
}

static void is(const char *kind_name, char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("%s:\n%s\nnot\n%s", kind_name, got, expected);
	free(got);
}

/* --- the built-in rows -------------------------------------------------------------------------
 */

#define MARK "glasshouse i r s 0"
#define D    "\"description\":\"" MARK "\""
#define T    "\"tags\":[\"" MARK "\"]"
#define M    "\"metadata\":{\"glasshouse\":\"" MARK "\"}"

/* What is made of a body; then get and remove of an object, and what finds a lost one. */
static const struct {
	const char *kind, *body, *create, *object, *get, *remove, *find;
} rows[] = {
	{"network", "{\"mtu\": 1400}",
		"POST /networks {\"network\":{\"mtu\":1400,\"name\":\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /networks/1", "DELETE /networks/1",
		"GET /networks?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"subnet", "{\"network_id\": \"n\"}",
		"POST /subnets {\"subnet\":{\"network_id\":\"n\",\"name\":\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /subnets/1", "DELETE /subnets/1",
		"GET /subnets?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"router", "{}", "POST /routers {\"router\":{\"name\":\"gh-x\"," D "}}", "{\"id\": \"1\"}",
		"GET /routers/1", "DELETE /routers/1",
		"GET /routers?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"port", "{\"network_id\": \"n\", \"name\": \"own-r\"}",
		"POST /ports {\"port\":{\"network_id\":\"n\",\"name\":\"own-r\"," D "}}",
		"{\"id\": \"1\"}", "GET /ports/1", "DELETE /ports/1",
		"GET /ports?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"security_group", "{}",
		"POST /security-groups {\"security_group\":{\"name\":\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /security-groups/1", "DELETE /security-groups/1",
		"GET /security-groups?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"security_group_rule", "{\"security_group_id\": \"g\"}",
		"POST /security-group-rules {\"security_group_rule\":{\"security_group_id\":\"g\"," D
		"}}",
		"{\"id\": \"1\"}", "GET /security-group-rules/1", "DELETE /security-group-rules/1",
		"GET /security-group-rules?description=glasshouse%20i%20r%20s%200"},
	{"floating_ip", "{\"floating_network_id\": \"n\"}",
		"POST /floatingips {\"floatingip\":{\"floating_network_id\":\"n\"," D "}}",
		"{\"id\": \"1\"}", "GET /floatingips/1", "DELETE /floatingips/1",
		"GET /floatingips?description=glasshouse%20i%20r%20s%200"},
	{"router_interface", "{\"router\": \"r1\", \"subnet_id\": \"s1\"}",
		"PUT /routers/r1/add_router_interface {\"subnet_id\":\"s1\"}",
		"{\"router\": \"r1\", \"subnet_id\": \"s1\", \"id\": \"p\"}",
		"GET /ports?device_id=r1&fixed_ips=subnet_id%3Ds1",
		"PUT /routers/r1/remove_router_interface {\"subnet_id\":\"s1\"}", NULL},
	{"router_route",
		"{\"router\": \"r1\", \"destination\": \"0.0.0.0/0\", \"nexthop\": \"10.0.0.1\"}",
		"PUT /routers/r1/add_extraroutes {\"router\":{\"routes\":[{\"destination\":"
		"\"0.0.0.0/0\",\"nexthop\":\"10.0.0.1\"}]}}",
		"{\"router\": \"r1\", \"destination\": \"0.0.0.0/0\", \"nexthop\": \"10.0.0.1\"}",
		"GET /routers/r1",
		"PUT /routers/r1/remove_extraroutes {\"router\":{\"routes\":[{\"destination\":"
		"\"0.0.0.0/0\",\"nexthop\":\"10.0.0.1\"}]}}",
		NULL},
	{"keypair", "{\"public_key\": \"ssh-ed25519 A\"}",
		"POST /os-keypairs {\"keypair\":{\"public_key\":\"ssh-ed25519 A\",\"name\":"
		"\"gh-x\"}}",
		"{\"id\": \"gh-x\"}", "GET /os-keypairs/gh-x", "DELETE /os-keypairs/gh-x", NULL},
	{"server",
		"{\"flavorRef\": \"f\", \"user_data\": \"#cloud-config\", \"metadata\": {\"a\": "
		"\"b\"}}",
		"POST /servers {\"server\":{\"flavorRef\":\"f\",\"user_data\":"
		"\"I2Nsb3VkLWNvbmZpZw==\",\"metadata\":{\"a\":\"b\",\"glasshouse\":\"" MARK
		"\"},\"name\":\"gh-x\"}}",
		"{\"id\": \"1\"}", "GET /servers/1", "DELETE /servers/1",
		"GET /servers/detail?name=%5Egh-x%24"},
	{"server_port", "{\"server\": \"s1\", \"port_id\": \"p1\"}",
		"POST /servers/s1/os-interface {\"interfaceAttachment\":{\"port_id\":\"p1\"}}",
		"{\"server\": \"s1\", \"id\": \"p1\"}", "GET /servers/s1/os-interface/p1",
		"DELETE /servers/s1/os-interface/p1", NULL},
	{"server_volume", "{\"server\": \"s1\", \"volumeId\": \"v1\"}",
		"POST /servers/s1/os-volume_attachments {\"volumeAttachment\":{\"volumeId\":"
		"\"v1\"}}",
		"{\"server\": \"s1\", \"id\": \"v1\"}", "GET /servers/s1/os-volume_attachments/v1",
		"DELETE /servers/s1/os-volume_attachments/v1", NULL},
	{"volume", "{\"size\": 1}",
		"POST /volumes {\"volume\":{\"size\":1,\"name\":\"gh-x\"," M "}}",
		"{\"id\": \"1\"}", "GET /volumes/1", "DELETE /volumes/1",
		"GET /volumes/detail?name=gh-x"},
	{"snapshot", "{\"volume_id\": \"v\"}",
		"POST /snapshots {\"snapshot\":{\"volume_id\":\"v\",\"name\":\"gh-x\"," M "}}",
		"{\"id\": \"1\"}", "GET /snapshots/1", "DELETE /snapshots/1",
		"GET /snapshots/detail?name=gh-x"},
	{"backup", "{\"volume_id\": \"v\"}",
		"POST /backups {\"backup\":{\"volume_id\":\"v\",\"name\":\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /backups/1", "DELETE /backups/1",
		"GET /backups/detail?name=gh-x"},
	{"restore", "{\"backup\": \"b/1\"}",
		"POST /backups/b%2F1/restore {\"restore\":{\"name\":\"gh-x\"}}", "{\"id\": \"1\"}",
		"GET /volumes/1", "DELETE /volumes/1", "GET /volumes/detail?name=gh-x"},
	{"image", "{\"disk_format\": \"raw\"}",
		"POST /images {\"disk_format\":\"raw\",\"name\":\"gh-x\",\"glasshouse\":\"" MARK
		"\"}",
		"{\"id\": \"1\"}", "GET /images/1", "DELETE /images/1", NULL},
	{"server_batch", "{\"min_count\": 2, \"metadata\": {}}",
		"POST /servers {\"server\":{\"min_count\":2," M
		",\"name\":\"gh-x\",\"return_reservation_id\":true}}",
		"{\"id\": \"1\"}", "GET /servers/1", "DELETE /servers/1",
		"GET /servers/detail?name=%5Egh-x%28-%5B0-9%5D%2B%29%3F%24"},
	{"loadbalancer", "{\"vip_subnet_id\": \"s\"}",
		"POST /lbaas/loadbalancers {\"loadbalancer\":{\"vip_subnet_id\":\"s\",\"name\":"
		"\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /lbaas/loadbalancers/1",
		"DELETE /lbaas/loadbalancers/1?cascade=true", "GET /lbaas/loadbalancers?name=gh-x"},
	{"lb_listener", "{\"loadbalancer_id\": \"l\"}",
		"POST /lbaas/listeners {\"listener\":{\"loadbalancer_id\":\"l\",\"name\":\"gh-x\"," D
		"}}",
		"{\"id\": \"1\"}", "GET /lbaas/listeners/1", "DELETE /lbaas/listeners/1",
		"GET /lbaas/listeners?name=gh-x"},
	{"lb_pool", "{\"listener_id\": \"l\"}",
		"POST /lbaas/pools {\"pool\":{\"listener_id\":\"l\",\"name\":\"gh-x\"," D "}}",
		"{\"id\": \"1\"}", "GET /lbaas/pools/1", "DELETE /lbaas/pools/1",
		"GET /lbaas/pools?name=gh-x"},
	{"lb_member", "{\"pool\": \"p\", \"address\": \"10.0.0.1\"}",
		"POST /lbaas/pools/p/members {\"member\":{\"address\":\"10.0.0.1\",\"name\":"
		"\"gh-x\"," T "}}",
		"{\"id\": \"1\", \"pool\": \"p\"}", "GET /lbaas/pools/p/members/1",
		"DELETE /lbaas/pools/p/members/1", "GET /lbaas/pools/p/members?name=gh-x"},
	{"lb_healthmonitor", "{\"pool_id\": \"p\"}",
		"POST /lbaas/healthmonitors {\"healthmonitor\":{\"pool_id\":\"p\",\"name\":"
		"\"gh-x\"," T "}}",
		"{\"id\": \"1\"}", "GET /lbaas/healthmonitors/1", "DELETE /lbaas/healthmonitors/1",
		"GET /lbaas/healthmonitors?name=gh-x"},
	{"dns_zone", "{\"name\": \"r.example.\"}", "POST /zones {\"name\":\"r.example.\"," D "}",
		"{\"id\": \"1\"}", "GET /zones/1", "DELETE /zones/1",
		"GET /zones?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"dns_recordset", "{\"zone\": \"z\", \"name\": \"w.r.example.\"}",
		"POST /zones/z/recordsets {\"name\":\"w.r.example.\"," D "}",
		"{\"id\": \"1\", \"zone\": \"z\"}", "GET /zones/z/recordsets/1",
		"DELETE /zones/z/recordsets/1",
		"GET /recordsets?name=gh-x&description=glasshouse%20i%20r%20s%200"},
	{"stack", "{\"template\": {}, \"tags\": \"own\"}",
		"POST /stacks {\"template\":{},\"tags\":\"own," MARK "\",\"stack_name\":\"gh-x\"}",
		"{\"id\": \"1\", \"stack_name\": \"gh-x\"}", "GET /stacks/gh-x/1",
		"DELETE /stacks/gh-x/1", "GET /stacks?name=gh-x"},
	{"secret", "{\"payload\": \"x\"}", "POST /secrets {\"payload\":\"x\",\"name\":\"gh-x\"}",
		"{\"id\": \"1\"}", "GET /secrets/1", "DELETE /secrets/1", "GET /secrets?name=gh-x"},
	{"container", "{\"X-Container-Meta-A\": \"b\"}", "PUT /gh-x X-Container-Meta-A: b",
		"{\"id\": \"gh-x\"}", "HEAD /gh-x", "DELETE /gh-x", NULL},
	{"object", "{\"container\": \"c\", \"content\": \"x\", \"X-Delete-After\": 60}",
		"PUT /c/gh-x X-Delete-After: 60", "{\"id\": \"a/b\", \"container\": \"c\"}",
		"HEAD /c/a%2Fb", "DELETE /c/a%2Fb", NULL},
	{"application_credential", "{\"user\": \"u\"}",
		"POST /users/u/application_credentials {\"application_credential\":{\"name\":"
		"\"gh-x\"," D "}}",
		"{\"id\": \"1\", \"user\": \"u\"}", "GET /users/u/application_credentials/1",
		"DELETE /users/u/application_credentials/1",
		"GET /users/u/application_credentials?name=gh-x"},
};

static void check_row(size_t i)
{
	const struct kind *k = kind(rows[i].kind);
	json_t *body = parse(rows[i].body), *object = parse(rows[i].object);
	char *before = json_text(body), *after;
	struct kind_request r;
	struct error err = {0};

	assert_true(kind_create_request(k, body, "gh-x", MARK, &r, &err));
	is(k->name, shown(&r), rows[i].create);
	after = json_text(body);
	assert_string_equal(before, after); /* the step's own body stays */
	if (rows[i].get) {
		assert_true(kind_object_request(k, k->get, object, &r, &err));
		is(k->name, shown(&r), rows[i].get);
	} else {
		assert_false(kind_object_request(k, k->get, object, &r, &err));
	}
	assert_true(kind_object_request(k, k->remove, object, &r, &err));
	is(k->name, shown(&r), rows[i].remove);
	const bool finds = kind_find_request(k, body, "gh-x", MARK, &r);
	assert_int_equal(finds, rows[i].find != NULL);
	if (finds)
		is(k->name, shown(&r), rows[i].find);
	/* Every kind can be found after a lost answer, or refuses a double. */
	assert_true(finds || k->unique == UNIQUE_ADOPT);
	assert_true(k->unique != UNIQUE_ADOPT || k->unique_status >= 400);
	assert_true(k->component && k->rank > 0 && k->request_ns > 0 && k->timeout_ns > 0);
	free(before);
	free(after);
	json_decref(body);
	json_decref(object);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++)
		check_row(i);
	/* none is without a row here */
	assert_int_equal(kinds_count(kinds), array_len(rows));
}

static void test_missing(void **state)
{
	struct kind_request r;
	struct error err = {0};
	json_t *body = parse("{\"subnet_id\": \"s\"}");

	assert_false(kind_create_request(kind("router_interface"), body, NULL, NULL, &r, &err));
	assert_string_equal(
		err.msg, "\"router\" is missing: /routers/{router}/add_router_interface needs it");
	assert_null(r.body);
	assert_null(r.path);
	json_decref(body);
	body = parse("{\"router\": 5}");
	assert_false(kind_create_request(kind("router_interface"), body, NULL, NULL, &r, &err));
	assert_string_equal(err.msg,
		"\"router\" must be text: /routers/{router}/add_router_interface needs it");
	assert_false(kind_object_request(kind("backup"), kind("backup")->set, body, &r, &err));
	assert_string_equal(err.msg, "this kind has no such request");
	json_decref(body);
}

/* Nova's filter is a regular expression: what would mean something in it is escaped. */
static void test_regex(void **state)
{
	static const char *const names[][2] = {
		{"a.b(c)*[d]",
			"GET /servers/detail?name=%5Ea%5C.b%5C%28c%5C%29%5C%2A%5C%5Bd%5C%5D%24"},
		{"Zürich_1", "GET /servers/detail?name=%5EZ%C3%BCrich_1%24"},
		{"a\\b", "GET /servers/detail?name=%5Ea%5C%5Cb%24"},
	};

	for (size_t i = 0; i < array_len(names); i++) {
		struct kind_request r;

		assert_true(kind_find_request(kind("server"), NULL, names[i][0], MARK, &r));
		is("server", shown(&r), names[i][1]);
	}
}

/* --- known again -------------------------------------------------------------------------------
 */

static void test_is(void **state)
{
	static const struct {
		const char *kind, *item;
		bool is;
	} cases[] = {
		{"network", "{\"name\": \"gh-x\", " D "}", true},
		{"network", "{\"name\": \"gh-xx\", " D "}", false},
		{"network", "{\"name\": \"gh-x\", \"description\": \"" MARK "1\"}", false},
		{"network", "{\"name\": \"gh-x\", \"description\": \"\"}", false},
		{"network", "{\"name\": \"gh-x\"}", false},
		{"network", "{\"name\": null, " D "}", false},
		{"floating_ip", "{" D "}", true},
		{"server", "{\"name\": \"gh-x\", " M "}", true},
		{"server", "{\"name\": \"gh-x\", \"metadata\": {}}", false},
		{"server", "{\"name\": \"gh-x\", \"metadata\": null}", false},
		{"keypair", "{\"keypair\": {\"name\": \"gh-x\"}}", true},
		{"keypair", "{\"keypair\": {\"name\": \"gh-y\"}}", false},
		{"image", "{\"name\": \"gh-x\", \"glasshouse\": \"" MARK "\"}", true},
		{"restore", "{\"name\": \"gh-x\"}", true},
		{"lb_member", "{\"name\": \"gh-x\", \"tags\": [\"a\", \"" MARK "\"]}", true},
		{"stack", "{\"stack_name\": \"gh-x\", \"tags\": [\"a\", \"" MARK "\"]}", true},
		{"stack", "{\"stack_name\": \"gh-x\", \"tags\": null}", false},
		{"server_batch", "{\"name\": \"gh-x\", " M "}", true},
		{"server_batch", "{\"name\": \"gh-x-12\", " M "}", true},
		{"server_batch", "{\"name\": \"gh-x-1a\", " M "}", false},
		{"server_batch", "{\"name\": \"gh-x-\", " M "}", false},
		{"server_batch", "{\"name\": \"gh-xy-1\", " M "}", false},
		{"server_batch", "{\"name\": \"gh-x-1\"}", false},
		{"server", "{\"name\": \"gh-x-1\", " M "}", false},
		/* without name and mark nothing is ours */
		{"router_interface", "{\"id\": \"1\"}", false},
		{"server_port", "{\"name\": \"gh-x\"}", false},
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		json_t *item = parse(cases[i].item);

		if (kind_is(kind(cases[i].kind), item, "gh-x", MARK) != cases[i].is)
			fail_msg("%s %s", cases[i].kind, cases[i].item);
		assert_false(kind_is(kind(cases[i].kind), item, NULL, NULL));
		json_decref(item);
	}
}

static void test_unwrap(void **state)
{
	json_t *j = parse("{\"volume\": {\"id\": \"v\"}}");

	assert_string_equal(kind_id(kind("volume"), kind_unwrap(kind("volume"), j)), "v");
	assert_non_null(kind_unwrap(kind("restore"), j)); /* GET answers with the volume */
	assert_null(kind_unwrap(kind("server"), j));
	assert_null(kind_unwrap(kind("server"), NULL));
	assert_ptr_equal(kind_unwrap(kind("image"), j), j);
	json_decref(j);
	j = parse("{\"restore\": {\"volume_id\": \"v\", \"backup_id\": \"b\"}}");
	assert_string_equal(kind_id(kind("restore"), kind_unwrap(kind("restore"), j)), "v");
	json_decref(j);
}

static void test_fields(void **state)
{
	static const struct {
		const char *kind, *object, *address;
	} cases[] = {
		{"server",
			"{\"addresses\": {\"n\": [{\"version\": 6, \"addr\": \"::1\"}, {\"version\": 4, "
			"\"addr\": \"10.0.0.1\", \"OS-EXT-IPS:type\": \"fixed\"}]}}",
			"\"10.0.0.1\""},
		{"server",
			"{\"addresses\": {\"n\": [{\"version\": 4, \"addr\": \"8.8.8.8\", "
			"\"OS-EXT-IPS:type\": \"floating\"}, {\"version\": 6, \"addr\": \"::1\"}]}}",
			"\"::1\""},
		{"server", "{\"addresses\": {}}", NULL},
		{"server", "{}", NULL},
		{"port", "{\"fixed_ips\": [{\"ip_address\": \"10.0.0.2\"}]}", "\"10.0.0.2\""},
		{"port", "{\"fixed_ips\": []}", NULL},
		{"network", "{\"address\": \"x\"}", NULL},
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		json_t *object = parse(cases[i].object);
		json_t *got = kind_field(kind(cases[i].kind), object, SLICE("address"));
		char *text = got ? json_text(got) : NULL;

		if (cases[i].address)
			assert_string_equal(text, cases[i].address);
		else
			assert_null(got);
		free(text);
		json_decref(got);
		json_decref(object);
	}
}

/* --- kinds/NAME.yaml ---------------------------------------------------------------------------
 */

static char dir[64];

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test-kinds-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"a.yaml", "b.yaml", "c.txt"};

	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s/%s", dir, names[i]);

		unlink(path);
		free(path);
	}
	return rmdir(dir);
}

static void put(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void test_files(void **state)
{
	const char *const dirs[] = {"/nowhere", dir, NULL};
	struct error_list errors = {0};

	put("a.yaml",
		"share: {service: share, create: POST /v2/shares, id: share_ref,\n"
		"  ready: \"[BODY].status == ACTIVE\", gone: 404, unique: null, mark: null,\n"
		"  request: 30s, timeout: 2m, rank: 60, component: Shares}\n"
		"server: {version: \"2.90\", user_data: null, lock: group}\n");
	put("b.yaml", "server: {timeout: 90s, mark: tags, unique: 409, answer_partial: false}\n");
	put("c.txt", "no yaml: [");
	struct kinds *own = kinds_load(dirs, &errors);
	assert_non_null(own);
	const struct kind *share = kind_find(own, SLICE("share")),
			  *server = kind_find(own, SLICE("server"));
	assert_string_equal(share->create, "POST /v2/shares");
	assert_non_null(share->ready_expr);
	assert_string_equal(share->gone, "[STATUS] == 404");
	assert_int_equal(share->request_ns, 30 * NS_PER_S);
	assert_string_equal(server->version, "2.90"); /* a: what b does not say stays */
	assert_int_equal(server->timeout_ns, 90 * NS_PER_S);
	assert_int_equal(server->mark, MARK_TAGS);
	assert_int_equal(server->unique_status, 409);
	assert_null(server->user_data);
	assert_false(server->answer_partial);
	assert_string_equal(server->create, "POST /servers");
	json_t *body = parse("{\"tags\": [\"t\"]}");
	struct kind_request r;
	assert_true(kind_create_request(server, body, "gh-x", MARK, &r, NULL));
	assert_true(kind_is(server, kind_unwrap(server, r.body), "gh-x", MARK));
	assert_string_equal(kind_mark_of(server, kind_unwrap(server, r.body)), MARK);
	is("server", shown(&r),
		"POST /servers {\"server\":{\"tags\":[\"t\",\"" MARK "\"],\"name\":\"gh-x\"}}");
	json_decref(body);
	size_t n;
	const char *const *names = kinds_names(own, &n);
	assert_int_equal(n, kinds_count(kinds) + 1);
	assert_string_equal(names[n - 1], "share");
	kinds_free(own);
	/* the built-in table is as it was */
	assert_string_equal(kind("server")->version, "2.79");
}

static void test_file_errors(void **state)
{
	const char *const dirs[] = {dir, NULL};
	struct error_list errors = {0};
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];

	put("a.yaml",
		"share: {service: share}\n"
		"server: {versoin: 1, mark: name, unique: 200, rank: x, request: 30, uploads: 3,\n"
		"  gone: [404], ready: \"[BODY].status ==\", create: {a: b}, name: null}\n"
		"port: text\n");
	put("b.yaml", "- a\n---\nx: [\n");
	assert_null(kinds_load(dirs, &errors));
	for (size_t i = 0; i < errors.n; i++)
		buf_printf(&all, "%s\n",
			error_text(&errors.p[i], line, sizeof(line)) + strlen(dir) + 1);
	is("errors", buf_take(&all),
		"a.yaml:1:1: kind share needs at least `service` and `create`\n"
		"a.yaml:2:10: kind server: unknown field \"versoin\"; did you mean \"version\"?\n"
		"a.yaml:2:28: kind server: mark must be description, metadata, property, tags, "
		"tag_text or null\n"
		"a.yaml:2:42: kind server: unique must be an HTTP status from 400 to 499, or "
		"null\n"
		"a.yaml:2:53: kind server: rank must be a number up to 1000\n"
		"a.yaml:2:65: kind server: request must be a time such as 30s\n"
		"a.yaml:2:78: kind server: uploads must be true or false\n"
		"a.yaml:3:9: kind server: gone must be a condition\n"
		"a.yaml:3:40: kind server: ready: expected a measurement such as [STATUS], a "
		"${expression} or a value\n"
		"a.yaml:3:51: kind server: create must be a method and a path such as GET "
		"/servers/{id}\n"
		"a.yaml:4:7: kind port must be a map\n"
		"b.yaml:4:1: flow sequence without a closing bracket\n");
	error_list_fini(&errors);
}

/* A request is a method and a path. */
static void test_bad_templates(void **state)
{
	const char *const dirs[] = {dir, NULL};
	struct error_list errors = {0};

	put("a.yaml", "thing: {service: x, create: things, get: /things}\n");
	assert_null(kinds_load(dirs, &errors));
	assert_int_equal(errors.n, 2);
	assert_non_null(strstr(errors.p[0].msg, "create must be a method and a path"));
	assert_int_equal(errors.p[0].col, 29);
	assert_non_null(strstr(errors.p[1].msg, "get must be a method and a path"));
	error_list_fini(&errors);
}

static void test_fix(void **state)
{
	const struct {
		const char *kind, *path, *holder, *expected;
	} cases[] = {
		{"volume", "{\"id\": \"v-1\"}", NULL,
			"openstack volume set --state error --detached v-1 && openstack volume delete"
			" --force v-1"},
		{"network", "{\"id\": \"n-1\"}", "p-1",
			"openstack port delete p-1 && openstack network delete n-1"},
		{"network", "{\"id\": \"n-1\"}", NULL, NULL}, /* held by nobody that is known */
		{"volume", "{}", NULL, NULL},
		{"volume", "{\"id\": \"v; reboot\"}", NULL, NULL}, /* it is pasted into a shell */
		{"volume", "{\"id\": \"--help\"}", NULL, NULL},
		{"volume", "{\"id\": \"$(id)\"}", NULL, NULL},
		{"keypair", "{\"id\": \"k\"}", NULL, NULL}, /* has none */
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		json_t *path = parse(cases[i].path);
		char *fix = kind_fix(kind(cases[i].kind), path, cases[i].holder);
		if (cases[i].expected)
			assert_string_equal(fix, cases[i].expected);
		else
			assert_null(fix);
		free(fix);
		json_decref(path);
	}
	for (size_t i = 0; i < kinds_count(kinds); i++) {
		const struct kind *k = kind_at(kinds, i);
		const bool sticks = k->stuck || (k->holders && strchr(k->holders, ' '));
		/* what goes with another is fixed with it */
		if (sticks && !k->fix && !k->with)
			fail_msg("%s can stick, and nobody is told what to do", k->name);
	}
}

int test_kind(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_regex),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fix),
		cmocka_unit_test_setup_teardown(test_files, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_file_errors, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_bad_templates, make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("openstack/kind", tests, set_up, tear_down);
}
