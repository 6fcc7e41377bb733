/* The simulated nova's servers: how they come, are shown, change and go. */
#include "../check.h"

#include "base/json.h"
#include "nova_client.h"
#include "sim/compute_server.h"
#include "sim/volume.h"

/* GET of a server, or of something below it. */
static json_t *show(struct nova *n, int version, const char *id, const char *below, int status)
{
	char path[256];

	snprintf(path, sizeof(path), "/servers/%s%s", id, below);
	return json_object_get(nova_ask(n, version, "GET", path, NULL, status), "server");
}

static void act(struct nova *n, const char *id, const char *body, int status, const char *message)
{
	char path[256];

	snprintf(path, sizeof(path), "/servers/%s/action", id);
	nova_ask(n, 93, "POST", path, body, status);
	if (message)
		assert_string_equal(nova_message(n), message);
}

static void remove_server(struct nova *n, const char *id, int status)
{
	char path[256];

	snprintf(path, sizeof(path), "/servers/%s", id);
	nova_ask(n, 93, "DELETE", path, NULL, status);
}

static json_t *list(struct nova *n, int version, const char *query)
{
	char path[512];

	snprintf(path, sizeof(path), "/servers/detail?%s", query);
	return json_object_get(nova_ask(n, version, "GET", path, NULL, 200), "servers");
}

static size_t count(const struct nova *n, enum kind k, enum made_by by)
{
	size_t found = 0;

	OBJECT_EACH (n->sim, k, o)
		found += o->made_by == by;
	return found;
}

static struct object *newest(struct nova *n, enum kind k)
{
	return n->sim->tables[k].list.p[n->sim->tables[k].list.n - 1];
}

/* --- life ------------------------------------------------------------------------------------ */

static void test_states(void **state)
{
	struct nova *n = *state;
	const char *expected[] = {"scheduling", "networking", "block_device_mapping", "spawning"};
	const char *net = nova_network(n, 1);
	size_t at = 0;

	nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':[{'uuid':'%s'}]}}",
		nova_flavor(n, "lab.tiny"), nova_image(n), net);
	const struct object *o = newest(n, KIND_SERVER);
	for (int i = 0; i < 10000 && strcmp(object_str(o, "status"), "ACTIVE"); i++) {
		const char *task = object_str(o, "OS-EXT-STS:task_state");
		assert_string_equal(object_str(o, "status"), "BUILD");
		if (strcmp(task, expected[at]))
			at++;
		assert_in_range(at, 0, 3);
		assert_string_equal(task, expected[at]);
		nova_pass(n, 10 * NS_PER_MS);
	}
	assert_int_equal(at, 3);
	assert_int_equal(server_of(o)->up_ns, INT64_MAX); /* it boots */
	nova_pass(n, 60 * NS_PER_S);
	assert_true(server_of(o)->up_ns < loop_now_ns(n->loop));
}

static void test_create_answer(void **state)
{
	struct nova *n = *state;
	json_t *a = nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':'none'}}",
		nova_flavor(n, "lab.tiny"), nova_image(n));
	json_t *s = json_object_get(a, "server");

	assert_int_equal(json_object_size(s), 5);
	assert_int_equal(strlen(json_str(s, "adminPass")), 12);
	assert_non_null(strstr(n->location, json_str(s, "id")));
	assert_non_null(json_object_get(s, "security_groups"));
	/* names are not unique */
	nova_server(n, "x", "");
	nova_pass(n, NS_PER_S);
	assert_int_equal(json_array_size(list(n, 93, "name=^x$")), 2);
}

