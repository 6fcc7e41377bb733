/*
 * writes.h - foreign programs that write in: what they send becomes points or a command.
 *
 * A row of the route table with one of these is read on the serving thread, body and all, and
 * passes the door as POINTS or COMMAND; the house answers {"status": 204, "why": "..."}, and the
 * face says that in the words its program expects. Thread: any.
 */
#ifndef WEB_FACES_WRITES_H
#define WEB_FACES_WRITES_H

#include "web/door.h"

struct http_exchange;

#define WRITE_BODY_MAX DOOR_BODY_MAX /* of a request, as sent */

struct write_in {
	struct http_exchange *x; /* its arguments and headers */
	const char *word;        /* decoded {name} */
	const char *location;    /* of an outpost: whose token it had */
	struct slice body;
};

struct write_out {
	int status;           /* 0: ask the house with what follows; else answer at once */
	char why[ERROR_TEXT]; /* of such an answer */
	enum door_kind kind;  /* POINTS, COMMAND, PARCEL */
	const char *name;     /* static: the source of points, the command */
	unsigned bad;         /* POINTS: parts that were none, and the first of them */
	char first_bad[DOOR_WORD_MAX + 1]; /* PARCEL: the location instead */
	struct buf body;                   /* owned by the caller */
};

enum write_form {      /* how the house's answer is said */
	WRITE_TEXT,    /* a line of text */
	WRITE_INFLUX,  /* {"error": why} */
	WRITE_INFLUX2, /* {"code": ..., "message": why} */
	WRITE_KUMA,    /* {"ok": true}, {"ok": false, "msg": why} */
	WRITE_OPS,     /* {"error": why} */
};

struct write_face {
	void (*read)(const struct write_in *in, struct write_out *ret);
	enum write_form form;
};

extern const struct write_face write_influx, write_influx2, write_influx_ping, write_remote;
extern const struct write_face write_parcel;
extern const struct write_face write_gatus, write_kuma, write_alertmanager, write_alerts;

/* The body of an answer and its type; nothing for 204. */
void write_say(
	enum write_form form, int status, const char *why, struct buf *out, const char **ret_type);

#endif
