/*
 * stream.c - a steady stream of probes and the gaps in it.
 *
 * One probe every `every`, each with its own answer; what has not answered within PROBE_NS is lost.
 * A result belongs to the moment its probe was sent. A gap is the time between two answered probes
 * with lost ones between them (or from the first lost one to the end).
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/vec.h"
#include "observe/scenario/check.h"
#include "observe/scenario/checks.h"

#define PROBE_NS   (2 * NS_PER_S)
#define EVERY_NS   (100 * NS_PER_MS)
#define EVERY_MIN  (1 * NS_PER_MS)
#define PROBES_MAX 200000
#define AT_ONCE    4000

enum target { TARGET_ICMP, TARGET_TCP, TARGET_HTTP, TARGET_DNS };
enum outcome { OUT_PENDING, OUT_GOOD, OUT_LOST };

struct probe {
	struct stream *stream;
	int64_t sent_ns;
	enum outcome outcome;
	struct ping_call *ping;
	struct tcp_call *tcp;
	struct http_call *http;
	struct dns_call *dns;
	size_t at; /* its place in `probes` */
};

struct sample {
	int64_t sent_ns;
	enum outcome outcome;
};

struct stream {
	struct check_tools tools;
	check_done *done;
	void *arg;
	enum target target;
	char *host, *url;
	char *peer;          /* where to connect instead of what the URL says, or NULL */
	char *server, *type; /* of a DNS question; host is its name */
	unsigned port;
	struct sockaddr_storage address;
	struct resolve_call *resolve;
	int64_t every_ns, began_ns, mark_ns;
	struct timer timer;
	VEC(struct sample) samples;
	VEC(struct probe *) open;
	bool stopping, cancelled, resolved;
	enum fault fault;
	char detail[128];
	char last[128];
};

/* --- what it measured ---------------------------------------------------------------------------
 */

struct gaps {
	int64_t sent, lost, gaps, longest_ns, up_after_ns, down_after_ns;
};

static struct gaps measure(const struct stream *s)
{
	struct gaps g = {.up_after_ns = -1, .down_after_ns = -1};
	int64_t last_good = s->began_ns;
	bool in_gap = false;
	for (size_t i = 0; i < s->samples.n; i++) {
		const struct sample *x = &s->samples.p[i];
		const bool good = x->outcome == OUT_GOOD;
		g.sent++;
		g.lost += !good;
		g.gaps += !good && !in_gap;
		if (in_gap && (good || i + 1 == s->samples.n) &&
			x->sent_ns - last_good > g.longest_ns)
			g.longest_ns = x->sent_ns - last_good;
		in_gap = !good;
		if (good)
			last_good = x->sent_ns;
		if (s->mark_ns && x->sent_ns >= s->mark_ns) {
			if (good && g.up_after_ns < 0)
				g.up_after_ns = x->sent_ns - s->mark_ns;
			if (!good && g.down_after_ns < 0)
				g.down_after_ns = x->sent_ns - s->mark_ns;
		}
	}
	return g;
}

static void put_time(json_t *m, const char *name, int64_t ns)
{
	char text[UNITS_TEXT];
	if (ns >= 0)
		json_object_set_new(
			m, name, json_string(units_time_exact(ns / NS_PER_US * NS_PER_US, text)));
}

static void stream_free(struct stream *s)
{
	vec_fini(&s->samples);
	vec_fini(&s->open);
	free(s->host);
	free(s->url);
	free(s->peer);
	free(s->server);
	free(s->type);
	free(s);
}

static void finish(struct stream *s)
{
	const struct gaps g = measure(s);
	json_t *m = json_object();
	json_object_set_new(m, "SENT", json_integer(g.sent));
	json_object_set_new(m, "LOST", json_integer(g.lost));
	json_object_set_new(m, "GAPS", json_integer(g.gaps));
	put_time(m, "LONGEST_GAP", g.longest_ns);
	put_time(m, "UP_AFTER", g.up_after_ns);
	put_time(m, "DOWN_AFTER", g.down_after_ns);
	if (s->last[0])
		json_object_set_new(m, "LAST", json_string(s->last));
	struct check_result r = {.fault = s->cancelled ? FAULT_CANCELLED : s->fault, .measured = m};
	snprintf(r.detail, sizeof(r.detail), "%s", s->detail);
	timer_cancel(&s->timer);
	s->done(s->arg, &r);
	json_decref(m);
	stream_free(s);
}

/* --- probes -------------------------------------------------------------------------------------
 */

