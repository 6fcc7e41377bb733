/*
 * minder_start.c - a program is started: a session of its own, limits, and what it may see.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/exec/helper_inside.h"

#define FILES_MAX     1024
#define PROCESSES_MAX 4096 /* the system counts all that the user has, not only ours */
#define FILE_SIZE_MAX (1u << 30)
#define DEFAULTS      5
#define PATH_DEFAULT  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct failure { /* from the child before it is the program */
	enum helper_how how;
	int number;
};

static bool has(const char *const *env, const char *variable)
{
	const size_t n = (size_t)(strchr(variable, '=') - variable) + 1;
	for (; *env; env++)
		if (!strncmp(*env, variable, n))
			return true;
	return false;
}

/* What everybody needs, unless the order says otherwise. Owned, with the texts of ours. */
static const char **environment(
	const struct helper_request *r, const char *home, const char *socket)
{
	char *ours[DEFAULTS] = {mem_strdup("PATH=" PATH_DEFAULT), mem_strdup("LANG=C.UTF-8"),
		mem_printf("HOME=%s", home), mem_printf("TMPDIR=%s", home),
		socket ? mem_printf("APIMON_PROFILER_MESSAGE_SOCKET=%s", socket) : NULL};
	size_t n = 0, given = 0;
	while (r->env[given])
		given++;
	const char **all = mem_new_array(given + DEFAULTS + 1, sizeof(*all));
	for (size_t i = 0; i < DEFAULTS; i++)
		if (ours[i] && !has(r->env, ours[i]))
			all[n++] = ours[i];
	memcpy(&all[n], r->env, given * sizeof(*all));
	return all;
}

static void limit(__rlimit_resource_t what, uint64_t to)
{
	struct rlimit now;
	if (getrlimit(what, &now) != 0 || (now.rlim_max != RLIM_INFINITY && now.rlim_max < to))
		return;
	setrlimit(what, &(struct rlimit){to, to});
}

static void limit_all(const struct helper_request *r)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, FILES_MAX);
	limit(RLIMIT_NPROC, PROCESSES_MAX);
	limit(RLIMIT_FSIZE, FILE_SIZE_MAX);
	if (r->memory)
		limit(RLIMIT_AS, r->memory);
	if (r->cpu_s)
		limit(RLIMIT_CPU, r->cpu_s);
}

static void fail(int fd, enum helper_how how) __attribute__((noreturn));
static void fail(int fd, enum helper_how how)
{
	const struct failure f = {how, errno};
	const ssize_t n = write(fd, &f, sizeof(f));
	_exit(n == sizeof(f) ? 127 : 126);
}

/* In the child. */
static void become(const struct helper_request *r, const char *home, const char **env, int out,
	int err, int failed) __attribute__((noreturn));
static void become(const struct helper_request *r, const char *home, const char **env, int out,
	int err, int failed)
{
	extern char **environ;
	const pid_t minder = getppid();
	setsid();
	/* The minder may be killed; one that has gone already will not be again. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != minder)
		fail(failed, HELPER_FAILED);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	umask(077);
	const int nothing = open("/dev/null", O_RDONLY);
	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		fail(failed, HELPER_FAILED);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (chdir(*r->dir ? r->dir : home) != 0)
		fail(failed, HELPER_NO_DIRECTORY);
	limit_all(r);
	environ = (char **)env;
	execvp(r->argv[0], (char *const *)r->argv);
	fail(failed, HELPER_NO_PROGRAM);
}

static bool make_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) != 0)
			return false;
	return fcntl(pipes[0][0], F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(pipes[1][0], F_SETFL, O_NONBLOCK) == 0;
}

/* The process is gone soon after a failure: descriptors and memory need no end of their own. */
enum helper_how minder_start(const struct helper_request *r, const char *home, const char *socket,
	struct started *ret, uint32_t *ret_code)
{
	struct failure f = {HELPER_FAILED, 0};
	int pipes[3][2];
	if (!make_pipes(pipes)) {
		*ret_code = (uint32_t)errno;
		return HELPER_FAILED;
	}
	const char **env = environment(r, home, socket);
	*ret = (struct started){fork(), pipes[0][0], pipes[1][0]};
	if (ret->pid == 0)
		become(r, home, env, pipes[0][1], pipes[1][1], pipes[2][1]);
	*ret_code = (uint32_t)errno;
	for (int i = 0; i < 3; i++)
		close(pipes[i][1]);
	free(env);
	if (ret->pid < 0)
		return HELPER_FAILED;
	ssize_t n;
	while ((n = read(pipes[2][0], &f, sizeof(f))) < 0 && errno == EINTR)
		;
	close(pipes[2][0]);
	*ret_code = (uint32_t)f.number;
	return n == 0 ? HELPER_EXITED : f.how;
}
