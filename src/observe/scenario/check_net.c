/*
 * check_net.c - ping and tcp, from here or from inside a guest.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/checks.h"
#include "observe/scenario/guest_tool.h"

static const struct reach *reach(const struct check_call *c)
{
	return &cloud_configuration(c->tools.cloud)->reach;
}

/* --- from a guest ------------------------------------------------------------------------------
 */

bool check_in_guest(struct check_call *c, const struct value *guest, struct slice command,
	struct slice input, ssh_done *then)
{
	struct error err = {0};
	if (guest->type != VALUE_REF) {
		check_finish_later(c, FAULT_EVALUATION, "`from` names a server that has a login");
		return false;
	}
	if (login_resolve(c->world, guest->ref, c->element, reach(c), &c->login, &err) != EXPR_OK) {
		check_finish_later(c, FAULT_EVALUATION, "%.200s",
			err.msg[0] ? err.msg : "the guest cannot be logged in to yet");
		return false;
	}
	size_t hops;
	const struct ssh_host *via = login_via(c->login, &hops);
	const struct ssh_request q = {
		.target = *login_target(c->login),
		.via = via,
		.via_count = hops,
		.command = command.p,
		.input = input,
		.deadline_ns = c->deadline_ns,
		.output_max = CHECK_ANSWER_MAX,
	};
	c->ssh = ssh_run(c->tools.ssh, &q, then, c);
	return true;
}

bool check_was_in_guest(struct check_call *c, const struct ssh_result *r)
{
	c->ssh = NULL;
	c->phases = r->phases;
	if (r->fault == FAULT_NONE || r->fault == FAULT_EXIT_STATUS)
		return true;
	/* Time in the last phase: it was logged in, and the command waited for an answer in vain.
	 */
	c->unasked = r->fault != FAULT_TIMEOUT || !r->phases.body_ns;
	check_finish(c, r->fault, "from inside the guest: %s", r->detail);
	return false;
}

static void on_guest_ping(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	if (!check_was_in_guest(c, r))
		return;
	if (r->fault == FAULT_NONE)
		check_finish(c, FAULT_NONE, "%s", "");
	else
		check_finish(c, FAULT_TIMEOUT, "no echo reply seen from inside the guest");
}

static void on_guest_tcp(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	if (!check_was_in_guest(c, r))
		return;
	if (r->fault == FAULT_NONE)
		check_finish(c, FAULT_NONE, "%s", "");
	else
		check_finish(c, guest_tool_fault(r->exit_status, r->errors, FAULT_REFUSED),
			"the port did not answer inside the guest");
}

/* --- ping --------------------------------------------------------------------------------------
 */

/* One target, or with `any: true` several, asked one after the other until one answers. */
struct targets {
	char **to;
	size_t n, at;
};

static void ping_next(struct check_call *c);

static void free_targets(struct check_call *c)
{
	struct targets *t = c->data;
	for (size_t i = 0; i < t->n; i++)
		free(t->to[i]);
	free(t->to);
	free(t);
}

/* Each has its share of the time. */
static int64_t share_ns(const struct check_call *c)
{
	const struct targets *t = c->data;
	return c->deadline_ns / (int64_t)t->n;
}

static void ping_end(struct check_call *c, enum fault fault, const char *detail)
{
	struct targets *t = c->data;
	const bool more = fault != FAULT_NONE && fault != FAULT_CANCELLED &&
			  fault != FAULT_NO_ICMP && t->at + 1 < t->n;
	if (!more) {
		check_finish(c, fault, "%s", detail);
		return;
	}
	t->at++;
	ping_next(c);
}

static void on_ping(void *arg, const struct ping_result *r)
{
	struct check_call *c = arg;
	c->ping = NULL;
	if (r->fault == FAULT_NONE) {
		check_measure_time(c, "RTT", r->rtt_ns);
		check_measure_time(c, "RESPONSE_TIME", r->rtt_ns);
		c->phases.total_ns = r->rtt_ns;
	}
	check_measure_text(c, "ADDRESS", slice_of(r->address));
	ping_end(c, r->fault, r->detail);
}

static void on_tcp(void *arg, const struct tcp_result *r)
{
	struct check_call *c = arg;
	c->tcp = NULL;
	c->phases = r->phases;
	if (r->fault == FAULT_NONE) {
		check_measure_time(c, "RTT", r->phases.connect_ns);
		check_measure_time(c, "RESPONSE_TIME", r->phases.total_ns);
		json_object_set_new(c->measured, "CONNECTED", json_true());
	}
	check_measure_text(c, "ADDRESS", slice_of(r->address));
	if (c->step->verb == VERB_TCP)
		check_finish(c, r->fault, "%s", r->detail);
	else /* a refused connection where a ping was meant is a host that does not answer */
		ping_end(c, r->fault == FAULT_REFUSED ? FAULT_TIMEOUT : r->fault, r->detail);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct check_call *c = arg;
	c->resolve = NULL;
	if (r->fault == FAULT_NONE)
		c->ping = ping(c->tools.pinger, &r->address[0], share_ns(c), on_ping, c);
	else
		ping_end(c, r->fault, r->detail);
}

