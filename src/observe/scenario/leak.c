/*
 * leak.c - see leak.h.
 */

#include "observe/scenario/leak.h"

#include <string.h>

#define LOOK_NS (30 * NS_PER_S)

#define OCTAVIA_NAME "octavia-lb-"
/* names an amphora, which only an administrator may see */
#define OCTAVIA_VRRP  "octavia-lb-vrrp-"
#define DEVICE        "lb-"
#define OVN_VIP       "ovn-lb-vip-"
#define OVN_VIP_OWNER "ovn-lb-vip:"
#define OVN_CHECK     "ovn-lb-hm-"
#define OF_SERVER     "compute:"

static bool starts(const char *text, const char *with)
{
	return text && !strncmp(text, with, strlen(with));
}

/* What follows `with` in a text; NULL: it does not begin so, or nothing follows. */
static const char *after(const char *text, const char *with)
{
	return starts(text, with) && text[strlen(with)] ? text + strlen(with) : NULL;
}

static const char *of_octavia(const json_t *port)
{
	const char *name = json_str(port, "name");
	const char *balancer = after(json_str(port, "device_id"), DEVICE);
	if (balancer)
		return balancer;
	return starts(name, OCTAVIA_VRRP) ? NULL : after(name, OCTAVIA_NAME);
}

const char *leak_of(const json_t *port, const char *subnet)
{
	const char *name = json_str(port, "name"), *owner = json_str(port, "device_owner");
	if (owner && !strcmp(owner, "Octavia"))
		return of_octavia(port);
	/* The port of a VIP that OVN's driver makes has no owner in some releases. */
	if (!owner || !*owner || starts(owner, OVN_VIP_OWNER))
		return after(name, OVN_VIP);
	const char *checked =
		!strcmp(owner, "ovn-lb-hm:distributed") || !strcmp(owner, "network:distributed")
			? after(name, OVN_CHECK)
			: NULL;
	return checked && !strcmp(checked, subnet) ? "" : NULL;
}

/* One that was there before its server has a name, or another owner again. */
const char *leak_server_of(const json_t *port)
{
	const char *name = json_str(port, "name"), *server = json_str(port, "device_id");
	return starts(json_str(port, "device_owner"), OF_SERVER) && (!name || !*name) && server &&
			       *server
		       ? server
		       : NULL;
}

struct leak {
	struct cloud *cloud;
	struct journal *journal;
	char *subnet;
	json_t *ports;
	size_t at; /* the port that is looked at */
	const char *whose;
	struct cloud_call **slot;
	void (*done)(void *arg, const char *port, const char *whose);
	void *arg;
};

static void finish(struct leak *l, const char *port)
{
	l->done(l->arg, port, port ? l->whose : NULL);
	json_decref(l->ports);
	free(l->subnet);
	free(l);
}

static const char *port_id(const struct leak *l)
{
	return json_str(json_array_get(l->ports, l->at), "id");
}

static void call(
	struct leak *l, const char *service, const char *method, const char *path, cloud_done *done)
{
	const struct cloud_request q = {.service = service,
		.method = method,
		.path = path,
		.deadline_ns = LOOK_NS,
		.absent_is_good = true};
	*l->slot = cloud_call(l->cloud, &q, done, l);
}

static void on_deleted(void *arg, const struct cloud_answer *a)
{
	struct leak *l = arg;
	*l->slot = NULL;
	finish(l, a->fault == FAULT_NONE || a->status == 404 ? port_id(l) : NULL);
}

static void next_port(struct leak *l);

static void judged(struct leak *l, bool left_behind)
{
	if (left_behind) {
		char *path = mem_printf("/ports/%s", port_id(l));
		call(l, "network", "DELETE", path, on_deleted);
		free(path);
	} else {
		l->at++;
		next_port(l);
	}
}

/* Only octavia's own 404 says that the balancer is gone. */
static void on_balancer(void *arg, const struct cloud_answer *a)
{
	*((struct leak *)arg)->slot = NULL;
	judged(arg, a->status == 404 && json_str(a->json, "faultstring"));
}

static void on_balancers(void *arg, const struct cloud_answer *a)
{
	const json_t *list = json_object_get(a->json, "loadbalancers");
	*((struct leak *)arg)->slot = NULL;
	judged(arg, a->fault == FAULT_NONE && json_is_array(list) && !json_array_size(list));
}

/* Only nova's own 404 says that the server is gone. */
static void on_server(void *arg, const struct cloud_answer *a)
{
	*((struct leak *)arg)->slot = NULL;
	judged(arg, a->status == 404 && json_object_get(a->json, "itemNotFound"));
}

static void ask_balancer(struct leak *l, const char *balancer)
{
	l->whose = "load balancer";
	if (!*balancer) {
		call(l, "load-balancer", "GET", "/lbaas/loadbalancers?fields=id", on_balancers);
		return;
	}
	struct buf path = BUF(BUF_LINE);
	buf_printf(&path, "/lbaas/loadbalancers/%s", balancer);
	call(l, "load-balancer", "GET", buf_str(&path), on_balancer);
	buf_fini(&path);
}

static void ask_server(struct leak *l, const char *server)
{
	struct buf path = BUF(BUF_LINE);
	l->whose = "server";
	buf_printf(&path, "/servers/%s", server);
	call(l, "compute", "GET", buf_str(&path), on_server);
	buf_fini(&path);
}

static void next_port(struct leak *l)
{
	for (; l->at < json_array_size(l->ports); l->at++) {
		const json_t *port = json_array_get(l->ports, l->at);
		const char *balancer = leak_of(port, l->subnet), *server = leak_server_of(port);
		if (!port_id(l))
			continue;
		if (balancer) {
			ask_balancer(l, balancer);
			return;
		}
		if (server && journal_made(l->journal, server)) {
			ask_server(l, server);
			return;
		}
	}
	finish(l, NULL);
}

static void on_ports(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct leak *l = arg;
	*l->slot = NULL;
	if (a->fault == FAULT_NONE)
		l->ports = json_incref(items);
	next_port(l);
}

void leak_clear(struct cloud *c, struct journal *j, const char *subnet, struct cloud_call **slot,
	void (*done)(void *arg, const char *port, const char *whose), void *arg)
{
	struct leak *l = mem_new(struct leak);
	*l = (struct leak){.cloud = c,
		.journal = j,
		.subnet = mem_strdup(subnet),
		.slot = slot,
		.done = done,
		.arg = arg};
	char *path = mem_printf("/ports?fixed_ips=subnet_id%%3D%s", subnet);
	*slot = cloud_list(c, "network", path, "ports", NULL, LOOK_NS, on_ports, l);
	free(path);
}
