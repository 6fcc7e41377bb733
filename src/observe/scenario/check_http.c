/*
 * check_http.c - one request, or many to see how a load balancer spreads them.
 *
 * With `requests: N` the answers' bodies (first line) name who answered: [SPREAD] is the largest
 * deviation from an even share, [STRAY] counts answers of nobody in `allowed`, [ERRORS] what
 * failed.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "observe/scenario/checks.h"
#include "observe/scenario/guest_tool.h"

#define REQUESTS_MAX 10000
#define AT_ONCE      8

struct many {
	int64_t total, sent, back, errors;
	struct map by_name; /* who answered -> count */
	char *url, *peer;   /* where to connect instead, or NULL */
	bool cancelled;
	enum fault fault;
	char detail[128];
};

static void plain_request(struct check_call *c, char *url, struct http_request *q,
	struct http_header *headers, size_t max, char **ret_body)
{
	const struct value *method = check_field(c, "method", NULL);
	const struct value *more = check_field(c, "headers", NULL);
	*ret_body = check_text(c, "body", NULL);
	size_t n = 0;
	for (size_t i = 0; more && more->type == VALUE_MAP && i < value_count(more) && n < max;
		i++) {
		const struct value *v = value_at(more, i);
		if (v->type != VALUE_TEXT)
			continue;
		headers[n].name = slice_dup(value_key(more, i));
		headers[n++].value = slice_dup(value_slice(v));
	}
	*q = (struct http_request){
		.method = method && method->type == VALUE_TEXT ? value_slice(method).p : "GET",
		.url = url,
		.headers = headers,
		.header_count = n,
		.body = *ret_body,
		.body_n = *ret_body ? strlen(*ret_body) : 0,
		.deadline_ns = c->deadline_ns,
		.answer_max = CHECK_ANSWER_MAX,
	};
}

static void free_headers(struct http_header *headers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)headers[i].name);
		free((char *)headers[i].value);
	}
}

/* --- one ---------------------------------------------------------------------------------------
 */

static void free_body(struct check_call *c)
{
	free(c->data);
}

static void measure_answer(struct check_call *c, int status, struct slice text, int64_t took_ns)
{
	check_measure_int(c, "STATUS", status);
	check_measure_time(c, "RESPONSE_TIME", took_ns);
	json_t *body = json_parse(text, CHECK_ANSWER_MAX, NULL);
	if (body)
		json_object_set_new(c->measured, "BODY", body);
	else
		check_measure_text(c, "BODY", slice_trim(text));
}

/* A scenario that expects a status of its own judges it itself. */
static enum fault fault_of_answer(const struct check_call *c, int status)
{
	return c->step->expect.n ? FAULT_NONE : fault_of_status(status);
}

static void on_one(void *arg, const struct http_answer *a)
{
	struct check_call *c = arg;
	c->http = NULL;
	c->phases = a->phases;
	measure_answer(c, a->status, a->body, a->phases.total_ns);
	json_object_set_new(c->measured, "CONNECTED", json_boolean(a->address[0] && a->status));
	check_finish(c, a->fault == FAULT_NONE ? fault_of_answer(c, a->status) : a->fault, "%.200s",
		a->detail);
}

/* --- one, from inside a guest -------------------------------------------------------------------
 */

static void on_guest(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	struct slice body;
	int status = 0;
	if (!check_was_in_guest(c, r))
		return;
	const bool came = guest_tool_http_answer(r->output, r->errors, &status, &body);
	json_object_set_new(c->measured, "CONNECTED", json_boolean(came));
	if (came) {
		measure_answer(c, status, body, r->phases.body_ns);
		check_finish(c, fault_of_answer(c, status), "%s", "");
		return;
	}
	const struct slice why = slice_trim(r->errors);
	const enum fault otherwise = r->output.n ? FAULT_PROTOCOL : FAULT_CONNECTION_LOST;
	check_finish(c, guest_tool_fault(r->exit_status, r->errors, otherwise),
		"no HTTP answer came inside the guest%s%.*s", why.n ? ": " : "",
		(int)(why.n > 160 ? 160 : why.n), why.p);
}

static void ask_in_guest(
	struct check_call *c, const struct value *from, const struct http_request *q)
{
	struct buf command = BUF(BUF_LINE), input = BUF(CHECK_ANSWER_MAX);
	struct error err = {0};
	if (guest_tool_http(q, &command, &input, &err))
		check_in_guest(c, from, buf_slice(&command), buf_slice(&input), on_guest);
	else
		check_finish_later(c, FAULT_EVALUATION, "%.200s", err.msg);
	buf_fini(&command);
	buf_fini(&input);
}

/* --- many --------------------------------------------------------------------------------------
 */

static void send_more(struct check_call *c);

static double spread(const struct many *m)
{
	const double share =
		m->by_name.n ? (double)(m->back - m->errors) / (double)m->by_name.n : 0;
	double worst = 0;
	MAP_EACH (&m->by_name, e) {
		const double off =
			fabs((double)(intptr_t)e->value - share) / (share > 0 ? share : 1);
		if (off > worst)
			worst = off;
	}
	return worst;
}

