/*
 * check_ssh.c - log in to a guest and run a command.
 */

#include <string.h>

#include "observe/scenario/checks.h"

/* `host_key: KEY` demands that one; `new`, as none at all, takes what comes: a floating IP that was
 * moved leads to another host, and each run's servers are new. */
static bool is_other_host(struct check_call *c, const char *key)
{
	char *wanted = check_text(c, "host_key", NULL);
	const bool other = wanted && strcmp(wanted, "new") != 0 && strcmp(wanted, key) != 0;
	free(wanted);
	return other;
}

static void on_ssh(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	c->ssh = NULL;
	c->phases = r->phases;
	struct slice out = r->output;
	while (out.n && (out.p[out.n - 1] == '\n' || out.p[out.n - 1] == '\r'))
		out.n--;
	check_measure_text(c, "OUTPUT", out);
	check_measure_text(c, "ERRORS", slice_trim(r->errors));
	check_measure_int(c, "EXIT_STATUS", r->exit_status);
	check_measure_time(c, "RESPONSE_TIME", r->phases.total_ns);
	check_measure_text(c, "HOST_KEY", slice_of(r->host_key));
	check_measure_text(c, "BANNER", slice_of(r->banner));
	json_object_set_new(c->measured, "CONNECTED", json_boolean(r->host_key[0] != 0));
	if (r->host_key[0] && is_other_host(c, r->host_key))
		check_finish(c, FAULT_SSH_HOST_KEY, "its host key is %s", r->host_key);
	else
		check_finish(c, r->fault, "%s", r->detail);
}

/* `ssh: {to: ADDRESS, key: …, user: …, port: …}`: no server's login is meant. */
static bool plain_login(struct check_call *c, struct ssh_host *h, struct secret **ret_key)
{
	const struct value *key = check_field(c, "key", NULL);
	int64_t port = 22;
	if (!check_number(c, "port", 1, 65535, &port))
		return false;
	char *to = check_text(c, "to", "to");
	if (key && key->type == VALUE_REF) {
		const struct element *e = world_element(c->world, key->ref);
		*ret_key = e && e->private_key ? secret_ref(e->private_key) : NULL;
	} else if (key && key->type == VALUE_TEXT) {
		*ret_key = secret_new(value_slice(key));
	}
	if (!to || !*ret_key) {
		check_finish_later(c, FAULT_EVALUATION,
			"ssh needs `to` (a server with a login, or an address) and then `key`");
		free(to);
		return false;
	}
	h->port = (unsigned)port;
	h->host = reach_address(&cloud_configuration(c->tools.cloud)->reach, to, &h->port, false);
	char *user = check_text(c, "user", NULL);
	h->user = user ? user : mem_strdup("debian");
	h->private_key = *ret_key;
	free(to);
	return true;
}

void check_ssh(struct check_call *c)
{
	const struct value *to = check_field(c, "to", "to");
	char *command = check_text(c, "run", NULL), *input = check_text(c, "input", NULL);
	if (to && to->type == VALUE_REF) {
		struct error err = {0};
		const enum expr_result r = login_resolve(c->world, to->ref, c->element,
			&cloud_configuration(c->tools.cloud)->reach, &c->login, &err);
		if (r == EXPR_OK) {
			size_t hops;
			const struct ssh_host *via = login_via(c->login, &hops);
			const struct ssh_request q = {.target = *login_target(c->login),
				.via = via,
				.via_count = hops,
				.command = command,
				.input = slice_of(input),
				.deadline_ns = c->deadline_ns};
			c->ssh = ssh_run(c->tools.ssh, &q, on_ssh, c);
		} else {
			check_finish_later(c, FAULT_EVALUATION, "%.200s",
				err.msg[0] ? err.msg : "the guest cannot be logged in to yet");
		}
	} else {
		struct ssh_request q = {.command = command,
			.input = slice_of(input),
			.deadline_ns = c->deadline_ns};
		struct secret *key = NULL;
		if (plain_login(c, &q.target, &key)) {
			c->ssh = ssh_run(c->tools.ssh, &q, on_ssh, c);
			free((char *)q.target.host);
			free((char *)q.target.user);
		}
		secret_unref(key);
	}
	free(command);
	free(input);
}
