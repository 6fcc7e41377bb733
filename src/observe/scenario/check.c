/*
 * check.c - one attempt of a measuring verb; see check.h. The verbs themselves stand in
 * check_net.c, check_http.c, check_ssh.c, check_dns.c, check_cloud.c, check_guest.c,
 * check_mesh.c, check_throughput.c and check_bench.c.
 */

#include "observe/scenario/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/checks.h"

struct verb_row {
	void (*start)(struct check_call *c);
	int64_t attempt_ns, step_ns;
};

/* An attempt is short, so that what comes up late is seen soon; a step allows for a guest's boot.
 */
static const struct verb_row rows[VERB_COUNT] = {
	[VERB_PING] = {check_ping, 2 * NS_PER_S, 120 * NS_PER_S},
	[VERB_TCP] = {check_tcp, 5 * NS_PER_S, 120 * NS_PER_S},
	[VERB_HTTP] = {check_http, 10 * NS_PER_S, 120 * NS_PER_S},
	[VERB_SSH] = {check_ssh, 20 * NS_PER_S, 180 * NS_PER_S},
	[VERB_DNS] = {check_dns, 5 * NS_PER_S, 120 * NS_PER_S},
	[VERB_STREAM] = {NULL, 0, 15 * 60 * NS_PER_S},
	[VERB_DOWNLOAD] = {check_download, 300 * NS_PER_S, 300 * NS_PER_S},
	[VERB_LIST] = {check_list, 60 * NS_PER_S, 60 * NS_PER_S},
	[VERB_TOKEN] = {check_token, 30 * NS_PER_S, 60 * NS_PER_S},
	[VERB_VALUE] = {check_value, NS_PER_S, 60 * NS_PER_S},
	[VERB_GUEST] = {check_guest, 60 * NS_PER_S, 300 * NS_PER_S},
	[VERB_MESH] = {check_mesh, 120 * NS_PER_S, 600 * NS_PER_S},
	[VERB_THROUGHPUT] = {check_throughput, 400 * NS_PER_S, 900 * NS_PER_S},
	[VERB_BENCH] = {check_bench, 900 * NS_PER_S, 900 * NS_PER_S},
};

int64_t check_attempt_ns(enum verb v)
{
	return rows[v].attempt_ns;
}

int64_t check_step_ns(enum verb v)
{
	return rows[v].step_ns;
}

static void finish(struct check_call *c)
{
	const struct check_result r = {.fault = c->fault,
		.measured = c->measured,
		.phases = c->phases,
		.requests = c->requests,
		.unasked = c->unasked};
	struct check_result copy = r;
	memcpy(copy.detail, c->detail, sizeof(copy.detail));
	timer_cancel(&c->later);
	c->done(c->arg, &copy);
	if (c->cleanup)
		c->cleanup(c);
	login_free(c->login);
	json_decref(c->measured);
	free(c);
}

static void on_later(struct timer *t)
{
	finish(t->arg);
}

static void set(struct check_call *c, enum fault fault, const char *fmt, va_list ap)
	like_printf(3, 0);

static void set(struct check_call *c, enum fault fault, const char *fmt, va_list ap)
{
	c->fault = fault;
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
}

void check_finish(struct check_call *c, enum fault fault, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(c, fault, fmt, ap);
	va_end(ap);
	finish(c);
}

void check_finish_later(struct check_call *c, enum fault fault, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(c, fault, fmt, ap);
	va_end(ap);
	timer_start(c->tools.loop, &c->later, 0, on_later, c);
}

void check_measure_time(struct check_call *c, const char *name, int64_t ns)
{
	char text[UNITS_TEXT];
	json_object_set_new(
		c->measured, name, json_string(units_time_exact(ns / NS_PER_US * NS_PER_US, text)));
}

void check_measure_int(struct check_call *c, const char *name, int64_t n)
{
	json_object_set_new(c->measured, name, json_integer(n));
}

void check_measure_size(struct check_call *c, const char *name, int64_t bytes)
{
	char text[UNITS_TEXT];
	snprintf(text, sizeof(text), "%" PRId64 "B", bytes);
	json_object_set_new(c->measured, name, json_string(text));
}

void check_measure_share(struct check_call *c, const char *name, double share)
{
	char text[UNITS_TEXT];
	snprintf(text, sizeof(text), "%.3f%%", share * 100);
	json_object_set_new(c->measured, name, json_string(text));
}

