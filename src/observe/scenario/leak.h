/*
 * leak.h - ports that load balancers and servers leave behind: they hold a subnet of ours and
 * nothing is behind them any more.
 *
 * Deleted is one only if it lies in that subnet and the load balancer its name or device names is
 * 404, of a VIP of Octavia's or of OVN's driver; one of OVN's health checks, which names the
 * subnet, only if the project has no balancer at all; one that nova made for a server, only if a
 * run of ours made that server and it is 404. Everything else stays, for the ledger to say so.
 * Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_LEAK_H
#define OBSERVE_SCENARIO_LEAK_H

#include "observe/scenario/journal.h"
#include "openstack/cloud.h"

/* The id of the load balancer that a port of this subnet was made for, "" for a health check of
 * OVN; NULL: it is none of these. Borrows. */
const char *leak_of(const json_t *port, const char *subnet);
/* The id of the server that nova made a port for, NULL: it did not. Borrows. */
const char *leak_server_of(const json_t *port);
/*
 * Looks at the ports of a subnet of ours and deletes the first one that was left behind; done gets
 * its id and what left it, "load balancer" or "server" (both borrowed), or NULLs: there was none,
 * or it could not be told. *slot is the call that is under way, for cloud_cancel(); it must live
 * until done, which comes once and not from in here.
 */
void leak_clear(struct cloud *c, struct journal *j, const char *subnet, struct cloud_call **slot,
	void (*done)(void *arg, const char *port, const char *whose), void *arg);

#endif
