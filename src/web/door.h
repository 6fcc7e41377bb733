/*
 * door.h - the three doors between the serving half and the house: frames over a socket pair.
 *
 * A frame is a word of four bytes, the length of what follows (little endian), and then
 *	kind 1, audience 1, status 2, id 4, length of name 1, length of who 1, zero 2; name, who,
 * body with a body of at most 8 MiB. The house sends SETUP, SITE and ANSWER; the serving half QUERY,
 * COMMAND, POINTS, PARCEL and SAY. A frame that breaks these rules ends the door: who speaks is
 * then not to be trusted. Thread: the loop's.
 */
#ifndef WEB_DOOR_H
#define WEB_DOOR_H

#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"
#include "store/facts.h"

#define DOOR_BODY_MAX  (8u << 20)
#define DOOR_WORD_MAX  255u
#define DOOR_ASK_NS    (10 * NS_PER_S)
#define DOOR_QUESTIONS 1024        /* waiting at once */
#define DOOR_QUEUE_MAX (32u << 20) /* bytes the other side has not taken */

enum door_kind {
	DOOR_SETUP = 1, /* body: {"intake_token": hex of its SHA-256 | null, "outposts":
			 * {"location": hex}, ...} */
	DOOR_SITE,      /* audience; body: the SITE document */
	DOOR_QUERY,     /* id, audience, name; body: JSON arguments */
	DOOR_COMMAND,   /* id, name, who: the principal; body: JSON */
	DOOR_ANSWER,    /* id, status; body: a JSON document, or nothing */
	DOOR_SAY,       /* name: what happened, for the log; body: JSON object */
	DOOR_POINTS, /* id, name: the source; body: points_encode(); status: how many parts of what
		      * was sent were none (65535: or more), who: the first of them; answered */
	DOOR_PARCEL, /* id, who: the location whose token it had; body: a parcel, unpacked;
		      * answered */
	DOOR_KINDS
};

struct door_frame { /* slices borrow */
	enum door_kind kind;
	enum audience audience;
	int status;
	uint32_t id;
	struct slice name, who, body;
};

/* Reads the frame `in` begins with. Returns its length; 0: more is needed; -1: the rules are
 * broken. Thread: any. */
int64_t door_read(struct slice in, struct door_frame *ret, struct error *err);
/* Appends; false when a part is too long or `out` is full. Thread: any. */
bool door_write(struct buf *out, const struct door_frame *frame);

struct door;

struct door_options {
	/* Every frame but answers to door_ask(); valid during the call. May call door_free(). */
	void (*frame)(void *arg, const struct door_frame *frame);
	/* The other side is gone, or broke the rules (err says which). Once; not after door_free().
	 */
	void (*ended)(void *arg, const struct error *err);
	void *arg;
};

/* Takes `fd`, one end of a socket pair; closed also when this fails. */
struct door *door_new(
	struct loop *l, int fd, const struct door_options *options, struct error *err) must_check;
/* Waiting questions are answered with 503 in here. */
void door_free(struct door *d);
/* Copies. False when the other side has not taken DOOR_QUEUE_MAX bytes, or a part is too long. */
bool door_send(struct door *d, const struct door_frame *frame);

/* status 200 and a document; any other: none. 503 when nobody can answer, 504 when nobody did in
 * DOOR_ASK_NS. `body` is valid during the call. */
typedef void door_answered(void *arg, int status, struct slice body);
/* Sends a QUERY, COMMAND, POINTS or PARCEL; its id is given here. `done` is called exactly once,
 * never from in here. */
void door_ask(struct door *d, const struct door_frame *question, door_answered *done, void *arg);

#endif
