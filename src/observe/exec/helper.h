/*
 * helper.h - programs that probes run, started by a process that never saw a secret.
 *
 *	helper_frame.c  the bytes between both sides
 *	helper.c        the house's side
 *	helper_main.c   the helper: this program again, which starts a minder a program
 *	minder.c        a minder: one program from its start until nothing of it is left
 *	minder_start.c  how a program is started
 *	minder_line.c   the socket over which a program tells messages
 *	children.c      what a process has started, ended
 *	apimon.c        those messages, read
 *
 * The helper is started by exec with an empty environment and no descriptor of ours before any
 * secret is read; when it dies it is started again in the same way. A program runs in a session of
 * its own with limits, a private directory that is its home, an environment that is only what is
 * said here, and nothing on stdin. At its deadline its process group gets SIGTERM, 2 s later
 * SIGKILL, and so does everything it left, whatever session that is in: the minder is the reaper of
 * all that descends from it. When the house goes in whatever way, minders see their sockets close
 * and do the same; one that is killed takes its program along.
 * Thread: the loop's.
 */
#ifndef OBSERVE_EXEC_HELPER_H
#define OBSERVE_EXEC_HELPER_H

#include "base/fault.h"
#include "net/loop.h"
#include "observe/exec/helper_frame.h"

#define HELPER_CALLS_MAX  200            /* programs at once */
#define HELPER_GRACE_NS   (2 * NS_PER_S) /* from SIGTERM to SIGKILL */
#define HELPER_OUTPUT_MAX (16u << 20)    /* the largest output_max */
#define HELPER_LINE_MAX   (64u << 10)    /* of a message */
#define HELPER_LINES_MAX  10000          /* messages of a program */

struct helper;
struct helper_call; /* a program that runs; gone once its callback has returned */

/* Starts the process. `tell` hears of its death, in a line; may be NULL. From here on no other
 * process of this user can look into this one, and it leaves no core dump. */
struct helper *helper_new(struct loop *l, void (*tell)(void *arg, const char *text), void *arg,
	struct error *err) must_check;
/* Calls back for what still runs, with CANCELLED. Waits until all that it started has ended, a few
 * seconds at most: it stops the loop's thread. NULL is fine. */
void helper_free(struct helper *h);

struct helper_result { /* borrowed for the call */
	/* NONE: it ended by itself, `exit_status` says how. EXIT_STATUS: a signal ended it.
	 * TIMEOUT. CONFIGURATION: there is no such program or directory, or the order is too long.
	 * LOCAL: the helper died, or this machine refused. CANCELLED. */
	enum fault fault;
	const char *detail;    /* of a fault; "" */
	bool no_directory;     /* why it could not start */
	int exit_status;       /* -1: it did not end by itself */
	int64_t cpu_ns;        /* of it and of what it started */
	uint64_t memory;       /* the largest resident set, bytes */
	uint64_t written;      /* bytes of output, also those that were dropped */
	struct slice output;   /* stdout and stderr as they came, at most output_max */
	struct slice standard; /* stdout alone */
	struct slice tail;     /* the last bytes of stderr, or of stdout if nothing came there */
};

typedef void helper_done(void *arg, const struct helper_result *r);
typedef void helper_message(void *arg, struct slice line); /* borrowed */

/* Copies the request. `message` may be NULL; done is called once, never from in here. */
struct helper_call *helper_run(struct helper *h, const struct helper_request *r,
	helper_message *message, helper_done *done, void *arg);
/* The program is ended as at its deadline; done comes soon, with CANCELLED. */
void helper_cancel(struct helper_call *c);

/* The command behind it: the helper's own main. */
int helper_main(int argc, char **argv);

#endif
