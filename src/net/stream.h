/*
 * stream.h - one TCP connection to speak over, in TLS or not, timed: what probes of protocols use.
 *
 * Made for one exchange: there is one deadline for all of it, and one call under way at a time
 * (open, TLS, wait). Each calls back once, never from within, unless the stream is closed before.
 * After a fault nothing more can be asked of it; what was received, facts, phases and address stay
 * until it is closed. What is received is bounded by the caller, what waits to be sent by
 * STREAM_SEND_MAX. Thread: the loop's.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/fault.h"
#include "net/phases.h"
#include "net/resolver.h"
#include "net/tls.h"

#define STREAM_SEND_MAX (1u << 20)

struct stream;

struct stream_options {
	const char *host;
	unsigned port;
	int family;          /* AF_UNSPEC: the first that connects, in the system's order */
	int64_t deadline_ns; /* of the whole exchange; > 0 */
	/* Counted, kept for the life of the stream. NULL: it never speaks TLS. */
	struct tls_context *tls;
	bool tls_at_once;     /* else with stream_start_tls() */
	const char *tls_name; /* the server's; NULL: host */
	bool trusting;        /* a certificate that is no good is a fact, not a fault */
};

/* NONE; RESOLVE, NXDOMAIN, REFUSED, UNREACHABLE, TIMEOUT, CONNECTION_LOST (also: the peer closed),
 * TLS, TLS_EXPIRED, TLS_NAME, TLS_AUTHORITY, PROTOCOL (it spoke before TLS that it had agreed to
 * start), BODY_TOO_LARGE (over the wait's maximum), LOCAL, NO_DESCRIPTORS. */
typedef void stream_done(void *arg, enum fault fault);

/* Copies the options. Resolves, connects, and shakes hands if `tls_at_once`. */
struct stream *stream_open(struct loop *l, struct resolver *r, const struct stream_options *o,
	stream_done *done, void *arg);
/* Ends it at once, at any moment, also from done: nothing is called back any more. NULL
 * is fine. */
void stream_close(struct stream *s);

/* TLS from now on, on a connection that is open and has nothing received and untaken. */
void stream_start_tls(struct stream *s, stream_done *done, void *arg);
/* Queues a copy; what goes wrong with it is told by the next wait. False: it is too much. */
bool stream_send(struct stream *s, const void *p, size_t n);
/* Until enough(arg, what was received and not taken) is true: asked at once and whenever more
 * came. It may take from the front itself (and do nothing else). `max`: bytes that may lie there
 * without being enough. A peer that closes ends it with CONNECTION_LOST after all it sent was asked
 * about. */
typedef bool stream_enough(void *arg, struct slice got);
void stream_wait(struct stream *s, size_t max, stream_enough *enough, stream_done *done, void *arg);
/* Received and not taken; valid until the next take, wait or close. */
struct slice stream_got(const struct stream *s);
void stream_take(struct stream *s, size_t n);
/* Says that nothing more will be sent (in TLS: its good-bye). */
void stream_finish(struct stream *s);

/* --- what is known of it, from its first callback on --------------------------------------------
 */

const char *stream_detail(const struct stream *s); /* of the fault, for people; "" */
/* resolve, connect, tls; wait: all waits together; total so far. */
struct phases stream_phases(const struct stream *s);
/* "192.0.2.1"; of the address tried last; "" when there was none. */
const char *stream_address(const struct stream *s);
bool stream_connected(const struct stream *s); /* TCP was, whatever came later */
bool stream_ended(const struct stream *s);     /* the peer closed */
/* NULL before TLS began. */
const struct tls_facts *stream_tls(const struct stream *s);
bool stream_tls_asked(const struct stream *s); /* see tls_was_asked() */

#endif
