/*
 * patrol_seen.c - a run that ended, as samples in the series and as observations for the judge.
 *
 * A step that passed is good for its component; one that failed by itself is told with its fault;
 * of what was skipped because of another, or stopped by us, nothing is known. The run as a whole is
 * told only when it could not run: then of the service that was asked, else of nobody.
 */

#include <string.h>

#include "base/secret.h"
#include "observe/boots.h"
#include "observe/component.h"
#include "observe/patrol_inside.h"
#include "observe/record.h"

struct seeing {
	struct patrol *patrol;
	const struct run_report *report;
	const char *cloud;
	const char *common; /* what failed boots have in common, or NULL */
};

static enum severity severity_of(enum grade g)
{
	return g == GRADE_OUTAGE     ? SEVERITY_OUTAGE
	       : g == GRADE_DEGRADED ? SEVERITY_DEGRADED
				     : SEVERITY_NOTE;
}

static void pass(const struct seeing *s, struct observation *o, const char *component)
{
	struct patrol *p = s->patrol;
	char *id = component[0] ? component_id(p->component_prefix, component) : mem_strdup("");
	o->cloud = s->cloud;
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

static void see_step(const struct seeing *s, const struct run_row *row,
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

static void see_run(const struct seeing *s, const struct series_sample *sample, const char *series)
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
	const struct seeing *s = arg;
	if (!s->patrol->seen || s->report->stopped)
		return;
	if (row)
		see_step(s, row, sample, series);
	else
		see_run(s, sample, series);
}

/* Owned: what failed boots have in common, or NULL. */
static char *note_boots(struct patrol *p, const char *cloud, const struct run_report *report)
{
	bool failed = false;
	if (!p->journal)
		return NULL;
	boots_note(journal_facts(p->journal), cloud, p->name, report);
	for (size_t i = 0; i < report->row_count; i++)
		failed = failed ||
			 (report->rows[i].boot && !json_flag(report->rows[i].boot, "good"));
	struct boots_common common;
	if (!failed || report->stopped ||
		!boots_common(journal_facts(p->journal), cloud,
			clock_unix_us(loop_clock(p->loop)) / 1000, report, &common))
		return NULL;
	char *text = boots_common_text(&common);
	boots_common_fini(&common);
	return text;
}

void patrol_record(struct patrol *p, const struct run_report *report)
{
	const char *cloud = p->hands->cloud_name(p->tools->cloud);
	char *common = note_boots(p, cloud, report);
	struct seeing s = {p, report, cloud, common};
	const struct record_place place = {
		.cloud = s.cloud,
		.region = p->hands->region(p->tools->cloud),
		.location = p->location,
		.component_prefix = p->component_prefix,
	};
	record_run(p->series, &place, p->name, report, on_stored, &s);
	free(common);
}
