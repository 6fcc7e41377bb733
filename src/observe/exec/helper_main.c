/*
 * helper_main.c - the helper: takes a socket a program, and leaves the rest to a minder.
 *
 * It knows nothing of what runs: orders go to the minders alone. It reaps them, and kills what one
 * that was killed has left behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "observe/exec/helper_inside.h"

#define LAST_NS (HELPER_GRACE_NS + 2 * NS_PER_S) /* for the minders, once the house has gone */

struct minders {
	VEC(pid_t) all;
	VEC(char *) homes; /* of each */
	int signals;
	sigset_t none;
};

/* One that was killed leaves its program's descendants and its home to us. */
static void ended(struct minders *m, pid_t pid, int status)
{
	for (size_t i = 0; i < m->all.n; i++) {
		if (m->all.p[i] != pid)
			continue;
		char *home = m->homes.p[i];
		vec_remove(&m->all, i);
		vec_remove(&m->homes, i);
		children_kill(m->all.p, m->all.n);
		if (WIFSIGNALED(status))
			minder_remove_home(home);
		free(home);
		return;
	}
}

static void reap(struct minders *m)
{
	struct signalfd_siginfo info;
	pid_t pid;
	int status;
	while (read(m->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(m, pid, status);
	children_kill(m->all.p, m->all.n);
}

static void start_minder(struct minders *m, int house)
{
	char home[] = "/tmp/glasshouse-XXXXXX";
	if (!mkdtemp(home))
		home[0] = '\0';
	const pid_t pid = fork();
	if (pid == 0) {
		close(HELPER_FD);
		close(m->signals);
		sigprocmask(SIG_SETMASK, &m->none, NULL);
		minder_run(house, home);
	}
	if (pid > 0) {
		vec_push(&m->all, pid);
		vec_push(&m->homes, mem_strdup(home));
	} else {
		minder_remove_home(home);
	}
	close(house); /* no minder: the house sees it closed */
}

/* False: the house has gone. */
static bool take(struct minders *m)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec io = {&byte, 1};
	struct msghdr h = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	const ssize_t n = recvmsg(HELPER_FD, &h, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	const struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int))) {
		int house;
		memcpy(&house, CMSG_DATA(c), sizeof(house));
		start_minder(m, house);
	}
	return true;
}

static void end(struct minders *m)
{
	const int64_t until = clock_mono_ns(&clock_system) + LAST_NS;
	struct pollfd p = {m->signals, POLLIN, 0};
	while (m->all.n && clock_mono_ns(&clock_system) < until) {
		poll(&p, 1, 100);
		reap(m);
	}
	children_end(NS_PER_S);
}

int helper_main(int argc, char **argv)
{
	struct minders m = {0};
	sigset_t set;
	if (argc != 1 || fcntl(HELPER_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("glasshouse " HELPER_ROLE ": started by glasshouse itself only\n", stderr);
		return 2;
	}
	prctl(PR_SET_NAME, HELPER_ROLE, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* a terminal or a service manager means the house, which ends us */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&m.none);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m.signals < 0)
		return 2;
	for (bool open = true; open;) {
		struct pollfd p[] = {{HELPER_FD, POLLIN, 0}, {m.signals, POLLIN, 0}};
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			reap(&m);
		if (p[0].revents)
			open = take(&m);
	}
	end(&m);
	vec_fini(&m.all);
	vec_fini(&m.homes);
	return 0;
}
