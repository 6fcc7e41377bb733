/*
 * phases.h - where the time of one exchange went. ns; 0: the phase did not happen (a reused
 * connection has no resolve, connect and tls; resolve only when a query really left).
 */
#ifndef NET_PHASES_H
#define NET_PHASES_H

#include <stdint.h>

struct phases {
	int64_t resolve_ns, connect_ns, tls_ns;
	int64_t wait_ns; /* request sent to first byte of the answer */
	int64_t body_ns;
	int64_t total_ns;
};

#endif
