/*
 * runner.h - the inside of a run, shared by the run_*.c files and nobody else.
 *
 * run.c         life of a run: build, tear down
 * run_prepare.c cloud, zones, picks, journal
 * run_graph.c   which element may start now; what ended and who waits for it
 * run_task.c    one element's work: attempts, retries, expectations, must_fail
 * run_make.c    create; its inside is maker.h's: run_lost.c, run_ready.c, run_batch.c, run_upload.c
 * run_parent.c  what admits one change at a time
 * run_keep.c    what runs leave for the next ones
 * run_change.c  set, server_action, delete, call, find
 * run_until.c   until, wait
 * run_stream.c  streams around steps
 * run_boot.c    how servers came up, why nobody gets in
 * run_remove.c  teardown
 * run_stuck.c   what does not go
 * run_order.c   its order
 * run_report.c  rows, critical path, verdict
 * run_end.c     the end: the report, a piece a turn
 * run_measure.c what took how long, told as it ends
 */
#ifndef OBSERVE_SCENARIO_RUNNER_H
#define OBSERVE_SCENARIO_RUNNER_H

#include "base/digest.h"
#include "observe/scenario/pick.h"
#include "observe/scenario/run.h"
#include "observe/scenario/stuck.h"
#include "openstack/kind_exchange.h"

/* A look at thousands of elements takes breaks, so that the loop's other work is not held up. */
#define TURN_NS (2 * NS_PER_MS)

enum task_state {
	TASK_IDLE,    /* element waiting */
	TASK_LOCK,    /* waits for another change under the same parent */
	TASK_WORKING, /* an operation, a poll or a pause is under way */
	TASK_JUDGING, /* measured; an expectation needs something that is not ready */
	TASK_DONE,    /* the element has ended */
};

enum removal_state {
	REMOVAL_NONE, /* nothing was asked yet */
	REMOVAL_LOCK,
	REMOVAL_SENT, /* an operation, a poll or a pause is under way */
	REMOVAL_GONE, /* gone, or there was nothing */
	REMOVAL_LEFT, /* given up; the ledger says why */
};

/* An object in the cloud that a task answers for: what it made, and what the cloud made for it. */
struct made {
	const struct kind *kind;
	int64_t row;  /* of the journal */
	char *id;     /* NULL: not known */
	json_t *path; /* id and the keys its paths need */
	bool kept;    /* `keep`: not ours to remove now */
	bool gone;    /* seen to be removed */
};

struct task;
struct boot;
struct explaining;

/* Whether what dies with its parent may hold up this one's removal. */
enum apart { APART_UNKNOWN, APART_YES, APART_NO };

/* Whether what admits one change at a time takes one now. */
enum parent_state {
	PARENT_READY,
	PARENT_BUSY,
	PARENT_FAILED,
	PARENT_GONE,
	PARENT_UNKNOWN, /* it could not be asked */
};
typedef void parent_then(struct task *t, enum parent_state state, const char *text);

struct operation_result {
	enum fault fault;
	int status;
	const char *detail;
	const json_t *measured; /* [NAME]s, borrowed; NULL: none */
	bool unasked;           /* the guest that was to ask could not be logged in to */
};
typedef void task_then(struct task *t, const struct operation_result *r);

struct task {
	struct run *run;
	struct element *element;
	const struct step *step;
	size_t place;                 /* among the run's tasks */
	struct cloud_purpose purpose; /* of its calls */
	enum task_state state;

	/* what the last attempt to start was stopped by: checked before evaluating again */
	struct value_ref blocked_on;
	bool is_blocked;

	struct value body;                                /* evaluated */
	int64_t needed_ns, start_ns, answer_ns, ready_ns; /* since the run began; -1 */
	int64_t first_start_ns;                           /* mono */
	int64_t failing_since_ns; /* mono, of a must_fail that fails as it must; 0 */
	unsigned tries;
	unsigned looks;           /* at what an `until` names */
	bool until_hopes;         /* of that, something had failed already when it began */
	bool until_held;          /* of a check: it may begin */
	int64_t deadline_mono_ns; /* of the step */
	struct timer timer;       /* the pause of whatever is under way; and the poll */
	struct cloud_call *call;
	struct check_call *check;
	struct stream *stream;
	bool stream_ready; /* its lead has passed */
	bool stream_ending;

	/* making */
	struct made made;
	bool has_made;
	bool reused;    /* an earlier run made it and kept it */
	bool in_flight; /* a create was sent and its fate is not known: must not be dropped */
	unsigned attempt;
	char request_id[REQUEST_ID_TEXT];
	int64_t lost_until_ns;
	enum fault lost_fault;
	int lost_status;
	char *lost_detail;
	bool resent;             /* this attempt, whose answer was lost */
	bool finding;            /* adopting after a conflict */
	VEC(struct made) unsure; /* attempts that were never found */
	VEC(struct made) extras; /* what the cloud made for it and leaves behind */
	int64_t upload_size, upload_at;
	uint64_t upload_seed;
	char *upload_text; /* NULL: noise */
	struct digest_md5 upload_sum;

