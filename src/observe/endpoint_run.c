/*
 * endpoint_run.c - one asking of one probe: a request on a connection of its own, or a log-in.
 *
 * One that needs a token and can have none ends without a sample: that keystone gives none is told
 * by the log-in's own probe, once, and not by every service. A 401 costs the token; with a new one
 * the request is sent once more.
 */

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "observe/endpoint_inside.h"

#define DETAIL_MAX 600

struct endpoint_run {
	struct probe *probe; /* NULL: it is gone, and so is who would want to know */
	struct job *job;
	struct http_call *http;
	struct cloud_login *login;
	struct timer timer; /* how long a token is waited for */
	char request_id[REQUEST_ID_TEXT];
	unsigned tries, generation; /* of the token it was sent with */
	bool refused;
	int64_t at_ms;
};

/* What came of it. */
struct outcome {
	enum fault fault;
	bool warned;
	int status;
	const char *detail; /* may hold secrets */
	const char *service_request_id;
	struct phases phases;
};

/* --- ends ------------------------------------------------------------------------------------- */

static void forget_waiting(struct endpoints *e, const struct endpoint_run *r)
{
	for (size_t i = 0; i < e->waiting.n; i++)
		if (e->waiting.p[i] == r) {
			vec_remove(&e->waiting, i);
			return;
		}
}

/* Takes it out of its probe; the run itself is the caller's. */
static struct probe *leave(struct endpoint_run *r)
{
	struct probe *p = r->probe;
	timer_cancel(&r->timer);
	for (size_t i = 0; i < p->runs.n; i++)
		if (p->runs.p[i] == r) {
			vec_remove(&p->runs, i);
			break;
		}
	job_done(r->job);
	return p;
}

static void end_silently(struct endpoint_run *r)
{
	leave(r);
	free(r);
}

