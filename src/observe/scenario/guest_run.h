/*
 * guest_run.h - scripts in guests: how the verbs guest, mesh, throughput and bench work there.
 *
 * A script is plain sh, given to `sh -s` on standard input, so that nothing of it has to be quoted
 * for a command line and its size is not that of one. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_GUEST_RUN_H
#define OBSERVE_SCENARIO_GUEST_RUN_H

#include "observe/scenario/checks.h"

#define GUEST_SCRIPT_MAX  (256u << 10)
#define GUEST_NO_TOOL     127 /* a script ends so when the guest lacks a tool; it says which */
#define GUEST_ADDRESS_MAX 46

struct guest_run;

/* `r` is borrowed during the callback. */
typedef void guest_run_done(void *arg, const struct ssh_result *r);

struct guest_order {
	struct value_ref guest;
	bool as_root; /* by sudo -n where the log-in is another's */
	struct slice script;
	int64_t deadline_ns;
	size_t output_max; /* 0: 64 KiB */
};

/* Copies the script. NULL, with the error, when the guest cannot be logged in to (yet). done is
 * called once, never from in here. */
struct guest_run *guest_run(struct check_call *c, const struct guest_order *order,
	guest_run_done *done, void *arg, struct error *err);
void guest_run_cancel(struct guest_run *run); /* done runs soon with FAULT_CANCELLED */

/* Whether the script ran at all, whatever its exit status; else why not is the check's fault. */
bool guest_run_ran(const struct ssh_result *r);
/* What a script that ended badly said last, "its exit status was N" if nothing; one line. */
const char *guest_run_said(const struct ssh_result *r, char *text, size_t n);

/* "vm[3]": a guest as the scenario names it. */
const char *guest_run_name(struct world *w, struct value_ref ref, char *text, size_t n);

/* Its own address, owned; NULL: it has none. */
char *guest_run_address(struct world *w, struct value_ref ref);

/* The one guest that the body names with `key`; false: the check has ended so. */
bool guest_run_named(struct check_call *c, const char *key, struct value_ref *ret);

/* As one word of sh, whatever is in it. */
void guest_run_word(struct buf *script, struct slice text);

#endif
