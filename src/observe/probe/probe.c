/*
 * probe.c - a probe on the schedule: from its time to its sample, its observation and its measure.
 *
 * An idle probe is this structure, its job and its series. What a run takes is there while it
 * lasts.
 */

#include "observe/probe/probe.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "observe/probe/inside.h"

#define SOON_NS (5 * NS_PER_S)
#define CROWD   500

/* --- all of them ------------------------------------------------------------------------------ */

struct probes {
	struct map by_name; /* by their own names */
	struct map by_token;
};

struct probes *probes_new(void)
{
	struct probes *all = mem_new(struct probes);
	all->by_name = MAP_BORROWING;
	return all;
}

void probes_free(struct probes *all)
{
	if (!all)
		return;
	assert(all->by_name.n == 0);
	map_fini(&all->by_name);
	map_fini(&all->by_token);
	free(all);
}

size_t probes_count(const struct probes *all)
{
	return all->by_name.n;
}

struct probe *probes_find(const struct probes *all, const char *name)
{
	return all ? map_get(&all->by_name, name) : NULL;
}

struct probe *probes_by_token(const struct probes *all, const char *key)
{
	return all ? map_get(&all->by_token, key) : NULL;
}

bool probes_add_token(struct probes *all, const char *key, struct probe *p)
{
	if (probes_by_token(all, key))
		return false;
	if (all)
		map_put(&all->by_token, key, p);
	return true;
}

void probes_remove_token(struct probes *all, const char *key)
{
	if (all)
		map_remove(&all->by_token, key);
}

/* --- what follows from another ---------------------------------------------------------------- */

/* A probe of both families stands for its two. */
static const char *failing(const struct probes *all, const char *name)
{
	static const char *const ends[] = {"", ".ipv4", ".ipv6"};
	for (size_t i = 0; i < array_len(ends); i++) {
		char whole[PROBE_NAME_TEXT];
		snprintf(whole, sizeof(whole), "%s%s", name, ends[i]);
		const struct probe *p = probes_find(all, whole);
		if (p && p->fails)
			return probe_name(p);
	}
	return NULL;
}

static const char *cause_of(const struct probe *p)
{
	const char *const *after = p->config->about.after;
	const char *cause = NULL;
	for (size_t i = 0; after && after[i] && !cause; i++)
		cause = failing(p->tools->probes, after[i]);
	return cause;
}

/* --- telling ---------------------------------------------------------------------------------- */

static struct series *series_beside(const struct probe *p, enum series_kind kind, const char *name)
{
	const struct series_tag tags[] = {{"probe", probe_name(p)}};
	const struct series_key key = {.kind = kind,
		.unit = kind == SERIES_DIST ? "us" : "",
		.location = p->tools->location,
		.name = name,
		.tags = tags,
		.tag_count = array_len(tags)};
	return series_get(p->tools->series, &key);
}

/* The whole of what a round is made of: probe.rtt is each answer's time, probe.loss the part that
 * was lost. */
static void store_round(struct probe *p, const struct attempt *a, int64_t at_ms)
{
	struct series_hist hist = {0};
	struct series_sample rtt = {.at_ms = at_ms, .n = a->round_n, .hist = &hist};
	const double lost = (double)(a->round_sent - a->round_n) / (double)a->round_sent;
	if (!p->loss) {
		p->rtt = series_beside(p, SERIES_DIST, "probe.rtt");
		p->loss = series_beside(p, SERIES_GAUGE, "probe.loss");
	}
	for (size_t i = 0; i < a->round_n; i++) {
		const double us = (double)a->round_us[i];
		series_hist_add(&hist, (uint64_t)a->round_us[i], 1);
		rtt.value += us;
		rtt.min = i == 0 || us < rtt.min ? us : rtt.min;
		rtt.max = us > rtt.max ? us : rtt.max;
	}
	if (p->rtt && a->round_n)
		series_append(p->rtt, &rtt);
	if (p->loss)
		series_append(p->loss, &(struct series_sample){.at_ms = at_ms, .value = lost});
	series_hist_fini(&hist);
}

