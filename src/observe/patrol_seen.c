/*
 * patrol_seen.c - what a run says, as samples in the series and as observations for the judge.
 *
 * A step is told when it has ended, while its run goes on, is held or torn down: its result is final
 * then, and whether it failed by itself is known. One that passed is good for its component; one that
 * failed by itself is told with its fault; of what was skipped because of another, or stopped by us,
 * nothing is known. Three things wait:
 *
 * - the observation of what a server that did not come up is to blame for, TOGETHER_NS: those that
 *   fail together are told together, each with what they have in common, as far as that is known
 *   then. Its sample, which a crash must not lose, does not wait;
 * - the boots and their phases, for the end of the run: somebody may get in late, and on which hosts
 *   nova tried comes beside;
 * - the run as a whole, for its end. It is told only when it could not run: then of the service that
 *   was asked, else of nobody.
 *
 * What of the steps was not told when the report comes is told of that, so that each is told once.
 * It needs no memory beyond the run: one that was killed is swept, and never goes on. All that goes a
 * piece a turn: with thousands of steps it takes longer than others on the loop may be kept waiting.
 */

#include <string.h>

#include "base/secret.h"
#include "observe/boots.h"
#include "observe/component.h"
#include "observe/patrol_inside.h"
#include "observe/record.h"

#define TURN_NS     (2 * NS_PER_MS)
#define TURN_PIECES 50 /* and no more than so many, however fast the clock says they go */
#define TOGETHER_NS (5 * NS_PER_S)

struct held { /* stored, and told when those that fail together with it are known */
	size_t row;
	struct series_sample sample;
	char *series; /* or NULL */
};

struct recording {
	struct patrol *patrol;
	const struct round *round; /* whose run goes on; NULL: none, there is a report */
	struct record record;
	VEC(size_t) ended; /* rows to be stored and told, */
	size_t next;       /* from here on */
	size_t row;        /* the one that is being stored */
	VEC(struct held) held;
	size_t next_held, ripe; /* from here on; before this one they have waited */
	struct timer waiting;
	VEC(bool) stored; /* by row */
	json_t *known;    /* boots so far, by server */
	char *common;     /* what the failed ones have in common, or NULL */
	bool has_common;  /* it was asked, and nothing was learnt since */

	/* when the run is over */
	bool over;
	json_t *boots;      /* rows to be written; NULL: they were, or nowhere */
	size_t boot, piece; /* the next ones */
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
	o->run = s->record.report->label;
	o->tries = 1;
	p->seen(p->arg, o);
	free(id);
}

/* --- boots ------------------------------------------------------------------------------------ */

/* A server is met again with each row that waits for others: what is known already is no news, or
 * all boots of the last day would be read again for each. */
static void learn_boot(struct recording *s, json_t *boot)
{
	const char *server = json_str(boot, "server");
	if (!server || json_equal(json_object_get(s->known, server), boot))
		return;
	json_object_set(s->known, server, boot);
	s->has_common = false;
}

/* What failed boots have in common, as far as is known; borrowed, or NULL. */
static const char *common_of(struct recording *s)
{
	struct patrol *p = s->patrol;
	struct boots_common common;
	if (s->has_common || !p->journal)
		return s->common;
	s->has_common = true;
	free(s->common);
	s->common = NULL;
	if (boots_common(journal_facts(p->journal), s->record.place.cloud,
		    clock_unix_us(loop_clock(p->loop)) / 1000, s->record.report->label, s->known,
		    &common)) {
		s->common = boots_common_text(&common);
		boots_common_fini(&common);
	}
	return s->common;
}

static void note_boot(struct recording *s)
{
	const struct run_report *report = s->record.report;
	const struct run_row *row = &report->rows[s->boot++];
	json_t *o = boots_row(s->record.place.cloud, s->patrol->name, report, row);
	if (o)
		json_array_append_new(s->boots, o);
	learn_boot(s, row->boot);
}

static void write_boots(struct recording *s)
{
	boots_write(journal_facts(s->patrol->journal), s->boots);
	s->boots = NULL;
}

/* --- observations ------------------------------------------------------------------------------ */

static void on_waited(struct timer *t);

static void hold(struct recording *s, const struct series_sample *sample, const char *series)
{
	const struct held h = {.row = s->row, .sample = *sample, .series = mem_strdup(series)};
	vec_push(&s->held, h);
	if (!timer_running(&s->waiting))
		timer_start(s->patrol->loop, &s->waiting, TOGETHER_NS, on_waited, s);
}

static void see_step(struct recording *s, const struct run_row *row,
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
		.shared = row->blamed ? common_of(s) : NULL,
		.request_id = row->request_id,
		.service_request_id = row->service_request_id,
	};
	pass(s, &o, row->component);
}

static void see_run(
	const struct recording *s, const struct series_sample *sample, const char *series)
{
	const struct run_report *report = s->record.report;
	char text[ERROR_TEXT + 300];
	if (!report->error || report->stopped)
		return;
	char *detail = secret_scrubbed(error_text(report->error, text, sizeof(text)));
	struct observation o = {
		.series = series,
		.at_ms = sample->at_ms,
		.fault = report->fault != FAULT_NONE ? report->fault : FAULT_LOCAL,
		.severity = SEVERITY_OUTAGE,
		.detail = detail,
	};
	pass(s, &o, report->component);
	free(detail);
}

