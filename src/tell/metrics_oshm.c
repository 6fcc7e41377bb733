/*
 * metrics_oshm.c - a measure as OpenStack Health Monitor writes it:
 *
 *	NAME,cmd=<c>,method=<m> duration=<float>,return_code=<int>
 *
 * so that its dashboards go on. docs/oshm-metrics.md says what its numbers mean here. What its
 * dashboards do not know is not sent.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "tell/metrics_inside.h"
#include "text/line_protocol.h"

/* --- calls -------------------------------------------------------------------------------------
 */

struct call_name {
	const char *service, *call, *cmd, *method;
};

static const struct call_name calls[] = {
	{"identity", "POST /auth/tokens", "token", "issue"},
	{"identity", "GET /auth/catalog", "catalog", "list"},

	{"compute", "POST /servers", "nova", "boot"},
	{"compute", "GET /servers", "nova", "list"},
	{"compute", "GET /servers/detail", "nova", "list"},
	{"compute", "GET /servers/{id}", "nova", "show"},
	{"compute", "DELETE /servers/{id}", "nova", "delete"},
	{"compute", "POST /servers/{id}/metadata", "nova", "meta"},
	{"compute", "PUT /servers/{id}/metadata", "nova", "meta"},
	{"compute", "POST /servers/{id}/action", "nova", "console-log"},
	{"compute", "POST /servers/{id}/os-interface", "nova", "interface-attach"},
	{"compute", "DELETE /servers/{id}/os-interface/{id}", "nova", "interface-detach"},
	{"compute", "POST /os-keypairs", "nova", "keypair-add"},
	{"compute", "GET /os-keypairs", "nova", "keypair-list"},
	{"compute", "DELETE /os-keypairs/{id}", "nova", "keypair-delete"},
	{"compute", "GET /flavors", "nova", "flavor-list"},
	{"compute", "GET /flavors/detail", "nova", "flavor-list"},
	{"compute", "GET /flavors/{id}", "nova", "flavor-show"},
	{"compute", "GET /os-availability-zone", "nova", "availability-zone-list"},

	{"block-storage", "POST /volumes", "cinder", "create"},
	{"block-storage", "GET /volumes", "cinder", "list"},
	{"block-storage", "GET /volumes/detail", "cinder", "list"},
	{"block-storage", "GET /volumes/{id}", "cinder", "show"},
	{"block-storage", "PUT /volumes/{id}", "cinder", "rename"},
	{"block-storage", "DELETE /volumes/{id}", "cinder", "delete"},
	{"block-storage", "GET /os-availability-zone", "cinder", "availability-zone-list"},

	{"image", "GET /images/{id}", "glance", "image-show"},

	{"network", "PUT /routers/{id}/add_router_interface", "neutron", "router-interface-add"},
	{"network", "PUT /routers/{id}/remove_router_interface", "neutron",
		"router-interface-delete"},
	{"network", "PUT /routers/{id}/add_extraroutes", "neutron", "router-update"},
	{"network", "PUT /routers/{id}/remove_extraroutes", "neutron", "router-update"},

	/* the light look at further services (`list`) */
	{"object-store", "GET /", "swift", "list"},
	{"orchestration", "GET /stacks", "heat", "list"},
	{"dns", "GET /zones", "designate", "list"},
	{"key-manager", "GET /secrets", "barbican", "list"},
	{"shared-file-system", "GET /shares", "manila", "list"},
	{"alarming", "GET /alarms", "aodh", "list"},
	{"metric", "GET /resource/generic", "gnocchi", "list"},
	{"container-infrastructure-management", "GET /clusters", "magnum", "list"},
	{"clustering", "GET /clusters", "senlin", "list"},
	{"baremetal", "GET /nodes", "ironic", "list"},
};

/* Where the method is the name of the object and what is done with it. */
struct object_name {
	const char *service, *collection, *cmd, *object;
};

static const struct object_name objects[] = {
	{"network", "/networks", "neutron", "net"},
	{"network", "/subnets", "neutron", "subnet"},
	{"network", "/routers", "neutron", "router"},
	{"network", "/ports", "neutron", "port"},
	{"network", "/security-groups", "neutron", "security-group"},
	{"network", "/security-group-rules", "neutron", "security-group-rule"},
	{"network", "/floatingips", "neutron", "floatingip"},
	{"load-balancer", "/lbaas/loadbalancers", "octavia", "lbaas-loadbalancer"},
	{"load-balancer", "/lbaas/listeners", "octavia", "lbaas-listener"},
	{"load-balancer", "/lbaas/pools", "octavia", "lbaas-pool"},
	{"load-balancer", "/lbaas/pools/{id}/members", "octavia", "lbaas-member"},
	{"load-balancer", "/lbaas/healthmonitors", "octavia", "lbaas-healthmonitor"},
};

