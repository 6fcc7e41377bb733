#include "nova_client.h"

#include <stdio.h>

#include "../check.h"

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/seed.h"

#define START_UNIX_US 1764000000000000ll
#define FOREVER_NS    (1000000 * NS_PER_S)

static const char *const projects[] = {"demo", "second", "demo"};
static const char *const users[] = {"demo", "demo", "demo-b"};

/* --- asking ---------------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct http_answer *a)
{
	struct nova *n = arg;
	const char *id = http_answer_header(a, "x-compute-request-id");
	const char *token = http_answer_header(a, "X-Subject-Token");

	n->status = a->status;
	n->answer = a->body.n ? json_parse(a->body, BUF_ANSWER, NULL) : NULL;
	mem_replace(&n->location, token ? token : http_answer_header(a, "Location"));
	mem_replace(&n->version, http_answer_header(a, "OpenStack-API-Version"));
	snprintf(n->request_id, sizeof(n->request_id), "%s", id ? id : "");
	n->done = true;
}

/* Moves the clock to the moment of the answer and no further. */
static void wait_answer(struct nova *n)
{
	while (!n->done) {
		int64_t left = 0;
		for (struct call *c = n->sim->calls; c; c = c->next)
			if (timer_running(&c->timer))
				left = timer_left_ns(&c->timer);
		loop_advance(n->loop, left > 0 ? left : 0);
	}
}

static void send_request(struct nova *n, const struct http_request *q)
{
	json_decref(n->answer);
	n->answer = NULL;
	n->done = false;
	http_send(n->client, q, on_answer, n);
	wait_answer(n);
}

static char *double_quoted(const char *body)
{
	char *text = mem_strdup(body);

	for (char *p = text; p && *p; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

json_t *nova_ask(struct nova *n, int version, const char *method, const char *path,
	const char *body, int status)
{
	char wanted[32];
	const bool root = !strncmp(path, "//", 2);
	char *text = double_quoted(body);
	char *url = mem_printf("%s%s%s", sim_url(n->sim), root ? "" : "/compute/v2.1", path + root);
	snprintf(wanted, sizeof(wanted), "compute 2.%d", version);
	struct http_header headers[4] = {
		{"X-Auth-Token", n->tokens[n->as]}, {"Content-Type", "application/json"}};
	size_t count = 2;
	if (version)
		headers[count++] = (struct http_header){"OpenStack-API-Version", wanted};
	if (n->extra.name)
		headers[count++] = n->extra;

	send_request(n, &(struct http_request){.method = method,
				.url = url,
				.headers = headers,
				.header_count = count,
				.body = text,
				.body_n = text ? strlen(text) : 0,
				.deadline_ns = FOREVER_NS});
	free(text);
	if (status && n->status != status)
		fail_msg("%s %s %s: %d %s", method, url, body ? body : "", n->status,
			nova_message(n));
	free(url);
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
	loop_advance(n->loop, ns);
}

void nova_fault(struct nova *n, const char *rule)
{
	char *text = double_quoted(rule);
	json_t *j = json_parse(slice_of(text), BUF_LINE, NULL);
	struct error err = {0};

	if (!sim_faults_add(n->sim, j, &err))
		fail_msg("%s", err.msg);
	json_decref(j);
	free(text);
}

/* --- what stands there ----------------------------------------------------------------------- */

static void log_in(struct nova *n, size_t i)
{
	const struct http_header json = {"Content-Type", "application/json"};
	char *url = mem_printf("%s/identity/v3/auth/tokens", sim_url(n->sim));
	char *form = mem_printf(
		"{'auth':{'identity':{'methods':['password'],'password':{'user':{'name':'%s',"
		"'domain':{'id':'default'},'password':'%s'}}},'scope':{'project':{'name':'%s',"
		"'domain':{'id':'default'}}}}}",
		users[i], SEED_PASSWORD, projects[i]);
	char *body = double_quoted(form);

	send_request(n, &(struct http_request){.method = "POST",
				.url = url,
				.headers = &json,
				.header_count = 1,
				.body = body,
				.body_n = strlen(body),
				.deadline_ns = FOREVER_NS});
	assert_int_equal(n->status, 201);
	n->tokens[i] = mem_strdup(n->location);
	free(body);
	free(form);
	free(url);
}

int nova_setup(void **state)
{
	struct nova *n = mem_new(struct nova);
	struct error err = {0};

	clock_init_virtual(&n->clock, START_UNIX_US);
	n->loop = loop_new(&n->clock, &err);
	n->sim = sim_new(n->loop, &(struct sim_options){.seed = 7, .token_ns = FOREVER_NS}, &err);
	if (!n->sim)
		fail_msg("%s", err.msg);
	n->client = http_client_new(n->loop, &(struct http_client_options){0}, &err);
	assert_non_null(n->client);
	for (size_t i = 0; i < array_len(n->tokens); i++)
		log_in(n, i);
	*state = n;
	return 0;
}

int nova_teardown(void **state)
{
	struct nova *n = *state;

	http_client_free(n->client);
	sim_free(n->sim);
	loop_free(n->loop);
	json_decref(n->answer);
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
