/*
 * children.c - what a process has started, and what fell to it as the reaper of the rest.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "observe/exec/helper_inside.h"

static bool is_among(pid_t pid, const pid_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == pid)
			return true;
	return false;
}

void children_kill(const pid_t *spared, size_t n)
{
	char path[64], text[4096];
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';
	/* What does not fit comes the next time; a number that was cut has no space after it. */
	for (char *at = text, *end; (end = strchr(at, ' ')); at = end + 1) {
		const pid_t pid = (pid_t)strtol(at, NULL, 10);
		if (pid > 1 && !is_among(pid, spared, n))
			kill(pid, SIGKILL);
	}
}

void children_end(int64_t wait_ns)
{
	const int64_t end = clock_mono_ns(&clock_system) + wait_ns;
	for (;;) {
		children_kill(NULL, 0);
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if ((pid < 0 && errno == ECHILD) || clock_mono_ns(&clock_system) > end)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
	}
}