static void test_versions_of_view(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "Host Name", nova_network(n, 1));
	static const struct {
		const char *field;
		int since;
	} fields[] = {{"locked", 9}, {"description", 19}, {"tags", 26},
		{"trusted_image_certificates", 63}, {"server_groups", 71}, {"locked_reason", 73},
		{"OS-EXT-SRV-ATTR:hostname", 90}};

	for (size_t i = 0; i < array_len(fields); i++) {
		assert_null(json_object_get(
			show(n, fields[i].since - 1, id, "", 200), fields[i].field));
		assert_non_null(
			json_object_get(show(n, fields[i].since, id, "", 200), fields[i].field));
	}
	assert_non_null(json_at(show(n, 46, id, "", 200), "flavor", "id", NULL));
	assert_string_equal(
		json_str(json_at(show(n, 47, id, "", 200), "flavor", NULL), "original_name"),
		"lab.tiny");
	json_t *s = show(n, 93, id, "", 200);
	assert_string_equal(json_str(s, "OS-EXT-SRV-ATTR:hostname"), "host-name");
	const json_t *a = json_array_get(json_at(s, "addresses", "net1", NULL), 0);
	assert_int_equal(strncmp(json_str(a, "addr"), "10.1.0.", 7), 0);
	assert_string_equal(json_str(a, "OS-EXT-IPS:type"), "fixed");
	assert_int_equal(strlen(json_str(s, "hostId")), 56);
}

static void test_ports(void **state)
{
	struct nova *n = *state;
	const char *net = nova_network(n, 1);
	json_t *a =
		nova_post(n, 0, "//network/v2.0/ports", 201, "{'port':{'network_id':'%s'}}", net);
	const struct object *given =
		nova_object(n, KIND_PORT, json_str(json_object_get(a, "port"), "id"));

	nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':[{'port':'%s'},"
		"{'uuid':'%s','fixed_ip':'10.1.0.77','tag':'front'}]}}",
		nova_flavor(n, "lab.tiny"), nova_image(n), given->id, net);
	const struct object *o = newest(n, KIND_SERVER);
	nova_post(n, 93, "/servers", 409,
		"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':[{'port':'%s'}]}}",
		nova_flavor(n, "lab.tiny"), nova_image(n), given->id);
	nova_until(n, o->id, "ACTIVE");
	assert_string_equal(object_str(given, "device_id"), o->id);
	assert_string_equal(object_str(given, "status"), "ACTIVE");
	assert_int_equal(count(n, KIND_PORT, MADE_BY_NOVA), 1);
	const struct object *own = newest(n, KIND_PORT);
	assert_string_equal(own->project, o->project);
	assert_string_equal(object_str(own, "device_owner"), "compute:az1");
	assert_string_equal(object_str(own, "name"), "");
	show(n, 93, o->id, "/os-interface", 200);
	assert_int_equal(json_array_size(json_object_get(n->answer, "interfaceAttachments")), 2);
	remove_server(n, o->id, 204);
	nova_pass(n, 60 * NS_PER_S);
	assert_int_equal(count(n, KIND_PORT, MADE_BY_NOVA), 0);
	assert_string_equal(object_str(given, "device_id"), "");
	assert_string_equal(object_str(given, "status"), "DOWN");
}

static void test_delete(void **state)
{
	struct nova *n = *state;
	char *id = mem_strdup(nova_server(n, "x", ""));
	json_t *gone;

	remove_server(n, id, 204);
	assert_string_equal(
		json_str(show(n, 93, id, "", 200), "OS-EXT-STS:task_state"), "deleting");
	act(n, id, "{'os-stop':null}", 409, NULL);
	assert_non_null(strstr(nova_message(n), "while it is in task_state deleting"));
	remove_server(n, id, 204);
	nova_pass(n, 60 * NS_PER_S);
	show(n, 93, id, "", 404);
	remove_server(n, id, 404);
	assert_int_equal(json_array_size(list(n, 93, "")), 0);
	gone = json_array_get(list(n, 93, "changes-since=2020-01-01T00:00:00Z"), 0);
	assert_string_equal(json_str(gone, "status"), "DELETED");
	assert_string_equal(json_str(json_object_get(gone, "flavor"), "original_name"), "lab.tiny");
	show(n, 93, id, "/os-instance-actions", 200);
	assert_int_equal(json_array_size(json_object_get(n->answer, "instanceActions")), 2);
	show(n, 20, id, "/os-instance-actions", 404);
	free(id);
}

/* --- actions --------------------------------------------------------------------------------- */

