/*
 * doctor_port.c - whether an address to listen on is free; if not, whose it is (proc(5)).
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/doctor.h"

#define TCP_LISTENING 0x0a

/* The inode of the socket that listens on this port, by /proc/net/tcp or tcp6; 0: none seen. */
static uint64_t inode_in(const char *table, unsigned port)
{
	FILE *f = fopen(table, "re");
	char line[512];
	uint64_t found = 0;
	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned local, state;
		uint64_t inode;
		if (sscanf(line,
			    " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u"
			    " %*u %" SCNu64,
			    &local, &state, &inode) == 3 &&
			local == port && state == TCP_LISTENING)
			found = inode;
	}
	if (f)
		fclose(f);
	return found;
}

static bool holds(const char *pid, const char *socket)
{
	char *dir = mem_printf("/proc/%s/fd", pid);
	DIR *d = opendir(dir);
	bool found = false;
	for (struct dirent *e = d ? readdir(d) : NULL; e && !found; e = readdir(d)) {
		char target[64];
		const ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		found = !strcmp(target, socket);
	}
	if (d)
		closedir(d);
	free(dir);
	return found;
}

/* Name and number of the process that has the socket; false when none may be looked at. */
static bool holder(uint64_t inode, char *name, size_t size, char *pid, size_t pid_size)
{
	char *socket = mem_printf("socket:[%" PRIu64 "]", inode);
	DIR *d = opendir("/proc");
	bool found = false;
	for (struct dirent *e = d ? readdir(d) : NULL; e && !found; e = readdir(d)) {
		if (!isdigit((unsigned char)e->d_name[0]) || !holds(e->d_name, socket))
			continue;
		char *path = mem_printf("/proc/%s/comm", e->d_name);
		FILE *f = fopen(path, "re");
		found = f && fgets(name, (int)size, f);
		name[found ? strcspn(name, "\n") : 0] = 0;
		snprintf(pid, pid_size, "%s", e->d_name);
		if (f)
			fclose(f);
		free(path);
	}
	if (d)
		closedir(d);
	free(socket);
	return found;
}

static void taken(struct doctor *d, const char *name, const char *address)
{
	int64_t port = 0;
	char who[64] = "", pid[20] = "";
	(void)!units_parse_int(slice_of(strrchr(address, ':') + 1), &port);
	uint64_t inode = inode_in("/proc/net/tcp", (unsigned)port);
	if (!inode)
		inode = inode_in("/proc/net/tcp6", (unsigned)port);
	const bool known = inode && holder(inode, who, sizeof(who), pid, sizeof(pid));
	if (known && !strcmp(who, "glasshouse"))
		doctor_say(d, name, NULL, DOCTOR_OK, NULL,
			"%s is held by glasshouse itself (process %s)", address, pid);
	else
		doctor_say(d, name, NULL, DOCTOR_BAD,
			"stop it, or choose another address under `listen`",
			"%s is taken by %s%s%s%s", address,
			known ? who : "a process that we may not look at",
			known ? " (process " : "", pid, known ? ")" : "");
}

static void check(struct doctor *d, const char *name, const char *address)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *a = NULL;
	const int one = 1;
	if (!*address) {
		doctor_say(d, name, NULL, DOCTOR_SKIPPED, NULL, "none is configured");
		return;
	}
	const char *colon = strrchr(address, ':');
	struct slice h = slice_from(address, (size_t)(colon - address));
	if (h.p[0] == '[')
		h = slice_sub(h, 1, h.n - 2);
	char *host = slice_dup(h);
	const bool known = getaddrinfo(host, colon + 1, &hints, &a) == 0;
	const int fd = known ? socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	const bool good = fd >= 0 &&
			  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
			  bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0;
	if (good)
		doctor_say(d, name, NULL, DOCTOR_OK, NULL, "%s is free", address);
	else if (errno == EADDRINUSE)
		taken(d, name, address);
	else if (errno == EACCES)
		doctor_say(d, name, NULL, DOCTOR_BAD,
			"choose a port above 1023, or AmbientCapabilities=CAP_NET_BIND_SERVICE",
			"%s may not be listened on: %s", address, strerror(errno));
	else
		doctor_say(d, name, NULL, DOCTOR_BAD, "choose an address of this machine",
			"%s cannot be listened on: %s", address, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (a)
		freeaddrinfo(a);
	free(host);
}

void doctor_ports(struct doctor *d)
{
	check(d, "public address", d->config->public_address);
	check(d, "intake address", d->config->intake_address);
}
