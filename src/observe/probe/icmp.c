/*
 * icmp.c - kind icmp: a round of pings, evenly apart; how many were lost, and how long each took.
 *
 * An echo is lost when it has not come by the end of the time allowed: a late one is late, not
 * lost. What the probe tells as its time is the median, not how long the round lasted.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "observe/probe/talk.h"

#define COUNT_MAX    100
#define INTERVAL     (200 * NS_PER_MS)
#define INTERVAL_MIN (10 * NS_PER_MS)
#define INTERVAL_MAX (60 * NS_PER_S)

struct icmp_spec {
	char *to;
	int64_t count, size, interval_ns; /* 0: as long as it fits */
	/* made of them */
	char *host;
	unsigned port; /* none */
};

#define ICMP(name, type, field) name, type, offsetof(struct icmp_spec, field)
static const struct key keys[] = {
	{ICMP("to", KEY_TEXT, to), .required = true, .max = 300},
	{ICMP("count", KEY_INT, count), .min = 1, .max = COUNT_MAX},
	{ICMP("interval", KEY_TIME, interval_ns), .min = INTERVAL_MIN, .max = INTERVAL_MAX},
	{ICMP("size", KEY_INT, size), .min = PING_SIZE_MIN, .max = PING_SIZE_MAX},
};
#undef ICMP

static void defaults(void *into)
{
	struct icmp_spec *s = into;

	s->count = 5;
	s->size = PING_SIZE;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct icmp_spec *s = spec;

	if (!probe_read_target(r, talk_at(at, "to"), s->to, 1, &s->host, &s->port))
		return false;
	if (s->port != 1) {
		probe_wrong(r, talk_at(at, "to"), "a ping has no port: write the host alone");
		return false;
	}
	if (!s->interval_ns) {
		const int64_t fits = r->timeout_ns / 2 / s->count;
		s->interval_ns = fits < INTERVAL_MIN ? INTERVAL_MIN
				 : fits < INTERVAL   ? fits
						     : INTERVAL;
	}
	if ((s->count - 1) * s->interval_ns >= r->timeout_ns) {
		probe_wrong(r, talk_at(at, "count"),
			"%d pings %.3g s apart take longer than the timeout of %.3g s",
			(int)s->count, (double)s->interval_ns / (double)NS_PER_S,
			(double)r->timeout_ns / (double)NS_PER_S);
		return false;
	}
	buf_add_str(out, s->host);
	return true;
}

static void fini(void *spec)
{
	struct icmp_spec *s = spec;

	free(s->host);
}

static bool can_run(const struct probe_tools *t, const void *spec, struct error *err)
{
	const char *how = "there is no pinger here";

	if (t->pinger &&
		(pinger_can(t->pinger, AF_INET, &how) || pinger_can(t->pinger, AF_INET6, &how)))
		return true;
	error_set(err, ERROR_INPUT, "%s", how);
	return false;
}

/* --- a round -----------------------------------------------------------------------------------
 */

struct round;

struct echo { /* one ping */
	struct round *round;
	struct ping_call *call; /* NULL: it has ended, or was not sent */
};

struct round {
	struct attempt *attempt; /* NULL: nobody wants to know any more */
	struct resolve_call *resolve;
	struct sockaddr_storage to;
	struct timer next;
	struct echo *echoes;
	size_t count, sent, ended, n;
	size_t unknown; /* sent, and nobody knows: this machine failed */
	int64_t *us;    /* of those answered: in order of coming; sorted at the end */
	int hop_limit;  /* of the last reply; 0: not known */
	enum fault fault;
	char detail[160]; /* of the last one that was not answered */
};