static void test_actions(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");
	static const struct {
		const char *body;
		int status;
		const char *after, *message;
	} steps[] = {
		{"{'os-start':null}", 409, "ACTIVE",
			"Cannot 'start' instance %s while it is in "
			"vm_state active"},
		{"{'os-stop':null}", 202, "SHUTOFF"},
		{"{'pause':null}", 409, "SHUTOFF",
			"Cannot 'pause' instance %s while it is in "
			"vm_state stopped"},
		{"{'os-start':null}", 202, "ACTIVE"},
		{"{'pause':null}", 202, "PAUSED"},
		{"{'unpause':null}", 202, "ACTIVE"},
		{"{'suspend':null}", 202, "SUSPENDED"},
		{"{'resume':null}", 202, "ACTIVE"},
		{"{'reboot':{'type':'SOFT'}}", 202, "ACTIVE"},
		{"{'reboot':{'type':'hard'}}", 202, "ACTIVE"},
		{"{'reboot':{'type':'cold'}}", 400, "ACTIVE"},
		{"{'lock':{'locked_reason':'mine'}}", 202, "ACTIVE"},
		{"{'os-stop':null}", 409, "ACTIVE", "Instance %s is locked"},
		{"{'unlock':null}", 202, "ACTIVE"},
		{"{'confirmResize':null}", 409, "ACTIVE",
			"Cannot 'confirmResize' instance %s while "
			"it is in vm_state active"},
		{"{'migrate':null}", 403, "ACTIVE"},
		{"{'dance':null}", 400, "ACTIVE", "There is no such action: dance"},
	};

	for (size_t i = 0; i < array_len(steps); i++) {
		char message[256];
		act(n, id, steps[i].body, steps[i].status, NULL);
		if (steps[i].message) {
			const char *at = strstr(steps[i].message, "%s");
			snprintf(message, sizeof(message), "%.*s%s%s",
				at ? (int)(at - steps[i].message) : 200, steps[i].message,
				at ? id : "", at ? at + 2 : "");
			assert_string_equal(nova_message(n), message);
		}
		nova_until(n, id, steps[i].after);
	}
	act(n, id, "{'os-stop':null}", 202, NULL);
	act(n, id, "{'os-stop':null}", 409, NULL);
	assert_non_null(strstr(nova_message(n), "while it is in task_state powering-off"));
	act(n, "none", "{'dance':null}", 400, "There is no such action: dance");
	act(n, "none", "{'pause':null}", 404, "Instance none could not be found.");
	act(n, "none", "{'os-stop':null}", 404, "Instance none has no mapping to a cell.");
}

static void test_resize(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");
	const struct object *o = nova_object(n, KIND_SERVER, id);
	char body[128], host[16];

	memcpy(host, server_of(o)->host, sizeof(host));
	snprintf(body, sizeof(body), "{'resize':{'flavorRef':'%s'}}", nova_flavor(n, "lab.tiny"));
	act(n, id, body, 400, "When resizing, instances must change flavor!");
	snprintf(body, sizeof(body), "{'resize':{'flavorRef':'%s'}}", nova_flavor(n, "lab.small"));
	act(n, id, body, 202, NULL);
	assert_string_equal(object_str(o, "status"), "RESIZE");
	nova_until(n, id, "VERIFY_RESIZE");
	act(n, id, "{'revertResize':null}", 202, NULL);
	nova_until(n, id, "ACTIVE");
	assert_string_equal(server_of(o)->flavor, nova_flavor(n, "lab.tiny"));
	act(n, id, body, 202, NULL);
	nova_until(n, id, "VERIFY_RESIZE");
	act(n, id, "{'confirmResize':null}", 204, NULL);
	nova_until(n, id, "ACTIVE");
	assert_string_equal(server_of(o)->flavor, nova_flavor(n, "lab.small"));
	/* a smaller disk is refused on the host: nothing changes */
	snprintf(body, sizeof(body), "{'resize':{'flavorRef':'%s'}}", nova_flavor(n, "lab.tiny"));
	act(n, id, body, 202, NULL);
	nova_until(n, id, "ACTIVE");
	assert_string_equal(server_of(o)->flavor, nova_flavor(n, "lab.small"));
}

static void test_console(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "box", nova_network(n, 1));

	act(n, id, "{'os-getConsoleOutput':{}}", 200, NULL);
	assert_null(strstr(json_str(n->answer, "output"), "login:"));
	nova_pass(n, 60 * NS_PER_S);
	act(n, id, "{'os-getConsoleOutput':{}}", 200, NULL);
	assert_non_null(strstr(json_str(n->answer, "output"), "\nbox login: "));
	act(n, id, "{'os-getConsoleOutput':{'length':1}}", 200, NULL);
	assert_string_equal(json_str(n->answer, "output"), "box login: ");
	act(n, id, "{'os-stop':null}", 202, NULL);
	nova_until(n, id, "SHUTOFF");
	act(n, id, "{'os-getConsoleOutput':{}}", 404, "Guest does not have a console available.");
}