/* "GET /networks/{id}" of "/networks": show. NULL: it is another one's. */
static const char *deed_of(struct slice call, const char *collection)
{
	static const struct {
		const char *method, *one, *all;
	} deeds[] = {{"GET ", "show", "list"}, {"POST ", NULL, "create"}, {"PUT ", "update", NULL},
		{"DELETE ", "delete", NULL}};
	for (size_t i = 0; i < array_len(deeds); i++) {
		if (!slice_starts(call, deeds[i].method))
			continue;
		const struct slice path = slice_sub(call, strlen(deeds[i].method), call.n);
		if (slice_is(path, collection))
			return deeds[i].all;
		return slice_starts(path, collection) &&
				       slice_is(
					       slice_sub(path, strlen(collection), path.n), "/{id}")
			       ? deeds[i].one
			       : NULL;
	}
	return NULL;
}

/* 0 done, 1 refused or failed, 2 no answer in time. */
static int code_of(enum fault f)
{
	return f == FAULT_NONE ? 0 : f == FAULT_TIMEOUT ? 2 : 1;
}

static bool add(struct buf *out, const char *measurement, const char *cmd, const char *method,
	double duration, int64_t code)
{
	struct line l;
	char number[24];
	line_begin(&l, out, measurement);
	line_tag(&l, "cmd", cmd);
	line_tag(&l, "method", method);
	line_real(&l, "duration", duration, 3);
	if (l.fields) { /* a number without i, as its own is */
		snprintf(number, sizeof(number), "%lld", (long long)code);
		buf_printf(out, ",return_code=%s", number);
	}
	return line_end(&l, 0);
}

static bool add_call(struct buf *out, const char *measurement, const struct measure *m)
{
	const double s = (double)m->total_us / 1e6;
	const char *service = m->service ? m->service : "";
	for (size_t i = 0; i < array_len(calls); i++)
		if (!strcmp(calls[i].service, service) && !strcmp(calls[i].call, m->name))
			return add(out, measurement, calls[i].cmd, calls[i].method, s,
				code_of(m->fault));
	for (size_t i = 0; i < array_len(objects); i++) {
		const char *deed = strcmp(objects[i].service, service)
					   ? NULL
					   : deed_of(slice_of(m->name), objects[i].collection);
		char method[60];
		if (!deed)
			continue;
		snprintf(method, sizeof(method), "%s-%s", objects[i].object, deed);
		return add(out, measurement, objects[i].cmd, method, s, code_of(m->fault));
	}
	return false;
}

/* --- waits -------------------------------------------------------------------------------------
 */

static const struct {
	const char *wait, *cmd, *jumphost, *method;
} waits[] = {
	{"server ready", "waitVM", "waitJHVM", "ACTIVE"},
	{"server gone", "waitVM", "waitJHVM", "XDELX"},
	{"server_batch ready", "waitVM", "waitJHVM", "ACTIVE"},
	{"server_batch gone", "waitVM", "waitJHVM", "XDELX"},
	{"volume ready", "waitVOLUME", "waitJHVOLUME", "available"},
	{"loadbalancer ready", "waitLBAAS", "waitLBAAS", "ACTIVE"},
	{"loadbalancer gone", "waitDELLBAAS", "waitDELLBAAS", "XDELX"},
	{"lb_pool ready", "waitPOOL", "waitPOOL", "ACTIVE"},
	{"lb_listener ready", "waitLISTENER", "waitLISTENER", "ACTIVE"},
};

/* As the steps of scenario `oshm` are called: jump, jhvol, jhlogin, and pi and disk, which only
 * jump hosts do. */
static bool is_jumphost(const struct measure *m)
{
	const struct slice step = slice_of(m->step);
	return slice_starts(step, "jump") || slice_starts(step, "jh");
}

