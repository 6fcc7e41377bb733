/*
 * check_guest.c - the verb `guest`: has a guest forward, serve, or stop either.
 *
 * What it did is looked at in the guest by the same script before the step is ready. [TOOL] names
 * what the guest did it with, [STOPPED] says how many servers were stopped.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/guest_run.h"
#include "observe/scenario/guest_script.h"

#define TEXT_MAX 4096 /* served */

struct guest_check {
	struct guest_run *run;
};

static void cancel(struct check_call *c)
{
	struct guest_check *g = c->data;
	guest_run_cancel(g->run);
}

static void cleanup(struct check_call *c)
{
	free(c->data);
}

/* "tool NAME", "stopped N", a line each. */
static void measure_said(struct check_call *c, struct slice output)
{
	struct slice line;
	int64_t stopped;
	while (slice_next(&output, '\n', &line)) {
		if (slice_starts(line, "tool "))
			check_measure_text(c, "TOOL", slice_trim(slice_sub(line, 5, 40)));
		else if (slice_starts(line, "stopped ") &&
			 units_parse_int(slice_trim(slice_sub(line, 8, 20)), &stopped))
			check_measure_int(c, "STOPPED", stopped);
	}
}

static void on_done(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	char said[200];
	c->phases = r->phases;
	check_measure_time(c, "RESPONSE_TIME", r->phases.total_ns);
	if (!guest_run_ran(r)) {
		c->unasked = r->fault != FAULT_TIMEOUT || !r->phases.body_ns;
		check_finish(c, r->fault, "in the guest: %s", r->detail);
		return;
	}
	measure_said(c, r->output);
	if (r->fault == FAULT_NONE)
		check_finish(c, FAULT_NONE, "%s", "");
	else
		check_finish(c, FAULT_EXIT_STATUS, "in the guest: %s",
			guest_run_said(r, said, sizeof(said)));
}

/* --- gateway ---------------------------------------------------------------------------------- */

/* An address out of the body; false: the check has ended, it is none. */
static bool read_address(
	struct check_call *c, const struct value *v, const char *what, bool bits, char **ret)
{
	*ret = v && v->type == VALUE_TEXT ? slice_dup(value_slice(v)) : NULL;
	if (!v || v->type == VALUE_NULL || (*ret && guest_script_plain(*ret, bits)))
		return true;
	check_finish_later(c, FAULT_EVALUATION, "gateway: `%s` must be an IPv4 %s", what,
		bits ? "network such as 10.250.0.0/16" : "address");
	free(*ret);
	*ret = NULL;
	return false;
}

static bool read_forward(struct check_call *c, const struct value *list, char ***ret, size_t *ret_n)
{
	const size_t n = list && list->type == VALUE_LIST ? value_count(list) : 0;
	if ((list && list->type != VALUE_LIST && list->type != VALUE_NULL) ||
		n > GATEWAY_FORWARDS_MAX) {
		check_finish_later(c, FAULT_EVALUATION,
			"gateway: `forward` must be a list of at most %d addresses",
			GATEWAY_FORWARDS_MAX);
		return false;
	}
	*ret = mem_new_array(n ? n : 1, sizeof(**ret));
	for (*ret_n = 0; *ret_n < n; (*ret_n)++)
		if (!read_address(c, value_item(list, *ret_n), "forward", false, &(*ret)[*ret_n]))
			return false;
		else if (!(*ret)[*ret_n]) {
			check_finish_later(c, FAULT_EVALUATION,
				"gateway: address %zu of `forward` is not known", *ret_n);
			return false;
		}
	return true;
}

static bool read_from_port(struct check_call *c, const struct value *v, size_t n, unsigned *ret)
{
	int64_t port = 222;
	bool good = !v || v->type == VALUE_NULL || v->type == VALUE_INT ||
		    (v->type == VALUE_TEXT && units_parse_int(value_slice(v), &port));
	if (v && v->type == VALUE_INT)
		port = v->integer;
	good = good && port >= 1 && port <= 65535 && port + (int64_t)n <= 65536;
	*ret = (unsigned)port;
	if (!good)
		check_finish_later(c, FAULT_EVALUATION,
			"gateway: `from_port` must be a port, with room for all that is forwarded");
	return good;
}