static void test_image_of_it(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");

	act(n, id, "{'createImage':{'name':'snap'}}", 202, NULL);
	const struct object *image = nova_object(n, KIND_IMAGE, json_str(n->answer, "image_id"));
	assert_non_null(image);
	act(n, id, "{'os-stop':null}", 409, NULL);
	nova_until(n, id, "ACTIVE");
	assert_string_equal(object_str(image, "status"), "active");
}

/* --- events ---------------------------------------------------------------------------------- */

static void test_events(void **state)
{
	struct nova *n = *state;
	char request[64], path[160];

	nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'x','flavorRef':'%s','imageRef':'%s','networks':'none'}}",
		nova_flavor(n, "lab.tiny"), nova_image(n));
	memcpy(request, n->request_id, sizeof(request));
	const struct object *o = newest(n, KIND_SERVER);
	nova_until(n, o->id, "ACTIVE");
	snprintf(path, sizeof(path), "/servers/%s/os-instance-actions/%s", o->id, request);
	json_t *a = json_object_get(nova_ask(n, 62, "GET", path, NULL, 200), "instanceAction");
	assert_string_equal(json_str(a, "action"), "create");
	const json_t *e = json_array_get(json_object_get(a, "events"), 0);
	assert_string_equal(json_str(e, "event"), "compute__do_build_and_run_instance");
	assert_string_equal(json_str(e, "result"), "Success");
	assert_int_equal(strlen(json_str(e, "hostId")), 56);
	a = json_object_get(nova_ask(n, 51, "GET", path, NULL, 200), "instanceAction");
	assert_null(json_object_get(json_array_get(json_object_get(a, "events"), 0), "hostId"));
	a = json_object_get(nova_ask(n, 50, "GET", path, NULL, 200), "instanceAction");
	assert_null(json_object_get(a, "events"));
	nova_ask(n, 62, "GET", "/servers/none/os-instance-actions", NULL, 404);
}

/* --- volumes --------------------------------------------------------------------------------- */

static void test_boot_volume(void **state)
{
	struct nova *n = *state;

	nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'x','flavorRef':'%s','networks':'none','block_device_mapping_v2':"
		"[{'source_type':'image','uuid':'%s','destination_type':'volume','boot_index':0,"
		"'volume_size':3,'delete_on_termination':true}]}}",
		nova_flavor(n, "lab.tiny"), nova_image(n));
	const struct object *o = newest(n, KIND_SERVER);
	nova_until(n, o->id, "ACTIVE");
	assert_int_equal(count(n, KIND_VOLUME, MADE_BY_NOVA), 1);
	const struct object *v = newest(n, KIND_VOLUME);
	assert_string_equal(object_str(v, "status"), "in-use");
	json_t *s = show(n, 93, o->id, "", 200);
	assert_string_equal(json_str(s, "image"), "");
	const json_t *d =
		json_array_get(json_object_get(s, "os-extended-volumes:volumes_attached"), 0);
	assert_string_equal(json_str(d, "id"), v->id);
	assert_true(json_flag(d, "delete_on_termination"));
	remove_server(n, o->id, 204);
	nova_pass(n, 120 * NS_PER_S);
	assert_int_equal(count(n, KIND_VOLUME, MADE_BY_NOVA), 0);
}

