/*
 * http_client.c - clients, and the life of a call.
 *
 *	starting -> resolving -> running -> ended
 *
 * A call has one timer with one purpose at a time: to start outside curl's callbacks, to bound the
 * connecting, to bound the whole, to deliver. Every path leads to end_call(), and only deliver()
 * calls the caller back, from the timer, so never from inside http_send() or curl. After that
 * callback neither call nor client is touched: the caller may have freed the client.
 */
#include "net/http_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "net/http_call.h"
#include "net/tls_inside.h"

#define CONNECTIONS 64
#define SPARE_MAX   64

static void on_timer(struct timer *t);

/* --- the end -----------------------------------------------------------------------------------
 */

static void arm(struct http_call *call, int64_t until_ns)
{
	int64_t left = until_ns - loop_now_ns(call->client->loop);

	timer_start(call->client->loop, &call->timer, left > 0 ? left : 0, on_timer, call);
}

/* The answer is complete; nothing changes it any more. */
static void end_call(struct http_call *call)
{
	call->state = HTTP_ENDED;
	if (!call->answer.phases.total_ns)
		call->answer.phases.total_ns = (int64_t)uv_hrtime() - call->began_ns;
	if (!call->lookup)
		timer_start(call->client->loop, &call->timer, 0, on_timer, call);
}

static void end_with(struct http_call *call, enum fault fault, const char *detail)
{
	call->answer.fault = fault;
	snprintf(call->answer.detail, sizeof(call->answer.detail), "%s", detail);
	end_call(call);
}

static void detach(struct http_call *call)
{
	if (call->in_multi)
		http_call_remove(call);
	call->in_multi = false;
	if (call->counted)
		call->host->active--;
	call->counted = false;
}

static void give_back(struct http_client *c, CURL *easy)
{
	if (easy && c->spare.n < SPARE_MAX && !c->freeing) {
		curl_easy_reset(easy);
		vec_push(&c->spare, easy);
	} else {
		curl_easy_cleanup(easy);
	}
}

/* What fails on the way through a proxy may be its doing: who reads of it must hear of the proxy. */
static void name_proxy(struct http_call *call)
{
	struct http_answer *a = &call->answer;
	char own[sizeof(a->detail)];

	if (!call->proxied || !a->fault || a->fault == FAULT_CANCELLED)
		return;
	memcpy(own, a->detail, sizeof(own));
	snprintf(a->detail, sizeof(a->detail), "through the proxy %.80s port %u: %.140s",
		call->host_name, call->host_port, own);
}

static void deliver(struct http_call *call)
{
	struct http_client *c = call->client;

	timer_cancel(&call->timer);
	detach(call);
	give_back(c, call->easy);
	curl_slist_free_all(call->sent_headers);
	curl_slist_free_all(call->resolve);
	curl_slist_free_all(call->connect_to);
	if (call->host)
		call->host->calls--;
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	loop_release(c->loop);
	call->answer.call = call;
	call->answer.headers = &call->headers;
	call->answer.tls = call->facts;
	call->answer.body = buf_slice(&call->body);
	name_proxy(call);
	http_call_date(call);
	call->done(call->arg, &call->answer);
	buf_fini(&call->body);
	http_headers_fini(&call->headers);
	if (call->facts)
		tls_facts_fini(call->facts);
	free(call->facts);
	free(call->host_name);
	free(call->host_key);
	free(call);
}

void http_client_harvest(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		CURLcode code = m->data.result;
		CURL *easy = m->easy_handle;
		struct http_call *call;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
		if (call->state != HTTP_ENDED) {
			http_call_conclude(call, code, FAULT_NONE);
			end_call(call);
		}
		detach(call);
	}
}

void http_call_stop(struct http_call *call, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	if (call->stop || call->state == HTTP_ENDED)
		return;
	va_start(ap, fmt);
	call->stop = fault;
	vsnprintf(call->stop_detail, sizeof(call->stop_detail), fmt, ap);
	va_end(ap);
}

void http_cancel(struct http_call *call)
{
	if (call->state == HTTP_RUNNING)
		http_call_conclude(call, CURLE_OK, FAULT_CANCELLED);
	if (call->lookup)
		resolve_cancel(call->lookup);
	end_with(call, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
}

/* --- on its way --------------------------------------------------------------------------------
 */

void http_call_ready(struct http_call *call)
{
	if (call->end_ns > call->connect_end_ns)
		arm(call, call->end_ns);
}

/* curl gets its connect deadline too: it divides that among the addresses of a host. */
static void run(struct http_call *call)
{
	int64_t left_ns = call->connect_end_ns - loop_now_ns(call->client->loop);
	int64_t left_ms = left_ns > NS_PER_MS ? left_ns / NS_PER_MS : 1;
	CURLMcode code;

	call->state = HTTP_RUNNING;
	call->host->active++;
	call->counted = true;
	curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(left_ms > INT32_MAX ? INT32_MAX : left_ms));
	curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->resolve);
	arm(call, call->connect_end_ns);
	code = curl_multi_add_handle(call->client->multi, call->easy);
	call->in_multi = code == CURLM_OK;
	if (!call->in_multi)
		end_with(call, FAULT_LOCAL, curl_multi_strerror(code));
}

