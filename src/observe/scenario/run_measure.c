/*
 * run_measure.c - what took how long, told the moment it ends (store/measure.h).
 *
 * A wait that never ends well ends all the same: as stuck when the step's time is up, as not_gone
 * when teardown gives it up; meanwhile it is open and its age can be asked for. What an element
 * measured becomes figures by one table.
 */

#include <string.h>

#include "base/units.h"
#include "observe/scenario/run_boot.h"

/* --- figures -----------------------------------------------------------------------------------
 */

static const struct figure {
	const char *key;  /* of what was measured */
	const char *name; /* what it is called from then on */
	const char *unit;
} figures[] = {
	{"CPU", "pi", "s"},
	{"STEAL", "steal", "1"},
	{"BANDWIDTH", "disk bandwidth", "B/s"},
	{"OPERATIONS", "disk operations", "1/s"},
	{"LATENCY_P50", "disk latency p50", "s"},
	{"LATENCY_P99", "disk latency p99", "s"},
	{"OVER_10MS", "disk slow operations", "1"},
	{"THROUGHPUT", "throughput", "bit/s"},
	{"RTT", "rtt", "s"},
	{"RTT_MAX", "largest rtt", "s"},
	{"LONGEST_GAP", "longest gap", "s"},
	{"UP_AFTER", "up after", "s"},
	{"DOWN_AFTER", "down after", "s"},
};

/* A number as it is, or a text with a unit: "12ms" in seconds, "5MiB" in bytes, "200/s", "1%". */
static bool number_of(const json_t *v, double *ret)
{
	const char *text = json_string_value(v);
	const struct slice s = slice_of(text);
	int64_t n;
	if (json_is_number(v)) {
		*ret = json_number_value(v);
		return true;
	}
	if (!text)
		return false;
	if (units_parse_time(s, &n)) {
		*ret = (double)n / 1e9;
		return true;
	}
	if (slice_ends(s, "/s") && units_parse_size(slice_sub(s, 0, s.n - 2), &n)) {
		*ret = (double)n;
		return true;
	}
	if (units_parse_size(s, &n)) {
		*ret = (double)n;
		return true;
	}
	return units_parse_rate(s, ret) || units_parse_percent(s, ret) || units_parse_real(s, ret);
}

/* --- what all of them say ----------------------------------------------------------------------
 */

static int64_t us_between(int64_t from_ns, int64_t to_ns)
{
	return from_ns >= 0 && to_ns > from_ns ? (to_ns - from_ns) / NS_PER_US : 0;
}

static void fill(struct measure *m, const struct run *r, int64_t began_ns)
{
	const struct cloud_config *config = cloud_configuration(r->tools.cloud);
	*m = (struct measure){
		.cloud = config->name ? config->name : "",
		.region = config->region ? config->region : "",
		.location = r->location ? r->location : "",
		.scenario = r->called,
		.run = r->label,
		.index = -1,
		.at_ms = (r->began_unix_us + (began_ns > 0 ? began_ns : 0) / NS_PER_US) / 1000,
	};
}

/* `each`'s names, and of a server where and of what it is. An owned reference, or NULL. */
static json_t *dimensions_of(const struct task *t)
{
	static const char *const names[] = {"zone", "host", "image", "flavor", "volume_type"};
	json_t *all = report_dimensions(t), *boot = boot_json((struct task *)(uintptr_t)t);
	for (size_t i = 0; boot && i < array_len(names); i++) {
		json_t *value = json_object_get(boot, names[i]);
		if (!value || json_object_get(all, names[i]))
			continue;
		if (!all)
			all = json_object();
		json_object_set(all, names[i], value);
	}
	json_decref(boot);
	return all;
}

static void fill_task(struct measure *m, const struct task *t, int64_t began_ns)
{
	const struct kind *k = t->step->kind;
	fill(m, t->run, began_ns);
	m->step = t->step->name;
	m->index = step_is_many(t->step) ? (int)t->element->index : -1;
	m->service = k ? k->service : NULL;
	m->kind = k ? k->name : NULL;
	m->request_id = t->request_id[0] ? t->request_id : NULL;
	m->service_request_id = t->service_request_id[0] ? t->service_request_id : NULL;
}

/* --- waits -------------------------------------------------------------------------------------
 */

/* Whether readiness is something that comes after the answer. */
static bool waits(const struct task *t)
{
	const struct step *s = t->step;
	return s->verb == VERB_CREATE && s->kind->get && (s->ready || s->kind->ready_expr) &&
	       !s->ready_now && t->has_made && !t->reused && t->answer_ns >= 0;
}

