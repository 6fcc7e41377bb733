/*
 * run_json.h - what a run says of itself as JSON: whole for programs and pages, within a limit for
 * the journal, and in short for lists of runs.
 *
 * Secrets are masked. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_RUN_JSON_H
#define OBSERVE_SCENARIO_RUN_JSON_H

#include "observe/scenario/run.h"

#define RUN_JSON_MAX  (1u << 20) /* of a report in the journal */
#define RUN_JSON_KEPT 500        /* steps of one that would be longer */

/* The whole report: an owned reference. */
json_t *run_json(const struct run_report *r);
/*
 * The report as text of at most RUN_JSON_MAX bytes, written a step at a time, as that of thousands
 * takes too long for one turn of a loop. One that would be longer keeps the steps that failed,
 * those of the critical path and the first RUN_JSON_KEPT; if that is too much still, of these as
 * many as fit; `left_out` says how many steps are missing.
 */
struct run_text;

/* Borrows the report until the text is taken. `more` is added to it (borrowed; may be NULL). */
struct run_text *run_text_new(const struct run_report *r, const json_t *more);
bool run_text_step(struct run_text *t);  /* looks at one more step; false: there is none */
char *run_text_take(struct run_text *t); /* frees it; returns owned */

/*
 * In short, an owned reference: {built_ms, ended_ms, created, deleted, left, requests, steps,
 * error or null, cause or null}; cause = {step, component, fault, sentence, detail, request_id,
 * service_request_id} of run_cause().
 */
json_t *run_json_summary(const struct run_report *r);

/* What a run that did not pass comes from: of the worst steps that failed by themselves the one
 * that ended first, else the first degraded one; NULL: there is none. Borrowed. */
const struct run_row *run_cause(const struct run_report *r);

#endif
