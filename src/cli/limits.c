/*
 * limits.c - see limits.h. The soft limit of 1024 that shells and services start with is there for
 * programs that use select(), which libuv, curl and libmicrohttpd as we drive them do not.
 */

#include "cli/limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

struct limits_descriptors limits_raise_descriptors(void)
{
	struct rlimit r = {0};
	struct limits_descriptors l = {0};
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return l;
	l.before = l.now = r.rlim_cur;
	l.hard = r.rlim_max;
	if (r.rlim_cur >= LIMITS_RAISED)
		return l;
	r.rlim_cur = r.rlim_max < LIMITS_RAISED ? r.rlim_max : LIMITS_RAISED;
	if (setrlimit(RLIMIT_NOFILE, &r) == 0)
		l.now = r.rlim_cur;
	return l;
}

void limits_widen_descriptors(void)
{
	const int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, LIMITS_WIDE);
	if (fd >= 0)
		close(fd);
}
