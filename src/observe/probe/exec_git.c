/*
 * exec_git.c - before a run plays: the working copy is pulled, and what there is to play is listed.
 *
 * Both are scripts of sh that get what they work on as arguments; no file is touched by the house
 * itself.
 */

#include <string.h>

#include "observe/probe/exec.h"

#define MEMORY     (4ULL << 30)
#define OUTPUT_MAX (64u << 10)

/* $1 where it comes from, $2 the working copy, $3 the branch or another name of a commit. Nobody
 * else works in it: a lock there is of one that was killed. It has its name once it is whole. */
static const char clone_script[] =
	"set -e; to=$2\n"
	"[ -d \"$2\" ] || { to=$2.new; rm -rf \"$to\"; mkdir -p \"$to\"; git init -q \"$to\"; }\n"
	"cd \"$to\"; rm -f .git/*.lock; git config remote.origin.url \"$1\"\n"
	"git fetch -q --depth 1 \"$1\" \"$3\"\n"
	"git reset -q --hard FETCH_HEAD; git clean -qfdx\n"
	"git submodule update -q --init --recursive --depth 1\n"
	"[ \"$to\" = \"$2\" ] || mv \"$to\" \"$2\"\n";

/* A working copy of the user's: what he changed there stays, and stops it. */
static const char pull_script[] = "cd \"$1\"; git pull -q --ff-only --recurse-submodules\n";

/* Only the pattern is expanded: no word of it is split. */
static const char list_script[] =
	"set -e; IFS=; for f in $1; do [ ! -f \"$f\" ] || printf '%s\\n' \"$f\"; done\n";

static char *working_copy(const struct exec_spec *s, const struct probe_tools *t)
{
	return s->cloned ? mem_printf("%s/%s", t->working, s->name) : mem_strdup(s->git);
}

char *exec_directory(const struct exec_spec *s, const struct probe_tools *t)
{
	if (!s->git)
		return mem_strdup(s->directory ? s->directory : "");
	char *copy = working_copy(s, t);
	char *dir = s->directory ? mem_printf("%s/%s", copy, s->directory) : mem_strdup(copy);
	free(copy);
	return dir;
}

static struct helper_call *run(const struct probe_tools *t, const char *const *argv,
	const char *const *env, const char *dir, int64_t deadline_ns, helper_done *done, void *arg)
{
	return helper_run(t->helper,
		&(struct helper_request){.deadline_ms = deadline_ns / NS_PER_MS + 1,
			.memory = MEMORY,
			.output_max = OUTPUT_MAX,
			.dir = dir,
			.argv = argv,
			.env = env},
		NULL, done, arg);
}

struct helper_call *exec_pull(const struct exec_spec *s, const struct probe_tools *t,
	const char *const *env, int64_t deadline_ns, helper_done *done, void *arg)
{
	static const char *const quiet[] = {
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "SSH_ASKPASS=true"};
	char *copy = working_copy(s, t);
	const char *cloning[] = {"/bin/sh", "-c", clone_script, "git", s->git, copy,
		s->branch ? s->branch : "HEAD", NULL};
	const char *pulling[] = {"/bin/sh", "-c", pull_script, "git", copy, NULL};
	size_t n = 0;
	while (env[n])
		n++;
	const char **all = mem_new_array(n + array_len(quiet) + 1, sizeof(*all));
	memcpy(all, env, n * sizeof(*all));
	memcpy(all + n, quiet, sizeof(quiet));
	struct helper_call *call =
		run(t, s->cloned ? cloning : pulling, all, "", deadline_ns, done, arg);
	free(all);
	free(copy);
	return call;
}

struct helper_call *exec_list(const struct exec_spec *s, const struct probe_tools *t,
	const char *dir, int64_t deadline_ns, helper_done *done, void *arg)
{
	const char *argv[] = {"/bin/sh", "-c", list_script, "tasks", s->tasks, NULL},
		   *env[] = {NULL};
	return run(t, argv, env, dir, deadline_ns, done, arg);
}