static void test_attachments(void **state)
{
	struct nova *n = *state;
	const char *id = nova_server(n, "x", "");
	const struct object *o = nova_object(n, KIND_SERVER, id);
	struct object *v = volume_make(n->sim, &(struct volume_plan){.project = o->project,
						       .user = o->user,
						       .name = "v",
						       .gib = 1,
						       .by = MADE_BY_API});
	char path[128], one[192], body[160];

	nova_pass(n, 60 * NS_PER_S);
	snprintf(path, sizeof(path), "/servers/%s/os-volume_attachments", id);
	snprintf(one, sizeof(one), "%s/%s", path, v->id);
	snprintf(body, sizeof(body), "{'volumeAttachment':{'volumeId':'%s'}}", v->id);
	json_t *a = json_object_get(nova_ask(n, 93, "POST", path, body, 200), "volumeAttachment");
	assert_string_equal(json_str(a, "device"), "/dev/vdb");
	assert_string_equal(json_str(a, "id"), v->id);
	nova_ask(n, 93, "POST", path, body, 400);
	assert_non_null(strstr(nova_message(n), "is already attached to instances: "));
	nova_ask(n, 93, "DELETE", one, NULL, 400); /* not there yet */
	nova_pass(n, 60 * NS_PER_S);
	assert_string_equal(object_str(v, "status"), "in-use");
	a = json_object_get(nova_ask(n, 88, "GET", one, NULL, 200), "volumeAttachment");
	assert_string_equal(json_str(a, "id"), v->id);
	a = json_object_get(nova_ask(n, 89, "GET", one, NULL, 200), "volumeAttachment");
	assert_null(json_object_get(a, "id"));
	assert_string_equal(json_str(a, "volumeId"), v->id);
	assert_non_null(json_str(a, "attachment_id"));
	nova_ask(n, 93, "DELETE", one, NULL, 202);
	nova_ask(n, 93, "GET", one, NULL, 200); /* asynchronous */
	nova_pass(n, 60 * NS_PER_S);
	nova_ask(n, 93, "GET", one, NULL, 404);
	assert_string_equal(object_str(v, "status"), "available");
}

/* --- interfaces ------------------------------------------------------------------------------ */

static void test_interfaces(void **state)
{
	struct nova *n = *state;
	const char *net = nova_network(n, 1), *id = nova_server(n, "x", net);
	json_t *a =
		nova_post(n, 0, "//network/v2.0/ports", 201, "{'port':{'network_id':'%s'}}", net);
	const struct object *port =
		nova_object(n, KIND_PORT, json_str(json_object_get(a, "port"), "id"));
	char path[128], one[192], body[160];

	snprintf(path, sizeof(path), "/servers/%s/os-interface", id);
	snprintf(one, sizeof(one), "%s/%s", path, port->id);
	snprintf(body, sizeof(body), "{'interfaceAttachment':{'port_id':'%s'}}", port->id);
	a = json_object_get(nova_ask(n, 93, "POST", path, body, 200), "interfaceAttachment");
	assert_string_equal(json_str(a, "port_id"), port->id);
	nova_ask(n, 93, "POST", path, body, 409);
	nova_pass(n, 10 * NS_PER_S);
	a = json_object_get(nova_ask(n, 93, "GET", one, NULL, 200), "interfaceAttachment");
	assert_string_equal(json_str(a, "port_state"), "ACTIVE");
	nova_ask(n, 93, "DELETE", one, NULL, 202);
	nova_ask(n, 93, "GET", one, NULL, 200); /* asynchronous */
	nova_pass(n, 60 * NS_PER_S);
	nova_ask(n, 93, "GET", one, NULL, 404);
	assert_string_equal(object_str(port, "device_id"), "");
	/* by network: the port is nova's and goes with the detachment */
	snprintf(body, sizeof(body), "{'interfaceAttachment':{'net_id':'%s'}}", net);
	a = json_object_get(nova_ask(n, 93, "POST", path, body, 200), "interfaceAttachment");
	snprintf(one, sizeof(one), "%s/%s", path, json_str(a, "port_id"));
	assert_int_equal(count(n, KIND_PORT, MADE_BY_NOVA), 2);
	nova_ask(n, 93, "DELETE", one, NULL, 202); /* at once */
	nova_pass(n, 60 * NS_PER_S);
	assert_int_equal(count(n, KIND_PORT, MADE_BY_NOVA), 1);
}

int test_server(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nova_setup, nova_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_states),
		TEST(test_create_answer),
		TEST(test_versions_of_view),
		TEST(test_ports),
		TEST(test_delete),
		TEST(test_actions),
		TEST(test_resize),
		TEST(test_console),
		TEST(test_image_of_it),
		TEST(test_events),
		TEST(test_boot_volume),
		TEST(test_attachments),
		TEST(test_interfaces),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
