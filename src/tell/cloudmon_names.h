/*
 * cloudmon_names.h - a measure by the names that CloudMon's dashboards and flags ask for.
 *
 *	openstack.api.<env>.<zone>.<service_type>.<METHOD>.<resource>.<status>      count, time
 *	    ... .attempted                                                         count, always
 *	    ... .failed        no HTTP answer                                      count
 *	    ... .over_1000     an answer that took more than a second              count
 *	globalmon.<env>.<zone>.<service>.<urlid>.<code>                            time
 *	counter.globalmon.<env>.<zone>.<service>.<urlid>.{<code>,attempted}        count
 *
 * The first are those of openstacksdk, whose rule for <resource> is followed to the letter, also
 * where it is odd: dashboards were made with it. <code> is the status, or timeout,
 * connection_failed, failed. Thread: any.
 */
#ifndef TELL_CLOUDMON_NAMES_H
#define TELL_CLOUDMON_NAMES_H

#include <stdbool.h>

#include "base/buf.h"
#include "store/measure.h"

struct cloudmon_place {          /* borrowed */
	const char *prefix;      /* in front of all names, with a dot between; NULL: none */
	const char *environment; /* NULL: of a call the cloud's name; a probe then has no name */
	const char *zone;        /* NULL: region, else location, else "default" */
};

enum cloudmon_type { CLOUDMON_COUNT, CLOUDMON_TIME };
/* `x`: what is added, or whole milliseconds. The name is borrowed for the call. */
typedef void cloudmon_signal(void *arg, enum cloudmon_type type, const char *name, double x);

/* The <resource> of an address, "server_os-security-groups"; `project` (NULL: none) is left out of
 * paths. False: openstacksdk has none for it, and reports nothing. */
bool cloudmon_resource(struct buf *out, const char *url, const char *project);
/* All that is to be told of a measure: nothing of what is no call and no probe of GlobalMon, nor of
 * what we did not do. */
void cloudmon_names(const struct cloudmon_place *place, const struct measure *m,
	cloudmon_signal *cb, void *arg);

#endif