void check_measure_text(struct check_call *c, const char *name, struct slice text)
{
	json_t *s = json_stringn(text.p, text.n);
	json_object_set_new(c->measured, name, s ? s : json_string("(not UTF-8)"));
}

const struct value *check_field(const struct check_call *c, const char *name, const char *first)
{
	if (c->body->type == VALUE_MAP)
		return value_field(c->body, slice_of(name));
	return first && !strcmp(first, name) ? c->body : NULL;
}

char *check_text(struct check_call *c, const char *name, const char *first)
{
	const struct value *v = check_field(c, name, first);
	if (!v || v->type == VALUE_NULL)
		return NULL;
	if (v->type == VALUE_TEXT)
		return slice_dup(value_slice(v));
	if (v->type == VALUE_REF) {
		const struct element *e = world_element(c->world, v->ref);
		return e ? mem_strdup(e->id) : NULL;
	}
	struct buf b = BUF(BUF_LINE);
	value_write(&b, v);
	return buf_take(&b);
}

char *check_host(struct check_call *c, const char *name, const char *first, unsigned *ret_port,
	struct error *err)
{
	const struct value *v = check_field(c, name, first);
	char *host = NULL;
	if (!v || v->type != VALUE_REF)
		return check_text(c, name, first);
	if (login_host(c->world, v->ref, c->element, &host, ret_port, err) == EXPR_OK)
		return host;
	if (!err->msg[0])
		error_set(err, ERROR_INPUT, "the guest has no address yet");
	return NULL;
}

bool check_number(struct check_call *c, const char *name, int64_t min, int64_t max, int64_t *ret)
{
	const struct value *v = check_field(c, name, NULL);
	int64_t n = 0;
	if (!v || v->type == VALUE_NULL)
		return true;
	const bool good = v->type == VALUE_INT ||
			  (v->type == VALUE_TEXT && units_parse_int(value_slice(v), &n));
	if (v->type == VALUE_INT)
		n = v->integer;
	if (!good || n < min || n > max) {
		check_finish_later(c, FAULT_EVALUATION,
			"`%s` must be a whole number from %" PRId64 " to %" PRId64, name, min, max);
		return false;
	}
	*ret = n;
	return true;
}

bool check_seconds(const struct value *v, unsigned max, unsigned *ret)
{
	int64_t ns = 0;
	if (!v || v->type == VALUE_NULL)
		return true;
	if (v->type == VALUE_TIME)
		ns = v->integer;
	else if (v->type != VALUE_TEXT || !units_parse_time(value_slice(v), &ns))
		return false;
	*ret = (unsigned)(ns / NS_PER_S);
	return ns % NS_PER_S == 0 && ns >= NS_PER_S && ns <= max * NS_PER_S;
}

bool check_split(const char *text, char **ret_host, unsigned *ret_port)
{
	const char *colon = strrchr(text, ':');
	int64_t port;
	if (!colon || colon == text || !units_parse_int(slice_of(colon + 1), &port) || port < 1 ||
		port > 65535)
		return false;
	struct slice host = slice_from(text, (size_t)(colon - text));
	if (host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_sub(host, 1, host.n - 2);
	*ret_host = slice_dup(host);
	*ret_port = (unsigned)port;
	return true;
}

struct check_call *check_start(const struct check_tools *tools, struct world *w, struct element *e,
	const struct value *body, int64_t deadline_ns, check_done *done, void *arg)
{
	struct check_call *c = mem_new(struct check_call);
	c->tools = *tools;
	c->world = w;
	c->element = e;
	c->step = w->steps[e->step].step;
	c->body = body;
	c->deadline_ns = deadline_ns;
	c->began_ns = loop_now_ns(tools->loop);
	c->done = done;
	c->arg = arg;
	c->measured = json_object();
	rows[c->step->verb].start(c);
	return c;
}

void check_cancel(struct check_call *c)
{
	/* What is under way calls back with FAULT_CANCELLED and ends the check. */
	if (c->cancel)
		c->cancel(c);
	else if (c->tcp)
		tcp_cancel(c->tcp);
	else if (c->ping)
		ping_cancel(c->ping);
	else if (c->resolve)
		resolve_cancel(c->resolve);
	else if (c->ssh)
		ssh_cancel(c->ssh);
	else if (c->http)
		http_cancel(c->http);
	else if (c->dns)
		dns_cancel(c->dns);
	else if (c->cloud)
		cloud_cancel(c->cloud);
	else if (c->log_in)
		cloud_login_cancel(c->log_in);
	else
		c->fault = FAULT_CANCELLED; /* its timer is due */
}
