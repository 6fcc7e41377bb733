/*
 * witness_ask.c - one witness asked once: a TCP connection, an HTTP request or an echo.
 *
 * An asking outlives its witness when that goes meanwhile; then its end tells nobody.
 */

#include <stdio.h>
#include <stdlib.h>

#include "net/tcp.h"
#include "observe/witness_inside.h"

#define ANSWER_MAX (64u << 10)

struct witness_ask {
	struct witness *witness; /* NULL: cancelled */
	int64_t end_ns;
	struct tcp_call *tcp;
	struct http_call *http;
	struct resolve_call *lookup;
	struct ping_call *ping;
};

static void finish(struct witness_ask *a, enum fault fault, const char *detail)
{
	struct witness *w = a->witness;
	free(a);
	if (!w)
		return;
	w->ask = NULL;
	witness_answered(w, fault, detail);
}

static void on_tcp(void *arg, const struct tcp_result *r)
{
	finish(arg, r->fault, r->detail);
}

/* A gateway's word may be that of a proxy on our own side. */
static void on_http(void *arg, const struct http_answer *r)
{
	char text[40];
	if (r->fault != FAULT_NONE || r->status < 502 || r->status > 504) {
		/* A long answer is one. */
		finish(arg, r->fault == FAULT_BODY_TOO_LARGE ? FAULT_NONE : r->fault, r->detail);
		return;
	}
	snprintf(text, sizeof(text), "answered %d", r->status);
	finish(arg, FAULT_HTTP_5XX, text);
}

static void on_ping(void *arg, const struct ping_result *r)
{
	finish(arg, r->fault, r->detail);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct witness_ask *a = arg;
	a->lookup = NULL;
	if (!a->witness || r->fault != FAULT_NONE || !r->n) {
		finish(a, r->fault != FAULT_NONE ? r->fault : FAULT_NXDOMAIN, r->detail);
		return;
	}
	const struct witnesses *w = a->witness->owner;
	const int64_t left = a->end_ns - loop_now_ns(w->loop);
	a->ping = ping(w->pinger, &r->address[0], left > 0 ? left : 1, on_ping, a);
}

void witness_ask_start(struct witness *w, int64_t deadline_ns)
{
	const struct witnesses *all = w->owner;
	struct witness_ask *a = mem_new(struct witness_ask);
	a->witness = w;
	a->end_ns = loop_now_ns(all->loop) + deadline_ns;
	w->ask = a;
	if (w->kind == WITNESS_TCP) {
		a->tcp = tcp_connect_check(
			all->loop, all->resolver, w->host, w->port, deadline_ns, on_tcp, a);
	} else if (w->kind == WITNESS_ICMP) {
		a->lookup =
			resolve(all->resolver, w->host, 0, AF_UNSPEC, deadline_ns, on_resolved, a);
	} else {
		const struct http_request q = {.method = "GET",
			.url = w->target,
			.deadline_ns = deadline_ns,
			.answer_max = ANSWER_MAX};
		a->http = http_send(all->probes, &q, on_http, a);
	}
}

void witness_ask_cancel(struct witness *w)
{
	struct witness_ask *a = w->ask;
	if (!a)
		return;
	w->ask = NULL;
	a->witness = NULL;
	if (a->tcp)
		tcp_cancel(a->tcp);
	else if (a->http)
		http_cancel(a->http);
	else if (a->lookup)
		resolve_cancel(a->lookup);
	else
		ping_cancel(a->ping);
}