static void store(struct probe *p, const struct attempt *a, unsigned tries, int64_t at_ms,
	const struct outcome *o)
{
	const struct phases *f = &a->phases;
	const struct series_sample sample = {.at_ms = at_ms,
		.fault = o->fault,
		.tries = tries,
		.phase_us = {[SERIES_RESOLVE] = f->resolve_ns / NS_PER_US,
			[SERIES_CONNECT] = f->connect_ns / NS_PER_US,
			[SERIES_TLS] = f->tls_ns / NS_PER_US,
			[SERIES_WAIT] = f->wait_ns / NS_PER_US,
			[SERIES_BODY] = f->body_ns / NS_PER_US},
		.total_us = f->total_ns / NS_PER_US};
	if (p->series)
		series_append(p->series, &sample);
	if (p->series && a->round_sent)
		store_round(p, a, at_ms);
}

/* Since 1970; 0: there was none, or nobody kept it. */
static int64_t certificate_of(const struct probe *p, const struct attempt *a, unsigned tries)
{
	struct value left = VALUE_NOTHING;
	int64_t at_s = 0;
	if (attempt_measured(a, tries, SLICE("CERTIFICATE_EXPIRATION"), &left) &&
		left.type == VALUE_TIME)
		at_s = (clock_unix_us(loop_clock(p->tools->loop)) * NS_PER_US + left.integer) /
		       NS_PER_S;
	value_drop(&left);
	return at_s;
}

static void measure(const struct probe *p, const struct attempt *a, unsigned tries, int64_t at_ms,
	const struct outcome *o)
{
	const struct measure m = {.what = MEASURE_PROBE,
		.cloud = "",
		.region = p->config->about.region ? p->config->about.region : "",
		.location = p->tools->location,
		.index = -1,
		.name = probe_name(p),
		.kind = p->config->kind->name,
		.url = p->config->about.globalmon ? p->config->about.target : NULL,
		.globalmon = p->config->about.globalmon,
		.at_ms = at_ms,
		.total_us = a->phases.total_ns / NS_PER_US,
		.limit_us = p->config->about.timeout_ns / NS_PER_US,
		.certificate_at_s = certificate_of(p, a, tries),
		.tries = tries,
		.fault = o->fault,
		.status = a->status};
	if (p->tools->measured)
		p->tools->measured(p->tools->measured_arg, &m);
}

/* What proves it is written only when there is something to prove. */
static void observe(const struct probe *p, const struct attempt *a, unsigned tries, int64_t at_ms,
	const struct outcome *o)
{
	const struct probe_config *c = p->config;
	const bool bad = o->fault != FAULT_NONE;
	const char *cause = bad ? cause_of(p) : NULL;
	struct buf request = BUF(BUF_LINE), detail = BUF(BUF_LINE);
	if (cause)
		buf_printf(&detail, "follows from %s, which fails: ", cause);
	if (*o->detail)
		secret_scrub(&detail, slice_of(o->detail));
	if ((bad || o->warned) && c->kind->request)
		c->kind->request(c->spec, &request);
	const struct observation seen = {.cloud = "",
		.probe = probe_name(p),
		.component = p->component,
		.series = p->series ? series_text(p->series) : NULL,
		.at_ms = at_ms,
		.total_us = a->phases.total_ns / NS_PER_US,
		.fault = cause ? FAULT_FOLLOWS : o->fault,
		.warned = o->warned,
		.tries = tries,
		.severity = c->about.severity,
		.status = a->status,
		.detail = detail.n ? buf_str(&detail) : NULL,
		.request = request.n ? buf_str(&request) : NULL};
	if (p->tools->seen)
		p->tools->seen(p->tools->seen_arg, &seen);
	buf_fini(&request);
	buf_fini(&detail);
}

void probe_tell(struct probe *p, const struct attempt *a, unsigned tries, int64_t at_ms,
	const struct outcome *o)
{
	p->fails = o->fault != FAULT_NONE;
	store(p, a, tries, at_ms, o);
	measure(p, a, tries, at_ms, o);
	observe(p, a, tries, at_ms, o);
}

/* --- its runs --------------------------------------------------------------------------------- */

static void leave(struct probe *p, const struct run *r)
{
	struct run **link = &p->runs;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
}

