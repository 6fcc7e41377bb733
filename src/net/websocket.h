/*
 * websocket.h - the bytes of WebSocket (RFC 6455), the client's side: its handshake, frames out,
 * messages in. No I/O; what comes is a stranger's. Thread: any, one at a time.
 */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define WEBSOCKET_HEAD_MAX    (16u << 10) /* of the answer to the handshake */
#define WEBSOCKET_MESSAGE_MAX (64u << 10)
#define WEBSOCKET_KEY         25 /* with NUL */

/* --- the handshake ---------------------------------------------------------------------------- */

void websocket_key(char key[WEBSOCKET_KEY]); /* random, base64 */

enum websocket_state { WEBSOCKET_MORE, WEBSOCKET_WHOLE, WEBSOCKET_BROKEN };

struct websocket_answer {
	size_t n;                 /* bytes of the head */
	int status;               /* HTTP */
	bool agrees;              /* 101, with all that must be in it for this key */
	char detail[120];         /* what is wrong, when it does not agree or is broken */
	struct slice subprotocol; /* borrows; empty: none */
};

enum websocket_state websocket_read_answer(
	struct slice got, const char *key, struct websocket_answer *ret);

/* --- frames ----------------------------------------------------------------------------------- */

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Appends one whole frame, masked. */
void websocket_write(struct buf *out, enum websocket_opcode opcode, struct slice data);

struct websocket_reader {             /* zero at first; `message` must be released */
	struct buf message;           /* of the fragments so far, then whole until the next call */
	enum websocket_opcode opcode; /* of what is whole */
	bool in_message, whole;
	uint8_t control[125];
	size_t control_n;
	enum websocket_opcode message_opcode;
	unsigned idle; /* frames that brought nothing of a message */
};

/* Takes the next frame from the front: *ret_n bytes. WHOLE: something is whole, `opcode` says
 * what: TEXT or BINARY (in `message`), CLOSE, PING or PONG (in `control`). MORE with *ret_n > 0: a
 * fragment was taken. BROKEN with the reason in `detail`: also of a server that goes on with
 * frames that bring nothing of a message (pings, pongs, empty ones), after 10,000 of them. */
enum websocket_state websocket_read(
	struct websocket_reader *r, struct slice got, size_t *ret_n, char *detail, size_t detail_n);
void websocket_reader_fini(struct websocket_reader *r);

#endif
