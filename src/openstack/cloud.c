/*
 * cloud.c - calls to one cloud: each waits for a token, for its service's address and for a free
 * place, is sent, perhaps sent again, and calls back once; see cloud.h.
 */

#include "openstack/cloud.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "net/url.h"
#include "openstack/session.h"

#define INFLIGHT        8
#define COMPUTE         4
#define LOST_TRIES      2
#define RETRY_AFTER_MAX (120 * NS_PER_S)

struct cloud *cloud_new(struct loop *l, struct http_client *client,
	const struct cloud_config *config, const struct cloud_options *o)
{
	struct cloud *c = mem_new(struct cloud);
	c->loop = l;
	c->client = client;
	c->config = config;
	c->random = o && o->random ? o->random : &random_system;
	c->inflight_max = o && o->inflight ? o->inflight : INFLIGHT;
	c->compute_max = o && o->compute ? o->compute : COMPUTE;
	return c;
}

static void call_free(struct cloud_call *k)
{
	timer_cancel(&k->timer);
	for (size_t i = 0; i < k->header_count; i++) {
		free((char *)k->headers[i].name);
		free((char *)k->headers[i].value);
	}
	free(k->headers);
	free(k->service);
	free(k->method);
	free(k->path);
	free(k->microversion);
	free(k->body_text);
	free(k->url);
	json_decref(k->body);
	route_free(k->route);
	free(k);
}

struct cloud_options cloud_limits(const struct cloud *c)
{
	return (struct cloud_options){.inflight = c->inflight_max, .compute = c->compute_max};
}

enum fault cloud_login_fault(const struct cloud *c)
{
	return c->auth_failed ? c->auth_fault : FAULT_NONE;
}

const struct cloud_config *cloud_configuration(const struct cloud *c)
{
	return c->config;
}

void cloud_transport(const struct cloud *c, struct http_request *q)
{
	q->ca_file = c->config->ca_file;
	q->cert_file = c->config->cert_file;
	q->key_file = c->config->key_file;
	q->insecure = !c->config->verify;
}

void cloud_observe(struct cloud *c, enum cloud_detail detail, cloud_observer *cb, void *arg)
{
	vec_push(&c->observers, ((struct observer){cb, arg, detail}));
}

void cloud_unobserve(struct cloud *c, const void *arg)
{
	for (size_t i = c->observers.n; i-- > 0;)
		if (c->observers.p[i].arg == arg)
			vec_remove(&c->observers, i);
}

/* --- the end of a call ------------------------------------------------------------------------ */

static void release_place(struct cloud_call *k)
{
	if (!k->holds_place)
		return;
	k->holds_place = false;
	k->cloud->inflight--;
	k->cloud->compute -= k->compute;
}

static void forget(struct cloud_call *k)
{
	struct cloud *c = k->cloud;
	for (size_t i = 0; i < c->calls.n; i++)
		if (c->calls.p[i] == k) {
			vec_remove(&c->calls, i);
			break;
		}
}

static void tell(struct cloud_call *k, struct cloud_answer *a)
{
	struct cloud *c = k->cloud;
	release_place(k);
	timer_cancel(&k->timer);
	memcpy(a->request_id, k->request_id, sizeof(a->request_id));
	a->queued_ns = k->queued_ns;
	a->tries = k->tries;
	a->sent = a->sent || k->was_sent;
	if ((k->list && list_goes_on(k, a)) || (k->route && route_goes_on(k, a))) {
		k->state = CALL_QUEUED;
		k->queued_at_ns = loop_now_ns(c->loop);
		k->tries = 0;
		k->retried_auth = false;
		cloud_kick(c);
		return;
	}
	forget(k);
	if (!k->list)
		k->done(k->arg, a);
	call_free(k);
	cloud_kick(c);
}

static void on_over(struct timer *t)
{
	struct cloud_call *k = t->arg;
	tell(k, &k->answer);
}

/* Ends a call that has no answer, on the next turn. */
static void end_without(struct cloud_call *k, enum fault fault, const char *message)
{
	k->state = CALL_OVER;
	k->answer.fault = fault;
	k->answer.error.fault = fault;
	snprintf(k->answer.error.message, sizeof(k->answer.error.message), "%s", message);
	timer_start(k->cloud->loop, &k->timer, 0, on_over, k);
}

