/*
 * stall.h - notices that a loop does not turn any more.
 *
 * The loop gives a sign of life a second. A thread of its own looks at it, and logs while it is
 * missing, so that even a loop that never comes back is not silent; the loop itself is told once it
 * turns again. Runs on real time. Thread: the loop's.
 */
#ifndef NET_STALL_H
#define NET_STALL_H

#include "net/loop.h"

struct stall;

/* It turns again after it stood still for that long. */
typedef void stall_over(void *arg, int64_t stood_ns);
/* limit_ns: what is no stall yet. */
struct stall *stall_new(struct loop *l, int64_t limit_ns, stall_over *over, void *arg,
	struct error *err) must_check;
void stall_free(struct stall *s); /* waits for its thread */

#endif
