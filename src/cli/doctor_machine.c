/*
 * doctor_machine.c - what the machine itself must offer: a right clock, time zones, descriptors,
 * the kernel's means to confine a process, memory that is never swapped, and that of TLS.
 */

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/doctor.h"
#include "cli/limits.h"
#include "net/tls.h"

#define LOCKED_BYTES (64u << 10) /* a page or two a secret */

static void check_clock(struct doctor *d)
{
	struct timex t = {0};
	char text[UNITS_TEXT];
	const int state = adjtimex(&t);
	if (state < 0)
		doctor_say(d, "clock", NULL, DOCTOR_SKIPPED, NULL,
			"the kernel does not tell whether it is synchronised: %s", strerror(errno));
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
		doctor_say(d, "clock", NULL, DOCTOR_WARN,
			"run chrony or systemd-timesyncd: times of evidence rest on it",
			"the kernel says that no time server keeps it right");
	else
		doctor_say(d, "clock", NULL, DOCTOR_OK, NULL,
			"synchronised, at most %s from the time servers",
			units_time_text(t.maxerror * NS_PER_US, text));
}

static void check_zones(struct doctor *d)
{
	const char *zone = d->config->timezone;
	char *path = mem_printf("/usr/share/zoneinfo/%s", zone);
	if (access(path, R_OK) == 0)
		doctor_say(d, "time zones", NULL, DOCTOR_OK, NULL, "%s is known", zone);
	else if (!strcmp(zone, "UTC"))
		doctor_say(d, "time zones", NULL, DOCTOR_WARN,
			"install tzdata where pages shall show local times",
			"no time zone data; UTC needs none");
	else
		doctor_say(d, "time zones", NULL, DOCTOR_BAD, "install tzdata",
			"%s is not there: %s", path, strerror(errno));
	free(path);
}

static void check_descriptors(struct doctor *d)
{
	const struct limits_descriptors l = limits_raise_descriptors();
	if (l.now < LIMITS_DESCRIPTORS)
		doctor_say(d, "file descriptors", NULL, DOCTOR_WARN,
			"raise the hard limit: LimitNOFILE=65536 of the service, or `ulimit -Hn`",
			"at most %llu, %d are wanted: fewer visitors at once are served",
			(unsigned long long)l.now, LIMITS_DESCRIPTORS);
	else if (l.now != l.before)
		doctor_say(d, "file descriptors", NULL, DOCTOR_OK, NULL,
			"%llu, raised from %llu (hard limit %llu)", (unsigned long long)l.now,
			(unsigned long long)l.before, (unsigned long long)l.hard);
	else
		doctor_say(d, "file descriptors", NULL, DOCTOR_OK, NULL, "%llu",
			(unsigned long long)l.now);
}

static void check_isolation(struct doctor *d)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;
	const long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const bool seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
	if (!d->config->isolate)
		doctor_say(d, "isolation", NULL, DOCTOR_SKIPPED, NULL,
			"listen: {isolate: false}: pages are served by the process that has the"
			" secrets");
	else if (abi >= 1 && seccomp)
		doctor_say(d, "isolation", NULL, DOCTOR_OK, NULL,
			"landlock (ABI %ld) and seccomp are there", abi);
	else
		doctor_say(d, "isolation", NULL, DOCTOR_WARN,
			"boot a kernel of 5.13 or newer with lsm=landlock, and seccomp",
			"the kernel has %s: the child that serves pages is confined less",
			abi >= 1  ? "no seccomp"
			: seccomp ? "no landlock"
				  : "neither landlock nor seccomp");
}

static void check_locked_memory(struct doctor *d)
{
	struct rlimit r = {0};
	char text[UNITS_TEXT] = "none";
	void *p = mmap(
		NULL, LOCKED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const bool good = p != MAP_FAILED && mlock(p, LOCKED_BYTES) == 0;
	if (getrlimit(RLIMIT_MEMLOCK, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		units_size_text((int64_t)r.rlim_cur, text);
	if (good)
		doctor_say(d, "locked memory", NULL, DOCTOR_OK, NULL,
			"secrets can be kept out of swap (limit: %s)", text);
	else
		doctor_say(d, "locked memory", NULL, DOCTOR_WARN,
			"LimitMEMLOCK=1M of the service, or `ulimit -l 1024`",
			"secrets may be swapped to disk (limit: %s)", text);
	if (p != MAP_FAILED)
		munmap(p, LOCKED_BYTES);
}

static void check_tls_memory(struct doctor *d)
{
	switch (tls_memory_in_use()) {
	case TLS_MEMORY_KEPT:
		doctor_say(d, "memory of TLS", NULL, DOCTOR_OK, NULL,
			"what a handshake gives back is kept for the next one");
		break;
	case TLS_MEMORY_LATE:
		doctor_say(d, "memory of TLS", NULL, DOCTOR_WARN,
			"preload nothing that uses OpenSSL (LD_PRELOAD, /etc/ld.so.preload)",
			TLS_MEMORY_TOO_LATE);
		break;
	case TLS_MEMORY_PLAIN:
		doctor_say(d, "memory of TLS", NULL, DOCTOR_SKIPPED, NULL,
			"this build has a sanitizer, which wants to see each block");
		break;
	}
}

static void check_ping(struct doctor *d)
{
	const char *v4, *v6;
	const bool can4 = pinger_can(d->pinger, AF_INET, &v4);
	const bool can6 = pinger_can(d->pinger, AF_INET6, &v6);
	if (can4)
		doctor_say(d, "ping", NULL, DOCTOR_OK, NULL, "IPv4 by %s, IPv6 %s%s", v4,
			can6 ? "by " : "not: ", v6);
	else
		doctor_say(d, "ping", NULL, DOCTOR_WARN,
			"sysctl net.ipv4.ping_group_range=\"0 2147483647\", or AmbientCapabilities="
			"CAP_NET_RAW of the service",
			"ICMP is not allowed: %s", v4);
}

void doctor_machine(struct doctor *d)
{
	check_clock(d);
	check_zones(d);
	check_descriptors(d);
	check_locked_memory(d);
	check_tls_memory(d);
	check_isolation(d);
	check_ping(d);
}
