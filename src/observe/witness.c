/*
 * witness.c - whether anybody outside still answers us, and what waits to know it; see witness.h.
 *
 * All witnesses are asked together in a round, which is over with the first answer. An observation
 * that could be our own fault waits for the end of the round that is under way, or of a new one: in
 * both cases the answer is younger than what it is about. Rounds begin half a second apart at
 * least, so that many failing probes do not turn into a storm at the witnesses' doors.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"
#include "observe/witness_inside.h"

#define EVERY_NS (10 * NS_PER_S)
#define ASK_NS   (1500 * NS_PER_MS)
#define APART_NS (500 * NS_PER_MS)
#define HOLD_NS  (2 * NS_PER_S)
#define FRESH_NS (15 * NS_PER_S)
#define HELD_MAX 10000
#define WHY_MAX  800

/* --- observations that wait ------------------------------------------------------------------- */

static struct held *hold(const struct observation *o, observation_signal *to, void *arg)
{
	struct held *h = mem_new(struct held);
	h->o = *o;
	h->o.cloud = mem_strdup(o->cloud);
	h->o.probe = mem_strdup(o->probe);
	h->o.step = mem_strdup(o->step);
	h->o.component = mem_strdup(o->component);
	h->o.series = mem_strdup(o->series);
	h->o.run = mem_strdup(o->run);
	h->o.detail = mem_strdup(o->detail);
	h->o.request = mem_strdup(o->request);
	h->o.request_id = mem_strdup(o->request_id);
	h->o.service_request_id = mem_strdup(o->service_request_id);
	h->to = to;
	h->arg = arg;
	return h;
}

static void free_held(struct held *h)
{
	const char *texts[] = {h->o.cloud, h->o.probe, h->o.step, h->o.component, h->o.series,
		h->o.run, h->o.detail, h->o.request, h->o.request_id, h->o.service_request_id};
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)texts[i]);
	free(h);
}

/* What could be our own connection. */
static bool is_reaching(enum fault f)
{
	return f == FAULT_RESOLVE || f == FAULT_UNREACHABLE || f == FAULT_TIMEOUT ||
	       f == FAULT_REFUSED || f == FAULT_CONNECTION_LOST;
}

bool witnesses_blind(const struct witnesses *w)
{
	return w->blind && loop_now_ns(w->loop) - w->known_ns <= FRESH_NS;
}

static void pass(const struct witnesses *w, struct held *h)
{
	struct observation o = h->o;
	char *text = NULL;
	if (h->reaching && witnesses_blind(w)) {
		text = mem_printf(
			"none of our witnesses answers, so this says nothing of the "
			"cloud: %s%s%s%s",
			fault_text(o.fault), o.detail ? " (" : "", o.detail ? o.detail : "",
			o.detail ? ")" : "");
		o.fault = FAULT_LOCAL;
		o.detail = text;
	}
	h->to(h->arg, &o);
	free(text);
	free_held(h);
}

static void on_held_long(struct timer *t);

/* Those whose time has come, in order; all of them when the answer is there. */
static void release(struct witnesses *w, bool all)
{
	const int64_t now = loop_now_ns(w->loop);
	size_t n = w->held.n; /* what comes meanwhile waits for its own answer */
	while (n-- && w->held.n && (all || w->held.p[0]->until_ns <= now)) {
		struct held *h = w->held.p[0];
		vec_remove(&w->held, 0);
		pass(w, h);
	}
	if (w->held.n) {
		const int64_t left = w->held.p[0]->until_ns - now;
		timer_start(w->loop, &w->hold, left > 0 ? left : 0, on_held_long, w);
	} else {
		timer_cancel(&w->hold);
	}
}

static void on_held_long(struct timer *t)
{
	release(t->arg, false);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void begin_round(struct witnesses *w)
{
	if (w->under_way)
		return;
	timer_cancel(&w->next);
	w->under_way = true;
	w->silent = 0;
	w->asking = w->list.n;
	w->began_ns = loop_now_ns(w->loop);
	for (size_t i = 0; i < w->list.n; i++) {
		w->list.p[i]->why[0] = 0;
		witness_ask_start(w->list.p[i], ASK_NS);
	}
}

static void list_silent(const struct witnesses *w, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "no witness answers: ");
	for (size_t i = 0; i < w->list.n && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s (%s)", i ? ", " : "",
			w->list.p[i]->target, w->list.p[i]->why);
}

/* The round is over; `witness` answered, or none did. */
static void end_round(struct witnesses *w, const struct witness *witness)
{
	char why[WHY_MAX];
	/* Witnesses that could not even be asked say nothing of the connection. */
	const bool blind = !witness && w->silent > 0, turned = blind != w->blind;
	w->under_way = false;
	for (size_t i = 0; i < w->list.n; i++)
		witness_ask_cancel(w->list.p[i]);
	if (blind)
		list_silent(w, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "%s answers",
			witness ? witness->target : "no witness can be asked, so none");
	w->blind = blind;
	w->known_ns = loop_now_ns(w->loop);
	if (turned && w->changed)
		w->changed(w->arg, blind, why);
	release(w, true);
}

static bool could_be_asked(enum fault f)
{
	return f != FAULT_NO_ICMP && f != FAULT_NO_DESCRIPTORS && f != FAULT_LOCAL &&
	       f != FAULT_CANCELLED;
}