static void end_probe(struct probe *p, enum fault fault)
{
	struct stream *s = p->stream;
	s->samples.p[p->at].outcome = fault == FAULT_NONE ? OUT_GOOD : OUT_LOST;
	/* Our own inability is a fault of the stream, not of what it looks at. */
	if (fault == FAULT_NO_ICMP || fault == FAULT_LOCAL || fault == FAULT_NO_DESCRIPTORS)
		s->fault = fault;
	for (size_t i = 0; i < s->open.n; i++)
		if (s->open.p[i] == p) {
			s->open.p[i] = s->open.p[s->open.n - 1];
			s->open.n--;
			break;
		}
	free(p);
	if (s->stopping && !s->open.n && !s->resolve)
		finish(s);
}

static void on_ping(void *arg, const struct ping_result *r)
{
	end_probe(arg, r->fault);
}

static void on_tcp(void *arg, const struct tcp_result *r)
{
	end_probe(arg, r->fault);
}

static void on_http(void *arg, const struct http_answer *a)
{
	struct probe *p = arg;
	const enum fault fault = a->fault != FAULT_NONE ? a->fault : fault_of_status(a->status);
	if (fault == FAULT_NONE)
		snprintf(p->stream->last, sizeof(p->stream->last), "%.*s",
			SLICE_ARG(slice_trim(slice_sub(a->body, 0, 100))));
	end_probe(p, fault);
}

static void on_dns(void *arg, const struct dns_result *r)
{
	struct probe *p = arg;
	struct buf text = BUF(sizeof(p->stream->last) - 1);
	if (r->fault == FAULT_NONE) {
		check_dns_text(&text, r->said);
		snprintf(p->stream->last, sizeof(p->stream->last), "%s", buf_str(&text));
	}
	buf_fini(&text);
	end_probe(p, r->fault);
}

/* The question was tried when the stream was read: it is one. */
static void send_question(struct probe *p)
{
	const struct stream *s = p->stream;
	const struct dns_question q = {
		.server = s->server, .name = s->host, .type = s->type, .deadline_ns = PROBE_NS};
	struct error err = {0};
	p->dns = dns_lookup(s->tools.loop, s->tools.resolver, &q, on_dns, p, &err);
	assert(p->dns);
}

static void send_probe(struct stream *s)
{
	if (s->samples.n >= PROBES_MAX || s->open.n >= AT_ONCE)
		return;
	struct probe *p = mem_new(struct probe);
	p->stream = s;
	p->sent_ns = loop_now_ns(s->tools.loop);
	p->at = s->samples.n;
	vec_push(&s->samples, ((struct sample){p->sent_ns, OUT_PENDING}));
	vec_push(&s->open, p);
	if (s->target == TARGET_ICMP) {
		p->ping = ping(s->tools.pinger, &s->address, PROBE_NS, on_ping, p);
	} else if (s->target == TARGET_TCP) {
		p->tcp = tcp_connect_check(
			s->tools.loop, s->tools.resolver, s->host, s->port, PROBE_NS, on_tcp, p);
	} else if (s->target == TARGET_DNS) {
		send_question(p);
	} else {
		const struct http_request q = {.method = "GET",
			.url = s->url,
			.connect_to = s->peer,
			.deadline_ns = PROBE_NS,
			.answer_max = 1u << 20};
		p->http = http_send(s->tools.probes, &q, on_http, p);
	}
}

/* Fixed rate: what a late turn of the loop missed is sent at once, not left out. */
static void on_tick(struct timer *t)
{
	struct stream *s = t->arg;
	const int64_t now = loop_now_ns(s->tools.loop);
	const int64_t due = (now - s->began_ns) / s->every_ns + 1;
	for (int n = 0; n < 50 && (int64_t)s->samples.n < due; n++)
		send_probe(s);
	const int64_t next = s->began_ns + due * s->every_ns - now;
	timer_start(s->tools.loop, &s->timer, next > 0 ? next : 0, on_tick, s);
}

static void begin(struct stream *s)
{
	s->began_ns = loop_now_ns(s->tools.loop);
	s->timer.arg = s;
	on_tick(&s->timer);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct stream *s = arg;
	s->resolve = NULL;
	if (r->fault == FAULT_NONE && !s->stopping) {
		s->address = r->address[0];
		begin(s);
		return;
	}
	if (r->fault != FAULT_NONE && !s->stopping) {
		s->fault = r->fault;
		snprintf(s->detail, sizeof(s->detail), "%s", r->detail);
	}
	if (s->stopping)
		finish(s);
}

/* --- starting -----------------------------------------------------------------------------------
 */

