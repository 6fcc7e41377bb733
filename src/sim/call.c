#include "sim/call.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/route.h"
#include "sim/state.h"
#include "sim/upload.h"

#define BODY_MAX    (1u << 20)
#define HEADERS_MAX 128 /* of an answer: swift's metadata are headers, 90 at most */
#define NO_PROJECT  "-" /* owns nothing, unlike "": what belongs to the cloud */
/* A connection that is cut is cut after the request was read whole. */
#define CUT_AFTER_NS (30 * NS_PER_MS)

static void call_run(struct timer *t);

/* --- beginning and end ------------------------------------------------------------------------ */

static void add_argument(void *arg, const char *name, const char *value)
{
	struct call *c = arg;

	vec_push(&c->arguments, ((struct pair){mem_strdup(name), mem_strdup(value)}));
}

static void add_sent(void *arg, const char *name, const char *value)
{
	struct call *c = arg;
	char *lower = mem_strdup(name);

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	vec_push(&c->sent, ((struct pair){lower, mem_strdup(value)}));
}

static char *header_copy(struct http_exchange *x, const char *name)
{
	return mem_strdup(http_header(x, name));
}

static void read_headers(struct call *c, struct http_exchange *x)
{
	const char *id = http_header(x, "X-Openstack-Request-Id");

	c->token_text = header_copy(x, "X-Auth-Token");
	c->subject_text = header_copy(x, "X-Subject-Token");
	c->wanted_version = header_copy(x, "OpenStack-API-Version");
	c->nova_version = header_copy(x, "X-OpenStack-Nova-API-Version");
	c->if_match = header_copy(x, "If-Match");
	c->content_type = header_copy(x, "Content-Type");
	c->range = header_copy(x, "Range");
	c->accept = header_copy(x, "Accept");
	snprintf(c->client_id, sizeof(c->client_id), "%s", id ? id : "");
	if (c->service->all_headers)
		http_headers(x, add_sent, c);
}

/* "req-UUID", or "tx" with 21 digits of chance and ten of the time, as swift makes them. */
static void make_request_id(struct call *c)
{
	const int64_t us = clock_unix_us(loop_clock(c->sim->loop));
	char text[UUID_TEXT];

	if (c->service->transactions) {
		draw_hex32(&c->sim->draw, "request id", text);
		snprintf(c->request_id, sizeof(c->request_id), "tx%.21s-%010llx", text,
			(unsigned long long)(us / 1000000));
		return;
	}
	draw_uuid(&c->sim->draw, "request id", text);
	snprintf(c->request_id, sizeof(c->request_id), "req-%s", text);
}

static void free_pairs(struct pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(p[i].name);
		free(p[i].value);
	}
}

/* NULL when the path belongs to no service. */
static struct call *call_new(struct sim *s, struct http_exchange *x)
{
	const char *rest;
	const struct service *service = route_service(http_path(x), &rest);

	if (!service)
		return NULL;
	struct call *c = mem_new(struct call);
	c->sim = s;
	c->x = x;
	c->service = service;
	c->method = mem_strdup(http_method(x));
	c->path = mem_strdup(rest);
	c->query = mem_strdup(http_query(x));
	c->file = -1;
	c->text.max = BUF_ANSWER;
	c->arrived_ns = loop_now_ns(s->loop);
	http_arguments(x, add_argument, c);
	read_headers(c, x);
	if (service != &control_service)
		c->number = ++s->record.count;
	make_request_id(c);
	route_find(c);
	c->next = s->calls;
	if (c->next)
		c->next->prev = c;
	s->calls = c;
	http_exchange_set_data(x, c);
	return c;
}

static void call_free(struct call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->sim->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	timer_cancel(&c->timer);
	if (c->upload && c->service->upload)
		c->service->upload(c, false);
	upload_free(c->upload);
	for (size_t i = 0; i < ROUTE_PARAMS; i++)
		free(c->params[i]);
	free_pairs(c->arguments.p, c->arguments.n);
	vec_fini(&c->arguments);
	free_pairs(c->sent.p, c->sent.n);
	vec_fini(&c->sent);
	VEC_EACH (&c->headers, struct answer_header, h) {
		free(h->name);
		free(h->value);
	}
	vec_fini(&c->headers);
	VEC_EACH (&c->hits, struct mishap *, m)
		mishap_unref(*m);
	vec_fini(&c->hits);
	char *owned[] = {(char *)c->method, (char *)c->path, c->query, c->token_text,
		c->subject_text, c->wanted_version, c->nova_version, c->if_match, c->content_type,
		c->range, c->accept};
	for (size_t i = 0; i < array_len(owned); i++)
		free(owned[i]);
	json_decref(c->body);
	json_decref(c->answer);
	buf_fini(&c->text);
	if (c->file >= 0)
		close(c->file);
	free(c);
}

