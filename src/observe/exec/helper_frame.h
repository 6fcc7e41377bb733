/*
 * helper_frame.h - the bytes between the house and what minds one program.
 *
 * A frame is a length (4 bytes, little end first), a kind and a body. The house sends one order;
 * what came of it comes back: STARTED, pieces of output and messages, ENDED, which is the last.
 * There is exactly one way to write each. Thread: any.
 */
#ifndef OBSERVE_EXEC_HELPER_FRAME_H
#define OBSERVE_EXEC_HELPER_FRAME_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define HELPER_BODY_MAX (256u << 10)
#define HELPER_ARGS_MAX 1000
#define HELPER_ENV_MAX  1000
#define HELPER_TAIL_MAX 400

enum helper_kind {
	HELPER_ORDER = 1,
	HELPER_STARTED, /* no body */
	HELPER_OUTPUT,  /* what it wrote to stdout */
	HELPER_ERRORS,  /* to stderr */
	HELPER_MESSAGE, /* a line that came over its message socket, without its end */
	HELPER_ENDED,
	HELPER_KINDS
};

struct helper_frame { /* borrows what was read */
	enum helper_kind kind;
	struct slice body;
};

/* The bytes it took; 0: not yet whole; -1: it is none. */
int64_t helper_frame_read(struct slice in, struct helper_frame *ret, struct error *err);
bool helper_frame_write(struct buf *out, enum helper_kind kind, struct slice body);

struct helper_request { /* what an order says; all borrowed */
	int64_t deadline_ms;
	uint64_t memory, cpu_s, output_max;   /* bytes of address space; 0: no limit */
	bool messages;                        /* it gets a socket for them */
	const char *dir;                      /* "": its private directory */
	const char *const *argv, *const *env; /* NULL-terminated; "NAME=VALUE" */
};

/* False: over a limit. */
bool helper_order_write(struct buf *out, const struct helper_request *r);
/* The body of an order. The lists are owned, to be given to free(); what is in them is borrowed. */
bool helper_order_read(struct slice body, struct helper_request *ret, struct error *err);

enum helper_how {
	HELPER_EXITED,       /* code: its exit status */
	HELPER_SIGNALLED,    /* code: the signal */
	HELPER_TIMED_OUT,    /* the deadline came; code 0 */
	HELPER_NO_PROGRAM,   /* code: errno */
	HELPER_NO_DIRECTORY, /* code: errno */
	HELPER_FAILED,       /* something else of this machine; code: errno */
	HELPER_HOWS
};

struct helper_end {
	enum helper_how how;
	uint32_t code;
	uint64_t cpu_us, memory;  /* of it and all it started; the largest resident set, bytes */
	uint64_t output, dropped; /* bytes written; of them over output_max */
	struct slice tail;        /* of stderr, or if nothing came there of stdout */
};

bool helper_end_write(struct buf *out, const struct helper_end *e);
bool helper_end_read(struct slice body, struct helper_end *ret, struct error *err);

#endif