	bool abandoned; /* the run is stopping: end as soon as the fate is known */
	bool removed;   /* a `delete` step has removed it */
	bool degraded;
	bool changed; /* set, server_action, call: there may be something to undo */
	bool undone;
	char *lock; /* held or waited for */
	bool holds_lock;
	const char *parent_kind; /* of the look that is under way */
	parent_then *parent_then;

	enum fault fault;
	char *detail;
	char service_request_id[96];
	char *create_request_id;       /* the service's, of the create's answer; NULL: none came */
	struct boot *boot;             /* run_boot.c's; NULL: no server, or nothing seen */
	struct explaining *explaining; /* the same: the failure of a check, until it is explained */
	struct task *blamed;     /* the same: the server that is the first to be blamed for it */
	struct task *waited_for; /* became ready last before this could start */

	/* teardown's order, known when it begins */
	struct task *parent;      /* dies with it; NULL: is deleted by itself */
	bool takes_along;         /* is somebody's parent */
	enum apart apart;         /* of run_order.c */
	size_t held_by;           /* elements that used it and are not over */
	VEC(struct task *) holds; /* what it used */
	bool holding;

	enum removal_state removal;
	int64_t remove_ns, gone_ns;
	unsigned remove_tries;
	size_t remove_next; /* which of made, extras, unsure is being removed */
	bool remove_asked;  /* the cloud accepted the delete: now it only has to go */
	struct stuck stuck; /* what was seen of the one being removed */
};

struct lock {
	struct task *holder;
	VEC(struct task *) queue;
};

struct run {
	struct check_tools tools;
	struct journal *journal;
	const struct scenario *scenario;
	const struct kinds *kinds;
	char *instance, *location, *called;
	json_t *params;
	enum run_hold hold;
	int64_t hold_ns;
	bool held;
	void (*event)(void *arg, const struct run_event *e);
	void *event_arg;
	measure_signal *measured;
	void *measured_arg;
	void (*done)(void *arg, const struct run_report *report);
	void *arg;

	char label[RUN_LABEL_TEXT];
	enum run_phase phase;
	int64_t began_ns; /* mono */
	int64_t began_unix_us;
	int64_t built_ns, ended_ns;
	struct world *world;
	struct pick *pick;
	json_t *picked;
	json_t *zones;
	struct journal_run *journal_run;
	VEC(struct task *) tasks; /* in order of expansion */
	size_t *after_left;       /* a step: elements that came after it and are not over */
	struct map locks;         /* "server/ID" -> struct lock * */
	bool started;             /* preparation is over */
	bool stopping, abandon_teardown;
	bool last_looks;       /* the time for teardown is over: what is left is looked at once */
	bool stop_asked;       /* run_stop() was called */
	bool stopped;          /* and it was not built then */
	enum fault stop_fault; /* why unfinished work was stopped */
	struct timer kick, deadline;
	size_t next_look; /* task at which a look at the graph goes on after a break */
	bool kicked;
	int64_t teardown_until_ns;
	unsigned outstanding; /* preparation and ending calls that will come back */
	size_t requests;

	struct error error;
	bool has_error;
	enum fault error_fault;
	const char *error_service;       /* static; NULL: none */
	struct cloud_failure unprepared; /* fault NONE: no service failed the preparation */
	char *unprepared_detail;
	struct run_report report;
	VEC(struct run_row) rows;
	bool reporting;          /* the rows are being made: what they are made of is let go */
	struct run_row step_row; /* run_step()'s answer */
	struct run_report step_report;
	struct run_text *text; /* the report, while it is written */
};

/* run.c */
int64_t run_now(const struct run *r); /* ns since it began */
void run_emit(struct run *r, enum run_event_type type, struct task *t, const char *fmt, ...)
	like_printf(4, 5);
void run_kick(struct run *r);          /* look at the graph again, soon */
void run_on_deadline(struct timer *t); /* its arg is the run */

/* run_prepare.c */
void prepare_begin(struct run *r);

/* run_graph.c */
void graph_turn(struct run *r); /* starts what may start */
bool graph_building_over(struct run *r);
struct task *graph_task(const struct element *e);
/* The task that was to take the object `id` into use and came to nothing, when nobody else does or
 * will: what only gets ready by that use never gets it. NULL: there is hope. */
const struct task *graph_lost_user(const struct task *t, const char *id);
const char *task_name(const struct task *t, char *text, size_t n);

/* run_task.c */
void task_begin(struct task *t);
void task_measure(struct task *t); /* begins the check itself */
void task_ready(struct task *t);
void task_fail(struct task *t, enum fault fault, const char *fmt, ...) like_printf(3, 4);
void task_end(struct task *t, enum element_state state);
/* An operation came to an end: judges it (must_fail, retry, expect, warn) and goes on. */
void task_result(struct task *t, const struct operation_result *r);
void task_judge(struct task *t); /* again, when an expectation was blocked */
void task_pause(struct task *t, int64_t ns, void (*then)(struct timer *t));
int64_t task_left_ns(const struct task *t); /* until its deadline, >= 0 */
/* Drops what is under way, unless a create's fate is open; then it ends by itself, soon. */
void task_stop(struct task *t, enum fault why);
void task_free(struct task *t);
void task_note_answer(struct task *t, const struct cloud_answer *a);
/* Takes `key` or queues for it; true: taken. `then` by state: a task waiting to work or to remove.
 */
