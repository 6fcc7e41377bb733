/*
 * check_net.c - ping and tcp, from here or from inside a guest.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/checks.h"

static const struct reach *reach(const struct check_call *c)
{
	return &cloud_configuration(c->tools.cloud)->reach;
}

/* --- from a guest ------------------------------------------------------------------------------
 */

bool check_in_guest(
	struct check_call *c, const struct value *guest, const char *command, ssh_done *then)
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
		.command = command,
		.deadline_ns = c->deadline_ns,
	};
	c->ssh = ssh_run(c->tools.ssh, &q, then, c);
	return true;
}

/* Only what an address or a name can hold goes into a guest's command line. */
static bool is_plain_host(const char *s)
{
	return *s &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") ==
		       strlen(s) &&
	       *s != '-';
}

static void on_guest_ping(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	c->ssh = NULL;
	c->phases = r->phases;
	if (r->fault == FAULT_NONE)
		check_finish(c, FAULT_NONE, "%s", "");
	else if (r->fault == FAULT_EXIT_STATUS)
		check_finish(c, FAULT_TIMEOUT, "no echo reply seen from inside the guest");
	else
		check_finish(c, r->fault, "logging in to the guest: %s", r->detail);
}

static void on_guest_tcp(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	c->ssh = NULL;
	c->phases = r->phases;
	if (r->fault == FAULT_NONE)
		check_finish(c, FAULT_NONE, "%s", "");
	else if (r->fault == FAULT_EXIT_STATUS)
		check_finish(c, FAULT_REFUSED, "the port did not answer inside the guest");
	else
		check_finish(c, r->fault, "logging in to the guest: %s", r->detail);
}

/* --- ping --------------------------------------------------------------------------------------
 */

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
	check_finish(c, r->fault, "%s", r->detail);
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
	/* A refused connection where a ping was meant is a host that does not answer. */
	const bool refused_ping = c->step->verb == VERB_PING && r->fault == FAULT_REFUSED;
	check_finish(c, refused_ping ? FAULT_TIMEOUT : r->fault, "%s", r->detail);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct check_call *c = arg;
	c->resolve = NULL;
	if (r->fault != FAULT_NONE) {
		check_finish(c, r->fault, "%s", r->detail);
		return;
	}
	c->ping = ping(c->tools.pinger, &r->address[0], c->deadline_ns, on_ping, c);
}

void check_ping(struct check_call *c)
{
	const struct value *from = check_field(c, "from", NULL);
	char *to = check_text(c, "to", "to");
	if (!to) {
		check_finish_later(c, FAULT_EVALUATION, "ping needs `to`");
		return;
	}
	if (from && from->type != VALUE_NULL) {
		char *command = mem_printf("ping -c 1 -W 2 %s", to);
		if (!is_plain_host(to))
			check_finish_later(c, FAULT_EVALUATION, "`to` is no address or name");
		else
			check_in_guest(c, from, command, on_guest_ping);
		free(command);
	} else {
		unsigned port = 0;
		char *address = reach_address(reach(c), to, &port, true);
		if (port) /* a simulated cloud: a TCP connection stands for the echo */
			c->tcp = tcp_connect_check(c->tools.loop, c->tools.resolver, address, port,
				c->deadline_ns, on_tcp, c);
		else
			c->resolve = resolve(c->tools.resolver, address, 0, AF_UNSPEC,
				c->deadline_ns, on_resolved, c);
		free(address);
	}
	free(to);
}

/* --- tcp ---------------------------------------------------------------------------------------
 */

void check_tcp(struct check_call *c)
{
	const struct value *from = check_field(c, "from", NULL);
	char *to = check_text(c, "to", "to"), *host = NULL;
	unsigned port;
	if (!to || !check_split(to, &host, &port)) {
		check_finish_later(c, FAULT_EVALUATION, "tcp needs `to: HOST:PORT`");
	} else if (from && from->type != VALUE_NULL) {
		char *command = mem_printf("nc -z -w 5 %s %u", host, port);
		if (!is_plain_host(host))
			check_finish_later(c, FAULT_EVALUATION, "`to` is no address or name");
		else
			check_in_guest(c, from, command, on_guest_tcp);
		free(command);
	} else {
		char *address = reach_address(reach(c), host, &port, false);
		c->tcp = tcp_connect_check(
			c->tools.loop, c->tools.resolver, address, port, c->deadline_ns, on_tcp, c);
		free(address);
	}
	free(host);
	free(to);
}
