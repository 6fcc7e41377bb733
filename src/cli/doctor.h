/*
 * doctor.h - the checks of `glasshouse doctor`: each says what was found and what to do.
 *
 *	doctor.c          the command: starts all, waits, prints
 *	doctor_check.c    one line of the answer, its deadline
 *	doctor_machine.c  clock, time zones, descriptors, isolation, locked memory, TLS
 *	doctor_disk.c     the state directory, space, file system, time of an fsync; on a thread
 *	doctor_files.c    who may read the configuration, secrets and clouds.yaml
 *	doctor_port.c     whether the addresses to listen on are free, or whose they are
 *	doctor_metrics.c  whether receivers of numbers take them, and what was lost
 *	doctor_report.c   whether the house takes our reports
 *	doctor_cloud.c    per cloud: configuration, DNS, log-in, clock, catalog, quota
 *
 * All run at once; what has not ended 10 s after it began is bad. Nothing is changed but the limit
 * of descriptors of this process, and a file without a name is written where the state is kept.
 * Thread: the loop's.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/vec.h"
#include "cli/config.h"
#include "net/ping.h"
#include "openstack/cloud.h"

#define DOCTOR_DEADLINE_NS (10 * NS_PER_S)

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_SKIPPED };

struct doctor;

struct doctor_check { /* one line of the answer */
	struct doctor *doctor;
	char *name, *of; /* "log-in", "cloud prod" ("" : the machine) */
	unsigned group;  /* order: the machine 0, then the clouds */
	size_t number;   /* order within it */
	bool ended;
	enum doctor_state state;
	char *found, *todo; /* todo NULL: nothing */
	struct timer deadline;
	void (*late)(void *arg); /* at its deadline, after it was ended; may be NULL */
	void *late_arg;
};

struct doctor_cloud;

struct doctor {
	struct loop *loop;
	struct config *config;
	struct http_client *client;
	struct resolver *resolver;
	struct pinger *pinger;
	VEC(struct doctor_check *) checks;
	VEC(struct doctor_cloud *) clouds;
	struct map hosts; /* asked of DNS already */
	size_t waiting;
	bool done, closing;
	bool stuck;    /* a thread still works: nothing it uses may be freed */
	bool progress; /* in a terminal */
};

/* --- doctor_check.c */
struct doctor_check *doctor_begin(
	struct doctor *d, unsigned group, const char *name, const char *of);
/* Ends it; what comes after its deadline is dropped. `todo` NULL: nothing to do. */
void doctor_end(struct doctor_check *c, enum doctor_state state, const char *todo, const char *fmt,
	...) like_printf(4, 5);
/* Begins and ends a check of the machine that needs no waiting. */
void doctor_say(struct doctor *d, const char *name, const char *of, enum doctor_state state,
	const char *todo, const char *fmt, ...) like_printf(6, 7);
void doctor_checks_free(struct doctor *d);
/* In the order to be shown. */
void doctor_sort(struct doctor *d);

/* --- the checks: each starts what it has */
void doctor_machine(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_files(struct doctor *d);
void doctor_ports(struct doctor *d);
void doctor_metrics(struct doctor *d); /* after doctor_files(), which reads the secrets */
void doctor_report(struct doctor *d);  /* likewise */
void doctor_clouds(struct doctor *d);
void doctor_clouds_free(struct doctor *d);

/*
 * By how much a peer's clock can differ from ours at least and at most, in us (its minus ours),
 * from the Date it wrote (whole seconds) between two moments of ours.
 */
void doctor_clock_offset(int64_t date_unix_us, int64_t before_unix_us, int64_t after_unix_us,
	int64_t *ret_least_us, int64_t *ret_most_us);

#endif
