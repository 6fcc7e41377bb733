/*
 * run_report.c - what a run says of itself: rows, first causes, critical path, verdict.
 */

#include <string.h>

#include "base/secret.h"
#include "observe/scenario/run_boot.h"
#include "observe/scenario/run_json.h"

enum fault run_fault(const struct run_report *r)
{
	if (r->stopped)
		return FAULT_CANCELLED;
	if (r->verdict == VERDICT_PASSED || r->verdict == VERDICT_DEGRADED)
		return FAULT_NONE;
	const struct run_row *cause = run_cause(r);
	if (cause && cause->fault != FAULT_NONE)
		return cause->fault;
	for (size_t i = 0; i < r->row_count; i++)
		if (r->rows[i].state == ELEMENT_FAILED && r->rows[i].fault != FAULT_NONE)
			return r->rows[i].fault;
	if (r->error && r->fault != FAULT_NONE)
		return r->fault;
	return r->verdict == VERDICT_FAILED ? FAULT_EXPECTATION : FAULT_LOCAL;
}

const char *verdict_name(enum run_verdict v)
{
	static const char *const names[] = {"passed", "degraded", "failed", "unknown"};
	return names[v];
}

/* The component that the kinds of a service name; a service without kinds stands for itself. */
static const char *component_of_service(const struct run *r, const char *service)
{
	for (size_t i = 0; i < kinds_count(r->kinds); i++) {
		const struct kind *k = kind_at(r->kinds, i);
		if (k->component && !strcmp(k->service, service))
			return k->component;
	}
	return service;
}

/* Of `list` and `call`, which name one; owned, NULL if the body was never known. */
static char *service_of(const struct task *t)
{
	const struct value *v = &t->body;
	if (v->type == VALUE_MAP)
		v = value_field(v, SLICE("service"));
	return v && v->type == VALUE_TEXT ? slice_dup(value_slice(v)) : NULL;
}

/* Whom a failure is charged to, owned: what the step says, else its kind's component, else that of
 * the service it asks. What a guest or an address answers belongs to nobody unless it says so. */
static char *component_of(struct task *t)
{
	const struct step *s = t->step;
	const struct kind *kind = s->kind;
	char *service = NULL;
	if (s->component)
		return mem_strdup(s->component);
	switch ((int)s->verb) {
	case VERB_SET:
	case VERB_DELETE: {
		const struct task *of = change_target(t);
		kind = of ? of->step->kind : NULL;
		break;
	}
	case VERB_SERVER_ACTION: service = mem_strdup("compute"); break;
	case VERB_DOWNLOAD: service = mem_strdup("image"); break;
	case VERB_TOKEN: service = mem_strdup("identity"); break;
	case VERB_LIST:
	case VERB_CALL: service = service_of(t); break;
	default: break;
	}
	char *component = mem_strdup(kind && kind->component ? kind->component
				     : service               ? component_of_service(t->run, service)
							     : "");
	free(service);
	return component;
}

json_t *report_dimensions(const struct task *t)
{
	const struct interp *each = t->step->each;
	const struct value *it = &t->element->it;
	if (!each || !interp_is_map(each) || it->type != VALUE_MAP)
		return NULL;
	json_t *all = json_object();
	for (size_t i = 0; i < value_count(it); i++) {
		const struct value *v = value_at(it, i);
		const struct element *e =
			v->type == VALUE_REF ? world_element(t->run->world, v->ref) : NULL;
		char name[128];
		json_object_set_new(all, value_key(it, i).p,
			e ? json_string(world_element_name(t->run->world, e, name, sizeof(name)))
			  : value_json(v));
	}
	return all;
}

