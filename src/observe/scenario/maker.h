/*
 * maker.h - the inside of making one object, shared by these files and nobody else.
 *
 * run_make.c   name, mark, journal row, request, answer
 * run_lost.c   what a lost answer hides
 * run_ready.c  what answers teach; waiting for ready
 * run_batch.c  several by one create
 * run_upload.c the data of images and objects
 */
#ifndef OBSERVE_SCENARIO_MAKER_H
#define OBSERVE_SCENARIO_MAKER_H

#include "observe/scenario/runner.h"

#define POLL_REQUEST_NS (30 * NS_PER_S)
#define PARENT_EVERY_NS (500 * NS_PER_MS)

/* run_make.c */
void make_prepare(struct task *t); /* the next attempt, from its name on */
void make_send(struct task *t);
void make_is_there(struct task *t, const json_t *object);
void make_end(struct task *t, enum fault fault, int status, const char *detail);
/* What parent_look() found: goes on when it is ready, ends the task when there is no hope or no
 * time, else looks again by a pause. */
void make_heed_parent(struct task *t, enum parent_state state, const char *text,
	void (*go_on)(struct task *t), void (*look)(struct timer *timer));

/* run_lost.c */
/* An answer that proves nothing: the create is sent again or looked for. */
void lost_begin(struct task *t, const struct cloud_answer *a);
void lost_look(struct timer *timer);
void lost_give_up(struct task *t); /* this attempt stays unsure; perhaps another one is made */
void lost_end(struct task *t);     /* ends the task with what the lost answer was */

/* run_ready.c */
enum stands { STANDS_WAITING, STANDS_READY, STANDS_FAILED, STANDS_WRONG };

void make_ask_ready(struct timer *timer);
/* Where an object stands by the row's conditions and the step's; `text` in words. WRONG: `err`. */
enum stands make_stands(
	struct task *t, const json_t *object, int status, char *text, size_t n, struct error *err);
enum fault make_failed_fault(const json_t *object);
void make_ready(struct task *t); /* the object is; what the step waits for besides follows */
/* Not ready yet: looks again in a while, unless its time is over. `fault`: of a look that failed;
 * NONE: it was seen, in that state. What could not even be seen at the end ends with that fault:
 * nobody knows that it is stuck. */
void make_poll(
	struct task *t, enum fault fault, const char *state, void (*look)(struct timer *timer));
/* Something the cloud made beside the object: its row, and a place among the extras. */
void make_extra(struct task *t, const struct kind *k, const char *id, const char *note);
void make_note_volumes(struct task *t, const json_t *server);

/* run_batch.c */
/* The answer to the create of a batch: true if it is one, and then it goes on by itself. */
bool batch_answered(struct task *t, const struct cloud_answer *a);
/* What a look after a lost answer found: true if it is there, and then it goes on by itself. */
bool batch_found(struct task *t, json_t *items);

/* run_upload.c */
void upload_begin(struct task *t);
/* Of a kind whose create carries its data: puts them into the request. */
bool upload_within(struct task *t, const json_t *body, struct cloud_request *r, struct error *err);
/* Whether the answer proves that what was sent within it has arrived; else `why`. */
bool upload_arrived(struct task *t, const json_t *object, char *why, size_t n);

#endif