static int64_t strays(struct check_call *c, const struct many *m)
{
	struct value allowed = VALUE_NOTHING;
	struct error err = {0};
	int64_t n = 0;
	if (!c->step->allowed ||
		world_body(c->world, c->element, c->step->allowed, &allowed, &err) != EXPR_OK ||
		allowed.type != VALUE_LIST) {
		value_drop(&allowed);
		return 0;
	}
	MAP_EACH (&m->by_name, e) {
		bool known = false;
		for (size_t i = 0; i < value_count(&allowed); i++) {
			const struct value *v = value_item(&allowed, i);
			known = known ||
				(v->type == VALUE_TEXT && slice_is(value_slice(v), e->key));
		}
		if (!known)
			n += (intptr_t)e->value;
	}
	value_drop(&allowed);
	return n;
}

static void free_many(struct check_call *c)
{
	struct many *m = c->data;
	map_fini(&m->by_name);
	free(m->url);
	free(m->peer);
	free(m);
}

static void all_back(struct check_call *c)
{
	struct many *m = c->data;
	json_t *names = json_object();
	MAP_EACH (&m->by_name, e) {
		json_object_set_new(names, e->key, json_integer((intptr_t)e->value));
	}
	json_object_set_new(c->measured, "ANSWERED", names);
	json_object_set_new(c->measured, "SPREAD", json_real(spread(m)));
	check_measure_int(c, "REQUESTS", m->back);
	check_measure_int(c, "ERRORS", m->errors);
	check_measure_int(c, "STRAY", strays(c, m));
	check_measure_time(c, "RESPONSE_TIME", loop_now_ns(c->tools.loop) - c->began_ns);
	const bool nobody = m->errors == m->back;
	check_finish(c,
		m->cancelled ? FAULT_CANCELLED
		: nobody     ? m->fault
			     : FAULT_NONE,
		"%s", m->detail);
}

static void on_many(void *arg, const struct http_answer *a)
{
	struct check_call *c = arg;
	struct many *m = c->data;
	m->back++;
	if (a->call == c->http)
		c->http = NULL;
	m->cancelled = m->cancelled || a->fault == FAULT_CANCELLED;
	const enum fault fault = a->fault != FAULT_NONE ? a->fault : fault_of_status(a->status);
	if (fault != FAULT_NONE) {
		m->errors++;
		m->fault = fault;
		snprintf(m->detail, sizeof(m->detail), "%s", a->detail);
	} else {
		char *who = slice_dup(slice_trim(slice_sub(a->body, 0, slice_find(a->body, '\n'))));
		map_put(&m->by_name, who, (void *)((intptr_t)map_get(&m->by_name, who) + 1));
		free(who);
	}
	if (!m->cancelled)
		send_more(c);
	else if (m->back == m->sent)
		all_back(c);
}

static void send_more(struct check_call *c)
{
	struct many *m = c->data;
	while (m->sent < m->total && m->sent - m->back < AT_ONCE) {
		const struct http_request q = {.method = "GET",
			.url = m->url,
			.connect_to = m->peer,
			.deadline_ns = c->deadline_ns,
			.answer_max = CHECK_ANSWER_MAX};
		m->sent++;
		c->http = http_send(c->tools.probes, &q, on_many, c);
	}
	if (m->back == m->total)
		all_back(c);
}

static void ask_from_here(struct check_call *c, struct http_request *q)
{
	char *peer = reach_peer(&cloud_configuration(c->tools.cloud)->reach, q->url);
	q->connect_to = peer;
	c->http = http_send(c->tools.probes, q, on_one, c);
	free(peer);
}

void check_http(struct check_call *c)
{
	const struct value *from = check_field(c, "from", NULL);
	const bool inside = from && from->type != VALUE_NULL;
	int64_t requests = 0;
	if (!check_number(c, "requests", 1, REQUESTS_MAX, &requests))
		return;
	char *url = check_text(c, "url", "url"), *body = NULL;
	if (!url || (requests && inside)) {
		check_finish_later(c, FAULT_EVALUATION, "%s",
			url ? "`requests` does not go with `from`" : "http needs `url`");
		free(url);
		return;
	}
	if (requests) {
		struct many *m = mem_new(struct many);
		m->total = requests;
		m->url = url;
		m->peer = reach_peer(&cloud_configuration(c->tools.cloud)->reach, url);
		c->data = m;
		c->cleanup = free_many;
		send_more(c);
		return;
	}
	struct http_header headers[32];
	struct http_request q;
	plain_request(c, url, &q, headers, array_len(headers), &body);
	c->data = body;
	c->cleanup = free_body;
	if (inside)
		ask_in_guest(c, from, &q);
	else
		ask_from_here(c, &q);
	free_headers(headers, q.header_count);
	free(url);
}