static void run_with_addresses(struct http_call *call)
{
	char *entry = mem_printf("%s:%s", call->host_key, call->host->addresses);
	struct curl_slist *longer = curl_slist_append(call->resolve, entry);

	if (!longer)
		mem_panic("out of memory");
	call->resolve = longer;
	free(entry);
	run(call);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct http_call *call = arg;
	char detail[sizeof(call->answer.detail)];

	call->lookup = NULL;
	if (call->state == HTTP_ENDED) {
		end_call(call); /* cancelled meanwhile */
		return;
	}
	if (r->queried)
		call->answer.phases.resolve_ns = r->took_ns;
	if (r->fault) {
		snprintf(detail, sizeof(detail), "cannot resolve %.100s: %s", call->host_name,
			r->detail);
		end_with(call, r->fault, detail);
		return;
	}
	http_host_learn(call->host, r);
	run_with_addresses(call);
}

static void start(struct http_call *call)
{
	struct http_client *c = call->client;
	int64_t left = call->connect_end_ns - loop_now_ns(c->loop);

	if (!call->needs_lookup) {
		run(call);
	} else if (http_host_known(c, call->host)) {
		run_with_addresses(call);
	} else {
		call->state = HTTP_RESOLVING;
		call->lookup = resolve(c->resolver, call->host_name, call->host_port, call->family,
			left > 0 ? left : 1, on_resolved, call);
	}
}

static void on_timer(struct timer *t)
{
	struct http_call *call = t->arg;

	switch (call->state) {
	case HTTP_STARTING: start(call); break;
	case HTTP_RESOLVING: break; /* the resolver keeps the deadline */
	case HTTP_RUNNING:
		http_call_conclude(call, CURLE_OK, FAULT_TIMEOUT);
		detach(call);
		end_call(call);
		break;
	case HTTP_ENDED: deliver(call); break;
	}
}

struct http_call *http_send(
	struct http_client *c, const struct http_request *request, http_done *done, void *arg)
{
	struct http_call *call = mem_new(struct http_call);
	int64_t now = loop_now_ns(c->loop);

	assert(!c->freeing && done && request->deadline_ns > 0);
	call->client = c;
	call->done = done;
	call->arg = arg;
	call->began_ns = (int64_t)uv_hrtime();
	call->budget_ns = request->deadline_ns;
	call->connect_budget_ns = request->connect_ns > 0 && request->connect_ns < call->budget_ns
					  ? request->connect_ns
					  : call->budget_ns;
	call->end_ns = now + call->budget_ns;
	call->connect_end_ns = now + call->connect_budget_ns;
	call->next = c->calls;
	call->link = &c->calls;
	if (call->next)
		call->next->link = &call->next;
	c->calls = call;
	loop_hold(c->loop);
	if (!http_call_prepare(call, request))
		end_call(call);
	else if (c->in_curl)
		arm(call, now);
	else
		start(call);
	return call;
}

/* --- clients -----------------------------------------------------------------------------------
 */

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		mem_panic("the HTTP library cannot start");
}

void http_client_dates(struct http_client *c, http_dated *dated, void *arg)
{
	c->dated = dated;
	c->dated_arg = arg;
}

struct http_client *http_client_new(
	struct loop *l, const struct http_client_options *options, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_client *c = mem_new(struct http_client);

	pthread_once(&once, init_library);
	c->loop = l;
	c->fresh = options->fresh;
	c->connections = options->connections ? options->connections : CONNECTIONS;
	c->resolver = resolver_new(l, options->dns_servers, err);
	if (!c->resolver) {
		free(c);
		return NULL;
	}
	if (!http_sockets_init(c, err)) {
		resolver_free(c->resolver);
		free(c);
		return NULL;
	}
	c->user_agent = mem_strdup(
		options->user_agent ? options->user_agent : "glasshouse/" GLASSHOUSE_VERSION);
	if (options->use_proxy)
		http_proxies_read(&c->proxies);
	return c;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	assert(!c->in_curl);
	c->freeing = true;
	for (struct http_call *call = c->calls; call; call = call->next)
		if (call->state != HTTP_ENDED)
			http_cancel(call);
	resolver_free(c->resolver); /* the cancelled lookups end in here */
	while (c->calls)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the list before its end */
		deliver(c->calls);
	VEC_EACH (&c->spare, CURL *, easy)
		curl_easy_cleanup(*easy);
	vec_fini(&c->spare);
	http_proxies_fini(&c->proxies);
	free(c->user_agent);
	http_sockets_fini(c);
}
