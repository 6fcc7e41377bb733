/*
 * witness.h - whether our own connectivity is gone: targets outside of the cloud that should
 * always answer.
 *
 * When no configured witness answers, what probes see says nothing of the cloud: faults of reaching
 * it (resolve, unreachable, timeout, refused, connection_lost) are then held to be ours. Without
 * witnesses nothing is blamed on ourselves. A witness is "tcp://host:port", "http(s)://..." or
 * "icmp://host". All are asked together every 10 s, and at once when a probe fails so; the answer
 * is at most 15 s old when it is used.
 * Thread: the loop's.
 */
#ifndef OBSERVE_WITNESS_H
#define OBSERVE_WITNESS_H

#include "net/http_client.h"
#include "net/ping.h"
#include "net/resolver.h"
#include "observe/schedule.h"
#include "store/observation.h"

struct witnesses;

/* `targets` NULL-terminated, copied; none: never blind. `changed` when blindness begins or ends. */
struct witnesses *witnesses_new(struct schedule *s, struct http_client *probes,
	struct resolver *resolver, struct pinger *pinger, const char *const *targets,
	void (*changed)(void *arg, bool blind, const char *why), void *arg,
	struct error *err) must_check;
void witnesses_free(struct witnesses *w);
bool witnesses_blind(const struct witnesses *w);
/*
 * Passes an observation on, now or a little later: one whose fault could be our own connectivity
 * waits for the witnesses' answer (at most 2 s) and, when blind, goes on with FAULT_LOCAL and a
 * detail that says so. Copies.
 */
void witnesses_pass(
	struct witnesses *w, const struct observation *o, observation_signal *to, void *arg);

#endif
