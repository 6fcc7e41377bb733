/*
 * isolate.c - landlock and seccomp; see isolate.h.
 *
 * The landlock ruleset handles everything this kernel knows and allows nothing, so no path can be
 * opened, made or removed; it is taken by the threads that are started later. The filter of calls
 * is put on all threads at once when everything is open. What is not on its list fails with EPERM
 * instead of ending the process: a library that asks for something in vain goes on.
 */

#include "web/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Rights by the version that brought them; the headers of Debian 12 know the first two. */
static const uint64_t fs_rights[] = {
	(1ULL << 13) - 1, /* 1 */
	1ULL << 13,       /* 2: refer */
	1ULL << 14,       /* 3: truncate */
	0,                /* 4: TCP */
	1ULL << 15,       /* 5: ioctl on devices */
};
#define NET_RIGHTS     3ULL /* bind, connect; version 4 */
#define NET_VERSION    4
#define NET_ATTRIBUTES 16 /* size of the structure that has handled_access_net */

static void complain(struct isolate *i, const char *what, int error)
{
	const size_t n = strlen(i->why);
	snprintf(i->why + n, sizeof(i->why) - n, "%s%s: %s", n ? "; " : "", what, strerror(error));
}

static void give_up_files(struct isolate *i)
{
	uint64_t attributes[2] = {0}; /* handled_access_fs, handled_access_net */
	const long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) {
		complain(i, "landlock", errno);
		return;
	}
	for (long v = 0; v < version && v < (long)array_len(fs_rights); v++)
		attributes[0] |= fs_rights[v];
	attributes[1] = version >= NET_VERSION ? NET_RIGHTS : 0;
	const int fd = (int)syscall(SYS_landlock_create_ruleset, attributes,
		version >= NET_VERSION ? NET_ATTRIBUTES : sizeof(attributes[0]), 0);
	if (fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0)
		i->landlock = (int)version;
	else
		complain(i, "landlock", errno);
	if (fd >= 0)
		close(fd);
}

void isolate_begin(struct isolate *i)
{
	*i = (struct isolate){0};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		complain(i, "end with the parent", errno);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		complain(i, "no dump", errno);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		complain(i, "no new privileges", errno);
	give_up_files(i);
}

/* --- calls ---------------------------------------------------------------------------------------
 */

#define CALL(name) SCMP_SYS(name)
static const int calls[] = {
	/* connections and doors */
	CALL(accept4),
	CALL(accept),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(sendto),
	CALL(sendmsg),
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(sendfile),
	CALL(shutdown),
	CALL(close),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(fcntl),
	CALL(ioctl),
	CALL(fstat),
	CALL(lseek),
	/* waiting */
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_ctl),
	CALL(epoll_create1),
	CALL(poll),
	CALL(ppoll),
	CALL(futex),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL(sched_yield),
	CALL(restart_syscall),
	/* time and randomness, where the kernel has no quicker way */
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(gettimeofday),
	CALL(time),
	CALL(getrandom),
	/* memory; mmap and mprotect have a rule of their own */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	/* itself */
	CALL(getpid),
	CALL(gettid),
	CALL(getppid),
	CALL(getrusage),
	CALL(sched_getaffinity),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(tgkill),
	CALL(membarrier),
	CALL(rseq),
	CALL(set_robust_list),
	CALL(exit),
	CALL(exit_group),
};

void isolate_finish(struct isolate *i)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
	for (size_t c = 0; c < array_len(calls) && rc == 0; c++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[c], 0);
	const int with_pages[] = {CALL(mmap), CALL(mprotect)};
	for (size_t c = 0; c < array_len(with_pages) && rc == 0; c++) /* none that can be run */
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, with_pages[c], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc : seccomp_load(filter);
	i->seccomp = rc == 0;
	if (rc)
		complain(i, "seccomp", -rc);
	if (filter)
		seccomp_release(filter);
}

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

json_t *isolate_prove(const struct isolate *i)
{
	static char *const nothing[] = {NULL};
	const int file = open("/dev/null", O_RDONLY | O_CLOEXEC), opened = error_of(file);
	/* an empty path runs nothing even where exec is allowed */
	const int run = error_of(execve("", nothing, nothing));
	const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connected = error_of(s);
	const int traced = error_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (file >= 0)
		close(file);
	if (s >= 0)
		close(s);
	return json_pack("{s:i, s:b, s:s, s:i, s:i, s:i, s:i}", "landlock", i->landlock, "seccomp",
		i->seccomp, "why", i->why, "open", opened, "exec", run, "socket", connected,
		"ptrace", traced);
}
