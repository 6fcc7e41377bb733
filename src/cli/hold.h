/*
 * hold.h - how to log in to the servers of a run that is held: its keys and a configuration for
 * ssh, files of the owner alone in the state directory, until the run ends.
 *
 * The only place where a run's private key leaves memory; whoever makes it says so. Thread: the
 * loop's.
 */
#ifndef CLI_HOLD_H
#define CLI_HOLD_H

#include "observe/scenario/run.h"

struct hold;

/* One server: the line to type, and what it leads to ("debian@192.0.2.7 through debian@192.0.2.9").
 */
typedef void hold_line(void *arg, const char *server, const char *command, const char *where);

/* Writes STATE/hold/RUN/ and tells a line a server; NULL when no server has a login, and then
 * nothing is written. What cannot be written is an error. Returns owned. */
struct hold *hold_new(const char *state, struct run *run, hold_line *tell, void *arg,
	struct error *err) must_check;
const char *hold_dir(const struct hold *h); /* borrowed */
/* Removes the files. */
void hold_free(struct hold *h);
/* Removes what runs that are dead have left of it. */
void hold_clean(const char *state, struct journal *j);

#endif
