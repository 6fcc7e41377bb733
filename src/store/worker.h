/*
 * worker.h - threads that take jobs from one queue, in order; what is done comes back on the loop.
 *
 * A job is embedded in its owner's structure. Thread: the loop's, but where said.
 */
#ifndef STORE_WORKER_H
#define STORE_WORKER_H

#include "base/error.h"
#include "net/loop.h"

struct worker;

struct worker_job {
	struct worker_job *next;
	struct worker *worker;
	void (*work)(struct worker_job *j, unsigned thread); /* on thread 0 .. threads - 1 */
	void (*done)(struct worker_job *j);                  /* on the loop, once; may submit */
};

struct worker *worker_new(struct loop *l, unsigned threads, struct error *err) must_check;
/* Nothing may be queued or due any more: settle first. */
void worker_free(struct worker *w);
/* work and done are set; the job is the worker's until done. Holds the loop meanwhile. */
void worker_submit(struct worker *w, struct worker_job *j);
/* Waits until no job is left and all their `done` have run. It stops the loop's thread. */
void worker_settle(struct worker *w);

#endif
