/*
 * guest_script.h - what the verb `guest` has a guest do, as sh: a gateway's rules, a small web
 * server, and the end of both.
 *
 * Each script says what it used as `tool NAME` and may be run again: it replaces what it has set
 * up before. It ends with status 127 and a sentence when the guest has none of the tools it could
 * use, 1 and a sentence when something did not come about. Pure. Thread: any.
 */
#ifndef OBSERVE_SCENARIO_GUEST_SCRIPT_H
#define OBSERVE_SCENARIO_GUEST_SCRIPT_H

#include <stdbool.h>

#include "base/buf.h"

#define GATEWAY_FORWARDS_MAX 512
#define SERVE_PORTS_MAX      16

struct gateway {
	const char *masquerade;     /* "10.250.0.0/16"; NULL: none */
	const char *address;        /* one more of its own, added as /32; NULL: none */
	const char *const *forward; /* from_port + k goes to port 22 of the k-th */
	size_t forward_count;
	unsigned from_port;
};

/* All texts are plain addresses, see guest_script_plain(). */
void guest_script_gateway(struct buf *script, const struct gateway *g);
void guest_script_gateway_end(struct buf *script);

/* Answers `text`, or the guest's name where it is NULL, at / and /hostname of the port. */
void guest_script_serve(struct buf *script, unsigned port, const char *text);
/* Port 0: all that is served. Says `stopped N`. */
void guest_script_serve_end(struct buf *script, unsigned port);

/* An IPv4 address, or with `bits` a network like 10.250.0.0/16; nothing else goes into a script. */
bool guest_script_plain(const char *text, bool bits);

#endif