/* --- what is sent again ----------------------------------------------------------------------- */

static void on_pause_over(struct timer *t)
{
	struct cloud_call *k = t->arg;
	k->state = CALL_QUEUED;
	k->queued_at_ns = loop_now_ns(k->cloud->loop);
	cloud_kick(k->cloud);
}

static int64_t left_ns(const struct cloud_call *k)
{
	return k->first_sent_ns + k->deadline_ns - loop_now_ns(k->cloud->loop);
}

/* Data that have been read can be had once more, or there are none. */
static bool can_repeat(const struct cloud_call *k)
{
	return !k->source || k->rewind;
}

static bool send_again_after(struct cloud_call *k, int64_t ns)
{
	if (ns >= left_ns(k) || !can_repeat(k))
		return false;
	release_place(k);
	k->state = CALL_PAUSED;
	timer_start(k->cloud->loop, &k->timer, ns, on_pause_over, k);
	return true;
}

/* RFC 9110 section 10.2.3: seconds, or a date. */
static bool retry_after(const struct cloud_call *k, const struct http_answer *a, int64_t *ret_ns)
{
	const char *text = http_answer_header(a, "Retry-After");
	int64_t n, at;
	if (!text)
		return false;
	if (units_parse_int(slice_trim(slice_of(text)), &n) && n >= 0 && n < 100000)
		*ret_ns = n * NS_PER_S;
	else if (clock_parse_http_date(text, &at))
		*ret_ns = (at - clock_unix_us(loop_clock(k->cloud->loop))) * NS_PER_US;
	else
		return false;
	if (*ret_ns < 0)
		*ret_ns = 0;
	return *ret_ns <= RETRY_AFTER_MAX;
}

static bool is_reading(const struct cloud_call *k)
{
	return !strcmp(k->method, "GET") || !strcmp(k->method, "HEAD");
}