static void ping_next(struct check_call *c)
{
	const struct targets *t = c->data;
	unsigned port = 0;
	char *address = reach_address(reach(c), t->to[t->at], &port, true);
	if (port) /* a simulated cloud: a TCP connection stands for the echo */
		c->tcp = tcp_connect_check(
			c->tools.loop, c->tools.resolver, address, port, share_ns(c), on_tcp, c);
	else
		c->resolve = resolve(
			c->tools.resolver, address, 0, AF_UNSPEC, share_ns(c), on_resolved, c);
	free(address);
}

static bool read_targets(struct check_call *c)
{
	const struct value *to = check_field(c, "to", "to"), *any = check_field(c, "any", NULL);
	const bool list = to && to->type == VALUE_LIST;
	struct targets *t = mem_new(struct targets);
	struct error err = {0};
	const size_t n = list ? value_count(to) : 1;
	t->to = mem_new_array(n, sizeof(*t->to));
	c->data = t;
	c->cleanup = free_targets;
	for (size_t i = 0; i < n; i++) {
		const struct value *v = list ? value_item(to, i) : NULL;
		unsigned port;
		char *text = !list                   ? check_host(c, "to", "to", &port, &err)
			     : v->type == VALUE_TEXT ? slice_dup(value_slice(v))
						     : NULL;
		if (text)
			t->to[t->n++] = text;
	}
	const bool may = !list || (any && any->type == VALUE_BOOL && any->boolean);
	if (t->n && may)
		return true;
	check_finish_later(c, FAULT_EVALUATION, "%.200s",
		err.msg[0] ? err.msg
		: may      ? "ping needs `to`"
			   : "ping with a list of targets needs `any: true`");
	return false;
}

/* One command for all of them; `source` is the address the guest pretends to have. */
static void ping_in_guest(struct check_call *c, const struct value *from)
{
	const struct targets *t = c->data;
	char *source = check_text(c, "source", NULL);
	struct buf command = BUF(BUF_LINE);
	bool good = !source || guest_tool_plain_host(source);
	for (size_t i = 0; i < t->n && good; i++) {
		good = guest_tool_plain_host(t->to[i]);
		buf_printf(&command, "%sping -c 1 -W 2%s%s %s", i ? " || " : "",
			source ? " -I " : "", source ? source : "", t->to[i]);
	}
	if (!good || command.over)
		check_finish_later(c, FAULT_EVALUATION, "`to` or `source` is no address or name");
	else
		check_in_guest(c, from, buf_slice(&command), SLICE(""), on_guest_ping);
	buf_fini(&command);
	free(source);
}

void check_ping(struct check_call *c)
{
	const struct value *from = check_field(c, "from", NULL);
	const struct value *source = check_field(c, "source", NULL);
	if (!read_targets(c))
		return;
	if (from && from->type != VALUE_NULL)
		ping_in_guest(c, from);
	else if (source && source->type != VALUE_NULL)
		check_finish_later(c, FAULT_EVALUATION,
			"`source` goes with `from`: it is a guest that pretends");
	else
		ping_next(c);
}

/* --- tcp ---------------------------------------------------------------------------------------
 */

/* "HOST:PORT", or a guest: the port of its log-in. Ends the check when it is neither. */
static char *tcp_target(struct check_call *c, unsigned *ret_port)
{
	const struct value *to = check_field(c, "to", "to");
	struct error err = {0};
	char *text = check_host(c, "to", "to", ret_port, &err), *host = NULL;
	if (text && to->type == VALUE_REF)
		return text;
	if (!text || !check_split(text, &host, ret_port))
		check_finish_later(c, FAULT_EVALUATION, "%.200s",
			err.msg[0] ? err.msg : "tcp needs `to: HOST:PORT`, or a guest");
	free(text);
	return host;
}

void check_tcp(struct check_call *c)
{
	const struct value *from = check_field(c, "from", NULL);
	unsigned port;
	char *host = tcp_target(c, &port);
	if (!host)
		return;
	if (from && from->type != VALUE_NULL) {
		struct buf command = BUF(BUF_LINE);
		guest_tool_tcp(&command, host, port);
		if (!guest_tool_plain_host(host))
			check_finish_later(c, FAULT_EVALUATION, "`to` is no address or name");
		else
			check_in_guest(c, from, buf_slice(&command), SLICE(""), on_guest_tcp);
		buf_fini(&command);
	} else {
		char *address = reach_address(reach(c), host, &port, false);
		c->tcp = tcp_connect_check(
			c->tools.loop, c->tools.resolver, address, port, c->deadline_ns, on_tcp, c);
		free(address);
	}
	free(host);
}