static void fill_row(struct run *r, struct run_row *row, struct task *t)
{
	char name[128];
	*row = (struct run_row){
		.name = mem_strdup(task_name(t, name, sizeof(name))),
		.verb = t->step->verb,
		.kind = t->step->kind ? t->step->kind->name : NULL,
		.component = component_of(t),
		.metric = mem_strdup(t->step->metric ? t->step->metric : t->step->name),
		.state = t->element->state,
		.fault = t->fault,
		.degraded = t->degraded,
		.first_cause = t->element->state == ELEMENT_FAILED && t->fault != FAULT_CANCELLED,
		.grade = t->step->grade,
		.detail = secret_scrubbed(t->detail),
		.request_id = t->request_id[0] ? mem_strdup(t->request_id) : NULL,
		.service_request_id =
			t->service_request_id[0] ? mem_strdup(t->service_request_id) : NULL,
		.needed_ns = t->needed_ns,
		.start_ns = t->start_ns,
		.answer_ns = t->answer_ns,
		.ready_ns = t->ready_ns,
		.remove_ns = t->remove_ns,
		.gone_ns = t->gone_ns,
		.critical = t->waited_for ? (int)t->waited_for->place : -1,
		.measured = json_incref(t->element->measured),
		.dimensions = report_dimensions(t),
		.boot = boot_json(t),
		.blamed = boot_blamed(t),
	};
}

/* What was asked before the first step, and not answered. */
static void fill_unprepared(struct run *r, struct run_row *row)
{
	const struct cloud_failure *f = &r->unprepared;
	*row = (struct run_row){
		.name = mem_strdup("preparation"),
		.verb = VERB_LIST,
		.component = mem_strdup(component_of_service(r, f->service)),
		.metric = mem_strdup("preparation"),
		.state = ELEMENT_FAILED,
		.fault = f->fault,
		.first_cause = true,
		.grade = GRADE_OUTAGE,
		.detail = secret_scrubbed(r->unprepared_detail),
		.request_id = mem_strdup(f->request_id),
		.service_request_id =
			f->service_request_id[0] ? mem_strdup(f->service_request_id) : NULL,
		.answer_ns = r->ended_ns,
		.ready_ns = r->ended_ns,
		.remove_ns = -1,
		.gone_ns = -1,
		.critical = -1,
	};
}

/* From what ended last back along what each waited for last. */
static void mark_critical_path(struct run *r)
{
	int last = -1;
	for (size_t i = 0; i < r->rows.n; i++) {
		const struct run_row *row = &r->rows.p[i];
		if (row->ready_ns >= 0 && row->start_ns >= 0 &&
			(last < 0 || row->ready_ns > r->rows.p[last].ready_ns))
			last = (int)i;
	}
	for (size_t n = 0; last >= 0 && n < r->rows.n; n++) {
		r->rows.p[last].on_critical_path = true;
		last = r->rows.p[last].critical;
	}
}

static enum run_verdict judge(const struct run *r)
{
	if (r->has_error)
		return VERDICT_UNKNOWN;
	enum run_verdict v = VERDICT_PASSED;
	bool not_theirs = false;
	VEC_EACH (&r->rows, struct run_row, row) {
		if (row->state == ELEMENT_FAILED) {
			const enum fault_whose whose = fault_whose(row->fault);
			if (whose == WHOSE_OURS || whose == WHOSE_CONFIG || whose == WHOSE_QUOTA) {
				not_theirs = not_theirs || row->grade != GRADE_NOTE;
				continue;
			}
			if (row->grade == GRADE_OUTAGE)
				v = VERDICT_FAILED;
			else if (row->grade == GRADE_DEGRADED && v == VERDICT_PASSED)
				v = VERDICT_DEGRADED;
		} else if (row->degraded && v == VERDICT_PASSED) {
			v = VERDICT_DEGRADED;
		}
	}
	/* Only the cloud's faults lower health; what we or the configuration did proves nothing,
	 * nor do steps that a stop found between two others and that never began. */
	return (not_theirs || r->stopped) && v != VERDICT_FAILED ? VERDICT_UNKNOWN : v;
}

/* A batch is no object beside its servers. */
static size_t extras_of(const struct task *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->extras.n; i++)
		n += !t->extras.p[i].kind->several;
	return n;
}

