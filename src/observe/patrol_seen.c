/*
 * patrol_seen.c - a run that ended, as samples in the series and as observations for the judge.
 *
 * A step that passed is good for its component; one that failed by itself is told with its fault;
 * of what was skipped because of another, or stopped by us, nothing is known. The run as a whole is
 * told only when it could not run: then of the service that was asked, else of nobody.
 *
 * All that goes a piece a turn, first the boots, then the run, then its steps: with thousands of
 * them it takes longer than others on the loop may be kept waiting.
 */

#include <string.h>

#include "base/secret.h"
#include "observe/boots.h"
#include "observe/component.h"
#include "observe/patrol_inside.h"
#include "observe/record.h"

#define TURN_NS     (2 * NS_PER_MS)
#define TURN_PIECES 50 /* and no more than so many, however fast the clock says they go */

struct recording {
	struct patrol *patrol;
	const struct run_report *report;
	struct record record;
	json_t *boots;      /* rows to be written; NULL: they were, or nowhere */
	size_t boot, piece; /* the next ones */
	bool boot_failed;
	char *common; /* what failed boots have in common, or NULL */
	struct timer turn;
	void (*done)(void *arg);
	void *arg;
};

static enum severity severity_of(enum grade g)
{
	return g == GRADE_OUTAGE     ? SEVERITY_OUTAGE
	       : g == GRADE_DEGRADED ? SEVERITY_DEGRADED
				     : SEVERITY_NOTE;
}

static void pass(const struct recording *s, struct observation *o, const char *component)
{
	struct patrol *p = s->patrol;
	char *id = component[0] ? component_id(p->component_prefix, component) : mem_strdup("");
	o->cloud = s->record.place.cloud;
	o->probe = p->name;
	o->component = id;
	o->run = s->report->label;
	o->tries = 1;
	p->seen(p->arg, o);
	free(id);
}

/* Whether a server that did not come up properly is behind a failure. */
static bool tells_of_boot(const struct run_report *r, const struct run_row *row)
{
	if (row->boot)
		return !json_flag(row->boot, "good");
	for (size_t i = 0; i < r->row_count; i++) {
		const char *failed = json_str(r->rows[i].boot, "failed");
		if (failed && !strcmp(failed, row->name))
			return true;
	}
	return false;
}

static void see_step(const struct recording *s, const struct run_row *row,
	const struct series_sample *sample, const char *series)
{
	const bool failed = row->state == ELEMENT_FAILED;
	if (failed && !row->first_cause)
		return;
	struct observation o = {
		.step = row->name,
		.series = series,
		.at_ms = sample->at_ms,
		.total_us = sample->total_us,
		.fault = sample->fault,
		.warned = !failed && row->degraded,
		.severity = severity_of(row->grade),
		.status = (int)json_int(row->measured, "STATUS", 0),
		.detail = failed || row->degraded ? row->detail : NULL,
		.shared = failed && tells_of_boot(s->report, row) ? s->common : NULL,
		.request_id = row->request_id,
		.service_request_id = row->service_request_id,
	};
	pass(s, &o, row->component);
}

static void see_run(
	const struct recording *s, const struct series_sample *sample, const char *series)
{
	char text[ERROR_TEXT + 300];
	if (!s->report->error)
		return;
	char *detail = secret_scrubbed(error_text(s->report->error, text, sizeof(text)));
	struct observation o = {
		.series = series,
		.at_ms = sample->at_ms,
		.fault = s->report->fault != FAULT_NONE ? s->report->fault : FAULT_LOCAL,
		.severity = SEVERITY_OUTAGE,
		.detail = detail,
	};
	pass(s, &o, s->report->component);
	free(detail);
}

static void on_stored(void *arg, const struct run_row *row, const struct series_sample *sample,
	const char *series)
{
	const struct recording *s = arg;
	if (!s->patrol->seen || s->report->stopped)
		return;
	if (row)
		see_step(s, row, sample, series);
	else
		see_run(s, sample, series);
}

static void note_boot(struct recording *s)
{
	const struct run_row *row = &s->report->rows[s->boot++];
	json_t *o = boots_row(s->record.place.cloud, s->patrol->name, s->report, row);
	if (o)
		json_array_append_new(s->boots, o);
	s->boot_failed = s->boot_failed || (row->boot && !json_flag(row->boot, "good"));
}

static void write_boots(struct recording *s)
{
	struct patrol *p = s->patrol;
	struct boots_common common;
	boots_write(journal_facts(p->journal), s->boots);
	s->boots = NULL;
	if (!s->boot_failed || s->report->stopped ||
		!boots_common(journal_facts(p->journal), s->record.place.cloud,
			clock_unix_us(loop_clock(p->loop)) / 1000, s->report, &common))
		return;
	s->common = boots_common_text(&common);
	boots_common_fini(&common);
}

/* False: there was nothing left to do. */
static bool next_piece(struct recording *s)
{
	if (s->boots && s->boot < s->report->row_count)
		note_boot(s);
	else if (s->boots)
		write_boots(s);
	else
		return record_piece(&s->record, s->piece++);
	return true;
}

static void recording_init(struct recording *s, struct patrol *p, const struct run_report *report)
{
	*s = (struct recording){
		.patrol = p,
		.report = report,
		.record =
			{
				.store = p->series,
				.place = {.cloud = p->hands->cloud_name(p->tools->cloud),
					.region = p->hands->region(p->tools->cloud),
					.location = p->location,
					.component_prefix = p->component_prefix},
				.scenario = p->name,
				.report = report,
				.stored = on_stored,
				.arg = s,
			},
		.boots = p->journal ? json_array() : NULL,
	};
}

void patrol_record(struct patrol *p, const struct run_report *report)
{
	struct recording s;
	recording_init(&s, p, report);
	while (next_piece(&s))
		;
	free(s.common);
}

static void on_turn(struct timer *t)
{
	struct recording *s = t->arg;
	struct loop *l = s->patrol->loop;
	const int64_t until = loop_now_ns(l) + TURN_NS;
	for (size_t n = 0; next_piece(s); n++) {
		if (n + 1 < TURN_PIECES && loop_now_ns(l) < until)
			continue;
		timer_start(l, &s->turn, 0, on_turn, s);
		return;
	}
	void (*done)(void *arg) = s->done;
	void *arg = s->arg;
	free(s->common);
	free(s);
	done(arg);
}

void patrol_record_slowly(
	struct patrol *p, const struct run_report *report, void (*done)(void *arg), void *arg)
{
	struct recording *s = mem_new(struct recording);
	recording_init(s, p, report);
	s->done = done;
	s->arg = arg;
	timer_start(p->loop, &s->turn, 0, on_turn, s);
}