void calls_fini(struct sim *s)
{
	for (struct call *c = s->calls, *next; c; c = next) {
		next = c->next;
		if (c->streaming) /* ends with the server: file_end() */
			continue;
		if (c->x) {
			http_exchange_set_data(c->x, NULL);
			http_drop(c->x);
		}
		call_free(c);
	}
}

/* --- arriving --------------------------------------------------------------------------------- */

const struct mishap *call_hit(const struct call *c, enum mishap_effect effect)
{
	VEC_EACH (&c->hits, struct mishap *, m)
		if ((*m)->effect == effect)
			return *m;
	return NULL;
}

static const struct mishap *hit_when(
	const struct call *c, enum mishap_effect effect, enum mishap_when when)
{
	const struct mishap *m = call_hit(c, effect);

	return m && m->when == when ? m : NULL;
}

static void read_body(struct call *c)
{
	struct slice body = http_body(c->x);

	const unsigned flags = c->route ? c->route->flags : 0;

	if (body.n == 0 || flags & (ROUTE_RAW | ROUTE_UPLOAD))
		return;
	c->body = json_parse(body, BODY_MAX, NULL);
	c->bad_body = flags & ROUTE_ANY_JSON ? !c->body : !json_is_object(c->body);
}

static void begin(struct call *c)
{
	int64_t work = 0;

	mishaps_strike(c->sim, c);
	if (c->service != &control_service)
		work = draw_time_ns(&c->sim->draw, c->route ? c->route->work : TIME_READ);
	VEC_EACH (&c->hits, struct mishap *, m)
		if ((*m)->effect == MISHAP_LATENCY)
			work += (*m)->time_ns;
	if (hit_when(c, MISHAP_LOST, MISHAP_LATE) && work < 2 * CUT_AFTER_NS)
		work = 2 * CUT_AFTER_NS;
	timer_start(c->sim->loop, &c->timer,
		hit_when(c, MISHAP_LOST, MISHAP_LATE) ? CUT_AFTER_NS : work, call_run, c);
}

void call_arrive(void *sim, struct http_exchange *x)
{
	struct call *c = http_exchange_data(x);

	if (!c)
		c = call_new(sim, x);
	if (!c) {
		http_reply(x, 404, NULL, 0, SLICE("nothing here\n"));
		return;
	}
	read_body(c);
	begin(c);
}

/* Looks the row up before there is a call. */
static bool is_upload(const struct http_exchange *x)
{
	struct call probe = {.method = http_method(x)};

	probe.service = route_service(http_path(x), &probe.path);
	if (!probe.service)
		return false;
	route_find(&probe);
	for (size_t i = 0; i < ROUTE_PARAMS; i++)
		free(probe.params[i]);
	return probe.route && probe.route->flags & ROUTE_UPLOAD;
}

bool call_stream(void *sim, struct http_exchange *x)
{
	if (!is_upload(x))
		return false;
	struct call *c = call_new(sim, x);
	c->upload = upload_new();
	if (c->service->upload)
		c->service->upload(c, true);
	return true;
}

void call_piece(void *sim, struct http_exchange *x, const void *p, size_t n)
{
	struct call *c = http_exchange_data(x);

	if (c)
		upload_add(c->upload, p, n);
}

void call_gone(void *sim, struct http_exchange *x)
{
	struct call *c = http_exchange_data(x);

	if (!c)
		return;
	c->x = NULL;
	/* the body never came whole: nothing was asked */
	if (!timer_running(&c->timer))
		call_free(c);
}

/* --- executing -------------------------------------------------------------------------------- */