static void round_free(struct round *k)
{
	free(k->echoes);
	free(k->us);
	free(k);
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median_us(const struct round *k)
{
	return k->n % 2 ? k->us[k->n / 2] : (k->us[k->n / 2 - 1] + k->us[k->n / 2]) / 2;
}

static void end(struct round *k)
{
	struct attempt *a = k->attempt;

	qsort(k->us, k->n, sizeof(*k->us), compare);
	a->round_us = k->us;
	a->round_sent = k->sent - k->unknown;
	a->round_n = k->n;
	a->connected = k->n > 0;
	if (!k->n) {
		attempt_end(a, k->fault, "none of %zu pings was answered: %s", k->sent, k->detail);
		return;
	}
	a->phases.wait_ns = median_us(k) * NS_PER_US;
	a->phases.total_ns = a->phases.resolve_ns + a->phases.wait_ns;
	a->is_ours_to_warn = k->n < a->round_sent && !a->judged;
	if (k->n < a->round_sent)
		attempt_end(a, FAULT_NONE, "%zu of %zu pings were lost", a->round_sent - k->n,
			a->round_sent);
	else
		attempt_end(a, FAULT_NONE, NULL);
}

static void on_echo(void *arg, const struct ping_result *r)
{
	struct echo *e = arg;
	struct round *k = e->round;

	e->call = NULL;
	k->ended++;
	if (!k->attempt) {
		if (k->ended == k->sent)
			round_free(k);
		return;
	}
	if (r->fault == FAULT_NONE) {
		k->us[k->n++] = (r->rtt_ns + NS_PER_US / 2) / NS_PER_US;
		k->hop_limit = r->hop_limit;
	} else {
		k->unknown += r->fault == FAULT_LOCAL;
		k->fault = r->fault;
		snprintf(k->detail, sizeof(k->detail), "%s", r->detail);
	}
	if (k->ended == k->sent && !timer_running(&k->next))
		end(k);
}

static void on_next(struct timer *t)
{
	struct round *k = t->arg;
	const struct attempt *a = k->attempt;
	const struct icmp_spec *s = a->spec;
	const int64_t left = a->deadline_ns - attempt_age_ns(a);
	struct echo *e = &k->echoes[k->sent++];

	/* A later try may have less time than a round takes. */
	if (k->sent < k->count && s->interval_ns < left)
		timer_start(a->tools->loop, &k->next, s->interval_ns, on_next, k);
	e->round = k;
	e->call = ping_sized(
		a->tools->pinger, &k->to, (size_t)s->size, left > 0 ? left : 1, on_echo, e);
}

/* The first address of a family that can be pinged from here; else the first. */
static void choose(struct round *k, const struct resolved *r)
{
	const char *how;
	size_t i = 0;

	while (i + 1 < r->n &&
		!pinger_can(k->attempt->tools->pinger, r->address[i].ss_family, &how))
		i++;
	if (!pinger_can(k->attempt->tools->pinger, r->address[i].ss_family, &how))
		i = 0;
	k->to = r->address[i];
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct round *k = arg;
	struct attempt *a = k->attempt;

	k->resolve = NULL;
	if (!a) {
		round_free(k);
		return;
	}
	a->phases.resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault != FAULT_NONE) {
		attempt_end(a, r->fault, "%s", r->detail);
		return;
	}
	choose(k, r);
	if (k->to.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&k->to)->sin6_addr, a->address,
			sizeof(a->address));
	else
		inet_ntop(AF_INET, &((struct sockaddr_in *)&k->to)->sin_addr, a->address,
			sizeof(a->address));
	timer_start(a->tools->loop, &k->next, 0, on_next, k);
}

static void start(struct attempt *a)
{
	const struct icmp_spec *s = a->spec;
	struct round *k = mem_new(struct round);

	k->attempt = a;
	k->count = (size_t)s->count;
	k->echoes = mem_new_array(k->count, sizeof(*k->echoes));
	k->us = mem_new_array(k->count, sizeof(*k->us));
	a->data = k;
	k->resolve =
		resolve(a->tools->resolver, s->host, 0, a->family, a->deadline_ns, on_resolved, k);
}

/* What is under way frees the round as it ends. */
static void cancel(struct attempt *a)
{
	struct round *k = a->data;

	k->attempt = NULL;
	a->data = NULL;
	timer_cancel(&k->next);
	if (k->resolve) {
		resolve_cancel(k->resolve);
		return;
	}
	if (k->ended == k->sent) {
		round_free(k);
		return;
	}
	for (size_t i = 0; i < k->sent; i++)
		if (k->echoes[i].call)
			ping_cancel(k->echoes[i].call);
}

static void release(struct attempt *a)
{
	round_free(a->data);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {
	"LOSS", "RTT", "RTT_MIN", "RTT_MAX", "SPREAD", "SENT", "RECEIVED", "HOP_LIMIT", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct round *k = a->data;
	const size_t known = k ? k->sent - k->unknown : 0;

	if (!known)
		return false;
	if (slice_is(name, "LOSS")) {
		*ret = (struct value){
			.type = VALUE_PERCENT, .real = (double)(known - k->n) / (double)known};
	} else if (slice_is(name, "SENT")) {
		*ret = value_int((int64_t)k->sent);
	} else if (slice_is(name, "RECEIVED")) {
		*ret = value_int((int64_t)k->n);
	} else if (!k->n || (slice_is(name, "HOP_LIMIT") && !k->hop_limit)) {
		return false;
	} else if (slice_is(name, "HOP_LIMIT")) {
		*ret = value_int(k->hop_limit);
	} else {
		const int64_t min = k->us[0], max = k->us[k->n - 1];
		*ret = value_time(NS_PER_US * (slice_is(name, "RTT_MIN")          ? min
						      : slice_is(name, "RTT_MAX") ? max
						      : slice_is(name, "SPREAD")  ? max - min
										  : median_us(k)));
	}
	return true;
}

const struct probe_kind probe_kind_icmp = {
	.name = "icmp",
	.help = "a round of pings: loss, and how long each took",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct icmp_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.can_run = can_run,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.release = release,
};