static bool write_gateway(struct check_call *c, const struct value *v, struct buf *script)
{
	struct gateway g = {0};
	char *masquerade = NULL, *address = NULL, **forward = NULL;
	bool good = v->type == VALUE_MAP;
	if (!good)
		check_finish_later(c, FAULT_EVALUATION,
			"gateway takes {masquerade, address, forward, from_port}");
	good = good && read_address(c, value_field(v, SLICE("masquerade")), "masquerade", true,
			       &masquerade);
	good = good &&
	       read_address(c, value_field(v, SLICE("address")), "address", false, &address);
	good = good &&
	       read_forward(c, value_field(v, SLICE("forward")), &forward, &g.forward_count);
	good = good &&
	       read_from_port(c, value_field(v, SLICE("from_port")), g.forward_count, &g.from_port);
	g.masquerade = masquerade;
	g.address = address;
	g.forward = (const char *const *)forward;
	if (good)
		guest_script_gateway(script, &g);
	for (size_t i = 0; forward && i < g.forward_count; i++)
		free(forward[i]);
	free(forward);
	free(masquerade);
	free(address);
	return good;
}

/* --- serve ------------------------------------------------------------------------------------ */

static bool write_serve(struct check_call *c, const struct value *v, struct buf *script)
{
	const size_t n = v->type == VALUE_MAP ? value_count(v) : 0;
	if (!n || n > SERVE_PORTS_MAX) {
		check_finish_later(c, FAULT_EVALUATION,
			"serve takes 1 to %d ports and what they answer, such as {80: hostname}",
			SERVE_PORTS_MAX);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct value *what = value_at(v, i);
		struct buf text = BUF(TEXT_MAX);
		int64_t port;
		if (!units_parse_int(value_key(v, i), &port) || port < 1 || port > 65535) {
			check_finish_later(c, FAULT_EVALUATION, "serve: \"%.*s\" is no port",
				(int)(value_key(v, i).n & 63), value_key(v, i).p);
			return false;
		}
		value_write(&text, what);
		const bool fits = !text.over && !memchr(buf_str(&text), 0, text.n);
		const bool name = slice_is(buf_slice(&text), "hostname");
		if (fits)
			guest_script_serve(script, (unsigned)port, name ? NULL : buf_str(&text));
		else
			check_finish_later(c, FAULT_EVALUATION,
				"serve: what port %" PRId64 " answers is over %d bytes", port,
				TEXT_MAX);
		buf_fini(&text);
		if (!fits)
			return false;
	}
	return true;
}

/* --- stop ------------------------------------------------------------------------------------- */

static bool write_stop(struct check_call *c, const struct value *v, struct buf *script)
{
	const struct value *port = v->type == VALUE_MAP ? value_field(v, SLICE("serve")) : NULL;
	int64_t n = 0;
	if (v->type == VALUE_TEXT && slice_is(value_slice(v), "gateway")) {
		guest_script_gateway_end(script);
		return true;
	}
	if (port && port->type == VALUE_INT)
		n = port->integer;
	else if (port && port->type == VALUE_TEXT && !units_parse_int(value_slice(port), &n))
		n = -1;
	const bool all = v->type == VALUE_TEXT && slice_is(value_slice(v), "serve");
	if (!all && (!port || n < 1 || n > 65535)) {
		check_finish_later(
			c, FAULT_EVALUATION, "stop takes serve, gateway, or {serve: PORT}");
		return false;
	}
	guest_script_serve_end(script, (unsigned)n);
	return true;
}

/* False: the check has ended. */
static bool write_script(struct check_call *c, struct buf *script)
{
	const struct value *gateway = check_field(c, "gateway", NULL);
	const struct value *serve = check_field(c, "serve", NULL);
	const struct value *stop = check_field(c, "stop", NULL);
	if (gateway && gateway->type != VALUE_NULL)
		return write_gateway(c, gateway, script);
	if (serve && serve->type != VALUE_NULL)
		return write_serve(c, serve, script);
	if (stop && stop->type != VALUE_NULL)
		return write_stop(c, stop, script);
	check_finish_later(c, FAULT_EVALUATION, "guest needs gateway, serve or stop");
	return false;
}

void check_guest(struct check_call *c)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX);
	struct guest_order order = {.as_root = true, .deadline_ns = c->deadline_ns};
	struct guest_check *g = mem_new(struct guest_check);
	struct error err = {0};
	c->data = g;
	c->cleanup = cleanup;
	if (guest_run_named(c, "on", &order.guest) && write_script(c, &script)) {
		order.script = buf_slice(&script);
		if (script.over)
			check_finish_later(
				c, FAULT_EVALUATION, "what the guest is to do is too much");
		else if ((g->run = guest_run(c, &order, on_done, c, &err)))
			c->cancel = cancel;
		else
			check_finish_later(c, FAULT_EVALUATION, "%.200s", err.msg);
	}
	buf_fini(&script);
}
