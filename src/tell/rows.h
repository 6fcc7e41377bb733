/*
 * rows.h - writes to facts.db, one after the other, each tried until it is durable (alarm_rows.c).
 *
 * What waits lies in memory; a disk that is full holds it up, and what comes later never overtakes
 * it. Thread: the loop's.
 */
#ifndef TELL_ROWS_H
#define TELL_ROWS_H

#include "base/vec.h"
#include "store/facts.h"

struct rows_job;
struct rows *rows_new(struct loop *l, struct facts *f, struct error *err) must_check;
void rows_free(struct rows *r); /* what waits is still written; no callback comes any more */
struct rows_job *rows_job_new(void);
void rows_job_free(struct rows_job *j);
/* Copies texts. */
void rows_add(struct rows_job *j, const char *sql, const struct facts_value *v, size_t n);
#define ROWS_ADD(j, sql, ...)                                                                      \
	rows_add(j, sql, (const struct facts_value[]){__VA_ARGS__},                                \
		array_len(((const struct facts_value[]){__VA_ARGS__})))
/* Takes j. Jobs become durable in order; done (or NULL) comes after that. */
void rows_submit(struct rows *r, struct rows_job *j, void (*done)(void *arg), void *arg);
/* The same, waiting for it: for starting up only. */
bool rows_call(struct rows *r, struct rows_job *j, struct error *err) must_check;
void rows_forget(struct rows *r, const void *arg); /* no callback with that argument */
const char *rows_trouble(const struct rows *r);    /* why nothing becomes durable, or NULL */

#endif