void witness_answered(struct witness *witness, enum fault fault, const char *detail)
{
	struct witnesses *w = witness->owner;
	w->asking--;
	if (fault == FAULT_NONE) {
		end_round(w, witness);
		return;
	}
	w->silent += could_be_asked(fault);
	snprintf(witness->why, sizeof(witness->why), "%s%s%s", fault_text(fault),
		*detail ? ": " : "", detail);
	if (!w->asking)
		end_round(w, NULL);
}

static void on_next(struct timer *t)
{
	begin_round(t->arg);
}

static void want_round(struct witnesses *w)
{
	if (w->under_way || timer_running(&w->next))
		return;
	const int64_t left = w->began_ns < 0 ? 0 : w->began_ns + APART_NS - loop_now_ns(w->loop);
	if (left > 0)
		timer_start(w->loop, &w->next, left, on_next, w);
	else
		begin_round(w);
}

static void on_time(void *arg, struct job *job)
{
	begin_round(arg);
	job_done(job);
}

/* --- passing on ------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Of the same source: they must not overtake each other. */
static bool is_behind(const struct witnesses *w, const struct observation *o)
{
	for (size_t i = w->held.n; i > 0; i--) {
		const struct observation *h = &w->held.p[i - 1]->o;
		if (same(h->probe, o->probe) && same(h->cloud, o->cloud) && same(h->step, o->step))
			return true;
	}
	return false;
}

void witnesses_pass(
	struct witnesses *w, const struct observation *o, observation_signal *to, void *arg)
{
	const bool reaching = w->list.n && is_reaching(o->fault);
	if ((!reaching && !is_behind(w, o)) || w->held.n >= HELD_MAX) {
		to(arg, o);
		return;
	}
	struct held *h = hold(o, to, arg);
	h->reaching = reaching;
	h->until_ns = loop_now_ns(w->loop) + HOLD_NS;
	vec_push(&w->held, h);
	if (w->held.n == 1)
		timer_start(w->loop, &w->hold, HOLD_NS, on_held_long, w);
	if (reaching)
		want_round(w);
}

/* --- life ------------------------------------------------------------------------------------- */

static bool read_target(
	struct witnesses *w, const char *target, struct witness *to, struct error *err)
{
	struct url u;
	const char *how = "";
	struct error why = {0};
	if (!url_parse(slice_of(target), &u, &why)) {
		error_set(err, ERROR_CONFIG, "witness \"%s\": %s", target, why.msg);
		return false;
	}
	const bool tcp = slice_is(u.scheme, "tcp"), icmp = slice_is(u.scheme, "icmp");
	const bool bare = (!u.path.n || slice_is(u.path, "/")) && !u.query.n;
	if ((!tcp && !icmp && !slice_is(u.scheme, "http") && !slice_is(u.scheme, "https")) ||
		!u.host.n || (tcp && (!u.port || !bare)) || (icmp && (u.port || !bare))) {
		error_set(err, ERROR_CONFIG,
			"witness \"%s\" must be tcp://host:port, icmp://host or http(s)://...",
			target);
		return false;
	}
	if (icmp && !pinger_can(w->pinger, AF_INET, &how) &&
		!pinger_can(w->pinger, AF_INET6, &how)) {
		error_set(err, ERROR_CONFIG, "witness \"%s\": this machine cannot ping: %s", target,
			how);
		return false;
	}
	to->owner = w;
	to->kind = tcp ? WITNESS_TCP : icmp ? WITNESS_ICMP : WITNESS_HTTP;
	to->target = mem_strdup(target);
	to->host = slice_dup(u.host);
	to->port = u.port;
	return true;
}

struct witnesses *witnesses_new(struct schedule *s, struct http_client *probes,
	struct resolver *resolver, struct pinger *pinger, const char *const *targets,
	void (*changed)(void *arg, bool blind, const char *why), void *arg, struct error *err)
{
	struct witnesses *w = mem_new(struct witnesses);
	w->schedule = s;
	w->loop = schedule_loop(s);
	w->probes = probes;
	w->resolver = resolver;
	w->pinger = pinger;
	w->changed = changed;
	w->arg = arg;
	w->began_ns = -1;
	for (size_t i = 0; targets && targets[i]; i++) {
		struct witness *one = mem_new(struct witness);
		vec_push(&w->list, one);
		if (!read_target(w, targets[i], one, err)) {
			witnesses_free(w);
			return NULL;
		}
	}
	const struct job_options o = {
		.name = "witnesses", .every_ns = EVERY_NS, .soon = true, .run = on_time, .arg = w};
	if (w->list.n)
		w->job = schedule_add(s, &o);
	return w;
}

void witnesses_free(struct witnesses *w)
{
	if (!w)
		return;
	schedule_remove(w->job);
	timer_cancel(&w->next);
	timer_cancel(&w->hold);
	for (size_t i = 0; i < w->list.n; i++) {
		struct witness *one = w->list.p[i];
		witness_ask_cancel(one);
		free(one->target);
		free(one->host);
		free(one);
	}
	for (size_t i = 0; i < w->held.n; i++)
		free_held(w->held.p[i]);
	vec_fini(&w->list);
	vec_fini(&w->held);
	free(w);
}