static void on_stored(void *arg, const struct run_row *row, const struct series_sample *sample,
	const char *series)
{
	struct recording *s = arg;
	if (!s->patrol->seen)
		return;
	if (!row)
		see_run(s, sample, series);
	else if (row->blamed && !s->over)
		hold(s, sample, series);
	else
		see_step(s, row, sample, series);
}

/* --- pieces ------------------------------------------------------------------------------------ */

static void on_turn(struct timer *t);

static void go_on(struct recording *s)
{
	timer_start(s->patrol->loop, &s->turn, 0, on_turn, s);
}

static void on_waited(struct timer *t)
{
	struct recording *s = t->arg;
	s->ripe = s->held.n;
	go_on(s);
}

static void note_stored(struct recording *s, size_t row)
{
	while (s->stored.n <= row)
		vec_push(&s->stored, false);
	s->stored.p[row] = true;
}

static void learn_boots(struct recording *s, const struct run_row *row)
{
	learn_boot(s, row->boot);
	learn_boot(s, row->blamed);
}

static void take_step(struct recording *s, size_t i)
{
	const struct run_report *report = s->patrol->hands->step(s->round->run, i);
	if (!report) /* it comes with the whole one */
		return;
	const struct run_row *row = &report->rows[0];
	s->record.report = report;
	s->row = i;
	learn_boots(s, row);
	note_stored(s, i);
	record_step(&s->record, row);
}

/* Of the run that goes on, or of its report. False: that is being made, and comes. */
static bool tell_held(struct recording *s)
{
	struct held *h = &s->held.p[s->next_held];
	const struct run_report *report =
		s->over ? s->record.report : s->patrol->hands->step(s->round->run, h->row);
	if (!report)
		return false;
	const struct run_row *row = &report->rows[s->over ? h->row : 0];
	s->record.report = report;
	learn_boots(s, row);
	see_step(s, row, &h->sample, h->series);
	free(h->series);
	s->next_held++;
	return true;
}

static bool next_step(struct recording *s)
{
	if (s->next < s->ended.n) {
		take_step(s, s->ended.p[s->next++]);
		return true;
	}
	s->ended.n = s->next = 0;
	return s->next_held < s->ripe && tell_held(s);
}

/* False: there was nothing left to do. */
static bool next_piece(struct recording *s)
{
	const struct run_report *report = s->record.report;
	if (!s->over)
		return next_step(s);
	if (s->boots && s->boot < report->row_count) {
		note_boot(s);
	} else if (s->boots) {
		write_boots(s);
	} else if (s->next_held < s->held.n) {
		tell_held(s);
	} else {
		const size_t i = s->piece++;
		if (!i || i > s->stored.n || !s->stored.p[i - 1])
			return record_piece(&s->record, i);
		record_boot(&s->record, &report->rows[i - 1]);
	}
	return true;
}

static void recording_free(struct recording *s)
{
	timer_cancel(&s->turn);
	timer_cancel(&s->waiting);
	while (s->next_held < s->held.n)
		free(s->held.p[s->next_held++].series);
	vec_fini(&s->ended);
	vec_fini(&s->held);
	vec_fini(&s->stored);
	json_decref(s->known);
	free(s->common);
	free(s);
}

static void on_turn(struct timer *t)
{
	struct recording *s = t->arg;
	struct loop *l = s->patrol->loop;
	const int64_t until = loop_now_ns(l) + TURN_NS;
	for (size_t n = 0; next_piece(s); n++) {
		if (n + 1 < TURN_PIECES && loop_now_ns(l) < until)
			continue;
		go_on(s);
		return;
	}
	if (!s->over)
		return;
	void (*done)(void *arg) = s->done;
	void *arg = s->arg;
	recording_free(s);
	done(arg);
}

/* --- outside ----------------------------------------------------------------------------------- */

struct recording *recording_new(struct patrol *p, const struct round *round)
{
	struct recording *s = mem_new(struct recording);
	s->patrol = p;
	s->round = round;
	s->known = json_object();
	s->record = (struct record){
		.store = p->series,
		.place = {.cloud = p->hands->cloud_name(p->tools->cloud),
			.region = p->hands->region(p->tools->cloud),
			.location = p->location,
			.component_prefix = p->component_prefix},
		.scenario = p->name,
		.stored = on_stored,
		.arg = s,
	};
	return s;
}

void recording_step(struct recording *s, size_t row)
{
	vec_push(&s->ended, row);
	if (!timer_running(&s->turn))
		go_on(s);
}

static void run_is_over(struct recording *s, const struct run_report *report)
{
	timer_cancel(&s->waiting);
	s->over = true;
	s->record.report = report;
	s->boots = s->patrol->journal ? json_array() : NULL;
}

void recording_end(
	struct recording *s, const struct run_report *report, void (*done)(void *arg), void *arg)
{
	run_is_over(s, report);
	s->done = done;
	s->arg = arg;
	go_on(s);
}

void patrol_record(struct patrol *p, const struct run_report *report)
{
	struct recording *s = recording_new(p, NULL);
	run_is_over(s, report);
	while (next_piece(s))
		;
	recording_free(s);
}
