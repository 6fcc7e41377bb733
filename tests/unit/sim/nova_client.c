#include "nova_client.h"

#include <stdio.h>

#include "base/json.h"
#include "sim/compute_server.h"

#define FOREVER_NS (1000000 * NS_PER_S)

static const char *const projects[] = {"demo", "second", "demo"};
static const char *const users[] = {"demo", "demo", "demo-b"};

/* --- asking ---------------------------------------------------------------------------------- */

static void take_header(struct nova *n, const char *name, char **ret)
{
	const char *value = simulated_header(n->cloud, name);

	mem_replace(ret, *value ? value : NULL);
}

json_t *nova_ask(struct nova *n, int version, const char *method, const char *path,
	const char *body, int status)
{
	struct simulated *s = n->cloud;
	char wanted[32];
	const bool root = !strncmp(path, "//", 2);
	char *below = mem_printf("%s%s", root ? "" : "/compute/v2.1", path + root);

	snprintf(wanted, sizeof(wanted), "compute 2.%d", version);
	s->token = n->tokens[n->as];
	s->version = version ? wanted : NULL;
	s->extra = n->extra;
	n->status = simulated_call(s, method, below, body);
	s->version = NULL;
	n->answer = s->json;
	take_header(n, "location", &n->location);
	take_header(n, "openstack-api-version", &n->version);
	snprintf(n->request_id, sizeof(n->request_id), "%s",
		simulated_header(s, "x-compute-request-id"));
	if (status && n->status != status)
		fail_msg("%s %s %s: %d %s", method, below, body ? body : "", n->status,
			nova_message(n));
	free(below);
	return n->answer;
}

json_t *nova_post(struct nova *n, int version, const char *path, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *body = mem_vprintf(fmt, ap);
	va_end(ap);
	json_t *answer = nova_ask(n, version, "POST", path, body, status);
	free(body);
	return answer;
}

const char *nova_message(struct nova *n)
{
	json_t *inner = json_object_iter_value(json_object_iter(n->answer));
	const char *text = json_str(inner, "message");

	return text ? text : "";
}

void nova_pass(struct nova *n, int64_t ns)
{
	simulated_wait(n->cloud, ns);
}

void nova_fault(struct nova *n, const char *rule)
{
	simulated_fault(n->cloud, rule);
}

/* --- what stands there ----------------------------------------------------------------------- */

int nova_setup(void **state)
{
	struct nova *n = mem_new(struct nova);
	void *cloud;

	simulated_set_up_as(&cloud, &(struct sim_options){.seed = 7, .token_ns = FOREVER_NS});
	n->cloud = cloud;
	n->loop = n->cloud->loop;
	n->sim = n->cloud->sim;
	for (size_t i = 0; i < array_len(n->tokens); i++) {
		simulated_login(n->cloud, users[i], projects[i]);
		n->tokens[i] = n->cloud->token;
		n->cloud->token = NULL;
	}
	*state = n;
	return 0;
}

int nova_teardown(void **state)
{
	struct nova *n = *state;
	void *cloud = n->cloud;

	n->cloud->token = NULL; /* one of ours */
	simulated_tear_down(&cloud);
	for (size_t i = 0; i < array_len(n->tokens); i++)
		free(n->tokens[i]);
	free(n->location);
	free(n->version);
	free(n);
	return 0;
}

struct object *nova_object(struct nova *n, enum kind k, const char *id)
{
	return object_get(n->sim, k, id);
}

const char *nova_image(struct nova *n)
{
	OBJECT_EACH (n->sim, KIND_IMAGE, o)
		return o->id;
	fail_msg("no image");
	return NULL;
}

const char *nova_flavor(struct nova *n, const char *name)
{
	OBJECT_EACH (n->sim, KIND_FLAVOR, o)
		if (!strcmp(object_str(o, "name"), name))
			return o->id;
	fail_msg("no flavor %s", name);
	return NULL;
}

const char *nova_network(struct nova *n, int number)
{
	json_t *a = nova_post(
		n, 0, "//network/v2.0/networks", 201, "{'network':{'name':'net%d'}}", number);
	const struct object *net =
		nova_object(n, KIND_NETWORK, json_str(json_object_get(a, "network"), "id"));

	nova_post(n, 0, "//network/v2.0/subnets", 201,
		"{'subnet':{'network_id':'%s','ip_version':4,'cidr':'10.%d.0.0/24'}}", net->id,
		number);
	return net->id;
}

void nova_until(struct nova *n, const char *server, const char *status)
{
	const struct object *o = nova_object(n, KIND_SERVER, server);

	for (int i = 0; i < 36000; i++) {
		assert_non_null(o);
		if (!strcmp(object_str(o, "status"), status) &&
			!json_str(o->doc, "OS-EXT-STS:task_state"))
			return;
		nova_pass(n, 100 * NS_PER_MS);
		o = nova_object(n, KIND_SERVER, server);
	}
	fail_msg("%s stays %s", server, object_str(o, "status"));
}

const char *nova_server(struct nova *n, const char *name, const char *network)
{
	char *networks = *network ? mem_printf("[{'uuid':'%s'}]", network) : mem_strdup("'none'");
	json_t *a = nova_post(n, 93, "/servers", 202,
		"{'server':{'name':'%s','flavorRef':'%s','imageRef':'%s','networks':%s}}", name,
		nova_flavor(n, "lab.tiny"), nova_image(n), networks);
	const struct object *o =
		nova_object(n, KIND_SERVER, json_str(json_object_get(a, "server"), "id"));

	free(networks);
	assert_non_null(o);
	nova_until(n, o->id, "ACTIVE");
	return o->id;
}
