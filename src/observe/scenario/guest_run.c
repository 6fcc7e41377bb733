#include "observe/scenario/guest_run.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct guest_run {
	struct login *login;
	struct ssh_call *ssh;
	guest_run_done *done;
	void *arg;
};

static void on_ssh(void *arg, const struct ssh_result *r)
{
	struct guest_run *run = arg;
	run->done(run->arg, r);
	login_free(run->login);
	free(run);
}

struct guest_run *guest_run(struct check_call *c, const struct guest_order *order,
	guest_run_done *done, void *arg, struct error *err)
{
	struct login *login = NULL;
	const struct reach *reach = &cloud_configuration(c->tools.cloud)->reach;
	if (login_resolve(c->world, order->guest, c->element, reach, &login, err) != EXPR_OK) {
		if (err && !err->msg[0])
			error_set(err, ERROR_INPUT, "the guest cannot be logged in to yet");
		return NULL;
	}
	size_t hops;
	const struct ssh_host *via = login_via(login, &hops), *target = login_target(login);
	const bool root = !strcmp(target->user, "root");
	const struct ssh_request q = {
		.target = *target,
		.via = via,
		.via_count = hops,
		.command = order->as_root && !root ? "exec sudo -n sh -s" : "exec sh -s",
		.input = order->script,
		.deadline_ns = order->deadline_ns,
		.output_max = order->output_max,
		.keep = true,
	};
	struct guest_run *run = mem_new(struct guest_run);
	run->login = login;
	run->done = done;
	run->arg = arg;
	run->ssh = ssh_run(c->tools.ssh, &q, on_ssh, run);
	return run;
}

void guest_run_cancel(struct guest_run *run)
{
	ssh_cancel(run->ssh);
}

bool guest_run_ran(const struct ssh_result *r)
{
	return r->fault == FAULT_NONE || r->fault == FAULT_EXIT_STATUS;
}

static struct slice last_line(struct slice text)
{
	struct slice line, last = SLICE("");
	while (slice_next(&text, '\n', &line))
		if (slice_trim(line).n)
			last = slice_trim(line);
	return last;
}

const char *guest_run_said(const struct ssh_result *r, char *text, size_t n)
{
	struct slice said = last_line(r->errors);
	if (!said.n)
		snprintf(text, n, "its exit status was %d", r->exit_status);
	else
		snprintf(text, n, "%.*s", (int)(said.n < 160 ? said.n : 160), said.p);
	for (char *c = text; *c; c++) /* whatever a guest says */
		if (!isprint((unsigned char)*c))
			*c = '?';
	return text;
}

const char *guest_run_name(struct world *w, struct value_ref ref, char *text, size_t n)
{
	const struct step *step = w->steps[ref.object].step;
	if (step_is_many(step) && ref.element >= 0)
		snprintf(text, n, "%s[%d]", step->name, ref.element);
	else
		snprintf(text, n, "%s", step->name);
	return text;
}

char *guest_run_address(struct world *w, struct value_ref ref)
{
	const struct element *e = world_element(w, ref);
	const struct kind *k = e ? w->steps[e->step].step->kind : NULL;
	json_t *address = k && e->object ? kind_field(k, e->object, SLICE("address")) : NULL;
	char *text = mem_strdup(json_string_value(address));
	json_decref(address);
	return text;
}

bool guest_run_named(struct check_call *c, const char *key, struct value_ref *ret)
{
	const struct value *v = check_field(c, key, NULL);
	if (v && v->type == VALUE_REF) {
		*ret = v->ref;
		return true;
	}
	check_finish_later(c, FAULT_EVALUATION, "`%s` names a server that has a login", key);
	return false;
}

void guest_run_word(struct buf *script, struct slice text)
{
	buf_add_char(script, '\'');
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			buf_add_str(script, "'\\''");
		else
			buf_add_char(script, text.p[i]);
	buf_add_char(script, '\'');
}