static bool add_wait(struct buf *out, const char *measurement, const struct measure *m)
{
	for (size_t i = 0; i < array_len(waits); i++)
		if (!strcmp(waits[i].wait, m->name))
			return add(out, measurement,
				is_jumphost(m) ? waits[i].jumphost : waits[i].cmd, waits[i].method,
				(double)m->total_us / 1e6, m->fault != FAULT_NONE);
	return false;
}

/* --- checks ------------------------------------------------------------------------------------
 */

static int64_t count_of(const struct measure *m, const char *key)
{
	return json_int(m->measured, key, 0);
}

static bool add_check(struct buf *out, const char *measurement, const struct measure *m)
{
	const int i = m->index < 0 ? 0 : m->index;
	char method[40];
	if (!strcmp(m->name, "ssh")) {
		snprintf(method, sizeof(method), is_jumphost(m) ? "JHVM%d" : "VM%d:22", i);
		return add(out, measurement, "ssh", method, (double)m->total_us / 1e6,
			code_of(m->fault));
	}
	if (!strcmp(m->name, "mesh") && m->measured)
		return add(out, measurement, "ping", "stats", (double)count_of(m, "RETRIED"),
			count_of(m, "LOST"));
	if (!strcmp(m->name, "http") && json_object_get(m->measured, "REQUESTS")) {
		/* ten requests a server: the servers are what its method says */
		const int64_t n = count_of(m, "REQUESTS"), servers = n / 10;
		int64_t ns = m->total_us * NS_PER_US;
		const char *took = json_str(m->measured, "RESPONSE_TIME");
		if (took && !units_parse_time(slice_of(took), &ns))
			return false;
		snprintf(method, sizeof(method), "%lld", (long long)servers);
		return n && add(out, measurement, "LBconn", method,
				    (double)ns / 1e9 * (double)(servers + 1) / (double)n * 10,
				    count_of(m, "ERRORS"));
	}
	if (!strcmp(m->name, "throughput") && m->fault != FAULT_NONE) {
		snprintf(method, sizeof(method), "s%d", i);
		return add(out, measurement, "iperf3", method, 0, 1);
	}
	return false;
}

/* --- figures of benchmarks ---------------------------------------------------------------------
 */

static bool add_bench(struct buf *out, const char *measurement, const struct measure *m)
{
	static const struct {
		const char *bench, *cmd, *method;
		double scale;
	} benches[] = {
		{"pi", "4000pi", "JHVM%d", 1},
		{"disk bandwidth", "fioBW", "JHVM%d", 1.0 / (1 << 20)},
		{"disk operations", "fiokIOPS", "JHVM%d", 1e-3},
		{"disk slow operations", "fioLat10ms", "JHVM%d", 100},
		{"throughput", "iperf3", "r%d", 1e-9},
	};
	for (size_t i = 0; i < array_len(benches); i++) {
		char method[40];
		if (strcmp(benches[i].bench, m->name) != 0)
			continue;
		snprintf(method, sizeof(method), "%.*s%d", (int)strcspn(benches[i].method, "%"),
			benches[i].method, m->index < 0 ? 0 : m->index);
		return add(
			out, measurement, benches[i].cmd, method, m->value * benches[i].scale, 0);
	}
	return false;
}

/* Ten times what it took of what it may take; that limit is the method. */
static bool add_run(struct buf *out, const char *measurement, const struct measure *m)
{
	char method[40];
	const bool slow = m->total_us > m->limit_us;
	if (m->limit_us <= 0)
		return false;
	snprintf(method, sizeof(method), "%lld", (long long)(m->limit_us / 1000000));
	return add(out, measurement, "totDur", method,
		10 * (double)m->total_us / (double)m->limit_us, (m->fault != FAULT_NONE) + slow);
}

bool metrics_point_oshm(struct buf *out, const char *measurement, const struct measure *m)
{
	const char *name = measurement && *measurement ? measurement : m->cloud;
	if (m->fault == FAULT_CANCELLED || !*name)
		return false; /* what we stop ourselves is no error of the cloud */
	switch (m->what) {
	case MEASURE_CALL: return add_call(out, name, m);
	case MEASURE_WAIT: return add_wait(out, name, m);
	case MEASURE_CHECK: return add_check(out, name, m);
	case MEASURE_BENCH: return add_bench(out, name, m);
	case MEASURE_RUN: return add_run(out, name, m);
	case MEASURE_ENDPOINT:
	case MEASURE_PROBE: return false; /* it had none */
	}
	return false;
}