static void unauthorized(struct call *c)
{
	if (c->service->unauthorized) {
		c->service->unauthorized(c);
		return;
	}
	call_header(c, "WWW-Authenticate", "Keystone uri=\"%s/identity\"", c->sim->url);
	if (c->service->webob_errors) {
		call_fail(c, 401, NULL, "%s",
			"This server could not verify that you are authorized to access the "
			"document you requested. Either you supplied the wrong credentials (e.g., "
			"bad password), or your browser does not understand how to supply the "
			"credentials required.");
		return;
	}
	call_json(c, 401,
		json_pack("{s:{s:i, s:s, s:s}}", "error", "code", 401, "title", "Unauthorized",
			"message", "The request you have made requires authentication."));
}

/* With a token of no project a real cloud lets read what is everybody's: lists are 200 and nearly
 * empty, which says nothing about any project. */
static bool unscoped(struct call *c)
{
	if (c->service != &identity_service && !strcmp(c->method, "GET")) {
		snprintf(c->project, sizeof(c->project), "%s", NO_PROJECT);
		return true;
	}
	call_fail(c, 403, "PolicyNotAuthorized",
		"You are not authorized to perform the requested action.");
	return false;
}

/* Clients look for versions before they log in, and most services tell none but those who did. */
static bool asks_version(const struct call *c)
{
	const char *p = c->path;

	if (strcmp(c->method, "GET") || strncmp(p, "/v", 2))
		return false;
	if (c->route && c->route->flags & ROUTE_ENDPOINT)
		return true;
	p += 2;
	p += strspn(p, "0123456789.");
	return !*p || !strcmp(p, "/");
}

static bool authorized(struct call *c)
{
	if (call_hit(c, MISHAP_EXPIRED))
		token_revoke(c->sim, c->token_text);
	if (c->route && c->route->flags & ROUTE_OPEN)
		return true;
	if (!c->token_text && !asks_version(c))
		rule_no_token(c);
	c->token = token_check(c->sim, c->token_text);
	if (!c->token) {
		unauthorized(c);
		return false;
	}
	memcpy(c->project, c->token->project, sizeof(c->project));
	memcpy(c->user, c->token->user, sizeof(c->user));
	return *c->project || !c->route || c->route->flags & ROUTE_UNSCOPED || unscoped(c);
}

static void execute(struct call *c)
{
	const struct route *r = c->route;

	if (!authorized(c))
		return;
	if (c->service->version && !c->service->version(c))
		return;
	if (!r || (r->since && c->version < r->since) || (r->until && c->version > r->until)) {
		if (!r && c->known_path)
			call_fail(c, 405, NULL, "The method %s is not allowed for this resource.",
				c->method);
		else
			call_fail(c, 404, NULL, "The resource could not be found.");
		return;
	}
	if (c->bad_body) {
		const char *type = c->service->bad_body_type, *text = c->service->bad_body_text;
		call_fail(c, 400, type ? type : "MalformedRequestBody", "%s",
			text ? text : "Malformed request body");
		return;
	}
	r->run(c);
	assert(call_answered(c));
}

int call_inside(struct sim *s, const char *path, json_t *body, const char *project,
	const char *user, json_t **ret_answer)
{
	return call_inside_as(s, "POST", path, body, project, user, ret_answer);
}

int call_inside_as(struct sim *s, const char *method, const char *path, json_t *body,
	const char *project, const char *user, json_t **ret_answer)
{
	const char *rest;
	const struct service *service = route_service(path, &rest);
	struct call *c = mem_new(struct call);

	c->sim = s;
	c->service = service;
	c->method = mem_strdup(method);
	c->path = mem_strdup(service ? rest : "");
	c->file = -1;
	c->text.max = BUF_ANSWER;
	c->inside = true;
	c->body = body;
	snprintf(c->project, sizeof(c->project), "%s", project);
	snprintf(c->user, sizeof(c->user), "%s", user);
	if (service)
		route_find(c);
	if (c->route && c->route->flags & ROUTE_UPLOAD)
		c->upload = upload_new();
	if (service && c->route && (!service->version || service->version(c)))
		c->route->run(c);
	const int status = c->status ? c->status : 404;
	*ret_answer = json_incref(c->answer);
	c->next = s->calls; /* call_free() takes it out again */
	if (c->next)
		c->next->prev = c;
	s->calls = c;
	call_free(c);
	return status;
}

static void html_page(struct call *c, const struct mishap *m)
{
	char page[1024];

	snprintf(page, sizeof(page),
		"<html><head><title>%d</title></head><body><center><h1>%d</h1></center>"
		"<hr><center>%s</center></body></html>\n",
		m->status, m->status, m->text ? m->text : "proxy");
	call_text(c, m->status, "text/html", page);
}

