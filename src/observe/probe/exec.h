/*
 * exec.h - the inside of kind exec.
 *
 *	exec_read.c  its keys
 *	exec_git.c   the two things a run does before it plays: pull, and see what there is
 *	exec.c       a run: its programs one after the other, and what came of them
 */
#ifndef OBSERVE_PROBE_EXEC_H
#define OBSERVE_PROBE_EXEC_H

#include "observe/exec/helper.h"
#include "observe/probe/kind.h"

#define EXEC_ARGS_MAX  200
#define EXEC_ENV_MAX   200
#define EXEC_TASKS_MAX 100 /* files that a run plays */

struct exec_variable {
	char *name, *value; /* value NULL: secret */
	struct secret *secret;
};

struct exec_spec {
	const struct yaml *run, *env; /* while it is read */
	char *directory, *git, *branch, *tasks, *statsd;
	int64_t memory, cpu_ns, output_max;
	/* made of them */
	const char *name; /* the probe's, borrowed of its configuration */
	char **argv;
	size_t argc;
	struct exec_variable *variables;
	size_t n;
	bool cloned; /* git is where it comes from; else a working copy that is there */
};

/* --- exec_read.c */
#define EXEC_KEYS 10
extern const struct key exec_keys[EXEC_KEYS];
void exec_defaults(void *spec);
bool exec_finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out);
void exec_fini(void *spec);
/* The prefix of what its programs report to StatsD, owned. */
char *exec_prefix(const struct exec_spec *s, const struct probe_tools *t);
/* The environment beyond what every program has, owned, NULL-terminated, to be wiped by
 * exec_environment_free(). `job` names the run. */
char **exec_environment(const struct exec_spec *s, const struct probe_tools *t, const char *prefix,
	const char *job);
void exec_environment_free(char **env);

/* --- exec_git.c */
/* Where its programs run, owned: "" is the private directory of each. */
char *exec_directory(const struct exec_spec *s, const struct probe_tools *t);
/* Brings the working copy up to date. */
struct helper_call *exec_pull(const struct exec_spec *s, const struct probe_tools *t,
	const char *const *env, int64_t deadline_ns, helper_done *done, void *arg);
/* Writes what matches `tasks` in the directory, a line each. */
struct helper_call *exec_list(const struct exec_spec *s, const struct probe_tools *t,
	const char *dir, int64_t deadline_ns, helper_done *done, void *arg);

#endif
