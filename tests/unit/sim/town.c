#include "town.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/json.h"
#include "sim/guest.h"
#include "sim/network.h"

#define PATIENCE_NS (20 * NS_PER_S)
#define STEP_NS     (5 * NS_PER_MS)

/* --- making things -----------------------------------------------------------------------------
 */

static const char *id_of(const json_t *answer)
{
	const char *id = json_str(answer, "id");
	return id ? id : json_str(json_object_iter_value(json_object_iter((json_t *)answer)), "id");
}

void town_call(struct town *t, const char *path, int status, char *ret_id, const char *body, ...)
{
	json_t *answer = NULL;
	va_list ap;
	va_start(ap, body);
	char *text = mem_vprintf(body, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *in = json_parse(slice_of(text), 65536, NULL);
	const int got = call_inside(t->sim, path, in, t->project, t->user, &answer);
	if (got != status)
		print_error("%s %s: %d %s\n", path, text, got, answer ? json_text(answer) : "");
	assert_int_equal(got, status);
	if (ret_id)
		snprintf(ret_id, ID_TEXT, "%s", id_of(answer));
	json_decref(answer);
	free(text);
}

struct object *town_object(struct town *t, enum kind k, const char *id)
{
	struct object *o = object_get(t->sim, k, id);
	assert_non_null(o);
	return o;
}

void town_delete(struct town *t, enum kind k, const char *id)
{
	struct call c = {.sim = t->sim, .method = "DELETE", .inside = true};
	snprintf(c.project, sizeof(c.project), "%s", t->project);
	struct object *o = town_object(t, k, id);
	assert_true(resource_of_kind(k)->remove(&c, o));
	object_remove(o);
	guests_changed(t->sim);
}

void town_network(struct town *t, const char *cidr, const char *router, char *ret_net)
{
	char subnet[ID_TEXT], path[160];
	town_call(t, "/network/v2.0/networks", 201, ret_net, "{'network': {'name': 'n'}}");
	town_call(t, "/network/v2.0/subnets", 201, subnet,
		"{'subnet': {'network_id': '%s', 'ip_version': 4, 'cidr': '%s'}}", ret_net, cidr);
	snprintf(path, sizeof(path), "/network/v2.0/routers/%s/add_router_interface", router);
	if (*router) {
		struct call c = {.sim = t->sim, .method = "PUT", .inside = true, .file = -1};
		snprintf(c.project, sizeof(c.project), "%s", t->project);
		c.params[0] = (char *)router;
		c.body = json_pack("{s:s}", "subnet_id", subnet);
		router_add_interface(&c);
		assert_int_equal(c.status, 200);
		json_decref(c.body);
		json_decref(c.answer);
	}
	snprintf(t->subnet, sizeof(t->subnet), "%s", subnet);
}

void town_allow(struct town *t, const char *group, const char *what, const char *prefix,
	const char *remote_group, char *ret_id)
{
	char ports[80] = "", remote[120] = "";
	if (!strcmp(what, "tcp 22"))
		snprintf(ports, sizeof(ports), ", 'port_range_min': 22, 'port_range_max': 22");
	if (prefix)
		snprintf(remote, sizeof(remote), ", 'remote_ip_prefix': '%s'", prefix);
	if (remote_group)
		snprintf(remote, sizeof(remote), ", 'remote_group_id': '%s'", remote_group);
	town_call(t, "/network/v2.0/security-group-rules", 201, ret_id,
		"{'security_group_rule': {'security_group_id': '%s', 'direction': 'ingress', "
		"'protocol': '%.*s'%s%s}}",
		group, (int)strcspn(what, " "), what, ports, remote);
}

static void free_server(struct object *o)
{
	struct server *server = server_of(o);
	free(server->public_key);
	free(server->user_data);
	vec_fini(&server->nics);
	vec_fini(&server->disks);
	free(server);
}

struct object *town_server(struct town *t, const char *name, const char *net, const char *group)
{
	struct object *o = object_new(t->sim, KIND_SERVER, NULL, t->project, t->user);
	struct server *server = mem_new(struct server);
	struct server_nic nic = {.ours = true};
	o->more = server;
	o->free_more = free_server;
	object_set_str(o, "name", name);
	object_set_str(o, "status", "ACTIVE");
	town_call(t, "/network/v2.0/ports", 201, nic.port,
		"{'port': {'network_id': '%s', 'security_groups': ['%s']}}", net, group);
	port_bind(town_object(t, KIND_PORT, nic.port), o->id, "compute:az1", "lab1");
	vec_push(&server->nics, nic);
	server->public_key = mem_strdup(t->public_key);
	server->boots = 1;
	server->up_ns = loop_now_ns(t->loop);
	guests_changed(t->sim);
	return o;
}

const char *town_fixed(const struct object *server)
{
	const struct object *port =
		object_get(server->sim, KIND_PORT, server_of(server)->nics.p[0].port);
	return json_str(json_array_get(json_object_get(port->doc, "fixed_ips"), 0), "ip_address");
}

unsigned town_floating(struct town *t, const struct object *server, char *ret_id)
{
	char id[ID_TEXT];
	unsigned n = 0;
	town_call(t, "/network/v2.0/floatingips", 201, id,
		"{'floatingip': {'floating_network_id': '%s', 'port_id': '%s'}}",
		t->sim->net.public_network, server_of(server)->nics.p[0].port);
	struct object *o = town_object(t, KIND_FLOATING_IP, id);
	assert_int_equal(sscanf(object_str(o, "floating_ip_address"), "172.24.4.%u", &n), 1);
	for (int i = 0; i < 4000 && strcmp(object_str(o, "status"), "ACTIVE"); i++)
		uv_run(loop_uv(t->loop), UV_RUN_ONCE);
	assert_string_equal(object_str(o, "status"), "ACTIVE");
	if (ret_id)
		snprintf(ret_id, ID_TEXT, "%s", id);
	return n;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void on_time(struct timer *timer)
{
	*(bool *)timer->arg = true;
}

static void run_for(struct town *t, int64_t ns)
{
	bool done = false;
	struct timer timer = {0};
	timer_start(t->loop, &timer, ns, on_time, &done);
	assert_true(loop_run_until(t->loop, &done));
}

int town_connect(unsigned n, unsigned port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(0x7f4d0400u | n)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool accepts(unsigned n, unsigned port)
{
	const int fd = town_connect(n, port);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void town_await(struct town *t, unsigned n, unsigned port, bool open)
{
	const int64_t until = loop_now_ns(t->loop) + PATIENCE_NS;
	while (accepts(n, port) != open) {
		assert_true(loop_now_ns(t->loop) < until);
		run_for(t, STEP_NS);
	}
}

/* A door of its own is opened and closed: orders are followed in their order. */
void town_settle(struct town *t)
{
	char group[ID_TEXT];
	static unsigned count;
	char name[32];
	snprintf(name, sizeof(name), "settle-%u", ++count);
	town_call(t, "/network/v2.0/security-groups", 201, group,
		"{'security_group': {'name': '%s'}}", name);
	town_allow(t, group, "icmp", NULL, NULL, NULL);
	struct object *o = town_server(t, name, t->net, group);
	char floating[ID_TEXT];
	const unsigned n = town_floating(t, o, floating);
	town_await(t, n, guests_ping_port(t->sim->guests), true);
	town_delete(t, KIND_FLOATING_IP, floating);
	port_remove(town_object(t, KIND_PORT, server_of(o)->nics.p[0].port));
	object_remove(o);
	town_delete(t, KIND_GROUP, group);
	town_await(t, n, guests_ping_port(t->sim->guests), false);
}

/* --- logging in --------------------------------------------------------------------------------
 */

struct waiting {
	struct said *said;
	bool done;
};

static void on_done(void *arg, const struct ssh_result *r)
{
	struct waiting *w = arg;
	*w->said = (struct said){.fault = r->fault, .status = r->exit_status};
	snprintf(w->said->out, sizeof(w->said->out), "%.*s", SLICE_ARG(r->output));
	snprintf(w->said->err, sizeof(w->said->err), "%.*s", SLICE_ARG(r->errors));
	snprintf(w->said->detail, sizeof(w->said->detail), "%s", r->detail);
	snprintf(w->said->host_key, sizeof(w->said->host_key), "%s", r->host_key);
	w->done = true;
}

void town_ssh(struct town *t, unsigned via, const char *host, const char *user,
	const struct secret *key, const char *command, struct said *ret)
{
	char jump[32];
	snprintf(jump, sizeof(jump), "127.77.4.%u", via);
	const struct ssh_host hop = {jump, guests_ssh_port(t->sim->guests), "debian", t->key};
	const struct ssh_request q = {
		.target = {host, via ? 22 : guests_ssh_port(t->sim->guests), user, key},
		.via = via ? &hop : NULL,
		.via_count = via ? 1 : 0,
		.command = command,
		.deadline_ns = PATIENCE_NS,
	};
	struct waiting w = {.said = ret};
	ssh_run(t->pool, &q, on_done, &w);
	assert_true(loop_run_until(t->loop, &w.done));
}

void town_run(struct town *t, unsigned n, const char *command, struct said *ret)
{
	char host[32];
	snprintf(host, sizeof(host), "127.77.4.%u", n);
	town_ssh(t, 0, host, "debian", t->key, command, ret);
}

void town_file(const struct town *t, const char *name, const char *text)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void read_file(const struct town *t, const char *name, char *ret, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	ret[fread(ret, 1, size - 1, f)] = 0;
	fclose(f);
}

bool town_same_files(const struct town *t, const char *a, const char *b)
{
	char *command = mem_printf("cmp %s/%s %s/%s", t->dir, a, t->dir, b);
	const int status = system(command);
	free(command);
	return status == 0;
}

/* ssh tells of every new host key, and guests are always new. */
static void forget_warnings(char *text)
{
	char *line;
	while ((line = strstr(text, "Warning: Permanently added"))) {
		const char *end = strchr(line, '\n');
		end = end ? end + 1 : line + strlen(line);
		memmove(line, end, strlen(end) + 1);
	}
}

void town_openssh(struct town *t, const char *arguments, struct said *ret)
{
	struct buf config = BUF(BUF_LINE);
	buf_printf(&config,
		"Host *\n User debian\n IdentityFile %s/key\n IdentitiesOnly yes\n"
		" BatchMode yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
		" ConnectTimeout 20\n",
		t->dir);
	for (unsigned n = 1; n < 255; n++)
		buf_printf(&config, "Host g%u\n HostName 127.77.4.%u\n Port %u\n", n, n,
			guests_ssh_port(t->sim->guests));
	town_file(t, "config", buf_str(&config));
	buf_fini(&config);
	town_file(t, "key", secret_reveal(t->key));
	char *command = mem_printf("timeout 60 ssh -F %s/config %s >%s/out 2>%s/err", t->dir,
		arguments, t->dir, t->dir);
	const int status = system(command);
	free(command);
	*ret = (struct said){.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1};
	read_file(t, "out", ret->out, sizeof(ret->out));
	read_file(t, "err", ret->err, sizeof(ret->err));
	forget_warnings(ret->err);
}

/* --- the town ----------------------------------------------------------------------------------
 */

int town_setup(void **state)
{
	struct town *t = mem_new(struct town);
	struct error err = {0};
	char *stranger;
	const struct sim_options o = {.seed = 7, .speed = 500};
	t->loop = loop_new(NULL, &err);
	t->sim = t->loop ? sim_new(t->loop, &o, &err) : NULL;
	t->pool = t->sim ? ssh_pool_new(t->loop, &err) : NULL;
	if (!t->pool || !ssh_keypair_new("ed25519", "me", &t->key, &t->public_key, &err) ||
		!ssh_keypair_new("ed25519", "you", &t->stranger, &stranger, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	free(stranger);
	snprintf(t->dir, sizeof(t->dir), "/tmp/guest-test-XXXXXX");
	if (!mkdtemp(t->dir))
		return -1;
	OBJECT_EACH (t->sim, KIND_PROJECT, p)
		if (!strcmp(object_str(p, "name"), "demo"))
			snprintf(t->project, sizeof(t->project), "%s", p->id);
	OBJECT_EACH (t->sim, KIND_USER, u)
		if (!strcmp(object_str(u, "name"), "demo"))
			snprintf(t->user, sizeof(t->user), "%s", u->id);
	town_call(t, "/network/v2.0/routers", 201, t->router,
		"{'router': {'name': 'r', 'external_gateway_info': {'network_id': '%s'}}}",
		t->sim->net.public_network);
	town_call(t, "/network/v2.0/security-groups", 201, t->group,
		"{'security_group': {'name': 'g'}}");
	town_network(t, "10.7.0.0/24", t->router, t->net);
	*state = t;
	return 0;
}

int town_teardown(void **state)
{
	struct town *t = *state;
	static const char *const files[] = {"config", "key", "out", "err", "in"};
	char path[64];
	ssh_pool_free(t->pool);
	sim_free(t->sim);
	loop_free(t->loop);
	secret_unref(t->key);
	secret_unref(t->stranger);
	free(t->public_key);
	for (size_t i = 0; i < array_len(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", t->dir, files[i]);
		unlink(path);
	}
	rmdir(t->dir);
	free(t);
	return 0;
}