/* Attempts that were never seen, or seen and not removed. */
static size_t unsure_of(const struct task *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->unsure.n; i++)
		n += !t->unsure.p[i].gone;
	return n;
}

static void count_objects(struct run *r)
{
	struct run_report *report = &r->report;
	report->created = report->deleted = report->left = 0;
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *t = r->tasks.p[i];
		const size_t made = (size_t)t->has_made + extras_of(t);
		const size_t unsure = unsure_of(t);
		report->created += made - t->reused + t->unsure.n;
		report->deleted += t->unsure.n - unsure;
		report->left += unsure;
		if (t->has_made && t->made.kept)
			continue;
		if (t->removal == REMOVAL_LEFT)
			report->left += made ? made : 0;
		else
			report->deleted += made;
	}
}

/* A server that stays is there until the end of the run, as far as this run knows. */
static double server_minutes(const struct run *r)
{
	int64_t ns = 0;
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *t = r->tasks.p[i];
		const char *kind = t->has_made ? t->made.kind->name : "";
		const int64_t from = t->answer_ns >= 0 ? t->answer_ns : t->start_ns;
		if (strcmp(kind, "server") != 0 && strcmp(kind, "server_batch") != 0)
			continue;
		const int64_t to = t->gone_ns >= 0 ? t->gone_ns : r->ended_ns;
		if (from >= 0 && to > from)
			ns += to - from;
	}
	return (double)ns / (60.0 * (double)NS_PER_S);
}

bool report_row(struct run *r)
{
	const size_t i = r->rows.n;
	if (i < r->tasks.n)
		fill_row(r, vec_add(&r->rows), r->tasks.p[i]);
	else if (i == r->tasks.n && r->unprepared.fault != FAULT_NONE)
		fill_unprepared(r, vec_add(&r->rows));
	else
		return false;
	return true;
}

void report_judge(struct run *r)
{
	mark_critical_path(r);
	count_objects(r);
	struct run_report *report = &r->report;
	report->verdict = judge(r);
	memcpy(report->label, r->label, sizeof(report->label));
	report->rows = r->rows.p;
	report->row_count = r->rows.n;
	report->built_ns = r->built_ns;
	report->ended_ns = r->ended_ns;
	report->requests = r->requests;
	report->server_minutes = server_minutes(r);
	report->began_unix_us = r->began_unix_us;
	report->stopped = r->stopped;
	report->error = r->has_error ? &r->error : NULL;
	report->fault = r->has_error ? r->error_fault : FAULT_NONE;
	report->component =
		r->has_error && r->error_service ? component_of_service(r, r->error_service) : "";
}

bool report_failed(struct run *r)
{
	report_fini(r);
	while (report_row(r)) {
	}
	report_judge(r);
	return r->report.verdict == VERDICT_FAILED || r->report.verdict == VERDICT_UNKNOWN;
}

static void row_fini(struct run_row *row)
{
	free(row->name);
	free(row->component);
	free(row->metric);
	free(row->detail);
	free(row->request_id);
	free(row->service_request_id);
	json_decref(row->measured);
	json_decref(row->dimensions);
	json_decref(row->boot);
	json_decref(row->blamed);
	*row = (struct run_row){0};
}

void report_fini(struct run *r)
{
	VEC_EACH (&r->rows, struct run_row, row) {
		row_fini(row);
	}
	vec_fini(&r->rows);
	row_fini(&r->step_row);
}

const struct run_report *run_step(struct run *r, size_t row)
{
	if (r->reporting)
		return NULL;
	row_fini(&r->step_row);
	fill_row(r, &r->step_row, r->tasks.p[row]);
	r->step_report = (struct run_report){
		.rows = &r->step_row,
		.row_count = 1,
		.began_unix_us = r->began_unix_us,
		.stopped = r->stopped,
	};
	memcpy(r->step_report.label, r->label, sizeof(r->label));
	return &r->step_report;
}