static void tell_wait(const struct task *t, const struct kind *k, const char *until,
	int64_t from_ns, int64_t to_ns, enum fault fault, measure_signal *cb, void *arg)
{
	struct measure m;
	char name[100];
	json_t *dimensions = dimensions_of(t);
	fill_task(&m, t, from_ns);
	snprintf(name, sizeof(name), "%s %s", k->name, until);
	m.what = MEASURE_WAIT;
	m.name = name;
	m.kind = k->name;
	m.service = k->service;
	m.dimensions = dimensions;
	m.total_us = us_between(from_ns, to_ns);
	m.fault = fault;
	if (!strcmp(until, "ready"))
		m.limit_us = (t->deadline_mono_ns - t->first_start_ns) / NS_PER_US;
	cb(arg, &m);
	json_decref(dimensions);
}

static void tell_ready(const struct task *t)
{
	const struct run *r = t->run;
	const bool failed = t->element->state == ELEMENT_FAILED;
	if (waits(t))
		tell_wait(t, t->step->kind, "ready", t->answer_ns, t->ready_ns,
			failed ? t->fault : FAULT_NONE, r->measured, r->measured_arg);
}

/* A `delete` step is the wait for its object's end. */
static void tell_deleted(const struct task *t)
{
	const struct run *r = t->run;
	const struct task *of = change_target((struct task *)(uintptr_t)t);
	const bool failed = t->element->state == ELEMENT_FAILED;
	if (of && of->step->kind && t->start_ns >= 0)
		tell_wait(t, of->step->kind, "gone", t->start_ns, t->ready_ns,
			failed ? t->fault : FAULT_NONE, r->measured, r->measured_arg);
}

void measure_removed(const struct task *t)
{
	const struct run *r = t->run;
	if (r->measured && t->step->kind && t->has_made && !t->removed && t->remove_ns >= 0)
		tell_wait(t, t->step->kind, "gone", t->remove_ns, t->gone_ns,
			t->removal == REMOVAL_GONE ? FAULT_NONE : FAULT_NOT_GONE, r->measured,
			r->measured_arg);
}

void run_open_waits(const struct run *r, measure_signal *cb, void *arg)
{
	const int64_t now = run_now(r);
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *t = r->tasks.p[i];
		if (t->state == TASK_WORKING && waits(t))
			tell_wait(
				t, t->step->kind, "ready", t->answer_ns, now, FAULT_NONE, cb, arg);
		else if (t->removal == REMOVAL_SENT && t->remove_ns >= 0 && t->gone_ns < 0)
			tell_wait(t, t->step->kind, "gone", t->remove_ns, now, FAULT_NONE, cb, arg);
	}
}

/* --- checks and their figures ------------------------------------------------------------------
 */

static void tell_check(const struct task *t)
{
	const struct run *r = t->run;
	const json_t *measured = t->element->measured;
	json_t *dimensions = dimensions_of(t);
	struct measure m;
	fill_task(&m, t, t->start_ns);
	m.what = MEASURE_CHECK;
	m.name = verb_name(t->step);
	m.dimensions = dimensions;
	m.total_us = us_between(t->start_ns, t->ready_ns);
	m.limit_us = (t->deadline_mono_ns - t->first_start_ns) / NS_PER_US;
	m.fault = t->element->state == ELEMENT_FAILED ? t->fault : FAULT_NONE;
	m.status = (int)json_int(measured, "STATUS", 0);
	m.measured = measured;
	r->measured(r->measured_arg, &m);
	m.what = MEASURE_BENCH;
	m.measured = NULL;
	for (size_t i = 0; i < array_len(figures); i++) {
		if (!number_of(json_object_get(measured, figures[i].key), &m.value))
			continue;
		m.name = figures[i].name;
		m.unit = figures[i].unit;
		r->measured(r->measured_arg, &m);
	}
	json_decref(dimensions);
}

void measure_ended(const struct task *t)
{
	const enum element_state state = t->element->state;
	if (!t->run->measured || (state != ELEMENT_READY && state != ELEMENT_FAILED))
		return;
	if (t->step->verb == VERB_CREATE)
		tell_ready(t);
	else if (t->step->verb == VERB_DELETE)
		tell_deleted(t);
	else if ((verb_is_check(t->step->verb) || t->step->verb == VERB_STREAM) && t->tries)
		tell_check(t);
}

/* --- the run -----------------------------------------------------------------------------------
 */

void measure_run(const struct run *r)
{
	struct measure m;
	if (!r->measured)
		return;
	fill(&m, r, 0);
	m.what = MEASURE_RUN;
	m.name = r->called;
	m.total_us = us_between(0, r->built_ns);
	m.limit_us = r->scenario->deadline_ns / NS_PER_US;
	m.fault = run_fault(&r->report);
	r->measured(r->measured_arg, &m);
}