static bool again(struct cloud_call *k, const struct http_answer *a)
{
	int64_t ns;
	const bool old_token = a->status == 401 && !k->retried_auth;
	if (old_token)
		auth_drop_token(k->cloud, k->token_used);
	if (old_token && can_repeat(k)) {
		k->retried_auth = true;
		k->was_sent = false; /* refused: nothing has happened */
		release_place(k);
		k->state = CALL_TOKEN;
		cloud_kick(k->cloud);
		return true;
	}
	if ((a->status == 429 || a->status == 503) && retry_after(k, a, &ns)) {
		k->was_sent = false;
		return send_again_after(k, ns);
	}
	if (a->status == 429) {
		k->was_sent = false;
		return send_again_after(k, NS_PER_S * (int64_t)k->tries);
	}
	const bool lost =
		a->fault == FAULT_CONNECTION_LOST || (!a->sent && a->fault == FAULT_REFUSED);
	if (lost && is_reading(k) && !k->sink && k->lost_tries < LOST_TRIES)
		return send_again_after(k, k->lost_tries++ ? NS_PER_S : 200 * NS_PER_MS);
	return false;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* What a proxy says in place of a service, with any status. Swift really answers so. */
static bool is_page(const char *service, const char *type, struct slice body)
{
	return body.n && body.p[0] == '<' && type && !strncmp(type, "text/html", 9) &&
	       strcmp(service, "object-store") != 0;
}

static void fill_answer(struct cloud_call *k, const struct http_answer *a, struct cloud_answer *ret)
{
	const char *id = http_answer_header(a, "x-openstack-request-id");
	if (!id)
		id = http_answer_header(a, "x-trans-id");
	*ret = (struct cloud_answer){.status = a->status,
		.sent = a->sent,
		.body = a->body,
		.phases = a->phases,
		.http = a};
	snprintf(ret->service_request_id, sizeof(ret->service_request_id), "%s", id ? id : "");
	if (a->fault != FAULT_NONE) {
		ret->fault = ret->error.fault = a->fault;
		snprintf(ret->error.message, sizeof(ret->error.message), "%s", a->detail);
		return;
	}
	const char *type = http_answer_header(a, "Content-Type");
	const bool looks =
		a->body.n && (strchr("{[", a->body.p[0]) || (type && strstr(type, "json")));
	struct error err = {0};
	if (looks && !k->sink)
		ret->json = json_parse(a->body, BUF_ANSWER, &err);
	const bool moved = a->status > 300 && a->status < 400 && a->status != 304;
	if (moved) { /* a change that follows blindly may be another one's */
		const char *to = http_answer_header(a, "Location");
		ret->fault = ret->error.fault = FAULT_BODY;
		snprintf(ret->error.message, sizeof(ret->error.message),
			"the service answers %d and sends on to %.300s", a->status,
			to ? to : "nowhere");
	} else if (a->status >= 400) {
		cloud_error_read(a->status, ret->json, a->body, &ret->error);
		ret->fault = ret->error.fault;
	} else if (looks && !ret->json && !k->sink) {
		ret->fault = ret->error.fault = FAULT_BODY;
		snprintf(ret->error.message, sizeof(ret->error.message), "%s", err.msg);
	} else if (!k->sink && is_page(k->service, type, a->body)) {
		ret->fault = ret->error.fault = FAULT_BODY;
		snprintf(ret->error.message, sizeof(ret->error.message),
			"a page of HTML answers instead of the service");
	}
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct cloud_call *k = arg;
	struct cloud_answer answer;
	k->http = NULL;
	k->was_sent = k->was_sent || a->sent;
	fill_answer(k, a, &answer);
	exchange_tell(k->cloud, k, a, answer.fault, answer.error.message);
	if (a->fault == FAULT_CANCELLED || !again(k, a))
		tell(k, &answer);
	json_decref(answer.json);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* How much of a link's path the end of the endpoint's says already: 3 of "/v2/images" below
 * "/image/v2", whole parts only. */
static size_t overlap(struct slice base, struct slice path)
{
	for (size_t at = 0; at < base.n; at++) {
		const struct slice end = slice_sub(base, at, base.n);
		if (end.p[0] == '/' && end.n > 1 && path.n > end.n && path.p[end.n] == '/' &&
			slice_eq(slice_sub(path, 0, end.n), end))
			return end.n;
	}
	return 0;
}

/* A `next` link may name another host than the catalog does (an inner one), and the path that the
 * service has there: what follows the endpoint's own counts. Glance's has no host at all. */
static char *absolute(const char *endpoint, const char *path)
{
	struct url to, base;
	struct buf url = BUF(BUF_LINE);
	const bool full = !strncmp(path, "http://", 7) || !strncmp(path, "https://", 8);
	struct slice rest = slice_of(path);
	if (path[0] == '?') {
		buf_printf(&url, "%s%s", endpoint, path);
		return buf_take(&url);
	}
	if (full && url_parse(rest, &to, NULL))
		rest = slice_from(to.path.p, strlen(to.path.p));
	const bool split = url_parse(slice_of(endpoint), &base, NULL) && base.path.n > 1;
	const size_t known = split ? overlap(base.path, rest) : 0;
	if (full && !known && split) {
		buf_add(&url, endpoint, (size_t)(base.path.p - endpoint));
		buf_add_slice(&url, rest);
	} else {
		url_join(&url, slice_of(endpoint), slice_sub(rest, known, rest.n));
	}
	return buf_take(&url);
}

static size_t add_version_headers(
	const struct cloud_call *k, struct http_header *h, size_t n, char *text, size_t text_n)
{
	if (!k->microversion)
		return n;
	const bool compute = !strcmp(k->service, "compute");
	snprintf(text, text_n, "%s %s",
		compute                                ? "compute"
		: !strcmp(k->service, "block-storage") ? "volume"
						       : k->service,
		k->microversion);
	h[n++] = (struct http_header){"OpenStack-API-Version", text};
	if (compute)
		h[n++] = (struct http_header){"X-OpenStack-Nova-API-Version", k->microversion};
	return n;
}

static bool has_header(const struct cloud_call *k, const char *name)
{
	for (size_t i = 0; i < k->header_count; i++)
		if (!strcasecmp(k->headers[i].name, name))
			return true;
	return false;
}

static void send_call(struct cloud_call *k, const char *endpoint)
{
	struct cloud *c = k->cloud;
	struct http_header headers[40];
	char version[80];
	size_t n = 0;
	headers[n++] = (struct http_header){"X-Auth-Token", secret_reveal(c->token)};
	headers[n++] = (struct http_header){"X-Openstack-Request-Id", k->request_id};
	if (!has_header(k, "Accept"))
		headers[n++] = (struct http_header){"Accept", k->sink ? "*/*" : "application/json"};
	if (k->body)
		headers[n++] = (struct http_header){"Content-Type", "application/json"};
	n = add_version_headers(k, headers, n, version, sizeof(version));
	for (size_t i = 0; i < k->header_count && n < array_len(headers); i++)
		headers[n++] = k->headers[i];
	if (k->body && !k->body_text)
		k->body_text = json_text(k->body);
	free(k->url);
	k->url = absolute(endpoint, k->path);
	if (!k->tries)
		k->first_sent_ns = loop_now_ns(c->loop);
	else if (k->rewind)
		k->rewind(k->stream_arg);
	struct http_request q = {.method = k->method,
		.url = k->url,
		.headers = headers,
		.header_count = n,
		.body = k->body_text,
		.body_n = k->body_text ? strlen(k->body_text) : 0,
		.source = k->source,
		.source_n = k->source_n,
		.sink = k->sink,
		.stream_arg = k->stream_arg,
		.deadline_ns = left_ns(k) > NS_PER_MS ? left_ns(k) : NS_PER_MS};
	cloud_transport(c, &q);
	k->state = CALL_SENT;
	k->tries++;
	k->token_used = c->token_generation;
	k->at_unix_us = clock_unix_us(loop_clock(c->loop));
	k->queued_ns += loop_now_ns(c->loop) - k->queued_at_ns;
	k->http = http_send(c->client, &q, on_answer, k);
}

/* --- turns: what may go on -------------------------------------------------------------------- */

static void go_on(struct cloud_call *k)
{
	struct cloud *c = k->cloud;
	if (k->state == CALL_TOKEN) {
		if (c->auth_failed) {
			end_without(k, c->auth_fault, c->auth_error.msg);
			return;
		}
		if (!auth_good(c)) {
			auth_begin(c);
			return;
		}
		k->state = CALL_ENDPOINT;
	}
	const struct service *s = NULL;
	if (k->state == CALL_ENDPOINT || k->state == CALL_QUEUED)
		s = endpoint_of(c, k->service);
	if (k->state == CALL_QUEUED && !s->endpoint)
		k->state = CALL_ENDPOINT; /* the catalog has changed meanwhile */
	if (k->state == CALL_ENDPOINT) {
		if (s->none) {
			char text[160];
			snprintf(text, sizeof(text), "the catalog has no service \"%s\"",
				k->service);
			end_without(k, FAULT_NO_SERVICE, text);
			return;
		}
		if (!s->endpoint)
			return;
		k->state = CALL_QUEUED;
		k->queued_at_ns = loop_now_ns(c->loop);
	}
	if (k->state != CALL_QUEUED || c->inflight >= c->inflight_max ||
		(k->compute && c->compute >= c->compute_max))
		return;
	if (!auth_good(c)) { /* renewed before it ends */
		k->state = CALL_TOKEN;
		cloud_kick(c);
		return;
	}
	k->holds_place = true;
	c->inflight++;
	c->compute += k->compute;
	send_call(k, s->endpoint);
}

static void tell_waiters(struct cloud *c)
{
	if (!c->auth_failed && !auth_good(c))
		return;
	while (c->waiters.n) {
		const struct waiter w = c->waiters.p[0];
		vec_remove(&c->waiters, 0);
		w.done(w.arg, c->auth_failed ? &c->auth_error : NULL);
	}
}

static void on_turn(struct timer *t)
{
	struct cloud *c = t->arg;
	c->turning = false;
	if (c->waiters.n && !auth_good(c) && !c->auth_failed)
		auth_begin(c);
	tell_waiters(c);
	for (size_t i = 0; i < c->calls.n; i++)
		go_on(c->calls.p[i]);
	/* A failed log-in fails what waited for it; the next call tries anew. */
	c->auth_failed = false;
}

bool cloud_idle(struct cloud *c)
{
	c->drained = !c->calls.n && !c->auth_call && endpoint_idle(c);
	return c->drained;
}

void cloud_kick(struct cloud *c)
{
	if (c->closing) {
		cloud_idle(c);
		return;
	}
	if (c->turning)
		return;
	c->turning = true;
	timer_start(c->loop, &c->turn, 0, on_turn, c);
}

void cloud_connect(struct cloud *c, void (*done)(void *arg, const struct error *err), void *arg)
{
	const struct waiter w = {done, arg};
	vec_push(&c->waiters, w);
	cloud_kick(c);
}

void cloud_connect_cancel(struct cloud *c, const void *arg)
{
	for (size_t i = c->waiters.n; i > 0; i--)
		if (c->waiters.p[i - 1].arg == arg)
			vec_remove(&c->waiters, i - 1);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct cloud_call *cloud_call(
	struct cloud *c, const struct cloud_request *r, cloud_done *done, void *arg)
{
	char uuid[UUID_TEXT];
	struct cloud_call *k = mem_new(struct cloud_call);
	k->cloud = c;
	k->service = mem_strdup(r->service);
	k->method = mem_strdup(r->method);
	k->path = mem_strdup(r->path);
	k->microversion = mem_strdup(r->microversion);
	k->body = json_incref(r->body);
	k->compute = !strcmp(r->service, "compute");
	k->absent_is_good = r->absent_is_good;
	k->route = route_new(r);
	k->header_count = r->header_count;
	k->headers = mem_new_array(r->header_count, sizeof(*k->headers));
	for (size_t i = 0; i < r->header_count; i++)
		k->headers[i] = (struct http_header){
			mem_strdup(r->headers[i].name), mem_strdup(r->headers[i].value)};
	if (r->request_id[0])
		memcpy(k->request_id, r->request_id, sizeof(k->request_id));
	else
		snprintf(k->request_id, sizeof(k->request_id), "req-%s",
			random_uuid(c->random, uuid));
	k->deadline_ns = r->deadline_ns > 0 ? r->deadline_ns : CALL_DEFAULT_NS;
	k->source = r->source;
	k->source_n = r->source_n;
	k->rewind = r->rewind;
	k->sink = r->sink;
	k->stream_arg = r->stream_arg;
	k->purpose = r->purpose;
	k->done = done;
	k->arg = arg;
	vec_push(&c->calls, k);
	cloud_kick(c);
	return k;
}

void cloud_cancel(struct cloud_call *k)
{
	if (k->state == CALL_OVER)
		return;
	if (k->http) {
		http_cancel(k->http);
		return;
	}
	release_place(k);
	end_without(k, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
}

void cloud_free(struct cloud *c)
{
	if (!c)
		return;
	/* Everything under way calls back once more, in here. */
	c->closing = true;
	c->waiters.n = 0;
	for (size_t i = 0; i < c->calls.n; i++)
		cloud_cancel(c->calls.p[i]);
	if (c->auth_call)
		http_cancel(c->auth_call);
	endpoint_cancel_all(c);
	while (!cloud_idle(c)) /* somebody may stop the loop meanwhile */
		loop_run_until(c->loop, &c->drained);
	timer_cancel(&c->turn);
	endpoint_free_all(c);
	secret_unref(c->token);
	json_decref(c->catalog);
	json_decref(c->extensions);
	vec_fini(&c->calls);
	vec_fini(&c->waiters);
	vec_fini(&c->observers);
	free(c->auth_body);
	free(c->auth_url);
	free(c->project_id);
	free(c->user_id);
	free(c->region);
	free(c);
}

/* --- facts ------------------------------------------------------------------------------------ */

const char *cloud_project_id(const struct cloud *c)
{
	return c->project_id;
}

const char *cloud_user_id(const struct cloud *c)
{
	return c->user_id;
}

const struct secret *cloud_token(const struct cloud *c, unsigned *ret_generation, bool *ret_renew)
{
	*ret_generation = c->token_generation;
	*ret_renew = !auth_good(c);
	return c->token;
}

void cloud_token_refused(struct cloud *c, unsigned generation)
{
	auth_drop_token(c, generation);
}

const char *cloud_region(const struct cloud *c)
{
	return c->region;
}