void endpoint_runs_cancel(struct probe *p)
{
	for (size_t i = 0; i < p->runs.n; i++) {
		struct endpoint_run *r = p->runs.p[i];
		r->probe = NULL;
		timer_cancel(&r->timer);
		if (r->http) {
			http_cancel(r->http);
		} else if (r->login) {
			cloud_login_cancel(r->login);
		} else {
			forget_waiting(p->owner, r);
			free(r);
		}
	}
	p->runs.n = 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

static int64_t us(int64_t ns)
{
	return ns / NS_PER_US;
}

static void append(struct series *s, const struct endpoint_run *r, const struct outcome *o)
{
	const struct phases *p = &o->phases;
	const struct series_sample sample = {.at_ms = r->at_ms,
		.fault = o->fault,
		.tries = r->tries,
		.phase_us = {[SERIES_RESOLVE] = us(p->resolve_ns),
			[SERIES_CONNECT] = us(p->connect_ns),
			[SERIES_TLS] = us(p->tls_ns),
			[SERIES_WAIT] = us(p->wait_ns),
			[SERIES_BODY] = us(p->body_ns)},
		.total_us = us(p->total_ns)};
	if (s)
		series_append(s, &sample);
}

static void measure(const struct endpoints *e, const struct probe *p, const struct endpoint_run *r,
	const struct http_answer *a)
{
	const struct cloud_config *config = cloud_configuration(e->cloud);
	const struct measure m = {.what = MEASURE_ENDPOINT,
		.cloud = config->name ? config->name : "",
		.region = config->region ? config->region : "",
		.location = e->location,
		.index = -1,
		.service = p->view.service,
		.name = "GET",
		.url = p->view.url,
		.project = cloud_project_id(e->cloud),
		.at_ms = r->at_ms,
		.total_us = us(a->phases.total_ns),
		.fault = a->fault,
		.status = a->status};
	if (e->measured)
		e->measured(e->measured_arg, &m);
}

/* Ends the run. The last thing that is done: who is told may take everything away. */
static void end_with(struct endpoint_run *r, const struct outcome *outcome)
{
	struct outcome o = *outcome;
	struct probe *p = leave(r);
	struct endpoints *e = p->owner;
	char slow[120], request[BUF_LINE / 32];
	if (o.fault == FAULT_NONE && !o.warned && o.phases.total_ns > p->view.slow_ns) {
		snprintf(slow, sizeof(slow), "answered after %.3g s, limit %.3g s",
			(double)o.phases.total_ns / (double)NS_PER_S,
			(double)p->view.slow_ns / (double)NS_PER_S);
		o.warned = true;
		o.detail = slow;
	}
	append(p->series, r, &o);
	char *detail = o.detail && *o.detail ? secret_scrubbed(o.detail) : NULL;
	snprintf(request, sizeof(request), "%s %s", p->login ? "POST" : "GET", p->view.url);
	const char *id = o.service_request_id;
	const struct observation seen = {.cloud = cloud_configuration(e->cloud)->name,
		.probe = p->view.name,
		.component = p->view.component,
		.series = p->series ? series_text(p->series) : NULL,
		.at_ms = r->at_ms,
		.total_us = us(o.phases.total_ns),
		.fault = o.fault,
		.warned = o.warned,
		.tries = r->tries,
		.severity = SEVERITY_OUTAGE,
		.status = o.status,
		.detail = o.fault == FAULT_NONE && !o.warned ? NULL : detail,
		.request = request,
		.request_id = r->request_id,
		.service_request_id = id && *id ? id : NULL};
	if (e->seen)
		e->seen(e->arg, &seen);
	free(detail);
	free(r);
}

/* --- a request -------------------------------------------------------------------------------- */

static void ask(struct endpoint_run *r);

/* Whether it goes on with another token, or waits for one; otherwise it has ended. */
static void wait_for_token(struct endpoint_run *r);

static void judge_status(const struct probe *p, const struct http_answer *a, struct cloud_error *e,
	struct outcome *o, char *text, size_t size)
{
	const char *type = http_answer_header(a, "Content-Type");
	const bool is_json = type && strstr(type, "json") && a->body.n;
	struct error err = {0};
	json_t *j = is_json ? json_parse(a->body, ENDPOINT_ANSWER_MAX, &err) : NULL;
	if (endpoint_is_good(p->want.good, a->status)) {
		if (is_json && !j) {
			o->fault = FAULT_BODY;
			snprintf(text, size, "answered %d with a body that is not JSON: %s",
				a->status, err.msg);
		}
	} else if (a->status < 400) {
		o->fault = FAULT_EXPECTATION;
		snprintf(text, size, "answered %d, expected %s", a->status,
			p->want.good ? p->want.good : "2xx 3xx");
	} else {
		cloud_error_read(a->status, j, a->body, e);
		o->fault = e->fault;
		snprintf(text, size, "answered %d%s%s", a->status, e->message[0] ? ": " : "",
			e->message);
	}
	json_decref(j);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct endpoint_run *r = arg;
	char text[DETAIL_MAX] = "";
	r->http = NULL;
	if (!r->probe) {
		free(r);
		return;
	}
	if (a->fault == FAULT_CANCELLED) {
		end_silently(r);
		return;
	}
	measure(r->probe->owner, r->probe, r, a);
	if (a->status == 401 && r->probe->want.token && !r->refused) {
		r->refused = true;
		cloud_token_refused(r->probe->owner->cloud, r->generation);
		wait_for_token(r);
		return;
	}
	struct cloud_error e = {0};
	const char *id = http_answer_header(a, "x-openstack-request-id");
	struct outcome o = {.fault = a->fault,
		.status = a->status,
		.detail = text,
		.service_request_id = id ? id : http_answer_header(a, "x-trans-id"),
		.phases = a->phases};
	if (a->fault != FAULT_NONE)
		snprintf(text, sizeof(text), "%s", a->detail);
	else
		judge_status(r->probe, a, &e, &o, text, sizeof(text));
	end_with(r, &o);
}

static void ask(struct endpoint_run *r)
{
	const struct probe *p = r->probe;
	struct endpoints *e = p->owner;
	struct http_header headers[4];
	size_t n = 0;
	bool renew;
	headers[n++] = (struct http_header){"X-Openstack-Request-Id", r->request_id};
	headers[n++] = (struct http_header){"Accept", "application/json"};
	if (p->want.microversion)
		headers[n++] = (struct http_header){"OpenStack-API-Version", p->want.microversion};
	if (p->want.token)
		headers[n++] = (struct http_header){"X-Auth-Token",
			secret_reveal(cloud_token(e->cloud, &r->generation, &renew))};
	struct http_request q = {.method = "GET",
		.url = p->view.url,
		.headers = headers,
		.header_count = n,
		.deadline_ns = p->view.timeout_ns,
		.answer_max = ENDPOINT_ANSWER_MAX};
	cloud_transport(e->cloud, &q);
	r->tries++;
	r->http = http_send(e->client, &q, on_answer, r);
}

/* --- the token -------------------------------------------------------------------------------- */

/* Whether there is one that was not refused. */
static bool has_token(const struct endpoint_run *r, bool *ret_renew)
{
	unsigned generation;
	const bool there = cloud_token(r->probe->owner->cloud, &generation, ret_renew) != NULL;
	return there && (!r->refused || generation != r->generation);
}

static void on_waited(struct timer *t)
{
	struct endpoint_run *r = t->arg;
	forget_waiting(r->probe->owner, r);
	end_silently(r);
}

static void wait_for_token(struct endpoint_run *r)
{
	struct endpoints *e = r->probe->owner;
	bool renew = false;
	const bool has = has_token(r, &renew);
	const bool comes = (!has || renew) && endpoint_token_renew(e);
	if (has) {
		ask(r);
	} else if (comes) {
		vec_push(&e->waiting, r);
		timer_start(e->loop, &r->timer, r->probe->view.every_ns, on_waited, r);
	} else {
		end_silently(r);
	}
}

void endpoint_run_token(struct endpoint_run *r)
{
	bool renew;
	timer_cancel(&r->timer);
	if (has_token(r, &renew))
		ask(r);
	else
		end_silently(r);
}

/* --- a log-in --------------------------------------------------------------------------------- */

static void on_login(void *arg, const struct cloud_answer *a)
{
	struct endpoint_run *r = arg;
	char text[DETAIL_MAX];
	r->login = NULL;
	if (!r->probe) {
		free(r);
		return;
	}
	if (a->fault == FAULT_CANCELLED) {
		end_silently(r);
		return;
	}
	struct endpoints *e = r->probe->owner;
	/* Without a region every region's addresses would be taken. */
	const bool lost = a->error.message[0] && !cloud_region(e->cloud);
	if (a->fault == FAULT_NONE && !lost)
		endpoints_look(e); /* does not take this probe away */
	if (a->fault == FAULT_NONE)
		endpoint_token_hope(e);
	const struct outcome o = {.fault = a->fault,
		.warned = a->fault == FAULT_NONE && a->error.message[0],
		.status = a->status,
		.detail = text,
		.service_request_id = a->service_request_id,
		.phases = a->phases};
	if (a->fault != FAULT_NONE && a->status)
		snprintf(text, sizeof(text), "answered %d%s%s", a->status,
			a->error.message[0] ? ": " : "", a->error.message);
	else
		snprintf(text, sizeof(text), "%s", a->error.message);
	end_with(r, &o);
}

/* --- begins ----------------------------------------------------------------------------------- */

/* The catalog no longer holds the service: nobody can use it, and nothing needs to be sent. */
static void tell_missing(struct endpoint_run *r)
{
	char text[DETAIL_MAX];
	snprintf(text, sizeof(text), "the catalog no longer holds the service \"%s\"",
		r->probe->view.service);
	const struct outcome o = {.fault = FAULT_NO_SERVICE, .detail = text};
	r->tries = 1;
	end_with(r, &o);
}

void endpoint_run_start(void *arg, struct job *job)
{
	struct probe *p = arg;
	struct endpoints *e = p->owner;
	char uuid[UUID_TEXT];
	struct endpoint_run *r = mem_new(struct endpoint_run);
	r->probe = p;
	r->job = job;
	r->at_ms = clock_unix_us(loop_clock(e->loop)) / 1000;
	snprintf(r->request_id, sizeof(r->request_id), "req-%s", random_uuid(&random_system, uuid));
	vec_push(&p->runs, r);
	if (p->missing_since_ns) {
		tell_missing(r);
	} else if (p->login) {
		r->tries = 1;
		r->login = cloud_log_in(
			e->cloud, e->client, NULL, r->request_id, p->view.timeout_ns, on_login, r);
	} else if (p->want.token) {
		wait_for_token(r);
	} else {
		ask(r);
	}
}