static void retry_after(struct call *c, const struct mishap *m)
{
	char date[CLOCK_TEXT];

	if (m->retry_ns < 0)
		return;
	if (m->retry_date)
		call_header(c, "Retry-After", "%s",
			clock_http_date(
				clock_unix_us(loop_clock(c->sim->loop)) + m->retry_ns / NS_PER_US,
				date));
	else
		call_header(c, "Retry-After", "%lld",
			(long long)((m->retry_ns + NS_PER_S - 1) / NS_PER_S));
}

/* Answers in place of the service, when a fault says so. */
static void distort(struct call *c, enum mishap_when when)
{
	const struct mishap *m = hit_when(c, MISHAP_STATUS, when);

	if (m) {
		retry_after(c, m);
		call_fail(c, m->status, NULL, "%s",
			m->text ? m->text : "The server is currently unavailable.");
	}
	if ((m = hit_when(c, MISHAP_HTML, when)))
		html_page(c, m);
	if (hit_when(c, MISHAP_JSON, when))
		call_text(c, 200, "application/json", "{\"answer\": [1, 2,");
}

/* --- answering -------------------------------------------------------------------------------- */

static size_t file_piece(void *arg, int64_t at, void *p, size_t n)
{
	struct call *c = arg;

	if (at >= c->file_stop)
		return 0; /* cut: ends the connection */
	if ((int64_t)n > c->file_stop - at)
		n = (size_t)(c->file_stop - at);
	ssize_t got = pread(c->file, p, n, c->file_from + at);

	return got > 0 ? (size_t)got : 0;
}

static void file_end(void *arg)
{
	call_free(arg);
}

static size_t all_headers(struct call *c, struct http_header *out, size_t max)
{
	size_t n = 0;

	if (c->type)
		out[n++] = (struct http_header){"Content-Type", c->type};
	out[n++] = (struct http_header){"x-openstack-request-id", c->request_id};
	if (c->service->transactions)
		out[n++] = (struct http_header){"X-Trans-Id", c->request_id};
	VEC_EACH (&c->headers, struct answer_header, h)
		if (n < max)
			out[n++] = (struct http_header){h->name, h->value};
	return n;
}

static void send_answer(struct call *c)
{
	struct http_header headers[HEADERS_MAX];
	size_t n = all_headers(c, headers, array_len(headers));
	const struct mishap *cut = call_hit(c, MISHAP_CUT);
	struct http_exchange *x = c->x;

	c->x = NULL;
	if (c->file >= 0) {
		c->streaming = true;
		c->file_stop = !cut ? c->file_n : cut->bytes >= 0 ? cut->bytes : c->file_n / 2;
		http_reply_stream(x, c->status, headers, n, c->file_n, file_piece, c, file_end);
		return;
	}
	if (c->answer)
		json_write(&c->text, c->answer);
	if (cut)
		http_reply_cut(x, c->status, headers, n, buf_slice(&c->text),
			cut->bytes >= 0 ? (size_t)cut->bytes : c->text.n / 2);
	else
		http_reply(x, c->status, headers, n, buf_slice(&c->text));
	call_free(c);
}

/* The connection ends now; what was asked happens when the service comes to it. */
static bool cut_early(struct call *c)
{
	if (!c->x || !hit_when(c, MISHAP_LOST, MISHAP_LATE))
		return false;
	http_drop(c->x);
	c->x = NULL;
	int64_t work = draw_time_ns(&c->sim->draw, c->route ? c->route->work : TIME_READ);
	timer_start(c->sim->loop, &c->timer, work, call_run, c);
	return true;
}

static void call_run(struct timer *t)
{
	struct call *c = t->arg;

	if (cut_early(c))
		return;
	bool lost = hit_when(c, MISHAP_LOST, MISHAP_BEFORE);
	if (!lost) {
		distort(c, MISHAP_BEFORE);
		if (!c->status)
			execute(c);
		distort(c, MISHAP_AFTER);
		lost = hit_when(c, MISHAP_LOST, MISHAP_AFTER);
	}
	if (c->service != &control_service)
		record_call(c->sim, c);
	if (c->x && lost) {
		http_drop(c->x);
		c->x = NULL;
	}
	if (c->x)
		send_answer(c);
	else
		call_free(c);
}