/* "SERVER/NAME?TYPE": the server may be left out, the type too (A). */
static bool read_question(struct stream *s, struct slice rest, struct error *err)
{
	const size_t slash = slice_find(rest, '/');
	const struct slice server = slice_sub(rest, 0, slash);
	const struct slice question = slice_sub(rest, slash + 1, rest.n);
	const size_t mark = slice_find(question, '?');
	struct dns_asked asked;
	unsigned port;
	char *host = NULL;
	s->target = TARGET_DNS;
	s->server = server.n ? slice_dup(server) : NULL;
	s->host = slice_dup(slice_sub(question, 0, mark));
	s->type = mark < question.n ? slice_dup(slice_sub(question, mark + 1, question.n))
				    : mem_strdup("A");
	const bool good = !s->server || dns_server_split(s->server, &host, &port);
	free(host);
	if (!good)
		error_set(err, ERROR_INPUT,
			"stream `to` is dns://SERVER/NAME?TYPE, and \"%.100s\" is no server",
			s->server);
	return good && dns_ask(s->host, s->type, 0, &asked, err);
}

static bool read_target(
	struct stream *s, const struct reach *reach, struct slice to, struct error *err)
{
	char *text = slice_dup(to), *host = NULL;
	bool good = true;
	if (slice_starts(to, "icmp://")) {
		s->target = TARGET_ICMP;
		unsigned port = 0;
		s->host = reach_address(reach, text + strlen("icmp://"), &port, true);
		if (port) {
			s->target = TARGET_TCP;
			s->port = port;
		}
	} else if (slice_starts(to, "tcp://") &&
		   check_split(text + strlen("tcp://"), &host, &s->port)) {
		s->target = TARGET_TCP;
		s->host = reach_address(reach, host, &s->port, false);
	} else if (slice_starts(to, "http://") || slice_starts(to, "https://")) {
		s->target = TARGET_HTTP;
		s->url = mem_strdup(text);
		s->peer = reach_peer(reach, text);
	} else if (slice_starts(to, "dns://")) {
		good = read_question(s, slice_sub(to, strlen("dns://"), to.n), err);
	} else {
		error_set(err, ERROR_INPUT,
			"stream `to` is icmp://HOST, tcp://HOST:PORT, http://… or "
			"dns://SERVER/NAME?TYPE, not \"%.100s\"",
			text);
		good = false;
	}
	free(host);
	free(text);
	return good;
}

/* A bare number is no time here either. */
static bool read_every(const struct value *v, int64_t *ret_ns, struct error *err)
{
	bool good = !v || v->type == VALUE_NULL || v->type == VALUE_TIME;
	if (v && v->type == VALUE_TIME)
		*ret_ns = v->integer;
	else if (v && v->type == VALUE_TEXT)
		good = units_parse_time(value_slice(v), ret_ns);
	if (good && *ret_ns >= EVERY_MIN)
		return true;
	error_set(err, ERROR_INPUT, "stream `every` is a time with a unit, at least 1ms");
	return false;
}

struct stream *stream_start(const struct check_tools *tools, struct world *w, struct element *e,
	const struct value *body, check_done *done, void *arg, struct error *err)
{
	const struct value *to = body->type == VALUE_MAP ? value_field(body, SLICE("to")) : NULL;
	const struct value *every =
		body->type == VALUE_MAP ? value_field(body, SLICE("every")) : NULL;
	if (!to || to->type != VALUE_TEXT) {
		error_set(err, ERROR_INPUT, "stream needs `to`");
		return NULL;
	}
	struct stream *s = mem_new(struct stream);
	s->tools = *tools;
	s->done = done;
	s->arg = arg;
	s->every_ns = EVERY_NS;
	if (!read_every(every, &s->every_ns, err) ||
		!read_target(s, &cloud_configuration(tools->cloud)->reach, value_slice(to), err)) {
		stream_free(s);
		return NULL;
	}
	if (s->target == TARGET_ICMP)
		s->resolve = resolve(
			tools->resolver, s->host, 0, AF_UNSPEC, 10 * NS_PER_S, on_resolved, s);
	else
		begin(s);
	return s;
}

void stream_mark(struct stream *s)
{
	if (!s->mark_ns)
		s->mark_ns = loop_now_ns(s->tools.loop);
}

static void on_stopped(struct timer *t)
{
	finish(t->arg);
}

void stream_stop(struct stream *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	timer_cancel(&s->timer);
	if (!s->open.n && !s->resolve)
		timer_start(s->tools.loop, &s->timer, 0, on_stopped, s);
}

void stream_cancel(struct stream *s)
{
	s->cancelled = true;
	for (size_t i = 0; i < s->open.n; i++) {
		const struct probe *p = s->open.p[i];
		if (p->ping)
			ping_cancel(p->ping);
		else if (p->tcp)
			tcp_cancel(p->tcp);
		else if (p->http)
			http_cancel(p->http);
		else if (p->dns)
			dns_cancel(p->dns);
	}
	if (s->resolve)
		resolve_cancel(s->resolve);
	stream_stop(s);
}
