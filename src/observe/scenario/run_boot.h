/*
 * run_boot.h - how the servers of a run came up, for run_*.c alone.
 *
 * A boot, as JSON in the report: {"server": ID, "host": HOSTID, "zone", "image", "flavor",
 * "volume_type", "phases": [{"name": "schedule", "ms": 812.0}, ...] (schedule, network, block
 * device, spawn, and guest: from ACTIVE until the first check came through), "hosts": [{"host":
 * HOSTID, "good": true, "s": 5}, ...], "good": whether nothing failed that had to do with it,
 * "fault", "failed": the step that failed, "cause": boot_cause_name(), "console": the line that
 * says so}; what is not known is absent.
 */
#ifndef OBSERVE_SCENARIO_RUN_BOOT_H
#define OBSERVE_SCENARIO_RUN_BOOT_H

#include "observe/scenario/runner.h"

/* An answer about the object of a creating task came. Other kinds than servers are ignored. */
void boot_see(struct task *t);
/* The server is ready, or never will be: its instance actions are asked for, nobody waits. */
void boot_built(struct task *t);
/* A check has come through. */
void boot_reached(struct task *t);
/* A check failed for good. When it went to a server, that server's console is asked for first, and
 * task_fail() comes later with what it says: true. False: nothing to ask. */
bool boot_explain(struct task *t, enum fault fault, const char *why);
/* Owned, or NULL: the task has made no server. */
json_t *boot_json(struct task *t);
/* That of the server which a failed task is, or is the first to blame, owned; else NULL. */
json_t *boot_blamed(struct task *t);
/* Asks no more. */
void boot_free(struct task *t);

#endif