/* Who is told may close the probe: the run is no longer one of its own by then. */
static void on_ended(struct run *r, const struct outcome *o)
{
	struct probe *p = r->arg;
	leave(p, r);
	job_done(p->job);
	if (o->fault != FAULT_CANCELLED)
		probe_tell(p, &r->attempt, r->tries, r->at_ms, o);
	run_done(r);
}

static void on_time(void *arg, struct job *job)
{
	struct probe *p = arg;
	struct run *r = mem_new(struct run);
	r->attempt.tools = p->tools;
	r->attempt.family = p->family;
	r->config = p->config;
	r->ended = on_ended;
	r->arg = p;
	r->next = p->runs;
	p->runs = r;
	run_begin(r);
}

/* --- life ------------------------------------------------------------------------------------- */

static struct series *series_of(const struct probe *p)
{
	const struct probe_tools *t = p->tools;
	const struct series_tag tags[] = {{"component", *p->component ? p->component : NULL},
		{"kind", p->config->kind->name}, {"probe", probe_name(p)}};
	const struct series_key key = {.kind = SERIES_PROBE,
		.unit = "us",
		.location = t->location,
		.name = "probe",
		.tags = tags,
		.tag_count = array_len(tags)};
	return t->series ? series_get(t->series, &key) : NULL;
}

bool probe_can_run(const struct probe_tools *t, const struct probe_config *c, struct error *err)
{
	if (c->kind->can_run && !c->kind->can_run(t, c->spec, err)) {
		error_wrap(err, "probe %s", c->about.name);
		return false;
	}
	VEC_EACH (&c->secrets, struct taken_secret, s) {
		if (!*s->into) {
			error_at(err, c->file, s->line, s->col, "probe %s: %s was not read",
				c->about.name, s->from);
			return false;
		}
	}
	return true;
}

/* Soon, unless there are so many that they would come as a crowd at a start, or it is soon anyway.
 */
static bool begins_soon(const struct probe *p)
{
	const struct probes *all = p->tools->probes;
	return p->config->about.every_ns > SOON_NS && (!all || probes_count(all) < CROWD);
}

static void add_job(struct probe *p)
{
	const struct job_options o = {.name = probe_name(p),
		.every_ns = p->config->about.every_ns,
		.soon = begins_soon(p),
		/* One whose deadline is its rate ends as the next one begins. */
		.overlap = 2,
		.run = on_time,
		.arg = p};
	p->job = schedule_add(p->tools->schedule, &o);
}

struct probe *probe_open(const struct probe_tools *tools, const struct probe_config *c,
	const char *component, int family, struct error *err)
{
	if (!probe_can_run(tools, c, err))
		return NULL;
	struct probe *p = mem_new(struct probe);
	p->tools = tools;
	p->config = c;
	p->component = component;
	p->family = family ? family : c->family;
	if (c->about.twice)
		p->name = mem_printf("%s.%s", c->about.name, family == AF_INET6 ? "ipv6" : "ipv4");
	if (c->kind->silent && !push_open(p, err)) {
		free(p->name);
		free(p);
		return NULL;
	}
	p->series = series_of(p);
	if (tools->probes)
		map_put(&tools->probes->by_name, probe_name(p), p);
	if (!c->kind->silent)
		add_job(p);
	return p;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	if (p->push)
		push_close(p);
	schedule_remove(p->job);
	while (p->runs) {
		struct run *r = p->runs;
		p->runs = r->next;
		run_drop(r);
	}
	if (p->tools->probes)
		map_remove(&p->tools->probes->by_name, probe_name(p));
	free(p->name);
	free(p);
}

const char *probe_name(const struct probe *p)
{
	return p->name ? p->name : p->config->about.name;
}

const struct probe_config *probe_configuration(const struct probe *p)
{
	return p->config;
}

struct job_state probe_job(const struct probe *p)
{
	if (p->job)
		return job_state(p->job);
	const int64_t due_us = push_due_ns(p) / NS_PER_US;
	return (struct job_state){.name = probe_name(p),
		.every_ns = p->config->about.every_ns,
		.next_unix_us = clock_unix_us(loop_clock(p->tools->loop)) + due_us};
}
