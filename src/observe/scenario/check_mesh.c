/*
 * check_mesh.c - the verb `mesh`: all its guests at once, each asking all others in one command.
 *
 * Where the scenario attaches ports to servers that run already, each server is read again first:
 * its last answer does not know of them.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/guest_run.h"
#include "observe/scenario/mesh.h"

#define PROTOCOLS_MAX 8

struct asking {
	struct check_call *check;
	size_t source;
	struct value_ref guest;
	struct cloud_call *call;
	struct guest_run *run;
};

struct mesh_check {
	struct mesh mesh;
	unsigned ports[PROTOCOLS_MAX];
	size_t port_count;
	struct asking *asking; /* one a source */
	size_t under_way;
	bool cancelled, starting;
	enum fault fault; /* the first that kept a guest from being asked */
	bool unasked;
	char detail[256];
};

static void cleanup(struct check_call *c)
{
	struct mesh_check *k = c->data;
	mesh_fini(&k->mesh);
	free(k->asking);
	free(k);
}

static void cancel(struct check_call *c)
{
	struct mesh_check *k = c->data;
	k->cancelled = true;
	if (!k->under_way)
		c->fault = FAULT_CANCELLED; /* its timer is due */
	for (size_t i = 0; i < k->mesh.source_count; i++)
		if (k->asking[i].run)
			guest_run_cancel(k->asking[i].run);
		else if (k->asking[i].call)
			cloud_cancel(k->asking[i].call);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void measure(struct check_call *c, const struct mesh_sums *sums)
{
	const struct mesh_check *k = c->data;
	check_measure_int(c, "PAIRS", (int64_t)sums->pairs);
	check_measure_int(c, "LOST", (int64_t)sums->lost);
	check_measure_int(c, "RETRIED", (int64_t)sums->retried);
	if (sums->has_rtt) {
		check_measure_time(c, "RTT", (int64_t)(sums->rtt_ms * (double)NS_PER_MS));
		check_measure_time(c, "RTT_MAX", (int64_t)(sums->rtt_max_ms * (double)NS_PER_MS));
	}
	json_object_set_new(c->measured, "MATRIX", mesh_matrix(&k->mesh));
}

static void finish(struct check_call *c)
{
	struct mesh_check *k = c->data;
	struct mesh_sums sums;
	char why[180];
	if (k->cancelled) {
		check_finish(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
		return;
	}
	mesh_sum(&k->mesh, &sums);
	measure(c, &sums);
	c->phases.total_ns = loop_now_ns(c->tools.loop) - c->began_ns;
	check_measure_time(c, "RESPONSE_TIME", c->phases.total_ns);
	mesh_explain(&k->mesh, why, sizeof(why));
	if (k->fault != FAULT_NONE) {
		c->unasked = k->unasked;
		check_finish(c, k->fault, "%s", k->detail);
	} else if (sums.lost) {
		check_finish(c, FAULT_PACKET_LOSS, "%zu of %zu pairs lost: %s", sums.lost,
			sums.pairs, why);
	} else {
		check_finish(c, FAULT_NONE, "%s", "");
	}
}

static void ended(struct asking *a)
{
	struct mesh_check *k = a->check->data;
	a->run = NULL;
	a->call = NULL;
	if (--k->under_way == 0 && !k->starting)
		finish(a->check);
}

static void failed(struct asking *a, enum fault fault, bool unasked, const char *why)
{
	struct mesh_check *k = a->check->data;
	if (k->fault != FAULT_NONE)
		return;
	k->fault = fault;
	k->unasked = unasked;
	snprintf(k->detail, sizeof(k->detail), "from %.60s: %.180s", k->mesh.names[a->source], why);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void on_said(void *arg, const struct ssh_result *r)
{
	struct asking *a = arg;
	struct mesh_check *k = a->check->data;
	char said[200];
	if (r->fault == FAULT_NONE)
		mesh_said(&k->mesh, a->source, r->output);
	else if (guest_run_ran(r))
		failed(a, FAULT_EXIT_STATUS, false, guest_run_said(r, said, sizeof(said)));
	else
		failed(a, r->fault, r->fault != FAULT_TIMEOUT || !r->phases.body_ns, r->detail);
	ended(a);
}

static void ask(struct check_call *c)
{
	struct mesh_check *k = c->data;
	const int64_t spent = loop_now_ns(c->tools.loop) - c->began_ns;
	struct error err = {0};
	mesh_order(&k->mesh);
	mesh_begin(&k->mesh);
	k->starting = true;
	for (size_t i = 0; i < k->mesh.source_count; i++) {
		struct asking *a = &k->asking[i];
		struct buf script = BUF(GUEST_SCRIPT_MAX);
		const bool fits = mesh_script(&k->mesh, i, &script);
		const struct guest_order order = {.guest = a->guest,
			.script = buf_slice(&script),
			.deadline_ns = c->deadline_ns > spent + NS_PER_MS ? c->deadline_ns - spent
									  : NS_PER_MS,
			.output_max = mesh_output_max(&k->mesh)};
		if (!fits)
			failed(a, FAULT_EVALUATION, true,
				"so many pairs are too much for one command");
		else if ((a->run = guest_run(c, &order, on_said, a, &err)))
			k->under_way++;
		else
			failed(a, FAULT_EVALUATION, true, err.msg);
		buf_fini(&script);
	}
	k->starting = false;
	if (!k->under_way)
		check_finish_later(c, k->fault, "%s", k->detail);
}

/* --- who and where ---------------------------------------------------------------------------- */

static void add_address(struct mesh_check *k, size_t source, const char *address)
{
	for (size_t p = 0; p < k->port_count; p++)
		if (!mesh_add_target(&k->mesh, address, k->ports[p], source))
			failed(&k->asking[source], FAULT_EVALUATION, true,
				"its addresses are none, or too many in all");
}

/* All fixed addresses of a server, as nova's answers have them. */
static size_t add_server(struct mesh_check *k, size_t source, const json_t *server)
{
	const char *net;
	json_t *list, *item;
	size_t i, n = 0;
	json_object_foreach (json_object_get(server, "addresses"), net, list) {
		json_array_foreach (list, i, item) {
			const char *type = json_str(item, "OS-EXT-IPS:type");
			const char *address = json_str(item, "addr");
			if (!address || (type && strcmp(type, "fixed") != 0))
				continue;
			add_address(k, source, address);
			n++;
		}
	}
	return n;
}

static void all_known(struct check_call *c)
{
	struct mesh_check *k = c->data;
	if (k->cancelled)
		check_finish_later(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
	else if (k->fault != FAULT_NONE)
		check_finish_later(c, k->fault, "%s", k->detail);
	else
		ask(c);
}

static void on_server(void *arg, const struct cloud_answer *answer)
{
	struct asking *a = arg;
	struct check_call *c = a->check;
	struct mesh_check *k = c->data;
	a->call = NULL;
	c->requests += answer->tries;
	if (answer->fault != FAULT_NONE)
		failed(a, answer->fault, true, answer->error.message);
	else if (!add_server(k, a->source, json_object_get(answer->json, "server")))
		failed(a, FAULT_EVALUATION, true, "it has no address");
	if (--k->under_way == 0)
		all_known(c);
}

static bool attaches_ports(const struct world *w)
{
	for (size_t i = 0; i < w->scenario->step_count; i++) {
		const struct kind *kind = w->scenario->steps[i].kind;
		if (kind && !strcmp(kind->name, "server_port"))
			return true;
	}
	return false;
}

static void find_addresses(struct check_call *c)
{
	struct mesh_check *k = c->data;
	const bool anew = attaches_ports(c->world);
	for (size_t i = 0; i < k->mesh.source_count; i++) {
		struct asking *a = &k->asking[i];
		const struct element *e = world_element(c->world, a->guest);
		if (!anew && add_server(k, i, e ? e->object : NULL) == 0)
			failed(a, FAULT_EVALUATION, true, "it has no address");
		if (!anew || !e || !e->id)
			continue;
		char *path = mem_printf("/servers/%s", e->id);
		const struct cloud_request q = {.service = "compute",
			.method = "GET",
			.path = path,
			.deadline_ns = c->deadline_ns};
		a->call = cloud_call(c->tools.cloud, &q, on_server, a);
		k->under_way++;
		free(path);
	}
	if (!k->under_way)
		all_known(c);
}

/* --- what the body says ----------------------------------------------------------------------- */

static bool read_protocol(struct mesh_check *k, struct slice text)
{
	int64_t port = 0;
	if (k->port_count == PROTOCOLS_MAX)
		return false;
	if (!slice_is(text, "icmp") &&
		(!slice_starts(text, "tcp:") ||
			!units_parse_int(slice_sub(text, 4, text.n), &port) || port < 1 ||
			port > 65535))
		return false;
	k->ports[k->port_count++] = (unsigned)port;
	return true;
}

static bool read_protocols(struct check_call *c)
{
	struct mesh_check *k = c->data;
	const struct value *v = check_field(c, "protocols", NULL);
	bool good = true;
	if (!v || v->type == VALUE_NULL)
		return read_protocol(k, SLICE("icmp"));
	for (size_t i = 0; good && v->type == VALUE_LIST && i < value_count(v); i++) {
		const struct value *item = value_item(v, i);
		good = item->type == VALUE_TEXT && read_protocol(k, value_slice(item));
	}
	if (v->type == VALUE_TEXT)
		good = read_protocol(k, value_slice(v));
	if (good && k->port_count)
		return true;
	check_finish_later(c, FAULT_EVALUATION,
		"mesh: `protocols` is a list of at most %d of icmp and tcp:PORT", PROTOCOLS_MAX);
	return false;
}

static bool read_count(struct check_call *c)
{
	struct mesh_check *k = c->data;
	const struct value *every = check_field(c, "every", NULL);
	int64_t count = 1, ns = 0;
	if (!check_number(c, "count", 1, MESH_COUNT_MAX, &count))
		return false;
	const bool good =
		!every || every->type == VALUE_NULL ||
		(every->type == VALUE_TEXT && units_parse_time(value_slice(every), &ns)) ||
		every->type == VALUE_TIME;
	if (every && every->type == VALUE_TIME)
		ns = every->integer;
	if (!good || (every && every->type != VALUE_NULL &&
			     (ns < 10 * NS_PER_MS || ns > 60 * NS_PER_S))) {
		check_finish_later(c, FAULT_EVALUATION, "mesh: `every` is a time from 10ms to 1m");
		return false;
	}
	k->mesh.count = (unsigned)count;
	k->mesh.every_s = (double)ns / (double)NS_PER_S;
	return true;
}

static bool read_among(struct check_call *c)
{
	struct mesh_check *k = c->data;
	const struct value *among = check_field(c, "among", NULL);
	const size_t n = among && among->type == VALUE_LIST ? value_count(among) : 0;
	char name[80];
	bool good = n >= 2 && n <= MESH_SOURCES_MAX;
	for (size_t i = 0; good && i < n; i++)
		good = value_item(among, i)->type == VALUE_REF;
	if (!good) {
		check_finish_later(c, FAULT_EVALUATION,
			"mesh: `among` is a list of 2 to %d servers that have a login",
			MESH_SOURCES_MAX);
		return false;
	}
	k->asking = mem_new_array(n, sizeof(*k->asking));
	k->mesh.names = mem_new_array(n, sizeof(*k->mesh.names));
	for (size_t i = 0; i < n; i++) {
		const struct value_ref ref = value_item(among, i)->ref;
		k->asking[i] = (struct asking){.check = c, .source = i, .guest = ref};
		k->mesh.names[i] = mem_strdup(guest_run_name(c->world, ref, name, sizeof(name)));
	}
	k->mesh.source_count = n;
	return true;
}

void check_mesh(struct check_call *c)
{
	c->data = mem_new(struct mesh_check);
	c->cleanup = cleanup;
	c->cancel = cancel;
	if (read_among(c) && read_protocols(c) && read_count(c))
		find_addresses(c);
}