bool lock_take(struct run *r, struct task *t, const char *key);
void lock_release(struct run *r, struct task *t);

/* run_parent.c */
/* What a change of an object of this kind holds: "server/ID"; `path` is its body or path keys.
 * NULL: nothing. Owned. */
char *task_lock_key(struct task *t, const struct kind *k, const json_t *path);
/* The id of the object of the kind `lock_of` that this one is a part of, or is; NULL: there is
 * none, or it is not known. Owned. */
char *parent_id(struct run *r, const struct kind *k, const json_t *path);
/* Asks how that object is; then is called once, with a text for people. False: there is none to
 * ask, and then is not called. */
bool parent_look(struct task *t, const struct kind *k, const json_t *path, parent_then *then);

/* run_make.c, run_ready.c */
void make_begin(struct task *t); /* or uses again what an earlier run kept */
void make_new(struct task *t);
void make_abandon(struct task *t);
void made_fini(struct made *m);
/* Waits for the ready condition of an existing object, then task_result(). */
void make_wait_ready(struct task *t);
/* Learns from a new answer about the element's object. Takes a reference. */
void make_learn(struct task *t, const json_t *object);

/* run_keep.c */
/* Whether an earlier run kept what this step makes: then it is being looked at, and the task goes
 * on from there. */
bool keep_reuses(struct task *t);
void keep_ready(struct task *t); /* decides whether what was made stays after this run */

/* run_change.c */
void change_begin(struct task *t);
bool change_undo(struct task *t); /* true: an undo is under way and ends in remove_step() */

/* The task of the object a verb acts on, `of` or the body itself; NULL: it names none. */
struct task *change_target(struct task *t);
/* The path keys of an object that was made or found; an owned reference. */
json_t *change_object_path(const struct task *t);
/* [STATUS] [RESPONSE_TIME] [BODY] of an answer; an owned reference. */
json_t *change_measured(const struct cloud_answer *a);

/* run_until.c */
/* Of the task in timer->arg: reads the next object that the step's `until` names, then judges the
 * condition, again and again until it holds; then task_measure() for a check, else task_result().
 */
void until_look(struct timer *timer);

/* run_stream.c */
void stream_begin(struct task *t);
/* Whether a step that a stream goes around must still wait for it. */
bool stream_holds(struct task *t);
void stream_sent(struct task *t); /* the first of its steps was sent */
void stream_turn(struct run *r);  /* ends streams whose steps have ended */
bool stream_may_start(struct task *t);

/* run_remove.c */
void remove_turn(struct run *r);
bool remove_over(struct run *r);
void remove_step(struct task *t);
/* Its time is over: nothing is begun any more, and each object that is there is looked at once, for
 * the ledger to say why. */
void remove_last_looks(struct run *r);
void remove_give_up(struct run *r);
bool removal_over(const struct task *t);

/* run_batch.c */
void batch_follow(struct task *t); /* of a later element: takes its server when all are ready */
void batch_before_removal(struct task *t);
void batch_remove(struct task *t); /* the current object: whatever is left of it */

struct made *remove_current(struct task *t); /* what of it is being removed; NULL: nothing more */
void remove_call(struct task *t, const struct kind *k, const struct kind_request *q,
	int64_t deadline_ns, cloud_done *done);
bool remove_out_of_time(const struct task *t);
/* Whether the current one is an attempt whose answer was lost. */
bool remove_is_unsure(const struct task *t);
/* What became of the current one; each goes on with the next. */
void remove_is_gone(struct task *t);
void remove_stays_unsure(struct task *t); /* not found: every sweep looks again */
void remove_left(struct task *t, const char *note);
void remove_leave(struct task *t, enum object_fate fate, const char *why);

/* run_stuck.c: the current one does not go */
void remove_last_look(struct task *t);              /* looks at it, then explains */
void remove_explain(struct task *t);                /* looks who holds it, then writes */
void remove_stuck(struct task *t, const char *why); /* writes what is known */

/* run_order.c */
void order_begin(struct run *r);
void order_over(struct task *t); /* it holds up nothing any more */
bool order_may_remove(const struct task *t);

/* run_report.c */
bool report_row(struct run *r);    /* makes one more row; false: all are made */
void report_judge(struct run *r);  /* all else, of the rows; again when an error came up */
bool report_failed(struct run *r); /* as far as it has come: failed, or not known to have passed */
void report_fini(struct run *r);
/* The names of `each: {zone: …}` with this element's values; an owned reference or NULL. */
json_t *report_dimensions(const struct task *t);

/* run_end.c */
void run_finish(struct run *r);

/* run_measure.c: each tells what there is to tell, if anybody listens */
void measure_ended(const struct task *t);   /* the element has ended */
void measure_removed(const struct task *t); /* teardown is done with it */
void measure_run(const struct run *r);      /* the report is made */

#endif
